# SPDX-License-Identifier: Apache-2.0
"""providers/web in Node against the real daemon: what a page with `@flagstaff/web-provider` sees."""

import shutil
import signal
import subprocess
from datetime import datetime, timedelta

import pytest
from child import Child
from world import DEADLINE, ROOT, eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
NAME = {"variants": {"ada": "Ada's", "bo": "Bo's", "none": "nobody's"}, "defaultVariant": "none", "visibility": "client",
        "targeting": {"if": [{"==": [{"var": "targetingKey"}, "ada"]}, "ada", {"==": [{"var": "targetingKey"}, "bo"]}, "bo", None]}}
FLAGS = {"door": DOOR, "name": NAME}
SAFE = {"value": False, "variant": "off", "reason": "ERROR"}


class Page(Child):
    def status(self):
        self.tell({"status": True})
        return self.answers.get(timeout=DEADLINE)["status"]

    def change(self, subject):
        """Changes the context; gives every (door, name) that could be read meanwhile."""
        self.tell({"context": {"targetingKey": subject}})
        answer = self.answers.get(timeout=DEADLINE)
        assert answer["context"] == subject
        return {tuple(pair) for pair in answer["seen"]}

    def door(self):
        return self.ask("boolean", "door", True)

    def wait_event(self, name, flags=None):
        eventually(lambda: [e for e, f in zip(self.events, self.changed) if e == name and flags in (None, f)], f"{name} {flags or ''}")


@pytest.fixture(scope="module")
def package():
    folder = ROOT / "providers" / "web"
    subprocess.run([shutil.which("npm"), "run", "--silent", "build"], cwd=folder, check=True)
    return folder


@pytest.fixture
def page(package):
    started = []

    def make(daemon, subject, *credential):
        started.append(Page([shutil.which("node"), str(package / "tests" / "page.mjs"), daemon.url, subject, *credential]))
        return started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.fixture
def keyed(daemon):
    """A daemon with keys: its own, and that of a page's backend."""
    d = daemon(FLAGS, {"lease": "3s"})
    d.key = d.add_key(["admin", "facts:*", "read", "metrics"])
    d.backend = d.add_key(["tickets"], name="backend")
    return d


def test_a_flip_is_told_with_its_flag_after_its_value_is_there_and_the_receipt_says_so(keyed, page):
    p = page(keyed, "ada", keyed.backend)
    assert p.status() == "READY" and p.door()["value"] is False
    receipt = keyed.facts("ada", {"access": "granted"}, "wait=delivered").json
    assert receipt["complete"] and receipt["acknowledged"] == 1, receipt
    p.wait_event("ConfigurationChanged", ["door"])
    assert p.door()["value"] is True
    keyed.facts("ada", {"access": "none"}, "wait=delivered")
    assert p.door()["value"] is False, "acknowledged means: whoever reads now reads no older value"


def test_a_daemon_that_is_killed_makes_stale_then_safe_at_the_lease_s_end_and_all_is_well_when_it_is_back(keyed, page):
    keyed.facts("ada", {"access": "granted"})
    p = page(keyed, "ada", keyed.backend)
    assert p.door()["value"] is True
    keyed.stop(signal.SIGKILL)
    p.wait_event("Stale")
    p.wait_event("ConfigurationChanged", ["door"])
    assert p.events[-2:] == ["Error", "ConfigurationChanged"] and p.status() == "ERROR"
    safe = p.door()
    assert {k: safe.get(k) for k in SAFE} == SAFE and "errorCode" not in safe and "lease is over" in safe["metadata"]["flagstaff.error"]
    name = p.ask("string", "name", "-")
    assert (name["value"], name["reason"]) == ("Ada's", "STALE"), "no access flag: the last value"
    keyed.start()
    eventually(lambda: p.status() == "READY", "READY")
    eventually(lambda: p.door()["value"] is True, "the value that was kept on disk")


def test_a_lease_is_renewed_for_as_long_as_the_daemon_answers(keyed, page):
    keyed.facts("ada", {"access": "granted"})
    p = page(keyed, "ada", keyed.backend)

    def session():
        [one] = keyed.get("/v1/clients").json["clients"]
        return one["session"], datetime.fromisoformat(one["leaseUntil"])

    name, until = session()
    eventually(lambda: session()[1] > until + timedelta(seconds=4), "further than a lease")
    assert session()[0] == name, "over one connection"
    assert p.door()["value"] is True and p.events == ["Ready"]


def test_a_change_of_context_never_shows_the_values_of_the_subject_before(keyed, page):
    keyed.facts("ada", {"access": "granted"})
    p = page(keyed, "ada", keyed.backend)
    assert p.door()["value"] is True
    seen = p.change("bo")
    assert seen <= {(False, "-"), (False, "Bo's")} and (False, "-") in seen
    assert p.ask("string", "name", "-")["value"] == "Bo's" and p.door()["value"] is False
    assert [r["subject"] for r in p.requests] == ["ada", "bo"], "a ticket for each connection"
    seen = p.change("ada")
    assert seen <= {(False, "-"), (False, "Ada's"), (True, "Ada's")} and (False, "-") in seen, "safe until the lease is granted, too"
    assert p.status() == "READY" and p.door()["value"] is True


def test_without_a_credential_contexts_change_over_one_connection(daemon, page):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    p = page(d, "ada")
    for subject, other in (("bo", "Bo's"), ("ada", "Ada's")) * 3:
        assert p.change(subject) <= {(False, "-"), (subject == "ada", other)}
        assert p.ask("string", "name", "-")["value"] == other
    assert d.metrics()['flagstaff_sessions{channel="websocket"}'] == 1


def test_a_revoked_key_makes_its_pages_safe_at_once(keyed, page):
    keyed.facts("ada", {"access": "granted"})
    p = page(keyed, "ada", keyed.backend)
    assert p.door()["value"] is True
    [key] = [k["id"] for k in keyed.get("/v1/keys").json["keys"] if k["name"] == "backend"]
    assert keyed.delete(f"/v1/keys/{key}").status == 200
    p.wait_event("ConfigurationChanged", ["door"])
    assert "Stale" not in p.events and p.status() == "ERROR", "at once, and never FATAL: the SDK would serve the caller's default"
    assert p.door()["value"] is False


def test_a_ticket_that_is_refused_twice_is_fatal_where_nothing_is_known_yet(keyed, page):
    p = page(keyed, "ada", "--ticket", "A" * 43)
    assert p.status() == "FATAL"
    assert p.door()["errorCode"] == "PROVIDER_FATAL"

# SPDX-License-Identifier: Apache-2.0
"""The example: a real OPA that gets its policy as a bundle by long polling and reports to us; whoever a change concerns hears of it."""

import io
import json
import os
import socket
import subprocess
import tarfile
import threading

import pytest
from opa_world import EXAMPLE, Bundles, entry_of, fence, is_reading_a_grant, seen, source, state_of, tell_delay, wait_down
from world import BINARY, Opa, eventually, free_port, http

ADA = {"approval-limit": 1000, "invoice-export": True, "us-feature": True, "new-menu": True}
BO = {"approval-limit": 0, "invoice-export": False, "us-feature": False, "new-menu": True}
CY = {"approval-limit": 50000, "invoice-export": True, "us-feature": True, "new-menu": True}
HAS_FAULTS = os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan")
BO_MOVES = ('"bo": { "roles": ["viewer"], "country": "DE" }', '"bo": { "roles": ["editor"], "country": "CA" }')


class Scene:
    """All that the example's run.sh starts, with clients that share no code with the daemon."""

    def __init__(self, bundles, opa, daemon, client):
        self.bundles, self.opa, self.daemon, self.client = bundles, opa, daemon, client

    def people(self):
        clients = [self.client(self.daemon, [name], name=name) for name in ("ada", "bo", "cy")]
        for c, values in zip(clients, (ADA, BO, CY)):
            c.wait_lease()
            assert {key: flag["value"] for key, flag in c.watches[1]["flags"].items()} == values
        return clients


@pytest.fixture
def scene(daemon, client, tmp_path, monkeypatch):
    """scene(**configuration): OPA has its bundle already when the daemon starts."""
    made = []

    def make(**config):
        bundles = Bundles(tmp_path).start()
        made.append(bundles)
        opa = Opa(tmp_path / "opa", arguments=["--config-file", str(EXAMPLE / "opa.yaml")])
        made.append(opa)
        d = daemon((EXAMPLE / "flags.yaml").read_text(), {"sources": {"opa": source(opa)}, **config}, start=False)
        d.port = free_port()
        monkeypatch.setenv("BUNDLES_URL", bundles.url)
        monkeypatch.setenv("FLAGSTAFF_URL", d.url)
        opa.start()
        eventually(lambda: http("GET", opa.url + "/health?bundles=true").status == 200, "OPA has its bundle")
        return Scene(bundles, opa, d.start(), client)

    yield make
    for one in reversed(made):
        one.stop()


def values(client):
    return {key: flag["value"] for key, flag in client.watches[1]["flags"].items()}


def check_cause(scene, client, key, revision):
    """The cause is the entry that tells of OPA's report. (A denial may go ahead of it where the journal is late, and knows no number then.)"""
    flag = client.flag(key)
    assert flag["cause"]["kind"] == "event", f"{flag}\n{scene.daemon.process.output}"
    if flag["value"] == flag["safe"]["value"] and "entry" not in flag["cause"]:
        return
    kind, body = entry_of(scene.daemon, flag["cause"]["entry"])
    assert (kind, body["source"], body["what"], body["revision"]) == ("source", "opa", "report", f"app={revision}")


def test_what_opa_reports_moves_the_right_flags_of_the_right_subjects(scene):
    s = scene(probe="60s")  # nothing but OPA's report can tell of the change
    ada, bo, cy = s.people()

    revision = s.bundles.change("data.json", *BO_MOVES)
    bo.wait_value("invoice-export", True)
    tell_delay(bo, "invoice-export", "a grant, from OPA's report to the client")
    bo.wait_value("approval-limit", 1000)
    fence(ada, bo, cy)
    assert values(bo) == {**BO, "invoice-export": True, "approval-limit": 1000}
    assert not ada.deltas and not cy.deltas, "nobody else hears of it"
    assert bo.flag("invoice-export")["cause"] == bo.flag("approval-limit")["cause"]
    check_cause(s, bo, "invoice-export", revision)
    heard = len(bo.deltas)

    revision = s.bundles.change("data.json", '"country": "US" },', '"country": "US", "suspended": true },')
    ada.wait_value("us-feature", False)
    tell_delay(ada, "us-feature", "a revocation, from OPA's report to the client")
    ada.wait_value("invoice-export", False)
    ada.wait_value("approval-limit", 0)
    fence(ada, bo, cy)
    assert values(ada) == {"invoice-export": False, "us-feature": False, "approval-limit": 0, "new-menu": True}
    assert len(bo.deltas) == heard and not cy.deltas
    check_cause(s, ada, "us-feature", revision)


def test_a_changed_policy_moves_users_of_the_list_both_ways(scene):
    s = scene(probe="60s")
    ada, bo, cy = s.people()
    revision = s.bundles.change("rbac.rego", 'profile.country == "US"', 'profile.country == "DE"')
    for c, expected in ((bo, True), (ada, False), (cy, False)):
        c.wait_value("us-feature", expected)
        tell_delay(c, "us-feature", "a policy, from OPA's report to the client")
        check_cause(s, c, "us-feature", revision)
    fence(ada, bo, cy)
    assert values(bo) == {**BO, "us-feature": True}
    assert values(ada) == {**ADA, "us-feature": False} and values(cy) == {**CY, "us-feature": False}


def test_one_connection_that_watches_for_many_gets_what_is_taken_away_no_later_than_what_is_given(scene, client):
    s = scene(probe="60s")
    backend = client(s.daemon, ["ada", "bo", "cy"]).wait_lease()
    s.bundles.change("rbac.rego", 'profile.country == "US"', 'profile.country == "DE"')
    backend.wait_value("us-feature", True, watch=2)
    backend.wait_value("us-feature", False, watch=1)
    backend.wait_value("us-feature", False, watch=3)
    moved = {part["watch"]: delta["revision"] for delta in backend.deltas for part in delta["watches"]}
    assert moved[1] <= moved[2] and moved[3] <= moved[2], "nobody is granted in an earlier revision than another is denied"


def test_a_report_that_brings_no_new_revision_asks_nothing(scene):
    s = scene(probe="60s")
    ada, _, _ = s.people()
    before = state_of(s.daemon)
    revision = before["revision"]
    report = {"labels": {"id": "x"}, "bundles": {"app": {"name": "app", "active_revision": revision.removeprefix("app=")}}}
    assert s.daemon.post("/v1/opa/opa/status", report).status == 200
    fence(ada)
    assert state_of(s.daemon)["asked"] == before["asked"] and not ada.deltas
    assert s.daemon.post("/v1/opa/opa/status", "{").status == 400
    assert s.daemon.post("/v1/opa/none-such/status", report).status == 404


def test_opa_stops_values_go_stale_and_then_safe_and_come_back_with_opa(scene):
    s = scene(probe="200ms")
    clients = s.people()
    epochs = [c.epoch for c in clients]
    since = [len(c.history) for c in clients]

    s.opa.stop()
    for c, place, before in zip(clients, since, (ADA, BO, CY)):
        c.wait(lambda c: all(f["reason"] == "ERROR" for k, f in c.watches[1]["flags"].items() if k != "new-menu"), "all safe")
        assert seen(c, "new-menu", place) == [], "what OPA does not decide does not move"
        assert {flag["cause"]["kind"] for _, _, _, _, flag in c.history[place:] if flag["reason"] == "STALE"} == {"source-lost"}
        for key, safe in (("invoice-export", False), ("us-feature", False), ("approval-limit", 0)):
            assert seen(c, key, place) == [(before[key], "STALE"), (safe, "ERROR")], f"{key}: the last answer for a while, then the safe one"
            assert "error" not in c.flag(key) and c.flag(key)["metadata"]["flagstaff.error"]
            assert c.flag(key)["cause"]["kind"] in ("timer", "source-lost")
            assert not is_reading_a_grant(c, key)
        tell_delay(c, "invoice-export", "from the timer to the safe value")
    assert state_of(s.daemon)["state"] == "down"
    assert s.daemon.evaluate("ada", "invoice-export").json["value"] is False
    assert s.daemon.evaluate("ada", "new-menu").json["value"] is True

    since = [len(c.history) for c in clients]
    s.opa.start()
    for c, place, expected in zip(clients, since, (ADA, BO, CY)):
        c.wait(lambda c: all(f["reason"] == "TARGETING_MATCH" for k, f in c.watches[1]["flags"].items() if k != "new-menu"), "all back")
        assert values(c) == expected
        assert seen(c, "invoice-export", place) == [(expected["invoice-export"], "TARGETING_MATCH")]
        assert c.flag("invoice-export")["cause"]["kind"] == "source-back"
    assert [c.epoch for c in clients] == epochs and not any(c.closed for c in clients), "nobody was restarted"


def test_what_changed_while_opa_was_away_is_seen_when_it_is_back(scene):
    s = scene(probe="200ms")
    ada, bo, cy = s.people()
    s.opa.stop()
    wait_down(s.daemon)
    s.bundles.change("data.json", *BO_MOVES)
    s.opa.start()
    bo.wait_value("invoice-export", True)
    bo.wait_value("approval-limit", 1000)
    ada.wait(lambda c: c.flag("invoice-export")["reason"] == "TARGETING_MATCH" and c.value("invoice-export") is True, "ada's is back")


def test_the_bundle_server_speaks_as_opa_expects(tmp_path):
    bundles = Bundles(tmp_path).start()
    try:
        url = bundles.url + "/bundles/app.tar.gz"
        first = http("GET", url, headers={"Prefer": "modes=snapshot,delta;wait=20"})
        assert first.status == 200 and first.headers["Content-Type"] == "application/vnd.openpolicyagent.bundles"
        known = {"If-None-Match": first.headers["ETag"]}
        with tarfile.open(fileobj=io.BytesIO(first.body)) as tar:
            manifest = json.load(tar.extractfile(".manifest"))
            assert set(tar.getnames()) == {".manifest", "data.json", "rbac.rego"}
        assert first.headers["ETag"] == f'"{manifest["revision"]}"'
        assert manifest["roots"] == ["app/rbac", "limits", "roles", "users"]
        assert http("GET", url, headers=known).status == 304, "without a wish to wait, at once"
        waiting = []
        thread = threading.Thread(target=lambda: waiting.append(http("GET", url, headers={**known, "Prefer": "modes=snapshot;wait=120"})))
        thread.start()
        revision = bundles.change("data.json", *BO_MOVES)
        thread.join()
        assert waiting[0].status == 200 and waiting[0].headers["ETag"] == f'"{revision}"'
        with socket.create_connection(("127.0.0.1", bundles.port)) as s:
            s.sendall(b"GET /bundles/app.tar.gz HTTP/1.1\r\nHost: x\r\n\r\n")
            assert s.recv(1 << 20).endswith(waiting[0].body), "head and body in one piece"
        assert http("GET", bundles.url + "/bundles/other.tar.gz").status == 404
    finally:
        bundles.stop()


def test_the_examples_script_shows_what_it_promises(tmp_path):
    env = {**os.environ, "FLAGSTAFF_BIN": BINARY, "OPA_BIN": Opa.binary, "TMPDIR": str(tmp_path)}
    done = subprocess.run([str(EXAMPLE / "run.sh")], capture_output=True, text=True, env=env, timeout=240)
    assert done.returncode == 0, done.stdout + done.stderr
    assert "== The end" in done.stdout and not done.stderr, done.stderr
    assert not any(line for line in done.stdout.splitlines() if "new-menu" in line and " watch" not in line), "the ordinary flag stands still"
    assert list(tmp_path.iterdir()) == [], "it leaves nothing behind"


if HAS_FAULTS:  # fault points exist in the builds with sanitizers only

    def test_a_late_journal_takes_the_cause_from_no_grant(scene, monkeypatch):
        monkeypatch.setenv("FLAGSTAFF_FAULTS", "journal.commit=ms:200:6-400")
        s = scene(probe="60s")
        _, bo, _ = s.people()
        revision = s.bundles.change("data.json", *BO_MOVES)
        bo.wait_value("invoice-export", True)
        check_cause(s, bo, "invoice-export", revision)

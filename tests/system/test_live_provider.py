# SPDX-License-Identifier: Apache-2.0
"""The live provider of the C SDK against the real daemon: flips, leases, reconnects, contexts, and a network that misbehaves."""

import os
import random
import signal
import subprocess
import threading

import pytest
import trustme

from driven import Driver, Proxy, check_contract
from world import DEADLINE, eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
THEME = {"variants": {"dark": "dark", "light": "light"}, "defaultVariant": "dark"}
PLAN = {"variants": {"gold": "gold", "none": "none"}, "defaultVariant": "none",
        "targeting": {"if": [{"==": [{"var": "plan"}, "gold"]}, "gold", "none"]}}
SERIAL = {"type": "integer", "decision": {"rule": {"var": "facts.serial"}}, "factDefaults": {"serial": 1},
          "value": {"var": "decision.value"}, "safeValue": 0}
FLAGS = {"door": DOOR, "theme": THEME, "plan": PLAN, "serial": SERIAL}
LEASE = 1.0
SHORT = {"lease": "1s"}
POINTS = 18  # faults of the network in one test; each kind comes at least twice
ROUNDS = 10 if os.environ.get("TEST_DEPTH") == "deep" else 1
RUNS = 4096  # what the driver keeps of its history


@pytest.fixture
def driver():
    """driver(url, ...) starts the program with the provider."""
    opened = []

    def make(url, **options):
        opened.append(Driver("live", url=url, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


@pytest.fixture
def proxy():
    opened = []

    def make(daemon):
        opened.append(Proxy(daemon.port))
        opened[-1].url = f"ws://127.0.0.1:{opened[-1].port}"
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def grant(daemon, subject="ada", access="granted", wait="wait=delivered"):
    answer = daemon.facts(subject, {"access": access}, wait)
    assert answer.status in (200, 202), answer
    return answer.json


def known(driver, key="door", subject="ada", **attributes):
    """Waits until values of the subject are here."""
    eventually(lambda: driver.get(key, subject, **attributes)["error"] != "PROVIDER_NOT_READY", f"values of {subject}")


# --- flips -----------------------------------------------------------------------------------------------------------


def test_a_flip_is_what_the_next_evaluation_reads_once_it_is_acknowledged_and_the_event_names_it(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url)
    d.process.pause()
    assert p.get("door")["error"] == "PROVIDER_NOT_READY", "nothing is known yet, and nobody waits"
    d.process.resume()
    known(p)
    p.until("PROVIDER_CONFIGURATION_CHANGED")
    for access, value in (("granted", True), ("none", False), ("granted", True)):
        receipt = grant(d, access=access)
        assert receipt["acknowledged"] == 1, receipt
        assert p.value("door") is value, "the acknowledgement came before the value"
        event = p.until("PROVIDER_CONFIGURATION_CHANGED")
        assert event["flags"] == ["door"]
        assert event["metadata"]["flagstaff.subject"] == "ada" and event["metadata"]["flagstaff.revision"] > 0
    answer = p.get("theme", kind="string")
    assert (answer["value"], answer["variant"], answer["reason"], answer["error"]) == ("dark", "dark", "STATIC", None)
    assert p.get("theme")["error"] == "TYPE_MISMATCH"
    assert p.get("none-such")["error"] == "FLAG_NOT_FOUND"


def test_an_evaluation_waits_for_a_context_that_is_not_known_only_where_it_is_asked_to(daemon, driver):
    d = daemon(FLAGS)
    grant(d, wait="wait=applied")
    p = driver(d.url, wait=5000)
    answer = p.get("door")
    assert (answer["value"], answer["error"]) == (True, None)


def test_each_subject_has_its_own_values_and_a_removed_flag_leaves_the_default_value(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, wait=5000, causes=1)
    grant(d, "bo", wait="wait=applied")
    assert [p.value("door", who) for who in ("ada", "bo", "cy")] == [False, True, False]
    assert "flagstaff.cause" in p.get("door", "bo")["metadata"]
    d.reload({"theme": THEME})
    p.until("PROVIDER_CONFIGURATION_CHANGED", lambda e: "door" in (e["flags"] or []))
    eventually(lambda: p.get("door", "bo")["error"] == "FLAG_NOT_FOUND", "removed")


def test_it_keeps_the_contract_of_all_providers(daemon, tmp_path):
    check_contract(daemon, "live", tmp_path, wait=20000)


# --- leases ----------------------------------------------------------------------------------------------------------


def check_fallen(p):
    answer = p.get("door")
    assert (answer["value"], answer["variant"], answer["reason"], answer["error"]) == (False, "off", "ERROR", None), answer
    assert "lease" in answer["metadata"]["flagstaff.error"]
    answer = p.get("theme", kind="string")
    assert (answer["value"], answer["reason"], answer["error"]) == ("dark", "STALE", None)


def test_a_daemon_that_stands_still_loses_its_leases_and_access_flags_fall_to_their_safe_variants(daemon, driver):
    d = daemon(FLAGS, SHORT)
    grant(d, wait="wait=applied")
    p = driver(d.url, wait=5000)
    assert p.value("door") is True
    d.process.pause()
    try:
        p.until("PROVIDER_STALE")
        error = p.until("PROVIDER_ERROR")
        assert "lease" in error["message"] and error["status"] == "ERROR"
        p.until("PROVIDER_CONFIGURATION_CHANGED")
        check_fallen(p)
    finally:
        d.process.resume()
    p.until("PROVIDER_READY")
    assert p.get("door")["value"] is True and p("status") == "READY"


def test_a_network_that_hangs_from_the_start_holds_up_neither_init_nor_evaluations_nor_the_end(daemon, driver, proxy):
    d = daemon(FLAGS)
    wire = proxy(d)
    wire.freeze()
    p = driver(wire.url, expect=None, start_timeout=300, wait=300)
    assert p.started != "OK" and p("status") == "ERROR"
    answer = p.get("door")
    assert answer["error"] == "PROVIDER_NOT_READY" and answer["value"] is False and answer["seconds"] < 5
    q = driver(wire.url, expect=None, start_timeout=300)
    q.end()  # while nobody answers
    wire.thaw()
    p.until("PROVIDER_READY")
    known(p)


def test_a_process_that_stood_still_for_longer_than_a_lease_grants_nothing_when_it_goes_on(daemon, driver, proxy):
    d = daemon(FLAGS, SHORT)
    grant(d, wait="wait=applied")
    wire = proxy(d)
    p = driver(wire.url, wait=5000)
    assert p.value("door") is True
    p("read bool door ada")
    p.process.send_signal(signal.SIGSTOP)
    threading.Event().wait(LEASE * 1.5)
    p.process.send_signal(signal.SIGCONT)
    p.until("PROVIDER_ERROR")
    p.until("PROVIDER_READY")
    eventually(lambda: p.value("door") is True, "granted again")
    check_leases(p("history"), wire.sent)


def test_setting_the_time_of_day_neither_ends_nor_lengthens_a_lease(daemon, driver, proxy):
    lease = 3 * LEASE
    d = daemon(FLAGS, {"lease": f"{lease:.0f}s"})
    grant(d, wait="wait=applied")
    wire = proxy(d)
    p = driver(wire.url, wait=5000)
    assert p.value("door") is True
    p("read bool door ada")
    for seconds in (86400, -86400):
        p(f"clock {seconds}")
        threading.Event().wait(lease / 2)  # for a renewal and more
    assert {run["value"] for run in p("history")} == {True} and p("status") == "READY"
    wire.freeze()
    p("clock -172800")
    p.until("PROVIDER_ERROR")
    check_fallen(p)
    check_leases(p("history"), wire.sent, lease)
    wire.thaw()


def test_a_daemon_that_was_started_anew_is_followed_and_the_lease_bridges_it(daemon, driver):
    d = daemon(FLAGS, {"lease": "3s"})
    grant(d, wait="wait=applied")
    p = driver(d.url, wait=5000)
    assert p.value("door") is True
    d.stop()
    p.until("PROVIDER_STALE")
    assert p.get("door")["value"] is True, "still leased"
    d.start()
    p.until("PROVIDER_READY")
    assert grant(d, access="none")["acknowledged"] == 1
    assert p.value("door") is False


def test_after_a_cut_it_resumes_with_what_it_missed_and_nothing_more(daemon, driver, proxy):
    d = daemon(FLAGS)
    wire = proxy(d)
    p = driver(wire.url, wait=5000)
    assert p.value("door") is False
    before = p("stats")
    wire.refusing = True
    wire.cut()
    p.until("PROVIDER_STALE")
    grant(d, wait="wait=applied")
    wire.refusing = False
    p.until("PROVIDER_READY")
    after = p("stats")
    assert p.value("door") is True
    assert after["snapshots"] == before["snapshots"] and after["deltas"] == before["deltas"] + 1
    assert after["resumed"] == 1


# --- contexts --------------------------------------------------------------------------------------------------------


def test_a_context_whose_values_are_under_way_reads_the_safe_variants_that_are_known(daemon, driver, proxy):
    d = daemon(FLAGS)
    grant(d, "ada", wait="wait=applied")
    grant(d, "bo", wait="wait=applied")
    wire = proxy(d)
    p = driver(wire.url)
    known(p)
    assert p.value("door", "ada") is True
    wire.freeze()
    answer = p.get("door", "bo")
    assert (answer["value"], answer["reason"], answer["error"]) == (False, "ERROR", None)
    assert "not here yet" in answer["metadata"]["flagstaff.error"]
    assert p.get("theme", "bo", "string")["error"] == "PROVIDER_NOT_READY"
    wire.thaw()
    p.until("PROVIDER_CONFIGURATION_CHANGED", lambda event: event["metadata"]["flagstaff.subject"] == "bo")
    assert p.value("door", "bo") is True


def test_the_context_least_recently_used_gives_way(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, wait=5000, max_watches=2)
    for who in ("ada", "bo", "ada", "cy", "ada", "dee"):
        threading.Event().wait(0.02)  # the clock that tells who was used last has ticks
        assert p.get("door", who)["error"] is None
    assert (p("stats")["watches"], p("stats")["evicted"]) == (2, 2)
    eventually(lambda: grant(d, "bo")["concerned"] == 0, "the daemon knows it")
    assert grant(d, "ada")["concerned"] == 1, "ada stayed"


def test_many_contexts_at_once_do_not_cost_the_connection(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, max_watches=5000)
    for number in range(1200):
        p.tell(f"get bool door subject-{number}")
    answers = [p.answers.get(timeout=DEADLINE) for _ in range(1200)]
    assert all(answer["value"] is False for answer in answers)
    known(p, subject="subject-1199")
    stats = p("stats")
    assert (stats["connections"], stats["watches"]) == (1, 1200)


def test_attributes_that_are_watched_on_tell_contexts_apart_and_others_are_left_out(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, wait=5000, watch_on="plan")
    assert p.value("plan", kind="string", plan="gold") == "gold"
    assert p.value("plan", kind="string", plan="tin") == "none"
    assert p.value("plan", kind="string", plan="gold", ip="10.1.2.3") == "gold"
    assert p("stats")["watches"] == 2
    p = driver(d.url, wait=5000)
    assert p.value("plan", kind="string", plan="gold") == "none"


def test_contexts_with_other_attributes_can_be_evaluated_by_the_daemon_each_time(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, wait=5000, others="evaluated")
    assert p.value("plan", kind="string", plan="gold") == "gold"
    assert p.value("plan", kind="string", plan="tin") == "none"
    assert p("stats")["watches"] == 0
    assert p.value("plan", kind="string") == "none"
    assert p("stats")["watches"] == 1


def test_a_static_context_is_followed_and_old_values_never_serve_the_new_subject(daemon, driver, proxy):
    d = daemon(FLAGS)
    grant(d, "ada", wait="wait=applied")
    wire = proxy(d)
    p = driver(wire.url, subject="ada", start_timeout=1000)
    assert p.value("door") is True, "its values are here when it is ready"
    wire.freeze()
    assert p("context bo") == "OK"
    p.until("PROVIDER_RECONCILING")
    p.until("PROVIDER_ERROR")
    answer = p.get("door")
    assert (answer["value"], answer["reason"], answer["error"]) == (False, "ERROR", None)
    assert p.get("theme", kind="string")["error"] == "PROVIDER_NOT_READY"
    wire.thaw()
    p.until("PROVIDER_READY")
    assert p.get("door")["value"] is False
    assert p("context ada") == "OK"
    p.until("PROVIDER_CONTEXT_CHANGED")
    assert p.get("door")["value"] is True and p("status") == "READY"
    assert grant(d, "bo")["concerned"] == 0, "bo is not watched any more"


def test_a_fork_reads_what_is_in_memory_and_learns_nothing_new(daemon, driver):
    d = daemon(FLAGS)
    grant(d, wait="wait=applied")
    p = driver(d.url, wait=5000)
    assert p.value("door") is True
    assert p("forked bool door ada")["value"] is True
    assert p("forked bool door bo")["error"] == "PROVIDER_NOT_READY"
    assert p.value("door", "bo") is False


# --- credentials -----------------------------------------------------------------------------------------------------


def test_a_refused_key_is_told_at_once_and_a_better_one_in_the_file_is_taken(daemon, driver, tmp_path):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "operate", "evaluate:any", "read", "events", "facts:*"])
    file = tmp_path / "key"
    file.write_text("wrong\n")
    p = driver(d.url, key_file=file, expect=None, wait=5000, reconnect_max=500)
    assert p.started != "OK"
    error = p.until("PROVIDER_ERROR")
    assert "401" in error["message"] and "wrong" not in error["message"]
    file.write_text(d.key + "\n")
    p.until("PROVIDER_READY")
    assert p.get("door")["error"] is None


def test_a_revoked_key_ends_the_lease_at_once(daemon, driver, tmp_path):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "operate", "evaluate:any", "read", "events", "facts:*"])
    grant(d, wait="wait=applied")
    one = d.post("/v1/keys", {"name": "provider", "scopes": ["evaluate:any"]}).json
    file = tmp_path / "key"
    file.write_text(one["key"])
    p = driver(d.url, key_file=file, wait=5000)
    assert p.value("door") is True
    assert d.delete(f"/v1/keys/{one['id']}").status in (200, 204)
    p.until("PROVIDER_ERROR")
    check_fallen(p)


def test_over_tls_the_daemon_must_show_a_certificate_of_the_authority_that_is_trusted(daemon, driver, tmp_path):
    certificate, key = tmp_path / "cert.pem", tmp_path / "key.pem"
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:prime256v1", "-nodes", "-days", "2",
                    "-keyout", str(key), "-out", str(certificate), "-subj", "/CN=localhost", "-addext",
                    "subjectAltName=DNS:localhost,IP:127.0.0.1"], check=True, capture_output=True)
    d = daemon(FLAGS, {"tls": {"certificate": str(certificate), "key": str(key)}}, start=False)
    d.start(ready=False)
    p = driver(f"wss://localhost:{d.port}", ca_file=certificate, wait=5000, start_timeout=20000)
    assert p.get("theme", kind="string")["error"] is None
    assert driver(f"wss://localhost:{d.port}", expect=None, start_timeout=1000).started != "OK", "the system does not know it"


@pytest.mark.parametrize("kept_in", ["SSL_CERT_FILE", "SSL_CERT_DIR"])
def test_an_authority_that_is_named_stands_in_the_place_of_the_systems_own(daemon, driver, tmp_path, monkeypatch, kept_in):
    system, own = trustme.CA(), trustme.CA()
    (tmp_path / "authorities").mkdir()
    system.cert_pem.write_to_path(tmp_path / "authorities" / "system.pem")
    subprocess.run(["openssl", "rehash", str(tmp_path / "authorities")], check=True)  # as in /etc/ssl/certs
    own.cert_pem.write_to_path(tmp_path / "own.pem")
    certificate = system.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    d = daemon(FLAGS, {"tls": {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}}, start=False)
    d.start(ready=False)
    url = f"wss://localhost:{d.port}"
    for name, place in (("SSL_CERT_FILE", "authorities/system.pem"), ("SSL_CERT_DIR", "authorities")):
        monkeypatch.setenv(name, str(tmp_path / (place if name == kept_in else "none")))  # what OpenSSL takes for the system's
    assert driver(url, wait=5000, start_timeout=20000).get("theme", kind="string")["error"] is None
    assert driver(url, expect=None, start_timeout=1000, ca_file=tmp_path / "own.pem").started != "OK"


def test_a_daemon_that_asks_for_a_certificate_of_its_clients_is_shown_one(daemon, driver, tmp_path):
    def issue(authority, name, kind):
        certificate = authority.issue_cert(name)
        certificate.private_key_pem.write_to_path(tmp_path / f"{kind}.key")
        with open(tmp_path / f"{kind}.pem", "wb") as file:
            file.writelines(pem.bytes() for pem in certificate.cert_chain_pems)
        return {"client_certificate": tmp_path / f"{kind}.pem", "client_key": tmp_path / f"{kind}.key"}

    authority, clients, others = trustme.CA(), trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "ca.pem")
    clients.cert_pem.write_to_path(tmp_path / "clients.pem")
    issue(authority, "localhost", "server")
    d = daemon(FLAGS, {"tls": {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key"),
                               "clientCa": str(tmp_path / "clients.pem")}}, start=False)
    d.start(ready=False)
    url, trust = f"wss://localhost:{d.port}", {"ca_file": tmp_path / "ca.pem"}
    p = driver(url, wait=5000, start_timeout=20000, **trust, **issue(clients, "program@example.org", "client"))
    assert p.get("theme", kind="string")["error"] is None
    for shown in ({}, issue(others, "program@example.org", "stranger")):
        stranger = driver(url, expect=None, start_timeout=1000, **trust, **shown)
        assert stranger.started != "OK" and stranger.get("theme", kind="string")["error"] == "PROVIDER_NOT_READY"


# --- a network that misbehaves ---------------------------------------------------------------------------------------


def check_order(history):
    """Newer values never give way to older ones; safe ones stand for no value."""
    newest = 0
    for run in history:
        if run["reason"] != "ERROR":
            assert run["value"] >= newest, f"{run['value']} was read after {newest}"
            newest = run["value"]


def check_leases(history, sent, lease=LEASE):
    """A value that is not the safe one is read only while a renewal that reached the daemon, counted from when it was sent at the latest, speaks for it."""
    for (came, _), (_, passed) in zip(sent, sent[1:] + [(0, float("inf"))]):
        over = came + lease
        for run in (run for run in history if run["reason"] != "ERROR"):
            inside = [begun > over and ended < passed for begun, ended in (run["first"], run["last"])]
            across = run["first"][0] <= over and run["last"][1] >= passed and passed - over > run["quiet"]
            assert not any(inside) and not across, f"read when the lease was over at {over:.6f}, and the next was asked for at {passed:.6f}: {run}"


FAULTS = ["cut", "reset", "mid-frame", "mid-frame with a reset", "freeze", "freeze for long", "delay", "delay for long", "refuse for long"]


def misbehave(wire, what, chance):
    """One thing that networks do. Returns how long it lasts: for long is longer than the lease."""
    if what in ("cut", "reset"):
        wire.reset = what == "reset"
        wire.cut()
    elif what.startswith("mid-frame"):
        wire.reset = what.endswith("reset")
        wire.cut_after(chance.randrange(1, 400))
    elif what.startswith("freeze"):
        wire.freeze()
    elif what.startswith("delay"):
        wire.delay = chance.uniform(1.1, 1.5) * LEASE if what.endswith("long") else chance.uniform(0.05, 0.4)
    else:
        wire.refusing = True
        wire.cut()
    return chance.uniform(1.2, 1.8) * LEASE if what.endswith("long") else chance.uniform(0.05, 0.5)


def behave(wire):
    wire.cut_after(None)
    wire.reset = wire.refusing = False
    wire.delay = 0.0
    wire.thaw()


@pytest.mark.parametrize("block", range(ROUNDS))
def test_no_fault_of_the_network_yields_an_older_value_or_one_after_the_lease(daemon, driver, proxy, block):
    d = daemon(FLAGS, SHORT)
    wire = proxy(d)
    p = driver(wire.url, wait=5000)
    assert p.value("serial", kind="int") == 1
    p("read int serial ada")
    serial = 1
    for seed in range(block * POINTS, (block + 1) * POINTS):
        chance = random.Random(seed)
        threading.Event().wait(chance.uniform(0, 0.1))
        before = serial
        what = FAULTS[seed % len(FAULTS)]
        lasts = misbehave(wire, what, chance)
        while serial < before + chance.randrange(1, 5):  # changes go on meanwhile
            serial += 1
            assert d.facts("ada", {"serial": serial}, "wait=applied").status == 200
        threading.Event().wait(lasts)
        behave(wire)
        eventually(lambda: p.value("serial", kind="int") == serial, f"seed {seed}, {what}: the newest value, {serial}", 15)
    history = p("history")
    assert len(history) < RUNS, "the driver has kept all of it"
    check_order(history)
    check_leases(history, wire.sent)
    assert any(run["reason"] == "ERROR" for run in history), "some faults outlast the lease"
    stats = p("stats")
    assert stats["resumed"] > 0

# SPDX-License-Identifier: Apache-2.0
"""An OPA in trouble: it takes nothing with it, it grants nothing, and what it says meanwhile is told apart from a denial."""

import signal
import threading

import pytest
from opa_world import Bundles, Gate, access, fence, has_module, is_reading_a_grant, seen, source, state_of, wait_down, wait_up
from world import Opa, eventually, http

POLICY = """package app
import rego.v1
default allow := false
allow if data.allowed[input.user]
granted if data.allowed[input.user]
strict := to_number(data.levels[input.user]) > 3
words := data.words[input.user]
seven := 7
both := 1 if data.allowed[input.user]
both := 2 if data.levels[input.user]
"""
DATA = {"allowed": {"ada": True, "bo": True}, "levels": {"ada": "5", "bo": "2", "eve": "many"},
        "words": {"ada": "on", "bo": "of", "cy": 7, "dee": ["on"]}}
FILES = {"app.rego": POLICY, "data.json": DATA}
NEVER = "1h"
QUICK = {"probe": "200ms"}
THEME = {"variants": {"dark": "#000", "light": "#fff"}, "defaultVariant": "light", "visibility": "client"}


def granted(client, daemon, *subjects, flag="door"):
    clients = [client(daemon, [s], name=s) for s in subjects]
    for c in clients:
        c.wait_value(flag, True)
        c.wait_lease()
    return clients


@pytest.fixture
def gate():
    """gate(port) puts a relay in front of a server."""
    made = []

    def make(port):
        made.append(Gate(port))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture
def bundled(daemon, tmp_path, monkeypatch):
    """An OPA with the example's bundles, which reports to nobody, and a daemon that asks it."""
    ended = []

    def make(**config):
        bundles = Bundles(tmp_path).start()
        ended.append(bundles)
        configuration = tmp_path / "opa.yaml"
        configuration.write_text("services: { bundles: { url: '${BUNDLES_URL}' }, flagstaff: { url: '${FLAGSTAFF_URL}/v1/opa/opa' } }\n"
                                 "bundles: { app: { service: bundles, resource: bundles/app.tar.gz, "
                                 "polling: { long_polling_timeout_seconds: 20 } } }\nstatus: { service: flagstaff }\n")
        opa = Opa(tmp_path / "opa", arguments=["--config-file", str(configuration)])
        ended.append(opa)
        flag = access("app/rbac/allow", decision={"input": {"user": {"var": "targetingKey"}, "action": "export", "type": "invoice"}}, maxStale="3s")
        d = daemon({"door": flag}, {**QUICK, "sources": {"opa": source(opa)}, **config}, start=False).start(ready=False)
        monkeypatch.setenv("BUNDLES_URL", bundles.url)
        monkeypatch.setenv("FLAGSTAFF_URL", d.url)
        opa.start()
        wait_up(d)
        return bundles, opa, d

    yield make
    for one in reversed(ended):
        one.stop()


def test_an_opa_that_hangs_delays_no_other_source_and_no_plain_flag(opa, daemon, client):
    hung, other = opa(FILES), opa(FILES)
    flags = {"door": access("app/allow", maxStale="3s"), "desk": access("app/allow", decision={"source": "other"}),
             "theme": THEME, "vip": {**access("x"), "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}}, "factDefaults": {"tier": "tin"}}}
    d = daemon(flags, {**QUICK, "sources": {"opa": source(hung, timeout="300ms", revalidate=NEVER), "other": source(other, revalidate=NEVER)}})
    ada, bo = granted(client, d, "ada", "bo")
    since = len(ada.history)
    hung.pause()
    try:
        other.put("allowed/ada", False)
        d.recompute("wait=applied", subjects=["ada"], sources=["other"])
        ada.wait_value("desk", False)
        d.facts("ada", {"tier": "gold"})
        ada.wait_value("vip", True)
        assert d.value("ada", "theme") == "#fff"
        assert d.evaluate("zoe", "desk").json["value"] is False, "the other source is asked for new subjects as well"
        unheard = d.recompute("wait=applied", sources=["opa"]).json
        assert [u["source"] for u in unheard["unresolved"]] == ["opa"]
        ada.wait(lambda c: c.flag("door")["reason"] == "ERROR", "the hung source's value is safe in the end")
        assert seen(ada, "door", since) == [(True, "STALE"), (False, "ERROR")]
        assert not is_reading_a_grant(ada, "door")
        assert state_of(d)["state"] == "down" and state_of(d, "other")["state"] == "up"
        assert bo.value("desk") is True
    finally:
        hung.resume()
    assert ada.wait_value("door", True)["reason"] == "TARGETING_MATCH"
    assert not ada.closed and not bo.closed


def test_a_slow_answer_is_safe_meanwhile_and_counts_when_it_comes(opa, daemon, client, gate):
    o = opa(FILES)
    slow = gate(o.port)
    d = daemon({"door": access("app/allow"), "theme": THEME}, {"probe": "60s", "evaluateTimeout": "200ms",
                                                               "sources": {"opa": {"type": "opa", "url": slow.url, "timeout": "60s", "revalidate": NEVER}}})
    slow.shut()
    ada = client(d, ["ada"])
    ada.wait_value("theme", "#fff")
    flag = ada.wait_value("door", False)
    assert flag["reason"] == "ERROR" and "error" not in flag, "nobody waits for ever, and a safe value is a success"
    answer = d.evaluate("ada", "door")
    assert answer.status == 200 and answer.json["value"] is False and "errorCode" not in answer.json
    slow.open.set()
    assert ada.wait_value("door", True)["reason"] == "TARGETING_MATCH"
    assert d.value("ada", "door") is True


def test_an_answer_that_was_under_way_when_an_event_came_does_not_grant(opa, daemon, client, gate):
    o = opa(FILES)
    slow = gate(o.port)
    d = daemon({"door": access("app/allow")}, {"probe": "60s", "sources": {"opa": {"type": "opa", "url": slow.url, "timeout": "60s", "revalidate": NEVER}}})
    (ada,) = granted(client, d, "ada")
    o.put("allowed/ada", False)
    d.recompute("wait=delivered", subjects=["ada"])
    assert ada.value("door") is False
    since = len(ada.history)
    o.put("allowed/ada", True)
    slow.shut()
    d.recompute("", subjects=["ada"])  # is answered with true ...
    assert slow.held.wait(60)
    o.put("allowed/ada", False)
    entry = d.recompute("", subjects=["ada"]).json["entries"][0]["entry"]  # ... which is over before it arrives
    slow.open.set()
    assert d.get(f"/v1/receipts/{entry}?wait=delivered").json["complete"]
    fence(ada)
    assert seen(ada, "door", since) == [], "the grant between the two was never shown"


def test_a_broken_bundle_changes_nothing_is_told_and_the_next_good_one_counts(bundled, client):
    bundles, _, d = bundled()
    ada, cy = granted(client, d, "ada", "cy")
    good = (bundles.folder / "rbac.rego").read_text()
    bundles.write("rbac.rego", good + "\nallow if {\n")
    d.process.wait_line(r"reports an error.*bundle app")
    fence(ada, cy)
    assert state_of(d)["state"] == "up" and not ada.deltas and not cy.deltas
    bundles.write("rbac.rego", good.replace("not suspended\n\tsome grant", 'input.user != "ada"\n\tsome grant'))
    ada.wait_value("door", False)
    fence(cy)
    assert not cy.deltas


def test_the_printed_module_in_ones_own_bundle_takes_the_place_of_ours(bundled, client):
    bundles, o, d = bundled()
    ada, bo = granted(client, d, "ada")[0], client(d, ["bo"]).wait_lease()
    bundles.write("flagstaff.rego", d.command("opa-module").stdout)
    eventually(lambda: bundles.active(o), "the bundle with the module is active")
    assert not has_module(o.url), "a bundle's own path is the bundle's alone"
    receipt = d.recompute("wait=delivered", sources=["opa"]).json
    assert receipt["complete"] and receipt["unresolved"] == []
    bundles.change("data.json", '"ada": { "roles": ["editor"], "country": "US" }', '"ada": { "roles": ["viewer"], "country": "US" }')
    ada.wait_value("door", False)
    fence(bo)
    assert not bo.deltas and "one by one" not in d.process.output


AUTHZ = """package system.authz
import rego.v1
default allow := false
allow if input.path == ["health"]
allow if { input.identity == "flagstaff-canary"; input.path[0] == "v1"; input.path[1] == "data" }
"""


def test_where_opas_authorization_forbids_the_module_questions_go_one_by_one(opa, daemon, client, tmp_path):
    o = opa({**FILES, "authz.rego": AUTHZ}, ["--authentication=token", "--authorization=basic"])
    token = tmp_path / "token"
    token.write_text("flagstaff-canary\n")
    d = daemon({"door": access("app/allow"), "desk": access("app/granted")}, {"sources": {"opa": source(o, tokenFile=str(token), revalidate="1s")}})
    ada, cy = granted(client, d, "ada")[0], client(d, ["cy"])
    assert cy.wait_value("door", False)["reason"] == "TARGETING_MATCH"
    assert cy.wait_value("desk", False)["reason"] == "TARGETING_MATCH"
    ada.wait_value("desk", True)
    many = client(d, [f"user-{n}" for n in range(50)] + ["bo"])
    many.wait_value("door", True, watch=51)
    many.wait_lease()
    assert [many.value("door", n) for n in range(1, 51)] == [False] * 50
    d.process.wait_line("questions go one by one")
    assert "canary" not in d.process.output, "the token is in no log"


def test_a_token_that_opa_does_not_take_is_no_answer_and_a_new_one_is_read_on_sighup(opa, daemon, client, tmp_path):
    o = opa({**FILES, "authz.rego": AUTHZ}, ["--authentication=token", "--authorization=basic"])
    token = tmp_path / "token"
    token.write_text("wrong\n")
    d = daemon({"door": access("app/allow")}, {**QUICK, "sources": {"opa": source(o, tokenFile=str(token))}}, start=False).start(ready=False)
    ada = client(d, ["ada"])
    assert ada.wait_value("door", False)["reason"] == "ERROR"
    token.write_text("flagstaff-canary\n")
    d.process.send_signal(signal.SIGHUP)
    assert ada.wait_value("door", True)["reason"] == "TARGETING_MATCH"


def test_a_module_that_somebody_removes_is_put_back_and_nobody_is_denied_for_it(opa, daemon, client):
    o = opa(FILES)
    d = daemon({"door": access("app/granted")}, {"sources": {"opa": source(o, revalidate=NEVER)}})
    ada, bo = granted(client, d, "ada", "bo")
    assert has_module(o.url)
    for _ in range(3):
        assert http("DELETE", o.url + "/v1/policies/flagstaff").status == 200
        receipt = d.recompute("wait=delivered").json
        assert receipt["complete"] and receipt["unresolved"] == []
        assert has_module(o.url)
    fence(ada, bo)
    assert not ada.deltas and not bo.deltas


def test_an_evaluation_error_of_one_subject_denies_no_other(opa, daemon, client):
    o = opa(FILES)
    d = daemon({"door": access("app/strict")}, {"sources": {"opa": source(o, revalidate=NEVER)}})
    names = [f"user-{n}" for n in range(30)] + ["ada", "eve", "bo"]
    for n in range(30):
        o.put(f"levels/user-{n}", '"9"')
    c = client(d, names).wait_lease()
    got = {name: c.flag("door", n + 1) for n, name in enumerate(names)}
    assert all(got[f"user-{n}"]["value"] is True for n in range(30)) and got["ada"]["value"] is True
    assert (got["bo"]["value"], got["bo"]["reason"]) == (False, "TARGETING_MATCH")
    assert (got["eve"]["value"], got["eve"]["reason"]) == (False, "ERROR") and "error" not in got["eve"]
    assert "eval_builtin_error" in got["eve"]["metadata"]["flagstaff.error"]
    o.put("levels/ada", '"none"')  # known to be allowed until now: a bad answer is never bridged with the last one
    d.recompute("wait=delivered", subjects=["ada"])
    assert seen(c, "door", watch=31)[-1] == (False, "ERROR")
    o.put("levels/ada", '"7"')
    d.recompute("wait=delivered", subjects=["ada"])
    assert seen(c, "door", watch=31)[-1] == (True, "TARGETING_MATCH")


def test_a_rule_with_two_values_is_a_bad_answer(opa, daemon, client):
    flag = {"type": "integer", "decision": access("app/both")["decision"], "value": {"var": "decision.value"}, "safeValue": 0}
    d = daemon({"level": flag}, {"sources": {"opa": source(opa(FILES))}})
    c = client(d, ["ada", "eve", "zoe"]).wait_lease()
    assert (c.value("level", 1), c.flag("level", 1)["reason"]) == (0, "ERROR")
    assert (c.value("level", 2), c.flag("level", 2)["reason"]) == (2, "TARGETING_MATCH")
    assert (c.value("level", 3), c.flag("level", 3)["reason"]) == (0, "TARGETING_MATCH"), "undefined: denied, the safe value"


def test_undefined_is_denied_or_unknown_as_the_flag_says(opa, daemon, client):
    flags = {"door": access("app/granted"), "gate": access("app/granted", decision={"undefined": "unknown"}), "typo": access("app/grantde")}
    d = daemon(flags, {"sources": {"opa": source(opa(FILES))}})
    ada, zoe = granted(client, d, "ada")[0], client(d, ["zoe"]).wait_lease()
    assert (ada.value("gate"), ada.value("typo")) == (True, False)
    assert {k: (f["value"], f["reason"]) for k, f in zoe.watches[1]["flags"].items()} == {
        "door": (False, "TARGETING_MATCH"), "gate": (False, "ERROR"), "typo": (False, "TARGETING_MATCH")}
    assert all("error" not in f for f in zoe.watches[1]["flags"].values())


def test_an_answer_of_the_wrong_type_is_safe(opa, daemon, client):
    listed = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "decision": {"source": "opa", "users": "words"}}
    number = {**listed, "decision": {"source": "opa", "users": "app/seven"}}
    d = daemon({"door": access("app/words"), "listed": listed, "number": number}, {"sources": {"opa": source(opa(FILES))}})
    c = client(d, ["ada", "bo", "cy", "dee", "zoe"]).wait_lease()
    got = [(c.value("door", n), c.flag("door", n)["reason"]) for n in range(1, 6)]
    assert got == [(True, "TARGETING_MATCH"), (False, "ERROR"), (False, "ERROR"), (False, "ERROR"), (False, "TARGETING_MATCH")]
    assert all("error" not in c.flag("door", n) for n in range(1, 6)), "a safe value is a successful resolution"
    assert [c.value("listed", n) for n in range(1, 6)] == [True, True, True, True, False], "an object lists its keys"
    assert [(c.value("number", n), c.flag("number", n)["reason"]) for n in (1, 5)] == [(False, "ERROR")] * 2, "no list of names"


def test_an_opa_that_comes_back_without_its_bundle_denies_nobody_and_grants_nothing(bundled, client):
    bundles, o, d = bundled()
    ada, bo = granted(client, d, "ada")[0], client(d, ["bo"]).wait_lease()
    since = len(ada.history)
    bundles.stop()
    o.stop()
    o.start()  # within a probe or not: it has nothing yet
    receipt = d.recompute("wait=applied", sources=["opa"]).json
    assert [u["source"] for u in receipt["unresolved"]] == ["opa"]
    ada.wait(lambda c: c.flag("door")["reason"] == "ERROR", "safe, for want of an answer")
    assert (False, "TARGETING_MATCH") not in seen(ada, "door", since), "an empty OPA's false is no denial"
    assert "not activated" in state_of(d)["error"] and state_of(d)["state"] == "down"
    bundles.start()
    assert ada.wait_value("door", True)["reason"] == "TARGETING_MATCH"
    bo.wait(lambda c: c.flag("door")["reason"] == "TARGETING_MATCH" and c.value("door") is False, "bo is denied by the policy again")


def test_an_opa_without_bundles_that_comes_back_empty_is_known_by_its_revision_document(opa, daemon, client):
    o = opa({"app.rego": POLICY})
    for name, value in {**DATA, "rev": 1}.items():
        o.put(name, value)
    d = daemon({"door": access("app/allow", maxStale="3s")}, {**QUICK, "sources": {"opa": source(o, revisionPath="rev", revalidate=NEVER)}})
    (ada,) = granted(client, d, "ada")
    since = len(ada.history)
    o.stop()
    o.start()
    wait_down(d)
    assert "revisionPath" in state_of(d)["error"] or "cannot connect" in state_of(d)["error"]
    ada.wait(lambda c: c.flag("door")["reason"] == "ERROR", "safe, for want of an answer")
    assert (False, "TARGETING_MATCH") not in seen(ada, "door", since)
    for name, value in {**DATA, "rev": 1}.items():
        o.put(name, value)
    wait_up(d)
    assert ada.wait_value("door", True)["reason"] == "TARGETING_MATCH"


def test_nothing_is_asked_of_a_source_that_is_down(opa, daemon, client):
    o = opa(FILES)
    d = daemon({"door": access("app/allow", maxStale="1s"), "theme": THEME}, {**QUICK, "sources": {"opa": source(o, revalidate="1s")}})
    (ada,) = granted(client, d, "ada")
    o.stop()
    wait_down(d)
    asked = state_of(d)["asked"]
    for n in range(5):
        assert d.value(f"user-{n}", "door") is False and d.value(f"user-{n}", "theme") == "#fff"
    d.recompute("", subjects=["ada"])
    ada.wait(lambda c: c.flag("door")["reason"] == "ERROR", "safe")
    assert state_of(d)["asked"] == asked


def test_many_that_wait_for_an_opa_that_was_down_are_answered_when_it_is_back(opa, daemon, client):
    o = opa(FILES, start=False)
    d = daemon({"door": access("app/allow")}, {**QUICK, "sources": {"opa": source(o)}}, start=False).start(ready=False)
    answer = eventually(lambda: (r := d.get("/readyz")).status == 503 and "journal" not in r.body.decode() and r, "not ready")
    assert "opa" in answer.json["reason"]
    names = ["ada", "bo"] + [f"user-{n}" for n in range(300)]
    c = client(d, names).wait_lease()
    assert all(c.value("door", n + 1) is False for n in range(len(names)))
    answers, threads = [], []
    for name in ("ada", "bo", "cy"):
        threads.append(threading.Thread(target=lambda name=name: answers.append(d.evaluate(name, "door"))))
        threads[-1].start()
    for t in threads:
        t.join()
    assert [a.status for a in answers] == [200] * 3 and not any(a.json["value"] for a in answers)
    o.start()
    c.wait_value("door", True, watch=1)
    c.wait_value("door", True, watch=2)
    eventually(lambda: all(c.flag("door", n + 1)["reason"] == "TARGETING_MATCH" for n in range(len(names))), "all are answered")
    d.wait_ready()

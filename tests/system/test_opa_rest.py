# SPDX-License-Identifier: Apache-2.0
"""An OPA that is written by REST announces nothing: what becomes of a write without a word, with a revision document, and with an event."""

import pytest
from opa_world import access, entry_of, fence, seen, source, state_of, tell_delay

POLICY = """package app
import rego.v1
default allow := false
allow if data.allowed[input.user]
default edit := false
edit if data.editors[input.user]
members contains user if some user, is in data.allowed
"""
DATA = {"allowed": {"ada": True, "bo": True}, "editors": {"ada": True, "bo": True}, "rev": 1}
NEVER = "1h"


@pytest.fixture
def scene(opa, daemon):
    """scene(flags, **settings of the source) gives the OPA and a daemon that asks it."""

    def make(flags, config=None, **settings):
        o = opa({"app.rego": POLICY, "data.json": DATA})
        return o, daemon(flags, {"sources": {"opa": source(o, **settings)}, **(config or {})})

    return make


def granted(client, daemon, *subjects):
    clients = [client(daemon, [s]) for s in subjects]
    for c in clients:
        c.wait_value("door", True)
        c.wait_lease()
    return clients


def test_a_silent_write_is_seen_by_revalidation_and_says_so(scene, client):
    o, d = scene({"door": access("app/allow")}, revalidate="1s")
    ada, bo = granted(client, d, "ada", "bo")
    o.put("allowed/ada", False)
    flag = ada.wait_value("door", False)
    assert flag["cause"]["kind"] == "revalidate" and "entry" not in flag["cause"]
    assert flag["reason"] == "TARGETING_MATCH"
    o.put("allowed/ada", True)
    assert ada.wait_value("door", True)["cause"]["kind"] == "revalidate"
    assert seen(ada, "door")[-3:] == [(True, "TARGETING_MATCH"), (False, "TARGETING_MATCH"), (True, "TARGETING_MATCH")]
    fence(bo)
    assert not bo.deltas, "asked again and answered the same: nothing is sent"


def test_a_list_of_users_is_revalidated_too(scene, client):
    flag = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "decision": {"source": "opa", "users": "app/members"}}
    o, d = scene({"door": flag}, revalidate="1s")
    ada, bo = granted(client, d, "ada", "bo")
    o.put("allowed", {"bo": True})
    assert ada.wait_value("door", False)["cause"]["kind"] == "revalidate"
    fence(bo)
    assert not bo.deltas


def test_the_flags_own_revalidate_goes_before_the_sources(scene, client):
    o, d = scene({"door": access("app/allow", revalidate="1s"), "desk": access("app/edit")}, revalidate=NEVER)
    (ada,) = granted(client, d, "ada")
    o.put("editors/ada", False)
    o.put("allowed/ada", False)
    ada.wait_value("door", False)
    fence(ada)
    assert ada.value("desk") is True, "nobody has asked for that one again"
    d.recompute(flags=["desk"])
    ada.wait_value("desk", False)


def test_a_revision_document_tells_of_a_write_at_the_next_probe(scene, client):
    o, d = scene({"door": access("app/allow")}, {"probe": "200ms"}, revalidate=NEVER, revisionPath="rev")
    ada, bo = granted(client, d, "ada", "bo")
    assert state_of(d)["revision"] == "rev=1"
    o.put("allowed/ada", False)
    o.put("rev", 2)
    flag = ada.wait_value("door", False)
    tell_delay(ada, "door", "from the probe that read the revision to the client")
    kind, body = entry_of(d, flag["cause"]["entry"])
    assert flag["cause"]["kind"] == "event" and kind == "source"
    assert (body["what"], body["revision"]) == ("revision", "rev=2")
    assert state_of(d)["revision"] == "rev=2"
    fence(bo)
    assert not bo.deltas


def test_an_event_makes_a_write_known_at_once_to_those_whom_it_concerns(scene, client):
    o, d = scene({"door": access("app/allow")}, revalidate=NEVER)
    ada, bo = granted(client, d, "ada", "bo")
    o.put("allowed", {})  # both lose it, and the event names one of them
    receipt = d.recompute("wait=delivered", subjects=["ada"]).json
    assert receipt["complete"] and receipt["concerned"] == 1 and receipt["acknowledged"] == 1
    assert ada.value("door") is False, "the receipt came after the acknowledgement"
    cause = ada.flag("door")["cause"]
    assert cause["kind"] == "event" and cause["entry"] == receipt["entry"]
    fence(bo)
    assert bo.value("door") is True
    d.recompute("wait=delivered", sources=["opa"])
    assert bo.value("door") is False


def test_why_and_history_tell_a_silent_change_from_an_announced_one(scene, client):
    o, d = scene({"door": access("app/allow")}, revalidate="1s")
    (ada,) = granted(client, d, "ada")
    o.put("allowed/ada", False)
    ada.wait_value("door", False)
    why = d.get("/v1/why?subject=ada&flag=door").json
    assert why["cause"]["kind"] == "revalidate" and why["cause"]["entries"] == []
    assert [(x["source"], x["query"], x["value"]) for x in why["decisions"]] == [("opa", "app/allow", False)]
    newest = d.get("/v1/history?subject=ada&flag=door").json["changes"][0]
    assert newest["cause"]["kind"] == "revalidate" and newest["to"]["value"] is False


def test_over_ofrep_a_silent_change_is_seen_within_revalidate_and_an_announced_one_at_once(scene, client):
    o, d = scene({"door": access("app/allow")}, revalidate=NEVER)
    assert d.value("ada", "door") is True
    o.put("allowed/ada", False)
    assert d.value("ada", "door") is True, "the answer of before is still the newest that we know"
    d.recompute(subjects=["ada"])
    assert d.value("ada", "door") is False


def test_over_ofrep_an_access_flag_without_a_subject_is_safe_and_no_source_is_asked_about_nobody(opa, daemon):
    o = opa({"app.rego": "package app\nallow := true\n"})
    plain = {"variants": {"dark": "#000", "light": "#fff"}, "defaultVariant": "light"}
    d = daemon({"door": access("app/allow"), "theme": plain}, {"sources": {"opa": source(o)}})
    assert d.value("ada", "door") is True
    asked = d.metrics()['flagstaff_source_questions_total{source="opa"}']
    for body in ({}, {"context": {}}, {"context": {"targetingKey": ""}}):
        one = d.post("/ofrep/v1/evaluate/flags/door", body)
        assert one.status == 400 and one.json["errorCode"] == "TARGETING_KEY_MISSING", body
        assert d.post("/ofrep/v1/evaluate/flags/theme", body).json["value"] == "#fff"
        bulk = {flag["key"]: flag.get("value") for flag in d.post("/ofrep/v1/evaluate/flags", body).json["flags"]}
        assert bulk == {"door": False, "theme": "#fff"}
    assert d.metrics()['flagstaff_source_questions_total{source="opa"}'] == asked

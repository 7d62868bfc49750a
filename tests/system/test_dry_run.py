# SPDX-License-Identifier: Apache-2.0
"""An event tried out: what it would flip is told, and then it does just that; before that nothing moves. And a source asked by hand."""

import json
import threading

import pytest
from opa_world import access, source, state_of, wait_down
from world import DEADLINE, eventually

VIP = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
       "factDefaults": {"tier": "tin"}, "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}}}
POLICY = """package app
import rego.v1
default allow := false
allow if data.allowed[input.user]
default calm := false
calm if input.risk != "high"
"""
FILES = {"app.rego": POLICY, "data.json": {"allowed": {"ada": True, "bo": True}}}
QUICK = {"probe": "200ms"}


def with_opa(daemon, o):
    flags = {"door": access("app/allow", decision={"input": {"user": {"var": "targetingKey"}}}),
             "calm": access("app/calm", decision={"input": {"risk": {"var": "facts.risk"}}}, factDefaults={"risk": "low"})}
    return daemon(flags, {**QUICK, "sources": {"opa": source(o)}})


def try_facts(d, subject, facts, **more):
    return d.facts(subject, facts, "dry_run=true", **more)


def entries(d):
    return [e["entry"] for e in d.get("/v1/entries?kind=event").json["entries"]]


def flips(answer):
    return {(c["subject"], c["flag"]): (c["from"]["value"], c["to"]["value"]) for c in answer.json["changes"]}


def test_facts_are_tried_out_nothing_happens_and_the_same_event_then_does_what_was_said(daemon, client):
    d = daemon({"vip": VIP})
    c = client(d, ["ada"]).wait_lease()
    before, frames = entries(d), len(c.frames)
    dry = try_facts(d, "ada", {"tier": "gold"}, id_="e-1")
    assert dry.status == 200 and dry.json["dry_run"] is True and dry.json["event"] == {"type": "flagstaff.facts"}
    assert flips(dry) == {("ada", "vip"): (False, True)}
    assert [dry.json[n] for n in ("flips", "contexts", "subjects", "clients", "more")] == [1, 1, 1, 1, 0] and dry.json["unresolved"] == []
    (change,) = dry.json["changes"]
    assert change["from"] == {"value": False, "variant": "off", "reason": "TARGETING_MATCH"} and len(change["contextHash"]) == 64
    assert entries(d) == before and d.get("/v1/facts?subject=ada").json["facts"] == []
    assert len(c.frames) == frames and c.value("vip") is False
    real = d.facts("ada", {"tier": "gold"}, "", id_="e-1").json["entries"][0]
    assert "duplicate" not in real, "the trial has not used the identity up"
    c.wait_value("vip", True)
    assert try_facts(d, "ada", {"tier": "gold"}).json["flips"] == 0
    assert try_facts(d, "nobody", {"tier": "gold"}).json["flips"] == 0


def test_a_recompute_is_tried_out_with_what_the_source_says_now(opa, daemon, client):
    o = opa(FILES)
    d = with_opa(daemon, o)
    c = client(d, ["ada", "bo"]).wait_lease()
    c.wait_value("door", True)
    c.wait_value("door", True, watch=2)
    o.put("allowed", {"bo": True})
    dry = d.recompute("dry_run=true", sources=["opa"])
    assert flips(dry) == {("ada", "door"): (True, False)} and dry.json["unresolved"] == []
    assert flips(d.recompute("dry_run=true", subjects=["bo"])) == {}
    assert c.value("door") is True, "what it said to the trial rules nothing"
    assert d.recompute().json["complete"] in (True, False)
    c.wait_value("door", False)


def test_facts_that_a_source_is_asked_with_go_to_the_source(opa, daemon, client):
    d = with_opa(daemon, opa(FILES))
    client(d, ["ada"]).wait_value("calm", True)
    assert flips(try_facts(d, "ada", {"risk": "high"})) == {("ada", "calm"): (True, False)}
    assert flips(try_facts(d, "ada", {"risk": "low"})) == {}


def test_a_stop_answers_whoever_waits_for_a_dry_run(opa, daemon, client):
    o = opa(FILES)
    d = with_opa(daemon, o)
    client(d, ["ada"]).wait_value("door", True)
    o.pause()
    answers = []
    thread = threading.Thread(target=lambda: answers.append(d.recompute("dry_run=true")))
    thread.start()
    eventually(lambda: answers or state_of(d)["state"] == "down", "it was begun")
    assert d.stop() == 0
    thread.join(DEADLINE)
    assert answers and answers[0].status in (200, 503)
    o.resume()


def test_what_the_source_does_not_answer_is_named_and_not_guessed(opa, daemon, client):
    o = opa(FILES)
    d = with_opa(daemon, o)
    c = client(d, ["ada"])
    c.wait_value("door", True)
    c.wait_value("calm", True)
    o.pause()
    wait_down(d)
    dry = d.recompute("dry_run=true").json
    assert {u["query"] for u in dry["unresolved"]} == {"app/allow", "app/calm"} and all(u["source"] == "opa" and u["error"] for u in dry["unresolved"])
    assert dry["flips"] == 0 and all(u["count"] == 1 for u in dry["unresolved"])
    o.resume()


def test_who_may_send_may_try_and_who_may_not_read_sees_how_many(daemon, client):
    d = daemon({"vip": VIP})
    client(d, ["ada"]).wait_lease()
    ops = d.add_key(["admin", "read"], name="ops")
    d.key = ops
    sender, reader = d.add_key(["facts:tier"], name="sender"), d.add_key(["read"], name="reader")
    dry = try_facts(d, "ada", {"tier": "gold"}, key=sender)
    assert dry.status == 200 and "changes" not in dry.json and "more" not in dry.json and dry.json["dry_run"] is True
    assert try_facts(d, "ada", {"risk": 1}, key=sender).status == 403
    assert try_facts(d, "ada", {"tier": "gold"}, key=reader).status == 403
    assert d.event("flagstaff.recompute", {}, "dry_run=true", key=sender).status == 403


@pytest.mark.parametrize("query, body, status, says", [
    ("dry_run=true", {"specversion": "1.0", "id": "1", "source": "/t", "type": "no.such.type"}, 400, "no.such.type"),
    ("dry_run=true", {"specversion": "1.0", "id": "1", "source": "/t", "type": "flagstaff.recompute", "data": {"subject": ["a"]}}, 400, "subject"),
    ("dry_run=perhaps", {"specversion": "1.0", "id": "1", "source": "/t", "type": "flagstaff.recompute", "data": {}}, 400, "dry_run"),
    ("dry_run=true&wait=applied", {"specversion": "1.0", "id": "1", "source": "/t", "type": "flagstaff.recompute", "data": {}}, 400, "wait"),
])
def test_what_is_wrong_is_refused_as_the_real_event_is(daemon, query, body, status, says):
    d = daemon({"vip": VIP})
    answer = d.post(f"/v1/events?{query}", body, None, "application/cloudevents+json")
    assert answer.status == status and says in answer.json["error"]["message"]
    batch = [{"specversion": "1.0", "id": str(i), "source": "/t", "type": "flagstaff.recompute", "data": {}} for i in range(2)]
    answer = d.post("/v1/events?dry_run=true", batch, None, "application/cloudevents-batch+json")
    assert answer.status == 400 and "one event" in answer.json["error"]["message"]


def test_the_command_line_prints_it_and_sends_nothing(opa, daemon, client):
    d = with_opa(daemon, opa(FILES))
    client(d, ["ada"]).wait_value("calm", True)
    before = entries(d)
    text = d.command("trigger", "--subject", "ada", "--fact", "risk=high", "--dry-run").stdout
    line = next(line for line in text.splitlines() if "calm" in line).split()
    assert line[:4] == ["ada", "calm", "true", "false"]
    assert "1 value of 1 subject (1 context) would flip, with 1 client connected; nothing was done" in text
    dry = json.loads(d.command("trigger", "--subject", "ada", "--fact", "risk=high", "--dry-run", "-o", "json").stdout)
    assert dry["flips"] == 1 and dry["event"]["type"] == "flagstaff.facts"
    refused = d.command("trigger", "--source", "opa", "--dry-run", "--wait", "applied", check=False)
    assert refused.returncode == 2 and "wait" in refused.stderr
    assert entries(d) == before


def test_a_source_is_asked_by_hand_as_it_would_be_asked_for_somebody_or_with_any_input(opa, daemon, client):
    o = opa(FILES)
    d = with_opa(daemon, o)
    c = client(d, ["ada"])
    c.wait_value("door", True)
    o.put("allowed", {"bo": True})
    asked = d.post("/v1/sources/opa/test", {"query": "app/allow", "input": {"user": "ada"}})
    assert asked.status == 200, asked
    assert asked.json["answer"] is False and asked.json["error"] is None and asked.json["state"] == "value" and asked.json["tookMs"] > 0
    asked = d.post("/v1/sources/opa/test", {"flag": "door", "subject": "bo"}).json
    assert asked["answer"] is True and asked["query"] == "app/allow" and asked["input"] == {"user": "bo"}
    assert c.value("door") is True, "nothing follows from it"
    undefined = d.post("/v1/sources/opa/test", {"query": "app/none_such"}).json
    assert undefined["state"] == "undefined" and undefined["answer"] is None and undefined["error"] is None
    o.pause()
    wait_down(d)
    none = d.post("/v1/sources/opa/test", {"query": "app/allow"}).json
    assert none["state"] == "none" and none["error"]["code"] == "none" and none["error"]["message"]
    o.resume()


@pytest.mark.parametrize("path, body, status, says", [
    ("opa/test", {}, 400, "query"), ("opa/test", {"flag": "dor"}, 404, "door"), ("none/test", {"query": "a"}, 404, "none"),
    ("opa/test", {"query": "a", "kind": "roles"}, 400, "kind"), ("opa/test", {"query": "a", "flag": "door"}, 400, "flag"),
    ("opa/test", {"query": 7}, 400, "query"), ("opa/test", {"qurey": "a"}, 400, "query"), ("opa/test", [], 400, "object"),
    ("opa/test", {"query": "a", "context": {}}, 400, "context"), ("opa", {"query": "a"}, 404, "/test"), ("builtin/test", {"query": "a"}, 400, "flag"),
])
def test_a_question_by_hand_that_is_wrong_says_what(opa, daemon, path, body, status, says):
    d = with_opa(daemon, opa(FILES))
    answer = d.post(f"/v1/sources/{path}", body)
    assert answer.status == status and says in answer.json["error"]["message"], answer


def test_a_source_is_asked_by_operators_only_and_from_the_command_line(opa, daemon):
    d = with_opa(daemon, opa(FILES))
    text = d.command("sources", "test", "opa", "app/allow", "--input", '{"user": "ada"}').stdout
    assert "opa path app/allow: true" in text and "took" in text
    told = json.loads(d.command("sources", "test", "opa", "--flag", "door", "--subject", "eve", "-o", "json").stdout)
    assert told["answer"] is False
    assert d.command("sources", "test", "opa", check=False).returncode == 2
    assert d.command("sources", "--subject", "ada", check=False).returncode == 2
    d.key = d.add_key(["admin"])
    assert d.post("/v1/sources/opa/test", {"query": "app/allow"}).status == 200
    assert d.post("/v1/sources/opa/test", {"flag": "door", "subject": "ada"}).status == 403, "it shows facts"
    reader = d.add_key(["read", "events"])
    assert d.post("/v1/sources/opa/test", {"query": "app/allow"}, reader).status == 403


def test_the_list_of_sources_tells_latency_breaker_and_the_last_change(opa, daemon, client):
    o = opa(FILES)
    d = with_opa(daemon, o)
    client(d, ["ada"]).wait_value("door", True)
    one = next(s for s in d.get("/v1/sources").json["sources"] if s["name"] == "opa")
    counts = [b["count"] for b in one["latency"]["buckets"]]
    assert counts == sorted(counts) and counts[-1] == one["latency"]["count"] > 0 and one["latency"]["sumMs"] > 0
    bounds = [b["leMs"] for b in one["latency"]["buckets"]]
    assert bounds[-1] is None and bounds[:-1] == sorted(bounds[:-1]) and bounds[0] == 0.1
    assert d.metrics()['flagstaff_recompute_seconds_count{source="opa"}'] >= counts[-1]
    assert one["breaker"] == {"state": "closed", "failures": 0}
    o.pause()
    wait_down(d)
    down = next(s for s in d.get("/v1/sources").json["sources"] if s["name"] == "opa")
    assert down["breaker"]["state"] == "open" and down["breaker"]["failures"] >= 2 and down["error"]
    o.resume()
    eventually(lambda: next(s for s in d.get("/v1/sources").json["sources"] if s["name"] == "opa")["breaker"]["state"] == "closed", "closed again")
    assert "P99" in d.command("sources").stdout

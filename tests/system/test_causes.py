# SPDX-License-Identifier: Apache-2.0
"""Causes in words: the same sentence on the board, in why, in the history and on the command line."""

import contextlib

import pytest
from board import Board
from opa_world import access, source
from world import eventually

VIP = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
       "factDefaults": {"tier": "tin"}, "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}}}
POLICY = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"


@pytest.fixture
def board():
    with contextlib.ExitStack() as stack:
        yield lambda d: stack.enter_context(contextlib.closing(Board(d)))


def why(d, flag="vip"):
    return d.get(f"/v1/why?subject=ada&flag={flag}").json["causeText"]


def latest(d, flag="vip"):
    return d.get(f"/v1/history?subject=ada&flag={flag}&limit=1").json["changes"][0]["causeText"]


def test_facts_overrides_and_their_ends_are_told_in_words_everywhere(daemon, client, board):
    d = daemon({"vip": VIP})
    c = client(d, ["ada"])
    c.wait_value("vip", False)
    assert why(d) == "first asked for"
    b = board(d)
    view = b.view()
    entry = d.facts("ada", {"tier": "gold"}, source="urn:x").json["entry"]
    c.wait_value("vip", True)
    said = "facts from urn:x: tier=gold"
    assert why(d) == said and latest(d) == said
    b.wait(lambda b: [r for r in view.rows.values() if r["flag"] == "vip" and r["cause_text"] == said], "the row says it")
    assert f"event {entry}: {said}" in d.command("why", "ada", "vip").stdout
    assert f"event {entry}: {said}" in d.command("history", "ada", "vip").stdout
    d.post("/v1/overrides?wait=applied", {"kind": "kill", "flag": "vip", "reason": "INC-4711"})
    c.wait_value("vip", False)
    author = d.get("/v1/overrides").json["overrides"][0]
    name = author.get("authorName", author["author"])
    assert why(d) == latest(d) == f"operator {name}: INC-4711"
    d.delete("/v1/overrides?flag=vip&reason=over&wait=applied")
    assert why(d) == latest(d) == f"operator {name} released it: over"
    d.post("/v1/overrides?wait=applied", {"kind": "kill", "flag": "vip", "reason": "short", "for": "1s"})
    eventually(lambda: why(d) == f"the kill of operator {name} has ended", "the end is told")
    late = client(d, ["bo"])
    late.wait_value("vip", False)


def test_what_a_source_said_stands_in_the_sentence(daemon, client, opa):
    o = opa({"app.rego": POLICY, "data.json": {"allowed": {"ada": True}}})
    d = daemon({"door": access("app/allow", decision={"input": {"user": {"var": "targetingKey"}}})}, {"sources": {"opa": source(o)}})
    c = client(d, ["ada"])
    c.wait_value("door", True)
    assert why(d, "door") == "first asked for \u2192 opa: allowed"
    o.put("allowed", {})
    d.event("flagstaff.recompute", {}, "wait=applied", source="/hr")
    c.wait_value("door", False)
    assert why(d, "door") == "recompute from /hr \u2192 opa: denied"
    assert latest(d, "door").startswith("recompute from /hr")


def test_an_erased_persons_facts_are_said_no_more(daemon, client):
    d = daemon({"vip": VIP})
    client(d, ["ada"]).wait_value("vip", False)
    client(d, ["bo"]).wait_value("vip", False)
    d.facts("ada", {"tier": "gold"}, source="urn:x")
    assert "gold" in why(d)
    assert d.delete("/v1/subjects?subject=ada").status == 200
    assert "gold" not in why(d) and "gold" not in latest(d)

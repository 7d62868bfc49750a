# SPDX-License-Identifier: Apache-2.0
"""What the journal says of past moments: what stood, for as long as somebody watched it, and the answers behind it."""

import subprocess
from datetime import datetime, timezone

import pytest
from opa_world import access, source
from world import BINARY, eventually

VIP = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
       "factDefaults": {"tier": "tin"}, "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}}}
POLICY = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"


def now():
    return datetime.now(timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")


def then(d, at=None, subject="ada", flag="vip", **more):
    query = "".join(f"&{name}={value}" for name, value in more.items())
    return d.get(f"/v1/why?subject={subject}&flag={flag}&at={at or now()}{query}")


def changes(d, subject="ada", flag="vip"):
    return d.get(f"/v1/history?subject={subject}&flag={flag}").json["changes"]


def verify(d):
    done = subprocess.run([BINARY, "verify", "--data", d.config["data"]], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr


@pytest.fixture
def watched(daemon, client):
    """Ada is watched, and has been granted something."""
    d = daemon({"vip": VIP}, {"hold": "1s"})
    d.facts("ada", {"tier": "gold"})
    c = client(d, ["ada"])
    c.wait_value("vip", True)
    eventually(lambda: changes(d), "the first value is recorded")
    return d, c


def leave(d, c):
    c.send({"type": "unwatch", "watch": 1})
    eventually(lambda: "ended" in changes(d)[0], "its end is recorded")


def test_a_value_is_true_while_somebody_watches_it(watched):
    d, _ = watched
    told = then(d).json
    assert told["kept"] is True and told["to"]["value"] is True and "until" not in told
    assert "was true" in d.command("why", "ada", "vip", "--at", now()).stdout


def test_once_nobody_watches_it_the_last_known_value_is_told_with_its_end_and_not_as_true(watched):
    d, c = watched
    while_watched = changes(d)[0]["time"]
    leave(d, c)
    eventually(lambda: not d.get("/v1/contexts?subject=ada").json["contexts"], "the context is forgotten")
    d.facts("ada", {"tier": "tin"})
    told = then(d).json
    assert told["kept"] is False and told["to"]["value"] is True
    assert told["until"] == next(c for c in changes(d) if c.get("ended"))["time"]
    assert then(d, while_watched).json["kept"] is True, "then it was"
    text = d.command("why", "ada", "vip", "--at", now()).stdout
    assert "not kept current then" in text and "had been true" in text and "was true" not in text and told["until"] in text
    assert "ended" in d.command("history", "ada").stdout


def test_it_is_told_again_when_watching_begins_anew(watched):
    d, c = watched
    leave(d, c)
    c.watch(2, "ada")
    eventually(lambda: "ended" not in changes(d)[0], "it is recorded again")
    assert then(d).json["kept"] is True


def test_of_several_contexts_the_one_that_is_still_watched_answers(watched):
    d, c = watched
    c.watch(2, {"context": {"targetingKey": "ada", "team": "red"}})
    eventually(lambda: len(changes(d)) == 2, "both are recorded")
    leave(d, c)
    assert then(d).json["kept"] is True
    gone = next(c for c in changes(d) if c.get("ended"))["contexts"][0]["contextHash"]
    assert then(d, context=gone).json["kept"] is False


def test_a_restart_ends_what_stood_before_it(watched):
    d, _ = watched
    while_watched = changes(d)[0]["time"]
    d.stop()
    down = now()
    d.start()
    for moment in (down, now()):
        told = then(d, moment).json
        assert told["kept"] is False and told["to"]["value"] is True
        assert told["until"] < moment and told["ended"].startswith("the daemon started anew at ")
    assert then(d, while_watched).json["kept"] is True
    starts = d.get("/v1/history?subject=ada").json["starts"]
    assert len(starts) == 1 and starts[0]["before"] <= down <= starts[0]["time"]


def test_a_flag_that_a_reload_takes_out_ends(watched):
    d, _ = watched
    d.reload({"other": VIP})
    eventually(lambda: "ended" in changes(d)[0], "its end is recorded")
    assert then(d).json["kept"] is False


def test_what_was_only_asked_for_is_not_recorded_and_why_says_so(daemon):
    d = daemon({"vip": VIP})
    d.facts("bob", {"tier": "gold"})
    assert d.value("bob", "vip") is True
    answer = then(d, subject="bob")
    assert answer.status == 404 and "only asked for" in answer.json["error"]["message"]


def test_the_journal_verifies_and_forgets_the_person_with_ends_in_it(watched):
    d, c = watched
    leave(d, c)
    verify(d)
    eventually(lambda: not d.get("/v1/contexts?subject=ada").json["contexts"], "the context is forgotten")
    d.command("erase", "ada")
    assert not changes(d)
    verify(d)


def test_a_past_moment_is_told_with_the_answer_its_input_and_the_events_words(daemon, client, opa):
    o = opa({"app.rego": POLICY, "data.json": {"allowed": {"ada": True, "bo": True}}})
    d = daemon({"door": access("app/allow", decision={"input": {"user": {"var": "targetingKey"}}})}, {"sources": {"opa": source(o)}})
    c = client(d, ["ada", "bo"])
    c.wait_value("door", True)
    o.put("allowed", {"bo": True})
    d.event("flagstaff.recompute", {}, "wait=applied", source="/hr")
    c.wait_value("door", False)
    told = then(d, flag="door").json
    assert told["causeText"] == "recompute from /hr \u2192 opa: denied"
    assert [(x["value"], x["input"]) for x in told["answers"]] == [(False, {"user": "ada"})]
    text = d.command("why", "ada", "door", "--at", now()).stdout
    assert "app/allow: false" in text and "asked with" in text
    assert then(d, subject="bo", flag="door").json["answers"][0]["input"] == {"user": "bo"}

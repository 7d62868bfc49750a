# SPDX-License-Identifier: Apache-2.0
"""Overrides: a kill takes away everywhere and at once, a force gives what it says and no more, both with author, reason, receipt, and an end."""

import json
import pty
import os
import subprocess
import time
from datetime import datetime
from urllib.parse import quote

import pytest
from world import BINARY, eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
        "factDefaults": {"access": "none"}, "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
THEME = {"variants": {"dark": "#000", "light": "#fff"}, "defaultVariant": "light", "visibility": "client"}
FLAGS = {"door": DOOR, "theme": THEME}
SHORT = {"lease": "3s", "hold": "3s", "probe": "200ms"}
ALL = ["admin", "operate", "read", "evaluate:any", "events", "facts:*"]


def order(d, query="wait=delivered", key=None, **body):
    body.setdefault("reason", "INC-4711")
    return d.post("/v1/overrides" + ("?" + query if query else ""), body, key)


def kill(d, flag="door", query="wait=delivered", **more):
    return order(d, query, kind="kill", flag=flag, **more)


def force(d, flag, variant, query="wait=delivered", **more):
    return order(d, query, kind="force", flag=flag, variant=variant, **more)


def release(d, flag="door", subject=None, query="&wait=delivered", key=None, reason="over", kind=None):
    more = (f"&subject={quote(subject)}" if subject else "") + (f"&kind={kind}" if kind else "")
    return d.delete(f"/v1/overrides?flag={quote(flag)}{more}&reason={quote(reason)}{query}", key)


def standing(d):
    return d.get("/v1/overrides").json["overrides"]


def why(d, subject="ada", flag="door", more=""):
    return d.get(f"/v1/why?subject={quote(subject)}&flag={flag}{more}").json


def wall(text):
    return datetime.fromisoformat(text).timestamp()


def granted(d, client, subject="ada", name="shop", **more):
    d.facts(subject, {"access": "granted"})
    c = client(d, [subject], name=name, **more)
    c.wait_value("door", True)
    return c.wait_lease()


def test_a_kill_from_the_command_line_reaches_the_client_and_the_receipt_says_so(daemon, client):
    d = daemon(FLAGS)
    c = granted(d, client)
    done = d.command("kill", "door", "--reason", "INC-4711", "--wait", "delivered", "--yes", "--output", "json")
    receipt = json.loads(done.stdout)
    assert receipt["complete"] and receipt["concerned"] == 1 == receipt["acknowledged"]
    assert receipt["behind"] == [] and receipt["held"] == [] and wall(receipt["safe_at"]) <= time.time()
    flag = c.wait_value("door", False)
    assert flag["reason"] == "DISABLED" and flag["cause"]["kind"] == "override" and flag["cause"]["entry"] == receipt["entry"]
    assert flag["metadata"]["flagstaff.override"] == "kill"
    assert d.facts("ada", {"access": "granted"}).status == 200 and c.value("door") is False


def test_released_the_sources_decide_again_and_the_list_is_empty(daemon, client):
    d = daemon(FLAGS)
    c = granted(d, client)
    entry = kill(d).json["entry"]
    (one,) = standing(d)
    assert one["id"] == entry and one["flag"] == "door" and one["kind"] == "kill" and one["reason"] == "INC-4711"
    assert one["author"] and wall(one["time"]) <= time.time() and "subject" not in one and "expires" not in one
    receipt = release(d).json
    assert receipt["complete"] and receipt["acknowledged"] == 1
    assert c.wait_value("door", True)["cause"]["entry"] == receipt["entry"]
    assert standing(d) == [] and release(d).status == 404
    history = d.get("/v1/history?subject=ada&flag=door&limit=2").json["changes"]
    assert [h["cause"]["kind"] for h in history] == ["override", "override"]


def test_a_kill_holds_over_ofrep_single_bulk_and_once_also_for_flags_that_the_door_answers_itself(daemon, client):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    assert d.value("ada", "door") is True and d.value("ada", "theme") == "#fff"
    kill(d)
    kill(d, "theme")
    one = d.evaluate("ada", "door").json
    assert one["value"] is False and one["metadata"]["flagstaff.override"] == "kill"
    assert d.evaluate("ada", "theme").status == 404, "off, as a disabled one is"
    bulk = {f["key"]: f for f in d.evaluate("ada").json["flags"]}
    assert bulk["door"]["value"] is False and "value" not in bulk["theme"]
    once = client(d, [{"context": {"targetingKey": "ada"}, "once": True}])
    assert once.wait_value("door", False)["reason"] == "DISABLED"
    release(d, "theme")
    assert d.value("ada", "theme") == "#fff"
    force(d, "theme", "dark", subject="ada")
    assert d.value("ada", "theme") == "#000" and d.value("bo", "theme") == "#fff"
    assert d.evaluate("ada", "theme").json["reason"] == "STATIC"


def test_precedence_kill_before_force_and_the_subject_before_everybody(daemon):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    assert force(d, "door", "off").status == 200
    assert d.value("ada", "door") is False
    assert force(d, "door", "on", subject="bo", **{"for": "1h"}).status == 200
    assert d.value("bo", "door") is True and d.value("ada", "door") is False
    kill(d)
    assert d.value("bo", "door") is False, "a kill of everybody beats a force of one"
    assert release(d, kind="kill").status == 200 and d.value("bo", "door") is True
    kill(d, subject="bo")
    assert d.value("bo", "door") is False
    assert release(d, subject="bo").status == 200, "both of them"
    assert [o["kind"] for o in standing(d)] == ["force"] and d.value("bo", "door") is False
    release(d)
    assert d.value("ada", "door") is True and d.value("bo", "door") is False


def test_it_ends_by_itself_at_its_moment(daemon, client):
    d = daemon(FLAGS)
    c = granted(d, client)
    entry = kill(d, **{"for": "1s"}).json["entry"]
    assert c.wait_value("door", False)
    flag = c.wait_value("door", True)
    assert flag["cause"]["kind"] == "override" and flag["cause"]["entry"] == entry
    assert eventually(lambda: not standing(d), "nothing stands")
    assert d.value("ada", "door") is True


def test_a_start_restores_what_stands_and_not_what_has_ended_meanwhile(daemon, client):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    d.facts("bo", {"access": "granted"})
    kill(d, subject="ada")
    kill(d, "theme")
    kill(d, subject="bo", **{"for": "1500ms"})
    before = [o for o in standing(d) if o.get("subject") != "bo"]
    end = next(o["expires"] for o in standing(d) if "expires" in o)
    d.stop()
    eventually(lambda: time.time() > wall(end), "the other one has ended")
    d.start()
    assert standing(d) == before
    assert d.evaluate("ada", "theme").status == 404, "the door, too, was told before it opened"
    c = client(d, ["ada", "bo"])
    assert c.wait_value("door", False)["reason"] == "DISABLED" and c.wait_value("door", True, watch=2)


def test_why_tells_who_ordered_it_and_why_now_and_then(daemon, client):
    d = daemon(FLAGS)
    granted(d, client)
    entry = kill(d, reason="the laptop was stolen").json["entry"]
    now = why(d)
    assert now["override"]["reason"] == "the laptop was stolen" and now["override"]["id"] == entry and now["override"]["author"]
    text = d.command("why", "ada", "door").stdout
    assert "the laptop was stolen" in text and f"entry {entry}" in text
    moment = now["changed"]
    release(d)
    eventually(lambda: why(d)["value"]["value"] is True, "released")
    assert "override" not in why(d)
    then = why(d, more="&at=" + quote(moment))
    assert then["to"]["override"] == {"kind": "kill", "entry": entry}
    assert then["override"]["reason"] == "the laptop was stolen" and then["override"]["author"]


def test_a_frozen_client_is_named_as_laggard_until_its_lease_is_over(daemon, client):
    d = daemon(FLAGS, SHORT)
    obeys = granted(d, client, name="obeys")
    granted(d, client, name="frozen", ack=False)
    entry = kill(d, query="wait=applied").json["entry"]
    obeys.wait_value("door", False)
    now = eventually(lambda: (r := d.get(f"/v1/receipts/{entry}").json)["acknowledged"] == 1 and r, "one has acknowledged")
    assert now["concerned"] == 2 and [b["client"] for b in now["behind"]] == ["frozen"] and not now["complete"]
    done = d.get(f"/v1/receipts/{entry}?wait=delivered").json
    assert done["complete"] and done["acknowledged"] == 1 == done["expired"] and wall(done["safe_at"]) <= time.time() + 0.005


def test_a_killed_flag_waits_for_no_source(daemon, client, opa):
    rego = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"
    o = opa({"app.rego": rego, "data.json": {"allowed": {"ada": True}}})
    flags = {"door": {**{k: v for k, v in DOOR.items() if k not in ("decision", "factDefaults")},
                      "decision": {"source": "opa", "path": "app/allow", "input": {"user": {"var": "targetingKey"}}}}}
    d = daemon(flags, {"sources": {"opa": {"type": "opa", "url": o.url, "timeout": "60s"}}, "evaluateTimeout": "30s"})
    c = client(d, ["ada"])
    c.wait_value("door", True)
    c.wait_lease()
    o.pause()
    receipt = kill(d).json
    assert receipt["complete"] and receipt["unresolved"] == []
    assert c.wait_value("door", False)
    late = client(d, ["bo"])
    assert late.wait_value("door", False)["reason"] == "DISABLED"
    o.resume()
    release(d)
    assert c.wait_value("door", True)


def test_a_dry_run_says_what_would_change_and_does_nothing(daemon, client):
    d = daemon(FLAGS)
    c = granted(d, client)
    client(d, ["ada"], name="second").wait_lease()
    client(d, ["bo"], name="other").wait_lease()
    dry = kill(d, query="dry_run=true").json
    assert dry["dry_run"] is True and (dry["contexts"], dry["subjects"], dry["clients"], dry["more"]) == (1, 1, 2, 0)
    (change,) = dry["changes"]
    assert change["subject"] == "ada" and change["from"] == {"variant": "on", "value": True, "reason": "TARGETING_MATCH"}
    assert change["to"] == {"variant": "off", "value": False, "reason": "DISABLED"}
    assert kill(d, query="dry_run=true", subject="bo").json["contexts"] == 0
    assert force(d, "theme", "dark", query="dry_run=true").json["contexts"] == 2
    assert standing(d) == [] and c.value("door") is True
    assert d.get("/v1/entries?kind=override").json["entries"] == []
    kill(d)
    assert len(d.get("/v1/entries?kind=override").json["entries"]) == 1
    back = d.delete("/v1/overrides?flag=door&reason=r&dry_run=true").json
    assert [x["to"]["value"] for x in back["changes"]] == [True] and standing(d)


@pytest.mark.parametrize("body, status, says", [
    ({"kind": "kill", "flag": "dor"}, 404, "did you mean door"),
    ({"kind": "kill", "flag": "door", "reason": ""}, 400, "reason"),
    ({"kind": "kill", "flag": "door", "reason": "   "}, 400, "reason"),
    ({"kind": "kill", "flag": "door", "reason": None}, 400, "reason"),
    ({"kind": "kill", "flag": "door", "reason": "x" * 10000}, 413, "at most 1024 bytes"),
    ({"kind": "kill", "flag": "door", "reason": "two\nlines"}, 400, "one line"),
    ({"kind": "kill", "flag": "door", "reason": "harmless \u202e.txt"}, 400, "marks of direction"),
    ({"kind": "kill", "flag": "door", "reason": "\u2067turned\u2069"}, 400, "marks of direction"),
    ({"kind": "kill", "flag": "door", "subject": "s" * 10000}, 413, "at most 1024 bytes"),
    ({"kind": "kill", "flag": "door", "subject": ""}, 400, "subject"),
    ({"kind": "kill", "flag": "door", "subject": 7}, 400, "expected a text"),
    ({"kind": "kill", "flag": "door", "variant": "off"}, 400, "a kill has none"),
    ({"kind": "kill", "flag": "door", "expires": "2020-01-01T00:00:00Z"}, 400, "past"),
    ({"kind": "kill", "flag": "door", "expires": "tomorrow"}, 400, "expires"),
    ({"kind": "kill", "flag": "door", "for": "soon"}, 400, "for"),
    ({"kind": "kill", "flag": "door", "for": "1m", "expires": "2100-01-01T00:00:00Z"}, 400, "one of them"),
    ({"kind": "maim", "flag": "door"}, 400, "kill or force"),
    ({"kind": "force", "flag": "theme"}, 400, "variant"),
    ({"kind": "force", "flag": "theme", "variant": "drk"}, 400, "did you mean dark"),
    ({"kind": "force", "flag": "door", "variant": "on"}, 400, "needs an end"),
    ({"kind": "kill", "flag": "door", "author": "somebody else"}, 400, "author"),
    ([], 400, ""), ("{", 400, ""),
])
def test_what_is_refused_says_what_is_wrong(shared, body, status, says):
    if isinstance(body, dict):
        body.setdefault("reason", "r")
    answer = shared.post("/v1/overrides", body)
    assert answer.status == status, answer
    assert says in answer.json["error"]["message"], answer
    assert standing(shared) == []


def test_html_in_reasons_and_strange_subjects_come_back_as_they_were(daemon, client):
    d = daemon(FLAGS)
    reason, subject = '<img src=x onerror="alert(1)">&amp;', "<b>\u202eada</b>"
    granted(d, client, subject)
    kill(d, subject=subject, reason=reason)
    (one,) = standing(d)
    assert one["reason"] == reason and one["subject"] == subject
    answer = d.get("/v1/overrides")
    assert answer.headers["Content-Type"] == "application/json" and answer.headers["X-Content-Type-Options"] == "nosniff"
    assert d.value(subject, "door") is False
    assert release(d, subject=subject).status == 200


def test_who_may_what(daemon, client):
    d = daemon(FLAGS)
    ops = d.add_key(ALL, name="ops")
    d.key = ops
    viewer, operator = d.add_key(["read"], name="viewer"), d.add_key(["operate"], name="operator")
    sender = d.add_key(["events", "facts:*"], name="sender")
    d.facts("ada", {"access": "granted"})
    session = client(d, ["ada"]).wait(lambda c: c.welcome, "welcome")["session"]
    for key in (viewer, sender):
        assert kill(d, key=key).status == 403
        assert force(d, "door", "off", key=key).status == 403
        assert kill(d, key=key, query="dry_run=true").status == 403
        assert release(d, key=key).status == 403
        assert d.delete(f"/v1/clients/{session}", key).status == 403
    assert d.get("/v1/who?flag=door", sender).status == 403 and d.get("/v1/overrides", sender).status == 403
    assert d.get("/v1/who?flag=door", viewer).status == 200 and d.get("/v1/overrides", viewer).status == 200
    import http.client
    bare = http.client.HTTPConnection("127.0.0.1", d.port)
    bare.request("POST", "/v1/overrides", json.dumps({"kind": "kill", "flag": "door", "reason": "r"}))
    assert bare.getresponse().status == 401
    assert standing(d) == []

    grant = force(d, "door", "on", key=operator, **{"for": "1h"})
    assert grant.status == 403 and "admin" in grant.json["error"]["message"]
    assert force(d, "door", "off", key=operator).status == 200
    dry = kill(d, key=operator, query="dry_run=true").json
    assert "changes" not in dry and "contexts" in dry, "who may not read sees no names"
    receipt = kill(d, key=operator).json
    assert receipt["complete"] and d.get(f"/v1/receipts/{receipt['entry']}", operator).status == 200
    assert release(d, key=operator).status == 200
    assert force(d, "door", "on", key=ops).status == 400, "also for admin only with an end"
    assert force(d, "door", "on", key=ops, **{"for": "1h"}).status == 200
    (one,) = standing(d)
    assert one["authorName"] == "ops" and one["variant"] == "on" and "expires" in one


def test_a_reload_that_takes_flag_or_variant_leaves_it_without_effect_and_never_grants(daemon, client):
    d = daemon(FLAGS)
    c = client(d, ["ada"])
    c.wait_value("theme", "#fff")
    force(d, "theme", "dark")
    kill(d)
    c.wait_value("theme", "#000")
    d.reload({"theme": {**THEME, "variants": {"light": "#fff", "black": "#000"}}})
    c.wait_value("theme", "#fff")
    assert {o["flag"]: o.get("idle") for o in standing(d)} == {"door": "there is no such flag", "theme": "the flag has no such variant"}
    d.reload(FLAGS)
    c.wait_value("theme", "#000")
    assert c.wait_value("door", False)["reason"] == "DISABLED"
    # what was no grant when it was ordered becomes none by another definition
    access = {**THEME, "safeVariant": "light", "targeting": {"if": [True, "light"]}}
    d.reload({"door": DOOR, "theme": access})
    c.wait_value("theme", "#fff")
    assert "would grant" in next(o["idle"] for o in standing(d) if o["flag"] == "theme")


def test_the_metric_names_the_flags_that_are_killed(daemon):
    d = daemon(FLAGS)
    kill(d)
    kill(d, "theme", subject="ada")
    assert d.metrics()['flagstaff_kill_active{flag="door"}'] == 1
    assert d.metrics()['flagstaff_kill_active{flag="theme"}'] == 1
    release(d)
    assert 'flagstaff_kill_active{flag="door"}' not in d.metrics()


def test_who_has_what(daemon, client):
    d = daemon(FLAGS)
    granted(d, client)
    for subject in ("bo", "cy"):
        client(d, [subject]).wait_lease()
    kill(d, subject="cy")
    who = d.get("/v1/who?flag=door").json
    assert who["flag"] == "door" and who["variants"] == {"on": 1, "off": 2} and len(who["contexts"]) == 3
    (on,) = d.get("/v1/who?flag=door&variant=on").json["contexts"]
    assert on["subject"] == "ada" and on["value"] is True and on["reason"] == "TARGETING_MATCH" and "since" in on
    page = d.get("/v1/who?flag=door&limit=2").json
    rest = d.get(f"/v1/who?flag=door&limit=2&after={page['next']}").json
    assert len(page["contexts"]) == 2 and len(rest["contexts"]) == 1 and "next" not in rest
    assert {c["subject"] for c in page["contexts"] + rest["contexts"]} == {"ada", "bo", "cy"}
    assert d.get("/v1/who?flag=dor").status == 404 and d.get("/v1/who").status == 400
    text = d.command("who", "door").stdout
    assert "ada" in text and "kill" in text


def test_an_operator_ends_a_connection_and_its_client_comes_back(daemon, client):
    d = daemon(FLAGS)
    c = granted(d, client)
    session = c.welcome["session"]
    assert d.delete(f"/v1/clients/{session}?reason=odd").status == 204
    c.wait(lambda x: x.goaway, "goaway")
    assert c.goaway["code"] == "disconnect"
    c.thread.join(10)
    assert c.closed[0] == 1001
    assert d.delete(f"/v1/clients/{session}").status == 404 and d.delete("/v1/clients/s-none").status == 404
    back = client(d, ["ada"], resume=c.resume_point())
    back.wait_lease()
    assert back.value("door") in (True, None), "resumed: nothing has changed"


def test_erasing_a_person_waits_until_no_override_names_it(daemon):
    d = daemon(FLAGS)
    kill(d, subject="ada")
    refused = d.delete("/v1/subjects?subject=ada")
    assert refused.status == 409 and "release it first" in refused.json["error"]["message"]
    release(d, subject="ada")
    assert d.delete("/v1/subjects?subject=ada").status == 200
    d.stop()
    assert "the chain holds" in subprocess.run([BINARY, "verify", "--data", str(d.folder / "state")], capture_output=True, text=True).stdout
    d.start()
    assert standing(d) == []


def at_a_terminal(d, answer, *arguments):
    """Runs a command whose standard input is a terminal at which somebody types `answer`."""
    ours, theirs = pty.openpty()
    try:
        process = subprocess.Popen([BINARY, arguments[0], "--url", d.url, *arguments[1:]], stdin=theirs, stdout=subprocess.PIPE,
                                   stderr=subprocess.PIPE, text=True, env=d.env)
        os.write(ours, answer)
        out, err = process.communicate(timeout=60)
        return process.returncode, out, err
    finally:
        os.close(ours)
        os.close(theirs)


def test_at_a_terminal_the_command_says_whom_it_hits_and_asks(daemon, client):
    d = daemon(FLAGS)
    granted(d, client)
    status, _, said = at_a_terminal(d, b"n\n", "kill", "door", "--reason", "r")
    assert status == 1 and "1 subject" in said and "ada" in said and "true -> false" in said and "nothing was done" in said
    assert standing(d) == []
    status, out, said = at_a_terminal(d, b"y\n", "kill", "door", "--reason", "r", "--for", "30m")
    assert status == 0 and "entry" in out and standing(d)[0]["expires"]
    status, _, said = at_a_terminal(d, b"y\n", "release", "door", "--reason", "r")
    assert status == 0 and "false -> true" in said and standing(d) == []


def test_in_a_script_the_command_wants_yes_and_the_rest_of_its_words_work(daemon, client):
    d = daemon(FLAGS)
    granted(d, client)
    done = d.command("kill", "door", "--reason", "r", check=False)
    assert done.returncode == 2 and "--yes" in done.stderr
    assert json.loads(d.command("kill", "door", "--reason", "r", "--dry-run", "-o", "json").stdout)["contexts"] == 1
    assert d.command("kill", "door", "--yes", check=False).returncode == 2, "no reason"
    assert d.command("force", "door", "on", "--reason", "r", "--yes", check=False).returncode == 2, "no end"
    d.command("force", "door", "on", "--subject", "bo", "--reason", "break glass", "--for", "30m", "--yes")
    text = d.command("overrides").stdout
    assert "bo" in text and "break glass" in text and "force" in text
    assert d.command("release", "door", "--reason", "r", "--yes", check=False).returncode == 4, "that is another place"
    d.command("release", "door", "--subject", "bo", "--kind", "force", "--reason", "r", "--yes", "--wait", "applied")
    assert "nothing is overridden" in d.command("overrides").stderr

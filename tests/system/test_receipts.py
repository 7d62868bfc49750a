# SPDX-License-Identifier: Apache-2.0
"""Receipts: every number is true, and after `safe_at` no client can still hold the old value."""

import json
import time
from datetime import datetime

from world import eventually

GRANTED = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
           "factDefaults": {"access": "none"}, "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
SHORT = {"lease": "3s", "hold": "3s", "probe": "200ms"}


def wall(text):
    return datetime.fromisoformat(text).timestamp()


def holds_the_grant(client):
    """What a reader of this client sees now: the value while the lease runs, the safe variant afterwards."""
    return client.value("door") is True and time.monotonic() < client.lease_until


def test_all_have_obeyed_and_the_receipt_is_complete_at_once(daemon, client):
    d = daemon({"door": GRANTED})
    d.facts("ada", {"access": "granted"})
    clients = [client(d, ["ada"]) for _ in range(3)]
    for c in clients:
        c.wait_value("door", True)
        c.wait_lease()
    receipt = d.facts("ada", {"access": "none"}, "wait=delivered").json
    assert receipt["complete"] and receipt["concerned"] == 3 == receipt["acknowledged"]
    assert receipt["behind"] == [] and receipt["held"] == [] and receipt["unresolved"] == []
    assert wall(receipt["safe_at"]) <= time.time()
    assert all(c.wait_value("door", False) for c in clients)
    assert d.get(f"/v1/receipts/{receipt['entry']}").json["complete"]


def test_a_receipt_and_the_list_of_entries_tell_what_was_set_off_and_the_time_of_each_stage(daemon, client, opa):
    o = opa({"app.rego": "package app\ndefault allow := false\nallow if data.allowed[input.user]\n", "data.json": {"allowed": {"ada": True}}})
    door = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
            "decision": {"source": "opa", "path": "app/allow", "input": {"user": {"var": "targetingKey"}}}}
    d = daemon({"door": door}, {"sources": {"opa": {"type": "opa", "url": o.url}}})
    client(d, ["ada"]).wait_value("door", True)
    o.put("allowed", {})
    receipt = d.recompute("wait=delivered").json
    assert receipt["complete"] and receipt["questions"] == 1 and receipt["flips"] == 1
    names = ["journaledMs", "askedMs", "answeredMs", "evaluatedMs", "pushedMs", "acknowledgedMs"]
    assert list(receipt["stages"]) == names
    times = [receipt["stages"][n] for n in names]
    assert times == sorted(times) and times[0] >= 0, times
    (entry,) = [e for e in d.get("/v1/entries?kind=event").json["entries"] if e["entry"] == receipt["entry"]]
    assert entry["stages"] == receipt["stages"] and entry["questions"] == 1 and entry["flips"] == 1
    text = d.command("trigger", "--subject", "ada", "--wait", "delivered").stdout
    assert "flips         0, after 1 question\n" in text and "journaled" in text and "acknowledged" in text
    d.stop()
    d.start()
    (entry,) = [e for e in d.get("/v1/entries?kind=event").json["entries"] if e["entry"] == receipt["entry"]]
    assert "stages" not in entry and entry["flips"] == 1, "clocks are not journaled"


def test_frozen_disconnected_polling_and_unanswered_are_told_apart_and_safe_at_is_true(daemon, client, opa):
    rego = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"
    o = opa({"app.rego": rego, "data.json": {"allowed": {"ada": True}}})
    door = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "maxStale": "1s"}
    flags = {"door": {**door, "decision": {"source": "opa", "path": "app/allow", "input": {"user": {"var": "targetingKey"}}}}}
    d = daemon(flags, {**SHORT, "sources": {"opa": {"type": "opa", "url": o.url, "timeout": "500ms"}}})
    obeys, frozen, gone = client(d, ["ada"], name="obeys"), client(d, ["ada"], name="frozen", ack=False), client(d, ["ada"], name="gone")
    for c in (obeys, frozen, gone):
        c.wait_value("door", True)
        c.wait_lease()
    assert d.value("ada", "door") is True, "one more by OFREP"
    gone.drop()
    eventually(lambda: any(x["state"] == "held" for x in d.get("/v1/clients").json["clients"]), "the dropped one is held")

    o.put("allowed/ada", False)
    receipt = d.recompute("wait=applied", subjects=["ada"]).json
    entry = receipt["entry"]
    obeys.wait_value("door", False)
    now = eventually(lambda: (r := d.get(f"/v1/receipts/{entry}").json)["acknowledged"] == 1 and r, "one has acknowledged")
    assert now["concerned"] == 3
    assert [b["client"] for b in now["behind"]] == ["frozen"] and now["behindCount"] == 1
    assert [h["client"] for h in now["held"]] == ["gone"] and now["heldCount"] == 1 and "until" in now["held"][0]
    assert now["ofrep"] == {"concerned": 1, "fetched": 0} and not now["complete"] and now["unresolved"] == []
    assert d.value("ada", "door") is False
    assert d.get(f"/v1/receipts/{entry}").json["ofrep"] == {"concerned": 1, "fetched": 1}

    done = d.get(f"/v1/receipts/{entry}?wait=delivered").json
    assert done["complete"] and done["acknowledged"] + done["expired"] == 3
    assert wall(done["safe_at"]) <= time.time() + 0.005
    assert not any(holds_the_grant(c) for c in (obeys, frozen, gone))

    again = d.recompute("wait=delivered", subjects=["ada"]).json
    assert again["complete"] and again["concerned"] >= 1 and again["unresolved"] == [], "repeated, the same truth"
    assert d.value("ada", "door") is False

    o.stop()
    dead = d.recompute("wait=applied&timeout=20s", subjects=["ada"]).json
    assert [u["source"] for u in dead["unresolved"]] == ["opa"] and not dead["complete"]
    assert "safe_at" not in dead


def test_a_client_that_comes_back_and_resumes_has_acknowledged(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)
    d.facts("ada", {"access": "granted"})
    c = client(d, ["ada"])
    c.wait_value("door", True)
    c.wait_lease()
    point = c.resume_point()
    c.drop()
    eventually(lambda: [x["state"] for x in d.get("/v1/clients").json["clients"]] == ["held"], "held")
    entry = d.facts("ada", {"access": "none"}).json["entry"]
    assert d.get(f"/v1/receipts/{entry}").json["heldCount"] == 1
    back = client(d, ["ada"], resume=point)
    back.wait_value("door", False)
    assert not back.snapshots, "a delta, not a snapshot"
    receipt = d.get(f"/v1/receipts/{entry}?wait=delivered").json
    assert receipt["complete"] and receipt["acknowledged"] == 1 and receipt["expired"] == 0


def test_nobody_concerned_is_complete_and_a_timeout_ends_a_wait_with_the_truth(daemon, client):
    d = daemon({"door": GRANTED})
    assert d.facts("nobody", {"access": "granted"}, "wait=delivered").json["complete"]
    d.facts("ada", {"access": "granted"})
    deaf = client(d, ["ada"], ack=False)
    deaf.wait_value("door", True)
    deaf.wait_lease()
    receipt = d.facts("ada", {"access": "none"}, "wait=delivered&timeout=100ms").json
    assert receipt["complete"] is False and receipt["behindCount"] == 1 and receipt["applied"] is True


def test_a_receipt_as_a_stream_fills_and_ends_when_it_is_complete(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)
    d.facts("ada", {"access": "granted"})
    deaf = client(d, ["ada"], ack=False)
    deaf.wait_value("door", True)
    deaf.wait_lease()
    entry = d.facts("ada", {"access": "none"}).json["entry"]
    text = d.get(f"/v1/receipts/{entry}", Accept="text/event-stream").body.decode()  # read to its end
    receipts = [json.loads(line[6:]) for line in text.splitlines() if line.startswith("data: ")]
    assert receipts[0]["behindCount"] == 1 and not receipts[0]["complete"]
    assert receipts[-1]["complete"] and receipts[-1]["expired"] == 1


def test_an_unknown_entry_has_no_receipt(daemon):
    d = daemon({"door": GRANTED})
    assert d.get("/v1/receipts/12345").status == 404
    assert d.get("/v1/receipts/x").status == 400


def test_after_a_restart_safe_at_reckons_with_leases_of_the_process_before(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)
    d.facts("ada", {"access": "granted"})
    c = client(d, ["ada"])
    c.wait_value("door", True)
    c.wait_lease()
    d.process.process.kill()
    d.process.process.wait()
    c.wait(lambda c: c.closed, "the end")
    d.start()
    receipt = d.facts("ada", {"access": "none"}, "wait=delivered").json
    assert receipt["complete"] and receipt["concerned"] == 0
    assert wall(receipt["safe_at"]) <= time.time() + 0.005
    assert not holds_the_grant(c), "whoever held a lease of the process before holds it no longer"


def test_a_sibling_with_the_same_key_takes_over_nothing_and_acknowledges_for_nobody_else(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)
    d.facts("ada", {"access": "granted"})
    a, b = client(d, ["ada"], name="a"), client(d, ["ada"], name="b")
    for c in (a, b):
        c.wait_value("door", True)
        c.wait_lease()
    point = b.resume_point()
    a.renew(1)
    a.wait_lease(1)
    a.drop(), b.drop()
    eventually(lambda: [x["state"] for x in d.get("/v1/clients").json["clients"]] == ["held"] * 2, "both held")
    entry = d.facts("ada", {"access": "none"}).json["entry"]
    back = client(d, ["ada"], resume=point, name="b")
    back.wait_value("door", False)
    receipt = d.get(f"/v1/receipts/{entry}?wait=delivered").json
    assert receipt["complete"] and receipt["acknowledged"] == 1 and receipt["expired"] == 1
    assert not holds_the_grant(a)


def test_a_watch_that_begins_while_the_source_is_asked_is_concerned_too(daemon, client, opa):
    rego = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"
    o = opa({"app.rego": rego, "data.json": {"allowed": {"ada": True}}})
    flag = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
            "decision": {"source": "opa", "path": "app/allow", "input": {"user": {"var": "targetingKey"}}}}
    d = daemon({"door": flag}, {**SHORT, "probe": "10s", "sources": {"opa": {"type": "opa", "url": o.url, "timeout": "20s"}}})
    early = client(d, ["ada"], name="early")
    early.wait_value("door", True)
    early.wait_lease()
    o.put("allowed/ada", False)
    o.pause()
    entry = d.recompute("", subjects=["ada"]).json["entries"][0]["entry"]
    late = client(d, ["ada"], name="late")
    late.wait_value("door", True)
    late.wait_lease()
    late.drop()
    eventually(lambda: any(x["state"] == "held" for x in d.get("/v1/clients").json["clients"]), "held")
    o.resume()
    early.wait_value("door", False)
    receipt = d.get(f"/v1/receipts/{entry}?wait=delivered").json
    assert receipt["complete"] and receipt["concerned"] == 2 and receipt["expired"] == 1
    assert not holds_the_grant(late)


def test_a_session_that_did_not_speak_for_a_watch_cannot_resume_it(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)
    d.facts("bo", {"access": "granted"})
    first = client(d, ["ada", "bo"])
    first.wait_value("door", True, watch=2)
    first.wait_lease()
    held = first.resume_point()
    first.drop()
    d.facts("bo", {"access": "none"})
    second = client(d, ["ada"])
    second.wait_lease()
    second.drop()
    claim = {**second.resume_point(), "watches": held["watches"]}
    third = client(d, ["ada", "bo"], resume=claim)
    third.wait_value("door", False, watch=2)
    third.wait_lease()


def test_an_event_that_comes_again_after_a_restart_gets_a_true_receipt(daemon, client):
    d = daemon({"door": GRANTED}, SHORT)

    def restart():
        d.process.process.kill()
        d.process.process.wait()
        d.start()
        c = client(d, ["ada"])
        return c.wait_lease()

    def revoke():
        return d.facts("ada", {"access": "none"}, "wait=delivered", id_="revoked").json

    d.facts("ada", {"access": "granted"})
    first = revoke()
    restart()
    again = revoke()
    assert again["entry"] == first["entry"] and again["again"] is True
    assert again["complete"] and (again["concerned"], again["acknowledged"]) == (1, 1) and wall(again["safe_at"]) <= time.time() + 0.005
    assert revoke()["safe_at"] == again["safe_at"], "the same receipt from now on"

    d.facts("ada", {"access": "granted"})
    c = restart()
    overtaken = revoke()
    assert overtaken["superseded"] and "safe_at" not in overtaken
    assert c.value("door") is True, "what comes again changes nothing"


def test_the_longest_lease_of_all_processes_before_counts(daemon, client):
    d = daemon({"door": GRANTED}, {**SHORT, "lease": "4s"})
    d.facts("ada", {"access": "granted"})
    c = client(d, ["ada"])
    c.wait_value("door", True)
    c.wait_lease()
    for _ in range(2):
        d.process.process.kill()
        d.process.process.wait()
        d.config["lease"] = "1s"
        d.write_config()
        d.start()
    receipt = d.facts("ada", {"access": "none"}, "wait=delivered").json
    assert receipt["complete"] and not holds_the_grant(c)

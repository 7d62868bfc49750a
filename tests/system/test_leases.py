# SPDX-License-Identifier: Apache-2.0
"""Leases and resuming: a client that cannot be sure that it hears changes is not told that it can."""

import os

from world import eventually

FLAG = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
        "factDefaults": {"access": "none"}, "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
HAS_FAULTS = os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan")


def test_a_lease_is_granted_behind_the_last_snapshot_of_hello_and_renewed_on_request(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, ["ada", "bo"])
    c.wait_lease()
    kinds = [f["type"] for f in c.frames]
    assert kinds == ["welcome", "snapshot", "snapshot", "lease"]
    assert c.frames[-1]["n"] == 0 and c.frames[-1]["duration"] == 30000
    c.renew(1)
    c.wait_lease(1)


def test_hello_without_watches_gets_its_lease_at_once_and_later_watches_get_snapshots(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d)
    c.wait_lease()
    c.watch(7, "ada")
    c.wait_value("door", False, watch=7)


def test_nothing_changed_meanwhile_means_a_lease_and_nothing_else(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, ["ada"])
    c.wait_lease()
    point = c.resume_point()
    c.drop()
    eventually(lambda: [x["state"] for x in d.get("/v1/clients").json["clients"]] == ["held"], "held")
    back = client(d, ["ada"], resume=point)
    back.wait_lease()
    assert [f["type"] for f in back.frames] == ["welcome", "lease"]


def test_a_resume_point_of_another_epoch_gets_a_snapshot(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, ["ada"])
    c.wait_lease()
    point = c.resume_point()
    d.stop()
    d.start()
    back = client(d, ["ada"], resume=point)
    back.wait_lease()
    assert [f["type"] for f in back.frames] == ["welcome", "snapshot", "lease"]


def test_another_context_is_another_view_and_gets_a_snapshot(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, ["ada"])
    c.wait_lease()
    point = c.resume_point()
    c.drop()
    back = client(d, ["bo"], resume=point)
    back.wait_lease()
    assert len(back.snapshots) == 1


def test_once_is_one_snapshot_that_is_not_kept(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d)
    c.wait_lease()
    c.watch(1, {"context": {"targetingKey": "ada"}, "once": True})
    c.wait(lambda c: c.snapshots, "snapshot")
    assert c.snapshots[0]["once"] is True
    assert d.facts("ada", {"access": "granted"}, "wait=delivered").json["concerned"] == 0


def test_unwatch_ends_a_watch_and_an_unknown_one_is_an_error_that_keeps_the_connection(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, ["ada"])
    c.wait_lease()
    c.send({"type": "unwatch", "watch": 1})
    c.send({"type": "unwatch", "watch": 99})
    c.wait(lambda c: c.errors, "error")
    assert c.errors[0]["code"] == "unknown_watch" and c.errors[0]["watch"] == 99
    c.renew(1)
    c.wait_lease(1)


def test_only_flags_that_are_asked_for_and_visible_are_seen(daemon, client):
    hidden = {**FLAG, "visibility": "server"}
    d = daemon({"door": FLAG, "vault": hidden})
    c = client(d, [{"context": {"targetingKey": "ada"}, "flags": ["door", "none-such"]}, {"context": {"targetingKey": "ada"}}])
    c.wait_lease()
    assert set(c.watches[1]["flags"]) == {"door"}
    assert set(c.watches[2]["flags"]) == {"door", "vault"}, "evaluate:any sees server flags"


def test_bad_frames_are_named_and_close_the_connection(daemon, client):
    d = daemon({"door": FLAG})
    c = client(d, hello=False)
    c.send("{not json")
    c.wait(lambda c: c.closed, "close")
    assert c.closed[0] == 4400 and c.errors[0]["code"] == "bad_frame"
    c = client(d, hello=False)
    c.send({"type": "renew", "n": 1})
    c.wait(lambda c: c.closed, "close")
    assert c.closed[0] == 4400


if HAS_FAULTS:  # fault points exist in the builds with sanitizers only

    def test_a_core_that_hangs_grants_no_lease_and_what_it_missed_comes_first_afterwards(daemon, client):
        d = daemon({"door": FLAG}, env={"FLAGSTAFF_FAULTS": "core.hang=ms:1500:40-40"})
        c = client(d, ["ada"])
        c.wait_lease()
        for n in range(1, 60):  # each renewal turns the core once: one of these turns hangs
            c.renew(n)
        d.facts("ada", {"access": "granted"}, "wait=delivered")
        c.wait_value("door", True)

    def test_a_late_journal_holds_up_grants_and_no_denial(daemon, client):
        d = daemon({"door": FLAG}, env={"FLAGSTAFF_FAULTS": "journal.commit=ms:400:12-40"})
        c = client(d, ["ada"])
        c.wait_lease()
        d.facts("ada", {"access": "granted"}, "")
        c.wait_value("door", True)
        d.facts("ada", {"access": "none"}, "")
        c.wait_value("door", False)

    def test_a_full_disk_acknowledges_nothing_and_readiness_is_off_until_it_is_over(daemon):
        d = daemon({"door": FLAG}, env={"FLAGSTAFF_FAULTS": "journal.commit=enospc:4-8"})
        answers = [d.facts("ada", {"access": "granted"}, "").status for _ in range(3)]
        assert 503 in answers
        eventually(lambda: d.facts("bo", {"access": "granted"}, "").status == 202, "accepted again")
        eventually(lambda: d.get("/readyz").status == 200, "ready again")

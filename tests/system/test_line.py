# SPDX-License-Identifier: Apache-2.0
"""The line: from an event to an acknowledged flag change, with the built-in source."""

from datetime import datetime, timedelta, timezone

VIP = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
       "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}}}
THEME = {"variants": {"dark": "#000", "light": "#fff"}, "defaultVariant": "light"}


def an_hour_ago():
    return (datetime.now(timezone.utc) - timedelta(hours=1)).isoformat()


def test_a_fact_reaches_the_watch_it_concerns_and_the_receipt_counts_its_acknowledgement(daemon, client):
    d = daemon({"vip": VIP})
    ada, bo = client(d, ["ada"]), client(d, ["bo"])
    ada.wait_value("vip", False), bo.wait_value("vip", False)
    ada.wait_lease(), bo.wait_lease()
    receipt = d.facts("ada", {"tier": "gold"}, "wait=delivered").json
    assert receipt["complete"] and receipt["concerned"] == 1 and receipt["acknowledged"] == 1
    flag = ada.wait_value("vip", True)
    assert flag["cause"]["kind"] == "event" and flag["cause"]["entry"] == receipt["entry"]
    assert flag["safe"] == {"value": False, "variant": "off"}
    bo.renew(1)
    bo.wait_lease(1)
    assert not bo.deltas


def test_an_ordinary_flag_has_no_safe_variant_and_an_access_flag_has(daemon, client):
    d = daemon({"vip": VIP, "theme": THEME})
    c = client(d, ["ada"])
    c.wait_value("theme", "#fff")
    assert "safe" not in c.flag("theme") and "safe" in c.flag("vip")


def test_why_tells_the_event_the_rule_and_who_has_acknowledged(daemon, client):
    d = daemon({"vip": VIP})
    c = client(d, ["ada"], name="shop")
    c.wait_lease()
    entry = d.facts("ada", {"tier": "gold"}, "wait=delivered").json["entry"]
    why = d.get("/v1/why?subject=ada&flag=vip").json
    assert why["value"]["value"] is True and why["cause"]["entries"] == [entry]
    assert why["facts"] == {"tier": "gold"}
    assert [x["acknowledged"] for x in why["clients"] if x["client"] == "shop"] == [True]


def test_history_tells_the_changes_of_a_cell_newest_first_and_why_tells_a_past_moment(daemon, client):
    d = daemon({"vip": VIP})
    client(d, ["ada"]).wait_lease()
    for tier in ("gold", "silver", "gold"):
        d.facts("ada", {"tier": tier}, "wait=delivered")
    changes = d.get("/v1/history?subject=ada&flag=vip").json["changes"]
    assert [c["to"]["value"] for c in changes] == [True, False, True, False]
    assert changes[-1]["from"] is None, "the first value comes from nothing"
    past = d.get(f"/v1/why?subject=ada&flag=vip&at={changes[1]['time']}").json
    assert past["to"]["value"] is False and past["entry"] == changes[1]["entry"]


def test_why_points_at_the_branch_that_decided_also_where_it_reads_a_decision(daemon, client):
    d = daemon({"lounge": {"variants": {"full": "full", "bar": "bar", "none": "none"}, "safeVariant": "none", "factDefaults": {"tier": "tin"},
                           "decision": {"rule": {"==": [{"var": "facts.tier"}, "gold"]}},
                           "targeting": {"if": [{"var": "decision.allowed"}, {"if": [{"==": [{"var": "team"}, "red"]}, "full", "bar"]}, "none"]}}})
    client(d, [{"context": {"targetingKey": "ada", "team": "red"}}]).wait_lease()
    assert d.get("/v1/why?subject=ada&flag=lounge").json["branch"] == "/if/2"
    d.facts("ada", {"tier": "gold"}, "wait=delivered")
    why = d.get("/v1/why?subject=ada&flag=lounge").json
    assert (why["value"]["value"], why["branch"]) == ("full", "/if/1/if/1")
    assert "/if/1/if/1" in d.command("why", "ada", "lounge").stdout


def test_why_tells_the_past_of_the_context_that_is_named(daemon, client):
    d = daemon({"team": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "factDefaults": {"tier": "none"},
                         "targeting": {"if": [{"and": [{"==": [{"var": "facts.tier"}, "gold"]}, {"==": [{"var": "team"}, "red"]}]}, "on", "off"]}}})
    client(d, [{"context": {"targetingKey": "ada", "team": "red"}}, {"context": {"targetingKey": "ada", "team": "blue"}}]).wait_lease()
    hashes = {c["context"]["team"]: c["hash"] for c in d.get("/v1/contexts?subject=ada").json["contexts"]}
    d.facts("ada", {"tier": "gold"}, "wait=delivered")
    now = d.get("/v1/history?subject=ada").json["changes"][0]["time"]
    values = {team: d.get(f"/v1/why?subject=ada&flag=team&at={now}&context={hash_[:12]}").json["to"]["value"] for team, hash_ in hashes.items()}
    assert values == {"red": True, "blue": False}


def test_a_repeated_event_is_one_event_and_the_same_identity_with_other_content_is_a_conflict(daemon, client):
    d = daemon({"vip": VIP})
    first = d.facts("ada", {"tier": "gold"}, "", id_="x").json["entries"][0]
    again = d.facts("ada", {"tier": "gold"}, "", id_="x").json["entries"][0]
    assert again == {"entry": first["entry"], "duplicate": True}
    assert d.facts("ada", {"tier": "gold"}, "wait=applied", id_="x").json["entry"] == first["entry"]
    other = d.facts("ada", {"tier": "tin"}, "", id_="x")
    assert other.status == 409 and other.json["error"]["code"] == "conflict"
    assert d.value("ada", "vip") is True


def test_facts_survive_a_restart_and_no_restored_answer_serves_before_it_was_made_anew(daemon, client):
    d = daemon({"vip": VIP})
    d.facts("ada", {"tier": "gold"})
    first_epoch = client(d, ["ada"]).wait_lease().epoch
    d.stop()
    d.start()
    c = client(d, ["ada"])
    c.wait_value("vip", True)
    assert c.epoch != first_epoch


def test_a_fact_expires_at_its_moment_without_an_event(daemon, client):
    d = daemon({"vip": {**VIP, "factDefaults": {"tier": "none"}}})
    c = client(d, ["ada"])
    c.wait_lease()
    d.event("flagstaff.facts", {"subject": "ada", "facts": {"tier": "gold"}, "ttl": "1s"}, "wait=applied")
    c.wait_value("vip", True)
    assert c.wait_value("vip", False)["cause"]["kind"] == "timer"


def test_of_one_fact_the_newest_time_wins_whatever_the_order_of_arrival(daemon):
    d = daemon({"vip": VIP})
    d.facts("ada", {"tier": "gold"})
    late = d.event("flagstaff.facts", {"subject": "ada", "facts": {"tier": "tin"}}, "wait=applied", time=an_hour_ago())
    assert late.json["superseded"] is True
    assert d.value("ada", "vip") is True


def test_a_changed_flag_file_is_loaded_and_a_broken_one_changes_nothing(daemon, client):
    d = daemon({"vip": VIP, "theme": THEME})
    c = client(d, ["ada"])
    c.wait_value("theme", "#fff")
    d.set_flags({"vip": VIP, "theme": {**THEME, "defaultVariant": "dark"}})
    assert c.wait_value("theme", "#000")["cause"]["kind"] == "config"
    d.set_flags("flags: [broken")
    d.process.wait_line(r"error flags: .*flags.yaml:2:1: ")
    d.set_flags({"vip": VIP})
    c.wait(lambda c: c.flag("theme") is None, "the removed flag is gone")
    assert c.flag("vip") is not None


def test_sigterm_drains_clients_are_told_to_go_and_the_exit_status_is_zero(daemon, client):
    d = daemon({"vip": VIP})
    c = client(d, ["ada"])
    c.wait_lease()
    assert d.stop() == 0
    c.wait(lambda c: c.goaway and c.closed, "goaway and close")
    assert c.goaway["code"] == "drain" and c.closed[0] == 1001

# SPDX-License-Identifier: Apache-2.0
"""What a credential fixes cannot be changed by what a client says; nobody sees more than he may."""

import pytest
from websockets.exceptions import InvalidStatus

ADMIN_ONLY = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
              "decision": {"rule": {"==": [{"var": "role"}, "admin"]}}}
SERVER_ONLY = {"variants": {"on": True, "off": False}, "defaultVariant": "on"}
BY_ACTOR = {"type": "string", "variants": {"agent": "agent", "person": "person"}, "defaultVariant": "person", "safeVariant": "agent",
            "visibility": "client", "decision": {"rule": {"if": [{"var": "actor.key"}, "agent", "person"]}}}
FLAGS = {"admin": ADMIN_ONLY, "internal": SERVER_ONLY, "acts": BY_ACTOR}


def with_key(d):
    d.key = d.key or d.add_key(["admin", "read", "operate", "events", "facts:*", "evaluate:any", "tickets", "metrics", "status:*"], name="root")
    return d


@pytest.fixture
def keyed(daemon):
    """A daemon in which keys were made, so that nobody is an operator by being local."""
    return with_key(daemon(FLAGS))


@pytest.fixture
def refusing(shared):
    """The same, one for all tests of what is refused."""
    return with_key(shared)


def ticket(d, **wish):
    answer = d.post("/v1/tickets", wish)
    assert answer.status == 201, answer
    return answer.json["ticket"]


def test_two_watches_of_one_subject_with_other_attributes_differ(daemon, client):
    d = daemon(FLAGS)
    c = client(d, [{"context": {"targetingKey": "ada", "role": "admin"}}, {"context": {"targetingKey": "ada", "role": "guest"}}])
    c.wait_value("admin", True, watch=1)
    c.wait_value("admin", False, watch=2)


def test_a_browser_that_claims_a_role_gains_nothing_and_is_told_what_was_dropped(keyed, client):
    c = client(keyed, [{"context": {"targetingKey": "ada", "role": "admin", "theme": "dark"}}],
               ticket=ticket(keyed, subject="ada", mayAdd=["theme"]), origin=keyed.url)
    c.wait_value("admin", False)
    assert c.watches[1]["dropped"] == ["role"]
    assert c.flag("internal") is None, "a browser sees client flags only"


def test_over_ofrep_and_at_the_command_line_it_is_told_what_was_dropped(keyed):
    own = keyed.add_key(["evaluate"], name="page", subject="ada", mayAdd=["theme"])
    one = keyed.evaluate("ada", "admin", key=own, role="admin", theme="dark").json
    assert one["value"] is False and one["metadata"]["flagstaff.dropped"] == "role"
    assert keyed.evaluate("ada", key=own, role="admin", theme="dark", color="blue").json["metadata"]["flagstaff.dropped"].split(",") == ["role", "color"]
    assert "flagstaff.dropped" not in keyed.evaluate("ada", key=own, theme="dark").json["metadata"]
    file = keyed.folder / "page.key"
    file.write_text(own)
    file.chmod(0o600)
    said = keyed.command("get", "ada", "--attribute", "role=admin", "--key-file", str(file))
    assert said.stderr == "flagstaff get: the key may not set these attributes: role\n"


def test_what_the_ticket_carries_overrides_what_the_page_says(keyed, client):
    c = client(keyed, [{"context": {"targetingKey": "ada", "role": "guest"}}],
               ticket=ticket(keyed, subject="ada", attributes={"role": "admin"}, mayAdd=["role"]), origin=keyed.url)
    c.wait_value("admin", True)


def test_an_agent_cannot_drop_or_change_its_actor(keyed, client):
    agent = keyed.add_key(["evaluate"], name="agent", subject="ada", actor={"key": "invoice-bot"})
    c = client(keyed, [{"context": {"targetingKey": "ada"}}, {"context": {"targetingKey": "ada", "actor": None}},
                       {"context": {"targetingKey": "ada", "actor": {"key": "somebody"}}}], key=agent)
    c.wait_lease()
    assert [c.value("acts", n) for n in (1, 2, 3)] == ["agent"] * 3
    assert keyed.evaluate("ada", "acts", key=agent, actor=None).json["value"] == "agent"


def test_a_bound_key_sees_its_own_subject_only(keyed, client):
    own = keyed.add_key(["evaluate"], subject="ada")
    c = client(keyed, ["ada", "bo"], key=own)
    c.wait(lambda c: c.errors, "refusal")
    assert c.errors[0]["code"] == "forbidden" and c.errors[0]["watch"] == 2
    c.wait_lease()
    answer = keyed.evaluate("bo", key=own)
    assert answer.status == 200, "an error would leave the previous user's values in force in the stock web provider"
    values = {f["key"]: f["value"] for f in answer.json["flags"]}
    assert values["admin"] is False and "internal" not in values and "eventStreams" not in answer.json


def test_a_ticket_is_used_once_from_its_origin_and_browsers_learn_of_a_bad_one_by_4401(keyed, client):
    once = ticket(keyed, subject="ada", origin=keyed.url)
    client(keyed, ["ada"], ticket=once, origin=keyed.url).wait_lease()
    again = client(keyed, ["ada"], ticket=once, origin=keyed.url)
    again.wait(lambda c: c.closed, "close")
    assert again.closed[0] == 4401
    bad = client(keyed, ["ada"], ticket="A" * 43, origin=keyed.url)
    bad.wait(lambda c: c.closed, "close")
    assert bad.closed[0] == 4401


def test_a_revoked_key_ends_its_connections_at_once_and_opens_no_more(keyed, client):
    key = keyed.add_key(["evaluate:any"], name="app")
    c = client(keyed, ["ada"], key=key)
    c.wait_lease()
    listed = [k for k in keyed.get("/v1/keys").json["keys"] if k["name"] == "app"][0]
    assert "hash" not in listed
    assert keyed.delete(f"/v1/keys/{listed['id']}").status == 200
    c.wait(lambda c: c.goaway and c.closed, "goaway and close")
    assert c.goaway["code"] == "revoked" and c.closed[0] == 4401
    with pytest.raises(InvalidStatus) as refused:
        client(keyed, ["ada"], key=key)
    assert refused.value.response.status_code == 401
    assert keyed.evaluate("ada", key=key).status == 401


@pytest.mark.parametrize("scopes, method, path, body", [
    (["evaluate:any"], "GET", "/v1/flags", None),
    (["read"], "POST", "/v1/keys", {"name": "x", "scopes": ["admin"]}),
    (["read"], "POST", "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "a"}}),
    (["events"], "GET", "/v1/clients", None),
    (["read"], "POST", "/v1/tickets", {"subject": "ada"}),
    (["metrics"], "GET", "/v1/why?subject=a&flag=admin", None),
    (["read"], "POST", "/v1/backup", {"file": "/tmp/x"}),
    (["status:other"], "POST", "/v1/opa/opa/status", {}),
])
def test_each_route_needs_its_scope(refusing, scopes, method, path, body):
    key = refusing.add_key(scopes)
    answer = refusing.get(path, key) if method == "GET" else refusing.post(path, body, key)
    assert answer.status == 403 and answer.json["error"]["code"] == "forbidden"


def test_the_scope_events_recomputes_and_writes_no_facts(keyed):
    key = keyed.add_key(["events"])
    assert keyed.event("flagstaff.recompute", {}, key=key).status == 202
    refused = keyed.event("flagstaff.facts", {"subject": "ada", "facts": {"tier": "gold"}}, key=key)
    assert refused.status == 403 and "facts:tier" in refused.json["error"]["message"]
    writer = keyed.add_key(["facts:tier"])
    assert keyed.event("flagstaff.facts", {"subject": "ada", "facts": {"tier": "gold"}}, key=writer).status == 202
    assert keyed.event("flagstaff.facts", {"subject": "ada", "facts": {"risk": 1}}, key=writer).status == 403


def test_a_receipt_is_seen_by_who_sent_its_event_and_by_who_may_read(keyed):
    """It names clients and subjects."""
    mine, other = [keyed.add_key(["events"], name=name) for name in ("mine", "other")]
    entry = keyed.event("flagstaff.recompute", {"subjects": ["ada"]}, "wait=applied", key=mine).json["entry"]
    assert keyed.get(f"/v1/receipts/{entry}", key=mine).json["entry"] == entry
    assert keyed.get(f"/v1/receipts/{entry}").status == 200, "may read"
    assert keyed.get(f"/v1/receipts/{entry}", key=other).status == 404


@pytest.mark.parametrize("wish", [
    {"subject": "ada", "origin": ""}, {"subject": "ada", "origin": 5}, {"subject": "ada", "origin": None},
    {"subject": "ada", "attributes": {"targetingKey": "bo"}}, {"subject": "ada", "attributes": {"facts": {}}},
    {"subject": "ada", "attributes": {"$flagd": 1}}, {"subject": "ada", "attributes": []}, {"subject": "ada", "mayAdd": "theme"}, {"subject": "ada", "ttl": 5}, {"subject": 42}, {"subject": ""}, {"subject": "ada", "mayAdd": ["theme", 5]},
])
def test_a_ticket_that_is_not_understood_is_not_given(refusing, wish):
    answer = refusing.post("/v1/tickets", wish)
    assert answer.status == 400 and answer.json["error"]["code"] == "invalid"


@pytest.mark.parametrize("description, named", [
    ({"scopes": ["read"], "subjct": "ada"}, "did you mean 'subject'"), ({"scopes": ["read"], "hash": "00"}, "hash is not known"),
    ({"scopes": ["read"], "origin": ""}, "origin"), ({"scopes": ["raed"]}, "raed"), ([], "object"),
    ({"scopes": ["read"], "subject": "ada", "attributes": {"targetingKey": "bo"}}, "targetingKey"),
    ({"scopes": ["read"], "attributes": {"facts": {}}}, "reserved"),
])
def test_a_key_that_is_described_wrongly_is_not_made(refusing, description, named):
    before = len(refusing.get("/v1/keys").json["keys"])
    answer = refusing.post("/v1/keys", description)
    assert answer.status == 400 and named in answer.json["error"]["message"]
    assert len(refusing.get("/v1/keys").json["keys"]) == before


def test_a_ticket_goes_with_its_key_and_so_does_its_connection(keyed, client):
    issuer = keyed.add_key(["tickets"], name="issuer")
    used, unused = [keyed.post("/v1/tickets", {"subject": "ada"}, issuer).json["ticket"] for _ in range(2)]
    c = client(keyed, ["ada"], ticket=used, origin=keyed.url)
    c.wait_lease()
    issuer_id = [k for k in keyed.get("/v1/keys").json["keys"] if k["name"] == "issuer"][0]["id"]
    assert keyed.delete(f"/v1/keys/{issuer_id}").status == 200
    c.wait(lambda c: c.goaway and c.closed, "goaway and close")
    assert c.goaway["code"] == "revoked" and c.closed[0] == 4401
    late = client(keyed, ["ada"], ticket=unused, origin=keyed.url)
    late.wait(lambda c: c.closed, "close")
    assert late.closed[0] == 4401


def test_without_a_key_a_local_caller_is_an_operator_until_the_first_key_was_made(daemon):
    d = daemon(FLAGS)
    assert d.get("/v1/flags").status == 200
    d.add_key(["admin"])
    assert d.get("/v1/flags").status == 401
    d.stop()
    d.start(ready=False)
    assert d.get("/v1/flags").status == 401, "the mark outlives the process"
    assert d.get("/healthz").status == 200


def test_no_secret_reaches_the_log(keyed, client):
    key = keyed.add_key(["evaluate:any"], name="canary")
    used = ticket(keyed, subject="ada")
    client(keyed, ["ada"], key=key).wait_lease()
    client(keyed, ["ada"], ticket=used, origin=keyed.url).wait_lease()
    stream = keyed.evaluate("ada").json["eventStreams"][0]["url"].rsplit("/", 1)[1]
    process = keyed.process
    keyed.stop()
    for secret in (key.split("_", 2)[2], used, stream, keyed.key.split("_", 2)[2]):
        assert secret not in process.output

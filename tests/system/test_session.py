# SPDX-License-Identifier: Apache-2.0
"""An operator signs in at the dashboard: what a cookie proves, and what it does not. Each test is an attempt, or a rightful
act that must not be mistaken for one."""

import http.client
import json
import re

import pytest
from board import Board
from websockets.exceptions import InvalidStatus
from world import Client, eventually, http as send

DOOR = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client"}}
EVENT = {"specversion": "1.0", "id": "1", "source": "/tests", "type": "flagstaff.recompute", "data": {}}


class Page:
    """A browser at the dashboard: it keeps the cookie, says its Origin, and nothing else but what the test adds."""

    def __init__(self, daemon, key=None, origin=None):
        self.daemon, self.cookie, self.csrf, self.answer = daemon, None, None, None
        self.origin = daemon.url if origin is None else origin
        if key:
            self.sign_in(key)

    def headers(self, **more):
        headers = {"Origin": self.origin, **({"Cookie": self.cookie} if self.cookie else {}), **more}
        return {name: value for name, value in headers.items() if value}

    def sign_in(self, key):
        self.answer = send("POST", self.daemon.url + "/v1/session", {"key": key}, self.headers(**{"Content-Type": "application/json"}))
        if self.answer.status == 204:
            self.cookie = self.answer.headers["Set-Cookie"].split(";")[0]
            self.csrf = self.get("/v1/session").json["csrf"]
        return self.answer

    def get(self, path, **more):
        return send("GET", self.daemon.url + path, None, self.headers(**more))

    def act(self, method="POST", path="/v1/events", body=None, csrf=True, **more):
        token = {"X-Flagstaff-Csrf": self.csrf if csrf is True else csrf} if csrf else {}
        return send(method, self.daemon.url + path, body, self.headers(**{"Content-Type": "application/cloudevents+json", **token, **more}))


@pytest.fixture
def world(daemon):
    d = daemon(DOOR)
    d.key = d.add_key(["read", "operate", "admin", "events"], name="the admin")
    return d


def code(answer):
    return answer.status, answer.json["error"]["code"]


def test_signing_in_gives_a_cookie_that_no_script_can_read_and_tells_who_one_is(world):
    key = world.add_key(["read", "operate", "events"], name="Olga")
    page = Page(world, key)
    assert page.answer.status == 204 and page.answer.body == b""
    cookie = page.answer.headers["Set-Cookie"]
    assert re.fullmatch(r"flagstaff_session=[A-Za-z0-9_-]{43}; HttpOnly; SameSite=Strict; Path=/", cookie)
    who = page.get("/v1/session").json
    assert who["operator"] == {"id": key.split("_")[1], "name": "Olga", "role": "operator", "scopes": ["events", "read", "operate"]}
    assert who["mode"] == "session" and re.fullmatch(r"[A-Za-z0-9_-]{43}", who["csrf"]) and who["csrf"] not in cookie
    assert who["expires"].endswith("Z") and who["version"] and who["epoch"].startswith("e-")
    assert page.get("/v1/flags").status == 200
    assert page.act(body=EVENT).status == 202


def test_roles_follow_the_scopes_and_a_key_or_the_loopback_operator_is_told_too(daemon):
    d = daemon(DOOR)
    assert (d.get("/v1/session").json["mode"], d.get("/v1/session").json["operator"]["role"]) == ("loopback", "admin")
    d.key = d.add_key(["read", "operate", "admin"])
    for scopes, role in ((["read"], "viewer"), (["read", "operate"], "operator"), (["read", "admin"], "admin")):
        who = d.get("/v1/session", key=d.add_key(scopes)).json
        assert (who["mode"], who["operator"]["role"], who["csrf"]) == ("key", role, None)
    assert code(d.get("/v1/session", key=d.add_key(["evaluate:any"]))) == (403, "forbidden")
    assert code(send("GET", d.url + "/v1/session")) == (401, "unauthenticated")


def test_only_keys_that_may_look_can_sign_in_and_a_bad_one_learns_nothing(world):
    page = Page(world)
    for bad in ("", "x", "flagstaff_aaaaaaaa_" + "a" * 43, world.key[:-1] + ("a" if world.key[-1] != "a" else "b")):
        assert code(page.sign_in(bad))[0] in (400, 401)
        assert "Set-Cookie" not in page.answer.headers
    assert code(page.sign_in(world.add_key(["evaluate:any", "events"]))) == (403, "forbidden")
    for body in ("", "[]", "{", '{"key": 1}', '{"key": "' + "a" * 5000 + '"}'):
        assert send("POST", world.url + "/v1/session", body, page.headers()).status in (400, 401, 413)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://localhost:1"])
def test_another_page_can_neither_sign_in_nor_act_nor_listen(world, origin):
    page = Page(world, world.key)
    assert page.act(body=EVENT).status == 202
    page.origin = origin
    assert page.act(body=EVENT).status == 403
    assert Page(world, origin=origin).sign_in(world.key).status == 403
    with pytest.raises(InvalidStatus) as refused:
        Board(world, headers={"Cookie": page.cookie}, origin=origin, bearer=False)
    assert refused.value.response.status_code == 403


def test_a_request_whose_session_ends_while_its_body_arrives_does_not_run(world):
    page = Page(world, world.add_key(["read", "operate", "events"]))
    body = json.dumps(EVENT).encode()
    connection = http.client.HTTPConnection("127.0.0.1", world.port, timeout=60)
    connection.putrequest("POST", "/v1/events")
    for name, value in page.headers(**{"Content-Type": "application/cloudevents+json", "X-Flagstaff-Csrf": page.csrf,
                                       "Content-Length": str(len(body)), "Expect": "100-continue"}).items():
        connection.putheader(name, value)
    connection.endheaders()
    assert connection.sock.recv(100).startswith(b"HTTP/1.1 100"), "the head was taken"
    connection.send(body[:10])
    assert page.act("DELETE", "/v1/session").status == 204
    connection.send(body[10:])
    answer = connection.getresponse()
    assert answer.status == 401 and "the session has ended" in answer.read().decode()
    assert EVENT["id"] not in [entry.get("event", {}).get("id") for entry in world.get("/v1/entries?limit=50").json["entries"]]


def test_an_origin_that_may_evaluate_flags_is_still_not_our_own(daemon):
    d = daemon(DOOR, {"origins": ["https://app.example"]})
    d.key = d.add_key(["read", "operate", "admin", "events"])
    page = Page(d, d.key)
    page.origin = "https://app.example"
    assert code(page.act(body=EVENT)) == (403, "csrf")
    assert code(page.act("DELETE", "/v1/session")) == (403, "csrf")
    assert code(Page(d, origin="https://app.example").sign_in(d.key)) == (403, "csrf")
    assert d.get("/v1/flags", Origin="https://app.example").status == 200, "with a key of its own it is welcome"


def test_a_cookie_alone_changes_nothing(world):
    page = Page(world, world.key)
    other = Page(world, world.key)
    assert page.csrf != other.csrf
    for token in (None, "", "x", other.csrf, page.cookie.split("=")[1], page.csrf + "x", page.csrf[:-1]):
        assert code(page.act(body=EVENT, csrf=token)) == (403, "csrf")
        assert code(page.act("DELETE", "/v1/session", csrf=token)) == (403, "csrf")
        assert code(page.act("POST", "/v1/keys", {"name": "mine", "scopes": ["admin"]}, csrf=token)) == (403, "csrf")
    page.origin = ""
    assert code(page.act(body=EVENT)) == (403, "csrf"), "every browser says its Origin there"
    page.origin = world.url
    assert page.act(body=EVENT).status == 202


def test_a_key_in_a_header_needs_no_token(world):
    page = Page(world, world.key)
    assert page.act(body=EVENT, csrf=None, Authorization=f"Bearer {world.key}").status == 202


def test_after_signing_out_the_cookie_is_worth_nothing(world):
    page = Page(world, world.key)
    answer = page.act("DELETE", "/v1/session")
    assert answer.status == 204 and "flagstaff_session=;" in answer.headers["Set-Cookie"] and "Max-Age=0" in answer.headers["Set-Cookie"]
    assert code(page.get("/v1/flags")) == (401, "unauthenticated")
    assert code(page.act(body=EVENT)) == (401, "unauthenticated")
    assert code(page.act("DELETE", "/v1/session")) == (401, "unauthenticated")


def open_board(world, page):
    board = Board(world, headers={"Cookie": page.cookie}, origin=page.origin, bearer=False)
    board.view()
    return board


def told_and_closed(board, goaway):
    board.wait(lambda b: b.closed, "closed")
    assert board.of("goaway")[-1]["code"] == goaway and board.closed[0] == 4401


def test_a_board_by_cookie_ends_with_signing_out(world):
    page, other = Page(world, world.key), Page(world, world.key)
    board, stays = open_board(world, page), open_board(world, other)
    assert page.act("DELETE", "/v1/session").status == 204
    told_and_closed(board, "expired")
    assert not stays.closed and other.get("/v1/flags").status == 200
    stays.close()
    with pytest.raises(InvalidStatus) as refused:
        Board(world, headers={"Cookie": page.cookie}, bearer=False)
    assert refused.value.response.status_code == 401


def test_revoking_the_key_ends_its_sessions_and_their_boards(world):
    key = world.add_key(["read", "operate", "events"])
    page = Page(world, key)
    board = open_board(world, page)
    assert world.delete("/v1/keys/" + key.split("_")[1]).status == 200
    told_and_closed(board, "revoked")
    assert code(page.get("/v1/flags")) == (401, "unauthenticated")
    assert code(page.act(body=EVENT)) == (401, "unauthenticated")


def test_a_session_ends_with_its_time_and_its_board_with_it(daemon):
    d = daemon(DOOR, {"sessionTtl": "1s"})
    d.key = d.add_key(["read", "admin"])
    page = Page(d, d.key)
    board = open_board(d, page)
    told_and_closed(board, "expired")
    assert code(page.get("/v1/flags")) == (401, "unauthenticated")


def test_a_viewer_may_look_and_nothing_more(world):
    page = Page(world, world.add_key(["read"]))
    board = open_board(world, page)
    board.close()
    key = world.add_key(["evaluate:any"], name="of the client")
    client = Client(world, [{"id": "ada", "context": {"targetingKey": "ada"}}], key=key).wait(lambda c: c.welcome, "welcome")
    kill, force = ({"kind": kind, "flag": "door", "reason": "x", **more} for kind, more in (("kill", {}), ("force", {"variant": "off"})))
    assert world.post("/v1/overrides?wait=applied", kill).status == 200  # for the viewer to release
    key_id, standing = key.split("_")[1], world.get("/v1/overrides").json
    orders = [("POST", "/v1/overrides", kill), ("POST", "/v1/overrides", force), ("POST", "/v1/overrides", {**force, "variant": "on"}),
              ("POST", "/v1/overrides", {**kill, "subject": "ada"}), ("DELETE", "/v1/overrides?flag=door&reason=x", None)]
    for method, path, body in [*orders, *((m, f"{p}{'&' if '?' in p else '?'}dry_run=true", b) for m, p, b in orders),
                               ("POST", "/v1/events", EVENT), ("POST", "/v1/events?dry_run=true", EVENT),
                               ("POST", "/v1/keys", {"name": "x", "scopes": ["admin"]}), ("DELETE", f"/v1/keys/{key_id}", None),
                               ("GET", "/v1/keys", None), ("POST", "/v1/backup", {"file": "/nowhere"}),
                               ("DELETE", f"/v1/clients/{client['session']}?reason=x", None),
                               ("DELETE", "/v1/subjects?subject=ada&reason=x", None), ("POST", "/v1/tickets", {"subject": "ada"}),
                               ("POST", "/v1/opa/status", []), ("POST", "/v1/sources/builtin/test", {}),
                               ("POST", "/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "ada"}}),
                               ("POST", "/ofrep/v1/evaluate/flags/door", {"context": {"targetingKey": "ada"}})]:
        answer = page.act(method, path, body)
        assert answer.status == 403 and answer.json.get("error", {}).get("code") != "csrf", (method, path, answer)
    assert world.get("/v1/overrides").json == standing, "what stood stands"
    assert client["session"] in json.dumps(world.get("/v1/clients").json), "nobody was disconnected"


def test_a_key_without_read_gets_no_board(world):
    with pytest.raises(InvalidStatus) as refused:
        Board(world, key=world.add_key(["evaluate:any"]))
    assert refused.value.response.status_code == 403


def test_sessions_of_one_key_are_bounded_the_oldest_goes(world):
    key = world.add_key(["read"])
    pages = [Page(world, key) for _ in range(17)]
    assert [p.get("/v1/flags").status for p in pages] == [401] + [200] * 16


def test_signing_in_anew_ends_the_session_before_it(world):
    page = Page(world, world.key)
    before = page.cookie
    page.sign_in(world.key)
    assert page.cookie != before
    page.cookie, after = before, page.cookie
    assert page.get("/v1/flags").status == 401
    page.cookie = f"flagstaff_session={'a' * 43}; other=1; {after}"
    assert page.get("/v1/flags").status == 200, "a cookie of that name from elsewhere does not lock out"


def test_nothing_secret_is_logged_or_told(world):
    page = Page(world, world.key)
    page.act("DELETE", "/v1/session")
    secrets = [world.key, page.cookie.split("=")[1], page.csrf]
    eventually(lambda: "signed out" in world.process.output, "the log tells of it")
    shown = world.process.output + json.dumps(world.get("/v1/clients").json) + world.get("/metrics").body.decode()
    assert not [s for s in secrets if s in shown]


def test_behind_https_the_cookie_stays_there(daemon):
    d = daemon(DOOR, {"publicUrl": "https://flags.example", "hosts": ["flags.example"]})
    d.key = d.add_key(["read", "admin"])
    connection = http.client.HTTPConnection("127.0.0.1", d.port, timeout=10)
    connection.request("POST", "/v1/session", json.dumps({"key": d.key}), {"Host": "flags.example", "Origin": "https://flags.example"})
    answer = connection.getresponse()
    assert answer.status == 204 and answer.headers["Set-Cookie"].endswith("; Secure")

# SPDX-License-Identifier: Apache-2.0
"""The door: what a stranger may send, how much of it, and what he is told."""

import json
import socket
from http.client import HTTPConnection

import pytest
from websockets.exceptions import InvalidStatus
from world import eventually, http

FLAGS = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off"}}


def raw(d, text, until=b"\r\n\r\n", timeout=10):
    """Sends bytes as they stand and gives what comes back until the other side closes or `until` was seen."""
    with socket.create_connection(("127.0.0.1", d.port), timeout=timeout) as s:
        s.sendall(text.replace("\n", "\r\n").encode() if isinstance(text, str) else text)
        got = b""
        while until not in got:
            part = s.recv(65536)
            if not part:
                break
            got += part
        return got.decode(errors="replace")


def status(answer):
    """None: there was no answer. What the library itself refuses before it has read the version is answered in HTTP/1.0."""
    return int(answer.split(" ", 2)[1]) if answer.startswith(("HTTP/1.1 ", "HTTP/1.0 ")) else None


def test_an_upgrade_to_h2c_is_refused_and_the_daemon_lives(daemon):
    """libwebsockets 4.1 is memory-unsafe on the plain upgrade to HTTP/2 (CVE-2026-19773); the daemon's own has no HTTP/2."""
    d = daemon(FLAGS)
    for settings in ("AAMAAABkAAQAoAAAAAIAAAAA", "A" * 4000, "", "%%%"):
        answer = raw(d, f"GET / HTTP/1.1\nHost: 127.0.0.1:{d.port}\nConnection: Upgrade, HTTP2-Settings\nUpgrade: h2c\n"
                        f"HTTP2-Settings: {settings}\n\n")
        assert status(answer) in (400, 426, 431)
    assert status(raw(d, "PRI * HTTP/2.0\n\nSM\n\n")) in (400, 403, 404, 405)
    assert d.get("/healthz").status == 200


@pytest.mark.parametrize("host", ["evil.example", "127.0.0.1.evil.example:80", "", "localhost.evil.example"])
def test_a_strange_host_is_403_before_anything_else(shared, host):
    assert status(raw(shared, f"GET /v1/flags HTTP/1.1\nHost: {host}\n\n")) in (400, 403)
    upgrade = (f"GET /v1/ws HTTP/1.1\nHost: {host}\nConnection: Upgrade\nUpgrade: websocket\nSec-WebSocket-Version: 13\n"
               "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\nSec-WebSocket-Protocol: flagstaff.v1\n\n")
    assert status(raw(shared, upgrade)) in (400, 403)


@pytest.mark.parametrize("origin", ["https://evil.example", "null", "http://127.0.0.1.evil.example", "http://127.0.0.1:1"])
def test_a_strange_origin_is_403_before_101(shared, client, origin):
    with pytest.raises(InvalidStatus) as refused:
        client(shared, ["ada"], origin=origin)
    assert refused.value.response.status_code == 403


def test_cors_answers_the_configured_origin_and_no_other(daemon):
    d = daemon(FLAGS, {"origins": ["https://app.example"]})
    ask = {"Access-Control-Request-Method": "POST", "Access-Control-Request-Headers": "content-type,if-none-match"}
    yes = http("OPTIONS", d.url + "/ofrep/v1/evaluate/flags", headers={"Origin": "https://app.example", **ask})
    assert yes.status in (200, 204) and yes.headers["Access-Control-Allow-Origin"] == "https://app.example"
    assert "if-none-match" in yes.headers["Access-Control-Allow-Headers"].lower()
    no = http("OPTIONS", d.url + "/ofrep/v1/evaluate/flags", headers={"Origin": "https://evil.example", **ask})
    assert "Access-Control-Allow-Origin" not in no.headers
    key = d.add_key(["evaluate:any"])
    answer = d.post("/ofrep/v1/evaluate/flags", {"context": {"targetingKey": "ada"}}, key, Origin="https://app.example")
    assert answer.status == 200 and "etag" in answer.headers["Access-Control-Expose-Headers"].lower()


@pytest.mark.parametrize("size, expected", [(1 << 20, (200, 202, 400)), ((1 << 20) + 1, (413,))])
def test_a_body_over_the_limit_is_413(daemon, size, expected):
    d = daemon(FLAGS)
    body = b'{"context":{"x":"' + b"y" * (size - 20) + b'"}}'
    assert d.post("/ofrep/v1/evaluate/flags", body.ljust(size, b" ")[:size]).status in expected


def test_a_connection_goes_on_behind_an_answer_whoever_gave_it(daemon):
    """A plain flag is answered by the door itself, an access flag by the core."""
    d = daemon({"door": FLAGS["door"], "gate": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "decision": {"rule": {"==": [{"var": "targetingKey"}, "ada"]}}}})
    wire = HTTPConnection("127.0.0.1", d.port, timeout=10)
    wire.connect()
    kept = wire.sock
    for flag in ("door", "gate", "door", "door"):
        wire.request("POST", f"/ofrep/v1/evaluate/flags/{flag}", json.dumps({"context": {"targetingKey": "ada"}}), {"Authorization": f"Bearer {d.key}"} if d.key else {})
        answer = wire.getresponse()
        assert answer.status == 200 and json.loads(answer.read())["key"] == flag
        assert answer.headers.get("Connection") is None and wire.sock is kept
    wire.close()


@pytest.mark.parametrize("name, size", [("User-Agent", 9000), ("User-Agent", 20000), ("X-Long", 20000), ("X" * 20000, 1)])
def test_a_head_over_the_limit_is_431(daemon, name, size):
    d = daemon(FLAGS)
    assert status(raw(d, f"GET / HTTP/1.1\nHost: 127.0.0.1:{d.port}\n{name}: {'x' * size}\n\n")) == 431
    assert d.get("/healthz").status == 200


@pytest.mark.parametrize("name", ["X", "X-A", "X-Real", "X-Forwarded", "Auth", "User", "Sec", "Content", "If", "C", "T"])
def test_no_header_hides_the_one_behind_it(daemon, name):
    """libwebsockets as it comes takes a name that is the beginning of a known one for one that includes the next line."""
    d = daemon(FLAGS)
    head = f"GET /v1/flags HTTP/1.1\nHost: 127.0.0.1:{d.port}\n"
    assert status(raw(d, f"{head}{name}: 1\n\n")) == status(raw(d, f"{head}\n"))
    key = d.add_key(["read"])
    assert status(raw(d, f"{head}{name}: 1\nAuthorization: Bearer {key}\n\n")) == 200
    assert status(raw(d, f"{head}Authorization: Bearer {key}\n{name}: 1\nOrigin: http://evil.example\n\n")) == 403
    assert status(raw(d, f"{head}Authorization: Bearer {key}\n{name}: 1\nTransfer-Encoding: chunked\n\n0\n\n")) == 411


@pytest.mark.parametrize("line", ["X-A", "Transfer-Encoding : chunked", " folded", ": no name", "POST /other HTTP/1.1"])
def test_a_line_that_is_no_header_is_400(daemon, line):
    d = daemon(FLAGS)
    assert status(raw(d, f"GET /healthz HTTP/1.1\nHost: 127.0.0.1:{d.port}\n{line}\n\n")) == 400


def test_a_message_over_the_frame_limit_closes_1009_and_a_binary_one_1003(daemon, client):
    d = daemon(FLAGS)
    c = client(d, ["ada"])
    c.wait_lease()
    c.send(json.dumps({"type": "ack", "revision": 1, "x": "y" * 70000}))
    c.wait(lambda c: c.closed, "close")
    assert c.closed[0] == 1009
    c = client(d, ["ada"])
    c.wait_lease()
    c.socket.send(b"\x00\x01")
    c.wait(lambda c: c.closed, "close")
    assert c.closed[0] == 1003


def test_who_does_not_say_hello_is_closed_with_4408(daemon, client):
    d = daemon(FLAGS, {"limits": {"hello": "300ms"}})
    c = client(d, hello=False)
    c.wait(lambda c: c.closed, "close")
    assert c.closed[0] == 4408


def test_connections_of_one_key_are_limited(daemon, client):
    d = daemon(FLAGS, {"limits": {"connectionsPerKey": 3}})
    kept = [client(d, ["ada"]).wait_lease() for _ in range(3)]
    with pytest.raises(InvalidStatus) as refused:
        client(d, ["ada"])
    assert refused.value.response.status_code == 429
    kept[0].close()

    def again():
        try:
            return client(d, ["ada"])
        except InvalidStatus:
            return None
    eventually(again, "a place is free again").wait_lease()


def test_watches_of_a_connection_and_the_size_and_depth_of_a_context_are_limited(daemon, client):
    d = daemon(FLAGS, {"limits": {"watches": 2, "contextSize": "1KiB", "contextDepth": 3}})
    c = client(d, ["ada", "bo"])
    c.wait_lease()
    c.watch(3, "cy")
    c.wait(lambda c: c.errors, "limit")
    assert c.errors[0]["code"] == "limit" and c.errors[0]["watch"] == 3
    flag = next(iter(FLAGS))
    big = d.evaluate("ada", flag, note="x" * 2000)
    assert big.status == 400 and big.json["errorCode"] == "INVALID_CONTEXT"
    deep = d.evaluate("ada", flag, a={"b": {"c": {"d": 1}}})
    assert deep.status == 400 and deep.json["errorCode"] == "INVALID_CONTEXT"


@pytest.mark.parametrize("method, path, expected", [
    ("GET", "/nothing", 404), ("DELETE", "/v1/flags", 405), ("GET", "/v1/events", 405), ("GET", "/v1/why", 400),
    ("GET", "/v1/history?limit=0", 400), ("GET", "/v1/receipts/99", 404), ("POST", "/v1/opa/none/status", 404),
    ("GET", "/v1/contexts?subject=%FF", 400), ("POST", "/v1/events?wait=%FF", 400),
    ("GET", "/ofrep/v1/events/wrong", 401), ("GET", "/../../etc/passwd", 404), ("GET", "/v1/flags/%2e%2e", 404),
])
def test_what_is_wrong_with_a_request_is_said_as_json(shared, method, path, expected):
    answer = http(method, shared.url + path, b"{}" if method == "POST" else None, {"Content-Type": "application/json"} if method == "POST" else {})
    assert answer.status == expected
    assert answer.json["error"]["message"]


@pytest.mark.parametrize("content_type, body, code", [
    ("application/cloudevents+json", "{", 400), ("application/cloudevents+json", "[]", 400), ("text/plain", "x", 415),
    ("application/cloudevents+avro", "x", 415), ("application/cloudevents-batch+json", "{}", 400),
    ("application/cloudevents+json", '{"specversion":"1.0","id":"1","source":"/t","type":"com.example.foreign"}', 400),
    ("application/cloudevents+json", '{"specversion":"0.3","id":"1","source":"/t","type":"flagstaff.recompute"}', 400),
])
def test_a_wrong_event_is_refused_whole_and_nothing_is_journaled(shared, content_type, body, code):
    before = shared.metrics()["flagstaff_journal_entries"]
    assert shared.post("/v1/events", body, content_type=content_type).status == code
    batch = [{"specversion": "1.0", "id": str(i), "source": "/t", "type": "flagstaff.recompute", "data": {}} for i in range(3)]
    batch[1]["type"] = ""
    refused = shared.post("/v1/events", batch, content_type="application/cloudevents-batch+json")
    assert refused.status == 400 and "1" in refused.json["error"]["message"]
    assert shared.metrics()["flagstaff_journal_entries"] == before


def test_a_batch_with_a_conflict_leaves_nothing_behind(daemon):
    d = daemon(FLAGS)

    def event(id_, **data):
        return {"specversion": "1.0", "id": id_, "source": "/t", "type": "flagstaff.facts", "data": {"subject": "ada", "facts": data}}

    assert d.post("/v1/events", event("taken", a=1), content_type="application/cloudevents+json").status == 202
    before = d.metrics()["flagstaff_journal_entries"]
    refused = d.post("/v1/events", [event("new", b=1), event("taken", a=2), event("newer", c=1)],
                     content_type="application/cloudevents-batch+json")
    assert refused.status == 409 and "event 1" in refused.json["error"]["message"]
    assert d.metrics()["flagstaff_journal_entries"] == before and d.metrics()["flagstaff_facts"] == 1
    again = d.post("/v1/events", [event("new", b=1), event("taken", a=1), event("newer", c=1)],
                   content_type="application/cloudevents-batch+json")
    assert again.status == 202 and [e.get("duplicate", False) for e in again.json["entries"]] == [False, True, False]


def test_a_full_table_of_facts_takes_changes_of_what_is_known_and_nothing_new(daemon):
    d = daemon(FLAGS, {"limits": {"facts": 2}})
    d.facts("ada", {"a": 1, "b": 1})
    assert d.facts("ada", {"c": 1}).status == 429
    assert d.facts("ada", {"a": 2}).status == 200
    assert d.event("flagstaff.facts", {"subject": "ada", "remove": ["b"]}, "wait=applied").status == 200
    assert d.facts("bo", {"a": 1}).status == 429


def test_a_batch_is_taken_whole(daemon):
    d = daemon(FLAGS)
    batch = [{"specversion": "1.0", "id": str(i), "source": "/t", "type": "flagstaff.recompute", "data": {}} for i in range(50)]
    answer = d.post("/v1/events", batch, content_type="application/cloudevents-batch+json")
    assert answer.status == 202 and len(answer.json["entries"]) == 50
    numbers = [e["entry"] for e in answer.json["entries"]]
    assert numbers == sorted(numbers) and len(set(numbers)) == 50


def test_many_connections_that_send_rubbish_and_vanish_leave_nothing_behind(daemon, client):
    d = daemon(FLAGS)
    for i in range(60):
        with socket.create_connection(("127.0.0.1", d.port)) as s:
            s.sendall([b"\x16\x03\x01\x02\x00", b"GET / HTTP/1.1\r\nHo", b"\x00" * 50, b"GET /v1/ws HTTP/1.1\r\n\r\n"][i % 4])
    client(d, ["ada"]).wait_lease()
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="websocket"}'] == 1, "one session")

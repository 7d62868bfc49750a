# SPDX-License-Identifier: Apache-2.0
"""The board's feed: what an operator's page shows is what clients hold, and stays so."""

import json
import socket

import pytest
from board import Board
from websockets.exceptions import InvalidStatus, NegotiationError
from websockets.sync.client import connect
from world import eventually

EXPORT = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
          "decision": {"rule": {"<": [{"var": "facts.risk"}, 50]}}, "factDefaults": {"risk": 0}}
BANNER = {"variants": {"red": "red", "blue": "blue"}, "defaultVariant": "red"}


@pytest.fixture
def board():
    """board(daemon, ...) opens one."""
    opened = []

    def make(*arguments, **more):
        opened.append(Board(*arguments, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_view_shows_what_is_watched_and_each_flip_with_its_cause_and_its_delivery(daemon, client, board):
    d = daemon({"export": EXPORT, "banner": BANNER})
    c = client(d, ["ada"])
    c.wait_lease()
    b = board(d)
    b.wait(lambda b: b.of("welcome"), "welcome")
    assert b.frames[0]["epoch"] == c.epoch and b.frames[0]["limits"] == {"views": 4, "rows": 10000}
    view = b.view()
    assert view.total == 2 and {r["flag"] for r in view.rows.values()} == {"export", "banner"}
    row = view.find("ada", "export")
    assert (row["value"], row["variant"], row["reason"], row["source"], row["state"]) == (True, "on", "TARGETING_MATCH", "builtin", "watched")
    assert view.find("ada", "banner")["source"] is None
    cell = row["cell"]
    entry = d.facts("ada", {"risk": 90}).json["entry"]
    row = b.wait_value("ada", "export", False)
    assert (row["cell"], row["cause_kind"], row["cause_entry"]) == (cell, "event", entry)
    b.wait(lambda b: (r := b.views[1].rows[cell])["acked"] == r["watching"] == 1, "delivered 1/1")
    assert b.of("changes")[-1]["rows"][0][3] == "export", "only what changed"


def people(count):
    return [f"p{n:03}" for n in range(count)]


def test_filters_let_through_what_fits_all_of_their_conditions(daemon, client, board):
    d = daemon({"export": EXPORT, "banner": BANNER})
    d.facts("Bo", {"risk": 90})
    client(d, ["ada", "Bo", "agent:7"]).wait_lease()
    b = board(d)

    def shown(**condition):
        b.view(filter=condition)
        return {(r["subject"], r["flag"]) for r in b.views[1].rows.values()}

    everybody = {(s, f) for s in ("ada", "Bo", "agent:7") for f in ("export", "banner")}
    assert shown() == shown(q="") == shown(subject="*") == everybody
    assert shown(q="BO") == {("Bo", "export"), ("Bo", "banner")}, "a part, in any case"
    assert shown(q="anne") == {(s, f) for s, f in everybody if f == "banner"}, "of the flag too"
    assert shown(subject="a*") == {(s, f) for s, f in everybody if s != "Bo"}
    assert shown(subject="a") == set() and b.views[1].total == 0
    assert shown(flag="export", variant="off") == {("Bo", "export")}
    assert shown(reason="STATIC") == shown(flag="banner")
    assert shown(source="builtin") == shown(flag="export")
    assert shown(subject="ada", flag="ban*", q="D") == {("ada", "banner")}
    b.view(filter={"variant": "off"})
    d.facts("ada", {"risk": 90})
    b.wait_value("ada", "export", False)
    assert b.views[1].total == 2
    d.facts("Bo", {"risk": 1})
    b.wait(lambda b: not b.views[1].find("Bo", "export"), "what no longer fits is gone")
    assert b.views[1].total == 1


def test_a_view_has_the_first_rows_of_its_order_and_tells_how_many_there_are(daemon, client, board):
    d = daemon({"export": EXPORT})
    client(d, people(20)).wait_lease()
    b = board(d)
    by_subject = b.view(1, sort="subject", limit=5)
    by_change = b.view(2, sort="changed", limit=5)
    assert [r["subject"] for r in by_subject.rows.values()] == people(5) and by_subject.total == 20
    for subject in ("p017", "p003", "p011"):
        d.facts(subject, {"risk": 90})
        b.wait_value(subject, "export", False, view=2)
    newest = sorted(by_change.rows.values(), key=lambda r: -r["changed"])
    assert [r["subject"] for r in newest[:3]] == ["p011", "p003", "p017"] and len(by_change.rows) == 5, "whoever is pushed out is gone"
    b.wait_value("p003", "export", False, view=1)
    assert not by_subject.find("p017", "export"), "and what is not among the first is not told"
    b.view(1, sort="subject", limit=2)
    assert [r["subject"] for r in by_subject.rows.values()] == ["p000", "p001"], "the same number again is another view"


def test_a_board_has_four_views_and_hears_what_is_wrong_with_a_fifth(daemon, board):
    d = daemon({"export": EXPORT})
    b = board(d, check=False)
    for number in range(1, 5):
        b.view(number)

    def error(frame):
        before = len(b.of("error"))
        b.send(frame)
        b.wait(lambda b: len(b.of("error")) > before, f"an error for {frame}")
        return b.of("error")[-1]["code"], b.of("error")[-1].get("id")

    assert error({"type": "view", "id": 5}) == ("limit", 5)
    assert error({"type": "unview", "id": 9}) == ("unknown_view", 9)
    assert error({"type": "view", "id": 1, "sort": "age"}) == ("bad_frame", 1)
    assert error({"type": "view", "id": 1, "limit": 10001}) == ("bad_frame", 1)
    assert error({"type": "view", "id": 1, "filter": {"q": "x" * 1025}}) == ("bad_frame", 1)
    assert error({"type": "view"}) == ("bad_frame", None)
    assert error({"type": "hello"}) == ("unknown_type", None)
    b.send({"type": "unview", "id": 4})
    b.view(5)
    b.send("[]")
    b.wait(lambda b: b.closed, "what is no frame at all ends it")
    assert b.closed[0] == 4400


def test_a_board_that_comes_back_gets_what_it_missed_and_nothing_else(daemon, client, board):
    d = daemon({"export": EXPORT, "banner": BANNER})
    c = client(d, people(10))
    c.wait_lease()
    first = board(d)
    seen = first.view(sort="subject")
    first.wait(lambda b: all(r["acked"] == 1 for r in b.views[1].rows.values()), "all acknowledged")
    assert first.of("rows")[-1]["whole"], "it may come back"
    cut = board(d)
    cut.view(limit=19)
    assert not any("whole" in frame for frame in cut.of("rows")), "a view that its limit cuts may not"
    first.drop()
    d.facts("p004", {"risk": 90}, query="wait=delivered")
    second = board(d)
    second.views[1] = seen
    second.send({"type": "view", "id": 1, "sort": "subject", "since": {"epoch": first.frames[0]["epoch"], "revision": seen.revision}})
    second.wait_value("p004", "export", False)
    second.wait(lambda b: all(r["acked"] == 1 for r in b.views[1].rows.values()), "deliveries are told as they stand")
    assert not second.of("rows") and sum(len(f["rows"]) for f in second.of("changes")) <= 2, "one row changed; not all are told"
    assert len(seen.rows) == 20 and seen.total == 20


def test_where_that_cannot_be_told_a_snapshot_comes(daemon, client, board):
    d = daemon({"export": EXPORT})
    client(d, people(3)).wait_lease()
    b = board(d)
    view = b.view()
    epoch, revision = b.frames[0]["epoch"], view.revision
    for since in ({"epoch": "e-another", "revision": revision}, {"epoch": epoch, "revision": revision + 1000}):
        assert len(b.view(since=since).rows) == 3
    d.reload({"export": EXPORT, "banner": BANNER})
    b.wait(lambda b: b.views[1].whole and len(b.views[1].rows) == 6, "other flags: the view begins anew")
    assert len(b.view(since={"epoch": epoch, "revision": revision}).rows) == 6


def test_who_leaves_is_seen_to_leave_and_then_gone(daemon, client, board):
    d = daemon({"export": EXPORT}, {"hold": "1s", "lease": "1s"})
    stays, leaves = client(d, ["ada"]), client(d, ["bo"])
    stays.wait_lease(), leaves.wait_lease()
    b = board(d)
    b.view(filter={"subject": "bo"})
    assert b.views[1].find("bo", "export")["watching"] == 1
    leaves.close()
    b.wait(lambda b: (r := b.views[1].find("bo", "export")) is None or r["watching"] == 0, "nobody is connected")
    b.wait(lambda b: not b.views[1].rows and b.views[1].total == 0, "forgotten when hold is over")
    assert sum(len(f["gone"]) for f in b.of("changes")) == 1


def test_a_value_that_was_only_asked_for_is_seen_a_stream_is_streamed(daemon, client, board):
    d = daemon({"export": EXPORT})
    b = board(d)
    b.view()
    assert d.value("ada", "export") is True
    row = b.wait_value("ada", "export", True)
    assert (row["state"], row["watching"], row["acked"]) == ("seen", 0, 0)
    c = client(d, ["ada"])
    c.wait_lease()
    b.wait(lambda b: (r := b.views[1].find("ada", "export"))["state"] == "watched" and r["acked"] == r["watching"] == 1, "watched, with whom")


def test_a_client_that_takes_nothing_is_one_of_those_that_do_not_have_it(daemon, client, board):
    d = daemon({"export": EXPORT})
    client(d, ["ada"]).wait_lease()
    mute = client(d, ["ada"], ack=False)
    mute.wait_lease()
    b = board(d)
    b.view()
    d.facts("ada", {"risk": 90})
    b.wait(lambda b: (r := b.views[1].find("ada", "export"))["value"] is False and (r["acked"], r["watching"]) == (1, 2), "one of two")
    mute.wait_value("export", False)
    mute.send({"type": "ack", "revision": mute.revision})
    b.wait(lambda b: b.views[1].find("ada", "export")["acked"] == 2, "two of two")


def test_a_large_snapshot_comes_in_parts_in_order_with_its_texts_once(daemon, client, board):
    d = daemon({f"flag-{n:03}": BANNER for n in range(100)})
    client(d, people(40)).wait_lease()
    b = board(d)
    view = b.view(sort="flag", limit=10000)
    assert len(view.rows) == view.total == 4000
    order = [(r["flag"], r["subject"]) for r in view.rows.values()]
    assert order == sorted(order)
    parts = b.of("rows")
    assert len(parts) > 2 and all(p["more"] for p in parts[:-1]) and "more" not in parts[-1] and len({p["revision"] for p in parts}) == 1
    assert max(b.sizes) <= 65536 and all(len(p["dict"]) == len(set(p["dict"])) for p in parts)


def test_each_second_a_pulse_tells_how_things_are(daemon, client, board):
    d = daemon({"export": EXPORT})
    client(d, ["ada"]).wait_lease()
    b = board(d)
    b.wait(lambda b: b.of("pulse"), "a pulse at once")
    d.facts("ada", {"risk": 90})
    b.wait(lambda b: sum(p["flips"] for p in b.of("pulse")) == 1, "the flip is counted")
    p = b.of("pulse")[-1]
    assert (p["subjects"], p["contexts"], p["cells"], p["clients"]) == (1, 1, 1, 1)
    assert p["journal"] == {"healthy": True} and {"name": "builtin", "state": "up"} in p["sources"]


def test_entries_are_told_as_they_come_with_what_they_set_off(daemon, client, board):
    d = daemon({"export": EXPORT})
    client(d, ["ada", "bo"]).wait_lease()
    b, silent = board(d), board(d)
    b.send({"type": "entries", "on": True})
    b.view()
    entry = d.facts("ada", {"risk": 90}).json["entry"]
    b.wait(lambda b: [e for e in b.entries if e["entry"] == entry and e["flips"] == 1], "the event, and its flip")
    told = [e for e in b.entries if e["entry"] == entry][-1]
    assert (told["kind"], told["type"], told["subject"], told["summary"]) == ("event", "flagstaff.facts", "ada", "risk = 90 for ada")
    assert told["credential"] == "loopback"
    answer = d.get("/v1/entries?kind=event").json
    (paged,) = [e for e in answer["entries"] if e["entry"] == entry]
    assert paged.pop("questions") == 0 and list(paged.pop("stages"))[:1] == ["journaledMs"], "and when, which boards ask for"
    assert paged == told, "the page tells the same"
    assert not silent.entries
    b.send({"type": "entries", "on": False})
    b.view(2)
    later = d.facts("bo", {"risk": 90}).json["entry"]
    b.wait_value("bo", "export", False)
    assert not [e for e in b.entries if e["entry"] == later]


def test_entries_are_paged_and_chosen_by_kind(daemon):
    d = daemon({"export": EXPORT})
    numbers = [d.facts("ada", {"risk": n}).json["entry"] for n in range(7)]
    seen, before = [], None
    while True:
        page = d.get("/v1/entries?kind=event&limit=3" + (f"&before={before}" if before else "")).json
        assert len(page["entries"]) <= 3
        seen += [e["entry"] for e in page["entries"]]
        before = page.get("next")
        if not before:
            break
    assert seen == numbers[::-1]
    kinds = {e["kind"] for e in d.get("/v1/entries").json["entries"]}
    assert {"event", "start"} <= kinds and not kinds & {"tick", "answers", "timer"}
    for bad in ("limit=0", "limit=1001", "before=x", "before=0", "kind=tick", "kind=nonsense"):
        assert d.get("/v1/entries?" + bad).status == 400, bad


def test_a_board_is_told_when_the_service_goes_away(daemon, board):
    d = daemon({"export": EXPORT})
    b = board(d)
    b.view()
    assert d.stop() == 0
    b.wait(lambda b: b.closed, "closed")
    assert b.of("goaway")[-1] == {"type": "goaway", "code": "drain", "reconnectAfter": 500} and b.closed[0] == 1001


def deaf_board(daemon, frame):
    """A socket that opens a board, asks once (RFC 6455, 5.2: masked, here with zeroes) and never reads."""
    s = socket.socket()
    s.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 1 << 16)
    s.connect(("127.0.0.1", daemon.port))
    text = json.dumps(frame).encode()
    s.sendall((f"GET /v1/board HTTP/1.1\r\nHost: 127.0.0.1:{daemon.port}\r\nConnection: Upgrade\r\nUpgrade: websocket\r\n"
               "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: AAAAAAAAAAAAAAAAAAAAAA==\r\n"
               "Sec-WebSocket-Protocol: flagstaff.board.v1\r\n\r\n").encode())
    assert s.recv(12) == b"HTTP/1.1 101"
    s.sendall(bytes([0x81, 0x80 | len(text), 0, 0, 0, 0]) + text)
    return s


def test_a_board_that_takes_nothing_is_closed_and_costs_no_memory_meanwhile(daemon, client, board):
    size = 60000  # all rows are more than the system's buffers hold
    big = {"variants": {"a": "a" * size, "b": "b" * size}, "defaultVariant": "a", "safeVariant": "a", "factDefaults": {"tone": "a"},
           "visibility": "client", "targeting": {"var": "facts.tone"}}
    d = daemon({f"flag-{n:03}": big for n in range(200)}, {"limits": {"slow": "1s"}})
    c = client(d, ["ada"])
    c.wait_lease()
    with deaf_board(d, {"type": "view", "id": 1, "limit": 10000}):
        eventually(lambda: d.metrics()["flagstaff_boards"] == 1, "it is open")
        for tone in "ba":
            d.facts("ada", {"tone": tone})
            c.wait_value("flag-199", tone * size)
        eventually(lambda: d.metrics()["flagstaff_boards"] == 0, "the deaf board is closed")
    assert d.get("/readyz").status == 200


def test_only_one_subprotocol_is_spoken_at_each_place(daemon):
    d = daemon({"export": EXPORT})
    for path, protocols in (("/v1/board", ["flagstaff.v1"]), ("/v1/board", ["flagstaff.v1", "flagstaff.board.v1"]), ("/v1/board", []),
                            ("/v1/ws", ["flagstaff.board.v1"]), ("/v1/boards", ["flagstaff.board.v1"])):
        with pytest.raises((InvalidStatus, NegotiationError)) as refused:
            connect(f"ws://127.0.0.1:{d.port}{path}", subprotocols=protocols or None, proxy=None, compression=None)
        assert refused.value.response.status_code in (400, 404)

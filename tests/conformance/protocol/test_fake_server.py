# SPDX-License-Identifier: Apache-2.0
"""docs/protocol/fake_server.py keeps the protocol that it is there to teach."""
import json

import pytest
from websockets.exceptions import ConnectionClosed, InvalidStatus
from websockets.sync.client import connect

from protocol_model import Client
from protocol_fake import fake
from test_transcripts import PROTOCOL, TRANSCRIPTS, validator

ADA = {"watch": 1, "context": {"targetingKey": "ada"}}


def opened(server, **options):
    """A connection that the server ends, or its own end does."""
    return connect(server.url, subprotocols=["flagstaff.v1"], **options).__enter__()


class Speaker:
    """A client that holds every frame against the schema and against the rules."""

    def __init__(self, server, model=None, **options):
        self.socket = opened(server, **options)
        self.model = model or Client()
        self.model.connect()

    def send(self, frame):
        validator("client").validate(frame)
        self.model.client(frame)
        self.socket.send(json.dumps(frame))

    def hello(self, *watches, **members):
        self.send({"type": "hello", "protocol": "flagstaff.v1", "client": {"name": "t", "version": "0"},
                   "watches": list(watches), **members})

    def until(self, kind):
        seen = []
        while not seen or seen[-1]["type"] != kind:
            frame = json.loads(self.socket.recv(timeout=5))
            validator("server").validate(frame)
            self.model.server(frame)
            seen.append(frame)
            if self.model.open is None and frame["type"] in ("snapshot", "delta"):
                self.send({"type": "ack", "revision": frame["revision"]})
        return seen

    def values(self, watch=1):
        return self.model.view()["watches"][str(watch)]

    def closed(self):
        with pytest.raises(ConnectionClosed) as end:
            while True:
                self.socket.recv(timeout=5)
        return end.value.rcvd.code if end.value.rcvd else 1006


def types(frames):
    return [frame["type"] for frame in frames]


def test_hello_gets_welcome_snapshot_and_lease_in_this_order():
    with fake("--flags", '{"a":true,"b":"x"}') as server:
        speaker = Speaker(server)
        assert speaker.socket.subprotocol == "flagstaff.v1"
        speaker.hello(ADA)
        assert types(speaker.until("lease")) == ["welcome", "snapshot", "lease"]
        assert speaker.values() == {"a": True, "b": "x"}
        assert server("await acked 1")[0]["watches"] == [1]


def test_changes_of_one_command_are_one_revision_even_in_parts():
    with fake("--flags", '{"a":true,"b":"x","c":1}') as server:
        speaker = Speaker(server)
        speaker.hello(ADA, {"watch": 2, "context": {"targetingKey": "bo"}, "flags": ["b"]})
        speaker.until("lease")
        assert server.line("split 1") == "{}"
        server('set a=false b="y" c="one"')
        frames = [speaker.until("delta")[0]]
        while frames[-1].get("more"):
            frames += speaker.until("delta")
        assert len(frames) > 2 and speaker.model.open is None
        assert speaker.values() == {"a": False, "b": "y", "c": "one"} and speaker.values(2) == {"b": "y"}
        server("remove a @ada")
        server("remove c")
        speaker.until("delta")


def test_subjects_may_have_values_of_their_own():
    with fake("--flags", '{"a":true}') as server:
        speaker = Speaker(server)
        speaker.hello(ADA, {"watch": 2, "context": {"targetingKey": "bo"}})
        speaker.until("lease")
        server("set a=false @ada")
        speaker.until("delta")
        assert (speaker.values(), speaker.values(2)) == ({"a": False}, {"a": True})


@pytest.mark.parametrize("command, answer", [("clients", ["lease"]), ("set a=false", ["delta", "lease"]),
                                             ("forget", ["snapshot", "lease"]), ("restart", ["snapshot", "lease"])])
def test_a_resume_is_answered_as_the_readme_says(command, answer):
    with fake("--flags", '{"a":true,"b":"x"}') as server:
        first = Speaker(server)
        first.hello(ADA)
        snapshot = first.until("lease")[1]
        server("await acked 1")
        server("drop")
        assert first.closed() == 1006
        server(command)
        second = Speaker(server, first.model)
        second.hello(ADA, resume={"epoch": first.model.epoch, "session": "s-1", "revision": first.model.revision,
                                  "watches": [{"watch": 1, "view": snapshot["view"]}]})
        assert types(second.until("lease")) == ["welcome"] + answer
        assert second.values()["a"] == (command != "set a=false")


def test_what_is_told_to_fail_fails():
    with fake() as server:
        speaker = Speaker(server)
        speaker.hello(ADA)
        speaker.until("lease")
        server("leases off")
        speaker.send({"type": "renew", "n": 1})
        server("await renewed 1")
        assert server("clients")[0]["granted"] == 0
        server("leases on")
        server("delay 30")
        speaker.send({"type": "renew", "n": 2})
        assert speaker.until("lease")[0]["n"] == 2
        speaker.send({"type": "watch", "watch": 1, "context": {"targetingKey": "x"}})
        assert speaker.until("error")[0]["code"] == "duplicate_watch"
        server("resync")
        speaker.until("snapshot")
        server("error forbidden 1")
        assert speaker.until("error")[0]["watch"] == 1 and speaker.model.watches == {}
        server("freeze")
        speaker.send({"type": "renew", "n": 3})
        with pytest.raises(TimeoutError):
            speaker.socket.recv(timeout=0.1)
        server("thaw")
        assert speaker.until("lease")[0]["n"] == 3
        server("refuse on")
        with pytest.raises(InvalidStatus):
            Speaker(server)
        server("goaway revoked")
        assert speaker.until("goaway")[0]["code"] == "revoked"
        assert speaker.closed() == 4401
        with pytest.raises(ValueError, match="unknown command"):
            server("nonsense")


def test_a_bad_frame_is_answered_and_closed():
    with fake() as server:
        with connect(server.url, subprotocols=["flagstaff.v1"]) as socket:
            socket.send('{"type":"renew","n":1}')
            assert json.loads(socket.recv(timeout=5))["code"] == "bad_frame"
            with pytest.raises(ConnectionClosed) as end:
                socket.recv(timeout=5)
            assert end.value.rcvd.code == 4400


def test_a_token_is_required_where_one_is_set():
    with fake("--token", "t0") as server:
        with pytest.raises(InvalidStatus) as refusal:
            Speaker(server)
        assert refusal.value.response.status_code == 401
        Speaker(server, additional_headers={"Authorization": "Bearer t0"}).hello()
        with connect(server.url, subprotocols=["flagstaff.v1", "flagstaff.ticket.t0"]) as socket:
            assert socket.subprotocol == "flagstaff.v1"
        with connect(server.url, subprotocols=["flagstaff.v1", "flagstaff.ticket.no"]) as socket:
            with pytest.raises(ConnectionClosed) as end:
                socket.recv(timeout=5)
            assert end.value.rcvd.code == 4401


@pytest.mark.parametrize("name", [name for name in TRANSCRIPTS if not name.startswith("22-")])
def test_a_transcript_is_replayed(name):
    lines = TRANSCRIPTS[name]
    with fake("--transcript", str(PROTOCOL / "transcripts" / (name + ".jsonl"))) as server:
        socket = None
        for line in lines:
            if socket is None or line.get("connection"):
                socket = opened(server)
            if line["dir"] == "client" and "frame" in line:
                socket.send(json.dumps(line["frame"]))
            elif line["dir"] == "server" and "frame" in line:
                assert json.loads(socket.recv(timeout=5)) == line["frame"]
            elif line["dir"] == "server":
                with pytest.raises(ConnectionClosed) as end:
                    socket.recv(timeout=5)
                assert end.value.rcvd.code == line["close"]["code"]

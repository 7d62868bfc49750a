# SPDX-License-Identifier: Apache-2.0
"""OpenFeature's own clients, unchanged: web and server providers of npm, the Python and the Go provider."""

import contextlib
import os
import shutil
import socket
import subprocess
import threading

import pytest
from child import Child
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from world import DEADLINE, ROOT, eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
UNKNOWN = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
           "decision": {"rule": {"==": [{"var": "facts.never-set"}, "x"]}}}
SHUT = {**DOOR, "state": "DISABLED"}
FLAGS = {
    "door": DOOR, "unknown": UNKNOWN, "shut": SHUT,
    "text": {"variants": {"a": "A"}, "defaultVariant": "a", "visibility": "client"},
    "count": {"variants": {"few": 3}, "defaultVariant": "few", "visibility": "client"},
    "ratio": {"variants": {"half": 0.5}, "defaultVariant": "half", "visibility": "client"},
    "shape": {"variants": {"s": {"sides": 4}}, "defaultVariant": "s", "visibility": "client"},
    "gone": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on", "visibility": "client"},
}


@pytest.fixture
def child():
    started = []

    def make(command, cwd=None):
        started.append(Child(command, cwd))
        return started[-1]

    yield make
    for one in started:
        one.stop()


def node(script, *arguments):
    return ["node", str(ROOT / "tests" / "node" / script), *arguments]


@pytest.fixture(scope="session")
def go_client(tmp_path_factory):
    binary = tmp_path_factory.mktemp("go") / "ofrep"
    subprocess.run([shutil.which("go"), "build", "-o", binary, "."], cwd=ROOT / "tests" / "go" / "ofrep", check=True,
                   env={**os.environ, "GOFLAGS": "-mod=readonly", "GOTOOLCHAIN": "local", "CGO_ENABLED": "0"})
    return str(binary)


ADA = {"targetingKey": "ada"}
ROLE = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
        "decision": {"rule": {"==": [{"var": "role"}, "admin"]}}}


class Wire:
    """A TCP relay before the daemon, whose event streams can be cut and kept away as a bad network does."""

    def __init__(self, port):
        self.target, self.streams, self.away = port, [], False
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        while True:
            try:
                near = self.listener.accept()[0]
            except OSError:
                return
            threading.Thread(target=self._relay, args=(near,), daemon=True).start()

    def _relay(self, near):
        far = socket.create_connection(("127.0.0.1", self.target))
        back = threading.Thread(target=self._copy, args=(far, near, lambda part: True), daemon=True)
        back.start()
        self._copy(near, far, lambda part: self._may_pass(part, (near, far)))
        back.join()
        near.close(), far.close()

    def _may_pass(self, part, pair):
        """A client sends its next request on a connection that it has: each is looked at."""
        if part.startswith(b"GET /ofrep/v1/events/"):
            if self.away:
                return False
            self.streams.append(pair)
        return True

    @staticmethod
    def _copy(source, sink, may_pass):
        try:
            while (part := source.recv(65536)) and may_pass(part):
                sink.sendall(part)
        except OSError:
            pass
        Wire._end(source, sink)

    @staticmethod
    def _end(*sockets):
        for one in sockets:
            with contextlib.suppress(OSError):
                one.shutdown(socket.SHUT_RDWR)

    def cut(self):
        """Every stream that is open ends without a word."""
        assert self.streams, "there is a stream to cut"
        while self.streams:
            self._end(*self.streams.pop())

    def close(self):
        self.listener.close()
        while self.streams:
            self._end(*self.streams.pop())


@pytest.fixture
def wire():
    opened = []

    def make(daemon):
        opened.append(Wire(daemon.port))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def check_values(ask, integer="number", fraction="number"):
    assert ask("string", "text", "-", ADA)["value"] == "A"
    assert ask(integer, "count", 0, ADA)["value"] == 3
    assert ask(fraction, "ratio", 0.1, ADA)["value"] == 0.5
    assert ask("object", "shape", {}, ADA)["value"] == {"sides": 4}
    safe = ask("boolean", "unknown", True, ADA)
    assert safe["value"] is False and safe["reason"] == "ERROR" and not safe.get("errorCode"), "a safe variant is a success"
    shut = ask("boolean", "shut", True, ADA)
    assert shut["value"] is False and not shut.get("errorCode"), "a disabled access flag is safe, whatever the caller's own is"
    missing = ask("boolean", "none-such", True, ADA)
    assert missing["value"] is True and missing["errorCode"] == "FLAG_NOT_FOUND"
    assert ask("boolean", "gone", True, ADA)["value"] is True, "disabled: the caller's own"


def test_the_server_sdk_of_npm_reads_values_of_each_type(daemon, child):
    d = daemon(FLAGS)
    c = child(node("server_client.mjs", d.url))
    check_values(c.ask)
    assert c.ask("boolean", "door", True, ADA)["value"] is False
    d.facts("ada", {"access": "granted"})
    assert c.ask("boolean", "door", False, ADA)["value"] is True


def test_the_go_provider_reads_values_of_each_type(daemon, child, go_client):
    d = daemon(FLAGS)
    c = child([go_client, d.url])
    check_values(c.ask, "integer", "float")
    d.facts("ada", {"access": "granted"})
    assert c.ask("boolean", "door", False, ADA)["value"] is True


def test_the_python_provider_reads_values_of_each_type(daemon):
    d = daemon(FLAGS)
    api.set_provider(OFREPProvider(d.url))
    client = api.get_client()
    ada = EvaluationContext(targeting_key="ada")
    try:
        assert client.get_string_value("text", "-", ada) == "A"
        assert client.get_integer_value("count", 0, ada) == 3
        assert client.get_float_value("ratio", 0.1, ada) == 0.5
        assert client.get_object_value("shape", {}, ada) == {"sides": 4}
        safe = client.get_boolean_details("unknown", True, ada)
        assert safe.value is False and safe.error_code is None and safe.variant == "off"
        assert client.get_boolean_value("shut", True, ada) is False
        assert client.get_boolean_details("none-such", True, ada).error_code.value == "FLAG_NOT_FOUND"
        assert client.get_boolean_value("gone", True, ada) is True
        d.facts("ada", {"access": "granted"})
        assert client.get_boolean_value("door", False, ada) is True
    finally:
        api.shutdown()


def test_the_web_sdk_reads_values_of_each_type(daemon, child):
    c = child(node("web_client.mjs", daemon(FLAGS).url, "ada"))
    check_values(lambda type_, flag, fallback, context: c.ask(type_, flag, fallback))


def test_the_web_sdk_hears_a_change_by_the_event_stream(daemon, child):
    d = daemon(FLAGS)
    c = child(node("web_client.mjs", d.url, "ada"))
    assert c.value() is False
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 1, "the stream is open")
    d.facts("ada", {"access": "granted"})
    eventually(lambda: "ConfigurationChanged" in c.events, "CONFIGURATION_CHANGED")
    assert c.changed[c.events.index("ConfigurationChanged")] == ["door"], "and says which flag"
    assert c.value() is True, "the new value was there before the event"
    d.facts("ada", {"access": "none"})
    eventually(lambda: c.value() is False, "and back")


def test_the_web_sdk_never_shows_one_subject_the_values_of_another(daemon, child):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "facts:*", "read", "metrics"])
    own = d.add_key(["evaluate"], subject="ada")
    d.facts("ada", {"access": "granted"})
    c = child(node("web_client.mjs", d.url, "ada", own))
    assert c.value() is True
    c.switch("bo")  # whom this key may not see
    assert c.value() is False
    assert c.ask("string", "text", "-")["value"] == "-", "of what is no access flag the caller's own"
    assert {r["status"] for r in c.requests} <= {200, 304}, "an error would leave the values of the subject before in force"
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 0, "the stream of the subject before is closed")
    c.switch("ada")
    assert c.value() is True


@pytest.mark.parametrize("context", [{}, {"targetingKey": 42}, {"targetingKey": "bo", "x": [[[[[[[[[[1]]]]]]]]]]}, {"x": "y" * 9000}])
def test_the_web_sdk_shows_a_context_that_is_none_no_values_of_the_subject_before(daemon, child, context):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    c = child(node("web_client.mjs", d.url, "ada"))
    assert c.value() is True
    c.tell({"context": context})
    c.answers.get(timeout=DEADLINE)
    assert c.value() is False


def test_the_web_sdk_changes_its_context_and_hears_of_the_new_subject(daemon, child):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    c = child(node("web_client.mjs", d.url, "ada"))
    assert c.value() is True
    c.switch("bo")
    assert c.value() is False
    d.facts("bo", {"access": "granted"})
    eventually(lambda: c.value() is True, "bo's change")


def test_the_web_sdk_finds_what_it_missed_when_the_service_was_away(daemon, child):
    d = daemon(FLAGS)
    c = child(node("web_client.mjs", d.url, "ada"))
    assert c.value() is False
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 1, "the stream is open")
    d.stop()
    d.start()
    d.facts("ada", {"access": "granted"})
    eventually(lambda: c.value() is True, "the value after the restart", deadline=90)


def test_the_web_sdk_changes_an_attribute_and_no_etag_keeps_the_old_values(daemon, child):
    """The provider sends the tag of the context before as long as the subject is the same."""
    d = daemon({"role": ROLE})
    c = child(node("web_client.mjs", d.url, "ada"))
    for role, expected in (("admin", True), ("guest", False), ("admin", True)):
        c.switch("ada", role=role)
        assert c.value("role") is expected
    assert [r for r in c.requests if r["ifNoneMatch"] and r["status"] == 200], "a tag was sent, and did not fit"
    c.wait_stream()
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 1, "one stream, of the newest context")


def test_a_stream_that_was_cut_comes_back_with_its_last_event_id_and_what_was_missed_is_fetched(daemon, child, wire):
    d = daemon(FLAGS)
    w = wire(d)
    c = child(node("web_client.mjs", w.url, "ada"))
    c.wait_stream()
    d.facts("ada", {"access": "granted"})
    eventually(lambda: c.value() is True, "the first change, which gives the client an event id")
    w.away = True
    w.cut()
    d.facts("ada", {"access": "none"})
    w.away = False
    c.wait_stream(2)
    assert c.streams[-1]["lastEventId"]
    eventually(lambda: c.value() is False, "what was missed")


def test_after_a_cut_in_which_nothing_changed_the_refetch_is_304_and_values_stay(daemon, child, wire):
    d = daemon(FLAGS)
    w = wire(d)
    c = child(node("web_client.mjs", w.url, "ada"))
    c.wait_stream()
    d.facts("ada", {"access": "granted"})
    eventually(lambda: c.value() is True, "the change")
    before = eventually(lambda: c.events.count("ConfigurationChanged"), "its event")
    unchanged = sum(r["status"] == 304 for r in c.requests)
    w.cut()
    c.wait_stream(2)
    eventually(lambda: sum(r["status"] == 304 for r in c.requests) > unchanged, "304")
    assert c.requests[-1]["ifNoneMatch"] and c.value() is True
    assert c.events.count("ConfigurationChanged") == before, "nothing changed"
    d.facts("ada", {"access": "none"})
    eventually(lambda: c.value() is False, "the new stream works")


def test_a_revoked_key_ends_the_stream_and_gives_nothing_new(daemon, child):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "facts:*", "read", "metrics"])
    own = d.add_key(["evaluate"], name="own", subject="ada")
    c = child(node("web_client.mjs", d.url, "ada", own))
    c.wait_stream()
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 1, "the stream is open")
    [key] = [k["id"] for k in d.get("/v1/keys").json["keys"] if k["name"] == "own"]
    assert d.delete(f"/v1/keys/{key}").status == 200
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 0, "the stream is closed")
    eventually(lambda: [s for s in c.streams if s["status"] == 401], "its address is refused")
    d.facts("ada", {"access": "granted"})
    assert c.value() is False

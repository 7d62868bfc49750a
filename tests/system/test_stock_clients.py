# SPDX-License-Identifier: Apache-2.0
"""OpenFeature's own clients, unchanged: web and server providers of npm, the Python and the Go provider."""

import json
import os
import queue
import shutil
import subprocess
import threading

import pytest
from openfeature import api
from openfeature.contrib.provider.ofrep import OFREPProvider
from openfeature.evaluation_context import EvaluationContext
from world import DEADLINE, ROOT, eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
UNKNOWN = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
           "decision": {"rule": {"==": [{"var": "facts.never-set"}, "x"]}}}
FLAGS = {
    "door": DOOR, "unknown": UNKNOWN,
    "text": {"variants": {"a": "A"}, "defaultVariant": "a", "visibility": "client"},
    "count": {"variants": {"few": 3}, "defaultVariant": "few", "visibility": "client"},
    "ratio": {"variants": {"half": 0.5}, "defaultVariant": "half", "visibility": "client"},
    "shape": {"variants": {"s": {"sides": 4}}, "defaultVariant": "s", "visibility": "client"},
    "gone": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on", "visibility": "client"},
}


class Child:
    """A client in a process of its own: a JSON object a line, both ways."""

    def __init__(self, command, cwd=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)
        self.answers, self.events = queue.Queue(), []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        assert self.answers.get(timeout=DEADLINE * 4) == {"ready": True}

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "event" in message:
                self.events.append(message["event"])
            else:
                self.answers.put(message)

    def ask(self, type_, flag, fallback, context=None):
        self.tell({"type": type_, "flag": flag, "fallback": fallback, "context": context})
        return self.answers.get(timeout=DEADLINE)

    def tell(self, message):
        self.process.stdin.write(json.dumps({k: v for k, v in message.items() if v is not None}) + "\n")
        self.process.stdin.flush()

    def value(self, flag="door"):
        return self.ask("boolean", flag, None if flag is None else False)["value"]

    def switch(self, subject):
        self.tell({"context": {"targetingKey": subject}})
        assert self.answers.get(timeout=DEADLINE) == {"context": subject}

    def stop(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()


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
                   env={**os.environ, "GOFLAGS": "-mod=mod"})
    return str(binary)


ADA = {"targetingKey": "ada"}


def check_values(ask, integer="number", fraction="number"):
    assert ask("string", "text", "-", ADA)["value"] == "A"
    assert ask(integer, "count", 0, ADA)["value"] == 3
    assert ask(fraction, "ratio", 0.1, ADA)["value"] == 0.5
    assert ask("object", "shape", {}, ADA)["value"] == {"sides": 4}
    safe = ask("boolean", "unknown", True, ADA)
    assert safe["value"] is False and safe["reason"] == "ERROR" and not safe.get("errorCode"), "a safe variant is a success"
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
        assert client.get_boolean_details("none-such", True, ada).error_code.value == "FLAG_NOT_FOUND"
        assert client.get_boolean_value("gone", True, ada) is True
        d.facts("ada", {"access": "granted"})
        assert client.get_boolean_value("door", False, ada) is True
    finally:
        api.shutdown()


def test_the_web_sdk_hears_a_change_by_the_event_stream(daemon, child):
    d = daemon(FLAGS)
    c = child(node("web_client.mjs", d.url, "ada"))
    assert c.value() is False
    eventually(lambda: d.metrics()['flagstaff_sessions{channel="sse"}'] == 1, "the stream is open")
    d.facts("ada", {"access": "granted"})
    eventually(lambda: "ConfigurationChanged" in c.events, "CONFIGURATION_CHANGED")
    eventually(lambda: c.value() is True, "the new value")
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

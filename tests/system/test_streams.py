# SPDX-License-Identifier: Apache-2.0
"""OFREP's event streams: whose they are, and when they end."""

import http.client
import queue
import threading
import time

import pytest

from opa_world import Gate, access
from world import DEADLINE, http as request

FLAGS = {"open": {"variants": {"on": True, "off": False}, "defaultVariant": "on", "visibility": "client"}}


@pytest.fixture
def keyed(daemon):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "read", "evaluate:any"], name="root")
    return d


def stream_url(d, subject="ada", key=None):
    return d.evaluate(subject, key=key).json["eventStreams"][0]["url"]


class Stream:
    """An event stream as bytes, until it ends."""

    def __init__(self, d, url):
        self.connection = http.client.HTTPConnection("127.0.0.1", d.port, timeout=DEADLINE)
        self.connection.request("GET", url[len(d.url):], headers={"Accept": "text/event-stream"})
        self.answer = self.connection.getresponse()
        assert self.answer.status == 200

    def read_event(self):
        """The data of the next event."""
        return next(line[6:] for line in iter(self.answer.readline, b"") if line.startswith(b"data: {"))

    def read_to_its_end(self):
        data = self.answer.read()
        self.connection.close()
        return data


def revoke(d, name):
    found = [k for k in d.get("/v1/keys").json["keys"] if k["name"] == name][0]
    assert d.delete(f"/v1/keys/{found['id']}").status == 200


def test_a_stream_ends_with_its_key_and_its_url_opens_no_other(keyed):
    key = keyed.add_key(["evaluate:any"], name="app")
    url = stream_url(keyed, key=key)
    stream = Stream(keyed, url)
    revoke(keyed, "app")
    stream.read_to_its_end()
    assert request("GET", url).status == 401


def test_a_stream_ends_when_its_key_expires_and_its_url_opens_no_other(keyed):
    key = keyed.add_key(["evaluate:any"], name="app", expires=int(time.time() * 1000) + 3000)
    url = stream_url(keyed, key=key)
    Stream(keyed, url).read_to_its_end()
    assert request("GET", url).status == 401


def test_a_bulk_answer_under_way_when_its_key_is_revoked_announces_no_stream(opa, daemon):
    slow = Gate(opa({"app.rego": "package app\nallow := true\n"}).port)
    d = daemon({"door": access("app/allow")}, {"probe": "60s", "evaluateTimeout": "60s",
                                               "sources": {"opa": {"type": "opa", "url": slow.url, "timeout": "60s", "revalidate": "1h"}}})
    d.key = d.add_key(["admin", "evaluate:any"])
    key = d.add_key(["evaluate:any"], name="app")
    answers = []
    slow.shut()
    asking = threading.Thread(target=lambda: answers.append(d.evaluate("ada", key=key)))
    asking.start()
    assert slow.held.wait(DEADLINE)
    revoke(d, "app")
    slow.open.set()
    asking.join(DEADLINE)
    slow.close()
    assert answers[0].status == 200 and "eventStreams" not in answers[0].json
    announced = d.evaluate("ada").json["eventStreams"][0]
    assert announced["inactivityDelaySec"] == 120, "OFREP's own default: it is the client's inactivity"


def test_whoever_asks_for_all_flags_when_the_service_can_take_no_more_gets_safe_values(opa, daemon):
    """An error would leave the values that the stock web provider had before in force, whoever they were for."""
    slow = Gate(opa({"app.rego": "package app\nallow := true\n"}).port)
    d = daemon({"door": access("app/allow")}, {"probe": "60s", "evaluateTimeout": "60s", "limits": {"requests": 1},
                                               "sources": {"opa": {"type": "opa", "url": slow.url, "timeout": "60s", "revalidate": "1h"}}})
    answers = queue.Queue()
    slow.shut()
    asking = [threading.Thread(target=lambda who=who: answers.put(d.evaluate(who))) for who in ("ada", "bo")]
    for thread in asking:
        thread.start()
    bulk = answers.get(timeout=DEADLINE)
    assert bulk.status == 200
    door, = bulk.json["flags"]
    assert door["value"] is False and door["reason"] == "ERROR" and "more work" in door["metadata"]["flagstaff.error"]
    assert d.evaluate("cy", "door").status == 503, "a single evaluation is an error, and gives the caller's default"
    slow.open.set()
    late = answers.get(timeout=DEADLINE)
    for thread in asking:
        thread.join(DEADLINE)
    slow.close()
    assert next(f for f in late.json["flags"] if f["key"] == "door")["value"] is True


def test_a_stream_that_opens_says_fetch_again_so_a_revocation_before_it_is_not_missed(opa, daemon):
    rego = "package app\ndefault allow := false\nallow if data.allowed[input.user]\n"
    o = opa({"app.rego": rego, "data.json": {"allowed": {"ada": True}}})
    d = daemon({"door": access("app/allow")}, {"sources": {"opa": {"type": "opa", "url": o.url, "revalidate": "1h"}}})
    assert d.value("ada", "door") is True
    url = stream_url(d)
    o.put("allowed/ada", False)
    assert d.recompute(subjects=["ada"]).json["applied"], "while nobody watches ada"
    stream = Stream(d, url)
    assert b"refetchEvaluation" in stream.read_event()
    assert d.value("ada", "door") is False
    stream.connection.close()


def test_an_event_stream_has_no_head(keyed):
    assert request("HEAD", stream_url(keyed)).status == 405
    assert keyed.get("/v1/clients").json["clients"] == []


def test_a_key_that_asks_for_too_many_streams_loses_its_own_oldest(keyed):
    other = keyed.add_key(["evaluate:any"], name="other")
    foreign, oldest, second = stream_url(keyed, key=other), stream_url(keyed, "s0"), stream_url(keyed, "s1")
    for n in range(2, 1001):
        stream_url(keyed, f"s{n}")
    assert request("GET", oldest).status == 401
    for url in (second, foreign):
        Stream(keyed, url).connection.close()
    assert stream_url(keyed, "s1") == second

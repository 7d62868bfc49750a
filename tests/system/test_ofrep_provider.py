# SPDX-License-Identifier: Apache-2.0
"""The OFREP provider of the C SDK: against the real daemon, and against a small server that does what servers may do."""

import json
import subprocess
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer

import pytest
import trustme

from driven import Driver, check_contract
from world import eventually

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}
THEME = {"variants": {"dark": "dark", "light": "light"}, "defaultVariant": "dark", "visibility": "client"}
FLAGS = {"door": DOOR, "theme": THEME, "limit": {"variants": {"low": 5, "high": 50}, "defaultVariant": "low"},
         "ratio": {"variants": {"half": 0.5}, "defaultVariant": "half"}, "menu": {"variants": {"short": {"a": 1}}, "defaultVariant": "short"}}


@pytest.fixture
def driver():
    """driver(url, ...) starts the program with the provider."""
    opened = []

    def make(url, **options):
        opened.append(Driver("ofrep", url=url, **options))
        return opened[-1]

    yield make
    for one in opened:
        one.end()


def grant(daemon, subject="ada", access="granted"):
    assert daemon.facts(subject, {"access": access}).status == 200


# --- the real daemon -------------------------------------------------------------------------------------------------


def test_single_evaluations_ask_the_daemon_each_time(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url)
    assert p.value("door") is False
    grant(d)
    answer = p.get("door")
    assert (answer["value"], answer["variant"], answer["error"]) == (True, "on", None)
    assert answer["metadata"]["flagstaff.leased"] is False
    assert p.value("theme", kind="string") == "dark"
    assert p.value("limit", kind="int") == 5 and p.value("limit", kind="double") == 5
    assert p.value("ratio", kind="double") == 0.5 and p.get("ratio", kind="int")["error"] == "TYPE_MISMATCH"
    assert p.value("menu", kind="object") == {"a": 1}
    assert p.get("none/such%20one")["error"] == "FLAG_NOT_FOUND"
    assert p.get("theme")["error"] == "TYPE_MISMATCH"


def test_a_static_context_is_fetched_at_once_and_follows_the_event_stream(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, subject="ada", poll=600000)
    assert p.value("door") is False
    grant(d)
    event = p.until("PROVIDER_CONFIGURATION_CHANGED")
    assert event["flags"] == ["door"] and p.value("door") is True
    d.reload({"theme": THEME})
    p.until("PROVIDER_CONFIGURATION_CHANGED", lambda e: "door" in e["flags"])
    assert p.get("door")["error"] == "FLAG_NOT_FOUND"


def test_a_new_static_context_has_its_own_values(daemon, driver):
    d = daemon(FLAGS)
    grant(d)
    p = driver(d.url, subject="ada")
    assert p.value("door") is True
    assert p("context bo") == "OK"
    p.until("PROVIDER_CONTEXT_CHANGED")
    assert p.value("door") is False
    grant(d, "bo")
    p.until("PROVIDER_CONFIGURATION_CHANGED")
    assert p.value("door") is True


def test_a_daemon_that_comes_back_is_found_again(daemon, driver):
    d = daemon(FLAGS)
    grant(d)
    p = driver(d.url, subject="ada", poll=100)
    assert p.value("door") is True
    d.stop()
    p.until("PROVIDER_STALE")
    assert p.value("door") is True, "OFREP has no leases"
    d.start()
    p.until("PROVIDER_READY")
    grant(d, access="none")
    eventually(lambda: p.value("door") is False, "the flip")


def test_a_key_is_read_from_its_file_for_each_request(daemon, driver, tmp_path):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "evaluate:any", "events", "facts:*"])
    file = tmp_path / "key"
    file.write_text("wrong")
    p = driver(d.url, key_file=file)
    answer = p.get("door")
    assert answer["error"] == "GENERAL" and "401" in answer["message"]
    file.write_text(d.key + "\n")
    assert p.get("door")["error"] is None


def test_over_tls_an_authority_that_is_named_stands_in_the_place_of_the_systems_own(daemon, driver, tmp_path):
    """The system's are a file and a folder, which libcurl was built with: the program sees others there."""
    system, own = trustme.CA(), trustme.CA()
    place = tmp_path / "certs"
    place.mkdir()
    system.cert_pem.write_to_path(place / "system.pem")
    own.cert_pem.write_to_path(place / "ca-certificates.crt")
    subprocess.run(["openssl", "rehash", str(place)], check=True)
    certificate = system.issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    d = daemon(FLAGS, {"tls": {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}}, start=False)
    d.start(ready=False)
    url = f"https://localhost:{d.port}"
    named = driver(url, ca_file=place / "system.pem")
    eventually(lambda: named.get("theme", kind="string")["error"] is None, "the daemon answers")
    assert driver(url, ca_file=place / "ca-certificates.crt").get("theme", kind="string")["error"] == "GENERAL"

    inside = ["unshare", "--map-root-user", "--mount", "sh", "-c", f'mount --bind "{place}" /etc/ssl/certs && exec "$@"', "sh"]
    if subprocess.run([*inside, "true"], capture_output=True).returncode == 0:  # not every system gives mount namespaces
        assert driver(url, within=inside).get("theme", kind="string")["error"] is None, "the folder's is trusted"
        assert driver(url, within=inside, ca_file=place / "ca-certificates.crt").get("theme", kind="string")["error"] == "GENERAL"


def test_it_keeps_the_contract_of_all_providers(daemon, tmp_path):
    check_contract(daemon, "ofrep", tmp_path)


# --- a server of our own ---------------------------------------------------------------------------------------------


class Server:
    """Answers POST as `script` says: a list of (status, headers, body), of which the last one stays. Keeps what was asked."""

    def __init__(self):
        outer = self
        self.script, self.asked, self.lock = [], [], threading.Lock()
        self.streams, self.stream_status, self.events = [], 200, []

        class Handler(BaseHTTPRequestHandler):
            protocol_version = "HTTP/1.1"

            def do_POST(self):
                body = json.loads(self.rfile.read(int(self.headers["Content-Length"])))
                with outer.lock:
                    outer.asked.append((self.path, dict(self.headers), body))
                    status, headers, answer = outer.script[0] if len(outer.script) == 1 else outer.script.pop(0)
                text = b"" if status == 304 else json.dumps(answer).encode() if not isinstance(answer, bytes) else answer
                self.send_response(status)
                for name, value in {"Content-Type": "application/json", **headers}.items():
                    self.send_header(name, value)
                self.send_header("Content-Length", str(len(text)))
                self.end_headers()
                self.wfile.write(text)

            def do_GET(self):
                outer.streams.append((self.path, dict(self.headers)))
                self.send_response(outer.stream_status)
                self.send_header("Content-Type", "text/event-stream")
                self.send_header("Connection", "close")
                self.end_headers()
                self.close_connection = True
                if outer.stream_status != 200:
                    return
                self.wfile.write(b": hello\n\n")
                sent = 0
                while not outer.closed.wait(0.01):
                    while sent < len(outer.events):
                        if outer.events[sent] is None:
                            outer.events[sent] = b""
                            return
                        self.wfile.write(outer.events[sent])
                        self.wfile.flush()
                        sent += 1

            def log_message(self, *_):
                pass

        self.closed = threading.Event()
        self.http = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.http.daemon_threads = True
        self.url = f"http://127.0.0.1:{self.http.server_address[1]}"
        threading.Thread(target=self.http.serve_forever, daemon=True).start()

    def count(self):
        return len(self.asked)

    def close(self):
        self.closed.set()
        self.http.shutdown()
        self.http.server_close()


@pytest.fixture
def server():
    one = Server()
    yield one
    one.close()


def bulk(value, **more):
    return {"flags": [{"key": "door", "value": value, "reason": "STATIC", "variant": str(value), "metadata": {"n": 1, "deep": {"x": 1}}}], **more}


@pytest.mark.parametrize("key, segment", [("..", "%2E%2E"), (".", "%2E"), ("a/../b", "a%2F..%2Fb"), ("k" * 3000, "k" * 3000)], ids=len)
def test_a_key_of_any_letters_is_asked_for_as_it_is(server, driver, key, segment):
    server.script = [(200, {}, {"key": key, "value": True, "reason": "STATIC", "variant": "on"})]
    assert driver(server.url).value(key) is True
    assert server.asked[0][0] == f"/ofrep/v1/evaluate/flags/{segment}"


def test_an_answer_for_another_flag_is_none(server, driver):
    server.script = [(200, {}, {"key": "b", "value": True, "reason": "STATIC", "variant": "on"})]
    answer = driver(server.url).get("a/../b")
    assert (answer["value"], answer["error"]) == (False, "GENERAL") and "another flag" in answer["message"]


def test_what_has_not_changed_is_not_sent_again(server, driver):
    server.script = [(200, {"ETag": '"one"'}, bulk(True)), (304, {}, None), (304, {}, None), (200, {"ETag": '"two"'}, bulk(False))]
    p = driver(server.url, subject="ada", poll=30)
    assert p.value("door") is True and p.get("door")["metadata"] == {"n": 1}
    p.until("PROVIDER_CONFIGURATION_CHANGED")
    assert p.value("door") is False
    assert "If-None-Match" not in server.asked[0][1] and server.asked[0][2] == {"context": {"targetingKey": "ada"}}
    assert [one[1]["If-None-Match"] for one in server.asked[1:4]] == ['"one"'] * 3


def test_another_context_is_fetched_without_condition_and_an_error_there_serves_nobody_elses_values(server, driver):
    server.script = [(200, {"ETag": '"one"'}, bulk(True)), (500, {}, {"errorDetails": "broken"})]
    p = driver(server.url, subject="ada")
    assert p.value("door") is True
    p("context bo")
    error = p.until("PROVIDER_ERROR")
    assert "500" in error["message"] and "broken" in error["message"]
    assert "If-None-Match" not in server.asked[1][1]
    answer = p.get("door")
    assert (answer["value"], answer["error"]) == (False, "PROVIDER_NOT_READY")


def test_a_context_that_comes_back_does_not_bring_back_what_it_had_before(server, driver):
    server.script = [(200, {}, bulk(True)), (500, {}, {"errorDetails": "broken"})]
    p = driver(server.url, subject="ada", poll=600000)
    assert p.value("door") is True
    for subject in ("bo", "ada"):
        p(f"context {subject}")
        p.until("PROVIDER_ERROR")
        assert p.get("door")["error"] == "PROVIDER_NOT_READY"


def test_a_server_that_says_unchanged_of_what_it_never_sent_has_failed(server, driver):
    server.script = [(304, {}, None), (200, {}, bulk(True))]
    p = driver(server.url, subject="ada", expect=None, poll=600000)
    assert p.started != "OK"
    p.until("PROVIDER_ERROR")
    eventually(lambda: p.value("door") is True, "asked again")


def test_retry_after_is_heeded(server, driver):
    server.script = [(429, {"Retry-After": "3600"}, {"errorDetails": "slowly"})]
    p = driver(server.url)
    assert "429" in p.get("door")["message"]
    assert "not to be asked" in p.get("door")["message"]
    assert server.count() == 1
    p = driver(server.url, subject="ada", expect=None, poll=20)
    p.until("PROVIDER_ERROR")
    assert p.get("door")["error"] == "PROVIDER_NOT_READY" and server.count() == 2
    p("context bo")
    assert server.count() == 2


def test_who_is_refused_holds_no_values_any_more(server, driver):
    server.script = [(200, {}, bulk(True)), (403, {}, {"errorDetails": "no"})]
    p = driver(server.url, subject="ada", poll=50)
    p.until("PROVIDER_ERROR")
    assert p.get("door")["error"] == "PROVIDER_NOT_READY"


def test_events_cause_one_refetch_with_what_they_say(server, driver):
    streams = [{"type": "other"}, {"type": "sse", "endpoint": {"requestUri": "/stream?secret=1"}}]
    server.script = [(200, {"ETag": '"one"'}, bulk(True, eventStreams=streams))]
    p = driver(server.url, subject="ada", poll=600000)
    eventually(lambda: server.count() == 2, "a stream that opens is a reason to ask")
    server.script = [(200, {"ETag": '"two"'}, bulk(False, eventStreams=streams))]
    server.events += [b'data: {"type":"unknown"}\n\n', b'id: 1\r\nevent: message\r\ndata: {"type":"refetchEvaluation",\r\ndata: "etag":"a b","lastModified":7}\r\n\r\n'] + [
        b'data: {"type":"refetchEvaluation","etag":"a b","lastModified":7}\n\n'] * 5
    p.until("PROVIDER_CONFIGURATION_CHANGED")
    path, headers, _ = server.asked[2]
    assert path == "/ofrep/v1/evaluate/flags?flagConfigEtag=a%20b&flagConfigLastModified=7" and headers["If-None-Match"] == '"one"'
    assert server.count() <= 4, "they were merged"
    assert server.streams[0][1]["Accept"] == "text/event-stream"


def test_a_stream_that_ends_is_opened_again_and_one_that_is_refused_brings_a_new_address(server, driver):
    server.script = [(200, {"ETag": '"one"'}, bulk(True, eventStreams=[{"type": "sse", "url": server.url + "/old"}]))]
    p = driver(server.url, subject="ada", poll=600000)
    eventually(lambda: server.count() >= 2, "open")
    server.events.append(None)
    eventually(lambda: len(server.streams) >= 2, "again")
    server.stream_status = 410
    server.script = [(200, {"ETag": '"two"'}, bulk(False, eventStreams=[{"type": "sse", "url": server.url + "/new"}]))]
    server.events.append(None)
    p.until("PROVIDER_CONFIGURATION_CHANGED")
    server.stream_status = 200
    eventually(lambda: server.streams[-1][0] == "/new", "the new address")
    assert not any("Authorization" in headers for _, headers in server.streams)


def test_answers_that_are_not_ofrep_are_errors_and_absent_values_are_defaults(server, driver):
    server.script = [(200, {"Content-Type": "text/html"}, b"<html>")]
    p = driver(server.url)
    assert p.get("door")["error"] == "PARSE_ERROR"
    server.script = [(200, {}, {"key": "theme", "reason": "DISABLED"})]
    answer = p.get("theme", kind="string")
    assert (answer["value"], answer["reason"], answer["error"]) == ("default", "DISABLED", None)
    server.script = [(400, {}, {"key": "door", "errorCode": "TARGETING_KEY_MISSING", "errorDetails": "who?"})]
    answer = p.get("door", "-")
    assert (answer["error"], answer["message"]) == ("TARGETING_KEY_MISSING", "who?")
    server.script = [(200, {}, b'{"key": "door", "val')]
    assert p.get("door")["error"] == "PARSE_ERROR"
    path, headers, _ = server.asked[0]
    assert path == "/ofrep/v1/evaluate/flags/door" and headers["Content-Type"] == "application/json"
    server.script = [(200, {"Content-Type": "text/html"}, b"<html>")]
    q = driver(server.url, subject="ada", expect=None)
    assert q.until("PROVIDER_ERROR") and q("status") == "ERROR"


def test_a_server_that_does_not_answer_holds_an_evaluation_up_for_the_timeout_only(driver):
    import socket
    with socket.create_server(("127.0.0.1", 0)) as silent:
        p = driver(f"http://127.0.0.1:{silent.getsockname()[1]}", timeout=200)
        answer = p.get("door")
        assert answer["error"] == "GENERAL" and "no answer" in answer["message"] and answer["seconds"] < 5
        p.tell("get bool door ada")  # and a shutdown does not wait for it
        p.end()

# SPDX-License-Identifier: Apache-2.0
"""The C wire client against docs/protocol/fake_server.py: what it holds, says and does when things go wrong."""
import contextlib
import json
import pathlib
import socket
import subprocess
import threading

import pytest
import trustme

from wire_driver import Driver, binary
from connect_proxy import ConnectProxy
from protocol_fake import Fake, fake

ADA = '{"targetingKey":"ada"}'


@contextlib.contextmanager
def talking(*server_options, options=()):
    """A fake server and a client with one watch, ready."""
    with fake(*server_options) as server, Driver(server.url, *options) as client:
        assert client("watch " + ADA) and client("start")
        assert client("wait 10000")
        yield server, client


def test_what_is_watched_is_held_and_acknowledged():
    with talking() as (server, client):
        assert client("table 1") == {"leased": True, "values": {"agent-tools": ["search", "export"],
                                                                "billing-export": True, "theme": "dark"}}
        assert client.get("billing-export") == ("fresh", True)
        assert client.get("nothing") == ("absent", None)
        assert server("await acked 1")[0]["client"]["name"] == "wire-driver"
        first = client.until(event="change")
        assert first["snapshot"] and set(first["flips"]) == {"agent-tools", "billing-export", "theme"}


def test_a_change_is_told_with_old_new_and_cause_and_is_acknowledged():
    with talking() as (server, client):
        client.until(event="change")
        revision = server("set billing-export=false")["revision"]
        change = client.until(event="change")
        assert change["flips"] == {"billing-export": {"before": True, "after": False, "cause": "event"}}
        assert change["revision"] == revision
        assert client.get("billing-export") == ("fresh", False)
        server(f"await acked {revision}")


def test_a_revision_in_parts_is_one_change():
    with talking() as (server, client):
        client.until(event="change")
        server("split 1")
        revision = server('set billing-export=false theme="light" agent-tools=[]')["revision"]
        change = client.until(event="change")
        assert len(change["flips"]) == 3 and change["revision"] == revision
        server(f"await acked {revision}")
        assert client("stats")["deltas"] == 3


def test_removed_and_retyped_flags_go_and_come():
    with talking() as (server, client):
        client.until(event="change")
        server("remove billing-export")
        assert client.until(event="change")["flips"]["billing-export"]["after"] is None
        assert client.get("billing-export") == ("absent", None)
        server("set theme=7")
        assert client.until(event="change")["flips"]["theme"]["after"] == 7


def test_leases_are_renewed():
    with talking("--lease", "600") as (server, client):
        server("await granted 4")
        assert client.get("billing-export") == ("fresh", True)


def test_a_frozen_server_lets_the_lease_run_out_and_a_thawed_one_is_found_again():
    with talking("--lease", "900", options=("timeout", "300", "cap", "200")) as (server, client):
        client.until(event="state", state="ready")
        server("freeze")
        assert client.until(event="state", state="stale")["message"].startswith("nothing was heard")
        client.until(event="state", state="lease over")
        assert client.get("billing-export") == ("safe", False)
        assert client.get("agent-tools") == ("safe", [])
        assert client.get("theme") == ("last", "dark")
        server("thaw")
        client.until(event="state", state="ready")
        assert client.get("billing-export") == ("fresh", True)


def test_a_server_that_grants_nothing_is_not_believed_though_it_is_there():
    with talking("--lease", "900") as (server, client):
        server("leases off")
        client.until(event="state", state="lease over")
        assert client.get("billing-export") == ("safe", False)
        assert client("stats")["connections"] == 1
        server("leases on")
        client.until(event="state", state="ready")
        assert client.get("billing-export") == ("fresh", True)
        assert client("stats")["connections"] == 1


def test_a_grant_that_was_on_its_way_for_longer_than_the_lease_grants_nothing():
    with fake("--lease", "600") as server, Driver(server.url) as client:
        server("delay 700")
        assert client("watch " + ADA) and client("start")
        server("await granted 2")
        assert client.get("billing-export") == ("safe", False)
        server("delay 0")
        client.until(event="state", state="ready")


@pytest.mark.parametrize("meanwhile, snapshots, value", [
    ("clients", 1, True), ("set billing-export=false", 1, False), ("forget", 2, True), ("restart", 2, True)])
def test_a_cut_connection_is_resumed(meanwhile, snapshots, value):
    with talking(options=("cap", "200")) as (server, client):
        server("await acked 1")
        server("refuse on")
        server("drop")
        client.until(event="state", state="stale")
        assert client.get("billing-export") == ("fresh", True)
        server(meanwhile)
        server("refuse off")
        client.until(event="state", state="ready")
        assert client.get("billing-export") == ("fresh", value)
        stats = client("stats")
        assert stats["snapshots"] == snapshots and stats["faults"] == 0
        resume = server("clients")[0]["resume"]
        assert resume["epoch"] == "fake-1" and len(resume["watches"]) == 1


def test_goaway_is_followed_and_its_wait_is_honoured():
    with talking() as (server, client):
        server("goaway drain 50 300")
        assert client.until(event="state", state="stale")["goaway"] == "drain"
        client.until(event="state", state="ready")
        assert server("await closes 1") and server("closes") == [1001]
        assert client.get("billing-export") == ("fresh", True)


def test_a_revoked_client_is_safe_at_once():
    with talking() as (server, client):
        server("goaway revoked")
        over = client.until(event="state", state="lease over")
        assert over["goaway"] == "revoked"
        assert client.get("billing-export") == ("safe", False)
        assert client("stats")["leaseLeft"] == 0


def test_a_refused_token_is_told_and_a_new_one_is_read(tmp_path):
    token = tmp_path / "token"
    token.write_text("wrong\n")
    with fake("--token", "right") as server, Driver(server.url, "token-file", str(token)) as client:
        assert client("watch " + ADA) and client("start")
        assert client.until(event="state")["code"] == 401
        assert client("state") == "connecting"
        token.write_text("right\n")
        client("reconnect")
        client.until(event="state", state="ready")
        assert "wrong" not in "".join(client.said) and "right" not in "".join(client.said)


def test_a_token_that_cannot_be_a_header_is_not_sent(tmp_path):
    token = tmp_path / "token"
    token.write_text("a\r\nX-Injected: b")
    with fake() as server, Driver(server.url, "token-file", str(token)) as client:
        client("start")
        assert "control character" in client.until(event="state")["message"]
        assert server("clients") == []


def test_a_server_that_breaks_the_protocol_is_left_and_asked_for_everything():
    with talking() as (server, client):
        server('raw {"type":"delta","revision":1,"watches":[{"watch":1,"removed":["theme"]}]}')
        client.until(event="state", state="ready")
        server("await connections 2")
        client.until(event="state", state="ready")
        assert server("closes") == [4400]
        assert server("await granted 0")[0]["resume"] is None
        assert client("stats")["faults"] == 1
        assert client.get("theme") == ("fresh", "dark")


def test_frames_of_tomorrow_are_ignored():
    with talking() as (server, client):
        server('raw {"type":"tomorrow","revision":0}')
        revision = server("set billing-export=false")["revision"]
        server(f"await acked {revision}")
        assert client("stats")["connections"] == 1


def test_watches_come_and_go_on_a_running_connection():
    with talking() as (server, client):
        server("set billing-export=false @bo")
        assert client('watch {"targetingKey":"bo"} billing-export theme')
        assert client("wait 10000")
        assert client("table 2")["values"] == {"billing-export": False, "theme": "dark"}
        client("unwatch 1")
        revision = server('set theme="light"')["revision"]
        server(f"await acked {revision}")
        assert server("clients")[0]["watches"] == [2]
        assert client.get("theme", 2) == ("fresh", "light")


def test_once_is_one_answer():
    with talking() as (server, client):
        client.until(event="change")
        assert client('once {"targetingKey":"bo"} theme')
        assert client.until(event="change")["once"]
        server('set theme="light" @bo')
        server("await acked 1")
        assert client.get("theme", 2) == ("once", "dark")
        assert server("clients")[0]["watches"] == [1]


def test_a_refused_watch_is_told_and_holds_nothing():
    with talking() as (server, client):
        server("error forbidden 1")
        assert client.until(event="error") == {"event": "error", "code": "forbidden", "retried": False}
        assert client.get("billing-export") == ("safe", False)
        assert client.get("theme") == ("unknown", None)
        assert client('watch {"locale":"de"}')
        assert client.until(event="error")["code"] == "bad_context"


def test_large_messages_arrive_whole():
    with talking() as (server, client):
        client.until(event="change")
        for size in (1000, 70000, 1000000):
            revision = json.loads(server.line(f'set theme="{"z" * size}"'))["revision"]
            server(f"await acked {revision}")
            assert client.get("theme") == ("fresh", "z" * size)


def test_many_threads_at_once_do_no_harm():
    with talking() as (server, client):
        results = []
        worker = threading.Thread(target=lambda: results.append(client("storm 300")))
        worker.start()
        value = True
        while worker.is_alive():
            value = not value
            server(f"set billing-export={'true' if value else 'false'}")
        worker.join()
        assert results == [True]
        server("drop")
        assert client("wait 10000")
        assert client.get("billing-export") == ("fresh", value)
        assert client("stats")["faults"] == 0


def test_nobody_there_is_told_and_tried_again():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        port = listener.getsockname()[1]
    with Driver(f"ws://127.0.0.1:{port}", "cap", "100") as client:
        assert client("watch " + ADA) and client("start")
        first, second = client.until(event="state"), client.until(event="state")
        assert first["state"] == second["state"] == "connecting" and first["code"] == 0
        with fake("--port", str(port)):
            client.until(event="state", state="ready")


def test_the_example_prints_each_change_with_its_cause():
    with fake() as server:
        example = subprocess.Popen([pathlib.Path(binary()).parent / "wire_example", server.url, "ada"],
                                   stdout=subprocess.PIPE, text=True)
        try:
            first = [example.stdout.readline().split() for _ in range(3)]
            assert [line[0] for line in first] == ["agent-tools", "billing-export", "theme"]
            server("set billing-export=false")
            line = example.stdout.readline()
            assert "true (on, TARGETING_MATCH) -> false (off, TARGETING_MATCH)  event" in line
        finally:
            example.terminate()
            example.communicate()
        assert example.returncode == 0


def test_its_end_is_a_close_with_1000():
    with fake() as server:
        with Driver(server.url) as client:
            assert client("watch " + ADA) and client("start") and client("wait 10000")
        server("await closes 1")
        assert server("closes") == [1000]


def test_it_ends_though_the_server_is_frozen():
    with fake() as server:
        with Driver(server.url) as client:
            assert client("watch " + ADA) and client("start") and client("wait 10000")
            server("freeze")
        server("thaw")


def test_tls_is_verified_against_the_ca_file(tmp_path):
    authority = trustme.CA()
    certificate = authority.issue_cert("127.0.0.1")
    authority.cert_pem.write_to_path(str(tmp_path / "ca.pem"))
    certificate.cert_chain_pems[0].write_to_path(str(tmp_path / "cert.pem"))
    certificate.private_key_pem.write_to_path(str(tmp_path / "key.pem"))
    server = Fake("--cert", str(tmp_path / "cert.pem"), "--key", str(tmp_path / "key.pem"))
    try:
        with Driver(server.url.replace("127.0.0.1", "localhost"), "ca-file", str(tmp_path / "ca.pem")) as client:
            client("start")  # the certificate is for another name
            assert client.until(event="state")["state"] == "connecting"
        for options, ready in ((("ca-file", str(tmp_path / "ca.pem")), True), ((), False), (("insecure", "yes"), True)):
            with Driver(server.url, *options) as client:
                assert client("watch " + ADA) and client("start")
                if ready:
                    assert client("wait 10000")
                else:
                    assert client.until(event="state")["state"] == "connecting"
                    assert client.get("theme") == ("unknown", None)
    finally:
        server.end()


def test_a_proxy_is_used_where_one_is_named():
    proxy = ConnectProxy()
    with talking(options=("proxy", proxy.address)) as (server, client):
        assert proxy.asked in server.url
        assert client.get("billing-export") == ("fresh", True)


def test_the_environments_proxy_is_not_used():
    with fake() as server, Driver(server.url, env={"http_proxy": "127.0.0.1:1"}) as client:
        assert client("watch " + ADA) and client("start") and client("wait 10000")

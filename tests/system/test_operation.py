# SPDX-License-Identifier: Apache-2.0
"""Running it: TLS, the service manager, signals, configuration, metrics."""

import contextlib
import os
import signal
import socket
import ssl
import subprocess
import threading
import urllib.request
from datetime import datetime, timedelta, timezone

import pytest
import trustme
from world import BINARY, Daemon, eventually

FLAG = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off",
                 "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}}


@pytest.fixture(scope="module")
def certificate(tmp_path_factory):
    folder = tmp_path_factory.mktemp("tls")
    subprocess.run(["openssl", "req", "-x509", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-days", "2",
                    "-subj", "/CN=localhost", "-addext", "subjectAltName=DNS:localhost,IP:127.0.0.1", "-keyout", folder / "key.pem",
                    "-out", folder / "cert.pem"], check=True, capture_output=True)
    return folder


def test_over_tls_http_and_the_command_line_work_and_plain_http_does_not(tmp_path, certificate):
    d = Daemon(tmp_path / "d", FLAG, {"tls": {"certificate": str(certificate / "cert.pem"), "key": str(certificate / "key.pem")}})
    d.start(ready=False)
    try:
        trust = ssl.create_default_context(cafile=certificate / "cert.pem")
        url = f"https://localhost:{d.port}"

        def ready():
            try:
                return urllib.request.urlopen(url + "/readyz", context=trust, timeout=10).status == 200
            except OSError:
                return False
        eventually(ready, "ready over TLS")
        with socket.create_connection(("127.0.0.1", d.port)) as plain:
            plain.sendall(b"GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")
            with contextlib.suppress(ConnectionResetError):
                assert b"200" not in plain.recv(100)
        done = subprocess.run([BINARY, "get", "ada", "--url", url, "--ca-file", certificate / "cert.pem"], capture_output=True, text=True)
        assert done.returncode == 0 and "door" in done.stdout, done.stderr
    finally:
        assert d.stop() == 0


def test_where_clients_must_show_a_certificate_only_one_of_that_authority_will_do(tmp_path, certificate):
    authority, other = trustme.CA(), trustme.CA()
    authority.cert_pem.write_to_path(tmp_path / "clients.pem")
    d = Daemon(tmp_path / "d", FLAG, {"tls": {"certificate": str(certificate / "cert.pem"), "key": str(certificate / "key.pem"),
                                              "clientCa": str(tmp_path / "clients.pem")}})
    d.start(ready=False)

    def answers(shown):
        trust = ssl.create_default_context(cafile=certificate / "cert.pem")
        if shown:
            shown.configure_cert(trust)
        try:
            return urllib.request.urlopen(f"https://localhost:{d.port}/healthz", context=trust, timeout=10).status == 200
        except OSError:
            return False

    try:
        eventually(lambda: answers(authority.issue_cert("program@example.org")), "a client of the authority gets in")
        assert not answers(None), "nobody without a certificate does"
        assert not answers(other.issue_cert("program@example.org")), "nor with one of another authority"
    finally:
        assert d.stop() == 0


def test_the_service_manager_is_told_when_it_is_ready_and_when_it_stops(tmp_path):
    with socket.socket(socket.AF_UNIX, socket.SOCK_DGRAM) as manager:
        manager.bind(str(tmp_path / "notify"))
        manager.settimeout(30)
        d = Daemon(tmp_path / "d", FLAG, env={"NOTIFY_SOCKET": str(tmp_path / "notify")}).start()
        assert b"READY=1" in manager.recv(1000)
        assert d.stop() == 0
        assert b"STOPPING=1" in manager.recv(1000)


def test_sighup_reads_the_flags_again(daemon):
    d = daemon(FLAG)
    before = d.get("/v1/flags").json["flags"]
    d.set_flags({**FLAG, "second": {"variants": {"a": "a"}, "defaultVariant": "a"}})
    d.process.send_signal(signal.SIGHUP)
    eventually(lambda: len(d.get("/v1/flags").json["flags"]) == len(before) + 1, "the second flag")


@pytest.mark.parametrize("config, says", [
    ({"lissten": "127.0.0.1:0"}, "listen"), ({"lease": "30"}, "lease"), ({"sources": {"opa": {"type": "opaa", "url": "http://x"}}}, "opa"),
    ({"sources": {"opa": {"type": "opa"}}}, "url"), ({"listen": "nowhere"}, "listen"), ({"limits": {"body": "lots"}}, "limits.body"),
])
def test_a_wrong_configuration_is_told_with_its_place_and_exits_3(tmp_path, config, says):
    d = Daemon(tmp_path / "d", FLAG, config)
    done = subprocess.run([BINARY, "serve", "--config", str(d.config_file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3, done
    assert says in done.stderr


def test_wrong_flags_stop_the_start_and_check_tells_the_same(tmp_path):
    bad = {"door": {**FLAG["door"], "defaultVariant": "of"}}
    d = Daemon(tmp_path / "d", bad)
    done = subprocess.run([BINARY, "serve", "--config", str(d.config_file)], capture_output=True, text=True, timeout=60)
    assert done.returncode == 3 and "flags.door.defaultVariant" in done.stderr and "'off'" in done.stderr
    check = subprocess.run([BINARY, "check", str(d.flag_file)], capture_output=True, text=True)
    assert check.returncode == 3 and "flags.door.defaultVariant" in check.stdout + check.stderr


def test_metrics_are_in_prometheus_form_and_count(daemon, client):
    d = daemon(FLAG)
    client(d, ["ada"]).wait_lease()
    d.facts("ada", {"access": "granted"}, "wait=delivered")
    metrics = d.metrics()
    assert metrics['flagstaff_flag_changes_total{flag="door"}'] == 1 and metrics["flagstaff_ready"] == 1
    assert metrics['flagstaff_sessions{channel="websocket"}'] == 1
    assert any(name.startswith("flagstaff_build_info{") for name in metrics)
    assert metrics["flagstaff_session_lag_versions_count"] >= 1 and metrics["flagstaff_session_lag_versions_sum"] == 0
    assert metrics["flagstaff_slow_clients_closed_total"] == 0 == metrics["flagstaff_conflated_updates_total"]


def test_clients_are_listed_in_pages(daemon, client):
    d = daemon(FLAG)
    for n in range(3):
        client(d, ["ada"], name=f"c{n}").wait_lease()
    first = d.get("/v1/clients?limit=2").json
    assert [c["client"] for c in first["clients"]] == ["c0", "c1"] and first["total"] == 3
    rest = d.get(f"/v1/clients?limit=2&after={first['next']}").json
    assert [c["client"] for c in rest["clients"]] == ["c2"] and "next" not in rest
    done = d.command("clients", "--limit", "1", "--after", str(first["next"]))
    rows = [line.split() for line in done.stdout.splitlines()]
    assert rows[0][:2] == ["SESSION", "CLIENT"] and [row[1] for row in rows[1:]] == ["c2"]
    assert "--after" in d.command("clients", "--limit", "1").stderr
    for path in ("/v1/clients?limit=0", "/v1/clients?limit=10001", "/v1/clients?after=x", "/v1/contexts?limit=10001"):
        assert d.get(path).status == 400


def test_a_port_in_use_is_named(daemon):
    d = daemon(FLAG)
    done = subprocess.run([BINARY, "serve", "--listen", f"127.0.0.1:{d.port}", "--data", str(d.folder / "other")], capture_output=True,
                          text=True, timeout=60, env={**os.environ})
    assert done.returncode == 1 and str(d.port) in done.stderr


def test_a_second_signal_ends_the_drain_at_once(daemon, client):
    d = daemon(FLAG, {"drain": "10m"})
    c = client(d, ["ada"])
    c.wait_lease()
    d.process.send_signal(signal.SIGTERM)
    c.wait(lambda c: c.goaway, "goaway")
    assert d.process.stop(signal.SIGTERM) == 0
    c.wait(lambda c: c.closed, "close")


def test_clients_get_the_time_that_goaway_promises_before_they_are_closed(daemon, client):
    d = daemon(FLAG, {"drain": "2s"})
    c = client(d, ["ada"])
    c.wait_lease()
    d.process.send_signal(signal.SIGTERM)
    c.wait(lambda c: c.goaway, "goaway")
    assert c.goaway["drain"] == 2000 and c.closed is None
    c.renew(1)
    c.wait_lease(1)
    c.close()
    assert d.stop() == 0, "nobody is left: it ends at once"


def test_who_waits_for_a_receipt_is_answered_when_the_service_ends(daemon, client):
    d = daemon(FLAG)
    d.facts("ada", {"access": "granted"})
    deaf = client(d, ["ada"], ack=False)
    deaf.wait_lease()
    answers = []
    asker = threading.Thread(target=lambda: answers.append(d.facts("ada", {"access": "none"}, "wait=delivered")))
    asker.start()
    deaf.wait_value("door", False)
    d.stop()
    asker.join(30)
    assert answers[0].status == 200 and answers[0].json["complete"] is False


if os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan"):  # fault points exist there only

    def test_the_last_entry_that_tells_of_flags_tells_of_those_that_rule(daemon):
        """Put back while others are on their way to the disk: those rule for a moment, and then the first ones again."""
        two = {**FLAG, "second": {"variants": {"a": "a"}, "defaultVariant": "a"}}
        d = daemon(FLAG, env={"FLAGSTAFF_FAULTS": "journal.commit=ms:3000:2-6"})
        d.set_flags(two)
        d.process.send_signal(signal.SIGHUP)
        d.process.wait_line(rf"loaded flags={len(two)} ")
        d.set_flags(FLAG)
        d.process.send_signal(signal.SIGHUP)

        def told():
            return [e["summary"] for e in d.get("/v1/entries?kind=config").json["entries"]]

        eventually(lambda: told(), "the second set is told")
        eventually(lambda: d.evaluate("ada", "second").status == 404, "the first set rules")
        assert sorted(told()) == sorted([f"{len(two)} flags are loaded", f"{len(FLAG)} flags are loaded"]), told()

    def test_flags_whose_entry_failed_are_loaded_again_and_a_failed_start_is_told_again(daemon):
        d = daemon(FLAG, env={"FLAGSTAFF_FAULTS": "journal.commit=enospc:3-6"}, start=False)
        d.start(ready=False)
        d.set_flags({**FLAG, "second": {"variants": {"a": "a"}, "defaultVariant": "a"}})
        d.process.send_signal(signal.SIGHUP)
        d.wait_ready()
        eventually(lambda: d.evaluate("ada", "second").status == 200, "the second flag")


def test_how_long_a_push_takes_counts_from_the_acceptance_of_an_event_however_old_its_sender_says_it_is(daemon, client):
    d = daemon(FLAG)
    c = client(d, ["ada"])
    c.wait_value("door", False)
    yesterday = (datetime.now(timezone.utc) - timedelta(days=1)).isoformat()
    d.facts("ada", {"access": "granted"}, time=yesterday)
    c.wait_value("door", True)
    metrics = d.metrics()
    assert metrics["flagstaff_event_to_push_seconds_count"] == 1
    assert metrics["flagstaff_event_to_push_seconds_sum"] < 3600, "it is not the sender's clock that is measured"


def test_metrics_tell_subjects_memory_and_open_files(daemon, client):
    d = daemon(FLAG)
    client(d, ["ada", "bo"]).wait_value("door", False)
    metrics = d.metrics()
    assert metrics["flagstaff_subjects"] == 2
    assert 1 << 20 < metrics["process_resident_memory_bytes"] <= metrics["process_max_resident_memory_bytes"] * 1.1
    assert metrics["process_open_fds"] == pytest.approx(len(os.listdir(f"/proc/{d.process.process.pid}/fd")), abs=3)

# SPDX-License-Identifier: Apache-2.0
"""What the tests with an OPA share: the example's bundle server, a gate that holds back answers, and looks into the journal."""

import contextlib
import json
import re
import shutil
import socket
import sqlite3
import sys
import threading
import time
from datetime import datetime

from world import ROOT, Process, eventually, free_port, http

EXAMPLE = ROOT / "examples" / "optoggles"
INPUT = {"user": {"var": "targetingKey"}}


def access(path, **more):
    """A boolean flag that OPA decides with the subject as `input.user`."""
    return {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client", **more,
            "decision": {"source": "opa", "path": path, "input": INPUT, **more.get("decision", {})}}


def source(opa, **more):
    return {"type": "opa", "url": opa.url, **more}


def state_of(daemon, name="opa"):
    return next(s for s in daemon.get("/v1/sources").json["sources"] if s["name"] == name)


def fence(*clients):
    """A renewal is granted behind every change that was computed before it: what a client has not seen by then, it is not sent."""
    for c in clients:
        n = max(c.sent_renewals) + 1
        c.renew(n)
        c.wait_lease(n)


def seen(client, key, since=0, watch=1):
    """(value, reason) of a flag, frame by frame, from place `since` of the client's history on."""
    return [(value, flag["reason"]) for _, w, k, value, flag in client.history[since:] if (w, k) == (watch, key)]


def is_reading_a_grant(client, key, watch=1):
    """What whoever reads from this client now is told: a value under lease, or else the safe one."""
    return client.value(key, watch) is True and time.monotonic() < client.lease_until


def entry_of(daemon, number):
    """(kind, body) of one entry, read from the journal's file."""
    with contextlib.closing(sqlite3.connect(f"file:{daemon.config['data']}/journal.db?mode=ro", uri=True, timeout=30)) as db:
        kind, body = db.execute("SELECT kind, body FROM entries JOIN bodies USING (number) WHERE number = ?", [number]).fetchone()
    return kind, json.loads(body)


def delay_ms(flag, received):
    """From the moment of a flag's cause to `received` (monotonic seconds). For people: no test asserts it."""
    return (received - time.monotonic() + time.time() - datetime.fromisoformat(flag["cause"]["time"]).timestamp()) * 1000


def tell_delay(client, key, what, watch=1):
    received, flag = next((t, f) for t, w, k, _, f in reversed(client.history) if (w, k) == (watch, key))
    print(f"{what}: {delay_ms(flag, received):.1f} ms")


class Bundles:
    """The example's bundle server on a folder of its own, which starts as the example's policy."""

    def __init__(self, folder):
        self.folder = folder / "policy"
        shutil.copytree(EXAMPLE / "policy", self.folder)
        self.port, self.process, self.published, self.last = free_port(), None, 0, None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = Process([sys.executable, str(EXAMPLE / "bundle_server.py"), str(self.folder), "--port", str(self.port)], name="bundles")
        self.process.wait_line(r"serving .* port=\d+")
        self.published = 0
        self.revision()
        return self

    def revision(self):
        """Of the next bundle that is published."""
        found = self.process.wait_line(r"published revision=(\w+)", self.published)
        self.published = 1 + next(i for i, line in enumerate(self.process.lines) if i >= self.published and "published" in line)
        self.last = found.group(1)
        return self.last

    def write(self, name, text):
        """Replaces a file; returns the revision of the bundle that has it."""
        temporary = self.folder / (name + ".new")
        temporary.write_text(text)
        temporary.rename(self.folder / name)
        return self.revision()

    def change(self, name, old, new):
        text = (self.folder / name).read_text()
        assert old in text, f"{name} does not have {old!r}"
        return self.write(name, text.replace(old, new))

    def active(self, opa):
        """Has that OPA the bundle that was published last?"""
        bundles = http("GET", opa.url + "/v1/data/nothing?provenance=true").json["provenance"].get("bundles", {})
        return bundles.get("app", {}).get("revision") == self.last

    def stop(self):
        if self.process:
            self.process.stop()
            self.process = None


class Gate:
    """A relay in front of a server that can hold back what the server says, without a word, until it is opened again."""

    def __init__(self, port):
        self.target, self.open, self.sockets, self.held = port, threading.Event(), [], threading.Event()
        self.open.set()
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        threading.Thread(target=self._accept, daemon=True).start()

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def _accept(self):
        with contextlib.suppress(OSError):
            while True:
                near, _ = self.listener.accept()
                try:
                    far = socket.create_connection(("127.0.0.1", self.target))
                except OSError:
                    near.close()
                    continue
                self.sockets += [near, far]
                threading.Thread(target=self._pump, args=(near, far, None), daemon=True).start()
                threading.Thread(target=self._pump, args=(far, near, self.open), daemon=True).start()

    def _pump(self, from_, to, gate):
        with contextlib.suppress(OSError):
            while data := from_.recv(65536):
                if gate and not gate.is_set():
                    self.held.set()
                    gate.wait()
                to.sendall(data)
        for s in (from_, to):
            with contextlib.suppress(OSError):
                s.shutdown(socket.SHUT_RDWR)

    def shut(self):
        self.held.clear()
        self.open.clear()

    def close(self):
        self.open.set()
        for s in [self.listener, *self.sockets]:
            s.close()


def has_module(opa_url):
    return re.search(r'"id":\s*"flagstaff"', http("GET", opa_url + "/v1/policies").body.decode()) is not None


def wait_up(daemon, name="opa"):
    eventually(lambda: state_of(daemon, name)["state"] == "up", f"source {name} is up")


def wait_down(daemon, name="opa"):
    eventually(lambda: state_of(daemon, name)["state"] == "down", f"source {name} is down")

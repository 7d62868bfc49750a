# SPDX-License-Identifier: Apache-2.0
"""The world of the system tests: the real daemon, a real OPA, and clients that share no code with either.

Nothing here sleeps to wait for something: `eventually` asks again until a condition holds, with a generous deadline.
"""

import contextlib
import json
import os
import re
import shutil
import signal
import socket
import subprocess
import threading
import time
import urllib.error
import urllib.request
import uuid
from pathlib import Path

import yaml
from websockets.exceptions import ConnectionClosed
from websockets.sync.client import connect

DEADLINE = 30.0  # seconds; far above what anything takes, so that a slow machine fails no test
ROOT = Path(__file__).resolve().parents[2]
BINARY = os.environ.get("FLAGSTAFF_BIN", str(ROOT / "build" / "flagstaff"))


def eventually(condition, what, deadline=DEADLINE):
    """The first true value of `condition()`; fails with `what` and the last value when the deadline is over."""
    end = time.monotonic() + deadline
    pause = threading.Event()
    last = None
    while time.monotonic() < end:
        last = condition()
        if last:
            return last
        pause.wait(0.02)
    raise AssertionError(f"not within {deadline:.0f} s: {what} (last: {last!r})")


def free_port():
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return s.getsockname()[1]


class Response:
    def __init__(self, status, headers, body):
        self.status, self.headers, self.body = status, headers, body

    @property
    def json(self):
        return json.loads(self.body)

    def __repr__(self):
        return f"<{self.status} {self.body[:400]!r}>"


def http(method, url, body=None, headers=None, timeout=DEADLINE + 40):
    """One request, whatever its status."""
    data = body if body is None or isinstance(body, bytes) else (body if isinstance(body, str) else json.dumps(body)).encode()
    request = urllib.request.Request(url, data=data, method=method, headers=headers or {})
    opener = urllib.request.build_opener(urllib.request.ProxyHandler({}))
    try:
        with opener.open(request, timeout=timeout) as answer:
            return Response(answer.status, answer.headers, answer.read())
    except urllib.error.HTTPError as answer:
        return Response(answer.code, answer.headers, answer.read())


class Process:
    """A child whose output is kept line by line."""

    def __init__(self, command, env=None, cwd=None, name="process"):
        self.name, self.lines, self.changed = name, [], threading.Condition()
        self.process = subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, stdin=subprocess.DEVNULL,
                                        env=env, cwd=cwd, text=True, errors="replace")
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()

    def _read(self):
        for line in self.process.stdout:
            with self.changed:
                self.lines.append(line.rstrip("\n"))
                self.changed.notify_all()
        with self.changed:
            self.lines.append(None)
            self.changed.notify_all()

    def wait_line(self, pattern, since=0, deadline=DEADLINE):
        """The first match of `pattern` in the output from line `since` on."""
        end = time.monotonic() + deadline
        seen = since
        with self.changed:
            while True:
                for line in self.lines[seen:]:
                    if line is None:
                        raise AssertionError(f"{self.name} ended without {pattern!r}:\n{self.output}")
                    found = re.search(pattern, line)
                    if found:
                        return found
                seen = max(seen, len(self.lines))
                left = end - time.monotonic()
                if left <= 0 or not self.changed.wait(left):
                    raise AssertionError(f"{self.name} did not say {pattern!r}:\n{self.output}")

    @property
    def output(self):
        return "\n".join(line for line in self.lines if line is not None)

    def send_signal(self, number):
        self.process.send_signal(number)

    def pause(self):
        """Returns when each of its threads stands still."""
        self.process.send_signal(signal.SIGSTOP)
        tasks = Path(f"/proc/{self.process.pid}/task")
        eventually(lambda: all(t.joinpath("stat").read_text().rpartition(")")[2].split()[0] == "T" for t in tasks.iterdir()),
                   f"{self.name} stands still")

    def resume(self):
        self.process.send_signal(signal.SIGCONT)

    def stop(self, number=signal.SIGTERM, deadline=DEADLINE):
        if self.process.poll() is None:
            self.process.send_signal(number)
        try:
            status = self.process.wait(deadline)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
            raise AssertionError(f"{self.name} did not end:\n{self.output}")
        self.reader.join(5)
        return status


class Daemon:
    """`flagstaff serve` in a folder of its own. `config` is merged over a small default; `flags` is a dict, or YAML text."""

    def __init__(self, folder, flags, config=None, env=None, arguments=()):
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.flag_file = self.folder / "flags.yaml"
        self.set_flags(flags)
        self.config = {"listen": "127.0.0.1:0", "data": str(self.folder / "state"), "flags": [str(self.flag_file)],
                       "drain": "300ms"}
        self.config.update(config or {})
        self.config_file = self.folder / "flagstaff.yaml"
        self.write_config()
        self.env = {**os.environ, **(env or {})}
        self.arguments = list(arguments)
        self.process = None
        self.port = None
        self.key = None

    def write_config(self):
        self.config_file.write_text(yaml.safe_dump(self.config))

    def set_flags(self, flags):
        """Replaces the file in one step, as an editor does."""
        text = flags if isinstance(flags, str) else yaml.safe_dump({"flags": flags})
        temporary = self.flag_file.with_suffix(".new")
        temporary.write_text(text)
        temporary.rename(self.flag_file)

    def reload(self, flags):
        """The same for those who do not wait until it has looked at the file by itself."""
        self.set_flags(flags)
        self.process.send_signal(signal.SIGHUP)

    def start(self, ready=True):
        port = self.port or 0
        self.process = Process([BINARY, "serve", "--config", str(self.config_file), "--listen", f"127.0.0.1:{port}", *self.arguments],
                               env=self.env, cwd=self.folder, name="flagstaff")
        self.port = int(self.process.wait_line(r"listening .*port=(\d+)").group(1))
        if ready:
            self.wait_ready()
        return self

    def wait_ready(self):
        eventually(lambda: self.get("/readyz").status == 200, "ready")

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    @property
    def ws_url(self):
        return f"ws://127.0.0.1:{self.port}/v1/ws"

    def headers(self, key=None, **more):
        key = key or self.key
        return {**({"Authorization": f"Bearer {key}"} if key else {}), **more}

    def get(self, path, key=None, **headers):
        return http("GET", self.url + path, headers=self.headers(key, **headers))

    def post(self, path, body=None, key=None, content_type="application/json", **headers):
        return http("POST", self.url + path, body, self.headers(key, **{"Content-Type": content_type}, **headers))

    def delete(self, path, key=None):
        return http("DELETE", self.url + path, headers=self.headers(key))

    def event(self, type_, data, query="", key=None, id_=None, source="/tests", **attributes):
        """Sends one CloudEvent; `query` such as "wait=applied"."""
        body = {"specversion": "1.0", "id": id_ or str(uuid.uuid4()), "source": source, "type": type_, "data": data, **attributes}
        return self.post("/v1/events" + ("?" + query if query else ""), body, key, "application/cloudevents+json")

    def facts(self, subject, facts, query="wait=applied", **more):
        return self.event("flagstaff.facts", {"subject": subject, "facts": facts}, query, **more)

    def recompute(self, query="wait=applied", **filters):
        return self.event("flagstaff.recompute", filters, query)

    def evaluate(self, subject, flag=None, key=None, **attributes):
        path = "/ofrep/v1/evaluate/flags" + (f"/{flag}" if flag else "")
        return self.post(path, {"context": {"targetingKey": subject, **attributes}}, key)

    def value(self, subject, flag, **attributes):
        return self.evaluate(subject, flag, **attributes).json.get("value")

    def add_key(self, scopes, **description):
        """Makes a key and gives its text. The first one ends development mode."""
        answer = self.post("/v1/keys", {"name": description.pop("name", "test"), "scopes": scopes, **description})
        assert answer.status == 201, answer
        return answer.json["key"]

    def command(self, *arguments, check=True, key=None, timeout=DEADLINE):
        """Runs a command of the same binary against this daemon."""
        env = dict(self.env)
        done = subprocess.run([BINARY, arguments[0], "--url", self.url, *arguments[1:]], capture_output=True, text=True, env=env,
                              timeout=timeout, cwd=self.folder)
        if check and done.returncode:
            raise AssertionError(f"{arguments}: exit {done.returncode}\n{done.stdout}\n{done.stderr}")
        return done

    def metrics(self):
        return {line.rsplit(" ", 1)[0]: float(line.rsplit(" ", 1)[1])
                for line in self.get("/metrics").body.decode().splitlines() if line and not line.startswith("#")}

    def stop(self, number=signal.SIGTERM):
        status = self.process.stop(number) if self.process else None
        self.process = None
        return status


class Listener:
    """One end of a websocket: a thread takes each frame, and whoever waits looks after each. `_take(frame)` is a subclass's."""

    def __init__(self, url, protocols, **how):
        self.socket = connect(url, subprotocols=protocols, compression=None, proxy=None, close_timeout=1, legacy=True, **how)
        self.frames, self.sizes = [], []
        self.broken = None  # what a frame was wrong with
        self.closed, self.changed = None, threading.Condition()
        self.thread = threading.Thread(target=self._run, daemon=True)

    def send(self, frame):
        self.socket.send(json.dumps(frame) if not isinstance(frame, str) else frame)

    def _run(self):
        try:
            for text in self.socket:
                frame = json.loads(text)
                with self.changed:
                    self.sizes.append(len(text.encode()))
                    self.frames.append(frame)
                    self._take(frame)
                    self.changed.notify_all()
        except ConnectionClosed:  # its code stands below
            pass
        except Exception as error:  # what is wrong must reach whoever waits
            self.broken = error
        with self.changed:
            self.closed = (self.socket.protocol.close_code, self.socket.protocol.close_reason)
            self.changed.notify_all()

    def of(self, kind):
        return [f for f in self.frames if f["type"] == kind]

    def wait(self, condition, what, deadline=DEADLINE):
        """Until `condition(self)` holds, looked at after each frame."""
        end = time.monotonic() + deadline
        with self.changed:
            while self.broken or not (result := condition(self)):
                left = end - time.monotonic()
                if left <= 0 or self.broken or (self.closed and not condition(self)):
                    raise AssertionError(f"not seen: {what}; closed: {self.closed}; last frames: {str(self.frames[-3:])[:2000]}") from self.broken
                self.changed.wait(min(left, 0.5))
            return result

    def drop(self):
        """Cuts the connection without a word."""
        with contextlib.suppress(OSError):
            self.socket.socket.shutdown(socket.SHUT_RDWR)
        self.thread.join(5)

    def close(self):
        with contextlib.suppress(Exception):
            self.socket.close()
        self.thread.join(5)


class Client(Listener):
    """A client of flagstaff.v1, written from docs/protocol alone: it applies revisions whole, acknowledges, and knows its lease."""

    def __init__(self, daemon, watches=(), key=None, ticket=None, origin=None, resume=None, name="test", ack=True, hello=True):
        protocols = ["flagstaff.v1"] + ([f"flagstaff.ticket.{ticket}"] if ticket else [])
        bearer = None if ticket else key or daemon.key
        super().__init__(daemon.ws_url, protocols, origin=origin, max_size=16 * 1024 * 1024,
                         additional_headers={"Authorization": f"Bearer {bearer}"} if bearer else {})
        self.ack = ack
        self.deltas, self.snapshots, self.errors = [], [], []
        self.watches, self.open_parts = {}, []
        self.welcome, self.epoch, self.revision = None, None, 0
        self.granted, self.lease_until, self.sent_renewals = None, 0.0, {}
        self.goaway, self.history = None, []
        if hello:
            frame = {"type": "hello", "protocol": "flagstaff.v1", "client": {"name": name, "version": "1"},
                     "watches": [self._watch(i + 1, w) for i, w in enumerate(watches)]}
            if resume:
                frame["resume"] = resume
            self.sent_renewals[0] = time.monotonic()
            with contextlib.suppress(ConnectionClosed):  # refused already: the thread below tells how
                self.send(frame)
        self.thread.start()

    @staticmethod
    def _watch(number, wish):
        wish = {"context": {"targetingKey": wish}} if isinstance(wish, str) else wish
        return {"watch": number, **wish}

    def watch(self, number, wish):
        self.send({"type": "watch", **self._watch(number, wish)})

    def renew(self, n):
        self.sent_renewals[n] = time.monotonic()
        self.send({"type": "renew", "n": n})

    def _take(self, frame):
        kind = frame["type"]
        if kind == "welcome":
            self.welcome, self.epoch = frame, frame["epoch"]
        elif kind in ("snapshot", "delta"):
            (self.snapshots if kind == "snapshot" else self.deltas).append(frame)
            self.open_parts.append(frame)
            if not frame.get("more"):
                self._close_revision()
        elif kind == "lease":
            self.granted = frame["n"]
            self.lease_until = self.sent_renewals[frame["n"]] + frame["duration"] / 1000
            self.revision = max(self.revision, frame["revision"])
        elif kind == "error":
            self.errors.append(frame)
        elif kind == "goaway":
            self.goaway = frame

    def _close_revision(self):
        fresh = set()
        for frame in self.open_parts:
            assert frame["revision"] >= self.revision, f"an older revision came after {self.revision}: {frame}"
            parts = [frame] if frame["type"] == "snapshot" else frame["watches"]
            for part in parts:
                held = self.watches.setdefault(part["watch"], {"flags": {}, "view": None})
                if frame["type"] == "snapshot":
                    if part["watch"] not in fresh:
                        held["flags"] = {}
                    fresh.add(part["watch"])
                    held["view"] = part["view"]
                    held["dropped"] = part.get("dropped")
                for key in part.get("removed", []):
                    held["flags"].pop(key, None)
                for flag in part.get("flags", []):
                    held["flags"][flag["key"]] = flag
                    self.history.append((time.monotonic(), part["watch"], flag["key"], flag.get("value"), flag))
        self.revision = self.open_parts[-1]["revision"]
        self.open_parts = []
        if self.ack:
            with contextlib.suppress(Exception):
                self.send({"type": "ack", "revision": self.revision})

    def flag(self, key, watch=1):
        return self.watches.get(watch, {"flags": {}})["flags"].get(key)

    def value(self, key, watch=1):
        flag = self.flag(key, watch)
        return None if flag is None else flag.get("value")

    def wait_value(self, key, value, watch=1, deadline=DEADLINE):
        return self.wait(lambda c: key in c.watches.get(watch, {"flags": {}})["flags"] and c.value(key, watch) == value and c.flag(key, watch),
                         f"{key} = {value!r} on watch {watch}", deadline)

    def wait_lease(self, n=0):
        self.wait(lambda c: c.granted is not None and c.granted >= n, f"lease {n}")
        return self

    def resume_point(self):
        return {"epoch": self.epoch, "session": self.welcome["session"], "revision": self.revision,
                "watches": [{"watch": number, "view": held["view"]} for number, held in self.watches.items()]}


class Opa:
    """A real OPA. `files` are policies and data by name; more arguments as on its command line."""

    binary = os.environ.get("OPA_BIN") or shutil.which("opa") or str(ROOT / ".tools" / "bin" / "opa")

    def __init__(self, folder, files=None, arguments=(), up=200):
        """`up`: what GET /health answers to plain HTTP when OPA listens; 400 on a port that speaks TLS."""
        self.up = up
        self.folder = Path(folder)
        self.folder.mkdir(parents=True, exist_ok=True)
        self.files = []
        for name, text in (files or {}).items():
            (self.folder / name).write_text(text if isinstance(text, str) else json.dumps(text))
            self.files.append(name)
        self.port = free_port()
        self.arguments = list(arguments)
        self.process = None

    @property
    def url(self):
        return f"http://127.0.0.1:{self.port}"

    def start(self):
        self.process = Process([self.binary, "run", "--server", "--addr", f"127.0.0.1:{self.port}", "--skip-version-check", "--log-level",
                                "error", *self.arguments, *self.files], cwd=self.folder, name="opa")
        eventually(self._healthy, "OPA is up")
        return self

    def _healthy(self):
        if self.process.process.poll() is not None:
            raise AssertionError(f"OPA ended:\n{self.process.output}")
        try:
            return http("GET", self.url + "/health", timeout=2).status == self.up
        except OSError:
            return False

    def put(self, path, value):
        answer = http("PUT", f"{self.url}/v1/data/{path}", value, {"Content-Type": "application/json"})
        assert answer.status == 204, answer

    def pause(self):
        self.process.pause()

    def resume(self):
        self.process.resume()

    def stop(self):
        if self.process:
            self.resume()
            self.process.stop(signal.SIGKILL)
            self.process = None


__all__ = ["BINARY", "Client", "DEADLINE", "Daemon", "Listener", "Opa", "Process", "ROOT", "eventually", "free_port", "http"]

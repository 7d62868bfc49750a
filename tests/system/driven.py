# SPDX-License-Identifier: Apache-2.0
"""What the tests of the C providers share: their driver programs, and a TCP proxy that can do what networks do."""

import json
import os
import queue
import socket
import struct
import subprocess
import threading
import time
from pathlib import Path

from world import DEADLINE, ROOT

DRIVERS = Path(os.environ.get("FLAGSTAFF_BUILD", ROOT / "build")) / "tests"

CONTRACT = {f"contract-{name}": {"variants": {"one": value}, "defaultVariant": "one"}
            for name, value in (("bool", True), ("string", "hi"), ("int", 10), ("double", 0.5), ("object", {"a": 1}))}


def check_contract(daemon, provider, tmp_path, **options):
    """tests/unit/sdk/contract.c, which every provider passes. Its evaluations have no context: the key says whom they are for."""
    d = daemon(CONTRACT)
    d.key = d.add_key(["admin"])
    file = tmp_path / "key"
    file.write_text(d.add_key(["evaluate:any"], name="program", subject="program"))
    words = [f"{name}={value}" for name, value in {"url": d.url, "key_file": file, **options}.items()]
    done = subprocess.run([str(DRIVERS / f"{provider}_contract"), *words], capture_output=True, text=True, timeout=DEADLINE * 4)
    assert done.returncode == 0, done.stdout + done.stderr


class Driver:
    """Runs tests/system/drivers/PROVIDER.c: commands in, answers and events out."""

    def __init__(self, provider, expect="OK", within=(), **options):
        """within: the words of a command that runs the program which the words after it name."""
        words = [f"{name}={value}" for name, value in options.items() if value is not None]
        self.process = subprocess.Popen([*within, str(DRIVERS / f"{provider}_driver"), *words], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True)
        self.answers, self.events, self.seen, self.said = queue.Queue(), queue.Queue(), [], []
        self.threads = [threading.Thread(target=self._read, daemon=True), threading.Thread(target=self._read_log, daemon=True)]
        for thread in self.threads:
            thread.start()
        self.started = self.answers.get(timeout=DEADLINE)
        assert expect is None or self.started == expect, (self.started, self.said)

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "event" in message:
                self.seen.append(message)
                self.events.put(message)
            else:
                self.answers.put(message["answer"])

    def _read_log(self):
        for line in self.process.stderr:
            self.said.append(line)

    def tell(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()

    def __call__(self, command):
        self.tell(command)
        return self.answers.get(timeout=DEADLINE)

    def get(self, key, subject="ada", kind="bool", **attributes):
        return self(" ".join(["get", kind, key, subject, *(f"{name}={value}" for name, value in attributes.items())]))

    def value(self, key, subject="ada", kind="bool", **attributes):
        return self.get(key, subject, kind, **attributes)["value"]

    def until(self, event, condition=lambda e: True, deadline=DEADLINE):
        """The next event of this name; those before it are passed over."""
        end = time.monotonic() + deadline
        while True:
            try:
                one = self.events.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                raise AssertionError(f"no {event}; seen: {self.seen[-6:]}; said: {self.said[-6:]}") from None
            if one["event"] == event and condition(one):
                return one

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            code = self.process.wait(DEADLINE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for thread in self.threads:
            thread.join(5)
        assert code == 0, (code, "".join(self.said[-60:]))


class Proxy:
    """Passes bytes on, until it is told otherwise. `sent` keeps for each piece from the client when it came and when it was passed on."""

    def __init__(self, port):
        self.upstream = port
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.port = self.listener.getsockname()[1]
        self.lock = threading.Lock()
        self.flowing = threading.Event()
        self.flowing.set()
        self.delay = 0.0      # seconds, both ways
        self.budget = None    # bytes to the client before the connection is cut
        self.reset = False    # cut by a reset
        self.refusing = False
        self.pairs, self.sent, self.closed = [], [], False
        threading.Thread(target=self._accept, daemon=True).start()

    def _accept(self):
        while True:
            try:
                client, _ = self.listener.accept()
            except OSError:
                return
            if self.refusing:
                client.close()
                continue
            try:
                server = socket.create_connection(("127.0.0.1", self.upstream), timeout=DEADLINE)
            except OSError:
                client.close()
                continue
            for one in (client, server):
                one.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            pair = (client, server)
            with self.lock:
                self.pairs.append(pair)
            threading.Thread(target=self._pump, args=(pair, client, server, True), daemon=True).start()
            threading.Thread(target=self._pump, args=(pair, server, client, False), daemon=True).start()

    def _pump(self, pair, source, target, up):
        try:
            while data := source.recv(65536):
                came = time.monotonic()
                self.flowing.wait()
                if self.delay:
                    threading.Event().wait(self.delay)
                if up:
                    target.sendall(data)
                    self.sent.append((came, time.monotonic()))
                elif self._take(len(data)) < len(data):
                    with self.lock:
                        part, self.budget = self.budget, None
                    target.sendall(data[:part])
                    break
                else:
                    target.sendall(data)
        except OSError:
            pass
        self._end(pair)

    def _take(self, length):
        with self.lock:
            if self.budget is None or self.budget >= length:
                if self.budget is not None:
                    self.budget -= length
                return length
            return self.budget

    def _end(self, pair):
        with self.lock:
            if pair not in self.pairs:
                return
            self.pairs.remove(pair)
        for one in pair:
            if self.reset:
                one.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
            else:
                try:
                    one.shutdown(socket.SHUT_RDWR)
                except OSError:
                    pass
            one.close()

    def freeze(self):
        self.flowing.clear()

    def thaw(self):
        self.flowing.set()

    def cut(self):
        """All connections, now."""
        for pair in list(self.pairs):
            self._end(pair)

    def cut_after(self, count):
        """The connection that carries them, after `count` more bytes to the client."""
        with self.lock:
            self.budget = count

    def close(self):
        self.closed = True
        self.flowing.set()
        self.listener.close()
        self.cut()

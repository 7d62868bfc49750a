# SPDX-License-Identifier: Apache-2.0
"""Runs docs/protocol/fake_server.py for a test and gives it commands."""
import contextlib
import json
import pathlib
import subprocess
import sys
import urllib.error
import urllib.parse
import urllib.request

SERVER = pathlib.Path(__file__).resolve().parents[3] / "docs" / "protocol" / "fake_server.py"


class Fake:
    def __init__(self, *options):
        self.process = subprocess.Popen([sys.executable, str(SERVER), *options], stdin=subprocess.PIPE,
                                        stdout=subprocess.PIPE, text=True)
        places = json.loads(self.process.stdout.readline())
        self.url, self.control = places["url"], places["control"]

    def __call__(self, command):
        """Gives a command over HTTP. One that cannot be done raises ValueError with the server's words."""
        try:
            with urllib.request.urlopen(self.control + urllib.parse.quote(command), timeout=30) as answer:
                return json.load(answer)
        except urllib.error.HTTPError as refusal:
            raise ValueError(refusal.read().decode()) from None

    def line(self, command):
        """Gives a command on stdin."""
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.process.stdout.readline().strip()

    def end(self):
        self.process.stdin.close()
        code = self.process.wait(10)
        self.process.stdout.close()
        return code


@contextlib.contextmanager
def fake(*options):
    server = Fake(*options)
    try:
        yield server
    finally:
        server.end()

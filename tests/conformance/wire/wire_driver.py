# SPDX-License-Identifier: Apache-2.0
"""Runs tests/conformance/wire/driver.c: commands in, answers and events out."""
import json
import os
import pathlib
import queue
import subprocess
import sys
import threading

ROOT = pathlib.Path(__file__).resolve().parents[3]
sys.path.insert(0, str(ROOT / "tests" / "conformance" / "protocol"))
PATIENCE = 20  # seconds; a test that waits so long has failed


def binary():
    """build/tests/wire_driver, or what WIRE_DRIVER names."""
    return os.environ.get("WIRE_DRIVER", str(ROOT / "build" / "tests" / "wire_driver"))


class Driver:
    def __init__(self, url, *options, env=None):
        self.process = subprocess.Popen([binary(), url, *options], stdin=subprocess.PIPE, stdout=subprocess.PIPE,
                                        stderr=subprocess.PIPE, text=True, env={**os.environ, **(env or {})})
        self.answers, self.events, self.said = queue.Queue(), queue.Queue(), []
        self.threads = [threading.Thread(target=self.read), threading.Thread(target=self.read_log)]
        for thread in self.threads:
            thread.start()

    def read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            (self.events if "event" in message else self.answers).put(message)

    def read_log(self):
        self.said += list(self.process.stderr)

    def __call__(self, command):
        self.process.stdin.write(command + "\n")
        self.process.stdin.flush()
        return self.answers.get(timeout=PATIENCE)["answer"]

    def get(self, key, watch=1):
        answer = self(f"get {watch} {key}")
        return answer["standing"], answer["value"]

    def until(self, **wanted):
        """The next event that has these members; those before it are passed over."""
        while True:
            event = self.events.get(timeout=PATIENCE)
            if all(event.get(name) == value for name, value in wanted.items()):
                return event

    def end(self):
        if self.process.poll() is None:
            self.process.stdin.close()
        try:
            code = self.process.wait(PATIENCE)
        except subprocess.TimeoutExpired:
            self.process.kill()
            raise
        for thread in self.threads:
            thread.join()
        assert code == 0, "".join(self.said)

    def __enter__(self):
        return self

    def __exit__(self, *exception):
        self.end()

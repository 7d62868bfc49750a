# SPDX-License-Identifier: Apache-2.0
"""A client of another language, in a process of its own."""

import json
import queue
import subprocess
import threading

from world import DEADLINE, eventually


class Child:
    """A client in a process of its own: a JSON object a line, both ways."""

    def __init__(self, command, cwd=None):
        self.process = subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, cwd=cwd)
        self.answers, self.events, self.changed = queue.Queue(), [], []
        self.requests, self.streams = [], []
        self.reader = threading.Thread(target=self._read, daemon=True)
        self.reader.start()
        assert self.answers.get(timeout=DEADLINE * 4) == {"ready": True}

    def _read(self):
        for line in self.process.stdout:
            message = json.loads(line)
            if "event" in message:
                self.changed.append(message.get("flags") or [])
                self.events.append(message["event"])
            elif "request" in message:
                self.requests.append(message)
            elif "stream" in message:
                self.streams.append(message)
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

    def switch(self, subject, **attributes):
        self.tell({"context": {"targetingKey": subject, **attributes}})
        assert self.answers.get(timeout=DEADLINE).get("context") == subject

    def wait_stream(self, count=1):
        """Until the provider has opened a stream for the `count`th time."""
        eventually(lambda: [s for s in self.streams if s["status"] == 200][count - 1:], f"stream {count} is open")

    def stop(self):
        self.process.stdin.close()
        self.process.kill()
        self.process.wait()

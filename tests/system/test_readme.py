# SPDX-License-Identifier: Apache-2.0
"""What the README promises: its five minutes, done word for word, against the demo and a real OPA.

Its blocks are done in their order, with what the text between them says to run in another terminal. Ports are others, and `build/flagstaff` and
`.tools/bin/opa` lead to those of the test. Each line of output must be the README's, word for word; only what no two runs share
may differ, and then time stands for time and number for number.
"""

import os
import re
import shlex
import signal
import subprocess

import pytest
from world import BINARY, DEADLINE, ROOT, Opa, Process, eventually, free_port, http

pytestmark = pytest.mark.once

DIFFERS = [
    (r"\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d\.\d{3}Z", "<moment>"),
    (r"\b\d\d:\d\d:\d\d\.\d{3}\b", "<time>"),
    (r"\b\d\d:\d\d:\d\d\b", "<clock>"),
    (r"\b[0-9a-f]{64}\b", "<hash>"),
    (r"\bs-[0-9a-f]{20}\b", "<session>"),
    (r"\b\d+ ms\b", "<delay>"),
    (r"\b(entry|event|override|revision)(\"?:? *)\d+", r"\1\2<number>"),
]


def told(line):
    """The line without what no two runs share."""
    for pattern, name in DIFFERS:
        line = re.sub(pattern, name, line)
    if "->" not in line:  # a first value: its cause depends on when one comes
        line = re.sub(r"\b(watch|event <number>)$", "<cause>", line)
    return line.rstrip()


def same(promised, said, what):
    assert [told(line) for line in said] == [told(line) for line in promised], f"{what}: the README's output is not the program's"


def unfinished(command):
    try:
        shlex.split(command)
    except ValueError:  # an open quotation, or a backslash at the end
        return True
    return False


def commands(block):
    """(command, the lines that it says) of a console block."""
    lines = block.splitlines()
    while lines:
        command = lines.pop(0).removeprefix("$ ")
        while unfinished(command):
            command += "\n" + lines.pop(0)
        promised = []
        while lines and not lines[0].startswith("$ "):
            promised.append(lines.pop(0))
        yield command, promised


def parts(text):
    """(kind, content) in the order of reading: ('run', command) of the prose, blocks by their language, (file name, text) of files."""
    end = 0
    for block in re.finditer(r"^```(\w*)\n(.*?)^```$", text, re.M | re.S):
        prose = text[end:block.start()]
        end = block.end()
        yield from (("run", command) for command in re.findall(r"`(build/flagstaff [^`]+)`", prose))
        named = re.search(r"`([\w.]+)`:\s*$", prose)
        yield named.group(1) if named else block.group(1), block.group(2)


class Newcomer:
    """Somebody with terminals, in the folder of the project."""

    def __init__(self, place):
        self.place, self.open, self.shown = place, [], None
        for name, program in (("build/flagstaff", BINARY), (".tools/bin/opa", Opa.binary)):
            (place / name).parent.mkdir(parents=True)
            (place / name).symlink_to(program)
        self.ports = {"8080": str(free_port()), "8181": str(free_port())}
        self.environment = {name: value for name, value in os.environ.items() if name not in ("XDG_STATE_HOME", "STATE_DIRECTORY")}
        self.environment |= {"HOME": str(place), "FLAGSTAFF_LISTEN": f"127.0.0.1:{self.ports['8080']}", "NO_COLOR": "1",
                             "FLAGSTAFF_URL": f"http://127.0.0.1:{self.ports['8080']}"}

    def here(self, text):
        return re.sub(r"(127\.0\.0\.1:)(8080|8181)\b", lambda found: found.group(1) + self.ports[found.group(2)], text)

    def stays(self, command):
        """A terminal of its own, until it says what it is for."""
        self.open.append(Process(["bash", "-euc", f"exec {command}"], env=self.environment, cwd=self.place, name=command))
        if " watch " in command:
            self.shown = self.open[-1]
            self.shown.wait_line("connected$")
        else:
            health = "http://127.0.0.1:" + (self.ports["8181"] + "/health" if "opa" in command else self.ports["8080"] + "/readyz")
            eventually(lambda: self.answers(health), f"{command} is ready")
        return self.open[-1]

    @staticmethod
    def answers(url):
        try:
            return http("GET", url, timeout=2).status == 200
        except OSError:
            return False

    def run(self, command):
        done = subprocess.run(["bash", "-euc", command], env=self.environment, cwd=self.place, stdout=subprocess.PIPE, stderr=subprocess.STDOUT,
                              text=True, timeout=DEADLINE)
        assert done.returncode == 0, (command, done.stdout)
        return done.stdout.splitlines()

    def sees(self, promised, what):
        """The watch's first lines are these."""
        eventually(lambda: len(self.shown.lines) >= len(promised), f"{what} says {len(promised)} lines; it said {self.shown.lines}")
        same(promised, self.shown.lines[:len(promised)], what)

    def does(self, kind, content):
        if kind == "run" or kind == "sh":
            for command in content.splitlines():
                if re.search(r"opa run|flagstaff (serve|watch)", command):
                    self.stays(command)
                else:
                    self.run(command)
        elif kind == "console":
            for command, promised in commands(content):
                if " watch " in command:
                    self.stays(command)
                    self.sees(promised, command)
                else:
                    same(promised, self.run(command), command)
        elif kind == "":
            self.sees(content.splitlines(), "the watch")
        else:
            (self.place / kind).write_text(content)

    def stop(self):
        for process in reversed(self.open):
            process.stop(signal.SIGINT)
        self.open = []


@pytest.fixture
def newcomer(tmp_path):
    one = Newcomer(tmp_path)
    yield one
    one.stop()


def test_the_five_minutes_are_as_the_readme_tells_them(newcomer):
    before, _, rest = newcomer.here((ROOT / "README.md").read_text()).partition("\n## Five minutes\n")
    tour = list(parts(rest.partition("\n## What works today\n")[0]))
    assert [kind for kind, _ in tour].count("console") >= 7, tour
    demo = newcomer.stays("build/flagstaff serve")  # script/server, when it has built
    first, story = re.search(r"^```\n(Flagstaff runs on .*?)\n…\n(.*?)\n```$", before, re.M | re.S).groups()
    for kind, content in tour:
        if kind == "policy.rego":
            newcomer.stop()  # "Stop the demo (Ctrl-C)"
        newcomer.does(kind, content)
        if "flagstaff watch ada" in content and demo in newcomer.open:  # so far the demo has the stage
            demo.wait_line(re.escape(story.splitlines()[-1].split("  ")[1]))
            said = [line for line in demo.lines if re.match(r"Flagstaff runs|\d\d:\d\d:\d\d  ", line)]
            same([first, *story.splitlines()], said[:1 + len(story.splitlines())], "the demo")
        if '"ttl":"2s"' in content:  # "the watch shows both flips": after the one of the receipt, this is the second
            eventually(lambda: len(re.findall(r"billing-export +true -> false", newcomer.shown.output)) == 2, "the watch shows both flips")

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Does what a page says, word for word.

usage: newcomer_test.py live BUILD_DIRECTORY: docs/providers/first-live-flag.md. The files and commands come from the page; only the
command that builds is not run: BUILD_DIRECTORY is what it has built. The port is a free one, by the environment. What the page shows as
output must come, in that order.
newcomer_test.py sdk: docs/sdk/first-flag.md, with the building of it; its program.c is the example that the page quotes.
"""
import os
import pathlib
import queue
import re
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
import time

ROOT = pathlib.Path(__file__).resolve().parents[3]
PAGES = {"live": ROOT / "docs/providers/first-live-flag.md", "sdk": ROOT / "docs/sdk/first-flag.md"}
PATIENCE = 60
STAYS = re.compile(r"^(flagstaff serve|\./door)\b")


def blocks(page):
    """(language, text, the name of the file that it is) of each block of the page."""
    text = page.read_text()
    for found in re.finditer(r"^```(\w+)\n(.*?)^```$", text, re.M | re.S):
        before = text[:found.start()].rstrip().splitlines()[-1]
        named = re.match(r"`([\w.]+)`", before)
        yield found.group(1), found.group(2), named.group(1) if named else None


def free_port():
    with socket.create_server(("127.0.0.1", 0)) as listener:
        return listener.getsockname()[1]


class Terminal:
    """Runs commands as somebody at a terminal, who has typed the three lines of the page before."""

    def __init__(self, place, prelude):
        port = free_port()
        self.prelude, self.place = prelude, place
        self.environment = os.environ | {"HOME": str(place), "FLAGSTAFF_LISTEN": f"127.0.0.1:{port}",
                                         "FLAGSTAFF_URL": f"http://127.0.0.1:{port}"}
        for name in ("LD_LIBRARY_PATH", "PKG_CONFIG_PATH", "CMAKE_PREFIX_PATH", "XDG_STATE_HOME"):
            self.environment.pop(name, None)
        self.running, self.lines = [], queue.Queue()

    def run(self, command, at):
        done = subprocess.run(["bash", "-euc", self.prelude + command], cwd=at, env=self.environment, capture_output=True, text=True,
                              timeout=PATIENCE * 5)
        if done.returncode != 0:
            sys.exit(f"failed: {command}{done.stdout}{done.stderr}")

    def start(self, command, at):
        process = subprocess.Popen(["bash", "-euc", self.prelude + f"exec {command}"], cwd=at, env=self.environment, text=True,
                                   stdout=subprocess.PIPE, stderr=subprocess.STDOUT)
        self.running.append(process)
        lines = self.lines if command.startswith("./door") else queue.Queue()

        def read():
            for line in process.stdout:
                lines.put(line.rstrip("\n"))
        threading.Thread(target=read, daemon=True).start()
        while command.startswith("flagstaff serve"):  # the page says that it says so
            try:
                if "listening" in lines.get(timeout=PATIENCE):
                    return
            except queue.Empty:
                sys.exit("flagstaff serve does not say that it listens")

    def expect(self, text):
        end = time.monotonic() + PATIENCE
        seen = []
        while time.monotonic() < end:
            try:
                seen.append(self.lines.get(timeout=1))
            except queue.Empty:
                continue
            if seen[-1] == text:
                return print(f"the program says: {text}")
        sys.exit(f"the program does not say: {text}; it said {seen}")

    def end(self):
        for process in reversed(self.running):
            process.send_signal(signal.SIGTERM)
            try:
                process.wait(PATIENCE)
            except subprocess.TimeoutExpired:
                process.kill()


def check_out(checkout, build):
    """The repository as the reader has it; with what the page's cmake line builds, where that is given."""
    checkout.mkdir()
    for entry in ROOT.iterdir():
        if entry.name not in ("build", ".git"):
            (checkout / entry.name).symlink_to(entry)
    if build:
        built = checkout / re.search(r"-B (\S+)", PAGES["live"].read_text()).group(1)
        built.parent.mkdir(parents=True)
        built.symlink_to(build)


def follow(terminal, page, build):
    checkout, desk = terminal.place / "checkout", terminal.place / "door"
    check_out(checkout, build)
    desk.mkdir()
    (desk / "program.c").symlink_to(ROOT / "examples/sdk/hello.c")
    at, prelude = checkout, ""
    for language, text, name in blocks(page):
        terminal.prelude = prelude
        if name:
            (desk / name).write_text(text)
        elif language == "text":
            terminal.expect(text.strip())
        elif language != "sh" or (build and text.startswith("cmake -S")):
            continue
        elif text.startswith("export"):
            at, prelude = desk, text
        elif STAYS.match(text):
            terminal.start(text, at)
        else:
            terminal.run(text, at)
        print(f"done: {name or text.strip().splitlines()[0]}")


def main():
    page = PAGES[sys.argv[1]]
    build = pathlib.Path(sys.argv[2]).resolve() if len(sys.argv) > 2 else None
    place = pathlib.Path(tempfile.mkdtemp())
    terminal = Terminal(place, "")
    try:
        follow(terminal, page, build)
    finally:
        terminal.end()
        shutil.rmtree(place, ignore_errors=True)


if __name__ == "__main__":
    main()

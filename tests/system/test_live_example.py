# SPDX-License-Identifier: Apache-2.0
"""examples/live against the real daemon: what the comment at its head says."""

import os
import signal

import pytest
from driven import DRIVERS
from world import DEADLINE, Process

DOOR = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "factDefaults": {"access": "none"},
        "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}


@pytest.fixture
def example():
    """example(argument, ...) starts the program; at the end it must go, and go well, when it is told to."""
    started = []

    def start(*arguments):
        started.append(Process([str(DRIVERS / "live_example"), *arguments], env=dict(os.environ), name="live"))
        return started[-1]

    yield start
    for one in started:
        one.send_signal(signal.SIGTERM)
        assert one.process.wait(DEADLINE) == 0, one.output


def test_the_new_value_is_printed_when_it_is_known_and_the_end_of_the_lease_when_the_daemon_is_gone(daemon, example, tmp_path):
    d = daemon({"door": DOOR}, {"lease": "1s"})
    d.key = d.add_key(["admin", "evaluate:any", "events", "facts:access"])
    key_file = tmp_path / "key"
    key_file.write_text(d.add_key(["evaluate:any"]))
    program = example(d.url, "ada", "door", str(key_file))
    program.wait_line("door is shut")
    since = len(program.lines)
    d.facts("ada", {"access": "granted"}, "wait=delivered")
    program.wait_line(r"PROVIDER_CONFIGURATION_CHANGED +door is open \(TARGETING_MATCH\)", since)
    since = len(program.lines)
    d.stop(signal.SIGKILL)
    program.wait_line("PROVIDER_STALE", since)
    program.wait_line(r"door is shut \(ERROR\)", since)
    since = len(program.lines)
    d.start()
    program.wait_line("door is open", since)


def test_without_arguments_or_with_an_address_that_is_none_it_says_so():
    for arguments, status, said in (([], 2, "usage:"), (["ftp://nowhere", "ada", "door"], 1, "no provider:")):
        program = Process([str(DRIVERS / "live_example"), *arguments], name="live")
        assert program.process.wait(DEADLINE) == status
        program.wait_line(said)

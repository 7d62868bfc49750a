# SPDX-License-Identifier: Apache-2.0
"""Fixtures: whatever a test starts is ended with it, and a daemon that ends badly fails the test that had it."""

import os
import sys
from pathlib import Path

import pytest

sys.path.insert(0, str(Path(__file__).parent))
from browser import Browser, check_out  # noqa: E402
from world import BINARY, Client, Daemon, Opa  # noqa: E402


def pytest_sessionstart(session):
    if not os.access(BINARY, os.X_OK):
        pytest.exit(f"no daemon at {BINARY}: run script/build, or set FLAGSTAFF_BIN", returncode=2)


def pytest_configure(config):
    config.addinivalue_line("markers", "once: it is about pages and what others read, not about the daemon: one round of it, with the release build, says all")


def pytest_collection_modifyitems(config, items):
    if os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan"):
        left_out = [item for item in items if item.get_closest_marker("once")]
        items[:] = [item for item in items if item not in left_out]
        config.hook.pytest_deselected(items=left_out)


@pytest.fixture
def daemon(tmp_path):
    """daemon(flags, config, ...) starts one."""
    started = []

    def make(flags, config=None, start=True, **more):
        one = Daemon(tmp_path / f"daemon{len(started)}", flags, config, **more)
        started.append(one)
        return one.start() if start else one

    yield make
    for one in started:
        if one.process:
            status = one.stop()
            assert status == 0, f"the daemon ended with {status}"


@pytest.fixture(scope="module")
def shared(request, tmp_path_factory):
    """One daemon with the module's FLAGS, for tests of what is refused: they change nothing."""
    one = Daemon(tmp_path_factory.mktemp("shared"), request.module.FLAGS).start()
    yield one
    assert one.stop() == 0


@pytest.fixture
def client():
    """client(daemon, watches, ...) connects one."""
    opened = []

    def make(*arguments, **more):
        opened.append(Client(*arguments, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


@pytest.fixture
def opa(tmp_path):
    """opa(files, arguments) starts one."""
    started = []

    def make(files=None, arguments=(), start=True):
        started.append(Opa(tmp_path / f"opa{len(started)}", files, arguments))
        return started[-1].start() if start else started[-1]

    yield make
    for one in started:
        one.stop()


@pytest.fixture(scope="module")
def browser():
    """A real Chromium. An error that a page did not catch fails the module that had it."""
    one = Browser()
    yield one
    one.stop()
    assert not one.events, one.events


@pytest.fixture(scope="session")
def checkout(tmp_path_factory):
    """Where a reader of examples/web stands."""
    return check_out(tmp_path_factory.mktemp("checkout"))

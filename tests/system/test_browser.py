# SPDX-License-Identifier: Apache-2.0
"""The pages of examples/web in a real Chromium, as their READMEs have them, against the real daemon."""

import signal

import pytest
from browser import EXAMPLES, Page, Reader
from world import eventually, free_port

pytestmark = pytest.mark.once


class Example(Page):
    def button(self):
        return self.visible("#export")

    def wait_button(self, shown):
        eventually(lambda: self.button() is shown, f"the button is {'there' if shown else 'gone'}")

    def expect_quiet(self):
        """Nothing is warned of in its console but the socket that was taken away, which is the browser's own line."""
        assert [line for line in self.said() if not line.startswith("WebSocket connection to ")] == []


@pytest.fixture(scope="module", params=["plain", "react"])
def reader(request, checkout):
    one = Reader(request.param, checkout)
    yield one
    one.stop()


@pytest.fixture
def site(reader):
    return reader.url


@pytest.fixture
def served(daemon, site):
    flags = (EXAMPLES / "plain" / "flags.yaml").read_text()
    d = daemon(flags, {"lease": "3s", "origins": [site]})
    d.site = site
    return d


def visit(browser, d, name):
    return Example(browser, f"{name} at {d.site}", f"{d.site}/?flagstaff={d.url}")


def test_a_button_follows_the_right_and_goes_at_the_lease_s_end_when_the_daemon_is_gone(served, browser):
    page = visit(browser, served, "one")
    eventually(lambda: page.text("#status") == "READY", "the page is ready")
    assert page.text("#greeting").strip() == "Good day, ada" and not page.button()
    granted = served.command("trigger", "--subject", "ada", "--fact", "may-export=true", "--wait", "delivered", "--output", "json")
    assert granted.returncode == 0, "every page has acknowledged"
    page.wait_button(True)
    served.command("trigger", "--subject", "ada", "--fact", "may-export=false", "--wait", "delivered")
    page.wait_button(False)
    served.command("trigger", "--subject", "ada", "--fact", "may-export=true", "--wait", "delivered")
    page.wait_button(True)
    served.stop(signal.SIGKILL)
    page.wait_button(False)
    assert page.text("#status") == "ERROR"
    served.start()
    page.wait_button(True)
    eventually(lambda: page.text("#status") == "READY", "the page is ready again")
    page.expect_quiet()


def test_two_pages_see_the_same_flip_and_a_change_of_person_shows_nothing_of_the_one_before(served, browser):
    pages = [visit(browser, served, name) for name in ("left", "right")]
    served.command("trigger", "--subject", "ada", "--fact", "may-export=true")
    for page in pages:
        page.wait_button(True)
    pages[0].choose("#who", "bo")
    assert not pages[0].button(), "bo has no right, and ada's is not his"
    eventually(lambda: pages[0].text("#greeting").strip() == "Good day, bo", "bo's page")
    assert pages[1].button()
    for page in pages:
        page.expect_quiet()


def test_the_readme_word_for_word(reader, browser, tmp_path):
    port = free_port()
    place = {"FLAGSTAFF_LISTEN": f"127.0.0.1:{port}", "FLAGSTAFF_URL": f"http://127.0.0.1:{port}"}
    command = reader.serve.strip().replace("/tmp/", f"{tmp_path}/").replace("http://127.0.0.1:3000", reader.url)
    daemon = reader.stays(command, "flagstaff", **place)
    daemon.wait_line("listening")
    page = Example(browser, f"the reader's at {reader.url}", f"{reader.url}/?flagstaff={place['FLAGSTAFF_URL']}")
    page.wait_text("#status", "READY")
    give, take = reader.triggers.strip().splitlines()
    reader.run(reader.lines + give, **place)
    page.wait_button(True)
    reader.run(reader.lines + take, **place)
    page.wait_button(False)
    page.expect_quiet()
    assert daemon.stop() == 0

# SPDX-License-Identifier: Apache-2.0
"""The pages of examples/web in a real Chromium, with the provider as `npm pack` packs it, against the real daemon."""

import signal

import pytest
from browser import EXAMPLES, Page, serve
from world import eventually, free_port

pytestmark = pytest.mark.once


class Example(Page):
    def button(self):
        return self.visible("#export")

    def wait_button(self, shown):
        eventually(lambda: self.button() is shown, f"the button is {'there' if shown else 'gone'}")


@pytest.fixture(params=["plain", "react"])
def site(request, packed, tmp_path):
    port = free_port()
    server = serve(request.param, packed, tmp_path / "site", port)
    yield f"http://127.0.0.1:{port}"
    server.stop()


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


def test_two_pages_see_the_same_flip_and_a_change_of_person_shows_nothing_of_the_one_before(served, browser):
    pages = [visit(browser, served, name) for name in ("left", "right")]
    served.command("trigger", "--subject", "ada", "--fact", "may-export=true")
    for page in pages:
        page.wait_button(True)
    pages[0].choose("#who", "bo")
    assert not pages[0].button(), "bo has no right, and ada's is not his"
    eventually(lambda: pages[0].text("#greeting").strip() == "Good day, bo", "bo's page")
    assert pages[1].button()

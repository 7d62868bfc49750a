# SPDX-License-Identifier: Apache-2.0
"""The pages of examples/web in a real Chromium, with the provider as `npm pack` packs it, against the real daemon."""

import os
import shutil
import signal
import subprocess
import tarfile

import pytest
from test_stock_clients import Child
from world import DEADLINE, ROOT, Process, eventually, free_port

pytestmark = pytest.mark.once
CHROMIUM = os.environ.get("FLAGSTAFF_CHROMIUM") or shutil.which("chromium")
EXAMPLES = ROOT / "examples" / "web"
STOCK = ROOT / "tests" / "node" / "node_modules"  # what npm has brought: nothing is fetched here


class Browser(Child):
    def do(self, **wish):
        self.tell(wish)
        answer = self.answers.get(timeout=DEADLINE)
        assert "error" not in answer, answer
        return answer

    def stop(self):
        self.process.stdin.close()  # it closes the browser, and ends
        self.process.wait(DEADLINE)


class Page:
    def __init__(self, browser, name, url):
        self.browser, self.name = browser, name
        browser.do(open=name, url=url)

    def button(self):
        return self.browser.do(page=self.name, visible="#export")["visible"]

    def text(self, selector):
        return self.browser.do(page=self.name, text=selector)["text"]

    def choose(self, who):
        self.browser.do(page=self.name, choose=["#who", who])

    def wait_button(self, shown):
        eventually(lambda: self.button() is shown, f"the button is {'there' if shown else 'gone'}")


@pytest.fixture(scope="module")
def browser():
    assert CHROMIUM, "no Chromium: script/bootstrap --tests installs it"
    one = Browser([shutil.which("node"), str(ROOT / "tests" / "node" / "browser.mjs"), CHROMIUM])
    yield one
    one.stop()
    assert not one.events, one.events


@pytest.fixture(scope="module")
def packed(tmp_path_factory):
    """The provider as a package, unpacked."""
    folder = tmp_path_factory.mktemp("pack")
    npm, source = shutil.which("npm"), ROOT / "providers" / "web"
    subprocess.run([npm, "run", "--silent", "build"], cwd=source, check=True)
    done = subprocess.run([npm, "pack", "--silent", "--ignore-scripts", "--pack-destination", str(folder)], cwd=source, check=True,
                          capture_output=True, text=True)
    with tarfile.open(folder / done.stdout.strip()) as archive:
        archive.extractall(folder)  # our own
    return folder / "package"


def install(example, packed, folder):
    """A copy of the example with its packages: those that npm has brought already, and the packed provider."""
    brought = EXAMPLES / "react" / "node_modules" if example == "react" else STOCK
    shutil.copytree(EXAMPLES / example, folder, ignore=shutil.ignore_patterns("node_modules", "dist"))
    shutil.copytree(packed, folder / "node_modules" / "@flagstaff" / "web-provider")
    for path in [*brought.glob("[!.@]*"), *brought.glob("@*/*")]:
        link = folder / "node_modules" / path.relative_to(brought)
        if not link.exists():
            link.parent.mkdir(parents=True, exist_ok=True)
            link.symlink_to(path.resolve())
    return folder


COMMANDS = {"plain": ["serve.mjs"], "react": ["node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--strictPort", "--port"]}


@pytest.fixture(params=["plain", "react"])
def site(request, packed, tmp_path):
    folder, port = install(request.param, packed, tmp_path / "site"), free_port()
    environment = {**{name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}, "NO_COLOR": "1"}
    server = Process([shutil.which("node"), *COMMANDS[request.param], str(port)], env=environment, cwd=folder, name=request.param)
    server.wait_line(rf"http://127\.0\.0\.1:{port}/")
    yield f"http://127.0.0.1:{port}"
    server.stop()


@pytest.fixture
def served(daemon, site):
    flags = (EXAMPLES / "plain" / "flags.yaml").read_text()
    d = daemon(flags, {"lease": "3s", "origins": [site]})
    d.site = site
    return d


def visit(browser, d, name):
    return Page(browser, f"{name} at {d.site}", f"{d.site}/?flagstaff={d.url}")


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
    pages[0].choose("bo")
    assert not pages[0].button(), "bo has no right, and ada's is not his"
    eventually(lambda: pages[0].text("#greeting").strip() == "Good day, bo", "bo's page")
    assert pages[1].button()

# SPDX-License-Identifier: Apache-2.0
"""A real Chromium, pages in it, and the example pages of examples/web as their READMEs have them."""

import os
import re
import shutil
import subprocess

from child import Child
from world import BINARY, DEADLINE, ROOT, Process, eventually, free_port

CHROMIUM = os.environ.get("FLAGSTAFF_CHROMIUM") or shutil.which("chromium")
EXAMPLES = ROOT / "examples" / "web"


class Browser(Child):
    def __init__(self):
        assert CHROMIUM, "no Chromium: script/bootstrap --tests installs it"
        super().__init__([shutil.which("node"), str(ROOT / "tests" / "node" / "browser.mjs"), CHROMIUM])

    def do(self, **wish):
        self.tell(wish)
        answer = self.answers.get(timeout=DEADLINE * 2)
        assert "error" not in answer, (wish, answer)
        return answer

    def stop(self):
        self.process.stdin.close()  # it closes the browser, and ends
        self.process.wait(DEADLINE)


class Page:
    """A page of a browser. What it does is browser.mjs's: page.click(SELECTOR), page.fill(LABEL, TEXT), page.wait(SELECTOR), ..."""

    def __init__(self, browser, name, url, beside=None):
        self.browser, self.name = browser, name
        browser.do(open=name, url=url, beside=beside and beside.name)

    def __getattr__(self, verb):
        def do(*given):
            return self.browser.do(page=self.name, **{verb: list(given)})[verb]
        return do

    def go(self, url):
        self.browser.do(open=self.name, url=url)

    def close(self):
        self.browser.do(page=self.name, close=[self.name])

    def wait_text(self, selector, text):
        eventually(lambda: self.text(selector).strip() == text, f"{selector} says {text!r}")


def check_out(root):
    """What the READMEs of examples/web are read in: sources without what a build leaves, and the daemon where script/build puts it."""
    for folder in ("examples/web", "providers/web"):
        shutil.copytree(ROOT / folder, root / folder, ignore=shutil.ignore_patterns("node_modules", "dist", "*.tgz"))
    shutil.copy(ROOT / "LICENSE", root)
    (root / "build").mkdir()
    (root / "build" / "flagstaff").symlink_to(BINARY)
    return root


class Reader:
    """Does what the README of an example says, word for word: installs with npm, and starts the page's server. Only the port is another."""

    def __init__(self, example, checkout):
        text = (checkout / "examples" / "web" / example / "README.md").read_text()
        self.install, self.start, self.serve, self.triggers = re.findall(r"^```sh\n(.*?)^```$", text, re.M | re.S)
        self.lines = "\n".join(self.install.splitlines()[:2]) + "\n"  # "with the first two lines"
        self.checkout, self.port = checkout, free_port()
        self.url = f"http://127.0.0.1:{self.port}"
        environment = {name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}
        self.environment = {**environment, "NO_COLOR": "1", "PORT": str(self.port), "npm_config_prefer_offline": "true"}
        self.run(self.install)
        self.server = self.stays(self.start.split("#")[0].strip(), example)
        self.server.wait_line(re.escape(f"{self.url}/"))

    def run(self, block, **environment):
        done = subprocess.run(["bash", "-euc", block], cwd=self.checkout, env={**self.environment, **environment}, capture_output=True,
                              text=True, timeout=DEADLINE * 4)
        assert done.returncode == 0, (block, done.stdout, done.stderr)

    def stays(self, command, name, **environment):
        return Process(["bash", "-euc", self.lines + f"exec {command}"], env={**self.environment, **environment}, cwd=self.checkout, name=name)

    def stop(self):
        self.server.stop()

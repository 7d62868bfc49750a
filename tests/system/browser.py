# SPDX-License-Identifier: Apache-2.0
"""A real Chromium, pages in it, and the example pages of examples/web with the provider as `npm pack` packs it."""

import os
import shutil
import subprocess
import tarfile

from child import Child
from world import DEADLINE, ROOT, Process, eventually

CHROMIUM = os.environ.get("FLAGSTAFF_CHROMIUM") or shutil.which("chromium")
EXAMPLES = ROOT / "examples" / "web"
STOCK = ROOT / "tests" / "node" / "node_modules"  # what npm has brought: nothing is fetched here
COMMANDS = {"plain": ["serve.mjs"], "react": ["node_modules/vite/bin/vite.js", "--host", "127.0.0.1", "--strictPort", "--port"]}


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


def pack(folder):
    """The provider as a package, unpacked below `folder`."""
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


def serve(example, packed, folder, port):
    """The example's own server, as a process that listens."""
    environment = {**{name: value for name, value in os.environ.items() if name != "FORCE_COLOR"}, "NO_COLOR": "1"}
    server = Process([shutil.which("node"), *COMMANDS[example], str(port)], env=environment, cwd=install(example, packed, folder),
                     name=example)
    server.wait_line(rf"http://127\.0\.0\.1:{port}/")
    return server

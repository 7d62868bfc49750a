#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Serves a folder of policies and data to OPA as a bundle, with long polling, so that a saved file is active within milliseconds.

    bundle_server.py FOLDER [--port N] [--token-file FILE]

GET /bundles/app.tar.gz, in the way of https://www.openpolicyagent.org/docs/management-bundles#bundle-service-api: OPA names the
ETag that it has and how long it would wait (`Prefer: wait=N`); while that is still the newest the answer is held back, and then it
is a 304. Loopback only. It does not judge what it serves: a bundle that OPA cannot use is OPA's to refuse.
"""

import argparse
import contextlib
import gzip
import hashlib
import hmac
import io
import json
import re
import signal
import sys
import tarfile
import threading
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path

LOOK_EVERY = 0.02  # seconds; the standard library cannot be told of changed files
LONGEST_WAIT = 300.0
CONTENT_TYPE = "application/vnd.openpolicyagent.bundles"  # this very type tells OPA that its `wait` is understood


def read_folder(folder):
    """The policies and data below a folder, by their names in the bundle."""
    files = {}
    for path in sorted(folder.rglob("*")):
        if path.is_file() and (path.suffix == ".rego" or path.name in ("data.json", "data.yaml")):
            files[path.relative_to(folder).as_posix()] = path.read_bytes()
    return files


def roots_of(files):
    """What the bundle owns of OPA's data: the packages of its policies and the top members of its data, and no more. The rest is
    left to others (Flagstaff keeps a small module of its own in OPA)."""
    roots = set()
    for name, content in files.items():
        if name.endswith(".rego"):
            found = re.search(rb"^package\s+([\w.]+)", content, re.MULTILINE)
            roots.add(found.group(1).decode().replace(".", "/") if found else "")
        elif "/" in name:
            roots.add(name.rsplit("/", 1)[0])
        else:
            with contextlib.suppress(ValueError):
                roots.update(json.loads(content))
    return sorted(r for r in roots if not any(o != r and (o == "" or r.startswith(o + "/")) for o in roots))


def build_bundle(files):
    """(revision, bytes of the tar.gz). The same files make the same bytes and the same revision."""
    digest = hashlib.sha256(json.dumps([[name, hashlib.sha256(content).hexdigest()] for name, content in files.items()]).encode())
    revision = digest.hexdigest()[:8]
    manifest = {"revision": revision, "roots": roots_of(files), "rego_version": 1}
    packed = io.BytesIO()
    with gzip.GzipFile(fileobj=packed, mode="wb", mtime=0) as zipped, tarfile.open(fileobj=zipped, mode="w") as tar:
        for name, content in {**files, ".manifest": json.dumps(manifest).encode()}.items():
            entry = tarfile.TarInfo(name)
            entry.size = len(content)
            tar.addfile(entry, io.BytesIO(content))
    return revision, packed.getvalue()


class Shelf:
    """The newest bundle, and a way to wait for a newer one."""

    def __init__(self):
        self.revision, self.bundle, self.changed = None, None, threading.Condition()

    def put(self, revision, bundle):
        with self.changed:
            self.revision, self.bundle = revision, bundle
            self.changed.notify_all()

    def take(self, known, wait):
        """(revision, bundle) as soon as it is another than `known`, or else what there is after `wait` seconds."""
        with self.changed:
            self.changed.wait_for(lambda: self.revision not in (None, known), wait)
            return self.revision, self.bundle


class Handler(BaseHTTPRequestHandler):
    protocol_version = "HTTP/1.1"
    disable_nagle_algorithm = True
    timeout = LONGEST_WAIT + 30

    def do_GET(self):
        shelf, token = self.server.shelf, self.server.token
        given = self.headers.get("Authorization", "")
        if token and not hmac.compare_digest(given.encode("latin-1", "replace"), b"Bearer " + token):
            return self.answer(401, {"WWW-Authenticate": "Bearer"})
        if self.path != "/bundles/app.tar.gz":
            return self.answer(404, {})
        known = self.headers.get("If-None-Match", "").strip('"') or None
        asked = re.search(r"\bwait=(\d+)", self.headers.get("Prefer", ""))
        revision, bundle = shelf.take(known, min(float(asked.group(1)), LONGEST_WAIT) if asked else 0)
        if revision is None:
            return self.answer(404, {})
        headers = {"Content-Type": CONTENT_TYPE, "ETag": f'"{revision}"'}
        return self.answer(304, headers) if revision == known else self.answer(200, headers, bundle)

    def answer(self, status, headers, body=b""):
        """Head and body in one write: in two, the second waits some 40 ms for the acknowledgement of the first."""
        reason = self.responses[status][0]
        lines = [f"HTTP/1.1 {status} {reason}", f"Date: {self.date_time_string()}", *(f"{name}: {value}" for name, value in headers.items())]
        if status != 304:
            lines.append(f"Content-Length: {len(body)}")
        try:
            self.wfile.write("\r\n".join([*lines, "", ""]).encode("latin-1") + body)
        except OSError:  # OPA is gone
            self.close_connection = True


def watch_folder(folder, shelf, stop):
    """Puts a new bundle on the shelf whenever the folder's content has changed and has stopped changing."""
    published = looked = None
    while True:
        try:
            files = read_folder(folder)
        except OSError:  # replaced while we read
            files = None
        if files and files == looked and files != published:
            revision, bundle = build_bundle(files)
            shelf.put(revision, bundle)
            published = files
            print(f"published revision={revision} bytes={len(bundle)}", flush=True)
        looked = files
        if stop.wait(LOOK_EVERY):
            return


def serve(folder, port=0, token=None):
    """Starts to serve; returns the server (its port is server.server_port) and an event that ends the watching."""
    server = ThreadingHTTPServer(("127.0.0.1", port), Handler)
    server.daemon_threads = True
    server.shelf, server.token = Shelf(), token
    stop = threading.Event()
    threading.Thread(target=watch_folder, args=(Path(folder), server.shelf, stop), daemon=True).start()
    threading.Thread(target=server.serve_forever, daemon=True).start()
    return server, stop


def main():
    parser = argparse.ArgumentParser(description="Serves a folder to OPA as a bundle, with long polling.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=9000, help="0 takes a free one (default: %(default)s)")
    parser.add_argument("--token-file", type=Path, help="ask OPA for this bearer token")
    options = parser.parse_args()
    if not options.folder.is_dir():
        sys.exit(f"{options.folder} is no folder")
    token = options.token_file.read_bytes().strip() if options.token_file else None
    signal.pthread_sigmask(signal.SIG_BLOCK, {signal.SIGTERM, signal.SIGINT})
    server, stop = serve(options.folder, options.port, token)
    print(f"serving {options.folder} port={server.server_port}", flush=True)
    signal.sigwait({signal.SIGTERM, signal.SIGINT})
    stop.set()
    server.shutdown()


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""The board's files, as the daemon serves them to a browser."""

import gzip
import os
import re
import threading

import pytest
from test_door import raw, status
from world import eventually, http

FLAG = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off"}}
HTML = {"Accept": "text/html,application/xhtml+xml,*/*;q=0.8"}


def page_of(d):
    answer = http("GET", d.url + "/", headers=HTML)
    assert answer.status == 200 and answer.headers["Content-Encoding"] == "gzip"
    return answer, gzip.decompress(answer.body).decode()


def test_a_browser_gets_the_page_and_a_program_the_list_of_what_there_is(daemon):
    d = daemon(FLAG)
    answer, page = page_of(d)
    assert answer.headers["Content-Type"] == "text/html; charset=utf-8" and '<div id="board">' in page
    plain = http("GET", d.url + "/", headers={"Accept": "*/*"})
    assert plain.headers["Content-Type"].startswith("text/plain") and b"/v1/ws" in plain.body


def test_the_page_may_run_what_comes_from_here_and_nothing_else(daemon):
    d = daemon(FLAG)
    answer, page = page_of(d)
    policy = dict(line.strip().split(" ", 1) for line in answer.headers["Content-Security-Policy"].split(";"))
    assert policy.pop("img-src") == "'self' data:"
    for nothing in ("default-src", "base-uri", "frame-ancestors"):
        assert policy.pop(nothing) == "'none'"
    assert policy and set(policy.values()) == {"'self'"}
    assert answer.headers["X-Content-Type-Options"] == "nosniff"
    assert answer.headers["Referrer-Policy"] == "no-referrer"
    assert answer.headers["Cross-Origin-Opener-Policy"] == "same-origin"
    assert not re.search(r"<script(?![^>]*\bsrc=)|<style|\bon\w+=|https?://", page), "inline code, or another's"


def test_each_file_of_the_page_is_there_with_a_tag_and_hashed_names_never_change(daemon):
    d = daemon(FLAG)
    _, page = page_of(d)
    files = re.findall(r'(?:src|href)="(board/[^"]+)"', page)
    assert any(f.endswith(".js") for f in files) and any(f.endswith(".css") for f in files)
    for file in files:
        first = http("GET", f"{d.url}/{file}")
        assert first.status == 200 and gzip.decompress(first.body)
        assert ("immutable" in first.headers["Cache-Control"]) == file.startswith("board/assets/")
        again = http("GET", f"{d.url}/{file}", headers={"If-None-Match": f'"other", W/{first.headers["ETag"]}'})
        assert again.status == 304 and not again.body and again.headers["ETag"] == first.headers["ETag"]


def test_the_page_itself_is_asked_for_again_each_time(daemon):
    d = daemon(FLAG)
    answer, _ = page_of(d)
    assert answer.headers["Cache-Control"] == "no-cache"
    assert http("GET", d.url + "/", headers={**HTML, "If-None-Match": answer.headers["ETag"]}).status == 304
    head = http("HEAD", d.url + "/", headers=HTML)
    assert head.status == 200 and not head.body and head.headers["Content-Length"] == answer.headers["Content-Length"]


def test_the_files_hold_no_secret_and_need_no_key(daemon):
    d = daemon(FLAG)
    made = http("POST", d.url + "/v1/keys", {"name": "first", "scopes": ["read"]}, {"Content-Type": "application/json"})
    assert made.status < 300
    page_of(d)
    assert http("GET", d.url + "/v1/flags").status == 401
    assert http("GET", d.url + "/board/assets/nothing.js").status == 404
    assert status(raw(d, f"GET /board HTTP/1.1\nHost: 127.0.0.1:{d.port}\n\n")) == 308


def test_a_directory_stands_in_for_the_files_in_the_binary(daemon, tmp_path):
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / "index.html").write_text("<!doctype html><title>mine</title>")
    (site / "assets" / "a.js").write_text("let a = 1")
    (site / ".hidden").write_text("no")
    (tmp_path / "secret.txt").write_text("no")
    d = daemon(FLAG, {"dashboardDir": str(site)})
    first = http("GET", d.url + "/", headers=HTML)
    assert first.body == b"<!doctype html><title>mine</title>" and "Content-Security-Policy" in first.headers
    script = http("GET", d.url + "/board/assets/a.js")
    assert script.body == b"let a = 1" and script.headers["Content-Type"].startswith("text/javascript")
    assert http("GET", d.url + "/board/assets/a.js", headers={"If-None-Match": script.headers["ETag"]}).status == 304
    (site / "assets" / "a.js").write_text("let a = 2")
    assert http("GET", d.url + "/board/assets/a.js", headers={"If-None-Match": script.headers["ETag"]}).body == b"let a = 2"


@pytest.mark.parametrize("path", ["../secret.txt", "%2e%2e/secret.txt", "..%2fsecret.txt", ".hidden", "assets/../../secret.txt",
                                  "assets", "/etc/hostname", "assets/%00", "nothing"])
def test_what_is_not_a_file_of_the_directory_is_not_there(daemon, tmp_path, path):
    site = tmp_path / "site"
    (site / "assets").mkdir(parents=True)
    (site / ".hidden").write_text("no")
    (tmp_path / "secret.txt").write_text("no")
    d = daemon(FLAG, {"dashboardDir": str(site)})
    answer = raw(d, f"GET /board/{path} HTTP/1.1\nHost: 127.0.0.1:{d.port}\nConnection: close\n\n", until=b"never")
    assert status(answer) in (400, 401, 403, 404) and not answer.endswith("no")


if os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan"):  # fault points exist there only

    def test_who_reads_files_of_a_slow_directory_holds_up_nobody_else_and_is_refused_beyond_a_few(daemon, tmp_path):
        (tmp_path / "site").mkdir()
        (tmp_path / "site" / "index.html").write_text("mine")
        d = daemon(FLAG, {"dashboardDir": str(tmp_path / "site")}, env={"FLAGSTAFF_FAULTS": "board.read=ms:5000:1-1"})
        answered = []
        readers = [threading.Thread(target=lambda: answered.append(http("GET", d.url + "/", headers=HTML).status)) for _ in range(24)]
        for reader in readers:
            reader.start()
        eventually(lambda: answered, "beyond a few they are refused")
        assert d.get("/v1/history").status == 200, "the journal is read meanwhile"
        assert d.post("/v1/keys", {"scopes": ["admin"]}).status == 201
        assert 200 not in answered, "and no file has been read yet"
        for reader in readers:
            reader.join()
        assert set(answered) == {200, 503} and answered.count(503) == 8
        assert http("GET", d.url + "/", headers=HTML).body == b"mine"

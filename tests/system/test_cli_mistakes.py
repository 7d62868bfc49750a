# SPDX-License-Identifier: Apache-2.0
"""What can be said wrongly on the command line is answered with what, where and what to do; and how a command ends
is what the table in docs/command-line.md says."""

import json
import os
import re
import subprocess

import pytest

from world import BINARY, ROOT, eventually

FLAGS = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "factDefaults": {"access": "none"},
                  "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}}}


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, **more)


def statuses():
    """Meaning -> exit status, as the documentation has it."""
    with open(os.path.join(ROOT, "docs", "command-line.md"), encoding="utf-8") as file:
        rows = re.findall(r"^\| (\d) \| (.+) \|$", file.read(), re.M)
    return {meaning: int(status) for status, meanings in rows for meaning in meanings.split("; ")}


@pytest.mark.parametrize("words, meaning", [
    (["get", "ada"], "no error"),
    (["get", "ada", "none-such"], "there is no such thing"),
    (["why", "ada", "none-such"], "there is no such thing"),
    (["who", "none-such"], "there is no such thing"),
    (["erase", "nobody"], "there is no such thing"),
    (["disconnect", "s-none"], "there is no such thing"),
    (["keys", "revoke", "none"], "there is no such thing"),
    (["release", "door", "--reason", "r", "--yes"], "there is no such thing"),
    (["trigger", "gone.json"], "there is no such thing"),
    (["backup", "{there}/copy.db"], "no error"),
    (["backup", "{there}/file"], "it is there already"),
    (["backup", "{there}/none/copy.db"], "there is no such thing"),
    (["backup", "/proc/copy.db"], "there is no such thing"),
    (["backup", "{there}/file/copy.db"], "there is no such thing"),
    (["history", "--limit", "x"], "the command line is wrong"),
    (["trigger", "--subject", "a", "--fact", "a b=1"], "the input is malformed"),
    (["get", "ada", "--url", "http://127.0.0.1:1"], "a server cannot be reached"),
    (["get", "ada", "--key-file", "{there}/none"], "the configuration is wrong"),
    (["get", "ada", "--key-file", "{there}/file"], "no credential, or one that is not known"),
    (["check", "{there}/none.yaml"], "a flag file is wrong"),
    (["verify", "--data", "{there}"], "the configuration is wrong"),
    (["keys", "list", "--data", "{there}"], "the configuration is wrong"),
])
def test_commands_end_as_the_table_says(daemon, tmp_path, words, meaning):
    (tmp_path / "file").write_text("flagstaff_unknown_key\n")
    (tmp_path / "file").chmod(0o600)
    d = daemon(FLAGS)
    more = [] if words[0] in ("check", "verify") or "--data" in words or "--url" in words else ["--url", d.url]
    done = run(*[word.format(there=tmp_path) for word in words], *more, cwd=tmp_path)
    assert done.returncode == statuses()[meaning], done.stderr
    assert done.returncode == 0 or done.stderr.startswith("flagstaff") or words[0] == "check" and done.stdout, "it says why"


def test_a_backup_says_what_is_in_the_way_and_writes_over_nothing(daemon, tmp_path):
    d = daemon(FLAGS)
    (tmp_path / "mine").write_text("mine")
    (tmp_path / "copy.db.key").write_text("mine")
    there = d.command("backup", str(tmp_path / "mine"), check=False)
    assert "name another file" in there.stderr and (tmp_path / "mine").read_text() == "mine"
    key = d.command("backup", str(tmp_path / "copy.db"), check=False)
    assert "copy.db.key: cannot make: File exists" in key.stderr and not (tmp_path / "copy.db").exists()
    assert "make the directory first" in d.command("backup", str(tmp_path / "none" / "copy.db"), check=False).stderr


def test_erasing_nobody_is_told_from_erasing_somebody(daemon):
    d = daemon(FLAGS)
    nobody = d.command("erase", "nobody", check=False)
    assert (nobody.returncode, nobody.stdout) == (4, "") and "nothing is told of a subject nobody" in nobody.stderr
    counts = {"found": False, "facts": 0, "bodies": 0, "texts": 0, "cells": 0, "live": 0}
    in_json = d.command("erase", "nobody", "-o", "json", check=False)
    assert in_json.returncode == 4 and json.loads(in_json.stdout) == counts
    assert d.delete("/v1/subjects?subject=nobody").json == counts
    d.facts("ada", {"access": "granted"})
    done = json.loads(d.command("erase", "ada", "-o", "json").stdout)
    assert done["found"] and done["facts"] == 1 and done["bodies"] >= 1
    assert d.command("erase", "ada", check=False).returncode == 4, "and then there is nobody"


def test_while_no_key_has_admin_adding_and_revoking_say_so(daemon, tmp_path):
    d = daemon(FLAGS)
    first = d.command("keys", "add", "--scope", "read")
    assert "warning: no key has the scope admin" in first.stderr and "flagstaff keys add --scope admin --data DIRECTORY" in first.stderr
    assert first.stdout.startswith("flagstaff_") and len(first.stdout.split()) == 1
    d.stop()
    key = run("keys", "add", "--scope", "admin", "--data", d.config["data"])
    assert key.returncode == 0 and "warning" not in key.stderr, "as the words said"
    (tmp_path / "key").write_text(key.stdout)
    d.key = key.stdout.strip()
    d.start()
    with_key = ("--key-file", str(tmp_path / "key"))
    assert "warning" not in d.command("keys", "add", "--scope", "read", *with_key).stderr
    in_json = json.loads(d.command("keys", "revoke", d.key.split("_")[1], "-o", "json", *with_key).stdout)
    assert in_json["warning"].startswith("no key has the scope admin")


def test_keys_make_no_directory_for_a_name_written_wrongly(tmp_path):
    for verb in (["add", "--scope", "admin"], ["list"], ["revoke", "x"]):
        done = run("keys", *verb, "--data", str(tmp_path / "stat"))
        assert done.returncode == 3 and "stat/journal.db: No such file" in done.stderr and "keys add --create makes one" in done.stderr
        assert not (tmp_path / "stat").exists()
    assert run("keys", "add", "--scope", "admin", "--create", "--data", str(tmp_path / "state")).returncode == 0
    assert (tmp_path / "state" / "journal.db").exists()
    assert "goes with keys add --data" in run("keys", "list", "--create", "--data", str(tmp_path / "state")).stderr


@pytest.mark.parametrize("words, said", [
    (["why", "ada", "door", "--at", "yesterday"], "--at yesterday: expected a time with its zone (RFC 3339), such as 2026-11-24T14:03:00Z"),
    (["why", "ada", "door", "--at", "2999-01-01T00:00:00Z"], "--at 2999-01-01T00:00:00Z: that is still to come"),
    (["keys", "add", "--scope", "read", "--expires", "soon"], "--expires soon: expected a time with its zone"),
    (["keys", "add", "--scope", "read", "--expires", "2020-01-01T00:00:00Z"], "--expires 2020-01-01T00:00:00Z: that is past, it is "),
    (["trigger", "-s", "a", "--fact", "x=1", "--expires", "2020-01-01T00:00:00Z"], "that is past, it is "),
    (["force", "door", "on", "--reason", "r", "--yes", "--expires", "2020-01-01T00:00:00Z"], "that is past, it is "),
    (["kill", "door", "--reason", "r", "--yes", "--for", "1h", "--expires", "2999-01-01T00:00:00Z"], "--for and --expires say the same"),
    (["trigger", "-s", "a", "--remove", "x", "--ttl", "1h"], "--ttl and --expires go with --fact"),
    (["trigger", "-s", "a", "--remove", "x", "--expires", "2999-01-01T00:00:00Z"], "--ttl and --expires go with --fact"),
    (["trigger", "--wait-timeout", "5s"], "--wait-timeout says how long --wait waits: give --wait applied or --wait delivered too"),
    (["kill", "door", "--reason", "r", "--yes", "--wait-timeout", "5s"], "--wait-timeout says how long --wait waits"),
])
def test_times_and_options_that_mean_nothing_are_refused_before_anything_is_asked(words, said):
    done = run(*words, "--url", "http://127.0.0.1:1")
    assert done.returncode == 2 and said in done.stderr, done.stderr


def test_the_api_says_the_same_of_times(daemon):
    d = daemon(FLAGS)
    assert d.get("/v1/why?subject=a&flag=door&at=noon").json["error"]["message"].endswith("such as 2026-11-24T14:03:00Z, not noon")
    for body in ({"scopes": ["read"], "expires": "soon"}, {"scopes": ["read"], "expires": "2020-01-01T00:00:00Z"}):
        answer = d.post("/v1/keys", body)
        assert answer.status == 400 and answer.json["error"]["message"].startswith("expires: ")


def test_disconnect_ends_a_connection_with_its_reason_in_the_journal(daemon, client):
    d = daemon(FLAGS)
    watching = client(d, ["ada"])
    watching.wait_lease()
    session = watching.welcome["session"]
    done = d.command("disconnect", session, "--reason", "stuck & gone", "-o", "json")
    assert json.loads(done.stdout) == {"disconnected": session}
    listed = eventually(lambda: [e for e in d.get("/v1/entries?limit=50").json["entries"] if e["kind"] == "operator"], "journaled")
    assert "stuck & gone" in json.dumps(listed)
    gone = d.command("disconnect", "s/none", check=False)
    assert gone.returncode == 4 and "no client is connected as s" in gone.stderr


def test_contexts_come_in_pages_over_http_and_on_the_command_line(daemon):
    d = daemon(FLAGS)
    for subject in ("ada", "bob", "cyd"):
        d.command("get", subject)
    page = d.get("/v1/contexts?limit=2").json
    rest = d.get(f"/v1/contexts?limit=2&after={page['next']}").json
    assert [c["subject"] for c in page["contexts"] + rest["contexts"]] == ["ada", "bob", "cyd"]
    assert page["more"] and "next" not in rest
    shown = d.command("contexts", "--limit", "2")
    assert "ada" in shown.stdout and "cyd" not in shown.stdout
    assert shown.stderr == f"there are more: --after {page['next']}\n"
    assert "cyd" in d.command("contexts", "--after", str(page["next"])).stdout
    assert "bob" not in d.command("contexts", "cyd").stdout
    assert d.get("/v1/contexts?after=x").status == 400

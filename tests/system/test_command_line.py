# SPDX-License-Identifier: Apache-2.0
"""The command line against the real daemon: what people read, what programs read, and how it ends."""

import json
import os
import re
import subprocess

from world import BINARY, Process, eventually, http

FLAGS = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
                  "factDefaults": {"access": "none"}, "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}},
         "theme": {"variants": {"dark": "#000", "light": "#fff"}, "defaultVariant": "light"}}


def run(*arguments, **more):
    return subprocess.run([BINARY, *arguments], capture_output=True, text=True, timeout=60, **more)


def test_get_shows_values_and_answers_programs_in_json(daemon):
    d = daemon(FLAGS)
    assert "theme" in d.command("get", "ada").stdout
    one = json.loads(d.command("get", "ada", "theme", "--output", "json").stdout)
    assert one["value"] == "#fff"
    assert d.command("get", "ada", "none-such", check=False).returncode == 4


def test_watch_shows_each_flip_with_its_cause_and_survives_a_restart(daemon):
    d = daemon(FLAGS)
    watch = Process([BINARY, "watch", "ada", "--url", d.url, "--output", "json"], name="watch")
    try:
        watch.wait_line(r'"door"')
        entry = d.facts("ada", {"access": "granted"}, "wait=delivered").json["entry"]
        flip = json.loads(watch.wait_line(r'^(\{.*"door".*"value":true.*\}|\{.*"value":true.*"door".*\})').group(1))
        assert str(entry) in json.dumps(flip)
        d.stop()
        d.start()
        seen = len(watch.lines)
        d.facts("ada", {"access": "none"})
        watch.wait_line(r'"value":false', since=seen)
    finally:
        assert watch.stop() in (0, -15)


def test_trigger_prints_the_receipt_and_why_the_whole_chain(daemon, client):
    d = daemon(FLAGS)
    client(d, ["ada"], name="shop").wait_lease()
    receipt = json.loads(d.command("trigger", "--subject", "ada", "--fact", "access=granted", "--wait", "delivered", "-o", "json").stdout)
    assert receipt["complete"] and receipt["acknowledged"] == 1
    why = json.loads(d.command("why", "ada", "door", "-o", "json").stdout)
    assert why["cause"]["entries"] == [receipt["entry"]]
    assert "shop" in d.command("why", "ada", "door").stdout
    assert "shop" in d.command("clients").stdout
    assert "door" in d.command("history", "ada").stdout or "door" in d.command("history", "--subject", "ada").stdout
    assert "builtin" in d.command("sources").stdout and "door" in d.command("flags").stdout


def test_keys_are_made_listed_and_revoked_and_a_key_file_is_used(daemon, tmp_path):
    d = daemon(FLAGS)
    key = d.command("keys", "add", "--name", "ops", "--scope", "admin", "--scope", "read", "--scope", "evaluate:any").stdout.strip()
    assert d.command("flags", check=False).returncode == 5, "from now on a key is needed"
    file = tmp_path / "key"
    file.write_text(key + "\n")
    file.chmod(0o600)
    assert "door" in d.command("flags", "--key-file", str(file)).stdout
    listed = d.command("keys", "list", "--key-file", str(file)).stdout
    assert "ops" in listed and key.rsplit("_", 1)[1] not in listed
    assert d.command("keys", "revoke", key.split("_")[1], "--key-file", str(file)).returncode == 0
    eventually(lambda: d.command("flags", "--key-file", str(file), check=False).returncode == 5, "revoked")


def test_keys_of_a_data_directory_are_made_where_no_daemon_runs_and_only_there(daemon, tmp_path):
    d = daemon(FLAGS, start=False)
    made = run("keys", "add", "--create", "--data", d.config["data"], "--scope", "read")
    assert made.returncode == 0, made.stderr
    d.key = made.stdout.strip()
    d.start(ready=False)
    eventually(lambda: d.get("/v1/flags").status == 200, "the key works")
    refused = run("keys", "list", "--data", d.config["data"])
    assert refused.returncode != 0 and str(d.process.process.pid) in refused.stderr
    d.key = None
    assert d.get("/v1/flags").status == 401


def test_backup_makes_a_copy_that_verifies(daemon, tmp_path):
    d = daemon(FLAGS)
    d.facts("ada", {"access": "granted"})
    folder = tmp_path / "copy"
    folder.mkdir()
    assert d.command("backup", str(folder / "journal.db")).returncode == 0
    (folder / "journal.db.key").rename(folder / "audit.key")
    done = subprocess.run([BINARY, "verify", "--data", folder, "--output", "json"], capture_output=True, text=True)
    told = json.loads(done.stdout)
    assert done.returncode == 0 and told["holds"] is True and told["checked"] == told["last"] > 0


def test_history_says_how_many_it_shows_at_once_and_keys_tell_times_as_all_else_does(daemon):
    d = daemon(FLAGS)
    done = d.command("history", "-n", "5000", check=False)
    assert done.returncode == 2 and "1000 changes at once; --before ENTRY goes on" in done.stderr
    d.key = d.add_key(["admin"])
    assert re.fullmatch(r"\d{4}-\d\d-\d\dT[\d:.]+Z", d.get("/v1/keys").json["keys"][0]["created"])


def test_a_module_for_a_source_that_is_asked_no_path_is_an_error_and_not_an_empty_one(daemon):
    done = daemon(FLAGS).command("opa-module", "--source", "builtin", check=False)
    assert done.returncode == 4 and not done.stdout and "no flag asks a path of source builtin" in done.stderr


def test_check_tells_all_errors_at_once_and_what_fails_open(tmp_path):
    file = tmp_path / "flags.yaml"
    file.write_text("""flags:
  one:
    variants: { a: 1, b: x }
    defaultVariant: c
  two:
    variants: { "on": true, "off": false }
    defaultVarint: "off"
  three:
    variants: { "on": true, "off": false }
    defaultVariant: "off"
    onUnknown: evaluate
    decision: { rule: { var: admin } }
    targeting: { if: [ { "!=": [ { var: decision.state }, denied ] }, "on", "off" ] }
""")
    done = run("check", str(file))
    said = done.stdout + done.stderr
    assert done.returncode == 3
    assert "flags.one" in said and "'c'" in said and "defaultVariant" in said and f"{file}:7:" in said
    assert "flags.three.onUnknown" in said


def test_an_unknown_command_or_option_exits_2_with_a_suggestion():
    wrong = run("wach")
    assert wrong.returncode == 2 and "watch" in wrong.stderr
    option = run("watch", "ada", "--ulr", "http://x")
    assert option.returncode == 2 and "--url" in option.stderr


def test_a_daemon_that_is_not_there_exits_6():
    done = run("get", "ada", "--url", "http://127.0.0.1:1")
    assert done.returncode == 6 and "127.0.0.1:1" in done.stderr


def test_every_command_has_help_with_an_example():
    overview = run("--help").stdout
    for command in ("serve", "check", "get", "watch", "trigger", "why", "history", "clients", "flags", "sources", "keys", "verify", "backup",
                    "opa-module", "version"):
        assert command in overview
        text = run(command, "--help")
        assert text.returncode == 0 and "Usage: flagstaff" in text.stdout
        assert command == "version" or "xample" in text.stdout, command


def test_serve_without_arguments_is_a_demo_that_moves_until_somebody_takes_over(tmp_path):
    env = {**os.environ, "XDG_STATE_HOME": str(tmp_path)}
    demo = Process([BINARY, "serve", "--listen", "127.0.0.1:0"], env=env, name="demo")
    try:
        port = demo.wait_line(r"listening .*port=(\d+)").group(1)
        demo.wait_line("HR: Ada starts her day")
        url = f"http://127.0.0.1:{port}"
        story = eventually(lambda: http("GET", f"{url}/v1/contexts").json["contexts"], "the story's people are watched, though nobody has come")
        assert {context["subject"] for context in story} == {"ada", "bo", "invoice-bot"}
        client = eventually(lambda: [c for c in http("GET", f"{url}/v1/clients").json["clients"] if c["state"] == "current"], "it acknowledges")
        assert [c["client"] for c in client] == ["demo"]
        done = run("trigger", "--subject", "ada", "--fact", "risk=90", "--wait", "delivered", "--url", url)
        assert done.returncode == 0 and "complete" in done.stdout, done.stderr
        demo.wait_line("leaves the stage to you")
    finally:
        assert demo.stop() == 0


def test_why_of_a_flag_that_is_not_there_says_so(daemon):
    d = daemon(FLAGS)
    done = d.command("why", "ada", "dor", check=False)
    assert done.returncode == 4 and "there is no flag dor here, did you mean door?" in done.stderr
    nobody = d.command("why", "ada", "door", check=False)
    assert nobody.returncode == 4 and "nobody watches it" in nobody.stderr


def test_verify_of_a_directory_without_a_journal_names_it(tmp_path):
    done = run("verify", "--data", str(tmp_path / "none"))
    assert done.returncode == 3 and "none/journal.db: No such file" in done.stderr


def test_all_mistakes_of_a_configuration_are_told_at_once(tmp_path):
    config = tmp_path / "flagstaff.yaml"
    config.write_text("lisen: x\nlease: 30\nsources: { 'a b': {} }\n")
    done = run("serve", "--config", str(config))
    assert done.returncode == 3
    assert [line.split(": ")[1].rsplit("/", 1)[1] for line in done.stderr.splitlines()] == [
        "flagstaff.yaml:1:1", "flagstaff.yaml:2:8", "flagstaff.yaml:3:12"]


def test_watch_says_where_it_finds_no_daemon(daemon):
    watch = Process([BINARY, "watch", "ada", "--url", "http://127.0.0.1:1"], name="watch")
    try:
        watch.wait_line(r"no daemon can be reached at http://127\.0\.0\.1:1 \(.*is it running")
    finally:
        watch.stop()
    watch = Process([BINARY, "watch", "ada", "--url", daemon(FLAGS).url.replace("http:", "https:")], name="watch")
    try:
        watch.wait_line("the url begins with http:// or ws://")
    finally:
        watch.stop()


def test_names_that_are_nobodys_are_refused_with_their_place_and_what_was_meant(daemon):
    d = daemon(FLAGS)
    before = d.get("/v1/entries").json["entries"]
    for more in [], ["--wait", "delivered"], ["--dry-run"]:
        for names, wrong in ((["--flag", "door", "--flag", "dor"], "data.flags[1]: there is no flag dor here, did you mean door?"),
                             (["--source", "bultin"], "data.sources[0]: there is no source bultin here, did you mean builtin?")):
            done = d.command("trigger", *names, *more, check=False)
            assert done.returncode not in (0, 1) and wrong in done.stderr and not done.stdout, "it proves nothing"
    batch = [{"specversion": "1.0", "id": str(i), "source": "/t", "type": "flagstaff.recompute", "data": {"flags": [flag]}} for i, flag in enumerate(["door", "nope"])]
    answer = d.post("/v1/events", batch, content_type="application/cloudevents-batch+json")
    assert answer.status == 400 and answer.json["error"]["message"].startswith("event 1: data.flags[0]: there is no flag nope here")
    assert d.get("/v1/entries").json["entries"] == before, "a batch is taken whole or not at all"
    d.command("trigger", "--flag", "door", "--source", "builtin", "--subject", "nobody", "--path", "no/such")
    watch = Process([BINARY, "watch", "ada", "--flag", "door", "--flag", "nope", "--url", d.url], name="watch")
    try:
        watch.wait_line("connected")
        assert "ada: there is no flag nope" in watch.output and "no flag door" not in watch.output
    finally:
        watch.stop()


def test_watch_does_not_show_a_flip_where_only_the_reason_is_another(daemon):
    d = daemon(FLAGS)
    watch = Process([BINARY, "watch", "ada", "--url", d.url], name="watch")
    try:
        watch.wait_line(r"  ada       door +false ")  # eight columns at least, so that several processes agree
        watch.wait_line("connected")
        d.reload({**FLAGS, "door": {**FLAGS["door"], "state": "DISABLED"}})
        watch.wait_line(r"door +false, as before +DISABLED")
    finally:
        watch.stop()


def started_demo(data, *arguments):
    """The demo in this data directory, and its URL once it listens and has introduced itself."""
    demo = Process([BINARY, "serve", "--listen", "127.0.0.1:0", "--data", str(data), *arguments], name="demo")
    port = demo.wait_line(r"listening .*port=(\d+)").group(1)
    demo.wait_line("Facts, keys and the journal stay in")
    return demo, f"http://127.0.0.1:{port}"


def test_the_demo_says_where_its_state_lies_and_asks_for_a_key_once_there_is_one(tmp_path):
    demo, url = started_demo(tmp_path / "state")
    try:
        assert str(tmp_path / "state") in demo.output and "--key-file" not in demo.output
        assert run("keys", "add", "--scope", "admin", "--url", url).returncode == 0
    finally:
        assert demo.stop() == 0
    demo, url = started_demo(tmp_path / "state")
    try:
        assert demo.output.count("--key-file FILE") == 3 and "every command needs one" in demo.output
    finally:
        assert demo.stop() == 0


def test_the_demo_on_all_addresses_prints_one_that_can_be_connected_to(tmp_path):
    demo = Process([BINARY, "serve", "--listen", "0.0.0.0:0", "--data", str(tmp_path)], name="demo")
    try:
        demo.wait_line(r"watch ada --url http://127\.0\.0\.1:\d+")
    finally:
        assert demo.stop() == 0


def test_a_receipt_after_a_restart_waits_for_the_leases_before_it_and_says_so(tmp_path):
    demo, _ = started_demo(tmp_path, "--lease", "8s")
    assert demo.stop() == 0
    demo, url = started_demo(tmp_path, "--lease", "8s")
    try:
        done = run("trigger", "--subject", "nobody", "--fact", "risk=90", "--wait", "delivered", "--url", url)
        assert done.returncode == 0 and "still waiting" in done.stderr, done.stderr
        assert "complete" in done.stdout and "docs/receipts.md" in done.stdout
        assert "nobody was concerned" in done.stderr
    finally:
        assert demo.stop() == 0


def test_https_to_a_plain_port_says_so(daemon):
    d = daemon(FLAGS)
    done = run("get", "ada", "--url", d.url.replace("http:", "https:"))
    assert done.returncode == 6 and "does not speak TLS" in done.stderr

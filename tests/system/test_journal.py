# SPDX-License-Identifier: Apache-2.0
"""Nothing that was acknowledged is lost, whatever ends the process; the audit chain tells what somebody changed."""

import datetime
import json
import os
import pathlib
import random
import signal
import sqlite3
import subprocess
import threading

from world import BINARY, Process, eventually

FLAG = {"door": {"variants": {"on": True, "off": False}, "defaultVariant": "off",
                 "factDefaults": {"n": -1}, "decision": {"rule": {">=": [{"var": "facts.n"}, 0]}}}}
KILLS = 40 if os.environ.get("TEST_DEPTH") == "deep" else 4


def verify(folder):
    return subprocess.run([BINARY, "verify", "--data", str(folder)], capture_output=True, text=True)


def test_every_acknowledged_event_is_there_after_the_process_was_killed(daemon):
    d = daemon(FLAG)
    seed = int(os.environ.get("TEST_SEED", "7"))
    choice = random.Random(seed)
    acknowledged = {}
    number = 0
    for round_ in range(KILLS):
        stop = threading.Event()

        def send():
            nonlocal number
            while not stop.is_set():
                number += 1
                try:
                    answer = d.facts(f"s{number}", {"n": number}, "", id_=f"{round_}-{number}")
                except OSError:
                    return
                if answer.status == 202:
                    acknowledged[number] = answer.json["entries"][0]["entry"]

        sender = threading.Thread(target=send)
        before = len(acknowledged)
        sender.start()
        wanted = before + choice.randrange(1, 60)
        eventually(lambda: len(acknowledged) >= wanted, "some are acknowledged")
        d.process.process.kill()
        stop.set()
        sender.join(30)
        d.process.process.wait()
        d.start()
    assert len(set(acknowledged.values())) == len(acknowledged), "an entry's number is given once"
    for n in choice.sample(sorted(acknowledged), min(60, len(acknowledged))) + [max(acknowledged)]:
        assert d.value(f"s{n}", "door") is True, f"event {n} (seed {seed}) was acknowledged and is lost"
    folder = d.config["data"]
    d.stop()
    done = verify(folder)
    assert done.returncode == 0, done.stdout + done.stderr


def test_verify_names_the_entry_that_somebody_changed(daemon):
    d = daemon(FLAG)
    for i in range(20):
        d.facts(f"s{i}", {"n": i}, "")
    folder = d.config["data"]
    d.stop()
    assert verify(folder).returncode == 0
    database = sqlite3.connect(f"{folder}/journal.db")
    tables = [row[0] for row in database.execute("select name from sqlite_master where type='table'")]
    assert "bodies" in tables
    columns = [row[1] for row in database.execute("pragma table_info(bodies)")]
    body = next(c for c in columns if c in ("body", "text", "content"))
    key = next(c for c in columns if c in ("entry", "number", "id"))
    database.execute(f"update bodies set {body} = replace({body}, 's7', 's8') where {key} = (select min({key}) + 8 from bodies)")
    database.commit()
    database.close()
    done = verify(folder)
    assert done.returncode != 0 and "entry" in done.stdout + done.stderr


def test_a_second_daemon_on_the_same_data_is_refused_by_name(daemon):
    d = daemon(FLAG)
    other = subprocess.run([BINARY, "serve", "--config", str(d.config_file), "--listen", "127.0.0.1:0"], capture_output=True, text=True,
                           timeout=60, cwd=d.folder)
    assert other.returncode == 1
    assert str(d.process.process.pid) in other.stderr + other.stdout


if os.environ.get("FLAGSTAFF_ROUND") in ("asan", "tsan"):  # fault points exist there only

    def test_a_signal_ends_a_start_that_still_reads_a_long_journal(daemon):
        d = daemon(FLAG)
        for n in range(3):
            d.facts("ada", {"n": n})
        d.stop()
        d.env["FLAGSTAFF_FAULTS"] = "serve.replay=ms:30000:2-2"
        process = Process([BINARY, "serve", "--config", str(d.config_file)], env=d.env, cwd=d.folder)
        eventually(lambda: pathlib.Path(d.config["data"], "lock").read_text().strip() == str(process.process.pid), "it has the directory")
        process.send_signal(signal.SIGTERM)
        assert process.process.wait(60) == 0
        process.wait_line("told to stop while the journal was read")


    def test_an_erasure_that_a_fact_overtakes_says_so_and_erases_nothing(daemon):
        d = daemon(FLAG, env={"FLAGSTAFF_FAULTS": "journal.commit=ms:2000:2-4"})
        sender = threading.Thread(target=d.facts, args=("ada", {"n": 1}))
        sender.start()
        eventually(lambda: int(d.metrics()["flagstaff_journal_queue"]) > 0, "the event is on its way to the disk")
        refused = d.delete("/v1/subjects?subject=ada")
        sender.join(30)
        assert refused.status == 409 and "came in meanwhile" in refused.json["error"]["message"], refused
        assert d.value("ada", "door") is True
        assert d.delete("/v1/subjects?subject=ada").status == 200
        assert d.value("ada", "door") is False


def test_a_backup_is_made_while_it_runs_and_is_a_journal(daemon, tmp_path):
    d = daemon(FLAG)
    d.facts("ada", {"n": 1})
    copy = tmp_path / "copy" / "journal.db"
    copy.parent.mkdir()
    answer = d.post("/v1/backup", {"file": str(copy)})
    assert answer.status == 200, answer
    assert copy.stat().st_size > 0
    assert d.post("/v1/backup", {"file": str(copy)}).status >= 400, "an existing file is not overwritten"


def test_erasing_a_person_leaves_no_byte_of_it_and_takes_nothing_from_others(daemon, client):
    d = daemon(FLAG, {"hold": "1s", "lease": "3s"})
    data = pathlib.Path(d.config["data"])
    who = client(d, ["ada-lovelace", "bo"])
    who.wait_lease()
    d.facts("ada-lovelace", {"n": 1}, "wait=delivered")
    d.facts("bo", {"n": 1}, "wait=delivered")
    who.close()
    eventually(lambda: not d.get("/v1/contexts").json["contexts"], "nobody holds the contexts any more")
    done = d.command("erase", "ada-lovelace", "--output", "json")
    assert {"found", "facts", "bodies", "texts", "cells", "live"} == set(told := json.loads(done.stdout)) and told["live"] == 0
    assert told["bodies"] >= 1 and told["texts"] == 1 and told["cells"] >= 2
    assert d.get("/v1/history?subject=ada-lovelace").json["changes"] == []
    assert {c["subject"] for change in d.get("/v1/history").json["changes"] for c in change["contexts"] if "subject" in c} == {"bo"}
    assert d.get("/v1/facts?subject=ada-lovelace").json["facts"] == []
    eventually(lambda: not any(b"ada-lovelace" in file.read_bytes() for file in data.iterdir()), "no file tells of it")
    d.stop()
    assert not any(b"ada-lovelace" in file.read_bytes() for file in data.iterdir())
    done = verify(data)
    assert done.returncode == 0 and "with an erased body" in done.stdout, done.stdout + done.stderr
    d.start()
    assert d.value("bo", "door") is True and d.value("ada-lovelace", "door") is False


def test_an_older_event_does_not_bring_back_what_was_erased_also_after_a_restart(daemon):
    d = daemon(FLAG)
    d.facts("ada", {"n": 1})
    d.command("erase", "ada")
    late = (datetime.datetime.now(datetime.timezone.utc) - datetime.timedelta(minutes=1)).isoformat()
    d.facts("ada", {"n": 1}, time=late)
    assert d.get("/v1/facts?subject=ada").json["facts"] == []
    d.stop()
    d.start()
    assert d.get("/v1/facts?subject=ada").json["facts"] == []
    d.facts("ada", {"n": 1}, time=late)
    assert d.get("/v1/facts?subject=ada").json["facts"] == []
    d.facts("ada", {"n": 2})
    assert [f["value"] for f in d.get("/v1/facts?subject=ada").json["facts"]] == [2]


def test_verify_tells_an_erasure_from_a_body_that_somebody_took(daemon):
    d = daemon(FLAG)
    for n in range(5):
        d.facts("ada" if n % 2 else "bo", {"n": n})
    data = d.config["data"]
    d.command("erase", "ada")
    assert any(e["summary"].startswith("erased: ") for e in d.get("/v1/entries?kind=erasure").json["entries"])
    d.stop()
    assert verify(data).returncode == 0
    database = sqlite3.connect(f"{data}/journal.db")
    (number,) = database.execute("select max(number) from mentions where subject = 'bo'").fetchone()
    database.execute("update bodies set body = null where number = ?", (number,))
    database.commit()
    database.close()
    done = verify(data)
    assert done.returncode != 0 and f"entry {number}: its body is gone" in done.stdout + done.stderr, done


def test_only_an_admin_may_erase(daemon):
    d = daemon(FLAG)
    d.key = d.add_key(["admin"])
    operator = d.add_key(["read", "operate", "events", "facts:*", "evaluate:any"], name="operator")
    d.facts("ada", {"n": 1}, key=operator)
    assert d.delete("/v1/subjects?subject=ada", key=operator).status == 403
    assert d.delete("/v1/subjects").status == 400
    assert d.get("/v1/facts?subject=ada", key=operator).json["facts"][0]["value"] == 1
    assert d.delete("/v1/subjects?subject=ada").status == 200
    eventually(lambda: d.get("/v1/facts?subject=ada", key=operator).json["facts"] == [], "the facts are gone")

# SPDX-License-Identifier: Apache-2.0
"""The live provider in a backend: many subjects over one connection, ways through a proxy and with a key from a callback, and what it says when nothing works."""

import sys
import threading

import pytest
import trustme

from test_live_provider import FLAGS, driver, grant, known  # noqa: F401
from world import DEADLINE, ROOT, eventually

sys.path.insert(0, str(ROOT / "tests" / "conformance" / "protocol"))
from connect_proxy import ConnectProxy  # noqa: E402

# --- many subjects ---------------------------------------------------------------------------------------------------


def test_thousands_of_subjects_are_asked_for_in_few_frames(daemon, driver):
    d = daemon(FLAGS, {"limits": {"frames": 50}})  # by frames of their own this many would take minutes
    p = driver(d.url, max_watches=5000)
    for number in range(5000):
        p.tell(f"get bool door subject-{number}")
    answers = [p.answers.get(timeout=DEADLINE) for _ in range(5000)]
    assert all(answer["value"] is False for answer in answers)
    eventually(lambda: p("stats")["snapshots"] == 5000, "all of them are answered")
    assert p.get("door", "subject-4999")["error"] is None
    stats = p("stats")
    assert (stats["connections"], stats["watches"], stats["evicted"]) == (1, 5000, 0)


def test_contexts_that_wait_for_their_first_values_keep_their_place_and_the_log_names_those_that_lost_it(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, max_watches=8, verbose=1)
    known(p, subject="s-0")
    d.process.pause()
    for number in range(1, 12):
        assert p.get("theme", f"s-{number}", "string")["error"] == "PROVIDER_NOT_READY"
    assert (p("stats")["watches"], p("stats")["evicted"]) == (10, 2), "s-0, which had its values, and the one before the last"
    d.process.resume()
    for number in (*range(1, 10), 11):
        eventually(lambda: p.get("theme", f"s-{number}", "string")["error"] is None, f"s-{number} kept its turn")
    assert p("stats")["evicted"] == 2
    eventually(lambda: any("gave way before their values were read" in line and "max_watches (8)" in line for line in p.said), "a warning")


def test_first_values_that_were_long_in_coming_are_a_warning_in_the_log(daemon, driver):
    d = daemon(FLAGS)
    p = driver(d.url, verbose=1)
    known(p)
    d.process.pause()
    p.get("door", "bo")
    threading.Event().wait(2.2)
    d.process.resume()
    eventually(lambda: any("first values of a context took" in line for line in p.said), "a warning")
    assert not any("gave way" in line for line in p.said)


def test_a_context_that_was_not_asked_for_yet_says_so_and_one_that_is_not_answered_too(daemon, driver):
    d = daemon(FLAGS, {"limits": {"frames": 5, "watches": 1}})  # no lists, and three frames a second
    p = driver(d.url)
    known(p, subject="s-0")
    for number in range(1, 30):
        p.tell(f"get bool door s-{number}")
    assert len([p.answers.get(timeout=DEADLINE) for _ in range(1, 30)]) == 29
    assert "not their turn" in p.get("theme", "s-29", "string")["message"]
    d = daemon(FLAGS)
    p = driver(d.url)
    known(p)
    d.process.pause()
    eventually(lambda: "has not answered" in p.get("theme", "bo", "string")["message"], "it says what it waits for")
    d.process.resume()


def test_the_targeting_key_is_watched_on_whether_it_is_named_or_not(daemon, driver):
    d = daemon(FLAGS)
    grant(d, "ada", wait="wait=applied")
    p = driver(d.url, wait=5000, watch_on_alone="plan")
    assert p.value("plan", "ada", "string", plan="gold") == "gold"
    assert [p.value("door", who, plan="tin") for who in ("ada", "bo")] == [True, False]


# --- what it says when nothing works ---------------------------------------------------------------------------------


@pytest.fixture
def over_tls(daemon, tmp_path):
    certificate = trustme.CA().issue_cert("localhost")
    certificate.private_key_pem.write_to_path(tmp_path / "server.key")
    certificate.cert_chain_pems[0].write_to_path(tmp_path / "server.pem")
    d = daemon(FLAGS, {"tls": {"certificate": str(tmp_path / "server.pem"), "key": str(tmp_path / "server.key")}}, start=False)
    d.start(ready=False)
    return d


def check_told(p, *words):
    """By the event of the start, and by each evaluation."""
    assert p.started != "OK"
    event, answer = p.until("PROVIDER_ERROR"), p.get("door")
    assert (answer["value"], answer["error"]) == (False, "PROVIDER_NOT_READY")
    for text in (event["message"], answer["message"]):
        assert all(word in text for word in words), text


@pytest.mark.parametrize("url, words", [("ws://127.0.0.1:9", ["ws://127.0.0.1:9", "refused"]),
                                        ("ws://nobody.invalid", ["no address", "nobody.invalid"])])
def test_where_nobody_is_the_errors_say_where_and_why(driver, url, words):
    check_told(driver(url, expect=None, start_timeout=500), *words)


def test_what_is_wrong_about_url_tls_and_proxy_is_told_in_words(daemon, driver, over_tls):
    d = daemon(FLAGS)
    for url, options, words in ((f"wss://localhost:{d.port}", {}, ["does not speak TLS", "ws://"]),
                                (f"wss://localhost:{over_tls.port}", {}, ["not trusted", "ca_file"]),
                                (f"ws://localhost:{over_tls.port}", {}, ["wss://"]),
                                (d.url + "/nothing", {}, ["404", "path"]),
                                (d.url, {"proxy": "127.0.0.1:9"}, ["proxy", "refused"]),
                                (d.url, {"proxy": "nobody.invalid:3128"}, ["proxy", "nobody.invalid"])):
        check_told(driver(url, expect=None, start_timeout=500, **options), *words)


def test_a_wrong_key_is_told_by_evaluations_too(daemon, driver, tmp_path):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin"])
    (tmp_path / "key").write_text("wrong-key")
    p = driver(d.url, expect=None, key_file=tmp_path / "key")
    check_told(p, "401", "refuses the credential")
    assert "wrong-key" not in p.get("door")["message"]


def test_a_provider_for_a_static_context_says_that_evaluations_of_others_are_not_its_business(daemon, driver):
    p = driver(daemon(FLAGS).url, expect=None, static_context=1, start_timeout=500)
    assert "of_static_api" in p.until("PROVIDER_ERROR")["message"]
    assert "of_static_api" in p.get("door")["message"]


# --- ways in ---------------------------------------------------------------------------------------------------------


def test_it_goes_through_a_proxy_where_one_is_named(daemon, driver):
    d, way = daemon(FLAGS), ConnectProxy()
    p = driver(d.url, wait=5000, proxy=way.address)
    assert p.get("theme", kind="string")["error"] is None
    assert way.asked == f"127.0.0.1:{d.port}"


def test_a_key_from_a_callback_is_asked_for_with_each_connection(daemon, driver, tmp_path):
    d = daemon(FLAGS)
    d.key = d.add_key(["admin", "operate", "evaluate:any", "read"])
    file = tmp_path / "key"
    p = driver(d.url, expect=None, key_from=file, start_timeout=300, reconnect_max=200, wait=5000)
    assert p.started != "OK", "there is none yet"
    file.write_text(d.key + "\n")
    p.until("PROVIDER_READY")
    assert p.get("theme", kind="string")["error"] is None

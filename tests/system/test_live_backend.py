# SPDX-License-Identifier: Apache-2.0
"""The live provider in a backend: many subjects over one connection, ways through a proxy and with a key from a callback, and what it says when nothing works."""

from test_live_provider import FLAGS, driver, proxy  # noqa: F401
from world import DEADLINE, eventually


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

# SPDX-License-Identifier: Apache-2.0
"""The board's feed: what an operator's page shows is what clients hold, and stays so."""

import pytest
from board import Board

EXPORT = {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
          "decision": {"rule": {"<": [{"var": "facts.risk"}, 50]}}, "factDefaults": {"risk": 0}}
BANNER = {"variants": {"red": "red", "blue": "blue"}, "defaultVariant": "red"}


@pytest.fixture
def board():
    """board(daemon, ...) opens one."""
    opened = []

    def make(*arguments, **more):
        opened.append(Board(*arguments, **more))
        return opened[-1]

    yield make
    for one in opened:
        one.close()


def test_a_view_shows_what_is_watched_and_each_flip_with_its_cause_and_its_delivery(daemon, client, board):
    d = daemon({"export": EXPORT, "banner": BANNER})
    c = client(d, ["ada"])
    c.wait_lease()
    b = board(d)
    b.wait(lambda b: b.of("welcome"), "welcome")
    assert b.frames[0]["epoch"] == c.epoch and b.frames[0]["limits"] == {"views": 4, "rows": 10000}
    view = b.view()
    assert view.total == 2 and {r["flag"] for r in view.rows.values()} == {"export", "banner"}
    row = view.find("ada", "export")
    assert (row["value"], row["variant"], row["reason"], row["source"], row["state"]) == (True, "on", "TARGETING_MATCH", "builtin", "watched")
    assert view.find("ada", "banner")["source"] is None
    cell = row["cell"]
    entry = d.facts("ada", {"risk": 90}).json["entry"]
    row = b.wait_value("ada", "export", False)
    assert (row["cell"], row["cause_kind"], row["cause_entry"]) == (cell, "event", entry)
    b.wait(lambda b: (r := b.views[1].rows[cell])["acked"] == r["watching"] == 1, "delivered 1/1")
    assert b.of("changes")[-1]["rows"][0][3] == "export", "only what changed"

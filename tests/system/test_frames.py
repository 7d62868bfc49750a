# SPDX-License-Identifier: Apache-2.0
"""Frames are no longer than welcome promises, and what they were split into is one revision."""

import json


def bulky(size):
    return {"variants": {"a": "a" * size, "b": "b" * size}, "defaultVariant": "a", "safeVariant": "a", "visibility": "client", "factDefaults": {"tone": "a"},
            "targeting": {"var": "facts.tone"}}


def test_large_snapshots_and_deltas_come_in_frames_of_the_promised_size(daemon, client):
    d = daemon({**{f"f{n:03}": bulky(1500) for n in range(300)}, "single": bulky(70_000)})
    d.facts("ada", {"tone": "a"})
    c = client(d, ["ada", "bo"])
    c.wait_lease()
    c.wait_value("f299", "a" * 1500)
    promised = c.welcome["limits"]["send"]
    assert sum(c.sizes) > 2 * 300 * 1500

    def check():
        for size, frame in zip(c.sizes, c.frames):
            parts = frame.get("watches", [frame])
            assert size <= promised or [f["key"] for p in parts for f in p["flags"]] == ["single"], frame["type"]

    check()
    before = len(c.deltas)
    d.facts("ada", {"tone": "b"})
    c.wait_value("f299", "b" * 1500)
    assert c.value("single") == "b" * 70_000 and c.value("f000") == "b" * 1500, "all of them at once"
    parts = c.deltas[before:]
    assert len(parts) > 5 and all(p["more"] for p in parts[:-1]) and "more" not in parts[-1]
    assert len({p["revision"] for p in parts}) == 1
    check()
    assert len(json.dumps(parts)) > 300 * 1500

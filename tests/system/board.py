# SPDX-License-Identifier: Apache-2.0
"""A board, written from docs/protocol/board.md alone: it applies what it is sent, and every frame of either side is held
against the schema."""

import json

from jsonschema import Draft202012Validator
from world import ROOT, Listener

MEMBERS = ("cell", "subject", "hash", "flag", "variant", "value", "reason", "source", "cause_kind", "cause_entry", "cause_time", "changed",
           "revision", "acked", "watching", "state", "error", "cause_text")
TEXTS = [MEMBERS.index(name) for name in ("subject", "hash", "flag", "variant", "reason", "source", "cause_kind", "state", "error", "cause_text")]
SCHEMA = json.loads((ROOT / "docs/protocol/flagstaff.board.v1.schema.json").read_text())


def validator(side):
    return Draft202012Validator({**SCHEMA, "oneOf": [{"$ref": f"#/$defs/{side}"}]})


SENT, RECEIVED = validator("client"), validator("server")


class View:
    def __init__(self):
        self.rows, self.total, self.revision, self.whole, self.snapshots = {}, None, None, False, 0

    def find(self, subject, flag):
        return next((row for row in self.rows.values() if row["subject"] == subject and row["flag"] == flag), None)


class Board(Listener):
    def __init__(self, daemon, key=None, headers=None, origin=None, check=True, bearer=True):
        bearer = (key or daemon.key) if bearer else None
        headers = {**({"Authorization": f"Bearer {bearer}"} if bearer else {}), **(headers or {})}
        super().__init__(daemon.ws_url.replace("/v1/ws", "/v1/board"), ["flagstaff.board.v1"], origin=origin, additional_headers=headers,
                         max_size=64 * 1024 * 1024)
        self.check = check
        self.views, self.entries = {}, []
        self.thread.start()

    def send(self, frame):
        if self.check:
            SENT.validate(frame)
        super().send(frame)

    def view(self, number=1, wait=True, **wish):
        held = self.views.setdefault(number, View())
        before = held.snapshots
        self.send({"type": "view", "id": number, **wish})
        if wait:
            self.wait(lambda b: held.whole and held.snapshots > before, f"view {number}")
        return held

    def _take(self, frame):
        RECEIVED.validate(frame)
        view = self.views.get(frame.get("id"))
        if frame["type"] == "rows":
            if frame.get("first"):
                view.rows, view.whole = {}, False
                view.snapshots += 1
            for row in frame["rows"]:
                row = [frame["dict"][v] if i in TEXTS and v is not None else v for i, v in enumerate(row)]
                assert row[0] not in view.rows, f"a snapshot tells a cell twice: {row}"
                view.rows[row[0]] = dict(zip(MEMBERS, row))
            view.total, view.revision, view.whole = frame["total"], frame["revision"], not frame.get("more")
        elif frame["type"] == "changes":
            assert view.whole or view.snapshots == 0, "changes within a snapshot"
            for cell in frame["gone"]:
                view.rows.pop(cell, None)
            for row in frame["rows"]:
                assert row[0] not in frame["gone"]
                view.rows[row[0]] = dict(zip(MEMBERS, row))
            view.total, view.revision = frame["total"], frame["revision"]
        elif frame["type"] == "delivered":
            for cell, acked, watching in frame["cells"]:
                view.rows[cell].update(acked=acked, watching=watching)
        elif frame["type"] == "entries":
            self.entries += frame["entries"]

    def wait_value(self, subject, flag, value, view=1):
        def holds(board):
            row = board.views[view].find(subject, flag)
            return row if row and row["value"] == value else None
        return self.wait(holds, f"{flag} = {value!r} for {subject}")

# SPDX-License-Identifier: Apache-2.0
"""A client of flagstaff.v1 reduced to its state: what docs/protocol/README.md obliges a client to hold and
to refuse, without sockets or clocks. The transcripts' `expect` lines are checked against it, so they and the
README cannot drift apart. Other clients are tested against the transcripts, not against this."""


class Fault(AssertionError):
    """One side of the conversation broke a rule of the protocol."""


def need(condition, rule):
    if not condition:
        raise Fault(rule)


class Client:
    def __init__(self):
        self.epoch, self.revision, self.watches = None, 0, {}
        self.connect()

    def connect(self):
        """A new connection: watches and values stay, whatever belongs to the connection starts anew."""
        self.hello = self.welcome = self.lease = self.open = self.acked = None
        self.requested, self.sent, self.resumed = {}, 0, None

    # --- what the client sends

    def client(self, frame):
        kind = frame["type"]
        need((kind == "hello") == (self.hello is None), "hello is first and comes once")
        getattr(self, "send_" + kind)(frame)

    def send_hello(self, frame):
        self.hello, self.resumed = frame, frame.get("resume")
        requested = frame.get("watches", [])
        need(len({w["watch"] for w in requested}) == len(requested), "the ids of hello's watches differ")
        self.requested = {w["watch"]: w for w in requested}
        if self.resumed:
            need((self.resumed["epoch"], self.resumed["revision"]) == (self.epoch, self.revision),
                 "a client resumes from what it holds")
            for entry in self.resumed["watches"]:
                need(self.watches[entry["watch"]]["view"] == entry["view"], "and names the views it has")

    def send_watch(self, frame):
        for watch in frame.get("watches", [frame]):
            self.requested.setdefault(watch["watch"], watch)

    def send_unwatch(self, frame):
        for number in frame["watches"] if "watches" in frame else [frame["watch"]]:
            self.requested.pop(number, None)
            self.watches.pop(number, None)

    def send_renew(self, frame):
        need(frame["n"] == self.sent + 1, "renewals count up by one")
        self.sent = frame["n"]

    def send_ack(self, frame):
        need(self.open is None and frame["revision"] == self.revision, "only a closed revision is acknowledged")
        need(self.acked is None or frame["revision"] >= self.acked, "acknowledgements do not fall")
        self.acked = frame["revision"]

    # --- what the server sends

    def server(self, frame):
        need(self.hello is not None, "the client speaks first")
        need((frame["type"] == "welcome") == (self.welcome is None), "welcome is first and comes once")
        getattr(self, "on_" + frame["type"])(frame)

    def on_welcome(self, frame):
        self.welcome = frame
        if frame["epoch"] != self.epoch:
            self.epoch, self.revision = frame["epoch"], 0

    def on_snapshot(self, frame):
        self.part(frame)

    def on_delta(self, frame):
        need(self.open is not None or frame["revision"] > self.revision, "a closed revision is not reopened")
        self.part(frame)

    def part(self, frame):
        revision = frame["revision"]
        if self.open is None:
            need(revision >= self.revision, "revisions do not fall")
            self.open = []
        else:
            need(revision == self.open[0]["revision"], "an open revision is finished before the next")
        self.open.append(frame)
        if not frame.get("more"):
            frames, self.open, self.revision = self.open, None, revision
            self.apply(frames)

    def apply(self, frames):
        fresh = set()
        for frame in frames:
            if frame["type"] == "delta":
                for change in frame["watches"]:
                    self.change(change)
            elif frame["watch"] in self.requested:
                number = frame["watch"]
                if number not in fresh:
                    self.watches[number] = {"view": frame["view"], "flags": {}}
                    fresh.add(number)
                self.change({"watch": number, "flags": frame["flags"]})
                if frame.get("once"):
                    need(self.requested[number].get("once"), "once answers once")
                    self.requested.pop(number)
                    self.watches.pop(number)

    def change(self, change):
        watch = self.watches.get(change["watch"])
        if watch is None:
            return
        for key in change.get("removed", []):
            watch["flags"].pop(key, None)
        for flag in change.get("flags", []):
            held = watch["flags"].get(flag["key"])
            need(held is None or held["type"] == flag["type"], "a retyped flag is removed first")
            watch["flags"][flag["key"]] = flag

    def on_lease(self, frame):
        need(self.open is None, "no lease within an open revision")
        need(frame["n"] <= self.sent and (self.lease is None or frame["n"] > self.lease), "leases grant newer renewals")
        need(frame["revision"] >= self.revision, "a lease does not fall behind")
        if self.lease is None:
            resumed = {w["watch"] for w in (self.resumed or {}).get("watches", [])
                       if self.resumed["epoch"] == self.epoch}
            waiting = {w["watch"] for w in self.hello.get("watches", [])} & set(self.requested)
            need(waiting <= resumed | set(self.watches), "renewal 0 is granted behind the snapshots of hello")
        self.lease, self.revision = frame["n"], frame["revision"]

    def on_error(self, frame):
        if "watch" in frame and frame["code"] not in ("duplicate_watch", "unknown_watch"):
            self.requested.pop(frame["watch"], None)
            self.watches.pop(frame["watch"], None)

    def on_goaway(self, frame):
        if frame["code"] == "revoked":
            self.lease = None

    # --- what a reader sees

    def view(self):
        def value(flag):
            return flag.get("value") if self.lease is not None or "safe" not in flag else flag["safe"]["value"]
        return {"epoch": self.epoch, "revision": self.revision, "lease": self.lease,
                "watches": {str(n): {k: value(f) for k, f in w["flags"].items()} for n, w in self.watches.items()}}

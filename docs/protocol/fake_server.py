#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""A small server of flagstaff.v1 to build and test clients against. It decides nothing: flags have the values
that one gives them, and it can be told to fail in the ways that real servers and networks do. README.md, section 9,
lists its commands. It knows nothing of the daemon. It is for one's own machine only: it checks no more than --token.

Needs Python 3.11 and the package `websockets`.
"""
import argparse
import asyncio
import datetime
import hashlib
import http
import json
import ssl
import sys
import urllib.parse

from websockets.asyncio.server import serve
from websockets.exceptions import ConnectionClosed

PATH, PROTOCOL, TICKET = "/v1/ws", "flagstaff.v1", "flagstaff.ticket."
DEMO = {"billing-export": True, "agent-tools": ["search", "export"], "theme": "dark"}
SAFE = {"boolean": (False, "off"), "object": ([], "safe")}      # flags of these types are access flags here
SETTINGS = {"lease": int, "delay": int, "split": int, "leases": "on".__eq__, "refuse": "on".__eq__}     # commands that set one thing
GOAWAY = {"drain": 1001, "disconnect": 1001, "overload": 1013, "slow": 1008, "expired": 4401, "revoked": 4401}


def type_of(value):
    for kind, name in ((bool, "boolean"), (str, "string"), (int, "integer"), (float, "float"), ((dict, list), "object")):
        if isinstance(value, kind):
            return name
    raise ValueError("a flag's value is a boolean, a string, a number, an object or an array")


class Store:
    """The flags' values, for everybody and for single subjects, and at which revision each changed."""

    def __init__(self, flags):
        self.epoch_number, self.flags = 0, {(None, key): value for key, value in flags.items()}
        self.restart()

    def restart(self):
        self.epoch_number += 1
        self.epoch, self.revision, self.horizon, self.log = f"fake-{self.epoch_number}", 1, 1, []

    def keys(self, subject):
        return {key for owner, key in self.flags if owner in (None, subject)}

    def value(self, subject, key):
        return self.flags.get((subject, key), self.flags.get((None, key)))

    def change(self, subject, values, removed=()):
        self.revision += 1
        for key in removed:
            self.flags.pop((subject, key), None)
            self.log.append((self.revision, subject, key, True))
        for key, value in values.items():
            old = self.value(subject, key)
            self.log.append((self.revision, subject, key, old is not None and type_of(old) != type_of(value)))
            self.flags[subject, key] = value
        return self.revision

    def since(self, revision, subject):
        """(removed, changed) keys of a subject after a revision."""
        entries = [e for e in self.log if e[0] > revision and e[1] in (None, subject)]
        return {e[2] for e in entries if e[3]}, {e[2] for e in entries} & self.keys(subject)

    def flag(self, subject, key, kind):
        value = self.value(subject, key)
        name = type_of(value)
        now = datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="milliseconds").replace("+00:00", "Z")
        flag = {"key": key, "type": name, "value": value, "reason": "STATIC", "cause": {"kind": kind, "time": now},
                "variant": ("on" if value else "off") if name == "boolean" else "decision" if name == "object" else "set"}
        if kind == "event":
            flag["cause"]["entry"] = self.revision
        if name in SAFE:
            flag["reason"] = "TARGETING_MATCH"
            flag["safe"] = dict(zip(("value", "variant"), SAFE[name]))
        return flag


class Session:
    """One connection."""

    def __init__(self, server, socket, number):
        self.server, self.socket, self.number = server, socket, number
        self.watches, self.hello, self.acked, self.renewed, self.granted = {}, None, 0, 0, -1
        self.revision = 0
        self.pending = asyncio.Queue()

    async def run(self):
        writer = asyncio.create_task(self.write())
        try:
            async for text in self.socket:
                self.server.show(self, "client", text)
                self.take(json.loads(text))
                self.server.changed()
        except ConnectionClosed:
            pass
        except (ValueError, KeyError, TypeError) as fault:
            self.put({"type": "error", "code": "bad_frame", "message": f"{type(fault).__name__}: {fault}"})
            self.put(4400)
            await asyncio.wait({writer})
        finally:
            writer.cancel()

    async def write(self):
        """The only place that sends: frames leave in the order in which they were put, a number closes."""
        while True:
            item = await self.pending.get()
            await self.server.thawed.wait()
            if isinstance(item, int):
                await self.socket.close(item)
                return
            text = json.dumps(item, separators=(",", ":"))
            self.server.show(self, "server", text)
            await self.socket.send(text)

    def put(self, item):
        self.pending.put_nowait(item)

    def take(self, frame):
        kind = frame["type"]
        if (kind == "hello") != (self.hello is None):
            raise ValueError("hello is first and comes once")
        if kind not in ("hello", "watch", "unwatch", "renew", "ack"):
            self.put({"type": "error", "code": "unknown_type", "message": f"'{kind}' is unknown here"})
        else:
            getattr(self, "take_" + kind)(frame)

    def take_hello(self, frame):
        self.hello, store = frame, self.server.store
        if frame["protocol"] != PROTOCOL:
            raise ValueError("flagstaff.v1 is spoken here")
        self.put({"type": "welcome", "protocol": PROTOCOL, "session": f"fake-{self.number}", "epoch": store.epoch,
                  "lease": self.server.lease, "limits": {"frame": 65536, "send": 65536, "watches": 64, "flags": 256,
                                                         "contextBytes": 8192, "contextDepth": 8, "rate": 1000, "list": 64}})
        resume = frame.get("resume") or {"epoch": None, "session": None, "revision": 0, "watches": []}
        usable = resume["epoch"] == store.epoch and resume["session"] and store.horizon <= resume["revision"] <= store.revision
        views = {entry["watch"]: entry["view"] for entry in resume["watches"]} if usable else {}
        parts, deltas = [], []
        for watch in frame.get("watches", []):
            entry = self.add(watch)
            if entry and views.get(watch["watch"]) == entry["view"]:
                deltas += self.delta(watch["watch"], resume["revision"])
            elif entry:
                parts.append(self.snapshot(watch["watch"], watch.get("once")))
        self.send_revision(parts + ([{"type": "delta", "revision": store.revision, "watches": deltas}] if deltas else []))
        self.acked = resume["revision"] if views else 0
        self.grant(0)

    def take_watch(self, frame):
        for watch in frame["watches"] if "watches" in frame else [frame]:
            if self.add(watch):
                self.send_revision([self.snapshot(watch["watch"], watch.get("once"))])

    def take_unwatch(self, frame):
        for number in frame["watches"] if "watches" in frame else [frame["watch"]]:
            if self.watches.pop(number, None) is None:
                self.put({"type": "error", "code": "unknown_watch", "watch": number, "message": "no such watch"})

    def take_renew(self, frame):
        if frame["n"] <= self.renewed:
            raise ValueError("renewals count up")
        self.renewed = frame["n"]
        self.grant(frame["n"])

    def take_ack(self, frame):
        if not self.acked <= frame["revision"] <= self.revision:
            raise ValueError(f"ack {frame['revision']} is not between {self.acked} and {self.revision}")
        self.acked = frame["revision"]

    def add(self, frame):
        number, context = frame["watch"], frame["context"]
        code = "duplicate_watch" if number in self.watches else None if "targetingKey" in context else "bad_context"
        if code:
            self.put({"type": "error", "code": code, "watch": number, "message": code.replace("_", " ")})
            return None
        seen = json.dumps([context, sorted(frame.get("flags", []))], sort_keys=True)
        entry = {"subject": context["targetingKey"], "flags": frame.get("flags"),
                 "view": "v-" + hashlib.sha256(seen.encode()).hexdigest()[:16]}
        self.watches[number] = entry
        return entry

    def sees(self, entry, keys):
        return sorted(keys if entry["flags"] is None else keys & set(entry["flags"]))

    def snapshot(self, number, once):
        entry, store = self.watches[number], self.server.store
        frame = {"type": "snapshot", "watch": number, "view": entry["view"], "revision": store.revision,
                 "flags": [store.flag(entry["subject"], key, "watch")
                           for key in self.sees(entry, store.keys(entry["subject"]))]}
        if once:
            del self.watches[number]
            frame["once"] = True
        return frame

    def delta(self, number, revision):
        """The part of a delta that brings one watch from a revision to now: [] where nothing changed."""
        entry, store = self.watches[number], self.server.store
        removed, changed = (self.sees(entry, keys) for keys in store.since(revision, entry["subject"]))
        change = {"watch": number, "removed": removed,
                  "flags": [store.flag(entry["subject"], key, "event") for key in changed]}
        change["flags"].sort(key=lambda flag: flag["value"] != flag.get("safe", {"value": None})["value"])
        return [{name: part for name, part in change.items() if part}] if removed or changed else []

    def send_changes(self, before):
        """What changed after the revision `before`, in one frame or in parts of `split` flags."""
        store = self.server.store
        changes = [change for number in self.watches for change in self.delta(number, before)]
        size = self.server.split or max([len(c.get("flags", [])) for c in changes] + [1])
        parts = []
        for change in changes:
            flags = change.pop("flags", [])
            pieces = [{"watch": change["watch"], "flags": flags[i:i + size]} for i in range(0, len(flags), size)]
            if "removed" in change:
                pieces = [{**change, **(pieces.pop(0) if pieces else {})}] + pieces
            parts += pieces
        frames = [[part] for part in parts] if self.server.split else [parts] if parts else []
        self.send_revision([{"type": "delta", "revision": store.revision, "watches": part} for part in frames])

    def send_revision(self, frames):
        for frame in frames[:-1]:
            frame["more"] = True
        for frame in frames:
            self.put(frame)
        if frames:
            self.revision = self.server.store.revision

    def grant(self, n):
        if self.server.leases and self.server.delay:
            asyncio.get_running_loop().call_later(self.server.delay / 1000, self.put_lease, n)
        elif self.server.leases:
            self.put_lease(n)

    def put_lease(self, n):
        self.revision, self.granted = self.server.store.revision, n
        self.put({"type": "lease", "n": n, "revision": self.revision, "duration": self.server.lease})

    def about(self):
        return {"session": f"fake-{self.number}", "client": self.hello and self.hello["client"],
                "resume": self.hello and self.hello.get("resume"), "watches": sorted(self.watches),
                "revision": self.revision, "acked": self.acked, "renewed": self.renewed, "granted": self.granted}


class Server:
    def __init__(self, options):
        self.options, self.store, self.sessions, self.count = options, Store(options.flags), [], 0
        self.lease, self.split, self.leases, self.delay, self.refuse = options.lease, 0, True, 0, False
        self.closes = []
        self.thawed, self.finished, self.news = asyncio.Event(), asyncio.Event(), asyncio.Condition()
        self.thawed.set()

    def show(self, session, side, text):
        if self.options.verbose:
            print(f"{session.number} {'→' if side == 'client' else '←'} {text}", file=sys.stderr, flush=True)

    def changed(self):
        async def tell():
            async with self.news:
                self.news.notify_all()
        asyncio.ensure_future(tell())

    # --- connections

    async def request(self, connection, request):
        """Commands over HTTP, and what is refused before the handshake."""
        url = urllib.parse.urlsplit(request.path)
        if url.path == "/do":
            try:
                answer = await self.command(urllib.parse.unquote(url.query))
                return connection.respond(http.HTTPStatus.OK, json.dumps(answer) + "\n")
            except (ValueError, KeyError, TypeError) as fault:
                return connection.respond(http.HTTPStatus.BAD_REQUEST, f"{fault}\n")
        if url.path != PATH:
            return connection.respond(http.HTTPStatus.NOT_FOUND, "there is /v1/ws and /do?COMMAND\n")
        if self.refuse:
            return connection.respond(http.HTTPStatus.SERVICE_UNAVAILABLE, "refused\n")
        bearer, token = request.headers.get("Authorization"), self.options.token
        offered = request.headers.get("Sec-WebSocket-Protocol", "")
        if token and TICKET not in offered and bearer != "Bearer " + token:
            return connection.respond(http.HTTPStatus.UNAUTHORIZED, "a bearer token is needed\n")
        return None

    def subprotocol(self, connection, offered):
        return PROTOCOL if PROTOCOL in offered else None

    async def handle(self, socket):
        self.count += 1
        offered = socket.request.headers.get("Sec-WebSocket-Protocol", "")
        if self.options.token and TICKET in offered and TICKET + self.options.token not in offered:
            await socket.close(4401)
            return
        session = (Replay if self.options.transcript else Session)(self, socket, self.count)
        self.sessions.append(session)
        try:
            await session.run()
        finally:
            self.sessions.remove(session)
            self.closes.append(socket.close_code)
            self.changed()

    # --- commands

    async def command(self, line):
        name, *words = line.split() or [""]
        if name in SETTINGS:
            setattr(self, name, SETTINGS[name](*words))
            return {}
        if not hasattr(self, "do_" + name):
            raise ValueError("unknown command; README.md, section 9, lists them")
        return await getattr(self, "do_" + name)(*words)

    async def alter(self, values, removed, subject):
        before = self.store.revision
        self.store.change(subject, values, removed)
        for session in self.sessions:
            session.send_changes(before)
        return {"revision": self.store.revision}

    async def do_set(self, *words):
        subject = next((word[1:] for word in words if word.startswith("@")), None)
        pairs = [word.partition("=") for word in words if not word.startswith("@")]
        values = {key: json.loads(value) for key, _, value in pairs}
        for value in values.values():
            type_of(value)
        return await self.alter(values, (), subject)

    async def do_remove(self, *words):
        subject = next((word[1:] for word in words if word.startswith("@")), None)
        return await self.alter({}, [word for word in words if not word.startswith("@")], subject)

    async def do_freeze(self):
        self.thawed.clear()
        for session in self.sessions:
            session.socket.transport.pause_reading()
        return {"frozen": len(self.sessions)}

    async def do_thaw(self):
        self.thawed.set()
        for session in self.sessions:
            session.socket.transport.resume_reading()
        return {}

    async def do_drop(self):
        for session in self.sessions:
            session.socket.transport.abort()
        return {"dropped": len(self.sessions)}

    async def do_close(self, code):
        for session in self.sessions:
            session.put(int(code))
        return {}

    async def do_goaway(self, code, drain="0", after=None):
        frame = {"type": "goaway", "code": code, "drain": int(drain), "message": "told to"}
        if after is not None:
            frame["reconnectAfter"] = int(after)
        for session in self.sessions:
            session.put(frame)
            asyncio.get_running_loop().call_later(int(drain) / 1000, session.put, GOAWAY[code])
        return {}

    async def do_error(self, code, watch=None):
        for session in self.sessions:
            frame = {"type": "error", "code": code, "message": "told to"}
            if watch is not None:
                frame["watch"] = int(watch)
                session.watches.pop(int(watch), None)
            session.put(frame)
        return {}

    async def do_raw(self, *words):
        for session in self.sessions:
            session.put(json.loads(" ".join(words)))
        return {}

    async def do_resync(self):
        self.store.revision += 1
        for session in self.sessions:
            session.send_revision([session.snapshot(number, None) for number in session.watches])
        return {"revision": self.store.revision}

    async def do_forget(self):
        self.store.horizon = self.store.revision + 1
        return {}

    async def do_restart(self):
        self.store.restart()
        return await self.do_drop()

    async def do_clients(self):
        return [session.about() for session in self.sessions]

    async def do_closes(self):
        return self.closes

    async def do_await(self, what, number, timeout="5000"):
        """Answers when all connections have acknowledged a revision, when there are so many, or when each was granted a renewal."""
        tests = {"acked": lambda: self.sessions and all(s.acked >= int(number) for s in self.sessions),
                 "granted": lambda: self.sessions and all(s.granted >= int(number) for s in self.sessions),
                 "renewed": lambda: self.sessions and all(s.renewed >= int(number) for s in self.sessions),
                 "clients": lambda: len([s for s in self.sessions if s.hello]) == int(number),
                 "connections": lambda: self.count >= int(number),
                 "closes": lambda: len(self.closes) >= int(number)}
        async with self.news:
            try:
                await asyncio.wait_for(self.news.wait_for(tests[what]), int(timeout) / 1000)
            except TimeoutError:
                raise ValueError(f"not within {timeout} ms: {json.dumps(await self.do_clients())}") from None
        return await self.do_clients()

    async def do_quit(self):
        self.finished.set()
        return {}

    async def read_commands(self):
        reader = asyncio.StreamReader(limit=1 << 24)
        await asyncio.get_running_loop().connect_read_pipe(lambda: asyncio.StreamReaderProtocol(reader), sys.stdin)
        while line := (await reader.readline()).decode():
            try:
                print(json.dumps(await self.command(line)), flush=True)
            except (ValueError, KeyError, TypeError) as fault:
                print(f"error: {fault}", flush=True)


class Replay:
    """One connection of a transcript: waits for each of the client's frames, by type, and sends the server's."""

    def __init__(self, server, socket, number):
        self.server, self.socket, self.number = server, socket, number
        self.hello, self.acked, self.renewed, self.granted, self.watches, self.revision = None, 0, 0, -1, {}, 0

    async def run(self):
        connection = 1
        for line in self.server.options.transcript:
            connection = line.get("connection", connection)
            if connection != self.number:
                continue
            if line["dir"] == "client" and "frame" in line:
                frame = json.loads(await self.socket.recv())
                self.server.show(self, "client", json.dumps(frame))
                if frame["type"] != line["frame"]["type"]:
                    print(f"expected {line['frame']}, got {frame}", file=sys.stderr, flush=True)
                    await self.socket.close(4400, "not as in the transcript")
                    return
                self.hello = self.hello or frame
                self.acked = frame["revision"] if frame["type"] == "ack" else self.acked
                self.server.changed()
            elif line["dir"] == "server" and "frame" in line:
                await self.socket.send(json.dumps(line["frame"]))
            elif line["dir"] == "server" and "close" in line:
                await self.socket.close(line["close"]["code"], line["close"]["reason"])
                return
        await self.socket.wait_closed()

    about = Session.about


def arguments():
    parser = argparse.ArgumentParser(description="A fake server of flagstaff.v1 for authors of clients.")
    parser.add_argument("--port", type=int, default=0, help="0: any that is free (default)")
    parser.add_argument("--flags", type=json.loads, default=DEMO, help='JSON, e.g. \'{"a":true}\'; booleans and objects are access flags')
    parser.add_argument("--transcript", help="replay this file instead of keeping flags")
    parser.add_argument("--lease", type=int, default=30000, help="milliseconds")
    parser.add_argument("--token", help="require this bearer token (or ticket)")
    parser.add_argument("--cert", help="serve TLS with this certificate (PEM)")
    parser.add_argument("--key", help="and this key (PEM)")
    parser.add_argument("--verbose", action="store_true", help="show all frames on stderr")
    options = parser.parse_args()
    if options.transcript:
        with open(options.transcript, encoding="utf-8") as lines:
            options.transcript = [json.loads(line) for line in lines]
    return options


async def main():
    options = arguments()
    server, tls = Server(options), None
    if options.cert:
        tls = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        tls.load_cert_chain(options.cert, options.key)
    async with serve(server.handle, "127.0.0.1", options.port, ssl=tls, process_request=server.request, compression=None,
                     select_subprotocol=server.subprotocol, ping_interval=None, close_timeout=1) as listener:
        port, s = listener.sockets[0].getsockname()[1], "s" if tls else ""
        print(json.dumps({"url": f"ws{s}://127.0.0.1:{port}{PATH}", "control": f"http{s}://127.0.0.1:{port}/do?"}), flush=True)
        commands = asyncio.create_task(server.read_commands())
        await asyncio.wait({commands, asyncio.create_task(server.finished.wait())}, return_when=asyncio.FIRST_COMPLETED)


if __name__ == "__main__":
    asyncio.run(main())

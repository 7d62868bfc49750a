# SPDX-License-Identifier: Apache-2.0
"""docs/protocol: the schema, the transcripts and the README's rules hold together."""
import json
import pathlib

import jsonschema
import pytest

from protocol_model import Client, Fault

PROTOCOL = pathlib.Path(__file__).resolve().parents[3] / "docs" / "protocol"
SCHEMA = json.loads((PROTOCOL / "flagstaff.v1.schema.json").read_text())
SAMPLES = json.loads((pathlib.Path(__file__).parent / "samples.json").read_text())
TRANSCRIPTS = {path.stem: [json.loads(line) for line in path.read_text().splitlines()]
               for path in sorted((PROTOCOL / "transcripts").glob("*.jsonl"))}


def validator(definition):
    return jsonschema.Draft202012Validator({"$defs": SCHEMA["$defs"], "$ref": "#/$defs/" + definition})


def frames():
    for name, lines in TRANSCRIPTS.items():
        for number, line in enumerate(lines, 1):
            if "frame" in line:
                yield name, number, line


def walk(value):
    yield value
    children = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    for child in children:
        yield from walk(child)


def test_the_schema_is_a_schema():
    jsonschema.Draft202012Validator.check_schema(SCHEMA)


def test_every_frame_of_every_transcript_fits_its_definition():
    sides = {side: validator(side) for side in ("client", "server")}
    for name, number, line in frames():
        frame, valid = line["frame"], sides[line["dir"]].is_valid(line["frame"])
        assert valid != line.get("invalid", False), f"{name}:{number}"
        if valid:
            lists = frame["type"] in ("watch", "unwatch") and "watches" in frame
            validator(frame["type"] + "List" * lists).validate(frame)


def test_every_close_of_every_transcript_has_a_known_code():
    for name, lines in TRANSCRIPTS.items():
        for line in lines:
            if "close" in line:
                validator("closeCode").validate(line["close"]["code"])


@pytest.mark.parametrize("name", TRANSCRIPTS)
def test_a_client_that_keeps_the_rules_holds_what_the_transcript_expects(name):
    client, expectations = Client(), 0
    for number, line in enumerate(TRANSCRIPTS[name], 1):
        if "connection" in line:
            client.connect()
        elif "expect" in line:
            expectations += 1
            assert client.view() == line["expect"], f"{name}:{number}"
        elif "frame" in line and not line.get("invalid"):
            getattr(client, line["dir"])(line["frame"])
    assert expectations or name.startswith("22-")


def test_the_model_notices_what_the_rules_forbid():
    start = [line for line in TRANSCRIPTS["02-hello-with-watches"] if "frame" in line]
    snapshot = next(line["frame"] for line in start if line["frame"]["type"] == "snapshot")
    part = {"type": "delta", "revision": 41, "more": True, "watches": [{"watch": 1, "removed": ["theme"]}]}
    for forbidden in (
        [("server", {"type": "delta", "revision": 40, "watches": [{"watch": 1, "removed": ["theme"]}]})],
        [("server", {**snapshot, "revision": 39})],
        [("server", part), ("client", {"type": "ack", "revision": 41})],
        [("server", part), ("server", {"type": "lease", "n": 0, "revision": 41, "duration": 1})],
        [("server", part), ("server", {**part, "revision": 42})],
        [("client", {"type": "renew", "n": 2})],
        [("server", {"type": "lease", "n": 1, "revision": 40, "duration": 1})],
    ):
        client = Client()
        for line in start:
            getattr(client, line["dir"])(line["frame"])
        with pytest.raises(Fault):
            for side, frame in forbidden:
                getattr(client, side)(frame)


@pytest.mark.parametrize("definition, value", SAMPLES["valid"])
def test_a_good_sample_is_taken(definition, value):
    validator(definition).validate(value)


@pytest.mark.parametrize("definition, value, why", SAMPLES["invalid"], ids=[s[2] for s in SAMPLES["invalid"]])
def test_a_bad_sample_is_refused(definition, value, why):
    assert not validator(definition).is_valid(value)


def seen():
    everything = [line["frame"] for _, _, line in frames() if not line.get("invalid")]
    everything += [value for _, value in SAMPLES["valid"]]
    objects = [o for value in everything for o in walk(value) if isinstance(o, dict)]
    closes = {line["close"]["code"] for lines in TRANSCRIPTS.values() for line in lines if "close" in line}
    closes |= {value for definition, value in SAMPLES["valid"] if definition == "closeCode"}
    return objects, closes


def consts(definition):
    return {choice["const"] for choice in SCHEMA["$defs"][definition]["oneOf"]}


def types():
    names = [ref["$ref"].rsplit("/", 1)[1] for side in ("client", "server") for ref in SCHEMA["$defs"][side]["oneOf"]]
    return [SCHEMA["$defs"][name]["properties"]["type"]["const"] for name in names]


def test_every_frame_type_and_every_code_is_shown():
    objects, closes = seen()
    assert set(types()) <= {o.get("type") for o in objects}
    assert consts("errorCode") == {o["code"] for o in objects if o.get("type") == "error"}
    assert consts("goawayCode") == {o["code"] for o in objects if o.get("type") == "goaway"}
    assert consts("causeKind") == {o["kind"] for o in objects if "kind" in o and "time" in o}
    assert consts("reason") == {o["reason"] for o in objects if "reason" in o and "key" in o}
    assert consts("closeCode") == closes


def test_every_code_is_described():
    for definition in ("errorCode", "goawayCode", "closeCode", "causeKind", "reason"):
        for choice in SCHEMA["$defs"][definition]["oneOf"]:
            assert choice["description"], choice


def test_the_readme_names_every_frame_and_every_ending():
    readme = (PROTOCOL / "README.md").read_text()
    assert all(f"`{name}`" in readme for name in types())
    for code in consts("goawayCode"):
        assert f"| `{code}` |" in readme
    for code in consts("closeCode"):
        assert f"| {code} |" in readme

# SPDX-License-Identifier: Apache-2.0
"""CloudEvents' own suites against the C reader: the HTTP binding's feature and the YAML cases of cloudevents/conformance,
and the JSON schema. They lie in the folder that FLAGSTAFF_REFERENCE names, else in ../shared/reference beside the repository."""
import json
import os
import pathlib
import re
import subprocess
import urllib.parse

import jsonschema
import pytest
import yaml

ROOT = pathlib.Path(__file__).resolve().parents[3]
SUITES = pathlib.Path(os.environ.get("FLAGSTAFF_REFERENCE", ROOT.parent / "shared" / "reference")) / "cloudevents"
READER = pathlib.Path(os.environ.get("FLAGSTAFF_BUILD", ROOT / "build")) / "tests" / "cloudevents_read_request"

needs_suites = pytest.mark.skipif(not SUITES.is_dir(), reason=f"the published suites are not here: put them into {SUITES} or set "
                                                              "FLAGSTAFF_REFERENCE (the files of github.com/cloudevents/conformance)")


def read(headers, body):
    lines = ["POST /v1/events HTTP/1.1"] + [f"{name}: {value}" for name, value in headers]
    request = ("\r\n".join(lines) + "\r\n\r\n").encode() + body
    result = subprocess.run([READER], input=request, stdout=subprocess.PIPE, check=True, timeout=30)
    return json.loads(result.stdout)


def scenarios():
    """The feature's outlines with their examples filled in: (name, headers, body, attributes, data)."""
    path = SUITES / "http-protocol-binding.feature"
    if not path.exists():
        return
    text = path.read_text()
    for block in re.split(r"\n\s*Scenario Outline: ", text)[1:]:
        name = block.split("\n", 1)[0].strip()
        docs = re.findall(r'"""\n(.*?)"""', block, re.DOTALL)
        rows = re.findall(r"^\s*\|\s*(\S+)\s*\|\s*(.+?)\s*\|\s*$", block.split("Examples:")[0], re.MULTILINE)
        examples = re.findall(r"^\s*\|\s*(.+?)\s*\|\s*$", block.split("Examples:")[1], re.MULTILINE)[1:]
        for value in examples:
            lines = [line.strip() for line in docs[0].replace("<contentType>", value).split("\n")]
            blank = lines.index("")
            headers = [tuple(line.split(": ", 1)) for line in lines[1:blank]]
            attributes = {key: cell.replace("<contentType>", value) for key, cell in rows if key != "key"}
            yield pytest.param(headers, "\n".join(lines[blank + 1:]).encode(), attributes, json.loads(docs[1]),
                               id=name.replace("<contentType>", value))


@needs_suites
@pytest.mark.parametrize("headers, body, attributes, data", list(scenarios()))
def test_the_features_of_the_http_binding(headers, body, attributes, data):
    result = read(headers, body)
    assert result.get("error") is None
    assert result["events"][0]["attributes"] == attributes
    assert result["events"][0]["data"] == data


def cases():
    for name in ("v1.yaml", "v1_minimum.yaml"):
        path = SUITES / name
        if not path.exists():
            continue
        for number, case in enumerate(yaml.load_all(path.read_text(), Loader=yaml.BaseLoader)):
            for mode in ("binary", "structured", "batched"):
                yield pytest.param(case, mode, id=f"{name}-{number}-{mode}")


def in_header(text):
    return urllib.parse.quote(text, safe="".join(chr(c) for c in range(0x21, 0x7f) if chr(c) not in '"%'))


@needs_suites
@pytest.mark.parametrize("case, mode", list(cases()))
def test_the_cases_of_the_conformance_repository_in_every_mode(case, mode):
    attributes = {k: v for k, v in case["ContextAttributes"].items() if k != "Extensions"}
    # The literal blocks of the file end with a line break, which no attribute may have.
    attributes.update({k: v.strip() for k, v in case["ContextAttributes"].get("Extensions", {}).items()})
    data, media = case["Data"].strip(), attributes.get("datacontenttype", "application/json")
    is_json = "json" in media
    expected = json.loads(data) if is_json else data
    if mode == "binary":
        headers = [(f"ce-{k}", in_header(v)) for k, v in attributes.items() if k != "datacontenttype"] + [("Content-Type", media)]
        result = read(headers, data.encode())
        attributes = {**attributes, "datacontenttype": media}
    else:
        event = {**attributes, "data": expected}
        jsonschema.validate(event, json.loads((SUITES / "cloudevents.schema.json").read_text()))
        batch = mode == "batched"
        kind = "application/cloudevents-batch+json" if batch else "application/cloudevents+json"
        result = read([("Content-Type", kind)], json.dumps([event, event] if batch else event).encode())
        if batch:
            assert len(result["events"]) == 2
    assert result.get("error") is None
    assert result["events"][0]["attributes"] == attributes
    assert result["events"][0]["data"] == expected


BASIC = {"specversion": "1.0", "id": "1", "source": "/s", "type": "t"}


@needs_suites
@pytest.mark.parametrize("change", [
    {"id": None}, {"id": ""}, {"id": 7}, {"source": None}, {"source": ""}, {"type": None}, {"type": ""}, {"specversion": None},
    {"subject": ""}, {"subject": 1}, {"time": ""}, {"time": 5}, {"dataschema": ""}, {"datacontenttype": ""},
    {"data_base64": 1}], ids=str)
def test_what_the_published_schema_refuses_is_refused(change):
    event = {k: v for k, v in {**BASIC, **change}.items() if v is not None}
    schema = json.loads((SUITES / "cloudevents.schema.json").read_text())
    with pytest.raises(jsonschema.ValidationError):
        jsonschema.validate(event, schema)
    result = read([("Content-Type", "application/cloudevents+json")], json.dumps(event).encode())
    assert result["error"]["http"] == 400
    assert next(iter(change)) in result["error"]["text"]


def test_an_unknown_format_is_415():
    assert read([("Content-Type", "application/cloudevents+avro")], b"x")["error"]["http"] == 415


def test_all_characters_survive_a_header():
    text = 'Euro € 😀 "quoted" 100% \\'
    result = read([("ce-" + k, v) for k, v in BASIC.items()] + [("ce-subject", in_header(text))], b"")
    assert result["events"][0]["attributes"]["subject"] == text

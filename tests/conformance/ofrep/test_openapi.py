# SPDX-License-Identifier: Apache-2.0
"""The published OpenAPI of OFREP 0.3 against the daemon's real answers: each status it describes, and what it says of each.

The description contradicts itself in places. `EXCEPTIONS` lists each departure from its letter with the reason; nothing else is bent. The
file is not part of this repository: OFREP_OPENAPI names it (https://github.com/open-feature/protocol, service/openapi.yaml).
"""

import copy
import json
import os
import sys
from pathlib import Path
from urllib.parse import quote

import pytest
import yaml
from jsonschema import Draft202012Validator, FormatChecker

ROOT = Path(__file__).resolve().parents[3]
OPENAPI = Path(os.environ.get("OFREP_OPENAPI", ROOT.parent / "shared" / "reference" / "ofrep" / "openapi.yaml"))
sys.path.insert(0, str(ROOT / "tests" / "system"))
from world import Daemon, http  # noqa: E402

if not OPENAPI.exists():
    pytest.skip(f"OFREP's OpenAPI is not at {OPENAPI}: set OFREP_OPENAPI", allow_module_level=True)

SINGLE, BULK = "/ofrep/v1/evaluate/flags/{key}", "/ofrep/v1/evaluate/flags"


def any_value(schemas):
    """booleanFlag ... codeDefaultFlag overlap (an integer is a number, and codeDefaultFlag fits everything): under `oneOf` no answer with a
    value is valid. Meant is: one or more of the kinds, and the code default only where there is no value."""
    kinds = schemas["evaluationSuccess"]["allOf"][1]
    kinds["anyOf"] = kinds.pop("oneOf")
    schemas["codeDefaultFlag"]["not"] = {"required": ["value"]}


def all_reasons(schemas):
    """The list of reasons lacks four of OpenFeature's nine, though ADR 0006 of the protocol answers with DEFAULT itself. All released clients
    take the nine, and ERROR without an error code is how a safe variant is told."""
    schemas["evaluationSuccess"]["allOf"][0]["properties"]["reason"]["enum"] += ["DEFAULT", "CACHED", "STALE", "ERROR"]


def flag_not_found_in_bulk(schemas):
    """The list of error codes of a failed item lacks FLAG_NOT_FOUND, which the description's own example of a bulk answer has."""
    schemas["evaluationFailure"]["properties"]["errorCode"]["enum"].append("FLAG_NOT_FOUND")


def object_is_any_json(schemas):
    """The value of an object flag may be an array in OpenFeature (a structure or a list); the description says object only."""
    schemas["objectFlag"]["properties"]["value"] = {"type": ["object", "array"]}


EXCEPTIONS = [any_value, all_reasons, flag_not_found_in_bulk, object_is_any_json]

# What the daemon answers beyond the description, which says nothing of these cases.
BEYOND = {404: "a path that is none of the two", 405: "a wrong method", 413: "a body over the limit: no released client reads its body"}

FLAGS = {
    "flags": {
        "truth": {"variants": {"on": True, "off": False}, "defaultVariant": "on"},
        "text": {"variants": {"a": "A"}, "defaultVariant": "a", "metadata": {"team": "shop", "tier": 2, "rate": 0.5, "old": False}},
        "count": {"variants": {"few": 3}, "defaultVariant": "few"},
        "ratio": {"type": "float", "variants": {"whole": 1, "half": 0.5}, "defaultVariant": "whole"},
        "shape": {"variants": {"square": {"sides": 4}}, "defaultVariant": "square"},
        "tools": {"type": "object", "decision": {"rule": {"if": [{"==": [{"var": "targetingKey"}, "ada"]}, ["read", "write"], []]}},
                  "value": {"var": "decision.value"}, "safeValue": []},
        "targeted": {"variants": {"on": True, "off": False}, "defaultVariant": "off",
                     "targeting": {"if": [{"==": [{"var": "targetingKey"}, "ada"]}, "on", None]}},
        "split": {"variants": {"l": "l", "r": "r"}, "defaultVariant": "l", "targeting": {"fractional": [["l", 50], ["r", 50]]}},
        "wrong": {"variants": {"l": "l", "r": "r"}, "defaultVariant": "l", "targeting": {"var": "no-such-variant-is-there"}},
        "no-default": {"variants": {"on": True, "off": False}},
        "disabled": {"state": "DISABLED", "variants": {"on": True}, "defaultVariant": "on"},
        "door": {"variants": {"on": True, "off": False}, "defaultVariant": "off", "visibility": "client",
                 "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}},
        "closed": {"state": "DISABLED", "variants": {"on": True, "off": False}, "defaultVariant": "off",
                   "decision": {"rule": {"==": [{"var": "facts.access"}, "granted"]}}},
        "a/b ü%": {"variants": {"on": True}, "defaultVariant": "on"},
    },
    "metadata": {"flagSetId": "demo", "version": "7"},
}
ADA = {"context": {"targetingKey": "ada"}}


@pytest.fixture(scope="module")
def description():
    return yaml.safe_load(OPENAPI.read_text())


@pytest.fixture(scope="module")
def bent(description):
    """The description with the exceptions."""
    document = copy.deepcopy(description)
    for exception in EXCEPTIONS:
        exception(document["components"]["schemas"])
    return document


@pytest.fixture(scope="module")
def daemon(tmp_path_factory):
    one = Daemon(tmp_path_factory.mktemp("ofrep"), yaml.safe_dump(FLAGS)).start()
    yield one
    assert one.stop() == 0


@pytest.fixture(scope="module")
def keyed(tmp_path_factory):
    one = Daemon(tmp_path_factory.mktemp("keyed"), yaml.safe_dump(FLAGS)).start()
    one.key = one.add_key(["admin", "evaluate:any"])
    yield one
    assert one.stop() == 0


def errors(document, path, answer):
    """What is wrong with an answer by the description of its path and status."""
    response = document["paths"][path]["post"]["responses"].get(str(answer.status))
    if response is None:
        return [f"the description knows no status {answer.status}"]
    content = response.get("content")
    if content is None:
        return []
    found = [] if answer.headers["Content-Type"] == "application/json" else [f"Content-Type {answer.headers['Content-Type']}"]
    schema = {**content["application/json"]["schema"], "components": document["components"]}
    validator = Draft202012Validator(schema, format_checker=FormatChecker())
    return found + [f"{error.json_path}: {error.message}" for error in validator.iter_errors(json.loads(answer.body))]


def single(d, key, body=ADA, **headers):
    return d.post(f"/ofrep/v1/evaluate/flags/{key}", body, **headers)


def bulk(d, body=ADA, query="", **headers):
    return d.post(BULK + query, body, **headers)


@pytest.mark.parametrize("key, value, reason", [
    ("truth", True, "STATIC"), ("text", "A", "STATIC"), ("count", 3, "STATIC"), ("ratio", 1.0, "STATIC"), ("shape", {"sides": 4}, "STATIC"),
    ("tools", ["read", "write"], "TARGETING_MATCH"), ("targeted", True, "TARGETING_MATCH"), ("split", None, "TARGETING_MATCH"),
    ("door", False, "ERROR"), ("closed", False, "ERROR"), ("a%2Fb%20%C3%BC%25", True, "STATIC"),
])
def test_a_single_success_is_as_described(daemon, bent, key, value, reason):
    answer = single(daemon, key)
    assert answer.status == 200 and errors(bent, SINGLE, answer) == []
    assert answer.json["reason"] == reason and (value is None or answer.json["value"] == value)
    assert {"key", "value", "variant", "metadata"} <= set(answer.json), "the narrow form that all released clients take"
    assert "errorCode" not in answer.json, "an error code would make the client give its caller's default"


def test_a_float_is_written_as_one_and_an_integer_is_not(daemon):
    """Python's client tells them apart by the point."""
    assert b'"value":1.0,' in single(daemon, "ratio").body and b'"value":3,' in single(daemon, "count").body


@pytest.mark.parametrize("key", ["no-such", "disabled", "no-default", "no%2Fsuch", "%FF"])
def test_what_gives_no_value_is_404_as_described(daemon, bent, key):
    answer = single(daemon, key)
    assert answer.status == 404 and errors(bent, SINGLE, answer) == []
    assert answer.json["errorCode"] == "FLAG_NOT_FOUND" and isinstance(answer.json["errorDetails"], str)
    assert isinstance(answer.json["metadata"], dict)


BAD_BODIES = {"half": b'{"context":', "text": b"context", "list": b"[]", "number": b'{"context":1}', "array": b'{"context":[]}',
              "utf-8": b'{"context":{"x":"\xff"}}', "twice": b'{"context":{},"context":{}}', "deep": b'{"context":' + b'{"x":' * 99 + b"1" + b"}" * 100}


@pytest.mark.parametrize("body", BAD_BODIES.values(), ids=BAD_BODIES)
def test_a_request_that_is_wrong_in_form_is_400_as_described(daemon, bent, body):
    for path, answer in ((SINGLE, single(daemon, "truth", body)), (BULK, bulk(daemon, body))):
        assert answer.status == 400 and errors(bent, path, answer) == []
        assert answer.json["errorCode"] in ("PARSE_ERROR", "INVALID_CONTEXT") and answer.json["errorDetails"] and answer.json["metadata"] == {}


@pytest.mark.parametrize("context", [{"targetingKey": 42}, {"x": [[[[[[[[[[1]]]]]]]]]]}, {"x": "y" * 9000}], ids=["number", "deep", "large"])
def test_a_bulk_request_whose_context_is_none_gets_safe_values_and_a_single_one_400(daemon, bent, context):
    """Any error would leave the values of the subject before in force in the stock web provider."""
    answer = bulk(daemon, {"context": context})
    assert answer.status == 200 and errors(bent, BULK, answer) == []
    assert next(f["value"] for f in answer.json["flags"] if f["key"] == "door") is False
    one = single(daemon, "door", {"context": context})
    assert one.status in (200, 400) and errors(bent, SINGLE, one) == []


def test_a_bulk_success_is_as_described_with_etag_and_stream(daemon, bent):
    answer = bulk(daemon)
    assert answer.status == 200 and errors(bent, BULK, answer) == []
    assert answer.headers["ETag"].startswith('"') and answer.json["metadata"] == {"flagSetId": "demo", "version": "7"}
    assert {flag["key"] for flag in answer.json["flags"]} == set(FLAGS["flags"])
    [stream] = answer.json["eventStreams"]
    assert stream["type"] == "sse" and stream["url"].startswith(daemon.url) and stream["inactivityDelaySec"] >= 1
    for flag in answer.json["flags"]:
        assert ("errorCode" in flag) != ("value" in flag), "each item is one of the two forms"


def test_single_and_bulk_say_the_same_of_each_flag(daemon):
    for flag in bulk(daemon).json["flags"]:
        assert single(daemon, quote(flag["key"], safe="")).json == flag


def test_an_unchanged_bulk_answer_is_304_without_body_and_another_context_has_another_tag(daemon, bent):
    tag = bulk(daemon).headers["ETag"]
    for same in (tag, "W/" + tag, f'"x", {tag}', "*"):
        again = bulk(daemon, **{"If-None-Match": same})
        assert again.status == 304 and again.body == b"" and again.headers["ETag"] == tag and errors(bent, BULK, again) == []
    other = {"context": {"targetingKey": "ada", "role": "x"}}
    assert bulk(daemon, other, **{"If-None-Match": tag}).status == 200


def test_a_refetch_for_another_configuration_is_never_downgraded_to_304(daemon, bent):
    """Guideline 9 of the protocol; the same tag again may be 304."""
    tag = bulk(daemon).headers["ETag"]
    fresh = bulk(daemon, query="?flagConfigEtag=other&flagConfigLastModified=1771622898", **{"If-None-Match": tag})
    assert fresh.status == 200 and errors(bent, BULK, fresh) == []
    assert bulk(daemon, query=f"?flagConfigEtag={tag.strip(chr(34))}", **{"If-None-Match": tag}).status == 304


def test_without_a_credential_401_and_without_the_right_403(keyed, bent):
    reader = keyed.add_key(["read"])
    for path, ask in ((SINGLE, "/ofrep/v1/evaluate/flags/truth"), (BULK, BULK)):
        nobody = http("POST", keyed.url + ask, ADA, {"Content-Type": "application/json"})
        assert nobody.status == 401 and errors(bent, path, nobody) == [] and nobody.headers["WWW-Authenticate"]
        stranger = keyed.post(ask, ADA, "no-such-key")
        assert stranger.status == 401 and errors(bent, path, stranger) == []
        refused = keyed.post(ask, ADA, reader)
        assert refused.status == 403 and errors(bent, path, refused) == []
        assert all(a.headers["Content-Type"] == "application/json" and a.json["error"]["message"] for a in (nobody, stranger, refused))


def test_both_described_ways_to_authenticate_work(keyed, description):
    schemes = {scheme["type"]: scheme for scheme in description["components"]["securitySchemes"].values()}
    assert schemes["apiKey"]["name"] == "X-API-Key" and schemes["http"]["scheme"] == "bearer"
    for header in ({"X-API-Key": keyed.key}, {"Authorization": f"Bearer {keyed.key}"}):
        assert http("POST", keyed.url + BULK, ADA, {"Content-Type": "application/json", **header}).status == 200


def test_a_subject_that_the_credential_may_not_see_is_a_success_as_described(keyed, bent):
    own = keyed.add_key(["evaluate"], subject="bo")
    answer = keyed.post(BULK, ADA, own)
    assert answer.status == 200 and errors(bent, BULK, answer) == [] and "eventStreams" not in answer.json
    assert [(f["key"], f["value"], f["reason"]) for f in answer.json["flags"]] == [("door", False, "ERROR")]
    one = keyed.post("/ofrep/v1/evaluate/flags/door", ADA, own)
    assert one.status == 200 and errors(bent, SINGLE, one) == [] and one.json["value"] is False


def test_what_the_description_does_not_know_is_json_too(daemon):
    for answer in (daemon.get(BULK), daemon.post(BULK, b" " * (2 << 20)), daemon.post(BULK + "/a/b/c", ADA)):
        assert answer.status in BEYOND and answer.headers["Content-Type"] == "application/json" and answer.json


def test_each_exception_is_needed(daemon, description):
    """With any one of the exceptions taken back, some answer no longer fits: none of them outlives its reason."""
    answer = bulk(daemon)
    for left in EXCEPTIONS:
        document = copy.deepcopy(description)
        for exception in EXCEPTIONS:
            if exception is not left:
                exception(document["components"]["schemas"])
        assert errors(document, BULK, answer), f"{left.__name__} is not needed any more"

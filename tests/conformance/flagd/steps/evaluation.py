# SPDX-License-Identifier: Apache-2.0
"""flagd's steps, spoken to the C provider `file` where FLAGD_THROUGH names its program, else to the daemon: over OFREP (single and bulk must say the same), and over flagstaff.v1 where the narrow form
of OFREP that all released clients take cannot say it: the reason of a flag that has no value."""

import json
import os

from behave import given, then, use_step_matcher, when
from world import Client, http

use_step_matcher("re")

READ = {"String": str, "Integer": int, "Float": float, "Boolean": lambda text: text.lower() == "true", "Object": json.loads}


@given(r'an option "(?P<name>cache|selector)" of type "[^"]*" with value "(?P<value>[^"]*)"')
def option(context, name, value):
    """There is no cache to switch off; the selector has chosen the daemon already."""


@given(r"a (?:stable|metadata) flagd provider")
def provider(context):
    assert "FLAGD_THROUGH" in os.environ or context.daemon.get("/readyz").status == 200


@given(r'a (?P<kind>\w+)-flag with key "(?P<key>[^"]*)" and a default value "(?P<default>.*)"')
def flag(context, kind, key, default):
    context.kind, context.read, context.key, context.default = kind, READ[kind], key, READ[kind](default)


@given(r'a context containing a key "(?P<key>[^"]*)", with type "(?P<kind>[^"]*)" and with value "(?P<value>.*)"')
def attribute(context, key, kind, value):
    context.attributes[key] = READ[kind](value)


@given(r'a context containing a targeting key with value "(?P<value>.*)"')
def subject(context, value):
    context.attributes["targetingKey"] = value


@given(r'a context containing a nested property with outer key "(?P<outer>[^"]*)" and inner key "(?P<inner>[^"]*)", with value "(?P<value>.*)"')
def nested(context, outer, inner, value):
    context.attributes[outer] = {inner: value}


@when(r"the flag was evaluated with details")
def evaluate(context):
    if "FLAGD_THROUGH" in os.environ:
        context.result = context.daemon.evaluate(context.key, context.kind, context.default, context.attributes)
        return
    valueless = {"disabled", "no-default-variant"} & set(context.scenario.effective_tags)
    context.result = over_ofrep(context)
    if valueless:
        assert context.result["value"] == over_websocket(context)["value"], "both doors give the same value"
        context.result = over_websocket(context)


def over_ofrep(context):
    path, body = f"{context.daemon.url}/ofrep/v1/evaluate/flags", {"context": context.attributes}
    answer = http("POST", f"{path}/{context.key}", body, {"Content-Type": "application/json"}).json
    bulk = http("POST", path, body, {"Content-Type": "application/json"}).json["flags"]
    assert answer == next((one for one in bulk if one["key"] == context.key), answer), "single and bulk say the same"
    if "errorCode" in answer:
        return {"value": context.default, "reason": "ERROR", "errorCode": answer["errorCode"], "metadata": answer["metadata"]}
    return answer


def over_websocket(context):
    client = Client(context.daemon, [{"context": {"targetingKey": "somebody", **context.attributes}, "flags": [context.key]}])
    try:
        client.wait_lease()
        answer = dict(client.flag(context.key))
    finally:
        client.close()
    answer.setdefault("value", context.default)
    return answer


@then(r'the resolved details value should be "(?P<value>.*)"')
def value_is(context, value):
    got, wanted = context.result["value"], context.read(value)
    assert got == wanted and isinstance(got, bool) == isinstance(wanted, bool), f"{got!r} is not {wanted!r}: {context.result}"


@then(r'the reason should be "(?P<reason>[^"]*)"')
def reason_is(context, reason):
    assert context.result["reason"] == reason, context.result


@then(r'the error-code should be "(?P<code>[^"]*)"')
def code_is(context, code):
    assert context.result.get("errorCode", "") == code, context.result


@then(r"the resolved metadata should contain")
def metadata_contains(context):
    for row in context.table:
        got = context.result["metadata"].get(row["key"])
        assert got == READ[row["metadata_type"]](row["value"]), f"{row['key']}: {got!r}"


@then(r"the resolved metadata is empty")
def metadata_is_empty(context):
    assert context.result["metadata"] == {}

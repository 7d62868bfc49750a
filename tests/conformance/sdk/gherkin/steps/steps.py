# SPDX-License-Identifier: Apache-2.0
"""The steps of the specification's suites, in terms of libopenfeature."""
import json
import threading
import time

from behave import given, then, use_step_matcher, when

import flags
from openfeature import (TYPES, Details, FlagValue, Hook, Provider, context_of, ffi, fields_of, flag_value, lib,
                         text)

use_step_matcher("re")

PATIENCE_MS = 10000
EVALUATE = {"boolean": "bool", "string": "string", "integer": "int", "float": "double", "object": "object"}
READ = {"boolean": lambda s: s.lower() == "true", "string": str, "integer": int, "float": float,
        "object": lambda s: None if s in ("", "null") else json.loads(s.replace('\\"', '"'))}


def register(context, provider):
    result = lib.of_api_set_provider_and_wait(context.api, ffi.NULL, provider, PATIENCE_MS)
    lib.of_provider_unref(provider)
    return result


def evaluate(context, kind, key, default, fields=None, options=ffi.NULL):
    """Evaluates with details, and copies them."""
    details, key = ffi.new("of_details *"), ffi.new("char[]", key.encode())
    value = FlagValue(kind, default)
    invocation = ffi.NULL if fields is None else ffi.gc(context_of(fields), lib.of_context_unref)
    function = getattr(lib, f"of_client_{EVALUATE[kind]}_details")
    argument = {"boolean": lambda v: v.boolean, "integer": lambda v: v.integer, "float": lambda v: v.number,
                "string": lambda v: v.string.data, "object": lambda v: v.object}[kind](value.c)
    function(context.client, key, argument, invocation, options, details)
    copy = Details(details)
    lib.of_details_clear(details)
    if invocation != ffi.NULL:
        context.invocation_after = fields_of(invocation)
    return copy


# Providers

def caching(context):
    """A provider that answers from a cache the second time."""
    inner, cache = flags.provider_of(context.flags), {}

    def resolve(key, kind, default, evaluation_context, resolution):
        value = FlagValue(kind, text(default) if kind == "string" else default)
        error = lib.of_provider_resolve(inner, key.encode(), TYPES[kind], value.c, evaluation_context, resolution)
        if error == lib.OF_OK and key in cache:
            resolution.reason = CACHED
        cache[key] = True
        return error

    return Provider("caching", resolve)


CACHED = ffi.new("char[]", b"CACHED")


@given("a stable provider")
def stable(context):
    if context.cached:
        context.provider = caching(context)
        assert register(context, context.provider.c) == lib.OF_OK
    else:
        assert register(context, flags.provider_of(context.flags)) == lib.OF_OK


@given("a (not ready|fatal|error|stale) provider")
def troubled(context, state):
    code = {"not ready": lib.OF_ERROR_PROVIDER_NOT_READY, "fatal": lib.OF_ERROR_PROVIDER_FATAL}.get(
        state, lib.OF_ERROR_GENERAL)

    def init(provider):
        if state == "not ready":
            return lib.OF_ERROR_GENERAL
        if state == "stale":
            lib.of_provider_emit_ready(provider)
            event = ffi.new("of_provider_event *", {"size": ffi.sizeof("of_provider_event"), "type": lib.OF_EVENT_STALE})
            lib.of_provider_emit(provider, event)
            return lib.OF_OK
        return lib.of_provider_emit_error(provider, code, b"in trouble")

    context.provider = Provider(state, lambda *_: code, init)
    register(context, context.provider.c)


@given("a stable provider with retrievable context is registered")
def retrievable(context):
    def resolve(_key, _kind, _default, evaluation_context, resolution):
        context.merged = fields_of(evaluation_context)
        resolution.value.boolean = True
        return lib.OF_OK

    context.provider = Provider("retrievable", resolve)
    assert register(context, context.provider.c) == lib.OF_OK


@then('the provider status should be "(.*)"')
def status(context, expected):
    assert text(lib.of_status_name(lib.of_client_status(context.client))) == expected


# The newer features

@given('an? (\\w+)-flag with key "(.*)" and a fallback value "(.*)"')
def flag(context, kind, key, default):
    context.kind, context.key = kind.lower(), key
    context.default = READ[context.kind](default)


@given('a context containing a key "(.*)", with type "(.*)" and with value "(.*)"')
def field(context, key, kind, value):
    context.fields[key] = READ[kind.lower()](value)


@given('a context containing a key "(.*)" with null value')
def null_field(context, key):
    context.fields[key] = None


@given("a client with added hook")
def client_hook(context):
    context.hook = Hook()
    assert lib.of_client_add_hook(context.client, context.hook.c) == lib.OF_OK


@given("evaluation options containing specific hooks")
def option_hooks(context):
    context.journal = []
    context.hooks = [Hook(context.journal, "first"), Hook(context.journal, "second")]
    array = ffi.new("of_hook *[]", [hook.c for hook in context.hooks])
    context.options = ffi.new("of_options *", {"size": ffi.sizeof("of_options"), "hooks": array, "hook_count": 2})
    context.kept.append(array)


@given("an evaluation context with modifiable data")
def modifiable(context):
    context.fields = {"targetingKey": "ada", "nested": {"list": [1, 2]}, "n": 1}


@when("the flag was evaluated with details(?: using the evaluation options)?")
def evaluated(context):
    context.details = evaluate(context, context.kind, context.key, context.default, context.fields, context.options)


@when("the flag was evaluated with details asynchronously")
def evaluated_later(context):
    done = threading.Event()

    @ffi.callback("of_evaluated")
    def finished(_user, details):
        context.details = Details(details)
        done.set()

    value = FlagValue(context.kind, context.default)
    start = time.monotonic()
    assert lib.of_client_evaluate_async(context.client, context.key.encode(), TYPES[context.kind], value.c, ffi.NULL,
                                        ffi.NULL, finished, ffi.NULL) == lib.OF_OK
    context.took = time.monotonic() - start
    assert done.wait(PATIENCE_MS / 1000)


@then("the evaluation should complete without blocking")
def not_blocking(context):
    assert context.took < PATIENCE_MS / 1000


@then('the resolved details value should be "(.*)"')
def details_value(context, expected):
    assert context.details.value == READ[context.kind](expected), context.details.value


@then('the reason should be "(.*)"')
def reason(context, expected):
    assert context.details.reason == expected, context.details.reason


@then('the error-code should be "(.*)"')
def error_code(context, expected):
    assert context.details.error_code == expected, context.details.error_code


@then('the flag key should be "(.*)"')
def flag_key(context, expected):
    assert context.details.flag_key == expected


@then('the variant should be "([^"]*)"')
def variant(context, expected):
    assert context.details.variant == expected, context.details.variant


@then("the resolved metadata should contain")
def metadata(context):
    for row in context.table:
        assert context.details.metadata[row["key"]] == READ[row["metadata_type"].lower()](row["value"])


@then("the resolved metadata is empty")
def no_metadata(context):
    assert context.details.metadata == {}


@then('the "(.*)" hooks? should have been executed')
def hook_ran(context, stage):
    assert stage in context.hook.ran


@then('the "(.*)" hooks should be called with evaluation details')
def hook_details(context, stages):
    for stage in stages.split(", "):
        for row in context.table:
            expected = None if row["value"] == "null" else READ[row["data_type"]](row["value"])
            assert getattr(context.hook.details[stage], row["key"]) == expected, (stage, row["key"])


@then("the specified hooks should execute during evaluation")
def option_hooks_ran(context):
    assert all(hook.ran == ["before", "after", "finally"] for hook in context.hooks)


@then("the hook order should be maintained")
def option_hooks_order(context):
    assert context.journal == [("before", "first"), ("before", "second"), ("after", "second"), ("after", "first"),
                               ("finally", "second"), ("finally", "first")]


@then("the original evaluation context should remain unmodified")
def unmodified(context):
    assert context.invocation_after == context.fields


@then("the evaluation details should be immutable")
def immutable(context):
    assert context.details.metadata_refuses


# Context merging

@given('A context entry with key "(.*)" and value "(.*)" is added to the "(.*)" level')
def entry(context, key, value, level):
    context.levels.setdefault(level, {})[key] = value


@given("A table with levels of increasing precedence")
def precedence(context):
    context.precedence = [context.table.headings[0]] + [row[0] for row in context.table]


@given('Context entries for each level from API level down to the "(.*)" level, with key "(.*)" and value "(.*)"')
def entries(context, last, key, _value):
    for level in context.precedence[:context.precedence.index(last) + 1]:
        context.levels.setdefault(level, {})[key] = level


@when("Some flag was evaluated")
def some_flag(context):
    made = {level: ffi.gc(context_of(fields), lib.of_context_unref) for level, fields in context.levels.items()}
    if "API" in made:
        assert lib.of_api_set_context(context.api, made["API"]) == lib.OF_OK
    if "Transaction" in made:
        propagator = lib.of_propagator_new_thread_local()
        assert lib.of_api_set_propagator(context.api, propagator) == lib.OF_OK
        lib.of_propagator_unref(propagator)
        assert lib.of_api_set_transaction_context(context.api, made["Transaction"]) == lib.OF_OK
    if "Client" in made:
        assert lib.of_client_set_context(context.client, made["Client"]) == lib.OF_OK
    if "Before Hooks" in context.levels:
        context.hook = Hook(context=context.levels["Before Hooks"])
        assert lib.of_client_add_hook(context.client, context.hook.c) == lib.OF_OK
    evaluate(context, "boolean", "some-flag", False, context.levels.get("Invocation"))


@then('The merged context contains an entry with key "(.*)" and value "(.*)"')
def merged(context, key, value):
    assert context.merged[key] == value, context.merged


# The older feature

@when('an? (boolean|string|integer|float) flag with key "(.*)" is evaluated with (details and )?default value "?([^"]*)"?')
def old_evaluated(context, kind, key, _details, default):
    context.kind = kind
    context.details = evaluate(context, kind, key, READ[kind](default))


@when('an object flag with key "(.*)" is evaluated with (?:details and )?a null default value')
def old_object(context, key):
    context.kind = "object"
    context.details = evaluate(context, "object", key, None)


@then('the resolved (boolean|string|integer|float) value should be "?([^"]*)"?')
def old_value(context, kind, expected):
    assert context.details.value == READ[kind](expected)


@then('the resolved (boolean|string|integer|float) details value should be "?([^",]*)"?, the variant should be "(.*)", '
      'and the reason should be "(.*)"')
def old_details(context, kind, expected, variant_, reason_):
    assert context.details.value == READ[kind](expected)
    assert (context.details.variant, context.details.reason) == (variant_, reason_)


@then('the resolved object (?:details )?value should be contain fields "(.*)", "(.*)", and "(.*)", with values "(.*)", '
      '"(.*)" and (\\d+), respectively')
def old_fields(context, one, two, three, boolean, string, integer):
    assert context.details.value == {one: READ["boolean"](boolean), two: string, three: int(integer)}


@then('the variant should be "([^"]*)", and the reason should be "(.*)"')
def old_variant(context, variant_, reason_):
    assert (context.details.variant, context.details.reason) == (variant_, reason_)


@when('context contains keys "(.*)", "(.*)", "(.*)", "(.*)" with values "(.*)", "(.*)", (\\d+), "(.*)"')
def old_context(context, k1, k2, k3, k4, v1, v2, v3, v4):
    context.fields = {k1: v1, k2: v2, k3: int(v3), k4: READ["boolean"](v4)}


@when('a flag with key "(.*)" is evaluated with default value "(.*)"')
def old_targeted(context, key, default):
    context.key, context.default = key, default
    context.details = evaluate(context, "string", key, default, context.fields)


@then('the resolved string response should be "(.*)"')
def old_response(context, expected):
    assert context.details.value == expected, context.details.value


@then('the resolved flag value is "(.*)" when the context is empty')
def old_untargeted(context, expected):
    assert evaluate(context, "string", context.key, context.default, {}).value == expected


@when('a non-existent string flag with key "(.*)" is evaluated with details and a fallback value "(.*)"')
def old_missing(context, key, default):
    context.default = default
    context.details = evaluate(context, "string", key, default)


@when('a string flag with key "(.*)" is evaluated as an integer, with details and a fallback value (\\d+)')
def old_wrong(context, key, default):
    context.default = int(default)
    context.details = evaluate(context, "integer", key, context.default)


@then("the default (?:string|integer) value should be returned")
def old_default(context):
    assert context.details.value == context.default


@then('the reason should indicate an error and the error code should indicate (?:a missing flag|a type mismatch) with "(.*)"')
def old_error(context, code):
    assert (context.details.reason, context.details.error_code) == ("ERROR", code)

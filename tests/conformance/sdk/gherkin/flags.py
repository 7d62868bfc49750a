# SPDX-License-Identifier: Apache-2.0
"""The flags of the suites: test-flags.json, and the one that only the older feature speaks of."""
import json
import os
import pathlib

from openfeature import ffi, fields_of, memory, value_of

MAIL = "ballmer@macrosoft.com"

# What the two expressions in test-flags.json say, and the targeting of the older feature.
EVALUATORS = {
    f"email == '{MAIL}' ? 'zero' : ''": lambda f: "zero" if f.get("email") == MAIL else "",
    f"!customer && email == '{MAIL}' && age > 10 ? 'internal' : ''":
        lambda f: "internal" if not f.get("customer") and f.get("email") == MAIL and f.get("age", 0) > 10 else "",
    "older feature": lambda f: "internal" if f.get("fn") == "Sulis\u0142aw" and f.get("ln") == "\u015awi\u0119tope\u0142k"
                     and f.get("age") == 29 and f.get("customer") is False else "",
}
NAMES = {name: ffi.new("char[]", name.encode()) for name in ("zero", "internal", "")}
CALLBACKS = {text: ffi.callback("of_memory_evaluator",
                                lambda _user, context, function=function: NAMES[function(fields_of(context))])
             for text, function in EVALUATORS.items()}


def load():
    path = pathlib.Path(os.environ["OPENFEATURE_FEATURES"]) / "test-flags.json"
    flags = json.loads(path.read_text())
    flags["context-aware"] = {"variants": {"internal": "INTERNAL", "external": "EXTERNAL"},
                              "defaultVariant": "external", "contextEvaluator": "older feature"}
    return flags


def provider_of(flags):
    """The in-memory provider with these flags. The structures are copied by it."""
    array, kept = ffi.new("of_memory_flag[]", len(flags)), []
    for c, (key, flag) in zip(array, flags.items()):
        kept += [ffi.new("char[]", key.encode()), ffi.gc(value_of(flag["variants"]), _unref)]
        c.size, c.key, c.variants = ffi.sizeof("of_memory_flag"), kept[-2], kept[-1]
        if flag.get("defaultVariant") is not None:
            kept.append(ffi.new("char[]", flag["defaultVariant"].encode()))
            c.default_variant = kept[-1]
        c.disabled = flag.get("disabled", False)
        if flag.get("contextEvaluator"):
            c.evaluator = CALLBACKS[flag["contextEvaluator"]]
        if flag.get("flagMetadata") is not None:
            kept.append(ffi.gc(value_of(flag["flagMetadata"]), _unref))
            c.metadata = kept[-1]
    provider = memory.of_memory_provider_new(array, len(flags))
    assert provider != ffi.NULL
    return provider


def _unref(value):
    from openfeature import lib
    lib.of_value_unref(value)

# SPDX-License-Identifier: Apache-2.0
"""libopenfeature for Python, as the steps need it: its own headers through cffi, and helpers that turn C into Python.

The library is named by OPENFEATURE_LIBRARY and OPENFEATURE_MEMORY, the headers by OPENFEATURE_INCLUDES (separated by colons).
"""
import json
import os
import pathlib
import re
import subprocess

from cffi import FFI

FAKE = pathlib.Path(__file__).parent / "fake"
HEADERS = """
#include <openfeature/openfeature.h>
#include <openfeature/isolated.h>
#include <openfeature/providers/memory.h>
"""


def declarations():
    """The headers, preprocessed with empty system headers, in the subset that cffi reads."""
    includes = [f"-I{FAKE}"] + [f"-I{d}" for d in os.environ["OPENFEATURE_INCLUDES"].split(":")]
    command = [os.environ.get("CC", "cc"), "-E", "-P", "-nostdinc", "-D__attribute__(x)=", *includes, "-xc", "-"]
    text = subprocess.run(command, input=HEADERS, check=True, capture_output=True, text=True).stdout
    return re.sub(r"enum (\w+) \{(.*?)\} \1;", lambda m: f"enum {m[1]} {{{m[2].rstrip().rstrip(',')}}} {m[1]};", text, flags=re.S)


ffi = FFI()
ffi.cdef(declarations())
lib = ffi.dlopen(os.environ["OPENFEATURE_LIBRARY"])
memory = ffi.dlopen(os.environ["OPENFEATURE_MEMORY"])

TYPES = {"boolean": lib.OF_TYPE_BOOL, "string": lib.OF_TYPE_STRING, "integer": lib.OF_TYPE_INT,
         "float": lib.OF_TYPE_DOUBLE, "object": lib.OF_TYPE_OBJECT}


def text(pointer):
    return None if pointer == ffi.NULL else ffi.string(pointer).decode()


def value_of(python):
    """A value that the caller owns."""
    out = ffi.new("of_value **")
    encoded = json.dumps(python).encode()
    assert lib.of_value_from_json(encoded, len(encoded), out, ffi.NULL) == lib.OF_OK
    return out[0]


def python_of(value):
    encoded = lib.of_value_to_json(value)
    try:
        return json.loads(ffi.string(encoded))
    finally:
        lib.of_free(encoded)


def context_of(fields):
    context = lib.of_context_new(ffi.NULL)
    for key, field in fields.items():
        assert lib.of_context_set(context, key.encode(), value_of(field)) == lib.OF_OK
    return context


def fields_of(context):
    encoded = lib.of_context_to_json(context)
    try:
        return json.loads(ffi.string(encoded))
    finally:
        lib.of_free(encoded)


class FlagValue:
    """An of_flag_value, with what it points to."""

    def __init__(self, kind, python):
        self.c = ffi.new("of_flag_value *")
        self.kept = None
        if kind == "boolean":
            self.c.boolean = python
        elif kind == "integer":
            self.c.integer = python
        elif kind == "float":
            self.c.number = python
        elif kind == "string":
            self.kept = ffi.new("char[]", python.encode())
            self.c.string.data = self.kept
            self.c.string.length = len(python.encode())
        elif python is not None:
            self.kept = ffi.gc(value_of(python), lib.of_value_unref)
            self.c.object = self.kept


def flag_value(type_, value):
    """The Python value of an of_flag_value."""
    if type_ == lib.OF_TYPE_BOOL:
        return bool(value.boolean)
    if type_ == lib.OF_TYPE_INT:
        return value.integer
    if type_ == lib.OF_TYPE_DOUBLE:
        return value.number
    if type_ == lib.OF_TYPE_STRING:
        return ffi.buffer(value.string.data, value.string.length)[:].decode()
    return None if value.object == ffi.NULL else python_of(value.object)


class Details:
    """A copy of an of_details."""

    def __init__(self, details):
        self.flag_key = text(details.flag_key)
        self.value = flag_value(details.type, details.value)
        self.variant = text(details.variant)
        self.reason = text(details.reason)
        self.error_code = None if details.error == lib.OF_OK else text(lib.of_error_name(details.error))
        self.error_message = text(details.error_message)
        self.metadata = python_of(details.metadata)
        self.metadata_refuses = lib.of_value_set_int(ffi.cast("of_value *", details.metadata), b"x", 1) != lib.OF_OK


class Hook:
    """A hook that notes the stages it ran in, and may return a context."""

    def __init__(self, journal=None, name="", context=None):
        self.ran, self.details, self.journal, self.name = [], {}, journal, name

        def note(stage):
            self.ran.append(stage)
            if journal is not None:
                journal.append((stage, name))

        def before(_self, _hook_context, _hints, out):
            note("before")
            if context:
                out[0] = context_of(context)
            return lib.OF_OK

        def after(_self, _hook_context, details, _hints):
            note("after")
            self.details["after"] = Details(details)
            return lib.OF_OK

        def error(_self, _hook_context, _error, _message, _hints):
            note("error")

        def final(_self, _hook_context, details, _hints):
            note("finally")
            self.details["finally"] = Details(details)

        self.methods = ffi.new("of_hook_methods *", {"size": ffi.sizeof("of_hook_methods")})
        self.callbacks = {"before": before, "after": after, "error": error, "finally": final}
        for stage, function in self.callbacks.items():
            kind = ffi.typeof("of_hook_methods").fields
            kind = dict(kind)[stage].type
            self.callbacks[stage] = ffi.callback(kind, function)
            setattr(self.methods, stage, self.callbacks[stage])
        self.c = lib.of_hook_new(self.methods, ffi.NULL)


class Provider:
    """A provider written in Python: `resolve(key, type, default, context, resolution)` answers every type."""

    def __init__(self, name, resolve, init=None):
        fields = dict(ffi.typeof("of_provider_methods").fields)
        self.name = ffi.new("char[]", name.encode())
        self.methods = ffi.new("of_provider_methods *", {"size": ffi.sizeof("of_provider_methods"), "name": self.name})
        self.callbacks = []
        if init is not None:
            self._set(fields, "init", lambda _self, provider, _context, _domain: init(provider))
        for kind, slot in (("boolean", "bool"), ("string", "string"), ("integer", "int"), ("float", "double"),
                           ("object", "object")):
            self._set(fields, f"resolve_{slot}", self._resolver(kind, resolve))
        self.c = lib.of_provider_new(self.methods, ffi.NULL)

    def _set(self, fields, slot, function):
        callback = ffi.callback(fields[slot].type, function, error=lib.OF_ERROR_GENERAL)
        self.callbacks.append(callback)
        setattr(self.methods, slot, callback)

    @staticmethod
    def _resolver(kind, resolve):
        return lambda _self, key, default, context, resolution: resolve(text(key), kind, default, context, resolution)

# SPDX-License-Identifier: Apache-2.0
"""Each scenario has an API object of its own."""
from openfeature import ffi, lib

import flags


def before_scenario(context, scenario):
    context.api = lib.of_api_new()
    context.client = lib.of_api_client(context.api, ffi.NULL)
    context.cached = "reason-codes-cached" in scenario.effective_tags
    context.kept = []
    context.fields = {}
    context.hook = None
    context.options = ffi.NULL
    context.levels = {}
    context.provider = None
    context.flags = flags.load()


def after_scenario(context, _scenario):
    lib.of_client_unref(context.client)
    lib.of_api_unref(context.api)

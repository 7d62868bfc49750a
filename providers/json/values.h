/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values.h: between OpenFeature's values and JSON as jansson holds it, for providers that have both inside.
 * Pure; all memory is the caller's; any thread.
 */
#ifndef OFJ_VALUES_H
#define OFJ_VALUES_H

#include <stdbool.h>

#include <jansson.h>
#include <openfeature/value.h>

/* NULL without memory, or where it is nested too deeply for an of_value. NULL for JSON is null. */
of_value *ofj_value(const json_t *json);
/* Whether it is nested more deeply than an of_value may be: ofj_value() makes nothing of it, with any memory.
 */
bool ofj_too_deep(const json_t *json);
/* The members that metadata may have: booleans, strings and numbers. NULL without memory. */
of_value *ofj_metadata(const json_t *json);
/* A reference, NULL without memory. Datetimes become strings, numbers that JSON has not become null, and what
 * is not UTF-8 is repaired as of_value_to_json() does. */
json_t *ofj_json(const of_value *value);

#endif

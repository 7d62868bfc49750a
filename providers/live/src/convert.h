/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.h: between OpenFeature's values and JSON as jansson holds it. Pure; all memory is the caller's.
 */
#ifndef LIVE_CONVERT_H
#define LIVE_CONVERT_H

#include <jansson.h>
#include <openfeature/context.h>

/* NULL without memory, or where it is nested too deeply for an of_value. */
of_value *live_value_of_json(const json_t *json);
/* The members that metadata may have: booleans, strings and numbers. NULL without memory. */
of_value *live_metadata_of_json(const json_t *json);
/* A reference, NULL without memory. Datetimes become strings. */
json_t *live_json_of_value(const of_value *value);
/* The whole context as OFREP has it. */
json_t *live_json_of_context(const of_context *context);
/* Whether the two have the same fields. */
bool live_context_equal(const of_context *a, const of_context *b);

#endif

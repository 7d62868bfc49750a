/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c: see convert.h.
 */
#include "convert.h"

#include <openfeature/json.h>
#include <openfeature/memory.h>

json_t *live_json_of_context(const of_context *context)
{
    char *text = of_context_to_json(context);
    json_t *json = text == NULL ? NULL : json_loads(text, JSON_ALLOW_NUL, NULL);
    of_free(text);
    return json;
}

bool live_context_equal(const of_context *a, const of_context *b)
{
    if (a == b) {
        return true;
    }
    if (of_context_count(a) != of_context_count(b)) {
        return false;
    }
    size_t cursor = 0;
    const char *key;
    const of_value *value;
    while (of_context_next(a, &cursor, &key, &value)) {
        if (!of_value_equal(value, of_context_get(b, key))) {
            return false;
        }
    }
    return true;
}

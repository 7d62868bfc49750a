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

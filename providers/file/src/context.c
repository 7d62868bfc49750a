/* SPDX-License-Identifier: Apache-2.0 */
/*
 * context.c: what rules see of a context. Pure.
 */
#include "file.h"

#include <string.h>

#include "values.h"

/* As in the daemon; a program names the actor itself, as a credential that may evaluate anybody does. */
static bool is_reserved(const char *name)
{
    static const char *const reserved[] = {"facts", "claims", "decision", "rank"};
    for (size_t i = 0; i < sizeof reserved / sizeof reserved[0]; i++) {
        if (strcmp(name, reserved[i]) == 0) {
            return true;
        }
    }
    return name[0] == '$';
}

json_t *json_of_context(const of_context *context)
{
    const char *key;
    const of_value *value;
    json_t *object = json_object();
    for (size_t cursor = 0; object != NULL && of_context_next(context, &cursor, &key, &value);) {
        if (!is_reserved(key) && json_object_set_new(object, key, ofj_json(value)) != 0) {
            json_decref(object);
            return NULL;
        }
    }
    return object;
}

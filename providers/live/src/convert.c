/* SPDX-License-Identifier: Apache-2.0 */
/*
 * convert.c: see convert.h.
 */
#include "convert.h"

#include <string.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

static of_value *convert(const json_t *json, unsigned depth);

static of_value *convert_list(const json_t *json, unsigned depth)
{
    of_value *list = of_value_list();
    for (size_t i = 0; list != NULL && i < json_array_size(json); i++) {
        if (of_value_append(list, convert(json_array_get(json, i), depth)) != OF_OK) {
            of_value_unref(list);
            return NULL;
        }
    }
    return list;
}

/* jansson's iterators take what they do not change as changeable. */
static json_t *changeable(const json_t *json)
{
    union {
        const json_t *seen;
        json_t *json;
    } cast = {.seen = json};
    return cast.json;
}

static of_value *convert_object(const json_t *json, unsigned depth, bool flat)
{
    of_value *object = of_value_object();
    for (void *at = json_object_iter(changeable(json)); object != NULL && at != NULL;
         at = json_object_iter_next(changeable(json), at)) {
        const json_t *member = json_object_iter_value(at);
        if (flat && (json_is_object(member) || json_is_array(member) || json_is_null(member))) {
            continue;
        }
        if (of_value_set(object, json_object_iter_key(at), convert(member, depth)) != OF_OK) {
            of_value_unref(object);
            return NULL;
        }
    }
    return object;
}

static of_value *convert(const json_t *json, unsigned depth)
{
    if (depth > OF_VALUE_MAX_DEPTH) {
        return NULL;
    }
    switch (json == NULL ? JSON_NULL : json_typeof(json)) {
    case JSON_OBJECT:
        return convert_object(json, depth + 1, false);
    case JSON_ARRAY:
        return convert_list(json, depth + 1);
    case JSON_STRING:
        return of_value_string_n(json_string_value(json), json_string_length(json));
    case JSON_INTEGER:
        return of_value_int(json_integer_value(json));
    case JSON_REAL:
        return of_value_double(json_real_value(json));
    case JSON_TRUE:
        return of_value_bool(true);
    case JSON_FALSE:
        return of_value_bool(false);
    case JSON_NULL:
    default:
        return of_value_null();
    }
}

of_value *live_value_of_json(const json_t *json)
{
    return convert(json, 0);
}

of_value *live_metadata_of_json(const json_t *json)
{
    return convert_object(json, 0, true);
}

static json_t *parse(char *text)
{
    json_t *json = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    of_free(text);
    return json;
}

json_t *live_json_of_value(const of_value *value)
{
    return parse(of_value_to_json(value));
}

json_t *live_json_of_context(const of_context *context)
{
    return parse(of_context_to_json(context));
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

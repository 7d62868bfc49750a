/* SPDX-License-Identifier: Apache-2.0 */
/*
 * values.c: see values.h.
 */
#include "values.h"

#include <math.h>
#include <string.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

/* jansson's iterators take what they do not change as changeable. */
static json_t *changeable(const json_t *json)
{
    union {
        const json_t *seen;
        json_t *json;
    } cast = {.seen = json};
    return cast.json;
}

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

/* `room` is how many lists and objects may stand in each other from here on. */
static bool deeper_than(const json_t *json, unsigned room)
{
    if (!json_is_object(json) && !json_is_array(json)) {
        return false;
    }
    bool deeper = room == 0;
    for (size_t i = 0; !deeper && i < json_array_size(json); i++) {
        deeper = deeper_than(json_array_get(json, i), room - 1);
    }
    for (void *at = json_object_iter(changeable(json)); !deeper && at != NULL;
         at = json_object_iter_next(changeable(json), at)) {
        deeper = deeper_than(json_object_iter_value(at), room - 1);
    }
    return deeper;
}

bool ofj_too_deep(const json_t *json)
{
    return deeper_than(json, OF_VALUE_MAX_DEPTH);
}

of_value *ofj_value(const json_t *json)
{
    return convert(json, 0);
}

of_value *ofj_metadata(const json_t *json)
{
    return convert_object(json, 0, true);
}

/* The long way: for moments, and for text that is not UTF-8, which the library's writer repairs. */
static json_t *json_by_text(const of_value *value)
{
    char *text = of_value_to_json(value);
    json_t *json = text == NULL ? NULL : json_loads(text, JSON_DECODE_ANY | JSON_ALLOW_NUL, NULL);
    of_free(text);
    return json;
}

static json_t *json_of_list(const of_value *list)
{
    json_t *array = json_array();
    for (size_t i = 0; array != NULL && i < of_value_length(list); i++) {
        if (json_array_append_new(array, ofj_json(of_value_at(list, i))) != 0) {
            json_decref(array);
            return NULL;
        }
    }
    return array;
}

static json_t *json_of_object(const of_value *value)
{
    const char *key;
    const of_value *member;
    json_t *object = json_object();
    for (size_t cursor = 0; object != NULL && of_value_next(value, &cursor, &key, &member);) {
        if (json_object_set_new(object, key, ofj_json(member)) != 0) {
            json_decref(object);
            return json_by_text(value); /* a key that is not UTF-8, perhaps */
        }
    }
    return object;
}

json_t *ofj_json(const of_value *value)
{
    switch (of_value_type(value)) {
    case OF_TYPE_BOOL:
        return json_boolean(of_value_as_bool(value, false));
    case OF_TYPE_INT:
        return json_integer(of_value_as_int(value, 0));
    case OF_TYPE_DOUBLE: {
        double number = of_value_as_double(value, 0);
        return isfinite(number) ? json_real(number) : json_null();
    }
    case OF_TYPE_STRING: {
        json_t *string = json_stringn(of_value_as_string(value, ""), of_value_length(value));
        return string == NULL ? json_by_text(value) : string;
    }
    case OF_TYPE_DATETIME:
        return json_by_text(value);
    case OF_TYPE_LIST:
        return json_of_list(value);
    case OF_TYPE_OBJECT:
        return json_of_object(value);
    case OF_TYPE_NULL:
    default:
        return json_null();
    }
}

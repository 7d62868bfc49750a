/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values inside rules: from JSON, to JSON, and what both kinds of array have in common. Knows nothing of
 * rules.
 */
#include <math.h>
#include <string.h>
#include "core/value.h"
#include "core/json.h"

struct fs_value fs_value_from_json(const json_t *json)
{
    struct fs_value value = {.kind = FS_NULL};
    switch (json ? json_typeof(json) : JSON_NULL) {
    case JSON_NULL:
        break;
    case JSON_TRUE:
    case JSON_FALSE:
        value.kind = FS_BOOL;
        value.boolean = json_is_true(json);
        break;
    case JSON_INTEGER:
    case JSON_REAL:
        value.kind = FS_NUMBER;
        value.number = json_number_value(json);
        break;
    case JSON_STRING:
        value.kind = FS_STRING;
        value.string = (struct fs_str){json_string_value(json), json_string_length(json)};
        break;
    case JSON_ARRAY:
    case JSON_OBJECT:
        value.kind = FS_JSON;
        value.json = json;
        break;
    }
    return value;
}

static json_t *number_to_json(double number)
{
    if (!isfinite(number))
        return json_null();
    if (number == floor(number) && fabs(number) <= 9007199254740992.0)
        return json_integer((json_int_t)number);
    return json_real(number);
}

json_t *fs_value_to_json(struct fs_value value)
{
    switch (value.kind) {
    case FS_BOOL:
        return json_boolean(value.boolean);
    case FS_NUMBER:
        return number_to_json(value.number);
    case FS_STRING:
        return json_stringn(value.string.ptr, value.string.len);
    case FS_JSON:
        return fs_json_share(value.json);
    case FS_LIST: {
        json_t *array = json_array();
        for (size_t i = 0; i < value.list.count; i++)
            json_array_append_new(array, fs_value_to_json(value.list.items[i]));
        return array;
    }
    case FS_NULL:
    case FS_FAILED:
        break;
    }
    return json_null();
}

bool fs_value_is_array(struct fs_value value)
{
    return value.kind == FS_LIST || (value.kind == FS_JSON && json_is_array(value.json));
}

size_t fs_value_count(struct fs_value array)
{
    return array.kind == FS_LIST ? array.list.count : json_array_size(array.json);
}

struct fs_value fs_value_at(struct fs_value array, size_t index)
{
    if (array.kind == FS_LIST)
        return array.list.items[index];
    return fs_value_from_json(json_array_get(array.json, index));
}

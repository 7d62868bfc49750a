/* SPDX-License-Identifier: Apache-2.0 */
/* Reading values. Nothing here allocates or changes anything. */
#include "value_impl.h"

#include <string.h>

/* Doubles hold every integer up to here (2^53). */
static const int64_t EXACT = INT64_C(9007199254740992);

of_type of_value_type(const of_value *value)
{
    return value == NULL ? OF_TYPE_NULL : (of_type)value->type;
}

bool of_value_as_bool(const of_value *value, bool otherwise)
{
    return of_value_type(value) == OF_TYPE_BOOL ? value->as.boolean : otherwise;
}

int64_t of_value_as_int(const of_value *value, int64_t otherwise)
{
    if (of_value_type(value) == OF_TYPE_INT)
        return value->as.integer;
    if (of_value_type(value) != OF_TYPE_DOUBLE)
        return otherwise;
    double number = value->as.number;
    if (!(number >= -0x1p63 && number < 0x1p63))
        return otherwise;
    int64_t integer = (int64_t)number;
    return (double)integer == number ? integer : otherwise;
}

double of_value_as_double(const of_value *value, double otherwise)
{
    if (of_value_type(value) == OF_TYPE_DOUBLE)
        return value->as.number;
    if (of_value_type(value) != OF_TYPE_INT || value->as.integer > EXACT || value->as.integer < -EXACT)
        return otherwise;
    return (double)value->as.integer;
}

const char *of_value_as_string(const of_value *value, const char *otherwise)
{
    return of_value_type(value) == OF_TYPE_STRING ? value->as.string.data : otherwise;
}

of_datetime of_value_as_datetime(const of_value *value, of_datetime otherwise)
{
    return of_value_type(value) == OF_TYPE_DATETIME ? value->as.moment : otherwise;
}

size_t of_value_length(const of_value *value)
{
    switch (of_value_type(value)) {
    case OF_TYPE_STRING:
        return value->as.string.length;
    case OF_TYPE_LIST:
        return value->as.list.count;
    case OF_TYPE_OBJECT:
        return value->as.object.count;
    case OF_TYPE_NULL:
    case OF_TYPE_BOOL:
    case OF_TYPE_INT:
    case OF_TYPE_DOUBLE:
    case OF_TYPE_DATETIME:
    default:
        return 0;
    }
}

const of_value *of_value_at(const of_value *list, size_t index)
{
    if (of_value_type(list) != OF_TYPE_LIST || index >= list->as.list.count)
        return NULL;
    return list->as.list.items[index];
}

const of_value *of_value_get(const of_value *object, const char *key)
{
    if (of_value_type(object) != OF_TYPE_OBJECT || key == NULL)
        return NULL;
    return ofi_map_get(&object->as.object, key);
}

bool of_value_next(const of_value *object, size_t *cursor, const char **key, const of_value **member)
{
    if (of_value_type(object) != OF_TYPE_OBJECT || cursor == NULL || *cursor >= object->as.object.count)
        return false;
    const struct ofi_entry *entry = &object->as.object.entries[(*cursor)++];
    if (key != NULL)
        *key = entry->key;
    if (member != NULL)
        *member = entry->value;
    return true;
}

static bool lists_equal(const of_value *a, const of_value *b)
{
    for (size_t i = 0; i < a->as.list.count; i++)
        if (!of_value_equal(a->as.list.items[i], b->as.list.items[i]))
            return false;
    return true;
}

static bool objects_equal(const of_value *a, const of_value *b)
{
    for (size_t i = 0; i < a->as.object.count; i++) {
        const struct ofi_entry *entry = &a->as.object.entries[i];
        const of_value *other = ofi_map_get(&b->as.object, entry->key);
        if (other == NULL || !of_value_equal(entry->value, other))
            return false;
    }
    return true;
}

bool of_value_equal(const of_value *a, const of_value *b)
{
    of_type type = of_value_type(a);
    if (a == b)
        return true;
    if (type != of_value_type(b) || of_value_length(a) != of_value_length(b))
        return false;
    switch (type) {
    case OF_TYPE_NULL:
        return true;
    case OF_TYPE_BOOL:
        return a->as.boolean == b->as.boolean;
    case OF_TYPE_INT:
        return a->as.integer == b->as.integer;
    case OF_TYPE_DOUBLE:
        return a->as.number == b->as.number;
    case OF_TYPE_STRING:
        return memcmp(a->as.string.data, b->as.string.data, a->as.string.length) == 0;
    case OF_TYPE_DATETIME:
        return a->as.moment.seconds == b->as.moment.seconds &&
               a->as.moment.nanoseconds == b->as.moment.nanoseconds &&
               a->as.moment.offset_minutes == b->as.moment.offset_minutes;
    case OF_TYPE_LIST:
        return lists_equal(a, b);
    case OF_TYPE_OBJECT:
        return objects_equal(a, b);
    default:
        return false;
    }
}

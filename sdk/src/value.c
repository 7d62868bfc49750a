/* SPDX-License-Identifier: Apache-2.0 */
/* Values: making, counting and changing them. Reading is in value_read.c. */
#include "value_impl.h"

#include <string.h>

#include "memory_impl.h"

static struct of_value null_value = {.refs = OFI_IMMORTAL, .type = OF_TYPE_NULL};
static struct of_value true_value = {.refs = OFI_IMMORTAL, .type = OF_TYPE_BOOL, .as.boolean = true};
static struct of_value false_value = {.refs = OFI_IMMORTAL, .type = OF_TYPE_BOOL, .as.boolean = false};
struct of_value ofi_empty_object = {.refs = OFI_IMMORTAL, .type = OF_TYPE_OBJECT, .depth = 1};

static of_value *make(of_type type, size_t extra)
{
    if (extra > SIZE_MAX - sizeof(of_value))
        return NULL;
    of_value *value = of_alloc(sizeof *value + extra);
    if (value == NULL)
        return NULL;
    memset(value, 0, sizeof *value);
    atomic_init(&value->refs, 1);
    value->type = (uint8_t)type;
    return value;
}

of_value *of_value_null(void)
{
    return &null_value;
}

of_value *of_value_bool(bool boolean)
{
    return boolean ? &true_value : &false_value;
}

of_value *of_value_int(int64_t integer)
{
    of_value *value = make(OF_TYPE_INT, 0);
    if (value != NULL)
        value->as.integer = integer;
    return value;
}

of_value *of_value_double(double number)
{
    of_value *value = make(OF_TYPE_DOUBLE, 0);
    if (value != NULL)
        value->as.number = number;
    return value;
}

of_value *of_value_string_n(const char *string, size_t length)
{
    if (string == NULL)
        return of_value_null();
    of_value *value = length == SIZE_MAX ? NULL : make(OF_TYPE_STRING, length + 1);
    if (value == NULL)
        return NULL;
    value->as.string.data = (char *)(value + 1);
    value->as.string.length = length;
    if (length > 0)
        memcpy(value->as.string.data, string, length);
    value->as.string.data[length] = '\0';
    return value;
}

of_value *of_value_string(const char *string)
{
    return of_value_string_n(string, string == NULL ? 0 : strlen(string));
}

of_value *of_value_datetime(of_datetime moment)
{
    if (moment.nanoseconds < 0 || moment.nanoseconds > 999999999)
        return NULL;
    of_value *value = make(OF_TYPE_DATETIME, 0);
    if (value != NULL)
        value->as.moment = moment;
    return value;
}

static of_value *make_container(of_type type)
{
    of_value *value = make(type, 0);
    if (value != NULL)
        value->depth = 1;
    return value;
}

of_value *of_value_list(void)
{
    return make_container(OF_TYPE_LIST);
}

of_value *of_value_object(void)
{
    return make_container(OF_TYPE_OBJECT);
}

of_value *of_value_ref(const of_value *value)
{
    if (value == NULL)
        return NULL;
    /* The count is not part of what const promises. */
    of_value *counted = (of_value *)(uintptr_t)value;
    if (atomic_load_explicit(&counted->refs, memory_order_relaxed) != OFI_IMMORTAL)
        atomic_fetch_add_explicit(&counted->refs, 1, memory_order_relaxed);
    return counted;
}

void of_value_unref(of_value *value)
{
    if (value == NULL || atomic_load_explicit(&value->refs, memory_order_relaxed) == OFI_IMMORTAL)
        return;
    if (atomic_fetch_sub_explicit(&value->refs, 1, memory_order_acq_rel) != 1)
        return;
    if (value->type == OF_TYPE_LIST) {
        for (size_t i = 0; i < value->as.list.count; i++)
            of_value_unref(value->as.list.items[i]);
        of_free(value->as.list.items);
    } else if (value->type == OF_TYPE_OBJECT) {
        ofi_map_finish(&value->as.object);
    }
    of_free(value);
}

bool ofi_value_is_sole(const of_value *value)
{
    return atomic_load_explicit(&value->refs, memory_order_acquire) == 1;
}

/* Whether `value` may be put into `into`, and what the depth of that becomes. */
static of_error check_insert(const of_value *into, of_type type, const of_value *value, uint8_t *depth)
{
    if (into == NULL || into->type != type || into == value)
        return OF_ERROR_INVALID_ARGUMENT;
    if (!ofi_value_is_sole(into))
        return OF_ERROR_SHARED;
    if (value == NULL)
        return OF_ERROR_NO_MEMORY;
    if (value->depth >= OF_VALUE_MAX_DEPTH)
        return OF_ERROR_TOO_DEEP;
    *depth = into->depth > value->depth ? into->depth : (uint8_t)(value->depth + 1);
    return OF_OK;
}

of_error of_value_append(of_value *list, of_value *value)
{
    uint8_t depth = 0;
    of_error error = check_insert(list, OF_TYPE_LIST, value, &depth);
    if (error != OF_OK)
        goto fail;
    if (list->as.list.count == list->as.list.capacity) {
        size_t capacity = list->as.list.capacity == 0 ? 4 : list->as.list.capacity * 2;
        of_value **items = ofi_realloc(list->as.list.items, capacity, sizeof(of_value *));
        error = OF_ERROR_NO_MEMORY;
        if (items == NULL)
            goto fail;
        list->as.list.items = items;
        list->as.list.capacity = capacity;
    }
    list->as.list.items[list->as.list.count++] = value;
    list->depth = depth;
    return OF_OK;
fail:
    of_value_unref(value);
    return error;
}

of_error of_value_set(of_value *object, const char *key, of_value *value)
{
    uint8_t depth = 0;
    of_error error =
        key == NULL ? OF_ERROR_INVALID_ARGUMENT : check_insert(object, OF_TYPE_OBJECT, value, &depth);
    if (error != OF_OK) {
        of_value_unref(value);
        return error;
    }
    error = ofi_map_set(&object->as.object, key, value);
    if (error == OF_OK)
        object->depth = depth;
    return error;
}

of_error of_value_set_bool(of_value *object, const char *key, bool boolean)
{
    return of_value_set(object, key, of_value_bool(boolean));
}

of_error of_value_set_int(of_value *object, const char *key, int64_t integer)
{
    return of_value_set(object, key, of_value_int(integer));
}

of_error of_value_set_double(of_value *object, const char *key, double number)
{
    return of_value_set(object, key, of_value_double(number));
}

of_error of_value_set_string(of_value *object, const char *key, const char *string)
{
    return of_value_set(object, key, of_value_string(string));
}

of_error of_value_remove(of_value *object, const char *key)
{
    if (object == NULL || key == NULL || object->type != OF_TYPE_OBJECT)
        return OF_ERROR_INVALID_ARGUMENT;
    if (!ofi_value_is_sole(object))
        return OF_ERROR_SHARED;
    ofi_map_remove(&object->as.object, key);
    return OF_OK;
}

of_value *of_value_copy(const of_value *value)
{
    of_type type = of_value_type(value);
    if (type != OF_TYPE_LIST && type != OF_TYPE_OBJECT)
        return value == NULL ? of_value_null() : of_value_ref(value);
    of_value *copy = make_container(type);
    if (copy == NULL)
        return NULL;
    of_error error = OF_OK;
    if (type == OF_TYPE_OBJECT)
        error = ofi_map_add(&copy->as.object, &value->as.object);
    for (size_t i = 0; type == OF_TYPE_LIST && error == OF_OK && i < value->as.list.count; i++)
        error = of_value_append(copy, of_value_ref(value->as.list.items[i]));
    copy->depth = value->depth;
    if (error == OF_OK)
        return copy;
    of_value_unref(copy);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * answer.c: what a server says of one flag (OFREP 0.3, evaluation success and failure), as an evaluation
 * takes it.
 */
#include <string.h>
#include <openfeature/memory.h>

#include "ofrep.h"

static bool is_scalar(const of_value *value)
{
    of_type type = of_value_type(value);
    return type == OF_TYPE_BOOL || type == OF_TYPE_INT || type == OF_TYPE_DOUBLE || type == OF_TYPE_STRING;
}

/* OpenFeature's metadata has no members with members. */
static bool take_metadata(struct item *item)
{
    const of_value *given = of_value_get(item->flag, "metadata"), *member;
    size_t cursor = 0;
    const char *key;
    bool plain = true;
    if (of_value_type(given) != OF_TYPE_OBJECT) {
        return true;
    }
    while (of_value_next(given, &cursor, NULL, &member)) {
        plain = plain && is_scalar(member);
    }
    if (plain) {
        item->metadata = of_value_ref(given);
        return true;
    }
    item->metadata = of_value_object();
    for (cursor = 0; of_value_next(given, &cursor, &key, &member);) {
        if (is_scalar(member) && of_value_set(item->metadata, key, of_value_ref(member)) != OF_OK) {
            return false;
        }
    }
    return item->metadata != NULL;
}

struct item *item_new(const of_value *flag)
{
    if (of_value_type(flag) != OF_TYPE_OBJECT) {
        return NULL;
    }
    struct item *item = of_alloc(sizeof *item);
    if (item == NULL) {
        return NULL;
    }
    memset(item, 0, sizeof *item);
    atomic_init(&item->refs, 1);
    item->flag = of_value_ref(flag);
    item->key = of_value_as_string(of_value_get(flag, "key"), "");
    if (!take_metadata(item)) {
        item_unref(item);
        return NULL;
    }
    return item;
}

struct item *item_ref(struct item *item)
{
    atomic_fetch_add_explicit(&item->refs, 1, memory_order_relaxed);
    return item;
}

void item_unref(void *owner)
{
    struct item *item = owner;
    if (item != NULL && atomic_fetch_sub_explicit(&item->refs, 1, memory_order_acq_rel) == 1) {
        of_value_unref(item->metadata);
        of_value_unref(item->flag);
        of_free(item);
    }
}

bool item_equal(const struct item *a, const struct item *b)
{
    return of_value_equal(a->flag, b->flag);
}

of_error error_named(const char *name)
{
    for (int i = OF_ERROR_PROVIDER_NOT_READY; name != NULL && i <= OF_ERROR_GENERAL; i++) {
        if (strcmp(of_error_name((of_error)i), name) == 0) {
            return (of_error)i;
        }
    }
    return OF_ERROR_GENERAL;
}

static bool put_value(const of_value *value, of_type type, of_flag_value *out)
{
    of_type given = of_value_type(value);
    bool number = given == OF_TYPE_INT || given == OF_TYPE_DOUBLE;
    switch (type) {
    case OF_TYPE_BOOL:
        out->boolean = of_value_as_bool(value, false);
        return given == OF_TYPE_BOOL;
    case OF_TYPE_INT:
        /* 5.0 is an integer to JSON; 5.5 is none, and the two answers for "none" tell. */
        out->integer = of_value_as_int(value, 0);
        return number && of_value_as_int(value, 1) == out->integer;
    case OF_TYPE_DOUBLE:
        out->number = of_value_as_double(value, 0);
        return number && (out->number != 0 || of_value_as_double(value, 1) == 0);
    case OF_TYPE_STRING:
        out->string.data = of_value_as_string(value, NULL);
        out->string.length = of_value_length(value);
        return given == OF_TYPE_STRING;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        out->object = value;
        return given == OF_TYPE_OBJECT || given == OF_TYPE_LIST;
    }
}

of_error item_answer(struct item *item, of_type type, const of_flag_value *otherwise,
                     of_resolution *resolution)
{
    const char *code = of_value_as_string(of_value_get(item->flag, "errorCode"), NULL);
    const of_value *value = of_value_get(item->flag, "value");
    of_error error = OF_OK;
    if (code != NULL) {
        error = error_named(code);
    } else if (value == NULL) {
        resolution->value = *otherwise; /* OFREP's ADR 0006: the code's default applies */
    } else if (!put_value(value, type, &resolution->value)) {
        resolution->error_message = "the flag is of another type";
        return OF_ERROR_TYPE_MISMATCH;
    }
    if (resolution->brief) {
        return error;
    }
    resolution->variant = of_value_as_string(of_value_get(item->flag, "variant"), NULL);
    resolution->reason = of_value_as_string(of_value_get(item->flag, "reason"), OF_REASON_UNKNOWN);
    resolution->metadata = item->metadata;
    if (error != OF_OK) {
        resolution->error_message = of_value_as_string(of_value_get(item->flag, "errorDetails"), code);
    }
    resolution->owner = item_ref(item);
    resolution->release = item_unref;
    return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.c: reads one flag. Texts that recur are shared with all flags (words.h), the others are copied behind
 * it, which takes a fifth of the memory that its JSON object takes; of that it keeps what stays JSON: an
 * object's values, and the metadata.
 */
#include "flag.h"

#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "words.h"

struct held_flag {
    struct fsw_flag flag; /* first: what the world sees */
    atomic_uint refs;
    char texts[];
};

/* The reference count is the one part of a flag that is written after it was made. */
static struct held_flag *held(const struct fsw_flag *flag)
{
    union {
        const struct fsw_flag *seen;
        struct held_flag *held;
    } cast = {.seen = flag};
    return cast.held;
}

const struct fsw_flag *fsw_flag_ref(const struct fsw_flag *flag)
{
    if (flag != NULL) {
        atomic_fetch_add_explicit(&held(flag)->refs, 1, memory_order_relaxed);
    }
    return flag;
}

/* References to JSON are counted through pointers to const, since a flag shows it to others. */
static json_t *counted(const json_t *json)
{
    union {
        const json_t *seen;
        json_t *counted;
    } cast = {.seen = json};
    return cast.counted;
}

void fsw_flag_unref(const struct fsw_flag *flag)
{
    if (flag == NULL || atomic_fetch_sub_explicit(&held(flag)->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    if (flag->type == FSW_OBJECT) {
        json_decref(counted(flag->value.as.object));
        json_decref(counted(flag->safe.as.object));
    }
    json_decref(counted(flag->metadata));
    free(held(flag));
}

static bool read_type(const char *name, enum fsw_type *type)
{
    static const char *const names[] = {[FSW_BOOLEAN] = "boolean",
                                        [FSW_STRING] = "string",
                                        [FSW_INTEGER] = "integer",
                                        [FSW_FLOAT] = "float",
                                        [FSW_OBJECT] = "object"};
    for (size_t i = 0; name != NULL && i < sizeof names / sizeof *names; i++) {
        if (strcmp(name, names[i]) == 0) {
            *type = (enum fsw_type)i;
            return true;
        }
    }
    return false;
}

/* An integer may be written as 5.0: JSON does not know the difference. */
static bool read_integer(const json_t *json, int64_t *out)
{
    if (json_is_real(json)) {
        double number = json_real_value(json);
        if (floor(number) < number || fabs(number) > (double)FSW_INTEGER_MAX) {
            return false;
        }
        *out = (int64_t)number;
        return true;
    }
    *out = json_integer_value(json);
    return json_is_integer(json) && *out <= FSW_INTEGER_MAX && *out >= -FSW_INTEGER_MAX;
}

static bool read_value(const json_t *json, enum fsw_type type, struct fsw_value *out)
{
    switch (type) {
    case FSW_BOOLEAN:
        out->as.boolean = json_is_true(json);
        return json_is_boolean(json);
    case FSW_STRING:
        out->as.string = json_string_value(json);
        return json_is_string(json);
    case FSW_INTEGER:
        return read_integer(json, &out->as.integer);
    case FSW_FLOAT:
        out->as.number = json_number_value(json);
        return json_is_number(json);
    case FSW_OBJECT:
        out->as.object = json;
        return json_is_object(json) || json_is_array(json);
    }
    return false;
}

static const char *text(const json_t *object, const char *member)
{
    return json_string_value(json_object_get(object, member));
}

static bool read_safe(const json_t *json, struct fsw_flag *flag)
{
    const json_t *safe = json_object_get(json, "safe");
    if (safe == NULL) {
        return true;
    }
    flag->access = true;
    flag->safe_variant = text(safe, "variant");
    return flag->has_value && flag->safe_variant != NULL &&
           read_value(json_object_get(safe, "value"), flag->type, &flag->safe);
}

static bool read_flag(const json_t *json, struct fsw_flag *flag)
{
    flag->key = text(json, "key");
    flag->reason = text(json, "reason");
    if (flag->key == NULL || flag->reason == NULL || !read_type(text(json, "type"), &flag->type)) {
        return false;
    }
    const json_t *value = json_object_get(json, "value");
    if (value != NULL) {
        flag->has_value = true;
        flag->variant = text(json, "variant");
        if (flag->variant == NULL || !read_value(value, flag->type, &flag->value)) {
            return false;
        }
    }
    const json_t *cause = json_object_get(json, "cause");
    flag->cause.kind = text(cause, "kind");
    flag->cause.time = text(cause, "time");
    json_int_t entry = json_integer_value(json_object_get(cause, "entry"));
    flag->cause.entry = entry > 0 ? (uint64_t)entry : 0;
    flag->metadata = json_object_get(json, "metadata");
    if (!json_is_object(flag->metadata)) {
        flag->metadata = NULL;
    }
    const json_t *error = json_object_get(json, "error");
    flag->error_code = text(error, "code");
    flag->error_message = flag->error_code == NULL ? NULL : text(error, "message");
    if (flag->error_code != NULL && flag->error_message == NULL) {
        flag->error_message = "";
    }
    return read_safe(json, flag);
}

enum { TEXTS = 10 };

/* Where a flag has texts that are to be its own. */
static size_t list_texts(struct fsw_flag *flag, const char **places[TEXTS])
{
    const char **all[TEXTS] = {&flag->key,        &flag->reason,     &flag->variant,    &flag->safe_variant,
                               &flag->cause.kind, &flag->cause.time, &flag->error_code, &flag->error_message};
    size_t count = 0, most = TEXTS - 2;
    if (flag->type == FSW_STRING) {
        all[most++] = &flag->value.as.string;
        all[most++] = &flag->safe.as.string;
    }
    for (size_t i = 0; i < most; i++) {
        if (*all[i] != NULL && ofw_number(*all[i]) == 0) {
            places[count++] = all[i];
        }
    }
    return count;
}

static void share_words(struct fsw_flag *flag)
{
    const char **places[] = {&flag->reason, &flag->variant, &flag->safe_variant, &flag->cause.kind};
    for (size_t i = 0; i < sizeof places / sizeof *places; i++) {
        const char *word = ofw_word(*places[i]);
        *places[i] = word == NULL ? *places[i] : word;
    }
}

/* A flag that needs the JSON it was read from no more. */
static struct held_flag *hold(struct fsw_flag *read)
{
    const char **places[TEXTS];
    share_words(read);
    size_t size = 0, count = list_texts(read, places);
    for (size_t i = 0; i < count; i++) {
        size += strlen(*places[i]) + 1;
    }
    struct held_flag *new = malloc(sizeof *new + size);
    if (new == NULL) {
        return NULL;
    }
    char *to = new->texts;
    for (size_t i = 0; i < count; i++) {
        size_t length = strlen(*places[i]) + 1;
        memcpy(to, *places[i], length);
        *places[i] = to;
        to += length;
    }
    if (read->type == FSW_OBJECT) {
        json_incref(counted(read->value.as.object));
        json_incref(counted(read->safe.as.object));
    }
    json_incref(counted(read->metadata));
    new->flag = *read;
    atomic_init(&new->refs, 1);
    return new;
}

enum fsw_outcome fsw_flag_parse(const json_t *json, const struct fsw_flag **out)
{
    struct fsw_flag read;
    memset(&read, 0, sizeof read);
    if (!json_is_object(json) || !read_flag(json, &read)) {
        return FSW_BAD;
    }
    struct held_flag *new = hold(&read);
    if (new == NULL) {
        return FSW_NO_MEMORY;
    }
    *out = &new->flag;
    return FSW_OK;
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a != NULL && b != NULL && strcmp(a, b) == 0);
}

static bool same_value(enum fsw_type type, const struct fsw_value *a, const struct fsw_value *b)
{
    switch (type) {
    case FSW_BOOLEAN:
        return a->as.boolean == b->as.boolean;
    case FSW_STRING:
        return strcmp(a->as.string, b->as.string) == 0;
    case FSW_INTEGER:
        return a->as.integer == b->as.integer;
    case FSW_FLOAT:
        return !(a->as.number < b->as.number) && !(a->as.number > b->as.number);
    case FSW_OBJECT:
        return json_equal(a->as.object, b->as.object) == 1;
    }
    return false;
}

bool fsw_flag_differs(const struct fsw_flag *a, const struct fsw_flag *b)
{
    return a->type != b->type || a->has_value != b->has_value || a->access != b->access ||
           (a->has_value && !same_value(a->type, &a->value, &b->value)) ||
           !same_text(a->variant, b->variant) || !same_text(a->reason, b->reason) ||
           (a->access &&
            (!same_value(a->type, &a->safe, &b->safe) || !same_text(a->safe_variant, b->safe_variant))) ||
           !same_text(a->error_code, b->error_code) || !same_text(a->error_message, b->error_message);
}

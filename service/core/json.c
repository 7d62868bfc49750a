/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The canonical form of JSON, reading with limits, equality by value. Everything that has an identity
 * (contexts, questions, flag sets) is hashed in this form. In the spirit of RFC 8785, but with keys in byte
 * order of UTF-8.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"

#define FS_JSON_DEPTH                                                                                        \
    1000 /* nothing that fs_json_read() lets in is deeper; guards the stack against what is built */

struct member {
    const char *key;
    size_t length;
    const json_t *value;
};

static int by_key(const void *a, const void *b)
{
    const struct member *x = a, *y = b;
    size_t common = x->length < y->length ? x->length : y->length;
    int order = memcmp(x->key, y->key, common);
    return order ? order : (x->length > y->length) - (x->length < y->length);
}

static bool add_value(struct fs_buf *out, const json_t *value, int depth);

static struct member *sorted_members(const json_t *object, struct member *few, size_t few_count)
{
    size_t count = json_object_size(object), i = 0;
    struct member *members = count <= few_count ? few : fs_calloc(count, sizeof *members);
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = object}; /* jansson's iterators take a non-const object and do not change it */
    for (void *it = json_object_iter(same.iterated); it; it = json_object_iter_next(same.iterated, it))
        members[i++] = (struct member){json_object_iter_key(it), json_object_iter_key_len(it),
                                       json_object_iter_value(it)};
    qsort(members, count, sizeof *members, by_key);
    return members;
}

static bool add_object(struct fs_buf *out, const json_t *object, int depth)
{
    struct member few[16];
    size_t count = json_object_size(object);
    struct member *members = sorted_members(object, few, 16);
    fs_buf_addc(out, '{');
    for (size_t i = 0; i < count && !out->failed; i++) {
        if (i)
            fs_buf_addc(out, ',');
        fs_buf_add_json_string(out, members[i].key, members[i].length);
        fs_buf_addc(out, ':');
        add_value(out, members[i].value, depth + 1);
    }
    if (members != few)
        fs_free(members);
    return fs_buf_addc(out, '}');
}

static bool add_array(struct fs_buf *out, const json_t *array, int depth)
{
    fs_buf_addc(out, '[');
    for (size_t i = 0; i < json_array_size(array) && !out->failed; i++) {
        if (i)
            fs_buf_addc(out, ',');
        add_value(out, json_array_get(array, i), depth + 1);
    }
    return fs_buf_addc(out, ']');
}

static bool fail_buffer(struct fs_buf *out)
{
    /* An append over any limit is how a buffer is told that it failed; nothing is read for it. */
    return fs_buf_add(out, "", SIZE_MAX);
}

static bool add_value(struct fs_buf *out, const json_t *value, int depth)
{
    if (depth > FS_JSON_DEPTH)
        return fail_buffer(out);
    switch (value ? json_typeof(value) : JSON_NULL) {
    case JSON_OBJECT:
        return add_object(out, value, depth);
    case JSON_ARRAY:
        return add_array(out, value, depth);
    case JSON_STRING:
        return fs_buf_add_json_string(out, json_string_value(value), json_string_length(value));
    case JSON_INTEGER:
        return fs_buf_addi(out, json_integer_value(value));
    case JSON_REAL:
        /* Minus nought equals nought. */
        return fs_buf_add_json_number(out, json_real_value(value) + 0.0);
    case JSON_TRUE:
        return fs_buf_adds(out, "true");
    case JSON_FALSE:
        return fs_buf_adds(out, "false");
    case JSON_NULL:
        break;
    }
    return fs_buf_adds(out, "null");
}

bool fs_json_canonical(struct fs_buf *out, const json_t *value)
{
    return add_value(out, value, 0);
}

char *fs_json_canonical_text(const json_t *value, size_t limit, size_t *length_out)
{
    struct fs_buf buf;
    fs_buf_init(&buf, limit);
    fs_json_canonical(&buf, value);
    char *text = fs_buf_take(&buf, length_out);
    fs_buf_finish(&buf);
    return text;
}

static size_t depth_within(const json_t *value, size_t limit)
{
    size_t deepest = 0;
    if (limit == 0 || (!json_is_object(value) && !json_is_array(value)))
        return 0;
    if (json_is_array(value)) {
        for (size_t i = 0; i < json_array_size(value); i++) {
            size_t depth = depth_within(json_array_get(value, i), limit - 1);
            deepest = depth > deepest ? depth : deepest;
        }
        return deepest + 1;
    }
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = value};
    for (void *it = json_object_iter(same.iterated); it; it = json_object_iter_next(same.iterated, it)) {
        size_t depth = depth_within(json_object_iter_value(it), limit - 1);
        deepest = depth > deepest ? depth : deepest;
    }
    return deepest + 1;
}

size_t fs_json_depth(const json_t *value)
{
    /* jansson's parser stops at 2048. */
    return depth_within(value, 4096);
}

json_t *fs_json_read(const char *text, size_t length, size_t depth, struct fs_err *err)
{
    json_error_t error;
    const size_t flags = JSON_REJECT_DUPLICATES | JSON_DECODE_ANY;
    json_t *value = json_loadb(text, length, flags, &error);
    /* JavaScript writes 1e20 as an integer, which is more than jansson's hold: then all numbers of the
     * document are doubles. */
    if (!value && json_error_code(&error) == json_error_numeric_overflow)
        value = json_loadb(text, length, flags | JSON_DECODE_INT_AS_REAL, &error);
    if (!value) {
        fs_fail(err, FS_ERR_INVALID, "line %d, column %d: %s", error.line, error.column, error.text);
        return NULL;
    }
    if (fs_json_depth(value) > depth) {
        fs_fail(err, FS_ERR_INVALID, "nested deeper than %zu levels; make it flatter", depth);
        json_decref(value);
        return NULL;
    }
    return value;
}

static bool equal_objects(const json_t *a, const json_t *b, int depth);

static bool equal_values(const json_t *a, const json_t *b, int depth)
{
    if (a == b)
        return true;
    if (!a || !b || depth > FS_JSON_DEPTH)
        return false;
    if (json_is_integer(a) && json_is_integer(b))
        return json_integer_value(a) == json_integer_value(b);
    if (json_is_number(a) && json_is_number(b))
        return !(json_number_value(a) < json_number_value(b)) &&
               !(json_number_value(a) > json_number_value(b));
    if (json_typeof(a) != json_typeof(b))
        return false;
    if (json_is_string(a))
        return json_string_length(a) == json_string_length(b) &&
               memcmp(json_string_value(a), json_string_value(b), json_string_length(a)) == 0;
    if (json_is_object(a))
        return equal_objects(a, b, depth);
    if (!json_is_array(a))
        return true;
    if (json_array_size(a) != json_array_size(b))
        return false;
    for (size_t i = 0; i < json_array_size(a); i++) {
        if (!equal_values(json_array_get(a, i), json_array_get(b, i), depth + 1))
            return false;
    }
    return true;
}

static bool equal_objects(const json_t *a, const json_t *b, int depth)
{
    if (json_object_size(a) != json_object_size(b))
        return false;
    union {
        const json_t *read;
        json_t *iterated;
    } same = {.read = a};
    for (void *it = json_object_iter(same.iterated); it; it = json_object_iter_next(same.iterated, it)) {
        const json_t *other = json_object_getn(b, json_object_iter_key(it), json_object_iter_key_len(it));
        if (!other || !equal_values(json_object_iter_value(it), other, depth + 1))
            return false;
    }
    return true;
}

bool fs_json_equal(const json_t *a, const json_t *b)
{
    return equal_values(a, b, 0);
}

const char *fs_json_text(const json_t *object, const char *key)
{
    return json_string_value(json_object_get(object, key));
}

static bool member_known(const char *key, const char *const *known, const char *where, enum fs_err_code code,
                         struct fs_err *err)
{
    size_t count = 0;
    for (; known[count]; count++)
        if (strcmp(known[count], key) == 0)
            return true;
    const char *meant = fs_suggest(key, known, count);
    return fs_fail(err, code, "%s%.64s is not known here%s%s%s", where, key, meant ? ": did you mean '" : "",
                   meant ? meant : "", meant ? "'?" : "");
}

bool fs_json_members_known(const json_t *object, const char *const *known, const char *where,
                           enum fs_err_code code, struct fs_err *err)
{
    const char *key;
    json_t *value;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!member_known(key, known, where, code, err))
            return false;
    }
    return true;
}

bool fs_json_all_known(const json_t *object, const char *const *known, const char *where,
                       enum fs_err_code code, struct fs_mistakes *mistakes)
{
    struct fs_err err;
    const char *key;
    json_t *value;
    bool all = true;
    json_object_foreach((json_t *)(uintptr_t)object, key, value)
    {
        if (!member_known(key, known, where, code, &err))
            all = fs_mistake(mistakes, &err);
    }
    return all;
}

json_t *fs_json_share(const json_t *json)
{
    union {
        const json_t *borrowed;
        json_t *counted;
    } same = {.borrowed = json};
    if (json && __atomic_load_n(&same.counted->refcount, __ATOMIC_RELAXED) != SIZE_MAX)
        __atomic_add_fetch(&same.counted->refcount, 1, __ATOMIC_RELAXED);
    return same.counted;
}

void fs_json_drop(json_t *json)
{
    if (json && __atomic_load_n(&json->refcount, __ATOMIC_RELAXED) != SIZE_MAX &&
        __atomic_sub_fetch(&json->refcount, 1, __ATOMIC_ACQ_REL) == 0)
        json_delete(json);
}

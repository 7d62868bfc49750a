/* SPDX-License-Identifier: Apache-2.0 */
/* Flags for tests of service/push, made by hand: what the flag-file reader would make of a definition. */
#ifndef TESTS_PUSH_FLAGS_H
#define TESTS_PUSH_FLAGS_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "push/frame.h"

static inline json_t *json_of(const char *text)
{
    json_error_t error;
    json_t *value = json_loads(text, JSON_DECODE_ANY, &error);
    if (!value)
        fail_msg("%s in %s", error.text, text);
    return value;
}

/* A flag with the variants of an object {"on":true,...}; safe names one of them, NULL: no access flag. */
static inline struct fs_flag *flag_of(const char *key, enum fs_type type, const char *variants,
                                      const char *safe)
{
    struct fs_flag *flag = FS_NEW(struct fs_flag);
    json_t *object = json_of(variants), *value;
    const char *name;
    flag->key = fs_strdup(key);
    flag->type = type;
    flag->variants = fs_calloc(json_object_size(object) + 1, sizeof *flag->variants);
    flag->default_variant = -1;
    flag->safe_variant = -1;
    json_object_foreach(object, name, value)
    {
        if (safe && strcmp(safe, name) == 0)
            flag->safe_variant = (int)flag->variant_count;
        flag->variants[flag->variant_count++] = (struct fs_variant){fs_strdup(name), json_incref(value)};
    }
    flag->access = safe != NULL;
    json_decref(object);
    return flag;
}

/* An evaluation that gives the flag's variant; -1: no value. */
static inline struct fs_evaluation evaluated(const struct fs_flag *flag, int variant, enum fs_reason reason)
{
    struct fs_evaluation evaluation = {.reason = reason};
    if (variant >= 0) {
        evaluation.value = flag->variants[variant].value;
        evaluation.variant = flag->variants[variant].name;
    }
    return evaluation;
}

static inline void assert_json(const char *got, const char *expected)
{
    json_t *a = json_of(got), *b = json_of(expected);
    if (!json_equal(a, b))
        fail_msg("got      %s\nexpected %s", got, expected);
    json_decref(a);
    json_decref(b);
}

static inline void assert_blob(struct fs_blob *blob, const char *expected)
{
    assert_json((const char *)blob->bytes, expected);
    fs_blob_unref(blob);
}

#endif

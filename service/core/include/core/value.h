/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A value inside a rule: a JSON value that borrows its text and its containers, so that a rule runs without
 * allocation on the common path. Numbers are doubles, as in JsonLogic's home language.
 */
#ifndef FS_CORE_VALUE_H
#define FS_CORE_VALUE_H

#include <stdbool.h>
#include <jansson.h>
#include "base/str.h"

enum fs_kind {
    FS_NULL,
    FS_BOOL,
    FS_NUMBER,
    FS_STRING,
    FS_JSON,  /* an array or object of a rule or context */
    FS_LIST,  /* an array that the run made */
    FS_FAILED /* only what fs_rule_run() returns: the rule failed, and `string` says why */
};

struct fs_value;
struct fs_value_list {
    const struct fs_value *items;
    size_t count;
};

struct fs_value {
    enum fs_kind kind;
    union {
        bool boolean;
        double number;
        struct fs_str string;      /* borrowed from the rule, the context or the run's arena */
        const json_t *json;        /* an array or object, borrowed likewise */
        struct fs_value_list list; /* in the run's arena */
    };
};

/* NULL gives FS_NULL. Borrows. */
struct fs_value fs_value_from_json(const json_t *json);
/* A new reference, owned by the caller. A borrowed container is shared, not copied: nobody may change it.
 * Whole numbers within 2^53 become integers; NaN, infinities and FS_FAILED become null. */
json_t *fs_value_to_json(struct fs_value value);
bool fs_value_is_array(struct fs_value value);
/* For arrays only. */
size_t fs_value_count(struct fs_value array);
struct fs_value fs_value_at(struct fs_value array, size_t index);

#endif

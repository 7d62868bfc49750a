/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in tests: single quotes stand for double ones, results are canonical JSON. */
#ifndef FS_TEST_RULE_SUPPORT_H
#define FS_TEST_RULE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "core/json.h"
#include "core/rule.h"

#define FS_TEST_WALL INT64_C(1764000000500)

static inline json_t *json_of(const char *text)
{
    struct fs_err err;
    if (!text)
        return NULL;
    char *copy = fs_strdup(text);
    for (char *c = copy; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    json_t *json = fs_json_read(copy, strlen(copy), 2000, &err);
    if (!json)
        fail_msg("%s: %s", copy, err.text);
    fs_free(copy);
    return json;
}

/* `piece` over and over between two ends. Owned: fs_free(). */
static inline char *repeated(const char *start, const char *piece, int times, const char *end)
{
    struct fs_buf buf;
    fs_buf_init(&buf, 1024 * 1024);
    fs_buf_adds(&buf, start);
    for (int i = 0; i < times; i++)
        fs_buf_adds(&buf, piece);
    fs_buf_adds(&buf, end);
    return fs_buf_take(&buf, NULL);
}

static inline struct fs_rule *rule_with(const char *text, const char *evaluators)
{
    struct fs_rule_error err;
    json_t *logic = json_of(text), *named = json_of(evaluators);
    struct fs_rule *rule = fs_rule_compile(logic, named, &err);
    if (!rule)
        fail_msg("%s: %s: %s", text, err.pointer, err.text);
    json_decref(logic);
    json_decref(named);
    return rule;
}

static inline struct fs_rule *rule_of(const char *text)
{
    return rule_with(text, NULL);
}

/* What the rule gives as canonical JSON, "failed" where it fails. In a buffer that the next call overwrites.
 */
static inline const char *result_in(const struct fs_rule *rule, const struct fs_scope *scope)
{
    static char out[4096];
    struct fs_arena arena;
    fs_arena_init(&arena);
    struct fs_value value = fs_rule_run(rule, scope, &arena);
    if (value.kind == FS_FAILED) {
        snprintf(out, sizeof out, "failed");
    } else {
        json_t *json = fs_value_to_json(value);
        char *text = fs_json_canonical_text(json, sizeof out - 1, NULL);
        snprintf(out, sizeof out, "%s", text);
        fs_free(text);
        json_decref(json);
    }
    fs_arena_finish(&arena);
    return out;
}

static inline const char *result_of(const char *text, const char *context)
{
    struct fs_rule *rule = rule_of(text);
    json_t *object = json_of(context);
    struct fs_scope scope = {.context = object, .flag_key = "my-flag", .wall_ms = FS_TEST_WALL};
    const char *result = result_in(rule, &scope);
    json_decref(object);
    fs_rule_destroy(rule);
    return result;
}

/* The rule must not compile; its error, as "pointer: text". In a buffer that the next call overwrites. */
static inline const char *error_with(const char *text, const char *evaluators)
{
    static char out[512];
    struct fs_rule_error err;
    json_t *logic = json_of(text), *named = json_of(evaluators);
    struct fs_rule *rule = fs_rule_compile(logic, named, &err);
    assert_null(rule);
    snprintf(out, sizeof out, "%s: %s", err.pointer, err.text);
    json_decref(logic);
    json_decref(named);
    return out;
}

#define assert_gives(rule, context, expected)                                                                \
    do {                                                                                                     \
        char *wanted_ = fs_strdup(expected);                                                                 \
        for (char *c_ = wanted_; *c_; c_++)                                                                  \
            *c_ = *c_ == '\'' ? '"' : *c_;                                                                   \
        assert_string_equal(result_of((rule), (context)), wanted_);                                          \
        fs_free(wanted_);                                                                                    \
    } while (0)

#endif

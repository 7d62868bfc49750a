/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of flag files share: reading a text, and holding the problems that come against what is
 * expected. Sources `opa` (path, users) and `builtin` are known. Include after cmocka.h's own needs.
 */
#ifndef TESTS_FLAGFILE_READING_H
#define TESTS_FLAGFILE_READING_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/err.h"
#include "flagfile/flagfile.h"

static bool no_slash_first(const char *kind, const char *query, struct fs_err *err)
{
    return *query != '/' || fs_fail(err, FS_ERR_FLAGS, "a %s has no slash at its start", kind);
}

static const char *const opa_kinds[] = {"path", "users", NULL};
static const struct fs_source_type opa_type = {
    .name = "opa", .kinds = opa_kinds, .check_query = no_slash_first};
static const struct fs_flagfile_source source_items[] = {{"opa", &opa_type}, {"tools", &opa_type}};
static const struct fs_flagfile_sources sources = {source_items, 2};

/* All problems, a line each. */
static inline char *problem_lines(const struct fs_flag_problems *problems)
{
    char *all = fs_strdup("");
    for (size_t i = 0; i < problems->count; i++) {
        char *line = fs_flag_problem_line(&problems->items[i]);
        char *longer = fs_format("%s%s\n", all, line);
        fs_free(all);
        fs_free(line);
        all = longer;
    }
    return all;
}

/* Reads the text as "f.yaml" and holds all problems against `expected` (lines). The set is the caller's, NULL
 * where there are errors. */
static inline struct fs_flagset *read_expecting(const char *text, const char *expected)
{
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_parse(text, strlen(text), "f.yaml", &sources, &problems);
    char *lines = problem_lines(&problems);
    assert_string_equal(lines, expected);
    assert_int_equal(set == NULL, problems.errors > 0);
    fs_free(lines);
    fs_flag_problems_finish(&problems);
    return set;
}

static inline void expect_problems(const char *text, const char *expected)
{
    fs_flagset_unref(read_expecting(text, expected));
}

static inline struct fs_flagset *read_fine(const char *text)
{
    return read_expecting(text, "");
}

/* The flag `f` of a set. */
static inline const struct fs_flag *flag_f(const struct fs_flagset *set)
{
    const struct fs_flag *flag = fs_flagset_find(set, "f");
    assert_non_null(flag);
    return flag;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* Errors: a code with its name and statuses, and one line of text. */
#include "testing.h"

#include "base/err.h"
#include "base/str.h"

static void every_code_has_a_name_and_both_statuses(void **state)
{
    (void)state;
    assert_string_equal(fs_err_name(FS_OK), "ok");
    assert_string_equal(fs_err_name(FS_ERR_NOT_FOUND), "not-found");
    assert_int_equal(fs_err_http(FS_ERR_FORBIDDEN), 403);
    assert_int_equal(fs_err_http(FS_ERR_LIMIT), 429);
    assert_int_equal(fs_err_exit(FS_ERR_CONFIG), 3);
    assert_int_equal(fs_err_exit(FS_OK), 0);
    for (int code = FS_OK + 1; code <= FS_ERR_METHOD; code++) {
        assert_non_null(fs_err_name((enum fs_err_code)code));
        assert_true(fs_err_http((enum fs_err_code)code) >= 400);
        assert_int_not_equal(fs_err_exit((enum fs_err_code)code), 0);
    }
}

static void a_code_that_is_none_counts_as_a_general_failure(void **state)
{
    (void)state;
    assert_string_equal(fs_err_name((enum fs_err_code)999), "general");
    assert_int_equal(fs_err_http((enum fs_err_code)999), 500);
}

static void failing_fills_in_and_returns_false(void **state)
{
    (void)state;
    struct fs_err err = {0};
    assert_false(fs_fail(&err, FS_ERR_INVALID, "line %d: '%s'", 7, "x"));
    assert_int_equal(err.code, FS_ERR_INVALID);
    assert_string_equal(err.text, "line 7: 'x'");
    assert_false(fs_fail(NULL, FS_ERR_INVALID, "nobody asked"));
    assert_false(fs_fail_in(NULL, "nobody asked"));
}

static void context_goes_before_the_text(void **state)
{
    (void)state;
    struct fs_err err = {0};
    fs_fail(&err, FS_ERR_FLAGS, "no such variant");
    assert_false(fs_fail_in(&err, "flag '%s'", "a"));
    assert_false(fs_fail_in(&err, "flags.yaml"));
    assert_int_equal(err.code, FS_ERR_FLAGS);
    assert_string_equal(err.text, "flags.yaml: flag 'a': no such variant");
}

static void an_error_may_quote_its_own_text(void **state)
{
    (void)state;
    struct fs_err err = {0};
    fs_fail(&err, FS_ERR_INVALID, "inner");
    fs_fail(&err, FS_ERR_CONFIG, "outer (%s)", err.text);
    assert_string_equal(err.text, "outer (inner)");
    fs_fail_in(&err, "%s", err.text);
    assert_string_equal(err.text, "outer (inner): outer (inner)");
}

static void what_failed_is_never_ok(void **state)
{
    (void)state;
    struct fs_err err = {0};
    fs_fail(&err, FS_OK, "a slip");
    assert_int_equal(err.code, FS_ERR_GENERAL);
    err.code = FS_OK;
    fs_fail_in(&err, "another");
    assert_int_equal(err.code, FS_ERR_GENERAL);
}

static void the_text_is_one_line_whatever_is_put_in(void **state)
{
    (void)state;
    struct fs_err err = {0};
    fs_fail(&err, FS_ERR_INVALID, "%s", "a\nb\r\x1b[31m\x7f");
    assert_string_equal(err.text, "a b  [31m ");
}

static void a_long_text_is_cut_at_a_whole_character(void **state)
{
    (void)state;
    char text[1000];
    struct fs_err err = {0};
    for (size_t pad = 0; pad < 4; pad++) {
        memset(text, 'x', pad);
        for (size_t at = pad; at + 4 < sizeof text; at += 3)
            memcpy(text + at, "\xE2\x82\xAC", 4);
        fs_fail(&err, FS_ERR_INVALID, "%s", text);
        assert_true(strlen(err.text) > sizeof err.text - 5);
        assert_true(fs_utf8_valid(err.text, strlen(err.text)));
        fs_fail_in(&err, "here");
        assert_true(fs_utf8_valid(err.text, strlen(err.text)));
        fs_fail_in(&err, "%s", text);
        assert_true(fs_utf8_valid(err.text, strlen(err.text)));
    }
}

static void what_is_no_utf_8_becomes_a_question_mark(void **state)
{
    (void)state;
    struct fs_err err = {0};
    fs_fail(&err, FS_ERR_INVALID, "near '%s'", "a\xffz\xc3");
    assert_string_equal(err.text, "near 'a?z?'");
    fs_fail_in(&err, "%s", "\xe2\x82");
    assert_string_equal(err.text, "?: near 'a?z?'");
    fs_fail(&err, FS_ERR_INVALID, "caf\xc3\xa9");
    assert_string_equal(err.text, "caf\xc3\xa9");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_code_has_a_name_and_both_statuses),
        cmocka_unit_test(a_code_that_is_none_counts_as_a_general_failure),
        cmocka_unit_test(failing_fills_in_and_returns_false),
        cmocka_unit_test(context_goes_before_the_text),
        cmocka_unit_test(an_error_may_quote_its_own_text),
        cmocka_unit_test(what_failed_is_never_ok),
        cmocka_unit_test(the_text_is_one_line_whatever_is_put_in),
        cmocka_unit_test(what_is_no_utf_8_becomes_a_question_mark),
        cmocka_unit_test(a_long_text_is_cut_at_a_whole_character),
    };
    return RUN(tests);
}

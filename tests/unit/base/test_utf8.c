/* SPDX-License-Identifier: Apache-2.0 */
/* UTF-8 as table 3-7 of Unicode 15 has it. */
#include "testing.h"

#include "base/str.h"
#include "utf8.h"

static bool valid(const char *text)
{
    return fs_utf8_valid(text, strlen(text));
}

static void the_edges_of_each_length_are_well_formed(void **state)
{
    (void)state;
    assert_true(fs_utf8_valid("", 0));
    assert_true(fs_utf8_valid("a\0b", 3));
    assert_true(valid("\x7F"));
    assert_true(valid("\xC2\x80\xDF\xBF"));
    assert_true(valid("\xE0\xA0\x80\xEF\xBF\xBF"));
    assert_true(valid("\xED\x9F\xBF\xEE\x80\x80"));
    assert_true(valid("\xF0\x90\x80\x80\xF4\x8F\xBF\xBF"));
}

static void overlong_forms_are_refused(void **state)
{
    (void)state;
    assert_false(valid("\xC0\x80"));
    assert_false(valid("\xC1\xBF"));
    assert_false(valid("\xE0\x9F\xBF"));
    assert_false(valid("\xF0\x8F\xBF\xBF"));
}

static void surrogates_and_what_lies_beyond_unicode_are_refused(void **state)
{
    (void)state;
    assert_false(valid("\xED\xA0\x80"));
    assert_false(valid("\xED\xBF\xBF"));
    assert_false(valid("\xF4\x90\x80\x80"));
    assert_false(valid("\xF5\x80\x80\x80"));
    assert_false(valid("\xFF"));
}

static void lone_and_missing_followers_are_refused(void **state)
{
    (void)state;
    assert_false(valid("\x80"));
    assert_false(valid("a\xBFz"));
    assert_false(valid("\xC3"));
    assert_false(valid("\xE2\x82"));
    assert_false(valid("\xF0\x9F\x9A"));
    assert_false(valid("\xE2\x82z"));
}

static void a_cut_leaves_whole_characters(void **state)
{
    (void)state;
    const char text[] = "a\xE2\x82\xAC\xF0\x9F\x9A\xA9";
    const size_t cuts[] = {0, 1, 1, 1, 4, 4, 4, 4, 8, 8};
    for (size_t most = 0; most < 10; most++)
        assert_int_equal(fs_utf8_cut(text, 8, most), cuts[most]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_edges_of_each_length_are_well_formed),
        cmocka_unit_test(overlong_forms_are_refused),
        cmocka_unit_test(surrogates_and_what_lies_beyond_unicode_are_refused),
        cmocka_unit_test(lone_and_missing_followers_are_refused),
        cmocka_unit_test(a_cut_leaves_whole_characters),
    };
    return RUN(tests);
}

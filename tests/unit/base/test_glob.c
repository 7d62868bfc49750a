/* SPDX-License-Identifier: Apache-2.0 */
/* Patterns with * and ?. */
#include "testing.h"

#include "base/str.h"

static void a_pattern_is_for_the_whole_text(void **state)
{
    (void)state;
    assert_true(fs_glob_match("abc", "abc"));
    assert_false(fs_glob_match("abc", "abcd"));
    assert_false(fs_glob_match("abc", "ab"));
    assert_true(fs_glob_match("", ""));
    assert_false(fs_glob_match("", "a"));
    assert_false(fs_glob_match("[a]", "a"));
}

static void a_star_stands_for_any_text_also_none(void **state)
{
    (void)state;
    assert_true(fs_glob_match("*", ""));
    assert_true(fs_glob_match("*", "abc"));
    assert_true(fs_glob_match("a*c", "ac"));
    assert_true(fs_glob_match("a*c", "abcbc"));
    assert_false(fs_glob_match("a*c", "abcb"));
    assert_true(fs_glob_match("*.example.com", "a.b.example.com"));
    assert_true(fs_glob_match("**a**", "ba"));
    assert_true(fs_glob_match("a*b*c", "a-b-b-c"));
    assert_false(fs_glob_match("a*b*c", "a-c-b"));
}

static void a_question_mark_stands_for_one_character(void **state)
{
    (void)state;
    assert_true(fs_glob_match("a?c", "abc"));
    assert_false(fs_glob_match("a?c", "ac"));
    assert_false(fs_glob_match("?", ""));
    assert_true(fs_glob_match("a?c", "a\xE2\x82\xAC"
                                     "c"));
    assert_false(fs_glob_match("??", "\xC3\xA9"));
    assert_false(fs_glob_match("*??", "\xC3\xA9"));
    assert_true(fs_glob_match("*?", "\xC3\xA9"));
}

static void many_stars_cost_no_more_than_the_product_of_the_lengths(void **state)
{
    (void)state;
    enum { LENGTH = 20000 };
    static char text[LENGTH + 1], pattern[201];
    memset(text, 'a', LENGTH);
    for (size_t i = 0; i < 200; i += 2)
        memcpy(pattern + i, "*a", 2);
    pattern[199] = 'b';
    assert_false(fs_glob_match(pattern, text)); /* with a retry of every star this would not end */
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_pattern_is_for_the_whole_text),
        cmocka_unit_test(a_star_stands_for_any_text_also_none),
        cmocka_unit_test(a_question_mark_stands_for_one_character),
        cmocka_unit_test(many_stars_cost_no_more_than_the_product_of_the_lengths),
    };
    return RUN(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What was probably meant by a misspelled word. */
#include "testing.h"

#include "base/str.h"

static const char *const options[] = {"visibility", "variants",  "defaultVariant",
                                      "decision",   "decisions", "id"};
enum { OPTIONS = sizeof options / sizeof options[0] };

static void assert_suggests(const char *word, const char *expected)
{
    const char *found = fs_suggest(word, options, OPTIONS);
    if (!expected) {
        assert_null(found);
        return;
    }
    assert_non_null(found);
    assert_string_equal(found, expected);
}

static void the_nearest_word_is_suggested(void **state)
{
    (void)state;
    assert_suggests("visiblity", "visibility");
    assert_suggests("varaints", "variants"); /* an exchange of neighbours is one edit */
    assert_suggests("defaultvariant", "defaultVariant");
    assert_suggests("decison", "decision");
    assert_suggests("decisionss", "decisions");
    assert_suggests("ip", "id");
}

static void of_two_the_nearer_wins_and_of_equals_the_first(void **state)
{
    (void)state;
    static const char *const words[] = {"abcxyy", "abcdxx", "abcdez", "abcdey"};
    assert_ptr_equal(fs_suggest("abcdef", words, 4), words[2]);
}

static void nothing_is_suggested_where_nothing_is_near(void **state)
{
    (void)state;
    assert_suggests("targeting", NULL);
    assert_suggests("xy", NULL);
    assert_suggests("", NULL);
    assert_null(fs_suggest("word", NULL, 0));
}

static void a_long_word_may_differ_in_three_places_at_most(void **state)
{
    (void)state;
    static const char *const words[] = {"abcdefghijklmnop"};
    assert_non_null(fs_suggest("abcdXfghXjklmnoX", words, 1));
    assert_null(fs_suggest("abXdXfghXjklmnoX", words, 1));
}

static void a_word_of_any_length_does_no_harm(void **state)
{
    (void)state;
    char word[500];
    memset(word, 'a', sizeof word - 1);
    word[sizeof word - 1] = '\0';
    const char *const words[] = {word, word + 436};
    assert_null(fs_suggest(word, words, 2));
    assert_ptr_equal(fs_suggest(word + 437, words, 2), words[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_nearest_word_is_suggested),
        cmocka_unit_test(of_two_the_nearer_wins_and_of_equals_the_first),
        cmocka_unit_test(nothing_is_suggested_where_nothing_is_near),
        cmocka_unit_test(a_long_word_may_differ_in_three_places_at_most),
        cmocka_unit_test(a_word_of_any_length_does_no_harm),
    };
    return RUN(tests);
}

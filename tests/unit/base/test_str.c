/* SPDX-License-Identifier: Apache-2.0 */
/* Slices: comparing and trimming. */
#include "testing.h"

#include "base/str.h"

static void null_is_the_empty_slice(void **state)
{
    (void)state;
    assert_int_equal(fs_str_from(NULL).len, 0);
    assert_true(fs_str_equal(fs_str_from(NULL), FS_STR("")));
    assert_true(fs_str_equal((struct fs_str){NULL, 0}, FS_STR("")));
    assert_true(fs_str_is(fs_str_from(NULL), NULL));
}

static void slices_are_equal_by_their_bytes(void **state)
{
    (void)state;
    assert_true(fs_str_is(fs_str_from("abc"), "abc"));
    assert_false(fs_str_is(fs_str_from("abc"), "abd"));
    assert_false(fs_str_is(fs_str_from("abc"), "ab"));
    assert_true(fs_str_equal((struct fs_str){"a\0b", 3}, (struct fs_str){"a\0b", 3}));
    assert_false(fs_str_equal((struct fs_str){"a\0b", 3}, (struct fs_str){"a\0c", 3}));
}

static void a_prefix_and_a_suffix_may_be_empty_or_the_whole(void **state)
{
    (void)state;
    assert_true(fs_str_starts_with(FS_STR("abc"), FS_STR("")));
    assert_true(fs_str_starts_with(FS_STR("abc"), FS_STR("abc")));
    assert_true(fs_str_starts_with(FS_STR("abc"), FS_STR("ab")));
    assert_false(fs_str_starts_with(FS_STR("abc"), FS_STR("abcd")));
    assert_false(fs_str_starts_with(FS_STR("abc"), FS_STR("b")));
    assert_true(fs_str_ends_with((struct fs_str){NULL, 0}, FS_STR("")));
    assert_true(fs_str_ends_with(FS_STR("abc"), FS_STR("abc")));
    assert_true(fs_str_ends_with(FS_STR("abc"), FS_STR("bc")));
    assert_false(fs_str_ends_with(FS_STR("abc"), FS_STR("xabc")));
    assert_false(fs_str_ends_with(FS_STR("abc"), FS_STR("b")));
}

static void trimming_takes_ascii_white_space_off_both_ends(void **state)
{
    (void)state;
    assert_true(fs_str_is(fs_str_trim(FS_STR(" \t\r\n\v\fa b \n")), "a b"));
    assert_true(fs_str_is(fs_str_trim(FS_STR(" \n ")), ""));
    assert_true(fs_str_is(fs_str_trim(FS_STR("")), ""));
    assert_true(fs_str_is(fs_str_trim(FS_STR("\xC2\xA0x")), "\xC2\xA0x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(null_is_the_empty_slice),
        cmocka_unit_test(slices_are_equal_by_their_bytes),
        cmocka_unit_test(a_prefix_and_a_suffix_may_be_empty_or_the_whole),
        cmocka_unit_test(trimming_takes_ascii_white_space_off_both_ends),
    };
    return RUN(tests);
}

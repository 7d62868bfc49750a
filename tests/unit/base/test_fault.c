/* SPDX-License-Identifier: Apache-2.0 */
/* Fault points: named places where a test makes the daemon fail. */
#include "testing.h"

#include "base/fault.h"

#ifdef FLAGSTAFF_FAULT_POINTS

static bool setup(const char *text)
{
    char bad[64];
    return fs_fault_setup(text, bad);
}

static void assert_calls(const char *point, const char *const *expected, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        const char *value = fs_fault(point);
        if (!expected[i]) {
            assert_null(value);
        } else {
            assert_non_null(value);
            assert_string_equal(value, expected[i]);
        }
    }
}

static void a_point_that_is_not_set_never_fails(void **state)
{
    (void)state;
    assert_null(fs_fault("never.set"));
    assert_true(setup(NULL));
    assert_true(setup(""));
    assert_true(setup("some.point=on"));
    assert_null(fs_fault("never.set"));
}

static void without_a_range_a_point_always_fails(void **state)
{
    (void)state;
    assert_true(setup("always=enospc"));
    assert_calls("always", (const char *const[]){"enospc", "enospc", "enospc"}, 3);
}

static void with_a_number_it_fails_from_that_call_on(void **state)
{
    (void)state;
    assert_true(setup("from=enospc:3,other=on"));
    assert_calls("from", (const char *const[]){NULL, NULL, "enospc", "enospc"}, 4);
    assert_calls("other", (const char *const[]){"on"}, 1);
}

static void with_a_range_it_fails_in_that_range_only(void **state)
{
    (void)state;
    assert_true(setup("range=on:2-3"));
    assert_calls("range", (const char *const[]){NULL, "on", "on", NULL}, 4);
}

static void a_value_in_milliseconds_keeps_its_number(void **state)
{
    (void)state;
    assert_true(setup("hang=ms:5000,slow=ms:20:2-2"));
    assert_calls("hang", (const char *const[]){"ms:5000"}, 1);
    assert_calls("slow", (const char *const[]){NULL, "ms:20", NULL}, 3);
}

static void setting_anew_counts_anew_and_old_values_stay_readable(void **state)
{
    (void)state;
    fs_fault_set("anew", "one");
    const char *old = fs_fault("anew");
    fs_fault_set("anew", "two:2");
    assert_calls("anew", (const char *const[]){NULL, "two"}, 2);
    fs_fault_set("anew", NULL);
    assert_null(fs_fault("anew"));
    assert_string_equal(old, "one");
}

static void assert_names_the_bad_word(const char *text, const char *word)
{
    char bad[64] = "";
    if (fs_fault_setup(text, bad))
        fail_msg("'%s' was taken", text);
    assert_string_equal(bad, word);
}

static void a_malformed_word_is_named(void **state)
{
    (void)state;
    assert_names_the_bad_word("a=on,oops,b=on", "oops");
    assert_names_the_bad_word("a=", "a=");
    assert_names_the_bad_word("=on", "=on");
    assert_names_the_bad_word("a=on:", "a=on:");
    assert_names_the_bad_word("a=on:0", "a=on:0");
    assert_names_the_bad_word("a=on:x", "a=on:x");
    assert_names_the_bad_word("a=on:5-3", "a=on:5-3");
    assert_names_the_bad_word("a=ms:", "a=ms:");
    assert_names_the_bad_word("a=ms:x", "a=ms:x");
    assert_names_the_bad_word("a=on,,b=on", "");
    assert_names_the_bad_word("a-very-long-word-that-is-longer-than-the-sixty-four-bytes-there-are-for-it",
                              "a-very-long-word-that-is-longer-than-the-sixty-four-bytes-there");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_point_that_is_not_set_never_fails),
        cmocka_unit_test(without_a_range_a_point_always_fails),
        cmocka_unit_test(with_a_number_it_fails_from_that_call_on),
        cmocka_unit_test(with_a_range_it_fails_in_that_range_only),
        cmocka_unit_test(a_value_in_milliseconds_keeps_its_number),
        cmocka_unit_test(setting_anew_counts_anew_and_old_values_stay_readable),
        cmocka_unit_test(a_malformed_word_is_named),
    };
    return RUN(tests);
}

#else

static void a_build_without_fault_points_refuses_to_be_asked_for_faults(void **state)
{
    (void)state;
    char bad[64] = "";
    assert_true(fs_fault_setup(NULL, bad));
    assert_true(fs_fault_setup("", bad));
    assert_false(fs_fault_setup("journal.commit=enospc", bad));
    assert_string_equal(bad, "journal.commit=enospc");
    assert_null(fs_fault("journal.commit"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_build_without_fault_points_refuses_to_be_asked_for_faults),
    };
    return RUN(tests);
}

#endif

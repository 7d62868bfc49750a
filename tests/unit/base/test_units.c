/* SPDX-License-Identifier: Apache-2.0 */
/* Numbers, durations and sizes as configuration writes them: the whole text or nothing. */
#include "testing.h"

#include "base/str.h"

static bool duration(const char *text, int64_t *ms)
{
    return fs_parse_duration(fs_str_from(text), ms);
}

static void assert_duration(const char *text, int64_t expected)
{
    int64_t ms = -1;
    assert_true(duration(text, &ms));
    assert_int_equal(ms, expected);
}

static void assert_size(const char *text, uint64_t expected)
{
    uint64_t bytes = 1;
    assert_true(fs_parse_size(fs_str_from(text), &bytes));
    assert_int_equal(bytes, expected);
}

static void a_whole_number_is_digits_only(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "", " 1", "1 ", "+1", "-1", "0x1", "1.0", "18446744073709551616", "99999999999999999999"};
    uint64_t number = 0;
    assert_true(fs_parse_u64(FS_STR("18446744073709551615"), &number));
    assert_int_equal(number, UINT64_MAX);
    assert_true(fs_parse_u64(FS_STR("007"), &number));
    assert_int_equal(number, 7);
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        assert_false(fs_parse_u64(fs_str_from(wrong[i]), &number));
    assert_int_equal(number, 7); /* what is refused writes nothing */
}

static void a_duration_names_its_units_from_large_to_small(void **state)
{
    (void)state;
    assert_duration("250ms", 250);
    assert_duration("5s", 5000);
    assert_duration("10m", 600000);
    assert_duration("1h", 3600000);
    assert_duration("7d", 604800000);
    assert_duration("1h30m", 5400000);
    assert_duration("1d2h3m4s5ms", 93784005);
    assert_duration("0s", 0);
    assert_duration("90s", 90000);
}

static void a_duration_without_a_unit_or_in_a_wrong_order_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",   "5",    "0",    "s",    "5 s", " 5s", "5s ",  "-5s", "1.5s",
                                        "5S", "5sec", "1s1s", "1s1m", "1m1", "1w",  "5mss", "ms"};
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (duration(wrong[i], &ms))
            fail_msg("'%s' was read as a duration", wrong[i]);
}

static void a_duration_that_overflows_is_refused(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_duration("9223372036854775807ms", INT64_MAX);
    assert_false(duration("9223372036854775808ms", &ms));
    assert_false(duration("9223372036854775808d", &ms));
    assert_false(duration("106751991167d24h", &ms));
}

static void a_formatted_duration_reads_back_the_same(void **state)
{
    (void)state;
    uint64_t seed = 3;
    char text[32];
    assert_string_equal(fs_format_duration(90000, text), "1m30s");
    assert_string_equal(fs_format_duration(0, text), "0s");
    assert_string_equal(fs_format_duration(60000, text), "1m");
    assert_string_equal(fs_format_duration(86400001, text), "1d1ms");
    assert_string_equal(fs_format_duration(-1500, text), "-1s500ms");
    assert_string_equal(fs_format_duration(INT64_MIN, text), "-106751991167d7h12m55s808ms");
    for (int i = 0; i < 1000; i++) {
        int64_t ms = (int64_t)(next_random(&seed) >> (1 + i % 50));
        assert_duration(fs_format_duration(ms, text), ms);
    }
}

static void a_size_is_in_bytes_or_powers_of_1024(void **state)
{
    (void)state;
    assert_size("4096", 4096);
    assert_size("4096B", 4096);
    assert_size("64KiB", 65536);
    assert_size("1MiB", 1048576);
    assert_size("2GiB", 2147483648);
    assert_size("1TiB", 1099511627776);
    assert_size("0", 0);
}

static void a_size_with_another_unit_or_an_overflow_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",      "KiB",    "1KB", "1kib",  "1K",
                                        "1 KiB", "1.5MiB", "-1",  "1KiB1", "18014398509481984KiB"};
    uint64_t bytes = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (fs_parse_size(fs_str_from(wrong[i]), &bytes))
            fail_msg("'%s' was read as a size", wrong[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_whole_number_is_digits_only),
        cmocka_unit_test(a_duration_names_its_units_from_large_to_small),
        cmocka_unit_test(a_duration_without_a_unit_or_in_a_wrong_order_is_refused),
        cmocka_unit_test(a_duration_that_overflows_is_refused),
        cmocka_unit_test(a_formatted_duration_reads_back_the_same),
        cmocka_unit_test(a_size_is_in_bytes_or_powers_of_1024),
        cmocka_unit_test(a_size_with_another_unit_or_an_overflow_is_refused),
    };
    return RUN(tests);
}

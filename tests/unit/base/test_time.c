/* SPDX-License-Identifier: Apache-2.0 */
/* RFC 3339 dates to milliseconds and back. */
#include "testing.h"

#include "base/str.h"

static void assert_date(const char *text, int64_t expected)
{
    int64_t ms = 1;
    if (!fs_parse_rfc3339(fs_str_from(text), &ms))
        fail_msg("'%s' was refused", text);
    assert_int_equal(ms, expected);
}

static void a_date_with_an_offset_is_the_same_moment_in_utc(void **state)
{
    (void)state;
    assert_date("1970-01-01T00:00:00Z", 0);
    assert_date("2026-11-24T08:00:00Z", 1795507200000);
    assert_date("2026-11-24T09:30:00+01:30", 1795507200000);
    assert_date("2026-11-23T22:00:00-10:00", 1795507200000);
    assert_date("2026-11-24T08:00:00-00:00", 1795507200000);
    assert_date("2026-11-24t08:00:00z", 1795507200000);
    assert_date("1969-12-31T23:59:59Z", -1000);
    assert_date("0000-01-01T00:00:00Z", -62167219200000);
    assert_date("9999-12-31T23:59:59.999Z", 253402300799999);
}

static void a_fraction_of_any_length_is_cut_to_milliseconds(void **state)
{
    (void)state;
    assert_date("1970-01-01T00:00:00.5Z", 500);
    assert_date("1970-01-01T00:00:00.012Z", 12);
    assert_date("1970-01-01T00:00:00.0129999999999999999999999999Z", 12);
    assert_date("1969-12-31T23:59:59.9999Z", -1);
}

static void leap_years_follow_the_gregorian_rule(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_date("2024-02-29T00:00:00Z", 1709164800000);
    assert_date("2000-02-29T00:00:00Z", 951782400000);
    assert_false(fs_parse_rfc3339(FS_STR("2023-02-29T00:00:00Z"), &ms));
    assert_false(fs_parse_rfc3339(FS_STR("1900-02-29T00:00:00Z"), &ms));
}

static void a_leap_second_is_taken_only_at_the_end_of_a_utc_day(void **state)
{
    (void)state;
    int64_t ms = 0;
    assert_date("1990-12-31T23:59:60Z", 662688000000);
    assert_date("1990-12-31T15:59:60-08:00", 662688000000);
    assert_false(fs_parse_rfc3339(FS_STR("1990-12-31T12:00:60Z"), &ms));
    assert_false(fs_parse_rfc3339(FS_STR("1990-12-31T23:59:61Z"), &ms));
}

static void what_is_not_a_full_date_time_is_refused(void **state)
{
    (void)state;
    static const char *const wrong[] = {
        "",
        "2026-11-24",
        "2026-11-24T08:00:00",
        "2026-11-24 08:00:00Z",
        "2026-11-24T08:00Z",
        "2026-11-24T08:00:00.Z",
        "2026-11-24T08:00:00,5Z",
        "2026-11-24T08:00:00Z ",
        " 2026-11-24T08:00:00Z",
        "2026-13-01T00:00:00Z",
        "2026-00-01T00:00:00Z",
        "2026-04-31T00:00:00Z",
        "2026-04-00T00:00:00Z",
        "2026-04-01T24:00:00Z",
        "2026-04-01T00:60:00Z",
        "2026-04-01T00:00:00+24:00",
        "2026-04-01T00:00:00+01:60",
        "2026-04-01T00:00:00+0100",
        "2026-04-01T00:00:00+01",
        "+026-04-01T00:00:00Z",
        "26-04-01T00:00:00Z",
    };
    int64_t ms = 0;
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++)
        if (fs_parse_rfc3339(fs_str_from(wrong[i]), &ms))
            fail_msg("'%s' was read as a date", wrong[i]);
}

static void dates_are_written_in_utc_with_milliseconds(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(fs_format_rfc3339(1795507200000, text), "2026-11-24T08:00:00.000Z");
    assert_string_equal(fs_format_rfc3339(-1, text), "1969-12-31T23:59:59.999Z");
    assert_string_equal(fs_format_rfc3339(951782400007, text), "2000-02-29T00:00:00.007Z");
}

static void dates_beyond_four_digits_of_year_stop_at_the_edge(void **state)
{
    (void)state;
    char text[32];
    assert_string_equal(fs_format_rfc3339(INT64_MAX, text), "9999-12-31T23:59:59.999Z");
    assert_string_equal(fs_format_rfc3339(INT64_MIN, text), "0000-01-01T00:00:00.000Z");
}

static void every_day_of_ten_thousand_years_reads_back_the_same(void **state)
{
    (void)state;
    char text[32];
    for (int64_t ms = -62167219200000 + 5; ms <= 253402300799999; ms += 86400000) {
        int64_t back = 0;
        if (!fs_parse_rfc3339(fs_str_from(fs_format_rfc3339(ms, text)), &back) || back != ms)
            fail_msg("%s is not %lld", text, (long long)ms);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_date_with_an_offset_is_the_same_moment_in_utc),
        cmocka_unit_test(a_fraction_of_any_length_is_cut_to_milliseconds),
        cmocka_unit_test(leap_years_follow_the_gregorian_rule),
        cmocka_unit_test(a_leap_second_is_taken_only_at_the_end_of_a_utc_day),
        cmocka_unit_test(what_is_not_a_full_date_time_is_refused),
        cmocka_unit_test(dates_are_written_in_utc_with_milliseconds),
        cmocka_unit_test(dates_beyond_four_digits_of_year_stop_at_the_edge),
        cmocka_unit_test(every_day_of_ten_thousand_years_reads_back_the_same),
    };
    return RUN(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Values to and from JSON. */
#include "support.h"

static void round_trip(const char *text)
{
    of_value *value = NULL;
    assert_int_equal(of_value_from_json(text, strlen(text), &value, NULL), OF_OK);
    char *back = of_value_to_json(value);
    assert_string_equal(back, text);
    of_free(back);
    of_value_unref(value);
}

static void what_is_written_reads_back_the_same(void **state)
{
    (void)state;
    round_trip("{\"a\":[1,2.5,-3,true,false,null],\"b\":{\"c\":\"x\\\"y\\\\z\\n\"},\"d\":"
               "\"\xC3\xA9\xF0\x9F\x9A\xA9\"}");
    round_trip("9223372036854775807");
    round_trip("1e+300");
    round_trip("0.1");
    round_trip("10.0");
    round_trip("\"\"");
    round_trip("[]");
}

static void escapes_and_surrogates_are_understood(void **state)
{
    (void)state;
    const char text[] = " [\"\\u00e9\\ud83d\\udea9\\/\\b\\f\\r\\t\", \"\\ud800x\"] ";
    of_value *value = NULL;
    assert_int_equal(of_value_from_json(text, sizeof text - 1, &value, NULL), OF_OK);
    assert_string_equal(of_value_as_string(of_value_at(value, 0), ""), "\xC3\xA9\xF0\x9F\x9A\xA9/\b\f\r\t");
    assert_string_equal(of_value_as_string(of_value_at(value, 1), ""), "\xEF\xBF\xBDx");
    of_value_unref(value);
}

static void what_is_not_json_is_refused_with_its_position(void **state)
{
    (void)state;
    static const char *const wrong[] = {"",           "{",
                                        "[1,]",       "{\"a\"}",
                                        "{\"a\":1,}", "01",
                                        "1.",         "-",
                                        "1e",         "tru",
                                        "\"abc",      "\"\\x\"",
                                        "\"\\u12",    "[1] 2",
                                        "'a'",        "{\"a\":1 \"b\":2}",
                                        "\"\n\"",     "1e999",
                                        "\"\\",       "nul",
                                        "{1:2}",      "\"\\ud800\\u12\"",
                                        "]",          "{\"a\\u0000\":1}"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        of_value *value = of_value_bool(true);
        assert_int_equal(of_value_from_json(wrong[i], strlen(wrong[i]), &value, NULL), OF_ERROR_PARSE_ERROR);
        assert_null(value);
    }
    of_value *value = NULL;
    size_t position = 0;
    assert_int_equal(of_value_from_json("[1, x]", 6, &value, &position), OF_ERROR_PARSE_ERROR);
    assert_int_equal(position, 4);
}

static void nesting_deeper_than_values_may_be_is_refused(void **state)
{
    (void)state;
    char text[300];
    memset(text, '[', 150);
    memset(text + 150, ']', 150);
    of_value *value = NULL;
    assert_int_equal(of_value_from_json(text, sizeof text, &value, NULL), OF_ERROR_TOO_DEEP);
    assert_int_equal(of_value_from_json(text + 150 - 64, 128, &value, NULL), OF_OK);
    of_value_unref(value);
}

static void integers_that_do_not_fit_become_doubles(void **state)
{
    (void)state;
    of_value *value = NULL;
    assert_int_equal(of_value_from_json("9223372036854775808", 19, &value, NULL), OF_OK);
    assert_int_equal(of_value_type(value), OF_TYPE_DOUBLE);
    of_value_unref(value);
}

static void a_datetime_is_written_as_rfc_3339(void **state)
{
    (void)state;
    static const struct {
        of_datetime moment;
        const char *text;
    } cases[] = {{{0, 0, 0}, "\"1970-01-01T00:00:00Z\""},
                 {{951782400, 0, 0}, "\"2000-02-29T00:00:00Z\""},
                 {{-1, 500000000, 0}, "\"1969-12-31T23:59:59.500000000Z\""},
                 {{1700000000, 0, 90}, "\"2023-11-14T23:43:20+01:30\""},
                 {{1700000000, 0, -60}, "\"2023-11-14T21:13:20-01:00\""},
                 {{INT64_MAX, 0, 90}, "\"292277026596-12-04T17:00:07+01:30\""},
                 {{INT64_MIN, 0, -60}, "\"-292277022657-01-27T07:29:52-01:00\""}};
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        of_value *value = of_value_datetime(cases[i].moment);
        char *text = of_value_to_json(value);
        assert_string_equal(text, cases[i].text);
        of_free(text);
        of_value_unref(value);
    }
}

static void bytes_that_are_not_utf_8_are_replaced(void **state)
{
    (void)state;
    of_value *value = of_value_string("a\xFF\xC0\x80\xED\xA0\x80z\x01");
    char *text = of_value_to_json(value);
    assert_string_equal(
        text, "\"a\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBDz\\u0001\"");
    of_free(text);
    of_value_unref(value);
}

static void a_context_is_written_as_an_object(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    (void)of_context_set_bool(context, "beta", true);
    char *text = of_context_to_json(context);
    assert_string_equal(text, "{\"targetingKey\":\"ada\",\"beta\":true}");
    of_free(text);
    of_context_unref(context);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_written_reads_back_the_same),
        cmocka_unit_test(escapes_and_surrogates_are_understood),
        cmocka_unit_test(what_is_not_json_is_refused_with_its_position),
        cmocka_unit_test(nesting_deeper_than_values_may_be_is_refused),
        cmocka_unit_test(integers_that_do_not_fit_become_doubles),
        cmocka_unit_test(a_datetime_is_written_as_rfc_3339),
        cmocka_unit_test(bytes_that_are_not_utf_8_are_replaced),
        cmocka_unit_test(a_context_is_written_as_an_object),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

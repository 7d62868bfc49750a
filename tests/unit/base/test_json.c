/* SPDX-License-Identifier: Apache-2.0 */
/* JSON strings (RFC 8259 section 7) and numbers in their shortest form. */
#include "testing.h"

#include "base/buf.h"
#include <float.h>
#include <math.h>
#include <stdlib.h>

static void assert_string_becomes(const char *text, size_t length, const char *json)
{
    struct fs_buf buf;
    fs_buf_init(&buf, 10000);
    assert_true(fs_buf_add_json_string(&buf, text, length));
    assert_string_equal(buf.data, json);
    fs_buf_finish(&buf);
}

static void assert_number_becomes(double number, const char *json)
{
    struct fs_buf buf;
    fs_buf_init(&buf, 100);
    assert_true(fs_buf_add_json_number(&buf, number));
    assert_string_equal(buf.data, json);
    fs_buf_finish(&buf);
}

static void plain_text_is_only_quoted(void **state)
{
    (void)state;
    assert_string_becomes("", 0, "\"\"");
    assert_string_becomes("a/b 'c' \x7f", 9, "\"a/b 'c' \x7f\"");
    assert_string_becomes("\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA9", 9,
                          "\"\xC3\xA9\xE2\x82\xAC\xF0\x9F\x9A\xA9\"");
}

static void quotes_backslashes_and_controls_are_escaped(void **state)
{
    (void)state;
    assert_string_becomes("\"\\", 2, "\"\\\"\\\\\"");
    assert_string_becomes("\b\f\n\r\t", 5, "\"\\b\\f\\n\\r\\t\"");
    assert_string_becomes("a\0b\x1f", 4, "\"a\\u0000b\\u001f\"");
}

static void bytes_that_are_not_utf8_become_the_replacement_character(void **state)
{
    (void)state;
    assert_string_becomes("a\xFFz", 3, "\"a\xEF\xBF\xBDz\"");
    assert_string_becomes("\xC0\xAF", 2, "\"\xEF\xBF\xBD\xEF\xBF\xBD\"");                 /* overlong */
    assert_string_becomes("\xED\xA0\x80", 3, "\"\xEF\xBF\xBD\xEF\xBF\xBD\xEF\xBF\xBD\""); /* surrogate */
    assert_string_becomes("\xE2\x82", 2, "\"\xEF\xBF\xBD\"");                             /* cut off */
    assert_string_becomes("\xE2\x82\"", 3, "\"\xEF\xBF\xBD\\\"\"");
}

static void whole_numbers_have_neither_fraction_nor_exponent(void **state)
{
    (void)state;
    assert_number_becomes(0, "0");
    assert_number_becomes(-0.0, "0");
    assert_number_becomes(3, "3");
    assert_number_becomes(-42, "-42");
    assert_number_becomes(1e15, "1000000000000000");
    assert_number_becomes(9007199254740991.0, "9007199254740991");
    assert_number_becomes(-9007199254740992.0, "-9007199254740992");
}

static void fractions_are_as_short_as_can_be(void **state)
{
    (void)state;
    assert_number_becomes(0.1, "0.1");
    assert_number_becomes(-2.5, "-2.5");
    assert_number_becomes(0.1 + 0.2, "0.30000000000000004");
    assert_number_becomes(1.0 / 3, "0.3333333333333333");
    assert_number_becomes(1e300, "1e+300");
    assert_number_becomes(1e-7, "1e-07");
    assert_number_becomes(DBL_MAX, "1.7976931348623157e+308");
    assert_number_becomes(5e-324, "5e-324");
}

static void what_json_lacks_becomes_null(void **state)
{
    (void)state;
    assert_number_becomes((double)NAN, "null");
    assert_number_becomes((double)INFINITY, "null");
    assert_number_becomes(-(double)INFINITY, "null");
}

static void every_number_reads_back_the_same(void **state)
{
    (void)state;
    uint64_t seed = 42;
    struct fs_buf buf;
    fs_buf_init(&buf, 100);
    for (int i = 0; i < 20000; i++) {
        uint64_t bits = next_random(&seed);
        double number = 0;
        memcpy(&number, &bits, sizeof number);
        if (!isfinite(number))
            continue;
        fs_buf_reset(&buf);
        fs_buf_add_json_number(&buf, number);
        double back = strtod(buf.data, NULL);
        assert_memory_equal(&back, &number, sizeof number);
    }
    fs_buf_finish(&buf);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(plain_text_is_only_quoted),
        cmocka_unit_test(quotes_backslashes_and_controls_are_escaped),
        cmocka_unit_test(bytes_that_are_not_utf8_become_the_replacement_character),
        cmocka_unit_test(whole_numbers_have_neither_fraction_nor_exponent),
        cmocka_unit_test(fractions_are_as_short_as_can_be),
        cmocka_unit_test(what_json_lacks_becomes_null),
        cmocka_unit_test(every_number_reads_back_the_same),
    };
    return RUN(tests);
}

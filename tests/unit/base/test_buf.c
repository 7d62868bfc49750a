/* SPDX-License-Identifier: Apache-2.0 */
/* A buffer is born with a limit, and going over it is said once, at the end. */
#include "testing.h"

#include "base/buf.h"
#include "base/alloc.h"

static void an_empty_buffer_is_an_empty_string_without_memory(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 10);
    assert_string_equal(buf.data, "");
    assert_int_equal(buf.capacity, 0);
    fs_buf_finish(&buf);
}

static void the_bytes_are_always_followed_by_a_nul(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 1000);
    for (size_t i = 1; i <= 1000; i++) {
        assert_true(fs_buf_addc(&buf, 'x'));
        assert_int_equal(strlen(buf.data), i);
    }
    fs_buf_finish(&buf);
}

static void up_to_the_limit_everything_is_kept(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 5);
    assert_true(fs_buf_adds(&buf, "abc"));
    assert_true(fs_buf_adds(&buf, "de"));
    assert_true(fs_buf_add(&buf, NULL, 0));
    assert_string_equal(buf.data, "abcde");
    assert_true(buf.capacity <= 6);
    fs_buf_finish(&buf);
}

static void one_byte_over_the_limit_empties_the_buffer_and_stays_failed(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 5);
    fs_buf_adds(&buf, "abcde");
    assert_false(fs_buf_addc(&buf, 'f'));
    assert_true(buf.failed);
    assert_int_equal(buf.length, 0);
    assert_string_equal(buf.data, "");
    assert_false(fs_buf_addc(&buf, 'a'));
    assert_false(fs_buf_addf(&buf, "%d", 1));
    assert_false(fs_buf_addu(&buf, 1));
    assert_false(fs_buf_add_json_string(&buf, "", 0));
    assert_false(fs_buf_add(&buf, "", 0));
    assert_string_equal(buf.data, "");
    fs_buf_finish(&buf);
}

static void the_limit_holds_for_every_appender(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 3);
    assert_false(fs_buf_addf(&buf, "%s", "long"));
    fs_buf_reset(&buf);
    assert_false(fs_buf_addu(&buf, 1234));
    fs_buf_reset(&buf);
    assert_false(fs_buf_addi(&buf, -123));
    fs_buf_reset(&buf);
    assert_false(fs_buf_add_json_string(&buf, "ab", 2));
    fs_buf_reset(&buf);
    assert_false(fs_buf_add_json_number(&buf, 0.25));
    fs_buf_reset(&buf);
    assert_false(fs_buf_add(&buf, "", SIZE_MAX));
    fs_buf_finish(&buf);
}

static void a_reset_buffer_takes_bytes_again_in_the_same_memory(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 4);
    fs_buf_adds(&buf, "abcd");
    char *memory = buf.data;
    fs_buf_addc(&buf, 'e');
    fs_buf_reset(&buf);
    assert_true(fs_buf_adds(&buf, "wxyz"));
    assert_ptr_equal(buf.data, memory);
    assert_string_equal(buf.data, "wxyz");
    fs_buf_finish(&buf);
}

static void numbers_are_written_to_their_extremes(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 200);
    fs_buf_addu(&buf, 0);
    fs_buf_addc(&buf, ' ');
    fs_buf_addu(&buf, UINT64_MAX);
    fs_buf_addc(&buf, ' ');
    fs_buf_addi(&buf, INT64_MIN);
    fs_buf_addc(&buf, ' ');
    fs_buf_addi(&buf, INT64_MAX);
    assert_string_equal(buf.data, "0 18446744073709551615 -9223372036854775808 9223372036854775807");
    fs_buf_finish(&buf);
}

static void formatting_grows_the_buffer(void **state)
{
    (void)state;
    struct fs_buf buf;
    fs_buf_init(&buf, 10000);
    fs_buf_adds(&buf, "<");
    assert_true(fs_buf_addf(&buf, "%0*d", 5000, 3));
    assert_int_equal(buf.length, 5001);
    assert_int_equal(strlen(buf.data), 5001);
    fs_buf_finish(&buf);
}

static void taking_leaves_an_empty_buffer_with_the_same_limit(void **state)
{
    (void)state;
    struct fs_buf buf;
    size_t length = 99;
    fs_buf_init(&buf, 4);
    fs_buf_adds(&buf, "abcd");
    char *taken = fs_buf_take(&buf, &length);
    assert_string_equal(taken, "abcd");
    assert_int_equal(length, 4);
    assert_int_equal(buf.length, 0);
    assert_false(fs_buf_adds(&buf, "abcde"));
    fs_free(taken);
    fs_buf_finish(&buf);
}

static void taking_nothing_gives_an_empty_string_and_taking_a_failure_gives_null(void **state)
{
    (void)state;
    struct fs_buf buf;
    size_t length = 99;
    fs_buf_init(&buf, 2);
    char *taken = fs_buf_take(&buf, &length);
    assert_string_equal(taken, "");
    assert_int_equal(length, 0);
    fs_free(taken);
    fs_buf_adds(&buf, "abc");
    assert_null(fs_buf_take(&buf, &length));
    fs_buf_finish(&buf);
}

static void a_zeroed_buffer_and_null_can_be_finished(void **state)
{
    (void)state;
    struct fs_buf buf = {0};
    fs_buf_finish(&buf);
    fs_buf_finish(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_buffer_is_an_empty_string_without_memory),
        cmocka_unit_test(the_bytes_are_always_followed_by_a_nul),
        cmocka_unit_test(up_to_the_limit_everything_is_kept),
        cmocka_unit_test(one_byte_over_the_limit_empties_the_buffer_and_stays_failed),
        cmocka_unit_test(the_limit_holds_for_every_appender),
        cmocka_unit_test(a_reset_buffer_takes_bytes_again_in_the_same_memory),
        cmocka_unit_test(numbers_are_written_to_their_extremes),
        cmocka_unit_test(formatting_grows_the_buffer),
        cmocka_unit_test(taking_leaves_an_empty_buffer_with_the_same_limit),
        cmocka_unit_test(taking_nothing_gives_an_empty_string_and_taking_a_failure_gives_null),
        cmocka_unit_test(a_zeroed_buffer_and_null_can_be_finished),
    };
    return RUN(tests);
}

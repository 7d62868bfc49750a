/* SPDX-License-Identifier: Apache-2.0 */
/* The heap never returns NULL, and running out ends the process with one line (docs/decisions/0003). */
#include "testing.h"

#include "base/alloc.h"

static void no_bytes_are_still_an_address(void **state)
{
    (void)state;
    void *a = fs_alloc(0), *b = fs_calloc(0, 8), *c = fs_realloc(NULL, 0, 8);
    assert_non_null(a);
    assert_non_null(b);
    assert_non_null(c);
    fs_free(a);
    fs_free(b);
    fs_free(c);
    fs_free(NULL);
}

static void calloc_gives_zeroes(void **state)
{
    (void)state;
    unsigned char *bytes = fs_calloc(3, 5);
    for (size_t i = 0; i < 15; i++)
        assert_int_equal(bytes[i], 0);
    fs_free(bytes);
}

static void realloc_keeps_what_was_there(void **state)
{
    (void)state;
    char *text = fs_strdup("abc");
    text = fs_realloc(text, 1000, 4);
    assert_string_equal(text, "abc");
    fs_free(text);
}

static void a_copy_has_exactly_the_bytes_asked_for_and_a_nul(void **state)
{
    (void)state;
    char *text = fs_strndup("ab\0cd", 5);
    assert_memory_equal(text, "ab\0cd", 6);
    fs_free(text);
    text = fs_strndup(NULL, 0);
    assert_string_equal(text, "");
    fs_free(text);
    assert_null(fs_strdup(NULL));
}

static void a_formatted_string_may_be_of_any_length(void **state)
{
    (void)state;
    char *text = fs_format("%0*d|%s", 5000, 7, "end");
    assert_int_equal(strlen(text), 5004);
    assert_string_equal(text + 4999, "7|end");
    fs_free(text);
}

static void ask_for_an_overflowing_product(void)
{
    volatile size_t much = SIZE_MAX / 2;
    fs_free(fs_calloc(much, 3));
}

static void grow_by_an_overflowing_product(void)
{
    volatile size_t much = SIZE_MAX / 2;
    fs_free(fs_realloc(NULL, much, 3));
}

static void copy_the_whole_address_space(void)
{
    volatile size_t much = SIZE_MAX;
    fs_free(fs_strndup("x", much));
}

static void a_size_that_overflows_ends_the_process(void **state)
{
    (void)state;
    assert_aborts_saying(ask_for_an_overflowing_product, "flagstaff: out of memory");
    assert_aborts_saying(grow_by_an_overflowing_product, "flagstaff: out of memory");
    assert_aborts_saying(copy_the_whole_address_space, "flagstaff: out of memory");
}

#ifndef SANITIZED
static void ask_for_more_than_there_is(void)
{
    volatile size_t much = SIZE_MAX / 4;
    fs_free(fs_alloc(much));
}

static void running_out_of_memory_ends_the_process_and_names_the_wish(void **state)
{
    (void)state;
    assert_aborts_saying(ask_for_more_than_there_is, "4611686018427387903 bytes wanted");
}
#define RUNNING_OUT cmocka_unit_test(running_out_of_memory_ends_the_process_and_names_the_wish),
#else
#define RUNNING_OUT
#endif

int main(void)
{
    const struct CMUnitTest tests[] = {
        RUNNING_OUT cmocka_unit_test(no_bytes_are_still_an_address),
        cmocka_unit_test(calloc_gives_zeroes),
        cmocka_unit_test(realloc_keeps_what_was_there),
        cmocka_unit_test(a_copy_has_exactly_the_bytes_asked_for_and_a_nul),
        cmocka_unit_test(a_formatted_string_may_be_of_any_length),
        cmocka_unit_test(a_size_that_overflows_ends_the_process),
    };
    return RUN(tests);
}

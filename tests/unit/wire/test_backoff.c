/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Waiting before the next attempt.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "backoff.h"

static const struct fsw_backoff fresh = {.base = 100, .cap = 30000};

static void the_range_doubles_from_the_base_to_the_cap(void **state)
{
    (void)state;
    static const int64_t most[] = {100, 200, 400, 800, 1600, 3200, 6400, 12800, 25600, 30000, 30000};
    struct fsw_backoff backoff = fresh;
    for (size_t i = 0; i < sizeof most / sizeof *most; i++) {
        struct fsw_backoff other = backoff;
        assert_int_equal(fsw_backoff_next(&other, (uint64_t)most[i]), most[i]);
        assert_int_equal(fsw_backoff_next(&backoff, (uint64_t)most[i] + 1), 0);
    }
}

static void the_jitter_is_full(void **state)
{
    (void)state;
    for (uint64_t chance = 0; chance <= 100; chance++) {
        struct fsw_backoff backoff = fresh;
        assert_int_equal(fsw_backoff_next(&backoff, chance), chance);
    }
}

static void many_failures_do_not_overflow(void **state)
{
    (void)state;
    struct fsw_backoff backoff = {.base = 100, .cap = INT64_MAX / 2};
    for (int i = 0; i < 1000; i++) {
        int64_t wait = fsw_backoff_next(&backoff, UINT64_MAX);
        assert_true(wait >= 0 && wait <= backoff.cap);
    }
}

static void after_success_it_begins_at_the_base(void **state)
{
    (void)state;
    struct fsw_backoff backoff = fresh;
    for (int i = 0; i < 20; i++) {
        fsw_backoff_next(&backoff, 1);
    }
    fsw_backoff_reset(&backoff);
    assert_int_equal(fsw_backoff_next(&backoff, 100), 100);
}

static void a_refused_credential_waits_at_least_half_the_cap(void **state)
{
    (void)state;
    assert_int_equal(fsw_backoff_slow(&fresh, 0), 15000);
    assert_int_equal(fsw_backoff_slow(&fresh, 15000), 30000);
    assert_int_equal(fsw_backoff_slow(&fresh, 15001), 15000);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_range_doubles_from_the_base_to_the_cap),
        cmocka_unit_test(the_jitter_is_full),
        cmocka_unit_test(many_failures_do_not_overflow),
        cmocka_unit_test(after_success_it_begins_at_the_base),
        cmocka_unit_test(a_refused_credential_waits_at_least_half_the_cap),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Clocks: the machine has two, a test has one that stands still. */
#include "testing.h"

#include "base/clock.h"

static void a_fake_clock_stands_still_until_it_is_moved(void **state)
{
    (void)state;
    struct fs_fake_clock fake = {.time = {.mono = 100, .wall = 5000}};
    struct fs_clock clock = fs_fake_clock(&fake);
    assert_int_equal(fs_clock_now(&clock).mono, 100);
    fs_fake_clock_advance(&fake, 250);
    assert_int_equal(fs_clock_now(&clock).mono, 350);
    assert_int_equal(fs_clock_now(&clock).wall, 5250);
}

static void the_machines_clock_never_runs_backwards(void **state)
{
    (void)state;
    struct fs_clock clock = fs_clock_system();
    int64_t mono = fs_clock_now(&clock).mono, nanos = fs_clock_nanos();
    for (int i = 0; i < 1000; i++) {
        struct fs_time now = fs_clock_now(&clock);
        int64_t now_nanos = fs_clock_nanos();
        assert_true(now.mono >= mono);
        assert_true(now_nanos >= nanos);
        mono = now.mono;
        nanos = now_nanos;
    }
}

static void a_wall_clock_goes_ahead_by_a_step_or_by_many_small_ones_and_not_through_a_suspend(void **state)
{
    (void)state;
    struct fs_time now = {.mono = 100, .wall = 5000};
    int64_t lead = 4900;
    now.mono += 3600000;
    now.wall += 3600000;
    assert_false(fs_wall_went_ahead(&lead, now));
    now.wall += 600;
    assert_false(fs_wall_went_ahead(&lead, now));
    now.wall += 600;
    assert_true(fs_wall_went_ahead(&lead, now));
    assert_false(fs_wall_went_ahead(&lead, now)); /* once */
    now.wall -= 60000;
    assert_false(fs_wall_went_ahead(&lead, now));
    now.wall += 60000;
    assert_true(fs_wall_went_ahead(&lead, now));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_fake_clock_stands_still_until_it_is_moved),
        cmocka_unit_test(the_machines_clock_never_runs_backwards),
        cmocka_unit_test(a_wall_clock_goes_ahead_by_a_step_or_by_many_small_ones_and_not_through_a_suspend),
    };
    return RUN(tests);
}

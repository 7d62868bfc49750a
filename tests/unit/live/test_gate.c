/* SPDX-License-Identifier: Apache-2.0 */
/* The lease check at every read. Ticks are passed in, so nothing here depends on time going by. */
#include "support.h"

#include "gate.h"

#define TICK(n) ((uint64_t)(n) << 22)

static const int64_t LONG_LEASE = 3600 * 1000;

static void without_a_lease_nothing_is_leased(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    assert_false(live_gate_leased(&gate, TICK(1), 5));
}

static void a_lease_runs_until_a_tick_before_its_end(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    int64_t now = live_boottime();
    live_gate_set(&gate, now + LONG_LEASE);
    assert_true(live_gate_leased(&gate, TICK(1), 5));
    assert_false(live_gate_leased(&gate, TICK(2), LONG_LEASE + 1));
    live_gate_set(&gate, now - 1);
    assert_false(live_gate_leased(&gate, TICK(3), 5));
}

static void a_lease_that_is_cut_short_ends_within_the_tick_in_which_it_was_seen_to_run(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    live_gate_set(&gate, live_boottime() + LONG_LEASE);
    assert_true(live_gate_leased(&gate, TICK(1), 5));
    live_gate_set(&gate, 0);
    assert_false(live_gate_leased(&gate, TICK(1), 5));
}

static void a_verdict_written_late_for_a_lease_that_was_cut_short_does_not_count(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    live_gate_set(&gate, live_boottime() + LONG_LEASE);
    uint64_t verdict = TICK(1) | (atomic_load(&gate.generation) & 0xff); /* what a reader is about to write */
    live_gate_set(&gate, 0);
    atomic_store(&gate.verified, verdict);
    assert_false(live_gate_leased(&gate, TICK(1), 5));
}

static void the_clock_that_runs_through_sleep_is_asked_in_each_tick(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    live_gate_set(&gate, live_boottime() + LONG_LEASE);
    assert_true(live_gate_leased(&gate, TICK(1), 5));
    atomic_store(&gate.until, live_boottime()); /* as if the machine had slept for the rest of the lease */
    assert_false(live_gate_leased(&gate, TICK(2), 5));
}

static void renewals_lengthen_a_lease_without_ending_what_readers_know(void **state)
{
    (void)state;
    struct live_gate gate = {0};
    live_gate_set(&gate, live_boottime() + LONG_LEASE);
    assert_true(live_gate_leased(&gate, TICK(1), 5));
    uint32_t generation = atomic_load(&gate.generation);
    live_gate_set(&gate, live_boottime() + 2 * LONG_LEASE);
    assert_int_equal(atomic_load(&gate.generation), generation);
    assert_true(live_gate_leased(&gate, TICK(1), 5));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_lease_nothing_is_leased),
        cmocka_unit_test(a_lease_runs_until_a_tick_before_its_end),
        cmocka_unit_test(a_lease_that_is_cut_short_ends_within_the_tick_in_which_it_was_seen_to_run),
        cmocka_unit_test(a_verdict_written_late_for_a_lease_that_was_cut_short_does_not_count),
        cmocka_unit_test(the_clock_that_runs_through_sleep_is_asked_in_each_tick),
        cmocka_unit_test(renewals_lengthen_a_lease_without_ending_what_readers_know),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The lease's arithmetic, on injected time.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "lease.h"

#define T0 1000000

static struct fsw_lease welcomed(void)
{
    struct fsw_lease lease = {0};
    fsw_lease_hello(&lease, T0);
    fsw_lease_welcome(&lease, 30000);
    return lease;
}

static void without_a_grant_no_lease_runs(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    assert_false(fsw_lease_runs(&lease, T0));
    assert_false(fsw_lease_runs(&lease, 0));
}

static void a_lease_counts_from_when_its_renewal_was_sent(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    assert_true(fsw_lease_grant(&lease, 0, 30000));
    assert_true(fsw_lease_runs(&lease, T0 + 29999));
    assert_false(fsw_lease_runs(&lease, T0 + 30000));
    uint64_t n = fsw_lease_renew(&lease, T0 + 10000);
    assert_int_equal(n, 1);
    assert_false(fsw_lease_runs(&lease, T0 + 30000));
    assert_true(fsw_lease_grant(&lease, 1, 30000));
    assert_true(fsw_lease_runs(&lease, T0 + 39999));
    assert_false(fsw_lease_runs(&lease, T0 + 40000));
}

static void a_grant_that_arrives_after_its_own_end_grants_nothing(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    assert_true(fsw_lease_grant(&lease, 0, 30000));
    assert_false(fsw_lease_runs(&lease, T0 + 31000));
}

static void renewals_are_due_every_third_of_the_lease(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    assert_false(fsw_lease_due(&lease, T0 + 9999));
    assert_true(fsw_lease_due(&lease, T0 + 10000));
    fsw_lease_renew(&lease, T0 + 10500);
    assert_false(fsw_lease_due(&lease, T0 + 20499));
    assert_true(fsw_lease_due(&lease, T0 + 20500));
}

static void before_welcome_nothing_is_due(void **state)
{
    (void)state;
    struct fsw_lease lease = {0};
    fsw_lease_hello(&lease, T0);
    assert_false(fsw_lease_due(&lease, T0 + 1000000));
}

static void the_newest_grant_settles_older_renewals(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    fsw_lease_renew(&lease, T0 + 1000);
    fsw_lease_renew(&lease, T0 + 2000);
    fsw_lease_renew(&lease, T0 + 3000);
    assert_true(fsw_lease_grant(&lease, 2, 30000));
    assert_false(fsw_lease_grant(&lease, 1, 30000));
    assert_false(fsw_lease_grant(&lease, 2, 30000));
    assert_false(fsw_lease_runs(&lease, T0 + 32000));
    assert_true(fsw_lease_runs(&lease, T0 + 31999));
}

static void a_renewal_never_sent_cannot_be_granted(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    assert_false(fsw_lease_grant(&lease, 1, 30000));
    assert_false(fsw_lease_grant(&lease, UINT64_MAX, 30000));
    assert_false(fsw_lease_runs(&lease, T0));
}

static void a_renewal_too_old_to_be_remembered_counts_for_nothing(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    for (int i = 1; i <= FSW_LEASE_RENEWALS; i++) {
        fsw_lease_renew(&lease, T0 + i);
    }
    assert_false(fsw_lease_grant(&lease, 0, 30000));
    assert_true(fsw_lease_grant(&lease, 1, 30000));
    assert_false(fsw_lease_runs(&lease, T0 + 30001));
}

static void a_lease_outlives_its_connection_but_not_its_end(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    fsw_lease_grant(&lease, 0, 30000);
    fsw_lease_hello(&lease, T0 + 5000);
    assert_true(fsw_lease_runs(&lease, T0 + 29999));
    assert_false(fsw_lease_runs(&lease, T0 + 30000));
    assert_true(fsw_lease_grant(&lease, 0, 30000));
    assert_true(fsw_lease_runs(&lease, T0 + 34999));
}

static void a_revoked_lease_is_over_at_once(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    fsw_lease_grant(&lease, 0, 30000);
    fsw_lease_end(&lease);
    assert_false(fsw_lease_runs(&lease, T0));
}

static void a_shorter_grant_shortens_the_rhythm(void **state)
{
    (void)state;
    struct fsw_lease lease = welcomed();
    fsw_lease_grant(&lease, 0, 3000);
    assert_true(fsw_lease_due(&lease, T0 + 1000));
    assert_false(fsw_lease_runs(&lease, T0 + 3000));
}

static void no_lease_is_so_short_that_renewals_flood(void **state)
{
    (void)state;
    struct fsw_lease lease = {0};
    fsw_lease_hello(&lease, T0);
    fsw_lease_welcome(&lease, 1);
    assert_false(fsw_lease_due(&lease, T0 + 49));
    fsw_lease_renew(&lease, T0 + 50);
    assert_false(fsw_lease_due(&lease, T0 + 99));
    assert_true(fsw_lease_grant(&lease, 0, 2));
    assert_false(fsw_lease_due(&lease, T0 + 99));
}

static void the_longest_duration_overflows_nothing(void **state)
{
    (void)state;
    struct fsw_lease lease = {0};
    fsw_lease_hello(&lease, INT64_MAX / 4);
    fsw_lease_welcome(&lease, INT64_MAX);
    assert_true(fsw_lease_grant(&lease, 0, INT64_MAX));
    assert_true(fsw_lease_runs(&lease, INT64_MAX / 4 + 1));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_a_grant_no_lease_runs),
        cmocka_unit_test(a_lease_counts_from_when_its_renewal_was_sent),
        cmocka_unit_test(a_grant_that_arrives_after_its_own_end_grants_nothing),
        cmocka_unit_test(renewals_are_due_every_third_of_the_lease),
        cmocka_unit_test(before_welcome_nothing_is_due),
        cmocka_unit_test(the_newest_grant_settles_older_renewals),
        cmocka_unit_test(a_renewal_never_sent_cannot_be_granted),
        cmocka_unit_test(a_renewal_too_old_to_be_remembered_counts_for_nothing),
        cmocka_unit_test(a_lease_outlives_its_connection_but_not_its_end),
        cmocka_unit_test(a_revoked_lease_is_over_at_once),
        cmocka_unit_test(a_shorter_grant_shortens_the_rhythm),
        cmocka_unit_test(no_lease_is_so_short_that_renewals_flood),
        cmocka_unit_test(the_longest_duration_overflows_nothing),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Leases: a client that cannot be sure that it hears changes falls to the safe values, on time and no
 * earlier. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  theme:\n"
    "    variants: { dark: dark, light: light }\n"
    "    defaultVariant: light\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    *c = world_watching(w, "shop");
    return w;
}

static void without_renewal_access_falls_to_safe_after_30_s_and_the_rest_stays(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_advance(w, 29999);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    world_destroy(w);
}

static void hello_is_renewal_0_and_granted_behind_its_last_snapshot(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    w->hold_asks = true;
    world_watch(c, 1, "ada");
    world_watch(c, 2, "bo");
    world_connect(c, false);
    world_run(w);
    assert_int_equal(c->granted, 0);
    world_answer_all(w);
    world_run(w);
    assert_int_equal(c->granted, 1);
    assert_int_equal(c->snapshots, 2);
    world_destroy(w);
}

static void a_hung_source_delays_the_first_snapshot_for_a_second_and_holds_up_no_lease(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_watch(c, 2, "bo");
    uint64_t granted = c->granted;
    world_renew(c);
    world_run(w);
    assert_int_equal(c->granted, granted + 1); /* watch 2 still waits, and holds up nothing */
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 2, "door"), "false");
    assert_string_equal(world_reason(c, 2, "door"), "ERROR");
    assert_string_equal(world_value(c, 2, "theme"), "\"light\"");
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_run(w);
    assert_string_equal(world_value(c, 2, "door"), "true");
    world_destroy(w);
}

static void only_the_newest_renewal_is_granted(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    uint64_t granted = c->granted;
    world_renew(c);
    world_renew(c);
    world_renew(c);
    world_run(w);
    assert_int_equal(c->granted, granted + 1);
    assert_true(c->lease_until == w->now.mono + 30000);
    world_destroy(w);
}

static void a_blocked_connection_gets_its_changes_before_its_lease(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    c->blocked = true;
    for (int i = 0; i < 40; i++) {
        world_policy(w, "app/door", NULL, i % 2 ? "true" : "false");
        world_recompute(w, "ada");
        world_renew(c);
        world_run(w);
    }
    assert_true(c->inbox.count - c->read <= 8); /* the window: what changes beyond it is a set, no queue */
    c->blocked = false;
    world_run(w);
    world_assert_converged(w);
    world_renew(c);
    world_run(w);
    assert_true(c->lease_until == w->now.mono + 30000);
    world_destroy(w);
}

static void after_revoked_no_lease_is_granted_any_more(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    fs_engine_goaway(w->engine, "shop", "revoked", "the key was revoked", 0, 0, 4401);
    world_renew(c);
    world_run(w);
    assert_string_equal(c->goaway, "revoked");
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_false(world_leased(c));
    world_destroy(w);
}

static void a_renewal_or_acknowledgement_that_counts_backwards_is_a_bad_frame(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_renew(c);
    world_renew(c);
    world_run(w);
    fs_engine_renew(w->engine, c->connection, 1, w->now);
    world_run(w);
    assert_string_equal(c->last_error, "bad_frame");
    fs_engine_ack(w->engine, c->connection, c->closed + 1000, w->now);
    world_run(w);
    assert_int_equal(c->errors, 2);
    world_destroy(w);
}

static void a_watch_of_one_snapshot_is_neither_kept_nor_leased(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    world_policy(w, "app/door", NULL, "true");
    world_connect(c, false);
    world_watch_flags(c, 1, "ada", NULL, true);
    world_run(w);
    assert_int_equal(c->snapshots, 1);
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.watches, 0);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_int_equal(c->deltas, 0);
    world_destroy(w);
}

static void a_client_that_was_told_a_revision_by_its_lease_alone_is_not_behind(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct world_client *other = world_client(w, "other");
    world_watch(other, 1, "bo");
    world_connect(other, false);
    world_run(w);
    world_policy(w, "app/door", "bo", "false");
    world_recompute(w, "bo");
    world_run(w);
    uint64_t granted = c->granted;
    world_renew(c);
    world_run(w);
    assert_int_equal(c->granted, granted + 1);
    assert_true(fs_connection_find(w->engine, c->connection)->sent_revision >
                fs_connection_find(w->engine, c->connection)
                    ->acked_revision); /* the lease said it: nothing to acknowledge */
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.behind, 0);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_renewal_access_falls_to_safe_after_30_s_and_the_rest_stays),
        cmocka_unit_test(hello_is_renewal_0_and_granted_behind_its_last_snapshot),
        cmocka_unit_test(a_hung_source_delays_the_first_snapshot_for_a_second_and_holds_up_no_lease),
        cmocka_unit_test(only_the_newest_renewal_is_granted),
        cmocka_unit_test(a_blocked_connection_gets_its_changes_before_its_lease),
        cmocka_unit_test(after_revoked_no_lease_is_granted_any_more),
        cmocka_unit_test(a_renewal_or_acknowledgement_that_counts_backwards_is_a_bad_frame),
        cmocka_unit_test(a_watch_of_one_snapshot_is_neither_kept_nor_leased),
        cmocka_unit_test(a_client_that_was_told_a_revision_by_its_lease_alone_is_not_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

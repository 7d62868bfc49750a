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

static uint64_t leases_ended(struct world *w)
{
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    return counts.leases_ended;
}

static void a_lease_that_ends_on_an_open_connection_is_counted_at_the_next_grant_or_at_its_end(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_advance(w, 20000);
    world_renew(c);
    world_run(w);
    assert_int_equal(leases_ended(w), 0);
    world_advance(w, 31000); /* it stands still */
    world_renew(c);
    world_run(w);
    assert_int_equal(leases_ended(w), 1);
    world_advance(w, 31000);
    world_drop(c);
    assert_int_equal(leases_ended(w), 2);
    world_advance(w, 40000); /* nobody was there to lose one */
    world_connect(c, true);
    world_run(w);
    world_drop(c); /* it leaves in time */
    assert_int_equal(leases_ended(w), 2);
    world_destroy(w);
}

/* A client that knows a revision from its lease has nothing to acknowledge (docs/protocol, section 3). */
static void a_client_is_behind_for_what_was_pushed_to_it_and_not_for_what_its_lease_tells(void **state)
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
    world_renew(c); /* granted at a revision that says nothing about ada */
    world_run(w);
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.behind, 0);
    assert_int_equal(counts.oldest_push, 0);

    other->blocked = true;
    world_policy(w, "app/door", "bo", "true");
    world_recompute(w, "bo");
    world_run(w);
    int64_t pushed = w->now.mono;
    world_advance(w, 3000);
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.behind, 1);
    assert_in_range(counts.oldest_push, pushed - 1000, pushed);
    other->blocked = false;
    world_run(w);
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.behind, 0);
    assert_int_equal(counts.oldest_push, 0);
    world_destroy(w);
}

static json_int_t of_opa(struct world *w, const char *member)
{
    json_t *sources = fs_engine_show_sources(w->engine, w->now);
    json_int_t value = json_integer_value(json_object_get(json_array_get(sources, 1), member));
    json_decref(sources);
    return value;
}

static json_int_t unanswered(struct world *w)
{
    return of_opa(w, "unanswered");
}

static void questions_that_wait_for_their_source_are_told(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    assert_int_equal(unanswered(w), 0);
    w->hold_asks = true;
    world_watch(c, 2, "bo");
    world_watch(c, 3, "cy");
    world_run(w);
    assert_int_equal(unanswered(w), 2);
    json_int_t before = of_opa(w, "waited");
    world_advance(w, 700);
    assert_int_equal(of_opa(w, "waited"), before + 1400);
    world_answer_all(w);
    world_run(w);
    assert_int_equal(unanswered(w), 0);
    world_advance(w, 700);
    assert_int_equal(of_opa(w, "waited"), before + 1400);
    w->hold_asks = false;
    world_source(w, "opa")->probes_fail = true;
    world_advance(w, 5000); /* it is down, and nothing is asked of it */
    world_watch(c, 4, "di");
    world_run(w);
    assert_int_equal(unanswered(w), 1);
    for (uint64_t watch = 1; watch <= 4; watch++)
        world_unwatch(c, watch);
    world_advance(w, 300000); /* nobody wants to know any more */
    assert_int_equal(unanswered(w), 0);
    world_source(w, "opa")->probes_fail = false;
    world_renew(c);
    world_watch(c, 5, "ed");
    world_advance(w, 5000);
    assert_string_equal(world_value(c, 5, "door"), "true");
    assert_int_equal(unanswered(w), 0);
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
        cmocka_unit_test(a_lease_that_ends_on_an_open_connection_is_counted_at_the_next_grant_or_at_its_end),
        cmocka_unit_test(a_client_is_behind_for_what_was_pushed_to_it_and_not_for_what_its_lease_tells),
        cmocka_unit_test(questions_that_wait_for_their_source_are_told),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

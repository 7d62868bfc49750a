/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts: true in each number, and after safe_at nobody reads the old value. */
#include "receipt_support.h"

static void a_revocation_names_who_is_behind_and_who_may_still_hold(void **state)
{
    (void)state;
    struct world *w = begin();
    struct world_client *frozen = w->clients.items[1], *gone = w->clients.items[2];
    world_advance(w, 10000);
    world_renew(frozen);
    world_run(w);
    frozen->frozen = true;
    world_drop(gone);
    world_policy(w, "app/door", NULL, "false");
    uint64_t entry = world_recompute(w, "ada");
    fs_engine_receipt_wait(w->engine, entry, true, 60000, 5, w->now);
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "applied"));
    assert_false(truth(receipt, "complete"));
    assert_int_equal(number(receipt, "concerned"), 3);
    assert_int_equal(number(receipt, "acknowledged"), 1);
    assert_int_equal(number(receipt, "behindCount"), 1);
    assert_int_equal(number(receipt, "heldCount"), 1);
    assert_string_equal(fs_json_text(json_array_get(json_object_get(receipt, "behind"), 0), "client"),
                        "frozen");
    /* The frozen one's last lease, counted from no earlier than it can have asked for it. */
    assert_int_equal(safe_at(receipt), w->now.wall + 30001);
    json_decref(receipt);
    assert_null(world_receipt_of(w, 5));
    world_advance(w, 29999);
    assert_string_equal(world_value(frozen, 1, "door"), "true");
    assert_null(world_receipt_of(w, 5));
    world_advance(w, 2);
    assert_string_equal(world_value(frozen, 1, "door"), "false");
    assert_string_equal(world_value(gone, 1, "door"), "false");
    json_t *last = world_receipt_of(w, 5);
    assert_non_null(last);
    assert_true(truth(last, "complete"));
    assert_int_equal(number(last, "acknowledged"), 1);
    assert_int_equal(number(last, "expired"), 2);
    assert_int_equal(safe_at(last), w->now.wall);
    world_destroy(w);
}

static void repeating_a_revocation_gives_the_same_truth(void **state)
{
    (void)state;
    struct world *w = begin();
    w->clients.items[1]->frozen = true;
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    uint64_t entry = world_recompute(
        w, "ada"); /* nothing changes any more; who still holds the old value is concerned all the same */
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(number(receipt, "concerned"), 3);
    assert_int_equal(number(receipt, "acknowledged"), 2);
    assert_int_equal(number(receipt, "behindCount"), 1);
    json_decref(receipt);
    world_destroy(w);
}

static void a_lease_granted_in_the_turn_of_the_change_counts(void **state)
{
    (void)state;
    struct world *w = begin();
    struct world_client *c = w->clients.items[1];
    world_advance(w, 20000);
    w->manual = true;
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_commit(w);
    uint64_t entry = w->next_entry;
    world_turn(w);
    world_answer_all(w);
    world_commit(w); /* the answers: denied, not evaluated yet */
    world_renew(c);
    world_read(c);
    world_turn(w); /* grants first, then evaluates */
    world_read(c);
    c->frozen = true;
    w->manual = false;
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(safe_at(receipt) - WORLD_WALL >= c->lease_until - WORLD_MONO);
    json_decref(receipt);
    world_destroy(w);
}

static void a_dead_source_leaves_it_unresolved_until_its_answer_is_acknowledged(void **state)
{
    (void)state;
    struct world *w = begin();
    world_source(w, "opa")->mode = WORLD_REFUSES;
    world_policy(w, "app/door", NULL, "false");
    uint64_t entry = world_recompute(w, "ada");
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "applied"));
    assert_int_equal(json_array_size(json_object_get(receipt, "unresolved")), 1);
    assert_string_equal(fs_json_text(json_array_get(json_object_get(receipt, "unresolved"), 0), "query"),
                        "app/door");
    assert_int_equal(safe_at(receipt), 0);
    json_decref(receipt);
    w->clients.items[1]->frozen = true; /* has acknowledged what was until now */
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 1000);
    receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(json_array_size(json_object_get(receipt, "unresolved")), 0);
    assert_false(truth(receipt, "complete"));
    assert_int_equal(number(receipt, "behindCount"), 1);
    json_decref(receipt);
    w->clients.items[1]->frozen = false;
    world_run(w);
    receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "complete"));
    json_decref(receipt);
    world_destroy(w);
}

static void a_fact_that_changes_what_is_asked_waits_for_that_answer(void **state)
{
    (void)state;
    struct world *w = begin();
    w->hold_asks = true;
    world_policy(w, "app/vault", NULL, "false");
    uint64_t entry = world_fact(w, "ada", "tier", "\"gold\"");
    fs_engine_receipt_wait(w->engine, entry, false, 60000, 5, w->now);
    world_run(w);
    assert_null(world_receipt_of(w, 5));
    world_answer_all(w);
    world_run(w);
    json_t *receipt = world_receipt_of(w, 5);
    assert_non_null(receipt);
    assert_int_equal(number(receipt, "concerned"), 3);
    assert_string_equal(world_value(w->clients.items[0], 1, "vault"), "false");
    assert_string_equal(world_value(w->clients.items[0], 1, "door"), "true");
    world_destroy(w);
}

static void a_superseded_fact_says_so(void **state)
{
    (void)state;
    struct world *w = begin();
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}]}",
                   w->now.wall);
    uint64_t entry = world_event_at(
        w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"tin\"}]}", w->now.wall - 1000);
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "superseded"));
    json_decref(receipt);
    world_destroy(w);
}

static void a_wait_ends_at_its_time(void **state)
{
    (void)state;
    struct world *w = begin();
    w->hold_asks = true;
    uint64_t entry = world_recompute(w, "ada");
    fs_engine_receipt_wait(w->engine, entry, false, 300, 5, w->now);
    fs_engine_receipt_wait(w->engine, entry, true, 700, 6, w->now);
    world_advance(w, 300);
    assert_false(truth(world_receipt_of(w, 5), "complete"));
    assert_null(world_receipt_of(w, 6));
    world_advance(w, 400);
    assert_non_null(world_receipt_of(w, 6));
    world_destroy(w);
}

static void after_a_restart_safe_at_is_not_before_the_old_leases_end(void **state)
{
    (void)state;
    struct world *w = begin();
    world_restart(w);
    int64_t started = w->now.wall;
    uint64_t entry = world_recompute(w, "ada");
    world_advance(w, 100);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(safe_at(receipt), started + 30000);
    assert_false(truth(receipt, "complete"));
    json_decref(receipt);
    world_advance(w, 30000);
    receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "complete"));
    json_decref(receipt);
    world_destroy(w);
}

static void a_lease_moves_with_the_client_that_comes_back(void **state)
{
    (void)state;
    struct world *w = begin();
    struct world_client *c = w->clients.items[0];
    w->hold_asks = true;
    world_policy(w, "app/door", NULL, "false");
    uint64_t entry = world_recompute(w, "ada");
    world_advance(w, 5000);
    world_renew(c);
    world_run(w); /* the lease now ends 30 s from here */
    world_drop(c);
    c->frozen = true;
    world_connect(c, true);
    world_run(w);
    w->hold_asks = false;
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(safe_at(receipt) - WORLD_WALL >= c->lease_until - WORLD_MONO);
    json_decref(receipt);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revocation_names_who_is_behind_and_who_may_still_hold),
        cmocka_unit_test(repeating_a_revocation_gives_the_same_truth),
        cmocka_unit_test(a_lease_granted_in_the_turn_of_the_change_counts),
        cmocka_unit_test(a_dead_source_leaves_it_unresolved_until_its_answer_is_acknowledged),
        cmocka_unit_test(a_fact_that_changes_what_is_asked_waits_for_that_answer),
        cmocka_unit_test(a_superseded_fact_says_so),
        cmocka_unit_test(a_wait_ends_at_its_time),
        cmocka_unit_test(after_a_restart_safe_at_is_not_before_the_old_leases_end),
        cmocka_unit_test(a_lease_moves_with_the_client_that_comes_back),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

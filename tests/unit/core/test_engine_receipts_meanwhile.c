/* SPDX-License-Identifier: Apache-2.0 */
/* Receipts while other things happen: flags are reloaded, clients come back, sources fail, recomputes merge.
 */
#include "receipt_internal.h"
#include "receipt_support.h"

static const char client_flags[] =
    "flags:\n"
    "  door:\n"
    "    visibility: client\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n";

static const char without_door[] = "flags:\n" VAULT;
static const char hidden_door[] = "flags:\n"
                                  "  door:\n"
                                  "    visibility: server\n"
                                  "    variants: { \"on\": true, \"off\": false }\n"
                                  "    defaultVariant: \"off\"\n"
                                  "    decision: { source: opa, path: app/door, input: { user: { var: "
                                  "targetingKey } } }\n" VAULT;

static void a_flag_that_is_removed_meanwhile_may_still_be_held(void **state)
{
    (void)state;
    struct world *w = begin();
    struct world_client *frozen = w->clients.items[1];
    frozen->frozen = true;
    w->hold_asks = true;
    uint64_t entry = world_recompute(w, "ada");
    world_run(w);
    world_load(w, without_door);
    w->hold_asks = false;
    world_run(w);
    assert_string_equal(world_value(frozen, 1, "door"), "true");
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "applied"));
    assert_false(truth(receipt, "complete"));
    assert_int_equal(number(receipt, "acknowledged"), 2);
    assert_int_equal(number(receipt, "behindCount"), 1);
    assert_true(safe_at(receipt) - WORLD_WALL >= frozen->lease_until - WORLD_MONO);
    json_decref(receipt);
    frozen->frozen = false;
    world_run(w);
    assert_string_equal(world_value(frozen, 1, "door"), "absent");
    receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "complete"));
    json_decref(receipt);
    world_destroy(w);
}

static void a_flag_that_is_hidden_meanwhile_may_still_be_held_by_whom_it_is_hidden_from(void **state)
{
    (void)state;
    struct world *w = world_create(client_flags);
    world_policy(w, "app/door", NULL, "true");
    world_watching(w, "server");
    struct world_client *page = world_client_as(w, "page", "evaluate", "ada");
    world_watch(page, 1, "ada");
    world_connect(page, false);
    world_run(w);
    page->frozen = true;
    w->hold_asks = true;
    uint64_t entry = world_recompute(w, "ada");
    world_run(w);
    world_load(w, hidden_door);
    w->hold_asks = false;
    world_run(w);
    assert_string_equal(world_value(page, 1, "door"), "true");
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "applied"));
    assert_int_equal(number(receipt, "concerned"), 2);
    assert_int_equal(number(receipt, "acknowledged"), 1);
    assert_int_equal(number(receipt, "behindCount"), 1);
    json_decref(receipt);
    world_destroy(w);
}

static void a_flag_that_others_lost_earlier_is_waited_for_by_nobody(void **state)
{
    (void)state;
    struct world *w = begin();
    world_load(w, without_door);
    world_load(w, "flags:\n" DOOR VAULT);
    world_run(w);
    w->hold_asks = true;
    uint64_t entry = world_fact(w, "ada", "tier", "\"tin\"");
    w->hold_asks = false;
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(truth(receipt, "complete"));
    assert_int_equal(number(receipt, "acknowledged"), 3);
    json_decref(receipt);
    world_destroy(w);
}

static void who_comes_back_to_a_snapshot_is_counted_once(void **state)
{
    (void)state;
    struct world *w = begin();
    struct world_client *c = w->clients.items[0];
    w->hold_asks = true;
    world_policy(w, "app/door", NULL, "false");
    uint64_t entry = world_recompute(w, "ada");
    world_run(w);
    world_drop(c);
    world_load(w, "flags:\n" DOOR VAULT); /* older resume points get snapshots */
    world_connect(c, true);
    world_run(w);
    assert_int_equal(c->snapshots, 2);
    w->hold_asks = false;
    w->late_truth = true;
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(number(receipt, "concerned"), 3);
    assert_int_equal(number(receipt, "acknowledged"), 3);
    json_decref(receipt);
    world_destroy(w);
}

static const char patient[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    maxStale: 10m\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n";

static void who_was_past_its_lease_and_got_another_on_the_old_value_holds_it_again(void **state)
{
    (void)state;
    struct world *w = world_create(patient);
    world_policy(w, "app/door", NULL, "true");
    struct world_client *c = world_client(w, "late");
    c->mute = true;
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    world_source(w, "opa")->mode = WORLD_REFUSES;
    uint64_t entry = world_recompute(w, "ada");
    world_advance(w, 31000);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(number(receipt, "expired"), 1);
    json_decref(receipt);
    world_renew(c);
    world_run(w);
    c->frozen = true;
    world_policy(w, "app/door", NULL, "false");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 29000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(json_array_size(json_object_get(receipt, "unresolved")), 0);
    assert_int_equal(number(receipt, "behindCount"), 1);
    assert_true(safe_at(receipt) - WORLD_WALL >= c->lease_until - WORLD_MONO);
    json_decref(receipt);
    world_destroy(w);
}

/* The receipt of the newest entry that says what a source did. */
static json_t *receipt_of_the_source(struct world *w)
{
    for (size_t i = w->entries.count; i-- > 0;)
        if (w->entries.items[i].kind == FS_ENTRY_SOURCE)
            return fs_engine_receipt(w->engine, w->entries.items[i].number, w->now);
    return NULL;
}

static void whoever_an_answer_concerned_that_told_a_revision_first_is_in_its_receipt(void **state)
{
    (void)state;
    struct world *w = world_create(client_flags);
    struct world_source *opa = world_source(w, "opa");
    snprintf(opa->revision, sizeof opa->revision, "r1");
    world_policy(w, "app/door", NULL, "true");
    world_advance(w, 1500);
    struct world_client *c = world_watching(w, "shop");
    world_advance(w, 3000);
    world_policy(w, "app/door", NULL, "false");
    snprintf(opa->revision, sizeof opa->revision, "r2");
    c->frozen = true;
    opa->probes_hang = true;
    world_recompute(w, "ada"); /* its answer is the first to tell r2 */
    world_run(w);
    json_t *receipt = receipt_of_the_source(w);
    assert_int_equal(number(receipt, "concerned"), 1);
    assert_int_equal(number(receipt, "behindCount"), 1);
    assert_true(safe_at(receipt) - WORLD_WALL >= c->lease_until - WORLD_MONO);
    json_decref(receipt);
    c->frozen = false;
    world_run(w);
    receipt = receipt_of_the_source(w);
    assert_true(truth(receipt, "complete"));
    json_decref(receipt);
    world_destroy(w);
}

static void an_event_deferred_behind_another_is_not_applied_before_it_was_asked(void **state)
{
    (void)state;
    static const char *const event =
        "{\"credential\":\"k\",\"recompute\":{\"subjects\":[\"ada\"],\"sources\":[\"opa\"]}}";
    struct world *w = begin();
    world_source(w, "opa")->mode = WORLD_REFUSES;
    world_event(w, event);
    world_run(w);
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_policy(w, "app/door", NULL, "false");
    uint64_t entry = world_event(w, event); /* merged with the first: asked a moment later */
    fs_engine_receipt_wait(w->engine, entry, false, 60000, 5, w->now);
    world_run(w);
    assert_null(world_receipt_of(w, 5));
    world_advance(w, FS_PACE_MS);
    json_t *receipt = world_receipt_of(w, 5);
    assert_true(truth(receipt, "applied"));
    assert_int_equal(json_array_size(json_object_get(receipt, "unresolved")), 0);
    assert_string_equal(world_value(w->clients.items[0], 1, "door"), "false");
    world_destroy(w);
}

static void unresolved_receipts_of_many_are_not_looked_at_in_each_turn(void **state)
{
    (void)state;
    struct world *w = world_create(client_flags);
    struct world_client *c = world_client(w, "bank");
    world_policy(w, "app/door", NULL, "true");
    world_connect(c, false);
    for (uint64_t i = 1; i <= 300; i++) {
        char subject[20];
        snprintf(subject, sizeof subject, "u%d", (int)i);
        world_watch(c, i, subject);
    }
    world_run(w);
    world_source(w, "opa")->mode = WORLD_REFUSES;
    for (int i = 0; i < 3; i++)
        world_recompute(w, NULL);
    world_run(w);
    const struct fs_receipt *receipt = FS_CONTAINER(w->engine->receipts.next, struct fs_receipt, node);
    assert_true(receipt->late);
    int64_t checked = receipt->checked;
    w->now.mono += 10; /* 300 questions and 300 cells each: some 18 ms, while watches hold 27 */
    world_turn(w);
    assert_int_equal(receipt->checked, checked);
    assert_true(fs_engine_next(w->engine) <= checked + 27);
    w->now.mono = fs_engine_next(w->engine);
    world_turn(w);
    assert_int_equal(receipt->checked, w->now.mono);
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 1000);
    assert_true(receipt->complete);
    world_destroy(w);
}

static void who_begins_to_watch_while_it_is_unresolved_is_concerned_where_its_context_is(void **state)
{
    (void)state;
    struct world *w = begin();
    world_source(w, "opa")->mode = WORLD_REFUSES;
    uint64_t entry = world_recompute(w, "ada");
    world_run(w);
    world_watch(w->clients.items[0], 2, "bo");
    world_watch(w->clients.items[0], 3, "ada");
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(number(receipt, "concerned"), 4);
    json_decref(receipt);
    world_destroy(w);
}

static void three_contexts(struct fs_engine_options *options)
{
    options->contexts = 3;
}

static void unresolved_receipts_keep_no_contexts_beyond_their_limit(void **state)
{
    (void)state;
    struct world *w = world_create_with(client_flags, three_contexts);
    struct fs_engine_counts counts;
    uint64_t token = 0;
    world_policy(w, "app/door", NULL, "true");
    world_watching(w, "shop");
    world_source(w, "opa")->probes_fail = true;
    world_advance(w, 3000);
    for (int round = 0; round < 30; round++) {
        for (int i = 0; i < 3; i++) {
            char subject[20];
            snprintf(subject, sizeof subject, "u%d-%d", round, i);
            world_evaluate(w, subject, ++token);
        }
        world_advance(w, 1100);
        world_recompute(w, NULL);
    }
    world_run(w);
    fs_engine_count(w->engine, &counts);
    assert_true(counts.contexts <= 3 + 1);
    world_destroy(w);
}

static json_int_t ofrep(struct world *w, uint64_t entry, const char *key)
{
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    json_int_t count = number(json_object_get(receipt, "ofrep"), key);
    json_decref(receipt);
    return count;
}

static void who_asked_over_ofrep_is_counted_when_it_asks_again(void **state)
{
    (void)state;
    struct world *w = world_create(client_flags);
    world_policy(w, "app/door", NULL, "true");
    world_watching(w, "shop");
    world_evaluate(w, "bo", 1);
    world_evaluate(w, "cy", 2);
    world_run(w);
    world_source(w, "opa")->mode = WORLD_REFUSES;
    uint64_t entry = world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(ofrep(w, entry, "concerned"), 2);
    assert_int_equal(ofrep(w, entry, "fetched"), 0);
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 1000);
    world_evaluate(w, "bo", 3);
    world_run(w);
    assert_int_equal(ofrep(w, entry, "fetched"), 1);
    world_evaluate(w, "cy", 4);
    world_run(w);
    assert_int_equal(ofrep(w, entry, "concerned"), 2);
    assert_int_equal(ofrep(w, entry, "fetched"), 2);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_that_is_removed_meanwhile_may_still_be_held),
        cmocka_unit_test(a_flag_that_is_hidden_meanwhile_may_still_be_held_by_whom_it_is_hidden_from),
        cmocka_unit_test(a_flag_that_others_lost_earlier_is_waited_for_by_nobody),
        cmocka_unit_test(who_comes_back_to_a_snapshot_is_counted_once),
        cmocka_unit_test(who_was_past_its_lease_and_got_another_on_the_old_value_holds_it_again),
        cmocka_unit_test(whoever_an_answer_concerned_that_told_a_revision_first_is_in_its_receipt),
        cmocka_unit_test(an_event_deferred_behind_another_is_not_applied_before_it_was_asked),
        cmocka_unit_test(unresolved_receipts_of_many_are_not_looked_at_in_each_turn),
        cmocka_unit_test(who_begins_to_watch_while_it_is_unresolved_is_concerned_where_its_context_is),
        cmocka_unit_test(unresolved_receipts_keep_no_contexts_beyond_their_limit),
        cmocka_unit_test(who_asked_over_ofrep_is_counted_when_it_asks_again),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

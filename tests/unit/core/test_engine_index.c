/* SPDX-License-Identifier: Apache-2.0 */
/* Cost: an event about one subject is that subject's work, however many others are watched. Counted, not
 * timed. */
#include "engine_world.h"

#define MANY 10000
#define SOME 1000 /* where the number does not matter */

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  gate:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: second, path: app/gate, input: {} }\n"
    "  vip:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n";

static struct world *begin(struct world_client **c, uint64_t many)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_policy(w, "app/gate", NULL, "true");
    *c = world_client(w, "backend");
    world_connect(*c, false);
    (*c)->mute = true;
    (*c)->blocked = true;
    for (uint64_t i = 1; i <= many; i++) {
        char name[16];
        snprintf(name, sizeof name, "u%llu", (unsigned long long)i);
        world_watch(*c, i, name);
    }
    (*c)->blocked = false;
    world_run(w);
    return w;
}

static struct fs_engine_counts counts_of(const struct world *w)
{
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    return counts;
}

static void ten_thousand_watches_are_asked_in_a_few_batches_and_shared_questions_once(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, MANY);
    assert_int_equal(counts_of(w).watches, MANY);
    assert_int_equal(world_source(w, "opa")->asked, MANY);
    assert_int_equal(world_source(w, "second")->asked, 1);
    assert_int_equal(counts_of(w).asks, MANY / 200 + 1);
    assert_string_equal(world_value(c, MANY, "door"), "true");
    world_destroy(w);
}

static void an_event_about_one_subject_is_one_question_and_one_evaluation(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, MANY);
    struct fs_engine_counts before = counts_of(w);
    uint64_t asked = world_source(w, "opa")->asked;
    world_policy(w, "app/door", "u5000", "false");
    world_event(w, "{\"recompute\":{\"subjects\":[\"u5000\"],\"paths\":[\"app/door\"]}}");
    world_run(w);
    struct fs_engine_counts after = counts_of(w);
    assert_int_equal(world_source(w, "opa")->asked, asked + 1);
    assert_int_equal(after.asks, before.asks + 1);
    assert_int_equal(after.evaluations, before.evaluations + 1);
    assert_int_equal(after.changes, before.changes + 1);
    assert_int_equal(c->deltas, 1);
    assert_string_equal(world_value(c, 5000, "door"), "false");
    world_destroy(w);
}

static void a_fact_of_one_subject_is_one_evaluation(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, SOME);
    struct fs_engine_counts before = counts_of(w);
    world_fact(w, "u77", "tier", "\"gold\"");
    world_run(w);
    assert_int_equal(counts_of(w).evaluations, before.evaluations + 1);
    assert_int_equal(counts_of(w).asks, before.asks);
    assert_string_equal(world_value(c, 77, "vip"), "true");
    world_destroy(w);
}

static void filters_of_different_kinds_narrow_and_of_one_kind_widen(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, SOME);
    uint64_t asked = world_source(w, "opa")->asked;
    world_event(w, "{\"recompute\":{\"subjects\":[\"u1\",\"u2\",\"nobody\"],\"sources\":[\"opa\"]}}");
    world_run(w);
    assert_int_equal(world_source(w, "opa")->asked, asked + 2);
    world_event(w, "{\"recompute\":{\"subjects\":[\"u1\"],\"flags\":[\"gate\"],\"paths\":[\"app\"]}}");
    world_event(w, "{\"recompute\":{\"subjects\":[\"u1\"],\"paths\":[\"ap\"]}}");
    world_run(w);
    assert_int_equal(world_source(w, "opa")->asked, asked + 2);
    assert_int_equal(world_source(w, "second")->asked, 2);
    world_destroy(w);
}

static void an_event_about_all_is_one_tick_and_its_receipt_counts_all(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, SOME);
    size_t ticks = world_count_entries(w, FS_ENTRY_TICK);
    world_policy(w, "app/door", NULL, "false");
    w->hold_asks = true;
    uint64_t entry = world_recompute(w, NULL);
    world_run(w);
    world_answer_all(w);
    w->hold_asks = false;
    world_run(w);
    assert_int_equal(world_count_entries(w, FS_ENTRY_TICK), ticks + 1);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_int_equal(json_integer_value(json_object_get(receipt, "concerned")), SOME);
    assert_int_equal(json_integer_value(json_object_get(receipt, "behindCount")),
                     SOME); /* this client acknowledges nothing */
    assert_int_equal(json_array_size(json_object_get(receipt, "behind")), 100);
    json_decref(receipt);
    assert_string_equal(world_value(c, SOME, "door"), "false");
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(ten_thousand_watches_are_asked_in_a_few_batches_and_shared_questions_once),
        cmocka_unit_test(an_event_about_one_subject_is_one_question_and_one_evaluation),
        cmocka_unit_test(a_fact_of_one_subject_is_one_evaluation),
        cmocka_unit_test(filters_of_different_kinds_narrow_and_of_one_kind_widen),
        cmocka_unit_test(an_event_about_all_is_one_tick_and_its_receipt_counts_all),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Grants are held while an event has put their answer in doubt, for one further round at most; what takes
 * away goes at once. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  level:\n"
    "    variants: { none: none, some: some, all: all }\n"
    "    defaultVariant: none\n"
    "    safeVariant: none\n"
    "    order: [none, some, all]\n"
    "    decision: { source: opa, path: app/level, input: { user: { var: targetingKey } } }\n"
    "  tools:\n"
    "    type: object\n"
    "    decision: { source: opa, path: app/tools, input: { user: { var: targetingKey } } }\n"
    "    value: { var: decision.value }\n"
    "    safeValue: []\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "false");
    world_policy(w, "app/level", NULL, "\"some\"");
    world_policy(w, "app/tools", NULL, "[\"read\",\"write\"]");
    *c = world_watching(w, "shop");
    w->hold_asks = true;
    return w;
}

/* One more event; the answer that is under way was asked before it. */
static void overtake(struct world *w)
{
    world_recompute(w, "ada");
    world_answer_all(w);
    world_run(w);
}

static void a_grant_that_was_asked_before_an_event_waits_for_the_next_answer(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_run(w); /* asked */
    overtake(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_answer_all(w); /* asked after the second event */
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void a_denial_that_was_asked_before_an_event_goes_at_once(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/level", NULL, "\"none\"");
    world_policy(w, "app/tools", NULL, "[\"read\"]");
    world_recompute(w, "ada");
    world_run(w);
    overtake(w);
    assert_string_equal(world_value(c, 1, "level"), "\"none\"");
    assert_string_equal(world_value(c, 1, "tools"), "[\"read\"]");
    world_destroy(w);
}

static void a_move_up_in_the_order_and_a_longer_list_are_held(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/level", NULL, "\"all\"");
    world_policy(w, "app/tools", NULL, "[\"read\",\"write\",\"erase\"]");
    world_recompute(w, "ada");
    world_run(w);
    overtake(w);
    assert_string_equal(world_value(c, 1, "level"), "\"some\"");
    assert_string_equal(world_value(c, 1, "tools"), "[\"read\",\"write\"]");
    world_destroy(w);
}

static void events_without_pause_hold_a_grant_for_one_further_round_only(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_run(w);
    overtake(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    overtake(w); /* too early as well, and no reason to wait any longer */
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

/* Commits the answers that allow, then an event that came before the tick's turn. */
static void propose_and_overtake(struct world *w)
{
    world_answer_all(w);       /* the answers' draft */
    world_recompute(w, "ada"); /* the event's draft, behind it */
    assert_true(world_commit(w));
    world_turn(w); /* proposes: the tick's draft, behind the event's */
    assert_true(world_commit(w));
    assert_true(world_commit(w));
    world_run(w);
}

static void a_grant_that_an_event_overtakes_before_its_commit_is_held_once(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_run(w);
    w->manual = true;
    propose_and_overtake(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_true(world_commit(w)); /* the entry that tells what was withdrawn */
    propose_and_overtake(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void a_grant_held_back_at_its_commit_keeps_its_first_cause(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "true");
    json_int_t first = (json_int_t)world_recompute(w, "ada");
    world_run(w);
    w->manual = true;
    propose_and_overtake(w);
    w->manual = w->hold_asks = false;
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_int_equal(json_integer_value(json_object_get(world_flag(c, 1, "door"), "entry")), first);
    assert_int_equal(world_cell(w, "ada", "door")->cause->count, 2);
    world_destroy(w);
}

static void of_two_changes_before_an_answer_only_the_last_is_seen(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    w->hold_asks = false;
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(c->deltas, 0);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_grant_that_was_asked_before_an_event_waits_for_the_next_answer),
        cmocka_unit_test(a_denial_that_was_asked_before_an_event_goes_at_once),
        cmocka_unit_test(a_move_up_in_the_order_and_a_longer_list_are_held),
        cmocka_unit_test(events_without_pause_hold_a_grant_for_one_further_round_only),
        cmocka_unit_test(a_grant_that_an_event_overtakes_before_its_commit_is_held_once),
        cmocka_unit_test(a_grant_held_back_at_its_commit_keeps_its_first_cause),
        cmocka_unit_test(of_two_changes_before_an_answer_only_the_last_is_seen),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Time: what changes with it is scheduled for its moment, and waiting costs nothing; sources are asked again
 * when it is time. */
#include "engine_world.h"

/* The wall clock starts at 1790000000 s. */
static const char flags[] =
    "flags:\n"
    "  happy-hour:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    targeting: { if: [ { \">=\": [ { var: $flagd.timestamp }, 1790000100 ] }, \"on\", \"off\" ] }\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    *c = world_watching(w, "shop");
    return w;
}

static void a_comparison_with_the_time_changes_at_its_moment_and_is_not_looked_at_before(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->mode = WORLD_SILENT; /* nothing else happens */
    struct fs_engine_counts before, after;
    world_advance(w, 40000);
    fs_engine_count(w->engine, &before);
    world_advance(w, 59999);
    fs_engine_count(w->engine, &after);
    assert_true(after.evaluations - before.evaluations < 5);
    assert_string_equal(world_value(c, 1, "happy-hour"), "false");
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "happy-hour"), "true");
    assert_string_equal(fs_json_text(world_flag(c, 1, "happy-hour"), "cause"), "timer");
    world_destroy(w);
}

static const char timed_input[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision:\n"
    "      source: opa\n"
    "      path: app/door\n"
    "      input: { user: { if: [ { \">=\": [ { var: $flagd.timestamp }, 1790000100 ] }, late, early ] } }\n";

static void a_comparison_with_the_time_in_a_decisions_input_asks_anew_at_its_moment(void **state)
{
    (void)state;
    struct world *w = world_create(timed_input);
    world_policy(w, "app/door", "early", "true");
    world_policy(w, "app/door", "late", "false");
    struct world_client *c = world_watching(w, "shop");
    for (int i = 0; i < 10; i++) {
        world_renew(c);
        world_advance(w, 9999);
    }
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_advance(w, 10);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "timer");
    world_destroy(w);
}

static void who_asks_just_after_that_moment_is_told_what_holds_now(void **state)
{
    (void)state;
    struct world *w = world_create(timed_input);
    world_policy(w, "app/door", "early", "true");
    world_policy(w, "app/door", "late", "false");
    world_evaluate(w, "ada", 1);
    world_run(w);
    for (uint64_t i = 0; i < 10; i++) {
        world_advance(w, 9999);
        world_evaluate(w, "ada", 2 + i);
    }
    w->now.mono += 15; /* nothing has had its turn yet */
    w->now.wall += 15;
    world_evaluate(w, "ada", 20);
    world_run(w);
    const json_t *flag = json_object_get(world_evaluated_of(w, 20)->flags, "door");
    assert_true(json_is_false(json_object_get(flag, "value")));
    world_destroy(w);
}

static const char dated[] = "flags:\n"
                            "  vip:\n"
                            "    variants: { \"on\": true, \"off\": false }\n"
                            "    defaultVariant: \"off\"\n"
                            "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n"
                            "  until:\n"
                            "    variants: { \"on\": true, \"off\": false }\n"
                            "    defaultVariant: \"off\"\n"
                            "    targeting: { if: [ { \"<\": [ { var: $flagd.timestamp }, 1790003000 ] }, "
                            "\"on\", \"off\" ] }\n";

/* Both values end in less than an hour. */
static struct world *with_an_end(struct world_client **c)
{
    struct world *w = world_create(dated);
    *c = world_watching(w, "shop");
    char *event =
        fs_format("{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\",\"expires\":%lld}]}",
                  (long long)w->now.wall + 1800000);
    world_event(w, event);
    fs_free(event);
    world_run(w);
    assert_string_equal(world_value(*c, 1, "vip"), "true");
    assert_string_equal(world_value(*c, 1, "until"), "true");
    return w;
}

static void what_ends_while_the_clock_is_set_forward_ends_at_once(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = with_an_end(&c);
    w->now.wall -= 3600000; /* and before that back, which changes nothing */
    world_advance(w, 5000);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    w->now.wall += 3600000;
    world_advance(w, 5000);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    w->now.wall += 3600000;
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    assert_string_equal(world_value(c, 1, "until"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "vip"), "cause"), "timer");
    world_destroy(w);
}

static void a_moment_still_to_come_after_the_clock_was_set_forward_comes_by_the_new_clock(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = with_an_end(&c);
    w->now.wall += 1790000;
    world_advance(w, 9000);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_destroy(w);
}

static void neither_a_suspend_nor_a_clock_that_is_slewed_has_everything_looked_at(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = with_an_end(&c);
    struct fs_engine_counts before, after;
    fs_engine_count(w->engine, &before);
    w->now.wall += 600000; /* both clocks run through a suspend */
    w->now.mono += 600000;
    world_run(w);
    for (int i = 0; i < 900; i++) {
        w->now.wall++;
        world_advance(w, 100);
    }
    fs_engine_count(w->engine, &after);
    assert_int_equal(after.evaluations, before.evaluations);
    world_destroy(w);
}

static void what_changes_silently_is_found_within_revalidate(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "false");
    for (int i = 0; i < 6; i++) {
        world_advance(w, 10000);
        world_renew(c);
    }
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "revalidate");
    world_destroy(w);
}

static void a_lost_source_is_noticed_within_two_probes_and_safe_after_max_stale(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->probes_fail = true;
    world_advance(w, 2000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_reason(c, 1, "door"), "STALE");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "source-lost");
    uint64_t asked = world_source(w, "opa")->asked;
    world_recompute(w, "ada");
    world_advance(w, 8000);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_reason(c, 1, "door"), "ERROR");
    assert_int_equal(world_source(w, "opa")->asked, asked); /* down: nothing is asked of it */
    world_source(w, "opa")->probes_fail = false;
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_reason(c, 1, "door"), "TARGETING_MATCH");
    world_destroy(w);
}

/* A quarter of a minute with renewals. */
static void let_15_s_pass(struct world *w, struct world_client *c)
{
    for (int i = 0; i < 3; i++) {
        world_advance(w, 5000);
        world_renew(c);
        world_run(w);
    }
}

static void a_source_whose_probes_hang_is_lost_like_one_that_refuses(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->probes_hang = true;
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_advance(w, 3000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_reason(c, 1, "door"), "STALE");
    world_advance(w, 8000);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_source(w, "opa")->probes_hang = false;
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void
a_question_in_doubt_that_a_living_source_does_not_answer_is_too_stale_after_max_stale(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_recompute(w, "ada");
    world_advance(w, 8000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_reason(c, 1, "door"), "TARGETING_MATCH");
    world_advance(w, 2000);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_reason(c, 1, "door"), "ERROR");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 100);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static const char with_fact[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { tier: none }\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey }, tier: { var: "
    "facts.tier } } }\n";

static void an_old_value_serves_for_max_stale_while_a_new_question_has_no_answer(void **state)
{
    (void)state;
    struct world *w = world_create(with_fact);
    world_policy(w, "app/door", NULL, "true");
    struct world_client *c = world_watching(w, "shop");
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_fact(w, "ada", "tier", "\"tin\"");
    world_advance(w, 6000);
    world_fact(w, "ada", "tier", "\"lead\""); /* another question still: no more time for that */
    world_advance(w, 3999);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_reason(c, 1, "door"), "ERROR");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 100);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void so_it_is_after_a_reload_that_has_another_source_decide(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "second")->mode = WORLD_SILENT;
    world_load(w, "flags:\n"
                  "  door:\n"
                  "    variants: { \"on\": true, \"off\": false }\n"
                  "    defaultVariant: \"off\"\n"
                  "    decision: { source: second, path: app/other }\n");
    world_advance(w, 9000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    let_15_s_pass(w, c);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

static void a_probe_that_tells_another_revision_has_everything_asked_again(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = world_create(flags);
    snprintf(world_source(w, "opa")->revision, 32, "r1");
    world_policy(w, "app/door", NULL, "true");
    c = world_client(w, "shop");
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_advance(w, 3000);
    assert_string_equal(world_value(c, 1, "door"), "true");
    snprintf(world_source(w, "opa")->revision, 32, "r2");
    world_policy(w, "app/door", NULL, "false");
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(world_count_entries(w, FS_ENTRY_SOURCE), 1);
    uint64_t asked = world_source(w, "opa")->asked;
    world_advance(w, 5000);
    assert_int_equal(world_source(w, "opa")->asked, asked);
    world_destroy(w);
}

static void a_failed_question_is_asked_again_with_growing_pauses(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->mode = WORLD_REFUSES;
    world_recompute(w, "ada");
    world_run(w);
    uint64_t asked = world_source(w, "opa")->asked;
    world_advance(w, 4000);
    uint64_t early = world_source(w, "opa")->asked - asked;
    assert_true(early >= 3 && early <= 5);
    asked = world_source(w, "opa")->asked;
    world_advance(w, 20000);
    assert_true(world_source(w, "opa")->asked - asked <= 4);
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 30000);
    world_renew(c);
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

/* Asks that the sources got since the last call. */
static uint64_t new_asks(struct world *w, uint64_t *seen)
{
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    uint64_t fresh = counts.asks - *seen;
    *seen = counts.asks;
    return fresh;
}

static void recomputes_of_one_credential_within_50_ms_are_merged_and_none_is_lost(void **state)
{
    (void)state;
    static const char again[] = "{\"credential\":\"ops\",\"recompute\":{}}";
    struct world_client *c;
    struct world *w = begin(&c);
    uint64_t seen = 0;
    new_asks(w, &seen);
    world_event(w, again);
    world_run(w);
    assert_int_equal(new_asks(w, &seen), 1);
    world_policy(w, "app/door", NULL, "false");
    uint64_t last = 0;
    for (int i = 0; i < 20; i++) {
        last = world_event(w, again);
        world_run(w);
        world_advance(w, 2);
    }
    assert_int_equal(new_asks(w, &seen), 0);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_advance(w, 10);
    world_run(w);
    assert_int_equal(new_asks(w, &seen), 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    json_t *receipt = fs_engine_receipt(w->engine, last, w->now);
    assert_true(json_is_true(json_object_get(receipt, "complete")));
    json_decref(receipt);
    world_event(w, "{\"credential\":\"another\",\"recompute\":{}}");
    world_run(w);
    assert_int_equal(new_asks(w, &seen), 1);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_comparison_with_the_time_changes_at_its_moment_and_is_not_looked_at_before),
        cmocka_unit_test(a_comparison_with_the_time_in_a_decisions_input_asks_anew_at_its_moment),
        cmocka_unit_test(who_asks_just_after_that_moment_is_told_what_holds_now),
        cmocka_unit_test(what_ends_while_the_clock_is_set_forward_ends_at_once),
        cmocka_unit_test(a_moment_still_to_come_after_the_clock_was_set_forward_comes_by_the_new_clock),
        cmocka_unit_test(neither_a_suspend_nor_a_clock_that_is_slewed_has_everything_looked_at),
        cmocka_unit_test(what_changes_silently_is_found_within_revalidate),
        cmocka_unit_test(a_lost_source_is_noticed_within_two_probes_and_safe_after_max_stale),
        cmocka_unit_test(a_source_whose_probes_hang_is_lost_like_one_that_refuses),
        cmocka_unit_test(
            a_question_in_doubt_that_a_living_source_does_not_answer_is_too_stale_after_max_stale),
        cmocka_unit_test(an_old_value_serves_for_max_stale_while_a_new_question_has_no_answer),
        cmocka_unit_test(so_it_is_after_a_reload_that_has_another_source_decide),
        cmocka_unit_test(a_probe_that_tells_another_revision_has_everything_asked_again),
        cmocka_unit_test(a_failed_question_is_asked_again_with_growing_pauses),
        cmocka_unit_test(recomputes_of_one_credential_within_50_ms_are_merged_and_none_is_lost),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation without a watch, and event streams: cached like watched ones for `hold`, never shown in doubt,
 * within a bounded number of contexts. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  vip:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n";

static const char *value(struct world *w, uint64_t token, const char *flag)
{
    struct world_evaluated *result = world_evaluated_of(w, token);
    assert_non_null(result);
    return json_is_true(json_object_get(json_object_get(result->flags, flag), "value")) ? "true" : "false";
}

static void the_first_waits_for_the_answer_and_the_second_does_not(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    assert_null(world_evaluate(w, "ada", 1));
    world_run(w);
    assert_string_equal(value(w, 1, "door"), "true");
    assert_non_null(world_evaluate(w, "ada", 2));
    assert_int_equal(world_source(w, "opa")->asked, 1);
    world_destroy(w);
}

static void without_an_answer_it_is_safe_after_a_second(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_evaluate(w, "ada", 1);
    world_advance(w, 999);
    assert_null(world_evaluated_of(w, 1));
    world_advance(w, 1);
    assert_true(world_evaluated_of(w, 1)->timed_out);
    assert_string_equal(value(w, 1, "door"), "false");
    world_destroy(w);
}

static void an_event_in_between_is_asked_about_before_it_is_answered(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_int_equal(world_source(w, "opa")->asked,
                     1); /* nobody watches: not asked before somebody wants to know */
    assert_null(world_evaluate(w, "ada", 2));
    world_run(w);
    assert_string_equal(value(w, 2, "door"), "false");
    world_destroy(w);
}

static void a_new_watch_is_not_shown_what_an_event_has_put_in_doubt(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    struct world_client *c = world_client(w, "shop");
    w->hold_asks = true;
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    assert_int_equal(c->snapshots, 0);
    w->hold_asks = false;
    world_run(w);
    assert_int_equal(c->snapshots, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

/* Answers that come too early for the next event, until one counts all the same; then the asker is gone. */
static struct world *after_a_burst_of_events(void)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    w->hold_asks = true;
    world_evaluate(w, "ada", 1);
    world_run(w);
    for (int i = 0; i < 3; i++) {
        world_recompute(w, "ada");
        world_run(w);
        world_answer(w);
        world_run(w);
    }
    assert_string_equal(value(w, 1, "door"), "true");
    return w;
}

static void after_a_burst_of_events_a_later_one_is_asked_about_as_ever(void **state)
{
    (void)state;
    struct world *w = after_a_burst_of_events();
    world_answer_all(w);
    world_run(w);
    world_advance(w, 1000);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    w->hold_asks = false;
    world_advance(w, 5000);
    assert_null(world_evaluate(w, "ada", 2));
    world_run(w);
    assert_string_equal(value(w, 2, "door"), "false");
    world_destroy(w);
}

static void a_new_watch_waits_for_the_answer_after_a_burst_of_events_too(void **state)
{
    (void)state;
    struct world *w = after_a_burst_of_events();
    world_answer_all(w);
    world_run(w);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    struct world_client *c = world_watching(w, "shop");
    assert_int_equal(c->snapshots, 0);
    world_answer_all(w);
    world_run(w);
    assert_int_equal(c->snapshots, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

static void what_stayed_in_doubt_when_the_last_asker_left_is_asked_again_before_it_is_shown(void **state)
{
    (void)state;
    struct world *w = after_a_burst_of_events();
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada"); /* nobody waits, and the answer under way was asked before */
    world_answer_all(w);
    world_run(w);
    w->hold_asks = false;
    world_advance(w, 5000);
    assert_null(world_evaluate(w, "ada", 2));
    world_run(w);
    assert_string_equal(value(w, 2, "door"), "false");
    world_destroy(w);
}

static void a_fact_in_between_counts(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_fact(w, "ada", "tier", "\"gold\"");
    world_evaluate(w, "ada", 1);
    world_run(w);
    assert_string_equal(value(w, 1, "vip"), "true");
    world_fact(w, "ada", "tier", "\"tin\"");
    world_evaluate(w, "ada", 2);
    world_run(w);
    assert_string_equal(value(w, 2, "vip"), "false");
    world_destroy(w);
}

static void what_failed_is_asked_again_once_its_pause_is_over(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_source(w, "opa")->mode = WORLD_REFUSES;
    world_evaluate(w, "ada", 1);
    world_run(w);
    assert_string_equal(value(w, 1, "door"), "false");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 1000);
    world_evaluate(w, "ada", 2);
    world_run(w);
    world_evaluate(w, "ada", 3);
    world_run(w);
    assert_string_equal(value(w, 3, "door"), "true");
    world_destroy(w);
}

static void what_is_older_than_revalidate_is_asked_again(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    world_advance(w, 30000);
    world_evaluate(w, "ada", 2);
    world_policy(w, "app/door", NULL, "false");
    world_advance(w, 35000);
    assert_null(world_evaluate(w, "ada", 3));
    world_run(w);
    assert_string_equal(value(w, 3, "door"), "false");
    world_destroy(w);
}

static void with_a_dead_journal_nothing_new_is_granted(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    w->failing = true;
    world_evaluate(w, "ada", 1);
    world_advance(w, 1000);
    assert_string_equal(value(w, 1, "door"), "false");
    w->failing = false;
    world_advance(w, 100);
    world_evaluate(w, "ada", 2);
    world_run(w);
    assert_string_equal(value(w, 2, "door"), "true");
    world_destroy(w);
}

static void three_contexts(struct fs_engine_options *options)
{
    options->contexts = 3;
}

static void the_longest_unseen_contexts_go_first(void **state)
{
    (void)state;
    struct world *w = world_create_with(flags, three_contexts);
    static const char *const names[] = {"a", "b", "c", "d", "e", "a"};
    for (uint64_t i = 0; i < 6; i++) {
        world_evaluate(w, names[i], i + 1);
        world_run(w);
    }
    struct fs_engine_counts counts;
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.contexts, 3);
    assert_int_equal(world_source(w, "opa")->asked, 6);
    world_advance(w, 61000);
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.contexts, 0);
    assert_int_equal(counts.questions, 0);
    assert_int_equal(counts.cells, 0);
    world_destroy(w);
}

static void open_stream(struct world_client *c)
{
    struct world *w = c->world;
    json_t *context = json_pack("{s:s}", "targetingKey", "ada");
    struct fs_watch_wish wish = {.watch = 1, .context = context};
    c->connection = ++w->next_connection;
    fs_engine_connect(w->engine, c->connection, c->credential, "127.0.0.1", true, w->now);
    fs_engine_watch(w->engine, c->connection, &wish, w->now);
    json_decref(context);
    world_run(w);
}

static void a_stream_is_told_to_fetch_again_once_for_all_that_changed(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "stream");
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    open_stream(c);
    assert_int_equal(c->refetches, 1);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_int_equal(c->refetches, 2);
    assert_non_null(world_evaluate(w, "ada", 2));
    assert_string_equal(value(w, 2, "door"), "false");
    world_drop(c);
    world_destroy(w);
}

static void a_revocation_between_the_fetch_and_the_stream_is_fetched(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "stream");
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    assert_string_equal(value(w, 1, "door"), "true");
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada"); /* nobody watches: nothing is asked */
    world_run(w);
    open_stream(c);
    assert_int_equal(c->refetches, 1);
    assert_non_null(world_evaluate(w, "ada", 2));
    assert_string_equal(value(w, 2, "door"), "false");
    world_drop(c);
    world_destroy(w);
}

static void what_another_client_of_the_context_has_fetched_says_nothing_of_this_one(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "stream");
    world_policy(w, "app/door", NULL, "true");
    world_evaluate(w, "ada", 1);
    world_run(w);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_evaluate(w, "ada", 2); /* somebody else's */
    world_run(w);
    assert_string_equal(value(w, 2, "door"), "false");
    open_stream(c);
    assert_int_equal(c->refetches, 1);
    world_drop(c);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_first_waits_for_the_answer_and_the_second_does_not),
        cmocka_unit_test(without_an_answer_it_is_safe_after_a_second),
        cmocka_unit_test(an_event_in_between_is_asked_about_before_it_is_answered),
        cmocka_unit_test(a_new_watch_is_not_shown_what_an_event_has_put_in_doubt),
        cmocka_unit_test(after_a_burst_of_events_a_later_one_is_asked_about_as_ever),
        cmocka_unit_test(a_new_watch_waits_for_the_answer_after_a_burst_of_events_too),
        cmocka_unit_test(what_stayed_in_doubt_when_the_last_asker_left_is_asked_again_before_it_is_shown),
        cmocka_unit_test(a_fact_in_between_counts),
        cmocka_unit_test(what_failed_is_asked_again_once_its_pause_is_over),
        cmocka_unit_test(what_is_older_than_revalidate_is_asked_again),
        cmocka_unit_test(with_a_dead_journal_nothing_new_is_granted),
        cmocka_unit_test(the_longest_unseen_contexts_go_first),
        cmocka_unit_test(a_stream_is_told_to_fetch_again_once_for_all_that_changed),
        cmocka_unit_test(a_revocation_between_the_fetch_and_the_stream_is_fetched),
        cmocka_unit_test(what_another_client_of_the_context_has_fetched_says_nothing_of_this_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

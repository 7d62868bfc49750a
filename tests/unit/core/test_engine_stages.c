/* SPDX-License-Identifier: Apache-2.0 */
/* What an event has set off, and when: each stage at its moment since the event came in, told beside the
 * receipt and nowhere else. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  vip:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { tier: tin }\n"
    "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n"
    "  export:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/allow, input: { user: { var: targetingKey } } }\n"
    "  risky:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    factDefaults: { risk: low }\n"
    "    decision: { source: second, path: app/risk, input: { user: { var: facts.risk } } }\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/allow", NULL, "true");
    world_policy(w, "app/risk", "low", "true");
    world_policy(w, "app/risk", "high", "false");
    *c = world_watching(w, "shop");
    w->manual = w->hold_asks = true;
    return w;
}

/* Time passes, and nothing else. */
static void pass(struct world *w, int64_t ms)
{
    w->now.mono += ms;
    w->now.wall += ms;
}

static void commit_and_turn(struct world *w)
{
    assert_true(world_commit(w));
    world_turn(w);
}

static json_t *receipt(struct world *w)
{
    uint64_t entry = 0;
    for (size_t i = 0; i < w->entries.count; i++)
        if (w->entries.items[i].kind == FS_ENTRY_EVENT)
            entry = w->entries.items[i].number;
    json_t *one = fs_engine_receipt(w->engine, entry, w->now);
    assert_non_null(one);
    return one;
}

/* "journaled 3 asked 3 ...", then questions and flips. */
static void reads(struct world *w, const char *expected)
{
    static const char *const names[] = {"journaledMs", "askedMs",  "answeredMs",
                                        "evaluatedMs", "pushedMs", "acknowledgedMs"};
    json_t *one = receipt(w);
    const json_t *stages = json_object_get(one, "stages");
    struct fs_buf text;
    fs_buf_init(&text, 1000);
    for (size_t i = 0; i < 6; i++) {
        const json_t *at = json_object_get(stages, names[i]);
        if (at)
            fs_buf_addf(&text, "%lld ", (long long)json_integer_value(at));
        else
            fs_buf_adds(&text, "- ");
    }
    fs_buf_addf(&text, "%lld %lld", (long long)json_integer_value(json_object_get(one, "questions")),
                (long long)json_integer_value(json_object_get(one, "flips")));
    assert_string_equal(text.data, expected);
    fs_buf_finish(&text);
    json_decref(one);
}

static void each_stage_is_told_at_its_moment_since_the_event_came_in(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/allow", NULL, "false");
    world_event(w, "{\"recompute\":{\"flags\":[\"export\"]}}");
    pass(w, 3);
    commit_and_turn(w);
    reads(w, "3 3 - - - - 1 0");
    pass(w, 7);
    assert_true(world_answer(w));
    world_turn(w);
    pass(w, 2);
    commit_and_turn(w); /* the answers: what they make is proposed at once */
    reads(w, "3 3 10 12 - - 1 0");
    pass(w, 5);
    commit_and_turn(w); /* the tick */
    reads(w, "3 3 10 12 17 - 1 1");
    pass(w, 4);
    world_read(c);
    world_turn(w);
    reads(w, "3 3 10 12 17 21 1 1");
    world_destroy(w);
}

static void facts_ask_nothing_where_rules_alone_read_them(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "tier", "\"gold\"");
    pass(w, 1);
    commit_and_turn(w);
    reads(w, "1 - - 1 - - 0 0");
    pass(w, 1);
    commit_and_turn(w);
    world_read(c);
    world_turn(w);
    reads(w, "1 - - 1 2 2 0 1");
    world_destroy(w);
}

static void a_fact_in_a_question_is_asked_with_and_that_is_timed(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "risk", "\"high\"");
    pass(w, 1);
    commit_and_turn(w);
    reads(w, "1 1 - - - - 1 0");
    pass(w, 5);
    assert_true(world_answer(w));
    world_turn(w);
    while (world_commit(w))
        world_turn(w);
    world_read(c);
    world_turn(w);
    reads(w, "1 1 6 6 6 6 1 1");
    world_destroy(w);
}

static void nothing_flips_where_the_answer_is_the_same(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_event(w, "{\"recompute\":{}}");
    commit_and_turn(w);
    pass(w, 5);
    world_answer_all(w);
    world_turn(w);
    while (world_commit(w))
        world_turn(w);
    reads(w, "0 0 5 5 5 5 2 0");
    world_destroy(w);
}

static void a_source_without_an_answer_leaves_its_stage_out(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/allow", NULL, "none");
    world_event(w, "{\"recompute\":{\"flags\":[\"export\"]}}");
    commit_and_turn(w);
    pass(w, 5);
    world_answer_all(w);
    world_turn(w);
    json_t *one = receipt(w);
    assert_null(json_object_get(json_object_get(one, "stages"), "answeredMs"));
    assert_int_equal(json_integer_value(json_object_get(one, "questions")), 1);
    assert_int_equal(json_array_size(json_object_get(one, "unresolved")), 1);
    json_decref(one);
    world_destroy(w);
}

static void a_start_knows_no_stages_of_what_was_before(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "tier", "\"gold\"");
    w->manual = w->hold_asks = false;
    world_run(w);
    size_t count;
    struct fs_stages *all = fs_engine_stages(w->engine, &count);
    assert_int_equal(count, 1);
    assert_int_equal(all[0].flips, 1);
    fs_free(all);
    world_restart(w);
    all = fs_engine_stages(w->engine, &count);
    assert_int_equal(count, 0);
    fs_free(all);
    world_destroy(w);
}

/* Sent once more after a start, an event of long ago gets a receipt behind those of newer ones. */
static void an_event_that_comes_again_takes_nothing_from_newer_ones(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    w->manual = w->hold_asks = false;
    uint64_t old = world_fact(w, "ada", "other", "1");
    world_restart(w);
    world_connect(c, true);
    world_run(w);
    w->manual = true;
    world_fact(w, "ada", "tier", "\"gold\"");
    commit_and_turn(w);
    for (size_t i = 0; i < w->entries.count; i++) {
        const struct world_entry *kept = &w->entries.items[i];
        struct fs_entry entry = {kept->number, kept->kind, kept->time, kept->body, kept->length, 0};
        struct fs_commit commit = {
            .token = 1, .number = old, .time = kept->time, .result = FS_COMMIT_DUPLICATE};
        if (kept->number == old)
            fs_engine_commit(w->engine, &commit, &entry, w->now);
    }
    w->manual = false;
    world_run(w);
    size_t count;
    struct fs_stages *all = fs_engine_stages(w->engine, &count);
    assert_int_equal(count, 2);
    assert_int_equal(all[0].entry, old);
    assert_true(all[1].entry > old);
    assert_int_equal(all[1].flips, 1);
    fs_free(all);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(each_stage_is_told_at_its_moment_since_the_event_came_in),
        cmocka_unit_test(facts_ask_nothing_where_rules_alone_read_them),
        cmocka_unit_test(a_fact_in_a_question_is_asked_with_and_that_is_timed),
        cmocka_unit_test(nothing_flips_where_the_answer_is_the_same),
        cmocka_unit_test(a_source_without_an_answer_leaves_its_stage_out),
        cmocka_unit_test(an_event_that_comes_again_takes_nothing_from_newer_ones),
        cmocka_unit_test(a_start_knows_no_stages_of_what_was_before),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

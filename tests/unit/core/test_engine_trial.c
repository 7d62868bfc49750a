/* SPDX-License-Identifier: Apache-2.0 */
/* Dry runs of events: the flips are those that the event then causes, what cannot be known is said to be so,
 * and nothing at all is moved by looking. */
#include "trial_support.h"

static json_int_t number(const json_t *object, const char *name)
{
    return json_integer_value(json_object_get(object, name));
}

static const json_t *change_of(const json_t *result, const char *flag)
{
    const json_t *changes = json_object_get(result, "changes");
    for (size_t i = 0; i < json_array_size(changes); i++)
        if (!strcmp(fs_json_text(json_array_get(changes, i), "flag"), flag))
            return json_array_get(changes, i);
    return NULL;
}

static bool is_to(const json_t *result, const char *flag, bool before, bool after)
{
    const json_t *change = change_of(result, flag);
    const json_t *from = json_object_get(json_object_get(change, "from"), "value");
    const json_t *to = json_object_get(json_object_get(change, "to"), "value");
    return change && json_is_boolean(from) && json_is_true(from) == before && json_is_true(to) == after;
}

#define GOLD   "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}]}"
#define RISK   "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"risk\",\"value\":\"high\"}]}"
#define ANEW   "{\"recompute\":{}}"
#define OF_ADA "{\"recompute\":{\"subjects\":[\"ada\"]}}"

static void facts_are_laid_over_and_the_rules_run_on_them(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    json_t *result = trial(w, GOLD);
    assert_true(is_to(result, "vip", false, true));
    assert_int_equal(number(result, "flips"), 1);
    assert_int_equal(number(result, "contexts"), 1);
    assert_int_equal(number(result, "subjects"), 1);
    assert_int_equal(number(result, "clients"), 1);
    assert_int_equal(number(result, "more"), 0);
    assert_string_equal(fs_json_text(json_object_get(change_of(result, "vip"), "to"), "reason"),
                        "TARGETING_MATCH");
    json_decref(result);
    world_event(w, GOLD);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    result = trial(w, GOLD); /* is so already */
    assert_int_equal(number(result, "flips"), 0);
    json_decref(result);
    world_destroy(w);
}

static void looking_moves_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    uint64_t revision = w->engine->revision, applied = w->engine->applied;
    size_t entries = w->entries.count, facts = w->engine->counts.facts,
           questions = w->engine->questions.count;
    unsigned deltas = c->deltas;
    world_policy(w, "app/allow", NULL, "false");
    const char *const events[] = {GOLD, RISK, ANEW, OF_ADA};
    for (size_t i = 0; i < 4; i++)
        json_decref(trial(w, events[i]));
    world_run(w);
    assert_int_equal(w->engine->revision, revision);
    assert_int_equal(w->engine->applied, applied);
    assert_int_equal(w->entries.count, entries);
    assert_int_equal(w->engine->counts.facts, facts);
    assert_int_equal(w->engine->questions.count, questions);
    assert_int_equal(c->deltas, deltas);
    assert_string_equal(world_value(c, 1, "export"),
                        "true"); /* what the source said to the trial rules nothing */
    assert_int_equal(w->engine->walk_count, 0);
    world_destroy(w);
}

static void a_recompute_asks_the_source_and_tells_what_its_answer_would_do(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_watch(c, 2, "bo");
    world_run(w);
    world_policy(w, "app/allow", "ada", "false");
    json_t *result = trial(w, ANEW);
    assert_true(is_to(result, "export", true, false));
    assert_int_equal(number(result, "flips"), 1);
    assert_int_equal(json_array_size(json_object_get(result, "unresolved")), 0);
    json_decref(result);
    result = trial(w, "{\"recompute\":{\"subjects\":[\"bo\"]}}");
    assert_int_equal(number(result, "flips"), 0);
    json_decref(result);
    result = trial(w, "{\"recompute\":{\"flags\":[\"risky\"]}}");
    assert_int_equal(number(result, "flips"), 0);
    json_decref(result);
    result = trial(w, "{\"recompute\":{\"paths\":[\"app\"],\"sources\":[\"opa\"]}}");
    assert_int_equal(number(result, "flips"), 1);
    json_decref(result);
    world_event(w, ANEW);
    world_run(w);
    assert_string_equal(world_value(c, 1, "export"), "false");
    world_destroy(w);
}

static void a_question_that_others_share_is_answered_for_them_too(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_watch(c, 2, "bo");
    world_run(w);
    world_policy(w, "app/risk", "low", "false");
    json_t *result = trial(w, OF_ADA);
    assert_int_equal(number(result, "flips"), 2);
    assert_int_equal(number(result, "subjects"), 2);
    json_decref(result);
    world_event(w, OF_ADA);
    world_run(w);
    assert_string_equal(world_value(c, 2, "risky"), "false");
    world_destroy(w);
}

static void facts_in_a_question_are_asked_with_or_an_answer_that_is_known_serves(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    uint64_t asked = world_source(w, "opa")->asked;
    json_t *result = trial(w, RISK);
    assert_true(is_to(result, "risky", true, false));
    assert_int_equal(number(result, "flips"), 1);
    assert_int_equal(world_source(w, "opa")->asked, asked + 1);
    json_decref(result);
    world_watch(c, 2, "bo");
    world_fact(w, "bo", "risk", "\"high\"");
    world_run(w);
    asked = world_source(w, "opa")->asked;
    result = trial(w, RISK); /* bo's question is the same */
    assert_true(is_to(result, "risky", true, false));
    assert_int_equal(world_source(w, "opa")->asked, asked);
    json_decref(result);
    world_destroy(w);
}

static void what_has_no_answer_is_named_and_not_guessed(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/allow", NULL, "none");
    world_policy(w, "app/risk", "low", "false");
    json_t *result = trial(w, ANEW);
    const json_t *one = json_array_get(json_object_get(result, "unresolved"), 0);
    assert_string_equal(fs_json_text(one, "source"), "opa");
    assert_string_equal(fs_json_text(one, "query"), "app/allow");
    assert_string_equal(fs_json_text(one, "error"), "timed out");
    assert_int_equal(number(one, "count"), 1);
    assert_null(change_of(result, "export"));
    assert_true(is_to(result, "risky", true, false));
    json_decref(result);
    world_destroy(w);
}

static void a_source_that_is_silent_or_down_is_not_waited_for_without_end(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    w->hold_asks = true;
    start_trial(w, 7, ANEW);
    assert_null(world_found(w, 7));
    world_advance(w, 4999);
    assert_null(world_found(w, 7));
    world_advance(w, 1);
    json_t *result = world_found(w, 7);
    assert_non_null(result);
    assert_int_equal(json_array_size(json_object_get(result, "unresolved")), 2);
    assert_int_equal(number(result, "flips"), 0);
    json_decref(result);
    world_answer_all(w); /* nobody wants it any more */
    world_source(w, "opa")->probes_fail = true;
    world_advance(w, 3000);
    uint64_t asked = world_source(w, "opa")->asked;
    result = trial(w, ANEW);
    assert_int_equal(world_source(w, "opa")->asked, asked);
    assert_string_equal(fs_json_text(json_array_get(json_object_get(result, "unresolved"), 0), "error"),
                        "refused");
    json_decref(result);
    world_destroy(w);
}

static void what_an_override_rules_is_neither_asked_nor_flipped(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_override(w, "{\"action\":\"set\",\"kind\":\"kill\",\"flag\":\"export\"}");
    world_run(w);
    uint64_t asked = world_source(w, "opa")->asked;
    world_policy(w, "app/allow", NULL, "undefined");
    json_t *result = trial(w, "{\"recompute\":{\"flags\":[\"export\"]}}");
    assert_int_equal(number(result, "flips"), 0);
    assert_int_equal(world_source(w, "opa")->asked, asked);
    json_decref(result);
    world_destroy(w);
}

static void an_older_fact_than_is_known_changes_nothing_and_says_so(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    char old[200];
    snprintf(old, sizeof old,
             "{\"time\":%lld,\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"tin\"}]}",
             (long long)w->now.wall - 5000);
    world_event(w, GOLD);
    world_run(w);
    json_t *result = trial(w, old);
    assert_int_equal(number(result, "flips"), 0);
    assert_true(json_is_true(json_object_get(result, "superseded")));
    json_decref(result);
    result = trial(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\"}]}");
    assert_true(is_to(result, "vip", true, false)); /* a removal */
    json_decref(result);
    snprintf(old, sizeof old, "{\"time\":%lld,\"facts\":[{\"subject\":\"ada\",\"fact\":\"risk\"}]}",
             (long long)w->now.wall - 5000);
    world_erasure(w, "ada"); /* what is of before that comes too late */
    result = trial(w, old);
    assert_true(json_is_true(json_object_get(result, "superseded")));
    json_decref(result);
    world_destroy(w);
}

static void watch_many(struct world *w, struct world_client *c, uint64_t count)
{
    char name[32];
    for (uint64_t i = 2; i <= count; i++) {
        snprintf(name, sizeof name, "s%llu", (unsigned long long)i);
        world_watch(c, i, name);
    }
    world_run(w);
}

static void many_contexts_take_many_turns_and_events_go_on_between(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    watch_many(w, c, 3000);
    world_policy(w, "app/risk", "low", "false");
    w->hold_asks = true;
    start_trial(w, 7, "{\"recompute\":{\"flags\":[\"risky\"]}}");
    unsigned slices = 0;
    while (!w->asks.count) { /* it still looks for what to ask */
        world_turn(w);
        assert_true(++slices < 1000);
    }
    world_answer_all(w);
    world_event(w, GOLD); /* is applied and pushed in the middle of it */
    struct fs_engine_counts before, after;
    fs_engine_count(w->engine, &before);
    world_turn(w);
    fs_engine_count(w->engine, &after);
    assert_true(after.evaluations - before.evaluations < 600);
    while (world_commit(w))
        world_turn(w);
    world_read(c);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    assert_int_equal(w->engine->walk_count, 1);
    json_t *result = world_found(w, 7);
    assert_int_equal(number(result, "flips"), 3000);
    assert_int_equal(number(result, "more"), 2900);
    assert_int_equal(json_array_size(json_object_get(result, "changes")), 100);
    json_decref(result);
    world_destroy(w);
}

static void contexts_may_go_and_flags_may_be_loaded_while_it_runs(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    watch_many(w, c, 3000);
    start_trial(w, 7, ANEW);
    for (uint64_t i = 2; i <= 3000; i++)
        world_unwatch(c, i);
    world_advance(w, 120000); /* longer than they are kept */
    json_t *result = world_found(w, 7);
    assert_non_null(result);
    json_decref(result);
    w->hold_asks = true;
    start_trial(w, 8, ANEW);
    world_load(w, flags);
    assert_null(world_found(w, 8));
    assert_int_equal(w->found.items[w->found.count - 1].token, 8);
    assert_int_equal(w->found.items[w->found.count - 1].err.code, FS_ERR_UNAVAILABLE);
    world_destroy(w);
}

static void so_many_at_once_and_no_more_and_one_may_be_forgotten(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct fs_err err = {0};
    w->hold_asks = true;
    for (uint64_t i = 1; i <= FS_SEARCHES; i++)
        start_trial(w, i, ANEW);
    assert_false(fs_engine_find_who(w->engine, "vip", NULL, NULL, 10, 99, w->now, &err));
    assert_int_equal(err.code, FS_ERR_UNAVAILABLE);
    fs_engine_search_forget(w->engine, 3);
    assert_true(fs_engine_find_who(w->engine, "vip", NULL, NULL, 10, 99, w->now, &err));
    json_t *who = world_found(w, 99);
    assert_non_null(who);
    json_decref(who);
    size_t before = w->found.count;
    fs_engine_searches_give_up(w->engine, w->now);
    assert_int_equal(w->found.count, before + FS_SEARCHES - 1);
    assert_int_equal(w->found.items[before].err.code, FS_ERR_UNAVAILABLE);
    start_trial(w, 100, ANEW);
    world_destroy(w); /* with one under way */
}

static json_t *ask_source(struct world *w, struct fs_source_question question)
{
    static uint64_t token = 5000;
    struct fs_err err = {0};
    assert_true(fs_engine_ask_source(w->engine, &question, ++token, w->now, &err));
    world_answer_all(w);
    return world_found(w, token);
}

static void a_source_is_asked_by_hand_and_nothing_follows(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/allow", "ada", "false");
    json_t *context = json_pack("{s:s}", "targetingKey", "ada"), *input = json_pack("{s:s}", "user", "ada");
    json_t *told = ask_source(w, (struct fs_source_question){
                                     .source = "opa", .kind = "path", .query = "app/allow", .input = input});
    assert_string_equal(fs_json_text(told, "state"), "value");
    assert_true(json_is_false(json_object_get(told, "answer")));
    assert_true(json_is_null(json_object_get(told, "error")));
    json_decref(told);
    told = ask_source(w, (struct fs_source_question){.source = "opa", .flag = "export", .context = context});
    assert_true(json_equal(json_object_get(told, "input"), input));
    assert_true(json_is_false(json_object_get(told, "answer")));
    json_decref(told);
    told = ask_source(w, (struct fs_source_question){.source = "builtin", .flag = "vip", .context = context});
    assert_true(json_is_false(json_object_get(told, "answer")));
    json_decref(told);
    world_policy(w, "app/allow", "ada", "bad");
    told = ask_source(w, (struct fs_source_question){.source = "opa", .flag = "export", .context = context});
    assert_string_equal(fs_json_text(json_object_get(told, "error"), "code"), "bad");
    json_decref(told);
    assert_string_equal(world_value(c, 1, "export"), "true");
    json_decref(context);
    json_decref(input);
    world_destroy(w);
}

static void a_question_by_hand_that_cannot_be_asked_says_why(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    json_t *context = json_pack("{s:s}", "targetingKey", "ada");
    const struct {
        struct fs_source_question question;
        enum fs_err_code code;
    } cases[] = {
        {{.source = "none-such", .kind = "path", .query = "a"}, FS_ERR_NOT_FOUND},
        {{.source = "opa", .kind = "roles", .query = "a"}, FS_ERR_INVALID},
        {{.source = "opa", .flag = "none-such", .context = context}, FS_ERR_NOT_FOUND},
        {{.source = "opa", .flag = "vip", .context = context}, FS_ERR_INVALID},
        {{.source = "opa", .flag = "export", .decision = "no", .context = context}, FS_ERR_INVALID},
        {{.source = "builtin", .kind = "path", .query = "a"}, FS_ERR_INVALID},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fs_err err = {0};
        assert_false(fs_engine_ask_source(w->engine, &cases[i].question, 1, w->now, &err));
        assert_int_equal(err.code, cases[i].code);
    }
    json_decref(context);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(facts_are_laid_over_and_the_rules_run_on_them),
        cmocka_unit_test(looking_moves_nothing),
        cmocka_unit_test(a_recompute_asks_the_source_and_tells_what_its_answer_would_do),
        cmocka_unit_test(a_question_that_others_share_is_answered_for_them_too),
        cmocka_unit_test(facts_in_a_question_are_asked_with_or_an_answer_that_is_known_serves),
        cmocka_unit_test(what_has_no_answer_is_named_and_not_guessed),
        cmocka_unit_test(a_source_that_is_silent_or_down_is_not_waited_for_without_end),
        cmocka_unit_test(what_an_override_rules_is_neither_asked_nor_flipped),
        cmocka_unit_test(an_older_fact_than_is_known_changes_nothing_and_says_so),
        cmocka_unit_test(many_contexts_take_many_turns_and_events_go_on_between),
        cmocka_unit_test(contexts_may_go_and_flags_may_be_loaded_while_it_runs),
        cmocka_unit_test(so_many_at_once_and_no_more_and_one_may_be_forgotten),
        cmocka_unit_test(a_source_is_asked_by_hand_and_nothing_follows),
        cmocka_unit_test(a_question_by_hand_that_cannot_be_asked_says_why),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

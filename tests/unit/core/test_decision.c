/* SPDX-License-Identifier: Apache-2.0 */
/* What a decision asks with, and what the builtin source answers. */
#include "flag_support.h"

#define PLAN(...) (&(struct plan){__VA_ARGS__})

/* The builtin source's answer: its state, value or error. */
static const char *decided(const struct plan *plan, const char *context, const char *facts, int64_t *next)
{
    static char out[256];
    struct fs_answer answer;
    struct fs_arena arena;
    struct fs_flagset *set = plan_set(plan);
    json_t *object = json_of(context), *known = json_of(facts);
    fs_arena_init(&arena);
    fs_decide_builtin(set->flags[0], &set->flags[0]->decisions[0], object, known, 1000500, &arena, &answer,
                      next);
    char *value = answer.value ? fs_json_canonical_text(answer.value, 100, NULL)
                               : fs_strdup(answer.error ? answer.error : "");
    snprintf(out, sizeof out, "%s %s", fs_answer_state_name(answer.state), value);
    fs_free(value);
    fs_answer_finish(&answer);
    fs_arena_finish(&arena);
    fs_flagset_unref(set);
    json_decref(object);
    json_decref(known);
    return out;
}

static void the_builtin_source_answers_by_its_rule(void **state)
{
    int64_t next;
    (void)state;
    struct plan plan = {.decisions = {""}, .rule = "{'==':[{'var':'facts.tier'},'gold']}"};
    assert_string_equal(decided(&plan, "{}", "{'tier':'gold'}", &next), "value true");
    assert_string_equal(decided(&plan, "{}", "{'tier':'x'}", &next), "value false");
    assert_string_equal(decided(&plan, "{}", "{}", &next), "none fact tier: missing or expired");
    assert_true(next == INT64_MAX);
    plan.fact_defaults = "{'tier':'gold'}";
    assert_string_equal(decided(&plan, "{}", NULL, &next), "value true");
    plan.rule = "{'if':[{'var':'a'},'x']}";
    assert_string_equal(decided(&plan, "{}", NULL, &next), "undefined ");
    plan.rule = "{'>':[{'var':'a'},1]}";
    assert_string_equal(
        decided(&plan, "{'a':'x'}", NULL, &next),
        "bad the rule failed: a comparison of things of which one is neither number nor text");
    plan.rule = "{'<':[{'var':'$flagd.timestamp'},2000]}";
    assert_string_equal(decided(&plan, "{}", NULL, &next), "value true");
    assert_int_equal(next, 2000000);
}

static void the_input_of_a_question_is_built_by_its_template(void **state)
{
    char missing[64];
    struct fs_arena arena;
    (void)state;
    json_t *context = json_of("{'targetingKey':'jane','role':'x'}"), *facts = json_of("{'tier':'gold'}");
    struct fs_flagset *whole = plan_set(PLAN(.decisions = {""}));
    struct fs_flagset *built = plan_set(
        PLAN(.decisions = {""}, .input = "{'user':{'var':'targetingKey'},'tier':{'var':'facts.tier'}}"));
    struct fs_flagset *failing = plan_set(PLAN(.decisions = {""}, .input = "{'n':{'+':[{'var':'role'},1]}}"));
    fs_arena_init(&arena);
    json_t *input =
        fs_decision_input(whole->flags[0], whole->flags[0]->decisions, context, facts, 0, &arena, missing);
    assert_true(fs_json_equal(input, context));
    json_decref(input);
    input =
        fs_decision_input(built->flags[0], built->flags[0]->decisions, context, facts, 0, &arena, missing);
    json_t *expected = json_of("{'user':'jane','tier':'gold'}");
    assert_true(fs_json_equal(input, expected));
    json_decref(input);
    json_decref(expected);
    assert_null(
        fs_decision_input(built->flags[0], built->flags[0]->decisions, context, NULL, 0, &arena, missing));
    assert_string_equal(missing, "tier");
    assert_null(fs_decision_input(failing->flags[0], failing->flags[0]->decisions, context, NULL, 0, &arena,
                                  missing));
    assert_string_equal(missing, "");
    fs_arena_finish(&arena);
    fs_flagset_unref(whole);
    fs_flagset_unref(built);
    fs_flagset_unref(failing);
    json_decref(context);
    json_decref(facts);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_builtin_source_answers_by_its_rule),
        cmocka_unit_test(the_input_of_a_question_is_built_by_its_template),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

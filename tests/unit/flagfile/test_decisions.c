/* SPDX-License-Identifier: Apache-2.0 */
/* What a flag asks of sources: which source, which question, with which input; and what combines several. */
#include "reading.h"

#define ON_OFF "flags:\n  f:\n    variants: { on: true, off: false }\n"

static void an_unknown_source_is_an_error_with_a_suggestion(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    decision: { source: opaa, path: a/b }\n",
                    "f.yaml:4:17: flags.f.decision.source: no source is called 'opaa' in the configuration "
                    "(did you mean 'opa'?)\n");
    expect_problems(ON_OFF "    decision: { path: a/b }\n",
                    "f.yaml:4:5: flags.f.decision: 'source' is missing: say which source is asked, or give a "
                    "`rule` for the built-in one\n");
}

static void without_sources_any_name_and_key_will_do(void **state)
{
    (void)state;
    static const char text[] = ON_OFF "    decision: { source: cerbos, action: view, input: { a: 1 } }\n";
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_parse(text, sizeof text - 1, "f.yaml", NULL, &problems);
    assert_non_null(set);
    assert_string_equal(flag_f(set)->decisions[0].kind, "action");
    assert_string_equal(flag_f(set)->decisions[0].query, "view");
    fs_flag_problems_finish(&problems);
    fs_flagset_unref(set);
    static const char two[] = ON_OFF "    decision: { source: cerbos, action: view, more: 1 }\n";
    set = fs_flagfile_parse(two, sizeof two - 1, "f.yaml", NULL, &problems);
    assert_null(set);
    assert_string_equal(problems.items[0].key, "flags.f.decision.more");
    fs_flag_problems_finish(&problems);
}

static void a_decision_asks_exactly_one_question(void **state)
{
    (void)state;
    expect_problems(
        ON_OFF "    decision: { source: opa }\n",
        "f.yaml:4:5: flags.f.decision: it does not say what is asked of 'opa' (expected path or users)\n");
    expect_problems(
        ON_OFF "    decision: { source: opa, path: a, users: b }\n",
        "f.yaml:4:39: flags.f.decision.users: a decision asks one question: it has 'path' already\n");
    expect_problems(
        ON_OFF "    decision: { source: opa, pth: a }\n",
        "f.yaml:4:5: flags.f.decision: it does not say what is asked of 'opa' (expected path or users)\n"
        "f.yaml:4:30: flags.f.decision.pth: this key is not known (did you mean 'path'?)\n");
    expect_problems(
        ON_OFF "    decision: opa\n",
        "f.yaml:4:5: flags.f.decision: expected a map with `source` and what is asked of it, got a string\n");
}

static void the_sources_type_checks_the_question(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    decision: { source: opa, path: /a/b }\n",
                    "f.yaml:4:30: flags.f.decision.path: a path has no slash at its start\n");
    expect_problems(ON_OFF "    decision: { source: opa, path: [a] }\n",
                    "f.yaml:4:30: flags.f.decision.path: expected a string, got a list\n");
}

static void undefined_is_denied_unless_the_flag_says_unknown(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(ON_OFF "    decision: { source: opa, path: a, undefined: unknown }\n");
    assert_true(flag_f(set)->decisions[0].undefined_unknown);
    fs_flagset_unref(set);
    set = read_fine(ON_OFF "    decision: { source: opa, path: a, undefined: denied }\n");
    assert_false(flag_f(set)->decisions[0].undefined_unknown);
    fs_flagset_unref(set);
    expect_problems(ON_OFF "    decision: { source: opa, path: a, undefined: allowed }\n",
                    "f.yaml:4:39: flags.f.decision.undefined: 'allowed' is not known here (expected denied "
                    "or unknown)\n");
}

static void the_built_in_source_takes_a_rule_and_nothing_else(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(ON_OFF "    decision: { source: builtin, rule: { var: facts.ok } }\n");
    assert_string_equal(flag_f(set)->decisions[0].source, "builtin");
    fs_flagset_unref(set);
    expect_problems(
        ON_OFF "    decision: { source: builtin, path: a }\n",
        "f.yaml:4:5: flags.f.decision: it does not say what is asked of 'builtin' (expected rule)\n"
        "f.yaml:4:34: flags.f.decision.path: this key is not known (expected source, input, undefined or "
        "rule)\n");
    expect_problems(ON_OFF "    decision: { rule: { var: facts.ok }, input: { a: 1 } }\n",
                    "f.yaml:4:42: flags.f.decision.input: the built-in source takes no input: its rule reads "
                    "context and facts itself\n");
    expect_problems(ON_OFF "    decision: { rule: { var: decision.allowed } }\n",
                    "f.yaml:4:17: flags.f.decision.rule: a decision's rule cannot read decisions; read them "
                    "in `targeting`\n");
}

static void the_query_of_a_rule_stands_for_its_evaluators_too(void **state)
{
    (void)state;
    struct fs_flagset *set =
        read_fine(ON_OFF "    decision: { rule: { \"!\": { $ref: banned } } }\n"
                         "$evaluators: { banned: { in: [{ var: targetingKey }, [eve]] } }\n");
    assert_string_equal(flag_f(set)->decisions[0].query,
                        "{\"!\":{\"in\":[{\"var\":\"targetingKey\"},[\"eve\"]]}}");
    fs_flagset_unref(set);
}

static void an_input_cannot_read_decisions(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    decision: { source: opa, path: a, input: { x: { var: decision.value } } }\n",
                    "f.yaml:4:39: flags.f.decision.input: the input of a decision cannot read decisions\n");
}

static void two_variants_of_one_boolean_are_an_error_under_a_bare_decision(void **state)
{
    (void)state;
    expect_problems("flags:\n  f:\n    variants: { on: true, off: false, really: true }\n    decision: { "
                    "source: opa, path: a }\n",
                    "f.yaml:2:3: flags.f: the variants 'on' and 'really' are both true, so the decision "
                    "cannot choose; take one out or add "
                    "a `targeting`\n");
    fs_flagset_unref(read_fine("flags:\n  f:\n    variants: { on: true, off: false, really: true }\n    "
                               "decision: { source: opa, path: a }\n"
                               "    targeting: { if: [{ var: decision.allowed }, really, off] }\n"));
    fs_flagset_unref(read_fine("flags:\n  f:\n    variants: { a: x, b: x }\n    safeVariant: a\n    "
                               "decision: { source: opa, path: a }\n"));
}

#define TWO                                                                                                  \
    ON_OFF "    decisions:\n      role: { source: opa, path: a }\n      risk: { source: tools, path: b }\n"

static void several_decisions_need_a_rule_that_combines_them(void **state)
{
    (void)state;
    expect_problems(TWO, "f.yaml:2:3: flags.f: several decisions need a `targeting` or a `value` that says "
                         "how they combine\n");
    struct fs_flagset *set = read_fine(TWO "    targeting: { if: [{ and: [{ var: decision.role.allowed }, { "
                                           "var: decision.risk.allowed }] }, on, off] }\n");
    assert_int_equal(flag_f(set)->decision_count, 2);
    assert_string_equal(flag_f(set)->decisions[1].name, "risk");
    fs_flagset_unref(set);
}

static void the_rule_names_decisions_that_are_there(void **state)
{
    (void)state;
    expect_problems(TWO "    targeting: { if: [{ and: [{ var: decision.rol.allowed }, { var: "
                        "decision.risk.allowed }] }, on, off] }\n",
                    "f.yaml:7:5: flags.f.targeting: no decision is called 'rol' (did you mean 'role'?)\n"
                    "f.yaml:7:5: warning: flags.f.targeting: it ignores the decision 'role': what the source "
                    "answers changes nothing\n");
    expect_problems(TWO "    targeting: { if: [{ var: decision.allowed }, on, off] }\n",
                    "f.yaml:7:5: flags.f.targeting: it does not say which decision it reads: write "
                    "decision.role.allowed, "
                    "decision.role.value or decision.role.state\n"
                    "f.yaml:7:5: warning: flags.f.targeting: it ignores the decision 'role': what the source "
                    "answers changes nothing\n"
                    "f.yaml:7:5: warning: flags.f.targeting: it ignores the decision 'risk': what the source "
                    "answers changes nothing\n");
    expect_problems(
        ON_OFF "    targeting: { if: [{ var: decision.allowed }, on, off] }\n",
        "f.yaml:4:5: flags.f.targeting: it reads the variable 'decision', but the flag has no decision\n");
}

static void a_targeting_that_ignores_its_decision_is_warned_of(void **state)
{
    (void)state;
    expect_problems(
        ON_OFF "    decision: { source: opa, path: a }\n    targeting: { if: [{ var: beta }, on, off] }\n",
        "f.yaml:5:5: warning: flags.f.targeting: it ignores the decision: what the source answers changes "
        "nothing\n");
}

static void names_of_decisions_are_words_and_none_is_taken(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    decisions: { a.b: { source: opa, path: a } }\n",
                    "f.yaml:4:18: flags.f.decisions.\"a.b\": a decision's name has letters, digits, '_' and "
                    "'-', starts with a letter and is "
                    "at most 64 long\n");
    expect_problems(ON_OFF "    decisions: { value: { source: opa, path: a } }\n",
                    "f.yaml:4:18: flags.f.decisions.value: a decision cannot be called 'value': "
                    "decision.value has a meaning of its own\n");
    expect_problems(ON_OFF "    decisions: {}\n",
                    "f.yaml:4:5: flags.f.decisions: a flag has from 1 to 16 decisions, not 0\n");
    expect_problems(
        ON_OFF "    decision: { source: opa, path: a }\n    decisions: { b: { source: opa, path: a } }\n",
        "f.yaml:5:5: flags.f.decisions: a flag has either 'decision' or 'decisions', not both\n");
}

static void more_than_sixteen_decisions_are_refused(void **state)
{
    (void)state;
    char *text = fs_strdup(ON_OFF "    decisions:\n");
    for (int i = 0; i < 17; i++) {
        char *longer = fs_format("%s      d%d: { source: opa, path: a }\n", text, i);
        fs_free(text);
        text = longer;
    }
    expect_problems(text, "f.yaml:4:5: flags.f.decisions: a flag has from 1 to 16 decisions, not 17\n");
    fs_free(text);
}

static void a_value_needs_a_type_and_a_decision(void **state)
{
    (void)state;
    static const char value[] = "flags:\n  f:\n    decision: { source: opa, path: a }\n    value: { var: "
                                "decision.value }\n    safeValue: []\n";
    expect_problems(value, "f.yaml:2:3: flags.f: 'type' is missing: a flag with `value` must say its type\n");
    expect_problems("flags:\n  f:\n    type: integer\n    value: { var: facts.limit }\n    safeValue: 0\n",
                    "f.yaml:4:5: flags.f.value: a `value` is taken from a decision, and the flag has none; "
                    "use variants and `targeting`\n");
    expect_problems(
        ON_OFF
        "    type: boolean\n    decision: { source: opa, path: a }\n    value: { var: decision.value }\n"
        "    targeting: { if: [{ var: decision.allowed }, on, off] }\n",
        "f.yaml:6:5: flags.f.value: a flag has either 'targeting' or 'value', not both\n");
}

static void a_boolean_value_without_variants_is_safe_when_false(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine("flags:\n  f:\n    type: boolean\n    decision: { source: opa, path: "
                                       "a }\n    value: { var: decision.allowed }\n");
    assert_true(json_is_false(flag_f(set)->safe_value));
    fs_flagset_unref(set);
}

static void on_unknown_evaluate_needs_a_rule_that_reads_the_state(void **state)
{
    (void)state;
    struct fs_flagset *set = read_expecting(
        ON_OFF "    decision: { source: opa, path: a }\n    onUnknown: evaluate\n"
               "    targeting: { if: [{ \"==\": [{ var: decision.state }, unknown] }, on, off] }\n",
        "f.yaml:5:5: warning: flags.f.onUnknown: the flag is evaluated while its decision is unknown: it "
        "fails open where its rule does\n");
    assert_true(flag_f(set)->evaluate_unknown);
    fs_flagset_unref(set);
    expect_problems(ON_OFF "    decision: { source: opa, path: a }\n    onUnknown: evaluate\n"
                           "    targeting: { if: [{ var: decision.allowed }, on, off] }\n",
                    "f.yaml:5:5: flags.f.onUnknown: 'evaluate' needs a `targeting` that reads the state of "
                    "each decision that it names: "
                    "decision.state, or decision.NAME.state\n");
    expect_problems(ON_OFF "    onUnknown: evaluate\n",
                    "f.yaml:4:5: flags.f.onUnknown: 'evaluate' is about decisions, and the flag has none\n");
    expect_problems(
        ON_OFF "    onUnknown: evalute\n",
        "f.yaml:4:5: flags.f.onUnknown: 'evalute' is not known here (did you mean 'evaluate'?)\n");
}

static void what_is_not_built_yet_is_refused(void **state)
{
    (void)state;
    expect_problems("overrides: {}\n" ON_OFF "    delegation: intersect\n    overrides: []\n",
                    "f.yaml:1:1: overrides: overrides are not supported yet; take them out\n"
                    "f.yaml:5:5: flags.f.delegation: 'delegation' is not supported yet; a file that uses it "
                    "is refused rather than half obeyed\n"
                    "f.yaml:6:5: flags.f.overrides: 'overrides' is not supported yet; a file that uses it is "
                    "refused rather than half obeyed\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_unknown_source_is_an_error_with_a_suggestion),
        cmocka_unit_test(without_sources_any_name_and_key_will_do),
        cmocka_unit_test(a_decision_asks_exactly_one_question),
        cmocka_unit_test(the_sources_type_checks_the_question),
        cmocka_unit_test(undefined_is_denied_unless_the_flag_says_unknown),
        cmocka_unit_test(the_built_in_source_takes_a_rule_and_nothing_else),
        cmocka_unit_test(the_query_of_a_rule_stands_for_its_evaluators_too),
        cmocka_unit_test(an_input_cannot_read_decisions),
        cmocka_unit_test(two_variants_of_one_boolean_are_an_error_under_a_bare_decision),
        cmocka_unit_test(several_decisions_need_a_rule_that_combines_them),
        cmocka_unit_test(the_rule_names_decisions_that_are_there),
        cmocka_unit_test(a_targeting_that_ignores_its_decision_is_warned_of),
        cmocka_unit_test(names_of_decisions_are_words_and_none_is_taken),
        cmocka_unit_test(more_than_sixteen_decisions_are_refused),
        cmocka_unit_test(a_value_needs_a_type_and_a_decision),
        cmocka_unit_test(a_boolean_value_without_variants_is_safe_when_false),
        cmocka_unit_test(on_unknown_evaluate_needs_a_rule_that_reads_the_state),
        cmocka_unit_test(what_is_not_built_yet_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rules in a flag file: where their errors are told, evaluators, facts, time, and results that name no
 * variant. */
#include "reading.h"

#define ON_OFF "flags:\n  f:\n    variants: { on: true, off: false }\n"

static void an_error_in_a_rule_is_told_at_its_place(void **state)
{
    (void)state;
    expect_problems(ON_OFF
                    "    targeting:\n      if:\n        - eqals: [1, 2]\n        - on\n        - off\n",
                    "f.yaml:6:11: flags.f.targeting.if.0.eqals: unknown operator \"eqals\"\n");
    expect_problems(ON_OFF "    targeting: { starts_wiht: [a, b] }\n",
                    "f.yaml:4:18: flags.f.targeting.starts_wiht: unknown operator \"starts_wiht\"; did you "
                    "mean \"starts_with\"?\n");
    expect_problems(
        ON_OFF "    targeting: on\n",
        "f.yaml:4:5: flags.f.targeting: expected a rule (a map with one operator), got a string\n");
}

static void an_empty_targeting_is_none(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(ON_OFF "    targeting: {}\n");
    assert_null(flag_f(set)->targeting);
    fs_flagset_unref(set);
    fs_flagset_unref(read_fine(ON_OFF "    targeting: null\n"));
}

static void an_evaluator_is_used_by_its_name(void **state)
{
    (void)state;
    struct fs_flagset *set = read_fine(
        ON_OFF
        "    targeting: { if: [{ $ref: beta }, on, off] }\n$evaluators:\n  beta: { var: facts.beta }\n");
    assert_true(flag_f(set)->access);
    assert_string_equal(flag_f(set)->facts[0], "beta");
    fs_flagset_unref(set);
}

static void a_bad_evaluator_is_told_once_and_where_it_stands(void **state)
{
    (void)state;
    expect_problems(ON_OFF
                    "    targeting: { if: [{ $ref: beta }, on, off] }\n$evaluators:\n  beta: { vra: x }\n",
                    "f.yaml:6:11: $evaluators.beta.vra: unknown operator \"vra\"; did you mean \"var\"?\n");
    expect_problems(
        ON_OFF "    targeting: { if: [{ $ref: bta }, on, off] }\n$evaluators:\n  beta: { var: x }\n",
        "f.yaml:4:25: flags.f.targeting.if.0.$ref: there is no evaluator \"bta\" in $evaluators\n");
}

static void a_result_that_names_no_variant_is_warned_of(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    targeting: { if: [{ var: a }, onn, { var: b }, off, true] }\n",
                    "f.yaml:4:35: warning: flags.f.targeting.if.1: this result names no variant: none is "
                    "called 'onn' (did you mean 'on'?)\n"
                    "f.yaml:4:57: warning: flags.f.targeting.if.4: this result names no variant: none is "
                    "called 'true' (expected on or off)\n");
    expect_problems(ON_OFF "    targeting: { fractional: [[on, 1], [of, 1]] }\n",
                    "f.yaml:4:41: warning: flags.f.targeting.fractional.1.0: this result names no variant: "
                    "none is called 'of' (did you mean "
                    "'off'?)\n");
    fs_flagset_unref(read_fine(ON_OFF "    targeting: { if: [{ var: a }, null, { var: which }] }\n"));
}

static void a_bare_comparison_is_warned_of_where_no_variant_is_called_true(void **state)
{
    (void)state;
    expect_problems(ON_OFF "    targeting: { \"==\": [{ var: a }, 1] }\n",
                    "f.yaml:4:18: warning: flags.f.targeting.==: the result is true or false, but no variant "
                    "is called 'true'; use {\"if\": "
                    "[..., \"on\", ...]}\n");
    fs_flagset_unref(read_fine("flags:\n  f:\n    variants: { \"true\": 1, \"false\": 0 }\n    targeting: { "
                               "\"==\": [{ var: a }, 1] }\n"));
}

static void fact_defaults_are_for_facts_that_a_rule_reads(void **state)
{
    (void)state;
    struct fs_flagset *set = read_expecting(
        ON_OFF "    targeting: { if: [{ \"<\": [{ var: facts.risk }, 5] }, on, off] }\n    factDefaults: { "
               "risk: 0 }\n",
        "f.yaml:5:21: warning: flags.f.factDefaults.risk: this value stands in for a fact that is missing or "
        "expired: the flag fails open where it grants\n");
    assert_int_equal(json_integer_value(json_object_get(flag_f(set)->fact_defaults, "risk")), 0);
    fs_flagset_unref(set);
    expect_problems(ON_OFF
                    "    targeting: { if: [{ var: facts.risk }, on, off] }\n    factDefaults: { rsik: 0 }\n",
                    "f.yaml:5:21: flags.f.factDefaults.rsik: no rule of this flag reads facts.rsik\n");
}

static void a_fact_default_that_surely_denies_is_not_warned_of(void **state)
{
    (void)state;
    static const char *const denying[] = {
        "{ \"==\": [{ var: facts.a }, granted] }",
        "{ and: [{ \"==\": [{ var: facts.a }, granted] }, { var: open }] }",
        "{ and: [{ var: open }, { \"==\": [{ var: facts.a }, granted] }] }",
        "{ if: [{ \"===\": [{ var: facts.a }, granted] }, { var: open }, false] }",
        "{ if: [{ var: open }, { \"==\": [{ var: facts.a }, granted] }, false] }",
        "{ or: [{ in: [{ var: facts.a }, [granted, lent]] }, { \"!\": [true] }] }",
        "{ \"!\": { \"!=\": [{ var: facts.a }, granted] } }",
    };
    static const char *const granting[] = {
        "{ \"==\": [{ var: facts.a }, none] }",
        "{ or: [{ \"==\": [{ var: facts.a }, granted] }, { var: open }] }",
        "{ and: [{ \"!=\": [{ var: facts.a }, granted] }, { var: open }] }",
        "{ if: [{ var: open }, true, { \"==\": [{ var: facts.a }, granted] }] }",
        "{ \"==\": [{ var: facts.a }, { var: open }] }",
        "{ \"<\": [{ var: facts.a }, 5] }",
        "{ \"!\": { var: facts.a.deep } }",
        "{ substr: [{ var: facts.a }, 0] }",
    };
    for (size_t i = 0; i < sizeof denying / sizeof *denying; i++) {
        char *text =
            fs_format(ON_OFF "    decision: { rule: %s }\n    factDefaults: { a: none }\n", denying[i]);
        fs_flagset_unref(read_fine(text));
        fs_free(text);
    }
    for (size_t i = 0; i < sizeof granting / sizeof *granting; i++) {
        char *text =
            fs_format(ON_OFF "    decision: { rule: %s }\n    factDefaults: { a: none }\n", granting[i]);
        fs_flagset_unref(read_expecting(
            text, "f.yaml:5:21: warning: flags.f.factDefaults.a: this value stands in for a fact "
                  "that is missing or expired: the flag fails open where it grants\n"));
        fs_free(text);
    }
    fs_flagset_unref(
        read_fine("flags:\n  f:\n    type: object\n    value: { var: decision.value }\n    safeValue: []\n"
                  "    factDefaults: { risk: 100 }\n"
                  "    decision: { rule: { if: [{ \"<\": [{ var: facts.risk }, 70] }, [search], []] } }\n"));
    fs_flagset_unref(read_fine(ON_OFF
                               "    targeting: { if: [{ \"<\": [{ var: facts.risk }, 5] }, on, off] }\n"
                               "    factDefaults: { risk: 9 }\n"));
}

static void time_that_must_be_watched_is_warned_of(void **state)
{
    (void)state;
    fs_flagset_unref(read_fine(
        ON_OFF "    targeting: { if: [{ \"<\": [{ var: $flagd.timestamp }, 1800000000] }, on, off] }\n"));
    expect_problems(ON_OFF "    targeting: { if: [{ \"%\": [{ var: $flagd.timestamp }, 2] }, on, off] }\n",
                    "f.yaml:4:5: warning: flags.f.targeting: it computes with $flagd.timestamp, so it is "
                    "evaluated each second; compare the "
                    "bare timestamp with a value free of time and it is scheduled for its moment\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_error_in_a_rule_is_told_at_its_place),
        cmocka_unit_test(an_empty_targeting_is_none),
        cmocka_unit_test(an_evaluator_is_used_by_its_name),
        cmocka_unit_test(a_bad_evaluator_is_told_once_and_where_it_stands),
        cmocka_unit_test(a_result_that_names_no_variant_is_warned_of),
        cmocka_unit_test(a_bare_comparison_is_warned_of_where_no_variant_is_called_true),
        cmocka_unit_test(fact_defaults_are_for_facts_that_a_rule_reads),
        cmocka_unit_test(a_fact_default_that_surely_denies_is_not_warned_of),
        cmocka_unit_test(time_that_must_be_watched_is_warned_of),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

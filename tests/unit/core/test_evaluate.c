/* SPDX-License-Identifier: Apache-2.0 */
/* One flag for one context: flagd's flags, and what each kind of answer means for an access flag. */
#include "flag_support.h"

/* How a decision stands, in a word each. */
struct stand {
    const char *answer; /* "nothing yet", "none", "bad", "undefined", or a JSON value */
    const char *age;    /* "fresh", "stale", "too stale" */
};

struct world {
    const char *context, *facts;
    struct stand stands[3];
    int64_t wall;
};

static void set_standing(const struct stand *stand, struct fs_answer *answer, struct fs_standing *standing)
{
    const char *word = stand->answer;
    memset(answer, 0, sizeof *answer);
    *standing = (struct fs_standing){.answer = answer};
    if (!word || strcmp(word, "nothing yet") == 0) {
        standing->answer = NULL;
    } else if (strcmp(word, "none") == 0) {
        answer->error = fs_strdup("refused");
    } else if (strcmp(word, "bad") == 0) {
        answer->state = FS_ANSWER_BAD;
        answer->error = fs_strdup("eval_conflict_error");
    } else if (strcmp(word, "undefined") == 0) {
        answer->state = FS_ANSWER_UNDEFINED;
    } else {
        answer->state = FS_ANSWER_VALUE;
        answer->value = json_of(word);
    }
    standing->stale = stand->age && strcmp(stand->age, "fresh") != 0;
    standing->too_stale = stand->age && strcmp(stand->age, "too stale") == 0;
}

/* Evaluates; finish the result by fs_evaluation_finish(). */
static void run(const struct fs_flagset *set, const struct world *world, struct fs_evaluation *out)
{
    struct fs_answer answers[3];
    struct fs_standing standings[3];
    struct fs_arena arena;
    json_t *context = json_of(world->context ? world->context : "{}"), *facts = json_of(world->facts);
    for (size_t i = 0; i < 3; i++)
        set_standing(&world->stands[i], &answers[i], &standings[i]);
    struct fs_evaluation_input input = {.context = context,
                                        .facts = facts,
                                        .standings = standings,
                                        .wall_ms = world->wall ? world->wall : FS_TEST_WALL};
    fs_arena_init(&arena);
    fs_evaluate(set->flags[0], &input, &arena, out);
    fs_arena_finish(&arena);
    for (size_t i = 0; i < 3; i++)
        fs_answer_finish(&answers[i]);
    json_decref(context);
    json_decref(facts);
}

/* "VALUE variant REASON [ERROR_CODE] [safe] [: detail]", in a buffer that the next call overwrites. */
static const char *evaluated(const struct plan *plan, const struct world *world)
{
    static char out[512];
    struct fs_evaluation e;
    struct fs_flagset *set = plan_set(plan);
    run(set, world, &e);
    char *value = e.value ? fs_json_canonical_text(e.value, 200, NULL) : fs_strdup("-");
    for (char *c = value; *c; c++)
        *c = *c == '"' ? '\'' : *c;
    snprintf(out, sizeof out, "%s %s %s%s%s%s%s%s", value, e.variant ? e.variant : "-",
             fs_reason_name(e.reason), e.error ? " " : "", fs_error_code_name(e.error), e.safe ? " safe" : "",
             e.detail[0] ? ": " : "", e.detail);
    fs_free(value);
    fs_evaluation_finish(&e);
    fs_flagset_unref(set);
    return out;
}

#define PLAN(...)  (&(struct plan){__VA_ARGS__})
#define WORLD(...) (&(struct world){__VA_ARGS__})

static void a_flag_without_targeting_is_static(void **state)
{
    (void)state;
    assert_string_equal(evaluated(PLAN(.default_variant = "on"), WORLD(0)), "true on STATIC");
    assert_string_equal(evaluated(PLAN(0), WORLD(0)), "- - DEFAULT");
}

static void targeting_names_a_variant(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "off",
                        .targeting = "{'if':[{'var':'a'},'on',{'var':'b'},'nowhere',null]}"};
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'a':1}")), "true on TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(0)), "false off DEFAULT");
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'b':1}")),
                        "- - ERROR GENERAL: targeting gave \"nowhere\", which is no variant");
    plan.default_variant = NULL;
    assert_string_equal(evaluated(&plan, WORLD(0)), "- - DEFAULT");
}

static void targeting_may_give_a_boolean_or_a_number_for_a_name(void **state)
{
    (void)state;
    struct plan plan = {
        .type = FS_TYPE_INTEGER, .variants = "{'true':1,'false':2,'3':3}", .default_variant = "false"};
    plan.targeting = "{'==':[{'var':'a'},1]}";
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'a':1}")), "1 true TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'a':2}")), "2 false TARGETING_MATCH");
    plan.targeting = "{'+':[{'var':'a'},1.0]}";
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'a':2}")), "3 3 TARGETING_MATCH");
}

static void targeting_that_fails_is_a_general_error(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "off", .targeting = "{'>':[{'var':'a'},1]}"};
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'a':'x'}")),
                        "- - ERROR GENERAL: targeting failed: a comparison of things of which one is neither "
                        "number nor text");
}

static void a_disabled_flag_has_no_value(void **state)
{
    (void)state;
    assert_string_equal(evaluated(PLAN(.default_variant = "on", .disabled = true), WORLD(0)), "- - DISABLED");
}

static void a_disabled_access_flag_is_safe(void **state)
{
    (void)state;
    assert_string_equal(evaluated(PLAN(.default_variant = "on", .disabled = true, .decisions = {""}),
                                  WORLD(.stands = {{"true", "fresh"}})),
                        "false off DISABLED safe");
}

/* Each kind of answer at each age, for a bare boolean decision. Never does anything but a true answer in time
 * grant. */
static void each_answer_at_each_age_means_one_thing(void **state)
{
    static const struct {
        struct stand stand;
        const char *expected;
    } rows[] = {
        {{"nothing yet", "fresh"}, "false off ERROR safe: decision: unknown: no answer yet"},
        {{"nothing yet", "stale"}, "false off ERROR safe: decision: unknown: no answer yet"},
        {{"nothing yet", "too stale"}, "false off ERROR safe: decision: unknown: no answer yet"},
        {{"none", "fresh"}, "false off ERROR safe: decision: unknown: refused"},
        {{"none", "stale"}, "false off ERROR safe: decision: unknown: refused"},
        {{"none", "too stale"}, "false off ERROR safe: decision: unknown: refused"},
        {{"true", "fresh"}, "true on TARGETING_MATCH"},
        {{"true", "stale"}, "true on STALE"},
        {{"true", "too stale"}, "false off ERROR safe: decision: unknown: the last answer is too old"},
        {{"false", "fresh"}, "false off TARGETING_MATCH"},
        {{"false", "stale"}, "false off STALE"},
        {{"false", "too stale"}, "false off ERROR safe: decision: unknown: the last answer is too old"},
        {{"undefined", "fresh"}, "false off TARGETING_MATCH"},
        {{"undefined", "stale"}, "false off STALE"},
        {{"undefined", "too stale"}, "false off ERROR safe: decision: unknown: the last answer is too old"},
        {{"bad", "fresh"}, "false off ERROR safe: decision: bad: eval_conflict_error"},
        {{"bad", "stale"}, "false off ERROR safe: decision: bad: eval_conflict_error"},
        {{"bad", "too stale"}, "false off ERROR safe: decision: bad: eval_conflict_error"},
        {{"1", "fresh"},
         "false off ERROR safe: decision: bad: it is neither boolean nor the name of a variant"},
        {{"null", "fresh"},
         "false off ERROR safe: decision: bad: it is neither boolean nor the name of a variant"},
        {{"[true]", "fresh"},
         "false off ERROR safe: decision: bad: it is neither boolean nor the name of a variant"},
        {{"'true'", "fresh"}, "false off ERROR safe: decision: bad: it names no variant"},
        {{"'on'", "fresh"}, "true on TARGETING_MATCH"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++)
        assert_string_equal(
            evaluated(PLAN(.default_variant = "on", .decisions = {""}), WORLD(.stands = {rows[i].stand})),
            rows[i].expected);
}

static void undefined_may_be_declared_bad(void **state)
{
    (void)state;
    assert_string_equal(evaluated(PLAN(.decisions = {""}, .undefined_unknown = true),
                                  WORLD(.stands = {{"undefined", "fresh"}})),
                        "false off ERROR safe: decision: bad: undefined");
}

static void a_denial_without_a_variant_of_its_own_is_safe_without_error(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_STRING,
                        .variants = "{'free':'f','pro':'p'}",
                        .default_variant = "pro",
                        .safe = "free",
                        .decisions = {""}};
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"false", "fresh"}})),
                        "'f' free TARGETING_MATCH safe");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"undefined", "stale"}})), "'f' free STALE safe");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"'pro'", "fresh"}})), "'p' pro TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"'gold'", "fresh"}})),
                        "'f' free ERROR safe: decision: bad: it names no variant");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}})),
                        "'f' free ERROR safe: decision: bad: true, and no variant is valued true");
}

static void targeting_sees_the_decision(void **state)
{
    (void)state;
    struct plan plan = {
        .type = FS_TYPE_STRING,
        .variants = "{'no':'n','yes':'y','some':'s'}",
        .default_variant = "yes",
        .safe = "no",
        .decisions = {""},
        .targeting =
            "{'if':[{'var':'decision.allowed'},'yes',{'in':['x',{'var':'decision.value'}]},'some',null]}"};
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}})), "'y' yes TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "stale"}})), "'y' yes STALE");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"['x']", "fresh"}})), "'s' some TARGETING_MATCH");
    /* Nothing matches: the safe variant, never the default one. */
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"['y']", "fresh"}})),
                        "'n' no TARGETING_MATCH safe");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"undefined", "fresh"}})),
                        "'n' no TARGETING_MATCH safe");
}

static void allowed_is_true_alone(void **state)
{
    static const char *const values[] = {"1", "'true'", "[1]", "{'allow':true}", "null", "false"};
    (void)state;
    for (size_t i = 0; i < sizeof values / sizeof *values; i++)
        assert_string_equal(
            evaluated(PLAN(.decisions = {""}, .targeting = "{'if':[{'var':'decision.allowed'},'on','off']}"),
                      WORLD(.stands = {{values[i], "fresh"}})),
            "false off TARGETING_MATCH");
}

static void targeting_does_not_run_while_a_decision_that_it_names_is_unknown(void **state)
{
    static const char *const answers[] = {"nothing yet", "none", "bad"};
    (void)state;
    /* Were it to run, it would grant. */
    struct plan plan = {.default_variant = "on",
                        .decisions = {""},
                        .targeting = "{'if':[{'var':'decision.allowed'},'on','on']}"};
    for (size_t i = 0; i < sizeof answers / sizeof *answers; i++)
        assert_non_null(
            strstr(evaluated(&plan, WORLD(.stands = {{answers[i], "fresh"}})), "false off ERROR safe"));
    assert_non_null(
        strstr(evaluated(&plan, WORLD(.stands = {{"true", "too stale"}})), "false off ERROR safe"));
    /* Saying onUnknown: evaluate is not enough: the state must be read. */
    plan.evaluate_unknown = true;
    assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{"none", "fresh"}})), "false off ERROR safe"));
    /* Nor is reading it enough. */
    plan.evaluate_unknown = false;
    plan.targeting = "{'if':[{'==':[{'var':'decision.state'},'unknown']},'on','off']}";
    assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{"none", "fresh"}})), "false off ERROR safe"));
}

static void targeting_that_dares_reads_the_state(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_STRING,
                        .variants = "{'allowed':'a','denied':'d','value':'v','unknown':'u','bad':'b'}",
                        .safe = "denied",
                        .decisions = {""},
                        .evaluate_unknown = true,
                        .targeting = "{'var':'decision.state'}"};
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}})),
                        "'a' allowed TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"false", "stale"}})), "'d' denied STALE");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"undefined", "fresh"}})),
                        "'d' denied TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"7", "fresh"}})), "'v' value TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"none", "stale"}})),
                        "'u' unknown TARGETING_MATCH: decision: unknown: refused");
    assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{"bad", "fresh"}})), "'b' bad TARGETING_MATCH"));
    assert_non_null(
        strstr(evaluated(&plan, WORLD(.stands = {{"true", "too stale"}})), "'u' unknown TARGETING_MATCH"));
    plan.variants = "{'no':'n','yes':'y'}";
    plan.safe = "no";
    plan.targeting = "{'if':[{'==':[{'var':'decision.state'},'x']},'no',{'and':[{'var':'decision.stale'},{'"
                     "var':'decision.allowed'}]},'yes','no']}";
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "stale"}})), "'y' yes STALE");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}})), "'n' no TARGETING_MATCH");
}

static void only_the_decisions_that_are_named_count(void **state)
{
    (void)state;
    struct plan plan = {.decisions = {"rbac", "risk"},
                        .targeting = "{'if':[{'var':'decision.rbac.allowed'},'on','off']}"};
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}, {"none", "stale"}})),
                        "true on TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"none", "fresh"}, {"true", "fresh"}})),
                        "false off ERROR safe: decision rbac: unknown: refused");
    plan.targeting =
        "{'if':[{'and':[{'var':'decision.rbac.allowed'},{'!':{'var':'decision.risk.allowed'}}]},'on','off']}";
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}, {"false", "stale"}})),
                        "true on STALE");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"true", "fresh"}, {"none", "fresh"}})),
                        "false off ERROR safe: decision risk: unknown: refused");
    /* One state that is read does not excuse the other. */
    plan.evaluate_unknown = true;
    plan.targeting = "{'if':[{'and':[{'==':[{'var':'decision.rbac.state'},'unknown']},{'!':{'var':'decision."
                     "risk.allowed'}}]},'on','off']}";
    assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{"none", "fresh"}, {"none", "fresh"}})),
                           "false off ERROR safe"));
}

static void a_missing_fact_is_unknown(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "on",
                        .targeting = "{'if':[{'==':[{'var':'facts.tier'},'bad']},'off','on']}"};
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'tier':'good'}")), "true on TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'other':1}")),
                        "false off ERROR safe: fact tier: unknown: missing or expired");
    assert_string_equal(evaluated(&plan, WORLD(0)),
                        "false off ERROR safe: fact tier: unknown: missing or expired");
    /* A context cannot stand in for a fact. */
    assert_string_equal(evaluated(&plan, WORLD(.context = "{'facts':{'tier':'good'}}")),
                        "false off ERROR safe: fact tier: unknown: missing or expired");
    plan.evaluate_unknown = true;
    assert_non_null(strstr(evaluated(&plan, WORLD(0)), "false off ERROR safe"));
}

static void fact_defaults_stand_in(void **state)
{
    (void)state;
    struct plan plan = {
        .targeting = "{'if':[{'and':[{'>':[{'var':'facts.risk'},5]},{'var':'facts.known'}]},'off','on']}",
        .fact_defaults = "{'risk':9}"};
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'known':true}")), "false off TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'known':true,'risk':1}")),
                        "true on TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'risk':1}")),
                        "false off ERROR safe: fact known: unknown: missing or expired");
    assert_string_equal(evaluated(&plan, WORLD(.facts = "{'known':true,'risk':null}")),
                        "true on TARGETING_MATCH");
}

static void targeting_that_fails_on_an_access_flag_is_safe(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "on",
                        .decisions = {""},
                        .targeting = "{'if':[{'>':[{'var':'decision.value'},1]},'on','yonder']}"};
    assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{"'x'", "fresh"}})),
                           "false off ERROR safe: targeting: bad: a comparison"));
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"0", "fresh"}})),
                        "false off ERROR safe: targeting: bad: it gave \"yonder\", which is no variant");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"2", "fresh"}})), "true on TARGETING_MATCH");
}

static void a_value_is_taken_from_the_decision(void **state)
{
    (void)state;
    struct plan plan = {.type = FS_TYPE_OBJECT,
                        .variants = "{}",
                        .safe_value = "[]",
                        .decisions = {""},
                        .value = "{'var':'decision.value'}"};
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"['a','b']", "fresh"}})),
                        "['a','b'] decision TARGETING_MATCH");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"['a']", "stale"}})), "['a'] decision STALE");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"undefined", "fresh"}})),
                        "[] safe TARGETING_MATCH safe");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"5", "fresh"}})),
                        "[] safe ERROR safe: value: bad: it is no object");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"null", "fresh"}})),
                        "[] safe ERROR safe: value: bad: it is no object");
    assert_string_equal(evaluated(&plan, WORLD(.stands = {{"none", "fresh"}})),
                        "[] safe ERROR safe: decision: unknown: refused");
    plan.value = "{'tools':{'var':'decision.value'},'for':{'var':'targetingKey'}}";
    assert_string_equal(
        evaluated(&plan, WORLD(.context = "{'targetingKey':'jane'}", .stands = {{"['a']", "fresh"}})),
        "{'for':'jane','tools':['a']} decision TARGETING_MATCH");
}

static void a_value_must_be_of_the_flags_type(void **state)
{
    static const struct {
        enum fs_type type;
        const char *good, *bad;
    } rows[] = {{FS_TYPE_BOOLEAN, "true", "1"},
                {FS_TYPE_STRING, "'x'", "true"},
                {FS_TYPE_INTEGER, "5", "5.5"},
                {FS_TYPE_FLOAT, "5.5", "'5.5'"},
                {FS_TYPE_OBJECT, "{'a':1}", "'x'"}};
    (void)state;
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct plan plan = {.type = rows[i].type,
                            .variants = "{}",
                            .safe_value = "0",
                            .decisions = {""},
                            .value = "{'var':'decision.value'}"};
        assert_non_null(
            strstr(evaluated(&plan, WORLD(.stands = {{rows[i].good, "fresh"}})), "decision TARGETING_MATCH"));
        assert_non_null(strstr(evaluated(&plan, WORLD(.stands = {{rows[i].bad, "fresh"}})),
                               "safe ERROR safe: value: bad: it is no "));
    }
}

static int64_t next_change(const struct plan *plan, const struct world *world)
{
    struct fs_evaluation e;
    struct fs_flagset *set = plan_set(plan);
    run(set, world, &e);
    fs_evaluation_finish(&e);
    fs_flagset_unref(set);
    return e.next_change;
}

static void time_is_told_ahead(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "off",
                        .targeting = "{'if':[{'<':[{'var':'$flagd.timestamp'},2000]},'on','off']}"};
    assert_int_equal(next_change(&plan, WORLD(.wall = 1999000)), 2000000);
    assert_true(next_change(&plan, WORLD(.wall = 2000000)) == INT64_MAX);
    plan.targeting = "{'if':[{'%':[{'var':'$flagd.timestamp'},2]},'on','off']}";
    assert_int_equal(next_change(&plan, WORLD(.wall = 1999000)), 2000000);
    assert_int_equal(next_change(&plan, WORLD(.wall = 1999999)), 2000000);
    plan.targeting = "{'if':[{'var':'a'},'on','off']}";
    assert_true(next_change(&plan, WORLD(.wall = 1)) == INT64_MAX);
    plan.targeting =
        "{'if':[{'and':[{'var':'decision.allowed'},{'<':[{'var':'$flagd.timestamp'},2000]}]},'on','off']}";
    plan.decisions[0] = "";
    assert_int_equal(next_change(&plan, WORLD(.wall = 1000, .stands = {{"true", "fresh"}})), 2000000);
    /* While the decision is unknown, time changes nothing. */
    assert_true(next_change(&plan, WORLD(.wall = 1000, .stands = {{"none", "fresh"}})) == INT64_MAX);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_without_targeting_is_static),
        cmocka_unit_test(targeting_names_a_variant),
        cmocka_unit_test(targeting_may_give_a_boolean_or_a_number_for_a_name),
        cmocka_unit_test(targeting_that_fails_is_a_general_error),
        cmocka_unit_test(a_disabled_flag_has_no_value),
        cmocka_unit_test(a_disabled_access_flag_is_safe),
        cmocka_unit_test(each_answer_at_each_age_means_one_thing),
        cmocka_unit_test(undefined_may_be_declared_bad),
        cmocka_unit_test(a_denial_without_a_variant_of_its_own_is_safe_without_error),
        cmocka_unit_test(targeting_sees_the_decision),
        cmocka_unit_test(allowed_is_true_alone),
        cmocka_unit_test(targeting_does_not_run_while_a_decision_that_it_names_is_unknown),
        cmocka_unit_test(targeting_that_dares_reads_the_state),
        cmocka_unit_test(only_the_decisions_that_are_named_count),
        cmocka_unit_test(a_missing_fact_is_unknown),
        cmocka_unit_test(fact_defaults_stand_in),
        cmocka_unit_test(targeting_that_fails_on_an_access_flag_is_safe),
        cmocka_unit_test(a_value_is_taken_from_the_decision),
        cmocka_unit_test(a_value_must_be_of_the_flags_type),
        cmocka_unit_test(time_is_told_ahead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

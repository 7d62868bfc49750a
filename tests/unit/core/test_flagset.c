/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of flags: order, look-up, hash, and what is found out about each flag. */
#include "flag_support.h"
#include "core/entry.h"
#include "core/source.h"

static void flags_are_sorted_and_found_by_key(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "on"};
    struct fs_flag *flags[] = {plan_flag("b", &plan), plan_flag("a", &plan), plan_flag("c", &plan)};
    struct fs_flagset *set = fs_flagset_create(flags, 3, NULL);
    assert_int_equal(set->count, 3);
    assert_string_equal(set->flags[0]->key, "a");
    assert_string_equal(set->flags[2]->key, "c");
    assert_int_equal(set->flags[1]->index, 1);
    assert_ptr_equal(fs_flagset_find(set, "b"), set->flags[1]);
    assert_null(fs_flagset_find(set, "d"));
    fs_flagset_unref(set);
}

static void an_empty_set_is_one(void **state)
{
    (void)state;
    struct fs_flagset *set = fs_flagset_create(NULL, 0, NULL);
    assert_null(fs_flagset_find(set, "a"));
    assert_int_equal(strlen(set->hash), 64);
    fs_flagset_unref(set);
    fs_flagset_unref(NULL);
}

static void a_set_lives_while_it_is_referred_to(void **state)
{
    (void)state;
    struct plan plan = {.default_variant = "on"};
    json_t *metadata = json_of("{'flagSetId':'x'}");
    struct fs_flag *flag = plan_flag("a", &plan);
    struct fs_flagset *set = fs_flagset_create(&flag, 1, metadata);
    json_decref(metadata);
    assert_ptr_equal(fs_flagset_ref(set), set);
    fs_flagset_unref(set);
    assert_string_equal(fs_json_text(set->metadata, "flagSetId"), "x");
    assert_non_null(fs_flagset_find(set, "a"));
    fs_flagset_unref(set);
}

static void assert_hashes(const struct plan *a, const struct plan *b, bool equal)
{
    struct fs_flagset *x = plan_set(a), *y = plan_set(b);
    assert_int_equal(strcmp(x->hash, y->hash) == 0, equal);
    fs_flagset_unref(x);
    fs_flagset_unref(y);
}

static void equal_definitions_have_equal_hashes(void **state)
{
    (void)state;
    struct plan plan = {
        .default_variant = "on", .targeting = "{'if':[{'var':'a'},'on','off']}", .decisions = {""}};
    struct plan other = plan;
    assert_hashes(&plan, &other, true);
    other.targeting = "{'if':[{'var':'b'},'on','off']}";
    assert_hashes(&plan, &other, false);
    other = plan;
    other.default_variant = "off";
    assert_hashes(&plan, &other, false);
    other = plan;
    other.undefined_unknown = true;
    assert_hashes(&plan, &other, false);
    other = plan;
    other.fact_defaults = "{}";
    assert_hashes(&plan, &other, false);
    other = plan;
    other.variants = "{'on':true,'off':false,'also':false}";
    assert_hashes(&plan, &other, false);
}

static bool is_access(const struct plan *plan)
{
    struct fs_flagset *set = plan_set(plan);
    bool access = set->flags[0]->access;
    fs_flagset_unref(set);
    return access;
}

static void an_access_flag_has_a_decision_a_safe_variant_or_reads_facts(void **state)
{
    (void)state;
    assert_false(is_access(&(struct plan){.default_variant = "on"}));
    assert_false(is_access(&(struct plan){.targeting = "{'if':[{'var':{'var':'path'}},'on']}"}));
    assert_true(is_access(&(struct plan){.decisions = {""}}));
    assert_true(is_access(&(struct plan){.safe = "off"}));
    assert_true(is_access(&(struct plan){.safe_value = "false"}));
    assert_true(is_access(&(struct plan){.targeting = "{'if':[{'var':'facts.tier'},'on']}"}));
}

static void a_boolean_access_flag_is_safe_in_the_variant_valued_false(void **state)
{
    (void)state;
    struct fs_flagset *set =
        plan_set(&(struct plan){.variants = "{'yes':true,'no':false}", .decisions = {""}});
    assert_string_equal(set->flags[0]->variants[set->flags[0]->safe_variant].name, "no");
    fs_flagset_unref(set);
    set = plan_set(&(struct plan){.variants = "{'yes':true,'no':false}"});
    assert_int_equal(set->flags[0]->safe_variant, -1);
    fs_flagset_unref(set);
}

static void facts_and_time_are_gathered_from_all_rules(void **state)
{
    (void)state;
    struct fs_flagset *set = plan_set(
        &(struct plan){.decisions = {""},
                       .rule = "{'<':[{'var':'$flagd.timestamp'},{'var':'facts.until'}]}",
                       .input = "{'r':{'var':'facts.risk.score'}}",
                       .targeting = "{'if':[{'var':'facts.until'},'on',{'var':'facts.age'},'on','off']}"});
    const struct fs_flag *flag = set->flags[0];
    assert_int_equal(flag->fact_count, 3);
    assert_string_equal(flag->facts[0], "age");
    assert_string_equal(flag->facts[1], "risk");
    assert_string_equal(flag->facts[2], "until");
    assert_int_equal(flag->time, FS_TIME_SCHEDULED);
    fs_flagset_unref(set);
}

static void kinds_of_entries_have_names(void **state)
{
    enum fs_entry_kind kind;
    (void)state;
    assert_string_equal(fs_entry_kind_name(FS_ENTRY_TICK), "tick");
    assert_true(fs_entry_kind_parse("operator", &kind));
    assert_int_equal(kind, FS_ENTRY_OPERATOR);
    assert_false(fs_entry_kind_parse("tock", &kind));
}

static void answers_are_compared_by_state_and_value(void **state)
{
    (void)state;
    struct fs_answer a = {.state = FS_ANSWER_VALUE,
                          .value = json_of("1"),
                          .revision = fs_strdup("r1"),
                          .decision_id = fs_strdup("d1")};
    struct fs_answer b;
    fs_answer_copy(&b, &a);
    assert_string_equal(b.revision, "r1");
    assert_string_equal(b.decision_id, "d1");
    assert_null(b.error);
    fs_free(b.revision);
    b.revision = fs_strdup("r2");
    assert_true(fs_answer_equal(&a, &b));
    json_decref(b.value);
    b.value = json_of("1.0");
    assert_true(fs_answer_equal(&a, &b));
    json_decref(b.value);
    b.value = json_of("2");
    assert_false(fs_answer_equal(&a, &b));
    struct fs_answer undefined = {.state = FS_ANSWER_UNDEFINED},
                     none = {.state = FS_ANSWER_NONE, .error = fs_strdup("late")};
    assert_false(fs_answer_equal(&a, &undefined));
    assert_false(fs_answer_equal(&none, &undefined));
    fs_answer_finish(&a);
    fs_answer_finish(&b);
    fs_answer_finish(&none);
    fs_answer_finish(NULL);
}

static void an_exchange_owns_what_it_is_given(void **state)
{
    (void)state;
    struct fs_list list;
    fs_list_init(&list);
    struct fs_exchange *exchange = fs_exchange_create("POST", fs_strdup("/v1/data"), fs_strdup("{}"), 2);
    exchange->content_type = fs_strdup("application/json");
    exchange->questions = fs_calloc(1, sizeof *exchange->questions);
    exchange->state = fs_alloc(1);
    fs_list_append(&list, &exchange->node);
    fs_exchange_destroy(exchange);
    assert_true(fs_list_empty(&list));
    fs_exchange_destroy(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(flags_are_sorted_and_found_by_key),
        cmocka_unit_test(an_empty_set_is_one),
        cmocka_unit_test(a_set_lives_while_it_is_referred_to),
        cmocka_unit_test(equal_definitions_have_equal_hashes),
        cmocka_unit_test(an_access_flag_has_a_decision_a_safe_variant_or_reads_facts),
        cmocka_unit_test(a_boolean_access_flag_is_safe_in_the_variant_valued_false),
        cmocka_unit_test(facts_and_time_are_gathered_from_all_rules),
        cmocka_unit_test(kinds_of_entries_have_names),
        cmocka_unit_test(answers_are_compared_by_state_and_value),
        cmocka_unit_test(an_exchange_owns_what_it_is_given),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

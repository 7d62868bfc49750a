/* SPDX-License-Identifier: Apache-2.0 */
/* The provider of flag files: the contract, and what evaluations give. */
#include "contract.h"
#include "file_world.h"

/* --- the contract ------------------------------------------------------------------------------------- */

static of_provider *make(void)
{
    return provider_of("contract.yaml", OF_FILE_CHANGES_AUTO);
}

static void it_keeps_the_contract_of_providers(void **state)
{
    (void)state;
    write_file("contract.yaml", "flags:\n"
                                "  contract-bool: {variants: {one: true}, defaultVariant: one}\n"
                                "  contract-string: {variants: {one: hi}, defaultVariant: one}\n"
                                "  contract-int: {variants: {one: 10}, defaultVariant: one}\n"
                                "  contract-double: {variants: {one: 0.5}, defaultVariant: one}\n"
                                "  contract-object: {variants: {one: {a: 1}}, defaultVariant: one}\n");
    contract_check(make);
}

/* --- evaluation --------------------------------------------------------------------------------------- */

static const char rules[] =
    "metadata: {team: payments}\n"
    "flags:\n"
    "  tier:\n"
    "    variants: {gold: 1, plain: 2}\n"
    "    defaultVariant: plain\n"
    "    targeting: {if: [{ends_with: [{var: email}, '@example.org']}, gold]}\n"
    "    metadata: {owner: ada}\n"
    "  'off':\n"
    "    state: DISABLED\n"
    "    variants: {one: true}\n"
    "    defaultVariant: one\n"
    "  broken:\n"
    "    variants: {one: true}\n"
    "    defaultVariant: one\n"
    "    targeting: {var: which}\n"
    "  door:\n"
    "    variants: {'on': true, 'off': false}\n"
    "    defaultVariant: 'off'\n"
    "    decision: {rule: {in: [{var: targetingKey}, [ada, bo]]}}\n"
    "  vault:\n"
    "    variants: {'on': true, 'off': false}\n"
    "    defaultVariant: 'on'\n"
    "    decision: {source: opa, path: bank/vault/open}\n"
    "  lounge:\n"
    "    variants: {'on': true, 'off': false}\n"
    "    defaultVariant: 'on'\n"
    "    decision: {rule: {'==': [{var: facts.tier}, gold]}}\n"
    "  leased:\n"
    "    variants: {'on': true, 'off': false}\n"
    "    defaultVariant: 'on'\n"
    "    unleased: safe\n"
    "    decision: {rule: true}\n"
    "  tools:\n"
    "    type: object\n"
    "    decision: {rule: {if: [{'==': [{var: targetingKey}, ada]}, [hammer, saw], [hammer]]}}\n"
    "    value: {var: decision.value}\n"
    "    safeValue: []\n";

static void rules_decide_over_the_context(void **state)
{
    (void)state;
    of_details details;
    write_file("flags.yaml", rules);
    start("flags.yaml");
    of_context *ada = of_context_new("ada");
    assert_int_equal(of_client_int_details(program.client, "tier", 0, ada, NULL, &details), OF_OK);
    assert_int_equal(details.value.integer, 2);
    assert_string_equal(details.reason, OF_REASON_DEFAULT);
    of_details_clear(&details);
    (void)of_context_set_string(ada, "email", "ada@example.org");
    assert_int_equal(of_client_int_details(program.client, "tier", 0, ada, NULL, &details), OF_OK);
    assert_int_equal(details.value.integer, 1);
    assert_string_equal(details.variant, "gold");
    assert_string_equal(details.reason, OF_REASON_TARGETING_MATCH);
    assert_string_equal(of_value_as_string(of_value_get(details.metadata, "team"), ""), "payments");
    assert_string_equal(of_value_as_string(of_value_get(details.metadata, "owner"), ""), "ada");
    of_details_clear(&details);
    assert_true(of_client_get_bool(program.client, "door", false, ada, NULL));
    of_value *tools = of_client_get_object(program.client, "tools", NULL, ada, NULL);
    assert_int_equal(of_value_length(tools), 2);
    of_value_unref(tools);
    of_context_unref(ada);
    assert_false(of_client_get_bool(program.client, "door", true, NULL, NULL));
    tools = of_client_get_object(program.client, "tools", NULL, NULL, NULL);
    assert_string_equal(of_value_as_string(of_value_at(tools, 0), ""), "hammer");
    of_value_unref(tools);
    finish();
}

static void what_has_no_value_gives_the_callers_default(void **state)
{
    (void)state;
    of_details details;
    write_file("flags.yaml", rules);
    start("flags.yaml");
    assert_int_equal(of_client_bool_details(program.client, "off", false, NULL, NULL, &details), OF_OK);
    assert_false(details.value.boolean);
    assert_string_equal(details.reason, OF_REASON_DISABLED);
    of_details_clear(&details);
    of_context *context = of_context_new("ada");
    (void)of_context_set_string(context, "which", "none such");
    assert_int_equal(of_client_bool_details(program.client, "broken", false, context, NULL, &details),
                     OF_ERROR_GENERAL);
    assert_false(details.value.boolean);
    assert_non_null(strstr(details.error_message, "none such"));
    of_details_clear(&details);
    of_context_unref(context);
    finish();
}

/* The caller's default is the granting one: it must not come through. */
static void expect_safe(const char *key, const char *why)
{
    of_details details;
    assert_int_equal(of_client_bool_details(program.client, key, true, NULL, NULL, &details), OF_OK);
    assert_false(details.value.boolean);
    assert_string_equal(details.variant, "off");
    assert_string_equal(details.reason, OF_REASON_ERROR);
    assert_non_null(strstr(of_value_as_string(of_value_get(details.metadata, "flagstaff.error"), ""), why));
    of_details_clear(&details);
    assert_false(of_client_get_bool(program.client, key, true, NULL, NULL));
}

static void what_cannot_be_known_here_gives_the_safe_variant(void **state)
{
    (void)state;
    write_file("flags.yaml", rules);
    start("flags.yaml");
    expect_safe("vault", "the source opa is not asked");
    expect_safe("lounge", "fact tier");
    expect_safe("leased", "unleased: safe");
    finish();
}

static void fields_with_reserved_names_are_not_seen_by_rules(void **state)
{
    (void)state;
    write_file("flags.yaml", rules);
    start("flags.yaml");
    of_context *liar = of_context_new("mallory");
    of_value *facts = of_value_object();
    (void)of_value_set_string(facts, "tier", "gold");
    (void)of_context_set(liar, "facts", facts);
    assert_false(of_client_get_bool(program.client, "lounge", true, liar, NULL));
    of_context_unref(liar);
    finish();
}

static void options_that_cannot_be_used_are_refused_with_a_reason(void **state)
{
    (void)state;
    char problem[128] = "";
    of_file_options options = OF_FILE_OPTIONS_INIT;
    assert_null(of_file_provider_new(&options, problem, sizeof problem));
    assert_non_null(strstr(problem, "paths"));
    assert_null(of_file_provider_new(NULL, problem, sizeof problem));
    assert_non_null(strstr(problem, "OF_FILE_OPTIONS_INIT"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(it_keeps_the_contract_of_providers),
        FILE_TEST(rules_decide_over_the_context),
        FILE_TEST(what_has_no_value_gives_the_callers_default),
        FILE_TEST(what_cannot_be_known_here_gives_the_safe_variant),
        FILE_TEST(fields_with_reserved_names_are_not_seen_by_rules),
        cmocka_unit_test(options_that_cannot_be_used_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

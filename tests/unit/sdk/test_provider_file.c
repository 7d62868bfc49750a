/* SPDX-License-Identifier: Apache-2.0 */
/* The provider of flag files: the contract, and what evaluations give. */
#include "contract.h"
#include "file_world.h"

#include <stdio.h>
#include <sys/wait.h>
#include <unistd.h>

#include <openfeature/static.h>

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

static void a_static_context_is_what_rules_see(void **state)
{
    (void)state;
    write_file("flags.yaml", rules);
    of_static_api *api = of_static_api_new();
    of_static_client *client = of_static_api_client(api, NULL);
    of_provider *provider = provider_of("flags.yaml", OF_FILE_CHANGES_AUTO);
    assert_int_equal(of_static_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_false(of_static_client_get_bool(client, "door", true, NULL));
    of_context *bo = of_context_new("bo");
    assert_int_equal(of_static_api_set_context_and_wait(api, NULL, bo, PATIENCE_MS), OF_OK);
    assert_true(of_static_client_get_bool(client, "door", false, NULL));
    of_context_unref(bo);
    of_static_client_unref(client);
    of_static_api_unref(api);
    of_provider_unref(provider);
}

static void a_forked_child_answers_from_what_was_read_and_disturbs_nothing(void **state)
{
    (void)state;
    int status = -1;
    write_file("flags.yaml", rules);
    start("flags.yaml");
    pid_t child = fork();
    if (child == 0) {
        of_context *ada = of_context_new("ada");
        bool open = of_client_get_bool(program.client, "door", false, ada, NULL);
        of_error error = of_file_provider_reload(program.provider, NULL, 0);
        _exit(open && error == OF_ERROR_PROVIDER_NOT_READY ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_int_equal(status, 0);
    replace_file("flags.yaml", "flags: {door: {variants: {one: true}, defaultVariant: one}}\n");
    assert_int_equal(next_event(OF_EVENT_CONFIGURATION_CHANGED)->type, OF_EVENT_CONFIGURATION_CHANGED);
    assert_true(of_client_get_bool(program.client, "door", false, NULL, NULL));
    finish();
}

struct lines {
    char text[4096];
};

static void note(void *user, of_file_level level, const char *text)
{
    struct lines *lines = user;
    size_t length = strlen(lines->text);
    (void)snprintf(lines->text + length, sizeof lines->text - length, "%d %s\n", (int)level, text);
}

static void the_log_has_every_mistake_with_its_place_and_every_flag_that_asks_a_source(void **state)
{
    (void)state;
    struct lines lines = {""};
    write_file("flags.yaml", "flags:\n"
                             "  one: {variants: {a: 1}, defaultVariant: b}\n"
                             "  two: {variants: {a: 1}, defaultVariant: a, targeting: {nonsense: 1}}\n");
    const char *path = place("flags.yaml");
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = &path;
    options.path_count = 1;
    options.log = note;
    options.user = &lines;
    of_provider *provider = of_file_provider_new(&options, NULL, 0);
    of_api *api = of_api_new();
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_ERROR_PARSE_ERROR);
    of_api_shutdown(api);
    assert_non_null(strstr(lines.text, "flags.yaml:2:"));
    assert_non_null(strstr(lines.text, "flags.one.defaultVariant"));
    assert_non_null(strstr(lines.text, "flags.yaml:3:"));
    assert_non_null(strstr(lines.text, "nonsense"));
    lines.text[0] = '\0';
    write_file("flags.yaml", rules);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    of_api_shutdown(api);
    assert_non_null(strstr(lines.text, "flags.vault: its decision asks the source opa"));
    assert_non_null(strstr(lines.text, "8 flags read"));
    of_api_unref(api);
    of_provider_unref(provider);
}

/* The log runs with no lock held. */
static void reload_once(void *user, of_file_level level, const char *text)
{
    int *calls = user;
    (void)level, (void)text;
    ++*calls;
    (void)of_client_get_bool(program.client, "door", false, NULL, NULL);
    if (*calls == 1)
        assert_int_equal(of_file_provider_reload(program.provider, NULL, 0), OF_OK);
}

static void the_log_may_evaluate_and_reload(void **state)
{
    (void)state;
    int calls = 0;
    const char *path = place("flags.yaml");
    of_file_options options = OF_FILE_OPTIONS_INIT;
    write_file("flags.yaml", rules);
    options.paths = &path;
    options.path_count = 1;
    options.changes = OF_FILE_CHANGES_NONE;
    options.log = reload_once;
    options.user = &calls;
    program.provider = of_file_provider_new(&options, NULL, 0);
    program.api = of_api_new();
    program.client = of_api_client(program.api, NULL);
    assert_int_equal(of_api_set_provider_and_wait(program.api, NULL, program.provider, PATIENCE_MS), OF_OK);
    assert_true(calls > 1);
    of_client_unref(program.client);
    of_api_unref(program.api);
    of_provider_unref(program.provider);
}

static void a_value_that_is_nested_too_deeply_is_refused_by_name(void **state)
{
    (void)state;
    enum { DEPTH = OF_VALUE_MAX_DEPTH + 1 };
    char text[512] = "flags:\n  shallow: {variants: {one: true}, defaultVariant: one}\n  well:\n"
                     "    variants: {deep: ";
    size_t at = strlen(text);
    memset(text + at, '[', DEPTH);
    memset(text + at + DEPTH, ']', DEPTH);
    (void)snprintf(text + at + 2 * DEPTH, sizeof text - at - 2 * DEPTH, "}\n    defaultVariant: deep\n");
    write_file("flags.yaml", text);
    program.provider = provider_of("flags.yaml", OF_FILE_CHANGES_NONE);
    program.api = of_api_new();
    box_init(&program.box);
    (void)of_api_on(program.api, OF_EVENT_ERROR, box_handler, &program.box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(program.api, NULL, program.provider, PATIENCE_MS),
                     OF_ERROR_PARSE_ERROR);
    box_await(&program.box, 1);
    assert_non_null(strstr(program.box.seen[0].message, "flags.well"));
    of_api_unref(program.api);
    of_provider_unref(program.provider);
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

static void destroy_nothing(void *self)
{
    (void)self;
}

static void another_provider_of_the_same_name_is_not_taken_for_one(void **state)
{
    (void)state;
    int self = 0;
    const of_provider_methods methods = {.size = sizeof methods, .name = "file", .destroy = destroy_nothing};
    of_provider *other = of_provider_new(&methods, &self);
    assert_int_equal(of_file_provider_reload(other, NULL, 0), OF_ERROR_INVALID_ARGUMENT);
    of_provider_unref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(it_keeps_the_contract_of_providers),
        FILE_TEST(rules_decide_over_the_context),
        FILE_TEST(what_has_no_value_gives_the_callers_default),
        FILE_TEST(what_cannot_be_known_here_gives_the_safe_variant),
        FILE_TEST(fields_with_reserved_names_are_not_seen_by_rules),
        FILE_TEST(a_static_context_is_what_rules_see),
        FILE_TEST(a_forked_child_answers_from_what_was_read_and_disturbs_nothing),
        FILE_TEST(the_log_has_every_mistake_with_its_place_and_every_flag_that_asks_a_source),
        FILE_TEST(the_log_may_evaluate_and_reload),
        FILE_TEST(a_value_that_is_nested_too_deeply_is_refused_by_name),
        cmocka_unit_test(another_provider_of_the_same_name_is_not_taken_for_one),
        cmocka_unit_test(options_that_cannot_be_used_are_refused_with_a_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The example of docs/flag-file.md, form by form: what core gets of each. */
#include "reading.h"

static const char example[] = "flags:\n"
                              "  billing-export:\n"
                              "    variants: { \"on\": true, \"off\": false }\n"
                              "    defaultVariant: \"off\"\n"
                              "    visibility: client\n"
                              "    safeVariant: \"off\"\n"
                              "    maxStale: 10s\n"
                              "    decision:\n"
                              "      source: opa\n"
                              "      path: app/rbac/allow\n"
                              "      input: { user: { var: targetingKey }, action: export }\n"
                              "  us-feature:\n"
                              "    variants: { \"on\": true, \"off\": false }\n"
                              "    defaultVariant: \"off\"\n"
                              "    decision: { source: opa, users: app/rbac/us_users }\n"
                              "  vip-lounge:\n"
                              "    variants: { on: true, off: false }\n"
                              "    defaultVariant: off\n"
                              "    decision: { rule: { \"==\": [ { var: facts.tier }, \"gold\" ] } }\n"
                              "  agent-tools:\n"
                              "    type: object\n"
                              "    decision: { source: opa, path: agents/tools, input: { agent: { var: "
                              "actor.key }, user: { var: targetingKey } } }\n"
                              "    value: { var: decision.value }\n"
                              "    safeValue: []\n";

static struct fs_flagset *set;

static int load(void **state)
{
    (void)state;
    set = read_fine(example);
    return set ? 0 : -1;
}

static int unload(void **state)
{
    (void)state;
    fs_flagset_unref(set);
    return 0;
}

static void a_path_is_asked_with_an_input_of_its_own(void **state)
{
    (void)state;
    const struct fs_flag *flag = fs_flagset_find(set, "billing-export");
    assert_int_equal(flag->type, FS_TYPE_BOOLEAN);
    assert_string_equal(flag->variants[flag->default_variant].name, "off");
    assert_string_equal(flag->variants[flag->safe_variant].name, "off");
    assert_int_equal(flag->visibility, FS_VISIBILITY_CLIENT);
    assert_int_equal(flag->max_stale, 10000);
    assert_int_equal(flag->revalidate, -1);
    assert_int_equal(flag->decision_count, 1);
    assert_null(flag->decisions[0].name);
    assert_string_equal(flag->decisions[0].source, "opa");
    assert_string_equal(flag->decisions[0].kind, "path");
    assert_string_equal(flag->decisions[0].query, "app/rbac/allow");
    assert_non_null(flag->decisions[0].input);
    assert_true(flag->access);
    assert_string_equal(flag->file, "f.yaml");
    assert_int_equal(flag->line, 2);

    struct fs_arena arena;
    const char *why;
    json_t *context = json_pack("{s:s}", "targetingKey", "ada");
    struct fs_scope scope = {.context = context, .flag_key = flag->key};
    fs_arena_init(&arena);
    json_t *input = fs_rule_run_json(flag->decisions[0].input, &scope, &arena, &why);
    json_t *expected = json_pack("{s:s,s:s}", "user", "ada", "action", "export");
    assert_true(json_equal(input, expected));
    json_decref(input);
    json_decref(expected);
    json_decref(context);
    fs_arena_finish(&arena);
}

static void a_list_of_users_is_asked_with_the_whole_context(void **state)
{
    (void)state;
    const struct fs_flag *flag = fs_flagset_find(set, "us-feature");
    assert_string_equal(flag->decisions[0].kind, "users");
    assert_string_equal(flag->decisions[0].query, "app/rbac/us_users");
    assert_null(flag->decisions[0].input);
    assert_int_equal(flag->visibility, FS_VISIBILITY_SERVER);
    assert_string_equal(flag->variants[flag->safe_variant].name, "off");
}

static void a_rule_is_the_built_in_sources(void **state)
{
    (void)state;
    const struct fs_flag *flag = fs_flagset_find(set, "vip-lounge");
    assert_string_equal(flag->decisions[0].source, "builtin");
    assert_string_equal(flag->decisions[0].kind, "rule");
    assert_string_equal(flag->decisions[0].query, "{\"==\":[{\"var\":\"facts.tier\"},\"gold\"]}");
    assert_non_null(flag->decisions[0].rule);
    assert_int_equal(flag->fact_count, 1);
    assert_string_equal(flag->facts[0], "tier");
}

static void a_value_may_come_from_the_decision_itself(void **state)
{
    (void)state;
    const struct fs_flag *flag = fs_flagset_find(set, "agent-tools");
    assert_int_equal(flag->type, FS_TYPE_OBJECT);
    assert_int_equal(flag->variant_count, 0);
    assert_int_equal(flag->default_variant, -1);
    assert_int_equal(flag->safe_variant, -1);
    assert_true(json_is_array(flag->safe_value));
    assert_non_null(flag->value);
    assert_null(flag->targeting);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_path_is_asked_with_an_input_of_its_own),
        cmocka_unit_test(a_list_of_users_is_asked_with_the_whole_context),
        cmocka_unit_test(a_rule_is_the_built_in_sources),
        cmocka_unit_test(a_value_may_come_from_the_decision_itself),
    };
    return cmocka_run_group_tests(tests, load, unload);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Rule paths and the generated Rego module. */
#include "opa_rig.h"

static void paths_are_checked(void **state)
{
    (void)state;
    const char *good[] = {"allow", "app/rbac/allow", "app/my-rules/größe", "app/0/x", "a.b/c"};
    const char *bad[] = {"",
                         "/app",
                         "app/",
                         "app//x",
                         "app.rbac.allow",
                         "data/app/allow",
                         "data.app.allow",
                         "v1/data/app",
                         "a/../b",
                         "a/./b",
                         "a/\"b",
                         "a/\\b",
                         "a/\tb",
                         "a/\xff"};
    struct fs_err err;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        assert_true(fs_source_opa.check_query("path", good[i], &err));
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++)
        assert_false(fs_source_opa.check_query("path", bad[i], &err));
    assert_false(fs_source_opa.check_query("rule", "app/allow", &err));
    assert_true(fs_source_opa.check_query("users", "app/us_users", &err));
    assert_false(fs_source_opa.check_query("path", "app.rbac.allow", &err));
    assert_non_null(strstr(err.text, "app/rbac/allow"));
}

static void the_module_has_a_rule_for_each_path_whatever_their_order(void **state)
{
    (void)state;
    const char *one[] = {"app/rbac/allow", "b/my-rules/if"};
    const char *two[] = {"b/my-rules/if", "app/rbac/allow", "b/my-rules/if"};
    char *a = fs_opa_module(NULL, one, 2), *b = fs_opa_module(NULL, two, 3);
    assert_string_equal(a, b);
    assert_non_null(strstr(a, "package flagstaff.batch\n"));
    assert_non_null(strstr(a, "version := \"v1-"));
    assert_non_null(strstr(a, "r := data.app.rbac.allow with input as i\n"));
    assert_non_null(strstr(a, "r := data.b[\"my-rules\"][\"if\"] with input as i\n"));
    fs_free(a);
    fs_free(b);
}

static void names_of_rules_do_not_collide(void **state)
{
    (void)state;
    const char *queries[] = {"a/b", "a_b", "version", "a-b", "päth/x"};
    struct fs_opa_module module = {0};
    fs_opa_module_make(&module, "flagstaff", queries, 5);
    assert_int_equal(module.rules.count, 5);
    for (size_t i = 0; i < 5; i++) {
        const char *name = fs_map_gets(&module.rules, queries[i]);
        assert_true(fs_opa_identifier(name, strlen(name)));
        for (size_t n = 0; n < i; n++)
            assert_string_not_equal(name, (const char *)fs_map_gets(&module.rules, queries[n]));
    }
    fs_opa_module_finish(&module);
}

static void other_paths_make_another_version(void **state)
{
    (void)state;
    const char *queries[] = {"a", "b"};
    struct fs_opa_module one = {0}, two = {0}, none = {0};
    fs_opa_module_make(&one, "flagstaff", queries, 1);
    fs_opa_module_make(&two, "flagstaff", queries, 2);
    fs_opa_module_make(&none, "flagstaff", NULL, 0);
    assert_string_not_equal(one.version, two.version);
    assert_string_not_equal(one.version, none.version);
    fs_opa_module_finish(&one);
    fs_opa_module_finish(&two);
    fs_opa_module_finish(&none);
}

static void what_a_module_cannot_hold_is_left_out(void **state)
{
    (void)state;
    const char *queries[] = {"app/0/allow", "flagstaff", "flagstaff/batch/version", "flagstaff/other",
                             "app/allow"};
    struct fs_opa_module module = {0};
    fs_opa_module_make(&module, "flagstaff", queries, 5);
    assert_int_equal(module.rules.count, 2);
    assert_non_null(fs_map_gets(&module.rules, "flagstaff/other"));
    assert_non_null(fs_map_gets(&module.rules, "app/allow"));
    fs_opa_module_finish(&module);
}

static void options_are_checked(void **state)
{
    (void)state;
    const char *bad[] = {
        "{\"type\":\"opa\",\"url\":\"http://h\",\"revisionpath\":\"x\"}",
        "{\"type\":\"opa\",\"url\":\"http://h\",\"revisionPath\":\"a.b\"}",
        "{\"type\":\"opa\",\"url\":\"http://h\",\"batch\":\"yes\"}",
        "{\"type\":\"opa\",\"url\":\"http://h\",\"module\":\"a b\"}",
        "{\"type\":\"opa\",\"url\":\"http://h\",\"module\":\"import\"}",
        "{\"type\":\"opa\"}",
        "{\"type\":\"opa\",\"url\":\"ftp://h\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fs_mistakes mistakes = {0};
        json_t *options = json_loads(bad[i], 0, NULL);
        assert_null(fs_source_opa.create("opa", options, &mistakes));
        assert_int_equal(mistakes.list.count, 1);
        assert_non_null(strstr(mistakes.list.items[0].text, "sources.opa"));
        fs_mistakes_finish(&mistakes);
        json_decref(options);
    }
    struct fs_mistakes mistakes = {0};
    json_t *options = json_loads("{\"type\":\"opa\",\"url\":\"ftp://h\",\"revisionpath\":\"x\",\"batch\":1,"
                                 "\"module\":\"a b\"}",
                                 0, NULL);
    assert_null(fs_source_opa.create("opa", options, &mistakes));
    assert_int_equal(mistakes.list.count, 4);
    assert_non_null(strstr(mistakes.list.items[1].text, "did you mean 'revisionPath'?"));
    fs_mistakes_finish(&mistakes);
    json_decref(options);
}

static void a_module_of_another_name_has_another_package(void **state)
{
    (void)state;
    struct rig rig;
    const char *queries[] = {"app/allow"};
    rig_init(&rig, "{\"type\":\"opa\",\"url\":\"http://h\",\"module\":\"flagstaff_prod\"}");
    rig_paths(&rig, 1, queries);
    rig_question(&rig, "path", "app/allow");
    rig_ask(&rig);
    struct fs_exchange *exchange = rig_next(&rig);
    assert_int_equal(strncmp(exchange->path, "/v1/data/flagstaff_prod/batch?", 30), 0);
    assert_non_null(strstr(rig.opa->module.text, "package flagstaff_prod.batch\n"));
    fs_exchange_destroy(exchange);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(paths_are_checked),
        cmocka_unit_test(the_module_has_a_rule_for_each_path_whatever_their_order),
        cmocka_unit_test(names_of_rules_do_not_collide),
        cmocka_unit_test(other_paths_make_another_version),
        cmocka_unit_test(what_a_module_cannot_hold_is_left_out),
        cmocka_unit_test(options_are_checked),
        cmocka_unit_test(a_module_of_another_name_has_another_package),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

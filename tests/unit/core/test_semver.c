/* SPDX-License-Identifier: Apache-2.0 */
/* sem_ver: what is a version, their order, the operators. */
#include "rule_support.h"

static const char *compare(const char *a, const char *op, const char *b)
{
    static char out[4096];
    char context[512];
    snprintf(context, sizeof context, "{'a':'%s','o':'%s','b':'%s'}", a, op, b);
    snprintf(out, sizeof out, "%s", result_of("{'sem_ver':[{'var':'a'},{'var':'o'},{'var':'b'}]}", context));
    return out;
}

static void versions_are_ordered_as_semver_says(void **state)
{
    /* Semantic Versioning 2.0.0, section 11. */
    static const char *const ascending[] = {
        "0.0.1",      "0.1.0",        "1.0.0-alpha",   "1.0.0-alpha.1", "1.0.0-alpha.beta",
        "1.0.0-beta", "1.0.0-beta.2", "1.0.0-beta.11", "1.0.0-rc.1",    "1.0.0",
        "1.0.1",      "1.10.0",       "2.0.0",         "10.0.0"};
    const size_t count = sizeof ascending / sizeof *ascending;
    (void)state;
    for (size_t i = 0; i < count; i++) {
        for (size_t j = 0; j < count; j++) {
            assert_string_equal(compare(ascending[i], "<", ascending[j]), i < j ? "true" : "false");
            assert_string_equal(compare(ascending[i], "=", ascending[j]), i == j ? "true" : "false");
            assert_string_equal(compare(ascending[i], ">=", ascending[j]), i >= j ? "true" : "false");
            assert_string_equal(compare(ascending[i], "<=", ascending[j]), i <= j ? "true" : "false");
            assert_string_equal(compare(ascending[i], ">", ascending[j]), i > j ? "true" : "false");
            assert_string_equal(compare(ascending[i], "!=", ascending[j]), i != j ? "true" : "false");
        }
    }
}

static void tilde_and_caret_compare_the_front(void **state)
{
    (void)state;
    assert_string_equal(compare("1.2.9", "~", "1.2.0"), "true");
    assert_string_equal(compare("1.3.0", "~", "1.2.0"), "false");
    assert_string_equal(compare("1.9.0", "^", "1.2.0"), "true");
    assert_string_equal(compare("2.0.0", "^", "1.2.0"), "false");
    assert_string_equal(compare("1.0.0", "==", "1.0.0"), "null");
}

static void a_leading_v_and_short_forms_are_versions(void **state)
{
    (void)state;
    assert_string_equal(compare("v1.0.0", "=", "1.0.0"), "true");
    assert_string_equal(compare("V1.0.0", "=", "1.0.0"), "true");
    assert_string_equal(compare("1", "=", "1.0.0"), "true");
    assert_string_equal(compare("1.2", "=", "1.2.0"), "true");
    assert_string_equal(compare("v1.2", "=", "1.2.0"), "true");
    assert_string_equal(compare(" 1.2.0 ", "=", "1.2.0"), "true");
    assert_string_equal(compare("1.0.0+build.1", "=", "1.0.0+other"), "true");
    assert_string_equal(result_of("{'sem_ver':[{'var':'a'},'=','1.2.0']}", "{'a':1.2}"), "true");
    assert_string_equal(result_of("{'sem_ver':[{'var':'a'},'=','2.0.0']}", "{'a':2}"), "true");
}

static void what_is_no_version_gives_null(void **state)
{
    static const char *const bad[] = {"",
                                      "v",
                                      "not",
                                      "1.",
                                      ".1",
                                      "1.2.3.4",
                                      "01.0.0",
                                      "1.01.0",
                                      "1.0.0-",
                                      "1.0.0-01",
                                      "1.0.0-a..b",
                                      "1.0.0+",
                                      "1.2.x",
                                      "-1.0.0",
                                      "1.0.0-a_b",
                                      "99999999999999999.0.0",
                                      "9007199254740992.0.0",
                                      " 1.2 ",
                                      "vv1.2"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        assert_string_equal(compare(bad[i], "=", "1.0.0"), "null");
        assert_string_equal(compare("1.0.0", "=", bad[i]), "null");
    }
    assert_string_equal(result_of("{'sem_ver':[{'var':'a'},'=','1.0.0']}", "{}"), "null");
    assert_string_equal(result_of("{'sem_ver':['1.0.0','=']}", "{}"), "null");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(versions_are_ordered_as_semver_says),
        cmocka_unit_test(tilde_and_caret_compare_the_front),
        cmocka_unit_test(a_leading_v_and_short_forms_are_versions),
        cmocka_unit_test(what_is_no_version_gives_null),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The canonical form, reading with limits, equality. */
#include "rule_support.h"

static void assert_canonical(const char *text, const char *expected)
{
    json_t *value = json_of(text), *wanted = NULL;
    size_t length;
    char *own = fs_json_canonical_text(value, 1000, &length);
    char *quoted = fs_strdup(expected);
    for (char *c = quoted; *c; c++)
        *c = *c == '\'' ? '"' : *c;
    assert_string_equal(own, quoted);
    assert_int_equal(length, strlen(own));
    fs_free(own);
    fs_free(quoted);
    json_decref(value);
    json_decref(wanted);
}

static void equal_values_have_one_canonical_form(void **state)
{
    (void)state;
    assert_canonical("{ 'b' : 1, 'a' : [ true, null, false ] }", "{'a':[true,null,false],'b':1}");
    assert_canonical("[1.0, 1, 1e0, -0.0, 0.5, 1e21, -7]", "[1,1,1,0,0.5,1e+21,-7]");
    assert_canonical("9007199254740991", "9007199254740991");
    assert_canonical("9007199254740991.0", "9007199254740991");
    assert_canonical("{'z':{}, '\xC3\xA9':1, 'Z':[]}", "{'Z':[],'z':{},'\xC3\xA9':1}");
    assert_canonical("{'a':1,'aa':2,'B':3,'':4}", "{'':4,'B':3,'a':1,'aa':2}");
    assert_canonical("'\\u00e9\\n'", "'\xC3\xA9\\n'");
}

static void many_members_are_sorted_too(void **state)
{
    (void)state;
    json_t *object = json_object();
    for (int i = 999; i >= 0; i--) {
        char key[16];
        snprintf(key, sizeof key, "k%03d", i);
        json_object_set_new(object, key, json_integer(i));
    }
    char *text = fs_json_canonical_text(object, 100000, NULL);
    assert_int_equal(strncmp(text, "{\"k000\":0,\"k001\":1,", 19), 0);
    fs_free(text);
    json_decref(object);
}

static void over_its_limit_there_is_no_canonical_form(void **state)
{
    (void)state;
    json_t *value = json_of("['0123456789']");
    assert_null(fs_json_canonical_text(value, 13, NULL));
    char *text = fs_json_canonical_text(value, 14, NULL);
    assert_string_equal(text, "[\"0123456789\"]");
    fs_free(text);
    json_decref(value);
}

static void a_structure_without_end_does_not_end_the_stack(void **state)
{
    (void)state;
    json_t *value = json_array();
    for (int i = 0; i < 5000; i++) {
        json_t *outer = json_array();
        json_array_append_new(outer, value);
        value = outer;
    }
    assert_null(fs_json_canonical_text(value, 1000000, NULL));
    json_decref(value);
}

static bool reads(const char *text, size_t depth, char error[480])
{
    struct fs_err err = {.text = ""};
    json_t *value = fs_json_read(text, strlen(text), depth, &err);
    bool ok = value != NULL;
    memcpy(error, err.text, 480);
    json_decref(value);
    return ok;
}

static void reading_is_strict_and_says_where(void **state)
{
    char error[480];
    (void)state;
    assert_true(reads(" {\"a\": [1]} \n", 2, error));
    assert_true(reads("5", 0, error));
    assert_true(reads("[100000000000000000000, 1]", 1, error));
    assert_false(reads("[1e999]", 1, error));
    assert_false(reads("{\"a\": 1, \"a\": 2}", 9, error));
    assert_non_null(strstr(error, "duplicate"));
    assert_false(reads("{\"a\": 1}\n {", 9, error));
    assert_non_null(strstr(error, "line 2"));
    assert_false(reads("{\"a\": [1]}", 1, error));
    assert_non_null(strstr(error, "deeper than 1"));
    assert_false(reads("", 9, error));
    assert_false(reads("[1,]", 9, error));
    assert_false(reads("\"\\u0000\"", 9, error));
    assert_false(reads("\"\xff\"", 9, error));
}

static void values_are_equal_by_value(void **state)
{
    static const struct {
        const char *a, *b;
        bool equal;
    } cases[] = {
        {"1", "1.0", true},
        {"1", "2", false},
        {"1", "'1'", false},
        {"[1,2]", "[1,2.0]", true},
        {"[1,2]", "[2,1]", false},
        {"[1]", "[1,1]", false},
        {"true", "true", true},
        {"true", "false", false},
        {"null", "0", false},
        {"{'a':1,'b':2}", "{'b':2,'a':1}", true},
        {"{'a':1}", "{'a':1,'b':2}", false},
        {"{'a':1}", "{'b':1}", false},
        {"{'a':null}", "{'b':null}", false},
        {"''", "''", true},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        json_t *a = json_of(cases[i].a), *b = json_of(cases[i].b);
        assert_int_equal(fs_json_equal(a, b), cases[i].equal);
        assert_int_equal(fs_json_equal(b, a), cases[i].equal);
        json_decref(a);
        json_decref(b);
    }
    assert_true(fs_json_equal(NULL, NULL));
    assert_false(fs_json_equal(NULL, json_null()));
}

static void depth_counts_containers(void **state)
{
    (void)state;
    json_t *value = json_of("{'a':[{'b':1},2]}"), *scalar = json_of("1"), *empty = json_of("[]");
    assert_int_equal(fs_json_depth(value), 3);
    assert_int_equal(fs_json_depth(scalar), 0);
    assert_int_equal(fs_json_depth(empty), 1);
    json_decref(value);
    json_decref(scalar);
    json_decref(empty);
}

static void text_members_are_looked_up(void **state)
{
    (void)state;
    json_t *value = json_of("{'a':'x','b':1}");
    assert_string_equal(fs_json_text(value, "a"), "x");
    assert_null(fs_json_text(value, "b"));
    assert_null(fs_json_text(value, "c"));
    assert_null(fs_json_text(NULL, "a"));
    json_decref(value);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(equal_values_have_one_canonical_form),
        cmocka_unit_test(many_members_are_sorted_too),
        cmocka_unit_test(over_its_limit_there_is_no_canonical_form),
        cmocka_unit_test(a_structure_without_end_does_not_end_the_stack),
        cmocka_unit_test(reading_is_strict_and_says_where),
        cmocka_unit_test(values_are_equal_by_value),
        cmocka_unit_test(depth_counts_containers),
        cmocka_unit_test(text_members_are_looked_up),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

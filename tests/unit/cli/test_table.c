/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static const char *const heads[] = {"NAME", "N", "NOTE", NULL};

static char *printed(const struct fs_table *table, const char *color)
{
    char *text = NULL,
         *argv[] = {fs_strdup("flagstaff"), fs_strdup("flags"), fs_strdup("--color"), fs_strdup(color)};
    size_t size;
    FILE *out = open_memstream(&text, &size);
    struct fs_cli_call call;
    assert_true(fs_cli_parse_to(&call, 4, argv, NULL, out, out, NULL));
    fs_table_print(table, &call, "nothing");
    fclose(out);
    fs_cli_call_finish(&call);
    for (size_t i = 0; i < 4; i++)
        fs_free(argv[i]);
    return text;
}

static void columns_are_aligned_by_characters(void **state)
{
    (void)state;
    struct fs_table table;
    fs_table_init(&table, heads);
    fs_table_add(&table, "J\xc3\xb6rg"); /* 4 characters, 5 bytes */
    fs_table_add(&table, "7");
    fs_table_add(&table, "x");
    fs_table_add(&table, "ada-lovelace");
    fs_table_add(&table, "");
    fs_table_add(&table, "y");
    char *text = printed(&table, "never");
    assert_string_equal(text, "NAME          N  NOTE\nJ\xc3\xb6rg          7  x\nada-lovelace  -  y\n");
    free(text);
    fs_table_finish(&table);
}

static void colour_changes_nothing_but_colour(void **state)
{
    (void)state;
    struct fs_table table;
    fs_table_init(&table, heads);
    fs_table_paint(&table, "a", FS_COLOR_BAD);
    fs_table_add(&table, "b");
    fs_table_add(&table, "c");
    char *plain = printed(&table, "never"), *auto_colored = printed(&table, "auto"),
         *colored = printed(&table, "always");
    assert_string_equal(plain, auto_colored); /* memory is no terminal */
    assert_non_null(strstr(colored, "\033[31ma\033[0m"));
    free(plain);
    free(auto_colored);
    free(colored);
    fs_table_finish(&table);
}

static void an_empty_table_says_so(void **state)
{
    (void)state;
    struct fs_table table;
    fs_table_init(&table, heads);
    char *text = printed(&table, "never");
    assert_string_equal(text, "nothing\n");
    free(text);
    fs_table_finish(&table);
}

static void text_of_others_cannot_steer_a_terminal(void **state)
{
    (void)state;
    static const char *const cases[][2] = {{"\033[2J", "\\x1b[2J"},
                                           {"a\nb\tc\x7f", "a\\x0ab\\x09c\\x7f"},
                                           {"\xc2\x9b", "\\x9b"},
                                           {"\xc2\xa0\xe2\x82\xac", "\xc2\xa0\xe2\x82\xac"},
                                           {"\xff", "\\xff"}};
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *text = fs_cli_clean(cases[i][0]);
        assert_string_equal(text, cases[i][1]);
        fs_free(text);
    }
}

static void values_stand_as_json(void **state)
{
    (void)state;
    json_t *object = json_pack("{s:s, s:b, s:[i], s:n}", "text", "on", "yes", 1, "list", 3, "none");
    static const char *const cases[][3] = {{"text", "on", "\"on\""},
                                           {"yes", "true", "true"},
                                           {"list", "[3]", "[3]"},
                                           {"none", "-", "null"},
                                           {"gone", "-", "-"}};
    for (size_t i = 0; i < 5; i++) {
        char *member = fs_cli_member(object, cases[i][0]),
             *value = fs_cli_value(json_object_get(object, cases[i][0]));
        assert_string_equal(member, cases[i][1]);
        assert_string_equal(value, cases[i][2]);
        fs_free(member);
        fs_free(value);
    }
    json_decref(object);
}

static void causes_name_their_entries(void **state)
{
    (void)state;
    static const char *const cases[][2] = {
        {"{\"kind\":\"revalidate\",\"entries\":[],\"count\":0}", "revalidate"},
        {"{\"kind\":\"event\",\"entries\":[12,13],\"count\":2}", "event 12, 13"},
        {"{\"kind\":\"event\",\"entries\":[1,2,3,4],\"count\":20}", "event 1, 2, 3 and 17 more"}};
    for (size_t i = 0; i < 3; i++) {
        json_t *cause = json_loads(cases[i][0], 0, NULL);
        char *text = fs_cli_cause(cause);
        assert_string_equal(text, cases[i][1]);
        fs_free(text);
        json_decref(cause);
    }
}

static void pairs_are_json_or_text(void **state)
{
    (void)state;
    static const char *const pairs[] = {"level=3",  "team=ops", "admin=true", "name=\"3\"",
                                        "list=[1]", "empty=",   "eq=a=b",     NULL};
    json_t *object = fs_cli_pairs(pairs, "--attribute", NULL);
    assert_int_equal(json_integer_value(json_object_get(object, "level")), 3);
    assert_string_equal(json_string_value(json_object_get(object, "team")), "ops");
    assert_true(json_is_true(json_object_get(object, "admin")));
    assert_string_equal(json_string_value(json_object_get(object, "name")), "3");
    assert_true(json_is_array(json_object_get(object, "list")));
    assert_string_equal(json_string_value(json_object_get(object, "empty")), "");
    assert_string_equal(json_string_value(json_object_get(object, "eq")), "a=b");
    json_decref(object);
    static const char *const twice[] = {"a=1", "a=2", NULL};
    assert_null(fs_cli_pairs(twice, "--attribute", NULL));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(columns_are_aligned_by_characters),
        cmocka_unit_test(colour_changes_nothing_but_colour),
        cmocka_unit_test(an_empty_table_says_so),
        cmocka_unit_test(text_of_others_cannot_steer_a_terminal),
        cmocka_unit_test(values_stand_as_json),
        cmocka_unit_test(causes_name_their_entries),
        cmocka_unit_test(pairs_are_json_or_text),
    };
    return RUN(tests);
}

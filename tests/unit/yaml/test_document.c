/* SPDX-License-Identifier: Apache-2.0 */
/* YAML 1.2 and JSON as a tree: what scalars mean, where nodes stand, what is refused. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "yaml/document.h"

static struct fs_document document;
static struct fs_doc_error error;

static const struct fs_doc_node *read(const char *text)
{
    bool ok = fs_document_read(&document, text, strlen(text), &error);
    if (!ok)
        print_message("%d:%d: %s\n", error.line, error.column, error.text);
    assert_true(ok);
    return document.root;
}

static void expect_json(const char *text, const char *expected)
{
    json_t *json = fs_doc_json(read(text));
    char *dump = json_dumps(json, JSON_COMPACT | JSON_ENCODE_ANY);
    assert_string_equal(dump, expected);
    free(dump);
    json_decref(json);
    fs_document_finish(&document);
}

static void expect_error(const char *text, int line, int column, const char *part)
{
    assert_false(fs_document_read(&document, text, strlen(text), &error));
    assert_null(document.root);
    fs_document_finish(&document);
    if (!strstr(error.text, part))
        assert_string_equal(error.text, part);
    assert_int_equal(error.line, line);
    assert_int_equal(error.column, column);
}

static void words_of_yaml_1_1_are_strings(void **state)
{
    (void)state;
    expect_json("[on, off, yes, no, On, y, n]", "[\"on\",\"off\",\"yes\",\"no\",\"On\",\"y\",\"n\"]");
    expect_json("[12:30:45, 0b11, 1_000, 2026-01-01]", "[\"12:30:45\",\"0b11\",\"1_000\",\"2026-01-01\"]");
}

static void scalars_follow_the_core_schema(void **state)
{
    (void)state;
    expect_json("[true, True, FALSE, tRUE]", "[true,true,false,\"tRUE\"]");
    expect_json("[~, null, NULL, nUll]", "[null,null,null,\"nUll\"]");
    expect_json("a:\nb: \"\"\n", "{\"a\":null,\"b\":\"\"}");
    expect_json("[0, -7, +7, 010, 0x1F, 0o17, 0o18, -]", "[0,-7,7,10,31,15,\"0o18\",\"-\"]");
    expect_json("[1.5, .5, 1., -2e3, 1E2, 1e, .]", "[1.5,0.5,1.0,-2000.0,100.0,\"1e\",\".\"]");
    expect_json("['true', \"1\", !!str 2, ! 3]", "[\"true\",\"1\",\"2\",\"3\"]");
    expect_json("[!!int 4, !!float 4, !!bool true, !!null null]", "[4,4.0,true,null]");
}

static void numbers_beyond_64_bits_become_real(void **state)
{
    (void)state;
    const struct fs_doc_node *node = read("9223372036854775808");
    assert_int_equal(node->kind, FS_DOC_REAL);
    fs_document_finish(&document);
    expect_error("a: 1e999", 1, 4, "too large");
    expect_error("a: 0xFFFFFFFFFFFFFFFFF", 1, 4, "too large");
}

static void infinity_and_not_a_number_are_refused_unless_quoted(void **state)
{
    (void)state;
    expect_error("a: .inf", 1, 4, "JSON knows neither");
    expect_error("a: .NaN", 1, 4, "JSON knows neither");
    expect_json("['.inf']", "[\".inf\"]");
}

static void json_is_read_by_the_same_reader(void **state)
{
    (void)state;
    expect_json("{\"a\":{\"b\":[1,2.5,true,null,\"x\\u00e9\\n\\/\"]},\n\t\"c\":\"\"}",
                "{\"a\":{\"b\":[1,2.5,true,null,\"x\xC3\xA9\\n/\"]},\"c\":\"\"}");
}

static void a_surrogate_pair_of_json_is_one_character(void **state)
{
    (void)state;
    expect_json("{\"a\":\"\\ud83d\\uDE00\"}", "{\"a\":\"\xF0\x9F\x98\x80\"}");
    expect_json("{\"a\":\"\\\\ud83d\"}", "{\"a\":\"\\\\ud83d\"}");
    expect_error("{\"a\":\"\\ud83d\"}", 1, 9, "escape");
}

static void columns_behind_surrogate_pairs_are_those_of_the_text(void **state)
{
    (void)state;
    const struct fs_doc_node *root =
        read("{\"a\":\"\\ud83d\\ude00\",\"b\":\"\\ud83d\\ude00\",\"c\":1,\n\"d\":2}");
    assert_int_equal(root->members[1].column, 21);
    assert_int_equal(root->members[2].column, 40);
    assert_int_equal(root->members[3].column, 1);
    fs_document_finish(&document);
}

static void nodes_know_where_they_stand(void **state)
{
    (void)state;
    const struct fs_doc_node *root = read("# comment\na:\n  - x\n  - \xC3\xA9: {b: 1}\n");
    const struct fs_doc_member *a = fs_doc_find(root, "a");
    assert_int_equal(a->line, 2);
    assert_int_equal(a->column, 1);
    assert_int_equal(a->value->items[1]->line, 4);
    const struct fs_doc_member *b = fs_doc_find(a->value->items[1]->members[0].value, "b");
    assert_int_equal(b->column, 9); /* a column is a character */
    assert_null(fs_doc_find(root, "b"));
    assert_null(fs_doc_find(b->value, "b"));
    fs_document_finish(&document);
}

static void a_pointer_leads_to_the_key_of_a_member(void **state)
{
    (void)state;
    int line = 0, column = 0;
    const struct fs_doc_node *root = read("if:\n  - a/b: 1\n    ~: 2\n  - x\n");
    assert_int_equal(fs_doc_locate(root, "/if/0/a~1b", &line, &column)->integer, 1);
    assert_int_equal(line * 100 + column, 205);
    assert_int_equal(fs_doc_locate(root, "/if/0/~0", &line, &column)->integer, 2);
    assert_int_equal(line * 100 + column, 305);
    assert_string_equal(fs_doc_locate(root, "/if/1/0/zzz", &line, &column)->text, "x");
    assert_int_equal(line * 100 + column, 405);
    assert_ptr_equal(fs_doc_locate(root, "", &line, &column), root);
    fs_document_finish(&document);
}

static void keys_that_stand_twice_are_listed_with_both_lines_and_the_rest_is_read(void **state)
{
    (void)state;
    static const char text[] = "a: 1\nb: { c: 2, \"c\": { d: 1, d: 2 } }\na: 3\n";
    char said[240];
    assert_true(fs_document_read(&document, text, strlen(text), &error));
    assert_int_equal(document.duplicates.count, 3);
    assert_string_equal(document.duplicates.items[0].key, "d");
    assert_int_equal(document.duplicates.items[0].column, 25);
    fs_doc_duplicate_text(&document.duplicates.items[2], said);
    assert_string_equal(said, "the key 'a' stands here for the second time; it is also in line 1");
    assert_int_equal(document.duplicates.items[2].line, 3);
    fs_document_finish(&document);
    assert_true(fs_document_read(&document, text, strlen(text), &error));
    json_t *json = fs_doc_json(document.root);
    assert_int_equal(json_integer_value(json_object_get(json, "a")), 1);
    assert_int_equal(json_object_size(json_object_get(json, "b")), 1);
    json_decref(json);
    fs_document_finish(&document);
}

static void keys_are_strings_as_they_are_written(void **state)
{
    (void)state;
    expect_json("{1: a, true: b, ~: c, on: d}", "{\"1\":\"a\",\"true\":\"b\",\"~\":\"c\",\"on\":\"d\"}");
    expect_error("[a]: 1", 1, 1, "a key must be a string");
}

static void aliases_stand_for_their_anchor(void **state)
{
    (void)state;
    expect_json("a: &x {p: 1}\nb: [*x, *x]\n", "{\"a\":{\"p\":1},\"b\":[{\"p\":1},{\"p\":1}]}");
    expect_error("a: *x", 1, 4, "names an anchor that is not there");
    expect_error("a: &x [*x]", 1, 8, "stands inside of what it names");
    expect_error("a: &x {p: 1}\nb:\n  <<: *x\n", 3, 3, "merge keys");
}

static void aliases_that_multiply_are_bounded(void **state)
{
    (void)state;
    char *text = fs_strdup("a0: &a0 [x, x, x, x, x, x, x, x, x, x]\n");
    for (int i = 1; i < 12; i++) {
        char *longer =
            fs_format("%sa%d: &a%d [*a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d, *a%d]\n", text, i,
                      i, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1, i - 1);
        fs_free(text);
        text = longer;
    }
    assert_false(fs_document_read(&document, text, strlen(text), &error));
    assert_non_null(strstr(error.text, "too large"));
    fs_document_finish(&document);
    fs_free(text);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    char text[1001];
    memset(text, '[', 500);
    memset(text + 500, ']', 500);
    text[1000] = 0;
    assert_false(fs_document_read(&document, text, 1000, &error));
    assert_non_null(strstr(error.text, "nested too deeply"));
    fs_document_finish(&document);
}

static void what_is_no_single_document_is_refused(void **state)
{
    (void)state;
    expect_error("a: 1\n---\nb: 2\n", 2, 1, "a second document");
    expect_error("a: !mine 1", 1, 4, "tags are not supported");
    expect_error("a: !!int x", 1, 4, "not what its tag says");
    expect_error("a: !!set {x}", 1, 4, "tags are not supported");
    expect_error("a: \"\\0\"", 1, 4, "U+0000");
    expect_error("a: [1,\nb: 2", 3, 1, "did not find expected");
    expect_error("a: \xFF", 0, 0, "UTF-8");
}

static void an_empty_text_is_an_empty_document(void **state)
{
    (void)state;
    assert_true(fs_document_read(&document, "", 0, &error));
    assert_null(document.root);
    int line = 7, column = 8;
    assert_null(fs_doc_locate(document.root, "/a/0", &line, &column));
    assert_int_equal(line, 7);
    fs_document_finish(&document);
    assert_true(fs_document_read(&document, "# nothing\n", 10, &error));
    assert_null(document.root);
    fs_document_finish(&document);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(words_of_yaml_1_1_are_strings),
        cmocka_unit_test(scalars_follow_the_core_schema),
        cmocka_unit_test(numbers_beyond_64_bits_become_real),
        cmocka_unit_test(infinity_and_not_a_number_are_refused_unless_quoted),
        cmocka_unit_test(json_is_read_by_the_same_reader),
        cmocka_unit_test(a_surrogate_pair_of_json_is_one_character),
        cmocka_unit_test(columns_behind_surrogate_pairs_are_those_of_the_text),
        cmocka_unit_test(nodes_know_where_they_stand),
        cmocka_unit_test(a_pointer_leads_to_the_key_of_a_member),
        cmocka_unit_test(keys_that_stand_twice_are_listed_with_both_lines_and_the_rest_is_read),
        cmocka_unit_test(keys_are_strings_as_they_are_written),
        cmocka_unit_test(aliases_stand_for_their_anchor),
        cmocka_unit_test(aliases_that_multiply_are_bounded),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(what_is_no_single_document_is_refused),
        cmocka_unit_test(an_empty_text_is_an_empty_document),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

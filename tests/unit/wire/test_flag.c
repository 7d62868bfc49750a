/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One flag, and tables of flags.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include <string.h>

#include "flag.h"

static enum fsw_outcome parse(const char *text, const struct fsw_flag **flag)
{
    json_t *json = json_loads(text, 0, NULL);
    assert_non_null(json);
    *flag = NULL;
    enum fsw_outcome outcome = fsw_flag_parse(json, flag);
    json_decref(json);
    return outcome;
}

static const struct fsw_table *edit(const struct fsw_table *base, const char *removed, const char *flags)
{
    json_t *gone = removed == NULL ? NULL : json_loads(removed, 0, NULL);
    json_t *here = flags == NULL ? NULL : json_loads(flags, 0, NULL);
    const struct fsw_table *table = NULL;
    assert_int_equal(fsw_table_edit(base, gone, here, &table), FSW_OK);
    json_decref(gone);
    json_decref(here);
    return table;
}

#define BOOLEAN(KEY, VALUE, SAFE)                                                                            \
    "{\"key\":\"" KEY "\",\"type\":\"boolean\",\"value\":" VALUE                                             \
    ",\"variant\":\"v\",\"reason\":\"STATIC\"" SAFE "}"
#define SAFE_OFF ",\"safe\":{\"value\":false,\"variant\":\"off\"}"

static void an_access_flag_has_a_value_and_a_safe_one(void **state)
{
    (void)state;
    const struct fsw_flag *flag;
    assert_int_equal(
        parse("{\"key\":\"a\",\"type\":\"boolean\",\"value\":true,\"variant\":\"on\",\"reason\":\"STALE\","
              "\"cause\":{\"kind\":\"event\",\"entry\":7,\"time\":\"t\"},\"metadata\":{\"m\":1},"
              "\"safe\":{\"value\":false,\"variant\":\"off\"}}",
              &flag),
        FSW_OK);
    assert_true(flag->access && flag->has_value && flag->value.as.boolean && !flag->safe.as.boolean);
    assert_string_equal(flag->safe_variant, "off");
    assert_string_equal(flag->cause.kind, "event");
    assert_int_equal(flag->cause.entry, 7);
    assert_int_equal(json_integer_value(json_object_get(flag->metadata, "m")), 1);
    fsw_flag_unref(flag);
}

static void each_type_is_read_as_what_it_is(void **state)
{
    (void)state;
    const struct fsw_flag *flag;
    assert_int_equal(
        parse("{\"key\":\"a\",\"type\":\"string\",\"value\":\"x\",\"variant\":\"v\",\"reason\":\"STATIC\"}",
              &flag),
        FSW_OK);
    assert_string_equal(flag->value.as.string, "x");
    fsw_flag_unref(flag);
    assert_int_equal(parse("{\"key\":\"a\",\"type\":\"integer\",\"value\":-9007199254740991,\"variant\":"
                           "\"v\",\"reason\":\"STATIC\"}",
                           &flag),
                     FSW_OK);
    assert_true(flag->value.as.integer == -9007199254740991);
    fsw_flag_unref(flag);
    assert_int_equal(
        parse("{\"key\":\"a\",\"type\":\"integer\",\"value\":5.0,\"variant\":\"v\",\"reason\":\"STATIC\"}",
              &flag),
        FSW_OK);
    assert_int_equal(flag->value.as.integer, 5);
    fsw_flag_unref(flag);
    assert_int_equal(
        parse("{\"key\":\"a\",\"type\":\"float\",\"value\":2,\"variant\":\"v\",\"reason\":\"STATIC\"}",
              &flag),
        FSW_OK);
    assert_true(flag->value.as.number > 1.9 && flag->value.as.number < 2.1);
    fsw_flag_unref(flag);
    assert_int_equal(
        parse("{\"key\":\"a\",\"type\":\"object\",\"value\":[1],\"variant\":\"v\",\"reason\":\"STATIC\"}",
              &flag),
        FSW_OK);
    assert_int_equal(json_array_size(flag->value.as.object), 1);
    fsw_flag_unref(flag);
}

static void what_is_no_flag_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "{\"type\":\"boolean\",\"value\":true,\"variant\":\"v\",\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"number\",\"value\":1,\"variant\":\"v\",\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"boolean\",\"value\":1,\"variant\":\"v\",\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"boolean\",\"value\":true,\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"boolean\",\"value\":true,\"variant\":\"v\"}",
        "{\"key\":\"a\",\"type\":\"integer\",\"value\":1.5,\"variant\":\"v\",\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"integer\",\"value\":1e300,\"variant\":\"v\",\"reason\":\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"integer\",\"value\":9007199254740992,\"variant\":\"v\",\"reason\":"
        "\"STATIC\"}",
        "{\"key\":\"a\",\"type\":\"boolean\",\"reason\":\"ERROR\",\"safe\":{\"value\":false,\"variant\":"
        "\"off\"}}",
        BOOLEAN("a", "true", ",\"safe\":{\"value\":\"no\",\"variant\":\"off\"}"),
        BOOLEAN("a", "true", ",\"safe\":{\"value\":false}"),
        "[]",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        const struct fsw_flag *flag;
        if (parse(bad[i], &flag) != FSW_BAD) {
            fail_msg("taken: %s", bad[i]);
        }
    }
}

static void a_change_is_one_of_what_a_reader_sees_and_not_of_its_cause(void **state)
{
    (void)state;
    const char *same = "{\"key\":\"a\",\"type\":\"object\",\"value\":{\"x\":1,\"y\":2},\"variant\":\"v\","
                       "\"reason\":\"STATIC\"}";
    static const struct {
        const char *text;
        bool differs;
    } others[] = {
        {"{\"key\":\"a\",\"type\":\"object\",\"value\":{\"y\":2,\"x\":1},\"variant\":\"v\",\"reason\":"
         "\"STATIC\","
         "\"cause\":{\"kind\":\"event\",\"time\":\"t\"},\"metadata\":{\"m\":1}}",
         false},
        {"{\"key\":\"a\",\"type\":\"object\",\"value\":{\"x\":1},\"variant\":\"v\",\"reason\":\"STATIC\"}",
         true},
        {"{\"key\":\"a\",\"type\":\"object\",\"value\":{\"x\":1,\"y\":2},\"variant\":\"w\",\"reason\":"
         "\"STATIC\"}",
         true},
        {"{\"key\":\"a\",\"type\":\"object\",\"value\":{\"x\":1,\"y\":2},\"variant\":\"v\",\"reason\":"
         "\"STALE\"}",
         true},
        {"{\"key\":\"a\",\"type\":\"object\",\"value\":{\"x\":1,\"y\":2},\"variant\":\"v\",\"reason\":"
         "\"STATIC\",\"safe\":{\"value\":[],\"variant\":\"safe\"}}",
         true},
        {"{\"key\":\"a\",\"type\":\"string\",\"value\":\"x\",\"variant\":\"v\",\"reason\":\"STATIC\"}", true},
        {"{\"key\":\"a\",\"type\":\"object\",\"reason\":\"ERROR\",\"error\":{\"code\":\"GENERAL\","
         "\"message\":\"m\"}}",
         true},
    };
    const struct fsw_flag *flag, *other;
    assert_int_equal(parse(same, &flag), FSW_OK);
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        assert_int_equal(parse(others[i].text, &other), FSW_OK);
        assert_int_equal(fsw_flag_differs(flag, other), others[i].differs);
        assert_int_equal(fsw_flag_differs(other, flag), others[i].differs);
        fsw_flag_unref(other);
    }
    fsw_flag_unref(flag);
}

static void a_table_is_sorted_and_found_in(void **state)
{
    (void)state;
    const struct fsw_table *table =
        edit(NULL, NULL,
             "[" BOOLEAN("c", "true", "") "," BOOLEAN("a", "true", "") "," BOOLEAN("b", "false", "") "]");
    assert_int_equal(fsw_table_count(table), 3);
    assert_string_equal(fsw_table_at(table, 0)->key, "a");
    assert_string_equal(fsw_table_at(table, 2)->key, "c");
    assert_null(fsw_table_at(table, 3));
    assert_false(fsw_table_find(table, "b")->value.as.boolean);
    assert_null(fsw_table_find(table, "bb"));
    assert_null(fsw_table_find(NULL, "b"));
    fsw_table_unref(table);
}

static void an_edit_leaves_the_old_table_as_it_was(void **state)
{
    (void)state;
    const struct fsw_table *old =
        edit(NULL, NULL, "[" BOOLEAN("a", "true", "") "," BOOLEAN("b", "true", "") "]");
    const struct fsw_table *new =
        edit(old, "[\"a\"]", "[" BOOLEAN("b", "false", "") "," BOOLEAN("c", "true", "") "]");
    assert_int_equal(fsw_table_count(old), 2);
    assert_true(fsw_table_find(old, "b")->value.as.boolean);
    assert_int_equal(fsw_table_count(new), 2);
    assert_null(fsw_table_find(new, "a"));
    assert_false(fsw_table_find(new, "b")->value.as.boolean);
    fsw_table_unref(old);
    assert_true(fsw_table_find(new, "c")->value.as.boolean);
    fsw_table_unref(new);
}

static void what_is_removed_and_sent_anew_is_there(void **state)
{
    (void)state;
    const struct fsw_table *old = edit(NULL, NULL, "[" BOOLEAN("a", "true", "") "]");
    const struct fsw_table *new =
        edit(old, "[\"a\",\"nowhere\"]",
             "[{\"key\":\"a\",\"type\":\"string\",\"value\":\"x\",\"variant\":\"v\",\"reason\":\"STATIC\"}]");
    assert_int_equal(fsw_table_find(new, "a")->type, FSW_STRING);
    fsw_table_unref(old);
    fsw_table_unref(new);
}

static void one_key_twice_in_a_frame_is_refused(void **state)
{
    (void)state;
    json_t *flags = json_loads("[" BOOLEAN("a", "true", "") "," BOOLEAN("a", "false", "") "]", 0, NULL);
    const struct fsw_table *table;
    assert_int_equal(fsw_table_edit(NULL, NULL, flags, &table), FSW_BAD);
    json_decref(flags);
}

static void a_difference_names_what_came_went_and_changed(void **state)
{
    (void)state;
    const struct fsw_table *old =
        edit(NULL, NULL,
             "[" BOOLEAN("a", "true", "") "," BOOLEAN("b", "true", "") "," BOOLEAN("c", "true", "") "]");
    const struct fsw_table *new =
        edit(old, "[\"a\"]",
             "[" BOOLEAN("b", "true", "") "," BOOLEAN("c", "false", "") "," BOOLEAN("d", "true", "") "]");
    struct fsw_flip *flips;
    size_t count;
    assert_int_equal(fsw_table_diff(old, new, &flips, &count), FSW_OK);
    assert_int_equal(count, 3);
    assert_true(strcmp(flips[0].key, "a") == 0 && flips[0].after == NULL && flips[0].before != NULL);
    assert_true(strcmp(flips[1].key, "c") == 0 && flips[1].before->value.as.boolean &&
                !flips[1].after->value.as.boolean);
    assert_true(strcmp(flips[2].key, "d") == 0 && flips[2].before == NULL);
    fsw_flips_free(flips, count);
    assert_int_equal(fsw_table_diff(new, new, &flips, &count), FSW_OK);
    assert_true(flips == NULL && count == 0);
    fsw_table_unref(old);
    fsw_table_unref(new);
}

static void only_access_flags_are_remembered_for_their_safe_values(void **state)
{
    (void)state;
    const struct fsw_table *seen =
        edit(NULL, NULL, "[" BOOLEAN("a", "true", SAFE_OFF) "," BOOLEAN("b", "true", "") "]");
    const struct fsw_table *safes;
    assert_int_equal(fsw_table_merge_access(NULL, seen, &safes), FSW_OK);
    assert_int_equal(fsw_table_count(safes), 1);
    assert_non_null(fsw_table_find(safes, "a"));
    fsw_table_unref(seen);
    fsw_table_unref(safes);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_flag_has_a_value_and_a_safe_one),
        cmocka_unit_test(each_type_is_read_as_what_it_is),
        cmocka_unit_test(what_is_no_flag_is_refused),
        cmocka_unit_test(a_change_is_one_of_what_a_reader_sees_and_not_of_its_cause),
        cmocka_unit_test(a_table_is_sorted_and_found_in),
        cmocka_unit_test(an_edit_leaves_the_old_table_as_it_was),
        cmocka_unit_test(what_is_removed_and_sent_anew_is_there),
        cmocka_unit_test(one_key_twice_in_a_frame_is_refused),
        cmocka_unit_test(a_difference_names_what_came_went_and_changed),
        cmocka_unit_test(only_access_flags_are_remembered_for_their_safe_values),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

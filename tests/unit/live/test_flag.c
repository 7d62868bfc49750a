/* SPDX-License-Identifier: Apache-2.0 */
/* Flags and tables of the live provider: what evaluations read, made from what the wire holds. */
#include "support.h"

#include <stdio.h>

#include "convert.h"
#include "flag.h"
#include "wire/flag.h"

static struct live_flag_style style = {.seed = 42};

static const struct fsw_table *wire_table(const struct fsw_table *base, const char *removed,
                                          const char *flags)
{
    const struct fsw_table *table = NULL;
    json_t *gone = removed == NULL ? NULL : json_loads(removed, 0, NULL);
    json_t *json = json_loads(flags, 0, NULL);
    assert_non_null(json);
    assert_int_equal(fsw_table_edit(base, gone, json, &table), FSW_OK);
    json_decref(gone);
    json_decref(json);
    return table;
}

#define DOOR(value)                                                                                          \
    "{\"key\":\"door\",\"type\":\"boolean\",\"value\":" value                                                \
    ",\"variant\":\"v\",\"reason\":\"TARGETING_MATCH\",\"cause\":{\"kind\":\"watch\",\"time\":\"2026-11-"    \
    "24T09:30:00.010Z\"},"                                                                                   \
    "\"safe\":{\"value\":false,\"variant\":\"off\"}}"
#define PLAIN(key, type, value)                                                                              \
    "{\"key\":\"" key "\",\"type\":\"" type "\",\"value\":" value                                            \
    ",\"variant\":\"v\",\"reason\":\"STATIC\",\"cause\":{\"kind\":\"watch\",\"time\":\"2026-11-24T09:30:00." \
    "010Z\"}}"

static struct live_table *table_of(const struct live_table *before, const struct fsw_table *wire)
{
    struct live_table *table = live_table_new(&style, before, wire);
    assert_non_null(table);
    assert_int_equal(table->count, fsw_table_count(wire));
    return table;
}

static void every_flag_is_found_by_its_key_and_no_other(void **state)
{
    (void)state;
    json_t *list = json_array();
    for (int i = 0; i < 5000; i++) {
        char key[32];
        snprintf(key, sizeof key, "flag-%d", i);
        json_array_append_new(list, json_pack("{ss,ss,si,ss,ss,s{ss,ss}}", "key", key, "type", "integer",
                                              "value", i, "variant", "v", "reason", "STATIC", "cause", "kind",
                                              "watch", "time", "2026-11-24T09:30:00.010Z"));
    }
    const struct fsw_table *wire;
    assert_int_equal(fsw_table_edit(NULL, NULL, list, &wire), FSW_OK);
    json_decref(list);
    struct live_table *table = table_of(NULL, wire);
    for (int i = 0; i < 5000; i++) {
        char key[32];
        snprintf(key, sizeof key, "flag-%d", i);
        const struct live_flag *flag = live_table_find(table, style.seed, key);
        assert_non_null(flag);
        assert_int_equal(flag->value.integer, i);
    }
    assert_null(live_table_find(table, style.seed, "flag-5000"));
    assert_null(live_table_find(table, style.seed, ""));
    live_table_free(table);
    fsw_table_unref(wire);
}

static void flags_that_stay_are_shared_and_so_is_the_index_while_the_keys_are_the_same(void **state)
{
    (void)state;
    const struct fsw_table *first =
        wire_table(NULL, NULL, "[" DOOR("true") "," PLAIN("theme", "string", "\"dark\"") "]");
    const struct fsw_table *second = wire_table(first, NULL, "[" DOOR("false") "]");
    const struct fsw_table *third =
        wire_table(second, "[\"door\"]", "[" PLAIN("beta", "boolean", "true") "]");
    struct live_table *a = table_of(NULL, first), *b = table_of(a, second), *c = table_of(b, third);
    assert_ptr_equal(a->index, b->index);
    assert_ptr_not_equal(b->index, c->index);
    struct live_flag *theme = live_table_find(a, style.seed, "theme");
    assert_ptr_equal(theme, live_table_find(b, style.seed, "theme"));
    assert_ptr_equal(theme, live_table_find(c, style.seed, "theme"));
    assert_true(live_table_find(a, style.seed, "door")->value.boolean);
    assert_false(live_table_find(b, style.seed, "door")->value.boolean);
    assert_null(live_table_find(c, style.seed, "door"));
    assert_non_null(live_table_find(c, style.seed, "beta"));
    live_table_free(a);
    live_table_free(b);
    assert_string_equal(theme->value.string.data, "dark");
    live_table_free(c);
    fsw_table_unref(first);
    fsw_table_unref(second);
    fsw_table_unref(third);
}

static void numbers_convert_where_nothing_is_lost_and_other_types_do_not(void **state)
{
    (void)state;
    const struct fsw_table *wire =
        wire_table(NULL, NULL,
                   "[" PLAIN("i", "integer", "5") "," PLAIN("f", "float", "5.5") "," PLAIN(
                       "w", "float", "7.0") "," PLAIN("o", "object", "{\"a\":[1]}") "," PLAIN("l", "object",
                                                                                              "[1,2]") "]");
    struct live_table *table = table_of(NULL, wire);
    of_flag_value value;
    assert_true(live_flag_put(live_table_find(table, style.seed, "i"), false, OF_TYPE_DOUBLE, &value));
    assert_true(value.number == 5.0);
    assert_true(live_flag_put(live_table_find(table, style.seed, "w"), false, OF_TYPE_INT, &value));
    assert_int_equal(value.integer, 7);
    assert_false(live_flag_put(live_table_find(table, style.seed, "f"), false, OF_TYPE_INT, &value));
    assert_false(live_flag_put(live_table_find(table, style.seed, "i"), false, OF_TYPE_BOOL, &value));
    assert_false(live_flag_put(live_table_find(table, style.seed, "i"), false, OF_TYPE_STRING, &value));
    assert_true(live_flag_put(live_table_find(table, style.seed, "o"), false, OF_TYPE_OBJECT, &value));
    assert_int_equal(of_value_as_int(of_value_at(of_value_get(value.object, "a"), 0), 0), 1);
    assert_true(live_flag_put(live_table_find(table, style.seed, "l"), false, OF_TYPE_OBJECT, &value));
    assert_int_equal(of_value_length(value.object), 2);
    live_table_free(table);
    fsw_table_unref(wire);
}

static void an_access_flag_has_metadata_for_the_time_after_its_lease(void **state)
{
    (void)state;
    const struct fsw_table *wire =
        wire_table(NULL, NULL,
                   "[" DOOR("true") ",{\"key\":\"tools\",\"type\":\"object\",\"value\":[\"x\"],\"variant\":"
                                    "\"decision\",\"reason\":"
                                    "\"TARGETING_MATCH\",\"cause\":{\"kind\":\"event\",\"entry\":7,\"time\":"
                                    "\"2026-11-24T09:30:00.010Z\"},"
                                    "\"metadata\":{\"owner\":\"ops\",\"deep\":{\"x\":1}},\"safe\":{\"value\":"
                                    "[],\"variant\":\"safe\"}}]");
    struct live_flag_style told = {.seed = 1, .causes = true, .over = of_value_object()};
    (void)of_value_set_string(told.over, "flagstaff.error", "over");
    struct live_table *table = live_table_new(&told, NULL, wire);
    const struct live_flag *tools = live_table_find(table, 1, "tools");
    assert_string_equal(of_value_as_string(of_value_get(tools->rest.metadata, "owner"), ""), "ops");
    assert_null(of_value_get(tools->rest.metadata, "deep"));
    assert_null(of_value_get(tools->rest.metadata, "flagstaff.error"));
    assert_int_equal(of_value_as_int(of_value_get(tools->rest.metadata, "flagstaff.entry"), 0), 7);
    assert_string_equal(of_value_as_string(of_value_get(tools->rest.fallen, "flagstaff.error"), ""), "over");
    assert_string_equal(of_value_as_string(of_value_get(tools->rest.fallen, "owner"), ""), "ops");
    assert_int_equal(of_value_length(tools->rest.safe_object), 0);
    of_value_unref(told.over);
    live_table_free(table);
    fsw_table_unref(wire);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_flag_is_found_by_its_key_and_no_other),
        cmocka_unit_test(flags_that_stay_are_shared_and_so_is_the_index_while_the_keys_are_the_same),
        cmocka_unit_test(numbers_convert_where_nothing_is_lost_and_other_types_do_not),
        cmocka_unit_test(an_access_flag_has_metadata_for_the_time_after_its_lease),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

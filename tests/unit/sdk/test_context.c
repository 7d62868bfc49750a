/* SPDX-License-Identifier: Apache-2.0 */
/* The evaluation context as a structure (specification 3.1). */
#include "support.h"

static void the_targeting_key_is_optional_and_a_string(void **state)
{
    (void)state;
    of_context *context = of_context_new(NULL);
    assert_null(of_context_targeting_key(context));
    assert_int_equal(of_context_set_targeting_key(context, "ada"), OF_OK);
    assert_string_equal(of_context_targeting_key(context), "ada");
    assert_int_equal(of_context_set_int(context, OF_TARGETING_KEY, 1), OF_ERROR_INVALID_ARGUMENT);
    assert_string_equal(of_context_targeting_key(context), "ada");
    assert_int_equal(of_context_set_targeting_key(context, NULL), OF_OK);
    assert_null(of_context_targeting_key(context));
    of_context_unref(context);
}

/* "admin\0x" would be read as "admin" by whoever asks for the targeting key. */
static void a_targeting_key_has_no_zero_byte(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    assert_int_equal(of_context_set(context, OF_TARGETING_KEY, of_value_string_n("admin\0x", 7)),
                     OF_ERROR_INVALID_ARGUMENT);
    assert_string_equal(of_context_targeting_key(context), "ada");
    assert_int_equal(of_context_set(context, "note", of_value_string_n("admin\0x", 7)), OF_OK);
    assert_int_equal(of_context_set(context, OF_TARGETING_KEY, of_value_string_n("bo", 2)), OF_OK);
    assert_string_equal(of_context_targeting_key(context), "bo");
    of_context_unref(context);
}

static void fields_hold_booleans_strings_numbers_datetimes_and_structures(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    of_value *address = of_value_object();
    (void)of_value_set_string(address, "city", "London");
    assert_int_equal(of_context_set_bool(context, "beta", true), OF_OK);
    assert_int_equal(of_context_set_string(context, "email", "ada@example.org"), OF_OK);
    assert_int_equal(of_context_set_int(context, "age", 36), OF_OK);
    assert_int_equal(of_context_set_double(context, "score", 0.5), OF_OK);
    assert_int_equal(of_context_set_datetime(context, "born", (of_datetime){-4852310400, 0, 0}), OF_OK);
    assert_int_equal(of_context_set(context, "address", address), OF_OK);
    assert_true(of_value_as_bool(of_context_get(context, "beta"), false));
    assert_string_equal(of_value_as_string(of_context_get(context, "email"), ""), "ada@example.org");
    assert_int_equal(of_value_as_int(of_context_get(context, "age"), 0), 36);
    assert_true(of_value_as_double(of_context_get(context, "score"), 0) == 0.5);
    assert_int_equal(of_value_type(of_context_get(context, "born")), OF_TYPE_DATETIME);
    assert_string_equal(of_value_as_string(of_value_get(of_context_get(context, "address"), "city"), ""),
                        "London");
    of_context_unref(context);
}

static void fields_are_fetched_by_key_and_all_at_once(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    (void)of_context_set_int(context, "a", 1);
    (void)of_context_set_int(context, "b", 2);
    const char *key = NULL;
    const of_value *value = NULL;
    size_t cursor = 0, count = 0;
    int64_t sum = 0;
    for (; of_context_next(context, &cursor, &key, &value); count++)
        sum += of_value_as_int(value, 0);
    assert_int_equal(count, 3);
    assert_int_equal(of_context_count(context), 3);
    assert_int_equal(sum, 3);
    assert_null(of_context_get(context, "c"));
    of_context_unref(context);
}

static void a_key_is_unique_and_the_last_one_set_counts(void **state)
{
    (void)state;
    of_context *context = of_context_new(NULL);
    (void)of_context_set_int(context, "a", 1);
    (void)of_context_set_string(context, "a", "two");
    assert_int_equal(of_context_count(context), 1);
    assert_string_equal(of_value_as_string(of_context_get(context, "a"), ""), "two");
    of_context_unref(context);
}

static void a_shared_context_cannot_be_changed_but_copied(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    of_context *other = of_context_ref(context);
    assert_int_equal(of_context_set_int(context, "a", 1), OF_ERROR_SHARED);
    assert_int_equal(of_context_set_targeting_key(context, NULL), OF_ERROR_SHARED);
    of_context_unref(other);
    other = of_context_copy(context);
    assert_int_equal(of_context_set_int(other, "a", 1), OF_OK);
    assert_null(of_context_get(context, "a"));
    of_context_unref(other);
    of_context_unref(context);
}

static void of_two_merged_contexts_the_upper_one_counts(void **state)
{
    (void)state;
    of_context *under = of_context_new("ada"), *over = of_context_new("grace");
    (void)of_context_set_int(under, "a", 1);
    (void)of_context_set_int(over, "b", 2);
    of_context *merged = of_context_merge(under, over);
    assert_string_equal(of_context_targeting_key(merged), "grace");
    assert_int_equal(of_context_count(merged), 3);
    of_context_unref(merged);
    of_context_unref(under);
    of_context_unref(over);
}

static void contexts_are_equal_where_all_fields_are(void **state)
{
    (void)state;
    of_context *a = of_context_new("ada"), *b = of_context_new("ada"), *none = of_context_new(NULL);
    assert_true(of_context_equal(a, a));
    assert_true(of_context_equal(a, b));
    assert_true(of_context_equal(NULL, NULL));
    assert_false(of_context_equal(a, NULL));
    assert_false(of_context_equal(a, none));
    (void)of_context_set_int(a, "age", 36);
    (void)of_context_set_bool(a, "member", true);
    assert_false(of_context_equal(a, b));
    (void)of_context_set_bool(b, "member", true); /* in whatever order */
    (void)of_context_set_double(b, "age", 36);
    assert_false(of_context_equal(a, b)); /* an integer is not a double */
    (void)of_context_set_int(b, "age", 36);
    assert_true(of_context_equal(a, b));
    of_context_unref(none);
    of_context_unref(b);
    of_context_unref(a);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_targeting_key_is_optional_and_a_string),
        cmocka_unit_test(a_targeting_key_has_no_zero_byte),
        cmocka_unit_test(fields_hold_booleans_strings_numbers_datetimes_and_structures),
        cmocka_unit_test(fields_are_fetched_by_key_and_all_at_once),
        cmocka_unit_test(a_key_is_unique_and_the_last_one_set_counts),
        cmocka_unit_test(a_shared_context_cannot_be_changed_but_copied),
        cmocka_unit_test(of_two_merged_contexts_the_upper_one_counts),
        cmocka_unit_test(contexts_are_equal_where_all_fields_are),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

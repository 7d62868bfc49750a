/* SPDX-License-Identifier: Apache-2.0 */
/* Values: making, counting, changing, reading, comparing. */
#include "support.h"

#include <stdio.h>

static void scalars_give_back_what_they_were_made_of(void **state)
{
    (void)state;
    of_value *integer = of_value_int(INT64_MIN);
    of_value *number = of_value_double(0.5);
    of_value *string = of_value_string_n("a\0b", 3);
    of_value *moment = of_value_datetime((of_datetime){1700000000, 5, 60});
    assert_true(of_value_as_bool(of_value_bool(true), false));
    assert_int_equal(of_value_as_int(integer, 0), INT64_MIN);
    assert_true(of_value_as_double(number, 0) == 0.5);
    assert_int_equal(of_value_length(string), 3);
    assert_memory_equal(of_value_as_string(string, ""), "a\0b", 4);
    assert_int_equal(of_value_as_datetime(moment, (of_datetime){0, 0, 0}).offset_minutes, 60);
    assert_null(of_value_datetime((of_datetime){0, 1000000000, 0}));
    of_value_unref(integer);
    of_value_unref(number);
    of_value_unref(string);
    of_value_unref(moment);
}

static void a_value_of_another_type_gives_the_other_value(void **state)
{
    (void)state;
    of_value *string = of_value_string("1");
    assert_true(of_value_as_bool(string, true));
    assert_int_equal(of_value_as_int(string, 7), 7);
    assert_true(of_value_as_double(NULL, 2.5) == 2.5);
    assert_string_equal(of_value_as_string(of_value_bool(true), "none"), "none");
    assert_int_equal(of_value_type(NULL), OF_TYPE_NULL);
    assert_int_equal(of_value_type(of_value_string(NULL)), OF_TYPE_NULL);
    of_value_unref(string);
}

static void numbers_convert_only_without_loss(void **state)
{
    (void)state;
    of_value *whole = of_value_double(10.0), *half = of_value_double(10.5), *huge = of_value_double(1e300);
    of_value *integer = of_value_int(10), *wide = of_value_int(INT64_MAX);
    assert_int_equal(of_value_as_int(whole, -1), 10);
    assert_int_equal(of_value_as_int(half, -1), -1);
    assert_int_equal(of_value_as_int(huge, -1), -1);
    assert_true(of_value_as_double(integer, -1) == 10.0);
    assert_true(of_value_as_double(wide, -1) == -1.0);
    of_value_unref(whole);
    of_value_unref(half);
    of_value_unref(huge);
    of_value_unref(integer);
    of_value_unref(wide);
}

static void members_keep_their_order_and_the_last_one_set_counts(void **state)
{
    (void)state;
    of_value *object = of_value_object();
    assert_int_equal(of_value_set_int(object, "b", 1), OF_OK);
    assert_int_equal(of_value_set_string(object, "a", "x"), OF_OK);
    assert_int_equal(of_value_set_int(object, "b", 2), OF_OK);
    const char *key = NULL;
    const of_value *member = NULL;
    size_t cursor = 0;
    assert_true(of_value_next(object, &cursor, &key, &member));
    assert_string_equal(key, "b");
    assert_int_equal(of_value_as_int(member, 0), 2);
    assert_true(of_value_next(object, &cursor, &key, &member));
    assert_string_equal(key, "a");
    assert_false(of_value_next(object, &cursor, &key, &member));
    assert_int_equal(of_value_remove(object, "b"), OF_OK);
    assert_null(of_value_get(object, "b"));
    assert_int_equal(of_value_length(object), 1);
    of_value_unref(object);
}

static void an_object_with_many_members_finds_each(void **state)
{
    (void)state;
    char key[16];
    of_value *object = of_value_object();
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_int_equal(of_value_set_int(object, key, i), OF_OK);
    }
    for (int i = 0; i < 1000; i += 3) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_int_equal(of_value_remove(object, key), OF_OK);
    }
    for (int i = 0; i < 1000; i++) {
        (void)snprintf(key, sizeof key, "key-%d", i);
        assert_int_equal(of_value_as_int(of_value_get(object, key), -1), i % 3 == 0 ? -1 : i);
    }
    of_value_unref(object);
}

static void a_shared_value_cannot_be_changed(void **state)
{
    (void)state;
    of_value *object = of_value_object();
    of_value *other = of_value_ref(object);
    assert_int_equal(of_value_set_int(object, "a", 1), OF_ERROR_SHARED);
    assert_int_equal(of_value_remove(object, "a"), OF_ERROR_SHARED);
    of_value_unref(other);
    assert_int_equal(of_value_set_int(object, "a", 1), OF_OK);
    other = of_value_copy(object);
    assert_int_equal(of_value_set_int(other, "a", 2), OF_OK);
    assert_int_equal(of_value_as_int(of_value_get(object, "a"), 0), 1);
    of_value_unref(other);
    of_value_unref(object);
}

static void nesting_is_bounded(void **state)
{
    (void)state;
    of_value *value = of_value_list();
    of_error error = OF_OK;
    int depth = 1;
    for (; error == OF_OK; depth++) {
        of_value *outer = of_value_list();
        error = of_value_append(outer, value);
        value = outer;
    }
    assert_int_equal(error, OF_ERROR_TOO_DEEP);
    assert_int_equal(depth - 1, OF_VALUE_MAX_DEPTH);
    of_value_unref(value);
}

static void a_container_is_not_put_into_itself_and_the_reference_is_taken_all_the_same(void **state)
{
    (void)state;
    of_value *list = of_value_list(), *object = of_value_object();
    assert_int_equal(of_value_append(list, of_value_ref(list)), OF_ERROR_INVALID_ARGUMENT);
    assert_int_equal(of_value_set(object, "self", of_value_ref(object)), OF_ERROR_INVALID_ARGUMENT);
    assert_int_equal(of_value_append(list, of_value_int(1)), OF_OK); /* which only a sole holder may */
    assert_int_equal(of_value_set(object, "a", of_value_int(1)), OF_OK);
    of_value_unref(list);
    of_value_unref(object);
    list = of_value_list();
    assert_int_equal(of_value_append(list, list), OF_ERROR_INVALID_ARGUMENT); /* and so it is gone */
}

static void equality_is_by_content_and_type(void **state)
{
    (void)state;
    of_value *a = of_value_object(), *b = of_value_object();
    of_value *list = of_value_list();
    (void)of_value_append(list, of_value_int(1));
    (void)of_value_set_int(a, "x", 1);
    (void)of_value_set(a, "y", of_value_ref(list));
    (void)of_value_set(b, "y", of_value_copy(list));
    assert_false(of_value_equal(a, b));
    (void)of_value_set_int(b, "x", 1);
    assert_true(of_value_equal(a, b));
    (void)of_value_set_double(b, "x", 1);
    assert_false(of_value_equal(a, b));
    assert_true(of_value_equal(NULL, of_value_null()));
    of_value_unref(list);
    of_value_unref(a);
    of_value_unref(b);
}

static void what_is_no_container_refuses_and_releases_what_it_was_given(void **state)
{
    (void)state;
    of_value *integer = of_value_int(1);
    assert_int_equal(of_value_append(integer, of_value_int(2)), OF_ERROR_INVALID_ARGUMENT);
    assert_int_equal(of_value_set(NULL, "a", of_value_int(2)), OF_ERROR_INVALID_ARGUMENT);
    assert_int_equal(of_value_set(integer, NULL, of_value_int(2)), OF_ERROR_INVALID_ARGUMENT);
    assert_null(of_value_at(integer, 0));
    of_value_unref(integer);
    of_value_unref(NULL);
}

static void every_error_and_type_has_a_name(void **state)
{
    (void)state;
    assert_string_equal(of_error_name(OF_ERROR_TARGETING_KEY_MISSING), "TARGETING_KEY_MISSING");
    assert_string_equal(of_error_name((of_error)999), "GENERAL");
    assert_string_equal(of_type_name(OF_TYPE_OBJECT), "object");
    assert_string_equal(of_event_name(OF_EVENT_CONTEXT_CHANGED), "PROVIDER_CONTEXT_CHANGED");
    assert_string_equal(of_status_name(OF_STATUS_RECONCILING), "RECONCILING");
    assert_string_equal(of_version(), OF_VERSION);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(scalars_give_back_what_they_were_made_of),
        cmocka_unit_test(a_value_of_another_type_gives_the_other_value),
        cmocka_unit_test(numbers_convert_only_without_loss),
        cmocka_unit_test(members_keep_their_order_and_the_last_one_set_counts),
        cmocka_unit_test(an_object_with_many_members_finds_each),
        cmocka_unit_test(a_shared_value_cannot_be_changed),
        cmocka_unit_test(nesting_is_bounded),
        cmocka_unit_test(a_container_is_not_put_into_itself_and_the_reference_is_taken_all_the_same),
        cmocka_unit_test(equality_is_by_content_and_type),
        cmocka_unit_test(what_is_no_container_refuses_and_releases_what_it_was_given),
        cmocka_unit_test(every_error_and_type_has_a_name),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

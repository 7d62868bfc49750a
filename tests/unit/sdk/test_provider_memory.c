/* SPDX-License-Identifier: Apache-2.0 */
/* The in-memory provider (specification, Appendix A). */
#include "contract.h"

#include <stdio.h>

#include <openfeature/providers/memory.h>

static of_value *variants(const char *json)
{
    of_value *value = NULL;
    assert_int_equal(of_value_from_json(json, strlen(json), &value, NULL), OF_OK);
    return value;
}

static void put(of_provider *provider, const char *key, const char *json, const char *default_variant)
{
    of_memory_flag flag = {.size = sizeof flag, .key = key, .default_variant = default_variant};
    of_value *value = variants(json);
    flag.variants = value;
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    of_value_unref(value);
}

static of_provider *make(void)
{
    of_provider *provider = of_memory_provider_new(NULL, 0);
    assert_int_equal(of_memory_provider_put_bool(provider, "contract-bool", true), OF_OK);
    put(provider, "contract-string", "{\"a\":\"hi\",\"b\":\"bye\"}", "a");
    put(provider, "contract-int", "{\"ten\":10}", "ten");
    put(provider, "contract-double", "{\"half\":0.5}", "half");
    put(provider, "contract-object", "{\"o\":{\"a\":1}}", "o");
    return provider;
}

static void it_keeps_the_contract_of_providers(void **state)
{
    (void)state;
    contract_check(make);
}

static of_api *api;
static of_client *client;
static of_provider *provider;

static int setup(void **state)
{
    (void)state;
    api = of_api_new();
    provider = make();
    client = of_api_client(api, NULL);
    return (int)of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS);
}

static int teardown(void **state)
{
    (void)state;
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
    return 0;
}

static const char *by_email(void *user, const of_context *context)
{
    (void)user;
    const char *email = of_value_as_string(of_context_get(context, "email"), "");
    return strcmp(email, "ada@example.org") == 0 ? "gold" : "";
}

static void a_context_evaluator_picks_the_variant(void **state)
{
    (void)state;
    of_details details;
    of_value *value = variants("{\"gold\":1,\"plain\":2}");
    of_memory_flag flag = {.size = sizeof flag,
                           .key = "targeted",
                           .variants = value,
                           .default_variant = "plain",
                           .evaluator = by_email};
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    of_context *context = of_context_new("ada");
    (void)of_context_set_string(context, "email", "ada@example.org");
    (void)of_client_int_details(client, "targeted", 0, context, NULL, &details);
    assert_int_equal(details.value.integer, 1);
    assert_string_equal(details.reason, OF_REASON_TARGETING_MATCH);
    assert_string_equal(details.variant, "gold");
    of_details_clear(&details);
    (void)of_client_int_details(client, "targeted", 0, NULL, NULL, &details);
    assert_int_equal(details.value.integer, 2);
    assert_string_equal(details.reason, OF_REASON_DEFAULT);
    of_details_clear(&details);
    of_context_unref(context);
    of_value_unref(value);
}

static void a_disabled_flag_and_one_without_default_give_the_callers_default_value(void **state)
{
    (void)state;
    of_details details;
    of_value *value = variants("{\"on\":true}");
    of_memory_flag flag = {
        .size = sizeof flag, .key = "off", .variants = value, .default_variant = "on", .disabled = true};
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    assert_int_equal(of_client_bool_details(client, "off", false, NULL, NULL, &details), OF_OK);
    assert_false(details.value.boolean);
    assert_string_equal(details.reason, OF_REASON_DISABLED);
    assert_null(details.variant);
    of_details_clear(&details);
    flag.key = "none";
    flag.disabled = false;
    flag.default_variant = NULL;
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    assert_int_equal(of_client_bool_details(client, "none", false, NULL, NULL, &details), OF_OK);
    assert_string_equal(details.reason, OF_REASON_DEFAULT);
    of_details_clear(&details);
    of_value_unref(value);
}

static void numbers_convert_where_nothing_is_lost(void **state)
{
    (void)state;
    of_details details;
    put(provider, "whole", "{\"a\":10.0}", "a");
    assert_int_equal(of_client_get_int(client, "whole", 0, NULL, NULL), 10);
    assert_true(of_client_get_double(client, "contract-int", 0, NULL, NULL) == 10.0);
    assert_int_equal(of_client_int_details(client, "contract-double", 0, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
}

static void replacing_all_flags_names_old_and_new_ones(void **state)
{
    (void)state;
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    of_value *value = variants("{\"on\":true}");
    const of_memory_flag flags[] = {
        {.size = sizeof flags[0], .key = "contract-bool", .variants = value, .default_variant = "on"},
        {.size = sizeof flags[0], .key = "fresh", .variants = value, .default_variant = "on"}};
    assert_int_equal(of_memory_provider_replace(provider, flags, 2), OF_OK);
    box_await(&box, 1);
    static const char *const keys[] = {"contract-bool",   "contract-string", "contract-int",
                                       "contract-double", "contract-object", "fresh"};
    for (size_t i = 0; i < sizeof keys / sizeof keys[0]; i++)
        assert_non_null(strstr(box.seen[0].flags, keys[i]));
    assert_true(of_client_get_bool(client, "fresh", false, NULL, NULL));
    assert_int_equal(of_client_get_int(client, "contract-int", 1, NULL, NULL), 1);
    of_value_unref(value);
}

static void changing_one_flag_names_it(void **state)
{
    (void)state;
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    assert_int_equal(of_memory_provider_put_bool(provider, "contract-bool", false), OF_OK);
    assert_int_equal(of_memory_provider_remove(provider, "contract-int"), OF_OK);
    assert_int_equal(of_memory_provider_remove(provider, "contract-int"), OF_OK);
    box_await(&box, 2);
    assert_string_equal(box.seen[0].flags, "contract-bool");
    assert_string_equal(box.seen[1].flags, "contract-int");
    assert_false(of_client_get_bool(client, "contract-bool", true, NULL, NULL));
}

static void details_keep_the_flag_that_was_replaced_since(void **state)
{
    (void)state;
    of_details details;
    (void)of_client_string_details(client, "contract-string", "", NULL, NULL, &details);
    put(provider, "contract-string", "{\"z\":\"new\"}", "z");
    assert_string_equal(details.value.string.data, "hi");
    assert_string_equal(details.variant, "a");
    of_details_clear(&details);
}

static void five_thousand_flags_are_all_found(void **state)
{
    (void)state;
    enum { COUNT = 5000 };
    static char keys[COUNT][24];
    static of_memory_flag flags[COUNT];
    of_value *value = variants("{\"on\":true}");
    for (int i = 0; i < COUNT; i++) {
        (void)snprintf(keys[i], sizeof keys[i], "some-feature-%d", i);
        flags[i] = (of_memory_flag){
            .size = sizeof flags[i], .key = keys[i], .variants = value, .default_variant = "on"};
    }
    assert_int_equal(of_memory_provider_replace(provider, flags, COUNT), OF_OK);
    for (int i = 0; i < COUNT; i++)
        assert_true(of_client_get_bool(client, keys[i], false, NULL, NULL));
    of_value_unref(value);
}

static void what_is_no_flag_is_refused_and_changes_nothing(void **state)
{
    (void)state;
    of_value *value = variants("{\"on\":true}");
    of_memory_flag flag = {
        .size = sizeof flag, .key = "x", .variants = value, .default_variant = "no such variant"};
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_ERROR_INVALID_ARGUMENT);
    flag.key = NULL;
    assert_int_equal(of_memory_provider_replace(provider, &flag, 1), OF_ERROR_INVALID_ARGUMENT);
    assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    assert_null(of_memory_provider_new(&flag, 1));
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    assert_int_equal(of_memory_provider_put_bool(probe->provider, "x", true), OF_ERROR_INVALID_ARGUMENT);
    probe_free(probe);
    of_value_unref(value);
}

static void evaluations_allocate_nothing(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    of_details details;
    long before = heap_count();
    failing_set(0, false);
    for (int i = 0; i < 100; i++) {
        assert_true(of_client_get_bool(client, "contract-bool", false, context, NULL));
        assert_int_equal(of_client_get_int(client, "contract-int", 0, context, NULL), 10);
        of_string text = of_client_get_string(client, "contract-string", "", context, NULL);
        of_string_release(&text);
        (void)of_client_bool_details(client, "contract-bool", false, context, NULL, &details);
        assert_string_equal(details.variant, "on");
        of_details_clear(&details);
        (void)of_client_string_details(client, "contract-string", "", context, NULL, &details);
        assert_string_equal(details.value.string.data, "hi");
        of_details_clear(&details);
        (void)of_client_bool_details(client, "no such flag", false, context, NULL, &details);
        of_details_clear(&details);
    }
    assert_int_equal(failing_count(), 0);
    assert_int_equal(heap_count(), before);
    of_context_unref(context);
}

static void details_keep_a_default_object_that_its_owner_has_let_go(void **state)
{
    (void)state;
    of_details details;
    of_value *object = variants("{\"a\":1}"), *values = variants("{\"o\":{}}");
    of_memory_flag flag = {.size = sizeof flag, .key = "off", .variants = values, .disabled = true};
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    assert_int_equal(of_client_object_details(client, "off", object, NULL, NULL, &details), OF_OK);
    of_value_unref(object);
    assert_int_equal(of_value_as_int(of_value_get(details.value.object, "a"), 0), 1);
    of_details_clear(&details);
    of_value_unref(values);
}

static void a_default_value_may_stand_in_the_details_that_are_filled(void **state)
{
    (void)state;
    of_details details = {.value = {.integer = 7}};
    assert_int_equal(
        of_client_details(client, "no such flag", OF_TYPE_INT, &details.value, NULL, NULL, &details),
        OF_ERROR_FLAG_NOT_FOUND);
    assert_int_equal(details.value.integer, 7);
    of_details_clear(&details);
}

/* As a program has them that was built with a later header. */
static void an_array_of_longer_structures_is_walked_by_their_size(void **state)
{
    (void)state;
    struct later {
        of_memory_flag flag;
        void *more[3];
    };
    of_value *ten = variants("{\"ten\":10}");
    struct later flags[] = {
        {{.size = sizeof flags[0], .key = "a", .variants = ten, .default_variant = "ten"}, {NULL}},
        {{.size = sizeof flags[0], .key = "b", .variants = ten, .default_variant = "ten"}, {NULL}},
    };
    assert_int_equal(of_memory_provider_replace(provider, &flags[0].flag, 2), OF_OK);
    assert_int_equal(of_client_get_int(client, "a", 1, NULL, NULL), 10);
    assert_int_equal(of_client_get_int(client, "b", 1, NULL, NULL), 10);
    of_value_unref(ten);
}

static bool is_zero(const void *memory, size_t size)
{
    const unsigned char *bytes = memory;
    for (size_t i = 0; i < size; i++)
        if (bytes[i] != 0)
            return false;
    return true;
}

static void the_room_of_details_for_members_to_come_is_zero(void **state)
{
    (void)state;
    static const char *const keys[] = {"contract-bool", "none such"};
    for (size_t i = 0; i < 2; i++) {
        of_details details;
        memset(&details, 0xFF, sizeof details);
        (void)of_client_bool_details(client, keys[i], false, NULL, NULL, &details);
        assert_true(is_zero(details.reserved_, sizeof details.reserved_));
        memset(details.reserved_, 0xFF, sizeof details.reserved_);
        of_details_clear(&details);
        assert_true(is_zero(details.reserved_, sizeof details.reserved_));
    }
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    failing_install(); /* it fails nothing here, and counts */
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_the_contract_of_providers),
        TEST(a_context_evaluator_picks_the_variant),
        TEST(a_disabled_flag_and_one_without_default_give_the_callers_default_value),
        TEST(numbers_convert_where_nothing_is_lost),
        TEST(replacing_all_flags_names_old_and_new_ones),
        TEST(changing_one_flag_names_it),
        TEST(details_keep_the_flag_that_was_replaced_since),
        TEST(evaluations_allocate_nothing),
        TEST(details_keep_a_default_object_that_its_owner_has_let_go),
        TEST(a_default_value_may_stand_in_the_details_that_are_filled),
        TEST(five_thousand_flags_are_all_found),
        TEST(what_is_no_flag_is_refused_and_changes_nothing),
        TEST(an_array_of_longer_structures_is_walked_by_their_size),
        TEST(the_room_of_details_for_members_to_come_is_zero),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-provider (specification, Appendix A). */
#include "contract.h"

#include <stdio.h>

#include <openfeature/providers/memory.h>
#include <openfeature/providers/multi.h>

static void put(of_provider *provider, const char *key, const char *json)
{
    of_value *variants = NULL;
    of_memory_flag flag = {.size = sizeof flag, .key = key, .default_variant = "v"};
    assert_int_equal(of_value_from_json(json, strlen(json), &variants, NULL), OF_OK);
    flag.variants = variants;
    assert_int_equal(of_memory_provider_put(provider, &flag), OF_OK);
    of_value_unref(variants);
}

static of_provider *make(void)
{
    of_provider *one = of_memory_provider_new(NULL, 0), *two = of_memory_provider_new(NULL, 0);
    put(one, "contract-bool", "{\"v\":true}");
    put(one, "contract-string", "{\"v\":\"hi\"}");
    put(two, "contract-string", "{\"v\":\"not this one\"}");
    put(two, "contract-int", "{\"v\":10}");
    put(two, "contract-double", "{\"v\":0.5}");
    put(two, "contract-object", "{\"v\":{\"a\":1}}");
    const of_multi_entry entries[] = {{one, NULL}, {two, NULL}};
    of_provider *provider = of_multi_provider_new(entries, 2, NULL, NULL);
    of_provider_unref(one);
    of_provider_unref(two);
    return provider;
}

static void it_keeps_the_contract_of_providers(void **state)
{
    (void)state;
    contract_check(make);
}

static of_api *api;
static of_client *client;
static struct probe *one, *two;
static of_provider *multi;
static struct box box;

static int setup(void **state)
{
    (void)state;
    api = of_api_new();
    client = of_api_client(api, NULL);
    one = probe_new("probe", PROBE_PLAIN);
    two = probe_new("probe", PROBE_PLAIN);
    multi = NULL;
    box_init(&box);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(multi);
    probe_free(one);
    probe_free(two);
    return 0;
}

static of_error start(const of_multi_options *options)
{
    const of_multi_entry entries[] = {{one->provider, NULL}, {two->provider, NULL}};
    multi = of_multi_provider_new(entries, 2, options, NULL);
    assert_non_null(multi);
    return of_api_set_provider_and_wait(api, NULL, multi, PATIENCE_MS);
}

static void names_are_given_or_unique_or_numbered(void **state)
{
    (void)state;
    const char *name = NULL;
    assert_int_equal(start(NULL), OF_OK);
    assert_ptr_equal(of_multi_provider_at(multi, 0, &name), one->provider);
    assert_string_equal(name, "probe_1");
    (void)of_multi_provider_at(multi, 1, &name);
    assert_string_equal(name, "probe_2");
    assert_null(of_multi_provider_at(multi, 2, &name));
    assert_string_equal(of_provider_name(multi), "multiprovider");
}

static void given_names_that_are_the_same_and_providers_in_use_are_refused(void **state)
{
    (void)state;
    of_error error = OF_OK;
    const of_multi_entry same[] = {{one->provider, "x"}, {two->provider, "x"}};
    assert_null(of_multi_provider_new(same, 2, NULL, &error));
    assert_int_equal(error, OF_ERROR_INVALID_ARGUMENT);
    const of_multi_entry twice[] = {{one->provider, "x"}, {one->provider, "y"}};
    assert_null(of_multi_provider_new(twice, 2, NULL, &error));
    assert_int_equal(error, OF_ERROR_SHARED);
    assert_null(of_multi_provider_new(NULL, 0, NULL, &error));
    assert_int_equal(start(NULL), OF_OK); /* both are free again */
}

static void first_match_asks_the_next_only_where_the_flag_is_not_found(void **state)
{
    (void)state;
    of_details details;
    assert_int_equal(start(NULL), OF_OK);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(atomic_load(&two->resolves), 0);
    assert_int_equal(of_client_bool_details(client, "missing", true, NULL, NULL, &details),
                     OF_ERROR_FLAG_NOT_FOUND);
    assert_true(details.value.boolean);
    assert_string_equal(details.error_message, "probe_1: FLAG_NOT_FOUND; probe_2: FLAG_NOT_FOUND");
    of_details_clear(&details);
    assert_int_equal(atomic_load(&two->resolves), 1);
    one->error = OF_ERROR_PARSE_ERROR;
    one->error_message = "bad";
    assert_int_equal(of_client_bool_details(client, "fails", true, NULL, NULL, &details),
                     OF_ERROR_PARSE_ERROR);
    assert_string_equal(details.error_message, "probe_1: PARSE_ERROR (bad)");
    of_details_clear(&details);
    assert_int_equal(atomic_load(&two->resolves), 1);
}

static void first_successful_goes_on_after_any_error(void **state)
{
    (void)state;
    of_details details;
    of_multi_options options = {.size = sizeof options, .strategy = OF_MULTI_FIRST_SUCCESSFUL};
    assert_int_equal(start(&options), OF_OK);
    one->error = OF_ERROR_PARSE_ERROR;
    two->error = OF_OK;
    assert_int_equal(of_client_bool_details(client, "fails", false, NULL, NULL, &details), OF_OK);
    assert_true(details.value.boolean);
    of_details_clear(&details);
    two->error = OF_ERROR_INVALID_CONTEXT;
    assert_int_equal(of_client_bool_details(client, "fails", false, NULL, NULL, &details), OF_ERROR_GENERAL);
    assert_string_equal(details.error_message, "probe_1: PARSE_ERROR; probe_2: INVALID_CONTEXT");
    of_details_clear(&details);
}

static int mismatches;

static void on_mismatch(void *user, const char *key, of_type type, const of_multi_result *results,
                        size_t count)
{
    (void)user;
    assert_string_equal(key, "flag");
    assert_int_equal(type, OF_TYPE_STRING);
    assert_int_equal(count, 2);
    assert_string_equal(results[0].resolution->value.string.data, "a");
    assert_string_equal(results[1].resolution->value.string.data, "b");
    mismatches++;
}

static void comparison_falls_back_and_tells_where_values_differ(void **state)
{
    (void)state;
    of_provider *left = of_memory_provider_new(NULL, 0), *right = of_memory_provider_new(NULL, 0);
    of_multi_options options = {
        .size = sizeof options, .strategy = OF_MULTI_COMPARISON, .fallback = 1, .on_mismatch = on_mismatch};
    const of_multi_entry entries[] = {{left, NULL}, {right, NULL}};
    put(left, "flag", "{\"v\":\"a\"}");
    put(right, "flag", "{\"v\":\"a\"}");
    put(left, "object", "{\"v\":{\"x\":[1,2]}}");
    put(right, "object", "{\"v\":{\"x\":[1,2]}}");
    multi = of_multi_provider_new(entries, 2, &options, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, multi, PATIENCE_MS), OF_OK);
    mismatches = 0;
    of_string string = of_client_get_string(client, "flag", "", NULL, NULL);
    assert_string_equal(string.data, "a");
    of_string_release(&string);
    of_value *object = of_client_get_object(client, "object", NULL, NULL, NULL);
    assert_int_equal(of_value_length(object), 1);
    of_value_unref(object);
    assert_int_equal(mismatches, 0);
    put(right, "flag", "{\"v\":\"b\"}");
    string = of_client_get_string(client, "flag", "", NULL, NULL);
    assert_string_equal(string.data, "b");
    of_string_release(&string);
    assert_int_equal(mismatches, 1);
    assert_int_equal(of_memory_provider_remove(left, "flag"), OF_OK);
    of_details details;
    assert_int_equal(of_client_string_details(client, "flag", "", NULL, NULL, &details),
                     OF_ERROR_FLAG_NOT_FOUND);
    of_details_clear(&details);
    of_provider_unref(left);
    of_provider_unref(right);
}

static bool skip_first(void *user, const char *key, of_type type, const of_context *context, const char *name,
                       of_provider_status status)
{
    (void)user;
    (void)key;
    (void)type;
    (void)context;
    return strcmp(name, "probe_1") != 0 && status == OF_STATUS_READY;
}

static size_t choose_last(void *user, const char *key, of_type type, const of_multi_result *results,
                          size_t count)
{
    (void)key;
    (void)type;
    ++*(int *)user;
    return count > 0 && results[count - 1].error == OF_OK ? count - 1 : OF_MULTI_NONE;
}

static void a_strategy_of_ones_own_says_who_is_asked_and_who_counts(void **state)
{
    (void)state;
    int chosen = 0;
    of_multi_options options = {.size = sizeof options,
                                .strategy = OF_MULTI_CUSTOM,
                                .should_evaluate = skip_first,
                                .choose = choose_last,
                                .user = &chosen};
    assert_int_equal(start(&options), OF_OK);
    assert_int_equal(of_client_get_int(client, "int-flag", 1, NULL, NULL), 10);
    assert_int_equal(of_client_get_int(client, "missing", 1, NULL, NULL), 1);
    assert_int_equal(chosen, 2);
    assert_int_equal(atomic_load(&one->resolves), 0);
}

static void providers_are_started_at_the_same_time_and_all_shut_down(void **state)
{
    (void)state;
    gate_close(&one->init_gate);
    gate_close(&two->init_gate);
    const of_multi_entry entries[] = {{one->provider, NULL}, {two->provider, NULL}};
    multi = of_multi_provider_new(entries, 2, NULL, NULL);
    assert_int_equal(of_api_set_provider(api, "d", multi), OF_OK);
    gate_await(&one->init_gate);
    gate_await(&two->init_gate);
    assert_string_equal(one->domain, "d");
    gate_open(&one->init_gate);
    gate_open(&two->init_gate);
    of_client *there = of_api_client(api, "d");
    await_status(there, OF_STATUS_READY);
    of_client_unref(there);
    of_api_shutdown(api);
    assert_true(atomic_load(&one->shutdowns) >= 1 && atomic_load(&two->shutdowns) >= 1);
}

static void a_failing_init_fails_the_whole(void **state)
{
    (void)state;
    (void)of_api_on(api, OF_EVENT_ERROR, box_handler, &box, NULL);
    two->init_result = OF_ERROR_PROVIDER_FATAL;
    assert_int_equal(start(NULL), OF_ERROR_PROVIDER_FATAL);
    assert_int_equal(of_client_status(client), OF_STATUS_FATAL);
    box_await(&box, 1);
    assert_string_equal(box.seen[0].message, "init failed");
    assert_string_equal(box.seen[0].provider, "multiprovider");
}

static void the_status_is_the_worst_and_is_emitted_when_it_changes(void **state)
{
    (void)state;
    of_provider_event stale = OF_PROVIDER_EVENT(OF_EVENT_STALE);
    assert_int_equal(start(NULL), OF_OK);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &box, NULL);
    (void)of_api_on(api, OF_EVENT_ERROR, box_handler, &box, NULL);
    of_provider_emit(one->provider, &stale);
    assert_int_equal(of_client_status(client), OF_STATUS_STALE);
    (void)of_provider_emit_error(two->provider, OF_ERROR_GENERAL, "lost");
    assert_int_equal(of_client_status(client), OF_STATUS_ERROR);
    of_provider_emit(one->provider, &stale); /* changes nothing */
    of_provider_emit_ready(two->provider);
    assert_int_equal(of_client_status(client), OF_STATUS_STALE);
    of_provider_emit_ready(one->provider);
    assert_int_equal(of_client_status(client), OF_STATUS_READY);
    box_await(&box, 3);
    assert_int_equal(box.seen[0].type, OF_EVENT_STALE);
    assert_string_equal(box.seen[1].message, "lost");
    assert_int_equal(box.seen[2].type, OF_EVENT_STALE);
    assert_int_equal(box_count(&box), 3);
}

static void changes_of_configuration_are_passed_on(void **state)
{
    (void)state;
    static const char *const flags[] = {"a", "b"};
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = flags;
    event.flags_changed_count = 2;
    assert_int_equal(start(NULL), OF_OK);
    (void)of_client_on(client, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    of_provider_emit(two->provider, &event);
    box_await(&box, 1);
    assert_string_equal(box.seen[0].flags, "a,b");
}

static of_error set_field(void *self, of_hook_context *hook_context, const of_value *hints,
                          of_context **context)
{
    (void)hook_context;
    (void)hints;
    *context = of_context_new(self);
    return OF_OK;
}

static void hooks_inside_change_the_context_of_their_provider_only(void **state)
{
    (void)state;
    char subject[] = "from a hook";
    of_hook_methods methods = {.size = sizeof methods, .before = set_field};
    of_hook *hook = of_hook_new(&methods, subject);
    assert_int_equal(of_provider_add_hook(one->provider, hook), OF_OK);
    of_hook_unref(hook);
    of_multi_options options = {.size = sizeof options, .strategy = OF_MULTI_COMPARISON};
    assert_int_equal(start(&options), OF_OK);
    of_context *context = of_context_new("ada");
    of_string string = of_client_get_string(client, "text-flag", "", context, NULL);
    assert_string_equal(string.data, "made on the spot");
    of_string_release(&string);
    assert_string_equal(of_context_targeting_key(one->seen), "from a hook");
    assert_string_equal(of_context_targeting_key(two->seen), "ada");
    of_context_unref(context);
}

static void tracking_reaches_all_that_can_take_it(void **state)
{
    (void)state;
    assert_int_equal(start(NULL), OF_OK);
    of_client_track(client, "bought", NULL, NULL);
    assert_int_equal(atomic_load(&one->tracks) + atomic_load(&two->tracks), 2);
    (void)of_provider_emit_error(one->provider, OF_ERROR_PROVIDER_FATAL, "gone");
    of_client_track(client, "bought", NULL, NULL);
    assert_int_equal(atomic_load(&one->tracks), 1);
    assert_int_equal(atomic_load(&two->tracks), 2);
}

static void a_context_change_reaches_all_and_ends_once(void **state)
{
    (void)state;
    of_static_api *fixed = of_static_api_new();
    const of_multi_entry entries[] = {{one->provider, NULL}, {two->provider, NULL}};
    one->reconciling = two->reconciling = true;
    multi = of_multi_provider_new(entries, 2, NULL, NULL);
    assert_int_equal(of_static_api_set_provider_and_wait(fixed, NULL, multi, PATIENCE_MS), OF_OK);
    (void)of_static_api_on(fixed, OF_EVENT_CONTEXT_CHANGED, box_handler, &box, NULL);
    of_context *context = of_context_new("ada");
    assert_int_equal(of_static_api_set_context_and_wait(fixed, NULL, context, PATIENCE_MS), OF_OK);
    box_await(&box, 1);
    assert_string_equal(of_context_targeting_key(one->now), "ada");
    assert_string_equal(of_context_targeting_key(two->now), "ada");
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_READY);
    two->context_result = OF_ERROR_GENERAL;
    assert_int_equal(of_static_api_set_context_and_wait(fixed, NULL, context, PATIENCE_MS), OF_OK);
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_ERROR);
    of_context_unref(context);
    of_static_api_unref(fixed);
    assert_int_equal(box_count(&box), 1);
}

static void a_context_that_one_cannot_take_is_an_error_though_another_one_is_in_error(void **state)
{
    (void)state;
    of_static_api *fixed = of_static_api_new();
    const of_multi_entry entries[] = {{one->provider, NULL}, {two->provider, NULL}};
    one->init_result = OF_ERROR_GENERAL;
    two->context_result = OF_ERROR_GENERAL;
    multi = of_multi_provider_new(entries, 2, NULL, NULL);
    (void)of_static_api_on(fixed, OF_EVENT_ERROR, box_handler, &box, NULL);
    assert_int_equal(of_static_api_set_provider_and_wait(fixed, NULL, multi, PATIENCE_MS), OF_ERROR_GENERAL);
    box_await(&box, 1);
    of_context *context = of_context_new("ada");
    (void)of_static_api_set_context_and_wait(fixed, NULL, context, PATIENCE_MS);
    box_await(&box, 2);
    of_context_unref(context);
    of_static_api_unref(fixed);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_the_contract_of_providers),
        TEST(names_are_given_or_unique_or_numbered),
        TEST(given_names_that_are_the_same_and_providers_in_use_are_refused),
        TEST(first_match_asks_the_next_only_where_the_flag_is_not_found),
        TEST(first_successful_goes_on_after_any_error),
        TEST(comparison_falls_back_and_tells_where_values_differ),
        TEST(a_strategy_of_ones_own_says_who_is_asked_and_who_counts),
        TEST(providers_are_started_at_the_same_time_and_all_shut_down),
        TEST(a_failing_init_fails_the_whole),
        TEST(the_status_is_the_worst_and_is_emitted_when_it_changes),
        TEST(changes_of_configuration_are_passed_on),
        TEST(hooks_inside_change_the_context_of_their_provider_only),
        TEST(tracking_reaches_all_that_can_take_it),
        TEST(a_context_change_reaches_all_and_ends_once),
        TEST(a_context_that_one_cannot_take_is_an_error_though_another_one_is_in_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

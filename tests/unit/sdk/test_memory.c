/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that runs out. The main scenarios run again and again, with one allocation failing each time, and
 * with all failing from one on: nothing crashes, nothing leaks, and an evaluation gives the flag's value or
 * the default value, nothing else.
 */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

static of_error give_context(void *self, of_hook_context *hook_context, const of_value *hints,
                             of_context **context)
{
    (void)self;
    (void)hints;
    (void)of_hook_context_set_data(hook_context, "key", NULL, NULL);
    if (context != NULL)
        *context = of_context_new("from a hook");
    return OF_OK;
}

static void ignore_line(void *user, of_log_level level, const of_value *fields)
{
    (void)user;
    (void)level;
    of_free(of_value_to_json(fields));
}

static void ignore_record(void *user, const char *event_name, const of_value *attributes)
{
    (void)user;
    (void)event_name;
    (void)attributes;
}

static void add_hooks(of_api *api, of_client *client)
{
    static const of_hook_methods methods = {.size = sizeof methods, .before = give_context};
    static const char *const excluded[] = {"feature_flag.version", "feature_flag.set.id"};
    const of_telemetry_options options = {.size = sizeof options,
                                          .emit = ignore_record,
                                          .exclude_attributes = excluded,
                                          .exclude_attribute_count = 2};
    of_hook *giving = of_hook_new(&methods, NULL);
    of_hook *logging = of_logging_hook_new(ignore_line, NULL, NULL, OF_LOGGING_CONTEXT);
    of_hook *telemetry = of_telemetry_hook_new(&options);
    (void)of_api_add_hook(api, giving);
    (void)of_client_add_hook(client, logging);
    (void)of_client_add_hook(client, telemetry);
    of_hook_unref(giving);
    of_hook_unref(logging);
    of_hook_unref(telemetry);
}

/* Each value is the flag's or the default. */
static void evaluate_all(of_client *client, const of_context *context)
{
    of_details details;
    of_value *fallback = of_value_object();
    (void)of_client_get_bool(client, "bool-flag", false, context, NULL);
    int64_t integer = of_client_get_int(client, "int-flag", 3, context, NULL);
    assert_true(integer == 10 || integer == 3);
    double number = of_client_get_double(client, "double-flag", 0.25, context, NULL);
    assert_true(number == 0.5 || number == 0.25);
    of_string string = of_client_get_string(client, "text-flag", "default", context, NULL);
    assert_true(strcmp(string.data, "made on the spot") == 0 || strcmp(string.data, "default") == 0);
    of_string_release(&string);
    of_value *object = of_client_get_object(client, "object-flag", fallback, context, NULL);
    assert_true(object == fallback || of_value_as_int(of_value_get(object, "a"), 0) == 1);
    of_value_unref(object);
    of_error error = of_client_int_details(client, "int-flag", 3, context, NULL, &details);
    assert_true(error == OF_OK ? details.value.integer == 10 || details.variant == NULL
                               : details.value.integer == 3 && strcmp(details.reason, OF_REASON_ERROR) == 0);
    assert_non_null(details.metadata);
    of_details_clear(&details);
    of_value_unref(fallback);
}

static atomic_int pending;

static void done(void *user, const of_details *details)
{
    (void)user;
    (void)details;
    atomic_fetch_sub(&pending, 1);
}

static void evaluate_later(of_client *client, const of_context *context)
{
    of_flag_value value = {.string = {"default", strlen("default")}};
    atomic_fetch_add(&pending, 1);
    if (of_client_evaluate_async(client, "text-flag", OF_TYPE_STRING, &value, context, NULL, done, NULL) !=
        OF_OK)
        atomic_fetch_sub(&pending, 1);
}

/* Large enough for the fields to be indexed. */
enum { LARGE = 8 };

static of_context *make_context(const char *subject, int numbers)
{
    of_context *context = of_context_new(subject);
    of_value *list = of_value_list();
    (void)of_value_append(list, of_value_int(1));
    (void)of_context_set(context, "list", list);
    (void)of_context_set_string(context, "email", "ada@example.org");
    for (int i = 0; i < numbers; i++) {
        char key[16];
        (void)snprintf(key, sizeof key, "k%d", i);
        (void)of_context_set_int(context, key, i);
    }
    return context;
}

static void dynamic_scenario(void)
{
    static const char *const flags[] = {"a", "b"};
    static struct box box;
    box_init(&box);
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    struct probe *second = probe_new("second", PROBE_NO_INIT);
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, "domain");
    of_context *one = make_context("one", LARGE), *two = make_context("two", 0);
    of_propagator *propagator = of_propagator_new_thread_local();
    (void)of_api_set_context(api, one);
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    evaluate_all(client, two);
    (void)of_api_set_propagator(api, propagator);
    (void)of_api_set_transaction_context(api, two);
    add_hooks(api, client);
    (void)of_client_set_context(client, two);
    evaluate_all(client, one);
    evaluate_later(client, one);
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = flags;
    event.flags_changed_count = 2;
    event.message = "changed";
    of_provider_emit(probe->provider, &event);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_GENERAL, "lost");
    (void)of_api_set_provider_and_wait(api, "domain", second->provider, PATIENCE_MS);
    of_client_track(client, "visited", one, NULL);
    evaluate_all(client, one);
    await_none(&pending);
    (void)of_api_set_transaction_context(api, NULL);
    of_api_shutdown(api);
    of_client_unref(client);
    of_api_unref(api);
    of_propagator_unref(propagator);
    of_context_unref(one);
    of_context_unref(two);
    probe_free(probe);
    probe_free(second);
}

static void static_scenario(void)
{
    struct probe *probe = probe_new("probe", PROBE_SCOPED);
    of_static_api *api = of_static_api_new();
    of_static_client *client = of_static_api_client(api, "domain");
    of_context *one = make_context("one", LARGE), *two = make_context("two", 0);
    (void)of_static_api_set_context(api, NULL, one);
    (void)of_static_api_set_provider_and_wait(api, "domain", probe->provider, PATIENCE_MS);
    (void)of_static_client_get_bool(client, "bool-flag", false, NULL);
    (void)of_static_api_set_context_and_wait(api, NULL, two, PATIENCE_MS);
    (void)of_static_api_set_context_and_wait(api, "domain", one, PATIENCE_MS);
    (void)of_static_api_set_context_and_wait(api, "elsewhere", one, PATIENCE_MS);
    int64_t integer = of_static_client_get_int(client, "int-flag", 3, NULL);
    assert_true(integer == 10 || integer == 3);
    of_static_client_unref(client);
    of_static_api_unref(api);
    of_context_unref(one);
    of_context_unref(two);
    probe_free(probe);
}

static void json_scenario(void)
{
    static const char text[] = "{\"a\":[1,2.5,\"x\",{\"b\":null}],\"c\":\"\\u00e9\",\"n\":"
                               "123456789012345678901234567890123456789012345678901234567890123456789}";
    of_value *value = NULL;
    if (of_value_from_json(text, sizeof text - 1, &value, NULL) == OF_OK) {
        of_value *copy = of_value_copy(value);
        of_free(of_value_to_json(copy));
        of_value_unref(copy);
    } else {
        assert_null(value);
    }
    of_value_unref(value);
}

static void the_dynamic_paradigm_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(dynamic_scenario);
}

static void the_static_paradigm_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(static_scenario);
}

static void json_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(json_scenario);
}

static void an_evaluation_without_hooks_allocates_nothing(void **state)
{
    (void)state;
    failing_set(0, false);
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    of_context *global = make_context("global", LARGE), *own = make_context("own", 0);
    of_details details;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_context(api, global), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    failing_set(1, true); /* from here on, there is no memory */
    assert_true(of_client_get_bool(client, "bool-flag", false, own, NULL));
    assert_int_equal(of_client_string_details(client, "string-flag", "", own, NULL, &details), OF_OK);
    assert_string_equal(details.value.string.data, "hi");
    of_details_clear(&details);
    of_string string = of_client_get_string(client, "string-flag", "", own, NULL);
    assert_string_equal(string.data, "hi");
    of_string_release(&string);
    failing_set(0, false);
    of_client_unref(client);
    of_api_unref(api);
    of_context_unref(global);
    of_context_unref(own);
    probe_free(probe);
    failing_await_none();
}

static void an_allocator_needs_all_its_functions(void **state)
{
    (void)state;
    of_allocator wrong = {NULL, NULL, NULL, NULL};
    assert_int_equal(of_set_allocator(&wrong), OF_ERROR_INVALID_ARGUMENT);
    of_free(NULL);
    void *memory = of_alloc(10);
    assert_non_null(memory);
    of_free(memory);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_dynamic_paradigm_survives_every_failing_allocation),
        cmocka_unit_test(the_static_paradigm_survives_every_failing_allocation),
        cmocka_unit_test(json_survives_every_failing_allocation),
        cmocka_unit_test(an_evaluation_without_hooks_allocates_nothing),
        cmocka_unit_test(an_allocator_needs_all_its_functions),
    };
    failing_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

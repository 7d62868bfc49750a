/* SPDX-License-Identifier: Apache-2.0 */
/* The static paradigm: one context, providers that reconcile
 * (specification 1.3.2, 1.4.2, 2.6, 3.2.2, 3.2.4, 5.3.4, 6.1.2). */
#include "support.h"

#include <stdio.h>

static of_static_api *api;
static struct probe *probe;
static of_static_client *client;
static struct box box;

static int setup(void **state)
{
    (void)state;
    api = of_static_api_new();
    probe = probe_new("probe", PROBE_PLAIN);
    client = of_static_api_client(api, NULL);
    box_init(&box);
    return (int)of_static_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
}

static int teardown(void **state)
{
    (void)state;
    of_static_client_unref(client);
    of_static_api_unref(api);
    probe_free(probe);
    return 0;
}

static of_error set_context(const char *domain, const char *subject)
{
    of_context *context = of_context_new(subject);
    of_error error = of_static_api_set_context_and_wait(api, domain, context, PATIENCE_MS);
    of_context_unref(context);
    return error;
}

static void each_type_of_flag_gives_its_value_without_a_context_argument(void **state)
{
    (void)state;
    assert_true(of_static_client_get_bool(client, "bool-flag", false, NULL));
    assert_int_equal(of_static_client_get_int(client, "int-flag", 1, NULL), 10);
    assert_true(of_static_client_get_double(client, "double-flag", 0.1, NULL) == 0.5);
    of_string string = of_static_client_get_string(client, "string-flag", "bye", NULL);
    assert_string_equal(string.data, "hi");
    of_string_release(&string);
    of_value *object = of_static_client_get_object(client, "object-flag", NULL, NULL);
    assert_int_equal(of_value_length(object), 1);
    of_value_unref(object);
}

static void details_come_without_a_context_argument(void **state)
{
    (void)state;
    of_details details;
    assert_int_equal(of_static_client_bool_details(client, "bool-flag", false, NULL, &details), OF_OK);
    assert_string_equal(details.variant, "on");
    of_details_clear(&details);
    assert_int_equal(of_static_client_int_details(client, "int-flag", 1, NULL, &details), OF_OK);
    of_details_clear(&details);
    assert_int_equal(of_static_client_double_details(client, "double-flag", 1, NULL, &details), OF_OK);
    of_details_clear(&details);
    assert_int_equal(of_static_client_string_details(client, "string-flag", "", NULL, &details), OF_OK);
    of_details_clear(&details);
    assert_int_equal(of_static_client_object_details(client, "object-flag", NULL, NULL, &details), OF_OK);
    of_details_clear(&details);
    of_flag_value value = {.boolean = false};
    assert_int_equal(of_static_client_details(client, "bool-flag", OF_TYPE_BOOL, &value, NULL, &details),
                     OF_OK);
    of_details_clear(&details);
    assert_int_equal(of_static_client_bool_details(client, "missing", true, NULL, &details),
                     OF_ERROR_FLAG_NOT_FOUND);
    assert_true(details.value.boolean);
    of_details_clear(&details);
}

static void the_global_context_reaches_resolvers_and_the_providers_that_use_it(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_PLAIN);
    (void)of_static_api_set_provider_and_wait(api, "other", other->provider, PATIENCE_MS);
    assert_int_equal(set_context(NULL, "ada"), OF_OK);
    assert_int_equal(atomic_load(&probe->contexts), 1);
    assert_int_equal(atomic_load(&other->contexts), 1);
    assert_int_equal(of_context_count(probe->before), 0);
    assert_string_equal(of_context_targeting_key(probe->now), "ada");
    (void)of_static_client_get_bool(client, "bool-flag", false, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "ada");
    assert_int_equal(set_context(NULL, "grace"), OF_OK);
    assert_string_equal(of_context_targeting_key(probe->before), "ada");
    assert_string_equal(of_context_targeting_key(probe->now), "grace");
    of_static_api_shutdown(api);
    probe_free(other);
}

static void the_same_context_set_again_is_told_again(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    (void)of_static_api_set_context_and_wait(api, NULL, context, PATIENCE_MS);
    (void)of_static_api_set_context_and_wait(api, NULL, context, PATIENCE_MS);
    assert_int_equal(atomic_load(&probe->contexts), 2);
    of_context_unref(context);
}

static void a_domains_context_concerns_its_own_provider_only_and_can_be_removed(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_PLAIN);
    of_static_client *of_other = of_static_api_client(api, "other");
    (void)of_static_api_set_provider_and_wait(api, "other", other->provider, PATIENCE_MS);
    assert_int_equal(set_context(NULL, "global"), OF_OK);
    assert_int_equal(set_context("other", "own"), OF_OK);
    assert_int_equal(atomic_load(&probe->contexts), 1);
    assert_int_equal(atomic_load(&other->contexts), 2);
    (void)of_static_client_get_bool(of_other, "bool-flag", false, NULL);
    assert_string_equal(of_context_targeting_key(other->seen), "own");
    assert_int_equal(set_context(NULL, "global 2"), OF_OK);
    assert_int_equal(atomic_load(&other->contexts), 2);
    of_context *context = of_static_api_context(api, "other");
    assert_string_equal(of_context_targeting_key(context), "own");
    of_context_unref(context);
    assert_int_equal(of_static_api_set_context_and_wait(api, "other", NULL, PATIENCE_MS), OF_OK);
    assert_int_equal(atomic_load(&other->contexts), 3);
    assert_string_equal(of_context_targeting_key(other->now), "global 2");
    (void)of_static_client_get_bool(of_other, "bool-flag", false, NULL);
    assert_string_equal(of_context_targeting_key(other->seen), "global 2");
    of_static_client_unref(of_other);
    of_static_api_shutdown(api);
    probe_free(other);
}

static void the_status_is_reconciling_while_the_provider_reconciles(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    probe->reconciling = true;
    gate_close(&probe->context_gate);
    (void)of_static_client_on(client, OF_EVENT_RECONCILING, box_handler, &box, NULL);
    (void)of_static_client_on(client, OF_EVENT_CONTEXT_CHANGED, box_handler, &box, NULL);
    assert_int_equal(of_static_api_set_context(api, NULL, context), OF_OK);
    gate_await(&probe->context_gate);
    assert_int_equal(of_static_client_status(client), OF_STATUS_RECONCILING);
    box_await(&box, 1);
    assert_int_equal(box.seen[0].type, OF_EVENT_RECONCILING);
    gate_open(&probe->context_gate);
    box_await(&box, 2);
    assert_int_equal(box.seen[1].type, OF_EVENT_CONTEXT_CHANGED);
    assert_int_equal(of_static_client_status(client), OF_STATUS_READY);
    of_context_unref(context);
}

static void a_failed_reconciliation_runs_error_handlers(void **state)
{
    (void)state;
    probe->context_result = OF_ERROR_GENERAL;
    (void)of_static_api_on(api, OF_EVENT_ERROR, box_handler, &box, NULL);
    (void)set_context(NULL, "ada");
    box_await(&box, 1);
    assert_string_equal(box.seen[0].message, "cannot reconcile");
    assert_int_equal(of_static_client_status(client), OF_STATUS_ERROR);
}

static void of_contexts_in_quick_succession_only_the_last_one_ends_the_reconciling(void **state)
{
    (void)state;
    enum { CHANGES = 5 };
    char subject[16];
    probe->reconciling = true;
    gate_close(&probe->context_gate);
    (void)of_static_api_on(api, OF_EVENT_CONTEXT_CHANGED, box_handler, &box, NULL);
    for (int i = 0; i < CHANGES; i++) {
        (void)snprintf(subject, sizeof subject, "user-%d", i);
        of_context *context = of_context_new(subject);
        assert_int_equal(of_static_api_set_context(api, NULL, context), OF_OK);
        of_context_unref(context);
        if (i == 0)
            gate_await(&probe->context_gate);
    }
    gate_open(&probe->context_gate);
    assert_int_equal(set_context("nowhere", "x"), OF_OK); /* waits until nobody reconciles */
    box_await(&box, 1);
    assert_int_equal(atomic_load(&probe->contexts), 2);
    assert_string_equal(of_context_targeting_key(probe->now), "user-4");
    assert_string_equal(of_context_targeting_key(probe->before), "user-0");
    assert_int_equal(box_count(&box), 1);
    assert_int_equal(of_static_client_status(client), OF_STATUS_READY);
}

static void waiting_for_a_context_gives_up_after_its_time(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    gate_close(&probe->context_gate);
    assert_int_equal(of_static_api_set_context_and_wait(api, NULL, context, 1), OF_ERROR_TIMED_OUT);
    gate_open(&probe->context_gate);
    of_context_unref(context);
}

static void a_provider_without_reconciliation_just_gets_the_new_context_and_handlers_hear_of_it(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_NO_CONTEXT);
    (void)of_static_api_set_provider_and_wait(api, NULL, other->provider, PATIENCE_MS);
    (void)of_static_client_on(client, OF_EVENT_CONTEXT_CHANGED, box_handler, &box, NULL);
    assert_int_equal(set_context(NULL, "ada"), OF_OK);
    box_await(&box, 1);
    assert_int_equal(box.seen[0].status, OF_STATUS_READY);
    assert_string_equal(box.seen[0].provider, "other");
    (void)of_static_client_get_bool(client, "bool-flag", false, NULL);
    assert_string_equal(of_context_targeting_key(other->seen), "ada");
    (void)of_provider_emit_error(other->provider, OF_ERROR_GENERAL, "unwell"); /* no new context heals that */
    assert_int_equal(set_context(NULL, "grace"), OF_OK);
    box_await(&box, 2);
    assert_int_equal(box.seen[1].status, OF_STATUS_ERROR);
    assert_int_equal(of_static_client_status(client), OF_STATUS_ERROR);
    of_static_api_shutdown(api);
    probe_free(other);
}

static void init_gets_the_context_of_its_domain(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_SCOPED);
    assert_int_equal(set_context(NULL, "global"), OF_OK);
    assert_int_equal(set_context("other", "own"), OF_OK);
    (void)of_static_api_set_provider_and_wait(api, "other", other->provider, PATIENCE_MS);
    assert_string_equal(of_context_targeting_key(other->init_context), "own");
    assert_string_equal(other->domain, "other");
    of_static_api_shutdown(api);
    probe_free(other);
}

static bool context_offered;

static of_error look(void *self, of_hook_context *hook_context, const of_value *hints, of_context **context)
{
    (void)self;
    (void)hints;
    context_offered = context != NULL;
    return of_context_targeting_key(of_hook_context_context(hook_context)) == NULL ? OF_OK : OF_ERROR_GENERAL;
}

static void a_before_hook_can_return_no_context(void **state)
{
    (void)state;
    of_hook_methods methods = {.size = sizeof methods, .before = look};
    of_hook *hook = of_hook_new(&methods, NULL);
    context_offered = true;
    assert_int_equal(of_static_client_add_hook(client, hook), OF_OK);
    assert_int_equal(of_static_api_add_hook(api, hook), OF_OK);
    assert_true(of_static_client_get_bool(client, "bool-flag", false, NULL));
    assert_false(context_offered);
    of_hook_unref(hook);
}

static void a_tracked_event_carries_the_context_of_the_api(void **state)
{
    (void)state;
    (void)set_context(NULL, "ada");
    of_tracking details = {.has_value = true, .value = 1};
    of_static_client_track(client, "visited", &details);
    assert_string_equal(probe->tracked, "visited");
    assert_string_equal(of_context_targeting_key(probe->seen), "ada");
}

static atomic_int finished;

static void done(void *user, const of_details *details)
{
    (void)user;
    atomic_fetch_add(&finished, details->value.boolean ? 1 : 100);
}

static void asynchronous_evaluation_and_handlers_work_as_in_the_dynamic_paradigm(void **state)
{
    (void)state;
    of_flag_value value = {.boolean = false};
    atomic_store(&finished, 0);
    assert_int_equal(
        of_static_client_evaluate_async(client, "bool-flag", OF_TYPE_BOOL, &value, NULL, done, NULL), OF_OK);
    await_count(&finished, 1);
    assert_int_equal(atomic_load(&finished), 1);
    uint64_t id = of_static_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    box_await(&box, 1);
    of_static_api_off(api, id);
    id = of_static_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    box_await(&box, 2);
    of_static_client_off(client, id);
}

static void shutdown_takes_away_contexts_and_providers(void **state)
{
    (void)state;
    (void)set_context(NULL, "ada");
    (void)set_context("other", "own");
    of_provider *provider = of_static_api_provider(api, NULL);
    assert_string_equal(of_provider_name(provider), "probe");
    of_provider_unref(provider);
    of_static_api_shutdown(api);
    assert_null(of_static_api_context(api, NULL));
    assert_null(of_static_api_context(api, "other"));
    assert_int_equal(of_static_client_status(client), OF_STATUS_NOT_READY);
    assert_null(of_static_client_domain(client));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(each_type_of_flag_gives_its_value_without_a_context_argument),
        TEST(details_come_without_a_context_argument),
        TEST(the_global_context_reaches_resolvers_and_the_providers_that_use_it),
        TEST(the_same_context_set_again_is_told_again),
        TEST(a_domains_context_concerns_its_own_provider_only_and_can_be_removed),
        TEST(the_status_is_reconciling_while_the_provider_reconciles),
        TEST(a_failed_reconciliation_runs_error_handlers),
        TEST(of_contexts_in_quick_succession_only_the_last_one_ends_the_reconciling),
        TEST(waiting_for_a_context_gives_up_after_its_time),
        TEST(a_provider_without_reconciliation_just_gets_the_new_context_and_handlers_hear_of_it),
        TEST(init_gets_the_context_of_its_domain),
        TEST(a_before_hook_can_return_no_context),
        TEST(a_tracked_event_carries_the_context_of_the_api),
        TEST(asynchronous_evaluation_and_handlers_work_as_in_the_dynamic_paradigm),
        TEST(shutdown_takes_away_contexts_and_providers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The API object: providers, domains, clients, shutdown, status, isolation (1.1, 1.2, 1.6 to 1.8). */
#include "support.h"

static of_api *api;

static int setup(void **state)
{
    (void)state;
    api = of_api_new();
    return api == NULL;
}

static int teardown(void **state)
{
    (void)state;
    of_api_unref(api);
    return 0;
}

static void the_global_api_is_one_object(void **state)
{
    (void)state;
    assert_non_null(of_api_global());
    assert_ptr_equal(of_api_global(), of_api_global());
    assert_ptr_not_equal((void *)of_api_global(), (void *)of_static_api_global());
}

static void a_provider_can_be_set_as_the_default(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_OK);
    await_status(client, OF_STATUS_READY);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void init_is_called_before_any_resolver_and_gets_context_and_domain(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_context *context = of_context_new("global");
    of_client *client = of_api_client(api, "billing");
    assert_int_equal(of_api_set_context(api, context), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", probe->provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_true(probe->init_order < probe->resolve_order);
    assert_string_equal(probe->domain, "billing");
    assert_string_equal(of_context_targeting_key(probe->init_context), "global");
    of_context_unref(context);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void no_resolver_runs_before_init_was_entered(void **state)
{
    (void)state;
    struct probe *probe = probe_new("slow", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    of_details details;
    gate_close(&probe->init_gate);
    for (int i = 0; i < 2; i++) { /* also where it is started anew */
        assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_OK);
        assert_false(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
        assert_int_equal(of_client_get_int(client, "int-flag", 1, NULL, NULL), 1);
        assert_int_equal(of_client_bool_details(client, "bool-flag", false, NULL, NULL, &details),
                         OF_ERROR_PROVIDER_NOT_READY);
        of_details_clear(&details);
        assert_int_equal(atomic_load(&probe->resolves), i);
        gate_open(&probe->init_gate);
        await_status(client, OF_STATUS_READY);
        assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
        gate_close(&probe->init_gate);
        of_api_shutdown(api);
    }
    of_client_unref(client);
    probe_free(probe);
}

/* One that says nothing at all is heard of by init's return. */
static void a_provider_without_a_word_is_asked_once_init_has_returned(void **state)
{
    (void)state;
    struct probe *probe = probe_new("mute", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    probe->silent = true;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_provider_that_is_active_already_is_not_initialised_again(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "b", probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(atomic_load(&probe->inits), 1);
    of_api_shutdown(api);
    assert_int_equal(atomic_load(&probe->shutdowns), 1);
    probe_free(probe);
}

static void a_replaced_provider_is_shut_down_once_it_serves_no_domain(void **state)
{
    (void)state;
    struct probe *first = probe_new("first", PROBE_PLAIN), *second = probe_new("second", PROBE_PLAIN);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", first->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "b", first->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", second->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(atomic_load(&first->shutdowns), 0);
    assert_int_equal(of_api_set_provider_and_wait(api, "b", second->provider, PATIENCE_MS), OF_OK);
    await_count(&first->shutdowns, 1);
    of_api_shutdown(api);
    probe_free(first);
    probe_free(second);
}

static void *evaluate_once(void *argument)
{
    of_client *client = argument;
    return of_client_get_bool(client, "bool-flag", false, NULL, NULL) ? client : NULL;
}

static void a_replaced_provider_is_shut_down_when_no_evaluation_is_inside(void **state)
{
    (void)state;
    struct probe *first = probe_new("first", PROBE_PLAIN), *second = probe_new("second", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    pthread_t thread;
    void *result = NULL;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, first->provider, PATIENCE_MS), OF_OK);
    gate_close(&first->resolve_gate);
    assert_int_equal(pthread_create(&thread, NULL, evaluate_once, client), 0);
    gate_await(&first->resolve_gate);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, second->provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(atomic_load(&second->resolves), 1);
    assert_int_equal(atomic_load(&first->shutdowns), 0);
    gate_open(&first->resolve_gate);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, client);
    await_count(&first->shutdowns, 1);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(first);
    probe_free(second);
}

static void set_and_wait_returns_when_init_has_ended_and_its_event_counts(void **state)
{
    (void)state;
    struct probe *good = probe_new("good", PROBE_PLAIN), *bad = probe_new("bad", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    bad->init_result = OF_ERROR_PROVIDER_FATAL;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, good->provider, -1), OF_OK);
    assert_int_equal(of_client_status(client), OF_STATUS_READY);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, bad->provider, PATIENCE_MS),
                     OF_ERROR_PROVIDER_FATAL);
    assert_int_equal(of_client_status(client), OF_STATUS_FATAL);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(good);
    probe_free(bad);
}

static void set_and_wait_gives_up_after_its_time_and_the_provider_goes_on(void **state)
{
    (void)state;
    struct probe *probe = probe_new("slow", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    gate_close(&probe->init_gate);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, 1), OF_ERROR_TIMED_OUT);
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    gate_open(&probe->init_gate);
    await_status(client, OF_STATUS_READY);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_domain_has_its_own_provider_and_a_new_binding_overwrites_the_old(void **state)
{
    (void)state;
    struct probe *one = probe_new("one", PROBE_PLAIN), *two = probe_new("two", PROBE_PLAIN);
    struct probe *three = probe_new("three", PROBE_PLAIN);
    of_client *client = of_api_client(api, "billing"), *other = of_api_client(api, "search");
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, one->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", two->provider, PATIENCE_MS), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    (void)of_client_get_bool(other, "bool-flag", false, NULL, NULL);
    assert_int_equal(atomic_load(&two->resolves), 1);
    assert_int_equal(atomic_load(&one->resolves), 1);
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", three->provider, PATIENCE_MS), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(atomic_load(&three->resolves), 1);
    assert_int_equal(of_api_set_provider(api, "billing", NULL), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(atomic_load(&one->resolves), 2);
    of_client_unref(client);
    of_client_unref(other);
    of_api_shutdown(api);
    probe_free(one);
    probe_free(two);
    probe_free(three);
}

static void the_metadata_of_the_provider_of_a_domain_can_be_had(void **state)
{
    (void)state;
    struct probe *one = probe_new("one", PROBE_PLAIN), *two = probe_new("two", PROBE_PLAIN);
    of_provider *provider = of_api_provider(api, NULL);
    assert_string_equal(of_provider_name(provider), "No-op Provider");
    of_provider_unref(provider);
    (void)of_api_set_provider_and_wait(api, NULL, one->provider, PATIENCE_MS);
    (void)of_api_set_provider_and_wait(api, "billing", two->provider, PATIENCE_MS);
    provider = of_api_provider(api, "billing");
    assert_string_equal(of_provider_name(provider), "two");
    of_provider_unref(provider);
    provider = of_api_provider(api, "unknown");
    assert_string_equal(of_provider_name(provider), "one");
    of_provider_unref(provider);
    of_api_shutdown(api);
    probe_free(one);
    probe_free(two);
}

static void a_client_knows_its_domain(void **state)
{
    (void)state;
    char domain[] = "billing";
    of_client *client = of_api_client(api, domain), *plain = of_api_client(api, NULL);
    domain[0] = 'X';
    assert_string_equal(of_client_domain(client), "billing");
    assert_null(of_client_domain(plain));
    of_client_unref(client);
    of_client_unref(plain);
}

static void making_a_client_never_fails(void **state)
{
    (void)state;
    of_client *client = of_api_client(NULL, "x");
    assert_non_null(client);
    assert_true(of_client_get_bool(client, "bool-flag", true, NULL, NULL));
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    assert_int_equal(of_client_on(client, OF_EVENT_READY, box_handler, NULL, NULL), 0);
    of_client_unref(client);
}

static void a_domain_scoped_provider_is_refused_for_a_second_domain(void **state)
{
    (void)state;
    struct probe *probe = probe_new("scoped", PROBE_SCOPED);
    of_client *client = of_api_client(api, "a");
    assert_int_equal(of_api_set_provider_and_wait(api, "a", probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "b", probe->provider, PATIENCE_MS),
                     OF_ERROR_ALREADY_BOUND);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS),
                     OF_ERROR_ALREADY_BOUND);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", probe->provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void shutdown_reaches_all_providers_whatever_their_state(void **state)
{
    (void)state;
    struct probe *ready = probe_new("ready", PROBE_PLAIN), *failed = probe_new("failed", PROBE_PLAIN);
    struct probe *plain = probe_new("plain", PROBE_NO_INIT);
    failed->init_result = OF_ERROR_GENERAL;
    (void)of_api_set_provider_and_wait(api, NULL, ready->provider, PATIENCE_MS);
    (void)of_api_set_provider_and_wait(api, "a", failed->provider, PATIENCE_MS);
    (void)of_api_set_provider_and_wait(api, "b", plain->provider, PATIENCE_MS);
    of_api_shutdown(api);
    assert_int_equal(atomic_load(&ready->shutdowns), 1);
    assert_int_equal(atomic_load(&failed->shutdowns), 1);
    assert_int_equal(atomic_load(&plain->shutdowns), 1);
    probe_free(ready);
    probe_free(failed);
    probe_free(plain);
}

static of_error count_before(void *self, of_hook_context *hook_context, const of_value *hints,
                             of_context **context)
{
    (void)hook_context;
    (void)hints;
    (void)context;
    atomic_fetch_add((atomic_int *)self, 1);
    return OF_OK;
}

static void shutdown_takes_away_hooks_handlers_contexts_propagator_and_providers(void **state)
{
    (void)state;
    atomic_int hooked = 0;
    of_hook_methods methods = {.size = sizeof methods, .before = count_before};
    of_hook *hook = of_hook_new(&methods, &hooked);
    of_context *context = of_context_new("global");
    of_propagator *propagator = of_propagator_new_thread_local();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    static struct box box;
    box_init(&box);
    assert_int_equal(of_api_add_hook(api, hook), OF_OK);
    assert_int_equal(of_api_set_context(api, context), OF_OK);
    assert_int_equal(of_api_set_propagator(api, propagator), OF_OK);
    assert_int_equal(of_api_set_transaction_context(api, context), OF_OK);
    assert_int_not_equal(of_api_on(api, OF_EVENT_READY, box_handler, &box, box_destroyed), 0);
    of_client *client = of_api_client(api, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    box_await(&box, 1);
    of_api_shutdown(api);

    assert_int_equal(atomic_load(&box.destroyed), 1);
    assert_true(of_client_get_bool(client, "bool-flag", true, NULL, NULL));
    assert_int_equal(atomic_load(&hooked), 0);
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    assert_int_equal(atomic_load(&probe->inits), 2);
    assert_int_equal(of_context_count(probe->init_context), 0);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(of_context_count(probe->seen), 0);
    assert_int_equal(box_count(&box), 1);

    of_client_unref(client);
    of_api_shutdown(api);
    of_hook_unref(hook);
    of_context_unref(context);
    of_propagator_unref(propagator);
    probe_free(probe);
}

static void the_status_is_not_ready_once_shutdown_has_ended(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_READY);
    of_api_shutdown(api);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    probe_free(probe);
}

static void a_provider_cannot_be_registered_with_two_apis_at_once(void **state)
{
    (void)state;
    of_api *other = of_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(other, NULL, probe->provider, PATIENCE_MS),
                     OF_ERROR_OTHER_API);
    of_api_shutdown(api);
    assert_int_equal(of_api_set_provider_and_wait(other, NULL, probe->provider, PATIENCE_MS), OF_OK);
    of_api_unref(other);
    probe_free(probe);
}

static void isolated_apis_share_nothing(void **state)
{
    (void)state;
    of_api *other = of_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *here = of_api_client(api, NULL), *there = of_api_client(other, NULL);
    of_client *global = of_api_client(of_api_global(), NULL);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    assert_true(of_client_get_bool(here, "bool-flag", false, NULL, NULL));
    assert_false(of_client_get_bool(there, "bool-flag", false, NULL, NULL));
    assert_false(of_client_get_bool(global, "bool-flag", false, NULL, NULL));
    of_client_unref(here);
    of_client_unref(there);
    of_client_unref(global);
    of_api_unref(other);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_client_outlives_its_isolated_api_and_gives_default_values(void **state)
{
    (void)state;
    of_api *other = of_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(other, "d");
    (void)of_api_set_provider_and_wait(other, "d", probe->provider, PATIENCE_MS);
    of_api_unref(other);
    assert_false(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    probe_free(probe);
}

static void without_a_provider_the_default_value_comes_with_reason_default(void **state)
{
    (void)state;
    of_client *client = of_api_client(api, NULL);
    of_details details;
    assert_int_equal(of_client_int_details(client, "any", 7, NULL, NULL, &details), OF_OK);
    assert_int_equal(details.value.integer, 7);
    assert_string_equal(details.reason, OF_REASON_DEFAULT);
    of_details_clear(&details);
    of_client_unref(client);
}

static void an_init_that_is_running_at_shutdown_is_shut_down_again_at_its_end(void **state)
{
    (void)state;
    struct probe *probe = probe_new("slow", PROBE_PLAIN);
    gate_close(&probe->init_gate);
    assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_OK);
    gate_await(&probe->init_gate);
    of_api_shutdown(api);
    int before = atomic_load(&probe->shutdowns); /* 1, or more: it is told again from time to time */
    gate_open(&probe->init_gate);
    await_count(&probe->shutdowns, before + 1);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    probe_free(probe);
}

struct swap {
    of_provider *own, *other;
    of_error error;
};

static of_error swap_and_swap_back(void *self, of_hook_context *hook_context, const of_value *hints,
                                   of_context **context)
{
    struct swap *swap = self;
    (void)hook_context;
    (void)hints;
    (void)context;
    (void)of_api_set_provider(api, NULL, swap->other);
    swap->error = of_api_set_provider(api, NULL, swap->own);
    return OF_OK;
}

static void a_provider_that_waits_for_an_evaluation_cannot_be_set_again_inside_of_it(void **state)
{
    (void)state;
    struct probe *own = probe_new("own", PROBE_PLAIN), *other = probe_new("other", PROBE_PLAIN);
    struct swap swap = {own->provider, other->provider, OF_OK};
    of_hook_methods methods = {.size = sizeof methods, .before = swap_and_swap_back};
    of_hook *hook = of_hook_new(&methods, &swap);
    of_options options = {sizeof options, &hook, 1, NULL};
    of_client *client = of_api_client(api, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, own->provider, PATIENCE_MS);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, &options));
    assert_int_equal(swap.error, OF_ERROR_BUSY);
    assert_int_equal(atomic_load(&own->resolves), 1);
    await_count(&own->shutdowns, 1);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, own->provider, PATIENCE_MS), OF_OK);
    of_hook_unref(hook);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(own);
    probe_free(other);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(the_global_api_is_one_object),
        TEST(a_provider_can_be_set_as_the_default),
        TEST(init_is_called_before_any_resolver_and_gets_context_and_domain),
        TEST(no_resolver_runs_before_init_was_entered),
        TEST(a_provider_without_a_word_is_asked_once_init_has_returned),
        TEST(a_provider_that_is_active_already_is_not_initialised_again),
        TEST(a_replaced_provider_is_shut_down_once_it_serves_no_domain),
        TEST(a_replaced_provider_is_shut_down_when_no_evaluation_is_inside),
        TEST(set_and_wait_returns_when_init_has_ended_and_its_event_counts),
        TEST(set_and_wait_gives_up_after_its_time_and_the_provider_goes_on),
        TEST(a_domain_has_its_own_provider_and_a_new_binding_overwrites_the_old),
        TEST(the_metadata_of_the_provider_of_a_domain_can_be_had),
        TEST(a_client_knows_its_domain),
        TEST(making_a_client_never_fails),
        TEST(a_domain_scoped_provider_is_refused_for_a_second_domain),
        TEST(shutdown_reaches_all_providers_whatever_their_state),
        TEST(shutdown_takes_away_hooks_handlers_contexts_propagator_and_providers),
        TEST(the_status_is_not_ready_once_shutdown_has_ended),
        TEST(a_provider_cannot_be_registered_with_two_apis_at_once),
        TEST(isolated_apis_share_nothing),
        TEST(a_client_outlives_its_isolated_api_and_gives_default_values),
        TEST(without_a_provider_the_default_value_comes_with_reason_default),
        TEST(a_provider_that_waits_for_an_evaluation_cannot_be_set_again_inside_of_it),
        TEST(an_init_that_is_running_at_shutdown_is_shut_down_again_at_its_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

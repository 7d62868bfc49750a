/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-provider's status where those inside are in different ones, and its end from inside. */
#include "support.h"

#include <openfeature/providers/multi.h>

static of_static_api *api;
static struct probe *one, *two; /* the first has no part in changes of the context */
static of_provider *multi;
static of_context *ada;
static struct box box;

static int setup(void **state)
{
    (void)state;
    api = of_static_api_new();
    one = probe_new("one", PROBE_NO_CONTEXT);
    two = probe_new("two", PROBE_PLAIN);
    ada = of_context_new("ada");
    box_init(&box);
    const of_multi_entry entries[] = {{one->provider, NULL}, {two->provider, NULL}};
    multi = of_multi_provider_new(entries, 2, NULL, NULL);
    return multi == NULL;
}

static int teardown(void **state)
{
    (void)state;
    of_static_api_unref(api);
    of_provider_unref(multi);
    of_context_unref(ada);
    probe_free(one);
    probe_free(two);
    return 0;
}

static void start(void)
{
    assert_int_equal(of_static_api_set_provider_and_wait(api, NULL, multi, PATIENCE_MS), OF_OK);
}

static void listen_to(of_event_type type)
{
    assert_true(of_static_api_on(api, type, box_handler, &box, NULL) != 0);
}

static void change_context(void)
{
    assert_int_equal(of_static_api_set_context_and_wait(api, NULL, ada, PATIENCE_MS), OF_OK);
}

static void what_is_fatal_stays_fatal_when_another_one_cannot_take_a_context(void **state)
{
    (void)state;
    start();
    (void)of_provider_emit_error(one->provider, OF_ERROR_PROVIDER_FATAL, "gone");
    listen_to(OF_EVENT_ERROR); /* hears that it is in error */
    box_await(&box, 1);
    two->context_result = OF_ERROR_GENERAL;
    change_context();
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_FATAL);
    box_await(&box, 2);
    assert_int_equal(box.seen[1].error, OF_ERROR_PROVIDER_FATAL);
    assert_string_equal(box.seen[1].message, "cannot reconcile");
    two->context_result = OF_OK;
    change_context();
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_FATAL);
    of_provider_emit_ready(one->provider);
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_READY);
}

static void reconciling_is_told_though_another_one_is_in_error(void **state)
{
    (void)state;
    of_static_client *client = of_static_api_client(api, NULL);
    start();
    (void)of_provider_emit_error(one->provider, OF_ERROR_GENERAL, "lost");
    assert_int_equal(of_static_client_status(client), OF_STATUS_ERROR);
    listen_to(OF_EVENT_RECONCILING);
    listen_to(OF_EVENT_ERROR); /* hears that it is in error */
    box_await(&box, 1);
    two->reconciling = true;
    gate_close(&two->context_gate);
    assert_int_equal(of_static_api_set_context(api, NULL, ada), OF_OK);
    box_await(&box, 2);
    assert_int_equal(box.seen[1].type, OF_EVENT_RECONCILING);
    assert_int_equal(of_static_client_status(client), OF_STATUS_RECONCILING);
    gate_open(&two->context_gate);
    box_await(&box, 3);
    assert_string_equal(box.seen[2].message, "lost"); /* the other one still is */
    assert_int_equal(of_static_client_status(client), OF_STATUS_ERROR);
    of_provider_emit_ready(one->provider);
    assert_int_equal(of_static_client_status(client), OF_STATUS_READY);
    of_static_client_unref(client);
}

static void what_happens_to_others_meanwhile_is_told_when_the_context_has_changed(void **state)
{
    (void)state;
    of_provider_event stale = OF_PROVIDER_EVENT(OF_EVENT_STALE);
    start();
    listen_to(OF_EVENT_RECONCILING);
    listen_to(OF_EVENT_CONTEXT_CHANGED);
    listen_to(OF_EVENT_STALE);
    two->reconciling = true;
    gate_close(&two->context_gate);
    assert_int_equal(of_static_api_set_context(api, NULL, ada), OF_OK);
    gate_await(&two->context_gate);
    box_await(&box, 1);
    of_provider_emit(one->provider, &stale);
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_RECONCILING);
    gate_open(&two->context_gate);
    box_await(&box, 3);
    assert_int_equal(box.seen[0].type, OF_EVENT_RECONCILING);
    assert_int_equal(box.seen[1].type, OF_EVENT_CONTEXT_CHANGED);
    assert_int_equal(box.seen[2].type, OF_EVENT_STALE);
    assert_int_equal(of_provider_get_status(multi), OF_STATUS_STALE);
}

/* --- the end, from a thread of a provider inside ------------------------------------------------------ */

/* It ends its thread when it is shut down, but where it is called on that thread: then it only tells it. */
static struct {
    pthread_t thread;
    struct gate gate;
    atomic_int ended, shutdowns, threads;
    bool started;
} own;

static void *own_thread(void *argument)
{
    (void)argument;
    gate_pass(&own.gate);
    of_static_api_shutdown(api); /* as a callback of the program's does */
    atomic_fetch_add(&own.ended, 1);
    return NULL;
}

static of_error own_init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    (void)self, (void)context, (void)domain;
    own.started = pthread_create(&own.thread, NULL, own_thread, NULL) == 0;
    of_provider_emit_ready(provider);
    return OF_OK;
}

static void own_shutdown(void *self)
{
    (void)self;
    atomic_fetch_add(&own.shutdowns, 1);
    if (own.started && !pthread_equal(own.thread, pthread_self())) {
        (void)pthread_join(own.thread, NULL);
        own.started = false;
    }
}

static void a_callback_of_one_inside_may_shut_the_api_down(void **state)
{
    (void)state;
    const of_provider_methods methods = {
        .size = sizeof methods, .name = "own", .init = own_init, .shutdown = own_shutdown};
    struct probe *beside = probe_new("beside", PROBE_PLAIN);
    of_provider *provider = of_provider_new(&methods, NULL);
    const of_multi_entry entries[] = {{provider, NULL}, {beside->provider, NULL}};
    of_provider *both = of_multi_provider_new(entries, 2, NULL, NULL);
    gate_init(&own.gate, true);
    assert_int_equal(of_static_api_set_provider_and_wait(api, NULL, both, PATIENCE_MS), OF_OK);
    gate_open(&own.gate);
    await_count(&own.ended, 1);
    assert_int_equal(atomic_load(&own.shutdowns), 1);
    assert_int_equal(atomic_load(&beside->shutdowns), 1);
    (void)pthread_join(own.thread, NULL);
    of_provider_unref(both);
    of_provider_unref(provider);
    probe_free(beside);
}

static void with_one_inside_that_is_domain_scoped_the_whole_is(void **state)
{
    (void)state;
    struct probe *scoped = probe_new("scoped", PROBE_SCOPED);
    const of_multi_entry entries[] = {{scoped->provider, NULL}};
    of_provider *whole = of_multi_provider_new(entries, 1, NULL, NULL);
    assert_int_equal(of_static_api_set_provider_and_wait(api, "a", whole, PATIENCE_MS), OF_OK);
    assert_int_equal(of_static_api_set_provider(api, "b", whole), OF_ERROR_ALREADY_BOUND);
    assert_int_equal(of_static_api_set_provider(api, "a", NULL), OF_OK);
    assert_int_equal(of_static_api_set_provider_and_wait(api, "b", whole, PATIENCE_MS), OF_OK);
    of_static_api_shutdown(api);
    of_provider_unref(whole);
    probe_free(scoped);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(what_is_fatal_stays_fatal_when_another_one_cannot_take_a_context),
        TEST(reconciling_is_told_though_another_one_is_in_error),
        TEST(what_happens_to_others_meanwhile_is_told_when_the_context_has_changed),
        TEST(with_one_inside_that_is_domain_scoped_the_whole_is),
        TEST(a_callback_of_one_inside_may_shut_the_api_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers that run while they are removed and their API is shut down, by several threads at once. */
#include "fixture.h"

#include <stdio.h>

static void *shut_down(void *argument)
{
    of_api_shutdown(argument);
    return NULL;
}

static void *remove_handler(void *argument)
{
    of_api_off(api, *(const uint64_t *)argument);
    return NULL;
}

/* Two threads at once, of which the first waits for a handler that runs: neither frees what it uses. */
static void end_twice(void *(*first)(void *argument), void *argument)
{
    pthread_t one, other;
    gate_init(&box.gate, true);
    sdk_start();
    uint64_t id = of_api_on(api, OF_EVENT_READY, box_handler, &box, box_destroyed);
    gate_await(&box.gate);
    assert_int_equal(pthread_create(&one, NULL, first, argument == NULL ? (void *)&id : argument), 0);
    assert_int_equal(pthread_create(&other, NULL, shut_down, api), 0);
    assert_int_equal(atomic_load(&box.destroyed), 0);
    gate_open(&box.gate);
    (void)pthread_join(one, NULL);
    (void)pthread_join(other, NULL);
    assert_int_equal(atomic_load(&box.destroyed), 1);
}

static void removing_beside_a_shutdown_waits_for_the_handler(void **state)
{
    (void)state;
    end_twice(remove_handler, NULL);
}

static void two_shutdowns_at_once_wait_for_the_handler(void **state)
{
    (void)state;
    end_twice(shut_down, api);
}

static void shut_down_inside(void *user, const of_event *event)
{
    box_handler(user, event);
    of_api_shutdown(api);
    gate_pass(&probe->context_gate);
    assert_int_equal(atomic_load(&box.destroyed), 0);
}

static void a_handler_may_shut_down_what_another_thread_shuts_down(void **state)
{
    (void)state;
    pthread_t thread;
    gate_init(&box.gate, true);
    gate_init(&probe->context_gate, true);
    sdk_start();
    (void)of_api_on(api, OF_EVENT_READY, shut_down_inside, &box, box_destroyed);
    gate_await(&box.gate);
    assert_int_equal(pthread_create(&thread, NULL, shut_down, api), 0);
    gate_open(&box.gate);
    gate_await(&probe->context_gate);
    assert_int_equal(atomic_load(&box.destroyed), 0);
    gate_open(&probe->context_gate);
    (void)pthread_join(thread, NULL);
    await_count(&box.destroyed, 1);
}

static struct {
    struct gate gate;
    of_client *there, *here;
    char domain[16];
    atomic_int ended, unrefs;
} two;

static void end_and_read_on(void *user, const of_event *event)
{
    (void)user;
    of_api_shutdown(api);
    gate_pass(&two.gate);
    (void)snprintf(two.domain, sizeof two.domain, "%s", event->domain);
    atomic_fetch_add(&two.ended, 1);
}

static void unref_there(void *user, const of_event *event)
{
    (void)user, (void)event;
    of_client_unref(two.there);
    atomic_fetch_add(&two.unrefs, 1);
}

/* After a shutdown from inside of a handler there is another thread for those that are added then. */
static void an_event_is_whole_though_its_client_goes_in_another_handler(void **state)
{
    (void)state;
    gate_init(&two.gate, true);
    two.there = of_api_client(api, "there");
    two.here = of_api_client(api, NULL);
    sdk_start();
    (void)of_client_on(two.there, OF_EVENT_READY, end_and_read_on, NULL, NULL);
    gate_await(&two.gate);
    sdk_start();
    (void)of_client_on(two.here, OF_EVENT_READY, unref_there, NULL, NULL);
    await_count(&two.unrefs, 1);
    gate_open(&two.gate);
    await_count(&two.ended, 1);
    assert_string_equal(two.domain, "there");
    of_client_unref(two.here);
}

enum { ROUNDS = 3000 };

static void *add_handlers(void *argument)
{
    for (int i = 0; i < ROUNDS; i++)
        (void)of_api_on(argument, OF_EVENT_READY, box_handler, &box, NULL);
    return NULL;
}

static void handlers_may_come_while_the_api_is_shut_down(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(pthread_create(&thread, NULL, add_handlers, api), 0);
    for (int i = 0; i < ROUNDS; i++)
        of_api_shutdown(api);
    (void)pthread_join(thread, NULL);
}

static void a_client_that_outlives_its_api_gets_no_handlers(void **state)
{
    (void)state;
    of_api *own = of_api_new();
    of_client *left = of_api_client(own, NULL);
    of_api_unref(own);
    assert_int_equal(of_client_on(left, OF_EVENT_READY, box_handler, &box, box_destroyed), 0);
    of_client_unref(left);
    assert_int_equal(atomic_load(&box.destroyed), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_EVENTS_TEST(removing_beside_a_shutdown_waits_for_the_handler),
        SDK_EVENTS_TEST(two_shutdowns_at_once_wait_for_the_handler),
        SDK_EVENTS_TEST(a_handler_may_shut_down_what_another_thread_shuts_down),
        SDK_EVENTS_TEST(an_event_is_whole_though_its_client_goes_in_another_handler),
        SDK_EVENTS_TEST(handlers_may_come_while_the_api_is_shut_down),
        SDK_EVENTS_TEST(a_client_that_outlives_its_api_gets_no_handlers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

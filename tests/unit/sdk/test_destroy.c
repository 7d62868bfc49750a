/* SPDX-License-Identifier: Apache-2.0 */
/* Where the program's own `destroy` functions run, and what they may do there. */
#include "fixture.h"

/* A hook whose end uses the API, as a program's may that counts or flushes something. */
struct mourner {
    of_client *client;
    pthread_mutex_t *taken; /* the end takes it */
    atomic_int ends;
    pthread_t ended_on;
};

static atomic_int hook_calls;

static of_error wait_inside(void *self, of_hook_context *hook_context, const of_value *hints,
                            of_context **context)
{
    (void)self, (void)hook_context, (void)hints, (void)context;
    if (atomic_fetch_add(&hook_calls, 1) == 0) /* nobody but the first */
        gate_pass(&probe->context_gate);
    return OF_OK;
}

static void mourn(void *self)
{
    struct mourner *mourner = self;
    const of_hook_methods methods = {.size = sizeof methods, .before = wait_inside};
    if (mourner->taken != NULL)
        (void)pthread_mutex_lock(mourner->taken);
    (void)of_client_get_bool(mourner->client, "bool-flag", false, NULL, NULL);
    of_hook *hook = of_hook_new(&methods, NULL);
    assert_int_equal(of_client_add_hook(mourner->client, hook), OF_OK); /* and retires settings again */
    of_hook_unref(hook);
    if (mourner->taken != NULL)
        (void)pthread_mutex_unlock(mourner->taken);
    mourner->ended_on = pthread_self();
    atomic_fetch_add(&mourner->ends, 1);
}

static void *evaluate(void *argument)
{
    (void)of_client_get_bool(argument, "bool-flag", false, NULL, NULL);
    return NULL;
}

static void free_nothing(of_retired *retired)
{
    (void)retired;
}

static void retire_something(struct probe *whose, pthread_mutex_t *lock)
{
    of_retired piece;
    (void)pthread_mutex_lock(lock); /* as a provider's own, under which it retires */
    of_provider_retire(whose->provider, &piece, free_nothing);
    (void)pthread_mutex_unlock(lock);
}

/* Shut down while an evaluation is inside of the hook: the hook ends with that evaluation, on its thread, and
 * not where some provider happens to retire something of its own, under whatever locks. */
static void a_hook_that_is_in_use_ends_with_the_last_evaluation_and_may_use_the_api(void **state)
{
    (void)state;
    pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
    pthread_t thread;
    struct mourner mourner = {.client = of_api_client(api, "elsewhere"), .taken = &lock};
    const of_hook_methods methods = {.size = sizeof methods, .before = wait_inside, .destroy = mourn};
    of_hook *hook = of_hook_new(&methods, &mourner);
    struct probe *other = probe_new("other", PROBE_PLAIN);
    atomic_store(&hook_calls, 0);
    assert_int_equal(of_api_add_hook(api, hook), OF_OK);
    of_hook_unref(hook);
    gate_close(&probe->context_gate);
    assert_int_equal(pthread_create(&thread, NULL, evaluate, client), 0);
    gate_await(&probe->context_gate);
    of_api_shutdown(api);
    assert_int_equal(atomic_load(&mourner.ends), 0);
    retire_something(other, &lock);
    gate_open(&probe->context_gate);
    retire_something(other, &lock);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&mourner.ends), 1);
    assert_true(pthread_equal(mourner.ended_on, thread));
    of_client_unref(mourner.client);
    probe_free(other);
}

static void a_hook_that_is_not_in_use_ends_where_it_is_taken_away_and_may_use_the_api(void **state)
{
    (void)state;
    struct mourner mourner = {.client = of_api_client(api, "elsewhere")};
    const of_hook_methods methods = {.size = sizeof methods, .before = wait_inside, .destroy = mourn};
    of_hook *hook = of_hook_new(&methods, &mourner);
    atomic_store(&hook_calls, 0);
    assert_int_equal(of_api_add_hook(api, hook), OF_OK);
    of_hook_unref(hook);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_api_shutdown(api);
    assert_int_equal(atomic_load(&mourner.ends), 1);
    of_client_unref(mourner.client);
}

/* The same for propagators, which may be in use as well. */
static of_error set_nothing(void *self, const of_context *context)
{
    (void)self, (void)context;
    return OF_OK;
}

static of_context *get_slowly(void *self)
{
    (void)self;
    gate_pass(&probe->context_gate);
    return NULL;
}

static void a_propagator_that_is_replaced_while_in_use_ends_with_the_last_evaluation(void **state)
{
    (void)state;
    pthread_t thread;
    struct mourner mourner = {.client = of_api_client(api, "elsewhere")};
    const of_propagator_methods methods = {
        .size = sizeof methods, .set = set_nothing, .get = get_slowly, .destroy = mourn};
    of_propagator *propagator = of_propagator_new(&methods, &mourner);
    assert_int_equal(of_api_set_propagator(api, propagator), OF_OK);
    of_propagator_unref(propagator);
    gate_close(&probe->context_gate);
    assert_int_equal(pthread_create(&thread, NULL, evaluate, client), 0);
    gate_await(&probe->context_gate);
    assert_int_equal(of_api_set_propagator(api, NULL), OF_OK);
    assert_int_equal(atomic_load(&mourner.ends), 0);
    gate_open(&probe->context_gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&mourner.ends), 1);
    assert_true(pthread_equal(mourner.ended_on, thread));
    of_client_unref(mourner.client);
}

static uint64_t mourned;

static void mourn_handler(void *self)
{
    of_api_off(api, mourned);
    mourned = of_api_on(api, OF_EVENT_STALE, box_handler, self, NULL);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
}

static void the_end_of_a_handler_may_add_and_remove_handlers(void **state)
{
    (void)state;
    box_init(&box);
    uint64_t id = of_api_on(api, OF_EVENT_ERROR, box_handler, &box, mourn_handler);
    of_api_off(api, id);
    assert_true(mourned != 0);
    of_api_off(api, mourned);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, sdk_setup, sdk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_hook_that_is_in_use_ends_with_the_last_evaluation_and_may_use_the_api),
        TEST(a_hook_that_is_not_in_use_ends_where_it_is_taken_away_and_may_use_the_api),
        TEST(a_propagator_that_is_replaced_while_in_use_ends_with_the_last_evaluation),
        TEST(the_end_of_a_handler_may_add_and_remove_handlers),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

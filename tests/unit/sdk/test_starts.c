/* SPDX-License-Identifier: Apache-2.0 */
/* Providers that are replaced or shut down while they start, and those who wait for the start. */
#include "support.h"

static of_api *api;
static struct probe *probe, *other;

static int setup(void **state)
{
    (void)state;
    api = of_api_new();
    probe = probe_new("probe", PROBE_PLAIN);
    other = probe_new("other", PROBE_PLAIN);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    of_api_unref(api);
    probe_free(probe);
    probe_free(other);
    return 0;
}

struct setting {
    pthread_t thread;
    const char *domain;
    of_error error;
    atomic_int returned;
};

static void *set_and_wait(void *argument)
{
    struct setting *setting = argument;
    setting->error = of_api_set_provider_and_wait(api, setting->domain, probe->provider, -1);
    atomic_fetch_add(&setting->returned, 1);
    return NULL;
}

/* Sets the probe, and comes back when its init has been entered, where it stays. */
static void begin(struct setting *setting)
{
    gate_close(&probe->init_gate);
    assert_int_equal(pthread_create(&setting->thread, NULL, set_and_wait, setting), 0);
    gate_await(&probe->init_gate);
}

static void end(struct setting *setting)
{
    gate_open(&probe->init_gate);
    (void)pthread_join(setting->thread, NULL);
}

static void who_waits_for_a_provider_that_is_replaced_hears_of_it_at_once(void **state)
{
    (void)state;
    struct setting setting = {.domain = "a"};
    begin(&setting);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", other->provider, PATIENCE_MS), OF_OK);
    await_count(&setting.returned, 1); /* though init still runs */
    assert_int_equal(setting.error, OF_ERROR_GENERAL);
    end(&setting);
}

static void who_waits_for_a_provider_that_is_taken_away_hears_of_it_at_once(void **state)
{
    (void)state;
    struct setting setting = {.domain = "a"};
    begin(&setting);
    assert_int_equal(of_api_set_provider(api, "a", NULL), OF_OK);
    await_count(&setting.returned, 1);
    assert_int_equal(setting.error, OF_ERROR_GENERAL);
    end(&setting);
}

static void who_waits_for_a_provider_that_is_shut_down_hears_of_it_at_once(void **state)
{
    (void)state;
    struct setting setting = {.domain = NULL};
    begin(&setting);
    of_api_shutdown(api);
    await_count(&setting.returned, 1);
    assert_int_equal(setting.error, OF_ERROR_GENERAL);
    end(&setting);
}

static void who_waits_for_a_provider_that_serves_another_domain_hears_how_it_starts(void **state)
{
    (void)state;
    struct setting setting = {.domain = "a"};
    begin(&setting);
    assert_int_equal(of_api_set_provider(api, "b", probe->provider), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "a", other->provider, PATIENCE_MS), OF_OK);
    probe->init_result = OF_ERROR_PARSE_ERROR;
    end(&setting);
    assert_int_equal(setting.error, OF_ERROR_PARSE_ERROR);
}

static void the_same_provider_waited_for_twice_tells_both(void **state)
{
    (void)state;
    struct setting one = {.domain = "a"}, two = {.domain = "b"};
    begin(&one);
    assert_int_equal(pthread_create(&two.thread, NULL, set_and_wait, &two), 0);
    assert_int_equal(of_api_set_provider_and_wait(api, "c", probe->provider, 1), OF_ERROR_TIMED_OUT);
    end(&one);
    (void)pthread_join(two.thread, NULL);
    assert_int_equal(one.error, OF_OK);
    assert_int_equal(two.error, OF_OK);
}

/* --- a shutdown that comes before init has begun to look ---------------------------------------------- */

/* As providers with a lock do it: what came before init has the lock is of an earlier life. */
static struct {
    struct gate before; /* init has been called, and has not taken the lock */
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closing;
    atomic_int shutdowns, ended;
} late;

static of_error late_init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    (void)self, (void)context, (void)domain;
    gate_pass(&late.before);
    (void)pthread_mutex_lock(&late.lock);
    late.closing = false;
    while (!late.closing)
        (void)pthread_cond_wait(&late.changed, &late.lock);
    (void)pthread_mutex_unlock(&late.lock);
    atomic_fetch_add(&late.ended, 1);
    return of_provider_emit_error(provider, OF_ERROR_GENERAL, "shut down");
}

static void late_shutdown(void *self)
{
    (void)self;
    (void)pthread_mutex_lock(&late.lock);
    late.closing = true;
    (void)pthread_cond_broadcast(&late.changed);
    (void)pthread_mutex_unlock(&late.lock);
    atomic_fetch_add(&late.shutdowns, 1);
}

static of_provider *late_provider(void)
{
    const of_provider_methods methods = {
        .size = sizeof methods, .name = "late", .init = late_init, .shutdown = late_shutdown};
    gate_init(&late.before, true);
    (void)pthread_mutex_init(&late.lock, NULL);
    (void)pthread_cond_init(&late.changed, NULL);
    atomic_store(&late.shutdowns, 0);
    atomic_store(&late.ended, 0);
    return of_provider_new(&methods, NULL);
}

static void a_shutdown_before_init_has_begun_to_look_ends_it_all_the_same(void **state)
{
    (void)state;
    of_provider *provider = late_provider();
    assert_int_equal(of_api_set_provider(api, NULL, provider), OF_OK);
    gate_await(&late.before);
    of_api_shutdown(api);
    assert_true(atomic_load(&late.shutdowns) >= 1);
    gate_open(&late.before);
    await_count(&late.ended, 1);
    of_provider_unref(provider);
}

static void being_replaced_before_init_has_begun_to_look_ends_it_all_the_same(void **state)
{
    (void)state;
    of_provider *provider = late_provider();
    assert_int_equal(of_api_set_provider(api, NULL, provider), OF_OK);
    gate_await(&late.before);
    assert_int_equal(of_api_set_provider(api, NULL, NULL), OF_OK);
    await_count(&late.shutdowns, 1);
    gate_open(&late.before);
    await_count(&late.ended, 1);
    of_provider_unref(provider);
}

/* --- one that is being closed ------------------------------------------------------------------------- */

static void nothing(void *user, of_provider *provider, const of_provider_event *event)
{
    (void)user, (void)provider, (void)event;
}

static void *open_gate(void *gate)
{
    gate_await(gate);
    gate_open(gate);
    return NULL;
}

static void a_wrapper_waits_for_the_end_of_the_shutdown_before_it(void **state)
{
    (void)state;
    pthread_t thread;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    gate_close(&probe->shutdown_gate);
    assert_int_equal(of_api_set_provider(api, NULL, NULL), OF_OK);
    assert_int_equal(pthread_create(&thread, NULL, open_gate, &probe->shutdown_gate), 0);
    assert_int_equal(of_provider_adopt(probe->provider, nothing, NULL), OF_OK);
    assert_int_equal(atomic_load(&probe->shutdowns), 1);
    (void)pthread_join(thread, NULL);
    of_provider_release(probe->provider);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(who_waits_for_a_provider_that_is_replaced_hears_of_it_at_once),
        TEST(who_waits_for_a_provider_that_is_taken_away_hears_of_it_at_once),
        TEST(who_waits_for_a_provider_that_is_shut_down_hears_of_it_at_once),
        TEST(who_waits_for_a_provider_that_serves_another_domain_hears_how_it_starts),
        TEST(the_same_provider_waited_for_twice_tells_both),
        TEST(a_shutdown_before_init_has_begun_to_look_ends_it_all_the_same),
        TEST(being_replaced_before_init_has_begun_to_look_ends_it_all_the_same),
        TEST(a_wrapper_waits_for_the_end_of_the_shutdown_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

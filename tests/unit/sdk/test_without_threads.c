/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A system that starts no more threads. This program has a pthread_create() of its own, which fails when it
 * is told to; so it is not built with sanitizers, which have theirs.
 */
#include <dlfcn.h>
#include <errno.h>
#include <sys/wait.h>
#include <unistd.h>

#include "support.h"

static bool none_left;

__attribute__((visibility("default"))) int pthread_create(pthread_t *thread, const pthread_attr_t *attributes,
                                                          void *(*run)(void *), void *argument)
{
    static int (*create)(pthread_t *, const pthread_attr_t *, void *(*)(void *), void *);
    if (none_left)
        return EAGAIN;
    if (create == NULL) {
        void *found = dlsym(RTLD_NEXT, "pthread_create");
        memcpy(&create, &found, sizeof create);
    }
    return create(thread, attributes, run, argument);
}

static of_api *api;

static int setup(void **state)
{
    (void)state;
    none_left = false;
    api = of_api_new();
    return api == NULL;
}

static int teardown(void **state)
{
    (void)state;
    of_api_unref(api);
    none_left = false;
    return 0;
}

static void setting_a_provider_fails_and_changes_nothing(void **state)
{
    (void)state;
    struct probe *one = probe_new("one", PROBE_PLAIN), *two = probe_new("two", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, one->provider, PATIENCE_MS), OF_OK);
    none_left = true;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, two->provider, PATIENCE_MS), OF_ERROR_NO_THREAD);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(atomic_load(&one->resolves), 1);
    assert_int_equal(atomic_load(&one->shutdowns) + atomic_load(&two->inits), 0);
    none_left = false;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, two->provider, PATIENCE_MS), OF_OK);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(one);
    probe_free(two);
}

static void a_provider_without_init_can_be_set_and_the_old_one_is_shut_down_at_once(void **state)
{
    (void)state;
    struct probe *one = probe_new("one", PROBE_NO_INIT), *two = probe_new("two", PROBE_NO_INIT);
    none_left = true;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, one->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, two->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(atomic_load(&one->shutdowns), 1);
    of_api_shutdown(api);
    assert_int_equal(atomic_load(&two->shutdowns), 1);
    probe_free(one);
    probe_free(two);
}

static void a_handler_is_refused(void **state)
{
    (void)state;
    static struct box box;
    box_init(&box);
    none_left = true;
    assert_int_equal(of_api_on(api, OF_EVENT_READY, box_handler, &box, box_destroyed), 0);
    assert_int_equal(atomic_load(&box.destroyed), 0);
}

static void never(void *user, const of_details *details)
{
    (void)details;
    *(bool *)user = true;
}

static void an_asynchronous_evaluation_is_refused(void **state)
{
    (void)state;
    bool called = false;
    of_flag_value value = {.boolean = true};
    of_client *client = of_api_client(api, NULL);
    none_left = true;
    assert_int_equal(
        of_client_evaluate_async(client, "flag", OF_TYPE_BOOL, &value, NULL, NULL, never, &called),
        OF_ERROR_NO_THREAD);
    assert_false(called);
    of_client_unref(client);
}

static void a_new_context_is_told_on_the_calling_thread(void **state)
{
    (void)state;
    of_static_api *fixed = of_static_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_context *context = of_context_new("ada");
    assert_int_equal(of_static_api_set_provider_and_wait(fixed, NULL, probe->provider, PATIENCE_MS), OF_OK);
    for (int i = 0; i < 100 && atomic_load(&probe->contexts) == 0; i++) {
        none_left = true;
        (void)of_static_api_set_context_and_wait(fixed, NULL, context, PATIENCE_MS);
        none_left = false;
    }
    assert_string_equal(of_context_targeting_key(probe->now), "ada");
    of_context_unref(context);
    of_static_api_unref(fixed);
    probe_free(probe);
}

static atomic_int ended;

static of_error replace_itself(void *self, const char *key, bool default_value, const of_context *context,
                               of_resolution *resolution)
{
    (void)self, (void)key, (void)default_value, (void)context;
    none_left = true;
    resolution->value.boolean = of_api_set_provider(api, NULL, NULL) == OF_OK;
    return OF_OK;
}

static void note_end(void *self)
{
    (void)self;
    atomic_fetch_add(&ended, 1);
}

static const of_provider_methods replaced = {
    .size = sizeof replaced, .name = "replaced", .shutdown = note_end, .resolve_bool = replace_itself};

/* A provider that this API has replaced and could not close. */
static of_provider *unclosed(void)
{
    of_provider *provider = of_provider_new(&replaced, NULL);
    of_client *client = of_api_client(api, NULL);
    atomic_store(&ended, 0);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "flag", false, NULL, NULL));
    assert_int_equal(atomic_load(&ended), 0);
    of_client_unref(client);
    return provider;
}

static void a_provider_replaced_inside_of_its_evaluation_is_closed_when_the_api_is_used_next(void **state)
{
    (void)state;
    of_provider *provider = unclosed();
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_int_equal(atomic_load(&ended), 1);
    of_provider_unref(provider);
}

static void it_is_closed_when_another_api_wants_it(void **state)
{
    (void)state;
    of_provider *provider = unclosed();
    of_api *next = of_api_new();
    (void)alarm(PATIENCE_MS / 1000);
    assert_int_equal(of_api_set_provider_and_wait(next, NULL, provider, PATIENCE_MS), OF_OK);
    (void)alarm(0);
    assert_int_equal(atomic_load(&ended), 1);
    of_api_unref(next);
    of_provider_unref(provider);
}

static void it_is_closed_once_in_the_child_of_a_fork(void **state)
{
    (void)state;
    int status = 0;
    of_api *mine = api;
    api = of_api_global();
    of_provider *provider = unclosed();
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_MS / 1000);
        bool fine = of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS) == OF_OK;
        fine = fine && atomic_load(&ended) == 1 && of_provider_get_status(provider) == OF_STATUS_READY;
        _exit(fine ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    of_api_shutdown(api);
    of_provider_unref(provider);
    api = mine;
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(setting_a_provider_fails_and_changes_nothing),
        TEST(a_provider_without_init_can_be_set_and_the_old_one_is_shut_down_at_once),
        TEST(a_handler_is_refused),
        TEST(an_asynchronous_evaluation_is_refused),
        TEST(a_provider_replaced_inside_of_its_evaluation_is_closed_when_the_api_is_used_next),
        TEST(it_is_closed_when_another_api_wants_it),
        TEST(it_is_closed_once_in_the_child_of_a_fork),
        TEST(a_new_context_is_told_on_the_calling_thread),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

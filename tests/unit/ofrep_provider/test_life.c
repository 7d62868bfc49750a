/* SPDX-License-Identifier: Apache-2.0 */
/* The OFREP provider's start and end where they come at odd moments. No server is needed. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>
#include <openfeature/providers/ofrep.h>

static of_provider *make(bool (*key)(void *user, char *out, size_t size), void *user)
{
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    options.url = "http://127.0.0.1:9";
    options.static_context = true;
    options.timeout = 1000;
    options.key = key;
    options.user = user;
    return of_ofrep_provider_new(&options, NULL, 0);
}

static bool shut_down_once(void *user, char *out, size_t size)
{
    atomic_int *calls = user;
    (void)out, (void)size;
    if (atomic_fetch_add(calls, 1) == 0)
        of_static_api_shutdown(of_static_api_global());
    return false;
}

static void the_key_may_shut_the_api_down(void **state)
{
    (void)state;
    static atomic_int calls;
    of_provider *provider = make(shut_down_once, &calls);
    (void)of_static_api_set_provider(of_static_api_global(), NULL, provider);
    await_count(&calls, 1);
    /* The same provider starts again once the old thread has ended. */
    (void)of_static_api_set_provider_and_wait(of_static_api_global(), NULL, provider, PATIENCE_MS);
    await_count(&calls, 2);
    of_static_api_shutdown(of_static_api_global());
    of_provider_unref(provider);
}

static void a_started_provider_is_not_started_in_the_child_of_a_fork(void **state)
{
    (void)state;
#ifdef WITHOUT_THREADS_AFTER_FORK
    return;
#endif
    of_provider *provider = make(NULL, NULL);
    (void)of_static_api_set_provider_and_wait(of_static_api_global(), NULL, provider, PATIENCE_MS);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_MS / 1000);
        of_static_api_shutdown(of_static_api_global());
        _exit(of_static_api_set_provider_and_wait(of_static_api_global(), NULL, provider, PATIENCE_MS) ==
                      OF_ERROR_GENERAL
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    of_static_api_shutdown(of_static_api_global());
    of_provider_unref(provider);
}

static struct gate after_shutdown;

static bool shut_down_and_stay(void *user, char *out, size_t size)
{
    (void)shut_down_once(user, out, size);
    gate_pass(&after_shutdown);
    return false;
}

static void what_was_ending_when_the_process_forked_is_not_started_in_the_child(void **state)
{
    (void)state;
#ifdef WITHOUT_THREADS_AFTER_FORK
    return;
#endif
    static atomic_int calls;
    of_provider *provider = make(shut_down_and_stay, &calls);
    gate_init(&after_shutdown, true);
    (void)of_static_api_set_provider(of_static_api_global(), NULL, provider);
    gate_await(&after_shutdown); /* its end waits for its thread, which is here */
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_MS / 1000);
        _exit(of_static_api_set_provider_and_wait(of_static_api_global(), NULL, provider, PATIENCE_MS) ==
                      OF_ERROR_GENERAL
                  ? 0
                  : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    gate_open(&after_shutdown);
    of_static_api_shutdown(of_static_api_global());
    of_provider_unref(provider);
}

static void expect_refused(of_client *client, const char *key, of_error error, const char *text)
{
    of_details details;
    of_client_bool_details(client, key, false, NULL, NULL, &details);
    assert_int_equal(details.error, error);
    assert_non_null(details.error_message);
    assert_non_null(strstr(details.error_message, text));
    of_details_clear(&details);
}

/* Where each evaluation is a request, the key is a part of its address. */
static void a_key_that_no_address_can_hold_is_an_error_that_says_so(void **state)
{
    (void)state;
    static char longer[4096 + 2];
    memset(longer, 'k', sizeof longer - 1);
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    options.url = "http://127.0.0.1:9";
    options.timeout = 1000;
    of_provider *provider = of_ofrep_provider_new(&options, NULL, 0);
    of_api *api = of_api_global();
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    of_client *client = of_api_client(api, NULL);
    expect_refused(client, "", OF_ERROR_FLAG_NOT_FOUND, "key is empty");
    expect_refused(client, longer, OF_ERROR_GENERAL, "longer than the 4096 bytes");
    of_client_unref(client);
    of_api_shutdown(api);
    of_provider_unref(provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_key_may_shut_the_api_down),
        cmocka_unit_test(a_started_provider_is_not_started_in_the_child_of_a_fork),
        cmocka_unit_test(what_was_ending_when_the_process_forked_is_not_started_in_the_child),
        cmocka_unit_test(a_key_that_no_address_can_hold_is_an_error_that_says_so),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

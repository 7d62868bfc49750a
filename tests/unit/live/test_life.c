/* SPDX-License-Identifier: Apache-2.0 */
/* The live provider's start and end where they come at odd moments. No daemon is needed. */
#include "support.h"

#include <sys/wait.h>
#include <unistd.h>

#include <openfeature/providers/multi.h>

#include "live.h"

static atomic_int shutdowns; /* that have returned */

static void shut_down_once(void *user, of_live_level level, const char *text)
{
    atomic_int *lines = user;
    (void)level, (void)text;
    if (atomic_fetch_add(lines, 1) == 0) {
        of_api_shutdown(of_api_global());
        atomic_fetch_add(&shutdowns, 1);
    }
}

static void the_log_may_shut_the_api_down(void **state)
{
    (void)state;
    static atomic_int lines;
    const of_live_options options = {.size = sizeof options,
                                     .url = "ws://127.0.0.1:9",
                                     .log = shut_down_once,
                                     .user = &lines,
                                     .start_timeout = 1};
    of_provider *provider = of_live_provider_new(&options, NULL, 0);
    of_client *client = of_api_client(of_api_global(), NULL);
    (void)of_api_set_provider(of_api_global(), NULL, provider);
    await_count(&shutdowns, 1);
    /* The same provider starts again once the old thread has ended. */
    await_status(client, OF_STATUS_NOT_READY);
    assert_int_equal(of_api_set_provider_and_wait(of_api_global(), NULL, provider, PATIENCE_MS),
                     OF_ERROR_PROVIDER_NOT_READY);
    of_api_shutdown(of_api_global());
    of_client_unref(client);
    of_provider_unref(provider);
}

static void the_log_may_shut_the_api_down_where_the_provider_is_inside_of_another_one(void **state)
{
    (void)state;
    static atomic_int lines;
    const of_live_options options = {.size = sizeof options,
                                     .url = "ws://127.0.0.1:9",
                                     .log = shut_down_once,
                                     .user = &lines,
                                     .start_timeout = PATIENCE_MS};
    atomic_store(&shutdowns, 0);
    of_provider *provider = of_live_provider_new(&options, NULL, 0);
    const of_live_options silent = {.size = sizeof silent, .url = "ws://127.0.0.1:9"};
    of_provider *beside = of_live_provider_new(&silent, NULL, 0);
    const of_multi_entry entries[] = {{provider, NULL}, {beside, NULL}};
    of_provider *multi = of_multi_provider_new(entries, 2, NULL, NULL);
    assert_int_equal(of_api_set_provider_and_wait(of_api_global(), NULL, multi, PATIENCE_MS),
                     OF_ERROR_GENERAL);
    await_count(&shutdowns, 1);
    of_provider_unref(multi);
    of_provider_unref(beside);
    of_provider_unref(provider);
}

static struct gate after_shutdown;

static void shut_down_and_stay(void *user, of_live_level level, const char *text)
{
    shut_down_once(user, level, text);
    gate_pass(&after_shutdown);
}

static void what_was_ending_when_the_process_forked_is_not_started_in_the_child(void **state)
{
    (void)state;
    static atomic_int lines;
    int status = 0;
    const of_live_options options = {.size = sizeof options,
                                     .url = "ws://127.0.0.1:9",
                                     .log = shut_down_and_stay,
                                     .user = &lines,
                                     .start_timeout = 1};
    of_context *context = of_context_new("ada");
    of_provider *provider = of_live_provider_new(&options, NULL, 0);
    gate_init(&after_shutdown, true);
    (void)of_api_set_provider(of_api_global(), NULL, provider);
    gate_await(&after_shutdown); /* its end waits for its thread, which is here */
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_MS / 1000);
        _exit(live_init(of_provider_self(provider), provider, context, NULL) == OF_ERROR_GENERAL ? 0 : 1);
    }
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    gate_open(&after_shutdown);
    of_api_shutdown(of_api_global());
    of_context_unref(context);
    of_provider_unref(provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_log_may_shut_the_api_down),
        cmocka_unit_test(the_log_may_shut_the_api_down_where_the_provider_is_inside_of_another_one),
        cmocka_unit_test(what_was_ending_when_the_process_forked_is_not_started_in_the_child),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

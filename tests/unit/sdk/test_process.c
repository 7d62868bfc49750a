/* SPDX-License-Identifier: Apache-2.0 */
/* The library and its process: fork, signals, threads that are left behind. */
#include "support.h"

#include <dirent.h>
#include <signal.h>
#include <sys/wait.h>
#include <unistd.h>

static void evaluations_go_on_in_the_child_of_a_fork(void **state)
{
    (void)state;
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_NO_INIT);
    of_client *client = of_api_client(api, NULL);
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    box_await(&box, 1);
    pid_t child = fork();
    if (child == 0) {
        bool fine = of_client_get_bool(client, "bool-flag", false, NULL, NULL);
        of_context *context = of_context_new("ada");
        fine = fine && of_api_set_context(api, context) == OF_OK;
        fine = fine && of_client_get_bool(client, "bool-flag", false, NULL, NULL);
        _exit(fine ? 0 : 1);
    }
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static sigset_t seen_mask;

static void look_at_mask(void *user, const of_event *event)
{
    (void)pthread_sigmask(SIG_BLOCK, NULL, &seen_mask);
    box_handler(user, event);
}

static void the_librarys_threads_block_all_signals(void **state)
{
    (void)state;
    sigset_t own;
    of_api *api = of_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_READY, look_at_mask, &box, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    box_await(&box, 1);
    assert_int_equal(sigismember(&seen_mask, SIGTERM), 1);
    assert_int_equal(sigismember(&seen_mask, SIGUSR1), 1);
    (void)pthread_sigmask(SIG_BLOCK, NULL, &own);
    assert_int_equal(sigismember(&own, SIGTERM), 0);
    of_api_unref(api);
    probe_free(probe);
}

static int count_threads(void)
{
    int count = 0;
    DIR *tasks = opendir("/proc/self/task");
    if (tasks == NULL)
        return 0;
    while (readdir(tasks) != NULL)
        count++;
    (void)closedir(tasks);
    return count;
}

static void shutdown_leaves_no_thread_behind(void **state)
{
    (void)state;
    int before = count_threads();
    of_api *api = of_api_new();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    box_await(&box, 1);
    of_api_unref(api);
    probe_free(probe);
    for (int spent = 0; count_threads() > before && spent < PATIENCE_MS; spent++)
        (void)usleep(1000);
    assert_int_equal(count_threads(), before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(evaluations_go_on_in_the_child_of_a_fork),
        cmocka_unit_test(the_librarys_threads_block_all_signals),
        cmocka_unit_test(shutdown_leaves_no_thread_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

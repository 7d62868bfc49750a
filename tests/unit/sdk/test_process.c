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

/* Not with sanitizers (sdk.cmake says why): the rounds without them say what a child does. */
static bool threads_after_fork(void)
{
#ifdef WITHOUT_THREADS_AFTER_FORK
    return false;
#else
    return true;
#endif
}

static struct box childs;

/* All that a program does at its start, in the child of one that has done it before. Ends the process. */
static void set_up_anew(of_api *api)
{
    box_init(&childs);
    (void)alarm(PATIENCE_MS / 1000);
    of_api_shutdown(api);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &childs, NULL);
    for (size_t i = 0; i < 3; i++) {
        struct probe *probe = probe_new("child's", PROBE_PLAIN);
        if (of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS) != OF_OK)
            _exit(1);
        box_await(&childs, i + 1);
    }
    of_api_shutdown(api);
    _exit(box_count(&childs) == 3 ? 0 : 2);
}

static void assert_child_is_fine(pid_t child)
{
    int status = 0;
    assert_int_equal(waitpid(child, &status, 0), child);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 0);
}

static void the_child_of_a_fork_sets_itself_up_anew(void **state)
{
    (void)state;
    if (!threads_after_fork())
        return;
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    box_await(&box, 1);
    pid_t child = fork();
    if (child == 0)
        set_up_anew(api);
    assert_child_is_fine(child);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_provider_that_was_starting_does_not_hold_up_the_child(void **state)
{
    (void)state;
    if (!threads_after_fork())
        return;
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    gate_init(&probe->init_gate, true);
    assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_OK);
    gate_await(&probe->init_gate);
    pid_t child = fork();
    if (child == 0)
        set_up_anew(api);
    assert_child_is_fine(child);
    gate_open(&probe->init_gate);
    of_api_shutdown(api);
    probe_free(probe);
}

static void *shut_down(void *argument)
{
    of_api_shutdown(argument);
    return NULL;
}

static void a_provider_that_was_being_shut_down_is_a_new_one_in_the_child(void **state)
{
    (void)state;
    pthread_t thread;
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    gate_close(&probe->shutdown_gate);
    assert_int_equal(pthread_create(&thread, NULL, shut_down, api), 0);
    gate_await(&probe->shutdown_gate);
    pid_t child = fork();
    if (child == 0)
        _exit(of_provider_get_status(probe->provider) == OF_STATUS_NOT_READY ? 0 : 1);
    assert_child_is_fine(child);
    gate_open(&probe->shutdown_gate);
    (void)pthread_join(thread, NULL);
    probe_free(probe);
}

static void count_answer(void *user, const of_details *details)
{
    atomic_int *count = user;
    (void)details;
    (void)atomic_fetch_add(count, 1);
}

static of_error evaluate_async(of_client *client, atomic_int *answers)
{
    const of_flag_value otherwise = {.boolean = false};
    return of_client_evaluate_async(client, "bool-flag", OF_TYPE_BOOL, &otherwise, NULL, NULL, count_answer,
                                    answers);
}

static void what_the_parent_had_under_way_is_not_done_again_in_the_child(void **state)
{
    (void)state;
    if (!threads_after_fork())
        return;
    enum { TASKS = 8 }; /* more than there are threads */
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    static struct box box;
    static atomic_int done;
    box_init(&box);
    gate_init(&box.gate, true);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    gate_await(&box.gate);
    of_provider_emit_ready(probe->provider); /* waits in the queue */
    gate_init(&probe->resolve_gate, true);
    for (int i = 0; i < TASKS; i++)
        assert_int_equal(evaluate_async(client, &done), OF_OK);
    gate_await(&probe->resolve_gate);
    pid_t child = fork();
    if (child == 0) {
        (void)alarm(PATIENCE_MS / 1000);
        box_init(&childs);
        gate_init(&box.gate, false);
        gate_init(&probe->resolve_gate, false);
        size_t before = box.count;
        (void)of_api_on(api, OF_EVENT_STALE, box_handler, &childs, NULL);
        of_provider_event stale = OF_PROVIDER_EVENT(OF_EVENT_STALE);
        of_provider_emit(probe->provider, &stale);
        box_await(&childs, 1); /* what was before it in the queue has been dealt with */
        static atomic_int own;
        (void)evaluate_async(client, &own);
        await_count(&own, 1);
        _exit(box_count(&box) == before && atomic_load(&done) == 0 ? 0 : 1);
    }
    assert_child_is_fine(child);
    gate_open(&probe->resolve_gate);
    await_count(&done, TASKS);
    gate_open(&box.gate);
    box_await(&box, 2);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static atomic_bool stop_emitting;

static void *emit_on(void *argument)
{
    while (!atomic_load(&stop_emitting))
        of_provider_emit_ready(argument);
    return NULL;
}

static void a_provider_may_emit_while_another_thread_forks(void **state)
{
    (void)state;
    if (!threads_after_fork())
        return;
    enum { FORKS = 60 };
    pthread_t thread;
    of_api *api = of_api_global();
    struct probe *probe = probe_new("probe", PROBE_NO_INIT);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    atomic_store(&stop_emitting, false);
    assert_int_equal(pthread_create(&thread, NULL, emit_on, probe->provider), 0);
    for (int i = 0; i < FORKS; i++) {
        pid_t child = fork();
        if (child == 0) {
            (void)alarm(PATIENCE_MS / 1000);
            of_api_shutdown(api);
            _exit(0);
        }
        assert_child_is_fine(child);
    }
    atomic_store(&stop_emitting, true);
    (void)pthread_join(thread, NULL);
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
        cmocka_unit_test(the_child_of_a_fork_sets_itself_up_anew),
        cmocka_unit_test(a_provider_that_was_starting_does_not_hold_up_the_child),
        cmocka_unit_test(a_provider_that_was_being_shut_down_is_a_new_one_in_the_child),
        cmocka_unit_test(what_the_parent_had_under_way_is_not_done_again_in_the_child),
        cmocka_unit_test(a_provider_may_emit_while_another_thread_forks),
        cmocka_unit_test(the_librarys_threads_block_all_signals),
        cmocka_unit_test(shutdown_leaves_no_thread_behind),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

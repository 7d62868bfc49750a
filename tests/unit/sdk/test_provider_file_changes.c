/* SPDX-License-Identifier: Apache-2.0 */
/* The provider of flag files: how it hears that they have changed, and what becomes of it. */
#include "file_world.h"

#include <dirent.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

/* One flag, with that value. */
static const char *limit(const char *value)
{
    static char text[160];
    (void)snprintf(text, sizeof text, "flags:\n  limit: {variants: {one: %s}, defaultVariant: one}\n", value);
    return text;
}

static int64_t limit_now(void)
{
    return of_client_get_int(program.client, "limit", -1, NULL, NULL);
}

static void expect_changed(int64_t value)
{
    const struct seen *seen = next_event(OF_EVENT_CONFIGURATION_CHANGED);
    assert_string_equal(seen->flags, "limit");
    assert_int_equal(limit_now(), value);
}

static void a_file_that_is_replaced_or_written_anew_is_read_again(void **state)
{
    (void)state;
    write_file("flags.yaml", limit("1"));
    start("flags.yaml");
    assert_int_equal(limit_now(), 1);
    replace_file("flags.yaml", limit("2"));
    expect_changed(2);
    write_file("flags.yaml", limit("3"));
    expect_changed(3);
    finish();
}

static void only_the_flags_that_differ_are_named(void **state)
{
    (void)state;
    write_file("flags.yaml",
               "$evaluators: {team: {'==': [{var: team}, a]}}\n"
               "flags:\n"
               "  gone: {variants: {one: 1}, defaultVariant: one}\n"
               "  kept: {variants: {one: 1}, defaultVariant: one}\n"
               "  ruled: {variants: {one: 1}, defaultVariant: one, targeting: {if: [{$ref: team}, one]}}\n");
    start("flags.yaml");
    replace_file(
        "flags.yaml",
        "$evaluators: {team: {'==': [{var: team}, b]}}\n"
        "flags:\n"
        "  come: {variants: {one: 1}, defaultVariant: one}\n"
        "  kept: {defaultVariant: one, variants: {one: 1}}\n"
        "  ruled: {variants: {one: 1}, defaultVariant: one, targeting: {if: [{$ref: team}, one]}}\n");
    assert_string_equal(next_event(OF_EVENT_CONFIGURATION_CHANGED)->flags, "come,ruled,gone");
    finish();
}

/* A ConfigMap: the file is a link through ..data, which is a link that is turned. */
static void the_link_of_a_configmap_that_is_turned_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(place("..one"), 0700), 0);
    assert_int_equal(mkdir(place("..two"), 0700), 0);
    write_file("..one/flags.yaml", limit("1"));
    write_file("..two/flags.yaml", limit("2"));
    link_to("..one", "..data");
    link_to("..data/flags.yaml", "flags.yaml");
    start("flags.yaml");
    link_to("..two", "..data");
    expect_changed(2);
    finish();
    assert_int_equal(start_with(".", OF_FILE_CHANGES_AUTO), OF_OK); /* the directory that it is mounted at */
    (void)next_event(OF_EVENT_READY);
    assert_int_equal(limit_now(), 2);
    link_to("..one", "..data");
    expect_changed(1);
    finish();
}

static void a_directory_on_the_way_that_is_swapped_is_noticed(void **state)
{
    (void)state;
    char from[4096], to[4096];
    static const char *const directories[] = {"release", "release/conf", "next", "next/conf"};
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(mkdir(place(directories[i]), 0700), 0);
    write_file("release/conf/flags.yaml", limit("1"));
    write_file("next/conf/flags.yaml", limit("2"));
    start("release/conf/flags.yaml");
    (void)snprintf(from, sizeof from, "%s", place("release"));
    (void)snprintf(to, sizeof to, "%s", place("last"));
    assert_int_equal(rename(from, to), 0);
    (void)snprintf(to, sizeof to, "%s", place("next"));
    assert_int_equal(rename(to, from), 0);
    expect_changed(2);
    finish();
}

static void a_directory_on_the_way_that_is_a_link_is_noticed(void **state)
{
    (void)state;
    assert_int_equal(mkdir(place("releases"), 0700), 0);
    assert_int_equal(mkdir(place("releases/1"), 0700), 0);
    assert_int_equal(mkdir(place("releases/2"), 0700), 0);
    write_file("releases/1/flags.yaml", limit("1"));
    write_file("releases/2/flags.yaml", limit("2"));
    link_to("releases/1", "current");
    start("current/flags.yaml");
    link_to("releases/2", "current");
    expect_changed(2);
    write_file("releases/2/flags.yaml", limit("3"));
    expect_changed(3);
    finish();
}

static void a_file_that_comes_into_a_directory_is_read(void **state)
{
    (void)state;
    write_file("a.yaml", limit("1"));
    start(".");
    write_file("b.json",
               "{\"flags\": {\"other\": {\"variants\": {\"one\": 7}, \"defaultVariant\": \"one\"}}}");
    assert_string_equal(next_event(OF_EVENT_CONFIGURATION_CHANGED)->flags, "other");
    assert_int_equal(of_client_get_int(program.client, "other", -1, NULL, NULL), 7);
    assert_int_equal(unlink(place("b.json")), 0);
    assert_string_equal(next_event(OF_EVENT_CONFIGURATION_CHANGED)->flags, "other");
    assert_int_equal(of_client_get_int(program.client, "other", -1, NULL, NULL), -1);
    finish();
}

static void a_bad_file_changes_nothing_and_says_where_it_is_bad(void **state)
{
    (void)state;
    char problem[512] = "";
    write_file("flags.yaml", limit("1"));
    start("flags.yaml");
    replace_file("flags.yaml", "flags:\n  limit: {variants: {one: 9}, defaultVariant: two}\n");
    const struct seen *stale = next_event(OF_EVENT_STALE);
    assert_non_null(strstr(stale->message, "/flags.yaml:2:"));
    assert_int_equal(stale->status, OF_STATUS_STALE);
    assert_int_equal(limit_now(), 1);
    assert_int_equal(of_file_provider_reload(program.provider, problem, sizeof problem),
                     OF_ERROR_PARSE_ERROR);
    (void)next_event(OF_EVENT_STALE);
    assert_non_null(strstr(problem, "flags.yaml:2:"));
    assert_non_null(strstr(problem, "flags.limit.defaultVariant"));
    replace_file("flags.yaml", limit("1"));
    assert_int_equal(next_event(OF_EVENT_READY)->status,
                     OF_STATUS_READY); /* as before: nothing has changed */
    replace_file("flags.yaml", limit("2"));
    expect_changed(2);
    finish();
}

static void without_a_file_it_is_not_ready_until_there_is_one(void **state)
{
    (void)state;
    of_details details;
    assert_int_not_equal(start_with("not/yet/flags.yaml", OF_FILE_CHANGES_AUTO), OF_OK);
    assert_non_null(strstr(next_event(OF_EVENT_ERROR)->message, "not/yet/flags.yaml"));
    assert_int_equal(of_client_int_details(program.client, "limit", -1, NULL, NULL, &details),
                     OF_ERROR_PROVIDER_NOT_READY);
    of_details_clear(&details);
    assert_int_equal(mkdir(place("not"), 0700), 0);
    assert_int_equal(mkdir(place("not/yet"), 0700), 0);
    write_file("not/yet/flags.yaml", limit("1"));
    await_status(program.client, OF_STATUS_READY);
    assert_int_equal(limit_now(), 1);
    finish();
}

/* How often the threads of this process, but for this one, were woken. */
static long wakes(void)
{
    long all = 0;
    char line[128], path[300];
    DIR *tasks = opendir("/proc/self/task");
    assert_non_null(tasks);
    for (const struct dirent *task; (task = readdir(tasks)) != NULL;) {
        (void)snprintf(path, sizeof path, "/proc/self/task/%s/status", task->d_name);
        FILE *status =
            task->d_name[0] == '.' || strtol(task->d_name, NULL, 10) == getpid() ? NULL : fopen(path, "r");
        while (status != NULL && fgets(line, sizeof line, status) != NULL)
            if (strncmp(line, "voluntary_ctxt_switches:", 24) == 0)
                all += strtol(line + 24, NULL, 10);
        if (status != NULL)
            (void)fclose(status);
    }
    (void)closedir(tasks);
    return all;
}

static void what_others_do_in_its_directory_costs_little_and_changes_nothing(void **state)
{
    (void)state;
    enum { NOISE = 1000, SHARE = 4 };
    const struct timespec pause = {0, 100 * 1000}; /* long enough for the thread to wait again */
    write_file("flags.yaml", limit("1"));
    start("flags.yaml");
    long before = wakes();
    for (int i = 0; i < NOISE; i++) {
        write_file("noise.yaml", limit("9"));
        (void)nanosleep(&pause, NULL);
    }
    assert_true(wakes() - before < NOISE / SHARE);
    replace_file("flags.yaml", limit("2"));
    expect_changed(2); /* the first thing that is told */
    finish();
}

static void where_inotify_does_not_help_it_polls(void **state)
{
    (void)state;
    write_file("flags.yaml", limit("1"));
    assert_int_equal(start_with("flags.yaml", OF_FILE_CHANGES_POLL), OF_OK);
    (void)next_event(OF_EVENT_READY);
    write_file("flags.yaml", limit("20"));
    expect_changed(20);
    finish();
}

static void told_not_to_watch_it_reads_when_it_is_told_to(void **state)
{
    (void)state;
    write_file("flags.yaml", limit("1"));
    assert_int_equal(start_with("flags.yaml", OF_FILE_CHANGES_NONE), OF_OK);
    (void)next_event(OF_EVENT_READY);
    replace_file("flags.yaml", limit("2"));
    assert_int_equal(limit_now(), 1);
    assert_int_equal(of_file_provider_reload(program.provider, NULL, 0), OF_OK);
    expect_changed(2);
    of_api_shutdown(program.api);
    assert_int_equal(of_file_provider_reload(program.provider, NULL, 0), OF_ERROR_PROVIDER_NOT_READY);
    assert_int_equal(of_file_provider_reload(NULL, NULL, 0), OF_ERROR_INVALID_ARGUMENT);
    finish();
}

static void shut_down_on_error(void *user, of_file_level level, const char *text)
{
    (void)text;
    if (level != OF_FILE_LOG_ERROR)
        return;
    of_api_shutdown(program.api);
    atomic_fetch_add((atomic_int *)user, 1);
}

/* On the provider's own thread, which tells it of the bad file. */
static void the_log_may_shut_the_api_down_from_the_thread_that_watches(void **state)
{
    (void)state;
    static atomic_int shutdowns;
    const char *path = place("flags.yaml");
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = &path;
    options.path_count = 1;
    options.log = shut_down_on_error;
    options.user = &shutdowns;
    write_file("flags.yaml", limit("1"));
    program.api = of_api_new();
    of_provider *provider = of_file_provider_new(&options, NULL, 0);
    assert_int_equal(of_api_set_provider_and_wait(program.api, NULL, provider, PATIENCE_MS), OF_OK);
    replace_file("flags.yaml", "flags: [");
    await_count(&shutdowns, 1);
    /* It starts again when its old thread has ended. */
    replace_file("flags.yaml", limit("2"));
    assert_int_equal(of_api_set_provider_and_wait(program.api, NULL, provider, PATIENCE_MS), OF_OK);
    replace_file("flags.yaml", "flags: [");
    of_provider_unref(provider); /* the API has the last one, and then the thread */
    await_count(&shutdowns, 2);
    of_api_unref(program.api);
}

/* --- threads ------------------------------------------------------------------------------------------ */

static atomic_bool stop;

static void *read_on(void *client)
{
    int64_t last = 0;
    of_context *context = of_context_new("ada");
    while (!atomic_load(&stop)) {
        int64_t now = of_client_get_int(client, "limit", -1, context, NULL);
        assert_true(now >= last); /* each file's number is greater than the one's before */
        last = now;
        assert_true(of_client_get_bool(client, "ruled", false, context, NULL));
        of_value *list = of_client_get_object(client, "list", NULL, context, NULL);
        assert_true(of_value_length(list) == 2);
        of_value_unref(list);
    }
    of_context_unref(context);
    return NULL;
}

/* A flag that is the same for everybody, one that a rule picks, and one whose value a decision brings. */
static void write_three(int number)
{
    char text[640];
    (void)snprintf(
        text, sizeof text,
        "flags:\n"
        "  limit: {variants: {one: %d}, defaultVariant: one}\n"
        "  ruled: {variants: {one: true}, defaultVariant: one, targeting: {if: [{var: x}, one, one]}}\n"
        "  list: {type: object, decision: {rule: true}, value: [1, {var: targetingKey}], safeValue: [0, "
        "0]}\n",
        number);
    replace_file("flags.yaml", text);
}

static void readers_see_one_file_or_the_next_while_it_is_replaced(void **state)
{
    (void)state;
    pthread_t readers[4];
    write_three(1);
    start("flags.yaml");
    atomic_store(&stop, false);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&readers[i], NULL, read_on, program.client), 0);
    for (int i = 2; i <= 40; i++) {
        write_three(i);
        assert_int_equal(of_file_provider_reload(program.provider, NULL, 0), OF_OK);
        assert_int_equal(limit_now(), i);
    }
    atomic_store(&stop, true);
    for (int i = 0; i < 4; i++)
        assert_int_equal(pthread_join(readers[i], NULL), 0);
    finish();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        FILE_TEST(a_file_that_is_replaced_or_written_anew_is_read_again),
        FILE_TEST(only_the_flags_that_differ_are_named),
        FILE_TEST(the_link_of_a_configmap_that_is_turned_is_noticed),
        FILE_TEST(a_directory_on_the_way_that_is_swapped_is_noticed),
        FILE_TEST(a_directory_on_the_way_that_is_a_link_is_noticed),
        FILE_TEST(a_file_that_comes_into_a_directory_is_read),
        FILE_TEST(a_bad_file_changes_nothing_and_says_where_it_is_bad),
        FILE_TEST(without_a_file_it_is_not_ready_until_there_is_one),
        FILE_TEST(what_others_do_in_its_directory_costs_little_and_changes_nothing),
        FILE_TEST(where_inotify_does_not_help_it_polls),
        FILE_TEST(told_not_to_watch_it_reads_when_it_is_told_to),
        FILE_TEST(the_log_may_shut_the_api_down_from_the_thread_that_watches),
        FILE_TEST(readers_see_one_file_or_the_next_while_it_is_replaced),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

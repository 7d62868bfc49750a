/* SPDX-License-Identifier: Apache-2.0 */
/* The disk fails: what was in the group is told as failed, nothing of it is kept, and it goes on by itself.
 */
#include "bench_journal.h"

#include <signal.h>
#include <sys/resource.h>
#include <time.h>
#include "base/fault.h"

/* Waits for the journal to find out by itself, which nothing announces. */
static bool becomes_healthy(struct bench *bench)
{
    const struct timespec pause = {.tv_nsec = 5000000};
    for (int i = 0; i < 4000 && !fs_journal_healthy(bench->journal); i++)
        nanosleep(&pause, NULL);
    return fs_journal_healthy(bench->journal);
}

static void verifies(struct bench *bench, uint64_t entries)
{
    struct fs_verdict verdict;
    struct fs_err err = {0};
    if (!fs_journal_verify(bench->directory, &verdict, &err))
        fail_msg("%s", err.text);
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.checked, entries);
}

/* A disk that is really full, as far as this process can see: files may not grow beyond a limit. */
static void a_write_that_the_system_refuses_fails_the_group_and_nothing_is_kept(void **state)
{
    struct bench *bench = *state;
    struct rlimit before, small;
    bench_open(bench);
    signal(SIGXFSZ, SIG_IGN);
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    small = before;
    small.rlim_cur = 256 * 1024;
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &small), 0);
    static char body[20000];
    memset(body, 'x', sizeof body - 1);
    struct fs_commit commit;
    uint64_t done = 0;
    do {
        commit = bench_event(bench, body);
        done += commit.result == FS_COMMIT_DONE;
    } while (commit.result == FS_COMMIT_DONE && done < 100);
    bool healthy = fs_journal_healthy(bench->journal);
    assert_int_equal(setrlimit(RLIMIT_FSIZE, &before), 0);
    assert_int_equal(commit.result, FS_COMMIT_FAILED);
    assert_int_equal(commit.number, 0);
    assert_true(strlen(commit.error) > 0);
    assert_false(healthy);
    assert_int_equal(fs_journal_last(bench->journal), done);
    assert_true(becomes_healthy(bench));
    assert_int_equal(bench_event(bench, "{}").number, done + 1);
    bench_close(bench);
    verifies(bench, done + 1);
}

#ifdef FLAGSTAFF_FAULT_POINTS

static void group_fails(struct bench *bench, const char *fault, const char *words)
{
    bench_open(bench);
    bench_event(bench, "{\"n\":1}");
    bench_hold(bench);
    fs_fault_set("journal.commit", fault);
    struct fs_draft draft = bench_draft(bench, "{\"n\":2}", 7);
    bench_identify(&draft, "lost");
    draft.cursor_name = "cursor";
    draft.cursor_value = "moved";
    for (int i = 0; i < 3; i++)
        assert_true(fs_journal_append(bench->journal, &draft));
    bench_release(bench);
    bench_notice(bench, 5);
    for (size_t i = 2; i < 5; i++) {
        assert_int_equal(bench->notices[i].result, FS_COMMIT_FAILED);
        assert_int_equal(bench->notices[i].token, 7);
        assert_non_null(strstr(bench->notices[i].error, words));
    }
    assert_false(fs_journal_healthy(bench->journal));
    assert_int_equal(fs_journal_last(bench->journal), 2);
    assert_null(bench_cursor(bench, "cursor"));
    struct fs_err err = {0};
    assert_false(fs_journal_put(bench->journal, "document", "1", &err));
    assert_int_equal(err.code, FS_ERR_UNAVAILABLE);
    fs_fault_set("journal.commit", NULL);
    /* The same event, sent again, is the first of its identity; the numbers have no gap. */
    struct fs_commit commit = bench_append(bench, &draft);
    assert_int_equal(commit.result, FS_COMMIT_DONE);
    assert_int_equal(commit.number, 3);
    assert_true(fs_journal_healthy(bench->journal));
    bench_close(bench);
    verifies(bench, 3);
}

static void a_full_disk_fails_all_drafts_of_the_group(void **state)
{
    group_fails(*state, "enospc", "full");
}

static void an_io_error_fails_all_drafts_of_the_group(void **state)
{
    group_fails(*state, "io", "failed");
}

static void it_becomes_healthy_by_itself_and_not_before_the_disk_is(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    /* The draft and the first try of its own fail; the second succeeds. */
    fs_fault_set("journal.commit", "enospc:1-2");
    assert_int_equal(bench_event(bench, "{}").result, FS_COMMIT_FAILED);
    assert_false(fs_journal_healthy(bench->journal));
    assert_true(becomes_healthy(bench));
    fs_fault_set("journal.commit", NULL);
    assert_int_equal(bench->calls, 1); /* its own tries give no notices */
    assert_int_equal(bench_event(bench, "{}").number, 1);
}

static void closing_while_the_disk_fails_tells_the_drafts_and_ends(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_hold(bench);
    fs_fault_set("journal.commit", "io");
    struct fs_draft draft = bench_draft(bench, "{}", 5);
    assert_true(fs_journal_append(bench->journal, &draft));
    bench_release(bench);
    bench_close(bench);
    fs_fault_set("journal.commit", NULL);
    assert_int_equal(bench->count, 2);
    assert_int_equal(bench->notices[1].result, FS_COMMIT_FAILED);
}

static void a_slow_disk_delays_no_append_and_what_gathers_is_one_group(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    fs_fault_set("journal.commit", "ms:200:1-1");
    struct fs_draft draft = bench_draft(bench, "{}", 0);
    for (int i = 0; i < 90; i++)
        assert_true(fs_journal_append(bench->journal, &draft));
    assert_int_equal(fs_journal_last(bench->journal), 0); /* all were taken while the first is not on disk */
    bench_notice(bench, 90);
    fs_fault_set("journal.commit", NULL);
    bench_close(bench);
    assert_true(bench->calls <= 3);
    assert_int_equal(bench->notices[89].number, 90);
}

/* The first step is on the disk, the second is not: what is gone is told, and another erasure takes the rest.
 */
static void an_erasure_that_the_disk_cut_off_verifies_and_is_finished_by_another(void **state)
{
    struct bench *bench = *state;
    struct fs_erased erased;
    struct fs_err err = {0};
    bench_open(bench);
    for (int i = 0; i < 100; i++) {
        struct fs_draft draft = bench_draft(bench, "{}", 0);
        draft.subjects = (const char *const[]){"anna", NULL};
        bench_append(bench, &draft);
    }
    fs_fault_set("journal.commit", "io:2-2");
    assert_false(fs_journal_erase(bench->journal, "anna", 100, &erased, &err));
    fs_fault_set("journal.commit", NULL);
    assert_int_equal(bench_verify(bench).erased, 64);
    verifies(bench, 101);
    assert_true(becomes_healthy(bench));
    assert_true(fs_journal_erase(bench->journal, "anna", 100, &erased, &err));
    assert_int_equal(erased.bodies, 36);
    bench_close(bench);
    assert_int_equal(bench_verify(bench).erased, 100);
    verifies(bench, 102);
}

#endif

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_write_that_the_system_refuses_fails_the_group_and_nothing_is_kept),
#ifdef FLAGSTAFF_FAULT_POINTS
        TEST(a_full_disk_fails_all_drafts_of_the_group),
        TEST(an_io_error_fails_all_drafts_of_the_group),
        TEST(it_becomes_healthy_by_itself_and_not_before_the_disk_is),
        TEST(closing_while_the_disk_fails_tells_the_drafts_and_ends),
        TEST(a_slow_disk_delays_no_append_and_what_gathers_is_one_group),
        TEST(an_erasure_that_the_disk_cut_off_verifies_and_is_finished_by_another),
#endif
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Appending: numbers, groups, identities, cursors, documents. */
#include "bench_journal.h"

static void entries_are_numbered_from_1_without_gaps(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    assert_int_equal(fs_journal_last(bench->journal), 0);
    for (uint64_t n = 1; n <= 5; n++) {
        struct fs_draft draft = bench_draft(bench, "{}", 70 + n);
        struct fs_commit commit = bench_append(bench, &draft);
        assert_int_equal(commit.result, FS_COMMIT_DONE);
        assert_int_equal(commit.number, n);
        assert_int_equal(commit.token, 70 + n);
        assert_int_equal(commit.time, bench->clock.time.wall);
        assert_int_equal(fs_journal_last(bench->journal), n);
    }
}

static void numbers_go_on_after_a_restart(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_event(bench, "{\"a\":1}");
    bench_event(bench, "{\"a\":2}");
    bench_close(bench);
    bench_open(bench);
    assert_int_equal(fs_journal_last(bench->journal), 2);
    assert_int_equal(bench_event(bench, "{\"a\":3}").number, 3);
}

static void all_that_waits_is_committed_in_one_group_in_order(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_hold(bench);
    for (uint64_t i = 0; i < 50; i++) {
        struct fs_draft draft = bench_draft(bench, "{}", i);
        assert_true(fs_journal_append(bench->journal, &draft));
    }
    assert_true(fs_journal_waiting(bench->journal) >= 50);
    bench_release(bench);
    bench_notice(bench, 51);
    bench_close(bench);
    assert_int_equal(bench->calls, 2); /* the one that held, and the group */
    for (uint64_t i = 0; i < 50; i++) {
        assert_int_equal(bench->notices[i + 1].token, i);
        assert_int_equal(bench->notices[i + 1].number, i + 2);
    }
}

static void a_group_is_never_larger_than_its_limit(void **state)
{
    struct bench *bench = *state;
    bench->options.group_limit = 10;
    bench_open(bench);
    bench_hold(bench);
    for (uint64_t i = 0; i < 35; i++) {
        struct fs_draft draft = bench_draft(bench, "{}", i);
        assert_true(fs_journal_append(bench->journal, &draft));
    }
    bench_release(bench);
    assert_int_equal(bench_notice(bench, 36).number, 36);
    bench_close(bench);
    assert_int_equal(bench->calls, 1 + 4);
}

static void a_full_queue_refuses_and_takes_nothing(void **state)
{
    struct bench *bench = *state;
    bench->options.queue_limit = 3;
    bench_open(bench);
    bench_hold(bench);
    struct fs_draft draft = bench_draft(bench, "{}", 0);
    for (int i = 0; i < 3; i++)
        assert_true(fs_journal_append(bench->journal, &draft));
    assert_false(fs_journal_append(bench->journal, &draft));
    bench_release(bench);
    bench_close(bench);
    assert_int_equal(bench->count, 4);
}

static void closing_commits_what_waits(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_hold(bench);
    struct fs_draft draft = bench_draft(bench, "{}", 9);
    assert_true(fs_journal_append(bench->journal, &draft));
    bench_release(bench);
    bench_close(bench);
    assert_int_equal(bench->count, 2);
    assert_int_equal(bench->notices[1].result, FS_COMMIT_DONE);
}

static void a_repeated_event_gets_the_first_entrys_number_and_time(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    struct fs_draft draft = bench_draft(bench, "{\"e\":1}", 1);
    bench_identify(&draft, "a");
    int64_t first_time = draft.time;
    assert_int_equal(bench_append(bench, &draft).number, 1);
    bench_event(bench, "{\"between\":true}");
    draft.time += 500;
    for (int i = 0; i < 2; i++) {
        struct fs_commit commit = bench_append(bench, &draft);
        assert_int_equal(commit.result, FS_COMMIT_DUPLICATE);
        assert_int_equal(commit.number, 1);
        assert_int_equal(commit.time, first_time);
        assert_int_equal(fs_journal_last(bench->journal), 2);
        bench_close(bench); /* it is remembered over a restart */
        bench_open(bench);
    }
}

static void the_same_identity_with_other_content_is_a_conflict(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    struct fs_draft draft = bench_draft(bench, "{\"e\":1}", 1);
    bench_identify(&draft, "a");
    bench_append(bench, &draft);
    struct fs_draft other = bench_draft(bench, "{\"e\":2}", 2);
    bench_identify(&other, "a");
    struct fs_commit commit = bench_append(bench, &other);
    assert_int_equal(commit.result, FS_COMMIT_CONFLICT);
    assert_int_equal(commit.number, 1);
    assert_int_equal(fs_journal_last(bench->journal), 1);
}

static void repeats_and_conflicts_are_found_within_one_group(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_hold(bench);
    struct fs_draft first = bench_draft(bench, "{\"e\":1}", 1), other = bench_draft(bench, "{\"e\":2}", 3);
    bench_identify(&first, "a");
    bench_identify(&other, "a");
    struct fs_draft last = bench_draft(bench, "{\"e\":3}", 4);
    const struct fs_draft *drafts[] = {&first, &first, &other, &last};
    for (size_t i = 0; i < 4; i++)
        assert_true(fs_journal_append(bench->journal, drafts[i]));
    bench_release(bench);
    bench_notice(bench, 5);
    bench_close(bench);
    assert_int_equal(bench->calls, 2);
    static const enum fs_commit_result results[] = {FS_COMMIT_DONE, FS_COMMIT_DUPLICATE, FS_COMMIT_CONFLICT,
                                                    FS_COMMIT_DONE};
    static const uint64_t numbers[] = {2, 2, 2, 3};
    for (size_t i = 0; i < 4; i++) {
        assert_int_equal(bench->notices[i + 1].result, results[i]);
        assert_int_equal(bench->notices[i + 1].number, numbers[i]);
    }
}

static void an_identity_is_remembered_for_the_dedup_time_and_not_longer(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    struct fs_draft draft = bench_draft(bench, "{\"e\":1}", 1);
    bench_identify(&draft, "a");
    bench_append(bench, &draft);
    draft.time += bench->options.dedup_ms;
    assert_int_equal(bench_append(bench, &draft).result, FS_COMMIT_DUPLICATE);
    draft.time += 1;
    struct fs_commit commit = bench_append(bench, &draft);
    assert_int_equal(commit.result, FS_COMMIT_DONE);
    assert_int_equal(commit.number, 2);
    draft.time += 1;
    commit = bench_append(bench, &draft);
    assert_int_equal(commit.result, FS_COMMIT_DUPLICATE);
    assert_int_equal(commit.number, 2);
}

static void forgotten_identities_do_not_pile_up(void **state)
{
    struct bench *bench = *state;
    bench->options.dedup_ms = 10;
    bench_open(bench);
    for (int i = 0; i < 60; i++) {
        char id[16];
        snprintf(id, sizeof id, "id-%d", i);
        struct fs_draft draft = bench_draft(bench, "{}", 0);
        bench_identify(&draft, id);
        bench_append(bench, &draft);
        fs_fake_clock_advance(&bench->clock, 1);
    }
    bench_close(bench);
    bench_sql(bench,
              "CREATE TEMP TABLE few (n CHECK (n <= 12)); INSERT INTO few SELECT count(*) FROM identities");
}

static void a_cursor_moves_with_its_entry(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    assert_null(bench_cursor(bench, "opal"));
    struct fs_draft draft = bench_draft(bench, "{}", 0);
    draft.cursor_name = "opal";
    for (int i = 0; i < 2; i++) {
        draft.cursor_value = i ? "r-2" : "r-1";
        bench_append(bench, &draft);
        char *value = bench_cursor(bench, "opal");
        assert_string_equal(value, draft.cursor_value);
        fs_free(value);
    }
}

static void a_document_is_on_disk_when_put_returns(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    bench_open(bench);
    assert_null(bench_document(bench, "keys"));
    assert_true(fs_journal_put(bench->journal, "keys", "[1]", &err));
    assert_true(fs_journal_put(bench->journal, "keys", "[1,2]", &err));
    bench_close(bench);
    bench_open(bench);
    char *value = bench_document(bench, "keys");
    assert_string_equal(value, "[1,2]");
    fs_free(value);
    assert_int_equal(fs_journal_last(bench->journal), 0);
    assert_int_equal(bench->count, 0); /* a document is no entry: no notice */
}

static void the_draft_is_the_callers_again_when_append_returns(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_hold(bench);
    char body[] = "{\"x\":1}", subject[] = "anna", flag[] = "export", context[] = "c1", name[] = "n",
         value[] = "v";
    struct fs_entry_cell cell = {.subject = subject, .context = context, .flag = flag};
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.cells = &cell;
    draft.cell_count = 1;
    draft.cursor_name = name;
    draft.cursor_value = value;
    assert_true(fs_journal_append(bench->journal, &draft));
    char *const texts[] = {body, subject, flag, context, name, value};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++)
        memset(texts[i], 'Z', strlen(texts[i]));
    memset(&cell, 0, sizeof cell);
    bench_release(bench);
    bench_notice(bench, 2);
    struct bench_text out = {0};
    struct fs_err err = {0};
    assert_true(
        fs_journal_cells(bench->journal, "anna", "c1", "export", 0, 0, 10, bench_collect_tick, &out, &err));
    assert_string_equal(out.text, "2 event {\"x\":1}\n");
    char *cursor = bench_cursor(bench, "n");
    assert_string_equal(cursor, "v");
    fs_free(cursor);
}

static void a_clock_that_steps_back_changes_times_but_not_the_order(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    struct fs_draft draft = bench_draft(bench, "{\"n\":1}", 0);
    bench_append(bench, &draft);
    draft.time -= 3600000;
    struct fs_commit commit = bench_append(bench, &draft);
    assert_int_equal(commit.number, 2);
    assert_int_equal(commit.time, draft.time);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

static void identified_batch(struct bench *bench, struct fs_draft drafts[3], const char *const bodies[3],
                             const char *const ids[3])
{
    for (int i = 0; i < 3; i++) {
        drafts[i] = bench_draft(bench, bodies[i], (uint64_t)i + 10);
        bench_identify(&drafts[i], ids[i]);
    }
}

static void a_batch_with_a_conflict_is_dropped_whole_and_one_without_is_taken_whole(void **state)
{
    struct bench *bench = *state;
    struct fs_draft drafts[3];
    bench_open(bench);
    drafts[0] = bench_draft(bench, "{\"n\":1}", 0);
    bench_identify(&drafts[0], "a");
    assert_int_equal(bench_append(bench, &drafts[0]).number, 1);

    identified_batch(bench, drafts, (const char *const[]){"{\"n\":2}", "{\"n\":9}", "{\"n\":3}"},
                     (const char *const[]){"b", "a", "c"});
    assert_true(fs_journal_append_batch(bench->journal, drafts, 3));
    bench_notice(bench, 4);
    assert_int_equal(bench->notices[1].result, FS_COMMIT_DROPPED);
    assert_int_equal(bench->notices[2].result, FS_COMMIT_CONFLICT);
    assert_int_equal(bench->notices[2].number, 1);
    assert_int_equal(bench->notices[3].result, FS_COMMIT_DROPPED);
    assert_int_equal(fs_journal_last(bench->journal), 1);

    identified_batch(bench, drafts, (const char *const[]){"{\"n\":2}", "{\"n\":1}", "{\"n\":2}"},
                     (const char *const[]){"b", "a", "b"});
    assert_true(fs_journal_append_batch(bench->journal, drafts, 3));
    bench_notice(bench, 7);
    assert_int_equal(bench->notices[4].result, FS_COMMIT_DONE);
    assert_int_equal(bench->notices[4].number, 2);
    assert_int_equal(bench->notices[5].result, FS_COMMIT_DUPLICATE);
    assert_int_equal(bench->notices[5].number, 1);
    assert_int_equal(bench->notices[6].result, FS_COMMIT_DUPLICATE); /* its twin within the batch */
    assert_int_equal(bench->notices[6].number, 2);
    bench_close(bench);
    struct fs_verdict verdict;
    struct fs_err err = {0};
    assert_true(fs_journal_verify(bench->directory, &verdict, &err));
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.last, 2);
}

static void a_batch_may_be_larger_than_a_group(void **state)
{
    struct bench *bench = *state;
    enum { COUNT = 500 };
    struct fs_draft drafts[COUNT];
    bench_open(bench);
    for (uint64_t i = 0; i < COUNT; i++)
        drafts[i] = bench_draft(bench, "{}", i);
    assert_true(fs_journal_append_batch(bench->journal, drafts, COUNT));
    assert_int_equal(bench_notice(bench, COUNT).number, COUNT);
    assert_int_equal(bench->calls, 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_numbered_from_1_without_gaps),
        TEST(numbers_go_on_after_a_restart),
        TEST(all_that_waits_is_committed_in_one_group_in_order),
        TEST(a_group_is_never_larger_than_its_limit),
        TEST(a_full_queue_refuses_and_takes_nothing),
        TEST(closing_commits_what_waits),
        TEST(a_repeated_event_gets_the_first_entrys_number_and_time),
        TEST(the_same_identity_with_other_content_is_a_conflict),
        TEST(repeats_and_conflicts_are_found_within_one_group),
        TEST(an_identity_is_remembered_for_the_dedup_time_and_not_longer),
        TEST(forgotten_identities_do_not_pile_up),
        TEST(a_cursor_moves_with_its_entry),
        TEST(a_document_is_on_disk_when_put_returns),
        TEST(the_draft_is_the_callers_again_when_append_returns),
        TEST(a_batch_with_a_conflict_is_dropped_whole_and_one_without_is_taken_whole),
        TEST(a_batch_may_be_larger_than_a_group),
        TEST(a_clock_that_steps_back_changes_times_but_not_the_order),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

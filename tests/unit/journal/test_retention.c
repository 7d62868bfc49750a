/* SPDX-License-Identifier: Apache-2.0 */
/* Retention: what goes, what stays of it, and that the chain and the facts stand the same before and after.
 */
#include "bench_retention.h"

static uint64_t tick(struct bench *bench, const char *subject)
{
    struct fs_entry_cell cell = {subject, "c1", "export"};
    struct fs_draft draft = bench_draft(bench, "{\"tick\":1}", 0);
    draft.kind = FS_ENTRY_TICK;
    draft.cells = &cell;
    draft.cell_count = 1;
    return bench_append(bench, &draft).number;
}

static void old_entries_go_and_the_chain_still_fits(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    for (int i = 0; i < 5; i++)
        bench_event(bench, "{\"old\":1}");
    advance(bench, RETENTION - LOOK);
    bench_event(bench, "{\"young\":1}");
    pass(bench, LOOK + 1000, 6);
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.first, 6);
    assert_int_equal(verdict.last, 8);
    close_and_open(bench); /* and numbers go on */
    assert_int_equal(bench_event(bench, "{}").number, 9);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void nothing_goes_without_retention_and_the_last_entry_never(void **state)
{
    struct bench *bench = *state;
    bench->options.clock = (struct fs_clock){now_of, (void *)(uintptr_t)&start};
    bench_open(bench);
    bench_event(bench, "{}");
    advance(bench, 100 * RETENTION);
    bench_event(bench, "{}");
    assert_int_equal(first_entry(bench), 1);
    bench_close(bench);
    advance(bench, 100 * RETENTION);
    open_keeping(bench);
    await_oldest(bench, 2);
    assert_int_equal(bench_verify(bench).checked, 1);
}

static void nothing_goes_while_a_start_reads_what_is_there(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    open_keeping(bench);
    for (int i = 0; i < 3; i++)
        bench_event(bench, "{}");
    bench_close(bench);
    advance(bench, 100 * RETENTION);
    bench->journal = fs_journal_open(&bench->options, &err);
    assert_non_null(bench->journal);
    for (int i = 0; i < 3; i++)
        bench_event(bench, "{}"); /* each has the journal's thread come by */
    assert_int_equal(first_entry(bench), 1);
    fs_journal_replayed(bench->journal);
    await_oldest(bench, 4);
}

static void many_more_than_a_step_go_in_several(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    for (int i = 0; i < 700; i++)
        set_fact(bench, i % 2 ? "anna" : "bo", "n", "1", 0, 0);
    pass(bench, RETENTION + LOOK, 701);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void facts_stay_when_their_entries_go_and_of_one_the_newest_time_wins(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    int64_t now = bench->clock.time.wall;
    set_fact(bench, "anna", "tier", "\"gold\"", now, 0);
    set_fact(bench, "anna", "tier", "\"older\"", now - 5, 0);
    set_fact(bench, "anna", "risk", "[1,{\"a\":2}]", now - 10, 0);
    set_fact(bench, "anna", "risk", NULL, now - 2, 0);
    set_fact(bench, "bo", "tier", "null", now, 0);
    char expected[400];
    snprintf(expected, sizeof expected,
             "anna.risk=- @%" PRId64 " #4 k1;anna.tier=\"gold\" @%" PRId64 " #1 k1;bo.tier=null @%" PRId64
             " #5 k1;",
             now - 2, now, now);
    bench_assert_facts(bench, "");
    pass(bench, RETENTION + LOOK / 2, 6);
    bench_assert_facts(bench, expected);
    close_and_open(bench);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void an_event_without_a_time_counts_in_the_base_though_the_clock_was_set_back(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    int64_t now = bench->clock.time.wall;
    set_fact(bench, "anna", "tier", "\"gold\"", now + 30000, 0);
    set_fact(bench, "anna", "tier", NULL, 0, 0);
    set_fact(bench, "bo", "tier", "1", now + 30000, 0);
    set_fact(bench, "bo", "tier", "2", now, 0);
    char expected[200];
    snprintf(expected, sizeof expected, "anna.tier=- @%" PRId64 " #2 k1;bo.tier=1 @%" PRId64 " #3 k1;",
             now + 30000, now + 30000);
    pass(bench, RETENTION + LOOK / 2, 5);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void what_was_removed_or_has_expired_is_forgotten_when_no_older_event_can_come(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    int64_t now = bench->clock.time.wall;
    set_fact(bench, "anna", "gone", NULL, 0, 0);
    set_fact(bench, "anna", "over", "1", 0, now + 1000);
    set_fact(bench, "anna", "stays", "1", 0, 0);
    char expected[100];
    snprintf(expected, sizeof expected, "anna.stays=1 @%" PRId64 " #3 k1;", now);
    pass(bench, RETENTION + DEDUP + 2 * LOOK, 4);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static uint64_t override(struct bench *bench, const char *body)
{
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_OVERRIDE;
    return bench_append(bench, &draft).number;
}

static bool list_override(void *self, const struct fs_entry *entry)
{
    assert_int_equal(entry->kind, FS_ENTRY_OVERRIDE);
    fs_buf_addf(self, "#%d %.*s;", (int)entry->number, (int)entry->length, entry->body);
    return true;
}

static void assert_overrides(struct bench *bench, const char *expected)
{
    struct fs_buf list;
    struct fs_err err = {0};
    fs_buf_init(&list, 10000);
    assert_true(fs_journal_overrides(bench->journal, list_override, &list, &err));
    assert_string_equal(list.data, expected);
    fs_buf_finish(&list);
}

#define KILL(flag, more)                                                                                     \
    "{\"action\":\"set\",\"author\":\"k1\",\"flag\":\"" flag "\",\"kind\":\"kill\"" more "}"
#define RELEASE(flag, more) "{\"action\":\"release\",\"author\":\"k1\",\"flag\":\"" flag "\"" more "}"

static void overrides_that_stand_stay_when_their_entries_go(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    override(bench, KILL("door", ""));
    override(bench, KILL("door", ",\"subject\":\"anna\""));
    override(bench, KILL("gate", ""));
    override(bench, KILL("gate", ",\"reason\":\"again\""));
    override(bench, KILL("menu", ""));
    override(bench, RELEASE("menu", ""));
    override(bench, KILL("lift", ""));
    override(bench, RELEASE("lift", ",\"kind\":\"force\""));
    assert_overrides(bench, "");
    pass(bench, RETENTION + LOOK / 2, 9);
    static const char expected[] =
        "#1 " KILL("door", "") ";#2 " KILL("door", ",\"subject\":\"anna\"") ";#4 " KILL(
            "gate", ",\"reason\":\"again\"") ";#7 " KILL("lift", "") ";";
    assert_overrides(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
    close_and_open(bench);
    assert_overrides(bench, expected);
    override(bench, RELEASE("door", ""));
    override(bench, RELEASE("door", ",\"subject\":\"anna\""));
    pass(bench, RETENTION + LOOK, 13);
    assert_overrides(bench, "#4 " KILL("gate", ",\"reason\":\"again\"") ";#7 " KILL("lift", "") ";");
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void an_override_that_has_ended_is_forgotten(void **state)
{
    struct bench *bench = *state;
    char body[300];
    open_keeping(bench);
    snprintf(body, sizeof body, KILL("door", ",\"expires\":%" PRId64), bench->clock.time.wall + 1000);
    override(bench, body);
    override(bench, KILL("gate", ""));
    pass(bench, RETENTION + DEDUP + 2 * LOOK, 3);
    assert_overrides(bench, "#2 " KILL("gate", "") ";");
    assert_int_equal(bench_verify(bench).bad, 0);
}

static int cells_of(struct bench *bench)
{
    char path[128];
    sqlite3 *db;
    sqlite3_stmt *count;
    snprintf(path, sizeof path, "%s/journal.db", bench->directory);
    assert_int_equal(sqlite3_open_v2(path, &db, SQLITE_OPEN_READONLY, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_prepare_v2(db, "SELECT count(*) FROM cells", -1, &count, NULL), SQLITE_OK);
    assert_int_equal(sqlite3_step(count), SQLITE_ROW);
    int cells = sqlite3_column_int(count, 0);
    sqlite3_finalize(count);
    sqlite3_close(db);
    return cells;
}

static bool cells_are(struct bench *bench, uint64_t wanted)
{
    return (uint64_t)cells_of(bench) == wanted;
}

static bool count_entry(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts)
{
    (void)entry;
    (void)texts;
    ++*(int *)self;
    return true;
}

static int ticks_of(struct bench *bench, const char *subject)
{
    int count = 0;
    struct fs_err err = {0};
    assert_true(
        fs_journal_cells(bench->journal, subject, NULL, NULL, 0, 0, SIZE_MAX, count_entry, &count, &err));
    return count;
}

static void the_cells_of_what_is_gone_are_gone_too(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    char subject[16];
    for (int i = 0; i < 300; i++) {
        snprintf(subject, sizeof subject, "s%03d", i);
        tick(bench, subject);
    }
    advance(bench, RETENTION - LOOK);
    tick(bench, "s000");
    pass(bench, 2 * LOOK - 1000, 301);
    assert_int_equal(ticks_of(bench, "s000"), 1);
    assert_int_equal(ticks_of(bench, "s001"), 0);
    bench_close(bench); /* another sweep begins at a start, since nobody remembers where the last one stood */
    bench_open(bench);
    await(bench, cells_are, 1);
}

static void a_fact_or_override_that_was_changed_in_the_file_is_found(void **state)
{
    static const char *const deeds[] = {
        "UPDATE facts SET value = '\"platinum\"'",
        "DELETE FROM facts",
        "INSERT INTO facts VALUES ('eve', 'tier', 1, 1, 0, '\"gold\"', NULL)",
        "UPDATE ends SET hash = zeroblob(32) WHERE role = 'base'",
        "DELETE FROM overrides",
        "UPDATE overrides SET body = replace(body, 'kill', 'force')",
        "UPDATE overrides SET expires = 1",
        "INSERT INTO overrides VALUES ('gate', '', 'kill', 1, 1, 0, '{}')",
    };
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        struct bench *bench;
        char path[128];
        sqlite3 *db;
        if (i > 0)
            assert_int_equal(bench_setup(state), 0);
        bench = *state;
        open_keeping(bench);
        set_fact(bench, "anna", "tier", "\"gold\"", 0, 0);
        override(bench, KILL("door", ""));
        pass(bench, RETENTION + LOOK, 3);
        assert_int_equal(bench_verify(bench).bad, 0);
        bench_close(bench);
        snprintf(path, sizeof path, "%s/journal.db", bench->directory);
        assert_int_equal(sqlite3_open(path, &db), SQLITE_OK);
        assert_int_equal(sqlite3_exec(db, deeds[i], NULL, NULL, NULL), SQLITE_OK);
        sqlite3_close(db);
        struct fs_verdict verdict = bench_verify(bench);
        assert_int_equal(verdict.bad, 3);
        assert_non_null(strstr(verdict.text, "facts and overrides"));
        if (i + 1 < sizeof deeds / sizeof *deeds)
            bench_teardown(state);
    }
}

static void retention_below_dedup_is_refused(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    bench->options.retention_ms = DEDUP - 1;
    assert_null(fs_journal_open(&bench->options, &err));
    assert_int_equal(err.code, FS_ERR_CONFIG);
    assert_non_null(strstr(err.text, "dedup"));
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(old_entries_go_and_the_chain_still_fits),
        TEST(nothing_goes_without_retention_and_the_last_entry_never),
        TEST(nothing_goes_while_a_start_reads_what_is_there),
        TEST(many_more_than_a_step_go_in_several),
        TEST(facts_stay_when_their_entries_go_and_of_one_the_newest_time_wins),
        TEST(an_event_without_a_time_counts_in_the_base_though_the_clock_was_set_back),
        TEST(what_was_removed_or_has_expired_is_forgotten_when_no_older_event_can_come),
        TEST(overrides_that_stand_stay_when_their_entries_go),
        TEST(an_override_that_has_ended_is_forgotten),
        TEST(the_cells_of_what_is_gone_are_gone_too),
        TEST(a_fact_or_override_that_was_changed_in_the_file_is_found),
        TEST(retention_below_dedup_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The audit chain against somebody who changes the file. */
#include "bench_journal.h"

#include <fcntl.h>
#include <sys/stat.h>

#define ENTRIES 8

/* Entries 1 to ENTRIES, closed. */
static void make_journal(struct bench *bench)
{
    bench_open(bench);
    for (int i = 1; i <= ENTRIES; i++) {
        char body[32];
        snprintf(body, sizeof body, "{\"n\":%d}", i);
        struct fs_draft draft = bench_draft(bench, body, 0);
        draft.kind = i % 2 ? FS_ENTRY_EVENT : FS_ENTRY_TICK;
        struct fs_entry_cell cell = {"anna", "c1", "export"};
        draft.cells = &cell;
        draft.cell_count = 1;
        bench_identify(&draft, body);
        bench_append(bench, &draft);
        fs_fake_clock_advance(&bench->clock, 10);
    }
    bench_close(bench);
}

static void an_untouched_journal_fits(void **state)
{
    struct bench *bench = *state;
    make_journal(bench);
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.first, 1);
    assert_int_equal(verdict.last, ENTRIES);
    assert_int_equal(verdict.checked, ENTRIES);
    assert_string_equal(verdict.text, "8 entries fit, 0 with an erased body");
}

static void an_empty_journal_fits(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.checked, 0);
    assert_int_equal(verdict.last, 0);
}

static void it_is_checked_while_the_daemon_runs_and_without_its_lock(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_event(bench, "{}");
    assert_int_equal(bench_verify(bench).checked, 1);
    assert_int_equal(bench_event(bench, "{}").number, 2);
    assert_int_equal(bench_verify(bench).checked, 2);
}

static void erase(struct bench *bench, const char *subject)
{
    struct fs_erased erased;
    struct fs_err err = {0};
    assert_true(fs_journal_erase(bench->journal, subject, fs_journal_last(bench->journal), &erased, &err));
}

static void name_subject(struct bench *bench, const char *subject)
{
    struct fs_draft draft = bench_draft(bench, "{\"n\":0}", 0);
    draft.subjects = (const char *const[]){subject, NULL};
    bench_append(bench, &draft);
}

/* Behind entries 1 to ENTRIES: one each of anna, bo, anna; and what erasing anna adds. Closed. */
static void make_erased(struct bench *bench)
{
    make_journal(bench);
    bench_open(bench);
    name_subject(bench, "anna");
    name_subject(bench, "bo");
    name_subject(bench, "anna");
    erase(bench, "anna");
    bench_close(bench);
}

static void an_erased_body_is_no_fault(void **state)
{
    struct bench *bench = *state;
    make_erased(bench);
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 0);
    assert_string_equal(verdict.text, "12 entries fit, 2 with an erased body");
    bench_open(bench);
    assert_int_equal(bench_event(bench, "{}").number, ENTRIES + 5);
    bench_close(bench);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void a_body_that_no_erasure_took_is_missed(void **state)
{
    struct bench *bench = *state;
    make_erased(bench);
    bench_sql(bench, "UPDATE bodies SET body = NULL WHERE number = 10");
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 10);
    assert_non_null(strstr(verdict.text, "no entry tells that it was erased"));
}

static void nobody_can_add_an_erasure_or_take_one_away(void **state)
{
    struct bench *bench = *state;
    make_erased(bench);
    bench_sql(bench, "UPDATE bodies SET body = replace(body, '[9,9]', '[9,10]') WHERE number = 12;"
                     "UPDATE bodies SET body = NULL WHERE number = 10");
    assert_int_equal(bench_verify(bench).bad, 12);
    bench_sql(bench, "UPDATE bodies SET body = NULL WHERE number = 12");
    assert_int_equal(bench_verify(bench).bad, 9);
}

struct tampering {
    const char *sql;
    uint64_t bad;
};

static void copy_file(struct bench *bench, const char *from, const char *to)
{
    char *command = fs_format("cp '%s/%s' '%s/%s'", bench->directory, from, bench->directory, to);
    assert_int_equal(system(command), 0);
    fs_free(command);
}

static void every_change_is_found_at_its_entry(void **state)
{
    struct bench *bench = *state;
    static const struct tampering tamperings[] = {
        /* deleted, at the front, within, at the end */
        {"DELETE FROM entries WHERE number = 1", 1},
        {"DELETE FROM entries WHERE number = 4", 4},
        {"DELETE FROM entries WHERE number = 8", 8},
        {"DELETE FROM entries WHERE number > 5; DELETE FROM bodies WHERE number > 5", 6},
        {"DELETE FROM entries; DELETE FROM bodies", 1},
        {"DELETE FROM bodies WHERE number = 5", 5},
        /* in another order: contents of 3 and 4 swapped, with and without their hashes */
        {"UPDATE entries SET number = -3 WHERE number = 3; UPDATE entries SET number = 3 WHERE number = 4;"
         "UPDATE entries SET number = 4 WHERE number = -3",
         3},
        {"UPDATE bodies SET number = -3 WHERE number = 3; UPDATE bodies SET number = 3 WHERE number = 4;"
         "UPDATE bodies SET number = 4 WHERE number = -3",
         3},
        /* renumbered after a deletion */
        {"DELETE FROM entries WHERE number = 3; DELETE FROM bodies WHERE number = 3;"
         "UPDATE entries SET number = number - 1 WHERE number > 3;"
         "UPDATE bodies SET number = number - 1 WHERE number > 3",
         3},
        /* changed */
        {"UPDATE entries SET time = time + 1 WHERE number = 2", 2},
        {"UPDATE entries SET kind = 'event' WHERE number = 6", 6},
        {"UPDATE bodies SET body = '{\"n\":77}' WHERE number = 7", 7},
        {"UPDATE bodies SET body = body || ' ' WHERE number = 1", 1},
        {"UPDATE bodies SET body = '' WHERE number = 1", 1},
        {"UPDATE entries SET body_hash = zeroblob(32) WHERE number = 2", 2},
        {"UPDATE entries SET hash = zeroblob(32) WHERE number = 2", 2},
        {"UPDATE entries SET hash = x'00' WHERE number = 2", 2},
        {"UPDATE entries SET body_hash = x'' WHERE number = 8", 8},
        /* added */
        {"INSERT INTO entries SELECT 9, kind, time, body_hash, hash FROM entries WHERE number = 8;"
         "INSERT INTO bodies VALUES (9, '{}')",
         9},
        {"INSERT INTO entries SELECT 0, kind, time, body_hash, hash FROM entries WHERE number = 8", 1},
        /* the ends */
        {"UPDATE ends SET number = 7 WHERE role = 'head'; DELETE FROM entries WHERE number = 8", 7},
        {"UPDATE ends SET number = 7, hash = (SELECT hash FROM entries WHERE number = 7) WHERE role = 'head';"
         "DELETE FROM entries WHERE number = 8",
         7},
        {"UPDATE ends SET number = 4, hash = (SELECT hash FROM entries WHERE number = 4) WHERE role = "
         "'anchor';"
         "DELETE FROM entries WHERE number <= 4",
         1},
        {"DELETE FROM ends", 1},
        {"UPDATE ends SET seal = zeroblob(32) WHERE role = 'head'", 8},
    };
    make_journal(bench);
    copy_file(bench, "journal.db", "kept");
    for (size_t i = 0; i < sizeof tamperings / sizeof *tamperings; i++) {
        copy_file(bench, "kept", "journal.db");
        bench_sql(bench, tamperings[i].sql);
        struct fs_verdict verdict = bench_verify(bench);
        if (verdict.bad != tamperings[i].bad)
            fail_msg("%s: entry %" PRIu64 " is blamed: %s", tamperings[i].sql, verdict.bad, verdict.text);
        assert_true(strlen(verdict.text) > 0);
    }
    copy_file(bench, "kept", "journal.db");
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void whom_entries_tell_of_cannot_be_changed_unnoticed(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *sql, *text;
        uint64_t bad;
    } deeds[] = {
        {"UPDATE texts SET subject = 'eve'", "tell of", 1},
        {"UPDATE texts SET actor = 'eve'", "tell of", 1},
        {"UPDATE mentions SET subject = 'eve'", "tell of", 1},
        {"UPDATE mentions SET number = 1 WHERE number = 9", "tell of", 1},
        {"DELETE FROM mentions", "tell of", 1},
        {"INSERT INTO mentions VALUES ('eve', 1)", "tell of", 1},
        {"INSERT INTO texts SELECT 'n', 'eve', number, text, '' FROM texts", "was changed", 10},
        {"DELETE FROM texts", "is gone", 9},
        {"UPDATE texts SET number = 9", "would be pruned before it", 10},
        {"UPDATE texts SET number = 11", "kept for it", 11},
        {"UPDATE texts SET number = 8", "would be pruned before it", 9},
    };
    make_journal(bench);
    bench_open(bench);
    uint8_t secret[FS_ENTRY_SECRET_SIZE];
    char name[65];
    fs_journal_secret(bench->journal, secret);
    fs_entry_text_name(secret, "anna", 4, name);
    struct fs_entry_text text = {.name = name, .subject = "anna", .text = "anna", .length = 4};
    char *body = fs_format("{\"changes\":[{\"contexts\":[\"%s\"]}]}", name);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_TICK;
    draft.texts = &text;
    draft.text_count = 1;
    draft.subjects = (const char *const[]){"anna", NULL};
    bench_append(bench, &draft);
    bench_append(bench, &draft); /* a text that is there already, another mention */
    bench_close(bench);
    fs_free(body);
    assert_int_equal(bench_verify(bench).bad, 0);
    copy_file(bench, "journal.db", "kept");
    for (size_t i = 0; i < sizeof deeds / sizeof *deeds; i++) {
        copy_file(bench, "kept", "journal.db");
        bench_sql(bench, deeds[i].sql);
        struct fs_verdict verdict = bench_verify(bench);
        if (verdict.bad != deeds[i].bad || !strstr(verdict.text, deeds[i].text))
            fail_msg("%s: %s", deeds[i].sql, verdict.text);
    }
}

/* What was erased, put back with the sum that it had, though entries have come since. */
static void an_older_base_state_cannot_be_put_back(void **state)
{
    struct bench *bench = *state;
    struct fs_erased erased;
    struct fs_err err = {0};
    bench_open(bench);
    static const char both[] = "{\"facts\":[{\"fact\":\"n\",\"subject\":\"anna\",\"value\":1},"
                               "{\"fact\":\"n\",\"subject\":\"bo\",\"value\":1}]}";
    struct fs_draft draft = bench_draft(bench, both, 0);
    draft.subjects = (const char *const[]){"anna", "bo", NULL};
    bench_append(bench, &draft);
    erase(bench, "anna"); /* leaves the fact of the other */
    bench_close(bench);
    bench_sql(bench,
              "CREATE TABLE kept AS SELECT * FROM facts; CREATE TABLE ends_kept AS SELECT * FROM ends");
    bench_open(bench);
    assert_true(fs_journal_erase(bench->journal, "bo", 1, &erased, &err));
    bench_event(bench, "{}");
    bench_close(bench);
    assert_int_equal(bench_verify(bench).bad, 0);
    bench_sql(bench, "INSERT INTO facts SELECT * FROM kept;"
                     "INSERT OR REPLACE INTO ends SELECT * FROM ends_kept WHERE role = 'base'");
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_not_equal(verdict.bad, 0);
    assert_non_null(strstr(verdict.text, "what stands beside it"));
}

/* Each byte of each column of each entry, one at a time. */
static void every_flipped_byte_of_an_entry_is_found(void **state)
{
    struct bench *bench = *state;
    static const struct {
        const char *table, *column;
        int bytes;
    } columns[] = {{"entries", "body_hash", 32}, {"entries", "hash", 32}, {"bodies", "body", 7}};
    make_journal(bench);
    char *file = fs_format("%s/journal.db", bench->directory);
    for (size_t c = 0; c < 3; c++) {
        for (int number = 1; number <= ENTRIES; number += bench_deep() ? 1 : 4) {
            for (int at = 0; at < columns[c].bytes; at++) {
                sqlite3 *db = NULL;
                sqlite3_blob *blob = NULL;
                unsigned char byte;
                assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
                assert_int_equal(
                    sqlite3_blob_open(db, "main", columns[c].table, columns[c].column, number, 1, &blob),
                    SQLITE_OK);
                assert_int_equal(sqlite3_blob_read(blob, &byte, 1, at), SQLITE_OK);
                byte ^= 0x01;
                assert_int_equal(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
                assert_int_equal(bench_verify(bench).bad, 0); /* not committed yet */
                sqlite3_blob_close(blob);
                assert_int_equal(bench_verify(bench).bad, number);
                assert_int_equal(
                    sqlite3_blob_open(db, "main", columns[c].table, columns[c].column, number, 1, &blob),
                    SQLITE_OK);
                byte ^= 0x01;
                assert_int_equal(sqlite3_blob_write(blob, &byte, 1, at), SQLITE_OK);
                sqlite3_blob_close(blob);
                sqlite3_close(db);
            }
        }
    }
    assert_int_equal(bench_verify(bench).bad, 0);
    fs_free(file);
}

static bool read_back(struct bench *bench, struct bench_text *out)
{
    struct fs_err err = {0};
    memset(out, 0, sizeof *out);
    bench->journal = fs_journal_open(&bench->options, &err);
    bool read = bench->journal && fs_journal_read(bench->journal, 1, 100, bench_collect, out, &err);
    bench_close(bench);
    return read;
}

/* A byte of the file itself: either it is found, or the entries read as they were (it lay in unused space).
 */
static void a_flipped_byte_of_the_file_is_found_or_harmless(void **state)
{
    struct bench *bench = *state;
    struct bench_text before, after;
    make_journal(bench);
    assert_true(read_back(bench, &before));
    copy_file(bench, "journal.db", "kept");
    char *file = fs_format("%s/journal.db", bench->directory);
    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    uint64_t seed = 20260101;
    size_t found = 0, flips = bench_deep() ? 2000 : 200;
    for (size_t i = 0; i < flips; i++) {
        seed = seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
        off_t at = (off_t)((seed >> 33) % (uint64_t)st.st_size);
        unsigned char byte, flip = (unsigned char)(1u << ((seed >> 30) & 7));
        copy_file(bench, "kept", "journal.db");
        int handle = open(file, O_RDWR);
        assert_int_equal(pread(handle, &byte, 1, at), 1);
        byte ^= flip;
        assert_int_equal(pwrite(handle, &byte, 1, at), 1);
        close(handle);
        struct fs_verdict verdict;
        struct fs_err err = {0};
        if (!fs_journal_verify(bench->directory, &verdict, &err) || verdict.bad) {
            found++;
            continue;
        }
        if (read_back(bench, &after))
            assert_string_equal(after.text, before.text);
    }
    assert_true(found > 0);
    fs_free(file);
}

static void a_directory_without_a_journal_is_an_error(void **state)
{
    struct bench *bench = *state;
    struct fs_verdict verdict;
    struct fs_err err = {0};
    assert_false(fs_journal_verify(bench->root, &verdict, &err));
    assert_true(strlen(err.text) > 0);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_untouched_journal_fits),
        TEST(an_empty_journal_fits),
        TEST(it_is_checked_while_the_daemon_runs_and_without_its_lock),
        TEST(an_erased_body_is_no_fault),
        TEST(a_body_that_no_erasure_took_is_missed),
        TEST(nobody_can_add_an_erasure_or_take_one_away),
        TEST(every_change_is_found_at_its_entry),
        TEST(whom_entries_tell_of_cannot_be_changed_unnoticed),
        TEST(an_older_base_state_cannot_be_put_back),
        TEST(every_flipped_byte_of_an_entry_is_found),
        TEST(a_flipped_byte_of_the_file_is_found_or_harmless),
        TEST(a_directory_without_a_journal_is_an_error),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

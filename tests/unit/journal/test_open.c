/* SPDX-License-Identifier: Apache-2.0 */
/* Opening: the lock, modes, the key, schema versions, files that are no journal, an end that was cut off. */
#include "bench_journal.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include "database.h"
#include "schema.h"

static void refused(struct bench *bench, enum fs_err_code code, const char *words)
{
    struct fs_err err = {0};
    bench->journal = fs_journal_open(&bench->options, &err);
    assert_null(bench->journal);
    assert_int_equal(err.code, code);
    if (!strstr(err.text, words))
        fail_msg("'%s' is not in: %s", words, err.text);
}

static mode_t mode_of(struct bench *bench, const char *name)
{
    struct stat st;
    char *path = fs_format("%s/%s", bench->directory, name);
    assert_int_equal(stat(path, &st), 0);
    fs_free(path);
    return st.st_mode & 0777;
}

static void nobody_else_may_read_what_it_makes(void **state)
{
    struct bench *bench = *state;
    mode_t before = umask(0);
    bench_open(bench);
    bench_event(bench, "{}");
    umask(before);
    assert_int_equal(mode_of(bench, "."), 0700);
    static const char *const names[] = {"journal.db", "journal.db-wal", "journal.db-shm", "audit.key",
                                        "lock"};
    for (size_t i = 0; i < 5; i++)
        assert_int_equal(mode_of(bench, names[i]), 0600);
}

/* A child opens the journal, says so, and waits until it is killed. */
static pid_t child_with_journal(struct bench *bench)
{
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        if (fs_journal_open(&bench->options, NULL) && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    return child;
}

static void a_second_process_is_told_which_has_the_lock(void **state)
{
    struct bench *bench = *state;
    pid_t child = child_with_journal(bench);
    char words[32];
    snprintf(words, sizeof words, "process %ld ", (long)child);
    refused(bench, FS_ERR_GENERAL, words);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    bench_open(bench); /* a lock of the dead is no lock */
}

static void a_second_journal_in_one_process_is_refused(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    struct fs_err err = {0};
    assert_null(fs_journal_open(&bench->options, &err));
    assert_int_equal(err.code, FS_ERR_GENERAL);
    assert_int_equal(bench_event(bench, "{}").number, 1);
}

static void a_newer_schema_is_refused_by_number(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    bench_sql(bench, "PRAGMA user_version = 99");
    refused(bench, FS_ERR_CONFIG, "schema 99");
}

static void write_file(struct bench *bench, const char *name, const char *bytes, size_t length)
{
    char *path = fs_format("%s/%s", bench->directory, name);
    int handle = open(path, O_WRONLY | O_CREAT | O_TRUNC, 0600);
    assert_true(handle >= 0);
    assert_int_equal(write(handle, bytes, length), length);
    close(handle);
    fs_free(path);
}

static void a_file_that_is_no_database_is_refused_and_left_alone(void **state)
{
    struct bench *bench = *state;
    static const char text[] = "these are somebody's notes and they are longer than a header, aren't they? "
                               "A header of SQLite has a hundred bytes.";
    char got[sizeof text] = "";
    bench_open(bench);
    bench_close(bench);
    write_file(bench, "journal.db", text, sizeof text);
    refused(bench, FS_ERR_CONFIG, "no journal");
    char *path = fs_format("%s/journal.db", bench->directory);
    int handle = open(path, O_RDONLY);
    assert_int_equal(read(handle, got, sizeof got), sizeof text);
    assert_memory_equal(got, text, sizeof text);
    close(handle);
    fs_free(path);
}

static void a_database_of_somebody_else_is_refused(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    write_file(bench, "journal.db", "", 0);
    bench_sql(bench, "CREATE TABLE notes (text)");
    refused(bench, FS_ERR_CONFIG, "no journal");
}

static void an_empty_database_of_version_0_becomes_a_journal(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    /* What a start leaves that was cut off after the file had its header and before it had a table. */
    write_file(bench, "journal.db", "", 0);
    bench_sql(bench, "PRAGMA journal_mode = WAL; VACUUM");
    bench_open(bench);
    assert_int_equal(bench_event(bench, "{}").number, 1);
}

static bool count_notes(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    (void)key;
    return fs_database_exec(db, "INSERT INTO counts SELECT count(*) FROM notes", err);
}

static bool refuse_step(sqlite3 *db, const struct fs_sha256 *key, struct fs_err *err)
{
    (void)db;
    (void)key;
    return fs_fail(err, FS_ERR_GENERAL, "cannot");
}

static sqlite3_int64 number_of(sqlite3 *db, const char *sql)
{
    sqlite3_int64 number = -1;
    struct fs_err err = {0};
    assert_true(fs_database_number(db, sql, -1, &number, &err));
    return number;
}

/* The machinery, with steps of the test's own: version 0 by hand, then two versions on. */
static void an_older_schema_is_migrated_step_by_step(void **state)
{
    struct bench *bench = *state;
    const struct fs_schema_step steps[] = {
        {"CREATE TABLE notes (text)", NULL, false},
        {"CREATE TABLE counts (n); INSERT INTO notes VALUES ('from 1 to 2')", count_notes, false},
        {"DROP TABLE notes", refuse_step, false},
    };
    const struct fs_sha256 key = {{0}};
    struct fs_err err = {0};
    sqlite3 *db = NULL;
    char *file = fs_format("%s/steps.db", bench->root);
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    assert_true(fs_schema_migrate(db, steps, 1, &key, &err));
    assert_int_equal(number_of(db, "PRAGMA user_version"), 1);
    assert_true(fs_database_exec(db, "INSERT INTO notes VALUES ('kept')", &err));
    assert_true(fs_schema_migrate(db, steps, 2, &key, &err));
    assert_int_equal(number_of(db, "PRAGMA user_version"), 2);
    assert_int_equal(number_of(db, "SELECT n FROM counts"), 2);
    assert_true(fs_schema_migrate(db, steps, 2, &key, &err)); /* nothing to do */
    /* A step that fails leaves the version before it, whole. */
    assert_false(fs_schema_migrate(db, steps, 3, &key, &err));
    assert_non_null(strstr(err.text, "schema 3"));
    assert_int_equal(number_of(db, "PRAGMA user_version"), 2);
    assert_int_equal(number_of(db, "SELECT count(*) FROM notes"), 2);
    sqlite3_close(db);
    fs_free(file);
}

static void the_schema_says_its_version(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    char *file = fs_format("%s/journal.db", bench->directory);
    struct fs_err err = {0};
    sqlite3 *db = fs_database_open(file, FS_DATABASE_READ, &err);
    assert_non_null(db);
    assert_int_equal(number_of(db, "PRAGMA user_version"), fs_schema_version);
    sqlite3_close(db);
    fs_free(file);
}

static void a_lost_key_is_named_and_no_new_one_made(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    char *path = fs_format("%s/audit.key", bench->directory);
    assert_int_equal(unlink(path), 0);
    refused(bench, FS_ERR_CONFIG, "audit.key is missing");
    assert_int_equal(access(path, F_OK), -1);
    fs_free(path);
}

static void the_key_of_another_journal_is_refused(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    write_file(bench, "audit.key", "01234567890123456789012345678901", 32);
    refused(bench, FS_ERR_DIFFERS, "audit key");
}

static void a_key_that_others_may_read_is_refused(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_close(bench);
    char *path = fs_format("%s/audit.key", bench->directory);
    assert_int_equal(chmod(path, 0640), 0);
    refused(bench, FS_ERR_CONFIG, "chmod 600");
    fs_free(path);
}

static void a_journal_that_lost_its_last_entry_is_not_written_on(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    bench_event(bench, "{}");
    bench_event(bench, "{}");
    bench_close(bench);
    bench_sql(bench, "DELETE FROM entries WHERE number = 2");
    refused(bench, FS_ERR_DIFFERS, "should end with entry 2");
}

static void a_directory_that_is_a_file_is_refused(void **state)
{
    struct bench *bench = *state;
    bench->options.directory = "/dev/null";
    refused(bench, FS_ERR_CONFIG, "/dev/null");
}

static char *read_file(const char *path, size_t *length)
{
    struct stat st;
    int handle = open(path, O_RDONLY);
    assert_true(handle >= 0 && fstat(handle, &st) == 0);
    char *bytes = fs_alloc((size_t)st.st_size + 1);
    *length = (size_t)st.st_size;
    assert_int_equal(read(handle, bytes, *length), st.st_size);
    close(handle);
    return bytes;
}

/* A loss of power may leave any prefix of the write-ahead log: what is left must be a prefix of the entries.
 */
static void a_write_ahead_log_cut_anywhere_leaves_a_journal_that_verifies(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    for (int i = 0; i < 12; i++)
        bench_event(bench, "{\"power\":true}");
    size_t database_length, log_length;
    char *database_path = fs_format("%s/journal.db", bench->directory);
    char *log_path = fs_format("%s/journal.db-wal", bench->directory);
    char *database = read_file(database_path, &database_length), *log = read_file(log_path, &log_length);
    bench_close(bench);
    uint64_t before = 0;
    size_t stride = bench_deep() ? 97 : 2311;
    for (size_t cut = 0; cut <= log_length;
         cut = cut + stride > log_length && cut < log_length ? log_length : cut + stride) {
        struct fs_verdict verdict;
        struct fs_err err = {0};
        write_file(bench, "journal.db", database, database_length);
        write_file(bench, "journal.db-wal", log, cut);
        bench_open(bench);
        assert_true(fs_journal_last(bench->journal) >= before);
        before = fs_journal_last(bench->journal);
        bench_close(bench);
        assert_true(fs_journal_verify(bench->directory, &verdict, &err));
        assert_int_equal(verdict.bad, 0);
        assert_int_equal(verdict.last, before);
    }
    assert_int_equal(before, 12);
    fs_free(database);
    fs_free(log);
    fs_free(database_path);
    fs_free(log_path);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nobody_else_may_read_what_it_makes),
        TEST(a_second_process_is_told_which_has_the_lock),
        TEST(a_second_journal_in_one_process_is_refused),
        TEST(a_newer_schema_is_refused_by_number),
        TEST(a_file_that_is_no_database_is_refused_and_left_alone),
        TEST(a_database_of_somebody_else_is_refused),
        TEST(an_empty_database_of_version_0_becomes_a_journal),
        TEST(an_older_schema_is_migrated_step_by_step),
        TEST(the_schema_says_its_version),
        TEST(a_lost_key_is_named_and_no_new_one_made),
        TEST(the_key_of_another_journal_is_refused),
        TEST(a_key_that_others_may_read_is_refused),
        TEST(a_journal_that_lost_its_last_entry_is_not_written_on),
        TEST(a_directory_that_is_a_file_is_refused),
        TEST(a_write_ahead_log_cut_anywhere_leaves_a_journal_that_verifies),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* A copy while the journal runs, and a journal from the copy. */
#include "bench_journal.h"

#include <stdatomic.h>
#include <sys/stat.h>

static void restore(struct bench *bench, const char *file)
{
    char *command = fs_format("mkdir -m 700 '%s/other' && cp -p '%s' '%s/other/journal.db' && "
                              "cp -p '%s.key' '%s/other/audit.key'",
                              bench->root, file, bench->root, file, bench->root);
    assert_int_equal(system(command), 0);
    fs_free(command);
    snprintf(bench->directory, sizeof bench->directory, "%s/other", bench->root);
}

static void a_backup_is_a_journal_of_one_moment_and_goes_on_from_there(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    char *file = fs_format("%s/copy.db", bench->root);
    bench_open(bench);
    for (int i = 0; i < 5; i++)
        bench_event(bench, "{}");
    assert_true(fs_journal_put(bench->journal, "keys", "[]", &err));
    if (!fs_journal_backup(bench->journal, file, &err))
        fail_msg("%s", err.text);
    bench_event(bench, "{\"after\":true}");
    bench_close(bench);

    struct stat st;
    assert_int_equal(stat(file, &st), 0);
    assert_int_equal(st.st_mode & 0777, 0600);
    restore(bench, file);
    struct fs_verdict verdict;
    assert_true(fs_journal_verify(bench->directory, &verdict, &err));
    assert_int_equal(verdict.bad, 0);
    assert_int_equal(verdict.last, 5);
    bench_open(bench);
    assert_int_equal(fs_journal_last(bench->journal), 5);
    char *keys = bench_document(bench, "keys");
    assert_string_equal(keys, "[]");
    fs_free(keys);
    assert_int_equal(bench_event(bench, "{}").number, 6);
    fs_free(file);
}

static void a_file_that_exists_is_not_overwritten(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    char *file = fs_format("%s/copy.db", bench->root);
    bench_open(bench);
    assert_true(fs_journal_backup(bench->journal, file, &err));
    assert_false(fs_journal_backup(bench->journal, file, &err));
    assert_non_null(strstr(err.text, "copy.db"));
    assert_int_equal(unlink(file),
                     0); /* the key of the first one is still there: nothing is left of the second */
    assert_false(fs_journal_backup(bench->journal, file, &err));
    assert_int_equal(access(file, F_OK), -1);
    fs_free(file);
}

static void a_backup_into_a_missing_directory_says_so(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    bench_open(bench);
    assert_false(fs_journal_backup(bench->journal, "/nonexistent/copy.db", &err));
    assert_non_null(strstr(err.text, "/nonexistent/copy.db"));
}

struct copier {
    struct bench *bench;
    char *file;
    bool copied;
};

static void *copy_once(void *self)
{
    struct copier *copier = self;
    struct fs_err err = {0};
    copier->copied = fs_journal_backup(copier->bench->journal, copier->file, &err);
    return NULL;
}

static void a_backup_beside_a_busy_writer_is_whole(void **state)
{
    struct bench *bench = *state;
    struct fs_err err = {0};
    struct copier copier = {.bench = bench, .file = fs_format("%s/copy.db", bench->root)};
    pthread_t thread;
    bench_open(bench);
    for (int i = 0; i < 100; i++)
        bench_event(bench, "{}");
    assert_int_equal(pthread_create(&thread, NULL, copy_once, &copier), 0);
    for (int i = 0; i < 300; i++)
        bench_event(bench, "{}");
    pthread_join(thread, NULL);
    assert_true(copier.copied);
    bench_close(bench);
    restore(bench, copier.file);
    struct fs_verdict verdict;
    assert_true(fs_journal_verify(bench->directory, &verdict, &err));
    assert_int_equal(verdict.bad, 0);
    assert_true(verdict.last >= 100 && verdict.last <= 400);
    fs_free(copier.file);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_backup_is_a_journal_of_one_moment_and_goes_on_from_there),
        TEST(a_file_that_exists_is_not_overwritten),
        TEST(a_backup_into_a_missing_directory_says_so),
        TEST(a_backup_beside_a_busy_writer_is_whole),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

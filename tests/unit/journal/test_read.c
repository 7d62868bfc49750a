/* SPDX-License-Identifier: Apache-2.0 */
/* Reading: from a number on, the ticks of a cell, beside the writer and from several threads. */
#include "bench_journal.h"

#include <stdatomic.h>

static const char *read_all(struct bench *bench, uint64_t from, size_t limit, struct bench_text *out)
{
    struct fs_err err = {0};
    memset(out, 0, sizeof *out);
    if (!fs_journal_read(bench->journal, from, limit, bench_collect, out, &err))
        fail_msg("%s", err.text);
    return out->text;
}

static void entries_are_read_in_order_from_a_number_on(void **state)
{
    struct bench *bench = *state;
    struct bench_text out;
    bench_open(bench);
    assert_string_equal(read_all(bench, 1, 10, &out), "");
    bench_event(bench, "{\"n\":1}");
    struct fs_draft draft = bench_draft(bench, "{\"n\":2}", 0);
    draft.kind = FS_ENTRY_TICK;
    bench_append(bench, &draft);
    draft.kind = FS_ENTRY_OPERATOR;
    draft.body = "{\"n\":3}";
    bench_append(bench, &draft);
    assert_string_equal(read_all(bench, 1, 10, &out),
                        "1 event {\"n\":1}\n2 tick {\"n\":2}\n3 operator {\"n\":3}\n");
    assert_string_equal(read_all(bench, 2, 1, &out), "2 tick {\"n\":2}\n");
    assert_string_equal(read_all(bench, 4, 10, &out), "");
    assert_string_equal(read_all(bench, 1, 0, &out), "");
    assert_string_equal(read_all(bench, UINT64_MAX, 10, &out), "");
}

static const char *read_back(struct bench *bench, uint64_t from, uint64_t before, unsigned kinds,
                             size_t limit, struct bench_text *out)
{
    struct fs_err err = {0};
    memset(out, 0, sizeof *out);
    if (!fs_journal_read_back(bench->journal, from, before, kinds, limit, bench_collect, out, &err))
        fail_msg("%s", err.text);
    return out->text;
}

static void entries_of_chosen_kinds_are_read_backwards(void **state)
{
    struct bench *bench = *state;
    struct bench_text out;
    const unsigned events = 1u << FS_ENTRY_EVENT, ticks = 1u << FS_ENTRY_TICK;
    bench_open(bench);
    for (int i = 0; i < 3; i++) {
        struct fs_draft draft = bench_draft(bench, "{}", 0);
        bench_append(bench, &draft);
        draft.kind = FS_ENTRY_TICK;
        bench_append(bench, &draft);
    }
    assert_string_equal(read_back(bench, 1, UINT64_MAX, events, 10, &out),
                        "5 event {}\n3 event {}\n1 event {}\n");
    assert_string_equal(read_back(bench, 1, 5, events | ticks, 2, &out), "4 tick {}\n3 event {}\n");
    assert_string_equal(read_back(bench, 4, 7, ticks, 10, &out), "6 tick {}\n4 tick {}\n");
    assert_string_equal(read_back(bench, 1, 7, 0, 10, &out), "");
    assert_string_equal(read_back(bench, 1, 1, events, 10, &out), "");
}

static void a_reader_that_has_enough_ends_the_reading(void **state)
{
    struct bench *bench = *state;
    struct bench_text out = {.stop_after = 2};
    struct fs_err err = {0};
    bench_open(bench);
    for (int i = 0; i < 4; i++)
        bench_event(bench, "{}");
    assert_true(fs_journal_read(bench->journal, 1, 10, bench_collect, &out, &err));
    assert_int_equal(out.entries, 2);
}

static void every_kind_of_entry_comes_back_as_it_was(void **state)
{
    struct bench *bench = *state;
    struct bench_text out;
    bench_open(bench);
#define X(kind_, name)                                                                                       \
    {                                                                                                        \
        struct fs_draft draft = bench_draft(bench, "{}", 0);                                                 \
        draft.kind = kind_;                                                                                  \
        bench_append(bench, &draft);                                                                         \
        assert_non_null(strstr(read_all(bench, fs_journal_last(bench->journal), 1, &out), name));            \
    }
    FS_ENTRY_KINDS(X)
#undef X
}

static void tick(struct bench *bench, const char *body, const struct fs_entry_cell *cells, size_t count)
{
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_TICK;
    draft.cells = cells;
    draft.cell_count = count;
    bench_append(bench, &draft);
    fs_fake_clock_advance(&bench->clock, 1000);
}

static const char *cells(struct bench *bench, const char *subject, const char *context, const char *flag,
                         int64_t until, uint64_t before, size_t limit, struct bench_text *out)
{
    struct fs_err err = {0};
    memset(out, 0, sizeof *out);
    if (!fs_journal_cells(bench->journal, subject, context, flag, until, before, limit, bench_collect_tick,
                          out, &err))
        fail_msg("%s", err.text);
    return out->text;
}

static void the_ticks_of_a_cell_come_newest_first_and_once(void **state)
{
    struct bench *bench = *state;
    struct bench_text out;
    const struct fs_entry_cell first[] = {{"anna", "c1", "export"},
                                          {"anna", "c1", "billing"},
                                          {"anna", "c2", "export"},
                                          {"anna", "c1", "export"}};
    const struct fs_entry_cell second[] = {{"bob", "c3", "export"}};
    const struct fs_entry_cell third[] = {{"anna", "c2", "billing"}};
    bench_open(bench);
    int64_t start = bench->clock.time.wall;
    tick(bench, "1", first, 4);
    tick(bench, "2", second, 1);
    tick(bench, "3", third, 1);
    bench_event(bench, "4"); /* no tick */
    assert_string_equal(cells(bench, "anna", NULL, NULL, 0, 0, 9, &out), "3 tick 3\n1 tick 1\n");
    assert_string_equal(cells(bench, "anna", NULL, "export", 0, 0, 9, &out), "1 tick 1\n");
    assert_string_equal(cells(bench, "anna", "c2", NULL, 0, 0, 9, &out), "3 tick 3\n1 tick 1\n");
    assert_string_equal(cells(bench, "anna", "c1", "billing", 0, 0, 9, &out), "1 tick 1\n");
    assert_string_equal(cells(bench, NULL, NULL, "export", 0, 0, 9, &out), "2 tick 2\n1 tick 1\n");
    assert_string_equal(cells(bench, NULL, "c2", "billing", 0, 0, 9, &out), "3 tick 3\n");
    assert_string_equal(cells(bench, NULL, "c3", NULL, 0, 0, 9, &out), "2 tick 2\n");
    assert_string_equal(cells(bench, NULL, NULL, NULL, 0, 0, 9, &out), "3 tick 3\n2 tick 2\n1 tick 1\n");
    assert_string_equal(cells(bench, NULL, NULL, NULL, 0, 3, 1, &out), "2 tick 2\n");
    assert_string_equal(cells(bench, "anna", NULL, NULL, 0, 3, 9, &out), "1 tick 1\n");
    assert_string_equal(cells(bench, "anna", NULL, NULL, start + 1999, 0, 9, &out), "1 tick 1\n");
    assert_string_equal(cells(bench, "anna", NULL, NULL, start + 2000, 0, 9, &out), "3 tick 3\n1 tick 1\n");
    assert_string_equal(cells(bench, "nobody", NULL, NULL, 0, 0, 9, &out), "");
}

static void an_erased_body_reads_as_null(void **state)
{
    struct bench *bench = *state;
    struct bench_text out;
    bench_open(bench);
    bench_event(bench, "{\"secret\":1}");
    bench_close(bench);
    bench_sql(bench, "UPDATE bodies SET body = NULL WHERE number = 1");
    bench_open(bench);
    assert_string_equal(read_all(bench, 1, 10, &out), "1 event null\n");
}

static void a_body_that_is_lost_is_an_error_and_not_passed_over(void **state)
{
    struct bench *bench = *state;
    struct bench_text out = {0};
    struct fs_err err = {0};
    bench_open(bench);
    bench_event(bench, "{\"a\":1}");
    bench_event(bench, "{\"b\":1}");
    bench_close(bench);
    bench_sql(bench, "DELETE FROM bodies WHERE number = 1");
    bench_open(bench);
    assert_true(fs_journal_read(bench->journal, 2, 10, bench_collect, &out, &err));
    assert_false(fs_journal_damaged(bench->journal));
    assert_false(fs_journal_read(bench->journal, 1, 10, bench_collect, &out, &err));
    assert_int_equal(err.code, FS_ERR_DIFFERS);
    assert_non_null(strstr(err.text, "entry 1 is lost"));
    assert_true(fs_journal_damaged(bench->journal));
}

/* A reader sees numbers without gaps, up to what was committed when it began, while the writer goes on. */
struct sweep {
    struct bench *bench;
    atomic_bool stop;
    bool gap;
    uint64_t next;
};

static bool follow(void *self, const struct fs_entry *entry)
{
    struct sweep *sweep = self;
    sweep->gap |= entry->number != sweep->next++;
    return true;
}

static void *sweep_on(void *self)
{
    struct sweep *sweep = self;
    struct fs_err err = {0};
    do {
        uint64_t last = fs_journal_last(sweep->bench->journal);
        sweep->next = 1;
        sweep->gap |= !fs_journal_read(sweep->bench->journal, 1, SIZE_MAX, follow, sweep, &err);
        sweep->gap |= sweep->next <= last; /* what was told as committed is there to be read */
    } while (!atomic_load(&sweep->stop));
    return NULL;
}

static void several_threads_read_beside_the_writer(void **state)
{
    struct bench *bench = *state;
    enum { THREADS = 6, ENTRIES = 200 };
    struct sweep sweeps[THREADS];
    pthread_t threads[THREADS];
    bench_open(bench);
    for (size_t i = 0; i < THREADS; i++) {
        sweeps[i] = (struct sweep){.bench = bench};
        assert_int_equal(pthread_create(&threads[i], NULL, sweep_on, &sweeps[i]), 0);
    }
    for (int i = 0; i < ENTRIES; i++)
        bench_event(bench, "{}");
    for (size_t i = 0; i < THREADS; i++)
        atomic_store(&sweeps[i].stop, true);
    for (size_t i = 0; i < THREADS; i++) {
        pthread_join(threads[i], NULL);
        assert_false(sweeps[i].gap);
    }
    assert_int_equal(fs_journal_last(bench->journal), ENTRIES);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(entries_are_read_in_order_from_a_number_on),
        TEST(entries_of_chosen_kinds_are_read_backwards),
        TEST(a_reader_that_has_enough_ends_the_reading),
        TEST(every_kind_of_entry_comes_back_as_it_was),
        TEST(the_ticks_of_a_cell_come_newest_first_and_once),
        TEST(an_erased_body_reads_as_null),
        TEST(a_body_that_is_lost_is_an_error_and_not_passed_over),
        TEST(several_threads_read_beside_the_writer),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

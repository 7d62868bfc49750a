/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a person: nothing in the file tells of them any more, everybody else is as before, and the chain
 * still fits. */
#include "base/buf.h"
#include "bench_journal.h"

#include <signal.h>
#include <sys/wait.h>

/* An event that sets fact `n` of each of the subjects (NULL-terminated) to the value. */
static uint64_t set_facts(struct bench *bench, const char *const *subjects, int value)
{
    struct fs_buf body;
    fs_buf_init(&body, 1000);
    fs_buf_adds(&body, "{\"credential\":\"k1\",\"facts\":[");
    for (size_t i = 0; subjects[i]; i++)
        fs_buf_addf(&body, "%s{\"fact\":\"n\",\"subject\":\"%s\",\"value\":%d}", i ? "," : "", subjects[i],
                    value);
    fs_buf_adds(&body, "]}");
    struct fs_draft draft = bench_draft(bench, body.data, 0);
    draft.subjects = subjects;
    uint64_t number = bench_append(bench, &draft).number;
    fs_buf_finish(&body);
    return number;
}

static void name_of(struct bench *bench, const char *text, char name[65])
{
    uint8_t secret[FS_ENTRY_SECRET_SIZE];
    fs_journal_secret(bench->journal, secret);
    fs_entry_text_name(secret, text, strlen(text), name);
}

/* A tick that changes a flag of one context of each of the two. */
static void tick(struct bench *bench, const char *a, const char *b)
{
    const char *const subjects[] = {a, b};
    struct fs_entry_cell cells[2];
    struct fs_entry_text texts[2];
    char names[2][65], contexts[2][100], body[400];
    for (size_t i = 0; i < 2; i++) {
        snprintf(contexts[i], sizeof contexts[i], "{\"targetingKey\":\"%s\"}", subjects[i]);
        name_of(bench, contexts[i], names[i]);
        cells[i] = (struct fs_entry_cell){subjects[i], names[i], "export"};
        texts[i] = (struct fs_entry_text){
            .name = names[i], .subject = subjects[i], .text = contexts[i], .length = strlen(contexts[i])};
    }
    snprintf(body, sizeof body, "{\"changes\":[{\"contexts\":[\"%s\",\"%s\"]}]}", names[0], names[1]);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_TICK;
    draft.cells = cells;
    draft.texts = texts;
    draft.cell_count = draft.text_count = 2;
    bench_append(bench, &draft);
}

static struct fs_erased erase(struct bench *bench, const char *subject)
{
    struct fs_erased erased;
    struct fs_err err = {0};
    if (!fs_journal_erase(bench->journal, subject, fs_journal_last(bench->journal), &erased, &err))
        fail_msg("%s", err.text);
    return erased;
}

static bool holds(struct bench *bench, const char *name, const char *text)
{
    char *path = fs_format("%s/%s", bench->directory, name);
    FILE *file = fopen(path, "rb");
    size_t size = 4 << 20, length = file ? 0 : size;
    char *bytes = fs_calloc(1, size + 1);
    if (file) {
        length = fread(bytes, 1, size, file);
        assert_true(length < size);
        fclose(file);
    }
    bool found = file && memmem(bytes, length, text, strlen(text));
    fs_free(bytes);
    fs_free(path);
    return found;
}

/* Pages that are free, and the write-ahead log, count too. */
static bool file_tells_of(struct bench *bench, const char *text)
{
    return holds(bench, "journal.db", text) || holds(bench, "journal.db-wal", text);
}

static void nothing_tells_of_the_erased_and_the_chain_still_fits(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    set_facts(bench, (const char *const[]){"anna", NULL}, 1);
    set_facts(bench, (const char *const[]){"bo", NULL}, 2);
    tick(bench, "anna", "bo");
    assert_true(file_tells_of(bench, "anna"));
    struct fs_erased erased = erase(bench, "anna");
    assert_int_equal(erased.bodies, 1);
    assert_int_equal(erased.texts, 1);
    assert_int_equal(erased.cells, 1);
    assert_false(file_tells_of(bench, "anna"));
    assert_true(file_tells_of(bench, "bo"));
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 0);
    assert_non_null(strstr(verdict.text, "1 with an erased body"));
    assert_int_equal(erase(bench, "anna").bodies, 0);
}

struct told {
    char name[65];
    char text[100];
    int ticks;
};

static bool look_up(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts)
{
    struct told *told = self;
    (void)entry;
    const char *text = fs_journal_text(texts, told->name);
    snprintf(told->text, sizeof told->text, "%s", text ? text : "-");
    told->ticks++;
    return true;
}

static struct told tell(struct bench *bench, const char *subject, const char *context)
{
    struct told told = {.ticks = 0};
    struct fs_err err = {0};
    name_of(bench, context, told.name);
    assert_true(fs_journal_cells(bench->journal, subject, NULL, NULL, 0, 0, SIZE_MAX, look_up, &told, &err));
    return told;
}

static void a_tick_still_tells_of_the_others_in_it(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    tick(bench, "anna", "bo");
    assert_string_equal(tell(bench, "anna", "{\"targetingKey\":\"anna\"}").text,
                        "{\"targetingKey\":\"anna\"}");
    erase(bench, "anna");
    assert_int_equal(tell(bench, "anna", "{\"targetingKey\":\"anna\"}").ticks, 0);
    assert_string_equal(tell(bench, "bo", "{\"targetingKey\":\"anna\"}").text, "-");
    assert_string_equal(tell(bench, "bo", "{\"targetingKey\":\"bo\"}").text, "{\"targetingKey\":\"bo\"}");
}

static void facts_that_an_erased_body_told_of_others_stay(void **state)
{
    struct bench *bench = *state;
    char expected[100];
    bench_open(bench);
    uint64_t both = set_facts(bench, (const char *const[]){"anna", "bo", NULL}, 1);
    bench->clock.time.wall += 10;
    set_facts(bench, (const char *const[]){"carl", NULL}, 3);
    erase(bench, "anna");
    snprintf(expected, sizeof expected, "bo.n=1 @%" PRId64 " #%" PRIu64 " k1;", bench->clock.time.wall - 10,
             both);
    bench_assert_facts(bench, expected);
    bench_close(bench);
    bench_open(bench);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
    erase(bench, "bo");
    bench_assert_facts(bench, "");
    assert_int_equal(bench_verify(bench).bad, 0);
}

static uint64_t set_at(struct bench *bench, const char *subject, int value, int64_t time)
{
    char body[200];
    snprintf(body, sizeof body,
             "{\"credential\":\"k1\",\"facts\":[{\"fact\":\"n\",\"subject\":\"%s\",\"value\":%d}],"
             "\"time\":%" PRId64 "}",
             subject, value, time);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.subjects = (const char *const[]){subject, NULL};
    return bench_append(bench, &draft).number;
}

/* The moment of an event that states none is that of the fact it replaces, where the clock was set back: what
 * is left of its erased entry must not fall behind that of the earlier one, which is still there. */
static void what_an_erased_event_without_a_time_said_of_others_stays_newer_than_what_it_replaced(void **state)
{
    struct bench *bench = *state;
    char expected[100];
    bench_open(bench);
    int64_t ahead = bench->clock.time.wall + 30000;
    set_at(bench, "bo", 1, ahead);
    uint64_t both = set_facts(bench, (const char *const[]){"anna", "bo", NULL}, 2);
    set_at(bench, "bo", 3, ahead - 1);
    erase(bench, "anna");
    snprintf(expected, sizeof expected, "bo.n=2 @%" PRId64 " #%" PRIu64 " k1;", ahead, both);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void what_was_said_of_others_by_many_events_is_settled_in_steps(void **state)
{
    struct bench *bench = *state;
    char expected[100];
    bench_open(bench);
    int64_t now = bench->clock.time.wall;
    for (int i = 0; i < 200; i++)
        set_facts(bench, (const char *const[]){"bo", NULL}, i);
    uint64_t both = set_facts(bench, (const char *const[]){"anna", "bo", "carl", NULL}, 200);
    erase(bench, "anna");
    snprintf(expected, sizeof expected,
             "bo.n=200 @%" PRId64 " #%" PRIu64 " k1;carl.n=200 @%" PRId64 " #%" PRIu64 " k1;", now, both, now,
             both);
    bench_assert_facts(bench, expected);
    assert_int_equal(bench_verify(bench).bad, 0);
}

static void what_takes_several_steps_goes_whole(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    for (int i = 0; i < 200; i++)
        set_facts(bench, (const char *const[]){"anna", "bo", NULL}, i);
    assert_int_equal(erase(bench, "anna").bodies, 200);
    assert_false(file_tells_of(bench, "anna"));
    assert_int_equal(bench_verify(bench).bad, 0);
    uint64_t last = fs_journal_last(bench->journal);
    assert_int_equal(bench_event(bench, "{}").number, last + 1);
}

static void what_came_after_the_erasure_stays(void **state)
{
    struct bench *bench = *state;
    struct fs_erased erased;
    struct fs_err err = {0};
    bench_open(bench);
    uint64_t first = set_facts(bench, (const char *const[]){"anna", NULL}, 1);
    set_facts(bench, (const char *const[]){"anna", NULL}, 2);
    assert_true(fs_journal_erase(bench->journal, "anna", first, &erased, &err));
    assert_int_equal(erased.bodies, 1);
    assert_true(file_tells_of(bench, "anna"));
    assert_int_equal(bench_verify(bench).erased, 1);
}

static void one_text_is_kept_once_however_many_entries_name_it(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    for (int i = 0; i < 10; i++)
        tick(bench, "anna", "bo");
    assert_int_equal(erase(bench, "anna").texts, 1);
}

/* A tick for bo, for whom anna acts, and an answer whose input is nobody's and names her. */
static void a_subject_is_erased_where_it_acts_for_another_and_where_nobodys_input_names_it(void **state)
{
    struct bench *bench = *state;
    static const char context[] = "{\"actor\":{\"key\":\"anna\"},\"targetingKey\":\"bo\"}";
    static const char input[] = "{\"user\":\"anna\"}", other[] = "{\"user\":\"annabel\"}";
    char names[3][65];
    bench_open(bench);
    name_of(bench, context, names[0]);
    name_of(bench, input, names[1]);
    name_of(bench, other, names[2]);
    const struct fs_entry_text texts[] = {
        {.name = names[0], .subject = "bo", .actor = "anna", .text = context, .length = strlen(context)},
        {.name = names[1], .subject = "", .text = input, .length = strlen(input)},
        {.name = names[2], .subject = "", .text = other, .length = strlen(other)}};
    char *body = fs_format("{\"answers\":[{\"input\":\"%s\"},{\"input\":\"%s\"},{\"input\":\"%s\"}]}",
                           names[0], names[1], names[2]);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_ANSWERS;
    draft.texts = texts;
    draft.text_count = 3;
    bench_append(bench, &draft);
    fs_free(body);
    assert_int_equal(erase(bench, "anna").texts, 2);
    assert_false(file_tells_of(bench, "anna\""));
    assert_true(file_tells_of(bench, "annabel"));
    assert_int_equal(bench_verify(bench).bad, 0);
}

/* A reader keeps the write-ahead log from being cut, and the process dies meanwhile. */
static void an_erasure_that_was_not_cut_out_of_the_log_is_at_the_next_start(void **state)
{
    struct bench *bench = *state;
    int ready[2];
    char byte;
    assert_int_equal(pipe(ready), 0);
    pid_t child = fork();
    if (child == 0) {
        char *file = fs_format("%s/journal.db", bench->directory);
        sqlite3 *reader = NULL;
        bench_open(bench);
        set_facts(bench, (const char *const[]){"anna", NULL}, 1);
        bool reads = sqlite3_open(file, &reader) == SQLITE_OK &&
                     sqlite3_exec(reader, "BEGIN; SELECT * FROM bodies", NULL, NULL, NULL) == SQLITE_OK;
        erase(bench, "anna");
        if (reads && write(ready[1], "x", 1) == 1)
            pause();
        _exit(1);
    }
    close(ready[1]);
    assert_int_equal(read(ready[0], &byte, 1), 1);
    close(ready[0]);
    kill(child, SIGKILL);
    waitpid(child, NULL, 0);
    assert_true(file_tells_of(bench, "anna"));
    bench_open(bench);
    bench_event(bench, "{}"); /* the log is cut before the notice's thread takes the next */
    bench_event(bench, "{}");
    assert_false(file_tells_of(bench, "anna"));
}

static void a_text_that_was_changed_in_the_file_is_found(void **state)
{
    struct bench *bench = *state;
    bench_open(bench);
    tick(bench, "anna", "bo");
    bench_close(bench);
    bench_sql(bench, "UPDATE texts SET text = replace(text, 'anna', 'eve ')");
    struct fs_verdict verdict = bench_verify(bench);
    assert_int_equal(verdict.bad, 1);
    assert_non_null(strstr(verdict.text, "a text that it names was changed"));
}

static void a_name_tells_nothing_without_the_secret(void **state)
{
    struct bench *bench = *state;
    char ours[65], theirs[65];
    const uint8_t other[FS_ENTRY_SECRET_SIZE] = {1};
    bench_open(bench);
    name_of(bench, "anna", ours);
    fs_entry_text_name(other, "anna", 4, theirs);
    assert_string_not_equal(ours, theirs);
    bench_close(bench);
    bench_open(bench); /* and is the same after a restart */
    name_of(bench, "anna", theirs);
    assert_string_equal(ours, theirs);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(nothing_tells_of_the_erased_and_the_chain_still_fits),
        TEST(a_tick_still_tells_of_the_others_in_it),
        TEST(facts_that_an_erased_body_told_of_others_stay),
        TEST(what_an_erased_event_without_a_time_said_of_others_stays_newer_than_what_it_replaced),
        TEST(what_was_said_of_others_by_many_events_is_settled_in_steps),
        TEST(a_subject_is_erased_where_it_acts_for_another_and_where_nobodys_input_names_it),
        TEST(an_erasure_that_was_not_cut_out_of_the_log_is_at_the_next_start),
        TEST(what_takes_several_steps_goes_whole),
        TEST(what_came_after_the_erasure_stays),
        TEST(one_text_is_kept_once_however_many_entries_name_it),
        TEST(a_text_that_was_changed_in_the_file_is_found),
        TEST(a_name_tells_nothing_without_the_secret),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that are erased and pruned, in any order: what a start finds of everybody else is what was there
 * before, and nothing comes back. */
#include "base/buf.h"
#include "bench_retention.h"

static struct fs_erased erase(struct bench *bench, const char *subject)
{
    struct fs_erased erased;
    struct fs_err err = {0};
    if (!fs_journal_erase(bench->journal, subject, fs_journal_last(bench->journal), &erased, &err))
        fail_msg("%s", err.text);
    return erased;
}

static uint64_t erasure(struct bench *bench, const char *subject)
{
    uint8_t secret[FS_ENTRY_SECRET_SIZE];
    char name[65], body[200];
    fs_journal_secret(bench->journal, secret);
    fs_entry_text_name(secret, subject, strlen(subject), name);
    snprintf(body, sizeof body, "{\"credential\":\"k1\",\"subject\":\"%s\"}", name);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.kind = FS_ENTRY_ERASURE;
    return bench_append(bench, &draft).number;
}

static void an_older_event_that_came_after_an_erasure_brings_nothing_back(void **state)
{
    struct bench *bench = *state;
    struct fs_erased erased;
    struct fs_err err = {0};
    open_keeping(bench);
    int64_t now = bench->clock.time.wall;
    set_fact(bench, "anna", "tier", "\"gold\"", now - 10, 0);
    set_fact(bench, "anna", "tier", NULL, 0, 0);
    uint64_t upto = erasure(bench, "anna");
    assert_true(fs_journal_erase(bench->journal, "anna", upto, &erased, &err));
    set_fact(bench, "anna", "tier", "\"late\"", now - 5, 0);
    uint64_t newer = set_fact(bench, "anna", "risk", "1", now + 5, 0);
    pass(bench, RETENTION + LOOK / 2, newer + 1);
    struct bench_facts facts = {""};
    assert_true(fs_journal_facts(bench->journal, bench_add_fact, &facts, &err));
    assert_null(strstr(facts.text, "anna.tier"));
    assert_non_null(strstr(facts.text, "anna.risk=1"));
    assert_int_equal(bench_verify(bench).bad, 0);
}

/* A removal is forgotten when no older event can come; one that came long ago may wait to be pruned. */
static void a_removal_is_kept_while_an_older_event_waits_to_be_pruned(void **state)
{
    struct bench *bench = *state;
    open_keeping(bench);
    int64_t now = bench->clock.time.wall;
    set_fact(bench, "anna", "tier", "\"gold\"", now - 1000, 0);
    set_fact(bench, "anna", "tier", NULL, now, 0);
    for (int i = 0; i < 300; i++) /* the late one is not in the first step */
        bench_event(bench, "{}");
    set_fact(bench, "anna", "tier", "\"late\"", now - 500, 0);
    bench_close(bench);
    advance(bench, RETENTION + 10 * DEDUP);
    bench_open(bench);
    bench_event(bench, "{}");
    await_oldest(bench, 304);
    bench_assert_facts(bench, "");
    assert_int_equal(bench_verify(bench).bad, 0);
}

/* What is known of each one's fact, as core applies entries in their order. */
#define PEOPLE 3
static const char *const people[PEOPLE] = {"anna", "bo", "carl"};

struct state {
    struct {
        int64_t time;
        uint64_t number;
        long long value;
    } facts[PEOPLE];
};

static void apply(struct state *state, const char *subject, long long value, int64_t stated, int64_t accepted,
                  uint64_t number)
{
    size_t i = 0;
    while (i + 1 < PEOPLE && strcmp(people[i], subject) != 0)
        i++;
    int64_t known = state->facts[i].number ? state->facts[i].time : INT64_MIN;
    int64_t time = fs_event_fact_time(stated, accepted, known);
    if (state->facts[i].number && (known > time || (known == time && state->facts[i].number > number)))
        return;
    state->facts[i].time = time;
    state->facts[i].number = number;
    state->facts[i].value = value;
}

static bool restore_fact(void *self, const struct fs_fact_state *fact)
{
    apply(self, fact->change.subject, json_integer_value(fact->change.value), fact->time, fact->time,
          fact->entry);
    return true;
}

static bool replay(void *self, const struct fs_entry *entry)
{
    struct fs_err err;
    struct fs_event *event =
        entry->kind == FS_ENTRY_EVENT ? fs_event_read(entry->body, entry->length, &err) : NULL;
    for (size_t i = 0; event && i < event->fact_count; i++)
        apply(self, event->facts[i].subject, json_integer_value(event->facts[i].value), event->time,
              entry->time, entry->number);
    fs_event_destroy(event);
    return true;
}

static struct state restart(struct bench *bench)
{
    struct state state = {0};
    struct fs_err err = {0};
    close_and_open(bench);
    assert_true(fs_journal_facts(bench->journal, restore_fact, &state, &err));
    assert_true(fs_journal_read(bench->journal, 1, SIZE_MAX, replay, &state, &err));
    return state;
}

static unsigned draw(uint64_t *seed, unsigned below)
{
    *seed = *seed * UINT64_C(6364136223846793005) + 1442695040888963407u;
    return (unsigned)(*seed >> 33) % below;
}

/* An event about some of them, with a time or without; the clock went on or back meanwhile. */
static void append_any(struct bench *bench, uint64_t *seed, int value)
{
    struct fs_buf body;
    const char *subjects[PEOPLE + 1] = {NULL};
    size_t count = 0;
    unsigned who = 1 + draw(seed, (1 << PEOPLE) - 1);
    fs_buf_init(&body, 1000);
    fs_buf_adds(&body, "{\"credential\":\"k1\",\"facts\":[");
    for (size_t i = 0; i < PEOPLE; i++) {
        if (!(who & (1u << i)))
            continue;
        fs_buf_addf(&body, "%s{\"fact\":\"n\",\"subject\":\"%s\"", count ? "," : "", people[i]);
        if (draw(seed, 4)) /* or else it is removed */
            fs_buf_addf(&body, ",\"value\":%d", value);
        fs_buf_adds(&body, "}");
        subjects[count++] = people[i];
    }
    fs_buf_adds(&body, "]");
    if (draw(seed, 2))
        fs_buf_addf(&body, ",\"time\":%" PRId64, bench->clock.time.wall + (int64_t)draw(seed, 600) - 400);
    fs_buf_adds(&body, "}");
    struct fs_draft draft = bench_draft(bench, body.data, 0);
    draft.time += (int64_t)draw(seed, 400) - 200;
    draft.subjects = subjects;
    bench_append(bench, &draft);
    fs_buf_finish(&body);
}

/* `long_after`: what was removed may be forgotten by then. */
static void assert_same(const struct state *before, const struct state *after, size_t but, bool long_after)
{
    for (size_t i = 0; i < PEOPLE; i++) {
        bool forgotten = long_after && !before->facts[i].value && !after->facts[i].number;
        if (i != but && !forgotten &&
            memcmp(&before->facts[i], &after->facts[i], sizeof before->facts[i]) != 0)
            fail_msg("of %s, entry %" PRIu64 " counted and entry %" PRIu64 " does", people[i],
                     before->facts[i].number, after->facts[i].number);
    }
}

static void whatever_happened_a_start_finds_of_others_what_was_there_before_an_erasure(void **state)
{
    struct bench *bench = *state;
    uint64_t seed = 20260101;
    open_keeping(bench);
    for (int round = 0; round < (bench_deep() ? 200 : 20); round++) {
        for (int i = 0; i < 12; i++)
            append_any(bench, &seed, 100 * round + 1 + i);
        struct state before = restart(bench);
        size_t gone = draw(&seed, PEOPLE);
        erase(bench, people[gone]);
        struct state after = restart(bench);
        assert_same(&before, &after, gone, false);
        assert_int_equal(after.facts[gone].number, 0);
    }
    assert_int_equal(bench_verify(bench).bad, 0);
}

/* Some of what is settled tells of entries that are pruned later than others. */
static void nor_does_pruning_change_it_afterwards(void **state)
{
    struct bench *bench = *state;
    uint64_t seed = 20260102;
    open_keeping(bench);
    for (int round = 0; round < (bench_deep() ? 40 : 6); round++) {
        for (int i = 0; i < 12; i++)
            append_any(bench, &seed, 100 * round + 1 + i);
        uint64_t half = fs_journal_last(bench->journal);
        advance(bench, RETENTION - LOOK);
        for (int i = 0; i < 12; i++)
            append_any(bench, &seed, 100 * round + 50 + i);
        size_t gone = draw(&seed, PEOPLE);
        struct state before = restart(bench);
        erase(bench, people[gone]);
        advance(bench, 2 * LOOK - 1000);
        bench_event(bench, "{}"); /* has the journal look */
        await_oldest(bench, half + 1);
        struct state after = restart(bench);
        assert_same(&before, &after, gone, false);
        assert_int_equal(bench_verify(bench).bad, 0);
        pass(bench, RETENTION + LOOK, fs_journal_last(bench->journal) + 1);
        after = restart(bench);
        assert_same(&before, &after, gone, true);
        assert_int_equal(bench_verify(bench).bad, 0);
    }
}

#define TEST(function) cmocka_unit_test_setup_teardown(function, bench_setup, bench_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(an_older_event_that_came_after_an_erasure_brings_nothing_back),
        TEST(a_removal_is_kept_while_an_older_event_waits_to_be_pruned),
        TEST(whatever_happened_a_start_finds_of_others_what_was_there_before_an_erasure),
        TEST(nor_does_pruning_change_it_afterwards),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

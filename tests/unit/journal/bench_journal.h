/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the journal's tests share: a data directory of their own, notices that can be waited for and held up,
 * drafts.
 */
#ifndef FS_TEST_BENCH_JOURNAL_H
#define FS_TEST_BENCH_JOURNAL_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <cmocka.h>
#include <ftw.h>
#include <inttypes.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sqlite3.h>
#include <unistd.h>
#include "base/alloc.h"
#include "journal/journal.h"

#define NOTICES_MAX 4096

struct bench {
    char root[64];      /* made by the test, removed at its end */
    char directory[96]; /* the data directory within */
    struct fs_fake_clock clock;
    struct fs_journal_options options;
    struct fs_journal *journal;
    pthread_mutex_t lock;
    pthread_cond_t changed;
    struct fs_commit notices[NOTICES_MAX];
    size_t count, calls; /* notices, and calls that brought them */
    bool held;           /* the journal's thread waits in its notice until released */
    bool inside;
};

static inline void bench_committed(void *self, const struct fs_commit *commits, size_t count)
{
    struct bench *bench = self;
    pthread_mutex_lock(&bench->lock);
    for (size_t i = 0; i < count && bench->count < NOTICES_MAX; i++)
        bench->notices[bench->count++] = commits[i];
    bench->calls++;
    bench->inside = true;
    pthread_cond_broadcast(&bench->changed);
    while (bench->held)
        pthread_cond_wait(&bench->changed, &bench->lock);
    bench->inside = false;
    pthread_mutex_unlock(&bench->lock);
}

static inline void bench_open(struct bench *bench)
{
    struct fs_err err = {0};
    bench->journal = fs_journal_open(&bench->options, &err);
    if (!bench->journal)
        fail_msg("cannot open: %s", err.text);
    fs_journal_replayed(bench->journal);
}

static inline void bench_close(struct bench *bench)
{
    fs_journal_close(bench->journal);
    bench->journal = NULL;
}

static inline int bench_setup(void **state)
{
    struct bench *bench = FS_NEW(struct bench);
    snprintf(bench->root, sizeof bench->root, "/tmp/flagstaff-journal-XXXXXX");
    assert_non_null(mkdtemp(bench->root));
    snprintf(bench->directory, sizeof bench->directory, "%s/state/data", bench->root);
    pthread_mutex_init(&bench->lock, NULL);
    pthread_cond_init(&bench->changed, NULL);
    bench->clock.time = (struct fs_time){.mono = 1000, .wall = INT64_C(1800000000000)};
    bench->options = (struct fs_journal_options){.directory = bench->directory,
                                                 .dedup_ms = 60000,
                                                 .queue_limit = 1000,
                                                 .group_limit = 100,
                                                 .clock = fs_fake_clock(&bench->clock),
                                                 .committed = bench_committed,
                                                 .self = bench};
    *state = bench;
    return 0;
}

static inline int bench_remove(const char *path, const struct stat *st, int type, struct FTW *at)
{
    (void)st;
    (void)type;
    (void)at;
    return remove(path);
}

static inline int bench_teardown(void **state)
{
    struct bench *bench = *state;
    fs_journal_close(bench->journal);
    nftw(bench->root, bench_remove, 8, FTW_DEPTH | FTW_PHYS);
    pthread_cond_destroy(&bench->changed);
    pthread_mutex_destroy(&bench->lock);
    fs_free(bench);
    return 0;
}

/* Waits for the n-th notice (from 1) and returns it. */
static inline struct fs_commit bench_notice(struct bench *bench, size_t n)
{
    pthread_mutex_lock(&bench->lock);
    while (bench->count < n)
        pthread_cond_wait(&bench->changed, &bench->lock);
    struct fs_commit notice = bench->notices[n - 1];
    pthread_mutex_unlock(&bench->lock);
    return notice;
}

static inline struct fs_draft bench_draft(struct bench *bench, const char *body, uint64_t token)
{
    return (struct fs_draft){.kind = FS_ENTRY_EVENT,
                             .time = bench->clock.time.wall,
                             .body = body,
                             .length = strlen(body),
                             .token = token};
}

static inline void bench_identify(struct fs_draft *draft, const char *id)
{
    draft->identity.set = true;
    draft->identity.key = fs_sha256(id, strlen(id));
    draft->identity.content = fs_sha256(draft->body, draft->length);
}

/* Appends and waits for the notice, which is the newest. */
static inline struct fs_commit bench_append(struct bench *bench, const struct fs_draft *draft)
{
    pthread_mutex_lock(&bench->lock);
    size_t before = bench->count;
    pthread_mutex_unlock(&bench->lock);
    assert_true(fs_journal_append(bench->journal, draft));
    return bench_notice(bench, before + 1);
}

static inline struct fs_commit bench_event(struct bench *bench, const char *body)
{
    struct fs_draft draft = bench_draft(bench, body, 0);
    return bench_append(bench, &draft);
}

/* Until bench_release(), what is appended waits and then makes one group: the journal's thread stands in a
 * notice. */
static inline void bench_hold(struct bench *bench)
{
    bench->held = true;
    struct fs_draft draft = bench_draft(bench, "{\"hold\":true}", 0);
    assert_true(fs_journal_append(bench->journal, &draft));
    pthread_mutex_lock(&bench->lock);
    while (!bench->inside)
        pthread_cond_wait(&bench->changed, &bench->lock);
    pthread_mutex_unlock(&bench->lock);
}

static inline void bench_release(struct bench *bench)
{
    pthread_mutex_lock(&bench->lock);
    bench->held = false;
    pthread_cond_broadcast(&bench->changed);
    pthread_mutex_unlock(&bench->lock);
}

/* All that fs_journal_read gives, as "NUMBER KIND BODY\n" lines. */
struct bench_text {
    char text[8192];
    size_t length, entries, stop_after;
};

static inline bool bench_collect(void *self, const struct fs_entry *entry)
{
    struct bench_text *out = self;
    int wrote = snprintf(out->text + out->length, sizeof out->text - out->length, "%" PRIu64 " %s %.*s\n",
                         entry->number, fs_entry_kind_name(entry->kind), (int)entry->length, entry->body);
    assert_true(wrote > 0 && (size_t)wrote < sizeof out->text - out->length);
    out->length += (size_t)wrote;
    out->entries++;
    return out->stop_after == 0 || out->entries < out->stop_after;
}

/* The same for fs_journal_cells. */
static inline bool bench_collect_tick(void *self, const struct fs_entry *entry,
                                      struct fs_journal_texts *texts)
{
    (void)texts;
    return bench_collect(self, entry);
}

/* The facts of the base state, as text. */
struct bench_facts {
    char text[2000];
};

static inline bool bench_add_fact(void *self, const struct fs_fact_state *fact)
{
    struct bench_facts *facts = self;
    char *value = fact->change.value ? json_dumps(fact->change.value, JSON_ENCODE_ANY | JSON_COMPACT) : NULL;
    size_t length = strlen(facts->text);
    snprintf(facts->text + length, sizeof facts->text - length, "%s.%s=%s @%" PRId64 " #%" PRIu64 " %s;",
             fact->change.subject, fact->change.fact, value ? value : "-", fact->time, fact->entry,
             fact->credential ? fact->credential : "-");
    free(value);
    return true;
}

static inline void bench_assert_facts(struct bench *bench, const char *expected)
{
    struct bench_facts facts = {""};
    struct fs_err err = {0};
    assert_true(fs_journal_facts(bench->journal, bench_add_fact, &facts, &err));
    assert_string_equal(facts.text, expected);
}

static inline struct fs_verdict bench_verify(struct bench *bench)
{
    struct fs_verdict verdict;
    struct fs_err err = {0};
    if (!fs_journal_verify(bench->directory, &verdict, &err))
        fail_msg("%s", err.text);
    return verdict;
}

/* Runs SQL on a database of nobody's but the test's; the journal is closed meanwhile. */
static inline void bench_sql(struct bench *bench, const char *sql)
{
    char *file = fs_format("%s/journal.db", bench->directory);
    sqlite3 *db = NULL;
    char *message = NULL;
    assert_int_equal(sqlite3_open(file, &db), SQLITE_OK);
    if (sqlite3_exec(db, sql, NULL, NULL, &message) != SQLITE_OK)
        fail_msg("%s: %s", sql, message);
    sqlite3_close(db);
    fs_free(file);
}

static inline bool bench_deep(void)
{
    const char *depth = getenv("TEST_DEPTH");
    return depth && strcmp(depth, "deep") == 0;
}

static inline char *bench_document(struct bench *bench, const char *name)
{
    struct fs_err err;
    char *text;
    assert_true(fs_journal_get(bench->journal, name, &text, &err));
    return text;
}

static inline char *bench_cursor(struct bench *bench, const char *name)
{
    struct fs_err err;
    char *text;
    assert_true(fs_journal_cursor(bench->journal, name, &text, &err));
    return text;
}

#endif

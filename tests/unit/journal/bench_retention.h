/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A journal that keeps its entries for a while only: a clock that tests move, facts, and waiting until the
 * oldest entries have gone.
 */
#ifndef FS_TEST_BENCH_RETENTION_H
#define FS_TEST_BENCH_RETENTION_H

#include "bench_journal.h"

#include <errno.h>
#include <stdatomic.h>
#include <time.h>

#define DEDUP     INT64_C(60000)
#define RETENTION INT64_C(120000)
#define LOOK      INT64_C(60000) /* between two looks at what is too old */

/* The journal's thread looks at the clock at any time, so this one can be moved at any time. */
static atomic_llong passed;

/* It looks again after each of its steps. */
static pthread_mutex_t looking = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t looked = PTHREAD_COND_INITIALIZER;
static unsigned long long looks;

static inline struct fs_time now_of(void *self)
{
    const struct fs_time *start = self;
    long long ms = atomic_load(&passed);
    pthread_mutex_lock(&looking);
    looks++;
    pthread_cond_broadcast(&looked);
    pthread_mutex_unlock(&looking);
    return (struct fs_time){.mono = start->mono + ms, .wall = start->wall + ms};
}

static const struct fs_time start = {.mono = 1000, .wall = INT64_C(1800000000000)};

static inline void advance(struct bench *bench, int64_t ms)
{
    atomic_fetch_add(&passed, ms);
    bench->clock.time = now_of((void *)(uintptr_t)&start); /* by which drafts are dated */
}

/* Opens with retention. */
static inline void open_keeping(struct bench *bench)
{
    bench->options.clock = (struct fs_clock){now_of, (void *)(uintptr_t)&start};
    advance(bench, 0);
    bench->options.retention_ms = RETENTION;
    bench_open(bench);
}

static inline void close_and_open(struct bench *bench)
{
    bench_close(bench);
    bench_open(bench);
}

/* Appends an event that sets (or, with value NULL, removes) one fact at `time`; 0: at its acceptance. */
static inline uint64_t set_fact(struct bench *bench, const char *subject, const char *fact, const char *value,
                                int64_t time, int64_t expires)
{
    char body[400];
    snprintf(body, sizeof body,
             "{\"credential\":\"k1\",\"facts\":[{\"subject\":\"%s\",\"fact\":\"%s\"%s%s,\"expires\":%" PRId64
             "}],\"time\":%" PRId64 "}",
             subject, fact, value ? ",\"value\":" : "", value ? value : "", expires, time);
    struct fs_draft draft = bench_draft(bench, body, 0);
    draft.subjects = (const char *const[]){subject, NULL};
    return bench_append(bench, &draft).number;
}

static inline bool note_first(void *self, const struct fs_entry *entry)
{
    *(uint64_t *)self = entry->number;
    return false;
}

static inline uint64_t first_entry(struct bench *bench)
{
    uint64_t first = 0;
    struct fs_err err = {0};
    assert_true(fs_journal_read(bench->journal, 1, SIZE_MAX, note_first, &first, &err));
    return first;
}

/* Waits until `reached` says so, and lets the pauses between steps pass. */
static inline void await(struct bench *bench, bool (*reached)(struct bench *bench, uint64_t wanted),
                         uint64_t wanted)
{
    struct timespec deadline;
    clock_gettime(CLOCK_REALTIME, &deadline);
    deadline.tv_sec += 60;
    for (;;) {
        pthread_mutex_lock(&looking);
        unsigned long long seen = looks;
        pthread_mutex_unlock(&looking);
        if (reached(bench, wanted))
            return;
        advance(bench, 20); /* looks at the clock itself */
        pthread_mutex_lock(&looking);
        while (looks <= seen + 1)
            if (pthread_cond_timedwait(&looked, &looking, &deadline) == ETIMEDOUT)
                fail_msg("the journal's thread does not come by");
        pthread_mutex_unlock(&looking);
    }
}

static inline bool oldest_is(struct bench *bench, uint64_t wanted)
{
    return first_entry(bench) >= wanted;
}

static inline void await_oldest(struct bench *bench, uint64_t oldest)
{
    await(bench, oldest_is, oldest);
    assert_int_equal(first_entry(bench), oldest);
}

/* Adds an entry from then, lets `ms` pass, and another entry, which has the journal look. */
static inline void pass(struct bench *bench, int64_t ms, uint64_t oldest)
{
    struct fs_draft draft = bench_draft(bench, "{}", 0);
    draft.time += ms;
    bench_append(bench, &draft);
    advance(bench, ms);
    bench_event(bench, "{}");
    await_oldest(bench, oldest);
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal's thread: takes all that waits (up to group_limit), commits it in one transaction, tells. While
 * the disk fails it tries by itself each second; while there is nothing to do it has the write-ahead log
 * copied.
 */
#include "inside.h"

#include <stdio.h>
#include "base/log.h"
#include "directory.h"

#define RETRY_MS       1000
#define ROOM_BYTES     (1024 * 1024)
#define IDLE_MS        100   /* without a draft: time for a checkpoint */
#define PRUNE_MS       60000 /* between looks at what is too old */
#define PRUNE_PAUSE_MS 20    /* while there is more of it */
#define WAL_COPY_PAGES 4096  /* 16 MiB: under load, have it copied beside the commits */
#define WAL_MOST_PAGES 32768 /* 128 MiB: never let it grow on; the rest is copied before the next group */

static size_t take_group(struct fs_journal *journal)
{
    size_t count = 0;
    struct fs_message *message;
    while (count < journal->options.group_limit && (message = fs_queue_pop(journal->queue)))
        journal->group[count++] = FS_CONTAINER(message, struct fs_job, message);
    return count;
}

/* Room for the commits of all drafts of the job; where they begin. */
static struct fs_commit *make_room(struct fs_journal *journal, const struct fs_job *job)
{
    size_t at = journal->commits.count;
    for (; job; job = job->next) {
        struct fs_commit commit = {
            .token = job->draft.token, .time = job->draft.time, .result = FS_COMMIT_FAILED};
        fs_vec_push(&journal->commits, commit);
    }
    return &journal->commits.items[at];
}

/* Writes the group's jobs; the commits of their drafts, in order, go to journal->commits. */
static bool write_group(struct fs_journal *journal, size_t count, struct fs_err *err)
{
    struct fs_store *store = &journal->store;
    int64_t now = fs_clock_now(&journal->options.clock).wall;
    bool fine = fs_store_begin(store, err);
    for (size_t i = 0; i < count && fine; i++) {
        struct fs_job *job = journal->group[i];
        if (job->task)
            fine = job->task->run(job->task->self, journal, err);
        else if (job->next)
            fine = fs_store_add_batch(store, job, make_room(journal, job), err);
        else
            fine = fs_store_add(store, job, make_room(journal, job), err);
    }
    if (fine)
        fine = fs_store_commit(store, now, !atomic_load(&journal->healthy), err);
    else
        fs_store_rollback(store);
    return fine;
}

static void fail_group(struct fs_journal *journal, size_t count, const struct fs_err *err)
{
    fs_vec_clear(&journal->commits);
    for (size_t i = 0; i < count; i++) {
        if (!journal->group[i]->task)
            make_room(journal, journal->group[i]);
    }
    for (size_t i = 0; i < journal->commits.count; i++)
        snprintf(journal->commits.items[i].error, sizeof journal->commits.items[i].error, "%.159s",
                 err->text);
}

static void note_health(struct fs_journal *journal, bool healthy, const struct fs_err *err)
{
    if (atomic_exchange(&journal->healthy, healthy) == healthy)
        return;
    if (healthy)
        FS_LOG_INFO("journal", "writing works again", "entry", fs_log_uint(journal->store.number));
    else
        FS_LOG_ERROR("journal", "cannot write: nothing is acknowledged until it works again", "error",
                     err->text);
}

static void keep_wal_small(struct fs_journal *journal)
{
    int pages = journal->store.wal_pages;
    if (pages < journal->wal_asked)
        journal->wal_asked = 0; /* it started anew */
    if (pages - journal->wal_asked < WAL_COPY_PAGES)
        return;
    journal->wal_asked = pages;
    if (pages >= WAL_MOST_PAGES)
        fs_store_restart_wal(&journal->store);
    else
        fs_checkpointer_want(journal->checkpointer);
}

static void run_group(struct fs_journal *journal, size_t count)
{
    struct fs_err err = {0};
    atomic_store(&journal->in_flight, count);
    fs_vec_clear(&journal->commits);
    bool written = write_group(journal, count, &err);
    if (!written)
        fail_group(journal, count, &err);
    note_health(journal, written, &err);
    atomic_store(&journal->last, journal->store.number);
    if (journal->commits.count && journal->options.committed)
        journal->options.committed(journal->options.self, journal->commits.items, journal->commits.count);
    if (journal->erased && written)
        journal->erased = !fs_store_cut_wal(&journal->store);
    atomic_store(&journal->in_flight, 0); /* who waits for nothing to wait finds the notices there */
    for (size_t i = 0; i < count; i++) {
        if (journal->group[i]->task)
            fs_task_settle(journal->group[i]->task, written, &err);
        fs_job_destroy(journal->group[i]);
    }
    journal->uncopied = true;
    keep_wal_small(journal);
}

/* An empty group while the disk fails shows whether it still does. It is so small that it fits where hardly
 * anything else would: so there must be room as well, or health would flap on a disk that is as good as full.
 */
static void be_idle(struct fs_journal *journal)
{
    if (!atomic_load(&journal->healthy)) {
        if (fs_directory_has_room(journal->directory, ROOM_BYTES))
            run_group(journal, 0);
    } else if (journal->erased) {
        journal->erased = !fs_store_cut_wal(&journal->store);
    } else if (journal->uncopied) {
        journal->uncopied = false;
        fs_checkpointer_want(journal->checkpointer);
    }
}

/* Small steps, so that a commit that comes in waits for one of them at most. */
static void prune(struct fs_journal *journal)
{
    const struct fs_journal_options *options = &journal->options;
    struct fs_err err = {0};
    bool more = false;
    if (!options->retention_ms || !atomic_load(&journal->healthy) || !atomic_load(&journal->replayed))
        return;
    struct fs_time now = fs_clock_now(&options->clock);
    if (now.mono < journal->prune_at)
        return;
    bool fine = fs_prune_step(&journal->pruner, &journal->store, now.wall - options->retention_ms,
                              now.wall - options->retention_ms - options->dedup_ms, &more, &err);
    fs_journal_note_damage(journal, fine, &err);
    if (!fine)
        FS_LOG_WARN("journal", "old entries cannot be pruned; trying again in a minute", "error", err.text);
    journal->prune_at = now.mono + (more ? PRUNE_PAUSE_MS : PRUNE_MS);
    journal->uncopied = true;
}

/* How long to wait for drafts, in ms; -1: there is nothing else to do. */
static int64_t patience(const struct fs_journal *journal)
{
    if (!atomic_load(&journal->healthy))
        return RETRY_MS;
    int64_t most = journal->uncopied || journal->erased ? IDLE_MS : -1;
    if (!journal->options.retention_ms)
        return most;
    if (!atomic_load(&journal->replayed))
        return IDLE_MS;
    int64_t left = journal->prune_at - fs_clock_now(&journal->options.clock).mono;
    left = left > 0 ? left : 0;
    return most < 0 || left < most ? left : most;
}

void *fs_journal_write(void *argument)
{
    struct fs_journal *journal = argument;
    for (;;) {
        if (fs_queue_wait(journal->queue, patience(journal))) {
            size_t count = take_group(journal);
            if (count > 0)
                run_group(journal, count);
        } else if (fs_queue_closed(journal->queue)) {
            if (fs_queue_length(journal->queue) == 0)
                break;
        } else {
            be_idle(journal);
        }
        prune(journal);
    }
    return NULL;
}

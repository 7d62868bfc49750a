/* SPDX-License-Identifier: Apache-2.0 */
/* Opening and closing the journal, and what other threads hand to its thread; see journal/journal.h. */
#include "inside.h"

#include <string.h>
#include "base/alloc.h"
#include "chain.h"
#include "database.h"
#include "directory.h"
#include "erase.h"
#include "job.h"
#include "thread.h"

#define DEDUP_DEFAULT_MS (INT64_C(7) * 24 * 60 * 60 * 1000)
#define QUEUE_DEFAULT    65536
#define QUEUE_BYTES      (256 * 1024 * 1024)
#define GROUP_DEFAULT    1024

static bool check_options(const struct fs_journal_options *options, struct fs_err *err)
{
    if (!options->directory || !*options->directory)
        return fs_fail(err, FS_ERR_CONFIG, "the journal needs a data directory");
    if (options->dedup_ms < 0)
        return fs_fail(err, FS_ERR_CONFIG, "dedup must not be negative");
    if (options->retention_ms != 0 &&
        options->retention_ms < (options->dedup_ms ? options->dedup_ms : DEDUP_DEFAULT_MS))
        return fs_fail(err, FS_ERR_CONFIG,
                       "retention must be 0 (keep everything) or at least as long as dedup: older events are "
                       "taken until then");
    return true;
}

static struct fs_journal *create(const struct fs_journal_options *options)
{
    struct fs_journal *journal = FS_NEW(struct fs_journal);
    journal->options = *options;
    if (journal->options.dedup_ms == 0)
        journal->options.dedup_ms = DEDUP_DEFAULT_MS;
    if (journal->options.queue_limit == 0)
        journal->options.queue_limit = QUEUE_DEFAULT;
    if (journal->options.group_limit == 0)
        journal->options.group_limit = GROUP_DEFAULT;
    if (!journal->options.clock.now)
        journal->options.clock = fs_clock_system();
    journal->directory = fs_strdup(options->directory);
    journal->options.directory = journal->directory;
    journal->file = fs_directory_path(journal->directory, FS_DIRECTORY_DATABASE);
    journal->lock = -1;
    journal->group = fs_calloc(journal->options.group_limit, sizeof *journal->group);
    journal->queue = fs_queue_create(journal->options.queue_limit, NULL, NULL);
    fs_queue_limit_bytes(journal->queue, QUEUE_BYTES);
    atomic_init(&journal->healthy, true);
    atomic_init(&journal->replayed, false);
    fs_readers_init(&journal->readers, journal->file);
    return journal;
}

/* The thread has ended or never was. */
static void destroy(struct fs_journal *journal)
{
    fs_checkpointer_destroy(journal->checkpointer);
    fs_readers_finish(&journal->readers);
    fs_pruner_finish(&journal->pruner);
    fs_store_close(
        &journal->store); /* the last connection: SQLite copies the write-ahead log and removes it */
    fs_queue_destroy(journal->queue);
    fs_directory_unlock(journal->lock);
    fs_free(journal->group);
    fs_vec_finish(&journal->commits);
    fs_free(journal->file);
    fs_free(journal->directory);
    fs_free(journal);
}

static bool open_store(struct fs_journal *journal, struct fs_err *err)
{
    bool made;
    struct fs_sha256 key;
    if (!fs_directory_make(journal->directory, err))
        return false;
    journal->lock = fs_directory_lock(journal->directory, err);
    if (journal->lock < 0 || !fs_directory_touch(journal->directory, FS_DIRECTORY_DATABASE, &made, err))
        return false;
    /* A file of no bytes is what a start leaves that was cut off before the first table was there. */
    bool empty = made || fs_directory_empty(journal->file);
    if (!fs_directory_key(journal->directory, empty, &key, err))
        return false;
    bool fine = fs_store_open(&journal->store, journal->file, &key, journal->options.dedup_ms, err);
    fs_wipe(&key, sizeof key);
    return fine;
}

struct fs_journal *fs_journal_open(const struct fs_journal_options *options, struct fs_err *err)
{
    if (!check_options(options, err))
        return NULL;
    struct fs_journal *journal = create(options);
    if (!open_store(journal, err))
        goto failed;
    atomic_init(&journal->last, journal->store.number);
    journal->erased = true; /* perhaps: whether the log was cut off after an erasure nobody remembers */
    journal->checkpointer = fs_checkpointer_create(journal->file, err);
    if (!journal->checkpointer ||
        !fs_journal_thread(&journal->thread, "fs-journal", fs_journal_write, journal, err))
        goto failed;
    return journal;
failed:
    destroy(journal);
    return NULL;
}

void fs_journal_close(struct fs_journal *journal)
{
    if (!journal)
        return;
    fs_queue_close(journal->queue);
    pthread_join(journal->thread, NULL);
    destroy(journal);
}

bool fs_journal_append(struct fs_journal *journal, const struct fs_draft *draft)
{
    return fs_journal_append_batch(journal, draft, 1);
}

bool fs_journal_append_batch(struct fs_journal *journal, const struct fs_draft *drafts, size_t count)
{
    struct fs_job *first = NULL;
    for (size_t i = count; i-- > 0;) {
        struct fs_job *job = fs_job_create(&drafts[i]);
        job->message.bytes += first ? first->message.bytes : 0; /* they go as one */
        job->next = first;
        first = job;
    }
    if (!first || fs_queue_push(journal->queue, &first->message))
        return true;
    fs_job_destroy(first);
    return false;
}

void fs_journal_replayed(struct fs_journal *journal)
{
    atomic_store(&journal->replayed, true);
}

size_t fs_journal_waiting(struct fs_journal *journal)
{
    return fs_queue_length(journal->queue) + atomic_load(&journal->in_flight);
}

bool fs_journal_healthy(struct fs_journal *journal)
{
    return atomic_load(&journal->healthy);
}

bool fs_journal_damaged(struct fs_journal *journal)
{
    return atomic_load(&journal->damaged);
}

void fs_journal_note_damage(struct fs_journal *journal, bool fine, const struct fs_err *err)
{
    if (!fine && err && err->code == FS_ERR_DIFFERS)
        atomic_store(&journal->damaged, true);
}

uint64_t fs_journal_last(struct fs_journal *journal)
{
    return atomic_load(&journal->last);
}

static bool run_task(struct fs_journal *journal, struct fs_task *task, struct fs_err *err)
{
    struct fs_job *job = fs_job_create_task(task);
    bool written = false;
    if (fs_queue_push_always(journal->queue, &job->message)) {
        written = fs_task_wait(task, err);
    } else {
        fs_job_destroy(job);
        fs_fail(err, FS_ERR_UNAVAILABLE, "the journal is closed");
    }
    fs_task_finish(task);
    return written;
}

struct document {
    const char *name, *value;
};

static bool put(void *self, struct fs_journal *journal, struct fs_err *err)
{
    const struct document *document = self;
    return fs_store_put(&journal->store, document->name, document->value, err);
}

bool fs_journal_put(struct fs_journal *journal, const char *name, const char *value, struct fs_err *err)
{
    struct document document = {name, value};
    struct fs_task task;
    fs_task_init(&task, put, &document);
    return run_task(journal, &task, err);
}

struct erase_step {
    struct fs_erasing erasing;
    struct fs_erased *sum;
    bool more;
};

static bool erase(void *self, struct fs_journal *journal, struct fs_err *err)
{
    struct erase_step *step = self;
    struct fs_commit told;
    if (!fs_erase_step(&step->erasing, &journal->store, fs_clock_now(&journal->options.clock).wall, step->sum,
                       &told, &step->more, err))
        return false;
    if (told.result == FS_COMMIT_DONE)
        fs_vec_push(&journal->commits, told);
    journal->erased = true;
    return true;
}

bool fs_journal_erase(struct fs_journal *journal, const char *subject, uint64_t upto, struct fs_erased *out,
                      struct fs_err *err)
{
    struct erase_step step = {.erasing = {.subject = subject, .upto = upto}, .sum = out, .more = true};
    bool fine = true;
    memset(out, 0, sizeof *out);
    while (fine && step.more) {
        struct fs_task task;
        fs_task_init(&task, erase, &step);
        fine = run_task(journal, &task, err);
    }
    fs_erasing_finish(&step.erasing);
    return fine;
}

void fs_journal_secret(const struct fs_journal *journal, uint8_t out[FS_ENTRY_SECRET_SIZE])
{
    const struct fs_sha256 secret = fs_chain_secret(&journal->store.key);
    memcpy(out, secret.bytes, FS_ENTRY_SECRET_SIZE);
}

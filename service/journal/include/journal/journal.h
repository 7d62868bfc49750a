/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The journal: append, read from, watch. One SQLite file in WAL mode with synchronous FULL, one thread that
 * owns it, commits in groups. The same interface could stand before a replicated log; nothing of SQLite shows
 * through it.
 *
 * The data directory holds `journal.db`, `audit.key` and `lock`; one process at a time holds the lock.
 * Nothing else in the process may open(2) journal.db: closing such a descriptor drops SQLite's POSIX locks.
 */
#ifndef FS_JOURNAL_JOURNAL_H
#define FS_JOURNAL_JOURNAL_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/clock.h"
#include "base/err.h"
#include "core/entry.h"
#include "core/event.h"

struct fs_journal;

struct fs_journal_options {
    const char *directory; /* made (0700) where it is missing */
    int64_t dedup_ms;      /* how long identities are remembered, by the drafts' time; 0: 7 days */
    int64_t retention_ms;  /* entries older than that are pruned; at least dedup_ms; 0: none ever is */
    size_t queue_limit;    /* drafts that may wait; 0: 65536 */
    size_t group_limit;    /* drafts in one commit, at most; 0: 1024 */
    struct fs_clock clock; /* wall time, for forgetting identities; zeroed: the machine's */
    /* Called on the journal's thread after each group, in journal order. The array is borrowed. Must not
     * block, and must not call fs_journal_put(), which waits for this thread. */
    void (*committed)(void *self, const struct fs_commit *commits, size_t count);
    void *self;
};

/* Opens or makes it, takes the lock, migrates an older schema (a newer one is an error that says so), starts
 * the thread. NULL with `err`: locked by process N; not a journal; disk full; no right to write. */
struct fs_journal *fs_journal_open(const struct fs_journal_options *options, struct fs_err *err);
/* Lets retention begin. Until then nothing is pruned, so that the base state and the entries that are read
 * for a start, one after the other, belong together. Any thread. */
void fs_journal_replayed(struct fs_journal *journal);
/* Commits what waits, ends the thread, gives up the lock. Accepts NULL. */
void fs_journal_close(struct fs_journal *journal);

/* Queues a draft. false: the queue is full (nothing is taken). Never blocks. Any thread. */
bool fs_journal_append(struct fs_journal *journal, const struct fs_draft *draft);
/* The same for several drafts that are taken whole or not at all, in one transaction: a conflict of one drops
 * the others. */
bool fs_journal_append_batch(struct fs_journal *journal, const struct fs_draft *drafts, size_t count);
/* Drafts (a batch counts as one) that wait. Any thread. */
size_t fs_journal_waiting(struct fs_journal *journal);
/* The last group failed (disk full, I/O): false until one succeeds again; the journal tries by itself each
 * second with an empty write. Any thread. */
bool fs_journal_healthy(struct fs_journal *journal);
/* Reading or retention met an entry that is damaged or lost, since it was opened. That nothing was met does
 * not say that all is whole: fs_journal_verify() does. Any thread. */
bool fs_journal_damaged(struct fs_journal *journal);

/* Reading: each call opens a read transaction of its own; from any thread, beside the writer. */

/* Calls `each` for entries from `from` (or from the oldest that was not pruned) on, at most `limit`, until it
 * returns false. The entry is borrowed for the call. An erased body reads as `null`. */
bool fs_journal_read(struct fs_journal *journal, uint64_t from, size_t limit,
                     bool (*each)(void *self, const struct fs_entry *entry), void *self, struct fs_err *err);
/* The same backwards: entries of these kinds (bits by enum fs_entry_kind) with numbers below `before` and
 * from `from` on, newest first. */
bool fs_journal_read_back(struct fs_journal *journal, uint64_t from, uint64_t before, unsigned kinds,
                          size_t limit, bool (*each)(void *self, const struct fs_entry *entry), void *self,
                          struct fs_err *err);
/* The facts that pruned and erased entries have left, and which subjects were erased (core/event.h tells
 * how): to be restored before the entries that are still there are read. The fact is borrowed for the call.
 */
bool fs_journal_facts(struct fs_journal *journal, bool (*each)(void *self, const struct fs_fact_state *fact),
                      void *self, struct fs_err *err);
/* The entries that ordered overrides, were pruned, and whose overrides had not been released by then: to be
 * replayed before those that are still there. */
bool fs_journal_overrides(struct fs_journal *journal, bool (*each)(void *self, const struct fs_entry *entry),
                          void *self, struct fs_err *err);
/* The clear texts of one reading. */
struct fs_journal_texts;
/* What this name stands for, borrowed until the next call; NULL: it was erased. */
const char *fs_journal_text(struct fs_journal_texts *texts, const char *name);
/* The ticks that changed a cell, newest first, with what tells the contexts they name: `subject` and `flag`
 * may be NULL (any), `context` too; only entries at or before `until_wall` and numbered below `before` (each
 * 0: no bound). Several cells of one tick give it once. Without subject, flag and context: all ticks. A
 * context alone, without subject or flag, reads the whole index. */
bool fs_journal_cells(struct fs_journal *journal, const char *subject, const char *context, const char *flag,
                      int64_t until_wall, uint64_t before, size_t limit,
                      bool (*each)(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts),
                      void *self, struct fs_err *err);
/* What a name stands for and whom that is about, each owned by the caller; NULL: erased. False with `err`: it
 * cannot be read. Any thread. */
bool fs_journal_named(struct fs_journal *journal, const char *name, char **text, char **subject,
                      struct fs_err *err);
/* A start of the daemon, and the time (wall ms) of the last entry before it: that far it is known to have run
 * before. */
struct fs_journal_start {
    uint64_t number;
    int64_t time, before;
};
/* The first starts behind entry `after`, at most `limit` of them, into `out`; their count into `count`. Any
 * thread. */
bool fs_journal_starts(struct fs_journal *journal, uint64_t after, size_t limit, struct fs_journal_start *out,
                       size_t *count, struct fs_err *err);
/* The number of the last entry; 0 where there is none. */
uint64_t fs_journal_last(struct fs_journal *journal);
/* A cursor's value, owned by the caller; NULL where it was never set. False with `err`: it cannot be read. */
bool fs_journal_cursor(struct fs_journal *journal, const char *name, char **out, struct fs_err *err);

/* Small documents that are state and no entries: keys, the mark that a key was ever made, the longest lease
 * granted. Written by the journal's thread; `put` waits until it is on disk (start-up and key commands only,
 * never the core thread: that uses a draft). */
bool fs_journal_put(struct fs_journal *journal, const char *name, const char *value, struct fs_err *err);
/* Owned by the caller; NULL where it is absent. False with `err`: it cannot be read, which must not be taken
 * for absent. */
bool fs_journal_get(struct fs_journal *journal, const char *name, char **out, struct fs_err *err);

/* Erases what the entries up to number `upto` tell of a subject: bodies that name it, the texts about it, the
 * index of its cells, its facts in the base state; texts about another for whom it acts, too. What is known
 * of others' facts then stands in the base state. The audit chain stays as it is, and names without texts are
 * left in ticks and answers. In small steps, each on disk when it is done, with an entry of kind erasure that
 * says which bodies and texts it took (its commit has token 0): one that was cut off is finished by another.
 * Waits; never the core thread. */
struct fs_erased {
    uint64_t bodies, texts, cells;
};
bool fs_journal_erase(struct fs_journal *journal, const char *subject, uint64_t upto, struct fs_erased *out,
                      struct fs_err *err);
/* What names of texts are made with in this data directory. Any thread. */
void fs_journal_secret(const struct fs_journal *journal, uint8_t out[FS_ENTRY_SECRET_SIZE]);

/* The audit chain: entry n carries SHA-256(hash of n-1, number, kind, time, keyed hash of the body), so that
 * bodies can be erased and the chain still verifies; the key lies in the data directory. Checks what
 * `directory` holds, with or without a daemon on it, read-only and without the lock. */
struct fs_verdict {
    uint64_t first, last, checked; /* entries */
    uint64_t erased;               /* of these: with an erased body */
    uint64_t bad;                  /* the first that does not fit; 0: none */
    char text[160];
};
/* true: it was checked, and `out->bad` and `out->text` say how it went. false with `err`: it could not be
 * checked (no journal, no key, no right to read), or the file is so damaged that no entry can be named
 * (FS_ERR_DIFFERS). Any thread. */
bool fs_journal_verify(const char *directory, struct fs_verdict *out, struct fs_err *err);
/* Copies the database to `file` (must not exist) while it runs (SQLite's online backup), and the audit key to
 * `file`.key. Not on the core thread. */
bool fs_journal_backup(struct fs_journal *journal, const char *file, struct fs_err *err);

#endif

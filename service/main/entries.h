/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the journal as operators are told of them: what happened, by whom, and how many values flipped
 * for it. GET /v1/entries and boards tell the same. All of it runs on the worker's thread.
 */
#ifndef FS_MAIN_ENTRIES_H
#define FS_MAIN_ENTRIES_H

#include <jansson.h>
#include "core/entry.h"
#include "daemon.h"

/* The kinds that are told, as bits; ticks, answers and timers are what they set off. */
unsigned fs_entries_told(void);
/* {"entry", "kind", "time", ..., "flips": 0, "summary"}; NULL: its kind is not told. New reference. */
json_t *fs_entry_tell(const struct fs_entry *entry);
/* Adds a tick's changes to the `flips` of those of `told` (an array of the above) that caused them. The array
 * of those that have grown; NULL: none has. New reference. */
json_t *fs_entries_flipped(const json_t *told, const struct fs_entry *tick);

/* The journal's end, as it grows. Goes from thread to thread as a whole. */
struct fs_entry_tail {
    struct fs_journal *journal;
    struct fs_queue *inbox;
    uint64_t next;         /* the first entry that was not read */
    json_t *recent;        /* the last ones that were told: further flips of theirs are told too */
    struct fs_blob *frame; /* what was read, for boards; NULL: nothing to tell */
    bool more;             /* it did not reach the end */
};
void fs_entry_tail_read(void *tail); /* a job of the worker's: comes back as FS_NOTICE_ENTRIES */
void fs_entry_tail_destroy(struct fs_entry_tail *tail); /* accepts NULL */

#endif

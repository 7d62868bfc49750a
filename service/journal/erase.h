/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing what the journal tells of a subject, and leaving the audit chain intact: what is taken away stands
 * beside the chain, and entries in it tell what was taken. Belongs to the journal's thread.
 */
#ifndef FS_JOURNAL_ERASE_H
#define FS_JOURNAL_ERASE_H

#include "base/vec.h"
#include "journal/journal.h"
#include "store.h"

/* An erasure under way, in small steps. */
struct fs_erasing {
    const char *subject;
    uint64_t upto; /* the last entry that it reaches: the erasure's own */
    bool begun;
    FS_VEC(char *) others; /* whose facts are told in the same bodies */
    size_t settled;        /* of them: their facts stand in the base state, with all that was told of them */
    uint64_t folded;       /* of the next one: entries up to here are in it */
};

/* One step, within the open transaction of `store`. Where it took bodies or texts, it adds an entry that
 * tells which: `told` is its commit, with result DONE; otherwise FAILED, there is none. `now`: wall ms, of
 * that entry. `more`: there is more to do. Where the transaction fails the erasure must begin anew. */
bool fs_erase_step(struct fs_erasing *erasing, struct fs_store *store, int64_t now, struct fs_erased *out,
                   struct fs_commit *told, bool *more, struct fs_err *err);
/* Adds an entry's number, which is higher than those before, to the ranges [first, last] that an entry of
 * kind erasure tells. */
void fs_erased_add(json_t *ranges, int64_t number);
void fs_erasing_finish(struct fs_erasing *erasing);

#endif

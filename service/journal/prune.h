/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Retention: takes the oldest entries out of the journal, a few at a time, as a whole prefix of the chain.
 * What they did to facts goes into the base state, and the anchor moves behind them, in one transaction.
 * Their cells go later, subject by subject: nobody sees a cell without its entry. Belongs to the journal's
 * thread.
 */
#ifndef FS_JOURNAL_PRUNE_H
#define FS_JOURNAL_PRUNE_H

#include "store.h"

struct fs_pruner {
    bool loaded;
    uint64_t anchor; /* the last entry that is gone */
    struct fs_sha256 anchor_hash;
    uint64_t swept, sweep_to; /* no cells up to here; the sweep under way will make it so up to there */
    char *sweep_at;           /* the subject that was swept last; NULL: none yet */
};

/* One small step. `before`: entries from before that (wall ms) may go; the last entry always stays. `forget`:
 * facts that were gone before that are forgotten. `more`: call it again soon. False with `err`: nothing was
 * changed. */
bool fs_prune_step(struct fs_pruner *pruner, struct fs_store *store, int64_t before, int64_t forget,
                   bool *more, struct fs_err *err);
void fs_pruner_finish(struct fs_pruner *pruner);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Erasing what the journal tells of a subject, and leaving the audit chain intact: what is taken away stands
 * beside the chain. Belongs to the journal's thread.
 */
#ifndef FS_JOURNAL_ERASE_H
#define FS_JOURNAL_ERASE_H

#include "journal/journal.h"
#include "prune.h"
#include "store.h"

/* One small step, within the open transaction of `store`, of what the entries up to `upto` tell. `more`:
 * there is more of it. The pruner's sum follows the base state; where the transaction fails, the pruner has
 * to load anew. */
bool fs_erase_step(struct fs_pruner *pruner, struct fs_store *store, const char *subject, uint64_t upto,
                   struct fs_erased *out, bool *more, struct fs_err *err);

#endif

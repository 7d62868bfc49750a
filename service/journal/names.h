/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Part of verification: the texts that a body speaks of by name must be there, kept for as long as it is, or
 * an entry tells that they were erased. Belongs to the thread of the connection.
 */
#ifndef FS_JOURNAL_NAMES_H
#define FS_JOURNAL_NAMES_H

#include <sqlite3.h>
#include "base/err.h"
#include "base/map.h"
#include "core/entry.h"
#include <jansson.h>

struct fs_names {
    sqlite3_stmt *find;
    struct fs_map erased; /* name -> number of the last entry that tells of it */
    uint64_t untold;      /* before this entry erasures named no texts */
};

bool fs_names_begin(struct fs_names *names, sqlite3 *db, struct fs_err *err);
/* Notes what an entry of kind erasure tells. All come before the first check. */
void fs_names_note(struct fs_names *names, uint64_t number, const json_t *body);
/* What is wrong with the texts that the body of a tick or of answers names; NULL: nothing. */
const char *fs_names_check(struct fs_names *names, const struct fs_entry *entry);
/* Accepts zeroed ones. */
void fs_names_finish(struct fs_names *names);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What the journal tells of a past moment beside the change itself. All of it runs on the worker's thread. */
#ifndef FS_MAIN_PAST_H
#define FS_MAIN_PAST_H

#include <jansson.h>
#include "journal/journal.h"

#define FS_PAST_UNWATCHED "nobody watches it any more"

/* Adds to each of the change's `answers` what its entry said: the value, the error, and what was asked; left
 * out where that was erased or pruned, or cannot be told from what others asked in the same batch. */
void fs_past_add_answers(struct fs_journal *journal, const char *subject, json_t *change);

/* For one subject and flag the change that tells what stood, from ticks that are given the newest first: a
 * value that was kept current, or else the last that was. */
struct fs_past_stand {
    json_t *kept, *last; /* owned; NULL: none (yet) */
    json_t *ends;        /* contextHash -> when it ended */
};
/* Takes `change`, whose contexts are those that are asked for. False: `kept` is found. */
bool fs_past_stand_take(struct fs_past_stand *stand, json_t *change);
/* The answer, with `kept`, and where that is false `until` and `ended` in words; `at`: wall ms. NULL with
 * `err`. New reference. */
json_t *fs_past_stand_end(struct fs_past_stand *stand, struct fs_journal *journal, int64_t at,
                          struct fs_err *err);
/* [{"entry", "time", "before"}]: starts behind the entry, each of which ends what stood before: it is known
 * to have stood until `before`. New reference. */
json_t *fs_past_starts(struct fs_journal *journal, uint64_t after, struct fs_err *err);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Causes as short sentences, for people: "policy 4f2c at opa -> denied", "operator ada: INC-4711", "facts
 * from /hr: risk=high". The one place that says them: the engine for values as they are now, the daemon for
 * those that the journal tells. Pure; any thread.
 */
#ifndef FS_CORE_CAUSE_H
#define FS_CORE_CAUSE_H

#include <jansson.h>
#include "base/buf.h"
#include "core/entry.h"
#include "core/event.h"

/* What a sentence is made of. Borrowed; texts that are not known are NULL. */
struct fs_cause_parts {
    const char *kind;    /* fs_cause_kind_name() */
    uint64_t entry;      /* the first; 0: none */
    uint64_t more;       /* entries beside it */
    const char *words;   /* of that entry: fs_entry_words() */
    const char *source;  /* of the first answer that the value rests on */
    const char *outcome; /* of that: "allowed", "denied", "no answer", ... */
};
void fs_cause_say(struct fs_buf *out, const struct fs_cause_parts *parts);
/* "allowed" and so on, of an answer's state and value (NULL: not known); NULL: nothing to be said. Static. */
const char *fs_cause_outcome(const char *state, const json_t *value);
/* What an entry that may be a cause says happened, by its body: "facts from /hr: risk=high", "recompute from
 * /hr", "policy 4f2c at opa", "operator ada: INC-4711". Owned by the caller; NULL: it is none, or its body
 * was erased. */
char *fs_entry_words(enum fs_entry_kind kind, const char *body, size_t length);
/* The same, of an event that was read already. */
char *fs_event_words(const struct fs_event *event);

#endif

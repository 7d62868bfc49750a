/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Entries of the journal, as core sees them: numbered in one order, each a kind and a JSON body. Core hands
 * over drafts and applies an entry when it is told that it is committed.
 */
#ifndef FS_CORE_ENTRY_H
#define FS_CORE_ENTRY_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/digest.h"

#define FS_ENTRY_KINDS(X)                                                                                    \
    X(FS_ENTRY_START, "start")       /* the daemon started: epoch */                                         \
    X(FS_ENTRY_EVENT, "event")       /* an accepted event */                                                 \
    X(FS_ENTRY_ANSWERS, "answers")   /* one batch of answers that changed or settled something */            \
    X(FS_ENTRY_TICK, "tick")         /* what changed for whom, and why: one revision */                      \
    X(FS_ENTRY_SOURCE, "source")     /* a source went up or down, or its revision moved */                   \
    X(FS_ENTRY_CONFIG, "config")     /* flags were loaded */                                                 \
    X(FS_ENTRY_OVERRIDE, "override") /* an override was ordered or released: core/override.h */              \
    X(FS_ENTRY_OPERATOR, "operator") /* an operator ended a connection */                                    \
    X(FS_ENTRY_ERASURE, "erasure")   /* what earlier entries told of a subject is erased, or which were */

enum fs_entry_kind {
#define X(kind, name) kind,
    FS_ENTRY_KINDS(X)
#undef X
};
const char *fs_entry_kind_name(enum fs_entry_kind kind);
bool fs_entry_kind_parse(const char *name, enum fs_entry_kind *out);

struct fs_entry {
    uint64_t number; /* strictly increasing from 1, without gaps */
    enum fs_entry_kind kind;
    int64_t time;     /* wall ms when it was accepted */
    const char *body; /* canonical JSON; borrowed */
    size_t length;
    int64_t received; /* mono ms when it came in; 0: not known (a replay). No part of what is journaled */
};

/* Identity of an event: (credential, source, id). All zero: the entry has none. */
struct fs_identity {
    struct fs_sha256 key; /* of credential, source and id */
    struct fs_sha256
        content; /* of the event's canonical form: the same identity with other content is a conflict */
    bool set;
};

/* A subject and flag that a tick changed: the index by which history and why look up the past. */
struct fs_entry_cell {
    const char *subject;
    const char *context; /* hash, hexadecimal */
    const char *flag;
};

/* A clear text that a body speaks of by name only: a context, the input of a question. The journal keeps each
 * once, beside the audit chain, so that it can be erased and the chain still fits. */
struct fs_entry_text {
    const char *name;    /* fs_entry_text_name() of the text */
    const char *subject; /* whom it is about; "": nobody */
    const char *actor;   /* who acts for them; NULL: nobody */
    const char *text;
    size_t length;
};
/* The name of a text, hexadecimal: HMAC-SHA-256 under the data directory's `secret`. Without the secret a
 * name that is left after an erasure confirms no guess at what it stood for. Pure; any thread. */
#define FS_ENTRY_SECRET_SIZE 32
void fs_entry_text_name(const uint8_t secret[FS_ENTRY_SECRET_SIZE], const char *text, size_t length,
                        char out[65]);

/* Does this entry erase a subject? Its name, as of a text, and until when its events are too late since then:
 * the moment of the erasure, or that of its newest fact (wall ms). False: it is none, or it only tells which
 * entries were erased. Pure; any thread. */
bool fs_entry_erasure(const struct fs_entry *entry, char name[65], int64_t *time);

/* An entry to be. The journal copies what it needs before fs_journal_append() returns. */
struct fs_draft {
    enum fs_entry_kind kind;
    int64_t time;
    const char *body;
    size_t length;
    struct fs_identity identity;
    const struct fs_entry_cell *cells;
    size_t cell_count;
    const struct fs_entry_text *texts; /* that the body names; one may stand there several times */
    size_t text_count;
    const char *const *subjects; /* whom the body itself names in clear, NULL-terminated; NULL: nobody */
    const char *cursor_name;     /* moves in the same transaction; NULL: none */
    const char *cursor_value;
    uint64_t token; /* comes back with the notice */
};

enum fs_commit_result {
    FS_COMMIT_DONE,
    FS_COMMIT_DUPLICATE, /* the same event was committed as entry `number` before; nothing was written */
    FS_COMMIT_CONFLICT,  /* the same identity with other content, as entry `number`; nothing was written */
    FS_COMMIT_DROPPED,   /* another one of its batch is a conflict; nothing was written */
    FS_COMMIT_FAILED     /* not on disk; nothing of it is kept */
};

struct fs_commit {
    uint64_t token;
    uint64_t number;
    int64_t time; /* the entry's */
    enum fs_commit_result result;
    char error[160];
};

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An accepted event, in the one form that core applies: whatever came in (CloudEvents, a report, a timer) was
 * turned into this by service/events. Its JSON form is the body of an entry of kind "event"; reading it back
 * gives the same struct.
 */
#ifndef FS_CORE_EVENT_H
#define FS_CORE_EVENT_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/buf.h"
#include "base/err.h"
#include "core/entry.h"

/* One fact set or removed. */
struct fs_fact_change {
    char *subject;
    char *fact;
    json_t *value;   /* NULL: removed */
    int64_t expires; /* wall ms; 0: never */
};

/* What is known of a fact, as a base state holds it. One whose name is "" tells that its subject, which it
 * has by name (fs_entry_text_name), was erased: of what came in since then, events from before `time` are too
 * late. */
struct fs_fact_state {
    struct fs_fact_change change;
    int64_t time;   /* when it became so, wall ms */
    uint64_t entry; /* that said so */
    const char *credential;
};

/* What is to be asked again. Lists of different kinds narrow, members of one list widen; all empty:
 * everything. */
struct fs_filter {
    char **subjects; /* NULL-terminated, or NULL: any */
    char **sources;
    char **paths; /* queries: "app/rbac/allow"; a path covers what lies below it */
    char **flags;
};

struct fs_event {
    char *id;         /* as the sender named it */
    char *source;     /* CloudEvents source */
    char *type;       /* "flagstaff.recompute", "flagstaff.facts", or the mapped event's own */
    char *credential; /* id of the credential that sent it */
    int64_t time;     /* when it happened, wall ms; 0: not said, so when it was accepted */
    bool recompute;
    struct fs_filter filter;
    struct fs_fact_change *facts;
    size_t fact_count;
};

/* By which the facts of an event are ordered: its own `stated` time; where it states none (0), that of its
 * entry, but never before `known`, the time of the fact as it is known (INT64_MIN: it is not). So what
 * happened later counts though the wall clock was set back meanwhile. All wall ms. Applying, replay and the
 * journal's base state agree by asking here. Any thread. */
int64_t fs_event_fact_time(int64_t stated, int64_t accepted, int64_t known);
void fs_event_destroy(struct fs_event *event); /* accepts NULL */
/* Whom it names: NULL-terminated, each once. The array is the caller's, the names are the event's. */
const char **fs_event_subjects(const struct fs_event *event);
/* Writes the canonical JSON. */
bool fs_event_write(const struct fs_event *event, struct fs_buf *out);
/* Reads it back. NULL with `err` where it is none. Owned. */
struct fs_event *fs_event_read(const char *text, size_t length, struct fs_err *err);
/* (credential, source, id), and the digest of the content as it came: everything but the moment of
 * acceptance. */
struct fs_identity fs_event_identity(const struct fs_event *event, const struct fs_sha256 *content);

#endif

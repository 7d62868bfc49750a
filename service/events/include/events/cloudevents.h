/* SPDX-License-Identifier: Apache-2.0 */
/*
 * CloudEvents 1.0 over HTTP (https://github.com/cloudevents/spec, v1.0.2: spec.md, formats/json-format.md,
 * bindings/http-protocol-binding.md) in its three modes, structured, binary and batched, and what Flagstaff
 * makes of them: events of its own types, and others by the configuration's mappings (events/mapping.h).
 * Pure: no clock, no I/O; any thread.
 */
#ifndef FS_EVENTS_CLOUDEVENTS_H
#define FS_EVENTS_CLOUDEVENTS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/digest.h"
#include "base/err.h"
#include "core/credential.h"
#include "core/event.h"
#include "events/mapping.h"

#define FS_EVENT_TYPE_RECOMPUTE "flagstaff.recompute"
#define FS_EVENT_TYPE_FACTS     "flagstaff.facts"
#define FS_EVENT_AHEAD_MAX      60000 /* ms that an event's time may lie ahead of ours: clocks differ */

/* One header of the request. The name in any case. */
struct fs_events_header {
    const char *name;
    const char *value;
};

/* What came in. All borrowed for the call. */
struct fs_events_request {
    const char *content_type; /* NULL: none */
    const struct fs_events_header *headers;
    size_t header_count;
    const char *body;
    size_t length;
};

struct fs_events_limits {
    size_t body;  /* bytes of a request */
    size_t batch; /* events in it */
    size_t facts; /* fact changes of one event */
    size_t items; /* members of one list of a recompute */
    size_t text;  /* bytes of an id, a source, a type, a subject or a member of a list */
    size_t value; /* bytes of a fact's value, canonical */
    size_t depth; /* of the JSON */
};
/* 1 MiB, 1000, 1000, 1000, 2048, 16 KiB, 32. */
void fs_events_limits_init(struct fs_events_limits *limits);

/* A CloudEvent as it was sent, whatever its type. Owned. */
struct fs_cloudevent {
    json_t *attributes; /* object: name -> string, boolean or integer; extensions too. Of binary mode all are
                           strings */
    json_t *data;       /* a JSON value, or text as a string; NULL: no data, or bytes that are neither */
    char *bytes;        /* such bytes; else NULL */
    size_t byte_count;
};
struct fs_cloudevents {
    struct fs_cloudevent *items;
    size_t count; /* an empty batch has none */
};

/* Reads a request: all of it or nothing. False with `err`: FS_ERR_UNSUPPORTED (a format or charset that is
 * not understood), FS_ERR_TOO_LARGE, FS_ERR_INVALID; its text names the attribute, and in a batch the event's
 * index ("event 3: id: ..."). */
bool fs_cloudevents_read(const struct fs_events_request *request, const struct fs_events_limits *limits,
                         struct fs_cloudevents *out, struct fs_err *err);
void fs_cloudevents_finish(struct fs_cloudevents *events); /* accepts NULL and zeroed */

struct fs_events_options {
    const struct fs_mappings *mappings; /* borrowed; NULL: none */
    const char *credential;             /* id of who sends them */
    int64_t now;                        /* wall ms */
    int64_t dedup;                      /* ms for which identities are remembered: older events are refused */
    struct fs_events_limits limits;
};

/* Accepted events, in the order of the request. */
struct fs_events {
    struct fs_event **items;
    /* Of each, the digest of what was sent. It belongs into fs_identity.content: an event that is sent again
     * has the same one, even where its meaning was worked out by the clock (`ttl`) or by mappings that were
     * changed meanwhile. */
    struct fs_sha256 *contents;
    size_t count;
};

/* The whole way from a request to events, whole or not at all. Errors as above; a type that is neither ours
 * nor mapped is FS_ERR_INVALID and says so, as is an event older than options->dedup or more than a minute
 * ahead. */
bool fs_events_read(const struct fs_events_request *request, const struct fs_events_options *options,
                    struct fs_events *out, struct fs_err *err);
void fs_events_finish(struct fs_events *events); /* accepts NULL and zeroed */

/* One CloudEvent as an event of ours. NULL with `err` (without the index). Owned: fs_event_destroy(). */
struct fs_event *fs_event_from_cloudevent(const struct fs_cloudevent *cloudevent,
                                          const struct fs_events_options *options, struct fs_err *err);

/* May this credential send them? `flagstaff.recompute` needs the scope `events` (or `operate`),
 * `flagstaff.facts` needs facts:NAME for each fact, every other type a grant that matches it. False with
 * `err` (FS_ERR_FORBIDDEN), which names event and right. */
bool fs_events_permitted(struct fs_event *const *events, size_t count, const struct fs_credential *credential,
                         struct fs_err *err);

/* [A-Za-z0-9_-]{1,64} */
bool fs_fact_name_valid(const char *name);

#endif

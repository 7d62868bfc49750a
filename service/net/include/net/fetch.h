/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The fetch thread: it owns the sources' adapters and one libcurl multi loop, makes the requests that
 * adapters want, and hands answers to the core's inbox. All functions here may be called from any thread (in
 * fact: main and core); none of them waits, but start and stop.
 *
 * Promises. Each batch is answered exactly once, as a whole, in its order; what has no answer by then is
 * FS_ANSWER_NONE. A request gets the source's timeout. A batch ends when its source was silent for that long
 * (answers to other batches of it count as a sign of life), and in any case after ten times that. At most
 * `connections` requests of one source run at once, its probe beside them; no source waits for another. A
 * source is probed once when it is added, unasked, and nothing is asked of it before that probe has ended. A
 * probe has its source's timeout, but no longer than nine tenths of the interval: a source that hangs is lost
 * as soon as one that refuses.
 */
#ifndef FS_NET_FETCH_H
#define FS_NET_FETCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/err.h"
#include "base/queue.h"
#include "core/answer.h"
#include "core/source.h"
#include "sources/endpoint.h"

struct fs_fetch;

struct fs_fetch_options {
    struct fs_queue
        *inbox;         /* the core's; outlives the fetch thread. Replies go over its capacity if need be */
    size_t connections; /* at once, for each source; 0: 4 */
    size_t response_limit;  /* bytes of a body after decompression; 0: 8 MiB */
    int64_t probe_interval; /* ms, at which probes are asked for; 0: 1000 */
};

enum fs_fetch_kind { FS_FETCH_ANSWERS, FS_FETCH_PROBE };

/* What arrives in the inbox. Whoever pops it owns it: fs_fetch_message_destroy(). */
struct fs_fetch_message {
    struct fs_message message;
    enum fs_fetch_kind kind;
    unsigned source;
    uint64_t token;            /* ANSWERS: as asked */
    struct fs_answer *answers; /* ANSWERS: `count` of them, in the batch's order. The receiver may move
                                  members out and zero them */
    size_t count;
    struct fs_probe probe; /* PROBE. The receiver may move `revision` out and zero it */
    int64_t sent; /* fs_clock_nanos() when the first request of it went out (or, where none did, when it was
                     taken up) */
    int64_t received; /* fs_clock_nanos() when the last answer was there; the difference is the round trip */
};

/* The inbox holds messages of several kinds: is this one of ours? NULL where not. Borrowed view of the same
 * message. */
struct fs_fetch_message *fs_fetch_message_from(struct fs_message *message);
void fs_fetch_message_destroy(struct fs_fetch_message *message); /* accepts NULL */

/* Starts the thread. NULL with `err`. */
struct fs_fetch *fs_fetch_start(const struct fs_fetch_options *options, struct fs_err *err);
/* Adds the source called `index` from now on. `self` comes from type->create() and is taken over; the
 * endpoint is copied. Its files are read by the thread: one that cannot be read makes probes fail with that
 * reason until fs_fetch_reload() finds it. */
void fs_fetch_add_source(struct fs_fetch *fetch, unsigned index, const char *name,
                         const struct fs_source_type *type, void *self,
                         const struct fs_source_endpoint *endpoint);
/* (kind, query) pairs that flags now ask of it. Copied. */
void fs_fetch_set_queries(struct fs_fetch *fetch, unsigned index, const char *const *kinds,
                          const char *const *queries, size_t count);
/* Asks. The batch is copied. Comes back as ANSWERS with `token`, also where the source is not known. */
void fs_fetch_ask(struct fs_fetch *fetch, unsigned index, const struct fs_asked *batch, size_t count,
                  uint64_t token);
/* Comes back as PROBE. One that is asked for while another of that source runs is answered by that. */
void fs_fetch_probe(struct fs_fetch *fetch, unsigned index);
/* Reads token and certificate files again (SIGHUP). New connections use new certificates; what is under way
 * goes on. */
void fs_fetch_reload(struct fs_fetch *fetch);
/* Answers all open batches with FS_ANSWER_NONE, ends the thread, frees it with its adapters. Nothing may be
 * called any more. Accepts NULL. */
void fs_fetch_stop(struct fs_fetch *fetch);

#endif

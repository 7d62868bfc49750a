/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flagstaff.v1 on the server's side (docs/protocol): frames of clients into structs, flags and frames into
 * bytes. Pure; any thread.
 */
#ifndef FS_PUSH_FRAME_H
#define FS_PUSH_FRAME_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/blob.h"
#include "base/buf.h"
#include "base/err.h"
#include "core/evaluate.h"

/* Why a client's frame, or one watch of it, is not taken: what becomes an `error` frame, and perhaps a close.
 */
struct fs_frame_fault {
    const char
        *code; /* of the schema's errorCode: "bad_frame", "unknown_type", "protocol", "limit". Static text */
    const char *limit; /* with "limit": the member of welcome's limits. Static text */
    uint64_t watch;    /* 0: none */
    int close;         /* the close code that follows; 0: the connection goes on */
    char message[240];
};

enum fs_client_frame_type {
    FS_CLIENT_HELLO,
    FS_CLIENT_WATCH,
    FS_CLIENT_UNWATCH,
    FS_CLIENT_RENEW,
    FS_CLIENT_ACK
};

struct fs_watch_request {
    uint64_t watch;  /* the client's number for it, from 1 */
    json_t *context; /* owned */
    char **flags;    /* keys asked for, NULL-terminated; NULL: all that are visible */
    bool once;
};

struct fs_resume_watch {
    uint64_t watch;
    char view[65];
};

struct fs_client_frame {
    enum fs_client_frame_type type;
    /* hello */
    char *client_name, *client_version;
    bool resumes;
    char epoch[40];
    char session[64];
    uint64_t revision; /* resume point; also of ack */
    struct fs_resume_watch *resume;
    size_t resume_count;
    struct fs_watch_request *watches; /* of hello and watch */
    size_t watch_count;
    struct fs_frame_fault *refused; /* of a watch with a list: those of its watches that are not served */
    size_t refused_count;
    uint64_t *unwatched; /* unwatch: ids */
    size_t unwatched_count;
    uint64_t n; /* renew */
};

/* Zero stands for the value named at the end of each line. */
struct fs_frame_limits {
    size_t watches;       /* in one frame (welcome tells, as `list`), and of one connection: 64 */
    size_t flags;         /* keys asked for in one watch: 256 */
    size_t context_bytes; /* of a context in compact JSON: 8192 */
    size_t context_depth; /* containers within one another, the context being 1: 8 */
    size_t rate; /* messages of a client within a second, which the door counts (welcome tells): 1000 */
    size_t send; /* bytes above which the server splits what it sends (welcome tells): 65536 */
};

/* NULL with `fault` filled in. Unknown members are ignored. Owned. `limits` as above. */
struct fs_client_frame *fs_client_frame_parse(const char *text, size_t length,
                                              const struct fs_frame_limits *limits,
                                              struct fs_frame_fault *fault);
/* The same for those who only want to know what is wrong: NULL with `err` (FS_ERR_INVALID: what and where;
 * FS_ERR_TOO_LARGE: which limit). Unknown members are ignored. Owned. */
struct fs_client_frame *fs_client_frame_read(const char *text, size_t length,
                                             const struct fs_frame_limits *limits, struct fs_err *err);
void fs_client_frame_destroy(struct fs_client_frame *frame); /* accepts NULL */

/* Where a value came from, as far as the wire tells. */
struct fs_wire_cause {
    const char *kind; /* the schema's causeKind; NULL: none */
    uint64_t entry;
    int64_t time; /* wall ms */
};

/* Appends one flag as the wire's object. */
void fs_frame_add_flag(struct fs_buf *out, const struct fs_flag *flag, const struct fs_evaluation *evaluation,
                       const struct fs_wire_cause *cause);

/* Frames. A snapshot's and a delta part's body is everything behind {"type":"snapshot","watch":ID, and
 * {"watch":ID, : it is the same for all watches of a view; the caller shares it and these join it with the
 * watch's id. */
struct fs_frame_part {
    uint64_t watch;
    const struct fs_blob *body;
};
struct fs_blob *fs_frame_welcome(const char *session, const char *epoch, int64_t lease_ms,
                                 const struct fs_frame_limits *limits, size_t frame_limit);
struct fs_blob *fs_frame_snapshot(uint64_t watch, const struct fs_blob *body);
struct fs_blob *fs_frame_delta(uint64_t revision, bool more, const struct fs_frame_part *parts, size_t count);
struct fs_blob *fs_frame_lease(uint64_t n, uint64_t revision, int64_t duration_ms);
struct fs_blob *fs_frame_error(const char *code, const char *message,
                               uint64_t watch); /* watch 0: none. Not for code "limit" */
struct fs_blob *fs_frame_fault(
    const struct fs_frame_fault *fault); /* the error frame with all members; `close` is the caller's to do */
/* drain_ms 0 or less: it closes at once; reconnect_ms below 0: the usual back-off. */
struct fs_blob *fs_frame_goaway(const char *code, const char *message, int64_t drain_ms,
                                int64_t reconnect_ms);

#endif

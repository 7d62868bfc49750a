/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.h: the protocol's state on the client's side, over all its connections: watches, what they hold,
 * the open revision, the lease, what is to be sent. Pure: no sockets, no threads, no clock; times are passed
 * in as milliseconds of a clock that runs through suspend. The owner (client.c, or a test) locks.
 */
#ifndef WIRE_SESSION_H
#define WIRE_SESSION_H

#include "flag.h"
#include "lease.h"

#define FSW_NAME_SIZE 65 /* epoch, session and view have at most 64 bytes */

/* Servers close a connection that sends too many frames within a second (4429). What welcome.limits names as
 * `rate` is used to four fifths: three a second all the time, one at once, since a burst and what follows may
 * fall into one second, and a fifth is left for renewals and for what the network holds up. This is the limit
 * where none is named: well below what is usual. */
#define FSW_FRAME_RATE 500

/* What a frame may have before the server has said how many bytes it takes. */
#define FSW_FRAME_LIMIT 65536

enum fsw_close {
    FSW_CLOSE_NORMAL = 1000,
    FSW_CLOSE_TOO_LARGE = 1009,
    FSW_CLOSE_UNAUTHENTICATED = 4401,
    FSW_CLOSE_FORBIDDEN = 4403,
    FSW_CLOSE_BAD_FRAME = 4400,
};

struct fsw_watch {
    struct fsw_client *client; /* whose handle it is; the session does not look at it */
    void *user;
    unsigned refs; /* the session's list, events, the handle */
    uint32_t id;   /* never used again on the same connection */
    bool once;
    bool removed; /* the handle is gone; what is left to do is to send unwatch */
    json_t *context;
    json_t *keys; /* array, or NULL */
    size_t size;  /* bytes that its frame has at most; SIZE_MAX: no frame may say what is in it */
    bool unfit;   /* no frame for it: it was refused here, and is not asked for */

    /* what it holds */
    const struct fsw_table *table; /* NULL: nothing */
    char view[FSW_NAME_SIZE];
    json_t *dropped;
    bool told; /* the last connection that was welcomed spoke for these values: it may be resumed from */
    int64_t covered; /* the lease that speaks for these values runs before this moment at most */

    /* on this connection */
    bool asked;    /* in hello, or by watch */
    bool in_hello; /* so renewal 0 waits for it */
    bool resumed;  /* the resume point named it */
    bool answered; /* by a snapshot or an error */
    bool refused;
    int64_t retry; /* ask again at this time; 0: no */

    /* while a revision is applied */
    const struct fsw_table *coming;
    char coming_view[FSW_NAME_SIZE];
    json_t *coming_dropped;
    bool replaced;
    struct fsw_event *event;
    struct fsw_watch *touched;
    void *mirrored; /* built by the mirror, not in place yet */

    int64_t told_until; /* to the mirror: the end of its lease */
};

/* What the owner is to tell. Freed by fsw_event_free(). */
struct fsw_event {
    struct fsw_event *next;
    struct fsw_watch *watch; /* a reference */
    bool is_error;
    struct fsw_change change; /* flips are references */
    json_t *dropped;
    json_t *error; /* the frame */
    bool retried;
};

struct fsw_session {
    struct fsw_watch **watches; /* by id, which is the order in which they were added */
    size_t watch_count, watch_room;
    size_t asked_below;    /* all watches before this one are asked for */
    size_t removed, retry; /* so many wait for their unwatch, or to be asked for again */
    uint32_t last_id;
    const char *client_name; /* borrowed */
    const char *client_version;
    size_t max_open;         /* bytes of an open revision that are buffered at most */
    int64_t connect_timeout; /* ms from the handshake to welcome */

    char epoch[FSW_NAME_SIZE];
    char name[FSW_NAME_SIZE];    /* welcome.session */
    char told_by[FSW_NAME_SIZE]; /* ... of the last connection that was welcomed: the resume point is its */
    uint64_t revision;           /* nothing up to it is missing */
    uint64_t applied;            /* of the newest applied frame */
    uint64_t acked;
    bool resumable; /* false after a fault: the next hello has no resume point */
    struct fsw_lease lease;
    bool leased_once;
    const struct fsw_mirror *mirror; /* NULL: none */
    void *mirror_user;
    const struct fsw_table *safes; /* access flags known from this connection and from what was held before */

    /* this connection */
    bool open, said_hello, welcomed, same_epoch;
    bool ack_due;
    bool revoked; /* whoever comes after that and grants a lease breaks the protocol */
    bool doomed;  /* a fault: the connection is to be dropped, whatever else comes */
    int64_t opened, heard, pinged;
    int64_t end_by; /* after goaway: dropped then; 0: no */
    size_t frame_limit;
    int64_t limit;            /* frames a second that the server takes */
    size_t list;              /* watches in one frame that it takes */
    int64_t credit, credited; /* thousandths of frames that may be sent now, as of this moment */
    int64_t ack_at;           /* when the last acknowledgement was sent */
    json_t **parts;           /* of the open revision */
    size_t part_count, part_room, part_bytes;
    uint64_t part_revision;
    struct fsw_watch *touched; /* the watches that have something coming */

    /* the last goaway */
    char goaway[32];
    char goaway_text[200];
    int64_t not_before; /* reconnectAfter, as a moment; 0: none */
    char fault[200];    /* why the last frame was refused */

    struct fsw_event *events, **events_end;
    struct fsw_stats stats;
};

void fsw_session_init(struct fsw_session *session);
void fsw_session_finish(struct fsw_session *session);

/* A new watch with two references, the list's and the caller's; NULL for want of memory. context and keys are
 * taken over. A watch that no frame can hold is refused by an event, as if the server had done it: the server
 * would end the connection of all the others. */
struct fsw_watch *fsw_session_add(struct fsw_session *session, json_t *context, json_t *keys, bool once);
/* Takes it off: readers find nothing any more, unwatch is sent where it must be. The caller's reference
 * stays. */
void fsw_session_remove(struct fsw_session *session, struct fsw_watch *watch);
void fsw_watch_unref(struct fsw_watch *watch);

/* Whether the connection that ended with this code worked, so that the next attempt need not wait longer than
 * the last one. Not where it was ended for what it said: it would say so again. */
bool fsw_session_worked(const struct fsw_session *session, int code);

/* A connection is open: the next message is hello. */
void fsw_session_opened(struct fsw_session *session, int64_t now);
/* It is gone. */
void fsw_session_lost(struct fsw_session *session);

/*
 * The next message to send at `now`, which must be sent at once since renewals count from now. FSW_OK with
 * *message NULL: nothing. *message is malloc'd with `headroom` bytes before its *length bytes; the caller
 * frees it.
 */
enum fsw_outcome fsw_session_next(struct fsw_session *session, int64_t now, size_t headroom,
                                  unsigned char **message, size_t *length);

/*
 * A message came; wall is the time of day in ms since 1970. Returns 0, or the code to close the connection
 * with.
 */
int fsw_session_receive(struct fsw_session *session, const char *text, size_t length, int64_t now,
                        int64_t wall);

/* send.c: how many frames may be sent at one time: thousandths. */
int64_t fsw_session_burst(const struct fsw_session *session);
/* send.c: what fsw_session_next() holds back for the moment is due then; INT64_MAX: nothing. */
int64_t fsw_session_paced(const struct fsw_session *session);

/* Something else was heard, such as a pong. */
void fsw_session_heard(struct fsw_session *session, int64_t now);

enum fsw_action {
    FSW_NOTHING,
    FSW_PING,
    FSW_DROP,
};

/* What time demands at `now`; *again is the moment at which to ask again, at the latest. */
enum fsw_action fsw_session_tick(struct fsw_session *session, int64_t now, int64_t *again);

enum fsw_state fsw_session_state(const struct fsw_session *session, int64_t now);
/* Whether every watch has its snapshot or was refused. */
bool fsw_session_answered(const struct fsw_session *session);
/* Whether a lease speaks for what the watch holds. */
bool fsw_session_leased(const struct fsw_session *session, const struct fsw_watch *watch, int64_t now);
/* Reads a flag, as fsw_get(). */
bool fsw_session_get(const struct fsw_session *session, const struct fsw_watch *watch, const char *key,
                     int64_t now, struct fsw_result *result);

/* The oldest event, no longer in the session; NULL: none. */
struct fsw_event *fsw_session_event(struct fsw_session *session);
void fsw_event_free(struct fsw_event *event);

/* --- between the files of the session ---------------------------------------------------------------- */

/* The member's string where it has 1 to FSW_NAME_SIZE - 1 bytes, else NULL. */
const char *fsw_name(const json_t *frame, const char *member);
/* Copies a name that fsw_name() has passed. */
void fsw_name_copy(char to[FSW_NAME_SIZE], const char *name);
bool fsw_is_snapshot(const json_t *frame);
/* The lease that runs speaks for what the watch holds now. */
void fsw_session_cover(struct fsw_session *session, struct fsw_watch *watch);
/* No lease speaks for any value any more; the next one only for those that its connection speaks for. */
void fsw_session_revoke(struct fsw_session *session);
/* The mirror, if there is one, learns how long the values of the watch, or of all watches, are leased. */
void fsw_session_tell_lease(const struct fsw_session *session, struct fsw_watch *watch);
void fsw_session_tell_leases(const struct fsw_session *session);
/* Notes what was wrong with a frame; returns FSW_CLOSE_BAD_FRAME. */
int fsw_session_fault(struct fsw_session *session, const char *text);
void fsw_session_drop_parts(struct fsw_session *session);
void fsw_session_push(struct fsw_session *session, struct fsw_event *event);
struct fsw_watch *fsw_session_find(const struct fsw_session *session, json_int_t id);
struct fsw_watch *fsw_watch_ref(struct fsw_watch *watch);
void fsw_watches_finish(struct fsw_session *session);
/* Numbers them anew where ids may run out on the next connection, which then cannot resume. */
void fsw_watches_renumber(struct fsw_session *session);
/* Forgets what belonged to the connection. */
void fsw_watches_lost(struct fsw_session *session);
/* The first watch that waits for its unwatch, from index *at on; *at becomes its index. NULL: none. */
struct fsw_watch *fsw_watches_removed(const struct fsw_session *session, size_t *at);
/* Takes it out of the list. */
void fsw_watches_unlink(struct fsw_session *session, struct fsw_watch *watch);
/* The first watch that is to be asked for, from index *at on; *at becomes its index. NULL: none. */
struct fsw_watch *fsw_watches_wanted(const struct fsw_session *session, size_t *at);
/* The watch is asked for again at `moment`; 0: not. */
void fsw_watches_retry_at(struct fsw_session *session, struct fsw_watch *watch, int64_t moment);
/* Makes those wanted again whose moment has come; returns the next moment. */
int64_t fsw_watches_retry(struct fsw_session *session, int64_t now);
/* Refuses those that are too large for what the server takes now, and wants those again that are not any
 * more. False without memory. */
bool fsw_watches_fit(struct fsw_session *session);
/* send.c: bytes that the frame of a watch has at most; 0: no memory. */
size_t fsw_watch_size(const struct fsw_watch *watch);
/* Forgets all that a watch holds. */
void fsw_watch_clear(struct fsw_watch *watch);
/* Forgets the access flags that no watch holds any more. Without memory it forgets none. */
void fsw_session_prune_safes(struct fsw_session *session);
/* Applies the open revision, which is closed now, and puts its events in the queue. All or nothing. */
enum fsw_outcome fsw_session_apply(struct fsw_session *session, int64_t wall);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.h: struct fsw_client, shared by client.c (life and thread) and handle.c (what other threads call).
 * The mutex guards the session and the fields below it; callbacks are called without it.
 */
#ifndef WIRE_CLIENT_H
#define WIRE_CLIENT_H

#include <pthread.h>

#include "backoff.h"
#include "session.h"
#include "transport.h"

struct fsw_client {
    struct fsw_options options; /* strings are the client's own */
    struct fsw_url url;
    pthread_t thread;                /* for joining */
    struct fsw_transport *transport; /* the thread's, but for wake */

    pthread_mutex_t mutex;
    pthread_cond_t news; /* state, answers, the end of a callback */
    struct fsw_session session;
    struct fsw_backoff backoff;
    uint64_t chance; /* state of the generator */
    bool started, stopping, reconnect;
    bool running;         /* `self` is the thread's */
    bool ended;           /* a connection or an attempt has ended since the state was told */
    bool active;          /* a connection or an attempt at one */
    int64_t attempt_by;   /* the attempt is given up then; 0: none runs */
    int64_t next_attempt; /* when to try again, without connection */
    int64_t stop_by;      /* the connection is cut then */
    enum fsw_state told;  /* the state that was told last */
    int code;             /* of the last connection's end */
    char message[256];
    struct fsw_watch *telling; /* whose callback runs */
    pthread_t self;
};

/* Milliseconds of a clock that runs through suspend, and of the time of day since 1970. */
int64_t fsw_now(void);
int64_t fsw_wall(void);

void fsw_client_log(const struct fsw_client *client, enum fsw_level level, const char *format, ...)
    __attribute__((format(printf, 3, 4)));

/* options.c: a deep copy with defaults filled in; false, with a reason, where they cannot be used. */
bool fsw_options_copy(struct fsw_options *to, const struct fsw_options *from, const char **why);
void fsw_options_finish(struct fsw_options *options);

/* options.c: the credential for the next connection in out ("" where none is configured); false where there
 * is none to be had. */
bool fsw_options_token(const struct fsw_options *options, char *out, size_t size, const char **why);

#endif

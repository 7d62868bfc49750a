/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ofrep.h: the provider's state, shared by its files: options.c (what was asked for, and requests made of
 * it), answer.c (one flag's answer), flags.c (all flags of one context), single.c (dynamic paradigm), bulk.c
 * (static paradigm: fetching, event stream, polling), ofrep.c (the OpenFeature side).
 */
#ifndef OFREP_OFREP_H
#define OFREP_OFREP_H

#include <pthread.h>
#include <stdatomic.h>
#include <sys/types.h>

#include <openfeature/providers/ofrep.h>

#include "http.h"
#include "outbox.h"
#include "sse.h"

/* --- answer.c ---------------------------------------------------------------------------------------- */

/* What the server said of one flag: immutable and counted. */
struct item {
    atomic_uint refs;
    of_value *flag; /* an object as OFREP has it */
    of_value *metadata;
    const char *key; /* of flag */
};

/* Takes a reference to flag; NULL without memory, or where it is no object. */
struct item *item_new(const of_value *flag);
struct item *item_ref(struct item *item);
/* Of the type that of_resolution.release has. */
void item_unref(void *item);
bool item_equal(const struct item *a, const struct item *b);
/* Fills a resolution of the type; text is constant or kept by the item. */
of_error item_answer(struct item *item, of_type type, const of_flag_value *otherwise,
                     of_resolution *resolution);
/* OpenFeature's error of this name; GENERAL for others. */
of_error error_named(const char *name);

/* --- flags.c ----------------------------------------------------------------------------------------- */

/* All flags of one context, sorted by key. */
struct flags {
    of_retired retired; /* first */
    of_context *context;
    size_t count;
    struct item *items[];
};

/* From the body of a bulk answer; NULL without memory, or where it is not one (*malformed). */
struct flags *flags_new(const of_value *body, const of_context *context, bool *malformed);
void flags_free(struct flags *flags);
struct item *flags_find(const struct flags *flags, const char *key);
/* The keys that differ: *count of them, borrowed from the two; NULL without memory. To be freed with
 * of_free(). */
const char **flags_differ(const struct flags *before, const struct flags *after, size_t *count);

/* --- the provider ------------------------------------------------------------------------------------ */

/* The static paradigm's fetching. Under the lock are context, wanted, settled and how it was settled; the
 * rest is the http thread's. */
struct bulk {
    of_context *context;
    uint64_t wanted;  /* counts the contexts */
    uint64_t settled; /* the newest of them that was answered, well or not */
    of_error error;
    char text[300];
    bool quiet; /* init or a change of context says how it ended */

    struct http_request *fetch, *stream;
    bool again;       /* something changed while a fetch ran */
    int64_t fetch_at; /* INT64_MAX: not */
    unsigned failures;
    char *etag;
    char *hint; /* query of the event that causes the next fetch, or NULL */
    char *stream_url;
    int64_t stream_at;
    unsigned stream_failures;
    bool stream_heard;
    struct sse sse;
    uint64_t chance;
    of_provider_status announced;
};

struct ofrep {
    of_provider *provider;
    of_ofrep_options options; /* texts are its own */
    char *base;               /* url without slash at its end */
    char **lines;             /* of headers: NAME: VALUE */
    size_t line_count;
    _Atomic(struct flags *) flags; /* static paradigm; NULL: nothing is known */

    pthread_mutex_t lock;
    struct ofo_outbox outbox; /* what OpenFeature is to be told */
    pthread_cond_t news;
    struct http *http; /* NULL: not started */
    _Atomic(pid_t) pid;
    bool clean; /* never started, or ended whole: a fork of this process may have it */
    bool closing;
    struct http *ending; /* shut down from its own thread, and not ended yet */
    bool ends;           /* a thread is about it */
    unsigned inside;     /* calls that wait */
    int64_t not_before;  /* the server asked not to be asked before: http_now() */
    struct bulk bulk;
};

/* --- options.c --------------------------------------------------------------------------------------- */

/* Fills base, lines and options. False, with the reason in problem. To be finished in either case. */
bool ofrep_options_copy(struct ofrep *ofrep, const of_ofrep_options *from, const char **problem);
void ofrep_options_finish(struct ofrep *ofrep);
/* The header line that authorizes one request, "" where no key is configured; NULL, with the reason in
 * problem, where there is none to be had now. Asks the program for it, so never with the lock. To be ended
 * with ofrep_token_free(). */
char *ofrep_token(const struct ofrep *ofrep, const char **problem);
void ofrep_token_free(char *token);
/* A request for a path below the base, with all that goes into each; NULL, with the reason in problem. body
 * is taken over, token borrowed. */
struct http_request *ofrep_request(const struct ofrep *ofrep, const char *path, char *body, const char *token,
                                   const char **problem);
/* The body of a question: {"context": ...}; NULL without memory. */
char *ofrep_body(const of_context *context);
char *ofrep_join(const char *a, const char *b, const char *c);

/* --- single.c, bulk.c -------------------------------------------------------------------------------- */

of_error single_resolve(struct ofrep *ofrep, const char *key, of_type type, const of_flag_value *otherwise,
                        const of_context *context, of_resolution *resolution);

/* On the http thread, as http_setup.tick. */
int bulk_tick(void *user);
/* With the lock: fetches for this context from now on. False without memory. */
bool bulk_want(struct ofrep *ofrep, const of_context *context);
/* With the lock: waits until the newest context is settled, for so long as a request may take. */
of_error bulk_await(struct ofrep *ofrep, char *text, size_t size);
void bulk_finish(struct ofrep *ofrep);
/* With the lock: puts down a status where it is not the one of last time; told by ofo_unlock(). */
void bulk_announce(struct ofrep *ofrep, of_provider_status status, of_error error, const char *text);

bool ofrep_forked(const struct ofrep *ofrep);
/* With the lock: what the answer says about when to ask again, for all requests. */
void ofrep_heed(struct ofrep *ofrep, const struct http_request *request);
/* What went wrong with a request that has no 200, as text of at most size bytes. */
of_error ofrep_failure(const struct http_request *request, char *text, size_t size);

#endif

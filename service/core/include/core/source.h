/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What core needs of a kind of source, and what a kind of source may assume. An adapter is pure: it turns
 * questions into HTTP requests and HTTP responses into answers; it opens no connection and waits for nothing.
 * The fetch thread (service/net) owns the adapters, runs their requests and calls them; no other thread
 * touches one.
 */
#ifndef FS_CORE_SOURCE_H
#define FS_CORE_SOURCE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>
#include "base/err.h"
#include "base/list.h"
#include "base/mistakes.h"
#include "core/answer.h"

/* One question as an adapter sees it. All borrowed for as long as the batch lives. */
struct fs_asked {
    uint64_t id;       /* core's name for it */
    const char *kind;  /* "path", "users" */
    const char *query; /* "app/rbac/allow" */
    const char *input; /* canonical JSON */
    size_t input_length;
    const char *subject; /* whom it is about: for kinds that list subjects ("users") */
};

/* A request that an adapter wants made. Owned by the caller of the adapter: fs_exchange_destroy(). */
struct fs_exchange {
    struct fs_list node;
    const char *method; /* static text: "GET", "POST", "PUT" */
    char *path; /* behind the source's base URL, with query: "/v1/data/app/rbac/allow?provenance=true" */
    char *content_type; /* NULL: none */
    char *body;         /* NULL: none */
    size_t body_length;
    size_t *questions; /* indexes into the batch of those that it asks; NULL for set-up work */
    size_t question_count;
    int tag;     /* the adapter's own mark */
    void *state; /* the adapter's own, freed with fs_free() */
};
struct fs_exchange *fs_exchange_create(const char *method, char *path_owned, char *body_owned,
                                       size_t body_length);
void fs_exchange_destroy(struct fs_exchange *exchange);

/* What came back. `status` 0: nothing did, and `error` says why (time-out, refused, TLS, too large).
 * Borrowed. */
struct fs_response {
    long status;
    const char *body;
    size_t length;
    const char *error;
};

/* What an adapter has to say after being asked or after a response: more requests, answers, or both. */
struct fs_source_out {
    struct fs_list exchanges; /* struct fs_exchange */
    void *self;
    /* Settles question `index` of the batch. The answer's members are taken over. Each question is settled
     * exactly once, in the end. */
    void (*answer)(struct fs_source_out *out, size_t index, struct fs_answer *answer);
};

struct fs_probe {
    bool alive;      /* it answered and is ready to decide */
    char *revision;  /* of policy and data together; NULL where it declares none. Owned by the receiver:
                        fs_free() */
    char error[160]; /* why not alive */
};

struct fs_source_type {
    const char *name;         /* "opa" */
    const char *const *kinds; /* the keys of a decision that it understands, NULL-terminated */
    /* Is `query` well-formed behind key `kind`? */
    bool (*check_query)(const char *kind, const char *query, struct fs_err *err);
    /* From the members of its entry in the configuration (an object; unknown members are errors with a
     * suggestion). NULL with all that is wrong added to `mistakes`. A type without create (the built-in one)
     * is answered by core itself. */
    void *(*create)(const char *name, const json_t *options, struct fs_mistakes *mistakes);
    void (*destroy)(void *self);
    /* The queries that flags now ask of it: (kind, query) pairs. Called before the first ask and when flags
     * change. */
    void (*set_queries)(void *self, const char *const *kinds, const char *const *queries, size_t count);
    /* Asks a batch. Answers may come at once, or by exchanges. */
    void (*ask)(void *self, const struct fs_asked *batch, size_t count, struct fs_source_out *out);
    /* The response to one of its exchanges for this batch. */
    void (*respond)(void *self, const struct fs_asked *batch, size_t count,
                    const struct fs_exchange *exchange, const struct fs_response *response,
                    struct fs_source_out *out);
    /* One request that tells that it lives and at which revision; NULL: nothing to probe. */
    struct fs_exchange *(*probe)(void *self);
    void (*read_probe)(void *self, const struct fs_exchange *exchange, const struct fs_response *response,
                       struct fs_probe *out);
};

#endif

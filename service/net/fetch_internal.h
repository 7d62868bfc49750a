/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fetch thread's files share: fetch.c (commands, batches, the loop), fetch_batch.c (a batch's life),
 * fetch_transfer.c (one request on libcurl), fetch_secret.c (files). All of it belongs to the fetch thread,
 * but for what the command queue carries.
 */
#ifndef FS_NET_FETCH_INTERNAL_H
#define FS_NET_FETCH_INTERNAL_H

#include <pthread.h>
#include <curl/curl.h>
#include "base/buf.h"
#include "base/clock.h"
#include "base/list.h"
#include "base/vec.h"
#include "net/fetch.h"

#define FS_FETCH_PATIENCE    10 /* a batch ends after so many of its source's timeouts, whatever comes in */
#define FS_FETCH_PROBE_STEPS 3

struct fs_fetch_file {
    char *bytes;
    size_t length;
};

struct fs_fetch_source {
    unsigned index;
    char *name;
    const struct fs_source_type *type;
    void *self;
    struct fs_source_endpoint endpoint;
    char *token;
    struct fs_fetch_file ca, certificate, key;
    char trouble[160];         /* why no request can be made: a file that cannot be read; "" where none is */
    struct fs_list waiting;    /* struct fs_transfer: not started */
    size_t running;            /* without the probe */
    int64_t heard;             /* mono ms of the last response to a question */
    bool probed;               /* the first probe has ended */
    struct fs_transfer *probe; /* that runs, or NULL */
    int probe_steps;
    int64_t probe_sent; /* ns */
};

/* A batch on its way: the copied questions behind it are one block of text. */
struct fs_fetch_batch {
    struct fs_source_out out;       /* first: adapters hand it back */
    struct fs_list node;            /* in fs_fetch.batches */
    struct fs_list transfers;       /* struct fs_transfer by `member`: waiting or running */
    struct fs_fetch_source *source; /* NULL until it is taken up, and where the index is not known */
    unsigned index;
    uint64_t token;
    size_t count, unsettled;
    struct fs_asked *items;
    char *text;
    struct fs_answer *answers;
    bool *settled;
    bool asked;      /* the adapter has it; not before the source's first probe has ended */
    int64_t started; /* mono ms */
    int64_t sent;    /* ns; 0: nothing yet */
};

/* One request. */
struct fs_transfer {
    struct fs_list node;   /* in source.waiting or fetch.running */
    struct fs_list member; /* in batch.transfers; alone for a probe */
    struct fs_fetch_source *source;
    struct fs_fetch_batch *batch; /* NULL: a probe */
    struct fs_exchange *exchange;
    int64_t timeout; /* ms */
    CURL *easy;      /* NULL: not started */
    struct curl_slist *headers;
    struct fs_buf body;
    char error[CURL_ERROR_SIZE];
};

struct fs_fetch {
    struct fs_queue *inbox;
    struct fs_queue *commands;
    size_t connections, response_limit;
    int64_t probe_patience; /* ms */
    struct fs_clock clock;
    CURLM *multi;
    pthread_t thread;
    bool stopping;
    FS_VEC(struct fs_fetch_source *) sources;
    FS_VEC(CURL *) idle;    /* handles to be used again */
    struct fs_list batches; /* taken up */
    struct fs_list running; /* struct fs_transfer */
};

/* fetch_secret.c: (re)reads the source's files; sets or clears `trouble`. */
void fs_fetch_secrets_load(struct fs_fetch_source *source);
void fs_fetch_secrets_finish(struct fs_fetch_source *source);

/* fetch_transfer.c. Start: false when it could not be made; `error` says why. */
struct fs_transfer *fs_transfer_create(struct fs_fetch_source *source, struct fs_fetch_batch *batch,
                                       struct fs_exchange *exchange);
bool fs_transfer_start(struct fs_fetch *fetch, struct fs_transfer *transfer);
/* What came back, as adapters see it. Valid as long as the transfer is. `scratch` holds the error's text. */
struct fs_response fs_transfer_response(const struct fs_transfer *transfer, CURLcode code, char scratch[200]);
void fs_transfer_destroy(struct fs_fetch *fetch, struct fs_transfer *transfer);
struct fs_transfer *fs_transfer_of(CURL *easy);

/* fetch_batch.c */
struct fs_fetch_batch *fs_fetch_batch_create(unsigned index, const struct fs_asked *items, size_t count,
                                             uint64_t token);
void fs_fetch_batch_destroy(struct fs_fetch_batch *batch);
/* Takes what the adapter put into batch->out: queues its exchanges. Delivers and destroys the batch when
 * nothing is left to wait for. */
void fs_fetch_batch_settle(struct fs_fetch *fetch, struct fs_fetch_batch *batch);
/* Delivers now; questions without an answer get FS_ANSWER_NONE with `error`. */
void fs_fetch_batch_end(struct fs_fetch *fetch, struct fs_fetch_batch *batch, const char *error);
/* Mono ms at which its patience is over. */
int64_t fs_fetch_batch_expiry(const struct fs_fetch_batch *batch);
/* Puts a message into the inbox, or frees it where that is closed. */
void fs_fetch_reply(struct fs_fetch *fetch, struct fs_fetch_message *message);
struct fs_fetch_message *fs_fetch_message_create(enum fs_fetch_kind kind, unsigned source);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* What receipt.c (what an event concerns), receipt_wait.c (until when) and receipt_show.c (how that is told)
 * share. */
#ifndef FS_CORE_RECEIPT_INTERNAL_H
#define FS_CORE_RECEIPT_INTERNAL_H

#include "engine_internal.h"

/* A question that the event touched. */
struct fs_touched {
    char *key; /* it is found by this, and compared by id: it may be gone */
    size_t key_length;
    uint64_t id;
    unsigned source;
    char *query;
    bool unresolved; /* its source gives no answer */
    bool flying;     /* a request was under way already: that is not the one it waits for */
    bool asked;
};

/* The concerned cells of one context. */
struct fs_concerned_context {
    struct fs_context *context; /* pinned */
    FS_VEC(char *) flags;
};

/* A context without watches that had been asked for over OFREP. It is not pinned: nobody knows how many. */
struct fs_fetcher {
    char hash[65];
    bool fetched; /* asked for again since */
};

enum fs_holding { FS_HOLDS, FS_ACKNOWLEDGED, FS_EXPIRED };

struct fs_concerned_watch {
    uint64_t serial;
    uint64_t watch;
    char session[24];
    char *client, *subject;
    enum fs_holding state;
    bool open;
    bool queued;        /* the change stands in its connection's queue */
    uint64_t required;  /* the revision that must be acknowledged */
    int64_t until;      /* mono ms: no old value can be held past it */
    int64_t settled_at; /* wall ms of the acknowledgement or of `until` */
};

struct fs_receipt_waiter {
    uint64_t token;
    bool delivered;
    int64_t deadline; /* mono ms */
};

struct fs_receipt {
    struct fs_list node;
    uint64_t entry;
    char *credential;              /* id of that which sent the event; NULL: nobody did */
    int64_t time;                  /* wall ms of the entry */
    int64_t applied_at, queued_at; /* wall ms; 0: not yet */
    bool applied, complete, superseded, again;
    bool late; /* applied with questions that had no answer: what they change counts when it is there */
    uint64_t revision;                   /* when applied */
    int64_t checked;                     /* mono ms */
    FS_VEC(struct fs_touched) questions; /* those that are not settled yet */
    FS_VEC(struct fs_touched) bound;     /* others that concerned cells ask since, for their times alone */
    struct fs_stages stages;             /* `at` in mono ms, 0: not yet */
    int64_t received;                    /* mono ms */
    FS_VEC(struct fs_concerned_context *) contexts;
    struct fs_map by_context; /* pointer -> struct fs_concerned_context; borrows them */
    size_t cell_count;        /* of all contexts */
    FS_VEC(struct fs_fetcher) fetchers;
    FS_VEC(struct fs_concerned_watch *) watches;
    FS_VEC(struct fs_concerned_watch *) holding; /* those whose state is FS_HOLDS */
    struct fs_map by_serial;                     /* 8 bytes -> struct fs_concerned_watch; borrows them */
    FS_VEC(struct fs_receipt_waiter) waiters;
    size_t ofrep_concerned, ofrep_fetched; /* when the cells were let go */
    struct fs_alarm alarm;
};

/* receipt.c. False: the first round after the event is not over for some question. */
bool fs_receipt_follow_questions(struct fs_engine *e, struct fs_receipt *receipt);
/* Takes the times of questions; before they are followed. */
void fs_receipt_time_questions(struct fs_engine *e, struct fs_receipt *receipt);
/* Notes that the stage is reached, with the first moment of that. */
void fs_receipt_reaches(struct fs_receipt *receipt, enum fs_stage stage, int64_t mono);
void fs_receipt_stages(const struct fs_receipt *receipt, struct fs_stages *out);
/* Is every concerned cell evaluated after the event, published or not? */
bool fs_receipt_cells_evaluated(const struct fs_engine *e, const struct fs_receipt *receipt);
void fs_touched_finish(struct fs_touched *touched);
/* Is every cell evaluated after the event, and published? */
bool fs_receipt_cells_done(const struct fs_engine *e, const struct fs_receipt *receipt);
/* New questions of concerned cells whose source gives no answer. */
void fs_receipt_add_unanswered(struct fs_engine *e, struct fs_receipt *receipt);
/* What each watch must have acknowledged: the last change of the concerned flags that it sees. Those that had
 * acknowledged less hold again. */
void fs_receipt_require(struct fs_engine *e, struct fs_receipt *receipt);
/* Lets go of contexts without watches: nothing of theirs is waited for once the event is applied. */
void fs_receipt_release_unwatched(struct fs_engine *e, struct fs_receipt *receipt);
void fs_receipt_release_cells(struct fs_engine *e, struct fs_receipt *receipt);
/* receipt_wait.c */
void fs_receipt_check(struct fs_engine *e, struct fs_receipt *receipt);
/* Until then a client of the process before may hold what this one knows nothing of. Mono ms. */
int64_t fs_receipt_restart_bound(const struct fs_engine *e);
/* receipt_show.c */
void fs_receipt_count_ofrep(const struct fs_engine *e, struct fs_receipt *receipt, size_t *concerned,
                            size_t *fetched);
/* As it stands: a new reference. */
json_t *fs_receipt_describe(const struct fs_engine *e, struct fs_receipt *receipt);

#endif

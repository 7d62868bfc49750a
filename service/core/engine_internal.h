/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state, shared by its files and by nobody else. Who owns what:
 *
 *   engine ── sources ── questions ──(bindings)── cells ── contexts ── views ── watches ── connections
 *
 * A binding ties one cell (a flag of a context) to one question, so that an answer finds the cells it concerns
 * and nothing else. A context lives while it is watched, and `hold` longer.
 */
#ifndef FS_CORE_ENGINE_INTERNAL_H
#define FS_CORE_ENGINE_INTERNAL_H

#include <limits.h>
#include "base/alloc.h"
#include "base/arena.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/log.h"
#include "base/map.h"
#include "base/vec.h"
#include "core/engine.h"
#include "core/json.h"

#define FS_DECISION_LIMIT 16             /* decisions of one flag; the flag file's reader refuses more */
#define FS_TEXT_LIMIT     (1024 * 1024)  /* one question's input, one fact */
#define FS_ENTRY_LIMIT    (64 * 1024 * 1024)
#define FS_PART_FLAGS     128            /* flags in one part of a snapshot or delta */
#define FS_RETRY_FIRST    250            /* ms: a failed question is asked again after this, doubled each time */
#define FS_RETRY_LAST     30000
#define FS_RECEIPT_LIMIT  1024           /* receipts that are remembered */
#define FS_FIRSTS_LIMIT   100000         /* first values that wait to be recorded: a dead journal may not hold contexts without end */

/* What a timer is for: the owner is found by FS_CONTAINER. */
enum fs_due { FS_DUE_PROBE, FS_DUE_REVALIDATE, FS_DUE_RETRY, FS_DUE_CELL, FS_DUE_CONTEXT, FS_DUE_WATCH, FS_DUE_CONNECTION, FS_DUE_FACT,
              FS_DUE_ONCE, FS_DUE_RECEIPT, FS_DUE_JOURNAL };
struct fs_alarm {
    struct fs_timer timer;
    enum fs_due due;
};

enum fs_source_status { FS_SOURCE_UNKNOWN, FS_SOURCE_UP, FS_SOURCE_DOWN };

struct fs_source_state {
    unsigned index;
    char *name;
    const struct fs_source_type *type;
    int64_t revalidate;
    enum fs_source_status status;
    int failures;            /* probes in a row */
    char *revision;          /* the newest seen; NULL: none declared */
    int64_t alive;           /* mono ms of the last successful probe */
    int64_t since;           /* wall ms of the last change of status */
    char error[160];
    bool probing;
    struct fs_alarm probe;
    struct fs_list waiting;  /* questions to be asked, by ask_node */
    struct fs_map instances; /* status reports: instance -> char * revision */
    uint64_t asked, failed;  /* questions */
};

struct fs_question {
    uint64_t id;
    unsigned source;
    char *key;               /* identity: source, kind, query, input; key_length bytes */
    size_t key_length;
    const char *kind, *query, *subject, *input; /* inside `key` */
    size_t input_length;
    struct fs_answer answer; /* the last that was one; state NONE while there is none */
    bool answered;
    bool failed;             /* the last attempt gave no answer */
    bool uncommitted;        /* `answer` is not in the journal yet: it may take away but not grant */
    char *error;             /* of the failed attempt */
    int64_t confirmed;       /* mono ms */
    uint64_t touched;        /* entry of the newest event that concerns it */
    uint64_t settled;        /* newest entry that had been applied when the request of `answer` was sent */
    unsigned unsettled_rounds; /* answers in a row that came too early for a newer event */
    bool in_flight;
    bool queued;
    bool overdue;            /* to be asked again, but nobody wanted to know when it was due */
    unsigned entries;        /* entries under way that bring an answer to it */
    unsigned pins;           /* kept without bindings: a reload finds it again */
    uint64_t order;          /* token of the batch that brought `answer`: an older one never replaces it */
    uint64_t failed_order;   /* token of the batch that failed last */
    uint64_t noted;          /* the event whose receipt has it already */
    unsigned attempts;       /* failures in a row */
    uint64_t answer_entry;   /* the entry of kind answers that brought `answer`; 0: none was needed */
    struct fs_list ask_node;
    struct fs_list bindings;
    struct fs_alarm revalidate, retry;
};

struct fs_binding {
    struct fs_list node;     /* in the question's list */
    struct fs_question *question; /* NULL: not bound */
    struct fs_context *context;
    uint32_t flag;
    char missing_fact[64];   /* why it could not be bound */
};

struct fs_cell_alarm {
    struct fs_alarm alarm;
    struct fs_context *context;
    uint32_t flag;
};

/* The value of one flag for one context. */
struct fs_cell {
    struct fs_evaluation value;     /* as published; meaningful while `known` */
    struct fs_cause *cause;         /* of `value` */
    struct fs_cause *pending_cause; /* what has touched it since */
    struct fs_binding *bindings;    /* one for each decision; NULL while not bound */
    struct fs_cell_alarm *alarm;    /* made when first needed */
    uint64_t revision;              /* of the last change */
    int64_t changed;                /* wall ms */
    unsigned wanted;                /* views and evaluations that need it */
    uint64_t proposed;              /* id of the proposal under way; 0: none. Another's is void */
    uint64_t noted;                 /* the event whose receipt has it already */
    bool known, dirty, rebind, held, forced;
    bool withdrawn;                 /* a grant was held back at its commit: the next one is not */
};

struct fs_context {
    char hash[65];
    char *canonical;
    json_t *json;
    const char *subject;       /* inside json; "" without targetingKey */
    struct fs_cell *cells;     /* one for each flag of the engine's set */
    FS_VEC(uint32_t) dirty;    /* flags whose cell is dirty */
    bool listed;               /* in engine.dirty */
    size_t watches;            /* live watches and those held after a disconnect */
    size_t askers;             /* watches of one snapshot and evaluations that wait */
    size_t pins;               /* proposals, receipts, and those */
    struct fs_list by_subject; /* in fs_subject.contexts */
    struct fs_subject *owner;
    struct fs_list views;      /* struct fs_view */
    struct fs_list idle_node;  /* in engine.idle while unwatched */
    struct fs_alarm expiry;
    int64_t seen;              /* mono ms */
    int64_t fetched;           /* mono ms of the last OFREP answer; 0: never */
    uint64_t fetched_revision;
};

/* All that is known of one subject. */
struct fs_subject {
    char *key;
    struct fs_list contexts;
    struct fs_map facts;   /* name -> struct fs_fact */
    json_t *facts_json;    /* those in force: name -> value */
};

struct fs_fact {
    char *name;
    json_t *value;         /* NULL: removed; kept for its time */
    int64_t time, expires; /* wall ms; expires 0: never */
    uint64_t entry;
    char *credential;
    struct fs_subject *subject;
    struct fs_alarm expiry;
};

/* What a watch can see: a context, a visibility, a selection of flags. Shared by all watches that see the same. */
struct fs_view {
    struct fs_list node;       /* in fs_context.views */
    struct fs_context *context;
    char hash[65];
    bool client_only;
    char **selection;          /* keys, sorted, NULL-terminated; NULL: all visible */
    uint64_t *flags;           /* bit set over the engine's flags */
    struct fs_list watches;    /* struct fs_watch.in_view */
    size_t users;              /* watches and waiting evaluations; 0: kept for the next OFREP request */
    uint64_t since;            /* revision from which on its values were kept current without a gap */
    struct fs_blob *body;      /* the last delta body, while body_revision and body_flags fit */
    uint64_t body_revision;
    uint64_t *body_flags;
};

struct fs_watch {
    uint64_t id;               /* the client's */
    uint64_t serial;           /* ours */
    struct fs_connection *connection;
    struct fs_view *view;
    struct fs_list in_view;
    struct fs_list in_dirty;   /* in connection.dirty; until its snapshot in connection.fresh */
    json_t *dropped;
    uint64_t *dirty;           /* bit set: flags that changed since they were sent */
    bool any_dirty;
    FS_VEC(char *) removed;    /* keys that are to be removed first */
    bool sent;                 /* has its snapshot (or was resumed) */
    bool resumed;
    uint64_t resume_revision;
    bool once, of_hello, refetch;
    bool overdue;              /* its first snapshot has waited long enough */
    bool replaces;             /* ... and replaces what the client holds: its revision is not closed yet */
    uint64_t snapshot_revision; /* of that snapshot; 0: resumed */
    uint64_t noted;            /* the event whose receipt has it already */
    struct fs_alarm deadline;  /* the first snapshot leaves then */
};

struct fs_connection {
    uint64_t id;
    char session[24];
    struct fs_credential *credential;
    char *client_name, *client_version;
    char address[64];
    bool stream;               /* OFREP events */
    bool open;                 /* false: disconnected, its watches are held */
    bool greeted;
    struct fs_map watches;     /* id (8 bytes) -> struct fs_watch */
    struct fs_list dirty;      /* watches with changes to send, in the order of becoming so */
    struct fs_list fresh;      /* watches without their first snapshot */
    struct fs_list flush_node; /* in engine.flush */
    bool urgent;               /* something is to be taken away */
    int window;                /* frames that may still be sent; errors may go below */
    unsigned hello_waiting;    /* watches of hello without their snapshot */
    bool renew_wanted;
    bool revoked;              /* was told to go at once: no further lease */
    uint64_t renew_n;
    uint64_t sent_revision, acked_revision;
    int64_t acked_at;          /* mono ms */
    int64_t lease_until;       /* mono ms: no client can hold a lease of this connection for longer */
    int64_t opened;            /* wall ms */
    struct fs_alarm expiry;    /* when a disconnected one is forgotten */
};

struct fs_batch {
    uint64_t token;
    unsigned source;
    uint64_t sent;             /* newest entry applied when it was sent */
    struct fs_question **questions;
    size_t count;
};

/* Answers that wait for their entry's commit. */
struct fs_answers {
    struct fs_list node;       /* in engine.answers, in the order of their drafts */
    uint64_t token;
    uint64_t order;            /* token of their batch */
    unsigned source;
    uint64_t sent;
    struct fs_question **questions;
    struct fs_answer *answers;
    size_t count;
    char *body;                /* of the draft, until it is handed over */
    size_t length;
    bool appended, ahead;
    int64_t since;             /* mono ms */
};

struct fs_proposal {
    uint64_t id;           /* it is valid while its cell names it; 0: a first value, published already */
    struct fs_context *context;
    uint32_t flag;
    struct fs_evaluation value;
    struct fs_cause *cause;
    json_t *from;          /* the value before, where the cell no longer tells it */
    bool takes_away, first, published;
};

/* A draft of the engine's own that waits for its notice. */
struct fs_pending {
    struct fs_list node;
    uint64_t token;
    enum fs_entry_kind kind;
    char *body;
    size_t length;
    bool appended, ahead;
    int64_t since;             /* mono ms */
    unsigned source;           /* SOURCE entries: which, and the revision that it tells */
    char *revision;
};

struct fs_once {
    struct fs_list node;
    struct fs_view *view;
    uint64_t token;
    struct fs_alarm deadline;
};

struct fs_engine {
    struct fs_engine_options options;
    struct fs_time now;        /* of the call that runs */
    struct fs_time started;
    FS_VEC(struct fs_source_state *) sources;
    struct fs_flagset *set;
    size_t words;              /* of a bit set over the flags */
    struct fs_map contexts;    /* hash -> struct fs_context */
    struct fs_map subjects;    /* key -> struct fs_subject */
    struct fs_map questions;   /* key -> struct fs_question */
    struct fs_map connections; /* id (8 bytes) -> struct fs_connection */
    struct fs_map watches;     /* serial (8 bytes) -> struct fs_watch */
    struct fs_map batches;     /* token (8 bytes) -> struct fs_batch */
    struct fs_list idle;       /* unwatched contexts, longest unseen first */
    size_t idle_count;
    FS_VEC(struct fs_context *) dirty;
    struct fs_list flush;      /* connections with something to send, urgent ones first */
    struct fs_list answers;    /* struct fs_answers */
    struct fs_list pending;    /* struct fs_pending */
    struct fs_list once;       /* struct fs_once */
    struct fs_list receipts;   /* struct fs_receipt, oldest first */
    size_t receipt_count;
    FS_VEC(struct fs_proposal) proposals; /* of the tick under way */
    uint64_t tick_token;       /* 0: none under way */
    size_t tick_proposals, tick_firsts; /* how many of them its entry tells */
    bool tick_appended, tick_ahead;
    char *tick_body;
    size_t tick_length;
    int64_t tick_since;        /* mono ms */
    FS_VEC(struct fs_proposal) firsts; /* first values, to be recorded with the next tick */
    struct fs_heap heap;
    struct fs_alarm journal_late;
    struct fs_arena arena;
    uint64_t revision;
    uint64_t applied;          /* newest entry applied */
    uint64_t next_token, next_question, next_serial, next_session, next_proposal;
    uint64_t removal_revision; /* the last at which flags were removed from views: older resume points get snapshots */
    struct fs_engine_counts counts;
};

/* question.c */
struct fs_question *fs_question_intern(struct fs_engine *e, unsigned source, const char *kind, const char *query, const char *input,
                                       size_t input_length, const char *subject);
void fs_question_release(struct fs_engine *e, struct fs_question *q); /* frees it where nothing needs it */
bool fs_question_unsettled(const struct fs_question *q);
bool fs_question_holds_grants(const struct fs_question *q);
bool fs_question_live(const struct fs_question *q);
/* May its answer not be shown to somebody who has not seen it yet? */
bool fs_question_doubtful(const struct fs_engine *e, const struct fs_question *q);
void fs_question_touch(struct fs_engine *e, struct fs_question *q, enum fs_cause_kind kind, uint64_t entry, int64_t time);
void fs_question_want(struct fs_engine *e, struct fs_question *q); /* queue it unless it is on its way */
int64_t fs_question_confirmed(const struct fs_engine *e, const struct fs_question *q);
void fs_question_ask_again(struct fs_engine *e, struct fs_question *q); /* somebody wants to know: wanted where its answer does not serve */
void fs_question_mark_cells(struct fs_engine *e, struct fs_question *q);
void fs_questions_ask(struct fs_engine *e);
void fs_question_due(struct fs_engine *e, struct fs_alarm *alarm);
/* answers.c */
void fs_answers_commit(struct fs_engine *e, struct fs_answers *answers, uint64_t entry);
void fs_answers_go_ahead(struct fs_engine *e); /* the journal is late: denials do not wait */
void fs_answers_append(struct fs_engine *e);
void fs_answers_destroy(struct fs_answers *answers);
/* source_state.c */
void fs_source_due(struct fs_engine *e, struct fs_source_state *source);
void fs_source_revision_seen(struct fs_engine *e, struct fs_source_state *source, const char *revision);
struct fs_receipt;
void fs_source_apply_revision(struct fs_engine *e, struct fs_source_state *source, const char *revision, uint64_t entry, int64_t time,
                              struct fs_receipt *receipt);
void fs_source_go_ahead(struct fs_engine *e, struct fs_source_state *source, const char *revision); /* asks, without the entry */
void fs_source_queries(struct fs_engine *e);
void fs_source_destroy(struct fs_source_state *source);
/* facts.c */
struct fs_subject *fs_subject_intern(struct fs_engine *e, const char *key);
void fs_subject_release(struct fs_engine *e, struct fs_subject *subject);
void fs_subject_destroy(struct fs_engine *e, struct fs_subject *subject);
/* Applies it; false: superseded by a newer one. */
bool fs_fact_apply(struct fs_engine *e, const struct fs_fact_change *change, int64_t time, uint64_t entry, const char *credential);
void fs_fact_due(struct fs_engine *e, struct fs_alarm *alarm);
/* contexts.c */
struct fs_context *fs_context_intern(struct fs_engine *e, const struct fs_context_text *text);
void fs_context_watched(struct fs_engine *e, struct fs_context *context, int by); /* +1, -1 */
void fs_context_touch(struct fs_engine *e, struct fs_context *context);           /* was seen: starts its hold anew */
void fs_context_destroy(struct fs_engine *e, struct fs_context *context);
void fs_context_due(struct fs_engine *e, struct fs_context *context);
void fs_context_asked(struct fs_engine *e, struct fs_context *context, int by); /* +1, -1: somebody waits for a first value */
/* cell.c */
void fs_cell_want(struct fs_engine *e, struct fs_context *context, uint32_t flag, int by);
void fs_cell_mark(struct fs_engine *e, struct fs_context *context, uint32_t flag);
void fs_cell_note(struct fs_engine *e, struct fs_context *context, uint32_t flag, enum fs_cause_kind kind, uint64_t entry, int64_t time);
void fs_cell_finish(struct fs_engine *e, struct fs_cell *cell);
bool fs_cell_waits(struct fs_engine *e, struct fs_context *context, uint32_t flag); /* has no value yet that may be shown */
void fs_cell_bind(struct fs_engine *e, struct fs_context *context, uint32_t flag);
/* Somebody begins to look: what was not kept current is asked again, and forgotten until then unless others see it. */
void fs_cell_recall(struct fs_engine *e, struct fs_context *context, uint32_t flag);
void fs_cell_force(struct fs_engine *e, struct fs_context *context, uint32_t flag); /* a first value, now */
/* Was the proposal overtaken before its commit? Then it is given up, and the cell looked at again. */
bool fs_cell_withdraws(struct fs_engine *e, struct fs_proposal *proposal);
void fs_cell_give_back(struct fs_cell *cell, struct fs_proposal *proposal); /* the cause of a proposal that comes to nothing */
void fs_cell_due(struct fs_engine *e, struct fs_alarm *alarm);
void fs_cells_evaluate(struct fs_engine *e);
void fs_cell_safe_now(struct fs_engine *e, struct fs_context *context, uint32_t flag, struct fs_evaluation *out);
struct fs_cause *fs_cause_create(enum fs_cause_kind kind, uint64_t entry, int64_t time);
void fs_cell_unbind(struct fs_engine *e, struct fs_cell *cell, size_t decisions);
/* tick.c */
void fs_tick_propose(struct fs_engine *e);
void fs_tick_commit(struct fs_engine *e);
void fs_tick_go_ahead(struct fs_engine *e);
void fs_tick_append(struct fs_engine *e);
void fs_proposal_finish(struct fs_proposal *proposal);
void fs_publish(struct fs_engine *e, struct fs_proposal *proposal, uint64_t revision);
/* view.c */
bool fs_context_is_shown(const struct fs_context *context, uint32_t flag); /* a watch that has its snapshot sees it */
struct fs_view *fs_view_intern(struct fs_engine *e, struct fs_context *context, bool client_only, const char *const *selection);
void fs_view_release(struct fs_engine *e, struct fs_view *view);
bool fs_view_sees(const struct fs_view *view, const struct fs_flag *flag);
void fs_view_drop_idle(struct fs_engine *e, struct fs_context *context); /* views that nobody uses */
bool fs_view_waits(struct fs_engine *e, const struct fs_view *view);
void fs_view_force(struct fs_engine *e, const struct fs_view *view); /* safe values for what is not known */
size_t fs_view_states(const struct fs_engine *e, const struct fs_view *view, const uint64_t *only, struct fs_flag_state **out);
static inline bool fs_bit(const uint64_t *bits, size_t index)
{
    return (bits[index / 64] >> (index % 64)) & 1;
}
static inline void fs_bit_set(uint64_t *bits, size_t index)
{
    bits[index / 64] |= UINT64_C(1) << (index % 64);
}
/* watch.c */
void fs_watch_changed(struct fs_engine *e, struct fs_watch *watch, uint32_t flag, bool takes_away);
void fs_watch_destroy(struct fs_engine *e, struct fs_watch *watch);
void fs_watch_due(struct fs_engine *e, struct fs_watch *watch);
void fs_connection_due(struct fs_engine *e, struct fs_connection *connection);
void fs_connection_destroy(struct fs_engine *e, struct fs_connection *connection);
void fs_connection_want_flush(struct fs_engine *e, struct fs_connection *connection);
struct fs_connection *fs_connection_find(struct fs_engine *e, uint64_t id);
struct fs_watch *fs_watch_find(struct fs_connection *connection, uint64_t id);
/* deliver.c */
void fs_deliver_all(struct fs_engine *e);
void fs_deliver_error(struct fs_engine *e, struct fs_connection *connection, uint64_t watch, const char *code, const char *text, int close);
/* once.c */
void fs_once_check(struct fs_engine *e);
void fs_once_due(struct fs_engine *e, struct fs_once *once);
/* receipt.c */
struct fs_receipt *fs_receipt_open(struct fs_engine *e, uint64_t entry, int64_t time);
void fs_receipt_question(struct fs_receipt *receipt, struct fs_question *q);
void fs_receipt_cell(struct fs_engine *e, struct fs_receipt *receipt, struct fs_context *context, uint32_t flag);
void fs_receipt_superseded(struct fs_receipt *receipt);
void fs_receipts_check(struct fs_engine *e);
void fs_receipt_due(struct fs_engine *e, struct fs_alarm *alarm);
void fs_receipts_finish(struct fs_engine *e);
/* apply.c */
void fs_apply_event(struct fs_engine *e, const struct fs_entry *entry);
void fs_apply_touch(struct fs_engine *e, struct fs_question *q, uint64_t entry, int64_t time, struct fs_receipt *receipt);
/* engine.c */
void fs_proposals_finish(struct fs_engine *e); /* with the tick under way */
void fs_engine_append(struct fs_engine *e, enum fs_entry_kind kind, char *body, size_t length, unsigned source, const char *revision);
static inline void fs_alarm_set(struct fs_engine *e, struct fs_alarm *alarm, enum fs_due due, int64_t mono)
{
    alarm->due = due;
    fs_heap_arm(&e->heap, &alarm->timer, mono);
}
static inline void fs_alarm_cancel(struct fs_engine *e, struct fs_alarm *alarm)
{
    fs_heap_cancel(&e->heap, &alarm->timer);
}
static inline int64_t fs_mono_of_wall(const struct fs_engine *e, int64_t wall)
{
    return wall == INT64_MAX ? INT64_MAX : e->now.mono + (wall - e->now.wall);
}

#endif

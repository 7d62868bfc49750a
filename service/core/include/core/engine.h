/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine: the state that the core thread owns, and what moves it. Pure: no I/O, no threads, no clock of
 * its own. Everything comes in by the functions below, each with the moment it happens at; everything goes
 * out by the ports. All functions belong to one thread.
 *
 * The life of a change: an event's entry is committed (fs_engine_commit) -> the questions it touches are
 * dirty -> fs_engine_turn() asks them -> fs_engine_answered() hands the answers to the journal -> at their
 * commit cells are evaluated, what differs is proposed as one tick -> at the tick's commit the proposals
 * become the cells' values, get a revision, and go to the watches. docs/architecture.md walks through it with
 * file names.
 */
#ifndef FS_CORE_ENGINE_H
#define FS_CORE_ENGINE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/blob.h"
#include "base/clock.h"
#include "base/histogram.h"
#include "core/context.h"
#include "core/credential.h"
#include "core/entry.h"
#include "core/evaluate.h"
#include "core/event.h"
#include "core/flag.h"
#include "core/override.h"
#include "core/source.h"

struct fs_engine;

#define FS_CAUSE_LIMIT 16

enum fs_cause_kind {
    FS_CAUSE_WATCH, /* the first value: somebody began to ask */
    FS_CAUSE_EVENT,
    FS_CAUSE_REVALIDATE,
    FS_CAUSE_TIMER,
    FS_CAUSE_SOURCE_LOST,
    FS_CAUSE_SOURCE_BACK,
    FS_CAUSE_CONFIG,
    FS_CAUSE_OVERRIDE
};
const char *
fs_cause_kind_name(enum fs_cause_kind kind); /* "watch", "event", "revalidate", "timer", "source-lost",
                                                "source-back", "config", "override" */

/* Why a cell has its value: the entries that touched what it depends on, the first one first. */
struct fs_cause {
    enum fs_cause_kind kind;
    uint64_t entries[FS_CAUSE_LIMIT];
    int64_t time;     /* wall ms of the first */
    int64_t accepted; /* wall ms when that was: `time` is what its sender says; 0: no event */
    unsigned count;   /* of all, also those beyond the limit */
};

/* One flag of one view, as the encoder needs it. Borrowed for the call. */
struct fs_flag_state {
    const struct fs_flag *flag;
    const struct fs_evaluation *evaluation;
    const struct fs_cause *cause;
};

/* A view's part of a snapshot or delta. */
struct fs_view_state {
    const char *view; /* hash */
    bool snapshot;
    bool once;
    bool more; /* of a snapshot: further flags follow these */
    uint64_t revision;
    const json_t *dropped;      /* attributes; snapshot only; or NULL */
    const char *const *removed; /* keys, delta only */
    size_t removed_count;
    const struct fs_flag_state *flags;
    size_t flag_count;
    size_t limit; /* bytes that the body may have; 0: any number */
};

/* How many of them are in a body. */
struct fs_taken {
    size_t removed, flags;
};

struct fs_delivery_part {
    uint64_t watch;
    struct fs_blob *body; /* from encode(); borrowed for the call */
};

enum fs_delivery_kind {
    FS_DELIVER_WELCOME,
    FS_DELIVER_SNAPSHOT,
    FS_DELIVER_DELTA,
    FS_DELIVER_LEASE,
    FS_DELIVER_ERROR,
    FS_DELIVER_GOAWAY,
    FS_DELIVER_REFETCH,
    FS_DELIVER_CLOSE /* nothing but the end */
};

/* One message for a connection. Each one but the closing takes one of its window. */
struct fs_delivery {
    enum fs_delivery_kind kind;
    uint64_t connection;
    uint64_t revision;
    bool more;                            /* DELTA */
    const struct fs_delivery_part *parts; /* SNAPSHOT: one */
    size_t part_count;
    uint64_t n;              /* LEASE */
    int64_t duration;        /* LEASE: ms; GOAWAY: drain */
    int64_t reconnect;       /* GOAWAY: ms */
    const char *code, *text; /* ERROR, GOAWAY */
    uint64_t watch;          /* ERROR: 0 is none */
    const char *session;     /* WELCOME */
    bool stream;             /* it goes to an event stream */
    int close;               /* websocket code to close with behind it; 0: stays open */
};

/* The answer to fs_engine_evaluate(). Borrowed for the call. */
struct fs_evaluated {
    uint64_t token;
    const struct fs_flag_state *flags; /* in key order */
    size_t flag_count;
    const char *context; /* hash */
    const char *view;    /* hash */
    uint64_t revision;
    bool timed_out; /* some source did not answer in time: safe values stand for its flags */
};

struct fs_feed_frame;

struct fs_engine_ports {
    void *self;
    /* Hands a draft to the journal; its notice comes back by fs_engine_commit() or _failed. false: cannot
     * take it now (it is tried again). */
    bool (*append)(void *self, const struct fs_draft *draft);
    /* Asks a source; comes back by fs_engine_answered() with the same token. The batch is borrowed. */
    void (*ask)(void *self, unsigned source, const struct fs_asked *batch, size_t count, uint64_t token);
    void (*probe)(void *self, unsigned source);
    void (*set_queries)(void *self, unsigned source, const char *const *kinds, const char *const *queries,
                        size_t count);
    /* Bytes of a view's part, shared by all its watches: removed keys first, then flags, as many as its limit
     * allows. `taken` says how many; never none, but where names of dropped attributes fill a snapshot's
     * first part. A single flag that is larger than the limit goes alone. */
    struct fs_blob *(*encode)(void *self, const struct fs_view_state *state, struct fs_taken *taken);
    void (*deliver)(void *self, const struct fs_delivery *delivery);
    void (*evaluated)(void *self, const struct fs_evaluated *result);
    /* A receipt that somebody waits for: complete, or its time is over. `receipt` is borrowed. */
    void (*receipt)(void *self, uint64_t token, const json_t *receipt);
    /* A message for a board (core/feed.h), borrowed for the call. How many of its rows it took: one at
     * least, where it has any. */
    size_t (*feed)(void *self, const struct fs_feed_frame *frame);
    /* What was asked for with `token` (core/trial.h): `result` is the receiver's, or NULL and `err` says why.
     */
    void (*found)(void *self, uint64_t token, json_t *result, const struct fs_err *err);
};

struct fs_engine_options {
    struct fs_engine_ports ports;
    char epoch[40];
    uint8_t secret[32];       /* random, drawn with the epoch: the names of sessions are made from it */
    int64_t lease;            /* ms, 30000 */
    int64_t prior_lease;      /* ms: the longest lease that a process before this one granted; 0: none did */
    int64_t hold;             /* ms, 60000 */
    int64_t evaluate_timeout; /* ms, 1000 */
    int64_t probe_interval;   /* ms, 1000 */
    int64_t journal_late;     /* ms, 50 */
    int64_t remember; /* ms: a fact that is gone is remembered, so that an older event cannot bring it back; 7
                         days */
    size_t batch;     /* questions in one ask, 200 */
    size_t entry_changes; /* changes in one tick, 2000: a mass change is several */
    size_t entry_bytes;   /* about as much is told in one entry, 4 MiB, and one change or answer at least */
    size_t contexts;      /* unwatched contexts that are kept, 10000 */
    size_t watches_total; /* 1,000,000 */
    size_t watches;       /* per connection */
    unsigned window;      /* frames under way per connection */
    size_t send;          /* bytes of a frame above which it is split, 65536 */
    struct fs_context_rules context_rules;
};

/* The defaults above; ports, epoch and secret are the caller's. */
void fs_engine_options_init(struct fs_engine_options *options);
struct fs_engine *fs_engine_create(const struct fs_engine_options *options, struct fs_time now);
void fs_engine_destroy(struct fs_engine *engine);

/* Set-up, before anything else: sources in the order of their indexes. `revalidate` in ms. */
unsigned fs_engine_add_source(struct fs_engine *engine, const char *name, const struct fs_source_type *type,
                              int64_t revalidate);
int fs_engine_find_source(const struct fs_engine *engine, const char *name); /* -1: none */
/* The source whose name is nearest to one that is none; NULL: none is near. Borrowed. Core's thread. */
const char *fs_engine_suggest_source(const struct fs_engine *engine, const char *name);
/* Restores a fact that entries before the oldest of the journal have left. Before any fs_engine_replay(). */
void fs_engine_restore(struct fs_engine *engine, const struct fs_fact_state *fact);
/* Restores facts, overrides and numbering from an old entry: called for every entry of the journal, in order,
 * before the first turn; before those for the overrides that entries before the oldest have left. */
void fs_engine_replay(struct fs_engine *engine, const struct fs_entry *entry);
/* New definitions (takes a reference of its own). `entry`: of kind config; 0 for the first set at start. */
void fs_engine_set_flags(struct fs_engine *engine, struct fs_flagset *set, uint64_t entry,
                         struct fs_time now);
struct fs_flagset *fs_engine_flags(const struct fs_engine *engine); /* borrowed */

/* What comes in. */

/* An entry was committed. For drafts of the engine's own it recognises the token; an event's entry is applied
 * here. `body` as the draft's. */
void fs_engine_commit(struct fs_engine *engine, const struct fs_commit *commit, const struct fs_entry *entry,
                      struct fs_time now);
/* Is this token one of the engine's own drafts? (The caller keeps its own below FS_ENGINE_TOKENS.) */
#define FS_ENGINE_TOKENS (UINT64_C(1) << 62)
/* Answers to a batch, in its order; taken over. */
void fs_engine_answered(struct fs_engine *engine, uint64_t token, struct fs_answer *answers, size_t count,
                        struct fs_time now);
void fs_engine_probed(struct fs_engine *engine, unsigned source, bool alive, const char *revision,
                      const char *error, struct fs_time now);
/* A report says that `instance` of the source now runs `revision`. */
void fs_engine_reported(struct fs_engine *engine, unsigned source, const char *instance, const char *revision,
                        struct fs_time now);

/* Connections. `stream`: an OFREP event stream, which gets REFETCH instead of frames, the first one as soon
 * as its values are current. Takes a reference of the credential. */
void fs_engine_connect(struct fs_engine *engine, uint64_t connection, struct fs_credential *credential,
                       const char *address, bool stream, struct fs_time now);
void fs_engine_disconnect(struct fs_engine *engine, uint64_t connection, struct fs_time now);
struct fs_hello {
    const char *client_name, *client_version;
    bool resumes;
    const char *epoch;
    const char *session; /* the one that told the resume point */
    uint64_t revision;
    size_t watch_count; /* those that follow by fs_engine_watch(); renewal 0 waits for their snapshots */
};
void fs_engine_hello(struct fs_engine *engine, uint64_t connection, const struct fs_hello *hello,
                     struct fs_time now);
struct fs_watch_wish {
    uint64_t watch;
    const json_t *context;
    const char *const *flags; /* NULL-terminated; NULL: all visible */
    bool once;
    const char *resume_view; /* the view that the client's resume point names for this watch; NULL: none */
    bool of_hello;
};
void fs_engine_watch(struct fs_engine *engine, uint64_t connection, const struct fs_watch_wish *wish,
                     struct fs_time now);
void fs_engine_unwatch(struct fs_engine *engine, uint64_t connection, uint64_t watch, struct fs_time now);
void fs_engine_renew(struct fs_engine *engine, uint64_t connection, uint64_t n, struct fs_time now);
void fs_engine_ack(struct fs_engine *engine, uint64_t connection, uint64_t revision, struct fs_time now);
/* `frames` of its window are free again. */
void fs_engine_sent(struct fs_engine *engine, uint64_t connection, unsigned frames, struct fs_time now);
/* Tells every connection (or those of one credential) to go. */
void fs_engine_goaway(struct fs_engine *engine, const char *credential_id, const char *code, const char *text,
                      int64_t drain, int64_t reconnect, int close);

/* Closes every connection with this websocket code. */
void fs_engine_end(struct fs_engine *engine, int close);
/* Answers all that wait for receipts, as at the end of their time. */
void fs_engine_receipts_give_up(struct fs_engine *engine, struct fs_time now);
/* One evaluation without a watch. `context` is a context that fs_context_make() made (borrowed). Answered by
 * ports.evaluated with `token`, perhaps within the call. */
void fs_engine_evaluate(struct fs_engine *engine, const struct fs_context_text *context, bool client_only,
                        const char *const *flags, uint64_t token, struct fs_time now);

/* Receipts (docs/receipts.md). The concerned are counted when the event is applied; wait `delivered` or
 * merely `applied`. */
void fs_engine_receipt_wait(struct fs_engine *engine, uint64_t entry, bool delivered, int64_t timeout,
                            uint64_t token, struct fs_time now);
/* Nobody waits with this token any more. */
void fs_engine_receipt_forget(struct fs_engine *engine, uint64_t token);
/* As it stands now; NULL: no such entry in memory. New reference. */
json_t *fs_engine_receipt(struct fs_engine *engine, uint64_t entry, struct fs_time now);
/* What one entry has set off, and when, as far as it went: whole ms since it was received. For people:
 * nothing follows from it, and a replay knows nothing of it. */
enum fs_stage {
    FS_STAGE_JOURNALED,
    FS_STAGE_ASKED,        /* the last of its questions was sent */
    FS_STAGE_ANSWERED,     /* ... and answered */
    FS_STAGE_EVALUATED,    /* every value that depends on it was looked at */
    FS_STAGE_PUSHED,       /* the change stood in the queue of every connection concerned */
    FS_STAGE_ACKNOWLEDGED, /* the last acknowledgement, when no watch holds an older value any more */
    FS_STAGES
};
struct fs_stages {
    uint64_t entry;
    uint64_t questions; /* asked for it */
    uint64_t flips;
    int64_t at[FS_STAGES]; /* -1: not (yet) */
};
/* "questions", and "stages" with those that came to be: "journaledMs", ... */
void fs_stages_describe(const struct fs_stages *stages, json_t *object);
/* Those of all receipts in memory, by rising entry: an array of `count`, owned by the caller. */
struct fs_stages *fs_engine_stages(const struct fs_engine *engine, size_t *count);
/* Is it in memory, and its event from the credential of this id? */
bool fs_engine_receipt_is_of(struct fs_engine *engine, uint64_t entry, const char *credential);

/* Overrides (core/override.h). Its entry is applied by fs_engine_commit(), as an event's. */

/* Is there room for another one, and for a release: does what it names stand? False with `err`. */
bool fs_engine_override_fits(const struct fs_engine *engine, const struct fs_override_order *order,
                             struct fs_err *err);
/* Counts the changes of the table: another number, and those that read it read it again. */
uint64_t fs_engine_override_changes(const struct fs_engine *engine);
size_t fs_engine_subject_overrides(const struct fs_engine *engine, const char *subject);
/* An array of all that stand: `id` (the entry), `flag`, `kind`, `author`, `reason`, `time` and where there
 * are any `subject`, `variant`, `authorName`, `expires`, `idle` (why it has no effect). New reference. */
json_t *fs_engine_show_overrides(const struct fs_engine *engine);
/* The one that this entry ordered, or NULL. New reference. */
json_t *fs_engine_show_override(const struct fs_engine *engine, uint64_t entry);
/* Is a client connected as this session? */
bool fs_engine_has_session(const struct fs_engine *engine, const char *session);
/* Tells its connection to go; nothing where there is none. */
void fs_engine_end_session(struct fs_engine *engine, const char *session, const char *code, const char *text,
                           int64_t reconnect, int close);

/* Forgets what entries said happened (for causes in words): a subject is erased. */
void fs_engine_forget_words(struct fs_engine *engine);

/* Does everything that is due: timers, asks, evaluations, pushes. Call after each batch of the above. */
void fs_engine_turn(struct fs_engine *engine, struct fs_time now);
/* When the next turn is due, mono ms; INT64_MAX: only when something comes in. */
int64_t fs_engine_next(const struct fs_engine *engine);
/* Flags, and the first answers or the knowledge that a source does not give any, are there. `why_not` (120
 * bytes) says what is missing. */
bool fs_engine_ready(const struct fs_engine *engine, char why_not[120]);

/* For operators: state as JSON, new references. */
json_t *fs_engine_show_flags(const struct fs_engine *engine);
/* {"contexts": [...]}, in the order in which they came, from the one behind number `after` on (0: the first):
 * `limit` contexts at most, and fewer where they have very many flags. With "more": true and "next", the
 * `after` for those, where there are further ones. `subject`: of this one; NULL: of all. */
json_t *fs_engine_show_contexts(const struct fs_engine *engine, const char *subject, uint64_t after,
                                size_t limit);
/* {"clients": [...], "total": N}, in the order in which they came, from the one behind number `after` on (0:
 * the first); with "next" where there are further ones: the `after` for those. Of each client 100 watches are
 * named. */
json_t *fs_engine_show_clients(const struct fs_engine *engine, uint64_t after, size_t limit,
                               struct fs_time now);
/* What is known of a subject: an array, each with `fact`, `value`, `time`, perhaps `expires`, the `entry`
 * that said so and the `credential` that sent it. */
json_t *fs_engine_show_facts(const struct fs_engine *engine, const char *subject);
/* When the newest of what is known of a subject's facts became so, those that were removed included; wall ms.
 * 0: none is known. */
int64_t fs_engine_subject_told(const struct fs_engine *engine, const char *subject);
/* Contexts of a subject that are in memory. */
size_t fs_engine_subject_contexts(const struct fs_engine *engine, const char *subject);
json_t *fs_engine_show_sources(const struct fs_engine *engine, struct fs_time now);
/* The whole chain for one value now. NULL: no such subject, flag or context is known. `context` (a hash or
 * its beginning) may be NULL: the latest. */
json_t *fs_engine_show_why(struct fs_engine *engine, const char *subject, const char *flag,
                           const char *context, struct fs_time now);

struct fs_engine_counts {
    uint64_t revision, changes, asks, answers_none, answers_bad, evaluations;
    uint64_t leases_ended; /* on open connections: no renewal was granted in time */
    uint64_t conflated;    /* changes that took the place of one that had not been sent yet */
    struct fs_histogram
        event_to_push; /* from the event's acceptance to the push, one for each change that an event caused */
    struct fs_histogram push_to_ack; /* one for each acknowledgement of the newest revision sent */
    struct fs_histogram lag; /* revisions by which an acknowledgement was behind the newest one sent */
    size_t subjects, contexts, watched_contexts, watches, connections, streams, questions, cells, facts,
        timers, behind;
    int64_t oldest_push; /* mono ms: of those that no open connection's client has acknowledged; 0: none */
};
void fs_engine_count(const struct fs_engine *engine, struct fs_engine_counts *out);
/* Facts that are remembered, those that are gone included. */
size_t fs_engine_facts(const struct fs_engine *engine);
/* Is it one of them? */
bool fs_engine_knows_fact(const struct fs_engine *engine, const char *subject, const char *fact);
/* Changes of each flag since the start: an object of numbers; those beyond the first 500 flags are "other".
 * New reference. */
json_t *fs_engine_show_changes(const struct fs_engine *engine);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine's state, shared by its files and by nobody else. Who owns what:
 *
 *   engine ── sources ── questions ──(bindings)── cells ── contexts ── views ── watches ── connections
 *
 * A binding ties one cell (a flag of a context) to one question, so that an answer finds the cells it
 * concerns and nothing else. A context lives while it is watched, and `hold` longer.
 */
#ifndef FS_CORE_ENGINE_STATE_H
#define FS_CORE_ENGINE_STATE_H

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
#include "core/cause.h"
#include "core/engine.h"
#include "core/json.h"
#include "core/override.h"

#define FS_DECISION_LIMIT 16            /* decisions of one flag; the flag file's reader refuses more */
#define FS_TEXT_LIMIT     (1024 * 1024) /* one question's input, one fact */
#define FS_ENTRY_LIMIT    (64 * 1024 * 1024)
#define FS_PART_FLAGS     128 /* flags in one part of a snapshot or delta */
#define FS_RETRY_FIRST    250 /* ms: a failed question is asked again after this, doubled each time */
#define FS_RETRY_LAST     30000
#define FS_PACE_MS        50   /* recomputes of one credential within that are merged */
#define FS_COUNTED_FLAGS  500  /* flags with a counter of their own; the rest count as "other" */
#define FS_RECEIPT_LIMIT  1024 /* receipts that are remembered */
#define FS_FIRSTS_LIMIT                                                                                      \
    100000 /* first values that wait to be recorded: a dead journal may not hold contexts without end */

/* What a timer is for: the owner is found by FS_CONTAINER. */
enum fs_due {
    FS_DUE_PROBE,
    FS_DUE_REVALIDATE,
    FS_DUE_RETRY,
    FS_DUE_UNHEARD,
    FS_DUE_CELL,
    FS_DUE_CONTEXT,
    FS_DUE_WATCH,
    FS_DUE_CONNECTION,
    FS_DUE_FACT,
    FS_DUE_ONCE,
    FS_DUE_RECEIPT,
    FS_DUE_OVERRIDE,
    FS_DUE_JOURNAL,
    FS_DUE_FEED,
    FS_DUE_WALK
};
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
    int failures;    /* probes in a row */
    char *revision;  /* the newest seen; NULL: none declared */
    int64_t alive;   /* mono ms of the last successful probe */
    int64_t since;   /* wall ms of the last change of status */
    int64_t revised; /* wall ms when `revision` was first seen */
    char error[160];
    bool probing;         /* a probe is out */
    bool missed;          /* ... for so long that it counts as failed already */
    bool reached;         /* it was up at least once */
    uint64_t outcomes[4]; /* allowed, denied, other values, bad */
    struct fs_alarm probe;
    struct fs_list waiting;  /* questions to be asked, by ask_node */
    struct fs_map instances; /* status reports: instance -> char * revision */
    uint64_t asked, failed;  /* questions */
    size_t unanswered;       /* questions that are to be asked, or whose answers have not come */
    int64_t unanswered_at;   /* mono ms: since then they are so many */
    int64_t waited;          /* ms that questions were unanswered, until then, summed */
};

/* Of a subject that was erased: what comes in behind that entry from before that moment is too late. */
struct fs_erasure {
    int64_t time; /* wall ms */
    uint64_t entry;
};

struct fs_question {
    uint64_t id;
    unsigned source;
    char *key; /* identity: source, kind, query, input; key_length bytes */
    size_t key_length;
    const char *kind, *query, *subject, *input; /* inside `key` */
    size_t input_length;
    char *asker, *actor;     /* subject of the context that asked first, and who acts for it: NULL: nobody */
    struct fs_answer answer; /* the last that was one; state NONE while there is none */
    bool answered;
    bool failed;               /* the last attempt gave no answer */
    bool uncommitted;          /* `answer` is not in the journal yet: it may take away but not grant */
    char *error;               /* of the failed attempt */
    int64_t confirmed;         /* mono ms */
    uint64_t touched;          /* entry of the newest event that concerns it */
    uint64_t settled;          /* newest entry that had been applied when the request of `answer` was sent */
    unsigned unsettled_rounds; /* answers in a row that came too early for a newer event */
    bool in_flight;
    int64_t sent; /* mono ms of the request under way */
    bool queued;
    bool overdue;          /* to be asked again, but nobody wanted to know when it was due */
    unsigned entries;      /* entries under way that bring an answer to it */
    unsigned pins;         /* kept without bindings: a reload finds it again */
    uint64_t order;        /* token of the batch that brought `answer`: an older one never replaces it */
    uint64_t failed_order; /* token of the batch that failed last */
    uint64_t noted;        /* the event whose receipt has it already */
    uint64_t bound_for;    /* the event whose receipt times it already */
    unsigned attempts;     /* failures in a row */
    uint64_t answer_entry; /* the entry of kind answers that brought `answer`; 0: none was needed */
    struct fs_list ask_node;
    struct fs_list bindings;
    struct fs_alarm revalidate, retry; /* the first also: when the request under way is taking too long */
};

struct fs_binding {
    struct fs_list node;          /* in the question's list */
    struct fs_question *question; /* NULL: not bound */
    struct fs_context *context;
    uint32_t flag;
    char missing_fact[64]; /* why it could not be bound */
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
    int64_t waiting; /* mono ms since when an answer to what it asks now is waited for; 0: no */
    struct fs_cause *proposed_cause; /* that proposal's: borrowed while there is one */
    bool known, dirty, rebind, held, forced;
    bool aside;      /* dirty, but looked at while a tick was under way: it takes nothing away, and waits */
    bool in_aside;   /* in context.aside */
    unsigned untold; /* of engine.firsts: they are told before what came later */
    bool told;       /* the journal says, or is about to, that it stands and is kept current (kept.c) */
    bool withdrawn;  /* a grant was held back at its commit: the next one is not */
    uint64_t number; /* by which boards know it; 0: none has seen it */
};

struct fs_context {
    struct fs_list in_all; /* engine.all_contexts */
    uint64_t number;       /* counts up, in that order */
    uint64_t rewatched;    /* revision at which it last gained or lost a watch: none that boards had whole */
    char hash[65];
    char *canonical;
    size_t length;      /* of canonical */
    uint64_t tick_pass; /* the last one that came by */
    json_t *json;
    const char *subject;       /* inside json; "" without targetingKey */
    struct fs_cell *cells;     /* one for each flag of the engine's set */
    FS_VEC(uint32_t) dirty;    /* flags whose cell is dirty */
    bool listed;               /* in engine.dirty */
    FS_VEC(uint32_t) aside;    /* flags whose cell was put aside; some are not any more */
    bool listed_aside;         /* in engine.aside */
    size_t watches;            /* live watches and those held after a disconnect */
    size_t askers;             /* watches of one snapshot and evaluations that wait */
    size_t pins;               /* proposals, receipts, and those */
    struct fs_list by_subject; /* in fs_subject.contexts */
    struct fs_subject *owner;
    struct fs_list views;     /* struct fs_view */
    struct fs_list idle_node; /* in engine.idle while unwatched */
    struct fs_alarm expiry;
    int64_t seen;    /* mono ms */
    int64_t fetched; /* mono ms of the last OFREP answer; 0: never */
    uint64_t fetched_revision;
};

/* All that is known of one subject. */
struct fs_subject {
    char *key;
    struct fs_list contexts;
    struct fs_map facts; /* name -> struct fs_fact */
    json_t *facts_json;  /* those in force: name -> value */
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

/* An override that stands. */
struct fs_standing_override {
    struct fs_override override;
    struct fs_alarm expiry;
};
/* Those of one flag, for everybody or for one subject: one of each kind at most. */
struct fs_override_pair {
    struct fs_standing_override *of[FS_OVERRIDE_KINDS];
};
struct fs_overridden {
    struct fs_override_pair all;
    struct fs_map subjects; /* subject -> struct fs_override_pair */
};

/* What a watch can see: a context, a visibility, a selection of flags. Shared by all watches that see the
 * same. */
struct fs_view {
    struct fs_list node; /* in fs_context.views */
    struct fs_context *context;
    char hash[65];
    bool client_only;
    char **selection;                /* keys, sorted, NULL-terminated; NULL: all visible */
    uint64_t *flags;                 /* bit set over the engine's flags */
    struct fs_list watches;          /* struct fs_watch.in_view */
    size_t users;                    /* watches and waiting evaluations; 0: kept for the next OFREP request */
    uint64_t since;                  /* revision from which on its values were kept current without a gap */
    uint64_t lost;                   /* revision at which it last lost a flag; 0: it never did */
    FS_VEC(struct fs_blob *) bodies; /* of the last delta, while body_revision and body_flags fit */
    uint64_t body_revision;
    uint64_t *body_flags;
};

struct fs_watch {
    uint64_t id;     /* the client's */
    uint64_t serial; /* ours */
    struct fs_connection *connection;
    struct fs_view *view;
    struct fs_list in_view;
    struct fs_list in_dirty; /* in connection.dirty; until its snapshot in connection.fresh */
    json_t *dropped;
    uint64_t *dirty; /* bit set: flags that changed since they were sent */
    bool any_dirty;
    FS_VEC(char *) removed; /* keys that are to be removed first */
    bool sent;              /* has its snapshot (or was resumed) */
    bool resumed;
    bool once, of_hello;
    bool overdue;               /* its first snapshot has waited long enough */
    bool replaces;              /* ... and replaces what the client holds: its revision is not closed yet */
    uint64_t snapshot_revision; /* of that snapshot; 0: resumed */
    uint64_t noted;             /* the event whose receipt has it already */
    struct fs_alarm deadline;   /* the first snapshot leaves then */
};

struct fs_connection {
    uint64_t id;
    uint64_t number; /* counts up, in the order of coming */
    char session[24];
    struct fs_credential *credential;
    char *client_name, *client_version;
    char address[64];
    bool stream; /* OFREP events */
    bool open;   /* false: disconnected, its watches are held */
    bool greeted;
    struct fs_map watches;     /* id (8 bytes) -> struct fs_watch */
    struct fs_list dirty;      /* watches with changes to send, in the order of becoming so */
    struct fs_list fresh;      /* watches without their first snapshot */
    struct fs_list flush_node; /* in engine.flush */
    bool urgent;               /* something is to be taken away */
    int window;                /* frames that may still be sent; errors may go below */
    unsigned hello_waiting;    /* watches of hello without their snapshot */
    bool renew_wanted;
    bool revoked; /* was told to go at once: no further lease */
    uint64_t renew_n;
    bool claims;           /* hello has a resume point of this epoch ... */
    uint64_t claimed;      /* ... at this revision */
    char resumes_from[24]; /* the session that it follows, where that is known and its own; "": none */
    uint64_t sent_revision, acked_revision;
    uint64_t pushed_revision; /* of the newest delta or snapshot: what a lease alone tells needs no ack */
    int64_t acked_at;         /* mono ms */
    int64_t pushed_at;        /* mono ms of the oldest push that is not acknowledged; 0: none */
    int64_t pushed_last;      /* mono ms of the newest push */
    int64_t lease_until;      /* mono ms: no client can hold a lease of this connection for longer */
    int64_t opened;           /* wall ms */
    struct fs_alarm expiry;   /* when a disconnected one is forgotten */
};

struct fs_batch {
    uint64_t token;
    unsigned source;
    uint64_t sent; /* newest entry applied when it was sent */
    struct fs_question **questions;
    size_t count;
};

/* Answers that wait for their entry's commit. */
struct fs_answers {
    struct fs_list node; /* in engine.answers, in the order of their drafts */
    uint64_t token;
    uint64_t order; /* token of their batch */
    unsigned source;
    uint64_t sent;
    struct fs_question **questions;
    struct fs_answer *answers;
    size_t count;
    char *body; /* of the draft, until it is handed over */
    size_t length;
    bool appended, ahead;
    int64_t since; /* mono ms */
};

struct fs_proposal {
    uint64_t id; /* it is valid while its cell names it; 0: a first value, published already */
    struct fs_context *context;
    uint32_t flag;
    struct fs_evaluation value;
    struct fs_cause *cause;
    json_t *from;   /* the value before, where the cell no longer tells it */
    bool withdrawn; /* a record only: an entry tells `from`, which never came to be */
    bool ended;     /* likewise: `from` is kept current no longer */
    bool again;     /* likewise: a first value that was there before */
    bool takes_away, first, published;
    bool forced; /* for want of an answer, when there was no waiting any longer */
};

/* First come, first served. */
struct fs_proposals {
    struct fs_proposal *items; /* the first `head` are gone */
    size_t count, capacity, head;
};

/* A draft of the engine's own that waits for its notice. */
struct fs_pending {
    struct fs_list node;
    uint64_t token;
    enum fs_entry_kind kind;
    char *body;
    size_t length;
    bool appended, ahead;
    int64_t since;   /* mono ms */
    unsigned source; /* SOURCE entries: which, and the revision that it tells */
    char *revision;
};

struct fs_once {
    struct fs_list node;
    struct fs_view *view;
    uint64_t token;
    struct fs_alarm deadline;
};

/* Recomputes of one credential that come faster than FS_PACE_MS are merged. */
struct fs_pace {
    int64_t last; /* mono ms when questions were asked, or will be where `deferred` */
    bool deferred;
};

struct fs_engine {
    struct fs_engine_options options;
    struct fs_time now; /* of the call that runs */
    struct fs_time started;
    int64_t accepted;  /* wall ms of the entry that was applied last */
    int64_t wall_lead; /* of the wall clock before the other: see fs_wall_went_ahead() */
    FS_VEC(struct fs_source_state *) sources;
    struct fs_flagset *set;
    size_t words;              /* of a bit set over the flags */
    struct fs_map contexts;    /* hash -> struct fs_context */
    struct fs_map subjects;    /* key -> struct fs_subject */
    struct fs_map erasures;    /* name of a subject -> struct fs_erasure, since the start or the anchor */
    struct fs_map questions;   /* key -> struct fs_question */
    struct fs_map sessions;    /* session -> struct fs_connection */
    struct fs_map connections; /* id (8 bytes) -> struct fs_connection */
    struct fs_map watches;     /* serial (8 bytes) -> struct fs_watch */
    struct fs_map paces;       /* credential -> struct fs_pace */
    int64_t defer;             /* mono ms: questions touched now are asked then; 0: at once */
    struct fs_map overridden;  /* flag -> struct fs_overridden */
    size_t override_count;
    uint64_t override_changes;             /* of the table */
    const struct fs_override_order *trial; /* NULL but while its effect is tried: as if it were in force */
    const struct fs_trial *trying;         /* NULL but while an event's effect is tried: likewise */
    struct fs_list walks;                  /* struct fs_walk, see walk.h */
    size_t walk_count;
    struct fs_alarm walk_due;
    struct fs_map said;            /* entry (8 bytes) -> char *, what it said happened; of the newest */
    FS_VEC(uint64_t) said_entries; /* those, going round from `said_next` on */
    size_t said_next;
    struct fs_map asides;  /* token (8 bytes) -> struct aside (aside.c) */
    struct fs_map changes; /* flag -> uint64_t *, for the metrics */
    struct fs_map batches; /* token (8 bytes) -> struct fs_batch */
    struct fs_list idle;   /* unwatched contexts, longest unseen first */
    size_t idle_count;
    FS_VEC(struct fs_context *) dirty, aside;
    struct fs_list flush;      /* connections with something to send, urgent ones first */
    struct fs_list answers;    /* struct fs_answers */
    struct fs_list pending;    /* struct fs_pending */
    struct fs_list once;       /* struct fs_once */
    struct fs_list receipts;   /* struct fs_receipt, in the order of being made */
    struct fs_map receipts_by; /* entry (8 bytes) -> the same */
    size_t receipt_count;
    size_t late_items;                  /* what receipts without an answer wait for, all together */
    struct fs_proposals taking, giving; /* proposed, and not in a tick yet: what takes away, and the rest */
    struct fs_proposals firsts;      /* first values and what was withdrawn: in force already, to be told by
                                        the next ticks' entries */
    FS_VEC(struct fs_proposal) tick; /* what the entry of the tick under way tells */
    uint64_t tick_token;             /* 0: none under way */
    uint64_t tick_passes;            /* over the contexts of a tick */
    bool tick_appended, tick_ahead;
    char *tick_body;
    size_t tick_length;
    int64_t tick_since; /* mono ms */
    struct fs_heap heap;
    struct fs_alarm journal_late;
    struct fs_arena arena;
    uint64_t revision;
    uint64_t applied; /* newest entry applied */
    uint64_t next_token, next_question, next_serial, next_session, next_proposal;
    uint64_t removal_revision;   /* the last at which flags were removed from views: older resume points get
                                    snapshots */
    struct fs_list all_contexts; /* in the order of coming: boards walk it in slices */
    uint64_t next_context, next_cell;
    uint64_t told_revision;      /* the last that a board was told to have whole */
    uint64_t forgotten_revision; /* the last at which a cell was forgotten that boards have seen */
    struct fs_feeds *feeds;      /* NULL: no board is open */
    struct fs_engine_counts counts;
};

#endif

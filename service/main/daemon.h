/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The daemon: the parts wired together. The core thread runs daemon_run() and owns everything here that is
 * not said to be shared; the other threads reach it by messages on `inbox` alone. This folder knows all
 * parts, and no part knows it.
 */
#ifndef FS_MAIN_DAEMON_H
#define FS_MAIN_DAEMON_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include "base/clock.h"
#include "base/heap.h"
#include "base/map.h"
#include "base/mistakes.h"
#include "base/queue.h"
#include "config/config.h"
#include "core/engine.h"
#include "core/trial.h"
#include "events/mapping.h"
#include "journal/journal.h"
#include "net/fetch.h"
#include "net/server.h"
#include "flagfile/flagfile.h"

/* What `serve` was told: filled in from the configuration by serve.c. Borrowed for the daemon's life. */
struct fs_daemon_options {
    const char *data;              /* state directory */
    const char *const *flag_paths; /* NULL-terminated */
    const json_t *mappings;        /* rules for foreign event types; or NULL */
    int64_t dedup, retention;      /* ms */
    int64_t drain;                 /* ms that clients get at the end */
    const char *public_url;        /* by which browsers reach us, where a proxy ends TLS; or NULL */
    const char *dashboard_dir;     /* the board's files lie there; NULL: in the binary */
    int64_t revalidate;            /* ms; of sources that do not say it */
    size_t events;                 /* in one request */
    size_t facts;                  /* that are remembered */
    bool demo_flags;               /* no flag files: the demo's */
    bool demo;                     /* ... and its events, until somebody else sends one */
    struct fs_engine_options engine;
    struct fs_server_options server;
};

struct fs_worker;
struct fs_quick;

/* What the engine is asked to look for (core/trial.h). */
enum fs_search { FS_SEARCH_DRY_RUN, FS_SEARCH_WHO, FS_SEARCH_ANSWER };

/* What a request waits for: its id leads the answer back. */
enum fs_waiting_kind { FS_WAITS_COMMIT, FS_WAITS_EVALUATION, FS_WAITS_RECEIPT, FS_WAITS_SEARCH };

struct fs_waiting {
    uint64_t token;
    enum fs_waiting_kind kind;
    uint64_t request;
    char *etag;                     /* EVALUATION: If-None-Match */
    char *flag;                     /* EVALUATION of one flag; NULL: of all */
    char *config_etag;              /* EVALUATION: the query's flagConfigEtag */
    char *base_url;                 /* EVALUATION: scheme and host by which we were reached */
    struct fs_context_text context; /* EVALUATION: for the event stream's URL */
    struct fs_credential *credential;
    bool revoked;                     /* EVALUATION: its key is no more */
    struct fs_submission *submission; /* COMMIT */
    size_t index;                     /* COMMIT: in the batch */
    enum fs_search search;            /* SEARCH: for what */
    bool may_read;                    /* SEARCH: may whoever asks know whom it is about? */
    int64_t since;                    /* SEARCH: fs_clock_nanos() */
};

/* What a request wants to be answered with. */
enum fs_until { FS_UNTIL_COMMITTED, FS_UNTIL_APPLIED, FS_UNTIL_DELIVERED };
struct fs_wait {
    enum fs_until until;
    int64_t timeout; /* ms */
};

/* What one request has sent, on its way to the journal. */
struct fs_submission {
    uint64_t request;
    bool silent;    /* answered with 204 */
    size_t waiting; /* drafts without a notice yet */
    size_t count;
    uint64_t *entries; /* numbers, in the order of the batch */
    bool *duplicates;
    struct fs_wait wait;
    enum fs_err_code code; /* the first failure */
    char text[200];
};

struct fs_entry_tail;

struct fs_daemon {
    struct fs_daemon_options *options;
    struct fs_clock clock;
    struct fs_queue *inbox;
    struct fs_engine *engine;
    struct fs_journal *journal; /* shared: its functions may be called from any thread */
    struct fs_fetch *fetch;     /* likewise */
    struct fs_server *server;   /* likewise */
    struct fs_worker *worker;
    atomic_int readings;            /* of the journal, under way for operators; the worker counts down */
    struct fs_worker *key_worker;   /* revocations wait behind nobody's reading */
    struct fs_worker *board_worker; /* reads `dashboardDir`, at whose files strangers look; NULL without it */
    atomic_int board_files;         /* that wait for it or are read; it counts down */
    struct fs_quick *quick;         /* shared with the door */
    struct fs_map waiting;          /* token (8 bytes) -> struct fs_waiting */
    struct fs_map waiting_requests; /* request (8 bytes) -> the same */
    struct fs_map drafts;           /* token (8 bytes) -> struct fs_draft_text */
    struct fs_map erasures;         /* token (8 bytes) -> struct erasing (erase_api.c): their entries wait */
    struct fs_map streams;          /* OFREP event streams: token -> struct fs_stream */
    struct fs_map newest_streams;   /* credential and context -> struct fs_stream */
    struct fs_map stream_owners;    /* id of a credential -> struct owner (ofrep_api.c) */
    uint64_t forbidden_evaluations;
    uint64_t overrides_seen;        /* fs_engine_override_changes() that `quick` was told of */
    struct fs_list receipt_streams; /* struct fs_receipt_stream */
    int64_t receipts_due;           /* mono ms */
    struct fs_list boards;          /* struct board (board.c): those that want entries */
    struct fs_entry_tail *tail;     /* what they get; NULL: nobody wants any, or the worker has it */
    bool tail_reading;              /* the worker has it */
    int64_t tail_due;               /* mono ms: it is not read before */
    uint64_t last_entry;            /* number of the newest entry on disk */
    uint64_t next_token;
    int64_t started;       /* wall ms */
    int64_t flags_checked; /* mono ms */
    char flags_state[65];  /* digest over names, sizes and times of the flag files */
    bool flags_reading;    /* the worker looks at them */
    bool flags_forced;     /* and is to do so again, and to read them */
    uint64_t flag_loads, flag_failures;
    bool flags_failed;           /* the last look at the files found them wrong */
    struct fs_flagset *next_set; /* loaded, and waiting for its entry */
    uint64_t next_set_token;
    struct fs_mappings *mappings;             /* what foreign events mean */
    const struct fs_flagfile_source *sources; /* those that flags may name */
    size_t source_count;
    struct fs_histogram *source_seconds; /* one for each of `sources` */
    struct fs_histogram journal_seconds;
    bool events_taken; /* somebody else than the demo sent an event */
    unsigned demo_step;
    int64_t demo_due; /* mono ms */
    struct {
        bool here, leaves; /* connected; told to go */
        unsigned frames;   /* taken, and not yet said to be */
        uint64_t applied;  /* the revision to acknowledge; 0: none */
        uint64_t renewals;
        int64_t renew_due; /* mono ms */
    } audience;            /* the demo's own client */
    bool journaled;        /* the entry that tells of this start is on disk */
    bool interrupted;      /* told to stop before it ran */
    bool draining;
    int64_t start_due; /* mono ms: the entry of this start failed and is tried again then; 0: no */
    int64_t end_at;    /* mono ms: when draining, the time to stop */
};

/* serve.c: sources, flags, journal, threads; then runs until it is told to stop. Returns an exit status.
 * `config` has the sources, and tells where in the file a mistake stands. */
int fs_serve(struct fs_daemon_options *options, const struct fs_config *config);
/* Says on standard error all that fs_serve() would refuse. How many mistakes that is. */
size_t fs_serve_check(const struct fs_daemon_options *options, const struct fs_config *config);

/* loop.c */
void fs_daemon_run(struct fs_daemon *daemon);
struct fs_time fs_daemon_now(const struct fs_daemon *daemon);
void fs_daemon_stop(struct fs_daemon *daemon); /* begins to drain */

/* ports.c: what the engine needs */
struct fs_engine_ports fs_daemon_ports(struct fs_daemon *daemon);

/* flags.c: loading and reloading */
struct fs_flag_reading;
/* The first reading, before there is a daemon: what is wrong is added to `mistakes`, what is doubtful told to
 * `warn`. `sources`: those that flags may name; NULL: any. Never NULL. */
struct fs_flag_reading *fs_flag_reading_first(const struct fs_daemon_options *options,
                                              const struct fs_flagfile_sources *sources,
                                              void (*warn)(const char *text), struct fs_mistakes *mistakes);
/* At the start: takes the reading, in which nothing was wrong. */
void fs_daemon_first_flags(struct fs_daemon *daemon, struct fs_flag_reading *reading);
/* Has the worker look at the files, and read them where they have changed, or `forced`; what comes of it is
 * a notice, which fs_daemon_flags_read() takes. */
void fs_daemon_check_flags(struct fs_daemon *daemon, bool forced);
void fs_daemon_flags_read(struct fs_daemon *daemon, struct fs_flag_reading *reading);
void fs_flag_reading_destroy(struct fs_flag_reading *reading); /* accepts NULL */
/* The notice of a config entry: the set that it stands for rules from now on, or is loaded again where it
 * failed. */
void fs_daemon_flags_committed(struct fs_daemon *daemon, const struct fs_commit *commit);

/* drafts.c: entries of the daemon's own */
struct fs_draft_text {
    uint64_t token;
    enum fs_entry_kind kind;
    char *body;
    size_t length;
    int64_t since;    /* fs_clock_nanos() */
    int64_t received; /* mono ms */
};
struct fs_new_entry {
    enum fs_entry_kind kind;
    const struct fs_event *event; /* its body is written from this, borrowed; NULL: the body is there */
    char *body;                   /* taken over in any case */
    size_t length;
    struct fs_identity identity; /* zeroed: none */
    const char *subject;         /* whom another body names in clear, borrowed; NULL: nobody */
    uint64_t token;              /* 0: a new one is drawn, and stands here then */
};
/* Hands drafts to the journal, which takes all of them or none; their bodies are kept until the notices.
 * False: it takes none now. */
bool fs_daemon_append(struct fs_daemon *daemon, struct fs_new_entry *entries, size_t count);
/* Hands over the entry that tells of this start. */
void fs_daemon_append_start(struct fs_daemon *daemon);
void fs_daemon_committed(struct fs_daemon *daemon, const struct fs_commit *commit);

/* waiting.c */
struct fs_waiting *fs_waiting_create(struct fs_daemon *daemon, enum fs_waiting_kind kind, uint64_t request);
struct fs_waiting *fs_waiting_take(struct fs_daemon *daemon,
                                   uint64_t token); /* out of the table; the caller's */
void fs_waiting_destroy(struct fs_waiting *waiting);
/* The client of this request has gone: what waits for its sake is forgotten (but for events on their way to
 * disk). */
void fs_waiting_forget(struct fs_daemon *daemon, uint64_t request);

/* api.c: the routes */
void fs_api_request(struct fs_daemon *daemon, struct fs_net_message *message);
/* Answers with JSON (takes the reference), not to be kept by caches. Any thread. */
void fs_api_reply(struct fs_server *server, uint64_t request, int status, json_t *body);
void fs_api_error(struct fs_server *server, uint64_t request, const struct fs_err *err);
/* assets.c: a file of the board; "index.html" is the page */
void fs_api_board(struct fs_daemon *daemon, struct fs_net_message *message, const char *path);
bool fs_board_is_there(const struct fs_daemon *daemon);
/* disconnect_api.c, erase_api.c, events_api.c, ofrep_api.c, operator_api.c, overrides_api.c, sources_api.c,
 * keys_api.c, metrics.c */
void fs_erasure_committed(struct fs_daemon *daemon, const struct fs_commit *commit);
void fs_erasures_finish(struct fs_daemon *daemon);
void fs_api_erase(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_events(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_receipt(struct fs_daemon *daemon, struct fs_net_message *message, const char *entry);
void fs_api_opa_status(struct fs_daemon *daemon, struct fs_net_message *message, const char *source);
void fs_api_overrides(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_override(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_release(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_who(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_disconnect(struct fs_daemon *daemon, struct fs_net_message *message, const char *session);
/* The notice of an entry of kind operator: its connection ends. */
void fs_disconnect_committed(struct fs_daemon *daemon, const char *body, size_t length);
/* The door is told which flags it must leave to the core, where that has changed. */
void fs_daemon_overrides_changed(struct fs_daemon *daemon);
/* What /readyz says: flags, journal and first answers are there, and it is not draining. */
bool fs_daemon_ready(const struct fs_daemon *daemon, char why_not[120]);
void fs_api_ofrep(struct fs_daemon *daemon, struct fs_net_message *message, const char *flag);
void fs_api_ofrep_stream(struct fs_daemon *daemon, struct fs_net_message *message, const char *token);
void fs_ofrep_evaluated(struct fs_daemon *daemon, const struct fs_evaluated *result);
void fs_ofrep_streams_expire(struct fs_daemon *daemon);
/* The streams of this key and its tickets are gone, and answers under way announce none. */
void fs_ofrep_streams_revoke(struct fs_daemon *daemon, const char *key);
void fs_ofrep_finish(struct fs_daemon *daemon);
void fs_api_sources(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_ask_source(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_why(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_history(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_entries(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
/* Runs it on the worker's thread; it counts `readings` down at its end. False: answered that there are too
 * many, and the argument stays the caller's. */
bool fs_api_read_journal(struct fs_daemon *daemon, uint64_t request, void (*run)(void *arg), void *arg);
void fs_api_keys(struct fs_daemon *daemon, struct fs_net_message *message, const char *id);
void fs_api_tickets(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_backup(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
void fs_api_metrics(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
/* Lists the keys, or adds the one described, or revokes one. The answer's body (new reference) and its HTTP
 * status; `changed` (owned) is the new keyring, NULL where none is needed. Waits for the disk: not on the
 * core thread. */
json_t *fs_keys_change(struct fs_journal *journal, json_t *description, const char *revoke, int64_t wall,
                       struct fs_keyring **changed, int *status);
struct fs_keyring *fs_keys_load(struct fs_journal *journal, bool *ever_out, struct fs_err *err);

/* submission.c */
/* `wait` and `timeout` of the query. */
bool fs_wait_read(const struct fs_daemon *daemon, const struct fs_http_request *request, struct fs_wait *wait,
                  struct fs_err *err);
struct fs_submission *fs_submission_create(uint64_t request, size_t count, const struct fs_wait *wait);
void fs_submission_destroy(struct fs_submission *submission);
/* Hands its entries, `count` of them, to the journal; their notices lead to the answer. False: the journal
 * takes nothing now, and the submission is gone. */
bool fs_submission_send(struct fs_daemon *daemon, struct fs_submission *submission,
                        struct fs_new_entry *entries);
void fs_submission_committed(struct fs_daemon *daemon, struct fs_waiting *waiting,
                             const struct fs_commit *commit);
/* The request is answered with the entry's receipt. */
void fs_receipt_wait(struct fs_daemon *daemon, uint64_t request, uint64_t entry, const struct fs_wait *wait);
void fs_receipt_ready(struct fs_daemon *daemon, uint64_t token, const json_t *receipt);

/* search.c: what the engine looks for, and answers later */
#define FS_CHANGES_SHOWN 100 /* of a dry run */
/* `dry_run` of the query. False: it is neither true nor false. */
bool fs_dry_run_read(const struct fs_http_request *request, bool *dry, struct fs_err *err);
/* The request waits for it: the token to search by. */
uint64_t fs_search_begin(struct fs_daemon *daemon, const struct fs_net_message *message,
                         enum fs_search search);
/* It was not begun after all: answers with the error. */
void fs_search_refuse(struct fs_daemon *daemon, uint64_t token, const struct fs_err *err);
/* The engine's port: core/engine.h, found(). */
void fs_search_found(void *daemon, uint64_t token, json_t *result, const struct fs_err *err);

/* board.c: boards, between the door and the engine's feeds */
void fs_board_opened(struct fs_daemon *daemon, uint64_t connection, struct fs_time now);
void fs_board_take(struct fs_daemon *daemon, uint64_t connection, struct fs_board_request *request,
                   struct fs_time now);
/* Accepts connections that are no boards, here and below. */
void fs_board_closed(struct fs_daemon *daemon, uint64_t connection, struct fs_time now);
/* Tells boards that want them of new entries. When it wants to be called again, mono ms. */
int64_t fs_boards_turn(struct fs_daemon *daemon);
void fs_boards_read(struct fs_daemon *daemon, struct fs_entry_tail *tail); /* comes back from the worker */
void fs_boards_finish(struct fs_daemon *daemon);
/* The engine's port: core/engine.h, feed(). */
size_t fs_board_send(void *daemon, const struct fs_feed_frame *frame);

/* receipt_stream.c */
void fs_receipt_stream_open(struct fs_daemon *daemon, uint64_t connection, uint64_t entry);
void fs_receipt_stream_closed(struct fs_daemon *daemon, uint64_t connection);
int64_t fs_receipt_streams_turn(struct fs_daemon *daemon); /* when it wants to be called again, mono ms */
void fs_receipt_streams_finish(struct fs_daemon *daemon);

/* demo.c */
extern const char fs_demo_flags[];
int64_t fs_demo_turn(struct fs_daemon *daemon);
/* Is this for the demo's own client, which has no socket? Then it is taken. */
bool fs_demo_takes(struct fs_daemon *daemon, const struct fs_delivery *delivery);

/* worker.c: what may block (reading the journal, copying it, keys on disk) runs on one thread of its own */
struct fs_worker *fs_worker_start(void);
/* `run` is called on the worker's thread, `arg` is freed by it. False: too much waits. */
bool fs_worker_do(struct fs_worker *worker, void (*run)(void *arg), void *arg);
void fs_worker_stop(struct fs_worker *worker);

/* notices.c: messages of this folder's own on the inbox */
enum fs_notice_kind {
    FS_NOTICE_STOP,
    FS_NOTICE_RELOAD,
    FS_NOTICE_COMMITS,
    FS_NOTICE_FLAGS,
    FS_NOTICE_ENTRIES
};
struct fs_notice {
    struct fs_message message;
    enum fs_notice_kind kind;
    struct fs_commit *commits; /* COMMITS */
    size_t count;
    struct fs_flag_reading *flags; /* FLAGS */
    struct fs_entry_tail *tail;    /* ENTRIES */
};
void fs_notice_post(struct fs_queue *inbox, enum fs_notice_kind kind);
void fs_notice_commits(void *inbox, const struct fs_commit *commits,
                       size_t count);                                          /* the journal's callback */
void fs_notice_flags(struct fs_queue *inbox, struct fs_flag_reading *reading); /* takes it */
void fs_notice_entries(struct fs_queue *inbox, struct fs_entry_tail *tail);    /* likewise */
struct fs_notice *fs_notice_from(struct fs_message *message); /* NULL where it is another's */
void fs_notice_destroy(struct fs_notice *notice);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A world for the engine: a clock that stands still, a journal that commits when told, sources that answer
 * from a table, and clients that follow docs/protocol. Nothing here sleeps. Tests say what happens and look
 * at what clients read; engine_client.c is the clients' half.
 */
#ifndef TESTS_CORE_ENGINE_WORLD_H
#define TESTS_CORE_ENGINE_WORLD_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <cmocka.h>
#include "trial_internal.h"

/* Seconds in the tests are these. The wall clock starts in 2026. */
#define WORLD_MONO 1000000
#define WORLD_WALL INT64_C(1790000000000)

/* One draft on its way to the disk. */
struct world_draft {
    enum fs_entry_kind kind;
    uint64_t token;
    int64_t time;
    char *body;
    size_t length;
    int64_t mono; /* when it was made */
};

/* One entry that is on the disk. */
struct world_entry {
    uint64_t number;
    enum fs_entry_kind kind;
    int64_t time;
    char *body;
    size_t length;
};

/* One question of a batch, with what the source knew when it was asked. */
struct world_question {
    char *query, *input, *subject;
    struct fs_answer answer;
};

struct world_ask {
    unsigned source;
    uint64_t token;
    size_t count;
    struct world_question *questions;
};

enum world_source_mode { WORLD_ANSWERS, WORLD_SILENT, WORLD_REFUSES };

struct world_source {
    const char *name;
    enum world_source_mode mode;
    bool probes_fail, probes_hang;
    char revision[32]; /* "": declares none */
    unsigned probes;   /* outstanding */
    uint64_t asked;    /* questions */
};

/* One frame, as a client gets it. */
struct world_frame {
    enum fs_delivery_kind kind;
    uint64_t revision;
    bool more;
    size_t count;
    struct {
        uint64_t watch;
        json_t *body;
    } * parts;
    size_t bytes, flag_count; /* of all parts */
    uint64_t n;
    int64_t duration;
    char code[40], text[200];
    uint64_t watch;
    int close;
};

struct world_cached {
    uint64_t watch;
    char view[65];
    bool held;     /* has a snapshot */
    json_t *flags; /* key -> flag object */
    json_t *open;  /* snapshot in parts: what came so far */
    json_t *context;
    bool gone;
};

struct world_client {
    struct world *world;
    char name[24];
    uint64_t connection; /* 0: not connected */
    struct fs_credential *credential;
    FS_VEC(struct world_frame) inbox;
    size_t read;    /* frames of the inbox that are done with */
    size_t written; /* frames that the transport has taken */
    bool frozen;    /* reads nothing */
    bool blocked;   /* its transport takes nothing */
    bool mute;      /* applies, but acknowledges nothing */
    FS_VEC(struct world_cached) watches;
    char epoch[40];
    char session[24];  /* of the last welcome that was read */
    uint64_t revision; /* newest that was applied or that a lease named */
    uint64_t closed;   /* newest applied on this connection */
    uint64_t acked;
    bool open; /* an open revision */
    uint64_t open_revision;
    uint64_t next_n;
    int64_t sent_at[256]; /* of renewal n, mono ms */
    int64_t lease_until;
    uint64_t granted; /* leases */
    unsigned snapshots, deltas, refetches, errors;
    char last_error[40];
    char goaway[40];
};

struct world_evaluated {
    uint64_t token;
    bool timed_out;
    uint64_t revision;
    json_t *flags;
    char view[65];
};

struct world_receipt {
    uint64_t token;
    json_t *receipt;
};

struct world_found {
    uint64_t token;
    json_t *result; /* NULL: `err` says why */
    struct fs_err err;
};

struct world {
    struct fs_time now;
    struct fs_engine *engine;
    struct fs_engine_options options;
    struct world_source sources[4];
    size_t source_count;
    struct fs_flagset *flags;
    json_t *policy;  /* "query subject" or "query" -> {"value":..} | {"state":"undefined"|"bad"|"none"} */
    bool late_truth; /* answers are made when they are given, not when they are asked */
    /* journal */
    bool manual;   /* commits wait for world_commit() */
    bool failing;  /* commits fail */
    bool refusing; /* append says no */
    FS_VEC(struct world_draft) drafts;
    FS_VEC(struct world_entry) entries;
    uint64_t next_entry;
    char told_of[64]; /* whom the last text of an entry of answers is about */
    /* sources */
    bool hold_asks; /* answers wait for world_answer() */
    FS_VEC(struct world_ask) asks;
    /* what came out */
    FS_VEC(struct world_client *) clients;
    FS_VEC(struct world_evaluated) evaluated;
    FS_VEC(struct world_receipt) receipts;
    FS_VEC(struct world_found) found;
    uint64_t next_connection, next_event, restarts;
    uint64_t encoded;                               /* bodies made */
    void (*after)(struct world *world, void *self); /* after each call into the engine */
    void *after_self;
};

/* world.c */
struct world *world_create(const char *flags_yaml);
/* With options changed: `adjust` sees them first. */
struct world *world_create_with(const char *flags_yaml, void (*adjust)(struct fs_engine_options *options));
void world_destroy(struct world *w);
/* The engine and its flags are ended and made anew; the journal is replayed into the new one. Clients lose
 * their connections. */
void world_restart(struct world *w);
struct fs_flagset *world_flags(const char *yaml);
void world_load(struct world *w, const char *yaml);
/* Everything that can happen without time passing: turns, commits, answers, probes, clients reading. */
void world_run(struct world *w);
void world_turn(struct world *w);
/* Time passes, timers fire at their moments. */
void world_advance(struct world *w, int64_t ms);
struct world_source *world_source(struct world *w, const char *name);
/* What the source says to `query` for the subject that input.user (or the kind `users`) names; NULL subject:
 * to everybody else. `answer` is JSON, or "undefined", "bad", "none". */
void world_policy(struct world *w, const char *query, const char *subject, const char *answer);
/* Answers the oldest outstanding batch, or all. False: there was none. */
bool world_answer(struct world *w);
void world_answer_all(struct world *w);
/* Commits the oldest draft (or fails it). False: there was none. */
bool world_commit(struct world *w);
/* An event: filter and facts as JSON, {"recompute":{...},"facts":[...]}. Gives its entry's number; 0 where it
 * waits for world_commit(). */
uint64_t world_event(struct world *w, const char *json);
uint64_t world_event_at(struct world *w, const char *json, int64_t time);
/* An order about an override, as the body of its entry (core/override.h) without author and reason; likewise.
 */
uint64_t world_override(struct world *w, const char *json);
uint64_t world_erasure(struct world *w, const char *subject);
uint64_t world_recompute(struct world *w, const char *subject);
uint64_t world_fact(struct world *w, const char *subject, const char *fact, const char *value);
/* The newest receipt that came for `token`; NULL: none. Borrowed. */
json_t *world_receipt_of(struct world *w, uint64_t token);
/* What was found for `token`, after as many turns as it takes; new reference. */
json_t *world_found(struct world *w, uint64_t token);
struct world_evaluated *world_evaluate(struct world *w, const char *context, uint64_t token);
struct world_evaluated *world_evaluated_of(struct world *w, uint64_t token);
struct fs_cell *world_cell(struct world *w, const char *subject, const char *flag);
size_t world_count_entries(const struct world *w, enum fs_entry_kind kind);
void world_called(struct world *w);

/* client.c */
struct world_client *world_client(struct world *w, const char *name);
struct world_client *world_client_as(struct world *w, const char *name, const char *scopes,
                                     const char *subject);
void world_connect(struct world_client *c, bool resume);
/* A connected client of that name that watches ada, with all that follows from it. */
struct world_client *world_watching(struct world *w, const char *name);
void world_drop(struct world_client *c);
/* Begins a watch of this subject (a bare name) or context (an object), before or after connecting. */
void world_watch(struct world_client *c, uint64_t watch, const char *context);
void world_watch_flags(struct world_client *c, uint64_t watch, const char *context, const char *const *flags,
                       bool once);
void world_unwatch(struct world_client *c, uint64_t watch);
void world_renew(struct world_client *c);
void world_read(struct world_client *c);
struct world_cached *world_cached(struct world_client *c, uint64_t watch);
/* What the application would read: the cached flag, or its safe value when no lease is in force. JSON text,
 * "absent". Borrowed until next time. */
const char *world_value(struct world_client *c, uint64_t watch, const char *flag);
const char *world_reason(struct world_client *c, uint64_t watch, const char *flag);
json_t *world_flag(struct world_client *c, uint64_t watch, const char *flag);
bool world_leased(const struct world_client *c);
void world_deliver(struct world *w, const struct fs_delivery *delivery);
void world_client_destroy(struct world_client *c);
/* Every client that can read holds what the engine's cells hold. */
void world_assert_converged(struct world *w);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.h: the provider's state, shared by its files: options.c (what was asked for), contexts.c (which
 * contexts are watched), mirror.c (what the wire writes), resolve.c (what evaluations read), events.c (what
 * OpenFeature is told), life.c (start and end), provider.c (the public functions).
 *
 * Who may do what: evaluations read map, only, and of an entry its gate and table, without a lock;
 * OpenFeature's reader protection keeps what they have seen (of_provider_retire()). All else is under `lock`.
 * The wire's functions are called under it, but for those that wait for the wire's thread. The mirror runs
 * under the wire's own mutex, and so never takes `lock`.
 */
#ifndef LIVE_LIVE_H
#define LIVE_LIVE_H

#include <pthread.h>
#include <sys/types.h>

#include "flagstaff/live_provider.h"

#include "flag.h"
#include "gate.h"
#include "outbox.h"

struct live;

/* One context: its watch and what it holds. */
struct live_entry {
    of_retired retired; /* first, as everywhere */
    struct live *live;
    struct live_gate gate;
    _Atomic(struct live_table *) table; /* NULL: no snapshot is here */
    _Atomic(uint64_t) used;             /* the tick of the last evaluation */
    uint64_t opened;                    /* the tick at which it was made */
    uint64_t turn;                      /* counts up with each that is made */
    atomic_bool missed;                 /* an evaluation had to do without values */
    uint64_t hash;                      /* of the key */
    size_t length;
    of_context *context; /* static paradigm: whom it is for. Set before it is seen, as */
    char *subject;       /* the targeting key, or NULL */
    /* under the lock */
    struct fsw_watch *watch;  /* NULL: there is none, or none any more */
    struct fsw_watch *ending; /* what live_release() has to remove */
    struct live_entry *next;  /* of those that have ended */
    bool answered;            /* a snapshot came */
    bool leaving;             /* it gives its place to another */
    uint64_t came;            /* the tick at which the first values came; 0: they have not */
    bool refused;             /* the daemon does not serve it */
    uint64_t retry; /* with refused: the tick after which it may be asked for anew; 0: the wire does */
    of_error error; /* with refused */
    char message[240];
    char key[];
};

/* The contexts watched, by key: immutable, replaced as a whole. */
struct live_map {
    of_retired retired; /* first */
    size_t count, mask;
    struct live_entry *slots[];
};

/* What is to be handed to live_release() when the lock is let go. */
struct live_ended {
    struct live_entry *entries;
    struct live_map *map;
};

enum live_announced { LIVE_NOTHING, LIVE_READY, LIVE_STALE, LIVE_ERROR };

struct live {
    of_provider *provider;
    of_live_options options; /* texts are its own */
    struct live_flag_style style;
    of_value *waiting; /* metadata of a safe value that is given because no values are here */
    int64_t margin;    /* of the lease check, in ms */
    bool by_subject;   /* contexts are told apart by the targeting key alone */
    bool simple;       /* and nothing else of them matters */

    _Atomic(struct live_map *) map;    /* NULL: nothing is watched */
    _Atomic(struct live_entry *) only; /* static paradigm */

    pthread_mutex_t lock;
    struct ofo_outbox outbox;  /* what OpenFeature is to be told */
    pthread_cond_t news;       /* an answer, a state, the end */
    struct fsw_client *client; /* NULL: none */
    _Atomic(pid_t) pid;        /* of the process that made the client */
    bool clean;                /* never started, or ended whole: a fork of this process may have it */
    bool started;              /* its thread runs */
    enum fsw_state state;
    int code;             /* why the last connection or attempt ended */
    char message[200];    /* the same for people */
    uint64_t ready_since; /* tick; 0: not ready */
    bool starting;        /* init or a change of context says by itself how it ends */
    bool closing;
    bool crowded;              /* the daemon refused a further watch */
    struct fsw_client *ending; /* shut down from its own thread, and not ended yet */
    pthread_t ending_thread;   /* which is this one */
    struct live_ended late;    /* with its watches */
    bool ends;                 /* a thread is about it */
    unsigned inside;           /* calls that need the client to stay, though they do not hold the lock */
    enum live_announced announced;
    bool fallen;    /* it was told that values fell with the lease */
    uint64_t turns; /* contexts that were asked for so far */
    uint64_t evicted;
    /* what the log is to be told of (events.c) */
    uint64_t unserved; /* contexts that gave way before their values were read */
    uint64_t slow;     /* ticks that the slowest first values took, where that was long */
    uint64_t warned;   /* when it was told last */
};

/* --- options.c --------------------------------------------------------------------------------------- */

/* Takes a copy; false, with the reason in problem, where it cannot be used. To be finished in either case. */
bool live_options_copy(of_live_options *to, const of_live_options *from, const char **problem);
void live_options_finish(of_live_options *options);
/* The options for the wire, borrowing from live. */
struct fsw_options live_wire_options(struct live *live);

/* --- contexts.c -------------------------------------------------------------------------------------- */

/* What tells a context from others. bytes borrow from the context, or are in room or heap. */
struct live_key {
    const char *bytes;
    size_t length;
    uint64_t hash;
    char *heap;
    char room[200];
};

/* The context's key by the attributes in watch_on; false without memory. heap is to be freed with of_free().
 */
bool live_key_make(struct live_key *key, const struct live *live, const of_context *context);
struct live_map *live_map_new(size_t count);
/* The entry of this key, borrowed, or NULL. map may be NULL. */
static inline struct live_entry *live_map_at(const struct live_map *map, uint64_t hash, const char *bytes,
                                             size_t length)
{
    struct live_entry *entry;
    if (map == NULL) {
        return NULL;
    }
    for (size_t at = (size_t)hash & map->mask; (entry = map->slots[at]) != NULL; at = (at + 1) & map->mask) {
        if (entry->hash == hash && entry->length == length && live_same(entry->key, bytes, length)) {
            return entry;
        }
    }
    return NULL;
}
struct live_entry *live_map_find(const struct live_map *map, const struct live_key *key);

/* With the lock: an entry that is neither in the map nor watched; NULL without memory. key may be NULL. */
struct live_entry *live_entry_new(struct live *live, const struct live_key *key);
/* Notes the subject, for people; false without memory. */
bool live_entry_name(struct live_entry *entry, const of_context *context);
/* With the lock: begins its watch, of the attributes in watch_on or of the whole context; with a key, of that
 * flag and once. False without memory. */
bool live_entry_watch(struct live_entry *entry, const of_context *context, bool whole, const char *key);
/* With the lock: it is found no more. */
void live_entry_end(struct live_entry *entry, struct live_ended *ended);
/* With the lock: a new entry for the key, in the place of the one that has it. Where there are too many, the
 * least used ones that were answered give way; those that wait for their first values stay, up to a quarter
 * more of them, and then the newest of them gives way. NULL without memory. */
struct live_entry *live_open(struct live *live, const struct live_key *key, const of_context *context,
                             struct live_ended *ended);
/* With the lock: none is found any more. */
void live_close_all(struct live *live, struct live_ended *ended);
/* Without the lock, but inside: ends the watches, and frees all when no evaluation sees it any more. */
void live_release(struct live *live, struct live_ended *ended);
/* Frees what nobody sees. */
void live_entry_free(struct live_entry *entry);

/* --- mirror.c ---------------------------------------------------------------------------------------- */

extern const struct fsw_mirror live_mirror;

/* --- life.c ------------------------------------------------------------------------------------------ */

/* The functions of of_provider_methods. */
of_error live_init(void *self, of_provider *provider, const of_context *context, const char *domain);
void live_shutdown(void *self);
/* Waits for the end of a client that was shut down from its own thread. False, at once, where this is it. */
bool live_await_ended(struct live *live);
of_error live_context_changed(void *self, of_provider *provider, const of_context *before,
                              const of_context *now);
/* Makes the client; false, with the reason in problem, where it cannot be made. With the lock. */
bool live_client_make(struct live *live, char *problem, size_t size);
/* Whether this is a fork of the process that started it. */
bool live_forked(const struct live *live);
/* With the lock: waits for news until the moment. False when it has come. */
bool live_wait(struct live *live, const struct timespec *until);
/* In so many ms, by CLOCK_MONOTONIC. */
struct timespec live_moment(unsigned ms);
/* With the lock: enter and leave what needs the client to stay without holding the lock. */
void live_enter(struct live *live);
void live_leave(struct live *live);

/* --- events.c ---------------------------------------------------------------------------------------- */

void live_on_state(void *user, const struct fsw_state_info *info);
void live_on_change(void *user, const struct fsw_change *change);
void live_on_watch_error(void *user, const struct fsw_watch_error *error);
/* With the lock: puts down the status that the provider has now, where it is not the one of last time; told
 * by ofo_unlock(). */
void live_announce(struct live *live);
/* With the lock: connected, leased, and with a static context its values are there. */
bool live_settled(const struct live *live);
/* With the lock: why there is no connection that gives values, for people; false where there is one. */
bool live_trouble(const struct live *live, char *text, size_t size);

/* --- resolve.c --------------------------------------------------------------------------------------- */

/* The functions of of_provider_methods: the first for the type that is asked for most. */
of_error live_resolve_bool(void *self, const char *key, bool default_value, const of_context *context,
                           of_resolution *resolution);
of_error live_resolve(void *self, const char *key, of_type type, const of_flag_value *default_value,
                      const of_context *context, of_resolution *resolution);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the tests of libopenfeature share: a provider that does as it is told and remembers what it was asked,
 * a box that collects events and lets a test wait for them, and an allocator that fails where it is told to.
 */
#ifndef SDK_SUPPORT_H
#define SDK_SUPPORT_H

#include <pthread.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include <openfeature/isolated.h>
#include <openfeature/openfeature.h>

/* How long a test waits for what must happen, before it gives up. */
enum { PATIENCE_MS = 20000 };

/* A gate: what comes to it waits until it is opened. A gate that is zeroed is open. */
struct gate {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    bool closed;
    int waiting;
};
void gate_init(struct gate *gate, bool closed);
void gate_open(struct gate *gate);
void gate_close(struct gate *gate);
void gate_pass(struct gate *gate);
/* Waits until somebody waits at the gate. */
void gate_await(struct gate *gate);

/* The provider. Flags: bool-flag true/"on", string-flag "hi"/"greeting", int-flag 10/"ten", double-flag
 * 0.5/"half", object-flag {"a":1}/"template", all with reason STATIC; "bare-flag" true with nothing else;
 * "metadata-flag" true with metadata; "fails" fails with `error`; anything else is not found. */
struct probe {
    of_provider *provider;
    struct gate init_gate, resolve_gate, shutdown_gate, context_gate;
    of_error init_result;    /* returned by init, after the matching event */
    bool silent;             /* init emits nothing */
    bool reconciling;        /* on_context_changed emits RECONCILING first */
    of_error context_result; /* returned by on_context_changed, after the matching event */
    of_error error;          /* of the flag "fails" */
    const char *error_message;
    atomic_int inits, shutdowns, destroyed, resolves, contexts, tracks;
    atomic_int inside;                    /* resolvers that are running */
    atomic_int init_order, resolve_order; /* the shared counter at the last init and resolve */
    pthread_mutex_t lock;
    char domain[64];
    of_context *init_context, *seen, *before, *now; /* as they were handed in */
    char tracked[64];
    bool tracked_value;
    double tracked_amount;
    of_value *tracked_fields;
    of_value *metadata;
};

enum probe_flags {
    PROBE_PLAIN = 0,
    PROBE_NO_INIT = 1,
    PROBE_SCOPED = 2,
    PROBE_NO_TRACK = 4,
    PROBE_NO_CONTEXT = 8
};

/* Makes a probe; probe->provider is a reference that probe_unref() ends. The probe itself is freed by
 * probe_free(). */
struct probe *probe_new(const char *name, unsigned flags);
/* Ends the reference, waits until the provider is destroyed, and frees. */
void probe_free(struct probe *probe);
/* Waits until a counter of a probe reaches a value. */
void await_count(atomic_int *counter, int value);
/* Waits until it is 0. */
void await_none(atomic_int *counter);
void await_status(of_client *client, of_provider_status status);

/* A box of events. */
struct seen {
    of_event_type type;
    of_provider_status status;
    of_error error;
    char provider[64];
    char domain[64];
    char message[64];
    char flags[128]; /* joined by commas; "*" for NULL */
};
struct box {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    size_t count;
    struct seen seen[256];
    struct gate gate; /* passed by each handler after it has noted the event */
    atomic_int destroyed;
};
void box_init(struct box *box);
void box_handler(void *user, const of_event *event);
void box_destroyed(void *user);
/* Waits until there are that many. */
void box_await(struct box *box, size_t count);
size_t box_count(struct box *box);

/* The allocator: counts, and fails the n-th allocation from now (0: none) and, if so asked, all after it. */
void failing_install(void);
void failing_set(long nth, bool onwards);
long failing_count(void);      /* allocations since failing_set() */
long failing_live(void);       /* allocated and not freed */
void failing_await_none(void); /* waits until nothing is live */
/* Allocations of the calling thread by whatever function, since the first call; 0 without a sanitizer. */
long heap_count(void);
/* Runs a scenario once for each of its allocations, which fails, and once more for each with all later ones
 * failing too. */
void failing_torture(void (*scenario)(void));

#endif

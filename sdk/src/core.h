/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The inside of API objects, which both paradigms share. core->lock guards all that is not atomic; it is
 * never held while code of others runs. Order of locks: core, then provider, then the reader registry; never
 * the other way.
 */
#ifndef OFI_CORE_H
#define OFI_CORE_H

#include <pthread.h>
#include <stdatomic.h>

#include <openfeature/api.h>
#include <openfeature/static.h>

#include "context_impl.h"
#include "reader.h"

/* Hooks, context and propagator of an API or a client; immutable, replaced as a whole. NULL stands for
 * nothing set. */
struct ofi_settings {
    struct of_retired retired; /* must be first */
    of_context *context;
    of_propagator *propagator;
    size_t hook_count;
    of_hook *hooks[];
};

/* A domain that a client was made for or a provider bound to. */
struct ofi_domain {
    struct ofi_domain *next;
    char *name;               /* NULL: the default */
    size_t users;             /* clients, a binding, a context */
    of_provider *own;         /* what was bound to it, counted */
    _Atomic(void *) provider; /* what serves it: its own, the default's, or ofi_noop; never NULL */
    _Atomic(void *) settings; /* static paradigm: the domain's own context, or NULL */
    uint64_t since; /* events of its provider with a greater number concern it: it was not bound before */
};

struct ofi_handler {
    struct ofi_handler *next;
    uint64_t id;
    of_event_type type;
    of_event_handler call;
    void *user;
    void (*destroy)(void *user);
    of_client *client; /* NULL: the API's; not counted, a client takes its handlers along */
    uint64_t since;    /* only events with a greater number concern it */
    bool removed;      /* to be freed by the dispatcher, which is calling it */
};

/* A handler that is being called: on the stack of its dispatcher, of which an earlier one may still be inside
 * when the next one calls. */
struct ofi_delivery {
    struct ofi_delivery *next;
    uint64_t id;
    const struct of_client *client; /* NULL: a handler of the API; only compared */
    pthread_t thread;
};

/* An event on its way to the handlers. */
struct ofi_queued {
    struct ofi_queued *next;
    of_event event; /* its pointers lead into this allocation */
    of_provider *provider;
    uint64_t number;
    uint64_t only_handler;          /* not 0: to this one alone */
    struct ofi_domain *only_domain; /* not NULL: to the handlers of this domain's clients alone */
};

struct ofi_task;

struct ofi_core {
    _Atomic(uint32_t) refs;    /* clients, threads and one for all handles */
    _Atomic(uint32_t) handles; /* what users hold */
    bool is_static;
    bool global;
    pthread_mutex_t lock;
    pthread_cond_t changed; /* something that somebody may be waiting for */
    _Atomic(void *) settings;
    struct ofi_domain default_domain; /* head of the list of domains */

    uint64_t next_number; /* of events and handlers */
    struct ofi_handler *handlers;
    struct ofi_queued *queue, **queue_tail;
    size_t queue_length;
    bool missed; /* a provider has something to say that could not be queued */
    bool dispatching;
    pthread_t dispatcher; /* while dispatching; one that is not this any more ends */
    struct ofi_delivery *calls;

    of_provider *unclosed; /* could not be closed: no thread, inside of an evaluation */

    struct ofi_task *tasks, **tasks_tail; /* asynchronous evaluations */
    unsigned task_threads;
};

struct of_client {
    _Atomic(uint32_t) refs;
    struct ofi_core *core; /* NULL: the client that stands for one that could not be made */
    struct ofi_domain *domain;
    _Atomic(void *) settings;
};

enum ofi_phase { OFI_FREE, OFI_ATTACHED, OFI_CLOSING, OFI_ADOPTED };

struct of_provider {
    _Atomic(uint32_t) refs;
    struct of_provider_methods methods;
    void *self;
    char *name;
    of_hook **hooks; /* fixed once it leaves OFI_FREE */
    size_t hook_count;
    _Atomic(int) status;
    _Atomic(bool) unheard; /* it has an init of which nothing was heard yet: not to be asked (1.1.2.2) */

    pthread_mutex_t lock;
    pthread_cond_t changed;
    enum ofi_phase phase;
    struct ofi_core *core; /* while attached */
    of_provider_listener listener;
    void *listener_user;
    unsigned listening;
    of_provider *next, *previous; /* in the list of all, under its lock */

    /* Under the lock of the core that it is attached to. */
    size_t bindings;
    char *scope;   /* the domain that it was bound to first */
    uint64_t told; /* the last round of context changes that it was told of */
    bool starting; /* init is due or running */
    bool entering; /* init is being called: from here on its events are heard */
    bool closing;
    bool busy;        /* a thread is in init or on_context_changed, or on its way there */
    bool reconciling; /* on_context_changed is running */
    of_error started; /* what init returned */
    struct ofi_waiter *waiters;
    of_context *now; /* static: what it was told last */
    of_context *due; /* static: what it is to be told next */
    bool missed_status, missed_change;
    bool left;             /* it is one of the core's unclosed */
    of_provider *unclosed; /* the next one of them, with what is left to do: */
    uint64_t unlinked;
    bool again;
    of_error last_error;
    char *last_message;
};

/* A thread that waits until init has returned: on its stack. */
struct ofi_waiter {
    struct ofi_waiter *next;
    bool waits;
    of_error error; /* when it waits no more */
};

struct of_hook {
    _Atomic(uint32_t) refs;
    struct of_hook_methods methods;
    void *self;
};

struct of_propagator {
    _Atomic(uint32_t) refs;
    struct of_propagator_methods methods;
    void *self;
};

/* What serves where nothing was set: the caller's default, reason DEFAULT. */
extern struct of_provider ofi_noop;

/* core.c */
struct ofi_core *ofi_core_global(bool is_static);
struct ofi_core *ofi_core_new(bool is_static);
struct ofi_core *ofi_core_ref(struct ofi_core *core);
void ofi_core_unref(struct ofi_core *core);
void ofi_core_handle_unref(struct ofi_core *core);
void ofi_shutdown(struct ofi_core *core);
/* A deadline for pthread_cond_timedwait() on core->changed, and the waiting; true when the time is over. */
struct timespec ofi_deadline(int timeout_ms);
bool ofi_wait_changed(struct ofi_core *core, int timeout_ms, const struct timespec *deadline);
/* Starts a detached thread with all signals blocked. */
bool ofi_thread(void *(*run)(void *argument), void *argument);
bool ofi_thread_joinable(pthread_t *thread, void *(*run)(void *argument), void *argument);

/* domain.c: all with core->lock held */
struct ofi_domain *ofi_domain_find(struct ofi_core *core, const char *name);
struct ofi_domain *ofi_domain_use(struct ofi_core *core, const char *name);
void ofi_domain_unuse(struct ofi_core *core, struct ofi_domain *domain);
/* Lets every domain be served by what is bound now; clients whose provider changed hear its state. */
void ofi_domains_publish(struct ofi_core *core, const of_provider *fresh);

/* provider.c: the locks of all providers around a fork, between those of the cores and the registry's. In the
 * child, calls that were running in other threads are over. */
void ofi_providers_fork_prepare(void);
void ofi_providers_fork_parent(void);
void ofi_providers_fork_child(void);

/* settings.c: the first three lock the core; all replace what stands at `place`, and the old settings are
 * freed once nobody reads them */
of_error ofi_add_hook(struct ofi_core *core, _Atomic(void *) *place, of_hook *hook);
of_error ofi_put_context(struct ofi_core *core, _Atomic(void *) *place, const of_context *context);
of_error ofi_put_propagator(struct ofi_core *core, of_propagator *propagator);
/* The same as ofi_put_context() with core->lock held; the old settings go to ofi_settings_retire(), without
 * locks. */
struct ofi_settings *ofi_settings_set_context(_Atomic(void *) *place, const of_context *context,
                                              of_error *error);
void ofi_settings_retire(struct ofi_settings *old);

/* client.c */
of_client *ofi_client_new(struct ofi_core *core, const char *domain);

/* lifecycle.c */
of_error ofi_set_provider(struct ofi_core *core, const char *domain, of_provider *provider, bool wait,
                          int timeout_ms);
of_provider *ofi_get_provider(struct ofi_core *core, const char *domain);
of_error ofi_set_context(struct ofi_core *core, const char *domain, const of_context *context, bool wait,
                         int timeout_ms);
/* With core->lock held: how its start has ended, for those who wait, and who ask later. */
void ofi_note_started(of_provider *provider, of_error error);

/* closing.c */
/* With core->lock held: a provider that is bound nowhere any more. From here on it cannot be bound, nor emit.
 */
void ofi_mark_closing(struct ofi_core *core, of_provider *provider);
/* Then, without locks: its end. Takes the reference of the binding. */
void ofi_close_provider(struct ofi_core *core, of_provider *provider, bool at_once);
/* With the lock of a provider that is being closed, which it lets go, and no other: until that is done. Not
 * from inside of an evaluation. */
void ofi_await_closed(of_provider *provider);
/* Without locks: tries again to close those that could not be closed. */
void ofi_close_left(struct ofi_core *core);

/* event.c */
uint64_t ofi_on(struct ofi_core *core, of_client *client, of_event_type type, of_event_handler call,
                void *user, void (*destroy)(void *user));
void ofi_off(struct ofi_core *core, uint64_t id);
/* Removes the handlers of a client, or with NULL all. */
void ofi_off_all(struct ofi_core *core, const of_client *client);
/* The event that stands for a status; 0 for NOT_READY. */
of_event_type ofi_event_of(of_provider_status status);
/* With core->lock held: changes the status and queues for the handlers. */
void ofi_event_apply(struct ofi_core *core, of_provider *provider, const of_provider_event *event);
/* With core->lock held: handlers hear that the context of a provider is another one, on behalf of a provider
 * that has nothing to reconcile. Its status stays. */
void ofi_event_context_changed(struct ofi_core *core, of_provider *provider);
/* With core->lock held: tells the handlers of the domain's clients what state its provider is in. */
void ofi_event_present(struct ofi_core *core, struct ofi_domain *domain);

/* dispatch.c */
struct ofi_queued *ofi_queued_new(of_provider *provider, const of_provider_event *event,
                                  of_provider_status status);
void ofi_queued_free(struct ofi_queued *queued);
void ofi_queue_push(struct ofi_core *core, struct ofi_queued *queued);
/* With core->lock held: an event of this type could not be queued; the handlers hear the state instead. */
void ofi_queue_missed(struct ofi_core *core, of_provider *provider, of_event_type type);
bool ofi_dispatcher_start(struct ofi_core *core); /* with core->lock held */
void ofi_dispatcher_stop(struct ofi_core *core);
/* In the child of a fork, with core->lock held: the dispatcher and what it had to tell are the parent's. */
void ofi_dispatcher_forget(struct ofi_core *core);

/* async.c */
of_error ofi_evaluate_async(of_client *client, const char *key, of_type type,
                            const of_flag_value *default_value, const of_context *context,
                            const of_options *options, of_evaluated done, void *user);
/* In the child of a fork, with core->lock held: the threads and what they had to do are the parent's. */
void ofi_tasks_forget(struct ofi_core *core);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * For those who write providers (specification section 2).
 *
 * A provider is a set of functions and a pointer of its own. What it can rely on:
 * - The resolvers run on the threads that evaluate, many at once, until `destroy`. A registered provider is
 *   not asked before `init` was entered (1.1.2.2), which the SDK knows from the first event that it emits
 *   since, or from its return; evaluations until then get the default value and #OF_ERROR_PROVIDER_NOT_READY.
 *   From then on, in whatever state it is, a provider answers for itself: that code and
 *   #OF_ERROR_PROVIDER_FATAL are its answers, the SDK does not give them on its behalf.
 * - `init`, `on_context_changed` and `shutdown` run with no lock held and are allowed to block. `init` and
 *   `on_context_changed` never overlap each other. `shutdown` may come while either runs, which then should
 *   return soon; it is called again from time to time until that one has returned (which may not have begun
 * to look when it came first), and once more then, so it must be idempotent (2.5.3).
 * - A provider that was replaced is shut down when no evaluation is inside of it any more. When a whole API
 * is shut down, evaluations may still be running.
 * - Status comes from events alone (2.8): `init` emits #OF_EVENT_READY before it returns #OF_OK, and
 *   #OF_EVENT_ERROR before it returns anything else. A provider without `init` is READY from the start.
 */
#ifndef OPENFEATURE_PROVIDER_H
#define OPENFEATURE_PROVIDER_H

#include <openfeature/context.h>
#include <openfeature/details.h>
#include <openfeature/event.h>
#include <openfeature/hook.h>
#include <openfeature/tracking.h>

OF_BEGIN_DECLS

/** A provider. Opaque and counted. */
typedef struct of_provider of_provider;

/** Of of_provider_methods::flags: bound to one domain at most, as it keeps state of that domain (2.4.3). */
#define OF_PROVIDER_DOMAIN_SCOPED 1u

/**
 * What a resolver fills. It comes zeroed but for `brief`.
 * The pointers in it must stay valid until `release(owner)` is called or, without a `release`, as long as the
 * provider exists. For text that is made up on the spot there is of_resolution_text().
 */
typedef struct of_resolution {
    /** The flag's value; the member of the type that was asked for. */
    of_flag_value value;
    /** NULL for none. */
    const char *variant;
    /** NULL for none. */
    const char *reason;
    /** An object of booleans, strings and numbers; NULL for none. */
    const of_value *metadata;
    /** Why it failed, when it did; else NULL. */
    const char *error_message;
    /** What keeps the pointers valid. */
    void *owner;
    /** Called once with `owner` when they are no longer needed, on any thread, also after a failure. */
    void (*release)(void *owner);
    /**
     * Set by the SDK: the caller wants a boolean or a number and nothing else, and reads it at once. A
     * provider may then leave all but `value` alone, `owner` included.
     */
    bool brief;
    /** Of the library. */
    void *private_;
    /** Room for members to come; zero. */
    void *reserved_[2];
} of_resolution;

/**
 * Copies text for a resolution, which then keeps it.
 * @return the copy, NUL-terminated; NULL for NULL and when there is no memory
 */
OF_API const char *of_resolution_text(of_resolution *resolution, const char *text);

/**
 * What a provider does. Any member but `name` may be NULL; a flag of a type that no resolver is there for is
 * a type mismatch.
 */
typedef struct of_provider_methods {
    /** sizeof(of_provider_methods), so that the structure can grow. */
    size_t size;
    /** The name in the provider's metadata (2.1.1). Copied. */
    const char *name;
    /** 0 or #OF_PROVIDER_DOMAIN_SCOPED. */
    unsigned flags;
    /**
     * Starts the provider.
     * @param provider to emit events with
     * @param context the API's context, never NULL, valid during the call
     * @param domain the domain it is bound to first, NULL for the default, valid during the call
     */
    of_error (*init)(void *self, of_provider *provider, const of_context *context, const char *domain);
    /** Stops it. The provider may be started again later. */
    void (*shutdown)(void *self);
    /** When the last reference is gone and no evaluation is inside. */
    void (*destroy)(void *self);
    /** @name Resolvers
     * Each returns #OF_OK and fills the value, or returns an error. The context is never NULL. One function
     * for all types is `resolve`, at the end.
     * @{ */
    of_error (*resolve_bool)(void *self, const char *key, bool default_value, const of_context *context,
                             of_resolution *resolution);
    of_error (*resolve_string)(void *self, const char *key, const char *default_value,
                               const of_context *context, of_resolution *resolution);
    of_error (*resolve_int)(void *self, const char *key, int64_t default_value, const of_context *context,
                            of_resolution *resolution);
    of_error (*resolve_double)(void *self, const char *key, double default_value, const of_context *context,
                               of_resolution *resolution);
    /** The value is an object or a list. */
    of_error (*resolve_object)(void *self, const char *key, const of_value *default_value,
                               const of_context *context, of_resolution *resolution);
    /** @} */
    /** Records a tracking event (2.7). It should not block. The details may be NULL. */
    void (*track)(void *self, const char *name, const of_context *context, const of_tracking *details);
    /**
     * Static paradigm: the context was replaced. A provider that keeps nothing for a context leaves it NULL:
     * it gets the context with each evaluation, and the SDK tells handlers #OF_EVENT_CONTEXT_CHANGED for it,
     * which leaves its status as it is. Any other provider emits #OF_EVENT_RECONCILING at its start when it
     * takes time, #OF_EVENT_CONTEXT_CHANGED before it returns #OF_OK, #OF_EVENT_ERROR before it returns
     * anything else (2.8.4). While a still newer context waits, the SDK holds the closing event back.
     */
    of_error (*on_context_changed)(void *self, of_provider *provider, const of_context *before,
                                   const of_context *now);
    /**
     * Resolves flags of each type that has no resolver of its own above: for providers that do the same for
     * all types, which need no other then. Returns #OF_OK and fills the member of the type, or returns an
     * error.
     * @param type #OF_TYPE_BOOL, #OF_TYPE_STRING, #OF_TYPE_INT, #OF_TYPE_DOUBLE or #OF_TYPE_OBJECT
     * @param default_value its member of that type; a string is never NULL here
     */
    of_error (*resolve)(void *self, const char *key, of_type type, const of_flag_value *default_value,
                        const of_context *context, of_resolution *resolution);
} of_provider_methods;

/**
 * Makes a provider.
 * @param methods copied
 * @param self handed to each method; when NULL is returned, `destroy` was not called
 * @return owned by the caller; NULL without a name or without memory
 */
OF_API OF_MUST_USE of_provider *of_provider_new(const of_provider_methods *methods, void *self);
/** Takes a further reference. Cannot fail; NULL gives NULL. Any thread. */
OF_API of_provider *of_provider_ref(of_provider *provider);
/** Gives up a reference. NULL is fine. Any thread. */
OF_API void of_provider_unref(of_provider *provider);

/** The name in its metadata, borrowed. */
OF_API const char *of_provider_name(const of_provider *provider);
/** Its of_provider_methods::flags; 0 for NULL. */
OF_API unsigned of_provider_flags(const of_provider *provider);
/** Its own pointer. Whose it is only of_provider_is() says: names are not unique. */
OF_API void *of_provider_self(const of_provider *provider);
/**
 * Whether the provider was made with these methods, that is, with the same functions. For a provider's
 * further functions, which are given an of_provider and must know that its own pointer is of their kind. Any
 * thread.
 * @return false for NULL, and where both have no functions at all
 */
OF_API bool of_provider_is(const of_provider *provider, const of_provider_methods *methods);
/** Its status as its events left it. */
OF_API of_provider_status of_provider_get_status(const of_provider *provider);

/**
 * Adds a hook of the provider (2.3.1), before it is registered.
 * @param hook a reference is taken
 * @return #OF_OK, #OF_ERROR_SHARED once the provider is registered, #OF_ERROR_NO_MEMORY
 */
OF_API of_error of_provider_add_hook(of_provider *provider, of_hook *hook);

/**
 * Signals an event. Everything is copied. Only queues, so it may be called from any thread, from inside of
 * every method; better not with the provider's own locks held, since a provider around it is told at once
 * (of_provider_adopt()). Of a provider that is not registered, or no more, it
 * does nothing. When memory is short or handlers are too slow, handlers may get one event for several: then
 * the status is the newest, and a change without a list of flags says that any may have changed.
 */
OF_API void of_provider_emit(of_provider *provider, const of_provider_event *event);
/** Signals #OF_EVENT_READY. */
OF_API void of_provider_emit_ready(of_provider *provider);
/** Signals #OF_EVENT_ERROR, and returns `error`, so that `init` can end with it. */
OF_API of_error of_provider_emit_error(of_provider *provider, of_error error, const char *message);

/**
 * A piece of memory that evaluations may still be reading. To be embedded; its members are of the library.
 */
typedef struct of_retired {
    /** Of the library. */
    struct of_retired *next;
    /** Of the library. */
    const void *user;
    /** Of the library. */
    uint64_t tag;
    /** Of the library. */
    void (*run)(struct of_retired *retired);
    /** Of the library. */
    void *reserved_[2];
} of_retired;

/**
 * Lets resolvers read shared state without a lock and without counting: a resolver loads a pointer
 * to the state (acquire), the writer stores a pointer to the new state (release) and retires the old one.
 * `run` is called once no resolver of this provider that may have seen it is running: inside of this call, of
 * a later one for the same provider, or where the last reference to the provider is given up. So `run` must
 * not take a lock that is held around this call. It cannot fail.
 */
OF_API void of_provider_retire(of_provider *provider, of_retired *retired, void (*run)(of_retired *retired));

/** @name For providers that wrap others
 * A wrapper calls these instead of the methods of the provider inside, so that all of the above holds there
 * too.
 * @{ */
/**
 * Where the events of a wrapped provider go: on whatever thread emits them. The providers of this project
 * hold no lock meanwhile; others may, so it is safest to note the event only, such as in a queue, and to call
 * nothing of the provider inside.
 */
typedef void (*of_provider_listener)(void *user, of_provider *provider, const of_provider_event *event);
/**
 * Takes a provider over: it cannot be registered with an API, and its events go to `listener`. Where it is
 * being shut down by the one that had it before, it waits for the end of that.
 * @return #OF_OK, #OF_ERROR_SHARED when it is registered or taken over already, or, inside of an evaluation,
 *         is being shut down
 */
OF_API of_error of_provider_adopt(of_provider *provider, of_provider_listener listener, void *user);
/**
 * The status of a provider after an event, as a listener has to count it (specification 5.3.5):
 * of_provider_get_status() may be ahead of the event that is being told.
 * @param before the status before it, which stays where the event says nothing of it
 */
OF_API of_provider_status of_provider_event_status(const of_provider_event *event, of_provider_status before);
/** Gives an adopted provider free. Waits until its listener is not running. Not from within the listener. */
OF_API void of_provider_release(of_provider *provider);
/** Runs `init`; a provider without one becomes READY. */
OF_API of_error of_provider_init(of_provider *provider, const of_context *context, const char *domain);
/** Runs `shutdown`, after which the status is NOT_READY (specification 1.7.6). */
OF_API void of_provider_shutdown(of_provider *provider);
/** Runs `on_context_changed`, if there is one. */
OF_API of_error of_provider_context_changed(of_provider *provider, const of_context *before,
                                            const of_context *now);
/**
 * Resolves a flag of any type without running hooks.
 * @param resolution zeroed by the caller but for `brief`; to be ended with of_resolution_clear()
 */
OF_API of_error of_provider_resolve(of_provider *provider, const char *key, of_type type,
                                    const of_flag_value *default_value, const of_context *context,
                                    of_resolution *resolution);
/**
 * Whether the provider has hooks; without, of_provider_resolve() does what of_provider_evaluate() does, and
 * faster.
 */
OF_API bool of_provider_has_hooks(const of_provider *provider);
/** Releases what a resolution holds and zeroes it. */
OF_API void of_resolution_clear(of_resolution *resolution);
/**
 * Evaluates as a client does, with the provider's own hooks and no others.
 * @param domain shown to the hooks, may be NULL
 * @param details filled whole; released with of_details_clear()
 */
OF_API void of_provider_evaluate(of_provider *provider, const char *key, of_type type,
                                 const of_flag_value *default_value, const of_context *context,
                                 const char *domain, of_details *details);
/** Calls `track`, if there is one. */
OF_API void of_provider_track(of_provider *provider, const char *name, const of_context *context,
                              const of_tracking *details);
/** @} */

OF_END_DECLS

#endif

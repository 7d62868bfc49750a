/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The API object of the dynamic paradigm (specification 1.1): providers, clients, and what applies to all.
 *
 * Every function may be called from any thread, and from hooks, handlers and providers. None holds a lock
 * while it calls out.
 *
 * fork(): in the child, evaluations go on with what providers have in memory; handlers, initialisation and
 * asynchronous evaluation need threads, which the child does not have. Set up anew there, or set up after
 * forking. What the global API had under way is the parent's: its queued events and asynchronous evaluations
 * are not told of again. API objects of one's own (isolated.h) are not made ready for a child: make new ones.
 * Signals: nothing here may be called from a signal handler. The library's threads block all signals.
 */
#ifndef OPENFEATURE_API_H
#define OPENFEATURE_API_H

#include <openfeature/client.h>
#include <openfeature/propagator.h>
#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** An API object. Opaque; the global one is always there, isolated ones are counted. */
typedef struct of_api of_api;

/** The one of the process (1.1.1). Never NULL, needs no release. */
OF_API of_api *of_api_global(void);

/**
 * Binds a provider to a domain, in place of the one that was bound (1.1.2.1, 1.1.3), and starts its `init` on
 * a thread of its own. Evaluations give the default value (#OF_ERROR_PROVIDER_NOT_READY) until `init` is
 * known to have been entered, and then what the provider answers while it starts. The old one is shut down
 * when it is bound nowhere and no evaluation is inside. Does not wait for `init`; but where the provider
 * itself is being shut down it waits for the end of that, and without a thread for the old one's shutdown.
 * @param domain NULL for the default, which serves all domains without a provider
 * @param provider a reference is taken; NULL removes the binding
 * @return #OF_OK, #OF_ERROR_ALREADY_BOUND, #OF_ERROR_OTHER_API, #OF_ERROR_BUSY, #OF_ERROR_NO_MEMORY,
 *         #OF_ERROR_NO_THREAD; after an error nothing has changed
 */
OF_API of_error of_api_set_provider(of_api *api, const char *domain, of_provider *provider);
/**
 * As of_api_set_provider(), and waits until `init` has returned and its event counts (1.1.2.4).
 * @param timeout_ms milliseconds; negative waits without end
 * @return also what `init` returned, #OF_ERROR_TIMED_OUT, after which the provider goes on starting, and
 *         #OF_ERROR_GENERAL, at once, when it was replaced wherever it was bound, or shut down, before `init`
 *         had returned: it then serves nothing, whatever `init` makes of it
 */
OF_API of_error of_api_set_provider_and_wait(of_api *api, const char *domain, of_provider *provider,
                                             int timeout_ms);
/** @return a reference to the provider that serves a domain, never NULL; ended with of_provider_unref() */
OF_API OF_MUST_USE of_provider *of_api_provider(of_api *api, const char *domain);

/**
 * Makes a client (1.1.6).
 * @param domain copied; NULL for the default
 * @return never NULL (1.1.7): without memory, a client that gives default values. Ended with
 * of_client_unref().
 */
OF_API OF_MUST_USE of_client *of_api_client(of_api *api, const char *domain);

/** Appends a hook (1.1.4), of which a reference is taken. @return #OF_OK or #OF_ERROR_NO_MEMORY */
OF_API of_error of_api_add_hook(of_api *api, of_hook *hook);
/** Replaces the API's context (3.2.1.1), of which a reference is taken; NULL for none. */
OF_API of_error of_api_set_context(of_api *api, const of_context *context);
/**
 * Replaces the transaction context propagator (3.3.1.1), of which a reference is taken; NULL for none, as at
 * first.
 */
OF_API of_error of_api_set_propagator(of_api *api, of_propagator *propagator);
/**
 * Sets the context of the current transaction (3.3.1.2.1) with the propagator; without one it does nothing.
 */
OF_API of_error of_api_set_transaction_context(of_api *api, const of_context *context);

/** Adds a handler for the events of all providers (5.2.2); otherwise as of_client_on(). */
OF_API uint64_t of_api_on(of_api *api, of_event_type type, of_event_handler handler, void *user,
                          void (*destroy)(void *user));
/** Removes a handler; as of_client_off(). */
OF_API void of_api_off(of_api *api, uint64_t id);

/**
 * Shuts all providers down, whatever their state (1.6.1), and takes away all hooks, handlers, contexts, the
 * propagator and the providers (1.6.2). Returns when their `shutdown` has. Clients stay usable and give
 * default values.
 */
OF_API void of_api_shutdown(of_api *api);

OF_END_DECLS

#endif

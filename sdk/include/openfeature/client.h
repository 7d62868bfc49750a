/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The client of the dynamic paradigm: evaluates flags for a context that comes with each call.
 *
 * Every function may be called from any thread at any time, accepts a NULL client, never aborts and never
 * writes anything. Whatever goes wrong, an evaluation gives the default value. An evaluation that has no
 * hooks takes no lock and allocates nothing, unless its provider does; it blocks only where the provider
 * does.
 */
#ifndef OPENFEATURE_CLIENT_H
#define OPENFEATURE_CLIENT_H

#include <openfeature/context.h>
#include <openfeature/details.h>
#include <openfeature/event.h>
#include <openfeature/options.h>
#include <openfeature/tracking.h>

OF_BEGIN_DECLS

/** A client. Opaque and counted. */
typedef struct of_client of_client;

/** Takes a further reference. Cannot fail; NULL gives NULL. */
OF_API of_client *of_client_ref(of_client *client);
/**
 * Gives up a reference. With the last one go the client's handlers. Those that run are waited for, unless it
 * is called from within a handler; so hold no lock that they take. Not from within a handler of its own. NULL
 * is fine.
 */
OF_API void of_client_unref(of_client *client);

/** The domain that the client was made with, borrowed; NULL for the default (specification 1.2.2). */
OF_API const char *of_client_domain(const of_client *client);
/** The status of the provider that the client would ask now (1.7.1). */
OF_API of_provider_status of_client_status(of_client *client);
/** Appends a hook (1.2.1), of which a reference is taken. @return #OF_OK or #OF_ERROR_NO_MEMORY */
OF_API of_error of_client_add_hook(of_client *client, of_hook *hook);
/** Replaces the client's context (3.2.1.1), of which a reference is taken; NULL for none. */
OF_API of_error of_client_set_context(of_client *client, const of_context *context);

/** @name Evaluation: the value
 * `context` and `options` may be NULL and are borrowed for the call.
 * @{ */
/** The value of a flag, of the type that is in the name. */
OF_API bool of_client_get_bool(of_client *client, const char *key, bool default_value,
                               const of_context *context, const of_options *options);
OF_API int64_t of_client_get_int(of_client *client, const char *key, int64_t default_value,
                                 const of_context *context, const of_options *options);
OF_API double of_client_get_double(of_client *client, const char *key, double default_value,
                                   const of_context *context, const of_options *options);
/**
 * @return to be ended with of_string_release(). When the default value applies, `data` is that very pointer.
 */
OF_API OF_MUST_USE of_string of_client_get_string(of_client *client, const char *key,
                                                  const char *default_value, const of_context *context,
                                                  const of_options *options);
/** @return a reference, ended with of_value_unref(); NULL only when the default value is NULL and applies */
OF_API OF_MUST_USE of_value *of_client_get_object(of_client *client, const char *key,
                                                  const of_value *default_value, const of_context *context,
                                                  const of_options *options);
/** @} */

/** @name Evaluation: the details
 * As above; `details` is filled whole and released with of_details_clear().
 * @return of_details::error
 * @{ */
/** The details of an evaluation, of the type that is in the name. */
OF_API of_error of_client_bool_details(of_client *client, const char *key, bool default_value,
                                       const of_context *context, const of_options *options,
                                       of_details *details);
OF_API of_error of_client_int_details(of_client *client, const char *key, int64_t default_value,
                                      const of_context *context, const of_options *options,
                                      of_details *details);
OF_API of_error of_client_double_details(of_client *client, const char *key, double default_value,
                                         const of_context *context, const of_options *options,
                                         of_details *details);
OF_API of_error of_client_string_details(of_client *client, const char *key, const char *default_value,
                                         const of_context *context, const of_options *options,
                                         of_details *details);
OF_API of_error of_client_object_details(of_client *client, const char *key, const of_value *default_value,
                                         const of_context *context, const of_options *options,
                                         of_details *details);
/** The same for a type that is known only when the program runs, as in bindings of other languages. */
OF_API of_error of_client_details(of_client *client, const char *key, of_type type,
                                  const of_flag_value *default_value, const of_context *context,
                                  const of_options *options, of_details *details);
/** @} */

/**
 * Called with the outcome of of_client_evaluate_async(), on a thread of the API object; several may be called
 * at once. The details are cleared afterwards.
 */
typedef void (*of_evaluated)(void *user, const of_details *details);

/**
 * Evaluates a flag of any type without blocking the caller, for providers that have to go and ask (1.4.12).
 * @param key copied
 * @param default_value copied
 * @param options only hints and hooks are looked at, of which references are taken
 * @param done called once, unless an error is returned here
 * @return #OF_OK, #OF_ERROR_INVALID_ARGUMENT, #OF_ERROR_NO_MEMORY, #OF_ERROR_NO_THREAD
 */
OF_API of_error of_client_evaluate_async(of_client *client, const char *key, of_type type,
                                         const of_flag_value *default_value, const of_context *context,
                                         const of_options *options, of_evaluated done, void *user);

/**
 * Records that something happened (specification 6.1). Does nothing where the provider cannot.
 * @param context borrowed for the call, may be NULL
 * @param details borrowed for the call, may be NULL
 */
OF_API void of_client_track(of_client *client, const char *name, const of_context *context,
                            const of_tracking *details);

/**
 * Adds a handler for the events of the client's provider, whichever that is (5.2.1). When the provider is in
 * the state that the event stands for, the handler is called for it at once (5.3.3), on the handlers' thread.
 * @param user handed to the handler
 * @param destroy called with `user` when the handler is gone, with no lock held, so that it may use the API;
 *        may be NULL. Not called when 0 is returned.
 * @return an id for of_client_off(); 0 when there is no memory or no thread, or the
 *         isolated API that the client is of has ended
 */
OF_API uint64_t of_client_on(of_client *client, of_event_type type, of_event_handler handler, void *user,
                             void (*destroy)(void *user));
/**
 * Removes a handler (5.2.7). When it returns, the handler is not running, unless it is the handler that
 * calls.
 */
OF_API void of_client_off(of_client *client, uint64_t id);

OF_END_DECLS

#endif

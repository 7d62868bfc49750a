/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * The static paradigm: programs with one user at a time, such as a desktop program or a device. The context
 * is the API's, or a domain's; evaluations take none, and providers are told when it changes
 * (specification 2.6, 3.2.2, 3.2.4).
 *
 * It has an API object and clients of its own, since the two paradigms exclude each other. What is
 * said in api.h and client.h about threads, memory and errors holds here too.
 */
#ifndef OPENFEATURE_STATIC_H
#define OPENFEATURE_STATIC_H

#include <openfeature/client.h>
#include <openfeature/provider.h>

OF_BEGIN_DECLS

/** An API object of the static paradigm. */
typedef struct of_static_api of_static_api;
/** A client of the static paradigm. Opaque and counted. */
typedef struct of_static_client of_static_client;

/** The one of the process. Never NULL, needs no release. */
OF_API of_static_api *of_static_api_global(void);

/** As of_api_set_provider(). */
OF_API of_error of_static_api_set_provider(of_static_api *api, const char *domain, of_provider *provider);
/** As of_api_set_provider_and_wait(). */
OF_API of_error of_static_api_set_provider_and_wait(of_static_api *api, const char *domain,
                                                    of_provider *provider, int timeout_ms);
/** As of_api_provider(). */
OF_API OF_MUST_USE of_provider *of_static_api_provider(of_static_api *api, const char *domain);
/** As of_api_client(). */
OF_API OF_MUST_USE of_static_client *of_static_api_client(of_static_api *api, const char *domain);
/** As of_api_add_hook(). */
OF_API of_error of_static_api_add_hook(of_static_api *api, of_hook *hook);

/**
 * Sets the context, of which a reference is taken, and lets the providers concerned reconcile on threads of
 * their own: those of the domain, or with NULL those of all domains that have no context of their own. Each
 * that is ready tells its handlers #OF_EVENT_CONTEXT_CHANGED when it has; one that has nothing to reconcile,
 * at once.
 * @param domain NULL for the global context
 * @param context NULL for an empty one; for a domain, NULL removes it and the global one applies again
 * @return #OF_OK, #OF_ERROR_NO_MEMORY, #OF_ERROR_NO_THREAD (then the context is set, and the provider was
 *         told on the calling thread)
 */
OF_API of_error of_static_api_set_context(of_static_api *api, const char *domain, const of_context *context);
/**
 * As of_static_api_set_context(), and waits until no provider of the API is reconciling.
 * @param timeout_ms milliseconds; negative waits without end
 * @return also #OF_ERROR_TIMED_OUT. Whether a provider succeeded is said by its status.
 */
OF_API of_error of_static_api_set_context_and_wait(of_static_api *api, const char *domain,
                                                   const of_context *context, int timeout_ms);
/** @return a reference to the context that applies to a domain, or NULL when none was set */
OF_API OF_MUST_USE of_context *of_static_api_context(of_static_api *api, const char *domain);

/** As of_api_on(). */
OF_API uint64_t of_static_api_on(of_static_api *api, of_event_type type, of_event_handler handler, void *user,
                                 void (*destroy)(void *user));
/** As of_api_off(). */
OF_API void of_static_api_off(of_static_api *api, uint64_t id);
/** As of_api_shutdown(). */
OF_API void of_static_api_shutdown(of_static_api *api);

/** @name The client: as client.h without a context
 * @{ */
/** As the function of client.h without `static` in its name. */
OF_API of_static_client *of_static_client_ref(of_static_client *client);
OF_API void of_static_client_unref(of_static_client *client);
OF_API const char *of_static_client_domain(const of_static_client *client);
OF_API of_provider_status of_static_client_status(of_static_client *client);
OF_API of_error of_static_client_add_hook(of_static_client *client, of_hook *hook);

OF_API bool of_static_client_get_bool(of_static_client *client, const char *key, bool default_value,
                                      const of_options *options);
OF_API int64_t of_static_client_get_int(of_static_client *client, const char *key, int64_t default_value,
                                        const of_options *options);
OF_API double of_static_client_get_double(of_static_client *client, const char *key, double default_value,
                                          const of_options *options);
OF_API OF_MUST_USE of_string of_static_client_get_string(of_static_client *client, const char *key,
                                                         const char *default_value,
                                                         const of_options *options);
OF_API OF_MUST_USE of_value *of_static_client_get_object(of_static_client *client, const char *key,
                                                         const of_value *default_value,
                                                         const of_options *options);
OF_API of_error of_static_client_bool_details(of_static_client *client, const char *key, bool default_value,
                                              const of_options *options, of_details *details);
OF_API of_error of_static_client_int_details(of_static_client *client, const char *key, int64_t default_value,
                                             const of_options *options, of_details *details);
OF_API of_error of_static_client_double_details(of_static_client *client, const char *key,
                                                double default_value, const of_options *options,
                                                of_details *details);
OF_API of_error of_static_client_string_details(of_static_client *client, const char *key,
                                                const char *default_value, const of_options *options,
                                                of_details *details);
OF_API of_error of_static_client_object_details(of_static_client *client, const char *key,
                                                const of_value *default_value, const of_options *options,
                                                of_details *details);
OF_API of_error of_static_client_details(of_static_client *client, const char *key, of_type type,
                                         const of_flag_value *default_value, const of_options *options,
                                         of_details *details);
OF_API of_error of_static_client_evaluate_async(of_static_client *client, const char *key, of_type type,
                                                const of_flag_value *default_value, const of_options *options,
                                                of_evaluated done, void *user);
OF_API void of_static_client_track(of_static_client *client, const char *name, const of_tracking *details);
OF_API uint64_t of_static_client_on(of_static_client *client, of_event_type type, of_event_handler handler,
                                    void *user, void (*destroy)(void *user));
OF_API void of_static_client_off(of_static_client *client, uint64_t id);
/** @} */

OF_END_DECLS

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The static paradigm: openfeature/static.h and its half of openfeature/isolated.h. The same objects as in
 * the dynamic one behind other types, so that what a paradigm must not have (3.2.2.2, 3.3.2.1) cannot be
 * reached.
 */
#include <openfeature/isolated.h>

#include <string.h>

#include "core.h"
#include "resolve.h"

struct of_static_api {
    struct ofi_core core;
};

static struct ofi_core *core_of(of_static_api *api)
{
    return api == NULL ? NULL : &api->core;
}

static of_static_api *api_of(struct ofi_core *core)
{
    return (of_static_api *)(void *)core;
}

static of_client *inside(of_static_client *client)
{
    return (of_client *)(void *)client;
}

static of_static_client *outside(of_client *client)
{
    return (of_static_client *)(void *)client;
}

of_static_api *of_static_api_global(void)
{
    return api_of(ofi_core_global(true));
}

of_static_api *of_static_api_new(void)
{
    return api_of(ofi_core_new(true));
}

of_static_api *of_static_api_ref(of_static_api *api)
{
    if (api != NULL)
        atomic_fetch_add_explicit(&api->core.handles, 1, memory_order_relaxed);
    return api;
}

void of_static_api_unref(of_static_api *api)
{
    ofi_core_handle_unref(core_of(api));
}

of_error of_static_api_set_provider(of_static_api *api, const char *domain, of_provider *provider)
{
    return ofi_set_provider(core_of(api), domain, provider, false, 0);
}

of_error of_static_api_set_provider_and_wait(of_static_api *api, const char *domain, of_provider *provider,
                                             int timeout_ms)
{
    return ofi_set_provider(core_of(api), domain, provider, true, timeout_ms);
}

of_provider *of_static_api_provider(of_static_api *api, const char *domain)
{
    return ofi_get_provider(core_of(api), domain);
}

of_static_client *of_static_api_client(of_static_api *api, const char *domain)
{
    return outside(ofi_client_new(core_of(api), domain));
}

of_error of_static_api_add_hook(of_static_api *api, of_hook *hook)
{
    if (api == NULL || hook == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return ofi_add_hook(&api->core, &api->core.settings, hook);
}

of_error of_static_api_set_context(of_static_api *api, const char *domain, const of_context *context)
{
    return ofi_set_context(core_of(api), domain, context, false, 0);
}

of_error of_static_api_set_context_and_wait(of_static_api *api, const char *domain, const of_context *context,
                                            int timeout_ms)
{
    return ofi_set_context(core_of(api), domain, context, true, timeout_ms);
}

of_context *of_static_api_context(of_static_api *api, const char *domain)
{
    if (api == NULL)
        return NULL;
    (void)pthread_mutex_lock(&api->core.lock);
    struct ofi_domain *found = ofi_domain_find(&api->core, domain);
    const struct ofi_settings *settings = found == NULL ? NULL : atomic_load(&found->settings);
    if (settings == NULL)
        settings = atomic_load(&api->core.settings);
    of_context *context = settings == NULL ? NULL : of_context_ref(settings->context);
    (void)pthread_mutex_unlock(&api->core.lock);
    return context;
}

uint64_t of_static_api_on(of_static_api *api, of_event_type type, of_event_handler handler, void *user,
                          void (*destroy)(void *user))
{
    return ofi_on(core_of(api), NULL, type, handler, user, destroy);
}

void of_static_api_off(of_static_api *api, uint64_t id)
{
    ofi_off(core_of(api), id);
}

void of_static_api_shutdown(of_static_api *api)
{
    if (api != NULL)
        ofi_shutdown(&api->core);
}

of_static_client *of_static_client_ref(of_static_client *client)
{
    return outside(of_client_ref(inside(client)));
}

void of_static_client_unref(of_static_client *client)
{
    of_client_unref(inside(client));
}

const char *of_static_client_domain(const of_static_client *client)
{
    return of_client_domain((const of_client *)(const void *)client);
}

of_provider_status of_static_client_status(of_static_client *client)
{
    return of_client_status(inside(client));
}

of_error of_static_client_add_hook(of_static_client *client, of_hook *hook)
{
    return of_client_add_hook(inside(client), hook);
}

bool of_static_client_get_bool(of_static_client *client, const char *key, bool default_value,
                               const of_options *options)
{
    return of_client_get_bool(inside(client), key, default_value, NULL, options);
}

int64_t of_static_client_get_int(of_static_client *client, const char *key, int64_t default_value,
                                 const of_options *options)
{
    return of_client_get_int(inside(client), key, default_value, NULL, options);
}

double of_static_client_get_double(of_static_client *client, const char *key, double default_value,
                                   const of_options *options)
{
    return of_client_get_double(inside(client), key, default_value, NULL, options);
}

of_string of_static_client_get_string(of_static_client *client, const char *key, const char *default_value,
                                      const of_options *options)
{
    return ofi_evaluate_string(inside(client), key, default_value, NULL, options);
}

of_value *of_static_client_get_object(of_static_client *client, const char *key,
                                      const of_value *default_value, const of_options *options)
{
    return ofi_evaluate_object(inside(client), key, default_value, NULL, options);
}

of_error of_static_client_bool_details(of_static_client *client, const char *key, bool default_value,
                                       const of_options *options, of_details *details)
{
    return of_client_bool_details(inside(client), key, default_value, NULL, options, details);
}

of_error of_static_client_int_details(of_static_client *client, const char *key, int64_t default_value,
                                      const of_options *options, of_details *details)
{
    return of_client_int_details(inside(client), key, default_value, NULL, options, details);
}

of_error of_static_client_double_details(of_static_client *client, const char *key, double default_value,
                                         const of_options *options, of_details *details)
{
    return of_client_double_details(inside(client), key, default_value, NULL, options, details);
}

of_error of_static_client_string_details(of_static_client *client, const char *key, const char *default_value,
                                         const of_options *options, of_details *details)
{
    return of_client_string_details(inside(client), key, default_value, NULL, options, details);
}

of_error of_static_client_object_details(of_static_client *client, const char *key,
                                         const of_value *default_value, const of_options *options,
                                         of_details *details)
{
    return of_client_object_details(inside(client), key, default_value, NULL, options, details);
}

of_error of_static_client_details(of_static_client *client, const char *key, of_type type,
                                  const of_flag_value *default_value, const of_options *options,
                                  of_details *details)
{
    return of_client_details(inside(client), key, type, default_value, NULL, options, details);
}

of_error of_static_client_evaluate_async(of_static_client *client, const char *key, of_type type,
                                         const of_flag_value *default_value, const of_options *options,
                                         of_evaluated done, void *user)
{
    return ofi_evaluate_async(inside(client), key, type, default_value, NULL, options, done, user);
}

void of_static_client_track(of_static_client *client, const char *name, const of_tracking *details)
{
    ofi_track(inside(client), name, NULL, details);
}

uint64_t of_static_client_on(of_static_client *client, of_event_type type, of_event_handler handler,
                             void *user, void (*destroy)(void *user))
{
    return of_client_on(inside(client), type, handler, user, destroy);
}

void of_static_client_off(of_static_client *client, uint64_t id)
{
    of_client_off(inside(client), id);
}

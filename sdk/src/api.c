/* SPDX-License-Identifier: Apache-2.0 */
/* The API object of the dynamic paradigm: openfeature/api.h and its half of openfeature/isolated.h. */
#include <openfeature/isolated.h>

#include "core.h"

struct of_api {
    struct ofi_core core;
};

static struct ofi_core *core_of(of_api *api)
{
    return api == NULL ? NULL : &api->core;
}

static of_api *api_of(struct ofi_core *core)
{
    return (of_api *)(void *)core;
}

of_api *of_api_global(void)
{
    return api_of(ofi_core_global(false));
}

of_api *of_api_new(void)
{
    return api_of(ofi_core_new(false));
}

of_api *of_api_ref(of_api *api)
{
    if (api != NULL)
        atomic_fetch_add_explicit(&api->core.handles, 1, memory_order_relaxed);
    return api;
}

void of_api_unref(of_api *api)
{
    ofi_core_handle_unref(core_of(api));
}

of_error of_api_set_provider(of_api *api, const char *domain, of_provider *provider)
{
    return ofi_set_provider(core_of(api), domain, provider, false, 0);
}

of_error of_api_set_provider_and_wait(of_api *api, const char *domain, of_provider *provider, int timeout_ms)
{
    return ofi_set_provider(core_of(api), domain, provider, true, timeout_ms);
}

of_provider *of_api_provider(of_api *api, const char *domain)
{
    return ofi_get_provider(core_of(api), domain);
}

of_client *of_api_client(of_api *api, const char *domain)
{
    return ofi_client_new(core_of(api), domain);
}

of_error of_api_add_hook(of_api *api, of_hook *hook)
{
    if (api == NULL || hook == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return ofi_add_hook(&api->core, &api->core.settings, hook);
}

of_error of_api_set_context(of_api *api, const of_context *context)
{
    if (api == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return ofi_put_context(&api->core, &api->core.settings, context);
}

of_error of_api_set_propagator(of_api *api, of_propagator *propagator)
{
    if (api == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return ofi_put_propagator(&api->core, propagator);
}

of_error of_api_set_transaction_context(of_api *api, const of_context *context)
{
    if (api == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    (void)pthread_mutex_lock(&api->core.lock);
    const struct ofi_settings *settings = atomic_load(&api->core.settings);
    of_propagator *propagator = settings == NULL ? NULL : of_propagator_ref(settings->propagator);
    (void)pthread_mutex_unlock(&api->core.lock);
    if (propagator == NULL)
        return OF_OK;
    of_error error = propagator->methods.set(propagator->self, context);
    of_propagator_unref(propagator);
    return error;
}

uint64_t of_api_on(of_api *api, of_event_type type, of_event_handler handler, void *user,
                   void (*destroy)(void *user))
{
    return ofi_on(core_of(api), NULL, type, handler, user, destroy);
}

void of_api_off(of_api *api, uint64_t id)
{
    ofi_off(core_of(api), id);
}

void of_api_shutdown(of_api *api)
{
    if (api != NULL)
        ofi_shutdown(&api->core);
}

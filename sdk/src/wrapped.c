/* SPDX-License-Identifier: Apache-2.0 */
/* What a provider that wraps others calls: the same life that an API gives a provider, by hand. */
#include "core.h"

#include "resolve.h"

of_error of_provider_adopt(of_provider *provider, of_provider_listener listener, void *user)
{
    of_error error = OF_ERROR_SHARED;
    if (provider == NULL || listener == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    (void)pthread_mutex_lock(&provider->lock);
    while (provider->phase == OFI_CLOSING && !ofi_evaluating()) {
        ofi_await_closed(provider);
        (void)pthread_mutex_lock(&provider->lock);
    }
    if (provider->phase == OFI_FREE) {
        provider->phase = OFI_ADOPTED;
        provider->listener = listener;
        provider->listener_user = user;
        atomic_store(&provider->status, OF_STATUS_NOT_READY);
        error = OF_OK;
    }
    (void)pthread_mutex_unlock(&provider->lock);
    return error;
}

void of_provider_release(of_provider *provider)
{
    if (provider == NULL)
        return;
    (void)pthread_mutex_lock(&provider->lock);
    if (provider->phase == OFI_ADOPTED) {
        provider->phase = OFI_CLOSING;
        while (provider->listening > 0)
            (void)pthread_cond_wait(&provider->changed, &provider->lock);
        provider->phase = OFI_FREE;
        (void)pthread_cond_broadcast(&provider->changed);
    }
    (void)pthread_mutex_unlock(&provider->lock);
}

of_error of_provider_init(of_provider *provider, const of_context *context, const char *domain)
{
    if (provider == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    if (provider->methods.init != NULL)
        return provider->methods.init(provider->self, provider,
                                      context == NULL ? &ofi_empty_context : context, domain);
    of_provider_emit_ready(provider);
    return OF_OK;
}

void of_provider_shutdown(of_provider *provider)
{
    if (provider == NULL)
        return;
    if (provider->methods.shutdown != NULL)
        provider->methods.shutdown(provider->self);
    atomic_store(&provider->status, OF_STATUS_NOT_READY);
}

of_error of_provider_context_changed(of_provider *provider, const of_context *before, const of_context *now)
{
    if (provider == NULL || provider->methods.on_context_changed == NULL)
        return OF_OK;
    return provider->methods.on_context_changed(provider->self, provider,
                                                before == NULL ? &ofi_empty_context : before,
                                                now == NULL ? &ofi_empty_context : now);
}

bool of_provider_has_hooks(const of_provider *provider)
{
    return provider != NULL && provider->hook_count > 0;
}

of_error of_provider_resolve(of_provider *provider, const char *key, of_type type,
                             const of_flag_value *default_value, const of_context *context,
                             of_resolution *resolution)
{
    if (provider == NULL || key == NULL || default_value == NULL || resolution == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    struct ofi_slot *slot = ofi_enter();
    if (slot == NULL) {
        resolution->error_message = OFI_TOO_DEEP;
        return OF_ERROR_GENERAL;
    }
    ofi_hold_known(slot, OFI_HELD_PROVIDER, provider);
    of_error error = ofi_resolve(provider, key, type, default_value,
                                 context == NULL ? &ofi_empty_context : context, resolution);
    ofi_leave(slot);
    return error;
}

void of_provider_evaluate(of_provider *provider, const char *key, of_type type,
                          const of_flag_value *default_value, const of_context *context, const char *domain,
                          of_details *details)
{
    if (provider == NULL || key == NULL || default_value == NULL) {
        ofi_details_fail(details, key, type, default_value, OF_ERROR_GENERAL,
                         "no provider, key or default value");
        return;
    }
    struct ofi_slot *slot = ofi_enter();
    if (slot == NULL) {
        ofi_details_fail(details, key, type, default_value, OF_ERROR_GENERAL, OFI_TOO_DEEP);
        return;
    }
    ofi_hold_known(slot, OFI_HELD_PROVIDER, provider);
    const of_flag_value otherwise = *default_value; /* it may stand in the details */
    const struct ofi_call call = {.key = key,
                                  .type = type,
                                  .default_value = &otherwise,
                                  .domain = domain,
                                  .provider = provider,
                                  .context = context == NULL ? &ofi_empty_context : context};
    ofi_run(&call, details);
    ofi_leave(slot);
}

void of_provider_track(of_provider *provider, const char *name, const of_context *context,
                       const of_tracking *details)
{
    if (provider != NULL && name != NULL && provider->methods.track != NULL)
        provider->methods.track(provider->self, name, context == NULL ? &ofi_empty_context : context,
                                details);
}

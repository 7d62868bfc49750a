/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a client does when it is asked for a flag: holds the provider and the settings, merges the contexts on
 * the stack, and has the flag resolved. No lock, and no allocation but the provider's and the hooks'.
 */
#include "resolve.h"

#include <string.h>

/* Holds what was set for the client and above it. */
static const struct ofi_settings *hold(of_client *client, struct ofi_slot *slot, struct ofi_call *call)
{
    call->core = ofi_hold(slot, OFI_HELD_CORE, &client->core->settings);
    call->client = ofi_hold(slot, OFI_HELD_CLIENT, &client->settings);
    return ofi_hold(slot, OFI_HELD_DOMAIN, &client->domain->settings);
}

/* 3.2.3. In the static paradigm there is one level: the domain's context, or else the API's (3.2.2.3). */
static bool merge(const struct ofi_call *call, const struct ofi_settings *domain, const of_context *context,
                  struct ofi_overlay *overlay, of_context **transaction)
{
    ofi_overlay_init(overlay);
    *transaction = NULL;
    if (domain != NULL && domain->context != NULL)
        return ofi_overlay_push(overlay, domain->context);
    if (call->core != NULL) {
        of_propagator *propagator = call->core->propagator;
        if (propagator != NULL)
            *transaction = propagator->methods.get(propagator->self);
        if (!ofi_overlay_push(overlay, call->core->context) || !ofi_overlay_push(overlay, *transaction))
            return false;
    }
    if (call->client != NULL && !ofi_overlay_push(overlay, call->client->context))
        return false;
    return ofi_overlay_push(overlay, context);
}

/* Whether nothing but the provider has a say: no hooks and no contexts besides the caller's. */
static inline bool plain(of_client *client, const of_provider *provider, const of_options *options)
{
    return options == NULL && provider->hook_count == 0 &&
           atomic_load_explicit(&client->core->settings, memory_order_relaxed) == NULL &&
           atomic_load_explicit(&client->settings, memory_order_relaxed) == NULL &&
           atomic_load_explicit(&client->domain->settings, memory_order_relaxed) == NULL;
}

/* With settings, hooks or options, or with nothing to ask: merges the contexts and runs the hooks. */
__attribute__((noinline)) static void evaluate_any(of_client *client, const char *key, of_type type,
                                                   const of_flag_value *default_value,
                                                   const of_context *context, const of_options *options,
                                                   of_details *details)
{
    struct ofi_slot *slot = client == NULL || client->core == NULL || key == NULL ? NULL : ofi_enter();
    if (slot == NULL) {
        ofi_details_fail(details, key, type, default_value, OF_ERROR_GENERAL,
                         key == NULL ? "no flag key" : "no client, or " OFI_TOO_DEEP);
        return;
    }
    struct ofi_call call = {.key = key, .type = type, .default_value = default_value, .options = options};
    struct ofi_overlay overlay;
    of_context *transaction = NULL;
    call.domain = client->domain->name;
    call.is_static = client->core->is_static;
    call.provider = ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    const struct ofi_settings *domain = hold(client, slot, &call);
    if (merge(&call, domain, context, &overlay, &transaction)) {
        call.context = ofi_overlay_context(&overlay);
        ofi_run(&call, details);
    } else {
        ofi_details_fail(details, key, type, default_value, OF_ERROR_GENERAL, OFI_NO_MEMORY);
    }
    ofi_overlay_finish(&overlay);
    of_context_unref(transaction);
    ofi_leave(slot);
}

/* The same where the value alone is wanted: without hooks, no details are made. */
__attribute__((noinline)) static of_flag_value
brief_settings(of_client *client, struct ofi_slot *slot, struct ofi_call *call, const of_context *context)
{
    struct ofi_overlay overlay;
    of_context *transaction = NULL;
    of_flag_value value = *call->default_value;
    const struct ofi_settings *domain = hold(client, slot, call);
    call->is_static = client->core->is_static;
    bool merged = merge(call, domain, context, &overlay, &transaction);
    call->context = ofi_overlay_context(&overlay);
    if (merged && ofi_hook_count(call) == 0) {
        of_resolution resolution;
        ofi_resolution_begin(&resolution, true);
        if (ofi_resolve(call->provider, call->key, call->type, call->default_value, call->context,
                        &resolution) == OF_OK)
            value = resolution.value;
        of_resolution_clear(&resolution);
    } else if (merged) {
        of_details details;
        ofi_run(call, &details);
        value = details.value;
        of_details_clear(&details);
    }
    ofi_overlay_finish(&overlay);
    of_context_unref(transaction);
    return value;
}

/* In two forms: for any type, and where that is known to be a boolean. */
__attribute__((always_inline)) static inline void evaluate(of_client *client, const char *key, of_type type,
                                                           const of_flag_value *default_value,
                                                           const of_context *context,
                                                           const of_options *options, of_details *details)
{
    struct ofi_slot *slot = client == NULL || client->core == NULL || key == NULL ? NULL : ofi_enter();
    of_provider *provider =
        slot == NULL ? NULL : ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    if (__builtin_expect(provider == NULL || !plain(client, provider, options), 0)) {
        if (slot != NULL)
            ofi_leave_plain(slot);
        evaluate_any(client, key, type, default_value, context, options, details);
        return;
    }
    of_error error;
    of_resolution *resolution = ofi_resolution_in(details);
    ofi_details_begin(details, key, type);
    if (context == NULL)
        context = &ofi_empty_context;
    if (type == OF_TYPE_BOOL && provider->methods.resolve_bool != NULL && !ofi_unheard(provider))
        error =
            provider->methods.resolve_bool(provider->self, key, default_value->boolean, context, resolution);
    else
        error = ofi_resolve(provider, key, type, default_value, context, resolution);
    if (__builtin_expect(error == OF_OK && type != OF_TYPE_OBJECT, 1))
        ofi_details_succeed(details);
    else
        ofi_details_end(details, default_value, error);
    ofi_leave_plain(slot);
}

void ofi_evaluate(of_client *client, const char *key, of_type type, const of_flag_value *default_value,
                  const of_context *context, const of_options *options, of_details *details)
{
    evaluate(client, key, type, default_value, context, options, details);
}

void ofi_evaluate_bool_details(of_client *client, const char *key, bool default_value,
                               const of_context *context, const of_options *options, of_details *details)
{
    const of_flag_value otherwise = {.boolean = default_value};
    evaluate(client, key, OF_TYPE_BOOL, &otherwise, context, options, details);
}

of_flag_value ofi_evaluate_brief(of_client *client, const char *key, of_type type,
                                 const of_flag_value *default_value, const of_context *context,
                                 const of_options *options)
{
    struct ofi_slot *slot = client == NULL || client->core == NULL || key == NULL ? NULL : ofi_enter();
    if (slot == NULL)
        return *default_value;
    of_provider *provider = ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    if (__builtin_expect(!plain(client, provider, options), 0)) {
        struct ofi_call call = {.key = key, .type = type, .default_value = default_value, .options = options};
        call.domain = client->domain->name;
        call.provider = provider;
        of_flag_value its = brief_settings(client, slot, &call, context);
        ofi_leave(slot);
        return its;
    }
    of_resolution resolution;
    ofi_resolution_begin(&resolution, true);
    of_error error = ofi_resolve(provider, key, type, default_value,
                                 context == NULL ? &ofi_empty_context : context, &resolution);
    of_flag_value value = resolution.value;
    if (__builtin_expect(resolution.release != NULL || resolution.private_ != NULL, 0))
        of_resolution_clear(&resolution);
    ofi_leave_plain(slot);
    return __builtin_expect(error != OF_OK, 0) ? *default_value : value;
}

/* Static paradigm, no hooks: the one context that applies (3.2.2.3), held; NULL where there is more to it. */
static const of_context *sole_context(of_client *client, struct ofi_slot *slot, const of_provider *provider,
                                      const of_options *options)
{
    if (!client->core->is_static || options != NULL || provider->hook_count > 0 ||
        atomic_load_explicit(&client->settings, memory_order_relaxed) != NULL)
        return NULL;
    const struct ofi_settings *core = ofi_hold(slot, OFI_HELD_CORE, &client->core->settings);
    const struct ofi_settings *domain = ofi_hold(slot, OFI_HELD_DOMAIN, &client->domain->settings);
    if (core != NULL && (core->hook_count > 0 || core->propagator != NULL))
        return NULL;
    if (domain != NULL && domain->context != NULL)
        return domain->context;
    return core != NULL && core->context != NULL ? core->context : &ofi_empty_context;
}

bool ofi_evaluate_bool(of_client *client, const char *key, bool default_value, const of_context *context,
                       const of_options *options)
{
    struct ofi_slot *slot = client == NULL || client->core == NULL || key == NULL ? NULL : ofi_enter();
    if (slot == NULL)
        return default_value;
    of_provider *provider = ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    const of_context *applies = context == NULL ? &ofi_empty_context : context;
    bool is_plain = plain(client, provider, options);
    if (__builtin_expect(!is_plain, 0))
        applies = sole_context(client, slot, provider, options);
    if (__builtin_expect(applies == NULL || provider->methods.resolve_bool == NULL || ofi_unheard(provider),
                         0)) {
        const of_flag_value otherwise = {.boolean = default_value};
        ofi_leave(slot);
        return ofi_evaluate_brief(client, key, OF_TYPE_BOOL, &otherwise, context, options).boolean;
    }
    of_resolution resolution;
    ofi_resolution_begin(&resolution, true);
    of_error error = provider->methods.resolve_bool(provider->self, key, default_value, applies, &resolution);
    bool value = error == OF_OK ? resolution.value.boolean : default_value;
    if (__builtin_expect(resolution.release != NULL || resolution.private_ != NULL, 0))
        of_resolution_clear(&resolution);
    if (__builtin_expect(is_plain, 1))
        ofi_leave_plain(slot);
    else
        ofi_leave(slot);
    return value;
}

static of_flag_value string_value(const char *string)
{
    of_flag_value value;
    value.string.data = string;
    value.string.length = string == NULL ? 0 : strlen(string);
    return value;
}

of_string ofi_evaluate_string(of_client *client, const char *key, const char *default_value,
                              const of_context *context, const of_options *options)
{
    of_details details;
    of_flag_value value = string_value(default_value);
    struct ofi_slot *slot = client == NULL || client->core == NULL || key == NULL ? NULL : ofi_enter();
    of_provider *provider =
        slot == NULL ? NULL : ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    if (provider != NULL && plain(client, provider, options)) {
        of_resolution resolution;
        ofi_resolution_begin(&resolution, false);
        of_error error = ofi_resolve(provider, key, OF_TYPE_STRING, &value,
                                     context == NULL ? &ofi_empty_context : context, &resolution);
        of_string string = ofi_string_take(error == OF_OK ? &resolution.value : &value, &resolution);
        ofi_leave_plain(slot);
        return string;
    }
    if (slot != NULL)
        ofi_leave_plain(slot);
    evaluate_any(client, key, OF_TYPE_STRING, &value, context, options, &details);
    return ofi_string_of(&details);
}

of_value *ofi_evaluate_object(of_client *client, const char *key, const of_value *default_value,
                              const of_context *context, const of_options *options)
{
    of_details details;
    of_flag_value value;
    value.object = default_value;
    ofi_evaluate(client, key, OF_TYPE_OBJECT, &value, context, options, &details);
    of_value *object = of_value_ref(details.value.object);
    of_details_clear(&details);
    return object;
}

void ofi_track(of_client *client, const char *name, const of_context *context, const of_tracking *details)
{
    struct ofi_slot *slot = client == NULL || client->core == NULL || name == NULL ? NULL : ofi_enter();
    if (slot == NULL)
        return;
    struct ofi_call call = {.key = name};
    struct ofi_overlay overlay;
    of_context *transaction = NULL;
    call.provider = ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    const struct ofi_settings *domain = hold(client, slot, &call);
    if (merge(&call, domain, context, &overlay, &transaction))
        of_provider_track(call.provider, name, ofi_overlay_context(&overlay), details);
    ofi_overlay_finish(&overlay);
    of_context_unref(transaction);
    ofi_leave(slot);
}

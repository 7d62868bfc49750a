/* SPDX-License-Identifier: Apache-2.0 */
/* Clients of the dynamic paradigm: openfeature/client.h. What evaluation is, evaluate.c knows. */
#include "core.h"

#include <string.h>

#include "memory_impl.h"
#include "resolve.h"

/* The client that stands for one that could not be made (1.1.7). It has no API and gives default values. */
static struct ofi_domain nowhere = {.provider = &ofi_noop};
static struct of_client nobody = {.refs = 1, .domain = &nowhere};

of_client *ofi_client_new(struct ofi_core *core, const char *domain)
{
    of_client *client = core == NULL ? NULL : ofi_zalloc(1, sizeof *client);
    if (client == NULL)
        return &nobody;
    atomic_init(&client->refs, 1);
    (void)pthread_mutex_lock(&core->lock);
    client->domain = ofi_domain_use(core, domain);
    (void)pthread_mutex_unlock(&core->lock);
    if (client->domain == NULL) {
        of_free(client);
        return &nobody;
    }
    client->core = ofi_core_ref(core);
    return client;
}

of_client *of_client_ref(of_client *client)
{
    if (client != NULL && client != &nobody)
        atomic_fetch_add_explicit(&client->refs, 1, memory_order_relaxed);
    return client;
}

void of_client_unref(of_client *client)
{
    if (client == NULL || client == &nobody ||
        atomic_fetch_sub_explicit(&client->refs, 1, memory_order_acq_rel) != 1)
        return;
    struct ofi_core *core = client->core;
    ofi_off_all(core, client);
    (void)pthread_mutex_lock(&core->lock);
    ofi_domain_unuse(core, client->domain);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_settings_retire(atomic_exchange(&client->settings, NULL));
    of_free(client);
    ofi_core_unref(core);
}

const char *of_client_domain(const of_client *client)
{
    return client == NULL ? NULL : client->domain->name;
}

of_provider_status of_client_status(of_client *client)
{
    struct ofi_slot *slot = client == NULL ? NULL : ofi_enter();
    if (slot == NULL)
        return OF_STATUS_NOT_READY;
    const of_provider *provider = ofi_hold(slot, OFI_HELD_PROVIDER, &client->domain->provider);
    of_provider_status status = of_provider_get_status(provider);
    ofi_leave(slot);
    return status;
}

of_error of_client_add_hook(of_client *client, of_hook *hook)
{
    if (client == NULL || hook == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return client->core == NULL ? OF_ERROR_NO_MEMORY : ofi_add_hook(client->core, &client->settings, hook);
}

of_error of_client_set_context(of_client *client, const of_context *context)
{
    if (client == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    return client->core == NULL ? OF_ERROR_NO_MEMORY
                                : ofi_put_context(client->core, &client->settings, context);
}

bool of_client_get_bool(of_client *client, const char *key, bool default_value, const of_context *context,
                        const of_options *options)
{
    return ofi_evaluate_bool(client, key, default_value, context, options);
}

int64_t of_client_get_int(of_client *client, const char *key, int64_t default_value,
                          const of_context *context, const of_options *options)
{
    of_flag_value value = {.integer = default_value};
    return ofi_evaluate_brief(client, key, OF_TYPE_INT, &value, context, options).integer;
}

double of_client_get_double(of_client *client, const char *key, double default_value,
                            const of_context *context, const of_options *options)
{
    of_flag_value value = {.number = default_value};
    return ofi_evaluate_brief(client, key, OF_TYPE_DOUBLE, &value, context, options).number;
}

of_string of_client_get_string(of_client *client, const char *key, const char *default_value,
                               const of_context *context, const of_options *options)
{
    return ofi_evaluate_string(client, key, default_value, context, options);
}

of_value *of_client_get_object(of_client *client, const char *key, const of_value *default_value,
                               const of_context *context, const of_options *options)
{
    return ofi_evaluate_object(client, key, default_value, context, options);
}

static inline of_error evaluate(of_client *client, const char *key, of_type type,
                                const of_flag_value *default_value, const of_context *context,
                                const of_options *options, of_details *details)
{
    if (details == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    ofi_evaluate(client, key, type, default_value, context, options, details);
    return details->error;
}

of_error of_client_details(of_client *client, const char *key, of_type type,
                           const of_flag_value *default_value, const of_context *context,
                           const of_options *options, of_details *details)
{
    const of_flag_value nothing = {0};
    if (details == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    if (default_value == NULL) {
        ofi_details_fail(details, key, type, &nothing, OF_ERROR_INVALID_ARGUMENT, "no default value");
        return OF_ERROR_INVALID_ARGUMENT;
    }
    const of_flag_value otherwise = *default_value; /* it may stand in the details */
    return evaluate(client, key, type, &otherwise, context, options, details);
}

of_error of_client_bool_details(of_client *client, const char *key, bool default_value,
                                const of_context *context, const of_options *options, of_details *details)
{
    if (details == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    ofi_evaluate_bool_details(client, key, default_value, context, options, details);
    return details->error;
}

of_error of_client_int_details(of_client *client, const char *key, int64_t default_value,
                               const of_context *context, const of_options *options, of_details *details)
{
    of_flag_value value = {.integer = default_value};
    return evaluate(client, key, OF_TYPE_INT, &value, context, options, details);
}

of_error of_client_double_details(of_client *client, const char *key, double default_value,
                                  const of_context *context, const of_options *options, of_details *details)
{
    of_flag_value value = {.number = default_value};
    return evaluate(client, key, OF_TYPE_DOUBLE, &value, context, options, details);
}

of_error of_client_string_details(of_client *client, const char *key, const char *default_value,
                                  const of_context *context, const of_options *options, of_details *details)
{
    of_flag_value value = {.string = {default_value, default_value == NULL ? 0 : strlen(default_value)}};
    return evaluate(client, key, OF_TYPE_STRING, &value, context, options, details);
}

of_error of_client_object_details(of_client *client, const char *key, const of_value *default_value,
                                  const of_context *context, const of_options *options, of_details *details)
{
    of_flag_value value = {.object = default_value};
    return evaluate(client, key, OF_TYPE_OBJECT, &value, context, options, details);
}

of_error of_client_evaluate_async(of_client *client, const char *key, of_type type,
                                  const of_flag_value *default_value, const of_context *context,
                                  const of_options *options, of_evaluated done, void *user)
{
    return ofi_evaluate_async(client, key, type, default_value, context, options, done, user);
}

void of_client_track(of_client *client, const char *name, const of_context *context,
                     const of_tracking *details)
{
    ofi_track(client, name, context, details);
}

uint64_t of_client_on(of_client *client, of_event_type type, of_event_handler handler, void *user,
                      void (*destroy)(void *user))
{
    return client == NULL ? 0 : ofi_on(client->core, client, type, handler, user, destroy);
}

void of_client_off(of_client *client, uint64_t id)
{
    if (client != NULL)
        ofi_off(client->core, id);
}

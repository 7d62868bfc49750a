/* SPDX-License-Identifier: Apache-2.0 */
/* Settings: copied, changed and put in the place of the old ones, which evaluations may still be reading. */
#include "core.h"
#include "memory_impl.h"

static void settings_free(struct of_retired *retired)
{
    struct ofi_settings *settings = (struct ofi_settings *)(void *)retired;
    for (size_t i = 0; i < settings->hook_count; i++)
        of_hook_unref(settings->hooks[i]);
    of_context_unref(settings->context);
    of_propagator_unref(settings->propagator);
    of_free(settings);
}

void ofi_settings_retire(struct ofi_settings *old)
{
    if (old != NULL)
        ofi_retire(&old->retired, old, settings_free);
}

/* A copy with room for `more` hooks. */
static struct ofi_settings *copy(const struct ofi_settings *old, size_t more)
{
    size_t hooks = (old == NULL ? 0 : old->hook_count) + more;
    struct ofi_settings *settings = ofi_zalloc(1, sizeof *settings + hooks * sizeof settings->hooks[0]);
    if (settings == NULL || old == NULL)
        return settings;
    settings->context = of_context_ref(old->context);
    settings->propagator = of_propagator_ref(old->propagator);
    settings->hook_count = old->hook_count;
    for (size_t i = 0; i < old->hook_count; i++)
        settings->hooks[i] = of_hook_ref(old->hooks[i]);
    return settings;
}

static struct ofi_settings *replace(_Atomic(void *) *place, struct ofi_settings *settings)
{
    if (settings != NULL && settings->context == NULL && settings->propagator == NULL &&
        settings->hook_count == 0) {
        settings_free(&settings->retired);
        settings = NULL;
    }
    return atomic_exchange(place, settings);
}

static struct ofi_settings *settings_add_hook(_Atomic(void *) *place, of_hook *hook, of_error *error)
{
    struct ofi_settings *settings = copy(atomic_load(place), 1);
    *error = settings == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    if (settings == NULL)
        return NULL;
    settings->hooks[settings->hook_count++] = of_hook_ref(hook);
    return replace(place, settings);
}

struct ofi_settings *ofi_settings_set_context(_Atomic(void *) *place, const of_context *context,
                                              of_error *error)
{
    struct ofi_settings *settings = copy(atomic_load(place), 0);
    *error = settings == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    if (settings == NULL)
        return NULL;
    of_context_unref(settings->context);
    settings->context = of_context_ref(context);
    if (context != NULL && settings->context == NULL) {
        *error = OF_ERROR_NO_MEMORY;
        settings_free(&settings->retired);
        return NULL;
    }
    return replace(place, settings);
}

static struct ofi_settings *settings_set_propagator(_Atomic(void *) *place, of_propagator *propagator,
                                                    of_error *error)
{
    struct ofi_settings *settings = copy(atomic_load(place), 0);
    *error = settings == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    if (settings == NULL)
        return NULL;
    of_propagator_unref(settings->propagator);
    settings->propagator = of_propagator_ref(propagator);
    return replace(place, settings);
}

of_error ofi_add_hook(struct ofi_core *core, _Atomic(void *) *place, of_hook *hook)
{
    of_error error = OF_OK;
    (void)pthread_mutex_lock(&core->lock);
    struct ofi_settings *old = settings_add_hook(place, hook, &error);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_settings_retire(old);
    return error;
}

of_error ofi_put_context(struct ofi_core *core, _Atomic(void *) *place, const of_context *context)
{
    of_error error = OF_OK;
    (void)pthread_mutex_lock(&core->lock);
    struct ofi_settings *old = ofi_settings_set_context(place, context, &error);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_settings_retire(old);
    return error;
}

of_error ofi_put_propagator(struct ofi_core *core, of_propagator *propagator)
{
    of_error error = OF_OK;
    (void)pthread_mutex_lock(&core->lock);
    struct ofi_settings *old = settings_set_propagator(&core->settings, propagator, &error);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_settings_retire(old);
    return error;
}

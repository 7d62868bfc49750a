/* SPDX-License-Identifier: Apache-2.0 */
/* Providers as counted objects, the no-op one, and how their events come in. */
#include "core.h"

#include <string.h>

#include "memory_impl.h"
#include "resolve.h"

static char noop_name[] = "No-op Provider";

struct of_provider ofi_noop = {
    .refs = 1,
    .methods = {.size = sizeof(struct of_provider_methods), .name = noop_name},
    .name = noop_name,
    .status = OF_STATUS_NOT_READY,
    .lock = PTHREAD_MUTEX_INITIALIZER,
    .changed = PTHREAD_COND_INITIALIZER,
    .phase = OFI_ATTACHED,
};

static pthread_mutex_t all_lock = PTHREAD_MUTEX_INITIALIZER;
static of_provider *all;

static void list(of_provider *provider)
{
    (void)pthread_mutex_lock(&all_lock);
    provider->next = all;
    if (all != NULL)
        all->previous = provider;
    all = provider;
    (void)pthread_mutex_unlock(&all_lock);
}

static void unlist(of_provider *provider)
{
    (void)pthread_mutex_lock(&all_lock);
    if (provider->previous != NULL)
        provider->previous->next = provider->next;
    else
        all = provider->next;
    if (provider->next != NULL)
        provider->next->previous = provider->previous;
    (void)pthread_mutex_unlock(&all_lock);
}

void ofi_providers_fork_prepare(void)
{
    (void)pthread_mutex_lock(&all_lock);
    for (of_provider *provider = all; provider != NULL; provider = provider->next)
        (void)pthread_mutex_lock(&provider->lock);
}

void ofi_providers_fork_parent(void)
{
    for (of_provider *provider = all; provider != NULL; provider = provider->next)
        (void)pthread_mutex_unlock(&provider->lock);
    (void)pthread_mutex_unlock(&all_lock);
}

/* The thread that was in init, in on_context_changed or closing it is not here. */
static void forget_calls(of_provider *provider)
{
    if (provider->starting)
        provider->started = OF_ERROR_GENERAL;
    provider->starting = false;
    provider->entering = false;
    provider->reconciling = false;
    provider->busy = false;
    provider->listening = 0;
    provider->waiters = NULL;
    if (provider->phase == OFI_CLOSING && !provider->left) { /* else a thread of this process closes it yet */
        provider->closing = false;
        provider->core = NULL;
        provider->phase = OFI_FREE;
        atomic_store(&provider->unheard, false);
        atomic_store(&provider->status, OF_STATUS_NOT_READY);
    }
    (void)pthread_cond_init(&provider->changed, NULL);
}

void ofi_providers_fork_child(void)
{
    for (of_provider *provider = all; provider != NULL; provider = provider->next) {
        forget_calls(provider);
        (void)pthread_mutex_unlock(&provider->lock);
    }
    (void)pthread_mutex_unlock(&all_lock);
}

of_provider *of_provider_new(const of_provider_methods *methods, void *self)
{
    struct of_provider_methods known = {0};
    if (methods == NULL || methods->size < offsetof(struct of_provider_methods, flags))
        return NULL;
    memcpy(&known, methods, methods->size < sizeof known ? methods->size : sizeof known);
    if (known.name == NULL)
        return NULL;
    of_provider *provider = ofi_zalloc(1, sizeof *provider);
    if (provider == NULL || (provider->name = ofi_strdup(known.name)) == NULL) {
        of_free(provider);
        return NULL;
    }
    known.name = provider->name;
    provider->methods = known;
    provider->self = self;
    atomic_init(&provider->refs, 1);
    atomic_init(&provider->status, OF_STATUS_NOT_READY);
    (void)pthread_mutex_init(&provider->lock, NULL);
    (void)pthread_cond_init(&provider->changed, NULL);
    list(provider);
    return provider;
}

of_provider *of_provider_ref(of_provider *provider)
{
    if (provider != NULL && provider != &ofi_noop)
        atomic_fetch_add_explicit(&provider->refs, 1, memory_order_relaxed);
    return provider;
}

void of_provider_unref(of_provider *provider)
{
    if (provider == NULL || provider == &ofi_noop ||
        atomic_fetch_sub_explicit(&provider->refs, 1, memory_order_acq_rel) != 1)
        return;
    unlist(provider);
    ofi_reap(provider); /* no evaluation is inside any more */
    if (provider->methods.destroy != NULL)
        provider->methods.destroy(provider->self);
    for (size_t i = 0; i < provider->hook_count; i++)
        of_hook_unref(provider->hooks[i]);
    of_free(provider->hooks);
    of_context_unref(provider->now);
    of_context_unref(provider->due);
    of_free(provider->last_message);
    of_free(provider->scope);
    (void)pthread_cond_destroy(&provider->changed);
    (void)pthread_mutex_destroy(&provider->lock);
    of_free(provider->name);
    of_free(provider);
}

const char *of_provider_name(const of_provider *provider)
{
    return provider == NULL ? NULL : provider->name;
}

unsigned of_provider_flags(const of_provider *provider)
{
    return provider == NULL ? 0 : provider->methods.flags;
}

void *of_provider_self(const of_provider *provider)
{
    return provider == NULL ? NULL : provider->self;
}

/* Members that the caller's structure does not have yet are NULL. */
static struct of_provider_methods known_of(const of_provider_methods *methods)
{
    struct of_provider_methods known = {0};
    memcpy(&known, methods, methods->size < sizeof known ? methods->size : sizeof known);
    return known;
}

bool of_provider_is(const of_provider *provider, const of_provider_methods *methods)
{
    if (provider == NULL || methods == NULL || methods->size < offsetof(struct of_provider_methods, flags))
        return false;
    const struct of_provider_methods a = provider->methods, b = known_of(methods);
    bool any = a.init != NULL || a.shutdown != NULL || a.destroy != NULL || a.resolve_bool != NULL ||
               a.resolve_string != NULL || a.resolve_int != NULL || a.resolve_double != NULL ||
               a.resolve_object != NULL || a.resolve != NULL;
    return any && a.init == b.init && a.shutdown == b.shutdown && a.destroy == b.destroy &&
           a.resolve_bool == b.resolve_bool && a.resolve_string == b.resolve_string &&
           a.resolve_int == b.resolve_int && a.resolve_double == b.resolve_double &&
           a.resolve_object == b.resolve_object && a.track == b.track &&
           a.on_context_changed == b.on_context_changed && a.resolve == b.resolve;
}

of_provider_status of_provider_get_status(const of_provider *provider)
{
    return provider == NULL ? OF_STATUS_NOT_READY : (of_provider_status)atomic_load(&provider->status);
}

of_error of_provider_add_hook(of_provider *provider, of_hook *hook)
{
    of_error error = OF_ERROR_NO_MEMORY;
    if (provider == NULL || hook == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    (void)pthread_mutex_lock(&provider->lock);
    of_hook **hooks = NULL;
    if (provider->phase != OFI_FREE)
        error = OF_ERROR_SHARED;
    else
        hooks = ofi_realloc(provider->hooks, provider->hook_count + 1, sizeof(of_hook *));
    if (hooks != NULL) {
        hooks[provider->hook_count++] = of_hook_ref(hook);
        provider->hooks = hooks;
        error = OF_OK;
    }
    (void)pthread_mutex_unlock(&provider->lock);
    return error;
}

static of_provider_event known_part(const of_provider_event *event)
{
    of_provider_event known = {0};
    size_t size = event->size < sizeof known ? event->size : sizeof known;
    memcpy(&known, event, size);
    known.size = sizeof known; /* what there is: a listener may know more than the library, or less */
    return known;
}

of_provider_status of_provider_event_status(const of_provider_event *event, of_provider_status before)
{
    switch (event->type) {
    case OF_EVENT_READY:
    case OF_EVENT_CONTEXT_CHANGED:
        return OF_STATUS_READY;
    case OF_EVENT_STALE:
        return OF_STATUS_STALE;
    case OF_EVENT_ERROR:
        return event->error == OF_ERROR_PROVIDER_FATAL ? OF_STATUS_FATAL : OF_STATUS_ERROR;
    case OF_EVENT_RECONCILING:
        return OF_STATUS_RECONCILING;
    case OF_EVENT_CONFIGURATION_CHANGED:
    default:
        return before;
    }
}

static void tell_listener(of_provider *provider, const of_provider_event *event)
{
    of_provider_listener listener = provider->listener;
    void *user = provider->listener_user;
    provider->listening++;
    atomic_store(&provider->status, (int)of_provider_event_status(event, of_provider_get_status(provider)));
    (void)pthread_mutex_unlock(&provider->lock);
    listener(user, provider, event);
    (void)pthread_mutex_lock(&provider->lock);
    if (provider->listening > 0 && --provider->listening == 0) /* in the child of a fork it is 0 */
        (void)pthread_cond_broadcast(&provider->changed);
}

void of_provider_emit(of_provider *provider, const of_provider_event *event)
{
    if (provider == NULL || event == NULL || event->size < offsetof(of_provider_event, flags_changed))
        return;
    of_provider_event known = known_part(event);
    if (known.type < OF_EVENT_READY || known.type > OF_EVENT_CONTEXT_CHANGED)
        return;
    struct ofi_core *core = NULL;
    (void)pthread_mutex_lock(&provider->lock);
    if (provider->phase == OFI_ATTACHED)
        core = ofi_core_ref(provider->core);
    else if (provider->phase == OFI_ADOPTED)
        tell_listener(provider, &known);
    (void)pthread_mutex_unlock(&provider->lock);
    if (core == NULL)
        return;
    (void)pthread_mutex_lock(&core->lock);
    (void)pthread_mutex_lock(&provider->lock);
    bool attached = provider->phase == OFI_ATTACHED && provider->core == core;
    (void)pthread_mutex_unlock(&provider->lock);
    if (attached)
        ofi_event_apply(core, provider, &known);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_core_unref(core);
}

void of_provider_emit_ready(of_provider *provider)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_READY);
    of_provider_emit(provider, &event);
}

of_error of_provider_emit_error(of_provider *provider, of_error error, const char *message)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_ERROR);
    event.error = error;
    event.message = message;
    of_provider_emit(provider, &event);
    return error;
}

void of_provider_retire(of_provider *provider, of_retired *retired, void (*run)(of_retired *retired))
{
    if (retired != NULL && run != NULL)
        ofi_retire(retired, provider, run);
}

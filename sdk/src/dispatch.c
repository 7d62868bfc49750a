/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue of events and the thread that calls handlers: one for each API object, started with the first
 * handler. It holds no lock while it calls. The queue is bounded: what does not fit, or could not be copied,
 * is remembered at the provider as "missed" and told from its state when the queue is empty, so nothing is
 * lost that matters.
 */
#include "core.h"

#include <string.h>

#include "memory_impl.h"
#include "value_impl.h"

enum { QUEUE_LIMIT = 1024 };

static size_t text_size(const char *text)
{
    return text == NULL ? 0 : strlen(text) + 1;
}

static const char *put_text(char **at, const char *text)
{
    size_t size = text_size(text);
    if (size == 0)
        return NULL;
    char *copy = *at;
    memcpy(copy, text, size);
    *at += size;
    return copy;
}

struct ofi_queued *ofi_queued_new(of_provider *provider, const of_provider_event *event,
                                  of_provider_status status)
{
    size_t count = event->flags_changed == NULL ? 0 : event->flags_changed_count;
    size_t size = sizeof(struct ofi_queued) + count * sizeof(char *) + text_size(event->message);
    for (size_t i = 0; i < count; i++)
        size += text_size(event->flags_changed[i]);
    struct ofi_queued *queued = ofi_zalloc(1, size);
    if (queued == NULL)
        return NULL;
    const char **flags = (const char **)(void *)(queued + 1);
    char *text = (char *)(flags + count);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++)
        if (event->flags_changed[i] != NULL)
            flags[kept++] = put_text(&text, event->flags_changed[i]);
    queued->event.type = event->type;
    queued->event.status = status;
    queued->event.flags_changed = event->flags_changed == NULL ? NULL : flags;
    queued->event.flags_changed_count = kept;
    queued->event.message = put_text(&text, event->message);
    queued->event.error = event->error;
    queued->event.metadata =
        of_value_type(event->metadata) == OF_TYPE_OBJECT ? of_value_ref(event->metadata) : &ofi_empty_object;
    queued->provider = of_provider_ref(provider);
    queued->event.provider_name = of_provider_name(provider);
    return queued;
}

void ofi_queued_free(struct ofi_queued *queued)
{
    if (queued == NULL)
        return;
    of_value_unref((of_value *)(uintptr_t)queued->event.metadata);
    of_provider_unref(queued->provider);
    of_free(queued);
}

void ofi_queue_missed(struct ofi_core *core, of_provider *provider, of_event_type type)
{
    if (type == OF_EVENT_CONFIGURATION_CHANGED)
        provider->missed_change = true;
    else
        provider->missed_status = true;
    core->missed = true;
    (void)ofi_dispatcher_start(core);
    (void)pthread_cond_broadcast(&core->changed);
}

void ofi_queue_push(struct ofi_core *core, struct ofi_queued *queued)
{
    if (queued == NULL)
        return;
    if (core->queue_length >= QUEUE_LIMIT && queued->only_handler == 0) {
        ofi_queue_missed(core, queued->provider, queued->event.type);
        ofi_queued_free(queued);
        return;
    }
    queued->number = ++core->next_number;
    *core->queue_tail = queued;
    core->queue_tail = &queued->next;
    core->queue_length++;
    (void)ofi_dispatcher_start(core);
    (void)pthread_cond_broadcast(&core->changed);
}

static bool concerns(const struct ofi_handler *handler, const struct ofi_queued *queued)
{
    if (queued->only_handler != 0)
        return handler->id == queued->only_handler;
    if (handler->type != queued->event.type || handler->since >= queued->number)
        return false;
    if (handler->client == NULL)
        return queued->only_domain == NULL;
    if (queued->only_domain != NULL && handler->client->domain != queued->only_domain)
        return false;
    /* A domain that the provider was bound to later has heard of its state then. */
    return atomic_load(&handler->client->domain->provider) == queued->provider &&
           (queued->only_domain != NULL || handler->client->domain->since < queued->number);
}

/* Whether the calling thread is still the dispatcher. */
static bool current(const struct ofi_core *core)
{
    return core->dispatching && pthread_equal(core->dispatcher, pthread_self());
}

/* With core->lock held, and let go during the call. The domain stays, though its client may go: by a handler
 * that runs on an earlier or later dispatcher, which waits for nobody. */
static void call_handler(struct ofi_core *core, const struct ofi_handler *handler, of_event event)
{
    struct ofi_domain *domain = handler->client == NULL ? NULL : handler->client->domain;
    event.domain = domain == NULL ? NULL : domain->name;
    if (domain != NULL)
        domain->users++;
    struct ofi_delivery call = {core->calls, handler->id, handler->client, pthread_self()};
    core->calls = &call;
    (void)pthread_mutex_unlock(&core->lock);
    handler->call(handler->user, &event);
    (void)pthread_mutex_lock(&core->lock);
    if (domain != NULL)
        ofi_domain_unuse(core, domain);
    struct ofi_delivery **link = &core->calls;
    while (*link != &call)
        link = &(*link)->next;
    *link = call.next;
    (void)pthread_cond_broadcast(&core->changed);
}

/* Calls the handlers one after the other. They may come and go meanwhile, so each is looked up by its id. */
static void deliver(struct ofi_core *core, const struct ofi_queued *queued)
{
    struct ofi_handler *handler = core->handlers;
    uint64_t last = 0;
    while (current(core)) {
        for (handler = core->handlers; handler != NULL; handler = handler->next)
            if (handler->id > last && concerns(handler, queued))
                break;
        if (handler == NULL)
            return;
        last = handler->id;
        call_handler(core, handler, queued->event);
        if (!handler->removed)
            continue;
        (void)pthread_mutex_unlock(&core->lock);
        if (handler->destroy != NULL)
            handler->destroy(handler->user);
        of_free(handler);
        (void)pthread_mutex_lock(&core->lock);
    }
}

/* An event from a provider's state, in place of those that were missed; false when there is none. */
static bool recall(struct ofi_core *core, struct ofi_queued *queued)
{
    for (struct ofi_domain *domain = &core->default_domain; domain != NULL; domain = domain->next) {
        of_provider *provider = domain->own;
        if (provider == NULL || !(provider->missed_status || provider->missed_change))
            continue;
        memset(queued, 0, sizeof *queued);
        queued->event.status = of_provider_get_status(provider);
        queued->event.type = OF_EVENT_CONFIGURATION_CHANGED;
        queued->event.metadata = &ofi_empty_object;
        if (provider->missed_status && queued->event.status != OF_STATUS_NOT_READY) {
            queued->event.type = ofi_event_of(queued->event.status);
            queued->event.error = provider->last_error;
            provider->missed_status = false;
        } else {
            provider->missed_status = false;
            if (!provider->missed_change)
                continue;
            provider->missed_change = false;
        }
        queued->provider = of_provider_ref(provider);
        queued->event.provider_name = of_provider_name(provider);
        queued->number = ++core->next_number;
        return true;
    }
    core->missed = false;
    return false;
}

static void *dispatch(void *argument)
{
    struct ofi_core *core = argument;
    (void)pthread_mutex_lock(&core->lock);
    while (current(core)) {
        struct ofi_queued recalled;
        struct ofi_queued *queued = core->queue;
        if (queued != NULL) {
            core->queue = queued->next;
            if (core->queue == NULL)
                core->queue_tail = &core->queue;
            core->queue_length--;
            deliver(core, queued);
            (void)pthread_mutex_unlock(&core->lock);
            ofi_queued_free(queued);
            (void)pthread_mutex_lock(&core->lock);
        } else if (core->missed && recall(core, &recalled)) {
            deliver(core, &recalled);
            (void)pthread_mutex_unlock(&core->lock);
            of_provider_unref(recalled.provider);
            (void)pthread_mutex_lock(&core->lock);
        } else {
            (void)pthread_cond_wait(&core->changed, &core->lock);
        }
    }
    (void)pthread_mutex_unlock(&core->lock);
    ofi_core_unref(core);
    return NULL;
}

bool ofi_dispatcher_start(struct ofi_core *core)
{
    if (core->dispatching)
        return true;
    (void)ofi_core_ref(core);
    core->dispatching = ofi_thread_joinable(&core->dispatcher, dispatch, core);
    if (!core->dispatching)
        ofi_core_unref(core); /* never the last one */
    return core->dispatching;
}

void ofi_dispatcher_stop(struct ofi_core *core)
{
    (void)pthread_mutex_lock(&core->lock);
    bool dispatching = core->dispatching;
    pthread_t thread = core->dispatcher;
    struct ofi_queued *queued = core->queue;
    core->queue = NULL;
    core->queue_tail = &core->queue;
    core->queue_length = 0;
    core->dispatching = false;
    (void)pthread_cond_broadcast(&core->changed);
    (void)pthread_mutex_unlock(&core->lock);
    while (queued != NULL) {
        struct ofi_queued *next = queued->next;
        ofi_queued_free(queued);
        queued = next;
    }
    if (!dispatching)
        return;
    if (pthread_equal(thread, pthread_self()))
        (void)pthread_detach(thread);
    else
        (void)pthread_join(thread, NULL);
}

void ofi_dispatcher_forget(struct ofi_core *core)
{
    core->dispatching = false;
    core->missed = false;
    /* What was queued concerns no handler any more; the next dispatcher frees it. */
    for (struct ofi_queued *queued = core->queue; queued != NULL; queued = queued->next)
        queued->only_handler = UINT64_MAX;
    /* A handler that forked goes on here. */
    for (struct ofi_delivery **link = &core->calls; *link != NULL;) {
        if (pthread_equal((*link)->thread, pthread_self()))
            link = &(*link)->next;
        else
            *link = (*link)->next;
    }
}

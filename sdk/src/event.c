/* SPDX-License-Identifier: Apache-2.0 */
/* Handlers, and what an event does to a provider's status and to the queue (specification 5.2 and 5.3). */
#include "core.h"

#include "memory_impl.h"

of_event_type ofi_event_of(of_provider_status status)
{
    switch (status) {
    case OF_STATUS_READY:
        return OF_EVENT_READY;
    case OF_STATUS_ERROR:
    case OF_STATUS_FATAL:
        return OF_EVENT_ERROR;
    case OF_STATUS_STALE:
        return OF_EVENT_STALE;
    case OF_STATUS_RECONCILING:
        return OF_EVENT_RECONCILING;
    case OF_STATUS_NOT_READY:
    default:
        return (of_event_type)0;
    }
}

static bool anyone_listens(const struct ofi_core *core, of_event_type type)
{
    for (const struct ofi_handler *handler = core->handlers; handler != NULL; handler = handler->next)
        if (handler->type == type)
            return true;
    return false;
}

/* Remembers what handlers that come later are told with the status. */
static void remember(of_provider *provider, const of_provider_event *event)
{
    of_free(provider->last_message);
    provider->last_message =
        event->type == OF_EVENT_CONFIGURATION_CHANGED ? NULL : ofi_strdup(event->message);
    provider->last_error = event->error;
}

/* For the handlers; where there is no memory, as a thing that was missed. */
static void queue(struct ofi_core *core, of_provider *provider, const of_provider_event *event,
                  of_provider_status status)
{
    if (!anyone_listens(core, event->type))
        return;
    struct ofi_queued *queued = ofi_queued_new(provider, event, status);
    if (queued != NULL)
        ofi_queue_push(core, queued);
    else
        ofi_queue_missed(core, provider, event->type);
}

void ofi_event_apply(struct ofi_core *core, of_provider *provider, const of_provider_event *event)
{
    of_provider_status before = of_provider_get_status(provider);
    of_provider_status status = of_provider_event_status(event, before);
    bool closing_event = event->type == OF_EVENT_CONTEXT_CHANGED || event->type == OF_EVENT_ERROR;
    /* 5.3.4.2 and 5.3.4.3: as long as a newer context waits, the end of reconciling an older one is no end.
     */
    if (provider->reconciling && provider->due != NULL && closing_event && status != OF_STATUS_FATAL)
        return;
    if (event->type != OF_EVENT_CONFIGURATION_CHANGED)
        remember(provider, event);
    if (provider->entering)
        atomic_store_explicit(&provider->unheard, false, memory_order_release);
    atomic_store(&provider->status, (int)status);
    (void)pthread_cond_broadcast(&core->changed);
    queue(core, provider, event, status);
}

void ofi_event_context_changed(struct ofi_core *core, of_provider *provider)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONTEXT_CHANGED);
    queue(core, provider, &event, of_provider_get_status(provider));
}

/* A queued event that tells what state the provider is in; NULL when there is nothing to tell or no memory.
 */
static struct ofi_queued *state_event(of_provider *provider)
{
    of_provider_status status = of_provider_get_status(provider);
    of_provider_event event = OF_PROVIDER_EVENT(ofi_event_of(status));
    if (event.type == (of_event_type)0)
        return NULL;
    event.message = provider->last_message;
    event.error = event.type == OF_EVENT_ERROR ? provider->last_error : OF_OK;
    return ofi_queued_new(provider, &event, status);
}

void ofi_event_present(struct ofi_core *core, struct ofi_domain *domain)
{
    of_provider *provider = atomic_load(&domain->provider);
    of_event_type type = ofi_event_of(of_provider_get_status(provider));
    if (type == (of_event_type)0 || !anyone_listens(core, type))
        return;
    struct ofi_queued *queued = state_event(provider);
    if (queued == NULL) {
        ofi_queue_missed(core, provider, type);
        return;
    }
    queued->only_domain = domain;
    ofi_queue_push(core, queued);
}

/* Queues, for a new handler alone, the state of a provider that is in the state it asks for. False: no
 * memory. */
static bool catch_up(struct ofi_core *core, const struct ofi_handler *handler, of_provider *provider)
{
    if (provider == NULL || ofi_event_of(of_provider_get_status(provider)) != handler->type)
        return true;
    struct ofi_queued *queued = state_event(provider);
    if (queued == NULL)
        return false;
    queued->only_handler = handler->id;
    ofi_queue_push(core, queued);
    return true;
}

static bool bound_before(const struct ofi_core *core, const struct ofi_domain *end)
{
    for (const struct ofi_domain *domain = &core->default_domain; domain != end; domain = domain->next)
        if (domain->own == end->own)
            return true;
    return false;
}

/* 5.3.3: the states that hold already, each provider's once. */
static bool catch_up_all(struct ofi_core *core, const struct ofi_handler *handler)
{
    if (handler->client != NULL)
        return catch_up(core, handler, atomic_load(&handler->client->domain->provider));
    for (struct ofi_domain *domain = &core->default_domain; domain != NULL; domain = domain->next)
        if (domain->own != NULL && !bound_before(core, domain) && !catch_up(core, handler, domain->own))
            return false;
    return true;
}

static struct ofi_handler *unlink_handler(struct ofi_core *core, uint64_t id)
{
    for (struct ofi_handler **link = &core->handlers; *link != NULL; link = &(*link)->next) {
        struct ofi_handler *handler = *link;
        if (handler->id != id)
            continue;
        *link = handler->next;
        return handler;
    }
    return NULL;
}

uint64_t ofi_on(struct ofi_core *core, of_client *client, of_event_type type, of_event_handler call,
                void *user, void (*destroy)(void *user))
{
    if (core == NULL || call == NULL || type < OF_EVENT_READY || type > OF_EVENT_CONTEXT_CHANGED)
        return 0;
    struct ofi_handler *handler = ofi_zalloc(1, sizeof *handler);
    if (handler == NULL)
        return 0;
    *handler = (struct ofi_handler){NULL, 0, type, call, user, destroy, client, 0, false};
    (void)pthread_mutex_lock(&core->lock);
    bool alone = atomic_load(&core->handles) == 0; /* of a client that has outlived its API: nothing comes */
    uint64_t id = handler->id = handler->since = ++core->next_number;
    struct ofi_handler **end = &core->handlers;
    while (*end != NULL)
        end = &(*end)->next;
    *end = handler;
    /* Nothing can have run yet when this fails: the lock is held. */
    if (alone || !ofi_dispatcher_start(core) || !catch_up_all(core, handler)) {
        (void)unlink_handler(core, id);
        of_free(handler);
        id = 0;
    }
    (void)pthread_mutex_unlock(&core->lock);
    return id;
}

static const struct ofi_delivery *call_of(const struct ofi_core *core, uint64_t id)
{
    const struct ofi_delivery *call = core->calls;
    while (call != NULL && call->id != id)
        call = call->next;
    return call;
}

/* Whether the calling thread is in a handler, and so must not wait for handlers. */
static bool in_handler(const struct ofi_core *core)
{
    const struct ofi_delivery *call = core->calls;
    while (call != NULL && !pthread_equal(call->thread, pthread_self()))
        call = call->next;
    return call != NULL;
}

/* With the lock held, which is let go for a while: until no handler of the client (NULL: of anybody) with
 * this number or a lower one runs. */
static void wait_all(struct ofi_core *core, const of_client *client, uint64_t last)
{
    const struct ofi_delivery *call = core->calls;
    while (call != NULL && !in_handler(core)) {
        if (call->id > last || (client != NULL && call->client != client)) {
            call = call->next;
            continue;
        }
        (void)pthread_cond_wait(&core->changed, &core->lock);
        call = core->calls;
    }
}

/* With the lock held, which is let go for a while. The handler is not linked any more, or never was. */
static void wait_and_free(struct ofi_core *core, uint64_t id, struct ofi_handler *handler)
{
    const struct ofi_delivery *call = call_of(core, id);
    if (call != NULL && pthread_equal(call->thread, pthread_self())) {
        if (handler != NULL)
            handler->removed = true;
        return;
    }
    while (call_of(core, id) != NULL)
        (void)pthread_cond_wait(&core->changed, &core->lock);
    if (handler == NULL)
        return;
    (void)pthread_mutex_unlock(&core->lock);
    if (handler->destroy != NULL)
        handler->destroy(handler->user);
    of_free(handler);
    (void)pthread_mutex_lock(&core->lock);
}

void ofi_off(struct ofi_core *core, uint64_t id)
{
    if (core == NULL || id == 0)
        return;
    (void)pthread_mutex_lock(&core->lock);
    wait_and_free(core, id, unlink_handler(core, id));
    (void)pthread_mutex_unlock(&core->lock);
}

void ofi_off_all(struct ofi_core *core, const of_client *client)
{
    struct ofi_handler *handler = NULL;
    (void)pthread_mutex_lock(&core->lock);
    uint64_t last = core->next_number; /* handlers may come faster than they go */
    do {
        for (handler = core->handlers; handler != NULL; handler = handler->next)
            if ((client == NULL || handler->client == client) && handler->id <= last)
                break;
        if (handler != NULL)
            wait_and_free(core, handler->id, unlink_handler(core, handler->id));
    } while (handler != NULL);
    wait_all(core, client, last); /* those that another thread has taken out may run yet */
    (void)pthread_mutex_unlock(&core->lock);
}

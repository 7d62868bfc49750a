/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The life of a registered provider: attached, started, told of contexts; its end is closing.c's. Its init
 * and on_context_changed run one after the other on a thread that lives as long as there is something to do.
 * Specification 1.1.2, 1.7, 2.4 to 2.8.
 */
#include "core.h"

#include "memory_impl.h"

struct job {
    struct ofi_core *core;
    of_provider *provider;
};

static void note_status(struct ofi_core *core, of_provider *provider)
{
    of_provider_event ready = OF_PROVIDER_EVENT(OF_EVENT_READY);
    ofi_event_apply(core, provider, &ready);
}

/* With core->lock held: the context that applies to a domain, as a new reference. */
static of_context *context_for(struct ofi_core *core, const char *name)
{
    struct ofi_domain *domain = ofi_domain_find(core, name);
    const struct ofi_settings *settings = domain == NULL ? NULL : atomic_load(&domain->settings);
    if (settings == NULL)
        settings = atomic_load(&core->settings);
    if (settings == NULL || settings->context == NULL)
        return &ofi_empty_context;
    return of_context_ref(settings->context);
}

void ofi_note_started(of_provider *provider, of_error error)
{
    provider->started = error;
    for (struct ofi_waiter *waiter = provider->waiters; waiter != NULL; waiter = waiter->next) {
        waiter->waits = false;
        waiter->error = error;
    }
    provider->waiters = NULL;
}

/* With core->lock held, and let go during the calls: all that the provider has to do. */
static void work(struct ofi_core *core, of_provider *provider)
{
    while (provider->starting || (provider->due != NULL && !provider->closing)) {
        bool starting = provider->starting;
        if (starting && provider->closing) {
            provider->starting = false;
            continue;
        }
        of_context *before = provider->now;
        of_context *now = provider->due;
        provider->due = NULL;
        if (starting && now == NULL)
            now = context_for(core, provider->scope);
        provider->reconciling = !starting;
        provider->entering = starting;
        (void)pthread_mutex_unlock(&core->lock);

        of_error error = OF_OK;
        if (starting)
            error = provider->methods.init(provider->self, provider, now, provider->scope);
        else
            (void)provider->methods.on_context_changed(provider->self, provider,
                                                       before == NULL ? &ofi_empty_context : before, now);

        (void)pthread_mutex_lock(&core->lock);
        provider->now = now;
        of_context_unref(before); /* with the lock: a fork must not find it in provider->now and gone */
        provider->reconciling = false;
        if (starting) {
            provider->entering = false;
            atomic_store_explicit(&provider->unheard, false, memory_order_release);
            provider->starting = false;
            if (!provider->closing) /* else its end came first, and those who wait have been told */
                ofi_note_started(provider, error);
        }
        (void)pthread_cond_broadcast(&core->changed);
    }
    provider->busy = false;
    (void)pthread_cond_broadcast(&core->changed);
}

static void *work_thread(void *argument)
{
    struct job job = *(struct job *)argument;
    of_free(argument);
    (void)pthread_mutex_lock(&job.core->lock);
    work(job.core, job.provider);
    (void)pthread_mutex_unlock(&job.core->lock);
    of_provider_unref(job.provider);
    ofi_core_unref(job.core);
    return NULL;
}

/* With core->lock held. */
static of_error start_work(struct ofi_core *core, of_provider *provider)
{
    struct job *job = of_alloc(sizeof *job);
    if (job == NULL)
        return OF_ERROR_NO_MEMORY;
    *job = (struct job){ofi_core_ref(core), of_provider_ref(provider)};
    provider->busy = true;
    if (ofi_thread(work_thread, job))
        return OF_OK;
    provider->busy = false;
    of_free(job);
    of_provider_unref(provider);
    ofi_core_unref(core);
    return OF_ERROR_NO_THREAD;
}

/* With core->lock held, and let go while an earlier shutdown is waited for: reserves a provider for this API.
 * *fresh says that it was free, and is to be started. */
static of_error attach(struct ofi_core *core, of_provider *provider, bool *fresh)
{
    of_error error = OF_OK;
    (void)pthread_mutex_lock(&provider->lock);
    while (provider->phase == OFI_CLOSING && error == OF_OK) {
        if (ofi_evaluating()) {
            error = OF_ERROR_BUSY;
            continue;
        }
        (void)pthread_mutex_unlock(&core->lock);
        ofi_await_closed(provider);
        (void)pthread_mutex_lock(&core->lock);
        (void)pthread_mutex_lock(&provider->lock);
    }
    *fresh = error == OF_OK && provider->phase == OFI_FREE;
    if (*fresh) {
        provider->phase = OFI_ATTACHED;
        provider->core = core;
    } else if (error == OF_OK && (provider->phase != OFI_ATTACHED || provider->core != core)) {
        error = OF_ERROR_OTHER_API;
    }
    (void)pthread_mutex_unlock(&provider->lock);
    return error;
}

static void detach(of_provider *provider)
{
    (void)pthread_mutex_lock(&provider->lock);
    provider->phase = OFI_FREE;
    provider->core = NULL;
    (void)pthread_mutex_unlock(&provider->lock);
}

/* With core->lock held: what stands here yet where it was closed by the parent of this process. */
static void forget_life(of_provider *provider)
{
    of_free(provider->scope);
    of_context_unref(provider->now);
    of_context_unref(provider->due);
    provider->scope = NULL;
    provider->now = NULL;
    provider->due = NULL;
    provider->missed_status = false;
    provider->missed_change = false;
}

/* With core->lock held: puts the provider into the domain. The one to be closed is returned in *old. */
static of_error bind_to(struct ofi_core *core, const char *name, of_provider *provider, bool fresh,
                        of_provider **old)
{
    struct ofi_domain *domain = ofi_domain_use(core, name);
    of_error error = OF_OK;
    if (domain == NULL)
        return OF_ERROR_NO_MEMORY;
    if (domain->own == provider)
        goto out;
    if (provider != NULL && (provider->methods.flags & OF_PROVIDER_DOMAIN_SCOPED) != 0 &&
        provider->bindings > 0) {
        error = OF_ERROR_ALREADY_BOUND;
        goto out;
    }
    if (fresh) {
        forget_life(provider);
        provider->scope = ofi_strdup(name);
        if (name != NULL && provider->scope == NULL) {
            error = OF_ERROR_NO_MEMORY;
            goto out;
        }
        provider->closing = false;
        provider->starting = provider->methods.init != NULL;
        provider->started = provider->starting ? OF_ERROR_GENERAL : OF_OK; /* until init has said otherwise */
        if (provider->starting && (error = start_work(core, provider)) != OF_OK)
            goto out;
        atomic_store(&provider->unheard, provider->starting); /* before any evaluation can see it */
    }
    of_provider *before = domain->own;
    domain->own = of_provider_ref(provider);
    if (provider != NULL) {
        provider->bindings++;
        domain->users++;
    }
    if (before != NULL)
        domain->users--;
    if (before != NULL && --before->bindings == 0)
        ofi_mark_closing(core, before);
    *old = before;
    ofi_domains_publish(core, fresh ? provider : NULL);
    if (fresh && provider->methods.init == NULL)
        note_status(core, provider); /* 2.8.5.1 */
out:
    ofi_domain_unuse(core, domain);
    return error;
}

/* With core->lock held: the waiter is to hear how the provider starts, or started. */
static void wait_for(of_provider *provider, struct ofi_waiter *waiter)
{
    *waiter = (struct ofi_waiter){provider->waiters, provider->starting, provider->started};
    if (waiter->waits)
        provider->waiters = waiter;
}

static of_error await_started(struct ofi_core *core, of_provider *provider, struct ofi_waiter *waiter,
                              int timeout_ms)
{
    struct timespec deadline = ofi_deadline(timeout_ms);
    (void)pthread_mutex_lock(&core->lock);
    while (waiter->waits) {
        if (!ofi_wait_changed(core, timeout_ms, &deadline) || !waiter->waits)
            continue;
        struct ofi_waiter **link = &provider->waiters;
        while (*link != waiter)
            link = &(*link)->next;
        *link = waiter->next;
        waiter->waits = false;
        waiter->error = OF_ERROR_TIMED_OUT;
    }
    (void)pthread_mutex_unlock(&core->lock);
    return waiter->error;
}

of_error ofi_set_provider(struct ofi_core *core, const char *domain, of_provider *provider, bool wait,
                          int timeout_ms)
{
    of_provider *old = NULL;
    bool fresh = false;
    bool last = false;
    struct ofi_waiter waiter = {NULL, false, OF_OK};
    if (core == NULL || provider == &ofi_noop)
        return OF_ERROR_INVALID_ARGUMENT;
    ofi_close_left(core);
    (void)pthread_mutex_lock(&core->lock);
    of_error error = provider == NULL ? OF_OK : attach(core, provider, &fresh);
    if (error == OF_OK)
        error = bind_to(core, domain, provider, fresh, &old);
    if (error != OF_OK && fresh) {
        provider->starting = false;
        detach(provider);
    }
    last = old != NULL && old->bindings == 0;
    wait = wait && error == OF_OK && provider != NULL;
    if (wait)
        wait_for(of_provider_ref(provider), &waiter);
    (void)pthread_mutex_unlock(&core->lock);
    if (last)
        ofi_close_provider(core, old, false);
    else
        of_provider_unref(old);
    if (wait) {
        error = await_started(core, provider, &waiter, timeout_ms);
        of_provider_unref(provider);
    }
    return error;
}

of_provider *ofi_get_provider(struct ofi_core *core, const char *name)
{
    if (core == NULL)
        return &ofi_noop;
    (void)pthread_mutex_lock(&core->lock);
    struct ofi_domain *domain = ofi_domain_find(core, name);
    if (domain == NULL)
        domain = &core->default_domain;
    of_provider *provider = of_provider_ref(atomic_load(&domain->provider));
    (void)pthread_mutex_unlock(&core->lock);
    return provider;
}

/* With core->lock held: the next provider that has not been told in this round, or NULL. Those of the API's
 * context are the ones of domains without a context of their own. */
static of_provider *tell_next(struct ofi_core *core, const struct ofi_domain *scope, uint64_t round)
{
    for (struct ofi_domain *domain = &core->default_domain; domain != NULL; domain = domain->next) {
        of_provider *provider = domain->own;
        bool concerned = scope == NULL ? atomic_load(&domain->settings) == NULL : domain == scope;
        if (concerned && provider != NULL && provider->told != round)
            return provider;
    }
    return NULL;
}

/* With core->lock held, and let go while a provider has to be told on this thread. */
static of_error tell_providers(struct ofi_core *core, const struct ofi_domain *scope, of_context *context)
{
    of_error error = OF_OK;
    of_provider *provider = NULL;
    uint64_t round = ++core->next_number;
    while ((provider = tell_next(core, scope, round)) != NULL) {
        provider->told = round;
        if (provider->methods.on_context_changed == NULL) { /* nothing to reconcile, as in 2.8.5.1 */
            if (of_provider_get_status(provider) != OF_STATUS_NOT_READY)
                ofi_event_context_changed(core, provider);
            continue;
        }
        of_context_unref(provider->due);
        provider->due = of_context_ref(context);
        if (provider->busy || start_work(core, provider) == OF_OK)
            continue;
        error = OF_ERROR_NO_THREAD;
        provider->busy = true;
        (void)of_provider_ref(provider);
        work(core, provider);
        (void)pthread_mutex_unlock(&core->lock);
        of_provider_unref(provider);
        (void)pthread_mutex_lock(&core->lock);
    }
    return error;
}

static bool any_busy(const struct ofi_core *core)
{
    for (const struct ofi_domain *domain = &core->default_domain; domain != NULL; domain = domain->next)
        if (domain->own != NULL && (domain->own->reconciling || domain->own->due != NULL))
            return true;
    return false;
}

/* With core->lock held: replaces the context of the API or of a domain. The first context of a domain pins
 * it. */
static of_error put_context(struct ofi_core *core, struct ofi_domain *domain, const of_context *context,
                            struct ofi_settings **old)
{
    of_error error = OF_OK;
    bool had = domain != NULL && atomic_load(&domain->settings) != NULL;
    *old = ofi_settings_set_context(domain == NULL ? &core->settings : &domain->settings, context, &error);
    bool has = domain != NULL && atomic_load(&domain->settings) != NULL;
    if (has && !had)
        domain->users++;
    if (had && !has)
        domain->users--;
    return error;
}

of_error ofi_set_context(struct ofi_core *core, const char *name, const of_context *context, bool wait,
                         int timeout_ms)
{
    struct ofi_settings *old = NULL;
    struct ofi_domain *domain = NULL;
    of_error error = OF_OK;
    if (core == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    (void)pthread_mutex_lock(&core->lock);
    if (name != NULL && (domain = ofi_domain_use(core, name)) == NULL)
        error = OF_ERROR_NO_MEMORY;
    if (error == OF_OK)
        error = put_context(core, domain, context, &old);
    if (error == OF_OK) {
        of_context *applies = context_for(core, name);
        error = tell_providers(core, domain, applies);
        of_context_unref(applies);
    }
    struct timespec deadline = ofi_deadline(timeout_ms);
    while (error == OF_OK && wait && any_busy(core))
        if (ofi_wait_changed(core, timeout_ms, &deadline) && any_busy(core))
            error = OF_ERROR_TIMED_OUT;
    if (domain != NULL)
        ofi_domain_unuse(core, domain);
    (void)pthread_mutex_unlock(&core->lock);
    ofi_settings_retire(old);
    return error;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The end of a registered provider: on a thread that waits until no evaluation is inside, and its init and
 * on_context_changed have returned. Specification 1.6, 1.7 and 2.5.
 */
#include "core.h"

#include "memory_impl.h"

struct closing {
    struct ofi_core *core;
    of_provider *provider;
    uint64_t unlinked; /* evaluations that began before may be inside */
    bool again;        /* shutdown has run, and must once more when init was running then */
};

/* The provider is shut down and nobody is inside: it can be registered anew. */
static void set_free(struct ofi_core *core, of_provider *provider)
{
    (void)pthread_mutex_lock(&core->lock);
    of_context *now = provider->now;
    of_context *due = provider->due;
    of_free(provider->scope);
    provider->now = NULL;
    provider->due = NULL;
    provider->scope = NULL;
    provider->starting = false;
    atomic_store(&provider->unheard, false);
    provider->closing = false;
    provider->missed_status = false;
    provider->missed_change = false;
    atomic_store(&provider->status, OF_STATUS_NOT_READY);
    (void)pthread_mutex_lock(&provider->lock);
    provider->phase = OFI_FREE;
    provider->core = NULL;
    (void)pthread_cond_broadcast(&provider->changed);
    (void)pthread_mutex_unlock(&provider->lock);
    (void)pthread_cond_broadcast(&core->changed);
    (void)pthread_mutex_unlock(&core->lock);
    of_context_unref(now);
    of_context_unref(due);
}

static bool still_busy(struct ofi_core *core, of_provider *provider)
{
    (void)pthread_mutex_lock(&core->lock);
    bool busy = provider->busy;
    (void)pthread_mutex_unlock(&core->lock);
    return busy;
}

/* Until its init or on_context_changed has returned. Where that was just about to begin, it has not heard of
 * a shutdown that was before it; so it is told again, more and more seldom. */
static void await_idle(struct ofi_core *core, of_provider *provider)
{
    enum { FIRST_MS = 20, LAST_MS = 1000 };
    int pause = FIRST_MS;
    struct timespec deadline = ofi_deadline(pause);
    (void)pthread_mutex_lock(&core->lock);
    while (provider->busy) {
        if (!ofi_wait_changed(core, pause, &deadline) || !provider->busy)
            continue;
        (void)pthread_mutex_unlock(&core->lock);
        of_provider_shutdown(provider);
        pause = pause * 2 < LAST_MS ? pause * 2 : LAST_MS;
        deadline = ofi_deadline(pause);
        (void)pthread_mutex_lock(&core->lock);
    }
    (void)pthread_mutex_unlock(&core->lock);
}

static void close_now(const struct closing *job)
{
    ofi_wait_unused(job->provider, job->unlinked);
    bool busy = still_busy(job->core, job->provider);
    if (!job->again)
        of_provider_shutdown(job->provider);
    if (busy || job->again) {
        await_idle(job->core, job->provider);
        of_provider_shutdown(job->provider); /* of an init that was running then and is over now */
    }
    set_free(job->core, job->provider);
    of_provider_unref(job->provider);
    ofi_core_unref(job->core);
}

static void *close_thread(void *argument)
{
    struct closing job = *(struct closing *)argument;
    of_free(argument);
    close_now(&job);
    return NULL;
}

void ofi_mark_closing(struct ofi_core *core, of_provider *provider)
{
    provider->closing = true;
    if (provider->starting)
        ofi_note_started(provider, OF_ERROR_GENERAL);
    (void)pthread_mutex_lock(&provider->lock);
    provider->phase = OFI_CLOSING;
    (void)pthread_mutex_unlock(&provider->lock);
    (void)pthread_cond_broadcast(&core->changed); /* somebody may be waiting for its start */
}

/* On a thread; without one here, where that cannot wait for itself; else when the API is used next. */
static void close_somewhere(const struct closing *job)
{
    struct closing *copy = of_alloc(sizeof *copy);
    if (copy != NULL) {
        *copy = *job;
        if (ofi_thread(close_thread, copy))
            return;
        of_free(copy);
    }
    if (!ofi_evaluating()) {
        close_now(job);
        return;
    }
    (void)pthread_mutex_lock(&job->core->lock);
    job->provider->unlinked = job->unlinked;
    job->provider->again = job->again;
    job->provider->left = true;
    job->provider->unclosed = job->core->unclosed;
    job->core->unclosed = job->provider;
    (void)pthread_mutex_unlock(&job->core->lock);
}

void ofi_close_left(struct ofi_core *core)
{
    (void)pthread_mutex_lock(&core->lock);
    of_provider *left = core->unclosed;
    core->unclosed = NULL;
    for (of_provider *provider = left; provider != NULL; provider = provider->unclosed)
        provider->left = false;
    (void)pthread_mutex_unlock(&core->lock);
    while (left != NULL) {
        const struct closing job = {core, left, left->unlinked, left->again}; /* with the references it has */
        left = left->unclosed;
        close_somewhere(&job);
    }
}

void ofi_close_provider(struct ofi_core *core, of_provider *provider, bool at_once)
{
    struct closing job = {ofi_core_ref(core), provider, ofi_unlinked(), false};
    if (at_once) {
        bool busy = still_busy(core, provider);
        of_provider_shutdown(provider);
        if (!busy && !still_busy(core, provider) && !ofi_in_use(provider, job.unlinked)) {
            set_free(core, provider);
            of_provider_unref(provider);
            ofi_core_unref(core);
            return;
        }
        job.again = busy;
    }
    close_somewhere(&job);
}

/* The API that it is of may be one that nobody uses any more, so what that one could not close yet is closed
 * from here. */
void ofi_await_closed(of_provider *provider)
{
    struct ofi_core *core = ofi_core_ref(provider->core); /* NULL: of a wrapper, which is about it */
    (void)pthread_mutex_unlock(&provider->lock);
    if (core != NULL)
        ofi_close_left(core);
    (void)pthread_mutex_lock(&provider->lock);
    while (provider->phase == OFI_CLOSING && provider->core == core)
        (void)pthread_cond_wait(&provider->changed, &provider->lock);
    (void)pthread_mutex_unlock(&provider->lock);
    ofi_core_unref(core);
}

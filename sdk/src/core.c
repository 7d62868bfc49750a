/* SPDX-License-Identifier: Apache-2.0 */
/* API objects: the two global ones, isolated ones, their counting and their shutting down; threads and
 * waiting. */
#include "core.h"

#include <errno.h>
#include <signal.h>
#include <string.h>
#include <time.h>

#include "memory_impl.h"

/* The global API objects of the process, one for each paradigm. */
static struct {
    pthread_once_t once;
    struct ofi_core dynamic;
    struct ofi_core fixed;
} process = {.once = PTHREAD_ONCE_INIT};

static void make_condition(pthread_cond_t *condition)
{
    pthread_condattr_t attributes;
    (void)pthread_condattr_init(&attributes);
    (void)pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    (void)pthread_cond_init(condition, &attributes);
    (void)pthread_condattr_destroy(&attributes);
}

static void core_init(struct ofi_core *core, bool is_static)
{
    atomic_init(&core->refs, 1);
    atomic_init(&core->handles, 1);
    core->is_static = is_static;
    (void)pthread_mutex_init(&core->lock, NULL);
    make_condition(&core->changed);
    core->default_domain.users = 1;
    atomic_init(&core->default_domain.provider, &ofi_noop);
    core->queue_tail = &core->queue;
    core->tasks_tail = &core->tasks;
}

static void prepare_fork(void)
{
    (void)pthread_mutex_lock(&process.dynamic.lock);
    (void)pthread_mutex_lock(&process.fixed.lock);
    ofi_providers_fork_prepare();
    ofi_reader_fork_prepare();
}

static void after_fork_in_parent(void)
{
    ofi_reader_fork_parent();
    ofi_providers_fork_parent();
    (void)pthread_mutex_unlock(&process.fixed.lock);
    (void)pthread_mutex_unlock(&process.dynamic.lock);
}

/* The threads of the API objects stayed behind: what they were doing is over, and a new one starts when
 * needed. */
static void forget_threads(struct ofi_core *core)
{
    ofi_dispatcher_forget(core);
    ofi_tasks_forget(core);
    make_condition(&core->changed); /* as others waited at it, it is of no use here */
    (void)pthread_mutex_unlock(&core->lock);
}

static void after_fork_in_child(void)
{
    ofi_reader_fork_child();
    ofi_providers_fork_child();
    forget_threads(&process.fixed);
    forget_threads(&process.dynamic);
}

static void process_init(void)
{
    core_init(&process.dynamic, false);
    core_init(&process.fixed, true);
    process.dynamic.global = true;
    process.fixed.global = true;
    (void)pthread_atfork(prepare_fork, after_fork_in_parent, after_fork_in_child);
}

struct ofi_core *ofi_core_global(bool is_static)
{
    (void)pthread_once(&process.once, process_init);
    return is_static ? &process.fixed : &process.dynamic;
}

struct ofi_core *ofi_core_new(bool is_static)
{
    (void)ofi_core_global(false);
    struct ofi_core *core = ofi_zalloc(1, sizeof *core);
    if (core != NULL)
        core_init(core, is_static);
    return core;
}

struct ofi_core *ofi_core_ref(struct ofi_core *core)
{
    if (core != NULL && !core->global)
        atomic_fetch_add_explicit(&core->refs, 1, memory_order_relaxed);
    return core;
}

void ofi_core_unref(struct ofi_core *core)
{
    if (core == NULL || core->global || atomic_fetch_sub_explicit(&core->refs, 1, memory_order_acq_rel) != 1)
        return;
    while (core->default_domain.next != NULL) { /* none is left but by a leaked client */
        struct ofi_domain *domain = core->default_domain.next;
        core->default_domain.next = domain->next;
        of_free(domain->name);
        of_free(domain);
    }
    (void)pthread_cond_destroy(&core->changed);
    (void)pthread_mutex_destroy(&core->lock);
    of_free(core);
}

void ofi_core_handle_unref(struct ofi_core *core)
{
    if (core == NULL || core->global ||
        atomic_fetch_sub_explicit(&core->handles, 1, memory_order_acq_rel) != 1)
        return;
    ofi_shutdown(core);
    ofi_core_unref(core);
}

/* Unbinds one provider; returns it, with the reference of the binding, when it was bound nowhere else. */
static of_provider *unbind_one(struct ofi_core *core)
{
    for (struct ofi_domain *domain = &core->default_domain, *next; domain != NULL; domain = next) {
        next = domain->next;
        of_provider *provider = domain->own;
        if (provider == NULL)
            continue;
        domain->own = NULL;
        ofi_domain_unuse(core, domain);
        if (--provider->bindings == 0)
            return provider;
        of_provider_unref(provider); /* not the last one */
        next = &core->default_domain;
    }
    return NULL;
}

/* Takes away what was set; the old settings, one domain's at a time. */
static struct ofi_settings *unset_one(struct ofi_core *core)
{
    struct ofi_settings *old = atomic_exchange(&core->settings, NULL);
    for (struct ofi_domain *domain = core->default_domain.next; old == NULL && domain != NULL;
         domain = domain->next) {
        old = atomic_exchange(&domain->settings, NULL);
        if (old == NULL)
            continue;
        ofi_domain_unuse(core, domain);
        break;
    }
    return old;
}

void ofi_shutdown(struct ofi_core *core)
{
    struct ofi_settings *old = NULL;
    of_provider *provider = NULL;
    ofi_off_all(core, NULL);
    ofi_dispatcher_stop(core);
    do {
        (void)pthread_mutex_lock(&core->lock);
        old = unset_one(core);
        (void)pthread_mutex_unlock(&core->lock);
        ofi_settings_retire(old);
    } while (old != NULL);
    do {
        (void)pthread_mutex_lock(&core->lock);
        provider = unbind_one(core);
        if (provider != NULL)
            ofi_mark_closing(core, provider);
        ofi_domains_publish(core, &ofi_noop);
        (void)pthread_mutex_unlock(&core->lock);
        if (provider != NULL)
            ofi_close_provider(core, provider, true);
    } while (provider != NULL);
    ofi_close_left(core);
    ofi_reap(NULL);
}

struct timespec ofi_deadline(int timeout_ms)
{
    enum { MS = 1000, NS_IN_MS = 1000 * 1000, NS = 1000 * 1000 * 1000 };
    struct timespec at;
    (void)clock_gettime(CLOCK_MONOTONIC, &at);
    if (timeout_ms < 0)
        return at;
    at.tv_sec += timeout_ms / MS;
    at.tv_nsec += (long)(timeout_ms % MS) * NS_IN_MS;
    if (at.tv_nsec >= NS) {
        at.tv_nsec -= NS;
        at.tv_sec++;
    }
    return at;
}

bool ofi_wait_changed(struct ofi_core *core, int timeout_ms, const struct timespec *deadline)
{
    if (timeout_ms < 0)
        return pthread_cond_wait(&core->changed, &core->lock) != 0;
    return pthread_cond_timedwait(&core->changed, &core->lock, deadline) == ETIMEDOUT;
}

bool ofi_thread_joinable(pthread_t *thread, void *(*run)(void *argument), void *argument)
{
    sigset_t all, before;
    (void)sigfillset(&all);
    if (pthread_sigmask(SIG_SETMASK, &all, &before) != 0)
        return false;
    bool started = pthread_create(thread, NULL, run, argument) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    return started;
}

bool ofi_thread(void *(*run)(void *argument), void *argument)
{
    pthread_t thread;
    if (!ofi_thread_joinable(&thread, run, argument))
        return false;
    (void)pthread_detach(thread);
    return true;
}

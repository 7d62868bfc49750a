/* SPDX-License-Identifier: Apache-2.0 */
/*
 * provider.c: flagstaff/live_provider.h: making and ending a provider, and its figures.
 */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <openfeature/memory.h>

static const char NAME[] = "flagstaff-live";

static void free_live(struct live *live)
{
    if (live == NULL) {
        return;
    }
    of_value_unref(live->style.over);
    of_value_unref(live->waiting);
    live_options_finish(&live->options);
    ofo_finish(&live->outbox);
    pthread_cond_destroy(&live->news);
    pthread_mutex_destroy(&live->lock);
    of_free(live);
}

static void destroy(void *self)
{
    live_shutdown(self);
    if (!live_forked(self) && live_await_ended(self)) {
        free_live(self);
    }
}

/* Of the static paradigm. In the dynamic one each evaluation brings its context, and there is nothing to
 * reconcile. */
static const of_provider_methods static_methods = {
    .size = sizeof static_methods,
    .name = NAME,
    .init = live_init,
    .shutdown = live_shutdown,
    .destroy = destroy,
    .resolve_bool = live_resolve_bool,
    .resolve = live_resolve,
    .on_context_changed = live_context_changed,
};

static of_provider_methods methods_of(bool static_context)
{
    of_provider_methods methods = static_methods;
    if (!static_context) {
        methods.on_context_changed = NULL;
    }
    return methods;
}

static bool is_live(const of_provider *provider)
{
    const of_provider_methods dynamic = methods_of(false);
    return of_provider_is(provider, &static_methods) || of_provider_is(provider, &dynamic);
}

static of_value *metadata(const char *text)
{
    of_value *object = of_value_object();
    if (of_value_set_string(object, "flagstaff.error", text) != OF_OK) {
        of_value_unref(object);
        return NULL;
    }
    return object;
}

/* The lease is taken to end so much earlier: a tick of the coarse clock, rounded up. */
static int64_t margin(void)
{
    struct timespec tick = {0, 0};
    clock_getres(CLOCK_MONOTONIC_COARSE, &tick);
    return tick.tv_sec * 1000 + tick.tv_nsec / 1000000 + 1;
}

static bool init_locks(struct live *live)
{
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&live->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&live->lock, NULL);
    return ofo_init(&live->outbox, NULL, &live->lock);
}

static struct live *make_live(const of_live_options *options, const char **why)
{
    struct live *live = of_alloc(sizeof *live);
    if (live == NULL) {
        return NULL;
    }
    memset(live, 0, sizeof *live);
    bool fine = init_locks(live);
    live->pid = getpid();
    live->clean = true;
    live->margin = margin();
    if (getrandom(&live->style.seed, sizeof live->style.seed, GRND_NONBLOCK) !=
        (ssize_t)sizeof live->style.seed) {
        live->style.seed = live_tick() ^ (uint64_t)(uintptr_t)live;
    }
    if (!live_options_copy(&live->options, options, why)) {
        free_live(live);
        return NULL;
    }
    live->by_subject =
        live->options.watch_on_count == 1 && strcmp(live->options.watch_on[0], OF_TARGETING_KEY) == 0;
    live->simple =
        live->by_subject && !live->options.static_context && live->options.others != OF_LIVE_OTHERS_EVALUATED;
    live->style.causes = live->options.causes;
    live->style.over = metadata("the lease is over: the daemon may not be heard any more");
    live->waiting = metadata("the values of this context are not here yet");
    *why = "out of memory";
    if (!fine || live->style.over == NULL || live->waiting == NULL) {
        free_live(live);
        return NULL;
    }
    return live;
}

of_provider *of_live_provider_new(const of_live_options *options, char *problem, size_t problem_size)
{
    const char *why = "out of memory";
    char text[200] = "";
    struct live *live = make_live(options, &why);
    if (live != NULL && !live_client_make(live, text, sizeof text)) {
        why = text;
        free_live(live);
        live = NULL;
    }
    const of_provider_methods methods = methods_of(live != NULL && live->options.static_context);
    of_provider *provider = live == NULL ? NULL : of_provider_new(&methods, live);
    if (provider != NULL) {
        live->provider = live->outbox.provider = provider;
        return provider;
    }
    if (problem != NULL && problem_size > 0) {
        snprintf(problem, problem_size, "%s", why);
    }
    if (live != NULL) {
        fsw_client_destroy(live->client);
        free_live(live);
    }
    return NULL;
}

bool of_live_provider_stats(of_provider *provider, of_live_stats *stats)
{
    if (stats == NULL || !is_live(provider)) {
        return false;
    }
    struct live *live = of_provider_self(provider);
    struct fsw_stats wire;
    of_live_stats all = {.size = stats->size};
    if (live_forked(live)) {
        return false;
    }
    pthread_mutex_lock(&live->lock);
    bool started = live->client != NULL && live->started;
    if (started) {
        const struct live_map *map = atomic_load(&live->map);
        fsw_client_stats(live->client, &wire);
        all.attempts = wire.attempts;
        all.connections = wire.connections;
        all.resumed = wire.resumed;
        all.snapshots = wire.snapshots;
        all.deltas = wire.deltas;
        all.acknowledgements = wire.acks;
        all.revision = wire.revision;
        all.acknowledged = wire.acked;
        all.lease_left = wire.lease_left;
        all.watches = (map == NULL ? 0 : map->count) + (atomic_load(&live->only) != NULL);
        all.evicted = live->evicted;
    }
    pthread_mutex_unlock(&live->lock);
    if (started) {
        memcpy(stats, &all, stats->size < sizeof all ? stats->size : sizeof all);
    }
    return started;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ofrep.c: openfeature/providers/ofrep.h: making and ending a provider, and OpenFeature's functions.
 */
#include "ofrep.h"

#include <stdio.h>
#include <string.h>
#include <sys/random.h>
#include <unistd.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

bool ofrep_forked(const struct ofrep *ofrep)
{
    return ofrep->pid != getpid();
}

void ofrep_heed(struct ofrep *ofrep, const struct http_request *request)
{
    bool limited = request->status == 429 || request->status == 503;
    if (limited && request->retry_after >= 0) {
        int64_t seconds = request->retry_after > 3600 ? 3600 : request->retry_after;
        ofrep->not_before = http_now() + seconds * 1000;
    }
}

of_error ofrep_failure(const struct http_request *request, char *text, size_t size)
{
    of_value *json = NULL;
    if (request->code != CURLE_OK) {
        snprintf(text, size, "no answer: %s", request->error);
        return OF_ERROR_GENERAL;
    }
    if (request->is_json && request->answer != NULL) {
        (void)of_value_from_json(request->answer, request->length, &json, NULL);
    }
    const char *code = of_value_as_string(of_value_get(json, "errorCode"), NULL);
    const char *details = of_value_as_string(of_value_get(json, "errorDetails"), "");
    of_error error = request->status == 200   ? OF_ERROR_PARSE_ERROR
                     : code != NULL           ? error_named(code)
                     : request->status == 404 ? OF_ERROR_FLAG_NOT_FOUND
                                              : OF_ERROR_GENERAL;
    snprintf(text, size, "the server answered %ld%s%.200s", request->status, details[0] == '\0' ? "" : ": ",
             details);
    of_value_unref(json);
    return error;
}

/* --- life -------------------------------------------------------------------------------------------- */

static bool start(struct ofrep *ofrep)
{
    const struct http_setup setup = {.ca_file = ofrep->options.ca_file,
                                     .proxy = ofrep->options.proxy,
                                     .tick = ofrep->options.static_context ? bulk_tick : NULL,
                                     .user = ofrep};
    if (ofrep->http == NULL) {
        ofrep->http = http_start(&setup);
    }
    return ofrep->http != NULL;
}

/* With the lock: what init and a change of context have in common. */
static of_error fetch(struct ofrep *ofrep, const of_context *context, char *text, size_t size)
{
    struct bulk *bulk = &ofrep->bulk;
    snprintf(text, size, "out of memory");
    bulk->quiet = true;
    bool wanted = bulk_want(ofrep, context);
    if (wanted) {
        http_wake(ofrep->http);
    }
    of_error error = wanted ? bulk_await(ofrep, text, size) : OF_ERROR_NO_MEMORY;
    bulk->quiet = false;
    bulk->announced = error == OF_OK ? OF_STATUS_READY : OF_STATUS_ERROR;
    return error;
}

static void finish(struct ofrep *ofrep, struct http *http)
{
    http_stop(http); /* ends the requests that others wait for */
    pthread_mutex_lock(&ofrep->lock);
    while (ofrep->inside > 0) {
        pthread_cond_wait(&ofrep->news, &ofrep->lock);
    }
    bulk_finish(ofrep);
    ofrep->ending = NULL;
    ofrep->ends = false;
    ofrep->clean = ofrep->http == NULL;
    pthread_cond_broadcast(&ofrep->news);
    pthread_mutex_unlock(&ofrep->lock);
}

static void *finish_elsewhere(void *argument)
{
    struct ofrep *ofrep = argument;
    finish(ofrep, ofrep->ending);
    of_provider_unref(ofrep->provider);
    return NULL;
}

/* With the lock: `key` shuts the provider down, and a thread cannot wait for its own end. Where there is no
 * other to be had, the next start waits for it, or the provider's end. */
static void finish_later(struct ofrep *ofrep, struct http *http)
{
    pthread_t thread;
    ofrep->ending = http;
    of_provider_ref(ofrep->provider);
    ofrep->ends = pthread_create(&thread, NULL, finish_elsewhere, ofrep) == 0;
    if (ofrep->ends) {
        (void)pthread_detach(thread);
    } else {
        of_provider_unref(ofrep->provider); /* not the last one: it is being shut down */
    }
}

/* Waits for what finish_later() has put off; not on that thread. */
static void await_finished(struct ofrep *ofrep)
{
    pthread_mutex_lock(&ofrep->lock);
    while (ofrep->ends) {
        pthread_cond_wait(&ofrep->news, &ofrep->lock);
    }
    struct http *ending = ofrep->ending;
    pthread_mutex_unlock(&ofrep->lock);
    if (ending != NULL) {
        finish(ofrep, ending);
    }
}

/* A process may have forked since it made the provider, as daemons do. What was never started, or has ended,
 * is as good there; where something was under way, the lock and all that it guards may be as another of the
 * parent's threads had it. */
static bool take_over(struct ofrep *ofrep)
{
    if (!ofrep_forked(ofrep)) {
        return true;
    }
    if (pthread_mutex_trylock(&ofrep->lock) != 0) {
        return false;
    }
    bool fine = ofrep->clean;
    if (fine) {
        ofrep->pid = getpid();
    }
    pthread_mutex_unlock(&ofrep->lock);
    return fine;
}

static of_error init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct ofrep *ofrep = self;
    char text[300] = "out of memory, or no thread to be had";
    (void)domain;
    if (!take_over(ofrep)) {
        snprintf(text, sizeof text, "it was made by the process that this one is a fork of: make a new one");
        return of_provider_emit_error(provider, OF_ERROR_GENERAL, text);
    }
    await_finished(ofrep);
    pthread_mutex_lock(&ofrep->lock);
    ofrep->clean = false;
    ofrep->closing = false;
    of_error error = start(ofrep) ? OF_OK : OF_ERROR_NO_THREAD;
    if (error == OF_OK && ofrep->options.static_context) {
        error = fetch(ofrep, context, text, sizeof text);
    }
    if (error == OF_OK) {
        ofo_put_status(&ofrep->outbox, OF_EVENT_READY, NULL);
    } else {
        (void)ofo_put_error(&ofrep->outbox, error, text);
    }
    ofo_unlock(&ofrep->outbox);
    return error;
}

static of_error context_changed(void *self, of_provider *provider, const of_context *before,
                                const of_context *now)
{
    struct ofrep *ofrep = self;
    char text[300] = "the provider is not started";
    of_error error = OF_ERROR_PROVIDER_NOT_READY;
    (void)provider, (void)before;
    if (ofrep_forked(ofrep)) {
        return OF_OK;
    }
    pthread_mutex_lock(&ofrep->lock);
    if (ofrep->http != NULL && !ofrep->closing) {
        ofo_put_status(&ofrep->outbox, OF_EVENT_RECONCILING, NULL);
        ofo_tell(&ofrep->outbox);
    }
    if (ofrep->http != NULL && !ofrep->closing) {
        error = fetch(ofrep, now, text, sizeof text);
    }
    if (error == OF_OK) {
        ofo_put_status(&ofrep->outbox, OF_EVENT_CONTEXT_CHANGED, NULL);
    } else {
        (void)ofo_put_error(&ofrep->outbox, error, text);
    }
    ofo_unlock(&ofrep->outbox);
    return error;
}

static void shutdown_provider(void *self)
{
    struct ofrep *ofrep = self;
    if (ofrep_forked(ofrep)) {
        return; /* the thread is the parent's */
    }
    pthread_mutex_lock(&ofrep->lock);
    struct http *http = ofrep->http;
    bool own = http_is_own_thread(http);
    ofrep->http = NULL;
    ofrep->closing = true;
    pthread_cond_broadcast(&ofrep->news);
    if (own) {
        finish_later(ofrep, http);
    }
    bool put_off = own || ofrep->ending != NULL;
    pthread_mutex_unlock(&ofrep->lock);
    if (!put_off) {
        finish(ofrep, http);
    }
}

static void free_ofrep(struct ofrep *ofrep)
{
    if (ofrep != NULL) {
        ofrep_options_finish(ofrep);
        ofo_finish(&ofrep->outbox);
        pthread_cond_destroy(&ofrep->news);
        pthread_mutex_destroy(&ofrep->lock);
        of_free(ofrep);
    }
}

static void destroy(void *self)
{
    struct ofrep *ofrep = self;
    shutdown_provider(ofrep);
    if (ofrep_forked(ofrep) || http_is_own_thread(ofrep->ending)) {
        return; /* left as it is: the thread is the parent's, or this one */
    }
    await_finished(ofrep);
    free_ofrep(ofrep);
}

/* --- evaluation -------------------------------------------------------------------------------------- */

static of_error resolve_static(struct ofrep *ofrep, const char *key, of_type type,
                               const of_flag_value *otherwise, const of_context *context,
                               of_resolution *resolution)
{
    struct flags *flags = atomic_load_explicit(&ofrep->flags, memory_order_acquire);
    if (flags == NULL || !of_context_equal(flags->context, context)) {
        resolution->error_message = "no values of this context are here";
        return OF_ERROR_PROVIDER_NOT_READY;
    }
    struct item *item = flags_find(flags, key);
    if (item == NULL) {
        resolution->error_message = "there is no such flag";
        return OF_ERROR_FLAG_NOT_FOUND;
    }
    return item_answer(item, type, otherwise, resolution);
}

static of_error resolve(void *self, const char *key, of_type type, const of_flag_value *otherwise,
                        const of_context *context, of_resolution *resolution)
{
    struct ofrep *ofrep = self;
    return ofrep->options.static_context ? resolve_static(ofrep, key, type, otherwise, context, resolution)
                                         : single_resolve(ofrep, key, type, otherwise, context, resolution);
}

static const of_provider_methods methods = {
    .size = sizeof methods,
    .name = "ofrep",
    .init = init,
    .shutdown = shutdown_provider,
    .destroy = destroy,
    .on_context_changed = context_changed,
    .resolve = resolve,
};

/* In the dynamic paradigm each evaluation brings its context, and there is nothing to reconcile. */
static of_provider *make_provider(struct ofrep *ofrep)
{
    of_provider_methods its = methods;
    if (!ofrep->options.static_context) {
        its.on_context_changed = NULL;
    }
    return of_provider_new(&its, ofrep);
}

of_provider *of_ofrep_provider_new(const of_ofrep_options *options, char *problem, size_t problem_size)
{
    const char *why = "out of memory";
    struct ofrep *ofrep = of_alloc(sizeof *ofrep);
    of_provider *provider = NULL;
    if (ofrep != NULL) {
        memset(ofrep, 0, sizeof *ofrep);
        pthread_mutex_init(&ofrep->lock, NULL);
        pthread_cond_init(&ofrep->news, NULL);
        ofrep->pid = getpid();
        ofrep->clean = true;
        ofrep->bulk.fetch_at = INT64_MAX;
        if (getrandom(&ofrep->bulk.chance, sizeof ofrep->bulk.chance, GRND_NONBLOCK) < 0) {
            ofrep->bulk.chance = (uint64_t)http_now();
        }
        bool fine = ofo_init(&ofrep->outbox, NULL, &ofrep->lock);
        if (ofrep_options_copy(ofrep, options, &why)) {
            why = "out of memory";
            provider = fine ? make_provider(ofrep) : NULL;
        }
    }
    if (provider != NULL) {
        ofrep->provider = ofrep->outbox.provider = provider;
        return provider;
    }
    if (problem != NULL && problem_size > 0) {
        snprintf(problem, problem_size, "%s", why);
    }
    free_ofrep(ofrep);
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * life.c: start, end and change of the static context. `init` and `on_context_changed` wait for the daemon,
 * so they are woken by every piece of news and by the end.
 */
#include "live.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <unistd.h>

#include "convert.h"

struct timespec live_moment(unsigned ms)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    moment.tv_sec += ms / 1000;
    moment.tv_nsec += (long)(ms % 1000) * 1000000;
    if (moment.tv_nsec >= 1000000000) {
        moment.tv_sec++;
        moment.tv_nsec -= 1000000000;
    }
    return moment;
}

bool live_wait(struct live *live, const struct timespec *until)
{
    return pthread_cond_timedwait(&live->news, &live->lock, until) != ETIMEDOUT;
}

void live_enter(struct live *live)
{
    live->inside++;
}

void live_leave(struct live *live)
{
    if (--live->inside == 0 && live->closing) {
        pthread_cond_broadcast(&live->news);
    }
}

bool live_forked(const struct live *live)
{
    return live->pid != getpid();
}

/* A process may have forked since it made the provider, as daemons do. What was never started, or has ended,
 * is as good there; where something was under way, the lock and all that it guards may be as another of the
 * parent's threads had it. */
static bool take_over(struct live *live)
{
    if (!live_forked(live)) {
        return true;
    }
    if (pthread_mutex_trylock(&live->lock) != 0) {
        return false;
    }
    bool fine = live->clean;
    if (fine) {
        live->pid = getpid();
    }
    pthread_mutex_unlock(&live->lock);
    return fine;
}

bool live_client_make(struct live *live, char *problem, size_t size)
{
    struct fsw_options options = live_wire_options(live);
    live->client = fsw_client_create(&options, problem, size);
    live->pid = getpid();
    live->started = false;
    live->state = FSW_CONNECTING;
    return live->client != NULL;
}

static bool refused(int code)
{
    return code == 401 || code == 403 || code == 4401 || code == 4403;
}

bool live_trouble(const struct live *live, char *text, size_t size)
{
    if (live->state == FSW_READY) {
        return false;
    }
    if (refused(live->code)) {
        snprintf(text, size, "the daemon at %.100s refuses the credential (%d): %.200s", live->options.url,
                 live->code, live->message);
    } else {
        snprintf(text, size, "no connection to %.100s%s%.200s", live->options.url,
                 live->message[0] == '\0' ? " yet" : ": ", live->message);
    }
    return true;
}

/* With the lock: until the daemon has answered, in whatever way, or the time is over. */
static void await_daemon(struct live *live)
{
    struct timespec until = live_moment(live->options.start_timeout);
    while (!live->closing && !live_settled(live) && !(refused(live->code) && live->state != FSW_READY) &&
           live_wait(live, &until)) {
    }
}

/* With the lock: how it ended, with a text where it did not end well. */
static of_error outcome(const struct live *live, char *text, size_t size)
{
    const struct live_entry *only = atomic_load(&live->only);
    if (live_settled(live) && only != NULL && only->refused) {
        snprintf(text, size, "%s", only->message);
        return only->error;
    }
    if (live_settled(live)) {
        return OF_OK;
    }
    char trouble[360] = "it has not answered";
    if (live->closing) {
        snprintf(text, size, "it was shut down while it started");
        return OF_ERROR_PROVIDER_NOT_READY;
    }
    (void)live_trouble(live, trouble, sizeof trouble);
    if (refused(live->code)) {
        snprintf(text, size, "%s", trouble);
        return OF_ERROR_GENERAL;
    }
    snprintf(text, size, "no values from %.100s within %u ms, trying on: %s", live->options.url,
             live->options.start_timeout, trouble);
    return OF_ERROR_PROVIDER_NOT_READY;
}

/* With the lock: a new context takes the place of the one that was; its values are not here yet. */
static bool change_only(struct live *live, const of_context *context, struct live_ended *ended)
{
    struct live_entry *entry = live_entry_new(live, NULL);
    if (entry != NULL) {
        entry->context = of_context_ref(context);
    }
    if (entry == NULL || entry->context == NULL || !live_entry_name(entry, context) ||
        !live_entry_watch(entry, context, true, NULL)) {
        live_entry_free(entry);
        return false;
    }
    struct live_entry *old = atomic_exchange(&live->only, entry);
    if (old != NULL) {
        live_entry_end(old, ended);
    }
    return true;
}

static bool start_client(struct live *live, const of_context *context, struct live_ended *ended)
{
    if (live->client == NULL && !live_client_make(live, NULL, 0)) {
        return false;
    }
    if (live->options.static_context && !change_only(live, context, ended)) {
        return false;
    }
    live->started = live->started || fsw_client_start(live->client);
    return live->started;
}

of_error live_init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct live *live = self;
    struct live_ended ended = {NULL, NULL};
    char text[400] = "out of memory, or no thread to be had";
    of_error error = OF_ERROR_NO_MEMORY;
    (void)domain;
    if (!take_over(live)) {
        snprintf(text, sizeof text, "it was made by the process that this one is a fork of: make a new one");
        (void)of_provider_emit_error(provider, OF_ERROR_GENERAL, text);
        return OF_ERROR_GENERAL;
    }
    (void)live_await_ended(live);
    pthread_mutex_lock(&live->lock);
    live->clean = false;
    live->closing = false;
    live->starting = true;
    live->fallen = false;
    live->announced = LIVE_NOTHING;
    live->code = 0;
    live_enter(live);
    if (start_client(live, context, &ended)) {
        await_daemon(live);
        error = outcome(live, text, sizeof text);
    }
    live->starting = false;
    live->announced = error == OF_OK ? LIVE_READY : LIVE_ERROR;
    if (error == OF_OK) {
        ofo_put_status(&live->outbox, OF_EVENT_READY, NULL);
        live_announce(live); /* it may be otherwise by now */
    } else {
        (void)ofo_put_error(&live->outbox, error, text);
    }
    ofo_unlock(&live->outbox);
    live_release(live, &ended);
    pthread_mutex_lock(&live->lock);
    live_leave(live);
    pthread_mutex_unlock(&live->lock);
    return error;
}

/* With the lock, which it lets go for a moment. */
static of_error reconcile(struct live *live, const of_context *now, char *text, size_t size)
{
    struct live_ended ended = {NULL, NULL};
    ofo_put_status(&live->outbox, OF_EVENT_RECONCILING, NULL);
    live->starting = true;
    bool changed = live->client != NULL && !live->closing && change_only(live, now, &ended);
    ofo_unlock(&live->outbox);
    live_release(live, &ended);
    pthread_mutex_lock(&live->lock);
    if (changed) {
        await_daemon(live);
    } else {
        snprintf(text, size, "the context could not be changed: out of memory, or not started");
    }
    of_error error = changed ? outcome(live, text, size) : OF_ERROR_GENERAL;
    live->starting = false;
    return error;
}

of_error live_context_changed(void *self, of_provider *provider, const of_context *before,
                              const of_context *now)
{
    struct live *live = self;
    char text[400] = "";
    of_error error = OF_OK;
    (void)before;
    (void)provider;
    if (live_forked(live)) {
        return OF_OK;
    }
    pthread_mutex_lock(&live->lock);
    live_enter(live);
    const struct live_entry *only = atomic_load(&live->only);
    bool same = only != NULL && only->answered && of_context_equal(only->context, now);
    if (!same) {
        error = reconcile(live, now, text, sizeof text);
    }
    if (error == OF_OK) {
        live->announced = LIVE_READY;
        ofo_put_status(&live->outbox, OF_EVENT_CONTEXT_CHANGED, NULL);
    } else {
        live->announced = LIVE_ERROR;
        (void)ofo_put_error(&live->outbox, error, text);
    }
    live_announce(live); /* it may be otherwise by now */
    ofo_tell(&live->outbox);
    live_leave(live);
    pthread_mutex_unlock(&live->lock);
    return error;
}

/* Ends the client, and its watches with it. */
static void end_client(struct live *live, struct fsw_client *client, struct live_ended *ended)
{
    fsw_client_destroy(client);
    for (struct live_entry *entry = ended->entries; entry != NULL; entry = entry->next) {
        entry->ending = NULL;
    }
    live_release(live, ended);
}

static void end_late(struct live *live)
{
    end_client(live, live->ending, &live->late);
    pthread_mutex_lock(&live->lock);
    live->ending = NULL;
    live->ends = false;
    live->clean = live->client == NULL;
    pthread_cond_broadcast(&live->news);
    pthread_mutex_unlock(&live->lock);
}

static void *end_elsewhere(void *argument)
{
    struct live *live = argument;
    end_late(live);
    of_provider_unref(live->provider);
    return NULL;
}

/* With the lock: a callback of the program's shuts the provider down, and a thread cannot wait for its own
 * end. Where there is no other to be had, the next start waits for it, or the provider's end. */
static void end_elsewhere_begin(struct live *live)
{
    pthread_t thread;
    of_provider_ref(live->provider);
    live->ends = pthread_create(&thread, NULL, end_elsewhere, live) == 0;
    if (live->ends) {
        (void)pthread_detach(thread);
    } else {
        of_provider_unref(live->provider); /* not the last one: it is being shut down */
    }
}

bool live_await_ended(struct live *live)
{
    pthread_mutex_lock(&live->lock);
    /* By the thread and not by the client, which another thread may be about to free. */
    bool own = live->ending != NULL && pthread_equal(live->ending_thread, pthread_self());
    while (live->ends && !own) {
        pthread_cond_wait(&live->news, &live->lock);
    }
    bool left = live->ending != NULL && !own;
    pthread_mutex_unlock(&live->lock);
    if (left) {
        end_late(live);
    }
    return !own;
}

void live_shutdown(void *self)
{
    struct live *live = self;
    struct live_ended ended = {NULL, NULL};
    if (live_forked(live)) {
        return; /* thread and connection are the parent's */
    }
    pthread_mutex_lock(&live->lock);
    live->closing = true;
    pthread_cond_broadcast(&live->news);
    while (live->inside > 0) {
        pthread_cond_wait(&live->news, &live->lock);
    }
    struct fsw_client *client = live->client;
    live->client = NULL;
    live->started = false;
    live_close_all(live, &ended);
    if (fsw_client_is_own_thread(client)) {
        live->ending = client;
        live->ending_thread = pthread_self();
        live->late = ended;
        client = NULL;
        ended = (struct live_ended){NULL, NULL};
        end_elsewhere_begin(live);
    }
    pthread_mutex_unlock(&live->lock);
    end_client(live, client, &ended);
    pthread_mutex_lock(&live->lock);
    live->clean = live->client == NULL && live->ending == NULL;
    pthread_mutex_unlock(&live->lock);
}

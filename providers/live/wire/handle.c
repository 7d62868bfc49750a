/* SPDX-License-Identifier: Apache-2.0 */
/*
 * handle.c: what any thread may call: watches, reading, state, figures. All under the client's mutex, and
 * short.
 */
#include "client.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

/* With the mutex. */
static bool on_own_thread(const struct fsw_client *client)
{
    return client->running && pthread_equal(pthread_self(), client->self);
}

bool fsw_client_is_own_thread(struct fsw_client *client)
{
    if (client == NULL) {
        return false;
    }
    pthread_mutex_lock(&client->mutex);
    bool own = on_own_thread(client);
    pthread_mutex_unlock(&client->mutex);
    return own;
}

/* Lets the mutex go; the thread, if there is one, looks at the session when it wakes. */
static void unlock_and_wake(struct fsw_client *client)
{
    bool started = client->started;
    pthread_mutex_unlock(&client->mutex);
    if (started) {
        fsw_transport_wake(client->transport);
    }
}

static json_t *copy_keys(const char *const *keys, size_t count, bool *fine)
{
    *fine = true;
    if (count == 0) {
        return NULL;
    }
    json_t *list = json_array();
    for (size_t i = 0; i < count && *fine; i++) {
        *fine = keys[i][0] != '\0' && json_array_append_new(list, json_string(keys[i])) == 0;
    }
    if (!*fine) {
        json_decref(list);
        return NULL;
    }
    return list;
}

struct fsw_watch *fsw_watch_add(struct fsw_client *client, const json_t *context, const char *const *keys,
                                size_t count, bool once, void *user)
{
    bool fine = json_is_object(context);
    json_t *copy = fine ? json_deep_copy(context) : NULL;
    json_t *list = copy == NULL ? NULL : copy_keys(keys, count, &fine);
    if (copy == NULL || !fine) {
        json_decref(copy);
        return NULL;
    }
    pthread_mutex_lock(&client->mutex);
    struct fsw_watch *watch = fsw_session_add(&client->session, copy, list, once);
    if (watch != NULL) {
        watch->client = client;
        watch->user = user;
    }
    unlock_and_wake(client);
    return watch;
}

void fsw_watch_remove(struct fsw_watch *watch)
{
    if (watch == NULL) {
        return;
    }
    struct fsw_client *client = watch->client;
    pthread_mutex_lock(&client->mutex);
    fsw_session_remove(&client->session, watch);
    while (client->telling == watch && !on_own_thread(client)) {
        pthread_cond_wait(&client->news, &client->mutex);
    }
    fsw_watch_unref(watch);
    unlock_and_wake(client);
}

bool fsw_watch_asked(struct fsw_watch *watch)
{
    struct fsw_client *client = watch->client;
    pthread_mutex_lock(&client->mutex);
    bool asked = client->session.open && watch->asked;
    pthread_mutex_unlock(&client->mutex);
    return asked;
}

bool fsw_get(struct fsw_watch *watch, const char *key, struct fsw_result *result)
{
    struct fsw_client *client = watch->client;
    pthread_mutex_lock(&client->mutex);
    bool found = fsw_session_get(&client->session, watch, key, fsw_now(), result);
    pthread_mutex_unlock(&client->mutex);
    return found;
}

void fsw_result_clear(struct fsw_result *result)
{
    fsw_flag_unref(result->flag);
    memset(result, 0, sizeof *result);
}

const struct fsw_table *fsw_watch_table(struct fsw_watch *watch, bool *leased)
{
    struct fsw_client *client = watch->client;
    pthread_mutex_lock(&client->mutex);
    const struct fsw_table *table = fsw_table_ref(watch->table);
    if (leased != NULL) {
        *leased = fsw_session_leased(&client->session, watch, fsw_now());
    }
    pthread_mutex_unlock(&client->mutex);
    return table;
}

enum fsw_state fsw_client_state(struct fsw_client *client)
{
    pthread_mutex_lock(&client->mutex);
    enum fsw_state state = fsw_session_state(&client->session, fsw_now());
    pthread_mutex_unlock(&client->mutex);
    return state;
}

bool fsw_client_wait_ready(struct fsw_client *client, unsigned timeout)
{
    struct timespec until;
    clock_gettime(CLOCK_MONOTONIC, &until);
    until.tv_sec += timeout / 1000;
    until.tv_nsec += (long)(timeout % 1000) * 1000000;
    if (until.tv_nsec >= 1000000000) {
        until.tv_sec++;
        until.tv_nsec -= 1000000000;
    }
    pthread_mutex_lock(&client->mutex);
    bool ready;
    int waited = 0;
    while (!(ready = fsw_session_state(&client->session, fsw_now()) == FSW_READY &&
                     fsw_session_answered(&client->session)) &&
           waited != ETIMEDOUT) {
        waited = pthread_cond_timedwait(&client->news, &client->mutex, &until);
    }
    pthread_mutex_unlock(&client->mutex);
    return ready;
}

void fsw_client_reconnect(struct fsw_client *client)
{
    pthread_mutex_lock(&client->mutex);
    client->reconnect = true;
    unlock_and_wake(client);
}

void fsw_client_stats(struct fsw_client *client, struct fsw_stats *stats)
{
    pthread_mutex_lock(&client->mutex);
    const struct fsw_session *session = &client->session;
    int64_t now = fsw_now();
    *stats = session->stats;
    stats->revision = session->revision;
    stats->acked = session->acked;
    stats->lease_left = fsw_lease_runs(&session->lease, now) ? session->lease.end - now : 0;
    memcpy(stats->epoch, session->epoch, sizeof stats->epoch);
    memcpy(stats->session, session->name, sizeof stats->session);
    pthread_mutex_unlock(&client->mutex);
}

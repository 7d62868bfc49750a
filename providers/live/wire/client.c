/* SPDX-License-Identifier: Apache-2.0 */
/*
 * client.c: a client's life and its thread. The thread alone touches the connection; it takes the mutex to
 * work on the session, and lets it go to call back.
 */
#include "client.h"

#include <signal.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#define TOKEN_SIZE 8000
#define FAREWELL   1000 /* ms for closing before the connection is cut */

static int64_t clock_ms(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

int64_t fsw_now(void)
{
    return clock_ms(CLOCK_BOOTTIME);
}

int64_t fsw_wall(void)
{
    return clock_ms(CLOCK_REALTIME);
}

void fsw_client_log(const struct fsw_client *client, enum fsw_level level, const char *format, ...)
{
    if (client->options.on_log != NULL) {
        char text[512];
        va_list arguments;
        va_start(arguments, format);
        vsnprintf(text, sizeof text, format, arguments);
        va_end(arguments);
        client->options.on_log(client->options.user, level, text);
    }
}

/* splitmix64 (Steele, Lea, Flood 2014): good enough to spread clients. */
static uint64_t draw(struct fsw_client *client)
{
    uint64_t z = client->chance += 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

/* --- what the connection tells: on the thread, without the mutex ---------------------------------------- */

static void on_opened(void *user)
{
    struct fsw_client *client = user;
    pthread_mutex_lock(&client->mutex);
    client->attempt_by = 0;
    fsw_session_opened(&client->session, fsw_now());
    pthread_mutex_unlock(&client->mutex);
}

/* Sends all that there is to say and room for. With the mutex. */
static void pump(struct fsw_client *client)
{
    while (client->session.open && !client->stopping && fsw_transport_can_send(client->transport)) {
        unsigned char *message;
        size_t length;
        enum fsw_outcome outcome =
            fsw_session_next(&client->session, fsw_now(), fsw_transport_headroom(), &message, &length);
        if (outcome != FSW_OK) {
            fsw_transport_drop(client->transport);
            client->session.doomed = true;
            client->session.stats.faults++;
        }
        if (outcome != FSW_OK || message == NULL) {
            return;
        }
        bool sent = fsw_transport_send(client->transport, message, length);
        free(message);
        if (!sent) {
            fsw_transport_drop(client->transport);
            return;
        }
        client->session.stats.frames_out++;
        client->session.stats.bytes_out += length;
    }
}

static int on_message(void *user, const char *text, size_t length)
{
    struct fsw_client *client = user;
    pthread_mutex_lock(&client->mutex);
    int code = fsw_session_receive(&client->session, text, length, fsw_now(), fsw_wall());
    if (code == 0) {
        pump(client); /* the acknowledgement, before anybody is told */
    }
    pthread_mutex_unlock(&client->mutex);
    return code;
}

static void on_pong(void *user)
{
    struct fsw_client *client = user;
    pthread_mutex_lock(&client->mutex);
    fsw_session_heard(&client->session, fsw_now());
    pthread_mutex_unlock(&client->mutex);
}

static bool refused(int code)
{
    return code == 401 || code == 403 || code == FSW_CLOSE_UNAUTHENTICATED || code == FSW_CLOSE_FORBIDDEN;
}

/* When to try again. With the mutex. */
static void plan_attempt(struct fsw_client *client, int64_t now)
{
    bool slow = refused(client->code) && strcmp(client->session.goaway, "expired") != 0;
    int64_t wait = slow ? fsw_backoff_slow(&client->backoff, draw(client))
                        : fsw_backoff_next(&client->backoff, draw(client));
    client->next_attempt = now + wait;
    if (client->session.not_before > client->next_attempt) {
        client->next_attempt = client->session.not_before;
    }
}

static void on_closed(void *user, int code, const char *text)
{
    struct fsw_client *client = user;
    pthread_mutex_lock(&client->mutex);
    struct fsw_session *session = &client->session;
    client->active = false;
    client->ended = true;
    client->attempt_by = 0;
    client->code = code;
    const char *why = session->open && session->fault[0] != '\0' ? session->fault
                      : session->goaway_text[0] != '\0'          ? session->goaway_text
                                                                 : text;
    snprintf(client->message, sizeof client->message, "%s", why);
    if (fsw_session_worked(session, code)) {
        fsw_backoff_reset(&client->backoff);
    }
    fsw_session_lost(session);
    plan_attempt(client, fsw_now());
    long long wait = client->next_attempt - fsw_now();
    bool quiet = client->stopping;
    pthread_mutex_unlock(&client->mutex);
    if (!quiet) {
        fsw_client_log(client, FSW_LOG_WARNING, "connection to %s ended (%d): %s; again in %lld ms",
                       client->url.host, code, client->message, wait < 0 ? 0 : wait);
    }
}

/* --- the thread ------------------------------------------------------------------------------------------
 */

static void attempt(struct fsw_client *client)
{
    char token[TOKEN_SIZE];
    const char *why = "";
    bool have = fsw_options_token(&client->options, token, sizeof token, &why);
    pthread_mutex_lock(&client->mutex);
    client->session.stats.attempts++;
    client->session.goaway[0] = client->session.goaway_text[0] = '\0';
    client->session.not_before = 0;
    if (have) {
        client->active = true;
        client->attempt_by = fsw_now() + client->options.connect_timeout;
    } else {
        snprintf(client->message, sizeof client->message, "%s", why);
        client->code = 0;
        client->ended = true;
        client->next_attempt = fsw_now() + fsw_backoff_next(&client->backoff, draw(client));
    }
    pthread_mutex_unlock(&client->mutex);
    if (have) {
        fsw_transport_connect(client->transport, token);
    } else {
        fsw_client_log(client, FSW_LOG_ERROR, "no connection to %s: %s", client->url.host, why);
    }
    explicit_bzero(token, sizeof token);
}

/* What time and other threads demand of the connection; returns whether to begin one. With the mutex. */
static bool steer(struct fsw_client *client, int64_t now, int64_t *again)
{
    enum fsw_action action = fsw_session_tick(&client->session, now, again);
    bool late = client->attempt_by != 0 && now >= client->attempt_by;
    if (client->stopping && client->stop_by == 0) {
        client->stop_by = now + FAREWELL;
        fsw_transport_close(client->transport, FSW_CLOSE_NORMAL);
    }
    if (client->reconnect) {
        client->reconnect = false;
        fsw_backoff_reset(&client->backoff);
        client->code = 0;
        client->next_attempt = now;
        fsw_transport_drop(client->transport);
    } else if (action == FSW_DROP || late || (client->stopping && now >= client->stop_by)) {
        fsw_transport_drop(client->transport);
    } else if (action == FSW_PING && !fsw_transport_ping(client->transport)) {
        fsw_transport_drop(client->transport);
    }
    pump(client);
    int64_t moment = client->stopping          ? client->stop_by
                     : client->attempt_by != 0 ? client->attempt_by
                     : client->active          ? *again
                                               : client->next_attempt;
    if (moment < *again) {
        *again = moment;
    }
    return !client->active && !client->stopping && now >= client->next_attempt;
}

/* Tells of one event. With the mutex, which it lets go for the callback. */
static void tell(struct fsw_client *client, struct fsw_event *event)
{
    struct fsw_watch *watch = event->watch;
    struct fsw_options *options = &client->options;
    client->telling = watch;
    pthread_mutex_unlock(&client->mutex);
    if (event->is_error && options->on_watch_error != NULL) {
        const char *message = json_string_value(json_object_get(event->error, "message"));
        const struct fsw_watch_error error = {.watch = watch,
                                              .watch_user = watch->user,
                                              .code =
                                                  json_string_value(json_object_get(event->error, "code")),
                                              .message = message == NULL ? "" : message,
                                              .retried = event->retried};
        options->on_watch_error(options->user, &error);
    } else if (!event->is_error && options->on_change != NULL) {
        event->change.watch = watch;
        event->change.watch_user = watch->user;
        event->change.dropped = event->dropped;
        options->on_change(options->user, &event->change);
    }
    pthread_mutex_lock(&client->mutex);
    client->telling = NULL;
}

static void tell_state(struct fsw_client *client, enum fsw_state state)
{
    char goaway[sizeof client->session.goaway], message[sizeof client->message];
    pthread_mutex_lock(&client->mutex);
    snprintf(goaway, sizeof goaway, "%s", client->session.goaway);
    snprintf(message, sizeof message, "%s", state == FSW_READY ? "" : client->message);
    struct fsw_state_info info = {.state = state,
                                  .before = client->told,
                                  .code = state == FSW_READY ? 0 : client->code,
                                  .goaway = goaway[0] == '\0' ? NULL : goaway,
                                  .message = message};
    client->told = state;
    client->ended = false;
    pthread_cond_broadcast(&client->news);
    pthread_mutex_unlock(&client->mutex);
    if (client->options.on_state != NULL) {
        client->options.on_state(client->options.user, &info);
    }
}

static void tell_all(struct fsw_client *client)
{
    pthread_mutex_lock(&client->mutex);
    for (struct fsw_event *event; (event = fsw_session_event(&client->session)) != NULL;) {
        if (!event->watch->removed) {
            tell(client, event);
        }
        fsw_event_free(event);
        pthread_cond_broadcast(&client->news);
    }
    enum fsw_state state = fsw_session_state(&client->session, fsw_now());
    bool news = !client->stopping && (state != client->told || client->ended);
    pthread_mutex_unlock(&client->mutex);
    if (news) {
        tell_state(client, state);
    }
}

static void *run(void *user)
{
    struct fsw_client *client = user;
    bool going = true;
    pthread_mutex_lock(&client->mutex);
    client->self = pthread_self();
    client->running = true;
    pthread_mutex_unlock(&client->mutex);
    while (going) {
        int64_t now = fsw_now(), again;
        pthread_mutex_lock(&client->mutex);
        bool begin = steer(client, now, &again);
        going = !client->stopping || client->active;
        pthread_mutex_unlock(&client->mutex);
        if (begin) {
            attempt(client);
            continue;
        }
        tell_all(client);
        if (going) {
            fsw_transport_timer(client->transport, (long)(again - fsw_now()));
            going = fsw_transport_service(client->transport);
            if (!going) {
                fsw_client_log(client, FSW_LOG_ERROR, "libwebsockets has given up: no further connections");
            }
        }
    }
    tell_state(client, FSW_CLOSED);
    return NULL;
}

/* --- life ------------------------------------------------------------------------------------------------
 */

static struct fsw_transport *make_transport(struct fsw_client *client)
{
    const struct fsw_transport_config config = {
        .url = &client->url,
        .ca_file = client->options.ca_file,
        .proxy = client->options.proxy,
        .client_certificate = client->options.client_certificate,
        .client_key = client->options.client_key,
        .insecure = client->options.insecure,
        .max_message = client->options.max_message,
        .patience = client->options.connect_timeout / 1000 + 20,
        .owner = {.user = client,
                  .opened = on_opened,
                  .message = on_message,
                  .pong = on_pong,
                  .closed = on_closed},
    };
    return fsw_transport_create(&config);
}

static void init_session(struct fsw_client *client)
{
    fsw_session_init(&client->session);
    client->session.client_name = client->options.client_name;
    client->session.client_version = client->options.client_version;
    client->session.mirror = client->options.mirror;
    client->session.mirror_user = client->options.user;
    client->session.connect_timeout = client->options.connect_timeout;
    client->session.max_open = 4 * client->options.max_message;
    client->backoff =
        (struct fsw_backoff){.base = client->options.backoff_base, .cap = client->options.backoff_cap};
    if (getrandom(&client->chance, sizeof client->chance, GRND_NONBLOCK) != sizeof client->chance) {
        client->chance = (uint64_t)fsw_wall();
    }
    pthread_condattr_t attributes;
    pthread_condattr_init(&attributes);
    pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC);
    pthread_cond_init(&client->news, &attributes);
    pthread_condattr_destroy(&attributes);
    pthread_mutex_init(&client->mutex, NULL);
}

/* With the value, but for one that may have a password in it. */
static const char *name_url(const char *url, const char *why, char *out, size_t size)
{
    if (url == NULL || strchr(url, '@') != NULL) {
        return why;
    }
    snprintf(out, size, "url \"%.100s\": %s", url, why);
    return out;
}

struct fsw_client *fsw_client_create(const struct fsw_options *options, char *text, size_t text_size)
{
    const char *why = "out of memory";
    char named[300];
    struct fsw_client *client = calloc(1, sizeof *client);
    if (client == NULL) {
        goto failed;
    }
    if (!fsw_options_copy(&client->options, options, &why)) {
        goto failed;
    }
    if (!fsw_url_parse(client->options.url, &client->url, &why)) {
        why = name_url(client->options.url, why, named, sizeof named);
        goto failed;
    }
    client->transport = make_transport(client);
    if (client->transport == NULL) {
        why = "libwebsockets cannot be set up: out of memory, or ca_file, client_certificate or client_key "
              "cannot be "
              "read";
        goto failed;
    }
    init_session(client);
    return client;
failed:
    if (text != NULL && text_size > 0) {
        snprintf(text, text_size, "%s", why);
    }
    if (client != NULL) {
        fsw_url_finish(&client->url);
        fsw_options_finish(&client->options);
        free(client);
    }
    return NULL;
}

bool fsw_client_start(struct fsw_client *client)
{
    pthread_mutex_lock(&client->mutex);
    bool first = !client->started;
    client->started = true;
    pthread_mutex_unlock(&client->mutex);
    if (!first) {
        return false;
    }
    /* Signals are the application's. */
    sigset_t all, before;
    sigfillset(&all);
    pthread_sigmask(SIG_SETMASK, &all, &before);
    bool fine = pthread_create(&client->thread, NULL, run, client) == 0;
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!fine) {
        pthread_mutex_lock(&client->mutex);
        client->started = false;
        pthread_mutex_unlock(&client->mutex);
    }
    return fine;
}

void fsw_client_destroy(struct fsw_client *client)
{
    if (client == NULL) {
        return;
    }
    pthread_mutex_lock(&client->mutex);
    client->stopping = true;
    bool started = client->started;
    pthread_mutex_unlock(&client->mutex);
    if (started) {
        fsw_transport_wake(client->transport);
        pthread_join(client->thread, NULL);
    }
    fsw_transport_destroy(client->transport);
    for (size_t i = 0; i < client->session.watch_count; i++) {
        struct fsw_watch *watch = client->session.watches[i];
        watch->refs -= !watch->removed; /* the handle's */
    }
    fsw_session_finish(&client->session);
    pthread_cond_destroy(&client->news);
    pthread_mutex_destroy(&client->mutex);
    fsw_url_finish(&client->url);
    fsw_options_finish(&client->options);
    free(client);
}

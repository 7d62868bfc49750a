/* SPDX-License-Identifier: Apache-2.0 */
/*
 * bulk.c: the static paradigm: all flags of one context are fetched, and fetched again when the event stream
 * says so, when it is time to poll, or when the context changes. Runs on the http thread; waits for it are
 * the callers'. The address of a stream is a secret (OFREP 0.3) and goes nowhere but to libcurl.
 */
#include <stdio.h>
#include <string.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

#include "ofrep.h"

enum { COALESCE = 50, FIRST_PAUSE = 1000, LONGEST_PAUSE = 60000, SILENCE = 120 };

static const char PATH[] = "/ofrep/v1/evaluate/flags";

/* splitmix64 (Steele, Lea, Flood 2014): good enough to spread clients. */
static uint64_t draw(struct bulk *bulk)
{
    uint64_t z = bulk->chance += UINT64_C(0x9e3779b97f4a7c15);
    z = (z ^ (z >> 30)) * UINT64_C(0xbf58476d1ce4e5b9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94d049bb133111eb);
    return z ^ (z >> 31);
}

/* Full jitter, but never at once. */
static int64_t pause_after(struct bulk *bulk, unsigned failures)
{
    int64_t most = FIRST_PAUSE;
    for (unsigned i = 1; i < failures && most < LONGEST_PAUSE; i++) {
        most *= 2;
    }
    most = most > LONGEST_PAUSE ? LONGEST_PAUSE : most;
    return 100 + (int64_t)(draw(bulk) % (uint64_t)most);
}

static void forget(char **text)
{
    of_free(*text);
    *text = NULL;
}

static void free_retired(of_retired *retired)
{
    flags_free((struct flags *)(void *)retired);
}

static struct flags *publish(struct ofrep *ofrep, struct flags *flags)
{
    return atomic_exchange(&ofrep->flags, flags);
}

static void retire(struct ofrep *ofrep, struct flags *flags)
{
    if (flags != NULL) {
        of_provider_retire(ofrep->provider, &flags->retired, free_retired);
    }
}

/* --- what is told ------------------------------------------------------------------------------------ */

void bulk_announce(struct ofrep *ofrep, of_provider_status status, of_error error, const char *text)
{
    struct bulk *bulk = &ofrep->bulk;
    if (bulk->quiet || ofrep->closing || bulk->announced == status) {
        return;
    }
    bulk->announced = status;
    if (status == OF_STATUS_ERROR) {
        (void)ofo_put_error(&ofrep->outbox, error, text);
    } else if (status == OF_STATUS_STALE) {
        ofo_put_status(&ofrep->outbox, OF_EVENT_STALE, text);
    } else {
        ofo_put_status(&ofrep->outbox, OF_EVENT_READY, NULL);
    }
}

static void put_change(struct ofrep *ofrep, const struct flags *before, const struct flags *after)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    size_t count = 0;
    const char **keys = flags_differ(before, after, &count);
    event.flags_changed = keys; /* NULL: any may have */
    event.flags_changed_count = keys == NULL ? 0 : count;
    if (keys == NULL || count > 0) {
        ofo_put(&ofrep->outbox, &event);
    }
    of_free(keys);
}

static void settle(struct ofrep *ofrep, of_error error, const char *text)
{
    struct bulk *bulk = &ofrep->bulk;
    bulk->settled = bulk->wanted;
    bulk->error = error;
    snprintf(bulk->text, sizeof bulk->text, "%s", text);
    pthread_cond_broadcast(&ofrep->news);
}

static void sooner(int64_t *moment, int64_t other)
{
    *moment = other < *moment ? other : *moment;
}

static void succeed(struct ofrep *ofrep)
{
    struct bulk *bulk = &ofrep->bulk;
    bool listening = bulk->stream != NULL && bulk->stream_heard;
    bulk->failures = 0;
    if (bulk->again) {
        sooner(&bulk->fetch_at, http_now() + COALESCE);
    } else if (ofrep->options.changes != OF_OFREP_CHANGES_NONE && !listening) {
        sooner(&bulk->fetch_at, http_now() + ofrep->options.poll);
    }
    bulk->again = false;
    settle(ofrep, OF_OK, "");
    bulk_announce(ofrep, OF_STATUS_READY, OF_OK, NULL);
}

static void fail(struct ofrep *ofrep, of_error error, const char *text, bool refused)
{
    struct bulk *bulk = &ofrep->bulk;
    struct flags *flags = atomic_load(&ofrep->flags);
    if (refused && flags != NULL) {
        retire(ofrep, publish(ofrep, NULL)); /* who is refused holds no rights that it had */
        forget(&bulk->etag);
        flags = NULL;
    }
    bool held = flags != NULL && of_context_equal(flags->context, bulk->context);
    int64_t again = http_now() + pause_after(bulk, ++bulk->failures);
    bulk->fetch_at = again > ofrep->not_before ? again : ofrep->not_before;
    bulk->again = false;
    settle(ofrep, error, text);
    bulk_announce(ofrep, held ? OF_STATUS_STALE : OF_STATUS_ERROR, error, text);
}

/* --- the stream -------------------------------------------------------------------------------------- */

static void refetch(struct bulk *bulk)
{
    bulk->again = bulk->fetch != NULL;
    if (bulk->fetch == NULL) {
        sooner(&bulk->fetch_at, http_now() + COALESCE);
    }
}

/* "?flagConfigEtag=...&flagConfigLastModified=..." of what the event says; NULL where it says nothing. */
static char *make_hint(const of_value *json)
{
    static const char *const names[][2] = {{"etag", "flagConfigEtag="},
                                           {"lastModified", "flagConfigLastModified="}};
    char *hint = NULL;
    for (size_t i = 0; i < 2; i++) {
        const of_value *value = of_value_get(json, names[i][0]);
        char number[32];
        const char *text = of_value_as_string(value, NULL);
        if (of_value_type(value) == OF_TYPE_INT) {
            snprintf(number, sizeof number, "%lld", (long long)of_value_as_int(value, 0));
            text = number;
        }
        char *escaped = text == NULL ? NULL : curl_easy_escape(NULL, text, 0);
        char *part = escaped == NULL ? NULL : ofrep_join(hint == NULL ? "?" : "&", names[i][1], escaped);
        if (part != NULL) {
            char *longer = ofrep_join(hint == NULL ? "" : hint, part, "");
            of_free(hint);
            hint = longer;
        }
        curl_free(escaped);
        of_free(part);
    }
    return hint;
}

static void on_event(void *user, const char *data, size_t length)
{
    struct ofrep *ofrep = user;
    struct bulk *bulk = &ofrep->bulk;
    of_value *json = NULL;
    (void)of_value_from_json(data, length, &json, NULL);
    if (strcmp(of_value_as_string(of_value_get(json, "type"), ""), "refetchEvaluation") == 0) {
        forget(&bulk->hint);
        bulk->hint = make_hint(json);
        refetch(bulk);
    }
    of_value_unref(json);
}

static bool on_piece(void *user, const char *bytes, size_t length)
{
    struct ofrep *ofrep = user;
    struct bulk *bulk = &ofrep->bulk;
    pthread_mutex_lock(&ofrep->lock);
    if (!bulk->stream_heard) {
        bulk->stream_heard = true;
        bulk->stream_failures = 0;
        refetch(bulk); /* what changed before it was open has told nobody */
    }
    bool fine = sse_feed(&bulk->sse, bytes, length);
    pthread_mutex_unlock(&ofrep->lock);
    return fine;
}

static void on_stream_done(struct http_request *request)
{
    struct ofrep *ofrep = request->user;
    struct bulk *bulk = &ofrep->bulk;
    pthread_mutex_lock(&ofrep->lock);
    bulk->stream = NULL;
    bulk->stream_heard = false;
    sse_finish(&bulk->sse);
    if (!request->cancelled) {
        int64_t pause = pause_after(bulk, ++bulk->stream_failures);
        bulk->stream_at = http_now() + pause;
        if (request->status != 200 && request->status != 0) {
            /* The address is no good any more. An answer without condition brings a new one. */
            forget(&bulk->etag);
            forget(&bulk->stream_url);
            sooner(&bulk->fetch_at, bulk->fetch == NULL ? http_now() + pause : INT64_MAX);
            bulk->again = bulk->fetch != NULL;
        }
    }
    if (bulk->fetch == NULL) {
        sooner(&bulk->fetch_at, http_now() + ofrep->options.poll);
    }
    pthread_mutex_unlock(&ofrep->lock);
}

static void start_stream(struct ofrep *ofrep)
{
    struct bulk *bulk = &ofrep->bulk;
    struct http_request *request = http_request_new(bulk->stream_url);
    if (request == NULL || !http_request_header(request, "Accept: text/event-stream") ||
        !http_request_header(request, "Cache-Control: no-cache")) {
        http_request_free(request);
        bulk->stream_at = http_now() + pause_after(bulk, ++bulk->stream_failures);
        return;
    }
    request->silence = SILENCE;
    request->piece = on_piece;
    request->done = on_stream_done;
    request->user = ofrep;
    sse_init(&bulk->sse, on_event, ofrep);
    bulk->stream = request;
    http_submit(ofrep->http, request);
}

/* The address of the first stream that can be used; NULL: none, or no memory. */
static char *stream_of(const struct ofrep *ofrep, const of_value *body)
{
    const of_value *streams = of_value_get(body, "eventStreams");
    for (size_t i = 0; i < of_value_length(streams); i++) {
        const of_value *stream = of_value_at(streams, i), *endpoint = of_value_get(stream, "endpoint");
        const char *url = of_value_as_string(of_value_get(stream, "url"), NULL);
        const char *path = of_value_as_string(of_value_get(endpoint, "requestUri"), NULL);
        const char *origin = of_value_as_string(of_value_get(endpoint, "origin"), "");
        if (strcmp(of_value_as_string(of_value_get(stream, "type"), ""), "sse") != 0) {
            continue;
        }
        if (url != NULL) {
            return ofrep_join(url[0] == '/' ? ofrep->base : "", url, "");
        }
        if (path != NULL && path[0] == '/') {
            return ofrep_join(origin[0] == '\0' ? ofrep->base : origin, path, "");
        }
    }
    return NULL;
}

static void follow_stream(struct ofrep *ofrep, const of_value *body)
{
    struct bulk *bulk = &ofrep->bulk;
    char *url = ofrep->options.changes == OF_OFREP_CHANGES_AUTO ? stream_of(ofrep, body) : NULL;
    bool same = url != NULL && bulk->stream_url != NULL && strcmp(url, bulk->stream_url) == 0;
    if (!same && bulk->stream != NULL) {
        http_cancel(ofrep->http, bulk->stream);
    }
    if (!same && bulk->stream_failures == 0) {
        bulk->stream_at = 0;
    }
    forget(&bulk->stream_url);
    bulk->stream_url = url;
}

/* --- fetching ---------------------------------------------------------------------------------------- */

static void take_flags(struct ofrep *ofrep, const struct http_request *request)
{
    struct bulk *bulk = &ofrep->bulk;
    of_value *body = NULL;
    bool malformed = true;
    of_error error = request->answer == NULL || !request->is_json
                         ? OF_ERROR_PARSE_ERROR
                         : of_value_from_json(request->answer, request->length, &body, NULL);
    struct flags *flags = error == OF_OK ? flags_new(body, bulk->context, &malformed) : NULL;
    if (flags == NULL) {
        of_value_unref(body);
        fail(ofrep, malformed ? OF_ERROR_PARSE_ERROR : OF_ERROR_GENERAL,
             malformed ? "the answer is not OFREP's" : "out of memory", false);
        return;
    }
    forget(&bulk->etag);
    bulk->etag = request->etag[0] == '\0' ? NULL : ofrep_join(request->etag, "", "");
    follow_stream(ofrep, body);
    of_value_unref(body);
    struct flags *old = publish(ofrep, flags);
    if (old != NULL && of_context_equal(old->context, flags->context)) {
        put_change(ofrep, old, flags);
    }
    retire(ofrep, old);
    succeed(ofrep);
}

/* Only where there is something that can be unchanged. */
static void take_unchanged(struct ofrep *ofrep)
{
    struct bulk *bulk = &ofrep->bulk;
    const struct flags *flags = atomic_load(&ofrep->flags);
    if (flags != NULL && of_context_equal(flags->context, bulk->context)) {
        succeed(ofrep);
    } else {
        forget(&bulk->etag);
        fail(ofrep, OF_ERROR_PARSE_ERROR, "the server says 304 of what it never sent", false);
    }
}

static void on_fetched(struct http_request *request)
{
    struct ofrep *ofrep = request->user;
    struct bulk *bulk = &ofrep->bulk;
    char text[300];
    pthread_mutex_lock(&ofrep->lock);
    bulk->fetch = NULL;
    ofrep_heed(ofrep, request);
    if (ofrep->closing || request->tag != bulk->wanted) {
        bulk->fetch_at = 0; /* it was for a context that is no more */
    } else if (request->status == 200 && request->code == CURLE_OK) {
        take_flags(ofrep, request);
    } else if (request->status == 304 && request->code == CURLE_OK) {
        take_unchanged(ofrep);
    } else {
        of_error error = ofrep_failure(request, text, sizeof text);
        fail(ofrep, error, text, request->status == 401 || request->status == 403);
    }
    ofo_unlock(&ofrep->outbox);
}

static bool add_condition(const struct bulk *bulk, struct http_request *request)
{
    char line[sizeof request->etag + 32];
    if (bulk->etag == NULL) {
        return true;
    }
    snprintf(line, sizeof line, "If-None-Match: %s", bulk->etag);
    return http_request_header(request, line);
}

/* token: of ofrep_token(), or NULL, with the problem that there was. */
static void start_fetch(struct ofrep *ofrep, const char *token, const char *problem)
{
    struct bulk *bulk = &ofrep->bulk;
    if (token != NULL) {
        problem = "out of memory";
    }
    char *body = token == NULL ? NULL : ofrep_body(bulk->context);
    char *path = body == NULL ? NULL : ofrep_join(PATH, bulk->hint == NULL ? "" : bulk->hint, "");
    struct http_request *request = NULL;
    bulk->fetch_at = INT64_MAX;
    forget(&bulk->hint);
    if (path != NULL) {
        request = ofrep_request(ofrep, path, body, token, &problem);
    } else {
        of_free(body);
    }
    of_free(path);
    if (request == NULL || !add_condition(bulk, request)) {
        http_request_free(request);
        fail(ofrep, OF_ERROR_GENERAL, problem, false);
        return;
    }
    request->done = on_fetched;
    request->user = ofrep;
    request->tag = bulk->wanted;
    bulk->fetch = request;
    http_submit(ofrep->http, request);
}

static bool is_asleep(const struct ofrep *ofrep)
{
    return ofrep->closing || ofrep->http == NULL || ofrep->bulk.context == NULL;
}

static bool fetch_is_due(const struct ofrep *ofrep)
{
    const struct bulk *bulk = &ofrep->bulk;
    return !is_asleep(ofrep) && bulk->fetch == NULL && bulk->fetch_at <= http_now();
}

/* With the lock, which it lets go to ask the program for its token. */
static void fetch_if_due(struct ofrep *ofrep)
{
    const char *problem;
    if (!fetch_is_due(ofrep)) {
        return;
    }
    pthread_mutex_unlock(&ofrep->lock);
    char *token = ofrep_token(ofrep, &problem);
    pthread_mutex_lock(&ofrep->lock);
    if (fetch_is_due(ofrep)) {
        start_fetch(ofrep, token, problem);
    }
    ofrep_token_free(token);
}

int bulk_tick(void *user)
{
    struct ofrep *ofrep = user;
    struct bulk *bulk = &ofrep->bulk;
    int64_t next = http_now() + LONGEST_PAUSE;
    pthread_mutex_lock(&ofrep->lock);
    fetch_if_due(ofrep);
    ofo_tell(&ofrep->outbox);
    if (is_asleep(ofrep)) {
        pthread_mutex_unlock(&ofrep->lock);
        return LONGEST_PAUSE;
    }
    int64_t now = http_now();
    if (bulk->stream == NULL && bulk->stream_url != NULL && bulk->stream_at <= now) {
        start_stream(ofrep);
    }
    if (bulk->fetch == NULL) {
        sooner(&next, bulk->fetch_at);
    }
    if (bulk->stream == NULL && bulk->stream_url != NULL) {
        sooner(&next, bulk->stream_at);
    }
    pthread_mutex_unlock(&ofrep->lock);
    return next <= now ? 0 : (int)(next - now);
}

/* --- for init and changes of the context ------------------------------------------------------------- */

bool bulk_want(struct ofrep *ofrep, const of_context *context)
{
    struct bulk *bulk = &ofrep->bulk;
    of_context *kept = of_context_ref(context);
    if (kept == NULL) {
        return false;
    }
    struct flags *flags = atomic_load(&ofrep->flags);
    if (flags != NULL && !of_context_equal(flags->context, kept)) {
        retire(ofrep, publish(ofrep, NULL)); /* when their context is back, they may be old */
    }
    of_context_unref(bulk->context);
    bulk->context = kept;
    bulk->wanted++;
    bulk->failures = 0;
    bulk->fetch_at = ofrep->not_before;
    forget(&bulk->etag); /* it was another context's */
    if (bulk->fetch != NULL) {
        http_cancel(ofrep->http, bulk->fetch);
    }
    return true;
}

of_error bulk_await(struct ofrep *ofrep, char *text, size_t size)
{
    struct bulk *bulk = &ofrep->bulk;
    ofrep->inside++;
    while (!ofrep->closing && bulk->settled != bulk->wanted) {
        if (ofrep->not_before > http_now() + ofrep->options.timeout) {
            settle(ofrep, OF_ERROR_GENERAL, "the server asked not to be asked for a while");
            break;
        }
        pthread_cond_wait(&ofrep->news, &ofrep->lock); /* libcurl keeps the time of the request */
    }
    of_error error = ofrep->closing ? OF_ERROR_PROVIDER_NOT_READY : bulk->error;
    snprintf(text, size, "%s", ofrep->closing ? "it was shut down" : bulk->text);
    if (--ofrep->inside == 0) {
        pthread_cond_broadcast(&ofrep->news);
    }
    return error;
}

void bulk_finish(struct ofrep *ofrep)
{
    struct bulk *bulk = &ofrep->bulk;
    of_context_unref(bulk->context);
    bulk->context = NULL;
    forget(&bulk->etag);
    forget(&bulk->hint);
    forget(&bulk->stream_url);
    sse_finish(&bulk->sse);
    retire(ofrep, publish(ofrep, NULL));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * OFREP 0.3: single and bulk evaluation with ETags, and the event stream that the bulk answer announces: one
 * per credential and context, at a URL that nobody can guess. A subject that the credential may not see, and
 * a context that is none, get safe values with 200, since the stock web provider keeps the previous user's
 * values on any error.
 */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/json.h"
#include "daemon.h"
#include "push/ofrep.h"
#include "push/sse.h"

#define STREAM_MS    3600000 /* a stream's URL can be opened for that long */
#define STREAM_RENEW 1800000 /* ... and a bulk answer after that announces another one */
#define STREAM_LIMIT 50000
#define STREAMS_EACH 1000 /* of one credential: for a further one, its oldest goes */
/* inactivityDelaySec: a client that was inactive itself for that long (a hidden page) ends its stream until
 * it is active again. OFREP's own default. */
#define STREAM_IDLE_S 120
#define ANSWER_LIMIT  (16 * 1024 * 1024)

struct owner {
    struct fs_list streams; /* struct fs_stream, the oldest first */
    size_t count;
};

struct fs_stream {
    char token[44];
    struct fs_list node; /* its owner's */
    char *owner;         /* credential and context: the key of the newest stream */
    json_t *context;
    struct fs_credential *credential;
    int64_t created; /* mono ms */
};

static void stream_destroy(struct fs_stream *stream)
{
    fs_free(stream->owner);
    json_decref(stream->context);
    fs_credential_unref(stream->credential);
    fs_free(stream);
}

static void file_stream(struct fs_daemon *daemon, struct fs_stream *stream)
{
    struct owner *owner = fs_map_gets(&daemon->stream_owners, stream->credential->id);
    if (!owner) {
        owner = FS_NEW(struct owner);
        fs_list_init(&owner->streams);
        fs_map_sets(&daemon->stream_owners, stream->credential->id, owner);
    }
    fs_list_append(&owner->streams, &stream->node);
    owner->count++;
    fs_map_sets(&daemon->streams, stream->token, stream);
}

/* Its URL opens no further stream; those that are open stay. */
static void drop_stream(struct fs_daemon *daemon, struct fs_stream *stream)
{
    struct owner *owner = fs_map_gets(&daemon->stream_owners, stream->credential->id);
    fs_list_remove(&stream->node);
    if (--owner->count == 0) {
        fs_map_removes(&daemon->stream_owners, stream->credential->id);
        fs_free(owner);
    }
    if (fs_map_gets(&daemon->newest_streams, stream->owner) == stream)
        fs_map_removes(&daemon->newest_streams, stream->owner);
    fs_map_removes(&daemon->streams, stream->token);
    stream_destroy(stream);
}

static void make_room(struct fs_daemon *daemon, const char *credential)
{
    const struct owner *owner = fs_map_gets(&daemon->stream_owners, credential);
    if (owner && owner->count >= STREAMS_EACH)
        drop_stream(daemon, FS_CONTAINER(owner->streams.next, struct fs_stream, node));
}

/* The stream that a bulk answer announces: the newest of this credential and context while it is young
 * enough. */
static struct fs_stream *find_stream(struct fs_daemon *daemon, const struct fs_waiting *waiting)
{
    if (waiting->revoked)
        return NULL;
    char *owner = fs_format("%s %s", waiting->credential->id, waiting->context.hash);
    int64_t now = fs_daemon_now(daemon).mono;
    struct fs_stream *stream = fs_map_gets(&daemon->newest_streams, owner);
    if (stream && now - stream->created < STREAM_RENEW) {
        fs_free(owner);
        return stream;
    }
    make_room(daemon, waiting->credential->id); /* which may take that one */
    if (daemon->streams.count >= STREAM_LIMIT) {
        stream = fs_map_gets(&daemon->newest_streams, owner);
        fs_free(owner);
        return stream;
    }
    uint8_t secret[32];
    fs_random(secret, sizeof secret);
    stream = FS_NEW(struct fs_stream);
    stream->token[fs_base64url_encode(secret, sizeof secret, stream->token)] = 0;
    fs_wipe(secret, sizeof secret);
    stream->owner = owner;
    stream->context = json_incref(waiting->context.json);
    stream->credential = fs_credential_ref(waiting->credential);
    stream->created = now;
    file_stream(daemon, stream);
    fs_map_sets(&daemon->newest_streams, owner, stream);
    return stream;
}

void fs_ofrep_streams_expire(struct fs_daemon *daemon)
{
    FS_VEC(struct fs_stream *) gone = {0};
    int64_t now = fs_daemon_now(daemon).mono;
    for (struct fs_map_iter it = {0}; fs_map_next(&daemon->streams, &it);) {
        struct fs_stream *stream = it.value;
        if (now - stream->created > STREAM_MS)
            fs_vec_push(&gone, stream);
    }
    for (size_t i = 0; i < gone.count; i++)
        drop_stream(daemon, gone.items[i]);
    fs_vec_finish(&gone);
}

/* Is it this key, or a ticket of it? */
static bool is_of(const struct fs_credential *credential, const char *key)
{
    return credential && (!strcmp(credential->id, key) ||
                          (!strncmp(credential->id, "ticket:", 7) && !strcmp(credential->id + 7, key)));
}

void fs_ofrep_streams_revoke(struct fs_daemon *daemon, const char *key)
{
    FS_VEC(struct fs_stream *) gone = {0};
    for (struct fs_map_iter it = {0}; fs_map_next(&daemon->streams, &it);) {
        struct fs_stream *stream = it.value;
        if (is_of(stream->credential, key))
            fs_vec_push(&gone, stream);
    }
    for (size_t i = 0; i < gone.count; i++)
        drop_stream(daemon, gone.items[i]);
    fs_vec_finish(&gone);
    for (struct fs_map_iter it = {0}; fs_map_next(&daemon->waiting, &it);) {
        struct fs_waiting *waiting = it.value;
        waiting->revoked |= is_of(waiting->credential, key);
    }
}

void fs_ofrep_finish(struct fs_daemon *daemon)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&daemon->streams, &it);)
        stream_destroy(it.value);
    fs_map_finish(&daemon->streams, NULL);
    fs_map_finish(&daemon->newest_streams, NULL);
    fs_map_finish(&daemon->stream_owners, fs_free);
}

static void reply_blob(struct fs_daemon *daemon, uint64_t request, int status, struct fs_blob *body)
{
    fs_server_reply(daemon->server, request, status, "application/json", NULL, body);
}

static void reply_buf(struct fs_daemon *daemon, const struct fs_waiting *waiting, int status,
                      struct fs_buf *body)
{
    char etag[FS_OFREP_ETAG_SIZE];
    fs_ofrep_etag(body->data, body->length, etag);
    char *headers = fs_format("ETag: %s\r\nCache-Control: no-store\r\n", etag);
    bool unchanged = !waiting->flag && fs_ofrep_unchanged(etag, waiting->etag, waiting->config_etag);
    if (unchanged)
        fs_server_reply(daemon->server, waiting->request, 304, NULL, headers, NULL);
    else
        fs_server_reply(daemon->server, waiting->request, status, "application/json", headers,
                        fs_blob_copy(body->data, body->length));
    fs_free(headers);
}

void fs_ofrep_evaluated(struct fs_daemon *daemon, const struct fs_evaluated *result)
{
    struct fs_waiting *waiting = fs_waiting_take(daemon, result->token);
    struct fs_buf body;
    int status = 200;
    if (!waiting)
        return;
    fs_buf_init(&body, ANSWER_LIMIT);
    if (waiting->flag && !result->flag_count) {
        reply_blob(daemon, waiting->request, 404, fs_ofrep_not_found(waiting->flag));
    } else if (waiting->flag) {
        status = fs_ofrep_add_flag(&body, result->flags[0].flag, result->flags[0].evaluation,
                                   waiting->context.dropped);
        reply_buf(daemon, waiting, status, &body);
    } else {
        const struct fs_stream *stream = find_stream(daemon, waiting);
        char *url = stream && waiting->base_url
                        ? fs_format("%s/ofrep/v1/events/%s", waiting->base_url, stream->token)
                        : NULL;
        fs_ofrep_bulk_begin(&body);
        for (size_t i = 0; i < result->flag_count; i++)
            fs_ofrep_bulk_add(&body, result->flags[i].flag, result->flags[i].evaluation);
        fs_ofrep_bulk_end(&body, fs_engine_flags(daemon->engine)->metadata, waiting->context.dropped, url,
                          STREAM_IDLE_S);
        fs_free(url);
        reply_buf(daemon, waiting, 200, &body);
    }
    fs_buf_finish(&body);
    fs_waiting_destroy(waiting);
}

/* All that is visible, safe, or that of one key: and nothing is asked of anybody. */
static void reply_safe(struct fs_daemon *daemon, uint64_t request, const char *key, bool client_only,
                       const char *why)
{
    const struct fs_flagset *set = fs_engine_flags(daemon->engine);
    const struct fs_flag *flag = key ? fs_flagset_find(set, key) : NULL;
    struct fs_buf body;
    if (key && (!flag || !flag->access || (client_only && flag->visibility != FS_VISIBILITY_CLIENT))) {
        reply_blob(daemon, request, 404, fs_ofrep_not_found(key));
        return;
    }
    fs_buf_init(&body, ANSWER_LIMIT);
    if (flag)
        fs_ofrep_add_safe(&body, flag, why);
    else
        fs_ofrep_bulk_safe(&body, set, client_only, why);
    fs_server_reply(daemon->server, request, 200, "application/json", "Cache-Control: no-store\r\n",
                    fs_blob_copy(body.data, body.length));
    fs_buf_finish(&body);
}

static void evaluate(struct fs_daemon *daemon, const struct fs_net_message *message, const char *key,
                     struct fs_context_text *context)
{
    const struct fs_http_request *http = message->request;
    bool client_only = !fs_credential_may(message->credential, FS_SCOPE_EVALUATE_ANY);
    const char *host = fs_http_header(http, "host");
    struct fs_waiting *waiting = fs_waiting_create(daemon, FS_WAITS_EVALUATION, message->connection);
    const char *only[] = {key, NULL};
    waiting->credential = fs_credential_ref(message->credential);
    waiting->context = *context;
    waiting->etag = fs_strdup(fs_http_header(http, "if-none-match"));
    waiting->config_etag = fs_http_query(http, "flagConfigEtag");
    waiting->flag = fs_strdup(key);
    if (daemon->options->public_url)
        waiting->base_url = fs_strdup(daemon->options->public_url);
    else if (host)
        waiting->base_url =
            fs_format("%s://%s", daemon->options->server.tls_certificate ? "https" : "http", host);
    /* The answer may come within the call, and takes the waiting with it: the engine gets a context of its
     * own. */
    struct fs_context_text text = {.json = json_incref(context->json),
                                   .canonical = fs_strndup(context->canonical, context->length),
                                   .length = context->length};
    memcpy(text.hash, context->hash, sizeof text.hash);
    fs_engine_evaluate(daemon->engine, &text, client_only, key ? only : NULL, waiting->token,
                       fs_daemon_now(daemon));
    fs_context_text_finish(&text);
}

/* A single access flag without a subject; of a bulk request, such flags are safe, and plain ones as they are.
 */
static bool is_about_nobody(const struct fs_daemon *daemon, const char *key, bool client_only,
                            const struct fs_context_text *context)
{
    const struct fs_flagset *set = fs_engine_flags(daemon->engine);
    const struct fs_flag *flag = key && set ? fs_flagset_find(set, key) : NULL;
    const char *subject = fs_json_text(context->json, "targetingKey");
    return flag && flag->access && !(client_only && flag->visibility != FS_VISIBILITY_CLIENT) &&
           !(subject && *subject);
}

void fs_api_ofrep(struct fs_daemon *daemon, struct fs_net_message *message, const char *encoded_key)
{
    struct fs_err err = {0};
    const char *code = NULL;
    struct fs_context_text context;
    const struct fs_context_rules *rules = &daemon->options->engine.context_rules;
    struct fs_frame_limits frame_limits = {.context_bytes = rules->bytes, .context_depth = rules->depth};
    char *key = fs_strdup(encoded_key);
    size_t length = key ? strlen(key) : 0;
    if (key && (!fs_percent_decode(key, &length) || strlen(key) != length || !fs_utf8_valid(key, length))) {
        reply_blob(daemon, message->connection, 404, fs_ofrep_not_found(encoded_key));
        fs_free(key);
        return;
    }
    bool client_only = !fs_credential_may(message->credential, FS_SCOPE_EVALUATE_ANY);
    json_t *wanted =
        fs_ofrep_context(message->request->body, message->request->length, &frame_limits, &code, &err);
    if (wanted && fs_context_make(wanted, message->credential, rules, &context, &err)) {
        if (is_about_nobody(daemon, key, client_only, &context)) {
            reply_blob(daemon, message->connection, 400,
                       fs_ofrep_error(key, "TARGETING_KEY_MISSING",
                                      "context.targetingKey is missing: an access flag is about a subject"));
            fs_context_text_finish(&context);
            goto out;
        }
        evaluate(daemon, message, key, &context);
    } else if (wanted && err.code == FS_ERR_FORBIDDEN) {
        daemon->forbidden_evaluations++;
        reply_safe(daemon, message->connection, key, client_only, "the credential may not see this subject");
    } else if (!key && (wanted || err.code == FS_ERR_TOO_LARGE)) {
        /* Well formed, but not a context of ours: an error would leave the previous user's values in force.
         */
        reply_safe(daemon, message->connection, NULL, client_only, err.text);
    } else {
        reply_blob(daemon, message->connection, 400,
                   fs_ofrep_error(key, wanted ? "INVALID_CONTEXT" : code, err.text));
    }
out:
    json_decref(wanted);
    fs_free(key);
}

/* GET /ofrep/v1/events/{token}: the token is the credential. */
void fs_api_ofrep_stream(struct fs_daemon *daemon, struct fs_net_message *message, const char *token)
{
    struct fs_err err;
    const struct fs_stream *stream = fs_map_gets(&daemon->streams, token);
    struct fs_time now = fs_daemon_now(daemon);
    if (!strcmp(message->request->method, "HEAD")) {
        fs_fail(&err, FS_ERR_METHOD, "an event stream has no HEAD");
        fs_api_error(daemon->server, message->connection, &err);
        return;
    }
    if (!stream || now.mono - stream->created > STREAM_MS ||
        (stream->credential->expires && stream->credential->expires <= now.wall)) {
        fs_fail(&err, FS_ERR_UNAUTHENTICATED, "this stream has ended: evaluate again for another one");
        fs_api_error(daemon->server, message->connection, &err);
        return;
    }
    struct fs_watch_wish wish = {.watch = 1, .context = stream->context};
    fs_server_stream(daemon->server, message->connection, fs_credential_ref(stream->credential),
                     FS_SSE_CONTENT_TYPE, "Cache-Control: no-store\r\nX-Accel-Buffering: no\r\n");
    fs_engine_connect(daemon->engine, message->connection, stream->credential, message->address, true, now);
    fs_engine_watch(daemon->engine, message->connection, &wish, now);
}

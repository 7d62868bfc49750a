/* SPDX-License-Identifier: Apache-2.0 */
/*
 * HTTP/1.1 requests: the checks in their order (size, Host, Origin, framing, credential), the body, the
 * hand-over to the core and the answer, which comes later. While the core has a request the connection is not
 * read: the library would spin on bytes that it may not take yet (4.1.6), and who goes away meanwhile is
 * found by deadline.c.
 */
#include <string.h>
#include <strings.h>
#include "base/str.h"
#include "server_internal.h"
#include "tcp_progress.h"

#define RETRY_LATER "Retry-After: 1\r\n"
#define SIGN_IN_MAX 4096 /* bytes of a body that a stranger may send: a key to sign in with */

/* Nobody will read the body of a refused request, so the connection ends with it: the library's own way to
 * throw a body away may never end where a further request was sent ahead (4.1.6, lws_http_action: a loop over
 * bytes that it cannot take). */
static int refuse(struct fs_peer *peer, int status, const char *code, const char *text, const char *headers)
{
    peer->close_after = peer->close_after || peer->unread;
    return fs_reply_error(peer, status, code, text, headers) ? fs_reply_done(peer) : -1;
}

static void reset(struct fs_peer *peer)
{
    fs_credential_unref(peer->credential);
    peer->credential = NULL;
    peer->session = 0;
    fs_free(peer->origin);
    peer->origin = NULL;
    fs_http_request_destroy(peer->request);
    peer->request = NULL;
    fs_buf_reset(&peer->body);
    peer->head_only = peer->close_after = peer->unread = peer->empty_body = false;
}

/* The body's length; false: it cannot be told, and `status` and `text` say why. */
static bool read_length(struct fs_peer *peer, uint64_t *length, int *status, const char **text)
{
    *length = 0;
    if (lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_TRANSFER_ENCODING) > 0) {
        *status = 411; /* the library has no chunked bodies; guessing where one ends is request smuggling */
        *text = "bodies need a Content-Length: chunked transfer encoding is not taken";
        return false;
    }
    if (lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0)
        return true;
    char *value = fs_header_get(peer->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH, 19);
    bool ok = value && fs_parse_u64(fs_str_from(value), length);
    fs_free(value);
    *status = 400;
    *text = "the header Content-Length is not one decimal number";
    return ok;
}

/* Where a method has a body by custom and none was announced, the library waits for one: the connection must
 * end behind the answer. */
static bool waits_for_nothing(struct fs_peer *peer)
{
    const char *method = fs_header_method(peer->wsi);
    return lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_CONTENT_LENGTH) <= 0 && method &&
           (strcmp(method, "POST") == 0 || strcmp(method, "PUT") == 0 || strcmp(method, "PATCH") == 0);
}

/* Framing. 0: go on; else what the callback returns, in `result`. */
static bool check_body(struct fs_peer *peer, uint64_t *length, int *result)
{
    int status;
    const char *text;
    if (!read_length(peer, length, &status, &text)) {
        peer->close_after = true;
        peer->unread = waits_for_nothing(peer);
        *result = refuse(peer, status, status == 411 ? "length-required" : "invalid", text, NULL);
        return false;
    }
    peer->unread = *length > 0;
    if (*length > peer->server->limits.body) {
        char message[96];
        snprintf(message, sizeof message, "the body is larger than %zu bytes", peer->server->limits.body);
        peer->close_after = true;
        *result = refuse(peer, 413, "too-large", message, NULL);
        return false;
    }
    if (waits_for_nothing(peer))
        peer->close_after = peer->unread = true;
    return true;
}

static bool is_health(const char *path, size_t length)
{
    return (length == 8 && memcmp(path, "/healthz", 8) == 0) ||
           (length == 7 && memcmp(path, "/readyz", 7) == 0);
}

static bool check_place(struct fs_peer *peer, struct fs_auth_input *input, bool health, int *result)
{
    enum fs_host_check host = health ? FS_HOST_GOOD : fs_auth_host(peer, input->host);
    if (host == FS_HOST_MISSING) {
        *result = refuse(peer, 400, "invalid", "the header Host is missing", NULL);
        return false;
    }
    if (host == FS_HOST_BAD) {
        *result = refuse(peer, 403, "forbidden",
                         "this Host is not served here: add it to 'hosts' in the configuration", NULL);
        return false;
    }
    if (input->origin && !fs_auth_origin(peer, input->origin, health ? NULL : input->host)) {
        *result = refuse(peer, 403, "forbidden",
                         "this Origin is not allowed: add it to 'origins' in the configuration", NULL);
        return false;
    }
    if (input->origin)
        peer->origin = fs_strdup(input->origin);
    return true;
}

/* https://fetch.spec.whatwg.org/#http-cors-protocol; the headers are those that OFREP's clients send. */
static int answer_preflight(struct fs_peer *peer)
{
    static const char lines[] =
        "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS\r\n"
        "Access-Control-Allow-Headers: content-type, authorization, x-api-key, if-none-match, "
        "last-event-id, cache-control\r\n"
        "Access-Control-Max-Age: 600\r\n";
    return fs_reply_write(peer, 204, NULL, lines, NULL, 0) ? fs_reply_done(peer) : -1;
}

/* Is it one that a browser asks before the real request? */
static bool is_preflight(struct fs_peer *peer)
{
    static const char name[] = "access-control-request-method:";
    return lws_hdr_custom_length(peer->wsi, name, (int)sizeof name - 1) >= 0 && peer->origin &&
           strcmp(peer->request->method, "OPTIONS") == 0;
}

static bool authenticate(struct fs_peer *peer, const struct fs_auth_input *input, int *result)
{
    struct fs_err err = {0};
    peer->credential = fs_auth_request(peer, input, &err);
    if (peer->credential || fs_server_route_is_open(peer->request->method, peer->request->path) ||
        fs_session_is_sign_in(peer->request))
        return true;
    bool unknown = err.code == FS_ERR_UNAUTHENTICATED;
    *result = refuse(peer, fs_err_http(err.code), fs_err_name(err.code), err.text,
                     unknown ? "WWW-Authenticate: Bearer\r\n" : NULL);
    return false;
}

static int answer_quickly(struct fs_peer *peer, const struct fs_quick_answer *answer)
{
    bool ok =
        fs_reply_write(peer, answer->status, "application/json", answer->headers,
                       answer->body ? answer->body->bytes : NULL, answer->body ? answer->body->length : 0);
    fs_free(answer->headers);
    fs_blob_unref(answer->body);
    return ok ? fs_reply_done(peer) : -1;
}

/* The answer comes by fs_http_answer(), which reads on. */
static void await_answer(struct fs_peer *peer)
{
    peer->state = FS_PEER_WAITING;
    fs_peer_deadline(peer, 0);
    lws_set_timeout(peer->wsi, NO_PENDING_TIMEOUT, 0);
    lws_rx_flow_control(peer->wsi, 0);
    peer->paused = true;
}

/* What needs no core is answered by this thread, yet in the loop's next turn: only from outside of the
 * library's callbacks can the connection go on behind a body. */
static bool answer_at_once(struct fs_peer *peer)
{
    const struct fs_server_options *options = &peer->server->options;
    struct fs_quick_answer answer = {0};
    if (!options->quick || !options->quick(options->quick_self, peer->request, peer->credential, &answer))
        return false;
    await_answer(peer);
    fs_server_reply(peer->server, fs_server_name(peer), answer.status, "application/json", answer.headers,
                    answer.body);
    fs_free(answer.headers);
    return true;
}

static int refuse_overloaded(struct fs_peer *peer, const char *why)
{
    const struct fs_server_options *options = &peer->server->options;
    struct fs_quick_answer answer = {0};
    if (!options->overloaded ||
        !options->overloaded(options->quick_self, peer->request, peer->credential, &answer))
        return refuse(peer, 503, "unavailable", why, RETRY_LATER);
    peer->close_after = peer->close_after || peer->unread;
    return answer_quickly(peer, &answer);
}

static int hand_over(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    int result;
    peer->request->body = fs_buf_take(&peer->body, &peer->request->length);
    if (!peer->request->body)
        peer->request->body = fs_strdup("");
    if (peer->credential && !fs_deadline_stands(peer->server, peer->credential))
        return refuse(peer, 401, "unauthenticated", "this key was revoked", "WWW-Authenticate: Bearer\r\n");
    if (peer->session && peer->request->length && !fs_session_stands(peer))
        return refuse(peer, 401, "unauthenticated", "the session has ended", NULL);
    if (!fs_http_query_readable(peer->request))
        return refuse(peer, 400, "invalid", "the query is not percent-encoded UTF-8", NULL);
    if (fs_session_answer(peer, &result))
        return result;
    if (answer_at_once(peer))
        return 0;
    fs_server_name(peer);
    struct fs_net_message *message = fs_inbox_message(peer, FS_NET_REQUEST);
    message->credential = peer->credential ? fs_credential_ref(peer->credential) : NULL;
    message->request = peer->request;
    message->message.bytes = peer->request->length;
    peer->request = NULL;
    if (!fs_inbox_try(server, message)) {
        peer->request = message->request;
        message->request = NULL;
        fs_net_message_destroy(&message->message);
        fs_server_unname(peer);
        return refuse_overloaded(peer, "the service has more work than it can take: try again");
    }
    await_answer(peer);
    return 0;
}

/* "Expect: 100-continue" (RFC 9110, 10.1.1): the library does not know it, and the client would wait for a
 * second. */
static void expect(struct fs_peer *peer, int *result)
{
    if (lws_hdr_total_length(peer->wsi, WSI_TOKEN_HTTP_EXPECT) <= 0)
        return;
    char *value = fs_header_get(peer->wsi, WSI_TOKEN_HTTP_EXPECT, 64);
    bool known = value && strcasecmp(value, "100-continue") == 0;
    fs_free(value);
    if (!known) {
        *result = refuse(peer, 417, "invalid", "of expectations, only 100-continue is known", NULL);
        return;
    }
    unsigned char line[LWS_PRE + 32];
    int length = snprintf((char *)line + LWS_PRE, 32, "HTTP/1.1 100 Continue\r\n\r\n");
    if (lws_write(peer->wsi, line + LWS_PRE, (size_t)length, LWS_WRITE_HTTP) < length)
        *result = -1;
}

static int begin(struct fs_peer *peer, struct fs_auth_input *input, const char *uri, size_t length)
{
    int result = 0;
    uint64_t body = 0;
    bool oversized = fs_header_bytes(peer->wsi) > peer->server->limits.header;
    if (!check_body(peer, &body, &result))
        return result;
    if (!fs_header_line_is_whole(peer->wsi, uri, length)) {
        peer->close_after = true;
        return refuse(peer, 400, "invalid", "path and query may hold no control characters, encoded or not",
                      NULL);
    }
    if (oversized) {
        peer->close_after = true;
        return refuse(peer, 431, "too-large", "the head of the request is too large", NULL);
    }
    if (!check_place(peer, input, is_health(uri, length), &result))
        return result;
    peer->request = fs_header_request(peer->wsi, uri, length);
    if (!peer->request)
        return refuse(peer, 400, "invalid", "the request line cannot be read", NULL);
    peer->head_only = strcmp(peer->request->method, "HEAD") == 0;
    if (is_preflight(peer))
        return answer_preflight(peer);
    if (!authenticate(peer, input, &result))
        return result;
    bool sign_in = fs_session_is_sign_in(peer->request) && body <= SIGN_IN_MAX;
    if (body && !peer->credential && !sign_in)
        return refuse(peer, 400, "invalid", "without a credential no body is taken", NULL);
    if (!fs_limits_take_request(peer))
        return refuse_overloaded(peer, "too many requests are waiting for an answer: try again");
    if (body == 0) {
        peer->empty_body = !peer->unread && strcmp(peer->request->method, "POST") == 0;
        return hand_over(peer);
    }
    peer->state = FS_PEER_BODY;
    fs_peer_deadline(peer, FS_NET_BODY_MS);
    expect(peer, &result);
    return result;
}

/*
 * Was this request read together with the one before, and so sent before that was answered? Such a connection
 * ends behind the first answer, as HTTP/1.1 allows (RFC 9112, 9.3.2): the library (4.1.6) takes a full core
 * while such a request waits, and mixes up bodies.
 */
bool fs_http_was_sent_ahead(struct fs_peer *peer)
{
    int64_t before = peer->consumed;
    peer->consumed = fs_tcp_consumed(lws_get_socket_fd(peer->wsi));
    return before >= 0 && before == peer->consumed;
}

int fs_http_begin(struct fs_peer *peer, const char *uri, size_t length)
{
    if (peer->state != FS_PEER_IDLE || peer->server->stopping || fs_http_was_sent_ahead(peer))
        return -1;
    struct fs_auth_input input = {0};
    reset(peer);
    fs_auth_read(peer->wsi, &input);
    int result = begin(peer, &input, uri, length);
    fs_auth_input_finish(&input);
    return result;
}

/*
 * Where fs_http_was_sent_ahead() cannot tell: a request with a body that was sent ahead comes from the
 * library with its own head as its body (4.1.6, lws_http_action). That head begins with the method; such a
 * connection is ended before anything is made of it.
 */
static bool is_own_head(const struct fs_peer *peer, const char *bytes, size_t length)
{
    size_t method = strlen(peer->request->method);
    return length > method && strncasecmp(bytes, peer->request->method, method) == 0 && bytes[method] == ' ';
}

int fs_http_body(struct fs_peer *peer, const void *bytes, size_t length)
{
    if (peer->state != FS_PEER_BODY || !length)
        return 0; /* nobody wants it */
    if (peer->body.length == 0 && is_own_head(peer, bytes, length))
        return -1;
    return fs_buf_add(&peer->body, bytes, length) ? 0 : -1; /* the length was checked: cannot fail */
}

int fs_http_body_end(struct fs_peer *peer)
{
    if (peer->empty_body) { /* a POST with Content-Length: 0 was handed over with its head */
        peer->empty_body = false;
        return 0;
    }
    if (peer->state != FS_PEER_BODY)
        return -1; /* a second time for the same body: the loop named above */
    peer->unread = false;
    peer->consumed = fs_tcp_consumed(lws_get_socket_fd(peer->wsi));
    peer->close_after = true; /* if it is refused now: the same loop */
    int result = hand_over(peer);
    peer->close_after = result != 0;
    return result;
}

/* The core has spoken: the connection may be read again. */
static void resume(struct fs_peer *peer)
{
    peer->state = FS_PEER_IDLE;
    fs_limits_drop_request(peer);
    if (peer->paused)
        lws_rx_flow_control(peer->wsi, 1);
    peer->paused = false;
    peer->server->nudge = true;
}

void fs_http_answer(struct fs_peer *peer, int status, const char *content_type, const char *headers,
                    struct fs_blob *body)
{
    resume(peer);
    fs_server_unname(peer);
    bool ok =
        body && body->length > FS_NET_REPLY_MAX
            ? fs_reply_error(peer, 413, "too-large",
                             "the answer would be larger than 16 MiB: ask for less, such as with limit", NULL)
            : fs_reply_write(peer, status, content_type, headers, body ? body->bytes : NULL,
                             body ? body->length : 0);
    if (!ok || fs_reply_done(peer) < 0) {
        peer->state = FS_PEER_LEAVING;
        fs_peer_kill(peer);
    }
}

/* The id will not become a connection. */
static void refuse_stream(struct fs_peer *peer, int status, const char *code, const char *text,
                          const char *headers)
{
    fs_server_forget(peer);
    resume(peer);
    if (!fs_reply_error(peer, status, code, text, headers) || fs_reply_done(peer) < 0)
        fs_peer_kill(peer);
}

void fs_http_stream(struct fs_peer *peer, const char *content_type, const char *headers)
{
    if (peer->head_only) {
        refuse_stream(peer, 405, "method-not-allowed", "an event stream has no HEAD", "Allow: GET\r\n");
        return;
    }
    if (peer->credential && !fs_deadline_stands(peer->server, peer->credential)) {
        refuse_stream(peer, 401, "unauthenticated", "the key of this stream was revoked", NULL);
        return;
    }
    switch (fs_limits_enter(peer)) {
    case FS_OK:
        break;
    case FS_ERR_LIMIT:
        refuse_stream(peer, 429, "limit", "this credential has too many connections open", RETRY_LATER);
        return;
    default:
        refuse_stream(peer, 503, "unavailable", "too many connections are open", RETRY_LATER);
        return;
    }
    fs_limits_drop_request(peer);
    peer->state = FS_PEER_STREAM;
    fs_deadline_expiry(peer);
    fs_deadline_keep_alive(peer);
    if (!fs_reply_stream_head(peer, content_type, headers))
        fs_peer_kill(peer);
}

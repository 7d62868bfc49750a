/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The websocket's way in: what is checked before 101, what closes right behind it, and frames of clients
 * until they are well-formed frames of flagstaff.v1 (docs/protocol/README.md, sections 2 and 6) or of
 * flagstaff.board.v1 (docs/protocol/board.md). What they mean is the core's. Network thread.
 */
#include <string.h>
#include <strings.h>
#include "base/log.h"
#include "base/str.h"
#include "server_internal.h"

/* The only upgrade that is taken. h2c leads to code of libwebsockets 4.1 that writes out of bounds
 * (CVE-2026-19773). */
static bool is_websocket(struct lws *wsi)
{
    char upgrade[32];
    return lws_hdr_copy(wsi, upgrade, sizeof upgrade, WSI_TOKEN_UPGRADE) > 0 &&
           strcasecmp(upgrade, "websocket") == 0;
}

static int refuse(struct fs_peer *peer, int status, const char *code, const char *text, const char *headers)
{
    peer->close_after = true;
    fs_reply_error(peer, status, code, text, headers);
    peer->state = FS_PEER_LEAVING;
    return -1;
}

/* Is `word` one of a comma-separated list, in any case? */
static bool has_word(const char *list, const char *word)
{
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, ",");
        struct fs_str item = fs_str_trim((struct fs_str){at, length});
        if (item.len == strlen(word) && strncasecmp(item.ptr, word, item.len) == 0)
            return true;
        at += length + (at[length] == ',');
    }
    return false;
}

/* The text behind "flagstaff.ticket." in the list of subprotocols; owned; NULL: none was offered. */
static char *offered_ticket(const char *list)
{
    const size_t prefix = strlen(FS_NET_TICKET);
    for (const char *at = list; at && *at;) {
        size_t length = strcspn(at, ",");
        struct fs_str item = fs_str_trim((struct fs_str){at, length});
        if (item.len >= prefix && strncmp(item.ptr, FS_NET_TICKET, prefix) == 0)
            return fs_strndup(item.ptr + prefix, item.len - prefix);
        at += length + (at[length] == ',');
    }
    return NULL;
}

/* RFC 6455, 4.2.1: what the library would drop without a word is answered here. 0: fine. */
static int check_handshake(struct fs_peer *peer, const char *protocols)
{
    struct lws *wsi = peer->wsi;
    char *version = fs_header_get(wsi, WSI_TOKEN_VERSION, 8);
    bool version_ok = version && strcmp(version, "13") == 0;
    fs_free(version);
    if (!version_ok)
        return refuse(peer, 426, "invalid", "version 13 of the websocket protocol is spoken",
                      "Sec-WebSocket-Version: 13\r\n");
    char *connection = fs_header_get(wsi, WSI_TOKEN_CONNECTION, 120);
    char *key = fs_header_get(wsi, WSI_TOKEN_KEY, 64);
    bool complete = connection && has_word(connection, "upgrade") && key && strlen(key) == 24;
    fs_free(connection);
    fs_free(key);
    if (!complete)
        return refuse(peer, 400, "invalid",
                      "this is no websocket handshake (RFC 6455): Connection or Sec-WebSocket-Key is wrong",
                      NULL);
    /* The library takes the first offer that it knows: it must be that of this path. */
    const char *wanted = peer->board ? FS_NET_BOARD_PROTOCOL : FS_NET_WS_PROTOCOL;
    const char *other = peer->board ? FS_NET_WS_PROTOCOL : FS_NET_BOARD_PROTOCOL;
    char text[120];
    snprintf(text, sizeof text,
             "offer the subprotocol %s here, in a Sec-WebSocket-Protocol of at most 127 bytes", wanted);
    if (!protocols || !has_word(protocols, wanted) || has_word(protocols, other))
        return refuse(peer, 400, "invalid", text, NULL);
    return 0;
}

/* Whoever cannot read an HTTP status learns it from a close code behind 101. */
static int deny(struct fs_peer *peer, bool browser, int close_code, int status, const struct fs_err *err,
                const char *headers)
{
    if (!browser)
        return refuse(peer, status, fs_err_name(err->code), err->text, headers);
    peer->refused = close_code;
    return 0;
}

static int admit(struct fs_peer *peer, bool browser)
{
    struct fs_err err = {0};
    unsigned scopes = peer->board ? FS_SCOPE_READ : FS_SCOPE_EVALUATE | FS_SCOPE_EVALUATE_ANY;
    if (!(peer->credential->scopes & scopes)) {
        fs_fail(&err, FS_ERR_FORBIDDEN, "this credential may not open a connection: it needs the scope %s",
                peer->board ? "read" : "evaluate");
        return deny(peer, browser, 4403, 403, &err, NULL);
    }
    switch (fs_limits_enter(peer)) {
    case FS_OK:
        return 0;
    case FS_ERR_LIMIT:
        fs_fail(&err, FS_ERR_LIMIT, "this credential has too many connections open");
        return deny(peer, browser, 4429, 429, &err, "Retry-After: 1\r\n");
    default:
        fs_fail(&err, FS_ERR_UNAVAILABLE, "too many connections are open");
        return deny(peer, browser, 1013, 503, &err, "Retry-After: 1\r\n");
    }
}

static int authenticate(struct fs_peer *peer, const struct fs_auth_input *input, const char *protocols)
{
    struct fs_err err = {0};
    char *ticket = offered_ticket(protocols);
    bool browser = ticket || (input->origin && !input->authorization && !input->api_key);
    if (ticket)
        peer->credential = fs_ticket_take(peer->server, ticket, input->origin);
    else
        peer->credential = fs_auth_request(peer, input, &err);
    if (ticket)
        fs_wipe(ticket, strlen(ticket));
    fs_free(ticket);
    if (peer->credential)
        return admit(peer, browser);
    bool unknown = err.code == FS_ERR_UNAUTHENTICATED || err.code == FS_OK;
    return deny(peer, browser, unknown ? 4401 : 4403, unknown ? 401 : 403, &err,
                unknown ? "WWW-Authenticate: Bearer\r\n" : NULL);
}

static int confirm(struct fs_peer *peer, struct fs_auth_input *input)
{
    char *path = fs_header_get(peer->wsi, WSI_TOKEN_GET_URI, 64);
    peer->board = path && strcmp(path, FS_NET_BOARD_PATH) == 0;
    bool found = peer->board || (path && strcmp(path, FS_NET_WS_PATH) == 0);
    fs_free(path);
    if (!fs_header_line_is_whole(peer->wsi, "", 0))
        return refuse(peer, 400, "invalid", "path and query may hold no control characters, encoded or not",
                      NULL);
    enum fs_host_check host = fs_auth_host(peer, input->host);
    if (host == FS_HOST_MISSING)
        return refuse(peer, 400, "invalid", "the header Host is missing", NULL);
    if (host == FS_HOST_BAD)
        return refuse(peer, 403, "forbidden",
                      "this Host is not served here: add it to 'hosts' in the configuration", NULL);
    if (input->origin && !fs_auth_origin(peer, input->origin, input->host))
        return refuse(peer, 403, "forbidden",
                      "this Origin is not allowed: add it to 'origins' in the configuration", NULL);
    if (!found)
        return refuse(peer, 404, "not-found", "websockets are at " FS_NET_WS_PATH " and " FS_NET_BOARD_PATH,
                      NULL);
    if (fs_header_bytes(peer->wsi) > peer->server->limits.header)
        return refuse(peer, 431, "too-large", "the head of the request is too large", NULL);
    char *protocols = fs_header_get(peer->wsi, WSI_TOKEN_PROTOCOL, 126);
    int result = check_handshake(peer, protocols);
    if (result == 0)
        result = authenticate(peer, input, protocols);
    fs_free(protocols);
    return result;
}

int fs_websocket_confirm(struct fs_peer *peer)
{
    if (peer->state != FS_PEER_IDLE || peer->server->stopping || fs_http_was_sent_ahead(peer))
        return -1;
    if (!is_websocket(peer->wsi))
        return refuse(peer, 400, "invalid", "of upgrades, only websocket is taken", NULL);
    struct fs_auth_input input = {0};
    fs_credential_unref(peer->credential);
    peer->credential = NULL;
    peer->session = 0;
    fs_auth_read(peer->wsi, &input);
    input.upgrade = true;
    int result = confirm(peer, &input);
    fs_auth_input_finish(&input);
    return result;
}

int fs_websocket_open(struct fs_peer *peer)
{
    static const char *const words[] = {"unauthenticated", "forbidden", "limit", "overload"};
    peer->state = FS_PEER_SOCKET;
    if (!peer->refused && !fs_deadline_stands(peer->server, peer->credential))
        peer->refused = 4401; /* revoked since it was confirmed */
    if (peer->refused) {
        int code = peer->refused;
        fs_send_close(peer, code, words[code == 4401 ? 0 : code == 4403 ? 1 : code == 4429 ? 2 : 3]);
        return 0;
    }
    fs_server_name(peer);
    peer->hello = peer->board;
    fs_peer_deadline(peer, peer->hello ? 0 : peer->server->limits.hello_ms); /* first: the core may act on
                                                                                OPENED at once */
    fs_deadline_expiry(peer);
    struct fs_net_message *message = fs_inbox_message(peer, FS_NET_OPENED);
    message->is_board = peer->board;
    message->credential = fs_credential_ref(peer->credential);
    if (!fs_inbox_try(peer->server, message)) {
        fs_net_message_destroy(&message->message);
        fs_server_unname(peer);
        fs_websocket_end(peer, 1013, "overload", "overload");
    }
    return 0;
}

void fs_websocket_end(struct fs_peer *peer, int close_code, const char *goaway, const char *reason)
{
    if (goaway && peer->state == FS_PEER_SOCKET && !peer->closing)
        fs_send_blob(peer, fs_frame_goaway(goaway, reason, 0, -1), true);
    fs_send_close(peer, close_code, reason);
}

static void fault(struct fs_peer *peer, const struct fs_frame_fault *what)
{
    fs_send_blob(peer, peer->board ? fs_board_fault(what) : fs_frame_fault(what), true);
    if (what->close)
        fs_send_close(peer, what->close, what->code);
}

static bool order_is_right(struct fs_peer *peer, const struct fs_client_frame *frame)
{
    struct fs_frame_fault what = {.code = "bad_frame", .close = 4400};
    if (frame->type == FS_CLIENT_HELLO && peer->hello)
        snprintf(what.message, sizeof what.message, "hello: a connection has only one");
    else if (frame->type != FS_CLIENT_HELLO && !peer->hello)
        snprintf(what.message, sizeof what.message, "the first frame of a connection must be hello");
    else
        return true;
    fault(peer, &what);
    return false;
}

static bool rate_is_right(struct fs_peer *peer)
{
    int64_t now = fs_server_now(peer->server).mono;
    if (now - peer->second >= 1000) {
        peer->second = now;
        peer->frames = 0;
    }
    size_t most = peer->board ? FS_NET_BOARD_RATE : peer->server->options.frames.rate;
    if (++peer->frames <= most)
        return true;
    struct fs_frame_fault what = {.code = "limit", .limit = "rate", .close = 4429};
    snprintf(what.message, sizeof what.message, "more than %zu frames within a second", most);
    fault(peer, &what);
    return false;
}

static void hand_over(struct fs_peer *peer, struct fs_net_message *message)
{
    if (peer->held) { /* one waits already: the library had read further before it was stopped */
        fs_net_message_destroy(&message->message);
        fs_websocket_end(peer, 1013, "overload", "overload");
    } else if (!fs_inbox_try(peer->server, message)) {
        fs_inbox_hold(peer, message);
    }
}

static void take_board_message(struct fs_peer *peer, const char *text, size_t length)
{
    struct fs_frame_fault what = {0};
    struct fs_board_request *request = fs_board_read(text, length, &what);
    if (!request) {
        fault(peer, &what);
        return;
    }
    struct fs_net_message *message = fs_inbox_message(peer, FS_NET_FRAME);
    message->board = request;
    message->message.bytes = length;
    hand_over(peer, message);
}

static void take_message(struct fs_peer *peer, const char *text, size_t length)
{
    struct fs_frame_fault what = {0};
    if (!rate_is_right(peer))
        return;
    if (peer->board) {
        take_board_message(peer, text, length);
        return;
    }
    struct fs_client_frame *frame = fs_client_frame_parse(text, length, &peer->server->options.frames, &what);
    if (!frame) {
        if (!what.close && !peer->hello)
            what.close = 4400; /* nothing goes before hello */
        fault(peer, &what);
        return;
    }
    if (!order_is_right(peer, frame)) {
        fs_client_frame_destroy(frame);
        return;
    }
    if (!peer->hello) {
        peer->hello = true;
        fs_peer_deadline(peer, 0);
    }
    for (size_t i = 0; i < frame->refused_count; i++)
        fault(peer, &frame->refused[i]);
    struct fs_net_message *message = fs_inbox_message(peer, FS_NET_FRAME);
    message->frame = frame;
    message->message.bytes = length;
    hand_over(peer, message);
}

int fs_websocket_receive(struct fs_peer *peer, const char *bytes, size_t length)
{
    if (peer->state != FS_PEER_SOCKET || peer->closing)
        return 0;
    if (lws_frame_is_binary(peer->wsi)) {
        fs_send_close(peer, 1003, "frames are text");
        return 0;
    }
    bool whole = lws_is_final_fragment(peer->wsi) && lws_remaining_packet_payload(peer->wsi) == 0;
    if (peer->message.length + length > peer->server->limits.frame) {
        fs_send_close(peer, 1009, "the message is too large");
        return 0;
    }
    if (whole && peer->message.length == 0) {
        take_message(peer, bytes, length);
        return 0;
    }
    fs_buf_add(&peer->message, bytes, length);
    if (whole) {
        take_message(peer, peer->message.data, peer->message.length);
        fs_buf_reset(&peer->message);
    }
    return 0;
}

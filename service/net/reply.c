/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes of HTTP responses: head and body written at once (measured: two writes cost a fifth more), the same
 * few lines about security on each, and what becomes of the connection behind it. Network thread.
 */
#include <string.h>
#include <strings.h>
#include <time.h>
#include "server_internal.h"

static const char *reason_phrase(int status)
{
    static const struct {
        int status;
        const char *phrase;
    } table[] = {
        {200, "OK"},
        {201, "Created"},
        {202, "Accepted"},
        {204, "No Content"},
        {304, "Not Modified"},
        {308, "Permanent Redirect"},
        {400, "Bad Request"},
        {401, "Unauthorized"},
        {403, "Forbidden"},
        {404, "Not Found"},
        {405, "Method Not Allowed"},
        {408, "Request Timeout"},
        {409, "Conflict"},
        {410, "Gone"},
        {411, "Length Required"},
        {413, "Content Too Large"},
        {415, "Unsupported Media Type"},
        {417, "Expectation Failed"},
        {422, "Unprocessable Content"},
        {426, "Upgrade Required"},
        {429, "Too Many Requests"},
        {431, "Request Header Fields Too Large"},
        {500, "Internal Server Error"},
        {501, "Not Implemented"},
        {502, "Bad Gateway"},
        {503, "Service Unavailable"},
        {504, "Gateway Timeout"},
    };
    for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
        if (table[i].status == status)
            return table[i].phrase;
    }
    return "Status";
}

static bool has_line(const char *headers, const char *name)
{
    size_t length = strlen(name);
    for (const char *line = headers; line && *line;
         line = strchr(line, '\n'), line = line ? line + 1 : NULL) {
        if (strncasecmp(line, name, length) == 0 && line[length] == ':')
            return true;
    }
    return false;
}

/* The lines about CORS for this peer's Origin; "" where there is none. */
static void add_cors(const struct fs_peer *peer, struct fs_buf *out)
{
    fs_buf_adds(out, "Vary: Origin\r\n");
    if (peer->origin)
        fs_buf_addf(out,
                    "Access-Control-Allow-Origin: %s\r\nAccess-Control-Expose-Headers: ETag, Retry-After\r\n",
                    peer->origin);
}

static const char *date_of(struct fs_server *server)
{
    int64_t second = fs_server_now(server).wall / 1000;
    if (second != server->date_second) {
        struct tm parts;
        time_t time = (time_t)second;
        gmtime_r(&time, &parts);
        strftime(server->date, sizeof server->date, "%a, %d %b %Y %H:%M:%S GMT", &parts);
        server->date_second = second;
    }
    return server->date;
}

static void add_head(struct fs_peer *peer, struct fs_buf *out, int status, const char *content_type,
                     const char *headers)
{
    fs_buf_addf(out, "HTTP/1.1 %d %s\r\nDate: %s\r\nX-Content-Type-Options: nosniff\r\n", status,
                reason_phrase(status), date_of(peer->server));
    if (!has_line(headers, "Cache-Control"))
        fs_buf_adds(out, "Cache-Control: no-store\r\n");
    if (content_type)
        fs_buf_addf(out, "Content-Type: %s\r\n", content_type);
    add_cors(peer, out);
    if (headers)
        fs_buf_adds(out, headers);
}

static bool write_all(struct fs_peer *peer, struct fs_buf *out)
{
    unsigned char *bytes = (unsigned char *)out->data + LWS_PRE;
    size_t length = out->length - LWS_PRE;
    bool ok = !out->failed && lws_write(peer->wsi, bytes, length, LWS_WRITE_HTTP) >= (int)length;
    fs_buf_finish(out);
    if (ok && lws_partial_buffered(peer->wsi))
        fs_deadline_slow(peer);
    return ok;
}

bool fs_reply_write(struct fs_peer *peer, int status, const char *content_type, const char *headers,
                    const void *body, size_t length)
{
    static const char room[LWS_PRE];
    struct fs_buf out;
    fs_buf_init(&out, length + 65536);
    fs_buf_add(&out, room, sizeof room);
    add_head(peer, &out, status, content_type, headers);
    if (status != 204 && status != 304)
        fs_buf_addf(&out, "Content-Length: %zu\r\n", length);
    if (peer->close_after)
        fs_buf_adds(&out, "Connection: close\r\n");
    fs_buf_adds(&out, "\r\n");
    if (length && !peer->head_only && status != 204 && status != 304)
        fs_buf_add(&out, body, length);
    return write_all(peer, &out);
}

bool fs_reply_stream_head(struct fs_peer *peer, const char *content_type, const char *headers)
{
    static const char room[LWS_PRE];
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    fs_buf_add(&out, room, sizeof room);
    add_head(peer, &out, 200, content_type, headers);
    if (!has_line(headers, "X-Accel-Buffering"))
        fs_buf_adds(&out, "X-Accel-Buffering: no\r\n");
    fs_buf_adds(&out, "Connection: close\r\n\r\n"); /* its end is the connection's */
    return write_all(peer, &out);
}

bool fs_reply_error(struct fs_peer *peer, int status, const char *code, const char *text, const char *headers)
{
    struct fs_buf body;
    fs_buf_init(&body, 8192);
    fs_buf_adds(&body, "{\"error\":{\"code\":");
    fs_buf_add_json_string(&body, code, strlen(code));
    fs_buf_adds(&body, ",\"message\":");
    fs_buf_add_json_string(&body, text, strlen(text));
    fs_buf_adds(&body, "}}");
    bool ok = fs_reply_write(peer, status, "application/json", headers, body.data, body.length);
    fs_buf_finish(&body);
    return ok;
}

int fs_reply_done(struct fs_peer *peer)
{
    fs_http_request_destroy(peer->request);
    peer->request = NULL;
    fs_buf_finish(&peer->body);
    fs_buf_init(&peer->body, peer->server->limits.body);
    fs_peer_deadline(peer, 0);
    fs_limits_drop_request(peer);
    if (!peer->close_after) {
        peer->state = FS_PEER_IDLE;
        return lws_http_transaction_completed(peer->wsi) ? -1 : 0;
    }
    peer->state = FS_PEER_LEAVING;
    if (!peer->unread)
        return -1;
    /* Closing a socket with bytes unread would reset it, and the client might never see the answer. */
    fs_peer_deadline(peer, FS_NET_LINGER_MS);
    return 0;
}

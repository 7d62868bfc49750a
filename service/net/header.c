/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The head of a request, as the library has parsed it, into a struct of ours. The library decodes paths and
 * queries on the way in ('%2F' becomes '/', '//' becomes '/', '/../' is resolved, '+' in a query becomes a
 * blank); here they are encoded again, so that a '?' or '&' in a value stays one. An encoded slash cannot be
 * told from a plain one any more.
 */
#include <string.h>
#include "base/str.h"
#include "server_internal.h"

static const struct {
    enum lws_token_indexes token;
    const char *name;
} known[] = {
    {WSI_TOKEN_HOST, "host"},
    {WSI_TOKEN_ORIGIN, "origin"},
    {WSI_TOKEN_HTTP_ACCEPT, "accept"},
    {WSI_TOKEN_HTTP_CONTENT_TYPE, "content-type"},
    {WSI_TOKEN_HTTP_IF_NONE_MATCH, "if-none-match"},
    {WSI_TOKEN_HTTP_CACHE_CONTROL, "cache-control"},
    {WSI_TOKEN_HTTP_USER_AGENT, "user-agent"},
};

/* The library finds a header that it does not know only by name, which it keeps with the colon: these are all
 * that reach the core. */
static const char *const custom[] = {
    "last-event-id:",
    "ce-id:",
    "ce-source:",
    "ce-specversion:",
    "ce-type:",
    "ce-subject:",
    "ce-time:",
    "ce-datacontenttype:",
    "ce-dataschema:",
    "ce-sequence:",
    "ce-sequencetype:",
    "ce-traceparent:",
    "ce-tracestate:",
    "ce-expirytime:",
    "ce-recordedtime:",
    "ce-authtype:",
    "ce-authid:",
    "ce-partitionkey:",
    "ce-severitytext:",
    "ce-severitynumber:",
    "ce-correlationid:",
    "ce-causationid:",
    "webhook-request-origin:",
    "webhook-request-rate:",
    "webhook-request-callback:",
    "traceparent:",
    "tracestate:",
    "idempotency-key:",
};

static const struct {
    enum lws_token_indexes token;
    const char *name;
} methods[] = {
    {WSI_TOKEN_GET_URI, "GET"},       {WSI_TOKEN_POST_URI, "POST"}, {WSI_TOKEN_PUT_URI, "PUT"},
    {WSI_TOKEN_DELETE_URI, "DELETE"}, {WSI_TOKEN_HEAD_URI, "HEAD"}, {WSI_TOKEN_OPTIONS_URI, "OPTIONS"},
    {WSI_TOKEN_PATCH_URI, "PATCH"},
};

/* No control characters but tab; trimmed. Takes the text; NULL where it may not be used. */
static char *checked(char *text)
{
    for (const unsigned char *c = (const unsigned char *)text; *c; c++) {
        if ((*c < 0x20 && *c != '\t') || *c == 0x7f) {
            fs_free(text);
            return NULL;
        }
    }
    struct fs_str trimmed = fs_str_trim(fs_str_from(text));
    memmove(text, trimmed.ptr, trimmed.len);
    text[trimmed.len] = 0;
    return text;
}

char *fs_header_get(struct lws *wsi, enum lws_token_indexes token, size_t limit)
{
    int length = lws_hdr_total_length(wsi, token);
    if (length <= 0 || (size_t)length > limit)
        return NULL;
    char *text = fs_alloc((size_t)length + 1);
    if (lws_hdr_copy(wsi, text, length + 1, token) < 0) {
        fs_free(text);
        return NULL;
    }
    return checked(text);
}

char *fs_header_custom(struct lws *wsi, const char *name, size_t limit)
{
    int name_length = (int)strlen(name);
    int length = lws_hdr_custom_length(wsi, name, name_length);
    if (length < 0 || (size_t)length > limit)
        return NULL;
    char *text = fs_alloc((size_t)length + 1);
    if (lws_hdr_custom_copy(wsi, text, length + 1, name, name_length) < 0) {
        fs_free(text);
        return NULL;
    }
    return checked(text);
}

size_t fs_header_bytes(struct lws *wsi)
{
    size_t sum = 0;
    for (int token = 0; token < WSI_TOKEN_COUNT; token++) {
        int length = lws_hdr_total_length(wsi, (enum lws_token_indexes)token);
        sum += length > 0 ? (size_t)length : 0;
    }
    for (size_t i = 0; i < sizeof custom / sizeof *custom; i++) {
        int length = lws_hdr_custom_length(wsi, custom[i], (int)strlen(custom[i]));
        sum += length > 0 ? (size_t)length : 0;
    }
    return sum;
}

const char *fs_header_method(struct lws *wsi)
{
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++) {
        if (lws_hdr_total_length(wsi, methods[i].token) > 0)
            return methods[i].name;
    }
    return NULL;
}

static bool has_line_break(struct lws *wsi, enum lws_token_indexes token)
{
    int length = lws_hdr_total_length(wsi, token);
    char *text = fs_calloc((size_t)length + 1, 1);
    bool found = lws_hdr_copy(wsi, text, length + 1, token) < 0 || memchr(text, '\n', (size_t)length) ||
                 memchr(text, '\r', (size_t)length);
    fs_free(text);
    return found;
}

bool fs_header_line_is_whole(struct lws *wsi, const char *uri, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if ((unsigned char)uri[i] < 0x20 || uri[i] == 0x7f)
            return false;
    for (size_t i = 0; i < sizeof methods / sizeof *methods; i++)
        if (has_line_break(wsi, methods[i].token))
            return false;
    return !has_line_break(wsi, WSI_TOKEN_HTTP_URI_ARGS) && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP) > 0;
}

/* Percent-encodes all but RFC 3986's unreserved characters and those in `keep`. */
static void add_encoded(struct fs_buf *out, const char *text, size_t length, const char *keep)
{
    static const char unreserved[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-._~";
    for (size_t i = 0; i < length; i++) {
        char c = text[i];
        if (c && (strchr(unreserved, c) || strchr(keep, c)))
            fs_buf_addc(out, c);
        else
            fs_buf_addf(out, "%%%02X", (unsigned)(unsigned char)c);
    }
}

static char *read_query(struct lws *wsi, size_t limit)
{
    struct fs_buf query;
    fs_buf_init(&query, limit * 3);
    int length = lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_URI_ARGS);
    int room = length > 0 ? length + 1 : 1;
    char *piece = fs_alloc((size_t)room);
    for (int i = 0; length > 0; i++) {
        int got = lws_hdr_copy_fragment(wsi, piece, room, WSI_TOKEN_HTTP_URI_ARGS, i);
        if (got < 0)
            break;
        if (got == 0)
            continue;
        if (query.length)
            fs_buf_addc(&query, '&');
        const char *equals = memchr(piece, '=', (size_t)got);
        size_t name = equals ? (size_t)(equals - piece) : (size_t)got;
        add_encoded(&query, piece, name, "");
        if (equals) {
            fs_buf_addc(&query, '=');
            add_encoded(&query, equals + 1, (size_t)got - name - 1, "");
        }
    }
    fs_free(piece);
    char *text = query.length ? fs_buf_take(&query, NULL) : fs_strdup("");
    fs_buf_finish(&query);
    return text;
}

static void add_header(struct fs_http_request *request, const char *name, char *value)
{
    if (!value)
        return;
    request->headers[request->header_count].name = fs_strndup(name, strcspn(name, ":"));
    request->headers[request->header_count++].value = value;
}

struct fs_http_request *fs_header_request(struct lws *wsi, const char *uri, size_t length)
{
    const char *method = fs_header_method(wsi);
    if (!method || !length || memchr(uri, 0, length))
        return NULL;
    size_t limit = length + 65536;
    struct fs_http_request *request = FS_NEW(struct fs_http_request);
    request->method = fs_strdup(method);
    struct fs_buf path;
    fs_buf_init(&path, length * 3);
    add_encoded(&path, uri, length, "/!$&'()*+,;=:@");
    request->path = fs_buf_take(&path, NULL);
    fs_buf_finish(&path);
    request->query = read_query(wsi, limit);
    request->headers =
        fs_calloc(sizeof known / sizeof *known + sizeof custom / sizeof *custom, sizeof *request->headers);
    for (size_t i = 0; i < sizeof known / sizeof *known; i++)
        add_header(request, known[i].name, fs_header_get(wsi, known[i].token, limit));
    for (size_t i = 0; i < sizeof custom / sizeof *custom; i++)
        add_header(request, custom[i], fs_header_custom(wsi, custom[i], limit));
    return request;
}

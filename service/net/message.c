/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the door hands to the core, as the receiver sees it: messages and requests, and how to look into them.
 * Pure; any thread.
 */
#include <string.h>
#include "base/str.h"
#include "server_internal.h"

void fs_http_request_destroy(struct fs_http_request *request)
{
    if (!request)
        return;
    for (size_t i = 0; i < request->header_count; i++) {
        fs_free(request->headers[i].name);
        fs_free(request->headers[i].value);
    }
    fs_free(request->headers);
    fs_free(request->method);
    fs_free(request->path);
    fs_free(request->query);
    fs_free(request->body);
    fs_free(request);
}

void fs_net_message_destroy(struct fs_message *message)
{
    struct fs_net_message *self = FS_CONTAINER(message, struct fs_net_message, message);
    fs_credential_unref(self->credential);
    fs_http_request_destroy(self->request);
    fs_client_frame_destroy(self->frame);
    fs_board_request_destroy(self->board);
    fs_free(self->text);
    fs_free(self);
}

const char *fs_http_header(const struct fs_http_request *request, const char *name)
{
    for (size_t i = 0; i < request->header_count; i++) {
        if (strcmp(request->headers[i].name, name) == 0)
            return request->headers[i].value;
    }
    return NULL;
}

/* A piece of a query as text: '+' is a blank there (application/x-www-form-urlencoded), %XX a byte. NULL:
 * broken. */
static char *query_text(const char *piece, size_t length)
{
    char *text = fs_strndup(piece, length);
    for (size_t i = 0; i < length; i++) {
        if (text[i] == '+')
            text[i] = ' ';
    }
    if (!fs_percent_decode(text, &length) || memchr(text, 0, length) || !fs_utf8_valid(text, length)) {
        fs_free(text);
        return NULL;
    }
    text[length] = 0;
    return text;
}

bool fs_http_query_readable(const struct fs_http_request *request)
{
    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&");
        char *text = query_text(at, length);
        if (!text)
            return false;
        fs_free(text);
        at += length + (at[length] == '&');
    }
    return true;
}

char *fs_http_query(const struct fs_http_request *request, const char *name)
{
    for (const char *at = request->query; *at;) {
        size_t length = strcspn(at, "&");
        size_t key_length = 0;
        while (key_length < length && at[key_length] != '=')
            key_length++;
        char *key = query_text(at, key_length);
        bool found = key && strcmp(key, name) == 0;
        fs_free(key);
        if (found) {
            size_t skip = key_length < length ? key_length + 1 : length;
            return query_text(at + skip, length - skip);
        }
        at += length + (at[length] == '&');
    }
    return NULL;
}

/* Paths that bring their own secret or hold none. Everything else needs a credential. */
bool fs_server_route_is_open(const char *method, const char *path)
{
    static const char *const pages[] = {"/",      "/index.html", "/favicon.ico", "/favicon.svg",
                                        "/board", "/healthz",    "/readyz"};
    if (strcmp(method, "OPTIONS") == 0)
        return true;
    if (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0)
        return false;
    for (size_t i = 0; i < sizeof pages / sizeof *pages; i++) {
        if (strcmp(path, pages[i]) == 0)
            return true;
    }
    return strncmp(path, "/board/", 7) == 0 || strncmp(path, "/ofrep/v1/events/", 17) == 0;
}

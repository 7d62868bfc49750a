/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.c: see url.h.
 */
#include "url.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

/* http:// and https:// are what people have at hand. */
static bool read_scheme(const char **text, struct fsw_url *url)
{
    static const struct {
        const char *name;
        bool tls;
    } schemes[] = {{"ws://", false}, {"wss://", true}, {"http://", false}, {"https://", true}};
    for (size_t i = 0; i < sizeof schemes / sizeof schemes[0]; i++) {
        size_t length = strlen(schemes[i].name);
        if (strncasecmp(*text, schemes[i].name, length) == 0) {
            url->tls = schemes[i].tls;
            url->port = url->tls ? 443 : 80;
            *text += length;
            return true;
        }
    }
    return false;
}

/* ":8080" at the end of the authority. */
static bool read_port(const char *text, size_t length, int *port)
{
    int number = 0;
    if (length < 2 || length > 6) {
        return false;
    }
    for (size_t i = 1; i < length; i++) {
        if (text[i] < '0' || text[i] > '9') {
            return false;
        }
        number = number * 10 + (text[i] - '0');
    }
    *port = number;
    return number > 0 && number < 65536;
}

static bool plain(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) {
        unsigned char c = (unsigned char)text[i];
        if (c <= ' ' || c >= 0x7f || c == '@' || c == '#') {
            return false;
        }
    }
    return true;
}

bool fsw_url_parse(const char *text, struct fsw_url *url, const char **why)
{
    memset(url, 0, sizeof *url);
    *why = "it is not ws://HOST[:PORT][/PATH] or wss://HOST[:PORT][/PATH], also written http:// and https://";
    if (text == NULL || !read_scheme(&text, url) || !plain(text, strlen(text))) {
        return false;
    }
    int usual = url->port;
    size_t authority = strcspn(text, "/?"), name = authority;
    const char *path = text + authority;
    bool bracket = text[0] == '[';
    if (bracket) {
        name = strcspn(text, "]") + 1;
        if (name > authority || name < 4) {
            return false;
        }
    } else {
        name = strcspn(text, ":/?");
    }
    if (name == 0 ||
        (name < authority && (text[name] != ':' || !read_port(text + name, authority - name, &url->port)))) {
        return false;
    }
    url->address = strndup(text + bracket, name - 2 * (size_t)bracket);
    if (asprintf(&url->host, url->port == usual ? "%.*s" : "%.*s:%d", (int)name, text, url->port) < 0) {
        url->host = NULL;
    }
    if (asprintf(&url->path, "%s%s", path[0] == '/' ? "" : "/v1/ws",
                 path[0] == '/' && path[1] == '\0' ? "/v1/ws" : path) < 0) {
        url->path = NULL;
    }
    if (url->address == NULL || url->host == NULL || url->path == NULL) {
        fsw_url_finish(url);
        *why = "out of memory";
        return false;
    }
    return true;
}

void fsw_url_finish(struct fsw_url *url)
{
    free(url->address);
    free(url->host);
    free(url->path);
    memset(url, 0, sizeof *url);
}

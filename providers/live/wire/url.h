/* SPDX-License-Identifier: Apache-2.0 */
/*
 * url.h: takes a websocket URL apart (RFC 6455 section 3, RFC 3986). Pure.
 */
#ifndef WIRE_URL_H
#define WIRE_URL_H

#include <stdbool.h>

struct fsw_url {
    bool tls;
    int port;
    char *address; /* without brackets: what is looked up */
    char *host;    /* for the Host header: with brackets, and with the port unless it is the scheme's own */
    char *path;    /* from '/', with query; "/v1/ws" where the URL has none */
};

/* Fills *url; false, with a reason in *why, where text is no websocket URL or memory is short. Not kept:
 * user, fragment. */
bool fsw_url_parse(const char *text, struct fsw_url *url, const char **why);
void fsw_url_finish(struct fsw_url *url);

#endif

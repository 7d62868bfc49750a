/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who is it, and may it come from there? Host and Origin are compared as a whole with lists, never by part or
 * pattern (against DNS rebinding and cross-site websocket hijacking); keys are looked up in the keyring. What
 * a credential may *do* is not decided here.
 */
#include <arpa/inet.h>
#include <netinet/in.h>
#include <string.h>
#include <strings.h>
#include "server_internal.h"

#define CREDENTIAL_MAX 512
#define COOKIES_MAX    4096

/* Whatever it holds, and however long it is. */
static bool has_custom(struct lws *wsi, const char *name)
{
    return lws_hdr_custom_length(wsi, name, (int)strlen(name)) >= 0;
}

void fs_auth_read(struct lws *wsi, struct fs_auth_input *input)
{
    input->host = fs_header_get(wsi, WSI_TOKEN_HOST, 255);
    input->origin = fs_header_get(wsi, WSI_TOKEN_ORIGIN, 512);
    input->authorization = fs_header_get(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, CREDENTIAL_MAX);
    if (!input->authorization && lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_AUTHORIZATION) > 0)
        input->authorization = fs_strdup("unusable"); /* too long or malformed: refused, not overlooked */
    if (!input->origin && lws_hdr_total_length(wsi, WSI_TOKEN_ORIGIN) > 0)
        input->origin = fs_strdup("unusable");
    input->api_key = fs_header_custom(wsi, "x-api-key:", CREDENTIAL_MAX);
    if (!input->api_key && has_custom(wsi, "x-api-key:"))
        input->api_key = fs_strdup("unusable");
    input->cookie = fs_header_get(wsi, WSI_TOKEN_HTTP_COOKIE, COOKIES_MAX);
    input->csrf = fs_header_custom(wsi, "x-flagstaff-csrf:", CREDENTIAL_MAX);
    const char *method = fs_header_method(wsi);
    input->changes = !method || (strcmp(method, "GET") != 0 && strcmp(method, "HEAD") != 0);
    input->forwarded = has_custom(wsi, "forwarded:") ||
                       lws_hdr_total_length(wsi, WSI_TOKEN_X_FORWARDED_FOR) > 0 ||
                       lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_X_REAL_IP) > 0 ||
                       lws_hdr_total_length(wsi, WSI_TOKEN_HTTP_VIA) > 0;
}

void fs_auth_input_finish(struct fs_auth_input *input)
{
    if (input->authorization)
        fs_wipe(input->authorization, strlen(input->authorization));
    if (input->api_key)
        fs_wipe(input->api_key, strlen(input->api_key));
    if (input->cookie)
        fs_wipe(input->cookie, strlen(input->cookie));
    if (input->csrf)
        fs_wipe(input->csrf, strlen(input->csrf));
    fs_free(input->cookie);
    fs_free(input->csrf);
    fs_free(input->host);
    fs_free(input->origin);
    fs_free(input->authorization);
    fs_free(input->api_key);
}

/* The length of the name in "name:port" or "[::1]:port"; the rest must be a port. 0: malformed. */
static size_t name_length(const char *host)
{
    size_t length = *host == '[' ? strcspn(host, "]") + 1 : strcspn(host, ":");
    if (length > strlen(host))
        return 0;
    const char *port = host + length;
    if (*port == 0)
        return length;
    return *port == ':' && port[1] && strspn(port + 1, "0123456789") == strlen(port + 1) ? length : 0;
}

static bool name_is(const char *host, size_t length, const char *name)
{
    return strlen(name) == length && strncasecmp(host, name, length) == 0;
}

bool fs_auth_is_loopback_name(const char *host)
{
    size_t length = name_length(host);
    return length && (name_is(host, length, "localhost") || name_is(host, length, "127.0.0.1") ||
                      name_is(host, length, "[::1]"));
}

/* The address at our end of the connection: a literal address cannot be rebound. */
static bool is_local_address(const struct fs_peer *peer, const char *host, size_t length)
{
    struct sockaddr_storage name = {0};
    socklen_t name_size = sizeof name;
    char text[INET6_ADDRSTRLEN + 2] = "[";
    if (getsockname(lws_get_socket_fd(peer->wsi), (struct sockaddr *)&name, &name_size) != 0)
        return false;
    if (name.ss_family == AF_INET) {
        inet_ntop(AF_INET, &((struct sockaddr_in *)&name)->sin_addr, text, sizeof text);
        return name_is(host, length, text);
    }
    const struct in6_addr *in6 = &((struct sockaddr_in6 *)&name)->sin6_addr;
    if (IN6_IS_ADDR_V4MAPPED(in6)) {
        inet_ntop(AF_INET, &in6->s6_addr[12], text, sizeof text);
        return name_is(host, length, text);
    }
    inet_ntop(AF_INET6, in6, text + 1, sizeof text - 2);
    text[strlen(text)] = ']';
    return name_is(host, length, text);
}

enum fs_host_check fs_auth_host(const struct fs_peer *peer, const char *host)
{
    const struct fs_server *server = peer->server;
    if (!host || !*host)
        return FS_HOST_MISSING;
    size_t length = name_length(host);
    if (!length)
        return FS_HOST_BAD;
    if (fs_auth_is_loopback_name(host) || name_is(host, length, server->host) ||
        is_local_address(peer, host, length))
        return FS_HOST_GOOD;
    for (size_t i = 0; server->hosts[i]; i++) {
        const char *allowed = server->hosts[i];
        bool with_port = name_length(allowed) != strlen(allowed);
        if (with_port ? strcasecmp(host, allowed) == 0 : name_is(host, length, allowed))
            return FS_HOST_GOOD;
    }
    return FS_HOST_BAD;
}

/* The part behind "http://" or "https://"; NULL: another scheme. `secure`: only https, as where we speak TLS
 * ourselves: a page of the same name that came in clear may be anybody's. */
static const char *origin_host(const char *origin, bool secure)
{
    if (!secure && strncmp(origin, "http://", 7) == 0)
        return origin + 7;
    if (strncmp(origin, "https://", 8) == 0)
        return origin + 8;
    return NULL;
}

/* Our own origin is that of the Host that was allowed. Without TLS of our own either scheme: it may end at a
 * proxy in front of us. */
bool fs_auth_origin(const struct fs_peer *peer, const char *origin, const char *host)
{
    const struct fs_server *server = peer->server;
    const char *name = origin_host(origin, server->tls);
    if (!origin_host(origin, false))
        return false; /* "null", extensions, files */
    if (name && host && strcasecmp(name, host) == 0)
        return true;
    for (size_t i = 0; server->origins[i]; i++) {
        if (strcmp(server->origins[i], origin) == 0)
            return true;
    }
    return false;
}

/* That of the daemon itself, as `publicUrl` or the Host that was allowed says it; no other, however trusted.
 */
bool fs_auth_origin_is_own(const struct fs_peer *peer, const char *origin, const char *host)
{
    const char *name = origin_host(origin, peer->server->tls), *url = peer->server->options.public_url;
    size_t length = strlen(origin);
    if (url && strncmp(url, origin, length) == 0 && (url[length] == 0 || strcmp(url + length, "/") == 0))
        return true;
    return name && host && strcasecmp(name, host) == 0;
}

/* DESIGN's development mode: no key was ever made, and everything about the caller is loopback. */
static bool is_operator(const struct fs_peer *peer, const struct fs_auth_input *input)
{
    if (!peer->server->options.loopback_operator || !peer->loopback || input->forwarded)
        return false;
    if (!input->host || !fs_auth_is_loopback_name(input->host))
        return false;
    const char *name = input->origin ? origin_host(input->origin, false) : NULL;
    return !input->origin || (name && fs_auth_is_loopback_name(name));
}

static struct fs_credential *operator_credential(void)
{
    static const char *const scopes[] = {"evaluate", "evaluate:any", "tickets", "events",  "facts:*",
                                         "status:*", "metrics",      "read",    "operate", "admin"};
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    atomic_init(&credential->references, 1);
    credential->id = fs_strdup("loopback");
    credential->name = fs_strdup("a caller on this machine");
    for (size_t i = 0; i < sizeof scopes / sizeof *scopes; i++)
        fs_credential_add_scope(credential, scopes[i]);
    credential->event_types = fs_calloc(2, sizeof *credential->event_types);
    credential->event_types[0] = fs_strdup("*");
    return credential;
}

struct fs_credential *fs_auth_key(const struct fs_peer *peer, const char *key, const char *origin,
                                  struct fs_err *err)
{
    const struct fs_server *server = peer->server;
    struct fs_credential *credential = fs_keyring_find(server->keyring, key, fs_server_now(server).wall);
    if (!credential) {
        fs_fail(err, FS_ERR_UNAUTHENTICATED, "this key is not known, was revoked or has expired");
        return NULL;
    }
    if (credential->origin && (!origin || strcmp(credential->origin, origin) != 0)) {
        fs_credential_unref(credential);
        fs_fail(err, FS_ERR_FORBIDDEN, "this key belongs to another Origin");
        return NULL;
    }
    return credential;
}

/* Without a key in a header: by the session of a cookie, or as an operator on this machine. */
static struct fs_credential *without_key(struct fs_peer *peer, const struct fs_auth_input *input,
                                         struct fs_err *err)
{
    struct fs_credential *credential = fs_session_credential(peer, input, err);
    if (credential || err->code)
        return credential;
    if (is_operator(peer, input))
        return operator_credential();
    fs_fail(err, FS_ERR_UNAUTHENTICATED,
            "a key is needed: send the header 'Authorization: Bearer KEY' (or X-API-Key)");
    return NULL;
}

struct fs_credential *fs_auth_request(struct fs_peer *peer, const struct fs_auth_input *input,
                                      struct fs_err *err)
{
    peer->session = 0;
    const char *key = input->api_key;
    if (input->authorization) {
        if (strncasecmp(input->authorization, "Bearer ", 7) != 0) {
            fs_fail(err, FS_ERR_UNAUTHENTICATED, "the header Authorization must be 'Bearer KEY'");
            return NULL;
        }
        key = input->authorization + 7 + strspn(input->authorization + 7, " ");
    }
    return key ? fs_auth_key(peer, key, input->origin, err) : without_key(peer, input, err);
}

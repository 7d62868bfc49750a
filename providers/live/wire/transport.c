/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.c: see transport.h.
 */
#include "transport.h"

#include <arpa/inet.h>
#include <errno.h>
#include <libwebsockets.h>
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TOKEN_SIZE 8192

struct fsw_transport {
    struct fsw_transport_config config;
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws *wsi; /* NULL: no connection and no attempt */
    lws_sorted_usec_list_t timer;
    bool established;
    bool told;      /* closed() was told of this attempt or connection */
    int close_code; /* to be sent */
    int heard_code; /* close code or HTTP status from the other side */
    char heard_text[200];
    char token[TOKEN_SIZE];
    char *message; /* being put together */
    size_t length, room;
};

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length);

static const struct lws_protocols protocols[] = {
    {.name = "flagstaff.v1", .callback = on_event, .rx_buffer_size = 4096, .tx_packet_size = 65536},
    {.name = NULL},
};

/* libwebsockets 4.1 has one log for the whole process, which goes to stderr: not what a library may do
 * unasked, and what matters is told by closed(). It is turned off only where it is as the library comes: a
 * program that has set its own levels keeps them, and our lines come among its own. */
static void silence(void)
{
    const int usual = LLL_ERR | LLL_WARN | LLL_NOTICE;
    bool untouched =
        lwsl_visible(LLL_ERR) && lwsl_visible(LLL_WARN) && lwsl_visible(LLL_NOTICE) && !lwsl_visible(~usual);
    if (untouched) {
        lws_set_log_level(0, NULL);
    }
}

/*
 * libwebsockets ignores SIGPIPE for the whole process, which is not a library's to decide. The client's
 * thread blocks all signals, so there it is not needed; elsewhere one that comes of us is swallowed.
 */
static struct lws_context *make_context(const struct lws_context_creation_info *info)
{
    struct sigaction before;
    sigaction(SIGPIPE, NULL, &before);
    struct lws_context *context = lws_create_context(info);
    sigaction(SIGPIPE, &before, NULL);
    return context;
}

static void destroy_context(struct lws_context *context)
{
    sigset_t pipe, before, pending;
    sigemptyset(&pipe);
    sigaddset(&pipe, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &pipe, &before);
    sigpending(&pending);
    bool was_pending = sigismember(&pending, SIGPIPE) == 1;
    lws_context_destroy(context);
    const struct timespec none = {0};
    while (!was_pending && sigtimedwait(&pipe, NULL, &none) < 0 && errno == EINTR) {
    }
    pthread_sigmask(SIG_SETMASK, &before, NULL);
}

struct fsw_transport *fsw_transport_create(const struct fsw_transport_config *config)
{
    static pthread_once_t once = PTHREAD_ONCE_INIT;
    pthread_once(&once, silence);
    struct fsw_transport *transport = calloc(1, sizeof *transport);
    if (transport == NULL) {
        return NULL;
    }
    transport->config = *config;
    transport->told = true;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN,
        .protocols = protocols,
        .options = LWS_SERVER_OPTION_EXPLICIT_VHOSTS,
        .timeout_secs = config->patience,
        .connect_timeout_secs = config->patience,
        .fd_limit_per_thread = 16,
        /* An empty address keeps libwebsockets from looking at the environment's http_proxy. */
        .http_proxy_address = config->proxy == NULL ? "" : config->proxy,
        .user = transport,
    };
    if (config->url->tls) {
        info.options |= LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT;
        info.client_ssl_ca_filepath = config->ca_file;
        if (config->ca_file != NULL) { /* instead of the system's, not beside them */
            info.options |= LWS_SERVER_OPTION_DISABLE_OS_CA_CERTS;
        }
        info.client_ssl_cert_filepath = config->client_certificate;
        info.client_ssl_private_key_filepath = config->client_key;
        info.alpn = "http/1.1";
    }
    transport->context = make_context(&info);
    transport->vhost = transport->context == NULL ? NULL : lws_create_vhost(transport->context, &info);
    if (transport->vhost == NULL ||
        (config->url->tls && lws_init_vhost_client_ssl(&info, transport->vhost) != 0)) {
        fsw_transport_destroy(transport);
        return NULL;
    }
    return transport;
}

void fsw_transport_destroy(struct fsw_transport *transport)
{
    if (transport != NULL) {
        if (transport->context != NULL) {
            destroy_context(transport->context);
        }
        explicit_bzero(transport->token, sizeof transport->token);
        free(transport->message);
        free(transport);
    }
}

/* What libwebsockets says of a failed attempt, in words that say what to look at. */
static const char *in_words(const struct fsw_transport *transport, const char *text, char *out, size_t size)
{
    int status = transport->heard_code;
    if (strcmp(text, "Unable to connect") == 0) {
        return transport->config.proxy == NULL ? "the connection was refused, or nothing answers there"
                                               : "the proxy refused the connection, or does not answer";
    }
    if (strstr(text, "lib(0)") != NULL) { /* all that it tells of OpenSSL's reasons */
        return "TLS failed: that port does not speak TLS (then the url begins with http:// or ws://), or its "
               "certificate "
               "is not trusted for this host (then name its authority in ca_file)";
    }
    if (strcmp(text, "read failed") == 0 && !transport->config.url->tls) {
        return "it was ended before an answer came: does that port speak TLS? Then the url begins with "
               "wss://";
    }
    if (strncmp(text, "HS: ", 4) != 0 || status == 0) {
        return text;
    }
    if (status == 401 || status == 403) {
        return status == 401 ? "the key is not known there, or none was given"
                             : "the key may not connect, or this host may not";
    }
    snprintf(out, size, "HTTP %d came instead of a websocket: check the url's host and path", status);
    return out;
}

/* The library begins no connection where it finds no address, and tells nothing. */
static const char *why_not(const struct fsw_transport *transport, char *out, size_t size)
{
    const char *host = transport->config.url->address;
    struct in6_addr address;
    if (transport->config.proxy != NULL) {
        snprintf(out, size, "the connection could not be begun: is the proxy's name right (%.100s)?",
                 transport->config.proxy);
    } else if (inet_pton(AF_INET, host, &address) == 1 || inet_pton(AF_INET6, host, &address) == 1) {
        snprintf(out, size, "the connection could not be begun: out of memory or of file descriptors");
    } else {
        snprintf(out, size, "no address was found for the name \"%.100s\"", host);
    }
    return out;
}

/* The connection or attempt is over, told once. */
static void finish(struct fsw_transport *transport, const char *text)
{
    if (transport->told) {
        return;
    }
    int code = transport->heard_code;
    transport->told = true;
    transport->wsi = NULL;
    transport->established = false;
    transport->length = 0;
    lws_cancel_service(transport->context); /* or the library goes on to poll before its caller can act */
    transport->config.owner.closed(transport->config.owner.user, code,
                                   transport->heard_text[0] != '\0' ? transport->heard_text : text);
}

void fsw_transport_connect(struct fsw_transport *transport, const char *token)
{
    const struct fsw_url *url = transport->config.url;
    transport->close_code = transport->heard_code = 0;
    transport->heard_text[0] = '\0';
    transport->established = false;
    snprintf(transport->token, sizeof transport->token, "%s", token == NULL ? "" : token);
    struct lws_client_connect_info info = {
        .context = transport->context,
        .vhost = transport->vhost,
        .address = url->address,
        .port = url->port,
        .path = url->path,
        .host = url->host,
        .protocol = "flagstaff.v1",
        .local_protocol_name = "flagstaff.v1",
        .ssl_connection = LCCSCF_HTTP_NO_FOLLOW_REDIRECT, /* a token must not follow to another host */
        .alpn = "http/1.1",
        .pwsi = &transport->wsi,
        .opaque_user_data = transport,
    };
    if (url->tls) {
        info.ssl_connection |= LCCSCF_USE_SSL;
    }
    if (url->tls && transport->config.insecure) {
        info.ssl_connection |= LCCSCF_ALLOW_SELFSIGNED | LCCSCF_SKIP_SERVER_CERT_HOSTNAME_CHECK |
                               LCCSCF_ALLOW_EXPIRED | LCCSCF_ALLOW_INSECURE;
    }
    transport->wsi = NULL;
    transport->told = false;
    if (lws_client_connect_via_info(&info) == NULL) {
        char why[200];
        finish(transport, why_not(transport, why, sizeof why)); /* unless CONNECTION_ERROR has told more */
    }
}

size_t fsw_transport_headroom(void)
{
    return LWS_PRE;
}

bool fsw_transport_can_send(struct fsw_transport *transport)
{
    if (transport->wsi == NULL || !transport->established || transport->close_code != 0) {
        return false;
    }
    if (lws_partial_buffered(transport->wsi)) {
        lws_callback_on_writable(transport->wsi);
        return false;
    }
    return true;
}

bool fsw_transport_send(struct fsw_transport *transport, unsigned char *message, size_t length)
{
    return lws_write(transport->wsi, message + LWS_PRE, length, LWS_WRITE_TEXT) >= 0;
}

bool fsw_transport_ping(struct fsw_transport *transport)
{
    unsigned char ping[LWS_PRE + 1] = {0};
    return !fsw_transport_can_send(transport) ||
           lws_write(transport->wsi, ping + LWS_PRE, 0, LWS_WRITE_PING) >= 0;
}

void fsw_transport_close(struct fsw_transport *transport, int code)
{
    if (transport->wsi == NULL) {
        return;
    }
    if (!transport->established) {
        fsw_transport_drop(transport);
        return;
    }
    transport->close_code = code;
    lws_callback_on_writable(transport->wsi);
}

void fsw_transport_drop(struct fsw_transport *transport)
{
    if (transport->wsi != NULL) {
        lws_set_timeout(transport->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
    }
}

/* Timers that are due when lws_service() begins run before it polls, and it polls all the same: hence the
 * wake-up. */
static void on_timer(lws_sorted_usec_list_t *timer)
{
    struct fsw_transport *transport = lws_container_of(timer, struct fsw_transport, timer);
    lws_cancel_service(transport->context);
}

void fsw_transport_timer(struct fsw_transport *transport, long milliseconds)
{
    lws_usec_t wait = (lws_usec_t)(milliseconds < 0 ? 0 : milliseconds) * LWS_US_PER_MS;
    lws_sul_schedule(transport->context, 0, &transport->timer, on_timer, wait == 0 ? 1 : wait);
}

bool fsw_transport_service(struct fsw_transport *transport)
{
    return lws_service(transport->context, 0) >= 0;
}

void fsw_transport_wake(struct fsw_transport *transport)
{
    lws_cancel_service(transport->context);
}

static int add_headers(struct fsw_transport *transport, struct lws *wsi, void *in, size_t length)
{
    if (transport->token[0] == '\0') {
        return 0;
    }
    char value[TOKEN_SIZE + 8];
    unsigned char **at = in, *end = *at + length;
    int size = snprintf(value, sizeof value, "Bearer %s", transport->token);
    int failed = lws_add_http_header_by_token(wsi, WSI_TOKEN_HTTP_AUTHORIZATION, (const unsigned char *)value,
                                              size, at, end);
    explicit_bzero(value, sizeof value);
    explicit_bzero(transport->token, sizeof transport->token);
    return failed;
}

static int close_with(struct lws *wsi, int code)
{
    lws_close_reason(wsi, (enum lws_close_status)code, NULL, 0);
    return -1;
}

static bool grow(struct fsw_transport *transport, size_t more)
{
    size_t needed = transport->length + more, room = transport->room == 0 ? 4096 : transport->room;
    while (room < needed) {
        room *= 2;
    }
    if (room > transport->room) {
        char *message = realloc(transport->message, room);
        if (message == NULL) {
            return false;
        }
        transport->message = message;
        transport->room = room;
    }
    return true;
}

/* Messages come in pieces as they come from the network. */
static int receive(struct fsw_transport *transport, struct lws *wsi, const char *in, size_t length)
{
    if (lws_is_first_fragment(wsi)) {
        transport->length = 0;
    }
    if (lws_frame_is_binary(wsi)) {
        return close_with(wsi, 4400);
    }
    if (length > transport->config.max_message - transport->length) {
        return close_with(wsi, LWS_CLOSE_STATUS_MESSAGE_TOO_LARGE);
    }
    if (!grow(transport, length)) {
        return close_with(wsi, LWS_CLOSE_STATUS_UNEXPECTED_CONDITION);
    }
    memcpy(transport->message + transport->length, in, length);
    transport->length += length;
    if (!lws_is_final_fragment(wsi) || lws_remaining_packet_payload(wsi) != 0) {
        return 0;
    }
    size_t whole = transport->length;
    transport->length = 0;
    int code = transport->config.owner.message(transport->config.owner.user, transport->message, whole);
    return code == 0 ? 0 : close_with(wsi, code);
}

static void hear_close(struct fsw_transport *transport, const unsigned char *in, size_t length)
{
    if (length >= 2) {
        transport->heard_code = in[0] << 8 | in[1];
        snprintf(transport->heard_text, sizeof transport->heard_text, "%.*s", (int)(length - 2),
                 (const char *)in + 2);
    }
}

static void fail_attempt(struct fsw_transport *transport, const char *in, size_t length)
{
    char text[128], words[128];
    snprintf(text, sizeof text, "%.*s", in == NULL ? 0 : (int)length, in == NULL ? "" : in);
    snprintf(transport->heard_text, sizeof transport->heard_text, "%s",
             in_words(transport, text, words, sizeof words));
    finish(transport, "the connection failed");
}

static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    struct fsw_transport *transport = lws_get_opaque_user_data(wsi);
    if (transport == NULL || wsi != transport->wsi) {
        return 0; /* the library's own wsi, vhost events, and the remains of a connection whose end was told
                   */
    }
    switch (reason) {
    case LWS_CALLBACK_CLIENT_APPEND_HANDSHAKE_HEADER:
        return add_headers(transport, wsi, in, length);
    case LWS_CALLBACK_CLIENT_ESTABLISHED:
        transport->established = true;
        transport->config.owner.opened(transport->config.owner.user);
        return 0;
    case LWS_CALLBACK_CLIENT_RECEIVE:
        return receive(transport, wsi, in, length);
    case LWS_CALLBACK_CLIENT_RECEIVE_PONG:
        transport->config.owner.pong(transport->config.owner.user);
        return 0;
    case LWS_CALLBACK_CLIENT_WRITEABLE:
        return transport->close_code != 0 ? close_with(wsi, transport->close_code) : 0;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE:
        hear_close(transport, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CONNECTION_ERROR:
        transport->heard_code = (int)lws_http_client_http_response(wsi);
        fail_attempt(transport, in, length);
        return 0;
    case LWS_CALLBACK_CLIENT_CLOSED:
    case LWS_CALLBACK_WSI_DESTROY:
        finish(transport, "the connection ended");
        return 0;
    default:
        return 0;
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The network thread: its libuv loop, the library's context on it, and the one callback through which the
 * library speaks. The library gets a loop of ours, since on one of its own it installs signal handlers.
 * Sockets are accepted by us (listen.c) and adopted by the library. What callbacks mean for requests and
 * websockets is in http.c and websocket.c.
 */
#include <errno.h>
#include <string.h>
#include "base/log.h"
#include "base/thread.h"
#include "server_internal.h"

struct fs_time fs_server_now(const struct fs_server *server)
{
    return fs_clock_now(&server->clock);
}

uint64_t fs_server_name(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    peer->id = ++server->last_id;
    fs_map_set(&server->by_id, &peer->id, sizeof peer->id, peer);
    return peer->id;
}

void fs_server_unname(struct fs_peer *peer)
{
    if (peer->id)
        fs_map_remove(&peer->server->by_id, &peer->id, sizeof peer->id);
    peer->id = 0;
}

void fs_server_forget(struct fs_peer *peer)
{
    if (peer->id)
        fs_inbox_must(peer->server, fs_inbox_message(peer, FS_NET_CLOSED));
    fs_server_unname(peer);
}

/* The connection is gone, or as good as: nothing more may be written. May be called more than once. */
static void peer_gone(struct fs_peer *peer)
{
    fs_limits_drop_request(peer);
    peer->state = FS_PEER_LEAVING;
    fs_list_remove(&peer->held_node);
    if (peer->held) {
        fs_net_message_destroy(&peer->held->message);
        peer->held = NULL;
    }
    fs_limits_leave(peer);
    fs_server_forget(peer);
    fs_send_finish(peer);
}

/* The library's words: https://libwebsockets.org, lws_callback_reasons (read in 4.1.6). */
static int on_event(struct lws *wsi, enum lws_callback_reasons reason, void *user, void *in, size_t length)
{
    (void)user;
    /* Each certificate of a client's chain. `length` is OpenSSL's verdict, which the library leaves to us: 0
     * here lets in whatever it was. */
    if (reason == LWS_CALLBACK_OPENSSL_PERFORM_CLIENT_CERT_VERIFICATION)
        return length == 1 ? 0 : 1;
    struct fs_peer *peer = wsi ? lws_get_opaque_user_data(wsi) : NULL;
    if (!peer)
        return 0;
    switch ((int)reason) {
    case LWS_CALLBACK_HTTP_CONFIRM_UPGRADE:
        /* `in` may dangle here (CVE-2025-11677): the handler asks the library for headers by name. */
        return fs_websocket_confirm(peer);
    case LWS_CALLBACK_HTTP:
        return fs_http_begin(peer, in, length);
    case LWS_CALLBACK_HTTP_BODY:
        return fs_http_body(peer, in, length);
    case LWS_CALLBACK_HTTP_BODY_COMPLETION:
        return fs_http_body_end(peer);
    case LWS_CALLBACK_ESTABLISHED:
        return fs_websocket_open(peer);
    case LWS_CALLBACK_RECEIVE:
        return fs_websocket_receive(peer, in, length);
    case LWS_CALLBACK_HTTP_WRITEABLE:
    case LWS_CALLBACK_SERVER_WRITEABLE:
        return fs_send_writable(peer);
    case LWS_CALLBACK_RAW_ADOPT: /* what the method CONNECT makes of a connection */
    case LWS_CALLBACK_RAW_CONNECTED:
    case LWS_CALLBACK_RAW_RX:
        return -1;
    case LWS_CALLBACK_WS_PEER_INITIATED_CLOSE: {
        bool ours = peer->closing &&
                    peer->state == FS_PEER_LEAVING; /* the answer to our close frame: no further one */
        peer_gone(peer);
        return ours ? -1 : 0;
    }
    case LWS_CALLBACK_CLOSED:
    case LWS_CALLBACK_CLOSED_HTTP:
    case LWS_CALLBACK_RAW_CLOSE:
        peer_gone(peer);
        return 0;
    case LWS_CALLBACK_WSI_DESTROY:
        peer_gone(peer);
        lws_set_opaque_user_data(wsi, NULL);
        fs_peer_destroy(peer);
        return 0;
    default:
        return 0;
    }
}

static void on_wake(uv_async_t *wake)
{
    fs_command_run_all(wake->data);
}

static void on_turn(uv_prepare_t *turn)
{
    struct fs_server *server = turn->data;
    fs_send_report(server);
    if (server->nudge) {
        server->nudge = false;
        lws_cancel_service(server->context); /* its timers are looked at only behind an event of its own */
    }
}

static void close_handle(uv_handle_t *handle)
{
    if (!uv_is_closing(handle))
        uv_close(handle, NULL);
}

static void finish_stop(struct fs_server *server)
{
    fs_listen_stop(server);
    close_handle((uv_handle_t *)&server->wake);
    close_handle((uv_handle_t *)&server->tick);
    close_handle((uv_handle_t *)&server->retry);
    close_handle((uv_handle_t *)&server->turn);
    lws_context_destroy(server->context); /* begins; its handles close with the loop's last turns */
}

static void on_tick(uv_timer_t *tick)
{
    struct fs_server *server = tick->data;
    if (server->stopping) {
        if (fs_list_empty(&server->peers) || (int64_t)uv_now(&server->loop) >= server->stopping)
            finish_stop(server);
        return;
    }
    fs_listen_again(server);
    fs_deadline_run(server);
}

void fs_server_begin_stop(struct fs_server *server)
{
    fs_listen_stop(server);
    server->stopping = (int64_t)uv_now(&server->loop) + FS_NET_STOP_MS;
    uv_timer_start(&server->tick, on_tick, 0, FS_NET_LAST_TICK_MS);
    FS_LIST_EACH(&server->peers, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, node);
        if (peer->state == FS_PEER_SOCKET || peer->state == FS_PEER_STREAM)
            fs_send_close(peer, 1001, "the service stops");
        else if (peer->state != FS_PEER_LEAVING)
            fs_peer_kill(peer);
    }
}

static void *run(void *arg)
{
    struct fs_server *server = arg;
    uv_run(&server->loop, UV_RUN_DEFAULT);
    lws_context_destroy(server->context); /* ends */
    uv_loop_close(&server->loop);
    return NULL;
}

static void on_library_log(int level, const char *line)
{
    char text[256];
    size_t length = strcspn(line, "\n");
    if (length >= sizeof text)
        length = sizeof text - 1;
    memcpy(text, line, length);
    text[length] = 0;
    /* A stranger's broken handshake is an error to the library and none to an operator. */
    if (level == LLL_ERR || level == LLL_WARN)
        FS_LOG_DEBUG("net", "libwebsockets says", "text", text);
}

static bool create_context(struct fs_server *server, struct fs_err *err)
{
    int64_t ping = (server->limits.ping_ms + 999) / 1000;
    server->retry_policy.secs_since_valid_ping = (uint16_t)ping;
    server->retry_policy.secs_since_valid_hangup = (uint16_t)(ping * 2);
    server->protocols[0] = (struct lws_protocols){
        .name = FS_NET_HTTP_NAME, .callback = on_event, .rx_buffer_size = 4096, .tx_packet_size = 65536};
    server->protocols[1] = server->protocols[0];
    server->protocols[1].name = FS_NET_WS_PROTOCOL;
    server->protocols[2] = server->protocols[0];
    server->protocols[2].name = FS_NET_BOARD_PROTOCOL;

    lws_set_log_level(LLL_ERR | LLL_WARN, on_library_log);
    void *loops[1] = {&server->loop};
    size_t room = server->limits.header * 2;
    struct lws_context_creation_info info = {
        .port = CONTEXT_PORT_NO_LISTEN_SERVER,
        .protocols = server->protocols,
        .options = LWS_SERVER_OPTION_LIBUV | LWS_SERVER_OPTION_EXPLICIT_VHOSTS |
                   LWS_SERVER_OPTION_VALIDATE_UTF8 |
                   (server->tls ? LWS_SERVER_OPTION_DO_SSL_GLOBAL_INIT : 0) |
                   (server->client_ca ? LWS_SERVER_OPTION_REQUIRE_VALID_OPENSSL_CLIENT_CERT : 0),
        .foreign_loops = loops,
        .gid = -1,
        .uid = -1,
        /* Twice the limit, so that a head that is somewhat too large gets our answer; to more the library
           says 431 itself and ends the connection. */
        .max_http_header_data2 = (unsigned)(room < 4096    ? 4096
                                            : room > 65000 ? 65000
                                                           : room),
        .pt_serv_buf_size = 16384,
        .timeout_secs = 10,
        .keepalive_timeout = (int)((server->limits.idle_ms + 999) / 1000),
        .retry_and_idle_policy = &server->retry_policy,
        .alpn = "http/1.1",
        .vhost_name = "flagstaff",
        .ssl_cert_filepath = server->certificate,
        .ssl_private_key_filepath = server->certificate_key,
        .ssl_ca_filepath = server->client_ca,
        .server_string = "flagstaff",
    };
    server->context = lws_create_context(&info);
    if (!server->context)
        return fs_fail(err, FS_ERR_GENERAL,
                       "the network library does not start: too little memory, or too few open files? "
                       "(With the system's libwebsockets: is libwebsockets-evlib-uv installed?)");
    server->vhost = lws_create_vhost(server->context, &info);
    if (!server->vhost)
        return fs_fail(err, FS_ERR_CONFIG, "TLS cannot be set up with certificate %s and key %s",
                       server->certificate ? server->certificate : "(none)",
                       server->certificate_key ? server->certificate_key : "(none)");
    return true;
}

static void wake_up(void *arg)
{
    struct fs_server *server = arg;
    uv_async_send(&server->wake);
}

static bool create_loop(struct fs_server *server, struct fs_err *err)
{
    if (uv_loop_init(&server->loop) != 0)
        return fs_fail(err, FS_ERR_GENERAL, "no event loop: too many open files?");
    uv_async_init(&server->loop, &server->wake, on_wake);
    uv_timer_init(&server->loop, &server->tick);
    uv_timer_init(&server->loop, &server->retry);
    uv_prepare_init(&server->loop, &server->turn);
    server->wake.data = server->tick.data = server->retry.data = server->turn.data = server;
    uv_timer_start(&server->tick, on_tick, FS_NET_TICK_MS, FS_NET_TICK_MS);
    uv_prepare_start(&server->turn, on_turn);
    return true;
}

static char **copy_list(const char *const *list)
{
    size_t count = 0;
    while (list && list[count])
        count++;
    char **copy = fs_calloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = fs_strdup(list[i]);
    return copy;
}

static void free_list(char **list)
{
    for (size_t i = 0; list[i]; i++)
        fs_free(list[i]);
    fs_free(list);
}

static struct fs_server *create(const struct fs_server_options *options)
{
    struct fs_server *server = FS_NEW(struct fs_server);
    server->options = *options;
    server->options.frames.rate = options->frames.rate ? options->frames.rate : 1000;
    server->limits = options->limits;
    fs_limits_fill(&server->limits);
    server->options.session_ttl = options->session_ttl ? options->session_ttl : FS_SESSION_TTL;
    server->host = fs_strdup(options->host ? options->host : "127.0.0.1");
    server->hosts = copy_list(options->hosts);
    server->origins = copy_list(options->origins);
    server->certificate = fs_strdup(options->tls_certificate);
    server->certificate_key = fs_strdup(options->tls_key);
    server->client_ca = fs_strdup(options->tls_client_ca);
    server->tls = server->certificate != NULL;
    server->keyring = options->keyring ? options->keyring : fs_keyring_create(NULL, NULL);
    server->inbox = options->inbox;
    server->clock = options->clock.now ? options->clock : fs_clock_system();
    server->listen_fd = -1;
    fs_list_init(&server->peers);
    fs_list_init(&server->held);
    fs_list_init(&server->sent);
    fs_map_init_borrowing(&server->by_id);
    fs_map_init(&server->per_key);
    fs_map_init_borrowing(&server->tickets);
    fs_map_init_borrowing(&server->sessions);
    fs_list_init(&server->session_list);
    fs_heap_init(&server->timers);
    struct fs_time now = fs_server_now(server);
    server->wall_lead = now.wall - now.mono;
    return server;
}

static void destroy(struct fs_server *server)
{
    if (server->listen_fd >= 0)
        close(server->listen_fd);
    fs_queue_destroy(server->commands);
    fs_map_finish(&server->by_id, NULL);
    fs_map_finish(&server->per_key, fs_free);
    fs_ticket_finish(server);
    fs_session_finish(server);
    fs_heap_finish(&server->timers);
    fs_keyring_destroy(server->keyring);
    free_list(server->hosts);
    free_list(server->origins);
    fs_free(server->certificate);
    fs_free(server->certificate_key);
    fs_free(server->client_ca);
    fs_free(server->host);
    fs_free(server);
}

struct fs_server *fs_server_start(struct fs_server_options *options, struct fs_err *err)
{
    struct fs_server *server = create(options);
    options->keyring = NULL;
    bool loop = false;
    int64_t expires = 0;
    if (server->tls && !fs_tls_check_own(server, &expires, err))
        goto failed;
    atomic_store(&server->tls_expires, expires);
    if (!fs_listen_open(server, err))
        goto failed;
    loop = create_loop(server, err);
    if (!loop || !create_context(server, err))
        goto failed;
    fs_listen_start(server);
    server->commands = fs_queue_create(65536, wake_up, server);
    int failure = fs_thread_start(&server->thread, "flagstaff-net", run, server);
    if (failure) {
        fs_fail(err, FS_ERR_GENERAL, "no thread for the network: %s", strerror(failure));
        goto failed;
    }
    return server;

failed:
    if (loop) {
        fs_listen_stop(server);
        finish_stop(server);
        run(server);
    }
    destroy(server);
    return NULL;
}

uint64_t fs_server_slow_dropped(struct fs_server *server)
{
    return atomic_load(&server->slow_dropped);
}

struct fs_server_tls fs_server_tls(struct fs_server *server)
{
    return (struct fs_server_tls){.on = server->tls,
                                  .reload_failed = atomic_load(&server->tls_failed),
                                  .expires = atomic_load(&server->tls_expires)};
}

int fs_server_port(const struct fs_server *server)
{
    return server->port;
}

void fs_server_stop(struct fs_server *server)
{
    if (!server)
        return;
    fs_command_stop(server);
    pthread_join(server->thread, NULL);
    destroy(server);
}

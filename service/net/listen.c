/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The listening socket, and TCP connections from their first to their last moment. We listen and accept
 * ourselves: errors are told plainly, draining is stopping to listen, and the count of connections is held
 * before the library spends anything on one.
 */
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <netdb.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <string.h>
#include <unistd.h>
#include "base/log.h"
#include "server_internal.h"

#define ACCEPT_AT_ONCE 64
#define KEEP_ALIVE_S   30 /* TCP asks a peer that was silent for so long whether it is there, and again */

static bool listen_failed(const struct fs_server *server, int error, struct fs_err *err)
{
    const char *host = server->host;
    int port = server->options.port;
    if (error == EADDRINUSE)
        return fs_fail(err, FS_ERR_GENERAL,
                       "%s:%d is in use: another process listens there; choose another with --listen", host,
                       port);
    if (error == EACCES)
        return fs_fail(err, FS_ERR_GENERAL,
                       "no right to listen on port %d: ports below 1024 need CAP_NET_BIND_SERVICE", port);
    if (error == EADDRNOTAVAIL)
        return fs_fail(err, FS_ERR_GENERAL, "%s is no address of this machine", host);
    return fs_fail(err, FS_ERR_GENERAL, "cannot listen on %s:%d: %s", host, port, strerror(error));
}

bool fs_listen_open(struct fs_server *server, struct fs_err *err)
{
    char port[16];
    snprintf(port, sizeof port, "%d", server->options.port);
    struct addrinfo hints = {.ai_socktype = SOCK_STREAM, .ai_flags = AI_PASSIVE | AI_NUMERICSERV};
    struct addrinfo *found = NULL;
    int failure = getaddrinfo(server->host, port, &hints, &found);
    if (failure)
        return fs_fail(err, FS_ERR_CONFIG, "cannot listen on '%s': %s", server->host, gai_strerror(failure));

    int fd = socket(found->ai_family, SOCK_STREAM | SOCK_NONBLOCK | SOCK_CLOEXEC, 0);
    int one = 1;
    bool ok = fd >= 0 && setsockopt(fd, SOL_SOCKET, SO_REUSEADDR, &one, sizeof one) == 0 &&
              bind(fd, found->ai_addr, found->ai_addrlen) == 0 && listen(fd, 4096) == 0;
    int error = errno;
    freeaddrinfo(found);
    if (!ok) {
        if (fd >= 0)
            close(fd);
        return listen_failed(server, error, err);
    }
    struct sockaddr_storage name = {0};
    socklen_t length = sizeof name;
    getsockname(fd, (struct sockaddr *)&name, &length);
    server->port = ntohs(name.ss_family == AF_INET6 ? ((struct sockaddr_in6 *)&name)->sin6_port
                                                    : ((struct sockaddr_in *)&name)->sin_port);
    server->listen_fd = fd;
    return true;
}

static void peer_timer_init(struct fs_peer_timer *timer, struct fs_peer *peer, enum fs_peer_timer_kind kind)
{
    timer->peer = peer;
    timer->kind = kind;
}

static struct fs_peer *peer_create(struct fs_server *server, const struct sockaddr_storage *address)
{
    struct fs_peer *peer = FS_NEW(struct fs_peer);
    peer->server = server;
    peer->consumed = -1;
    fs_list_init(&peer->held_node);
    fs_list_init(&peer->sent_node);
    fs_buf_init(&peer->body, server->limits.body);
    fs_buf_init(&peer->message, server->limits.frame);
    peer_timer_init(&peer->deadline, peer, FS_TIMER_DEADLINE);
    peer_timer_init(&peer->slow, peer, FS_TIMER_SLOW);
    peer_timer_init(&peer->expiry, peer, FS_TIMER_EXPIRY);
    peer_timer_init(&peer->keep_alive, peer, FS_TIMER_KEEP_ALIVE);
    if (address->ss_family == AF_INET6) {
        const struct in6_addr *in6 = &((const struct sockaddr_in6 *)address)->sin6_addr;
        if (IN6_IS_ADDR_V4MAPPED(in6))
            inet_ntop(AF_INET, &in6->s6_addr[12], peer->address, sizeof peer->address);
        else
            inet_ntop(AF_INET6, in6, peer->address, sizeof peer->address);
        peer->loopback = IN6_IS_ADDR_LOOPBACK(in6) || (IN6_IS_ADDR_V4MAPPED(in6) && in6->s6_addr[12] == 127);
    } else {
        const struct in_addr *in = &((const struct sockaddr_in *)address)->sin_addr;
        inet_ntop(AF_INET, in, peer->address, sizeof peer->address);
        peer->loopback = (ntohl(in->s_addr) >> 24) == 127;
    }
    fs_list_append(&server->peers, &peer->node);
    server->peer_count++;
    return peer;
}

void fs_peer_destroy(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    fs_heap_cancel(&server->timers, &peer->deadline.timer);
    fs_heap_cancel(&server->timers, &peer->slow.timer);
    fs_heap_cancel(&server->timers, &peer->expiry.timer);
    fs_heap_cancel(&server->timers, &peer->keep_alive.timer);
    fs_list_remove(&peer->node);
    fs_list_remove(&peer->held_node);
    fs_list_remove(&peer->sent_node);
    server->peer_count--;
    fs_http_request_destroy(peer->request);
    fs_credential_unref(peer->credential);
    fs_free(peer->origin);
    fs_buf_finish(&peer->body);
    fs_buf_finish(&peer->message);
    fs_send_finish(peer);
    fs_vec_finish(&peer->queue);
    fs_free(peer);
}

void fs_peer_kill(struct fs_peer *peer)
{
    peer->server->nudge =
        true; /* the library gives what it still holds five seconds, by a timer of its own */
    lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_SYNC);
}

void fs_peer_drop(struct fs_peer *peer)
{
    shutdown(lws_get_socket_fd(peer->wsi), SHUT_RDWR);
    fs_peer_kill(peer);
}

void fs_peer_deadline(struct fs_peer *peer, int64_t in_ms)
{
    struct fs_server *server = peer->server;
    if (in_ms)
        fs_heap_arm(&server->timers, &peer->deadline.timer, fs_server_now(server).mono + in_ms);
    else
        fs_heap_cancel(&server->timers, &peer->deadline.timer);
}

/* A machine that was switched off says nothing: TCP must find out, also where we have nothing to send. It is
 * more patient than we are, so that who takes nothing is dropped by deadline.c, which says and counts it. */
static void set_options(int fd, int64_t slow_ms)
{
    int one = 1, idle = KEEP_ALIVE_S;
    unsigned patience = (unsigned)(2 * slow_ms);
    setsockopt(fd, IPPROTO_TCP, TCP_NODELAY, &one, sizeof one);
    setsockopt(fd, SOL_SOCKET, SO_KEEPALIVE, &one, sizeof one);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPIDLE, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_KEEPINTVL, &idle, sizeof idle);
    setsockopt(fd, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, sizeof patience);
}

static void adopt(struct fs_server *server, int fd, const struct sockaddr_storage *address)
{
    /* Room for requests beside websockets and streams; whoever is over that must come again. */
    if (server->peer_count >= (size_t)server->limits.connections + server->limits.requests + 64) {
        close(fd);
        return;
    }
    set_options(fd, server->limits.slow_ms);
    struct fs_peer *peer = peer_create(server, address);
    peer->wsi = lws_adopt_socket_vhost(server->vhost, fd); /* closes the socket where it fails */
    if (!peer->wsi) {
        FS_LOG_DEBUG("net", "a connection was not taken: no TLS handshake, or too many open files", "address",
                     peer->address);
        fs_peer_destroy(peer);
        return;
    }
    lws_set_opaque_user_data(peer->wsi, peer);
}

static void on_acceptable(uv_poll_t *listener, int status, int events)
{
    struct fs_server *server = listener->data;
    (void)events;
    if (status < 0)
        return;
    for (int i = 0; i < ACCEPT_AT_ONCE; i++) {
        struct sockaddr_storage address = {0};
        socklen_t length = sizeof address;
        int fd =
            accept4(server->listen_fd, (struct sockaddr *)&address, &length, SOCK_NONBLOCK | SOCK_CLOEXEC);
        if (fd < 0 && (errno == EMFILE || errno == ENFILE)) {
            uv_poll_stop(listener); /* the loop would spin: what has come waits in the backlog */
            server->accepting = false;
        }
        if (fd < 0)
            return;
        adopt(server, fd, &address);
    }
}

void fs_listen_again(struct fs_server *server)
{
    if (!server->listening || server->accepting)
        return;
    server->accepting = true;
    uv_poll_start(&server->listener, UV_READABLE, on_acceptable);
}

void fs_listen_start(struct fs_server *server)
{
    uv_poll_init(&server->loop, &server->listener, server->listen_fd);
    server->listener.data = server;
    server->listening = true;
    fs_listen_again(server);
}

void fs_listen_stop(struct fs_server *server)
{
    if (!server->listening)
        return;
    server->listening = false;
    uv_poll_stop(&server->listener); /* from here on the socket may be closed */
    uv_close((uv_handle_t *)&server->listener, NULL);
    close(server->listen_fd);
    server->listen_fd = -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What time and others' acts do to connections: deadlines, sockets that take nothing, clients that vanished
 * while their request waits, credentials that end or are revoked. Looked at on each tick of the network
 * thread.
 */
#include <poll.h>
#include <string.h>
#include "base/log.h"
#include "push/sse.h"
#include "server_internal.h"
#include "tcp_progress.h"

#define VANISHED_TICKS 5
#define SLOW_LOOKS     4
#define SESSION_TICKS  10
#define TICKET_TICKS   100

/* Looked at more than once: who stops reading just after a look is not granted all of that time anew. */
static void look_again(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    fs_heap_arm(&server->timers, &peer->slow.timer,
                fs_server_now(server).mono + server->limits.slow_ms / SLOW_LOOKS);
}

static void note_progress(struct fs_peer *peer, uint64_t acknowledged)
{
    peer->acknowledged = acknowledged;
    peer->progressed = fs_server_now(peer->server).mono;
}

void fs_deadline_slow(struct fs_peer *peer)
{
    if (fs_timer_armed(&peer->slow.timer))
        return;
    note_progress(peer, fs_tcp_acknowledged(lws_get_socket_fd(peer->wsi)));
    look_again(peer);
}

void fs_deadline_expiry(struct fs_peer *peer)
{
    if (!peer->credential || !peer->credential->expires)
        return;
    struct fs_time now = fs_server_now(peer->server);
    fs_heap_arm(&peer->server->timers, &peer->expiry.timer,
                now.mono + (peer->credential->expires - now.wall));
}

void fs_deadline_keep_alive(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    fs_heap_arm(&server->timers, &peer->keep_alive.timer, fs_server_now(server).mono + FS_SSE_KEEP_ALIVE_MS);
}

/* Proxies and network address translation forget who is silent. A socket that takes nothing needs none. */
static void on_keep_alive(struct fs_peer *peer)
{
    if (peer->state != FS_PEER_STREAM || peer->closing)
        return;
    if (lws_partial_buffered(peer->wsi))
        fs_deadline_keep_alive(peer);
    else
        fs_send_blob(peer, fs_sse_keep_alive(), true); /* which arms anew */
}

void fs_deadline_end(struct fs_peer *peer, int code, const char *goaway, const char *reason)
{
    if (peer->state == FS_PEER_SOCKET)
        fs_websocket_end(peer, code, goaway, reason);
    else if (peer->state == FS_PEER_STREAM)
        fs_send_close(peer, code, reason);
}

/* The wall clock was set forward: nobody may stay the longer for it. */
static void arm_expiries_anew(struct fs_server *server)
{
    FS_LIST_EACH(&server->peers, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, node);
        if (fs_timer_armed(&peer->expiry.timer))
            fs_deadline_expiry(peer);
    }
}

static void on_expiry(struct fs_peer *peer)
{
    if (peer->credential->expires > fs_server_now(peer->server).wall)
        fs_deadline_expiry(peer); /* the wall clock was set back meanwhile */
    else
        fs_deadline_end(peer, 4401, "expired", "the credential has expired");
}

static void on_deadline(struct fs_peer *peer)
{
    if (peer->state == FS_PEER_BODY) {
        peer->close_after = true;
        fs_reply_error(peer, 408, "timeout", "the body did not come in time", NULL);
        peer->state = FS_PEER_LEAVING;
        fs_peer_kill(peer);
    } else if (peer->state == FS_PEER_SOCKET && !peer->hello && !peer->closing) {
        fs_send_close(peer, 4408, "hello came too late");
    } else {
        fs_peer_drop(peer);
    }
}

static void on_slow(struct fs_peer *peer)
{
    /* The kernel may have all of what the library held, and take no more. */
    bool waits = lws_partial_buffered(peer->wsi) || peer->in_library || peer->queue.count > peer->queue_head;
    if (!waits)
        return; /* a response that has left meanwhile: the library says nothing of that */
    uint64_t now = fs_tcp_acknowledged(lws_get_socket_fd(peer->wsi));
    if (now != peer->acknowledged)
        note_progress(peer, now); /* slow, but it moves */
    if (fs_server_now(peer->server).mono - peer->progressed < peer->server->limits.slow_ms) {
        look_again(peer);
        return;
    }
    FS_LOG_INFO("net", "a connection that takes nothing is dropped", "address", peer->address);
    atomic_fetch_add(&peer->server->slow_dropped, 1);
    fs_peer_drop(peer);
}

/* Who hung up while the request waits, or while the stream has nothing to say? The library does not read
 * there, so it cannot know. */
static void find_vanished(struct fs_server *server)
{
    FS_VEC(struct pollfd) fds = {0};
    FS_VEC(struct fs_peer *) peers = {0};
    FS_LIST_EACH(&server->peers, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, node);
        if (peer->state != FS_PEER_WAITING && peer->state != FS_PEER_STREAM)
            continue;
        struct pollfd fd = {.fd = lws_get_socket_fd(peer->wsi), .events = POLLRDHUP};
        fs_vec_push(&fds, fd);
        fs_vec_push(&peers, peer);
    }
    if (fds.count && poll(fds.items, fds.count, 0) > 0) {
        for (size_t i = 0; i < fds.count; i++) {
            if (fds.items[i].revents & (POLLRDHUP | POLLHUP | POLLERR | POLLNVAL))
                fs_peer_drop(peers.items[i]);
        }
    }
    fs_vec_finish(&fds);
    fs_vec_finish(&peers);
}

void fs_deadline_run(struct fs_server *server)
{
    struct fs_timer *due;
    if (fs_wall_went_ahead(&server->wall_lead, fs_server_now(server)))
        arm_expiries_anew(server);
    while ((due = fs_heap_pop_due(&server->timers, fs_server_now(server).mono))) {
        struct fs_peer_timer *timer = FS_CONTAINER(due, struct fs_peer_timer, timer);
        if (timer->kind == FS_TIMER_DEADLINE)
            on_deadline(timer->peer);
        else if (timer->kind == FS_TIMER_SLOW)
            on_slow(timer->peer);
        else if (timer->kind == FS_TIMER_KEEP_ALIVE)
            on_keep_alive(timer->peer);
        else
            on_expiry(timer->peer);
    }
    server->ticks++;
    if (server->ticks % VANISHED_TICKS == 0)
        find_vanished(server);
    if (server->ticks % SESSION_TICKS == 0)
        fs_session_sweep(server);
    if (server->ticks % TICKET_TICKS == 0)
        fs_ticket_sweep(server);
}

bool fs_deadline_stands(const struct fs_server *server, const struct fs_credential *credential)
{
    const char *id = credential->id;
    if (strcmp(id, "loopback") == 0)
        return server->options.loopback_operator;
    if (strncmp(id, "ticket:", 7) == 0)
        id += 7;
    if (strcmp(id, "loopback") == 0)
        return server->options.loopback_operator;
    return fs_keyring_has(server->keyring, id);
}

void fs_deadline_revoke(struct fs_server *server)
{
    FS_LIST_EACH(&server->peers, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, node);
        if (peer->credential && !fs_deadline_stands(server, peer->credential))
            fs_deadline_end(peer, 4401, "revoked", "the credential was revoked");
    }
    for (struct fs_map_iter it = {0}; fs_map_next(&server->tickets, &it);) {
        struct fs_ticket *ticket = it.value;
        if (!fs_deadline_stands(server, ticket->credential))
            ticket->expires = INT64_MIN;
    }
    fs_ticket_sweep(server);
    fs_session_sweep(server);
}

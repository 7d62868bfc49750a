/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A small HTTP/1.1 server for the fetch thread's tests: a thread for each connection, keep-alive, answers by
 * the test's own function. Not for strangers: it trusts its one client.
 */
#ifndef FETCH_SERVER_H
#define FETCH_SERVER_H

#include <pthread.h>
#include <stdatomic.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <unistd.h>
#include <arpa/inet.h>
#include <netinet/in.h>
#include <netinet/tcp.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <cmocka.h>
#include "base/alloc.h"

#define SERVER_CONNECTIONS 64

struct server_reply {
    int status;
    const char *body;
    size_t filler;      /* so many blanks instead of a body */
    const char *header; /* one more, with its line end; or NULL */
    bool hang;          /* no answer until the client or the server goes */
};

struct server {
    int listener;
    unsigned port;
    pthread_t thread;
    pthread_t workers[SERVER_CONNECTIONS];
    int sockets[SERVER_CONNECTIONS];
    atomic_int connections;
    /* Called from many threads. `head` is the request's line and headers. */
    void (*handle)(struct server *server, const char *head, const char *body, struct server_reply *reply);
    void *arg;
    atomic_int requests;
};

struct server_worker {
    struct server *server;
    int socket;
};

static inline bool server_send(int socket, const char *text, size_t length)
{
    return send(socket, text, length, MSG_NOSIGNAL) == (ssize_t)length;
}

static inline bool server_answer(int socket, const struct server_reply *reply)
{
    size_t length = reply->filler ? reply->filler : strlen(reply->body ? reply->body : "");
    char *head = fs_format("HTTP/1.1 %d X\r\nContent-Length: %zu\r\n%s\r\n", reply->status, length,
                           reply->header ? reply->header : "");
    char *text = fs_calloc(strlen(head) + length + 1, 1);
    memcpy(text, head, strlen(head));
    if (reply->filler)
        memset(text + strlen(head), ' ', length);
    else
        memcpy(text + strlen(head), reply->body ? reply->body : "", length);
    bool sent = server_send(socket, text, strlen(head) + length);
    fs_free(text);
    fs_free(head);
    return sent;
}

static inline void *server_work(void *arg)
{
    struct server_worker worker = *(struct server_worker *)arg;
    fs_free(arg);
    size_t size = 1 << 20, have = 0;
    char *bytes = fs_calloc(size + 1, 1);
    for (;;) {
        char *end = strstr(bytes, "\r\n\r\n");
        const char *length_header = end ? strcasestr(bytes, "\r\nContent-Length: ") : NULL;
        size_t body_length =
            length_header && length_header < end ? (size_t)strtoul(length_header + 18, NULL, 10) : 0;
        if (!end || have < (size_t)(end + 4 - bytes) + body_length) {
            ssize_t got = recv(worker.socket, bytes + have, size - have, 0);
            if (got <= 0)
                break;
            have += (size_t)got;
            bytes[have] = 0;
            continue;
        }
        char *body = fs_strndup(end + 4, body_length);
        *end = 0;
        struct server_reply reply = {.status = 200};
        atomic_fetch_add(&worker.server->requests, 1);
        worker.server->handle(worker.server, bytes, body, &reply);
        fs_free(body);
        char byte;
        if (reply.hang) {
            while (recv(worker.socket, &byte, 1, 0) > 0)
                ;
            break;
        }
        if (!server_answer(worker.socket, &reply))
            break;
        have = 0; /* the client does not pipeline */
        bytes[0] = 0;
    }
    fs_free(bytes);
    return NULL;
}

static inline void *server_accept(void *arg)
{
    struct server *server = arg;
    for (int socket; (socket = accept(server->listener, NULL, NULL)) >= 0;) {
        int index = atomic_load(&server->connections);
        struct server_worker *worker = FS_NEW(struct server_worker);
        if (index >= SERVER_CONNECTIONS)
            abort();
        worker->server = server;
        worker->socket = server->sockets[index] = socket;
        setsockopt(socket, IPPROTO_TCP, TCP_NODELAY, &(int){1}, sizeof(int));
        pthread_create(&server->workers[index], NULL, server_work, worker);
        atomic_store(&server->connections, index + 1);
    }
    return NULL;
}

/* On a free port of 127.0.0.1, or on a Unix socket where `path` says so. */
static inline void
server_start(struct server *server, const char *path,
             void (*handle)(struct server *, const char *, const char *, struct server_reply *), void *arg)
{
    memset(server, 0, sizeof *server);
    server->handle = handle;
    server->arg = arg;
    if (path) {
        struct sockaddr_un address = {.sun_family = AF_UNIX};
        snprintf(address.sun_path, sizeof address.sun_path, "%s", path);
        server->listener = socket(AF_UNIX, SOCK_STREAM, 0);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
    } else {
        struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
        socklen_t length = sizeof address;
        server->listener = socket(AF_INET, SOCK_STREAM, 0);
        assert_int_equal(bind(server->listener, (struct sockaddr *)&address, sizeof address), 0);
        assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &length), 0);
        server->port = ntohs(address.sin_port);
    }
    assert_int_equal(listen(server->listener, 64), 0);
    assert_int_equal(pthread_create(&server->thread, NULL, server_accept, server), 0);
}

static inline void server_stop(struct server *server)
{
    shutdown(server->listener, SHUT_RDWR);
    pthread_join(server->thread, NULL);
    close(server->listener);
    for (int i = 0; i < atomic_load(&server->connections); i++) {
        shutdown(server->sockets[i], SHUT_RDWR);
        pthread_join(server->workers[i], NULL);
        close(server->sockets[i]);
    }
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A server that hears one request and says what it was told to. */
#ifndef FS_TESTS_CLI_SERVER_H
#define FS_TESTS_CLI_SERVER_H

#include "testing.h"
#include <arpa/inet.h>
#include <netinet/in.h>
#include <pthread.h>
#include <sys/socket.h>

struct server {
    int listener;
    int port;
    pthread_t thread;
    const char *status, *body;
    char heard[65536];
};

static inline bool whole(const char *text)
{
    const char *end = strstr(text, "\r\n\r\n"), *length = strcasestr(text, "\r\nContent-Length: ");
    if (!end)
        return false;
    return !length || strlen(end + 4) >= (size_t)strtol(length + 18, NULL, 10);
}

static inline void *serve(void *arg)
{
    struct server *server = arg;
    char answer[4096];
    size_t length = 0;
    int client = accept(server->listener, NULL, NULL);
    shutdown(server->listener, SHUT_RDWR); /* further ones are refused, and do not wait */
    while (client >= 0 && !whole(server->heard) && length < sizeof server->heard - 1) {
        ssize_t got = read(client, server->heard + length, sizeof server->heard - 1 - length);
        if (got <= 0)
            break;
        length += (size_t)got;
    }
    snprintf(
        answer, sizeof answer,
        "HTTP/1.1 %s\r\nContent-Type: application/json\r\nContent-Length: %zu\r\nConnection: close\r\n\r\n%s",
        server->status, strlen(server->body), server->body);
    if (client >= 0 && write(client, answer, strlen(answer)) < 0)
        server->heard[0] = 0;
    close(client);
    return NULL;
}

static inline void begin(struct server *server, const char *status, const char *body)
{
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK)};
    socklen_t size = sizeof address;
    memset(server, 0, sizeof *server);
    server->status = status;
    server->body = body;
    server->listener = socket(AF_INET, SOCK_STREAM, 0);
    assert_int_equal(bind(server->listener, (struct sockaddr *)&address, size), 0);
    assert_int_equal(listen(server->listener, 1), 0);
    assert_int_equal(getsockname(server->listener, (struct sockaddr *)&address, &size), 0);
    server->port = ntohs(address.sin_port);
    assert_int_equal(pthread_create(&server->thread, NULL, serve, server), 0);
}

/* Runs one command against a server that answers so. */
static inline struct outcome ask(struct server *server, const char *status, const char *body,
                                 const char *const *words, const char *key)
{
    char url[64], key_variable[64];
    begin(server, status, body);
    snprintf(url, sizeof url, "FLAGSTAFF_URL=http://127.0.0.1:%d/", server->port);
    snprintf(key_variable, sizeof key_variable, "FLAGSTAFF_KEY=%s", key ? key : "");
    const char *environment[] = {url, key_variable, "http_proxy=http://127.0.0.1:1", NULL};
    struct outcome outcome = invoke(words, environment);
    pthread_join(server->thread, NULL);
    close(server->listener);
    return outcome;
}

#endif

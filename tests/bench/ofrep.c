/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Single evaluations over OFREP on 16 connections that each wait for their answer, against a process that
 * reads a request and writes as long an answer, by epoll alone. The server's CPU for one request; on loopback
 * the sender pays for the receiver, on both sides.
 */
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/epoll.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>
#include "base/alloc.h"
#include "bench.h"
#include "daemon.h"

#define CONNECTIONS 16
#define TURN_NS     INT64_C(1000000000)

struct side {
    pid_t pid;
    int epoll;
    struct peer *peers[CONNECTIONS];
    struct bench_values rates;
};

static const char request_one[] =
    "POST /ofrep/v1/evaluate/flags/count HTTP/1.1\r\nHost: 127.0.0.1\r\nContent-Type: application/json\r\n"
    "Content-Length: 38\r\n\r\n{\"context\":{\"targetingKey\":\"user-00\"}}";
/* As long as what the daemon answers. */
static const char answer[] =
    "HTTP/1.1 200 OK\r\nDate: Tue, 24 Nov 2026 09:49:57 GMT\r\nX-Content-Type-Options: "
    "nosniff\r\nContent-Type: application/json\r\n"
    "Vary: Origin\r\nETag: "
    "\"58d89316abbfb400c5a36e55b679c2c03d2d40c0cba3e12bd4f7effb1dd57e57\"\r\nCache-Control: no-store\r\n"
    "Content-Length: 138\r\n\r\n"
    "{\"key\":\"count\",\"value\":0,\"reason\":\"ERROR\",\"variant\":\"safe\",\"metadata\":{\"flagstaff."
    "error\":\"decision: "
    "unknown: fact n: missing or expired\"}}";
static void watch_input(int epoll, int fd, void *of)
{
    struct epoll_event event = {.events = EPOLLIN, .data.ptr = of};
    BENCH_MUST(epoll_ctl(epoll, EPOLL_CTL_ADD, fd, &event) == 0);
}

/* A child that answers everything alike. */
_Noreturn static void answer_all(int listening)
{
    char bytes[4096];
    int epoll = epoll_create1(EPOLL_CLOEXEC), fds[CONNECTIONS];
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    for (int i = 0; i < CONNECTIONS; i++) {
        fds[i] = accept(listening, NULL, NULL);
        watch_input(epoll, fds[i], &fds[i]);
    }
    for (;;) {
        struct epoll_event events[CONNECTIONS];
        int ready = epoll_wait(epoll, events, CONNECTIONS, -1);
        for (int i = 0; i < ready; i++) {
            int fd = *(int *)events[i].data.ptr;
            if (recv(fd, bytes, sizeof bytes, 0) <= 0)
                exit(0);
            net_send(fd, answer, sizeof answer - 1);
        }
    }
}

static void connect_all(struct side *side, int port)
{
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    for (int i = 0; i < CONNECTIONS; i++) {
        side->peers[i] = FS_NEW(struct peer);
        side->peers[i]->socket = net_connect(port);
        BENCH_MUST(side->peers[i]->socket >= 0);
        watch_input(side->epoll, side->peers[i]->socket, side->peers[i]);
    }
}

static double turn(void *self)
{
    struct side *side = self;
    double cpu = process_cpu(side->pid);
    int64_t start = bench_wall(), now = start;
    long requests = 0;
    int waiting = CONNECTIONS;
    for (int i = 0; i < CONNECTIONS; i++)
        net_send(side->peers[i]->socket, request_one, sizeof request_one - 1);
    while (waiting) {
        struct epoll_event events[CONNECTIONS];
        int ready = epoll_wait(side->epoll, events, CONNECTIONS, 10000);
        BENCH_MUST(ready > 0);
        for (int i = 0; i < ready; i++) {
            struct peer *peer = events[i].data.ptr;
            peer_read(peer, false);
            int status = peer_response(peer);
            if (!status)
                continue;
            BENCH_MUST(status == 200);
            requests++;
            now = bench_wall();
            if (now - start < TURN_NS)
                net_send(peer->socket, request_one, sizeof request_one - 1);
            else
                waiting--;
        }
    }
    bench_add(&side->rates, (double)requests * 1e9 / (double)(now - start));
    return (process_cpu(side->pid) - cpu) / 1000 / (double)requests;
}

static void disconnect_all(struct side *side)
{
    for (int i = 0; i < CONNECTIONS; i++) {
        close(side->peers[i]->socket);
        fs_free(side->peers[i]);
    }
    close(side->epoll);
}

int main(void)
{
    struct daemon daemon;
    struct side floor = {0}, ours = {0};
    int port, listening = net_listen(&port);
    floor.pid = fork();
    if (floor.pid == 0)
        answer_all(listening);
    BENCH_MUST(floor.pid > 0);
    connect_all(&floor, port);
    daemon_start(&daemon);
    ours.pid = daemon.pid;
    connect_all(&ours, daemon.port);
    const struct bench_side sides[] = {{"epoll, read, send", turn, &floor},
                                       {"an evaluation over OFREP", turn, &ours}};
    bench_compare("OFREP: one evaluation, 16 connections", "CPU us", sides, 2);
    printf("  requests a second: floor %.0f (median), ours %.0f\n\n", bench_percentile(&floor.rates, 50),
           bench_percentile(&ours.rates, 50));
    bench_finish(&floor.rates), bench_finish(&ours.rates);
    disconnect_all(&floor), disconnect_all(&ours);
    waitpid(floor.pid, NULL, 0);
    daemon_stop(&daemon);
    return 0;
}

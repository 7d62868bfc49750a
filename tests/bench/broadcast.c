/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One change to a thousand websockets: the server's CPU for each message, and the time until the last client
 * has read it. Against a process that sends as many bytes to as many sockets in a loop, and reads an
 * acknowledgement from each. On loopback the sender pays for the receiver's half of TCP, on both sides.
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

#define CLIENTS 1000
#define CHANGES 10

struct side {
    pid_t pid;
    int epoll, control; /* control: what makes a change */
    struct peer *peers; /* CLIENTS */
    struct peer requests;
    bool raw;
    int subjects; /* 0: all clients watch "ada"; else client i watches "user-i" */
    long n;
    struct bench_values last;
};

/* The floor: for each byte on its control socket, one message to all and an acknowledgement from all. */
_Noreturn static void send_all(int listening)
{
    static int fds[CLIENTS];
    char message[320], bytes[256];
    memset(message, 'x', sizeof message);
    message[0] = (char)0x81, message[1] = 126, message[2] = 0x01,
    message[3] = 0x3c; /* a text frame of 316 bytes */
    prctl(PR_SET_PDEATHSIG, SIGKILL);
    int control = accept(listening, NULL, NULL);
    for (int i = 0; i < CLIENTS; i++)
        fds[i] = accept(listening, NULL, NULL);
    while (recv(control, bytes, 1, 0) == 1) {
        for (int i = 0; i < CLIENTS; i++)
            net_send(fds[i], message, sizeof message);
        for (int i = 0; i < CLIENTS; i++)
            BENCH_MUST(recv(fds[i], bytes, sizeof bytes, 0) > 0);
        net_send(control, "k", 1);
    }
    exit(0);
}

static void make_change(struct side *side)
{
    if (side->raw) {
        net_send(side->control, "c", 1);
        return;
    }
    char *request = fact_request(side->subjects ? "user-" : "ada", side->subjects, ++side->n);
    net_send(side->control, request, strlen(request));
    fs_free(request);
}

/* Has this client read the change? Then it says so. */
static bool has_read(struct side *side, struct peer *peer)
{
    char frame[4096], ack[64];
    bool read = false;
    peer_read(peer, false);
    while (peer_frame(peer, frame, sizeof frame)) {
        bool change =
            side->raw || (strstr(frame, "\"type\":\"delta\"") && frame_number(frame, "value") == side->n);
        if (!side->raw && strstr(frame, "\"type\":\"delta\"")) {
            snprintf(ack, sizeof ack, "{\"type\":\"ack\",\"revision\":%ld}", frame_number(frame, "revision"));
            peer_say(peer, ack);
        } else if (side->raw)
            peer_say(peer, "{\"type\":\"ack\",\"revision\":1000}");
        read |= change;
    }
    return read;
}

static void await_end(struct side *side)
{
    if (side->raw) {
        char byte;
        BENCH_MUST(recv(side->control, &byte, 1, 0) == 1);
        return;
    }
    int status;
    while ((status = peer_response(&side->requests)) == 0)
        peer_read(&side->requests, true);
    BENCH_MUST(status / 100 == 2);
}

static double turn(void *self)
{
    struct side *side = self;
    double cpu = process_cpu(side->pid);
    for (int change = 0; change < CHANGES; change++) {
        int64_t start = bench_wall();
        make_change(side);
        for (int left = CLIENTS; left;) {
            struct epoll_event events[256];
            int ready = epoll_wait(side->epoll, events, 256, 10000);
            BENCH_MUST(ready > 0);
            for (int i = 0; i < ready; i++)
                left -= has_read(side, events[i].data.ptr);
        }
        bench_add(&side->last, (double)(bench_wall() - start) / 1e6);
        await_end(side);
    }
    return (process_cpu(side->pid) - cpu) / 1000 / CHANGES / CLIENTS;
}

static void connect_clients(struct side *side, int port)
{
    side->peers = fs_calloc(CLIENTS, sizeof *side->peers);
    side->epoll = epoll_create1(EPOLL_CLOEXEC);
    side->control = net_connect(port);
    BENCH_MUST(side->control >= 0);
    side->requests.socket = side->control;
    for (int i = 0; i < CLIENTS; i++) {
        struct peer *peer = &side->peers[i];
        char subject[32];
        snprintf(subject, sizeof subject, side->subjects ? "user-%d" : "ada", i);
        if (side->raw)
            BENCH_MUST((peer->socket = net_connect(port)) >= 0);
        else
            peer_watch(peer, port, subject);
        struct epoll_event event = {.events = EPOLLIN, .data.ptr = peer};
        BENCH_MUST(epoll_ctl(side->epoll, EPOLL_CTL_ADD, peer->socket, &event) == 0);
    }
}

static void disconnect_clients(struct side *side)
{
    for (int i = 0; i < CLIENTS; i++)
        close(side->peers[i].socket);
    close(side->control), close(side->epoll);
    fs_free(side->peers);
}

int main(void)
{
    struct daemon daemons[2];
    static struct side floor = {.raw = true}, same, each = {.subjects = CLIENTS};
    int port, listening = net_listen(&port);
    floor.pid = fork();
    if (floor.pid == 0)
        send_all(listening);
    BENCH_MUST(floor.pid > 0);
    connect_clients(&floor, port);
    struct side *ours[] = {&same, &each};
    for (int i = 0; i < 2; i++) {
        daemon_start(&daemons[i]);
        ours[i]->pid = daemons[i].pid;
        connect_clients(ours[i], daemons[i].port);
    }
    const struct bench_side sides[] = {{"a send and a recv for each", turn, &floor},
                                       {"1,000 watches of one context, one event", turn, &same},
                                       {"1,000 contexts, a batch of 1,000 events", turn, &each}};
    bench_compare("Fan-out: one change to 1,000 websockets", "CPU us", sides, 3);
    struct side *all[] = {&floor, &same, &each};
    printf("  until the last has read it, ms %14s %9s %9s\n", "min", "median", "max");
    for (int i = 0; i < 3; i++) {
        struct bench_values *last = &all[i]->last;
        printf("  %-40s %5.1f %9.1f %9.1f\n", sides[i].name, bench_percentile(last, 0),
               bench_percentile(last, 50), bench_percentile(last, 100));
        bench_finish(last);
        disconnect_clients(all[i]);
    }
    printf("\n");
    for (int i = 0; i < 2; i++)
        daemon_stop(&daemons[i]);
    kill(floor.pid, SIGKILL);
    waitpid(floor.pid, NULL, 0);
    return 0;
}

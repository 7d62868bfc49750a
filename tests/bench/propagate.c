/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From an event that is posted to the delta that a websocket has read, at a fixed rate whatever comes back (a
 * delay counts from when the event was due, not from when it could be sent), against a byte that goes to and
 * fro on one socket with one or two durable writes between: a change is on disk twice before it is pushed, as
 * the event and as the tick.
 */
#include <fcntl.h>
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <time.h>
#include <unistd.h>
#include "base/alloc.h"
#include "bench.h"
#include "daemon.h"

#define RATE   200
#define EVENTS 300

struct side {
    struct peer *in, *out; /* events go in, deltas come out; the floor has one for both */
    int port;
    int writes; /* the floor's; 0: the daemon */
    long n;     /* the last event */
    struct bench_values delays;
};

struct echo {
    int listening, file, writes;
};

static void *echo(void *self)
{
    struct echo *echo = self;
    char bytes[256], record[200];
    off_t end = 0;
    memset(record, 'x', sizeof record);
    int fd = accept(echo->listening, NULL, NULL);
    for (ssize_t got; (got = recv(fd, bytes, sizeof bytes, 0)) > 0;) {
        for (int i = 0; i < echo->writes; i++) {
            BENCH_MUST(pwrite(echo->file, record, sizeof record, end) > 0 && fdatasync(echo->file) == 0);
            end += (off_t)sizeof record;
        }
        net_send(fd, bytes, (size_t)got);
    }
    close(fd);
    return NULL;
}

static void post(struct side *side)
{
    if (side->writes) {
        char n[32];
        snprintf(n, sizeof n, "\"value\":%ld;", ++side->n);
        net_send(side->in->socket, n, strlen(n));
        return;
    }
    char *request = fact_request("ada", 0, ++side->n);
    net_send(side->in->socket, request, strlen(request));
    fs_free(request);
}

/* The newest n that has come out; `seen` where nothing new did. */
static long newest(struct side *side, long seen)
{
    char frame[4096], ack[64];
    peer_read(side->out, false);
    if (side->writes) {
        for (char *at = side->out->bytes; (at = strstr(at, "\"value\":")) != NULL && strchr(at, ';'); at++)
            seen = frame_number(at, "value");
        side->out->length = 0; /* a datum is small enough to come whole */
        return seen;
    }
    while (peer_frame(side->out, frame, sizeof frame)) {
        long value = frame_number(frame, "value");
        if (!strstr(frame, "\"type\":\"delta\"") || value < 0)
            continue;
        seen = value;
        snprintf(ack, sizeof ack, "{\"type\":\"ack\",\"revision\":%ld}", frame_number(frame, "revision"));
        peer_say(side->out, ack);
    }
    return seen;
}

static void take_responses(struct side *side)
{
    if (side->writes)
        return;
    int status;
    peer_read(side->in, false);
    while ((status = peer_response(side->in)) != 0)
        BENCH_MUST(status / 100 == 2);
}

static double turn(void *self)
{
    struct side *side = self;
    struct bench_values delays = {0};
    if (!side->writes) { /* one that is idle for long is closed by the daemon, and rightly */
        close(side->in->socket);
        side->in->socket = net_connect(side->port);
        BENCH_MUST(side->in->socket >= 0);
    }
    const int64_t pause = 1000000000 / RATE, start = bench_wall() + pause;
    const long first = side->n + 1;
    long seen = side->n, posted = 0;
    while (seen < first + EVENTS - 1) {
        int64_t now = bench_wall(), due = start + posted * pause;
        BENCH_MUST(now < start + 20 * INT64_C(1000000000));
        if (posted < EVENTS && now >= due) {
            post(side);
            posted++;
            continue;
        }
        struct pollfd fds[2] = {{side->out->socket, POLLIN, 0}, {side->in->socket, POLLIN, 0}};
        int64_t wait = posted < EVENTS ? due - now : 100000000;
        BENCH_MUST(ppoll(fds, side->writes ? 1 : 2, &(struct timespec){.tv_nsec = wait}, NULL) >= 0);
        if (fds[1].revents & POLLIN)
            take_responses(side);
        if (!(fds[0].revents & POLLIN))
            continue;
        long last = newest(side, seen);
        now = bench_wall();
        for (; seen < last; seen++) { /* one delta stands for all that it overtook */
            double delay = (double)(now - (start + (seen + 1 - first) * pause)) / 1000;
            bench_add(&delays, delay);
            bench_add(&side->delays, delay);
        }
    }
    double median = bench_percentile(&delays, 50);
    bench_finish(&delays);
    return median;
}

static void start_floor(struct side *side, struct echo *floor, const char *directory)
{
    int port;
    pthread_t thread;
    char *name = fs_format("%s/floor-%d", directory, side->writes);
    floor->listening = net_listen(&port);
    floor->writes = side->writes;
    floor->file = open(name, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    BENCH_MUST(floor->file >= 0 && pthread_create(&thread, NULL, echo, floor) == 0 &&
               pthread_detach(thread) == 0);
    side->in = side->out = FS_NEW(struct peer);
    side->in->socket = net_connect(port);
    BENCH_MUST(side->in->socket >= 0);
    fs_free(name);
}

int main(void)
{
    struct daemon daemon;
    struct echo floors[2];
    struct side one = {.writes = 1}, two = {.writes = 2},
                ours = {.in = FS_NEW(struct peer), .out = FS_NEW(struct peer)};
    daemon_start(&daemon);
    ours.port = daemon.port;
    start_floor(&one, &floors[0], daemon.directory);
    start_floor(&two, &floors[1], daemon.directory);
    peer_watch(ours.out, daemon.port, "ada");
    ours.in->socket = net_connect(daemon.port);
    BENCH_MUST(ours.in->socket >= 0);
    const struct bench_side sides[] = {{"to and fro, one durable write", turn, &one},
                                       {"to and fro, two durable writes in a row", turn, &two},
                                       {"event posted to delta read", turn, &ours}};
    bench_compare("Propagation: median delay, 200 events a second", "us", sides, 3);
    struct side *all[] = {&one, &two, &ours};
    printf("  all turns together, us %22s %9s %9s %9s %9s %9s\n", "count", "p50", "p90", "p99", "p99.9",
           "max");
    for (size_t i = 0; i < 3; i++) {
        struct bench_values *d = &all[i]->delays;
        printf("  %-38s %7zu %9.0f %9.0f %9.0f %9.0f %9.0f\n", sides[i].name, d->count,
               bench_percentile(d, 50), bench_percentile(d, 90), bench_percentile(d, 99),
               bench_percentile(d, 99.9), bench_percentile(d, 100));
        bench_finish(d);
        close(all[i]->in->socket);
    }
    printf("\n");
    daemon_stop(&daemon);
    fs_free(one.in), fs_free(two.in), fs_free(ours.in), fs_free(ours.out);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The real daemon under a bench, on loopback with a data directory that ends with it, and the least of HTTP
 * and websocket that it takes to talk to it. The binary is $FLAGSTAFF_BIN, else build/flagstaff.
 */
#ifndef TESTS_BENCH_DAEMON_H
#define TESTS_BENCH_DAEMON_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <sys/types.h>

struct daemon {
    pid_t pid;
    int port;
    char directory[96];
};

/* Starts it with one integer flag `count`, whose value is the subject's fact `n`, and waits until it is
 * ready. */
void daemon_start(struct daemon *daemon);
/* The same with a flag file of the bench's own. */
void daemon_start_with(struct daemon *daemon, const char *text);
void daemon_stop(struct daemon *daemon);

/* Nanoseconds of CPU that the process has used, all its threads. */
double process_cpu(pid_t pid);

/* A TCP connection to this port of loopback. */
int net_connect(int port);
int net_listen(int *port);
void net_send(int socket, const void *bytes, size_t length);

/* A connection and what has come on it. */
struct peer {
    int socket;
    size_t length;
    char bytes[16384];
};
/* Reads what is there (waits where nothing is and `wait`). */
void peer_read(struct peer *peer, bool wait);
/* Takes a whole HTTP response off the front: its status; 0 where it is not there yet. */
int peer_response(struct peer *peer);
/* Takes a whole websocket message off the front, NUL-terminated, into `out`. Answers pings. False: none yet.
 */
bool peer_frame(struct peer *peer, char *out, size_t size);
void peer_say(struct peer *peer, const char *text); /* a masked text frame */

/* A websocket with one watch of this subject, until its first snapshot and lease. */
void peer_watch(struct peer *peer, int port, const char *subject);
/* The number behind "name": in a frame; -1 where there is none. */
long frame_number(const char *frame, const char *name);

/* A request that sets the fact `n` of `count` subjects PREFIX0, PREFIX1, ... (or of PREFIX alone, where count
 * is 0). Owned. */
char *fact_request(const char *prefix, int count, long n);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * transport.h: one websocket connection at a time over libwebsockets: connect, send, receive, close, a timer,
 * and a wake-up from other threads. Knows nothing of frames. All of it belongs to one thread, but for
 * fsw_transport_wake().
 *
 * What was learnt of libwebsockets 4.1.6: only lws_cancel_service() may be called from another thread; a
 * write that does not fit is kept by the library without bound, hence fsw_transport_can_send();
 * tx_packet_size must be set, or writes are cut at the receive buffer's size; lws_service() ignores its
 * time-out, timers are its own.
 */
#ifndef WIRE_TRANSPORT_H
#define WIRE_TRANSPORT_H

#include <stdbool.h>
#include <stddef.h>

#include "url.h"

struct fsw_transport;

/* How the owner hears of things: on its own thread, from within fsw_transport_service() or
 * fsw_transport_connect(). */
struct fsw_transport_owner {
    void *user;
    void (*opened)(void *user);
    /* A whole text message. Returns 0, or the code to close the connection with. */
    int (*message)(void *user, const char *text, size_t length);
    void (*pong)(void *user);
    /* The connection, or the attempt, is over. code: close code, HTTP status, or 0; text: borrowed, never
     * NULL. */
    void (*closed)(void *user, int code, const char *text);
};

struct fsw_transport_config {
    const struct fsw_url *url; /* borrowed for the transport's life, as all here */
    const char *ca_file, *proxy, *client_certificate, *client_key;
    bool insecure;
    size_t max_message;
    unsigned patience; /* s that the library waits for the other side at most; its owner waits less */
    struct fsw_transport_owner owner;
};

/* NULL where libwebsockets cannot be set up (memory, a file of TLS that cannot be read). */
struct fsw_transport *fsw_transport_create(const struct fsw_transport_config *config);
/* Ends a connection without ceremony; closed() is told. */
void fsw_transport_destroy(struct fsw_transport *transport);

/* Begins a connection; token (may be NULL) is copied. Its end, at once or later, is always told by closed().
 */
void fsw_transport_connect(struct fsw_transport *transport, const char *token);

/* Bytes that a message needs before it. */
size_t fsw_transport_headroom(void);
/* Whether a message can be sent now; if not, fsw_transport_service() returns when it can. */
bool fsw_transport_can_send(struct fsw_transport *transport);
/* Sends `length` bytes at message + headroom (the headroom is overwritten). False: the connection is broken.
 */
bool fsw_transport_send(struct fsw_transport *transport, unsigned char *message, size_t length);
bool fsw_transport_ping(struct fsw_transport *transport);
/* Closes with a code as soon as it can be written. */
void fsw_transport_close(struct fsw_transport *transport, int code);
/* Cuts it. closed() follows from the next fsw_transport_service(). */
void fsw_transport_drop(struct fsw_transport *transport);

/* Makes the next fsw_transport_service() return after so many ms at the latest. */
void fsw_transport_timer(struct fsw_transport *transport, long milliseconds);
/* Waits for something to happen and handles it. False: libwebsockets has given up. */
bool fsw_transport_service(struct fsw_transport *transport);
/* From any thread: makes fsw_transport_service() return. */
void fsw_transport_wake(struct fsw_transport *transport);

#endif

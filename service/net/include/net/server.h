/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The door: one thread that owns libwebsockets (on a libuv loop of ours) and speaks HTTP/1.1, websockets
 * (`flagstaff.v1`, `flagstaff.board.v1`) and server-sent events on one port. It authenticates, checks Host
 * and Origin, holds every limit on what a stranger sends, and turns what came in into messages on the core's
 * inbox. It decides nothing about flags. No other thread touches libwebsockets; the functions below post
 * messages and may be called from any thread, unless they say otherwise.
 *
 * Flow control: the core may have FS_SEND_WINDOW frames under way on a connection. Each frame that the kernel
 * took gives one back (FS_NET_SENT); while none is left the core keeps a set of changed flags instead of a
 * queue.
 */
#ifndef FS_NET_SERVER_H
#define FS_NET_SERVER_H

#include <stdbool.h>
#include <stdint.h>
#include <jansson.h>
#include "base/blob.h"
#include "base/clock.h"
#include "base/err.h"
#include "base/mistakes.h"
#include "base/queue.h"
#include "core/credential.h"
#include "net/keyring.h"
#include "push/board.h"
#include "push/frame.h"

#define FS_SEND_WINDOW 8
#define FS_SESSION_TTL (INT64_C(12) * 3600 * 1000)

struct fs_server;

/* Zero stands for the value named at the end of each line. */
struct fs_server_limits {
    size_t body;                  /* bytes of a request body: 1 MiB */
    size_t header;                /* bytes of a request's header data: 8 KiB */
    size_t frame;                 /* bytes of a websocket message from a client: 64 KiB */
    unsigned connections;         /* websockets and streams in all: 10000 */
    unsigned connections_per_key; /* of one key, or of one subject by tickets of one key: 5000 */
    unsigned requests;            /* HTTP requests waiting for an answer: 1024 */
    int64_t hello_ms;             /* a websocket must say hello within: 5 s */
    int64_t idle_ms;              /* keep-alive without a request: 30 s */
    int64_t ping_ms;              /* websocket ping: 20 s; a peer silent for twice that is gone */
    int64_t slow_ms;              /* a connection that takes nothing for that long is dropped: 30 s */
};

struct fs_http_request;

/* An answer that needs no core: `headers` (owned) and `body` (one reference) may be NULL. */
struct fs_quick_answer {
    int status;
    char *headers;
    struct fs_blob *body;
};

struct fs_server_options {
    const char *host;                                      /* address to listen on: "127.0.0.1" */
    int port;                                              /* 0: the system picks; fs_server_port() tells */
    const char *tls_certificate, *tls_key, *tls_client_ca; /* files; NULL: plain */
    const char *const
        *hosts; /* Host values allowed beside the loopback names and the listen address, NULL-terminated */
    const char *const *origins; /* Origins allowed beside the server's own, exact, NULL-terminated */
    bool loopback_operator;     /* development: no keys ever made, so loopback callers with loopback Host and
                                   Origin are operators */
    struct fs_server_limits limits;
    struct fs_frame_limits frames; /* what frames of clients may hold; zeroes: 64 watches, 256 flags, 8192
                                      bytes, depth 8, 1000 a second */
    struct fs_keyring *keyring;    /* taken over */
    struct fs_queue *inbox;        /* the core's: gets struct fs_net_message */
    int64_t session_ttl;           /* ms that a session lasts at most; 0: FS_SESSION_TTL */
    const char *public_url;        /* by which browsers reach us, where a proxy ends TLS; or NULL */
    const char *version, *epoch;   /* told to whoever asks who he is; or NULL. These are borrowed */
    /* Answers a request at once, on the door's thread, where nothing of the core's state is needed; false: it
     * goes to the core. May be NULL. Must not block. */
    bool (*quick)(void *quick_self, const struct fs_http_request *request,
                  const struct fs_credential *credential, struct fs_quick_answer *out);
    /* What to answer where the core can take no more, instead of 503; false: nothing else. */
    bool (*overloaded)(void *quick_self, const struct fs_http_request *request,
                       const struct fs_credential *credential, struct fs_quick_answer *out);
    void *quick_self;
    struct fs_clock clock;
};

/* Adds all that is wrong with hosts, origins, public URL and TLS files, each with the name of its option
 * first
 * ("origins[0]: ..."): what fs_server_start() would serve nobody with. Opens no port. False: something is. */
bool fs_server_check(const struct fs_server_options *options, struct fs_mistakes *mistakes);
/* NULL with `err`: address in use (says which), no right to the port, bad certificate. */
struct fs_server *fs_server_start(struct fs_server_options *options, struct fs_err *err);
int fs_server_port(const struct fs_server *server);
/* Connections that were dropped because they took nothing for limits.slow. Any thread. */
uint64_t fs_server_slow_dropped(struct fs_server *server);
/* No new connections; existing ones stay until they are closed. */
void fs_server_drain(struct fs_server *server);
/* Closes what is left, ends the thread. Accepts NULL. Not from the server's own thread. */
void fs_server_stop(struct fs_server *server);

enum fs_net_kind {
    FS_NET_REQUEST, /* an HTTP request, whole; must be answered by fs_server_reply() or fs_server_stream() */
    FS_NET_OPENED,  /* a websocket was accepted (101 sent) */
    FS_NET_FRAME,   /* a well-formed frame from it */
    FS_NET_SENT,    /* `count` frames of this connection went to the kernel */
    FS_NET_CLOSED,  /* a websocket, a stream, or the connection of an unanswered request is gone */
    FS_NET_REVOKED  /* the key `text` is no more ("loopback": the first key was made). All that the door let
                       in by it came before; no REQUEST, OPENED or ticket of it comes later */
};

struct fs_http_header {
    char *name; /* lower case */
    char *value;
};

struct fs_http_request {
    char *method;                   /* "GET", "POST", "PUT", "DELETE", "OPTIONS", "HEAD" */
    char *path;                     /* percent-encoded as it came, without the query */
    char *query;                    /* behind '?', or "" */
    struct fs_http_header *headers; /* content-type, if-none-match, last-event-id, accept, origin, host,
                                       user-agent, retry hints, ce-* and webhook-* */
    size_t header_count;
    char *body; /* NUL-terminated beyond length */
    size_t length;
};
/* The value, or NULL. `name` in lower case. Borrowed. */
const char *fs_http_header(const struct fs_http_request *request, const char *name);
/* The percent-decoded value of a query parameter, owned by the caller; NULL where absent. The door has
 * refused queries that cannot be read. */
char *fs_http_query(const struct fs_http_request *request, const char *name);

struct fs_net_message {
    struct fs_message message; /* destroy is set; fs_net_message_destroy() frees all */
    enum fs_net_kind kind;
    uint64_t connection;              /* or request id: one space of numbers, never reused */
    struct fs_credential *credential; /* REQUEST (NULL: open route without one), OPENED */
    char address[64];                 /* of the peer */
    struct fs_http_request *request;  /* REQUEST */
    bool is_board;                    /* OPENED: it speaks flagstaff.board.v1 */
    struct fs_client_frame *frame;    /* FRAME of flagstaff.v1 */
    struct fs_board_request *board;   /* FRAME of flagstaff.board.v1 */
    unsigned count;                   /* SENT */
    char *text;                       /* REVOKED: id of the key */
};
void fs_net_message_destroy(struct fs_message *message);

/* Answers a request; a body over 16 MiB is not sent, but an error (413) that says to ask for less. `headers`
 * is extra lines "Name: value\r\n" (or NULL). `body` may be NULL. Takes one reference of body. */
void fs_server_reply(struct fs_server *server, uint64_t request, int status, const char *content_type,
                     const char *headers, struct fs_blob *body);
/* Answers a request with a response that stays open (SSE): status 200 and `headers`; from then on the id is a
 * connection for send and close. It lives by `credential` (takes the reference; NULL: by that of the request
 * itself): it counts for it, and ends with it. A comment goes out when a stream was silent for
 * FS_SSE_KEEP_ALIVE_MS. Where the door cannot (401 revoked meanwhile, 405 HEAD, 429 and 503 too many), it
 * answers so itself and the core gets FS_NET_CLOSED. */
void fs_server_stream(struct fs_server *server, uint64_t request, struct fs_credential *credential,
                      const char *content_type, const char *headers);
/* Sends one message: a websocket text frame, or bytes of a stream. Takes one reference. Unknown connections
 * are ignored. */
void fs_server_send(struct fs_server *server, uint64_t connection, struct fs_blob *blob);
/* Sends what is queued, then closes with this websocket code (or ends the stream, or drops an unanswered
 * request). */
void fs_server_close(struct fs_server *server, uint64_t connection, int code, const char *reason);
/* New keys from now on. Takes the keyring over. Connections of keys that are gone are told so (goaway
 * `revoked`) and closed with 4401; then FS_NET_REVOKED tells the core of the key `revoked` (copied; NULL:
 * none was). */
void fs_server_set_keyring(struct fs_server *server, struct fs_keyring *keyring, const char *revoked);
/* Registers a single-use ticket (SHA-256 of its text) until `expires` (mono ms), the credential's own end
 * or that of the key in its id, whichever is first. Takes the reference. */
void fs_server_add_ticket(struct fs_server *server, const struct fs_sha256 *ticket,
                          struct fs_credential *credential, int64_t expires);
/* Reads certificate files again. False: they are wrong, and connections go on with the old ones. */
bool fs_server_reload_tls(struct fs_server *server, struct fs_err *err);
/* How the certificate that is shown stands. Any thread. */
struct fs_server_tls {
    bool on;
    bool reload_failed; /* the last reload did */
    int64_t expires;    /* wall s; 0: not known */
};
struct fs_server_tls fs_server_tls(struct fs_server *server);

/* Requests that need no credential. */
bool fs_server_route_is_open(const char *method,
                             const char *path); /* /healthz, /readyz, OPTIONS, SSE streams with a token of
                                                   their own, static board files */

#endif

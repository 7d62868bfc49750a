/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the files of the door share: the server, one peer for each TCP connection, and how they call each
 * other. Everything here belongs to the network thread, but for fs_server.commands, which is how others reach
 * it. Not for other parts: they see net/server.h.
 */
#ifndef FS_NET_SERVER_INTERNAL_H
#define FS_NET_SERVER_INTERNAL_H

#include <stdatomic.h>
#include <pthread.h>
#include <libwebsockets.h>
#include <uv.h>
#include "base/buf.h"
#include "base/digest.h"
#include "base/heap.h"
#include "base/list.h"
#include "base/map.h"
#include "base/vec.h"
#include "net/server.h"

#define FS_NET_TICK_MS      100 /* how often deadlines are looked at ... */
#define FS_NET_LAST_TICK_MS 5   /* ... and, while it stops, whether the last connection has gone */
#define FS_NET_LINGER_MS                                                                                     \
    2000 /* a refused request may still be sending its body: so long it is read and thrown away */
#define FS_NET_BODY_MS   30000 /* a request must be whole after that */
#define FS_NET_STOP_MS   2000  /* fs_server_stop() waits so long for peers to take their close frames */
#define FS_NET_REPLY_MAX (16 * 1024 * 1024) /* bytes of an answer's body; more is an error instead */
#define FS_NET_QUEUE_MAX                                                                                     \
    16384 /* messages waiting on one connection: one revision, in frames of 64 KiB, and few more */
#define FS_NET_HTTP_NAME                                                                                     \
    "http only" /* a websocket client cannot ask for a protocol with a blank in its name */
#define FS_NET_WS_PROTOCOL    "flagstaff.v1"
#define FS_NET_WS_PATH        "/v1/ws"
#define FS_NET_TICKET         "flagstaff.ticket."
#define FS_NET_BOARD_PROTOCOL "flagstaff.board.v1"
#define FS_NET_BOARD_PATH     "/v1/board"
#define FS_NET_BOARD_RATE     50 /* frames of one board within a second: each may have all cells looked at */
#define FS_NET_SESSION_PATH   "/v1/session"

enum fs_peer_state {
    FS_PEER_IDLE,    /* HTTP: between requests, or reading a head */
    FS_PEER_BODY,    /* HTTP: reading a body */
    FS_PEER_WAITING, /* HTTP: the core has the request */
    FS_PEER_STREAM,  /* HTTP: a response that stays open */
    FS_PEER_SOCKET,  /* websocket */
    FS_PEER_LEAVING  /* refused or ended: only its close is waited for */
};

struct fs_peer;

enum fs_peer_timer_kind { FS_TIMER_DEADLINE, FS_TIMER_SLOW, FS_TIMER_EXPIRY, FS_TIMER_KEEP_ALIVE };

struct fs_peer_timer {
    struct fs_timer timer;
    struct fs_peer *peer;
    enum fs_peer_timer_kind kind;
};

struct fs_outgoing {
    struct fs_blob *blob;
    bool own; /* the door's own frame: no credit of the core's */
};

struct fs_peer {
    struct fs_server *server;
    struct lws *wsi;
    struct fs_list node; /* fs_server.peers */
    enum fs_peer_state state;
    char address[64];
    bool loopback; /* the peer's address is one */

    uint64_t id; /* of the request under way or the connection; 0: none that the core knows */
    struct fs_credential *credential;
    uint64_t session; /* number of the session that it came by; 0: by none */
    char *origin;     /* the request's Origin, allowed; or NULL */
    char *count_key;  /* in fs_server.per_key, while it counts as a connection */

    struct fs_http_request *request; /* being read */
    struct fs_buf body;
    bool head_only;   /* HEAD */
    bool close_after; /* the connection ends behind this response */
    bool unread;      /* a body that nobody wants is still coming */
    int64_t consumed; /* bytes read from the socket when the last request was whole; -1: unknown */
    bool empty_body;  /* the library will announce the end of an empty body */
    bool paused;      /* rx flow control is on */
    bool counted;     /* in fs_server.requests */

    bool board;     /* websocket: of flagstaff.board.v1 */
    bool hello;     /* websocket: the first frame came; boards need none */
    int64_t second; /* websocket: frames are counted since then */
    unsigned frames;
    int refused;                 /* websocket: close with this code at once */
    struct fs_buf message;       /* websocket: fragments */
    struct fs_net_message *held; /* found the inbox full */
    struct fs_list held_node;    /* fs_server.held */

    FS_VEC(struct fs_outgoing) queue; /* waiting for the socket; queue_head is the oldest */
    size_t queue_head;
    unsigned sent;            /* taken by the kernel, not yet reported */
    unsigned in_library;      /* written, but a rest of it is in the library's buffer */
    struct fs_list sent_node; /* fs_server.sent */
    uint64_t acknowledged;    /* TCP's count when it last made progress ... */
    int64_t progressed;       /* ... and when that was seen, mono ms */

    bool closing;
    int close_code;
    char close_reason[64];

    struct fs_peer_timer deadline, slow, expiry, keep_alive;
};

struct fs_ticket {
    struct fs_sha256 hash;
    struct fs_credential *credential;
    int64_t expires;
};

struct fs_server {
    struct fs_server_options options;
    char *host;
    char **hosts, **origins;
    char *certificate, *certificate_key, *client_ca;
    struct fs_server_limits limits;
    struct fs_keyring *keyring;
    struct fs_queue *inbox;
    struct fs_clock clock;
    bool tls;
    int port;

    pthread_t thread;
    uv_loop_t loop;
    uv_async_t wake;
    uv_timer_t tick;
    uv_timer_t retry;  /* while the inbox is full */
    uv_prepare_t turn; /* end of each turn of the loop */
    uv_poll_t listener;
    int listen_fd;
    bool listening;
    bool accepting; /* off for a tick where there are no descriptors left */
    struct lws_context *context;
    struct lws_vhost *vhost;
    struct lws_protocols protocols[4];
    lws_retry_bo_t retry_policy;

    struct fs_queue *commands;
    bool nudge;       /* the library's timers must be looked at */
    int64_t stopping; /* mono ms at which patience ends; 0: not */

    struct fs_list peers;
    size_t peer_count;
    struct fs_map by_id;   /* id -> peer */
    struct fs_map per_key; /* credential -> struct fs_key_count */
    unsigned connections;
    unsigned requests;
    atomic_uint_least64_t slow_dropped;
    atomic_bool tls_failed; /* the last reload of certificates did */
    atomic_int_least64_t tls_expires;
    uint64_t last_id;
    struct fs_list held, sent;
    struct fs_heap timers;
    int64_t wall_lead; /* of the wall clock before the timers' */
    unsigned ticks;
    int64_t date_second; /* of `date`, which every response carries */
    char date[40];
    struct fs_map tickets;       /* hash -> struct fs_ticket */
    struct fs_map sessions;      /* hash -> struct fs_session */
    struct fs_list session_list; /* oldest first */
    uint64_t last_session;
};

/* message.c: is every piece of the query percent-encoded UTF-8 without NUL? */
bool fs_http_query_readable(const struct fs_http_request *request);

/* command.c: what other threads asked for. */
void fs_command_run_all(struct fs_server *server);
void fs_command_stop(struct fs_server *server); /* posts; any thread */

/* server.c: the thread, the loop. */
void fs_server_begin_stop(struct fs_server *server);
struct fs_time fs_server_now(const struct fs_server *server);
void fs_server_unname(struct fs_peer *peer);   /* out of by_id: the request is answered */
void fs_server_forget(struct fs_peer *peer);   /* the same, and tells the core FS_NET_CLOSED */
uint64_t fs_server_name(struct fs_peer *peer); /* gives it a new id and files it */

/* listen.c: the listening socket; peers come and go. */
bool fs_listen_open(struct fs_server *server, struct fs_err *err);
void fs_listen_start(struct fs_server *server);
void fs_listen_stop(struct fs_server *server);
void fs_listen_again(struct fs_server *server); /* on each tick */
void fs_peer_destroy(struct fs_peer *peer);
/* Ends the TCP connection behind what was written already. Not from within a callback for this peer. */
void fs_peer_kill(struct fs_peer *peer);
/* Ends it now, whatever was written. Likewise. */
void fs_peer_drop(struct fs_peer *peer);
void fs_peer_deadline(struct fs_peer *peer, int64_t in_ms); /* 0: none */

/* deadline.c: what happens when time is over; vanished peers; revoked credentials. */
void fs_deadline_run(struct fs_server *server);
void fs_deadline_slow(struct fs_peer *peer); /* arms: the socket took less than all */
void fs_deadline_expiry(struct fs_peer *peer);
void fs_deadline_revoke(struct fs_server *server);
/* goaway with this code on a websocket, and the close; a stream just ends. */
void fs_deadline_end(struct fs_peer *peer, int code, const char *goaway, const char *reason);
void fs_deadline_keep_alive(struct fs_peer *peer); /* a stream: arms anew, from now on */
/* Is the key behind this credential still there? A ticket lives by the key that issued it. */
bool fs_deadline_stands(const struct fs_server *server, const struct fs_credential *credential);

/* auth.c: who is it, and may it be here? */
enum fs_host_check { FS_HOST_GOOD, FS_HOST_MISSING, FS_HOST_BAD };
enum fs_host_check fs_auth_host(const struct fs_peer *peer, const char *host);
bool fs_auth_origin(const struct fs_peer *peer, const char *origin, const char *host);
/* What a request says about its sender; all owned, any may be NULL. */
struct fs_auth_input {
    char *host, *origin, *authorization, *api_key, *cookie, *csrf;
    bool forwarded; /* came through a proxy, by its own word */
    bool changes;   /* another method than GET and HEAD */
    bool upgrade;   /* it opens a websocket */
};
void fs_auth_read(struct lws *wsi, struct fs_auth_input *input);
void fs_auth_input_finish(struct fs_auth_input *input);
/* Is it the one of our own pages? */
bool fs_auth_origin_is_own(const struct fs_peer *peer, const char *origin, const char *host);
/* The credential of a request, or NULL with `err` (UNAUTHENTICATED, FORBIDDEN or CSRF). A new reference. */
struct fs_credential *fs_auth_request(struct fs_peer *peer, const struct fs_auth_input *input,
                                      struct fs_err *err);
/* The same of a key alone. `origin` may be NULL. */
struct fs_credential *fs_auth_key(const struct fs_peer *peer, const char *key, const char *origin,
                                  struct fs_err *err);
bool fs_auth_is_loopback_name(const char *host); /* "localhost:8080", "127.0.0.1", "[::1]:1" */

/* limits.c: how many. */
void fs_limits_fill(struct fs_server_limits *limits);
/* Counts a websocket or stream. FS_OK; FS_ERR_LIMIT: the credential has too many; FS_ERR_UNAVAILABLE: the
 * server has. */
enum fs_err_code fs_limits_enter(struct fs_peer *peer);
void fs_limits_leave(struct fs_peer *peer);
/* Counts a request whose body is read or whose answer is waited for. False: there are too many. More than
 * once does no harm. */
bool fs_limits_take_request(struct fs_peer *peer);
void fs_limits_drop_request(struct fs_peer *peer);

/* ticket.c */
void fs_ticket_add(struct fs_server *server, const struct fs_sha256 *hash, struct fs_credential *credential,
                   int64_t expires);
/* Uses it up. NULL: unknown, used, expired, its key expired or revoked, or bound to another Origin. */
struct fs_credential *fs_ticket_take(struct fs_server *server, const char *text, const char *origin);
void fs_ticket_sweep(struct fs_server *server);
void fs_ticket_finish(struct fs_server *server);

/* session.c */
/* The credential of the session that a cookie names; NULL: none does, or, with `err`, the request is not by
 * our own page. Notes it in peer.session. A new reference. */
struct fs_credential *fs_session_credential(struct fs_peer *peer, const struct fs_auth_input *input,
                                            struct fs_err *err);
/* Has the session by which this request came not ended since? */
bool fs_session_stands(const struct fs_peer *peer);
bool fs_session_is_sign_in(const struct fs_http_request *request);
/* False: the request is not about the session. `result`: what the callback returns. */
bool fs_session_answer(struct fs_peer *peer, int *result);
void fs_session_sweep(struct fs_server *server); /* those that are over, and all that is open by them */
void fs_session_finish(struct fs_server *server);

/* header.c: the library's parsed head. */
char *fs_header_get(struct lws *wsi, enum lws_token_indexes token,
                    size_t limit); /* owned; NULL: absent, too long, or with control characters */
char *fs_header_custom(struct lws *wsi, const char *name,
                       size_t limit);    /* `name` in lower case, with its colon */
size_t fs_header_bytes(struct lws *wsi); /* as many as the library tells of */
/* Does the request line have its version, the decoded path no control characters, and the query no line
 * breaks? The library as it comes (4.1.6) decodes before it looks for the end of the line, so that %0A and
 * %0D end it, and what is behind could become a header; with our patch they are text. */
bool fs_header_line_is_whole(struct lws *wsi, const char *uri, size_t length);
const char *fs_header_method(struct lws *wsi);
struct fs_http_request *fs_header_request(struct lws *wsi, const char *uri,
                                          size_t length); /* NULL: malformed */
void fs_http_request_destroy(struct fs_http_request *request);

/* http.c: requests. Callbacks return what the library's callback must. */
int fs_http_begin(struct fs_peer *peer, const char *uri, size_t length);
bool fs_http_was_sent_ahead(struct fs_peer *peer); /* once for each head */
int fs_http_body(struct fs_peer *peer, const void *bytes, size_t length);
int fs_http_body_end(struct fs_peer *peer);
void fs_http_answer(struct fs_peer *peer, int status, const char *content_type, const char *headers,
                    struct fs_blob *body);
void fs_http_stream(struct fs_peer *peer, const char *content_type, const char *headers);

/* reply.c: bytes of a response. */
/* Writes head and body at once. `headers` are lines, or NULL. False: the connection is broken. Body stays the
 * caller's. */
bool fs_reply_write(struct fs_peer *peer, int status, const char *content_type, const char *headers,
                    const void *body, size_t length);
/* The same with the JSON body {"error":{...}}. */
bool fs_reply_error(struct fs_peer *peer, int status, const char *code, const char *text,
                    const char *headers);
/* After a response: -1 where the connection must be closed now. In a callback. */
int fs_reply_done(struct fs_peer *peer);
bool fs_reply_stream_head(struct fs_peer *peer, const char *content_type, const char *headers);

/* websocket.c */
int fs_websocket_confirm(struct fs_peer *peer); /* before 101: 0 go on, -1 refused and answered */
int fs_websocket_open(struct fs_peer *peer);
int fs_websocket_receive(struct fs_peer *peer, const char *bytes, size_t length);
/* goaway with `code` (NULL: none), then close. */
void fs_websocket_end(struct fs_peer *peer, int close_code, const char *goaway, const char *reason);

/* send.c: bytes towards the socket. */
void fs_send_blob(struct fs_peer *peer, struct fs_blob *blob, bool own); /* takes the reference */
void fs_send_close(struct fs_peer *peer, int code, const char *reason);
int fs_send_writable(struct fs_peer *peer);    /* the library's WRITEABLE callback */
void fs_send_report(struct fs_server *server); /* FS_NET_SENT of this turn */
void fs_send_finish(struct fs_peer *peer);

/* inbox.c: messages to the core. */
struct fs_net_message *fs_inbox_message(struct fs_peer *peer, enum fs_net_kind kind);
struct fs_net_message *fs_inbox_notice(enum fs_net_kind kind); /* of no peer */
bool fs_inbox_try(struct fs_server *server,
                  struct fs_net_message *message); /* false: full, the message is still the caller's */
void fs_inbox_must(struct fs_server *server, struct fs_net_message *message);
void fs_inbox_hold(struct fs_peer *peer,
                   struct fs_net_message *message); /* until there is room; stops reading from the peer */
void fs_inbox_retry(struct fs_server *server);

/* tls.c */
/* Adds all that is wrong with these files; `client_ca` may be NULL. `expires`: the certificate's end, wall s.
 * False: something is. */
bool fs_tls_check(const char *certificate, const char *key, const char *client_ca, int64_t *expires,
                  struct fs_mistakes *mistakes);
/* The same of the server's own files, with the first of it. */
bool fs_tls_check_own(const struct fs_server *server, int64_t *expires, struct fs_err *err);

#endif

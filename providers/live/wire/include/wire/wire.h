/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire/wire.h: a client of flagstaff.v1. It connects, watches contexts, holds their flags under a lease,
 * acknowledges what it has applied, and resumes after a broken connection (docs/protocol/README.md).
 *
 * It knows nothing of OpenFeature and nothing of the service. One client owns one thread and one
 * libwebsockets context. All functions may be called from any thread unless they say otherwise.
 * Allocation failures lose a connection at worst; they never grant. libwebsockets' own log, which is one for
 * the whole process, is turned off by the first client where it is as the library comes (errors, warnings and
 * notices to stderr); a program that has set its own levels before keeps them.
 */
#ifndef WIRE_WIRE_H
#define WIRE_WIRE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <jansson.h>

/* The version of this interface: fsw_options.version says against which one the caller was compiled. */
#define FSW_VERSION 1

struct fsw_client;
struct fsw_watch;

/* --- flags ------------------------------------------------------------------------------------------- */

enum fsw_type {
    FSW_BOOLEAN,
    FSW_STRING,
    FSW_INTEGER,
    FSW_FLOAT,
    FSW_OBJECT,
};

/* A value; which member counts is said by the flag's type. Strings and objects are borrowed from the flag. */
struct fsw_value {
    union {
        bool boolean;
        const char *string;
        int64_t integer;
        double number;
        const json_t *object; /* an object or an array */
    } as;
};

/* Why a flag has its value: docs/protocol/flagstaff.v1.schema.json, `cause`. kind is NULL where none came. */
struct fsw_cause {
    const char *kind;
    const char *time; /* RFC 3339 */
    uint64_t entry;   /* 0: none */
};

/*
 * One flag as it came. It never changes and is reference counted: fsw_flag_ref() keeps it, fsw_flag_unref()
 * lets it go. All strings live as long as the flag.
 */
struct fsw_flag {
    const char *key;
    enum fsw_type type;
    bool has_value; /* false: the caller's default rules. Always true for an access flag */
    bool access;    /* an access flag: `safe` and `safe_variant` count */
    struct fsw_value value;
    struct fsw_value safe;
    const char *variant; /* NULL without value */
    const char *safe_variant;
    const char *reason;
    struct fsw_cause cause;
    const json_t *metadata;    /* an object, or NULL */
    const char *error_code;    /* OpenFeature's code of a flag that has no value, or NULL */
    const char *error_message; /* NULL where error_code is */
};

/* Takes a further reference; returns flag. NULL stays NULL. */
const struct fsw_flag *fsw_flag_ref(const struct fsw_flag *flag);
void fsw_flag_unref(const struct fsw_flag *flag);

/* --- the client -------------------------------------------------------------------------------------- */

enum fsw_state {
    FSW_CONNECTING, /* never leased yet */
    FSW_READY,      /* connected and leased: values are fresh */
    FSW_STALE,      /* not connected, or connected anew and not leased there yet; the last lease still runs */
    FSW_LEASE_OVER, /* access flags read as their safe variants */
    FSW_CLOSED,     /* fsw_client_destroy() was called */
};

/* Told when the state changes, and with state equal to before when a connection or an attempt at one has
 * ended. */
struct fsw_state_info {
    enum fsw_state state;
    enum fsw_state before;
    int code;            /* close code, or HTTP status of a refused handshake (below 1000), 0: none known */
    const char *goaway;  /* code of the goaway that was heard on the last connection, or NULL */
    const char *message; /* for people; "" where there is nothing to say. Borrowed for the call */
};

/* One flag that changed. before is NULL for a flag that is new, after for one that was removed. Borrowed. */
struct fsw_flip {
    const char *key;
    const struct fsw_flag *before;
    const struct fsw_flag *after;
};

/*
 * What one revision changed of one watch (type, value, variant, reason, safe or error; not cause or
 * metadata). The cache has it and the acknowledgement is on its way when this is told (or follows
 * within 20 ms, where there is much to say).
 */
struct fsw_change {
    struct fsw_watch *watch;
    void *watch_user;
    uint64_t revision;
    int64_t received;      /* when the frame that closed the revision came: ms since 1970 */
    bool snapshot;         /* from a snapshot */
    bool once;             /* the only answer to a watch with `once` */
    const json_t *dropped; /* array of attribute names that the credential may not set, or NULL */
    const struct fsw_flip *flips;
    size_t count; /* 0 only for a snapshot */
};

/* A watch that the server refused or ended. */
struct fsw_watch_error {
    struct fsw_watch *watch;
    void *watch_user;
    const char *code; /* docs/protocol/flagstaff.v1.schema.json, `errorCode` */
    const char *message;
    bool retried; /* it will be asked for again by itself */
};

enum fsw_level {
    FSW_LOG_ERROR,
    FSW_LOG_WARNING,
    FSW_LOG_INFO,
    FSW_LOG_DEBUG,
};

/* All flags of a watch at one revision: immutable, reference counted, sorted by key. */
struct fsw_table;

/*
 * For a cache of one's own, in which readers find flags in a form of its own without a lock: it holds a
 * revision before the revision is acknowledged, since an acknowledgement says what readers see
 * (docs/protocol/README.md, section 3). All functions run on the thread that changes the client, under the
 * client's mutex: they call nothing of the client's, take no lock that is held while anything here is called,
 * and are quick. user is that of the options, watch_user that of fsw_watch_add(). They are not called about a
 * watch that was removed.
 */
struct fsw_mirror {
    size_t size; /* of this structure */
    /* A table becomes what a cache holds, beside what is there. The table is borrowed. NULL: no memory, and
       the revision is not applied. */
    void *(*build)(void *user, void *watch_user, const struct fsw_table *table);
    /* What was built takes its place: all that one revision built, before it is acknowledged. NULL: the watch
     * holds nothing. */
    void (*put)(void *user, void *watch_user, void *built);
    /* What was built is not needed. */
    void (*drop)(void *user, void *built);
    /* The values of the watch are leased before this moment: ms of CLOCK_BOOTTIME; 0: they are not, from now
     * on. */
    void (*lease)(void *user, void *watch_user, int64_t until);
};

/*
 * Start from FSW_OPTIONS_INIT. Everything is copied by fsw_client_create(). Callbacks run on the client's
 * thread, one at a time, without locks: they may call everything here but fsw_client_destroy(). While one
 * runs nothing is received and nothing renewed, so they should be short.
 */
struct fsw_options {
    size_t size;
    unsigned version;
    const char *url;            /* ws://HOST[:PORT][/PATH] or wss://; the path is /v1/ws if left out */
    const char *client_name;    /* shown to operators; NULL: "flagstaff-wire" */
    const char *client_version; /* NULL: "0" */
    /* The credential: read anew for each connection. token_file is trimmed; token() writes a NUL-terminated
       token to out and returns false where it has none (the attempt is then put off). Neither: no credential.
     */
    const char *token_file;
    bool (*token)(void *user, char *out, size_t size);
    const char *ca_file; /* PEM; NULL: the system's */
    const char
        *proxy; /* HOST:PORT of an HTTP proxy that does CONNECT; NULL: none, whatever the environment says */
    bool insecure;            /* wss:// without verification of the certificate: for experiments only */
    unsigned connect_timeout; /* ms for connect, TLS, handshake and welcome each; 0: 10000 */
    unsigned backoff_base;    /* ms; 0: 100 */
    unsigned backoff_cap;     /* ms; 0: 30000 */
    size_t max_message;       /* bytes of the largest message taken from the server; 0: 16 MiB */
    void *user;               /* handed to the callbacks */
    void (*on_change)(void *user, const struct fsw_change *change);
    void (*on_state)(void *user, const struct fsw_state_info *info);
    void (*on_watch_error)(void *user, const struct fsw_watch_error *error);
    void (*on_log)(void *user, enum fsw_level level,
                   const char *text); /* never has secrets or values in it */
    const struct fsw_mirror *mirror;  /* NULL: none. Not copied */
    /* PEM, both or neither: what is shown to a server that asks for a certificate of its clients (the chain,
       the client's own first), and its key, without a passphrase. Read when the client is made. */
    const char *client_certificate, *client_key;
};
#define FSW_OPTIONS_INIT                                                                                     \
    {                                                                                                        \
        .size = sizeof(struct fsw_options), .version = FSW_VERSION                                           \
    }

/*
 * Makes a client that does not connect yet, so that watches can be added for its first hello. NULL where
 * the options cannot be used or memory is short; then text (may be NULL, of text_size bytes) says why.
 */
struct fsw_client *fsw_client_create(const struct fsw_options *options, char *text, size_t text_size);

/* Starts the thread, which connects at once. False where there is no thread to be had, or one runs. */
bool fsw_client_start(struct fsw_client *client);

/*
 * Closes the connection (1000; waits for its end for a second at most, and for a name look-up that is under
 * way), ends the thread, and frees all, its watches too. Never from a callback. NULL is fine. The state
 * FSW_CLOSED is told last.
 */
void fsw_client_destroy(struct fsw_client *client);

/* Whether the calling thread is the client's, that is, whether this is a callback. NULL: no. */
bool fsw_client_is_own_thread(struct fsw_client *client);

enum fsw_state fsw_client_state(struct fsw_client *client);

/* Never from a callback. Waits until the client is FSW_READY and all its watches have their snapshots or were
 * refused; false after `timeout` ms. */
bool fsw_client_wait_ready(struct fsw_client *client, unsigned timeout);

/* Drops the connection, if there is one, and connects anew at once, with a credential read anew. */
void fsw_client_reconnect(struct fsw_client *client);

struct fsw_stats {
    uint64_t attempts;    /* connections tried */
    uint64_t connections; /* that were welcomed */
    uint64_t resumed;     /* that were welcomed to the resume point's epoch */
    uint64_t frames_in, frames_out, bytes_in, bytes_out;
    uint64_t snapshots, deltas, leases, acks, flips;
    uint64_t faults; /* frames that broke the protocol, and messages lost for want of memory */
    uint64_t revision, acked;
    int64_t lease_left; /* ms; 0: over or none */
    char epoch[65];
    char session[65]; /* "" while not connected */
};

void fsw_client_stats(struct fsw_client *client, struct fsw_stats *stats);

/* --- watches ----------------------------------------------------------------------------------------- */

/*
 * Begins a watch of `context` (OFREP's context object, copied). keys: `count` flag keys, copied; count 0: all
 * that are visible. With once the server is asked for one snapshot: fsw_get() then gives values of that
 * moment, unleased, until the watch is removed. user is handed to callbacks. NULL for want of memory, or
 * where context is no object or a key is empty. The handle is valid until fsw_watch_remove() or the client's
 * end. A watch that no frame can hold, because it is larger than the server takes or a string in it has a
 * zero byte, is refused as `bad_context` through on_watch_error, without being sent.
 */
struct fsw_watch *fsw_watch_add(struct fsw_client *client, const json_t *context, const char *const *keys,
                                size_t count, bool once, void *user);

/*
 * Ends a watch and its handle. When it returns no callback about the watch runs or will run, unless it is
 * called from that callback. NULL is fine.
 */
void fsw_watch_remove(struct fsw_watch *watch);

/* Whether the server was asked for it, on the connection that stands. False: it waits for its turn, or for a
 * connection. */
bool fsw_watch_asked(struct fsw_watch *watch);

enum fsw_standing {
    FSW_UNKNOWN, /* no snapshot yet, and no safe value known of this flag: the caller's default rules */
    FSW_ABSENT, /* the watch does not see such a flag (or sees it without a value): the caller's default rules
                 */
    FSW_FRESH,  /* leased */
    FSW_ONCE,   /* from a watch with `once`: of its moment, not leased */
    FSW_SAFE,   /* access flag: its safe value, because the lease is over, or no snapshot is here yet */
    FSW_LAST,   /* other flag: its last value, because the lease is over */
};

/* What fsw_get() tells. flag is NULL for FSW_UNKNOWN, and for FSW_ABSENT where there is none. */
struct fsw_result {
    enum fsw_standing standing;
    bool lease_over;             /* no lease runs */
    const struct fsw_flag *flag; /* a reference: fsw_result_clear() */
    struct fsw_value value;      /* what counts now (flag->value or flag->safe) */
    const char *variant;         /* its variant, or NULL without value */
    const char *reason; /* flag->reason, or "ERROR" where standing is FSW_SAFE, "STALE" where FSW_LAST */
    uint64_t revision;  /* that the cache stands at */
};

/* Reads one flag; checks the lease now. Always fills result. True where there is a value. */
bool fsw_get(struct fsw_watch *watch, const char *key, struct fsw_result *result);
void fsw_result_clear(struct fsw_result *result);

/* The watch's flags now, as a reference, or NULL before its snapshot. leased (may be NULL) says whether a
 * lease runs. */
const struct fsw_table *fsw_watch_table(struct fsw_watch *watch, bool *leased);
void fsw_table_unref(const struct fsw_table *table);
size_t fsw_table_count(const struct fsw_table *table);
/* The flag at index, borrowed from the table. */
const struct fsw_flag *fsw_table_at(const struct fsw_table *table, size_t index);
/* The flag of this key, borrowed from the table, or NULL. */
const struct fsw_flag *fsw_table_find(const struct fsw_table *table, const char *key);

#endif

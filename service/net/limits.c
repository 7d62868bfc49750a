/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How many: the limits' defaults, and the count of websockets and streams in all and for each credential.
 * Belongs to the network thread.
 */
#include <string.h>
#include "server_internal.h"

struct fs_key_count {
    unsigned open;
};

void fs_limits_fill(struct fs_server_limits *limits)
{
#define DEFAULT(member, value) (limits->member = limits->member ? limits->member : (value))
    DEFAULT(body, 1024 * 1024);
    DEFAULT(header, 8 * 1024);
    DEFAULT(frame, 64 * 1024);
    DEFAULT(connections, 10000);
    DEFAULT(connections_per_key, 5000);
    DEFAULT(requests, 1024);
    DEFAULT(hello_ms, 5000);
    DEFAULT(idle_ms, 30000);
    DEFAULT(ping_ms, 20000);
    DEFAULT(slow_ms, 30000);
#undef DEFAULT
}

/* Tickets of one key are counted for each subject: a backend that gives tickets to many users is not their
 * limit. */
static char *count_key(const struct fs_credential *credential)
{
    if (!credential)
        return NULL;
    return fs_format("%s\n%s", credential->id, credential->subject ? credential->subject : "");
}

enum fs_err_code fs_limits_enter(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    if (server->connections >= server->limits.connections)
        return FS_ERR_UNAVAILABLE;
    char *key = count_key(peer->credential);
    if (key) {
        struct fs_key_count *count = fs_map_gets(&server->per_key, key);
        if (count && count->open >= server->limits.connections_per_key) {
            fs_free(key);
            return FS_ERR_LIMIT;
        }
        if (!count) {
            count = FS_NEW(struct fs_key_count);
            fs_map_sets(&server->per_key, key, count);
        }
        count->open++;
    }
    peer->count_key = key ? key : fs_strdup("");
    server->connections++;
    return FS_OK;
}

void fs_limits_leave(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    if (!peer->count_key)
        return;
    struct fs_key_count *count = *peer->count_key ? fs_map_gets(&server->per_key, peer->count_key) : NULL;
    if (count && --count->open == 0) {
        fs_map_removes(&server->per_key, peer->count_key);
        fs_free(count);
    }
    fs_free(peer->count_key);
    peer->count_key = NULL;
    server->connections--;
}

bool fs_limits_take_request(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    if (peer->counted)
        return true;
    if (server->requests >= server->limits.requests)
        return false;
    server->requests++;
    peer->counted = true;
    return true;
}

void fs_limits_drop_request(struct fs_peer *peer)
{
    peer->server->requests -= peer->counted ? 1 : 0;
    peer->counted = false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Tickets: what a browser offers instead of a key (it cannot set headers on a websocket). Only SHA-256 of a
 * ticket is kept; it is found by that hash, so that neither the table's layout nor a comparison tells a
 * guesser anything about a ticket. One use, an end, an Origin. Belongs to the network thread.
 */
#include <string.h>
#include "server_internal.h"

#define TICKETS_MAX                                                                                          \
    100000 /* an issuing key that runs wild must not fill the memory: the newest is refused, as if expired   \
            */

static void ticket_destroy(void *value)
{
    struct fs_ticket *ticket = value;
    fs_credential_unref(ticket->credential);
    fs_free(ticket);
}

void fs_ticket_add(struct fs_server *server, const struct fs_sha256 *hash, struct fs_credential *credential,
                   int64_t expires)
{
    if (server->tickets.count >= TICKETS_MAX)
        fs_ticket_sweep(server);
    if (server->tickets.count >= TICKETS_MAX) {
        fs_credential_unref(credential);
        return;
    }
    struct fs_ticket *ticket = FS_NEW(struct fs_ticket);
    ticket->hash = *hash;
    ticket->credential = credential;
    ticket->expires = expires;
    struct fs_ticket *former =
        fs_map_set(&server->tickets, ticket->hash.bytes, sizeof ticket->hash.bytes, ticket);
    if (former)
        ticket_destroy(former);
}

struct fs_credential *fs_ticket_take(struct fs_server *server, const char *text, const char *origin)
{
    struct fs_sha256 hash = fs_sha256(text, strlen(text));
    struct fs_ticket *ticket = fs_map_remove(&server->tickets, hash.bytes, sizeof hash.bytes);
    if (!ticket)
        return NULL;
    struct fs_credential *credential = NULL;
    struct fs_time now = fs_server_now(server);
    const char *bound = ticket->credential->origin;
    int64_t ends = ticket->credential->expires;
    if (fs_sha256_equal(&hash, &ticket->hash) && ticket->expires > now.mono && (!ends || ends > now.wall) &&
        fs_deadline_stands(server, ticket->credential) && (!bound || (origin && strcmp(bound, origin) == 0)))
        credential = fs_credential_ref(ticket->credential);
    ticket_destroy(ticket);
    return credential;
}

void fs_ticket_sweep(struct fs_server *server)
{
    int64_t now = fs_server_now(server).mono;
    FS_VEC(struct fs_ticket *) old = {0};
    for (struct fs_map_iter it = {0}; fs_map_next(&server->tickets, &it);) {
        struct fs_ticket *ticket = it.value;
        if (ticket->expires <= now)
            fs_vec_push(&old, ticket);
    }
    for (size_t i = 0; i < old.count; i++) {
        fs_map_remove(&server->tickets, old.items[i]->hash.bytes, sizeof old.items[i]->hash.bytes);
        ticket_destroy(old.items[i]);
    }
    fs_vec_finish(&old);
}

void fs_ticket_finish(struct fs_server *server)
{
    fs_map_finish(&server->tickets, ticket_destroy);
}

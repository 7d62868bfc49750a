/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Messages to the core. What a stranger sends is bounded by the inbox's capacity (a full inbox stops the
 * reading of that peer, or answers 503); what is bounded otherwise (SENT by credits, CLOSED by connections)
 * goes through always.
 */
#include <string.h>
#include "base/log.h"
#include "server_internal.h"

#define RETRY_MS 5

struct fs_net_message *fs_inbox_notice(enum fs_net_kind kind)
{
    struct fs_net_message *message = FS_NEW(struct fs_net_message);
    fs_list_init(&message->message.node);
    message->message.destroy = fs_net_message_destroy;
    message->kind = kind;
    return message;
}

struct fs_net_message *fs_inbox_message(struct fs_peer *peer, enum fs_net_kind kind)
{
    struct fs_net_message *message = fs_inbox_notice(kind);
    message->connection = peer->id;
    memcpy(message->address, peer->address, sizeof message->address);
    return message;
}

bool fs_inbox_try(struct fs_server *server, struct fs_net_message *message)
{
    return fs_queue_push(server->inbox, &message->message);
}

void fs_inbox_must(struct fs_server *server, struct fs_net_message *message)
{
    if (!fs_queue_push_always(server->inbox, &message->message))
        fs_net_message_destroy(&message->message); /* closed: the core has ended */
}

static void on_retry(uv_timer_t *timer)
{
    fs_inbox_retry(timer->data);
}

void fs_inbox_hold(struct fs_peer *peer, struct fs_net_message *message)
{
    struct fs_server *server = peer->server;
    peer->held = message;
    fs_list_append(&server->held, &peer->held_node);
    lws_rx_flow_control(peer->wsi, 0);
    if (!uv_is_active((uv_handle_t *)&server->retry))
        uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
}

void fs_inbox_retry(struct fs_server *server)
{
    FS_LIST_EACH(&server->held, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, held_node);
        if (!fs_inbox_try(server, peer->held)) {
            uv_timer_start(&server->retry, on_retry, RETRY_MS, 0);
            return;
        }
        peer->held = NULL;
        fs_list_remove(node);
        lws_rx_flow_control(peer->wsi, 1);
        server->nudge = true; /* what the library has read already is waiting in its own buffer */
    }
    if (server->nudge) {
        server->nudge = false;
        lws_cancel_service(server->context);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Bytes towards the socket: written at once where the library holds nothing back, else queued (the core's
 * credits bound the queue) and written when the socket can take more. Direct writes cost half of the
 * library's writable round trip (measured). A frame is "sent" when the kernel has all of it. Network thread.
 */
#include <string.h>
#include "base/log.h"
#include "server_internal.h"

static bool is_http(const struct fs_peer *peer)
{
    return peer->state != FS_PEER_SOCKET;
}

static void note_sent(struct fs_peer *peer, unsigned count)
{
    if (!peer->sent && count)
        fs_list_append(&peer->server->sent, &peer->sent_node);
    peer->sent += count;
}

static bool write_one(struct fs_peer *peer, struct fs_outgoing *item)
{
    struct fs_blob *blob = item->blob;
    if (peer->state == FS_PEER_STREAM)
        fs_deadline_keep_alive(peer);
    int written =
        lws_write(peer->wsi, blob->bytes, blob->length, is_http(peer) ? LWS_WRITE_HTTP : LWS_WRITE_TEXT);
    bool ok = written >= (int)blob->length;
    fs_blob_unref(blob);
    if (!ok)
        return false;
    if (!lws_partial_buffered(peer->wsi)) {
        note_sent(peer, item->own ? 0 : 1);
        return true;
    }
    peer->in_library += item->own ? 0 : 1;
    if (peer->state == FS_PEER_STREAM)
        lws_rx_flow_control(peer->wsi,
                            1); /* while it is off, the library does not write either (HTTP, 4.1.6) */
    fs_deadline_slow(peer);
    return true;
}

static size_t queued(const struct fs_peer *peer)
{
    return peer->queue.count - peer->queue_head;
}

void fs_send_finish(struct fs_peer *peer)
{
    for (size_t i = peer->queue_head; i < peer->queue.count; i++)
        fs_blob_unref(peer->queue.items[i].blob);
    fs_vec_clear(&peer->queue);
    peer->queue_head = 0;
    fs_list_remove(&peer->sent_node);
    peer->sent = peer->in_library = 0;
}

void fs_send_blob(struct fs_peer *peer, struct fs_blob *blob, bool own)
{
    struct fs_outgoing item = {blob, own};
    if (peer->closing || peer->state == FS_PEER_LEAVING) {
        fs_blob_unref(blob);
        return;
    }
    if (!queued(peer) && !lws_partial_buffered(peer->wsi)) {
        if (!write_one(peer, &item))
            fs_send_close(peer, 0, NULL);
        return;
    }
    fs_vec_push(&peer->queue, item);
    if (queued(peer) > FS_NET_QUEUE_MAX) {
        FS_LOG_ERROR("net", "more frames for one connection than its credits: it is dropped", "address",
                     peer->address);
        fs_send_close(peer, 0, NULL);
    }
}

/* Code 0: there is nothing to send any more, the connection only ends. */
void fs_send_close(struct fs_peer *peer, int code, const char *reason)
{
    if (peer->closing || peer->state == FS_PEER_LEAVING)
        return;
    peer->closing = true;
    peer->close_code = code;
    snprintf(peer->close_reason, sizeof peer->close_reason, "%s", reason ? reason : "");
    if (code == 0) {
        lws_set_timeout(peer->wsi, PENDING_TIMEOUT_USER_OK, LWS_TO_KILL_ASYNC);
        peer->server->nudge = true;
        return;
    }
    fs_peer_deadline(peer, peer->server->limits.slow_ms);
    if (peer->state == FS_PEER_STREAM)
        lws_rx_flow_control(peer->wsi, 1);
    lws_callback_on_writable(peer->wsi);
}

/*
 * The close frame is ours and not the library's: on libuv, Debian's build of 4.1.6 closes a connection twice
 * when its writable callback asks for it, and the second time leaves no room for a close frame.
 */
static int finish_close(struct fs_peer *peer)
{
    unsigned char frame[LWS_PRE + 4 + sizeof peer->close_reason], *bytes = frame + LWS_PRE;
    size_t length = strlen(peer->close_reason);
    bool socket = peer->state == FS_PEER_SOCKET;
    fs_send_report(peer->server);
    peer->state = FS_PEER_LEAVING; /* nothing may be written behind the close frame */
    if (!socket)
        return -1;
    bytes[0] = 0x88; /* RFC 6455, 5.5.1: FIN and close; a control frame's length fits into seven bits */
    bytes[1] = (unsigned char)(2 + length);
    bytes[2] = (unsigned char)(peer->close_code >> 8);
    bytes[3] = (unsigned char)peer->close_code;
    memcpy(bytes + 4, peer->close_reason, length);
    fs_peer_deadline(peer, FS_NET_LINGER_MS); /* for the client's own close frame */
    return lws_write(peer->wsi, bytes, 4 + length, LWS_WRITE_RAW) < 0 ? -1 : 0;
}

int fs_send_writable(struct fs_peer *peer)
{
    if (peer->state == FS_PEER_LEAVING || lws_partial_buffered(peer->wsi))
        return 0;
    fs_heap_cancel(&peer->server->timers, &peer->slow.timer);
    note_sent(peer, peer->in_library);
    peer->in_library = 0;
    while (queued(peer) && !lws_partial_buffered(peer->wsi)) {
        struct fs_outgoing item = peer->queue.items[peer->queue_head++];
        if (peer->queue_head == peer->queue.count) {
            fs_vec_clear(&peer->queue);
            peer->queue_head = 0;
        }
        if (!write_one(peer, &item))
            return -1;
    }
    if (lws_partial_buffered(peer->wsi))
        return 0;
    if (peer->closing)
        return finish_close(peer);
    if (peer->state == FS_PEER_STREAM)
        lws_rx_flow_control(peer->wsi, 0);
    return 0;
}

void fs_send_report(struct fs_server *server)
{
    FS_LIST_EACH(&server->sent, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, sent_node);
        fs_list_remove(node);
        if (peer->id) {
            struct fs_net_message *message = fs_inbox_message(peer, FS_NET_SENT);
            message->count = peer->sent;
            fs_inbox_must(server, message);
        }
        peer->sent = 0;
    }
}

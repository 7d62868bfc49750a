/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts as a stream of server-sent events: whoever asks with `Accept: text/event-stream` sees the receipt
 * fill, an event whenever it has changed, and the end when it is complete.
 */
#include "base/alloc.h"
#include "base/list.h"
#include "daemon.h"
#include "push/sse.h"

#define LOOK_MS 100 /* how often it is looked at */
#define STREAMS 100 /* at one time: each look costs the core a description of the receipt */

struct fs_receipt_stream {
    struct fs_list node;
    uint64_t connection;
    uint64_t entry;
    char *last; /* as it was sent */
};

static void drop(struct fs_receipt_stream *stream)
{
    fs_list_remove(&stream->node);
    free(stream->last); /* jansson's */
    fs_free(stream);
}

void fs_receipt_stream_open(struct fs_daemon *daemon, uint64_t connection, uint64_t entry)
{
    struct fs_err err;
    if (fs_list_count(&daemon->receipt_streams) >= STREAMS) {
        fs_fail(&err, FS_ERR_UNAVAILABLE,
                "%d receipts are followed as streams already: ask with ?wait=delivered", STREAMS);
        fs_api_error(daemon->server, connection, &err);
        return;
    }
    struct fs_receipt_stream *stream = FS_NEW(struct fs_receipt_stream);
    stream->connection = connection;
    stream->entry = entry;
    fs_list_append(&daemon->receipt_streams, &stream->node);
    daemon->receipts_due = 0;
    fs_server_stream(daemon->server, connection, NULL, FS_SSE_CONTENT_TYPE, "Cache-Control: no-store\r\n");
}

void fs_receipt_stream_closed(struct fs_daemon *daemon, uint64_t connection)
{
    FS_LIST_EACH(&daemon->receipt_streams, node)
    {
        struct fs_receipt_stream *stream = FS_CONTAINER(node, struct fs_receipt_stream, node);
        if (stream->connection == connection)
            drop(stream);
    }
}

static void look(struct fs_daemon *daemon, struct fs_receipt_stream *stream)
{
    json_t *receipt = fs_engine_receipt(daemon->engine, stream->entry, fs_daemon_now(daemon));
    char *text = receipt ? json_dumps(receipt, JSON_COMPACT) : NULL;
    bool over = !receipt || json_is_true(json_object_get(receipt, "complete"));
    json_decref(receipt);
    if (text && (!stream->last || strcmp(text, stream->last))) {
        fs_server_send(daemon->server, stream->connection, fs_sse_event("receipt", 0, text, strlen(text)));
        free(stream->last);
        stream->last = text;
    } else {
        free(text);
    }
    if (!over)
        return;
    fs_server_close(daemon->server, stream->connection, 1000, "complete");
    drop(stream);
}

int64_t fs_receipt_streams_turn(struct fs_daemon *daemon)
{
    int64_t now = fs_daemon_now(daemon).mono;
    if (fs_list_empty(&daemon->receipt_streams))
        return INT64_MAX;
    if (now < daemon->receipts_due)
        return daemon->receipts_due;
    FS_LIST_EACH(&daemon->receipt_streams, node)
    {
        look(daemon, FS_CONTAINER(node, struct fs_receipt_stream, node));
    }
    daemon->receipts_due = now + LOOK_MS;
    return daemon->receipts_due;
}

void fs_receipt_streams_finish(struct fs_daemon *daemon)
{
    FS_LIST_EACH(&daemon->receipt_streams, node)
    {
        drop(FS_CONTAINER(node, struct fs_receipt_stream, node));
    }
}

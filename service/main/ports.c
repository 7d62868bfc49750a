/* SPDX-License-Identifier: Apache-2.0 */
/* What the engine needs of the world: the journal, the sources, bytes and sockets. */
#include "base/alloc.h"
#include "daemon.h"
#include "push/body.h"
#include "push/frame.h"
#include "push/sse.h"

static bool append(void *self, const struct fs_draft *draft)
{
    struct fs_daemon *daemon = self;
    return fs_journal_append(daemon->journal, draft);
}

static void ask(void *self, unsigned source, const struct fs_asked *batch, size_t count, uint64_t token)
{
    struct fs_daemon *daemon = self;
    fs_fetch_ask(daemon->fetch, source, batch, count, token);
}

static void probe(void *self, unsigned source)
{
    struct fs_daemon *daemon = self;
    fs_fetch_probe(daemon->fetch, source);
}

static void set_queries(void *self, unsigned source, const char *const *kinds, const char *const *queries,
                        size_t count)
{
    struct fs_daemon *daemon = self;
    fs_fetch_set_queries(daemon->fetch, source, kinds, queries, count);
}

static struct fs_blob *encode(void *self, const struct fs_view_state *state, struct fs_taken *taken)
{
    (void)self;
    return fs_frame_body(state, taken);
}

static struct fs_blob *make_frame(struct fs_daemon *daemon, const struct fs_delivery *delivery)
{
    const struct fs_daemon_options *options = daemon->options;
    switch (delivery->kind) {
    case FS_DELIVER_WELCOME:
        return fs_frame_welcome(delivery->session, options->engine.epoch, options->engine.lease,
                                &options->server.frames, options->server.limits.frame);
    case FS_DELIVER_SNAPSHOT:
        return fs_frame_snapshot(delivery->parts[0].watch, delivery->parts[0].body);
    case FS_DELIVER_DELTA: {
        struct fs_frame_part *parts = fs_calloc(delivery->part_count, sizeof *parts);
        for (size_t i = 0; i < delivery->part_count; i++)
            parts[i] =
                (struct fs_frame_part){.watch = delivery->parts[i].watch, .body = delivery->parts[i].body};
        struct fs_blob *frame =
            fs_frame_delta(delivery->revision, delivery->more, parts, delivery->part_count);
        fs_free(parts);
        return frame;
    }
    case FS_DELIVER_LEASE:
        return fs_frame_lease(delivery->n, delivery->revision, delivery->duration);
    case FS_DELIVER_ERROR:
        return fs_frame_error(delivery->code, delivery->text, delivery->watch);
    case FS_DELIVER_GOAWAY:
        if (delivery->stream)
            return NULL; /* an event stream is just ended */
        return fs_frame_goaway(delivery->code, delivery->text, delivery->duration, delivery->reconnect);
    case FS_DELIVER_REFETCH:
        return fs_sse_refetch(delivery->revision);
    case FS_DELIVER_CLOSE:
        break;
    }
    return NULL;
}

static void deliver(void *self, const struct fs_delivery *delivery)
{
    struct fs_daemon *daemon = self;
    if (fs_demo_takes(daemon, delivery))
        return;
    struct fs_blob *frame = make_frame(daemon, delivery);
    if (frame)
        fs_server_send(daemon->server, delivery->connection, frame);
    if (delivery->close)
        fs_server_close(daemon->server, delivery->connection, delivery->close, delivery->code);
}

static void evaluated(void *self, const struct fs_evaluated *result)
{
    fs_ofrep_evaluated(self, result);
}

static void receipt(void *self, uint64_t token, const json_t *text)
{
    fs_receipt_ready(self, token, text);
}

struct fs_engine_ports fs_daemon_ports(struct fs_daemon *daemon)
{
    return (struct fs_engine_ports){.self = daemon,
                                    .append = append,
                                    .ask = ask,
                                    .probe = probe,
                                    .set_queries = set_queries,
                                    .encode = encode,
                                    .deliver = deliver,
                                    .evaluated = evaluated,
                                    .receipt = receipt,
                                    .feed = fs_board_send,
                                    .found = fs_search_found};
}

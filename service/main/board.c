/* SPDX-License-Identifier: Apache-2.0 */
/* Boards: what they ask goes to the engine's feeds, what those tell goes out as frames. */
#include "base/alloc.h"
#include "daemon.h"

void fs_board_opened(struct fs_daemon *daemon, uint64_t connection, struct fs_time now)
{
    if (daemon->draining)
        fs_server_close(daemon->server, connection, 1001, "drain");
    else
        fs_feed_open(daemon->engine, connection, now);
}

void fs_board_take(struct fs_daemon *daemon, uint64_t connection, struct fs_board_request *request,
                   struct fs_time now)
{
    switch (request->type) {
    case FS_BOARD_VIEW:
        fs_feed_view(daemon->engine, connection, &request->view, now);
        break;
    case FS_BOARD_UNVIEW:
        fs_feed_unview(daemon->engine, connection, request->view.id, now);
        break;
    case FS_BOARD_ENTRIES:
        break;
    }
}

void fs_board_closed(struct fs_daemon *daemon, uint64_t connection, struct fs_time now)
{
    fs_feed_close(daemon->engine, connection, now);
}

size_t fs_board_send(void *self, const struct fs_feed_frame *frame)
{
    struct fs_daemon *daemon = self;
    struct fs_board_extra extra = {.version = FLAGSTAFF_VERSION,
                                   .journal_healthy = fs_journal_healthy(daemon->journal)};
    size_t taken;
    fs_server_send(daemon->server, frame->connection, fs_board_frame(frame, &extra, &taken));
    if (frame->close)
        fs_server_close(daemon->server, frame->connection, frame->close, frame->code);
    return taken;
}

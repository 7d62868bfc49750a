/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards: what they ask goes to the engine's feeds, what those tell goes out as frames. Entries come from the
 * journal itself: while a board wants them, the worker reads its end, at most ten times a second, once for
 * all.
 */
#include "base/alloc.h"
#include "base/vec.h"
#include "daemon.h"
#include "entries.h"

#define READ_MS 100
#define WAITING 16 /* frames of entries that wait for a slow board; the oldest are lost */

/* One that wants entries. */
struct board {
    struct fs_list node;
    uint64_t connection;
    FS_VEC(struct fs_blob *) waiting;
};

static struct board *find(struct fs_daemon *daemon, uint64_t connection)
{
    FS_LIST_EACH(&daemon->boards, node)
    {
        struct board *board = FS_CONTAINER(node, struct board, node);
        if (board->connection == connection)
            return board;
    }
    return NULL;
}

static void drop(struct board *board)
{
    for (size_t i = 0; board && i < board->waiting.count; i++)
        fs_blob_unref(board->waiting.items[i]);
    if (!board)
        return;
    fs_vec_finish(&board->waiting);
    fs_list_remove(&board->node);
    fs_free(board);
}

void fs_board_opened(struct fs_daemon *daemon, uint64_t connection, struct fs_time now)
{
    if (daemon->draining)
        fs_server_close(daemon->server, connection, 1001, "drain");
    else
        fs_feed_open(daemon->engine, connection, now);
}

static void want_entries(struct fs_daemon *daemon, uint64_t connection, bool on)
{
    struct board *board = find(daemon, connection);
    if (!on) {
        drop(board);
    } else if (!board && fs_feed_is_open(daemon->engine, connection)) {
        board = FS_NEW(struct board);
        board->connection = connection;
        fs_list_append(&daemon->boards, &board->node);
    }
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
        want_entries(daemon, connection, request->on);
        break;
    }
}

void fs_board_closed(struct fs_daemon *daemon, uint64_t connection, struct fs_time now)
{
    fs_feed_close(daemon->engine, connection, now);
    drop(find(daemon, connection));
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

static void flush(struct fs_daemon *daemon, struct board *board)
{
    size_t sent = 0;
    while (sent < board->waiting.count && fs_feed_takes(daemon->engine, board->connection))
        fs_server_send(daemon->server, board->connection, board->waiting.items[sent++]);
    board->waiting.count -= sent;
    if (board->waiting.count)
        memmove(board->waiting.items, board->waiting.items + sent,
                board->waiting.count * sizeof *board->waiting.items);
}

void fs_boards_read(struct fs_daemon *daemon, struct fs_entry_tail *tail)
{
    FS_LIST_EACH(&daemon->boards, node)
    {
        struct board *board = FS_CONTAINER(node, struct board, node);
        if (!tail->frame)
            break;
        if (board->waiting.count == WAITING) {
            fs_blob_unref(board->waiting.items[0]);
            memmove(board->waiting.items, board->waiting.items + 1,
                    --board->waiting.count * sizeof *board->waiting.items);
        }
        fs_vec_push(&board->waiting, fs_blob_ref(tail->frame));
    }
    fs_blob_unref(tail->frame);
    tail->frame = NULL;
    daemon->tail = tail;
    daemon->tail_reading = false;
    if (tail->more)
        daemon->tail_due = 0;
}

static struct fs_entry_tail *tail_create(struct fs_daemon *daemon)
{
    struct fs_entry_tail *tail = FS_NEW(struct fs_entry_tail);
    tail->journal = daemon->journal;
    tail->inbox = daemon->inbox;
    tail->next = daemon->last_entry + 1;
    tail->recent = json_array();
    return tail;
}

int64_t fs_boards_turn(struct fs_daemon *daemon)
{
    int64_t now = fs_daemon_now(daemon).mono;
    if (fs_list_empty(&daemon->boards)) {
        fs_entry_tail_destroy(daemon->tail); /* nobody looks: nothing is read, nothing is kept */
        daemon->tail = NULL;
        return INT64_MAX;
    }
    FS_LIST_EACH(&daemon->boards, node)
    {
        flush(daemon, FS_CONTAINER(node, struct board, node));
    }
    if (daemon->tail_reading)
        return INT64_MAX;
    if (!daemon->tail)
        daemon->tail = tail_create(daemon);
    if (daemon->last_entry < daemon->tail->next)
        return INT64_MAX;
    if (now < daemon->tail_due)
        return daemon->tail_due;
    daemon->tail_due = now + READ_MS;
    if (!fs_worker_do(daemon->worker, fs_entry_tail_read, daemon->tail))
        return daemon->tail_due;
    daemon->tail = NULL;
    daemon->tail_reading = true;
    return INT64_MAX;
}

void fs_boards_finish(struct fs_daemon *daemon)
{
    FS_LIST_EACH(&daemon->boards, node)
    {
        drop(FS_CONTAINER(node, struct board, node));
    }
    fs_entry_tail_destroy(daemon->tail);
}

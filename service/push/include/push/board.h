/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flagstaff.board.v1 on the server's side (docs/protocol/board.md): frames of boards into structs, what core
 * tells of cells into bytes. Pure; any thread.
 */
#ifndef FS_PUSH_BOARD_H
#define FS_PUSH_BOARD_H

#include "base/blob.h"
#include "core/feed.h"
#include "push/frame.h"

enum fs_board_request_type { FS_BOARD_VIEW, FS_BOARD_UNVIEW, FS_BOARD_ENTRIES };

struct fs_board_request {
    enum fs_board_request_type type;
    struct fs_feed_wish view; /* VIEW; of UNVIEW the id */
    bool on;                  /* ENTRIES */
};

/* NULL with `fault` filled in: what becomes an error frame, and perhaps a close. Unknown members are ignored.
 * Owned. */
struct fs_board_request *fs_board_read(const char *text, size_t length, struct fs_frame_fault *fault);
void fs_board_request_destroy(struct fs_board_request *request); /* accepts NULL */

/* What only the daemon knows. */
struct fs_board_extra {
    const char *version;  /* in welcome */
    bool journal_healthy; /* in pulse */
};

/* Bytes of a frame. `taken`: how many of its rows are in it; as many as 64 KiB hold, and one at least. */
struct fs_blob *fs_board_frame(const struct fs_feed_frame *frame, const struct fs_board_extra *extra,
                               size_t *taken);
/* Live entries: `list` is an array as GET /v1/entries tells it, as text. */
struct fs_blob *fs_board_entries(const char *list, size_t length);
/* The error frame for a fault; `close` is the caller's to do. */
struct fs_blob *fs_board_fault(const struct fs_frame_fault *fault);

#endif

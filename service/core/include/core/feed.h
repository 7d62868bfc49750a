/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Feeds: what boards show of the cells, kept current (docs/protocol/board.md). A board has some views; a view
 * is a filter, an order and a limit over all cells, told as a snapshot and then as what changed. Nothing is
 * kept and nothing is done while no board is open. A change costs each view a comparison and a place in its
 * order, whatever the number of cells; what needs all cells is done in slices, a few thousand cells a turn.
 * All functions belong to the engine's thread.
 */
#ifndef FS_CORE_FEED_H
#define FS_CORE_FEED_H

#include "core/engine.h"

#define FS_FEED_BOARDS 32    /* open at once */
#define FS_FEED_VIEWS  4     /* of one board */
#define FS_FEED_ROWS   10000 /* of one view */

enum fs_feed_sort { FS_FEED_BY_CHANGED, FS_FEED_BY_SUBJECT, FS_FEED_BY_FLAG };

/* "" is no condition. `q`: a part of the subject or the flag, in any case; the others: the whole, or a
 * pattern with `*`. */
struct fs_feed_filter {
    char *q, *subject, *flag, *variant, *reason, *source; /* owned by whoever has the filter */
};
void fs_feed_filter_finish(struct fs_feed_filter *filter); /* leaves it empty */

struct fs_feed_wish {
    uint64_t id;                  /* the board's number for the view; one that it has is replaced */
    struct fs_feed_filter filter; /* moved out */
    enum fs_feed_sort sort;
    size_t limit;   /* 1 to FS_FEED_ROWS */
    bool resumes;   /* the board holds this very view as it was at ... */
    char epoch[40]; /* ... this epoch and */
    uint64_t since; /* ... this revision */
};

enum fs_feed_state { FS_FEED_WATCHED, FS_FEED_STREAMED, FS_FEED_SEEN };

/* One cell. Borrowed for the call. */
struct fs_feed_row {
    uint64_t cell;                       /* stable within the epoch */
    const char *subject, *hash, *source; /* source: of its first decision; NULL: none */
    const struct fs_flag *flag;
    const struct fs_evaluation *value;
    const struct fs_cause *cause;
    char *cause_text; /* core/cause.h; NULL: nothing */
    int64_t changed;  /* wall ms */
    uint64_t revision;
    unsigned acked, watching;
    enum fs_feed_state state;
};

/* A delivery that moved. */
struct fs_feed_delivered {
    uint64_t cell;
    unsigned acked, watching;
};

struct fs_feed_source {
    const char *name, *state;
};

enum fs_feed_frame_kind {
    FS_FEED_WELCOME,
    FS_FEED_ROWS_PART, /* of a snapshot */
    FS_FEED_CHANGES,
    FS_FEED_DELIVERED,
    FS_FEED_PULSE,
    FS_FEED_ERROR,
    FS_FEED_GOAWAY
};

/* One message for a board. Borrowed for the call. */
struct fs_feed_frame {
    enum fs_feed_frame_kind kind;
    uint64_t connection;
    uint64_t
        revision; /* up to which the board has all, when it has this; of rows: when all offered are in it */
    uint64_t before;   /* ... and when not */
    bool whole;        /* with all offered rows in it: a board may come back with the revision */
    int64_t time;      /* wall ms */
    const char *epoch; /* WELCOME */
    uint64_t view;     /* its id; ERROR: 0 is none */
    bool first, more;  /* ROWS_PART; more: further rows follow those offered */
    uint64_t total;    /* cells that the filter lets through */
    const struct fs_feed_row *rows;
    size_t row_count;
    const uint64_t *gone;
    size_t gone_count;
    const struct fs_feed_delivered *delivered;
    size_t delivered_count;
    const struct fs_feed_source *sources; /* PULSE */
    size_t source_count;
    size_t subjects, contexts, cells, clients, behind, overrides; /* PULSE */
    uint64_t flips;                                               /* PULSE: since the one before */
    const char *code, *text;                                      /* ERROR, GOAWAY */
    int64_t reconnect;                                            /* GOAWAY: ms */
    int close; /* websocket code to close with behind it; 0: stays open */
};

/* The port by which frames leave: fs_engine_ports.feed(). Says how many of the offered rows are in the frame,
 * at least one where there are any. */

/* A board has come. It is welcomed, or told that there are too many. */
void fs_feed_open(struct fs_engine *engine, uint64_t connection, struct fs_time now);
void fs_feed_close(struct fs_engine *engine, uint64_t connection, struct fs_time now);
/* Takes the filter out of the wish. */
void fs_feed_view(struct fs_engine *engine, uint64_t connection, struct fs_feed_wish *wish,
                  struct fs_time now);
void fs_feed_unview(struct fs_engine *engine, uint64_t connection, uint64_t id, struct fs_time now);
/* `frames` of its window are free again. Unknown connections are ignored, here and above. */
void fs_feed_sent(struct fs_engine *engine, uint64_t connection, unsigned frames, struct fs_time now);
/* A frame of the caller's own is about to be sent to the board: takes one of its window. False: there is no
 * room, or no such board. */
bool fs_feed_takes(struct fs_engine *engine, uint64_t connection);
/* Tells all boards to go, and closes them. */
void fs_feed_goaway(struct fs_engine *engine, const char *code, int64_t reconnect, int close);
size_t fs_feed_boards(const struct fs_engine *engine); /* open */
bool fs_feed_is_open(const struct fs_engine *engine, uint64_t connection);

#endif

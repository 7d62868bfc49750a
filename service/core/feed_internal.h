/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the feeds' files share. feed.c: boards and their views, and when what is told; feed_scan.c: which
 * cells a view lets through, and the walk over all of them; feed_order.c: the view's rows in their order;
 * feed_tell.c: rows into frames; feed_delivered.c: who has them.
 */
#ifndef FS_CORE_FEED_INTERNAL_H
#define FS_CORE_FEED_INTERNAL_H

#include "core/feed.h"
#include "engine_internal.h"

/* A cell that the view shows. */
struct fs_feed_item {
    uint64_t cell; /* the map's key */
    struct fs_context *context;
    uint32_t flag;
    int64_t changed;          /* what it is ordered by: the cell's, when it was last looked at */
    size_t slot;              /* in view.heap */
    bool known;               /* the board has it */
    unsigned acked, watching; /* as told, or to be told with the row */
    enum fs_feed_state state;
    struct fs_list dirty; /* in view.dirty */
    struct fs_list look;  /* in view.look */
};

enum fs_feed_phase {
    FS_FEED_COUNTING, /* the first walk: nothing is told */
    FS_FEED_TELLING,  /* the snapshot's parts */
    FS_FEED_LIVE
};

struct fs_feed_view {
    struct fs_list node; /* in fs_feed.views */
    uint64_t id;
    struct fs_feed_filter filter;
    enum fs_feed_sort sort;
    size_t limit;
    enum fs_feed_phase phase;
    bool resumes, overrun; /* overrun: too much has gone since the resume point to be named */
    uint64_t since;
    struct fs_list *cursor; /* in engine.all_contexts: the next to be looked at; NULL: no walk is under way */
    uint64_t cursor_number; /* contexts below it were looked at */
    bool lacks;             /* a row has gone since the walk began: another cell may belong in its place */
    int64_t refill_at;      /* mono ms: no further walk before */
    uint64_t total, told_total;
    int64_t total_due;                  /* mono ms: a total alone is told then */
    struct fs_map items;                /* cell -> struct fs_feed_item */
    FS_VEC(struct fs_feed_item *) heap; /* the last in the order first */
    FS_VEC(uint64_t) order;             /* TELLING: cells in the order in which they are told */
    size_t told;                        /* of order */
    uint64_t closed;                    /* revision up to which all was told */
    struct fs_list dirty, look;
    FS_VEC(uint64_t) gone; /* the board has them still */
};

struct fs_feed {
    struct fs_list node; /* in fs_feeds.list */
    uint64_t connection;
    int window;
    struct fs_list views;
    size_t view_count;
    int64_t next_frame;   /* mono ms: no changes before */
    int64_t next_pulse;   /* mono ms */
    uint64_t pulse_flips; /* engine.counts.changes at the last */
};

struct fs_feeds {
    struct fs_list list;
    size_t count;
    bool acked;        /* since deliveries were last looked at */
    int64_t next_look; /* mono ms: deliveries are not looked at before */
    struct fs_alarm alarm;
};

/* feed_order.c */
struct fs_feed_item *fs_feed_find(const struct fs_feed_view *view, uint64_t cell);
/* It is one of the view's rows now, or a row that the order lets stay, or is left out. */
void fs_feed_offer(struct fs_engine *e, struct fs_feed_view *view, struct fs_context *context, uint32_t flag);
/* Not one of the rows any more; the board is told where it has it. */
void fs_feed_drop(const struct fs_engine *e, struct fs_feed_view *view, struct fs_feed_item *item);
void fs_feed_mark(struct fs_feed_view *view, struct fs_feed_item *item); /* the row is to be told */
void fs_feed_sort(const struct fs_engine *e, struct fs_feed_view *view); /* fills `order` */
void fs_feed_empty(struct fs_feed_view *view);                           /* no rows, nothing told */

/* feed_scan.c */
bool fs_feed_matches(const struct fs_engine *e, const struct fs_feed_view *view,
                     const struct fs_context *context, uint32_t flag);
void fs_feed_scan_from_start(struct fs_engine *e, struct fs_feed_view *view);
/* Goes on with the walk. How many cells it looked at. */
size_t fs_feed_scan(struct fs_engine *e, struct fs_feed_view *view, size_t budget);

/* feed_tell.c */
void fs_feed_send(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_frame *frame);
void fs_feed_tell_error(struct fs_engine *e, struct fs_feed *feed, uint64_t view, const char *code,
                        const char *text);
void fs_feed_tell_snapshot(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view);
void fs_feed_tell_changes(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view);
void fs_feed_tell_pulse(struct fs_engine *e, struct fs_feed *feed);

/* feed_delivered.c */
/* Who has the item's value now. The number of watches looked at. */
size_t fs_feed_count(const struct fs_feed_item *item, unsigned *acked, unsigned *watching,
                     enum fs_feed_state *state);
void fs_feed_look(struct fs_feed_view *view, struct fs_feed_item *item); /* it is looked at again */
void fs_feed_tell_delivered(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view);

#endif

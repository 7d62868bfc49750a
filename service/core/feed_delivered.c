/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Who has a row's value: of the connected watches that see it, those that acknowledged a revision at or past
 * its last change. Event streams acknowledge nothing and do not count. Rows that are not with all yet, and
 * those whose watches came or went, are looked at again, ten times a second at most and some thousand watches
 * at a time.
 */
#include "feed_internal.h"

#define LOOK_WATCHES 20000 /* looked at in one turn, for one view */
#define LOOK_ROWS    2000  /* told in one frame */

static bool has(const struct fs_watch *watch, uint64_t revision)
{
    uint64_t needed = revision > watch->snapshot_revision ? revision : watch->snapshot_revision;
    return watch->sent && watch->connection->acked_revision >= needed;
}

size_t fs_feed_count(const struct fs_feed_item *item, unsigned *acked, unsigned *watching,
                     enum fs_feed_state *state)
{
    const struct fs_context *context = item->context;
    uint64_t revision = context->cells[item->flag].revision;
    size_t looked = 1;
    bool watched = false, streamed = false;
    *acked = *watching = 0;
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, item->flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            const struct fs_watch *watch = FS_CONTAINER(member, struct fs_watch, in_view);
            looked++;
            if (watch->once)
                continue;
            streamed |= watch->connection->stream;
            watched |= !watch->connection->stream;
            if (watch->connection->stream || !watch->connection->open)
                continue;
            ++*watching;
            *acked += has(watch, revision);
        }
    }
    *state = watched ? FS_FEED_WATCHED : streamed ? FS_FEED_STREAMED : FS_FEED_SEEN;
    return looked;
}

void fs_feed_look(struct fs_feed_view *view, struct fs_feed_item *item)
{
    if (fs_list_empty(&item->look))
        fs_list_append(&view->look, &item->look);
}

/* One row. True: `out` is to be told. */
static bool look(struct fs_feed_view *view, struct fs_feed_item *item, size_t *looked,
                 struct fs_feed_delivered *out)
{
    unsigned acked, watching;
    enum fs_feed_state state;
    *looked += fs_feed_count(item, &acked, &watching, &state);
    fs_list_remove(&item->look);
    if (acked < watching)
        fs_feed_look(view, item); /* at the end: those behind it have their turn */
    if (state != item->state)
        fs_feed_mark(view, item);
    if (!item->known || !fs_list_empty(&item->dirty) || (acked == item->acked && watching == item->watching))
        return false; /* the row itself will tell it, or there is nothing to tell */
    item->acked = acked;
    item->watching = watching;
    *out = (struct fs_feed_delivered){item->cell, acked, watching};
    return true;
}

void fs_feed_tell_delivered(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view)
{
    FS_VEC(struct fs_feed_delivered) moved = {0};
    size_t looked = 0;
    struct fs_list round; /* those that are there now: who is put back waits for the next time */
    fs_list_init(&round);
    if (fs_list_empty(&view->look))
        return;
    round = view->look;
    round.next->prev = round.prev->next = &round;
    fs_list_init(&view->look);
    while (!fs_list_empty(&round) && looked < LOOK_WATCHES && moved.count < LOOK_ROWS) {
        struct fs_feed_delivered one;
        if (look(view, FS_CONTAINER(round.next, struct fs_feed_item, look), &looked, &one))
            fs_vec_push(&moved, one);
    }
    FS_LIST_EACH(&round, node)
    {
        fs_list_remove(node);
        fs_list_append(&view->look, node);
        e->feeds->acked = true; /* goes on, whether further ones come or not */
    }
    if (moved.count) {
        struct fs_feed_frame frame = {.kind = FS_FEED_DELIVERED,
                                      .view = view->id,
                                      .delivered = moved.items,
                                      .delivered_count = moved.count};
        fs_feed_send(e, feed, &frame);
    }
    fs_vec_finish(&moved);
}

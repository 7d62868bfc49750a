/* SPDX-License-Identifier: Apache-2.0 */
/* Frames for boards: rows of snapshots and changes, the pulse. Each takes one of the board's window. */
#include "feed_internal.h"

#define OFFERED 600 /* rows offered for one frame; how many fit is the encoder's to say */

/* How many of the rows are in it. */
static size_t send(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_frame *frame)
{
    frame->connection = feed->connection;
    frame->time = e->now.wall;
    feed->window--;
    return e->options.ports.feed(e->options.ports.self, frame);
}

void fs_feed_send(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_frame *frame)
{
    send(e, feed, frame);
}

void fs_feed_tell_error(struct fs_engine *e, struct fs_feed *feed, uint64_t view, const char *code,
                        const char *text)
{
    struct fs_feed_frame frame = {.kind = FS_FEED_ERROR, .view = view, .code = code, .text = text};
    fs_feed_send(e, feed, &frame);
}

static void fill_row(const struct fs_engine *e, struct fs_feed_item *item, struct fs_feed_row *row)
{
    const struct fs_cell *cell = &item->context->cells[item->flag];
    const struct fs_flag *flag = e->set->flags[item->flag];
    *row = (struct fs_feed_row){.cell = item->cell,
                                .subject = item->context->subject,
                                .hash = item->context->hash,
                                .source = flag->decision_count ? flag->decisions[0].source : NULL,
                                .flag = flag,
                                .value = &cell->value,
                                .cause = cell->cause,
                                .cause_text = fs_cell_cause_text(e, item->context, item->flag),
                                .changed = cell->changed,
                                .revision = cell->revision};
    fs_feed_count(item, &row->acked, &row->watching, &row->state);
}

/* The board has the row as it was filled in. */
static void told(struct fs_feed_view *view, struct fs_feed_item *item, const struct fs_feed_row *row)
{
    fs_list_remove(&item->dirty);
    item->known = true;
    item->acked = row->acked;
    item->watching = row->watching;
    item->state = row->state;
    if (row->acked < row->watching)
        fs_feed_look(view, item);
}

struct offer {
    struct fs_feed_row *rows;
    struct fs_feed_item **items;
    size_t count;
};

static struct offer offer_create(void)
{
    return (struct offer){fs_calloc(OFFERED, sizeof(struct fs_feed_row)),
                          fs_calloc(OFFERED, sizeof(struct fs_feed_item *)), 0};
}

static void offer_add(const struct fs_engine *e, struct offer *offer, struct fs_feed_item *item)
{
    fill_row(e, item, &offer->rows[offer->count]);
    offer->items[offer->count++] = item;
}

/* Sends the frame with as many of the rows as it takes. How many. */
static size_t offer_send(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view,
                         struct offer *offer, struct fs_feed_frame *frame)
{
    frame->view = view->id;
    frame->total = view->total;
    frame->rows = offer->rows;
    frame->row_count = offer->count;
    size_t taken = send(e, feed, frame);
    for (size_t i = 0; i < taken; i++)
        told(view, offer->items[i], &offer->rows[i]);
    for (size_t i = 0; i < offer->count; i++)
        fs_free(offer->rows[i].cause_text);
    fs_free(offer->rows);
    fs_free(offer->items);
    return taken;
}

/* All that the filter lets through is among the rows. Of a view that is cut by its limit a board cannot tell
 * later, by a revision, what came back into it. */
static bool is_whole(const struct fs_feed_view *view)
{
    return view->total == view->heap.count;
}

void fs_feed_tell_snapshot(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view)
{
    struct offer offer = offer_create();
    FS_VEC(size_t) places = {0};
    bool first = view->told == 0;
    if (first) {
        fs_feed_sort(e, view); /* of this moment: what comes later is past the revision that is told */
        view->closed = e->told_revision = e->revision;
    }
    size_t at = view->told;
    for (; at < view->order.count && offer.count < OFFERED; at++) {
        struct fs_feed_item *item = fs_feed_find(view, view->order.items[at]);
        if (!item || item->known)
            continue; /* gone meanwhile */
        offer_add(e, &offer, item);
        fs_vec_push(&places, at + 1);
    }
    size_t count = offer.count;
    struct fs_feed_frame frame = {.kind = FS_FEED_ROWS_PART,
                                  .revision = view->closed,
                                  .whole = is_whole(view),
                                  .first = first,
                                  .more = at < view->order.count};
    size_t taken = offer_send(e, feed, view, &offer, &frame);
    view->told = taken < count ? places.items[taken - 1] : at;
    fs_vec_finish(&places);
    if (view->told < view->order.count)
        return;
    view->phase = FS_FEED_LIVE;
    view->told_total = frame.total;
    fs_vec_finish(&view->order);
}

/* What has gone and is back before it was told, is not gone. */
static void forget_returned(struct fs_feed_view *view)
{
    size_t kept = 0;
    for (size_t i = 0; i < view->gone.count; i++)
        if (!fs_feed_find(view, view->gone.items[i]))
            view->gone.items[kept++] = view->gone.items[i];
    view->gone.count = kept;
}

void fs_feed_tell_changes(struct fs_engine *e, struct fs_feed *feed, struct fs_feed_view *view)
{
    struct offer offer = offer_create();
    forget_returned(view);
    FS_LIST_EACH(&view->dirty, node)
    {
        if (offer.count == OFFERED)
            break;
        offer_add(e, &offer, FS_CONTAINER(node, struct fs_feed_item, dirty));
    }
    size_t gone = view->gone.count < 2 * OFFERED ? view->gone.count : 2 * OFFERED;
    bool all = offer.count < OFFERED && gone == view->gone.count;
    struct fs_feed_frame frame = {.kind = FS_FEED_CHANGES,
                                  .revision = all ? e->revision : view->closed,
                                  .whole = all && is_whole(view),
                                  .gone = view->gone.items,
                                  .gone_count = gone,
                                  .before = view->closed};
    offer_send(e, feed, view, &offer, &frame);
    view->gone.count -= gone;
    if (view->gone.count)
        memmove(view->gone.items, view->gone.items + gone, view->gone.count * sizeof *view->gone.items);
    if (fs_list_empty(&view->dirty) && !view->gone.count)
        view->closed = e->told_revision = e->revision;
    view->told_total = view->total;
    view->total_due = e->now.mono + 1000;
}

void fs_feed_tell_pulse(struct fs_engine *e, struct fs_feed *feed)
{
    struct fs_engine_counts counts;
    struct fs_feed_source *sources = fs_calloc(e->sources.count + 1, sizeof *sources);
    for (size_t i = 0; i < e->sources.count; i++)
        sources[i] = (struct fs_feed_source){e->sources.items[i]->name,
                                             fs_source_status_name(e->sources.items[i]->status)};
    fs_engine_count(e, &counts);
    struct fs_feed_frame frame = {.kind = FS_FEED_PULSE,
                                  .revision = e->revision,
                                  .sources = sources,
                                  .source_count = e->sources.count,
                                  .subjects = e->subjects.count,
                                  .contexts = counts.contexts,
                                  .cells = counts.cells,
                                  .clients = counts.connections + counts.streams,
                                  .behind = counts.behind,
                                  .overrides = e->override_count,
                                  .flips = counts.changes - feed->pulse_flips};
    feed->pulse_flips = counts.changes;
    fs_feed_send(e, feed, &frame);
    fs_free(sources);
}

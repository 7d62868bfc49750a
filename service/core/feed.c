/* SPDX-License-Identifier: Apache-2.0 */
/* Boards and their views, and when what is told. See core/feed.h. */
#include "feed_internal.h"

#define SLICE       4096 /* cells that walks look at in one turn, all together */
#define FRAME_MS    17   /* between frames of changes to one board: 60 a second at most */
#define LOOK_MS     100  /* between looks at deliveries */
#define PULSE_MS    1000
#define REFILL_MS   1000 /* after a walk, and longer where there are many cells */
#define REFILL_RATE 10   /* cells per further ms */

void fs_feed_filter_finish(struct fs_feed_filter *filter)
{
    char **texts[] = {&filter->q,       &filter->subject, &filter->flag,
                      &filter->variant, &filter->reason,  &filter->source};
    for (size_t i = 0; i < sizeof texts / sizeof *texts; i++) {
        fs_free(*texts[i]);
        *texts[i] = NULL;
    }
}

static struct fs_feed *find(const struct fs_engine *e, uint64_t connection)
{
    for (struct fs_list *node = e->feeds ? e->feeds->list.next : NULL; node && node != &e->feeds->list;
         node = node->next) {
        struct fs_feed *feed = FS_CONTAINER(node, struct fs_feed, node);
        if (feed->connection == connection)
            return feed;
    }
    return NULL;
}

static struct fs_feed_view *find_view(struct fs_feed *feed, uint64_t id)
{
    FS_LIST_EACH(&feed->views, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        if (view->id == id)
            return view;
    }
    return NULL;
}

size_t fs_feed_boards(const struct fs_engine *e)
{
    return e->feeds ? e->feeds->count : 0;
}

bool fs_feed_is_open(const struct fs_engine *e, uint64_t connection)
{
    return find(e, connection);
}

static struct fs_feeds *feeds_create(void)
{
    struct fs_feeds *feeds = FS_NEW(struct fs_feeds);
    fs_list_init(&feeds->list);
    return feeds;
}

void fs_feed_open(struct fs_engine *e, uint64_t connection, struct fs_time now)
{
    e->now = now;
    struct fs_feed_frame frame = {.connection = connection, .time = now.wall};
    if (fs_feed_boards(e) >= FS_FEED_BOARDS) {
        frame.kind = FS_FEED_GOAWAY;
        frame.code = "overload";
        frame.text = "too many boards are open";
        frame.reconnect = 10000;
        frame.close = 1013;
        e->options.ports.feed(e->options.ports.self, &frame);
        return;
    }
    if (!e->feeds)
        e->feeds = feeds_create();
    struct fs_feed *feed = FS_NEW(struct fs_feed);
    feed->connection = connection;
    feed->window = (int)e->options.window;
    feed->next_pulse = now.mono;
    feed->pulse_flips = e->counts.changes;
    fs_list_init(&feed->views);
    fs_list_append(&e->feeds->list, &feed->node);
    e->feeds->count++;
    frame.kind = FS_FEED_WELCOME;
    frame.epoch = e->options.epoch;
    frame.revision = e->revision;
    fs_feed_send(e, feed, &frame);
}

static void view_destroy(struct fs_feed *feed, struct fs_feed_view *view)
{
    fs_feed_empty(view);
    fs_map_finish(&view->items, NULL);
    fs_vec_finish(&view->heap);
    fs_vec_finish(&view->order);
    fs_vec_finish(&view->gone);
    fs_feed_filter_finish(&view->filter);
    fs_list_remove(&view->node);
    feed->view_count--;
    fs_free(view);
}

static void feed_destroy(struct fs_engine *e, struct fs_feed *feed)
{
    FS_LIST_EACH(&feed->views, node)
    {
        view_destroy(feed, FS_CONTAINER(node, struct fs_feed_view, node));
    }
    fs_list_remove(&feed->node);
    fs_free(feed);
    if (--e->feeds->count)
        return;
    fs_alarm_cancel(e, &e->feeds->alarm);
    fs_free(e->feeds);
    e->feeds = NULL;
}

void fs_feed_close(struct fs_engine *e, uint64_t connection, struct fs_time now)
{
    struct fs_feed *feed = find(e, connection);
    if (feed)
        feed_destroy(e, feed);
    e->now = feed ? now : e->now;
}

void fs_feeds_finish(struct fs_engine *e)
{
    while (e->feeds)
        feed_destroy(e, FS_CONTAINER(e->feeds->list.next, struct fs_feed, node));
}

static void begin(struct fs_engine *e, struct fs_feed_view *view)
{
    fs_feed_empty(view);
    view->phase = FS_FEED_COUNTING;
    fs_feed_scan_from_start(e, view);
}

void fs_feeds_restart(struct fs_engine *e, struct fs_feeds *feeds)
{
    e->feeds = feeds;
    for (struct fs_list *node = feeds ? feeds->list.next : NULL; node && node != &feeds->list;
         node = node->next) {
        FS_LIST_EACH(&FS_CONTAINER(node, struct fs_feed, node)->views, view_node)
        {
            struct fs_feed_view *view = FS_CONTAINER(view_node, struct fs_feed_view, node);
            view->resumes = false;
            begin(e, view);
        }
    }
}

/* Nothing was forgotten since, and the flags are the same: what the board holds can be told apart by
 * revisions. */
static bool can_resume(const struct fs_engine *e, const struct fs_feed_wish *wish)
{
    return wish->resumes && !strcmp(wish->epoch, e->options.epoch) && wish->since <= e->revision &&
           e->removal_revision <= wish->since && e->forgotten_revision < wish->since;
}

void fs_feed_view(struct fs_engine *e, uint64_t connection, struct fs_feed_wish *wish, struct fs_time now)
{
    struct fs_feed *feed = find(e, connection);
    if (!feed)
        return;
    e->now = now;
    struct fs_feed_view *view = find_view(feed, wish->id);
    if (view)
        view_destroy(feed, view);
    if (feed->view_count >= FS_FEED_VIEWS) {
        fs_feed_tell_error(e, feed, wish->id, "limit", "a board has at most 4 views");
        return;
    }
    view = FS_NEW(struct fs_feed_view);
    view->id = wish->id;
    view->filter = wish->filter;
    wish->filter = (struct fs_feed_filter){0};
    view->sort = wish->sort;
    view->limit = wish->limit < FS_FEED_ROWS ? wish->limit : FS_FEED_ROWS;
    view->resumes = can_resume(e, wish);
    view->since = wish->since;
    fs_map_init_borrowing(&view->items);
    fs_list_init(&view->dirty);
    fs_list_init(&view->look);
    fs_list_append(&feed->views, &view->node);
    feed->view_count++;
    begin(e, view);
}

void fs_feed_unview(struct fs_engine *e, uint64_t connection, uint64_t id, struct fs_time now)
{
    struct fs_feed *feed = find(e, connection);
    struct fs_feed_view *view = feed ? find_view(feed, id) : NULL;
    if (!feed)
        return;
    e->now = now;
    if (view)
        view_destroy(feed, view);
    else
        fs_feed_tell_error(e, feed, id, "unknown_view", "there is no such view on this board");
}

void fs_feed_sent(struct fs_engine *e, uint64_t connection, unsigned frames, struct fs_time now)
{
    struct fs_feed *feed = find(e, connection);
    if (!feed)
        return;
    e->now = now;
    feed->window += (int)frames;
}

bool fs_feed_takes(struct fs_engine *e, uint64_t connection)
{
    struct fs_feed *feed = find(e, connection);
    if (!feed || feed->window <= 0)
        return false;
    feed->window--;
    return true;
}

void fs_feed_goaway(struct fs_engine *e, const char *code, int64_t reconnect, int close)
{
    for (struct fs_list *node = e->feeds ? e->feeds->list.next : NULL; node && node != &e->feeds->list;
         node = node->next) {
        struct fs_feed_frame frame = {
            .kind = FS_FEED_GOAWAY, .code = code, .reconnect = reconnect, .close = close};
        fs_feed_send(e, FS_CONTAINER(node, struct fs_feed, node), &frame);
    }
}

void fs_feeds_acked(struct fs_engine *e)
{
    if (e->feeds)
        e->feeds->acked = true;
}

/* The board holds the view as it was: it gets what is new, and who has what. False: that cannot be told, and
 * the view begins anew. */
static bool resume(struct fs_engine *e, struct fs_feed_view *view)
{
    if (view->overrun || view->total > view->heap.count)
        return false;
    for (size_t i = 0; i < view->heap.count; i++) {
        struct fs_feed_item *item = view->heap.items[i];
        item->known = true;
        item->acked = item->watching = UINT_MAX;
        fs_feed_look(view, item);
        if (item->context->cells[item->flag].revision <= view->since &&
            item->context->rewatched <= view->since) {
            unsigned acked, watching;
            fs_list_remove(&item->dirty);
            fs_feed_count(item, &acked, &watching, &item->state);
        }
    }
    e->feeds->acked = true;
    view->phase = FS_FEED_LIVE;
    view->told_total = view->total + 1; /* is told, and with it that the view goes on */
    view->total_due = e->now.mono;
    return true;
}

static void end_walk(struct fs_engine *e, struct fs_feed_view *view)
{
    view->refill_at = e->now.mono + REFILL_MS + (int64_t)e->counts.cells / REFILL_RATE;
    if (view->phase != FS_FEED_COUNTING)
        return;
    if (view->resumes && resume(e, view)) {
        view->resumes = false;
        view->closed = view->since;
        return;
    }
    view->resumes = false;
    fs_vec_clear(&view->gone); /* a snapshot replaces all */
    view->phase = FS_FEED_TELLING;
}

/* Rows have gone, and others may belong in their place that nobody has looked for yet: one that came into the
 * gap meanwhile need not be the right one. */
static bool has_holes(const struct fs_feed_view *view)
{
    return view->phase == FS_FEED_LIVE && view->lacks && view->total > view->heap.count;
}

static bool walk(struct fs_engine *e, struct fs_feed *feed, size_t *budget)
{
    bool goes_on = false;
    FS_LIST_EACH(&feed->views, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        if (!view->cursor && has_holes(view) && e->now.mono >= view->refill_at)
            fs_feed_scan_from_start(e, view);
        if (!view->cursor)
            continue;
        size_t cells = fs_feed_scan(e, view, *budget);
        *budget -= cells < *budget ? cells : *budget;
        goes_on |= view->cursor != NULL;
        if (!view->cursor)
            end_walk(e, view);
    }
    return goes_on;
}

static bool has_changes(const struct fs_engine *e, const struct fs_feed_view *view)
{
    return view->phase == FS_FEED_LIVE &&
           (!fs_list_empty(&view->dirty) || view->gone.count ||
            (view->total != view->told_total && e->now.mono >= view->total_due));
}

/* What the board may get now. When something further is due, mono ms. */
static int64_t tell(struct fs_engine *e, struct fs_feed *feed, bool look)
{
    int64_t due = feed->next_pulse, now = e->now.mono;
    bool paced = now < feed->next_frame;
    unsigned frames = 0;
    if (feed->window > 0 && now >= feed->next_pulse) {
        feed->next_pulse = now + PULSE_MS;
        due = feed->next_pulse;
        fs_feed_tell_pulse(e, feed);
    }
    FS_LIST_EACH(&feed->views, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        if (feed->window > 0 && view->phase == FS_FEED_TELLING) {
            fs_feed_tell_snapshot(e, feed, view);
            due = now; /* the next part, or what has changed meanwhile */
        } else if (feed->window > 0 && !paced && has_changes(e, view)) {
            fs_feed_tell_changes(e, feed, view);
            frames++;
        }
        if (look && feed->window > 0 && view->phase == FS_FEED_LIVE)
            fs_feed_tell_delivered(e, feed, view);
        else if (look && !fs_list_empty(&view->look))
            e->feeds->acked = true; /* later, then */
        if (has_changes(e, view))
            due = due < feed->next_frame ? due : feed->next_frame;
        if (view->phase == FS_FEED_LIVE && view->total != view->told_total)
            due = due < view->total_due ? due : view->total_due;
        if (has_holes(view))
            due = due < view->refill_at ? due : view->refill_at;
    }
    if (frames)
        feed->next_frame = now + FRAME_MS * frames;
    return feed->window > 0 ? due : INT64_MAX; /* a full window ends with fs_feed_sent() */
}

void fs_feeds_turn(struct fs_engine *e)
{
    struct fs_feeds *feeds = e->feeds;
    if (!feeds)
        return;
    size_t budget = SLICE;
    int64_t due = INT64_MAX;
    bool look = e->now.mono >= feeds->next_look && feeds->acked;
    if (look) {
        feeds->next_look = e->now.mono + LOOK_MS;
        feeds->acked = false;
    }
    FS_LIST_EACH(&feeds->list, node)
    {
        struct fs_feed *feed = FS_CONTAINER(node, struct fs_feed, node);
        bool goes_on = walk(e, feed, &budget);
        int64_t next = tell(e, feed, look);
        if (goes_on)
            next = e->now.mono;
        due = next < due ? next : due;
    }
    /* Who had no part of the budget is first the next time. */
    struct fs_list *first = feeds->list.next;
    fs_list_remove(first);
    fs_list_append(&feeds->list, first);
    if (feeds->acked)
        due = feeds->next_look < due ? feeds->next_look : due;
    if (due == INT64_MAX)
        fs_alarm_cancel(e, &feeds->alarm);
    else
        fs_alarm_set(e, &feeds->alarm, FS_DUE_FEED, due > e->now.mono ? due : e->now.mono);
}

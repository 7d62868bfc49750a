/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A board in the world of engine_world.h: it applies the frames that the engine's feed sends, gives their
 * credits back unless it is blocked, and can be held against what the cells hold.
 */
#ifndef TESTS_CORE_FEED_BOARD_H
#define TESTS_CORE_FEED_BOARD_H

#include <limits.h>
#include <stdlib.h>
#include "core/feed.h"
#include "engine_world.h"
#include "feed_internal.h"

struct row {
    uint64_t cell;
    char *text; /* subject flag variant reason revision state */
    unsigned acked, watching;
};

static struct board {
    uint64_t connection; /* 0: closed */
    bool blocked;
    unsigned taken; /* frames that it has not given back */
    struct fs_map rows;
    uint64_t total, revision;
    bool shown; /* the snapshot is complete, or was resumed */
    bool whole; /* may come back with the revision */
    unsigned snapshots, changes, pulses, frames, errors;
    char last_error[20];
    size_t most_rows; /* that are taken from one frame */
    enum fs_feed_sort sort;
    size_t limit;
    struct fs_feed_filter filter;
} board;

static void row_free(void *value)
{
    struct row *row = value;
    fs_free(row->text);
    fs_free(row);
}

static void forget_rows(void)
{
    fs_map_finish(&board.rows, row_free);
    fs_map_init(&board.rows);
}

static char *row_text(const char *subject, const char *flag, const struct fs_evaluation *value,
                      uint64_t revision, enum fs_feed_state seen)
{
    return fs_format("%s %s %s %s %llu %d", subject, flag, value->variant, fs_reason_name(value->reason),
                     (unsigned long long)revision, (int)seen);
}

static void put_row(const struct fs_feed_row *told)
{
    struct row *row = FS_NEW(struct row);
    row->cell = told->cell;
    row->text = row_text(told->subject, told->flag->key, told->value, told->revision, told->state);
    row->acked = told->acked;
    row->watching = told->watching;
    struct row *former = fs_map_set(&board.rows, &row->cell, sizeof row->cell, row);
    if (former)
        row_free(former);
}

static void remove_row(uint64_t cell)
{
    struct row *row = fs_map_remove(&board.rows, &cell, sizeof cell);
    if (row)
        row_free(row);
}

/* The port. Takes a part of the rows only, as an encoder whose frame is full. */
static size_t take(void *self, const struct fs_feed_frame *frame)
{
    (void)self;
    size_t rows = frame->row_count < board.most_rows ? frame->row_count : board.most_rows;
    assert_int_equal(frame->connection, board.connection);
    board.taken++;
    board.frames++;
    assert_true(board.taken <= 8 || frame->kind == FS_FEED_ERROR);
    if (frame->kind == FS_FEED_PULSE)
        board.pulses++;
    if (frame->kind == FS_FEED_ERROR) {
        board.errors++;
        snprintf(board.last_error, sizeof board.last_error, "%s", frame->code);
    }
    if (frame->kind == FS_FEED_ROWS_PART && frame->first) {
        forget_rows();
        board.shown = board.whole = false;
        board.snapshots++;
    }
    for (size_t i = 0; i < frame->gone_count; i++)
        remove_row(frame->gone[i]);
    for (size_t i = 0; i < rows; i++)
        put_row(&frame->rows[i]);
    for (size_t i = 0; i < frame->delivered_count; i++) {
        struct row *row = fs_map_get(&board.rows, &frame->delivered[i].cell, sizeof row->cell);
        assert_non_null(row);
        row->acked = frame->delivered[i].acked;
        row->watching = frame->delivered[i].watching;
    }
    if (frame->kind == FS_FEED_ROWS_PART || frame->kind == FS_FEED_CHANGES) {
        assert_true(board.rows.count <= board.limit);
        board.total = frame->total;
        board.revision = rows == frame->row_count ? frame->revision : frame->before;
        board.shown |= frame->kind == FS_FEED_CHANGES || (!frame->more && rows == frame->row_count);
        board.whole = frame->whole && !frame->more && rows == frame->row_count;
        board.changes += frame->kind == FS_FEED_CHANGES;
    }
    return rows;
}

static void adjust(struct fs_engine_options *options)
{
    options->ports.feed = take;
    options->hold = 3000;
}

static void give_back(struct world *w)
{
    unsigned frames = board.taken;
    if (board.blocked || !frames || !board.connection)
        return;
    board.taken = 0;
    fs_feed_sent(w->engine, board.connection, frames, w->now);
}

/* Until nothing is left to be told at this moment. */
static void settle(struct world *w)
{
    unsigned before;
    do {
        before = board.frames;
        give_back(w);
        world_run(w);
        fs_engine_turn(w->engine, w->now);
    } while (board.frames != before);
}

static void pass(struct world *w, int64_t ms)
{
    for (int64_t step; ms > 0; ms -= step) {
        step = ms < 50 ? ms : 50;
        world_advance(w, step);
        settle(w);
    }
}

/* A total alone is told, and rows that have gone are replaced, once a second at most; changes wait for their
 * frame. */
static bool is_late(const struct world *w)
{
    const struct fs_feed *feed = FS_CONTAINER(w->engine->feeds->list.next, struct fs_feed, node);
    const struct fs_feed_view *view = FS_CONTAINER(feed->views.next, struct fs_feed_view, node);
    return view->total != view->told_total || (view->lacks && view->total > view->heap.count) ||
           !fs_list_empty(&view->dirty) || view->gone.count;
}

static void open_board(struct world *w)
{
    static uint64_t next = 1000000;
    board.connection = ++next;
    board.taken = 0;
    board.blocked = false;
    fs_feed_open(w->engine, board.connection, w->now);
}

static void close_board(struct world *w)
{
    fs_feed_close(w->engine, board.connection, w->now);
    board.connection = 0;
}

static void ask(struct world *w, bool resumes)
{
    struct fs_feed_wish wish = {.id = 1, .sort = board.sort, .limit = board.limit, .resumes = resumes};
    if (board.filter.subject)
        wish.filter.subject = fs_strdup(board.filter.subject);
    if (board.filter.variant)
        wish.filter.variant = fs_strdup(board.filter.variant);
    snprintf(wish.epoch, sizeof wish.epoch, "%s", w->options.epoch);
    wish.since = board.revision;
    if (!resumes)
        board.shown = board.whole = false;
    fs_feed_view(w->engine, board.connection, &wish, w->now);
    fs_feed_filter_finish(&wish.filter);
}

/* The truth, found by looking at all cells. */
struct truth {
    const struct fs_context *context;
    const struct fs_flag *flag;
    const struct fs_cell *cell;
};

static int order(const void *a, const void *b)
{
    const struct truth *x = a, *y = b;
    int by_subject = strcmp(x->context->subject, y->context->subject),
        by_flag = strcmp(x->flag->key, y->flag->key);
    int found = board.sort == FS_FEED_BY_CHANGED
                    ? (x->cell->changed < y->cell->changed) - (x->cell->changed > y->cell->changed)
                : board.sort == FS_FEED_BY_SUBJECT ? (by_subject ? by_subject : by_flag)
                                                   : (by_flag ? by_flag : by_subject);
    return found ? found : (x->cell->number < y->cell->number) - (x->cell->number > y->cell->number);
}

static void assert_row(const struct truth *truth)
{
    unsigned acked = 0, watching = 0, kept = 0;
    const struct row *row = fs_map_get(&board.rows, &truth->cell->number, sizeof truth->cell->number);
    FS_LIST_EACH(&truth->context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, truth->flag->index))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            const struct fs_watch *watch = FS_CONTAINER(member, struct fs_watch, in_view);
            uint64_t needed = truth->cell->revision > watch->snapshot_revision ? truth->cell->revision
                                                                               : watch->snapshot_revision;
            kept++;
            watching += watch->connection->open;
            acked += watch->connection->open && watch->sent && watch->connection->acked_revision >= needed;
        }
    }
    assert_non_null(row);
    char *text = row_text(truth->context->subject, truth->flag->key, &truth->cell->value,
                          truth->cell->revision, kept ? FS_FEED_WATCHED : FS_FEED_SEEN);
    assert_string_equal(row->text, text);
    fs_free(text);
    assert_int_equal(row->watching, watching);
    assert_int_equal(row->acked, acked);
}

static void assert_shows_what_is(struct world *w)
{
    FS_VEC(struct truth) all = {0};
    const struct fs_engine *e = w->engine;
    for (struct fs_map_iter it = {0}; fs_map_next(&e->contexts, &it);) {
        const struct fs_context *context = it.value;
        for (size_t i = 0; i < e->set->count; i++) {
            const struct fs_cell *cell = &context->cells[i];
            struct truth one = {context, e->set->flags[i], cell};
            if (cell->known && (!board.filter.subject || !strcmp(board.filter.subject, context->subject)) &&
                (!board.filter.variant || !strcmp(board.filter.variant, cell->value.variant)))
                fs_vec_push(&all, one);
        }
    }
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, order);
    size_t shown = all.count < board.limit ? all.count : board.limit;
    assert_true(board.shown);
    assert_int_equal(board.total, all.count);
    assert_int_equal(board.rows.count, shown);
    for (size_t i = 0; i < shown; i++)
        assert_row(&all.items[i]);
    fs_vec_finish(&all);
}

#endif

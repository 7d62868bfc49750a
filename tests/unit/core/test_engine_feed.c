/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards: whatever happens, in whatever order, a board that takes what it is sent comes to show what the
 * cells hold: the right rows, in the right number, with who has them. By seeded chance, and a few by hand.
 */
#include <limits.h>
#include <stdlib.h>
#include "core/feed.h"
#include "engine_world.h"

#define FLAG(name, fact)                                                                                     \
    "  " name ":\n"                                                                                          \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    visibility: client\n"                                                                               \
    "    factDefaults: { " fact ": 0 }\n"                                                                    \
    "    decision: { rule: { \"<\": [ { var: facts." fact " }, 50 ] } }\n"
#define THEME                                                                                                \
    "  theme:\n"                                                                                             \
    "    variants: { dark: dark, light: light }\n"                                                           \
    "    defaultVariant: light\n"                                                                            \
    "    visibility: client\n"
static const char flags[] = "flags:\n" FLAG("door", "risk") FLAG("gate", "heat") THEME;
static const char other_flags[] = "flags:\n" FLAG("door", "risk") FLAG("window", "heat");

static const char *const subjects[] = {"ada", "bo", "cy", "di", "ed", "flo"};

/* splitmix64 */
static uint64_t state;
static size_t below(size_t bound)
{
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return (size_t)((z ^ (z >> 31)) % bound);
}

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
    bool whole; /* the snapshot is complete, or was resumed */
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
        board.whole = false;
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
        board.whole |= frame->kind == FS_FEED_CHANGES || (!frame->more && rows == frame->row_count);
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
        board.whole = false;
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
    assert_true(board.whole);
    assert_int_equal(board.total, all.count);
    assert_int_equal(board.rows.count, shown);
    for (size_t i = 0; i < shown; i++)
        assert_row(&all.items[i]);
    fs_vec_finish(&all);
}

static struct world *begin(uint64_t seed)
{
    forget_rows();
    fs_feed_filter_finish(&board.filter);
    memset(&board, 0, sizeof board);
    fs_map_init(&board.rows);
    state = seed;
    board.most_rows = SIZE_MAX;
    board.limit = 1000;
    return world_create_with(flags, adjust);
}

static void end(struct world *w)
{
    world_destroy(w);
    forget_rows();
    fs_map_finish(&board.rows, NULL);
    fs_feed_filter_finish(&board.filter);
}

static void choose_view(void)
{
    fs_feed_filter_finish(&board.filter);
    board.sort = (enum fs_feed_sort)below(3);
    board.limit = 1 + below(below(2) ? 4 : 40);
    board.most_rows = below(2) ? SIZE_MAX : 1 + below(3);
    if (below(3) == 0)
        board.filter.subject = fs_strdup(subjects[below(6)]);
    if (below(3) == 0)
        board.filter.variant = fs_strdup(below(2) ? "on" : "off");
}

static void move_client(struct world *w, struct world_client *c)
{
    const char *subject = subjects[below(6)];
    uint64_t watch = 1 + below(6);
    switch (below(6)) {
    case 0:
        if (c->connection)
            world_drop(c);
        else
            world_connect(c, below(2));
        break;
    case 1:
        c->mute = !c->mute;
        break;
    case 2:
        if (world_cached(c, watch))
            world_unwatch(c, watch);
        break;
    default:
        if (!world_cached(c, watch))
            world_watch(c, watch, subject);
        break;
    }
    (void)w;
}

static void anything(struct world *w, struct world_client **clients)
{
    char value[20];
    switch (below(12)) {
    case 0:
    case 1:
    case 2:
        snprintf(value, sizeof value, "%zu", below(100));
        world_fact(w, subjects[below(6)], below(2) ? "risk" : "heat", value);
        break;
    case 3:
    case 4:
        move_client(w, clients[below(3)]);
        break;
    case 5:
        world_advance(w, (int64_t)below(below(4) ? 200 : 5000));
        break;
    case 6:
        board.blocked = !board.blocked && below(2);
        break;
    case 7:
        if (board.connection && below(2)) {
            close_board(w);
        } else if (!board.connection) {
            open_board(w);
            ask(w, board.whole && below(4));
        }
        break;
    case 8:
        if (board.connection && below(2)) {
            choose_view();
            ask(w, false);
        }
        break;
    case 9:
        if (below(6) == 0)
            world_load(w, below(2) ? flags : other_flags);
        break;
    case 10:
        snprintf(value, sizeof value, "{\"targetingKey\":\"%s\"}", subjects[below(6)]);
        world_evaluate(w, value, below(1000) + 1);
        break;
    default:
        give_back(w);
        world_run(w);
        break;
    }
}

static void whatever_happens_a_board_comes_to_show_what_the_cells_hold(void **unused)
{
    (void)unused;
    uint64_t seeds = getenv("TEST_DEPTH") ? 3000 : 150;
    for (uint64_t seed = 1; seed <= seeds; seed++) {
        struct world *w = begin(seed);
        struct world_client *clients[] = {world_client(w, "one"), world_client(w, "two"),
                                          world_client(w, "three")};
        open_board(w);
        ask(w, false);
        for (int round = 0; round < 4; round++) {
            for (size_t step = below(60); step > 0; step--)
                anything(w, clients);
            if (!board.connection) {
                open_board(w);
                ask(w, board.whole);
            }
            board.blocked = false;
            pass(w, 2500);
            assert_shows_what_is(w);
        }
        end(w);
    }
}

static void nothing_is_kept_and_nothing_runs_while_no_board_is_open(void **unused)
{
    (void)unused;
    struct world *w = begin(1);
    struct world_client *c = world_watching(w, "shop");
    open_board(w);
    ask(w, false);
    pass(w, 200);
    assert_int_equal(board.rows.count, 3);
    close_board(w);
    assert_null(w->engine->feeds);
    unsigned frames = board.frames;
    world_fact(w, "ada", "risk", "90");
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(board.frames, frames);
    end(w);
}

static void a_board_gets_sixty_frames_of_changes_a_second_at_most(void **unused)
{
    (void)unused;
    struct world *w = begin(1);
    world_watching(w, "shop");
    open_board(w);
    ask(w, false);
    settle(w);
    for (int i = 0; i < 1000; i++) { /* a flip each millisecond */
        world_fact(w, "ada", "risk", i % 2 ? "10" : "90");
        world_run(w);
        world_advance(w, 1);
        settle(w);
    }
    assert_in_range(board.changes, 50, 61);
    assert_in_range(board.pulses, 1, 3);
    end(w);
}

static void a_snapshot_over_many_cells_leaves_room_for_other_work(void **unused)
{
    (void)unused;
    struct world *w = begin(1);
    char context[40];
    w->engine->options.contexts = 100000;
    for (int i = 0; i < 20000; i++) {
        snprintf(context, sizeof context, "{\"targetingKey\":\"s%05d\"}", i);
        world_evaluate(w, context, 1);
    }
    board.limit = 100;
    open_board(w);
    ask(w, false);
    unsigned turns = 0;
    while (!board.whole && turns < 1000) {
        fs_engine_turn(w->engine, w->now);
        assert_true(board.whole || fs_engine_next(w->engine) <= w->now.mono);
        turns++;
    }
    assert_in_range(turns, 10, 40);
    assert_int_equal(board.total, 60000);
    assert_int_equal(board.rows.count, 100);
    end(w);
}

static void a_fifth_view_is_refused_and_the_four_stay(void **unused)
{
    (void)unused;
    struct world *w = begin(1);
    open_board(w);
    for (uint64_t id = 1; id <= 5; id++) {
        struct fs_feed_wish wish = {.id = id, .limit = 10};
        fs_feed_view(w->engine, board.connection, &wish, w->now);
    }
    assert_string_equal(board.last_error, "limit");
    fs_feed_unview(w->engine, board.connection, 5, w->now);
    assert_string_equal(board.last_error, "unknown_view");
    fs_feed_unview(w->engine, board.connection, 4, w->now);
    assert_int_equal(board.errors, 2);
    end(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_a_board_comes_to_show_what_the_cells_hold),
        cmocka_unit_test(nothing_is_kept_and_nothing_runs_while_no_board_is_open),
        cmocka_unit_test(a_board_gets_sixty_frames_of_changes_a_second_at_most),
        cmocka_unit_test(a_snapshot_over_many_cells_leaves_room_for_other_work),
        cmocka_unit_test(a_fifth_view_is_refused_and_the_four_stay),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

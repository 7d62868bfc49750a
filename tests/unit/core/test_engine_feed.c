/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Boards: whatever happens, in whatever order, a board that takes what it is sent comes to show what the
 * cells hold: the right rows, in the right number, with who has them. By seeded chance, and a few by hand.
 * TEST_DEPTH=deep runs many more seeds; ENGINE_SEED=N runs that one, ENGINE_VERBOSE names them.
 */
#include <stdlib.h>
#include "feed_board.h"

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
    const char *depth = getenv("TEST_DEPTH");
    uint64_t seeds = depth && !strcmp(depth, "deep") ? 3000 : 300;
    const char *only = getenv("ENGINE_SEED");
    uint64_t first = only ? strtoull(only, NULL, 10) : 1;
    for (uint64_t seed = first; seed <= (only ? first : seeds); seed++) {
        if (getenv("ENGINE_VERBOSE"))
            print_message("seed %llu\n", (unsigned long long)seed);
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
            while (is_late(w))
                pass(w, 50);
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
    while (!board.shown && turns < 1000) {
        fs_engine_turn(w->engine, w->now);
        assert_true(board.shown || fs_engine_next(w->engine) <= w->now.mono);
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

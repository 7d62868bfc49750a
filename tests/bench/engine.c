/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The engine alone, in one thread: a journal that commits at once, a source that answers at once, connections
 * that take and acknowledge at once. What an event costs that concerns one context among many that it does
 * not concern; and what it costs for each cell where it concerns all, against evaluating and encoding that
 * flag and nothing else. And what boards cost that look at it: the same second without one and with one, and
 * a snapshot.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/log.h"
#include "base/vec.h"
#include "bench.h"
#include "core/engine.h"
#include "core/feed.h"
#include "core/json.h"
#include "flagfile/flagfile.h"
#include "push/board.h"
#include "push/body.h"
#include "push/frame.h"
#include "sources/builtin.h"
#include "sources/opa.h"

static const char flags[] =
    "flags:\n"
    "  asked: {variants: {'on': true, 'off': false}, decision: {source: opa, path: app/allow, input: "
    "{user: {var: targetingKey}}}}\n"
    "  ruled: {variants: {'on': true, 'off': false}, decision: {rule: {'==': [{var: facts.tier}, gold]}}, "
    "factDefaults: {tier: silver}}\n"
    "  theme: {variants: {dark: d, light: l}, defaultVariant: dark, targeting: {if: [{ends_with: [{var: "
    "targetingKey}, '7']}, light, dark]}}\n"
    "  limit: {type: integer, variants: {low: 1, high: 2}, defaultVariant: low}\n";

struct draft {
    enum fs_entry_kind kind;
    uint64_t token;
    char *body;
    size_t length;
};

struct asked {
    uint64_t token;
    size_t count; /* 0: a probe of the source `token` */
};

struct delivered {
    uint64_t connection, revision;
    bool acknowledged;
};

struct world {
    struct fs_engine *engine;
    struct fs_flagset *set;
    struct fs_credential credential;
    struct fs_time now;
    size_t contexts;
    FS_VEC(struct draft) drafts;
    FS_VEC(struct asked) asks;
    FS_VEC(struct delivered) deliveries;
    uint64_t entries, events, deltas;
    bool value;                                   /* what the source says to everything */
    uint64_t board;                               /* the connection of the one that is open; 0: none */
    unsigned board_frames;                        /* that it has not taken yet */
    uint64_t board_rows, board_bytes, board_sent; /* rows, bytes and frames so far */
};

static bool append(void *self, const struct fs_draft *draft)
{
    struct world *w = self;
    struct draft kept = {draft->kind, draft->token, fs_strndup(draft->body, draft->length), draft->length};
    fs_vec_push(&w->drafts, kept);
    return true;
}

static void ask(void *self, unsigned source, const struct fs_asked *batch, size_t count, uint64_t token)
{
    (void)source, (void)batch;
    struct world *w = self;
    struct asked asked = {token, count};
    fs_vec_push(&w->asks, asked);
}

static void probe(void *self, unsigned source)
{
    struct world *w = self;
    struct asked asked = {.token = source};
    fs_vec_push(&w->asks, asked);
}

static void set_queries(void *self, unsigned source, const char *const *kinds, const char *const *queries,
                        size_t count)
{
    (void)self, (void)source, (void)kinds, (void)queries, (void)count;
}

static struct fs_blob *encode(void *self, const struct fs_view_state *state, struct fs_taken *taken)
{
    (void)self;
    return fs_frame_body(state, taken);
}

static void deliver(void *self, const struct fs_delivery *delivery)
{
    struct world *w = self;
    bool acknowledged = delivery->kind == FS_DELIVER_SNAPSHOT || delivery->kind == FS_DELIVER_DELTA;
    if (delivery->kind == FS_DELIVER_DELTA) { /* as the daemon makes frames */
        struct fs_frame_part part = {delivery->parts[0].watch, delivery->parts[0].body};
        fs_blob_unref(fs_frame_delta(delivery->revision, delivery->more, &part, 1));
        w->deltas++;
    }
    struct delivered one = {delivery->connection, delivery->revision, acknowledged};
    fs_vec_push(&w->deliveries, one);
}

static void evaluated(void *self, const struct fs_evaluated *result)
{
    (void)self, (void)result;
}

static void receipt(void *self, uint64_t token, const json_t *text)
{
    (void)self, (void)token, (void)text;
}

static size_t feed(void *self, const struct fs_feed_frame *frame)
{
    struct world *w = self;
    size_t taken;
    struct fs_board_extra extra = {.version = "0", .journal_healthy = true};
    struct fs_blob *blob = fs_board_frame(frame, &extra, &taken);
    w->board_bytes += blob->length;
    w->board_rows += taken;
    w->board_frames++;
    w->board_sent++;
    fs_blob_unref(blob);
    return taken;
}

static void commit(struct world *w)
{
    for (size_t i = 0; i < w->drafts.count; i++) { /* more may come meanwhile */
        struct draft draft = w->drafts.items[i];
        struct fs_commit commit = {.token = draft.token, .number = ++w->entries, .time = w->now.wall};
        struct fs_entry entry = {commit.number, draft.kind, w->now.wall, draft.body, draft.length};
        fs_engine_commit(w->engine, &commit, &entry, w->now);
        fs_free(draft.body);
    }
    fs_vec_clear(&w->drafts);
}

static void answer(struct world *w)
{
    for (size_t i = 0; i < w->asks.count; i++) {
        struct asked asked = w->asks.items[i];
        if (!asked.count) {
            fs_engine_probed(w->engine, (unsigned)asked.token, true, NULL, NULL, w->now);
            continue;
        }
        struct fs_answer *answers = fs_calloc(asked.count, sizeof *answers);
        for (size_t k = 0; k < asked.count; k++)
            answers[k] = (struct fs_answer){.state = FS_ANSWER_VALUE, .value = json_boolean(w->value)};
        fs_engine_answered(w->engine, asked.token, answers, asked.count, w->now);
        fs_free(answers);
    }
    fs_vec_clear(&w->asks);
}

static void take(struct world *w)
{
    for (size_t i = 0; i < w->deliveries.count; i++) {
        struct delivered one = w->deliveries.items[i];
        fs_engine_sent(w->engine, one.connection, 1, w->now);
        if (one.acknowledged)
            fs_engine_ack(w->engine, one.connection, one.revision, w->now);
    }
    fs_vec_clear(&w->deliveries);
    fs_feed_sent(w->engine, w->board, w->board_frames, w->now);
    w->board_frames = 0;
}

/* Rounds until one has brought nothing. */
static void settle(struct world *w)
{
    bool more = true;
    while (more) {
        fs_engine_turn(w->engine, w->now);
        more = w->asks.count || w->drafts.count || w->deliveries.count;
        answer(w);
        commit(w);
        take(w);
    }
}

/* An event, `after` ms: a recompute or a fact about context `index`, or a recompute of everybody (-1). */
static void event_after(struct world *w, int64_t after, long index, bool fact)
{
    char subject[32] = "", *subjects[] = {subject, NULL};
    struct fs_buf body;
    struct fs_fact_change change = {.subject = subject, .fact = (char[]){"tier"}};
    struct fs_event event = {.id = (char[]){"e"},
                             .source = (char[]){"bench"},
                             .type = (char[]){"flagstaff.recompute"},
                             .credential = (char[]){"c"}};
    snprintf(subject, sizeof subject, "user-%ld", index);
    w->value = !w->value;
    w->now.mono += after, w->now.wall += after;
    if (fact) {
        change.value = json_string(w->value ? "gold" : "silver");
        event.facts = &change, event.fact_count = 1;
    } else {
        event.recompute = true;
        event.filter.subjects = index < 0 ? NULL : subjects;
    }
    fs_buf_init(&body, 4096);
    BENCH_MUST(fs_event_write(&event, &body));
    struct fs_commit commit = {.token = ++w->events, .number = ++w->entries, .time = w->now.wall};
    struct fs_entry entry = {commit.number, FS_ENTRY_EVENT, w->now.wall, body.data, body.length};
    fs_engine_commit(w->engine, &commit, &entry, w->now);
    fs_buf_finish(&body);
    json_decref(change.value);
    settle(w);
}

static void event(struct world *w, long index, bool fact)
{
    event_after(w, 60, index, fact); /* past the time within which recomputes are merged */
}

static struct fs_flagset *read_flags(void)
{
    static const struct fs_flagfile_source items[] = {{"opa", &fs_source_opa},
                                                      {"builtin", &fs_source_builtin}};
    static const struct fs_flagfile_sources sources = {items, 2};
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_parse(flags, sizeof flags - 1, "bench.yaml", &sources, &problems);
    BENCH_MUST(set);
    fs_flag_problems_finish(&problems);
    return set;
}

static struct world *world_create(size_t contexts)
{
    struct world *w = FS_NEW(struct world);
    struct fs_engine_options options;
    fs_engine_options_init(&options);
    options.ports = (struct fs_engine_ports){w,       append,    ask,     probe, set_queries, encode,
                                             deliver, evaluated, receipt, feed,  NULL};
    options.probe_interval = options.hold = INT64_C(1) << 40;
    snprintf(options.epoch, sizeof options.epoch, "e-1");
    w->now = (struct fs_time){1000000, 1790000000000};
    w->credential =
        (struct fs_credential){.id = (char[]){"c"}, .name = (char[]){"c"}, .scopes = FS_SCOPE_EVALUATE_ANY};
    w->credential.id = fs_strdup("c");
    atomic_init(&w->credential.references, 1);
    w->engine = fs_engine_create(&options, w->now);
    fs_engine_add_source(w->engine, "builtin", &fs_source_builtin, INT64_C(1) << 40);
    fs_engine_add_source(w->engine, "opa", &fs_source_opa, INT64_C(1) << 40);
    w->set = read_flags();
    fs_engine_set_flags(w->engine, w->set, 0, w->now);
    settle(w);
    w->contexts = contexts;
    for (size_t i = 0; i < contexts; i++) {
        struct fs_hello hello = {.client_name = "bench", .client_version = "1", .watch_count = 1};
        json_t *context = json_object();
        json_object_set_new(context, "targetingKey", json_sprintf("user-%zu", i));
        struct fs_watch_wish wish = {.watch = 1, .context = context, .of_hello = true};
        fs_engine_connect(w->engine, i + 1, &w->credential, "127.0.0.1", false, w->now);
        fs_engine_hello(w->engine, i + 1, &hello, w->now);
        fs_engine_watch(w->engine, i + 1, &wish, w->now);
        json_decref(context);
        if (i % 1000 == 999)
            settle(w);
    }
    settle(w);
    return w;
}

static void world_destroy(struct world *w)
{
    fs_engine_destroy(w->engine);
    fs_flagset_unref(w->set);
    fs_vec_finish(&w->drafts);
    fs_vec_finish(&w->asks);
    fs_vec_finish(&w->deliveries);
    fs_free(w->credential.id);
    fs_free(w);
}

static double one_by_one(struct world *w, bool fact)
{
    enum { EVENTS = 600 };
    uint64_t deltas = w->deltas;
    double start = bench_thread_cpu();
    for (long i = 0; i < EVENTS; i += 2) { /* each twice, so that each is a change */
        event(w, (i * 7919) % (long)w->contexts, fact);
        event(w, (i * 7919) % (long)w->contexts, fact);
    }
    double cost = (bench_thread_cpu() - start) / 1000 / EVENTS;
    BENCH_MUST(w->deltas - deltas >= EVENTS - 2);
    return cost;
}

static double one_fact(void *self)
{
    return one_by_one(self, true);
}

static double one_question(void *self)
{
    return one_by_one(self, false);
}

static double everybody(void *self)
{
    struct world *w = self;
    uint64_t deltas = w->deltas;
    size_t events = w->contexts >= 10000 ? 2 : 10;
    double start = bench_thread_cpu();
    for (size_t i = 0; i < events; i++)
        event(w, -1, false);
    double cost = (bench_thread_cpu() - start) / 1000;
    BENCH_MUST(w->deltas - deltas >= w->contexts * (events - 1));
    return cost / (double)(w->deltas - deltas);
}

/* The least that a change costs: the flag evaluated, and its frame made. */
static double bare(void *self)
{
    struct world *w = self;
    enum { ROUNDS = 20000 };
    const struct fs_flag *flag = fs_flagset_find(w->set, "asked");
    struct fs_answer answer = {.state = FS_ANSWER_VALUE, .value = json_true()};
    struct fs_standing standing = {.answer = &answer};
    json_t *context = json_pack("{s:s}", "targetingKey", "user-1");
    struct fs_evaluation_input input = {.context = context, .standings = &standing, .wall_ms = w->now.wall};
    struct fs_cause cause = {.kind = FS_CAUSE_EVENT, .count = 1, .time = w->now.wall};
    struct fs_arena arena;
    fs_arena_init(&arena);
    double start = bench_thread_cpu();
    for (int i = 0; i < ROUNDS; i++) {
        struct fs_evaluation out;
        fs_evaluate(flag, &input, &arena, &out);
        struct fs_flag_state state = {flag, &out, &cause};
        struct fs_view_state view = {.view = "v", .revision = 1, .flags = &state, .flag_count = 1};
        struct fs_taken taken;
        struct fs_blob *body = fs_frame_body(&view, &taken);
        struct fs_frame_part part = {1, body};
        fs_blob_unref(fs_frame_delta(1, false, &part, 1));
        fs_blob_unref(body);
        fs_evaluation_finish(&out);
    }
    double cost = (bench_thread_cpu() - start) / 1000 / ROUNDS;
    fs_arena_finish(&arena);
    json_decref(context);
    return cost;
}

static void open_board(struct world *w, enum fs_feed_sort sort, size_t limit)
{
    struct fs_feed_wish wish = {.id = 1, .sort = sort, .limit = limit};
    uint64_t rows = w->board_rows;
    w->board = UINT64_MAX;
    fs_feed_open(w->engine, w->board, w->now);
    fs_feed_view(w->engine, w->board, &wish, w->now);
    while (w->board_rows - rows < limit) {
        fs_engine_turn(w->engine, w->now);
        take(w);
    }
}

static void close_board(struct world *w)
{
    fs_feed_close(w->engine, w->board, w->now);
    w->board = 0;
}

/* A thousand flips, a millisecond of the engine's clock after the other: CPU ms. */
static double a_second(struct world *w)
{
    enum { FLIPS = 1000 };
    uint64_t deltas = w->deltas;
    double start = bench_thread_cpu();
    for (long i = 0; i < FLIPS; i++)
        event_after(w, 1, (i / 2 * 7919) % (long)w->contexts, true);
    double cost = (bench_thread_cpu() - start) / 1e6;
    BENCH_MUST(w->deltas - deltas >= FLIPS - 2);
    return cost;
}

static double without_board(void *self)
{
    return a_second(self);
}

static double with_board_of(struct world *w, enum fs_feed_sort sort, size_t limit)
{
    open_board(w, sort, limit);
    double cost = a_second(w);
    close_board(w);
    return cost;
}

static double with_board(void *self)
{
    return with_board_of(self, FS_FEED_BY_CHANGED, 1000);
}

static double with_large_board(void *self)
{
    return with_board_of(self, FS_FEED_BY_CHANGED, 10000);
}

static double with_filled_board(void *self)
{
    return with_board_of(self, FS_FEED_BY_SUBJECT, 10000);
}

static double snapshot(void *self)
{
    struct world *w = self;
    double start = bench_thread_cpu();
    open_board(w, FS_FEED_BY_CHANGED, 10000);
    double cost = (bench_thread_cpu() - start) / 1e6;
    close_board(w);
    return cost;
}

/* The longest that one turn of a snapshot takes: CPU ms. */
static double longest_turn(void *self)
{
    struct world *w = self;
    struct fs_feed_wish wish = {.id = 1, .sort = FS_FEED_BY_SUBJECT, .limit = 10000};
    uint64_t rows = w->board_rows;
    double longest = 0;
    w->board = UINT64_MAX;
    fs_feed_open(w->engine, w->board, w->now);
    fs_feed_view(w->engine, w->board, &wish, w->now);
    while (w->board_rows - rows < wish.limit) {
        double start = bench_thread_cpu();
        fs_engine_turn(w->engine, w->now);
        double cost = (bench_thread_cpu() - start) / 1e6;
        longest = cost > longest ? cost : longest;
        take(w);
    }
    close_board(w);
    return longest;
}

static void boards(void)
{
    struct world *w = world_create(25000); /* 100,000 cells */
    const struct bench_side second[] = {{"no board", without_board, w},
                                        {"one board, 1,000 rows by change", with_board, w},
                                        {"one board, 10,000 rows by change", with_large_board, w},
                                        {"one board, 10,000 rows by subject", with_filled_board, w}};
    bench_compare("Engine: 1,000 flips in a second over 100,000 cells (10 ms are 1 % of a core)", "CPU ms",
                  second, 4);
    const struct bench_side shown[] = {{"a snapshot of 10,000 rows of 100,000 cells", snapshot, w},
                                       {"... its longest turn, by subject", longest_turn, w}};
    bench_compare("Engine: a board is opened", "CPU ms", shown, 2);
    world_destroy(w);
}

int main(int argc, char **argv)
{
    if (argc > 1 && !strcmp(argv[1], "boards")) {
        fs_log_setup(FS_LOG_LEVEL_ERROR, false, NULL);
        boards();
        return 0;
    }
    size_t most = argc > 1 ? (size_t)strtoul(argv[1], NULL, 10) : 100000;
    fs_log_setup(FS_LOG_LEVEL_ERROR, false, NULL);
    struct world *few = world_create(1000), *more = world_create(10000), *many = world_create(most);
    const struct bench_side facts[] = {{"1 of 1,000 contexts", one_fact, few},
                                       {"1 of 10,000 contexts", one_fact, more},
                                       {"1 of 100,000 contexts", one_fact, many}};
    bench_compare("Engine: a fact about one subject, from its commit to the frame", "CPU us", facts, 3);
    const struct bench_side questions[] = {{"1 of 1,000 contexts", one_question, few},
                                           {"1 of 10,000 contexts", one_question, more},
                                           {"1 of 100,000 contexts", one_question, many}};
    bench_compare("Engine: one subject asked again, from its commit to the frame", "CPU us", questions, 3);
    const struct bench_side all[] = {{"evaluate and encode, nothing else", bare, few},
                                     {"the engine, all of 1,000 contexts", everybody, few},
                                     {"the engine, all of 10,000 contexts", everybody, more}};
    bench_compare("Engine: everybody asked again, for each changed cell", "CPU us", all, 3);
    world_destroy(few), world_destroy(more), world_destroy(many);
    boards();
    return 0;
}

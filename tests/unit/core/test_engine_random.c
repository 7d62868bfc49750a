/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Anything at any moment, by seeded chance: events, overrides, answers early and late, a journal that is late
 * or fails, sources that come and go, clients that freeze, leave and come back, other flags, a restart. What
 * must hold is checked after every call, and at the end all is right again. TEST_DEPTH=deep runs many more
 * seeds; ENGINE_SEED=N or N-M runs these, ENGINE_VERBOSE names them.
 */
#include <stdlib.h>
#include "engine_random_flags.h"
#include "engine_random_orders.h"
#include "engine_world.h"

static const char *const levels[] = {"\"none\"", "\"some\"", "\"all\"", "\"lost\"", "undefined", "7"};
static const char *const tools[] = {"[]",  "[\"read\"]", "[\"read\",\"write\"]", "[\"write\"]", "false",
                                    "bad", "{\"a\":1}"};
static const char *const bools[] = {"true", "false", "undefined", "true", "false", "bad", "none", "7"};

/* splitmix64 */
static uint64_t state;
static uint64_t draw(void)
{
    uint64_t z = (state += UINT64_C(0x9E3779B97F4A7C15));
    z = (z ^ (z >> 30)) * UINT64_C(0xBF58476D1CE4E5B9);
    z = (z ^ (z >> 27)) * UINT64_C(0x94D049BB133111EB);
    return z ^ (z >> 31);
}
static size_t below(size_t bound)
{
    return (size_t)(draw() % bound);
}
#define ANY(array) ((array)[below(sizeof(array) / sizeof *(array))])

/* What was visible before the last call: context and flag -> value. */
struct seen {
    bool known, withdrawn;
    uint64_t revision;
    struct fs_evaluation value;
};
struct watcher {
    struct fs_map seen; /* "hash flag" */
    struct fs_flagset *set;
    char epoch[40];
    bool fresh; /* after a reload: what is there was visible before */
};

static void finish_seen(void *value)
{
    struct seen *seen = value;
    fs_evaluation_finish(&seen->value);
    fs_free(seen);
}

/* Nothing is granted on an answer that is in doubt, nor on one that is not on the disk. */
static void check_grant(const struct world *w, const struct fs_context *context, size_t flag,
                        const struct seen *seen)
{
    const struct fs_cell *cell = &context->cells[flag];
    for (size_t d = 0; cell->bindings && d < w->engine->set->flags[flag]->decision_count; d++) {
        const struct fs_question *q = cell->bindings[d].question;
        if (!q)
            continue;
        assert_false(q->uncommitted);
        assert_true(q->touched <= q->settled || q->unsettled_rounds >= 2 || seen->withdrawn);
    }
}

static bool same_value(const struct fs_evaluation *a, const struct fs_evaluation *b)
{
    return a->variant && b->variant && !strcmp(a->variant, b->variant) && fs_json_equal(a->value, b->value);
}

static void check_cell(struct world *w, struct watcher *watcher, const struct fs_context *context,
                       size_t index)
{
    const struct fs_flag *flag = w->engine->set->flags[index];
    const struct fs_cell *cell = &context->cells[index];
    char *key = fs_format("%s %s", context->hash, flag->key);
    struct seen *seen = fs_map_gets(&watcher->seen, key);
    if (!seen) {
        seen = FS_NEW(struct seen);
        fs_map_sets(&watcher->seen, key, seen);
    }
    fs_free(key);
    const struct fs_override *override = fs_override_of(w->engine, flag, context->subject);
    bool killed = override && override->kind == FS_OVERRIDE_KILL;
    bool moved = cell->known && (!seen->known || seen->revision != cell->revision ||
                                 !fs_evaluation_equal(&seen->value, &cell->value));
    if (moved && seen->known && cell->revision < seen->revision)
        fail_msg("%s of %s went back from revision %llu to %llu", flag->key, context->subject,
                 (unsigned long long)seen->revision, (unsigned long long)cell->revision);
    if (moved && flag->access && !fs_evaluation_is_safe(flag, &cell->value)) {
        bool grants = !seen->known || !(fs_evaluation_takes_away(flag, &seen->value, &cell->value) ||
                                        same_value(&seen->value, &cell->value));
        if (killed && !watcher->fresh)
            fail_msg("%s of %s is killed, and came to be granted", flag->key, context->subject);
        if (cell->value.override) /* by an order that was allowed to */
            assert_true(!override || override->may_grant || watcher->fresh);
        else if (grants && !watcher->fresh)
            check_grant(w, context, index, seen);
    }
    fs_evaluation_finish(&seen->value);
    memset(&seen->value, 0, sizeof seen->value);
    seen->known = cell->known;
    seen->withdrawn = cell->withdrawn;
    if (!cell->known)
        return;
    seen->value = cell->value;
    json_incref(seen->value.value);
    seen->revision = cell->revision;
}

static void after(struct world *w, void *self)
{
    struct watcher *watcher = self;
    if (watcher->set != w->engine->set ||
        strcmp(watcher->epoch, w->options.epoch)) { /* names of variants are borrowed from the set */
        snprintf(watcher->epoch, sizeof watcher->epoch, "%s", w->options.epoch);
        fs_map_finish(&watcher->seen, finish_seen);
        fs_map_init(&watcher->seen);
        fs_flagset_unref(watcher->set);
        watcher->set = fs_flagset_ref(w->engine->set);
        watcher->fresh = true;
    }
    for (struct fs_map_iter it = {0}; fs_map_next(&w->engine->contexts, &it);)
        for (size_t i = 0; i < w->engine->set->count; i++)
            check_cell(w, watcher, it.value, i);
    watcher->fresh = false;
}

/* After safe_at no client with a lease reads what was before the receipt's revision. */
static void check_receipts(struct world *w)
{
    for (uint64_t entry = w->next_entry > 60 ? w->next_entry - 60 : 1; entry <= w->next_entry; entry++) {
        json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
        const char *text = fs_json_text(receipt, "safe_at");
        int64_t safe_at;
        if (text && fs_parse_rfc3339(fs_str_from(text), &safe_at) && safe_at <= w->now.wall) {
            uint64_t revision = (uint64_t)json_integer_value(json_object_get(receipt, "revision"));
            for (size_t i = 0; i < w->clients.count; i++) {
                struct world_client *c = w->clients.items[i];
                struct fs_connection *connection =
                    c->connection ? fs_connection_find(w->engine, c->connection) : NULL;
                if (!connection || !world_leased(c) || strcmp(c->epoch, w->options.epoch))
                    continue;
                for (size_t k = 0; k < c->watches.count; k++) {
                    struct fs_watch *watch = c->watches.items[k].gone
                                                 ? NULL
                                                 : fs_watch_find(connection, c->watches.items[k].watch);
                    if (!watch || watch->noted != entry || !c->watches.items[k].held)
                        continue;
                    /* concerned by this event and by none since: what it reads of the event's time is applied
                     */
                    for (size_t f = 0; f < w->engine->set->count; f++) {
                        const struct fs_cell *cell = &watch->view->context->cells[f];
                        if (fs_bit(watch->view->flags, f) && cell->noted == entry && cell->known &&
                            cell->revision <= revision)
                            assert_true(c->closed >= cell->revision || c->revision >= cell->revision);
                    }
                }
            }
        }
        json_decref(receipt);
    }
}

static void set_policy(struct world *w)
{
    const char *who = ANY(subjects);
    switch (below(5)) {
    case 0:
        world_policy(w, "app/door", who, ANY(bools));
        break;
    case 1:
        world_policy(w, "app/club", who, ANY(bools));
        break;
    case 2:
        world_policy(w, "app/lounge", who, ANY(bools));
        break;
    case 3:
        world_policy(w, "app/level", who, ANY(levels));
        break;
    default:
        world_policy(w, "app/tools", who, ANY(tools));
    }
    if (below(10))
        world_recompute(w, below(6) ? who : NULL);
}

static void shake_sources(struct world *w)
{
    struct world_source *source = &w->sources[1 + below(2)];
    switch (below(7)) {
    case 0:
        *(below(3) ? &source->probes_fail : &source->probes_hang) ^= true;
        break;
    case 1:
        source->mode = below(2) ? WORLD_ANSWERS : WORLD_REFUSES;
        break;
    case 2:
        snprintf(source->revision, sizeof source->revision, "r%zu", below(5));
        break;
    case 3:
        if (*source->revision)
            fs_engine_reported(w->engine, (unsigned)(source - w->sources), "one", source->revision, w->now);
        break;
    case 4:
        source->mode = below(2) ? WORLD_ANSWERS : WORLD_SILENT;
        break;
    case 5:
        w->late_truth = !w->late_truth;
        break;
    default:
        w->hold_asks = !w->hold_asks;
    }
}

static void shake_journal(struct world *w)
{
    switch (below(6)) {
    case 0:
        w->failing = !w->failing && below(2);
        break;
    case 1:
        w->refusing = !w->refusing && below(2);
        break;
    case 2:
        w->manual = !w->manual;
        break;
    default:
        world_commit(w);
    }
}

static void shake_client(struct world *w)
{
    struct world_client *c = w->clients.items[below(w->clients.count)];
    uint64_t fresh = c->watches.count + 1;
    switch (below(12)) {
    case 0:
    case 1:
        if (c->connection)
            world_drop(c);
        else
            world_connect(c, below(3) > 0);
        break;
    case 2:
        c->frozen = !c->frozen;
        break;
    case 3:
        c->blocked = !c->blocked;
        break;
    case 4:
        c->mute = !c->mute;
        break;
    case 5:
    case 6:
        if (c->watches.count < 12)
            world_watch(c, fresh, c->credential->subject ? c->credential->subject : ANY(subjects));
        break;
    case 7:
        world_unwatch(c, 1 + below(fresh));
        break;
    case 8:
        if (c->connection && c->watches.count < 12) {
            world_watch_flags(c, fresh, c->credential->subject ? c->credential->subject : ANY(subjects), NULL,
                              true);
            c->watches.items[c->watches.count - 1].gone = true; /* its snapshot comes for nobody */
        }
        break;
    default:
        world_renew(c);
    }
}

static void one_step(struct world *w, uint64_t *token)
{
    static const int64_t pauses[] = {0, 1, 10, 49, 50, 51, 200, 1000, 1000, 3000, 11000};
    char who[80];
    switch (below(17)) {
    case 0:
    case 1:
    case 2:
        set_policy(w);
        break;
    case 3:
        world_fact(w, ANY(subjects), "tier", below(3) ? (below(2) ? "\"gold\"" : "\"tin\"") : NULL);
        break;
    case 4:
        shake_sources(w);
        break;
    case 5:
    case 6:
        shake_journal(w);
        break;
    case 7:
    case 8:
    case 9:
        shake_client(w);
        break;
    case 10:
        snprintf(who, sizeof who, "{\"targetingKey\":\"%s\",\"kind\":\"%s\"}", ANY(subjects),
                 below(2) ? "user" : "agent");
        world_evaluate(w, who, ++*token);
        break;
    case 11:
        if (w->next_entry)
            fs_engine_receipt_wait(w->engine, w->next_entry - below(w->next_entry < 5 ? 1 : 5), below(2),
                                   5000, ++*token, w->now);
        break;
    case 12:
        if (below(3) == 0)
            world_load(w, ANY(files));
        break;
    case 13:
        world_answer(w);
        break;
    case 14:
        if (below(20) == 0)
            world_advance(w, 70000);
        else if (below(30) == 0 && !w->manual && !w->failing)
            world_restart(w);
        break;
    case 15:
        shake_overrides(w, below);
        break;
    default:
        world_advance(w, ANY(pauses));
    }
    if (below(3) == 0)
        world_run(w);
    else if (below(3) == 0)
        world_turn(w);
}

static void heal(struct world *w)
{
    w->manual = w->failing = w->refusing = w->hold_asks = false;
    for (size_t i = 0; i < w->source_count; i++) {
        w->sources[i].mode = WORLD_ANSWERS;
        w->sources[i].probes_fail = w->sources[i].probes_hang = false;
    }
    for (size_t i = 0; i < w->clients.count; i++) {
        struct world_client *c = w->clients.items[i];
        c->frozen = c->blocked = c->mute = false;
        if (!c->connection)
            world_connect(c, true);
    }
    world_advance(w, 2000);
    world_recompute(w, NULL);
    world_advance(w, 40000);
}

/* Clients read what the policy says now. */
static void check_truth(struct world *w)
{
    const struct fs_flag *door = fs_flagset_find(w->engine->set, "door");
    for (size_t i = 0; i < w->clients.count && door && door->type == FS_TYPE_BOOLEAN; i++) {
        struct world_client *c = w->clients.items[i];
        world_renew(c);
        world_run(w);
        assert_true(world_leased(c));
        for (size_t k = 0; k < c->watches.count; k++) {
            if (c->watches.items[k].gone)
                continue;
            char key[80];
            snprintf(key, sizeof key, "app/door %s",
                     fs_json_text(c->watches.items[k].context, "targetingKey"));
            const char *truth = json_string_value(json_object_get(w->policy, key));
            assert_string_equal(world_value(c, c->watches.items[k].watch, "door"),
                                truth && !strcmp(truth, "true") ? "true" : "false");
        }
    }
}

static void check_replay(struct world *w)
{
    FS_VEC(char *) before = {0};
    for (struct fs_map_iter it = {0}; fs_map_next(&w->engine->subjects, &it);) {
        struct fs_subject *subject = it.value;
        if (subject->facts.count)
            fs_vec_push(&before, fs_format("%s", subject->key));
    }
    json_t *facts = json_object(), *overrides = fs_engine_show_overrides(w->engine), *again;
    for (size_t i = 0; i < before.count; i++) {
        struct fs_subject *subject = fs_map_gets(&w->engine->subjects, before.items[i]);
        json_object_set_new(facts, subject->key, json_deep_copy(subject->facts_json));
    }
    world_restart(w);
    for (size_t i = 0; i < before.count; i++) {
        struct fs_subject *subject = fs_map_gets(&w->engine->subjects, before.items[i]);
        assert_non_null(subject);
        assert_true(fs_json_equal(subject->facts_json, json_object_get(facts, before.items[i])));
        fs_free(before.items[i]);
    }
    again = fs_engine_show_overrides(w->engine);
    assert_true(fs_json_equal(overrides, again));
    json_decref(overrides);
    json_decref(again);
    json_decref(facts);
    fs_vec_finish(&before);
}

static void few_contexts(struct fs_engine_options *options)
{
    options->contexts = 1 + below(4);
    options->window = 2 + (unsigned)below(8);
    options->entry_changes = below(2) ? 1 + below(4) : 2000; /* often a change is several ticks */
    options->entry_bytes = below(2) ? 1000 : 1 << 20;
}

static void run_seed(uint64_t seed, size_t steps)
{
    state = seed;
    struct watcher watcher = {0};
    uint64_t token = 0;
    struct world *w = world_create_with(files[0], few_contexts);
    w->after = after;
    w->after_self = &watcher;
    for (size_t i = 0; i < sizeof subjects / sizeof *subjects; i++)
        world_policy(w, "app/door", subjects[i], "true");
    world_client(w, "shop");
    world_client(w, "bank");
    world_client_as(w, "browser", "evaluate", "ada");
    for (size_t i = 0; i < w->clients.count; i++) {
        world_watch(w->clients.items[i], 1, "ada");
        world_connect(w->clients.items[i], false);
    }
    for (size_t i = 0; i < steps; i++) {
        one_step(w, &token);
        if (i % 10 == 0)
            check_receipts(w);
    }
    if (seed % 4) { /* every fourth ends where it is */
        if (seed % 2) {
            w->manual = w->failing = w->refusing = false;
            world_run(w);
            check_replay(w); /* with overrides in force */
        }
        release_all(w);
        heal(w);
        world_assert_converged(w);
        check_truth(w);
        check_receipts(w);
        check_replay(w);
    }
    w->after = NULL;
    world_destroy(w);
    fs_map_finish(&watcher.seen, finish_seen);
    fs_flagset_unref(watcher.set);
}

static void whatever_happens_nothing_is_granted_in_doubt_and_all_is_right_in_the_end(void **unused)
{
    (void)unused;
    const char *depth = getenv("TEST_DEPTH"), *only = getenv("ENGINE_SEED");
    uint64_t first = 1, last = depth && !strcmp(depth, "deep") ? 3000 : 20;
    if (only) {
        char *dash;
        first = last = strtoull(only, &dash, 10);
        if (*dash == '-')
            last = strtoull(dash + 1, NULL, 10);
    }
    for (uint64_t seed = first; seed <= last; seed++) {
        if (getenv("ENGINE_VERBOSE"))
            print_message("seed %llu\n", (unsigned long long)seed);
        run_seed(seed, 300);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(whatever_happens_nothing_is_granted_in_doubt_and_all_is_right_in_the_end),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Changes of many at once: several entries of bounded size, each a revision; what takes away first; and
 * neither leases nor receipts take a part for the whole. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n";

#define SUBJECTS 35

static void ten_changes(struct fs_engine_options *options)
{
    options->entry_changes = 10;
}

static void few_bytes(struct fs_engine_options *options)
{
    options->entry_bytes = 4000;
    options->batch = 50;
}

static const char *name_of(unsigned i)
{
    static char name[16];
    snprintf(name, sizeof name, "u%u", i);
    return name;
}

/* `SUBJECTS` contexts that one connection watches, with `pad` bytes each. */
static void watch_all(struct world_client *c, size_t pad)
{
    char padding[2000] = "";
    memset(padding, 'x', pad);
    for (unsigned i = 1; i <= SUBJECTS; i++) {
        char *context = fs_format("{\"targetingKey\":\"%s\",\"pad\":\"%s\"}", name_of(i), padding);
        world_watch(c, i, context);
        fs_free(context);
    }
}

static struct world *begin(void (*adjust)(struct fs_engine_options *options), const char *door, size_t pad,
                           struct world_client **c)
{
    struct world *w = world_create_with(flags, adjust);
    world_policy(w, "app/door", NULL, door);
    *c = world_client(w, "shop");
    world_connect(*c, false);
    watch_all(*c, pad);
    world_run(w);
    return w;
}

/* All are asked again and have answered; the first tick is on its way to the disk. */
static void change(struct world *w, const char *door)
{
    world_policy(w, "app/door", NULL, door);
    world_recompute(w, NULL);
    world_turn(w);
    world_answer_all(w);
    w->manual = true;
    while (w->drafts.count && w->drafts.items[0].kind == FS_ENTRY_ANSWERS)
        world_commit(w);
    world_turn(w);
    assert_int_equal(w->drafts.count, 1);
    assert_int_equal(w->drafts.items[0].kind, FS_ENTRY_TICK);
}

/* Commits the tick under way; the next one begins. */
static void commit(struct world *w)
{
    assert_true(world_commit(w));
    world_turn(w);
}

static size_t count_values(struct world_client *c, const char *value)
{
    size_t count = 0;
    for (unsigned i = 1; i <= SUBJECTS; i++)
        count += !strcmp(world_value(c, i, "door"), value);
    return count;
}

/* Changes that an entry tells; `takes_away`: how many of them do. */
static size_t told(const struct world_entry *entry, size_t *takes_away)
{
    json_t *tick = json_loads(entry->body, 0, NULL), *change;
    size_t count = 0, at;
    assert_non_null(tick);
    *takes_away = 0;
    json_array_foreach(json_object_get(tick, "changes"), at, change)
    {
        size_t contexts = json_array_size(json_object_get(change, "contexts"));
        count += contexts;
        *takes_away += json_is_true(json_object_get(change, "takesAway")) ? contexts : 0;
    }
    json_decref(tick);
    return count;
}

static void a_mass_change_is_several_entries_each_a_revision(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "true", 0, &c);
    size_t ticks = world_count_entries(w, FS_ENTRY_TICK), all = 0, takes_away;
    unsigned deltas = c->deltas;
    assert_int_equal(ticks, 4); /* first values are told so too */
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(world_count_entries(w, FS_ENTRY_TICK), ticks + 4);
    assert_int_equal(c->deltas, deltas + 4);
    assert_int_equal(count_values(c, "false"), SUBJECTS);
    for (size_t i = 0; i < w->entries.count; i++) {
        if (w->entries.items[i].kind != FS_ENTRY_TICK)
            continue;
        size_t count = told(&w->entries.items[i], &takes_away);
        assert_in_range(count, 1, 10);
        all += count;
    }
    assert_int_equal(all, 2 * SUBJECTS);
    world_assert_converged(w);
    world_destroy(w);
}

static void no_entry_is_much_longer_than_it_may_be_and_none_is_empty(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(few_bytes, "true", 1500, &c);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(count_values(c, "false"), SUBJECTS);
    size_t answers = 0;
    for (size_t i = 0; i < w->entries.count; i++) {
        const struct world_entry *entry = &w->entries.items[i];
        if (entry->kind == FS_ENTRY_EVENT)
            continue;
        answers += entry->kind == FS_ENTRY_ANSWERS;
        assert_in_range(entry->length, 2, 4000 + 3000); /* the last one may go over it */
    }
    assert_true(answers > 2); /* two batches */
    world_assert_converged(w);
    world_destroy(w);
}

static void what_takes_away_goes_first(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "false", 0, &c);
    for (unsigned i = 1; i <= SUBJECTS; i += 2)
        world_policy(w, "app/door", name_of(i), "true");
    world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(count_values(c, "true"), 18);
    for (unsigned i = 1; i <= SUBJECTS; i += 2)
        world_policy(w, "app/door", name_of(i), "false");
    size_t before = w->entries.count, takes_away, seen = 0;
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, NULL);
    world_run(w);
    for (size_t i = before; i < w->entries.count; i++) {
        if (w->entries.items[i].kind != FS_ENTRY_TICK)
            continue;
        told(&w->entries.items[i], &takes_away);
        assert_int_equal(takes_away, seen == 0 ? 10 : seen == 1 ? 8 : 0);
        seen++;
    }
    assert_int_equal(seen, 4);
    world_assert_converged(w);
    world_destroy(w);
}

static void no_lease_is_granted_before_the_last_of_it_is_queued(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "true", 0, &c);
    change(w, "false");
    uint64_t granted = c->granted;
    world_renew(c);
    for (unsigned left = 4; left > 0; left--) {
        world_turn(w);
        world_read(c);
        assert_int_equal(c->granted, granted);
        assert_int_equal(count_values(c, "true"), SUBJECTS - (4 - left) * 10);
        commit(w);
    }
    world_read(c);
    assert_int_equal(count_values(c, "true"), 0);
    assert_int_equal(c->granted, granted + 1);
    world_destroy(w);
}

static void it_is_applied_when_the_last_of_it_is_in_force(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "true", 0, &c);
    change(w, "false");
    uint64_t entry = 0;
    for (size_t i = 0; i < w->entries.count; i++)
        if (w->entries.items[i].kind == FS_ENTRY_EVENT)
            entry = w->entries.items[i].number;
    for (unsigned left = 4; left > 0; left--) {
        json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
        assert_false(json_is_true(json_object_get(receipt, "applied")));
        json_decref(receipt);
        commit(w);
    }
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(json_is_true(json_object_get(receipt, "applied")));
    json_decref(receipt);
    world_destroy(w);
}

static void a_denial_in_the_middle_of_a_mass_grant_does_not_wait_for_its_end(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "true", 0, &c);
    for (unsigned i = 2; i <= SUBJECTS; i++)
        world_policy(w, "app/door", name_of(i), "false");
    world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(count_values(c, "true"), 1);
    for (unsigned i = 2; i <= SUBJECTS; i++)
        world_policy(w, "app/door", name_of(i), "true");
    change(w, "true");
    struct world_draft tick = w->drafts.items[0]; /* of ten grants */
    w->drafts.count = 0;
    world_policy(w, "app/door", "u1", "false");
    world_policy(w, "app/door", "u35", "false"); /* proposed, and waits for the last tick */
    world_event(w, "{\"recompute\":{\"subjects\":[\"u1\",\"u35\"]}}");
    assert_true(world_commit(w));
    world_turn(w);
    world_answer_all(w);
    assert_true(world_commit(w)); /* the answers */
    fs_vec_push(&w->drafts, tick);
    commit(w);
    commit(w); /* the second of four */
    world_read(c);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_value(c, 35, "door"), "false");
    w->manual = false;
    world_run(w);
    assert_string_equal(world_value(c, 35, "door"), "false");
    assert_int_equal(count_values(c, "true"), SUBJECTS - 2);
    world_assert_converged(w);
    world_destroy(w);
}

static void a_late_journal_holds_up_no_denial_of_a_mass_change(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "true", 0, &c);
    change(w, "false");
    world_advance(w, 49);
    assert_int_equal(count_values(c, "true"), SUBJECTS);
    world_advance(w, 1);
    assert_int_equal(count_values(c, "true"), 0);
    size_t ticks = world_count_entries(w, FS_ENTRY_TICK);
    w->manual = false;
    world_advance(w, 100);
    assert_int_equal(world_count_entries(w, FS_ENTRY_TICK), ticks + 4); /* and all of it is told */
    world_assert_converged(w);
    world_destroy(w);
}

static void a_reload_in_the_middle_of_it_loses_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(ten_changes, "false", 0, &c);
    change(w, "true");
    commit(w);
    world_load(w, flags);
    w->manual = false;
    world_run(w);
    assert_int_equal(count_values(c, "true"), SUBJECTS);
    world_assert_converged(w);
    world_destroy(w);
}

static void first_values_are_told_though_a_reload_comes_before_it(void **state)
{
    (void)state;
    struct world *w = world_create_with(flags, ten_changes);
    world_policy(w, "app/door", NULL, "false");
    struct world_client *c = world_client(w, "shop");
    world_connect(c, false);
    world_run(w);
    watch_all(c, 0);
    world_turn(w);
    world_answer_all(w);
    w->manual = true;
    while (w->drafts.count && w->drafts.items[0].kind == FS_ENTRY_ANSWERS)
        world_commit(w);
    world_turn(w);
    assert_int_equal(w->drafts.count, 1); /* which tells ten of them; all are in force */
    world_load(w, flags);
    w->manual = false;
    world_run(w);
    size_t all = 0, takes_away;
    for (size_t i = 0; i < w->entries.count; i++)
        all += w->entries.items[i].kind == FS_ENTRY_TICK ? told(&w->entries.items[i], &takes_away) : 0;
    assert_int_equal(all, SUBJECTS);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mass_change_is_several_entries_each_a_revision),
        cmocka_unit_test(no_entry_is_much_longer_than_it_may_be_and_none_is_empty),
        cmocka_unit_test(what_takes_away_goes_first),
        cmocka_unit_test(no_lease_is_granted_before_the_last_of_it_is_queued),
        cmocka_unit_test(it_is_applied_when_the_last_of_it_is_in_force),
        cmocka_unit_test(a_denial_in_the_middle_of_a_mass_grant_does_not_wait_for_its_end),
        cmocka_unit_test(a_late_journal_holds_up_no_denial_of_a_mass_change),
        cmocka_unit_test(a_reload_in_the_middle_of_it_loses_nothing),
        cmocka_unit_test(first_values_are_told_though_a_reload_comes_before_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

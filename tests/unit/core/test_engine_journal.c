/* SPDX-License-Identifier: Apache-2.0 */
/* Ticks and the journal: what is visible is on the disk, but for denials while the journal is late or fails.
 */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  level:\n"
    "    variants: { none: none, some: some, all: all }\n"
    "    defaultVariant: none\n"
    "    safeVariant: none\n"
    "    order: [none, some, all]\n"
    "    decision: { source: opa, path: app/level, input: { user: { var: targetingKey } } }\n";

static struct world *begin(struct world_client **c, const char *door)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, door);
    world_policy(w, "app/level", NULL, "\"some\"");
    *c = world_watching(w, "shop");
    return w;
}

/* An event on the disk; what follows from it is not. */
static void change(struct world *w, const char *door, const char *level)
{
    if (door)
        world_policy(w, "app/door", NULL, door);
    if (level)
        world_policy(w, "app/level", NULL, level);
    world_recompute(w, "ada");
    w->manual = true;
    world_run(w);
}

static void recover(struct world *w)
{
    w->manual = w->failing = w->refusing = false;
    world_advance(w, 200);
}

static void a_denial_waits_50_ms_for_a_late_journal_and_no_longer(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    change(w, "false", NULL);
    world_advance(w, 49);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    recover(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_assert_converged(w);
    world_destroy(w);
}

static void a_grant_waits_for_a_late_journal_for_ever(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    change(w, "true", NULL);
    for (int i = 0; i < 20; i++) {
        world_advance(w, 500);
        world_renew(c);
    }
    assert_string_equal(world_value(c, 1, "door"), "false");
    recover(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void while_commits_fail_denials_go_ahead_and_grants_do_not(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    change(w, "false", "\"all\"");
    w->manual = false;
    w->failing = true;
    world_advance(w, 3000);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_value(c, 1, "level"), "\"some\"");
    recover(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_value(c, 1, "level"), "\"all\"");
    world_assert_converged(w);
    world_destroy(w);
}

static void a_journal_that_takes_nothing_is_offered_it_again(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    w->refusing = true;
    world_advance(w, 300);
    assert_string_equal(world_value(c, 1, "door"), "false");
    w->refusing = false;
    world_advance(w, 60);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void an_answer_whose_entry_is_written_late_does_not_undo_a_newer_one(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    w->manual = true;
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    assert_true(world_commit(w));
    world_turn(w);
    world_answer_all(w); /* allows: its draft fails */
    w->failing = true;
    world_recompute(w, "ada");
    assert_true(world_commit(w));
    w->failing = false;
    world_policy(w, "app/door", NULL, "false");
    assert_true(world_commit(w)); /* the event */
    world_turn(w);
    world_answer_all(w); /* denies: the first one's draft was offered again before it */
    struct world_draft first = w->drafts.items[0];
    memmove(w->drafts.items, w->drafts.items + 1, (w->drafts.count - 1) * sizeof first);
    w->drafts.items[w->drafts.count - 1] = first;
    recover(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(c->deltas, 0);
    world_destroy(w);
}

static void a_denial_overtakes_a_grant_of_the_same_flag_that_waits_for_the_disk(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    world_policy(w, "app/level", NULL, "\"all\"");
    world_recompute(w, "ada");
    world_turn(w);
    world_answer_all(w);
    world_commit(w); /* the answers are on the disk, the tick is not */
    w->manual = true;
    world_turn(w);
    assert_int_equal(w->drafts.count, 1);
    struct world_draft tick = w->drafts.items[0];
    w->drafts.count = 0;
    world_policy(w, "app/level", NULL, "\"none\"");
    world_recompute(w, "ada");
    assert_true(world_commit(w));
    world_advance(w, 200);
    assert_string_equal(world_value(c, 1, "level"), "\"none\"");
    fs_vec_push(&w->drafts, tick);
    recover(w);
    assert_string_equal(world_value(c, 1, "level"), "\"none\"");
    world_assert_converged(w);
    world_destroy(w);
}

static void a_batch_that_fails_does_not_let_an_answer_grant_that_is_not_on_the_disk(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    world_policy(w, "app/level", NULL, "\"all\"");
    world_run(w);
    w->failing = true;
    struct world_client *c = world_watching(w, "shop");
    world_advance(w, 100); /* the answers went ahead of their entry */
    world_source(w, "opa")->mode = WORLD_REFUSES;
    world_source(w, "opa")->probes_fail = true;
    fs_engine_reported(w->engine, 1, "replica", "r1", w->now);
    fs_engine_reported(w->engine, 1, "replica", "r2", w->now); /* has everything asked again */
    world_advance(w, 200);
    assert_int_equal(c->snapshots, 0);
    world_advance(w, 1000);
    assert_int_equal(c->snapshots, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(world_value(c, 1, "level"), "\"none\"");
    world_destroy(w);
}

/* The last thing that the journal tells of a flag of ada: the value that it came to, as text. */
static const char *last_told(struct world *w, const char *flag)
{
    static char text[64];
    snprintf(text, sizeof text, "nothing");
    for (size_t i = 0; i < w->entries.count; i++) {
        if (w->entries.items[i].kind != FS_ENTRY_TICK)
            continue;
        json_t *tick = json_loads(w->entries.items[i].body, 0, NULL);
        size_t at;
        json_t *change;
        json_array_foreach(json_object_get(tick, "changes"), at, change)
        {
            if (strcmp(fs_json_text(change, "flag"), flag))
                continue;
            char *value =
                json_dumps(json_object_get(json_object_get(change, "to"), "value"), JSON_ENCODE_ANY);
            snprintf(text, sizeof text, "%s%s", value ? value : "null",
                     json_is_true(json_object_get(change, "withdrawn")) ? " withdrawn" : "");
            free(value);
        }
        json_decref(tick);
    }
    return text;
}

static void what_is_withdrawn_at_its_commit_is_told_by_a_later_entry(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_turn(w);
    world_answer_all(w);
    w->manual = true;
    world_commit(w); /* the answers */
    world_turn(w);   /* proposes the grant */
    assert_int_equal(w->drafts.count, 1);
    struct world_draft tick = w->drafts.items[0];
    w->drafts.count = 0;
    w->manual = false;
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada"); /* comes before the tick's commit */
    fs_vec_push(&w->drafts, tick);
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(c->deltas, 0);
    assert_string_equal(last_told(w, "door"), "false withdrawn");
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_run(w);
    assert_string_equal(last_told(w, "door"), "true");
    world_destroy(w);
}

static void so_is_what_a_reload_drops_on_its_way_to_the_disk(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    world_policy(w, "app/door", NULL, "true");
    world_recompute(w, "ada");
    world_turn(w);
    world_answer_all(w);
    w->manual = true;
    world_commit(w);
    world_turn(w);
    assert_int_equal(w->drafts.count, 1); /* the tick */
    world_load(w, "flags:\n"
                  "  door:\n"
                  "    variants: { \"on\": true, \"off\": false }\n"
                  "    defaultVariant: \"off\"\n"
                  "    decision: { source: opa, path: app/gate }\n");
    w->manual = false;
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(last_told(w, "door"), "false withdrawn");
    world_destroy(w);
}

static void so_is_a_grant_that_a_denial_has_overtaken(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "false");
    w->manual = true;
    world_policy(w, "app/level", NULL, "\"all\"");
    world_recompute(w, "ada");
    world_commit(w);
    world_turn(w);
    world_answer_all(w);
    world_commit(w);
    world_turn(w);
    struct world_draft tick = w->drafts.items[0]; /* to "all" */
    w->drafts.count = 0;
    world_policy(w, "app/level", NULL, "\"none\"");
    world_recompute(w, "ada");
    assert_true(world_commit(w));
    world_advance(w, 200); /* goes ahead of it */
    assert_string_equal(world_value(c, 1, "level"), "\"none\"");
    fs_vec_push(&w->drafts, tick);
    recover(w);
    assert_string_equal(last_told(w, "level"), "\"none\"");
    world_destroy(w);
}

static void one_tick_is_one_entry_however_many_change(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    for (unsigned i = 2; i < 30; i++) {
        char name[8];
        snprintf(name, sizeof name, "u%u", i);
        world_watch(c, i, name);
    }
    world_run(w);
    size_t ticks = world_count_entries(w, FS_ENTRY_TICK);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    world_run(w);
    assert_int_equal(world_count_entries(w, FS_ENTRY_TICK), ticks + 1);
    assert_int_equal(c->deltas, 1);
    assert_string_equal(world_value(c, 29, "door"), "false");
    world_destroy(w);
}

static void no_lease_is_granted_while_a_change_is_on_its_way_to_the_disk(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    change(w, "false", NULL);
    world_commit(w); /* the answers; the tick is proposed */
    world_turn(w);
    uint64_t granted = c->granted;
    world_renew(c);
    world_run(w);
    assert_int_equal(c->granted, granted);
    world_commit(w);
    world_run(w);
    assert_int_equal(c->granted, granted + 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

static void a_first_value_does_not_wait_for_the_tick_that_records_it(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    world_watch(c, 2, "bo");
    world_turn(w);
    world_answer_all(w);
    world_commit(w);
    w->manual = true;
    world_run(w);
    assert_string_equal(world_value(c, 2, "door"), "true");
    assert_int_equal(w->drafts.count, 1);
    assert_int_equal(w->drafts.items[0].kind, FS_ENTRY_TICK);
    world_destroy(w);
}

/* About nobody it could never be erased. */
static void an_input_is_about_who_asked_though_the_context_has_gone(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, "true");
    w->refusing = true;
    world_watch(c, 2, "{\"targetingKey\":\"bo\"}");
    world_run(w);
    world_unwatch(c, 2);
    world_advance(w, 3 * w->options.hold);
    assert_null(world_cell(w, "bo", "door"));
    w->told_of[0] = 0;
    recover(w);
    assert_string_equal(w->told_of, "bo");
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_input_is_about_who_asked_though_the_context_has_gone),
        cmocka_unit_test(a_denial_waits_50_ms_for_a_late_journal_and_no_longer),
        cmocka_unit_test(a_grant_waits_for_a_late_journal_for_ever),
        cmocka_unit_test(while_commits_fail_denials_go_ahead_and_grants_do_not),
        cmocka_unit_test(a_journal_that_takes_nothing_is_offered_it_again),
        cmocka_unit_test(an_answer_whose_entry_is_written_late_does_not_undo_a_newer_one),
        cmocka_unit_test(a_denial_overtakes_a_grant_of_the_same_flag_that_waits_for_the_disk),
        cmocka_unit_test(a_batch_that_fails_does_not_let_an_answer_grant_that_is_not_on_the_disk),
        cmocka_unit_test(what_is_withdrawn_at_its_commit_is_told_by_a_later_entry),
        cmocka_unit_test(so_is_what_a_reload_drops_on_its_way_to_the_disk),
        cmocka_unit_test(so_is_a_grant_that_a_denial_has_overtaken),
        cmocka_unit_test(one_tick_is_one_entry_however_many_change),
        cmocka_unit_test(no_lease_is_granted_while_a_change_is_on_its_way_to_the_disk),
        cmocka_unit_test(a_first_value_does_not_wait_for_the_tick_that_records_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

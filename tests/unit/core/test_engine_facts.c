/* SPDX-License-Identifier: Apache-2.0 */
/* Facts: of one the newest time wins, they end at their moment, they outlive a restart, and a flag without
 * its fact is safe. */
#include "engine_world.h"

static const char flags[] = "flags:\n"
                            "  vip:\n"
                            "    variants: { \"on\": true, \"off\": false }\n"
                            "    defaultVariant: \"off\"\n"
                            "    decision: { rule: { \"==\": [ { var: facts.tier }, gold ] } }\n"
                            "  tame:\n"
                            "    variants: { \"on\": true, \"off\": false }\n"
                            "    defaultVariant: \"off\"\n"
                            "    factDefaults: { risk: 0 }\n"
                            "    decision: { rule: { \"<\": [ { var: facts.risk }, 50 ] } }\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    *c = world_watching(w, "shop");
    return w;
}

static void a_flag_without_its_fact_is_safe_unless_a_default_stands_in(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    assert_string_equal(world_reason(c, 1, "vip"), "ERROR");
    assert_string_equal(world_value(c, 1, "tame"), "true");
    world_fact(w, "ada", "tier", "\"gold\"");
    world_fact(w, "ada", "risk", "90");
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    assert_string_equal(world_value(c, 1, "tame"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "vip"), "cause"), "event");
    world_fact(w, "ada", "tier", NULL);
    world_run(w);
    assert_string_equal(world_reason(c, 1, "vip"), "ERROR");
    world_destroy(w);
}

static void the_newest_time_wins_whatever_the_order_of_arrival(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    int64_t now = w->now.wall;
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}]}", now - 1000);
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"tin\"}]}", now - 2000);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\"}]}", now - 500);
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}]}", now - 700);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false"); /* a removal is remembered like a value */
    world_destroy(w);
}

static void an_event_without_a_time_counts_though_the_clock_was_set_back(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "tier", "\"gold\"");
    world_run(w);
    w->now.wall -= 60000;
    world_advance(w, 1000);
    uint64_t entry = world_fact(w, "ada", "tier", NULL);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_null(json_object_get(receipt, "superseded"));
    json_decref(receipt);
    world_fact(w, "ada", "risk", "90");
    world_restart(w); /* the same entries settle the same way */
    world_connect(c, false);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    assert_string_equal(world_value(c, 1, "tame"), "false");
    char *older =
        fs_format("{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}],\"time\":%lld}",
                  (long long)w->now.wall + 30000);
    world_event(w, older); /* before the gold that was removed */
    fs_free(older);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_destroy(w);
}

static void a_superseded_event_proves_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "tier", "\"gold\"");
    uint64_t entry =
        world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\"}]}", w->now.wall - 1000);
    world_run(w);
    json_t *receipt = fs_engine_receipt(w->engine, entry, w->now);
    assert_true(json_is_true(json_object_get(receipt, "superseded")));
    assert_true(json_is_true(json_object_get(receipt, "complete")));
    assert_null(json_object_get(receipt, "safe_at"));
    json_decref(receipt);
    world_destroy(w);
}

static void a_fact_ends_at_its_moment(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    char *event =
        fs_format("{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\",\"expires\":%lld}]}",
                  (long long)w->now.wall + 5000);
    world_event(w, event);
    fs_free(event);
    world_advance(w, 4999);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_advance(w, 1);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "vip"), "cause"), "timer");
    world_destroy(w);
}

static void facts_of_somebody_else_cost_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct fs_engine_counts before, after;
    fs_engine_count(w->engine, &before);
    world_fact(w, "bo", "tier", "\"gold\"");
    world_run(w);
    fs_engine_count(w->engine, &after);
    assert_int_equal(after.evaluations, before.evaluations);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_destroy(w);
}

static void a_restart_finds_the_same_facts(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_fact(w, "ada", "tier", "\"gold\"");
    world_fact(w, "ada", "risk", "90");
    world_fact(w, "ada", "risk", NULL);
    char *event =
        fs_format("{\"facts\":[{\"subject\":\"bo\",\"fact\":\"tier\",\"value\":\"gold\",\"expires\":%lld}]}",
                  (long long)w->now.wall + 5000);
    world_event(w, event);
    fs_free(event);
    world_run(w);
    world_restart(w);
    world_watch(c, 2, "bo");
    world_connect(c, true);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    assert_string_equal(world_value(c, 1, "tame"), "true");
    assert_string_equal(world_value(c, 2, "vip"), "true");
    world_advance(w, 5000);
    assert_string_equal(world_value(c, 2, "vip"), "false");
    world_destroy(w);
}

static void a_fact_of_the_base_state_rules_until_a_newer_entry_and_no_older_one_changes_it(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    json_t *gold = json_string("gold");
    struct fs_fact_state fact = {
        .change = {.subject = (char[]){"ada"}, .fact = (char[]){"tier"}, .value = gold},
        .time = w->now.wall - 1000,
        .entry = 7,
        .credential = "k1"};
    fs_engine_restore(w->engine, &fact);
    json_decref(gold);
    struct world_client *c = world_watching(w, "shop");
    assert_string_equal(world_value(c, 1, "vip"), "true");
    char *older =
        fs_format("{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"tin\"}],\"time\":%lld}",
                  (long long)w->now.wall - 2000);
    world_event(w, older);
    fs_free(older);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_fact(w, "ada", "tier", NULL);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_destroy(w);
}

static void of_one_moment_the_later_entry_rules_also_where_the_base_state_tells_it(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    json_t *gold = json_string("gold");
    struct fs_fact_state fact = {
        .change = {.subject = (char[]){"ada"}, .fact = (char[]){"tier"}, .value = gold},
        .time = w->now.wall,
        .entry = 7,
        .credential = "k1"};
    fs_engine_restore(w->engine, &fact);
    json_decref(gold);
    char body[200];
    snprintf(body, sizeof body,
             "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"tin\"}],\"time\":%lld}",
             (long long)w->now.wall);
    struct fs_entry entry = {
        .number = 6, .kind = FS_ENTRY_EVENT, .time = w->now.wall, .body = body, .length = strlen(body)};
    fs_engine_replay(w->engine, &entry);
    struct world_client *c = world_watching(w, "shop");
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_destroy(w);
}

static void a_fact_that_is_gone_is_forgotten_when_no_older_event_can_come_any_more(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct fs_engine_counts counts;
    world_fact(w, "ada", "tier", "\"gold\"");
    world_fact(w, "ada", "tier", NULL);
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.facts, 1);
    world_advance(w, (int64_t)7 * 24 * 3600 * 1000 + 1);
    fs_engine_count(w->engine, &counts);
    assert_int_equal(counts.facts, 0);
    world_destroy(w);
}

#define GOLD "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\",\"value\":\"gold\"}]}"

/* As if her entries were erased: the journal tells that she was, and no more. */
static void forget_entries_before(struct world *w, uint64_t erasure)
{
    for (size_t i = 0; i < w->entries.count; i++) {
        struct world_entry *entry = &w->entries.items[i];
        if (entry->number < erasure && entry->kind == FS_ENTRY_EVENT) {
            fs_free(entry->body);
            entry->body = fs_strdup("null");
            entry->length = 4;
        }
    }
}

static void what_was_erased_does_not_come_back_with_an_older_event(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    int64_t now = w->now.wall;
    world_event_at(w, GOLD, now - 1000);
    world_event_at(w, "{\"facts\":[{\"subject\":\"ada\",\"fact\":\"tier\"}]}", now + 500);
    forget_entries_before(w, world_erasure(w, "ada"));
    world_event_at(w, GOLD, now - 500);
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_restart(w);
    world_event_at(w, GOLD, now + 400); /* older than the removal, which was ahead of the clock */
    world_connect(c, false);
    world_watch(c, 1, "{\"targetingKey\":\"ada\"}");
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "false");
    world_event_at(w, GOLD, now + 600); /* and what is new counts */
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_restart(w);
    world_connect(c, false);
    world_watch(c, 1, "{\"targetingKey\":\"ada\"}");
    world_run(w);
    assert_string_equal(world_value(c, 1, "vip"), "true");
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_erased_does_not_come_back_with_an_older_event),
        cmocka_unit_test(a_fact_that_is_gone_is_forgotten_when_no_older_event_can_come_any_more),
        cmocka_unit_test(a_flag_without_its_fact_is_safe_unless_a_default_stands_in),
        cmocka_unit_test(the_newest_time_wins_whatever_the_order_of_arrival),
        cmocka_unit_test(an_event_without_a_time_counts_though_the_clock_was_set_back),
        cmocka_unit_test(a_superseded_event_proves_nothing),
        cmocka_unit_test(a_fact_ends_at_its_moment),
        cmocka_unit_test(facts_of_somebody_else_cost_nothing),
        cmocka_unit_test(a_restart_finds_the_same_facts),
        cmocka_unit_test(a_fact_of_the_base_state_rules_until_a_newer_entry_and_no_older_one_changes_it),
        cmocka_unit_test(of_one_moment_the_later_entry_rules_also_where_the_base_state_tells_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

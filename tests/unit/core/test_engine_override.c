/* SPDX-License-Identifier: Apache-2.0 */
/* Overrides in the engine: which one rules, whom it reaches and when, what causes are told, how it ends. */
#include "engine_world.h"

static const char flags[] =
    "flags:\n"
    "  door:\n"
    "    variants: { \"on\": true, \"off\": false }\n"
    "    defaultVariant: \"off\"\n"
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
    "  theme:\n"
    "    variants: { dark: dark, light: light }\n"
    "    defaultVariant: light\n";

static const char without_door[] = "flags:\n"
                                   "  theme:\n"
                                   "    variants: { dark: dark, light: light }\n"
                                   "    defaultVariant: light\n";

#define KILL      "{\"kind\":\"kill\",\"flag\":\"door\"}"
#define KILL_ADA  "{\"kind\":\"kill\",\"flag\":\"door\",\"subject\":\"ada\"}"
#define FORCE_ON  "{\"kind\":\"force\",\"flag\":\"door\",\"variant\":\"on\",\"mayGrant\":true}"
#define FORCE_OFF "{\"kind\":\"force\",\"flag\":\"door\",\"variant\":\"off\"}"
#define FORCE_ADA                                                                                            \
    "{\"kind\":\"force\",\"flag\":\"door\",\"subject\":\"ada\",\"variant\":\"on\",\"mayGrant\":true}"
#define RELEASE     "{\"action\":\"release\",\"flag\":\"door\"}"
#define RELEASE_ADA "{\"action\":\"release\",\"flag\":\"door\",\"subject\":\"ada\"}"
#define UNKILL_ADA  "{\"action\":\"release\",\"flag\":\"door\",\"subject\":\"ada\",\"kind\":\"kill\"}"

/* The policy says yes to everybody, and a client watches ada. */
static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    *c = world_watching(w, "shop");
    assert_string_equal(world_value(*c, 1, "door"), "true");
    return w;
}

static void reads(struct world *w, struct world_client *c, const char *value, const char *reason)
{
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), value);
    assert_string_equal(world_reason(c, 1, "door"), reason);
}

static void order(struct world *w, const char *json)
{
    world_override(w, json);
    world_run(w);
}

static void a_kill_is_pushed_with_its_cause_and_nothing_grants_meanwhile(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    uint64_t entry = world_override(w, KILL);
    reads(w, c, "false", "DISABLED");
    const json_t *cause = json_object_get(world_flag(c, 1, "door"), "cause");
    assert_non_null(cause);
    const struct fs_cell *cell = world_cell(w, "ada", "door");
    assert_int_equal(cell->cause->kind, FS_CAUSE_OVERRIDE);
    assert_int_equal(cell->cause->entries[0], entry);
    assert_int_equal(cell->value.override_entry, entry);
    world_recompute(w, "ada");
    reads(w, c, "false", "DISABLED");
    world_advance(w, 200000); /* revalidated, renewed */
    world_renew(c);
    reads(w, c, "false", "DISABLED");
    uint64_t released = world_override(w, RELEASE);
    reads(w, c, "true", "TARGETING_MATCH");
    assert_int_equal(world_cell(w, "ada", "door")->cause->entries[0], released);
    world_destroy(w);
}

static void kill_before_force_and_the_subject_before_everybody(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    reads(w, c, "false", "TARGETING_MATCH");
    order(w, FORCE_OFF);
    reads(w, c, "false", "STATIC");
    order(w, FORCE_ADA);
    reads(w, c, "true", "STATIC");
    order(w, KILL);
    reads(w, c, "false", "DISABLED");
    order(w, KILL_ADA);
    order(w, RELEASE); /* kill and force of everybody */
    reads(w, c, "false", "DISABLED");
    order(w, UNKILL_ADA);
    reads(w, c, "true", "STATIC");
    order(w, RELEASE_ADA);
    reads(w, c, "false", "TARGETING_MATCH");
    world_destroy(w);
}

static void of_two_in_one_place_the_later_one_stands(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    order(w, FORCE_ON);
    order(w, FORCE_OFF);
    reads(w, c, "false", "STATIC");
    assert_int_equal(w->engine->override_count, 1);
    world_destroy(w);
}

static void a_force_that_was_not_allowed_to_grant_never_does(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    order(w, "{\"kind\":\"force\",\"flag\":\"door\",\"variant\":\"on\"}");
    reads(w, c, "false", "TARGETING_MATCH");
    json_t *list = fs_engine_show_overrides(w->engine);
    assert_non_null(fs_json_text(json_array_get(list, 0), "idle"));
    json_decref(list);
    world_destroy(w);
}

static void it_ends_at_its_moment(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    char *json =
        fs_format("{\"kind\":\"kill\",\"flag\":\"door\",\"expires\":%lld}", (long long)w->now.wall + 5000);
    uint64_t entry = world_override(w, json);
    fs_free(json);
    world_advance(w, 4999);
    reads(w, c, "false", "DISABLED");
    world_advance(w, 1);
    reads(w, c, "true", "TARGETING_MATCH");
    const struct fs_cell *cell = world_cell(w, "ada", "door");
    assert_int_equal(cell->cause->kind, FS_CAUSE_OVERRIDE);
    assert_int_equal(cell->cause->entries[0], entry);
    assert_int_equal(w->engine->override_count, 0);
    world_destroy(w);
}

static void a_restart_brings_back_what_stands_and_not_what_has_ended(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    char *json =
        fs_format("{\"kind\":\"kill\",\"flag\":\"theme\",\"expires\":%lld}", (long long)w->now.wall + 5000);
    order(w, json);
    fs_free(json);
    order(w, KILL);
    w->now.wall += 6000;
    w->now.mono += 6000;
    world_restart(w);
    assert_int_equal(w->engine->override_count, 1);
    world_connect(c, false);
    world_run(w);
    reads(w, c, "false", "DISABLED");
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    world_destroy(w);
}

static void it_needs_no_source_and_waits_for_none(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_recompute(w, NULL); /* asked, and no answer comes */
    uint64_t entry = world_override(w, KILL);
    reads(w, c, "false", "DISABLED");
    fs_engine_receipt_wait(w->engine, entry, true, 60000, 77, w->now);
    world_run(w);
    json_t *receipt = world_receipt_of(w, 77);
    assert_non_null(receipt);
    assert_true(json_is_true(json_object_get(receipt, "complete")));
    assert_int_equal(json_integer_value(json_object_get(receipt, "concerned")), 1);
    assert_int_equal(json_integer_value(json_object_get(receipt, "acknowledged")), 1);
    struct world_evaluated *bo = world_evaluate(w, "{\"targetingKey\":\"bo\"}", 78);
    assert_non_null(bo);
    assert_false(bo->timed_out);
    world_destroy(w);
}

static void a_grant_on_its_way_to_the_disk_is_withdrawn(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, NULL);
    reads(w, c, "false", "TARGETING_MATCH");
    w->manual = true;
    world_override(w, FORCE_ON);
    assert_true(world_commit(w));
    world_turn(w); /* the tick that grants is on its way */
    world_override(w, KILL);
    assert_int_equal(w->drafts.count, 2);
    struct world_draft kill = w->drafts.items[1];
    w->drafts.items[1] = w->drafts.items[0];
    w->drafts.items[0] = kill;
    assert_true(world_commit(w)); /* the kill is applied first */
    w->manual = false;
    reads(w, c, "false", "DISABLED");
    world_destroy(w);
}

static void a_reload_without_the_flag_leaves_it_and_it_holds_when_the_flag_is_back(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    order(w, KILL);
    world_load(w, without_door);
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "absent");
    assert_int_equal(w->engine->override_count, 1);
    world_load(w, flags);
    reads(w, c, "false", "DISABLED");
    world_destroy(w);
}

static void a_dry_run_tells_and_changes_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct fs_override_order kill = {.override = {.kind = FS_OVERRIDE_KILL}};
    uint64_t revision = w->engine->revision;
    struct fs_err err;
    kill.override.flag = fs_strdup("door");
    assert_true(fs_engine_try_override(w->engine, &kill, 100, 1, w->now, &err));
    json_t *dry = world_found(w, 1);
    assert_int_equal(json_integer_value(json_object_get(dry, "contexts")), 1);
    assert_int_equal(json_integer_value(json_object_get(dry, "clients")), 1);
    json_decref(dry);
    reads(w, c, "true", "TARGETING_MATCH");
    assert_int_equal(w->engine->revision, revision);
    assert_int_equal(w->engine->override_count, 0);
    order(w, KILL);
    struct fs_override_order back = {.release = true, .override = {.flag = fs_strdup("door")}};
    assert_true(fs_engine_try_override(w->engine, &back, 0, 2, w->now, &err));
    dry = world_found(w, 2);
    assert_int_equal(json_integer_value(json_object_get(dry, "contexts")), 1);
    assert_int_equal(json_integer_value(json_object_get(dry, "more")), 1);
    json_decref(dry);
    world_destroy(w);
}

static void one_flag_and_subject_touch_nobody_else(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_watch(c, 2, "bo");
    world_run(w);
    struct fs_engine_counts before, after;
    fs_engine_count(w->engine, &before);
    order(w, KILL_ADA);
    fs_engine_count(w->engine, &after);
    assert_string_equal(world_value(c, 2, "door"), "true");
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_true(after.evaluations - before.evaluations <= 2);
    world_destroy(w);
}

static void who_has_what_is_told_in_pages_of_any_size(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    char name[32], after[65] = "";
    for (uint64_t i = 2; i < 1500; i++) {
        snprintf(name, sizeof name, "s%llu", (unsigned long long)i);
        world_watch(c, i, name);
    }
    world_run(w);
    size_t seen = 0;
    uint64_t token = 0;
    for (bool more = true; more;) {
        struct fs_err err;
        assert_true(
            fs_engine_find_who(w->engine, "door", "on", *after ? after : NULL, 100, ++token, w->now, &err));
        json_t *who = world_found(w, token);
        const json_t *list = json_object_get(who, "contexts");
        assert_int_equal(json_integer_value(json_object_get(json_object_get(who, "variants"), "on")), 1499);
        for (size_t i = 0; i < json_array_size(list); i++, seen++) {
            const char *hash = fs_json_text(json_array_get(list, i), "contextHash");
            assert_true(strcmp(hash, after) > 0);
            snprintf(after, sizeof after, "%s", hash);
        }
        more = json_object_get(who, "next");
        json_decref(who);
    }
    assert_int_equal(seen, 1499);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_kill_is_pushed_with_its_cause_and_nothing_grants_meanwhile),
        cmocka_unit_test(kill_before_force_and_the_subject_before_everybody),
        cmocka_unit_test(of_two_in_one_place_the_later_one_stands),
        cmocka_unit_test(a_force_that_was_not_allowed_to_grant_never_does),
        cmocka_unit_test(it_ends_at_its_moment),
        cmocka_unit_test(a_restart_brings_back_what_stands_and_not_what_has_ended),
        cmocka_unit_test(it_needs_no_source_and_waits_for_none),
        cmocka_unit_test(a_grant_on_its_way_to_the_disk_is_withdrawn),
        cmocka_unit_test(a_reload_without_the_flag_leaves_it_and_it_holds_when_the_flag_is_back),
        cmocka_unit_test(a_dry_run_tells_and_changes_nothing),
        cmocka_unit_test(one_flag_and_subject_touch_nobody_else),
        cmocka_unit_test(who_has_what_is_told_in_pages_of_any_size),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

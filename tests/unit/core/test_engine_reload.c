/* SPDX-License-Identifier: Apache-2.0 */
/* Other flags while everything runs: only real changes are sent, what goes is removed first, and no answer is
 * lost. */
#include "engine_world.h"

#define DOOR(safe, path)                                                                                     \
    "  door:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false, \"never\": false }\n"                                     \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    visibility: client\n"                                                                               \
    "    safeVariant: " safe "\n"                                                                            \
    "    decision: { source: opa, path: " path ", input: { user: { var: targetingKey } } }\n"                \
    "    targeting: { if: [ { var: decision.allowed }, \"on\", \"off\" ] }\n"
#define TEXT_DOOR                                                                                            \
    "  door:\n"                                                                                              \
    "    variants: { open: yes, shut: no }\n"                                                                \
    "    defaultVariant: shut\n"                                                                             \
    "    visibility: client\n"                                                                               \
    "    safeVariant: shut\n"                                                                                \
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"                \
    "    targeting: { if: [ { var: decision.allowed }, open, shut ] }\n"
#define THEME(visibility)                                                                                    \
    "  theme:\n"                                                                                             \
    "    variants: { dark: dark, light: light }\n"                                                           \
    "    visibility: " visibility "\n"                                                                       \
    "    defaultVariant: light\n"

static const char both[] = "flags:\n" DOOR("\"off\"", "app/door") THEME("client");
static const char only_theme[] = "flags:\n" THEME("client");
static const char hidden_theme[] = "flags:\n" DOOR("\"off\"", "app/door") THEME("server");
static const char retyped[] = "flags:\n" TEXT_DOOR THEME("client");
static const char other_safe[] = "flags:\n" DOOR("never", "app/door") THEME("client");
static const char other_path[] = "flags:\n" DOOR("\"off\"", "app/gate") THEME("client");

static struct world *begin(struct world_client **c, const char *yaml)
{
    struct world *w = world_create(yaml);
    world_policy(w, "app/door", NULL, "true");
    world_policy(w, "app/gate", NULL, "true");
    *c = world_client_as(w, "browser", "evaluate", "ada");
    world_watch(*c, 1, "ada");
    world_connect(*c, false);
    world_run(w);
    return w;
}

static void load(struct world *w, const char *yaml)
{
    world_load(w, yaml);
    world_run(w);
    world_assert_converged(w);
}

static void the_same_flags_again_send_and_ask_nothing(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    uint64_t asked = world_source(w, "opa")->asked;
    load(w, both);
    assert_int_equal(world_source(w, "opa")->asked, asked);
    assert_int_equal(c->deltas, 0);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void a_removed_and_a_hidden_flag_are_gone_and_come_back(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    load(w, only_theme);
    assert_string_equal(world_value(c, 1, "door"), "absent");
    load(w, hidden_theme);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_value(c, 1, "theme"), "absent");
    load(w, both);
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    world_destroy(w);
}

static void a_retyped_flag_is_removed_first(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    load(w,
         retyped); /* the client of these tests fails where a flag changes its type without being removed */
    assert_string_equal(world_value(c, 1, "door"), "\"yes\"");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "config");
    world_destroy(w);
}

static void another_safe_value_is_told_though_the_value_stays(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    load(w, other_safe);
    assert_int_equal(c->deltas, 1);
    world_destroy(w);
}

static void another_question_keeps_the_old_value_until_it_is_answered(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    w->hold_asks = true;
    world_policy(w, "app/gate", NULL, "false");
    load(w, other_path);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_answer_all(w);
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "config");
    world_destroy(w);
}

static void a_reload_during_a_tick_loses_neither_the_change_nor_its_cause(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    world_policy(w, "app/door", NULL, "false");
    json_int_t entry = (json_int_t)world_recompute(w, "ada");
    world_turn(w);
    world_answer_all(w);
    world_commit(w);
    w->manual = true;
    world_turn(w); /* the tick is proposed */
    w->manual = false;
    load(w, hidden_theme);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_string_equal(fs_json_text(world_flag(c, 1, "door"), "cause"), "event");
    assert_int_equal(json_integer_value(json_object_get(world_flag(c, 1, "door"), "entry")), entry);
    world_destroy(w);
}

static void a_reload_while_the_source_is_lost_keeps_what_is_stale(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    world_source(w, "opa")->probes_fail = true;
    world_advance(w, 3000);
    load(w, hidden_theme);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_reason(c, 1, "door"), "STALE");
    world_destroy(w);
}

static void a_reload_meets_watches_in_every_state(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    struct world_client *gone = world_client(w, "gone"), *blocked = world_client(w, "blocked");
    world_watch(gone, 1, "ada");
    world_connect(gone, false);
    world_watch(blocked, 1, "bo");
    world_connect(blocked, false);
    world_run(w);
    world_drop(gone);
    blocked->blocked = true;
    w->hold_asks = true;
    world_watch(c, 2, "ada");
    world_evaluate(w, "cy", 9);
    world_watch(blocked, 2, "di"); /* waits for its first answer */
    world_load(w, retyped);
    world_load(w, only_theme);
    world_load(w, other_safe);
    blocked->blocked = w->hold_asks = false;
    world_connect(gone, true);
    world_advance(w, 1500);
    world_assert_converged(w);
    assert_string_equal(world_value(blocked, 2, "door"), "true");
    assert_string_equal(world_value(gone, 1, "door"), "true");
    assert_non_null(world_evaluated_of(w, 9));
    world_destroy(w);
}

#define GATE(extra)                                                                                          \
    "  gate:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false, \"ajar\": true }\n"                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    safeVariant: \"off\"\n"                                                                             \
    "    visibility: client\n" extra                                                                         \
    "    decision: { source: opa, path: app/gate, input: { user: { var: targetingKey } } }\n"
#define GATE_TARGETING "    targeting: { if: [ { var: decision.allowed }, \"on\", \"off\" ] }\n"
#define GATE_AJAR                                                                                            \
    "    onUnknown: evaluate\n"                                                                              \
    "    targeting: { if: [ { \"==\": [ { var: decision.state }, unknown ] }, ajar, \"off\" ] }\n"

/* A flag that is new to all, whose source is silent; a second watch comes when the first has its snapshot. */
static struct world_client *watch_beside(struct world *w, const char *yaml)
{
    world_source(w, "opa")->mode = WORLD_SILENT;
    world_load(w, yaml);
    world_run(w);
    struct world_client *second = world_client_as(w, "second", "evaluate", "ada");
    world_watch(second, 1, "ada");
    world_connect(second, false);
    world_advance(w, 1000);
    return second;
}

static void a_new_flag_without_an_answer_is_safe_in_a_snapshot_beside_others(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    struct world_client *second =
        watch_beside(w, "flags:\n" DOOR("\"off\"", "app/door") GATE(GATE_TARGETING));
    assert_int_equal(second->snapshots, 1);
    assert_string_equal(world_value(second, 1, "gate"), "false");
    assert_string_equal(world_reason(second, 1, "gate"), "ERROR");
    assert_string_equal(world_value(c, 1, "gate"), "false");
    world_source(w, "opa")->mode = WORLD_ANSWERS;
    world_advance(w, 100);
    assert_string_equal(world_value(second, 1, "gate"), "true");
    world_assert_converged(w);
    world_destroy(w);
}

static void a_new_flag_without_an_answer_is_safe_for_those_who_watch_already(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    world_source(w, "opa")->mode = WORLD_SILENT;
    load(w, "flags:\n" DOOR("\"off\"", "app/door") GATE(GATE_TARGETING));
    assert_string_equal(world_value(c, 1, "gate"), "absent");
    world_advance(w, 1000);
    assert_string_equal(world_value(c, 1, "gate"), "false");
    world_destroy(w);
}

static void a_new_flag_that_answers_for_the_unknown_itself_is_in_that_snapshot_too(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    struct world_client *second = watch_beside(w, "flags:\n" DOOR("\"off\"", "app/door") GATE(GATE_AJAR));
    assert_string_equal(world_value(second, 1, "gate"), "true");
    assert_string_equal(world_value(c, 1, "gate"), "true");
    world_destroy(w);
}

static void a_new_flag_is_safe_though_the_journal_is_dead(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c, both);
    w->failing = true;
    struct world_client *second =
        watch_beside(w, "flags:\n" DOOR("\"off\"", "app/door") GATE(GATE_TARGETING));
    world_advance(w, 100);
    assert_string_equal(world_value(second, 1, "gate"), "false");
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_same_flags_again_send_and_ask_nothing),
        cmocka_unit_test(a_removed_and_a_hidden_flag_are_gone_and_come_back),
        cmocka_unit_test(a_retyped_flag_is_removed_first),
        cmocka_unit_test(another_safe_value_is_told_though_the_value_stays),
        cmocka_unit_test(another_question_keeps_the_old_value_until_it_is_answered),
        cmocka_unit_test(a_reload_during_a_tick_loses_neither_the_change_nor_its_cause),
        cmocka_unit_test(a_reload_while_the_source_is_lost_keeps_what_is_stale),
        cmocka_unit_test(a_reload_meets_watches_in_every_state),
        cmocka_unit_test(a_new_flag_without_an_answer_is_safe_in_a_snapshot_beside_others),
        cmocka_unit_test(a_new_flag_without_an_answer_is_safe_for_those_who_watch_already),
        cmocka_unit_test(a_new_flag_that_answers_for_the_unknown_itself_is_in_that_snapshot_too),
        cmocka_unit_test(a_new_flag_is_safe_though_the_journal_is_dead),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

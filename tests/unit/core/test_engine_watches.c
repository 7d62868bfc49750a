/* SPDX-License-Identifier: Apache-2.0 */
/* Watches: what a client sees from its first snapshot to the last change, and that it costs no more than what
 * is concerned. */
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

static void a_watch_gets_a_snapshot_then_a_lease_then_each_change(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    world_policy(w, "app/door", "ada", "true");
    struct world_client *c = world_client(w, "shop");
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "true");
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    assert_true(world_leased(c));
    world_policy(w, "app/door", "ada", "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_string_equal(world_value(c, 1, "door"), "false");
    assert_int_equal(c->deltas, 1);
    world_assert_converged(w);
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_watch_gets_a_snapshot_then_a_lease_then_each_change),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Coming back: a delta where one can be made, nothing but a lease where nothing changed, a snapshot
 * otherwise. */
#include "engine_world.h"

#define DOOR                                                                                                 \
    "flags:\n"                                                                                               \
    "  door:\n"                                                                                              \
    "    variants: { \"on\": true, \"off\": false }\n"                                                       \
    "    defaultVariant: \"off\"\n"                                                                          \
    "    decision: { source: opa, path: app/door, input: { user: { var: targetingKey } } }\n"
static const char flags[] = DOOR;
static const char more_flags[] = DOOR "  theme:\n"
                                      "    variants: { dark: dark, light: light }\n"
                                      "    defaultVariant: light\n";

static struct world *begin(struct world_client **c)
{
    struct world *w = world_create(flags);
    world_policy(w, "app/door", NULL, "true");
    *c = world_watching(w, "shop");
    return w;
}

static void come_back(struct world_client *c)
{
    c->snapshots = c->deltas = 0;
    c->granted = 0;
    world_connect(c, true);
    world_run(c->world);
    world_assert_converged(c->world);
}

static void where_nothing_changed_a_lease_is_all_that_comes(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_drop(c);
    world_advance(w, 5000);
    come_back(c);
    assert_int_equal(c->snapshots + c->deltas, 0);
    assert_int_equal(c->granted, 1);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void what_was_missed_comes_as_a_delta(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_drop(c);
    world_policy(w, "app/door", NULL, "false");
    world_recompute(
        w, "ada"); /* recomputed although nobody is connected: the lease in the client's hands still runs */
    world_run(w);
    come_back(c);
    assert_int_equal(c->snapshots, 0);
    assert_int_equal(c->deltas, 1);
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

static void after_hold_and_lease_it_is_a_snapshot(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_drop(c);
    world_advance(w, 61000);
    come_back(c);
    assert_int_equal(c->snapshots, 1);
    assert_int_equal(c->deltas, 0);
    world_destroy(w);
}

static void after_other_flags_it_is_a_snapshot(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_drop(c);
    world_load(w, more_flags);
    world_run(w);
    come_back(c);
    assert_int_equal(c->snapshots, 1);
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    world_destroy(w);
}

static void after_a_restart_it_is_a_snapshot(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_restart(w);
    come_back(c);
    assert_int_equal(c->snapshots, 1);
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void of_another_credential_nothing_is_resumed(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct world_client *other = world_client(w, "other");
    world_drop(c);
    struct fs_credential *mine = c->credential;
    c->credential = other->credential;
    other->credential = mine;
    come_back(c);
    assert_int_equal(c->snapshots, 1);
    world_destroy(w);
}

/* A ticket of the key k1: all of them bear one id. */
static struct world_client *ticket(struct world *w, const char *name, const char *subject, const char *actor,
                                   const char *attributes)
{
    struct world_client *c = world_client_as(w, name, "evaluate", subject);
    fs_free(c->credential->id);
    c->credential->id = fs_strdup("ticket:k1");
    c->credential->actor = actor ? json_loads(actor, 0, NULL) : NULL;
    c->credential->attributes = attributes ? json_loads(attributes, 0, NULL) : NULL;
    world_watch(c, 1, subject);
    return c;
}

/* What ada's client, whose connection still stands, is told when `other` names its session. */
static const char *told_when_taken_over_by(struct world *w, struct world_client *other)
{
    struct world_client *ada = ticket(w, "ada", "ada", "{\"id\":\"bot\"}", "{\"role\":\"clerk\"}");
    world_connect(ada, false);
    world_run(w);
    memcpy(other->session, ada->session, sizeof other->session);
    memcpy(other->epoch, w->options.epoch, sizeof other->epoch);
    other->revision = ada->revision;
    world_connect(other, true);
    world_run(w);
    return ada->goaway;
}

static void only_who_is_the_same_takes_over_a_session(void **state)
{
    (void)state;
    static const char *const others[][3] = {{"eve", "{\"id\":\"bot\"}", "{\"role\":\"clerk\"}"},
                                            {"ada", NULL, "{\"role\":\"clerk\"}"},
                                            {"ada", "{\"id\":\"bob\"}", "{\"role\":\"clerk\"}"},
                                            {"ada", "{\"id\":\"bot\"}", NULL},
                                            {"ada", "{\"id\":\"bot\"}", "{\"role\":\"chief\"}"},
                                            {"ada", "{\"id\":\"bot\"}", "{\"role\":\"clerk\"}"}};
    const size_t count = sizeof others / sizeof *others;
    for (size_t i = 0; i < count; i++) {
        struct world *w = world_create(flags);
        struct world_client *other = ticket(w, "other", others[i][0], others[i][1], others[i][2]);
        assert_string_equal(told_when_taken_over_by(w, other), i == count - 1 ? "disconnect" : "");
        world_destroy(w);
    }
}

static void another_secret(struct fs_engine_options *options)
{
    memset(options->secret, 7, sizeof options->secret);
}

static void the_name_of_a_session_tells_nothing_of_the_next(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c), *elsewhere = world_create_with(flags, another_secret);
    struct world_client *next = world_watching(w, "bank"), *same = world_watching(elsewhere, "shop");
    assert_int_equal(strlen(c->session), strlen("s-") + 20);
    assert_string_not_equal(c->session, next->session);
    assert_string_not_equal(c->session, same->session); /* the first one there, too */
    world_destroy(w);
    world_destroy(elsewhere);
}

static void two_snapshots_that_replace_have_two_revisions(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    world_watch(c, 2, "bo");
    world_run(w);
    world_drop(c);
    world_advance(w, 61000);
    come_back(c); /* the client of these tests fails where a closed revision is opened again */
    assert_int_equal(c->snapshots, 2);
    world_destroy(w);
}

static void a_delta_follows_the_view_that_another_client_keeps_alive(void **state)
{
    (void)state;
    struct world_client *c;
    struct world *w = begin(&c);
    struct world_client *other = world_client(w, "bank");
    world_watch(other, 7, "ada");
    world_connect(other, false);
    world_run(w);
    uint64_t encoded = w->encoded;
    world_policy(w, "app/door", NULL, "false");
    world_recompute(w, "ada");
    world_run(w);
    assert_int_equal(w->encoded, encoded + 1); /* one body for both */
    assert_string_equal(world_value(other, 7, "door"), "false");
    assert_string_equal(world_value(c, 1, "door"), "false");
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(where_nothing_changed_a_lease_is_all_that_comes),
        cmocka_unit_test(what_was_missed_comes_as_a_delta),
        cmocka_unit_test(after_hold_and_lease_it_is_a_snapshot),
        cmocka_unit_test(after_other_flags_it_is_a_snapshot),
        cmocka_unit_test(after_a_restart_it_is_a_snapshot),
        cmocka_unit_test(of_another_credential_nothing_is_resumed),
        cmocka_unit_test(only_who_is_the_same_takes_over_a_session),
        cmocka_unit_test(the_name_of_a_session_tells_nothing_of_the_next),
        cmocka_unit_test(two_snapshots_that_replace_have_two_revisions),
        cmocka_unit_test(a_delta_follows_the_view_that_another_client_keeps_alive),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

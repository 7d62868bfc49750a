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
    struct world_client *c = world_watching(w, "shop");
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

static void a_watch_sees_only_the_flags_that_it_asks_for(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    static const char *const wanted[] = {"theme", "no-such-flag", NULL};
    world_connect(c, false);
    world_watch_flags(c, 1, "ada", wanted, false);
    world_run(w);
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    assert_string_equal(world_value(c, 1, "door"), "absent");
    assert_int_equal(world_source(w, "opa")->asked, 0);
    world_destroy(w);
}

static void a_browser_sees_no_flag_of_the_server_and_nobody_else(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client_as(w, "browser", "evaluate", "ada");
    world_watch(c, 1, "{\"targetingKey\":\"ada\",\"role\":\"admin\"}");
    world_watch(c, 2, "bo");
    world_connect(c, false);
    world_run(w);
    assert_non_null(world_cached(c, 1));
    assert_string_equal(world_value(c, 1, "door"), "absent"); /* visibility is server unless said */
    assert_null(world_cached(c, 2));
    assert_string_equal(c->last_error, "forbidden");
    assert_true(world_leased(c)); /* the error counts for hello as its snapshot would */
    world_destroy(w);
}

static void a_watch_without_a_subject_is_refused(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    world_connect(c, false);
    world_watch(c, 1, "{\"kind\":\"user\"}");
    world_run(w);
    assert_string_equal(c->last_error, "bad_context");
    world_destroy(w);
}

static void an_id_in_use_is_refused_and_the_running_watch_goes_on(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    world_policy(w, "app/door", "ada", "true");
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    json_t *context = json_pack("{s:s}", "targetingKey", "bo");
    struct fs_watch_wish wish = {.watch = 1, .context = context};
    fs_engine_watch(w->engine, c->connection, &wish, w->now);
    json_decref(context);
    world_run(w);
    assert_string_equal(c->last_error, "duplicate_watch");
    assert_string_equal(world_value(c, 1, "door"), "true");
    world_destroy(w);
}

static void two_watches(struct fs_engine_options *options)
{
    options->watches = 2;
}

static void there_is_a_limit_to_the_watches_of_a_connection(void **state)
{
    (void)state;
    struct world *w = world_create_with(flags, two_watches);
    struct world_client *c = world_client(w, "shop");
    world_watch(c, 1, "ada");
    world_watch(c, 2, "bo");
    world_watch(c, 3, "cy");
    world_connect(c, false);
    world_run(w);
    assert_string_equal(c->last_error, "limit");
    assert_null(world_cached(c, 3));
    world_unwatch(c, 1);
    world_watch(c, 4, "cy");
    world_run(w);
    assert_non_null(world_cached(c, 4));
    world_assert_converged(w);
    world_destroy(w);
}

static void two_watches_of_one_subject_with_other_attributes_differ(void **state)
{
    (void)state;
    struct world *w =
        world_create("flags:\n"
                     "  theme:\n"
                     "    variants: { dark: dark, light: light }\n"
                     "    defaultVariant: light\n"
                     "    targeting: { if: [ { \"==\": [ { var: kind }, agent ] }, dark, light ] }\n");
    struct world_client *c = world_client(w, "shop");
    world_watch(c, 1, "{\"targetingKey\":\"ada\",\"kind\":\"user\"}");
    world_watch(c, 2, "{\"targetingKey\":\"ada\",\"kind\":\"agent\"}");
    world_connect(c, false);
    world_run(w);
    assert_string_equal(world_value(c, 1, "theme"), "\"light\"");
    assert_string_equal(world_value(c, 2, "theme"), "\"dark\"");
    world_destroy(w);
}

static void a_large_snapshot_comes_in_parts(void **state)
{
    (void)state;
    struct fs_buf yaml;
    fs_buf_init(&yaml, 1 << 20);
    fs_buf_adds(&yaml, "flags:\n");
    for (int i = 0; i < 300; i++)
        fs_buf_addf(
            &yaml, "  f%d:\n    variants: { \"on\": true, \"off\": false }\n    defaultVariant: \"on\"\n", i);
    struct world *w = world_create(yaml.data);
    fs_buf_finish(&yaml);
    struct world_client *c = world_watching(w, "shop");
    assert_int_equal(c->snapshots, 3);
    assert_int_equal(json_object_size(world_cached(c, 1)->flags), 300);
    world_assert_converged(w);
    world_destroy(w);
}

#define SEND 6000

static void small_frames(struct fs_engine_options *options)
{
    options->send = SEND;
}

/* 60 flags with values of some 200 bytes that begin with this letter, but for one of 8,000. */
static char *bulky(char letter, int count)
{
    struct fs_buf yaml;
    fs_buf_init(&yaml, 1 << 20);
    fs_buf_adds(&yaml, "flags:\n");
    for (int i = 0; i < count; i++)
        fs_buf_addf(&yaml, "  f%02d:\n    variants: { a: \"%c%0*d\" }\n    defaultVariant: a\n", i, letter,
                    i == 17 ? 8000 : 200, 0);
    return fs_buf_take(&yaml, NULL);
}

/* How many frames there are beyond the first `from`; none is longer than promised, but one flag by itself. */
static size_t frames_within_the_limit(const struct world_client *c, size_t from)
{
    for (size_t i = from; i < c->inbox.count; i++) {
        const struct world_frame *frame = &c->inbox.items[i];
        assert_true(frame->bytes <= SEND || frame->flag_count == 1);
    }
    return c->inbox.count - from;
}

static void no_frame_is_longer_than_promised_but_for_a_single_flag(void **state)
{
    (void)state;
    char *before = bulky('x', 60), *after = bulky('y', 60), *fewer = bulky('y', 5);
    struct world *w = world_create_with(before, small_frames);
    struct world_client *c = world_client(w, "bank");
    static const char *const names[] = {"ada", "bo", "cy"};
    for (uint64_t i = 1; i <= 3; i++)
        world_watch(c, i, names[i - 1]);
    world_connect(c, false);
    world_run(w);
    assert_true(frames_within_the_limit(c, 0) > 12);
    world_assert_converged(w);
    size_t seen = c->inbox.count;
    world_load(w, after);
    world_run(w);
    assert_true(frames_within_the_limit(c, seen) > 12);
    world_assert_converged(w);
    seen = c->inbox.count;
    world_load(w, fewer);
    world_run(w);
    assert_true(frames_within_the_limit(c, seen) < 4); /* removed keys only */
    world_assert_converged(w);
    world_destroy(w);
    fs_free(before);
    fs_free(after);
    fs_free(fewer);
}

static void a_delta_in_several_bodies_is_made_once_for_all_who_see_the_same(void **state)
{
    (void)state;
    char *before = bulky('x', 60), *after = bulky('y', 60);
    uint64_t encoded[2];
    for (int i = 0; i < 2; i++) {
        struct world *w = world_create_with(before, small_frames);
        world_watching(w, "shop");
        if (i)
            world_watching(w, "bank");
        uint64_t made = w->encoded;
        world_load(w, after);
        world_run(w);
        encoded[i] = w->encoded - made;
        world_assert_converged(w);
        world_destroy(w);
    }
    assert_true(encoded[0] > 3);
    assert_int_equal(encoded[0], encoded[1]);
    fs_free(before);
    fs_free(after);
}

static void an_answer_that_is_the_same_as_before_is_no_change(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *c = world_client(w, "shop");
    world_policy(w, "app/door", NULL, "true");
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    world_recompute(w, "ada");
    world_run(w);
    assert_int_equal(c->deltas, 0);
    world_destroy(w);
}

static json_int_t number_of(const json_t *object, const char *key)
{
    return json_integer_value(json_object_get(object, key));
}

static void clients_are_listed_in_pages_in_the_order_in_which_they_came(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    struct world_client *many = world_client(w, "client-0");
    for (uint64_t i = 1; i <= 150; i++)
        world_watch(many, i, i % 2 ? "ada" : "bo");
    world_connect(many, false);
    for (int i = 1; i < 5; i++) {
        char name[20];
        snprintf(name, sizeof name, "client-%d", i);
        world_watching(w, name);
    }
    world_run(w);
    json_t *page = fs_engine_show_clients(w->engine, 0, 2, w->now);
    const json_t *clients = json_object_get(page, "clients"), *first = json_array_get(clients, 0);
    json_int_t after = number_of(page, "next");
    assert_int_equal(number_of(page, "total"), 5);
    assert_int_equal(json_array_size(clients), 2);
    assert_string_equal(fs_json_text(first, "client"), "client-0");
    assert_int_equal(number_of(first, "watchCount"), 150);
    assert_int_equal(json_array_size(json_object_get(first, "watches")), 100);
    assert_string_equal(fs_json_text(json_array_get(clients, 1), "client"), "client-1");
    json_decref(page);
    world_drop(w->clients.items[1]); /* the one that the page ended with is forgotten meanwhile */
    world_advance(w, 61000);
    page = fs_engine_show_clients(w->engine, (uint64_t)after, 3, w->now);
    clients = json_object_get(page, "clients");
    assert_int_equal(json_array_size(clients), 3);
    assert_string_equal(fs_json_text(json_array_get(clients, 0), "client"), "client-2");
    assert_string_equal(fs_json_text(json_array_get(clients, 2), "client"), "client-4");
    assert_null(json_object_get(page, "next"));
    json_decref(page);
    world_destroy(w);
}

static void a_list_of_contexts_says_where_it_is_not_all(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    for (uint64_t i = 1; i <= 3; i++)
        world_evaluate(w, i == 1 ? "ada" : i == 2 ? "bo" : "{\"targetingKey\":\"bo\",\"kind\":\"user\"}", i);
    world_run(w);
    for (size_t limit = 2; limit <= 3; limit++) {
        json_t *all = fs_engine_show_contexts(w->engine, NULL, 0, limit);
        assert_int_equal(json_array_size(json_object_get(all, "contexts")), limit);
        assert_int_equal(json_is_true(json_object_get(all, "more")), limit < 3);
        json_decref(all);
    }
    json_t *of_bo = fs_engine_show_contexts(w->engine, "bo", 0, 1);
    assert_int_equal(json_array_size(json_object_get(of_bo, "contexts")), 1);
    assert_true(json_is_true(json_object_get(of_bo, "more")));
    json_decref(of_bo);
    world_destroy(w);
}

static void contexts_come_in_pages_each_of_them_once(void **state)
{
    (void)state;
    struct world *w = world_create(flags);
    char subject[16];
    for (uint64_t i = 1; i <= 5; i++) {
        snprintf(subject, sizeof subject, "u-%d", (int)i);
        world_evaluate(w, i == 4 ? "{\"targetingKey\":\"u-2\",\"kind\":\"user\"}" : subject, i);
    }
    world_run(w);
    static const struct {
        const char *subject;
        size_t limit;
        const char *expected;
    } cases[] = {{NULL, 2, "u-1 u-2 | u-3 u-2 | u-5 | "}, {"u-2", 1, "u-2 | u-2 | "}, {"nobody", 3, "| "}};
    for (size_t i = 0; i < 3; i++) {
        struct fs_buf seen;
        uint64_t after = 0;
        bool more = true;
        fs_buf_init(&seen, 1000);
        while (more) {
            json_t *page = fs_engine_show_contexts(w->engine, cases[i].subject, after, cases[i].limit);
            const json_t *list = json_object_get(page, "contexts");
            for (size_t j = 0; j < json_array_size(list); j++)
                fs_buf_addf(&seen, "%s ", fs_json_text(json_array_get(list, j), "subject"));
            fs_buf_adds(&seen, "| ");
            more = json_is_true(json_object_get(page, "more"));
            after = (uint64_t)json_integer_value(json_object_get(page, "next"));
            json_decref(page);
        }
        assert_string_equal(seen.data, cases[i].expected);
        fs_buf_finish(&seen);
    }
    world_destroy(w);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(contexts_come_in_pages_each_of_them_once),
        cmocka_unit_test(a_watch_gets_a_snapshot_then_a_lease_then_each_change),
        cmocka_unit_test(a_watch_sees_only_the_flags_that_it_asks_for),
        cmocka_unit_test(a_browser_sees_no_flag_of_the_server_and_nobody_else),
        cmocka_unit_test(a_watch_without_a_subject_is_refused),
        cmocka_unit_test(an_id_in_use_is_refused_and_the_running_watch_goes_on),
        cmocka_unit_test(there_is_a_limit_to_the_watches_of_a_connection),
        cmocka_unit_test(two_watches_of_one_subject_with_other_attributes_differ),
        cmocka_unit_test(a_large_snapshot_comes_in_parts),
        cmocka_unit_test(no_frame_is_longer_than_promised_but_for_a_single_flag),
        cmocka_unit_test(a_delta_in_several_bodies_is_made_once_for_all_who_see_the_same),
        cmocka_unit_test(an_answer_that_is_the_same_as_before_is_no_change),
        cmocka_unit_test(a_list_of_contexts_says_where_it_is_not_all),
        cmocka_unit_test(clients_are_listed_in_pages_in_the_order_in_which_they_came),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

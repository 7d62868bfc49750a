/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the live provider's cache relies on in the wire: a revision is in it before it is acknowledged or not
 * applied at all, and each watch is told until when it is leased. And that a client with very many watches
 * does not say more than servers take.
 */
#include "wire/script.h"

#include <stdlib.h>
#include <string.h>

enum { MOST = 3000 };

static struct {
    int builds, puts, drops, failing; /* the build that fails, from 1; 0: none */
    int64_t until;
    bool emptied;
} seen;

static void *build(void *user, void *watch_user, const struct fsw_table *table)
{
    (void)user;
    (void)watch_user;
    assert_non_null(table);
    return ++seen.builds == seen.failing ? NULL : &seen;
}

static void put(void *user, void *watch_user, void *built)
{
    (void)user;
    assert_string_equal(watch_user, "entry");
    seen.puts += built != NULL;
    seen.emptied = built == NULL;
}

static void drop(void *user, void *built)
{
    (void)user;
    assert_ptr_equal(built, &seen);
    seen.drops++;
}

static void lease(void *user, void *watch_user, int64_t until)
{
    (void)user;
    assert_string_equal(watch_user, "entry");
    seen.until = until;
}

static const struct fsw_mirror mirror = {
    .size = sizeof mirror, .build = build, .put = put, .drop = drop, .lease = lease};

static struct fsw_watch *begin(struct fsw_session *session, const char *subject)
{
    static char entry[] = "entry";
    struct fsw_watch *watch = script_watch(session, subject);
    watch->user = entry;
    return watch;
}

static void start(struct fsw_session *session)
{
    memset(&seen, 0, sizeof seen);
    fsw_session_init(session);
    session->mirror = &mirror;
}

static void a_revision_is_in_the_cache_before_it_is_acknowledged(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    begin(&session, "ada");
    script_connect(&session, T0, "e");
    script_feed(&session, T0, SNAPSHOT(1, 40, ACCESS("true")));
    assert_int_equal(seen.puts, 1);
    script_says(&session, T0, "{\"type\":\"ack\",\"revision\":40}");
    script_feed(&session, T0, OPEN_DELTA(41, CHANGED(1, ACCESS("false"))));
    assert_int_equal(seen.puts, 1);
    script_feed(&session, T0, DELTA(41, CHANGED(1, PLAIN("x"))));
    assert_int_equal(seen.puts, 2);
    fsw_session_finish(&session);
}

static void what_the_cache_cannot_hold_is_neither_applied_nor_acknowledged(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    struct fsw_watch *ada = begin(&session, "ada");
    begin(&session, "bo");
    script_connect(&session, T0, "e");
    seen.failing = 2;
    script_feed(
        &session, T0,
        "{\"type\":\"snapshot\",\"watch\":1,\"view\":\"v\",\"revision\":40,\"more\":true,\"flags\":[]}");
    script_refused(&session, T0, SNAPSHOT(2, 40, ACCESS("true")));
    assert_int_equal(seen.puts, 0);
    assert_int_equal(seen.drops, 1);
    assert_null(ada->table);
    assert_int_equal(session.acked, 0);
    fsw_session_finish(&session);
}

static void the_cache_is_told_of_each_grant_and_of_the_end_of_the_lease(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    begin(&session, "ada");
    script_connect(&session, T0, "e");
    script_feed(&session, T0, SNAPSHOT(1, 40, ACCESS("true")));
    assert_int_equal(seen.until, 0);
    script_says(&session, T0, "{\"type\":\"ack\",\"revision\":40}");
    script_feed(&session, T0 + 100, GRANT(0, 40));
    assert_int_equal(seen.until, T0 + LEASE);
    script_says(&session, T0 + 10000, "{\"type\":\"renew\",\"n\":1}");
    script_feed(&session, T0 + 12000, GRANT(1, 40));
    assert_int_equal(seen.until, T0 + 10000 + LEASE);
    script_feed(&session, T0 + 13000, "{\"type\":\"goaway\",\"code\":\"revoked\"}");
    assert_int_equal(seen.until, 0);
    fsw_session_finish(&session);
}

static void a_watch_that_the_server_ends_is_emptied(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    begin(&session, "ada");
    script_connect(&session, T0, "e");
    script_feed(&session, T0, SNAPSHOT(1, 40, ACCESS("true")));
    script_feed(&session, T0, GRANT(0, 40));
    script_feed(&session, T0, "{\"type\":\"error\",\"code\":\"forbidden\",\"message\":\"no\",\"watch\":1}");
    assert_true(seen.emptied);
    assert_int_equal(seen.until, 0);
    fsw_session_finish(&session);
}

/* How many frames it says at this moment. */
static int frames_at(struct fsw_session *session, int64_t now)
{
    int count = 0;
    while (script_said(session, now, NULL)[0] != '\0') {
        count++;
    }
    return count;
}

static void many_watches_are_begun_no_faster_than_servers_take_frames(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    script_connect(&session, T0, "e");
    for (int i = 0; i < MOST; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        begin(&session, name);
    }
    int in_a_second[8] = {0}, all = 0;
    for (int64_t now = T0; now < T0 + 8000; now += 10) {
        int said = frames_at(&session, now);
        in_a_second[(now - T0) / 1000] += said;
        all += said;
    }
    assert_int_equal(in_a_second[0] <= FSW_FRAME_RATE * 4 / 5, 1);
    assert_int_equal(in_a_second[3], FSW_FRAME_RATE * 3 / 5);
    assert_true(all < MOST);
    fsw_session_finish(&session);
}

static void servers_that_take_lists_are_asked_for_many_watches_in_few_frames(void **state)
{
    (void)state;
    struct fsw_session session;
    struct fsw_watch *watches[MOST];
    json_t *frame = NULL;
    start(&session);
    fsw_session_opened(&session, T0);
    assert_string_equal(script_said(&session, T0, NULL), "hello");
    script_feed(&session, T0,
                "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\",\"session\":\"s\",\"epoch\":\"e\","
                "\"lease\":30000,\"limits\":{\"frame\":4096,\"rate\":1000,\"list\":50}}");
    for (int i = 0; i < MOST; i++) {
        char name[16];
        snprintf(name, sizeof name, "s%d", i);
        watches[i] = script_watch(&session, name);
    }
    uint32_t expected = 1;
    while (strcmp(script_said(&session, T0, &frame), "watch") == 0) {
        const json_t *list = json_object_get(frame, "watches");
        assert_true(json_array_size(list) <= 50 && json_dumpb(frame, NULL, 0, JSON_COMPACT) <= 4096);
        for (size_t i = 0; i < json_array_size(list); i++) {
            assert_int_equal(json_integer_value(json_object_get(json_array_get(list, i), "watch")),
                             expected++);
        }
        json_decref(frame);
    }
    assert_int_equal(expected, MOST + 1); /* all of them, at one moment, in their order */
    for (int i = 0; i < 120; i++) {
        fsw_session_remove(&session, watches[i]);
    }
    assert_int_equal(frames_at(&session, T0), 3);
    fsw_session_finish(&session);
}

static void a_renewal_does_not_wait_behind_watches_and_what_waits_is_told_to_the_clock(void **state)
{
    (void)state;
    struct fsw_session session;
    json_t *frame = NULL;
    start(&session);
    script_connect(&session, T0, "e");
    script_feed(&session, T0, GRANT(0, 40));
    for (int i = 0; i < MOST; i++) {
        begin(&session, "ada");
    }
    (void)frames_at(&session, T0);
    assert_int_equal(fsw_session_paced(&session), T0 + 1000 / (FSW_FRAME_RATE * 3 / 5) + 1);
    session.credit = 0;
    session.credited = T0 + LEASE / 3;
    assert_string_equal(script_said(&session, T0 + LEASE / 3, &frame), "renew");
    json_decref(frame);
    fsw_session_finish(&session);
}

static void the_servers_own_limit_is_heeded_where_it_names_one(void **state)
{
    (void)state;
    struct fsw_session session;
    start(&session);
    fsw_session_opened(&session, T0);
    assert_string_equal(script_said(&session, T0, NULL), "hello");
    script_feed(&session, T0,
                "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\",\"session\":\"s\",\"epoch\":\"e\","
                "\"lease\":30000,"
                "\"limits\":{\"frame\":65536,\"rate\":30}}");
    for (int i = 0; i < 100; i++) {
        begin(&session, "ada");
    }
    assert_int_equal(frames_at(&session, T0), 6);
    assert_int_equal(frames_at(&session, T0 + 1000), 6);
    fsw_session_finish(&session);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_revision_is_in_the_cache_before_it_is_acknowledged),
        cmocka_unit_test(what_the_cache_cannot_hold_is_neither_applied_nor_acknowledged),
        cmocka_unit_test(the_cache_is_told_of_each_grant_and_of_the_end_of_the_lease),
        cmocka_unit_test(a_watch_that_the_server_ends_is_emptied),
        cmocka_unit_test(many_watches_are_begun_no_faster_than_servers_take_frames),
        cmocka_unit_test(servers_that_take_lists_are_asked_for_many_watches_in_few_frames),
        cmocka_unit_test(a_renewal_does_not_wait_behind_watches_and_what_waits_is_told_to_the_clock),
        cmocka_unit_test(the_servers_own_limit_is_heeded_where_it_names_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

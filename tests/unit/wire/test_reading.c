/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What reads see of a session over time: leases, lost connections, resumes.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static void a_leased_value_is_fresh_until_the_lease_is_over(void **state)
{
    struct talk *talk = *state;
    assert_int_equal(script_standing(&talk->session, talk->ada, "a", T0 + LEASE - 1), FSW_FRESH);
    assert_true(script_granted(&talk->session, talk->ada, T0 + LEASE - 1));
    assert_int_equal(script_standing(&talk->session, talk->ada, "a", T0 + LEASE), FSW_SAFE);
    assert_false(script_granted(&talk->session, talk->ada, T0 + LEASE));
}

static void when_the_lease_is_over_other_flags_keep_their_last_value_stale(void **state)
{
    struct talk *talk = *state;
    struct fsw_result result;
    assert_true(fsw_session_get(&talk->session, talk->ada, "t", T0 + LEASE, &result));
    assert_int_equal(result.standing, FSW_LAST);
    assert_true(result.lease_over);
    assert_string_equal(result.value.as.string, "x");
    assert_string_equal(result.reason, "STALE");
    fsw_result_clear(&result);
    assert_true(fsw_session_get(&talk->session, talk->ada, "a", T0 + LEASE, &result));
    assert_string_equal(result.variant, "off");
    assert_string_equal(result.reason, "ERROR");
    fsw_result_clear(&result);
}

static void a_flag_that_the_watch_does_not_see_is_absent(void **state)
{
    struct talk *talk = *state;
    assert_int_equal(script_standing(&talk->session, talk->ada, "b", T0), FSW_ABSENT);
}

static void a_new_watch_gives_known_safe_values_until_its_snapshot(void **state)
{
    struct talk *talk = *state;
    struct fsw_watch *bo = script_watch(&talk->session, "bo");
    assert_int_equal(script_standing(&talk->session, bo, "a", T0), FSW_SAFE);
    assert_false(script_granted(&talk->session, bo, T0));
    assert_int_equal(script_standing(&talk->session, bo, "t", T0), FSW_UNKNOWN);
    assert_string_equal(script_said(&talk->session, T0, NULL), "watch");
    script_feed(&talk->session, T0, SNAPSHOT(2, 40, ACCESS("true")));
    assert_int_equal(script_standing(&talk->session, bo, "a", T0), FSW_FRESH);
    assert_true(script_granted(&talk->session, bo, T0));
}

static void safe_values_of_flags_that_nobody_holds_are_forgotten_with_the_next_connection(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, DELTA(41, "{\"watch\":1,\"removed\":[\"a\"]}"));
    struct fsw_watch *bo = script_watch(&talk->session, "bo");
    assert_int_equal(script_standing(&talk->session, bo, "a", T0), FSW_SAFE);
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0, "e1");
    assert_int_equal(script_standing(&talk->session, bo, "a", T0), FSW_UNKNOWN);
    script_feed(&talk->session, T0, SNAPSHOT(1, 42, ACCESS("true")));
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0, "e1");
    assert_int_equal(script_standing(&talk->session, bo, "a", T0), FSW_SAFE);
}

static void a_snapshot_before_any_lease_does_not_grant(void **state)
{
    (void)state;
    struct fsw_session session;
    fsw_session_init(&session);
    struct fsw_watch *watch = script_watch(&session, "ada");
    script_connect(&session, T0, "e1");
    assert_int_equal(script_standing(&session, watch, "a", T0), FSW_UNKNOWN);
    script_feed(&session, T0, SNAPSHOT(1, 40, ACCESS("true")));
    assert_int_equal(script_standing(&session, watch, "a", T0), FSW_SAFE);
    assert_false(script_granted(&session, watch, T0));
    script_feed(&session, T0, GRANT(0, 40));
    assert_true(script_granted(&session, watch, T0));
    fsw_session_finish(&session);
}

static void a_lost_connection_leaves_values_leased(void **state)
{
    struct talk *talk = *state;
    fsw_session_lost(&talk->session);
    assert_int_equal(fsw_session_state(&talk->session, T0), FSW_STALE);
    assert_true(script_granted(&talk->session, talk->ada, T0 + LEASE - 1));
    assert_false(script_granted(&talk->session, talk->ada, T0 + LEASE));
    assert_int_equal(fsw_session_state(&talk->session, T0 + LEASE), FSW_LEASE_OVER);
}

static void a_resume_with_nothing_changed_is_leased_again(void **state)
{
    struct talk *talk = *state;
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0 + 20000, "e1");
    assert_int_equal(fsw_session_state(&talk->session, T0 + 20000), FSW_STALE);
    script_feed(&talk->session, T0 + 20001, GRANT(0, 44));
    assert_int_equal(fsw_session_state(&talk->session, T0 + 20001), FSW_READY);
    assert_true(script_granted(&talk->session, talk->ada, T0 + 20000 + LEASE - 1));
    assert_false(script_granted(&talk->session, talk->ada, T0 + 20000 + LEASE));
}

static void the_resume_point_is_where_the_last_lease_stood(void **state)
{
    struct talk *talk = *state;
    json_t *hello;
    script_feed(&talk->session, T0, DELTA(41, CHANGED(1, ACCESS("false"))));
    script_says(&talk->session, T0, "{\"type\":\"ack\",\"revision\":41}");
    assert_string_equal(script_said(&talk->session, T0 + 10000, NULL), "renew");
    script_feed(&talk->session, T0 + 10000, GRANT(1, 52));
    fsw_session_lost(&talk->session);
    fsw_session_opened(&talk->session, T0 + 11000);
    assert_string_equal(script_said(&talk->session, T0 + 11000, &hello), "hello");
    json_t *expected = json_loads(
        "{\"epoch\":\"e1\",\"session\":\"s\",\"revision\":52,\"watches\":[{\"watch\":1,\"view\":\"v1\"}]}", 0,
        NULL);
    assert_true(json_equal(json_object_get(hello, "resume"), expected));
    json_decref(expected);
    json_decref(hello);
}

static void another_epoch_covers_nothing_before_its_snapshots(void **state)
{
    struct talk *talk = *state;
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0 + 1000, "e2");
    assert_true(script_granted(&talk->session, talk->ada, T0 + 1000));
    script_refused(&talk->session, T0 + 1000, GRANT(0, 1));
    assert_false(script_granted(&talk->session, talk->ada, T0 + LEASE));
}

static void a_lease_on_a_new_connection_does_not_cover_what_was_not_asked_for_there(void **state)
{
    struct talk *talk = *state;
    fsw_session_lost(&talk->session);
    talk->session.frame_limit = 2200; /* so that the second watch does not fit into hello */
    json_t *context = json_pack("{s:s,s:o}", "targetingKey", "bo", "note", json_stringn("", 0));
    char *long_text = calloc(1, 1500);
    memset(long_text, 'x', 1499);
    json_object_set_new(context, "note", json_string(long_text));
    free(long_text);
    struct fsw_watch *bo = fsw_session_add(&talk->session, context, NULL, false);
    fsw_watch_unref(bo);
    script_connect(&talk->session, T0 + 1000, "e1");
    script_feed(&talk->session, T0 + 1000, GRANT(0, 40));
    assert_true(script_granted(&talk->session, talk->ada, T0 + 1000 + LEASE - 1));
    assert_false(bo->in_hello);
    assert_int_equal(script_standing(&talk->session, bo, "a", T0 + 1000), FSW_SAFE);
    assert_string_equal(script_said(&talk->session, T0 + 1000, NULL), "watch");
    script_feed(&talk->session, T0 + 1000, SNAPSHOT(2, 40, ACCESS("true")));
    assert_true(script_granted(&talk->session, bo, T0 + 1000));

    /* Now it holds values, and again does not fit: they live on under the last lease, not under the next. */
    fsw_session_lost(&talk->session);
    talk->session.frame_limit = 2200;
    script_connect(&talk->session, T0 + 2000, "e1");
    script_feed(&talk->session, T0 + 2000, GRANT(0, 40));
    assert_true(script_granted(&talk->session, bo, T0 + 1000 + LEASE - 1));
    assert_false(script_granted(&talk->session, bo, T0 + 1000 + LEASE));
    assert_true(script_granted(&talk->session, talk->ada, T0 + 1000 + LEASE));
}

static void a_once_watch_is_answered_once_and_not_asked_for_again(void **state)
{
    struct talk *talk = *state;
    struct fsw_watch *once =
        fsw_session_add(&talk->session, json_pack("{s:s}", "targetingKey", "bo"), NULL, true);
    fsw_watch_unref(once);
    assert_string_equal(script_said(&talk->session, T0, NULL), "watch");
    script_feed(
        &talk->session, T0,
        "{\"type\":\"snapshot\",\"watch\":2,\"view\":\"v\",\"revision\":40,\"once\":true,\"flags\":[" ACCESS(
            "true") "]}");
    assert_int_equal(script_standing(&talk->session, once, "a", T0 + 10 * LEASE), FSW_ONCE);
    fsw_session_lost(&talk->session);
    fsw_session_opened(&talk->session, T0);
    json_t *hello;
    script_said(&talk->session, T0, &hello);
    assert_int_equal(json_array_size(json_object_get(hello, "watches")), 1);
    json_decref(hello);
}

static void a_revoked_credential_ends_the_lease_at_once(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, "{\"type\":\"goaway\",\"code\":\"revoked\"}");
    assert_false(script_granted(&talk->session, talk->ada, T0));
    assert_int_equal(fsw_session_state(&talk->session, T0), FSW_LEASE_OVER);
}

static void after_it_was_revoked_no_lease_is_taken_on_that_connection(void **state)
{
    struct talk *talk = *state;
    assert_string_equal(script_said(&talk->session, T0 + 10000, NULL), "renew");
    script_feed(&talk->session, T0 + 10000, "{\"type\":\"goaway\",\"code\":\"revoked\",\"drain\":1000}");
    script_feed(&talk->session, T0 + 10000, SNAPSHOT(1, 41, ACCESS("true")));
    assert_false(script_granted(&talk->session, talk->ada, T0 + 10000));
    script_refused(&talk->session, T0 + 10000, GRANT(1, 41));
    assert_false(script_granted(&talk->session, talk->ada, T0 + 10000));
}

/* Of two watches as large as these, hello has room for one only. */
static struct fsw_watch *large_watch(struct fsw_session *session, int letter)
{
    char subject[40001];
    memset(subject, letter, sizeof subject - 1);
    subject[sizeof subject - 1] = '\0';
    return script_watch(session, subject);
}

static void what_was_revoked_is_not_back_with_a_lease_that_does_not_speak_for_it(void **state)
{
    struct talk *talk = *state;
    struct fsw_watch *bo = large_watch(&talk->session, 'b'), *cy = large_watch(&talk->session, 'c');
    assert_string_equal(script_said(&talk->session, T0, NULL), "watch");
    assert_string_equal(script_said(&talk->session, T0, NULL), "watch");
    script_feed(&talk->session, T0, SNAPSHOT(2, 40, ACCESS("true")));
    script_feed(&talk->session, T0, SNAPSHOT(3, 40, ACCESS("true")));
    assert_true(script_granted(&talk->session, cy, T0));
    script_feed(&talk->session, T0, "{\"type\":\"goaway\",\"code\":\"revoked\"}");
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0, "e1");
    script_feed(&talk->session, T0, GRANT(0, 40));
    assert_true(script_granted(&talk->session, talk->ada, T0) && script_granted(&talk->session, bo, T0));
    assert_false(script_granted(&talk->session, cy, T0));
    script_said(&talk->session, T0, NULL); /* watch */
    script_feed(&talk->session, T0, SNAPSHOT(3, 40, ACCESS("true")));
    assert_true(script_granted(&talk->session, cy, T0));
}

int main(void)
{
#define IN_TALK(TEST) cmocka_unit_test_setup_teardown(TEST, script_leased, script_over)
    const struct CMUnitTest tests[] = {
        IN_TALK(a_leased_value_is_fresh_until_the_lease_is_over),
        IN_TALK(when_the_lease_is_over_other_flags_keep_their_last_value_stale),
        IN_TALK(a_flag_that_the_watch_does_not_see_is_absent),
        IN_TALK(a_new_watch_gives_known_safe_values_until_its_snapshot),
        IN_TALK(safe_values_of_flags_that_nobody_holds_are_forgotten_with_the_next_connection),
        cmocka_unit_test(a_snapshot_before_any_lease_does_not_grant),
        IN_TALK(a_lost_connection_leaves_values_leased),
        IN_TALK(a_resume_with_nothing_changed_is_leased_again),
        IN_TALK(the_resume_point_is_where_the_last_lease_stood),
        IN_TALK(another_epoch_covers_nothing_before_its_snapshots),
        IN_TALK(a_lease_on_a_new_connection_does_not_cover_what_was_not_asked_for_there),
        IN_TALK(a_once_watch_is_answered_once_and_not_asked_for_again),
        IN_TALK(a_revoked_credential_ends_the_lease_at_once),
        IN_TALK(after_it_was_revoked_no_lease_is_taken_on_that_connection),
        IN_TALK(what_was_revoked_is_not_back_with_a_lease_that_does_not_speak_for_it),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

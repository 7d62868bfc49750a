/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The session where the transcripts do not reach: what is applied, said and refused.
 */
#include "script.h"

#include <stdlib.h>
#include <string.h>

static void an_open_revision_is_not_seen_not_acknowledged_and_not_kept(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, OPEN_DELTA(42, CHANGED(1, ACCESS("false"))));
    assert_true(script_granted(&talk->session, talk->ada, T0));
    script_says(&talk->session, T0, NULL);
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0, "e1");
    assert_int_equal(talk->session.revision, 40);
    script_feed(&talk->session, T0, DELTA(43, CHANGED(1, PLAIN("y"))));
    assert_true(script_granted(&talk->session, talk->ada, T0));
}

static void one_revision_over_two_watches_takes_effect_together(void **state)
{
    struct talk *talk = *state;
    struct fsw_watch *bo = script_watch(&talk->session, "bo");
    script_said(&talk->session, T0, NULL);
    script_feed(&talk->session, T0, SNAPSHOT(2, 40, ACCESS("true")));
    script_feed(&talk->session, T0, OPEN_DELTA(41, CHANGED(1, ACCESS("false"))));
    script_feed(&talk->session, T0, OPEN_DELTA(41, CHANGED(2, ACCESS("false"))));
    assert_true(script_granted(&talk->session, talk->ada, T0) && script_granted(&talk->session, bo, T0));
    script_feed(&talk->session, T0, DELTA(41, CHANGED(1, PLAIN("y"))));
    assert_false(script_granted(&talk->session, talk->ada, T0) || script_granted(&talk->session, bo, T0));
}

static void several_revisions_are_acknowledged_by_the_newest(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, DELTA(41, CHANGED(1, ACCESS("false"))));
    script_feed(&talk->session, T0, DELTA(45, CHANGED(1, ACCESS("true"))));
    script_says(&talk->session, T0, "{\"type\":\"ack\",\"revision\":45}");
    script_says(&talk->session, T0, NULL);
}

static void a_delta_for_an_unknown_watch_still_moves_the_revision(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, DELTA(41, CHANGED(7, ACCESS("false"))));
    script_says(&talk->session, T0, "{\"type\":\"ack\",\"revision\":41}");
    assert_true(script_granted(&talk->session, talk->ada, T0));
}

static void frames_and_members_that_are_unknown_are_ignored(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0, "{\"type\":\"news\",\"from\":\"tomorrow\"}");
    script_feed(
        &talk->session, T0,
        "{\"type\":\"delta\",\"revision\":41,\"later\":[1],\"watches\":[" CHANGED(1, PLAIN("y")) "]}");
    assert_true(script_granted(&talk->session, talk->ada, T0));
}

static void what_breaks_the_protocol_is_refused_and_the_next_hello_resumes_nothing(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",
        "[]",
        "{}",
        "nonsense",
        "{\"type\":7}",
        "{\"type\":\"lease\",\"type\":\"lease\"}",
        WELCOME("e1"),
        DELTA(40, CHANGED(1, ACCESS("false"))),
        DELTA(39, CHANGED(1, ACCESS("false"))),
        SNAPSHOT(1, 39, ACCESS("false")),
        "{\"type\":\"delta\",\"revision\":41}",
        "{\"type\":\"delta\",\"revision\":41,\"watches\":[{}]}",
        "{\"type\":\"delta\",\"revision\":-1,\"watches\":[]}",
        "{\"type\":\"delta\",\"revision\":9007199254740992,\"watches\":[]}",
        "{\"type\":\"snapshot\",\"watch\":1,\"revision\":41,\"flags\":[]}",
        "{\"type\":\"snapshot\",\"watch\":1,\"view\":\"v\",\"revision\":41}",
        DELTA(41, CHANGED(1, "{\"key\":\"a\"}")),
        GRANT(0, 40),
        GRANT(1, 40),
        GRANT(0, 39),
        "{\"type\":\"lease\",\"n\":0}",
        "{\"type\":\"error\",\"message\":\"m\"}",
        "{\"type\":\"goaway\"}",
    };
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *other;
        script_leased(&other);
        struct talk *talk = other;
        script_refused(&talk->session, T0, bad[i]);
        script_says(&talk->session, T0, NULL);
        assert_true(
            script_granted(&talk->session, talk->ada, T0)); /* under the lease that was granted before */
        fsw_session_lost(&talk->session);
        fsw_session_opened(&talk->session, T0);
        json_t *hello;
        assert_string_equal(script_said(&talk->session, T0, &hello), "hello");
        assert_null(json_object_get(hello, "resume"));
        json_decref(hello);
        script_feed(&talk->session, T0, WELCOME("e1"));
        script_feed(&talk->session, T0, SNAPSHOT(1, 3, ACCESS("false")));
        script_feed(&talk->session, T0, GRANT(0, 3));
        assert_false(script_granted(&talk->session, talk->ada, T0));
        script_over(&other);
    }
}

static void an_open_revision_is_finished_before_a_lease_or_another(void **state)
{
    (void)state;
    static const char *const bad[] = {GRANT(1, 42), DELTA(43, CHANGED(1, ACCESS("false"))),
                                      SNAPSHOT(1, 43, "")};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        void *other;
        script_leased(&other);
        struct talk *talk = other;
        script_said(&talk->session, T0 + 10000, NULL);
        script_feed(&talk->session, T0 + 10000, OPEN_DELTA(42, CHANGED(1, ACCESS("false"))));
        script_refused(&talk->session, T0 + 10000, bad[i]);
        script_over(&other);
    }
}

static void what_is_buffered_of_an_open_revision_has_a_limit(void **state)
{
    struct talk *talk = *state;
    talk->session.max_open = 1000;
    script_feed(&talk->session, T0, OPEN_DELTA(42, CHANGED(1, ACCESS("false"))));
    int code = 0;
    const char *part = OPEN_DELTA(42, CHANGED(1, PLAIN("y")));
    for (int i = 0; i < 20 && code == 0; i++) {
        code = fsw_session_receive(&talk->session, part, strlen(part), T0, 0);
    }
    assert_int_equal(code, FSW_CLOSE_BAD_FRAME);
}

static void any_other_goaway_leaves_it_and_is_kept_for_the_reconnect(void **state)
{
    struct talk *talk = *state;
    int64_t again;
    script_feed(&talk->session, T0,
                "{\"type\":\"goaway\",\"code\":\"drain\",\"drain\":2000,\"reconnectAfter\":500}");
    assert_true(script_granted(&talk->session, talk->ada, T0));
    assert_int_equal(talk->session.not_before, T0 + 500);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 2999, &again), FSW_NOTHING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 3000, &again), FSW_DROP);
}

static void a_goaway_keeps_a_client_away_for_ten_minutes_at_most(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0,
                "{\"type\":\"goaway\",\"code\":\"drain\",\"reconnectAfter\":9007199254740991}");
    assert_int_equal(talk->session.not_before, T0 + 600000);
}

static void an_error_that_names_a_watch_takes_what_it_held(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0,
                "{\"type\":\"error\",\"code\":\"forbidden\",\"message\":\"m\",\"watch\":1}");
    assert_int_equal(script_standing(&talk->session, talk->ada, "a", T0), FSW_SAFE);
    assert_int_equal(script_standing(&talk->session, talk->ada, "t", T0), FSW_UNKNOWN);
    struct fsw_event *event;
    while ((event = fsw_session_event(&talk->session)) != NULL && !event->is_error) {
        fsw_event_free(event);
    }
    assert_non_null(event);
    assert_false(event->retried);
    fsw_event_free(event);
    script_feed(&talk->session, T0, DELTA(41, CHANGED(1, ACCESS("true"))));
    assert_false(script_granted(&talk->session, talk->ada, T0));
}

static void a_watch_that_could_not_be_served_is_asked_for_again(void **state)
{
    struct talk *talk = *state;
    int64_t again;
    script_feed(&talk->session, T0,
                "{\"type\":\"error\",\"code\":\"unavailable\",\"message\":\"m\",\"watch\":1}");
    script_says(&talk->session, T0, NULL);
    fsw_session_tick(&talk->session, T0 + 1999, &again);
    script_says(&talk->session, T0 + 1999, NULL);
    fsw_session_tick(&talk->session, T0 + 2000, &again);
    assert_string_equal(script_said(&talk->session, T0 + 2000, NULL), "watch");
}

static void a_refused_duplicate_leaves_the_running_watch(void **state)
{
    struct talk *talk = *state;
    script_feed(&talk->session, T0,
                "{\"type\":\"error\",\"code\":\"duplicate_watch\",\"message\":\"m\",\"watch\":1}");
    assert_true(script_granted(&talk->session, talk->ada, T0));
}

static void a_removed_watch_is_unwatched_once_and_its_id_never_comes_back(void **state)
{
    struct talk *talk = *state;
    fsw_session_remove(&talk->session, talk->ada);
    script_says(&talk->session, T0, "{\"type\":\"unwatch\",\"watch\":1}");
    script_says(&talk->session, T0, NULL);
    assert_int_equal(script_watch(&talk->session, "ada")->id, 2);
}

static void a_watch_removed_before_it_was_asked_for_is_never_mentioned(void **state)
{
    struct talk *talk = *state;
    fsw_session_remove(&talk->session, script_watch(&talk->session, "bo"));
    script_says(&talk->session, T0, NULL);
}

static void a_watch_removed_without_connection_is_not_in_the_next_hello(void **state)
{
    struct talk *talk = *state;
    fsw_session_lost(&talk->session);
    fsw_session_remove(&talk->session, talk->ada);
    fsw_session_opened(&talk->session, T0);
    script_says(&talk->session, T0,
                "{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\",\"client\":{\"name\":\"flagstaff-wire\","
                "\"version\":\"0\"}}");
}

/* The next event that tells of an error has this code; those before it are passed over. */
static void assert_error(struct fsw_session *session, const char *code)
{
    struct fsw_event *event;
    while ((event = fsw_session_event(session)) != NULL && !event->is_error) {
        fsw_event_free(event);
    }
    assert_non_null(event);
    assert_string_equal(json_string_value(json_object_get(event->error, "code")), code);
    assert_false(event->retried);
    fsw_event_free(event);
}

static struct fsw_watch *watch_of_size(struct fsw_session *session, size_t size)
{
    char *subject = calloc(1, size + 1);
    memset(subject, 'x', size);
    struct fsw_watch *watch = script_watch(session, subject);
    free(subject);
    return watch;
}

/* The server would close the connection of all subjects, and of the next one again. */
static void a_watch_that_is_too_large_for_a_frame_is_refused_here(void **state)
{
    struct talk *talk = *state;
    struct fsw_watch *large = watch_of_size(&talk->session, 70000);
    assert_error(&talk->session, "bad_context");
    script_says(&talk->session, T0, NULL);
    assert_true(fsw_session_answered(&talk->session));
    fsw_session_lost(&talk->session);
    script_connect(&talk->session, T0, "e1");
    script_says(&talk->session, T0, NULL);
    assert_true(large->refused && fsw_session_answered(&talk->session));
    fsw_session_remove(&talk->session, large);
    script_says(&talk->session, T0, NULL);
}

static void a_watch_with_a_zero_byte_is_refused_here(void **state)
{
    struct talk *talk = *state;
    json_t *context = json_pack("{s:s,s:[s%]}", "targetingKey", "bo", "notes", "a\0b", (size_t)3);
    struct fsw_watch *watch = fsw_session_add(&talk->session, context, NULL, false);
    assert_error(&talk->session, "bad_context");
    script_says(&talk->session, T0, NULL);
    fsw_watch_unref(watch);
}

static void a_watch_that_is_too_large_for_hello_has_a_frame_of_its_own(void **state)
{
    struct talk *talk = *state;
    json_t *hello;
    watch_of_size(&talk->session, 65000);
    fsw_session_lost(&talk->session);
    fsw_session_opened(&talk->session, T0);
    assert_string_equal(script_said(&talk->session, T0, &hello), "hello");
    assert_int_equal(json_array_size(json_object_get(hello, "watches")), 1);
    json_decref(hello);
    script_feed(&talk->session, T0, WELCOME("e1"));
    assert_string_equal(script_said(&talk->session, T0, NULL), "watch");
}

static void what_the_server_takes_decides_whether_a_watch_is_too_large(void **state)
{
    (void)state;
    static const char small[] =
        "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\",\"session\":\"s\",\"epoch\":"
        "\"e1\",\"lease\":30000,\"limits\":{\"frame\":4096}}";
    struct fsw_session session;
    fsw_session_init(&session);
    fsw_session_opened(&session, T0);
    script_said(&session, T0, NULL);
    watch_of_size(&session, 5000);
    script_feed(&session, T0, small);
    assert_error(&session, "bad_context");
    script_says(&session, T0, NULL);
    fsw_session_lost(&session);
    script_connect(&session, T0, "e2"); /* a daemon that takes more */
    assert_string_equal(script_said(&session, T0, NULL), "watch");
    fsw_session_finish(&session);
}

static void a_connection_that_was_ended_for_what_it_said_did_not_work(void **state)
{
    struct talk *talk = *state;
    assert_true(fsw_session_worked(&talk->session, 1006));
    assert_true(fsw_session_worked(&talk->session, 1001));
    assert_false(fsw_session_worked(&talk->session, FSW_CLOSE_TOO_LARGE));
    assert_false(fsw_session_worked(&talk->session, FSW_CLOSE_BAD_FRAME));
    script_refused(&talk->session, T0, "nonsense");
    assert_false(fsw_session_worked(&talk->session, 1006));
    fsw_session_lost(&talk->session);
    assert_false(fsw_session_worked(&talk->session, 1006));
}

static void ids_that_run_out_begin_anew_with_the_next_connection(void **state)
{
    struct talk *talk = *state;
    json_t *hello;
    talk->session.last_id = UINT32_MAX - 1;
    struct fsw_watch *bo = script_watch(&talk->session, "bo");
    assert_null(fsw_session_add(&talk->session, json_object(), NULL, false));
    fsw_session_lost(&talk->session);
    fsw_session_opened(&talk->session, T0);
    assert_true(talk->ada->id == 1 && bo->id == 2);
    assert_string_equal(script_said(&talk->session, T0, &hello), "hello");
    assert_null(json_object_get(hello, "resume"));
    assert_int_equal(json_array_size(json_object_get(hello, "watches")), 2);
    json_decref(hello);
    script_feed(&talk->session, T0, WELCOME("e1"));
    script_feed(&talk->session, T0, SNAPSHOT(2, 41, ACCESS("true")));
    assert_ptr_equal(fsw_session_find(&talk->session, 2), bo);
    assert_int_equal(script_watch(&talk->session, "cy")->id, 3);
}

static void nothing_but_hello_is_said_before_welcome(void **state)
{
    (void)state;
    struct fsw_session session;
    fsw_session_init(&session);
    script_says(&session, T0, NULL);
    fsw_session_opened(&session, T0);
    assert_string_equal(script_said(&session, T0, NULL), "hello");
    script_watch(&session, "ada");
    script_says(&session, T0 + 100000, NULL);
    script_refused(&session, T0, GRANT(0, 0));
    fsw_session_finish(&session);
}

static void a_server_that_does_not_welcome_is_left(void **state)
{
    (void)state;
    struct fsw_session session;
    int64_t again;
    fsw_session_init(&session);
    fsw_session_opened(&session, T0);
    script_said(&session, T0, NULL);
    assert_int_equal(fsw_session_tick(&session, T0 + 9999, &again), FSW_NOTHING);
    assert_int_equal(again, T0 + 10000);
    assert_int_equal(fsw_session_tick(&session, T0 + 10000, &again), FSW_DROP);
    fsw_session_finish(&session);
}

static void a_quiet_connection_is_pinged_once_and_then_left(void **state)
{
    struct talk *talk = *state;
    int64_t again;
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 9999, &again), FSW_NOTHING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 10000, &again), FSW_PING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 10001, &again), FSW_NOTHING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 19999, &again), FSW_NOTHING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 20000, &again), FSW_DROP);
    fsw_session_heard(&talk->session, T0 + 20000);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 20000, &again), FSW_NOTHING);
    assert_int_equal(fsw_session_tick(&talk->session, T0 + 30000, &again), FSW_PING);
}

static void the_first_snapshot_tells_all_flags_and_a_delta_tells_the_changed_ones(void **state)
{
    struct talk *talk = *state;
    struct fsw_event *event = fsw_session_event(&talk->session);
    assert_true(event->change.snapshot && event->change.count == 2 && event->change.flips[0].before == NULL);
    fsw_event_free(event);
    script_feed(&talk->session, T0, DELTA(41, CHANGED(1, ACCESS("false") "," PLAIN("x"))));
    event = fsw_session_event(&talk->session);
    assert_true(!event->change.snapshot && event->change.count == 1 && event->change.revision == 41);
    assert_true(event->change.flips[0].before->value.as.boolean &&
                !event->change.flips[0].after->value.as.boolean);
    fsw_event_free(event);
    script_feed(&talk->session, T0, DELTA(42, CHANGED(1, PLAIN("x"))));
    assert_null(fsw_session_event(&talk->session)); /* nothing that a reader sees has changed */
}

int main(void)
{
#define IN_TALK(TEST) cmocka_unit_test_setup_teardown(TEST, script_leased, script_over)
    const struct CMUnitTest tests[] = {
        IN_TALK(an_open_revision_is_not_seen_not_acknowledged_and_not_kept),
        IN_TALK(one_revision_over_two_watches_takes_effect_together),
        IN_TALK(several_revisions_are_acknowledged_by_the_newest),
        IN_TALK(a_delta_for_an_unknown_watch_still_moves_the_revision),
        IN_TALK(frames_and_members_that_are_unknown_are_ignored),
        cmocka_unit_test(what_breaks_the_protocol_is_refused_and_the_next_hello_resumes_nothing),
        cmocka_unit_test(an_open_revision_is_finished_before_a_lease_or_another),
        IN_TALK(what_is_buffered_of_an_open_revision_has_a_limit),
        IN_TALK(any_other_goaway_leaves_it_and_is_kept_for_the_reconnect),
        IN_TALK(a_goaway_keeps_a_client_away_for_ten_minutes_at_most),
        IN_TALK(an_error_that_names_a_watch_takes_what_it_held),
        IN_TALK(a_watch_that_could_not_be_served_is_asked_for_again),
        IN_TALK(a_refused_duplicate_leaves_the_running_watch),
        IN_TALK(a_removed_watch_is_unwatched_once_and_its_id_never_comes_back),
        IN_TALK(a_watch_removed_before_it_was_asked_for_is_never_mentioned),
        IN_TALK(a_watch_removed_without_connection_is_not_in_the_next_hello),
        IN_TALK(a_watch_that_is_too_large_for_a_frame_is_refused_here),
        IN_TALK(a_watch_with_a_zero_byte_is_refused_here),
        IN_TALK(a_watch_that_is_too_large_for_hello_has_a_frame_of_its_own),
        cmocka_unit_test(what_the_server_takes_decides_whether_a_watch_is_too_large),
        IN_TALK(a_connection_that_was_ended_for_what_it_said_did_not_work),
        IN_TALK(ids_that_run_out_begin_anew_with_the_next_connection),
        cmocka_unit_test(nothing_but_hello_is_said_before_welcome),
        cmocka_unit_test(a_server_that_does_not_welcome_is_left),
        IN_TALK(a_quiet_connection_is_pinged_once_and_then_left),
        IN_TALK(the_first_snapshot_tells_all_flags_and_a_delta_tells_the_changed_ones),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

#define FACTS(rest) EVENT("flagstaff.facts", rest)

static struct fs_event *only(struct fs_events *events, const char *body)
{
    struct fs_events_options options = some_options(NULL);
    struct fs_err err = {0};
    if (!read_events(STRUCTURED, body, &options, events, &err))
        fail_msg("%s: %s", body, err.text);
    assert_int_equal(events->count, 1);
    return events->items[0];
}

static void a_recompute_without_data_is_about_everything(void **state)
{
    (void)state;
    static const char *const bodies[] = {EVENT("flagstaff.recompute", ""),
                                         EVENT("flagstaff.recompute", ",\"data\":null"),
                                         EVENT("flagstaff.recompute", ",\"data\":{}")};
    for (size_t i = 0; i < 3; i++) {
        struct fs_events events;
        const struct fs_event *event = only(&events, bodies[i]);
        assert_true(event->recompute);
        assert_null(event->filter.subjects);
        assert_null(event->filter.flags);
        assert_string_equal(event->credential, "k1");
        assert_int_equal(event->time, 0);
        fs_events_finish(&events);
    }
}

static void a_recompute_names_what_it_is_about(void **state)
{
    (void)state;
    struct fs_events events;
    const struct fs_event *event =
        only(&events, EVENT("flagstaff.recompute",
                            ",\"time\":\"2026-11-28T00:00:00Z\",\"data\":{\"subjects\":[\"ada\",\"bob\"],"
                            "\"sources\":[\"opa\"],\"paths\":[\"a/b\"],\"flags\":[\"f\"]}"));
    assert_string_equal(event->filter.subjects[1], "bob");
    assert_null(event->filter.subjects[2]);
    assert_string_equal(event->filter.sources[0], "opa");
    assert_string_equal(event->filter.paths[0], "a/b");
    assert_string_equal(event->filter.flags[0], "f");
    assert_true(event->time > NOW - 3 * DAY && event->time < NOW);
    fs_events_finish(&events);
}

static void a_recompute_that_is_misspelled_does_not_widen_to_everything(void **state)
{
    (void)state;
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":{\"subject\":[\"ada\"]}"), FS_ERR_INVALID,
            "did you mean 'subjects'");
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":{\"subjects\":[]}"), FS_ERR_INVALID,
            "data.subjects");
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":{\"subjects\":[\"\"]}"), FS_ERR_INVALID,
            "item 0");
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":{\"subjects\":\"ada\"}"), FS_ERR_INVALID,
            "data.subjects");
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":[]"), FS_ERR_INVALID, "object");
}

static void facts_are_set_and_removed(void **state)
{
    (void)state;
    struct fs_events events;
    const struct fs_event *event = only(&events, FACTS(",\"data\":{\"subject\":\"ada\",\"facts\":{\"risk\":"
                                                       "\"high\",\"tier\":null},\"remove\":[\"badge\"],"
                                                       "\"expires\":\"2030-01-01T00:00:00Z\"}"));
    assert_false(event->recompute);
    assert_int_equal(event->fact_count, 3);
    assert_string_equal(event->facts[0].subject, "ada");
    for (size_t i = 0; i < 3; i++) {
        const struct fs_fact_change *change = &event->facts[i];
        bool set = strcmp(change->fact, "risk") == 0;
        assert_true(set == (change->value != NULL));
        assert_true(set == (change->expires == INT64_C(1893456000000)));
    }
    fs_events_finish(&events);
}

static void the_subject_may_be_the_events_own(void **state)
{
    (void)state;
    struct fs_events events;
    const struct fs_event *event =
        only(&events, FACTS(",\"subject\":\"eve\",\"data\":{\"facts\":{\"risk\":1}}"));
    assert_string_equal(event->facts[0].subject, "eve");
    fs_events_finish(&events);
}

static void many_subjects_change_in_one_event(void **state)
{
    (void)state;
    struct fs_events events;
    const struct fs_event *event =
        only(&events, FACTS(",\"data\":{\"changes\":[{\"subject\":\"a\",\"facts\":{\"x\":1}},"
                            "{\"subject\":\"b\",\"remove\":[\"x\"]}]}"));
    assert_int_equal(event->fact_count, 2);
    assert_string_equal(event->facts[1].subject, "b");
    assert_null(event->facts[1].value);
    fs_events_finish(&events);
}

static void a_ttl_counts_from_the_events_time(void **state)
{
    (void)state;
    struct fs_events events;
    const struct fs_event *event =
        only(&events, FACTS(",\"time\":\"2026-11-28T00:00:00Z\",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":"
                            "1},\"ttl\":\"1h\"}"));
    assert_int_equal(event->facts[0].expires, event->time + 3600000);
    fs_events_finish(&events);
    event = only(&events, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"ttl\":\"1h\"}"));
    assert_int_equal(event->facts[0].expires, NOW + 3600000);
    fs_events_finish(&events);
}

static void an_event_sent_again_later_has_the_same_content(void **state)
{
    (void)state;
    struct fs_events_options options = some_options(NULL);
    struct fs_events first, again, other;
    const char *body =
        FACTS(",\"traceparent\":\"a\",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"ttl\":\"1h\"}");
    const char *same =
        FACTS(",\"traceparent\":\"b\",\"data\":{\"ttl\":\"1h\",\"facts\":{\"x\":1.0},\"subject\":\"a\"}");
    const char *differs = FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":2},\"ttl\":\"1h\"}");
    assert_true(read_events(STRUCTURED, body, &options, &first, NULL));
    options.now += 1000;
    assert_true(read_events(STRUCTURED, same, &options, &again, NULL));
    assert_true(read_events(STRUCTURED, differs, &options, &other, NULL));
    assert_true(fs_sha256_equal(&first.contents[0], &again.contents[0]));
    assert_false(fs_sha256_equal(&first.contents[0], &other.contents[0]));
    fs_events_finish(&first);
    fs_events_finish(&again);
    fs_events_finish(&other);
}

static void facts_that_are_not_clear_are_refused(void **state)
{
    (void)state;
    refuses(STRUCTURED, FACTS(""), FS_ERR_INVALID, "data: expected a JSON object");
    refuses(STRUCTURED, FACTS(",\"data\":{\"facts\":{\"x\":1}}"), FS_ERR_INVALID, "whose facts");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"\",\"facts\":{\"x\":1}}"), FS_ERR_INVALID,
            "data: subject");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x y\":1}}"), FS_ERR_INVALID,
            "data: facts: x y");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{}}"), FS_ERR_INVALID, "no fact");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\"}"), FS_ERR_INVALID, "nothing would change");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"expire\":\"x\"}"),
            FS_ERR_INVALID, "did you mean 'expires'");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"expires\":\"soon\"}"),
            FS_ERR_INVALID, "expires");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"ttl\":\"0s\"}"),
            FS_ERR_INVALID, "ttl");
    refuses(STRUCTURED,
            FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"ttl\":\"1s\",\"expires\":\"2030-01-"
                  "01T00:00:00Z\"}"),
            FS_ERR_INVALID, "not both");
    refuses(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1},\"remove\":[\"x\"]}"),
            FS_ERR_INVALID, "twice");
    refuses(STRUCTURED,
            FACTS(",\"data\":{\"changes\":[{\"subject\":\"a\",\"facts\":{\"x\":1}},{\"subject\":\"a\","
                  "\"facts\":1}]}"),
            FS_ERR_INVALID, "data: changes[1]: facts");
    refuses(STRUCTURED, FACTS(",\"data\":{\"changes\":[],\"subject\":\"a\"}"), FS_ERR_INVALID,
            "beside changes");
}

static void an_event_from_the_future_or_from_beyond_memory_is_refused(void **state)
{
    (void)state;
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"time\":\"2026-12-30T00:00:00Z\""), FS_ERR_INVALID,
            "ahead");
    refuses(STRUCTURED, EVENT("flagstaff.recompute", ",\"time\":\"2026-11-01T00:00:00Z\""), FS_ERR_INVALID,
            "older than 7d");
    char time[32], body[256];
    struct fs_events_options options = some_options(NULL);
    struct fs_events events;
    snprintf(body, sizeof body, EVENT("flagstaff.recompute", ",\"time\":\"%s\""),
             fs_format_rfc3339(NOW + 59000, time));
    assert_true(read_events(STRUCTURED, body, &options, &events, NULL));
    fs_events_finish(&events);
}

static void a_type_that_is_nobodys_says_so(void **state)
{
    (void)state;
    refuses(STRUCTURED, EVENT("com.example.x", ""), FS_ERR_INVALID, "is not mapped");
    refuses(STRUCTURED, EVENT("flagstaff.fact", ""), FS_ERR_INVALID, "did you mean flagstaff.facts");
}

static void the_values_limit_holds(void **state)
{
    (void)state;
    struct fs_events_options options = some_options(NULL);
    struct fs_events events;
    struct fs_err err = {0};
    options.limits.value = 4;
    assert_false(read_events(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":\"long\"}}"),
                             &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
    options.limits.facts = 1;
    assert_false(read_events(STRUCTURED, FACTS(",\"data\":{\"subject\":\"a\",\"facts\":{\"x\":1,\"y\":1}}"),
                             &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_recompute_without_data_is_about_everything),
        cmocka_unit_test(a_recompute_names_what_it_is_about),
        cmocka_unit_test(a_recompute_that_is_misspelled_does_not_widen_to_everything),
        cmocka_unit_test(facts_are_set_and_removed),
        cmocka_unit_test(the_subject_may_be_the_events_own),
        cmocka_unit_test(many_subjects_change_in_one_event),
        cmocka_unit_test(a_ttl_counts_from_the_events_time),
        cmocka_unit_test(an_event_sent_again_later_has_the_same_content),
        cmocka_unit_test(facts_that_are_not_clear_are_refused),
        cmocka_unit_test(an_event_from_the_future_or_from_beyond_memory_is_refused),
        cmocka_unit_test(a_type_that_is_nobodys_says_so),
        cmocka_unit_test(the_values_limit_holds),
    };
    return RUN(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static struct fs_mappings *make(const char *json)
{
    struct fs_mistakes mistakes = {0};
    json_t *list = json_loads(json, 0, NULL);
    assert_non_null(list);
    struct fs_mappings *mappings = fs_mappings_create(list, &mistakes);
    if (!mappings)
        fail_msg("%s: %s", json, mistakes.list.items[0].text);
    json_decref(list);
    return mappings;
}

static void is_wrong(const char *json, const char *text)
{
    struct fs_mistakes mistakes = {0};
    json_t *list = json_loads(json, 0, NULL);
    assert_non_null(list);
    assert_null(fs_mappings_create(list, &mistakes));
    json_decref(list);
    struct fs_err err = mistakes.list.items[0];
    fs_mistakes_finish(&mistakes);
    assert_int_equal(err.code, FS_ERR_CONFIG);
    if (!strstr(err.text, text))
        print_error("%s\n", err.text);
    assert_non_null(strstr(err.text, text));
}

static const char hr[] =
    "[{\"type\":\"com.example.hr.*\",\"recompute\":{\"subjects\":[{\"var\":\"data.user\"}],\"flags\":["
    "\"payroll\"],"
    "\"sources\":\"opa\"},\"facts\":[{\"subject\":{\"var\":\"data.user\"},\"fact\":\"department\","
    "\"value\":{\"var\":\"data.department\"},\"ttl\":\"1h\"}]},"
    "{\"type\":\"*\",\"recompute\":{}}]";

static void a_mapped_event_concerns_and_sets_what_its_rules_say(void **state)
{
    (void)state;
    struct fs_mappings *mappings = make(hr);
    struct fs_events_options options = some_options(mappings);
    struct fs_events events;
    struct fs_err err = {0};
    if (!read_events(STRUCTURED,
                     EVENT("com.example.hr.moved", ",\"data\":{\"user\":\"ada\",\"department\":\"ops\"}"),
                     &options, &events, &err))
        fail_msg("%s", err.text);
    const struct fs_event *event = events.items[0];
    assert_string_equal(event->type, "com.example.hr.moved");
    assert_true(event->recompute);
    assert_string_equal(event->filter.subjects[0], "ada");
    assert_null(event->filter.subjects[1]);
    assert_string_equal(event->filter.flags[0], "payroll");
    assert_string_equal(event->filter.sources[0], "opa");
    assert_null(event->filter.paths);
    assert_int_equal(event->fact_count, 1);
    assert_string_equal(event->facts[0].subject, "ada");
    assert_string_equal(json_string_value(event->facts[0].value), "ops");
    assert_int_equal(event->facts[0].expires, NOW + 3600000);
    fs_events_finish(&events);
    fs_mappings_destroy(mappings);
}

static void the_first_mapping_that_fits_counts(void **state)
{
    (void)state;
    struct fs_mappings *mappings = make(hr);
    struct fs_events_options options = some_options(mappings);
    struct fs_events events;
    assert_true(read_events(STRUCTURED, EVENT("org.other", ""), &options, &events, NULL));
    assert_true(events.items[0]->recompute);
    assert_null(events.items[0]->filter.subjects);
    assert_int_equal(events.items[0]->fact_count, 0);
    fs_events_finish(&events);
    fs_mappings_destroy(mappings);
}

static void a_rule_that_gives_nothing_refuses_the_event_instead_of_widening_it(void **state)
{
    (void)state;
    struct fs_mappings *mappings = make(hr);
    struct fs_events_options options = some_options(mappings);
    struct fs_events events;
    struct fs_err err = {0};
    assert_false(
        read_events(STRUCTURED, EVENT("com.example.hr.moved", ",\"data\":{}"), &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_INVALID);
    assert_non_null(strstr(err.text, "mapping com.example.hr.*: recompute.subjects"));
    assert_false(read_events(STRUCTURED, EVENT("com.example.hr.moved", ",\"data\":{\"user\":7}"), &options,
                             &events, &err));
    fs_mappings_destroy(mappings);
}

static void a_null_value_removes_the_fact(void **state)
{
    (void)state;
    struct fs_mappings *mappings =
        make("[{\"type\":\"x\",\"facts\":[{\"subject\":{\"var\":\"subject\"},\"fact\":\"f\",\"value\":{"
             "\"var\":\"data.v\"}},"
             "{\"subject\":{\"var\":\"subject\"},\"fact\":\"g\",\"value\":null},"
             "{\"subject\":\"all\",\"fact\":\"kind\",\"value\":{\"from\":{\"var\":\"type\"}}}]}]");
    struct fs_events_options options = some_options(mappings);
    struct fs_events events;
    assert_true(read_events(STRUCTURED, EVENT("x", ",\"subject\":\"ada\",\"data\":{\"v\":null}"), &options,
                            &events, NULL));
    assert_null(events.items[0]->facts[0].value);
    assert_null(events.items[0]->facts[1].value);
    assert_string_equal(events.items[0]->facts[2].subject, "all");
    assert_string_equal(fs_json_text(events.items[0]->facts[2].value, "from"), "x");
    fs_events_finish(&events);
    fs_mappings_destroy(mappings);
}

static void a_mapping_sees_the_data_of_binary_mode_too(void **state)
{
    (void)state;
    struct fs_mappings *mappings =
        make("[{\"type\":\"x\",\"recompute\":{\"subjects\":{\"var\":\"data.who\"}}}]");
    struct fs_events_options options = some_options(mappings);
    struct fs_events_header headers[] = {
        {"ce-specversion", "1.0"}, {"ce-id", "1"}, {"ce-source", "/s"}, {"ce-type", "x"}};
    const char *body = "{\"who\":[\"a\",\"b\"]}";
    struct fs_events_request request = {"application/json", headers, 4, body, strlen(body)};
    struct fs_events events;
    assert_true(fs_events_read(&request, &options, &events, NULL));
    assert_string_equal(events.items[0]->filter.subjects[1], "b");
    fs_events_finish(&events);
    fs_mappings_destroy(mappings);
}

static void types_of_our_own_cannot_be_mapped(void **state)
{
    (void)state;
    struct fs_mappings *mappings = make("[{\"type\":\"*\",\"recompute\":{}}]");
    struct fs_events_options options = some_options(mappings);
    struct fs_events events;
    struct fs_err err = {0};
    assert_false(read_events(STRUCTURED, EVENT("flagstaff.strange", ""), &options, &events, &err));
    fs_mappings_destroy(mappings);
    is_wrong("[{\"type\":\"flagstaff.x\",\"recompute\":{}}]", "events.mappings[0]: type");
}

static void a_wrong_mapping_says_where(void **state)
{
    (void)state;
    is_wrong("{}", "events.mappings: expected a list");
    is_wrong("[1]", "events.mappings[0]: expected an object");
    is_wrong("[{\"type\":\"x\",\"recompute\":{}},{\"type\":\"y\"}]", "events.mappings[1]: it has neither");
    is_wrong("[{\"recompute\":{}}]", "type: expected");
    is_wrong("[{\"type\":\"x\",\"recompte\":{}}]", "did you mean 'recompute'");
    is_wrong("[{\"type\":\"x\",\"recompute\":{\"subject\":1}}]", "recompute: subject");
    is_wrong("[{\"type\":\"x\",\"recompute\":{\"subjects\":[{\"if\":[{\"vra\":\"x\"},1,2]}]}}]",
             "recompute: subjects: /0/if");
    is_wrong("[{\"type\":\"x\",\"facts\":[]}]", "facts: expected");
    is_wrong("[{\"type\":\"x\",\"facts\":[{\"subject\":\"a\",\"fact\":\"b c\",\"value\":1}]}]",
             "facts[0]: fact");
    is_wrong("[{\"type\":\"x\",\"facts\":[{\"subject\":\"a\",\"fact\":\"b\"}]}]", "value: it is missing");
    is_wrong("[{\"type\":\"x\",\"facts\":[{\"subject\":\"a\",\"fact\":\"b\",\"value\":1,\"ttl\":60}]}]",
             "ttl");
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    (void)state;
    static const char *const told[] = {
        "events.mappings[0]: typ is not known here", "events.mappings[0]: type: expected",
        "events.mappings[0]: facts[0]: ttl: ", "events.mappings[0]: facts[0]: value: it is missing",
        "events.mappings[1]: recompute: subject is not known here"};
    struct fs_mistakes mistakes = {0};
    json_t *list = json_loads("[{\"typ\":\"x\",\"facts\":[{\"subject\":\"a\",\"fact\":\"b\",\"ttl\":60}]},"
                              "{\"type\":\"x\",\"recompute\":{\"subject\":1}}]",
                              0, NULL);
    assert_null(fs_mappings_create(list, &mistakes));
    assert_int_equal(mistakes.list.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(strstr(mistakes.list.items[i].text, told[i]), mistakes.list.items[i].text);
    fs_mistakes_finish(&mistakes);
    json_decref(list);
}

static void no_mappings_map_nothing(void **state)
{
    (void)state;
    struct fs_mappings *mappings = fs_mappings_create(NULL, NULL);
    assert_null(fs_mappings_find(mappings, "x"));
    fs_mappings_destroy(mappings);
    assert_null(fs_mappings_find(NULL, "x"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_mapped_event_concerns_and_sets_what_its_rules_say),
        cmocka_unit_test(the_first_mapping_that_fits_counts),
        cmocka_unit_test(a_rule_that_gives_nothing_refuses_the_event_instead_of_widening_it),
        cmocka_unit_test(a_null_value_removes_the_fact),
        cmocka_unit_test(a_mapping_sees_the_data_of_binary_mode_too),
        cmocka_unit_test(types_of_our_own_cannot_be_mapped),
        cmocka_unit_test(a_wrong_mapping_says_where),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once),
        cmocka_unit_test(no_mappings_map_nothing),
    };
    return RUN(tests);
}

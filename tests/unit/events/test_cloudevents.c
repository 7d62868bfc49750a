/* SPDX-License-Identifier: Apache-2.0 */
#include "testing.h"

static struct fs_events_limits limits;

static int set_limits(void **state)
{
    (void)state;
    fs_events_limits_init(&limits);
    return 0;
}

static const char *attribute(const struct fs_cloudevents *events, const char *name)
{
    return fs_json_text(events->items[0].attributes, name);
}

static bool read_binary(const struct fs_events_header *headers, size_t count, const char *content_type,
                        const char *body, size_t length, struct fs_cloudevents *out, struct fs_err *err)
{
    struct fs_events_request request = {content_type, headers, count, body, length};
    return fs_cloudevents_read(&request, &limits, out, err);
}

#define BASIC                                                                                                \
    {"ce-specversion", "1.0"}, {"ce-id", "i"}, {"ce-source", "/s"},                                          \
    {                                                                                                        \
        "ce-type", "t"                                                                                       \
    }

static void a_structured_event_keeps_its_attributes_and_data(void **state)
{
    (void)state;
    const char *body =
        EVENT("t", ",\"subject\":\"ada\",\"time\":null,\"ext\":7,\"flag\":true,\"data\":{\"a\":[1]}");
    struct fs_events_request request = {"Application/CloudEvents+JSON; charset=UTF-8", NULL, 0, body,
                                        strlen(body)};
    struct fs_cloudevents events;
    assert_true(fs_cloudevents_read(&request, &limits, &events, NULL));
    assert_int_equal(events.count, 1);
    assert_string_equal(attribute(&events, "subject"), "ada");
    assert_null(json_object_get(events.items[0].attributes, "time"));
    assert_int_equal(json_integer_value(json_object_get(events.items[0].attributes, "ext")), 7);
    assert_int_equal(json_array_size(json_object_get(events.items[0].data, "a")), 1);
    fs_cloudevents_finish(&events);
}

static void a_binary_event_is_told_by_its_headers(void **state)
{
    (void)state;
    struct fs_events_header headers[] = {
        {"host", "x"}, BASIC, {"CE-Subject", "Euro%20%E2%82%AC"}, {"ce-note", "\"a \\\"b\\\"\""}};
    struct fs_cloudevents events;
    assert_true(read_binary(headers, 7, "application/json; charset=utf-8", "{\"x\":1}", 7, &events, NULL));
    assert_string_equal(attribute(&events, "subject"), "Euro \xe2\x82\xac");
    assert_string_equal(attribute(&events, "note"), "a \"b\"");
    assert_string_equal(attribute(&events, "datacontenttype"), "application/json; charset=utf-8");
    assert_true(json_is_object(events.items[0].data));
    fs_cloudevents_finish(&events);
}

static void percent_escapes_are_decoded_once(void **state)
{
    (void)state;
    struct fs_events_header headers[] = {BASIC, {"ce-subject", "100%2525"}};
    struct fs_cloudevents events;
    assert_true(read_binary(headers, 5, NULL, "", 0, &events, NULL));
    assert_string_equal(attribute(&events, "subject"), "100%25");
    fs_cloudevents_finish(&events);
}

static void headers_that_cannot_be_decoded_are_refused(void **state)
{
    (void)state;
    static const char *const values[] = {"%C0%A0", "100%", "%zz", "\"open",
                                         "\"a\"b", "%00",  "%7f", "%EF%BF%BF"};
    for (size_t i = 0; i < sizeof values / sizeof *values; i++) {
        struct fs_events_header headers[] = {BASIC, {"ce-subject", values[i]}};
        struct fs_cloudevents events;
        struct fs_err err = {0};
        assert_false(read_binary(headers, 5, NULL, "", 0, &events, &err));
        assert_int_equal(err.code, FS_ERR_INVALID);
        assert_non_null(strstr(err.text, "subject"));
    }
}

static void a_header_that_comes_twice_or_may_not_come_is_refused(void **state)
{
    (void)state;
    static const struct fs_events_header strange[] = {
        {"ce-id", "j"}, {"ce-datacontenttype", "a/b"}, {"ce-data", "x"}, {"ce-a-b", "x"}, {"ce-", "x"}};
    for (size_t i = 0; i < sizeof strange / sizeof *strange; i++) {
        struct fs_events_header headers[] = {BASIC, strange[i]};
        struct fs_cloudevents events;
        struct fs_err err = {0};
        assert_false(read_binary(headers, 5, NULL, "", 0, &events, &err));
        assert_int_equal(err.code, FS_ERR_INVALID);
    }
}

static void data_of_binary_mode_is_json_text_or_bytes_by_its_content_type(void **state)
{
    (void)state;
    struct fs_events_header headers[] = {BASIC};
    struct fs_cloudevents events;
    struct fs_err err = {0};
    assert_true(read_binary(headers, 4, "text/plain", "{no", 3, &events, NULL));
    assert_string_equal(json_string_value(events.items[0].data), "{no");
    fs_cloudevents_finish(&events);
    assert_true(read_binary(headers, 4, "application/octet-stream", "\x00\xff", 2, &events, NULL));
    assert_null(events.items[0].data);
    assert_int_equal(events.items[0].byte_count, 2);
    fs_cloudevents_finish(&events);
    assert_false(read_binary(headers, 4, "application/vnd.x+json", "{no", 3, &events, &err));
    assert_non_null(strstr(err.text, "data"));
}

static void data_base64_is_decoded(void **state)
{
    (void)state;
    const char *body =
        EVENT("t", ",\"datacontenttype\":\"application/json\",\"data_base64\":\"eyJhIjoxfQ==\"");
    struct fs_events_request request = {STRUCTURED, NULL, 0, body, strlen(body)};
    struct fs_cloudevents events;
    assert_true(fs_cloudevents_read(&request, &limits, &events, NULL));
    assert_int_equal(json_integer_value(json_object_get(events.items[0].data, "a")), 1);
    fs_cloudevents_finish(&events);
}

static void an_empty_batch_is_a_batch(void **state)
{
    (void)state;
    struct fs_events_request request = {BATCH, NULL, 0, "[]", 2};
    struct fs_cloudevents events;
    assert_true(fs_cloudevents_read(&request, &limits, &events, NULL));
    assert_int_equal(events.count, 0);
    fs_cloudevents_finish(&events);
}

static void what_the_specification_forbids_is_refused_by_name(void **state)
{
    (void)state;
    refuses(STRUCTURED, "{\"specversion\":\"1.0\",\"source\":\"/s\",\"type\":\"t\"}", FS_ERR_INVALID, "id: ");
    refuses(STRUCTURED, "{\"specversion\":\"1.0\",\"id\":\"\",\"source\":\"/s\",\"type\":\"t\"}",
            FS_ERR_INVALID, "id: it is empty");
    refuses(STRUCTURED, "{\"specversion\":\"1.0\",\"id\":7,\"source\":\"/s\",\"type\":\"t\"}", FS_ERR_INVALID,
            "id: expected a text");
    refuses(STRUCTURED, "{\"specversion\":\"0.3\",\"id\":\"1\",\"source\":\"/s\",\"type\":\"t\"}",
            FS_ERR_INVALID, "specversion");
    refuses(STRUCTURED, "{\"specversion\":\"1.0\",\"id\":\"1\",\"source\":\"a b\",\"type\":\"t\"}",
            FS_ERR_INVALID, "source");
    refuses(STRUCTURED, EVENT("t", ",\"Ext\":\"x\""), FS_ERR_INVALID, "Ext");
    refuses(STRUCTURED, EVENT("t", ",\"my-ext\":\"x\""), FS_ERR_INVALID, "my-ext");
    refuses(STRUCTURED, EVENT("t", ",\"ext\":1.5"), FS_ERR_INVALID, "ext");
    refuses(STRUCTURED, EVENT("t", ",\"ext\":4294967296"), FS_ERR_INVALID, "32 bits");
    refuses(STRUCTURED, EVENT("t", ",\"ext\":{}"), FS_ERR_INVALID, "ext");
    refuses(STRUCTURED, EVENT("t", ",\"subject\":\"\""), FS_ERR_INVALID, "subject");
    refuses(STRUCTURED, EVENT("t", ",\"subject\":\"a\\nb\""), FS_ERR_INVALID, "control");
    refuses(STRUCTURED, EVENT("t", ",\"time\":\"yesterday\""), FS_ERR_INVALID, "time");
    refuses(STRUCTURED, EVENT("t", ",\"dataschema\":\"relative\""), FS_ERR_INVALID, "dataschema");
    refuses(STRUCTURED, EVENT("t", ",\"datacontenttype\":\"json\""), FS_ERR_INVALID, "datacontenttype");
    refuses(STRUCTURED, EVENT("t", ",\"datacontenttype\":\"text/plain\",\"data\":{}"), FS_ERR_INVALID,
            "data");
    refuses(STRUCTURED, EVENT("t", ",\"data\":1,\"data_base64\":\"\""), FS_ERR_INVALID, "not both");
    refuses(STRUCTURED, EVENT("t", ",\"data_base64\":\"a\""), FS_ERR_INVALID, "base64");
    refuses(STRUCTURED, EVENT("t", ",\"id\":\"2\""), FS_ERR_INVALID, "JSON"); /* a member twice */
    refuses(STRUCTURED, "[]", FS_ERR_INVALID, "cloudevents-batch");
    refuses(STRUCTURED, "{", FS_ERR_INVALID, "JSON");
    refuses(STRUCTURED, "\xff", FS_ERR_INVALID, "JSON");
    refuses(BATCH, "{}", FS_ERR_INVALID, "array");
}

static void formats_that_are_not_json_are_not_understood(void **state)
{
    (void)state;
    refuses("application/cloudevents+avro", "x", FS_ERR_UNSUPPORTED, "JSON");
    refuses("application/cloudevents-batch+protobuf", "x", FS_ERR_UNSUPPORTED, "JSON");
    refuses("application/cloudevents+json; charset=utf-16", "{}", FS_ERR_UNSUPPORTED, "charset");
    refuses("application/json", "{}", FS_ERR_UNSUPPORTED, "ce-id");
    refuses(NULL, "{}", FS_ERR_INVALID, "ce-id");
}

static void a_batch_with_one_bad_event_is_refused_whole_and_names_it(void **state)
{
    (void)state;
    refuses(BATCH,
            "[" EVENT("flagstaff.recompute", "") "," EVENT("flagstaff.recompute", ",\"time\":\"x\"") "]",
            FS_ERR_INVALID, "event 1: time");
    refuses(
        BATCH,
        "[" EVENT("flagstaff.recompute", "") "," EVENT("flagstaff.recompute", ",\"data\":{\"flags\":1}") "]",
        FS_ERR_INVALID, "event 1: data.flags");
}

static void what_is_over_a_limit_is_refused(void **state)
{
    (void)state;
    struct fs_events_options options = some_options(NULL);
    struct fs_events events;
    struct fs_err err = {0};
    options.limits.batch = 1;
    assert_false(read_events(BATCH, "[{},{}]", &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
    options.limits.body = 6;
    assert_false(read_events(BATCH, "[{},{}]", &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
    options.limits.text = 3;
    options.limits.body = 1000;
    assert_false(read_events(STRUCTURED, EVENT("flagstaff.recompute", ""), &options, &events, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
    options.limits.text = 100;
    options.limits.depth = 2;
    assert_false(read_events(STRUCTURED, EVENT("flagstaff.recompute", ",\"data\":{\"a\":[[1]]}"), &options,
                             &events, &err));
    assert_int_equal(err.code, FS_ERR_INVALID);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_structured_event_keeps_its_attributes_and_data),
        cmocka_unit_test(a_binary_event_is_told_by_its_headers),
        cmocka_unit_test(percent_escapes_are_decoded_once),
        cmocka_unit_test(headers_that_cannot_be_decoded_are_refused),
        cmocka_unit_test(a_header_that_comes_twice_or_may_not_come_is_refused),
        cmocka_unit_test(data_of_binary_mode_is_json_text_or_bytes_by_its_content_type),
        cmocka_unit_test(data_base64_is_decoded),
        cmocka_unit_test(an_empty_batch_is_a_batch),
        cmocka_unit_test(what_the_specification_forbids_is_refused_by_name),
        cmocka_unit_test(formats_that_are_not_json_are_not_understood),
        cmocka_unit_test(a_batch_with_one_bad_event_is_refused_whole_and_names_it),
        cmocka_unit_test(what_is_over_a_limit_is_refused),
    };
    return cmocka_run_group_tests(tests, set_limits, NULL);
}

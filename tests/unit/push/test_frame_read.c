/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of clients: what the schema allows is read, everything else is a fault that says what and where. */
#include <dirent.h>
#include <stdio.h>
#include "flags.h"

static const struct fs_frame_limits limits = {
    .watches = 4, .flags = 3, .context_bytes = 200, .context_depth = 4};

static struct fs_client_frame *read_frame(const char *text)
{
    struct fs_frame_fault fault;
    struct fs_client_frame *frame = fs_client_frame_parse(text, strlen(text), &limits, &fault);
    if (!frame)
        fail_msg("%s: %s", text, fault.message);
    return frame;
}

static struct fs_frame_fault fault_of(const char *text)
{
    struct fs_frame_fault fault;
    struct fs_client_frame *frame = fs_client_frame_parse(text, strlen(text), &limits, &fault);
    if (frame)
        fail_msg("%s was taken", text);
    return fault;
}

static void hello_brings_client_watches_and_resume_point(void **state)
{
    (void)state;
    struct fs_client_frame *frame = read_frame(
        "{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\",\"client\":{\"name\":\"shop\",\"version\":\"2.1."
        "0\",\"more\":1},"
        "\"resume\":{\"epoch\":\"e-1\",\"session\":\"s-3\",\"revision\":42,\"watches\":[{\"watch\":7,"
        "\"view\":\"v-9\"}]},"
        "\"watches\":[{\"watch\":7,\"context\":{\"targetingKey\":\"ada\"}},{\"watch\":4294967295,\"context\":"
        "{},\"flags\":[\"a\",\"b\"],\"once\":true}],"
        "\"unknown\":{}}");
    assert_int_equal(frame->type, FS_CLIENT_HELLO);
    assert_string_equal(frame->client_name, "shop");
    assert_string_equal(frame->client_version, "2.1.0");
    assert_true(frame->resumes);
    assert_string_equal(frame->session, "s-3");
    assert_string_equal(frame->epoch, "e-1");
    assert_int_equal(frame->revision, 42);
    assert_int_equal(frame->resume_count, 1);
    assert_int_equal(frame->resume[0].watch, 7);
    assert_string_equal(frame->resume[0].view, "v-9");
    assert_int_equal(frame->watch_count, 2);
    assert_int_equal(frame->watches[0].watch, 7);
    assert_string_equal(json_string_value(json_object_get(frame->watches[0].context, "targetingKey")), "ada");
    assert_null(frame->watches[0].flags);
    assert_false(frame->watches[0].once);
    assert_string_equal(frame->watches[1].flags[1], "b");
    assert_null(frame->watches[1].flags[2]);
    assert_true(frame->watches[1].once);
    fs_client_frame_destroy(frame);
}

static void the_other_frames_bring_their_members(void **state)
{
    (void)state;
    struct fs_client_frame *frame = read_frame("{\"type\":\"watch\",\"watch\":3,\"context\":{\"a\":1}}");
    assert_int_equal(frame->type, FS_CLIENT_WATCH);
    assert_int_equal(frame->watch_count, 1);
    assert_int_equal(frame->watches[0].watch, 3);
    fs_client_frame_destroy(frame);
    frame = read_frame("{\"type\":\"unwatch\",\"watch\":3}");
    assert_int_equal(frame->unwatched_count, 1);
    assert_int_equal(frame->unwatched[0], 3);
    fs_client_frame_destroy(frame);
    frame = read_frame("{\"type\":\"renew\",\"n\":9007199254740991}");
    assert_true(frame->n == UINT64_C(9007199254740991));
    fs_client_frame_destroy(frame);
    frame = read_frame("{\"revision\":0,\"type\":\"ack\"}");
    assert_int_equal(frame->revision, 0);
    fs_client_frame_destroy(frame);
    fs_client_frame_destroy(NULL);
}

static void watch_and_unwatch_may_name_several_and_one_that_passes_a_limit_is_refused_by_itself(void **state)
{
    (void)state;
    struct fs_client_frame *frame =
        read_frame("{\"type\":\"watch\",\"watches\":[{\"watch\":3,\"context\":{\"a\":1}},"
                   "{\"watch\":4,\"context\":{},\"flags\":[\"a\",\"b\",\"c\",\"d\"]},"
                   "{\"watch\":5,\"context\":{},\"once\":true}]}");
    assert_int_equal(frame->type, FS_CLIENT_WATCH);
    assert_int_equal(frame->watch_count, 2);
    assert_int_equal(frame->watches[0].watch, 3);
    assert_int_equal(frame->watches[1].watch, 5);
    assert_true(frame->watches[1].once);
    assert_null(frame->watches[1].flags);
    assert_int_equal(frame->refused_count, 1);
    assert_int_equal(frame->refused[0].watch, 4);
    assert_string_equal(frame->refused[0].code, "limit");
    assert_int_equal(frame->refused[0].close, 0);
    fs_client_frame_destroy(frame);
    frame = read_frame("{\"type\":\"unwatch\",\"watches\":[3,4294967295]}");
    assert_int_equal(frame->unwatched_count, 2);
    assert_int_equal(frame->unwatched[0], 3);
    assert_int_equal(frame->unwatched[1], 4294967295);
    fs_client_frame_destroy(frame);
}

static void broken_frames_are_faults_that_close_with_4400(void **state)
{
#define CLIENT "\"client\":{\"name\":\"x\",\"version\":\"1\"}"
#define START  "{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\","
    static const struct {
        const char *text, *says;
    } cases[] = {
        {"", "line"},
        {"{", "line"},
        {"[]", "JSON object"},
        {"7", "JSON object"},
        {"{\"type\":7}", "'type'"},
        {"{\"watch\":1}", "'type'"},
        {"{\"type\":\"ack\",\"type\":\"ack\",\"revision\":1}", "duplicate"},
        {"{\"type\":\"ack\"}", "'revision' is missing"},
        {"{\"type\":\"ack\",\"revision\":-1}", "'revision' must be"},
        {"{\"type\":\"ack\",\"revision\":1.0}", "'revision' must be"},
        {"{\"type\":\"ack\",\"revision\":\"1\"}", "'revision' must be"},
        {"{\"type\":\"ack\",\"revision\":9007199254740992}", "'revision' must be"},
        {"{\"type\":\"renew\",\"n\":0}", "'n' must be"},
        {"{\"type\":\"unwatch\",\"watch\":0}", "'watch' must be"},
        {"{\"type\":\"unwatch\",\"watch\":4294967296}", "'watch' must be"},
        {"{\"type\":\"watch\",\"context\":{}}", "watch: the member 'watch' is missing, an integer from 1"},
        {"{\"type\":\"watch\",\"watch\":1}", "'context'"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":[]}", "'context'"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":{},\"flags\":[]}", "'flags'"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":{},\"flags\":\"a\"}", "'flags'"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":{},\"flags\":[\"\"]}", "flags[0]"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":{},\"once\":1}", "'once'"},
        {"{\"type\":\"watch\",\"watches\":{}}", "'watches'"},
        {"{\"type\":\"watch\",\"watches\":[1]}", "object"},
        {"{\"type\":\"watch\",\"watches\":[{\"watch\":1}]}", "'context'"},
        {"{\"type\":\"watch\",\"watch\":1,\"context\":{},\"watches\":[]}", "either"},
        {"{\"type\":\"unwatch\",\"watches\":7}", "'watches'"},
        {"{\"type\":\"unwatch\",\"watches\":[1,0]}", "watches[1]"},
        {"{\"type\":\"unwatch\",\"watches\":[1,2,3,4,5]}", "at most 4"},
        {"{\"type\":\"unwatch\",\"watch\":1,\"watches\":[2]}", "either"},
        {"{\"type\":\"hello\"," CLIENT "}", "'protocol'"},
        {"{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\"}", "'client'"},
        {START "\"client\":{\"name\":\"x\"}}", "'version'"},
        {START "\"client\":{\"name\":\"\",\"version\":\"1\"}}", "'name'"},
        {START "\"client\":{\"name\":\"x\\u0000y\",\"version\":\"1\"}}", "line"},
        {START CLIENT ",\"watches\":{}}", "'watches'"},
        {START CLIENT ",\"watches\":[7]}", "object"},
        {START CLIENT ",\"watches\":[{\"watch\":1,\"context\":{}},{\"watch\":1,\"context\":{}}]}",
         "two watches have the id 1"},
        {START CLIENT ",\"resume\":{\"epoch\":\"e\",\"session\":\"s\",\"revision\":1}}",
         "'watches' of 'resume'"},
        {START CLIENT ",\"resume\":{\"epoch\":\"e\",\"revision\":1,\"watches\":[]}}", "'session'"},
        {START CLIENT ",\"resume\":{\"session\":\"s\",\"revision\":1,\"watches\":[]}}", "'epoch'"},
        {START CLIENT
         ",\"resume\":{\"epoch\":\"e\",\"session\":\"s\",\"revision\":1,\"watches\":[{\"watch\":1}]}}",
         "'view'"},
        {START CLIENT ",\"resume\":{\"epoch\":\"e\",\"session\":\"s\",\"revision\":1,\"watches\":[1]}}",
         "resume.watches[0]"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fs_frame_fault fault = fault_of(cases[i].text);
        assert_string_equal(fault.code, "bad_frame");
        assert_int_equal(fault.close, 4400);
        if (!strstr(fault.message, cases[i].says))
            fail_msg("%s: '%s' does not say %s", cases[i].text, fault.message, cases[i].says);
    }
}

static void an_unknown_type_does_not_end_the_connection(void **state)
{
    (void)state;
    struct fs_frame_fault fault = fault_of("{\"type\":\"subscribe\",\"watch\":1}");
    assert_string_equal(fault.code, "unknown_type");
    assert_int_equal(fault.close, 0);
    assert_string_equal(
        fault.message,
        "frames of the type 'subscribe' are unknown here: hello, watch, unwatch, renew and ack are known");
}

static void another_protocol_is_named_as_such(void **state)
{
    (void)state;
    struct fs_frame_fault fault = fault_of("{\"type\":\"hello\",\"protocol\":\"flagstaff.v2\"," CLIENT "}");
    assert_string_equal(fault.code, "protocol");
    assert_int_equal(fault.close, 4400);
}

static void a_limit_passed_by_one_watch_ends_that_watch_and_in_hello_the_connection(void **state)
{
    static const struct {
        const char *members, *limit;
    } cases[] = {
        {"\"context\":{},\"flags\":[\"a\",\"b\",\"c\",\"d\"]", "flags"},
        {"\"context\":{\"a\":{\"b\":{\"c\":{\"d\":{}}}}}", "contextDepth"},
        {"\"context\":{\"a\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
         "789"
         "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9\"}",
         "contextBytes"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *watch = fs_format("{\"type\":\"watch\",\"watch\":9,%s}", cases[i].members);
        struct fs_frame_fault fault = fault_of(watch);
        assert_string_equal(fault.code, "limit");
        assert_string_equal(fault.limit, cases[i].limit);
        assert_int_equal(fault.watch, 9);
        assert_int_equal(fault.close, 0);
        char *hello = fs_format(START CLIENT ",\"watches\":[{\"watch\":9,%s}]}", cases[i].members);
        fault = fault_of(hello);
        assert_string_equal(fault.limit, cases[i].limit);
        assert_int_equal(fault.watch, 0);
        assert_int_equal(fault.close, 4429);
        fs_free(watch);
        fs_free(hello);
    }
#define WATCH(n) "{\"watch\":" #n ",\"context\":{}}"
    struct fs_frame_fault fault = fault_of("{\"type\":\"watch\",\"watches\":[" WATCH(1) "," WATCH(
        2) "," WATCH(3) "," WATCH(4) "," WATCH(5) "]}");
    assert_string_equal(fault.limit, "watches");
    assert_int_equal(fault.close, 4429);
    fault = fault_of(START CLIENT
                     ",\"watches\":[" WATCH(1) "," WATCH(2) "," WATCH(3) "," WATCH(4) "," WATCH(5) "]}");
    assert_string_equal(fault.limit, "watches");
    assert_int_equal(fault.close, 4429);
    fs_client_frame_destroy(read_frame("{\"type\":\"watch\",\"watch\":1,\"context\":{\"a\":{\"b\":{\"c\":{}}}"
                                       "},\"flags\":[\"a\",\"b\",\"c\"]}"));
}

static void an_epoch_that_cannot_be_ours_resumes_nothing(void **state)
{
    (void)state;
    struct fs_client_frame *frame = read_frame(
        START CLIENT ",\"resume\":{\"epoch\":\"0123456789012345678901234567890123456789012345678901\","
                     "\"session\":\"s\",\"revision\":1,\"watches\":[]}}");
    assert_true(frame->resumes);
    assert_string_equal(frame->epoch, "");
    fs_client_frame_destroy(frame);
}

static void the_short_form_tells_limits_from_faults(void **state)
{
    struct fs_err err = {0};
    (void)state;
    const char *bad = "{\"type\":\"ack\"}",
               *large = "{\"type\":\"watch\",\"watch\":1,\"context\":{},\"flags\":[\"a\",\"b\",\"c\",\"d\"]}";
    assert_null(fs_client_frame_read(bad, strlen(bad), &limits, &err));
    assert_int_equal(err.code, FS_ERR_INVALID);
    assert_null(fs_client_frame_read(large, strlen(large), &limits, &err));
    assert_int_equal(err.code, FS_ERR_TOO_LARGE);
}

/* Every frame that a client sends in the recorded transcripts. Returns how many there were. */
static size_t read_transcript(const char *path)
{
    static const struct fs_frame_limits defaults = {0};
    char line[16384];
    size_t count = 0;
    FILE *file = fopen(path, "re");
    assert_non_null(file);
    while (fgets(line, sizeof line, file)) {
        json_t *record = json_of(line);
        const json_t *frame = json_object_get(record, "frame");
        const char *from = json_string_value(json_object_get(record, "dir"));
        if (frame && strcmp(from, "client") == 0) {
            struct fs_frame_fault fault;
            char *text = json_dumps(frame, JSON_COMPACT);
            struct fs_client_frame *read = fs_client_frame_parse(text, strlen(text), &defaults, &fault);
            if (!read != json_is_true(json_object_get(record, "invalid")))
                fail_msg("%s: %s: %s", path, text, fault.message);
            fs_client_frame_destroy(read);
            free(text);
            count++;
        }
        json_decref(record);
    }
    fclose(file);
    return count;
}

static void every_recorded_client_frame_is_read(void **state)
{
    size_t count = 0;
    (void)state;
    DIR *directory = opendir(FLAGSTAFF_ROOT "/docs/protocol/transcripts");
    assert_non_null(directory);
    for (struct dirent *entry; (entry = readdir(directory));) {
        if (!strstr(entry->d_name, ".jsonl"))
            continue;
        char *path = fs_format(FLAGSTAFF_ROOT "/docs/protocol/transcripts/%s", entry->d_name);
        count += read_transcript(path);
        fs_free(path);
    }
    closedir(directory);
    assert_true(count > 40);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(hello_brings_client_watches_and_resume_point),
        cmocka_unit_test(the_other_frames_bring_their_members),
        cmocka_unit_test(watch_and_unwatch_may_name_several_and_one_that_passes_a_limit_is_refused_by_itself),
        cmocka_unit_test(broken_frames_are_faults_that_close_with_4400),
        cmocka_unit_test(an_unknown_type_does_not_end_the_connection),
        cmocka_unit_test(another_protocol_is_named_as_such),
        cmocka_unit_test(a_limit_passed_by_one_watch_ends_that_watch_and_in_hello_the_connection),
        cmocka_unit_test(an_epoch_that_cannot_be_ours_resumes_nothing),
        cmocka_unit_test(the_short_form_tells_limits_from_faults),
        cmocka_unit_test(every_recorded_client_frame_is_read),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

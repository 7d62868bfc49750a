/* SPDX-License-Identifier: Apache-2.0 */
/* Frames of the server, against the shapes of docs/protocol/flagstaff.v1.schema.json. */
#include "flags.h"

static const struct fs_wire_cause watch_cause = {"watch", 0, INT64_C(1795512600010)};
static const struct fs_wire_cause event_cause = {"event", 1207, INT64_C(1795512604512)};

static char *flag_text(const struct fs_flag *flag, const struct fs_evaluation *evaluation,
                       const struct fs_wire_cause *cause)
{
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    fs_frame_add_flag(&out, flag, evaluation, cause);
    assert_false(out.failed);
    return fs_buf_take(&out, NULL);
}

static void assert_flag(struct fs_flag *flag, struct fs_evaluation evaluation,
                        const struct fs_wire_cause *cause, const char *expected)
{
    char *text = flag_text(flag, &evaluation, cause);
    assert_json(text, expected);
    fs_free(text);
    fs_flag_destroy(flag);
}

static void an_access_flag_carries_its_safe_variant(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("billing-export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    assert_flag(flag, evaluated(flag, 0, FS_REASON_TARGETING_MATCH), &event_cause,
                "{\"key\":\"billing-export\",\"type\":\"boolean\",\"value\":true,\"variant\":\"on\","
                "\"reason\":\"TARGETING_MATCH\","
                "\"cause\":{\"kind\":\"event\",\"entry\":1207,\"time\":\"2026-11-24T09:30:04.512Z\"},"
                "\"safe\":{\"value\":false,\"variant\":\"off\"}}");
}

static void an_ordinary_flag_has_no_safe_and_keeps_its_metadata(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("theme", FS_TYPE_STRING, "{\"dark\":\"#1c1c1e\"}", NULL);
    flag->metadata = json_of("{\"owner\":\"web\",\"nested\":{\"is\":\"left out\"},\"n\":1}");
    assert_flag(flag, evaluated(flag, 0, FS_REASON_STATIC), &watch_cause,
                "{\"key\":\"theme\",\"type\":\"string\",\"value\":\"#1c1c1e\",\"variant\":\"dark\","
                "\"reason\":\"STATIC\","
                "\"cause\":{\"kind\":\"watch\",\"time\":\"2026-11-24T09:30:00.010Z\"},\"metadata\":{"
                "\"owner\":\"web\",\"n\":1}}");
}

static void an_unknown_answer_is_a_success_with_the_safe_value_and_what_went_wrong(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("payout", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    struct fs_evaluation evaluation = evaluated(flag, 1, FS_REASON_ERROR);
    evaluation.safe = true;
    evaluation.error =
        FS_ERROR_GENERAL; /* not to be seen: an error code would make the SDK return the caller's default */
    snprintf(evaluation.detail, sizeof evaluation.detail, "%s", "decision: the source 'opa' does not answer");
    assert_flag(
        flag, evaluation, NULL,
        "{\"key\":\"payout\",\"type\":\"boolean\",\"value\":false,\"variant\":\"off\",\"reason\":\"ERROR\","
        "\"metadata\":{\"flagstaff.error\":\"decision: the source 'opa' does not "
        "answer\"},\"safe\":{\"value\":false,\"variant\":\"off\"}}");
}

static void an_access_flag_without_a_value_has_its_safe_one(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("agent-tools", FS_TYPE_OBJECT, "{}", NULL);
    flag->access = true;
    flag->safe_value = json_array();
    assert_flag(flag, evaluated(flag, -1, FS_REASON_ERROR), NULL,
                "{\"key\":\"agent-tools\",\"type\":\"object\",\"value\":[],\"variant\":\"safe\",\"reason\":"
                "\"ERROR\",\"safe\":{\"value\":[],\"variant\":\"safe\"}}");
}

static void a_failed_ordinary_flag_has_an_error_and_no_value(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("banner", FS_TYPE_STRING, "{\"a\":\"x\"}", NULL);
    struct fs_evaluation evaluation = evaluated(flag, 0, FS_REASON_ERROR);
    evaluation.error = FS_ERROR_PARSE;
    snprintf(evaluation.detail, sizeof evaluation.detail, "%s", "targeting: \"x\"");
    assert_flag(flag, evaluation, NULL,
                "{\"key\":\"banner\",\"type\":\"string\",\"reason\":\"ERROR\",\"error\":{\"code\":\"PARSE_"
                "ERROR\",\"message\":\"targeting: \\\"x\\\"\"}}");
}

static void a_disabled_ordinary_flag_has_neither(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("beta", FS_TYPE_BOOLEAN, "{\"on\":true}", NULL);
    assert_flag(flag, evaluated(flag, -1, FS_REASON_DISABLED), &watch_cause,
                "{\"key\":\"beta\",\"type\":\"boolean\",\"reason\":\"DISABLED\",\"cause\":{\"kind\":"
                "\"watch\",\"time\":\"2026-11-24T09:30:00.010Z\"}}");
}

static void numbers_keep_the_look_of_their_type(void **state)
{
    (void)state;
    static const struct {
        enum fs_type type;
        const char *value, *expected;
    } cases[] = {
        {FS_TYPE_INTEGER, "1", "\"value\":1,"},
        {FS_TYPE_INTEGER, "1.0", "\"value\":1,"},
        {FS_TYPE_FLOAT, "1", "\"value\":1.0,"},
        {FS_TYPE_FLOAT, "1.0", "\"value\":1.0,"},
        {FS_TYPE_FLOAT, "-3", "\"value\":-3.0,"},
        {FS_TYPE_FLOAT, "0.1", "\"value\":0.1,"},
        {FS_TYPE_INTEGER, "9007199254740991", "\"value\":9007199254740991,"},
        {FS_TYPE_OBJECT, "{\"n\":1}", "\"value\":{\"n\":1},"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *variants = fs_format("{\"v\":%s}", cases[i].value);
        struct fs_flag *flag = flag_of("n", cases[i].type, variants, NULL);
        struct fs_evaluation evaluation = evaluated(flag, 0, FS_REASON_STATIC);
        char *text = flag_text(flag, &evaluation, NULL);
        if (!strstr(text, cases[i].expected))
            fail_msg("%s has not %s", text, cases[i].expected);
        fs_free(text);
        fs_free(variants);
        fs_flag_destroy(flag);
    }
}

static void frames_have_the_shape_of_the_schema(void **state)
{
    (void)state;
    const struct fs_frame_limits limits = {
        .watches = 64, .flags = 256, .context_bytes = 8192, .context_depth = 8, .send = 65536};
    const char *welcome = "{\"type\":\"welcome\",\"protocol\":\"flagstaff.v1\",\"session\":\"s-1\",\"epoch\":"
                          "\"e-7c1d40a2\",\"lease\":30000,"
                          "\"limits\":{\"frame\":65536,\"send\":65536,\"watches\":64,\"flags\":256,"
                          "\"contextBytes\":8192,\"contextDepth\":8,\"rate\":1000,\"list\":64}}";
    assert_blob(fs_frame_welcome("s-1", "e-7c1d40a2", 30000, &limits, 65536), welcome);
    assert_blob(fs_frame_welcome("s-1", "e-7c1d40a2", 30000, &(struct fs_frame_limits){0}, 65536), welcome);
    assert_blob(fs_frame_lease(3, 42, 30000),
                "{\"type\":\"lease\",\"n\":3,\"revision\":42,\"duration\":30000}");
    assert_blob(fs_frame_error("bad_context", "no subject", 5),
                "{\"type\":\"error\",\"code\":\"bad_context\",\"watch\":5,\"message\":\"no subject\"}");
    assert_blob(fs_frame_error("internal", "\"oops\"\n", 0),
                "{\"type\":\"error\",\"code\":\"internal\",\"message\":\"\\\"oops\\\"\\n\"}");
    struct fs_frame_fault fault = {.code = "limit", .limit = "watches", .watch = 65, .message = "too many"};
    assert_blob(fs_frame_fault(&fault), "{\"type\":\"error\",\"code\":\"limit\",\"limit\":\"watches\","
                                        "\"watch\":65,\"message\":\"too many\"}");
    assert_blob(fs_frame_goaway("drain", "restart", 5000, 500),
                "{\"type\":\"goaway\",\"code\":\"drain\",\"message\":\"restart\",\"drain\":5000,"
                "\"reconnectAfter\":500}");
    assert_blob(fs_frame_goaway("revoked", NULL, 0, -1), "{\"type\":\"goaway\",\"code\":\"revoked\"}");
    assert_blob(fs_frame_goaway("drain", "", 0, 0),
                "{\"type\":\"goaway\",\"code\":\"drain\",\"reconnectAfter\":0}");
}

static void bodies_are_joined_with_the_watch(void **state)
{
    (void)state;
    static const char body_text[] = "\"view\":\"v\",\"revision\":40,\"flags\":[]}",
                      part_text[] = "\"flags\":[]}", other_text[] = "\"removed\":[\"a\"]}";
    struct fs_blob *body = fs_blob_copy(body_text, strlen(body_text));
    assert_blob(fs_frame_snapshot(4294967295u, body),
                "{\"type\":\"snapshot\",\"watch\":4294967295,\"view\":\"v\",\"revision\":40,\"flags\":[]}");
    fs_blob_unref(body);
    struct fs_blob *part = fs_blob_copy(part_text, strlen(part_text)),
                   *other = fs_blob_copy(other_text, strlen(other_text));
    const struct fs_frame_part parts[] = {{1, part}, {2, other}};
    assert_blob(fs_frame_delta(41, false, parts, 2),
                "{\"type\":\"delta\",\"revision\":41,\"watches\":[{\"watch\":1,\"flags\":[]},{\"watch\":2,"
                "\"removed\":[\"a\"]}]}");
    assert_blob(
        fs_frame_delta(41, true, parts, 1),
        "{\"type\":\"delta\",\"revision\":41,\"more\":true,\"watches\":[{\"watch\":1,\"flags\":[]}]}");
    fs_blob_unref(part);
    fs_blob_unref(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_access_flag_carries_its_safe_variant),
        cmocka_unit_test(an_ordinary_flag_has_no_safe_and_keeps_its_metadata),
        cmocka_unit_test(an_unknown_answer_is_a_success_with_the_safe_value_and_what_went_wrong),
        cmocka_unit_test(an_access_flag_without_a_value_has_its_safe_one),
        cmocka_unit_test(a_failed_ordinary_flag_has_an_error_and_no_value),
        cmocka_unit_test(a_disabled_ordinary_flag_has_neither),
        cmocka_unit_test(numbers_keep_the_look_of_their_type),
        cmocka_unit_test(frames_have_the_shape_of_the_schema),
        cmocka_unit_test(bodies_are_joined_with_the_watch),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

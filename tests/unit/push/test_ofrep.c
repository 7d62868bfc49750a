/* SPDX-License-Identifier: Apache-2.0 */
/* OFREP's answers: the narrow form that released clients accept, safe variants as successes, ETags over all
 * that is seen. */
#include "flags.h"
#include "push/ofrep.h"

static const struct fs_frame_limits limits = {.context_bytes = 200, .context_depth = 3};

static void assert_answer(struct fs_flag *flag, struct fs_evaluation evaluation, int status,
                          const char *expected)
{
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    assert_int_equal(fs_ofrep_add_flag(&out, flag, &evaluation, NULL), status);
    assert_json(out.data, expected);
    fs_buf_finish(&out);
    fs_flag_destroy(flag);
}

static void a_flag_has_always_key_value_reason_variant_and_metadata(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("theme", FS_TYPE_STRING, "{\"dark\":\"#1c\"}", NULL);
    assert_answer(
        flag, evaluated(flag, 0, FS_REASON_STATIC), 200,
        "{\"key\":\"theme\",\"value\":\"#1c\",\"reason\":\"STATIC\",\"variant\":\"dark\",\"metadata\":{}}");
}

static void an_access_flag_says_that_it_is_not_leased(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    flag->metadata = json_of("{\"owner\":\"pay\"}");
    assert_answer(flag, evaluated(flag, 0, FS_REASON_TARGETING_MATCH), 200,
                  "{\"key\":\"export\",\"value\":true,\"reason\":\"TARGETING_MATCH\",\"variant\":\"on\","
                  "\"metadata\":{\"owner\":\"pay\",\"flagstaff.leased\":false}}");
}

static void attributes_that_were_dropped_are_named(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("theme", FS_TYPE_STRING, "{\"dark\":\"#1c\"}", NULL);
    struct fs_evaluation value = evaluated(flag, 0, FS_REASON_STATIC);
    json_t *dropped = json_of("[\"role\",\"color\"]");
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    assert_int_equal(fs_ofrep_add_flag(&out, flag, &value, dropped), 200);
    assert_json(out.data, "{\"key\":\"theme\",\"value\":\"#1c\",\"reason\":\"STATIC\",\"variant\":\"dark\","
                          "\"metadata\":{\"flagstaff.dropped\":\"role,color\"}}");
    fs_buf_reset(&out);
    fs_ofrep_bulk_begin(&out);
    fs_ofrep_bulk_end(&out, NULL, dropped, NULL, 0);
    assert_json(out.data, "{\"flags\":[],\"metadata\":{\"flagstaff.dropped\":\"role,color\"}}");
    fs_buf_finish(&out);
    json_decref(dropped);
    fs_flag_destroy(flag);
}

static void unleased_safe_withholds_the_value(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    flag->unleased = FS_UNLEASED_SAFE;
    assert_answer(flag, evaluated(flag, 0, FS_REASON_TARGETING_MATCH), 200,
                  "{\"key\":\"export\",\"value\":false,\"reason\":\"ERROR\",\"variant\":\"off\","
                  "\"metadata\":{\"flagstaff.error\":\"over OFREP values have no lease, and the flag says "
                  "'unleased: safe'\"}}");
}

static void an_unknown_answer_is_200_with_the_safe_value(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("export", FS_TYPE_BOOLEAN, "{\"on\":true,\"off\":false}", "off");
    struct fs_evaluation evaluation = evaluated(flag, 1, FS_REASON_ERROR);
    evaluation.safe = true;
    evaluation.error = FS_ERROR_GENERAL;
    snprintf(evaluation.detail, sizeof evaluation.detail, "%s", "the source is down");
    assert_answer(flag, evaluation, 200,
                  "{\"key\":\"export\",\"value\":false,\"reason\":\"ERROR\",\"variant\":\"off\",\"metadata\":"
                  "{\"flagstaff.error\":\"the source is down\"}}");
}

static void a_failed_ordinary_flag_is_400_in_the_narrow_form(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("banner", FS_TYPE_STRING, "{\"a\":\"x\"}", NULL);
    struct fs_evaluation evaluation = evaluated(flag, -1, FS_REASON_ERROR);
    evaluation.error = FS_ERROR_PARSE;
    snprintf(evaluation.detail, sizeof evaluation.detail, "%s", "bad targeting");
    assert_answer(flag, evaluation, 400,
                  "{\"key\":\"banner\",\"errorCode\":\"PARSE_ERROR\",\"errorDetails\":\"bad "
                  "targeting\",\"metadata\":{}}");
    flag = flag_of("banner", FS_TYPE_STRING, "{\"a\":\"x\"}", NULL);
    evaluation.error = FS_ERROR_TYPE_MISMATCH; /* not among OFREP's codes */
    assert_answer(
        flag, evaluation, 400,
        "{\"key\":\"banner\",\"errorCode\":\"GENERAL\",\"errorDetails\":\"bad targeting\",\"metadata\":{}}");
}

static void a_disabled_ordinary_flag_is_not_found_so_that_every_client_uses_its_default(void **state)
{
    (void)state;
    struct fs_flag *flag = flag_of("beta", FS_TYPE_BOOLEAN, "{\"on\":true}", NULL);
    assert_answer(flag, evaluated(flag, -1, FS_REASON_DISABLED), 404,
                  "{\"key\":\"beta\",\"errorCode\":\"FLAG_NOT_FOUND\",\"errorDetails\":\"the flag is "
                  "disabled\",\"metadata\":{}}");
}

static void errors_have_all_members(void **state)
{
    (void)state;
    assert_blob(fs_ofrep_not_found("a\"b"),
                "{\"key\":\"a\\\"b\",\"errorCode\":\"FLAG_NOT_FOUND\",\"errorDetails\":\"there is no such "
                "flag here\",\"metadata\":{}}");
    assert_blob(fs_ofrep_error(NULL, "PARSE_ERROR", "line 1"),
                "{\"key\":\"\",\"errorCode\":\"PARSE_ERROR\",\"errorDetails\":\"line 1\",\"metadata\":{}}");
}

static char *bulk(const char *stream, bool second)
{
    struct fs_buf out;
    struct fs_flag *a = flag_of("a", FS_TYPE_INTEGER, "{\"v\":1}", NULL),
                   *b = flag_of("b", FS_TYPE_FLOAT, "{\"v\":2}", NULL);
    struct fs_evaluation of_a = evaluated(a, 0, FS_REASON_STATIC), of_b = evaluated(b, 0, FS_REASON_SPLIT);
    json_t *metadata = json_of("{\"set\":\"x\"}");
    fs_buf_init(&out, 65536);
    fs_ofrep_bulk_begin(&out);
    fs_ofrep_bulk_add(&out, a, &of_a);
    if (second)
        fs_ofrep_bulk_add(&out, b, &of_b);
    fs_ofrep_bulk_end(&out, metadata, NULL, stream, 120);
    json_decref(metadata);
    fs_flag_destroy(a);
    fs_flag_destroy(b);
    return fs_buf_take(&out, NULL);
}

static void a_bulk_answer_lists_flags_and_announces_the_stream(void **state)
{
    (void)state;
    char *text = bulk("https://flags.example/ofrep/v1/events/t", true);
    assert_json(
        text,
        "{\"flags\":[{\"key\":\"a\",\"value\":1,\"reason\":\"STATIC\",\"variant\":\"v\",\"metadata\":{}},"
        "{\"key\":\"b\",\"value\":2.0,\"reason\":\"SPLIT\",\"variant\":\"v\",\"metadata\":{}}],\"metadata\":{"
        "\"set\":\"x\"},"
        "\"eventStreams\":[{\"type\":\"sse\",\"url\":\"https://flags.example/ofrep/v1/events/"
        "t\",\"inactivityDelaySec\":120}]}");
    fs_free(text);
    struct fs_buf out;
    fs_buf_init(&out, 1000);
    fs_ofrep_bulk_begin(&out);
    fs_ofrep_bulk_end(&out, NULL, NULL, NULL, 0);
    assert_string_equal(out.data, "{\"flags\":[],\"metadata\":{}}");
    fs_buf_finish(&out);
}

static void the_etag_changes_with_everything_the_caller_sees(void **state)
{
    char one[FS_OFREP_ETAG_SIZE], same[FS_OFREP_ETAG_SIZE], stream[FS_OFREP_ETAG_SIZE],
        fewer[FS_OFREP_ETAG_SIZE];
    char *a = bulk("https://x/1", true), *b = bulk("https://x/1", true), *c = bulk("https://x/2", true),
         *d = bulk("https://x/1", false);
    (void)state;
    fs_ofrep_etag(a, strlen(a), one);
    fs_ofrep_etag(b, strlen(b), same);
    fs_ofrep_etag(c, strlen(c), stream);
    fs_ofrep_etag(d, strlen(d), fewer);
    assert_string_equal(one, same);
    assert_string_not_equal(one, stream);
    assert_string_not_equal(one, fewer);
    assert_int_equal(strlen(one), 66);
    assert_int_equal(one[0], '"');
    fs_free(a);
    fs_free(b);
    fs_free(c);
    fs_free(d);
}

static void not_modified_follows_if_none_match_and_guideline_9(void **state)
{
    (void)state;
    assert_true(fs_ofrep_unchanged("\"abc\"", "\"abc\"", NULL));
    assert_true(fs_ofrep_unchanged("\"abc\"", "W/\"abc\"", NULL));
    assert_true(fs_ofrep_unchanged("\"abc\"", "\"x\", \"abc\" ,\"y\"", NULL));
    assert_true(fs_ofrep_unchanged("\"abc\"", "*", NULL));
    assert_true(fs_ofrep_unchanged("\"abc\"", "abc", NULL));
    assert_false(fs_ofrep_unchanged("\"abc\"", NULL, NULL));
    assert_false(fs_ofrep_unchanged("\"abc\"", "", NULL));
    assert_false(fs_ofrep_unchanged("\"abc\"", "\"abcd\"", NULL));
    assert_true(fs_ofrep_unchanged("\"abc\"", "\"abc\"", "\"abc\""));
    assert_true(fs_ofrep_unchanged("\"abc\"", "\"abc\"", "abc"));
    assert_false(fs_ofrep_unchanged("\"abc\"", "\"abc\"", "\"newer\""));
    assert_false(fs_ofrep_unchanged("\"abc\"", NULL, "\"abc\""));
}

static void a_context_is_found_or_the_error_has_its_code(void **state)
{
    static const struct {
        const char *body, *code;
    } cases[] = {
        {"{\"context\":{\"targetingKey\":\"ada\"}}", NULL},
        {"", NULL},
        {"{}", NULL},
        {"{\"context\":{}}", NULL},
        {"{\"context\":{\"a\":{\"b\":{}}}}", NULL},
        {"{", "PARSE_ERROR"},
        {"nonsense", "PARSE_ERROR"},
        {"{\"context\":{},\"context\":{}}", "PARSE_ERROR"},
        {"[]", "INVALID_CONTEXT"},
        {"7", "INVALID_CONTEXT"},
        {"{\"context\":7}", "INVALID_CONTEXT"},
        {"{\"context\":null}", "INVALID_CONTEXT"},
        {"{\"context\":{\"a\":{\"b\":{\"c\":{}}}}}", "INVALID_CONTEXT"},
        {"{\"context\":{\"a\":"
         "\"0123456789012345678901234567890123456789012345678901234567890123456789012345678901234567890123456"
         "789"
         "012345678901234567890123456789012345678901234567890123456789012345678901234567890123456789012345678"
         "9\"}}",
         "INVALID_CONTEXT"},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        struct fs_err err = {0};
        const char *code = NULL;
        json_t *context = fs_ofrep_context(cases[i].body, strlen(cases[i].body), &limits, &code, &err);
        if (cases[i].code) {
            assert_null(context);
            assert_string_equal(code, cases[i].code);
            assert_true(err.text[0] != 0);
        } else {
            assert_true(json_is_object(context));
        }
        json_decref(context);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_flag_has_always_key_value_reason_variant_and_metadata),
        cmocka_unit_test(an_access_flag_says_that_it_is_not_leased),
        cmocka_unit_test(attributes_that_were_dropped_are_named),
        cmocka_unit_test(unleased_safe_withholds_the_value),
        cmocka_unit_test(an_unknown_answer_is_200_with_the_safe_value),
        cmocka_unit_test(a_failed_ordinary_flag_is_400_in_the_narrow_form),
        cmocka_unit_test(a_disabled_ordinary_flag_is_not_found_so_that_every_client_uses_its_default),
        cmocka_unit_test(errors_have_all_members),
        cmocka_unit_test(a_bulk_answer_lists_flags_and_announces_the_stream),
        cmocka_unit_test(the_etag_changes_with_everything_the_caller_sees),
        cmocka_unit_test(not_modified_follows_if_none_match_and_guideline_9),
        cmocka_unit_test(a_context_is_found_or_the_error_has_its_code),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

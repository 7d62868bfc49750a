/* SPDX-License-Identifier: Apache-2.0 */
/* What each form of OPA's answers to one question means (docs/sources/opa.md, "What an answer means"). Bodies
 * as OPA 1.22 sends them. */
#include "opa_rig.h"

#define OPTIONS "{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181\",\"batch\":false}"

/* Asks one question singly of a ready OPA and gives it that response. */
static struct fs_answer *answered(struct rig *rig, long status, const char *body)
{
    rig_init(rig, OPTIONS);
    rig_ready(rig, NULL);
    rig_question(rig, "path", "app/rbac/allow");
    rig_ask(rig);
    rig_respond(rig, rig_next(rig), status, body);
    assert_int_equal(rig->settled[0], 1);
    return &rig->answers[0];
}

static void a_question_is_asked_with_strict_errors_and_provenance(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_question(&rig, "path", "app/my rules/allow");
    rig_ask(&rig);
    struct fs_exchange *exchange = rig_next(&rig);
    assert_string_equal(exchange->method, "POST");
    assert_string_equal(exchange->path,
                        "/v1/data/app/my%20rules/allow?strict-builtin-errors=true&provenance=true");
    assert_string_equal(exchange->body, "{\"input\":{\"n\":0}}");
    fs_exchange_destroy(exchange);
    rig_finish(&rig);
}

static void true_and_false_are_values(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 200, "{\"result\":true}");
    assert_boolean(&rig, 0, true);
    rig_finish(&rig);
    answered(&rig, 200, "{\"result\":false}\n");
    assert_boolean(&rig, 0, false);
    rig_finish(&rig);
}

static void any_json_is_a_value_and_null_is_one_too(void **state)
{
    (void)state;
    struct rig rig;
    struct fs_answer *answer = answered(&rig, 200, "{\"result\":{\"tools\":[\"read\"]}}");
    assert_int_equal(answer->state, FS_ANSWER_VALUE);
    assert_int_equal(json_array_size(json_object_get(answer->value, "tools")), 1);
    rig_finish(&rig);
    answer = answered(&rig, 200, "{\"result\":null}");
    assert_int_equal(answer->state, FS_ANSWER_VALUE);
    assert_true(json_is_null(answer->value));
    rig_finish(&rig);
}

static void no_result_from_a_ready_opa_is_undefined(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 200, "{}");
    assert_answer(&rig, 0, FS_ANSWER_UNDEFINED);
    rig_finish(&rig);
}

static void nothing_counts_from_an_opa_that_no_probe_found_ready(void **state)
{
    (void)state;
    const char *bodies[] = {"{}", "{\"result\":true}", "{\"result\":false}"};
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;
        rig_init(&rig, OPTIONS);
        rig_question(&rig, "path", "app/rbac/allow");
        rig_ask(&rig);
        rig_respond(&rig, rig_next(&rig), 200, bodies[i]);
        assert_answer(&rig, 0, FS_ANSWER_NONE);
        rig_finish(&rig);
    }
}

static void an_opa_that_came_back_without_its_bundles_is_not_believed_until_a_probe_is_good(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_ready(&rig, "{\"app\":{\"revision\":\"r1\"},\"base\":{\"revision\":\"b7\"}}");
    const char *restarted = "{\"provenance\":{\"bundles\":{\"app\":{\"revision\":\"r1\"}}},\"result\":false}";
    const char *whole = "{\"provenance\":{\"bundles\":{\"base\":{\"revision\":\"b7\"},\"app\":{\"revision\":"
                        "\"r1\"},\"new\":{}}},\"result\":false}";
    rig_question(&rig, "path", "app/rbac/blocked");
    rig_question(&rig, "path", "app/rbac/allow");
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, restarted);
    rig_respond(&rig, rig_next(&rig), 200, whole); /* even this: nobody has looked at it since */
    assert_answer(&rig, 0, FS_ANSWER_NONE);
    assert_answer(&rig, 1, FS_ANSWER_NONE);
    rig_forget(&rig);
    rig_ready(&rig, "{\"app\":{\"revision\":\"r1\"},\"base\":{\"revision\":\"b7\"}}");
    rig_question(&rig, "path", "app/rbac/blocked");
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, whole);
    assert_boolean(&rig, 0, false);
    rig_finish(&rig);
}

static void a_warning_is_our_mistake_and_never_a_denial(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 200,
             "{\"result\":false,\"warning\":{\"code\":\"api_usage_warning\",\"message\":\"'input' key "
             "missing from the request\"}}");
    assert_answer(&rig, 0, FS_ANSWER_BAD);
    assert_non_null(strstr(rig.answers[0].error, "'input' key missing"));
    rig_finish(&rig);
}

static void an_evaluation_error_is_a_bad_answer(void **state)
{
    (void)state;
    struct rig rig;
    answered(
        &rig, 500,
        "{\"code\":\"internal_error\",\"message\":\"error(s) occurred while evaluating query\",\"errors\":["
        "{\"code\":\"eval_conflict_error\",\"message\":\"rule data.app.rbac.allow produced conflicting "
        "values:\\n  \\\"secret\\\" at x\"}]}");
    assert_answer(&rig, 0, FS_ANSWER_BAD);
    assert_non_null(strstr(rig.answers[0].error, "eval_conflict_error"));
    assert_null(strstr(rig.answers[0].error, "secret"));
    rig_finish(&rig);
}

static void what_is_no_evaluation_error_is_no_answer(void **state)
{
    (void)state;
    const struct {
        long status;
        const char *body;
    } rows[] = {
        {0, "cannot connect to http://127.0.0.1:8181"},
        {0, "no answer within 1s"},
        {401, "{\"code\":\"unauthorized\",\"message\":\"request rejected by administrative policy\"}"},
        {403, "no"},
        {404, "404 page not found"},
        {500, "{\"code\":\"internal_error\",\"message\":\"authorization policy missing or undefined\"}"},
        {500, "{\"code\":\"internal_error\",\"message\":\"m\",\"errors\":[{\"code\":\"eval_cancel_error\","
              "\"message\":\"caller cancelled\"}]}"},
        {502, "<html>bad gateway</html>"},
        {503, ""},
        {204, ""},
        {301, ""},
        {400, "<html>bad request</html>"},
        {200, ""},
        {200, "[]"},
        {200, "{\"result\":tr"},
        {200, "<html>a captive portal</html>"},
        {200, "{\"result\":true,\"result\":false}"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig;
        answered(&rig, rows[i].status, rows[i].body);
        assert_answer(&rig, 0, FS_ANSWER_NONE);
        assert_non_null(rig.answers[0].error);
        rig_finish(&rig);
    }
}

static void a_request_that_opa_rejects_is_a_bad_answer(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 400,
             "{\"code\":\"invalid_parameter\",\"message\":\"body contains malformed input document: "
             "unexpected EOF\"}");
    assert_answer(&rig, 0, FS_ANSWER_BAD);
    rig_finish(&rig);
}

static void an_input_of_null_is_a_bad_answer_without_asking(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_ready(&rig, NULL);
    rig_question(&rig, "path", "app/rbac/allow");
    rig.batch[0].input = "null";
    rig.batch[0].input_length = 4;
    rig_ask(&rig);
    assert_answer(&rig, 0, FS_ANSWER_BAD);
    rig_finish(&rig);
}

static void provenance_and_decision_id_come_with_the_answer(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 200,
             "{\"decision_id\":\"7ef5\",\"provenance\":{\"version\":\"1\",\"bundles\":{\"web\":{\"revision\":"
             "\"2\"},\"app\":{\"revision\":\"rev-9\"}}},"
             "\"result\":true}");
    assert_string_equal(rig.answers[0].revision, "app=rev-9,web=2");
    assert_string_equal(rig.answers[0].decision_id, "7ef5");
    rig_finish(&rig);
}

static void without_bundles_there_is_no_revision(void **state)
{
    (void)state;
    struct rig rig;
    answered(&rig, 200, "{\"provenance\":{\"version\":\"1.22.2\"},\"result\":true}");
    assert_null(rig.answers[0].revision);
    assert_null(rig.answers[0].decision_id);
    rig_finish(&rig);
}

static void where_opa_refuses_one_question_its_likes_are_not_refused_one_by_one(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_ready(&rig, NULL);
    for (int i = 0; i < 50; i++)
        rig_question(&rig, "path", "app/secret");
    rig_question(&rig, "path", "app/open");
    rig_question(&rig, "path", "app/open");
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":true}"); /* app/open goes first by name */
    rig_respond(&rig, rig_next(&rig), 401, "{\"code\":\"unauthorized\",\"message\":\"m\"}");
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":false}");
    assert_true(fs_list_empty(&rig.out.exchanges));
    for (size_t i = 0; i < 50; i++)
        assert_answer(&rig, i, FS_ANSWER_NONE);
    assert_boolean(&rig, 50, true);
    assert_boolean(&rig, 51, false);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_question_is_asked_with_strict_errors_and_provenance),
        cmocka_unit_test(true_and_false_are_values),
        cmocka_unit_test(any_json_is_a_value_and_null_is_one_too),
        cmocka_unit_test(no_result_from_a_ready_opa_is_undefined),
        cmocka_unit_test(nothing_counts_from_an_opa_that_no_probe_found_ready),
        cmocka_unit_test(an_opa_that_came_back_without_its_bundles_is_not_believed_until_a_probe_is_good),
        cmocka_unit_test(a_warning_is_our_mistake_and_never_a_denial),
        cmocka_unit_test(an_evaluation_error_is_a_bad_answer),
        cmocka_unit_test(what_is_no_evaluation_error_is_no_answer),
        cmocka_unit_test(a_request_that_opa_rejects_is_a_bad_answer),
        cmocka_unit_test(an_input_of_null_is_a_bad_answer_without_asking),
        cmocka_unit_test(provenance_and_decision_id_come_with_the_answer),
        cmocka_unit_test(without_bundles_there_is_no_revision),
        cmocka_unit_test(where_opa_refuses_one_question_its_likes_are_not_refused_one_by_one),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

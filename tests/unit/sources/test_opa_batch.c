/* SPDX-License-Identifier: Apache-2.0 */
/* Many questions in one request: the module, its version, halving, and the ways back to single questions. */
#include "opa_rig.h"

#define OPTIONS "{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181\"}"
#define ALLOW   "app/rbac/allow"
#define BLOCKED "app/rbac/blocked"
#define EVAL_ERROR                                                                                           \
    "{\"code\":\"internal_error\",\"message\":\"error(s) occurred while evaluating query\","                 \
    "\"errors\":[{\"code\":\"eval_builtin_error\",\"message\":\"div: divide by zero\"}]}"
#define UNAUTHORIZED "{\"code\":\"unauthorized\",\"message\":\"request rejected by administrative policy\"}"

static void start(struct rig *rig, const char *options)
{
    const char *queries[] = {ALLOW, BLOCKED};
    rig_init(rig, options);
    rig_paths(rig, 2, queries);
    rig_ready(rig, NULL);
}

/* As start(), with the module seen in place. */
static void start_installed(struct rig *rig, const char *options)
{
    start(rig, options);
    rig->opa->installed = true;
}

static void respond_owned(struct rig *rig, struct fs_exchange *exchange, char *body)
{
    rig_respond(rig, exchange, 200, body);
    fs_free(body);
}

static void a_batch_is_one_request_with_each_item_under_its_place(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", BLOCKED);
    rig_question(&rig, "path", ALLOW);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    struct fs_exchange *exchange = rig_next(&rig);
    assert_true(fs_list_empty(&rig.out.exchanges));
    assert_string_equal(exchange->method, "POST");
    assert_string_equal(exchange->path,
                        "/v1/data/flagstaff/batch?strict-builtin-errors=true&provenance=true");
    char *wanted = fs_format(
        "{\"input\":{\"items\":{\"%s\":{\"0\":{\"n\":1},\"1\":{\"n\":2}},\"%s\":{\"2\":{\"n\":0}}}}}",
        (const char *)fs_map_gets(&rig.opa->module.rules, ALLOW),
        (const char *)fs_map_gets(&rig.opa->module.rules, BLOCKED));
    assert_string_equal(exchange->body, wanted);
    fs_free(wanted);
    respond_owned(&rig, exchange,
                  rig_batch_body(&rig, ALLOW, "{\"0\":true,\"1\":false}", BLOCKED, "{\"2\":true}"));
    assert_boolean(&rig, 0, true);
    assert_boolean(&rig, 1, true);
    assert_boolean(&rig, 2, false);
    assert_string_equal(rig.answers[0].decision_id, "d-1#2");
    assert_string_equal(rig.answers[1].decision_id, "d-1#0");
    rig_finish(&rig);
}

static void an_item_without_a_key_is_undefined_and_shifts_nobody(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    for (int i = 0; i < 3; i++)
        rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, "{\"0\":true,\"2\":false}", NULL, NULL));
    assert_boolean(&rig, 0, true);
    assert_answer(&rig, 1, FS_ANSWER_UNDEFINED);
    assert_boolean(&rig, 2, false);
    rig_finish(&rig);
}

static void an_answer_with_a_rule_missing_or_a_key_too_many_is_partial_and_bad(void **state)
{
    (void)state;
    struct rig rig;
    const char *values[] = {"null", "[true,true]", "{\"0\":true,\"7\":true}"};
    for (size_t i = 0; i < 3; i++) {
        start_installed(&rig, OPTIONS);
        rig_question(&rig, "path", ALLOW);
        rig_question(&rig, "path", ALLOW);
        rig_ask(&rig);
        respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, values[i], NULL, NULL));
        assert_answer(&rig, 0, FS_ANSWER_BAD);
        assert_answer(&rig, 1, FS_ANSWER_BAD);
        rig_finish(&rig);
    }
}

static void an_error_among_seven_is_halved_until_its_culprit_stands_alone(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    for (int i = 0; i < 7; i++)
        rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    int requests = 0;
    while (!fs_list_empty(&rig.out.exchanges)) {
        struct fs_exchange *exchange = rig_next(&rig);
        requests++;
        struct fs_buf values;
        fs_buf_init(&values, 4096);
        bool guilty = false;
        for (size_t i = 0; i < exchange->question_count; i++) {
            guilty = guilty || exchange->questions[i] == 4;
            fs_buf_addf(&values, "%s\"%zu\":true", i ? "," : "{", i);
        }
        fs_buf_addc(&values, '}');
        if (guilty)
            rig_respond(&rig, exchange, 500, EVAL_ERROR);
        else
            respond_owned(&rig, exchange, rig_batch_body(&rig, ALLOW, values.data, NULL, NULL));
        fs_buf_finish(&values);
    }
    for (size_t i = 0; i < 7; i++) {
        if (i == 4)
            assert_answer(&rig, i, FS_ANSWER_BAD);
        else
            assert_boolean(&rig, i, true);
    }
    assert_non_null(strstr(rig.answers[4].error, "divide by zero"));
    assert_true(requests <= 7);
    rig_finish(&rig);
}

static void a_batch_of_which_opa_says_nothing_usable_has_no_answer(void **state)
{
    (void)state;
    const struct {
        long status;
        const char *body;
    } rows[] = {{0, "no answer within 1s"},
                {500, "{\"code\":\"internal_error\",\"message\":\"m\"}"},
                {503, ""},
                {404, "404 page not found"},
                {200, "<html>"}};
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct rig rig;
        start(&rig, OPTIONS); /* not known to be installed: the second chunk travels with the first */
        for (int n = 0; n < 250; n++)
            rig_question(&rig, "path", ALLOW);
        rig_ask(&rig);
        rig_respond(&rig, rig_next(&rig), rows[i].status, rows[i].body);
        for (size_t n = 0; n < 250; n++)
            assert_answer(&rig, n, FS_ANSWER_NONE);
        rig_finish(&rig);
    }
}

static void a_chunk_holds_at_most_two_hundred_items(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    for (int i = 0; i < 450; i++)
        rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    const size_t sizes[] = {200, 200, 50};
    for (size_t i = 0; i < 3; i++) {
        struct fs_exchange *exchange = rig_next(&rig);
        assert_int_equal(exchange->question_count, sizes[i]);
        respond_owned(&rig, exchange, rig_batch_body(&rig, ALLOW, "{}", NULL, NULL));
    }
    assert_answer(&rig, 449, FS_ANSWER_UNDEFINED);
    rig_finish(&rig);
}

static void an_empty_answer_means_the_module_is_gone_and_it_is_installed_and_asked_again(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"provenance\":{}}");
    assert_int_equal(rig.settled[0], 0);
    rig_installs(&rig);
    assert_int_equal(rig.settled[0], 0);
    respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, "{\"0\":true}", NULL, NULL));
    assert_boolean(&rig, 0, true);
    rig_finish(&rig);
}

static void the_first_chunk_finds_out_whether_the_module_is_there_and_the_rest_follows(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, OPTIONS);
    for (int i = 0; i < 300; i++)
        rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{}");
    assert_true(fs_list_empty(&rig.out.exchanges) == false);
    rig_installs(&rig);
    for (size_t i = 0; i < 2; i++)
        respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, "{\"0\":true}", NULL, NULL));
    for (size_t i = 0; i < 300; i++)
        assert_int_equal(rig.settled[i], 1);
    rig_finish(&rig);
}

static void a_module_of_another_version_is_replaced_but_not_for_ever(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    for (int i = 0; i < FS_OPA_ATTEMPTS; i++) {
        rig_respond(&rig, rig_next(&rig), 200, "{\"result\":{\"version\":\"v1-somebody-elses\"}}");
        rig_installs(&rig);
    }
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":{\"version\":\"v1-somebody-elses\"}}");
    struct fs_exchange *exchange = rig_next(&rig);
    assert_non_null(strstr(exchange->path, "/v1/data/app/rbac/allow?"));
    rig_respond(&rig, exchange, 200, "{\"result\":true}");
    assert_boolean(&rig, 0, true);
    rig_finish(&rig);
}

static void where_the_module_is_forbidden_questions_go_singly_and_it_is_tried_again_later(void **state)
{
    (void)state;
    const struct {
        long status;
        const char *body;
    } refusals[] = {
        {401, UNAUTHORIZED},
        {403, "forbidden"},
        {400, "{\"code\":\"invalid_parameter\",\"message\":\"path flagstaff/batch is owned by bundle "
              "\\\"app\\\"\"}"},
        {400, "{\"code\":\"invalid_parameter\",\"message\":\"m\",\"errors\":[{\"code\":\"rego_type_error\","
              "\"message\":\"function used as reference\"}]}"},
        {404, "404 page not found"},
    };
    for (size_t row = 0; row < sizeof refusals / sizeof *refusals; row++) {
        struct rig rig;
        start(&rig, OPTIONS);
        rig_question(&rig, "path", ALLOW);
        rig_question(&rig, "path", ALLOW);
        rig_ask(&rig);
        rig_respond(&rig, rig_next(&rig), 200, "{}");
        struct fs_exchange *put = rig_next(&rig);
        assert_string_equal(put->method, "PUT");
        rig_respond(&rig, put, refusals[row].status, refusals[row].body);
        rig_respond(&rig, rig_next(&rig), 200, "{\"result\":true}");
        rig_respond(&rig, rig_next(&rig), 200, "{}");
        assert_boolean(&rig, 0, true);
        assert_answer(&rig, 1, FS_ANSWER_UNDEFINED);
        rig_forget(&rig);
        rig_question(&rig, "path", ALLOW); /* remembered */
        rig_ask(&rig);
        struct fs_exchange *single = rig_next(&rig);
        assert_non_null(strstr(single->path, "/v1/data/app/rbac/allow?"));
        rig_respond(&rig, single, 200, "{\"result\":true}");
        rig_forget(&rig);
        for (int i = 0; i < FS_OPA_SINGLES_PROBES; i++)
            rig_ready(&rig, NULL);
        rig_question(&rig, "path", ALLOW);
        rig_ask(&rig);
        struct fs_exchange *again = rig_next(&rig);
        assert_non_null(strstr(again->path, "/v1/data/flagstaff/batch?"));
        respond_owned(&rig, again, rig_batch_body(&rig, ALLOW, "{\"0\":true}", NULL, NULL));
        rig_finish(&rig);
    }
}

static void where_only_the_paths_themselves_may_be_asked_questions_go_singly(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 401, UNAUTHORIZED);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":true}");
    assert_boolean(&rig, 0, true);
    rig_finish(&rig);
}

static void a_token_that_opa_does_not_like_is_no_answer_and_the_module_is_tried_again_soon(void **state)
{
    (void)state;
    struct rig rig;
    start(&rig, OPTIONS);
    for (int i = 0; i < 300; i++)
        rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 401, UNAUTHORIZED);
    rig_respond(&rig, rig_next(&rig), 401, UNAUTHORIZED);
    for (size_t i = 0; i < 300; i++)
        assert_answer(&rig, i, FS_ANSWER_NONE);
    rig_ready(&rig, NULL);
    assert_int_equal(rig.opa->singles, 0);
    rig_finish(&rig);
}

static void an_installation_that_fails_for_the_moment_is_no_answer(void **state)
{
    (void)state;
    const long statuses[] = {0, 500, 503};
    for (size_t i = 0; i < 3; i++) {
        struct rig rig;
        start(&rig, OPTIONS);
        rig_question(&rig, "path", ALLOW);
        rig_ask(&rig);
        rig_respond(&rig, rig_next(&rig), 200, "{}");
        rig_respond(&rig, rig_next(&rig), statuses[i], "no answer within 1s");
        assert_answer(&rig, 0, FS_ANSWER_NONE);
        assert_int_equal(rig.opa->singles, 0);
        rig_finish(&rig);
    }
}

static void
a_server_that_lost_our_module_and_has_a_revision_document_is_probed_before_it_is_believed(void **state)
{
    (void)state;
    struct rig rig;
    const char *queries[] = {ALLOW};
    rig_init(&rig, "{\"type\":\"opa\",\"url\":\"http://h\",\"revisionPath\":\"opal/revision\"}");
    rig_paths(&rig, 1, queries);
    struct fs_probe probe = rig_probe_with(&rig, 200, "{}", 200, "{\"result\":7}");
    assert_true(probe.alive);
    fs_free(probe.revision);
    rig.opa->installed = true;
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{}");
    rig_installs(&rig);
    respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, "{}", NULL, NULL));
    assert_answer(&rig, 0, FS_ANSWER_NONE);
    rig_finish(&rig);
}

static void a_server_that_lost_its_bundles_with_our_module_is_not_given_a_new_one(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    rig_ready(&rig, "{\"app\":{\"revision\":\"1\"}}");
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"provenance\":{}}");
    assert_answer(&rig, 0, FS_ANSWER_NONE);
    rig_finish(&rig);
}

static void an_answer_that_cannot_be_read_is_halved_too(void **state)
{
    (void)state;
    struct rig rig;
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":{\"x\":1,\"x\":2}}");
    struct fs_exchange *exchange = rig_next(&rig);
    struct fs_response large = {.status = 200, .body = "", .error = "the answer is over 8388608 bytes"};
    fs_source_opa.respond(rig.opa, rig.batch, rig.count, exchange, &large, &rig.out);
    fs_exchange_destroy(exchange);
    respond_owned(&rig, rig_next(&rig), rig_batch_body(&rig, ALLOW, "{\"0\":true}", NULL, NULL));
    assert_answer(&rig, 0, FS_ANSWER_NONE);
    assert_boolean(&rig, 1, true);
    rig_finish(&rig);
}

static void flags_that_change_while_a_batch_is_under_way_do_not_mix_two_modules(void **state)
{
    (void)state;
    struct rig rig;
    const char *queries[] = {BLOCKED};
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_ask(&rig);
    struct fs_exchange *exchange = rig_next(&rig);
    char *old_body = rig_batch_body(&rig, ALLOW, "{\"0\":true}", NULL, NULL);
    rig_paths(&rig, 1, queries);
    respond_owned(&rig, exchange, old_body);
    rig_installs(&rig);
    struct fs_exchange *single =
        rig_next(&rig); /* no flag asks for it any more; the batch still gets its answer */
    assert_non_null(strstr(single->path, "/v1/data/app/rbac/allow?"));
    rig_respond(&rig, single, 200, "{\"result\":false}");
    assert_boolean(&rig, 0, false);
    rig_finish(&rig);
}

static void flags_that_change_while_a_batch_is_halved_lose_nobody(void **state)
{
    (void)state;
    struct rig rig;
    const char *queries[] = {BLOCKED};
    start_installed(&rig, OPTIONS);
    rig_question(&rig, "path", ALLOW);
    rig_question(&rig, "path", BLOCKED);
    rig_ask(&rig);
    struct fs_exchange *exchange = rig_next(&rig);
    rig_paths(&rig, 1, queries);
    rig_respond(&rig, exchange, 500, EVAL_ERROR);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":true}"); /* ALLOW is in no module any more: singly */
    rig_respond(&rig, rig_next(&rig), 500, EVAL_ERROR);
    assert_boolean(&rig, 0, true);
    assert_answer(&rig, 1, FS_ANSWER_BAD);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_batch_is_one_request_with_each_item_under_its_place),
        cmocka_unit_test(an_item_without_a_key_is_undefined_and_shifts_nobody),
        cmocka_unit_test(an_answer_with_a_rule_missing_or_a_key_too_many_is_partial_and_bad),
        cmocka_unit_test(an_error_among_seven_is_halved_until_its_culprit_stands_alone),
        cmocka_unit_test(a_batch_of_which_opa_says_nothing_usable_has_no_answer),
        cmocka_unit_test(a_chunk_holds_at_most_two_hundred_items),
        cmocka_unit_test(an_empty_answer_means_the_module_is_gone_and_it_is_installed_and_asked_again),
        cmocka_unit_test(the_first_chunk_finds_out_whether_the_module_is_there_and_the_rest_follows),
        cmocka_unit_test(a_module_of_another_version_is_replaced_but_not_for_ever),
        cmocka_unit_test(where_the_module_is_forbidden_questions_go_singly_and_it_is_tried_again_later),
        cmocka_unit_test(where_only_the_paths_themselves_may_be_asked_questions_go_singly),
        cmocka_unit_test(a_token_that_opa_does_not_like_is_no_answer_and_the_module_is_tried_again_soon),
        cmocka_unit_test(an_installation_that_fails_for_the_moment_is_no_answer),
        cmocka_unit_test(
            a_server_that_lost_our_module_and_has_a_revision_document_is_probed_before_it_is_believed),
        cmocka_unit_test(a_server_that_lost_its_bundles_with_our_module_is_not_given_a_new_one),
        cmocka_unit_test(an_answer_that_cannot_be_read_is_halved_too),
        cmocka_unit_test(flags_that_change_while_a_batch_is_under_way_do_not_mix_two_modules),
        cmocka_unit_test(flags_that_change_while_a_batch_is_halved_lose_nobody),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

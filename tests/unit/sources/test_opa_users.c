/* SPDX-License-Identifier: Apache-2.0 */
/* `users`: one document for all questions of it, and membership of the subject. */
#include "opa_rig.h"

#define OPTIONS "{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181\"}"

static void ask_three(struct rig *rig, long status, const char *body)
{
    rig_init(rig, OPTIONS);
    rig_ready(rig, NULL);
    for (int i = 0; i < 3; i++)
        rig_question(rig, "users", "app/rbac/us_users");
    rig_ask(rig);
    struct fs_exchange *exchange = rig_next(rig);
    assert_true(fs_list_empty(&rig->out.exchanges));
    assert_string_equal(exchange->method, "GET");
    assert_string_equal(exchange->path,
                        "/v1/data/app/rbac/us_users?strict-builtin-errors=true&provenance=true");
    assert_null(exchange->body);
    rig_respond(rig, exchange, status, body);
}

static void a_list_decides_for_all_who_ask(void **state)
{
    (void)state;
    struct rig rig;
    ask_three(&rig, 200, "{\"decision_id\":\"d\",\"result\":[\"user-2\",\"somebody\",\"user-0\"]}");
    assert_boolean(&rig, 0, true);
    assert_boolean(&rig, 1, false);
    assert_boolean(&rig, 2, true);
    assert_string_equal(rig.answers[1].decision_id, "d");
    rig_finish(&rig);
}

static void an_empty_list_denies_all(void **state)
{
    (void)state;
    struct rig rig;
    ask_three(&rig, 200, "{\"result\":[]}");
    for (size_t i = 0; i < 3; i++)
        assert_boolean(&rig, i, false);
    rig_finish(&rig);
}

static void the_keys_of_an_object_are_members_unless_their_value_says_no(void **state)
{
    (void)state;
    struct rig rig;
    ask_three(&rig, 200, "{\"result\":{\"user-0\":true,\"user-1\":false,\"user-2\":{\"since\":2020}}}");
    assert_boolean(&rig, 0, true);
    assert_boolean(&rig, 1, false);
    assert_boolean(&rig, 2, true);
    rig_finish(&rig);
}

static void what_is_no_list_of_names_is_a_bad_answer(void **state)
{
    (void)state;
    const char *bodies[] = {"{\"result\":true}", "{\"result\":\"user-0\"}", "{\"result\":null}",
                            "{\"result\":[\"user-0\",7]}"};
    for (size_t i = 0; i < 4; i++) {
        struct rig rig;
        ask_three(&rig, 200, bodies[i]);
        for (size_t n = 0; n < 3; n++)
            assert_answer(&rig, n, FS_ANSWER_BAD);
        rig_finish(&rig);
    }
}

static void an_undefined_list_is_undefined(void **state)
{
    (void)state;
    struct rig rig;
    ask_three(&rig, 200, "{}");
    assert_answer(&rig, 2, FS_ANSWER_UNDEFINED);
    rig_finish(&rig);
}

static void a_list_that_cannot_be_had_is_no_answer(void **state)
{
    (void)state;
    const long statuses[] = {0, 401, 404, 503};
    for (size_t i = 0; i < 4; i++) {
        struct rig rig;
        ask_three(&rig, statuses[i], "gone");
        for (size_t n = 0; n < 3; n++)
            assert_answer(&rig, n, FS_ANSWER_NONE);
        rig_finish(&rig);
    }
}

static void a_list_whose_rule_fails_is_a_bad_answer(void **state)
{
    (void)state;
    struct rig rig;
    ask_three(&rig, 500,
              "{\"code\":\"internal_error\",\"message\":\"m\",\"errors\":[{\"code\":\"eval_builtin_error\","
              "\"message\":\"x\"}]}");
    assert_answer(&rig, 0, FS_ANSWER_BAD);
    rig_finish(&rig);
}

static void a_question_without_a_subject_is_denied(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_ready(&rig, NULL);
    rig_question(&rig, "users", "app/rbac/us_users");
    rig.batch[0].subject = NULL;
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":[\"user-0\",\"\"]}");
    assert_boolean(&rig, 0, false);
    rig_finish(&rig);
}

static void lists_and_paths_of_one_batch_go_their_own_ways(void **state)
{
    (void)state;
    struct rig rig;
    const char *queries[] = {"app/rbac/allow"};
    rig_init(&rig, OPTIONS);
    rig_paths(&rig, 1, queries);
    rig_ready(&rig, NULL);
    rig.opa->installed = true;
    rig_question(&rig, "users", "app/b");
    rig_question(&rig, "path", "app/rbac/allow");
    rig_question(&rig, "users", "app/a");
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":[\"user-2\"]}");
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":[]}");
    char *body = rig_batch_body(&rig, "app/rbac/allow", "{\"0\":true}", NULL, NULL);
    rig_respond(&rig, rig_next(&rig), 200, body);
    fs_free(body);
    assert_boolean(&rig, 0, false);
    assert_boolean(&rig, 1, true);
    assert_boolean(&rig, 2, true);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_list_decides_for_all_who_ask),
        cmocka_unit_test(an_empty_list_denies_all),
        cmocka_unit_test(the_keys_of_an_object_are_members_unless_their_value_says_no),
        cmocka_unit_test(what_is_no_list_of_names_is_a_bad_answer),
        cmocka_unit_test(an_undefined_list_is_undefined),
        cmocka_unit_test(a_list_that_cannot_be_had_is_no_answer),
        cmocka_unit_test(a_list_whose_rule_fails_is_a_bad_answer),
        cmocka_unit_test(a_question_without_a_subject_is_denied),
        cmocka_unit_test(lists_and_paths_of_one_batch_go_their_own_ways),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

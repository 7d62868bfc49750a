/* SPDX-License-Identifier: Apache-2.0 */
/* Alive, ready, and at which revision. */
#include "opa_rig.h"

#define OPTIONS "{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181\"}"
#define WITH_DOCUMENT                                                                                        \
    "{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181\",\"revisionPath\":\"opal/revision\"}"

static void a_ready_opa_is_alive_with_the_revision_of_its_bundles(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    struct fs_probe probe = rig_probe_with(&rig, 200, "{}", 200,
                                           "{\"provenance\":{\"bundles\":{\"b\":{\"revision\":\"2\"},\"a\":{"
                                           "\"revision\":\"1\"}}},\"result\":\"v1-x\"}");
    assert_true(probe.alive);
    assert_string_equal(probe.revision, "a=1,b=2");
    assert_true(rig.opa->ready);
    fs_free(probe.revision);
    rig_finish(&rig);
}

static void an_opa_without_bundles_declares_no_revision(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    struct fs_probe probe = rig_probe_with(&rig, 200, "{}", 200, "{\"provenance\":{\"version\":\"1.22.2\"}}");
    assert_true(probe.alive);
    assert_null(probe.revision);
    rig_finish(&rig);
}

static void bundles_that_declare_no_revision_are_none(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    struct fs_probe probe = rig_probe_with(
        &rig, 200, "{}", 200, "{\"provenance\":{\"bundles\":{\"a\":{\"revision\":\"\"},\"b\":{}}}}");
    assert_true(probe.alive);
    assert_null(probe.revision);
    assert_string_equal(rig.opa->bundles, "a,b");
    rig_finish(&rig);
}

static void before_the_first_activation_it_is_not_ready(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig_ready(&rig, NULL);
    struct fs_probe probe =
        rig_probe_with(&rig, 500, "{\"error\":\"one or more bundles are not activated: app\"}", 0, "");
    assert_false(probe.alive);
    assert_non_null(strstr(probe.error, "not activated: app"));
    assert_false(rig.opa->ready);
    rig_finish(&rig);
}

static void silence_and_refusal_are_not_alive_and_say_why(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    struct fs_probe probe = rig_probe_with(&rig, 0, "no answer within 1s", 0, "");
    assert_false(probe.alive);
    assert_string_equal(probe.error, "no answer within 1s");
    probe = rig_probe_with(&rig, 401, "{\"code\":\"unauthorized\",\"message\":\"rejected\"}", 0, "");
    assert_false(probe.alive);
    assert_non_null(strstr(probe.error, "401: rejected"));
    probe = rig_probe_with(&rig, 200, "{}", 401, "{\"code\":\"unauthorized\",\"message\":\"rejected\"}");
    assert_false(probe.alive);
    assert_non_null(strstr(probe.error, "401"));
    rig_finish(&rig);
}

static void the_document_at_revisionPath_is_part_of_the_revision(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, WITH_DOCUMENT);
    struct fs_probe probe = rig_probe_with(
        &rig, 200, "{}", 200,
        "{\"provenance\":{\"bundles\":{\"a\":{\"revision\":\"1\"}}},\"result\":{\"z\":1.0,\"b\":[2]}}");
    assert_true(probe.alive);
    assert_string_equal(probe.revision, "a=1,opal/revision={\"b\":[2],\"z\":1}");
    rig_question(&rig, "path", "app/1/allow"); /* and of an answer's, so that core can compare them */
    rig_ask(&rig);
    rig_respond(&rig, rig_next(&rig), 200,
                "{\"provenance\":{\"bundles\":{\"a\":{\"revision\":\"1\"}}},\"result\":true}");
    assert_string_equal(rig.answers[0].revision, probe.revision);
    fs_free(probe.revision);
    rig_finish(&rig);
}

static void an_answer_that_was_under_way_while_the_document_changed_bears_no_revision(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, WITH_DOCUMENT);
    struct fs_probe probe = rig_probe_with(&rig, 200, "{}", 200, "{\"result\":1}");
    fs_free(probe.revision);
    rig_question(&rig, "path", "app/1/allow");
    rig_question(&rig, "users", "app/users");
    rig_ask(&rig);
    probe = rig_probe_with(&rig, 200, "{}", 200, "{\"result\":2}");
    assert_string_equal(probe.revision, "opal/revision=2");
    fs_free(probe.revision);
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":[]}");
    rig_respond(&rig, rig_next(&rig), 200, "{\"result\":true}");
    assert_boolean(&rig, 0, true);
    assert_null(rig.answers[0].revision);
    assert_boolean(&rig, 1, false);
    assert_null(rig.answers[1].revision);
    rig_finish(&rig);
}

static void a_long_document_stands_as_its_hash(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, WITH_DOCUMENT);
    struct fs_probe probe = rig_probe_with(
        &rig, 200, "{}", 200,
        "{\"result\":\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\"}");
    assert_true(probe.alive);
    assert_int_equal(strncmp(probe.revision, "opal/revision=sha256:", 21), 0);
    assert_int_equal(strlen(probe.revision), 21 + 32);
    fs_free(probe.revision);
    rig_finish(&rig);
}

static void an_undefined_document_at_revisionPath_is_not_ready(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, WITH_DOCUMENT);
    struct fs_probe probe = rig_probe_with(&rig, 200, "{}", 200, "{\"provenance\":{}}");
    assert_false(probe.alive);
    assert_non_null(strstr(probe.error, "revisionPath"));
    assert_false(rig.opa->ready);
    rig_finish(&rig);
}

static void the_revision_is_read_without_evaluating_a_policy(void **state)
{
    (void)state;
    struct rig rig;
    rig_init(&rig, OPTIONS);
    rig.opa->probing_revision = true;
    struct fs_exchange *exchange = fs_source_opa.probe(rig.opa);
    assert_string_equal(exchange->method, "GET");
    assert_string_equal(exchange->path,
                        "/v1/data/flagstaff/batch/version?strict-builtin-errors=true&provenance=true");
    fs_exchange_destroy(exchange);
    rig_finish(&rig);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_ready_opa_is_alive_with_the_revision_of_its_bundles),
        cmocka_unit_test(an_opa_without_bundles_declares_no_revision),
        cmocka_unit_test(bundles_that_declare_no_revision_are_none),
        cmocka_unit_test(before_the_first_activation_it_is_not_ready),
        cmocka_unit_test(silence_and_refusal_are_not_alive_and_say_why),
        cmocka_unit_test(the_document_at_revisionPath_is_part_of_the_revision),
        cmocka_unit_test(an_answer_that_was_under_way_while_the_document_changed_bears_no_revision),
        cmocka_unit_test(a_long_document_stands_as_its_hash),
        cmocka_unit_test(an_undefined_document_at_revisionPath_is_not_ready),
        cmocka_unit_test(the_revision_is_read_without_evaluating_a_policy),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Status reports as OPA posts them. */
#include "opa_rig.h"

static void read_report(const char *body, struct fs_opa_status *out)
{
    struct fs_err err = {0};
    assert_true(fs_opa_status_read(body, strlen(body), out, &err));
}

static void a_report_names_the_instance_and_its_revisions(void **state)
{
    (void)state;
    struct fs_opa_status status;
    read_report("{\"labels\":{\"id\":\"5f8b\",\"version\":\"1.22.2\"},\"bundles\":{\"web\":{\"name\":\"web\","
                "\"active_revision\":\"r2\"},"
                "\"app\":{\"name\":\"app\",\"active_revision\":\"rev-1\",\"size\":400}},\"plugins\":{},"
                "\"metrics\":{\"prometheus\":{\"go_gc\":[{}]}}}",
                &status);
    assert_string_equal(status.instance, "5f8b");
    assert_string_equal(status.revision, "app=rev-1,web=r2");
    assert_string_equal(status.error, "");
    fs_opa_status_finish(&status);
}

static void the_first_reports_know_no_bundle_yet(void **state)
{
    (void)state;
    struct fs_opa_status status;
    read_report("{\"labels\":{\"id\":\"5f8b\"},\"plugins\":{\"bundle\":{\"state\":\"NOT_READY\"}}}", &status);
    assert_string_equal(status.instance, "5f8b");
    assert_null(status.revision);
    fs_opa_status_finish(&status);
}

static void a_broken_bundle_keeps_its_revision_and_says_what_is_wrong(void **state)
{
    (void)state;
    struct fs_opa_status status;
    read_report("{\"labels\":{\"id\":\"5f8b\"},\"bundles\":{\"app\":{\"active_revision\":\"rev-1\",\"code\":"
                "\"bundle_error\",\"http_code\":\"403\","
                "\"message\":\"bundle read failed: gzip: invalid header\"}}}",
                &status);
    assert_string_equal(status.revision, "app=rev-1");
    assert_string_equal(status.error, "bundle app: bundle_error: bundle read failed: gzip: invalid header");
    fs_opa_status_finish(&status);
}

static void what_a_report_calls_things_stays_one_line_of_text(void **state)
{
    (void)state;
    struct fs_opa_status status;
    read_report(
        "{\"labels\":{\"id\":\"1\"},\"bundles\":{\"a\\tb\":{\"code\":\"x\\ny\",\"message\":\"m\\rn\"}}}",
        &status);
    assert_string_equal(status.error, "bundle a b: x: m n");
    fs_opa_status_finish(&status);
    /* A name that is cut is not cut within a character: 39 letters, then one of two bytes. */
    read_report("{\"labels\":{\"id\":\"1\"},\"bundles\":{\"aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa\xc3\xa9\":"
                "{\"code\":\"x\"}}}",
                &status);
    assert_string_equal(status.error, "bundle aaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaaa: x: no message");
    fs_opa_status_finish(&status);
}

static void what_is_no_report_is_refused(void **state)
{
    (void)state;
    const char *bad[] = {"", "[]", "{}", "{\"labels\":1}", "{\"labels\":{},\"bundles\":[]}", "{\"labels\":"};
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct fs_opa_status status;
        struct fs_err err = {0};
        assert_false(fs_opa_status_read(bad[i], strlen(bad[i]), &status, &err));
        assert_true(err.text[0] != 0);
        fs_opa_status_finish(&status);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_report_names_the_instance_and_its_revisions),
        cmocka_unit_test(the_first_reports_know_no_bundle_yet),
        cmocka_unit_test(a_broken_bundle_keeps_its_revision_and_says_what_is_wrong),
        cmocka_unit_test(what_a_report_calls_things_stays_one_line_of_text),
        cmocka_unit_test(what_is_no_report_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

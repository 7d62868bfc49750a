/* SPDX-License-Identifier: Apache-2.0 */
/* The connection's members of a source's entry. */
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <setjmp.h>
#include <string.h>
#include <cmocka.h>
#include "sources/endpoint.h"

static bool read_text(const char *text, struct fs_source_endpoint *out, struct fs_err *err)
{
    json_t *options = json_loads(text, JSON_DECODE_ANY, NULL);
    assert_non_null(options);
    struct fs_mistakes mistakes = {0};
    bool done = fs_source_endpoint_read("pdp", options, out, &mistakes);
    if (!done)
        *err = mistakes.list.items[0];
    fs_mistakes_finish(&mistakes);
    json_decref(options);
    return done;
}

static void a_url_is_enough(void **state)
{
    (void)state;
    struct fs_source_endpoint endpoint;
    struct fs_err err = {0};
    assert_true(read_text("{\"type\":\"opa\",\"url\":\"http://127.0.0.1:8181/\"}", &endpoint, &err));
    assert_string_equal(endpoint.url, "http://127.0.0.1:8181");
    assert_int_equal(endpoint.timeout, 1000);
    assert_int_equal(endpoint.revalidate, -1);
    assert_true(endpoint.loopback);
    assert_null(endpoint.token_file);
    fs_source_endpoint_finish(&endpoint);
}

static void all_members_are_read(void **state)
{
    (void)state;
    struct fs_source_endpoint endpoint, copy;
    struct fs_err err = {0};
    assert_true(read_text("{\"url\":\"https://pdp.example/opa//\",\"timeout\":\"250ms\",\"tokenFile\":\"/"
                          "t\",\"caFile\":\"/ca\",\"certificateFile\":\"/c\","
                          "\"keyFile\":\"/k\",\"revalidate\":\"5m\",\"revisionPath\":\"x\"}",
                          &endpoint, &err));
    fs_source_endpoint_copy(&copy, &endpoint);
    fs_source_endpoint_finish(&endpoint);
    assert_string_equal(copy.url, "https://pdp.example/opa");
    assert_int_equal(copy.timeout, 250);
    assert_int_equal(copy.revalidate, 300000);
    assert_false(copy.loopback);
    assert_string_equal(copy.token_file, "/t");
    assert_string_equal(copy.ca_file, "/ca");
    assert_string_equal(copy.certificate_file, "/c");
    assert_string_equal(copy.key_file, "/k");
    fs_source_endpoint_finish(&copy);
}

static void a_unix_socket_is_a_url_too(void **state)
{
    (void)state;
    struct fs_source_endpoint endpoint;
    struct fs_err err = {0};
    assert_true(read_text("{\"url\":\"unix:///run/opa.sock\"}", &endpoint, &err));
    assert_string_equal(endpoint.socket_path, "/run/opa.sock");
    assert_string_equal(endpoint.url, "http://localhost");
    assert_true(endpoint.loopback);
    fs_source_endpoint_finish(&endpoint);
}

static void loopback_is_told_from_what_looks_like_it(void **state)
{
    (void)state;
    const char *loopback[] = {"http://localhost", "http://[::1]:80/x", "https://127.1.2.3:1",
                              "http://opa.localhost/"};
    const char *elsewhere[] = {"http://127.example.com", "http://localhost.example.com", "http://[::2]",
                               "http://10.0.0.1"};
    for (size_t i = 0; i < 4; i++) {
        struct fs_source_endpoint endpoint;
        json_t *options = json_pack("{s:s}", "url", loopback[i]);
        assert_true(fs_source_endpoint_read("pdp", options, &endpoint, NULL));
        assert_true(endpoint.loopback);
        fs_source_endpoint_finish(&endpoint);
        json_decref(options);
        options = json_pack("{s:s}", "url", elsewhere[i]);
        assert_true(fs_source_endpoint_read("pdp", options, &endpoint, NULL));
        assert_false(endpoint.loopback);
        fs_source_endpoint_finish(&endpoint);
        json_decref(options);
    }
}

static void what_is_wrong_is_named(void **state)
{
    (void)state;
    const struct {
        const char *text, *member;
    } rows[] = {
        {"[]", "sources.pdp"},
        {"{}", "url"},
        {"{\"url\":7}", "url"},
        {"{\"url\":\"127.0.0.1:8181\"}", "url"},
        {"{\"url\":\"ftp://h\"}", "url"},
        {"{\"url\":\"http://\"}", "url"},
        {"{\"url\":\"http:///x\"}", "url"},
        {"{\"url\":\"http://h:0\"}", "port"},
        {"{\"url\":\"http://h:99999\"}", "port"},
        {"{\"url\":\"http://h:8a\"}", "port"},
        {"{\"url\":\"http://[::1\"}", "url"},
        {"{\"url\":\"http://[::1]x\"}", "url"},
        {"{\"url\":\"http://h/?a=b\"}", "url"},
        {"{\"url\":\"http://h /\"}", "url"},
        {"{\"url\":\"http://h\\r\\nX: y\"}", "url"},
        {"{\"url\":\"unix://relative\"}", "url"},
        {"{\"url\":\"http://h\",\"timeout\":5}", "timeout"},
        {"{\"url\":\"http://h\",\"timeout\":\"0s\"}", "timeout"},
        {"{\"url\":\"http://h\",\"timeout\":\"1h\"}", "timeout"},
        {"{\"url\":\"http://h\",\"revalidate\":\"0s\"}", "revalidate"},
        {"{\"url\":\"http://h\",\"tokenFile\":\"\"}", "tokenFile"},
        {"{\"url\":\"http://h\",\"certificateFile\":\"/c\"}", "keyFile"},
    };
    for (size_t i = 0; i < sizeof rows / sizeof *rows; i++) {
        struct fs_source_endpoint endpoint;
        struct fs_err err = {0};
        assert_false(read_text(rows[i].text, &endpoint, &err));
        assert_non_null(strstr(err.text, rows[i].member));
        assert_non_null(strstr(err.text, "sources.pdp"));
        assert_null(endpoint.url);
    }
}

static void all_that_is_wrong_is_told_at_once(void **state)
{
    (void)state;
    static const char *const told[] = {"sources.pdp.url", "sources.pdp.timeout", "sources.pdp.revalidate",
                                       "sources.pdp.caFile", "sources.pdp: certificateFile and keyFile"};
    struct fs_source_endpoint endpoint;
    struct fs_mistakes mistakes = {0};
    json_t *options = json_loads("{\"url\":\"h\",\"timeout\":5,\"revalidate\":\"0s\",\"caFile\":7,"
                                 "\"keyFile\":\"/k\"}",
                                 0, NULL);
    assert_false(fs_source_endpoint_read("pdp", options, &endpoint, &mistakes));
    assert_int_equal(mistakes.list.count, 5);
    for (size_t i = 0; i < 5; i++)
        assert_ptr_equal(strstr(mistakes.list.items[i].text, told[i]), mistakes.list.items[i].text);
    fs_mistakes_finish(&mistakes);
    json_decref(options);
}

static void a_secret_in_a_url_is_refused_and_not_repeated(void **state)
{
    (void)state;
    struct fs_source_endpoint endpoint;
    struct fs_err err = {0};
    assert_false(read_text("{\"url\":\"http://user:canary@h\"}", &endpoint, &err));
    assert_null(strstr(err.text, "canary"));
    assert_non_null(strstr(err.text, "tokenFile"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_url_is_enough),
        cmocka_unit_test(all_members_are_read),
        cmocka_unit_test(a_unix_socket_is_a_url_too),
        cmocka_unit_test(loopback_is_told_from_what_looks_like_it),
        cmocka_unit_test(what_is_wrong_is_named),
        cmocka_unit_test(all_that_is_wrong_is_told_at_once),
        cmocka_unit_test(a_secret_in_a_url_is_refused_and_not_repeated),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* What the core finds in a request: headers, query parameters, and which routes are open. Without a server.
 */
#include "door.h"

static char *query(const char *text, const char *name)
{
    struct fs_http_request request = {.query = fs_strdup(text)};
    char *value = fs_http_query(&request, name);
    fs_free(request.query);
    return value;
}

static void query_parameters_are_decoded_once(void **state)
{
    static const struct {
        const char *query, *name, *value;
    } cases[] = {
        {"a=1&b=2", "b", "2"},   {"a=1&a=2", "a", "1"},   {"a%20b=c%20d", "a b", "c d"},
        {"x=%2541", "x", "%41"}, {"x=a+b", "x", "a b"},   {"x=a%2Bb", "x", "a+b"},
        {"flag", "flag", ""},    {"x=", "x", ""},         {"x=a=b", "x", "a=b"},
        {"&&x=1&&", "x", "1"},   {"x=%C3%A4", "x", "ä"},  {"x=%26y=1", "y", NULL},
        {"", "x", NULL},         {"xx=1", "x", NULL},     {"x=%zz", "x", NULL},
        {"x=%00", "x", NULL},    {"x=%C0%A0", "x", NULL}, {"x=%4", "x", NULL},
    };
    (void)state;
    for (size_t i = 0; i < sizeof cases / sizeof *cases; i++) {
        char *value = query(cases[i].query, cases[i].name);
        if (cases[i].value && value)
            assert_string_equal(value, cases[i].value);
        else
            assert_true(!cases[i].value && !value);
        fs_free(value);
    }
}

static void headers_are_found_by_their_lower_case_name(void **state)
{
    char name[] = "if-none-match", value[] = "\"x\"";
    struct fs_http_header header = {name, value};
    struct fs_http_request request = {.headers = &header, .header_count = 1};
    (void)state;
    assert_string_equal(fs_http_header(&request, "if-none-match"), "\"x\"");
    assert_null(fs_http_header(&request, "etag"));
}

static void only_health_pages_streams_and_preflights_are_open(void **state)
{
    static const char *const open[] = {
        "/healthz", "/readyz", "/", "/index.html", "/board/app.js", "/board", "/ofrep/v1/events/abc"};
    static const char *const shut[] = {
        "/metrics",         "/v1/flags", "/v1/ws",    "/v1/events", "/ofrep/v1/evaluate/flags",
        "/ofrep/v1/events", "/boardx",   "/v1/board", "//",         "/healthz/"};
    (void)state;
    for (size_t i = 0; i < sizeof open / sizeof *open; i++) {
        assert_true(fs_server_route_is_open("GET", open[i]));
        assert_true(fs_server_route_is_open("HEAD", open[i]));
        assert_false(fs_server_route_is_open("POST", open[i]));
        assert_false(fs_server_route_is_open("DELETE", open[i]));
    }
    for (size_t i = 0; i < sizeof shut / sizeof *shut; i++) {
        assert_false(fs_server_route_is_open("GET", shut[i]));
        assert_true(fs_server_route_is_open("OPTIONS", shut[i]));
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(query_parameters_are_decoded_once),
        cmocka_unit_test(headers_are_found_by_their_lower_case_name),
        cmocka_unit_test(only_health_pages_streams_and_preflights_are_open),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Websocket URLs.
 */
#include <stdarg.h>
#include <stddef.h>
#include <setjmp.h>
#include <stdint.h>
#include <cmocka.h>

#include "url.h"

static void takes(const char *text, bool tls, const char *address, int port, const char *host,
                  const char *path)
{
    struct fsw_url url;
    const char *why;
    if (!fsw_url_parse(text, &url, &why)) {
        fail_msg("%s: %s", text, why);
    }
    assert_int_equal(url.tls, tls);
    assert_string_equal(url.address, address);
    assert_int_equal(url.port, port);
    assert_string_equal(url.host, host);
    assert_string_equal(url.path, path);
    fsw_url_finish(&url);
}

static void what_is_left_out_has_its_usual_value(void **state)
{
    (void)state;
    takes("ws://localhost", false, "localhost", 80, "localhost", "/v1/ws");
    takes("wss://flags.example/", true, "flags.example", 443, "flags.example", "/v1/ws");
    takes("WS://127.0.0.1:8080", false, "127.0.0.1", 8080, "127.0.0.1:8080", "/v1/ws");
    takes("wss://h:443/x", true, "h", 443, "h", "/x");
    takes("ws://h:443/x?y=1", false, "h", 443, "h:443", "/x?y=1");
    takes("https://h", true, "h", 443, "h", "/v1/ws");
    takes("http://h:8080", false, "h", 8080, "h:8080", "/v1/ws");
    takes("ws://h?y", false, "h", 80, "h", "/v1/ws?y");
}

static void brackets_belong_to_the_host_header_only(void **state)
{
    (void)state;
    takes("ws://[::1]:8080/v1/ws", false, "::1", 8080, "[::1]:8080", "/v1/ws");
    takes("ws://[fe80::1]", false, "fe80::1", 80, "[fe80::1]", "/v1/ws");
}

static void what_is_no_websocket_url_is_refused(void **state)
{
    (void)state;
    static const char *const bad[] = {
        "",           "localhost:8080", "ftp://localhost", "ws://",     "ws:///v1/ws",
        "ws://h:",    "ws://h:0",       "ws://h:65536",    "ws://h:8a", "ws://u:p@h",
        "ws://h/#x",  "ws://h /",       "ws://h/\r\nX: y", "ws://[::1", "ws://[]",
        "ws://[::1]x"};
    struct fsw_url url;
    const char *why;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        if (fsw_url_parse(bad[i], &url, &why)) {
            fail_msg("taken: %s", bad[i]);
        }
    }
    assert_false(fsw_url_parse(NULL, &url, &why));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_is_left_out_has_its_usual_value),
        cmocka_unit_test(brackets_belong_to_the_host_header_only),
        cmocka_unit_test(what_is_no_websocket_url_is_refused),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Who gets in: keys, Host, Origin, preflights. */
#include "exchange.h"

static void a_request_without_a_credential_is_401_and_says_how(void **state)
{
    (void)state;
    struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer->status, 401);
    assert_true(has_header(answer, "WWW-Authenticate: Bearer"));
    assert_true(has_header(answer, "Content-Type: application/json"));
    json_t *body = json_loads(answer->body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "error"), "code")),
                        "unauthenticated");
    assert_non_null(json_string_value(json_object_get(json_object_get(body, "error"), "message")));
    json_decref(body);
}

static void a_wrong_key_and_another_scheme_are_401(void **state)
{
    char wrong[80];
    (void)state;
    memcpy(wrong, door.key, sizeof wrong);
    wrong[strlen(wrong) - 2] = wrong[strlen(wrong) - 2] == 'A' ? 'B' : 'A';
    assert_int_equal(
        refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", wrong)
            ->status,
        401);
    assert_int_equal(
        refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n", door.key)
            ->status,
        401);
    assert_int_equal(
        refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", wrong)->status, 401);
    assert_int_equal(refused("GET /v1/flags?key=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", door.key)->status,
                     401);
}

static void the_key_may_come_as_bearer_token_or_api_key(void **state)
{
    (void)state;
    door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: bearer %s\r\n\r\n",
                       door.key));
    struct fs_net_message *message =
        accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", door.key);
    assert_string_equal(message->credential->id, door.key_id);
    door_free(message);
}

static void open_routes_need_no_credential_and_health_no_host(void **state)
{
    static const char *const paths[] = {"/healthz", "/readyz", "/", "/board/app.js",
                                        "/ofrep/v1/events/secret"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct fs_net_message *message = accepted(NULL, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", paths[i],
                                                  i < 2 ? "10.1.2.3:9" : "localhost");
        assert_null(message->credential);
        door_free(message);
    }
    assert_int_equal(
        refused("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")->status, 401);
    assert_int_equal(refused("GET /healthz/x HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, 401);
}

static void a_foreign_host_is_403(void **state)
{
    static const char *const bad[] = {"evil.example",
                                      "localhost.evil.example",
                                      "flags.example",
                                      "flags.example:80",
                                      "127.0.0.1.evil.example",
                                      "localhost:80:80",
                                      "localhost:x",
                                      "[::1",
                                      "localhost, evil.example",
                                      "10.0.0.1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *answer = refused(
            "GET /v1/flags HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", bad[i], door.key);
        assert_int_equal(answer->status, 403);
    }
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n", door.key)->status,
                     400);
    assert_int_equal(refused("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")->status, 403);
}

static void loopback_names_the_own_address_and_configured_hosts_are_served(void **state)
{
    static const char *const good[] = {"localhost",          "LOCALHOST:1", "127.0.0.1:99", "[::1]:8080",
                                       "flags.example:8443", "any.example", "any.example:1"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n",
                           good[i], door.key));
}

static void a_foreign_origin_is_403_and_gets_no_cors_headers(void **state)
{
    static const char *const bad[] = {"https://evil.example",
                                      "null",
                                      "https://shop.example.evil.example",
                                      "http://shop.example",
                                      "https://shop.example:444",
                                      "file://",
                                      "https://SHOP.example"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *answer = refused(
            "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\n\r\n",
            bad[i], door.key);
        assert_int_equal(answer->status, 403);
        assert_null(strcasestr(answer->head, "Access-Control-Allow-Origin"));
    }
}

static void an_allowed_origin_may_read_the_answer(void **state)
{
    static const char *const good[] = {"https://shop.example", "http://localhost:5", "https://localhost:5"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++) {
        struct answer *answer;
        char line[128];
        door_free(accepted(
            &answer,
            "GET /v1/flags HTTP/1.1\r\nHost: localhost:5\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\n\r\n",
            good[i], door.key));
        snprintf(line, sizeof line, "Access-Control-Allow-Origin: %s", good[i]);
        assert_true(has_header(answer, line));
        assert_true(has_header(answer, "Access-Control-Expose-Headers: ETag, Retry-After"));
        assert_true(has_header(answer, "Vary: Origin"));
        assert_null(strcasestr(answer->head, "Access-Control-Allow-Credentials"));
    }
}

static void a_preflight_is_answered_at_the_door(void **state)
{
    (void)state;
    struct answer *answer = refused(
        "OPTIONS /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\nOrigin: https://shop.example\r\n"
        "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: if-none-match\r\n\r\n");
    assert_int_equal(answer->status, 204);
    assert_true(has_header(answer, "Access-Control-Allow-Origin: https://shop.example"));
    assert_true(has_header(answer, "Access-Control-Max-Age: 600"));
    assert_non_null(
        strcasestr(answer->head, "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS"));
    static const char *const headers[] = {"content-type",  "authorization", "x-api-key",
                                          "if-none-match", "last-event-id", "cache-control"};
    char *allowed = strcasestr(answer->head, "Access-Control-Allow-Headers:");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_non_null(strstr(allowed, headers[i]));
    assert_int_equal(refused("OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nOrigin: "
                             "https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n")
                         ->status,
                     403);
}

static void a_webhook_handshake_reaches_the_core(void **state)
{
    (void)state;
    struct fs_net_message *message = accepted(
        NULL,
        "OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nWebHook-Request-Origin: sender.example\r\n\r\n");
    assert_string_equal(fs_http_header(message->request, "webhook-request-origin"), "sender.example");
    assert_null(message->credential);
    door_free(message);
}

static void a_key_bound_to_an_origin_works_from_there_only(void **state)
{
    char key[80];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"origin\":\"https://shop.example\"}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    static const char format[] =
        "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n";
    assert_int_equal(refused(format, key, "")->status, 403);
    assert_int_equal(refused(format, key, "Origin: http://localhost\r\n")->status, 403);
    door_free(accepted(NULL, format, key, "Origin: https://shop.example\r\n"));
}

static void a_key_works_until_it_expires(void **state)
{
    char key[80];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"expires\":1790000010000}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    static const char format[] =
        "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n";
    door_free(accepted(NULL, format, key));
    door_advance(&door, 20000);
    assert_int_equal(refused(format, key)->status, 401);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_request_without_a_credential_is_401_and_says_how),
        TEST(a_wrong_key_and_another_scheme_are_401),
        TEST(the_key_may_come_as_bearer_token_or_api_key),
        TEST(open_routes_need_no_credential_and_health_no_host),
        TEST(a_foreign_host_is_403),
        TEST(loopback_names_the_own_address_and_configured_hosts_are_served),
        TEST(a_foreign_origin_is_403_and_gets_no_cors_headers),
        TEST(an_allowed_origin_may_read_the_answer),
        TEST(a_preflight_is_answered_at_the_door),
        TEST(a_webhook_handshake_reaches_the_core),
        TEST(a_key_bound_to_an_origin_works_from_there_only),
        TEST(a_key_works_until_it_expires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests at the door: what is refused, with which answer, and what reaches the core. */
#include "door.h"

static struct door door;

static int set_up(void **state)
{
    static const char *const hosts[] = {"flags.example:8443", "any.example", NULL};
    static const char *const origins[] = {"https://shop.example", NULL};
    (void)state;
    door_init(&door);
    door_open(&door, (struct fs_server_options){.hosts = hosts, .origins = origins, .limits = {.body = 1000, .header = 2048}}, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(&door);
    return 0;
}

/* Sends these bytes on a connection of their own and gives the answer; no message may have reached the core. */
static struct answer *refused(const char *format, ...) __attribute__((format(printf, 1, 2)));
static struct answer *refused(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    int fd = client_connect(&door);
    client_write(fd, text, strlen(text));
    fs_free(text);
    struct answer *answer = client_answer(fd);
    close(fd);
    assert_int_equal(fs_queue_length(door.inbox), 0);
    return answer;
}

/* Sends a request, answers it with "ok", and gives the message (the caller frees it). */
static struct fs_net_message *accepted(struct answer **answer_out, const char *format, ...) __attribute__((format(printf, 2, 3)));
static struct fs_net_message *accepted(struct answer **answer_out, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    int fd = client_connect(&door);
    client_write(fd, text, strlen(text));
    fs_free(text);
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    fs_server_reply(door.server, message->connection, 200, "text/plain", NULL, door_blob("ok"));
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 200);
    if (answer_out)
        *answer_out = answer;
    close(fd);
    return message;
}

static void a_request_without_a_credential_is_401_and_says_how(void **state)
{
    (void)state;
    struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(answer->status, 401);
    assert_true(has_header(answer, "WWW-Authenticate: Bearer"));
    assert_true(has_header(answer, "Content-Type: application/json"));
    json_t *body = json_loads(answer->body, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(json_object_get(body, "error"), "code")), "unauthenticated");
    assert_non_null(json_string_value(json_object_get(json_object_get(body, "error"), "message")));
    json_decref(body);
}

static void a_wrong_key_and_another_scheme_are_401(void **state)
{
    char wrong[80];
    (void)state;
    memcpy(wrong, door.key, sizeof wrong);
    wrong[strlen(wrong) - 2] = wrong[strlen(wrong) - 2] == 'A' ? 'B' : 'A';
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", wrong)->status, 401);
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Basic %s\r\n\r\n", door.key)->status, 401);
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", wrong)->status, 401);
    assert_int_equal(refused("GET /v1/flags?key=%s HTTP/1.1\r\nHost: localhost\r\n\r\n", door.key)->status, 401);
}

static void the_key_may_come_as_bearer_token_or_api_key(void **state)
{
    (void)state;
    door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: bearer %s\r\n\r\n", door.key));
    struct fs_net_message *message = accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", door.key);
    assert_string_equal(message->credential->id, door.key_id);
    door_free(message);
}

static void open_routes_need_no_credential_and_health_no_host(void **state)
{
    static const char *const paths[] = {"/healthz", "/readyz", "/", "/board/app.js", "/ofrep/v1/streams/secret"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++) {
        struct fs_net_message *message = accepted(NULL, "GET %s HTTP/1.1\r\nHost: %s\r\n\r\n", paths[i], i < 2 ? "10.1.2.3:9" : "localhost");
        assert_null(message->credential);
        door_free(message);
    }
    assert_int_equal(refused("POST /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 0\r\n\r\n")->status, 401);
    assert_int_equal(refused("GET /healthz/x HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, 401);
}

static void a_foreign_host_is_403(void **state)
{
    static const char *const bad[] = {"evil.example", "localhost.evil.example", "flags.example", "flags.example:80", "127.0.0.1.evil.example",
                                      "localhost:80:80", "localhost:x", "[::1", "localhost, evil.example", "10.0.0.1"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", bad[i], door.key);
        assert_int_equal(answer->status, 403);
    }
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nAuthorization: Bearer %s\r\n\r\n", door.key)->status, 400);
    assert_int_equal(refused("GET / HTTP/1.1\r\nHost: evil.example\r\n\r\n")->status, 403);
}

static void loopback_names_the_own_address_and_configured_hosts_are_served(void **state)
{
    static const char *const good[] = {"localhost", "LOCALHOST:1", "127.0.0.1:99", "[::1]:8080", "flags.example:8443", "any.example", "any.example:1"};
    (void)state;
    for (size_t i = 0; i < sizeof good / sizeof *good; i++)
        door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: %s\r\nAuthorization: Bearer %s\r\n\r\n", good[i], door.key));
}

static void a_foreign_origin_is_403_and_gets_no_cors_headers(void **state)
{
    static const char *const bad[] = {"https://evil.example", "null", "https://shop.example.evil.example", "http://shop.example",
                                      "https://shop.example:444", "file://", "https://SHOP.example"};
    (void)state;
    for (size_t i = 0; i < sizeof bad / sizeof *bad; i++) {
        struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\n\r\n", bad[i], door.key);
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
        door_free(accepted(&answer, "GET /v1/flags HTTP/1.1\r\nHost: localhost:5\r\nOrigin: %s\r\nAuthorization: Bearer %s\r\n\r\n", good[i], door.key));
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
    struct answer *answer = refused("OPTIONS /ofrep/v1/evaluate/flags HTTP/1.1\r\nHost: localhost\r\nOrigin: https://shop.example\r\n"
                                    "Access-Control-Request-Method: POST\r\nAccess-Control-Request-Headers: if-none-match\r\n\r\n");
    assert_int_equal(answer->status, 204);
    assert_true(has_header(answer, "Access-Control-Allow-Origin: https://shop.example"));
    assert_true(has_header(answer, "Access-Control-Max-Age: 600"));
    assert_non_null(strcasestr(answer->head, "Access-Control-Allow-Methods: GET, POST, PUT, DELETE, OPTIONS"));
    static const char *const headers[] = {"content-type", "authorization", "x-api-key", "if-none-match", "last-event-id", "cache-control"};
    char *allowed = strcasestr(answer->head, "Access-Control-Allow-Headers:");
    for (size_t i = 0; i < sizeof headers / sizeof *headers; i++)
        assert_non_null(strstr(allowed, headers[i]));
    assert_int_equal(refused("OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nOrigin: https://evil.example\r\nAccess-Control-Request-Method: POST\r\n\r\n")->status, 403);
}

static void a_webhook_handshake_reaches_the_core(void **state)
{
    (void)state;
    struct fs_net_message *message = accepted(NULL, "OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nWebHook-Request-Origin: sender.example\r\n\r\n");
    assert_string_equal(fs_http_header(message->request, "webhook-request-origin"), "sender.example");
    assert_null(message->credential);
    door_free(message);
}

static void a_stranger_cannot_make_the_door_hold_a_body(void **state)
{
    (void)state;
    assert_int_equal(refused("OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")->status, 400);
    assert_int_equal(refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")->status, 400);
}

static void answers_carry_the_security_headers(void **state)
{
    (void)state;
    struct answer *answer;
    door_free(accepted(&answer, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", door.key));
    assert_true(has_header(answer, "X-Content-Type-Options: nosniff"));
    assert_true(has_header(answer, "Cache-Control: no-store"));
    assert_non_null(strcasestr(answer->head, "\r\nDate: "));
    int fd = client_connect(&door);
    client_get(fd, &door, "/board/app.js", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/javascript", "Cache-Control: max-age=60\r\n", NULL);
    answer = client_answer(fd);
    assert_true(has_header(answer, "Cache-Control: max-age=60"));
    assert_false(has_header(answer, "Cache-Control: no-store"));
    close(fd);
}

static void a_body_over_the_limit_is_413(void **state)
{
    (void)state;
    struct answer *answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1001\r\n\r\n%01001d", door.key, 7);
    assert_int_equal(answer->status, 413);
    assert_non_null(strstr(answer->body, "1000 bytes"));
    struct fs_net_message *message =
        accepted(NULL, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 1000\r\n\r\n%01000d", door.key, 7);
    assert_int_equal(message->request->length, 1000);
    door_free(message);
}

static void a_body_whose_end_cannot_be_told_is_refused(void **state)
{
    static const char *const lengths[] = {"abc", "-1", "+5", "5, 5", "5\r\nContent-Length: 6", "0x5", "99999999999999999999", "5 5"};
    (void)state;
    struct answer *answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                                    "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", door.key);
    assert_int_equal(answer->status, 411);
    answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\n"
                     "Transfer-Encoding: chunked\r\n\r\nhello", door.key);
    assert_int_equal(answer->status, 411);
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")->status, 411);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: %s\r\n\r\nhello", door.key, lengths[i]);
        assert_int_equal(answer->status, 400);
    }
}

static void an_empty_body_is_fine_however_it_is_said(void **state)
{
    static const char *const heads[] = {"POST", "PUT", "DELETE"};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct fs_net_message *with =
            accepted(NULL, "%s /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", heads[i], door.key);
        struct fs_net_message *without = accepted(NULL, "%s /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", heads[i], door.key);
        assert_int_equal(with->request->length, 0);
        assert_string_equal(with->request->body, "");
        assert_int_equal(without->request->length, 0);
        door_free(with);
        door_free(without);
    }
}

static void an_empty_post_keeps_the_connection(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    for (int i = 0; i < 3; i++) {
        client_send(fd, "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n", door.key);
        fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 204, NULL, NULL, NULL);
        struct answer *answer = client_answer(fd);
        assert_int_equal(answer->status, 204);
        assert_null(strcasestr(answer->head, "Content-Length"));
    }
    close(fd);
}

static void a_body_may_come_in_pieces(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bear");
    client_send(fd, "er %s\r\nContent-Length: 6\r\n\r\na", door.key);
    client_send(fd, "bc");
    client_send(fd, "def");
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    assert_string_equal(message->request->body, "abcdef");
    fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    door_free(message);
    close(fd);
}

static void a_client_that_expects_100_gets_it(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", door.key);
    assert_int_equal(client_answer(fd)->status, 100);
    client_send(fd, "abc");
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    assert_string_equal(message->request->body, "abc");
    fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    door_free(message);
    close(fd);
    struct answer *answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: 30000\r\n\r\n", door.key);
    assert_int_equal(answer->status, 413);
    answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: miracles\r\nContent-Length: 3\r\n\r\nabc", door.key);
    assert_int_equal(answer->status, 417);
}

static void a_body_that_does_not_come_is_408(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: 100-continue\r\nContent-Length: 3\r\n\r\n", door.key);
    assert_int_equal(client_answer(fd)->status, 100); /* the door waits for the body now */
    door_advance(&door, 31000);
    assert_int_equal(client_answer(fd)->status, 408);
    assert_true(client_ended(fd));
    close(fd);
}

static void a_head_over_the_limit_is_431(void **state)
{
    (void)state;
    struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nUser-Agent: %02500d\r\n\r\n", door.key, 7);
    assert_int_equal(answer->status, 431);
    /* Far over it, the library ends the connection itself. */
    assert_int_equal(refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nUser-Agent: %020000d\r\n\r\n", 7)->status, 0);
    door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nUser-Agent: %01500d\r\n\r\n", door.key, 7));
}

static void the_path_comes_encoded_and_the_query_is_found_decoded(void **state)
{
    (void)state;
    struct fs_net_message *message = accepted(NULL, "GET /ofrep/v1/evaluate/flags/a%%20b%%3Fc%%25d%%C3%%A4?x=1%%262&y=a+b&z&empty= HTTP/1.1\r\n"
                                                    "Host: localhost\r\nAuthorization: Bearer %s\r\n\r\n", door.key);
    assert_string_equal(message->request->path, "/ofrep/v1/evaluate/flags/a%20b%3Fc%25d%C3%A4");
    char *x = fs_http_query(message->request, "x"), *y = fs_http_query(message->request, "y"), *z = fs_http_query(message->request, "z"),
         *empty = fs_http_query(message->request, "empty");
    assert_string_equal(x, "1&2");
    assert_string_equal(y, "a b");
    assert_string_equal(z, "");
    assert_string_equal(empty, "");
    assert_null(fs_http_query(message->request, "missing"));
    fs_free(x);
    fs_free(y);
    fs_free(z);
    fs_free(empty);
    door_free(message);
}

static void cloudevents_headers_reach_the_core(void **state)
{
    (void)state;
    struct fs_net_message *message =
        accepted(NULL, "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 2\r\nce-id: 1\r\nCE-Source: /here\r\n"
                       "ce-type: t\r\nce-specversion: 1.0\r\nce-time: 2026-11-24T08:00:00Z\r\nCookie: secret\r\nLast-Event-ID: 9\r\n\r\n{}", door.key);
    assert_string_equal(fs_http_header(message->request, "ce-id"), "1");
    assert_string_equal(fs_http_header(message->request, "ce-source"), "/here");
    assert_string_equal(fs_http_header(message->request, "ce-time"), "2026-11-24T08:00:00Z");
    assert_string_equal(fs_http_header(message->request, "last-event-id"), "9");
    assert_null(fs_http_header(message->request, "cookie"));
    assert_null(fs_http_header(message->request, "authorization"));
    door_free(message);
}

static void head_gets_the_length_and_no_body(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    char head[1024] = "";
    client_send(fd, "HEAD /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/plain", NULL, door_blob("body"));
    for (size_t got = 0; got < sizeof head - 1 && !strstr(head, "\r\n\r\n"); got++)
        assert_true(read_byte(fd, &head[got]));
    assert_non_null(strstr(head, "Content-Length: 4"));
    client_send(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/plain", NULL, door_blob("body"));
    assert_string_equal(client_answer(fd)->body, "body"); /* the very next bytes are the next answer's */
    close(fd);
}

static void a_large_answer_arrives_whole(void **state)
{
    (void)state;
    size_t length = 5 * 1024 * 1024;
    struct fs_blob *blob = fs_blob_create(length);
    for (size_t i = 0; i < length; i++)
        blob->bytes[i] = (unsigned char)('a' + i % 26);
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/history", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/plain", NULL, blob);
    char head[4096] = "";
    for (size_t got = 0; got < sizeof head - 1 && !strstr(head, "\r\n\r\n"); got++)
        assert_true(read_byte(fd, &head[got]));
    char *body = fs_alloc(length);
    assert_true(read_exactly(fd, body, length));
    for (size_t i = 0; i < length; i++)
        assert_int_equal(body[i], 'a' + (int)(i % 26));
    fs_free(body);
    client_get(fd, &door, "/v1/flags", NULL); /* the connection goes on */
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, door_blob("next"));
    assert_string_equal(client_answer(fd)->body, "next");
    close(fd);
}

/* CVE-2026-19773: the plain upgrade to HTTP/2 reaches code that writes out of bounds. Run under AddressSanitizer too. */
static void the_upgrade_to_http2_is_refused_before_101(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd, "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                    "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n");
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 400);
    assert_non_null(strstr(answer->body, "only websocket"));
    client_write(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    assert_true(client_ended(fd));
    close(fd);
    static const char *const others[] = {"H2C", "foo", "websocket, h2c", "h2c, websocket", "TLS/1.0", "h2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        answer = refused("GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: %s\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n", others[i]);
        assert_true(answer->status == 400 || answer->status == 403);
    }
    fd = client_connect(&door); /* CVE-2025-11677 needs a connection that was kept alive */
    client_get(fd, &door, "/v1/flags", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    client_get(fd, &door, "/v1/ws", "Connection: Upgrade\r\nUpgrade: foo\r\n");
    assert_int_equal(client_answer(fd)->status, 403);
    while (!client_ended(fd))
        ;
    close(fd);
    answer = refused("PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n");
    assert_true(answer->status == 403 || answer->status == 0);
    assert_int_equal(refused("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\nSSH-2.0-x\r\n")->status, 0);
    assert_int_equal(refused("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, 403);
    door_free(accepted(NULL, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")); /* and the door still stands */
}

static void broken_heads_do_no_harm(void **state)
{
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: \r\nUpgrade: \r\n\r\n", "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n", "GET /../../etc HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\n\r\n", "GET", "\0\0\0\0", "GET / HTTP/1.1\r\n: x\r\n\r\n", "POST /?a=&&;=;b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n", "GET / HTTP/9.9\r\nHost: localhost\r\nAuthorization:\r\n\r\n",
    };
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        int fd = client_connect(&door);
        client_send(fd, "%s", heads[i]);
        shutdown(fd, SHUT_WR);
        char c;
        while (read_byte(fd, &c))
            ;
        close(fd);
    }
    while (fs_queue_length(door.inbox))
        fs_net_message_destroy(fs_queue_pop(door.inbox));
    int fd = client_connect(&door);
    client_send(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    struct fs_net_message *message;
    do { /* notices of the connections above may still come */
        assert_true(fs_queue_wait(door.inbox, WAIT_MS));
        message = FS_CONTAINER(fs_queue_pop(door.inbox), struct fs_net_message, message);
        if (message->kind == FS_NET_REQUEST)
            fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
        bool health = message->kind == FS_NET_REQUEST && strcmp(message->request->path, "/healthz") == 0;
        door_free(message);
        if (health)
            break;
    } while (true);
    assert_int_equal(client_answer(fd)->status, 200);
    close(fd);
}

static void a_key_bound_to_an_origin_works_from_there_only(void **state)
{
    char key[80];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"origin\":\"https://shop.example\"}", key);
    fs_server_set_keyring(door.server, door_keyring(&door));
    static const char format[] = "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s\r\n";
    assert_int_equal(refused(format, key, "")->status, 403);
    assert_int_equal(refused(format, key, "Origin: http://localhost\r\n")->status, 403);
    door_free(accepted(NULL, format, key, "Origin: https://shop.example\r\n"));
}

static void a_key_works_until_it_expires(void **state)
{
    char key[80];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"expires\":1790000010000}", key);
    fs_server_set_keyring(door.server, door_keyring(&door));
    static const char format[] = "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n";
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
        TEST(a_stranger_cannot_make_the_door_hold_a_body),
        TEST(answers_carry_the_security_headers),
        TEST(a_body_over_the_limit_is_413),
        TEST(a_body_whose_end_cannot_be_told_is_refused),
        TEST(an_empty_body_is_fine_however_it_is_said),
        TEST(an_empty_post_keeps_the_connection),
        TEST(a_body_may_come_in_pieces),
        TEST(a_client_that_expects_100_gets_it),
        TEST(a_body_that_does_not_come_is_408),
        TEST(a_head_over_the_limit_is_431),
        TEST(the_path_comes_encoded_and_the_query_is_found_decoded),
        TEST(cloudevents_headers_reach_the_core),
        TEST(head_gets_the_length_and_no_body),
        TEST(a_large_answer_arrives_whole),
        TEST(the_upgrade_to_http2_is_refused_before_101),
        TEST(broken_heads_do_no_harm),
        TEST(a_key_bound_to_an_origin_works_from_there_only),
        TEST(a_key_works_until_it_expires),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

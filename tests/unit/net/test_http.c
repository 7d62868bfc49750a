/* SPDX-License-Identifier: Apache-2.0 */
/* HTTP requests at the door: which are taken, how they reach the core, how answers leave. */
#include "exchange.h"

static void a_stranger_cannot_make_the_door_hold_a_body(void **state)
{
    (void)state;
    assert_int_equal(
        refused("OPTIONS /v1/events HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")->status,
        400);
    assert_int_equal(
        refused("GET /healthz HTTP/1.1\r\nHost: localhost\r\nContent-Length: 3\r\n\r\nabc")->status, 400);
}

static void answers_carry_the_security_headers(void **state)
{
    (void)state;
    struct answer *answer;
    door_free(accepted(
        &answer, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n", door.key));
    assert_true(has_header(answer, "X-Content-Type-Options: nosniff"));
    assert_true(has_header(answer, "Cache-Control: no-store"));
    assert_non_null(strcasestr(answer->head, "\r\nDate: "));
    int fd = client_connect(&door);
    client_get(fd, &door, "/board/app.js", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/javascript",
                    "Cache-Control: max-age=60\r\n", NULL);
    answer = client_answer(fd);
    assert_true(has_header(answer, "Cache-Control: max-age=60"));
    assert_false(has_header(answer, "Cache-Control: no-store"));
    close(fd);
}

static void a_body_over_the_limit_is_413(void **state)
{
    (void)state;
    struct answer *answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                    "%s\r\nContent-Length: 1001\r\n\r\n%01001d",
                                    door.key, 7);
    assert_int_equal(answer->status, 413);
    assert_non_null(strstr(answer->body, "1000 bytes"));
    struct fs_net_message *message = accepted(NULL,
                                              "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: "
                                              "Bearer %s\r\nContent-Length: 1000\r\n\r\n%01000d",
                                              door.key, 7);
    assert_int_equal(message->request->length, 1000);
    door_free(message);
}

static void a_body_whose_end_cannot_be_told_is_refused(void **state)
{
    static const char *const lengths[] = {
        "abc", "-1", "+5", "5, 5", "5\r\nContent-Length: 6", "0x5", "99999999999999999999", "5 5"};
    (void)state;
    struct answer *answer =
        refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                "Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n",
                door.key);
    assert_int_equal(answer->status, 411);
    answer = refused(
        "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 5\r\n"
        "Transfer-Encoding: chunked\r\n\r\nhello",
        door.key);
    assert_int_equal(answer->status, 411);
    assert_int_equal(
        refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n")
            ->status,
        411);
    for (size_t i = 0; i < sizeof lengths / sizeof *lengths; i++) {
        answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                         "%s\r\nContent-Length: %s\r\n\r\nhello",
                         door.key, lengths[i]);
        assert_int_equal(answer->status, 400);
    }
}

static void an_empty_body_is_fine_however_it_is_said(void **state)
{
    static const char *const heads[] = {"POST", "PUT", "DELETE"};
    (void)state;
    for (size_t i = 0; i < sizeof heads / sizeof *heads; i++) {
        struct fs_net_message *with = accepted(
            NULL,
            "%s /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n",
            heads[i], door.key);
        struct fs_net_message *without =
            accepted(NULL, "%s /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                     heads[i], door.key);
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
        client_send(
            fd,
            "POST /v1/x HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: 0\r\n\r\n",
            door.key);
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
    client_send(fd,
                "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: "
                "100-continue\r\nContent-Length: 3\r\n\r\n",
                door.key);
    assert_int_equal(client_answer(fd)->status, 100);
    client_send(fd, "abc");
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    assert_string_equal(message->request->body, "abc");
    fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    door_free(message);
    close(fd);
    struct answer *answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                    "%s\r\nExpect: 100-continue\r\nContent-Length: 30000\r\n\r\n",
                                    door.key);
    assert_int_equal(answer->status, 413);
    answer = refused("POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: "
                     "miracles\r\nContent-Length: 3\r\n\r\nabc",
                     door.key);
    assert_int_equal(answer->status, 417);
}

static void a_body_that_does_not_come_is_408(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd,
                "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nExpect: "
                "100-continue\r\nContent-Length: 3\r\n\r\n",
                door.key);
    assert_int_equal(client_answer(fd)->status, 100); /* the door waits for the body now */
    door_advance(&door, 31000);
    assert_int_equal(client_answer(fd)->status, 408);
    assert_true(client_ended(fd));
    close(fd);
}

static void a_head_over_the_limit_is_431(void **state)
{
    (void)state;
    struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                    "%s\r\nUser-Agent: %02500d\r\n\r\n",
                                    door.key, 7);
    assert_int_equal(answer->status, 431);
    /* Far over it, the library says so itself, wherever the room ends: in a value, a name, the path. */
    static const char *const far[][2] = {
        {"GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nUser-Agent: ", "\r\n\r\n"},
        {"GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-Long: ", "\r\n\r\n"},
        {"GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n", ": 1\r\n\r\n"},
        {"GET /v1/", " HTTP/1.1\r\nHost: localhost\r\n\r\n"},
    };
    for (size_t i = 0; i < sizeof far / sizeof *far; i++)
        assert_int_equal(refused("%s%0100000d%s", far[i][0], 7, far[i][1])->status, 431);
    door_free(accepted(NULL,
                       "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nUser-Agent: "
                       "%01500d\r\n\r\n",
                       door.key, 7));
}

static void the_path_comes_encoded_and_the_query_is_found_decoded(void **state)
{
    (void)state;
    struct fs_net_message *message =
        accepted(NULL,
                 "GET /ofrep/v1/evaluate/flags/a%%20b%%3Fc%%25d%%C3%%A4?x=1%%262&y=a+b&z&empty= HTTP/1.1\r\n"
                 "Host: localhost\r\nAuthorization: Bearer %s\r\n\r\n",
                 door.key);
    assert_string_equal(message->request->path, "/ofrep/v1/evaluate/flags/a%20b%3Fc%25d%C3%A4");
    char *x = fs_http_query(message->request, "x"), *y = fs_http_query(message->request, "y"),
         *z = fs_http_query(message->request, "z"), *empty = fs_http_query(message->request, "empty");
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
        accepted(NULL,
                 "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: "
                 "2\r\nce-id: 1\r\nCE-Source: /here\r\n"
                 "ce-type: t\r\nce-specversion: 1.0\r\nce-time: 2026-11-24T08:00:00Z\r\nCookie: "
                 "secret\r\nLast-Event-ID: 9\r\n\r\n{}",
                 door.key);
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

static void an_answer_that_is_too_large_is_an_error_that_says_so(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/contexts", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, "text/plain", NULL,
                    fs_blob_create(16 * 1024 * 1024 + 1));
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 413);
    assert_non_null(strstr(answer->body, "ask for less"));
    client_get(fd, &door, "/v1/flags", NULL); /* the connection goes on */
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, door_blob("next"));
    assert_string_equal(client_answer(fd)->body, "next");
    close(fd);
}

/* The library as it comes decodes before it looks for the end of the line: what stands behind %0A must become
 * no header. */
static void control_characters_in_a_path_are_refused_and_make_no_header(void **state)
{
    static const char *const methods[] = {"GET", "POST", "DELETE"};
    static const char *const paths[] = {"/v1/flags/%00a",
                                        "/v1/flags/%01",
                                        "/%7f",
                                        "/v1/clients/a%0Ab",
                                        "/a%0Db",
                                        "/v1/flags?a=%0A",
                                        "/v1/flags?a=%0DOrigin:http://localhost&b",
                                        "/v1/flags%0AX-Api-Key:k",
                                        "/a%0D%0AOrigin:http://localhost",
                                        "/v1/flags%0AHost:localhost"};
    (void)state;
    for (size_t i = 0; i < sizeof paths / sizeof *paths; i++)
        for (size_t m = 0; m < 3; m++) {
            struct answer *answer = refused("%s %s HTTP/1.1\r\nHost: localhost\r\n%s\r\n", methods[m],
                                            paths[i], m == 1 ? "Content-Length: 0\r\n" : "");
            if (answer->status != 400 || !strstr(answer->body, "control characters"))
                print_error("%s %s: %d %s\n", methods[m], paths[i], answer->status, answer->body);
            assert_int_equal(answer->status, 400);
            assert_non_null(strstr(answer->body, "control characters"));
        }
    assert_int_equal(refused("GET /v1/ws%%0AX:y HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\n"
                             "Upgrade: websocket\r\n\r\n")
                         ->status,
                     400);
}

/* CVE-2026-19773: the plain upgrade to HTTP/2 reaches code that writes out of bounds. Run under
 * AddressSanitizer too. */
static void the_upgrade_to_http2_is_refused_before_101(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd,
                "GET / HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\n"
                "HTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n");
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 400);
    assert_non_null(strstr(answer->body, "only websocket"));
    client_write(fd, "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n\0\0\0\4\0\0\0\0\0", 33);
    assert_true(client_ended(fd));
    close(fd);
    static const char *const others[] = {"H2C", "foo", "websocket, h2c", "h2c, websocket", "TLS/1.0", "h2"};
    for (size_t i = 0; i < sizeof others / sizeof *others; i++) {
        answer = refused("GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nConnection: Upgrade\r\nUpgrade: "
                         "%s\r\nHTTP2-Settings: AAMAAABkAAQCAAAAAAIAAAAA\r\n\r\n",
                         others[i]);
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
    assert_int_equal(refused("CONNECT localhost:22 HTTP/1.1\r\nHost: localhost\r\n\r\nSSH-2.0-x\r\n")->status,
                     0);
    assert_int_equal(refused("BREW / HTTP/1.1\r\nHost: localhost\r\n\r\n")->status, 403);
    door_free(
        accepted(NULL, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n")); /* and the door still stands */
}

static void broken_heads_do_no_harm(void **state)
{
    static const char *const heads[] = {
        "GET / HTTP/1.1\r\nHost: localhost\r\nOrigin: \r\nUpgrade: \r\n\r\n",
        "GET /%00 HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /%zz HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET /../../etc HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "\r\n\r\n",
        "GET",
        "\0\0\0\0",
        "GET / HTTP/1.1\r\n: x\r\n\r\n",
        "POST /?a=&&;=;b HTTP/1.1\r\nHost: localhost\r\n\r\n",
        "GET  HTTP/1.1\r\n\r\n",
        "GET / HTTP/9.9\r\nHost: localhost\r\nAuthorization:\r\n\r\n",
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

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
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
        TEST(an_answer_that_is_too_large_is_an_error_that_says_so),
        TEST(control_characters_in_a_path_are_refused_and_make_no_header),
        TEST(the_upgrade_to_http2_is_refused_before_101),
        TEST(broken_heads_do_no_harm),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

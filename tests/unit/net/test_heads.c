/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Each line of a request's head is one header, whatever the line before it is called. libwebsockets 4.1.6 as
 * it comes takes a name that is the beginning of one that it knows as including the next line.
 */
#include "exchange.h"
#include <libwebsockets.h>

/* ---- all the beginnings of names that the library knows, and are none themselves ---- */

#define NAME_MAX_LENGTH 40

static char (*beginnings)[NAME_MAX_LENGTH];
static size_t beginning_count;

static const char *known_name(int token)
{
    const char *text = (const char *)lws_token_to_string((enum lws_token_indexes)token);
    size_t length = text ? strlen(text) : 0;
    return length > 1 && length < NAME_MAX_LENGTH && text[length - 1] == ':' && text[0] != ':' ? text : NULL;
}

static bool is_listed(const char *name)
{
    char with_colon[NAME_MAX_LENGTH + 1];
    snprintf(with_colon, sizeof with_colon, "%s:", name);
    for (int token = 0; token < WSI_TOKEN_COUNT; token++) {
        if (known_name(token) && strcmp(known_name(token), with_colon) == 0)
            return true;
    }
    for (size_t i = 0; i < beginning_count; i++) {
        if (strcmp(beginnings[i], name) == 0)
            return true;
    }
    return false;
}

static int find_beginnings(void **state)
{
    (void)state;
    beginnings = fs_calloc((size_t)WSI_TOKEN_COUNT * NAME_MAX_LENGTH, sizeof *beginnings);
    for (int token = 0; token < WSI_TOKEN_COUNT; token++) {
        const char *name = known_name(token);
        for (size_t length = 1; name && length + 1 < strlen(name); length++) {
            char *beginning = beginnings[beginning_count];
            snprintf(beginning, NAME_MAX_LENGTH, "%.*s", (int)length, name);
            if (is_listed(beginning))
                *beginning = 0;
            else
                beginning_count++;
        }
    }
    return 0;
}

static int free_beginnings(void **state)
{
    (void)state;
    fs_free(beginnings);
    return 0;
}

static void the_beginnings_are_those_of_the_library(void **state)
{
    static const char *const some[] = {
        "x", "x-real", "x-forwarded",      "auth",  "user", "sec", "content", "if", "c", "t",
        "o", "hos",    "transfer-encodin", "upgrad"};
    (void)state;
    assert_in_range(beginning_count, 300, 2000);
    for (size_t i = 0; i < sizeof some / sizeof *some; i++)
        assert_true(is_listed(some[i]));
}

/* Before which line the unknown header stands does not show in what is sent, so a failure says its name. */
static void expect_status(int expected, const char *name, const struct answer *answer)
{
    if (answer->status != expected)
        fail_msg("behind the header '%s': status %d instead of %d", name, answer->status, expected);
}

/* ---- what stands behind one of them counts ---- */

/* One connection for all, each request with this header at this place. The head's parts must make one that
 * the core gets. */
static void each_is_answered(const char *before, const char *behind)
{
    int fd = client_connect(&door);
    for (size_t i = 0; i < beginning_count; i++) {
        client_send(fd, "GET /v1/flags HTTP/1.1\r\n%s%s: 1\r\n%s\r\n", before, beginnings[i], behind);
        if (!fs_queue_wait(door.inbox, WAIT_MS))
            fail_msg("with the header '%s' the request did not arrive", beginnings[i]);
        fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, NULL);
        expect_status(200, beginnings[i], client_answer(fd));
    }
    close(fd);
}

static void each_is_refused_with(int status, const char *line)
{
    for (size_t i = 0; i < beginning_count; i++)
        expect_status(status, beginnings[i],
                      refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                              "%s\r\n%s: 1\r\n%s\r\n\r\n",
                              door.key, beginnings[i], line));
}

static char *authorization(void)
{
    return fs_format("Authorization: Bearer %s\r\n", door.key);
}

static void as_the_last_line_it_ends_the_head(void **state)
{
    (void)state;
    char *lines = fs_format("Host: localhost\r\nAuthorization: Bearer %s\r\n", door.key);
    each_is_answered(lines, "");
    fs_free(lines);
}

static void before_a_host_the_host_counts(void **state)
{
    (void)state;
    char *lines = authorization();
    each_is_answered(lines, "Host: localhost\r\n");
    fs_free(lines);
    each_is_refused_with(403, "Origin: https://shop.example\r\nHost: evil.example");
}

static void before_an_origin_the_origin_counts(void **state)
{
    (void)state;
    each_is_refused_with(403, "Origin: http://evil.example");
}

static void before_an_authorization_the_authorization_counts(void **state)
{
    (void)state;
    char *lines = authorization();
    each_is_answered("Host: localhost\r\n", lines);
    fs_free(lines);
}

static void before_a_content_length_the_body_is_a_body(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    for (size_t i = 0; i < beginning_count; i++) {
        client_send(fd,
                    "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n%s: 1\r\n"
                    "Content-Length: 5\r\n\r\nhello",
                    door.key, beginnings[i]);
        struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
        if (message->request->length != 5)
            fail_msg("behind the header '%s' the body was not seen", beginnings[i]);
        assert_string_equal(message->request->body, "hello");
        fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
        door_free(message);
        expect_status(200, beginnings[i], client_answer(fd));
    }
    close(fd);
}

static void before_a_transfer_encoding_it_is_411(void **state)
{
    (void)state;
    each_is_refused_with(411, "Transfer-Encoding: chunked");
}

static void before_a_header_that_only_we_know_that_counts(void **state)
{
    (void)state;
    for (size_t i = 0; i < beginning_count; i++) {
        struct fs_net_message *message = accepted(
            NULL, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n%s: 1\r\nce-id: 7\r\n\r\n",
            door.key, beginnings[i]);
        const char *id = fs_http_header(message->request, "ce-id");
        if (!id || strcmp(id, "7") != 0)
            fail_msg("behind the header '%s' ce-id was not seen", beginnings[i]);
        door_free(message);
    }
}

static void before_the_lines_of_a_handshake_it_is_a_handshake(void **state)
{
    static const char *const lines[] = {
        "Upgrade: websocket", "Connection: Upgrade", "Sec-WebSocket-Version: 13",
        "Sec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==", "Sec-WebSocket-Protocol: flagstaff.v1"};
    (void)state;
    for (size_t i = 0; i < beginning_count; i++) {
        int fd = client_connect(&door);
        client_send(fd, "GET /v1/ws HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n", door.key);
        for (size_t k = 0; k < sizeof lines / sizeof *lines; k++)
            client_send(fd, "%s: 1\r\n%s\r\n", beginnings[i], lines[k]);
        client_send(fd, "\r\n");
        expect_status(101, beginnings[i], client_answer(fd));
        uint64_t id = door_id(&door, FS_NET_OPENED);
        close(fd);
        assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    }
}

/* Where a loopback without a key is an operator, unless it came through a proxy. */
static void before_a_forwarded_for_nobody_is_a_local_operator(void **state)
{
    static const char *const lines[] = {"X-Forwarded-For: 192.0.2.7", "X-Real-IP: 192.0.2.7",
                                        "Via: 1.1 proxy", "Forwarded: for=192.0.2.7"};
    (void)state;
    door_close(&door);
    door_init(&door);
    door_open(&door, (struct fs_server_options){.loopback_operator = true}, 0);
    for (size_t i = 0; i < beginning_count * (sizeof lines / sizeof *lines); i++) {
        const char *line = lines[i / beginning_count], *name = beginnings[i % beginning_count];
        struct answer *answer =
            refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n%s: 1\r\n%s\r\n\r\n", name, line);
        expect_status(401, name, answer);
    }
}

/* ---- a line that is no header ---- */

static void a_line_that_is_no_header_is_400_and_hides_nothing(void **state)
{
    static const char *const lines[] = {
        "X",
        "X-A",
        "Unheard",
        "GET /other HTTP/1.1",
        "POST /other HTTP/1.1",
        "Transfer-Encoding : chunked", /* RFC 9112, 5.1: the name of a smuggler */
        "Content-Length\t: 5",
        " folded: as in RFC 7230",
        "\tfolded",
        ": no name",
        ":path: /other",
        "X\rOrigin: http://evil.example",
        "\rOrigin: http://evil.example",
        "X(comment): 1",
        "\x80: 1",
        "X\x01: 1",
    };
    (void)state;
    for (size_t i = 0; i < sizeof lines / sizeof *lines; i++) {
        struct answer *answer = refused("GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer "
                                        "%s\r\n%s\r\nOrigin: https://shop.example\r\n\r\n",
                                        door.key, lines[i]);
        if (answer->status != 400)
            fail_msg("line %zu, '%s': status %d instead of 400", i, lines[i], answer->status);
    }
    /* A client with bare line feeds is heard, as RFC 9112, 2.2, allows. */
    door_free(accepted(NULL, "GET /v1/flags HTTP/1.1\nHost: localhost\nX: 1\nAuthorization: Bearer %s\n\n",
                       door.key));
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_beginnings_are_those_of_the_library),
        TEST(as_the_last_line_it_ends_the_head),
        TEST(before_a_host_the_host_counts),
        TEST(before_an_origin_the_origin_counts),
        TEST(before_an_authorization_the_authorization_counts),
        TEST(before_a_content_length_the_body_is_a_body),
        TEST(before_a_transfer_encoding_it_is_411),
        TEST(before_a_header_that_only_we_know_that_counts),
        TEST(before_the_lines_of_a_handshake_it_is_a_handshake),
        TEST(before_a_forwarded_for_nobody_is_a_local_operator),
        TEST(a_line_that_is_no_header_is_400_and_hides_nothing),
    };
    return cmocka_run_group_tests(tests, find_beginnings, free_beginnings);
}

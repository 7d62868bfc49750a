/* SPDX-License-Identifier: Apache-2.0 */
/* The websocket's way in, and what frames of clients bring about (docs/protocol/README.md, sections 2 and 6).
 */
#include "door.h"

static struct door door;

static int set_up(void **state)
{
    static const char *const origins[] = {"https://shop.example", NULL};
    (void)state;
    door_init(&door);
    door_open(
        &door,
        (struct fs_server_options){.origins = origins, .limits = {.frame = 4096}, .frames = {.rate = 50}}, 0);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(&door);
    return 0;
}

#define PROTOCOL "Sec-WebSocket-Protocol: flagstaff.v1\r\n"

static int status_of(const char *lines)
{
    int fd = client_connect(&door);
    ws_request(fd, &door, lines);
    int status = client_answer(fd)->status;
    close(fd);
    return status;
}

/* Status of a whole request in which %s stands for the key. */
static int status_of_request(const char *text)
{
    int fd = client_connect(&door);
    client_write(fd, text, strlen(text));
    int status = client_answer(fd)->status;
    close(fd);
    return status;
}

/* Connects with these lines, expects 101, and gives the close code that follows. */
static int close_code_of(const char *lines)
{
    int fd = client_connect(&door);
    ws_request(fd, &door, lines);
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 101);
    assert_true(has_header(answer, "Sec-WebSocket-Protocol: flagstaff.v1"));
    int code = ws_close_code(fd);
    close(fd);
    assert_int_equal(fs_queue_length(door.inbox), 0);
    return code;
}

static int64_t ticket_ends; /* when the key behind it does: wall ms; 0: never */

static struct fs_credential *ticket_credential(const char *origin)
{
    struct fs_credential *credential = FS_NEW(struct fs_credential);
    char id[32];
    atomic_init(&credential->references, 1);
    snprintf(id, sizeof id, "ticket:%s", door.key_id);
    credential->id = fs_strdup(id);
    credential->name = fs_strdup("ticket");
    credential->subject = fs_strdup("ada");
    credential->origin = fs_strdup(origin);
    credential->expires = ticket_ends;
    fs_credential_add_scope(credential, "evaluate");
    return credential;
}

#define TICKET "0123456789012345678901234567890123456789012"
#define OFFER  "Sec-WebSocket-Protocol: flagstaff.v1, flagstaff.ticket." TICKET "\r\n"

static void add_ticket(const char *origin, int64_t expires)
{
    struct fs_sha256 hash = fs_sha256(TICKET, strlen(TICKET));
    fs_server_add_ticket(door.server, &hash, ticket_credential(origin), expires);
}

static int opened_with(const char *lines)
{
    int fd = client_connect(&door);
    ws_request(fd, &door, lines);
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 101);
    assert_true(has_header(answer, "Sec-WebSocket-Protocol: flagstaff.v1"));
    assert_null(strstr(answer->head, "ticket"));
    assert_null(strcasestr(answer->head, "Sec-WebSocket-Extensions"));
    return fd;
}

static void a_program_without_a_good_key_gets_401_before_101(void **state)
{
    (void)state;
    assert_int_equal(status_of(PROTOCOL), 401);
    assert_int_equal(status_of(PROTOCOL "Authorization: Bearer flagstaff_nobody00_" TICKET "\r\n"), 401);
    assert_int_equal(status_of(PROTOCOL "Origin: http://localhost\r\nAuthorization: Bearer wrong\r\n"),
                     403); /* no port: another origin */
    assert_int_equal(status_of(PROTOCOL "Origin: https://shop.example\r\nAuthorization: Bearer wrong\r\n"),
                     401);
}

static void a_browser_without_a_good_ticket_gets_101_and_4401(void **state)
{
    (void)state;
    assert_int_equal(close_code_of(PROTOCOL "Origin: https://shop.example\r\n"), 4401);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
    assert_int_equal(close_code_of(OFFER), 4401);
}

static void a_ticket_opens_one_connection(void **state)
{
    (void)state;
    add_ticket("https://shop.example", 31000);
    int fd = opened_with(OFFER "Origin: https://shop.example\r\n");
    struct fs_net_message *message = door_next(&door, FS_NET_OPENED);
    assert_string_equal(message->credential->subject, "ada");
    door_free(message);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
    close(fd);
}

static void a_ticket_may_stand_first_in_the_list(void **state)
{
    (void)state;
    add_ticket(NULL, 31000);
    int fd = opened_with("Sec-WebSocket-Protocol: flagstaff.ticket." TICKET ", flagstaff.v1\r\n");
    door_id(&door, FS_NET_OPENED);
    close(fd);
}

static void a_ticket_from_another_origin_is_used_up_and_refused(void **state)
{
    (void)state;
    add_ticket("https://other.example", 31000);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
    assert_int_equal(close_code_of(OFFER), 4401);
}

static void an_expired_ticket_is_refused(void **state)
{
    (void)state;
    add_ticket("https://shop.example", 31000);
    door_advance(&door, 30000);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
}

static void a_ticket_goes_with_its_key(void **state)
{
    (void)state;
    add_ticket("https://shop.example", 31000);
    fs_keyring_revoke(door.keys, door.key_id);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
}

static void a_ticket_that_a_revoked_key_still_gave_is_refused(void **state)
{
    (void)state;
    fs_keyring_revoke(door.keys, door.key_id);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    add_ticket("https://shop.example", 31000);
    assert_int_equal(close_code_of(OFFER "Origin: https://shop.example\r\n"), 4401);
}

static void a_ticket_ends_with_its_key_and_so_does_its_connection(void **state)
{
    (void)state;
    ticket_ends = INT64_C(1790000010000);
    add_ticket(NULL, 31000);
    int fd = opened_with(OFFER);
    door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    add_ticket(NULL, 31000);
    door_advance(&door, 9500);
    assert_int_equal(ws_close_code(fd), 4401);
    close(fd);
    door_id(&door, FS_NET_CLOSED);
    assert_int_equal(close_code_of(OFFER), 4401);
    ticket_ends = 0;
}

static void a_foreign_host_or_origin_is_403_before_101(void **state)
{
    (void)state;
    assert_int_equal(status_of(OFFER "Origin: https://evil.example\r\n"), 403);
    assert_int_equal(status_of(OFFER "Origin: null\r\n"), 403);
    assert_int_equal(
        status_of_request(
            "GET /v1/ws HTTP/1.1\r\nHost: evil.example\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
            "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n" PROTOCOL "\r\n"),
        403);
}

static void the_scope_evaluate_is_needed(void **state)
{
    char key[80], lines[256];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"events\"]}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    snprintf(lines, sizeof lines, PROTOCOL "Authorization: Bearer %s\r\n", key);
    assert_int_equal(status_of(lines), 403);
}

static void a_broken_handshake_is_answered(void **state)
{
    (void)state;
#define HANDSHAKE(path, connection, version, key, protocol)                                                  \
    "GET " path " HTTP/1.1\r\nHost: localhost\r\nUpgrade: websocket\r\nConnection: " connection              \
    "\r\nSec-WebSocket-Version: " version "\r\nSec-WebSocket-Key: " key "\r\n" protocol "\r\n"
#define KEY "dGhlIHNhbXBsZSBub25jZQ=="
    assert_int_equal(status_of_request(HANDSHAKE("/v1/other", "Upgrade", "13", KEY, PROTOCOL)), 404);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "Upgrade", "8", KEY, PROTOCOL)), 426);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "close", "13", KEY, PROTOCOL)), 400);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "Upgrade", "13", "short", PROTOCOL)), 400);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "Upgrade", "13", KEY, "")), 400);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "Upgrade", "13", KEY,
                                                 "Sec-WebSocket-Protocol: flagstaff.v2\r\n")),
                     400);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "Upgrade", "13", KEY,
                                                 "Sec-WebSocket-Protocol: http only, flagstaff.v2\r\n")),
                     400);
    assert_int_equal(status_of_request(HANDSHAKE("/v1/ws", "keep-alive, Upgrade", "13", KEY, PROTOCOL)), 401);
    char *lines = fs_format("Sec-WebSocket-Protocol: flagstaff.v1, flagstaff.ticket.%0200d\r\n", 1);
    assert_int_equal(status_of(lines), 400);
    fs_free(lines);
}

/* Opens a connection and sends hello. */
static int greeted(uint64_t *id)
{
    int fd = ws_connect(&door);
    *id = door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    return fd;
}

static void assert_error_then_close(int fd, const char *code, int close_code)
{
    struct ws_message *message = ws_next(fd);
    assert_int_equal(message->opcode, 1);
    json_t *frame = json_loads(message->text, 0, NULL);
    assert_string_equal(json_string_value(json_object_get(frame, "type")), "error");
    assert_string_equal(json_string_value(json_object_get(frame, "code")), code);
    json_decref(frame);
    if (close_code)
        assert_int_equal(ws_close_code(fd), close_code);
}

static void a_malformed_frame_is_an_error_and_close_4400(void **state)
{
    static const char *const frames[] = {"nonsense",
                                         "[]",
                                         "{}",
                                         "{\"type\":\"renew\"}",
                                         "{\"type\":\"watch\",\"context\":{}}",
                                         "{\"type\":7}",
                                         "{\"type\":\"ack\",\"revision\":1.5}",
                                         "{\"type\":\"ack\",\"revision\":1,\"revision\":2}",
                                         HELLO};
    uint64_t id;
    (void)state;
    for (size_t i = 0; i < sizeof frames / sizeof *frames; i++) {
        int fd = greeted(&id);
        ws_send(fd, frames[i]);
        assert_error_then_close(fd, "bad_frame", 4400);
        ws_send_frame(fd, 8, true, "\x11\x30", 2);
        assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
        close(fd);
    }
}

static void a_frame_of_an_unknown_type_is_an_error_and_the_connection_goes_on(void **state)
{
    uint64_t id;
    (void)state;
    int fd = greeted(&id);
    ws_send(fd, "{\"type\":\"subscribe\"}");
    assert_error_then_close(fd, "unknown_type", 0);
    ws_send(fd, "{\"type\":\"renew\",\"n\":1}");
    struct fs_net_message *message = door_next(&door, FS_NET_FRAME);
    assert_int_equal(message->frame->n, 1);
    door_free(message);
    fs_server_send(door.server, id, door_blob("only this is counted"));
    struct fs_net_message *sent = door_next(&door, FS_NET_SENT);
    assert_int_equal(sent->count, 1);
    door_free(sent);
    close(fd);
}

static void the_first_frame_must_be_hello_of_this_protocol(void **state)
{
    (void)state;
    int fd = ws_connect(&door);
    door_id(&door, FS_NET_OPENED);
    ws_send(fd, "{\"type\":\"renew\",\"n\":1}");
    assert_error_then_close(fd, "bad_frame", 4400);
    close(fd);
    door_id(&door, FS_NET_CLOSED);
    fd = ws_connect(&door);
    door_id(&door, FS_NET_OPENED);
    ws_send(
        fd,
        "{\"type\":\"hello\",\"protocol\":\"flagstaff.v9\",\"client\":{\"name\":\"x\",\"version\":\"1\"}}");
    assert_error_then_close(fd, "protocol", 4400);
    close(fd);
}

static void a_client_that_says_no_hello_is_closed_with_4408(void **state)
{
    (void)state;
    int fd = ws_connect(&door);
    door_id(&door, FS_NET_OPENED);
    door_advance(&door, 5100);
    assert_int_equal(ws_close_code(fd), 4408);
    close(fd);
    door_id(&door, FS_NET_CLOSED);
    uint64_t id;
    fd = greeted(&id);
    while (fs_queue_length(door.inbox))
        fs_net_message_destroy(fs_queue_pop(door.inbox));
    door_advance(&door, 5100);
    fs_server_send(door.server, id, door_blob("still open"));
    assert_string_equal(ws_next(fd)->text, "still open");
    close(fd);
}

static void a_message_over_the_limit_is_closed_with_1009(void **state)
{
    uint64_t id;
    (void)state;
    char *big = fs_format("{\"type\":\"renew\",\"n\":1,\"x\":\"%05000d\"}", 1);
    int fd = greeted(&id);
    ws_send(fd, big);
    assert_int_equal(ws_close_code(fd), 1009);
    close(fd);
    door_id(&door, FS_NET_CLOSED);
    fd = greeted(&id);
    ws_send_frame(fd, 1, false, big, 2000);
    ws_send_frame(fd, 0, false, big + 2000, 1500);
    ws_send_frame(fd, 0, true, big + 3500, 1500);
    assert_int_equal(ws_close_code(fd), 1009);
    close(fd);
    fs_free(big);
}

static void a_message_in_fragments_is_one_frame(void **state)
{
    uint64_t id;
    (void)state;
    int fd = greeted(&id);
    ws_send_frame(fd, 1, false, "{\"type\":\"ren", 12);
    ws_send_frame(fd, 9, true, "ping", 4); /* control frames may come between */
    ws_send_frame(fd, 0, false, "ew\",", 4);
    ws_send_frame(fd, 0, true, "\"n\":77}", 7);
    struct fs_net_message *message = door_next(&door, FS_NET_FRAME);
    assert_int_equal(message->frame->n, 77);
    door_free(message);
    char *large = fs_format("{\"type\":\"renew\",\"n\":78,\"x\":\"%03900d\"}", 1);
    ws_send(fd, large);
    message = door_next(&door, FS_NET_FRAME);
    assert_int_equal(message->frame->n, 78);
    door_free(message);
    fs_free(large);
    close(fd);
}

static void a_binary_message_is_closed_with_1003_and_bad_utf8_with_1007(void **state)
{
    uint64_t id;
    (void)state;
    int fd = greeted(&id);
    ws_send_frame(fd, 2, true, "{}", 2);
    assert_int_equal(ws_close_code(fd), 1003);
    close(fd);
    door_id(&door, FS_NET_CLOSED);
    fd = greeted(&id);
    ws_send_frame(fd, 1, true, "\"\xc3\x28\"", 4);
    assert_int_equal(ws_close_code(fd), 1007);
    close(fd);
}

static void too_many_frames_within_a_second_are_closed_with_4429(void **state)
{
    uint64_t id;
    (void)state;
    int fd = greeted(&id);
    for (int i = 0; i < 60; i++)
        ws_send(fd, "{\"type\":\"renew\",\"n\":1}");
    for (int i = 0; i < 49; i++)
        door_id(&door, FS_NET_FRAME);
    assert_error_then_close(fd, "limit", 4429);
    close(fd);
}

static void revoking_a_key_closes_its_connections(void **state)
{
    uint64_t id;
    char other[80], lines[256];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"]}", other);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    int fd = greeted(&id);
    snprintf(lines, sizeof lines, PROTOCOL "Authorization: Bearer %s\r\n", other);
    int stays = opened_with(lines);
    uint64_t stays_id = door_id(&door, FS_NET_OPENED);

    fs_keyring_revoke(door.keys, door.key_id);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    struct ws_message *message = ws_next(fd);
    assert_non_null(strstr(message->text, "\"goaway\""));
    assert_non_null(strstr(message->text, "\"revoked\""));
    assert_int_equal(ws_close_code(fd), 4401);
    fs_server_send(door.server, stays_id, door_blob("untouched"));
    assert_string_equal(ws_next(stays)->text, "untouched");
    close(fd);
    close(stays);
}

static void the_end_of_a_credential_closes_its_connection(void **state)
{
    char key[80], lines[256];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"expires\":1790000010000}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    snprintf(lines, sizeof lines, PROTOCOL "Authorization: Bearer %s\r\n", key);
    int fd = opened_with(lines);
    door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    door_advance(&door, 9500);
    assert_non_null(strstr(ws_next(fd)->text, "\"expired\""));
    assert_int_equal(ws_close_code(fd), 4401);
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_program_without_a_good_key_gets_401_before_101),
        TEST(a_browser_without_a_good_ticket_gets_101_and_4401),
        TEST(a_ticket_opens_one_connection),
        TEST(a_ticket_may_stand_first_in_the_list),
        TEST(a_ticket_from_another_origin_is_used_up_and_refused),
        TEST(an_expired_ticket_is_refused),
        TEST(a_ticket_goes_with_its_key),
        TEST(a_ticket_that_a_revoked_key_still_gave_is_refused),
        TEST(a_ticket_ends_with_its_key_and_so_does_its_connection),
        TEST(a_foreign_host_or_origin_is_403_before_101),
        TEST(the_scope_evaluate_is_needed),
        TEST(a_broken_handshake_is_answered),
        TEST(a_malformed_frame_is_an_error_and_close_4400),
        TEST(a_frame_of_an_unknown_type_is_an_error_and_the_connection_goes_on),
        TEST(the_first_frame_must_be_hello_of_this_protocol),
        TEST(a_client_that_says_no_hello_is_closed_with_4408),
        TEST(a_message_over_the_limit_is_closed_with_1009),
        TEST(a_message_in_fragments_is_one_frame),
        TEST(a_binary_message_is_closed_with_1003_and_bad_utf8_with_1007),
        TEST(too_many_frames_within_a_second_are_closed_with_4429),
        TEST(revoking_a_key_closes_its_connections),
        TEST(the_end_of_a_credential_closes_its_connection),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* How many and how long: limits that are not about one request's bytes (those are in test_http.c and
 * test_websocket.c). */
#include "door.h"

static struct door door;

static void opened(struct fs_server_limits limits, size_t inbox)
{
    door_init(&door);
    door_open(&door, (struct fs_server_options){.limits = limits}, inbox);
}

static int try_websocket(const char *key, int *fd_out)
{
    char lines[256];
    int fd = client_connect(&door);
    snprintf(lines, sizeof lines, "Sec-WebSocket-Protocol: flagstaff.v1\r\nAuthorization: Bearer %s\r\n",
             key);
    ws_request(fd, &door, lines);
    int status = client_answer(fd)->status;
    if (fd_out && status == 101)
        *fd_out = fd;
    else
        close(fd);
    return status;
}

static void more_waiting_requests_than_the_limit_are_503_with_retry_after(void **state)
{
    uint64_t ids[3];
    int fds[3];
    (void)state;
    opened((struct fs_server_limits){.requests = 3}, 0);
    for (int i = 0; i < 3; i++) {
        fds[i] = client_connect(&door);
        client_get(fds[i], &door, "/v1/flags", NULL);
        ids[i] = door_id(&door, FS_NET_REQUEST);
    }
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/flags", NULL);
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 503);
    assert_true(has_header(answer, "Retry-After: 1"));
    fs_server_reply(door.server, ids[0], 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fds[0])->status, 200);
    client_get(fd, &door, "/v1/flags", NULL); /* there is room again, on the same connection */
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    close(fd);
    for (int i = 0; i < 3; i++)
        close(fds[i]);
    door_close(&door);
}

static void a_full_inbox_answers_503(void **state)
{
    (void)state;
    opened((struct fs_server_limits){0}, 1);
    int first = client_connect(&door), second = client_connect(&door);
    client_get(first, &door, "/v1/flags", NULL);
    assert_true(fs_queue_wait(door.inbox, WAIT_MS)); /* and stays there */
    client_get(second, &door, "/v1/flags", NULL);
    struct answer *answer = client_answer(second);
    assert_int_equal(answer->status, 503);
    assert_true(has_header(answer, "Retry-After: 1"));
    client_send(second,
                "POST /v1/events HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\nContent-Length: "
                "3\r\n\r\nabc",
                door.key);
    assert_int_equal(client_answer(second)->status, 503);
    close(first);
    close(second);
    door_close(&door);
}

static void a_full_inbox_stops_the_reading_of_websockets_and_loses_nothing(void **state)
{
    char text[64];
    (void)state;
    door_init(&door);
    door_open(&door, (struct fs_server_options){.frames = {.rate = 100000}}, 4);
    int fd = ws_connect(&door);
    door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    for (int i = 1; i <= 2000; i++) {
        snprintf(text, sizeof text, "{\"type\":\"renew\",\"n\":%d}", i);
        ws_send(fd, text);
    }
    for (unsigned i = 1; i <= 2000; i++) {
        struct fs_net_message *message = door_next(&door, FS_NET_FRAME);
        assert_int_equal(message->frame->n, i);
        door_free(message);
    }
    close(fd);
    door_close(&door);
}

static void connections_are_limited_in_all(void **state)
{
    int fds[2];
    (void)state;
    opened((struct fs_server_limits){.connections = 2}, 0);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(try_websocket(door.key, &fds[i]), 101);
        door_id(&door, FS_NET_OPENED);
    }
    assert_int_equal(try_websocket(door.key, NULL), 503);
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/receipts/1", NULL);
    uint64_t id = door_id(&door, FS_NET_REQUEST);
    fs_server_stream(door.server, id, NULL, "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 503);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id); /* so the core knows that there is no stream */
    close(fds[0]);
    door_id(&door, FS_NET_CLOSED);
    assert_int_equal(try_websocket(door.key, &fds[0]), 101);
    close(fd);
    close(fds[0]);
    close(fds[1]);
    door_close(&door);
}

static void connections_of_one_key_are_limited_and_others_are_not_touched(void **state)
{
    int one, two;
    char other[80];
    (void)state;
    door_init(&door);
    door_add_key(&door, "{\"scopes\":[\"evaluate\"],\"subject\":\"ada\"}", other);
    door_open(&door, (struct fs_server_options){.limits = {.connections_per_key = 1}}, 0);
    assert_int_equal(try_websocket(door.key, &one), 101);
    door_id(&door, FS_NET_OPENED);
    assert_int_equal(try_websocket(door.key, NULL), 429);
    struct fs_keyring *keyring = door_keyring(&door);
    int stream = client_connect(&door);
    client_send(stream, "GET /ofrep/v1/events/token HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fs_server_stream(door.server, door_id(&door, FS_NET_REQUEST), fs_keyring_find(keyring, door.key, 0),
                     "text/event-stream", NULL);
    assert_int_equal(client_answer(stream)->status, 429); /* it counts for the key, not for nobody */
    door_id(&door, FS_NET_CLOSED);
    fs_keyring_destroy(keyring);
    close(stream);
    assert_int_equal(try_websocket(other, &two), 101);
    door_id(&door, FS_NET_OPENED);
    close(one);
    door_id(&door, FS_NET_CLOSED);
    assert_int_equal(try_websocket(door.key, &one), 101);
    close(one);
    close(two);
    door_close(&door);
}

static void a_caller_on_this_machine_is_an_operator_while_there_are_no_keys(void **state)
{
    (void)state;
    door_init(&door);
    door_open(&door, (struct fs_server_options){.loopback_operator = true}, 0);
    int fd = client_connect(&door);
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost:%d\r\nOrigin: http://localhost:%d\r\n\r\n",
                door.port, door.port);
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    assert_string_equal(message->credential->id, "loopback");
    assert_true(fs_credential_may(message->credential, FS_SCOPE_ADMIN));
    assert_true(fs_credential_may(message->credential, FS_SCOPE_EVALUATE_ANY));
    assert_true(fs_credential_may_write_fact(message->credential, "risk"));
    fs_server_reply(door.server, message->connection, 200, NULL, NULL, NULL);
    door_free(message);
    assert_int_equal(client_answer(fd)->status, 200);

    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-Forwarded-For: 203.0.113.9\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 401); /* it came through a proxy */
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nForwarded: for=203.0.113.9\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 401);
    char *padding = fs_format("%0600d", 0); /* more than is read of such a header: it is there all the same */
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nForwarded: for=%s\r\n\r\n", padding);
    assert_int_equal(client_answer(fd)->status, 401);
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nX-API-Key: %s\r\n\r\n", padding);
    assert_int_equal(client_answer(fd)->status, 401);
    fs_free(padding);
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer wrong\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 401); /* who shows a key is judged by it */
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\nOrigin: http://localhost:1\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 403); /* another program's page on this machine */
    close(fd);
    door_close(&door);
}

static void the_first_key_ends_the_time_without_keys(void **state)
{
    (void)state;
    door_init(&door);
    door_open(&door, (struct fs_server_options){.loopback_operator = true}, 0);
    int socket_fd = client_connect(&door);
    ws_request(socket_fd, &door, "Sec-WebSocket-Protocol: flagstaff.v1\r\n");
    assert_int_equal(client_answer(socket_fd)->status, 101);
    door_id(&door, FS_NET_OPENED);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    assert_int_equal(ws_close_code(socket_fd), 4401);
    int fd = client_connect(&door);
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 401);
    fs_server_set_keyring(door.server, fs_keyring_create(NULL, NULL),
                          NULL); /* and it does not come back with an empty ring */
    client_send(fd, "GET /v1/flags HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert_int_equal(client_answer(fd)->status, 401);
    close(fd);
    close(socket_fd);
    door_close(&door);
}

/* These two use the library's own clock, with the shortest times that it has. */
static void a_connection_without_requests_ends_after_the_idle_time(void **state)
{
    (void)state;
    opened((struct fs_server_limits){.idle_ms = 1000}, 0);
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/flags", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    assert_true(client_ended(fd));
    close(fd);
    door_close(&door);
}

static void a_peer_that_answers_no_ping_is_gone(void **state)
{
    (void)state;
    opened((struct fs_server_limits){.ping_ms = 1000}, 0);
    int fd = ws_connect(&door);
    uint64_t id = door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    unsigned char head[2];
    assert_true(read_exactly(fd, head, 2));
    assert_int_equal(head[0] & 0x0f, 9); /* a ping came; it stays unanswered */
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
    door_close(&door);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(more_waiting_requests_than_the_limit_are_503_with_retry_after),
        cmocka_unit_test(a_full_inbox_answers_503),
        cmocka_unit_test(a_full_inbox_stops_the_reading_of_websockets_and_loses_nothing),
        cmocka_unit_test(connections_are_limited_in_all),
        cmocka_unit_test(connections_of_one_key_are_limited_and_others_are_not_touched),
        cmocka_unit_test(a_caller_on_this_machine_is_an_operator_while_there_are_no_keys),
        cmocka_unit_test(the_first_key_ends_the_time_without_keys),
        cmocka_unit_test(a_connection_without_requests_ends_after_the_idle_time),
        cmocka_unit_test(a_peer_that_answers_no_ping_is_gone),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

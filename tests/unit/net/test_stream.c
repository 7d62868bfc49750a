/* SPDX-License-Identifier: Apache-2.0 */
/* Responses that stay open, and what happens to clients that do not read or go away. */
#include <netinet/in.h>
#include <netinet/tcp.h>
#include "door.h"

static struct door door;

static int set_up(void **state)
{
    (void)state;
    door_init(&door);
    door_open(&door, (struct fs_server_options){.limits = {.slow_ms = 30000}}, 100000);
    return 0;
}

static int tear_down(void **state)
{
    (void)state;
    door_close(&door);
    return 0;
}

/* A stream that the core has opened. */
static int streaming(uint64_t *id)
{
    int fd = client_connect(&door);
    client_send(
        fd, "GET /ofrep/v1/events/token HTTP/1.1\r\nHost: localhost\r\nAccept: text/event-stream\r\n\r\n");
    *id = door_id(&door, FS_NET_REQUEST);
    fs_server_stream(door.server, *id, NULL, "text/event-stream", NULL);
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 200);
    assert_true(has_header(answer, "Content-Type: text/event-stream"));
    assert_true(has_header(answer, "X-Accel-Buffering: no"));
    assert_true(has_header(answer, "Cache-Control: no-store"));
    return fd;
}

static void a_stream_carries_bytes_until_it_is_closed(void **state)
{
    char text[32] = "";
    uint64_t id;
    (void)state;
    int fd = streaming(&id);
    fs_server_send(door.server, id, door_blob(": \n\n"));
    assert_true(read_exactly(fd, text, 4));
    fs_server_send(door.server, id, door_blob("data: 1\n\n"));
    assert_true(read_exactly(fd, text, 9));
    assert_string_equal(text, "data: 1\n\n");
    unsigned sent = 0;
    while (sent < 2) {
        struct fs_net_message *message = door_next(&door, FS_NET_SENT);
        assert_int_equal(message->connection, id);
        sent += message->count;
        door_free(message);
    }
    fs_server_send(door.server, id, door_blob("last"));
    fs_server_close(door.server, id, 1001, "over");
    assert_true(read_exactly(fd, text, 4));
    assert_memory_equal(text, "last", 4);
    assert_true(client_ended(fd));
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

/* A key's credential, as the core would have kept it. */
static struct fs_credential *credential_of(const char *key)
{
    struct fs_keyring *keyring = door_keyring(&door);
    struct fs_credential *credential = fs_keyring_find(keyring, key, 0);
    assert_non_null(credential);
    fs_keyring_destroy(keyring);
    return credential;
}

static int asked_for_a_stream(const char *method, uint64_t *id)
{
    int fd = client_connect(&door);
    client_send(fd, "%s /ofrep/v1/events/token HTTP/1.1\r\nHost: localhost\r\n\r\n", method);
    *id = door_id(&door, FS_NET_REQUEST);
    return fd;
}

static void revoke_the_key(void)
{
    fs_keyring_revoke(door.keys, door.key_id);
    fs_server_set_keyring(door.server, door_keyring(&door), door.key_id);
    struct fs_net_message *message = door_next(&door, FS_NET_REVOKED);
    assert_string_equal(message->text, door.key_id);
    door_free(message);
}

static void a_stream_ends_with_the_key_that_it_was_opened_for(void **state)
{
    uint64_t id;
    (void)state;
    int fd = asked_for_a_stream("GET", &id);
    fs_server_stream(door.server, id, credential_of(door.key), "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    revoke_the_key();
    assert_true(client_ended(fd));
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

static void a_stream_ends_when_its_credential_expires(void **state)
{
    uint64_t id;
    char key[80];
    (void)state;
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"expires\":1790000010000}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    int fd = asked_for_a_stream("GET", &id);
    fs_server_stream(door.server, id, credential_of(key), "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    door_advance(&door, 9500);
    assert_true(client_ended(fd));
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

static void a_stream_ends_when_the_clock_is_set_past_the_end_of_its_credential(void **state)
{
    uint64_t id;
    char key[80];
    (void)state;
    atomic_store(&door.step, -50000);
    int fd = asked_for_a_stream("GET", &id);
    door_add_key(&door, "{\"scopes\":[\"evaluate:any\"],\"expires\":1790000900000}", key);
    fs_server_set_keyring(door.server, door_keyring(&door), NULL);
    fs_server_stream(door.server, id, credential_of(key), "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 200);
    atomic_store(&door.step, 1000000);
    assert_true(client_ended(fd));
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    atomic_store(&door.step, 0);
    close(fd);
}

static void a_key_that_was_revoked_meanwhile_opens_no_stream(void **state)
{
    uint64_t id;
    (void)state;
    int fd = asked_for_a_stream("GET", &id);
    struct fs_credential *credential = credential_of(door.key);
    revoke_the_key();
    fs_server_stream(door.server, id, credential, "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 401);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

static void a_request_that_is_still_coming_when_its_key_is_revoked_reaches_nobody(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_send(fd,
                "POST /v1/tickets HTTP/1.1\r\nHost: localhost\r\nAuthorization: Bearer %s\r\n"
                "Content-Length: 2\r\nExpect: 100-continue\r\n\r\n",
                door.key);
    assert_int_equal(client_answer(fd)->status, 100); /* it was let in */
    revoke_the_key();
    client_send(fd, "{}");
    assert_int_equal(client_answer(fd)->status, 401);
    assert_int_equal(fs_queue_length(door.inbox), 0);
    close(fd);
}

static void a_stream_has_no_head(void **state)
{
    uint64_t id;
    (void)state;
    int fd = asked_for_a_stream("HEAD", &id);
    fs_server_stream(door.server, id, NULL, "text/event-stream", NULL);
    assert_int_equal(client_answer(fd)->status, 405);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

static void a_silent_stream_says_a_comment_every_twenty_seconds(void **state)
{
    char text[16] = "";
    uint64_t id;
    (void)state;
    int fd = streaming(&id);
    for (int i = 0; i < 2; i++) {
        door_advance(&door, 20000);
        assert_true(read_exactly(fd, text, 4));
        assert_string_equal(text, ": \n\n");
    }
    close(fd);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
}

/* The server's end of a client's connection: it is in this process. */
static int other_end(int fd)
{
    struct sockaddr_in mine = {0}, theirs;
    socklen_t length = sizeof mine;
    assert_int_equal(getsockname(fd, (struct sockaddr *)&mine, &length), 0);
    for (int other = 0; other < 1024; other++) {
        length = sizeof theirs;
        if (getpeername(other, (struct sockaddr *)&theirs, &length) == 0 && theirs.sin_family == AF_INET &&
            theirs.sin_port == mine.sin_port)
            return other;
    }
    fail_msg("the server has no such connection");
    return -1;
}

static void tcp_finds_out_that_a_silent_peer_is_gone(void **state)
{
    uint64_t id;
    int alive = 0, patience = 0;
    socklen_t length = sizeof alive;
    (void)state;
    int fd = streaming(&id), other = other_end(fd);
    assert_int_equal(getsockopt(other, SOL_SOCKET, SO_KEEPALIVE, &alive, &length), 0);
    assert_int_equal(alive, 1);
    assert_int_equal(getsockopt(other, IPPROTO_TCP, TCP_USER_TIMEOUT, &patience, &length), 0);
    assert_int_equal(patience, 60000); /* twice ours */
    close(fd);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
}

static void a_stream_whose_client_has_left_is_reported_closed(void **state)
{
    uint64_t id;
    (void)state;
    int fd = streaming(&id);
    close(fd);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    fs_server_send(door.server, id, door_blob("nobody hears it"));
}

static void bytes_sent_on_a_stream_by_its_client_do_no_harm(void **state)
{
    char text[8] = "";
    uint64_t id;
    (void)state;
    int fd = streaming(&id);
    client_send(fd, "GET /healthz HTTP/1.1\r\nHost: localhost\r\n\r\n");
    fs_server_send(door.server, id, door_blob("tick"));
    assert_true(read_exactly(fd, text, 4));
    assert_string_equal(text, "tick");
    close(fd);
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
}

/* Sends so much that the socket's buffers are full. Returns how many were sent. */
static unsigned flood(uint64_t id, size_t size, unsigned count)
{
    for (unsigned i = 0; i < count; i++) {
        struct fs_blob *blob = fs_blob_create(size);
        memset(blob->bytes, 'x', size);
        memcpy(blob->bytes, &i, sizeof i);
        fs_server_send(door.server, id, blob);
    }
    return count;
}

static void a_slow_reader_gets_everything_in_order_and_every_credit_comes_back(void **state)
{
    static char text[65536];
    (void)state;
    int fd = ws_connect(&door);
    uint64_t id = door_id(&door, FS_NET_OPENED);
    unsigned count = flood(id, 60000, 200); /* twelve megabytes: more than the kernel holds */
    for (unsigned i = 0; i < count; i++) {
        struct ws_message *message = ws_next(fd);
        assert_int_equal(message->opcode, 1);
        assert_int_equal(message->length, 60000);
        assert_memory_equal(message->text, &i, sizeof i);
    }
    unsigned sent = 0;
    while (sent < count) {
        struct fs_net_message *message = door_next(&door, FS_NET_SENT);
        sent += message->count;
        door_free(message);
    }
    assert_int_equal(sent, count);
    close(fd);
    door_id(&door, FS_NET_CLOSED);

    fd = streaming(&id); /* the same for a stream */
    flood(id, 60000, 200);
    for (unsigned i = 0; i < count; i++) {
        assert_true(read_exactly(fd, text, 60000));
        assert_memory_equal(text, &i, sizeof i);
    }
    fs_server_send(door.server, id, door_blob("end"));
    assert_true(read_exactly(fd, text, 3));
    close(fd);
}

static void a_client_that_takes_nothing_is_dropped(void **state)
{
    (void)state;
    int fd = ws_connect(&door);
    uint64_t id = door_id(&door, FS_NET_OPENED);
    ws_send(fd, HELLO);
    door_id(&door, FS_NET_FRAME);
    flood(id, 60000, 200);
    int64_t patience = 0;
    for (;;) { /* the door's clock moves until it has lost its patience; it looks at the clock every tenth of
                  a second */
        if (!fs_queue_wait(door.inbox, 400)) {
            door_advance(&door, 7500);
            patience += 7500;
            continue;
        }
        struct fs_net_message *message =
            FS_CONTAINER(fs_queue_pop(door.inbox), struct fs_net_message, message);
        bool closed = message->kind == FS_NET_CLOSED;
        door_free(message);
        if (closed)
            break;
    }
    assert_in_range(patience, 30000,
                    59999); /* before the kernel loses its own: it would not be counted then */
    assert_int_equal(fs_server_slow_dropped(door.server), 1);
    close(fd);
}

static void a_closing_connection_first_gets_what_was_queued(void **state)
{
    (void)state;
    int fd = ws_connect(&door);
    uint64_t id = door_id(&door, FS_NET_OPENED);
    unsigned count = flood(id, 60000, 150);
    fs_server_close(door.server, id, 1001, "drain");
    for (unsigned i = 0; i < count; i++)
        assert_int_equal(ws_next(fd)->length, 60000);
    assert_int_equal(ws_close_code(fd), 1001);
    close(fd);
}

static void one_blob_goes_to_many_connections(void **state)
{
    int fds[20];
    (void)state;
    struct fs_blob *blob = door_blob("{\"type\":\"delta\"}");
    for (int i = 0; i < 20; i++) {
        fds[i] = ws_connect(&door);
        fs_server_send(door.server, door_id(&door, FS_NET_OPENED), fs_blob_ref(blob));
    }
    fs_blob_unref(blob);
    for (int i = 0; i < 20; i++) {
        assert_string_equal(ws_next(fds[i])->text, "{\"type\":\"delta\"}");
        close(fds[i]);
    }
}

static void dropping_an_unanswered_request_ends_its_connection(void **state)
{
    (void)state;
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/flags", NULL);
    uint64_t id = door_id(&door, FS_NET_REQUEST);
    fs_server_close(door.server, id, 1001, "");
    assert_true(client_ended(fd));
    assert_int_equal(door_id(&door, FS_NET_CLOSED), id);
    close(fd);
}

static void commands_for_unknown_connections_are_ignored(void **state)
{
    (void)state;
    fs_server_send(door.server, 4711, door_blob("x"));
    fs_server_close(door.server, 4711, 1000, "x");
    fs_server_reply(door.server, 4711, 200, NULL, NULL, door_blob("x"));
    fs_server_stream(door.server, 4711, NULL, "text/plain", NULL);
    int fd = client_connect(&door);
    client_get(fd, &door, "/v1/flags", NULL);
    uint64_t id = door_id(&door, FS_NET_REQUEST);
    fs_server_send(door.server, id, door_blob("not a connection yet"));
    fs_server_reply(door.server, id, 200, NULL, NULL, door_blob("once"));
    fs_server_reply(door.server, id, 200, NULL, NULL, door_blob("twice"));
    assert_string_equal(client_answer(fd)->body, "once");
    client_get(fd, &door, "/v1/flags", NULL);
    fs_server_reply(door.server, door_id(&door, FS_NET_REQUEST), 200, NULL, NULL, door_blob("next"));
    assert_string_equal(client_answer(fd)->body, "next");
    close(fd);
}

int main(void)
{
#define TEST(name) cmocka_unit_test_setup_teardown(name, set_up, tear_down)
    const struct CMUnitTest tests[] = {
        TEST(a_stream_carries_bytes_until_it_is_closed),
        TEST(a_stream_ends_with_the_key_that_it_was_opened_for),
        TEST(a_stream_ends_when_its_credential_expires),
        TEST(a_stream_ends_when_the_clock_is_set_past_the_end_of_its_credential),
        TEST(a_key_that_was_revoked_meanwhile_opens_no_stream),
        TEST(a_request_that_is_still_coming_when_its_key_is_revoked_reaches_nobody),
        TEST(a_stream_has_no_head),
        TEST(a_silent_stream_says_a_comment_every_twenty_seconds),
        TEST(tcp_finds_out_that_a_silent_peer_is_gone),
        TEST(a_stream_whose_client_has_left_is_reported_closed),
        TEST(bytes_sent_on_a_stream_by_its_client_do_no_harm),
        TEST(a_slow_reader_gets_everything_in_order_and_every_credit_comes_back),
        TEST(a_client_that_takes_nothing_is_dropped),
        TEST(a_closing_connection_first_gets_what_was_queued),
        TEST(one_blob_goes_to_many_connections),
        TEST(dropping_an_unanswered_request_ends_its_connection),
        TEST(commands_for_unknown_connections_are_ignored),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

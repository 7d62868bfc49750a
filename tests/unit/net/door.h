/* SPDX-License-Identifier: Apache-2.0 */
/*
 * For tests of the door: the real server on a port of the system's choice, and clients on raw sockets in the
 * same process. The test is the core: it takes messages from the inbox and answers them. Nothing waits by
 * sleeping; every wait ends at an event or, where something is broken, after WAIT_MS.
 */
#ifndef TESTS_NET_DOOR_H
#define TESTS_NET_DOOR_H

#include <arpa/inet.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdatomic.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <unistd.h>
#include <cmocka.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "base/str.h"
#include "net/server.h"

#define WAIT_MS 10000

struct door {
    struct fs_server *server;
    struct fs_queue *inbox;
    atomic_llong mono; /* a clock that stands still until the test moves it */
    atomic_llong step; /* by which the wall clock was set */
    int port;
    char key[80]; /* of a key with evaluate:any and operate */
    char key_id[16];
    json_t *keys;
};

static inline struct fs_time door_now(void *self)
{
    struct door *door = self;
    long long mono = atomic_load(&door->mono);
    return (struct fs_time){.mono = mono, .wall = INT64_C(1790000000000) + mono + atomic_load(&door->step)};
}

static inline void door_advance(struct door *door, int64_t ms)
{
    atomic_fetch_add(&door->mono, ms);
}

static inline struct fs_keyring *door_keyring(struct door *door)
{
    struct fs_err err = {0};
    struct fs_keyring *keyring = fs_keyring_create(door->keys, &err);
    if (!keyring)
        fail_msg("%s", err.text);
    return keyring;
}

/* A further key from a description in JSON. */
static inline void door_add_key(struct door *door, const char *description, char key[80])
{
    struct fs_err err = {0};
    json_t *object = json_loads(description, 0, NULL);
    assert_non_null(object);
    if (!fs_keyring_add(door->keys, object, 0, key, &err))
        fail_msg("%s", err.text);
    json_decref(object);
}

static inline void door_init(struct door *door)
{
    memset(door, 0, sizeof *door);
    atomic_init(&door->mono, 1000);
    atomic_init(&door->step, 0);
    door->keys = json_object();
    door_add_key(door, "{\"name\":\"test\",\"scopes\":[\"evaluate:any\",\"operate\"]}", door->key);
    memcpy(door->key_id, door->key + 10, 8);
}

static inline void door_open(struct door *door, struct fs_server_options options, size_t inbox)
{
    struct fs_err err = {0};
    door->inbox = fs_queue_create(inbox ? inbox : 1000, NULL, NULL);
    options.keyring = options.loopback_operator ? NULL : door_keyring(door);
    options.inbox = door->inbox;
    options.clock = (struct fs_clock){door_now, door};
    door->server = fs_server_start(&options, &err);
    if (!door->server)
        fail_msg("%s", err.text);
    door->port = fs_server_port(door->server);
}

static inline void door_close(struct door *door)
{
    fs_server_stop(door->server);
    fs_queue_destroy(door->inbox);
    json_decref(door->keys);
}

/* The next message; the test fails where it is of another kind. SENT is passed over unless asked for. */
static inline struct fs_net_message *door_next(struct door *door, enum fs_net_kind kind)
{
    for (;;) {
        if (!fs_queue_wait(door->inbox, WAIT_MS))
            fail_msg("no message of kind %d came", (int)kind);
        struct fs_net_message *message =
            FS_CONTAINER(fs_queue_pop(door->inbox), struct fs_net_message, message);
        if (message->kind == FS_NET_SENT && kind != FS_NET_SENT) {
            fs_net_message_destroy(&message->message);
            continue;
        }
        if (message->kind != kind)
            fail_msg("a message of kind %d came instead of %d", (int)message->kind, (int)kind);
        return message;
    }
}

static inline void door_free(struct fs_net_message *message)
{
    fs_net_message_destroy(&message->message);
}

/* Takes the next message of this kind and says only whose it is. */
static inline uint64_t door_id(struct door *door, enum fs_net_kind kind)
{
    struct fs_net_message *message = door_next(door, kind);
    uint64_t id = message->connection;
    door_free(message);
    return id;
}

static inline struct fs_blob *door_blob(const char *text)
{
    return fs_blob_copy(text, strlen(text));
}

/* ---- a client on a raw socket ---- */

static inline int client_connect(const struct door *door)
{
    int fd = socket(AF_INET, SOCK_STREAM, 0);
    struct sockaddr_in address = {.sin_family = AF_INET, .sin_port = htons((uint16_t)door->port)};
    address.sin_addr.s_addr = htonl(INADDR_LOOPBACK);
    struct timeval patience = {.tv_sec = WAIT_MS / 1000};
    assert_true(fd >= 0);
    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &patience, sizeof patience);
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &patience, sizeof patience);
    assert_int_equal(connect(fd, (struct sockaddr *)&address, sizeof address), 0);
    return fd;
}

static inline void client_write(int fd, const char *text, size_t length)
{
    while (length) {
        ssize_t n = send(fd, text, length, MSG_NOSIGNAL);
        if (n <= 0)
            return; /* the server has hung up: the answer tells */
        text += n;
        length -= (size_t)n;
    }
}

static inline void client_vsend(int fd, const char *format, va_list args)
    __attribute__((format(printf, 2, 0)));
static inline void client_vsend(int fd, const char *format, va_list args)
{
    char *text = fs_vformat(format, args);
    client_write(fd, text, strlen(text));
    fs_free(text);
}

static inline void client_send(int fd, const char *format, ...) __attribute__((format(printf, 2, 3)));
static inline void client_send(int fd, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    client_vsend(fd, format, args);
    va_end(args);
}

struct answer {
    int status;
    char head[4096];
    char body[65536];
    size_t length;
};

/* One byte at a time: slow and simple, and it never takes what belongs to the next answer. */
static inline bool read_byte(int fd, char *c)
{
    return recv(fd, c, 1, 0) == 1;
}

/* Reads one response. Status 0: the connection ended first. */
static inline struct answer *client_answer(int fd)
{
    static struct answer answer;
    memset(&answer, 0, sizeof answer);
    size_t head = 0;
    while (head < sizeof answer.head - 1 && !strstr(answer.head, "\r\n\r\n")) {
        if (!read_byte(fd, &answer.head[head++])) {
            answer.status = 0;
            return &answer;
        }
    }
    sscanf(answer.head, "HTTP/1.%*d %d", &answer.status);
    const char *line = strcasestr(answer.head, "\r\nContent-Length: ");
    size_t length = line ? strtoul(line + 18, NULL, 10) : 0;
    while (answer.length < length && answer.length < sizeof answer.body - 1 &&
           read_byte(fd, &answer.body[answer.length]))
        answer.length++;
    return &answer;
}

static inline bool has_header(const struct answer *answer, const char *line)
{
    char *wanted = fs_format("\r\n%s\r\n", line);
    bool found = strcasestr(answer->head, wanted) != NULL;
    fs_free(wanted);
    return found;
}

/* Has the server ended this connection? Waits for it. */
static inline bool client_ended(int fd)
{
    char c;
    return recv(fd, &c, 1, 0) <= 0;
}

/* A GET with the door's key and these further header lines. */
static inline void client_get(int fd, const struct door *door, const char *path, const char *lines)
{
    client_send(fd, "GET %s HTTP/1.1\r\nHost: localhost:%d\r\nAuthorization: Bearer %s\r\n%s\r\n", path,
                door->port, door->key, lines ? lines : "");
}

/* ---- a websocket client ---- */

/* The handshake's request with these header lines (Host excepted). */
static inline void ws_request(int fd, const struct door *door, const char *lines)
{
    client_send(fd,
                "GET /v1/ws HTTP/1.1\r\nHost: localhost:%d\r\nUpgrade: websocket\r\nConnection: Upgrade\r\n"
                "Sec-WebSocket-Version: 13\r\nSec-WebSocket-Key: dGhlIHNhbXBsZSBub25jZQ==\r\n%s\r\n",
                door->port, lines);
}

/* Connects with the door's key; the test fails unless it gets 101. */
static inline int ws_connect(const struct door *door)
{
    int fd = client_connect(door);
    char lines[256];
    snprintf(lines, sizeof lines, "Sec-WebSocket-Protocol: flagstaff.v1\r\nAuthorization: Bearer %s\r\n",
             door->key);
    ws_request(fd, door, lines);
    assert_int_equal(client_answer(fd)->status, 101);
    return fd;
}

static inline void ws_send_frame(int fd, int opcode, bool fin, const char *bytes, size_t length)
{
    unsigned char head[14];
    size_t at = 2;
    head[0] = (unsigned char)((fin ? 0x80 : 0) | opcode);
    if (length < 126) {
        head[1] = (unsigned char)(0x80 | length);
    } else {
        head[1] = length < 65536 ? 0x80 | 126 : 0x80 | 127;
        size_t size = length < 65536 ? 2 : 8;
        for (size_t i = 0; i < size; i++)
            head[at++] = (unsigned char)(length >> (8 * (size - 1 - i)));
    }
    memset(head + at, 0, 4); /* the mask: zeroes, so that the bytes stand as they are */
    client_write(fd, (char *)head, at + 4);
    client_write(fd, bytes, length);
}

static inline void ws_send(int fd, const char *text)
{
    ws_send_frame(fd, 1, true, text, strlen(text));
}

#define HELLO                                                                                                \
    "{\"type\":\"hello\",\"protocol\":\"flagstaff.v1\",\"client\":{\"name\":\"test\",\"version\":\"1\"}}"

struct ws_message {
    int opcode; /* -1: the connection ended */
    int code;   /* of a close frame */
    char text[262144];
    size_t length;
};

static inline bool read_exactly(int fd, void *bytes, size_t length)
{
    for (size_t got = 0; got < length;) {
        ssize_t n = recv(fd, (char *)bytes + got, length - got, 0);
        if (n <= 0)
            return false;
        got += (size_t)n;
    }
    return true;
}

/* The next frame of the server; pings are passed over. */
static inline struct ws_message *ws_next(int fd)
{
    static struct ws_message message;
    do {
        unsigned char head[2], more[8];
        memset(&message, 0, sizeof message);
        message.opcode = -1;
        if (!read_exactly(fd, head, 2))
            return &message;
        size_t length = head[1] & 0x7f, size = length == 126 ? 2 : length == 127 ? 8 : 0;
        if (!read_exactly(fd, more, size))
            return &message;
        for (size_t i = 0, value = 0; i < size; i++)
            length = value = value << 8 | more[i];
        assert_true(length < sizeof message.text);
        if (!read_exactly(fd, message.text, length))
            return &message;
        message.length = length;
        message.opcode = head[0] & 0x0f;
    } while (message.opcode == 9);
    if (message.opcode == 8 && message.length >= 2) {
        message.code = (unsigned char)message.text[0] << 8 | (unsigned char)message.text[1];
        memmove(message.text, message.text + 2, message.length - 1);
    }
    return &message;
}

/* The close code with which the server ends; text frames before it are passed over. 0: none came. */
static inline int ws_close_code(int fd)
{
    for (;;) {
        struct ws_message *message = ws_next(fd);
        if (message->opcode == 8)
            return message->code;
        if (message->opcode < 0)
            return 0;
    }
}

#endif

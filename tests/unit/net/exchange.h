/* SPDX-License-Identifier: Apache-2.0 */
/* For tests of HTTP at the door: one server for each test, and one request on a connection of its own. */
#ifndef TESTS_NET_EXCHANGE_H
#define TESTS_NET_EXCHANGE_H

#include "door.h"

static struct door door;

static inline int set_up(void **state)
{
    static const char *const hosts[] = {"flags.example:8443", "any.example", NULL};
    static const char *const origins[] = {"https://shop.example", NULL};
    (void)state;
    door_init(&door);
    door_open(&door,
              (struct fs_server_options){
                  .hosts = hosts, .origins = origins, .limits = {.body = 1000, .header = 2048}},
              0);
    return 0;
}

static inline int tear_down(void **state)
{
    (void)state;
    door_close(&door);
    return 0;
}

/* Sends these bytes on a connection of their own and gives the answer; no message may have reached the core.
 */
static inline struct answer *refused(const char *format, ...) __attribute__((format(printf, 1, 2)));
static inline struct answer *refused(const char *format, ...)
{
    va_list args;
    int fd = client_connect(&door);
    va_start(args, format);
    client_vsend(fd, format, args);
    va_end(args);
    struct answer *answer = client_answer(fd);
    close(fd);
    assert_int_equal(fs_queue_length(door.inbox), 0);
    return answer;
}

/* Sends a request, answers it with "ok", and gives the message (the caller frees it). */
static inline struct fs_net_message *accepted(struct answer **answer_out, const char *format, ...)
    __attribute__((format(printf, 2, 3)));
static inline struct fs_net_message *accepted(struct answer **answer_out, const char *format, ...)
{
    va_list args;
    int fd = client_connect(&door);
    va_start(args, format);
    client_vsend(fd, format, args);
    va_end(args);
    struct fs_net_message *message = door_next(&door, FS_NET_REQUEST);
    fs_server_reply(door.server, message->connection, 200, "text/plain", NULL, door_blob("ok"));
    struct answer *answer = client_answer(fd);
    assert_int_equal(answer->status, 200);
    if (answer_out)
        *answer_out = answer;
    close(fd);
    return message;
}

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The one way between threads: a bounded queue of messages, many producers, one consumer, in order of
 * arrival. A consumer either waits on the queue itself or gives a `wake` function that its own loop
 * understands (an eventfd, lws_cancel_service, curl_multi_wakeup). A producer never blocks: a full queue says
 * so.
 */
#ifndef FS_BASE_QUEUE_H
#define FS_BASE_QUEUE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include "base/list.h"

/* Lies at the start of (or within) each message. */
struct fs_message {
    struct fs_list node;
    void (*destroy)(struct fs_message *message); /* frees a message that nobody took */
    size_t bytes; /* what it holds beyond its own few; 0: nothing worth a count */
};

struct fs_queue;

/* `wake` (may be NULL) is called after a push into an empty queue, from the producer's thread, with no lock
 * held. */
struct fs_queue *fs_queue_create(size_t capacity, void (*wake)(void *arg), void *arg);
/* Besides `capacity` messages the queue holds at most so many bytes, as the messages themselves say; one that
 * is larger alone goes into an empty queue. Before other threads know the queue. */
void fs_queue_limit_bytes(struct fs_queue *queue, size_t bytes);
/* Destroys what is still queued. No other thread may use it any more. Accepts NULL. */
void fs_queue_destroy(struct fs_queue *queue);
/* Takes the message. false: the queue is full or closed, and the message stays the caller's. Any thread. */
bool fs_queue_push(struct fs_queue *queue, struct fs_message *message);
/* For what must not be lost and is bounded by other means (an answer to a request, a notice of a commit):
 * goes over the capacity if need be. false only when closed. Any thread. */
bool fs_queue_push_always(struct fs_queue *queue, struct fs_message *message);
/* The oldest message, or NULL. Consumer's thread. */
struct fs_message *fs_queue_pop(struct fs_queue *queue);
/* Moves all messages to `out` (an initialised list) at once. Returns how many. Consumer's thread. */
size_t fs_queue_pop_all(struct fs_queue *queue, struct fs_list *out);
/* Waits until there is a message, the queue is closed, or `timeout_ms` has passed (-1: for ever). true: there
 * is one. Consumer's thread. */
bool fs_queue_wait(struct fs_queue *queue, int64_t timeout_ms);
/* No more pushes are taken; what is queued can still be popped. Ends fs_queue_wait, but does not call `wake`:
 * a consumer with a loop of its own is told by a message. Any thread. */
void fs_queue_close(struct fs_queue *queue);
bool fs_queue_closed(struct fs_queue *queue);
size_t fs_queue_length(struct fs_queue *queue);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The queue between threads: a list under one mutex. Owns what is queued until it is popped. Knows nothing of
 * the messages but how they are destroyed, and nothing of the consumer but its wake function.
 */
#include "base/queue.h"

#include <pthread.h>
#include <time.h>

#include "base/alloc.h"
#include "base/clock.h"
#include "fatal.h"

struct fs_queue {
    pthread_mutex_t lock;
    pthread_cond_t changed; /* there is a message now, or the queue was closed; on CLOCK_MONOTONIC */
    struct fs_list messages;
    size_t count;
    size_t capacity;
    size_t bytes, bytes_limit; /* the messages', as they say */
    bool closed;
    void (*wake)(void *arg);
    void *wake_arg;
};

struct fs_queue *fs_queue_create(size_t capacity, void (*wake)(void *arg), void *arg)
{
    struct fs_queue *queue = FS_NEW(struct fs_queue);
    pthread_condattr_t attributes;
    if (pthread_condattr_init(&attributes) != 0 ||
        pthread_condattr_setclock(&attributes, CLOCK_MONOTONIC) != 0 ||
        pthread_cond_init(&queue->changed, &attributes) != 0 || pthread_mutex_init(&queue->lock, NULL) != 0)
        fs_base_fatal("the system gives no mutex or condition variable");
    pthread_condattr_destroy(&attributes);
    fs_list_init(&queue->messages);
    queue->capacity = capacity;
    queue->bytes_limit = SIZE_MAX;
    queue->wake = wake;
    queue->wake_arg = arg;
    return queue;
}

void fs_queue_limit_bytes(struct fs_queue *queue, size_t bytes)
{
    queue->bytes_limit = bytes;
}

void fs_queue_destroy(struct fs_queue *queue)
{
    if (!queue)
        return;
    for (struct fs_message *message; (message = fs_queue_pop(queue));)
        if (message->destroy)
            message->destroy(message);
    pthread_mutex_destroy(&queue->lock);
    pthread_cond_destroy(&queue->changed);
    fs_free(queue);
}

static bool has_room(const struct fs_queue *queue, const struct fs_message *message)
{
    bool few = queue->count < queue->capacity;
    bool small = queue->bytes <= queue->bytes_limit && message->bytes <= queue->bytes_limit - queue->bytes;
    return few && (small || !queue->count);
}

static bool push(struct fs_queue *queue, struct fs_message *message, bool always)
{
    pthread_mutex_lock(&queue->lock);
    bool taken = !queue->closed && (always || has_room(queue, message));
    bool first = taken && queue->count == 0;
    if (taken) {
        fs_list_append(&queue->messages, &message->node);
        queue->count++;
        queue->bytes += message->bytes;
    }
    if (first)
        pthread_cond_signal(&queue->changed);
    /* Whoever waits for the last producer's message may destroy the queue as soon as the lock is free. */
    void (*wake)(void *) = first ? queue->wake : NULL;
    void *arg = queue->wake_arg;
    pthread_mutex_unlock(&queue->lock);
    if (wake)
        wake(arg);
    return taken;
}

bool fs_queue_push(struct fs_queue *queue, struct fs_message *message)
{
    return push(queue, message, false);
}

bool fs_queue_push_always(struct fs_queue *queue, struct fs_message *message)
{
    return push(queue, message, true);
}

struct fs_message *fs_queue_pop(struct fs_queue *queue)
{
    struct fs_message *message = NULL;
    pthread_mutex_lock(&queue->lock);
    if (queue->count > 0) {
        message = FS_CONTAINER(queue->messages.next, struct fs_message, node);
        fs_list_remove(&message->node);
        queue->count--;
        queue->bytes -= message->bytes;
    }
    pthread_mutex_unlock(&queue->lock);
    return message;
}

size_t fs_queue_pop_all(struct fs_queue *queue, struct fs_list *out)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    if (count > 0) {
        struct fs_list *first = queue->messages.next, *last = queue->messages.prev;
        first->prev = out->prev;
        out->prev->next = first;
        last->next = out;
        out->prev = last;
        fs_list_init(&queue->messages);
        queue->count = queue->bytes = 0;
    }
    pthread_mutex_unlock(&queue->lock);
    return count;
}

/* A year stands for every longer wait, so that the sum cannot overflow. */
static struct timespec deadline_in(int64_t timeout_ms)
{
    const int64_t year = 366LL * 86400 * 1000;
    int64_t nanos = fs_clock_nanos() + (timeout_ms < year ? timeout_ms : year) * 1000000;
    return (struct timespec){.tv_sec = nanos / 1000000000, .tv_nsec = nanos % 1000000000};
}

bool fs_queue_wait(struct fs_queue *queue, int64_t timeout_ms)
{
    struct timespec deadline = {0};
    int result = 0;
    if (timeout_ms >= 0)
        deadline = deadline_in(timeout_ms);
    pthread_mutex_lock(&queue->lock);
    while (queue->count == 0 && !queue->closed && result == 0) {
        if (timeout_ms < 0)
            result = pthread_cond_wait(&queue->changed, &queue->lock);
        else
            result = pthread_cond_timedwait(&queue->changed, &queue->lock, &deadline);
    }
    bool ready = queue->count > 0;
    pthread_mutex_unlock(&queue->lock);
    return ready;
}

void fs_queue_close(struct fs_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    queue->closed = true;
    pthread_cond_broadcast(&queue->changed);
    pthread_mutex_unlock(&queue->lock);
}

bool fs_queue_closed(struct fs_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    bool closed = queue->closed;
    pthread_mutex_unlock(&queue->lock);
    return closed;
}

size_t fs_queue_length(struct fs_queue *queue)
{
    pthread_mutex_lock(&queue->lock);
    size_t count = queue->count;
    pthread_mutex_unlock(&queue->lock);
    return count;
}

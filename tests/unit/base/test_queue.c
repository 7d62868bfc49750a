/* SPDX-License-Identifier: Apache-2.0 */
/* The queue between threads. */
#include "testing.h"

#include "base/queue.h"
#include "base/alloc.h"
#include <pthread.h>
#include <stdatomic.h>

struct note {
    struct fs_message message;
    int producer, number;
};

static int destroyed; /* by the thread that runs the test */

static void destroy_note(struct fs_message *message)
{
    destroyed++;
    fs_free(FS_CONTAINER(message, struct note, message));
}

static struct fs_message *note_of(int producer, int number)
{
    struct note *note = FS_NEW(struct note);
    note->message.destroy = destroy_note;
    note->producer = producer;
    note->number = number;
    return &note->message;
}

static int number_of(struct fs_message *message)
{
    return FS_CONTAINER(message, struct note, message)->number;
}

static void take(struct fs_message *message, int number)
{
    assert_non_null(message);
    assert_int_equal(number_of(message), number);
    destroy_note(message);
}

static void count_wakes(void *arg)
{
    atomic_fetch_add((atomic_int *)arg, 1);
}

static void messages_come_in_the_order_of_arrival(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    assert_null(fs_queue_pop(queue));
    for (int i = 0; i < 3; i++)
        assert_true(fs_queue_push(queue, note_of(0, i)));
    assert_int_equal(fs_queue_length(queue), 3);
    for (int i = 0; i < 3; i++)
        take(fs_queue_pop(queue), i);
    assert_null(fs_queue_pop(queue));
    fs_queue_destroy(queue);
}

static void a_full_queue_says_so_and_leaves_the_message_to_its_owner(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(1, NULL, NULL);
    struct fs_message *refused = note_of(0, 2);
    assert_true(fs_queue_push(queue, note_of(0, 1)));
    assert_false(fs_queue_push(queue, refused));
    assert_true(fs_queue_push_always(queue, refused));
    assert_int_equal(fs_queue_length(queue), 2);
    take(fs_queue_pop(queue), 1);
    take(fs_queue_pop(queue), 2);
    fs_queue_destroy(queue);
}

static void a_queue_is_full_by_bytes_too_but_takes_what_is_larger_alone(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    struct fs_message *large = note_of(0, 1), *small = note_of(0, 2), *other = note_of(0, 3);
    struct fs_list all;
    fs_list_init(&all);
    fs_queue_limit_bytes(queue, 100);
    large->bytes = 200;
    small->bytes = 60;
    other->bytes = 41;
    assert_true(fs_queue_push(queue, large));
    assert_false(fs_queue_push(queue, small));
    take(fs_queue_pop(queue), 1);
    assert_true(fs_queue_push(queue, small));
    assert_false(fs_queue_push(queue, other));
    assert_int_equal(fs_queue_pop_all(queue, &all), 1);
    assert_true(fs_queue_push(queue, other));
    fs_list_remove(&small->node);
    take(small, 2);
    fs_queue_destroy(queue);
}

static void all_are_taken_at_once_behind_what_the_list_holds(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    struct fs_list list;
    int expected = 0;
    fs_list_init(&list);
    assert_int_equal(fs_queue_pop_all(queue, &list), 0);
    assert_true(fs_list_empty(&list));
    for (int i = 0; i < 4; i++) {
        fs_queue_push(queue, note_of(0, i));
        if (i == 1)
            assert_int_equal(fs_queue_pop_all(queue, &list), 2);
    }
    assert_int_equal(fs_queue_pop_all(queue, &list), 2);
    assert_int_equal(fs_queue_length(queue), 0);
    FS_LIST_EACH(&list, node)
    {
        fs_list_remove(node);
        take(FS_CONTAINER(node, struct fs_message, node), expected++);
    }
    assert_int_equal(expected, 4);
    fs_queue_destroy(queue);
}

static void the_consumer_is_woken_only_when_the_queue_was_empty(void **state)
{
    (void)state;
    atomic_int wakes = 0;
    struct fs_queue *queue = fs_queue_create(2, count_wakes, &wakes);
    fs_queue_push(queue, note_of(0, 0));
    assert_int_equal(atomic_load(&wakes), 1);
    fs_queue_push(queue, note_of(0, 1));
    struct fs_message *refused = note_of(0, 2);
    assert_false(fs_queue_push(queue, refused));
    assert_int_equal(atomic_load(&wakes), 1);
    take(fs_queue_pop(queue), 0);
    take(fs_queue_pop(queue), 1);
    fs_queue_push_always(queue, refused);
    assert_int_equal(atomic_load(&wakes), 2);
    fs_queue_destroy(queue);
}

struct looker {
    struct fs_queue *queue;
    size_t seen;
};

static void look_into_the_queue(void *arg)
{
    struct looker *looker = arg;
    looker->seen = fs_queue_length(looker->queue);
}

static void wake_is_called_with_no_lock_held(void **state)
{
    (void)state;
    struct looker looker = {0};
    looker.queue = fs_queue_create(2, look_into_the_queue, &looker);
    fs_queue_push(looker.queue, note_of(0, 0));
    assert_int_equal(looker.seen, 1);
    fs_queue_destroy(looker.queue);
}

static void a_closed_queue_takes_nothing_and_gives_what_it_has(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    struct fs_message *late = note_of(0, 2);
    fs_queue_push(queue, note_of(0, 1));
    assert_false(fs_queue_closed(queue));
    fs_queue_close(queue);
    fs_queue_close(queue);
    assert_true(fs_queue_closed(queue));
    assert_false(fs_queue_push(queue, late));
    assert_false(fs_queue_push_always(queue, late));
    assert_true(fs_queue_wait(queue, -1));
    take(fs_queue_pop(queue), 1);
    assert_false(fs_queue_wait(queue, -1));
    destroy_note(late);
    fs_queue_destroy(queue);
}

static void what_nobody_took_is_destroyed_with_the_queue(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    destroyed = 0;
    fs_queue_push(queue, note_of(0, 1));
    fs_queue_push(queue, note_of(0, 2));
    fs_queue_destroy(queue);
    assert_int_equal(destroyed, 2);
    fs_queue_destroy(NULL);
}

static void waiting_ends_when_the_time_is_up(void **state)
{
    (void)state;
    struct fs_queue *queue = fs_queue_create(10, NULL, NULL);
    assert_false(fs_queue_wait(queue, 0));
    assert_false(fs_queue_wait(queue, 1));
    fs_queue_push(queue, note_of(0, 1));
    assert_true(fs_queue_wait(queue, 0));
    assert_true(fs_queue_wait(queue, INT64_MAX));
    fs_queue_destroy(queue);
}

enum { PRODUCERS = 4, EACH = 5000 };

struct producer {
    struct fs_queue *queue;
    int number;
};

static void *produce(void *arg)
{
    struct producer *producer = arg;
    for (int i = 0; i < EACH; i++) {
        struct fs_message *note = note_of(producer->number, i);
        if (i % 7 == 0)
            fs_queue_push_always(producer->queue, note);
        else
            while (!fs_queue_push(producer->queue, note))
                sched_yield();
    }
    return NULL;
}

static void producers_lose_nothing_and_each_keeps_its_order(void **state)
{
    (void)state;
    struct producer producers[PRODUCERS];
    pthread_t threads[PRODUCERS];
    int next[PRODUCERS] = {0};
    atomic_int wakes = 0;
    struct fs_queue *queue = fs_queue_create(64, count_wakes, &wakes);
    for (int i = 0; i < PRODUCERS; i++) {
        producers[i] = (struct producer){queue, i};
        assert_int_equal(pthread_create(&threads[i], NULL, produce, &producers[i]), 0);
    }
    for (int taken = 0; taken < PRODUCERS * EACH;) {
        struct fs_list list;
        fs_list_init(&list);
        assert_true(fs_queue_wait(queue, -1));
        taken += (int)fs_queue_pop_all(queue, &list);
        FS_LIST_EACH(&list, node)
        {
            struct note *note = FS_CONTAINER(node, struct note, message.node);
            assert_int_equal(note->number, next[note->producer]++);
            fs_list_remove(node);
            fs_free(note);
        }
    }
    for (int i = 0; i < PRODUCERS; i++)
        pthread_join(threads[i], NULL);
    assert_true(atomic_load(&wakes) > 0);
    assert_int_equal(fs_queue_length(queue), 0);
    fs_queue_destroy(queue);
}

static void *close_it(void *queue)
{
    fs_queue_close(queue);
    return NULL;
}

static void closing_ends_the_wait_of_the_consumer(void **state)
{
    (void)state;
    pthread_t thread;
    struct fs_queue *queue = fs_queue_create(4, NULL, NULL);
    assert_int_equal(pthread_create(&thread, NULL, close_it, queue), 0);
    assert_false(fs_queue_wait(queue, -1));
    pthread_join(thread, NULL);
    fs_queue_destroy(queue);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(messages_come_in_the_order_of_arrival),
        cmocka_unit_test(a_full_queue_says_so_and_leaves_the_message_to_its_owner),
        cmocka_unit_test(a_queue_is_full_by_bytes_too_but_takes_what_is_larger_alone),
        cmocka_unit_test(all_are_taken_at_once_behind_what_the_list_holds),
        cmocka_unit_test(the_consumer_is_woken_only_when_the_queue_was_empty),
        cmocka_unit_test(wake_is_called_with_no_lock_held),
        cmocka_unit_test(a_closed_queue_takes_nothing_and_gives_what_it_has),
        cmocka_unit_test(what_nobody_took_is_destroyed_with_the_queue),
        cmocka_unit_test(waiting_ends_when_the_time_is_up),
        cmocka_unit_test(producers_lose_nothing_and_each_keeps_its_order),
        cmocka_unit_test(closing_ends_the_wait_of_the_consumer),
    };
    return RUN(tests);
}

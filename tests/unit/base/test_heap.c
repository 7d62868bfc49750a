/* SPDX-License-Identifier: Apache-2.0 */
/* Timers fire in order of due time, then in order of arming. */
#include "testing.h"

#include "base/heap.h"

static void an_empty_heap_is_never_due(void **state)
{
    (void)state;
    struct fs_heap heap;
    fs_heap_init(&heap);
    assert_int_equal(fs_heap_next(&heap), INT64_MAX);
    assert_null(fs_heap_pop_due(&heap, INT64_MAX));
    fs_heap_finish(&heap);
    fs_heap_finish(NULL);
}

static void timers_come_out_by_due_time(void **state)
{
    (void)state;
    struct fs_heap heap;
    struct fs_timer a = {0}, b = {0}, c = {0};
    fs_heap_init(&heap);
    fs_heap_arm(&heap, &a, 30);
    fs_heap_arm(&heap, &b, 10);
    fs_heap_arm(&heap, &c, 20);
    assert_int_equal(fs_heap_next(&heap), 10);
    assert_null(fs_heap_pop_due(&heap, 9));
    assert_ptr_equal(fs_heap_pop_due(&heap, 10), &b);
    assert_false(fs_timer_armed(&b));
    assert_true(fs_timer_armed(&a));
    assert_ptr_equal(fs_heap_pop_due(&heap, 100), &c);
    assert_ptr_equal(fs_heap_pop_due(&heap, 100), &a);
    assert_null(fs_heap_pop_due(&heap, 100));
    fs_heap_finish(&heap);
}

static void of_timers_due_together_the_first_armed_fires_first(void **state)
{
    (void)state;
    struct fs_heap heap;
    struct fs_timer timers[50] = {0};
    fs_heap_init(&heap);
    for (size_t i = 0; i < 50; i++)
        fs_heap_arm(&heap, &timers[i], 5);
    fs_heap_arm(&heap, &timers[0], 5); /* armed again: now the last */
    for (size_t i = 1; i < 50; i++)
        assert_ptr_equal(fs_heap_pop_due(&heap, 5), &timers[i]);
    assert_ptr_equal(fs_heap_pop_due(&heap, 5), &timers[0]);
    fs_heap_finish(&heap);
}

static void arming_an_armed_timer_moves_it(void **state)
{
    (void)state;
    struct fs_heap heap;
    struct fs_timer a = {0}, b = {0};
    fs_heap_init(&heap);
    fs_heap_arm(&heap, &a, 10);
    fs_heap_arm(&heap, &b, 20);
    fs_heap_arm(&heap, &a, 30);
    assert_int_equal(heap.count, 2);
    assert_int_equal(fs_heap_next(&heap), 20);
    fs_heap_arm(&heap, &a, 5);
    assert_ptr_equal(fs_heap_pop_due(&heap, 100), &a);
    fs_heap_finish(&heap);
}

static void cancelling_what_is_not_armed_does_nothing(void **state)
{
    (void)state;
    struct fs_heap heap;
    struct fs_timer a = {0}, b = {0};
    fs_heap_init(&heap);
    fs_heap_cancel(&heap, &a);
    fs_heap_arm(&heap, &b, 1);
    fs_heap_cancel(&heap, &a);
    assert_int_equal(heap.count, 1);
    fs_heap_cancel(&heap, &b);
    fs_heap_cancel(&heap, &b);
    assert_int_equal(heap.count, 0);
    fs_heap_finish(&heap);
}

static void a_timer_that_outlives_its_heap_can_be_cancelled_and_armed_in_another(void **state)
{
    (void)state;
    struct fs_heap heap;
    struct fs_timer a = {0};
    fs_heap_init(&heap);
    fs_heap_arm(&heap, &a, 1);
    fs_heap_finish(&heap);
    fs_heap_arm(&heap, &a, 2);
    assert_ptr_equal(fs_heap_pop_due(&heap, 2), &a);
    fs_heap_arm(&heap, &a, 1);
    fs_heap_finish(&heap);
    fs_heap_cancel(&heap, &a);
    assert_false(fs_timer_armed(&a));
}

/* Against a model that looks through all timers. */
static struct fs_timer *first_of(struct fs_timer *timers, size_t count)
{
    struct fs_timer *first = NULL;
    for (size_t i = 0; i < count; i++)
        if (fs_timer_armed(&timers[i]) && (!first || timers[i].due < first->due ||
                                           (timers[i].due == first->due && timers[i].order < first->order)))
            first = &timers[i];
    return first;
}

static void a_long_mix_of_arming_and_cancelling_keeps_the_order(void **state)
{
    (void)state;
    enum { TIMERS = 100 };
    static struct fs_timer timers[TIMERS];
    uint64_t seed = 11;
    struct fs_heap heap;
    fs_heap_init(&heap);
    for (int step = 0; step < 20000; step++) {
        uint64_t drawn = next_random(&seed);
        struct fs_timer *timer = &timers[drawn % TIMERS];
        switch (drawn >> 16 & 3) {
        case 0:
            fs_heap_cancel(&heap, timer);
            break;
        case 1: {
            struct fs_timer *expected = first_of(timers, TIMERS);
            assert_ptr_equal(fs_heap_pop_due(&heap, INT64_MAX), expected);
            break;
        }
        default:
            fs_heap_arm(&heap, timer, (int64_t)(drawn >> 32 & 63));
            break;
        }
        struct fs_timer *first = first_of(timers, TIMERS);
        assert_int_equal(fs_heap_next(&heap), first ? first->due : INT64_MAX);
    }
    fs_heap_finish(&heap);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(an_empty_heap_is_never_due),
        cmocka_unit_test(timers_come_out_by_due_time),
        cmocka_unit_test(of_timers_due_together_the_first_armed_fires_first),
        cmocka_unit_test(arming_an_armed_timer_moves_it),
        cmocka_unit_test(cancelling_what_is_not_armed_does_nothing),
        cmocka_unit_test(a_timer_that_outlives_its_heap_can_be_cancelled_and_armed_in_another),
        cmocka_unit_test(a_long_mix_of_arming_and_cancelling_keeps_the_order),
    };
    return RUN(tests);
}

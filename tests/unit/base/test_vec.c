/* SPDX-License-Identifier: Apache-2.0 */
/* The growing array. */
#include "testing.h"

#include "base/vec.h"

static void a_zeroed_vector_is_an_empty_one_and_grows(void **state)
{
    (void)state;
    FS_VEC(int) numbers = {0};
    for (int i = 0; i < 1000; i++)
        fs_vec_push(&numbers, i);
    assert_int_equal(numbers.count, 1000);
    for (int i = 0; i < 1000; i++)
        assert_int_equal(numbers.items[i], i);
    fs_vec_finish(&numbers);
    assert_null(numbers.items);
    assert_int_equal(numbers.count, 0);
}

static void room_is_reserved_at_once(void **state)
{
    (void)state;
    FS_VEC(int) numbers = {0};
    fs_vec_reserve(&numbers, 100);
    int *items = numbers.items;
    for (int i = 0; i < 100; i++)
        fs_vec_push(&numbers, i);
    assert_ptr_equal(numbers.items, items);
    fs_vec_clear(&numbers);
    assert_int_equal(numbers.count, 0);
    assert_true(numbers.capacity >= 100);
    fs_vec_finish(&numbers);
}

static void removing_puts_the_last_item_in_the_gap(void **state)
{
    (void)state;
    FS_VEC(int) numbers = {0};
    for (int i = 1; i <= 3; i++)
        fs_vec_push(&numbers, i);
    fs_vec_remove_unordered(&numbers, 0);
    assert_int_equal(numbers.count, 2);
    assert_int_equal(numbers.items[0], 3);
    fs_vec_remove_unordered(&numbers, 1);
    assert_int_equal(numbers.count, 1);
    assert_int_equal(numbers.items[0], 3);
    fs_vec_finish(&numbers);
}

static void reserve_more_than_can_be_addressed(void)
{
    FS_VEC(int) numbers = {0};
    volatile size_t much = SIZE_MAX - 1;
    fs_vec_reserve(&numbers, much);
}

static void an_absurd_wish_ends_the_process_instead_of_looping(void **state)
{
    (void)state;
    assert_aborts_saying(reserve_more_than_can_be_addressed, "out of memory");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_zeroed_vector_is_an_empty_one_and_grows),
        cmocka_unit_test(room_is_reserved_at_once),
        cmocka_unit_test(removing_puts_the_last_item_in_the_gap),
        cmocka_unit_test(an_absurd_wish_ends_the_process_instead_of_looping),
    };
    return RUN(tests);
}

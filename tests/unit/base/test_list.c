/* SPDX-License-Identifier: Apache-2.0 */
/* The intrusive list. */
#include "testing.h"

#include "base/list.h"

struct item {
    int number;
    struct fs_list node;
};

static void members_come_in_the_order_of_appending(void **state)
{
    (void)state;
    struct fs_list list;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    int expected = 1;
    fs_list_init(&list);
    assert_true(fs_list_empty(&list));
    for (size_t i = 0; i < 3; i++)
        fs_list_append(&list, &items[i].node);
    FS_LIST_EACH(&list, node)
    assert_int_equal(FS_CONTAINER(node, struct item, node)->number, expected++);
    assert_int_equal(expected, 4);
}

static void the_current_member_may_be_removed_while_walking(void **state)
{
    (void)state;
    struct fs_list list;
    struct item items[3] = {{.number = 1}, {.number = 2}, {.number = 3}};
    fs_list_init(&list);
    for (size_t i = 0; i < 3; i++)
        fs_list_append(&list, &items[i].node);
    FS_LIST_EACH(&list, node)
    fs_list_remove(node);
    assert_true(fs_list_empty(&list));
}

static void removing_twice_does_no_harm(void **state)
{
    (void)state;
    struct fs_list list;
    struct item a = {.number = 1}, b = {.number = 2};
    fs_list_init(&list);
    fs_list_append(&list, &a.node);
    fs_list_append(&list, &b.node);
    fs_list_remove(&a.node);
    fs_list_remove(&a.node);
    assert_ptr_equal(list.next, &b.node);
    assert_ptr_equal(list.prev, &b.node);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(members_come_in_the_order_of_appending),
        cmocka_unit_test(the_current_member_may_be_removed_while_walking),
        cmocka_unit_test(removing_twice_does_no_harm),
    };
    return RUN(tests);
}

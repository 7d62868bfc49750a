/* SPDX-License-Identifier: Apache-2.0 */
/* A map from byte strings to pointers. */
#include "testing.h"

#include "base/map.h"
#include "base/alloc.h"

static int values[4000];

static void what_was_set_is_found_and_nothing_else(void **state)
{
    (void)state;
    struct fs_map map;
    fs_map_init(&map);
    assert_null(fs_map_gets(&map, "a"));
    assert_null(fs_map_sets(&map, "a", &values[0]));
    assert_null(fs_map_sets(&map, "b", &values[1]));
    assert_ptr_equal(fs_map_gets(&map, "a"), &values[0]);
    assert_ptr_equal(fs_map_gets(&map, "b"), &values[1]);
    assert_null(fs_map_gets(&map, "ab"));
    assert_int_equal(map.count, 2);
    fs_map_finish(&map, NULL);
}

static void setting_again_gives_the_former_value(void **state)
{
    (void)state;
    struct fs_map map;
    fs_map_init(&map);
    fs_map_sets(&map, "a", &values[0]);
    assert_ptr_equal(fs_map_sets(&map, "a", &values[1]), &values[0]);
    assert_int_equal(map.count, 1);
    assert_ptr_equal(fs_map_gets(&map, "a"), &values[1]);
    fs_map_finish(&map, NULL);
}

static void keys_are_bytes_of_any_kind_and_the_empty_one_too(void **state)
{
    (void)state;
    struct fs_map map;
    fs_map_init(&map);
    fs_map_set(&map, "a\0b", 3, &values[0]);
    fs_map_set(&map, "a\0c", 3, &values[1]);
    fs_map_set(&map, NULL, 0, &values[2]);
    assert_ptr_equal(fs_map_get(&map, "a\0b", 3), &values[0]);
    assert_ptr_equal(fs_map_get(&map, "a\0c", 3), &values[1]);
    assert_ptr_equal(fs_map_gets(&map, ""), &values[2]);
    assert_null(fs_map_gets(&map, "a"));
    fs_map_finish(&map, NULL);
}

static void a_copied_key_is_the_maps_own(void **state)
{
    (void)state;
    struct fs_map map;
    char key[] = "abc";
    fs_map_init(&map);
    fs_map_sets(&map, key, &values[0]);
    key[0] = 'x';
    assert_ptr_equal(fs_map_gets(&map, "abc"), &values[0]);
    fs_map_finish(&map, NULL);
}

struct named {
    char name[8];
};

static void a_borrowed_key_moves_to_the_new_value_when_that_replaces_the_old(void **state)
{
    (void)state;
    struct fs_map map;
    struct named *old = FS_NEW(struct named), *new = FS_NEW(struct named);
    fs_map_init_borrowing(&map);
    memcpy(old->name, "key", 4);
    memcpy(new->name, "key", 4);
    fs_map_sets(&map, old->name, old);
    assert_ptr_equal(fs_map_sets(&map, new->name, new), old);
    fs_free(old);
    struct fs_map_iter it = {0};
    assert_true(fs_map_next(&map, &it));
    assert_ptr_equal(it.key, new->name);
    assert_ptr_equal(fs_map_gets(&map, "key"), new);
    fs_map_finish(&map, fs_free);
}

static void a_zeroed_map_is_an_empty_one_that_works(void **state)
{
    (void)state;
    struct fs_map map = {0};
    assert_null(fs_map_gets(&map, "a"));
    assert_null(fs_map_removes(&map, "a"));
    struct fs_map_iter it = {0};
    assert_false(fs_map_next(&map, &it));
    fs_map_sets(&map, "a", &values[0]);
    assert_ptr_equal(fs_map_gets(&map, "a"), &values[0]);
    fs_map_finish(&map, NULL);
    fs_map_finish(&map, NULL);
    fs_map_finish(NULL, NULL);
}

static void two_maps_have_different_seeds(void **state)
{
    (void)state;
    struct fs_map a, b;
    fs_map_init(&a);
    fs_map_init(&b);
    fs_map_sets(&a, "x", &values[0]);
    fs_map_sets(&b, "x", &values[0]);
    assert_memory_not_equal(a.seed, b.seed, sizeof a.seed);
    fs_map_finish(&a, NULL);
    fs_map_finish(&b, NULL);
}

static void iteration_sees_every_entry_once(void **state)
{
    (void)state;
    static bool seen[1000];
    struct fs_map map;
    fs_map_init(&map);
    for (uint32_t i = 0; i < 1000; i++)
        fs_map_set(&map, &i, sizeof i, &values[i]);
    size_t count = 0;
    for (struct fs_map_iter it = {0}; fs_map_next(&map, &it); count++) {
        uint32_t key = 0;
        assert_int_equal(it.length, sizeof key);
        memcpy(&key, it.key, sizeof key);
        assert_ptr_equal(it.value, &values[key]);
        assert_false(seen[key]);
        seen[key] = true;
    }
    assert_int_equal(count, 1000);
    fs_map_finish(&map, NULL);
}

/* Against the plainest of models: an array with a place for each possible key. */
static void a_long_mix_of_sets_and_removals_agrees_with_a_plain_array(void **state)
{
    (void)state;
    enum { KEYS = 500, STEPS = 60000 };
    static void *model[KEYS];
    uint64_t seed = 7;
    size_t count = 0;
    struct fs_map map;
    fs_map_init(&map);
    for (int step = 0; step < STEPS; step++) {
        uint64_t drawn = next_random(&seed);
        uint32_t key = (uint32_t)(drawn % KEYS);
        void *value = &values[drawn >> 32 & 2047];
        if (drawn >> 20 & 1) {
            assert_ptr_equal(fs_map_set(&map, &key, sizeof key, value), model[key]);
            count += model[key] ? 0 : 1;
            model[key] = value;
        } else {
            assert_ptr_equal(fs_map_remove(&map, &key, sizeof key), model[key]);
            count -= model[key] ? 1 : 0;
            model[key] = NULL;
        }
        assert_int_equal(map.count, count);
    }
    for (uint32_t key = 0; key < KEYS; key++)
        assert_ptr_equal(fs_map_get(&map, &key, sizeof key), model[key]);
    fs_map_finish(&map, NULL);
}

static void finishing_destroys_each_value(void **state)
{
    (void)state;
    struct fs_map map;
    fs_map_init(&map);
    fs_map_sets(&map, "a", fs_alloc(10));
    fs_map_sets(&map, "b", fs_alloc(10));
    fs_map_finish(&map, fs_free); /* the leak checker is the judge */
    assert_int_equal(map.count, 0);
    assert_null(fs_map_gets(&map, "a"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(what_was_set_is_found_and_nothing_else),
        cmocka_unit_test(setting_again_gives_the_former_value),
        cmocka_unit_test(keys_are_bytes_of_any_kind_and_the_empty_one_too),
        cmocka_unit_test(a_copied_key_is_the_maps_own),
        cmocka_unit_test(a_borrowed_key_moves_to_the_new_value_when_that_replaces_the_old),
        cmocka_unit_test(a_zeroed_map_is_an_empty_one_that_works),
        cmocka_unit_test(two_maps_have_different_seeds),
        cmocka_unit_test(iteration_sees_every_entry_once),
        cmocka_unit_test(a_long_mix_of_sets_and_removals_agrees_with_a_plain_array),
        cmocka_unit_test(finishing_destroys_each_value),
    };
    return RUN(tests);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Memory freed all at once: aligned, zeroed, and used again after a reset. */
#include "testing.h"

#include "base/arena.h"

static void memory_is_zeroed_and_aligned_for_any_type(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    for (size_t size = 0; size < 200; size++) {
        unsigned char *bytes = fs_arena_alloc(&arena, size);
        assert_int_equal((uintptr_t)bytes % _Alignof(max_align_t), 0);
        for (size_t i = 0; i < size; i++)
            assert_int_equal(bytes[i], 0);
        memset(bytes, 0xAA, size);
    }
    fs_arena_finish(&arena);
}

static void no_two_pieces_overlap(void **state)
{
    (void)state;
    enum { PIECES = 2000 };
    static unsigned char *pieces[PIECES];
    static size_t sizes[PIECES];
    uint64_t seed = 1;
    struct fs_arena arena;
    fs_arena_init(&arena);
    for (size_t i = 0; i < PIECES; i++) {
        sizes[i] = next_random(&seed) % (i % 50 == 0 ? 300000 : 300);
        pieces[i] = fs_arena_alloc(&arena, sizes[i]);
        memset(pieces[i], (int)(i % 251), sizes[i]);
    }
    for (size_t i = 0; i < PIECES; i++)
        for (size_t at = 0; at < sizes[i]; at++)
            if (pieces[i][at] != i % 251)
                fail_msg("piece %zu was overwritten at %zu", i, at);
    fs_arena_finish(&arena);
}

static void a_wish_over_the_largest_chunk_is_granted(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    char *small = fs_arena_strndup(&arena, "small", 5);
    char *large = fs_arena_alloc(&arena, 1 << 20);
    memset(large, 'x', 1 << 20);
    assert_string_equal(small, "small");
    char *next = fs_arena_strndup(&arena, "next", 4);
    assert_true(next - small < 4096); /* what was left beside the large one is still used */
    fs_arena_finish(&arena);
}

static void after_a_reset_the_memory_is_used_again_and_zeroed(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    char *first = fs_arena_alloc(&arena, 100);
    memset(first, 0xFF, 100);
    fs_arena_reset(&arena);
    assert_int_equal(arena.used, 0);
    char *second = fs_arena_alloc(&arena, 100);
    assert_ptr_equal(second, first);
    for (size_t i = 0; i < 100; i++)
        assert_int_equal(second[i], 0);
    fs_arena_finish(&arena);
}

static void a_reset_keeps_the_largest_chunk_only(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    fs_arena_alloc(&arena, 10);
    char *large = fs_arena_alloc(&arena, 1 << 20);
    fs_arena_reset(&arena);
    assert_ptr_equal(fs_arena_alloc(&arena, 1 << 19), large);
    assert_ptr_equal(fs_arena_alloc(&arena, 1 << 19), large + (1 << 19));
    fs_arena_finish(&arena);
}

static void texts_are_copied_and_formatted(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    assert_string_equal(fs_arena_strndup(&arena, "abcdef", 3), "abc");
    assert_string_equal(fs_arena_strndup(&arena, NULL, 0), "");
    assert_string_equal(fs_arena_format(&arena, "%s=%d", "n", 42), "n=42");
    assert_int_equal(strlen(fs_arena_format(&arena, "%0*d", 9999, 1)), 9999);
    fs_arena_finish(&arena);
}

static void finishing_twice_and_an_empty_one_does_no_harm(void **state)
{
    (void)state;
    struct fs_arena arena;
    fs_arena_init(&arena);
    fs_arena_reset(&arena);
    fs_arena_finish(&arena);
    fs_arena_finish(&arena);
    fs_arena_finish(NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(memory_is_zeroed_and_aligned_for_any_type),
        cmocka_unit_test(no_two_pieces_overlap),
        cmocka_unit_test(a_wish_over_the_largest_chunk_is_granted),
        cmocka_unit_test(after_a_reset_the_memory_is_used_again_and_zeroed),
        cmocka_unit_test(a_reset_keeps_the_largest_chunk_only),
        cmocka_unit_test(texts_are_copied_and_formatted),
        cmocka_unit_test(finishing_twice_and_an_empty_one_does_no_harm),
    };
    return RUN(tests);
}

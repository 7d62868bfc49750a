/* SPDX-License-Identifier: Apache-2.0 */
/* Immutable bytes that several connections share. */
#include "testing.h"

#include <pthread.h>

#include "base/blob.h"

static void a_copy_has_the_bytes_and_a_nul_that_does_not_count(void **state)
{
    (void)state;
    struct fs_blob *blob = fs_blob_copy("a\0b", 3);
    assert_int_equal(blob->length, 3);
    assert_memory_equal(blob->bytes, "a\0b", 4);
    fs_blob_unref(blob);
    blob = fs_blob_copy(NULL, 0);
    assert_int_equal(blob->length, 0);
    assert_int_equal(blob->bytes[0], 0);
    fs_blob_unref(blob);
}

static void a_frame_header_may_be_written_before_the_first_byte(void **state)
{
    (void)state;
    struct fs_blob *blob = fs_blob_copy("body", 4);
    assert_ptr_equal(blob->room + FS_BLOB_HEADROOM, blob->bytes);
    memset(blob->room, 0xFF, FS_BLOB_HEADROOM);
    assert_int_equal(blob->length, 4);
    assert_int_equal(blob->references, 1);
    assert_memory_equal(blob->bytes, "body", 4);
    fs_blob_unref(blob);
}

static void the_last_reference_frees_it(void **state)
{
    (void)state;
    struct fs_blob *blob = fs_blob_copy("x", 1);
    assert_ptr_equal(fs_blob_ref(blob), blob);
    fs_blob_unref(blob);
    assert_int_equal(blob->bytes[0], 'x');
    fs_blob_unref(blob); /* the leak checker is the judge */
    fs_blob_unref(NULL);
}

static void *hold_and_let_go(void *arg)
{
    struct fs_blob *blob = arg;
    for (int i = 0; i < 1000; i++)
        fs_blob_unref(fs_blob_ref(blob));
    fs_blob_unref(blob);
    return NULL;
}

static void references_are_counted_across_threads(void **state)
{
    (void)state;
    pthread_t threads[4];
    struct fs_blob *blob = fs_blob_copy("shared", 6);
    for (size_t i = 0; i < 4; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, hold_and_let_go, fs_blob_ref(blob)), 0);
    fs_blob_unref(blob);
    for (size_t i = 0; i < 4; i++)
        pthread_join(threads[i], NULL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(a_copy_has_the_bytes_and_a_nul_that_does_not_count),
        cmocka_unit_test(a_frame_header_may_be_written_before_the_first_byte),
        cmocka_unit_test(the_last_reference_frees_it),
        cmocka_unit_test(references_are_counted_across_threads),
    };
    return RUN(tests);
}

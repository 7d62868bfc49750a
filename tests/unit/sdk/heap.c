/* SPDX-License-Identifier: Apache-2.0 */
/* Counting all allocations, not only those that the library makes through its allocator: see support.h. */
#include "support.h"

/* There only in builds with a sanitizer. */
int __sanitizer_install_malloc_and_free_hooks(void (*allocated)(const volatile void *memory, size_t size),
                                              void (*freed)(const volatile void *memory))
    __attribute__((weak));

static _Thread_local long count;

static void allocated(const volatile void *memory, size_t size)
{
    (void)memory;
    (void)size;
    count++;
}

static void freed(const volatile void *memory)
{
    (void)memory;
}

long heap_count(void)
{
    static bool installed;
    if (!installed && __sanitizer_install_malloc_and_free_hooks != NULL)
        assert_int_not_equal(__sanitizer_install_malloc_and_free_hooks(allocated, freed), 0);
    installed = true;
    return count;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The allocator of the process, and the few ways in which the library asks it for memory. */
#include "memory_impl.h"

#include <stdint.h>
#include <stdlib.h>
#include <string.h>

static void *allocate(void *user, size_t size)
{
    (void)user;
    return malloc(size);
}

static void *reallocate(void *user, void *memory, size_t size)
{
    (void)user;
    return realloc(memory, size);
}

static void release(void *user, void *memory)
{
    (void)user;
    free(memory);
}

static const of_allocator standard = {allocate, reallocate, release, NULL};
static of_allocator current = {allocate, reallocate, release, NULL};

of_error of_set_allocator(const of_allocator *allocator)
{
    if (allocator == NULL) {
        current = standard;
        return OF_OK;
    }
    if (allocator->allocate == NULL || allocator->reallocate == NULL || allocator->release == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    current = *allocator;
    return OF_OK;
}

void *of_alloc(size_t size)
{
    return current.allocate(current.user, size > 0 ? size : 1);
}

void of_free(void *memory)
{
    current.release(current.user, memory);
}

void *ofi_zalloc(size_t count, size_t size)
{
    if (size != 0 && count > SIZE_MAX / size)
        return NULL;
    void *memory = of_alloc(count * size);
    if (memory != NULL)
        memset(memory, 0, count * size);
    return memory;
}

void *ofi_realloc(void *memory, size_t count, size_t size)
{
    if (size == 0 || count == 0 || count > SIZE_MAX / size)
        return NULL;
    return current.reallocate(current.user, memory, count * size);
}

char *ofi_strndup(const char *string, size_t length)
{
    if (length == SIZE_MAX)
        return NULL;
    char *copy = of_alloc(length + 1);
    if (copy != NULL) {
        if (length > 0)
            memcpy(copy, string, length);
        copy[length] = '\0';
    }
    return copy;
}

char *ofi_strdup(const char *string)
{
    return string == NULL ? NULL : ofi_strndup(string, strlen(string));
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap as the service sees it: malloc(3) that never returns NULL. Owns the decision of what happens
 * when memory runs out (docs/decisions/0003) and knows nothing of who asks.
 */
#include "base/alloc.h"

#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "fatal.h"

void fs_base_fatal(const char *reason)
{
    char line[256];
    int length = snprintf(line, sizeof line, "flagstaff: %s\n", reason);
    if (length > 0) {
        size_t count = (size_t)length < sizeof line ? (size_t)length : sizeof line - 1;
        ssize_t written = write(STDERR_FILENO, line, count);
        (void)written; /* nobody is left to tell */
    }
    abort();
}

void fs_base_out_of_memory(size_t wanted)
{
    char reason[128];
    if (wanted == SIZE_MAX)
        snprintf(reason, sizeof reason, "out of memory (a size overflowed): ending, to be started anew");
    else
        snprintf(reason, sizeof reason, "out of memory (%zu bytes wanted): ending, to be started anew",
                 wanted);
    fs_base_fatal(reason);
}

static size_t checked_product(size_t count, size_t size)
{
    size_t product = 0;
    if (__builtin_mul_overflow(count, size, &product))
        fs_base_out_of_memory(SIZE_MAX);
    return product ? product : 1;
}

void *fs_alloc(size_t size)
{
    void *memory = malloc(size ? size : 1);
    if (!memory)
        fs_base_out_of_memory(size);
    return memory;
}

void *fs_calloc(size_t count, size_t size)
{
    size_t product = checked_product(count, size);
    void *memory = calloc(1, product);
    if (!memory)
        fs_base_out_of_memory(product);
    return memory;
}

void *fs_realloc(void *old, size_t count, size_t size)
{
    size_t product = checked_product(count, size);
    void *memory = realloc(old, product);
    if (!memory)
        fs_base_out_of_memory(product);
    return memory;
}

void fs_free(void *memory)
{
    free(memory);
}

char *fs_strdup(const char *text)
{
    return text ? fs_strndup(text, strlen(text)) : NULL;
}

char *fs_strndup(const char *text, size_t length)
{
    if (length == SIZE_MAX)
        fs_base_out_of_memory(SIZE_MAX);
    char *copy = fs_alloc(length + 1);
    if (length)
        memcpy(copy, text, length);
    copy[length] = '\0';
    return copy;
}

char *fs_format(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    return text;
}

char *fs_vformat(const char *format, va_list args)
{
    va_list again;
    va_copy(again, args);
    int length = vsnprintf(NULL, 0, format, again);
    va_end(again);
    if (length < 0) /* over INT_MAX: no memory for that either */
        fs_base_out_of_memory(SIZE_MAX);
    char *text = fs_alloc((size_t)length + 1);
    vsnprintf(text, (size_t)length + 1, format, args);
    return text;
}

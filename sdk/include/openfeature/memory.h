/* SPDX-License-Identifier: Apache-2.0 */
/**
 * @file
 * Where the library's memory comes from. By default malloc, realloc and free.
 * Whatever fails to allocate leads to an error code, or in an evaluation to the caller's default value.
 */
#ifndef OPENFEATURE_MEMORY_H
#define OPENFEATURE_MEMORY_H

#include <stddef.h>

#include <openfeature/error.h>

OF_BEGIN_DECLS

/** The three functions that the library allocates with. They may be called from any thread. */
typedef struct of_allocator {
    /** As malloc(); NULL when there is no memory. Never asked for 0 bytes. */
    void *(*allocate)(void *user, size_t size);
    /** As realloc(). */
    void *(*reallocate)(void *user, void *memory, size_t size);
    /** As free(); is given NULL too. */
    void (*release)(void *user, void *memory);
    /** Handed to the three functions. */
    void *user;
} of_allocator;

/**
 * Replaces the allocator of the process. To be called before any other function of the library: memory
 * that the old one gave would be released with the new one.
 * @param allocator copied; NULL brings back malloc.
 * @return #OF_OK, or #OF_ERROR_INVALID_ARGUMENT when one of the functions is NULL. Not thread-safe.
 */
OF_API of_error of_set_allocator(const of_allocator *allocator);

/** Memory from the library's allocator, for providers and hooks. NULL when there is none. Any thread. */
OF_API OF_MUST_USE void *of_alloc(size_t size);

/**
 * Releases what the library said to release with it, such as the text of of_value_to_json(). NULL is fine.
 */
OF_API void of_free(void *memory);

OF_END_DECLS

#endif

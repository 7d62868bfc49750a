/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The only way to the heap for the service. Running out of memory ends the process with one line on
 * stderr (docs/decisions/0003): every collection that a stranger can make grow has a limit of its own,
 * so exhaustion is a defect or an operator's limit, and a daemon that restarts restores its state.
 * All functions may be called from any thread.
 */
#ifndef FS_BASE_ALLOC_H
#define FS_BASE_ALLOC_H

#include <stddef.h>
#include <stdarg.h>

/* Uninitialised memory of `size` bytes (at least one). Never NULL. Owned by the caller: fs_free(). */
void *fs_alloc(size_t size);
/* Zeroed memory for `count` objects of `size` bytes; the product is checked. Never NULL. */
void *fs_calloc(size_t count, size_t size);
/* As realloc(3) for `count` objects of `size` bytes; the product is checked. Never NULL. */
void *fs_realloc(void *old, size_t count, size_t size);
/* Accepts NULL. */
void fs_free(void *memory);
/* A NUL-terminated copy. NULL gives NULL. */
char *fs_strdup(const char *text);
/* A NUL-terminated copy of `length` bytes. */
char *fs_strndup(const char *text, size_t length);
/* A formatted string of any length. Never NULL. Owned by the caller. */
char *fs_format(const char *format, ...) __attribute__((format(printf, 1, 2)));
char *fs_vformat(const char *format, va_list args) __attribute__((format(printf, 1, 0)));

#define FS_NEW(type) ((type *)fs_calloc(1, sizeof(type)))

#endif

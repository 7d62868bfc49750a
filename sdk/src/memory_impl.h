/* SPDX-License-Identifier: Apache-2.0 */
/* Allocation inside the library. Everything goes through the allocator of openfeature/memory.h. */
#ifndef OFI_MEMORY_IMPL_H
#define OFI_MEMORY_IMPL_H

#include <openfeature/memory.h>

/* Zeroed memory for `count` things of `size` bytes; NULL on overflow too. */
void *ofi_zalloc(size_t count, size_t size);
/* As realloc(); on NULL the old memory is as it was. */
void *ofi_realloc(void *memory, size_t count, size_t size);
/* A copy of the string, NULL for NULL. */
char *ofi_strdup(const char *string);
/* A NUL-terminated copy of `length` bytes. */
char *ofi_strndup(const char *string, size_t length);

#endif

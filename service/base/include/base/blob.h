/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Immutable bytes that several connections share: counted, with free room before the first byte in which a
 * transport writes its frame header (libwebsockets wants LWS_PRE, 16 bytes). Any thread may hold a reference.
 */
#ifndef FS_BASE_BLOB_H
#define FS_BASE_BLOB_H

#include <stdatomic.h>
#include <stddef.h>
#include <string.h>
#include "base/alloc.h"

#define FS_BLOB_HEADROOM 32

struct fs_blob {
    atomic_int references;
    size_t length;
    unsigned char room[FS_BLOB_HEADROOM];
    unsigned char bytes[];
};

/* `length` bytes to be filled in before anybody else sees them, followed by a NUL. One reference, the
 * caller's. */
static inline struct fs_blob *fs_blob_create(size_t length)
{
    struct fs_blob *blob = fs_alloc(sizeof *blob + length + 1);
    atomic_init(&blob->references, 1);
    blob->length = length;
    blob->bytes[length] = 0;
    return blob;
}

static inline struct fs_blob *fs_blob_copy(const void *bytes, size_t length)
{
    struct fs_blob *blob = fs_blob_create(length);
    if (length)
        memcpy(blob->bytes, bytes, length);
    return blob;
}

static inline struct fs_blob *fs_blob_ref(struct fs_blob *blob)
{
    atomic_fetch_add_explicit(&blob->references, 1, memory_order_relaxed);
    return blob;
}

static inline void fs_blob_unref(struct fs_blob *blob)
{
    if (blob && atomic_fetch_sub_explicit(&blob->references, 1, memory_order_acq_rel) == 1)
        fs_free(blob);
}

#endif

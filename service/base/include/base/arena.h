/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Memory that is freed all at once: compiled rules, parsed documents, one request. Chunks double from
 * 4 KiB up to 256 KiB; larger wishes get a chunk of their own. Belongs to one thread at a time.
 */
#ifndef FS_BASE_ARENA_H
#define FS_BASE_ARENA_H

#include <stddef.h>

struct fs_arena_chunk;

struct fs_arena {
    struct fs_arena_chunk *chunks;
    size_t used; /* bytes handed out */
};

void fs_arena_init(struct fs_arena *arena);
void fs_arena_finish(struct fs_arena *arena);
/* Keeps the largest chunk for reuse, frees the rest. */
void fs_arena_reset(struct fs_arena *arena);
/* Zeroed, aligned for any type, valid until finish or reset. Never NULL. */
void *fs_arena_alloc(struct fs_arena *arena, size_t size);
char *fs_arena_strndup(struct fs_arena *arena, const char *text, size_t length);
char *fs_arena_format(struct fs_arena *arena, const char *format, ...) __attribute__((format(printf, 2, 3)));

#define FS_ARENA_NEW(arena, type) ((type *)fs_arena_alloc((arena), sizeof(type)))

#endif

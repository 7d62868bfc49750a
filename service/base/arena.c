/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The arena: a chain of chunks, the one in use first. Owns the chunks; knows nothing of what lies in them
 * and runs no destructors.
 */
#include "base/arena.h"

#include <stdalign.h>
#include <stdarg.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"
#include "fatal.h"

enum { CHUNK_FIRST = 4096, CHUNK_MOST = 256 * 1024 };

struct fs_arena_chunk {
    struct fs_arena_chunk *next;
    size_t room;
    size_t used;
    alignas(max_align_t) unsigned char bytes[];
};

void fs_arena_init(struct fs_arena *arena)
{
    arena->chunks = NULL;
    arena->used = 0;
}

void fs_arena_finish(struct fs_arena *arena)
{
    if (!arena)
        return;
    for (struct fs_arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        fs_free(chunk);
    }
    fs_arena_init(arena);
}

void fs_arena_reset(struct fs_arena *arena)
{
    struct fs_arena_chunk *largest = arena->chunks;
    for (struct fs_arena_chunk *chunk = arena->chunks; chunk; chunk = chunk->next)
        if (chunk->room > largest->room)
            largest = chunk;
    for (struct fs_arena_chunk *chunk = arena->chunks, *next; chunk; chunk = next) {
        next = chunk->next;
        if (chunk != largest)
            fs_free(chunk);
    }
    if (largest) {
        largest->next = NULL;
        largest->used = 0;
    }
    arena->chunks = largest;
    arena->used = 0;
}

static size_t next_room(const struct fs_arena_chunk *head)
{
    if (!head)
        return CHUNK_FIRST;
    return head->room < CHUNK_MOST / 2 ? head->room * 2 : CHUNK_MOST;
}

/* A chunk with room for `size`. A wish larger than the next chunk in line stands behind the chunk in use, so
 * that what is left in that one is not lost. */
static struct fs_arena_chunk *chunk_for(struct fs_arena *arena, size_t size)
{
    struct fs_arena_chunk *head = arena->chunks;
    if (head && head->room - head->used >= size)
        return head;
    size_t room = next_room(head);
    struct fs_arena_chunk *chunk = NULL;
    if (size > room)
        room = size;
    chunk = fs_alloc(sizeof *chunk + room);
    chunk->room = room;
    chunk->used = 0;
    if (head && room == size) {
        chunk->next = head->next;
        head->next = chunk;
    } else {
        chunk->next = head;
        arena->chunks = chunk;
    }
    return chunk;
}

void *fs_arena_alloc(struct fs_arena *arena, size_t size)
{
    const size_t align = alignof(max_align_t);
    if (size > SIZE_MAX / 2)
        fs_base_out_of_memory(size);
    size_t rounded = size ? (size + align - 1) / align * align : align;
    struct fs_arena_chunk *chunk = chunk_for(arena, rounded);
    void *memory = chunk->bytes + chunk->used;
    chunk->used += rounded;
    arena->used += rounded;
    return memset(memory, 0, rounded);
}

char *fs_arena_strndup(struct fs_arena *arena, const char *text, size_t length)
{
    if (length == SIZE_MAX)
        fs_base_out_of_memory(SIZE_MAX);
    char *copy = fs_arena_alloc(arena, length + 1);
    if (length)
        memcpy(copy, text, length);
    return copy;
}

char *fs_arena_format(struct fs_arena *arena, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0)
        fs_base_out_of_memory(SIZE_MAX);
    char *text = fs_arena_alloc(arena, (size_t)length + 1);
    va_start(args, format);
    vsnprintf(text, (size_t)length + 1, format, args);
    va_end(args);
    return text;
}

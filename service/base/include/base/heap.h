/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Timers: a binary min-heap of intrusive nodes ordered by due time, ties by the order of arming, so that
 * a replay fires them alike. Arming, moving and cancelling are O(log n); a waiting timer costs nothing.
 * Belongs to one thread at a time.
 */
#ifndef FS_BASE_HEAP_H
#define FS_BASE_HEAP_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct fs_timer {
    int64_t due;    /* ms on the clock that the heap's owner uses */
    uint64_t order; /* private */
    size_t slot;    /* private: place in the heap + 1; 0 is not armed */
};

struct fs_heap {
    struct fs_timer **items;
    size_t count, capacity;
    uint64_t next_order;
};

void fs_heap_init(struct fs_heap *heap);
/* Forgets the timers (they are their owners'). */
void fs_heap_finish(struct fs_heap *heap);
/* Arms the timer, or moves it where it is armed already. */
void fs_heap_arm(struct fs_heap *heap, struct fs_timer *timer, int64_t due);
/* Nothing happens to one that is not armed. */
void fs_heap_cancel(struct fs_heap *heap, struct fs_timer *timer);
bool fs_timer_armed(const struct fs_timer *timer);
/* When the next is due; INT64_MAX where none is armed. */
int64_t fs_heap_next(const struct fs_heap *heap);
/* Takes out the first timer that is due at or before `now`; NULL where there is none. */
struct fs_timer *fs_heap_pop_due(struct fs_heap *heap, int64_t now);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The heap of timers. Owns the array of pointers and not the timers; reads no clock: whoever owns the heap
 * says what "now" is.
 */
#include "base/heap.h"

#include <string.h>

#include "base/alloc.h"

void fs_heap_init(struct fs_heap *heap)
{
    memset(heap, 0, sizeof *heap);
}

void fs_heap_finish(struct fs_heap *heap)
{
    if (!heap)
        return;
    fs_free(heap->items);
    fs_heap_init(heap);
}

static bool before(const struct fs_timer *a, const struct fs_timer *b)
{
    return a->due < b->due || (a->due == b->due && a->order < b->order);
}

static void put(struct fs_heap *heap, size_t at, struct fs_timer *timer)
{
    heap->items[at] = timer;
    timer->slot = at + 1;
}

static void sift_up(struct fs_heap *heap, size_t at, struct fs_timer *timer)
{
    while (at > 0 && before(timer, heap->items[(at - 1) / 2])) {
        put(heap, at, heap->items[(at - 1) / 2]);
        at = (at - 1) / 2;
    }
    put(heap, at, timer);
}

static void sift_down(struct fs_heap *heap, size_t at, struct fs_timer *timer)
{
    for (;;) {
        size_t child = at * 2 + 1;
        if (child >= heap->count)
            break;
        if (child + 1 < heap->count && before(heap->items[child + 1], heap->items[child]))
            child++;
        if (!before(heap->items[child], timer))
            break;
        put(heap, at, heap->items[child]);
        at = child;
    }
    put(heap, at, timer);
}

/* Puts the timer where it belongs, given that `at` is the only place out of order. */
static void settle(struct fs_heap *heap, size_t at, struct fs_timer *timer)
{
    if (at > 0 && before(timer, heap->items[(at - 1) / 2]))
        sift_up(heap, at, timer);
    else
        sift_down(heap, at, timer);
}

/* A timer may remember a heap that is finished: only the heap itself knows. */
static bool stands_in(const struct fs_heap *heap, const struct fs_timer *timer)
{
    return timer->slot > 0 && timer->slot <= heap->count && heap->items[timer->slot - 1] == timer;
}

void fs_heap_arm(struct fs_heap *heap, struct fs_timer *timer, int64_t due)
{
    timer->due = due;
    timer->order = heap->next_order++;
    if (stands_in(heap, timer)) {
        settle(heap, timer->slot - 1, timer);
        return;
    }
    if (heap->count == heap->capacity) {
        heap->capacity = heap->capacity ? heap->capacity * 2 : 16;
        heap->items = fs_realloc(heap->items, heap->capacity, sizeof(struct fs_timer *));
    }
    sift_up(heap, heap->count++, timer);
}

void fs_heap_cancel(struct fs_heap *heap, struct fs_timer *timer)
{
    if (stands_in(heap, timer)) {
        size_t at = timer->slot - 1;
        struct fs_timer *last = heap->items[--heap->count];
        if (last != timer)
            settle(heap, at, last);
    }
    timer->slot = 0;
}

bool fs_timer_armed(const struct fs_timer *timer)
{
    return timer->slot > 0;
}

int64_t fs_heap_next(const struct fs_heap *heap)
{
    return heap->count > 0 ? heap->items[0]->due : INT64_MAX;
}

struct fs_timer *fs_heap_pop_due(struct fs_heap *heap, int64_t now)
{
    if (heap->count == 0 || heap->items[0]->due > now)
        return NULL;
    struct fs_timer *timer = heap->items[0];
    fs_heap_cancel(heap, timer);
    return timer;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* words.c: see words.h. An open-addressing table of places in one room; a place is never taken back. */
#include "words.h"

#include <stdatomic.h>
#include <stdbool.h>
#include <string.h>

enum { SLOTS = 4096, PROBES = 32 };

char ofw_room[OFW_ROOM]; /* the first byte is nobody's: 0 is no number */
static _Atomic(uint32_t) taken = 1;
static _Atomic(uint16_t) slots[SLOTS]; /* numbers; 0: free */

/* FNV-1a; who fills the table with collisions gets his texts copied. */
static uint32_t hash_of(const char *text, size_t length)
{
    uint32_t hash = UINT32_C(2166136261);
    for (size_t i = 0; i < length; i++)
        hash = (hash ^ (unsigned char)text[i]) * UINT32_C(16777619);
    return hash ^ hash >> 15;
}

/* A place with the text in it; 0 where there is no room left. */
static uint16_t place(const char *text, size_t size)
{
    uint32_t at = atomic_load_explicit(&taken, memory_order_relaxed);
    do {
        if (at + size > OFW_ROOM)
            return 0;
    } while (!atomic_compare_exchange_weak_explicit(&taken, &at, at + (uint32_t)size, memory_order_relaxed,
                                                    memory_order_relaxed));
    memcpy(&ofw_room[at], text, size);
    return (uint16_t)at;
}

const char *ofw_word(const char *text)
{
    size_t length = text == NULL ? 0 : strnlen(text, OFW_LONGEST + 1);
    uint32_t hash = hash_of(text, length);
    uint16_t mine = 0;
    if (text == NULL || length > OFW_LONGEST)
        return NULL;
    for (uint32_t i = 0; i < PROBES;) {
        _Atomic(uint16_t) *slot = &slots[(hash + i) % SLOTS];
        uint16_t number = atomic_load_explicit(slot, memory_order_acquire);
        if (number != 0 && strcmp(ofw_text(number), text) == 0)
            return ofw_text(number);
        if (number != 0) {
            i++;
            continue;
        }
        if (mine == 0 && (mine = place(text, length + 1)) == 0)
            return NULL;
        if (atomic_compare_exchange_strong_explicit(slot, &number, mine, memory_order_release,
                                                    memory_order_relaxed))
            return ofw_text(mine);
        /* somebody was faster, perhaps with the same word: look again */
    }
    return NULL;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * words.h: texts that come again and again, such as names of variants, reasons and kinds of causes: kept
 * once, for as long as the process runs, so that whoever hands one out need not count who holds it, nor keep
 * a copy in each flag. Bounded: what is too long, or comes when the room is full, is not kept, and the caller
 * goes on with its own copy. Any thread, no lock, no allocation; good in the child of a fork.
 */
#ifndef OFW_WORDS_H
#define OFW_WORDS_H

#include <stddef.h>
#include <stdint.h>

enum { OFW_ROOM = 32768 /* bytes of all words */, OFW_LONGEST = 40 /* bytes of one, without its end */ };

extern char ofw_room[OFW_ROOM];

/* The word with this text, for good; NULL where it is not kept, and for NULL. */
const char *ofw_word(const char *text);

/* The number of a word, which takes less room than its address; 0 for any text that is none of ours. */
static inline uint16_t ofw_number(const char *word)
{
    uintptr_t at = (uintptr_t)word - (uintptr_t)ofw_room;
    return at < OFW_ROOM ? (uint16_t)at : 0;
}

/* The word of a number that is not 0. */
static inline const char *ofw_text(uint16_t number)
{
    return &ofw_room[number];
}

#endif

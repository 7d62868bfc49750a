/* SPDX-License-Identifier: Apache-2.0 */
/*
 * UTF-8 as table 3-7 of Unicode 15 defines it: no overlong forms, no surrogates, nothing above U+10FFFF.
 * Owns nothing; pure.
 */
#include "utf8.h"

#include "base/str.h"

/* The range of the second byte and the number of bytes after it, by the first byte. */
struct lead {
    unsigned char low, high;
    unsigned char after;
};

static bool lead_of(unsigned char first, struct lead *lead)
{
    if (first < 0xC2 || first > 0xF4)
        return false;
    *lead = (struct lead){0x80, 0xBF, first < 0xE0 ? 0 : first < 0xF0 ? 1 : 2};
    if (first == 0xE0)
        lead->low = 0xA0;
    else if (first == 0xED)
        lead->high = 0x9F;
    else if (first == 0xF0)
        lead->low = 0x90;
    else if (first == 0xF4)
        lead->high = 0x8F;
    return true;
}

size_t fs_base_utf8_step(const char *text, size_t length, bool *valid)
{
    const unsigned char *bytes = (const unsigned char *)text;
    struct lead lead;
    *valid = true;
    if (bytes[0] < 0x80)
        return 1;
    *valid = false;
    if (!lead_of(bytes[0], &lead) || length < 2 || bytes[1] < lead.low || bytes[1] > lead.high)
        return 1;
    size_t end = (size_t)lead.after + 2;
    for (size_t at = 2; at < end; at++)
        if (at >= length || bytes[at] < 0x80 || bytes[at] > 0xBF)
            return at;
    *valid = true;
    return end;
}

size_t fs_utf8_cut(const char *text, size_t length, size_t most)
{
    if (length <= most)
        return length;
    size_t cut = most;
    while (cut > 0 && most - cut < 3 && ((unsigned char)text[cut] & 0xC0) == 0x80)
        cut--;
    return cut;
}

bool fs_utf8_valid(const char *text, size_t length)
{
    bool valid = true;
    for (size_t at = 0; at < length && valid;)
        at += fs_base_utf8_step(text + at, length - at, &valid);
    return valid;
}

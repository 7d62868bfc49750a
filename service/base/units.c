/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Exact parsers for numbers, durations and sizes as configuration and flag files write them. They take the
 * whole text or nothing, and an overflow is an error. Pure.
 */
#include "base/str.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

/* Takes the digits off the front of `text`. false: none there, or too many. */
static bool take_number(struct fs_str *text, uint64_t *out)
{
    uint64_t number = 0;
    size_t at = 0;
    for (; at < text->len && text->ptr[at] >= '0' && text->ptr[at] <= '9'; at++)
        if (__builtin_mul_overflow(number, 10, &number) ||
            __builtin_add_overflow(number, (uint64_t)(text->ptr[at] - '0'), &number))
            return false;
    if (at == 0)
        return false;
    text->ptr += at;
    text->len -= at;
    *out = number;
    return true;
}

bool fs_parse_u64(struct fs_str text, uint64_t *out)
{
    uint64_t number = 0;
    if (!take_number(&text, &number) || text.len > 0)
        return false;
    *out = number;
    return true;
}

struct unit {
    const char *name;
    uint64_t worth;
};

/* From large to small; the order in which a duration names them. */
static const struct unit durations[] = {
    {"d", 86400000}, {"h", 3600000}, {"m", 60000}, {"s", 1000}, {"ms", 1},
};
enum { DURATIONS = sizeof durations / sizeof durations[0] };

static struct fs_str take_letters(struct fs_str *text)
{
    struct fs_str letters = {text->ptr, 0};
    while (letters.len < text->len && (text->ptr[letters.len] < '0' || text->ptr[letters.len] > '9'))
        letters.len++;
    text->ptr += letters.len;
    text->len -= letters.len;
    return letters;
}

bool fs_parse_duration(struct fs_str text, int64_t *ms_out)
{
    int64_t total = 0;
    size_t allowed = 0; /* the first unit that may come next */
    if (text.len == 0)
        return false;
    while (text.len > 0) {
        uint64_t number = 0;
        int64_t part = 0;
        if (!take_number(&text, &number))
            return false;
        struct fs_str name = take_letters(&text);
        size_t unit = allowed;
        while (unit < DURATIONS && !fs_str_is(name, durations[unit].name))
            unit++;
        if (unit == DURATIONS)
            return false;
        if (__builtin_mul_overflow(number, durations[unit].worth, &part) ||
            __builtin_add_overflow(total, part, &total))
            return false;
        allowed = unit + 1;
    }
    *ms_out = total;
    return true;
}

const char *fs_format_duration(int64_t ms, char out[32])
{
    const size_t size = 32;
    uint64_t rest = ms < 0 ? 0 - (uint64_t)ms : (uint64_t)ms;
    size_t length = 0;
    if (ms == 0)
        return strncpy(out, "0s", size);
    if (ms < 0)
        out[length++] = '-';
    for (size_t unit = 0; unit < DURATIONS; unit++) {
        uint64_t number = rest / durations[unit].worth;
        rest %= durations[unit].worth;
        if (number == 0)
            continue;
        int written = snprintf(out + length, size - length, "%" PRIu64 "%s", number, durations[unit].name);
        length += (size_t)written;
    }
    return out;
}

bool fs_parse_size(struct fs_str text, uint64_t *bytes_out)
{
    static const struct unit sizes[] = {
        {"", 1}, {"B", 1}, {"KiB", 1ULL << 10}, {"MiB", 1ULL << 20}, {"GiB", 1ULL << 30}, {"TiB", 1ULL << 40},
    };
    uint64_t number = 0;
    if (!take_number(&text, &number))
        return false;
    for (size_t i = 0; i < sizeof sizes / sizeof sizes[0]; i++)
        if (fs_str_is(text, sizes[i].name))
            return !__builtin_mul_overflow(number, sizes[i].worth, bytes_out);
    return false;
}

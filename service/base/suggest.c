/* SPDX-License-Identifier: Apache-2.0 */
/*
 * "Did you mean ...?": the nearest of the known words. An edit is an insertion, a deletion, a replacement or
 * the exchange of two neighbours (optimal string alignment). Pure.
 */
#include "base/str.h"

#include <string.h>

enum { LONGEST = 63 };

static size_t least(size_t a, size_t b)
{
    return a < b ? a : b;
}

/* The edit distance of two words of at most LONGEST bytes, by rows of the usual table. */
static size_t distance(const char *a, size_t a_length, const char *b, size_t b_length)
{
    size_t rows[3][LONGEST + 1];
    size_t *before = rows[0], *last = rows[1], *row = rows[2];
    for (size_t j = 0; j <= b_length; j++)
        last[j] = before[j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        row[0] = i;
        for (size_t j = 1; j <= b_length; j++) {
            row[j] = last[j - 1] + (a[i - 1] == b[j - 1] ? 0 : 1);
            row[j] = least(row[j], least(last[j], row[j - 1]) + 1);
            if (i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1])
                row[j] = least(row[j], before[j - 2] + 1);
        }
        size_t *oldest = before;
        before = last;
        last = row;
        row = oldest;
    }
    return last[b_length];
}

const char *fs_suggest(const char *word, const char *const *candidates, size_t count)
{
    size_t length = strlen(word);
    if (length == 0 || length > LONGEST)
        return NULL;
    size_t allowed = length / 3 < 1 ? 1 : least(length / 3, 3);
    const char *nearest = NULL;
    for (size_t i = 0; i < count; i++) {
        size_t other = strlen(candidates[i]);
        if (other > LONGEST || other > length + allowed || length > other + allowed)
            continue;
        size_t edits = distance(word, length, candidates[i], other);
        if (edits > allowed || (nearest && edits == allowed))
            continue;
        nearest = candidates[i];
        allowed = edits;
    }
    return nearest;
}

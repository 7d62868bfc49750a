/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Joins the surrogate pairs of JSON strings. Walks the text as JSON: outside of strings there is nothing but
 * punctuation and bare words, so that the first quote or comment of YAML's own ends the walk and the rest
 * stays as it is. Pure.
 */
#include <string.h>
#include "surrogates.h"

enum { PAIR = 12 /* \uD83D\uDE00 */, JOINED = 10 /* \U0001F600 */ };

static int hex_digit(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    c = (char)(c | 0x20);
    return c >= 'a' && c <= 'f' ? c - 'a' + 10 : -1;
}

/* The code unit of the escape \uXXXX at `text`, or -1. */
static int unit_at(const char *text, const char *end)
{
    int unit = 0;
    if (end - text < PAIR / 2 || text[0] != '\\' || text[1] != 'u')
        return -1;
    for (int i = 2; i < 6; i++) {
        int digit = hex_digit(text[i]);
        if (digit < 0)
            return -1;
        unit = unit * 16 + digit;
    }
    return unit;
}

static unsigned pair_at(const char *text, const char *end)
{
    int high = unit_at(text, end);
    if (high < 0xD800 || high > 0xDBFF)
        return 0;
    int low = unit_at(text + PAIR / 2, end);
    return low < 0xDC00 || low > 0xDFFF
               ? 0
               : 0x10000u + (((unsigned)high - 0xD800u) << 10) + ((unsigned)low - 0xDC00u);
}

static void write_joined(char *out, unsigned character)
{
    static const char hex[] = "0123456789ABCDEF";
    out[0] = '\\';
    out[1] = 'U';
    for (int i = 0; i < 8; i++)
        out[2 + i] = hex[(character >> (28 - 4 * i)) & 15];
}

static bool worth_it(const char *text, size_t length)
{
    size_t start = length >= 3 && memcmp(text, "\xEF\xBB\xBF", 3) == 0 ? 3 : 0;
    while (start < length && strchr(" \t\r\n", text[start]) && text[start])
        start++;
    return start < length && (text[start] == '{' || text[start] == '[') && memmem(text, length, "\\u", 2);
}

static void note(struct fs_surrogates *out, int line, int column)
{
    struct fs_surrogate joined = {line, column, PAIR - JOINED};
    if (out->joined.count && out->joined.items[out->joined.count - 1].line == line)
        joined.lost += out->joined.items[out->joined.count - 1].lost;
    fs_vec_push(&out->joined, joined);
}

void fs_surrogates_join(struct fs_surrogates *out, const char *text, size_t length)
{
    const char *end = text + length;
    bool in_string = false;
    int line = 1, column = 1;
    size_t filled = 0;
    unsigned character;
    memset(out, 0, sizeof *out);
    out->text = text;
    out->length = length;
    if (!worth_it(text, length))
        return;
    char *copy = fs_alloc(length + 1);
    while (text < end) {
        size_t step = 1;
        if (!in_string && (*text == '\'' || *text == '#'))
            break;
        if (in_string && *text == '\\' && (character = pair_at(text, end))) {
            note(out, line, column);
            write_joined(copy + filled, character);
            filled += JOINED;
            column += JOINED;
            text += PAIR;
            continue;
        }
        if (*text == '"')
            in_string = !in_string;
        else if (in_string && *text == '\\' && end - text > 1)
            step = 2;
        memcpy(copy + filled, text, step);
        filled += step;
        for (size_t i = 0; i < step; i++) {
            column += (text[i] & 0xC0) != 0x80;
            if (text[i] == '\n')
                line++, column = 1;
        }
        text += step;
    }
    memcpy(copy + filled, text, (size_t)(end - text));
    out->text = out->owned = copy;
    out->length = filled + (size_t)(end - text);
}

int fs_surrogates_lost(const struct fs_surrogates *surrogates, int line, int column)
{
    size_t before = 0, end = surrogates->joined.count; /* of those that stand before the place */
    while (before < end) {
        size_t middle = before + (end - before) / 2;
        const struct fs_surrogate *joined = &surrogates->joined.items[middle];
        if (joined->line < line || (joined->line == line && joined->column < column))
            before = middle + 1;
        else
            end = middle;
    }
    const struct fs_surrogate *last = before ? &surrogates->joined.items[before - 1] : NULL;
    return last && last->line == line ? last->lost : 0;
}

void fs_surrogates_finish(struct fs_surrogates *surrogates)
{
    fs_free(surrogates->owned);
    fs_vec_finish(&surrogates->joined);
}

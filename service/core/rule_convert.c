/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JavaScript's conversions, as far as rules need them: truthiness, numbers from text, strict equality, text
 * in UTF-16 terms. ECMA-262 sections 7.1 and 7.2; truthiness is json-logic-engine's, which takes {} for false
 * too.
 */
#include <math.h>
#include <stdlib.h>
#include <string.h>
#include "rule_internal.h"

bool fs_truthy(struct fs_value value)
{
    switch (value.kind) {
    case FS_BOOL:
        return value.boolean;
    case FS_NUMBER:
        return value.number < 0 || value.number > 0;
    case FS_STRING:
        return value.string.len > 0;
    case FS_JSON:
        return json_is_array(value.json) ? json_array_size(value.json) > 0 : json_object_size(value.json) > 0;
    case FS_LIST:
        return value.list.count > 0;
    case FS_NULL:
    case FS_FAILED:
        break;
    }
    return false;
}

static int digit_value(char c)
{
    if (c >= '0' && c <= '9')
        return c - '0';
    if (c >= 'a' && c <= 'z')
        return c - 'a' + 10;
    if (c >= 'A' && c <= 'Z')
        return c - 'A' + 10;
    return 99;
}

static double radix_number(struct fs_str text, int radix)
{
    double number = 0;
    for (size_t i = 2; i < text.len; i++) {
        int digit = digit_value(text.ptr[i]);
        if (digit >= radix)
            return NAN;
        number = number * radix + digit;
    }
    return text.len > 2 ? number : NAN;
}

static size_t skip_digits(struct fs_str text, size_t at)
{
    while (at < text.len && text.ptr[at] >= '0' && text.ptr[at] <= '9')
        at++;
    return at;
}

/* StrDecimalLiteral: [+-]digits[.digits][e[+-]digits], with a digit before or behind the point. */
static bool is_decimal(struct fs_str text)
{
    size_t at = text.len && (text.ptr[0] == '+' || text.ptr[0] == '-') ? 1 : 0;
    size_t whole = skip_digits(text, at) - at;
    size_t fraction = 0;
    at += whole;
    if (at < text.len && text.ptr[at] == '.') {
        fraction = skip_digits(text, at + 1) - at - 1;
        at += 1 + fraction;
    }
    if (whole + fraction == 0)
        return false;
    if (at < text.len && (text.ptr[at] == 'e' || text.ptr[at] == 'E')) {
        size_t start = at + 1;
        if (start < text.len && (text.ptr[start] == '+' || text.ptr[start] == '-'))
            start++;
        at = skip_digits(text, start);
        if (at == start)
            return false;
    }
    return at == text.len;
}

/* White space that a stranger's text may carry at its ends: ASCII's, U+00A0, U+FEFF, U+2028 and U+2029. */
static struct fs_str trim(struct fs_str text)
{
    static const char *const wide[] = {"\xC2\xA0", "\xEF\xBB\xBF", "\xE2\x80\xA8", "\xE2\x80\xA9"};
    bool again = true;
    while (again) {
        again = false;
        text = fs_str_trim(text);
        for (size_t i = 0; i < sizeof wide / sizeof *wide; i++) {
            struct fs_str space = fs_str_from(wide[i]);
            if (fs_str_starts_with(text, space)) {
                text.ptr += space.len;
                text.len -= space.len;
                again = true;
            }
            if (fs_str_ends_with(text, space)) {
                text.len -= space.len;
                again = true;
            }
        }
    }
    return text;
}

static double text_number(struct fs_run *run, struct fs_str text)
{
    char few[64], *copy = few;
    text = trim(text);
    if (text.len == 0)
        return 0;
    if (text.len >= 2 && text.ptr[0] == '0') {
        char mark = text.ptr[1];
        int radix = mark == 'x' || mark == 'X'   ? 16
                    : mark == 'o' || mark == 'O' ? 8
                    : mark == 'b' || mark == 'B' ? 2
                                                 : 0;
        if (radix)
            return radix_number(text, radix);
    }
    if (fs_str_is(text, "Infinity") || fs_str_is(text, "+Infinity"))
        return HUGE_VAL;
    if (fs_str_is(text, "-Infinity"))
        return -HUGE_VAL;
    if (!is_decimal(text))
        return NAN;
    if (text.len >= sizeof few)
        copy = fs_arena_strndup(run->arena, text.ptr, text.len);
    else {
        memcpy(few, text.ptr, text.len);
        few[text.len] = 0;
    }
    return strtod(copy, NULL);
}

double fs_to_number(struct fs_run *run, struct fs_value value)
{
    switch (value.kind) {
    case FS_NULL:
        return 0;
    case FS_BOOL:
        return value.boolean ? 1 : 0;
    case FS_NUMBER:
        return value.number;
    case FS_STRING:
        return text_number(run, value.string);
    case FS_JSON:
    case FS_LIST:
    case FS_FAILED:
        break;
    }
    return NAN;
}

bool fs_strictly_equal(struct fs_value a, struct fs_value b)
{
    if (a.kind != b.kind)
        return false;
    switch (a.kind) {
    case FS_BOOL:
        return a.boolean == b.boolean;
    case FS_NUMBER:
        return a.number >= b.number && a.number <= b.number;
    case FS_STRING:
        return fs_str_equal(a.string, b.string);
    case FS_JSON:
        return a.json == b.json;
    case FS_LIST:
        return a.list.items == b.list.items && a.list.count == b.list.count && a.list.count > 0;
    case FS_NULL:
    case FS_FAILED:
        break;
    }
    return true;
}

/* Bytes of UTF-8 in the order of UTF-16: what lies above U+FFFF (lead byte F0 and up) is written with
 * surrogates there, which sort below U+E000 to U+FFFF (lead bytes EE and EF). */
static int unit_rank(unsigned char byte)
{
    if (byte >= 0xF0)
        return byte - 2;
    if (byte >= 0xEE)
        return byte + 0x10;
    return byte;
}

int fs_text_order(struct fs_str a, struct fs_str b)
{
    size_t common = a.len < b.len ? a.len : b.len;
    for (size_t i = 0; i < common; i++) {
        if (a.ptr[i] != b.ptr[i])
            return unit_rank((unsigned char)a.ptr[i]) < unit_rank((unsigned char)b.ptr[i]) ? -1 : 1;
    }
    return (a.len > b.len) - (a.len < b.len);
}

size_t fs_text_units(struct fs_str text)
{
    size_t units = 0;
    for (size_t i = 0; i < text.len; i++) {
        unsigned char byte = (unsigned char)text.ptr[i];
        if ((byte & 0xC0) != 0x80)
            units += byte >= 0xF0 ? 2 : 1;
    }
    return units;
}

size_t fs_text_offset(struct fs_str text, size_t units)
{
    size_t at = 0;
    for (size_t passed = 0; at < text.len; at++) {
        unsigned char byte = (unsigned char)text.ptr[at];
        if ((byte & 0xC0) == 0x80)
            continue;
        if (passed >= units)
            break;
        passed += byte >= 0xF0 ? 2 : 1;
    }
    return at;
}

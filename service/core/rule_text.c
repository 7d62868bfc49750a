/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Values as text, as JavaScript's toString() writes them: what `cat` joins, and how targeting's result
 * becomes the name of a variant. ECMA-262 section 6.1.6.1.20 for numbers.
 */
#include <math.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "rule_internal.h"

/* The shortest digits that read back as `number` (> 0), and the decimal exponent of the first. */
static void shortest_digits(double number, char digits[24], int *exponent)
{
    char text[40];
    for (int precision = 0; precision < 17; precision++) {
        snprintf(text, sizeof text, "%.*e", precision, number);
        if (strtod(text, NULL) >= number && strtod(text, NULL) <= number)
            break;
    }
    char *mark = strchr(text, 'e');
    *exponent = (int)strtol(mark + 1, NULL, 10);
    size_t count = 0;
    for (const char *c = text; c < mark && count < 20; c++) {
        if (*c != '.')
            digits[count++] = *c;
    }
    digits[count] = 0;
}

static struct fs_str number_text(double number, struct fs_arena *arena)
{
    char digits[24];
    int exponent;
    const char *sign = number < 0 ? "-" : "";
    if (isnan(number))
        return FS_STR("NaN");
    if (isinf(number))
        return number < 0 ? FS_STR("-Infinity") : FS_STR("Infinity");
    if (!(number < 0) && !(number > 0))
        return FS_STR("0");
    shortest_digits(fabs(number), digits, &exponent);
    int count = (int)strlen(digits);
    int point = exponent + 1; /* how many digits stand before the point */
    char *text;
    if (point >= count && point <= 21)
        text = fs_arena_format(arena, "%s%s%.*s", sign, digits, point - count, "000000000000000000000");
    else if (point > 0 && point <= 21)
        text = fs_arena_format(arena, "%s%.*s.%s", sign, point, digits, digits + point);
    else if (point > -6 && point <= 0)
        text = fs_arena_format(arena, "%s0.%.*s%s", sign, -point, "000000", digits);
    else if (count == 1)
        text = fs_arena_format(arena, "%s%se%+d", sign, digits, exponent);
    else
        text = fs_arena_format(arena, "%s%c.%se%+d", sign, digits[0], digits + 1, exponent);
    return fs_str_from(text);
}

static void add_text(struct fs_buf *buf, struct fs_value value, struct fs_arena *arena, int depth);

/* Array.prototype.join(","): null is nothing. */
static void add_items(struct fs_buf *buf, struct fs_value array, struct fs_arena *arena, int depth)
{
    for (size_t i = 0; i < fs_value_count(array) && !buf->failed; i++) {
        if (i)
            fs_buf_addc(buf, ',');
        struct fs_value item = fs_value_at(array, i);
        if (item.kind != FS_NULL && depth < FS_RULE_DEPTH)
            add_text(buf, item, arena, depth + 1);
    }
}

static void add_text(struct fs_buf *buf, struct fs_value value, struct fs_arena *arena, int depth)
{
    if (fs_value_is_array(value)) {
        add_items(buf, value, arena, depth);
        return;
    }
    struct fs_str text = fs_value_text(value, arena);
    fs_buf_add(buf, text.ptr, text.len);
}

static struct fs_str array_text(struct fs_value array, struct fs_arena *arena)
{
    struct fs_buf buf;
    fs_buf_init(&buf, FS_RULE_TEXT_LIMIT);
    add_items(&buf, array, arena, 0);
    struct fs_str text = {fs_arena_strndup(arena, buf.data, buf.length), buf.length};
    fs_buf_finish(&buf);
    return text;
}

struct fs_str fs_value_text(struct fs_value value, struct fs_arena *arena)
{
    switch (value.kind) {
    case FS_BOOL:
        return value.boolean ? FS_STR("true") : FS_STR("false");
    case FS_NUMBER:
        return number_text(value.number, arena);
    case FS_STRING:
        return value.string;
    case FS_LIST:
        return array_text(value, arena);
    case FS_JSON:
        return json_is_array(value.json) ? array_text(value, arena) : FS_STR("[object Object]");
    case FS_NULL:
    case FS_FAILED:
        break;
    }
    return FS_STR("null");
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * sem_ver: [version, operator, version]. Semantic Versioning 2.0.0 sections 9 to 11, a leading v allowed, "1"
 * and "1.2" completed with noughts (https://flagd.dev/reference/custom-operations/semver-operation/). What is
 * no version gives null.
 */
#include <string.h>
#include "rule_internal.h"

#define FS_VERSION_LENGTH 256
#define FS_MOST_NUMBER    9007199254740991U /* 2^53 - 1, as in node-semver */

struct version {
    uint64_t numbers[3];
    struct fs_str pre; /* "alpha.1"; empty: a release */
};

static bool is_digit(char c)
{
    return c >= '0' && c <= '9';
}

static bool is_word(char c)
{
    return is_digit(c) || (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z') || c == '-';
}

static bool take(struct fs_str *text, char c)
{
    if (!text->len || text->ptr[0] != c)
        return false;
    text->ptr++;
    text->len--;
    return true;
}

static bool take_number(struct fs_str *text, uint64_t *out)
{
    size_t length = 0;
    while (length < text->len && is_digit(text->ptr[length]))
        length++;
    if (length == 0 || length > 16 || (length > 1 && text->ptr[0] == '0'))
        return false;
    *out = 0;
    for (size_t i = 0; i < length; i++)
        *out = *out * 10 + (uint64_t)(text->ptr[i] - '0');
    text->ptr += length;
    text->len -= length;
    return *out <= FS_MOST_NUMBER;
}

static bool all_digits(struct fs_str word)
{
    for (size_t i = 0; i < word.len; i++) {
        if (!is_digit(word.ptr[i]))
            return false;
    }
    return word.len > 0;
}

/* Words between dots; numbers among them without leading noughts where `strict`. */
static bool take_words(struct fs_str *text, bool strict, struct fs_str *out)
{
    const char *start = text->ptr;
    do {
        struct fs_str word = {text->ptr, 0};
        while (word.len < text->len && is_word(word.ptr[word.len]))
            word.len++;
        if (word.len == 0 || (strict && word.len > 1 && word.ptr[0] == '0' && all_digits(word)))
            return false;
        text->ptr += word.len;
        text->len -= word.len;
    } while (take(text, '.'));
    *out = (struct fs_str){start, (size_t)(text->ptr - start)};
    return true;
}

static bool parse(struct fs_str text, struct version *out)
{
    struct fs_str build;
    size_t numbers = 0;
    *out = (struct version){.pre = {"", 0}};
    if (text.len > FS_VERSION_LENGTH)
        return false;
    if (!take(&text, 'v'))
        take(&text, 'V');
    bool padded = text.len != fs_str_trim(text).len;
    text = fs_str_trim(text);
    bool marked = take(&text, 'v');
    do {
        if (!take_number(&text, &out->numbers[numbers]))
            return false;
    } while (++numbers < 3 && take(&text, '.'));
    if (numbers < 3)
        return text.len == 0 && !padded && !marked;
    if (take(&text, '-') && !take_words(&text, true, &out->pre))
        return false;
    if (take(&text, '+') && !take_words(&text, false, &build))
        return false;
    return text.len == 0;
}

static struct fs_str next_word(struct fs_str *words)
{
    const char *dot = memchr(words->ptr, '.', words->len);
    struct fs_str word = {words->ptr, dot ? (size_t)(dot - words->ptr) : words->len};
    size_t used = word.len + (dot ? 1 : 0);
    words->ptr += used;
    words->len -= used;
    return word;
}

static int compare_words(struct fs_str a, struct fs_str b)
{
    bool a_number = all_digits(a), b_number = all_digits(b);
    if (a_number != b_number)
        return a_number ? -1 : 1;
    /* Without leading noughts the longer number is the greater. */
    if (a_number && a.len != b.len)
        return a.len < b.len ? -1 : 1;
    return fs_text_order(a, b);
}

static int compare_pre(struct fs_str a, struct fs_str b)
{
    if (!a.len || !b.len)
        return (a.len == 0) - (b.len == 0);
    while (a.len && b.len) {
        int order = compare_words(next_word(&a), next_word(&b));
        if (order)
            return order;
    }
    return (a.len > 0) - (b.len > 0);
}

static int compare(const struct version *a, const struct version *b)
{
    for (int i = 0; i < 3; i++) {
        if (a->numbers[i] != b->numbers[i])
            return a->numbers[i] < b->numbers[i] ? -1 : 1;
    }
    return compare_pre(a->pre, b->pre);
}

FS_STRICT(fs_op_sem_ver)
{
    struct version a, b;
    if (count != 3 || !parse(fs_value_text(args[0], run->arena), &a) ||
        !parse(fs_value_text(args[2], run->arena), &b))
        return FS_NONE;
    struct fs_str op = fs_value_text(args[1], run->arena);
    int order = compare(&a, &b);
    if (fs_str_is(op, "="))
        return fs_boolean(order == 0);
    if (fs_str_is(op, "!="))
        return fs_boolean(order != 0);
    if (fs_str_is(op, "<"))
        return fs_boolean(order < 0);
    if (fs_str_is(op, "<="))
        return fs_boolean(order <= 0);
    if (fs_str_is(op, ">"))
        return fs_boolean(order > 0);
    if (fs_str_is(op, ">="))
        return fs_boolean(order >= 0);
    if (fs_str_is(op, "^"))
        return fs_boolean(a.numbers[0] == b.numbers[0]);
    if (fs_str_is(op, "~"))
        return fs_boolean(a.numbers[0] == b.numbers[0] && a.numbers[1] == b.numbers[1]);
    return FS_NONE;
}

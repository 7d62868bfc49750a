/* SPDX-License-Identifier: Apache-2.0 */
/* JSON text as values (RFC 8259). Every byte is checked; nesting is bounded by OF_VALUE_MAX_DEPTH. */
#include <openfeature/json.h>

#include <errno.h>
#include <locale.h>
#include <math.h>
#include <stdlib.h>
#include <string.h>

#include "memory_impl.h"

struct in {
    const char *text;
    size_t length, at;
    int depth;
    of_error error;
};

static of_value *parse(struct in *in);

static of_value *fail(struct in *in, of_error error)
{
    if (in->error == OF_OK)
        in->error = error;
    return NULL;
}

static int peek(const struct in *in)
{
    return in->at < in->length ? (unsigned char)in->text[in->at] : -1;
}

static void skip_space(struct in *in)
{
    int c = peek(in);
    while (c == ' ' || c == '\t' || c == '\n' || c == '\r') {
        in->at++;
        c = peek(in);
    }
}

static bool take(struct in *in, char c)
{
    skip_space(in);
    if (peek(in) != c)
        return false;
    in->at++;
    return true;
}

static bool is_digit(int c)
{
    return c >= '0' && c <= '9';
}

static of_value *word(struct in *in, const char *text, of_value *value)
{
    size_t length = strlen(text);
    if (in->length - in->at < length || memcmp(in->text + in->at, text, length) != 0)
        return fail(in, OF_ERROR_PARSE_ERROR);
    in->at += length;
    return value;
}

static bool digits(struct in *in)
{
    if (!is_digit(peek(in)))
        return false;
    while (is_digit(peek(in)))
        in->at++;
    return true;
}

/* The bounds of a number by the grammar; whether it is written as an integer. */
static bool scan_number(struct in *in, bool *whole)
{
    *whole = true;
    if (peek(in) == '-')
        in->at++;
    if (peek(in) == '0')
        in->at++;
    else if (!digits(in))
        return false;
    if (peek(in) == '.') {
        *whole = false;
        in->at++;
        if (!digits(in))
            return false;
    }
    if (peek(in) == 'e' || peek(in) == 'E') {
        *whole = false;
        in->at++;
        if (peek(in) == '+' || peek(in) == '-')
            in->at++;
        if (!digits(in))
            return false;
    }
    return true;
}

static of_value *number(struct in *in)
{
    char small[64];
    size_t start = in->at;
    bool whole = false;
    if (!scan_number(in, &whole))
        return fail(in, OF_ERROR_PARSE_ERROR);
    size_t length = in->at - start;
    char *text = length < sizeof small ? small : of_alloc(length + 1);
    if (text == NULL)
        return fail(in, OF_ERROR_NO_MEMORY);
    memcpy(text, in->text + start, length);
    text[length] = '\0';
    char *point = whole ? NULL : strchr(text, '.');
    if (point != NULL)
        *point = *localeconv()->decimal_point; /* what strtod() expects in this locale */
    errno = 0;
    long long integer = whole ? strtoll(text, NULL, 10) : 0;
    whole = whole && errno == 0;
    double real = whole ? 0 : strtod(text, NULL);
    if (text != small)
        of_free(text);
    if (!whole && !isfinite(real))
        return fail(in, OF_ERROR_PARSE_ERROR);
    of_value *value = whole ? of_value_int(integer) : of_value_double(real);
    return value != NULL ? value : fail(in, OF_ERROR_NO_MEMORY);
}

static bool hex4(struct in *in, uint32_t *code)
{
    *code = 0;
    for (int i = 0; i < 4; i++) {
        int c = peek(in);
        uint32_t digit = is_digit(c)            ? (uint32_t)(c - '0')
                         : c >= 'a' && c <= 'f' ? (uint32_t)(c - 'a' + 10)
                         : c >= 'A' && c <= 'F' ? (uint32_t)(c - 'A' + 10)
                                                : 16;
        if (digit == 16)
            return false;
        *code = *code * 16 + digit;
        in->at++;
    }
    return true;
}

static size_t put_utf8(char *to, uint32_t code)
{
    if (code < 0x80) {
        to[0] = (char)code;
        return 1;
    }
    if (code < 0x800) {
        to[0] = (char)(0xC0 | code >> 6);
        to[1] = (char)(0x80 | (code & 0x3F));
        return 2;
    }
    if (code < 0x10000) {
        to[0] = (char)(0xE0 | code >> 12);
        to[1] = (char)(0x80 | (code >> 6 & 0x3F));
        to[2] = (char)(0x80 | (code & 0x3F));
        return 3;
    }
    to[0] = (char)(0xF0 | code >> 18);
    to[1] = (char)(0x80 | (code >> 12 & 0x3F));
    to[2] = (char)(0x80 | (code >> 6 & 0x3F));
    to[3] = (char)(0x80 | (code & 0x3F));
    return 4;
}

/* What follows \u, with its second half where there is one. Lone surrogates become U+FFFD. */
static bool escape_u(struct in *in, char *to, size_t *length)
{
    uint32_t code = 0, low = 0;
    if (!hex4(in, &code))
        return false;
    if (code >= 0xD800 && code < 0xDC00 && in->length - in->at >= 6 && in->text[in->at] == '\\' &&
        in->text[in->at + 1] == 'u') {
        size_t back = in->at;
        in->at += 2;
        if (!hex4(in, &low))
            return false;
        if (low >= 0xDC00 && low < 0xE000)
            code = 0x10000 + ((code - 0xD800) << 10) + (low - 0xDC00);
        else
            in->at = back;
    }
    if (code >= 0xD800 && code < 0xE000)
        code = 0xFFFD;
    *length += put_utf8(to + *length, code);
    return true;
}

static bool escape(struct in *in, char *to, size_t *length)
{
    static const char from[] = "\"\\/bfnrt", into[] = "\"\\/\b\f\n\r\t";
    int c = peek(in);
    in->at++;
    if (c == 'u')
        return escape_u(in, to, length);
    const char *found = c > 0 ? strchr(from, c) : NULL;
    if (found == NULL)
        return false;
    to[(*length)++] = into[found - from];
    return true;
}

/* A string as a NUL-terminated copy, which is never longer than its source. */
static char *string(struct in *in, size_t *length)
{
    if (!take(in, '"'))
        return (char *)fail(in, OF_ERROR_PARSE_ERROR);
    size_t end = in->at;
    while (end < in->length && in->text[end] != '"')
        end += in->text[end] == '\\' ? 2 : 1;
    char *to = end >= in->length ? NULL : of_alloc(end - in->at + 1);
    if (to == NULL)
        return (char *)fail(in, end >= in->length ? OF_ERROR_PARSE_ERROR : OF_ERROR_NO_MEMORY);
    *length = 0;
    bool fine = true;
    while (fine && in->at < end) {
        char c = in->text[in->at++];
        if (c == '\\')
            fine = escape(in, to, length);
        else if ((unsigned char)c < 0x20)
            fine = false;
        else
            to[(*length)++] = c;
    }
    if (!fine || in->at != end) {
        of_free(to);
        return (char *)fail(in, OF_ERROR_PARSE_ERROR);
    }
    in->at++;
    to[*length] = '\0';
    return to;
}

static of_value *string_value(struct in *in)
{
    size_t length = 0;
    char *text = string(in, &length);
    if (text == NULL)
        return NULL;
    of_value *value = of_value_string_n(text, length);
    of_free(text);
    return value != NULL ? value : fail(in, OF_ERROR_NO_MEMORY);
}

static bool list_items(struct in *in, of_value *list)
{
    if (take(in, ']'))
        return true;
    do {
        of_value *item = parse(in);
        if (item == NULL)
            return false;
        of_error error = of_value_append(list, item);
        if (error != OF_OK) {
            (void)fail(in, error);
            return false;
        }
    } while (take(in, ','));
    return take(in, ']');
}

static bool object_members(struct in *in, of_value *object)
{
    if (take(in, '}'))
        return true;
    do {
        size_t length = 0;
        char *key = string(in, &length);
        if (key == NULL)
            return false;
        of_value *member = strlen(key) == length && take(in, ':') ? parse(in) : NULL;
        of_error error = member == NULL ? OF_ERROR_PARSE_ERROR : of_value_set(object, key, member);
        of_free(key);
        if (error != OF_OK) {
            (void)fail(in, error);
            return false;
        }
    } while (take(in, ','));
    return take(in, '}');
}

static of_value *container(struct in *in, bool is_list)
{
    if (++in->depth > OF_VALUE_MAX_DEPTH)
        return fail(in, OF_ERROR_TOO_DEEP);
    in->at++;
    of_value *value = is_list ? of_value_list() : of_value_object();
    if (value == NULL)
        return fail(in, OF_ERROR_NO_MEMORY);
    if (!(is_list ? list_items(in, value) : object_members(in, value))) {
        of_value_unref(value);
        return fail(in, OF_ERROR_PARSE_ERROR);
    }
    in->depth--;
    return value;
}

static of_value *parse(struct in *in)
{
    skip_space(in);
    int c = peek(in);
    if (c == '{' || c == '[')
        return container(in, c == '[');
    if (c == '"')
        return string_value(in);
    if (c == 't')
        return word(in, "true", of_value_bool(true));
    if (c == 'f')
        return word(in, "false", of_value_bool(false));
    if (c == 'n')
        return word(in, "null", of_value_null());
    return number(in);
}

of_error of_value_from_json(const char *text, size_t length, of_value **out, size_t *position)
{
    if (text == NULL || out == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    struct in in = {text, length, 0, 0, OF_OK};
    *out = parse(&in);
    skip_space(&in);
    if (*out != NULL && in.at != in.length) {
        of_value_unref(*out);
        *out = fail(&in, OF_ERROR_PARSE_ERROR);
    }
    if (position != NULL)
        *position = in.at < length ? in.at : length;
    return in.error;
}

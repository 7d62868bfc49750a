/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Base64 in both alphabets of RFC 4648, hexadecimal and percent-decoding. Strict: two different texts never
 * decode to the same bytes, since what is decoded here is compared and hashed. Pure.
 */
#include "base/str.h"

#include <string.h>

static const char url_alphabet[] = "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_";

size_t fs_base64url_encode(const void *bytes, size_t length, char *out)
{
    const unsigned char *in = bytes;
    size_t written = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    for (size_t i = 0; i < length; i++) {
        bits = bits << 8 | in[i];
        for (held += 8; held >= 6; held -= 6)
            out[written++] = url_alphabet[bits >> (held - 6) & 63];
    }
    if (held > 0)
        out[written++] = url_alphabet[bits << (6 - held) & 63];
    out[written] = '\0';
    return written;
}

/* The six bits of a digit; `symbols` are the two that the alphabets differ in. -1: no digit. */
static int digit_value(char digit, const char symbols[2])
{
    if (digit >= 'A' && digit <= 'Z')
        return digit - 'A';
    if (digit >= 'a' && digit <= 'z')
        return digit - 'a' + 26;
    if (digit >= '0' && digit <= '9')
        return digit - '0' + 52;
    if (digit == symbols[0])
        return 62;
    return digit == symbols[1] ? 63 : -1;
}

static bool decode(struct fs_str text, const char symbols[2], void *out, size_t *length_out)
{
    unsigned char *to = out;
    size_t written = 0;
    uint32_t bits = 0;
    unsigned held = 0;
    if (text.len % 4 == 1)
        return false;
    for (size_t i = 0; i < text.len; i++) {
        int value = digit_value(text.ptr[i], symbols);
        if (value < 0)
            return false;
        bits = bits << 6 | (uint32_t)value;
        held += 6;
        if (held >= 8) {
            held -= 8;
            to[written++] = (unsigned char)(bits >> held & 0xFF);
        }
    }
    if (bits & ((1U << held) - 1)) /* spare bits that are not zero: a second spelling of the same bytes */
        return false;
    *length_out = written;
    return true;
}

bool fs_base64url_decode(struct fs_str text, void *out, size_t *length_out)
{
    return decode(text, "-_", out, length_out);
}

bool fs_base64_decode(struct fs_str text, void *out, size_t *length_out)
{
    if (text.len % 4 != 0)
        return false;
    for (int i = 0; i < 2 && text.len > 0 && text.ptr[text.len - 1] == '='; i++)
        text.len--;
    return decode(text, "+/", out, length_out);
}

const char *fs_hex(const void *bytes, size_t length, char *out)
{
    static const char digits[] = "0123456789abcdef";
    const unsigned char *in = bytes;
    for (size_t i = 0; i < length; i++) {
        out[i * 2] = digits[in[i] >> 4];
        out[i * 2 + 1] = digits[in[i] & 15];
    }
    out[length * 2] = '\0';
    return out;
}

static int hex_value(char digit)
{
    if (digit >= '0' && digit <= '9')
        return digit - '0';
    if (digit >= 'a' && digit <= 'f')
        return digit - 'a' + 10;
    return digit >= 'A' && digit <= 'F' ? digit - 'A' + 10 : -1;
}

/* Looks before it writes, so that a text that is refused is left as it was. */
static bool escapes_are_whole(const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++)
        if (text[i] == '%' && (length - i < 3 || hex_value(text[i + 1]) < 0 || hex_value(text[i + 2]) < 0))
            return false;
    return true;
}

bool fs_percent_decode(char *text, size_t *length)
{
    size_t written = 0;
    if (!escapes_are_whole(text, *length))
        return false;
    for (size_t i = 0; i < *length; i++) {
        if (text[i] == '%') {
            text[written++] = (char)(hex_value(text[i + 1]) << 4 | hex_value(text[i + 2]));
            i += 2;
        } else {
            text[written++] = text[i];
        }
    }
    if (written < *length)
        text[written] = '\0';
    *length = written;
    return true;
}

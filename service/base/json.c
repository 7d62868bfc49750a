/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON's two difficult tokens, strings and numbers, appended to a buffer. Reading JSON is jansson's. Assumes
 * the "C" locale, which the service never leaves. Strings escape no more than RFC 8785 does, so that a
 * canonical form may be built from them.
 */
#include "base/buf.h"

#include <float.h>
#include <math.h>
#include <stdio.h>
#include <stdlib.h>

#include "utf8.h"

static bool add_escaped(struct fs_buf *buf, unsigned char byte)
{
    switch (byte) {
    case '"':
        return fs_buf_add(buf, "\\\"", 2);
    case '\\':
        return fs_buf_add(buf, "\\\\", 2);
    case '\b':
        return fs_buf_add(buf, "\\b", 2);
    case '\f':
        return fs_buf_add(buf, "\\f", 2);
    case '\n':
        return fs_buf_add(buf, "\\n", 2);
    case '\r':
        return fs_buf_add(buf, "\\r", 2);
    case '\t':
        return fs_buf_add(buf, "\\t", 2);
    default:
        return fs_buf_addf(buf, "\\u%04x", byte);
    }
}

bool fs_buf_add_json_string(struct fs_buf *buf, const char *text, size_t length)
{
    size_t plain = 0; /* start of the run that can be copied as it is */
    fs_buf_addc(buf, '"');
    for (size_t at = 0; at < length && !buf->failed;) {
        bool valid = true;
        unsigned char byte = (unsigned char)text[at];
        size_t step = byte < 0x80 ? 1 : fs_base_utf8_step(text + at, length - at, &valid);
        if (!valid || byte < 0x20 || byte == '"' || byte == '\\') {
            fs_buf_add(buf, text + plain, at - plain);
            if (valid)
                add_escaped(buf, byte);
            else
                fs_buf_add(buf, "\xEF\xBF\xBD", 3); /* U+FFFD */
            plain = at + step;
        }
        at += step;
    }
    if (length > plain)
        fs_buf_add(buf, text + plain, length - plain);
    return fs_buf_addc(buf, '"');
}

bool fs_buf_add_json_number(struct fs_buf *buf, double number)
{
    const double exact = 9007199254740992.0; /* 2^53: every whole number up to here has a double of its own */
    if (!isfinite(number))
        return fs_buf_add(buf, "null", 4);
    if (fabs(number) <= exact && (double)(int64_t)number == number)
        return fs_buf_addi(buf, (int64_t)number);
    /* 15 digits are what every normal double keeps; below the normal ones fewer may do. */
    char text[40];
    for (int digits = fabs(number) < DBL_MIN ? 1 : 15; digits <= 17; digits++) {
        snprintf(text, sizeof text, "%.*g", digits, number);
        if (strtod(text, NULL) == number)
            break;
    }
    return fs_buf_adds(buf, text);
}

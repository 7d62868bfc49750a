/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Errors as values. Keeps every text to one line and to whole characters, whatever a caller formats into it,
 * since texts end in logs, on terminals and in JSON.
 */
#include "base/err.h"

#include <stdio.h>
#include <string.h>

#include "utf8.h"
#include "base/str.h"

struct row {
    const char *name;
    int http, exit_status;
};

static const struct row *row_of(enum fs_err_code code)
{
    static const struct row rows[] = {
#define X(code, name, http, exit_status, meaning) [code] = {name, http, exit_status},
        FS_ERR_MAP(X)
#undef X
    };
    return (size_t)code < sizeof rows / sizeof rows[0] ? &rows[code] : &rows[FS_ERR_GENERAL];
}

const char *fs_err_name(enum fs_err_code code)
{
    return row_of(code)->name;
}

int fs_err_http(enum fs_err_code code)
{
    return row_of(code)->http;
}

int fs_err_exit(enum fs_err_code code)
{
    return row_of(code)->exit_status;
}

/* Copies with control characters as blanks and a question mark for what is no UTF-8 (some libraries cut their
 * texts within a character), cut at a whole character. Returns what was written. */
static size_t copy_line(char *to, size_t room, const char *from)
{
    size_t length = fs_utf8_cut(from, strlen(from), room - 1), written = 0, step;
    for (size_t at = 0; at < length; at += step) {
        bool valid;
        step = fs_base_utf8_step(from + at, length - at, &valid);
        if (valid && step > 1) {
            memcpy(to + written, from + at, step);
            written += step;
        } else {
            unsigned char byte = (unsigned char)from[at];
            to[written++] = valid ? (byte < 0x20 || byte == 0x7F ? ' ' : from[at]) : '?';
        }
    }
    to[written] = '\0';
    return written;
}

bool fs_fail(struct fs_err *err, enum fs_err_code code, const char *format, ...)
{
    char text[sizeof err->text +
              8]; /* longer than a text, so that a cut is seen as one; may quote err->text */
    va_list args;
    if (!err)
        return false;
    va_start(args, format);
    vsnprintf(text, sizeof text, format, args);
    va_end(args);
    err->code = code == FS_OK ? FS_ERR_GENERAL : code; /* what failed is never OK */
    copy_line(err->text, sizeof err->text, text);
    return false;
}

bool fs_fail_in(struct fs_err *err, const char *format, ...)
{
    char where[sizeof err->text + 8], former[sizeof err->text];
    va_list args;
    if (!err)
        return false;
    va_start(args, format);
    vsnprintf(where, sizeof where, format, args);
    va_end(args);
    if (err->code == FS_OK)
        err->code = FS_ERR_GENERAL;
    memcpy(former, err->text, sizeof former);
    size_t length = copy_line(err->text, sizeof err->text - 2, where);
    length += copy_line(err->text + length, sizeof err->text - length, ": ");
    copy_line(err->text + length, sizeof err->text - length, former);
    return false;
}

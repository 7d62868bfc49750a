/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The byte buffer with a limit: growing, appending, failing. Owns its bytes. What the bytes mean is the
 * writer's business; JSON has a file of its own (json.c).
 */
#include "base/buf.h"

#include <inttypes.h>
#include <stdio.h>
#include <string.h>

#include "base/alloc.h"

enum { FIRST_CAPACITY = 64 };

/* Stands in for the bytes while there are none. Nobody writes through it: capacity is 0. */
static char *no_bytes(void)
{
    static const char nothing[1] = "";
    return (char *)(uintptr_t)nothing;
}

void fs_buf_init(struct fs_buf *buf, size_t limit)
{
    *buf = (struct fs_buf){.data = no_bytes(), .limit = limit};
}

void fs_buf_finish(struct fs_buf *buf)
{
    if (!buf)
        return;
    if (buf->capacity)
        fs_free(buf->data);
    fs_buf_init(buf, buf->limit);
}

void fs_buf_reset(struct fs_buf *buf)
{
    if (buf->capacity)
        buf->data[0] = '\0';
    else
        buf->data = no_bytes();
    buf->length = 0;
    buf->failed = false;
}

static bool fail(struct fs_buf *buf)
{
    fs_buf_reset(buf);
    buf->failed = true;
    return false;
}

/* Room for `more` bytes and the NUL. */
static bool make_room(struct fs_buf *buf, size_t more)
{
    if (buf->failed)
        return false;
    if (more > buf->limit - buf->length || buf->length + more == SIZE_MAX)
        return fail(buf);
    size_t needed = buf->length + more + 1;
    if (needed <= buf->capacity)
        return true;
    size_t capacity = buf->capacity ? buf->capacity * 2 : FIRST_CAPACITY;
    if (capacity - 1 > buf->limit)
        capacity = buf->limit + 1;
    if (capacity < needed)
        capacity = needed;
    buf->data = fs_realloc(buf->capacity ? buf->data : NULL, capacity, 1);
    buf->capacity = capacity;
    return true;
}

bool fs_buf_add(struct fs_buf *buf, const void *bytes, size_t length)
{
    if (!make_room(buf, length))
        return false;
    if (length)
        memcpy(buf->data + buf->length, bytes, length);
    buf->length += length;
    buf->data[buf->length] = '\0';
    return true;
}

bool fs_buf_adds(struct fs_buf *buf, const char *text)
{
    return fs_buf_add(buf, text, strlen(text));
}

bool fs_buf_addc(struct fs_buf *buf, char byte)
{
    return fs_buf_add(buf, &byte, 1);
}

bool fs_buf_addf(struct fs_buf *buf, const char *format, ...)
{
    if (buf->failed)
        return false;
    va_list args;
    va_start(args, format);
    int length = vsnprintf(NULL, 0, format, args);
    va_end(args);
    if (length < 0) /* over INT_MAX bytes: over any limit that makes sense */
        return fail(buf);
    if (!make_room(buf, (size_t)length))
        return false;
    va_start(args, format);
    vsnprintf(buf->data + buf->length, (size_t)length + 1, format, args);
    va_end(args);
    buf->length += (size_t)length;
    return true;
}

bool fs_buf_addu(struct fs_buf *buf, uint64_t number)
{
    char digits[20];
    size_t start = sizeof digits;
    do {
        digits[--start] = (char)('0' + number % 10);
        number /= 10;
    } while (number);
    return fs_buf_add(buf, digits + start, sizeof digits - start);
}

bool fs_buf_addi(struct fs_buf *buf, int64_t number)
{
    if (number >= 0)
        return fs_buf_addu(buf, (uint64_t)number);
    return fs_buf_addc(buf, '-') && fs_buf_addu(buf, 0 - (uint64_t)number);
}

char *fs_buf_take(struct fs_buf *buf, size_t *length_out)
{
    char *data = NULL;
    size_t length = 0;
    if (!buf->failed) {
        length = buf->length;
        data = buf->capacity ? buf->data : fs_strndup("", 0);
        fs_buf_init(buf, buf->limit);
    }
    if (length_out)
        *length_out = length;
    return data;
}

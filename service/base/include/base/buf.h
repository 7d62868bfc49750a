/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A growing byte buffer that is born with a limit. Going over the limit (never out of memory) sets
 * `failed`, empties the buffer and makes every later append a no-op, so that a writer checks once, at
 * the end. The bytes are always followed by a NUL that does not count.
 * A buffer belongs to one thread at a time.
 */
#ifndef FS_BASE_BUF_H
#define FS_BASE_BUF_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdarg.h>

struct fs_buf {
    char *data;      /* owned; "" (not allocated) while nothing was appended */
    size_t length;   /* bytes in use, without the NUL */
    size_t capacity; /* bytes allocated */
    size_t limit;    /* the most that length may become */
    bool failed;     /* the limit was hit; sticky until reset */
};

void fs_buf_init(struct fs_buf *buf, size_t limit);
/* Frees the bytes. Accepts NULL and a zeroed buffer. */
void fs_buf_finish(struct fs_buf *buf);
/* Empties the buffer, keeps its memory, clears `failed`. */
void fs_buf_reset(struct fs_buf *buf);
/* The appenders: false when the buffer has failed, now or before. */
bool fs_buf_add(struct fs_buf *buf, const void *bytes, size_t length);
bool fs_buf_adds(struct fs_buf *buf, const char *text);
bool fs_buf_addc(struct fs_buf *buf, char byte);
bool fs_buf_addf(struct fs_buf *buf, const char *format, ...) __attribute__((format(printf, 2, 3)));
bool fs_buf_addu(struct fs_buf *buf, uint64_t number);
bool fs_buf_addi(struct fs_buf *buf, int64_t number);
/* Appends the text as a JSON string with its quotes. Bytes that are not UTF-8 become U+FFFD. RFC 8259
 * section 7. */
bool fs_buf_add_json_string(struct fs_buf *buf, const char *text, size_t length);
/* Appends a double as JSON does: shortest form that reads back the same; whole numbers up to 2^53 without
 * exponent or fraction. NaN and infinities, which JSON lacks, become null. */
bool fs_buf_add_json_number(struct fs_buf *buf, double number);
/* The bytes, owned by the caller (fs_free()); the buffer is empty afterwards. NULL when it had failed. */
char *fs_buf_take(struct fs_buf *buf, size_t *length_out);

#endif

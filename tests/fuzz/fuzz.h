/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What the fuzz targets share (https://llvm.org/docs/LibFuzzer.html). A target is one file: bytes of a
 * stranger go into one reader of the service, and whatever they are, the reader neither crashes, leaks nor
 * hangs, and what it promises holds. The bytes lie in a block of just their size, so that the sanitizer sees
 * a read beyond them.
 */
#ifndef TESTS_FUZZ_FUZZ_H
#define TESTS_FUZZ_FUZZ_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/str.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

/* Ends the run as a crash where a promise does not hold. */
#define FUZZ_HOLDS(claim)                                                                                    \
    do {                                                                                                     \
        if (!(claim)) {                                                                                      \
            fprintf(stderr, "%s:%d: does not hold: %s\n", __FILE__, __LINE__, #claim);                       \
            abort();                                                                                         \
        }                                                                                                    \
    } while (0)

static inline struct fs_str fuzz_text(const uint8_t *data, size_t size)
{
    return (struct fs_str){(const char *)data, size};
}

/* Cuts the next line off `rest`, without its end. False where nothing is left. */
static inline bool fuzz_line(struct fs_str *rest, struct fs_str *line)
{
    if (rest->len == 0)
        return false;
    const char *end = memchr(rest->ptr, '\n', rest->len);
    *line = (struct fs_str){rest->ptr, end ? (size_t)(end - rest->ptr) : rest->len};
    size_t taken = line->len + (end != NULL);
    *rest = (struct fs_str){rest->ptr + taken, rest->len - taken};
    return true;
}

/* One line of UTF-8, as errors and logs want it. */
static inline bool fuzz_is_line(const char *text)
{
    for (const char *c = text; *c; c++) {
        if ((unsigned char)*c < ' ' || *c == 0x7f)
            return false;
    }
    return fs_utf8_valid(text, strlen(text));
}

/* A copy of just its size and a NUL. Owned: fs_free(). */
static inline char *fuzz_copy(struct fs_str text)
{
    return fs_strndup(text.len ? text.ptr : "", text.len);
}

#endif

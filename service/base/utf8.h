/* SPDX-License-Identifier: Apache-2.0 */
/* Stepping through UTF-8, for the files of this part that must not cut or trust it. Pure; any thread. */
#ifndef FS_BASE_UTF8_H
#define FS_BASE_UTF8_H

#include <stdbool.h>
#include <stddef.h>

/* How many bytes the character at the start of `text` takes (length > 0). Where it is ill-formed, `*valid`
 * is false and the result counts the bytes that one U+FFFD stands for (Unicode 15 section 3.9, "maximal
 * subpart"): at least 1. */
size_t fs_base_utf8_step(const char *text, size_t length, bool *valid);

#endif

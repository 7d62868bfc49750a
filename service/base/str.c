/* SPDX-License-Identifier: Apache-2.0 */
/* Slices of text: comparing and trimming. Owns nothing; ASCII only where it looks at letters. Pure. */
#include "base/str.h"

#include <string.h>

struct fs_str fs_str_from(const char *text)
{
    return text ? (struct fs_str){text, strlen(text)} : FS_STR("");
}

bool fs_str_equal(struct fs_str a, struct fs_str b)
{
    return a.len == b.len && (a.len == 0 || memcmp(a.ptr, b.ptr, a.len) == 0);
}

bool fs_str_is(struct fs_str a, const char *text)
{
    return fs_str_equal(a, fs_str_from(text));
}

bool fs_str_starts_with(struct fs_str text, struct fs_str prefix)
{
    return text.len >= prefix.len && fs_str_equal((struct fs_str){text.ptr, prefix.len}, prefix);
}

bool fs_str_ends_with(struct fs_str text, struct fs_str suffix)
{
    if (suffix.len == 0)
        return true;
    return text.len >= suffix.len &&
           fs_str_equal((struct fs_str){text.ptr + (text.len - suffix.len), suffix.len}, suffix);
}

static bool is_space(char byte)
{
    return byte == ' ' || (byte >= '\t' && byte <= '\r');
}

struct fs_str fs_str_trim(struct fs_str text)
{
    while (text.len > 0 && is_space(text.ptr[0])) {
        text.ptr++;
        text.len--;
    }
    while (text.len > 0 && is_space(text.ptr[text.len - 1]))
        text.len--;
    return text;
}

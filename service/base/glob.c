/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Patterns with * and ?. Only the last star is ever tried again, so that no pattern of a stranger's costs
 * more than the product of the lengths. Pure.
 */
#include "base/str.h"

/* Past one character: `?` stands for what a reader takes for one, not for a byte of it. */
static const char *next_character(const char *text)
{
    text++;
    while (((unsigned char)*text & 0xC0) == 0x80)
        text++;
    return text;
}

bool fs_glob_match(const char *pattern, const char *text)
{
    const char *star = NULL;  /* just past the last star */
    const char *retry = NULL; /* where that star's text would end next */
    while (*text) {
        if (*pattern == '*') {
            star = ++pattern;
            retry = text;
        } else if (*pattern == '?') {
            pattern++;
            text = next_character(text);
        } else if (*pattern == *text) {
            pattern++;
            text++;
        } else if (star) {
            pattern = star;
            text = retry = next_character(retry);
        } else {
            return false;
        }
    }
    while (*pattern == '*')
        pattern++;
    return *pattern == '\0';
}

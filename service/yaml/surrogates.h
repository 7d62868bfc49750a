/* SPDX-License-Identifier: Apache-2.0 */
/*
 * JSON writes a character beyond U+FFFF as two \u escapes (RFC 8259 section 7), which libyaml refuses. In a
 * text that is JSON such a pair is turned into YAML's \U escape before libyaml sees it, and it is remembered
 * by how much the columns behind it moved. Private to the document reader.
 */
#ifndef FS_FLAGFILE_SURROGATES_H
#define FS_FLAGFILE_SURROGATES_H

#include <stdbool.h>
#include <stddef.h>
#include "base/vec.h"

struct fs_surrogate {
    int line, column; /* where the \U stands in the new text */
    int lost;         /* columns lost in its line, with it */
};

struct fs_surrogates {
    const char *text; /* what to read: the given text, or `owned` */
    size_t length;
    char *owned;
    FS_VEC(struct fs_surrogate) joined; /* in their order */
};

void fs_surrogates_join(struct fs_surrogates *out, const char *text, size_t length);
/* How many columns were lost in the line before the column. */
int fs_surrogates_lost(const struct fs_surrogates *surrogates, int line, int column);
void fs_surrogates_finish(struct fs_surrogates *surrogates);

#endif

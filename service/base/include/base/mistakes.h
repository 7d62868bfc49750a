/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Several errors at once: for readers that say everything that is wrong in one run and not only the first.
 * A zeroed list is an empty one. Belongs to one thread at a time.
 */
#ifndef FS_BASE_MISTAKES_H
#define FS_BASE_MISTAKES_H

#include "base/err.h"
#include "base/vec.h"

struct fs_mistakes {
    FS_VEC(struct fs_err) list;
};

/* Adds a copy, so that `read(..., &err) || fs_mistake(mistakes, &err)` goes on behind a mistake. Nothing
 * where `mistakes` is NULL. Returns false. */
bool fs_mistake(struct fs_mistakes *mistakes, const struct fs_err *err);
/* fs_fail() onto the list. Returns false. */
bool fs_mistake_new(struct fs_mistakes *mistakes, enum fs_err_code code, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
/* fs_fail_in() for all from number `first` on. */
void fs_mistakes_in(struct fs_mistakes *mistakes, size_t first, const char *format, ...)
    __attribute__((format(printf, 3, 4)));
void fs_mistakes_finish(struct fs_mistakes *mistakes); /* accepts NULL and zeroed */

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* A list of errors. */
#include "base/mistakes.h"
#include "base/alloc.h"
#include "base/str.h"

bool fs_mistake(struct fs_mistakes *mistakes, const struct fs_err *err)
{
    if (mistakes)
        fs_vec_push(&mistakes->list, *err);
    return false;
}

bool fs_mistake_new(struct fs_mistakes *mistakes, enum fs_err_code code, const char *format, ...)
{
    struct fs_err err;
    va_list args;
    va_start(args, format);
    char *text = fs_vformat(format, args);
    va_end(args);
    fs_fail(&err, code, "%s", text);
    fs_free(text);
    return fs_mistake(mistakes, &err);
}

void fs_mistakes_in(struct fs_mistakes *mistakes, size_t first, const char *format, ...)
{
    va_list args;
    if (!mistakes)
        return;
    va_start(args, format);
    char *where = fs_vformat(format, args);
    va_end(args);
    for (size_t i = first; i < mistakes->list.count; i++)
        fs_fail_in(&mistakes->list.items[i], "%s", where);
    fs_free(where);
}

void fs_mistakes_finish(struct fs_mistakes *mistakes)
{
    if (mistakes)
        fs_vec_finish(&mistakes->list);
}

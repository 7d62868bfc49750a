/* SPDX-License-Identifier: Apache-2.0 */
/* The names of the journal's kinds of entry, from the one table in core/entry.h. */
#include <string.h>
#include "core/entry.h"

static const char *const names[] = {
#define X(kind, name) [kind] = name,
    FS_ENTRY_KINDS(X)
#undef X
};

const char *fs_entry_kind_name(enum fs_entry_kind kind)
{
    return (size_t)kind < sizeof names / sizeof *names ? names[kind] : "unknown";
}

bool fs_entry_kind_parse(const char *name, enum fs_entry_kind *out)
{
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        if (strcmp(names[i], name) == 0) {
            *out = (enum fs_entry_kind)i;
            return true;
        }
    }
    return false;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The table of source types. The only file that knows all of them; they do not know each other. */
#include "sources/registry.h"
#include <string.h>
#include "base/str.h"
#include "sources/builtin.h"
#include "sources/opa.h"

static const struct fs_source_type *const types[] = {
    &fs_source_builtin,
    &fs_source_opa,
};
#define TYPE_COUNT (sizeof types / sizeof *types)

const struct fs_source_type *fs_source_type_find(const char *name)
{
    for (size_t i = 0; i < TYPE_COUNT; i++)
        if (strcmp(types[i]->name, name) == 0)
            return types[i];
    return NULL;
}

const struct fs_source_type *fs_source_type_at(size_t index)
{
    return index < TYPE_COUNT ? types[index] : NULL;
}

const char *fs_source_type_suggest(const char *name)
{
    const char *names[TYPE_COUNT];
    for (size_t i = 0; i < TYPE_COUNT; i++)
        names[i] = types[i]->name;
    return fs_suggest(name, names, TYPE_COUNT);
}

bool fs_source_type_has_kind(const struct fs_source_type *type, const char *kind)
{
    for (const char *const *known = type->kinds; *known; known++)
        if (strcmp(*known, kind) == 0)
            return true;
    return false;
}

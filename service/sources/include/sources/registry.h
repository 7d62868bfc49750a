/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The kinds of source that this build knows: one table. A new adapter is one file, one header and one line
 * here (docs/sources/writing-a-source.md). Pure; any thread.
 */
#ifndef FS_SOURCES_REGISTRY_H
#define FS_SOURCES_REGISTRY_H

#include <stddef.h>
#include "core/source.h"

/* The type called `name` ("opa", "builtin"), or NULL. Static. */
const struct fs_source_type *fs_source_type_find(const char *name);
/* The `index`-th type, in the order of the table, or NULL past the last. Static. */
const struct fs_source_type *fs_source_type_at(size_t index);
/* The type that was probably meant by a name that is not known, or NULL. Static text. */
const char *fs_source_type_suggest(const char *name);
/* Does the type understand `kind` as the key of a decision ("path", "users", "rule")? */
bool fs_source_type_has_kind(const struct fs_source_type *type, const char *kind);

#endif

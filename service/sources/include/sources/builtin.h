/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The built-in source: JsonLogic rules over context and facts, decided by core itself (fs_decide_builtin), so
 * it has neither create nor a connection. It stands in the table so that "builtin" and its key "rule" are
 * known like any other.
 */
#ifndef FS_SOURCES_BUILTIN_H
#define FS_SOURCES_BUILTIN_H

#include "core/source.h"

extern const struct fs_source_type fs_source_builtin;

#endif

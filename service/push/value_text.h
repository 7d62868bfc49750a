/* SPDX-License-Identifier: Apache-2.0 */
/* How values, metadata and safe variants stand in bytes, the same for websocket and OFREP. Inside
 * service/push only. */
#ifndef FS_PUSH_VALUE_TEXT_H
#define FS_PUSH_VALUE_TEXT_H

#include "base/buf.h"
#include "core/evaluate.h"

/* The value as JSON. One of a float flag always has a fraction ("1.0"): clients in Python and Java tell 1
 * from 1.0. */
void fs_push_add_value(struct fs_buf *out, enum fs_type type, const json_t *value);
/* "name": with the comma that stands before it. */
void fs_push_add_name(struct fs_buf *out, const char *name);
void fs_push_add_text(struct fs_buf *out, const char *name, const char *text);
/* The flag's flat metadata as members of an object that is open already; `first` tells whether it is still
 * empty. Returns the new `first`. */
bool fs_push_add_metadata(struct fs_buf *out, const json_t *metadata, bool first);
/* What we say ourselves in the same object: "flagstaff.override" (NULL: nothing), "flagstaff.error" ("":
 * nothing). */
void fs_push_add_own(struct fs_buf *out, const char *override, const char *error, bool first);
/* The safe variant of an access flag. Borrowed. */
const json_t *fs_push_safe_value(const struct fs_flag *flag);
const char *fs_push_safe_variant(const struct fs_flag *flag);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/* The part of a snapshot or delta that all watches of a view share: bytes made once, joined with each watch's
 * number by push/frame.h. Pure. */
#ifndef FS_PUSH_BODY_H
#define FS_PUSH_BODY_H

#include "base/blob.h"
#include "core/engine.h"

/* Everything behind {"type":"snapshot","watch":ID, or {"watch":ID, with the closing brace (docs/protocol):
 * removed keys, then flags, as many as fit into the state's limit. `taken` says how many; what is left is for
 * the next body. One item is always taken, however large it is, but for a snapshot that names attributes that
 * were dropped. One reference, the caller's. */
struct fs_blob *fs_frame_body(const struct fs_view_state *state, struct fs_taken *taken);

#endif

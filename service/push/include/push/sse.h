/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Server-sent events (https://html.spec.whatwg.org/multipage/server-sent-events.html): bytes of a stream of
 * the type FS_SSE_CONTENT_TYPE. Pure; any thread. Each function gives one reference, the caller's.
 */
#ifndef FS_PUSH_SSE_H
#define FS_PUSH_SSE_H

#include <stdint.h>
#include "base/blob.h"

#define FS_SSE_CONTENT_TYPE  "text/event-stream"
#define FS_SSE_KEEP_ALIVE_MS 20000 /* below the idle time-outs of common proxies (30 to 60 s) */

/* One event. `name` NULL stands for "message", and `id` 0 for none. `data` may have several lines. */
struct fs_blob *fs_sse_event(const char *name, uint64_t id, const char *data, size_t length);
/* OFREP's "fetch again", the only event that its clients know. Without an ETag in it: with one, each would
 * cost browsers a preflight. */
struct fs_blob *fs_sse_refetch(uint64_t id);
/* A comment, which clients ignore and proxies see. */
struct fs_blob *fs_sse_keep_alive(void);

#endif

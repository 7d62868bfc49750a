/* SPDX-License-Identifier: Apache-2.0 */
/* Server-sent events as bytes. Pure; any thread. */
#include <string.h>
#include "base/buf.h"
#include "push/sse.h"

static struct fs_blob *blob_of(struct fs_buf *buf)
{
    struct fs_blob *blob = fs_blob_copy(buf->data, buf->length);
    fs_buf_finish(buf);
    return blob;
}

/* A carriage return ends a line there too: each piece between line ends gets its own "data:". */
static void add_lines(struct fs_buf *out, const char *data, size_t length)
{
    for (size_t at = 0; at <= length;) {
        size_t end = at;
        while (end < length && data[end] != '\n' && data[end] != '\r')
            end++;
        fs_buf_adds(out, "data: ");
        fs_buf_add(out, data + at, end - at);
        fs_buf_addc(out, '\n');
        at = end + 1 + (end + 1 < length && data[end] == '\r' && data[end + 1] == '\n');
    }
}

struct fs_blob *fs_sse_event(const char *name, uint64_t id, const char *data, size_t length)
{
    struct fs_buf out;
    fs_buf_init(&out, length * 8 + 1024);
    if (id) {
        fs_buf_adds(&out, "id: ");
        fs_buf_addu(&out, id);
        fs_buf_addc(&out, '\n');
    }
    fs_buf_addf(&out, "event: %s\n", name ? name : "message");
    add_lines(&out, data, length);
    fs_buf_addc(&out, '\n');
    return blob_of(&out);
}

struct fs_blob *fs_sse_refetch(uint64_t id)
{
    static const char data[] = "{\"type\":\"refetchEvaluation\"}";
    return fs_sse_event(NULL, id, data, sizeof data - 1);
}

struct fs_blob *fs_sse_keep_alive(void)
{
    return fs_blob_copy(": \n\n", 4);
}

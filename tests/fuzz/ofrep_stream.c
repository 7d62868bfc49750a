/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The event stream of an OFREP server, as the C provider reads it. The first byte says how it is cut into
 * pieces; however it is cut, it gives the same events.
 */
#include "fuzz.h"
#include "sse.h"

struct heard {
    uint64_t hash;
    size_t count;
};

static void hear(void *user, const char *data, size_t length)
{
    struct heard *heard = user;
    FUZZ_HOLDS(data != NULL && length <= SSE_EVENT_MAX && data[length] == '\0');
    for (size_t i = 0; i < length; i++)
        heard->hash = (heard->hash ^ (unsigned char)data[i]) * UINT64_C(1099511628211);
    heard->hash ^= ++heard->count;
}

static bool read_stream(const char *bytes, size_t length, size_t piece, struct heard *heard)
{
    struct sse sse;
    bool whole = true;
    sse_init(&sse, hear, heard);
    for (size_t at = 0; whole && at < length; at += piece) {
        size_t size = length - at < piece ? length - at : piece;
        char *copy = fuzz_copy((struct fs_str){bytes + at, size});
        whole = sse_feed(&sse, copy, size);
        fs_free(copy);
    }
    sse_finish(&sse);
    return whole;
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct heard once = {0}, pieces = {0};
    if (size < 2)
        return 0;
    const char *bytes = (const char *)data + 1;
    bool a = read_stream(bytes, size - 1, size, &once);
    bool b = read_stream(bytes, size - 1, (size_t)data[0] + 1, &pieces);
    FUZZ_HOLDS(a == b && once.count == pieces.count && once.hash == pieces.hash);
    return 0;
}

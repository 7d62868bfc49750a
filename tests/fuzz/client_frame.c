/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that clients send: a frame is taken or there is a fault with a code, never neither nor both. */
#include "fuzz.h"
#include "push/frame.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const struct fs_frame_limits limits = {
        .watches = 4, .flags = 3, .context_bytes = 256, .context_depth = 4};
    struct fs_frame_fault fault = {0};
    struct fs_err err = {0};
    struct fs_client_frame *frame = fs_client_frame_parse((const char *)data, size, &limits, &fault);
    struct fs_client_frame *again = fs_client_frame_read((const char *)data, size, &limits, &err);
    FUZZ_HOLDS(!frame == !again);
    FUZZ_HOLDS(frame || (fault.code && fault.message[0] && err.text[0]));
    if (frame) {
        FUZZ_HOLDS(frame->watch_count + frame->refused_count <= 64 && frame->resume_count <= 64);
    } else {
        struct fs_blob *answer = fs_frame_fault(&fault);
        FUZZ_HOLDS(fs_utf8_valid((const char *)answer->bytes, answer->length));
        json_t *json = json_loadb((const char *)answer->bytes, answer->length, 0, NULL);
        FUZZ_HOLDS(json_is_object(json));
        json_decref(json);
        fs_blob_unref(answer);
    }
    fs_client_frame_destroy(frame);
    fs_client_frame_destroy(again);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Frames that boards send: a frame is taken within its limits or there is a fault with a code, never neither
 * nor both; and the fault is a frame of its own. */
#include "fuzz.h"
#include "push/board.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct fs_frame_fault fault = {0};
    struct fs_board_request *request = fs_board_read((const char *)data, size, &fault);
    FUZZ_HOLDS(request || (fault.code && fault.message[0]));
    if (request && request->type == FS_BOARD_VIEW) {
        FUZZ_HOLDS(request->view.id && request->view.limit >= 1 && request->view.limit <= FS_FEED_ROWS);
        FUZZ_HOLDS(request->view.sort <= FS_FEED_BY_FLAG &&
                   strlen(request->view.epoch) < sizeof request->view.epoch);
        FUZZ_HOLDS(!request->view.filter.q || strlen(request->view.filter.q) <= 1024);
    } else if (!request) {
        struct fs_blob *answer = fs_board_fault(&fault);
        FUZZ_HOLDS(fs_utf8_valid((const char *)answer->bytes, answer->length));
        json_t *json = json_loadb((const char *)answer->bytes, answer->length, 0, NULL);
        FUZZ_HOLDS(json_is_object(json));
        json_decref(json);
        fs_blob_unref(answer);
    }
    fs_board_request_destroy(request);
    return 0;
}

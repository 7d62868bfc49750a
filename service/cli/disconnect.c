/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff disconnect: one connection ends; its client comes back where its key still stands. */
#include "cli_internal.h"

int fs_cli_disconnect(struct fs_cli_call *call, struct fs_err *err)
{
    const char *session = call->config.positional[0];
    struct fs_reply reply = {0};
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/clients/");
    fs_percent_encode(&path, session);
    fs_query_option(&path, &call->config, FS_OPT_REASON);
    struct fs_request request = {.method = "DELETE", .path = path.data};
    bool fine = fs_client_ask(call, &request, &reply, err);
    if (fine && fs_cli_json(call)) {
        json_t *answer = json_pack("{s:s}", "disconnected", session);
        fs_cli_print_json(call, answer);
        json_decref(answer);
    } else if (fine) {
        fprintf(call->err, "%s is told to go. It comes back by itself where its key still stands.\n",
                session);
    }
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    return fine ? 0 : -1;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* `flagstaff erase`: what the journal tells of a subject. */
#include <inttypes.h>
#include "cli_internal.h"

static uint64_t member(const struct fs_reply *reply, const char *name)
{
    return (uint64_t)json_integer_value(json_object_get(reply->json, name));
}

int fs_cli_erase(struct fs_cli_call *call, struct fs_err *err)
{
    const char *subject = call->config.positional[0];
    struct fs_reply reply = {0};
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/subjects");
    fs_query_add(&path, "subject", subject);
    struct fs_request request = {.method = "DELETE", .path = path.data, .wait = -1};
    bool fine = fs_client_ask(call, &request, &reply, err);
    bool found = json_is_true(json_object_get(reply.json, "found"));
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine && found)
        fprintf(call->out,
                "%s is erased: %" PRIu64 " bodies of entries, %" PRIu64 " contexts and inputs, %" PRIu64
                " lines of history.\n",
                subject, member(&reply, "bodies"), member(&reply, "texts"), member(&reply, "cells"));
    if (fine && member(&reply, "live"))
        fprintf(call->err,
                "%s is still known: somebody watches it, or asked a moment ago, and what changes for it from "
                "now on is "
                "written again. Erase it again when it has gone.\n",
                subject);
    if (fine && found && !fs_cli_json(call))
        fprintf(
            call->err,
            "Not searched: the reasons and authors of overrides about others, values of flags and facts of "
            "others, others' contexts in which it does not act, names of credentials, and backups.\n");
    if (fine && !found)
        fine = fs_fail(
            err, FS_ERR_NOT_FOUND,
            "nothing is told of a subject %.100s, so nothing was erased: is the name written as in its "
            "context? flagstaff contexts shows those that are known",
            subject);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    return fine ? 0 : -1;
}

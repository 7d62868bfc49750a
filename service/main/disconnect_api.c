/* SPDX-License-Identifier: Apache-2.0 */
/* DELETE /v1/clients/{session}: an operator ends a connection. That it was ordered is an entry, and at its
 * commit the connection is told to go; its client may come back. */
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"

#define REASON_MAX   1024
#define RECONNECT_MS 1000

static bool submit(struct fs_daemon *daemon, const struct fs_net_message *message, const char *session,
                   const char *reason, struct fs_err *err)
{
    const struct fs_wait none = {0};
    json_t *root = json_pack("{s:s, s:s, s:s, s:s*}", "action", "disconnect", "session", session, "author",
                             message->credential->id, "reason", reason);
    struct fs_new_entry entry = {.kind = FS_ENTRY_OPERATOR};
    entry.body = fs_json_canonical_text(root, SIZE_MAX, &entry.length);
    json_decref(root);
    struct fs_submission *submission = fs_submission_create(message->connection, 1, &none);
    submission->silent = true;
    return fs_submission_send(daemon, submission, &entry) ||
           fs_fail(err, FS_ERR_UNAVAILABLE,
                   "nothing is disconnected: the journal takes nothing now, try again");
}

void fs_api_disconnect(struct fs_daemon *daemon, struct fs_net_message *message, const char *session)
{
    struct fs_err err = {0};
    char *reason = fs_http_query(message->request, "reason");
    if (reason && (strlen(reason) > REASON_MAX || !fs_utf8_valid(reason, strlen(reason))))
        fs_fail(&err, FS_ERR_INVALID, "reason: a text of at most %d bytes", REASON_MAX);
    else if (!fs_engine_has_session(daemon->engine, session))
        fs_fail(&err, FS_ERR_NOT_FOUND, "no client is connected as %.60s", session);
    else
        submit(daemon, message, session, reason, &err);
    if (err.code)
        fs_api_error(daemon->server, message->connection, &err);
    fs_free(reason);
}

void fs_disconnect_committed(struct fs_daemon *daemon, const char *body, size_t length)
{
    struct fs_err ignored;
    json_t *root = fs_json_read(body, length, 4, &ignored);
    const char *session = fs_json_text(root, "session");
    if (session)
        fs_engine_end_session(daemon->engine, session, "disconnect", "an operator ended this connection",
                              RECONNECT_MS, 1001);
    json_decref(root);
}

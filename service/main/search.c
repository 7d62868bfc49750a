/* SPDX-License-Identifier: Apache-2.0 */
/* Requests that the engine answers when it has looked through many contexts, or has asked a source: dry runs,
 * who has what, what a source says. */
#include "base/alloc.h"
#include "daemon.h"

bool fs_dry_run_read(const struct fs_http_request *request, bool *dry, struct fs_err *err)
{
    char *text = fs_http_query(request, "dry_run");
    *dry = text && !strcmp(text, "true");
    bool fine =
        !text || *dry || !strcmp(text, "false") || fs_fail(err, FS_ERR_INVALID, "dry_run is true or false");
    fs_free(text);
    return fine;
}

uint64_t fs_search_begin(struct fs_daemon *daemon, const struct fs_net_message *message,
                         enum fs_search search)
{
    struct fs_waiting *waiting = fs_waiting_create(daemon, FS_WAITS_SEARCH, message->connection);
    waiting->search = search;
    waiting->may_read = fs_credential_may(message->credential, FS_SCOPE_READ);
    waiting->since = fs_clock_nanos();
    return waiting->token;
}

void fs_search_refuse(struct fs_daemon *daemon, uint64_t token, const struct fs_err *err)
{
    fs_search_found(daemon, token, NULL, err);
}

/* Who may not read sees how many, and not who. */
static void trim_dry_run(const struct fs_waiting *waiting, json_t *result)
{
    if (!waiting->may_read) {
        json_object_del(result, "changes");
        json_object_del(result, "more");
    }
    json_object_set_new(result, "dry_run", json_true());
}

void fs_search_found(void *self, uint64_t token, json_t *result, const struct fs_err *err)
{
    struct fs_daemon *daemon = self;
    struct fs_waiting *waiting = fs_waiting_take(daemon, token);
    if (!waiting) {
        json_decref(result);
        return;
    }
    if (result && waiting->search == FS_SEARCH_DRY_RUN)
        trim_dry_run(waiting, result);
    if (result && waiting->search == FS_SEARCH_ANSWER)
        json_object_set_new(result, "tookMs", json_real((double)(fs_clock_nanos() - waiting->since) / 1e6));
    if (result)
        fs_api_reply(daemon->server, waiting->request, 200, result);
    else
        fs_api_error(daemon->server, waiting->request, err);
    fs_waiting_destroy(waiting);
}

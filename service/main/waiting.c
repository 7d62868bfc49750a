/* SPDX-License-Identifier: Apache-2.0 */
/* Requests whose answer comes later: what each waits for, by the token that comes back with it. */
#include "base/alloc.h"
#include "daemon.h"

struct fs_waiting *fs_waiting_create(struct fs_daemon *daemon, enum fs_waiting_kind kind, uint64_t request)
{
    struct fs_waiting *waiting = FS_NEW(struct fs_waiting);
    waiting->token = ++daemon->next_token;
    waiting->kind = kind;
    waiting->request = request;
    fs_map_set(&daemon->waiting, &waiting->token, sizeof waiting->token, waiting);
    if (kind != FS_WAITS_COMMIT)
        fs_map_set(&daemon->waiting_requests, &waiting->request, sizeof waiting->request, waiting);
    return waiting;
}

struct fs_waiting *fs_waiting_take(struct fs_daemon *daemon, uint64_t token)
{
    struct fs_waiting *waiting = fs_map_remove(&daemon->waiting, &token, sizeof token);
    if (waiting && waiting->kind != FS_WAITS_COMMIT)
        fs_map_remove(&daemon->waiting_requests, &waiting->request, sizeof waiting->request);
    return waiting;
}

void fs_waiting_forget(struct fs_daemon *daemon, uint64_t request)
{
    struct fs_waiting *waiting = fs_map_get(&daemon->waiting_requests, &request, sizeof request);
    if (!waiting)
        return;
    if (waiting->kind == FS_WAITS_RECEIPT)
        fs_engine_receipt_forget(daemon->engine, waiting->token);
    if (waiting->kind == FS_WAITS_SEARCH)
        fs_engine_search_forget(daemon->engine, waiting->token);
    fs_waiting_destroy(fs_waiting_take(daemon, waiting->token));
}

void fs_waiting_destroy(struct fs_waiting *waiting)
{
    if (!waiting)
        return;
    fs_context_text_finish(&waiting->context);
    fs_credential_unref(waiting->credential);
    fs_free(waiting->etag);
    fs_free(waiting->config_etag);
    fs_free(waiting->base_url);
    fs_free(waiting->flag);
    fs_free(waiting);
}

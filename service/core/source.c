/* SPDX-License-Identifier: Apache-2.0 */
/* Making and ending the requests that adapters hand over. What is in them is the adapters'. */
#include "base/alloc.h"
#include "core/source.h"

struct fs_exchange *fs_exchange_create(const char *method, char *path_owned, char *body_owned,
                                       size_t body_length)
{
    struct fs_exchange *exchange = FS_NEW(struct fs_exchange);
    fs_list_init(&exchange->node);
    exchange->method = method;
    exchange->path = path_owned;
    exchange->body = body_owned;
    exchange->body_length = body_length;
    return exchange;
}

void fs_exchange_destroy(struct fs_exchange *exchange)
{
    if (!exchange)
        return;
    fs_list_remove(&exchange->node);
    fs_free(exchange->path);
    fs_free(exchange->content_type);
    fs_free(exchange->body);
    fs_free(exchange->questions);
    fs_free(exchange->state);
    fs_free(exchange);
}

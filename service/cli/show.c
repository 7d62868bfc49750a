/* SPDX-License-Identifier: Apache-2.0 */
/* What the commands do that show a list of the daemon's. */
#include "cli_internal.h"

int fs_cli_show(struct fs_cli_call *call, const char *path, const char *name, const char *const *heads,
                void (*add)(struct fs_table *table, const json_t *one), const char *empty, struct fs_err *err)
{
    struct fs_reply reply = {0};
    int status = -1;
    if (fs_client_get(call, path, &reply, err)) {
        const json_t *list = json_object_get(reply.json, name);
        status = 0;
        if (fs_cli_json(call)) {
            fs_cli_print_json(call, reply.json);
        } else {
            struct fs_table table;
            fs_table_init(&table, heads);
            for (size_t i = 0; i < json_array_size(list); i++)
                add(&table, json_array_get(list, i));
            fs_table_print(&table, call, empty);
            fs_table_finish(&table);
            const json_t *next = json_object_get(reply.json, "next");
            if (json_is_integer(next))
                fprintf(call->err, "there are more: --after %lld\n", (long long)json_integer_value(next));
            else if (next)
                fprintf(call->err, "there are more: --limit shows up to 10000\n");
        }
    }
    fs_reply_finish(&reply);
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff get: a subject's flags now, over OFREP (https://github.com/open-feature/protocol), as any
 * OpenFeature client asks. */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"

static void add_row(struct fs_table *table, const json_t *flag)
{
    const char *reason = json_string_value(json_object_get(flag, "reason"));
    const json_t *metadata = json_object_get(flag, "metadata");
    const char *error = json_string_value(json_object_get(metadata, "flagstaff.error"));
    const char *details = json_string_value(json_object_get(flag, "errorDetails"));
    bool failed = json_object_get(flag, "errorCode") != NULL;
    fs_table_take(table, fs_cli_member(flag, "key"));
    fs_table_take(table, fs_cli_value(json_object_get(flag, "value")));
    fs_table_take(table, fs_cli_member(flag, "variant"));
    char *shown = fs_cli_member(flag, failed ? "errorCode" : "reason");
    fs_table_paint(table, shown, failed ? FS_COLOR_BAD : fs_reason_color(reason));
    fs_free(shown);
    fs_table_add(table, error ? error : details ? details : "");
}

static void print_flags(const struct fs_cli_call *call, const json_t *answer)
{
    static const char *const heads[] = {"FLAG", "VALUE", "VARIANT", "REASON", "NOTE", NULL};
    const json_t *list = json_object_get(answer, "flags");
    struct fs_table table;
    fs_table_init(&table, heads);
    if (!list)
        add_row(&table, answer);
    for (size_t i = 0; i < json_array_size(list); i++)
        add_row(&table, json_array_get(list, i));
    fs_table_print(&table, call, "no flag is visible to this key");
    fs_table_finish(&table);
}

/* Who asks for one flag finds it there, who asks for all beside the list. */
static void print_dropped(const struct fs_cli_call *call, const json_t *answer)
{
    const json_t *metadata = json_object_get(answer, "metadata");
    const char *dropped = json_string_value(json_object_get(metadata, "flagstaff.dropped"));
    if (dropped)
        fprintf(call->err, "flagstaff get: the key may not set these attributes: %s\n", dropped);
}

int fs_cli_get(struct fs_cli_call *call, struct fs_err *err)
{
    struct fs_reply reply = {0};
    struct fs_buf path;
    json_t *context = fs_cli_context(call, call->config.positional[0], err);
    int status = -1;
    if (!context)
        return -1;
    json_t *root = json_pack("{s:o}", "context", context);
    char *body = json_dumps(root, JSON_COMPACT);
    json_decref(root);
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/ofrep/v1/evaluate/flags");
    if (call->config.positional_count > 1) {
        fs_buf_addc(&path, '/');
        fs_percent_encode(&path, call->config.positional[1]);
    }
    struct fs_request request = {.method = "POST", .path = path.data, .body = body};
    if (fs_client_ask(call, &request, &reply, err)) {
        status = 0;
        if (fs_cli_json(call))
            fs_cli_print_json(call, reply.json);
        else
            print_flags(call, reply.json);
        print_dropped(call, reply.json);
    }
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    free(body); /* jansson's */
    return status;
}

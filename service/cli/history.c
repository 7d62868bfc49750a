/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff history: what changed for whom, the latest first. */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"

#define LATEST "20" /* changes that are shown unless said otherwise */
#define MOST   1000 /* that the daemon tells in one answer */

static void add_change(struct fs_table *table, const json_t *change)
{
    const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");
    const char *reason = json_string_value(json_object_get(to, "reason"));
    if (json_is_true(json_object_get(change, "withdrawn")))
        reason = "withdrawn"; /* what `from` says was written, and never came to be */
    if (json_is_true(json_object_get(change, "ended")))
        reason = "ended"; /* nothing is told of it from here on */
    bool takes_away = json_is_true(json_object_get(change, "takesAway"));
    char *before = json_is_object(from) ? fs_cli_value(json_object_get(from, "value")) : fs_strdup("(first)");
    char *after = fs_cli_value(json_object_get(to, "value")), *both = fs_format("%s -> %s", before, after);
    fs_table_take(table, fs_cli_member(change, "time"));
    fs_table_take(table, fs_cli_member(change, "entry"));
    fs_table_take(table, fs_cli_subjects(json_object_get(change, "contexts")));
    fs_table_take(table, fs_cli_member(change, "flag"));
    fs_table_paint(table, both, takes_away ? FS_COLOR_BAD : FS_COLOR_NONE);
    fs_table_paint(table, reason, fs_reason_color(reason));
    fs_table_take(table, fs_cli_cause_text(change));
    fs_free(before);
    fs_free(after);
    fs_free(both);
}

int fs_cli_history(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"TIME",   "ENTRY",  "SUBJECT", "FLAG",
                                        "CHANGE", "REASON", "CAUSE",   NULL};
    const struct fs_config *config = &call->config;
    struct fs_buf path;
    if (fs_config_said(config, FS_OPT_LIMIT) && fs_config_number(config, FS_OPT_LIMIT) > MOST) {
        fs_fail(err, FS_ERR_USAGE, "--limit: history shows %d changes at once; --before ENTRY goes on", MOST);
        return -1;
    }
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/history");
    fs_query_add(&path, "subject", config->positional[0]);
    fs_query_add(&path, "flag", config->positional_count > 1 ? config->positional[1] : NULL);
    fs_query_option(&path, config, FS_OPT_LIMIT);
    fs_query_add(&path, "limit", fs_config_said(config, FS_OPT_LIMIT) ? NULL : LATEST);
    fs_query_option(&path, config, FS_OPT_BEFORE);
    int status = fs_cli_show(call, path.data, "changes", heads, add_change,
                             "the journal tells of no such change", err);
    fs_buf_finish(&path);
    return status;
}

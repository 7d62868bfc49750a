/* SPDX-License-Identifier: Apache-2.0 */
/* The commands that show one list each (clients, contexts, flags, overrides, who has what), and the two that
 * hand a file through (backup, opa-module). */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "cli_internal.h"

static void add_client(struct fs_table *table, const json_t *one)
{
    fs_table_take(table, fs_cli_member(one, "session"));
    char *name = fs_cli_member(one, "client"), *version = fs_cli_member(one, "version");
    fs_table_take(table, strcmp(version, "-") == 0 ? fs_strdup(name) : fs_format("%s %s", name, version));
    fs_free(name);
    fs_free(version);
    fs_table_take(table, fs_cli_member(one, "channel"));
    fs_table_judge(table, one, "state", "current", "behind");
    fs_table_take(table, fs_cli_member(one, "acknowledged"));
    fs_table_take(table, fs_cli_member(one, "credential"));
    fs_table_take(table, fs_cli_member(one, "address"));
    fs_table_take(table, fs_cli_member(one, "leaseUntil"));
    fs_table_take(table, fs_cli_subjects(json_object_get(one, "watches")));
}

/* A list that comes in pages. `subject`: of this one; NULL: of all. */
static int show_page(struct fs_cli_call *call, const char *route, const char *subject, const char *name,
                     const char *const *heads, void (*add)(struct fs_table *table, const json_t *one),
                     const char *empty, struct fs_err *err)
{
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, route);
    fs_query_add(&path, "subject", subject);
    fs_query_option(&path, &call->config, FS_OPT_LIMIT);
    fs_query_option(&path, &call->config, FS_OPT_AFTER);
    int status = fs_cli_show(call, path.data, name, heads, add, empty, err);
    fs_buf_finish(&path);
    return status;
}

int fs_cli_clients(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"SESSION", "CLIENT",  "CHANNEL",     "STATE",    "ACKNOWLEDGED",
                                        "KEY",     "ADDRESS", "LEASE UNTIL", "SUBJECTS", NULL};
    return show_page(call, "/v1/clients", NULL, "clients", heads, add_client,
                     "nobody is connected: flagstaff watch SUBJECT is a client", err);
}

static void add_context(struct fs_table *table, const json_t *one)
{
    fs_table_take(table, fs_cli_member(one, "subject"));
    fs_table_take(table, fs_cli_member(one, "watches"));
    fs_table_take(table, fs_cli_member(one, "hash"));
    fs_table_take(table, fs_cli_member(one, "context"));
}

int fs_cli_contexts(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"SUBJECT", "WATCHES", "HASH", "CONTEXT", NULL};
    return show_page(call, "/v1/contexts", call->config.positional[0], "contexts", heads, add_context,
                     "nobody is watched, nobody asked a moment ago, and nobody is behind --after", err);
}

static void add_flag(struct fs_table *table, const json_t *one)
{
    struct fs_buf sources;
    const json_t *list = json_object_get(one, "sources");
    fs_buf_init(&sources, 65536);
    for (size_t i = 0; i < json_array_size(list); i++)
        fs_buf_addf(&sources, "%s%s", i ? ", " : "", json_string_value(json_array_get(list, i)));
    fs_table_take(table, fs_cli_member(one, "key"));
    fs_table_take(table, fs_cli_member(one, "type"));
    bool enabled = json_is_true(json_object_get(one, "enabled"));
    fs_table_paint(table, enabled ? "enabled" : "disabled", enabled ? FS_COLOR_NONE : FS_COLOR_WARN);
    fs_table_add(table, json_is_true(json_object_get(one, "access")) ? "access" : "-");
    fs_table_take(table, fs_cli_member(one, "visibility"));
    fs_table_add(table, sources.data);
    char *file = fs_cli_member(one, "file"), *line = fs_cli_member(one, "line");
    fs_table_take(table, fs_format("%s:%s", file, line));
    fs_free(file);
    fs_free(line);
    fs_buf_finish(&sources);
}

int fs_cli_flags(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"FLAG",       "TYPE",    "STATE",      "KIND",
                                        "VISIBILITY", "SOURCES", "DEFINED IN", NULL};
    return fs_cli_show(call, "/v1/flags", "flags", heads, add_flag,
                       "no flags are defined: flagstaff serve --flags FILE", err);
}

static void add_override(struct fs_table *table, const json_t *one)
{
    char *kind = fs_cli_member(one, "kind");
    char *name = fs_cli_member(one, json_object_get(one, "authorName") ? "authorName" : "author");
    const char *subject = json_string_value(json_object_get(one, "subject"));
    fs_table_take(table, fs_cli_member(one, "id"));
    fs_table_take(table, fs_cli_member(one, "flag"));
    fs_table_add(table, subject ? subject : "(everybody)");
    fs_table_paint(table, kind, strcmp(kind, "kill") == 0 ? FS_COLOR_BAD : FS_COLOR_WARN);
    fs_table_take(table, fs_cli_member(one, "variant"));
    fs_table_take(table, name);
    fs_table_take(table, fs_cli_member(one, "time"));
    fs_table_take(table, fs_cli_member(one, "expires"));
    fs_table_take(table, fs_cli_member(one, "reason"));
    fs_table_take(table, fs_cli_member(one, "idle"));
    fs_free(kind);
}

int fs_cli_overrides(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"ENTRY", "FLAG",    "SUBJECT", "KIND",           "VARIANT", "BY",
                                        "SINCE", "EXPIRES", "REASON",  "WITHOUT EFFECT", NULL};
    return fs_cli_show(call, "/v1/overrides", "overrides", heads, add_override, "nothing is overridden", err);
}

static void add_holder(struct fs_table *table, const json_t *one)
{
    const char *reason = json_string_value(json_object_get(one, "reason"));
    fs_table_take(table, fs_cli_member(one, "subject"));
    fs_table_take(table, fs_cli_member(one, "variant"));
    fs_table_take(table, fs_cli_value(json_object_get(one, "value")));
    fs_table_paint(table, reason, fs_reason_color(reason));
    fs_table_take(table, fs_cli_member(one, "override"));
    fs_table_take(table, fs_cli_member(one, "since"));
    fs_table_take(table, fs_cli_member(one, "contextHash"));
}

int fs_cli_who(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"SUBJECT",  "VARIANT", "VALUE",   "REASON",
                                        "OVERRIDE", "SINCE",   "CONTEXT", NULL};
    const struct fs_config *config = &call->config;
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/who");
    fs_query_add(&path, "flag", config->positional[0]);
    fs_query_add(&path, "variant", config->positional_count > 1 ? config->positional[1] : NULL);
    fs_query_option(&path, config, FS_OPT_LIMIT);
    int status = fs_cli_show(call, path.data, "contexts", heads, add_holder,
                             "nobody: the flag is not watched now, or nobody has that variant", err);
    fs_buf_finish(&path);
    return status;
}

int fs_cli_backup(struct fs_cli_call *call, struct fs_err *err)
{
    const char *name = call->config.positional[0];
    char folder[4096] = "";
    struct fs_reply reply = {0};
    if (name[0] != '/' && !getcwd(folder, sizeof folder))
        return fs_fail(err, FS_ERR_GENERAL, "the current directory is not known: %m; give an absolute path")
                   ? 0
                   : -1;
    char *file = name[0] == '/' ? fs_strdup(name) : fs_format("%s/%s", folder, name);
    json_t *root = json_pack("{s:s}", "file", file);
    char *body = root ? json_dumps(root, JSON_COMPACT) : NULL;
    struct fs_request request = {
        .method = "POST", .path = "/v1/backup", .body = body ? body : "{}", .wait = -1};
    bool fine = fs_client_ask(call, &request, &reply, err);
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine)
        fprintf(call->out, "%s\n", file);
    fs_reply_finish(&reply);
    json_decref(root);
    free(body); /* jansson's */
    fs_free(file);
    return fine ? 0 : -1;
}

int fs_cli_opa_module(struct fs_cli_call *call, struct fs_err *err)
{
    struct fs_reply reply = {0};
    struct fs_buf path;
    const char *const *sources = fs_config_list(&call->config, FS_OPT_SOURCE);
    if (sources[0] && sources[1])
        return fs_fail(err, FS_ERR_USAGE, "--source: one at a time") ? 0 : -1;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/opa-module");
    fs_query_add(&path, "source", sources[0]);
    struct fs_request request = {.method = "GET", .path = path.data};
    bool fine = fs_client_ask(call, &request, &reply, err);
    if (fine)
        fwrite(reply.text ? reply.text : "", 1, reply.length, call->out);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    return fine ? 0 : -1;
}

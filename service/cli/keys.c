/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff keys add | list | revoke. */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "cli_internal.h"

static void set_text(json_t *object, const char *name, const char *text)
{
    if (text)
        json_object_set_new(object, name, json_string(text));
}

static bool scopes_exist(const char *const *scopes, struct fs_err *err)
{
    static const char *const known[] = {"evaluate", "evaluate:any", "tickets", "events",     "metrics",
                                        "read",     "operate",      "admin",   "facts:NAME", "status:SOURCE"};
    const size_t count = sizeof known / sizeof *known;
    for (; *scopes; scopes++) {
        bool fine = strncmp(*scopes, "facts:", 6) == 0 || strncmp(*scopes, "status:", 7) == 0;
        for (size_t i = 0; i < count; i++)
            fine = fine || strcmp(*scopes, known[i]) == 0;
        const char *meant = fs_suggest(*scopes, known, count);
        if (!fine)
            return fs_fail(err, FS_ERR_USAGE,
                           "--scope %.60s: there is no such scope%s%s%s; there are evaluate, evaluate:any, "
                           "tickets, events, "
                           "facts:NAME, status:SOURCE, metrics, read, operate and admin",
                           *scopes, meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
    }
    return true;
}

/* What the new key is to be. NULL with err. */
static json_t *describe(const struct fs_config *config, struct fs_err *err)
{
    const char *const *subjects = fs_config_list(config, FS_OPT_SUBJECT);
    const char *actor = fs_config_text(config, FS_OPT_ACTOR);
    if (!fs_config_list(config, FS_OPT_SCOPE)[0] && !fs_config_list(config, FS_OPT_EVENT_TYPE)[0]) {
        fs_fail(err, FS_ERR_USAGE, "what may the key do? Say --scope SCOPE; see: flagstaff keys --help");
        return NULL;
    }
    if (!scopes_exist(fs_config_list(config, FS_OPT_SCOPE), err) || !fs_cli_ends_later(config, err))
        return NULL;
    if (subjects[0] && subjects[1]) {
        fs_fail(err, FS_ERR_USAGE, "--subject: a key is bound to one subject");
        return NULL;
    }
    json_t *attributes = fs_cli_pairs(fs_config_list(config, FS_OPT_ATTRIBUTE), "--attribute", err);
    if (!attributes)
        return NULL;
    json_t *description = json_object();
    set_text(description, "name", fs_config_text(config, FS_OPT_NAME));
    set_text(description, "subject", subjects[0]);
    set_text(description, "expires", fs_config_text(config, FS_OPT_EXPIRES));
    fs_cli_set_list(description, "scopes", fs_config_list(config, FS_OPT_SCOPE));
    fs_cli_set_list(description, "mayAdd", fs_config_list(config, FS_OPT_MAY_ADD));
    fs_cli_set_list(description, "eventTypes", fs_config_list(config, FS_OPT_EVENT_TYPE));
    if (actor)
        json_object_set_new(description, "actor", json_pack("{s:s}", "key", actor));
    if (json_object_size(attributes))
        json_object_set(description, "attributes", attributes);
    json_decref(attributes);
    return description;
}

/* What the change has for a consequence that one may not have meant. */
static void warn(const struct fs_cli_call *call, const struct fs_reply *reply)
{
    const char *warning = json_string_value(json_object_get(reply->json, "warning"));
    if (warning)
        fprintf(call->err, "flagstaff keys: warning: %s\n", warning);
}

static int add(struct fs_cli_call *call, struct fs_err *err)
{
    struct fs_reply reply = {0};
    json_t *description = describe(&call->config, err);
    if (!description)
        return -1;
    char *body = json_dumps(description, JSON_COMPACT);
    struct fs_request request = {.method = "POST", .path = "/v1/keys", .body = body};
    bool fine = fs_client_ask(call, &request, &reply, err);
    const char *key = json_string_value(json_object_get(reply.json, "key")),
               *id = json_string_value(json_object_get(reply.json, "id"));
    if (fine && fs_cli_json(call)) {
        fs_cli_print_json(call, reply.json);
    } else if (fine) {
        fprintf(call->out, "%s\n", key ? key : "");
        fprintf(call->err, "This is the key %s. It is shown this once.\n", id ? id : "");
    }
    warn(call, &reply);
    if (reply.text)
        fs_wipe(reply.text, reply.length);
    fs_reply_finish(&reply);
    json_decref(description);
    free(body); /* jansson's */
    return fine ? 0 : -1;
}

static char *joined(const json_t *list)
{
    struct fs_buf out;
    fs_buf_init(&out, 65536);
    for (size_t i = 0; i < json_array_size(list); i++) {
        const char *text = json_string_value(json_array_get(list, i));
        fs_buf_addf(&out, "%s%s", i ? " " : "", text ? text : "");
    }
    char *text = fs_buf_take(&out, NULL);
    fs_buf_finish(&out);
    return text ? text : fs_strdup("");
}

static char *moment(const json_t *value)
{
    char text[32];
    if (json_is_integer(value) && json_integer_value(value) > 0)
        return fs_strdup(fs_format_rfc3339(json_integer_value(value), text));
    return fs_strdup(json_is_string(value) ? json_string_value(value) : "-");
}

static void add_key(struct fs_table *table, const json_t *key)
{
    fs_table_take(table, fs_cli_member(key, "id"));
    fs_table_take(table, fs_cli_member(key, "name"));
    fs_table_take(table, fs_cli_member(key, "subject"));
    fs_table_take(table, moment(json_object_get(key, "created")));
    fs_table_take(table, moment(json_object_get(key, "expires")));
    fs_table_take(table, joined(json_object_get(key, "scopes")));
}

static int list(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"ID", "NAME", "SUBJECT", "CREATED", "EXPIRES", "SCOPES", NULL};
    return fs_cli_show(call, "/v1/keys", "keys", heads, add_key,
                       "there are no keys: flagstaff keys add makes one", err);
}

static int revoke(struct fs_cli_call *call, const char *id, struct fs_err *err)
{
    struct fs_reply reply = {0};
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/keys/");
    fs_percent_encode(&path, id);
    struct fs_request request = {.method = "DELETE", .path = path.data};
    bool fine = fs_client_ask(call, &request, &reply, err);
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine)
        fprintf(call->err, "The key %s is revoked and its connections are closed.\n", id);
    warn(call, &reply);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    return fine ? 0 : -1;
}

int fs_cli_keys(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const verbs[] = {"add", "list", "revoke"};
    const char *verb = call->config.positional[0], *id = call->config.positional[1];
    bool adds = strcmp(verb, "add") == 0, lists = strcmp(verb, "list") == 0,
         revokes = strcmp(verb, "revoke") == 0;
    const char *meant = fs_suggest(verb, verbs, 3);
    if (fs_config_true(&call->config, FS_OPT_CREATE) &&
        (!adds || call->config.values[FS_OPT_DATA].origin != FS_ORIGIN_ARGUMENT))
        return fs_fail(err, FS_ERR_USAGE, "--create goes with keys add --data DIRECTORY") ? 0 : -1;
    if (!adds && !lists && !revokes)
        return fs_fail(err, FS_ERR_USAGE, "%.40s: expected add, list or revoke%s%s%s", verb,
                       meant ? "; did you mean " : "", meant ? meant : "", meant ? "?" : "")
                   ? 0
                   : -1;
    if (revokes != (id != NULL))
        return fs_fail(err, FS_ERR_USAGE,
                       revokes ? "revoke: which key? flagstaff keys list shows the ids"
                               : "%s takes options only",
                       verb)
                   ? 0
                   : -1;
    return adds ? add(call, err) : lists ? list(call, err) : revoke(call, id, err);
}

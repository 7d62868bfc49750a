/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff trigger: one event made of options, or a file sent as it is; with --wait the receipt. */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "base/digest.h"
#include "cli_internal.h"

#define FILE_MAX_BYTES (16 * 1024 * 1024)

static json_t *recompute_data(const struct fs_config *config)
{
    json_t *data = json_object();
    fs_cli_set_list(data, "subjects", fs_config_list(config, FS_OPT_SUBJECT));
    fs_cli_set_list(data, "sources", fs_config_list(config, FS_OPT_SOURCE));
    fs_cli_set_list(data, "paths", fs_config_list(config, FS_OPT_PATH));
    fs_cli_set_list(data, "flags", fs_config_list(config, FS_OPT_FLAG));
    return data;
}

/* One change; each subject gets the same. */
static json_t *change_for(const struct fs_config *config, const char *subject, json_t *facts)
{
    char ttl[32];
    json_t *change = json_pack("{s:s}", "subject", subject);
    if (json_object_size(facts))
        json_object_set(change, "facts", facts);
    fs_cli_set_list(change, "remove", fs_config_list(config, FS_OPT_REMOVE));
    if (fs_config_said(config, FS_OPT_TTL))
        json_object_set_new(change, "ttl",
                            json_string(fs_format_duration(fs_config_number(config, FS_OPT_TTL), ttl)));
    if (fs_config_said(config, FS_OPT_EXPIRES))
        json_object_set_new(change, "expires", json_string(fs_config_text(config, FS_OPT_EXPIRES)));
    return change;
}

static json_t *facts_data(const struct fs_config *config, struct fs_err *err)
{
    const char *const *subjects = fs_config_list(config, FS_OPT_SUBJECT);
    static const enum fs_option_id filters[] = {FS_OPT_FLAG, FS_OPT_SOURCE, FS_OPT_PATH};
    for (size_t i = 0; i < sizeof filters / sizeof *filters; i++) {
        if (fs_config_said(config, filters[i])) {
            fs_fail(err, FS_ERR_USAGE,
                    "%s narrows what is asked again; with --fact or --remove it has no meaning",
                    fs_option(filters[i])->argument);
            return NULL;
        }
    }
    if (!subjects[0]) {
        fs_fail(err, FS_ERR_USAGE, "whose facts? Say --subject SUBJECT");
        return NULL;
    }
    json_t *facts = fs_cli_pairs(fs_config_list(config, FS_OPT_FACT), "--fact", err);
    if (!facts)
        return NULL;
    json_t *changes = json_array();
    for (; *subjects; subjects++)
        json_array_append_new(changes, change_for(config, *subjects, facts));
    json_t *data = json_array_size(changes) == 1 ? json_incref(json_array_get(changes, 0))
                                                 : json_pack("{s:O}", "changes", changes);
    json_decref(changes);
    json_decref(facts);
    return data;
}

/* The event as JSON text. Owned by the caller, free(); NULL with err. */
static char *make_event(const struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    bool sets = fs_config_said(config, FS_OPT_FACT), facts = sets || fs_config_said(config, FS_OPT_REMOVE);
    const char *id = fs_config_text(config, FS_OPT_ID);
    unsigned char random[16];
    char hex[2 * sizeof random + 1], time[32];
    if (!sets && (fs_config_said(config, FS_OPT_TTL) || fs_config_said(config, FS_OPT_EXPIRES))) {
        fs_fail(err, FS_ERR_USAGE,
                "--ttl and --expires go with --fact: they say how long a fact holds that is set");
        return NULL;
    }
    if (!fs_cli_ends_later(config, err))
        return NULL;
    json_t *data = facts ? facts_data(config, err) : recompute_data(config);
    if (!data)
        return NULL;
    fs_random(random, sizeof random);
    json_t *event = json_pack("{s:s, s:s, s:s, s:s, s:o}", "specversion", "1.0", "id",
                              id ? id : fs_hex(random, sizeof random, hex), "source", "/flagstaff/cli",
                              "type", facts ? "flagstaff.facts" : "flagstaff.recompute", "data", data);
    /* An event with a chosen id may be sent again, and then it must have the same content: no time in it. */
    struct fs_clock clock = fs_clock_system();
    if (!id)
        json_object_set_new(event, "time", json_string(fs_format_rfc3339(fs_clock_now(&clock).wall, time)));
    char *text = json_dumps(event, JSON_COMPACT);
    json_decref(event);
    return text;
}

/* A file's text, for free(); NULL with err. */
static char *read_event(const char *path, struct fs_err *err)
{
    bool standard = strcmp(path, "-") == 0;
    FILE *file = standard ? stdin : fopen(path, "rb");
    if (!file) {
        fs_fail(err, errno == ENOENT ? FS_ERR_NOT_FOUND : FS_ERR_USAGE, "%s: %m", path);
        return NULL;
    }
    json_error_t why;
    json_t *json = json_loadf(file, JSON_REJECT_DUPLICATES, &why);
    char *text = NULL;
    if (json)
        text = json_dumps(json, JSON_COMPACT);
    else
        fs_fail(err, FS_ERR_INVALID, "%s:%d:%d: %s", standard ? "standard input" : path, why.line, why.column,
                why.text);
    json_decref(json);
    if (!standard && fclose(file) != 0 && text) {
        fs_fail(err, FS_ERR_GENERAL, "%s: %m", path);
        free(text);
        text = NULL;
    }
    return text;
}

static bool no_file_and_options(const struct fs_config *config, struct fs_err *err)
{
    static const enum fs_option_id options[] = {FS_OPT_SUBJECT, FS_OPT_FLAG,    FS_OPT_SOURCE,
                                                FS_OPT_PATH,    FS_OPT_FACT,    FS_OPT_REMOVE,
                                                FS_OPT_TTL,     FS_OPT_EXPIRES, FS_OPT_ID};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (fs_config_said(config, options[i]))
            return fs_fail(err, FS_ERR_USAGE, "%s: a file is sent as it is; give the file or options",
                           fs_option(options[i])->argument);
    return true;
}

/* Says what the event would change. An exit status. */
static int try_it(const struct fs_cli_call *call, struct fs_request *request, struct fs_buf *path,
                  struct fs_err *err)
{
    int64_t timeout = fs_config_number(&call->config, FS_OPT_WAIT_TIMEOUT);
    struct fs_reply reply = {0};
    char text[32];
    fs_query_add(path, "dry_run", "true");
    fs_query_add(path, "wait", fs_config_text(&call->config, FS_OPT_WAIT)); /* refused, with words */
    fs_query_add(path, "timeout", timeout ? fs_format_duration(timeout, text) : NULL);
    request->path = path->data;
    request->wait = timeout ? timeout : -1;
    request->patience = "still waiting: for a source's answer, or there are very many contexts";
    int status = fs_client_ask(call, request, &reply, err) ? fs_dry_run_print(call, reply.json) : -1;
    fs_reply_finish(&reply);
    return status;
}

int fs_cli_trigger(struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    const char *file = config->positional[0];
    struct fs_reply reply = {0};
    struct fs_buf path;
    int status = -1;
    if (file && !no_file_and_options(config, err))
        return -1;
    char *event = file ? read_event(file, err) : make_event(call, err);
    if (!event)
        return -1;
    fs_buf_init(&path, 4096);
    fs_buf_adds(&path, "/v1/events");
    struct fs_request request = {.method = "POST",
                                 .content_type = event[0] == '[' ? "application/cloudevents-batch+json"
                                                                 : "application/cloudevents+json",
                                 .body = event};
    if (fs_config_true(config, FS_OPT_DRY_RUN))
        status = try_it(call, &request, &path, err);
    else if (fs_receipt_ask(call, &request, &path, &reply, err))
        status = fs_receipt_conclude(call, reply.json,
                                     "no watched flag depends on what the event touched, or nobody watches "
                                     "such a subject",
                                     "the event stands, and flagstaff trigger with the same --id waits again",
                                     err);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    free(event); /* jansson's */
    return status;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff sources: how each is and how quickly it answers; and `sources test`, one question put by hand. */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"

/* The bound under which `share` of the answers came: a bucket's, so about. */
static char *latency(const json_t *source, double share)
{
    const json_t *histogram = json_object_get(source, "latency");
    const json_t *buckets = json_object_get(histogram, "buckets");
    double count = json_number_value(json_object_get(histogram, "count"));
    for (size_t i = 0; count > 0 && i < json_array_size(buckets); i++) {
        const json_t *bucket = json_array_get(buckets, i), *bound = json_object_get(bucket, "leMs");
        if (json_number_value(json_object_get(bucket, "count")) >= share * count)
            return json_is_number(bound) ? fs_format("<= %g ms", json_number_value(bound))
                                         : fs_strdup("> 1m");
    }
    return fs_strdup("-");
}

static void add_source(struct fs_table *table, const json_t *one)
{
    fs_table_take(table, fs_cli_member(one, "name"));
    fs_table_take(table, fs_cli_member(one, "type"));
    fs_table_judge(table, one, "state", "up", "down");
    fs_table_take(table, fs_cli_member(one, "revision"));
    fs_table_take(table, fs_cli_member(one, "changed"));
    fs_table_take(table, fs_cli_member(one, "asked"));
    fs_table_take(table, fs_cli_member(one, "failed"));
    fs_table_take(table, latency(one, 0.5));
    fs_table_take(table, latency(one, 0.99));
    fs_table_take(table, fs_cli_member(one, "since"));
    fs_table_take(table, fs_cli_member(one, "error"));
}

static int list(struct fs_cli_call *call, struct fs_err *err)
{
    static const char *const heads[] = {"SOURCE", "TYPE", "STATE", "REVISION", "CHANGED", "ASKED",
                                        "FAILED", "P50",  "P99",   "SINCE",    "ERROR",   NULL};
    static const enum fs_option_id options[] = {FS_OPT_SUBJECT, FS_OPT_FLAG, FS_OPT_ATTRIBUTE, FS_OPT_INPUT};
    for (size_t i = 0; i < sizeof options / sizeof *options; i++)
        if (fs_config_said(&call->config, options[i])) {
            fs_fail(err, FS_ERR_USAGE, "%s goes with: flagstaff sources test SOURCE",
                    fs_option(options[i])->argument);
            return -1;
        }
    return fs_cli_show(call, "/v1/sources", "sources", heads, add_source, "there are no sources", err);
}

/* The one text of an option; NULL: it was not said. False with err: there are several. */
static bool one_of(const struct fs_config *config, enum fs_option_id option, const char **text,
                   struct fs_err *err)
{
    const char *const *all = fs_config_list(config, option);
    *text = all[0];
    return !all[0] || !all[1] || fs_fail(err, FS_ERR_USAGE, "%s: one at a time", fs_option(option)->argument);
}

/* The question as JSON; NULL with err. New reference. */
static json_t *make_question(const struct fs_cli_call *call, const char *query, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    const char *subject, *flag, *input = fs_config_text(config, FS_OPT_INPUT);
    json_error_t why;
    if (!one_of(config, FS_OPT_SUBJECT, &subject, err) || !one_of(config, FS_OPT_FLAG, &flag, err))
        return NULL;
    if (!flag == !query || (flag && input)) {
        fs_fail(err, FS_ERR_USAGE,
                "what is to be asked? A QUERY, perhaps with --input JSON; or --flag FLAG --subject SUBJECT");
        return NULL;
    }
    json_t *question = json_object();
    json_t *value = input ? json_loads(input, JSON_REJECT_DUPLICATES, &why) : NULL;
    if (value)
        json_object_set_new(question, "input", value);
    if (input && !value) {
        fs_fail(err, FS_ERR_USAGE, "--input: column %d: %s", why.column, why.text);
        json_decref(question);
        return NULL;
    }
    if (query) /* a subject beside a query is whom a list of subjects is asked about */
        json_object_set_new(question, "kind", json_string(subject ? "users" : "path"));
    if (query)
        json_object_set_new(question, "query", json_string(query));
    if (subject)
        json_object_set_new(question, "subject", json_string(subject));
    if (!flag)
        return question;
    json_object_set_new(question, "flag", json_string(flag));
    json_t *attributes = fs_cli_pairs(fs_config_list(config, FS_OPT_ATTRIBUTE), "--attribute", err);
    if (attributes) {
        json_object_set_new(question, "context", attributes);
        return question;
    }
    json_decref(question);
    return NULL;
}

static void line(const struct fs_cli_call *call, const char *name, char *text_owned)
{
    char *clean = fs_cli_clean(text_owned);
    if (strcmp(text_owned, "-") != 0)
        fprintf(call->out, "  %-9s %s\n", name, clean);
    fs_free(clean);
    fs_free(text_owned);
}

static void print_answer(const struct fs_cli_call *call, const json_t *told)
{
    const json_t *error = json_object_get(told, "error"), *answer = json_object_get(told, "answer"),
                 *revision = json_object_get(told, "revision");
    char *source = fs_cli_member(told, "source"), *kind = fs_cli_member(told, "kind"),
         *query = fs_cli_member(told, "query"), *state = fs_cli_member(told, "state"),
         *value = fs_cli_value(answer);
    char *text = fs_format("%s %s %s: %s", source, kind, query, strcmp(state, "value") == 0 ? value : state);
    char *clean = fs_cli_clean(text);
    fprintf(call->out, "%s\n", clean);
    if (json_is_object(error))
        line(call, "error", fs_cli_member(error, "message"));
    line(call, "input", fs_cli_member(told, "input"));
    line(call, "subject", fs_cli_member(told, "subject"));
    if (json_is_string(revision))
        line(call, "revision", fs_cli_member(told, "revision"));
    line(call, "decision", fs_cli_member(told, "decision"));
    fprintf(call->out, "  %-9s %.1f ms\n", "took", json_number_value(json_object_get(told, "tookMs")));
    fs_free(source);
    fs_free(kind);
    fs_free(query);
    fs_free(state);
    fs_free(value);
    fs_free(text);
    fs_free(clean);
}

static int test(struct fs_cli_call *call, const char *source, const char *query, struct fs_err *err)
{
    struct fs_reply reply = {0};
    struct fs_buf path;
    json_t *question = make_question(call, query, err);
    char *body = question ? json_dumps(question, JSON_COMPACT) : NULL;
    json_decref(question);
    if (!body)
        return -1;
    fs_buf_init(&path, 4096);
    fs_buf_adds(&path, "/v1/sources/");
    fs_percent_encode(&path, source);
    fs_buf_adds(&path, "/test");
    struct fs_request request = {.method = "POST", .path = path.data, .body = body, .wait = 60000};
    bool fine = fs_client_ask(call, &request, &reply, err);
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine)
        print_answer(call, reply.json);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    free(body); /* jansson's */
    return fine ? 0 : -1;
}

int fs_cli_sources(struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    size_t count = config->positional_count;
    if (!count)
        return list(call, err);
    if (strcmp(config->positional[0], "test") == 0 && count > 1)
        return test(call, config->positional[1], count > 2 ? config->positional[2] : NULL, err);
    fs_fail(err, FS_ERR_USAGE, "expected: flagstaff sources, or flagstaff sources test SOURCE [QUERY]");
    return -1;
}

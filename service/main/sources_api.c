/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/sources: how each is, how quickly it answers, and what it says to a question that is put by hand. */
#include "base/alloc.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"

/* The buckets count as Prometheus' do: what is not above the bound; the last, without one, is all. */
static json_t *describe_latency(const struct fs_histogram *histogram)
{
    json_t *buckets = json_array();
    uint64_t below = 0;
    for (size_t i = 0; i <= FS_HISTOGRAM_BUCKETS; i++) {
        below += histogram->counts[i];
        json_t *bound =
            i < FS_HISTOGRAM_BUCKETS ? json_real(fs_histogram_bounds(histogram)[i] * 1000) : json_null();
        json_array_append_new(buckets, json_pack("{s:o, s:I}", "leMs", bound, "count", (json_int_t)below));
    }
    return json_pack("{s:o, s:I, s:f}", "buckets", buckets, "count", (json_int_t)below, "sumMs",
                     histogram->sum * 1000);
}

void fs_api_sources(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    json_t *list = fs_engine_show_sources(daemon->engine, fs_daemon_now(daemon));
    for (size_t i = 0; i < json_array_size(list) && i < daemon->source_count; i++)
        json_object_set_new(json_array_get(list, i), "latency", describe_latency(&daemon->source_seconds[i]));
    fs_api_reply(daemon->server, message->connection, 200, json_pack("{s:o}", "sources", list));
}

/* The member where it is a text; NULL: it is absent. False: it is something else. */
static bool take_text(const json_t *body, const char *name, const char **out, struct fs_err *err)
{
    const json_t *member = json_object_get(body, name);
    *out = json_string_value(member);
    return !member || json_is_string(member) || fs_fail(err, FS_ERR_INVALID, "%s: expected a text", name);
}

/* The context of whom the flag is to ask for: `context`, with `subject` as its targetingKey. New reference.
 */
static json_t *take_context(const json_t *body, const char *subject, struct fs_err *err)
{
    const json_t *context = json_object_get(body, "context");
    if (context && !json_is_object(context)) {
        fs_fail(err, FS_ERR_INVALID, "context: expected an object");
        return NULL;
    }
    json_t *whole = context ? json_copy((json_t *)(uintptr_t)context) : json_object();
    if (subject)
        json_object_set_new(whole, "targetingKey", json_string(subject));
    return whole;
}

static bool check(const struct fs_source_question *question, const json_t *body, struct fs_err *err)
{
    if (question->flag &&
        (json_object_get(body, "query") || json_object_get(body, "kind") || json_object_get(body, "input")))
        return fs_fail(err, FS_ERR_INVALID, "flag: give a flag, or kind, query and input");
    if (!question->flag && (json_object_get(body, "context") || question->decision))
        return fs_fail(err, FS_ERR_INVALID, "context, decision: they go with a flag");
    return question->flag || question->query ||
           fs_fail(err, FS_ERR_INVALID, "query: what is to be asked? Or give a flag and a subject");
}

static bool ask(struct fs_daemon *daemon, const struct fs_net_message *message, const json_t *body,
                const char *source, struct fs_err *err)
{
    static const char *const members[] = {"kind", "query",   "input",    "subject",
                                          "flag", "context", "decision", NULL};
    struct fs_source_question question = {.source = source, .input = json_object_get(body, "input")};
    if (!json_is_object(body))
        return fs_fail(err, FS_ERR_INVALID, "expected an object");
    if (!fs_json_members_known(body, members, "", FS_ERR_INVALID, err) ||
        !take_text(body, "kind", &question.kind, err) || !take_text(body, "query", &question.query, err) ||
        !take_text(body, "subject", &question.subject, err) ||
        !take_text(body, "flag", &question.flag, err) ||
        !take_text(body, "decision", &question.decision, err) || !check(&question, body, err))
        return false;
    if (question.flag && !fs_credential_may(message->credential, FS_SCOPE_READ))
        return fs_fail(err, FS_ERR_FORBIDDEN,
                       "what a flag asks shows facts of its subject: that needs the scope read, too");
    json_t *context = take_context(body, question.subject, err);
    question.context = context;
    question.kind = question.kind ? question.kind : "path";
    if (context) {
        uint64_t token = fs_search_begin(daemon, message, FS_SEARCH_ANSWER);
        if (!fs_engine_ask_source(daemon->engine, &question, token, fs_daemon_now(daemon), err))
            fs_search_refuse(daemon, token, err);
        memset(err, 0, sizeof *err);
    }
    json_decref(context);
    return context != NULL;
}

/* POST /v1/sources/{source}/test */
void fs_api_ask_source(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    struct fs_err err = {0};
    const char *end = strrchr(rest, '/');
    json_t *body = NULL;
    char *source = end && !strcmp(end, "/test") ? fs_strndup(rest, (size_t)(end - rest)) : NULL;
    if (!source)
        fs_fail(&err, FS_ERR_NOT_FOUND, "a source is asked at /v1/sources/SOURCE/test");
    else
        body = fs_json_read(message->request->body, message->request->length, 64, &err);
    if (err.code || !ask(daemon, message, body, source, &err))
        fs_api_error(daemon->server, message->connection, &err);
    json_decref(body);
    fs_free(source);
}

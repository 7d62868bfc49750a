/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The OPA adapter's type: its options, which questions go which way, and how a question is settled. Pure:
 * requests out, responses in; the fetch thread runs them. docs/sources/opa.md tells what is asked and why.
 */
#include "opa_internal.h"
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "sources/endpoint.h"

static const char *const kinds[] = {"path", "users", NULL};
static const char *const own_members[] = {"revisionPath", "batch", "module", NULL};

static bool check_query(const char *kind, const char *query, struct fs_err *err)
{
    if (strcmp(kind, "path") != 0 && strcmp(kind, "users") != 0)
        return fs_fail(err, FS_ERR_FLAGS, "an OPA source knows 'path' and 'users', not '%s'", kind);
    return fs_opa_path_check(query, err) || fs_fail_in(err, "%s", kind);
}

static bool read_revision_path(struct fs_opa *opa, const char *name, const json_t *path, struct fs_err *err)
{
    if (!json_is_string(path))
        return fs_fail(err, FS_ERR_CONFIG,
                       "sources.%s.revisionPath: expected a document's path such as opal/revision", name);
    if (!fs_opa_path_check(json_string_value(path), err))
        return fs_fail_in(err, "sources.%s.revisionPath", name);
    opa->revision_path = fs_strdup(json_string_value(path));
    return true;
}

static bool read_options(struct fs_opa *opa, const char *name, const json_t *options,
                         struct fs_mistakes *mistakes)
{
    const json_t *batch = json_object_get(options, "batch"), *path = json_object_get(options, "revisionPath");
    const json_t *module = json_object_get(options, "module");
    struct fs_err err;
    bool all = true;
    if (batch && !json_is_boolean(batch))
        all = fs_mistake_new(mistakes, FS_ERR_CONFIG, "sources.%s.batch: expected true or false", name);
    if (path && !read_revision_path(opa, name, path, &err))
        all = fs_mistake(mistakes, &err);
    if (module && (!json_is_string(module) ||
                   !fs_opa_identifier(json_string_value(module), json_string_length(module))))
        all = fs_mistake_new(
            mistakes, FS_ERR_CONFIG,
            "sources.%s.module: expected a name of letters, digits and '_', such as flagstaff", name);
    opa->batch = !batch || json_is_true(batch);
    opa->module_id = fs_strdup(json_is_string(module) ? json_string_value(module) : FS_OPA_MODULE_DEFAULT);
    return all;
}

static void destroy(void *self)
{
    struct fs_opa *opa = self;
    if (!opa)
        return;
    fs_opa_module_finish(&opa->module);
    fs_free(opa->name);
    fs_free(opa->module_id);
    fs_free(opa->revision_path);
    fs_free(opa->bundles);
    fs_free(opa->data_revision);
    fs_free(opa);
}

static void *create(const char *name, const json_t *options, struct fs_mistakes *mistakes)
{
    struct fs_source_endpoint endpoint;
    struct fs_opa *opa = FS_NEW(struct fs_opa);
    bool fine = fs_source_endpoint_read(name, options, &endpoint, mistakes);
    fs_source_endpoint_finish(&endpoint);
    fine &= fs_source_members_known(name, options, own_members, mistakes);
    fine &= read_options(opa, name, options, mistakes);
    if (!fine) {
        destroy(opa);
        return NULL;
    }
    opa->name = fs_strdup(name);
    opa->bundles = fs_strdup("");
    fs_opa_module_make(&opa->module, opa->module_id, NULL, 0);
    return opa;
}

static void set_queries(void *self, const char *const *query_kinds, const char *const *queries, size_t count)
{
    struct fs_opa *opa = self;
    const char **paths = fs_calloc(count + 1, sizeof *paths);
    size_t path_count = 0;
    for (size_t i = 0; i < count; i++)
        if (strcmp(query_kinds[i], "path") == 0)
            paths[path_count++] = queries[i];
    struct fs_opa_module module = {0};
    fs_opa_module_make(&module, opa->module_id, paths, path_count);
    if (strcmp(module.version, opa->module.version) != 0) {
        opa->installed = false;
        opa->singles = 0; /* what was wrong with the old one need not be wrong with this one */
    }
    fs_opa_module_finish(&opa->module);
    opa->module = module;
    fs_free(paths);
}

/* OPA takes an input of null for a missing one, and its batch form would not: one meaning, whichever way the
 * question goes. */
static bool input_is_null(const struct fs_asked *asked)
{
    return asked->input_length == 4 && memcmp(asked->input, "null", 4) == 0;
}

static void ask(void *self, const struct fs_asked *batch, size_t count, struct fs_source_out *out)
{
    struct fs_opa *opa = self;
    size_t *paths = fs_calloc(count + 1, sizeof *paths), *users = fs_calloc(count + 1, sizeof *users);
    struct fs_opa_some some_paths = {paths, 0}, some_users = {users, 0};
    for (size_t i = 0; i < count; i++) {
        if (strcmp(batch[i].kind, "users") == 0)
            users[some_users.count++] = i;
        else if (strcmp(batch[i].kind, "path") != 0)
            fs_opa_settle(out, i, FS_ANSWER_BAD, "an OPA source knows 'path' and 'users' only");
        else if (input_is_null(&batch[i]))
            fs_opa_settle(out, i, FS_ANSWER_BAD,
                          "the input of the question is null, which OPA takes for a missing one");
        else
            paths[some_paths.count++] = i;
    }
    fs_opa_ask_users(opa, batch, some_users, out);
    fs_opa_ask_paths(opa, batch, some_paths, 0, out);
    fs_free(paths);
    fs_free(users);
}

void fs_opa_ask_paths(struct fs_opa *opa, const struct fs_asked *batch, struct fs_opa_some questions,
                      int attempt, struct fs_source_out *out)
{
    size_t *items = fs_calloc(questions.count + 1, sizeof *items);
    size_t batched = 0, end = questions.count;
    for (size_t i = 0; i < questions.count; i++) {
        size_t question = questions.items[i];
        bool in_module =
            opa->batch && opa->singles == 0 && fs_map_gets(&opa->module.rules, batch[question].query);
        if (in_module)
            items[batched++] = question;
        else
            items[--end] = question;
    }
    fs_opa_ask_batched(opa, batch, (struct fs_opa_some){items, batched}, attempt, out);
    fs_opa_ask_singly(opa, batch, (struct fs_opa_some){items + end, questions.count - end}, out);
    fs_free(items);
}

static void respond(void *self, const struct fs_asked *batch, size_t count,
                    const struct fs_exchange *exchange, const struct fs_response *response,
                    struct fs_source_out *out)
{
    struct fs_opa *opa = self;
    (void)count;
    switch ((enum fs_opa_tag)exchange->tag) {
    case FS_OPA_BATCH:
        fs_opa_read_batched(opa, batch, exchange, response, out);
        break;
    case FS_OPA_INSTALL:
        fs_opa_read_install(opa, batch, exchange, response, out);
        break;
    case FS_OPA_SINGLE:
        fs_opa_read_single(opa, batch, exchange, response, out);
        break;
    case FS_OPA_USERS:
        fs_opa_read_users(opa, batch, exchange, response, out);
        break;
    case FS_OPA_HEALTH:
    case FS_OPA_REVISION:
        break; /* a probe's: read_probe reads it */
    }
}

void fs_opa_settle(struct fs_source_out *out, size_t question, enum fs_answer_state state, const char *error)
{
    struct fs_answer answer = {.state = state, .error = fs_strdup(error)};
    out->answer(out, question, &answer);
}

void fs_opa_settle_all(struct fs_source_out *out, struct fs_opa_some questions, enum fs_answer_state state,
                       const char *error)
{
    for (size_t i = 0; i < questions.count; i++)
        fs_opa_settle(out, questions.items[i], state, error);
}

void fs_opa_settle_value(struct fs_source_out *out, size_t question, const json_t *value,
                         const char *revision, char *decision_id_owned)
{
    struct fs_answer answer = {.state = FS_ANSWER_VALUE,
                               .value = json_incref((json_t *)(uintptr_t)value),
                               .revision = fs_strdup(revision),
                               .decision_id = decision_id_owned};
    out->answer(out, question, &answer);
}

void fs_opa_settle_undefined(struct fs_source_out *out, size_t question, const char *revision,
                             char *decision_id_owned)
{
    struct fs_answer answer = {
        .state = FS_ANSWER_UNDEFINED, .revision = fs_strdup(revision), .decision_id = decision_id_owned};
    out->answer(out, question, &answer);
}

/* Is each of the comma-separated `names` among `all`? */
static bool names_within(const char *names, const char *all)
{
    while (*names) {
        struct fs_str name = {names, strcspn(names, ",")};
        bool found = false;
        for (const char *at = all; *at && !found; at += strcspn(at, ","), at += *at == ',')
            found = fs_str_equal(name, (struct fs_str){at, strcspn(at, ",")});
        if (!found)
            return false;
        names += name.len;
        names += *names == ',';
    }
    return true;
}

bool fs_opa_trusts(struct fs_opa *opa, const struct fs_opa_reading *reading, char error[200])
{
    if (!opa->ready) {
        snprintf(error, 200, "OPA is not known to be ready: no probe has found it so since it was lost");
        return false;
    }
    if (names_within(opa->bundles, reading->bundles))
        return true;
    opa->ready = false;
    char had[61], has[61];
    fs_opa_line(had, sizeof had, opa->bundles);
    fs_opa_line(has, sizeof has, *reading->bundles ? reading->bundles : "none");
    snprintf(error, 200, "OPA is not ready: it had the bundles %s and now answers with %s", had, has);
    return false;
}

struct fs_exchange *fs_opa_exchange(enum fs_opa_tag tag, const char *method, struct fs_buf *path,
                                    struct fs_buf *body)
{
    size_t length = 0;
    char *text = body ? fs_buf_take(body, &length) : NULL;
    struct fs_exchange *exchange = fs_exchange_create(method, fs_buf_take(path, NULL), text, length);
    exchange->tag = (int)tag;
    if (text)
        exchange->content_type = fs_strdup(tag == FS_OPA_INSTALL ? "text/plain" : "application/json");
    return exchange;
}

void fs_opa_exchange_asks(struct fs_exchange *exchange, struct fs_opa_some questions)
{
    exchange->questions = fs_calloc(questions.count, sizeof *questions.items);
    exchange->question_count = questions.count;
    if (questions.count)
        memcpy(exchange->questions, questions.items, questions.count * sizeof *questions.items);
}

void fs_opa_carry(const struct fs_opa *opa, struct fs_exchange *exchange, struct fs_opa_some questions,
                  int attempt)
{
    struct fs_opa_carried *carried = fs_alloc(sizeof *carried + questions.count * sizeof *questions.items);
    carried->attempt = attempt;
    carried->generation = opa->generation;
    carried->count = questions.count;
    if (questions.count)
        memcpy(carried->questions, questions.items, questions.count * sizeof *questions.items);
    exchange->state = carried;
}

struct fs_opa_some fs_opa_carried(const struct fs_exchange *exchange)
{
    const struct fs_opa_carried *carried = exchange->state;
    return carried ? (struct fs_opa_some){carried->questions, carried->count} : (struct fs_opa_some){NULL, 0};
}

int fs_opa_attempt(const struct fs_exchange *exchange)
{
    const struct fs_opa_carried *carried = exchange->state;
    return carried ? carried->attempt : 0;
}

void fs_opa_forbid_module(struct fs_opa *opa, const char *why)
{
    if (!opa->told_singles)
        FS_LOG_WARN("source", "OPA does not take our module: questions go one by one", "source", opa->name,
                    "why", why);
    opa->told_singles = true;
    opa->installed = false;
    opa->singles = FS_OPA_SINGLES_PROBES;
}

static int by_query(const void *a, const void *b, void *arg)
{
    const size_t *left = a, *right = b;
    const struct fs_asked *batch = arg;
    int order = strcmp(batch[*left].query, batch[*right].query);
    return order ? order : (*left > *right) - (*left < *right);
}

size_t *fs_opa_grouped(const struct fs_asked *batch, struct fs_opa_some questions)
{
    size_t *grouped = fs_calloc(questions.count + 1, sizeof *grouped);
    if (questions.count == 0)
        return grouped;
    memcpy(grouped, questions.items, questions.count * sizeof *grouped);
    qsort_r(grouped, questions.count, sizeof *grouped, by_query, (void *)(uintptr_t)batch);
    return grouped;
}

size_t fs_opa_group_length(const struct fs_asked *batch, const size_t *grouped, size_t start, size_t count)
{
    size_t end = start;
    while (end < count && strcmp(batch[grouped[end]].query, batch[grouped[start]].query) == 0)
        end++;
    return end - start;
}

const struct fs_source_type fs_source_opa = {
    .name = "opa",
    .kinds = kinds,
    .check_query = check_query,
    .create = create,
    .destroy = destroy,
    .set_queries = set_queries,
    .ask = ask,
    .respond = respond,
    .probe = fs_opa_probe,
    .read_probe = fs_opa_read_probe,
};

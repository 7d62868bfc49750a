/* SPDX-License-Identifier: Apache-2.0 */
/* The routes of the HTTP API: one table of method, path, scope and handler. Authentication has happened in
 * the network thread. */
#include <stdlib.h>
#include "base/alloc.h"
#include "base/log.h"
#include "daemon.h"
#include "base/str.h"
#include "base/vec.h"
#include "sources/opa.h"

void fs_api_reply(struct fs_server *server, uint64_t request, int status, json_t *body)
{
    char *text = json_dumps(body, JSON_COMPACT | JSON_ENCODE_ANY);
    json_decref(body);
    struct fs_blob *blob = fs_blob_copy(text ? text : "{}", text ? strlen(text) : 2);
    free(text);
    fs_server_reply(server, request, status, "application/json", "Cache-Control: no-store\r\n", blob);
}

void fs_api_error(struct fs_server *server, uint64_t request, const struct fs_err *err)
{
    fs_api_reply(server, request, fs_err_http(err->code),
                 json_pack("{s:{s:s, s:s}}", "error", "code", fs_err_name(err->code), "message", err->text));
}

static void health(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    fs_api_reply(daemon->server, message->connection, 200, json_pack("{s:s}", "status", "ok"));
}

bool fs_daemon_ready(const struct fs_daemon *daemon, char why_not[120])
{
    const char *why = daemon->draining                       ? "draining"
                      : !daemon->journaled                   ? "the start is not journaled yet"
                      : !fs_journal_healthy(daemon->journal) ? "the journal cannot be written"
                                                             : NULL;
    if (why)
        snprintf(why_not, 120, "%s", why);
    return !why && fs_engine_ready(daemon->engine, why_not);
}

static void ready(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    char why[120];
    bool is = fs_daemon_ready(daemon, why);
    json_t *body = json_pack("{s:s}", "status", is ? "ready" : "not ready");
    if (!is)
        json_object_set_new(body, "reason", json_string(why));
    fs_api_reply(daemon->server, message->connection, is ? 200 : 503, body);
}

static void show_flags(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    fs_api_reply(daemon->server, message->connection, 200,
                 json_pack("{s:o}", "flags", fs_engine_show_flags(daemon->engine)));
}

/* A number of the query; what stands there already where it names none. False: that is no number. */
static bool read_number(const struct fs_net_message *message, const char *name, uint64_t *number)
{
    char *text = fs_http_query(message->request, name);
    bool fine = !text || fs_parse_u64(fs_str_from(text), number);
    fs_free(text);
    return fine;
}

/* False: answered with what is wrong. */
static bool read_page(struct fs_daemon *daemon, const struct fs_net_message *message, uint64_t *limit,
                      uint64_t *after)
{
    struct fs_err err;
    *limit = 100;
    *after = 0;
    if (read_number(message, "limit", limit) && *limit > 0 && *limit <= 10000 &&
        read_number(message, "after", after))
        return true;
    fs_fail(&err, FS_ERR_INVALID, "limit is a number from 1 to 10000, after the `next` of the page before");
    fs_api_error(daemon->server, message->connection, &err);
    return false;
}

static void show_contexts(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    uint64_t limit, after;
    if (!read_page(daemon, message, &limit, &after))
        return;
    char *subject = fs_http_query(message->request, "subject");
    fs_api_reply(daemon->server, message->connection, 200,
                 fs_engine_show_contexts(daemon->engine, subject, after, (size_t)limit));
    fs_free(subject);
}

static void show_clients(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    uint64_t limit, after;
    if (read_page(daemon, message, &limit, &after))
        fs_api_reply(daemon->server, message->connection, 200,
                     fs_engine_show_clients(daemon->engine, after, (size_t)limit, fs_daemon_now(daemon)));
}

static void show_facts(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    char *subject = fs_http_query(message->request, "subject");
    if (subject) {
        fs_api_reply(daemon->server, message->connection, 200,
                     json_pack("{s:s, s:o}", "subject", subject, "facts",
                               fs_engine_show_facts(daemon->engine, subject)));
    } else {
        fs_fail(&err, FS_ERR_INVALID, "whose? /v1/facts?subject=SUBJECT");
        fs_api_error(daemon->server, message->connection, &err);
    }
    fs_free(subject);
}

static void opa_status(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    const char *end = strstr(rest, "/status");
    struct fs_err err;
    if (!end || (end[7] && end[7] != '/')) {
        fs_fail(&err, FS_ERR_NOT_FOUND, "OPA posts its reports to /v1/opa/SOURCE/status");
        fs_api_error(daemon->server, message->connection, &err);
        return;
    }
    char *source = fs_strndup(rest, (size_t)(end - rest));
    fs_api_opa_status(daemon, message, source);
    fs_free(source);
}

/* The module by which an OPA answers in batches, for those who own their bundles. */
static void opa_module(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    char *wanted = fs_http_query(message->request, "source");
    const struct fs_flagset *set = fs_engine_flags(daemon->engine);
    struct fs_err err;
    FS_VEC(const char *) queries = {0};
    for (size_t i = 0; i < set->count; i++)
        for (size_t d = 0; d < set->flags[i]->decision_count; d++) {
            const struct fs_decision *decision = &set->flags[i]->decisions[d];
            if (!strcmp(decision->kind, "path") && (!wanted || !strcmp(wanted, decision->source)))
                fs_vec_push(&queries, decision->query);
        }
    if (wanted && !queries.count) { /* an empty module would be taken for one */
        fs_fail(&err, FS_ERR_NOT_FOUND, "no flag asks a path of source %.100s: it needs no module", wanted);
        fs_api_error(daemon->server, message->connection, &err);
    } else {
        char *module = fs_opa_module(NULL, queries.items, queries.count);
        fs_server_reply(daemon->server, message->connection, 200, "text/plain; charset=utf-8", NULL,
                        fs_blob_copy(module, strlen(module)));
        fs_free(module);
    }
    fs_free(wanted);
    fs_vec_finish(&queries);
}

static void ofrep(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    fs_api_ofrep(daemon, message, *rest ? rest : NULL);
}

static void index_page(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    const char *accept = fs_http_header(message->request, "accept");
    if (accept && strstr(accept, "text/html") && fs_board_is_there(daemon)) {
        fs_api_board(daemon, message, "index.html");
        return;
    }
    static const char text[] =
        "Flagstaff\n\n"
        "board      /                              in a browser\n"
        "websocket  /v1/ws                         flag values as they change (flagstaff.v1)\n"
        "OFREP      /ofrep/v1/evaluate/flags       for OpenFeature clients of any language\n"
        "events     /v1/events                     CloudEvents in\n"
        "board      /v1/board                      what operators see, as it changes (flagstaff.board.v1)\n"
        "override   /v1/overrides                  kill, force, release\n"
        "state      /v1/flags /v1/contexts /v1/clients /v1/sources /v1/entries /v1/history /v1/why /v1/who\n"
        "health     /healthz /readyz /metrics\n";
    fs_server_reply(daemon->server, message->connection, 200, "text/plain; charset=utf-8", NULL,
                    fs_blob_copy(text, sizeof text - 1));
}

/* The page is `/`, whatever stands before it at a proxy. */
static void to_board(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    fs_server_reply(daemon->server, message->connection, 308, NULL, "Location: ./\r\n", NULL);
}

struct route {
    const char *method;
    const char *path; /* ends with '/': a prefix, and the rest goes to the handler */
    unsigned scope;   /* one of these is needed; 0: open, or the handler looks itself */
    void (*handle)(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest);
};

static const struct route routes[] = {
    {"GET", "/", 0, index_page},
    {"GET", "/board", 0, to_board},
    {"GET", "/board/", 0, fs_api_board},
    {"GET", "/healthz", 0, health},
    {"GET", "/readyz", 0, ready},
    {"GET", "/metrics", FS_SCOPE_METRICS | FS_SCOPE_READ, fs_api_metrics},
    {"POST", "/ofrep/v1/evaluate/flags", FS_SCOPE_EVALUATE | FS_SCOPE_EVALUATE_ANY, ofrep},
    {"POST", "/ofrep/v1/evaluate/flags/", FS_SCOPE_EVALUATE | FS_SCOPE_EVALUATE_ANY, ofrep},
    {"GET", "/ofrep/v1/events/", 0, fs_api_ofrep_stream}, /* the token in the path is the credential */
    {"POST", "/v1/events", 0, fs_api_events},             /* what each event needs is looked at there */
    {"GET", "/v1/receipts/", FS_SCOPE_EVENTS | FS_SCOPE_FACTS | FS_SCOPE_READ | FS_SCOPE_OPERATE,
     fs_api_receipt},
    {"POST", "/v1/opa/", FS_SCOPE_STATUS, opa_status},
    {"GET", "/v1/opa-module", FS_SCOPE_READ, opa_module},
    {"GET", "/v1/flags", FS_SCOPE_READ, show_flags},
    {"GET", "/v1/contexts", FS_SCOPE_READ, show_contexts},
    {"GET", "/v1/clients", FS_SCOPE_READ, show_clients},
    {"GET", "/v1/sources", FS_SCOPE_READ, fs_api_sources},
    {"POST", "/v1/sources/", FS_SCOPE_OPERATE | FS_SCOPE_ADMIN, fs_api_ask_source},
    {"GET", "/v1/entries", FS_SCOPE_READ, fs_api_entries},
    {"GET", "/v1/history", FS_SCOPE_READ, fs_api_history},
    {"GET", "/v1/why", FS_SCOPE_READ, fs_api_why},
    {"POST", "/v1/tickets", FS_SCOPE_TICKETS, fs_api_tickets},
    {"GET", "/v1/keys", FS_SCOPE_ADMIN, fs_api_keys},
    {"POST", "/v1/keys", FS_SCOPE_ADMIN, fs_api_keys},
    {"DELETE", "/v1/keys/", FS_SCOPE_ADMIN, fs_api_keys},
    {"GET", "/v1/facts", FS_SCOPE_READ, show_facts},
    {"GET", "/v1/overrides", FS_SCOPE_READ | FS_SCOPE_OPERATE, fs_api_overrides},
    {"POST", "/v1/overrides", FS_SCOPE_OPERATE, fs_api_override}, /* a force that grants: admin, too */
    {"DELETE", "/v1/overrides", FS_SCOPE_OPERATE, fs_api_release},
    {"GET", "/v1/who", FS_SCOPE_READ, fs_api_who},
    {"DELETE", "/v1/clients/", FS_SCOPE_OPERATE, fs_api_disconnect},
    {"DELETE", "/v1/subjects", FS_SCOPE_ADMIN, fs_api_erase},
    {"POST", "/v1/backup", FS_SCOPE_ADMIN, fs_api_backup},
};

/* What is behind the route's path; NULL: another path. */
static const char *match(const struct route *route, const char *path)
{
    size_t length = strlen(route->path);
    if (length > 1 && route->path[length - 1] == '/')
        return !strncmp(path, route->path, length) && path[length] ? path + length : NULL;
    return strcmp(path, route->path) ? NULL : path + length;
}

void fs_api_request(struct fs_daemon *daemon, struct fs_net_message *message)
{
    const struct fs_http_request *request = message->request;
    struct fs_err err;
    bool known = false;
    const char *method = strcmp(request->method, "HEAD") ? request->method : "GET";
    for (size_t i = 0; i < sizeof routes / sizeof *routes; i++) {
        const char *rest = match(&routes[i], request->path);
        if (!rest)
            continue;
        known = true;
        if (strcmp(method, routes[i].method))
            continue;
        if (routes[i].scope && (!message->credential || !(message->credential->scopes & routes[i].scope))) {
            fs_fail(&err, message->credential ? FS_ERR_FORBIDDEN : FS_ERR_UNAUTHENTICATED,
                    message->credential ? "the credential lacks the scope for %s" : "%s needs a credential",
                    request->path);
            fs_api_error(daemon->server, message->connection, &err);
            return;
        }
        routes[i].handle(daemon, message, rest);
        return;
    }
    if (known)
        fs_fail(&err, FS_ERR_METHOD, "%s does not take %s", request->path, request->method);
    else
        fs_fail(&err, FS_ERR_NOT_FOUND, "there is nothing at %.200s", request->path);
    fs_api_error(daemon->server, message->connection, &err);
}

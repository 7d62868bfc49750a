/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff kill, force and release: first what it would change, then a question to whoever sits at the
 * terminal, then the order, and with --wait its receipt. */
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include "base/alloc.h"
#include "cli_internal.h"

struct order {
    const char *method, *verb;
    struct fs_buf path; /* with its query, but for dry_run and wait */
    char *body;         /* jansson's; NULL: none */
};

static void finish(struct order *order)
{
    fs_buf_finish(&order->path);
    free(order->body);
}

static bool try_it(const struct fs_cli_call *call, const struct order *order, struct fs_reply *reply,
                   struct fs_err *err)
{
    struct fs_buf path;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, order->path.data);
    fs_query_add(&path, "dry_run", "true");
    struct fs_request request = {.method = order->method, .path = path.data, .body = order->body};
    bool fine = fs_client_ask(call, &request, reply, err);
    fs_buf_finish(&path);
    return fine;
}

/* Does whoever sits here want it? False with err too where nobody can be asked. */
static bool confirm(const struct fs_cli_call *call, const struct order *order, struct fs_err *err)
{
    char answer[16];
    struct fs_reply reply = {0};
    if (!isatty(STDIN_FILENO))
        return fs_fail(err, FS_ERR_USAGE, "nobody is here to be asked: say --yes, or --dry-run");
    bool fine = try_it(call, order, &reply, err);
    if (fine) {
        fs_dry_run_ask(call, order->verb, reply.json);
        fprintf(call->err, "Go ahead? [y/N] ");
        fflush(call->err);
        fine = fgets(answer, sizeof answer, stdin) && (answer[0] == 'y' || answer[0] == 'Y');
        if (!fine)
            fs_fail(err, FS_ERR_GENERAL, "nothing was done");
    }
    fs_reply_finish(&reply);
    return fine;
}

static int dry_run(const struct fs_cli_call *call, const struct order *order, struct fs_err *err)
{
    struct fs_reply reply = {0};
    bool fine = try_it(call, order, &reply, err);
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine)
        fs_dry_run_ask(call, order->verb, reply.json);
    fs_reply_finish(&reply);
    return fine ? 0 : -1;
}

/* Takes what the order holds. */
static int run(const struct fs_cli_call *call, struct order *order, struct fs_err *err)
{
    struct fs_reply reply = {0};
    int status = -1;
    if (fs_config_true(&call->config, FS_OPT_DRY_RUN)) {
        status = dry_run(call, order, err);
    } else if (fs_config_true(&call->config, FS_OPT_YES) || confirm(call, order, err)) {
        struct fs_request request = {.method = order->method, .body = order->body};
        if (fs_receipt_ask(call, &request, &order->path, &reply, err))
            status = fs_receipt_conclude(call, reply.json, "nobody watches that flag now",
                                         "it is in force all the same: GET /v1/receipts/ENTRY", err);
    }
    fs_reply_finish(&reply);
    finish(order);
    return status;
}

/* The one subject; NULL: everybody. False with err: there are several. */
static bool subject_of(const struct fs_config *config, const char **subject, struct fs_err *err)
{
    const char *const *subjects = fs_config_list(config, FS_OPT_SUBJECT);
    *subject = subjects[0];
    return !subjects[0] || !subjects[1] || fs_fail(err, FS_ERR_USAGE, "--subject: one at a time");
}

static int set(struct fs_cli_call *call, const char *kind, const char *variant, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    struct order order = {.method = "POST", .verb = kind};
    const char *subject;
    char text[32];
    if (!subject_of(config, &subject, err) || !fs_cli_ends_later(config, err))
        return -1;
    json_t *body =
        json_pack("{s:s, s:s, s:s*, s:s*, s:s*, s:s*}", "kind", kind, "flag", config->positional[0],
                  "subject", subject, "variant", variant, "reason", fs_config_text(config, FS_OPT_REASON),
                  "expires", fs_config_text(config, FS_OPT_EXPIRES));
    if (!body) { /* jansson takes UTF-8 only */
        fs_fail(err, FS_ERR_USAGE, "what was said is no UTF-8");
        return -1;
    }
    if (fs_config_said(config, FS_OPT_FOR))
        json_object_set_new(body, "for",
                            json_string(fs_format_duration(fs_config_number(config, FS_OPT_FOR), text)));
    order.body = json_dumps(body, JSON_COMPACT);
    json_decref(body);
    fs_buf_init(&order.path, 65536);
    fs_buf_adds(&order.path, "/v1/overrides");
    return run(call, &order, err);
}

int fs_cli_kill(struct fs_cli_call *call, struct fs_err *err)
{
    return set(call, "kill", NULL, err);
}

int fs_cli_force(struct fs_cli_call *call, struct fs_err *err)
{
    return set(call, "force", call->config.positional[1], err);
}

int fs_cli_release(struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    struct order order = {.method = "DELETE", .verb = "release"};
    const char *subject;
    if (!subject_of(config, &subject, err))
        return -1;
    fs_buf_init(&order.path, 65536);
    fs_buf_adds(&order.path, "/v1/overrides");
    fs_query_add(&order.path, "flag", config->positional[0]);
    fs_query_add(&order.path, "subject", subject);
    fs_query_add(&order.path, "kind", fs_config_text(config, FS_OPT_KIND));
    fs_query_add(&order.path, "reason", fs_config_text(config, FS_OPT_REASON));
    return run(call, &order, err);
}

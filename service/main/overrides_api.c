/* SPDX-License-Identifier: Apache-2.0 */
/* /v1/overrides: what operators order against the sources, and release; and who has which variant. With
 * `?dry_run=true` nothing happens, and the answer says what would change. */
#include "base/alloc.h"
#include "base/str.h"
#include "base/vec.h"
#include "core/json.h"
#include "daemon.h"
#include "quick.h"

void fs_daemon_overrides_changed(struct fs_daemon *daemon)
{
    uint64_t changes = fs_engine_override_changes(daemon->engine);
    if (changes == daemon->overrides_seen)
        return;
    daemon->overrides_seen = changes;
    FS_VEC(const char *) keys = {0};
    json_t *list = fs_engine_show_overrides(daemon->engine);
    for (size_t i = 0; i < json_array_size(list); i++)
        fs_vec_push(&keys, fs_json_text(json_array_get(list, i), "flag"));
    fs_quick_set_overridden(daemon->quick, keys.items, keys.count);
    fs_vec_finish(&keys);
    json_decref(list);
}

void fs_api_overrides(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    fs_api_reply(daemon->server, message->connection, 200,
                 json_pack("{s:o}", "overrides", fs_engine_show_overrides(daemon->engine)));
}

/* --- reading ------------------------------------------------------------------------------------------ */

/* The member as a text of its own; NULL where it is absent. False: it is something else. */
static bool take_text(const json_t *body, const char *name, char **out, struct fs_err *err)
{
    const json_t *member = json_object_get(body, name);
    if (member && !json_is_string(member))
        return fs_fail(err, FS_ERR_INVALID, "%s: expected a text", name);
    *out = fs_strdup(json_string_value(member));
    return true;
}

static bool read_end(const json_t *body, int64_t now, int64_t *expires, struct fs_err *err)
{
    const char *until = fs_json_text(body, "expires"), *span = fs_json_text(body, "for");
    int64_t ms;
    *expires = 0;
    if (json_object_get(body, "expires") && json_object_get(body, "for"))
        return fs_fail(err, FS_ERR_INVALID, "for, expires: give one of them");
    if (json_object_get(body, "expires") && (!until || !fs_parse_rfc3339(fs_str_from(until), expires)))
        return fs_fail(err, FS_ERR_INVALID, "expires: expected a time such as 2026-11-24T14:03:00Z");
    if (!json_object_get(body, "for"))
        return true;
    if (!span || !fs_parse_duration(fs_str_from(span), &ms) || ms <= 0 || ms > INT64_C(315360000000))
        return fs_fail(err, FS_ERR_INVALID, "for: expected a duration such as 30m, of ten years at most");
    *expires = now + ms;
    return true;
}

static bool read_order(const struct fs_net_message *message, int64_t now, struct fs_override_order *order,
                       struct fs_err *err)
{
    static const char *const members[] = {"flag",   "subject", "kind",    "variant",
                                          "reason", "for",     "expires", NULL};
    struct fs_override *o = &order->override;
    json_t *body = fs_json_read(message->request->body, message->request->length, 4, err);
    const char *kind = fs_json_text(body, "kind");
    bool fine = body && (json_is_object(body) || fs_fail(err, FS_ERR_INVALID, "expected an object")) &&
                fs_json_members_known(body, members, "", FS_ERR_INVALID, err) &&
                (fs_override_kind_parse(kind, &o->kind) ||
                 fs_fail(err, FS_ERR_INVALID, "kind: expected kill or force")) &&
                take_text(body, "flag", &o->flag, err) && take_text(body, "subject", &o->subject, err) &&
                take_text(body, "variant", &o->variant, err) && take_text(body, "reason", &o->reason, err) &&
                read_end(body, now, &o->expires, err);
    json_decref(body);
    return fine;
}

static bool read_release(const struct fs_net_message *message, struct fs_override_order *order,
                         struct fs_err *err)
{
    struct fs_override *o = &order->override;
    char *kind = fs_http_query(message->request, "kind");
    order->release = true;
    order->any_kind = !kind;
    o->flag = fs_http_query(message->request, "flag");
    o->subject = fs_http_query(message->request, "subject");
    o->reason = fs_http_query(message->request, "reason");
    bool fine = !kind || fs_override_kind_parse(kind, &o->kind) ||
                fs_fail(err, FS_ERR_INVALID, "kind: expected kill or force");
    fs_free(kind);
    return fine;
}

/* --- ordering ----------------------------------------------------------------------------------------- */

static void try_it(struct fs_daemon *daemon, const struct fs_net_message *message,
                   struct fs_override_order *order)
{
    struct fs_err err = {0};
    uint64_t token = fs_search_begin(daemon, message, FS_SEARCH_DRY_RUN);
    if (!fs_engine_try_override(daemon->engine, order, FS_CHANGES_SHOWN, token, fs_daemon_now(daemon), &err))
        fs_search_refuse(daemon, token, &err);
}

static bool submit(struct fs_daemon *daemon, const struct fs_net_message *message,
                   const struct fs_override_order *order, const struct fs_wait *wait, struct fs_err *err)
{
    struct fs_new_entry entry = {.kind = FS_ENTRY_OVERRIDE, .subject = order->override.subject};
    entry.body = fs_override_write(order, &entry.length);
    struct fs_submission *submission = fs_submission_create(message->connection, 1, wait);
    return fs_submission_send(daemon, submission, &entry) ||
           fs_fail(err, FS_ERR_UNAVAILABLE, "it is not in force: the journal takes nothing now, try again");
}

static void carry_out(struct fs_daemon *daemon, const struct fs_net_message *message,
                      struct fs_override_order *order, struct fs_err *err)
{
    struct fs_wait wait;
    bool dry;
    const struct fs_credential *author = message->credential;
    order->override.author = fs_strdup(author->id);
    order->override.author_name = fs_strdup(author->name && *author->name ? author->name : NULL);
    if (!fs_wait_read(daemon, message->request, &wait, err) ||
        !fs_dry_run_read(message->request, &dry, err) ||
        !fs_override_check(fs_engine_flags(daemon->engine), order, author, fs_daemon_now(daemon).wall, err) ||
        !fs_engine_override_fits(daemon->engine, order, err))
        return;
    if (dry)
        try_it(daemon, message, order);
    else
        submit(daemon, message, order, &wait, err);
}

static void answer(struct fs_daemon *daemon, const struct fs_net_message *message,
                   struct fs_override_order *order, struct fs_err *err)
{
    if (!err->code)
        carry_out(daemon, message, order, err);
    if (err->code)
        fs_api_error(daemon->server, message->connection, err);
    fs_override_order_finish(order);
}

void fs_api_override(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    struct fs_override_order order = {0};
    read_order(message, fs_daemon_now(daemon).wall, &order, &err);
    answer(daemon, message, &order, &err);
}

void fs_api_release(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    struct fs_override_order order = {0};
    read_release(message, &order, &err);
    answer(daemon, message, &order, &err);
}

/* --- who ---------------------------------------------------------------------------------------------- */

void fs_api_who(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    uint64_t limit = 100;
    char *flag = fs_http_query(message->request, "flag");
    char *variant = fs_http_query(message->request, "variant");
    char *after = fs_http_query(message->request, "after");
    char *count = fs_http_query(message->request, "limit");
    if (!flag)
        fs_fail(&err, FS_ERR_INVALID, "of which flag? /v1/who?flag=FLAG");
    else if (count && (!fs_parse_u64(fs_str_from(count), &limit) || limit < 1 || limit > 10000))
        fs_fail(&err, FS_ERR_INVALID, "limit is a number from 1 to 10000");
    if (err.code) {
        fs_api_error(daemon->server, message->connection, &err);
    } else {
        uint64_t token = fs_search_begin(daemon, message, FS_SEARCH_WHO);
        if (!fs_engine_find_who(daemon->engine, flag, variant, after, (size_t)limit, token,
                                fs_daemon_now(daemon), &err))
            fs_search_refuse(daemon, token, &err);
    }
    fs_free(flag);
    fs_free(variant);
    fs_free(after);
    fs_free(count);
}

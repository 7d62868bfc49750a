/* SPDX-License-Identifier: Apache-2.0 */
/* flagstaff why: one value with its cause, answers, rule and clients; now, or at a past moment from the
 * journal. */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/clock.h"
#include "cli_internal.h"

static void line(const struct fs_cli_call *call, const char *name, const char *text)
{
    char *clean = fs_cli_clean(text);
    fprintf(call->out, "  %-11s %s\n", name, clean);
    fs_free(clean);
}

static void line_taken(const struct fs_cli_call *call, const char *name, char *text_owned)
{
    line(call, name, text_owned);
    fs_free(text_owned);
}

/* The member where it is there. */
static void line_member(const struct fs_cli_call *call, const char *name, const json_t *object,
                        const char *member)
{
    if (json_object_get(object, member))
        line_taken(call, name, fs_cli_member(object, member));
}

/* "billing-export of ada is false (variant off, TARGETING_MATCH)" */
static void print_value(const struct fs_cli_call *call, const char *flag, const char *subject,
                        const json_t *value, const char *verb)
{
    const char *reason = json_string_value(json_object_get(value, "reason"));
    char *shown = fs_cli_value(json_object_get(value, "value")), *variant = fs_cli_member(value, "variant");
    char *text = fs_format("%s of %s %s %s (variant %s, ", flag, subject, verb, shown, variant),
         *clean = fs_cli_clean(text);
    fprintf(call->out, "%s", clean);
    fs_cli_paint(call, fs_reason_color(reason), reason ? reason : "-");
    fprintf(call->out, "%s)\n", json_is_true(json_object_get(value, "safe")) ? ", the safe value" : "");
    fs_free(shown);
    fs_free(variant);
    fs_free(text);
    fs_free(clean);
    line_member(call, "note", value, "detail");
}

static void print_cause(const struct fs_cli_call *call, const json_t *holder)
{
    char time[32];
    const json_t *at = json_object_get(json_object_get(holder, "cause"), "time");
    char *what = fs_cli_cause_text(holder);
    const char *when =
        json_is_integer(at) ? fs_format_rfc3339(json_integer_value(at), time) : json_string_value(at);
    line_taken(call, "cause", fs_format("%s%s%s", what, when ? ", " : "", when ? when : ""));
    fs_free(what);
}

/* One question with what was answered. */
static void print_decision(const struct fs_cli_call *call, const json_t *decision)
{
    static const char *const details[] = {"revision", "confirmed", "decision", "entry", NULL};
    char *source = fs_cli_member(decision, "source"), *kind = fs_cli_member(decision, "kind"),
         *query = fs_cli_member(decision, "query");
    char *state = fs_cli_member(decision, "state"), *value = fs_cli_value(json_object_get(decision, "value"));
    bool valued = json_object_get(decision, "value") != NULL;
    const char *answer = valued ? value : strcmp(state, "-") != 0 ? state : "";
    line_taken(call, "decision", fs_format("%s %s %s%s%s", source, kind, query, *answer ? ": " : "", answer));
    line_member(call, "", decision, "error");
    for (const char *const *name = details; *name; name++) {
        if (!json_object_get(decision, *name))
            continue;
        char *text = fs_cli_member(decision, *name);
        line_taken(call, "", fs_format("%s %s", *name, text));
        fs_free(text);
    }
    if (json_object_get(decision, "input")) {
        char *input = fs_cli_member(decision, "input");
        line_taken(call, "", fs_format("asked with %s", input));
        fs_free(input);
    }
    if (json_object_get(decision, "missing")) {
        char *missing = fs_cli_member(decision, "missing");
        line_taken(call, "", fs_format("the fact %s is missing", missing));
        fs_free(missing);
    }
    fs_free(source);
    fs_free(kind);
    fs_free(query);
    fs_free(state);
    fs_free(value);
}

static void print_clients(const struct fs_cli_call *call, const json_t *clients)
{
    for (size_t i = 0; i < json_array_size(clients); i++) {
        const json_t *one = json_array_get(clients, i);
        char *client = fs_cli_member(one, "client"), *session = fs_cli_member(one, "session");
        const char *state = json_is_true(json_object_get(one, "acknowledged")) ? "has it"
                            : json_is_true(json_object_get(one, "connected"))
                                ? "has not acknowledged it"
                                : "is disconnected and may still hold an older one";
        line_taken(call, i ? "" : "clients", fs_format("%s (%s) %s", client, session, state));
        fs_free(client);
        fs_free(session);
    }
}

/* Who ordered it, and why. */
static void print_override(const struct fs_cli_call *call, const json_t *override)
{
    if (!override)
        return;
    char *kind = fs_cli_member(override, "kind"), *reason = fs_cli_member(override, "reason");
    char *author = fs_cli_member(override, json_object_get(override, "authorName") ? "authorName" : "author");
    char *entry = fs_cli_member(override, "id"), *expires = fs_cli_member(override, "expires");
    bool ends = json_object_get(override, "expires") != NULL;
    line_taken(call, "override", fs_format("%s by %s, entry %s: %s", kind, author, entry, reason));
    if (ends)
        line_taken(call, "", fs_format("until %s", expires));
    fs_free(kind);
    fs_free(reason);
    fs_free(author);
    fs_free(entry);
    fs_free(expires);
}

static void print_now(const struct fs_cli_call *call, const json_t *why)
{
    const json_t *decisions = json_object_get(why, "decisions");
    char *flag = fs_cli_member(why, "flag"), *subject = fs_cli_member(why, "subject");
    print_value(call, flag, subject, json_object_get(why, "value"), "is");
    fs_free(flag);
    fs_free(subject);
    line_member(call, "since", why, "changed");
    line_member(call, "revision", why, "revision");
    print_cause(call, why);
    print_override(call, json_object_get(why, "override"));
    for (size_t i = 0; i < json_array_size(decisions); i++)
        print_decision(call, json_array_get(decisions, i));
    line_member(call, "branch", why, "branch");
    line_member(call, "facts", why, "facts");
    line_member(call, "context", why, "context");
    line_member(call, "", why, "contextHash");
    if (json_is_true(json_object_get(why, "held")))
        line(call, "held", "a grant waits until a newer event is answered");
    print_clients(call, json_object_get(why, "clients"));
}

static void print_then(const struct fs_cli_call *call, const json_t *change)
{
    const json_t *answers = json_object_get(change, "answers"), *from = json_object_get(change, "from");
    char *flag = fs_cli_member(change, "flag");
    bool ended = json_is_false(json_object_get(change, "kept"));
    if (ended)
        fprintf(call->out, "not kept current then; the last known value:\n");
    print_value(call, flag, call->config.positional[0], json_object_get(change, "to"),
                ended ? "had been" : "was");
    fs_free(flag);
    line_member(call, "since", change, "time");
    line_member(call, "until", change, "until");
    line_member(call, "", change, "ended");
    line_member(call, "entry", change, "entry");
    line_member(call, "revision", change, "revision");
    if (json_is_object(from))
        line_taken(call, "before", fs_cli_value(json_object_get(from, "value")));
    print_cause(call, change);
    print_override(call, json_object_get(change, "override"));
    for (size_t i = 0; i < json_array_size(answers); i++)
        print_decision(call, json_array_get(answers, i));
}

/* The clock of the daemon's machine may be another one: by a minute. */
static bool is_past(const struct fs_config *config, struct fs_err *err)
{
    char now[32];
    struct fs_clock clock = fs_clock_system();
    int64_t wall = fs_clock_now(&clock).wall;
    if (!fs_config_said(config, FS_OPT_AT) || fs_config_number(config, FS_OPT_AT) <= wall + 60000)
        return true;
    return fs_fail(err, FS_ERR_USAGE,
                   "--at %s: that is still to come, it is %s: give an earlier time, or none for now",
                   fs_config_text(config, FS_OPT_AT), fs_format_rfc3339(wall, now));
}

int fs_cli_why(struct fs_cli_call *call, struct fs_err *err)
{
    const struct fs_config *config = &call->config;
    struct fs_reply reply = {0};
    struct fs_buf path;
    if (!is_past(config, err))
        return -1;
    fs_buf_init(&path, 65536);
    fs_buf_adds(&path, "/v1/why");
    fs_query_add(&path, "subject", config->positional[0]);
    fs_query_add(&path, "flag", config->positional[1]);
    fs_query_option(&path, config, FS_OPT_CONTEXT);
    fs_query_option(&path, config, FS_OPT_AT);
    bool fine = fs_client_get(call, path.data, &reply, err);
    if (fine && fs_cli_json(call))
        fs_cli_print_json(call, reply.json);
    else if (fine && json_object_get(reply.json, "value"))
        print_now(call, reply.json);
    else if (fine)
        print_then(call, reply.json);
    fs_reply_finish(&reply);
    fs_buf_finish(&path);
    return fine ? 0 : -1;
}

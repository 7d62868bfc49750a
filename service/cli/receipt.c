/* SPDX-License-Identifier: Apache-2.0 */
/* A receipt for people: who was concerned, who has it, who is behind, and from when on nobody can hold the
 * old value. */
#include <string.h>
#include "base/alloc.h"
#include "cli_internal.h"

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static void line(const struct fs_cli_call *call, const char *name, const char *text)
{
    char *clean = fs_cli_clean(text);
    fprintf(call->out, "  %-13s %s\n", name, clean);
    fs_free(clean);
}

/* By how many ms safe_at is later than the moment when the change stood in every queue; 0 where it is not
 * known. */
static int64_t late(const json_t *receipt)
{
    const char *safe = json_string_value(json_object_get(receipt, "safe_at")),
               *queued = json_string_value(json_object_get(json_object_get(receipt, "times"), "queued"));
    int64_t from, to;
    if (!safe || !queued || !fs_parse_rfc3339(fs_str_from(queued), &from) ||
        !fs_parse_rfc3339(fs_str_from(safe), &to))
        return 0;
    return to - from;
}

static void count(const struct fs_cli_call *call, const char *name, long long n, const char *what)
{
    fprintf(call->out, "  %-13s %lld%s%s\n", name, n, *what ? " " : "", what);
}

/* "shop (s-1) for ada, until ..." for each client of a list. */
static void print_clients(const struct fs_cli_call *call, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char *client = fs_cli_member(one, "client"), *session = fs_cli_member(one, "session");
        char *subject = fs_cli_member(one, "subject"), *until = fs_cli_member(one, "until");
        bool bounded = strcmp(until, "-") != 0;
        char *text = fs_format("%s (%s) for %s%s%s", client, session, subject,
                               bounded ? ", at most until " : "", bounded ? until : "");
        line(call, "", text);
        fs_free(client);
        fs_free(session);
        fs_free(subject);
        fs_free(until);
        fs_free(text);
    }
}

static void print_unresolved(const struct fs_cli_call *call, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char *source = fs_cli_member(one, "source"), *query = fs_cli_member(one, "query"),
             *error = fs_cli_member(one, "error");
        char *text = fs_format("%s %s: %s", source, query, error);
        line(call, "unresolved", text);
        fs_free(source);
        fs_free(query);
        fs_free(error);
        fs_free(text);
    }
}

static void print_delivery(const struct fs_cli_call *call, const json_t *receipt)
{
    long long behind = number(receipt, "behindCount"), held = number(receipt, "heldCount"),
              expired = number(receipt, "expired");
    const json_t *ofrep = json_object_get(receipt, "ofrep");
    long long concerned = number(receipt, "concerned");
    count(call, "concerned", concerned, concerned == 1 ? "watch" : "watches");
    count(call, "acknowledged", number(receipt, "acknowledged"), "");
    count(call, "behind", behind, "");
    print_clients(call, json_object_get(receipt, "behind"));
    count(call, "held", held, held ? "(disconnected, the lease runs)" : "");
    print_clients(call, json_object_get(receipt, "held"));
    if (expired)
        count(call, "expired", expired, "(the lease is over)");
    if (number(ofrep, "concerned"))
        fprintf(call->out, "  %-13s %lld of %lld asked again (no lease)\n", "ofrep", number(ofrep, "fetched"),
                number(ofrep, "concerned"));
    char *safe = fs_cli_member(receipt, "safe_at");
    line(call, "safe at", strcmp(safe, "-") == 0 ? "not known yet" : safe);
    if (late(receipt) >= 1000)
        line(call, "", "(it waited for an acknowledgement or a lease: see docs/receipts.md)");
    fs_free(safe);
}

/* "journaled 1 ms, asked 1 ms, answered 4 ms, ..." */
static void print_stages(const struct fs_cli_call *call, const json_t *receipt)
{
    static const char *const names[] = {"journaled", "asked",  "answered",
                                        "evaluated", "pushed", "acknowledged"};
    const json_t *stages = json_object_get(receipt, "stages");
    struct fs_buf text;
    fs_buf_init(&text, 1000);
    for (size_t i = 0; i < sizeof names / sizeof *names; i++) {
        char member[32];
        snprintf(member, sizeof member, "%sMs", names[i]);
        const json_t *at = json_object_get(stages, member);
        if (at)
            fs_buf_addf(&text, "%s%s %lld ms", text.length ? ", " : "", names[i],
                        (long long)json_integer_value(at));
    }
    if (text.length)
        line(call, "after", text.data);
    fs_buf_finish(&text);
}

static void print_receipt(const struct fs_cli_call *call, const json_t *receipt, bool delivered)
{
    bool applied = json_is_true(json_object_get(receipt, "applied")),
         complete = json_is_true(json_object_get(receipt, "complete"));
    fprintf(call->out, "entry %lld: ", number(receipt, "entry"));
    fs_cli_paint(call, complete ? FS_COLOR_GOOD : FS_COLOR_WARN,
                 complete               ? "complete"
                 : delivered && applied ? "applied, not complete"
                 : applied              ? "applied"
                                        : "not applied yet");
    fputc('\n', call->out);
    bool again = json_is_true(json_object_get(receipt, "again"));
    if (again)
        line(call, "again", "the event was in the journal already; this receipt was made anew");
    if (json_is_true(json_object_get(receipt, "superseded")))
        line(call, "superseded",
             again ? "its facts have changed since" : "a newer fact was known already: nothing changed");
    if (applied)
        fprintf(call->out, "  %-13s %lld\n", "revision", number(receipt, "revision"));
    if (json_object_get(receipt, "flips"))
        fprintf(call->out, "  %-13s %lld, after %lld question%s\n", "flips", number(receipt, "flips"),
                number(receipt, "questions"), number(receipt, "questions") == 1 ? "" : "s");
    print_delivery(call, receipt);
    print_unresolved(call, json_object_get(receipt, "unresolved"));
    const json_t *times = json_object_get(receipt, "times");
    static const char *const stages[] = {"accepted", "applied", "queued"};
    for (size_t i = 0; i < 3; i++) {
        char *text = fs_cli_member(times, stages[i]);
        if (strcmp(text, "-") != 0)
            line(call, stages[i], text);
        fs_free(text);
    }
    print_stages(call, receipt);
}

static void print_entries(const struct fs_cli_call *call, const json_t *reply)
{
    const json_t *entries = json_object_get(reply, "entries");
    if (json_array_size(entries) == 0)
        fprintf(call->out, "nothing in it\n");
    for (size_t i = 0; i < json_array_size(entries); i++) {
        const json_t *one = json_array_get(entries, i);
        fprintf(call->out, "entry %lld%s\n", (long long)json_integer_value(json_object_get(one, "entry")),
                json_is_true(json_object_get(one, "duplicate")) ? " (known before; nothing happens twice)"
                                                                : "");
    }
}

static const char patience[] = "still waiting: for a source's answer, a client's acknowledgement, or a lease "
                               "to end (also those from before "
                               "the daemon's start); docs/receipts.md";

bool fs_receipt_ask(const struct fs_cli_call *call, const struct fs_request *request, struct fs_buf *path,
                    struct fs_reply *reply, struct fs_err *err)
{
    const char *wait = fs_config_text(&call->config, FS_OPT_WAIT);
    int64_t timeout = fs_config_number(&call->config, FS_OPT_WAIT_TIMEOUT);
    char text[32];
    struct fs_request whole = *request;
    fs_query_add(path, "wait", wait);
    fs_query_add(path, "timeout", timeout ? fs_format_duration(timeout, text) : NULL);
    whole.path = path->data;
    whole.patience = wait ? patience : NULL;
    whole.wait = !wait ? 0 : timeout ? timeout : -1;
    return fs_client_ask(call, &whole, reply, err);
}

int fs_receipt_conclude(const struct fs_cli_call *call, const json_t *answer, const char *nobody,
                        const char *again, struct fs_err *err)
{
    const char *wait = fs_config_text(&call->config, FS_OPT_WAIT);
    bool delivered = wait && strcmp(wait, "delivered") == 0;
    if (fs_cli_json(call))
        fs_cli_print_json(call, answer);
    else if (wait)
        print_receipt(call, answer, delivered);
    else
        print_entries(call, answer);
    const json_t *concerned = json_object_get(answer, "concerned"),
                 *asked = json_object_get(json_object_get(answer, "ofrep"), "concerned");
    if (wait && json_is_integer(concerned) && !json_integer_value(concerned) && !json_integer_value(asked))
        fprintf(call->err, "flagstaff %s: nobody was concerned: %s\n", fs_command_name(call->config.command),
                nobody);
    if (!wait || json_is_true(json_object_get(answer, delivered ? "complete" : "applied")))
        return 0;
    fs_fail(err, FS_ERR_TIMEOUT, "not %s in time; %s", delivered ? "complete" : "applied", again);
    return -1;
}

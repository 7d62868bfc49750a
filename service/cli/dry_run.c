/* SPDX-License-Identifier: Apache-2.0 */
/* What an order or an event would change, for people. */
#include "base/alloc.h"
#include "cli_internal.h"

static long long number(const json_t *object, const char *name)
{
    return (long long)json_integer_value(json_object_get(object, name));
}

static const char *plural(long long count)
{
    return count == 1 ? "" : "s";
}

static void print_change(const struct fs_cli_call *call, const json_t *change)
{
    const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");
    char *subject = fs_cli_member(change, "subject"), *before = fs_cli_value(json_object_get(from, "value")),
         *after = fs_cli_value(json_object_get(to, "value"));
    char *text = fs_format("  %-20s %s -> %s", *subject ? subject : "(nobody)", before, after);
    char *clean = fs_cli_clean(text);
    fprintf(call->err, "%s\n", clean);
    fs_free(subject);
    fs_free(before);
    fs_free(after);
    fs_free(text);
    fs_free(clean);
}

void fs_dry_run_ask(const struct fs_cli_call *call, const char *verb, const json_t *radius)
{
    const json_t *changes = json_object_get(radius, "changes");
    long long contexts = number(radius, "contexts"), subjects = number(radius, "subjects"),
              clients = number(radius, "clients");
    fprintf(call->err,
            "This %s changes a value of %lld subject%s (%lld context%s), with %lld client%s connected.\n",
            verb, subjects, plural(subjects), contexts, plural(contexts), clients, plural(clients));
    size_t shown = json_array_size(changes) < 10 ? json_array_size(changes) : 10;
    for (size_t i = 0; i < shown; i++)
        print_change(call, json_array_get(changes, i));
    if (contexts > (long long)shown && json_is_array(changes))
        fprintf(call->err, "  and %lld more\n", contexts - (long long)shown);
}

static void add_flip(struct fs_table *table, const json_t *change)
{
    const json_t *from = json_object_get(change, "from"), *to = json_object_get(change, "to");
    const char *subject = json_string_value(json_object_get(change, "subject"));
    const char *reason = json_string_value(json_object_get(to, "reason"));
    fs_table_add(table, subject && *subject ? subject : "(nobody)");
    fs_table_take(table, fs_cli_member(change, "flag"));
    fs_table_take(table, fs_cli_value(json_object_get(from, "value")));
    fs_table_take(table, fs_cli_value(json_object_get(to, "value")));
    fs_table_paint(table, reason ? reason : "-", fs_reason_color(reason));
}

static void print_unresolved(const struct fs_cli_call *call, const json_t *list)
{
    for (size_t i = 0; i < json_array_size(list); i++) {
        const json_t *one = json_array_get(list, i);
        char *source = fs_cli_member(one, "source"), *query = fs_cli_member(one, "query"),
             *error = fs_cli_member(one, "error");
        char *text = fs_format("not known: %s %s: %s", source, query, error), *clean = fs_cli_clean(text);
        fs_cli_paint(call, FS_COLOR_WARN, clean);
        fprintf(call->out, " (%lld question%s)\n", number(one, "count"), plural(number(one, "count")));
        fs_free(source);
        fs_free(query);
        fs_free(error);
        fs_free(text);
        fs_free(clean);
    }
}

int fs_dry_run_print(const struct fs_cli_call *call, const json_t *result)
{
    static const char *const heads[] = {"SUBJECT", "FLAG", "FROM", "TO", "REASON", NULL};
    const json_t *changes = json_object_get(result, "changes");
    long long flips = number(result, "flips"), subjects = number(result, "subjects"),
              contexts = number(result, "contexts"), clients = number(result, "clients");
    struct fs_table table;
    if (fs_cli_json(call))
        return fs_cli_print_json(call, result);
    fs_table_init(&table, heads);
    for (size_t i = 0; i < json_array_size(changes); i++)
        add_flip(&table, json_array_get(changes, i));
    if (json_array_size(changes))
        fs_table_print(&table, call, "");
    fs_table_finish(&table);
    if (number(result, "more"))
        fprintf(call->out, "and %lld more\n", number(result, "more"));
    fprintf(call->out,
            "%lld value%s of %lld subject%s (%lld context%s) would flip, with %lld client%s connected; "
            "nothing was done\n",
            flips, plural(flips), subjects, plural(subjects), contexts, plural(contexts), clients,
            plural(clients));
    if (json_is_true(json_object_get(result, "superseded")))
        fprintf(call->out, "a newer fact is known already: what it says of that would not count\n");
    print_unresolved(call, json_object_get(result, "unresolved"));
    return 0;
}

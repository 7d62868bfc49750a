/* SPDX-License-Identifier: Apache-2.0 */
/* The engine's state as JSON, for operators: flags, contexts, clients, sources, and why a value is what it
 * is. */
#include <stdlib.h>
#include "engine_internal.h"

static json_t *show_value(const struct fs_evaluation *value)
{
    json_t *one = fs_describe_value(value);
    json_object_set_new(one, "safe", json_boolean(value->safe));
    return one;
}

static json_t *show_cause(const struct fs_cause *cause)
{
    json_t *one = fs_describe_cause(cause);
    fs_describe_time(one, "time", cause->time);
    return one;
}

json_t *fs_engine_show_flags(const struct fs_engine *e)
{
    json_t *list = json_array();
    for (size_t i = 0; e->set && i < e->set->count; i++) {
        const struct fs_flag *flag = e->set->flags[i];
        json_t *sources = json_array();
        for (size_t d = 0; d < flag->decision_count; d++)
            json_array_append_new(sources, json_string(flag->decisions[d].source));
        json_t *one = json_pack("{s:s, s:s, s:b, s:b, s:s, s:o, s:s*, s:I}", "key", flag->key, "type",
                                fs_type_name(flag->type), "enabled", !flag->disabled, "access", flag->access,
                                "visibility", flag->visibility == FS_VISIBILITY_CLIENT ? "client" : "server",
                                "sources", sources, "file", flag->file, "line", (json_int_t)flag->line);
        if (flag->source_text)
            json_object_set(one, "definition", flag->source_text);
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *show_context(const struct fs_engine *e, const struct fs_context *context)
{
    json_t *flags = json_object();
    for (size_t i = 0; i < e->set->count; i++) {
        const struct fs_cell *cell = &context->cells[i];
        if (!cell->known)
            continue;
        json_t *value = show_value(&cell->value);
        json_object_set_new(value, "cause", show_cause(cell->cause));
        fs_describe_time(value, "changed", cell->changed);
        json_object_set_new(flags, e->set->flags[i]->key, value);
    }
    json_t *one =
        json_pack("{s:s, s:s, s:O, s:I, s:o}", "hash", context->hash, "subject", context->subject, "context",
                  context->json, "watches", (json_int_t)context->watches, "flags", flags);
    if (context->owner->facts_json && json_object_size(context->owner->facts_json))
        json_object_set(one, "facts", context->owner->facts_json);
    return one;
}

#define CELLS_SHOWN   50000 /* in one list of contexts */
#define WATCHES_SHOWN 100   /* of one client */

struct context_list {
    json_t *list;
    size_t limit, cells;
    bool more;
};

/* False: the list is full. */
static bool list_context(const struct fs_engine *e, struct context_list *to, const struct fs_context *context)
{
    if (json_array_size(to->list) >= to->limit || to->cells >= CELLS_SHOWN) {
        to->more = true;
        return false;
    }
    json_array_append_new(to->list, show_context(e, context));
    to->cells += e->set->count;
    return true;
}

json_t *fs_engine_show_contexts(const struct fs_engine *e, const char *subject, size_t limit)
{
    struct context_list all = {.list = json_array(), .limit = limit};
    const struct fs_subject *owner = subject ? fs_map_gets(&e->subjects, subject) : NULL;
    for (const struct fs_list *node = owner ? owner->contexts.next : NULL; node && node != &owner->contexts;
         node = node->next)
        if (!list_context(e, &all, FS_CONTAINER(node, const struct fs_context, by_subject)))
            break;
    for (struct fs_map_iter it = {0}; !subject && fs_map_next(&e->contexts, &it);)
        if (!list_context(e, &all, it.value))
            break;
    json_t *root = json_pack("{s:o}", "contexts", all.list);
    if (all.more)
        json_object_set_new(root, "more", json_true());
    return root;
}

static json_t *show_watches(const struct fs_connection *connection)
{
    json_t *list = json_array();
    for (struct fs_map_iter it = {0};
         json_array_size(list) < WATCHES_SHOWN && fs_map_next(&connection->watches, &it);) {
        const struct fs_watch *watch = it.value;
        json_array_append_new(list, json_pack("{s:I, s:s, s:s, s:s, s:b}", "watch", (json_int_t)watch->id,
                                              "subject", watch->view->context->subject, "context",
                                              watch->view->context->hash, "view", watch->view->hash,
                                              "resumed", watch->resumed));
    }
    return list;
}

static json_t *show_client(const struct fs_connection *connection, struct fs_time now)
{
    const char *state = !connection->open                  ? "held"
                        : connection->window <= 0          ? "blocked"
                        : fs_connection_behind(connection) ? "behind"
                                                           : "current";
    json_t *one =
        json_pack("{s:s, s:s, s:s*, s:s*, s:s, s:s, s:s, s:I, s:I, s:o, s:I}", "session", connection->session,
                  "channel", connection->stream ? "sse" : "websocket", "client", connection->client_name,
                  "version", connection->client_version, "credential", connection->credential->id, "address",
                  connection->address, "state", state, "sent", (json_int_t)connection->sent_revision,
                  "acknowledged", (json_int_t)connection->acked_revision, "watches", show_watches(connection),
                  "watchCount", (json_int_t)connection->watches.count);
    fs_describe_time(one, "opened", connection->opened);
    if (connection->lease_until)
        fs_describe_time(one, "leaseUntil", now.wall + (connection->lease_until - now.mono));
    return one;
}

static int by_number(const void *a, const void *b)
{
    const struct fs_connection *const *one = a, *const *other = b;
    return (*one)->number < (*other)->number ? -1 : (*one)->number > (*other)->number;
}

json_t *fs_engine_show_clients(const struct fs_engine *e, uint64_t after, size_t limit, struct fs_time now)
{
    json_t *list = json_array();
    FS_VEC(const struct fs_connection *) all = {0};
    for (struct fs_map_iter it = {0}; fs_map_next(&e->connections, &it);)
        if (((const struct fs_connection *)it.value)->number > after)
            fs_vec_push(&all, it.value);
    if (all.count)
        qsort(all.items, all.count, sizeof *all.items, by_number);
    for (size_t i = 0; i < all.count && i < limit; i++)
        json_array_append_new(list, show_client(all.items[i], now));
    json_t *root = json_pack("{s:o, s:I}", "clients", list, "total", (json_int_t)e->connections.count);
    if (limit && all.count > limit)
        json_object_set_new(root, "next", json_integer((json_int_t)all.items[limit - 1]->number));
    fs_vec_finish(&all);
    return root;
}

json_t *fs_engine_show_changes(const struct fs_engine *e)
{
    json_t *counts = json_object();
    for (struct fs_map_iter it = {0}; fs_map_next(&e->changes, &it);)
        json_object_set_new(counts, it.key, json_integer((json_int_t) * (uint64_t *)it.value));
    return counts;
}

const char *fs_source_status_name(enum fs_source_status status)
{
    return status == FS_SOURCE_UP ? "up" : status == FS_SOURCE_DOWN ? "down" : "unknown";
}

json_t *fs_engine_show_sources(const struct fs_engine *e, struct fs_time now)
{
    json_t *list = json_array();
    for (size_t i = 0; i < e->sources.count; i++) {
        const struct fs_source_state *source = e->sources.items[i];
        json_t *one =
            json_pack("{s:s, s:s, s:s, s:s*, s:I, s:I}", "name", source->name, "type", source->type->name,
                      "state", fs_source_status_name(source->status), "revision", source->revision, "asked",
                      (json_int_t)source->asked, "failed", (json_int_t)source->failed);
        json_object_set_new(one, "decisions",
                            json_pack("{s:I, s:I, s:I, s:I}", "allow", (json_int_t)source->outcomes[0],
                                      "deny", (json_int_t)source->outcomes[1], "value",
                                      (json_int_t)source->outcomes[2], "error",
                                      (json_int_t)source->outcomes[3]));
        if (source->error[0])
            json_object_set_new(one, "error", json_string(source->error));
        fs_describe_time(one, "since", source->since);
        if (source->alive && source->type->create)
            fs_describe_time(one, "alive", now.wall - (now.mono - source->alive));
        json_array_append_new(list, one);
    }
    return list;
}

static json_t *show_question(const struct fs_engine *e, const struct fs_question *q)
{
    struct fs_err err;
    json_t *input = q->input_length ? fs_json_read(q->input, q->input_length, 64, &err) : NULL;
    json_t *one = json_pack("{s:s, s:s, s:s, s:s, s:b, s:b, s:s*, s:s*}", "source",
                            e->sources.items[q->source]->name, "kind", q->kind, "query", q->query, "state",
                            q->answered ? fs_answer_state_name(q->answer.state) : "none", "settled",
                            !fs_question_unsettled(q), "failed", q->failed, "revision", q->answer.revision,
                            "decision", q->answer.decision_id);
    if (input)
        json_object_set_new(one, "input", input);
    if (q->answer.value)
        json_object_set(one, "value", q->answer.value);
    if (q->failed && q->error)
        json_object_set_new(one, "error", json_string(q->error));
    else if (q->answer.error)
        json_object_set_new(one, "error", json_string(q->answer.error));
    if (q->answer_entry)
        json_object_set_new(one, "entry", json_integer((json_int_t)q->answer_entry));
    if (q->answered)
        fs_describe_time(one, "confirmed", e->now.wall - (e->now.mono - fs_question_confirmed(e, q)));
    return one;
}

/* What the built-in source says: its rule run anew, on the facts as they stand. */
static json_t *show_builtin(struct fs_engine *e, const struct fs_flag *flag,
                            const struct fs_decision *decision, const struct fs_context *context)
{
    struct fs_answer answer = {0};
    int64_t next;
    fs_decide_builtin(flag, decision, context->json, context->owner->facts_json, e->now.wall, &e->arena,
                      &answer, &next);
    json_t *one =
        json_pack("{s:s, s:s, s:s, s:s, s:s*}", "source", decision->source, "kind", decision->kind, "query",
                  decision->query, "state", fs_answer_state_name(answer.state), "error", answer.error);
    if (answer.value)
        json_object_set(one, "value", answer.value);
    fs_answer_finish(&answer);
    fs_arena_reset(&e->arena);
    return one;
}

static json_t *show_decisions(struct fs_engine *e, const struct fs_flag *flag,
                              const struct fs_context *context)
{
    const struct fs_cell *cell = &context->cells[flag->index];
    json_t *list = json_array();
    for (size_t d = 0; d < flag->decision_count; d++) {
        const struct fs_decision *decision = &flag->decisions[d];
        const struct fs_binding *binding = cell->bindings ? &cell->bindings[d] : NULL;
        json_t *one;
        if (binding && binding->question)
            one = show_question(e, binding->question);
        else if (decision->rule)
            one = show_builtin(e, flag, decision, context);
        else
            one = json_pack("{s:s, s:s, s:s}", "source", decision->source, "kind", decision->kind, "query",
                            decision->query);
        if (decision->name)
            json_object_set_new(one, "name", json_string(decision->name));
        if (binding && binding->missing_fact[0])
            json_object_set_new(one, "missing", json_string(binding->missing_fact));
        json_array_append_new(list, one);
    }
    return list;
}

/* The branch of the targeting, or of the rule that makes the value, that decided: run anew on the answers and
 * facts as they stand. */
static void show_branch(struct fs_engine *e, const struct fs_flag *flag, struct fs_context *context,
                        json_t *root)
{
    char pointer[256];
    if (!flag->targeting && !flag->value)
        return;
    fs_cell_trace(e, context, (uint32_t)flag->index, pointer);
    if (*pointer)
        json_object_set_new(root, "branch", json_string(pointer));
}

static json_t *show_acks(const struct fs_context *context, uint32_t flag, uint64_t revision)
{
    json_t *list = json_array();
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            const struct fs_connection *connection =
                FS_CONTAINER(member, struct fs_watch, in_view)->connection;
            json_array_append_new(
                list, json_pack("{s:s, s:s*, s:b, s:b}", "session", connection->session, "client",
                                connection->client_name, "connected", connection->open, "acknowledged",
                                !connection->stream && connection->acked_revision >= revision));
        }
    }
    return list;
}

/* The context meant: by its hash or the beginning of it, or the one seen or changed last. */
static struct fs_context *find_context(struct fs_engine *e, const char *subject, const char *hash,
                                       uint32_t flag)
{
    const struct fs_subject *owner = fs_map_gets(&e->subjects, subject);
    struct fs_context *best = NULL;
    for (struct fs_list *node = owner ? owner->contexts.next : NULL; node && node != &owner->contexts;
         node = node->next) {
        struct fs_context *context = FS_CONTAINER(node, struct fs_context, by_subject);
        if (!context->cells[flag].known || (hash && strncmp(context->hash, hash, strlen(hash))))
            continue;
        if (!best || context->watches > best->watches ||
            (context->watches == best->watches && context->seen > best->seen))
            best = context;
    }
    return best;
}

json_t *fs_engine_show_why(struct fs_engine *e, const char *subject, const char *key, const char *hash,
                           struct fs_time now)
{
    e->now = now;
    const struct fs_flag *flag = e->set ? fs_flagset_find(e->set, key) : NULL;
    struct fs_context *context = flag ? find_context(e, subject, hash, (uint32_t)flag->index) : NULL;
    if (!context)
        return NULL;
    const struct fs_cell *cell = &context->cells[flag->index];
    json_t *root = json_pack("{s:s, s:s, s:s, s:O, s:o, s:I, s:o, s:o, s:o}", "subject", subject, "flag", key,
                             "contextHash", context->hash, "context", context->json, "value",
                             show_value(&cell->value), "revision", (json_int_t)cell->revision, "cause",
                             show_cause(cell->cause), "decisions", show_decisions(e, flag, context),
                             "clients", show_acks(context, (uint32_t)flag->index, cell->revision));
    fs_describe_time(root, "changed", cell->changed);
    if (cell->value.override) {
        json_t *override = fs_engine_show_override(e, cell->value.override_entry);
        if (override) /* NULL: released a moment ago */
            json_object_set_new(root, "override", override);
    }
    if (cell->held)
        json_object_set_new(root, "held", json_true());
    if (flag->source_text)
        json_object_set(root, "definition", flag->source_text);
    if (context->owner->facts_json && json_object_size(context->owner->facts_json))
        json_object_set(root, "facts", context->owner->facts_json);
    show_branch(e, flag, context, root);
    return root;
}

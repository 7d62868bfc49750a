/* SPDX-License-Identifier: Apache-2.0 */
/* What tests do to the world, and what they ask of it: events, facts, evaluations, receipts. See
 * engine_world.h. */
#include "engine_world.h"

static uint64_t hand_over(struct world *w, enum fs_entry_kind kind, char *body, size_t length)
{
    struct world_draft draft = {kind, w->next_event, w->now.wall, body, length, w->now.mono};
    fs_vec_push(&w->drafts, draft);
    if (w->manual)
        return 0;
    while (w->drafts.count)
        world_commit(w);
    return w->next_entry;
}

uint64_t world_event_at(struct world *w, const char *json, int64_t time)
{
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    char id[32];
    snprintf(id, sizeof id, "ev-%llu", (unsigned long long)++w->next_event);
    json_object_set_new(root, "id", json_string(id));
    json_object_set_new(root, "source", json_string("/tests"));
    json_object_set_new(root, "type", json_string("flagstaff.test"));
    if (!json_object_get(root, "credential")) /* one each: recomputes of one credential are merged */
        json_object_set_new(root, "credential", json_string(id));
    if (time)
        json_object_set_new(root, "time", json_integer(time));
    size_t length;
    char *body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &length);
    json_decref(root);
    return hand_over(w, FS_ENTRY_EVENT, body, length);
}

uint64_t world_override(struct world *w, const char *json)
{
    size_t length;
    json_t *root = json_loads(json, 0, NULL);
    assert_non_null(root);
    json_object_set_new(root, "author", json_string("k1"));
    json_object_set_new(root, "reason", json_string("a test"));
    if (!json_object_get(root, "action"))
        json_object_set_new(root, "action", json_string("set"));
    char *body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &length);
    json_decref(root);
    ++w->next_event;
    return hand_over(w, FS_ENTRY_OVERRIDE, body, length);
}

uint64_t world_erasure(struct world *w, const char *subject)
{
    size_t length;
    char name[65];
    fs_entry_text_name(w->options.context_rules.secret, subject, strlen(subject), name);
    json_t *root = json_pack("{s:s, s:s, s:I}", "credential", "k1", "subject", name, "time",
                             (json_int_t)fs_engine_subject_told(w->engine, subject));
    char *body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &length);
    json_decref(root);
    ++w->next_event;
    return hand_over(w, FS_ENTRY_ERASURE, body, length);
}

uint64_t world_event(struct world *w, const char *json)
{
    return world_event_at(w, json, 0);
}

uint64_t world_recompute(struct world *w, const char *subject)
{
    char *json = subject ? fs_format("{\"recompute\":{\"subjects\":[\"%s\"]}}", subject)
                         : fs_strdup("{\"recompute\":{}}");
    uint64_t entry = world_event(w, json);
    fs_free(json);
    return entry;
}

uint64_t world_fact(struct world *w, const char *subject, const char *fact, const char *value)
{
    char *json = fs_format("{\"facts\":[{\"subject\":\"%s\",\"fact\":\"%s\"%s%s}]}", subject, fact,
                           value ? ",\"value\":" : "", value ? value : "");
    uint64_t entry = world_event(w, json);
    fs_free(json);
    return entry;
}

json_t *world_receipt_of(struct world *w, uint64_t token)
{
    for (size_t i = w->receipts.count; i > 0; i--)
        if (w->receipts.items[i - 1].token == token)
            return w->receipts.items[i - 1].receipt;
    return NULL;
}

json_t *world_found(struct world *w, uint64_t token)
{
    for (unsigned turns = 0; turns < 100000; turns++) {
        for (size_t i = 0; i < w->found.count; i++)
            if (w->found.items[i].token == token)
                return json_incref(w->found.items[i].result);
        if (turns && fs_engine_next(w->engine) > w->now.mono)
            return NULL; /* it waits for something */
        world_turn(w);
    }
    return NULL;
}

struct world_evaluated *world_evaluated_of(struct world *w, uint64_t token)
{
    for (size_t i = w->evaluated.count; i > 0; i--)
        if (w->evaluated.items[i - 1].token == token)
            return &w->evaluated.items[i - 1];
    return NULL;
}

struct world_evaluated *world_evaluate(struct world *w, const char *context, uint64_t token)
{
    static struct fs_credential any = {.scopes = FS_SCOPE_EVALUATE_ANY};
    json_t *wanted =
        *context == '{' ? json_loads(context, 0, NULL) : json_pack("{s:s}", "targetingKey", context);
    struct fs_context_text text;
    struct fs_err err;
    assert_true(fs_context_make(wanted, &any, &w->options.context_rules, &text, &err));
    fs_engine_evaluate(w->engine, &text, false, NULL, token, w->now);
    fs_context_text_finish(&text);
    json_decref(wanted);
    world_called(w);
    return world_evaluated_of(w, token);
}

struct fs_cell *world_cell(struct world *w, const char *subject, const char *key)
{
    struct fs_subject *owner = fs_map_gets(&w->engine->subjects, subject);
    const struct fs_flag *flag = fs_flagset_find(w->engine->set, key);
    if (!owner || !flag || fs_list_empty(&owner->contexts))
        return NULL;
    return &FS_CONTAINER(owner->contexts.next, struct fs_context, by_subject)->cells[flag->index];
}

size_t world_count_entries(const struct world *w, enum fs_entry_kind kind)
{
    size_t count = 0;
    for (size_t i = 0; i < w->entries.count; i++)
        count += w->entries.items[i].kind == kind;
    return count;
}

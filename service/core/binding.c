/* SPDX-License-Identifier: Apache-2.0 */
/* Bindings: which question each decision of a cell asks now. The question follows from context and facts, and
 * is shared by all that ask the same. */
#include "engine_internal.h"

void fs_cell_unbind(struct fs_engine *e, struct fs_cell *cell, size_t decisions)
{
    for (size_t d = 0; cell->bindings && d < decisions; d++) {
        struct fs_question *q = cell->bindings[d].question;
        if (!q)
            continue;
        fs_list_remove(&cell->bindings[d].node);
        fs_question_release(e, q);
    }
    fs_free(cell->bindings);
    cell->bindings = NULL;
}

char *fs_binding_key(struct fs_engine *e, const struct fs_context *context, const struct fs_flag *flag,
                     const struct fs_decision *decision, const json_t *facts, size_t *length,
                     char missing_fact[64])
{
    int source = fs_engine_find_source(e, decision->source);
    missing_fact[0] = 0;
    if (source < 0) {
        snprintf(missing_fact, 64, "source %.48s", decision->source);
        return NULL;
    }
    if (!*context->subject) { /* nobody may do nothing, and no source is asked about nobody */
        snprintf(missing_fact, 64, "context.targetingKey");
        return NULL;
    }
    /* A source that lists its subjects is asked about the subject, whatever else the context says. */
    bool lists = !strcmp(decision->kind, "users");
    json_t *input =
        lists ? json_object()
              : fs_decision_input(flag, decision, context->json, facts, e->now.wall, &e->arena, missing_fact);
    if (!input && !missing_fact[0])
        snprintf(missing_fact, 64, "a value for its input");
    if (missing_fact[0]) {
        json_decref(input);
        return NULL;
    }
    struct fs_buf text;
    fs_buf_init(&text, FS_TEXT_LIMIT);
    fs_json_canonical(&text, input);
    json_decref(input);
    char *key = NULL;
    if (text.failed)
        snprintf(missing_fact, 64, "input over %d bytes", FS_TEXT_LIMIT);
    else
        key = fs_question_key((unsigned)source, decision->kind, decision->query,
                              lists ? context->subject : "", text.data, text.length, length);
    fs_buf_finish(&text);
    return key;
}

void fs_cell_bind(struct fs_engine *e, struct fs_context *context, uint32_t index)
{
    struct fs_cell *cell = &context->cells[index];
    const struct fs_flag *flag = e->set->flags[index];
    cell->rebind = false;
    if (!flag->decision_count)
        return;
    if (!cell->bindings)
        cell->bindings = fs_calloc(flag->decision_count, sizeof *cell->bindings);
    for (size_t d = 0; d < flag->decision_count; d++) {
        struct fs_binding *binding = &cell->bindings[d];
        binding->context = context;
        binding->flag = index;
        if (flag->decisions[d].rule)
            continue;
        size_t length;
        char *key = fs_binding_key(e, context, flag, &flag->decisions[d], context->owner->facts_json, &length,
                                   binding->missing_fact);
        struct fs_question *q = key ? fs_question_intern(e, key, length, context) : NULL;
        if (q == binding->question)
            continue;
        struct fs_question *old = binding->question;
        if (old)
            fs_list_remove(&binding->node);
        binding->question = q;
        if (q) {
            fs_list_append(&q->bindings, &binding->node);
            if (!q->answered || q->overdue || q->touched > q->settled)
                fs_question_ask_again(e, q);
            if (cell->noted && !q->answered)
                fs_receipt_bound(e, cell->noted, q);
        }
        if (old)
            fs_question_release(e, old);
    }
}

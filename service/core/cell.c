/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Cells: the value of one flag for one context. What touches one, who wants it, when it is due, and whether
 * what it holds may be shown. How it is evaluated stands in cell_evaluate.c.
 */
#include "engine_internal.h"

const char *fs_cause_kind_name(enum fs_cause_kind kind)
{
    static const char *const names[] = {"watch",       "event",       "revalidate", "timer",
                                        "source-lost", "source-back", "config",     "override"};
    return names[kind];
}

struct fs_cause *fs_cause_create(enum fs_cause_kind kind, uint64_t entry, int64_t time)
{
    struct fs_cause *cause = FS_NEW(struct fs_cause);
    cause->kind = kind;
    cause->time = time;
    if (entry)
        cause->entries[cause->count++] = entry;
    return cause;
}

/* Events outrank what has none: a revalidation that was under way when an event came tells the event. An
 * override outranks all: what else has touched the value is not why it changes. */
void fs_cell_note(struct fs_engine *e, struct fs_context *context, uint32_t flag, enum fs_cause_kind kind,
                  uint64_t entry, int64_t time)
{
    struct fs_cell *cell = &context->cells[flag];
    int64_t accepted = kind == FS_CAUSE_EVENT && entry ? e->accepted : 0;
    if (!cell->wanted && !cell->known)
        return;
    struct fs_cause *cause = cell->pending_cause;
    if (!cause) {
        cell->pending_cause = fs_cause_create(kind, entry, time);
        cell->pending_cause->accepted = accepted;
        return;
    }
    bool event = cause->kind == FS_CAUSE_EVENT || cause->kind == FS_CAUSE_OVERRIDE;
    bool ordered = kind == FS_CAUSE_OVERRIDE && cause->kind != FS_CAUSE_OVERRIDE;
    if (ordered || (!event && (kind == FS_CAUSE_EVENT || kind == FS_CAUSE_SOURCE_BACK))) {
        memset(cause, 0, sizeof *cause);
        cause->kind = kind;
        cause->time = time;
        cause->accepted = accepted;
    }
    if (!entry)
        return;
    for (unsigned i = 0; i < cause->count && i < FS_CAUSE_LIMIT; i++)
        if (cause->entries[i] == entry)
            return;
    if (cause->count < FS_CAUSE_LIMIT)
        cause->entries[cause->count] = entry;
    cause->count++;
}

void fs_cell_mark(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    struct fs_cell *cell = &context->cells[flag];
    if (!cell->wanted || (cell->dirty && !cell->aside))
        return;
    cell->dirty = true;
    cell->aside = false;
    fs_vec_push(&context->dirty, flag);
    if (!context->listed) {
        context->listed = true;
        fs_vec_push(&e->dirty, context);
    }
}

/* It is about to have no value any more. */
static void forget(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    if (e->feeds)
        fs_feed_forget(e, context, flag);
    if (context->cells[flag].number)
        e->forgotten_revision = e->revision;
}

void fs_cell_finish(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    struct fs_cell *cell = &context->cells[flag];
    if (cell->known) {
        forget(e, context, flag);
        fs_evaluation_finish(&cell->value);
        e->counts.cells--;
    }
    fs_free(cell->cause);
    fs_free(cell->pending_cause);
    if (cell->alarm)
        fs_alarm_cancel(e, &cell->alarm->alarm);
    fs_free(cell->alarm);
    memset(cell, 0, sizeof *cell);
}

void fs_cell_want(struct fs_engine *e, struct fs_context *context, uint32_t flag, int by)
{
    struct fs_cell *cell = &context->cells[flag];
    cell->wanted += (unsigned)by;
    if (cell->wanted == 0) {
        fs_cell_unbind(e, cell, e->set->flags[flag]->decision_count);
        fs_cell_finish(e, context, flag);
        return;
    }
    if (by > 0 && !cell->bindings && e->set->flags[flag]->decision_count)
        cell->rebind = true;
    if (by > 0 && (!cell->known || cell->rebind))
        fs_cell_mark(e, context, flag);
}

void fs_cell_arm(struct fs_engine *e, struct fs_context *context, uint32_t index, int64_t next)
{
    struct fs_cell *cell = &context->cells[index];
    if (next == INT64_MAX) {
        if (cell->alarm)
            fs_alarm_cancel(e, &cell->alarm->alarm);
        return;
    }
    if (!cell->alarm) {
        cell->alarm = FS_NEW(struct fs_cell_alarm);
        cell->alarm->context = context;
        cell->alarm->flag = index;
    }
    fs_alarm_set(e, &cell->alarm->alarm, FS_DUE_CELL, next > e->now.mono ? next : e->now.mono + 1);
}

void fs_cell_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_cell_alarm *owner = FS_CONTAINER(alarm, struct fs_cell_alarm, alarm);
    fs_cell_note(e, owner->context, owner->flag, FS_CAUSE_TIMER, 0, e->now.wall);
    fs_cell_mark(e, owner->context, owner->flag);
}

void fs_cells_look_anew(struct fs_engine *e)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->contexts, &it);) {
        struct fs_context *context = it.value;
        for (size_t i = 0; i < e->set->count; i++) {
            struct fs_cell_alarm *alarm = context->cells[i].alarm;
            if (e->set->flags[i]->time != FS_TIME_NONE && alarm && fs_timer_armed(&alarm->alarm.timer))
                fs_alarm_set(e, &alarm->alarm, FS_DUE_CELL, e->now.mono);
        }
    }
}

static bool asks_with_time(const struct fs_flag *flag)
{
    for (size_t d = 0; flag->time != FS_TIME_NONE && d < flag->decision_count; d++)
        if (flag->decisions[d].input && fs_rule_time(flag->decisions[d].input) != FS_TIME_NONE)
            return true;
    return false;
}

/* Whoever looks at a cell looks at what it asks now: its alarm may have been overtaken. */
void fs_cell_bind_where_needed(struct fs_engine *e, struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    const struct fs_flag *flag = e->set->flags[index];
    if (cell->rebind || (!cell->bindings && flag->decision_count) || asks_with_time(flag))
        fs_cell_bind(e, context, index);
}

bool fs_cell_is_doubtful(const struct fs_engine *e, const struct fs_context *context, uint32_t flag)
{
    const struct fs_cell *cell = &context->cells[flag];
    for (size_t d = 0; cell->bindings && d < e->set->flags[flag]->decision_count; d++) {
        const struct fs_question *q = cell->bindings[d].question;
        if (q && (fs_question_doubtful(e, q) || (!q->answered && !q->failed)))
            return true;
    }
    return false;
}

/* Without a value; or nobody has kept it current, and what has come since is not through yet. */
bool fs_cell_waits(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    const struct fs_cell *cell = &context->cells[flag];
    (void)e;
    return !cell->known || (!context->watches && (cell->dirty || cell->proposed));
}

void fs_cell_recall(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    struct fs_cell *cell = &context->cells[flag];
    fs_cell_bind_where_needed(e, context, flag);
    for (size_t d = 0; cell->bindings && d < e->set->flags[flag]->decision_count; d++)
        if (cell->bindings[d].question)
            fs_question_ask_again(e, cell->bindings[d].question);
    if (!cell->known || fs_context_is_shown(context, flag) || !fs_cell_is_doubtful(e, context, flag) ||
        fs_override_of(e, e->set->flags[flag], context->subject))
        return;
    forget(e, context, flag);
    fs_evaluation_finish(&cell->value);
    memset(&cell->value, 0, sizeof cell->value);
    fs_free(cell->cause);
    cell->cause = NULL;
    cell->known = false;
    cell->proposed = 0;
    cell->waiting = 0;
    e->counts.cells--;
    fs_cell_mark(e, context, flag);
}

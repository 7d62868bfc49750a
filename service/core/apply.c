/* SPDX-License-Identifier: Apache-2.0 */
/* Applying entries, in journal order, at the notice of their commit: what an event concerns, and what follows
 * for that and nothing else. */
#include "engine_internal.h"

static bool listed(char *const *list, const char *text)
{
    for (char *const *item = list; item && *item; item++)
        if (!strcmp(*item, text))
            return true;
    return false;
}

/* A path covers itself and what lies below it. */
static bool path_listed(char *const *list, const char *query)
{
    for (char *const *item = list; item && *item; item++) {
        size_t length = strlen(*item);
        if (!strncmp(*item, query, length) && (query[length] == 0 || query[length] == '/'))
            return true;
    }
    return false;
}

static bool binding_concerned(const struct fs_engine *e, const struct fs_filter *filter,
                              const struct fs_binding *binding)
{
    if (filter->subjects && !listed(filter->subjects, binding->context->subject))
        return false;
    return !filter->flags || listed(filter->flags, e->set->flags[binding->flag]->key);
}

/* Is the question meant by the filter? By its source and path, and by the subjects and flags that depend on
 * it. */
bool fs_filter_means(const struct fs_engine *e, const struct fs_filter *filter, const struct fs_question *q)
{
    if (filter->sources && !listed(filter->sources, e->sources.items[q->source]->name))
        return false;
    if (filter->paths && !path_listed(filter->paths, q->query))
        return false;
    if (!filter->subjects && !filter->flags)
        return true;
    FS_LIST_EACH(&q->bindings, node)
    {
        if (binding_concerned(e, filter, FS_CONTAINER(node, struct fs_binding, node)))
            return true;
    }
    return false;
}

void fs_apply_touch(struct fs_engine *e, struct fs_question *q, uint64_t entry, int64_t time,
                    struct fs_receipt *receipt)
{
    if (q->touched == entry)
        return; /* several cells of one context ask it */
    fs_receipt_question(receipt, q);
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        fs_receipt_cell(e, receipt, binding->context, binding->flag);
    }
    fs_question_touch(e, q, FS_CAUSE_EVENT, entry, time);
}

/* The questions of some subjects' contexts: nothing here is proportional to the subjects that are not
 * concerned. */
static void recompute_subjects(struct fs_engine *e, const struct fs_filter *filter,
                               const struct fs_entry *entry, struct fs_receipt *receipt)
{
    for (char *const *name = filter->subjects; *name; name++) {
        struct fs_subject *subject = fs_map_gets(&e->subjects, *name);
        if (!subject)
            continue;
        FS_LIST_EACH(&subject->contexts, node)
        {
            struct fs_context *context = FS_CONTAINER(node, struct fs_context, by_subject);
            for (size_t i = 0; i < e->set->count; i++) {
                struct fs_cell *cell = &context->cells[i];
                for (size_t d = 0; cell->bindings && d < e->set->flags[i]->decision_count; d++) {
                    struct fs_question *q = cell->bindings[d].question;
                    if (q && fs_filter_means(e, filter, q))
                        fs_apply_touch(e, q, entry->number, entry->time, receipt);
                }
            }
        }
    }
}

static void recompute(struct fs_engine *e, const struct fs_filter *filter, const struct fs_entry *entry,
                      struct fs_receipt *receipt)
{
    if (filter->subjects) {
        recompute_subjects(e, filter, entry, receipt);
        return;
    }
    for (struct fs_map_iter it = {0}; fs_map_next(&e->questions, &it);) {
        struct fs_question *q = it.value;
        if (fs_filter_means(e, filter, q))
            fs_apply_touch(e, q, entry->number, entry->time, receipt);
    }
}

/* Cells that read the fact, whether or not they change. */
static void concern_fact(struct fs_engine *e, struct fs_receipt *receipt, const struct fs_fact_change *change)
{
    struct fs_subject *subject = fs_map_gets(&e->subjects, change->subject);
    for (struct fs_list *node = subject ? subject->contexts.next : NULL; node && node != &subject->contexts;
         node = node->next) {
        struct fs_context *context = FS_CONTAINER(node, struct fs_context, by_subject);
        for (size_t i = 0; i < e->set->count; i++) {
            const struct fs_flag *flag = e->set->flags[i];
            for (size_t f = 0; f < flag->fact_count; f++)
                if (!strcmp(flag->facts[f], change->fact) || !strcmp(flag->facts[f], "*"))
                    fs_receipt_cell(e, receipt, context, (uint32_t)i);
        }
    }
}

/* When the questions of a recompute are to be asked: at once (0), or at the end of the span that an earlier
 * one of the same credential began. */
static int64_t pace(struct fs_engine *e, const char *credential)
{
    struct fs_pace *pace = fs_map_gets(&e->paces, credential ? credential : "");
    if (!pace) {
        pace = FS_NEW(struct fs_pace);
        pace->last = INT64_MIN / 2;
        fs_map_sets(&e->paces, credential ? credential : "", pace);
    }
    if (pace->deferred && e->now.mono >= pace->last + FS_PACE_MS) {
        pace->last += FS_PACE_MS;
        pace->deferred = false;
    }
    pace->deferred = e->now.mono < pace->last + FS_PACE_MS;
    if (!pace->deferred)
        pace->last = e->now.mono;
    return pace->deferred ? pace->last + FS_PACE_MS : 0;
}

static void recompute_paced(struct fs_engine *e, const struct fs_event *event, const struct fs_entry *entry,
                            struct fs_receipt *receipt)
{
    if (!e->set)
        return;
    e->defer = pace(e, event->credential);
    recompute(e, &event->filter, entry, receipt);
    e->defer = 0;
}

static struct fs_fact_origin origin_of(const struct fs_event *event, const struct fs_entry *entry)
{
    return (struct fs_fact_origin){.stated = event->time,
                                   .accepted = entry->time,
                                   .entry = entry->number,
                                   .credential = event->credential};
}

void fs_apply_event(struct fs_engine *e, const struct fs_entry *entry)
{
    struct fs_err err;
    struct fs_event *event = fs_event_read(entry->body, entry->length, &err);
    if (!event)
        return; /* an erased body: nothing is left to apply */
    fs_words_note(e, entry->number, fs_event_words(event));
    struct fs_receipt *receipt =
        fs_receipt_open(e, entry->number, entry->time, entry->received, event->credential);
    struct fs_fact_origin origin = origin_of(event, entry);
    for (size_t i = 0; i < event->fact_count; i++) {
        if (!fs_fact_apply(e, &event->facts[i], &origin))
            fs_receipt_superseded(receipt);
        concern_fact(e, receipt, &event->facts[i]);
    }
    if (event->recompute)
        recompute_paced(e, event, entry, receipt);
    fs_event_destroy(event);
}

void fs_apply_again(struct fs_engine *e, const struct fs_entry *entry)
{
    struct fs_err err;
    struct fs_event *event =
        fs_receipt_find(e, entry->number) ? NULL : fs_event_read(entry->body, entry->length, &err);
    if (!event)
        return;
    fs_words_note(e, entry->number, fs_event_words(event));
    struct fs_receipt *receipt = fs_receipt_open(e, entry->number, entry->time, 0, event->credential);
    fs_receipt_made_again(receipt);
    for (size_t i = 0; i < event->fact_count; i++) {
        if (!fs_fact_stands(e, &event->facts[i], entry->number))
            fs_receipt_superseded(receipt);
        concern_fact(e, receipt, &event->facts[i]);
    }
    if (event->recompute)
        recompute_paced(e, event, entry, receipt);
    fs_event_destroy(event);
}

void fs_engine_restore(struct fs_engine *e, const struct fs_fact_state *fact)
{
    struct fs_fact_origin origin = {
        .stated = fact->time, .accepted = fact->time, .entry = fact->entry, .credential = fact->credential};
    if (*fact->change.fact)
        fs_fact_apply(e, &fact->change, &origin);
    else
        fs_erasure_apply(e, fact->change.subject, fact->time, fact->entry);
}

void fs_apply_erasure(struct fs_engine *e, const struct fs_entry *entry)
{
    char name[65];
    int64_t time;
    if (fs_entry_erasure(entry, name, &time))
        fs_erasure_apply(e, name, time, entry->number);
}

void fs_engine_replay(struct fs_engine *e, const struct fs_entry *entry)
{
    struct fs_err err;
    if (entry->number > e->applied)
        e->applied = entry->number;
    if (entry->kind == FS_ENTRY_OVERRIDE)
        fs_override_replay(e, entry);
    fs_apply_erasure(e, entry);
    if (entry->kind != FS_ENTRY_EVENT)
        return;
    struct fs_event *event = fs_event_read(entry->body, entry->length, &err);
    if (!event)
        return;
    struct fs_fact_origin origin = origin_of(event, entry);
    for (size_t i = 0; i < event->fact_count; i++)
        fs_fact_apply(e, &event->facts[i], &origin);
    fs_event_destroy(event);
}

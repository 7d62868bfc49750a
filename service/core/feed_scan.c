/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Which cells a view lets through, the walk over all of them in slices, and what a change of one means to the
 * views. Contexts are walked in the order of their numbers; a cell counts in a view once the walk has passed
 * its context.
 */
#include "feed_internal.h"

#include <strings.h>

#define FEW 2 /* watches of a context: with so few one more or less changes what its rows say themselves */

static bool contains(const char *text, const char *part)
{
    size_t length = strlen(part);
    for (; *text; text++)
        if (!strncasecmp(text, part, length))
            return true;
    return false;
}

static bool fits(const char *condition, const char *text)
{
    if (!condition || !*condition)
        return true;
    return strchr(condition, '*') ? fs_glob_match(condition, text) : !strcmp(condition, text);
}

static bool asks(const struct fs_flag *flag, const char *source)
{
    if (!source || !*source)
        return true;
    for (size_t d = 0; d < flag->decision_count; d++)
        if (fits(source, flag->decisions[d].source))
            return true;
    return false;
}

bool fs_feed_matches(const struct fs_engine *e, const struct fs_feed_view *view,
                     const struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    const struct fs_flag *flag = e->set->flags[index];
    const struct fs_feed_filter *filter = &view->filter;
    if (!cell->known)
        return false;
    if (filter->q && *filter->q && !contains(context->subject, filter->q) && !contains(flag->key, filter->q))
        return false;
    return fits(filter->subject, context->subject) && fits(filter->flag, flag->key) &&
           fits(filter->variant, cell->value.variant ? cell->value.variant : "") &&
           fits(filter->reason, fs_reason_name(cell->value.reason)) && asks(flag, filter->source);
}

void fs_feed_scan_from_start(struct fs_engine *e, struct fs_feed_view *view)
{
    view->cursor = e->all_contexts.next;
    view->cursor_number = 0;
    view->lacks = false;
}

/* Of a view that is being resumed: the board may hold the cell, and it is none of the rows any more. */
static void note_gone(struct fs_feed_view *view, const struct fs_cell *cell)
{
    if (!view->resumes || !cell->number)
        return;
    if (view->gone.count < view->limit)
        fs_vec_push(&view->gone, cell->number);
    else
        view->overrun = true;
}

static void scan_context(struct fs_engine *e, struct fs_feed_view *view, struct fs_context *context)
{
    for (uint32_t i = 0; i < e->set->count; i++) {
        if (fs_feed_matches(e, view, context, i)) {
            view->total += view->phase == FS_FEED_COUNTING;
            fs_feed_offer(e, view, context, i);
        } else if (context->cells[i].known && context->cells[i].revision > view->since) {
            note_gone(view, &context->cells[i]);
        }
    }
}

/* At the end, contexts may have come since behind it. */
static void catch_up(const struct fs_engine *e, struct fs_feed_view *view)
{
    struct fs_list *node = e->all_contexts.prev;
    if (view->cursor != &e->all_contexts)
        return;
    for (; node != &e->all_contexts; node = node->prev) {
        if (FS_CONTAINER(node, struct fs_context, in_all)->number < view->cursor_number)
            return;
        view->cursor = node;
    }
}

size_t fs_feed_scan(struct fs_engine *e, struct fs_feed_view *view, size_t budget)
{
    size_t cells = 0;
    catch_up(e, view);
    while (view->cursor && view->cursor != &e->all_contexts && cells < budget) {
        struct fs_context *context = FS_CONTAINER(view->cursor, struct fs_context, in_all);
        view->cursor = view->cursor->next;
        view->cursor_number = context->number + 1;
        scan_context(e, view, context);
        cells += e->set->count + 1;
    }
    if (view->cursor == &e->all_contexts)
        view->cursor = NULL;
    return cells;
}

/* Has the first walk passed it? */
static bool counts_in(const struct fs_feed_view *view, const struct fs_context *context)
{
    return view->phase != FS_FEED_COUNTING || context->number < view->cursor_number;
}

#define EACH_VIEW(e, feed_node, view_node)                                                                   \
    FS_LIST_EACH(&(e)->feeds->list, feed_node)                                                               \
    FS_LIST_EACH(&FS_CONTAINER(feed_node, struct fs_feed, node)->views, view_node)

void fs_feed_before(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    EACH_VIEW(e, feed_node, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        if (counts_in(view, context) && fs_feed_matches(e, view, context, flag))
            view->total--;
    }
}

void fs_feed_changed(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    EACH_VIEW(e, feed_node, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        bool matches = fs_feed_matches(e, view, context, flag);
        struct fs_feed_item *item = fs_feed_find(view, context->cells[flag].number);
        if (matches && counts_in(view, context)) {
            view->total++;
            fs_feed_offer(e, view, context, flag);
            item = fs_feed_find(view, context->cells[flag].number);
            if (item)
                fs_feed_mark(view, item);
            continue;
        }
        if (item)
            fs_feed_drop(e, view, item);
        if (!matches && counts_in(view, context)) /* else the walk will come to it */
            note_gone(view, &context->cells[flag]);
    }
}

void fs_feed_forget(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    fs_feed_before(e, context, flag);
    EACH_VIEW(e, feed_node, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        struct fs_feed_item *item = fs_feed_find(view, context->cells[flag].number);
        if (item)
            fs_feed_drop(e, view, item);
        note_gone(view, &context->cells[flag]);
    }
}

void fs_feed_context_gone(struct fs_engine *e, struct fs_context *context)
{
    EACH_VIEW(e, feed_node, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        if (view->cursor == &context->in_all)
            view->cursor = context->in_all.next;
    }
}

void fs_feed_watched(struct fs_engine *e, struct fs_context *context)
{
    context->rewatched = e->revision + (e->revision == e->told_revision);
    if (!e->feeds)
        return;
    EACH_VIEW(e, feed_node, node)
    {
        struct fs_feed_view *view = FS_CONTAINER(node, struct fs_feed_view, node);
        for (uint32_t i = 0; e->set && view->items.count && i < e->set->count; i++) {
            struct fs_feed_item *item = fs_feed_find(view, context->cells[i].number);
            if (item)
                fs_feed_look(view, item);
            if (item && context->watches <= FEW)
                fs_feed_mark(view, item); /* its state may be another */
        }
    }
    e->feeds->acked = true;
}

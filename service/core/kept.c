/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From when until when the journal may say that a value stood: while somebody watches it. Where that ends it
 * is told like a change, to nothing, and a value that is found again when watching begins anew is told again.
 */
#include "engine_internal.h"

bool fs_cell_is_kept(const struct fs_context *context, uint32_t flag)
{
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            if (!FS_CONTAINER(member, struct fs_watch, in_view)->once)
                return true;
        }
    }
    return false;
}

static void record(struct fs_engine *e, struct fs_context *context, struct fs_proposal *record)
{
    record->context = context;
    record->published = true;
    context->pins++;
    context->cells[record->flag].untold++;
    fs_proposals_push(&e->firsts, record);
}

void fs_cell_tell_end(struct fs_engine *e, struct fs_context *context, uint32_t flag,
                      const struct fs_evaluation *last)
{
    struct fs_proposal end = {.flag = flag, .ended = true};
    end.from = last->value ? fs_describe_value(last) : json_null();
    end.cause = fs_cause_create(FS_CAUSE_WATCH, 0, e->now.wall);
    context->cells[flag].told = false;
    record(e, context, &end);
}

static void end(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    const struct fs_cell *cell = &context->cells[flag];
    if (cell->told && !fs_cell_is_kept(context, flag))
        fs_cell_tell_end(e, context, flag, &cell->value);
}

void fs_view_unkept(struct fs_engine *e, const struct fs_view *view)
{
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(view->flags, i))
            end(e, view->context, (uint32_t)i);
}

void fs_view_kept(struct fs_engine *e, const struct fs_view *view)
{
    for (size_t i = 0; i < e->set->count; i++) {
        struct fs_cell *cell = &view->context->cells[i];
        if (!fs_bit(view->flags, i) || !cell->known || cell->told ||
            fs_proposals_left(&e->firsts) >= FS_FIRSTS_LIMIT)
            continue;
        struct fs_proposal again = {.flag = (uint32_t)i, .first = true, .again = true};
        again.value = cell->value;
        fs_json_share(again.value.value);
        again.cause =
            cell->cause ? fs_cause_copy(cell->cause) : fs_cause_create(FS_CAUSE_WATCH, 0, e->now.wall);
        cell->told = true;
        record(e, view->context, &again);
    }
}

void fs_cells_lose_flags(struct fs_engine *e, const struct fs_flagset *next)
{
    for (struct fs_map_iter it = {0}; e->set && fs_map_next(&e->contexts, &it);) {
        struct fs_context *context = it.value;
        for (size_t i = 0; i < e->set->count; i++) {
            const struct fs_flag *flag = fs_flagset_find(next, e->set->flags[i]->key);
            if (context->cells[i].told && (!flag || flag->type != e->set->flags[i]->type))
                fs_cell_tell_end(e, context, (uint32_t)i, &context->cells[i].value);
        }
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Other flags while everything runs. Values stay until they are evaluated anew, so that only real changes are
 * sent; answers stay where the same question is asked as before; what a view loses is removed from its
 * watches first.
 */
#include "engine_internal.h"

/* Carries the cells of a context over to another set. */
static void rebuild_context(struct fs_engine *e, struct fs_context *context, struct fs_flagset *old,
                            struct fs_flagset *set)
{
    struct fs_cell *cells = fs_calloc(set->count + 1, sizeof *cells);
    for (size_t i = 0; old && i < old->count; i++) {
        struct fs_cell *cell = &context->cells[i];
        const struct fs_flag *flag = fs_flagset_find(set, old->flags[i]->key);
        fs_cell_unbind(e, cell, old->flags[i]->decision_count);
        if (!flag || flag->type != old->flags[i]->type) {
            fs_cell_finish(e, context, (uint32_t)i);
            continue;
        }
        struct fs_cell *moved = &cells[flag->index];
        *moved = *cell;
        moved->wanted = 0;
        moved->proposed = 0;
        moved->untold = 0;
        moved->dirty = moved->withdrawn = moved->aside = moved->in_aside = false;
        if (moved->alarm)
            moved->alarm->flag = (uint32_t)flag->index;
        /* The variant's name is borrowed from the old definition; the new one's text, or our own two words,
         * outlive it. */
        const char *variant = moved->value.variant;
        moved->value.variant = NULL;
        for (size_t v = 0; variant && v < flag->variant_count; v++)
            if (!strcmp(flag->variants[v].name, variant))
                moved->value.variant = flag->variants[v].name;
        if (variant && !moved->value.variant)
            moved->value.variant = !strcmp(variant, "safe")       ? "safe"
                                   : !strcmp(variant, "decision") ? "decision"
                                                                  : "";
    }
    fs_free(context->cells);
    context->cells = cells;
    context->listed = context->listed_aside = false;
    fs_vec_clear(&context->dirty);
    fs_vec_clear(&context->aside);
}

static bool same_text(const char *a, const char *b)
{
    return a == b || (a && b && !strcmp(a, b));
}

/* What a client falls to without a lease stands beside every value that it holds: another one must be told.
 */
static bool same_safe(const struct fs_flag *a, const struct fs_flag *b)
{
    const struct fs_variant *va = a->safe_variant >= 0 ? &a->variants[a->safe_variant] : NULL;
    const struct fs_variant *vb = b->safe_variant >= 0 ? &b->variants[b->safe_variant] : NULL;
    if (a->access != b->access || !a->access)
        return a->access == b->access;
    const json_t *value_a = va ? va->value : a->safe_value, *value_b = vb ? vb->value : b->safe_value;
    return same_text(va ? va->name : NULL, vb ? vb->name : NULL) && fs_json_equal(value_a, value_b);
}

static void remove_key(struct fs_watch *watch, const char *key)
{
    for (size_t i = 0; i < watch->removed.count; i++)
        if (!strcmp(watch->removed.items[i], key))
            return;
    fs_vec_push(&watch->removed, fs_strdup(key));
}

static void refresh_watch(struct fs_engine *e, struct fs_watch *watch, struct fs_flagset *old,
                          const uint64_t *before, const uint64_t *flags)
{
    struct fs_view *view = watch->view;
    uint64_t *dirty = fs_calloc(e->words + 1, sizeof *dirty), *was_dirty = watch->dirty;
    watch->dirty = dirty;
    for (size_t i = 0; old && i < old->count; i++) {
        if (!fs_bit(before, i))
            continue;
        const struct fs_flag *flag = fs_flagset_find(e->set, old->flags[i]->key);
        bool stays = flag && flag->type == old->flags[i]->type && fs_bit(flags, flag->index);
        if (!stays) {
            remove_key(watch, old->flags[i]->key);
            fs_watch_changed(e, watch, UINT32_MAX, true);
        } else if (fs_bit(was_dirty, i)) {
            fs_bit_set(dirty, flag->index);
        } else if (!same_safe(old->flags[i], flag) && view->context->cells[flag->index].known) {
            fs_watch_changed(e, watch, (uint32_t)flag->index, true);
        }
    }
    fs_free(was_dirty);
    for (size_t i = 0; i < e->set->count; i++) {
        const struct fs_flag *former = old ? fs_flagset_find(old, e->set->flags[i]->key) : NULL;
        if (fs_bit(flags, i) && view->context->cells[i].known && !(former && fs_bit(before, former->index)))
            fs_watch_changed(e, watch, (uint32_t)i, false); /* has become visible */
    }
}

static bool has_lost(const struct fs_engine *e, const struct fs_flagset *old, const uint64_t *before,
                     const uint64_t *flags)
{
    for (size_t i = 0; old && i < old->count; i++) {
        const struct fs_flag *flag = fs_flagset_find(e->set, old->flags[i]->key);
        if (fs_bit(before, i) && !(flag && fs_bit(flags, flag->index)))
            return true;
    }
    return false;
}

static void refresh_view(struct fs_engine *e, struct fs_view *view, struct fs_flagset *old)
{
    uint64_t *flags = fs_calloc(e->words + 1, sizeof *flags), *before = view->flags;
    for (size_t i = 0; i < e->set->count; i++) {
        if (!fs_view_sees(view, e->set->flags[i]))
            continue;
        fs_bit_set(flags, i);
        fs_cell_want(e, view->context, (uint32_t)i, 1);
    }
    FS_LIST_EACH(&view->watches, node)
    {
        refresh_watch(e, FS_CONTAINER(node, struct fs_watch, in_view), old, before, flags);
    }
    if (has_lost(e, old, before, flags))
        view->lost = e->revision;
    view->flags = flags;
    fs_free(before);
    fs_free(view->body_flags);
    view->body_flags = fs_calloc(e->words + 1, sizeof *view->body_flags);
    fs_view_forget_bodies(view);
}

/* Every value is looked at anew; its questions are bound at once, so that those asked before keep their
 * answers. */
static void refresh_cells(struct fs_engine *e, struct fs_context *context, uint64_t entry)
{
    for (size_t i = 0; i < e->set->count; i++) {
        struct fs_cell *cell = &context->cells[i];
        if (!cell->wanted) {
            if (cell->told)
                fs_cell_tell_end(e, context, (uint32_t)i, &cell->value);
            fs_cell_finish(e, context, (uint32_t)i);
            continue;
        }
        fs_cell_bind(e, context, (uint32_t)i);
        fs_cell_note(e, context, (uint32_t)i, FS_CAUSE_CONFIG, entry, e->now.wall);
        fs_cell_mark(e, context, (uint32_t)i);
    }
}

static void give_back(struct fs_proposal *proposal)
{
    if (!proposal->published && !fs_proposal_is_void(proposal))
        fs_cell_give_back(&proposal->context->cells[proposal->flag], proposal);
}

/* What a tick under way tells, and its reload keeps from coming into force. */
struct untrue {
    FS_VEC(struct fs_proposal) proposals; /* flags by their old index */
};

static void note_untrue(const struct fs_engine *e, struct untrue *untrue)
{
    for (size_t i = 0; i < e->tick.count && e->tick_appended; i++) {
        const struct fs_proposal *proposal = &e->tick.items[i];
        if (proposal->published)
            continue;
        struct fs_proposal copy = {
            .context = proposal->context, .flag = proposal->flag, .value = proposal->value};
        fs_json_share(copy.value.value);
        copy.cause = fs_cause_copy(proposal->cause);
        copy.context->pins++;
        fs_vec_push(&untrue->proposals, copy);
    }
}

/* It is told back by the next tick, like what is withdrawn at its commit. */
static void tell_back(struct fs_engine *e, struct untrue *untrue, const struct fs_flagset *old)
{
    for (size_t i = 0; i < untrue->proposals.count; i++) {
        struct fs_proposal *proposal = &untrue->proposals.items[i];
        const struct fs_flag *flag = fs_flagset_find(e->set, old->flags[proposal->flag]->key);
        if (flag && flag->type == old->flags[proposal->flag]->type) {
            proposal->flag = (uint32_t)flag->index;
            fs_tick_record_withdrawn(e, proposal, proposal->cause);
        }
        fs_proposal_done(proposal);
    }
    fs_vec_finish(&untrue->proposals);
}

/* A tick under way tells of the old set: it is dropped, and what it proposed comes up again, with its causes.
 */
static void drop_tick(struct fs_engine *e, struct untrue *untrue)
{
    note_untrue(e, untrue);
    for (size_t i = 0; i < e->tick.count; i++)
        give_back(&e->tick.items[i]);
    for (size_t i = e->taking.head; i < e->taking.count; i++)
        give_back(&e->taking.items[i]);
    for (size_t i = e->giving.head; i < e->giving.count; i++)
        give_back(&e->giving.items[i]);
    fs_tick_tell_and_drop(e);
}

void fs_engine_set_flags(struct fs_engine *e, struct fs_flagset *set, uint64_t entry, struct fs_time now)
{
    e->now = now;
    struct fs_flagset *old = e->set;
    FS_VEC(struct fs_context *) contexts = {0};
    FS_VEC(struct fs_question *) questions = {0};
    struct untrue untrue = {0};
    struct fs_feeds *feeds = e->feeds;
    fs_walks_give_up(e, FS_ERR_UNAVAILABLE, "flags were loaded meanwhile: ask again");
    e->feeds = NULL; /* boards begin anew, when all is in its place */
    fs_cells_lose_flags(e, set);
    drop_tick(e, &untrue);
    for (struct fs_map_iter it = {0}; fs_map_next(&e->contexts, &it);)
        fs_vec_push(&contexts, it.value);
    for (struct fs_map_iter it = {0}; fs_map_next(&e->questions, &it);) {
        struct fs_question *q = it.value;
        q->pins++;
        fs_vec_push(&questions, q);
    }
    fs_vec_clear(&e->dirty);
    fs_vec_clear(&e->aside);
    for (size_t i = 0; i < contexts.count; i++)
        rebuild_context(e, contexts.items[i], old, set);
    e->set = fs_flagset_ref(set);
    e->words = (set->count + 63) / 64;
    e->revision++; /* what is removed or has become visible is sent at it */
    if (old)
        e->removal_revision = e->revision;
    for (size_t i = 0; i < contexts.count; i++) {
        FS_LIST_EACH(&contexts.items[i]->views, node)
        {
            refresh_view(e, FS_CONTAINER(node, struct fs_view, node), old);
        }
        refresh_cells(e, contexts.items[i], entry);
    }
    tell_back(e, &untrue, old);
    for (size_t i = 0; i < questions.count; i++) {
        questions.items[i]->pins--;
        fs_question_release(e, questions.items[i]);
    }
    fs_vec_finish(&contexts);
    fs_vec_finish(&questions);
    fs_flagset_unref(old);
    fs_source_queries(e);
    fs_feeds_restart(e, feeds);
}

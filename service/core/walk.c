/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Walks over contexts, a slice a turn: however many there are, events, leases and pushes go on in between.
 * What moves meanwhile is seen as it is when the walk comes by; contexts that come later are left out. A walk
 * may also rest, while sources are asked.
 */
#include "trial_internal.h"

#define SLICE 4096 /* of all walks in one turn; an evaluation counts FS_WALK_EVALUATION */

bool fs_walk_fits(const struct fs_engine *e, struct fs_err *err)
{
    return e->walk_count < FS_SEARCHES ||
           fs_fail(err, FS_ERR_UNAVAILABLE, "%d dry runs and searches are under way: try again", FS_SEARCHES);
}

static void forget_hashes(struct fs_walk *walk)
{
    for (size_t i = 0; i < walk->hashes.count; i++)
        fs_free(walk->hashes.items[i]);
    fs_vec_finish(&walk->hashes);
    walk->at = 0;
}

void fs_walk_begin(struct fs_engine *e, struct fs_walk *walk, const char *const *subjects)
{
    forget_hashes(walk);
    walk->cursor = subjects ? NULL : e->all_contexts.next;
    walk->last = e->next_context;
    walk->resting = false;
    for (; subjects && *subjects; subjects++) {
        const struct fs_subject *subject = fs_map_gets(&e->subjects, *subjects);
        for (const struct fs_list *node = subject ? subject->contexts.next : NULL;
             node && node != &subject->contexts; node = node->next)
            fs_vec_push(&walk->hashes,
                        fs_strdup(FS_CONTAINER(node, const struct fs_context, by_subject)->hash));
    }
}

/* The next one; NULL: there is none. Of `hashes`, some may have gone. */
static struct fs_context *next_context(struct fs_engine *e, struct fs_walk *walk)
{
    struct fs_context *context = NULL;
    if (walk->cursor) {
        if (walk->cursor == &e->all_contexts)
            return NULL;
        context = FS_CONTAINER(walk->cursor, struct fs_context, in_all);
        walk->cursor = walk->cursor->next;
        return context->number <= walk->last ? context : NULL;
    }
    while (!context && walk->at < walk->hashes.count)
        context = fs_map_gets(&e->contexts, walk->hashes.items[walk->at++]);
    return context;
}

/* The walk may be gone when it returns. */
static void run(struct fs_engine *e, struct fs_walk *walk, size_t *budget)
{
    while (*budget) {
        struct fs_context *context = next_context(e, walk);
        if (!context) {
            walk->type->ended(e, walk);
            return;
        }
        size_t cost = walk->type->visit(e, walk, context);
        *budget -= cost < *budget ? cost : *budget;
    }
}

static void take_out(struct fs_engine *e, struct fs_walk *walk)
{
    fs_list_remove(&walk->node);
    e->walk_count--;
    forget_hashes(walk);
    walk->type->destroy(e, walk);
}

void fs_walk_tell(struct fs_engine *e, struct fs_walk *walk, json_t *result, const struct fs_err *err)
{
    uint64_t token = walk->token;
    take_out(e, walk);
    e->options.ports.found(e->options.ports.self, token, result, err);
}

static void arm(struct fs_engine *e)
{
    int64_t due = INT64_MAX;
    FS_LIST_EACH(&e->walks, node)
    {
        const struct fs_walk *walk = FS_CONTAINER(node, struct fs_walk, node);
        int64_t next = walk->resting ? walk->deadline : e->now.mono;
        due = next < due ? next : due;
    }
    if (due == INT64_MAX)
        fs_alarm_cancel(e, &e->walk_due);
    else
        fs_alarm_set(e, &e->walk_due, FS_DUE_WALK, due);
}

void fs_walk_start(struct fs_engine *e, struct fs_walk *walk, uint64_t token)
{
    size_t budget = SLICE;
    walk->token = token;
    fs_list_append(&e->walks, &walk->node);
    e->walk_count++;
    if (!walk->resting)
        run(e, walk, &budget);
    arm(e);
}

void fs_walks_turn(struct fs_engine *e)
{
    size_t budget = SLICE;
    if (!e->walk_count)
        return;
    struct fs_list *first = e->walks.next; /* who had no part of the budget is first the next time */
    fs_list_remove(first);
    fs_list_append(&e->walks, first);
    FS_LIST_EACH(&e->walks, node)
    {
        struct fs_walk *walk = FS_CONTAINER(node, struct fs_walk, node);
        if (walk->deadline <= e->now.mono)
            walk->type->overdue(e, walk);
        else if (!walk->resting)
            run(e, walk, &budget);
    }
    arm(e);
}

void fs_walks_context_gone(struct fs_engine *e, const struct fs_context *context)
{
    FS_LIST_EACH(&e->walks, node)
    {
        struct fs_walk *walk = FS_CONTAINER(node, struct fs_walk, node);
        if (walk->cursor == &context->in_all)
            walk->cursor = context->in_all.next;
    }
}

void fs_walks_give_up(struct fs_engine *e, enum fs_err_code code, const char *text)
{
    struct fs_err err = {0};
    fs_fail(&err, code, "%s", text);
    while (!fs_list_empty(&e->walks))
        fs_walk_tell(e, FS_CONTAINER(e->walks.next, struct fs_walk, node), NULL, &err);
}

void fs_engine_searches_give_up(struct fs_engine *e, struct fs_time now)
{
    e->now = now;
    fs_walks_give_up(e, FS_ERR_UNAVAILABLE, "the service is going away");
}

void fs_walks_finish(struct fs_engine *e)
{
    while (!fs_list_empty(&e->walks))
        take_out(e, FS_CONTAINER(e->walks.next, struct fs_walk, node));
    fs_alarm_cancel(e, &e->walk_due);
}

void fs_engine_search_forget(struct fs_engine *e, uint64_t token)
{
    FS_LIST_EACH(&e->walks, node)
    {
        struct fs_walk *walk = FS_CONTAINER(node, struct fs_walk, node);
        if (walk->token != token)
            continue;
        take_out(e, walk);
        return;
    }
}

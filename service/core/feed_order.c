/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The rows of a view: the first `limit` cells in its order. A heap with the last of them on top, so that a
 * cell finds out at once whether it is among them, and who has to go.
 */
#include "feed_internal.h"

struct fs_feed_item *fs_feed_find(const struct fs_feed_view *view, uint64_t cell)
{
    return cell ? fs_map_get(&view->items, &cell, sizeof cell) : NULL;
}

static const char *flag_key(const struct fs_engine *e, const struct fs_feed_item *item)
{
    return e->set->flags[item->flag]->key;
}

/* Below 0: `a` stands before `b`. Never 0 for two cells. */
static int compare(const struct fs_engine *e, enum fs_feed_sort sort, const struct fs_feed_item *a,
                   const struct fs_feed_item *b)
{
    int order = 0;
    if (sort == FS_FEED_BY_CHANGED)
        order = a->changed > b->changed ? -1 : a->changed < b->changed;
    else if (sort == FS_FEED_BY_SUBJECT)
        order = strcmp(a->context->subject, b->context->subject);
    if (!order && sort != FS_FEED_BY_CHANGED)
        order = strcmp(flag_key(e, a), flag_key(e, b));
    if (!order && sort == FS_FEED_BY_FLAG)
        order = strcmp(a->context->subject, b->context->subject);
    if (order)
        return order;
    return a->cell > b->cell ? -1 : a->cell < b->cell; /* the later one first */
}

static void put(struct fs_feed_view *view, size_t slot, struct fs_feed_item *item)
{
    view->heap.items[slot] = item;
    item->slot = slot;
}

/* To its place among the first `count` of the heap. */
static void sift(const struct fs_engine *e, struct fs_feed_view *view, struct fs_feed_item *item,
                 size_t count)
{
    size_t slot = item->slot;
    while (slot && compare(e, view->sort, view->heap.items[(slot - 1) / 2], item) < 0) {
        put(view, slot, view->heap.items[(slot - 1) / 2]);
        slot = (slot - 1) / 2;
    }
    for (size_t child; (child = 2 * slot + 1) < count; slot = child) {
        if (child + 1 < count &&
            compare(e, view->sort, view->heap.items[child], view->heap.items[child + 1]) < 0)
            child++;
        if (compare(e, view->sort, item, view->heap.items[child]) >= 0)
            break;
        put(view, slot, view->heap.items[child]);
    }
    put(view, slot, item);
}

void fs_feed_mark(struct fs_feed_view *view, struct fs_feed_item *item)
{
    if (fs_list_empty(&item->dirty))
        fs_list_append(&view->dirty, &item->dirty);
}

static void release(struct fs_feed_view *view, struct fs_feed_item *item)
{
    fs_map_remove(&view->items, &item->cell, sizeof item->cell);
    fs_list_remove(&item->dirty);
    fs_list_remove(&item->look);
    fs_free(item);
}

static void leave(const struct fs_engine *e, struct fs_feed_view *view, struct fs_feed_item *item)
{
    struct fs_feed_item *last = view->heap.items[--view->heap.count];
    if (last != item) {
        put(view, item->slot, last);
        sift(e, view, last, view->heap.count);
    }
    if (item->known)
        fs_vec_push(&view->gone, item->cell);
    release(view, item);
}

void fs_feed_drop(const struct fs_engine *e, struct fs_feed_view *view, struct fs_feed_item *item)
{
    leave(e, view, item);
    view->lacks = true;
}

static void enter(const struct fs_engine *e, struct fs_feed_view *view, const struct fs_feed_item *like)
{
    struct fs_feed_item *item = FS_NEW(struct fs_feed_item);
    *item = *like;
    fs_list_init(&item->dirty);
    fs_list_init(&item->look);
    fs_map_set(&view->items, &item->cell, sizeof item->cell, item);
    item->slot = view->heap.count;
    fs_vec_push(&view->heap, item);
    sift(e, view, item, view->heap.count);
    fs_feed_mark(view, item);
}

void fs_feed_offer(struct fs_engine *e, struct fs_feed_view *view, struct fs_context *context, uint32_t flag)
{
    struct fs_cell *cell = &context->cells[flag];
    if (!cell->number)
        cell->number = ++e->next_cell;
    struct fs_feed_item *item = fs_feed_find(view, cell->number);
    if (item) {
        item->changed = cell->changed;
        sift(e, view, item, view->heap.count);
        return;
    }
    struct fs_feed_item candidate = {
        .cell = cell->number, .context = context, .flag = flag, .changed = cell->changed};
    if (view->heap.count >= view->limit) {
        if (compare(e, view->sort, &candidate, view->heap.items[0]) >= 0)
            return;
        leave(e, view, view->heap.items[0]);
    }
    enter(e, view, &candidate);
}

/* Heap sort in place; what comes of it, turned round, is a heap again. */
void fs_feed_sort(const struct fs_engine *e, struct fs_feed_view *view)
{
    size_t count = view->heap.count;
    for (size_t left = count; left > 1; left--) {
        struct fs_feed_item *last = view->heap.items[0];
        put(view, 0, view->heap.items[left - 1]);
        put(view, left - 1, last);
        sift(e, view, view->heap.items[0], left - 1);
    }
    fs_vec_clear(&view->order);
    fs_vec_reserve(&view->order, count);
    for (size_t i = 0; i < count; i++)
        fs_vec_push(&view->order, view->heap.items[i]->cell);
    for (size_t i = 0; i < count / 2; i++) {
        struct fs_feed_item *item = view->heap.items[i];
        put(view, i, view->heap.items[count - 1 - i]);
        put(view, count - 1 - i, item);
    }
    view->told = 0;
}

void fs_feed_empty(struct fs_feed_view *view)
{
    for (size_t i = 0; i < view->heap.count; i++)
        release(view, view->heap.items[i]);
    fs_vec_clear(&view->heap);
    fs_vec_clear(&view->order);
    fs_vec_clear(&view->gone);
    view->told = 0;
    view->total = view->told_total = 0;
}

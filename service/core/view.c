/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Views: what a watch can see. All watches that see the same share one view, and so the bytes of every frame.
 * A view wants the cells of its flags; without watches it is kept while its context is idle, for the next
 * OFREP request.
 */
#include "engine_internal.h"

#define IDLE_VIEWS 64 /* of one context */

static int compare(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

bool fs_view_sees(const struct fs_view *view, const struct fs_flag *flag)
{
    if (view->client_only && flag->visibility != FS_VISIBILITY_CLIENT)
        return false;
    if (!view->selection)
        return true;
    for (char **key = view->selection; *key; key++)
        if (!strcmp(*key, flag->key))
            return true;
    return false;
}

/* Sorted, without double ones: the same wish in another order is the same view. */
static char **copy_selection(const char *const *selection)
{
    if (!selection)
        return NULL;
    size_t count = 0;
    while (selection[count])
        count++;
    char **copy = fs_calloc(count + 1, sizeof *copy);
    for (size_t i = 0; i < count; i++)
        copy[i] = fs_strdup(selection[i]);
    qsort(copy, count, sizeof *copy, compare);
    size_t kept = 0;
    for (size_t i = 0; i < count; i++) {
        if (kept && !strcmp(copy[kept - 1], copy[i]))
            fs_free(copy[i]);
        else
            copy[kept++] = copy[i];
    }
    copy[kept] = NULL;
    return copy;
}

static void make_hash(struct fs_view *view)
{
    struct fs_buf text;
    fs_buf_init(&text, FS_TEXT_LIMIT);
    fs_buf_addf(&text, "%s%c%c", view->context->hash, view->client_only ? 'c' : 's',
                view->selection ? '=' : '*');
    for (char **key = view->selection; key && *key; key++)
        fs_buf_addf(&text, "%zu:%s", strlen(*key), *key);
    struct fs_sha256 digest = fs_sha256(text.data, text.length);
    fs_hex(digest.bytes, sizeof digest.bytes, view->hash);
    fs_buf_finish(&text);
}

static void free_selection(char **selection)
{
    for (char **key = selection; key && *key; key++)
        fs_free(*key);
    fs_free(selection);
}

void fs_view_forget_bodies(struct fs_view *view)
{
    for (size_t i = 0; i < view->bodies.count; i++)
        fs_blob_unref(view->bodies.items[i]);
    fs_vec_clear(&view->bodies);
}

static void destroy(struct fs_engine *e, struct fs_view *view)
{
    fs_list_remove(&view->node);
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(view->flags, i))
            fs_cell_want(e, view->context, (uint32_t)i, -1);
    fs_view_forget_bodies(view);
    fs_vec_finish(&view->bodies);
    fs_free(view->body_flags);
    fs_free(view->flags);
    free_selection(view->selection);
    fs_free(view);
}

/* The longest unused go first. */
static void limit_idle(struct fs_engine *e, struct fs_context *context)
{
    size_t idle = 0;
    for (struct fs_list *node = context->views.prev; node != &context->views;) {
        struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        node = node->prev;
        if (!view->users && ++idle > IDLE_VIEWS)
            destroy(e, view);
    }
}

struct fs_view *fs_view_intern(struct fs_engine *e, struct fs_context *context, bool client_only,
                               const char *const *selection)
{
    struct fs_view *view = FS_NEW(struct fs_view);
    view->context = context;
    view->client_only = client_only;
    view->selection = copy_selection(selection);
    make_hash(view);
    FS_LIST_EACH(&context->views, node)
    {
        struct fs_view *known = FS_CONTAINER(node, struct fs_view, node);
        if (strcmp(known->hash, view->hash))
            continue;
        free_selection(view->selection);
        fs_free(view);
        fs_list_remove(&known->node);
        fs_list_append(&context->views, &known->node);
        known->users++;
        return known;
    }
    view->users = 1;
    view->since = e->revision;
    fs_list_init(&view->watches);
    view->flags = fs_calloc(e->words + 1, sizeof *view->flags);
    view->body_flags = fs_calloc(e->words + 1, sizeof *view->body_flags);
    fs_list_append(&context->views, &view->node);
    for (size_t i = 0; i < e->set->count; i++) {
        if (!fs_view_sees(view, e->set->flags[i]))
            continue;
        fs_bit_set(view->flags, i);
        fs_cell_want(e, context, (uint32_t)i, 1);
    }
    limit_idle(e, context);
    return view;
}

void fs_view_release(struct fs_engine *e, struct fs_view *view)
{
    if (view->users && --view->users)
        return;
    if (view->context->watches || fs_list_empty(&view->context->idle_node))
        destroy(e, view); /* its context is kept current for others: this must not be, for nobody */
}

void fs_view_drop_idle(struct fs_engine *e, struct fs_context *context)
{
    FS_LIST_EACH(&context->views, node)
    {
        struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!view->users)
            destroy(e, view);
    }
}

bool fs_context_is_shown(const struct fs_context *context, uint32_t flag)
{
    FS_LIST_EACH(&context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            if (FS_CONTAINER(member, struct fs_watch, in_view)->sent)
                return true;
        }
    }
    return false;
}

bool fs_view_waits(struct fs_engine *e, const struct fs_view *view)
{
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(view->flags, i) && fs_cell_waits(e, view->context, (uint32_t)i))
            return true;
    return false;
}

void fs_view_force(struct fs_engine *e, const struct fs_view *view)
{
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(view->flags, i))
            fs_cell_force(e, view->context, (uint32_t)i);
}

size_t fs_view_states(const struct fs_engine *e, const struct fs_view *view, const uint64_t *only,
                      struct fs_flag_state **out)
{
    struct fs_flag_state *states = fs_calloc(e->set->count + 1, sizeof *states);
    size_t count = 0;
    for (size_t i = 0; i < e->set->count; i++) {
        const struct fs_cell *cell = &view->context->cells[i];
        if (!fs_bit(view->flags, i) || (only && !fs_bit(only, i)) || !cell->known)
            continue;
        states[count++] = (struct fs_flag_state){
            .flag = e->set->flags[i], .evaluation = &cell->value, .cause = cell->cause};
    }
    *out = states;
    return count;
}

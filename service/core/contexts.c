/* SPDX-License-Identifier: Apache-2.0 */
/* The table of contexts: each once, by hash; with their cells while watched, and `hold` longer. */
#include "engine_internal.h"

static const char *subject_of(const json_t *json)
{
    const char *subject = json_string_value(json_object_get(json, "targetingKey"));
    return subject ? subject : "";
}

static void make_idle(struct fs_engine *e, struct fs_context *context)
{
    fs_list_append(&e->idle, &context->idle_node);
    e->idle_count++;
    fs_alarm_set(e, &context->expiry, FS_DUE_CONTEXT, e->now.mono + e->options.hold);
}

static void leave_idle(struct fs_engine *e, struct fs_context *context)
{
    if (fs_list_empty(&context->idle_node))
        return;
    fs_list_remove(&context->idle_node);
    e->idle_count--;
    fs_alarm_cancel(e, &context->expiry);
}

void fs_contexts_limit(struct fs_engine *e)
{
    FS_LIST_EACH(&e->idle, node)
    {
        if (e->idle_count <= e->options.contexts)
            return;
        struct fs_context *context = FS_CONTAINER(node, struct fs_context, idle_node);
        if (!context->pins)
            fs_context_destroy(e, context);
    }
}

struct fs_context *fs_context_intern(struct fs_engine *e, const struct fs_context_text *text)
{
    struct fs_context *context = fs_map_gets(&e->contexts, text->hash);
    if (context) {
        fs_context_touch(e, context);
        return context;
    }
    context = FS_NEW(struct fs_context);
    memcpy(context->hash, text->hash, sizeof context->hash);
    context->canonical = fs_strndup(text->canonical, text->length);
    context->length = text->length;
    context->json = json_incref(text->json);
    context->subject = subject_of(context->json);
    context->cells = fs_calloc(e->set->count + 1, sizeof *context->cells);
    fs_list_init(&context->views);
    fs_list_init(&context->idle_node);
    context->owner = fs_subject_intern(e, context->subject);
    fs_list_append(&context->owner->contexts, &context->by_subject);
    fs_map_sets(&e->contexts, context->hash, context);
    context->number = ++e->next_context;
    fs_list_append(&e->all_contexts, &context->in_all);
    e->counts.contexts++;
    make_idle(e, context);
    context->seen = e->now.mono;
    context->pins++; /* not this one */
    fs_contexts_limit(e);
    context->pins--;
    return context;
}

void fs_context_touch(struct fs_engine *e, struct fs_context *context)
{
    context->seen = e->now.mono;
    if (!fs_list_empty(&context->idle_node)) {
        leave_idle(e, context);
        make_idle(e, context);
    }
}

/* Gained or lost its first or last watch: what it depends on is kept current from now on, or no longer. */
void fs_context_watched(struct fs_engine *e, struct fs_context *context, int by)
{
    bool before = context->watches > 0;
    context->watches += (size_t)by;
    bool after = context->watches > 0;
    if (after && !before) {
        leave_idle(e, context);
        fs_view_drop_idle(e, context);
        e->counts.watched_contexts++;
    } else if (before && !after) {
        e->counts.watched_contexts--;
        context->seen = e->now.mono;
        make_idle(e, context);
    }
    fs_feed_watched(e, context);
}

/* Until then it is asked for like a watched one, and stays. */
void fs_context_asked(struct fs_engine *e, struct fs_context *context, int by)
{
    (void)e;
    context->askers += (size_t)by;
    context->pins += (size_t)by;
}

void fs_context_due(struct fs_engine *e, struct fs_context *context)
{
    if (context->pins)
        fs_alarm_set(e, &context->expiry, FS_DUE_CONTEXT, e->now.mono + e->options.hold);
    else
        fs_context_destroy(e, context);
}

const char *fs_context_actor(const struct fs_context *context)
{
    return fs_json_text(json_object_get(context->json, "actor"), "key");
}

void fs_context_destroy(struct fs_engine *e, struct fs_context *context)
{
    leave_idle(e, context);
    FS_LIST_EACH(&context->views, node)
    {
        struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        fs_view_release(e, view);
    }
    for (size_t i = 0; e->set && i < e->set->count; i++) {
        fs_cell_unbind(e, &context->cells[i], e->set->flags[i]->decision_count);
        fs_cell_finish(e, context, (uint32_t)i);
    }
    for (size_t i = 0; context->listed && i < e->dirty.count; i++)
        if (e->dirty.items[i] == context) {
            fs_vec_remove_unordered(&e->dirty, i);
            break;
        }
    for (size_t i = 0; context->listed_aside && i < e->aside.count; i++)
        if (e->aside.items[i] == context) {
            fs_vec_remove_unordered(&e->aside, i);
            break;
        }
    if (e->feeds)
        fs_feed_context_gone(e, context);
    fs_walks_context_gone(e, context);
    fs_list_remove(&context->in_all);
    fs_map_removes(&e->contexts, context->hash);
    fs_list_remove(&context->by_subject);
    fs_subject_release(e, context->owner);
    fs_vec_finish(&context->dirty);
    fs_vec_finish(&context->aside);
    fs_free(context->cells);
    fs_free(context->canonical);
    json_decref(context->json);
    fs_free(context);
    e->counts.contexts--;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation without a watch: at once where all is known, else when it is, else after `evaluate_timeout` with
 * safe values for the rest. */
#include "engine_internal.h"

static void reply(struct fs_engine *e, struct fs_view *view, uint64_t token, bool timed_out)
{
    struct fs_context *context = view->context;
    struct fs_flag_state *states = fs_calloc(e->set->count + 1, sizeof *states);
    struct fs_evaluation *safe = fs_calloc(e->set->count + 1, sizeof *safe);
    struct fs_cause cause = {.kind = FS_CAUSE_WATCH, .time = e->now.wall};
    size_t count = 0, made = 0;
    for (size_t i = 0; i < e->set->count; i++) {
        const struct fs_cell *cell = &context->cells[i];
        if (!fs_bit(view->flags, i))
            continue;
        states[count].flag = e->set->flags[i];
        states[count].evaluation = &cell->value;
        states[count].cause = cell->cause;
        if (!cell->known) {
            fs_cell_safe_now(e, context, (uint32_t)i, &safe[made]);
            states[count].evaluation = &safe[made++];
            states[count].cause = &cause;
        }
        count++;
    }
    struct fs_evaluated result = {.token = token,
                                  .flags = states,
                                  .flag_count = count,
                                  .context = context->hash,
                                  .view = view->hash,
                                  .revision = e->revision,
                                  .timed_out = timed_out};
    context->fetched = e->now.mono;
    context->fetched_revision = e->revision;
    e->options.ports.evaluated(e->options.ports.self, &result);
    for (size_t i = 0; i < made; i++)
        fs_evaluation_finish(&safe[i]);
    fs_free(safe);
    fs_free(states);
}

static void finish(struct fs_engine *e, struct fs_once *once, bool timed_out)
{
    struct fs_view *view = once->view;
    fs_list_remove(&once->node);
    fs_alarm_cancel(e, &once->deadline);
    reply(e, view, once->token, timed_out);
    fs_context_asked(e, view->context, -1);
    fs_view_release(e, view);
    fs_free(once);
}

void fs_engine_evaluate(struct fs_engine *e, const struct fs_context_text *text, bool client_only,
                        const char *const *flags, uint64_t token, struct fs_time now)
{
    e->now = now;
    if (!e->set) { /* no flags yet: /readyz says so */
        struct fs_evaluated none = {.token = token, .context = text->hash, .view = "", .timed_out = true};
        e->options.ports.evaluated(e->options.ports.self, &none);
        return;
    }
    struct fs_context *context = fs_context_intern(e, text);
    struct fs_view *view = fs_view_intern(e, context, client_only, flags);
    struct fs_once *once = FS_NEW(struct fs_once);
    once->view = view;
    once->token = token;
    fs_context_asked(e, context, 1);
    fs_list_append(&e->once, &once->node);
    fs_cells_evaluate(e);
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(view->flags, i))
            fs_cell_recall(e, context, (uint32_t)i);
    fs_cells_evaluate(e);
    if (!fs_view_waits(e, view))
        finish(e, once, false);
    else
        fs_alarm_set(e, &once->deadline, FS_DUE_ONCE, now.mono + e->options.evaluate_timeout);
}

void fs_once_due(struct fs_engine *e, struct fs_once *once)
{
    finish(e, once, true);
}

void fs_once_check(struct fs_engine *e)
{
    FS_LIST_EACH(&e->once, node)
    {
        struct fs_once *once = FS_CONTAINER(node, struct fs_once, node);
        if (!fs_view_waits(e, once->view))
            finish(e, once, false);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an event would change. Its facts are laid over those in force; a first walk finds the questions that
 * it would have asked; their answers are laid over likewise; a second walk evaluates what depends on either,
 * and compares. As with the event itself: of recomputes only what somebody wants to know is asked again, and
 * what an override rules asks nothing.
 */
#include "trial_internal.h"

static void destroy_overlay(void *value)
{
    struct fs_overlay *overlay = value;
    json_decref(overlay->facts);
    fs_vec_finish(&overlay->names);
    fs_free(overlay);
}

static struct fs_overlay *overlay_of(const struct fs_engine *e, struct fs_trial *trial, const char *subject)
{
    struct fs_overlay *overlay = fs_map_gets(&trial->overlays, subject);
    if (!overlay) {
        const struct fs_subject *known = fs_map_gets(&e->subjects, subject);
        overlay = FS_NEW(struct fs_overlay);
        overlay->facts = known && known->facts_json ? json_copy(known->facts_json) : json_object();
        fs_map_sets(&trial->overlays, subject, overlay);
    }
    return overlay;
}

/* As fs_fact_apply() would, were this the next entry. */
static void lay_over(const struct fs_engine *e, struct fs_trial *trial, const struct fs_fact_change *change)
{
    struct fs_fact_origin origin = {
        .stated = trial->event->time, .accepted = e->now.wall, .entry = e->applied + 1};
    int64_t time;
    if (!fs_fact_counts(e, change, &origin, &time)) {
        trial->superseded = true;
        return;
    }
    struct fs_overlay *overlay = overlay_of(e, trial, change->subject);
    json_t *value = change->expires && change->expires <= e->now.wall ? NULL : change->value;
    const json_t *before = json_object_get(overlay->facts, change->fact);
    if ((before == NULL) == (value == NULL) && (!value || fs_json_equal(before, value)))
        return;
    if (value)
        json_object_set(overlay->facts, change->fact, value);
    else
        json_object_del(overlay->facts, change->fact);
    fs_vec_push(&overlay->names, change->fact);
}

static struct fs_trial *trial_of(struct fs_walk *walk)
{
    return (struct fs_trial *)(void *)walk;
}

/* Does it have a value that its sources and rules could change? */
static bool can_change(const struct fs_engine *e, const struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    const struct fs_flag *flag = e->set->flags[index];
    return cell->known && cell->wanted && (cell->bindings || !flag->decision_count) &&
           !fs_override_of(e, flag, context->subject);
}

static size_t gather(struct fs_engine *e, struct fs_trial *trial, struct fs_context *context)
{
    size_t cost = 1;
    for (uint32_t i = 0; i < e->set->count; i++) {
        const struct fs_flag *flag = e->set->flags[i];
        if (!can_change(e, context, i))
            continue;
        for (size_t d = 0; d < flag->decision_count; d++) {
            struct fs_trial_look look;
            if (flag->decisions[d].rule)
                continue;
            fs_trial_look(e, trial, context, flag, d, &look);
            fs_trial_gather(e, trial, &look);
            cost += look.owned ? FS_WALK_EVALUATION : 1;
            fs_trial_look_finish(&look);
        }
    }
    fs_arena_reset(&e->arena);
    return cost;
}

/* False: the event does not concern the flag, or nobody knows what it would be. */
static bool can_tell(struct fs_engine *e, struct fs_trial *trial, const struct fs_context *context,
                     const struct fs_flag *flag)
{
    bool concerned = fs_trial_reads_changed(trial, context, flag), known = true;
    for (size_t d = 0; d < flag->decision_count; d++) {
        struct fs_trial_look look;
        if (flag->decisions[d].rule)
            continue;
        fs_trial_look(e, trial, context, flag, d, &look);
        enum fs_trial_state state = fs_trial_state_of(e, trial, &look);
        concerned |= state == FS_TRIAL_ANSWERED;
        known &= state != FS_TRIAL_UNRESOLVED;
        fs_trial_look_finish(&look);
    }
    return concerned && known;
}

static size_t evaluate(struct fs_engine *e, struct fs_trial *trial, struct fs_context *context)
{
    size_t cost = 1;
    for (uint32_t i = 0; i < e->set->count; i++) {
        const struct fs_flag *flag = e->set->flags[i];
        struct fs_evaluation value;
        cost++;
        if (!can_change(e, context, i) || !can_tell(e, trial, context, flag))
            continue;
        e->trying = trial;
        fs_cell_look(e, context, i, &value);
        e->trying = NULL;
        if (!fs_evaluation_equal(&context->cells[i].value, &value))
            fs_radius_add(&trial->radius, context, flag, &value);
        fs_evaluation_finish(&value);
        cost += FS_WALK_EVALUATION;
    }
    return cost;
}

static size_t visit(struct fs_engine *e, struct fs_walk *walk, struct fs_context *context)
{
    struct fs_trial *trial = trial_of(walk);
    return trial->evaluating ? evaluate(e, trial, context) : gather(e, trial, context);
}

static void begin(struct fs_engine *e, struct fs_trial *trial)
{
    const struct fs_event *event = trial->event;
    const char **subjects = fs_event_subjects(event);
    bool all = trial->beyond || (event->recompute && !event->filter.subjects);
    fs_walk_begin(e, &trial->walk, all ? NULL : subjects);
    fs_free((void *)(uintptr_t)subjects);
}

void fs_trial_evaluate(struct fs_engine *e, struct fs_trial *trial)
{
    trial->evaluating = true;
    trial->walk.deadline = INT64_MAX;
    begin(e, trial);
}

static void tell(struct fs_engine *e, struct fs_trial *trial)
{
    json_t *root = fs_radius_tell(&trial->radius);
    json_object_set_new(root, "event", json_pack("{s:s}", "type", trial->event->type));
    json_object_set_new(root, "flips", json_integer((json_int_t)trial->radius.flips));
    json_object_set(root, "unresolved", trial->unresolved);
    if (trial->superseded)
        json_object_set_new(root, "superseded", json_true());
    fs_walk_tell(e, &trial->walk, root, NULL);
}

static void ended(struct fs_engine *e, struct fs_walk *walk)
{
    struct fs_trial *trial = trial_of(walk);
    if (trial->evaluating) {
        tell(e, trial);
        return;
    }
    walk->resting = true;
    if (!fs_trial_ask(e, trial))
        fs_trial_evaluate(e, trial);
}

static void overdue(struct fs_engine *e, struct fs_walk *walk)
{
    struct fs_trial *trial = trial_of(walk);
    trial->left_out |= !walk->resting; /* it was still looking for what to ask */
    fs_trial_end_asking(e, trial);
    fs_trial_evaluate(e, trial);
}

static void destroy(struct fs_engine *e, struct fs_walk *walk)
{
    struct fs_trial *trial = trial_of(walk);
    fs_trial_questions_finish(e, trial);
    fs_map_finish(&trial->overlays, destroy_overlay);
    fs_radius_finish(&trial->radius);
    json_decref(trial->unresolved);
    fs_event_destroy(trial->event);
    fs_free(trial);
}

bool fs_engine_try_event(struct fs_engine *e, struct fs_event *event, size_t limit, int64_t timeout,
                         uint64_t token, struct fs_time now, struct fs_err *err)
{
    static const struct fs_walk_type type = {
        .visit = visit, .ended = ended, .overdue = overdue, .destroy = destroy};
    e->now = now;
    if (!fs_walk_fits(e, err)) {
        fs_event_destroy(event);
        return false;
    }
    struct fs_trial *trial = FS_NEW(struct fs_trial);
    trial->walk.type = &type;
    trial->walk.deadline = now.mono + timeout;
    trial->event = event;
    trial->unresolved = json_array();
    fs_map_init(&trial->overlays);
    fs_map_init_borrowing(&trial->questions);
    fs_radius_init(&trial->radius, limit);
    fs_vec_reserve(&trial->sources, e->sources.count + 1);
    memset(trial->sources.items, 0, (e->sources.count + 1) * sizeof *trial->sources.items);
    trial->sources.count = e->sources.count;
    for (size_t i = 0; i < event->fact_count; i++)
        lay_over(e, trial, &event->facts[i]);
    begin(e, trial);
    fs_walk_start(e, &trial->walk, token);
    return true;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Evaluating cells. A dirty cell is evaluated in the turn; what differs from the published value becomes a
 * proposal, unless it would grant on an answer that a newer event has put in doubt. A proposal that is
 * overtaken before its commit is withdrawn.
 */
#include "engine_internal.h"

/* All that evaluating one cell found out. */
struct outlook {
    struct fs_evaluation value;
    bool pending;     /* a question has no answer yet, and one is on its way */
    bool impatient;   /* ... for so long that it counts as having none */
    bool unsettled;   /* an event has put an answer in doubt */
    bool doubted;     /* ... so that it may not grant */
    bool uncommitted; /* an answer is not on the disk yet: it may not grant either */
    int64_t next;     /* mono ms at which it must be looked at again */
};

static void give_none(const struct fs_question *q, const struct fs_source_state *source,
                      struct fs_answer *none, struct fs_standing *out)
{
    none->state = FS_ANSWER_NONE;
    none->error = fs_strdup(q->failed && q->error ? q->error
                            : source->error[0]    ? source->error
                                                  : "no answer yet");
    out->answer = none;
}

/* How one decision stands. A cell without a value is stricter: nobody has seen the old answer yet, so what is
 * in doubt is not shown at all. */
static void stand(struct fs_engine *e, const struct fs_flag *flag, const struct fs_cell *cell, size_t index,
                  bool forced, struct fs_answer *none, struct fs_standing *out, struct outlook *look)
{
    const struct fs_binding *binding = &cell->bindings[index];
    struct fs_question *q = binding->question;
    if (!q) {
        none->state = FS_ANSWER_NONE;
        none->error = fs_format("%s is missing", binding->missing_fact);
        out->answer = none;
        return;
    }
    const struct fs_source_state *source = e->sources.items[q->source];
    bool lost = q->failed || source->status == FS_SOURCE_DOWN;
    bool early =
        q->touched > q->settled &&
        q->unsettled_rounds < 2; /* for one further round at most, or a stream of events would starve it */
    bool overdue = q->overdue && source->status != FS_SOURCE_DOWN;
    look->unsettled |= fs_question_unsettled(q);
    bool unseen = !cell->known && (forced ? early || overdue || q->uncommitted : early && lost);
    if (!q->answered || unseen) {
        look->pending |= !lost;
        give_none(q, source, none, out);
        return;
    }
    look->uncommitted |= q->uncommitted;
    look->doubted |= overdue || (early && !(cell->withdrawn && q->unsettled_rounds));
    out->answer = &q->answer;
    out->stale = lost || q->overdue; /* its source is back, but has not said yet that it still holds */
    int64_t end = out->stale ? fs_question_confirmed(e, q) + flag->max_stale
                             : fs_question_unheard_at(e, q, flag->max_stale);
    out->too_stale = e->now.mono >= end;
    out->stale |= out->too_stale;
    if (!out->too_stale && end < look->next)
        look->next = end;
}

static void look_at(struct fs_engine *e, struct fs_context *context, uint32_t index, bool forced,
                    struct outlook *look)
{
    const struct fs_flag *flag = e->set->flags[index];
    struct fs_cell *cell = &context->cells[index];
    struct fs_standing standings[FS_DECISION_LIMIT] = {0};
    struct fs_answer own[FS_DECISION_LIMIT] = {0};
    memset(look, 0, sizeof *look);
    look->next = INT64_MAX;
    int64_t next_wall = INT64_MAX;
    for (size_t d = 0; d < flag->decision_count; d++) {
        const struct fs_decision *decision = &flag->decisions[d];
        if (decision->rule) {
            int64_t next = INT64_MAX;
            fs_decide_builtin(flag, decision, context->json, context->owner->facts_json, e->now.wall,
                              &e->arena, &own[d], &next);
            standings[d].answer = &own[d];
            next_wall = next < next_wall ? next : next_wall;
        } else {
            stand(e, flag, cell, d, forced, &own[d], &standings[d], look);
            int64_t next = fs_decision_input_change(flag, decision, context->json, context->owner->facts_json,
                                                    e->now.wall, &e->arena);
            next_wall = next < next_wall ? next : next_wall;
        }
    }
    struct fs_evaluation_input input = {.context = context->json,
                                        .facts = context->owner->facts_json,
                                        .standings = standings,
                                        .wall_ms = e->now.wall};
    fs_evaluate(flag, &input, &e->arena, &look->value);
    next_wall = look->value.next_change < next_wall ? look->value.next_change : next_wall;
    int64_t next = fs_mono_of_wall(e, next_wall);
    look->next = next < look->next ? next : look->next;
    for (size_t d = 0; d < flag->decision_count; d++)
        fs_answer_finish(&own[d]);
    fs_arena_reset(&e->arena);
    e->counts.evaluations++;
}

static void propose(struct fs_engine *e, struct fs_context *context, uint32_t index, struct outlook *look,
                    bool takes_away)
{
    struct fs_cell *cell = &context->cells[index];
    struct fs_proposal proposal = {.context = context,
                                   .flag = index,
                                   .value = look->value,
                                   .takes_away = takes_away,
                                   .first = !cell->known};
    proposal.cause = cell->pending_cause;
    cell->pending_cause = look->impatient ? fs_cause_copy(proposal.cause) : NULL; /* the answer's as well */
    cell->held = false;
    if (!proposal.cause)
        proposal.cause =
            fs_cause_create(proposal.first ? FS_CAUSE_WATCH : FS_CAUSE_REVALIDATE, 0, e->now.wall);
    if (proposal.first && !fs_context_is_shown(context, index)) {
        /* Nothing is changed by a first value; it is recorded with the next tick but does not wait for it. */
        fs_publish(e, &proposal, e->revision);
        if (context->watches && e->firsts.count < FS_FIRSTS_LIMIT) {
            context->pins++;
            fs_vec_push(&e->firsts, proposal);
        } else {
            fs_proposal_finish(&proposal);
        }
        return;
    }
    proposal.forced = cell->forced;
    if (proposal.first) /* others see its flags already, and the caller's default rules until it is there */
        proposal.takes_away = fs_evaluation_is_safe(e->set->flags[index], &proposal.value);
    cell->proposed = proposal.id = ++e->next_proposal;
    context->pins++;
    fs_vec_push(&e->proposals, proposal);
}

/* Another reason for what is visible already gives nobody a right. */
static bool same_right(const struct fs_evaluation *a, const struct fs_evaluation *b)
{
    return a->value && b->value && !a->error && !b->error && fs_json_equal(a->value, b->value) &&
           a->variant && b->variant && !strcmp(a->variant, b->variant);
}

static void leave_as_it_is(struct fs_cell *cell, const struct outlook *look)
{
    memcpy(cell->value.detail, look->value.detail,
           sizeof cell->value.detail); /* no change, but `why` wants to know */
    if (look->unsettled || look->pending || look->impatient)
        return;
    fs_free(cell->pending_cause);
    cell->pending_cause = NULL;
    cell->held = cell->withdrawn = false;
}

/* For how long a cell may wait for the first answer to what it asks now, which may be another question than
 * its value came from: a known value serves for `maxStale` meanwhile, and a flag that is new to those who
 * watch may be missing for as long as a first snapshot. */
static int64_t patience(const struct fs_engine *e, const struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    int64_t least = e->options.evaluate_timeout, stale = e->set->flags[index]->max_stale;
    if (cell->known)
        return stale > least ? stale : least;
    return fs_context_is_shown(context, index) ? least : INT64_MAX;
}

/* Is there no waiting any longer? */
static bool is_impatient(const struct fs_engine *e, const struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    return cell->waiting && (cell->known || !cell->proposed) &&
           e->now.mono - cell->waiting >= patience(e, context, index);
}

static void wait_for_answer(struct fs_engine *e, struct fs_context *context, uint32_t index,
                            struct outlook *look)
{
    struct fs_cell *cell = &context->cells[index];
    int64_t longest = patience(e, context, index);
    if (!cell->waiting)
        cell->waiting = e->now.mono;
    int64_t end = longest == INT64_MAX ? INT64_MAX : cell->waiting + longest;
    if (end > e->now.mono && end < look->next)
        look->next = end;
}

/* Evaluates one dirty cell. `ahead`: a tick is under way, so only what takes away may go; the rest stays
 * dirty. */
static void evaluate(struct fs_engine *e, struct fs_context *context, uint32_t index, bool ahead)
{
    struct fs_cell *cell = &context->cells[index];
    struct outlook look;
    if (!cell->wanted)
        return;
    fs_cell_bind_where_needed(e, context, index);
    cell->forced |= is_impatient(e, context, index);
    look_at(e, context, index, cell->forced, &look);
    look.impatient = cell->known && look.pending && cell->forced;
    look.pending &= !look.impatient;
    bool holds = look.doubted || look.uncommitted;
    bool takes_away =
        cell->known && fs_evaluation_takes_away(e->set->flags[index], &cell->value, &look.value);
    bool take = false;
    if (!cell->known)
        take = cell->forced || !(look.pending || holds);
    else if (ahead && !(takes_away && !look.pending))
        fs_cell_mark(e, context, index);
    else if (fs_evaluation_equal(&cell->value, &look.value))
        leave_as_it_is(cell, &look);
    else if (look.pending || (holds && !takes_away && !same_right(&cell->value, &look.value)))
        cell->held = true;
    else
        take = true;
    if (look.pending || (!cell->known && !take))
        wait_for_answer(e, context, index, &look);
    else if (!look.impatient)
        cell->waiting = 0;
    if (take)
        propose(e, context, index, &look, takes_away);
    else
        fs_evaluation_finish(&look.value);
    cell->forced = false;
    fs_cell_arm(e, context, index, look.next);
}

void fs_cell_force(struct fs_engine *e, struct fs_context *context, uint32_t flag)
{
    struct fs_cell *cell = &context->cells[flag];
    if (cell->known || cell->proposed)
        return;
    cell->forced = true;
    evaluate(e, context, flag, true);
}

/* A safe value for a cell that has none, when nobody can wait any longer. Not published. */
void fs_cell_safe_now(struct fs_engine *e, struct fs_context *context, uint32_t flag,
                      struct fs_evaluation *out)
{
    struct outlook look;
    fs_cell_bind_where_needed(e, context, flag);
    look_at(e, context, flag, true, &look);
    *out = look.value;
}

void fs_cell_give_back(struct fs_cell *cell, struct fs_proposal *proposal)
{
    struct fs_cause *later = cell->pending_cause;
    cell->pending_cause = proposal->cause;
    proposal->cause = NULL;
    for (unsigned i = 0; later && i < later->count && i < FS_CAUSE_LIMIT; i++) {
        struct fs_cause *cause = cell->pending_cause;
        if (cause->count < FS_CAUSE_LIMIT)
            cause->entries[cause->count] = later->entries[i];
        cause->count++;
    }
    fs_free(later);
}

bool fs_cell_withdraws(struct fs_engine *e, struct fs_proposal *proposal)
{
    struct fs_context *context = proposal->context;
    struct fs_cell *cell = &context->cells[proposal->flag];
    if (proposal->takes_away || (!cell->dirty && !fs_cell_is_doubtful(e, context, proposal->flag)))
        return false;
    struct outlook look;
    fs_cell_bind_where_needed(e, context, proposal->flag);
    look_at(e, context, proposal->flag, proposal->forced, &look);
    bool good = fs_evaluation_equal(&look.value, &proposal->value) && (!look.pending || proposal->forced) &&
                !look.uncommitted;
    good = good &&
           (!look.doubted || cell->withdrawn || (cell->known && same_right(&cell->value, &proposal->value)));
    fs_evaluation_finish(&look.value);
    if (good)
        return false;
    fs_cell_give_back(cell, proposal);
    cell->proposed = 0;
    cell->withdrawn = cell->held = true;
    fs_cell_mark(e, context, proposal->flag);
    return true;
}

/* Evaluates what is dirty. While a tick is under way this waits for it, unless the journal is late: then what
 * takes away goes ahead. */
void fs_cells_evaluate(struct fs_engine *e)
{
    bool ahead = e->tick_token != 0;
    if (!e->dirty.count || (ahead && !e->tick_ahead))
        return;
    FS_VEC(struct fs_context *) contexts = {0};
    for (size_t i = 0; i < e->dirty.count; i++) {
        e->dirty.items[i]->listed = false;
        e->dirty.items[i]->pins++;
        fs_vec_push(&contexts, e->dirty.items[i]);
    }
    fs_vec_clear(&e->dirty);
    for (size_t i = 0; i < contexts.count; i++) {
        struct fs_context *context = contexts.items[i];
        FS_VEC(uint32_t) flags = {0};
        for (size_t f = 0; f < context->dirty.count; f++)
            fs_vec_push(&flags, context->dirty.items[f]);
        fs_vec_clear(&context->dirty);
        for (size_t f = 0; f < flags.count; f++) {
            context->cells[flags.items[f]].dirty = false;
            evaluate(e, context, flags.items[f], ahead);
        }
        fs_vec_finish(&flags);
        context->pins--;
    }
    fs_vec_finish(&contexts);
}

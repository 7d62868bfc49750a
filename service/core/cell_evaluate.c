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

/* What its sources and rules make of it. */
static void look_at_sources(struct fs_engine *e, struct fs_context *context, uint32_t index, bool forced,
                            char *trace, struct outlook *look)
{
    const struct fs_flag *flag = e->set->flags[index];
    struct fs_cell *cell = &context->cells[index];
    struct fs_standing standings[FS_DECISION_LIMIT] = {0};
    struct fs_answer own[FS_DECISION_LIMIT] = {0};
    const json_t *facts = e->trying ? fs_trial_facts(e, context) : context->owner->facts_json;
    int64_t next_wall = INT64_MAX;
    for (size_t d = 0; d < flag->decision_count; d++) {
        const struct fs_decision *decision = &flag->decisions[d];
        if (decision->rule) {
            int64_t next = INT64_MAX;
            fs_decide_builtin(flag, decision, context->json, facts, e->now.wall, &e->arena, &own[d], &next);
            standings[d].answer = &own[d];
            next_wall = next < next_wall ? next : next_wall;
        } else {
            if (!e->trying || !fs_trial_stands(e, context, flag, d, &own[d], &standings[d]))
                stand(e, flag, cell, d, forced, &own[d], &standings[d], look);
            int64_t next =
                fs_decision_input_change(flag, decision, context->json, facts, e->now.wall, &e->arena);
            next_wall = next < next_wall ? next : next_wall;
        }
    }
    struct fs_evaluation_input input = {.context = context->json,
                                        .facts = facts,
                                        .standings = standings,
                                        .wall_ms = e->now.wall,
                                        .trace = trace};
    fs_evaluate(flag, &input, &e->arena, &look->value);
    next_wall = look->value.next_change < next_wall ? look->value.next_change : next_wall;
    int64_t next = fs_mono_of_wall(e, next_wall);
    look->next = next < look->next ? next : look->next;
    for (size_t d = 0; d < flag->decision_count; d++)
        fs_answer_finish(&own[d]);
    fs_arena_reset(&e->arena);
}

/* An override needs no answer, and waits for none. */
static void look_at(struct fs_engine *e, struct fs_context *context, uint32_t index, bool forced, char *trace,
                    struct outlook *look)
{
    const struct fs_override *override = fs_override_of(e, e->set->flags[index], context->subject);
    memset(look, 0, sizeof *look);
    look->next = INT64_MAX;
    e->counts.evaluations++;
    if (override)
        fs_override_evaluate(override, e->set->flags[index], &look->value);
    else
        look_at_sources(e, context, index, forced, trace, look);
}

void fs_cell_trace(struct fs_engine *e, struct fs_context *context, uint32_t index, char pointer[256])
{
    struct outlook look;
    pointer[0] = 0;
    look_at(e, context, index, false, pointer, &look);
    fs_evaluation_finish(&look.value);
}

static bool tells(const struct fs_cause *cause, uint64_t entry)
{
    for (unsigned i = 0; i < cause->count && i < FS_CAUSE_LIMIT; i++)
        if (cause->entries[i] == entry)
            return true;
    return false;
}

/* The cell has proposed before, and that is void now: what led to it led to this, and comes first. What no
 * event caused tells nothing beside one, and beside an override nothing counts. */
static void inherit_cause(struct fs_cause *cause, const struct fs_cause *earlier)
{
    if (!earlier->count || cause->kind == FS_CAUSE_OVERRIDE)
        return;
    struct fs_cause later = *cause;
    *cause = *earlier;
    for (unsigned i = 0; i < later.count && i < FS_CAUSE_LIMIT; i++) {
        if (tells(earlier, later.entries[i]))
            continue;
        if (cause->count < FS_CAUSE_LIMIT)
            cause->entries[cause->count] = later.entries[i];
        cause->count++;
    }
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
        if (e->revision == e->told_revision)
            e->revision++; /* boards that come back tell by it what they missed */
        fs_publish(e, &proposal, e->revision);
        context->pins++;
        if (fs_cell_is_kept(context, index) && fs_proposals_left(&e->firsts) < FS_FIRSTS_LIMIT) {
            cell->untold++;
            cell->told = true;
            fs_proposals_push(&e->firsts, &proposal);
        } else {
            fs_proposal_done(&proposal);
        }
        return;
    }
    proposal.forced = cell->forced;
    if (proposal.first) /* others see its flags already, and the caller's default rules until it is there */
        proposal.takes_away = fs_evaluation_is_safe(e->set->flags[index], &proposal.value);
    if (cell->proposed)
        inherit_cause(proposal.cause, cell->proposed_cause);
    cell->proposed = proposal.id = ++e->next_proposal;
    cell->proposed_cause = proposal.cause;
    context->pins++;
    fs_proposals_push(proposal.takes_away ? &e->taking : &e->giving, &proposal);
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
    cell->value.override = look->value.override;
    cell->value.override_entry = look->value.override_entry;
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

static void put_aside(struct fs_engine *e, struct fs_context *context, uint32_t index)
{
    struct fs_cell *cell = &context->cells[index];
    cell->dirty = cell->aside = true;
    if (!cell->in_aside)
        fs_vec_push(&context->aside, index);
    cell->in_aside = true;
    if (!context->listed_aside)
        fs_vec_push(&e->aside, context);
    context->listed_aside = true;
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
    look_at(e, context, index, cell->forced, NULL, &look);
    look.impatient = cell->known && look.pending && cell->forced;
    look.pending &= !look.impatient;
    bool holds = look.doubted || look.uncommitted;
    bool takes_away =
        cell->known && fs_evaluation_takes_away(e->set->flags[index], &cell->value, &look.value);
    bool take = false;
    if (!cell->known)
        take = cell->forced || !(look.pending || holds);
    else if (ahead && !(takes_away && !look.pending))
        put_aside(e, context, index);
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
    look_at(e, context, flag, true, NULL, &look);
    *out = look.value;
}

void fs_cell_look(struct fs_engine *e, struct fs_context *context, uint32_t flag, struct fs_evaluation *out)
{
    struct outlook look;
    look_at(e, context, flag, false, NULL, &look);
    *out = look.value;
}

void fs_cell_give_back(struct fs_cell *cell, struct fs_proposal *proposal)
{
    struct fs_cause *later = cell->pending_cause;
    if (later && later->kind == FS_CAUSE_OVERRIDE)
        return;
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
    look_at(e, context, proposal->flag, proposal->forced, NULL, &look);
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

/* Lists what can be evaluated: pinned, since somebody may let go of one meanwhile. */
static void take_list(struct fs_context ***contexts, size_t *count, struct fs_engine *e, bool aside)
{
    FS_VEC(struct fs_context *) taken = {0};
    size_t listed = aside ? e->aside.count : e->dirty.count;
    for (size_t i = 0; i < listed; i++) {
        struct fs_context *context = aside ? e->aside.items[i] : e->dirty.items[i];
        *(aside ? &context->listed_aside : &context->listed) = false;
        context->pins++;
        fs_vec_push(&taken, context);
    }
    if (aside)
        fs_vec_clear(&e->aside);
    else
        fs_vec_clear(&e->dirty);
    *contexts = taken.items;
    *count = taken.count;
}

static void evaluate_context(struct fs_engine *e, struct fs_context *context, bool aside, bool ahead)
{
    FS_VEC(uint32_t) flags = {0};
    size_t listed = aside ? context->aside.count : context->dirty.count;
    for (size_t i = 0; i < listed; i++)
        fs_vec_push(&flags, aside ? context->aside.items[i] : context->dirty.items[i]);
    if (aside)
        fs_vec_clear(&context->aside);
    else
        fs_vec_clear(&context->dirty);
    for (size_t i = 0; i < flags.count; i++) {
        struct fs_cell *cell = &context->cells[flags.items[i]];
        if (aside)
            cell->in_aside = false;
        if (!cell->dirty || cell->aside != aside)
            continue; /* was marked again meanwhile, and looked at so */
        cell->dirty = cell->aside = false;
        evaluate(e, context, flags.items[i], ahead);
    }
    fs_vec_finish(&flags);
}

static void evaluate_list(struct fs_engine *e, bool aside, bool ahead)
{
    struct fs_context **contexts;
    size_t count;
    take_list(&contexts, &count, e, aside);
    for (size_t i = 0; i < count; i++) {
        evaluate_context(e, contexts[i], aside, ahead);
        contexts[i]->pins--;
    }
    fs_free(contexts);
}

/* Evaluates what is dirty. While a tick is on its way to the disk this waits for it, unless the journal is
 * late. Then, and between the ticks of a mass change, only what takes away goes ahead; the rest is put aside
 * until all of them are through, and not looked at again for nothing. */
void fs_cells_evaluate(struct fs_engine *e)
{
    if (e->tick_token && !e->tick_ahead)
        return;
    bool ahead = fs_tick_under_way(e);
    if (e->dirty.count)
        evaluate_list(e, false, ahead);
    if (!ahead && e->aside.count)
        evaluate_list(e, true, false);
}

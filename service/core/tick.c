/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks: what one round of evaluation changes, as one entry and one revision. The changes are proposed,
 * written, and become the cells' values at the commit. While the journal is late, what takes away is
 * published ahead of it.
 */
#include "engine_internal.h"

void fs_proposal_finish(struct fs_proposal *proposal)
{
    fs_evaluation_finish(&proposal->value);
    fs_free(proposal->cause);
    json_decref(proposal->from);
    memset(proposal, 0, sizeof *proposal);
}

struct fs_cause *fs_cause_copy(const struct fs_cause *cause)
{
    if (!cause)
        return NULL;
    struct fs_cause *copy = FS_NEW(struct fs_cause);
    *copy = *cause;
    return copy;
}

static void copy_value(struct fs_evaluation *out, const struct fs_evaluation *value)
{
    *out = *value;
    json_incref(out->value);
}

static void count_change(struct fs_engine *e, const char *flag, const struct fs_cause *cause)
{
    uint64_t *count = fs_map_gets(&e->changes, flag);
    e->counts.changes++;
    if (cause->kind == FS_CAUSE_EVENT && cause->time)
        fs_histogram_add(&e->counts.event_to_push, (double)(e->now.wall - cause->time) / 1000);
    if (!count && e->changes.count >= FS_COUNTED_FLAGS)
        count = fs_map_gets(&e->changes, flag = "other");
    if (!count) {
        count = FS_NEW(uint64_t);
        fs_map_sets(&e->changes, flag, count);
    }
    ++*count;
}

/* The proposal becomes the cell's value, and a change of every watch that sees it. The proposal stays the
 * caller's. */
void fs_publish(struct fs_engine *e, struct fs_proposal *proposal, uint64_t revision)
{
    struct fs_context *context = proposal->context;
    struct fs_cell *cell = &context->cells[proposal->flag];
    if (cell->known)
        fs_evaluation_finish(&cell->value);
    else
        e->counts.cells++;
    fs_free(cell->cause);
    copy_value(&cell->value, &proposal->value);
    cell->cause = fs_cause_copy(proposal->cause);
    cell->known = true;
    cell->proposed = 0;
    cell->waiting = 0;
    cell->withdrawn = false;
    cell->revision = revision;
    cell->changed = e->now.wall;
    proposal->published = true;
    if (!proposal->first)
        count_change(e, e->set->flags[proposal->flag]->key, proposal->cause);
    FS_LIST_EACH(&context->views, node)
    {
        struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, proposal->flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            fs_watch_changed(e, FS_CONTAINER(member, struct fs_watch, in_view), proposal->flag,
                             proposal->takes_away);
        }
    }
}

/* With the time as entries have it, in milliseconds. */
static json_t *describe_cause(const struct fs_cause *cause)
{
    json_t *one = fs_describe_cause(cause);
    json_object_set_new(one, "time", json_integer(cause->time));
    return one;
}

static json_t *describe_answers(struct fs_engine *e, const struct fs_proposal *proposal)
{
    const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
    json_t *list = json_array();
    for (size_t d = 0; cell->bindings && d < e->set->flags[proposal->flag]->decision_count; d++) {
        const struct fs_question *q = cell->bindings[d].question;
        if (!q)
            continue;
        json_array_append_new(list, json_pack("{s:s, s:s, s:s, s:s, s:s*, s:s*, s:I}", "source",
                                              e->sources.items[q->source]->name, "kind", q->kind, "query",
                                              q->query, "state", fs_answer_state_name(q->answer.state),
                                              "revision", q->answer.revision, "decision",
                                              q->answer.decision_id, "entry", (json_int_t)q->answer_entry));
    }
    return list;
}

/* Changes of one flag from and to the same value for the same reason stand together, with the contexts they
 * happen to. */
static void add_change(struct fs_engine *e, json_t *groups, json_t *contexts,
                       const struct fs_proposal *proposal)
{
    const struct fs_flag *flag = e->set->flags[proposal->flag];
    const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
    bool nothing = proposal->withdrawn && !proposal->value.value; /* the cell has no value, as before */
    json_t *change =
        json_pack("{s:s, s:b, s:o, s:o, s:o}", "flag", flag->key, "takesAway", proposal->takes_away, "to",
                  nothing ? json_null() : fs_describe_value(&proposal->value), "cause",
                  describe_cause(proposal->cause), "answers", describe_answers(e, proposal));
    if (proposal->withdrawn)
        json_object_set_new(change, "withdrawn", json_true());
    json_object_set_new(change, "from",
                        proposal->from    ? json_incref(proposal->from)
                        : proposal->first ? json_null()
                                          : fs_describe_value(&cell->value));
    char *key = fs_json_canonical_text(change, FS_ENTRY_LIMIT, NULL);
    json_t *group = json_object_get(groups, key);
    if (!group) {
        group = json_incref(change);
        json_object_set_new(group, "contexts", json_array());
        json_object_set_new(groups, key, group);
    }
    json_array_append_new(json_object_get(group, "contexts"), json_string(proposal->context->hash));
    if (!json_object_get(contexts, proposal->context->hash))
        json_object_set(contexts, proposal->context->hash, proposal->context->json);
    json_decref(change);
    fs_free(key);
}

static void make_body(struct fs_engine *e)
{
    json_t *groups = json_object(), *contexts = json_object(), *changes = json_array();
    for (size_t i = 0; i < e->firsts.count; i++)
        add_change(e, groups, contexts, &e->firsts.items[i]);
    for (size_t i = 0; i < e->proposals.count; i++)
        add_change(e, groups, contexts, &e->proposals.items[i]);
    const char *key;
    json_t *group;
    json_object_foreach(groups, key, group)
    {
        json_array_append(changes, group);
    }
    uint64_t revision = e->revision + (e->proposals.count ? 1 : 0);
    json_t *root = json_pack("{s:s, s:I, s:o, s:o}", "epoch", e->options.epoch, "revision",
                             (json_int_t)revision, "changes", changes, "contexts", contexts);
    e->tick_body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &e->tick_length);
    json_decref(root);
    json_decref(groups);
}

void fs_tick_append(struct fs_engine *e)
{
    if (!e->tick_token || e->tick_appended)
        return;
    size_t count = e->tick_firsts + e->tick_proposals;
    struct fs_entry_cell *cells = fs_calloc(count, sizeof *cells);
    for (size_t i = 0; i < count; i++) {
        const struct fs_proposal *p =
            i < e->tick_firsts ? &e->firsts.items[i] : &e->proposals.items[i - e->tick_firsts];
        cells[i] = (struct fs_entry_cell){p->context->subject, p->context->hash, e->set->flags[p->flag]->key};
    }
    struct fs_draft draft = {.kind = FS_ENTRY_TICK,
                             .time = e->now.wall,
                             .body = e->tick_body,
                             .length = e->tick_length,
                             .cells = cells,
                             .cell_count = count,
                             .token = e->tick_token};
    e->tick_appended = e->options.ports.append(e->options.ports.self, &draft);
    fs_free(cells);
}

/* Begins a tick with all that is proposed. One at a time: what comes meanwhile is the next one. */
void fs_tick_propose(struct fs_engine *e)
{
    if (e->tick_token || (!e->proposals.count && !e->firsts.count))
        return;
    e->tick_firsts = e->firsts.count;
    e->tick_proposals = e->proposals.count;
    make_body(e);
    e->tick_token = FS_ENGINE_TOKENS + ++e->next_token;
    e->tick_appended = e->tick_ahead = false;
    e->tick_since = e->now.mono;
    fs_tick_append(e);
}

/* A proposal is void when its cell was forgotten meanwhile, or has made another one. */
static bool is_void(const struct fs_proposal *proposal)
{
    return proposal->context->cells[proposal->flag].proposed != proposal->id;
}

/* What a late journal may not hold up. The rest of the tick is published at its commit, as a revision of its
 * own. */
void fs_tick_go_ahead(struct fs_engine *e)
{
    bool any = false;
    for (size_t i = 0; i < e->proposals.count; i++) {
        struct fs_proposal *proposal = &e->proposals.items[i];
        if (!proposal->takes_away || proposal->published || is_void(proposal))
            continue;
        if (!any)
            e->revision++;
        any = true;
        if (i >= e->tick_proposals) /* not written yet: the next tick's entry wants to know */
            proposal->from = fs_describe_value(&proposal->context->cells[proposal->flag].value);
        fs_publish(e, proposal, e->revision);
    }
    e->tick_ahead = true;
}

/* Forgets the first `count` proposals; those behind them wait for the next tick. */
static void drop_front(struct fs_proposal *items, size_t *total, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        items[i].context->pins--;
        fs_proposal_finish(&items[i]);
    }
    memmove(items, items + count, (*total - count) * sizeof *items);
    *total -= count;
}

/* The entry that was just committed tells a value that never came to be: the next one says so. `cause`: of
 * the proposal. */
static void record_withdrawn(struct fs_engine *e, struct fs_proposal *proposal, const struct fs_cause *cause)
{
    const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
    struct fs_proposal record = {
        .context = proposal->context, .flag = proposal->flag, .published = true, .withdrawn = true};
    record.from = fs_describe_value(&proposal->value);
    record.cause = fs_cause_copy(cause);
    if (cell->known)
        copy_value(&record.value, &cell->value);
    record.context->pins++;
    fs_vec_push(&e->firsts, record);
}

void fs_tick_commit(struct fs_engine *e)
{
    bool any = false;
    for (size_t i = 0; i < e->tick_proposals; i++) {
        struct fs_proposal *proposal = &e->proposals.items[i];
        if (proposal->published)
            continue;
        if (is_void(proposal)) {
            record_withdrawn(e, proposal, proposal->cause);
            continue;
        }
        if (fs_cell_withdraws(e, proposal)) {
            const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
            record_withdrawn(e, proposal, cell->pending_cause);
            continue;
        }
        if (!any)
            e->revision++;
        any = true;
        fs_publish(e, proposal, e->revision);
    }
    if (e->tick_proposals)
        drop_front(e->proposals.items, &e->proposals.count, e->tick_proposals);
    if (e->tick_firsts)
        drop_front(e->firsts.items, &e->firsts.count, e->tick_firsts);
    fs_free(e->tick_body);
    e->tick_body = NULL;
    e->tick_token = 0;
    e->tick_ahead = false;
}

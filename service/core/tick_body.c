/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What a tick's entry tells, and how much of what is proposed goes into one: a mass change is several ticks,
 * each of a size that the journal takes and that does not hold up the core.
 */
#include "engine_internal.h"

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

/* A body that is being filled. */
struct filling {
    struct fs_engine *e;
    json_t *groups;
    size_t changes, bytes; /* so far */
    bool moves;            /* one of them comes into force by it: a revision */
};

static bool is_full(const struct filling *filling)
{
    return filling->changes >= filling->e->options.entry_changes ||
           filling->bytes >= filling->e->options.entry_bytes;
}

/* Changes of one flag from and to the same value for the same reason stand together, with the names of the
 * contexts they happen to: what these say is beside the body (fs_tick_append). */
static void add_change(struct filling *filling, const struct fs_proposal *proposal)
{
    struct fs_engine *e = filling->e;
    const struct fs_context *context = proposal->context;
    const struct fs_flag *flag = e->set->flags[proposal->flag];
    const struct fs_cell *cell = &context->cells[proposal->flag];
    bool nothing =
        (proposal->withdrawn || proposal->ended) && !proposal->value.value; /* the cell has no value */
    json_t *change =
        json_pack("{s:s, s:b, s:o, s:o, s:o}", "flag", flag->key, "takesAway", proposal->takes_away, "to",
                  nothing ? json_null() : fs_describe_value(&proposal->value), "cause",
                  describe_cause(proposal->cause), "answers", describe_answers(e, proposal));
    if (proposal->withdrawn)
        json_object_set_new(change, "withdrawn", json_true());
    if (proposal->ended)
        json_object_set_new(change, "ended", json_true());
    if (proposal->again)
        json_object_set_new(change, "again", json_true());
    json_object_set_new(change, "from",
                        proposal->from    ? json_incref(proposal->from)
                        : proposal->first ? json_null()
                                          : fs_describe_value(&cell->value));
    size_t length;
    char *key = fs_json_canonical_text(change, FS_ENTRY_LIMIT, &length);
    json_t *group = json_object_get(filling->groups, key);
    if (!group) {
        group = json_incref(change);
        json_object_set_new(group, "contexts", json_array());
        json_object_set_new(filling->groups, key, group);
        filling->bytes += length;
    }
    json_array_append_new(json_object_get(group, "contexts"), json_string(context->hash));
    filling->bytes += sizeof context->hash + context->length;
    filling->changes++;
    json_decref(change);
    fs_free(key);
}

/* The entry of the tick tells it; of what nobody watches, that it ended with that. */
static void tell(struct filling *filling, struct fs_proposal *proposal)
{
    struct fs_cell *cell = &proposal->context->cells[proposal->flag];
    add_change(filling, proposal);
    if (proposal->id && !cell->told) {
        cell->told = true;
        if (!fs_cell_is_kept(proposal->context, proposal->flag))
            fs_cell_tell_end(filling->e, proposal->context, proposal->flag, &proposal->value);
    }
    fs_vec_push(&filling->e->tick, *proposal);
}

static bool is_half_full(const struct filling *filling)
{
    return filling->changes * 2 >= filling->e->options.entry_changes ||
           filling->bytes * 2 >= filling->e->options.entry_bytes;
}

/* What is in force already. */
static void tell_firsts(struct filling *filling, bool (*enough)(const struct filling *filling))
{
    struct fs_proposal first;
    while (!enough(filling) && fs_proposals_pop(&filling->e->firsts, &first)) {
        struct fs_cell *cell = &first.context->cells[first.flag];
        cell->untold -= cell->untold > 0;
        tell(filling, &first);
    }
}

/* What was recorded of a cell is told before what it came to later: such a proposal takes its place at the
 * end of the queue. */
static void tell_proposals(struct filling *filling, struct fs_proposals *queue)
{
    struct fs_proposal proposal;
    size_t left = fs_proposals_left(queue);
    for (size_t i = 0; i < left && !is_full(filling) && fs_proposals_pop(queue, &proposal); i++) {
        if (!proposal.published && fs_proposal_is_void(&proposal)) {
            fs_proposal_done(&proposal);
        } else if (proposal.context->cells[proposal.flag].untold) {
            fs_proposals_push(queue, &proposal);
        } else {
            filling->moves |= !proposal.published;
            tell(filling, &proposal);
        }
    }
}

/* Half of an entry at most is what is in force already while more waits to come into force; of that, what
 * takes away goes first. */
static void fill(struct filling *filling)
{
    struct fs_engine *e = filling->e;
    tell_firsts(filling, is_half_full);
    tell_proposals(filling, &e->taking);
    if (!fs_proposals_left(&e->taking))
        tell_proposals(filling, &e->giving);
    tell_firsts(filling, is_full);
}

void fs_tick_fill(struct fs_engine *e)
{
    struct filling filling = {.e = e, .groups = json_object()};
    json_t *changes = json_array();
    fill(&filling);
    const char *key;
    json_t *group;
    json_object_foreach(filling.groups, key, group)
    {
        json_array_append(changes, group);
    }
    uint64_t revision = e->revision + (filling.moves ? 1 : 0);
    json_t *root = json_pack("{s:s, s:I, s:o}", "epoch", e->options.epoch, "revision", (json_int_t)revision,
                             "changes", changes);
    e->tick_body = fs_json_canonical_text(root, FS_ENTRY_LIMIT, &e->tick_length);
    json_decref(root);
    json_decref(filling.groups);
}

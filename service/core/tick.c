/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Ticks: what one round of evaluation changes, as one entry and one revision; much of it as several. The
 * changes are proposed, written, and become the cells' values at the commit. While the journal is late, what
 * takes away is published ahead of it. What an entry tells stands in tick_body.c.
 */
#include "engine_internal.h"

void fs_proposal_done(struct fs_proposal *proposal)
{
    proposal->context->pins--;
    fs_evaluation_finish(&proposal->value);
    fs_free(proposal->cause);
    json_decref(proposal->from);
    memset(proposal, 0, sizeof *proposal);
}

void fs_proposals_push(struct fs_proposals *queue, const struct fs_proposal *proposal)
{
    fs_vec_push(queue, *proposal);
}

bool fs_proposals_pop(struct fs_proposals *queue, struct fs_proposal *out)
{
    if (queue->head == queue->count)
        return false;
    *out = queue->items[queue->head++];
    if (queue->head == queue->count) {
        fs_vec_finish(queue);
    } else if (queue->head >= 1024 && queue->head * 2 > queue->count) {
        queue->count -= queue->head;
        memmove(queue->items, queue->items + queue->head, queue->count * sizeof *queue->items);
        queue->head = 0;
    }
    return true;
}

static void drop_all(struct fs_proposals *queue)
{
    struct fs_proposal proposal;
    while (fs_proposals_pop(queue, &proposal))
        fs_proposal_done(&proposal);
    fs_vec_finish(queue);
}

static void end_tick(struct fs_engine *e)
{
    for (size_t i = 0; i < e->tick.count; i++)
        fs_proposal_done(&e->tick.items[i]);
    fs_vec_finish(&e->tick);
    fs_free(e->tick_body);
    e->tick_body = NULL;
    e->tick_token = 0;
    e->tick_ahead = e->tick_appended = false;
}

static void begin_tick(struct fs_engine *e)
{
    e->tick_token = FS_ENGINE_TOKENS + ++e->next_token;
    e->tick_appended = e->tick_ahead = false;
    e->tick_since = e->now.mono;
    fs_tick_append(e);
}

void fs_tick_drop(struct fs_engine *e)
{
    end_tick(e);
    drop_all(&e->taking);
    drop_all(&e->giving);
    drop_all(&e->firsts);
}

void fs_tick_tell_and_drop(struct fs_engine *e)
{
    end_tick(e);
    drop_all(&e->taking);
    drop_all(&e->giving);
    while (fs_proposals_left(&e->firsts)) {
        fs_tick_fill(e);
        if (e->tick.count)
            begin_tick(e);
        bool taken = e->tick_appended;
        end_tick(e);
        if (!taken)
            break; /* the journal takes nothing now */
    }
    drop_all(&e->firsts);
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
    fs_json_share(out->value);
}

static void count_change(struct fs_engine *e, const char *flag, const struct fs_cause *cause)
{
    uint64_t *count = fs_map_gets(&e->changes, flag);
    e->counts.changes++;
    if (cause->kind == FS_CAUSE_EVENT && cause->accepted)
        fs_histogram_add(&e->counts.event_to_push, (double)(e->now.wall - cause->accepted) / 1000);
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
    if (e->feeds)
        fs_feed_before(e, context, proposal->flag);
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
    if (!proposal->first) {
        count_change(e, e->set->flags[proposal->flag]->key, proposal->cause);
        fs_receipts_flipped(e, proposal->cause);
    }
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
    if (e->feeds)
        fs_feed_changed(e, context, proposal->flag);
}

bool fs_tick_under_way(const struct fs_engine *e)
{
    return e->tick_token || fs_proposals_left(&e->taking) || fs_proposals_left(&e->giving);
}

void fs_tick_append(struct fs_engine *e)
{
    if (!e->tick_token || e->tick_appended)
        return;
    size_t count = e->tick.count, text_count = 0;
    uint64_t pass = ++e->tick_passes;
    struct fs_entry_cell *cells = fs_calloc(count, sizeof *cells);
    struct fs_entry_text *texts = fs_calloc(count, sizeof *texts);
    for (size_t i = 0; i < count; i++) {
        const struct fs_proposal *p = &e->tick.items[i];
        struct fs_context *context = p->context;
        cells[i] = (struct fs_entry_cell){context->subject, context->hash, e->set->flags[p->flag]->key};
        if (context->tick_pass != pass)
            texts[text_count++] = (struct fs_entry_text){.name = context->hash,
                                                         .subject = context->subject,
                                                         .actor = fs_context_actor(context),
                                                         .text = context->canonical,
                                                         .length = context->length};
        context->tick_pass = pass;
    }
    struct fs_draft draft = {.kind = FS_ENTRY_TICK,
                             .time = e->now.wall,
                             .body = e->tick_body,
                             .length = e->tick_length,
                             .cells = cells,
                             .cell_count = count,
                             .texts = texts,
                             .text_count = text_count,
                             .token = e->tick_token};
    e->tick_appended = e->options.ports.append(e->options.ports.self, &draft);
    fs_free(texts);
    fs_free(cells);
}

/* Begins a tick with what is proposed, as much as an entry takes. One at a time: what comes meanwhile is the
 * next one. */
void fs_tick_propose(struct fs_engine *e)
{
    if (e->tick_token || (!fs_tick_under_way(e) && !fs_proposals_left(&e->firsts)))
        return;
    fs_tick_fill(e);
    if (!e->tick.count) {
        end_tick(e); /* all of it was void */
        return;
    }
    begin_tick(e);
}

/* A proposal is void when its cell was forgotten meanwhile, or has made another one. */
bool fs_proposal_is_void(const struct fs_proposal *proposal)
{
    return proposal->context->cells[proposal->flag].proposed != proposal->id;
}

/* `told`: an entry tells it already, with the value before. */
static void take_away_now(struct fs_engine *e, struct fs_proposal *proposal, bool told, bool *any)
{
    if (!proposal->takes_away || proposal->published || fs_proposal_is_void(proposal))
        return;
    if (!*any)
        e->revision++;
    *any = true;
    if (!told && !proposal->first)
        proposal->from = fs_describe_value(&proposal->context->cells[proposal->flag].value);
    fs_publish(e, proposal, e->revision);
}

/* What a late journal may not hold up. The rest of the tick is published at its commit, as a revision of its
 * own. */
void fs_tick_go_ahead(struct fs_engine *e)
{
    bool any = false;
    for (size_t i = 0; i < e->tick.count; i++)
        take_away_now(e, &e->tick.items[i], true, &any);
    for (size_t i = e->taking.head; i < e->taking.count; i++)
        take_away_now(e, &e->taking.items[i], false, &any);
    e->tick_ahead = true;
}

void fs_tick_record_withdrawn(struct fs_engine *e, const struct fs_proposal *proposal,
                              const struct fs_cause *cause)
{
    const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
    struct fs_proposal record = {
        .context = proposal->context, .flag = proposal->flag, .published = true, .withdrawn = true};
    record.from = fs_describe_value(&proposal->value);
    record.cause = fs_cause_copy(cause);
    if (cell->known)
        copy_value(&record.value, &cell->value);
    record.context->pins++;
    record.context->cells[record.flag].untold++;
    fs_proposals_push(&e->firsts, &record);
}

void fs_tick_commit(struct fs_engine *e)
{
    bool any = false;
    for (size_t i = 0; i < e->tick.count; i++) {
        struct fs_proposal *proposal = &e->tick.items[i];
        if (proposal->published)
            continue;
        if (fs_proposal_is_void(proposal)) {
            fs_tick_record_withdrawn(e, proposal, proposal->cause);
            continue;
        }
        if (fs_cell_withdraws(e, proposal)) {
            const struct fs_cell *cell = &proposal->context->cells[proposal->flag];
            fs_tick_record_withdrawn(e, proposal, cell->pending_cause);
            continue;
        }
        if (!any)
            e->revision++;
        any = true;
        fs_publish(e, proposal, e->revision);
    }
    end_tick(e);
}

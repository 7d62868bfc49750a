/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: proof of what became of an event. Concerned is every watch whose flags depend on what the event
 * touched, changed or not. Here: what an event concerns, and how far its recomputation is. When a receipt is
 * complete, and who waits for it, stands in receipt_wait.c.
 */
#include "receipt_internal.h"

static void release_context(struct fs_concerned_context *concerned)
{
    concerned->context->pins--;
    for (size_t i = 0; i < concerned->flags.count; i++)
        fs_free(concerned->flags.items[i]);
    fs_vec_finish(&concerned->flags);
    fs_free(concerned);
}

void fs_receipt_release_cells(struct fs_engine *e, struct fs_receipt *receipt)
{
    fs_receipt_count_ofrep(e, receipt, &receipt->ofrep_concerned, &receipt->ofrep_fetched);
    for (size_t i = 0; i < receipt->contexts.count; i++)
        release_context(receipt->contexts.items[i]);
    fs_vec_finish(&receipt->contexts);
    fs_vec_finish(&receipt->fetchers);
    fs_map_finish(&receipt->by_context, NULL);
    receipt->cell_count = 0;
}

void fs_receipt_release_unwatched(struct fs_engine *e, struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->contexts.count;) {
        struct fs_concerned_context *concerned = receipt->contexts.items[i];
        const struct fs_context *context = concerned->context;
        if (context->watches) {
            i++;
            continue;
        }
        struct fs_fetcher fetcher = {.fetched = false};
        memcpy(fetcher.hash, context->hash, sizeof fetcher.hash);
        if (context->fetched)
            fs_vec_push(&receipt->fetchers, fetcher);
        fs_map_remove(&receipt->by_context, &concerned->context, sizeof concerned->context);
        receipt->cell_count -= concerned->flags.count;
        release_context(concerned);
        fs_vec_remove_unordered(&receipt->contexts, i);
    }
    fs_contexts_limit(e); /* those that came meanwhile found all others pinned */
}

void fs_touched_finish(struct fs_touched *touched)
{
    fs_free(touched->key);
    fs_free(touched->query);
}

static void destroy(struct fs_engine *e, struct fs_receipt *receipt)
{
    fs_list_remove(&receipt->node);
    fs_alarm_cancel(e, &receipt->alarm);
    fs_map_remove(&e->receipts_by, &receipt->entry, sizeof receipt->entry);
    e->receipt_count--;
    fs_receipt_release_cells(e, receipt);
    for (size_t i = 0; i < receipt->questions.count; i++)
        fs_touched_finish(&receipt->questions.items[i]);
    for (size_t i = 0; i < receipt->bound.count; i++)
        fs_touched_finish(&receipt->bound.items[i]);
    for (size_t i = 0; i < receipt->watches.count; i++) {
        fs_free(receipt->watches.items[i]->client);
        fs_free(receipt->watches.items[i]->subject);
        fs_free(receipt->watches.items[i]);
    }
    fs_map_finish(&receipt->by_serial, NULL);
    fs_vec_finish(&receipt->questions);
    fs_vec_finish(&receipt->bound);
    fs_vec_finish(&receipt->watches);
    fs_vec_finish(&receipt->holding);
    fs_vec_finish(&receipt->waiters);
    fs_free(receipt->credential);
    fs_free(receipt);
}

void fs_receipts_finish(struct fs_engine *e)
{
    FS_LIST_EACH(&e->receipts, node)
    {
        destroy(e, FS_CONTAINER(node, struct fs_receipt, node));
    }
}

struct fs_receipt *fs_receipt_open(struct fs_engine *e, uint64_t entry, int64_t time, int64_t received,
                                   const char *credential)
{
    if (++e->receipt_count > FS_RECEIPT_LIMIT) {
        FS_LIST_EACH(&e->receipts, node)
        {
            struct fs_receipt *old = FS_CONTAINER(node, struct fs_receipt, node);
            if (old->waiters.count)
                continue;
            destroy(e, old);
            break;
        }
    }
    struct fs_receipt *receipt = FS_NEW(struct fs_receipt);
    receipt->entry = entry;
    receipt->time = time;
    receipt->received = received ? received : e->now.mono;
    fs_receipt_reaches(receipt, FS_STAGE_JOURNALED, e->now.mono);
    receipt->credential = fs_strdup(credential);
    fs_map_init_borrowing(&receipt->by_context);
    fs_map_init_borrowing(&receipt->by_serial);
    fs_list_append(&e->receipts, &receipt->node);
    fs_map_set(&e->receipts_by, &receipt->entry, sizeof receipt->entry, receipt);
    return receipt;
}

void fs_receipt_superseded(struct fs_receipt *receipt)
{
    receipt->superseded = true;
}

void fs_receipt_made_again(struct fs_receipt *receipt)
{
    receipt->again = true;
}

void fs_receipt_question(struct fs_receipt *receipt, struct fs_question *q)
{
    if (q->noted == receipt->entry)
        return;
    q->noted = receipt->entry;
    char *key = fs_alloc(q->key_length + 1);
    memcpy(key, q->key, q->key_length + 1);
    struct fs_touched touched = {.key = key,
                                 .key_length = q->key_length,
                                 .id = q->id,
                                 .source = q->source,
                                 .query = fs_strdup(q->query),
                                 .flying = q->in_flight};
    fs_vec_push(&receipt->questions, touched);
}

static void hold_again(struct fs_receipt *receipt, struct fs_concerned_watch *concerned)
{
    if (concerned->state == FS_HOLDS)
        return;
    concerned->state = FS_HOLDS;
    concerned->queued = false;
    fs_vec_push(&receipt->holding, concerned);
}

static void add_watch(struct fs_receipt *receipt, struct fs_watch *watch)
{
    if (watch->noted == receipt->entry)
        return;
    watch->noted = receipt->entry;
    struct fs_concerned_watch *concerned =
        fs_map_get(&receipt->by_serial, &watch->serial, sizeof watch->serial);
    if (concerned) { /* it has come back, to a snapshot */
        memcpy(concerned->session, watch->connection->session, sizeof concerned->session);
        hold_again(receipt, concerned);
        return;
    }
    concerned = FS_NEW(struct fs_concerned_watch);
    concerned->serial = watch->serial;
    concerned->watch = watch->id;
    concerned->open = watch->connection->open;
    concerned->until = watch->connection->lease_until;
    memcpy(concerned->session, watch->connection->session, sizeof concerned->session);
    concerned->client = fs_strdup(watch->connection->client_name ? watch->connection->client_name : "");
    concerned->subject = fs_strdup(watch->view->context->subject);
    fs_vec_push(&receipt->holding, concerned);
    fs_vec_push(&receipt->watches, concerned);
    fs_map_set(&receipt->by_serial, &concerned->serial, sizeof concerned->serial, concerned);
}

static void add_cell(struct fs_receipt *receipt, struct fs_context *context, const char *flag)
{
    struct fs_concerned_context *concerned = fs_map_get(&receipt->by_context, &context, sizeof context);
    if (!concerned) {
        concerned = FS_NEW(struct fs_concerned_context);
        concerned->context = context;
        context->pins++;
        fs_vec_push(&receipt->contexts, concerned);
        fs_map_set(&receipt->by_context, &concerned->context, sizeof concerned->context, concerned);
    }
    fs_vec_push(&concerned->flags, fs_strdup(flag));
    receipt->cell_count++;
}

void fs_receipt_cell(struct fs_engine *e, struct fs_receipt *receipt, struct fs_context *context,
                     uint32_t flag)
{
    if (context->cells[flag].noted == receipt->entry)
        return;
    context->cells[flag].noted = receipt->entry;
    add_cell(receipt, context, e->set->flags[flag]->key);
    FS_LIST_EACH(&context->views, node)
    {
        struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        if (!fs_bit(view->flags, flag))
            continue;
        FS_LIST_EACH(&view->watches, member)
        {
            struct fs_watch *watch = FS_CONTAINER(member, struct fs_watch, in_view);
            if (!watch->connection->stream && !watch->once)
                add_watch(receipt, watch);
        }
    }
}

/* A watch that begins while the first recomputation is under way may get the old value still: it is concerned
 * like the others. */
void fs_receipts_join(struct fs_engine *e, struct fs_watch *watch)
{
    if (watch->connection->stream || watch->once)
        return;
    FS_LIST_EACH(&e->receipts, node)
    {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        if (receipt->applied && !receipt->late)
            continue;
        const struct fs_concerned_context *concerned =
            fs_map_get(&receipt->by_context, &watch->view->context, sizeof watch->view->context);
        for (size_t i = 0; concerned && i < concerned->flags.count; i++) {
            const struct fs_flag *flag = fs_flagset_find(e->set, concerned->flags.items[i]);
            if (!flag || !fs_bit(watch->view->flags, flag->index))
                continue;
            add_watch(receipt, watch);
            break;
        }
    }
}

/* Will it be asked in a moment, since recomputes are merged? A retry after a failure has attempts behind it.
 */
static bool is_deferred(const struct fs_question *q)
{
    return !q->attempts && fs_timer_armed(&q->retry.timer);
}

static bool is_lost(const struct fs_engine *e, const struct fs_question *q)
{
    return e->sources.items[q->source]->status == FS_SOURCE_DOWN ||
           (q->failed && !q->in_flight && !q->queued && !is_deferred(q));
}

/* Forgets the questions that are settled, or that nobody asks any more. */
bool fs_receipt_follow_questions(struct fs_engine *e, struct fs_receipt *receipt)
{
    bool over = true;
    for (size_t i = 0; i < receipt->questions.count;) {
        struct fs_touched *touched = &receipt->questions.items[i];
        const struct fs_question *q = fs_map_get(&e->questions, touched->key, touched->key_length);
        bool gone = !q || q->id != touched->id || !fs_question_live(q);
        if (gone || (q->answered && q->settled >= receipt->entry && !q->uncommitted)) {
            fs_touched_finish(touched);
            fs_vec_remove_unordered(&receipt->questions, i);
            continue;
        }
        touched->unresolved = is_lost(e, q);
        over &= touched->unresolved;
        i++;
    }
    return over;
}

/* NULL: its flag is gone, or nobody sees it any more. */
static const struct fs_cell *cell_of(const struct fs_engine *e, const struct fs_concerned_context *concerned,
                                     size_t index, const struct fs_flag **flag)
{
    *flag = fs_flagset_find(e->set, concerned->flags.items[index]);
    const struct fs_cell *cell = *flag ? &concerned->context->cells[(*flag)->index] : NULL;
    return cell && cell->wanted ? cell : NULL;
}

static bool cell_done(const struct fs_engine *e, const struct fs_flag *flag, const struct fs_cell *cell,
                      const char *subject)
{
    if (!cell->known || cell->dirty || cell->proposed || cell->rebind)
        return false;
    if (fs_override_of(e, flag, subject))
        return true; /* whatever its sources would say */
    for (size_t d = 0; cell->bindings && d < flag->decision_count; d++) {
        const struct fs_question *q = cell->bindings[d].question;
        if (q && !q->answered && !is_lost(e, q))
            return false; /* a fact may have changed what is asked: then the new question counts */
    }
    return true;
}

bool fs_receipt_cells_done(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->contexts.count; i++) {
        const struct fs_concerned_context *concerned = receipt->contexts.items[i];
        for (size_t c = 0; concerned->context->watches && c < concerned->flags.count; c++) {
            const struct fs_flag *flag;
            const struct fs_cell *cell = cell_of(e, concerned, c, &flag);
            if (cell && !cell_done(e, flag, cell, concerned->context->subject))
                return false;
        }
    }
    return true;
}

bool fs_receipt_cells_evaluated(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->contexts.count; i++) {
        const struct fs_concerned_context *concerned = receipt->contexts.items[i];
        for (size_t c = 0; concerned->context->watches && c < concerned->flags.count; c++) {
            const struct fs_flag *flag;
            const struct fs_cell *cell = cell_of(e, concerned, c, &flag);
            if (cell && (cell->dirty || cell->rebind))
                return false;
        }
    }
    return !receipt->bound.count;
}

void fs_receipt_add_unanswered(struct fs_engine *e, struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->contexts.count; i++) {
        for (size_t c = 0; c < receipt->contexts.items[i]->flags.count; c++) {
            const struct fs_flag *flag;
            const struct fs_cell *cell = cell_of(e, receipt->contexts.items[i], c, &flag);
            if (cell && fs_override_of(e, flag, receipt->contexts.items[i]->context->subject))
                continue;
            for (size_t d = 0; cell && cell->bindings && d < flag->decision_count; d++) {
                struct fs_question *q = cell->bindings[d].question;
                if (q && !q->answered && fs_question_live(q))
                    fs_receipt_question(receipt, q);
            }
        }
    }
}

static void require_of_view(const struct fs_view *view, uint64_t revision, const struct fs_map *by_serial)
{
    FS_LIST_EACH(&view->watches, node)
    {
        const struct fs_watch *watch = FS_CONTAINER(node, struct fs_watch, in_view);
        struct fs_concerned_watch *concerned = fs_map_get(by_serial, &watch->serial, sizeof watch->serial);
        if (concerned && concerned->required < revision)
            concerned->required = revision;
    }
}

static void require_of_cell(struct fs_engine *e, struct fs_receipt *receipt,
                            const struct fs_concerned_context *concerned, size_t index)
{
    const struct fs_flag *flag;
    const struct fs_cell *cell = cell_of(e, concerned, index, &flag);
    FS_LIST_EACH(&concerned->context->views, node)
    {
        const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
        bool seen = cell && fs_bit(view->flags, flag->index);
        /* A flag that the view has lost since is held until its removal is acknowledged. */
        require_of_view(view, seen ? cell->revision : view->lost, &receipt->by_serial);
    }
}

void fs_receipt_require(struct fs_engine *e, struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->contexts.count; i++)
        for (size_t c = 0; c < receipt->contexts.items[i]->flags.count; c++)
            require_of_cell(e, receipt, receipt->contexts.items[i], c);
    receipt->revision = e->revision;
    for (size_t i = 0; i < receipt->watches.count; i++) {
        struct fs_concerned_watch *concerned = receipt->watches.items[i];
        const struct fs_watch *watch = fs_map_get(&e->watches, &concerned->serial, sizeof concerned->serial);
        /* One whose lease was over may have got another, on the old value. */
        if (watch && watch->connection->acked_revision < concerned->required)
            hold_again(receipt, concerned);
    }
}

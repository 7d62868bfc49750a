/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: proof of what became of an event. Concerned is every watch whose flags depend on what the event
 * touched, changed or not; the receipt is complete when each of them has acknowledged the last change, or can
 * no longer hold the old value. What is settled is looked at no more: a turn costs what is still open.
 */
#include "receipt_internal.h"

#define WATCHES_A_MS 100

static void release_cells(struct fs_engine *e, struct fs_receipt *receipt)
{
    fs_receipt_count_ofrep(e, receipt, &receipt->ofrep_concerned, &receipt->ofrep_fetched);
    for (size_t i = 0; i < receipt->cells.count; i++) {
        receipt->cells.items[i].context->pins--;
        fs_free(receipt->cells.items[i].flag);
    }
    fs_vec_finish(&receipt->cells);
}

static void finish_touched(struct fs_touched *touched)
{
    fs_free(touched->key);
    fs_free(touched->query);
}

static void destroy(struct fs_engine *e, struct fs_receipt *receipt)
{
    fs_list_remove(&receipt->node);
    fs_alarm_cancel(e, &receipt->alarm);
    e->receipt_count--;
    release_cells(e, receipt);
    for (size_t i = 0; i < receipt->questions.count; i++)
        finish_touched(&receipt->questions.items[i]);
    for (size_t i = 0; i < receipt->watches.count; i++) {
        fs_free(receipt->watches.items[i].client);
        fs_free(receipt->watches.items[i].subject);
    }
    fs_vec_finish(&receipt->questions);
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

struct fs_receipt *fs_receipt_open(struct fs_engine *e, uint64_t entry, int64_t time, const char *credential)
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
    receipt->credential = fs_strdup(credential);
    fs_list_append(&e->receipts, &receipt->node);
    return receipt;
}

void fs_receipt_superseded(struct fs_receipt *receipt)
{
    receipt->superseded = true;
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
                                 .query = fs_strdup(q->query)};
    fs_vec_push(&receipt->questions, touched);
}

static void add_watch(struct fs_receipt *receipt, struct fs_watch *watch)
{
    if (watch->noted == receipt->entry)
        return;
    watch->noted = receipt->entry;
    struct fs_concerned_watch concerned = {.serial = watch->serial,
                                           .watch = watch->id,
                                           .open = watch->connection->open,
                                           .until = watch->connection->lease_until};
    memcpy(concerned.session, watch->connection->session, sizeof concerned.session);
    concerned.client = fs_strdup(watch->connection->client_name ? watch->connection->client_name : "");
    concerned.subject = fs_strdup(watch->view->context->subject);
    fs_vec_push(&receipt->holding, receipt->watches.count);
    fs_vec_push(&receipt->watches, concerned);
}

void fs_receipt_cell(struct fs_engine *e, struct fs_receipt *receipt, struct fs_context *context,
                     uint32_t flag)
{
    if (context->cells[flag].noted == receipt->entry)
        return;
    context->cells[flag].noted = receipt->entry;
    struct fs_concerned_cell cell = {.context = context, .flag = fs_strdup(e->set->flags[flag]->key)};
    context->pins++;
    fs_vec_push(&receipt->cells, cell);
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
        for (size_t i = 0; i < receipt->cells.count; i++) {
            const struct fs_flag *flag = fs_flagset_find(e->set, receipt->cells.items[i].flag);
            if (receipt->cells.items[i].context != watch->view->context || !flag ||
                !fs_bit(watch->view->flags, flag->index))
                continue;
            add_watch(receipt, watch);
            break;
        }
    }
}

static bool is_lost(const struct fs_engine *e, const struct fs_question *q)
{
    return e->sources.items[q->source]->status == FS_SOURCE_DOWN ||
           (q->failed && !q->in_flight && !q->queued);
}

/* Forgets the questions that are settled, or that nobody asks any more. False: the first round after the
 * event is not over for some. */
static bool follow_questions(struct fs_engine *e, struct fs_receipt *receipt)
{
    bool over = true;
    for (size_t i = 0; i < receipt->questions.count;) {
        struct fs_touched *touched = &receipt->questions.items[i];
        const struct fs_question *q = fs_map_get(&e->questions, touched->key, touched->key_length);
        bool gone = !q || q->id != touched->id || !fs_question_live(q);
        if (gone || (q->answered && q->settled >= receipt->entry && !q->uncommitted)) {
            finish_touched(touched);
            fs_vec_remove_unordered(&receipt->questions, i);
            continue;
        }
        touched->unresolved = is_lost(e, q);
        over &= touched->unresolved;
        i++;
    }
    return over;
}

static const struct fs_cell *cell_of(const struct fs_engine *e, const struct fs_concerned_cell *concerned,
                                     const struct fs_flag **flag)
{
    *flag = fs_flagset_find(e->set, concerned->flag);
    return *flag && concerned->context->cells[(*flag)->index].wanted
               ? &concerned->context->cells[(*flag)->index]
               : NULL;
}

/* Is every cell evaluated after the event, and published? A fact may have changed what a question asks: then
 * the new one counts. */
static bool cells_done(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_flag *flag;
        const struct fs_cell *cell = cell_of(e, &receipt->cells.items[i], &flag);
        if (!cell || !receipt->cells.items[i].context->watches)
            continue;
        if (!cell->known || cell->dirty || cell->proposed || cell->rebind)
            return false;
        for (size_t d = 0; cell->bindings && d < flag->decision_count; d++) {
            const struct fs_question *q = cell->bindings[d].question;
            if (q && !q->answered && !is_lost(e, q))
                return false;
        }
    }
    return true;
}

/* A new question of a concerned cell whose source gives no answer. */
static void add_unanswered(struct fs_engine *e, struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_flag *flag;
        const struct fs_cell *cell = cell_of(e, &receipt->cells.items[i], &flag);
        for (size_t d = 0; cell && cell->bindings && d < flag->decision_count; d++) {
            struct fs_question *q = cell->bindings[d].question;
            if (!q || q->answered || !fs_question_live(q))
                continue;
            fs_receipt_question(receipt, q);
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

/* What each watch must have acknowledged: the last change of the concerned flags that it sees. Those that had
 * acknowledged less hold again. */
static void require(struct fs_engine *e, struct fs_receipt *receipt)
{
    struct fs_map by_serial;
    fs_map_init_borrowing(&by_serial);
    for (size_t i = 0; i < receipt->watches.count; i++)
        fs_map_set(&by_serial, &receipt->watches.items[i].serial, sizeof(uint64_t),
                   &receipt->watches.items[i]);
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_flag *flag;
        const struct fs_cell *cell = cell_of(e, &receipt->cells.items[i], &flag);
        FS_LIST_EACH(&receipt->cells.items[i].context->views, node)
        {
            const struct fs_view *view = FS_CONTAINER(node, struct fs_view, node);
            if (cell && fs_bit(view->flags, flag->index))
                require_of_view(view, cell->revision, &by_serial);
        }
    }
    fs_map_finish(&by_serial, NULL);
    receipt->revision = e->revision;
    fs_vec_clear(&receipt->holding);
    for (size_t i = 0; i < receipt->watches.count; i++) {
        struct fs_concerned_watch *concerned = &receipt->watches.items[i];
        const struct fs_watch *watch = fs_map_get(&e->watches, &concerned->serial, sizeof concerned->serial);
        if (watch && concerned->state == FS_ACKNOWLEDGED &&
            watch->connection->acked_revision < concerned->required) {
            concerned->state = FS_HOLDS;
            concerned->queued = false;
        }
        if (concerned->state == FS_HOLDS)
            fs_vec_push(&receipt->holding, i);
    }
}

/* Looks where the old value may still be. A lease that was granted before the change was queued counts, even
 * in the same turn. */
static void follow(struct fs_engine *e, struct fs_concerned_watch *concerned)
{
    const struct fs_watch *watch = fs_map_get(&e->watches, &concerned->serial, sizeof concerned->serial);
    concerned->open = watch && watch->connection->open;
    if (watch) {
        const struct fs_connection *connection = watch->connection;
        if (!concerned->queued && connection->lease_until > concerned->until)
            concerned->until = connection->lease_until;
        concerned->queued |=
            watch->sent && connection->sent_revision >= concerned->required && !watch->any_dirty;
        uint64_t needed =
            concerned->required > watch->snapshot_revision ? concerned->required : watch->snapshot_revision;
        if (watch->sent && connection->acked_revision >= needed) {
            concerned->state = FS_ACKNOWLEDGED;
            concerned->settled_at = e->now.wall;
            return;
        }
    }
    if (e->now.mono >= concerned->until) {
        concerned->state = FS_EXPIRED;
        concerned->settled_at = e->now.wall - (e->now.mono - concerned->until);
    }
}

int64_t fs_receipt_restart_bound(const struct fs_engine *e)
{
    return e->options.prior_lease ? e->started.mono + e->options.prior_lease : INT64_MIN;
}

/* Gives the next moment at which somebody's lease is over. */
static int64_t follow_watches(struct fs_engine *e, struct fs_receipt *receipt)
{
    bool queued = true;
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < receipt->holding.count;) {
        struct fs_concerned_watch *concerned = &receipt->watches.items[receipt->holding.items[i]];
        follow(e, concerned);
        if (concerned->state != FS_HOLDS) {
            fs_vec_remove_unordered(&receipt->holding, i);
            continue;
        }
        queued &= concerned->queued || !concerned->open;
        next = concerned->until < next ? concerned->until : next;
        i++;
    }
    if (queued && !receipt->queued_at)
        receipt->queued_at = e->now.wall;
    return next;
}

static void arm(struct fs_engine *e, struct fs_receipt *receipt, int64_t next)
{
    for (size_t i = 0; i < receipt->waiters.count; i++)
        next = receipt->waiters.items[i].deadline < next ? receipt->waiters.items[i].deadline : next;
    if (next == INT64_MAX)
        fs_alarm_cancel(e, &receipt->alarm);
    else
        fs_alarm_set(e, &receipt->alarm, FS_DUE_RECEIPT, next > e->now.mono ? next : e->now.mono + 1);
}

/* Many who still hold are not looked at in every turn. What is noticed later is told as having happened
 * later: never too early. */
static int64_t pause_of(const struct fs_receipt *receipt)
{
    return receipt->applied && !receipt->late ? (int64_t)(receipt->holding.count / WATCHES_A_MS) : 0;
}

void fs_receipt_check(struct fs_engine *e, struct fs_receipt *receipt)
{
    if (receipt->complete)
        return;
    bool over =
        (!receipt->applied || receipt->late) && follow_questions(e, receipt) && cells_done(e, receipt);
    if (!receipt->applied && !over) {
        arm(e, receipt, INT64_MAX);
        return;
    }
    if (!receipt->applied) {
        receipt->applied = true;
        receipt->applied_at = e->now.wall;
        add_unanswered(e, receipt);
        follow_questions(e, receipt);
        require(e, receipt);
    } else if (receipt->late && !receipt->questions.count && over) {
        require(e, receipt); /* a source has answered after all, and may have changed something */
        receipt->late = false;
    }
    receipt->late |= receipt->questions.count > 0;
    int64_t next = follow_watches(e, receipt), restart = fs_receipt_restart_bound(e);
    if (e->now.mono < restart && restart < next)
        next = restart;
    receipt->complete = !receipt->holding.count && !receipt->late && e->now.mono >= restart;
    receipt->checked = e->now.mono;
    if (pause_of(receipt) && next > e->now.mono + pause_of(receipt))
        next = e->now.mono + pause_of(receipt);
    arm(e, receipt, receipt->complete ? e->now.mono + e->options.hold : next);
}

static struct fs_receipt *find(const struct fs_engine *e, uint64_t entry)
{
    for (struct fs_list *node = e->receipts.prev; node != &e->receipts; node = node->prev) {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        if (receipt->entry == entry)
            return receipt;
    }
    return NULL;
}

/* Answers those whose wait is over. Collected first: the port may come back into the engine. */
static void serve_waiters(struct fs_engine *e, struct fs_receipt *receipt)
{
    FS_VEC(uint64_t) tokens = {0};
    for (size_t i = 0; i < receipt->waiters.count;) {
        const struct fs_receipt_waiter *waiter = &receipt->waiters.items[i];
        bool over =
            waiter->deadline <= e->now.mono || (waiter->delivered ? receipt->complete : receipt->applied);
        if (!over) {
            i++;
            continue;
        }
        fs_vec_push(&tokens, waiter->token);
        fs_vec_remove_unordered(&receipt->waiters, i);
    }
    if (tokens.count) {
        json_t *text = fs_receipt_describe(e, receipt);
        for (size_t i = 0; i < tokens.count; i++)
            e->options.ports.receipt(e->options.ports.self, tokens.items[i], text);
        json_decref(text);
    }
    fs_vec_finish(&tokens);
}

void fs_receipts_check(struct fs_engine *e)
{
    FS_LIST_EACH(&e->receipts, node)
    {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        if (pause_of(receipt) && e->now.mono < receipt->checked + pause_of(receipt))
            continue;
        fs_receipt_check(e, receipt);
        if (receipt->waiters.count)
            serve_waiters(e, receipt);
    }
}

void fs_receipt_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_receipt *receipt = FS_CONTAINER(alarm, struct fs_receipt, alarm);
    if (receipt->complete)
        release_cells(e, receipt); /* long enough for OFREP clients to have asked again */
    fs_receipt_check(e, receipt);
    serve_waiters(e, receipt);
}

void fs_engine_receipt_wait(struct fs_engine *e, uint64_t entry, bool delivered, int64_t timeout,
                            uint64_t token, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = find(e, entry);
    if (!receipt) {
        json_t *none = json_pack("{s:I, s:b, s:s}", "entry", (json_int_t)entry, "complete", 0, "error",
                                 "no receipt of this entry is in memory");
        e->options.ports.receipt(e->options.ports.self, token, none);
        json_decref(none);
        return;
    }
    struct fs_receipt_waiter waiter = {
        .token = token, .delivered = delivered, .deadline = now.mono + timeout};
    fs_vec_push(&receipt->waiters, waiter);
    fs_receipt_check(e, receipt);
    if (!fs_timer_armed(&receipt->alarm.timer) || receipt->alarm.timer.due > waiter.deadline)
        fs_alarm_set(e, &receipt->alarm, FS_DUE_RECEIPT, waiter.deadline);
}

json_t *fs_engine_receipt(struct fs_engine *e, uint64_t entry, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = find(e, entry);
    if (!receipt)
        return NULL;
    fs_receipt_check(e, receipt);
    return fs_receipt_describe(e, receipt);
}

bool fs_engine_receipt_is_of(struct fs_engine *e, uint64_t entry, const char *credential)
{
    const struct fs_receipt *receipt = find(e, entry);
    return receipt && receipt->credential && !strcmp(receipt->credential, credential);
}

void fs_engine_receipt_forget(struct fs_engine *e, uint64_t token)
{
    FS_LIST_EACH(&e->receipts, node)
    {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        for (size_t i = 0; i < receipt->waiters.count; i++) {
            if (receipt->waiters.items[i].token != token)
                continue;
            fs_vec_remove_unordered(&receipt->waiters, i);
            return;
        }
    }
}

void fs_engine_receipts_give_up(struct fs_engine *e, struct fs_time now)
{
    e->now = now;
    FS_LIST_EACH(&e->receipts, node)
    {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        for (size_t i = 0; i < receipt->waiters.count; i++)
            receipt->waiters.items[i].deadline = now.mono;
        if (receipt->waiters.count)
            serve_waiters(e, receipt);
    }
}

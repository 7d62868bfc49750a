/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A receipt is complete when each watch that it concerns has acknowledged the last change, or can no longer
 * hold the old value. What is settled is looked at no more: a turn costs what is still open.
 */
#include "receipt_internal.h"

#define ITEMS_A_MS 100 /* watches, questions and cells that may be looked at per millisecond */

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
        struct fs_concerned_watch *concerned = receipt->holding.items[i];
        follow(e, concerned);
        if (concerned->state == FS_ACKNOWLEDGED)
            receipt->stages.at[FS_STAGE_ACKNOWLEDGED] = e->now.mono;
        if (concerned->state != FS_HOLDS) {
            fs_vec_remove_unordered(&receipt->holding, i);
            continue;
        }
        queued &= concerned->queued || !concerned->open;
        next = concerned->until < next ? concerned->until : next;
        i++;
    }
    if (queued && !receipt->queued_at) {
        receipt->queued_at = e->now.wall;
        if (receipt->watches.count)
            fs_receipt_reaches(receipt, FS_STAGE_PUSHED, e->now.mono);
    }
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

static size_t items_of(const struct fs_receipt *receipt)
{
    return receipt->holding.count + receipt->questions.count + receipt->cell_count;
}

/* Many who still hold are not looked at in every turn, nor is what all receipts without an answer wait for.
 * What is noticed later is told as having happened later: never too early. */
static int64_t pause_of(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    if (!receipt->applied || receipt->complete)
        return 0;
    return (int64_t)((receipt->late ? e->late_items : receipt->holding.count) / ITEMS_A_MS);
}

void fs_receipt_check(struct fs_engine *e, struct fs_receipt *receipt)
{
    if (receipt->complete)
        return;
    if (!receipt->applied)
        fs_receipt_time_questions(e, receipt);
    bool settled = (!receipt->applied || receipt->late) && fs_receipt_follow_questions(e, receipt);
    if (settled && !receipt->applied && !receipt->stages.at[FS_STAGE_EVALUATED] &&
        fs_receipt_cells_evaluated(e, receipt))
        fs_receipt_reaches(receipt, FS_STAGE_EVALUATED, e->now.mono);
    bool over = settled && fs_receipt_cells_done(e, receipt);
    if (!receipt->applied && !over) {
        arm(e, receipt, INT64_MAX);
        return;
    }
    if (!receipt->applied) {
        receipt->applied = true;
        receipt->applied_at = e->now.wall;
        fs_receipt_reaches(receipt, FS_STAGE_EVALUATED, e->now.mono);
        fs_receipt_time_questions(e, receipt); /* none is timed any more */
        fs_receipt_add_unanswered(e, receipt);
        fs_receipt_follow_questions(e, receipt);
        fs_receipt_require(e, receipt);
    } else if (receipt->late && !receipt->questions.count && over) {
        fs_receipt_require(e, receipt); /* a source has answered after all, and may have changed something */
        receipt->late = false;
    }
    receipt->late |= receipt->questions.count > 0;
    fs_receipt_release_unwatched(e, receipt);
    int64_t next = follow_watches(e, receipt), restart = fs_receipt_restart_bound(e);
    if (e->now.mono < restart && restart < next)
        next = restart;
    receipt->complete = !receipt->holding.count && !receipt->late && e->now.mono >= restart;
    receipt->checked = e->now.mono;
    arm(e, receipt, receipt->complete ? e->now.mono + e->options.hold : next);
}

struct fs_receipt *fs_receipt_find(const struct fs_engine *e, uint64_t entry)
{
    return fs_map_get(&e->receipts_by, &entry, sizeof entry);
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

/* Not in this turn: but no turn may follow by itself. */
static void check_later(struct fs_engine *e, struct fs_receipt *receipt, int64_t due)
{
    if (!fs_timer_armed(&receipt->alarm.timer) || receipt->alarm.timer.due > due)
        fs_alarm_set(e, &receipt->alarm, FS_DUE_RECEIPT, due);
}

void fs_receipts_check(struct fs_engine *e)
{
    e->late_items = 0;
    FS_LIST_EACH(&e->receipts, counted)
    {
        const struct fs_receipt *receipt = FS_CONTAINER(counted, struct fs_receipt, node);
        e->late_items += receipt->late && !receipt->complete ? items_of(receipt) : 0;
    }
    FS_LIST_EACH(&e->receipts, node)
    {
        struct fs_receipt *receipt = FS_CONTAINER(node, struct fs_receipt, node);
        int64_t due = receipt->checked + pause_of(e, receipt);
        if (pause_of(e, receipt) && e->now.mono < due) {
            check_later(e, receipt, due);
            continue;
        }
        fs_receipt_check(e, receipt);
        if (receipt->waiters.count)
            serve_waiters(e, receipt);
    }
}

void fs_receipt_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_receipt *receipt = FS_CONTAINER(alarm, struct fs_receipt, alarm);
    if (receipt->complete)
        fs_receipt_release_cells(e, receipt); /* long enough for OFREP clients to have asked again */
    fs_receipt_check(e, receipt);
    serve_waiters(e, receipt);
}

void fs_engine_receipt_wait(struct fs_engine *e, uint64_t entry, bool delivered, int64_t timeout,
                            uint64_t token, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = fs_receipt_find(e, entry);
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
    check_later(e, receipt, waiter.deadline);
}

json_t *fs_engine_receipt(struct fs_engine *e, uint64_t entry, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = fs_receipt_find(e, entry);
    if (!receipt)
        return NULL;
    fs_receipt_check(e, receipt);
    return fs_receipt_describe(e, receipt);
}

bool fs_engine_receipt_is_of(struct fs_engine *e, uint64_t entry, const char *credential)
{
    const struct fs_receipt *receipt = fs_receipt_find(e, entry);
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

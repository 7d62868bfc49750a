/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Receipts: proof of what became of an event. Concerned is every watch whose flags depend on what the event touched, changed or
 * not; the receipt is complete when each of them has acknowledged the last change, or can no longer hold the old value.
 */
#include "engine_internal.h"

struct touched {
    struct fs_question *question; /* compared by id before it is used: it may be gone */
    char *key;
    size_t key_length;
    uint64_t id;
    bool done, unresolved;
    unsigned source;
    char *query;
};

struct concerned_cell {
    struct fs_context *context; /* pinned */
    char *flag;
    bool reported;
};

enum holding { HOLDS, ACKNOWLEDGED, EXPIRED };

struct concerned_watch {
    uint64_t serial;
    uint64_t watch;
    char session[24];
    char *client, *subject;
    enum holding state;
    bool open;
    uint64_t required;   /* the revision that must be acknowledged */
    int64_t until;       /* mono ms: no old value can be held past it */
    bool queued;         /* the change stands in its connection's queue */
    int64_t settled_at;  /* wall ms of the acknowledgement or of `until` */
};

struct waiter {
    uint64_t token;
    bool delivered;
    int64_t deadline; /* mono ms */
};

struct fs_receipt {
    struct fs_list node;
    uint64_t entry;
    int64_t time;                      /* wall ms of the entry */
    int64_t applied_at, queued_at;     /* wall ms; 0: not yet */
    bool applied, complete, superseded;
    uint64_t revision;                 /* when applied */
    FS_VEC(struct touched) questions;
    FS_VEC(struct concerned_cell) cells;
    FS_VEC(struct concerned_watch) watches;
    FS_VEC(struct waiter) waiters;
    struct fs_alarm alarm;
};

static void release_cells(struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->cells.count; i++) {
        receipt->cells.items[i].context->pins--;
        fs_free(receipt->cells.items[i].flag);
    }
    fs_vec_finish(&receipt->cells);
}

static void destroy(struct fs_engine *e, struct fs_receipt *receipt)
{
    fs_list_remove(&receipt->node);
    fs_alarm_cancel(e, &receipt->alarm);
    e->receipt_count--;
    release_cells(receipt);
    for (size_t i = 0; i < receipt->questions.count; i++) {
        fs_free(receipt->questions.items[i].key);
        fs_free(receipt->questions.items[i].query);
    }
    for (size_t i = 0; i < receipt->watches.count; i++) {
        fs_free(receipt->watches.items[i].client);
        fs_free(receipt->watches.items[i].subject);
    }
    fs_vec_finish(&receipt->questions);
    fs_vec_finish(&receipt->watches);
    fs_vec_finish(&receipt->waiters);
    fs_free(receipt);
}

void fs_receipts_finish(struct fs_engine *e)
{
    FS_LIST_EACH(&e->receipts, node)
    {
        destroy(e, FS_CONTAINER(node, struct fs_receipt, node));
    }
}

struct fs_receipt *fs_receipt_open(struct fs_engine *e, uint64_t entry, int64_t time)
{
    struct fs_receipt *receipt = FS_NEW(struct fs_receipt);
    receipt->entry = entry;
    receipt->time = time;
    fs_list_append(&e->receipts, &receipt->node);
    if (++e->receipt_count > FS_RECEIPT_LIMIT)
        FS_LIST_EACH(&e->receipts, node)
        {
            struct fs_receipt *old = FS_CONTAINER(node, struct fs_receipt, node);
            if (old->waiters.count)
                continue;
            destroy(e, old);
            break;
        }
    return receipt;
}

void fs_receipt_superseded(struct fs_receipt *receipt)
{
    receipt->superseded = true;
}

void fs_receipt_question(struct fs_receipt *receipt, struct fs_question *q)
{
    for (size_t i = 0; i < receipt->questions.count; i++)
        if (receipt->questions.items[i].id == q->id)
            return;
    char *key = fs_alloc(q->key_length + 1);
    memcpy(key, q->key, q->key_length + 1);
    struct touched touched = {.key = key, .key_length = q->key_length, .id = q->id, .source = q->source, .query = fs_strdup(q->query)};
    fs_vec_push(&receipt->questions, touched);
}

static void add_watch(struct fs_receipt *receipt, const struct fs_watch *watch)
{
    for (size_t i = 0; i < receipt->watches.count; i++)
        if (receipt->watches.items[i].serial == watch->serial)
            return;
    struct concerned_watch concerned = {.serial = watch->serial, .watch = watch->id, .open = watch->connection->open,
                                        .until = watch->connection->lease_until};
    memcpy(concerned.session, watch->connection->session, sizeof concerned.session);
    concerned.client = fs_strdup(watch->connection->client_name ? watch->connection->client_name : "");
    concerned.subject = fs_strdup(watch->view->context->subject);
    fs_vec_push(&receipt->watches, concerned);
}

void fs_receipt_cell(struct fs_engine *e, struct fs_receipt *receipt, struct fs_context *context, uint32_t flag)
{
    const char *key = e->set->flags[flag]->key;
    for (size_t i = 0; i < receipt->cells.count; i++)
        if (receipt->cells.items[i].context == context && !strcmp(receipt->cells.items[i].flag, key))
            return;
    struct concerned_cell cell = {.context = context, .flag = fs_strdup(key)};
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

/* Has the first recomputation after the event come to its end for this question? */
static bool question_done(struct fs_engine *e, const struct fs_receipt *receipt, struct touched *touched)
{
    const struct fs_question *q = fs_map_get(&e->questions, touched->key, touched->key_length);
    if (!q || q->id != touched->id || !fs_question_live(q))
        return true; /* nobody asks any more */
    if (q->settled >= receipt->entry && !q->uncommitted) {
        touched->unresolved = false;
        return true;
    }
    const struct fs_source_state *source = e->sources.items[touched->source];
    bool lost = source->status == FS_SOURCE_DOWN || (q->failed && !q->in_flight && !q->queued);
    touched->unresolved = lost;
    return lost;
}

static bool cells_done(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_flag *flag = fs_flagset_find(e->set, receipt->cells.items[i].flag);
        const struct fs_cell *cell = flag ? &receipt->cells.items[i].context->cells[flag->index] : NULL;
        if (cell && (cell->dirty || cell->proposed))
            return false;
    }
    return true;
}

/* The last change of the concerned flags that this watch sees. */
static uint64_t required_of(const struct fs_engine *e, const struct fs_receipt *receipt, const struct fs_watch *watch)
{
    uint64_t required = 0;
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_flag *flag = fs_flagset_find(e->set, receipt->cells.items[i].flag);
        if (!flag || receipt->cells.items[i].context != watch->view->context || !fs_bit(watch->view->flags, flag->index))
            continue;
        uint64_t revision = watch->view->context->cells[flag->index].revision;
        required = revision > required ? revision : required;
    }
    return required;
}

static void become_applied(struct fs_engine *e, struct fs_receipt *receipt)
{
    receipt->applied = true;
    receipt->applied_at = e->now.wall;
    receipt->revision = e->revision;
    for (size_t i = 0; i < receipt->watches.count; i++) {
        struct concerned_watch *concerned = &receipt->watches.items[i];
        const struct fs_watch *watch = fs_map_get(&e->watches, &concerned->serial, sizeof concerned->serial);
        concerned->required = watch ? required_of(e, receipt, watch) : 0;
    }
}

/* Looks where the old value may still be. While a change is not queued no lease is granted, so `until` can be taken as it stands. */
static void follow(struct fs_engine *e, struct concerned_watch *concerned)
{
    const struct fs_watch *watch = fs_map_get(&e->watches, &concerned->serial, sizeof concerned->serial);
    if (concerned->state != HOLDS)
        return;
    if (watch) {
        const struct fs_connection *connection = watch->connection;
        concerned->open = connection->open;
        if (watch->sent && connection->sent_revision >= concerned->required && !watch->any_dirty)
            concerned->queued = true;
        if (!concerned->queued && connection->lease_until > concerned->until)
            concerned->until = connection->lease_until;
        if (watch->sent && connection->acked_revision >= concerned->required) {
            concerned->state = ACKNOWLEDGED;
            concerned->settled_at = e->now.wall;
            return;
        }
    } else {
        concerned->open = false;
    }
    if (e->now.mono >= concerned->until) {
        concerned->state = EXPIRED;
        concerned->settled_at = e->now.wall - (e->now.mono - concerned->until);
    }
}

static bool all_settled(const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->watches.count; i++)
        if (receipt->watches.items[i].state == HOLDS)
            return false;
    return true;
}

static bool resolved(const struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->questions.count; i++)
        if (receipt->questions.items[i].unresolved)
            return false;
    return true;
}

/* After a restart clients of the process before may hold leases that this one does not know. */
static int64_t restart_bound(const struct fs_engine *e)
{
    return e->options.prior_lease ? e->started.mono + e->options.prior_lease : INT64_MIN;
}

static void check(struct fs_engine *e, struct fs_receipt *receipt)
{
    if (receipt->complete)
        return;
    bool questions = true;
    for (size_t i = 0; i < receipt->questions.count; i++)
        questions &= question_done(e, receipt, &receipt->questions.items[i]);
    if (!receipt->applied && questions && cells_done(e, receipt))
        become_applied(e, receipt);
    if (!receipt->applied)
        return;
    bool queued = true;
    int64_t next = INT64_MAX;
    for (size_t i = 0; i < receipt->watches.count; i++) {
        struct concerned_watch *concerned = &receipt->watches.items[i];
        follow(e, concerned);
        queued &= concerned->queued || !concerned->open;
        if (concerned->state == HOLDS && concerned->until < next)
            next = concerned->until;
    }
    if (queued && !receipt->queued_at)
        receipt->queued_at = e->now.wall;
    if (e->now.mono < restart_bound(e) && restart_bound(e) < next)
        next = restart_bound(e);
    receipt->complete = all_settled(receipt) && resolved(receipt) && e->now.mono >= restart_bound(e);
    for (size_t i = 0; i < receipt->waiters.count; i++)
        if (receipt->waiters.items[i].deadline < next)
            next = receipt->waiters.items[i].deadline;
    if (receipt->complete || next == INT64_MAX)
        fs_alarm_cancel(e, &receipt->alarm);
    else
        fs_alarm_set(e, &receipt->alarm, FS_DUE_RECEIPT, next > e->now.mono ? next : e->now.mono + 1);
}

static void add_time(json_t *object, const char *name, int64_t wall)
{
    char text[32];
    if (wall)
        json_object_set_new(object, name, json_string(fs_format_rfc3339(wall, text)));
}

static json_t *describe_watch(const struct fs_engine *e, const struct concerned_watch *concerned)
{
    json_t *one = json_pack("{s:s, s:s, s:s, s:I}", "session", concerned->session, "client", concerned->client, "subject",
                            concerned->subject, "watch", (json_int_t)concerned->watch);
    if (concerned->state == HOLDS && concerned->until > e->now.mono)
        add_time(one, "until", e->now.wall + (concerned->until - e->now.mono));
    return one;
}

/* OFREP clients hold no lease: what can be told is who has asked again since. */
static json_t *describe_ofrep(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    size_t concerned = 0, fetched = 0;
    for (size_t i = 0; i < receipt->cells.count; i++) {
        const struct fs_context *context = receipt->cells.items[i].context;
        bool repeated = false;
        for (size_t j = 0; j < i && !repeated; j++)
            repeated = receipt->cells.items[j].context == context;
        if (repeated || !context->fetched)
            continue;
        concerned++;
        fetched += receipt->applied && e->now.wall - (e->now.mono - context->fetched) >= receipt->applied_at &&
                   context->fetched_revision >= receipt->revision;
    }
    return json_pack("{s:I, s:I}", "concerned", (json_int_t)concerned, "fetched", (json_int_t)fetched);
}

static json_t *describe_unresolved(const struct fs_engine *e, const struct fs_receipt *receipt)
{
    json_t *list = json_array();
    for (size_t i = 0; i < receipt->questions.count; i++) {
        const struct touched *touched = &receipt->questions.items[i];
        if (!touched->unresolved)
            continue;
        const struct fs_source_state *source = e->sources.items[touched->source];
        json_t *one = json_pack("{s:s, s:s, s:s}", "source", source->name, "query", touched->query, "error",
                                source->error[0] ? source->error : "no answer");
        bool repeated = false;
        for (size_t j = 0; j < json_array_size(list) && !repeated; j++)
            repeated = json_equal(json_array_get(list, j), one);
        if (repeated)
            json_decref(one);
        else
            json_array_append_new(list, one);
    }
    return list;
}

#define LISTED 100 /* clients named in a receipt */

static json_t *describe(struct fs_engine *e, const struct fs_receipt *receipt)
{
    json_t *behind = json_array(), *held = json_array();
    size_t acknowledged = 0, expired = 0, behind_count = 0, held_count = 0;
    int64_t safe_at = 0;
    bool known = receipt->applied;
    for (size_t i = 0; i < receipt->watches.count; i++) {
        const struct concerned_watch *concerned = &receipt->watches.items[i];
        int64_t at = concerned->settled_at;
        if (concerned->state == HOLDS) {
            at = e->now.wall + (concerned->until - e->now.mono);
            known &= concerned->queued || !concerned->open;
            size_t *count = concerned->open ? &behind_count : &held_count;
            if ((*count)++ < LISTED)
                json_array_append_new(concerned->open ? behind : held, describe_watch(e, concerned));
        }
        acknowledged += concerned->state == ACKNOWLEDGED;
        expired += concerned->state == EXPIRED;
        safe_at = at > safe_at ? at : safe_at;
    }
    if (safe_at < receipt->applied_at)
        safe_at = receipt->applied_at;
    int64_t restart = e->started.wall + e->options.prior_lease;
    if (e->options.prior_lease && safe_at < restart)
        safe_at = restart;
    json_t *times = json_object();
    add_time(times, "accepted", receipt->time);
    add_time(times, "applied", receipt->applied_at);
    add_time(times, "queued", receipt->queued_at);
    json_t *root = json_pack("{s:I, s:b, s:b, s:I, s:I, s:I, s:I, s:I, s:o, s:o, s:o, s:o, s:o}", "entry", (json_int_t)receipt->entry,
                             "applied", receipt->applied, "complete", receipt->complete, "concerned", (json_int_t)receipt->watches.count,
                             "acknowledged", (json_int_t)acknowledged, "behindCount", (json_int_t)behind_count, "heldCount",
                             (json_int_t)held_count, "expired", (json_int_t)expired, "behind", behind, "held", held, "ofrep",
                             describe_ofrep(e, receipt), "unresolved", describe_unresolved(e, receipt), "times", times);
    if (receipt->superseded)
        json_object_set_new(root, "superseded", json_true());
    if (receipt->applied)
        json_object_set_new(root, "revision", json_integer((json_int_t)receipt->revision));
    if (known && resolved(receipt))
        add_time(root, "safe_at", safe_at);
    return root;
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
        const struct waiter *waiter = &receipt->waiters.items[i];
        bool over = waiter->deadline <= e->now.mono || (waiter->delivered ? receipt->complete : receipt->applied);
        if (!over) {
            i++;
            continue;
        }
        fs_vec_push(&tokens, waiter->token);
        fs_vec_remove_unordered(&receipt->waiters, i);
    }
    if (tokens.count) {
        json_t *text = describe(e, receipt);
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
        check(e, receipt);
        if (receipt->waiters.count)
            serve_waiters(e, receipt);
    }
}

void fs_receipt_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_receipt *receipt = FS_CONTAINER(alarm, struct fs_receipt, alarm);
    check(e, receipt);
    serve_waiters(e, receipt);
}

void fs_engine_receipt_wait(struct fs_engine *e, uint64_t entry, bool delivered, int64_t timeout, uint64_t token, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = find(e, entry);
    if (!receipt) {
        json_t *none = json_pack("{s:I, s:b, s:s}", "entry", (json_int_t)entry, "complete", 0, "error", "no receipt of this entry is in memory");
        e->options.ports.receipt(e->options.ports.self, token, none);
        json_decref(none);
        return;
    }
    struct waiter waiter = {.token = token, .delivered = delivered, .deadline = now.mono + timeout};
    fs_vec_push(&receipt->waiters, waiter);
    check(e, receipt);
    if (!fs_timer_armed(&receipt->alarm.timer) || receipt->alarm.timer.due > waiter.deadline)
        fs_alarm_set(e, &receipt->alarm, FS_DUE_RECEIPT, waiter.deadline);
}

json_t *fs_engine_receipt(struct fs_engine *e, uint64_t entry, struct fs_time now)
{
    e->now = now;
    struct fs_receipt *receipt = find(e, entry);
    if (!receipt)
        return NULL;
    check(e, receipt);
    return describe(e, receipt);
}

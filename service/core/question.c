/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Questions: one thing asked of a source, shared by all cells that depend on it; the unit of caching,
 * batching and invalidation. An event makes a question `touched`; it is settled by an answer whose request
 * was sent after that.
 */
#include "engine_internal.h"

/* The identity: "SOURCE\0kind\0query\0subject\0input". */
char *fs_question_key(unsigned source, const char *kind, const char *query, const char *subject,
                      const char *input, size_t input_length, size_t *length)
{
    struct fs_buf key;
    fs_buf_init(&key, FS_TEXT_LIMIT * 2);
    fs_buf_addu(&key, source);
    fs_buf_addc(&key, 0);
    fs_buf_add(&key, kind, strlen(kind) + 1);
    fs_buf_add(&key, query, strlen(query) + 1);
    fs_buf_add(&key, subject, strlen(subject) + 1);
    fs_buf_add(&key, input, input_length);
    return fs_buf_take(&key, length);
}

struct fs_asked fs_question_of_key(const char *key, size_t length, unsigned *source)
{
    uint64_t number = 0;
    struct fs_asked asked = {.kind = key + strlen(key) + 1};
    fs_parse_u64(fs_str_from(key), &number);
    *source = (unsigned)number;
    asked.query = asked.kind + strlen(asked.kind) + 1;
    asked.subject = asked.query + strlen(asked.query) + 1;
    asked.input = asked.subject + strlen(asked.subject) + 1;
    asked.input_length = length - (size_t)(asked.input - key);
    return asked;
}

struct fs_question *fs_question_intern(struct fs_engine *e, char *key, size_t length,
                                       const struct fs_context *asker)
{
    struct fs_question *q = fs_map_get(&e->questions, key, length);
    if (q) {
        fs_free(key);
        return q;
    }
    q = FS_NEW(struct fs_question);
    struct fs_asked asked = fs_question_of_key(key, length, &q->source);
    q->id = ++e->next_question;
    q->key = key;
    q->key_length = length;
    q->kind = asked.kind;
    q->query = asked.query;
    q->subject = asked.subject;
    q->input = asked.input;
    q->input_length = asked.input_length;
    q->asker = fs_strdup(asker->subject);
    q->actor = fs_strdup(fs_context_actor(asker));
    fs_list_init(&q->bindings);
    fs_list_init(&q->ask_node);
    fs_map_set(&e->questions, key, length, q);
    return q;
}

void fs_question_release(struct fs_engine *e, struct fs_question *q)
{
    if (!fs_list_empty(&q->bindings) || q->in_flight || q->entries || q->pins)
        return;
    fs_map_remove(&e->questions, q->key, q->key_length);
    if (q->queued)
        fs_source_count_unanswered(e, e->sources.items[q->source], -1);
    fs_list_remove(&q->ask_node);
    fs_alarm_cancel(e, &q->revalidate);
    fs_alarm_cancel(e, &q->retry);
    fs_answer_finish(&q->answer);
    fs_free(q->error);
    fs_free(q->asker);
    fs_free(q->actor);
    fs_free(q->key);
    fs_free(q);
}

bool fs_question_unsettled(const struct fs_question *q)
{
    return q->touched > q->settled || q->uncommitted;
}

/* An answer that came too early for a newer event may take away but not grant, for one further round at most.
 */
bool fs_question_holds_grants(const struct fs_question *q)
{
    return q->uncommitted || (q->touched > q->settled && q->unsettled_rounds < 2);
}

bool fs_question_live(const struct fs_question *q)
{
    FS_LIST_EACH(&q->bindings, node)
    {
        const struct fs_context *context = FS_CONTAINER(node, struct fs_binding, node)->context;
        if (context->watches || context->askers)
            return true;
    }
    return false;
}

bool fs_question_doubtful(const struct fs_engine *e, const struct fs_question *q)
{
    return fs_question_holds_grants(q) ||
           (q->overdue && e->sources.items[q->source]->status != FS_SOURCE_DOWN);
}

/* When it was last known to hold: answered then, or its source seen alive at the same revision since. A probe
 * confirms neither what an event has put in doubt nor what the source just failed to answer. */
int64_t fs_question_confirmed(const struct fs_engine *e, const struct fs_question *q)
{
    const struct fs_source_state *source = e->sources.items[q->source];
    if (q->failed || q->overdue || fs_question_unsettled(q) || source->alive <= q->confirmed)
        return q->confirmed;
    bool same = !source->revision || (q->answer.revision && !strcmp(q->answer.revision, source->revision));
    return same ? source->alive : q->confirmed;
}

void fs_question_mark_cells(struct fs_engine *e, struct fs_question *q)
{
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        fs_cell_mark(e, binding->context, binding->flag);
    }
}

void fs_question_want(struct fs_engine *e, struct fs_question *q)
{
    if (q->queued || q->in_flight)
        return;
    struct fs_source_state *source = e->sources.items[q->source];
    q->queued = true;
    fs_source_count_unanswered(e, source, 1);
    fs_list_append(&source->waiting, &q->ask_node);
}

void fs_question_ask_again(struct fs_engine *e, struct fs_question *q)
{
    /* One that has failed is asked again when its back-off is over. */
    if ((!q->answered || q->overdue || q->touched > q->settled) &&
        !(q->failed && fs_timer_armed(&q->retry.timer)))
        fs_question_want(e, q);
}

void fs_question_touch(struct fs_engine *e, struct fs_question *q, enum fs_cause_kind kind, uint64_t entry,
                       int64_t time)
{
    q->confirmed = fs_question_confirmed(e, q); /* what has confirmed it until now still counts */
    if (entry > q->touched)
        q->touched = entry;
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        fs_cell_note(e, binding->context, binding->flag, kind, entry, time);
    }
    if (!fs_question_live(q)) {
        /* It is asked again when somebody wants to know, who then waits like the first. */
        q->unsettled_rounds = 0;
        return;
    }
    q->attempts = 0;
    fs_alarm_cancel(e, &q->retry);
    if (e->defer && !q->queued && !q->in_flight)
        fs_alarm_set(e, &q->retry, FS_DUE_RETRY, e->defer);
    else
        fs_question_want(e, q);
}

void fs_question_due(struct fs_engine *e, struct fs_alarm *alarm)
{
    struct fs_question *q = alarm->due == FS_DUE_RETRY ? FS_CONTAINER(alarm, struct fs_question, retry)
                                                       : FS_CONTAINER(alarm, struct fs_question, revalidate);
    if (alarm->due == FS_DUE_UNHEARD)
        fs_question_mark_cells(e, q);
    else if (fs_question_live(q))
        fs_question_want(e, q);
    else
        q->overdue = true;
}

/* What an event has put in doubt is confirmed by no probe: where its source is alive and does not answer, it
 * grows too stale all the same. */
int64_t fs_question_unheard_at(const struct fs_engine *e, const struct fs_question *q, int64_t max_stale)
{
    if (!q->in_flight || !q->answered || q->touched <= q->settled)
        return INT64_MAX;
    int64_t slow = q->sent + e->options.evaluate_timeout, stale = q->confirmed + max_stale;
    return slow > stale ? slow : stale;
}

static void arm_unheard(struct fs_engine *e, struct fs_question *q)
{
    int64_t shortest = INT64_MAX;
    if (fs_question_unheard_at(e, q, 0) == INT64_MAX)
        return;
    FS_LIST_EACH(&q->bindings, node)
    {
        const struct fs_flag *flag = e->set->flags[FS_CONTAINER(node, struct fs_binding, node)->flag];
        int64_t at = fs_question_unheard_at(e, q, flag->max_stale);
        shortest = at < shortest ? at : shortest;
    }
    if (shortest != INT64_MAX)
        fs_alarm_set(e, &q->revalidate, FS_DUE_UNHEARD, shortest);
}

static void send_batch(struct fs_engine *e, struct fs_source_state *source)
{
    struct fs_batch *batch = FS_NEW(struct fs_batch);
    struct fs_asked *asked = fs_calloc(e->options.batch, sizeof *asked);
    batch->token = FS_ENGINE_TOKENS + ++e->next_token;
    batch->source = source->index;
    batch->sent = e->applied;
    batch->questions = fs_calloc(e->options.batch, sizeof *batch->questions);
    while (batch->count < e->options.batch && !fs_list_empty(&source->waiting)) {
        struct fs_question *q = FS_CONTAINER(source->waiting.next, struct fs_question, ask_node);
        fs_list_remove(&q->ask_node);
        q->queued = false;
        q->in_flight = true;
        q->sent = e->now.mono;
        q->confirmed = fs_question_confirmed(e, q); /* should it fail: the probes until now still count */
        fs_alarm_cancel(e, &q->revalidate);
        fs_alarm_cancel(e, &q->retry);
        arm_unheard(e, q);
        asked[batch->count] = (struct fs_asked){.id = q->id,
                                                .kind = q->kind,
                                                .query = q->query,
                                                .input = q->input,
                                                .input_length = q->input_length,
                                                .subject = q->subject};
        batch->questions[batch->count++] = q;
    }
    fs_map_set(&e->batches, &batch->token, sizeof batch->token, batch);
    source->asked += batch->count;
    e->counts.asks++;
    e->options.ports.ask(e->options.ports.self, source->index, asked, batch->count, batch->token);
    fs_free(asked);
}

void fs_questions_ask(struct fs_engine *e)
{
    for (size_t i = 0; i < e->sources.count; i++) {
        struct fs_source_state *source = e->sources.items[i];
        while (source->status == FS_SOURCE_UP && !fs_list_empty(&source->waiting))
            send_batch(e, source);
    }
}

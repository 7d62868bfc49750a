/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Answers on their way in: from a source, through the journal, to the questions. An answer that changes or
 * settles something becomes an entry and counts at its commit; one that merely confirms counts at once. While
 * the journal is late, answers are looked at ahead of their commit, and may then take away but not grant.
 */
#include "engine_internal.h"

static int64_t jittered(int64_t ms)
{
    return ms - (int64_t)fs_random_below((uint64_t)(ms / 4 + 1));
}

/* The shortest `revalidate` of the flags that depend on it, or else its source's. */
static int64_t revalidate_of(struct fs_engine *e, const struct fs_question *q)
{
    int64_t shortest = e->sources.items[q->source]->revalidate;
    FS_LIST_EACH(&q->bindings, node)
    {
        const struct fs_flag *flag = e->set->flags[FS_CONTAINER(node, struct fs_binding, node)->flag];
        if (flag->revalidate >= 0 && flag->revalidate < shortest)
            shortest = flag->revalidate;
    }
    return shortest;
}

static void schedule_again(struct fs_engine *e, struct fs_question *q)
{
    if (q->failed) {
        int64_t wait = FS_RETRY_FIRST << (q->attempts > 7 ? 7 : q->attempts);
        q->attempts++;
        fs_alarm_set(e, &q->retry, FS_DUE_RETRY,
                     e->now.mono + jittered(wait > FS_RETRY_LAST ? FS_RETRY_LAST : wait));
        return;
    }
    q->attempts = 0;
    int64_t wait = revalidate_of(e, q);
    if (wait > 0)
        fs_alarm_set(e, &q->revalidate, FS_DUE_REVALIDATE, e->now.mono + jittered(wait));
}

/* A time-out, a refusal: the last answer stands, and grows stale. */
static void take_failure(struct fs_engine *e, struct fs_question *q, const struct fs_answer *answer,
                         uint64_t order)
{
    bool news = !q->failed || q->overdue;
    q->failed = true;
    q->failed_order = order;
    fs_free(q->error);
    q->error = fs_strdup(answer->error ? answer->error : "no answer");
    e->counts.answers_none++;
    e->sources.items[q->source]->failed++;
    if (!news && q->answered)
        return;
    FS_LIST_EACH(&q->bindings, node)
    {
        struct fs_binding *binding = FS_CONTAINER(node, struct fs_binding, node);
        fs_cell_note(e, binding->context, binding->flag, FS_CAUSE_SOURCE_LOST, 0, e->now.wall);
    }
    fs_question_mark_cells(e, q);
}

static void count_outcome(struct fs_engine *e, const struct fs_question *q, const struct fs_answer *answer)
{
    uint64_t *outcomes = e->sources.items[q->source]->outcomes;
    if (answer->state == FS_ANSWER_BAD) {
        e->counts.answers_bad++;
        outcomes[3]++;
    } else if (answer->state == FS_ANSWER_UNDEFINED || json_is_false(answer->value)) {
        outcomes[1]++;
    } else {
        outcomes[json_is_true(answer->value) ? 0 : 2]++;
    }
}

/* The newest counts: one whose entry was overtaken by a newer one's (it failed at first, or denials went
 * ahead) changes nothing more. */
static void take_answer(struct fs_engine *e, struct fs_question *q, struct fs_answer *answer, uint64_t order,
                        uint64_t sent, uint64_t entry)
{
    bool news = !q->answered || q->failed || q->overdue || !fs_answer_equal(&q->answer, answer) ||
                fs_question_unsettled(q);
    if (order < q->order)
        return;
    if (order > q->order)
        count_outcome(e, q, answer);
    fs_answer_finish(&q->answer);
    q->answer = *answer;
    memset(answer, 0, sizeof *answer);
    q->answered = true;
    q->order = order;
    if (order > q->failed_order)
        q->failed = false;
    if (entry)
        q->answer_entry = entry;
    if (sent > q->settled)
        q->settled = sent;
    q->unsettled_rounds = q->touched > q->settled ? q->unsettled_rounds + 1 : 0;
    if (news)
        fs_question_mark_cells(e, q);
}

/* What a batch brings for one question, at the commit of its entry (or at once, where there is none). */
static void settle(struct fs_engine *e, struct fs_question *q, struct fs_answer *answer, uint64_t order,
                   uint64_t sent, uint64_t entry)
{
    if (order >= q->order && answer->state != FS_ANSWER_NONE)
        q->uncommitted = false; /* a failure brings nothing to the disk: the answer before it still waits */
    if (answer->state == FS_ANSWER_NONE)
        take_failure(e, q, answer, order);
    else
        take_answer(e, q, answer, order, sent, entry);
    q->overdue = false;
    if (!fs_question_live(q))
        q->unsettled_rounds = 0; /* rounds count for who waits through them */
    if (fs_list_empty(&q->bindings)) {
        fs_question_release(e, q);
        return;
    }
    if (q->in_flight || q->queued)
        return;
    if (q->touched > q->settled && !q->failed && fs_question_live(q))
        fs_question_want(e, q); /* the next round, for what happened meanwhile */
    else
        schedule_again(e, q);
}

static bool needs_entry(const struct fs_question *q, const struct fs_answer *answer, uint64_t sent)
{
    if (answer->state == FS_ANSWER_NONE)
        return false; /* no answer is no state: the clock and the source's entries tell the rest */
    /* Behind one that waits for its commit it waits too, or it would be overtaken by what is older. */
    return q->entries || !q->answered || !fs_answer_equal(&q->answer, answer) ||
           (q->touched > q->settled && sent > q->settled);
}

/* What a question was asked with, under its name: its input, or the subject alone. It is about whom it is
 * asked for; where nobody asks any more, about who asked first: about nobody it could never be erased. */
static struct fs_entry_text input_of(const struct fs_engine *e, const struct fs_question *q, char name[65])
{
    struct fs_entry_text text = {
        .name = name, .text = q->input, .length = q->input_length, .subject = q->asker, .actor = q->actor};
    if (*q->subject) {
        text.text = text.subject = q->subject;
        text.length = strlen(q->subject);
    } else if (!fs_list_empty(&q->bindings)) {
        const struct fs_context *context = FS_CONTAINER(q->bindings.next, struct fs_binding, node)->context;
        text.subject = context->subject;
        text.actor = fs_context_actor(context);
    }
    fs_entry_text_name(e->options.context_rules.secret, text.text, text.length, name);
    return text;
}

static json_t *describe(const struct fs_engine *e, const struct fs_question *q,
                        const struct fs_answer *answer)
{
    char name[65];
    input_of(e, q, name);
    json_t *one = json_pack("{s:s, s:s, s:s, s:s}", "kind", q->kind, "query", q->query, "input", name,
                            "state", fs_answer_state_name(answer->state));
    if (answer->value)
        json_object_set(one, "value", answer->value);
    if (answer->revision)
        json_object_set_new(one, "revision", json_string(answer->revision));
    if (answer->decision_id)
        json_object_set_new(one, "decision", json_string(answer->decision_id));
    if (answer->error)
        json_object_set_new(one, "error", json_string(answer->error));
    return one;
}

static void make_body(struct fs_engine *e, struct fs_answers *answers, size_t limit)
{
    json_t *list = json_array();
    for (size_t i = 0; i < answers->count; i++)
        json_array_append_new(list, describe(e, answers->questions[i], &answers->answers[i]));
    json_t *root = json_pack("{s:s, s:I, s:o}", "source", e->sources.items[answers->source]->name, "sent",
                             (json_int_t)answers->sent, "answers", list);
    answers->body = fs_json_canonical_text(root, limit, &answers->length);
    json_decref(root);
}

/* The second half, as an entry of its own. */
static struct fs_answers *split(struct fs_answers *answers)
{
    size_t kept = answers->count / 2;
    struct fs_answers *rest = FS_NEW(struct fs_answers);
    *rest = *answers;
    rest->count = answers->count - kept;
    rest->questions = fs_calloc(rest->count, sizeof *rest->questions);
    rest->answers = fs_calloc(rest->count, sizeof *rest->answers);
    memcpy(rest->questions, answers->questions + kept, rest->count * sizeof *rest->questions);
    memcpy(rest->answers, answers->answers + kept, rest->count * sizeof *rest->answers);
    answers->count = kept;
    return rest;
}

/* Queues them for the journal, in as many entries as it takes. */
static void enqueue(struct fs_engine *e, struct fs_answers *answers)
{
    make_body(e, answers, answers->count > 1 ? e->options.entry_bytes : FS_ENTRY_LIMIT);
    if (!answers->body && answers->count > 1) {
        struct fs_answers *rest = split(answers);
        enqueue(e, answers);
        enqueue(e, rest);
        return;
    }
    answers->token = FS_ENGINE_TOKENS + ++e->next_token;
    fs_list_append(&e->answers, &answers->node);
}

void fs_answers_destroy(struct fs_answers *answers)
{
    for (size_t i = 0; i < answers->count; i++)
        fs_answer_finish(&answers->answers[i]);
    fs_free(answers->answers);
    fs_free(answers->questions);
    fs_free(answers->body);
    fs_free(answers);
}

/* One question's answer has arrived: kept for an entry, or done with at once. */
static void take_in(struct fs_engine *e, const struct fs_batch *batch, struct fs_question *q,
                    struct fs_answer *answer, struct fs_answers *kept)
{
    q->in_flight = false;
    fs_source_count_unanswered(e, e->sources.items[batch->source], -1);
    if (answer->state != FS_ANSWER_NONE) {
        q->confirmed = e->now.mono;
        if (answer->revision)
            fs_source_revision_seen(e, e->sources.items[batch->source], answer->revision);
    }
    if (fs_list_empty(&q->bindings) && !q->queued && !q->pins) {
        fs_answer_finish(answer);
        fs_question_release(e, q);
    } else if (needs_entry(q, answer, batch->sent)) {
        q->entries++;
        kept->questions[kept->count] = q;
        kept->answers[kept->count++] = *answer;
        if (q->touched > batch->sent && fs_question_live(q))
            fs_question_want(
                e, q); /* it came too early for that: the next round need not wait for the journal */
    } else {
        settle(e, q, answer, batch->token, batch->sent, 0);
        fs_answer_finish(answer);
    }
}

void fs_engine_answered(struct fs_engine *e, uint64_t token, struct fs_answer *answers, size_t count,
                        struct fs_time now)
{
    e->now = now;
    if (fs_aside_answered(e, token, answers, count))
        return;
    struct fs_batch *batch = fs_map_remove(&e->batches, &token, sizeof token);
    if (!batch || batch->count != count) {
        for (size_t i = 0; i < count; i++)
            fs_answer_finish(&answers[i]);
        if (batch)
            fs_map_set(&e->batches, &token, sizeof token, batch);
        return;
    }
    struct fs_answers *kept = FS_NEW(struct fs_answers);
    kept->questions = fs_calloc(count, sizeof *kept->questions);
    kept->answers = fs_calloc(count, sizeof *kept->answers);
    kept->source = batch->source;
    kept->order = batch->token;
    kept->sent = batch->sent;
    kept->since = now.mono;
    for (size_t i = 0; i < count; i++)
        take_in(e, batch, batch->questions[i], &answers[i], kept);
    if (kept->count) {
        enqueue(e, kept);
        fs_answers_append(e);
    } else {
        fs_answers_destroy(kept);
    }
    fs_free(batch->questions);
    fs_free(batch);
}

static bool append(struct fs_engine *e, const struct fs_answers *answers)
{
    struct fs_entry_text *texts = fs_calloc(answers->count, sizeof *texts);
    char(*names)[65] = fs_calloc(answers->count, sizeof *names);
    for (size_t i = 0; i < answers->count; i++)
        texts[i] = input_of(e, answers->questions[i], names[i]);
    struct fs_draft draft = {.kind = FS_ENTRY_ANSWERS,
                             .time = e->now.wall,
                             .body = answers->body,
                             .length = answers->length,
                             .texts = texts,
                             .text_count = answers->count,
                             .token = answers->token};
    bool taken = e->options.ports.append(e->options.ports.self, &draft);
    fs_free(names);
    fs_free(texts);
    return taken;
}

/* Hands over what the journal could not take before, in order. */
void fs_answers_append(struct fs_engine *e)
{
    FS_LIST_EACH(&e->answers, node)
    {
        struct fs_answers *answers = FS_CONTAINER(node, struct fs_answers, node);
        if (answers->appended)
            continue;
        if (!append(e, answers))
            return;
        answers->appended = true;
    }
}

void fs_answers_commit(struct fs_engine *e, struct fs_answers *answers, uint64_t entry)
{
    fs_list_remove(&answers->node);
    for (size_t i = 0; i < answers->count; i++) {
        struct fs_question *q = answers->questions[i];
        q->entries--;
        if (answers->ahead)
            fs_question_mark_cells(e, q); /* what was held for want of the commit may go now */
        settle(e, q, &answers->answers[i], answers->order, answers->sent, entry);
    }
    fs_answers_destroy(answers);
}

void fs_answers_go_ahead(struct fs_engine *e)
{
    FS_LIST_EACH(&e->answers, node)
    {
        struct fs_answers *answers = FS_CONTAINER(node, struct fs_answers, node);
        if (answers->ahead)
            continue;
        answers->ahead = true;
        for (size_t i = 0; i < answers->count; i++) {
            struct fs_answer copy;
            struct fs_question *q = answers->questions[i];
            unsigned rounds = q->unsettled_rounds;
            if (answers->order < q->order)
                continue;
            fs_answer_copy(&copy, &answers->answers[i]);
            take_answer(e, q, &copy, answers->order, 0, 0);
            q->unsettled_rounds = rounds; /* the round counts once, at its commit */
            q->uncommitted = true;
            fs_question_mark_cells(e, q);
        }
    }
}

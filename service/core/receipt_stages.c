/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What an entry has set off, and when: kept with its receipt, in memory alone. Clocks are no part of what is
 * journaled, so a replay knows nothing of them, and nothing is decided by them.
 */
#include <stdlib.h>
#include "receipt_internal.h"

void fs_receipt_reaches(struct fs_receipt *receipt, enum fs_stage stage, int64_t mono)
{
    if (!receipt->stages.at[stage])
        receipt->stages.at[stage] = mono;
}

static void reaches_last(struct fs_receipt *receipt, enum fs_stage stage, int64_t mono)
{
    if (mono > receipt->stages.at[stage])
        receipt->stages.at[stage] = mono;
}

/* Has the request gone out that this question waits for? */
static void note_asked(struct fs_receipt *receipt, struct fs_touched *touched, const struct fs_question *q)
{
    bool sent = q->in_flight && q->sent >= receipt->stages.at[FS_STAGE_JOURNALED];
    if (touched->asked || !sent || (touched->flying && q->sent == receipt->stages.at[FS_STAGE_JOURNALED]))
        return;
    touched->asked = true;
    receipt->stages.questions++;
    reaches_last(receipt, FS_STAGE_ASKED, q->sent);
}

static struct fs_question *find(const struct fs_engine *e, const struct fs_touched *touched)
{
    struct fs_question *q = fs_map_get(&e->questions, touched->key, touched->key_length);
    return q && q->id == touched->id ? q : NULL;
}

void fs_receipt_time_questions(struct fs_engine *e, struct fs_receipt *receipt)
{
    for (size_t i = 0; i < receipt->questions.count; i++) {
        struct fs_touched *touched = &receipt->questions.items[i];
        const struct fs_question *q = find(e, touched);
        if (!q)
            continue;
        note_asked(receipt, touched, q);
        if (touched->asked && q->answered && q->settled >= receipt->entry)
            reaches_last(receipt, FS_STAGE_ANSWERED, q->confirmed);
    }
    for (size_t i = 0; i < receipt->bound.count;) {
        struct fs_touched *touched = &receipt->bound.items[i];
        const struct fs_question *q = find(e, touched);
        if (q)
            note_asked(receipt, touched, q);
        if (q && q->answered)
            reaches_last(receipt, FS_STAGE_ANSWERED, q->confirmed);
        if (q && !q->answered && !receipt->applied) {
            i++;
            continue;
        }
        fs_touched_finish(touched);
        fs_vec_remove_unordered(&receipt->bound, i);
    }
}

void fs_receipt_bound(struct fs_engine *e, uint64_t entry, struct fs_question *q)
{
    struct fs_receipt *receipt = fs_receipt_find(e, entry);
    if (!receipt || receipt->applied || q->bound_for == entry)
        return;
    q->bound_for = entry;
    char *key = fs_alloc(q->key_length + 1);
    memcpy(key, q->key, q->key_length + 1);
    struct fs_touched touched = {
        .key = key, .key_length = q->key_length, .id = q->id, .source = q->source, .flying = q->in_flight};
    fs_vec_push(&receipt->bound, touched);
}

void fs_receipts_flipped(struct fs_engine *e, const struct fs_cause *cause)
{
    for (unsigned i = 0; i < cause->count && i < FS_CAUSE_LIMIT; i++) {
        struct fs_receipt *receipt = fs_receipt_find(e, cause->entries[i]);
        if (receipt)
            receipt->stages.flips++;
    }
}

void fs_receipt_stages(const struct fs_receipt *receipt, struct fs_stages *out)
{
    *out = receipt->stages;
    out->entry = receipt->entry;
    for (size_t i = 0; i < FS_STAGES; i++) {
        int64_t at = receipt->stages.at[i];
        out->at[i] = !at ? -1 : at > receipt->received ? at - receipt->received : 0;
    }
    if (receipt->holding.count || !receipt->applied)
        out->at[FS_STAGE_ACKNOWLEDGED] = -1;
}

void fs_stages_describe(const struct fs_stages *stages, json_t *object)
{
    static const char *const names[FS_STAGES] = {"journaledMs", "askedMs",  "answeredMs",
                                                 "evaluatedMs", "pushedMs", "acknowledgedMs"};
    json_t *times = json_object();
    for (size_t i = 0; i < FS_STAGES; i++)
        if (stages->at[i] >= 0)
            json_object_set_new(times, names[i], json_integer((json_int_t)stages->at[i]));
    json_object_set_new(object, "questions", json_integer((json_int_t)stages->questions));
    json_object_set_new(object, "stages", times);
}

static int by_entry(const void *a, const void *b)
{
    const struct fs_stages *one = a, *other = b;
    return one->entry < other->entry ? -1 : one->entry > other->entry;
}

struct fs_stages *fs_engine_stages(const struct fs_engine *e, size_t *count)
{
    struct fs_stages *all = fs_calloc(e->receipt_count + 1, sizeof *all);
    *count = 0;
    FS_LIST_EACH(&e->receipts, node)
    {
        fs_receipt_stages(FS_CONTAINER(node, struct fs_receipt, node), &all[(*count)++]);
    }
    qsort(all, *count, sizeof *all, by_entry); /* one that was made again stands behind newer ones */
    return all;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Why a cell has its value, in words. The words of the newest entries are remembered, in memory alone: what a
 * cause of long ago said is the journal's to tell.
 */
#include "engine_internal.h"

#define REMEMBERED 10000 /* entries */

void fs_words_note(struct fs_engine *e, uint64_t entry, char *words)
{
    if (!words)
        return;
    char *before = fs_map_set(&e->said, &entry, sizeof entry, words);
    fs_free(before);
    if (before)
        return;
    if (e->said_entries.count < REMEMBERED) {
        fs_vec_push(&e->said_entries, entry);
        return;
    }
    uint64_t *oldest = &e->said_entries.items[e->said_next++ % REMEMBERED];
    fs_free(fs_map_remove(&e->said, oldest, sizeof *oldest));
    *oldest = entry;
}

void fs_engine_forget_words(struct fs_engine *e)
{
    fs_map_finish(&e->said, fs_free);
    fs_map_init(&e->said);
    fs_vec_finish(&e->said_entries);
    e->said_next = 0;
}

char *fs_cell_cause_text(const struct fs_engine *e, const struct fs_context *context, uint32_t index)
{
    const struct fs_cell *cell = &context->cells[index];
    const struct fs_cause *cause = cell->cause;
    struct fs_cause_parts parts = {.kind = fs_cause_kind_name(cause ? cause->kind : FS_CAUSE_WATCH)};
    const struct fs_question *q = NULL;
    struct fs_buf text;
    if (cause && cause->count) {
        parts.entry = cause->entries[0];
        parts.more = cause->count - 1;
        parts.words = fs_map_get(&e->said, &parts.entry, sizeof parts.entry);
    }
    for (size_t d = 0; cell->bindings && d < e->set->flags[index]->decision_count && !q; d++)
        q = cell->bindings[d].question;
    if (q) {
        parts.source = e->sources.items[q->source]->name;
        parts.outcome = fs_cause_outcome(fs_answer_state_name(q->answer.state), q->answer.value);
    }
    fs_buf_init(&text, 4096);
    fs_cause_say(&text, &parts);
    char *said = fs_buf_take(&text, NULL);
    fs_buf_finish(&text);
    return said;
}

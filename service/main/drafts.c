/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that the daemon itself hands to the journal: their bodies are kept until the notice, since the core
 * applies what was committed. */
#include "base/alloc.h"
#include "core/json.h"
#include "daemon.h"

#define START_AGAIN_MS 1000

static void write_event(struct fs_new_entry *entry)
{
    struct fs_buf body;
    fs_buf_init(&body, SIZE_MAX); /* what events may hold has its limits where they come in */
    fs_event_write(entry->event, &body);
    entry->body = fs_buf_take(&body, &entry->length);
}

static struct fs_draft_text *keep(struct fs_daemon *daemon, struct fs_new_entry *entry)
{
    if (entry->event)
        write_event(entry);
    struct fs_draft_text *text = FS_NEW(struct fs_draft_text);
    text->token = entry->token = entry->token ? entry->token : ++daemon->next_token;
    text->kind = entry->kind;
    text->body = entry->body;
    text->length = entry->length;
    text->since = fs_clock_nanos();
    text->received = fs_daemon_now(daemon).mono;
    fs_map_set(&daemon->drafts, &text->token, sizeof text->token, text);
    return text;
}

bool fs_daemon_append(struct fs_daemon *daemon, struct fs_new_entry *entries, size_t count)
{
    struct fs_draft *drafts = fs_calloc(count, sizeof *drafts);
    const char ***subjects = fs_calloc(count, sizeof *subjects);
    int64_t now = fs_daemon_now(daemon).wall;
    for (size_t i = 0; i < count; i++) {
        const struct fs_draft_text *text = keep(daemon, &entries[i]);
        if (entries[i].event) {
            subjects[i] = fs_event_subjects(entries[i].event);
        } else if (entries[i].subject) {
            subjects[i] = fs_calloc(2, sizeof *subjects[i]);
            subjects[i][0] = entries[i].subject;
        }
        drafts[i] = (struct fs_draft){.kind = text->kind,
                                      .time = now,
                                      .body = text->body,
                                      .length = text->length,
                                      .identity = entries[i].identity,
                                      .subjects = subjects[i],
                                      .token = text->token};
    }
    bool taken = fs_journal_append_batch(daemon->journal, drafts, count);
    for (size_t i = 0; i < count && !taken; i++) {
        fs_free(fs_map_remove(&daemon->drafts, &entries[i].token, sizeof entries[i].token));
        fs_free(entries[i].body);
    }
    for (size_t i = 0; i < count; i++)
        fs_free((void *)(uintptr_t)subjects[i]);
    fs_free(subjects);
    fs_free(drafts);
    return taken;
}

static void apply(struct fs_daemon *daemon, const struct fs_draft_text *text, const struct fs_commit *commit)
{
    struct fs_entry entry = {.number = commit->number,
                             .kind = text->kind,
                             .time = commit->time,
                             .body = text->body,
                             .length = text->length,
                             .received = text->received};
    fs_engine_commit(daemon->engine, commit, &entry, fs_daemon_now(daemon));
    if (text->kind == FS_ENTRY_START && commit->result == FS_COMMIT_DONE)
        daemon->journaled = true;
    else if (text->kind == FS_ENTRY_START)
        daemon->start_due = fs_daemon_now(daemon).mono + START_AGAIN_MS;
    if (text->kind == FS_ENTRY_CONFIG)
        fs_daemon_flags_committed(daemon, commit);
    if (text->kind == FS_ENTRY_OVERRIDE)
        fs_daemon_overrides_changed(daemon); /* before anybody is told that it is in force */
    if (text->kind == FS_ENTRY_ERASURE)
        fs_erasure_committed(daemon, commit);
    if (text->kind == FS_ENTRY_OPERATOR && commit->result == FS_COMMIT_DONE)
        fs_disconnect_committed(daemon, text->body, text->length);
}

void fs_daemon_append_start(struct fs_daemon *daemon)
{
    json_t *root =
        json_pack("{s:s, s:s}", "epoch", daemon->options->engine.epoch, "version", FLAGSTAFF_VERSION);
    size_t length;
    char *body = fs_json_canonical_text(root, 4096, &length);
    struct fs_new_entry entry = {.kind = FS_ENTRY_START, .body = body, .length = length};
    json_decref(root);
    daemon->start_due = 0;
    if (!fs_daemon_append(daemon, &entry, 1))
        daemon->start_due = fs_daemon_now(daemon).mono + START_AGAIN_MS;
}

void fs_daemon_committed(struct fs_daemon *daemon, const struct fs_commit *commit)
{
    if (commit->result == FS_COMMIT_DONE && commit->number > daemon->last_entry)
        daemon->last_entry = commit->number;
    struct fs_draft_text *text = fs_map_remove(&daemon->drafts, &commit->token, sizeof commit->token);
    if (!text) {
        fs_engine_commit(daemon->engine, commit, NULL, fs_daemon_now(daemon)); /* one of the engine's own */
        return;
    }
    fs_histogram_add(&daemon->journal_seconds, (double)(fs_clock_nanos() - text->since) / 1e9);
    apply(daemon, text, commit);
    struct fs_waiting *waiting = fs_waiting_take(daemon, commit->token);
    if (waiting)
        fs_submission_committed(daemon, waiting, commit);
    fs_free(text->body);
    fs_free(text);
}

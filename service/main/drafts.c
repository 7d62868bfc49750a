/* SPDX-License-Identifier: Apache-2.0 */
/* Entries that the daemon itself hands to the journal: their bodies are kept until the notice, since the core
 * applies what was committed. */
#include "base/alloc.h"
#include "core/json.h"
#include "daemon.h"

#define START_AGAIN_MS 1000

bool fs_daemon_append(struct fs_daemon *daemon, enum fs_entry_kind kind, char *body, size_t length,
                      const struct fs_identity *identity, uint64_t *token_out)
{
    struct fs_draft_text *text = FS_NEW(struct fs_draft_text);
    text->token = token_out && *token_out ? *token_out : ++daemon->next_token;
    text->kind = kind;
    text->body = body;
    text->length = length;
    text->since = fs_clock_nanos();
    struct fs_draft draft = {.kind = kind,
                             .time = fs_daemon_now(daemon).wall,
                             .body = body,
                             .length = length,
                             .token = text->token};
    if (identity)
        draft.identity = *identity;
    if (!fs_journal_append(daemon->journal, &draft)) {
        fs_free(body);
        fs_free(text);
        return false;
    }
    fs_map_set(&daemon->drafts, &text->token, sizeof text->token, text);
    if (token_out)
        *token_out = text->token;
    return true;
}

static void apply(struct fs_daemon *daemon, const struct fs_draft_text *text, const struct fs_commit *commit)
{
    struct fs_entry entry = {.number = commit->number,
                             .kind = text->kind,
                             .time = commit->time,
                             .body = text->body,
                             .length = text->length};
    fs_engine_commit(daemon->engine, commit, &entry, fs_daemon_now(daemon));
    if (text->kind == FS_ENTRY_START && commit->result == FS_COMMIT_DONE)
        daemon->journaled = true;
    else if (text->kind == FS_ENTRY_START)
        daemon->start_due = fs_daemon_now(daemon).mono + START_AGAIN_MS;
    if (text->kind == FS_ENTRY_CONFIG)
        fs_daemon_flags_committed(daemon, commit);
}

void fs_daemon_append_start(struct fs_daemon *daemon)
{
    json_t *root =
        json_pack("{s:s, s:s}", "epoch", daemon->options->engine.epoch, "version", FLAGSTAFF_VERSION);
    size_t length;
    char *body = fs_json_canonical_text(root, 4096, &length);
    json_decref(root);
    daemon->start_due = 0;
    if (!fs_daemon_append(daemon, FS_ENTRY_START, body, length, NULL, NULL))
        daemon->start_due = fs_daemon_now(daemon).mono + START_AGAIN_MS;
}

void fs_daemon_committed(struct fs_daemon *daemon, const struct fs_commit *commit)
{
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

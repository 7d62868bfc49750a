/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What somebody has sent to be journaled, and what is answered: the entries when they are on disk, or with
 * `?wait=applied` or `?wait=delivered` the receipt when that has come true, or when `timeout` has passed.
 */
#include "base/alloc.h"
#include "base/str.h"
#include "daemon.h"

bool fs_wait_read(const struct fs_daemon *daemon, const struct fs_http_request *request, struct fs_wait *wait,
                  struct fs_err *err)
{
    char *how = fs_http_query(request, "wait");
    char *until = fs_http_query(request, "timeout");
    bool fine = true;
    *wait = (struct fs_wait){.timeout = daemon->options->engine.lease + 10000};
    if (how && !strcmp(how, "applied"))
        wait->until = FS_UNTIL_APPLIED;
    else if (how && !strcmp(how, "delivered"))
        wait->until = FS_UNTIL_DELIVERED;
    else if (how)
        fine = fs_fail(err, FS_ERR_INVALID, "wait is applied or delivered, not %.40s", how);
    if (fine && until && (!fs_parse_duration(fs_str_from(until), &wait->timeout) || wait->timeout > 600000))
        fine = fs_fail(err, FS_ERR_INVALID, "timeout is a duration such as 5s, of 10m at most");
    fs_free(how);
    fs_free(until);
    return fine;
}

struct fs_submission *fs_submission_create(uint64_t request, size_t count, const struct fs_wait *wait)
{
    struct fs_submission *submission = FS_NEW(struct fs_submission);
    submission->request = request;
    submission->wait = *wait;
    submission->count = count;
    submission->entries = fs_calloc(count, sizeof *submission->entries);
    submission->duplicates = fs_calloc(count, sizeof *submission->duplicates);
    return submission;
}

void fs_submission_destroy(struct fs_submission *submission)
{
    fs_free(submission->entries);
    fs_free(submission->duplicates);
    fs_free(submission);
}

bool fs_submission_send(struct fs_daemon *daemon, struct fs_submission *submission,
                        struct fs_new_entry *entries)
{
    size_t count = submission->count;
    submission->waiting = count;
    for (size_t i = 0; i < count; i++) {
        struct fs_waiting *waiting = fs_waiting_create(daemon, FS_WAITS_COMMIT, submission->request);
        waiting->submission = submission;
        waiting->index = i;
        entries[i].token = waiting->token;
    }
    if (fs_daemon_append(daemon, entries, count))
        return true;
    for (size_t i = 0; i < count; i++)
        fs_waiting_destroy(fs_waiting_take(daemon, entries[i].token));
    fs_submission_destroy(submission);
    return false;
}

void fs_receipt_wait(struct fs_daemon *daemon, uint64_t request, uint64_t entry, const struct fs_wait *wait)
{
    struct fs_waiting *waiting = fs_waiting_create(daemon, FS_WAITS_RECEIPT, request);
    fs_engine_receipt_wait(daemon->engine, entry, wait->until == FS_UNTIL_DELIVERED, wait->timeout,
                           waiting->token, fs_daemon_now(daemon));
}

static void answer(struct fs_daemon *daemon, struct fs_submission *submission)
{
    if (submission->code) {
        struct fs_err err = {.code = submission->code};
        snprintf(err.text, sizeof err.text, "%s", submission->text);
        fs_api_error(daemon->server, submission->request, &err);
    } else if (submission->wait.until) {
        fs_receipt_wait(daemon, submission->request, submission->entries[0], &submission->wait);
    } else if (submission->silent) {
        fs_server_reply(daemon->server, submission->request, 204, NULL, "Cache-Control: no-store\r\n", NULL);
    } else {
        json_t *entries = json_array();
        for (size_t i = 0; i < submission->count; i++) {
            json_t *one = json_pack("{s:I}", "entry", (json_int_t)submission->entries[i]);
            if (submission->duplicates[i])
                json_object_set_new(one, "duplicate", json_true());
            json_array_append_new(entries, one);
        }
        fs_api_reply(daemon->server, submission->request, 202, json_pack("{s:o}", "entries", entries));
    }
    fs_submission_destroy(submission);
}

void fs_submission_committed(struct fs_daemon *daemon, struct fs_waiting *waiting,
                             const struct fs_commit *commit)
{
    struct fs_submission *submission = waiting->submission;
    size_t i = waiting->index;
    submission->entries[i] = commit->number;
    submission->duplicates[i] = commit->result == FS_COMMIT_DUPLICATE;
    if (commit->result == FS_COMMIT_CONFLICT && !submission->code) {
        submission->code = FS_ERR_CONFLICT;
        snprintf(submission->text, sizeof submission->text,
                 "event %zu: entry %llu has the same source and id and another content", i,
                 (unsigned long long)commit->number);
    } else if (commit->result == FS_COMMIT_FAILED && submission->code != FS_ERR_UNAVAILABLE) {
        submission->code = FS_ERR_UNAVAILABLE;
        snprintf(submission->text, sizeof submission->text, "not acknowledged, send it again: %.140s",
                 commit->error);
    }
    fs_waiting_destroy(waiting);
    if (--submission->waiting == 0)
        answer(daemon, submission);
}

void fs_receipt_ready(struct fs_daemon *daemon, uint64_t token, const json_t *receipt)
{
    struct fs_waiting *waiting = fs_waiting_take(daemon, token);
    if (!waiting)
        return;
    fs_api_reply(daemon->server, waiting->request, 200, json_incref((json_t *)(uintptr_t)receipt));
    fs_waiting_destroy(waiting);
}

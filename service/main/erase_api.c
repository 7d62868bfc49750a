/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a person: the facts go by an event like any other, that it was asked for is an entry, and at its
 * commit the journal erases what it has told of the subject up to there, on the worker's thread. */
#include "base/alloc.h"
#include "core/json.h"
#include "daemon.h"

struct erasing {
    struct fs_journal *journal;
    struct fs_server *server;
    uint64_t request;
    char *subject;
    uint64_t upto; /* the erasure's entry: what comes later is not erased */
    size_t facts, live;
};

static void erasing_destroy(struct erasing *erasing)
{
    fs_free(erasing->subject);
    fs_free(erasing);
}

/* Was there anything that was told of the subject? */
static bool is_found(const struct erasing *erasing, const struct fs_erased *erased)
{
    return erasing->facts || erasing->live || erased->bodies || erased->texts || erased->cells;
}

static void erase(void *arg)
{
    struct erasing *erasing = arg;
    struct fs_erased erased;
    struct fs_err err;
    if (fs_journal_erase(erasing->journal, erasing->subject, erasing->upto, &erased, &err))
        fs_api_reply(erasing->server, erasing->request, 200,
                     json_pack("{s:b, s:I, s:I, s:I, s:I, s:I}", "found", is_found(erasing, &erased), "facts",
                               (json_int_t)erasing->facts, "bodies", (json_int_t)erased.bodies, "texts",
                               (json_int_t)erased.texts, "cells", (json_int_t)erased.cells, "live",
                               (json_int_t)erasing->live));
    else
        fs_api_error(erasing->server, erasing->request, &err);
    erasing_destroy(erasing);
}

/* An event that removes these facts; NULL: there are none. */
static struct fs_event *make_removal(const json_t *facts, const char *subject, const char *credential)
{
    char id[33];
    uint8_t random[16];
    if (!json_array_size(facts))
        return NULL;
    fs_random(random, sizeof random);
    struct fs_event *event = FS_NEW(struct fs_event);
    event->id = fs_strdup(fs_hex(random, sizeof random, id));
    event->source = fs_strdup("/flagstaff/erasure");
    event->type = fs_strdup("flagstaff.facts");
    event->credential = fs_strdup(credential);
    event->facts = fs_calloc(json_array_size(facts), sizeof *event->facts);
    for (size_t i = 0; i < json_array_size(facts); i++)
        event->facts[event->fact_count++] = (struct fs_fact_change){
            .subject = fs_strdup(subject), .fact = fs_strdup(fs_json_text(json_array_get(facts, i), "fact"))};
    return event;
}

/* The entries that tell of it: the removal, where there is something to remove, and the erasure, which names
 * the subject as ticks name their contexts, and the moment of its newest fact, since an older one must not
 * come back though nothing tells of it any more. */
static bool tell(struct fs_daemon *daemon, const char *subject, const struct fs_event *removal,
                 const char *credential, uint64_t *token)
{
    struct fs_new_entry entries[2] = {{.kind = FS_ENTRY_EVENT, .event = removal}, {.kind = FS_ENTRY_ERASURE}};
    char name[65];
    fs_entry_text_name(daemon->options->engine.context_rules.secret, subject, strlen(subject), name);
    json_t *root = json_pack("{s:s, s:s, s:I}", "subject", name, "credential", credential, "time",
                             (json_int_t)fs_engine_subject_told(daemon->engine, subject));
    entries[1].body = fs_json_canonical_text(root, 4096, &entries[1].length);
    json_decref(root);
    bool taken = fs_daemon_append(daemon, removal ? entries : entries + 1, removal ? 2 : 1);
    *token = entries[1].token;
    return taken;
}

static bool may_erase(const struct fs_daemon *daemon, const char *subject, struct fs_err *err)
{
    /* Its entry would be erased, and a kill be gone with the next start. */
    return !fs_engine_subject_overrides(daemon->engine, subject) ||
           fs_fail(err, FS_ERR_CONFLICT, "an override of this subject is in force: release it first");
}

/* What came in before the erasure's entry and after its facts were looked up stays in force, and would be
 * gone with the next start. */
static bool has_no_facts(const struct fs_daemon *daemon, const char *subject, struct fs_err *err)
{
    json_t *facts = fs_engine_show_facts(daemon->engine, subject);
    bool none = !json_array_size(facts);
    json_decref(facts);
    return none ||
           fs_fail(
               err, FS_ERR_CONFLICT,
               "nothing is erased: facts of this subject came in meanwhile; stop their sender and try again");
}

void fs_erasure_committed(struct fs_daemon *daemon, const struct fs_commit *commit)
{
    struct fs_err err = {0};
    struct erasing *erasing = fs_map_remove(&daemon->erasures, &commit->token, sizeof commit->token);
    if (!erasing)
        return;
    erasing->upto = commit->number;
    if (commit->result != FS_COMMIT_DONE)
        fs_fail(&err, FS_ERR_UNAVAILABLE, "nothing is erased: %.150s", commit->error);
    else if (may_erase(daemon, erasing->subject, &err) && has_no_facts(daemon, erasing->subject, &err) &&
             !fs_worker_do(daemon->worker, erase, erasing))
        fs_fail(&err, FS_ERR_UNAVAILABLE, "nothing is erased yet: too much to do, try again");
    fs_engine_forget_words(daemon->engine);
    if (!err.code)
        return;
    fs_api_error(daemon->server, erasing->request, &err);
    erasing_destroy(erasing);
}

void fs_erasures_finish(struct fs_daemon *daemon)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&daemon->erasures, &it);)
        erasing_destroy(it.value);
    fs_map_finish(&daemon->erasures, NULL);
}

void fs_api_erase(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    char *subject = fs_http_query(message->request, "subject");
    const char *credential = message->credential->id;
    if (!subject || !*subject) {
        fs_fail(&err, FS_ERR_INVALID, "whom? DELETE /v1/subjects?subject=SUBJECT");
    } else if (may_erase(daemon, subject, &err)) {
        json_t *facts = fs_engine_show_facts(daemon->engine, subject);
        struct fs_event *removal = make_removal(facts, subject, credential);
        struct erasing *erasing = FS_NEW(struct erasing);
        *erasing = (struct erasing){.journal = daemon->journal,
                                    .server = daemon->server,
                                    .request = message->connection,
                                    .subject = fs_strdup(subject),
                                    .facts = json_array_size(facts),
                                    .live = fs_engine_subject_contexts(daemon->engine, subject)};
        uint64_t token;
        if (tell(daemon, subject, removal, credential, &token)) {
            fs_map_set(&daemon->erasures, &token, sizeof token, erasing);
        } else {
            erasing_destroy(erasing);
            fs_fail(&err, FS_ERR_UNAVAILABLE, "the journal takes nothing now: try again");
        }
        fs_event_destroy(removal);
        json_decref(facts);
    }
    if (err.code)
        fs_api_error(daemon->server, message->connection, &err);
    fs_free(subject);
}

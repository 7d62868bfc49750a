/* SPDX-License-Identifier: Apache-2.0 */
/* Erasing a person: the facts go by an event like any other, that it was asked for is an entry, and then the
 * journal erases what it tells of the subject, on the worker's thread. */
#include "base/alloc.h"
#include "core/json.h"
#include "daemon.h"

struct erasing {
    struct fs_journal *journal;
    struct fs_server *server;
    uint64_t request;
    char *subject;
    size_t live;
};

static void erasing_destroy(struct erasing *erasing)
{
    fs_free(erasing->subject);
    fs_free(erasing);
}

static void erase(void *arg)
{
    struct erasing *erasing = arg;
    struct fs_erased erased;
    struct fs_err err;
    if (fs_journal_erase(erasing->journal, erasing->subject, &erased, &err))
        fs_api_reply(erasing->server, erasing->request, 200,
                     json_pack("{s:I, s:I, s:I, s:I}", "bodies", (json_int_t)erased.bodies, "texts",
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
 * the subject as ticks name their contexts. */
static bool tell(struct fs_daemon *daemon, const char *subject, const struct fs_event *removal,
                 const char *credential)
{
    struct fs_new_entry entries[2] = {{.kind = FS_ENTRY_EVENT, .event = removal}, {.kind = FS_ENTRY_ERASURE}};
    char name[65];
    if (removal) {
        struct fs_buf body;
        fs_buf_init(&body, SIZE_MAX); /* facts have their limits */
        fs_event_write(removal, &body);
        entries[0].body = fs_buf_take(&body, &entries[0].length);
    }
    fs_entry_text_name(daemon->options->engine.context_rules.secret, subject, strlen(subject), name);
    json_t *root = json_pack("{s:s, s:s}", "subject", name, "credential", credential);
    entries[1].body = fs_json_canonical_text(root, 4096, &entries[1].length);
    json_decref(root);
    return fs_daemon_append(daemon, removal ? entries : entries + 1, removal ? 2 : 1);
}

void fs_api_erase(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    char *subject = fs_http_query(message->request, "subject");
    const char *credential = message->credential->id;
    if (!subject || !*subject) {
        fs_fail(&err, FS_ERR_INVALID, "whom? DELETE /v1/subjects?subject=SUBJECT");
    } else if (fs_engine_subject_overrides(daemon->engine, subject)) {
        /* Its entry would be erased, and a kill be gone with the next start. */
        fs_fail(&err, FS_ERR_CONFLICT, "an override of this subject is in force: release it first");
    } else {
        json_t *facts = fs_engine_show_facts(daemon->engine, subject);
        struct fs_event *removal = make_removal(facts, subject, credential);
        struct erasing *erasing = FS_NEW(struct erasing);
        *erasing = (struct erasing){.journal = daemon->journal,
                                    .server = daemon->server,
                                    .request = message->connection,
                                    .subject = fs_strdup(subject),
                                    .live = fs_engine_subject_contexts(daemon->engine, subject)};
        /* The journal takes things in order: what the worker asks of it comes behind these entries. */
        if (!tell(daemon, subject, removal, credential) || !fs_worker_do(daemon->worker, erase, erasing)) {
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

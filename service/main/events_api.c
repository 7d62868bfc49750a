/* SPDX-License-Identifier: Apache-2.0 */
/*
 * POST /v1/events, receipts, and OPA's reports. An event is answered when it is on disk, and not before; with
 * `?wait=applied` or `?wait=delivered` when that has come true, or when `timeout` has passed.
 */
#include "base/alloc.h"
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"
#include "events/cloudevents.h"
#include "sources/opa.h"

/* A stranger with a key for facts cannot make memory grow without end. What is known already may always
 * change: a full table must not stand in the way of a revocation. */
static bool facts_fit(const struct fs_daemon *daemon, const struct fs_events *events, struct fs_err *err)
{
    size_t added = 0;
    for (size_t i = 0; i < events->count; i++) {
        const struct fs_event *event = events->items[i];
        for (size_t f = 0; f < event->fact_count; f++)
            added += !fs_engine_knows_fact(daemon->engine, event->facts[f].subject, event->facts[f].fact);
    }
    if (!added)
        return true;
    size_t facts = fs_engine_facts(daemon->engine);
    return facts + added <= daemon->options->facts ||
           fs_fail(err, FS_ERR_LIMIT,
                   "%zu facts are remembered: more than limits.facts (%zu) would be too many", facts,
                   daemon->options->facts);
}

/* The place of the name in what was sent, "event 2: data.flags[0]", in front of what is wrong with it. */
static bool misnamed(const struct fs_events *events, size_t event, const char *list, size_t index,
                     struct fs_err *err)
{
    fs_fail_in(err, "data.%s[%zu]", list, index);
    err->code = FS_ERR_INVALID;
    return events->count > 1 ? fs_fail_in(err, "event %zu", event) : false;
}

/* What may read is told what it may have meant; others, what they know already. */
static bool source_is_there(const struct fs_daemon *daemon, const char *name, bool reads, struct fs_err *err)
{
    if (fs_engine_find_source(daemon->engine, name) >= 0)
        return true;
    const char *meant = reads ? fs_engine_suggest_source(daemon->engine, name) : NULL;
    return fs_fail(err, FS_ERR_INVALID, "there is no source %.100s here%s%.100s%s", name,
                   meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
}

static bool flag_is_there(const struct fs_daemon *daemon, const char *key, bool reads, struct fs_err *err)
{
    const struct fs_flagset *set = fs_engine_flags(daemon->engine);
    if (!set || fs_flagset_find(set, key))
        return true;
    return reads ? fs_flagset_need(set, key, err) != NULL
                 : fs_fail(err, FS_ERR_INVALID, "there is no flag %.100s here", key);
}

/* A recompute of what is not there touches nothing, and its receipt would prove a revocation that was none.
 * Subjects and paths cannot be known; a mapping's names are the configuration's, no sender's mistake. */
static bool names_are_there(const struct fs_daemon *daemon, const struct fs_events *events, bool reads,
                            struct fs_err *err)
{
    for (size_t i = 0; i < events->count; i++) {
        const struct fs_filter *filter = &events->items[i]->filter;
        if (strcmp(events->items[i]->type, FS_EVENT_TYPE_RECOMPUTE))
            continue;
        for (size_t n = 0; filter->sources && filter->sources[n]; n++)
            if (!source_is_there(daemon, filter->sources[n], reads, err))
                return misnamed(events, i, "sources", n, err);
        for (size_t n = 0; filter->flags && filter->flags[n]; n++)
            if (!flag_is_there(daemon, filter->flags[n], reads, err))
                return misnamed(events, i, "flags", n, err);
    }
    return true;
}

static bool read_events(struct fs_daemon *daemon, const struct fs_net_message *message,
                        struct fs_events *events, struct fs_err *err)
{
    const struct fs_http_request *http = message->request;
    struct fs_events_header *headers = fs_calloc(http->header_count + 1, sizeof *headers);
    for (size_t i = 0; i < http->header_count; i++)
        headers[i] = (struct fs_events_header){http->headers[i].name, http->headers[i].value};
    struct fs_events_request request = {.content_type = fs_http_header(http, "content-type"),
                                        .headers = headers,
                                        .header_count = http->header_count,
                                        .body = http->body,
                                        .length = http->length};
    struct fs_events_options options = {.mappings = daemon->mappings,
                                        .credential = message->credential->id,
                                        .now = fs_daemon_now(daemon).wall,
                                        .dedup = daemon->options->dedup};
    fs_events_limits_init(&options.limits);
    options.limits.body = daemon->options->server.limits.body;
    options.limits.batch = daemon->options->events;
    bool fine = fs_events_read(&request, &options, events, err);
    fs_free(headers);
    if (fine && !facts_fit(daemon, events, err)) {
        fs_events_finish(events);
        return false;
    }
    if (fine && !fs_events_permitted(events->items, events->count, message->credential, err)) {
        fs_events_finish(events);
        return false;
    }
    if (fine &&
        !names_are_there(daemon, events, fs_credential_may(message->credential, FS_SCOPE_READ), err)) {
        fs_events_finish(events);
        fine = false;
    }
    return fine;
}

/* Every event is an entry, and a batch is taken whole or not at all. */
static bool submit(struct fs_daemon *daemon, struct fs_submission *submission, const struct fs_events *events)
{
    struct fs_new_entry *entries = fs_calloc(events->count, sizeof *entries);
    for (size_t i = 0; i < events->count; i++) {
        entries[i].kind = FS_ENTRY_EVENT;
        entries[i].event = events->items[i];
        entries[i].identity = fs_event_identity(events->items[i], &events->contents[i]);
    }
    bool taken = fs_submission_send(daemon, submission, entries);
    fs_free(entries);
    return taken;
}

/* What it would change: nothing is written, and its identity is not used up. Takes the event. */
static void try_it(struct fs_daemon *daemon, const struct fs_net_message *message, struct fs_events *events,
                   const struct fs_wait *wait)
{
    struct fs_err err = {0};
    struct fs_event *event = events->items[0];
    uint64_t token = fs_search_begin(daemon, message, FS_SEARCH_DRY_RUN);
    events->items[0] = NULL;
    if (!fs_engine_try_event(daemon->engine, event, FS_CHANGES_SHOWN, wait->timeout, token,
                             fs_daemon_now(daemon), &err))
        fs_search_refuse(daemon, token, &err);
}

static void send(struct fs_daemon *daemon, const struct fs_net_message *message,
                 const struct fs_events *events, const struct fs_wait *wait)
{
    struct fs_err err = {0};
    struct fs_submission *submission = fs_submission_create(message->connection, events->count, wait);
    daemon->events_taken = true;
    if (submit(daemon, submission, events))
        return;
    fs_fail(&err, FS_ERR_UNAVAILABLE, "not acknowledged, send it again: the journal takes nothing now");
    fs_api_error(daemon->server, message->connection, &err);
}

/* Does what is asked for go with as many events? */
static bool fits_count(const struct fs_events *events, const struct fs_wait *wait, bool dry,
                       struct fs_err *err)
{
    if (dry && wait->until)
        return fs_fail(err, FS_ERR_INVALID, "a dry run sends nothing to wait for: leave out wait or dry_run");
    if (dry && events->count != 1)
        return fs_fail(err, FS_ERR_INVALID, "dry_run goes with one event, not with %zu", events->count);
    return !wait->until || events->count <= 1 ||
           fs_fail(err, FS_ERR_INVALID, "wait goes with one event; a batch is answered when it is on disk");
}

void fs_api_events(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err = {0};
    struct fs_events events = {0};
    struct fs_wait wait;
    bool dry = false;
    if (!message->credential)
        fs_fail(&err, FS_ERR_UNAUTHENTICATED, "events need a credential");
    if (err.code || !fs_dry_run_read(message->request, &dry, &err) ||
        !fs_wait_read(daemon, message->request, &wait, &err) ||
        !read_events(daemon, message, &events, &err)) {
        fs_api_error(daemon->server, message->connection, &err);
        return;
    }
    if (!fits_count(&events, &wait, dry, &err))
        fs_api_error(daemon->server, message->connection, &err);
    else if (dry)
        try_it(daemon, message, &events, &wait);
    else if (!events.count)
        fs_api_reply(daemon->server, message->connection, 202, json_pack("{s:[]}", "entries"));
    else
        send(daemon, message, &events, &wait);
    fs_events_finish(&events);
}

static bool wants_stream(const struct fs_http_request *request)
{
    const char *accept = fs_http_header(request, "accept");
    return accept && strstr(accept, "text/event-stream");
}

/* Receipts name clients and subjects: who may not read those sees the receipts of its own events only. */
static bool may_see(struct fs_daemon *daemon, const struct fs_credential *credential, uint64_t entry)
{
    return fs_credential_may(credential, FS_SCOPE_READ) ||
           fs_engine_receipt_is_of(daemon->engine, entry, credential->id);
}

/* GET /v1/receipts/{entry}: as it stands, or with ?wait= when it has come true, or as a stream that shows it
 * fill. */
void fs_api_receipt(struct fs_daemon *daemon, struct fs_net_message *message, const char *entry)
{
    struct fs_err err = {0};
    uint64_t number;
    struct fs_wait wait;
    json_t *receipt = NULL;
    if (!fs_parse_u64(fs_str_from(entry), &number))
        fs_fail(&err, FS_ERR_INVALID, "a receipt is asked for by the number of its entry");
    else if (fs_wait_read(daemon, message->request, &wait, &err) &&
             (!may_see(daemon, message->credential, number) ||
              !(receipt = fs_engine_receipt(daemon->engine, number, fs_daemon_now(daemon)))))
        fs_fail(&err, FS_ERR_NOT_FOUND, "there is no receipt of entry %llu in memory",
                (unsigned long long)number);
    if (err.code) {
        fs_api_error(daemon->server, message->connection, &err);
    } else if (wants_stream(message->request)) {
        json_decref(receipt);
        fs_receipt_stream_open(daemon, message->connection, number);
    } else if (wait.until) {
        json_decref(receipt);
        fs_receipt_wait(daemon, message->connection, number, &wait);
    } else {
        fs_api_reply(daemon->server, message->connection, 200, receipt);
    }
}

void fs_api_opa_status(struct fs_daemon *daemon, struct fs_net_message *message, const char *source)
{
    struct fs_err err = {0};
    struct fs_opa_status status = {0};
    int index = fs_engine_find_source(daemon->engine, source);
    if (!fs_credential_may_report(message->credential, source))
        fs_fail(&err, FS_ERR_FORBIDDEN, "the credential lacks the scope status:%.60s", source);
    else if (index < 0)
        fs_fail(&err, FS_ERR_NOT_FOUND, "no source is called %.60s", source);
    else if (fs_opa_status_read(message->request->body, message->request->length, &status, &err)) {
        if (status.error[0])
            FS_LOG_WARN("source", "reports an error", "source", source, "error", status.error);
        if (status.revision)
            fs_engine_reported(daemon->engine, (unsigned)index, status.instance ? status.instance : "",
                               status.revision, fs_daemon_now(daemon));
        fs_opa_status_finish(&status);
    }
    if (err.code)
        fs_api_error(daemon->server, message->connection, &err);
    else
        fs_api_reply(daemon->server, message->connection, 200, json_object());
}

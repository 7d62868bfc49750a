/* SPDX-License-Identifier: Apache-2.0 */
/* For operators: why a value is what it is, and how it came to be. What is read from the journal is read on
 * the worker's thread. */
#include "base/alloc.h"
#include "base/str.h"
#include "core/cause.h"
#include "core/json.h"
#include "daemon.h"
#include "past.h"

#define READINGS      8     /* that may wait at once */
#define CONTEXT_TICKS 65536 /* that are looked through for one context of a subject with many */
#define WHY_TICKS     1000  /* ... for a context that was kept current, beside those that were not */

struct past {
    struct fs_journal *journal;
    struct fs_server *server;
    atomic_int *readings;
    uint64_t request;
    char *subject, *flag, *context;
    int64_t until;
    uint64_t before;
    size_t limit;
    json_t *list;
    bool why;
    struct fs_past_stand stand; /* of `why` */
};

static void past_destroy(struct past *past)
{
    fs_free(past->subject);
    fs_free(past->flag);
    fs_free(past->context);
    json_decref(past->list);
    fs_free(past);
}

/* The subject of a context; NULL: it was erased. Owned. */
static char *subject_of(struct fs_journal_texts *texts, const char *context)
{
    struct fs_err err;
    const char *text = fs_journal_text(texts, context);
    json_t *json = text ? fs_json_read(text, strlen(text), 64, &err) : NULL;
    char *subject = fs_strdup(fs_json_text(json, "targetingKey"));
    json_decref(json);
    return subject;
}

/* Those of the change's contexts that are asked for, with their subjects. */
static json_t *pick_contexts(const struct past *past, const json_t *change, struct fs_journal_texts *texts)
{
    json_t *picked = json_array();
    const json_t *hashes = json_object_get(change, "contexts");
    for (size_t i = 0; i < json_array_size(hashes); i++) {
        const char *hash = json_string_value(json_array_get(hashes, i));
        if (past->context && strncmp(hash, past->context, strlen(past->context)))
            continue;
        char *subject = subject_of(texts, hash);
        if (!past->subject || (subject && !strcmp(subject, past->subject)))
            json_array_append_new(picked, json_pack("{s:s*, s:s}", "subject", subject, "contextHash", hash));
        fs_free(subject);
    }
    return picked;
}

/* Times leave the service in one form, whatever entries hold. */
static json_t *tell_cause(const json_t *cause)
{
    char text[32];
    json_t *one = json_copy((json_t *)(uintptr_t)cause);
    json_int_t time = json_integer_value(json_object_get(cause, "time"));
    json_object_set_new(one, "time", json_string(fs_format_rfc3339(time, text)));
    return one;
}

/* One change of a tick, as a line of its own. Takes `contexts`. */
static json_t *tell(const struct fs_entry *entry, const json_t *tick, json_t *change, json_t *contexts)
{
    char text[32];
    json_t *one = json_copy(change);
    json_object_set_new(one, "contexts", contexts);
    json_object_set_new(one, "cause", tell_cause(json_object_get(change, "cause")));
    json_object_set_new(one, "entry", json_integer((json_int_t)entry->number));
    json_object_set(one, "revision", json_object_get(tick, "revision"));
    json_object_set(one, "epoch", json_object_get(tick, "epoch"));
    json_object_set_new(one, "time", json_string(fs_format_rfc3339(entry->time, text)));
    return one;
}

static bool take_tick(void *self, const struct fs_entry *entry, struct fs_journal_texts *texts)
{
    struct past *past = self;
    struct fs_err err;
    json_t *tick = fs_json_read(entry->body, entry->length, 64, &err);
    bool more = true;
    const json_t *changes = json_object_get(tick, "changes");
    /* The latest first: a tick tells first values, and what was withdrawn, before what they changed to. */
    for (size_t i = json_array_size(changes); i-- > 0 && more;) {
        json_t *change = json_array_get(changes, i);
        const char *flag = fs_json_text(change, "flag");
        if (past->flag && (!flag || strcmp(flag, past->flag)))
            continue;
        json_t *contexts = pick_contexts(past, change, texts);
        if (!json_array_size(contexts)) {
            json_decref(contexts);
        } else if (past->why) {
            more = fs_past_stand_take(&past->stand, tell(entry, tick, change, contexts));
        } else {
            json_array_append_new(past->list, tell(entry, tick, change, contexts));
            more = json_array_size(past->list) < past->limit;
        }
    }
    json_decref(tick);
    return more;
}

static bool take_override(void *self, const struct fs_entry *entry)
{
    struct fs_override_order order;
    json_t *change = self;
    if (entry->kind != FS_ENTRY_OVERRIDE ||
        !fs_override_read(entry->body, entry->length, entry->number, entry->time, &order))
        return false;
    json_object_set_new(change, "override", fs_override_describe(&order.override));
    fs_override_order_finish(&order);
    return false;
}

/* Who ordered the override that made it so, and why; nothing where its entry is gone. */
static void add_override(const struct past *past, json_t *change)
{
    struct fs_err ignored;
    const json_t *override = json_object_get(json_object_get(change, "to"), "override");
    json_int_t entry = json_integer_value(json_object_get(override, "entry"));
    if (entry > 0)
        fs_journal_read(past->journal, (uint64_t)entry, 1, take_override, change, &ignored);
}

static bool take_words(void *self, const struct fs_entry *entry)
{
    char **words = self;
    *words = fs_entry_words(entry->kind, entry->body, entry->length);
    return false;
}

/* What the entry said happened; "": nothing. Each is read once. Borrowed from `known`. */
static const char *words_of(const struct past *past, uint64_t entry, json_t *known)
{
    char number[32], *words = NULL;
    struct fs_err ignored;
    snprintf(number, sizeof number, "%llu", (unsigned long long)entry);
    if (!json_object_get(known, number)) {
        fs_journal_read(past->journal, entry, 1, take_words, &words, &ignored);
        json_object_set_new(known, number, json_string(words ? words : ""));
        fs_free(words);
    }
    return fs_json_text(known, number);
}

/* Each change's cause as a sentence. */
static void add_cause_texts(const struct past *past)
{
    json_t *known = json_object();
    for (size_t i = 0; i < json_array_size(past->list); i++) {
        json_t *change = json_array_get(past->list, i);
        const json_t *cause = json_object_get(change, "cause"),
                     *answer = json_array_get(json_object_get(change, "answers"), 0);
        json_int_t entry = json_integer_value(json_array_get(json_object_get(cause, "entries"), 0));
        json_int_t count = json_integer_value(json_object_get(cause, "count"));
        struct fs_cause_parts parts = {
            .kind = fs_json_text(cause, "kind"),
            .entry = entry > 0 ? (uint64_t)entry : 0,
            .more = count > 1 ? (uint64_t)count - 1 : 0,
            .source = fs_json_text(answer, "source"),
            .outcome = fs_cause_outcome(fs_json_text(answer, "state"), json_object_get(answer, "value")),
        };
        const char *words = parts.entry ? words_of(past, parts.entry, known) : NULL;
        parts.words = words && *words ? words : NULL;
        struct fs_buf text;
        fs_buf_init(&text, 4096);
        if (!past->why && json_object_get(change, "ended"))
            fs_buf_adds(&text, FS_PAST_UNWATCHED);
        else if (parts.kind)
            fs_cause_say(&text, &parts);
        if (text.length)
            json_object_set_new(change, "causeText", json_stringn(text.data, text.length));
        fs_buf_finish(&text);
    }
    json_decref(known);
}

/* What stood is the one line of the list. */
static bool add_stand(struct past *past, bool read, struct fs_err *err)
{
    struct fs_err ignored, *where = read ? err : &ignored; /* what failed first is told */
    json_t *found = fs_past_stand_end(&past->stand, past->journal, past->until, where);
    if (!read || !found) {
        json_decref(found);
        return false;
    }
    fs_past_add_answers(past->journal, past->subject, found);
    json_array_append_new(past->list, found);
    return true;
}

/* Since the oldest change that is told: each has ended what stood before it. */
static json_t *starts_of(const struct past *past, struct fs_err *err)
{
    size_t count = json_array_size(past->list);
    json_int_t oldest =
        count ? json_integer_value(json_object_get(json_array_get(past->list, count - 1), "entry")) : 0;
    return count ? fs_past_starts(past->journal, (uint64_t)oldest, err) : json_array();
}

static void read_past(void *arg)
{
    struct past *past = arg;
    struct fs_err err = {0};
    json_t *starts = NULL;
    size_t ticks = past->context ? CONTEXT_TICKS : past->why ? WHY_TICKS : 4 * past->limit + 16;
    past->list = json_array();
    bool fine = fs_journal_cells(past->journal, past->subject, NULL, past->flag, past->until, past->before,
                                 ticks, take_tick, past, &err);
    if (past->why)
        fine = add_stand(past, fine, &err);
    else
        fine = fine && (starts = starts_of(past, &err));
    if (fine)
        add_cause_texts(past);
    if (fine && past->why)
        add_override(past, json_array_get(past->list, 0));
    if (!fine)
        fs_api_error(past->server, past->request, &err);
    else
        fs_api_reply(past->server, past->request, 200,
                     past->why ? json_incref(json_array_get(past->list, 0))
                               : json_pack("{s:O, s:O}", "changes", past->list, "starts", starts));
    json_decref(starts);
    atomic_fetch_sub(past->readings, 1);
    past_destroy(past);
}

bool fs_api_read_journal(struct fs_daemon *daemon, uint64_t request, void (*run)(void *arg), void *arg)
{
    struct fs_err err;
    if (atomic_fetch_add(&daemon->readings, 1) < READINGS && fs_worker_do(daemon->worker, run, arg))
        return true;
    atomic_fetch_sub(&daemon->readings, 1);
    fs_fail(&err, FS_ERR_UNAVAILABLE, "too many readers of the journal: try again");
    fs_api_error(daemon->server, request, &err);
    return false;
}

static void ask_past(struct fs_daemon *daemon, struct past *past)
{
    if (!fs_api_read_journal(daemon, past->request, read_past, past))
        past_destroy(past);
}

static struct past *past_create(struct fs_daemon *daemon, const struct fs_net_message *message)
{
    struct past *past = FS_NEW(struct past);
    past->journal = daemon->journal;
    past->readings = &daemon->readings;
    past->server = daemon->server;
    past->request = message->connection;
    past->subject = fs_http_query(message->request, "subject");
    past->flag = fs_http_query(message->request, "flag");
    past->context = fs_http_query(message->request, "context");
    past->until = INT64_MAX;
    past->limit = 100;
    return past;
}

void fs_api_history(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    struct past *past = past_create(daemon, message);
    char *limit = fs_http_query(message->request, "limit");
    char *before = fs_http_query(message->request, "before");
    uint64_t number = 100;
    bool fine = (!limit || fs_parse_u64(fs_str_from(limit), &number)) && number > 0 && number <= 1000;
    past->limit = (size_t)number;
    fine = fine && (!before || fs_parse_u64(fs_str_from(before), &past->before));
    fs_free(limit);
    fs_free(before);
    if (fine) {
        ask_past(daemon, past);
        return;
    }
    past_destroy(past);
    fs_fail(&err, FS_ERR_INVALID, "limit is a number from 1 to 1000, before the number of an entry");
    fs_api_error(daemon->server, message->connection, &err);
}

static bool wants(struct past *past, char *at, struct fs_err *err)
{
    bool fine = true;
    if (!past->subject || !past->flag)
        fine = fs_fail(err, FS_ERR_INVALID, "why needs subject and flag: /v1/why?subject=S&flag=F");
    else if (at && !fs_parse_rfc3339(fs_str_from(at), &past->until))
        fine = fs_fail(err, FS_ERR_INVALID,
                       "at: expected a time with its zone, such as 2026-11-24T14:03:00Z, not %.60s", at);
    return fine;
}

void fs_api_why(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    struct past *past = past_create(daemon, message);
    char *at = fs_http_query(message->request, "at");
    past->limit = 1;
    past->why = true;
    if (!wants(past, at, &err)) {
        fs_api_error(daemon->server, message->connection, &err);
        past_destroy(past);
    } else if (at) {
        ask_past(daemon, past);
    } else {
        json_t *now = fs_engine_show_why(daemon->engine, past->subject, past->flag, past->context,
                                         fs_daemon_now(daemon));
        if (now) {
            fs_api_reply(daemon->server, message->connection, 200, now);
        } else {
            if (fs_flagset_need(fs_engine_flags(daemon->engine), past->flag, &err))
                fs_fail(&err, FS_ERR_NOT_FOUND,
                        "no value of flag %.100s is known for subject %.100s: nobody watches it now",
                        past->flag, past->subject);
            fs_api_error(daemon->server, message->connection, &err);
        }
        past_destroy(past);
    }
    fs_free(at);
}

struct copy_job {
    struct fs_journal *journal;
    struct fs_server *server;
    uint64_t request;
    char *file;
};

static void copy_journal(void *arg)
{
    struct copy_job *job = arg;
    struct fs_err err;
    if (fs_journal_backup(job->journal, job->file, &err))
        fs_api_reply(job->server, job->request, 200, json_pack("{s:s}", "file", job->file));
    else
        fs_api_error(job->server, job->request, &err);
    fs_free(job->file);
    fs_free(job);
}

void fs_api_backup(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    json_t *body = fs_json_read(message->request->body, message->request->length, 4, &err);
    const char *file = fs_json_text(body, "file");
    if (!file || file[0] != '/') {
        fs_fail(&err, FS_ERR_INVALID, "backup needs {\"file\": \"/absolute/path\"} on the daemon's machine");
        fs_api_error(daemon->server, message->connection, &err);
    } else {
        struct copy_job *job = FS_NEW(struct copy_job);
        *job = (struct copy_job){daemon->journal, daemon->server, message->connection, fs_strdup(file)};
        if (!fs_worker_do(daemon->worker, copy_journal, job)) {
            fs_free(job->file);
            fs_free(job);
            fs_fail(&err, FS_ERR_UNAVAILABLE, "too many readers of the journal: try again");
            fs_api_error(daemon->server, message->connection, &err);
        }
    }
    json_decref(body);
}

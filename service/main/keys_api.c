/* SPDX-License-Identifier: Apache-2.0 */
/* Keys and tickets. Keys are state of the journal; the worker's thread writes them, then the door is
 * told, and tells the core. */
#include "base/alloc.h"
#include "base/digest.h"
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "daemon.h"

#define TICKET_MS 30000 /* a ticket is used within this, or never */

/* The document {"keys": [...]}, empty where none was ever written. New reference; NULL with `err` where it
 * cannot be read. */
static json_t *load_document(struct fs_journal *journal, struct fs_err *err)
{
    char *text;
    if (!fs_journal_get(journal, "keys", &text, err))
        return NULL; /* unreadable is not absent: nobody's keys are overwritten for that */
    json_t *document = text ? fs_json_read(text, strlen(text), 32, err) : json_pack("{s:[]}", "keys");
    fs_free(text);
    return document;
}

struct fs_keyring *fs_keys_load(struct fs_journal *journal, bool *ever_out, struct fs_err *err)
{
    char *ever;
    if (!fs_journal_get(journal, "keys-ever", &ever, err))
        return NULL;
    *ever_out = ever != NULL;
    fs_free(ever);
    json_t *document = load_document(journal, err);
    struct fs_keyring *keyring = document ? fs_keyring_create(document, err) : NULL;
    json_decref(document);
    return keyring;
}

static bool store_document(struct fs_journal *journal, const json_t *document, struct fs_err *err)
{
    char *text = json_dumps(document, JSON_COMPACT);
    bool stored =
        fs_journal_put(journal, "keys-ever", "1", err) && fs_journal_put(journal, "keys", text, err);
    free(text);
    return stored;
}

struct key_job {
    struct fs_daemon *daemon; /* its journal, server and inbox only: those are shared */
    uint64_t request;
    int64_t wall;
    json_t *description; /* add; NULL otherwise */
    char *revoke;        /* id; NULL otherwise */
};

static void key_job_destroy(struct key_job *job)
{
    json_decref(job->description);
    fs_free(job->revoke);
    fs_free(job);
}

/* Never the hashes: what is listed is what an operator may see. */
static json_t *list_keys(const json_t *document)
{
    json_t *list = json_deep_copy(json_object_get(document, "keys"));
    for (size_t i = 0; i < json_array_size(list); i++) {
        char text[32];
        json_t *key = json_array_get(list, i);
        const json_t *created = json_object_get(key, "created");
        json_object_del(key, "hash");
        if (json_is_integer(created))
            json_object_set_new(key, "created",
                                json_string(fs_format_rfc3339(json_integer_value(created), text)));
    }
    return json_pack("{s:o}", "keys", list);
}

static json_t *error_body(const struct fs_err *err, int *status)
{
    *status = fs_err_http(err->code);
    return json_pack("{s:{s:s, s:s}}", "error", "code", fs_err_name(err->code), "message", err->text);
}

static const char no_admin[] = "no key has the scope admin, so none can add or revoke keys, and callers on "
                               "this machine without a key are no "
                               "operators any more. Where no daemon runs, this makes one: flagstaff keys add "
                               "--scope admin --data DIRECTORY";

json_t *fs_keys_change(struct fs_journal *journal, json_t *description, const char *revoke, int64_t wall,
                       struct fs_keyring **changed, int *status)
{
    struct fs_err err = {0};
    char key[80] = "";
    json_t *answer = NULL;
    json_t *document = load_document(journal, &err);
    bool fine = document != NULL;
    *changed = NULL;
    *status = 200;
    if (fine && revoke && !fs_keyring_revoke(document, revoke))
        fine = fs_fail(&err, FS_ERR_NOT_FOUND, "there is no key %.40s", revoke);
    if (fine && description)
        fine = fs_keyring_add(document, description, wall, key, &err);
    if (fine && (description || revoke)) {
        *changed = fs_keyring_create(document, &err);
        fine = *changed && store_document(journal, document, &err);
    }
    if (!fine) {
        fs_keyring_destroy(*changed);
        *changed = NULL;
        answer = error_body(&err, status);
    } else if (description) {
        const json_t *keys = json_object_get(document, "keys");
        const char *id = fs_json_text(json_array_get(keys, json_array_size(keys) - 1), "id");
        FS_LOG_INFO("keys", "added", "key", id);
        *status = 201;
        answer = json_pack("{s:s*, s:s}", "id", id, "key", key);
    } else if (revoke) {
        FS_LOG_INFO("keys", "revoked", "key", revoke);
        answer = json_pack("{s:s}", "revoked", revoke);
    } else {
        answer = list_keys(document);
    }
    if (*changed && !fs_keyring_has_admin(document, wall))
        json_object_set_new(answer, "warning", json_string(no_admin));
    fs_wipe(key, sizeof key);
    json_decref(document);
    return answer;
}

static void work_on_keys(void *arg)
{
    struct key_job *job = arg;
    struct fs_keyring *changed;
    int status;
    json_t *answer =
        fs_keys_change(job->daemon->journal, job->description, job->revoke, job->wall, &changed, &status);
    if (changed)
        fs_server_set_keyring(job->daemon->server, changed, job->revoke);
    fs_api_reply(job->daemon->server, job->request, status, answer);
    key_job_destroy(job);
}

void fs_api_keys(struct fs_daemon *daemon, struct fs_net_message *message, const char *id)
{
    struct fs_err err;
    struct key_job *job = FS_NEW(struct key_job);
    job->daemon = daemon;
    job->request = message->connection;
    job->wall = fs_daemon_now(daemon).wall;
    if (!strcmp(message->request->method, "POST")) {
        job->description = fs_json_read(message->request->body, message->request->length, 16, &err);
        if (!job->description) {
            fs_api_error(daemon->server, message->connection, &err);
            key_job_destroy(job);
            return;
        }
    } else if (!strcmp(message->request->method, "DELETE")) {
        job->revoke = fs_strdup(id);
    }
    if (fs_worker_do(daemon->key_worker, work_on_keys, job))
        return;
    key_job_destroy(job);
    fs_fail(&err, FS_ERR_UNAVAILABLE, "too much waits for the disk: try again");
    fs_api_error(daemon->server, message->connection, &err);
}

static bool is_list_of_texts(const json_t *list)
{
    bool fine = json_is_array(list);
    for (size_t i = 0; fine && i < json_array_size(list); i++)
        fine = json_is_string(json_array_get(list, i));
    return fine;
}

static bool check_wish(const json_t *wish, struct fs_err *err)
{
    static const char *const known[] = {"subject", "actor", "attributes", "mayAdd", "origin", NULL};
    const json_t *actor = json_object_get(wish, "actor");
    const json_t *origin = json_object_get(wish, "origin"), *may = json_object_get(wish, "mayAdd");
    if (!fs_json_members_known(wish, known, "", FS_ERR_INVALID, err) ||
        !fs_context_attributes(json_object_get(wish, "attributes"), err))
        return false;
    if (json_string_length(json_object_get(wish, "subject")) == 0 || (actor && !json_is_object(actor)))
        return fs_fail(err, FS_ERR_INVALID, "a ticket needs {\"subject\": TEXT}; actor is an object");
    if (origin && json_string_length(origin) == 0)
        return fs_fail(err, FS_ERR_INVALID, "origin must be a text, and not an empty one");
    return !may || is_list_of_texts(may) || fs_fail(err, FS_ERR_INVALID, "mayAdd must be a list of texts");
}

/* What a ticket carries: all of it fixed by whoever asks for it. */
static struct fs_credential *make_ticket(const struct fs_credential *issuer, const json_t *wish)
{
    struct fs_credential *ticket = FS_NEW(struct fs_credential);
    atomic_init(&ticket->references, 1);
    ticket->id = fs_format("ticket:%s", issuer->id);
    ticket->name = fs_strdup(issuer->name);
    ticket->scopes = FS_SCOPE_EVALUATE;
    ticket->subject = fs_strdup(fs_json_text(wish, "subject"));
    ticket->actor = json_incref(json_object_get(wish, "actor"));
    ticket->attributes = json_incref(json_object_get(wish, "attributes"));
    ticket->origin = fs_strdup(fs_json_text(wish, "origin"));
    ticket->expires = issuer->expires; /* a key's end is that of its tickets' connections */
    const json_t *may = json_object_get(wish, "mayAdd");
    ticket->may_add = fs_calloc(json_array_size(may) + 1, sizeof *ticket->may_add);
    for (size_t i = 0; i < json_array_size(may); i++)
        ticket->may_add[i] = fs_strdup(json_string_value(json_array_get(may, i)));
    return ticket;
}

void fs_api_tickets(struct fs_daemon *daemon, struct fs_net_message *message, const char *rest)
{
    (void)rest;
    struct fs_err err;
    json_t *wish = fs_json_read(message->request->body, message->request->length, 16, &err);
    struct fs_credential *ticket = NULL;
    if (wish && !json_is_object(wish))
        fs_fail(&err, FS_ERR_INVALID, "a ticket is asked for with an object");
    else if (wish && check_wish(wish, &err))
        ticket = make_ticket(message->credential, wish);
    json_decref(wish);
    if (!ticket) {
        fs_api_error(daemon->server, message->connection, &err);
        return;
    }
    uint8_t secret[32];
    char text[48];
    fs_random(secret, sizeof secret);
    size_t length = fs_base64url_encode(secret, sizeof secret, text);
    text[length] = 0;
    struct fs_sha256 digest = fs_sha256(text, length);
    fs_server_add_ticket(daemon->server, &digest, ticket, fs_daemon_now(daemon).mono + TICKET_MS);
    fs_api_reply(daemon->server, message->connection, 201,
                 json_pack("{s:s, s:I}", "ticket", text, "expiresIn", (json_int_t)TICKET_MS));
    fs_wipe(secret, sizeof secret);
    fs_wipe(text, sizeof text);
}

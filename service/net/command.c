/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What other threads ask of the door: each function of net/server.h that is callable from anywhere posts one
 * command, and the network thread carries it out. Commands are never dropped: the core bounds them by credits
 * and by the requests that it was given.
 */
#include <string.h>
#include "base/log.h"
#include "server_internal.h"

enum command_kind {
    COMMAND_REPLY,
    COMMAND_STREAM,
    COMMAND_SEND,
    COMMAND_CLOSE,
    COMMAND_KEYRING,
    COMMAND_TICKET,
    COMMAND_TLS,
    COMMAND_DRAIN,
    COMMAND_STOP
};

/* A caller that waits for its command. */
struct waiter {
    pthread_mutex_t mutex;
    pthread_cond_t condition;
    bool done, ok;
};

struct command {
    struct fs_message message;
    enum command_kind kind;
    uint64_t id;
    int status;
    char *content_type, *text; /* headers, a close's reason, or the id of a revoked key */
    struct fs_blob *blob;
    struct fs_keyring *keyring;
    struct fs_sha256 ticket;
    struct fs_credential *credential;
    int64_t expires;
    struct waiter *waiter;
};

static void command_destroy(struct fs_message *message)
{
    struct command *command = FS_CONTAINER(message, struct command, message);
    fs_free(command->content_type);
    fs_free(command->text);
    fs_blob_unref(command->blob);
    fs_keyring_destroy(command->keyring);
    fs_credential_unref(command->credential);
    fs_free(command);
}

static struct command *command_create(enum command_kind kind, uint64_t id)
{
    struct command *command = FS_NEW(struct command);
    fs_list_init(&command->message.node);
    command->message.destroy = command_destroy;
    command->kind = kind;
    command->id = id;
    return command;
}

static void post(struct fs_server *server, struct command *command)
{
    if (!fs_queue_push_always(server->commands, &command->message))
        command_destroy(&command->message);
}

void fs_server_reply(struct fs_server *server, uint64_t request, int status, const char *content_type,
                     const char *headers, struct fs_blob *body)
{
    struct command *command = command_create(COMMAND_REPLY, request);
    command->status = status;
    command->content_type = fs_strdup(content_type);
    command->text = fs_strdup(headers);
    command->blob = body;
    post(server, command);
}

void fs_server_stream(struct fs_server *server, uint64_t request, struct fs_credential *credential,
                      const char *content_type, const char *headers)
{
    struct command *command = command_create(COMMAND_STREAM, request);
    command->credential = credential;
    command->content_type = fs_strdup(content_type);
    command->text = fs_strdup(headers);
    post(server, command);
}

void fs_server_send(struct fs_server *server, uint64_t connection, struct fs_blob *blob)
{
    struct command *command = command_create(COMMAND_SEND, connection);
    command->blob = blob;
    post(server, command);
}

void fs_server_close(struct fs_server *server, uint64_t connection, int code, const char *reason)
{
    struct command *command = command_create(COMMAND_CLOSE, connection);
    command->status = code;
    command->text = fs_strdup(reason);
    post(server, command);
}

void fs_server_set_keyring(struct fs_server *server, struct fs_keyring *keyring, const char *revoked)
{
    struct command *command = command_create(COMMAND_KEYRING, 0);
    command->keyring = keyring;
    command->text = fs_strdup(revoked);
    post(server, command);
}

void fs_server_add_ticket(struct fs_server *server, const struct fs_sha256 *ticket,
                          struct fs_credential *credential, int64_t expires)
{
    struct command *command = command_create(COMMAND_TICKET, 0);
    command->ticket = *ticket;
    command->credential = credential;
    command->expires = expires;
    post(server, command);
}

void fs_server_drain(struct fs_server *server)
{
    post(server, command_create(COMMAND_DRAIN, 0));
}

void fs_command_stop(struct fs_server *server)
{
    post(server, command_create(COMMAND_STOP, 0));
}

static bool reload_tls(struct fs_server *server, struct fs_err *err)
{
    int64_t expires;
    if (!fs_tls_check_own(server, &expires, err))
        return false;
    struct waiter waiter = {.mutex = PTHREAD_MUTEX_INITIALIZER, .condition = PTHREAD_COND_INITIALIZER};
    struct command *command = command_create(COMMAND_TLS, 0);
    command->waiter = &waiter;
    post(server, command);
    pthread_mutex_lock(&waiter.mutex);
    while (!waiter.done)
        pthread_cond_wait(&waiter.condition, &waiter.mutex);
    pthread_mutex_unlock(&waiter.mutex);
    if (!waiter.ok)
        return fs_fail(err, FS_ERR_CONFIG,
                       "the new certificate %s was not taken; connections go on with the old one",
                       server->certificate);
    atomic_store(&server->tls_expires, expires);
    return true;
}

bool fs_server_reload_tls(struct fs_server *server, struct fs_err *err)
{
    bool fine = !server->tls || reload_tls(server, err);
    atomic_store(&server->tls_failed, !fine);
    return fine;
}

static void run_tls(struct fs_server *server, struct waiter *waiter)
{
    bool ok = lws_tls_cert_updated(server->context, server->certificate, server->certificate_key, NULL, 0,
                                   NULL, 0) == 0;
    pthread_mutex_lock(&waiter->mutex);
    waiter->done = true;
    waiter->ok = ok;
    pthread_cond_signal(&waiter->condition);
    pthread_mutex_unlock(&waiter->mutex);
}

/* Behind all that the door has handed over for this key, and nothing of it comes later: whoever is let in
 * from now on is judged by the new ring. */
static void tell_revoked(struct fs_server *server, const char *id)
{
    struct fs_net_message *message = fs_inbox_notice(FS_NET_REVOKED);
    message->text = fs_strdup(id);
    fs_inbox_must(server, message);
}

static void run_keyring(struct fs_server *server, struct command *command)
{
    bool loopback = server->options.loopback_operator;
    fs_keyring_destroy(server->keyring);
    server->keyring = command->keyring;
    command->keyring = NULL;
    if (!fs_keyring_empty(server->keyring))
        server->options.loopback_operator =
            false; /* a key was made: the time without keys is over for good */
    fs_deadline_revoke(server);
    if (command->text)
        tell_revoked(server, command->text);
    if (loopback && !server->options.loopback_operator)
        tell_revoked(server, "loopback");
}

/* The peer that a command is for; NULL: gone meanwhile, or leaving. */
static struct fs_peer *find(struct fs_server *server, uint64_t id)
{
    struct fs_peer *peer = fs_map_get(&server->by_id, &id, sizeof id);
    return peer && peer->state != FS_PEER_LEAVING ? peer : NULL;
}

static void open_stream(struct fs_peer *peer, struct command *command)
{
    if (command->credential) {
        fs_credential_unref(peer->credential);
        peer->credential = command->credential;
        command->credential = NULL;
    }
    fs_http_stream(peer, command->content_type, command->text);
}

static void run_peer(struct fs_peer *peer, struct command *command)
{
    switch (command->kind) {
    case COMMAND_REPLY:
        if (peer->state == FS_PEER_WAITING)
            fs_http_answer(peer, command->status, command->content_type, command->text, command->blob);
        break;
    case COMMAND_STREAM:
        if (peer->state == FS_PEER_WAITING)
            open_stream(peer, command);
        break;
    case COMMAND_SEND:
        if (peer->state == FS_PEER_SOCKET || peer->state == FS_PEER_STREAM) {
            fs_send_blob(peer, command->blob, false);
            command->blob = NULL;
        }
        break;
    default:
        if (peer->state == FS_PEER_WAITING)
            fs_peer_kill(peer);
        else
            fs_send_close(peer, command->status, command->text ? command->text : "");
        break;
    }
}

static void run(struct fs_server *server, struct command *command)
{
    struct fs_peer *peer;
    switch (command->kind) {
    case COMMAND_KEYRING:
        run_keyring(server, command);
        break;
    case COMMAND_TICKET:
        fs_ticket_add(server, &command->ticket, command->credential, command->expires);
        command->credential = NULL;
        break;
    case COMMAND_TLS:
        run_tls(server, command->waiter);
        break;
    case COMMAND_DRAIN:
        fs_listen_stop(server);
        break;
    case COMMAND_STOP:
        fs_server_begin_stop(server);
        break;
    default:
        peer = find(server, command->id);
        if (peer)
            run_peer(peer, command);
        break;
    }
}

void fs_command_run_all(struct fs_server *server)
{
    struct fs_list commands;
    fs_list_init(&commands);
    fs_queue_pop_all(server->commands, &commands);
    FS_LIST_EACH(&commands, node)
    {
        struct fs_message *message = FS_CONTAINER(node, struct fs_message, node);
        struct command *command = FS_CONTAINER(message, struct command, message);
        fs_list_remove(node);
        run(server, command);
        command_destroy(&command->message);
    }
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Sessions of people at a browser: a key is given once (POST /v1/session), and a cookie that no script can
 * read stands for it then. Only SHA-256 of its secret is kept; it is found by that, as tickets are. A session
 * ends with its time, its key, or by its owner, and its websockets and streams with it. What a cookie alone
 * proves is that a browser sent it, not that our page did: what changes something needs our own Origin and
 * the session's token too (docs/security.md). Belongs to the network thread.
 */
#include <stdlib.h>
#include <string.h>
#include "base/log.h"
#include "base/str.h"
#include "core/json.h"
#include "server_internal.h"

#define SESSIONS_MAX     1024
#define SESSIONS_PER_KEY 16 /* the oldest goes */
#define SECRET_BYTES     32
#define TEXT_LENGTH      43 /* of them in base64url */
#define NAME             "flagstaff_session"
#define NAME_LENGTH      (sizeof NAME - 1)

struct fs_session {
    struct fs_sha256 hash;
    struct fs_list node; /* fs_server.session_list, oldest first */
    uint64_t number;
    struct fs_credential *credential; /* the key's */
    char csrf[TEXT_LENGTH + 1];
    int64_t expires; /* mono ms */
    int64_t ends;    /* wall ms, for people */
};

static void make_secret(char text[TEXT_LENGTH + 1])
{
    uint8_t secret[SECRET_BYTES];
    fs_random(secret, sizeof secret);
    text[fs_base64url_encode(secret, sizeof secret, text)] = 0;
    fs_wipe(secret, sizeof secret);
}

static void session_destroy(struct fs_session *session)
{
    fs_list_remove(&session->node);
    fs_credential_unref(session->credential);
    fs_wipe(session, sizeof *session);
    fs_free(session);
}

/* With all that is open by it. */
static void session_end(struct fs_server *server, struct fs_session *session, const char *why)
{
    FS_LIST_EACH(&server->peers, node)
    {
        struct fs_peer *peer = FS_CONTAINER(node, struct fs_peer, node);
        if (peer->session == session->number)
            fs_deadline_end(peer, 4401, "expired", why);
    }
    fs_map_remove(&server->sessions, session->hash.bytes, sizeof session->hash.bytes);
    session_destroy(session);
}

static bool is_over(const struct fs_server *server, const struct fs_session *session)
{
    struct fs_time now = fs_server_now(server);
    int64_t ends = session->credential->expires;
    return session->expires <= now.mono || (ends && ends <= now.wall) ||
           !fs_deadline_stands(server, session->credential);
}

void fs_session_sweep(struct fs_server *server)
{
    FS_LIST_EACH(&server->session_list, node)
    {
        struct fs_session *session = FS_CONTAINER(node, struct fs_session, node);
        if (is_over(server, session))
            session_end(server, session, "the session has ended");
    }
}

void fs_session_finish(struct fs_server *server)
{
    FS_LIST_EACH(&server->session_list, node)
    {
        session_destroy(FS_CONTAINER(node, struct fs_session, node));
    }
    fs_map_finish(&server->sessions, NULL);
}

static struct fs_session *find(struct fs_server *server, const char *text)
{
    struct fs_sha256 hash = fs_sha256(text, TEXT_LENGTH);
    struct fs_session *session = fs_map_get(&server->sessions, hash.bytes, sizeof hash.bytes);
    if (!session || !fs_sha256_equal(&hash, &session->hash))
        return NULL;
    if (!is_over(server, session))
        return session;
    session_end(server, session, "the session has ended");
    return NULL;
}

bool fs_session_stands(const struct fs_peer *peer)
{
    FS_LIST_EACH(&peer->server->session_list, node)
    {
        const struct fs_session *session = FS_CONTAINER(node, struct fs_session, node);
        if (session->number == peer->session)
            return !is_over(peer->server, session);
    }
    return false;
}

/* RFC 6265, 4.2.1. Another page of this host may have set a cookie of the name too: any that holds counts. */
static struct fs_session *find_in_cookies(struct fs_server *server, const char *cookies)
{
    for (const char *at = cookies; at && *at;) {
        at += strspn(at, "; ");
        size_t length = strcspn(at, ";");
        if (length == NAME_LENGTH + 1 + TEXT_LENGTH && !strncmp(at, NAME "=", NAME_LENGTH + 1)) {
            struct fs_session *session = find(server, at + NAME_LENGTH + 1);
            if (session)
                return session;
        }
        at += length;
    }
    return NULL;
}

/* Of equal length always, and compared by digests: nothing tells how much of it was right. */
static bool token_is_right(const struct fs_session *session, const char *token)
{
    if (!token)
        return false;
    struct fs_sha256 given = fs_sha256(token, strlen(token));
    struct fs_sha256 right = fs_sha256(session->csrf, TEXT_LENGTH);
    return fs_sha256_equal(&given, &right);
}

struct fs_credential *fs_session_credential(struct fs_peer *peer, const struct fs_auth_input *input,
                                            struct fs_err *err)
{
    struct fs_session *session = find_in_cookies(peer->server, input->cookie);
    if (!session)
        return NULL;
    peer->session = session->number;
    bool own = input->origin && fs_auth_origin_is_own(peer, input->origin, input->host);
    if ((input->changes || input->upgrade) && !own) {
        fs_fail(err, FS_ERR_CSRF, "a session serves the dashboard's own pages only: this Origin is not ours");
        return NULL;
    }
    if (input->changes && !token_is_right(session, input->csrf)) {
        fs_fail(err, FS_ERR_CSRF, "the header X-Flagstaff-Csrf must be the token of GET /v1/session");
        return NULL;
    }
    return fs_credential_ref(session->credential);
}

/* Room for another one of this key. False: there are too many of all keys. */
static bool make_room(struct fs_server *server, const char *key)
{
    struct fs_session *oldest = NULL;
    size_t count = 0;
    fs_session_sweep(server);
    FS_LIST_EACH(&server->session_list, node)
    {
        struct fs_session *session = FS_CONTAINER(node, struct fs_session, node);
        if (strcmp(session->credential->id, key))
            continue;
        oldest = oldest ? oldest : session;
        count++;
    }
    if (count >= SESSIONS_PER_KEY)
        session_end(server, oldest, "the same key has signed in elsewhere");
    return server->sessions.count < SESSIONS_MAX;
}

/* The Set-Cookie line; `text` "": forget it. Owned. */
static char *cookie_line(const struct fs_server *server, const char *text)
{
    const char *url = server->options.public_url;
    bool secure = server->tls || (url && !strncmp(url, "https:", 6));
    return fs_format("Set-Cookie: " NAME "=%s; HttpOnly; SameSite=Strict; Path=/%s%s\r\n", text,
                     *text ? "" : "; Max-Age=0", secure ? "; Secure" : "");
}

/* Answers 204 with this cookie. */
static int answer_cookie(struct fs_peer *peer, const char *text)
{
    char *line = cookie_line(peer->server, text);
    bool ok = fs_reply_write(peer, 204, NULL, line, NULL, 0);
    fs_wipe(line, strlen(line));
    fs_free(line);
    return ok ? fs_reply_done(peer) : -1;
}

static int refuse(struct fs_peer *peer, const struct fs_err *err)
{
    return fs_reply_error(peer, fs_err_http(err->code), fs_err_name(err->code), err->text, NULL)
               ? fs_reply_done(peer)
               : -1;
}

/* The credential behind the key of the body; NULL with `err`. */
static struct fs_credential *read_key(struct fs_peer *peer, const char *origin, struct fs_err *err)
{
    struct fs_http_request *request = peer->request;
    json_t *body = fs_json_read(request->body, request->length, 4, err);
    const char *key = fs_json_text(body, "key");
    struct fs_credential *credential = NULL;
    fs_wipe(request->body, request->length);
    if (key)
        credential = fs_auth_key(peer, key, origin, err);
    else if (body)
        fs_fail(err, FS_ERR_INVALID, "sign in with {\"key\": KEY}");
    if (key)
        fs_wipe((void *)(uintptr_t)key, strlen(key));
    json_decref(body);
    if (credential && !fs_credential_may(credential, FS_SCOPE_READ)) {
        fs_credential_unref(credential);
        credential = NULL;
        fs_fail(err, FS_ERR_FORBIDDEN, "this key may not look at the dashboard: it needs the scope read");
    }
    return credential;
}

static struct fs_session *session_of(const struct fs_peer *peer)
{
    FS_LIST_EACH(&peer->server->session_list, node)
    {
        struct fs_session *session = FS_CONTAINER(node, struct fs_session, node);
        if (peer->session && session->number == peer->session)
            return session;
    }
    return NULL;
}

/* For the credential, which it takes. Its secret is in `text`. */
static void session_create(struct fs_server *server, struct fs_credential *credential,
                           char text[TEXT_LENGTH + 1])
{
    struct fs_session *session = FS_NEW(struct fs_session);
    struct fs_time now = fs_server_now(server);
    make_secret(text);
    make_secret(session->csrf);
    session->hash = fs_sha256(text, TEXT_LENGTH);
    session->number = ++server->last_session;
    session->credential = credential;
    session->expires = now.mono + server->options.session_ttl;
    session->ends = now.wall + server->options.session_ttl;
    if (credential->expires && credential->expires < session->ends)
        session->ends = credential->expires;
    fs_map_set(&server->sessions, session->hash.bytes, sizeof session->hash.bytes, session);
    fs_list_append(&server->session_list, &session->node);
}

static int sign_in(struct fs_peer *peer)
{
    struct fs_server *server = peer->server;
    struct fs_err err = {0};
    struct fs_credential *credential = NULL;
    const char *origin = fs_http_header(peer->request, "origin");
    if (origin && !fs_auth_origin_is_own(peer, origin, fs_http_header(peer->request, "host")))
        fs_fail(&err, FS_ERR_CSRF, "signing in is for the dashboard's own pages: this Origin is not ours");
    else
        credential = read_key(peer, origin, &err);
    if (credential && !make_room(server, credential->id)) {
        fs_credential_unref(credential);
        credential = NULL;
        fs_fail(&err, FS_ERR_LIMIT, "too many sessions are open");
    }
    if (!credential)
        return refuse(peer, &err);
    struct fs_session *former = session_of(peer); /* the cookie that is replaced */
    if (former)
        session_end(server, former, "signed in anew");
    char text[TEXT_LENGTH + 1];
    session_create(server, credential, text);
    FS_LOG_INFO("net", "signed in", "key", credential->id, "address", peer->address);
    int result = answer_cookie(peer, text);
    fs_wipe(text, sizeof text);
    return result;
}

static int sign_out(struct fs_peer *peer)
{
    struct fs_session *session = session_of(peer);
    if (session) {
        FS_LOG_INFO("net", "signed out", "key", session->credential->id);
        peer->session = 0; /* this answer still leaves */
        session_end(peer->server, session, "signed out");
    }
    return answer_cookie(peer, "");
}

static json_t *scope_list(const struct fs_credential *credential)
{
    json_t *list = json_array();
    char *text = fs_credential_scope_text(credential);
    for (char *at = text; *at;) {
        size_t length = strcspn(at, " ");
        json_array_append_new(list, json_stringn(at, length));
        at += length + (at[length] == ' ');
    }
    fs_free(text);
    return list;
}

static json_t *describe(const struct fs_peer *peer)
{
    const struct fs_credential *credential = peer->credential;
    const struct fs_session *session = session_of(peer);
    const struct fs_server_options *options = &peer->server->options;
    const char *role = fs_credential_may(credential, FS_SCOPE_ADMIN)     ? "admin"
                       : fs_credential_may(credential, FS_SCOPE_OPERATE) ? "operator"
                                                                         : "viewer";
    bool loopback = !strcmp(credential->id, "loopback");
    int64_t ends = session ? session->ends : credential->expires;
    char time[32];
    return json_pack("{s:{s:s, s:s, s:s, s:o}, s:s?, s:s?, s:s, s:s, s:s}", "operator", "id", credential->id,
                     "name", credential->name ? credential->name : "", "role", role, "scopes",
                     scope_list(credential), "csrf", session ? session->csrf : NULL, "expires",
                     ends ? fs_format_rfc3339(ends, time) : NULL, "mode",
                     session    ? "session"
                     : loopback ? "loopback"
                                : "key",
                     "version", options->version, "epoch", options->epoch);
}

static int tell(struct fs_peer *peer)
{
    struct fs_err err;
    if (!fs_credential_may(peer->credential, FS_SCOPE_READ)) {
        fs_fail(&err, FS_ERR_FORBIDDEN, "this key may not look at the dashboard: it needs the scope read");
        return refuse(peer, &err);
    }
    json_t *body = describe(peer);
    char *text = json_dumps(body, JSON_COMPACT);
    bool ok = fs_reply_write(peer, 200, "application/json", NULL, text, strlen(text));
    json_decref(body);
    free(text);
    return ok ? fs_reply_done(peer) : -1;
}

bool fs_session_is_sign_in(const struct fs_http_request *request)
{
    return !strcmp(request->method, "POST") && !strcmp(request->path, FS_NET_SESSION_PATH);
}

bool fs_session_answer(struct fs_peer *peer, int *result)
{
    const char *method = peer->request->method;
    struct fs_err err;
    if (strcmp(peer->request->path, FS_NET_SESSION_PATH))
        return false;
    if (!strcmp(method, "POST")) {
        *result = sign_in(peer);
    } else if (!strcmp(method, "DELETE")) {
        *result = sign_out(peer);
    } else if (!strcmp(method, "GET") || !strcmp(method, "HEAD")) {
        *result = tell(peer);
    } else {
        fs_fail(&err, FS_ERR_METHOD, FS_NET_SESSION_PATH " does not take %s", method);
        *result = refuse(peer, &err);
    }
    return true;
}

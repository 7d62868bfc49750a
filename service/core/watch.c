/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Connections and their watches. For each watch the engine keeps the set of flags that changed since they
 * were sent, never a queue. A watch outlives its connection by the longer of lease and hold, so that a client
 * that comes back takes over where it was.
 */
#include "engine_internal.h"

#define SESSION_BYTES 10 /* of a session's name; what fs_connection.session has room for */

struct fs_connection *fs_connection_find(struct fs_engine *e, uint64_t id)
{
    return fs_map_get(&e->connections, &id, sizeof id);
}

struct fs_watch *fs_watch_find(struct fs_connection *connection, uint64_t id)
{
    return fs_map_get(&connection->watches, &id, sizeof id);
}

/* Whoever names a session in a resume point takes over from it, so nobody may guess another's. */
static void name_session(struct fs_engine *e, struct fs_connection *connection)
{
    connection->number = ++e->next_session;
    struct fs_sha256 mac = fs_hmac_sha256(e->options.secret, sizeof e->options.secret, &connection->number,
                                          sizeof connection->number);
    char hex[2 * SESSION_BYTES + 1];
    snprintf(connection->session, sizeof connection->session, "s-%s", fs_hex(mac.bytes, SESSION_BYTES, hex));
}

void fs_engine_connect(struct fs_engine *e, uint64_t id, struct fs_credential *credential,
                       const char *address, bool stream, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = FS_NEW(struct fs_connection);
    connection->id = id;
    name_session(e, connection);
    connection->credential = fs_credential_ref(credential);
    snprintf(connection->address, sizeof connection->address, "%s", address ? address : "");
    connection->stream = stream;
    connection->open = true;
    connection->greeted = stream;
    connection->window = (int)e->options.window;
    connection->opened = now.wall;
    fs_map_init(&connection->watches);
    fs_list_init(&connection->dirty);
    fs_list_init(&connection->fresh);
    fs_list_init(&connection->flush_node);
    fs_map_set(&e->connections, &connection->id, sizeof connection->id, connection);
    fs_map_sets(&e->sessions, connection->session, connection);
    *(stream ? &e->counts.streams : &e->counts.connections) += 1;
}

void fs_watch_destroy(struct fs_engine *e, struct fs_watch *watch)
{
    struct fs_connection *connection = watch->connection;
    struct fs_context *context = watch->view->context;
    if (watch->of_hello && !watch->sent && connection->hello_waiting)
        connection->hello_waiting--;
    fs_map_remove(&connection->watches, &watch->id, sizeof watch->id);
    fs_map_remove(&e->watches, &watch->serial, sizeof watch->serial);
    fs_list_remove(&watch->in_dirty);
    fs_list_remove(&watch->in_view);
    fs_view_unkept(e, watch->view);
    fs_alarm_cancel(e, &watch->deadline);
    if (watch->once) {
        fs_context_asked(e, context, -1);
    } else {
        fs_context_watched(e, context, -1);
        e->counts.watches--;
    }
    fs_view_release(e, watch->view);
    for (size_t i = 0; i < watch->removed.count; i++)
        fs_free(watch->removed.items[i]);
    fs_vec_finish(&watch->removed);
    fs_free(watch->dirty);
    json_decref(watch->dropped);
    fs_free(watch);
}

void fs_connection_destroy(struct fs_engine *e, struct fs_connection *connection)
{
    FS_VEC(struct fs_watch *) watches = {0};
    for (struct fs_map_iter it = {0}; fs_map_next(&connection->watches, &it);)
        fs_vec_push(&watches, it.value);
    for (size_t i = 0; i < watches.count; i++)
        fs_watch_destroy(e, watches.items[i]);
    fs_vec_finish(&watches);
    fs_map_finish(&connection->watches, NULL);
    fs_map_remove(&e->connections, &connection->id, sizeof connection->id);
    fs_map_removes(&e->sessions, connection->session);
    fs_list_remove(&connection->flush_node);
    fs_alarm_cancel(e, &connection->expiry);
    fs_credential_unref(connection->credential);
    fs_free(connection->client_name);
    fs_free(connection->client_version);
    fs_free(connection);
}

/* An open connection gets its next lease, or goes: had its client lost the last one meanwhile? The client
 * fell to safe values then, though nobody had cut it off. */
void fs_connection_note_lease(struct fs_engine *e, const struct fs_connection *connection)
{
    e->counts.leases_ended += connection->lease_until && connection->lease_until < e->now.mono;
}

bool fs_connection_behind(const struct fs_connection *connection)
{
    return connection->acked_revision < connection->pushed_revision;
}

void fs_engine_disconnect(struct fs_engine *e, uint64_t id, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection || !connection->open)
        return;
    fs_connection_note_lease(e, connection);
    connection->open = false;
    connection->renew_wanted = false;
    for (struct fs_map_iter it = {0}; e->feeds && fs_map_next(&connection->watches, &it);)
        fs_feed_watched(e, ((struct fs_watch *)it.value)->view->context);
    *(connection->stream ? &e->counts.streams : &e->counts.connections) -= 1;
    fs_list_remove(&connection->flush_node);
    int64_t until = now.mono + e->options.hold;
    if (connection->lease_until > until)
        until = connection->lease_until;
    if (connection->watches.count && !connection->stream)
        fs_alarm_set(e, &connection->expiry, FS_DUE_CONNECTION, until);
    else
        fs_connection_destroy(e, connection);
}

void fs_connection_due(struct fs_engine *e, struct fs_connection *connection)
{
    fs_connection_destroy(e, connection);
}

void fs_connection_want_flush(struct fs_engine *e, struct fs_connection *connection)
{
    if (!connection->open)
        return;
    if (fs_list_empty(&connection->flush_node))
        fs_list_append(&e->flush, &connection->flush_node);
    if (connection->urgent && e->flush.next != &connection->flush_node) {
        fs_list_remove(&connection->flush_node);
        fs_list_append(e->flush.next, &connection->flush_node); /* in front: taking away goes first */
    }
}

/* `flag` UINT32_MAX: only `removed` has grown. */
void fs_watch_changed(struct fs_engine *e, struct fs_watch *watch, uint32_t flag, bool takes_away)
{
    if (watch->sent) {
        if (flag != UINT32_MAX) {
            e->counts.conflated += fs_bit(watch->dirty, flag);
            fs_bit_set(watch->dirty, flag);
        }
        watch->any_dirty = true;
        if (fs_list_empty(&watch->in_dirty))
            fs_list_append(&watch->connection->dirty, &watch->in_dirty);
        watch->connection->urgent |= takes_away;
    }
    fs_connection_want_flush(e, watch->connection);
}

static bool same_json(const json_t *a, const json_t *b)
{
    return a == b || (a && b && json_equal(a, b));
}

/* All tickets of a key bear one id: whom they were issued for counts as well. */
static bool same_identity(const struct fs_credential *a, const struct fs_credential *b)
{
    const char *subject_a = a->subject ? a->subject : "", *subject_b = b->subject ? b->subject : "";
    return !strcmp(a->id, b->id) && !strcmp(subject_a, subject_b) && same_json(a->actor, b->actor) &&
           same_json(a->attributes, b->attributes);
}

/* A resume point holds for the session that told it, of the same identity: another client's revisions say
 * nothing about this one. A resume counts as an acknowledgement. */
static void take_resume_point(struct fs_engine *e, struct fs_connection *connection,
                              const struct fs_hello *hello)
{
    if (!hello->resumes || !hello->epoch || strcmp(hello->epoch, e->options.epoch) ||
        hello->revision > e->revision)
        return;
    connection->claims = true;
    connection->claimed = hello->revision;
    struct fs_connection *old = fs_map_gets(&e->sessions, hello->session ? hello->session : "");
    if (!old || old == connection || old->stream || hello->revision > old->sent_revision ||
        !same_identity(old->credential, connection->credential))
        return;
    connection->acked_revision = connection->sent_revision = hello->revision;
    connection->acked_at = e->now.mono;
    memcpy(connection->resumes_from, old->session, sizeof connection->resumes_from);
    if (!old->open)
        return;
    /* Its end has not been noticed yet. */
    struct fs_delivery goaway = {.kind = FS_DELIVER_GOAWAY,
                                 .connection = old->id,
                                 .code = "disconnect",
                                 .text = "its client has come back on another connection",
                                 .close = 1001};
    e->options.ports.deliver(e->options.ports.self, &goaway);
    fs_engine_disconnect(e, old->id, e->now);
}

void fs_engine_hello(struct fs_engine *e, uint64_t id, const struct fs_hello *hello, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection || !connection->open)
        return;
    if (connection->greeted) {
        fs_deliver_error(e, connection, 0, "bad_frame", "hello is the first frame, and comes once", 4400);
        return;
    }
    connection->greeted = true;
    connection->client_name = fs_strdup(hello->client_name);
    connection->client_version = fs_strdup(hello->client_version);
    connection->renew_wanted = true; /* hello is renewal 0 */
    connection->hello_waiting = (unsigned)hello->watch_count;
    take_resume_point(e, connection, hello);
    struct fs_delivery welcome = {
        .kind = FS_DELIVER_WELCOME, .connection = id, .session = connection->session};
    connection->window--;
    e->options.ports.deliver(e->options.ports.self, &welcome);
    fs_connection_want_flush(e, connection);
}

/* Takes over from the connection that broke: identity for receipts, and what was not sent yet. True: what the
 * client holds is a value of this view that was kept current since. */
static bool resume(struct fs_engine *e, struct fs_watch *watch, const char *view_hash)
{
    struct fs_connection *connection = watch->connection;
    uint64_t revision = connection->acked_revision;
    struct fs_connection *old = fs_map_gets(&e->sessions, connection->resumes_from);
    struct fs_watch *left = old && view_hash ? fs_watch_find(old, watch->id) : NULL;
    if (!left || left->view != watch->view || strcmp(view_hash, watch->view->hash))
        return false;
    if (old->lease_until > connection->lease_until)
        connection->lease_until = old->lease_until; /* the client may still hold it */
    bool follows = left->sent && watch->view->since <= revision && e->removal_revision <= revision;
    fs_map_remove(&e->watches, &watch->serial, sizeof watch->serial);
    uint64_t serial = left->serial;
    fs_watch_destroy(e, left);
    watch->serial = serial;
    fs_map_set(&e->watches, &watch->serial, sizeof watch->serial, watch);
    if (!old->watches.count)
        fs_connection_destroy(e, old);
    if (!follows)
        return false;
    watch->sent = watch->resumed = true;
    for (size_t i = 0; i < e->set->count; i++)
        if (fs_bit(watch->view->flags, i) && watch->view->context->cells[i].revision > revision)
            fs_watch_changed(e, watch, (uint32_t)i, false);
    if (watch->of_hello && connection->hello_waiting)
        connection->hello_waiting--;
    return true;
}

static struct fs_watch *create(struct fs_engine *e, struct fs_connection *connection,
                               const struct fs_watch_wish *wish, struct fs_context_text *text)
{
    struct fs_watch *watch = FS_NEW(struct fs_watch);
    struct fs_context *context = fs_context_intern(e, text);
    bool client_only = !fs_credential_may(connection->credential, FS_SCOPE_EVALUATE_ANY);
    watch->id = wish->watch;
    watch->serial = ++e->next_serial;
    watch->connection = connection;
    watch->once = wish->once;
    watch->of_hello = wish->of_hello;
    watch->dropped = json_incref(text->dropped);
    fs_list_init(&watch->in_dirty);
    watch->view = fs_view_intern(e, context, client_only, wish->flags);
    if (watch->once) {
        fs_context_asked(e, context, 1);
    } else {
        fs_context_watched(e, context, 1);
        e->counts.watches++;
    }
    if (fs_list_empty(&watch->view->watches))
        watch->view->since = e->revision;
    watch->dirty = fs_calloc(e->words + 1, sizeof *watch->dirty);
    fs_list_append(&watch->view->watches, &watch->in_view);
    fs_map_set(&connection->watches, &watch->id, sizeof watch->id, watch);
    fs_map_set(&e->watches, &watch->serial, sizeof watch->serial, watch);
    return watch;
}

static const char *subject_of(const struct fs_context_text *text)
{
    const char *subject = fs_json_text(text->json, "targetingKey");
    return subject ? subject : "";
}

#define OWN_WATCHES 64 /* of a connection that sees its own subject only: each context costs memory */

static size_t most_watches(const struct fs_engine *e, const struct fs_connection *connection)
{
    bool any = fs_credential_may(connection->credential, FS_SCOPE_EVALUATE_ANY);
    return any || e->options.watches < OWN_WATCHES ? e->options.watches : OWN_WATCHES;
}

void fs_engine_watch(struct fs_engine *e, uint64_t id, const struct fs_watch_wish *wish, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection || !connection->open)
        return;
    struct fs_err err = {0};
    struct fs_context_text text;
    const char *code = NULL;
    if (!connection->greeted) {
        fs_deliver_error(e, connection, 0, "bad_frame", "hello is the first frame", 4400);
        return;
    }
    if (!e->set) {
        fs_fail(&err, FS_ERR_UNAVAILABLE, "flags are not loaded yet");
        code = "unavailable";
    } else if (fs_watch_find(connection, wish->watch)) {
        fs_fail(&err, FS_ERR_INVALID, "watch %llu exists already on this connection",
                (unsigned long long)wish->watch);
        code = "duplicate_watch";
    } else if (connection->watches.count >= most_watches(e, connection)) {
        fs_fail(&err, FS_ERR_LIMIT, "this connection has at most %zu watches", most_watches(e, connection));
        code = "limit";
    } else if (e->counts.watches >= e->options.watches_total) {
        fs_fail(&err, FS_ERR_LIMIT, "the service has as many watches as it takes");
        code = "limit";
    } else if (!fs_context_make(wish->context, connection->credential, &e->options.context_rules, &text,
                                &err)) {
        code = err.code == FS_ERR_FORBIDDEN   ? "forbidden"
               : err.code == FS_ERR_TOO_LARGE ? "limit"
                                              : "bad_context";
    } else if (!*subject_of(&text)) {
        fs_context_text_finish(&text);
        fs_fail(&err, FS_ERR_INVALID, "context.targetingKey is missing: a watch is about a subject");
        code = "bad_context";
    }
    if (code) {
        if (wish->of_hello && connection->hello_waiting)
            connection->hello_waiting--;
        fs_deliver_error(e, connection, wish->watch, code, err.text, 0);
        fs_connection_want_flush(e, connection);
        return;
    }
    struct fs_watch *watch = create(e, connection, wish, &text);
    fs_context_text_finish(&text);
    if (!resume(e, watch, wish->resume_view)) {
        fs_receipts_join(e, watch);
        if (wish->resume_view && connection->claims && connection->claimed == e->revision)
            e->revision++; /* the snapshot replaces what the client holds of this revision: an ack of it must
                              not be ambiguous */
        watch->replaces = wish->resume_view && connection->claims;
        fs_list_append(&connection->fresh, &watch->in_dirty);
        for (size_t i = 0; i < e->set->count; i++)
            if (fs_bit(watch->view->flags, i))
                fs_cell_recall(e, watch->view->context, (uint32_t)i);
        fs_alarm_set(e, &watch->deadline, FS_DUE_WATCH, now.mono + e->options.evaluate_timeout);
    }
    if (!watch->once)
        fs_view_kept(e, watch->view);
    fs_connection_want_flush(e, connection);
}

/* The first snapshot leaves now: safe where unanswered. */
void fs_watch_due(struct fs_engine *e, struct fs_watch *watch)
{
    watch->overdue = true;
    fs_view_force(e, watch->view);
    fs_connection_want_flush(e, watch->connection);
}

void fs_engine_unwatch(struct fs_engine *e, uint64_t id, uint64_t watch_id, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    struct fs_watch *watch = connection ? fs_watch_find(connection, watch_id) : NULL;
    if (watch)
        fs_watch_destroy(e, watch);
    else if (connection && connection->open)
        fs_deliver_error(e, connection, watch_id, "unknown_watch",
                         "there is no such watch on this connection", 0);
    if (connection)
        fs_connection_want_flush(e, connection);
}

void fs_engine_renew(struct fs_engine *e, uint64_t id, uint64_t n, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection || !connection->open || !connection->greeted || connection->revoked)
        return;
    if (n < connection->renew_n) {
        fs_deliver_error(e, connection, 0, "bad_frame", "renewals count upwards", 4400);
        return;
    }
    connection->renew_n = n;
    connection->renew_wanted = true;
    fs_connection_want_flush(e, connection);
}

void fs_engine_ack(struct fs_engine *e, uint64_t id, uint64_t revision, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection || !connection->open || revision == connection->acked_revision)
        return;
    if (revision > connection->sent_revision || revision < connection->acked_revision) {
        /* A revision that was never sent cannot have been applied. */
        fs_deliver_error(e, connection, 0, "bad_frame",
                         "acknowledgements count upwards, of revisions that were sent", 4400);
        return;
    }
    uint64_t pushed = connection->pushed_revision > revision ? connection->pushed_revision : revision;
    if (revision == pushed && connection->pushed_at)
        fs_histogram_add(&e->counts.push_to_ack, (double)(now.mono - connection->pushed_at) / 1000);
    fs_histogram_add(&e->counts.lag, (double)(pushed - revision));
    connection->pushed_at = revision < pushed ? connection->pushed_last : 0;
    connection->acked_revision = revision;
    connection->acked_at = now.mono;
    fs_feeds_acked(e);
}

void fs_engine_sent(struct fs_engine *e, uint64_t id, unsigned frames, struct fs_time now)
{
    e->now = now;
    struct fs_connection *connection = fs_connection_find(e, id);
    if (!connection)
        return;
    connection->window += (int)frames;
    fs_connection_want_flush(e, connection);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * From changed flags to messages. Per connection, in this order: what has changed, first snapshots, the
 * lease. A lease is granted only behind all that was computed before it, so that no renewal can outlive a
 * change that it did not carry.
 */
#include "engine_internal.h"

static void send(struct fs_engine *e, struct fs_connection *connection, struct fs_delivery *delivery)
{
    delivery->connection = connection->id;
    delivery->stream = connection->stream;
    if (delivery->kind == FS_DELIVER_DELTA || delivery->kind == FS_DELIVER_SNAPSHOT) {
        connection->pushed_revision = delivery->revision;
        connection->pushed_last = e->now.mono;
        if (!connection->pushed_at)
            connection->pushed_at = e->now.mono;
    }
    connection->window--;
    e->options.ports.deliver(e->options.ports.self, delivery);
}

void fs_deliver_error(struct fs_engine *e, struct fs_connection *connection, uint64_t watch, const char *code,
                      const char *text, int close)
{
    struct fs_delivery delivery = {
        .kind = FS_DELIVER_ERROR, .watch = watch, .code = code, .text = text, .close = close};
    send(e, connection, &delivery);
}

static bool same_flags(const struct fs_engine *e, const uint64_t *a, const uint64_t *b)
{
    return !memcmp(a, b, e->words * sizeof *a);
}

#define FRAME_ROOM 128 /* bytes of a frame around one body: type, revision, the watch's number */
#define PART_ROOM  32  /* ... around each further one */

/* As much as fits into one frame. */
static struct fs_blob *encode(struct fs_engine *e, const struct fs_view *view, struct fs_view_state *state,
                              struct fs_taken *taken)
{
    size_t count = state->flag_count;
    bool more = state->more;
    state->view = view->hash;
    state->revision = e->revision;
    state->limit = e->options.send > 2 * FRAME_ROOM ? e->options.send - FRAME_ROOM : FRAME_ROOM;
    if (count > FS_PART_FLAGS) {
        state->flag_count = FS_PART_FLAGS;
        state->more = true;
    }
    struct fs_blob *body = e->options.ports.encode(e->options.ports.self, state, taken);
    if (taken->removed) /* where none were, there is no list */
        state->removed += taken->removed;
    state->removed_count -= taken->removed;
    state->flags += taken->flags;
    state->flag_count = count - taken->flags;
    state->more = more;
    return body;
}

/* The bytes of a delta for one watch: made once for all watches of the view to which the same has happened.
 */
static void encode_delta(struct fs_engine *e, struct fs_watch *watch)
{
    struct fs_view *view = watch->view;
    bool shared = !watch->removed.count;
    if (shared && view->bodies.count && view->body_revision == e->revision &&
        same_flags(e, view->body_flags, watch->dirty))
        return;
    fs_view_forget_bodies(view);
    struct fs_flag_state *states;
    size_t count = fs_view_states(e, view, watch->dirty, &states);
    struct fs_view_state left = {.removed = (const char *const *)(void *)watch->removed.items,
                                 .removed_count = watch->removed.count,
                                 .flags = states,
                                 .flag_count = count};
    do {
        struct fs_taken taken;
        fs_vec_push(&view->bodies, encode(e, view, &left, &taken));
    } while (left.removed_count || left.flag_count);
    fs_free(states);
    view->body_revision = shared ? e->revision : 0; /* with removed keys it is this watch's alone */
    memcpy(view->body_flags, watch->dirty, e->words * sizeof *watch->dirty);
}

static void mark_clean(struct fs_engine *e, struct fs_watch *watch)
{
    memset(watch->dirty, 0, e->words * sizeof *watch->dirty);
    watch->any_dirty = false;
    for (size_t i = 0; i < watch->removed.count; i++)
        fs_free(watch->removed.items[i]);
    fs_vec_clear(&watch->removed);
    fs_list_remove(&watch->in_dirty);
}

#define PARTS 64 /* watches in one frame of a delta */

struct parts {
    FS_VEC(struct fs_delivery_part) list;
};

/* How many of these fit into one frame. */
static size_t fit(const struct fs_engine *e, const struct fs_delivery_part *parts, size_t count)
{
    size_t fitting = 0, bytes = FRAME_ROOM;
    while (fitting < count && fitting < PARTS) {
        const struct fs_delivery_part *part = &parts[fitting];
        bytes += part->body->length + (fitting ? PART_ROOM : 0);
        if (fitting && (bytes > e->options.send || part[-1].watch == part->watch))
            break;
        fitting++;
    }
    return fitting;
}

/* All that has changed on the connection, as one revision; in several frames where it is much. */
static void send_delta(struct fs_engine *e, struct fs_connection *connection)
{
    struct parts parts = {0};
    FS_LIST_EACH(&connection->dirty, node)
    {
        struct fs_watch *watch = FS_CONTAINER(node, struct fs_watch, in_dirty);
        encode_delta(e, watch);
        for (size_t i = 0; i < watch->view->bodies.count; i++) {
            struct fs_delivery_part part = {.watch = watch->id,
                                            .body = fs_blob_ref(watch->view->bodies.items[i])};
            fs_vec_push(&parts.list, part);
        }
        mark_clean(e, watch);
    }
    for (size_t from = 0, count; from < parts.list.count; from += count) {
        count = fit(e, parts.list.items + from, parts.list.count - from);
        struct fs_delivery delivery = {.kind = FS_DELIVER_DELTA,
                                       .revision = e->revision,
                                       .more = from + count < parts.list.count,
                                       .parts = parts.list.items + from,
                                       .part_count = count};
        send(e, connection, &delivery);
    }
    for (size_t i = 0; i < parts.list.count; i++)
        fs_blob_unref(parts.list.items[i].body);
    fs_vec_finish(&parts.list);
    connection->urgent = false;
    connection->sent_revision = e->revision;
}

static void send_snapshot(struct fs_engine *e, struct fs_connection *connection, struct fs_watch *watch)
{
    struct fs_flag_state *states;
    size_t count = fs_view_states(e, watch->view, NULL, &states);
    struct fs_view_state left = {.snapshot = true,
                                 .once = watch->once,
                                 .flags = states,
                                 .flag_count = count,
                                 .dropped = watch->dropped};
    if (watch->replaces && connection->sent_revision >= e->revision)
        e->revision++; /* an acknowledgement must not be mistaken for one of what was sent before */
    watch->snapshot_revision = e->revision;
    do {
        struct fs_taken taken;
        struct fs_delivery_part only = {.watch = watch->id, .body = encode(e, watch->view, &left, &taken)};
        struct fs_delivery delivery = {
            .kind = FS_DELIVER_SNAPSHOT, .revision = e->revision, .parts = &only, .part_count = 1};
        send(e, connection, &delivery);
        fs_blob_unref(only.body);
        left.dropped = NULL;
    } while (left.flag_count);
    fs_free(states);
    fs_alarm_cancel(e, &watch->deadline);
    if (watch->of_hello && connection->hello_waiting)
        connection->hello_waiting--;
    watch->of_hello = false;
    mark_clean(e, watch);
    watch->sent = true;
    connection->sent_revision = e->revision;
    if (watch->once)
        fs_watch_destroy(e, watch);
}

/* Nothing may be computed and not queued: a tick under way is such a thing, and what is left for the next,
 * unless their denials went ahead of a late journal. */
static bool may_grant(const struct fs_engine *e, const struct fs_connection *connection)
{
    return connection->renew_wanted && !connection->hello_waiting && (!fs_tick_under_way(e) || e->tick_ahead);
}

static void send_lease(struct fs_engine *e, struct fs_connection *connection)
{
    struct fs_delivery delivery = {.kind = FS_DELIVER_LEASE,
                                   .revision = e->revision,
                                   .n = connection->renew_n,
                                   .duration = e->options.lease};
    connection->renew_wanted = false;
    if (connection->renew_n)
        fs_connection_note_lease(e, connection);
    connection->lease_until = e->now.mono + e->options.lease + 1; /* `now` was cut to whole milliseconds */
    connection->sent_revision = e->revision;
    send(e, connection, &delivery);
}

static void send_refetch(struct fs_engine *e, struct fs_connection *connection)
{
    struct fs_delivery delivery = {.kind = FS_DELIVER_REFETCH, .revision = e->revision};
    FS_LIST_EACH(&connection->dirty, node)
    {
        mark_clean(e, FS_CONTAINER(node, struct fs_watch, in_dirty));
    }
    connection->urgent = false;
    connection->sent_revision = e->revision;
    send(e, connection, &delivery);
}

/* An event stream has no snapshot: its client has fetched before, at a moment that nobody remembers. Until
 * now nothing was kept current for it, so it always fetches again (304 where nothing is new). */
static void start_stream(struct fs_engine *e, struct fs_connection *connection, struct fs_watch *watch)
{
    mark_clean(e, watch);
    fs_alarm_cancel(e, &watch->deadline);
    watch->sent = true;
    send_refetch(e, connection);
}

static void send_fresh(struct fs_engine *e, struct fs_connection *connection)
{
    FS_LIST_EACH(&connection->fresh, node)
    {
        struct fs_watch *watch = FS_CONTAINER(node, struct fs_watch, in_dirty);
        if (connection->window <= 0)
            return;
        if (!watch->overdue && fs_view_waits(e, watch->view))
            continue;
        if (connection->stream)
            start_stream(e, connection, watch);
        else
            send_snapshot(e, connection, watch);
    }
}

static void flush(struct fs_engine *e, struct fs_connection *connection)
{
    if (!connection->greeted || connection->window <= 0)
        return;
    if (!fs_list_empty(&connection->dirty) && connection->stream)
        send_refetch(e, connection);
    else if (!fs_list_empty(&connection->dirty))
        send_delta(e, connection);
    send_fresh(e, connection);
    if (connection->window > 0 && may_grant(e, connection))
        send_lease(e, connection);
}

static bool is_done(const struct fs_connection *connection)
{
    return fs_list_empty(&connection->dirty) && fs_list_empty(&connection->fresh) &&
           !connection->renew_wanted;
}

void fs_deliver_all(struct fs_engine *e)
{
    FS_LIST_EACH(&e->flush, node)
    {
        struct fs_connection *connection = FS_CONTAINER(node, struct fs_connection, flush_node);
        flush(e, connection);
        if (is_done(connection))
            fs_list_remove(&connection->flush_node);
    }
}

void fs_engine_goaway(struct fs_engine *e, const char *credential_id, const char *code, const char *text,
                      int64_t drain, int64_t reconnect, int close)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->connections, &it);) {
        struct fs_connection *connection = it.value;
        if (!connection->open || (credential_id && strcmp(connection->credential->id, credential_id)))
            continue;
        struct fs_delivery delivery = {.kind = FS_DELIVER_GOAWAY,
                                       .code = code,
                                       .text = text,
                                       .duration = drain,
                                       .reconnect = reconnect,
                                       .close = close};
        send(e, connection, &delivery);
        connection->revoked |= !strcmp(code, "revoked");
        connection->renew_wanted &= !connection->revoked;
    }
}

bool fs_engine_has_session(const struct fs_engine *e, const char *session)
{
    const struct fs_connection *connection = fs_map_gets(&e->sessions, session);
    return connection && connection->open;
}

void fs_engine_end_session(struct fs_engine *e, const char *session, const char *code, const char *text,
                           int64_t reconnect, int close)
{
    struct fs_connection *connection = fs_map_gets(&e->sessions, session);
    if (!connection || !connection->open)
        return;
    struct fs_delivery delivery = {
        .kind = FS_DELIVER_GOAWAY, .code = code, .text = text, .reconnect = reconnect, .close = close};
    send(e, connection, &delivery);
}

void fs_engine_end(struct fs_engine *e, int close)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->connections, &it);) {
        struct fs_connection *connection = it.value;
        struct fs_delivery end = {.kind = FS_DELIVER_CLOSE, .code = "drain", .close = close};
        if (connection->open)
            send(e, connection, &end);
    }
}

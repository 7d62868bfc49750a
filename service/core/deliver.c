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
    if (!connection->pushed_at &&
        (delivery->kind == FS_DELIVER_DELTA || delivery->kind == FS_DELIVER_SNAPSHOT))
        connection->pushed_at = e->now.mono;
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

static struct fs_blob *encode(struct fs_engine *e, const struct fs_view *view, struct fs_view_state *state)
{
    state->view = view->hash;
    state->revision = e->revision;
    return e->options.ports.encode(e->options.ports.self, state);
}

/* The bytes of a delta for one watch: made once for all watches of the view to which the same has happened.
 */
static struct fs_blob *delta_body(struct fs_engine *e, struct fs_watch *watch)
{
    struct fs_view *view = watch->view;
    bool shared = !watch->removed.count;
    if (shared && view->body && view->body_revision == e->revision &&
        same_flags(e, view->body_flags, watch->dirty))
        return fs_blob_ref(view->body);
    struct fs_flag_state *states;
    size_t count = fs_view_states(e, view, watch->dirty, &states);
    struct fs_view_state state = {.removed = (const char *const *)(void *)watch->removed.items,
                                  .removed_count = watch->removed.count,
                                  .flags = states,
                                  .flag_count = count};
    struct fs_blob *body = encode(e, view, &state);
    fs_free(states);
    if (shared) {
        fs_blob_unref(view->body);
        view->body = fs_blob_ref(body);
        view->body_revision = e->revision;
        memcpy(view->body_flags, watch->dirty, e->words * sizeof *watch->dirty);
    }
    return body;
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

/* All that has changed on the connection, as one revision; in several frames where it is much. */
static void send_delta(struct fs_engine *e, struct fs_connection *connection)
{
    struct fs_delivery_part parts[PARTS];
    size_t count = 0, left = 0;
    FS_LIST_EACH(&connection->dirty, counted)
    {
        left++;
    }
    FS_LIST_EACH(&connection->dirty, node)
    {
        struct fs_watch *watch = FS_CONTAINER(node, struct fs_watch, in_dirty);
        parts[count++] = (struct fs_delivery_part){.watch = watch->id, .body = delta_body(e, watch)};
        mark_clean(e, watch);
        left--;
        if (count < PARTS && left)
            continue;
        struct fs_delivery delivery = {.kind = FS_DELIVER_DELTA,
                                       .revision = e->revision,
                                       .more = left > 0,
                                       .parts = parts,
                                       .part_count = count};
        send(e, connection, &delivery);
        for (size_t i = 0; i < count; i++)
            fs_blob_unref(parts[i].body);
        count = 0;
    }
    connection->urgent = false;
    connection->sent_revision = e->revision;
}

static void send_snapshot(struct fs_engine *e, struct fs_connection *connection, struct fs_watch *watch)
{
    struct fs_flag_state *states;
    size_t count = fs_view_states(e, watch->view, NULL, &states);
    size_t from = 0;
    if (watch->replaces && connection->sent_revision >= e->revision)
        e->revision++; /* an acknowledgement must not be mistaken for one of what was sent before */
    watch->snapshot_revision = e->revision;
    do {
        size_t part = count - from > FS_PART_FLAGS ? FS_PART_FLAGS : count - from;
        struct fs_view_state state = {.snapshot = true,
                                      .once = watch->once,
                                      .more = from + part < count,
                                      .flags = states + from,
                                      .flag_count = part,
                                      .dropped = from ? NULL : watch->dropped};
        struct fs_blob *body = encode(e, watch->view, &state);
        struct fs_delivery_part only = {.watch = watch->id, .body = body};
        struct fs_delivery delivery = {
            .kind = FS_DELIVER_SNAPSHOT, .revision = e->revision, .parts = &only, .part_count = 1};
        send(e, connection, &delivery);
        fs_blob_unref(body);
        from += part;
    } while (from < count);
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
    connection->lease_until = e->now.mono + e->options.lease;
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

/* An event stream has no snapshot: its client has fetched, and is told to do so again where something has
 * changed since. */
static void start_stream(struct fs_engine *e, struct fs_connection *connection, struct fs_watch *watch)
{
    const struct fs_context *context = watch->view->context;
    bool missed = watch->refetch;
    for (size_t i = 0; i < e->set->count; i++)
        missed |= fs_bit(watch->view->flags, i) && context->cells[i].revision > context->fetched_revision;
    mark_clean(e, watch);
    fs_alarm_cancel(e, &watch->deadline);
    watch->sent = true;
    if (missed)
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

void fs_engine_end(struct fs_engine *e, int close)
{
    for (struct fs_map_iter it = {0}; fs_map_next(&e->connections, &it);) {
        struct fs_connection *connection = it.value;
        struct fs_delivery end = {.kind = FS_DELIVER_CLOSE, .code = "drain", .close = close};
        if (connection->open)
            send(e, connection, &end);
    }
}

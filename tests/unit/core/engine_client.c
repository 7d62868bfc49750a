/* SPDX-License-Identifier: Apache-2.0 */
/* Clients that follow docs/protocol: they apply, acknowledge, renew and know when their lease is over. See
 * engine_world.h. */
#include "engine_world.h"

static void finish_frame(struct world_frame *frame)
{
    for (size_t i = 0; i < frame->count; i++)
        json_decref(frame->parts[i].body);
    fs_free(frame->parts);
}

static struct world_client *find_client(struct world *w, uint64_t connection)
{
    for (size_t i = 0; i < w->clients.count; i++)
        if (w->clients.items[i]->connection == connection)
            return w->clients.items[i];
    return NULL;
}

void world_deliver(struct world *w, const struct fs_delivery *delivery)
{
    struct world_client *c = find_client(w, delivery->connection);
    assert_non_null(c);
    if (delivery->kind == FS_DELIVER_LEASE) { /* never past a change that is not queued */
        struct fs_connection *connection = fs_connection_find(w->engine, delivery->connection);
        FS_LIST_EACH(&connection->dirty, node)
        {
            assert_false(FS_CONTAINER(node, struct fs_watch, in_dirty)->sent);
        }
        assert_true(!w->engine->tick_token || w->engine->tick_ahead);
    }
    struct world_frame frame = {.kind = delivery->kind,
                                .revision = delivery->revision,
                                .more = delivery->more,
                                .n = delivery->n,
                                .duration = delivery->duration,
                                .watch = delivery->watch,
                                .close = delivery->close};
    frame.count = delivery->part_count;
    frame.parts = fs_calloc(frame.count + 1, sizeof *frame.parts);
    for (size_t i = 0; i < frame.count; i++) {
        frame.parts[i].watch = delivery->parts[i].watch;
        frame.parts[i].body = json_loadb((const char *)delivery->parts[i].body->bytes,
                                         delivery->parts[i].body->length, 0, NULL);
        assert_non_null(frame.parts[i].body);
        frame.bytes += delivery->parts[i].body->length;
        frame.flag_count += json_object_size(json_object_get(frame.parts[i].body, "flags"));
        assert_int_equal(json_integer_value(json_object_get(frame.parts[i].body, "revision")),
                         delivery->revision);
    }
    snprintf(frame.code, sizeof frame.code, "%s", delivery->code ? delivery->code : "");
    snprintf(frame.text, sizeof frame.text, "%s",
             delivery->text      ? delivery->text
             : delivery->session ? delivery->session
                                 : "");
    fs_vec_push(&c->inbox, frame);
}

struct world_client *world_client_as(struct world *w, const char *name, const char *scopes,
                                     const char *subject)
{
    struct world_client *c = FS_NEW(struct world_client);
    c->world = w;
    snprintf(c->name, sizeof c->name, "%s", name);
    c->credential = FS_NEW(struct fs_credential);
    atomic_init(&c->credential->references, 1);
    c->credential->id = fs_strdup(name);
    c->credential->name = fs_strdup(name);
    c->credential->subject = fs_strdup(subject);
    assert_true(fs_credential_add_scope(c->credential, scopes));
    fs_vec_push(&w->clients, c);
    return c;
}

struct world_client *world_client(struct world *w, const char *name)
{
    return world_client_as(w, name, "evaluate:any", NULL);
}

static void finish_cached(struct world_cached *cached)
{
    json_decref(cached->flags);
    json_decref(cached->open);
    json_decref(cached->context);
}

void world_client_destroy(struct world_client *c)
{
    for (size_t i = c->read; i < c->inbox.count; i++)
        finish_frame(&c->inbox.items[i]);
    fs_vec_finish(&c->inbox);
    for (size_t i = 0; i < c->watches.count; i++)
        finish_cached(&c->watches.items[i]);
    fs_vec_finish(&c->watches);
    fs_credential_unref(c->credential);
    fs_free(c);
}

struct world_cached *world_cached(struct world_client *c, uint64_t watch)
{
    struct world_cached *guess = watch && watch <= c->watches.count ? &c->watches.items[watch - 1] : NULL;
    if (guess && guess->watch == watch && !guess->gone) /* most tests count from 1 */
        return guess;
    for (size_t i = 0; i < c->watches.count; i++)
        if (c->watches.items[i].watch == watch && !c->watches.items[i].gone)
            return &c->watches.items[i];
    return NULL;
}

static void send_watch(struct world_client *c, struct world_cached *cached, const char *const *flags,
                       bool once, bool of_hello, bool resume)
{
    struct fs_watch_wish wish = {.watch = cached->watch,
                                 .context = cached->context,
                                 .flags = flags,
                                 .once = once,
                                 .of_hello = of_hello};
    if (resume && cached->held)
        wish.resume_view = cached->view;
    fs_engine_watch(c->world->engine, c->connection, &wish, c->world->now);
    world_called(c->world);
}

void world_connect(struct world_client *c, bool resume)
{
    struct world *w = c->world;
    c->connection = ++w->next_connection;
    c->closed = c->acked = 0;
    c->open = false;
    c->next_n = 1;
    c->goaway[0] = 0;
    size_t count = 0;
    for (size_t i = 0; i < c->watches.count; i++)
        count += !c->watches.items[i].gone;
    fs_engine_connect(w->engine, c->connection, c->credential, "127.0.0.1", false, w->now);
    c->sent_at[0] = w->now.mono;
    struct fs_hello hello = {.client_name = c->name,
                             .client_version = "1",
                             .resumes = resume,
                             .epoch = resume ? c->epoch : NULL,
                             .session = resume ? c->session : NULL,
                             .revision = resume ? c->revision : 0,
                             .watch_count = count};
    fs_engine_hello(w->engine, c->connection, &hello, w->now);
    world_called(w);
    for (size_t i = 0; i < c->watches.count; i++)
        if (!c->watches.items[i].gone)
            send_watch(c, &c->watches.items[i], NULL, false, true, resume);
    if (!resume ||
        strcmp(c->epoch,
               w->options.epoch)) { /* as the welcome says: another life, every watch gets a snapshot */
        c->revision = 0;
        for (size_t i = 0; i < c->watches.count; i++)
            c->watches.items[i].held = false;
    }
    c->closed = resume ? c->revision : 0;
    snprintf(c->epoch, sizeof c->epoch, "%s", w->options.epoch);
}

void world_drop(struct world_client *c)
{
    uint64_t connection = c->connection;
    for (size_t i = c->read; i < c->inbox.count; i++)
        finish_frame(&c->inbox.items[i]);
    fs_vec_clear(&c->inbox);
    c->read = c->written = 0;
    c->connection = 0;
    for (size_t i = 0; i < c->watches.count; i++) {
        json_decref(c->watches.items[i].open);
        c->watches.items[i].open = NULL;
    }
    fs_engine_disconnect(c->world->engine, connection, c->world->now);
    world_called(c->world);
}

void world_watch_flags(struct world_client *c, uint64_t watch, const char *context, const char *const *flags,
                       bool once)
{
    struct world_cached cached = {.watch = watch, .flags = json_object()};
    cached.context =
        *context == '{' ? json_loads(context, 0, NULL) : json_pack("{s:s}", "targetingKey", context);
    fs_vec_push(&c->watches, cached);
    if (c->connection)
        send_watch(c, &c->watches.items[c->watches.count - 1], flags, once, false, false);
}

void world_watch(struct world_client *c, uint64_t watch, const char *context)
{
    world_watch_flags(c, watch, context, NULL, false);
}

void world_unwatch(struct world_client *c, uint64_t watch)
{
    struct world_cached *cached = world_cached(c, watch);
    if (cached)
        cached->gone = true;
    if (c->connection)
        fs_engine_unwatch(c->world->engine, c->connection, watch, c->world->now);
    world_called(c->world);
}

void world_renew(struct world_client *c)
{
    if (!c->connection || c->next_n >= 256)
        return;
    c->sent_at[c->next_n] = c->world->now.mono;
    fs_engine_renew(c->world->engine, c->connection, c->next_n++, c->world->now);
    world_called(c->world);
}

bool world_leased(const struct world_client *c)
{
    return c->world->now.mono < c->lease_until;
}

/* A frame of revision R: nothing older than what is closed, and nothing else while another is open. */
static void follow_revision(struct world_client *c, const struct world_frame *frame, bool first)
{
    if (c->open)
        assert_int_equal(frame->revision, c->open_revision);
    else if (first)
        assert_true(frame->revision >= c->closed);
    else
        assert_true(frame->revision > c->closed);
    c->open = true;
    c->open_revision = frame->revision;
}

static void close_revision(struct world_client *c)
{
    c->open = false;
    if (c->open_revision > c->closed)
        c->closed = c->open_revision;
    c->revision = c->closed;
    if (c->mute)
        return;
    c->acked = c->closed;
    fs_engine_ack(c->world->engine, c->connection, c->closed, c->world->now);
    world_called(c->world);
}

static void apply_snapshot(struct world_client *c, const struct world_frame *frame)
{
    json_t *body = frame->parts[0].body;
    struct world_cached *cached = world_cached(c, frame->parts[0].watch);
    bool more = json_is_true(json_object_get(body, "more"));
    assert_int_equal(frame->count, 1);
    assert_true(json_is_true(json_object_get(body, "snapshot")));
    follow_revision(c, frame, cached == NULL || !cached->held || c->open);
    c->snapshots++;
    if (cached) {
        if (!cached->open)
            cached->open = json_object();
        json_object_update(cached->open, json_object_get(body, "flags"));
        if (!more) {
            json_decref(cached->flags);
            cached->flags = cached->open;
            cached->open = NULL;
            cached->held = true;
            snprintf(cached->view, sizeof cached->view, "%s",
                     json_string_value(json_object_get(body, "view")));
        }
    }
    if (!more)
        close_revision(c);
}

static void apply_part(struct world_client *c, uint64_t watch, json_t *body)
{
    struct world_cached *cached = world_cached(c, watch);
    const char *key;
    json_t *value;
    size_t i;
    assert_false(json_is_true(json_object_get(body, "snapshot")));
    if (!cached)
        return;
    assert_true(cached->held);
    assert_string_equal(cached->view, json_string_value(json_object_get(body, "view")));
    json_array_foreach(json_object_get(body, "removed"), i, value)
    {
        json_object_del(cached->flags, json_string_value(value));
    }
    json_object_foreach(json_object_get(body, "flags"), key, value)
    {
        const json_t *before = json_object_get(cached->flags, key);
        if (before) /* another type is removed first */
            assert_string_equal(fs_json_text(before, "type"), fs_json_text(value, "type"));
        json_object_set(cached->flags, key, value);
    }
}

static void apply_lease(struct world_client *c, const struct world_frame *frame)
{
    assert_false(c->open);
    assert_true(frame->n < c->next_n);
    assert_true(frame->revision >= c->closed);
    int64_t until = c->sent_at[frame->n] + frame->duration;
    if (until > c->lease_until)
        c->lease_until = until;
    c->granted++;
    c->revision = frame->revision;
}

static void apply(struct world_client *c, struct world_frame *frame)
{
    switch (frame->kind) {
    case FS_DELIVER_CLOSE:
        break;
    case FS_DELIVER_WELCOME:
        snprintf(c->session, sizeof c->session, "%.23s", frame->text);
        break;
    case FS_DELIVER_SNAPSHOT:
        apply_snapshot(c, frame);
        break;
    case FS_DELIVER_DELTA:
        follow_revision(c, frame, false);
        c->deltas++;
        for (size_t i = 0; i < frame->count; i++)
            apply_part(c, frame->parts[i].watch, frame->parts[i].body);
        if (!frame->more)
            close_revision(c);
        break;
    case FS_DELIVER_LEASE:
        apply_lease(c, frame);
        break;
    case FS_DELIVER_ERROR:
        c->errors++;
        snprintf(c->last_error, sizeof c->last_error, "%s", frame->code);
        if (frame->watch && strcmp(frame->code, "duplicate_watch") && strcmp(frame->code, "unknown_watch") &&
            world_cached(c, frame->watch))
            world_cached(c, frame->watch)->gone = true;
        break;
    case FS_DELIVER_GOAWAY:
        snprintf(c->goaway, sizeof c->goaway, "%s", frame->code);
        if (!strcmp(frame->code, "revoked"))
            c->lease_until = 0;
        break;
    case FS_DELIVER_REFETCH:
        c->refetches++;
        break;
    }
}

void world_read(struct world_client *c)
{
    if (!c->connection)
        return;
    if (!c->blocked && c->written < c->inbox.count) {
        unsigned frames = (unsigned)(c->inbox.count - c->written);
        c->written = c->inbox.count;
        fs_engine_sent(c->world->engine, c->connection, frames, c->world->now);
        world_called(c->world);
    }
    while (!c->frozen && c->read < c->written) {
        struct world_frame frame = c->inbox.items[c->read++]; /* the inbox may grow meanwhile */
        apply(c, &frame);
        finish_frame(&frame);
    }
}

json_t *world_flag(struct world_client *c, uint64_t watch, const char *flag)
{
    struct world_cached *cached = world_cached(c, watch);
    return cached ? json_object_get(cached->flags, flag) : NULL;
}

const char *world_value(struct world_client *c, uint64_t watch, const char *key)
{
    static char text[200];
    const json_t *flag = world_flag(c, watch, key);
    const json_t *safe = json_object_get(flag, "safe");
    const json_t *value = json_object_get(safe && !world_leased(c) ? safe : flag, "value");
    char *dump = value ? json_dumps(value, JSON_ENCODE_ANY | JSON_COMPACT | JSON_SORT_KEYS) : NULL;
    snprintf(text, sizeof text, "%s", dump ? dump : flag ? "none" : "absent");
    free(dump);
    return text;
}

const char *world_reason(struct world_client *c, uint64_t watch, const char *key)
{
    const char *reason = fs_json_text(world_flag(c, watch, key), "reason");
    return reason ? reason : "absent";
}

static void assert_same(struct world_client *c, const struct fs_watch *watch)
{
    const struct fs_engine *e = c->world->engine;
    struct world_cached *cached = world_cached(c, watch->id);
    size_t count = 0;
    assert_non_null(cached);
    assert_true(cached->held);
    for (size_t i = 0; i < e->set->count; i++) {
        const struct fs_cell *cell = &watch->view->context->cells[i];
        if (!fs_bit(watch->view->flags, i) || !cell->known)
            continue;
        json_t *flag = json_object_get(cached->flags, e->set->flags[i]->key);
        count++;
        assert_non_null(flag);
        assert_true(fs_json_equal(json_object_get(flag, "value"), cell->value.value));
        assert_string_equal(fs_json_text(flag, "reason"), fs_reason_name(cell->value.reason));
        assert_string_equal(fs_json_text(flag, "type"), fs_type_name(e->set->flags[i]->type));
        const char *variant = fs_json_text(flag, "variant");
        assert_string_equal(variant ? variant : "", cell->value.variant ? cell->value.variant : "");
    }
    assert_int_equal(json_object_size(cached->flags), count);
}

void world_assert_converged(struct world *w)
{
    for (size_t i = 0; i < w->clients.count; i++) {
        struct world_client *c = w->clients.items[i];
        if (!c->connection || c->frozen || c->blocked)
            continue;
        struct fs_connection *connection = fs_connection_find(w->engine, c->connection);
        assert_non_null(connection);
        for (struct fs_map_iter it = {0}; fs_map_next(&connection->watches, &it);)
            assert_same(c, it.value);
    }
}

struct world_client *world_watching(struct world *w, const char *name)
{
    struct world_client *c = world_client(w, name);
    world_watch(c, 1, "ada");
    world_connect(c, false);
    world_run(w);
    return c;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * send.c: what a session has to say next. Nothing is queued: each frame is made from the state when it can be
 * sent, so acknowledgements are cumulative by themselves and a renewal's time is the time of its sending.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

#define HELLO_BYTES                                                                                          \
    60000 /* of watches in hello before the server has said what it takes; the rest follows as `watch` */

static enum fsw_outcome encode(json_t *frame, size_t headroom, unsigned char **message, size_t *length)
{
    size_t size = frame == NULL ? 0 : json_dumpb(frame, NULL, 0, JSON_COMPACT);
    unsigned char *buffer = size == 0 ? NULL : malloc(headroom + size);
    if (buffer == NULL) {
        json_decref(frame);
        return FSW_NO_MEMORY;
    }
    union {
        unsigned char *bytes;
        char *text;
    } at = {.bytes = buffer + headroom};
    *length = json_dumpb(frame, at.text, size, JSON_COMPACT);
    json_decref(frame);
    if (*length != size) { /* jansson found no memory on its second pass */
        free(buffer);
        return FSW_NO_MEMORY;
    }
    *message = buffer;
    return FSW_OK;
}

static json_t *watch_object(const struct fsw_watch *watch)
{
    json_t *object = json_pack("{s:I,s:O}", "watch", (json_int_t)watch->id, "context", watch->context);
    if (object != NULL && ((watch->keys != NULL && json_object_set(object, "flags", watch->keys) != 0) ||
                           (watch->once && json_object_set_new(object, "once", json_true()) != 0))) {
        json_decref(object);
        object = NULL;
    }
    return object;
}

size_t fsw_watch_size(const struct fsw_watch *watch)
{
    static const size_t rest = sizeof ",\"type\":\"watch\"" + 10; /* and the longest id */
    json_t *object = watch_object(watch);
    size_t size = object == NULL ? 0 : json_dumpb(object, NULL, 0, JSON_COMPACT);
    json_decref(object);
    return size == 0 ? 0 : size + rest;
}

/* Puts into hello as many watches as fit, and into resume those of them that hold a view. What is too large
 * for hello is asked for by a frame of its own. */
static bool add_watches(struct fsw_session *session, json_t *watches, json_t *resumed)
{
    size_t room = session->frame_limit > 2048 ? session->frame_limit - 1024 : HELLO_BYTES;
    struct fsw_watch *watch;
    for (; (watch = fsw_watches_wanted(session, &session->asked_below)) != NULL; session->asked_below++) {
        size_t size = watch->size + 2 * FSW_NAME_SIZE + 64;
        if (size > room) {
            return true;
        }
        room -= size;
        if (json_array_append_new(watches, watch_object(watch)) != 0) {
            return false;
        }
        watch->asked = watch->in_hello = true;
        watch->resumed = session->resumable && watch->told && watch->view[0] != '\0' && !watch->once;
        if (watch->resumed &&
            json_array_append_new(
                resumed, json_pack("{s:I,s:s}", "watch", (json_int_t)watch->id, "view", watch->view)) != 0) {
            return false;
        }
    }
    return true;
}

static json_t *hello(struct fsw_session *session)
{
    json_t *frame = json_pack("{s:s,s:s,s:{s:s,s:s}}", "type", "hello", "protocol", "flagstaff.v1", "client",
                              "name", session->client_name, "version", session->client_version);
    json_t *watches = json_array(), *resumed = json_array();
    bool fine = frame != NULL && watches != NULL && resumed != NULL && add_watches(session, watches, resumed);
    if (fine && json_array_size(resumed) > 0) {
        json_t *resume = json_pack("{s:s,s:s,s:I,s:O}", "epoch", session->epoch, "session", session->told_by,
                                   "revision", (json_int_t)session->revision, "watches", resumed);
        fine = json_object_set_new(frame, "resume", resume) == 0;
    }
    if (fine && json_array_size(watches) > 0) {
        fine = json_object_set(frame, "watches", watches) == 0;
    }
    json_decref(watches);
    json_decref(resumed);
    if (!fine) {
        json_decref(frame);
        return NULL;
    }
    return frame;
}

/* {type, watches} */
static json_t *list_frame(const char *type, json_t *list)
{
    return list == NULL ? NULL : json_pack("{s:s,s:o}", "type", type, "watches", list);
}

static size_t frame_room(const struct fsw_session *session)
{
    return session->frame_limit < 64 ? FSW_FRAME_LIMIT : session->frame_limit;
}

#define LIST_BYTES sizeof "{\"type\":\"unwatch\",\"watches\":[]}"
#define ID_BYTES   11 /* of the longest id, with a comma */

/* unwatch for those whose handles are gone, as many as one frame may name: with it the last trace of them
 * goes. */
static json_t *unwatch(struct fsw_session *session)
{
    size_t at = 0, room = (frame_room(session) - LIST_BYTES) / ID_BYTES;
    size_t most = session->list < room ? session->list : room;
    struct fsw_watch *watch = fsw_watches_removed(session, &at);
    if (most < 2 || session->removed < 2) {
        json_t *frame = json_pack("{s:s,s:I}", "type", "unwatch", "watch", (json_int_t)watch->id);
        fsw_watches_unlink(session, watch);
        return frame;
    }
    json_t *list = json_array();
    for (; watch != NULL && most > 0; watch = fsw_watches_removed(session, &at), most--) {
        if (json_array_append_new(list, json_integer(watch->id)) != 0) {
            json_decref(list);
            return NULL;
        }
        fsw_watches_unlink(session, watch);
    }
    return list_frame("unwatch", list);
}

static json_t *watch_frame(struct fsw_watch *watch)
{
    json_t *frame = watch_object(watch);
    if (frame != NULL && json_object_set_new(frame, "type", json_string("watch")) != 0) {
        json_decref(frame);
        return NULL;
    }
    return frame;
}

/* watch for those that are wanted, the first of which is given: as many as fit into one frame. */
static json_t *watches_frame(struct fsw_session *session, struct fsw_watch *first)
{
    size_t room = frame_room(session), most = session->list;
    struct fsw_watch *watch = first;
    json_t *list = NULL;
    first->asked = true;
    if (most > 1 && (watch = fsw_watches_wanted(session, &session->asked_below)) != NULL &&
        LIST_BYTES + first->size + watch->size < room) {
        list = json_array();
        if (json_array_append_new(list, watch_object(first)) != 0) {
            json_decref(list);
            return NULL;
        }
        room -= LIST_BYTES + first->size;
        most--;
    }
    if (list == NULL) {
        return watch_frame(first);
    }
    for (; watch != NULL && most > 0 && watch->size < room;
         watch = fsw_watches_wanted(session, &session->asked_below), most--) {
        room -= watch->size;
        if (json_array_append_new(list, watch_object(watch)) != 0) {
            json_decref(list);
            return NULL;
        }
        watch->asked = true;
    }
    return list_frame("watch", list);
}

/* --- pace --------------------------------------------------------------------------------------------- */

/* Acknowledgements are never held back for long: they are cumulative, so few of them say as much as many. */
#define ACK_PAUSE 20

static int64_t ack_pause(const struct fsw_session *session)
{
    int64_t tenth = session->limit < 1 ? 1000 : 10000 / session->limit; /* of the limit goes to them */
    return tenth < ACK_PAUSE ? ACK_PAUSE : tenth > 1000 ? 1000 : tenth;
}

/* Frames a second. */
static int64_t pace(const struct fsw_session *session)
{
    return session->limit < 2 ? 1 : session->limit * 3 / 5;
}

int64_t fsw_session_burst(const struct fsw_session *session)
{
    return session->limit < 5 ? 1000 : 1000 * (session->limit / 5);
}

static bool crowded(const struct fsw_session *session)
{
    return session->credit < fsw_session_burst(session) / 2;
}

static void refill(struct fsw_session *session, int64_t now)
{
    int64_t full = fsw_session_burst(session), since = now - session->credited;
    session->credited = now;
    session->credit = since >= 1000 ? full : session->credit + since * pace(session);
    session->credit = session->credit < full ? session->credit : full;
}

static void pay(struct fsw_session *session)
{
    session->credit -= session->credit < 1000 ? session->credit : 1000;
}

int64_t fsw_session_paced(const struct fsw_session *session)
{
    size_t at = session->asked_below;
    int64_t next = INT64_MAX;
    if (session->ack_due) {
        next = session->ack_at + ack_pause(session);
    }
    if (session->credit < 1000 && (session->removed > 0 || fsw_watches_wanted(session, &at) != NULL)) {
        int64_t credit = session->credited + (1000 - session->credit + pace(session) - 1) / pace(session);
        next = credit < next ? credit : next;
    }
    return next;
}

enum fsw_outcome fsw_session_next(struct fsw_session *session, int64_t now, size_t headroom,
                                  unsigned char **message, size_t *length)
{
    *message = NULL;
    if (!session->open || session->doomed) {
        return FSW_OK;
    }
    if (!session->said_hello) {
        session->said_hello = true;
        fsw_lease_hello(&session->lease, now);
        return encode(hello(session), headroom, message, length);
    }
    if (!session->welcomed) {
        return FSW_OK;
    }
    refill(session, now);
    if (session->ack_due && (!crowded(session) || now >= session->ack_at + ack_pause(session))) {
        session->ack_due = false;
        session->ack_at = now;
        pay(session);
        session->acked = session->applied;
        session->stats.acks++;
        return encode(json_pack("{s:s,s:I}", "type", "ack", "revision", (json_int_t)session->acked), headroom,
                      message, length);
    }
    if (fsw_lease_due(&session->lease, now)) {
        uint64_t n = fsw_lease_renew(&session->lease, now);
        return encode(json_pack("{s:s,s:I}", "type", "renew", "n", (json_int_t)n), headroom, message, length);
    }
    if (session->credit < 1000) {
        return FSW_OK;
    }
    if (session->removed > 0) {
        pay(session);
        return encode(unwatch(session), headroom, message, length);
    }
    struct fsw_watch *watch = fsw_watches_wanted(session, &session->asked_below);
    if (watch != NULL) {
        pay(session);
        return encode(watches_frame(session, watch), headroom, message, length);
    }
    return FSW_OK;
}

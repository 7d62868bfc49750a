/* SPDX-License-Identifier: Apache-2.0 */
/*
 * watches.c: the watches of a session, as an array by id: ids only count up, so it is sorted by itself. A
 * watch whose handle is gone stays in it until unwatch is sent, so that removing one needs no memory.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

struct fsw_watch *fsw_watch_ref(struct fsw_watch *watch)
{
    watch->refs++;
    return watch;
}

void fsw_watch_unref(struct fsw_watch *watch)
{
    if (watch != NULL && --watch->refs == 0) {
        fsw_watch_clear(watch);
        json_decref(watch->context);
        json_decref(watch->keys);
        free(watch);
    }
}

void fsw_watch_clear(struct fsw_watch *watch)
{
    fsw_table_unref(watch->table);
    watch->table = NULL;
    watch->view[0] = '\0';
    watch->covered = 0;
    json_decref(watch->dropped);
    watch->dropped = NULL;
}

static bool make_room(struct fsw_session *session)
{
    if (session->watch_count < session->watch_room) {
        return true;
    }
    size_t room = session->watch_room == 0 ? 8 : session->watch_room * 2;
    struct fsw_watch **watches = realloc(session->watches, room * sizeof(struct fsw_watch *));
    if (watches != NULL) {
        session->watches = watches;
        session->watch_room = room;
    }
    return watches != NULL;
}

/* Whether a string in it has a zero byte, which JSON can write but servers do not read. Names of members
 * cannot have one here. */
static bool has_zero(const json_t *json)
{
    const char *name;
    json_t *member;
    size_t i;
    if (json_is_string(json)) {
        return strlen(json_string_value(json)) != json_string_length(json);
    }
    for (i = 0; i < json_array_size(json); i++) {
        if (has_zero(json_array_get(json, i))) {
            return true;
        }
    }
    union {
        const json_t *seen;
        json_t *json;
    } cast = {.seen = json};
    json_object_foreach(cast.json, name, member)
    {
        if (has_zero(member)) {
            return true;
        }
    }
    return false;
}

/* Refuses it, as a server that can read it would. False without memory. */
static bool refuse(struct fsw_session *session, struct fsw_watch *watch)
{
    const char *why = watch->size == SIZE_MAX ? "a string in it has a zero byte"
                                              : "it is larger than the frames that the server takes";
    struct fsw_event *event = calloc(1, sizeof *event);
    json_t *error = json_pack("{s:s,s:s,s:s}", "type", "error", "code", "bad_context", "message", why);
    if (event == NULL || error == NULL) {
        json_decref(error);
        free(event);
        return false;
    }
    watch->unfit = watch->refused = true;
    event->is_error = true;
    event->error = error;
    event->watch = fsw_watch_ref(watch);
    fsw_session_push(session, event);
    return true;
}

static bool fits(const struct fsw_session *session, const struct fsw_watch *watch)
{
    return watch->size <= (session->frame_limit == 0 ? FSW_FRAME_LIMIT : session->frame_limit);
}

bool fsw_watches_fit(struct fsw_session *session)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        struct fsw_watch *watch = session->watches[i];
        bool fit = fits(session, watch);
        if (watch->unfit && fit) {
            watch->unfit = watch->refused = false;
            session->asked_below = 0;
        } else if (!watch->unfit && !fit && !watch->asked && !watch->removed && !refuse(session, watch)) {
            return false;
        }
    }
    return true;
}

struct fsw_watch *fsw_session_add(struct fsw_session *session, json_t *context, json_t *keys, bool once)
{
    struct fsw_watch *watch = calloc(1, sizeof *watch);
    if (watch == NULL || session->last_id == UINT32_MAX || !make_room(session)) {
        free(watch);
        json_decref(context);
        json_decref(keys);
        return NULL;
    }
    watch->refs = 1;
    watch->id = session->last_id + 1;
    watch->once = once;
    watch->context = context;
    watch->keys = keys;
    watch->size = has_zero(context) ? SIZE_MAX : fsw_watch_size(watch);
    if (watch->size == 0 || (!fits(session, watch) && !refuse(session, watch))) {
        fsw_watch_unref(watch);
        return NULL;
    }
    session->last_id++;
    session->watches[session->watch_count++] = fsw_watch_ref(watch);
    return watch;
}

/* The index of the first watch whose id is not below. */
static size_t place(const struct fsw_session *session, json_int_t id)
{
    size_t low = 0, high = session->watch_count;
    while (low < high) {
        size_t middle = low + (high - low) / 2;
        if (session->watches[middle]->id < id) {
            low = middle + 1;
        } else {
            high = middle;
        }
    }
    return low;
}

struct fsw_watch *fsw_session_find(const struct fsw_session *session, json_int_t id)
{
    size_t at = place(session, id);
    struct fsw_watch *watch = at < session->watch_count ? session->watches[at] : NULL;
    return watch != NULL && watch->id == id && watch->asked && !watch->removed ? watch : NULL;
}

void fsw_watches_unlink(struct fsw_session *session, struct fsw_watch *watch)
{
    size_t at = place(session, watch->id);
    session->watch_count--;
    memmove(&session->watches[at], &session->watches[at + 1],
            (session->watch_count - at) * sizeof(struct fsw_watch *));
    session->asked_below -= at < session->asked_below;
    session->removed -= watch->removed;
    fsw_watches_retry_at(session, watch, 0);
    fsw_watch_unref(watch);
}

void fsw_session_remove(struct fsw_session *session, struct fsw_watch *watch)
{
    watch->removed = true;
    session->removed++;
    fsw_watch_clear(watch);
    bool server_has_it =
        session->open && watch->asked && !watch->refused && !(watch->once && watch->answered);
    if (!server_has_it) {
        fsw_watches_unlink(session, watch);
    }
}

struct fsw_watch *fsw_watches_removed(const struct fsw_session *session, size_t *at)
{
    for (; session->removed > 0 && *at < session->watch_count; ++*at) {
        if (session->watches[*at]->removed) {
            return session->watches[*at];
        }
    }
    return NULL;
}

struct fsw_watch *fsw_watches_wanted(const struct fsw_session *session, size_t *at)
{
    for (; *at < session->watch_count; ++*at) {
        struct fsw_watch *watch = session->watches[*at];
        if (!watch->removed && !watch->asked && !watch->unfit && !(watch->once && watch->answered)) {
            return watch;
        }
    }
    return NULL;
}

void fsw_watches_retry_at(struct fsw_session *session, struct fsw_watch *watch, int64_t moment)
{
    session->retry += moment != 0;
    session->retry -= watch->retry != 0;
    watch->retry = moment;
}

int64_t fsw_watches_retry(struct fsw_session *session, int64_t now)
{
    int64_t next = INT64_MAX;
    for (size_t i = 0; session->retry > 0 && i < session->watch_count; i++) {
        struct fsw_watch *watch = session->watches[i];
        if (watch->retry != 0 && now >= watch->retry) {
            fsw_watches_retry_at(session, watch, 0);
            watch->asked = watch->refused = watch->answered = false;
            session->asked_below = i < session->asked_below ? i : session->asked_below;
        } else if (watch->retry != 0 && watch->retry < next) {
            next = watch->retry;
        }
    }
    return next;
}

void fsw_watches_renumber(struct fsw_session *session)
{
    if (session->last_id <= UINT32_MAX / 2) {
        return;
    }
    session->last_id = 0;
    session->resumable = false;
    for (size_t i = 0; i < session->watch_count; i++) { /* their order stays */
        session->watches[i]->id = ++session->last_id;
    }
}

void fsw_watches_lost(struct fsw_session *session)
{
    size_t kept = 0;
    for (size_t i = 0; i < session->watch_count; i++) {
        struct fsw_watch *watch = session->watches[i];
        if (watch->removed) {
            fsw_watch_unref(watch);
            continue;
        }
        if (session->welcomed) {
            watch->told = watch->answered || (watch->resumed && session->same_epoch);
        }
        watch->asked = watch->in_hello = watch->resumed = false;
        watch->refused = watch->unfit;
        watch->answered = watch->once && watch->answered;
        watch->retry = 0;
        session->watches[kept++] = watch;
    }
    session->watch_count = kept;
    session->removed = session->retry = session->asked_below = 0;
}

void fsw_watches_finish(struct fsw_session *session)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        fsw_watch_unref(session->watches[i]);
    }
    free(session->watches);
    session->watches = NULL;
    session->watch_count = session->watch_room = 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * receive.c: one message from the server: is it a frame that may come now, and what does it mean. The order
 * of frames and all codes: docs/protocol/README.md. What is wrong is a fault: the connection is closed with
 * 4400 and the next one begins without a resume point, so a client that lost its way is put right by
 * snapshots.
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define GRACE                                                                                                \
    1000 /* ms for a connection to end by itself after a goaway or a fault, before it is dropped             \
          */
#define LONGEST_AFTER 600000 /* ms that reconnectAfter may keep this client away */
#define RETRY_WATCH   2000   /* ms before a watch that the service could not serve is asked for again */

const char *fsw_name(const json_t *frame, const char *member)
{
    const char *name = json_string_value(json_object_get(frame, member));
    return name != NULL && name[0] != '\0' && strlen(name) < FSW_NAME_SIZE ? name : NULL;
}

void fsw_name_copy(char to[FSW_NAME_SIZE], const char *name)
{
    snprintf(to, FSW_NAME_SIZE, "%s", name);
}

int fsw_session_fault(struct fsw_session *session, const char *text)
{
    snprintf(session->fault, sizeof session->fault, "%s", text);
    session->resumable = false;
    session->doomed = true;
    session->stats.faults++;
    fsw_session_drop_parts(session);
    return FSW_CLOSE_BAD_FRAME;
}

/* Nothing was lost of what we hold, only this message: the next connection may resume. */
static int no_memory(struct fsw_session *session)
{
    snprintf(session->fault, sizeof session->fault, "out of memory");
    session->doomed = true;
    session->stats.faults++;
    fsw_session_drop_parts(session);
    return FSW_CLOSE_BAD_FRAME;
}

static bool read_count(const json_t *frame, const char *member, int64_t *out)
{
    const json_t *json = json_object_get(frame, member);
    *out = json_integer_value(json);
    return json_is_integer(json) && *out >= 0 && *out <= FSW_INTEGER_MAX;
}

static int on_welcome(struct fsw_session *session, const json_t *frame)
{
    const char *epoch = fsw_name(frame, "epoch"), *name = fsw_name(frame, "session");
    const char *protocol = json_string_value(json_object_get(frame, "protocol"));
    int64_t lease, limit;
    if (epoch == NULL || name == NULL || protocol == NULL || strcmp(protocol, "flagstaff.v1") != 0 ||
        !read_count(frame, "lease", &lease) || lease == 0) {
        return fsw_session_fault(session, "welcome: session, epoch, lease or protocol is missing or wrong");
    }
    session->welcomed = true;
    session->same_epoch = strcmp(epoch, session->epoch) == 0;
    if (!session->same_epoch || !session->resumable) {
        session->revision = session->applied = session->acked = 0;
    }
    session->stats.connections++;
    session->stats.resumed += session->same_epoch && session->resumable;
    session->resumable = true;
    fsw_name_copy(session->epoch, epoch);
    fsw_name_copy(session->name, name);
    if (read_count(json_object_get(frame, "limits"), "frame", &limit)) {
        session->frame_limit = (size_t)limit;
    }
    if (read_count(json_object_get(frame, "limits"), "rate", &limit)) {
        session->limit = limit;
        session->credit = fsw_session_burst(session);
    }
    if (!read_count(json_object_get(frame, "limits"), "list", &limit)) {
        limit = 0;
    }
    session->list = limit < 1 ? 1 : (size_t)limit;
    fsw_lease_welcome(&session->lease, lease);
    fsw_session_prune_safes(session);
    return fsw_watches_fit(session) ? 0 : no_memory(session);
}

bool fsw_is_snapshot(const json_t *frame)
{
    const char *type = json_string_value(json_object_get(frame, "type"));
    return type != NULL && strcmp(type, "snapshot") == 0;
}

static bool well_formed(const json_t *frame)
{
    if (fsw_is_snapshot(frame)) {
        return json_is_integer(json_object_get(frame, "watch")) && fsw_name(frame, "view") != NULL &&
               json_is_array(json_object_get(frame, "flags"));
    }
    const json_t *watches = json_object_get(frame, "watches");
    for (size_t i = 0; i < json_array_size(watches); i++) {
        const json_t *change = json_array_get(watches, i);
        const json_t *removed = json_object_get(change, "removed"), *flags = json_object_get(change, "flags");
        if (!json_is_integer(json_object_get(change, "watch")) ||
            (removed != NULL && !json_is_array(removed)) || (flags != NULL && !json_is_array(flags))) {
            return false;
        }
    }
    return json_is_array(watches);
}

static bool hold_part(struct fsw_session *session, json_t *frame, size_t length)
{
    if (session->part_count == session->part_room) {
        size_t room = session->part_room == 0 ? 4 : session->part_room * 2;
        json_t **parts = realloc(session->parts, room * sizeof(json_t *));
        if (parts == NULL) {
            return false;
        }
        session->parts = parts;
        session->part_room = room;
    }
    session->parts[session->part_count++] = json_incref(frame);
    session->part_bytes += length;
    return true;
}

/* snapshot or delta: held until its revision is closed, then applied with all that belongs to it. */
static int on_part(struct fsw_session *session, json_t *frame, size_t length, int64_t wall)
{
    int64_t revision;
    bool snapshot = fsw_is_snapshot(frame);
    if (!read_count(frame, "revision", &revision) || !well_formed(frame)) {
        return fsw_session_fault(session, "snapshot or delta: a member is missing or wrong");
    }
    if (session->part_count > 0 && (uint64_t)revision != session->part_revision) {
        return fsw_session_fault(session, "a revision began before the one that was open was finished");
    }
    if (session->part_count == 0 &&
        ((uint64_t)revision < session->revision || (!snapshot && (uint64_t)revision == session->revision))) {
        return fsw_session_fault(session, "a revision that was closed came again");
    }
    if (session->part_bytes + length > session->max_open) {
        return fsw_session_fault(session, "the open revision is larger than this client holds");
    }
    session->stats.snapshots += snapshot;
    session->stats.deltas += !snapshot;
    if (!hold_part(session, frame, length)) {
        return no_memory(session);
    }
    session->part_revision = (uint64_t)revision;
    if (json_is_true(json_object_get(frame, "more"))) {
        return 0;
    }
    switch (fsw_session_apply(session, wall)) {
    case FSW_OK:
        fsw_session_drop_parts(session);
        session->revision = session->applied = (uint64_t)revision;
        session->ack_due = true;
        return 0;
    case FSW_NO_MEMORY:
        return no_memory(session);
    case FSW_BAD:
        break;
    }
    return fsw_session_fault(session, "a flag cannot be read");
}

static int on_lease(struct fsw_session *session, const json_t *frame)
{
    int64_t n, revision, duration;
    if (!read_count(frame, "n", &n) || !read_count(frame, "revision", &revision) ||
        !read_count(frame, "duration", &duration)) {
        return fsw_session_fault(session, "lease: a member is missing or wrong");
    }
    if (session->revoked) {
        return fsw_session_fault(session, "lease: it came after the credential was revoked");
    }
    if (session->part_count > 0 || (uint64_t)revision < session->revision) {
        return fsw_session_fault(session, "lease: it stands before what it must stand behind");
    }
    for (size_t i = 0; session->lease.granted < 0 && i < session->watch_count; i++) {
        const struct fsw_watch *watch = session->watches[i];
        if (watch->in_hello && !watch->answered && !watch->removed &&
            !(watch->resumed && session->same_epoch)) {
            return fsw_session_fault(session, "lease: it came before the snapshot of a watch of hello");
        }
    }
    if (!fsw_lease_grant(&session->lease, (uint64_t)n, duration)) {
        return fsw_session_fault(session, "lease: it grants a renewal that was not asked for, or again");
    }
    session->leased_once = true;
    for (size_t i = 0; i < session->watch_count; i++) {
        fsw_session_cover(session, session->watches[i]);
    }
    fsw_session_tell_leases(session);
    session->revision = (uint64_t)revision;
    session->stats.leases++;
    return 0;
}

static int on_error(struct fsw_session *session, json_t *frame, int64_t now)
{
    const char *code = json_string_value(json_object_get(frame, "code"));
    const json_t *id = json_object_get(frame, "watch");
    if (code == NULL) {
        return fsw_session_fault(session, "error: the code is missing");
    }
    struct fsw_watch *watch = json_is_integer(id) ? fsw_session_find(session, json_integer_value(id)) : NULL;
    if (watch == NULL || strcmp(code, "duplicate_watch") == 0 || strcmp(code, "unknown_watch") == 0) {
        const char *message = json_string_value(json_object_get(frame, "message"));
        snprintf(session->fault, sizeof session->fault, "error %s: %s", code, message == NULL ? "" : message);
        return 0;
    }
    struct fsw_event *event = calloc(1, sizeof *event);
    if (event == NULL) {
        return no_memory(session);
    }
    fsw_watch_clear(watch);
    if (session->mirror != NULL) {
        session->mirror->put(session->mirror_user, watch->user, NULL);
    }
    fsw_session_tell_lease(session, watch);
    watch->answered = watch->refused = true;
    bool again = strcmp(code, "unavailable") == 0 || strcmp(code, "internal") == 0;
    fsw_watches_retry_at(session, watch, again ? now + RETRY_WATCH : 0);
    event->is_error = true;
    event->retried = again;
    event->error = json_incref(frame);
    event->watch = fsw_watch_ref(watch);
    fsw_session_push(session, event);
    return 0;
}

static int on_goaway(struct fsw_session *session, const json_t *frame, int64_t now)
{
    const char *code = json_string_value(json_object_get(frame, "code"));
    const char *message = json_string_value(json_object_get(frame, "message"));
    int64_t drain, after;
    if (code == NULL) {
        return fsw_session_fault(session, "goaway: the code is missing");
    }
    snprintf(session->goaway, sizeof session->goaway, "%s", code);
    snprintf(session->goaway_text, sizeof session->goaway_text, "%s", message == NULL ? "" : message);
    if (strcmp(code, "revoked") == 0) {
        fsw_session_revoke(session);
    }
    if (!read_count(frame, "drain", &drain)) {
        drain = 0;
    }
    session->end_by = now + drain + GRACE;
    if (read_count(frame, "reconnectAfter", &after)) {
        session->not_before = now + (after < LONGEST_AFTER ? after : LONGEST_AFTER);
    }
    return 0;
}

static int dispatch(struct fsw_session *session, json_t *frame, size_t length, int64_t now, int64_t wall)
{
    const char *type = json_string_value(json_object_get(frame, "type"));
    if (type == NULL) {
        return fsw_session_fault(session, "a message is not a frame");
    }
    bool error = strcmp(type, "error") == 0, goaway = strcmp(type, "goaway") == 0;
    if (strcmp(type, "welcome") == 0) {
        return session->welcomed ? fsw_session_fault(session, "welcome came twice")
                                 : on_welcome(session, frame);
    }
    if (!session->welcomed && !error && !goaway) {
        return fsw_session_fault(session, "a frame came before welcome");
    }
    if (strcmp(type, "snapshot") == 0 || strcmp(type, "delta") == 0) {
        return on_part(session, frame, length, wall);
    }
    if (strcmp(type, "lease") == 0) {
        return on_lease(session, frame);
    }
    return error ? on_error(session, frame, now) : goaway ? on_goaway(session, frame, now) : 0;
}

int fsw_session_receive(struct fsw_session *session, const char *text, size_t length, int64_t now,
                        int64_t wall)
{
    if (!session->open || session->doomed) {
        return session->doomed ? FSW_CLOSE_BAD_FRAME : 0;
    }
    session->heard = now;
    session->stats.frames_in++;
    session->stats.bytes_in += length;
    json_error_t error;
    json_t *frame = json_loadb(text, length, JSON_REJECT_DUPLICATES, &error);
    if (frame == NULL) {
        session->end_by = now + GRACE;
        return json_error_code(&error) == json_error_out_of_memory
                   ? no_memory(session)
                   : fsw_session_fault(session, "a message is not JSON");
    }
    int code = dispatch(session, frame, length, now, wall);
    json_decref(frame);
    if (code != 0) {
        session->end_by = now + GRACE;
    }
    return code;
}

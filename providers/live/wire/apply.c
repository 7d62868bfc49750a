/* SPDX-License-Identifier: Apache-2.0 */
/*
 * apply.c: a closed revision becomes what readers see, over all watches at once or not at all. First
 * everything is built beside what is there (tables, flips, events), which may fail; then it is put in place,
 * which cannot.
 */
#include "session.h"

#include <stdlib.h>
#include <string.h>

static enum fsw_outcome edit(struct fsw_session *session, struct fsw_watch *watch,
                             const struct fsw_table *base, const json_t *removed, const json_t *flags)
{
    const struct fsw_table *table;
    enum fsw_outcome outcome = fsw_table_edit(base, removed, flags, &table);
    if (outcome == FSW_OK) {
        if (watch->coming == NULL) {
            watch->touched = session->touched;
            session->touched = watch;
        }
        fsw_table_unref(watch->coming);
        watch->coming = table;
    }
    return outcome;
}

static enum fsw_outcome build_snapshot(struct fsw_session *session, const json_t *frame)
{
    struct fsw_watch *watch = fsw_session_find(session, json_integer_value(json_object_get(frame, "watch")));
    if (watch == NULL || (watch->once && watch->answered)) {
        return FSW_OK;
    }
    /* The first snapshot in a revision replaces; a further one of the same watch is its continuation. */
    enum fsw_outcome outcome =
        edit(session, watch, watch->replaced ? watch->coming : NULL, NULL, json_object_get(frame, "flags"));
    if (outcome == FSW_OK) {
        watch->replaced = true;
        fsw_name_copy(watch->coming_view, fsw_name(frame, "view"));
        json_t *dropped = json_object_get(frame, "dropped");
        if (json_is_array(dropped)) {
            json_decref(watch->coming_dropped);
            watch->coming_dropped = json_incref(dropped);
        }
    }
    return outcome;
}

static enum fsw_outcome build_delta(struct fsw_session *session, const json_t *frame)
{
    const json_t *watches = json_object_get(frame, "watches");
    for (size_t i = 0; i < json_array_size(watches); i++) {
        const json_t *change = json_array_get(watches, i);
        struct fsw_watch *watch =
            fsw_session_find(session, json_integer_value(json_object_get(change, "watch")));
        const struct fsw_table *base = watch == NULL           ? NULL
                                       : watch->coming != NULL ? watch->coming
                                                               : watch->table;
        if (base == NULL) {
            continue; /* removed meanwhile, or never here */
        }
        enum fsw_outcome outcome =
            edit(session, watch, base, json_object_get(change, "removed"), json_object_get(change, "flags"));
        if (outcome != FSW_OK) {
            return outcome;
        }
    }
    return FSW_OK;
}

/* The event that tells of a watch's change. */
static enum fsw_outcome build_event(struct fsw_session *session, struct fsw_watch *watch, int64_t wall)
{
    struct fsw_event *event = calloc(1, sizeof *event);
    struct fsw_flip *flips;
    if (event == NULL) {
        return FSW_NO_MEMORY;
    }
    enum fsw_outcome outcome = fsw_table_diff(watch->table, watch->coming, &flips, &event->change.count);
    if (outcome != FSW_OK) {
        free(event);
        return outcome;
    }
    event->watch = fsw_watch_ref(watch);
    event->change.flips = flips;
    event->change.revision = session->part_revision;
    event->change.received = wall;
    event->change.snapshot = watch->replaced;
    event->change.once = watch->once;
    event->dropped = watch->replaced ? json_incref(watch->coming_dropped) : NULL;
    watch->event = event;
    return FSW_OK;
}

static enum fsw_outcome build(struct fsw_session *session, int64_t wall, const struct fsw_table **safes)
{
    enum fsw_outcome outcome = FSW_OK;
    for (size_t i = 0; i < session->part_count && outcome == FSW_OK; i++) {
        const json_t *frame = session->parts[i];
        outcome = fsw_is_snapshot(frame) ? build_snapshot(session, frame) : build_delta(session, frame);
    }
    for (struct fsw_watch *watch = session->touched; watch != NULL && outcome == FSW_OK;
         watch = watch->touched) {
        const struct fsw_table *more;
        outcome = fsw_table_merge_access(*safes, watch->coming, &more);
        if (outcome == FSW_OK) {
            fsw_table_unref(*safes);
            *safes = more;
            outcome = build_event(session, watch, wall);
        }
        if (outcome == FSW_OK && session->mirror != NULL) {
            watch->mirrored = session->mirror->build(session->mirror_user, watch->user, watch->coming);
            outcome = watch->mirrored == NULL ? FSW_NO_MEMORY : FSW_OK;
        }
    }
    return outcome;
}

static void put_in_place(struct fsw_session *session, struct fsw_watch *watch)
{
    fsw_table_unref(watch->table);
    watch->table = watch->coming;
    watch->coming = NULL;
    if (watch->mirrored != NULL) {
        session->mirror->put(session->mirror_user, watch->user, watch->mirrored);
        watch->mirrored = NULL;
    }
    if (watch->replaced) {
        fsw_name_copy(watch->view, watch->coming_view);
        json_decref(watch->dropped);
        watch->dropped = watch->coming_dropped;
        watch->coming_dropped = NULL;
        watch->answered = true;
        fsw_session_cover(session, watch);
        fsw_session_tell_lease(session, watch);
    }
    session->stats.flips += watch->event->change.count;
    if (watch->event->change.count > 0 || watch->replaced) {
        fsw_session_push(session, watch->event);
    } else {
        fsw_event_free(watch->event);
    }
    watch->event = NULL;
    watch->replaced = false;
}

static void discard(const struct fsw_session *session, struct fsw_watch *watch)
{
    if (watch->mirrored != NULL) {
        session->mirror->drop(session->mirror_user, watch->mirrored);
        watch->mirrored = NULL;
    }
    fsw_table_unref(watch->coming);
    watch->coming = NULL;
    json_decref(watch->coming_dropped);
    watch->coming_dropped = NULL;
    fsw_event_free(watch->event);
    watch->event = NULL;
    watch->replaced = false;
}

void fsw_session_prune_safes(struct fsw_session *session)
{
    const struct fsw_table *safes = NULL, *more;
    for (size_t i = 0; i < session->watch_count; i++) {
        const struct fsw_table *table = session->watches[i]->table;
        if (table == NULL) {
            continue;
        }
        if (fsw_table_merge_access(safes, table, &more) != FSW_OK) {
            fsw_table_unref(safes);
            return;
        }
        fsw_table_unref(safes);
        safes = more;
    }
    fsw_table_unref(session->safes);
    session->safes = safes;
}

enum fsw_outcome fsw_session_apply(struct fsw_session *session, int64_t wall)
{
    const struct fsw_table *safes = fsw_table_ref(session->safes);
    enum fsw_outcome outcome = build(session, wall, &safes);
    for (struct fsw_watch *watch; (watch = session->touched) != NULL; session->touched = watch->touched) {
        if (outcome == FSW_OK) {
            put_in_place(session, watch);
        } else {
            discard(session, watch);
        }
    }
    if (outcome == FSW_OK) {
        fsw_table_unref(session->safes);
        session->safes = safes;
    } else {
        fsw_table_unref(safes);
    }
    return outcome;
}

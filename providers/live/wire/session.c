/* SPDX-License-Identifier: Apache-2.0 */
/*
 * session.c: connections of a session, its clock-driven duties, and reading. Watches are watches.c's, what
 * comes in is receive.c's and apply.c's, what goes out send.c's.
 */
#include "session.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

/* A machine that slept is noticed this soon after it woke, since sleeping clocks drive the timers of event
 * loops. */
#define LONGEST_NAP 1000

void fsw_session_init(struct fsw_session *session)
{
    memset(session, 0, sizeof *session);
    session->events_end = &session->events;
    session->lease.granted = -1;
    session->max_open = 64u << 20;
    session->limit = FSW_FRAME_RATE;
    session->list = 1;
    session->connect_timeout = 10000;
    session->client_name = "flagstaff-wire";
    session->client_version = "0";
}

void fsw_session_finish(struct fsw_session *session)
{
    fsw_session_lost(session);
    fsw_watches_finish(session);
    for (struct fsw_event *event; (event = fsw_session_event(session)) != NULL;) {
        fsw_event_free(event);
    }
    fsw_table_unref(session->safes);
    free(session->parts);
}

void fsw_session_opened(struct fsw_session *session, int64_t now)
{
    fsw_watches_renumber(session);
    session->open = true;
    session->said_hello = session->welcomed = session->same_epoch = session->ack_due = session->doomed =
        session->revoked = false;
    session->opened = session->heard = session->credited = now;
    session->credit = fsw_session_burst(session);
    session->ack_at = 0;
    session->pinged = 0;
    session->end_by = session->not_before = 0;
    session->goaway[0] = session->goaway_text[0] = session->fault[0] = '\0';
}

void fsw_session_lost(struct fsw_session *session)
{
    if (session->welcomed) {
        fsw_name_copy(session->told_by, session->name);
    }
    fsw_watches_lost(session);
    session->open = session->welcomed = session->ack_due = false;
    session->name[0] = '\0';
    session->lease.granted = -1;
    fsw_session_drop_parts(session);
}

bool fsw_session_worked(const struct fsw_session *session, int code)
{
    return session->lease.granted >= 0 && !session->doomed && code != FSW_CLOSE_TOO_LARGE &&
           code != FSW_CLOSE_BAD_FRAME;
}

void fsw_session_drop_parts(struct fsw_session *session)
{
    for (size_t i = 0; i < session->part_count; i++) {
        json_decref(session->parts[i]);
    }
    session->part_count = session->part_bytes = 0;
}

void fsw_session_heard(struct fsw_session *session, int64_t now)
{
    session->heard = now;
}

static void sooner(int64_t *again, int64_t moment)
{
    if (moment < *again) {
        *again = moment;
    }
}

/* Quiet for a third of the lease: ping. For two thirds: nobody is there. */
static enum fsw_action listen(struct fsw_session *session, int64_t now, int64_t *again)
{
    int64_t third = fsw_lease_third(&session->lease);
    if (now >= session->heard + 2 * third) {
        snprintf(session->fault, sizeof session->fault, "nothing was heard for %lld ms",
                 (long long)(now - session->heard));
        return FSW_DROP;
    }
    sooner(again, session->heard + 2 * third);
    if (now >= session->heard + third && session->pinged <= session->heard) {
        session->pinged = now > session->heard ? now : session->heard + 1;
        return FSW_PING;
    }
    if (now < session->heard + third) {
        sooner(again, session->heard + third);
    }
    return FSW_NOTHING;
}

enum fsw_action fsw_session_tick(struct fsw_session *session, int64_t now, int64_t *again)
{
    *again = now + LONGEST_NAP;
    if (fsw_lease_runs(&session->lease, now)) {
        sooner(again, session->lease.end);
    }
    if (!session->open) {
        return FSW_NOTHING;
    }
    if (session->end_by != 0 && now >= session->end_by) {
        return FSW_DROP;
    }
    if (session->end_by != 0) {
        sooner(again, session->end_by);
    }
    if (!session->welcomed) {
        if (now >= session->opened + session->connect_timeout) {
            snprintf(session->fault, sizeof session->fault, "no welcome within %lld ms",
                     (long long)session->connect_timeout);
            return FSW_DROP;
        }
        sooner(again, session->opened + session->connect_timeout);
        return FSW_NOTHING;
    }
    sooner(again, session->lease.next);
    sooner(again, fsw_session_paced(session));
    sooner(again, fsw_watches_retry(session, now));
    return listen(session, now, again);
}

enum fsw_state fsw_session_state(const struct fsw_session *session, int64_t now)
{
    if (fsw_lease_runs(&session->lease, now)) {
        return session->open && session->lease.granted >= 0 ? FSW_READY : FSW_STALE;
    }
    return session->leased_once ? FSW_LEASE_OVER : FSW_CONNECTING;
}

bool fsw_session_answered(const struct fsw_session *session)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        const struct fsw_watch *watch = session->watches[i];
        if (!watch->removed && watch->table == NULL && !watch->refused) {
            return false;
        }
    }
    return true;
}

/* A watch that this connection has not (yet) asked for is covered by the last connection's lease alone. */
void fsw_session_cover(struct fsw_session *session, struct fsw_watch *watch)
{
    bool known = watch->answered || (watch->resumed && session->same_epoch);
    if (watch->table != NULL && known && session->lease.granted >= 0) {
        watch->covered = session->lease.end;
    }
}

void fsw_session_revoke(struct fsw_session *session)
{
    session->revoked = true;
    fsw_lease_end(&session->lease);
    for (size_t i = 0; i < session->watch_count; i++) {
        session->watches[i]->covered = 0;
    }
    fsw_session_tell_leases(session);
}

void fsw_session_tell_lease(const struct fsw_session *session, struct fsw_watch *watch)
{
    if (session->mirror == NULL || watch->removed || watch->once) {
        return;
    }
    int64_t until = session->lease.end < watch->covered ? session->lease.end : watch->covered;
    if (until != watch->told_until) {
        watch->told_until = until;
        session->mirror->lease(session->mirror_user, watch->user, until);
    }
}

void fsw_session_tell_leases(const struct fsw_session *session)
{
    for (size_t i = 0; i < session->watch_count; i++) {
        fsw_session_tell_lease(session, session->watches[i]);
    }
}

bool fsw_session_leased(const struct fsw_session *session, const struct fsw_watch *watch, int64_t now)
{
    return fsw_lease_runs(&session->lease, now) && now < watch->covered;
}

/* The value, or the safe one with the reason that it has then: as from the server, ERROR without an error. */
static void choose(struct fsw_result *result, const struct fsw_flag *flag, enum fsw_standing standing)
{
    bool safe = standing == FSW_SAFE;
    result->standing = standing;
    result->flag = fsw_flag_ref(flag);
    result->value = safe ? flag->safe : flag->value;
    result->variant = safe ? flag->safe_variant : flag->variant;
    result->reason = safe ? "ERROR" : standing == FSW_LAST ? "STALE" : flag->reason;
}

bool fsw_session_get(const struct fsw_session *session, const struct fsw_watch *watch, const char *key,
                     int64_t now, struct fsw_result *result)
{
    bool leased = fsw_session_leased(session, watch, now);
    *result =
        (struct fsw_result){.standing = FSW_UNKNOWN, .lease_over = !leased, .revision = session->revision};
    if (watch->table == NULL) {
        /* Nothing is known of this context, but perhaps what the flag falls to. */
        const struct fsw_flag *known = fsw_table_find(session->safes, key);
        if (known != NULL) {
            choose(result, known, FSW_SAFE);
        }
        return known != NULL;
    }
    const struct fsw_flag *flag = fsw_table_find(watch->table, key);
    if (flag == NULL || !flag->has_value) {
        result->standing = FSW_ABSENT;
        result->flag = fsw_flag_ref(flag);
        result->reason = flag == NULL ? NULL : flag->reason;
        return false;
    }
    choose(result, flag, watch->once ? FSW_ONCE : leased ? FSW_FRESH : flag->access ? FSW_SAFE : FSW_LAST);
    return true;
}

void fsw_session_push(struct fsw_session *session, struct fsw_event *event)
{
    *session->events_end = event;
    session->events_end = &event->next;
}

struct fsw_event *fsw_session_event(struct fsw_session *session)
{
    struct fsw_event *event = session->events;
    if (event != NULL) {
        session->events = event->next;
        if (session->events == NULL) {
            session->events_end = &session->events;
        }
        event->next = NULL;
    }
    return event;
}

void fsw_event_free(struct fsw_event *event)
{
    if (event != NULL) {
        union {
            const struct fsw_flip *seen;
            struct fsw_flip *owned;
        } flips = {.seen = event->change.flips};
        fsw_flips_free(flips.owned, event->change.count);
        json_decref(event->dropped);
        json_decref(event->error);
        fsw_watch_unref(event->watch);
        free(event);
    }
}

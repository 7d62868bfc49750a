/* SPDX-License-Identifier: Apache-2.0 */
/*
 * events.c: what the wire tells, and what OpenFeature is told of it. Runs on the wire's thread, without its
 * mutex.
 */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <openfeature/memory.h>

#define SECOND UINT64_C(1000000000)

/* --- status ------------------------------------------------------------------------------------------ */

bool live_settled(const struct live *live)
{
    const struct live_entry *only = atomic_load(&live->only);
    if (live->state != FSW_READY) {
        return false;
    }
    return !live->options.static_context || (only != NULL && (only->answered || only->refused));
}

static enum live_announced status(const struct live *live)
{
    const struct live_entry *only = atomic_load(&live->only);
    switch (live->state) {
    case FSW_READY:
        if (!live_settled(live)) {
            return live->announced;
        }
        return only != NULL && only->refused ? LIVE_ERROR : LIVE_READY;
    case FSW_STALE:
        return live->announced == LIVE_READY ? LIVE_STALE : live->announced;
    case FSW_LEASE_OVER:
    case FSW_CLOSED: /* by itself: nothing will be heard any more */
        return LIVE_ERROR;
    case FSW_CONNECTING:
    default:
        return live->announced;
    }
}

static void put_error(struct live *live)
{
    const struct live_entry *only = atomic_load(&live->only);
    if (live->state == FSW_READY && only != NULL) {
        (void)ofo_put_error(&live->outbox, only->error, only->message);
    } else if (live->state == FSW_CLOSED) {
        (void)ofo_put_error(&live->outbox, OF_ERROR_GENERAL,
                            "the client has given up: no further connections are tried");
    } else {
        (void)ofo_put_error(
            &live->outbox, OF_ERROR_GENERAL,
            "the lease is over: access flags give their safe variants, other flags their last values");
    }
}

/* With the lease the values of access flags fall, and with the next one they are back: programs that only
 * listen to changes of flags have to know both. */
static void put_fall(struct live *live)
{
    bool falls = live->state == FSW_LEASE_OVER && !live->fallen;
    bool rises = live_settled(live) && live->fallen;
    if (falls || rises) {
        live->fallen = falls;
        ofo_put_status(&live->outbox, OF_EVENT_CONFIGURATION_CHANGED, NULL); /* of any flag */
    }
}

void live_announce(struct live *live)
{
    enum live_announced now = status(live);
    bool news = now != live->announced;
    if (live->closing || live->starting) {
        return;
    }
    live->announced = now;
    if (news && now == LIVE_ERROR) {
        put_error(live);
    } else if (news && now == LIVE_READY) {
        ofo_put_status(&live->outbox, OF_EVENT_READY, NULL);
    } else if (news) {
        ofo_put_status(&live->outbox, OF_EVENT_STALE, live->message);
    }
    put_fall(live);
}

void live_on_state(void *user, const struct fsw_state_info *info)
{
    struct live *live = user;
    pthread_mutex_lock(&live->lock);
    bool was_ready = live->state == FSW_READY;
    live->state = info->state;
    live->ready_since = info->state != FSW_READY ? 0 : was_ready ? live->ready_since : live_tick();
    live->code = info->code;
    snprintf(live->message, sizeof live->message, "%s", info->message);
    live_announce(live);
    pthread_cond_broadcast(&live->news);
    ofo_unlock(&live->outbox);
}

/* --- the log ------------------------------------------------------------------------------------------ */

#define MINUTE (60 * SECOND)
#define SLOW   (2 * SECOND)

/* With the lock: what is to be told of contexts that were not served, or late; once a minute at most. False:
 * nothing. It is counted on any thread, and told on the wire's. */
static bool take_warning(struct live *live, char *text, size_t size)
{
    uint64_t now = live_tick();
    if (live->options.log == NULL || (live->unserved == 0 && live->slow == 0) ||
        (live->warned != 0 && now - live->warned < MINUTE)) {
        return false;
    }
    if (live->unserved > 0) {
        snprintf(text, size,
                 "%llu contexts gave way before their values were read once: more are in use than "
                 "max_watches (%zu) "
                 "keeps; raise it",
                 (unsigned long long)live->unserved, live->options.max_watches);
    } else {
        snprintf(text, size,
                 "the first values of a context took %llu ms to come: it waited for its turn, or the daemon "
                 "is slow",
                 (unsigned long long)(live->slow * 1000 / SECOND));
    }
    live->warned = now;
    live->unserved = live->slow = 0;
    return true;
}

/* Instead of ofo_unlock(), on the wire's thread. */
static void unlock_and_warn(struct live *live)
{
    char text[240];
    bool warns = take_warning(live, text, sizeof text);
    ofo_unlock(&live->outbox);
    if (warns) {
        live->options.log(live->options.user, OF_LIVE_LOG_WARNING, text);
    }
}

static void note_first_values(struct live *live, struct live_entry *entry)
{
    uint64_t now = live_tick();
    uint64_t took = now - entry->opened;
    entry->came = now;
    if (live->ready_since != 0 && entry->opened >= live->ready_since && took >= SLOW && took > live->slow) {
        live->slow = took;
    }
}

/* --- values ------------------------------------------------------------------------------------------ */

/* Which revision, and of whom; NULL without memory. */
static of_value *describe(const struct fsw_change *change, const struct live_entry *entry)
{
    of_value *about = of_value_object();
    (void)of_value_set_int(about, "flagstaff.revision", (int64_t)change->revision);
    if (entry->subject != NULL) {
        (void)of_value_set_string(about, "flagstaff.subject", entry->subject);
    }
    return about;
}

static void put_change(struct live *live, const struct fsw_change *change, const struct live_entry *entry)
{
    const char **keys = change->count == 0 ? NULL : of_alloc(change->count * sizeof *keys);
    for (size_t i = 0; keys != NULL && i < change->count; i++) {
        keys[i] = change->flips[i].key;
    }
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = keys; /* NULL: any may have */
    event.flags_changed_count = keys == NULL ? 0 : change->count;
    of_value *about = describe(change, entry);
    event.metadata = about;
    ofo_put(&live->outbox, &event);
    of_value_unref(about);
    of_free(keys);
}

void live_on_change(void *user, const struct fsw_change *change)
{
    struct live *live = user;
    struct live_entry *entry = change->watch_user;
    pthread_mutex_lock(&live->lock);
    /* The first values of a context are news only for those who asked in vain. */
    bool first = !entry->answered;
    bool missed = atomic_exchange(&entry->missed, false);
    entry->answered = true;
    entry->refused = false;
    if (entry->came == 0) {
        note_first_values(live, entry);
    }
    if (!change->once && !live->closing && change->count > 0 && (!first || missed)) {
        put_change(live, change, entry);
    }
    live_announce(live);
    pthread_cond_broadcast(&live->news);
    unlock_and_warn(live);
}

static of_error error_of(const char *code, const struct live_entry *entry)
{
    if (strcmp(code, "bad_context") == 0) {
        return entry->subject == NULL ? OF_ERROR_TARGETING_KEY_MISSING : OF_ERROR_INVALID_CONTEXT;
    }
    return OF_ERROR_GENERAL;
}

void live_on_watch_error(void *user, const struct fsw_watch_error *error)
{
    struct live *live = user;
    struct live_entry *entry = error->watch_user;
    bool limit = strcmp(error->code, "limit") == 0;
    pthread_mutex_lock(&live->lock);
    entry->answered = false;
    entry->refused = true;
    entry->error = error_of(error->code, entry);
    entry->retry = error->retried ? 0 : live_tick() + (limit ? 1 : 30) * SECOND;
    live->crowded = live->crowded || limit;
    snprintf(entry->message, sizeof entry->message, "the daemon refuses this context (%s): %.120s%s",
             error->code, error->message,
             live->options.static_context && entry->subject == NULL
                 ? " (`static_context` takes it from an of_static_api)"
                 : "");
    live_announce(live);
    pthread_cond_broadcast(&live->news);
    unlock_and_warn(live);
}

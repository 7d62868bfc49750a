/* SPDX-License-Identifier: Apache-2.0 */
/*
 * resolve.c: evaluations. The way that almost all of them go takes no lock and allocates nothing: the
 * context's entry, the lease, the table, the flag. The lease is looked at before the table: then a value that
 * is newer than the lease may be given, but never one from before a lease that has ended.
 */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <openfeature/memory.h>

#include "convert.h"
#include "hash.h"

/* One evaluation. */
struct ask {
    struct live *live;
    const char *key;
    of_type type;
    const of_flag_value *otherwise; /* the caller's default value */
    const of_context *context;
    of_resolution *resolution;
};

static of_error fail(const struct ask *ask, of_error error, const char *constant)
{
    ask->resolution->error_message = constant;
    return error;
}

static of_error error_of(const char *code)
{
    for (int i = OF_ERROR_PROVIDER_NOT_READY; i <= OF_ERROR_GENERAL; i++) {
        if (strcmp(of_error_name((of_error)i), code) == 0) {
            return (of_error)i;
        }
    }
    return OF_ERROR_GENERAL;
}

/* A flag that has no value: disabled, or failed. */
static of_error answer_none(const struct ask *ask, struct live_flag *flag)
{
    of_resolution *resolution = ask->resolution;
    const struct fsw_flag *wire = flag->rest.wire;
    resolution->value = *ask->otherwise;
    if (!resolution->brief) {
        resolution->reason = wire->reason;
        resolution->metadata = flag->rest.metadata;
        resolution->error_message = wire->error_message;
        resolution->owner = live_flag_ref(flag);
        resolution->release = live_flag_unref;
    }
    return wire->error_code == NULL ? OF_OK : error_of(wire->error_code);
}

static of_error answer(const struct ask *ask, struct live_flag *flag, bool leased)
{
    of_resolution *resolution = ask->resolution;
    if (flag == NULL) {
        return fail(ask, OF_ERROR_FLAG_NOT_FOUND, "there is no such flag, or it may not be seen");
    }
    bool fallen = flag->access && (!leased || flag->rest.deep);
    if (fallen ? flag->rest.safe_deep : flag->rest.deep) {
        return fail(ask, OF_ERROR_PARSE_ERROR, "the value is nested too deeply");
    }
    if (!fallen && !flag->has_value) {
        return answer_none(ask, flag);
    }
    if (!live_flag_put(flag, fallen, ask->type, &resolution->value)) {
        return fail(ask, OF_ERROR_TYPE_MISMATCH, "the flag is of another type");
    }
    if (resolution->brief) {
        return OF_OK;
    }
    const struct live_rest *rest = &flag->rest;
    resolution->variant = fallen ? rest->wire->safe_variant : rest->wire->variant;
    resolution->reason = fallen ? OF_REASON_ERROR : leased ? rest->wire->reason : OF_REASON_STALE;
    resolution->metadata = fallen ? rest->fallen : rest->metadata;
    resolution->owner = live_flag_ref(flag);
    resolution->release = live_flag_unref;
    return OF_OK;
}

/* --- where values are not here ----------------------------------------------------------------------- */

/* A value to fall to, which another context's flag has told; its metadata is that context's business. */
static of_error answer_safe(const struct ask *ask, const struct fsw_flag *wire)
{
    struct live *live = ask->live;
    struct live_flag *flag = live_flag_new(&live->style, wire);
    if (flag == NULL) {
        return fail(ask, OF_ERROR_GENERAL, "out of memory");
    }
    of_value_unref(flag->rest.fallen);
    flag->rest.fallen = of_value_ref(live->waiting);
    of_error error = answer(ask, flag, false);
    live_flag_unref(flag);
    return error;
}

#define NO_VALUES "no values of this context are here yet"

/* With the lock. entry: NULL, or that of the context. */
static of_error answer_nothing(const struct ask *ask, const struct live_entry *entry)
{
    struct live *live = ask->live;
    char trouble[360], text[400];
    of_error error = entry != NULL && entry->refused ? entry->error : OF_ERROR_PROVIDER_NOT_READY;
    if (ask->resolution->brief) {
        return error;
    }
    if (entry != NULL && entry->refused) {
        snprintf(text, sizeof text, "%s", entry->message);
    } else if (live_trouble(live, trouble, sizeof trouble)) {
        snprintf(text, sizeof text, NO_VALUES ": %s", trouble);
    } else if (entry != NULL && entry->watch != NULL && !fsw_watch_asked(entry->watch)) {
        snprintf(text, sizeof text, NO_VALUES ": it is not their turn yet to be asked for");
    } else {
        snprintf(text, sizeof text, NO_VALUES ": the daemon was asked for them and has not answered");
    }
    const char *kept = of_resolution_text(ask->resolution, text);
    return fail(ask, error, kept == NULL ? NO_VALUES : kept);
}

/* With the lock: what can be said of an entry, whether it has values or not. */
static of_error answer_entry(const struct ask *ask, struct live_entry *entry, bool leased)
{
    struct live *live = ask->live;
    struct live_table *table = atomic_load_explicit(&entry->table, memory_order_acquire);
    of_error error;
    if (table == NULL && entry->watch != NULL) {
        struct fsw_result result;
        (void)fsw_get(entry->watch, ask->key, &result);
        if (result.standing == FSW_SAFE) {
            error = answer_safe(ask, result.flag);
            fsw_result_clear(&result);
            return error;
        }
        fsw_result_clear(&result);
        table = atomic_load_explicit(&entry->table, memory_order_acquire); /* it may have come just now */
    }
    return table == NULL ? answer_nothing(ask, entry)
                         : answer(ask, live_table_find(table, live->style.seed, ask->key), leased);
}

/* With the lock: until the entry has values or is refused, or the time is over. */
static void await(struct live *live, const struct live_entry *entry)
{
    struct timespec until = live_moment(live->options.wait);
    live_enter(live);
    while (!live->closing && !entry->refused &&
           atomic_load_explicit(&entry->table, memory_order_acquire) == NULL && live_wait(live, &until)) {
    }
    live_leave(live);
}

static of_error not_running(const struct ask *ask)
{
    return fail(ask, OF_ERROR_PROVIDER_NOT_READY,
                live_forked(ask->live) ? "the provider was started by the process that this one is a fork of"
                                       : "the provider is not started");
}

/* With the lock: where nothing is under way, there is nothing to wait for. */
static bool is_running(const struct live *live)
{
    return live->client != NULL && live->started && !live->closing;
}

/* The whole context goes to the daemon, once. */
static of_error resolve_once(const struct ask *ask)
{
    struct live *live = ask->live;
    if (live_forked(live)) {
        return not_running(ask);
    }
    pthread_mutex_lock(&live->lock);
    bool running = is_running(live);
    struct live_entry *entry = running ? live_entry_new(live, NULL) : NULL;
    if (entry == NULL || !live_entry_watch(entry, ask->context, true, ask->key)) {
        pthread_mutex_unlock(&live->lock);
        live_entry_free(entry);
        return running ? fail(ask, OF_ERROR_GENERAL, "out of memory") : not_running(ask);
    }
    live_enter(live);
    await(live, entry);
    of_error error = answer_entry(ask, entry, true);
    pthread_mutex_unlock(&live->lock);
    fsw_watch_remove(entry->watch);
    live_entry_free(entry);
    pthread_mutex_lock(&live->lock);
    live_leave(live);
    pthread_mutex_unlock(&live->lock);
    return error;
}

/* With the lock: the entry of a context, with a watch begun now where it has none. NULL without memory. */
static struct live_entry *get_entry(const struct ask *ask, const struct live_key *key,
                                    struct live_ended *ended)
{
    struct live *live = ask->live;
    struct live_entry *entry = live_map_find(atomic_load(&live->map), key);
    bool again = entry != NULL && entry->refused && entry->retry != 0 && live_tick() >= entry->retry;
    return entry == NULL || again ? live_open(live, key, ask->context, ended) : entry;
}

/* The values of the context are not here, or were not a moment ago. */
static of_error resolve_watched(const struct ask *ask, const struct live_key *key)
{
    struct live *live = ask->live;
    struct live_ended ended = {NULL, NULL};
    of_error error;
    if (live_forked(live)) {
        return not_running(ask);
    }
    pthread_mutex_lock(&live->lock);
    if (!is_running(live)) {
        pthread_mutex_unlock(&live->lock);
        return not_running(ask);
    }
    live_enter(live);
    struct live_entry *entry = get_entry(ask, key, &ended);
    if (entry == NULL) {
        error = fail(ask, OF_ERROR_GENERAL, "out of memory");
    } else {
        if (live->options.wait > 0 && !live->closing) {
            await(live, entry);
        }
        atomic_store(&entry->missed, true);
        bool leased = live_gate_leased(&entry->gate, live_tick(), live->margin);
        error = answer_entry(ask, entry, leased);
        if (atomic_load(&entry->table) != NULL && entry->answered) {
            atomic_store(&entry->missed, false);
            atomic_store_explicit(&entry->used, live_tick(), memory_order_relaxed);
        }
    }
    pthread_mutex_unlock(&live->lock);
    live_release(live, &ended);
    pthread_mutex_lock(&live->lock);
    live_leave(live);
    pthread_mutex_unlock(&live->lock);
    return error;
}

/* Static paradigm: the context is not the one whose values are here, or those have not come. */
static of_error resolve_only(const struct ask *ask, struct live_entry *entry)
{
    struct live *live = ask->live;
    if (entry == NULL || live_forked(live)) {
        return not_running(ask);
    }
    if (!of_context_equal(entry->context, ask->context)) {
        /* What the other context's flags fall to is all that may be taken from them. */
        struct live_table *table = atomic_load_explicit(&entry->table, memory_order_acquire);
        struct live_flag *flag = table == NULL ? NULL : live_table_find(table, live->style.seed, ask->key);
        return flag != NULL && flag->access
                   ? answer_safe(ask, flag->rest.wire)
                   : fail(ask, OF_ERROR_PROVIDER_NOT_READY,
                          NO_VALUES
                          ": those of the API's context are, since `static_context` is for an of_static_api. "
                          "In one, its context is being changed; for contexts of evaluations make the "
                          "provider without it");
    }
    of_error error;
    pthread_mutex_lock(&live->lock);
    if (live->client == NULL || live->closing || atomic_load(&live->only) != entry) {
        error = answer_nothing(ask, NULL);
    } else {
        if (live->options.wait > 0) {
            await(live, entry);
        }
        atomic_store(&entry->missed, true);
        bool leased = live_gate_leased(&entry->gate, live_tick(), live->margin);
        error = answer_entry(ask, entry, leased);
    }
    pthread_mutex_unlock(&live->lock);
    return error;
}

/* --- the short way ----------------------------------------------------------------------------------- */

/* Whether the context has attributes that are not watched on. */
static bool has_others(const struct live *live, const of_context *context)
{
    size_t watched = 0;
    for (size_t i = 0; i < live->options.watch_on_count; i++) {
        watched += of_context_get(context, live->options.watch_on[i]) != NULL;
    }
    return of_context_count(context) > watched;
}

/* The table that the entry has, or NULL, and whether it is leased: the lease is looked at first. */
static inline struct live_table *read_entry(const struct live *live, struct live_entry *entry, bool *leased)
{
    uint64_t tick = live_tick();
    *leased = live_gate_leased(&entry->gate, tick, live->margin);
    struct live_table *table = atomic_load_explicit(&entry->table, memory_order_acquire);
    if (table != NULL && atomic_load_explicit(&entry->used, memory_order_relaxed) != tick) {
        atomic_store_explicit(&entry->used, tick, memory_order_relaxed);
    }
    return table;
}

/* False where the entry has no values. */
static bool resolve_entry(const struct ask *ask, struct live_entry *entry, of_error *error)
{
    bool leased;
    struct live_table *table = read_entry(ask->live, entry, &leased);
    if (table != NULL) {
        *error = answer(ask, live_table_find(table, ask->live->style.seed, ask->key), leased);
    }
    return table != NULL;
}

/* Whatever the options are, and whether values are here or not. */
__attribute__((noinline)) static of_error resolve_any(const struct ask *ask)
{
    struct live *live = ask->live;
    struct live_entry *entry;
    struct live_key key;
    of_error error;
    if (live->options.static_context) {
        entry = atomic_load_explicit(&live->only, memory_order_acquire);
        bool mine = entry != NULL &&
                    (entry->context == ask->context || of_context_equal(entry->context, ask->context));
        return mine && resolve_entry(ask, entry, &error) ? error : resolve_only(ask, entry);
    }
    if (live->options.others == OF_LIVE_OTHERS_EVALUATED && has_others(live, ask->context)) {
        return resolve_once(ask);
    }
    if (!live_key_make(&key, live, ask->context)) {
        return fail(ask, OF_ERROR_GENERAL, "out of memory");
    }
    entry = live_map_find(atomic_load_explicit(&live->map, memory_order_acquire), &key);
    if (entry == NULL || !resolve_entry(ask, entry, &error)) {
        error = resolve_watched(ask, &key);
    }
    of_free(key.heap);
    return error;
}

/* The table of the context where that is found by its targeting key alone, or is the static one as it was
 * given; else NULL. */
__attribute__((always_inline)) static inline struct live_table *
read_simple(struct live *live, const of_context *context, bool *leased)
{
    if (!live->simple) {
        struct live_entry *only = atomic_load_explicit(&live->only, memory_order_acquire);
        return only != NULL && only->context == context ? read_entry(live, only, leased) : NULL;
    }
    const char *subject = of_context_targeting_key(context);
    subject = subject == NULL ? "" : subject;
    size_t length = strlen(subject);
    struct live_map *map = atomic_load_explicit(&live->map, memory_order_acquire);
    struct live_entry *entry =
        live_map_at(map, live_hash(live->style.seed, subject, length), subject, length);
    return entry == NULL ? NULL : read_entry(live, entry, leased);
}

/* What almost every evaluation comes to; false where it is anything else. */
static inline bool answer_simply(struct live_flag *flag, of_type type, bool leased, of_resolution *resolution)
{
    if (flag == NULL || flag->type != type || !flag->has_value || (flag->access && !leased)) {
        return false;
    }
    resolution->value = flag->value;
    if (resolution->brief) {
        return true;
    }
    if (flag->lasting) {
        resolution->variant = ofw_text(flag->variant);
        resolution->reason = leased ? ofw_text(flag->reason) : OF_REASON_STALE;
        return true;
    }
    resolution->variant = flag->variant != 0 ? ofw_text(flag->variant) : flag->rest.wire->variant;
    resolution->reason = !leased             ? OF_REASON_STALE
                         : flag->reason != 0 ? ofw_text(flag->reason)
                                             : flag->rest.wire->reason;
    resolution->metadata = flag->rest.metadata;
    resolution->owner = live_flag_ref(flag);
    resolution->release = live_flag_unref;
    return true;
}

__attribute__((always_inline)) static inline of_error resolve(struct live *live, const char *key,
                                                              of_type type, const of_flag_value *otherwise,
                                                              const of_context *context,
                                                              of_resolution *resolution)
{
    bool leased = false;
    struct live_table *table = read_simple(live, context, &leased);
    struct live_flag *flag = table == NULL ? NULL : live_table_find(table, live->style.seed, key);
    if (answer_simply(flag, type, leased, resolution)) {
        return OF_OK;
    }
    const struct ask ask = {live, key, type, otherwise, context, resolution};
    return table == NULL ? resolve_any(&ask) : answer(&ask, flag, leased);
}

of_error live_resolve_bool(void *self, const char *key, bool default_value, const of_context *context,
                           of_resolution *resolution)
{
    const of_flag_value otherwise = {.boolean = default_value};
    return resolve(self, key, OF_TYPE_BOOL, &otherwise, context, resolution);
}

of_error live_resolve(void *self, const char *key, of_type type, const of_flag_value *default_value,
                      const of_context *context, of_resolution *resolution)
{
    return resolve(self, key, type, default_value, context, resolution);
}

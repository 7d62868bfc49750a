/* SPDX-License-Identifier: Apache-2.0 */
/*
 * contexts.c: which contexts are watched: their keys, the map that evaluations look them up in, and the one
 * least recently used that gives way.
 */
#include "live.h"

#include <string.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>

#include "convert.h"
#include "hash.h"
#include "values.h"

/* --- keys -------------------------------------------------------------------------------------------- */

static bool add(struct live_key *key, size_t *room, const void *bytes, size_t length)
{
    char *to = key->heap == NULL ? key->room : key->heap;
    if (*room - key->length < length) {
        size_t size = (key->length + length) * 2;
        char *larger = of_alloc(size);
        if (larger == NULL) {
            return false;
        }
        memcpy(larger, to, key->length);
        of_free(key->heap);
        key->heap = to = larger;
        *room = size;
    }
    memcpy(to + key->length, bytes, length);
    key->length += length;
    return true;
}

/* Each attribute as its kind, its length and its bytes, so that no two contexts have one key. */
static bool add_attribute(struct live_key *key, size_t *room, const of_value *value)
{
    char *json = NULL;
    const char *bytes = "";
    size_t length = 0;
    char kind = '-';
    if (value != NULL && of_value_type(value) == OF_TYPE_STRING) {
        kind = 's';
        bytes = of_value_as_string(value, "");
        length = of_value_length(value);
    } else if (value != NULL) {
        kind = 'j';
        json = of_value_to_json(value);
        if (json == NULL) {
            return false;
        }
        bytes = json;
        length = strlen(json);
    }
    bool fine =
        add(key, room, &kind, 1) && add(key, room, &length, sizeof length) && add(key, room, bytes, length);
    of_free(json);
    return fine;
}

bool live_key_make(struct live_key *key, const struct live *live, const of_context *context)
{
    const of_live_options *options = &live->options;
    size_t room = sizeof key->room;
    const char *subject = NULL;
    key->heap = NULL;
    key->length = 0;
    if (live->by_subject) {
        subject = of_context_targeting_key(context);
        subject = subject == NULL ? "" : subject; /* an empty one is as good as none */
    }
    if (subject != NULL) {
        key->bytes = subject;
        key->length = strlen(subject);
        key->hash = live_hash(live->style.seed, key->bytes, key->length);
        return true;
    }
    for (size_t i = 0; i < options->watch_on_count; i++) {
        if (!add_attribute(key, &room, of_context_get(context, options->watch_on[i]))) {
            of_free(key->heap);
            key->heap = NULL;
            return false;
        }
    }
    key->bytes = key->heap == NULL ? key->room : key->heap;
    key->hash = live_hash(live->style.seed, key->bytes, key->length);
    return true;
}

/* --- the map ----------------------------------------------------------------------------------------- */

struct live_map *live_map_new(size_t count)
{
    size_t size = 8;
    while (size < count * 2) {
        size *= 2;
    }
    struct live_map *map = of_alloc(sizeof *map + size * sizeof(struct live_entry *));
    if (map != NULL) {
        memset(map, 0, sizeof *map + size * sizeof(struct live_entry *));
        map->mask = size - 1;
    }
    return map;
}

struct live_entry *live_map_find(const struct live_map *map, const struct live_key *key)
{
    return live_map_at(map, key->hash, key->bytes, key->length);
}

static void map_put(struct live_map *map, struct live_entry *entry)
{
    size_t at = (size_t)entry->hash & map->mask;
    while (map->slots[at] != NULL) {
        at = (at + 1) & map->mask;
    }
    map->slots[at] = entry;
    map->count++;
}

/* It waits for its first values. */
static bool is_waiting(const struct live_entry *entry)
{
    return !entry->refused && atomic_load_explicit(&entry->table, memory_order_relaxed) == NULL;
}

static uint64_t last_use(const struct live_entry *entry)
{
    return atomic_load_explicit(&entry->used, memory_order_relaxed);
}

/* The least used one of those that do not wait. */
static struct live_entry *least_used(const struct live_map *map, const struct live_entry *but)
{
    struct live_entry *least = NULL;
    for (size_t i = 0; i <= map->mask; i++) {
        struct live_entry *entry = map->slots[i];
        if (entry != NULL && entry != but && !entry->leaving && !is_waiting(entry) &&
            (least == NULL || last_use(entry) < last_use(least))) {
            least = entry;
        }
    }
    return least;
}

/* The one of those that wait whose turn comes last. */
static struct live_entry *newest(const struct live_map *map, const struct live_entry *but)
{
    struct live_entry *last = NULL;
    for (size_t i = 0; i <= map->mask; i++) {
        struct live_entry *entry = map->slots[i];
        if (entry != NULL && entry != but && (last == NULL || entry->turn > last->turn)) {
            last = entry;
        }
    }
    return last;
}

/* --- entries ----------------------------------------------------------------------------------------- */

struct live_entry *live_entry_new(struct live *live, const struct live_key *key)
{
    size_t length = key == NULL ? 0 : key->length;
    struct live_entry *entry = of_alloc(sizeof *entry + length + 1);
    if (entry == NULL) {
        return NULL;
    }
    memset(entry, 0, sizeof *entry + length + 1);
    entry->live = live;
    entry->length = length;
    entry->hash = key == NULL ? 0 : key->hash;
    if (key != NULL) {
        memcpy(entry->key, key->bytes, length);
    }
    entry->opened = live_tick();
    entry->turn = ++live->turns;
    atomic_store_explicit(&entry->used, entry->opened, memory_order_relaxed);
    return entry;
}

void live_entry_free(struct live_entry *entry)
{
    if (entry != NULL) {
        live_table_free(atomic_load_explicit(&entry->table, memory_order_acquire));
        of_context_unref(entry->context);
        of_free(entry->subject);
        of_free(entry);
    }
}

bool live_entry_name(struct live_entry *entry, const of_context *context)
{
    const char *subject = of_context_targeting_key(context);
    size_t size = subject == NULL ? 0 : strlen(subject) + 1;
    if (subject == NULL) {
        return true;
    }
    entry->subject = of_alloc(size);
    if (entry->subject != NULL) {
        memcpy(entry->subject, subject, size);
    }
    return entry->subject != NULL;
}

/* The attributes in watch_on as OFREP's context. */
static json_t *watched_part(const struct live *live, const of_context *context)
{
    json_t *part = json_object();
    for (size_t i = 0; part != NULL && i < live->options.watch_on_count; i++) {
        const char *name = live->options.watch_on[i];
        const of_value *value = of_context_get(context, name);
        if (value != NULL && json_object_set_new(part, name, ofj_json(value)) != 0) {
            json_decref(part);
            return NULL;
        }
    }
    return part;
}

bool live_entry_watch(struct live_entry *entry, const of_context *context, bool whole, const char *key)
{
    struct live *live = entry->live;
    const of_live_options *options = &live->options;
    json_t *json = whole ? live_json_of_context(context) : watched_part(live, context);
    if (json == NULL) {
        return false;
    }
    entry->watch = key != NULL
                       ? fsw_watch_add(live->client, json, &key, 1, true, entry)
                       : fsw_watch_add(live->client, json, options->flags, options->flag_count, false, entry);
    json_decref(json);
    return entry->watch != NULL;
}

void live_entry_end(struct live_entry *entry, struct live_ended *ended)
{
    entry->ending = entry->watch;
    entry->watch = NULL;
    entry->next = ended->entries;
    ended->entries = entry;
}

static void free_retired_entry(of_retired *retired)
{
    live_entry_free((struct live_entry *)(void *)retired);
}

static void free_retired_map(of_retired *retired)
{
    of_free(retired);
}

void live_release(struct live *live, struct live_ended *ended)
{
    if (ended->map != NULL) {
        of_provider_retire(live->provider, &ended->map->retired, free_retired_map);
        ended->map = NULL;
    }
    while (ended->entries != NULL) {
        struct live_entry *entry = ended->entries;
        ended->entries = entry->next;
        fsw_watch_remove(entry->ending);
        of_provider_retire(live->provider, &entry->retired, free_retired_entry);
    }
}

static struct live_map *map_without(const struct live_map *old, const struct live_entry *same)
{
    size_t count = old == NULL ? 0 : old->count;
    struct live_map *map = live_map_new(count + 1);
    for (size_t i = 0; map != NULL && count > 0 && i <= old->mask; i++) {
        struct live_entry *entry = old->slots[i];
        if (entry != NULL && entry != same && !entry->leaving) {
            map_put(map, entry);
        }
    }
    return map;
}

/* Marks those that give way to one more, two at most: while there are more than there should be, their number
 * falls. Returns how many. */
static size_t choose_leaving(const struct live *live, const struct live_map *map,
                             const struct live_entry *same, struct live_entry *leaving[2])
{
    size_t others = map == NULL ? 0 : map->count - (same != NULL), most = live->options.max_watches,
           count = 0;
    size_t wanted = others > most ? 2 : others == most || (live->crowded && others > 0) ? 1 : 0;
    while (count < wanted && (leaving[count] = least_used(map, same)) != NULL) {
        leaving[count++]->leaving = true;
    }
    if (wanted > 0 && count == 0 && (live->crowded || others >= most + most / 4)) {
        leaving[count] = newest(map, same);
        leaving[count++]->leaving = true;
    }
    return count;
}

struct live_entry *live_open(struct live *live, const struct live_key *key, const of_context *context,
                             struct live_ended *ended)
{
    struct live_map *old = atomic_load_explicit(&live->map, memory_order_relaxed);
    struct live_entry *same = live_map_find(old, key);
    struct live_entry *leaving[2];
    size_t leave = choose_leaving(live, old, same, leaving);
    struct live_map *map = map_without(old, same);
    struct live_entry *entry = map == NULL ? NULL : live_entry_new(live, key);
    if (entry == NULL || !live_entry_name(entry, context) || !live_entry_watch(entry, context, false, NULL)) {
        for (size_t i = 0; i < leave; i++) {
            leaving[i]->leaving = false;
        }
        live_entry_free(entry);
        of_free(map);
        return NULL;
    }
    map_put(map, entry);
    atomic_store(&live->map, map);
    live->crowded = false;
    ended->map = old;
    if (same != NULL) {
        live_entry_end(same, ended);
    }
    for (size_t i = 0; i < leave; i++) {
        live->evicted++;
        live->unserved +=
            !leaving[i]->refused && (leaving[i]->came == 0 || last_use(leaving[i]) < leaving[i]->came);
        live_entry_end(leaving[i], ended);
    }
    return entry;
}

void live_close_all(struct live *live, struct live_ended *ended)
{
    struct live_entry *only = atomic_exchange(&live->only, NULL);
    struct live_map *map = atomic_exchange(&live->map, NULL);
    if (only != NULL) {
        live_entry_end(only, ended);
    }
    for (size_t i = 0; map != NULL && i <= map->mask; i++) {
        if (map->slots[i] != NULL) {
            live_entry_end(map->slots[i], ended);
        }
    }
    ended->map = map;
}

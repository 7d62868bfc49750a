/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.c: see flag.h. Where a flag stands in a table is its index's business: a byte of the hash for each
 * slot, all of which fit into the nearest cache, so that only the slot and the flag are fetched from afar.
 * Most changes touch the values of few flags, so they share all other flags and the whole index.
 */
#include "flag.h"

#include <stddef.h>
#include <string.h>
#include <openfeature/memory.h>

#include "hash.h"
#include "values.h"

/* Doubles hold every integer up to here (2^53). */
static const int64_t EXACT = INT64_C(9007199254740992);

/* --- one flag ---------------------------------------------------------------------------------------- */

static of_type type_of(enum fsw_type type)
{
    switch (type) {
    case FSW_BOOLEAN:
        return OF_TYPE_BOOL;
    case FSW_STRING:
        return OF_TYPE_STRING;
    case FSW_INTEGER:
        return OF_TYPE_INT;
    case FSW_FLOAT:
        return OF_TYPE_DOUBLE;
    case FSW_OBJECT:
    default:
        return OF_TYPE_OBJECT;
    }
}

/* *object becomes what the value borrows from, if it is one; *deep says that it cannot be one here. False
 * without memory. */
static bool take_value(of_type type, const struct fsw_value *from, of_flag_value *value, of_value **object,
                       bool *deep)
{
    switch (type) {
    case OF_TYPE_BOOL:
        value->boolean = from->as.boolean;
        return true;
    case OF_TYPE_INT:
        value->integer = from->as.integer;
        return true;
    case OF_TYPE_DOUBLE:
        value->number = from->as.number;
        return true;
    case OF_TYPE_STRING:
        value->string.data = from->as.string;
        value->string.length = strlen(from->as.string);
        return true;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        *deep = ofj_too_deep(from->as.object);
        *object = *deep ? NULL : ofj_value(from->as.object);
        value->object = *object;
        return *deep || *object != NULL;
    }
}

static bool add_cause(of_value *metadata, const struct fsw_cause *cause)
{
    return of_value_set_string(metadata, "flagstaff.cause", cause->kind) == OF_OK &&
           (cause->entry == 0 ||
            of_value_set_int(metadata, "flagstaff.entry", (int64_t)cause->entry) == OF_OK) &&
           (cause->time == NULL || of_value_set_string(metadata, "flagstaff.time", cause->time) == OF_OK);
}

static bool add_metadata(struct live_flag *made, const struct live_flag_style *style)
{
    struct live_rest *rest = &made->rest;
    const struct fsw_flag *flag = rest->wire;
    bool causes = style->causes && flag->cause.kind != NULL;
    if (flag->metadata != NULL || causes) {
        rest->metadata = ofj_metadata(flag->metadata);
        if (rest->metadata == NULL || (causes && !add_cause(rest->metadata, &flag->cause))) {
            return false;
        }
    }
    if (!flag->access) {
        return true;
    }
    if (rest->metadata == NULL && !rest->deep) {
        rest->fallen = of_value_ref(style->over);
        return true;
    }
    rest->fallen = rest->metadata == NULL ? of_value_object() : of_value_copy(rest->metadata);
    of_value *why = rest->deep ? of_value_string("the value is nested too deeply")
                               : of_value_ref(of_value_get(style->over, "flagstaff.error"));
    return of_value_set(rest->fallen, "flagstaff.error", why) == OF_OK;
}

enum { LEAST = _Alignof(max_align_t) }; /* what allocators align to */

/* Zeroed memory for a flag with its key. */
static struct live_flag *flag_alloc(const char *key, size_t length)
{
    size_t size = offsetof(struct live_flag, key) + length + 1 + LIVE_LINE - LEAST;
    char *memory = length > UINT32_MAX ? NULL : of_alloc(size);
    if (memory == NULL) {
        return NULL;
    }
    memset(memory, 0, size);
    size_t value = (uintptr_t)memory + offsetof(struct live_flag, value);
    size_t before = (LIVE_LINE - value % LIVE_LINE) % LIVE_LINE;
    struct live_flag *flag = (struct live_flag *)(void *)(memory + before);
    flag->rest.before = (uint8_t)before;
    atomic_init(&flag->rest.refs, 1);
    flag->length = (uint32_t)length;
    memcpy(flag->key, key, length + 1);
    return flag;
}

struct live_flag *live_flag_new(const struct live_flag_style *style, const struct fsw_flag *flag)
{
    struct live_flag *made = flag_alloc(flag->key, strlen(flag->key));
    if (made == NULL) {
        return NULL;
    }
    struct live_rest *rest = &made->rest;
    rest->wire = fsw_flag_ref(flag);
    made->type = (uint8_t)type_of(flag->type);
    made->access = flag->access;
    of_type type = (of_type)made->type;
    of_flag_value safe;
    if ((flag->has_value && !take_value(type, &flag->value, &made->value, &rest->object, &rest->deep)) ||
        (flag->access && !take_value(type, &flag->safe, &safe, &rest->safe_object, &rest->safe_deep)) ||
        !add_metadata(made, style)) {
        live_flag_unref(made);
        return NULL;
    }
    made->has_value = flag->has_value && !rest->deep;
    made->variant = ofw_number(flag->variant);
    made->reason = ofw_number(flag->reason);
    made->lasting = type != OF_TYPE_STRING && type != OF_TYPE_OBJECT && rest->metadata == NULL &&
                    made->variant != 0 && made->reason != 0;
    return made;
}

void live_flag_unref(void *owner)
{
    struct live_flag *flag = owner;
    if (flag == NULL || atomic_fetch_sub_explicit(&flag->rest.refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    struct live_rest *rest = &flag->rest;
    of_value_unref(rest->object);
    of_value_unref(rest->safe_object);
    of_value_unref(rest->metadata);
    of_value_unref(rest->fallen);
    fsw_flag_unref(rest->wire);
    of_free((char *)flag - rest->before);
}

/* Only of an access flag. */
static of_flag_value safe_of(const struct live_flag *flag)
{
    of_flag_value value = {.object = flag->rest.safe_object};
    of_value *object = NULL;
    bool deep;
    if (flag->type != OF_TYPE_OBJECT) {
        (void)take_value((of_type)flag->type, &flag->rest.wire->safe, &value, &object, &deep);
    }
    return value;
}

bool live_flag_put(const struct live_flag *flag, bool safe, of_type type, of_flag_value *value)
{
    const of_flag_value its = safe ? safe_of(flag) : flag->value, *from = &its;
    if (flag->type == type) {
        *value = *from;
        return true;
    }
    if (type == OF_TYPE_DOUBLE && flag->type == OF_TYPE_INT) {
        value->number = (double)from->integer;
        return from->integer <= EXACT && from->integer >= -EXACT;
    }
    if (type == OF_TYPE_INT && flag->type == OF_TYPE_DOUBLE) {
        double number = from->number;
        if (!(number <= (double)EXACT && number >= -(double)EXACT)) {
            return false;
        }
        value->integer = (int64_t)number;
        return (double)value->integer == number;
    }
    return false;
}

/* --- the table --------------------------------------------------------------------------------------- */

static void index_unref(struct live_index *index)
{
    if (index != NULL && atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) == 1) {
        of_free(index);
    }
}

/* Slots for so many flags: a power of two, of which at most five eighths are taken. */
static size_t slots_for(size_t count)
{
    size_t slots = 8;
    while (slots / 8 * 5 < count) {
        slots *= 2;
    }
    return slots;
}

static struct live_index *index_new(const struct live_table *table, uint64_t seed)
{
    size_t slots = slots_for(table->count);
    size_t size = sizeof(struct live_index) + slots;
    size = (size + sizeof(uint32_t) - 1) / sizeof(uint32_t) * sizeof(uint32_t);
    char *memory = of_alloc(size + table->count * sizeof(uint32_t));
    if (memory == NULL) {
        return NULL;
    }
    memset(memory, 0, size);
    struct live_index *index = (struct live_index *)(void *)memory;
    atomic_init(&index->refs, 1);
    index->mask = slots - 1;
    index->places = (uint32_t *)(void *)(memory + size);
    for (size_t i = 0; i < table->count; i++) {
        uint64_t hash = live_hash(seed, table->flags[i]->key, table->flags[i]->length);
        size_t at = (size_t)hash & index->mask;
        while (index->tags[at] != 0) {
            at = (at + 1) & index->mask;
        }
        index->tags[at] = live_tag(hash);
        index->places[i] = (uint32_t)at;
    }
    return index;
}

/* Fills the table; *same says whether it has the keys that before has. */
static bool fill(struct live_table *made, const struct live_flag_style *style,
                 const struct live_table *before, const struct fsw_table *table, bool *same)
{
    size_t old = 0, old_count = before == NULL ? 0 : before->count, count = fsw_table_count(table);
    *same = before != NULL && old_count == count;
    for (size_t i = 0; i < count; i++) {
        const struct fsw_flag *flag = fsw_table_at(table, i);
        int order = 1;
        while (old < old_count && before->flags[old]->rest.wire != flag &&
               (order = strcmp(before->flags[old]->key, flag->key)) < 0) {
            old++;
            *same = false;
        }
        bool shared = old < old_count && before->flags[old]->rest.wire == flag;
        made->flags[i] = shared ? live_flag_ref(before->flags[old]) : live_flag_new(style, flag);
        if (made->flags[i] == NULL) {
            return false;
        }
        made->count++;
        bool present = shared || (old < old_count && order == 0);
        *same = *same && present;
        old += present;
    }
    return true;
}

static struct live_table *table_alloc(size_t count)
{
    size_t slots = slots_for(count);
    struct live_table *made = of_alloc(sizeof *made + (count + slots) * sizeof(struct live_flag *));
    if (made != NULL) {
        memset(made, 0, sizeof *made);
        made->slots = made->flags + count;
    }
    return made;
}

struct live_table *live_table_new(const struct live_flag_style *style, const struct live_table *before,
                                  const struct fsw_table *table)
{
    size_t count = fsw_table_count(table);
    bool same;
    struct live_table *made = count >= UINT32_MAX / 2 ? NULL : table_alloc(count);
    if (made == NULL) {
        return NULL;
    }
    if (fill(made, style, before, table, &same)) {
        if (same) {
            made->index = before->index;
            atomic_fetch_add_explicit(&made->index->refs, 1, memory_order_relaxed);
        } else {
            made->index = index_new(made, style->seed);
        }
    }
    if (made->index == NULL) {
        live_table_free(made);
        return NULL;
    }
    for (size_t i = 0; i < count; i++) { /* slots without a tag are not looked at */
        made->slots[made->index->places[i]] = made->flags[i];
    }
    return made;
}

void live_table_free(struct live_table *table)
{
    if (table == NULL) {
        return;
    }
    for (size_t i = 0; i < table->count; i++) {
        live_flag_unref(table->flags[i]);
    }
    index_unref(table->index);
    of_free(table);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flag.c: see flag.h. A table is an array of flags in the wire's order and an index of it by hash; most
 * changes touch the values of few flags, so they share all other flags and the whole index.
 */
#include "flag.h"

#include <string.h>
#include <openfeature/memory.h>

#include "convert.h"
#include "hash.h"

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

/* *object becomes what the value borrows from, if it is one. */
static bool take_value(of_type type, const struct fsw_value *from, of_flag_value *value, of_value **object)
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
        *object = live_value_of_json(from->as.object);
        value->object = *object;
        return *object != NULL;
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
    const struct fsw_flag *flag = made->flag;
    bool causes = style->causes && flag->cause.kind != NULL;
    if (flag->metadata != NULL || causes) {
        made->metadata = live_metadata_of_json(flag->metadata);
        if (made->metadata == NULL || (causes && !add_cause(made->metadata, &flag->cause))) {
            return false;
        }
    }
    if (!flag->access) {
        return true;
    }
    if (made->metadata == NULL) {
        made->fallen = of_value_ref(style->over);
        return true;
    }
    made->fallen = of_value_copy(made->metadata);
    const of_value *why = of_value_get(style->over, "flagstaff.error");
    return of_value_set(made->fallen, "flagstaff.error", of_value_ref(why)) == OF_OK;
}

struct live_flag *live_flag_new(const struct live_flag_style *style, const struct fsw_flag *flag)
{
    size_t length = strlen(flag->key);
    struct live_flag *made = of_alloc(sizeof *made + length + 1);
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof *made);
    memcpy(made->key, flag->key, length + 1);
    atomic_init(&made->refs, 1);
    made->hash = live_hash(style->seed, flag->key, length);
    made->flag = fsw_flag_ref(flag);
    made->type = type_of(flag->type);
    made->has_value = flag->has_value;
    made->access = flag->access;
    if ((flag->has_value && !take_value(made->type, &flag->value, &made->value, &made->object)) ||
        (flag->access && !take_value(made->type, &flag->safe, &made->safe, &made->safe_object)) ||
        !add_metadata(made, style)) {
        live_flag_unref(made);
        return NULL;
    }
    return made;
}

void live_flag_unref(void *owner)
{
    struct live_flag *flag = owner;
    if (flag == NULL || atomic_fetch_sub_explicit(&flag->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    of_value_unref(flag->object);
    of_value_unref(flag->safe_object);
    of_value_unref(flag->metadata);
    of_value_unref(flag->fallen);
    fsw_flag_unref(flag->flag);
    of_free(flag);
}

bool live_flag_put(const struct live_flag *flag, bool safe, of_type type, of_flag_value *value)
{
    const of_flag_value *from = safe ? &flag->safe : &flag->value;
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

struct slot {
    uint32_t tag;  /* of the hash's upper half */
    uint32_t flag; /* its index plus 1; 0: empty */
};

struct live_index {
    atomic_uint refs;
    size_t mask;
    struct slot slots[];
};

static void index_unref(struct live_index *index)
{
    if (index != NULL && atomic_fetch_sub_explicit(&index->refs, 1, memory_order_acq_rel) == 1) {
        of_free(index);
    }
}

static struct live_index *index_new(const struct live_table *table)
{
    size_t size = 8;
    while (size < table->count * 2) {
        size *= 2;
    }
    struct live_index *index = of_alloc(sizeof *index + size * sizeof(struct slot));
    if (index == NULL) {
        return NULL;
    }
    memset(index, 0, sizeof *index + size * sizeof(struct slot));
    atomic_init(&index->refs, 1);
    index->mask = size - 1;
    for (size_t i = 0; i < table->count; i++) {
        uint64_t hash = table->flags[i]->hash;
        size_t at = (size_t)hash & index->mask;
        while (index->slots[at].flag != 0) {
            at = (at + 1) & index->mask;
        }
        index->slots[at] = (struct slot){.tag = (uint32_t)(hash >> 32), .flag = (uint32_t)(i + 1)};
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
        while (old < old_count && before->flags[old]->flag != flag &&
               (order = strcmp(before->flags[old]->key, flag->key)) < 0) {
            old++;
            *same = false;
        }
        bool shared = old < old_count && before->flags[old]->flag == flag;
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

struct live_table *live_table_new(const struct live_flag_style *style, const struct live_table *before,
                                  const struct fsw_table *table)
{
    size_t count = fsw_table_count(table);
    bool same;
    if (count >= UINT32_MAX) {
        return NULL;
    }
    struct live_table *made = of_alloc(sizeof *made + count * sizeof(struct live_flag *));
    if (made == NULL) {
        return NULL;
    }
    memset(made, 0, sizeof *made);
    if (fill(made, style, before, table, &same)) {
        if (same) {
            made->index = before->index;
            atomic_fetch_add_explicit(&made->index->refs, 1, memory_order_relaxed);
        } else {
            made->index = index_new(made);
        }
    }
    if (made->index == NULL) {
        live_table_free(made);
        return NULL;
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

struct live_flag *live_table_find(const struct live_table *table, uint64_t seed, const char *key)
{
    const struct live_index *index = table->index;
    uint64_t hash = live_hash(seed, key, strlen(key));
    for (size_t at = (size_t)hash & index->mask;; at = (at + 1) & index->mask) {
        const struct slot *slot = &index->slots[at];
        if (slot->flag == 0) {
            return NULL;
        }
        if (slot->tag == (uint32_t)(hash >> 32)) {
            struct live_flag *flag = table->flags[slot->flag - 1];
            if (flag->hash == hash && strcmp(flag->key, key) == 0) {
                return flag;
            }
        }
    }
}

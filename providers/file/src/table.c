/* SPDX-License-Identifier: Apache-2.0 */
/*
 * table.c: a set of flags with its values as OpenFeature has them, and what differs between two of them.
 */
#include "file.h"

#include <stdio.h>
#include <string.h>
#include <openfeature/memory.h>

#include "core/json.h"
#include "values.h"

struct piece piece_of(of_value *value)
{
    struct piece piece = {.value = value, .type = of_value_type(value)};
    switch (piece.type) {
    case OF_TYPE_BOOL:
        piece.parts.boolean = of_value_as_bool(value, false);
        break;
    case OF_TYPE_INT:
        piece.parts.integer = of_value_as_int(value, 0);
        break;
    case OF_TYPE_DOUBLE:
        piece.parts.number = of_value_as_double(value, 0);
        break;
    case OF_TYPE_STRING:
        piece.parts.string.data = of_value_as_string(value, "");
        piece.parts.string.length = of_value_length(value);
        break;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        piece.parts.object = value;
        break;
    }
    return piece;
}

static bool piece_make(struct piece *piece, const json_t *json)
{
    *piece = piece_of(ofj_value(json));
    return piece->value != NULL;
}

/* The name of a variant whose value is nested more deeply than values here may be; NULL: none is. */
static const char *too_deep(const struct fs_flag *flag)
{
    for (size_t i = 0; i < flag->variant_count; i++) {
        if (ofj_too_deep(flag->variants[i].value)) {
            return flag->variants[i].name;
        }
    }
    return flag->safe_value != NULL && ofj_too_deep(flag->safe_value) ? "safeValue" : NULL;
}

bool table_fits(const struct fs_flagset *set, char *problem, size_t size)
{
    for (size_t i = 0; i < set->count; i++) {
        const struct fs_flag *flag = set->flags[i];
        const char *variant = too_deep(flag);
        if (variant != NULL) {
            snprintf(problem, size, "%s:%d:1: flags.%s: the value of %s is nested deeper than %d levels",
                     flag->file == NULL ? "" : flag->file, flag->line, flag->key, variant,
                     OF_VALUE_MAX_DEPTH);
            return false;
        }
    }
    return true;
}

static bool item_make(struct item *item, const struct fs_flag *flag, struct piece *variants)
{
    bool fine = true;
    item->flag = flag;
    item->variants = variants;
    for (size_t i = 0; i < flag->variant_count; i++) {
        fine = piece_make(&variants[i], flag->variants[i].value) && fine;
    }
    if (flag->safe_value != NULL) {
        fine = piece_make(&item->safe, flag->safe_value) && fine;
    }
    if (flag->metadata != NULL) {
        item->metadata = ofj_metadata(flag->metadata);
        fine = fine && item->metadata != NULL;
    }
    bool rules = flag->targeting != NULL || flag->value != NULL || flag->decision_count > 0;
    item->plain = flag->disabled || !rules;
    if (item->plain) {
        const struct fs_evaluation_input nothing = {0};
        fs_evaluate(flag, &nothing, NULL, &item->fixed);
    }
    return fine;
}

static void *zeroed(size_t size)
{
    void *memory = of_alloc(size);
    if (memory != NULL) {
        memset(memory, 0, size);
    }
    return memory;
}

struct table *table_new(struct fs_flagset *set)
{
    size_t pieces = 0;
    for (size_t i = 0; i < set->count; i++) {
        pieces += set->flags[i]->variant_count;
    }
    struct table *table = zeroed(sizeof *table + set->count * sizeof table->items[0]);
    struct piece *all = zeroed((pieces + 1) * sizeof *all);
    if (table == NULL || all == NULL) {
        of_free(table);
        of_free(all);
        fs_flagset_unref(set);
        return NULL;
    }
    atomic_init(&table->refs, 1);
    table->set = set;
    table->pieces = all;
    table->piece_count = pieces;
    bool fine = true;
    for (size_t i = 0; i < set->count; i++) {
        fine = item_make(&table->items[i], set->flags[i], all) && fine;
        all += set->flags[i]->variant_count;
    }
    if (!fine) {
        table_unref(table);
        return NULL;
    }
    return table;
}

struct table *table_ref(struct table *table)
{
    atomic_fetch_add_explicit(&table->refs, 1, memory_order_relaxed);
    return table;
}

void table_unref(void *counted)
{
    struct table *table = counted;
    if (table == NULL || atomic_fetch_sub_explicit(&table->refs, 1, memory_order_acq_rel) != 1) {
        return;
    }
    for (size_t i = 0; i < table->piece_count; i++) {
        of_value_unref(table->pieces[i].value);
    }
    for (size_t i = 0; i < table->set->count; i++) {
        of_value_unref(table->items[i].safe.value);
        of_value_unref(table->items[i].metadata);
        fs_evaluation_finish(&table->items[i].fixed);
    }
    fs_flagset_unref(table->set);
    of_free(table->pieces);
    of_free(table);
}

void table_retired(of_retired *retired)
{
    table_unref(retired);
}

/* --- what differs ------------------------------------------------------------------------------------ */

static bool same_json(const json_t *a, const json_t *b)
{
    return a == b || (a != NULL && b != NULL && fs_json_equal(a, b));
}

/* A rule is another one too when an evaluator that it refers to is. */
static bool same_rule(const struct fs_rule *a, const struct fs_rule *b)
{
    if (a == NULL || b == NULL) {
        return a == b;
    }
    struct fs_sha256 left = fs_rule_hash(a), right = fs_rule_hash(b);
    return memcmp(left.bytes, right.bytes, sizeof left.bytes) == 0;
}

static bool same_flag(const struct fs_flag *a, const struct fs_flag *b)
{
    if (!same_json(a->source_text, b->source_text) || !same_json(a->metadata, b->metadata) ||
        a->unleased != b->unleased || a->decision_count != b->decision_count ||
        !same_rule(a->targeting, b->targeting) || !same_rule(a->value, b->value)) {
        return false;
    }
    for (size_t i = 0; i < a->decision_count; i++) {
        if (!same_rule(a->decisions[i].rule, b->decisions[i].rule)) {
            return false;
        }
    }
    return true;
}

const char **table_changes(const struct table *old, const struct table *now, size_t *count)
{
    const char **keys = of_alloc((old->set->count + now->set->count + 1) * sizeof *keys);
    *count = 0;
    for (size_t i = 0; keys != NULL && i < now->set->count; i++) {
        const struct fs_flag *flag = now->set->flags[i], *former = fs_flagset_find(old->set, flag->key);
        if (former == NULL || !same_flag(former, flag)) {
            keys[(*count)++] = flag->key;
        }
    }
    for (size_t i = 0; keys != NULL && i < old->set->count; i++) {
        if (fs_flagset_find(now->set, old->set->flags[i]->key) == NULL) {
            keys[(*count)++] = old->set->flags[i]->key;
        }
    }
    return keys;
}

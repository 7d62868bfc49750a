/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags and sets of them: their end, their order and hash, and what is found out once about each flag (does
 * it decide access, which facts does it read, does time alone change it). Reading files is
 * service/flagfile's.
 */
#include <stdlib.h>
#include <string.h>
#include "base/alloc.h"
#include "base/buf.h"
#include "base/digest.h"
#include "base/str.h"
#include "core/flag.h"
#include "core/json.h"

#define FS_HASH_LIMIT (256 * 1024 * 1024)

const char *fs_type_name(enum fs_type type)
{
    static const char *const names[] = {"boolean", "string", "integer", "float", "object"};
    return (size_t)type < sizeof names / sizeof *names ? names[type] : "object";
}

static void finish_decision(struct fs_decision *decision)
{
    fs_free(decision->name);
    fs_free(decision->source);
    fs_free(decision->kind);
    fs_free(decision->query);
    fs_rule_destroy(decision->rule);
    fs_rule_destroy(decision->input);
}

void fs_flag_destroy(struct fs_flag *flag)
{
    if (!flag)
        return;
    for (size_t i = 0; i < flag->variant_count; i++) {
        fs_free(flag->variants[i].name);
        json_decref(flag->variants[i].value);
    }
    for (size_t i = 0; i < flag->decision_count; i++)
        finish_decision(&flag->decisions[i]);
    for (size_t i = 0; i < flag->fact_count; i++)
        fs_free(flag->facts[i]);
    fs_free(flag->key);
    fs_free(flag->variants);
    fs_free(flag->decisions);
    fs_free(flag->facts);
    fs_free(flag->order);
    fs_free(flag->file);
    fs_rule_destroy(flag->targeting);
    fs_rule_destroy(flag->value);
    json_decref(flag->safe_value);
    json_decref(flag->fact_defaults);
    json_decref(flag->metadata);
    json_decref(flag->source_text);
    fs_free(flag);
}

static void add_fact(struct fs_flag *flag, const char *name)
{
    for (size_t i = 0; i < flag->fact_count; i++) {
        if (strcmp(flag->facts[i], name) == 0)
            return;
    }
    flag->facts = fs_realloc(flag->facts, flag->fact_count + 1, sizeof *flag->facts);
    flag->facts[flag->fact_count++] = fs_strdup(name);
}

static void read_rule(struct fs_flag *flag, const struct fs_rule *rule)
{
    const char *name;
    if (!rule)
        return;
    for (size_t i = 0; (name = fs_rule_fact(rule, i)) != NULL; i++)
        add_fact(flag, name);
    if (fs_rule_time(rule) > flag->time)
        flag->time = fs_rule_time(rule);
}

static int by_text(const void *a, const void *b)
{
    return strcmp(*(char *const *)a, *(char *const *)b);
}

/* The safe variant of a boolean access flag that names none. */
static int variant_valued_false(const struct fs_flag *flag)
{
    for (size_t i = 0; i < flag->variant_count; i++) {
        if (json_is_false(flag->variants[i].value))
            return (int)i;
    }
    return -1;
}

static void find_out(struct fs_flag *flag)
{
    flag->time = FS_TIME_NONE;
    read_rule(flag, flag->targeting);
    read_rule(flag, flag->value);
    for (size_t i = 0; i < flag->decision_count; i++) {
        read_rule(flag, flag->decisions[i].rule);
        read_rule(flag, flag->decisions[i].input);
    }
    if (flag->fact_count > 1)
        qsort(flag->facts, flag->fact_count, sizeof *flag->facts, by_text);
    flag->access =
        flag->decision_count > 0 || flag->fact_count > 0 || flag->safe_variant >= 0 || flag->safe_value;
    if (flag->access && flag->safe_variant < 0 && !flag->safe_value && flag->type == FS_TYPE_BOOLEAN)
        flag->safe_variant = variant_valued_false(flag);
}

static void hash_text(struct fs_buf *buf, const char *text)
{
    if (text)
        fs_buf_add_json_string(buf, text, strlen(text));
    fs_buf_addc(buf, ',');
}

static void hash_json(struct fs_buf *buf, const json_t *json)
{
    if (json)
        fs_json_canonical(buf, json);
    fs_buf_addc(buf, ',');
}

static void hash_rule(struct fs_buf *buf, const struct fs_rule *rule)
{
    char hex[FS_SHA256_SIZE * 2 + 1];
    if (rule) {
        struct fs_sha256 hash = fs_rule_hash(rule);
        fs_buf_adds(buf, fs_hex(hash.bytes, sizeof hash.bytes, hex));
    }
    fs_buf_addc(buf, ',');
}

static void hash_decision(struct fs_buf *buf, const struct fs_decision *decision)
{
    fs_buf_adds(buf, "\ndecision,");
    hash_text(buf, decision->name);
    hash_text(buf, decision->source);
    hash_text(buf, decision->kind);
    hash_text(buf, decision->query);
    hash_rule(buf, decision->rule);
    hash_rule(buf, decision->input);
    fs_buf_addf(buf, "%d", decision->undefined_unknown);
}

/* All that can make a difference to a value, and the text for people; not where it stands. */
static void hash_flag(struct fs_buf *buf, const struct fs_flag *flag)
{
    fs_buf_adds(buf, "\nflag,");
    hash_text(buf, flag->key);
    fs_buf_addf(buf, "%d,%d,%d,%d,%d,%d,%d,", (int)flag->type, flag->disabled, flag->default_variant,
                flag->safe_variant, (int)flag->visibility, (int)flag->unleased, flag->evaluate_unknown);
    fs_buf_addi(buf, flag->max_stale);
    fs_buf_addc(buf, ',');
    fs_buf_addi(buf, flag->revalidate);
    fs_buf_addc(buf, ',');
    for (size_t i = 0; i < flag->variant_count; i++) {
        hash_text(buf, flag->variants[i].name);
        hash_json(buf, flag->variants[i].value);
    }
    for (size_t i = 0; i < flag->order_count; i++)
        fs_buf_addf(buf, "%d,", flag->order[i]);
    hash_json(buf, flag->safe_value);
    hash_json(buf, flag->fact_defaults);
    hash_json(buf, flag->metadata);
    hash_json(buf, flag->source_text);
    hash_rule(buf, flag->targeting);
    hash_rule(buf, flag->value);
    for (size_t i = 0; i < flag->decision_count; i++)
        hash_decision(buf, &flag->decisions[i]);
}

static void hash_set(struct fs_flagset *set)
{
    struct fs_buf buf;
    fs_buf_init(&buf, FS_HASH_LIMIT);
    hash_json(&buf, set->metadata);
    for (size_t i = 0; i < set->count; i++)
        hash_flag(&buf, set->flags[i]);
    struct fs_sha256 hash = fs_sha256(buf.data, buf.length);
    /* Too large to be compared: then no two sets are equal. */
    if (buf.failed)
        fs_random(hash.bytes, sizeof hash.bytes);
    fs_hex(hash.bytes, sizeof hash.bytes, set->hash);
    fs_buf_finish(&buf);
}

static int by_key(const void *a, const void *b)
{
    return strcmp((*(struct fs_flag *const *)a)->key, (*(struct fs_flag *const *)b)->key);
}

struct fs_flagset *fs_flagset_create(struct fs_flag **flags, size_t count, json_t *metadata)
{
    struct fs_flagset *set = FS_NEW(struct fs_flagset);
    set->references = 1;
    set->count = count;
    set->metadata = json_incref(metadata);
    set->flags = fs_calloc(count ? count : 1, sizeof *set->flags);
    if (count) {
        memcpy(set->flags, flags, count * sizeof *flags);
        qsort(set->flags, count, sizeof *set->flags, by_key);
    }
    fs_map_init_borrowing(&set->by_key);
    for (size_t i = 0; i < count; i++) {
        set->flags[i]->index = i;
        find_out(set->flags[i]);
        fs_map_sets(&set->by_key, set->flags[i]->key, set->flags[i]);
    }
    hash_set(set);
    return set;
}

struct fs_flagset *fs_flagset_ref(struct fs_flagset *set)
{
    __atomic_add_fetch(&set->references, 1, __ATOMIC_RELAXED);
    return set;
}

void fs_flagset_unref(struct fs_flagset *set)
{
    if (!set || __atomic_sub_fetch(&set->references, 1, __ATOMIC_ACQ_REL) > 0)
        return;
    fs_map_finish(&set->by_key, NULL);
    for (size_t i = 0; i < set->count; i++)
        fs_flag_destroy(set->flags[i]);
    fs_free(set->flags);
    json_decref(set->metadata);
    fs_free(set);
}

const struct fs_flag *fs_flagset_find(const struct fs_flagset *set, const char *key)
{
    return fs_map_gets(&set->by_key, key);
}

const struct fs_flag *fs_flagset_need(const struct fs_flagset *set, const char *key, struct fs_err *err)
{
    const struct fs_flag *flag = fs_flagset_find(set, key);
    if (flag)
        return flag;
    const char **keys = fs_calloc(set->count + 1, sizeof *keys);
    for (size_t i = 0; i < set->count; i++)
        keys[i] = set->flags[i]->key;
    const char *meant = fs_suggest(key, keys, set->count);
    fs_fail(err, FS_ERR_NOT_FOUND, "there is no flag %.100s here%s%.100s%s", key,
            meant ? ", did you mean " : "", meant ? meant : "", meant ? "?" : "");
    fs_free((void *)(uintptr_t)keys);
    return NULL;
}

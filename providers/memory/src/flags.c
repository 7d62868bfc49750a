/* SPDX-License-Identifier: Apache-2.0 */
/* Sets of flags: see flags.h. */
#include "flags.h"

#include <string.h>

#include "words.h"

enum { WORD = 8 };

static uint64_t mix(uint64_t hash, uint64_t word)
{
    hash = (hash ^ word) * UINT64_C(0x9E3779B97F4A7C15);
    return hash ^ hash >> 29;
}

/* Eight bytes at a time; the last eight may overlap. Keys come from the program, not from strangers. */
static uint64_t hash_of(const char *key, size_t length)
{
    uint64_t hash = length;
    uint64_t word = 0;
    if (length < WORD) {
        for (size_t i = 0; i < length; i++)
            word = word << 8 | (unsigned char)key[i];
    } else {
        const char *last = key + length - WORD;
        for (; key < last; key += WORD) {
            memcpy(&word, key, WORD);
            hash = mix(hash, word);
        }
        memcpy(&word, last, WORD);
    }
    /* What came in at the top must reach the bottom, where the table looks. */
    hash = mix(hash, word ^ word >> 32);
    return mix(hash, hash >> 32);
}

static void *zalloc(size_t size)
{
    void *memory = of_alloc(size);
    if (memory != NULL)
        memset(memory, 0, size);
    return memory;
}

static void take_apart(struct variant *variant, const char *name, const of_value *value)
{
    variant->name = name;
    variant->type = of_value_type(value);
    switch (variant->type) {
    case OF_TYPE_BOOL:
        variant->value.boolean = of_value_as_bool(value, false);
        break;
    case OF_TYPE_INT:
        variant->value.integer = of_value_as_int(value, 0);
        break;
    case OF_TYPE_DOUBLE:
        variant->value.number = of_value_as_double(value, 0);
        break;
    case OF_TYPE_STRING:
        variant->value.string.data = of_value_as_string(value, "");
        variant->value.string.length = of_value_length(value);
        break;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        variant->value.object = value;
        break;
    }
}

const struct variant *flag_variant(const struct flag *flag, const char *name)
{
    const struct rest *rest = flag->rest;
    for (size_t i = 0; name != NULL && i < rest->count; i++)
        if (strcmp(rest->variants[i].name, name) == 0)
            return &rest->variants[i];
    return NULL;
}

/* Memory for a flag with its key and so many variants, the rest where it belongs. */
static struct flag *flag_alloc(const char *key, size_t variants)
{
    size_t length = strlen(key);
    size_t head = (sizeof(struct flag) + length + 1 + WORD - 1) / WORD * WORD;
    if (length > UINT32_MAX)
        return NULL;
    struct flag *flag = zalloc(head + sizeof(struct rest) + variants * sizeof(struct variant));
    if (flag == NULL)
        return NULL;
    atomic_init(&flag->refs, 1);
    flag->key_length = (uint32_t)length;
    memcpy(flag->key, key, length + 1);
    flag->rest = (struct rest *)(void *)((char *)flag + head);
    return flag;
}

static void set_preset(struct flag *flag, const struct variant *preset)
{
    const char *word = ofw_word(preset->name);
    bool inside =
        preset->type == OF_TYPE_BOOL || preset->type == OF_TYPE_INT || preset->type == OF_TYPE_DOUBLE;
    flag->preset = *preset;
    flag->lasting = word != NULL && inside && flag->plain && flag->metadata == NULL;
    if (word != NULL)
        flag->preset.name = word;
}

struct flag *flag_new(const of_memory_flag *given, of_error *error)
{
    of_memory_flag known = {0};
    *error = OF_ERROR_INVALID_ARGUMENT;
    if (given == NULL || given->size < offsetof(of_memory_flag, default_variant))
        return NULL;
    memcpy(&known, given, given->size < sizeof known ? given->size : sizeof known);
    if (known.key == NULL || of_value_type(known.variants) != OF_TYPE_OBJECT)
        return NULL;
    struct flag *flag = flag_alloc(known.key, of_value_length(known.variants));
    *error = flag == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    if (flag == NULL)
        return NULL;
    struct rest *rest = flag->rest;
    rest->values = of_value_ref(known.variants);
    flag->metadata = of_value_ref(known.metadata);
    rest->evaluator = known.evaluator;
    rest->user = known.user;
    flag->disabled = known.disabled;
    flag->plain = !known.disabled && known.evaluator == NULL;
    const char *name = NULL;
    const of_value *value = NULL;
    for (size_t cursor = 0; of_value_next(rest->values, &cursor, &name, &value); rest->count++)
        take_apart(&rest->variants[rest->count], name, value);
    const struct variant *preset = flag_variant(flag, known.default_variant);
    if (preset != NULL)
        set_preset(flag, preset);
    if (known.default_variant == NULL || preset != NULL)
        return flag;
    *error = OF_ERROR_INVALID_ARGUMENT;
    flag_unref(flag);
    return NULL;
}

struct flag *flag_ref(struct flag *flag)
{
    atomic_fetch_add_explicit(&flag->refs, 1, memory_order_relaxed);
    return flag;
}

void flag_unref(void *counted)
{
    struct flag *flag = counted;
    if (flag == NULL || atomic_fetch_sub_explicit(&flag->refs, 1, memory_order_acq_rel) != 1)
        return;
    of_value_unref(flag->rest->values);
    of_value_unref(flag->metadata);
    of_free(flag);
}

struct flags *flags_new(size_t count)
{
    size_t slots = 8;
    while (slots / 8 * 5 < count)
        slots *= 2;
    struct flags *flags = zalloc(sizeof *flags + slots * sizeof flags->slots[0]);
    if (flags != NULL)
        flags->mask = slots - 1;
    return flags;
}

static struct slot *slot_of(struct flags *flags, uint64_t hash, const char *key)
{
    size_t i = (size_t)hash & flags->mask;
    while (flags->slots[i].flag != NULL &&
           (flags->slots[i].hash != hash || strcmp(flags->slots[i].flag->key, key) != 0))
        i = (i + 1) & flags->mask;
    return &flags->slots[i];
}

void flags_put(struct flags *flags, struct flag *flag)
{
    uint64_t hash = hash_of(flag->key, flag->key_length);
    struct slot *slot = slot_of(flags, hash, flag->key);
    if (slot->flag == NULL)
        flags->count++;
    else
        flag_unref(slot->flag);
    *slot = (struct slot){hash, flag};
}

struct flag *flags_find(const struct flags *flags, const char *key)
{
    size_t length = strlen(key);
    uint64_t hash = hash_of(key, length);
    for (size_t i = (size_t)hash & flags->mask; flags->slots[i].flag != NULL; i = (i + 1) & flags->mask)
        if (flags->slots[i].hash == hash && flags->slots[i].flag->key_length == length &&
            memcmp(flags->slots[i].flag->key, key, length) == 0)
            return flags->slots[i].flag;
    return NULL;
}

void flags_free(struct flags *flags)
{
    for (size_t i = 0; flags != NULL && i <= flags->mask; i++)
        flag_unref(flags->slots[i].flag);
    of_free(flags);
}

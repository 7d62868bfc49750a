/* SPDX-License-Identifier: Apache-2.0 */
/* The in-memory provider: see openfeature/providers/memory.h. Its flags are one pointer, replaced and
 * retired. */
#include <openfeature/providers/memory.h>

#include <pthread.h>
#include <string.h>

#include <openfeature/memory.h>

#include "flags.h"
#include "outbox.h"

struct memory {
    of_provider *provider;
    _Atomic(struct flags *) flags;
    of_value *switches;   /* the variants of all flags that are just on or off */
    pthread_mutex_t lock; /* one writer at a time */
    struct ofo_outbox outbox;
};

static void retired_free(of_retired *retired)
{
    flags_free((struct flags *)(void *)retired);
}

/* Doubles hold every integer up to here (2^53). */
static const int64_t EXACT = INT64_C(9007199254740992);

/* Puts the value of a variant as the type that is asked for; numbers convert where nothing is lost. */
static bool put_value(const struct variant *variant, of_type type, of_flag_value *value)
{
    if (variant->type == type || (type == OF_TYPE_OBJECT && variant->type == OF_TYPE_LIST)) {
        *value = variant->value;
        return true;
    }
    if (type == OF_TYPE_DOUBLE && variant->type == OF_TYPE_INT) {
        value->number = (double)variant->value.integer;
        return variant->value.integer <= EXACT && variant->value.integer >= -EXACT;
    }
    if (type == OF_TYPE_INT && variant->type == OF_TYPE_DOUBLE) {
        double number = variant->value.number;
        if (!(number <= (double)EXACT && number >= -(double)EXACT))
            return false;
        value->integer = (int64_t)number;
        return (double)value->integer == number;
    }
    return false;
}

/* The variant that applies, or NULL for the caller's default value; and the reason. */
static const struct variant *choose(const struct flag *flag, const of_context *context, const char **reason)
{
    const struct variant *preset = flag->preset.name == NULL ? NULL : &flag->preset;
    if (flag->plain) {
        *reason = preset == NULL ? OF_REASON_DEFAULT : OF_REASON_STATIC;
        return preset;
    }
    if (flag->disabled) {
        *reason = OF_REASON_DISABLED;
        return NULL;
    }
    const struct rest *rest = flag->rest;
    const struct variant *chosen = flag_variant(flag, rest->evaluator(rest->user, context));
    *reason = chosen != NULL ? OF_REASON_TARGETING_MATCH : OF_REASON_DEFAULT;
    return chosen != NULL ? chosen : preset;
}

static of_error resolve(void *self, const char *key, of_type type, const of_flag_value *default_value,
                        const of_context *context, of_resolution *resolution)
{
    const struct memory *memory = self;
    struct flags *flags = atomic_load_explicit(&memory->flags, memory_order_acquire);
    struct flag *flag = flags_find(flags, key);
    const char *reason = NULL;
    if (flag == NULL) {
        resolution->error_message = "no such flag";
        return OF_ERROR_FLAG_NOT_FOUND;
    }
    const struct variant *variant = choose(flag, context, &reason);
    if (variant == NULL)
        resolution->value = *default_value;
    else if (!put_value(variant, type, &resolution->value)) {
        resolution->error_message = "the flag is of another type";
        return OF_ERROR_TYPE_MISMATCH;
    }
    if (resolution->brief)
        return OF_OK;
    resolution->variant = variant == NULL ? NULL : variant->name;
    resolution->reason = reason;
    if (flag->lasting)
        return OF_OK;
    resolution->metadata = flag->metadata;
    resolution->owner = flag_ref(flag);
    resolution->release = flag_unref;
    return OF_OK;
}

static of_error resolve_bool(void *self, const char *key, bool default_value, const of_context *context,
                             of_resolution *resolution)
{
    of_flag_value value = {.boolean = default_value};
    return resolve(self, key, OF_TYPE_BOOL, &value, context, resolution);
}

static void destroy(void *self)
{
    struct memory *memory = self;
    flags_free(atomic_load(&memory->flags));
    of_value_unref(memory->switches);
    ofo_finish(&memory->outbox);
    (void)pthread_mutex_destroy(&memory->lock);
    of_free(memory);
}

static const of_provider_methods methods = {.size = sizeof methods,
                                            .name = "in-memory",
                                            .destroy = destroy,
                                            .resolve_bool = resolve_bool, /* what is asked for most */
                                            .resolve = resolve};

/* The i-th of an array whose elements may be longer or shorter than ours: the program was built with another
 * header. */
static const of_memory_flag *nth(const of_memory_flag *first, size_t i)
{
    return (const of_memory_flag *)(const void *)((const char *)first + i * first->size);
}

static struct flags *make_flags(const of_memory_flag *given, size_t count, of_error *error)
{
    struct flags *flags = flags_new(count);
    *error = flags == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    for (size_t i = 0; *error == OF_OK && i < count; i++) {
        struct flag *flag = flag_new(nth(given, i), error);
        if (flag != NULL)
            flags_put(flags, flag);
    }
    if (*error == OF_OK)
        return flags;
    flags_free(flags);
    return NULL;
}

static of_value *make_switches(void)
{
    of_value *switches = of_value_object();
    if (of_value_set_bool(switches, "on", true) == OF_OK &&
        of_value_set_bool(switches, "off", false) == OF_OK)
        return switches;
    of_value_unref(switches);
    return NULL;
}

of_provider *of_memory_provider_new(const of_memory_flag *flags, size_t count)
{
    of_error error = OF_OK;
    struct memory *memory = of_alloc(sizeof *memory);
    if (memory == NULL)
        return NULL;
    memset(memory, 0, sizeof *memory);
    (void)pthread_mutex_init(&memory->lock, NULL);
    bool fine = ofo_init(&memory->outbox, NULL, &memory->lock);
    struct flags *made = !fine || (flags == NULL && count > 0) ? NULL : make_flags(flags, count, &error);
    atomic_init(&memory->flags, made);
    memory->switches = made == NULL ? NULL : make_switches();
    of_provider *provider = memory->switches == NULL ? NULL : of_provider_new(&methods, memory);
    if (provider == NULL) {
        destroy(memory);
        return NULL;
    }
    memory->provider = memory->outbox.provider = provider;
    return provider;
}

static struct memory *memory_of(of_provider *provider)
{
    return of_provider_is(provider, &methods) ? of_provider_self(provider) : NULL;
}

static void put_changed(struct memory *memory, const char *const *keys, size_t count)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    event.flags_changed = keys;
    event.flags_changed_count = keys == NULL ? 0 : count;
    ofo_put(&memory->outbox, &event);
}

/* The keys of both sets, without repetition; NULL without memory, and the event then says "any". */
static const char **all_keys(const struct flags *old, const struct flags *now, size_t *count)
{
    const char **keys = of_alloc((old->count + now->count + 1) * sizeof *keys);
    *count = 0;
    for (size_t i = 0; keys != NULL && i <= now->mask; i++)
        if (now->slots[i].flag != NULL)
            keys[(*count)++] = now->slots[i].flag->key;
    for (size_t i = 0; keys != NULL && i <= old->mask; i++)
        if (old->slots[i].flag != NULL && flags_find(now, old->slots[i].flag->key) == NULL)
            keys[(*count)++] = old->slots[i].flag->key;
    return keys;
}

of_error of_memory_provider_replace(of_provider *provider, const of_memory_flag *flags, size_t count)
{
    of_error error = OF_ERROR_INVALID_ARGUMENT;
    struct memory *memory = memory_of(provider);
    struct flags *now =
        memory == NULL || (flags == NULL && count > 0) ? NULL : make_flags(flags, count, &error);
    if (now == NULL)
        return error;
    size_t changed = 0;
    (void)pthread_mutex_lock(&memory->lock);
    struct flags *old = atomic_load(&memory->flags);
    const char **keys = all_keys(old, now, &changed);
    atomic_store(&memory->flags, now);
    put_changed(memory, keys, changed);
    of_free(keys);
    ofo_unlock(&memory->outbox);
    of_provider_retire(provider, &old->retired, retired_free);
    return OF_OK;
}

/* The set with one flag (taken) put in, or without the key when `flag` is NULL. */
static struct flags *with_change(const struct flags *old, const char *key, struct flag *flag)
{
    struct flags *now = flags_new(old->count + 1);
    if (now == NULL) {
        flag_unref(flag);
        return NULL;
    }
    for (size_t i = 0; i <= old->mask; i++) {
        struct flag *other = old->slots[i].flag;
        if (other != NULL && strcmp(other->key, key) != 0)
            flags_put(now, flag_ref(other));
    }
    if (flag != NULL)
        flags_put(now, flag);
    return now;
}

static of_error change(struct memory *memory, const char *key, struct flag *flag)
{
    (void)pthread_mutex_lock(&memory->lock);
    struct flags *old = atomic_load(&memory->flags);
    if (flag == NULL && flags_find(old, key) == NULL) {
        (void)pthread_mutex_unlock(&memory->lock);
        return OF_OK;
    }
    struct flags *now = with_change(old, key, flag);
    if (now != NULL) {
        atomic_store(&memory->flags, now);
        put_changed(memory, &key, 1);
    }
    ofo_unlock(&memory->outbox);
    if (now == NULL)
        return OF_ERROR_NO_MEMORY;
    of_provider_retire(memory->provider, &old->retired, retired_free);
    return OF_OK;
}

of_error of_memory_provider_put(of_provider *provider, const of_memory_flag *given)
{
    of_error error = OF_ERROR_INVALID_ARGUMENT;
    struct memory *memory = memory_of(provider);
    struct flag *flag = memory == NULL ? NULL : flag_new(given, &error);
    return flag == NULL ? error : change(memory, given->key, flag);
}

of_error of_memory_provider_remove(of_provider *provider, const char *key)
{
    struct memory *memory = memory_of(provider);
    return memory == NULL || key == NULL ? OF_ERROR_INVALID_ARGUMENT : change(memory, key, NULL);
}

of_error of_memory_provider_put_bool(of_provider *provider, const char *key, bool on)
{
    const struct memory *memory = memory_of(provider);
    of_memory_flag flag = {.size = sizeof flag, .key = key, .default_variant = on ? "on" : "off"};
    if (memory == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    flag.variants = memory->switches;
    return of_memory_provider_put(provider, &flag);
}

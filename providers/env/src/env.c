/* SPDX-License-Identifier: Apache-2.0 */
/* The environment provider: see openfeature/providers/env.h. Its variables are a snapshot, replaced and
 * retired. */
#include <openfeature/providers/env.h>

#include <ctype.h>
#include <errno.h>
#include <math.h>
#include <pthread.h>
#include <stdatomic.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

#include <openfeature/json.h>
#include <openfeature/memory.h>

extern char **environ;

enum { KEY_LIMIT = 256 };

struct snapshot {
    of_retired retired;  /* must be first */
    of_value *variables; /* from the name without prefix to the text */
};

struct env {
    _Atomic(struct snapshot *) now;
    pthread_mutex_t lock; /* one reload at a time */
    char *prefix;
};

static void snapshot_free(struct snapshot *snapshot)
{
    if (snapshot != NULL)
        of_value_unref(snapshot->variables);
    of_free(snapshot);
}

static void retired_free(of_retired *retired)
{
    snapshot_free((struct snapshot *)(void *)retired);
}

/* "NAME=text" with the prefix taken off goes into the object; what has another prefix does not. */
static of_error add_variable(of_value *variables, const char *variable, const char *prefix)
{
    char name[KEY_LIMIT];
    size_t skip = strlen(prefix);
    if (strncmp(variable, prefix, skip) != 0)
        return OF_OK;
    const char *equals = strchr(variable + skip, '=');
    size_t length = equals == NULL ? 0 : (size_t)(equals - variable) - skip;
    if (length == 0 || length >= sizeof name)
        return OF_OK;
    memcpy(name, variable + skip, length);
    name[length] = '\0';
    return of_value_set_string(variables, name, equals + 1);
}

static struct snapshot *take_snapshot(const char *prefix)
{
    struct snapshot *snapshot = of_alloc(sizeof *snapshot);
    if (snapshot == NULL)
        return NULL;
    memset(snapshot, 0, sizeof *snapshot);
    snapshot->variables = of_value_object();
    of_error error = snapshot->variables == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    for (char **variable = environ; error == OF_OK && variable != NULL && *variable != NULL; variable++)
        error = add_variable(snapshot->variables, *variable, prefix);
    if (error == OF_OK)
        return snapshot;
    snapshot_free(snapshot);
    return NULL;
}

/* The text of a flag, borrowed from the snapshot, with the snapshot's object as owner. */
static const char *find(struct env *env, const char *key, of_resolution *resolution, of_value **owner)
{
    char name[KEY_LIMIT];
    size_t i = 0;
    for (; key[i] != '\0' && i < sizeof name - 1; i++)
        name[i] = isalnum((unsigned char)key[i]) ? (char)toupper((unsigned char)key[i]) : '_';
    name[i] = '\0';
    const struct snapshot *snapshot = atomic_load_explicit(&env->now, memory_order_acquire);
    const of_value *text = key[i] == '\0' ? of_value_get(snapshot->variables, name) : NULL;
    if (text == NULL) {
        resolution->error_message = "no such variable in the environment";
        return NULL;
    }
    if (owner != NULL)
        *owner = of_value_ref(text);
    resolution->reason = OF_REASON_STATIC;
    resolution->variant = "environment";
    return of_value_as_string(text, "");
}

static of_error mismatch(of_resolution *resolution)
{
    resolution->error_message = "the variable's text is not of this type";
    return OF_ERROR_TYPE_MISMATCH;
}

static of_error resolve_bool(void *self, const char *key, bool default_value, const of_context *context,
                             of_resolution *resolution)
{
    static const char *const words[] = {"false", "true", "off", "on", "no", "yes", "0", "1"};
    const char *text = find(self, key, resolution, NULL);
    (void)default_value;
    (void)context;
    if (text == NULL)
        return OF_ERROR_FLAG_NOT_FOUND;
    for (size_t i = 0; i < sizeof words / sizeof words[0]; i++) {
        if (strcasecmp(text, words[i]) != 0)
            continue;
        resolution->value.boolean = i % 2 == 1;
        return OF_OK;
    }
    return mismatch(resolution);
}

static of_error resolve_int(void *self, const char *key, int64_t default_value, const of_context *context,
                            of_resolution *resolution)
{
    const char *text = find(self, key, resolution, NULL);
    char *end = NULL;
    (void)default_value;
    (void)context;
    if (text == NULL)
        return OF_ERROR_FLAG_NOT_FOUND;
    errno = 0;
    long long integer = strtoll(text, &end, 10);
    if (errno != 0 || end == text || *end != '\0')
        return mismatch(resolution);
    resolution->value.integer = integer;
    return OF_OK;
}

static of_error resolve_double(void *self, const char *key, double default_value, const of_context *context,
                               of_resolution *resolution)
{
    const char *text = find(self, key, resolution, NULL);
    of_value *value = NULL;
    (void)default_value;
    (void)context;
    if (text == NULL)
        return OF_ERROR_FLAG_NOT_FOUND;
    /* As JSON and not by strtod(), which depends on the locale. */
    if (of_value_from_json(text, strlen(text), &value, NULL) == OF_ERROR_NO_MEMORY)
        return OF_ERROR_GENERAL;
    resolution->value.number = of_value_as_double(value, (double)NAN);
    of_value_unref(value);
    return isnan(resolution->value.number) ? mismatch(resolution) : OF_OK;
}

static void release_value(void *owner)
{
    of_value_unref(owner);
}

static of_error resolve_string(void *self, const char *key, const char *default_value,
                               const of_context *context, of_resolution *resolution)
{
    of_value *owner = NULL;
    const char *text = find(self, key, resolution, &owner);
    (void)default_value;
    (void)context;
    if (text == NULL)
        return OF_ERROR_FLAG_NOT_FOUND;
    resolution->value.string.data = text;
    resolution->value.string.length = strlen(text);
    resolution->owner = owner;
    resolution->release = release_value;
    return OF_OK;
}

static of_error resolve_object(void *self, const char *key, const of_value *default_value,
                               const of_context *context, of_resolution *resolution)
{
    of_value *value = NULL;
    const char *text = find(self, key, resolution, NULL);
    (void)default_value;
    (void)context;
    if (text == NULL)
        return OF_ERROR_FLAG_NOT_FOUND;
    of_error error = of_value_from_json(text, strlen(text), &value, NULL);
    if (error == OF_ERROR_NO_MEMORY)
        return OF_ERROR_GENERAL;
    if (error != OF_OK || (of_value_type(value) != OF_TYPE_OBJECT && of_value_type(value) != OF_TYPE_LIST)) {
        of_value_unref(value);
        return mismatch(resolution);
    }
    resolution->value.object = value;
    resolution->owner = value;
    resolution->release = release_value;
    return OF_OK;
}

static void destroy(void *self)
{
    struct env *env = self;
    snapshot_free(atomic_load(&env->now));
    (void)pthread_mutex_destroy(&env->lock);
    of_free(env->prefix);
    of_free(env);
}

static const of_provider_methods methods = {.size = sizeof methods,
                                            .name = "environment",
                                            .destroy = destroy,
                                            .resolve_bool = resolve_bool,
                                            .resolve_string = resolve_string,
                                            .resolve_int = resolve_int,
                                            .resolve_double = resolve_double,
                                            .resolve_object = resolve_object};

of_provider *of_env_provider_new(const char *prefix)
{
    if (prefix == NULL)
        prefix = OF_ENV_PREFIX;
    size_t size = strlen(prefix) + 1;
    struct env *env = of_alloc(sizeof *env);
    if (env == NULL)
        return NULL;
    memset(env, 0, sizeof *env);
    env->prefix = of_alloc(size);
    struct snapshot *snapshot = env->prefix == NULL ? NULL : take_snapshot(prefix);
    of_provider *provider = snapshot == NULL ? NULL : of_provider_new(&methods, env);
    if (provider == NULL) {
        snapshot_free(snapshot);
        of_free(env->prefix);
        of_free(env);
        return NULL;
    }
    memcpy(env->prefix, prefix, size);
    (void)pthread_mutex_init(&env->lock, NULL);
    atomic_init(&env->now, snapshot);
    return provider;
}

of_error of_env_provider_reload(of_provider *provider)
{
    if (!of_provider_is(provider, &methods))
        return OF_ERROR_INVALID_ARGUMENT;
    struct env *env = of_provider_self(provider);
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    (void)pthread_mutex_lock(&env->lock);
    struct snapshot *old = atomic_load(&env->now);
    struct snapshot *now = take_snapshot(env->prefix);
    bool taken = now != NULL;
    bool changed = taken && !of_value_equal(old->variables, now->variables);
    if (changed) {
        atomic_store(&env->now, now);
    } else {
        snapshot_free(now);
    }
    (void)pthread_mutex_unlock(&env->lock);
    if (changed) {
        of_provider_emit(provider, &event); /* says no more than the last one, so order does not matter */
        of_provider_retire(provider, &old->retired, retired_free);
    }
    return taken ? OF_OK : OF_ERROR_NO_MEMORY;
}

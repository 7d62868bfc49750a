/* SPDX-License-Identifier: Apache-2.0 */
/* The multi-provider as a provider: its life, its names, its resolvers. Strategies are strategy.c's, its
 * status status.c's. */
#include "multi.h"

#include <stdio.h>
#include <string.h>

#include <openfeature/memory.h>

/* Something to do for each provider inside, at the same time. */
struct task {
    void (*run)(struct task *task, struct entry *entry);
    const of_context *context, *before;
    const char *domain;
};

struct worker {
    struct task *task;
    struct entry *entry;
    pthread_t thread;
    bool started;
};

static void *work(void *argument)
{
    struct worker *worker = argument;
    worker->task->run(worker->task, worker->entry);
    return NULL;
}

/* Runs the task for all, each in a thread of its own but the last; where there is none, in this one. */
static void for_all(struct multi *multi, struct task *task)
{
    struct worker *workers = of_alloc(multi->count * sizeof *workers);
    for (size_t i = 0; i < multi->count; i++) {
        struct worker last = {task, &multi->entries[i], 0, false};
        if (workers != NULL && i + 1 < multi->count) {
            workers[i] = last;
            workers[i].started = pthread_create(&workers[i].thread, NULL, work, &workers[i]) == 0;
            if (workers[i].started)
                continue;
        }
        task->run(task, &multi->entries[i]);
    }
    for (size_t i = 0; workers != NULL && i + 1 < multi->count; i++)
        if (workers[i].started)
            (void)pthread_join(workers[i].thread, NULL);
    of_free(workers);
}

static of_error worst(const struct multi *multi)
{
    of_error found = OF_OK;
    for (size_t i = 0; i < multi->count; i++) {
        if (multi->entries[i].error == OF_ERROR_PROVIDER_FATAL)
            return OF_ERROR_PROVIDER_FATAL;
        if (found == OF_OK)
            found = multi->entries[i].error;
    }
    return found;
}

static void init_one(struct task *task, struct entry *entry)
{
    entry->error = of_provider_init(entry->provider, task->context, task->domain);
}

static of_error init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct multi *multi = self;
    struct task task = {.run = init_one, .context = context, .domain = domain};
    (void)provider;
    (void)pthread_mutex_lock(&multi->lock);
    multi->status = OF_STATUS_NOT_READY;
    for (size_t i = 0; i < multi->count; i++)
        multi->entries[i].status = OF_STATUS_NOT_READY;
    (void)pthread_mutex_unlock(&multi->lock);
    for_all(multi, &task);
    return worst(multi);
}

/* On this thread: it may be one of a provider's own, which that provider knows by its being called on it, and
 * does not wait for. */
static void shut_down(void *self)
{
    struct multi *multi = self;
    for (size_t i = 0; i < multi->count; i++)
        of_provider_shutdown(multi->entries[i].provider);
}

static void tell_one(struct task *task, struct entry *entry)
{
    entry->error = of_provider_context_changed(entry->provider, task->before, task->context);
}

static of_error on_context_changed(void *self, of_provider *provider, const of_context *before,
                                   const of_context *now)
{
    struct multi *multi = self;
    struct task task = {.run = tell_one, .before = before, .context = now};
    (void)provider;
    (void)pthread_mutex_lock(&multi->lock);
    multi->reconciling = true;
    (void)pthread_mutex_unlock(&multi->lock);
    for_all(multi, &task);
    of_error error = worst(multi);
    (void)pthread_mutex_lock(&multi->lock);
    multi->reconciling = false;
    multi_reconciled(multi, error);
    ofo_unlock(&multi->outbox);
    return error;
}

static void track(void *self, const char *name, const of_context *context, const of_tracking *details)
{
    struct multi *multi = self;
    const of_multi_options *options = &multi->options;
    for (size_t i = 0; i < multi->count; i++) {
        struct entry *entry = &multi->entries[i];
        of_provider_status status = of_provider_get_status(entry->provider);
        bool gets_it = options->should_track != NULL
                           ? options->should_track(options->user, name, context, entry->name, status)
                           : status != OF_STATUS_NOT_READY && status != OF_STATUS_FATAL;
        if (gets_it)
            of_provider_track(entry->provider, name, context, details);
    }
}

static of_error resolve(void *self, const char *key, of_type type, const of_flag_value *default_value,
                        const of_context *context, of_resolution *resolution)
{
    const struct question question = {key, type, *default_value, context};
    return multi_answer(self, &question, resolution);
}

static void multi_free(struct multi *multi)
{
    for (size_t i = 0; i < multi->count; i++) {
        struct entry *entry = &multi->entries[i];
        if (entry->adopted)
            of_provider_release(entry->provider);
        of_provider_unref(entry->provider);
        of_free(entry->name);
        of_free(entry->last_message);
    }
    ofo_finish(&multi->outbox);
    (void)pthread_mutex_destroy(&multi->lock);
    of_free(multi);
}

static void destroy(void *self)
{
    struct multi *multi = self;
    if (multi->options.destroy != NULL)
        multi->options.destroy(multi->options.user);
    multi_free(multi);
}

static const of_provider_methods methods = {.size = sizeof methods,
                                            .name = "multiprovider",
                                            .init = init,
                                            .shutdown = shut_down,
                                            .destroy = destroy,
                                            .track = track,
                                            .on_context_changed = on_context_changed,
                                            .resolve = resolve};

/* What one inside cannot do, the whole cannot: serve more than one domain. */
static of_provider *make_provider(struct multi *multi)
{
    of_provider_methods its = methods;
    for (size_t i = 0; i < multi->count; i++)
        its.flags |= of_provider_flags(multi->entries[i].provider) & OF_PROVIDER_DOMAIN_SCOPED;
    return of_provider_new(&its, multi);
}

/* How many entries without a given name have this provider name: up to `end`. */
static size_t count_named(const of_multi_entry *entries, size_t end, const char *name)
{
    size_t count = 0;
    for (size_t i = 0; i < end; i++)
        if (entries[i].name == NULL && strcmp(of_provider_name(entries[i].provider), name) == 0)
            count++;
    return count;
}

/* The name that was given, the provider's where it is unique, or the provider's with a number. */
static char *make_name(const of_multi_entry *entries, size_t count, size_t i)
{
    const char *own = entries[i].name != NULL ? entries[i].name : of_provider_name(entries[i].provider);
    size_t size = strlen(own) + 24;
    char *name = of_alloc(size);
    if (name == NULL)
        return NULL;
    if (entries[i].name != NULL || count_named(entries, count, own) == 1)
        (void)snprintf(name, size, "%s", own);
    else
        (void)snprintf(name, size, "%s_%zu", own, count_named(entries, i + 1, own));
    return name;
}

static bool name_taken(const struct multi *multi, const char *name)
{
    for (size_t i = 0; i < multi->count; i++)
        if (strcmp(multi->entries[i].name, name) == 0)
            return true;
    return false;
}

static of_error add_entries(struct multi *multi, const of_multi_entry *entries, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (entries[i].provider == NULL)
            return OF_ERROR_INVALID_ARGUMENT;
    for (size_t i = 0; i < count; i++) {
        struct entry *entry = &multi->entries[i];
        char *name = make_name(entries, count, i);
        if (name == NULL)
            return OF_ERROR_NO_MEMORY;
        if (name_taken(multi, name)) {
            of_free(name);
            return OF_ERROR_INVALID_ARGUMENT;
        }
        *entry = (struct entry){.multi = multi,
                                .provider = of_provider_ref(entries[i].provider),
                                .name = name,
                                .status = OF_STATUS_NOT_READY};
        multi->count++;
        of_error error = of_provider_adopt(entry->provider, multi_listen, entry);
        if (error != OF_OK)
            return error;
        entry->adopted = true;
    }
    return OF_OK;
}

static bool good_options(const of_multi_options *options, size_t count)
{
    if ((unsigned)options->strategy > OF_MULTI_CUSTOM)
        return false;
    if (options->strategy == OF_MULTI_COMPARISON)
        return options->fallback < count;
    return options->strategy != OF_MULTI_CUSTOM || options->choose != NULL;
}

of_provider *of_multi_provider_new(const of_multi_entry *entries, size_t count,
                                   const of_multi_options *options, of_error *error_out)
{
    of_multi_options known = {0};
    of_error error = OF_ERROR_INVALID_ARGUMENT;
    of_provider *provider = NULL;
    struct multi *multi = NULL;
    if (options != NULL)
        memcpy(&known, options, options->size < sizeof known ? options->size : sizeof known);
    if (entries == NULL || count == 0 || count > SIZE_MAX / sizeof(struct entry) - 1 ||
        !good_options(&known, count))
        goto out;
    error = OF_ERROR_NO_MEMORY;
    size_t size = sizeof *multi + count * sizeof multi->entries[0];
    multi = of_alloc(size);
    if (multi == NULL)
        goto out;
    memset(multi, 0, size);
    multi->options = known;
    (void)pthread_mutex_init(&multi->lock, NULL);
    bool fine = ofo_init(&multi->outbox, NULL, &multi->lock);
    error = fine ? add_entries(multi, entries, count) : OF_ERROR_NO_MEMORY;
    if (error == OF_OK) {
        provider = make_provider(multi);
        multi->provider = multi->outbox.provider = provider;
        error = provider == NULL ? OF_ERROR_NO_MEMORY : OF_OK;
    }
    if (provider == NULL)
        multi_free(multi);
out:
    if (error_out != NULL)
        *error_out = error;
    return provider;
}

of_provider *of_multi_provider_at(of_provider *provider, size_t index, const char **name)
{
    struct multi *multi = NULL;
    if (of_provider_is(provider, &methods))
        multi = of_provider_self(provider);
    if (multi == NULL || index >= multi->count)
        return NULL;
    if (name != NULL)
        *name = multi->entries[index].name;
    return multi->entries[index].provider;
}

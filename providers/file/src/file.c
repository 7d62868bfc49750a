/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The file provider: see openfeature/providers/file.h. What was read is one pointer, replaced and retired.
 */
#include "file.h"

#include <signal.h>
#include <stdio.h>
#include <string.h>
#include <sys/eventfd.h>
#include <unistd.h>
#include <openfeature/memory.h>

#include "base/alloc.h"
#include "flagfile/flagfile.h"

/* --- reading ----------------------------------------------------------------------------------------- */

/* With the lock: notes a line for the log. Without memory it is lost. */
static void say(struct file *file, of_file_level level, const char *text)
{
    size_t size = strlen(text) + 1;
    struct line *line = file->options.log == NULL ? NULL : of_alloc(sizeof *line + size);
    if (line != NULL) {
        line->next = NULL;
        line->level = level;
        memcpy(line->text, text, size);
        *file->lines_end = line;
        file->lines_end = &line->next;
    }
}

/* With the lock, which it lets go: the log and then OpenFeature are told. */
static void tell_and_unlock(struct file *file)
{
    struct line *line = file->lines;
    file->lines = NULL;
    file->lines_end = &file->lines;
    (void)pthread_mutex_unlock(&file->lock);
    while (line != NULL) {
        struct line *next = line->next;
        file->options.log(file->options.user, line->level, line->text);
        of_free(line);
        line = next;
    }
    (void)pthread_mutex_lock(&file->lock);
    ofo_unlock(&file->outbox);
}

/* Logs all, and writes the first error of them. */
static void tell_problems(struct file *file, const struct fs_flag_problems *problems, char *first)
{
    first[0] = '\0';
    for (size_t i = 0; i < problems->count; i++) {
        const struct fs_flag_problem *problem = &problems->items[i];
        char *line = fs_flag_problem_line(problem);
        say(file, problem->warning ? OF_FILE_LOG_WARNING : OF_FILE_LOG_ERROR, line);
        if (!problem->warning && first[0] == '\0' && problems->errors > 1) {
            snprintf(first, FILE_PROBLEM, "%.450s (and %zu more)", line, problems->errors - 1);
        } else if (!problem->warning && first[0] == '\0') {
            snprintf(first, FILE_PROBLEM, "%s", line);
        }
        fs_free(line);
    }
}

/* What the daemon would answer otherwise is worth a line. */
static void tell_unasked(struct file *file, const struct fs_flagset *set)
{
    char text[FILE_PROBLEM];
    for (size_t i = 0; i < set->count; i++) {
        const struct fs_flag *flag = set->flags[i];
        for (size_t d = 0; d < flag->decision_count; d++) {
            if (flag->decisions[d].rule == NULL) {
                snprintf(text, sizeof text,
                         "%s:%d:1: flags.%s: its decision asks the source %s, which is not asked here: it "
                         "resolves to its safe variant",
                         flag->file == NULL ? "" : flag->file, flag->line, flag->key,
                         flag->decisions[d].source);
                say(file, OF_FILE_LOG_WARNING, text);
                break;
            }
        }
    }
}

/* With the lock. NULL with the problem, and OF_ERROR_PARSE_ERROR or OF_ERROR_NO_MEMORY. */
static struct table *read_files(struct file *file, char problem[FILE_PROBLEM], of_error *error)
{
    struct fs_flag_problems problems;
    struct fs_flagset *set = fs_flagfile_load(file->options.paths, file->options.path_count, NULL, &problems);
    tell_problems(file, &problems, problem);
    fs_flag_problems_finish(&problems);
    if (set == NULL) {
        *error = OF_ERROR_PARSE_ERROR;
        return NULL;
    }
    if (!table_fits(set, problem, FILE_PROBLEM)) {
        say(file, OF_FILE_LOG_ERROR, problem);
        fs_flagset_unref(set);
        *error = OF_ERROR_PARSE_ERROR;
        return NULL;
    }
    tell_unasked(file, set);
    struct table *table = table_new(set);
    if (table == NULL) {
        snprintf(problem, FILE_PROBLEM, "out of memory");
        *error = OF_ERROR_NO_MEMORY;
    }
    return table;
}

static void put_changed(struct file *file, const struct table *old, const struct table *now)
{
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    size_t count = 0;
    const char **keys = table_changes(old, now, &count);
    event.flags_changed = keys;
    event.flags_changed_count = keys == NULL ? 0 : count;
    if (keys == NULL || count > 0) {
        ofo_put(&file->outbox, &event);
    }
    of_free(keys);
}

/* With the lock: another table, and the events that it brings. */
static void take(struct file *file, struct table *now)
{
    char text[FILE_PROBLEM];
    struct table *old = atomic_load(&file->table);
    atomic_store_explicit(&file->table, now, memory_order_release);
    if (old == NULL || file->stale) {
        ofo_put_status(&file->outbox, OF_EVENT_READY, NULL);
    }
    file->stale = false;
    if (old != NULL) {
        put_changed(file, old, now);
        of_provider_retire(file->provider, &old->retired, table_retired);
    }
    snprintf(text, sizeof text, "%zu flags read", now->set->count);
    say(file, OF_FILE_LOG_INFO, text);
}

/* With the lock. */
static of_error refresh(struct file *file, char problem[FILE_PROBLEM])
{
    of_error error = OF_OK;
    struct table *old = atomic_load(&file->table);
    struct table *now = read_files(file, problem, &error);
    if (now != NULL && old != NULL && !file->stale && strcmp(now->set->hash, old->set->hash) == 0) {
        table_unref(now); /* they say the same as before */
    } else if (now != NULL) {
        take(file, now);
    } else if (old == NULL) {
        (void)ofo_put_error(&file->outbox, error, problem);
    } else {
        file->stale = true;
        ofo_put_status(&file->outbox, OF_EVENT_STALE, problem);
    }
    return error;
}

static void *watch_files(void *self)
{
    struct file *file = self;
    char problem[FILE_PROBLEM];
    while (watch_wait(&file->watch, &file->options, file->stop)) {
        watch_close(&file->watch);
        watch_open(&file->watch, &file->options);
        (void)pthread_mutex_lock(&file->lock);
        if (file->running) {
            (void)refresh(file, problem);
        }
        tell_and_unlock(file);
    }
    watch_close(&file->watch);
    (void)pthread_mutex_lock(&file->lock);
    bool alone = file->alone;
    if (alone) {
        (void)close(file->stop);
        file->alone = false;
        (void)pthread_cond_broadcast(&file->ended);
    }
    (void)pthread_mutex_unlock(&file->lock);
    if (alone) {
        of_provider_unref(file->provider); /* maybe the last one */
    }
    return NULL;
}

/* --- start and end ----------------------------------------------------------------------------------- */

/* With the lock: a thread that nobody signals. */
static bool start_watching(struct file *file)
{
    sigset_t all, before;
    file->stop = eventfd(0, EFD_CLOEXEC);
    if (file->stop < 0) {
        return false;
    }
    (void)sigfillset(&all);
    (void)pthread_sigmask(SIG_BLOCK, &all, &before);
    file->watching = pthread_create(&file->watcher, NULL, watch_files, file) == 0;
    (void)pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!file->watching) {
        (void)close(file->stop);
    }
    return file->watching;
}

static of_error init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct file *file = self;
    char problem[FILE_PROBLEM];
    (void)context;
    (void)domain;
    if (file->pid != 0 && file->pid != getpid()) { /* the lock may be as another thread had it */
        return of_provider_emit_error(
            provider, OF_ERROR_GENERAL,
            "it was started by the process that this one is a fork of: make a new one");
    }
    (void)pthread_mutex_lock(&file->lock);
    while (file->alone) {
        (void)pthread_cond_wait(&file->ended, &file->lock);
    }
    file->pid = getpid();
    file->running = true;
    file->stale = false;
    bool watch = file->options.changes != OF_FILE_CHANGES_NONE && !file->watching;
    if (watch) {
        watch_open(&file->watch, &file->options);
    }
    of_error error = refresh(file, problem);
    if (watch && !start_watching(file)) {
        watch_close(&file->watch);
        error = ofo_put_error(&file->outbox, OF_ERROR_GENERAL, "no thread to watch the files with");
    }
    tell_and_unlock(file);
    return error;
}

static void shutdown(void *self)
{
    struct file *file = self;
    const uint64_t one = 1;
    if (file->pid != getpid()) {
        return; /* never started, or the thread is the parent's */
    }
    (void)pthread_mutex_lock(&file->lock);
    bool watching = file->watching;
    bool own = watching && pthread_equal(file->watcher, pthread_self()); /* `log` shuts it down */
    file->running = false;
    file->watching = false;
    file->alone = file->alone || own;
    if (own) {
        (void)of_provider_ref(file->provider);
        (void)pthread_detach(file->watcher);
    }
    struct table *table = atomic_exchange(&file->table, NULL);
    (void)pthread_mutex_unlock(&file->lock);
    while (watching && write(file->stop, &one, sizeof one) < 0) {
    }
    if (watching && !own) {
        (void)pthread_join(file->watcher, NULL);
        (void)close(file->stop);
    }
    if (table != NULL) {
        of_provider_retire(file->provider, &table->retired, table_retired);
    }
}

static void destroy(void *self)
{
    struct file *file = self;
    shutdown(file);
    table_unref(atomic_load(&file->table)); /* in a child of the process that started it */
    ofo_finish(&file->outbox);
    (void)pthread_cond_destroy(&file->ended);
    (void)pthread_mutex_destroy(&file->lock);
    file_options_finish(&file->options);
    of_free(file);
}

/* --- methods ----------------------------------------------------------------------------------------- */

static const of_provider_methods methods = {.size = sizeof methods,
                                            .name = "file",
                                            .init = init,
                                            .shutdown = shutdown,
                                            .destroy = destroy,
                                            .resolve = file_resolve};

static void explain(char *problem, size_t size, const char *text)
{
    if (problem != NULL && size > 0) {
        snprintf(problem, size, "%s", text);
    }
}

of_provider *of_file_provider_new(const of_file_options *options, char *problem, size_t problem_size)
{
    const char *why = "out of memory";
    struct file *file = of_alloc(sizeof *file);
    if (file == NULL) {
        explain(problem, problem_size, why);
        return NULL;
    }
    memset(file, 0, sizeof *file);
    atomic_init(&file->table, NULL);
    of_provider *provider = NULL;
    (void)pthread_mutex_init(&file->lock, NULL);
    (void)pthread_cond_init(&file->ended, NULL);
    file->lines_end = &file->lines;
    bool fine = ofo_init(&file->outbox, NULL, &file->lock);
    if (file_options_copy(&file->options, options, &why)) {
        provider = fine ? of_provider_new(&methods, file) : NULL;
        why = "out of memory";
    }
    if (provider == NULL) {
        explain(problem, problem_size, why);
        destroy(file);
        return NULL;
    }
    file->watch.fd = -1;
    file->provider = file->outbox.provider = provider;
    return provider;
}

of_error of_file_provider_reload(of_provider *provider, char *problem, size_t problem_size)
{
    char text[FILE_PROBLEM] = "";
    if (!of_provider_is(provider, &methods)) {
        explain(problem, problem_size, "no provider of of_file_provider_new()");
        return OF_ERROR_INVALID_ARGUMENT;
    }
    struct file *file = of_provider_self(provider);
    if (file->pid != getpid()) {
        explain(problem, problem_size, "it is not registered in this process");
        return OF_ERROR_PROVIDER_NOT_READY;
    }
    (void)pthread_mutex_lock(&file->lock);
    of_error error = file->running ? refresh(file, text) : OF_ERROR_PROVIDER_NOT_READY;
    tell_and_unlock(file);
    explain(problem, problem_size, error == OF_ERROR_PROVIDER_NOT_READY ? "it is not registered" : text);
    return error;
}

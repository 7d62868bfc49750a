/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Asynchronous evaluation (specification 1.4.12): tasks in a queue, and up to a few threads for each API
 * object that end when the queue is empty.
 */
#include "core.h"
#include "memory_impl.h"
#include "resolve.h"

#include <string.h>

enum { TASK_THREADS = 4 };

struct ofi_task {
    struct ofi_task *next;
    of_client *client;
    char *key;
    of_type type;
    of_flag_value default_value;
    char *default_string;
    of_value *default_object;
    of_context *context;
    of_hook **hooks;
    of_value *hints;
    size_t hook_count;
    of_evaluated done;
    void *user;
};

static void task_free(struct ofi_task *task)
{
    if (task == NULL)
        return;
    for (size_t i = 0; i < task->hook_count; i++)
        of_hook_unref(task->hooks[i]);
    of_free(task->hooks);
    of_value_unref(task->hints);
    of_value_unref(task->default_object);
    of_context_unref(task->context);
    of_free(task->default_string);
    of_free(task->key);
    of_client_unref(task->client);
    of_free(task);
}

static bool copy_default(struct ofi_task *task, const of_flag_value *value)
{
    task->default_value = *value;
    if (task->type == OF_TYPE_OBJECT)
        task->default_object = of_value_ref(value->object);
    if (task->type != OF_TYPE_STRING || value->string.data == NULL)
        return true;
    task->default_string = ofi_strndup(value->string.data, value->string.length);
    task->default_value.string.data = task->default_string;
    return task->default_string != NULL;
}

static bool copy_options(struct ofi_task *task, const of_options *options)
{
    if (options == NULL || options->size < offsetof(of_options, hints))
        return true;
    if (options->size >= sizeof *options)
        task->hints = of_value_ref(options->hints);
    if (options->hooks == NULL || options->hook_count == 0)
        return true;
    task->hooks = ofi_zalloc(options->hook_count, sizeof(of_hook *));
    if (task->hooks == NULL)
        return false;
    for (; task->hook_count < options->hook_count; task->hook_count++)
        task->hooks[task->hook_count] = of_hook_ref(options->hooks[task->hook_count]);
    return true;
}

static void run(struct ofi_task *task)
{
    of_details details;
    of_options options = {sizeof options, task->hooks, task->hook_count, task->hints};
    ofi_evaluate(task->client, task->key, task->type, &task->default_value, task->context, &options,
                 &details);
    task->done(task->user, &details);
    of_details_clear(&details);
}

static void *run_tasks(void *argument)
{
    struct ofi_core *core = argument;
    (void)pthread_mutex_lock(&core->lock);
    for (struct ofi_task *task = core->tasks; task != NULL; task = core->tasks) {
        core->tasks = task->next;
        if (core->tasks == NULL)
            core->tasks_tail = &core->tasks;
        (void)pthread_mutex_unlock(&core->lock);
        if (task->done != NULL)
            run(task);
        task_free(task);
        (void)pthread_mutex_lock(&core->lock);
    }
    core->task_threads--;
    (void)pthread_mutex_unlock(&core->lock);
    ofi_core_unref(core);
    return NULL;
}

/* With core->lock held. The task that was put in last is taken out again when nobody is there to run it. */
static of_error start(struct ofi_core *core, struct ofi_task *task)
{
    struct ofi_task **place = core->tasks_tail;
    *place = task;
    core->tasks_tail = &task->next;
    if (core->task_threads == TASK_THREADS)
        return OF_OK;
    (void)ofi_core_ref(core);
    core->task_threads++;
    if (ofi_thread(run_tasks, core))
        return OF_OK;
    ofi_core_unref(core); /* never the last one */
    if (--core->task_threads > 0)
        return OF_OK;
    *place = NULL;
    core->tasks_tail = place;
    return OF_ERROR_NO_THREAD;
}

of_error ofi_evaluate_async(of_client *client, const char *key, of_type type,
                            const of_flag_value *default_value, const of_context *context,
                            const of_options *options, of_evaluated done, void *user)
{
    if (client == NULL || key == NULL || default_value == NULL || done == NULL)
        return OF_ERROR_INVALID_ARGUMENT;
    struct ofi_task *task = client->core == NULL ? NULL : ofi_zalloc(1, sizeof *task);
    if (task == NULL)
        return OF_ERROR_NO_MEMORY;
    task->client = of_client_ref(client);
    task->type = type;
    task->done = done;
    task->user = user;
    task->key = ofi_strdup(key);
    task->context = of_context_ref(context);
    of_error error = OF_ERROR_NO_MEMORY;
    if (task->key != NULL && (task->context != NULL || context == NULL) &&
        copy_default(task, default_value) && copy_options(task, options)) {
        (void)pthread_mutex_lock(&client->core->lock);
        error = start(client->core, task);
        (void)pthread_mutex_unlock(&client->core->lock);
    }
    if (error != OF_OK)
        task_free(task);
    return error;
}

void ofi_tasks_forget(struct ofi_core *core)
{
    core->task_threads = 0;
    /* Whoever gave them to the parent hears of them there; here the next thread only frees them. */
    for (struct ofi_task *task = core->tasks; task != NULL; task = task->next)
        task->done = NULL;
}

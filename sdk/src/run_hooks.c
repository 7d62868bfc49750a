/* SPDX-License-Identifier: Apache-2.0 */
/*
 * An evaluation with hooks around it (specification 4.3 and 4.4). Everything that belongs to it stands on the
 * stack, unless there are more than sixteen hooks.
 */
#include "resolve.h"

#include <string.h>

#include "memory_impl.h"
#include "value_impl.h"

enum { ON_STACK = 16, MESSAGE_SIZE = 256 };

struct data {
    struct data *next;
    void *data;
    void (*destroy)(void *data);
    char key[];
};

/* One hook in one evaluation. */
struct run {
    of_hook *hook;
    struct data *data;
};

struct of_hook_context {
    const struct ofi_call *call;
    const of_context *context;
    struct run *run;
    char message[MESSAGE_SIZE];
};

const char *of_hook_context_flag_key(const of_hook_context *hook_context)
{
    return hook_context == NULL ? NULL : hook_context->call->key;
}

of_type of_hook_context_flag_type(const of_hook_context *hook_context)
{
    return hook_context == NULL ? OF_TYPE_NULL : hook_context->call->type;
}

const of_flag_value *of_hook_context_default_value(const of_hook_context *hook_context)
{
    return hook_context == NULL ? NULL : hook_context->call->default_value;
}

const of_context *of_hook_context_context(const of_hook_context *hook_context)
{
    return hook_context == NULL ? &ofi_empty_context : hook_context->context;
}

const char *of_hook_context_domain(const of_hook_context *hook_context)
{
    return hook_context == NULL ? NULL : hook_context->call->domain;
}

const char *of_hook_context_provider_name(const of_hook_context *hook_context)
{
    return hook_context == NULL ? NULL : of_provider_name(hook_context->call->provider);
}

static struct data *find_data(const of_hook_context *hook_context, const char *key)
{
    if (hook_context == NULL || key == NULL)
        return NULL;
    for (struct data *data = hook_context->run->data; data != NULL; data = data->next)
        if (strcmp(data->key, key) == 0)
            return data;
    return NULL;
}

of_error of_hook_context_set_data(of_hook_context *hook_context, const char *key, void *data,
                                  void (*destroy)(void *data))
{
    struct data *kept = find_data(hook_context, key);
    if (kept != NULL) {
        if (kept->destroy != NULL)
            kept->destroy(kept->data);
        kept->data = data;
        kept->destroy = destroy;
        return OF_OK;
    }
    of_error error = hook_context == NULL || key == NULL ? OF_ERROR_INVALID_ARGUMENT : OF_ERROR_NO_MEMORY;
    if (error == OF_ERROR_NO_MEMORY)
        kept = of_alloc(sizeof *kept + strlen(key) + 1);
    if (kept == NULL) {
        if (destroy != NULL)
            destroy(data);
        return error;
    }
    *kept = (struct data){hook_context->run->data, data, destroy};
    memcpy(kept->key, key, strlen(key) + 1);
    hook_context->run->data = kept;
    return OF_OK;
}

void *of_hook_context_data(const of_hook_context *hook_context, const char *key)
{
    const struct data *data = find_data(hook_context, key);
    return data == NULL ? NULL : data->data;
}

void of_hook_context_set_message(of_hook_context *hook_context, const char *message)
{
    if (hook_context == NULL)
        return;
    size_t length = message == NULL ? 0 : strnlen(message, MESSAGE_SIZE - 1);
    if (length > 0)
        memcpy(hook_context->message, message, length);
    hook_context->message[length] = '\0';
}

static size_t option_hooks(const of_options *options)
{
    if (options == NULL || options->size < offsetof(of_options, hints) || options->hooks == NULL)
        return 0;
    return options->hook_count;
}

static const of_value *hints_of(const of_options *options)
{
    if (options == NULL || options->size < sizeof(of_options) ||
        of_value_type(options->hints) != OF_TYPE_OBJECT)
        return &ofi_empty_object;
    return options->hints;
}

size_t ofi_hook_count(const struct ofi_call *call)
{
    return (call->core == NULL ? 0 : call->core->hook_count) +
           (call->client == NULL ? 0 : call->client->hook_count) + option_hooks(call->options) +
           call->provider->hook_count;
}

static size_t put(struct run *runs, size_t at, of_hook *const *hooks, size_t count)
{
    for (size_t i = 0; i < count; i++)
        if (hooks[i] != NULL)
            runs[at++] = (struct run){hooks[i], NULL};
    return at;
}

/* 4.4.2: API, client, invocation, provider, each in the order in which they were added. */
static size_t collect(const struct ofi_call *call, struct run *runs)
{
    size_t count = 0;
    if (call->core != NULL)
        count = put(runs, count, call->core->hooks, call->core->hook_count);
    if (call->client != NULL)
        count = put(runs, count, call->client->hooks, call->client->hook_count);
    if (call->options != NULL)
        count = put(runs, count, call->options->hooks, option_hooks(call->options));
    return put(runs, count, call->provider->hooks, call->provider->hook_count);
}

/* What the stages of one evaluation share. */
struct stage {
    const struct ofi_call *call;
    struct run *runs;
    size_t count;
    const of_value *hints;
    struct of_hook_context hook_context;
    of_context *returned;       /* what the before hooks returned, merged */
    struct ofi_overlay overlay; /* the call's context with `returned` on top */
};

static of_hook_context *context_for(struct stage *stage, size_t i)
{
    stage->hook_context.run = &stage->runs[i];
    return &stage->hook_context;
}

/* 4.3.4 and 4.3.5: what a before hook returns is seen by the next ones, and stands above all else. */
static bool take_context(struct stage *stage, of_context *context)
{
    if (context == NULL)
        return true;
    of_context *merged =
        stage->returned == NULL ? of_context_ref(context) : of_context_merge(stage->returned, context);
    of_context_unref(context);
    if (merged == NULL)
        return false;
    of_context_unref(stage->returned);
    stage->returned = merged;
    ofi_overlay_finish(&stage->overlay);
    ofi_overlay_init(&stage->overlay);
    if (!ofi_overlay_push(&stage->overlay, stage->call->context) ||
        !ofi_overlay_push(&stage->overlay, merged))
        return false;
    stage->hook_context.context = ofi_overlay_context(&stage->overlay);
    return true;
}

static of_error run_before(struct stage *stage)
{
    for (size_t i = 0; i < stage->count; i++) {
        const of_hook *hook = stage->runs[i].hook;
        of_context *context = NULL;
        if (hook->methods.before == NULL)
            continue;
        of_error error = hook->methods.before(hook->self, context_for(stage, i), stage->hints,
                                              stage->call->is_static ? NULL : &context);
        if (error != OF_OK) {
            of_context_unref(context);
            return error;
        }
        if (!take_context(stage, context)) {
            of_hook_context_set_message(&stage->hook_context, OFI_NO_MEMORY);
            return OF_ERROR_GENERAL;
        }
    }
    return OF_OK;
}

static of_error run_after(struct stage *stage, const of_details *details)
{
    for (size_t i = stage->count; i > 0; i--) {
        const of_hook *hook = stage->runs[i - 1].hook;
        if (hook->methods.after == NULL)
            continue;
        of_error error = hook->methods.after(hook->self, context_for(stage, i - 1), details, stage->hints);
        if (error != OF_OK)
            return error;
    }
    return OF_OK;
}

static void run_error(struct stage *stage, const of_details *details)
{
    for (size_t i = stage->count; i > 0; i--) {
        const of_hook *hook = stage->runs[i - 1].hook;
        if (hook->methods.error != NULL)
            hook->methods.error(hook->self, context_for(stage, i - 1), details->error, details->error_message,
                                stage->hints);
    }
}

static void run_finally(struct stage *stage, const of_details *details)
{
    for (size_t i = stage->count; i > 0; i--) {
        const of_hook *hook = stage->runs[i - 1].hook;
        if (hook->methods.finally != NULL)
            hook->methods.finally(hook->self, context_for(stage, i - 1), details, stage->hints);
        while (stage->runs[i - 1].data != NULL) {
            struct data *data = stage->runs[i - 1].data;
            stage->runs[i - 1].data = data->next;
            if (data->destroy != NULL)
                data->destroy(data->data);
            of_free(data);
        }
    }
}

static void run_stages(struct stage *stage, of_details *details)
{
    const struct ofi_call *call = stage->call;
    of_error error = run_before(stage);
    if (error != OF_OK) {
        ofi_details_fail(details, call->key, call->type, call->default_value, error, NULL);
        ofi_details_spoil(details, call, error, stage->hook_context.message);
    } else {
        ofi_details_begin(details, call->key, call->type);
        error = ofi_resolve(call->provider, call->key, call->type, call->default_value,
                            stage->hook_context.context, ofi_resolution_in(details));
        ofi_details_end(details, call->default_value, error);
        stage->hook_context.message[0] = '\0';
        if (error == OF_OK && (error = run_after(stage, details)) != OF_OK)
            ofi_details_spoil(details, call, error, stage->hook_context.message);
    }
    if (error != OF_OK)
        run_error(stage, details);
    run_finally(stage, details);
}

void ofi_run_hooks(const struct ofi_call *call, size_t count, of_details *details)
{
    struct run on_stack[ON_STACK];
    struct run *runs = on_stack;
    if (count > ON_STACK)
        runs = ofi_zalloc(count, sizeof *runs);
    if (runs == NULL) {
        ofi_details_fail(details, call->key, call->type, call->default_value, OF_ERROR_GENERAL,
                         OFI_NO_MEMORY);
        return;
    }
    struct stage stage = {.call = call, .runs = runs, .count = collect(call, runs)};
    stage.hints = hints_of(call->options);
    stage.hook_context.call = call;
    stage.hook_context.context = call->context;
    ofi_overlay_init(&stage.overlay);
    run_stages(&stage, details);
    ofi_overlay_finish(&stage.overlay);
    of_context_unref(stage.returned);
    if (runs != on_stack)
        of_free(runs);
}

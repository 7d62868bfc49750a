/* SPDX-License-Identifier: Apache-2.0 */
/* Asking the providers inside, and making one answer of theirs. */
#include "multi.h"

#include <stdio.h>
#include <string.h>

#include <openfeature/memory.h>

enum { MESSAGE_SIZE = 512, ON_STACK = 8 };

/* Details as what keeps a resolution's pointers valid. */
static void release_details(void *owner)
{
    of_details_clear(owner);
    of_free(owner);
}

/* Asks a provider that has hooks: they run around it, with a context of their own. */
static of_error evaluate(const struct entry *entry, const struct question *question,
                         of_resolution *resolution)
{
    of_details *details = of_alloc(sizeof *details);
    if (details == NULL) {
        resolution->error_message = "no memory";
        return OF_ERROR_GENERAL;
    }
    of_provider_evaluate(entry->provider, question->key, question->type, &question->default_value,
                         question->context, NULL, details);
    resolution->value = details->value;
    resolution->variant = details->variant;
    resolution->reason = details->reason;
    resolution->metadata = details->metadata;
    resolution->error_message = details->error_message;
    resolution->owner = details;
    resolution->release = release_details;
    return details->error;
}

static of_error ask(const struct entry *entry, const struct question *question, of_resolution *resolution)
{
    if (of_provider_has_hooks(entry->provider))
        return evaluate(entry, question, resolution);
    return of_provider_resolve(entry->provider, question->key, question->type, &question->default_value,
                               question->context, resolution);
}

/* "NAME: CODE (message)" at the end of a text that is cut where it is full. */
static void note_error(char *text, const struct entry *entry, of_error error, const of_resolution *resolution)
{
    size_t length = strlen(text);
    const char *message = resolution->error_message;
    (void)snprintf(text + length, MESSAGE_SIZE - length, "%s%s: %s%s%s%s", length == 0 ? "" : "; ",
                   entry->name, of_error_name(error), message == NULL ? "" : " (",
                   message == NULL ? "" : message, message == NULL ? "" : ")");
}

/* The code of several errors: theirs when it is the same. */
static of_error join(of_error all, of_error one)
{
    return all == OF_OK || all == one ? one : OF_ERROR_GENERAL;
}

static of_error fail(of_resolution *resolution, of_error error, const char *text)
{
    resolution->error_message = of_resolution_text(resolution, text);
    return error == OF_OK ? OF_ERROR_GENERAL : error;
}

/* First match and first successful: which errors go on to the next is the whole difference. */
static of_error first(struct multi *multi, const struct question *question, of_resolution *resolution)
{
    bool any_error_goes_on = multi->options.strategy == OF_MULTI_FIRST_SUCCESSFUL;
    char text[MESSAGE_SIZE] = "";
    of_error all = OF_OK;
    for (size_t i = 0; i < multi->count; i++) {
        bool brief = resolution->brief;
        of_error error = ask(&multi->entries[i], question, resolution);
        if (error == OF_OK)
            return OF_OK;
        if (!brief) /* else nobody reads it */
            note_error(text, &multi->entries[i], error, resolution);
        of_resolution_clear(resolution);
        resolution->brief = brief;
        if (error != OF_ERROR_FLAG_NOT_FOUND && !any_error_goes_on)
            return fail(resolution, error, text);
        all = join(all, error);
    }
    return fail(resolution, all, text);
}

static bool same(of_type type, const of_flag_value *a, const of_flag_value *b)
{
    switch (type) {
    case OF_TYPE_BOOL:
        return a->boolean == b->boolean;
    case OF_TYPE_INT:
        return a->integer == b->integer;
    case OF_TYPE_DOUBLE:
        return a->number == b->number;
    case OF_TYPE_STRING:
        return a->string.length == b->string.length &&
               memcmp(a->string.data, b->string.data, a->string.length) == 0;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        return of_value_equal(a->object, b->object);
    }
}

/* Comparison: the index of the answer among results that are all good, or OF_MULTI_NONE. */
static size_t compare(const struct multi *multi, const struct question *question,
                      const of_multi_result *results, size_t count)
{
    bool agreed = true;
    for (size_t i = 0; i < count; i++) {
        if (results[i].error != OF_OK)
            return OF_MULTI_NONE;
        agreed = agreed && same(question->type, &results[0].resolution->value, &results[i].resolution->value);
    }
    if (agreed)
        return 0;
    if (multi->options.on_mismatch != NULL)
        multi->options.on_mismatch(multi->options.user, question->key, question->type, results, count);
    return multi->options.fallback;
}

static bool wanted(const struct multi *multi, const struct question *question, const struct entry *entry)
{
    const of_multi_options *options = &multi->options;
    if (options->strategy != OF_MULTI_CUSTOM || options->should_evaluate == NULL)
        return true;
    return options->should_evaluate(options->user, question->key, question->type, question->context,
                                    entry->name, of_provider_get_status(entry->provider));
}

static bool goes_on(const struct multi *multi, const struct question *question, const of_multi_result *result)
{
    const of_multi_options *options = &multi->options;
    if (options->strategy != OF_MULTI_CUSTOM || options->should_continue == NULL)
        return true;
    return options->should_continue(options->user, question->key, question->type, result);
}

static size_t choose(const struct multi *multi, const struct question *question,
                     const of_multi_result *results, size_t count)
{
    const of_multi_options *options = &multi->options;
    if (options->strategy == OF_MULTI_COMPARISON)
        return compare(multi, question, results, count);
    return options->choose(options->user, question->key, question->type, results, count);
}

/* Comparison and custom: all results first, then the choice. The chosen resolution moves to the caller. */
static of_error among(struct multi *multi, const struct question *question, of_resolution *out,
                      of_multi_result *results, of_resolution *resolutions)
{
    char text[MESSAGE_SIZE] = "";
    of_error all = OF_OK;
    size_t count = 0;
    for (size_t i = 0; i < multi->count; i++) {
        const struct entry *entry = &multi->entries[i];
        if (!wanted(multi, question, entry))
            continue;
        of_resolution *resolution = &resolutions[count];
        memset(resolution, 0, sizeof *resolution);
        of_error error = ask(entry, question, resolution);
        if (error != OF_OK) {
            note_error(text, entry, error, resolution);
            all = join(all, error);
        }
        results[count] = (of_multi_result){
            .name = entry->name, .provider = entry->provider, .error = error, .resolution = resolution};
        if (!goes_on(multi, question, &results[count++]))
            break;
    }
    size_t chosen = choose(multi, question, results, count);
    bool good = chosen < count && results[chosen].error == OF_OK;
    for (size_t i = 0; i < count; i++)
        if (!good || i != chosen)
            of_resolution_clear(&resolutions[i]);
    if (!good)
        return fail(out, all, text[0] == '\0' ? "no provider was chosen" : text);
    resolutions[chosen].brief = out->brief;
    *out = resolutions[chosen];
    return OF_OK;
}

of_error multi_answer(struct multi *multi, const struct question *question, of_resolution *resolution)
{
    of_multi_result results_on_stack[ON_STACK], *results = results_on_stack;
    of_resolution resolutions_on_stack[ON_STACK], *resolutions = resolutions_on_stack;
    of_error error = OF_ERROR_GENERAL;
    if (multi->options.strategy <= OF_MULTI_FIRST_SUCCESSFUL)
        return first(multi, question, resolution);
    if (multi->count > ON_STACK) {
        results = of_alloc(multi->count * sizeof *results);
        resolutions = of_alloc(multi->count * sizeof *resolutions);
    }
    if (results != NULL && resolutions != NULL)
        error = among(multi, question, resolution, results, resolutions);
    else
        resolution->error_message = "no memory";
    if (multi->count > ON_STACK) {
        of_free(results);
        of_free(resolutions);
    }
    return error;
}

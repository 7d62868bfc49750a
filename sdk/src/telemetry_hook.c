/* SPDX-License-Identifier: Apache-2.0 */
/* The telemetry hook of Appendix D. It runs inside of evaluations, so what it cannot allocate it leaves out.
 */
#include <openfeature/telemetry_hook.h>

#include <string.h>

#include "memory_impl.h"

struct telemetry {
    of_telemetry_options options;
    char **excluded;
    size_t excluded_count;
};

/* Sets an attribute unless it is excluded. */
static void put(const struct telemetry *telemetry, of_value *attributes, const char *name, of_value *value)
{
    for (size_t i = 0; i < telemetry->excluded_count; i++) {
        if (strcmp(telemetry->excluded[i], name) != 0)
            continue;
        of_value_unref(value);
        return;
    }
    (void)of_value_set(attributes, name, value);
}

static void put_string(const struct telemetry *telemetry, of_value *attributes, const char *name,
                       const char *string)
{
    if (string != NULL)
        put(telemetry, attributes, name, of_value_string(string));
}

/* OpenTelemetry's enumerations are in lower case. */
static void put_lower(const struct telemetry *telemetry, of_value *attributes, const char *name,
                      const char *string)
{
    char *lower = ofi_strdup(string);
    for (char *c = lower; c != NULL && *c != '\0'; c++)
        if (*c >= 'A' && *c <= 'Z')
            *c = (char)(*c - 'A' + 'a');
    put_string(telemetry, attributes, name, lower);
    of_free(lower);
}

static of_value *result_of(const of_details *details)
{
    switch (details->type) {
    case OF_TYPE_BOOL:
        return of_value_bool(details->value.boolean);
    case OF_TYPE_INT:
        return of_value_int(details->value.integer);
    case OF_TYPE_DOUBLE:
        return of_value_double(details->value.number);
    case OF_TYPE_STRING:
        return of_value_string_n(details->value.string.data, details->value.string.length);
    case OF_TYPE_OBJECT:
        return of_value_ref(details->value.object);
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    default:
        return NULL;
    }
}

static void put_metadata(const struct telemetry *telemetry, of_value *attributes,
                         const of_hook_context *hook_context, const of_details *details)
{
    const char *subject = of_context_targeting_key(of_hook_context_context(hook_context));
    put_string(telemetry, attributes, "feature_flag.context.id",
               of_value_as_string(of_value_get(details->metadata, "contextId"), subject));
    put_string(telemetry, attributes, "feature_flag.set.id",
               of_value_as_string(of_value_get(details->metadata, "flagSetId"), NULL));
    put_string(telemetry, attributes, "feature_flag.version",
               of_value_as_string(of_value_get(details->metadata, "version"), NULL));
}

static void finally(void *self, of_hook_context *hook_context, const of_details *details,
                    const of_value *hints)
{
    const struct telemetry *telemetry = self;
    of_value *attributes = of_value_object();
    (void)hints;
    if (attributes == NULL)
        return;
    put_string(telemetry, attributes, "feature_flag.key", details->flag_key);
    put_string(telemetry, attributes, "feature_flag.provider.name",
               of_hook_context_provider_name(hook_context));
    put_string(telemetry, attributes, "feature_flag.result.variant", details->variant);
    put(telemetry, attributes, "feature_flag.result.value", result_of(details));
    put_lower(telemetry, attributes, "feature_flag.result.reason",
              details->reason == NULL ? OF_REASON_UNKNOWN : details->reason);
    put_metadata(telemetry, attributes, hook_context, details);
    if (details->error != OF_OK) {
        put_lower(telemetry, attributes, "error.type", of_error_name(details->error));
        if (!telemetry->options.exclude_exceptions)
            put_string(telemetry, attributes, "error.message", details->error_message);
    }
    if (telemetry->options.mutate != NULL)
        telemetry->options.mutate(telemetry->options.user, hook_context, details, attributes);
    telemetry->options.emit(telemetry->options.user, OF_TELEMETRY_EVENT, attributes);
    of_value_unref(attributes);
}

static void telemetry_free(struct telemetry *telemetry)
{
    for (size_t i = 0; i < telemetry->excluded_count; i++)
        of_free(telemetry->excluded[i]);
    of_free(telemetry->excluded);
    of_free(telemetry);
}

static void destroy(void *self)
{
    struct telemetry *telemetry = self;
    if (telemetry->options.destroy != NULL)
        telemetry->options.destroy(telemetry->options.user);
    telemetry_free(telemetry);
}

static bool copy_excluded(struct telemetry *telemetry)
{
    size_t count =
        telemetry->options.exclude_attributes == NULL ? 0 : telemetry->options.exclude_attribute_count;
    if (count == 0)
        return true;
    telemetry->excluded = ofi_zalloc(count, sizeof(char *));
    if (telemetry->excluded == NULL)
        return false;
    for (; telemetry->excluded_count < count; telemetry->excluded_count++) {
        char *copy = ofi_strdup(telemetry->options.exclude_attributes[telemetry->excluded_count]);
        if (copy == NULL)
            return false;
        telemetry->excluded[telemetry->excluded_count] = copy;
    }
    return true;
}

of_hook *of_telemetry_hook_new(const of_telemetry_options *options)
{
    static const of_hook_methods methods = {sizeof methods, NULL, NULL, NULL, finally, destroy};
    if (options == NULL || options->size < offsetof(of_telemetry_options, mutate) || options->emit == NULL)
        return NULL;
    struct telemetry *telemetry = ofi_zalloc(1, sizeof *telemetry);
    if (telemetry == NULL)
        return NULL;
    size_t size = options->size < sizeof *options ? options->size : sizeof *options;
    memcpy(&telemetry->options, options, size);
    of_hook *hook = copy_excluded(telemetry) ? of_hook_new(&methods, telemetry) : NULL;
    if (hook == NULL)
        telemetry_free(telemetry);
    return hook;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* Asking a provider, and making details of its resolution. */
#include "resolve.h"

#include <string.h>

#include "memory_impl.h"
#include "value_impl.h"

/* Text that a resolution keeps: a list of copies. */
struct text {
    struct text *next;
    char data[];
};

/* What details hold on to, in of_details.private_. */
struct kept {
    void *owner;
    void (*release)(void *owner);
    struct text *texts;
    of_value *object;
};

static struct kept kept_of(const of_details *details)
{
    struct kept kept = {details->private_[OFI_OWNER], NULL, details->private_[OFI_TEXTS],
                        details->private_[OFI_OBJECT]};
    memcpy(&kept.release, &details->private_[OFI_RELEASE], sizeof kept.release);
    return kept;
}

static void free_texts(struct text *text)
{
    while (text != NULL) {
        struct text *next = text->next;
        of_free(text);
        text = next;
    }
}

static struct text *make_text(const char *string, struct text *next)
{
    size_t size = strlen(string) + 1;
    struct text *text = of_alloc(sizeof *text + size);
    if (text == NULL)
        return NULL;
    text->next = next;
    memcpy(text->data, string, size);
    return text;
}

const char *of_resolution_text(of_resolution *resolution, const char *string)
{
    if (resolution == NULL || string == NULL)
        return NULL;
    struct text *text = make_text(string, resolution->private_);
    if (text == NULL)
        return NULL;
    resolution->private_ = text;
    return text->data;
}

void of_resolution_clear(of_resolution *resolution)
{
    if (resolution == NULL)
        return;
    if (resolution->release != NULL)
        resolution->release(resolution->owner);
    free_texts(resolution->private_);
    memset(resolution, 0, sizeof *resolution);
}

static void zero(of_details *details)
{
    ofi_details_begin(details, NULL, OF_TYPE_NULL);
    details->private_[OFI_OBJECT] = NULL;
}

void of_details_clear(of_details *details)
{
    if (details == NULL)
        return;
    struct kept kept = kept_of(details);
    zero(details);
    if (kept.texts != NULL)
        free_texts(kept.texts);
    if (kept.object != NULL)
        of_value_unref(kept.object);
    if (kept.release != NULL)
        kept.release(kept.owner);
}

of_string ofi_string_of(of_details *details)
{
    return ofi_string_take(&details->value, ofi_resolution_in(details));
}

of_string ofi_string_take(const of_flag_value *value, const of_resolution *resolution)
{
    of_string string;
    string.data = value->string.data;
    string.length = value->string.length;
    memcpy(&string.private_[0], &resolution->owner, sizeof resolution->owner);
    memcpy(&string.private_[1], &resolution->release, sizeof resolution->release);
    memcpy(&string.private_[2], &resolution->private_, sizeof resolution->private_);
    return string;
}

void of_string_release(of_string *string)
{
    struct kept kept = {0};
    if (string == NULL)
        return;
    memcpy(&kept.owner, &string->private_[0], sizeof kept.owner);
    memcpy(&kept.release, &string->private_[1], sizeof kept.release);
    memcpy(&kept.texts, &string->private_[2], sizeof kept.texts);
    *string = (of_string){0};
    if (kept.texts != NULL)
        free_texts(kept.texts);
    if (kept.release != NULL)
        kept.release(kept.owner);
}

static of_error resolve_noop(of_type type, const of_flag_value *default_value, of_resolution *resolution)
{
    (void)type;
    resolution->value = *default_value;
    resolution->reason = OF_REASON_DEFAULT;
    return OF_OK;
}

static of_error check_string(of_error error, of_resolution *resolution)
{
    if (error != OF_OK || resolution->value.string.data != NULL)
        return error;
    resolution->error_message = "the provider gave no string";
    return OF_ERROR_TYPE_MISMATCH;
}

static of_error check_object(of_error error, of_resolution *resolution)
{
    if (error != OF_OK) /* then the value is nobody's to look at */
        return error;
    of_type type = of_value_type(resolution->value.object);
    if (type == OF_TYPE_OBJECT || type == OF_TYPE_LIST)
        return OF_OK;
    resolution->error_message = "the provider gave neither an object nor a list";
    return OF_ERROR_TYPE_MISMATCH;
}

/* By the one resolver for all types. */
static of_error resolve_generally(const of_provider *provider, const char *key, of_type type,
                                  const of_flag_value *default_value, const of_context *context,
                                  of_resolution *resolution)
{
    static const of_flag_value no_text = {.string = {"", 0}};
    if (provider->methods.resolve == NULL) {
        resolution->error_message = "the provider has no flags of this type";
        return OF_ERROR_TYPE_MISMATCH;
    }
    if (type == OF_TYPE_STRING && default_value->string.data == NULL)
        default_value = &no_text;
    of_error error = provider->methods.resolve(provider->self, key, type, default_value, context, resolution);
    if (type == OF_TYPE_STRING)
        return check_string(error, resolution);
    return type == OF_TYPE_OBJECT ? check_object(error, resolution) : error;
}

of_error ofi_resolve(of_provider *provider, const char *key, of_type type, const of_flag_value *default_value,
                     const of_context *context, of_resolution *resolution)
{
    const of_provider_methods *methods = &provider->methods;
    void *self = provider->self;
    if (provider == &ofi_noop)
        return resolve_noop(type, default_value, resolution);
    if (ofi_unheard(provider)) {
        resolution->error_message = "the provider has not begun to start yet";
        return OF_ERROR_PROVIDER_NOT_READY;
    }
    switch (type) {
    case OF_TYPE_BOOL:
        if (methods->resolve_bool != NULL)
            return methods->resolve_bool(self, key, default_value->boolean, context, resolution);
        break;
    case OF_TYPE_INT:
        if (methods->resolve_int != NULL)
            return methods->resolve_int(self, key, default_value->integer, context, resolution);
        break;
    case OF_TYPE_DOUBLE:
        if (methods->resolve_double != NULL)
            return methods->resolve_double(self, key, default_value->number, context, resolution);
        break;
    case OF_TYPE_STRING:
        if (methods->resolve_string != NULL)
            return check_string(
                methods->resolve_string(self, key, default_value->string.data, context, resolution),
                resolution);
        break;
    case OF_TYPE_OBJECT:
        if (methods->resolve_object != NULL)
            return check_object(
                methods->resolve_object(self, key, default_value->object, context, resolution), resolution);
        break;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    default:
        resolution->error_message = "flags are booleans, strings, integers, doubles or objects";
        return OF_ERROR_TYPE_MISMATCH;
    }
    return resolve_generally(provider, key, type, default_value, context, resolution);
}

/* Puts the default value into details; an object is counted, since the details may outlive the caller's. */
static void put_default(of_details *details, const of_flag_value *default_value)
{
    details->value = *default_value;
    if (details->type != OF_TYPE_OBJECT)
        return;
    of_value_unref(details->private_[OFI_OBJECT]);
    details->private_[OFI_OBJECT] = of_value_ref(default_value->object);
}

/* The error that it came to: the default value rules. */
static void fail(of_details *details, const of_flag_value *default_value, of_error error, const char *message)
{
    put_default(details, default_value);
    details->variant = NULL;
    details->reason = OF_REASON_ERROR;
    details->error = ofi_evaluation_error(error);
    details->error_message = message;
}

void ofi_details_fail(of_details *details, const char *key, of_type type, const of_flag_value *default_value,
                      of_error error, const char *message)
{
    static const of_flag_value nothing;
    if (details == NULL)
        return;
    ofi_details_begin(details, key, type);
    ofi_details_succeed(details);
    fail(details, default_value != NULL ? default_value : &nothing, error, message);
}

void ofi_details_end(of_details *details, const of_flag_value *default_value, of_error error)
{
    const char *message = details->error_message;
    ofi_details_succeed(details);
    if (error != OF_OK)
        fail(details, default_value, error, message);
    else if (details->type == OF_TYPE_OBJECT && details->value.object == default_value->object)
        put_default(details, default_value);
}

void ofi_details_spoil(of_details *details, const struct ofi_call *call, of_error error, const char *message)
{
    struct text *text =
        message == NULL || *message == '\0' ? NULL : make_text(message, details->private_[OFI_TEXTS]);
    if (text != NULL)
        details->private_[OFI_TEXTS] = text;
    fail(details, call->default_value, error, text == NULL ? NULL : text->data);
}

void ofi_run(const struct ofi_call *call, of_details *details)
{
    size_t hooks = ofi_hook_count(call);
    if (hooks > 0) {
        ofi_run_hooks(call, hooks, details);
        return;
    }
    ofi_details_begin(details, call->key, call->type);
    of_error error = ofi_resolve(call->provider, call->key, call->type, call->default_value, call->context,
                                 ofi_resolution_in(details));
    ofi_details_end(details, call->default_value, error);
}

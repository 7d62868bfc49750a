/* SPDX-License-Identifier: Apache-2.0 */
/* The logging hook of Appendix A. It runs inside of evaluations, so what it cannot allocate it leaves out. */
#include <openfeature/logging_hook.h>

#include "memory_impl.h"

struct logging {
    of_log_function log;
    void *user;
    void (*destroy)(void *user);
    unsigned flags;
};

/* The value of a flag as a value, owned by the caller. */
static of_value *as_value(of_type type, const of_flag_value *value)
{
    switch (type) {
    case OF_TYPE_BOOL:
        return of_value_bool(value->boolean);
    case OF_TYPE_INT:
        return of_value_int(value->integer);
    case OF_TYPE_DOUBLE:
        return of_value_double(value->number);
    case OF_TYPE_STRING:
        return of_value_string_n(value->string.data, value->string.length);
    case OF_TYPE_OBJECT:
        return value->object == NULL ? of_value_null() : of_value_ref(value->object);
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    default:
        return of_value_null();
    }
}

static void put_context(of_value *fields, const of_context *context)
{
    const char *key = NULL;
    const of_value *value = NULL;
    size_t cursor = 0;
    of_value *object = of_value_object();
    while (object != NULL && of_context_next(context, &cursor, &key, &value))
        (void)of_value_set(object, key, of_value_ref(value));
    (void)of_value_set(fields, "evaluation_context", object);
}

static of_value *fields_of(const struct logging *logging, const of_hook_context *hook_context,
                           const char *stage)
{
    of_value *fields = of_value_object();
    if (fields == NULL)
        return NULL;
    (void)of_value_set_string(fields, "stage", stage);
    (void)of_value_set_string(fields, "domain", of_hook_context_domain(hook_context));
    (void)of_value_set_string(fields, "provider_name", of_hook_context_provider_name(hook_context));
    (void)of_value_set_string(fields, "flag_key", of_hook_context_flag_key(hook_context));
    (void)of_value_set(
        fields, "default_value",
        as_value(of_hook_context_flag_type(hook_context), of_hook_context_default_value(hook_context)));
    if ((logging->flags & OF_LOGGING_CONTEXT) != 0)
        put_context(fields, of_hook_context_context(hook_context));
    return fields;
}

static void write_and_free(const struct logging *logging, of_log_level level, of_value *fields)
{
    if (fields != NULL)
        logging->log(logging->user, level, fields);
    of_value_unref(fields);
}

static of_error before(void *self, of_hook_context *hook_context, const of_value *hints, of_context **context)
{
    (void)hints;
    (void)context;
    write_and_free(self, OF_LOG_DEBUG, fields_of(self, hook_context, "before"));
    return OF_OK;
}

static of_error after(void *self, of_hook_context *hook_context, const of_details *details,
                      const of_value *hints)
{
    (void)hints;
    of_value *fields = fields_of(self, hook_context, "after");
    (void)of_value_set_string(fields, "reason", details->reason);
    (void)of_value_set_string(fields, "variant", details->variant);
    (void)of_value_set(fields, "value", as_value(details->type, &details->value));
    write_and_free(self, OF_LOG_DEBUG, fields);
    return OF_OK;
}

static void on_error(void *self, of_hook_context *hook_context, of_error error, const char *message,
                     const of_value *hints)
{
    (void)hints;
    of_value *fields = fields_of(self, hook_context, "error");
    (void)of_value_set_string(fields, "error_code", of_error_name(error));
    (void)of_value_set_string(fields, "error_message", message);
    write_and_free(self, OF_LOG_ERROR, fields);
}

static void destroy(void *self)
{
    struct logging *logging = self;
    if (logging->destroy != NULL)
        logging->destroy(logging->user);
    of_free(logging);
}

of_hook *of_logging_hook_new(of_log_function log, void *user, void (*destroy_user)(void *user),
                             unsigned flags)
{
    static const of_hook_methods methods = {sizeof methods, before, after, on_error, NULL, destroy};
    struct logging *logging = log == NULL ? NULL : ofi_zalloc(1, sizeof *logging);
    if (logging == NULL)
        return NULL;
    *logging = (struct logging){log, user, destroy_user, flags};
    of_hook *hook = of_hook_new(&methods, logging);
    if (hook == NULL)
        of_free(logging);
    return hook;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Hooks: one of ours that refuses evaluations without a subject, and the logging hook.
 *
 * cc hook.c $(pkg-config --cflags --libs openfeature openfeature-memory)
 *
 * Output:
 * beta: TARGETING_KEY_MISSING (who is it?)
 * nobody: off
 * ada: on
 */
#include <stdio.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/memory.h>

static of_error need_subject(void *self, of_hook_context *hook_context, const of_value *hints,
                             of_context **context)
{
    (void)self;
    (void)hints;
    (void)context;
    if (of_context_targeting_key(of_hook_context_context(hook_context)) != NULL)
        return OF_OK;
    of_hook_context_set_message(hook_context, "who is it?");
    return OF_ERROR_TARGETING_KEY_MISSING;
}

static void log_errors(void *user, of_log_level level, const of_value *fields)
{
    (void)user;
    if (level < OF_LOG_ERROR)
        return;
    printf("%s: %s (%s)\n", of_value_as_string(of_value_get(fields, "flag_key"), "?"),
           of_value_as_string(of_value_get(fields, "error_code"), "?"),
           of_value_as_string(of_value_get(fields, "error_message"), "no message"));
}

static void evaluate(of_client *client, const char *user)
{
    of_context *context = of_context_new(user);
    bool on = of_client_get_bool(client, "beta", false, context, NULL);
    printf("%s: %s\n", user == NULL ? "nobody" : user, on ? "on" : "off");
    of_context_unref(context);
}

int main(void)
{
    const of_hook_methods methods = {.size = sizeof methods, .before = need_subject};
    of_api *api = of_api_global();
    of_provider *provider = of_memory_provider_new(NULL, 0);
    of_memory_provider_put_bool(provider, "beta", true);
    of_api_set_provider_and_wait(api, NULL, provider, 1000);
    of_provider_unref(provider);

    of_hook *subject = of_hook_new(&methods, NULL);
    of_hook *logging = of_logging_hook_new(log_errors, NULL, NULL, 0);
    of_api_add_hook(api, logging);
    of_api_add_hook(api, subject);
    of_hook_unref(subject);
    of_hook_unref(logging);

    of_client *client = of_api_client(api, NULL);
    evaluate(client, NULL);
    evaluate(client, "ada");
    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}

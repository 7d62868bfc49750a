/* SPDX-License-Identifier: Apache-2.0 */
/*
 * The side of the C provider `file` in the tests that hold evaluations against flagd: on each line of stdin a
 * flag file and evaluations of its flags, on one line of stdout what a client gets.
 *
 *   {"path": "flags.json", "cases": [{"key": "k", "type": "bool", "default": false, "context": {...}}, ...]}
 *   [{"value": true, "variant": "on", "reason": "TARGETING_MATCH", "metadata": {}}, ...]
 *
 * Where the file is refused, the line is {"refused": "FILE:LINE:COLUMN: ..."}.
 */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <openfeature/isolated.h>
#include <openfeature/json.h>
#include <openfeature/memory.h>
#include <openfeature/openfeature.h>
#include <openfeature/providers/file.h>

static void say(of_value *line)
{
    char *text = of_value_to_json(line);
    printf("%s\n", text);
    fflush(stdout);
    of_free(text);
    of_value_unref(line);
}

static of_context *context_of(const of_value *fields)
{
    size_t cursor = 0;
    const char *key;
    const of_value *value;
    of_context *context = of_context_new(NULL);
    while (of_value_next(fields, &cursor, &key, &value)) {
        (void)of_context_set(context, key, of_value_ref(value));
    }
    return context;
}

static of_value *evaluate(of_client *client, const char *type, const char *key, const of_value *otherwise,
                          const of_context *context, of_details *details)
{
    if (strcmp(type, "bool") == 0) {
        bool value = of_value_as_bool(otherwise, false);
        (void)of_client_bool_details(client, key, value, context, NULL, details);
        return of_value_bool(details->value.boolean);
    }
    if (strcmp(type, "int") == 0) {
        int64_t value = of_value_as_int(otherwise, 0);
        (void)of_client_int_details(client, key, value, context, NULL, details);
        return of_value_int(details->value.integer);
    }
    if (strcmp(type, "double") == 0) {
        double value = of_value_as_double(otherwise, 0);
        (void)of_client_double_details(client, key, value, context, NULL, details);
        return of_value_double(details->value.number);
    }
    if (strcmp(type, "string") == 0) {
        const char *value = of_value_as_string(otherwise, "");
        (void)of_client_string_details(client, key, value, context, NULL, details);
        return of_value_string_n(details->value.string.data, details->value.string.length);
    }
    (void)of_client_object_details(client, key, otherwise, context, NULL, details);
    return of_value_ref(details->value.object);
}

static of_value *answer(of_client *client, const of_value *given)
{
    of_details details;
    of_value *out = of_value_object();
    of_context *context = context_of(of_value_get(given, "context"));
    of_value *value = evaluate(client, of_value_as_string(of_value_get(given, "type"), "bool"),
                               of_value_as_string(of_value_get(given, "key"), ""),
                               of_value_get(given, "default"), context, &details);
    if (value == NULL) {
        value = of_value_null();
    }
    (void)of_value_set(out, "value", value);
    if (details.variant != NULL) {
        (void)of_value_set_string(out, "variant", details.variant);
    }
    (void)of_value_set_string(out, "reason", details.reason);
    if (details.error != OF_OK) {
        (void)of_value_set_string(out, "error", of_error_name(details.error));
        (void)of_value_set(out, "detail", of_value_string(details.error_message));
    }
    (void)of_value_set(out, "metadata", of_value_ref(details.metadata));
    of_details_clear(&details);
    of_context_unref(context);
    return out;
}

static const char *refusal;
static char refusal_text[1024];

static void note_refusal(void *user, of_file_level level, const char *text)
{
    (void)user;
    if (level == OF_FILE_LOG_ERROR && refusal == NULL) {
        snprintf(refusal_text, sizeof refusal_text, "%s", text);
        refusal = refusal_text;
    }
}

static void answer_line(const of_value *line)
{
    const char *path = of_value_as_string(of_value_get(line, "path"), "");
    const of_value *cases = of_value_get(line, "cases");
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = &path;
    options.path_count = 1;
    options.changes = OF_FILE_CHANGES_NONE;
    options.log = note_refusal;
    refusal = NULL;
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    of_provider *provider = of_file_provider_new(&options, NULL, 0);
    of_value *out = NULL;
    if (of_api_set_provider_and_wait(api, NULL, provider, 20000) != OF_OK) {
        out = of_value_object();
        (void)of_value_set_string(out, "refused", refusal);
    } else {
        out = of_value_list();
        for (size_t i = 0; i < of_value_length(cases); i++) {
            (void)of_value_append(out, answer(client, of_value_at(cases, i)));
        }
    }
    say(out);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

int main(void)
{
    char *text = NULL;
    size_t room = 0;
    ssize_t length;
    while ((length = getline(&text, &room, stdin)) > 0) {
        of_value *line = NULL;
        if (of_value_from_json(text, (size_t)length, &line, NULL) != OF_OK) {
            fprintf(stderr, "provider_lines: this is not JSON: %s\n", text);
            return 2;
        }
        answer_line(line);
        of_value_unref(line);
    }
    free(text);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The logging hook and the telemetry hook (specification, Appendices A and D). */
#include "fixture.h"

struct lines {
    size_t count;
    of_log_level levels[8];
    char *lines[8];
    int destroyed;
};

static void log_line(void *user, of_log_level level, const of_value *fields)
{
    struct lines *lines = user;
    lines->levels[lines->count] = level;
    lines->lines[lines->count++] = of_value_to_json(fields);
}

static void lines_destroyed(void *user)
{
    ((struct lines *)user)->destroyed++;
}

static void free_lines(struct lines *lines)
{
    for (size_t i = 0; i < lines->count; i++)
        of_free(lines->lines[i]);
}

static void the_logging_hook_logs_before_and_after(void **state)
{
    (void)state;
    struct lines lines = {0};
    of_hook *hook = of_logging_hook_new(log_line, &lines, lines_destroyed, 0);
    of_context *context = of_context_new("ada");
    of_options options = {sizeof options, &hook, 1, NULL};
    (void)of_client_get_int(client, "int-flag", 1, context, &options);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.lines[0],
                        "{\"stage\":\"before\",\"domain\":\"tests\",\"provider_name\":\"probe\","
                        "\"flag_key\":\"int-flag\",\"default_value\":1}");
    assert_string_equal(lines.lines[1],
                        "{\"stage\":\"after\",\"domain\":\"tests\",\"provider_name\":\"probe\","
                        "\"flag_key\":\"int-flag\",\"default_value\":1,\"reason\":\"STATIC\","
                        "\"variant\":\"ten\",\"value\":10}");
    assert_int_equal(lines.levels[0], OF_LOG_DEBUG);
    of_hook_unref(hook);
    assert_int_equal(lines.destroyed, 1);
    of_context_unref(context);
    free_lines(&lines);
}

static void the_logging_hook_logs_errors_and_the_context_when_asked_for(void **state)
{
    (void)state;
    struct lines lines = {0};
    of_hook *hook = of_logging_hook_new(log_line, &lines, NULL, OF_LOGGING_CONTEXT);
    of_context *context = of_context_new("ada");
    of_options options = {sizeof options, &hook, 1, NULL};
    probe->error = OF_ERROR_PARSE_ERROR;
    probe->error_message = "bad";
    (void)of_client_get_bool(client, "fails", true, context, &options);
    assert_int_equal(lines.count, 2);
    assert_string_equal(lines.lines[1],
                        "{\"stage\":\"error\",\"domain\":\"tests\",\"provider_name\":\"probe\","
                        "\"flag_key\":\"fails\",\"default_value\":true,"
                        "\"evaluation_context\":{\"targetingKey\":\"ada\"},"
                        "\"error_code\":\"PARSE_ERROR\",\"error_message\":\"bad\"}");
    assert_int_equal(lines.levels[1], OF_LOG_ERROR);
    of_hook_unref(hook);
    of_context_unref(context);
    free_lines(&lines);
    assert_null(of_logging_hook_new(NULL, NULL, NULL, 0));
}

static char *record;

static void emit(void *user, const char *event_name, const of_value *attributes)
{
    (void)user;
    assert_string_equal(event_name, "feature_flag.evaluation");
    of_free(record);
    record = of_value_to_json(attributes);
}

static void mutate(void *user, const of_hook_context *hook_context, const of_details *details,
                   of_value *attributes)
{
    (void)user;
    (void)details;
    assert_string_equal(of_hook_context_flag_key(hook_context), "string-flag");
    (void)of_value_set_string(attributes, "service.name", "shop");
}

static void the_telemetry_hook_makes_opentelemetrys_record_of_an_evaluation(void **state)
{
    (void)state;
    of_telemetry_options options = {.size = sizeof options, .emit = emit};
    of_hook *hook = of_telemetry_hook_new(&options);
    of_context *context = of_context_new("ada");
    of_options with = {sizeof with, &hook, 1, NULL};
    (void)of_client_get_bool(client, "bool-flag", false, context, &with);
    assert_string_equal(record,
                        "{\"feature_flag.key\":\"bool-flag\",\"feature_flag.provider.name\":\"probe\","
                        "\"feature_flag.result.variant\":\"on\",\"feature_flag.result.value\":true,"
                        "\"feature_flag.result.reason\":\"static\",\"feature_flag.context.id\":\"ada\"}");
    probe->metadata = of_value_object();
    (void)of_value_set_string(probe->metadata, "contextId", "c1");
    (void)of_value_set_string(probe->metadata, "flagSetId", "s1");
    (void)of_value_set_string(probe->metadata, "version", "v1");
    (void)of_client_get_bool(client, "metadata-flag", false, context, &with);
    assert_non_null(strstr(record, "\"feature_flag.context.id\":\"c1\",\"feature_flag.set.id\":\"s1\","
                                   "\"feature_flag.version\":\"v1\""));
    of_context_unref(context);
    of_hook_unref(hook);
    of_free(record);
    record = NULL;
}

static void the_telemetry_hook_names_errors_and_leaves_out_what_it_is_told_to(void **state)
{
    (void)state;
    static const char *const excluded[] = {"feature_flag.result.value"};
    of_telemetry_options options = {
        .size = sizeof options, .emit = emit, .exclude_attributes = excluded, .exclude_attribute_count = 1};
    of_hook *hook = of_telemetry_hook_new(&options);
    of_options with = {sizeof with, &hook, 1, NULL};
    probe->error = OF_ERROR_TARGETING_KEY_MISSING;
    probe->error_message = "who?";
    (void)of_client_get_bool(client, "fails", false, NULL, &with);
    assert_string_equal(record,
                        "{\"feature_flag.key\":\"fails\",\"feature_flag.provider.name\":\"probe\","
                        "\"feature_flag.result.reason\":\"error\",\"error.type\":\"targeting_key_missing\","
                        "\"error.message\":\"who?\"}");
    of_hook_unref(hook);
    options.exclude_exceptions = true;
    options.mutate = NULL;
    hook = of_telemetry_hook_new(&options);
    (void)of_client_get_bool(client, "fails", false, NULL, &with);
    assert_null(strstr(record, "error.message"));
    of_hook_unref(hook);
    options.mutate = mutate;
    hook = of_telemetry_hook_new(&options);
    of_string string = of_client_get_string(client, "string-flag", "", NULL, &with);
    of_string_release(&string);
    assert_non_null(strstr(record, "\"service.name\":\"shop\""));
    of_hook_unref(hook);
    of_free(record);
    record = NULL;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_TEST(the_logging_hook_logs_before_and_after),
        SDK_TEST(the_logging_hook_logs_errors_and_the_context_when_asked_for),
        SDK_TEST(the_telemetry_hook_makes_opentelemetrys_record_of_an_evaluation),
        SDK_TEST(the_telemetry_hook_names_errors_and_leaves_out_what_it_is_told_to),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

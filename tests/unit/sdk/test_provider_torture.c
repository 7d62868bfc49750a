/* SPDX-License-Identifier: Apache-2.0 */
/* The small providers when memory runs out: nothing crashes, nothing leaks, values are the flag's or the
 * default. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>

#include <openfeature/providers/env.h>
#ifdef WITH_FILE
#include <openfeature/providers/file.h>
#endif
#include <openfeature/providers/memory.h>
#include <openfeature/providers/multi.h>

static void use(of_provider *provider)
{
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    static struct box box;
    box_init(&box);
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    (void)of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS);
    (void)of_client_get_bool(client, "switch", false, NULL, NULL);
    int64_t integer = of_client_get_int(client, "number", 3, NULL, NULL);
    assert_true(integer == 10 || integer == 3);
    of_string string = of_client_get_string(client, "text", "default", NULL, NULL);
    assert_true(strcmp(string.data, "hi") == 0 || strcmp(string.data, "default") == 0);
    of_string_release(&string);
    of_value *object = of_client_get_object(client, "object", NULL, NULL, NULL);
    assert_true(object == NULL || of_value_as_int(of_value_get(object, "a"), 0) == 1);
    of_value_unref(object);
    of_details details;
    (void)of_client_string_details(client, "missing", "default", NULL, NULL, &details);
    assert_string_equal(details.value.string.data, "default");
    of_details_clear(&details);
    of_client_unref(client);
    of_api_unref(api);
}

static of_provider *make_memory(void)
{
    of_value *texts = of_value_object(), *numbers = of_value_object();
    (void)of_value_set_string(texts, "v", "hi");
    (void)of_value_set_int(numbers, "v", 10);
    const of_memory_flag flags[] = {
        {.size = sizeof flags[0], .key = "text", .variants = texts, .default_variant = "v"},
        {.size = sizeof flags[0], .key = "number", .variants = numbers, .default_variant = "v"}};
    of_provider *provider = of_memory_provider_new(flags, 2);
    (void)of_memory_provider_put_bool(provider, "switch", true);
    (void)of_memory_provider_replace(provider, flags, 2);
    (void)of_memory_provider_remove(provider, "number");
    of_value_unref(texts);
    of_value_unref(numbers);
    return provider;
}

static void memory_scenario(void)
{
    of_provider *provider = make_memory();
    use(provider);
    of_provider_unref(provider);
}

static void env_scenario(void)
{
    of_provider *provider = of_env_provider_new("TORTURE_");
    (void)setenv("TORTURE_TEXT", "hi", 1);
    use(provider);
    (void)setenv("TORTURE_TEXT", "default", 1);
    (void)of_env_provider_reload(provider);
    (void)setenv("TORTURE_TEXT", "hi", 1);
    (void)of_env_provider_reload(provider);
    of_provider_unref(provider);
}

static void multi_with(of_multi_strategy strategy)
{
    of_provider *one = make_memory(), *two = of_env_provider_new("TORTURE_");
    const of_multi_entry entries[] = {{one, NULL}, {two, "environment"}};
    of_multi_options options = {.size = sizeof options, .strategy = strategy};
    of_provider *provider = of_multi_provider_new(entries, 2, &options, NULL);
    use(provider);
    of_provider_unref(provider);
    of_provider_unref(one);
    of_provider_unref(two);
}

static void multi_scenario(void)
{
    multi_with(OF_MULTI_FIRST_MATCH);
    multi_with(OF_MULTI_COMPARISON);
}

#ifdef WITH_FILE
/* What it allocates itself; the parts of the service inside end the process instead (decision 0003). */
static void file_scenario(void)
{
    char path[] = "/tmp/file-provider-XXXXXX.yaml";
    const char *paths[] = {path};
    FILE *file = fdopen(mkstemps(path, 5), "w");
    assert_non_null(file);
    (void)fputs(
        "flags:\n"
        "  switch: {variants: {'on': true, 'off': false}, defaultVariant: 'on', metadata: {a: 1}}\n"
        "  number: {variants: {ten: 10}, defaultVariant: ten, targeting: {if: [{var: x}, ten, ten]}}\n"
        "  text: {variants: {hi: hi}, defaultVariant: hi}\n"
        "  object: {type: object, decision: {rule: true}, value: {a: 1}, safeValue: {a: 1}}\n",
        file);
    assert_int_equal(fclose(file), 0);
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = paths;
    options.path_count = 1;
    of_provider *provider = of_file_provider_new(&options, NULL, 0);
    use(provider);
    of_provider_unref(provider);
    assert_int_equal(unlink(path), 0);
}

static void the_file_provider_survives_every_failing_allocation_of_its_own(void **state)
{
    (void)state;
    failing_torture(file_scenario);
}
#endif

static void the_in_memory_provider_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(memory_scenario);
}

static void the_environment_provider_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(env_scenario);
}

static void the_multi_provider_survives_every_failing_allocation(void **state)
{
    (void)state;
    failing_torture(multi_scenario);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(the_in_memory_provider_survives_every_failing_allocation),
        cmocka_unit_test(the_environment_provider_survives_every_failing_allocation),
        cmocka_unit_test(the_multi_provider_survives_every_failing_allocation),
#ifdef WITH_FILE
        cmocka_unit_test(the_file_provider_survives_every_failing_allocation_of_its_own),
#endif
    };
    (void)setenv("TORTURE_SWITCH", "on", 1);
    (void)setenv("TORTURE_NUMBER", "10", 1);
    (void)setenv("TORTURE_OBJECT", "{\"a\":1}", 1);
    failing_install();
    return cmocka_run_group_tests(tests, NULL, NULL);
}

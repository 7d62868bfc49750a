/* SPDX-License-Identifier: Apache-2.0 */
/* What an OFREP server says of flags, as evaluations take it; options; every allocation failing in turn. */
#include "support.h"

#include <stdio.h>
#include <stdlib.h>
#include <time.h>

#include "ofrep.h"

static of_value *parse(const char *text)
{
    of_value *value = NULL;
    (void)of_value_from_json(text, strlen(text), &value, NULL);
    return value;
}

static of_error ask(const char *text, of_type type, of_resolution *resolution)
{
    const of_flag_value otherwise = {.integer = 0};
    of_value *flag = parse(text);
    struct item *item = item_new(flag);
    assert_non_null(item);
    memset(resolution, 0, sizeof *resolution);
    of_error error = item_answer(item, type, &otherwise, resolution);
    item_unref(item);
    of_value_unref(flag);
    return error;
}

static void each_type_is_taken_as_it_is_and_no_other(void **state)
{
    (void)state;
    of_resolution r;
    assert_int_equal(ask("{\"key\":\"k\",\"value\":true}", OF_TYPE_BOOL, &r), OF_OK);
    assert_true(r.value.boolean);
    assert_string_equal(r.reason, "UNKNOWN");
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":5}", OF_TYPE_DOUBLE, &r), OF_OK);
    assert_true(r.value.number == 5.0);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":0}", OF_TYPE_DOUBLE, &r), OF_OK);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":5.0}", OF_TYPE_INT, &r), OF_OK);
    assert_int_equal(r.value.integer, 5);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":5.5}", OF_TYPE_INT, &r), OF_ERROR_TYPE_MISMATCH);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":\"5\"}", OF_TYPE_INT, &r), OF_ERROR_TYPE_MISMATCH);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":[1]}", OF_TYPE_OBJECT, &r), OF_OK);
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"value\":null}", OF_TYPE_OBJECT, &r), OF_ERROR_TYPE_MISMATCH);
    of_resolution_clear(&r);
}

static void an_error_has_its_code_and_its_details(void **state)
{
    (void)state;
    of_resolution r;
    assert_int_equal(
        ask("{\"key\":\"k\",\"errorCode\":\"INVALID_CONTEXT\",\"errorDetails\":\"why\"}", OF_TYPE_BOOL, &r),
        OF_ERROR_INVALID_CONTEXT);
    assert_string_equal(r.error_message, "why");
    of_resolution_clear(&r);
    assert_int_equal(ask("{\"key\":\"k\",\"errorCode\":\"OWN\"}", OF_TYPE_BOOL, &r), OF_ERROR_GENERAL);
    of_resolution_clear(&r);
}

static void bulk_answers_are_found_by_key_and_compared(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    of_value *a = parse("{\"flags\":[{\"key\":\"b\",\"value\":1},{\"key\":\"a\",\"value\":2},{\"value\":3},{"
                        "\"key\":\"c\",\"value\":4}]}");
    of_value *b = parse(
        "{\"flags\":[{\"key\":\"b\",\"value\":1},{\"key\":\"a\",\"value\":3},{\"key\":\"d\",\"value\":4}]}");
    of_value *c = parse("{\"flag\":[]}");
    bool malformed;
    struct flags *one = flags_new(a, context, &malformed), *two = flags_new(b, context, &malformed);
    assert_int_equal(one->count, 3);
    assert_non_null(flags_find(one, "b"));
    assert_null(flags_find(one, "d"));
    size_t count;
    const char **keys = flags_differ(one, two, &count);
    assert_int_equal(count, 3);
    assert_string_equal(keys[0], "a");
    assert_string_equal(keys[1], "c");
    assert_string_equal(keys[2], "d");
    of_free(keys);
    assert_null(flags_new(c, context, &malformed));
    assert_true(malformed);
    flags_free(one);
    flags_free(two);
    of_value_unref(a);
    of_value_unref(b);
    of_value_unref(c);
    of_context_unref(context);
}

static void options_that_cannot_be_used_are_refused_with_the_reason(void **state)
{
    (void)state;
    char problem[100];
    const char *const header[] = {"X-One: 1\r\nX-Two: 2"};
    (void)unsetenv("OFREP_ENDPOINT");
    assert_null(of_ofrep_provider_new(NULL, problem, sizeof problem));
    assert_non_null(strstr(problem, "url"));
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    options.url = "ftp://x";
    assert_null(of_ofrep_provider_new(&options, NULL, 0));
    options.url = "http://x";
    options.headers = header;
    options.header_count = 1;
    assert_null(of_ofrep_provider_new(&options, problem, sizeof problem));
    assert_non_null(strstr(problem, "headers"));
    (void)setenv("OFREP_ENDPOINT", "https://flags.example/base//", 1);
    (void)setenv("OFREP_HEADERS", "X-Tenant=a, X-Other=b", 1);
    (void)setenv("OFREP_TIMEOUT_MS", "1234", 1);
    of_provider *provider = of_ofrep_provider_new(NULL, problem, sizeof problem);
    const struct ofrep *ofrep = of_provider_self(provider);
    assert_string_equal(ofrep->base, "https://flags.example/base");
    assert_int_equal(ofrep->line_count, 2);
    assert_string_equal(ofrep->lines[1], "X-Other: b");
    assert_int_equal(ofrep->options.timeout, 1234);
    of_provider_unref(provider);
    (void)unsetenv("OFREP_ENDPOINT");
    (void)unsetenv("OFREP_HEADERS");
    (void)unsetenv("OFREP_TIMEOUT_MS");
}

static void scenario(void)
{
    of_context *context = of_context_new("ada");
    of_value *body = parse("{\"flags\":[{\"key\":\"b\",\"value\":1,\"metadata\":{\"x\":1,\"y\":{}}},{\"key\":"
                           "\"a\",\"value\":\"s\"}]}");
    bool malformed;
    struct flags *flags = flags_new(body, context, &malformed);
    of_value_unref(body);
    if (flags != NULL) {
        size_t count;
        of_free(flags_differ(flags, flags, &count));
    }
    flags_free(flags);
    /* Nobody listens there: the request fails, if it is made. */
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    options.url = "http://127.0.0.1:1";
    of_provider *provider = of_ofrep_provider_new(&options, NULL, 0);
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    if (provider != NULL && api != NULL &&
        of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS) == OF_OK) {
        assert_false(of_client_get_bool(client, "door", false, context, NULL));
    }
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
    of_context_unref(context);
}

static void every_allocation_may_fail(void **state)
{
    (void)state;
    failing_install();
    failing_torture(scenario);
}

struct asked {
    of_provider *provider;
    atomic_int with_lock, without_lock;
};

static bool give_key(void *user, char *out, size_t size)
{
    struct asked *asked = user;
    struct ofrep *ofrep = of_provider_self(asked->provider);
    struct timespec until;
    clock_gettime(CLOCK_REALTIME, &until);
    until.tv_sec += 5;
    if (pthread_mutex_timedlock(&ofrep->lock, &until) == 0) {
        pthread_mutex_unlock(&ofrep->lock);
        atomic_fetch_add(&asked->without_lock, 1);
    } else {
        atomic_fetch_add(&asked->with_lock, 1);
    }
    snprintf(out, size, "token");
    return true;
}

static void the_program_is_asked_for_its_key_without_the_providers_lock(void **state)
{
    (void)state;
    struct asked asked = {.provider = NULL};
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    options.url = "http://127.0.0.1:1";
    options.static_context = true;
    options.key = give_key;
    options.user = &asked;
    asked.provider = of_ofrep_provider_new(&options, NULL, 0);
    assert_non_null(asked.provider);
    of_api *api = of_api_new();
    assert_int_not_equal(of_api_set_provider_and_wait(api, NULL, asked.provider, 20000), OF_OK);
    of_api_unref(api);
    assert_int_equal(atomic_load(&asked.with_lock), 0);
    assert_true(atomic_load(&asked.without_lock) > 0);
    of_provider_unref(asked.provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(every_allocation_may_fail),
        cmocka_unit_test(each_type_is_taken_as_it_is_and_no_other),
        cmocka_unit_test(an_error_has_its_code_and_its_details),
        cmocka_unit_test(bulk_answers_are_found_by_key_and_compared),
        cmocka_unit_test(the_program_is_asked_for_its_key_without_the_providers_lock),
        cmocka_unit_test(options_that_cannot_be_used_are_refused_with_the_reason),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

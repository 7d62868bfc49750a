/* SPDX-License-Identifier: Apache-2.0 */
/* Evaluation: values, details, errors, options, asynchronous (specification 1.3 to 1.5). */
#include "fixture.h"

#include <fcntl.h>
#include <stdio.h>
#include <unistd.h>

static void each_type_of_flag_gives_its_value(void **state)
{
    (void)state;
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(of_client_get_int(client, "int-flag", 1, NULL, NULL), 10);
    assert_true(of_client_get_double(client, "double-flag", 0.1, NULL, NULL) == 0.5);
    of_string string = of_client_get_string(client, "string-flag", "bye", NULL, NULL);
    assert_string_equal(string.data, "hi");
    assert_int_equal(string.length, 2);
    of_string_release(&string);
    of_value *object = of_client_get_object(client, "object-flag", NULL, NULL, NULL);
    assert_int_equal(of_value_as_int(of_value_get(object, "a"), 0), 1);
    of_value_unref(object);
}

static void details_hold_value_key_variant_and_reason(void **state)
{
    (void)state;
    of_details details;
    const char key[] = "int-flag";
    assert_int_equal(of_client_int_details(client, key, 1, NULL, NULL, &details), OF_OK);
    assert_int_equal(details.type, OF_TYPE_INT);
    assert_int_equal(details.value.integer, 10);
    assert_ptr_equal(details.flag_key, key);
    assert_string_equal(details.variant, "ten");
    assert_string_equal(details.reason, OF_REASON_STATIC);
    assert_int_equal(details.error, OF_OK);
    assert_null(details.error_message);
    of_details_clear(&details);
    of_details_clear(&details);
    assert_int_equal(of_client_bool_details(client, "bool-flag", false, NULL, NULL, &details), OF_OK);
    assert_true(details.value.boolean);
    of_details_clear(&details);
    assert_int_equal(of_client_double_details(client, "double-flag", 1, NULL, NULL, &details), OF_OK);
    assert_true(details.value.number == 0.5);
    of_details_clear(&details);
    assert_int_equal(of_client_string_details(client, "string-flag", "x", NULL, NULL, &details), OF_OK);
    assert_string_equal(details.value.string.data, "hi");
    of_details_clear(&details);
    assert_int_equal(of_client_object_details(client, "object-flag", NULL, NULL, NULL, &details), OF_OK);
    assert_int_equal(of_value_length(details.value.object), 1);
    of_details_clear(&details);
}

static void details_of_a_type_that_is_known_at_run_time_are_the_same(void **state)
{
    (void)state;
    of_details details;
    of_flag_value value = {.integer = 1};
    assert_int_equal(of_client_details(client, "int-flag", OF_TYPE_INT, &value, NULL, NULL, &details), OF_OK);
    assert_int_equal(details.value.integer, 10);
    of_details_clear(&details);
    assert_int_equal(of_client_details(client, "int-flag", OF_TYPE_DATETIME, &value, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    assert_int_equal(of_client_details(client, "int-flag", OF_TYPE_INT, NULL, NULL, NULL, &details),
                     OF_ERROR_INVALID_ARGUMENT);
    assert_int_equal(details.value.integer, 0);
    assert_string_equal(details.reason, "ERROR");
    of_details_clear(&details);
}

static void variant_and_reason_are_null_where_the_provider_sets_none(void **state)
{
    (void)state;
    of_details details;
    assert_int_equal(of_client_bool_details(client, "bare-flag", false, NULL, NULL, &details), OF_OK);
    assert_null(details.variant);
    assert_null(details.reason);
    of_details_clear(&details);
}

static void details_and_strings_keep_what_the_provider_made_up(void **state)
{
    (void)state;
    of_details details;
    assert_int_equal(of_client_string_details(client, "text-flag", "", NULL, NULL, &details), OF_OK);
    assert_string_equal(details.value.string.data, "made on the spot");
    assert_string_equal(details.variant, "made too");
    of_details_clear(&details);
    of_string string = of_client_get_string(client, "text-flag", "", NULL, NULL);
    assert_string_equal(string.data, "made on the spot");
    of_string_release(&string);
}

static void an_error_gives_the_default_value_the_code_and_reason_error(void **state)
{
    (void)state;
    static const of_error codes[] = {OF_ERROR_PROVIDER_NOT_READY,    OF_ERROR_FLAG_NOT_FOUND,
                                     OF_ERROR_PARSE_ERROR,           OF_ERROR_TYPE_MISMATCH,
                                     OF_ERROR_TARGETING_KEY_MISSING, OF_ERROR_INVALID_CONTEXT,
                                     OF_ERROR_PROVIDER_FATAL,        OF_ERROR_GENERAL};
    for (size_t i = 0; i < sizeof codes / sizeof codes[0]; i++) {
        of_details details;
        probe->error = codes[i];
        probe->error_message = "for a reason";
        assert_int_equal(of_client_int_details(client, "fails", 7, NULL, NULL, &details), codes[i]);
        assert_int_equal(details.error, codes[i]);
        assert_int_equal(details.value.integer, 7);
        assert_string_equal(details.reason, OF_REASON_ERROR);
        assert_string_equal(details.error_message, "for a reason");
        assert_null(details.variant);
        of_details_clear(&details);
        assert_int_equal(of_client_get_int(client, "fails", 7, NULL, NULL), 7);
    }
}

static void an_error_outside_of_the_specification_is_shown_as_general(void **state)
{
    (void)state;
    of_details details;
    probe->error = OF_ERROR_NO_MEMORY;
    assert_int_equal(of_client_bool_details(client, "fails", true, NULL, NULL, &details), OF_ERROR_GENERAL);
    of_details_clear(&details);
}

static void every_type_falls_back_to_its_default_value(void **state)
{
    (void)state;
    const char fallback[] = "fallback";
    of_value *object = of_value_object();
    assert_true(of_client_get_bool(client, "missing", true, NULL, NULL));
    assert_int_equal(of_client_get_int(client, "missing", -5, NULL, NULL), -5);
    assert_true(of_client_get_double(client, "missing", 2.5, NULL, NULL) == 2.5);
    of_string string = of_client_get_string(client, "missing", fallback, NULL, NULL);
    assert_ptr_equal(string.data, fallback);
    assert_int_equal(string.length, strlen(fallback));
    of_string_release(&string);
    of_value *got = of_client_get_object(client, "missing", object, NULL, NULL);
    assert_ptr_equal(got, object);
    of_value_unref(got);
    of_details details;
    (void)of_client_object_details(client, "missing", object, NULL, NULL, &details);
    of_value_unref(object); /* the details keep it */
    assert_int_equal(of_value_type(details.value.object), OF_TYPE_OBJECT);
    of_details_clear(&details);
}

static void a_value_of_another_type_than_asked_for_is_a_type_mismatch(void **state)
{
    (void)state;
    of_details details;
    assert_int_equal(of_client_string_details(client, "null-flag", "x", NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    assert_string_equal(details.value.string.data, "x");
    of_details_clear(&details);
    assert_int_equal(of_client_object_details(client, "scalar-flag", NULL, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    assert_null(details.value.object);
    of_details_clear(&details);
    assert_int_equal(of_client_bool_details(client, "string-flag", false, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
}

static void a_type_that_the_provider_does_not_resolve_is_a_type_mismatch(void **state)
{
    (void)state;
    of_provider_methods methods = {.size = sizeof methods, .name = "empty"};
    of_provider *empty = of_provider_new(&methods, NULL);
    of_details details;
    assert_int_equal(of_api_set_provider_and_wait(api, "tests", empty, PATIENCE_MS), OF_OK);
    assert_int_equal(of_client_bool_details(client, "bool-flag", true, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    assert_true(details.value.boolean);
    of_details_clear(&details);
    assert_int_equal(of_client_int_details(client, "int-flag", 1, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    of_provider_unref(empty);
}

static void flag_metadata_comes_from_the_provider_and_is_else_empty(void **state)
{
    (void)state;
    of_details details;
    probe->metadata = of_value_object();
    (void)of_value_set_string(probe->metadata, "version", "1.0.2");
    (void)of_value_set_int(probe->metadata, "rank", 2);
    (void)of_client_bool_details(client, "metadata-flag", false, NULL, NULL, &details);
    assert_int_equal(of_value_length(details.metadata), 2);
    assert_string_equal(of_value_as_string(of_value_get(details.metadata, "version"), ""), "1.0.2");
    of_details_clear(&details);
    (void)of_client_bool_details(client, "bool-flag", false, NULL, NULL, &details);
    assert_non_null(details.metadata);
    assert_int_equal(of_value_type(details.metadata), OF_TYPE_OBJECT);
    assert_int_equal(of_value_length(details.metadata), 0);
    of_details_clear(&details);
    (void)of_client_bool_details(client, "missing", false, NULL, NULL, &details);
    assert_int_equal(of_value_type(details.metadata), OF_TYPE_OBJECT);
    of_details_clear(&details);
}

static void flag_metadata_cannot_be_changed(void **state)
{
    (void)state;
    of_details details;
    (void)of_client_bool_details(client, "bool-flag", false, NULL, NULL, &details);
    /* By its type it is const; and even the empty one refuses a caller who casts that away. */
    assert_int_equal(of_value_set_int((of_value *)(uintptr_t)details.metadata, "a", 1), OF_ERROR_SHARED);
    of_details_clear(&details);
}

static void nonsense_gives_the_default_value_and_never_ends_the_program(void **state)
{
    (void)state;
    of_details details;
    assert_true(of_client_get_bool(NULL, "bool-flag", true, NULL, NULL));
    assert_true(of_client_get_bool(client, NULL, true, NULL, NULL));
    assert_int_equal(of_client_int_details(NULL, NULL, 3, NULL, NULL, &details), OF_ERROR_GENERAL);
    assert_int_equal(details.value.integer, 3);
    assert_non_null(details.error_message);
    of_details_clear(&details);
    assert_int_equal(of_client_int_details(client, "int-flag", 3, NULL, NULL, NULL),
                     OF_ERROR_INVALID_ARGUMENT);
    of_string string = of_client_get_string(client, "missing", NULL, NULL, NULL);
    assert_null(string.data);
    of_string_release(&string);
    of_client_track(NULL, NULL, NULL, NULL);
    of_client_off(client, 12345);
    of_details_clear(NULL);
}

static void an_evaluation_asks_the_provider_in_any_state(void **state)
{
    (void)state;
    struct probe *slow = probe_new("slow", PROBE_PLAIN);
    of_provider_event changed = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    gate_close(&slow->init_gate);
    (void)of_api_set_provider(api, "tests", slow->provider);
    gate_await(&slow->init_gate);
    of_provider_emit(slow->provider, &changed); /* so init is known to have been entered */
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    slow->error = OF_ERROR_PROVIDER_NOT_READY;
    of_details details;
    assert_int_equal(of_client_bool_details(client, "fails", true, NULL, NULL, &details),
                     OF_ERROR_PROVIDER_NOT_READY);
    of_details_clear(&details);
    assert_int_equal(atomic_load(&slow->resolves), 1);
    gate_open(&slow->init_gate);
    of_api_shutdown(api);
    probe_free(slow);
}

static void nothing_is_written_to_standard_output_or_error(void **state)
{
    (void)state;
    int ends[2];
    char byte;
    assert_int_equal(pipe(ends), 0);
    int out = dup(STDOUT_FILENO), error = dup(STDERR_FILENO);
    (void)fflush(stdout);
    (void)dup2(ends[1], STDOUT_FILENO);
    (void)dup2(ends[1], STDERR_FILENO);
    (void)of_client_get_bool(client, "missing", true, NULL, NULL);
    (void)of_client_get_bool(client, "fails", true, NULL, NULL);
    (void)of_client_get_bool(client, NULL, true, NULL, NULL);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_PROVIDER_FATAL, "gone");
    (void)fflush(stdout);
    (void)dup2(out, STDOUT_FILENO);
    (void)dup2(error, STDERR_FILENO);
    (void)close(ends[1]);
    (void)close(out);
    (void)close(error);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    (void)close(ends[0]);
}

static atomic_int finished;
static of_details last;
static char last_text[32];
static pthread_mutex_t last_lock = PTHREAD_MUTEX_INITIALIZER; /* several may end at once */

static void done(void *user, const of_details *details)
{
    assert_ptr_equal(user, &finished);
    (void)pthread_mutex_lock(&last_lock);
    last = *details;
    if (details->type == OF_TYPE_STRING)
        (void)snprintf(last_text, sizeof last_text, "%s", details->value.string.data);
    (void)pthread_mutex_unlock(&last_lock);
    atomic_fetch_add(&finished, 1);
}

static void an_asynchronous_evaluation_does_not_block(void **state)
{
    (void)state;
    atomic_store(&finished, 0);
    gate_close(&probe->resolve_gate);
    of_flag_value value = {.integer = 1};
    assert_int_equal(
        of_client_evaluate_async(client, "int-flag", OF_TYPE_INT, &value, NULL, NULL, done, &finished),
        OF_OK);
    gate_await(&probe->resolve_gate);
    assert_int_equal(atomic_load(&finished), 0);
    gate_open(&probe->resolve_gate);
    await_count(&finished, 1);
    assert_int_equal(last.value.integer, 10);
}

static void asynchronous_evaluations_all_end_and_copy_what_they_need(void **state)
{
    (void)state;
    enum { MANY = 50 };
    atomic_store(&finished, 0);
    for (int i = 0; i < MANY; i++) {
        char key[] = "missing", text[] = "fallback";
        of_flag_value value = {.string = {text, strlen(text)}};
        of_context *context = of_context_new("ada");
        assert_int_equal(
            of_client_evaluate_async(client, key, OF_TYPE_STRING, &value, context, NULL, done, &finished),
            OF_OK);
        of_context_unref(context);
        memset(key, 'x', sizeof key - 1);
        memset(text, 'x', sizeof text - 1);
    }
    await_count(&finished, MANY);
    assert_string_equal(last_text, "fallback");
    assert_int_equal(of_client_evaluate_async(client, "k", OF_TYPE_BOOL, NULL, NULL, NULL, done, &finished),
                     OF_ERROR_INVALID_ARGUMENT);
}

static of_error note_hint(void *self, of_hook_context *hook_context, const of_value *hints,
                          of_context **context)
{
    (void)hook_context;
    (void)context;
    atomic_fetch_add((atomic_int *)self, (int)of_value_as_int(of_value_get(hints, "weight"), 0));
    return OF_OK;
}

static atomic_int object_members;

static void done_object(void *user, const of_details *details)
{
    atomic_store(&object_members, (int)of_value_length(details->value.object));
    atomic_fetch_add((atomic_int *)user, 1);
}

static void an_asynchronous_evaluation_takes_hooks_hints_and_an_object_along(void **state)
{
    (void)state;
    atomic_int weight = 0, ended = 0;
    of_hook_methods methods = {.size = sizeof methods, .before = note_hint};
    of_hook *hook = of_hook_new(&methods, &weight);
    of_value *hints = of_value_object(), *fallback = of_value_object();
    (void)of_value_set_int(hints, "weight", 7);
    (void)of_value_set_bool(fallback, "default", true);
    (void)of_value_set_bool(fallback, "other", true);
    of_options options = {sizeof options, &hook, 1, hints};
    of_flag_value value = {.object = fallback};
    assert_int_equal(of_client_evaluate_async(client, "missing", OF_TYPE_OBJECT, &value, NULL, &options,
                                              done_object, &ended),
                     OF_OK);
    of_hook_unref(hook);
    of_value_unref(hints);
    of_value_unref(fallback);
    await_count(&ended, 1);
    assert_int_equal(atomic_load(&weight), 7);
    assert_int_equal(atomic_load(&object_members), 2);
}

static void count_run(void *self, of_hook_context *hook_context, const of_details *details,
                      const of_value *hints)
{
    (void)hook_context;
    (void)details;
    (void)hints;
    atomic_fetch_add((atomic_int *)self, 1);
}

/* A program that was built before there were hints. */
static void an_asynchronous_evaluation_takes_the_hooks_of_older_options_along(void **state)
{
    (void)state;
    atomic_int runs = 0, ended = 0;
    of_hook_methods methods = {.size = sizeof methods, .finally = count_run};
    of_hook *hook = of_hook_new(&methods, &runs);
    of_options options = {offsetof(of_options, hints), &hook, 1, NULL};
    of_flag_value value = {.object = NULL};
    memset(&options.hints, 0xFF, sizeof options.hints); /* beyond its size: must not be looked at */
    assert_int_equal(of_client_evaluate_async(client, "missing", OF_TYPE_OBJECT, &value, NULL, &options,
                                              done_object, &ended),
                     OF_OK);
    of_hook_unref(hook);
    await_count(&ended, 1);
    assert_int_equal(atomic_load(&runs), 1);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_TEST(each_type_of_flag_gives_its_value),
        SDK_TEST(details_hold_value_key_variant_and_reason),
        SDK_TEST(details_of_a_type_that_is_known_at_run_time_are_the_same),
        SDK_TEST(variant_and_reason_are_null_where_the_provider_sets_none),
        SDK_TEST(details_and_strings_keep_what_the_provider_made_up),
        SDK_TEST(an_error_gives_the_default_value_the_code_and_reason_error),
        SDK_TEST(an_error_outside_of_the_specification_is_shown_as_general),
        SDK_TEST(every_type_falls_back_to_its_default_value),
        SDK_TEST(a_value_of_another_type_than_asked_for_is_a_type_mismatch),
        SDK_TEST(a_type_that_the_provider_does_not_resolve_is_a_type_mismatch),
        SDK_TEST(flag_metadata_comes_from_the_provider_and_is_else_empty),
        SDK_TEST(flag_metadata_cannot_be_changed),
        SDK_TEST(nonsense_gives_the_default_value_and_never_ends_the_program),
        SDK_TEST(an_evaluation_asks_the_provider_in_any_state),
        SDK_TEST(nothing_is_written_to_standard_output_or_error),
        SDK_TEST(an_asynchronous_evaluation_does_not_block),
        SDK_TEST(an_asynchronous_evaluation_takes_hooks_hints_and_an_object_along),
        SDK_TEST(an_asynchronous_evaluation_takes_the_hooks_of_older_options_along),
        SDK_TEST(asynchronous_evaluations_all_end_and_copy_what_they_need),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

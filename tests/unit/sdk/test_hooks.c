/* SPDX-License-Identifier: Apache-2.0 */
/* Hooks: stages, order, errors, data, hints (specification section 4). */
#include "fixture.h"

#include <stdio.h>
#include <stdlib.h>

static char story[4096]; /* what the hooks did, in order */

static int setup(void **state)
{
    story[0] = '\0';
    return sdk_setup(state);
}

static void tell(const char *name, const char *what)
{
    size_t length = strlen(story);
    (void)snprintf(story + length, sizeof story - length, "%s%s.%s", length == 0 ? "" : " ", name, what);
}

/* A hook that tells what it does, and fails where it is told to. */
struct teller {
    const char *name;
    of_error before_result, after_result;
    const char *message;
    of_error error;
    char error_message[300];
    of_value *hints;
    of_details final;
    const of_hook_context *hook_context;
    char final_key[32], final_variant[32], final_reason[32];
};

static of_error teller_before(void *self, of_hook_context *hook_context, const of_value *hints,
                              of_context **context)
{
    struct teller *teller = self;
    (void)context;
    tell(teller->name, "before");
    of_value_unref(teller->hints);
    teller->hints = of_value_ref(hints);
    if (teller->message != NULL)
        of_hook_context_set_message(hook_context, teller->message);
    return teller->before_result;
}

static of_error teller_after(void *self, of_hook_context *hook_context, const of_details *details,
                             const of_value *hints)
{
    struct teller *teller = self;
    (void)details;
    assert_true(of_value_equal(hints, teller->hints));
    tell(teller->name, "after");
    if (teller->message != NULL)
        of_hook_context_set_message(hook_context, teller->message);
    return teller->after_result;
}

static void teller_error(void *self, of_hook_context *hook_context, of_error error, const char *message,
                         const of_value *hints)
{
    struct teller *teller = self;
    (void)hook_context;
    assert_int_equal(of_value_type(hints), OF_TYPE_OBJECT);
    tell(teller->name, "error");
    teller->error = error;
    (void)snprintf(teller->error_message, sizeof teller->error_message, "%s", message == NULL ? "" : message);
}

static void teller_finally(void *self, of_hook_context *hook_context, const of_details *details,
                           const of_value *hints)
{
    struct teller *teller = self;
    (void)hook_context;
    assert_int_equal(of_value_type(hints), OF_TYPE_OBJECT);
    tell(teller->name, "finally");
    teller->final = *details;
    (void)snprintf(teller->final_key, sizeof teller->final_key, "%s", details->flag_key);
    (void)snprintf(teller->final_variant, sizeof teller->final_variant, "%s",
                   details->variant == NULL ? "" : details->variant);
    (void)snprintf(teller->final_reason, sizeof teller->final_reason, "%s",
                   details->reason == NULL ? "" : details->reason);
}

static of_hook *make_teller(struct teller *teller, const char *name)
{
    static const of_hook_methods methods = {sizeof methods, teller_before,  teller_after,
                                            teller_error,   teller_finally, NULL};
    memset(teller, 0, sizeof *teller);
    teller->name = name;
    return of_hook_new(&methods, teller);
}

static void free_teller(struct teller *teller, of_hook *hook)
{
    of_value_unref(teller->hints);
    of_hook_unref(hook);
}

static void hooks_run_like_a_stack_from_api_to_provider_and_back(void **state)
{
    (void)state;
    struct teller tellers[8];
    static const char *const names[] = {"A", "B", "C", "D", "E", "F", "G", "H"};
    of_hook *hooks[8];
    struct probe *other = probe_new("other", PROBE_PLAIN);
    for (int i = 0; i < 8; i++)
        hooks[i] = make_teller(&tellers[i], names[i]);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(of_api_add_hook(api, hooks[i]), OF_OK);
        assert_int_equal(of_client_add_hook(client, hooks[2 + i]), OF_OK);
        assert_int_equal(of_provider_add_hook(other->provider, hooks[6 + i]), OF_OK);
    }
    (void)of_api_set_provider_and_wait(api, "tests", other->provider, PATIENCE_MS);
    of_options options = OF_OPTIONS_INIT;
    options.hooks = &hooks[4];
    options.hook_count = 2;
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, &options));
    assert_string_equal(story,
                        "A.before B.before C.before D.before E.before F.before G.before H.before "
                        "H.after G.after F.after E.after D.after C.after B.after A.after "
                        "H.finally G.finally F.finally E.finally D.finally C.finally B.finally A.finally");
    story[0] = '\0';
    assert_false(of_client_get_bool(client, "missing", false, NULL, &options));
    assert_string_equal(story,
                        "A.before B.before C.before D.before E.before F.before G.before H.before "
                        "H.error G.error F.error E.error D.error C.error B.error A.error "
                        "H.finally G.finally F.finally E.finally D.finally C.finally B.finally A.finally");
    for (int i = 0; i < 8; i++)
        free_teller(&tellers[i], hooks[i]);
    of_api_shutdown(api);
    probe_free(other);
}

static void hooks_of_one_invocation_run_for_that_one_only(void **state)
{
    (void)state;
    struct teller teller;
    of_hook *hook = make_teller(&teller, "once");
    of_options options = OF_OPTIONS_INIT;
    options.hooks = &hook;
    options.hook_count = 1;
    (void)of_client_get_int(client, "int-flag", 1, NULL, &options);
    (void)of_client_get_int(client, "int-flag", 1, NULL, NULL);
    assert_string_equal(story, "once.before once.after once.finally");
    free_teller(&teller, hook);
}

static void a_failing_before_hook_gives_the_default_value_and_stops_the_stage(void **state)
{
    (void)state;
    struct teller first, second;
    of_hook *hooks[2] = {make_teller(&first, "first"), make_teller(&second, "second")};
    of_details details;
    first.before_result = OF_ERROR_INVALID_CONTEXT;
    first.message = "no such user";
    (void)of_client_add_hook(client, hooks[0]);
    (void)of_client_add_hook(client, hooks[1]);
    assert_int_equal(of_client_bool_details(client, "bool-flag", false, NULL, NULL, &details),
                     OF_ERROR_INVALID_CONTEXT);
    assert_false(details.value.boolean);
    assert_string_equal(details.reason, OF_REASON_ERROR);
    assert_string_equal(details.error_message, "no such user");
    of_details_clear(&details);
    assert_int_equal(atomic_load(&probe->resolves), 0);
    assert_string_equal(story, "first.before second.error first.error second.finally first.finally");
    assert_int_equal(second.error, OF_ERROR_INVALID_CONTEXT);
    assert_string_equal(second.error_message, "no such user");
    free_teller(&first, hooks[0]);
    free_teller(&second, hooks[1]);
}

static void a_failing_after_hook_gives_the_default_value_and_stops_the_stage(void **state)
{
    (void)state;
    struct teller first, second;
    of_hook *hooks[2] = {make_teller(&first, "first"), make_teller(&second, "second")};
    second.after_result = OF_ERROR_GENERAL;
    (void)of_client_add_hook(client, hooks[0]);
    (void)of_client_add_hook(client, hooks[1]);
    of_string string = of_client_get_string(client, "text-flag", "default", NULL, NULL);
    assert_string_equal(string.data, "default");
    of_string_release(&string);
    assert_string_equal(story, "first.before second.before second.after second.error first.error "
                               "second.finally first.finally");
    free_teller(&first, hooks[0]);
    free_teller(&second, hooks[1]);
}

static void the_error_hook_runs_when_resolution_fails(void **state)
{
    (void)state;
    struct teller teller;
    of_hook *hook = make_teller(&teller, "hook");
    probe->error = OF_ERROR_PARSE_ERROR;
    probe->error_message = "bad flag";
    (void)of_client_add_hook(client, hook);
    (void)of_client_get_int(client, "fails", 1, NULL, NULL);
    assert_string_equal(story, "hook.before hook.error hook.finally");
    assert_int_equal(teller.error, OF_ERROR_PARSE_ERROR);
    assert_string_equal(teller.error_message, "bad flag");
    free_teller(&teller, hook);
}

static void finally_gets_the_details_that_the_caller_gets(void **state)
{
    (void)state;
    struct teller teller;
    of_hook *hook = make_teller(&teller, "hook");
    of_details details;
    (void)of_client_add_hook(client, hook);
    (void)of_client_int_details(client, "int-flag", 1, NULL, NULL, &details);
    assert_int_equal(teller.final.value.integer, details.value.integer);
    assert_string_equal(teller.final_key, details.flag_key);
    assert_string_equal(teller.final_variant, details.variant);
    assert_string_equal(teller.final_reason, details.reason);
    assert_int_equal(teller.final.error, details.error);
    of_details_clear(&details);
    (void)of_client_int_details(client, "missing", 1, NULL, NULL, &details);
    assert_int_equal(teller.final.error, OF_ERROR_FLAG_NOT_FOUND);
    assert_int_equal(teller.final.value.integer, 1);
    of_details_clear(&details);
    free_teller(&teller, hook);
}

static void hints_reach_every_hook_and_are_empty_without(void **state)
{
    (void)state;
    struct teller teller;
    of_hook *hook = make_teller(&teller, "hook");
    of_value *hints = of_value_object(), *deep = of_value_object();
    (void)of_value_set_bool(hints, "flag", true);
    (void)of_value_set(hints, "when", of_value_datetime((of_datetime){1, 2, 3}));
    (void)of_value_set_int(deep, "x", 1);
    (void)of_value_set(hints, "deep", deep);
    of_options options = OF_OPTIONS_INIT;
    options.hints = hints;
    (void)of_api_add_hook(api, hook);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, &options);
    assert_ptr_equal(teller.hints, hints);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(of_value_type(teller.hints), OF_TYPE_OBJECT);
    assert_int_equal(of_value_length(teller.hints), 0);
    free_teller(&teller, hook);
    of_value_unref(hints);
}

static void a_hook_needs_at_least_one_stage(void **state)
{
    (void)state;
    of_hook_methods methods = {.size = sizeof methods};
    assert_null(of_hook_new(&methods, NULL));
    assert_null(of_hook_new(NULL, NULL));
}

struct looker {
    bool looked;
    of_client *client;
};

static of_error look(void *self, of_hook_context *hook_context, const of_value *hints, of_context **context)
{
    struct looker *looker = self;
    (void)hints;
    assert_string_equal(of_hook_context_flag_key(hook_context), "int-flag");
    assert_int_equal(of_hook_context_flag_type(hook_context), OF_TYPE_INT);
    assert_int_equal(of_hook_context_default_value(hook_context)->integer, 7);
    assert_string_equal(of_context_targeting_key(of_hook_context_context(hook_context)), "ada");
    assert_string_equal(of_hook_context_domain(hook_context), "tests");
    assert_string_equal(of_hook_context_provider_name(hook_context), "probe");
    assert_non_null(context);
    looker->looked = true;
    return OF_OK;
}

static void the_hook_context_shows_flag_type_context_default_value_and_metadata(void **state)
{
    (void)state;
    struct looker looker = {0};
    of_hook_methods methods = {.size = sizeof methods, .before = look};
    of_hook *hook = of_hook_new(&methods, &looker);
    of_context *context = of_context_new("ada");
    (void)of_client_add_hook(client, hook);
    (void)of_client_get_int(client, "int-flag", 7, context, NULL);
    assert_true(looker.looked);
    of_hook_unref(hook);
    of_context_unref(context);
}

static of_error give_context(void *self, of_hook_context *hook_context, const of_value *hints,
                             of_context **context)
{
    (void)hints;
    (void)hook_context;
    *context = of_context_new(NULL);
    return of_context_set_string(*context, "from", self);
}

static of_error expect_context(void *self, of_hook_context *hook_context, const of_value *hints,
                               of_context **context)
{
    (void)hints;
    (void)context;
    const of_value *from = of_context_get(of_hook_context_context(hook_context), "from");
    tell(self, of_value_as_string(from, "(none)"));
    return OF_OK;
}

static void a_context_from_a_before_hook_is_seen_by_the_next_and_by_the_provider(void **state)
{
    (void)state;
    of_hook_methods giving = {.size = sizeof giving, .before = give_context};
    of_hook_methods expecting = {.size = sizeof expecting, .before = expect_context};
    char one[] = "one", two[] = "two", look_1[] = "look1", look_2[] = "look2";
    of_hook *hooks[4] = {of_hook_new(&giving, one), of_hook_new(&expecting, look_1),
                         of_hook_new(&giving, two), of_hook_new(&expecting, look_2)};
    of_context *context = of_context_new("ada");
    (void)of_context_set_string(context, "from", "invocation");
    of_options options = OF_OPTIONS_INIT;
    options.hooks = hooks;
    options.hook_count = 4;
    (void)of_client_get_bool(client, "bool-flag", false, context, &options);
    assert_string_equal(story, "look1.one look2.two");
    assert_string_equal(of_value_as_string(of_context_get(probe->seen, "from"), ""), "two");
    assert_string_equal(of_context_targeting_key(probe->seen), "ada");
    for (int i = 0; i < 4; i++)
        of_hook_unref(hooks[i]);
    of_context_unref(context);
}

static int freed;

static void free_data(void *data)
{
    freed++;
    free(data);
}

static of_error keep_data(void *self, of_hook_context *hook_context, const of_value *hints,
                          of_context **context)
{
    (void)hints;
    (void)context;
    assert_null(of_hook_context_data(hook_context, "key"));
    char *data = strdup("first");
    assert_int_equal(of_hook_context_set_data(hook_context, "key", data, free_data), OF_OK);
    data = strdup(self);
    assert_int_equal(of_hook_context_set_data(hook_context, "key", data, free_data), OF_OK);
    return of_hook_context_set_data(hook_context, "other", self, NULL);
}

static void read_data(void *self, of_hook_context *hook_context, const of_details *details,
                      const of_value *hints)
{
    (void)details;
    (void)hints;
    tell(self, of_hook_context_data(hook_context, "key"));
    assert_ptr_equal(of_hook_context_data(hook_context, "other"), self);
}

static void hook_data_lasts_from_the_first_stage_to_the_last_for_each_hook_alone(void **state)
{
    (void)state;
    of_hook_methods methods = {.size = sizeof methods, .before = keep_data, .finally = read_data};
    char one[] = "one", two[] = "two";
    of_hook *first = of_hook_new(&methods, one), *second = of_hook_new(&methods, two);
    freed = 0;
    (void)of_client_add_hook(client, first);
    (void)of_client_add_hook(client, second);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_string_equal(story, "two.two one.one");
    assert_int_equal(freed, 4);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(freed, 8);
    of_hook_unref(first);
    of_hook_unref(second);
}

static void more_hooks_than_fit_on_the_stack_all_run(void **state)
{
    (void)state;
    struct teller teller;
    of_hook *hook = make_teller(&teller, "h"), *hooks[40];
    for (int i = 0; i < 40; i++)
        hooks[i] = hook;
    of_options options = OF_OPTIONS_INIT;
    options.hooks = hooks;
    options.hook_count = 40;
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, &options));
    assert_int_equal(strlen(story),
                     40 * strlen("h.before ") + 40 * strlen("h.after ") + 40 * strlen("h.finally ") - 1);
    free_teller(&teller, hook);
}

static of_error evaluate_again(void *self, of_hook_context *hook_context, const of_value *hints,
                               of_context **context)
{
    (void)hook_context;
    (void)hints;
    (void)context;
    ++*(int *)self;
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    return OF_OK;
}

static void a_hook_that_evaluates_without_end_is_stopped(void **state)
{
    (void)state;
    int depth = 0;
    of_hook_methods methods = {.size = sizeof methods, .before = evaluate_again};
    of_hook *hook = of_hook_new(&methods, &depth);
    (void)of_client_add_hook(client, hook);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(depth, 8);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    of_hook_unref(hook);
}

static of_error shut_api_down(void *self, of_hook_context *hook_context, const of_value *hints,
                              of_context **context)
{
    (void)self;
    (void)hook_context;
    (void)hints;
    (void)context;
    of_api_shutdown(api);
    return OF_OK;
}

static void a_hook_may_shut_the_api_down(void **state)
{
    (void)state;
    of_hook_methods methods = {.size = sizeof methods, .before = shut_api_down};
    of_hook *hook = of_hook_new(&methods, NULL);
    (void)of_client_add_hook(client, hook);
    assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
    assert_int_equal(atomic_load(&probe->shutdowns), 1);
    of_hook_unref(hook);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, sdk_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(hooks_run_like_a_stack_from_api_to_provider_and_back),
        TEST(hooks_of_one_invocation_run_for_that_one_only),
        TEST(a_failing_before_hook_gives_the_default_value_and_stops_the_stage),
        TEST(a_failing_after_hook_gives_the_default_value_and_stops_the_stage),
        TEST(the_error_hook_runs_when_resolution_fails),
        TEST(finally_gets_the_details_that_the_caller_gets),
        TEST(hints_reach_every_hook_and_are_empty_without),
        TEST(a_hook_needs_at_least_one_stage),
        TEST(the_hook_context_shows_flag_type_context_default_value_and_metadata),
        TEST(a_context_from_a_before_hook_is_seen_by_the_next_and_by_the_provider),
        TEST(hook_data_lasts_from_the_first_stage_to_the_last_for_each_hook_alone),
        TEST(more_hooks_than_fit_on_the_stack_all_run),
        TEST(a_hook_that_evaluates_without_end_is_stopped),
        TEST(a_hook_may_shut_the_api_down),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

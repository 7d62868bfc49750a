/* SPDX-License-Identifier: Apache-2.0 */
/* The levels of the evaluation context and their merging, and transaction context (specification 3.2
 * and 3.3). */
#include "fixture.h"

/* A context in which "own-LEVEL" and all of "level", "upto-LEVEL", ... say which level they are from. */
static of_context *level(const char *name, int rank)
{
    static const char *const shared[] = {"0", "1", "2", "3", "4"};
    of_context *context = of_context_new(name);
    (void)of_context_set_bool(context, name, true);
    for (int i = 0; i <= rank; i++)
        (void)of_context_set_string(context, shared[i], name);
    return context;
}

static const char *seen(const char *key)
{
    return of_value_as_string(of_context_get(probe->seen, key), "(none)");
}

static of_error return_context(void *self, of_hook_context *hook_context, const of_value *hints,
                               of_context **context)
{
    (void)hook_context;
    (void)hints;
    *context = of_context_ref(self);
    return OF_OK;
}

static void contexts_are_merged_from_api_to_before_hooks(void **state)
{
    (void)state;
    of_context *of_all = level("api", 4), *transaction = level("transaction", 3),
               *for_client = level("client", 2);
    of_context *invocation = level("invocation", 1), *hook_level = level("hook", 0);
    of_hook_methods methods = {.size = sizeof methods, .before = return_context};
    of_hook *hook = of_hook_new(&methods, hook_level);
    of_propagator *propagator = of_propagator_new_thread_local();
    assert_int_equal(of_api_set_context(api, of_all), OF_OK);
    assert_int_equal(of_api_set_propagator(api, propagator), OF_OK);
    assert_int_equal(of_api_set_transaction_context(api, transaction), OF_OK);
    assert_int_equal(of_client_set_context(client, for_client), OF_OK);
    assert_int_equal(of_client_add_hook(client, hook), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, invocation, NULL);
    assert_string_equal(seen("0"), "hook");
    assert_string_equal(seen("1"), "invocation");
    assert_string_equal(seen("2"), "client");
    assert_string_equal(seen("3"), "transaction");
    assert_string_equal(seen("4"), "api");
    assert_string_equal(of_context_targeting_key(probe->seen), "hook");
    assert_int_equal(of_context_count(probe->seen), 5 + 5 + 1);
    of_context_unref(of_all);
    of_context_unref(transaction);
    of_context_unref(for_client);
    of_context_unref(invocation);
    of_hook_unref(hook);
    of_context_unref(hook_level);
    of_propagator_unref(propagator);
}

static void api_client_and_invocation_each_take_a_context(void **state)
{
    (void)state;
    of_context *one = of_context_new("api"), *two = of_context_new("client"),
               *three = of_context_new("invocation");
    (void)of_api_set_context(api, one);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "api");
    (void)of_client_set_context(client, two);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "client");
    (void)of_client_get_bool(client, "bool-flag", false, three, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "invocation");
    (void)of_client_set_context(client, NULL);
    (void)of_api_set_context(api, NULL);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(of_context_count(probe->seen), 0);
    of_context_unref(one);
    of_context_unref(two);
    of_context_unref(three);
}

static void the_callers_context_is_not_changed_by_an_evaluation(void **state)
{
    (void)state;
    of_context *global = of_context_new("global"), *own = of_context_new(NULL);
    (void)of_context_set_int(own, "a", 1);
    (void)of_api_set_context(api, global);
    (void)of_client_get_bool(client, "bool-flag", false, own, NULL);
    assert_int_equal(of_context_count(own), 1);
    of_context_unref(probe->seen); /* a merged copy: the caller's context is the caller's alone again */
    probe->seen = NULL;
    assert_int_equal(of_context_set_int(own, "b", 2), OF_OK);
    of_context_unref(global);
    of_context_unref(own);
}

static void a_merged_context_is_walked_without_repetition(void **state)
{
    (void)state;
    of_context *global = of_context_new("global"), *own = of_context_new("own");
    (void)of_context_set_int(global, "a", 1);
    (void)of_context_set_int(own, "a", 2);
    (void)of_context_set_int(own, "b", 3);
    (void)of_api_set_context(api, global);
    (void)of_client_get_bool(client, "bool-flag", false, own, NULL);
    assert_int_equal(of_context_count(probe->seen), 3);
    assert_int_equal(of_value_as_int(of_context_get(probe->seen, "a"), 0), 2);
    of_context_unref(global);
    of_context_unref(own);
}

static void without_a_propagator_the_transaction_context_is_not_used(void **state)
{
    (void)state;
    of_context *context = of_context_new("request");
    assert_int_equal(of_api_set_transaction_context(api, context), OF_OK);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_null(of_context_targeting_key(probe->seen));
    of_context_unref(context);
}

static void *other_thread(void *unused)
{
    (void)unused;
    of_context *context = of_context_new("other request");
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    bool none = of_context_targeting_key(probe->seen) == NULL;
    (void)of_api_set_transaction_context(api, context);
    of_context_unref(context);
    return none ? client : NULL;
}

static void the_thread_local_propagator_keeps_threads_apart(void **state)
{
    (void)state;
    of_context *context = of_context_new("request");
    of_propagator *propagator = of_propagator_new_thread_local();
    pthread_t thread;
    void *none = NULL;
    (void)of_api_set_propagator(api, propagator);
    (void)of_api_set_transaction_context(api, context);
    assert_int_equal(pthread_create(&thread, NULL, other_thread, NULL), 0);
    assert_int_equal(pthread_join(thread, &none), 0);
    assert_non_null(none);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "request");
    (void)of_api_set_transaction_context(api, NULL);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_null(of_context_targeting_key(probe->seen));
    of_propagator_unref(propagator);
    of_context_unref(context);
}

static of_context *carried;

static of_error own_set(void *self, const of_context *context)
{
    ++*(int *)self;
    of_context_unref(carried);
    carried = of_context_ref(context);
    return OF_OK;
}

static of_context *own_get(void *self)
{
    (void)self;
    return of_context_ref(carried);
}

static void a_propagator_of_ones_own_replaces_the_one_before(void **state)
{
    (void)state;
    int sets = 0;
    of_propagator_methods methods = {.size = sizeof methods, .set = own_set, .get = own_get};
    of_propagator *own = of_propagator_new(&methods, &sets), *first = of_propagator_new_thread_local();
    of_context *context = of_context_new("request");
    (void)of_api_set_propagator(api, first);
    (void)of_api_set_propagator(api, own);
    assert_int_equal(of_api_set_transaction_context(api, context), OF_OK);
    assert_int_equal(sets, 1);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "request");
    (void)of_api_set_transaction_context(api, NULL);
    methods.get = NULL;
    assert_null(of_propagator_new(&methods, &sets));
    of_propagator_unref(own);
    of_propagator_unref(first);
    of_context_unref(context);
}

static of_error evaluate_inside(void *self, of_hook_context *hook_context, const of_value *hints,
                                of_context **context)
{
    (void)self;
    (void)hints;
    (void)context;
    if (strcmp(of_hook_context_flag_key(hook_context), "bool-flag") == 0)
        (void)of_client_get_bool(client, "inner-flag", false, of_hook_context_context(hook_context), NULL);
    return OF_OK;
}

static void a_merged_context_can_be_the_context_of_another_evaluation(void **state)
{
    (void)state;
    of_context *global = of_context_new("global"), *own = of_context_new(NULL);
    of_hook_methods methods = {.size = sizeof methods, .before = evaluate_inside};
    of_hook *hook = of_hook_new(&methods, NULL);
    (void)of_context_set_int(own, "a", 1);
    (void)of_api_set_context(api, global);
    (void)of_client_add_hook(client, hook);
    assert_true(of_client_get_bool(client, "bool-flag", false, own, NULL));
    assert_int_equal(atomic_load(&probe->resolves), 2);
    assert_int_equal(of_context_count(probe->seen), 2);
    of_hook_unref(hook);
    of_context_unref(global);
    of_context_unref(own);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_TEST(contexts_are_merged_from_api_to_before_hooks),
        SDK_TEST(api_client_and_invocation_each_take_a_context),
        SDK_TEST(the_callers_context_is_not_changed_by_an_evaluation),
        SDK_TEST(a_merged_context_is_walked_without_repetition),
        SDK_TEST(without_a_propagator_the_transaction_context_is_not_used),
        SDK_TEST(the_thread_local_propagator_keeps_threads_apart),
        SDK_TEST(a_propagator_of_ones_own_replaces_the_one_before),
        SDK_TEST(a_merged_context_can_be_the_context_of_another_evaluation),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

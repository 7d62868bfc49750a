/* SPDX-License-Identifier: Apache-2.0 */
/* Tracking (specification section 6). */
#include "fixture.h"

static void a_tracked_event_reaches_the_provider_with_context_and_details(void **state)
{
    (void)state;
    of_context *context = of_context_new("ada");
    of_value *fields = of_value_object(), *cart = of_value_object();
    (void)of_value_set_string(fields, "currency", "USD");
    (void)of_value_set_int(cart, "items", 3);
    (void)of_value_set(fields, "cart", cart);
    of_tracking details = {.has_value = true, .value = 99.77, .fields = fields};
    of_client_track(client, "clicked-checkout", context, &details);
    assert_string_equal(probe->tracked, "clicked-checkout");
    assert_string_equal(of_context_targeting_key(probe->seen), "ada");
    assert_true(probe->tracked_value && probe->tracked_amount == 99.77);
    assert_true(of_value_equal(probe->tracked_fields, fields));
    of_context_unref(context);
    of_value_unref(fields);
}

static void context_and_details_of_a_tracked_event_are_optional(void **state)
{
    (void)state;
    of_client_track(client, "visited", NULL, NULL);
    assert_int_equal(atomic_load(&probe->tracks), 1);
    assert_false(probe->tracked_value);
    assert_int_equal(of_context_count(probe->seen), 0);
}

static void the_context_of_a_tracked_event_is_merged(void **state)
{
    (void)state;
    static const char *const levels[] = {"api", "transaction", "client", "invocation"};
    of_context *contexts[4];
    of_propagator *propagator = of_propagator_new_thread_local();
    for (int i = 0; i < 4; i++) {
        contexts[i] = of_context_new(levels[i]);
        for (int j = i; j < 4; j++)
            (void)of_context_set_string(contexts[i], levels[3 - j], levels[i]);
    }
    (void)of_api_set_context(api, contexts[0]);
    (void)of_api_set_propagator(api, propagator);
    (void)of_api_set_transaction_context(api, contexts[1]);
    (void)of_client_set_context(client, contexts[2]);
    of_client_track(client, "visited", contexts[3], NULL);
    for (int i = 0; i < 4; i++)
        assert_string_equal(of_value_as_string(of_context_get(probe->seen, levels[3 - i]), ""), levels[i]);
    assert_string_equal(of_context_targeting_key(probe->seen), "invocation");
    for (int i = 0; i < 4; i++)
        of_context_unref(contexts[i]);
    of_propagator_unref(propagator);
}

static void tracking_does_nothing_where_the_provider_cannot(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_NO_TRACK);
    (void)of_api_set_provider_and_wait(api, NULL, other->provider, PATIENCE_MS);
    of_client_track(client, "visited", NULL, NULL);
    assert_int_equal(atomic_load(&other->tracks), 0);
    of_api_shutdown(api);
    of_client_track(client, "visited", NULL, NULL);
    probe_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_TEST(a_tracked_event_reaches_the_provider_with_context_and_details),
        SDK_TEST(context_and_details_of_a_tracked_event_are_optional),
        SDK_TEST(the_context_of_a_tracked_event_is_merged),
        SDK_TEST(tracking_does_nothing_where_the_provider_cannot),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

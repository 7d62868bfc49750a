/* SPDX-License-Identifier: Apache-2.0 */
/* The interface of providers (specification section 2), and wrapping them. */
#include "support.h"

static of_api *api;

static int setup(void **state)
{
    (void)state;
    api = of_api_new();
    return api == NULL;
}

static int teardown(void **state)
{
    (void)state;
    of_api_unref(api);
    return 0;
}

static void a_provider_has_a_name_which_is_copied(void **state)
{
    (void)state;
    char name[] = "mine";
    of_provider_methods methods = {.size = sizeof methods, .name = name};
    int self = 0;
    of_provider *provider = of_provider_new(&methods, &self);
    name[0] = 'X';
    assert_string_equal(of_provider_name(provider), "mine");
    assert_ptr_equal(of_provider_self(provider), &self);
    of_provider_unref(provider);
    methods.name = NULL;
    assert_null(of_provider_new(&methods, NULL));
}

static of_error pass(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    (void)self;
    (void)context;
    (void)domain;
    of_provider_emit_ready(provider);
    return OF_OK;
}

static void stop(void *self)
{
    (void)self;
}

static void a_provider_is_known_by_its_functions_and_not_by_its_name(void **state)
{
    (void)state;
    const of_provider_methods mine = {.size = sizeof mine, .name = "mine", .init = pass};
    const of_provider_methods more = {.size = sizeof more, .name = "mine", .init = pass, .shutdown = stop};
    const of_provider_methods none = {.size = sizeof none, .name = "mine"};
    of_provider *provider = of_provider_new(&mine, NULL), *empty = of_provider_new(&none, NULL);
    assert_true(of_provider_is(provider, &mine));
    assert_false(of_provider_is(provider, &more));
    assert_false(of_provider_is(provider, &none));
    assert_false(of_provider_is(empty, &none));
    assert_false(of_provider_is(NULL, &mine));
    assert_false(of_provider_is(provider, NULL));
    of_provider_unref(provider);
    of_provider_unref(empty);
}

static void resolvers_get_key_default_value_and_context(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    of_context *context = of_context_new("ada");
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    (void)of_client_get_int(client, "int-flag", 3, context, NULL);
    assert_string_equal(of_context_targeting_key(probe->seen), "ada");
    of_context_unref(context);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

/* All types by one function; and one that has a function of its own. */
static of_error answer_all(void *self, const char *key, of_type type, const of_flag_value *default_value,
                           const of_context *context, of_resolution *resolution)
{
    (void)self, (void)context;
    if (strcmp(key, "nothing") == 0)
        return OF_OK; /* fills nothing */
    resolution->value = *default_value;
    if (type == OF_TYPE_INT)
        resolution->value.integer++;
    return OF_OK;
}

static of_error answer_bool(void *self, const char *key, bool default_value, const of_context *context,
                            of_resolution *resolution)
{
    (void)self, (void)key, (void)context;
    resolution->value.boolean = !default_value;
    return OF_OK;
}

static void one_resolver_can_answer_all_types_that_have_none_of_their_own(void **state)
{
    (void)state;
    of_provider_methods methods = {.size = sizeof methods, .name = "general", .resolve = answer_all};
    of_client *client = of_api_client(api, NULL);
    of_details details;
    for (int i = 0; i < 2; i++) {
        of_provider *provider = of_provider_new(&methods, NULL);
        (void)of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS);
        assert_int_equal(of_client_get_bool(client, "any", true, NULL, NULL), i == 0);
        assert_int_equal(of_client_get_int(client, "any", 1, NULL, NULL), 2);
        assert_true(of_client_get_double(client, "any", 0.5, NULL, NULL) == 0.5);
        of_string string = of_client_get_string(client, "any", NULL, NULL, NULL);
        assert_string_equal(string.data, "");
        of_string_release(&string);
        assert_int_equal(of_client_string_details(client, "nothing", "x", NULL, NULL, &details),
                         OF_ERROR_TYPE_MISMATCH);
        assert_string_equal(details.value.string.data, "x");
        of_details_clear(&details);
        assert_int_equal(of_client_object_details(client, "nothing", NULL, NULL, NULL, &details),
                         OF_ERROR_TYPE_MISMATCH);
        of_details_clear(&details);
        assert_true(of_provider_is(provider, &methods));
        of_api_shutdown(api);
        of_provider_unref(provider);
        methods.resolve_bool = answer_bool;
    }
    of_client_unref(client);
}

static void an_error_of_normal_execution_is_not_shown(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    of_details details;
    probe->error = OF_OK; /* "fails" sets a message, and then succeeds */
    probe->error_message = "should not be seen";
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    assert_int_equal(of_client_bool_details(client, "fails", false, NULL, NULL, &details), OF_OK);
    assert_int_equal(details.error, OF_OK);
    assert_null(details.error_message);
    of_details_clear(&details);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static of_error note(void *self, of_hook_context *hook_context, const of_details *details,
                     const of_value *hints)
{
    (void)hook_context;
    (void)details;
    (void)hints;
    ++*(int *)self;
    return OF_OK;
}

static void hooks_of_a_provider_run_and_are_fixed_when_it_is_registered(void **state)
{
    (void)state;
    int ran = 0;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_hook_methods methods = {.size = sizeof methods, .after = note};
    of_hook *hook = of_hook_new(&methods, &ran);
    of_client *client = of_api_client(api, NULL);
    assert_int_equal(of_provider_add_hook(probe->provider, hook), OF_OK);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    assert_int_equal(of_provider_add_hook(probe->provider, hook), OF_ERROR_SHARED);
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    assert_int_equal(ran, 1);
    of_hook_unref(hook);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_failing_init_makes_set_and_wait_fail(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    probe->init_result = OF_ERROR_GENERAL;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_ERROR_GENERAL);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_ERROR);
    of_api_shutdown(api);
    probe_free(probe);
}

static void the_status_follows_events_and_not_what_init_returns(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    probe->silent = true;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    of_provider_emit_ready(probe->provider);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_READY);
    of_provider_event event = OF_PROVIDER_EVENT(OF_EVENT_STALE);
    of_provider_emit(probe->provider, &event);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_STALE);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_GENERAL, "lost");
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_ERROR);
    event.type = OF_EVENT_CONFIGURATION_CHANGED;
    of_provider_emit(probe->provider, &event);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_ERROR);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_PROVIDER_FATAL, "gone");
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_FATAL);
    event.type = OF_EVENT_RECONCILING;
    of_provider_emit(probe->provider, &event);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_RECONCILING);
    event.type = OF_EVENT_CONTEXT_CHANGED;
    of_provider_emit(probe->provider, &event);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_READY);
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_provider_without_init_is_ready_from_registration(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_NO_INIT);
    static struct box box;
    box_init(&box);
    assert_int_not_equal(of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL), 0);
    assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_OK);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_READY);
    box_await(&box, 1);
    assert_string_equal(box.seen[0].provider, "probe");
    of_api_shutdown(api);
    probe_free(probe);
}

static void a_provider_can_be_started_again_after_shutdown(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN), *other = probe_new("other", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    for (int i = 0; i < 3; i++) {
        assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
        assert_true(of_client_get_bool(client, "bool-flag", false, NULL, NULL));
        assert_int_equal(of_api_set_provider_and_wait(api, NULL, other->provider, PATIENCE_MS), OF_OK);
    }
    await_count(&probe->shutdowns, 3);
    assert_int_equal(atomic_load(&probe->inits), 3);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
    probe_free(other);
}

static void events_of_a_provider_that_is_not_registered_do_nothing(void **state)
{
    (void)state;
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_provider_emit_ready(probe->provider);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    of_api_shutdown(api);
    of_provider_emit_ready(probe->provider);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    of_provider_emit(NULL, NULL);
    probe_free(probe);
}

struct snapshot {
    of_retired retired;
    atomic_int *freed;
};

static void free_snapshot(of_retired *retired)
{
    struct snapshot *snapshot = (struct snapshot *)(void *)retired;
    atomic_fetch_add(snapshot->freed, 1);
}

static void *evaluate(void *client)
{
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    return NULL;
}

static void retired_state_is_freed_when_no_resolver_can_see_it(void **state)
{
    (void)state;
    atomic_int freed = 0;
    struct snapshot first = {.freed = &freed}, second = {.freed = &freed};
    struct probe *probe = probe_new("probe", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    pthread_t thread;
    (void)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
    gate_close(&probe->resolve_gate);
    assert_int_equal(pthread_create(&thread, NULL, evaluate, client), 0);
    gate_await(&probe->resolve_gate);
    of_provider_retire(probe->provider, &first.retired, free_snapshot);
    assert_int_equal(atomic_load(&freed), 0);
    gate_open(&probe->resolve_gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    of_provider_retire(probe->provider, &second.retired, free_snapshot);
    assert_int_equal(atomic_load(&freed), 2);
    of_client_unref(client);
    of_api_shutdown(api);
    probe_free(probe);
}

static void listen_in(void *user, of_provider *provider, const of_provider_event *event)
{
    (void)provider;
    *(of_event_type *)user = event->type;
}

static void a_wrapped_provider_lives_as_a_registered_one_does(void **state)
{
    (void)state;
    struct probe *probe = probe_new("inner", PROBE_PLAIN);
    of_event_type heard = (of_event_type)0;
    of_flag_value value = {.boolean = false};
    of_resolution resolution = {0};
    of_details details;
    assert_int_equal(of_provider_adopt(probe->provider, listen_in, &heard), OF_OK);
    assert_int_equal(of_provider_adopt(probe->provider, listen_in, &heard), OF_ERROR_SHARED);
    assert_int_equal(of_api_set_provider(api, NULL, probe->provider), OF_ERROR_OTHER_API);
    assert_int_equal(of_provider_init(probe->provider, NULL, "d"), OF_OK);
    assert_int_equal(heard, OF_EVENT_READY);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_READY);
    assert_int_equal(
        of_provider_resolve(probe->provider, "bool-flag", OF_TYPE_BOOL, &value, NULL, &resolution), OF_OK);
    assert_true(resolution.value.boolean);
    of_resolution_clear(&resolution);
    of_provider_evaluate(probe->provider, "bool-flag", OF_TYPE_BOOL, &value, NULL, "d", &details);
    assert_string_equal(details.variant, "on");
    of_details_clear(&details);
    of_provider_track(probe->provider, "seen", NULL, NULL);
    assert_string_equal(probe->tracked, "seen");
    assert_int_equal(of_provider_context_changed(probe->provider, NULL, NULL), OF_OK);
    assert_int_equal(heard, OF_EVENT_CONTEXT_CHANGED);
    of_provider_shutdown(probe->provider);
    assert_int_equal(of_provider_get_status(probe->provider), OF_STATUS_NOT_READY);
    of_provider_release(probe->provider);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
    of_api_shutdown(api);
    probe_free(probe);
}

static void listen_for_size(void *user, of_provider *provider, const of_provider_event *event)
{
    (void)provider;
    *(size_t *)user = event->size;
}

static void an_event_of_a_later_header_is_told_with_the_size_that_is_known(void **state)
{
    (void)state;
    struct {
        of_provider_event event;
        void *more;
    } later = {{.size = sizeof later, .type = OF_EVENT_READY}, NULL};
    struct probe *probe = probe_new("inner", PROBE_PLAIN);
    size_t size = 0;
    assert_int_equal(of_provider_adopt(probe->provider, listen_for_size, &size), OF_OK);
    of_provider_emit(probe->provider, &later.event);
    assert_int_equal(size, sizeof(of_provider_event));
    later.event.size = offsetof(of_provider_event, metadata); /* and an earlier one has the rest as zero */
    of_provider_emit(probe->provider, &later.event);
    assert_int_equal(size, sizeof(of_provider_event));
    of_provider_release(probe->provider);
    probe_free(probe);
}

static void an_older_structure_of_methods_is_understood(void **state)
{
    (void)state;
    of_provider_methods methods = {.size = offsetof(of_provider_methods, track), .name = "old"};
    memset(&methods.track, 0xFF, sizeof methods.track); /* beyond its size: must not be looked at */
    of_provider *provider = of_provider_new(&methods, NULL);
    of_client *client = of_api_client(api, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    of_client_track(client, "seen", NULL, NULL);
    of_client_unref(client);
    of_api_shutdown(api);
    of_provider_unref(provider);
}

#define TEST(name) cmocka_unit_test_setup_teardown(name, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        TEST(a_provider_has_a_name_which_is_copied),
        TEST(a_provider_is_known_by_its_functions_and_not_by_its_name),
        TEST(resolvers_get_key_default_value_and_context),
        TEST(one_resolver_can_answer_all_types_that_have_none_of_their_own),
        TEST(an_error_of_normal_execution_is_not_shown),
        TEST(hooks_of_a_provider_run_and_are_fixed_when_it_is_registered),
        TEST(a_failing_init_makes_set_and_wait_fail),
        TEST(the_status_follows_events_and_not_what_init_returns),
        TEST(a_provider_without_init_is_ready_from_registration),
        TEST(a_provider_can_be_started_again_after_shutdown),
        TEST(events_of_a_provider_that_is_not_registered_do_nothing),
        TEST(retired_state_is_freed_when_no_resolver_can_see_it),
        TEST(a_wrapped_provider_lives_as_a_registered_one_does),
        TEST(an_event_of_a_later_header_is_told_with_the_size_that_is_known),
        TEST(an_older_structure_of_methods_is_understood),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

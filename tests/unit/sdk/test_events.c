/* SPDX-License-Identifier: Apache-2.0 */
/* Events and their handlers (specification section 5, without the static paradigm). */
#include "fixture.h"

#include <stdio.h>

static void emit(struct probe *from, of_event_type type, const char *const *flags, size_t count)
{
    of_provider_event event = OF_PROVIDER_EVENT(type);
    event.flags_changed = flags;
    event.flags_changed_count = count;
    of_provider_emit(from->provider, &event);
}

static void handlers_of_client_and_api_run_for_each_kind_of_event(void **state)
{
    (void)state;
    static const of_event_type types[] = {
        OF_EVENT_READY, OF_EVENT_ERROR,       OF_EVENT_CONFIGURATION_CHANGED,
        OF_EVENT_STALE, OF_EVENT_RECONCILING, OF_EVENT_CONTEXT_CHANGED};
    probe->silent = true;
    sdk_start();
    for (int i = 0; i < 6; i++) {
        assert_int_not_equal(of_api_on(api, types[i], box_handler, &box, NULL), 0);
        assert_int_not_equal(of_client_on(client, types[i], box_handler, &box, NULL), 0);
    }
    for (int i = 0; i < 6; i++)
        emit(probe, types[i], NULL, 0);
    box_await(&box, 12);
    for (int i = 0; i < 12; i++) {
        assert_int_equal(box.seen[i].type, types[i / 2]);
        assert_string_equal(box.seen[i].provider, "probe");
    }
}

static void handlers_of_clients_of_another_provider_do_not_run(void **state)
{
    (void)state;
    static struct box others;
    struct probe *other = probe_new("other", PROBE_PLAIN);
    of_client *billing = of_api_client(api, "billing");
    box_init(&others);
    sdk_start();
    (void)of_api_set_provider_and_wait(api, "billing", other->provider, PATIENCE_MS);
    (void)of_client_on(client, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    (void)of_client_on(billing, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &others, NULL);
    emit(other, OF_EVENT_CONFIGURATION_CHANGED, NULL, 0);
    box_await(&others, 1);
    assert_string_equal(others.seen[0].domain, "billing");
    emit(probe, OF_EVENT_CONFIGURATION_CHANGED, NULL, 0);
    box_await(&box, 1);
    assert_int_equal(box_count(&others), 1);
    assert_int_equal(box_count(&box), 1);
    of_client_unref(billing);
    of_api_shutdown(api);
    probe_free(other);
}

static void the_details_of_an_event_reach_the_handler(void **state)
{
    (void)state;
    static const char *const flags[] = {"a", "b", "c"};
    sdk_start();
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    (void)of_api_on(api, OF_EVENT_ERROR, box_handler, &box, NULL);
    emit(probe, OF_EVENT_CONFIGURATION_CHANGED, flags, 3);
    emit(probe, OF_EVENT_CONFIGURATION_CHANGED, NULL, 0);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_PROVIDER_FATAL, "no credentials");
    box_await(&box, 3);
    assert_string_equal(box.seen[0].flags, "a,b,c");
    assert_string_equal(box.seen[1].flags, "*");
    assert_string_equal(box.seen[2].message, "no credentials");
    assert_int_equal(box.seen[2].error, OF_ERROR_PROVIDER_FATAL);
    assert_int_equal(box.seen[2].status, OF_STATUS_FATAL);
}

static void a_failed_init_runs_error_handlers_with_code_and_message(void **state)
{
    (void)state;
    probe->init_result = OF_ERROR_PROVIDER_FATAL;
    (void)of_client_on(client, OF_EVENT_ERROR, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS),
                     OF_ERROR_PROVIDER_FATAL);
    box_await(&box, 1);
    assert_int_equal(box.seen[0].error, OF_ERROR_PROVIDER_FATAL);
    assert_string_equal(box.seen[0].message, "init failed");
}

static void handlers_survive_a_change_of_provider(void **state)
{
    (void)state;
    struct probe *other = probe_new("other", PROBE_PLAIN);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    sdk_start();
    box_await(&box, 2);
    (void)of_api_set_provider_and_wait(api, NULL, other->provider, PATIENCE_MS);
    box_await(&box, 4);
    assert_string_equal(box.seen[2].provider, "other");
    assert_string_equal(box.seen[3].provider, "other");
    of_api_shutdown(api);
    probe_free(other);
}

static void a_removed_handler_runs_no_more_and_its_user_data_is_destroyed(void **state)
{
    (void)state;
    sdk_start();
    uint64_t first = of_client_on(client, OF_EVENT_STALE, box_handler, &box, box_destroyed);
    uint64_t second = of_api_on(api, OF_EVENT_STALE, box_handler, &box, box_destroyed);
    static struct box last;
    box_init(&last);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &last, NULL);
    of_client_off(client, first);
    of_api_off(api, second);
    of_api_off(api, second);
    assert_int_equal(atomic_load(&box.destroyed), 2);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&last, 1);
    assert_int_equal(box_count(&box), 0);
}

static void a_handler_added_in_the_state_it_asks_for_runs_at_once(void **state)
{
    (void)state;
    sdk_start();
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    box_await(&box, 1);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    box_await(&box, 2);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_GENERAL, "lost");
    (void)of_client_on(client, OF_EVENT_ERROR, box_handler, &box, NULL);
    box_await(&box, 3);
    assert_string_equal(box.seen[2].message, "lost");
    emit(probe, OF_EVENT_STALE, NULL, 0);
    (void)of_client_on(client, OF_EVENT_STALE, box_handler, &box, NULL);
    box_await(&box, 4);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&box, 5);
    assert_int_equal(box.seen[4].type, OF_EVENT_STALE);
}

static void a_handler_of_the_api_hears_of_each_provider_once(void **state)
{
    (void)state;
    sdk_start();
    assert_int_equal(of_api_set_provider_and_wait(api, "a", probe->provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_api_set_provider_and_wait(api, "b", probe->provider, PATIENCE_MS), OF_OK);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &box, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&box, 2);
    assert_int_equal(box.seen[0].type, OF_EVENT_READY);
    assert_int_equal(box.seen[1].type, OF_EVENT_STALE);
}

static void a_handler_that_is_added_while_its_event_waits_runs_once(void **state)
{
    (void)state;
    static struct box late;
    box_init(&late);
    sdk_start();
    gate_close(&box.gate);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &box, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    gate_await(&box.gate);
    emit(probe, OF_EVENT_STALE, NULL, 0); /* waits behind the first one */
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &late, NULL);
    gate_open(&box.gate);
    emit(probe, OF_EVENT_READY, NULL, 0);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &late, NULL);
    box_await(&late, 2);
    assert_int_equal(late.seen[0].type, OF_EVENT_STALE);
    assert_int_equal(late.seen[1].type, OF_EVENT_READY);
}

static void the_no_op_provider_is_in_no_state_that_a_handler_could_ask_for(void **state)
{
    (void)state;
    assert_int_equal(of_client_status(client), OF_STATUS_NOT_READY);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    sdk_start();
    box_await(&box, 1);
    assert_string_equal(box.seen[0].provider, "probe");
}

static void look_at_status(void *user, const of_event *event)
{
    *(bool *)user = of_client_status(client) == event->status;
    box_handler(&box, event);
}

static void the_status_changes_before_any_handler_runs(void **state)
{
    (void)state;
    bool same = false;
    (void)of_client_on(client, OF_EVENT_READY, look_at_status, &same, NULL);
    sdk_start();
    box_await(&box, 1);
    assert_true(same);
}

static void the_status_does_not_wait_for_handlers(void **state)
{
    (void)state;
    gate_close(&box.gate);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    sdk_start();
    gate_await(&box.gate);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    assert_int_equal(of_client_status(client), OF_STATUS_STALE);
    gate_open(&box.gate);
}

static void handlers_run_in_the_order_of_events_and_of_their_adding(void **state)
{
    (void)state;
    enum { EVENTS = 50 };
    char name[EVENTS][8];
    sdk_start();
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    (void)of_client_on(client, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    for (int i = 0; i < EVENTS; i++) {
        (void)snprintf(name[i], sizeof name[i], "f%d", i);
        const char *flag = name[i];
        emit(probe, OF_EVENT_CONFIGURATION_CHANGED, &flag, 1);
    }
    box_await(&box, 2 * EVENTS);
    for (int i = 0; i < 2 * EVENTS; i++)
        assert_string_equal(box.seen[i].flags, name[i / 2]);
}

static uint64_t own_id;

static void remove_itself(void *user, const of_event *event)
{
    of_api_off(api, own_id);
    of_api_off(api, own_id);
    assert_int_equal(atomic_load(&((struct box *)user)->destroyed), 0);
    box_handler(user, event);
}

static void a_handler_may_remove_itself(void **state)
{
    (void)state;
    static struct box other;
    box_init(&other);
    sdk_start();
    own_id = of_api_on(api, OF_EVENT_STALE, remove_itself, &box, box_destroyed);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &other, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&other, 2);
    assert_int_equal(box_count(&box), 1);
    assert_int_equal(atomic_load(&box.destroyed), 1);
}

static void use_everything(void *user, const of_event *event)
{
    (void)of_client_get_bool(client, "bool-flag", false, NULL, NULL);
    uint64_t id = of_api_on(api, OF_EVENT_ERROR, box_handler, user, NULL);
    of_api_off(api, id);
    (void)of_api_set_context(api, NULL);
    box_handler(user, event);
}

static void a_handler_may_use_the_whole_api(void **state)
{
    (void)state;
    sdk_start();
    (void)of_api_on(api, OF_EVENT_STALE, use_everything, &box, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&box, 1);
}

static void shut_down(void *user, const of_event *event)
{
    of_api_shutdown(api);
    box_handler(user, event);
}

static void a_handler_may_shut_the_api_down(void **state)
{
    (void)state;
    sdk_start();
    (void)of_api_on(api, OF_EVENT_STALE, shut_down, &box, box_destroyed);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    box_await(&box, 1);
    await_count(&box.destroyed, 1);
    static struct box again;
    box_init(&again);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &again, NULL);
    sdk_start();
    box_await(&again, 1);
}

static void *remove_handler(void *id)
{
    of_api_off(api, *(uint64_t *)id);
    return NULL;
}

static void removing_waits_until_the_handler_is_not_running(void **state)
{
    (void)state;
    pthread_t thread;
    sdk_start();
    gate_close(&box.gate);
    uint64_t id = of_api_on(api, OF_EVENT_STALE, box_handler, &box, box_destroyed);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    gate_await(&box.gate);
    assert_int_equal(pthread_create(&thread, NULL, remove_handler, &id), 0);
    assert_int_equal(atomic_load(&box.destroyed), 0);
    gate_open(&box.gate);
    assert_int_equal(pthread_join(thread, NULL), 0);
    assert_int_equal(atomic_load(&box.destroyed), 1);
}

static void a_client_takes_its_handlers_along(void **state)
{
    (void)state;
    of_client *other = of_api_client(api, "other");
    assert_int_not_equal(of_client_on(other, OF_EVENT_STALE, box_handler, &box, box_destroyed), 0);
    of_client_unref(other);
    assert_int_equal(atomic_load(&box.destroyed), 1);
}

static void binding_an_active_provider_tells_the_clients_of_the_domain(void **state)
{
    (void)state;
    of_client *billing = of_api_client(api, "billing");
    static struct box others;
    box_init(&others);
    assert_int_equal(of_api_set_provider_and_wait(api, "search", probe->provider, PATIENCE_MS), OF_OK);
    (void)of_client_on(billing, OF_EVENT_READY, box_handler, &box, NULL);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &others, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", probe->provider, PATIENCE_MS), OF_OK);
    box_await(&box, 1);
    assert_string_equal(box.seen[0].domain, "billing");
    assert_int_equal(box_count(&others), 0);
    of_client_unref(billing);
}

static void slow_handlers_bound_the_queue_and_hear_of_the_newest_state(void **state)
{
    (void)state;
    enum { MANY = 5000 };
    sdk_start();
    gate_close(&box.gate);
    (void)of_api_on(api, OF_EVENT_STALE, box_handler, &box, NULL);
    (void)of_api_on(api, OF_EVENT_ERROR, box_handler, &box, NULL);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    gate_await(&box.gate);
    for (int i = 0; i < MANY; i++)
        emit(probe, OF_EVENT_STALE, NULL, 0);
    (void)of_provider_emit_error(probe->provider, OF_ERROR_GENERAL, "the newest");
    gate_open(&box.gate);
    /* One that was running, those that fitted, and one that tells the state. */
    box_await(&box, 1 + 1024 + 1);
    await_status(client, OF_STATUS_ERROR);
    assert_true(box_count(&box) < MANY);
}

static void wrong_arguments_add_no_handler(void **state)
{
    (void)state;
    assert_int_equal(of_api_on(api, (of_event_type)0, box_handler, &box, NULL), 0);
    assert_int_equal(of_api_on(api, (of_event_type)7, box_handler, &box, NULL), 0);
    assert_int_equal(of_api_on(api, OF_EVENT_READY, NULL, &box, NULL), 0);
    assert_int_equal(of_api_on(NULL, OF_EVENT_READY, box_handler, &box, NULL), 0);
}

static void a_domain_that_is_bound_later_hears_of_the_state_once(void **state)
{
    (void)state;
    static struct box others;
    of_client *billing = of_api_client(api, "billing");
    box_init(&others);
    sdk_start();
    gate_init(&box.gate, true);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    gate_await(&box.gate);
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", NULL, PATIENCE_MS), OF_OK);
    struct probe *other = probe_new("other", PROBE_PLAIN);
    other->silent = true;
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", other->provider, PATIENCE_MS), OF_OK);
    (void)of_client_on(billing, OF_EVENT_READY, box_handler, &others, NULL);
    (void)of_client_on(billing, OF_EVENT_STALE, box_handler, &others, NULL);
    of_provider_emit_ready(probe->provider); /* waits, and the domain is bound meanwhile */
    assert_int_equal(of_api_set_provider_and_wait(api, "billing", probe->provider, PATIENCE_MS), OF_OK);
    emit(probe, OF_EVENT_STALE, NULL, 0);
    gate_open(&box.gate);
    box_await(&others, 2);
    assert_int_equal(others.seen[0].type, OF_EVENT_READY);
    assert_int_equal(others.seen[1].type, OF_EVENT_STALE);
    of_client_unref(billing);
    of_api_shutdown(api);
    probe_free(other);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        SDK_EVENTS_TEST(handlers_of_client_and_api_run_for_each_kind_of_event),
        SDK_EVENTS_TEST(handlers_of_clients_of_another_provider_do_not_run),
        SDK_EVENTS_TEST(the_details_of_an_event_reach_the_handler),
        SDK_EVENTS_TEST(a_failed_init_runs_error_handlers_with_code_and_message),
        SDK_EVENTS_TEST(handlers_survive_a_change_of_provider),
        SDK_EVENTS_TEST(a_removed_handler_runs_no_more_and_its_user_data_is_destroyed),
        SDK_EVENTS_TEST(a_handler_added_in_the_state_it_asks_for_runs_at_once),
        SDK_EVENTS_TEST(a_handler_of_the_api_hears_of_each_provider_once),
        SDK_EVENTS_TEST(a_handler_that_is_added_while_its_event_waits_runs_once),
        SDK_EVENTS_TEST(the_no_op_provider_is_in_no_state_that_a_handler_could_ask_for),
        SDK_EVENTS_TEST(the_status_changes_before_any_handler_runs),
        SDK_EVENTS_TEST(the_status_does_not_wait_for_handlers),
        SDK_EVENTS_TEST(handlers_run_in_the_order_of_events_and_of_their_adding),
        SDK_EVENTS_TEST(a_handler_may_remove_itself),
        SDK_EVENTS_TEST(a_handler_may_use_the_whole_api),
        SDK_EVENTS_TEST(a_handler_may_shut_the_api_down),
        SDK_EVENTS_TEST(removing_waits_until_the_handler_is_not_running),
        SDK_EVENTS_TEST(a_client_takes_its_handlers_along),
        SDK_EVENTS_TEST(binding_an_active_provider_tells_the_clients_of_the_domain),
        SDK_EVENTS_TEST(slow_handlers_bound_the_queue_and_hear_of_the_newest_state),
        SDK_EVENTS_TEST(wrong_arguments_add_no_handler),
        SDK_EVENTS_TEST(a_domain_that_is_bound_later_hears_of_the_state_once),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of providers: see contract.h. */
#include "contract.h"

#include <time.h>

#include <openfeature/static.h>

static void it_becomes_ready_and_answers_every_type(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    struct box box;
    box_init(&box);
    assert_non_null(provider);
    assert_true(strlen(of_provider_name(provider)) > 0);
    (void)of_client_on(client, OF_EVENT_READY, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_client_status(client), OF_STATUS_READY);
    box_await(&box, 1);
    assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    assert_int_equal(of_client_get_int(client, "contract-int", 1, NULL, NULL), 10);
    assert_true(of_client_get_double(client, "contract-double", 1, NULL, NULL) == 0.5);
    of_string string = of_client_get_string(client, "contract-string", "", NULL, NULL);
    assert_string_equal(string.data, "hi");
    of_string_release(&string);
    of_value *object = of_client_get_object(client, "contract-object", NULL, NULL, NULL);
    assert_int_equal(of_value_as_int(of_value_get(object, "a"), 0), 1);
    of_value_unref(object);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

static void expect(of_client *client, const char *key, of_error error)
{
    of_details details;
    assert_int_equal(of_client_bool_details(client, key, false, NULL, NULL, &details), error);
    if (error != OF_OK) {
        assert_false(details.value.boolean);
        assert_string_equal(details.reason, OF_REASON_ERROR);
    } else {
        assert_null(details.error_message);
        assert_non_null(details.reason);
    }
    assert_int_equal(of_value_type(details.metadata), OF_TYPE_OBJECT);
    of_details_clear(&details);
}

static void errors_come_with_their_code(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    of_details details;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    expect(client, "contract-bool", OF_OK);
    expect(client, "contract-missing", OF_ERROR_FLAG_NOT_FOUND);
    expect(client, "contract-object", OF_ERROR_TYPE_MISMATCH);
    assert_int_equal(of_client_int_details(client, "contract-string", 7, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    assert_int_equal(details.value.integer, 7);
    of_details_clear(&details);
    assert_int_equal(of_client_object_details(client, "contract-bool", NULL, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

static void it_can_be_shut_down_twice_and_started_again(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    for (int i = 0; i < 2; i++) {
        assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
        assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
        of_api_shutdown(api);
        assert_int_equal(of_provider_get_status(provider), OF_STATUS_NOT_READY);
        assert_false(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    }
    of_provider_shutdown(provider);
    of_provider_shutdown(provider);
    of_provider_emit_ready(provider); /* after shutdown: to no effect */
    assert_int_equal(of_provider_get_status(provider), OF_STATUS_NOT_READY);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

static void details_outlive_the_provider_being_replaced(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    of_details details;
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_client_string_details(client, "contract-string", "", NULL, NULL, &details), OF_OK);
    of_api_shutdown(api);
    assert_string_equal(details.value.string.data, "hi");
    of_details_clear(&details);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

/* --- types -------------------------------------------------------------------------------------------- */

static bool is_number(of_type type)
{
    return type == OF_TYPE_INT || type == OF_TYPE_DOUBLE;
}

static of_error ask(of_client *client, const char *key, of_type type, of_details *details)
{
    switch ((int)type) {
    case OF_TYPE_BOOL:
        return of_client_bool_details(client, key, false, NULL, NULL, details);
    case OF_TYPE_INT:
        return of_client_int_details(client, key, 7, NULL, NULL, details);
    case OF_TYPE_DOUBLE:
        return of_client_double_details(client, key, 7, NULL, NULL, details);
    case OF_TYPE_STRING:
        return of_client_string_details(client, key, "default", NULL, NULL, details);
    default:
        return of_client_object_details(client, key, NULL, NULL, NULL, details);
    }
}

static bool is_default(const of_details *details)
{
    switch ((int)details->type) {
    case OF_TYPE_BOOL:
        return !details->value.boolean;
    case OF_TYPE_INT:
        return details->value.integer == 7;
    case OF_TYPE_DOUBLE:
        return details->value.number == 7;
    case OF_TYPE_STRING:
        return strcmp(details->value.string.data, "default") == 0;
    default:
        return details->value.object == NULL;
    }
}

/* A number may be had as one of the other kind where nothing is lost, and where flags are text (the
 * environment) each is a string too. All else is a mismatch, and the default value. */
static void a_flag_of_another_type_is_a_mismatch(contract_make make)
{
    static const struct {
        const char *key;
        of_type type;
    } flags[] = {{"contract-bool", OF_TYPE_BOOL},
                 {"contract-int", OF_TYPE_INT},
                 {"contract-double", OF_TYPE_DOUBLE},
                 {"contract-string", OF_TYPE_STRING},
                 {"contract-object", OF_TYPE_OBJECT}};
    enum { COUNT = sizeof flags / sizeof flags[0] };
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    for (size_t i = 0; i < COUNT * COUNT; i++) {
        of_type own = flags[i / COUNT].type, asked = flags[i % COUNT].type;
        of_details details;
        of_error error = ask(client, flags[i / COUNT].key, asked, &details);
        if (own == asked)
            assert_int_equal(error, OF_OK);
        else if (asked != OF_TYPE_STRING && !(is_number(own) && is_number(asked)))
            assert_int_equal(error, OF_ERROR_TYPE_MISMATCH);
        if (error != OF_OK) {
            assert_int_equal(error, OF_ERROR_TYPE_MISMATCH);
            assert_true(is_default(&details));
        }
        of_details_clear(&details);
    }
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

/* --- events ------------------------------------------------------------------------------------------- */

/* With nobody's help: a provider that was not started, or not any more, says so or knows its flags still. */
static void resolve_alone(of_provider *provider)
{
    const of_flag_value otherwise = {.boolean = false};
    of_context *context = of_context_new(NULL);
    of_resolution resolution = {.brief = false};
    of_error error =
        of_provider_resolve(provider, "contract-bool", OF_TYPE_BOOL, &otherwise, context, &resolution);
    if (error == OF_OK)
        assert_true(resolution.value.boolean);
    else
        assert_true(error == OF_ERROR_PROVIDER_NOT_READY || error == OF_ERROR_PROVIDER_FATAL);
    of_resolution_clear(&resolution);
    of_context_unref(context);
}

static void await_stopped(const of_provider *provider)
{
    const struct timespec pause = {0, 1000 * 1000};
    for (int i = 0; of_provider_get_status(provider) != OF_STATUS_NOT_READY; i++) {
        assert_true(i < PATIENCE_MS);
        (void)nanosleep(&pause, NULL);
    }
}

static void it_is_ready_by_an_event_inside_init_and_silent_once_it_is_replaced(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    struct probe *next = probe_new("next", PROBE_PLAIN);
    static struct box box;
    box_init(&box);
    resolve_alone(provider);
    for (int type = OF_EVENT_READY; type <= OF_EVENT_STALE; type++)
        (void)of_api_on(api, (of_event_type)type, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_int_equal(of_provider_get_status(provider),
                     OF_STATUS_READY); /* so the event came before init's end */
    box_await(&box, 1);
    assert_int_equal(box.seen[0].type, OF_EVENT_READY);
    assert_string_equal(box.seen[0].provider, of_provider_name(provider));
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, next->provider, PATIENCE_MS), OF_OK);
    await_stopped(provider);
    size_t before = box_count(&box);
    of_provider_emit_ready(provider);
    (void)of_provider_emit_error(provider, OF_ERROR_GENERAL, "too late");
    assert_int_equal(of_provider_get_status(provider), OF_STATUS_NOT_READY);
    resolve_alone(provider);
    of_provider_event last = OF_PROVIDER_EVENT(OF_EVENT_CONFIGURATION_CHANGED);
    of_provider_emit(next->provider, &last);
    box_await(&box, before + 1);
    for (size_t i = before; i < box_count(&box); i++)
        assert_string_equal(box.seen[i].provider, "next");
    of_api_unref(api);
    of_provider_unref(provider);
    probe_free(next);
}

/* --- what hangs, and what comes in between -------------------------------------------------------------- */

static void neither_a_sibling_nor_a_handler_that_hangs_holds_it_up(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    struct probe *hanging = probe_new("hanging", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    static struct box box;
    box_init(&box);
    gate_close(&box.gate);
    gate_close(&hanging->init_gate);
    (void)of_api_on(api, OF_EVENT_READY, box_handler, &box, NULL);
    assert_int_equal(of_api_set_provider(api, "elsewhere", hanging->provider), OF_OK);
    gate_await(&hanging->init_gate);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    gate_await(&box.gate); /* the handler stands there, and evaluations go on */
    assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    gate_open(&box.gate);
    gate_open(&hanging->init_gate);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
    probe_free(hanging);
}

static void it_can_be_shut_down_while_it_starts(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    of_client *client = of_api_client(api, NULL);
    for (int i = 0; i < 5; i++) {
        assert_int_equal(of_api_set_provider(api, NULL, provider), OF_OK);
        of_api_shutdown(api);
        assert_int_equal(of_provider_get_status(provider), OF_STATUS_NOT_READY);
    }
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "contract-bool", false, NULL, NULL));
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

/* An evaluation that a hook holds up between the choice of the provider and its resolver. */
static struct gate inside;

static of_error hold_up(void *self, of_hook_context *hook_context, const of_value *hints,
                        of_context **context)
{
    (void)self, (void)hook_context, (void)hints, (void)context;
    gate_pass(&inside);
    return OF_OK;
}

static void *evaluate_held_up(void *client)
{
    const of_hook_methods methods = {.size = sizeof methods, .before = hold_up};
    of_hook *hook = of_hook_new(&methods, NULL);
    of_options options = OF_OPTIONS_INIT;
    options.hooks = &hook;
    options.hook_count = 1;
    bool value = of_client_get_bool(client, "contract-bool", false, NULL, &options);
    of_hook_unref(hook);
    return value ? client : NULL;
}

static void an_evaluation_that_is_inside_when_it_is_replaced_ends_with_its_value(contract_make make)
{
    of_api *api = of_api_new();
    of_provider *provider = make();
    struct probe *next = probe_new("next", PROBE_PLAIN);
    of_client *client = of_api_client(api, NULL);
    pthread_t thread;
    void *result = NULL;
    gate_init(&inside, true);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_int_equal(pthread_create(&thread, NULL, evaluate_held_up, client), 0);
    gate_await(&inside);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, next->provider, PATIENCE_MS), OF_OK);
    gate_open(&inside);
    assert_int_equal(pthread_join(thread, &result), 0);
    assert_ptr_equal(result, client);
    await_stopped(provider); /* now that nobody is inside */
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
    probe_free(next);
}

/* --- who is told may act ------------------------------------------------------------------------------- */

/* As a provider around this one: events come with none of its locks held, so all of its functions are free.
 */
static void evaluate_in_listener(void *user, of_provider *provider, const of_provider_event *event)
{
    (void)event;
    resolve_alone(provider);
    atomic_fetch_add((atomic_int *)user, 1);
}

static void a_listener_may_call_it(contract_make make)
{
    of_provider *provider = make();
    of_context *context = of_context_new("contract");
    atomic_int calls = 0;
    assert_int_equal(of_provider_adopt(provider, evaluate_in_listener, &calls), OF_OK);
    assert_int_equal(of_provider_init(provider, context, NULL), OF_OK);
    assert_true(atomic_load(&calls) > 0);
    of_provider_shutdown(provider);
    of_provider_release(provider);
    of_provider_unref(provider);
    of_context_unref(context);
}

struct actor {
    of_static_api *api;
    of_static_client *client;
    struct box box;
};

static void act(void *user, const of_event *event)
{
    struct actor *actor = user;
    of_context *context = of_context_new("contract 2");
    (void)of_static_client_get_bool(actor->client, "contract-bool", false, NULL);
    if (event->type == OF_EVENT_READY)
        assert_int_equal(of_static_api_set_context(actor->api, NULL, context), OF_OK);
    of_context_unref(context);
    box_handler(&actor->box, event);
}

static void a_handler_may_evaluate_and_change_the_context_and_order_stays(contract_make make)
{
    static struct actor actor;
    of_provider *provider = make();
    actor = (struct actor){.api = of_static_api_new()};
    actor.client = of_static_api_client(actor.api, NULL);
    box_init(&actor.box);
    (void)of_static_api_on(actor.api, OF_EVENT_READY, act, &actor, NULL);
    (void)of_static_api_on(actor.api, OF_EVENT_CONTEXT_CHANGED, act, &actor, NULL);
    assert_int_equal(of_static_api_set_provider_and_wait(actor.api, NULL, provider, PATIENCE_MS), OF_OK);
    box_await(&actor.box, 2);
    assert_int_equal(actor.box.seen[0].type, OF_EVENT_READY);
    assert_int_equal(actor.box.seen[1].type, OF_EVENT_CONTEXT_CHANGED);
    assert_int_equal(actor.box.seen[1].status, OF_STATUS_READY);
    of_static_client_unref(actor.client);
    of_static_api_unref(actor.api);
    of_provider_unref(provider);
}

/* --- threads ------------------------------------------------------------------------------------------ */

enum { READERS = 4 };
static atomic_bool stop;

static void *read_all(void *client)
{
    while (!atomic_load(&stop)) {
        int64_t integer = of_client_get_int(client, "contract-int", 1, NULL, NULL);
        assert_true(integer == 10 || integer == 1);
        of_string string = of_client_get_string(client, "contract-string", "default", NULL, NULL);
        assert_true(strcmp(string.data, "hi") == 0 || strcmp(string.data, "default") == 0);
        of_string_release(&string);
    }
    return NULL;
}

static void it_can_be_used_by_many_threads_while_it_is_replaced(contract_make make)
{
    pthread_t threads[READERS];
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    atomic_store(&stop, false);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_create(&threads[i], NULL, read_all, client), 0);
    for (int i = 0; i < 10; i++) {
        of_provider *provider = make();
        assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
        of_provider_unref(provider);
    }
    of_api_shutdown(api);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++)
        assert_int_equal(pthread_join(threads[i], NULL), 0);
    of_client_unref(client);
    of_api_unref(api);
}

void contract_check(contract_make make)
{
    it_becomes_ready_and_answers_every_type(make);
    errors_come_with_their_code(make);
    it_can_be_shut_down_twice_and_started_again(make);
    details_outlive_the_provider_being_replaced(make);
    a_flag_of_another_type_is_a_mismatch(make);
    it_is_ready_by_an_event_inside_init_and_silent_once_it_is_replaced(make);
    neither_a_sibling_nor_a_handler_that_hangs_holds_it_up(make);
    it_can_be_shut_down_while_it_starts(make);
    an_evaluation_that_is_inside_when_it_is_replaced_ends_with_its_value(make);
    a_listener_may_call_it(make);
    a_handler_may_evaluate_and_change_the_context_and_order_stays(make);
    it_can_be_used_by_many_threads_while_it_is_replaced(make);
}

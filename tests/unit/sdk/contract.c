/* SPDX-License-Identifier: Apache-2.0 */
/* The contract of providers: see contract.h. */
#include "contract.h"

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
    it_can_be_used_by_many_threads_while_it_is_replaced(make);
}

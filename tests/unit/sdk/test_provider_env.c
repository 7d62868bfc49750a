/* SPDX-License-Identifier: Apache-2.0 */
/* The environment provider. */
#include "contract.h"

#include <stdlib.h>

#include <openfeature/providers/env.h>

static void set(const char *name, const char *text)
{
    assert_int_equal(setenv(name, text, 1), 0);
}

static of_provider *make(void)
{
    return of_env_provider_new("CONTRACT_");
}

static void it_keeps_the_contract_of_providers(void **state)
{
    (void)state;
    set("CONTRACT_CONTRACT_BOOL", "true");
    set("CONTRACT_CONTRACT_STRING", "hi");
    set("CONTRACT_CONTRACT_INT", "10");
    set("CONTRACT_CONTRACT_DOUBLE", "0.5");
    set("CONTRACT_CONTRACT_OBJECT", "{\"a\":1}");
    contract_check(make);
}

static void keys_become_names_of_variables_and_texts_become_values(void **state)
{
    (void)state;
    static const struct {
        const char *text;
        bool value;
    } booleans[] = {{"true", true},   {"ON", true},   {"Yes", true}, {"1", true},
                    {"false", false}, {"off", false}, {"0", false}};
    of_api *api = of_api_new();
    of_client *client = of_api_client(api, NULL);
    set("FLAG_NEW_CHECKOUT_V2", "yes");
    of_provider *provider = of_env_provider_new(NULL);
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS), OF_OK);
    assert_true(of_client_get_bool(client, "new-checkout.v2", false, NULL, NULL));
    for (size_t i = 0; i < sizeof booleans / sizeof booleans[0]; i++) {
        set("FLAG_B", booleans[i].text);
        assert_int_equal(of_env_provider_reload(provider), OF_OK);
        assert_true(of_client_get_bool(client, "b", !booleans[i].value, NULL, NULL) == booleans[i].value);
    }
    set("FLAG_LIST", "[1,2]");
    set("FLAG_BROKEN", "{\"a\":");
    set("FLAG_HUGE", "99999999999999999999");
    set("FLAG_NAN", "nan");
    set("FLAG_EMPTY", "");
    assert_int_equal(of_env_provider_reload(provider), OF_OK);
    of_value *list = of_client_get_object(client, "list", NULL, NULL, NULL);
    assert_int_equal(of_value_length(list), 2);
    of_value_unref(list);
    of_details details;
    assert_int_equal(of_client_object_details(client, "broken", NULL, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    assert_int_equal(of_client_int_details(client, "huge", 1, NULL, NULL, &details), OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    assert_int_equal(of_client_double_details(client, "nan", 1, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    assert_int_equal(of_client_bool_details(client, "empty", true, NULL, NULL, &details),
                     OF_ERROR_TYPE_MISMATCH);
    of_details_clear(&details);
    of_string string = of_client_get_string(client, "empty", "default", NULL, NULL);
    assert_string_equal(string.data, "");
    of_string_release(&string);
    of_client_unref(client);
    of_api_unref(api);
    of_provider_unref(provider);
}

static void reloading_emits_an_event_only_when_something_changed(void **state)
{
    (void)state;
    static struct box box;
    box_init(&box);
    of_api *api = of_api_new();
    set("RELOAD_A", "1");
    of_provider *provider = of_env_provider_new("RELOAD_");
    (void)of_api_set_provider_and_wait(api, NULL, provider, PATIENCE_MS);
    (void)of_api_on(api, OF_EVENT_CONFIGURATION_CHANGED, box_handler, &box, NULL);
    assert_int_equal(of_env_provider_reload(provider), OF_OK);
    set("RELOAD_A", "2");
    assert_int_equal(of_env_provider_reload(provider), OF_OK);
    box_await(&box, 1);
    assert_string_equal(box.seen[0].flags, "*");
    assert_int_equal(box_count(&box), 1);
    assert_int_equal(of_env_provider_reload(NULL), OF_ERROR_INVALID_ARGUMENT);
    of_api_unref(api);
    of_provider_unref(provider);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(it_keeps_the_contract_of_providers),
        cmocka_unit_test(keys_become_names_of_variables_and_texts_become_values),
        cmocka_unit_test(reloading_emits_an_event_only_when_something_changed),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}

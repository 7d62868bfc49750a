/* SPDX-License-Identifier: Apache-2.0 */
/* The fixtures: see fixture.h. */
#include "fixture.h"

of_api *api;
struct probe *probe;
of_client *client;
struct box box;

int sdk_setup(void **state)
{
    (void)state;
    api = of_api_new();
    probe = probe_new("probe", PROBE_PLAIN);
    client = of_api_client(api, "tests");
    return (int)of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS);
}

int sdk_events_setup(void **state)
{
    (void)state;
    api = of_api_new();
    probe = probe_new("probe", PROBE_PLAIN);
    client = of_api_client(api, NULL);
    box_init(&box);
    return 0;
}

void sdk_start(void)
{
    assert_int_equal(of_api_set_provider_and_wait(api, NULL, probe->provider, PATIENCE_MS), OF_OK);
}

int sdk_teardown(void **state)
{
    (void)state;
    of_client_unref(client);
    of_api_unref(api);
    probe_free(probe);
    return 0;
}

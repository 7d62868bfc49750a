/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags of any OFREP server, such as OFREP_ENDPOINT=http://127.0.0.1:8080. Here nobody listens at its
 * address.
 *
 * cc ofrep.c $(pkg-config --cflags --libs openfeature-ofrep)
 *
 * Output:
 * door: shut (ERROR, GENERAL)
 */
#include <stdio.h>
#include <stdlib.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/ofrep.h>

int main(void)
{
    char problem[200];
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    if (getenv("OFREP_ENDPOINT") == NULL)
        options.url = "http://127.0.0.1:1";
    of_provider *provider = of_ofrep_provider_new(&options, problem, sizeof problem);
    if (provider == NULL) {
        fprintf(stderr, "no provider: %s\n", problem);
        return 1;
    }
    of_api *api = of_api_global();
    of_client *client = of_api_client(api, NULL);
    of_context *ada = of_context_new("ada");
    if (of_api_set_provider_and_wait(api, NULL, provider, 1000) != OF_OK)
        fprintf(stderr, "the provider does not start; going on with the defaults\n");
    of_provider_unref(provider);

    of_details details;
    of_client_bool_details(client, "door", false, ada, NULL, &details);
    printf("door: %s (%s, %s)\n", details.value.boolean ? "open" : "shut", details.reason,
           of_error_name(details.error));
    of_details_clear(&details);

    of_context_unref(ada);
    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A first flag. The in-memory provider stands in for a real one.
 *
 * cc hello.c $(pkg-config --cflags --libs openfeature openfeature-memory)
 *
 * Output:
 * The new checkout is on.
 * Greeting: hello (reason ERROR, FLAG_NOT_FOUND)
 */
#include <stdio.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/memory.h>

int main(void)
{
    of_api *api = of_api_global();
    of_provider *provider = of_memory_provider_new(NULL, 0);
    of_client *client = of_api_client(api, NULL);

    of_memory_provider_put_bool(provider, "new-checkout", true);
    of_error error = of_api_set_provider_and_wait(api, NULL, provider, 1000);
    of_provider_unref(provider); /* the API has a reference of its own */
    if (error != OF_OK)
        fprintf(stderr, "no flags: %s; going on with the defaults\n", of_error_name(error));

    if (of_client_get_bool(client, "new-checkout", false, NULL, NULL))
        printf("The new checkout is on.\n");

    of_details details;
    of_client_string_details(client, "greeting", "hello", NULL, NULL, &details);
    printf("Greeting: %s (reason %s, %s)\n", details.value.string.data, details.reason,
           of_error_name(details.error));
    of_details_clear(&details);

    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}

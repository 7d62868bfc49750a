/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Flags from a file, evaluated here. What only a policy engine can say is the safe variant.
 *
 * cc file.c $(pkg-config --cflags --libs openfeature-file)
 *
 * Output:
 * menu: 12 (TARGETING_MATCH, long)
 * vault: shut (ERROR): decision: unknown: the source opa is not asked by a provider that reads files
 */
#include <stdio.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/file.h>

int main(int argc, char **argv)
{
    char problem[200];
    const char *path = argc > 1 ? argv[1] : "flags.yaml";
    of_file_options options = OF_FILE_OPTIONS_INIT;
    options.paths = &path;
    options.path_count = 1;
    of_provider *provider = of_file_provider_new(&options, problem, sizeof problem);
    if (provider == NULL) {
        fprintf(stderr, "no provider: %s\n", problem);
        return 1;
    }
    of_api *api = of_api_global();
    of_client *client = of_api_client(api, NULL);
    of_context *ada = of_context_new("ada");
    of_context_set_string(ada, "plan", "gold");
    if (of_api_set_provider_and_wait(api, NULL, provider, 1000) != OF_OK)
        fprintf(stderr, "%s cannot be used; going on with the defaults\n", path);
    of_provider_unref(provider);

    of_details details;
    of_client_int_details(client, "menu", 4, ada, NULL, &details);
    printf("menu: %d (%s, %s)\n", (int)details.value.integer, details.reason, details.variant);
    of_details_clear(&details);
    of_client_bool_details(client, "vault", false, ada, NULL, &details);
    printf("vault: %s (%s): %s\n", details.value.boolean ? "open" : "shut", details.reason,
           of_value_as_string(of_value_get(details.metadata, "flagstaff.error"), "-"));
    of_details_clear(&details);

    of_context_unref(ada);
    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}

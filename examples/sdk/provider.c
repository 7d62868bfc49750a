/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A provider in sixty lines: feature switches from the names of files in a directory. "on/NAME" is a flag
 * that is on.
 *
 * cc provider.c $(pkg-config --cflags --libs openfeature)
 *
 * Output:
 * directory: READY
 * dark-mode: off, FLAG_NOT_FOUND
 */
#include <stdio.h>
#include <stdlib.h>
#include <sys/stat.h>

#include <openfeature/openfeature.h>

struct directory {
    const char *path;
};

/* Emits READY before it succeeds, ERROR before it fails: the status comes from events alone. */
static of_error init(void *self, of_provider *provider, const of_context *context, const char *domain)
{
    struct directory *directory = self;
    struct stat info;
    (void)context;
    (void)domain;
    if (stat(directory->path, &info) != 0 || !S_ISDIR(info.st_mode))
        return of_provider_emit_error(provider, OF_ERROR_PROVIDER_FATAL, "no such directory");
    of_provider_emit_ready(provider);
    return OF_OK;
}

static of_error resolve_bool(void *self, const char *key, bool default_value, const of_context *context,
                             of_resolution *resolution)
{
    struct directory *directory = self;
    struct stat info;
    char path[512];
    (void)default_value;
    (void)context;
    snprintf(path, sizeof path, "%s/on/%s", directory->path, key);
    if (stat(path, &info) != 0) {
        resolution->error_message = of_resolution_text(resolution, path);
        return OF_ERROR_FLAG_NOT_FOUND;
    }
    resolution->value.boolean = true;
    resolution->variant = "on";
    resolution->reason = OF_REASON_STATIC;
    return OF_OK;
}

static of_provider *directory_provider(const char *path)
{
    static const of_provider_methods methods = {.size = sizeof methods,
                                                .name = "directory",
                                                .init = init,
                                                .destroy = free,
                                                .resolve_bool = resolve_bool};
    struct directory *directory = malloc(sizeof *directory);
    of_provider *provider = NULL;
    if (directory != NULL) {
        directory->path = path;
        provider = of_provider_new(&methods, directory);
    }
    if (provider == NULL)
        free(directory);
    return provider;
}

int main(void)
{
    of_api *api = of_api_global();
    of_provider *provider = directory_provider("/");
    of_api_set_provider_and_wait(api, NULL, provider, 1000);
    printf("%s: %s\n", of_provider_name(provider), of_status_name(of_provider_get_status(provider)));
    of_provider_unref(provider);

    of_client *client = of_api_client(api, NULL);
    of_details details;
    of_client_bool_details(client, "dark-mode", false, NULL, NULL, &details);
    printf("%s: %s, %s\n", details.flag_key, details.value.boolean ? "on" : "off",
           of_error_name(details.error));
    of_details_clear(&details);
    of_client_unref(client);
    of_api_shutdown(api);
    return 0;
}

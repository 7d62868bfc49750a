/* SPDX-License-Identifier: Apache-2.0 */
/*
 * ofrep.c: the driver of the OFREP provider. Options: url, key_file, ca_file, timeout, poll,
 * changes=poll|none, header; subject=WHO makes it static.
 */
#include "driver.h"

#include <openfeature/providers/ofrep.h>
#include <string.h>

of_provider *driver_make(char *problem, size_t size)
{
    of_ofrep_options options = OF_OFREP_OPTIONS_INIT;
    const char *changes = driver_option("changes"), *header = driver_option("header");
    options.url = driver_option("url");
    options.key_file = driver_option("key_file");
    options.ca_file = driver_option("ca_file");
    options.timeout = driver_number("timeout", 0);
    options.poll = driver_number("poll", 0);
    options.static_context = driver_option("subject") != NULL;
    options.headers = &header;
    options.header_count = header == NULL ? 0 : 1;
    if (changes != NULL) {
        options.changes = strcmp(changes, "poll") == 0 ? OF_OFREP_CHANGES_POLL : OF_OFREP_CHANGES_NONE;
    }
    return of_ofrep_provider_new(&options, problem, size);
}

of_value *driver_stats(of_provider *provider)
{
    (void)provider;
    return NULL;
}

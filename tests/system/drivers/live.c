/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c: the driver of the live provider. Options: url, key_file, ca_file, client_certificate,
 * client_key, proxy, start_timeout, wait, watch_on (one attribute besides the targeting key),
 * others=evaluated, max_watches, reconnect_max, causes=1, verbose=1; subject=WHO makes it static;
 * key_from=FILE: the key from a callback; watch_on_alone: an attribute and nothing besides; static_context=1.
 */
#include "driver.h"

#include <flagstaff/live_provider.h>
#include <stdio.h>
#include <string.h>

static void log_line(void *user, of_live_level level, const char *text)
{
    (void)user;
    fprintf(stderr, "%d %s\n", (int)level, text);
}

/* The first line of the file. */
static bool give_key(void *user, char *out, size_t size)
{
    FILE *file = fopen(user, "re");
    bool found = file != NULL && fgets(out, (int)size, file) != NULL;
    if (file != NULL) {
        (void)fclose(file);
    }
    if (found) {
        out[strcspn(out, "\n")] = '\0';
    }
    return found;
}

of_provider *driver_make(char *problem, size_t size)
{
    of_live_options options = OF_LIVE_OPTIONS_INIT;
    const char *watch_on[2] = {OF_TARGETING_KEY, driver_option("watch_on")};
    const char *alone = driver_option("watch_on_alone");
    options.url = driver_option("url");
    options.key_file = driver_option("key_file");
    options.ca_file = driver_option("ca_file");
    options.client_certificate = driver_option("client_certificate");
    options.client_key = driver_option("client_key");
    options.proxy = driver_option("proxy");
    options.start_timeout = driver_number("start_timeout", 0);
    options.wait = driver_number("wait", 0);
    options.reconnect_max = driver_number("reconnect_max", 0);
    options.max_watches = driver_number("max_watches", 0);
    options.static_context = driver_option("subject") != NULL || driver_option("static_context") != NULL;
    options.causes = driver_option("causes") != NULL;
    options.others = driver_option("others") != NULL ? OF_LIVE_OTHERS_EVALUATED : OF_LIVE_OTHERS_IGNORED;
    options.log = driver_option("verbose") != NULL ? log_line : NULL;
    if (watch_on[1] != NULL) {
        options.watch_on = watch_on;
        options.watch_on_count = 2;
    } else if (alone != NULL) {
        options.watch_on = &alone;
        options.watch_on_count = 1;
    }
    union {
        const char *seen;
        void *user;
    } file = {.seen = driver_option("key_from")};
    if (file.seen != NULL) {
        options.key = give_key;
        options.user = file.user;
    }
    return of_live_provider_new(&options, problem, size);
}

of_value *driver_stats(of_provider *provider)
{
    of_live_stats stats = {.size = sizeof stats};
    if (!of_live_provider_stats(provider, &stats)) {
        return NULL;
    }
    of_value *out = of_value_object();
    (void)of_value_set_int(out, "attempts", (int64_t)stats.attempts);
    (void)of_value_set_int(out, "connections", (int64_t)stats.connections);
    (void)of_value_set_int(out, "resumed", (int64_t)stats.resumed);
    (void)of_value_set_int(out, "snapshots", (int64_t)stats.snapshots);
    (void)of_value_set_int(out, "deltas", (int64_t)stats.deltas);
    (void)of_value_set_int(out, "acknowledgements", (int64_t)stats.acknowledgements);
    (void)of_value_set_int(out, "revision", (int64_t)stats.revision);
    (void)of_value_set_int(out, "acknowledged", (int64_t)stats.acknowledged);
    (void)of_value_set_int(out, "lease_left", stats.lease_left);
    (void)of_value_set_int(out, "watches", (int64_t)stats.watches);
    (void)of_value_set_int(out, "evicted", (int64_t)stats.evicted);
    return out;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * live.c: a door that follows live decisions. Start the daemon with `flagstaff serve`, then
 *
 *     live http://127.0.0.1:8080 ada billing-export [KEY-FILE]
 *
 * and change what the flag depends on: the new value is printed at the moment it is known here, and so is the
 * end of the lease when the daemon is stopped.
 */
#include <signal.h>
#include <stdio.h>
#include <unistd.h>

#include <flagstaff/live_provider.h>
#include <openfeature/openfeature.h>

struct door {
    of_client *client;
    of_context *subject;
    const char *flag;
};

static void look(void *user, const of_event *event)
{
    const struct door *door = user;
    of_details details;
    /* The default value is the denying one: it rules while nothing is known. */
    of_client_bool_details(door->client, door->flag, false, door->subject, NULL, &details);
    printf("%-30s %s is %s (%s)\n", of_event_name(event->type), door->flag,
           details.value.boolean ? "open" : "shut", details.reason);
    const char *error = of_value_as_string(of_value_get(details.metadata, "flagstaff.error"), NULL);
    if (error != NULL)
        printf("    %s\n", error);
    fflush(stdout);
    of_details_clear(&details);
}

int main(int argc, char **argv)
{
    char problem[200];
    of_live_options options = OF_LIVE_OPTIONS_INIT;
    sigset_t ends;
    int signal_number;

    if (argc < 4) {
        fprintf(stderr, "usage: %s URL SUBJECT FLAG [KEY-FILE]\n", argv[0]);
        return 2;
    }
    options.url = argv[1];
    options.key_file = argc > 4 ? argv[4] : NULL;
    options.wait = 1000; /* the first evaluation waits for the values of its subject */

    of_provider *provider = of_live_provider_new(&options, problem, sizeof problem);
    if (provider == NULL) {
        fprintf(stderr, "no provider: %s\n", problem);
        return 1;
    }
    of_api *api = of_api_global();
    struct door door = {of_api_client(api, NULL), of_context_new(argv[2]), argv[3]};
    of_error error = of_api_set_provider_and_wait(api, NULL, provider, 5000);
    of_provider_unref(provider);
    if (error != OF_OK)
        fprintf(stderr, "no values yet (%s); going on with the defaults\n", of_error_name(error));

    for (of_event_type type = OF_EVENT_READY; type <= OF_EVENT_STALE; type++)
        (void)of_api_on(api, type, look, &door, NULL);

    (void)sigemptyset(&ends);
    (void)sigaddset(&ends, SIGINT);
    (void)sigaddset(&ends, SIGTERM);
    (void)sigprocmask(SIG_BLOCK, &ends, NULL);
    (void)sigwait(&ends, &signal_number);

    of_api_shutdown(api);
    of_client_unref(door.client);
    of_context_unref(door.subject);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * A program with one user: the static paradigm, with changes that arrive while it runs.
 *
 * cc desktop.c $(pkg-config --cflags --libs openfeature openfeature-memory) -pthread
 *
 * Output:
 * signed in as ada: the export button is hidden
 * flags changed: the export button is shown
 */
#include <pthread.h>
#include <stdio.h>

#include <openfeature/openfeature.h>
#include <openfeature/providers/memory.h>
#include <openfeature/static.h>

static struct {
    pthread_mutex_t lock;
    pthread_cond_t changed;
    int changes;
} ui = {PTHREAD_MUTEX_INITIALIZER, PTHREAD_COND_INITIALIZER, 0};

/* Runs on the API's thread, so it only leaves word for the thread that draws. */
static void flags_changed(void *user, const of_event *event)
{
    (void)user;
    (void)event;
    pthread_mutex_lock(&ui.lock);
    ui.changes++;
    pthread_cond_signal(&ui.changed);
    pthread_mutex_unlock(&ui.lock);
}

static void wait_for_change(void)
{
    pthread_mutex_lock(&ui.lock);
    while (ui.changes == 0)
        pthread_cond_wait(&ui.changed, &ui.lock);
    ui.changes--;
    pthread_mutex_unlock(&ui.lock);
}

static void draw(of_static_client *client, const char *why)
{
    bool shown = of_static_client_get_bool(client, "export", false, NULL);
    printf("%s: the export button is %s\n", why, shown ? "shown" : "hidden");
}

int main(void)
{
    of_static_api *api = of_static_api_global();
    of_provider *provider = of_memory_provider_new(NULL, 0);
    of_memory_provider_put_bool(provider, "export", false);
    of_static_api_set_provider_and_wait(api, NULL, provider, 1000);

    of_context *user = of_context_new("ada");
    of_static_api_set_context_and_wait(api, NULL, user, 1000);
    of_context_unref(user);

    of_static_client *client = of_static_api_client(api, NULL);
    of_static_client_on(client, OF_EVENT_CONFIGURATION_CHANGED, flags_changed, NULL, NULL);
    draw(client, "signed in as ada");

    of_memory_provider_put_bool(provider, "export", true); /* somebody flips the flag */
    wait_for_change();
    draw(client, "flags changed");

    of_provider_unref(provider);
    of_static_client_unref(client);
    of_static_api_shutdown(api);
    return 0;
}

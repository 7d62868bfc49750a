/* SPDX-License-Identifier: Apache-2.0 */
/*
 * flagstaff watch: a client of flagstaff.v1 like any other (providers/live/wire), which connects, reconnects
 * and holds the lease. This file sets it up and waits for a signal; watch_print.c prints.
 */
#include <signal.h>
#include <string.h>
#include "base/alloc.h"
#include "base/digest.h"
#include "watch_internal.h"

#define SUBJECT_WIDTH 8 /* at least, so that the lines of several terminals or processes agree */

/* The key is read anew for each connection: a file may have another one by then. */
static bool give_token(void *user, char *out, size_t size)
{
    struct watching *watching = user;
    struct fs_err err = {0};
    char *key = NULL;
    bool fine = fs_client_key(watching->call, &key, &err) && key && strlen(key) < size;
    if (fine)
        memcpy(out, key, strlen(key) + 1);
    else
        fprintf(watching->call->err, "flagstaff watch: %s\n", err.code ? err.text : "there is no key");
    if (key)
        fs_wipe(key, strlen(key));
    fs_free(key);
    return fine;
}

static bool add_watches(struct watching *watching, struct fsw_client *client, struct fs_err *err)
{
    const struct fs_config *config = &watching->call->config;
    const char *const *flags = fs_config_list(config, FS_OPT_FLAG);
    size_t count = 0;
    while (flags[count])
        count++;
    for (size_t i = 0; i < config->positional_count; i++) {
        json_t *context = fs_cli_context(watching->call, config->positional[i], err);
        if (!context)
            return false;
        const struct fsw_watch *watch =
            fsw_watch_add(client, context, flags, count, false, config->positional[i]);
        json_decref(context);
        if (!watch)
            return fs_fail(err, FS_ERR_USAGE, "%.60s: it cannot be watched; is the name of a flag empty?",
                           config->positional[i]);
        size_t width = fs_text_width(config->positional[i]);
        watching->subject_width = width > watching->subject_width ? width : watching->subject_width;
    }
    return true;
}

static struct fsw_client *connect(struct watching *watching, const char *url, struct fs_err *err)
{
    const struct fs_config *config = &watching->call->config;
    bool keyed = fs_config_said(config, FS_OPT_KEY_FILE) || fs_config_said(config, FS_OPT_KEY);
    struct fsw_options options = FSW_OPTIONS_INIT;
    char why[200] = "";
    options.url = url;
    options.client_name = "flagstaff watch";
    options.client_version = FLAGSTAFF_VERSION;
    options.token = keyed ? give_token : NULL;
    options.ca_file = fs_config_text(config, FS_OPT_CA_FILE);
    options.user = watching;
    options.on_change = fs_watch_print_change;
    options.on_state = fs_watch_print_state;
    options.on_watch_error = fs_watch_print_error;
    struct fsw_client *client = fsw_client_create(&options, why, sizeof why);
    if (!client) {
        fs_fail(err, FS_ERR_USAGE, "%s", why);
        return NULL;
    }
    if (add_watches(watching, client, err)) {
        if (fsw_client_start(client))
            return client;
        fs_fail(err, FS_ERR_GENERAL, "no thread could be started");
    }
    fsw_client_destroy(client);
    return NULL;
}

int fs_cli_watch(struct fs_cli_call *call, struct fs_err *err)
{
    struct watching watching = {.call = call, .main = pthread_self(), .subject_width = SUBJECT_WIDTH};
    sigset_t ends, before;
    int signal = 0;
    char *base = fs_client_url(call, err);
    if (!base)
        return -1;
    char *url = fs_format("%s/v1/ws", base);
    fs_free(base);
    /* The threads that follow inherit this mask, so that the signal is ours alone. */
    sigemptyset(&ends);
    sigaddset(&ends, SIGINT);
    sigaddset(&ends, SIGTERM);
    sigaddset(&ends, SIGHUP);
    sigaddset(&ends, SIGPIPE);
    pthread_sigmask(SIG_BLOCK, &ends, &before);
    watching.seen = fs_calloc(call->config.positional_count + 1, sizeof *watching.seen);
    struct fsw_client *client = connect(&watching, url, err);
    fs_free(url);
    if (client) {
        sigwait(&ends, &signal);
        fsw_client_destroy(client);
    }
    fs_free(watching.seen);
    pthread_sigmask(SIG_SETMASK, &before, NULL);
    if (!client)
        return -1;
    if (watching.code == FS_OK || signal == SIGPIPE)
        return 0;
    fs_fail(err, watching.code, "%s", watching.text);
    return -1;
}

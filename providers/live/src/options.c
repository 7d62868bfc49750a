/* SPDX-License-Identifier: Apache-2.0 */
/*
 * options.c: the provider's own copy of its options, and what the wire is told of them.
 */
#include "live.h"

#include <stdio.h>
#include <string.h>
#include <unistd.h>
#include <openfeature/memory.h>
#include <openfeature/version.h>

static char *copy_text(const char *text)
{
    size_t size = strlen(text) + 1;
    char *copy = of_alloc(size);
    if (copy != NULL) {
        memcpy(copy, text, size);
    }
    return copy;
}

static void free_owned(const void *seen)
{
    union {
        const void *seen;
        void *owned;
    } cast = {.seen = seen};
    of_free(cast.owned);
}

static bool copy_option(const char **to, const char *from)
{
    *to = from == NULL ? NULL : copy_text(from);
    return from == NULL || *to != NULL;
}

static void free_list(const char *const *list, size_t count)
{
    for (size_t i = 0; list != NULL && i < count; i++) {
        free_owned(list[i]);
    }
    free_owned((const void *)list);
}

/* What could not be copied is NULL, so that the list can be freed. */
static bool copy_list(const char *const **to, size_t *to_count, const char *const *from, size_t count)
{
    const char **list = count == 0 ? NULL : of_alloc(count * sizeof *list);
    bool fine = count == 0 || list != NULL;
    *to = list;
    *to_count = list == NULL ? 0 : count;
    for (size_t i = 0; i < *to_count; i++) {
        list[i] = from[i] == NULL ? NULL : copy_text(from[i]);
        fine = fine && list[i] != NULL;
    }
    return fine;
}

/* The targeting key is always among them: a watch is about a subject. */
static bool copy_watch_on(of_live_options *to, const of_live_options *given)
{
    bool named = false;
    for (size_t i = 0; i < given->watch_on_count; i++) {
        named = named || strcmp(given->watch_on[i], OF_TARGETING_KEY) == 0;
    }
    size_t count = given->watch_on_count + !named;
    const char **all = of_alloc(count * sizeof *all);
    to->watch_on = NULL;
    to->watch_on_count = 0;
    if (all == NULL) {
        return false;
    }
    all[0] = OF_TARGETING_KEY;
    for (size_t i = 0; i < given->watch_on_count; i++) {
        all[i + !named] = given->watch_on[i];
    }
    bool fine = copy_list(&to->watch_on, &to->watch_on_count, all, count);
    of_free(all);
    return fine;
}

/* Whether each has at least one character. */
static bool are_names(const char *const *names, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        if (names[i] == NULL || names[i][0] == '\0') {
            return false;
        }
    }
    return true;
}

static const char *problem_of(const of_live_options *given)
{
    if (given->watch_on == NULL && given->watch_on_count > 0) {
        return "watch_on_count without watch_on";
    }
    if (given->flags == NULL && given->flag_count > 0) {
        return "flag_count without flags";
    }
    if (!are_names(given->watch_on, given->watch_on_count) || !are_names(given->flags, given->flag_count)) {
        return "watch_on and flags: a name is NULL or empty";
    }
    if (given->key_file != NULL && given->key != NULL) {
        return "key_file and key: give one of them";
    }
    if (given->ca_file != NULL && access(given->ca_file, R_OK) != 0) {
        return "ca_file: it cannot be read";
    }
    if ((given->client_certificate == NULL) != (given->client_key == NULL)) {
        return "client_certificate and client_key: give both";
    }
    if (given->client_certificate != NULL && access(given->client_certificate, R_OK) != 0) {
        return "client_certificate: it cannot be read";
    }
    if (given->client_key != NULL && access(given->client_key, R_OK) != 0) {
        return "client_key: it cannot be read";
    }
    if (given->others == OF_LIVE_OTHERS_EVALUATED && (given->wait == 0 || given->static_context)) {
        return "others: evaluating contexts at the daemon needs `wait`, and is not for a static context";
    }
    return NULL;
}

bool live_options_copy(of_live_options *to, const of_live_options *from, const char **problem)
{
    static const of_live_options plain = OF_LIVE_OPTIONS_INIT;
    of_live_options given = {0};
    memset(to, 0, sizeof *to);
    if (from == NULL) {
        from = &plain;
    }
    if (from->size < sizeof from->size) {
        *problem = "start from OF_LIVE_OPTIONS_INIT";
        return false;
    }
    memcpy(&given, from, from->size < sizeof given ? from->size : sizeof given);
    *problem = problem_of(&given);
    if (*problem != NULL) {
        return false;
    }
    *to = given;
    to->start_timeout = given.start_timeout == 0 ? 5000 : given.start_timeout;
    to->max_watches = given.max_watches == 0 ? 1000 : given.max_watches;
    *problem = "out of memory";
    to->url = copy_text(given.url == NULL ? "ws://127.0.0.1:8080" : given.url);
    bool fine = to->url != NULL;
    fine = copy_option(&to->key_file, given.key_file) && fine;
    fine = copy_option(&to->ca_file, given.ca_file) && fine;
    fine = copy_option(&to->proxy, given.proxy) && fine;
    fine = copy_option(&to->client_certificate, given.client_certificate) && fine;
    fine = copy_option(&to->client_key, given.client_key) && fine;
    fine = copy_option(&to->client_name, given.client_name) && fine;
    fine = copy_option(&to->client_version, given.client_version) && fine;
    fine = copy_watch_on(to, &given) && fine;
    fine = copy_list(&to->flags, &to->flag_count, given.flags, given.flag_count) && fine;
    return fine;
}

void live_options_finish(of_live_options *options)
{
    free_owned(options->url);
    free_owned(options->key_file);
    free_owned(options->ca_file);
    free_owned(options->proxy);
    free_owned(options->client_certificate);
    free_owned(options->client_key);
    free_owned(options->client_name);
    free_owned(options->client_version);
    free_list(options->watch_on, options->watch_on_count);
    free_list(options->flags, options->flag_count);
    memset(options, 0, sizeof *options);
}

static bool give_key(void *user, char *out, size_t size)
{
    const struct live *live = user;
    return live->options.key(live->options.user, out, size);
}

static void give_line(void *user, enum fsw_level level, const char *text)
{
    const struct live *live = user;
    live->options.log(live->options.user, (of_live_level)level, text);
}

struct fsw_options live_wire_options(struct live *live)
{
    const of_live_options *options = &live->options;
    struct fsw_options wire = FSW_OPTIONS_INIT;
    wire.url = options->url;
    wire.client_name = options->client_name == NULL ? "openfeature-live" : options->client_name;
    wire.client_version = options->client_version == NULL ? OF_VERSION : options->client_version;
    wire.token_file = options->key_file;
    wire.token = options->key == NULL ? NULL : give_key;
    wire.ca_file = options->ca_file;
    wire.proxy = options->proxy;
    wire.client_certificate = options->client_certificate;
    wire.client_key = options->client_key;
    wire.backoff_cap = options->reconnect_max;
    wire.user = live;
    wire.on_change = live_on_change;
    wire.on_state = live_on_state;
    wire.on_watch_error = live_on_watch_error;
    wire.on_log = options->log == NULL ? NULL : give_line;
    wire.mirror = &live_mirror;
    return wire;
}

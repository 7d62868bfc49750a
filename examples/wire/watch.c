/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Watches the flags of one subject and prints each change with its cause: the wire client in a hundred lines.
 *
 *   watch ws://127.0.0.1:8080 SUBJECT [TOKEN-FILE]
 *
 * Ends with Ctrl-C. The wire client is no library of its own: this is built with the tests
 * (tests/unit/wire.cmake), and `script/build` leaves it at build/tests/wire_example.
 */
#include <signal.h>
#include <stdio.h>

#include <wire/wire.h>

static void print_value(const struct fsw_flag *flag)
{
    if (flag == NULL || !flag->has_value) {
        fputs("(the caller's default)", stdout);
        return;
    }
    switch (flag->type) {
    case FSW_BOOLEAN:
        fputs(flag->value.as.boolean ? "true" : "false", stdout);
        break;
    case FSW_STRING:
        printf("\"%s\"", flag->value.as.string);
        break;
    case FSW_INTEGER:
        printf("%lld", (long long)flag->value.as.integer);
        break;
    case FSW_FLOAT:
        printf("%g", flag->value.as.number);
        break;
    case FSW_OBJECT:
        json_dumpf(flag->value.as.object, stdout, JSON_COMPACT);
        break;
    }
    printf(" (%s, %s)", flag->variant, flag->reason);
}

static void on_change(void *user, const struct fsw_change *change)
{
    (void)user;
    for (size_t i = 0; i < change->count; i++) {
        const struct fsw_flip *flip = &change->flips[i];
        printf("%-24s ", flip->key);
        if (flip->before != NULL) {
            print_value(flip->before);
            fputs(" -> ", stdout);
        }
        print_value(flip->after);
        if (flip->after != NULL && flip->after->cause.kind != NULL) {
            printf("  %s", flip->after->cause.kind);
        }
        putchar('\n');
    }
    fflush(stdout);
}

static void on_state(void *user, const struct fsw_state_info *info)
{
    static const char *const names[] = {[FSW_CONNECTING] = "connecting",
                                        [FSW_READY] = "ready",
                                        [FSW_STALE] = "stale: the lease still runs",
                                        [FSW_LEASE_OVER] = "the lease is over: safe values",
                                        [FSW_CLOSED] = "closed"};
    (void)user;
    fprintf(stderr, "-- %s", names[info->state]);
    if (info->message[0] != '\0') {
        fprintf(stderr, " (%s)", info->message);
    }
    fputc('\n', stderr);
}

int main(int count, char **words)
{
    if (count < 3) {
        fprintf(stderr, "usage: watch URL SUBJECT [TOKEN-FILE]\n");
        return 2;
    }
    /* Before the client's thread is there, so that the signal waits for sigwait(). */
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGINT);
    sigaddset(&stop, SIGTERM);
    sigprocmask(SIG_BLOCK, &stop, NULL);

    struct fsw_options options = FSW_OPTIONS_INIT;
    options.url = words[1];
    options.client_name = "example";
    options.token_file = count > 3 ? words[3] : NULL;
    options.on_change = on_change;
    options.on_state = on_state;
    char why[200];
    struct fsw_client *client = fsw_client_create(&options, why, sizeof why);
    json_t *context = json_pack("{s:s}", "targetingKey", words[2]);
    if (client == NULL || fsw_watch_add(client, context, NULL, 0, false, NULL) == NULL ||
        !fsw_client_start(client)) {
        fprintf(stderr, "watch: %s\n", client == NULL ? why : "out of memory");
        fsw_client_destroy(client);
        json_decref(context);
        return 1;
    }
    json_decref(context);
    int signal;
    sigwait(&stop, &signal);
    fsw_client_destroy(client);
    return 0;
}

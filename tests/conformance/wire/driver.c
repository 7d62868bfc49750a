/* SPDX-License-Identifier: Apache-2.0 */
/*
 * wire_driver: puts the wire client into a test's hands. Commands come as lines on stdin, answers and
 * everything that the client tells go as lines of JSON to stdout. It knows the public header only.
 *
 *   wire_driver URL [token-file PATH] [ca-file PATH] [proxy HOST:PORT] [insecure yes] [timeout MS] [base MS]
 * [cap MS]
 *
 *   watch CONTEXT-JSON [KEY ...] | once CONTEXT-JSON [KEY ...] | unwatch N | get N KEY | table N
 *   storm N: four threads read, watch and unwatch N times each, at the same time
 *   start | wait MS | state | stats | reconnect | quit
 *
 * Watches are numbered from 1 in the order in which they are added.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <wire/wire.h>

#define WATCHES 16

static struct fsw_watch *watches[WATCHES];
static size_t watch_count;
static pthread_mutex_t output = PTHREAD_MUTEX_INITIALIZER;

static void put(json_t *json)
{
    pthread_mutex_lock(&output);
    json_dumpf(json, stdout, JSON_COMPACT);
    putchar('\n');
    fflush(stdout);
    pthread_mutex_unlock(&output);
    json_decref(json);
}

static json_t *value_json(const struct fsw_flag *flag, const struct fsw_value *value)
{
    switch (flag->type) {
    case FSW_BOOLEAN:
        return json_boolean(value->as.boolean);
    case FSW_STRING:
        return json_string(value->as.string);
    case FSW_INTEGER:
        return json_integer(value->as.integer);
    case FSW_FLOAT:
        return json_real(value->as.number);
    case FSW_OBJECT:
        return json_deep_copy(value->as.object);
    }
    return json_null();
}

static json_t *flag_json(const struct fsw_flag *flag)
{
    return flag == NULL || !flag->has_value ? json_null() : value_json(flag, &flag->value);
}

static void on_change(void *user, const struct fsw_change *change)
{
    (void)user;
    json_t *flips = json_object();
    for (size_t i = 0; i < change->count; i++) {
        const struct fsw_flip *flip = &change->flips[i];
        json_object_set_new(flips, flip->key,
                            json_pack("{s:o,s:o,s:s?}", "before", flag_json(flip->before), "after",
                                      flag_json(flip->after), "cause",
                                      flip->after == NULL ? NULL : flip->after->cause.kind));
    }
    put(json_pack("{s:s,s:I,s:b,s:b,s:o}", "event", "change", "revision", (json_int_t)change->revision,
                  "snapshot", change->snapshot, "once", change->once, "flips", flips));
}

static const char *state_name(enum fsw_state state)
{
    static const char *const names[] = {[FSW_CONNECTING] = "connecting",
                                        [FSW_READY] = "ready",
                                        [FSW_STALE] = "stale",
                                        [FSW_LEASE_OVER] = "lease over",
                                        [FSW_CLOSED] = "closed"};
    return names[state];
}

static void on_state(void *user, const struct fsw_state_info *info)
{
    (void)user;
    put(json_pack("{s:s,s:s,s:i,s:s?,s:s}", "event", "state", "state", state_name(info->state), "code",
                  info->code, "goaway", info->goaway, "message", info->message));
}

static void on_watch_error(void *user, const struct fsw_watch_error *error)
{
    (void)user;
    put(json_pack("{s:s,s:s,s:b}", "event", "error", "code", error->code, "retried", error->retried));
}

static void on_log(void *user, enum fsw_level level, const char *text)
{
    (void)user;
    fprintf(stderr, "%d %s\n", (int)level, text);
}

static void add(struct fsw_client *client, char *line, bool once)
{
    char *rest = NULL;
    const char *keys[16];
    size_t count = 0;
    json_t *context = json_loads(strtok_r(line, " ", &rest), 0, NULL);
    for (const char *key; count < 16 && (key = strtok_r(NULL, " ", &rest)) != NULL;) {
        keys[count++] = key;
    }
    struct fsw_watch *watch =
        watch_count < WATCHES ? fsw_watch_add(client, context, keys, count, once, NULL) : NULL;
    json_decref(context);
    if (watch != NULL) {
        watches[watch_count++] = watch;
    }
    put(json_pack("{s:b}", "answer", watch != NULL));
}

static void get(const char *key, struct fsw_watch *watch)
{
    static const char *const standings[] = {
        [FSW_UNKNOWN] = "unknown", [FSW_ABSENT] = "absent", [FSW_FRESH] = "fresh",
        [FSW_ONCE] = "once",       [FSW_SAFE] = "safe",     [FSW_LAST] = "last"};
    struct fsw_result result;
    bool found = fsw_get(watch, key, &result);
    put(json_pack("{s:{s:s,s:o,s:s?,s:s?,s:b}}", "answer", "standing", standings[result.standing], "value",
                  found ? value_json(result.flag, &result.value) : json_null(), "variant", result.variant,
                  "reason", result.reason, "leaseOver", result.lease_over));
    fsw_result_clear(&result);
}

static void stats(struct fsw_client *client)
{
    struct fsw_stats s;
    fsw_client_stats(client, &s);
    put(json_pack("{s:{s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:I,s:s}}", "answer", "attempts",
                  (json_int_t)s.attempts, "connections", (json_int_t)s.connections, "resumed",
                  (json_int_t)s.resumed, "snapshots", (json_int_t)s.snapshots, "deltas", (json_int_t)s.deltas,
                  "faults", (json_int_t)s.faults, "revision", (json_int_t)s.revision, "acked",
                  (json_int_t)s.acked, "leaseLeft", (json_int_t)s.lease_left, "epoch", s.epoch));
}

static void table(struct fsw_watch *watch)
{
    bool leased;
    const struct fsw_table *all = fsw_watch_table(watch, &leased);
    json_t *values = json_object();
    for (size_t i = 0; i < fsw_table_count(all); i++) {
        const struct fsw_flag *flag = fsw_table_at(all, i);
        json_object_set_new(values, flag->key, flag_json(flag));
    }
    fsw_table_unref(all);
    put(json_pack("{s:{s:b,s:o}}", "answer", "leased", leased, "values", values));
}

struct storm {
    struct fsw_client *client;
    unsigned long rounds;
};

static void *storm_thread(void *user)
{
    struct storm *storm = user;
    json_t *context = json_pack("{s:s}", "targetingKey", "storm");
    for (unsigned long i = 0; i < storm->rounds; i++) {
        struct fsw_result result;
        bool leased;
        fsw_get(watches[0], "billing-export", &result);
        fsw_result_clear(&result);
        fsw_table_unref(fsw_watch_table(watches[0], &leased));
        struct fsw_watch *watch = fsw_watch_add(storm->client, context, NULL, 0, i % 7 == 0, NULL);
        if (i % 5 == 0) {
            fsw_client_wait_ready(storm->client, 20);
        }
        fsw_get(watch, "billing-export", &result);
        fsw_result_clear(&result);
        fsw_watch_remove(watch);
    }
    json_decref(context);
    return NULL;
}

static void storm(struct fsw_client *client, unsigned long rounds)
{
    pthread_t threads[4];
    struct storm shared = {.client = client, .rounds = rounds};
    size_t count = 0;
    while (count < 4 && pthread_create(&threads[count], NULL, storm_thread, &shared) == 0) {
        count++;
    }
    for (size_t i = 0; i < count; i++) {
        pthread_join(threads[i], NULL);
    }
    put(json_pack("{s:b}", "answer", count == 4));
}

static bool command(struct fsw_client *client, char *line)
{
    char *rest = NULL;
    const char *word = strtok_r(line, " \n", &rest);
    rest[strcspn(rest, "\n")] = '\0';
    if (word == NULL || strcmp(word, "quit") == 0) {
        return false;
    }
    size_t number = strtoul(rest, NULL, 10);
    struct fsw_watch *watch = number >= 1 && number <= watch_count ? watches[number - 1] : NULL;
    if (strcmp(word, "watch") == 0 || strcmp(word, "once") == 0) {
        add(client, rest, word[0] == 'o');
    } else if (strcmp(word, "unwatch") == 0) {
        fsw_watch_remove(watch);
        put(json_pack("{s:b}", "answer", true));
    } else if (strcmp(word, "get") == 0) {
        get(strchr(rest, ' ') + 1, watch);
    } else if (strcmp(word, "table") == 0) {
        table(watch);
    } else if (strcmp(word, "start") == 0) {
        put(json_pack("{s:b}", "answer", fsw_client_start(client)));
    } else if (strcmp(word, "wait") == 0) {
        put(json_pack("{s:b}", "answer", fsw_client_wait_ready(client, (unsigned)number)));
    } else if (strcmp(word, "state") == 0) {
        put(json_pack("{s:s}", "answer", state_name(fsw_client_state(client))));
    } else if (strcmp(word, "stats") == 0) {
        stats(client);
    } else if (strcmp(word, "storm") == 0) {
        storm(client, number);
    } else if (strcmp(word, "reconnect") == 0) {
        fsw_client_reconnect(client);
        put(json_pack("{s:b}", "answer", true));
    } else {
        put(json_pack("{s:s}", "answer", "unknown command"));
    }
    return true;
}

static struct fsw_options read_options(int count, char **words)
{
    struct fsw_options options = FSW_OPTIONS_INIT;
    options.url = count > 1 ? words[1] : NULL;
    options.client_name = "wire-driver";
    options.on_change = on_change;
    options.on_state = on_state;
    options.on_watch_error = on_watch_error;
    options.on_log = on_log;
    for (int i = 2; i + 1 < count; i += 2) {
        unsigned number = (unsigned)strtoul(words[i + 1], NULL, 10);
        if (strcmp(words[i], "token-file") == 0) {
            options.token_file = words[i + 1];
        } else if (strcmp(words[i], "ca-file") == 0) {
            options.ca_file = words[i + 1];
        } else if (strcmp(words[i], "proxy") == 0) {
            options.proxy = words[i + 1];
        } else if (strcmp(words[i], "insecure") == 0) {
            options.insecure = true;
        } else if (strcmp(words[i], "timeout") == 0) {
            options.connect_timeout = number;
        } else if (strcmp(words[i], "base") == 0) {
            options.backoff_base = number;
        } else if (strcmp(words[i], "cap") == 0) {
            options.backoff_cap = number;
        }
    }
    return options;
}

int main(int count, char **words)
{
    char text[256], *line = NULL;
    size_t room = 0;
    struct fsw_options options = read_options(count, words);
    struct fsw_client *client = fsw_client_create(&options, text, sizeof text);
    if (client == NULL) {
        fprintf(stderr, "wire_driver: %s\n", text);
        return 2;
    }
    while (getline(&line, &room, stdin) > 0 && command(client, line)) {
    }
    fsw_client_destroy(client);
    free(line);
    return 0;
}

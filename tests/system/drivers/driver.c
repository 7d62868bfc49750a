/* SPDX-License-Identifier: Apache-2.0 */
/*
 * driver.c: see driver.h. Commands (words are separated by blanks; a context is SUBJECT or -, then NAME=VALUE
 * ...):
 *
 *   get TYPE KEY CONTEXT...    evaluates; TYPE is bool, int, double, string or object
 *   read TYPE KEY CONTEXT...   begins to evaluate over and over, on a thread of its own
 *   history                    what that gave: each run of the same answer, with the moments
 * (CLOCK_MONOTONIC) in which its first and its last read began and ended, and the longest time from the
 * beginning of one to the end of the next context CONTEXT...         static paradigm: sets the context and
 * waits forked TYPE KEY CONTEXT... evaluates in a child process status, stats              of the provider
 *   clock SECONDS              sets the time of day of this process so much later than it is
 *   stop                       shuts the provider down; the end of the input does too
 */
#include "driver.h"

#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

enum { WORDS = 32, LINE = 4096, RUNS = 4096 };

static struct {
    int argc;
    char **argv;
    bool is_static;
    of_api *api;
    of_static_api *static_api;
    of_client *client;
    of_static_client *static_client;
    of_provider *provider;
    pthread_mutex_t output;
} world = {.output = PTHREAD_MUTEX_INITIALIZER};

static double now(void)
{
    struct timespec moment;
    clock_gettime(CLOCK_MONOTONIC, &moment);
    return (double)moment.tv_sec + (double)moment.tv_nsec / 1e9;
}

const char *driver_option(const char *name)
{
    size_t length = strlen(name);
    for (int i = 1; i < world.argc; i++) {
        if (strncmp(world.argv[i], name, length) == 0 && world.argv[i][length] == '=') {
            return world.argv[i] + length + 1;
        }
    }
    return NULL;
}

unsigned driver_number(const char *name, unsigned otherwise)
{
    const char *text = driver_option(name);
    return text == NULL ? otherwise : (unsigned)strtoul(text, NULL, 10);
}

/* Prints {"NAME": value, ...} in one line; takes the object. */
static void say(of_value *line)
{
    char *text = of_value_to_json(line);
    pthread_mutex_lock(&world.output);
    printf("%s\n", text);
    fflush(stdout);
    pthread_mutex_unlock(&world.output);
    of_free(text);
    of_value_unref(line);
}

static void answer(of_value *value)
{
    of_value *line = of_value_object();
    (void)of_value_set(line, "answer", value);
    say(line);
}

/* --- evaluation -------------------------------------------------------------------------------------- */

static of_type type_of(const char *name)
{
    static const struct {
        const char *name;
        of_type type;
    } types[] = {{"bool", OF_TYPE_BOOL},
                 {"int", OF_TYPE_INT},
                 {"double", OF_TYPE_DOUBLE},
                 {"string", OF_TYPE_STRING},
                 {"object", OF_TYPE_OBJECT}};
    for (size_t i = 0; i < sizeof types / sizeof types[0]; i++) {
        if (strcmp(types[i].name, name) == 0) {
            return types[i].type;
        }
    }
    return OF_TYPE_NULL;
}

static of_context *context_of(char **words, int count)
{
    of_context *context = of_context_new(count > 0 && strcmp(words[0], "-") != 0 ? words[0] : NULL);
    for (int i = 1; i < count; i++) {
        char *equals = strchr(words[i], '=');
        if (equals != NULL) {
            *equals = '\0';
            (void)of_context_set_string(context, words[i], equals + 1);
        }
    }
    return context;
}

static void evaluate(of_type type, const char *key, const of_context *context, of_details *details)
{
    bool is_static = world.is_static;
    of_static_client *one = world.static_client;
    switch (type) {
    case OF_TYPE_BOOL:
        (void)(is_static ? of_static_client_bool_details(one, key, false, NULL, details)
                         : of_client_bool_details(world.client, key, false, context, NULL, details));
        break;
    case OF_TYPE_INT:
        (void)(is_static ? of_static_client_int_details(one, key, -1, NULL, details)
                         : of_client_int_details(world.client, key, -1, context, NULL, details));
        break;
    case OF_TYPE_DOUBLE:
        (void)(is_static ? of_static_client_double_details(one, key, -1, NULL, details)
                         : of_client_double_details(world.client, key, -1, context, NULL, details));
        break;
    case OF_TYPE_STRING:
        (void)(is_static ? of_static_client_string_details(one, key, "default", NULL, details)
                         : of_client_string_details(world.client, key, "default", context, NULL, details));
        break;
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        (void)(is_static ? of_static_client_object_details(one, key, NULL, NULL, details)
                         : of_client_object_details(world.client, key, NULL, context, NULL, details));
        break;
    }
}

static of_value *value_of(const of_details *details)
{
    switch (details->type) {
    case OF_TYPE_BOOL:
        return of_value_bool(details->value.boolean);
    case OF_TYPE_INT:
        return of_value_int(details->value.integer);
    case OF_TYPE_DOUBLE:
        return of_value_double(details->value.number);
    case OF_TYPE_STRING:
        return of_value_string(details->value.string.data);
    case OF_TYPE_NULL:
    case OF_TYPE_DATETIME:
    case OF_TYPE_LIST:
    case OF_TYPE_OBJECT:
    default:
        return details->value.object == NULL ? of_value_null() : of_value_ref(details->value.object);
    }
}

static of_value *describe(const of_details *details)
{
    of_value *out = of_value_object();
    (void)of_value_set(out, "value", value_of(details));
    (void)of_value_set(out, "variant", of_value_string(details->variant));
    (void)of_value_set(out, "reason", of_value_string(details->reason));
    (void)of_value_set(out, "error",
                       details->error == OF_OK ? of_value_null()
                                               : of_value_string(of_error_name(details->error)));
    (void)of_value_set(out, "message", of_value_string(details->error_message));
    (void)of_value_set(out, "metadata", of_value_ref(details->metadata));
    return out;
}

static of_value *get(char **words, int count)
{
    of_details details;
    of_context *context = context_of(words + 2, count - 2);
    double before = now();
    evaluate(type_of(words[0]), words[1], context, &details);
    double took = now() - before;
    of_value *out = describe(&details);
    (void)of_value_set_double(out, "seconds", took);
    of_details_clear(&details);
    of_context_unref(context);
    return out;
}

static of_value *get_forked(char **words, int count)
{
    int ends[2];
    char text[LINE] = "";
    of_value *out = NULL;
    if (pipe(ends) != 0) {
        return of_value_null();
    }
    pid_t child = fork();
    if (child == 0) {
        char *json = of_value_to_json(get(words, count));
        ssize_t written = write(ends[1], json, strlen(json));
        _exit(written > 0 ? 0 : 1);
    }
    close(ends[1]);
    ssize_t got = read(ends[0], text, sizeof text);
    close(ends[0]);
    waitpid(child, NULL, 0);
    (void)of_value_from_json(text, got < 0 ? 0 : (size_t)got, &out, NULL);
    return out;
}

/* --- reading over and over --------------------------------------------------------------------------- */

struct run {
    int64_t value;
    char reason[32];
    int error;
    struct read {
        double begun, ended;
    } first, last;
    double quiet;
};

static struct {
    pthread_mutex_t lock;
    pthread_t thread;
    bool running, stop;
    of_type type;
    char key[256];
    of_context *context;
    struct run runs[RUNS];
    size_t count;
} reader = {.lock = PTHREAD_MUTEX_INITIALIZER};

static void note(const of_details *details, const struct read *read)
{
    struct run *last = reader.count == 0 ? NULL : &reader.runs[reader.count - 1];
    int64_t value = reader.type == OF_TYPE_BOOL ? details->value.boolean : details->value.integer;
    if (last == NULL || last->value != value || last->error != (int)details->error ||
        strcmp(last->reason, details->reason) != 0) {
        if (reader.count == RUNS) {
            return;
        }
        last = &reader.runs[reader.count++];
        last->value = value;
        last->error = (int)details->error;
        snprintf(last->reason, sizeof last->reason, "%s", details->reason);
        last->first = last->last = *read;
        last->quiet = 0;
    }
    double quiet = read->ended - last->last.begun;
    last->quiet = quiet > last->quiet ? quiet : last->quiet;
    last->last = *read;
}

static void *read_on(void *unused)
{
    (void)unused;
    const struct timespec pause = {0, 200000};
    for (bool stop = false; !stop;) {
        of_details details;
        struct read read = {.begun = now()};
        evaluate(reader.type, reader.key, reader.context, &details);
        read.ended = now();
        pthread_mutex_lock(&reader.lock);
        note(&details, &read);
        stop = reader.stop;
        pthread_mutex_unlock(&reader.lock);
        of_details_clear(&details);
        nanosleep(&pause, NULL);
    }
    return NULL;
}

static void start_reading(char **words, int count)
{
    reader.type = type_of(words[0]);
    snprintf(reader.key, sizeof reader.key, "%s", words[1]);
    reader.context = context_of(words + 2, count - 2);
    reader.running = pthread_create(&reader.thread, NULL, read_on, NULL) == 0;
}

static void stop_reading(void)
{
    if (reader.running) {
        pthread_mutex_lock(&reader.lock);
        reader.stop = true;
        pthread_mutex_unlock(&reader.lock);
        pthread_join(reader.thread, NULL);
        of_context_unref(reader.context);
        reader.running = false;
    }
}

static of_value *read_of(const struct read *read)
{
    of_value *list = of_value_list();
    (void)of_value_append(list, of_value_double(read->begun));
    (void)of_value_append(list, of_value_double(read->ended));
    return list;
}

static of_value *history(void)
{
    of_value *list = of_value_list();
    pthread_mutex_lock(&reader.lock);
    for (size_t i = 0; i < reader.count; i++) {
        const struct run *run = &reader.runs[i];
        of_value *item = of_value_object();
        (void)of_value_set_int(item, "value", run->value);
        (void)of_value_set_string(item, "reason", run->reason);
        (void)of_value_set_bool(item, "error", run->error != OF_OK);
        (void)of_value_set(item, "first", read_of(&run->first));
        (void)of_value_set(item, "last", read_of(&run->last));
        (void)of_value_set_double(item, "quiet", run->quiet);
        (void)of_value_append(list, item);
    }
    pthread_mutex_unlock(&reader.lock);
    return list;
}

/* --- the time of day --------------------------------------------------------------------------------- */

static atomic_long later; /* seconds */

/* In the place of libc's, for the libraries too. */
__attribute__((visibility("default"))) int clock_gettime(clockid_t clock, struct timespec *moment)
{
    int result = (int)syscall(SYS_clock_gettime, clock, moment);
    if (result == 0 && clock == CLOCK_REALTIME) {
        moment->tv_sec += atomic_load(&later);
    }
    return result;
}

static of_value *set_clock(const char *seconds)
{
    atomic_store(&later, strtol(seconds, NULL, 10));
    struct timespec moment = {0, 0};
    (void)clock_gettime(CLOCK_REALTIME, &moment);
    return of_value_int(moment.tv_sec);
}

/* --- events and commands ----------------------------------------------------------------------------- */

static void on_event(void *user, const of_event *event)
{
    (void)user;
    of_value *line = of_value_object(),
             *flags = event->flags_changed == NULL ? of_value_null() : of_value_list();
    for (size_t i = 0; i < event->flags_changed_count; i++) {
        (void)of_value_append(flags, of_value_string(event->flags_changed[i]));
    }
    (void)of_value_set_string(line, "event", of_event_name(event->type));
    (void)of_value_set_string(line, "status", of_status_name(event->status));
    (void)of_value_set(line, "message", of_value_string(event->message));
    (void)of_value_set(line, "flags", flags);
    (void)of_value_set(line, "metadata", of_value_ref(event->metadata));
    (void)of_value_set_double(line, "time", now());
    say(line);
}

static of_value *set_context(char **words, int count)
{
    of_context *context = context_of(words, count);
    of_error error = of_static_api_set_context_and_wait(world.static_api, NULL, context, 20000);
    of_context_unref(context);
    return of_value_string(error == OF_OK ? "OK" : of_error_name(error));
}

static of_value *status(void)
{
    return of_value_string(of_status_name(world.is_static ? of_static_client_status(world.static_client)
                                                          : of_client_status(world.client)));
}

static void stop(void)
{
    stop_reading();
    if (world.is_static) {
        of_static_api_shutdown(world.static_api);
    } else {
        of_api_shutdown(world.api);
    }
}

static void obey(char **words, int count)
{
    if (count >= 3 && strcmp(words[0], "get") == 0) {
        answer(get(words + 1, count - 1));
    } else if (count >= 3 && strcmp(words[0], "forked") == 0) {
        answer(get_forked(words + 1, count - 1));
    } else if (count >= 3 && strcmp(words[0], "read") == 0) {
        start_reading(words + 1, count - 1);
        answer(of_value_bool(reader.running));
    } else if (strcmp(words[0], "history") == 0) {
        answer(history());
    } else if (strcmp(words[0], "context") == 0) {
        answer(set_context(words + 1, count - 1));
    } else if (strcmp(words[0], "status") == 0) {
        answer(status());
    } else if (strcmp(words[0], "stats") == 0) {
        of_value *stats = driver_stats(world.provider);
        answer(stats == NULL ? of_value_null() : stats);
    } else if (count == 2 && strcmp(words[0], "clock") == 0) {
        answer(set_clock(words[1]));
    } else if (strcmp(words[0], "stop") == 0) {
        stop();
        answer(of_value_bool(true));
    } else {
        answer(of_value_string("no such command"));
    }
}

static void listen_to(of_event_type type)
{
    if (world.is_static) {
        (void)of_static_api_on(world.static_api, type, on_event, NULL, NULL);
    } else {
        (void)of_api_on(world.api, type, on_event, NULL, NULL);
    }
}

static of_error start(int timeout)
{
    for (of_event_type type = OF_EVENT_READY; type <= OF_EVENT_CONTEXT_CHANGED; type++) {
        listen_to(type);
    }
    if (!world.is_static) {
        world.client = of_api_client(world.api, NULL);
        return of_api_set_provider_and_wait(world.api, NULL, world.provider, timeout);
    }
    world.static_client = of_static_api_client(world.static_api, NULL);
    const char *subject = driver_option("subject");
    of_context *context = of_context_new(subject);
    (void)of_static_api_set_context(world.static_api, NULL, context);
    of_context_unref(context);
    return of_static_api_set_provider_and_wait(world.static_api, NULL, world.provider, timeout);
}

int main(int argc, char **argv)
{
    char problem[256] = "", line[LINE];
    world.argc = argc;
    world.argv = argv;
    world.is_static = driver_option("subject") != NULL;
    world.api = of_api_global();
    world.static_api = of_static_api_global();
    world.provider = driver_make(problem, sizeof problem);
    if (world.provider == NULL) {
        fprintf(stderr, "no provider: %s\n", problem);
        return 1;
    }
    of_error error = start((int)driver_number("patience", 20000));
    answer(of_value_string(error == OF_OK ? "OK" : of_error_name(error)));
    while (fgets(line, sizeof line, stdin) != NULL) {
        char *words[WORDS], *rest = line, *word;
        int count = 0;
        while (count < WORDS && (word = strsep(&rest, " \n")) != NULL) {
            if (*word != '\0') {
                words[count++] = word;
            }
        }
        if (count > 0) {
            obey(words, count);
        }
    }
    stop();
    of_client_unref(world.client);
    of_static_client_unref(world.static_client);
    of_provider_unref(world.provider);
    return 0;
}

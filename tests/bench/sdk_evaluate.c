/* SPDX-License-Identifier: Apache-2.0 */
/*
 * One evaluation by a client without hooks, 5,000 flags, in one thread and in two at once, against a bare
 * look-up in an open-addressing table and a coarse clock read. Then the same by stock SDKs on Node, where it
 * and their packages are installed. CPU time of one evaluation.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>

#include "bench.h"
#include "sdk.h"

enum { ROUNDS = 100, MOST_THREADS = 2 };

struct side {
    struct sdk_world *world;
    long (*once)(const struct side *side); /* all keys of a type: how many were on */
    of_client *client;
    const char *peer;
    size_t count; /* of keys */
    int threads;
};

static long bare_bool(const struct side *side)
{
    long on = 0;
    for (size_t i = 0; i < SDK_BOOLS; i++)
        on += bare_find(side->world->bare, side->world->bools[i])->on;
    return on;
}

static long bare_string(const struct side *side)
{
    long on = 0;
    for (size_t i = 0; i < SDK_STRINGS; i++)
        on += side->world->texts[bare_find(side->world->bare, side->world->strings[i])->on].length ==
              sizeof SDK_ON - 1;
    return on;
}

static long bool_value(const struct side *side)
{
    long on = 0;
    for (size_t i = 0; i < SDK_BOOLS; i++)
        on += of_client_get_bool(side->client, side->world->bools[i], false, side->world->context, NULL);
    return on;
}

static long fixed_bool_value(const struct side *side)
{
    long on = 0;
    for (size_t i = 0; i < SDK_BOOLS; i++)
        on += of_static_client_get_bool(side->world->fixed_client, side->world->bools[i], false, NULL);
    return on;
}

static long bool_details(const struct side *side)
{
    long on = 0;
    of_details details;
    for (size_t i = 0; i < SDK_BOOLS; i++) {
        of_client_bool_details(side->client, side->world->bools[i], false, side->world->context, NULL,
                               &details);
        on += details.value.boolean;
        of_details_clear(&details);
    }
    return on;
}

static long string_value(const struct side *side)
{
    long on = 0;
    for (size_t i = 0; i < SDK_STRINGS; i++) {
        of_string text =
            of_client_get_string(side->client, side->world->strings[i], "", side->world->context, NULL);
        on += text.length == sizeof SDK_ON - 1;
        of_string_release(&text);
    }
    return on;
}

static long string_details(const struct side *side)
{
    long on = 0;
    of_details details;
    for (size_t i = 0; i < SDK_STRINGS; i++) {
        of_client_string_details(side->client, side->world->strings[i], "", side->world->context, NULL,
                                 &details);
        on += details.value.string.length == sizeof SDK_ON - 1;
        of_details_clear(&details);
    }
    return on;
}

struct worker {
    const struct side *side;
    pthread_barrier_t *start;
    double cost;
};

static void *work(void *self)
{
    struct worker *worker = self;
    const struct side *side = worker->side;
    long expected = (long)side->count / 2, on = side->once(side); /* warms the caches, too */
    size_t rounds = ROUNDS * SDK_BOOLS / side->count;
    BENCH_MUST(on == expected);
    pthread_barrier_wait(worker->start);
    double start = bench_thread_cpu();
    for (size_t i = 0; i < rounds; i++)
        on += side->once(side);
    worker->cost = (bench_thread_cpu() - start) / (double)(rounds * side->count);
    BENCH_MUST(on == expected * (long)(rounds + 1));
    return NULL;
}

/* CPU ns of one evaluation, the mean of all threads. */
static double evaluate(void *self)
{
    const struct side *side = self;
    pthread_barrier_t start;
    pthread_t threads[MOST_THREADS];
    struct worker workers[MOST_THREADS];
    double cost = 0;
    BENCH_MUST(pthread_barrier_init(&start, NULL, (unsigned)side->threads) == 0);
    for (int i = 0; i < side->threads; i++) {
        workers[i] = (struct worker){side, &start, 0};
        BENCH_MUST(pthread_create(&threads[i], NULL, work, &workers[i]) == 0);
    }
    for (int i = 0; i < side->threads; i++) {
        pthread_join(threads[i], NULL);
        cost += workers[i].cost / side->threads;
    }
    pthread_barrier_destroy(&start);
    return cost;
}

/* The peer measures itself and prints nanoseconds. */
static double on_node(void *self)
{
    const struct side *side = self;
    char command[1024], line[64] = "";
    snprintf(command, sizeof command, "node '" BENCH_ROOT "/tests/bench/sdk_evaluate.cjs' %s", side->peer);
    FILE *pipe = popen(command, "r");
    BENCH_MUST(pipe && fgets(line, sizeof line, pipe) && strtod(line, NULL) > 0);
    BENCH_MUST(pclose(pipe) == 0);
    return strtod(line, NULL);
}

static bool have_node(void)
{
    return system("cd '" BENCH_ROOT "/tests/node/node_modules' 2>/dev/null && test -d "
                  "@openfeature/server-sdk && test -d @launchdarkly/node-server-sdk && node --version "
                  ">/dev/null 2>&1") == 0;
}

static void compare_values(struct sdk_world *world, int threads)
{
    struct side bare = {world, bare_bool, NULL, NULL, SDK_BOOLS, threads};
    struct side memory = {world, bool_value, world->memory_client, NULL, SDK_BOOLS, threads};
    struct side live = {world, bool_value, world->live_client, NULL, SDK_BOOLS, threads};
    struct side fixed = {world, fixed_bool_value, NULL, NULL, SDK_BOOLS, threads};
    const struct bench_side sides[] = {{"floor: look-up and coarse clock", evaluate, &bare},
                                       {"memory", evaluate, &memory},
                                       {"live", evaluate, &live},
                                       {"live, static context", evaluate, &fixed}};
    bench_compare(threads == 1 ? "Boolean value, 5,000 flags, 1 thread"
                               : "Boolean value, 5,000 flags, 2 threads at once",
                  "CPU ns", sides, 4);
}

static void compare_rest(struct sdk_world *world)
{
    struct side floor = {world, bare_bool, NULL, NULL, SDK_BOOLS, 1};
    struct side memory = {world, bool_details, world->memory_client, NULL, SDK_BOOLS, 1};
    struct side live = {world, bool_details, world->live_client, NULL, SDK_BOOLS, 1};
    const struct bench_side details[] = {{"floor: look-up and coarse clock", evaluate, &floor},
                                         {"memory", evaluate, &memory},
                                         {"live", evaluate, &live}};
    bench_compare("Boolean details, 5,000 flags, 1 thread", "CPU ns", details, 3);
    struct side bare = {world, bare_string, NULL, NULL, SDK_STRINGS, 1};
    struct side memory_value = {world, string_value, world->memory_client, NULL, SDK_STRINGS, 1};
    struct side memory_details = {world, string_details, world->memory_client, NULL, SDK_STRINGS, 1};
    struct side live_value = {world, string_value, world->live_client, NULL, SDK_STRINGS, 1};
    struct side live_details = {world, string_details, world->live_client, NULL, SDK_STRINGS, 1};
    const struct bench_side strings[] = {{"floor: look-up and coarse clock", evaluate, &bare},
                                         {"memory, value", evaluate, &memory_value},
                                         {"memory, details", evaluate, &memory_details},
                                         {"live, value", evaluate, &live_value},
                                         {"live, details", evaluate, &live_details}};
    bench_compare("String, 5,000 flags (1,000 strings), 1 thread", "CPU ns", strings, 5);
}

static void compare_peers(struct sdk_world *world)
{
    struct side memory = {world, bool_value, world->memory_client, NULL, SDK_BOOLS, 1};
    struct side live = {world, bool_value, world->live_client, NULL, SDK_BOOLS, 1};
    struct side openfeature = {.peer = "openfeature"}, launchdarkly = {.peer = "launchdarkly"};
    const struct bench_side sides[] = {
        {"live", evaluate, &live},
        {"memory", evaluate, &memory},
        {"@openfeature/server-sdk, in-memory, Node", on_node, &openfeature},
        {"@launchdarkly/node-server-sdk, test data, Node", on_node, &launchdarkly}};
    if (have_node())
        bench_compare("Boolean value, 5,000 flags, 1 thread, against SDKs on Node", "CPU ns", sides, 4);
    else
        printf("No comparison with SDKs on Node: node, or the packages of tests/node, are not there\n");
}

/* With the argument `alone` no SDK on Node is asked: they take most of the time. With `details` only details
 * and strings are looked at. */
int main(int argc, char **argv)
{
    const char *which = argc > 1 ? argv[1] : "";
    struct sdk_world *world = sdk_world_create();
    if (strcmp(which, "details") != 0) {
        compare_values(world, 1);
        compare_values(world, 2);
    }
    compare_rest(world);
    if (strcmp(which, "") == 0)
        compare_peers(world);
    sdk_world_destroy(world);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * What readers notice of a writer: two threads evaluate flags of 5,000 without a pause, each evaluation is
 * timed by itself, and meanwhile one flag changes a hundred times a second: by an event at the daemon (live)
 * or by the program (memory). The floor are the same readers without a writer.
 */
#include <pthread.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <unistd.h>
#if defined(__x86_64__)
#include <x86intrin.h>
#endif

#include <flagstaff/live_provider.h>

#include "base/alloc.h"
#include "bench.h"
#include "sdk.h"

enum { READERS = 2, CHANGES = 40, PAUSE_NS = 10 * 1000 * 1000, LONGEST = 1 << 16 };

struct side {
    struct sdk_world *world;
    of_client *client;
    void (*change)(struct side *side, long n); /* NULL: nothing changes */
    struct peer *peer;
    uint64_t *all; /* of all turns: how many evaluations took so many ticks */
};

struct reader {
    const struct side *side;
    atomic_bool *stop;
    uint64_t ticks[LONGEST];
};

static double ns_per_tick = 1;

/* Ticks when all before it is done. */
static inline uint64_t now(void)
{
#if defined(__x86_64__)
    _mm_lfence();
    uint64_t ticks = __rdtsc();
    _mm_lfence();
    return ticks;
#else
    return (uint64_t)bench_wall();
#endif
}

static void measure_ticks(void)
{
    int64_t wall = bench_wall();
    uint64_t ticks = now();
    nanosleep(&(struct timespec){.tv_nsec = 100 * 1000 * 1000}, NULL);
    ns_per_tick = (double)(bench_wall() - wall) / (double)(now() - ticks);
}

static void *read_flags(void *self)
{
    struct reader *reader = self;
    const struct sdk_world *world = reader->side->world;
    long on = 0;
    while (!atomic_load_explicit(reader->stop, memory_order_relaxed)) {
        for (size_t i = 0; i < SDK_BOOLS; i++) {
            uint64_t start = now();
            on += of_client_get_bool(reader->side->client, world->bools[i], false, world->context, NULL);
            uint64_t took = now() - start;
            reader->ticks[took < LONGEST ? took : LONGEST - 1]++;
        }
    }
    BENCH_MUST(on > 0);
    return NULL;
}

static double percentile(const uint64_t *ticks, double percent)
{
    uint64_t count = 0, seen = 0;
    for (size_t i = 0; i < LONGEST; i++)
        count += ticks[i];
    uint64_t rank = (uint64_t)((double)(count - 1) * percent / 100);
    size_t i = 0;
    while ((seen += ticks[i]) <= rank)
        i++;
    return (double)i * ns_per_tick;
}

static void change_live(struct side *side, long n)
{
    char *request = fact_request(SDK_SUBJECT, 0, n);
    net_send(side->peer->socket, request, strlen(request));
    fs_free(request);
    int status;
    while ((status = peer_response(side->peer)) == 0)
        peer_read(side->peer, true);
    BENCH_MUST(status / 100 == 2);
}

static void change_memory(struct side *side, long n)
{
    sdk_memory_put(side->world, 0, n % 2 == 1);
}

static uint64_t deltas(const struct side *side)
{
    of_live_stats stats = {.size = sizeof stats};
    BENCH_MUST(of_live_provider_stats(side->world->live_provider, &stats));
    return stats.deltas;
}

/* One after another at their moments, while readers read. */
static void write_changes(struct side *side)
{
    static long n;
    struct timespec due;
    uint64_t before = deltas(side);
    if (side->peer != NULL) { /* one that is idle for long is closed by the daemon, and rightly */
        side->peer->length = 0;
        side->peer->socket = net_connect(side->world->daemon.port);
        BENCH_MUST(side->peer->socket >= 0);
    }
    clock_gettime(CLOCK_MONOTONIC, &due);
    for (int i = 0; i < CHANGES; i++) {
        due.tv_nsec += PAUSE_NS;
        if (due.tv_nsec >= 1000000000)
            due.tv_sec++, due.tv_nsec -= 1000000000;
        clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME, &due, NULL);
        if (side->change != NULL)
            side->change(side, ++n);
    }
    if (side->peer != NULL) { /* a few may have come together */
        BENCH_MUST(deltas(side) - before > CHANGES * 3 / 4);
        close(side->peer->socket);
    }
}

/* p99 of one evaluation. */
static double turn(void *self)
{
    struct side *side = self;
    atomic_bool stop = false;
    pthread_t threads[READERS];
    struct reader *readers = fs_calloc(READERS, sizeof *readers);
    for (int i = 0; i < READERS; i++) {
        readers[i].side = side;
        readers[i].stop = &stop;
        BENCH_MUST(pthread_create(&threads[i], NULL, read_flags, &readers[i]) == 0);
    }
    write_changes(side);
    atomic_store(&stop, true);
    for (int i = 0; i < READERS; i++) {
        pthread_join(threads[i], NULL);
        for (size_t t = 0; t < LONGEST; t++)
            readers[0].ticks[t] += i > 0 ? readers[i].ticks[t] : 0;
    }
    for (size_t t = 0; t < LONGEST; t++)
        side->all[t] += readers[0].ticks[t];
    double cost = percentile(readers[0].ticks, 99);
    fs_free(readers);
    return cost;
}

static void compare(const char *title, struct side *quiet, struct side *busy)
{
    quiet->all = fs_calloc(LONGEST, sizeof *quiet->all);
    busy->all = fs_calloc(LONGEST, sizeof *busy->all);
    const struct bench_side sides[] = {{"no writer", turn, quiet}, {"100 changes a second", turn, busy}};
    bench_compare(title, "p99, ns", sides, 2);
    printf("  all turns together, ns %25s %9s %9s %9s\n", "p50", "p90", "p99", "p99.9");
    const struct side *both[] = {quiet, busy};
    for (size_t i = 0; i < 2; i++)
        printf("  %-38s %9.0f %9.0f %9.0f %9.0f\n", sides[i].name, percentile(both[i]->all, 50),
               percentile(both[i]->all, 90), percentile(both[i]->all, 99), percentile(both[i]->all, 99.9));
    printf("\n");
    fs_free(quiet->all), fs_free(busy->all);
}

int main(void)
{
    struct sdk_world *world = sdk_world_create();
    struct peer *peer = FS_NEW(struct peer);
    measure_ticks();
    struct side live_quiet = {.world = world, .client = world->live_client}, live_busy = live_quiet;
    struct side memory_quiet = {.world = world, .client = world->memory_client}, memory_busy = memory_quiet;
    live_busy.change = change_live, live_busy.peer = peer;
    memory_busy.change = change_memory;
    compare("live: 2 readers, 1 flag of 5,000 changes", &live_quiet, &live_busy);
    compare("memory: 2 readers, 1 flag of 5,000 changes", &memory_quiet, &memory_busy);
    sdk_world_destroy(world);
    fs_free(peer);
    return 0;
}

/* SPDX-License-Identifier: Apache-2.0 */
/* The turns, the clocks and the tables of the benches: see bench.h. */
#include "bench.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "base/alloc.h"

#define TURNS_MOST 101

_Noreturn void bench_die(const char *file, int line, const char *claim)
{
    fprintf(stderr, "%s:%d: %s (%s)\n", file, line, claim, strerror(errno));
    exit(1);
}

static double nanos(clockid_t clock)
{
    struct timespec now;
    clock_gettime(clock, &now);
    return (double)now.tv_sec * 1e9 + (double)now.tv_nsec;
}

double bench_thread_cpu(void)
{
    return nanos(CLOCK_THREAD_CPUTIME_ID);
}

int64_t bench_wall(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

void bench_add(struct bench_values *values, double value)
{
    if (values->count == values->capacity) {
        values->capacity = values->capacity ? values->capacity * 2 : 64;
        values->items = fs_realloc(values->items, values->capacity, sizeof *values->items);
    }
    values->items[values->count++] = value;
}

static int by_size(const void *a, const void *b)
{
    const double *x = a, *y = b;
    return (*x > *y) - (*x < *y);
}

double bench_percentile(struct bench_values *values, double percent)
{
    BENCH_MUST(values->count);
    qsort(values->items, values->count, sizeof *values->items, by_size);
    size_t rank = (size_t)(percent / 100 * (double)(values->count - 1) + 0.5);
    return values->items[rank];
}

void bench_finish(struct bench_values *values)
{
    fs_free(values->items);
    memset(values, 0, sizeof *values);
}

/* All and stolen ticks of the machine's CPUs. */
static void read_ticks(double *all, double *stolen)
{
    unsigned long long v[8] = {0};
    FILE *file = fopen("/proc/stat", "r");
    BENCH_MUST(file);
    BENCH_MUST(fscanf(file, "cpu %llu %llu %llu %llu %llu %llu %llu %llu", &v[0], &v[1], &v[2], &v[3], &v[4],
                      &v[5], &v[6], &v[7]) == 8);
    fclose(file);
    *all = 0;
    for (size_t i = 0; i < 8; i++)
        *all += (double)v[i];
    *stolen = (double)v[7];
}

static int turns_wanted(void)
{
    const char *text = getenv("BENCH_TURNS");
    long turns = text ? strtol(text, NULL, 10) : BENCH_TURNS;
    return turns < 1 ? 1 : turns > TURNS_MOST ? TURNS_MOST : (int)turns;
}

static void tell(const char *name, struct bench_values *cost, struct bench_values *ratio)
{
    printf("  %-44s %10.1f %10.1f %10.1f   %7.2f %7.2f %7.2f\n", name, bench_percentile(cost, 0),
           bench_percentile(cost, 50), bench_percentile(cost, 100), bench_percentile(ratio, 0),
           bench_percentile(ratio, 50), bench_percentile(ratio, 100));
}

void bench_compare(const char *title, const char *unit, const struct bench_side *sides, size_t count)
{
    struct bench_values costs[BENCH_SIDES] = {{0}}, ratios[BENCH_SIDES] = {{0}};
    double all, stolen, all_after, stolen_after, load[1] = {0};
    int turns = turns_wanted();
    BENCH_MUST(count <= BENCH_SIDES);
    read_ticks(&all, &stolen);
    for (int turn = 0; turn < turns; turn++) {
        double cost[BENCH_SIDES];
        for (size_t i = 0; i < count; i++) {
            size_t side = turn % 2 ? count - 1 - i : i;
            cost[side] = sides[side].run(sides[side].self);
        }
        for (size_t i = 0; i < count; i++) {
            bench_add(&costs[i], cost[i]);
            bench_add(&ratios[i], cost[i] / cost[0]);
        }
    }
    read_ticks(&all_after, &stolen_after);
    BENCH_MUST(getloadavg(load, 1) == 1);
    printf("%s\n  %-44s %10s %10s %10s   %7s %7s %7s\n", title, unit, "min", "median", "max", "ratio",
           "median", "max");
    for (size_t i = 0; i < count; i++) {
        tell(sides[i].name, &costs[i], &ratios[i]);
        bench_finish(&costs[i]);
        bench_finish(&ratios[i]);
    }
    printf("  %d turns, steal %.1f %%, load %.1f\n\n", turns,
           100 * (stolen_after - stolen) / (all_after - all), load[0]);
    fflush(stdout);
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * How benches are run: each side (ours, a floor, a peer) several times in turns within one run, so that what
 * the machine does besides meets all of them; told are minimum, median and maximum of each, and of the ratio
 * to the first side within each turn. Nothing here judges: a bench prints what it saw. Not part of
 * script/test.
 */
#ifndef TESTS_BENCH_BENCH_H
#define TESTS_BENCH_BENCH_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define BENCH_TURNS 7
#define BENCH_SIDES 8

struct bench_side {
    const char *name;
    double (*run)(void *self); /* one turn: what it cost, in the bench's unit */
    void *self;
};

/* Runs the sides BENCH_TURNS times (or $BENCH_TURNS), every other turn backwards, and prints a table. The
 * first side is the floor. */
void bench_compare(const char *title, const char *unit, const struct bench_side *sides, size_t count);

/* Nanoseconds: of this thread's CPU, and on the wall. */
double bench_thread_cpu(void);
int64_t bench_wall(void);

/* Values whose percentiles are wanted. */
struct bench_values {
    double *items;
    size_t count, capacity;
};
void bench_add(struct bench_values *values, double value);
double bench_percentile(struct bench_values *values, double percent); /* sorts */
void bench_finish(struct bench_values *values);

/* Ends the program with a text where a thing that must work does not. */
#define BENCH_MUST(claim)                                                                                    \
    do {                                                                                                     \
        if (!(claim))                                                                                        \
            bench_die(__FILE__, __LINE__, #claim);                                                           \
    } while (0)
_Noreturn void bench_die(const char *file, int line, const char *claim);

#endif

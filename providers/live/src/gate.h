/* SPDX-License-Identifier: Apache-2.0 */
/*
 * gate.h: whether the values of one context are leased, asked at every read (DESIGN: values are leased).
 *
 * The lease ends at a moment of CLOCK_BOOTTIME, which runs while the machine sleeps but costs as much as a
 * look-up. So it is read once for each tick of CLOCK_MONOTONIC_COARSE: while the tick is the same, so is the
 * verdict. A machine cannot sleep within a tick, since suspending moves the coarse clock on before it stops.
 * Leases are taken to end one tick early, so that a verdict never outlives them.
 */
#ifndef LIVE_GATE_H
#define LIVE_GATE_H

#include <stdatomic.h>
#include <stdbool.h>
#include <stdint.h>
#include <time.h>

struct live_gate {
    _Atomic(int64_t) until;       /* ms of CLOCK_BOOTTIME; 0: not leased */
    _Atomic(uint32_t) generation; /* counts the times at which a lease was cut short */
    _Atomic(uint64_t) verified;   /* tick and generation for which the lease was seen to run */
};

#define LIVE_TICK_MASK (~UINT64_C(0xff))

static inline uint64_t live_tick(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC_COARSE, &now);
    return ((uint64_t)now.tv_sec * 1000000000u + (uint64_t)now.tv_nsec) & LIVE_TICK_MASK;
}

static inline int64_t live_boottime(void)
{
    struct timespec now;
    clock_gettime(CLOCK_BOOTTIME, &now);
    return (int64_t)now.tv_sec * 1000 + now.tv_nsec / 1000000;
}

/* Readers: whether the lease runs in this tick. margin is the length of a tick in ms, rounded up. */
static inline bool live_gate_leased(struct live_gate *gate, uint64_t tick, int64_t margin)
{
    uint32_t generation = atomic_load_explicit(&gate->generation, memory_order_acquire);
    uint64_t verdict = tick | (generation & 0xff);
    if (atomic_load_explicit(&gate->verified, memory_order_acquire) == verdict) {
        return true;
    }
    int64_t until = atomic_load_explicit(&gate->until, memory_order_acquire);
    if (live_boottime() + margin >= until) {
        return false;
    }
    atomic_store_explicit(&gate->verified, verdict, memory_order_release);
    return true;
}

/* One writer at a time: a verdict that a reader is about to write for an end that was taken back does not
 * count. */
static inline void live_gate_set(struct live_gate *gate, int64_t until)
{
    bool shorter = until < atomic_load_explicit(&gate->until, memory_order_relaxed);
    atomic_store_explicit(&gate->until, until, memory_order_release);
    if (shorter) {
        atomic_fetch_add_explicit(&gate->generation, 1, memory_order_release);
    }
}

#endif

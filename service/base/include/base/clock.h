/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time comes from outside: whoever needs it gets a struct fs_time or a clock. Durations and deadlines use
 * `mono` (CLOCK_BOOTTIME: it runs through suspend, as leases need); dates use `wall` (CLOCK_REALTIME).
 */
#ifndef FS_BASE_CLOCK_H
#define FS_BASE_CLOCK_H

#include <stdbool.h>
#include <stdint.h>

/* One moment on both clocks, in milliseconds. */
struct fs_time {
    int64_t mono;
    int64_t wall;
};

struct fs_clock {
    struct fs_time (*now)(void *self);
    void *self;
};

/* The machine's clocks. Any thread. */
struct fs_clock fs_clock_system(void);
static inline struct fs_time fs_clock_now(const struct fs_clock *clock)
{
    return clock->now(clock->self);
}
/*
 * Has the wall clock gone ahead of `mono` by more than FS_WALL_STEP_MS since timers were last armed for
 * moments of it? Then they are late by that and must be armed anew. `lead` is the caller's, and begins as
 * wall - mono. A suspend moves both clocks; a clock that is slewed counts when it adds up; one that is set
 * back makes timers early, which their owners must bear. Any thread.
 */
#define FS_WALL_STEP_MS 1000
bool fs_wall_went_ahead(int64_t *lead, struct fs_time now);
/* For measuring stages: nanoseconds on CLOCK_MONOTONIC. Any thread. */
int64_t fs_clock_nanos(void);

/* A clock that stands still until a test moves it. */
struct fs_fake_clock {
    struct fs_time time;
};
struct fs_clock fs_fake_clock(struct fs_fake_clock *fake);
void fs_fake_clock_advance(struct fs_fake_clock *fake, int64_t ms);

#endif

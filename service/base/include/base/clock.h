/* SPDX-License-Identifier: Apache-2.0 */
/*
 * Time comes from outside: whoever needs it gets a struct fs_time or a clock. Durations and deadlines use
 * `mono` (CLOCK_BOOTTIME: it runs through suspend, as leases need); dates use `wall` (CLOCK_REALTIME).
 */
#ifndef FS_BASE_CLOCK_H
#define FS_BASE_CLOCK_H

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
/* For measuring stages: nanoseconds on CLOCK_MONOTONIC. Any thread. */
int64_t fs_clock_nanos(void);

/* A clock that stands still until a test moves it. */
struct fs_fake_clock {
    struct fs_time time;
};
struct fs_clock fs_fake_clock(struct fs_fake_clock *fake);
void fs_fake_clock_advance(struct fs_fake_clock *fake, int64_t ms);

#endif

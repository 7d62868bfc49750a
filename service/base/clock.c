/* SPDX-License-Identifier: Apache-2.0 */
/* The machine's clocks and the one that tests move. The only file of the service that reads a clock. */
#include "base/clock.h"

#include <stddef.h>
#include <time.h>

#include "fatal.h"

static int64_t read_nanos(clockid_t id)
{
    struct timespec now;
    if (clock_gettime(id, &now) != 0)
        fs_base_fatal("the system has no clock of the needed kind (clock_gettime)");
    return (int64_t)now.tv_sec * 1000000000 + now.tv_nsec;
}

static struct fs_time system_now(void *self)
{
    (void)self;
    return (struct fs_time){
        .mono = read_nanos(CLOCK_BOOTTIME) / 1000000,
        .wall = read_nanos(CLOCK_REALTIME) / 1000000,
    };
}

struct fs_clock fs_clock_system(void)
{
    return (struct fs_clock){.now = system_now, .self = NULL};
}

int64_t fs_clock_nanos(void)
{
    return read_nanos(CLOCK_MONOTONIC);
}

static struct fs_time fake_now(void *self)
{
    return ((struct fs_fake_clock *)self)->time;
}

struct fs_clock fs_fake_clock(struct fs_fake_clock *fake)
{
    return (struct fs_clock){.now = fake_now, .self = fake};
}

void fs_fake_clock_advance(struct fs_fake_clock *fake, int64_t ms)
{
    fake->time.mono += ms;
    fake->time.wall += ms;
}

bool fs_wall_went_ahead(int64_t *lead, struct fs_time now)
{
    int64_t is = now.wall - now.mono;
    bool ahead = is > *lead + FS_WALL_STEP_MS;
    if (ahead || is < *lead) /* the least lead since: no timer was armed at a lesser one */
        *lead = is;
    return ahead;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff.h: how long to wait before the next attempt to connect: full jitter, as described in Marc Brooker,
 * "Exponential Backoff And Jitter" (AWS Architecture Blog, 2015). Pure: chance is passed in.
 */
#ifndef WIRE_BACKOFF_H
#define WIRE_BACKOFF_H

#include <stdint.h>

struct fsw_backoff {
    int64_t base; /* ms */
    int64_t cap;  /* ms */
    unsigned attempts;
};

/* The wait in ms before the next attempt: evenly between 0 and min(cap, base * 2^attempts); chance is any
 * random number. */
int64_t fsw_backoff_next(struct fsw_backoff *backoff, uint64_t chance);

/* The wait where trying again is likely to be in vain (a refused credential): evenly between cap/2 and cap.
 */
int64_t fsw_backoff_slow(const struct fsw_backoff *backoff, uint64_t chance);

/* A connection has worked: begin at base again. */
void fsw_backoff_reset(struct fsw_backoff *backoff);

#endif

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * backoff.c: see backoff.h.
 */
#include "backoff.h"

int64_t fsw_backoff_next(struct fsw_backoff *backoff, uint64_t chance)
{
    int64_t most = backoff->base;
    for (unsigned i = 0; i < backoff->attempts && most < backoff->cap; i++) {
        most *= 2;
    }
    if (most > backoff->cap) {
        most = backoff->cap;
    }
    if (backoff->attempts < 63) {
        backoff->attempts++;
    }
    return (int64_t)(chance % ((uint64_t)most + 1));
}

int64_t fsw_backoff_slow(const struct fsw_backoff *backoff, uint64_t chance)
{
    int64_t least = backoff->cap / 2;
    return least + (int64_t)(chance % (uint64_t)(backoff->cap - least + 1));
}

void fsw_backoff_reset(struct fsw_backoff *backoff)
{
    backoff->attempts = 0;
}

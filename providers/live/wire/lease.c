/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.c: see lease.h.
 */
#include "lease.h"

#include <string.h>

/* Longer leases are cut to this, so that no sum of a moment and a duration overflows: some 146 million years.
 */
#define LEASE_LONGEST (INT64_MAX / 2)
/* And no lease, however short, makes the client renew more often than this. */
#define THIRD_SHORTEST 50

int64_t fsw_lease_third(const struct fsw_lease *lease)
{
    int64_t third = lease->duration / 3;
    return third > THIRD_SHORTEST ? third : THIRD_SHORTEST;
}

void fsw_lease_hello(struct fsw_lease *lease, int64_t now)
{
    memset(lease->sent, 0, sizeof lease->sent);
    lease->sent[0] = now;
    lease->newest = 0;
    lease->granted = -1;
    lease->next = INT64_MAX;
}

void fsw_lease_welcome(struct fsw_lease *lease, int64_t duration)
{
    lease->duration = duration < LEASE_LONGEST ? duration : LEASE_LONGEST;
    lease->next = lease->sent[0] + fsw_lease_third(lease);
}

uint64_t fsw_lease_renew(struct fsw_lease *lease, int64_t now)
{
    lease->newest++;
    lease->sent[lease->newest % FSW_LEASE_RENEWALS] = now;
    lease->next = now + fsw_lease_third(lease);
    return lease->newest;
}

bool fsw_lease_due(const struct fsw_lease *lease, int64_t now)
{
    return lease->duration > 0 && now >= lease->next;
}

bool fsw_lease_grant(struct fsw_lease *lease, uint64_t n, int64_t duration)
{
    if (n > lease->newest || n > INT64_MAX || (int64_t)n <= lease->granted ||
        lease->newest - n >= FSW_LEASE_RENEWALS) {
        return false;
    }
    int64_t sent = lease->sent[n % FSW_LEASE_RENEWALS];
    int64_t cut = duration < LEASE_LONGEST ? duration : LEASE_LONGEST;
    lease->granted = (int64_t)n;
    lease->end = sent + cut;
    if (cut != lease->duration) {
        lease->duration = cut;
        lease->next = lease->sent[lease->newest % FSW_LEASE_RENEWALS] + fsw_lease_third(lease);
    }
    return true;
}

void fsw_lease_end(struct fsw_lease *lease)
{
    lease->end = 0;
}

bool fsw_lease_runs(const struct fsw_lease *lease, int64_t now)
{
    return now < lease->end;
}

/* SPDX-License-Identifier: Apache-2.0 */
/*
 * lease.h: the lease's arithmetic (docs/protocol/README.md, section 4). Pure: every time is passed in, in
 * milliseconds of a clock that runs through suspend. A lease counts from when its renewal was sent.
 */
#ifndef WIRE_LEASE_H
#define WIRE_LEASE_H

#include <stdbool.h>
#include <stdint.h>

/* Renewals that may be unanswered at one time before the oldest is forgotten (a grant of it then counts for
 * nothing). */
#define FSW_LEASE_RENEWALS 16

struct fsw_lease {
    int64_t sent[FSW_LEASE_RENEWALS]; /* when renewal n of this connection was sent, at n mod
                                         FSW_LEASE_RENEWALS */
    uint64_t newest;                  /* the newest renewal sent on this connection; 0 is hello */
    int64_t granted;                  /* the newest granted on this connection; -1: none */
    int64_t duration;                 /* of the newest grant, or as welcome said; 0: not known */
    int64_t end;                      /* the lease runs before this moment; 0: there never was one */
    int64_t next;                     /* when the next renewal is due */
};

/* hello was sent at `now`, on a new connection. A lease from the last one goes on. */
void fsw_lease_hello(struct fsw_lease *lease, int64_t now);

/* welcome said how long leases will run. */
void fsw_lease_welcome(struct fsw_lease *lease, int64_t duration);

/* A renewal is sent at `now`: returns its number. */
uint64_t fsw_lease_renew(struct fsw_lease *lease, int64_t now);

/* The rhythm of renewals: a third of the lease, but never less than 50 ms. */
int64_t fsw_lease_third(const struct fsw_lease *lease);

/* Whether one is due at `now`. Only between welcome and the connection's end. */
bool fsw_lease_due(const struct fsw_lease *lease, int64_t now);

/* Renewal n was granted. False where n was never sent, is not newer than the last grant, or was forgotten: no
 * effect. */
bool fsw_lease_grant(struct fsw_lease *lease, uint64_t n, int64_t duration);

/* The lease is over at once (goaway `revoked`). */
void fsw_lease_end(struct fsw_lease *lease);

bool fsw_lease_runs(const struct fsw_lease *lease, int64_t now);

#endif

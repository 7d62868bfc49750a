// SPDX-License-Identifier: Apache-2.0
// When to connect again (docs/protocol, section 5): full jitter, so that the clients of a service that was away do not
// all come back at once.

const BASE = 100;
const LONGEST = 30_000;

/** Milliseconds before the attempt number `k`, from 0. */
export const jitter = (k: number): number => Math.random() * Math.min(LONGEST, BASE * 2 ** k);

/** After a refusal nothing is gained by hurry: between half of the longest pause and all of it. */
export const slow = (): number => LONGEST / 2 + Math.random() * (LONGEST / 2);

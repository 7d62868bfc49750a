// SPDX-License-Identifier: Apache-2.0
// A source's cumulative latency histogram, as people look at it.
import type { Source } from './types.ts';

export type Latency = NonNullable<Source['latency']>;

/** How many took so long, of how many took so long or less; between the first and the last that has any. */
export function barsOf(buckets: Latency['buckets']): { leMs: number | null; count: number }[] {
  const bars = buckets.map((one, i) => ({ leMs: one.leMs, count: one.count - (buckets[i - 1]?.count ?? 0) }));
  const first = bars.findIndex((one) => one.count > 0);
  return first < 0 ? [] : bars.slice(first, bars.findLastIndex((one) => one.count > 0) + 1);
}

/** The bound under which so large a part of the answers stayed; null: none is known. */
export function within(latency: Latency, part: number): number | null {
  return latency.buckets.find((one) => one.count >= latency.count * part)?.leMs ?? null;
}

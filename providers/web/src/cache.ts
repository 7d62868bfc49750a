// SPDX-License-Identifier: Apache-2.0
// The flags that a watch holds. A revision makes a new table out of the old one, so it takes effect as a whole; flags
// never change once they are here.
import type { DeltaFrame, Flag, SnapshotFrame } from './protocol.js';

export type Table = ReadonlyMap<string, Flag>;
export type Part = SnapshotFrame | DeltaFrame;
type Change = DeltaFrame['watches'][number];

/** The table of `watch` after the parts of a revision, with the view of a snapshot that was among them. */
export function apply(table: Table | undefined, parts: readonly Part[], watch: number): { table: Table | undefined; view: string | undefined } {
  let view: string | undefined;
  let next = table && new Map(table);
  for (const part of parts) {
    // The first snapshot in a revision replaces; a further one continues it.
    if (part.type === 'snapshot' && part.watch === watch) {
      if (view === undefined) next = new Map();
      view = part.view;
    }
    const changes: Change[] = part.type === 'snapshot' ? [{ watch: part.watch, flags: part.flags }] : part.watches;
    for (const { removed, flags } of changes.filter((change) => change.watch === watch)) {
      removed?.forEach((key) => next?.delete(key));
      flags?.forEach((flag) => next?.set(flag.key, flag));
    }
  }
  return { table: next, view };
}

const sign = (flag: Flag | undefined): string | undefined =>
  flag && JSON.stringify([flag.type, flag.value, flag.variant, flag.reason, flag.safe, flag.error]);

/** The keys whose flag is another one: a change of type, value, variant, reason, safe or error. */
export function changed(before: Table | undefined, after: Table | undefined): string[] {
  const either = new Map([...(before ?? []), ...(after ?? [])]);
  return [...either.keys()].filter((key) => {
    const old = before?.get(key);
    const fresh = after?.get(key);
    return old !== fresh && sign(old) !== sign(fresh);
  });
}

/** The access flags that read otherwise without a lease than with one. */
export const granting = (table: Table | undefined): string[] =>
  [...(table?.values() ?? [])].filter(({ value, safe }) => safe && JSON.stringify(value) !== JSON.stringify(safe.value))
    .map((flag) => flag.key);

// SPDX-License-Identifier: Apache-2.0
// The flags that a watch holds. A revision makes a new table out of the old one, so it takes effect as a whole; flags
// never change once they are here.
import type { DeltaFrame, Flag, SnapshotFrame } from './protocol.js';

export type Table = ReadonlyMap<string, Flag>;
export type Part = SnapshotFrame | DeltaFrame;

const byKey = (flags: readonly Flag[] = []): [string, Flag][] => flags.map((flag) => [flag.key, flag]);

/** The table of `watch` after the parts of a revision, with the view of a snapshot that was among them. */
export function apply(table: Table | undefined, parts: readonly Part[], watch: number): { table?: Table; view?: string } {
  let view: string | undefined;
  let next = table && new Map(table);
  for (const part of parts) {
    if (part.type === 'snapshot') {
      if (part.watch !== watch) continue;
      // The first snapshot in a revision replaces; a further one continues it.
      next = new Map([...(view === undefined ? [] : next ?? []), ...byKey(part.flags)]);
      view = part.view;
      continue;
    }
    for (const change of part.watches) {
      if (change.watch !== watch || !next) continue;
      change.removed?.forEach((key) => next?.delete(key));
      byKey(change.flags).forEach(([key, flag]) => next?.set(key, flag));
    }
  }
  return { ...(next && { table: next }), ...(view !== undefined && { view }) };
}

const sign = ({ type, value, variant, reason, safe, error }: Flag): string =>
  JSON.stringify([type, value, variant, reason, safe, error]);

/** The keys whose flag is another one: a change of type, value, variant, reason, safe or error. */
export function changed(before: Table | undefined, after: Table | undefined): string[] {
  const keys = new Set([...(before?.keys() ?? []), ...(after?.keys() ?? [])]);
  return [...keys].filter((key) => {
    const old = before?.get(key);
    const fresh = after?.get(key);
    return old !== fresh && !(old && fresh && sign(old) === sign(fresh));
  });
}

/** The access flags that read otherwise without a lease than with one. */
export const granting = (table: Table | undefined): string[] =>
  [...(table?.values() ?? [])].filter(({ value, safe }) => safe && JSON.stringify(value) !== JSON.stringify(safe.value))
    .map((flag) => flag.key);

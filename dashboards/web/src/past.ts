// SPDX-License-Identifier: Apache-2.0
// Past moments, from the journal's changes.
import type { Change, Start } from './types.ts';

export interface Stood { context: string; change: Change }

/** What stood at that moment: of each flag of each context the last change until then, unless it had ended by then. The journal's changes come the latest first. */
export function stateAt(changes: Change[], subject: string, until: number, starts: Start[] = []): Stood[] {
  const state = new Map<string, Stood>();
  const started = starts.findLast((start) => Date.parse(start.before) < until)?.entry ?? 0;
  for (const change of changes) {
    if (Date.parse(change.time) > until) continue;
    for (const { subject: whose, contextHash: context } of change.contexts) {
      const key = `${context} ${change.flag}`;
      if ((whose === undefined || whose === subject) && !state.has(key)) state.set(key, { context, change });
    }
  }
  return [...state.values()].filter(({ change }) => !change.ended && change.entry > started);
}

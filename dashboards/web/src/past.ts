// SPDX-License-Identifier: Apache-2.0
// Past moments, from the journal's changes.
import type { Change } from './types.ts';

export interface Stood { context: string; change: Change }

/** What stood at that moment: of each flag of each context the last change until then. The journal's changes come the latest first. */
export function stateAt(changes: Change[], subject: string, until: number): Stood[] {
  const state = new Map<string, Stood>();
  for (const change of changes) {
    if (Date.parse(change.time) > until) continue;
    for (const { subject: whose, contextHash: context } of change.contexts) {
      const key = `${context} ${change.flag}`;
      if ((whose === undefined || whose === subject) && !state.has(key)) state.set(key, { context, change });
    }
  }
  return [...state.values()];
}

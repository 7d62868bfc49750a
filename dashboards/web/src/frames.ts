// SPDX-License-Identifier: Apache-2.0
// What the feed `flagstaff.board.v1` says, and its rows as objects.

import type { Stages } from './types.ts';

export interface Filter { q: string; subject: string; flag: string; variant: string; reason: string; source: string }
export type Sort = 'changed' | 'subject' | 'flag';
export type State = 'watched' | 'streamed' | 'seen';

/** A cell of the board: one flag of one context. Replaced, never altered, so that a row on the screen knows when to redraw. */
export interface Row {
  cell: number; subject: string; context: string; flag: string; variant: string | null; value: unknown; reason: string;
  source: string | null; causeKind: string; causeEntry: number | null; causeTime: number; changed: number; revision: number;
  acked: number; watching: number; state: State; error: string | null;
  /** The cause as a sentence; null from a service that tells its kind alone. */
  causeText: string | null;
  /** When this page saw it flip (performance.now()); 0: it came with a snapshot. */
  seen: number;
}

export interface EntryLine {
  entry: number; kind: string; time: string; type?: string; source?: string; id?: string; credential?: string; author?: string;
  subject?: string; flips?: number; summary?: string; questions?: number; stages?: Stages;
}

export interface Pulse {
  time: string | number; subjects: number; contexts: number; cells: number; clients: number; behind: number; flips: number;
  sources: { name: string; state: string }[]; overrides: number; journal: { healthy: boolean };
}

type Raw = unknown[];
export type ServerFrame =
  | { type: 'welcome'; epoch: string; revision: number; time: string | number; version: string; limits: { views: number; rows: number } }
  | { type: 'rows'; id: number; revision: number; total: number; dict: string[]; rows: Raw[]; whole?: boolean; more?: boolean; first?: boolean }
  | { type: 'changes'; id: number; revision: number; total: number; rows: Raw[]; gone: number[]; whole?: boolean }
  | { type: 'delivered'; id: number; cells: [number, number, number][] }
  | { type: 'entries'; entries: EntryLine[] }
  | ({ type: 'pulse' } & Pulse)
  | { type: 'error'; code: string; text: string; id?: number }
  | { type: 'goaway'; code: string; reconnectAfter?: number };

/** A row of a frame. `dict`: that of a snapshot, whose texts are indexes; none in changes, whose texts stand there. */
export function readRow(raw: Raw, dict: string[] | null, seen: number): Row {
  const text = (at: number): string => {
    const it = raw[at];
    return typeof it === 'number' && dict ? (dict[it] ?? '') : it === null || it === undefined ? '' : String(it);
  };
  const maybe = (at: number): string | null => (raw[at] === null || raw[at] === undefined ? null : text(at));
  const number = (at: number): number => (typeof raw[at] === 'number' ? raw[at] : 0);
  return {
    cell: number(0), subject: text(1), context: text(2), flag: text(3), variant: maybe(4), value: raw[5], reason: text(6),
    source: maybe(7), causeKind: text(8), causeEntry: typeof raw[9] === 'number' ? raw[9] : null, causeTime: number(10),
    changed: number(11), revision: number(12), acked: number(13), watching: number(14), state: text(15) as State,
    error: maybe(16), causeText: maybe(17), seen,
  };
}

export const noFilter: Filter = { q: '', subject: '', flag: '', variant: '', reason: '', source: '' };

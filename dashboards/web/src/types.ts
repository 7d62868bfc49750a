// SPDX-License-Identifier: Apache-2.0
// What the routes of the service answer, as far as the board reads it.

export interface Cause { kind: string; count: number; entries: number[]; time: string }
export interface Valued { variant?: string | null; value?: unknown; reason?: string; safe?: boolean; detail?: string; errorCode?: string }
export interface FlagInfo { key: string; type: string; enabled: boolean; access: boolean; visibility: string; sources: string[]; file?: string; line?: number; definition?: Record<string, unknown> }
export interface ContextInfo { hash: string; subject: string; context: Record<string, unknown>; watches: number; facts?: Record<string, unknown>; flags: Record<string, Valued & { cause: Cause; changed: string }> }
export interface Client {
  session: string; channel: string; client?: string; version?: string; credential: string; address?: string; state: string; sent: number; acknowledged: number;
  watches: { watch: number; subject: string }[]; watchCount: number; opened: string; leaseUntil?: string;
}
export interface Source {
  name: string; type: string; state: string; revision?: string; asked: number; failed: number; error?: string; since: string;
  decisions: { allow: number; deny: number; value: number; error: number }; latency?: { count: number; p50: number; p99: number; buckets: [number, number][] };
}
export interface Fact { fact: string; value: unknown; entry: number; credential: string; time: string; expires?: string }
export interface Decision {
  source: string; kind: string; query: string; state?: string; value?: unknown; revision?: string; decision?: string; decisionId?: string; error?: string; input?: unknown;
  missing?: string; name?: string; entry?: number; confirmed?: string;
}
export interface Change {
  flag: string; contexts: { subject?: string; contextHash: string }[]; cause: Cause; from: Valued | null; to: Valued | null; takesAway: boolean; entry: number; revision: number; time: string;
  answers?: Decision[];
}
export interface Why {
  subject: string; flag: string; contextHash: string; value: Valued; cause: Cause; changed: string; revision: number; decisions: Decision[]; definition?: Record<string, unknown>; facts?: Record<string, unknown>;
  clients: { session: string; client?: string; connected: boolean; acknowledged: boolean }[]; branch?: string; held?: boolean;
}
export interface Override { id: number; flag: string; subject?: string; kind: 'kill' | 'force'; variant?: string; author: string; reason: string; time: string; expires?: string }
export interface Dry {
  dry_run: true;
  contexts: number; subjects: number; clients: number; more: number; questions?: number; unresolved?: number;
  changes: { flag: string; subject: string; contextHash: string; from: Valued | null; to: Valued | null }[];
}
export interface Receipt {
  entry: number; applied: boolean; complete: boolean; concerned: number; acknowledged: number; behindCount: number; heldCount: number; behind: { session?: string; client?: string; subject?: string }[]; held: { session?: string; client?: string; until?: string }[];
  ofrep?: { concerned: number; fetched: number }; unresolved: { source?: string; query?: string; error?: string }[]; times: { accepted?: string; applied?: string; queued?: string }; safe_at?: string;
}

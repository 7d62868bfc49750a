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
  name: string; type: string; state: string; revision?: string; asked: number; failed: number; error?: string; since: string; changed?: string;
  decisions: { allow: number; deny: number; value: number; error: number };
  /** Cumulative: how many took `leMs` or less; null is all. */
  latency?: { count: number; sumMs: number; buckets: { leMs: number | null; count: number }[] };
  breaker?: { state: 'closed' | 'open'; failures: number };
}
export interface Fact { fact: string; value: unknown; entry: number; credential: string; time: string; expires?: string }
export interface Decision {
  source: string; kind: string; query: string; state?: string; value?: unknown; revision?: string; decision?: string; decisionId?: string; error?: string; input?: unknown;
  missing?: string; name?: string; entry?: number; confirmed?: string;
}
export interface Change {
  flag: string; contexts: { subject?: string; contextHash: string }[]; cause: Cause; from: Valued | null; to: Valued | null; takesAway: boolean; causeText?: string; entry: number; revision: number; time: string;
  answers?: Decision[];
  /** Nobody watches it from here on: `to` is null, and the value is not known any more. */
  ended?: true;
  /** Of a past moment: did the value stand then, or is it the last that was known, and until when? */
  kept?: boolean; until?: string;
}
/** A start of the daemon ends what stood before; it is known to have stood until `before`. */
export interface Start { entry: number; time: string; before: string }
export interface History { changes: Change[]; starts: Start[] }
export interface Why {
  subject: string; flag: string; contextHash: string; value: Valued; cause: Cause; changed: string; revision: number; decisions: Decision[]; definition?: Record<string, unknown>; facts?: Record<string, unknown>;
  causeText?: string; clients: { session: string; client?: string; connected: boolean; acknowledged: boolean }[]; branch?: string; held?: boolean;
}
export interface Override { id: number; flag: string; subject?: string; kind: 'kill' | 'force'; variant?: string; author: string; reason: string; time: string; expires?: string }
export interface Dry {
  dry_run: true;
  contexts: number; subjects: number; clients: number;
  /** Of an event: values that would change, what no source answers, and whether a newer fact stands already. */
  flips?: number; unresolved?: Unresolved[]; superseded?: boolean;
  /** Left out for those who may not read. */
  more?: number; changes?: { flag: string; subject: string; contextHash: string; from: Valued | null; to: Valued | null }[];
}
export interface Unresolved { source?: string; query?: string; error?: string; count?: number }
/** Whole ms since the service received the event; what did not happen (yet) is absent. */
export interface Stages { journaledMs?: number; askedMs?: number; answeredMs?: number; evaluatedMs?: number; pushedMs?: number; acknowledgedMs?: number }
export interface Tested {
  source: string; kind: string; query: string; input?: unknown; revision?: string | null; tookMs: number; state: string; answer: unknown; decision?: string;
  error: { code: string; message: string } | null;
}
export interface Receipt {
  entry: number; applied: boolean; complete: boolean; concerned: number; acknowledged: number; behindCount: number; heldCount: number; behind: { session?: string; client?: string; subject?: string }[]; held: { session?: string; client?: string; until?: string }[];
  ofrep?: { concerned: number; fetched: number }; unresolved: Unresolved[]; questions?: number; flips?: number; stages?: Stages; times: { accepted?: string; applied?: string; queued?: string }; safe_at?: string;
}

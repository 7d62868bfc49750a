// SPDX-License-Identifier: Apache-2.0
// The clock of leases (docs/protocol, section 4): a lease counts from the moment at which its renewal was sent. In a browser
// no one clock can be trusted: performance.now() may stop while the machine sleeps, Date.now() may be set back. What has
// passed is therefore the larger of the two differences, so a doubtful clock can only end a lease too early.

export interface Moment {
  readonly wall: number;
  readonly steady: number;
}

/** A length of time in milliseconds, from a moment on. */
export interface Span {
  readonly from: Moment;
  readonly length: number;
}

export const now = (): Moment => ({ wall: Date.now(), steady: performance.now() });

export const since = (moment: Moment): number =>
  Math.max(Date.now() - moment.wall, performance.now() - moment.steady);

export const span = (length: number): Span => ({ from: now(), length });

/** What is left of it, in milliseconds; 0 or less: it is over, or there is none. */
export const left = (it: Span | undefined): number => (it ? it.length - since(it.from) : 0);

/** Renewals that may be unanswered at one time before the oldest is forgotten. */
const REMEMBERED = 16;

/** The renewals of one connection. Number 0 is hello. */
export class Renewals {
  readonly #sent = new Map<number, Moment>([[0, now()]]);
  #newest = 0;
  #granted = -1;

  /** When the newest one was sent. */
  last = now();

  /** One is sent now: its number. */
  next(): number {
    this.#newest += 1;
    this.last = now();
    this.#sent.set(this.#newest, this.last);
    this.#sent.delete(this.#newest - REMEMBERED);
    return this.#newest;
  }

  /** The lease that a grant of `n` gives, or undefined where there is no such renewal to grant. */
  grant(n: number, length: number): Span | undefined {
    const from = this.#sent.get(n);
    if (from === undefined || n <= this.#granted) return undefined;
    this.#granted = n;
    for (const older of this.#sent.keys()) if (older <= n) this.#sent.delete(older);
    return { from, length };
  }
}

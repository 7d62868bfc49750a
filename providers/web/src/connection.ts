// SPDX-License-Identifier: Apache-2.0
// One connection after the other: credential, socket, back-off, and the one timer. It carries frames between the socket and
// the session and knows nothing of flags. Nothing that a server sends, and nothing that a callback of the application throws,
// gets past it into the page.
import type { EvaluationContext } from '@openfeature/web-sdk';
import { jitter, slow } from './backoff.js';
import { prepare } from './credentials.js';
import { left, span, type Span } from './lease.js';
import type { Settings, SocketLike } from './options.js';
import type { GoawayFrame } from './protocol.js';
import type { Session } from './session.js';
import { onWakeup } from './wakeup.js';

/** From the credential to welcome. */
const CONNECT = 10_000;
/** For a connection to end by itself after goaway. */
const GRACE = 1000;
/** For the close that must follow an error, and in the undici of Node 20 does not. */
const AFTER_ERROR = 100;
/** However long a server wants to be left alone. */
const LONGEST_AWAY = 600_000;
/** For an answer when the page wakes up. */
const WAKE = 5000;
/** While values are leased the clock is looked at so often: a timer that was set before the machine slept is late. */
const NAP = 1000;

const NORMAL = 1000;
const BAD_FRAME = 4400;
const UNAUTHENTICATED = 4401;
const REFUSALS = [UNAUTHENTICATED, 4403];
const TOO_LARGE = 1009;

export interface ConnectionOwner {
  /** Something happened: a frame was taken, a connection has ended, time has passed. */
  moved(): void;
  /** The credential was refused, and another one would be, too. */
  forbidden(text: string): void;
}

export class Connection {
  readonly #settings: Settings;
  readonly #session: Session;
  readonly #owner: ConnectionOwner;
  readonly #noWakeup: () => void;
  #context: EvaluationContext = {};
  #socket: SocketLike | undefined;
  /** Counts attempts: what belongs to an older one is late and ignored. */
  #turn = 0;
  #active = false;
  #stopped = false;
  #failures = 0;
  #refusals = 0;
  #goaway: GoawayFrame | undefined;
  #error = '';
  #timer: ReturnType<typeof setTimeout> | undefined;
  /** Within this the connection must be welcomed, or after goaway have ended, or when the page woke up have answered. */
  #endBy: Span | undefined;
  #next: Span | undefined;
  #notBefore: Span | undefined;

  /** Why the last connection ended, for people. */
  why = 'there was no connection yet';

  constructor(settings: Settings, session: Session, owner: ConnectionOwner) {
    this.#settings = settings;
    this.#session = session;
    this.#owner = owner;
    this.#noWakeup = onWakeup(() => this.wake());
  }

  /** From now on this context's values are wanted. `anew`: not over a connection whose credential was made for another one. */
  serve(context: EvaluationContext, anew: boolean): void {
    this.#context = context;
    if (anew && this.#active) {
      this.#session.setContext(undefined);
      this.#drop(NORMAL);
    }
    this.#session.setContext(context);
    if (!this.#active) this.wake();
  }

  stop(): void {
    this.#stopped = true;
    this.#noWakeup();
    this.#drop(NORMAL);
    clearTimeout(this.#timer);
  }

  /** Looks at once whether the connection lives; begins one where there is none. */
  wake(): void {
    if (this.#stopped) return;
    if (!this.#active) {
      this.#failures = 0;
      this.#next = this.#notBefore;
    } else if (!this.#endBy) {
      this.#session.renew();
      this.#endBy = span(WAKE);
    }
    this.#tick();
  }

  goaway(frame: GoawayFrame): void {
    this.#goaway = frame;
    this.#endBy = span((frame.drain ?? 0) + GRACE);
    if (frame.reconnectAfter !== undefined) this.#notBefore = span(Math.min(frame.reconnectAfter, LONGEST_AWAY));
  }

  readonly #tick = (): void => {
    if (this.#stopped) return;
    if (!this.#active && left(this.#next) <= 0) this.#attempt();
    let wait = this.#active ? this.#watchOver() : left(this.#next);
    if (this.#session.leaseLeft > 0) wait = Math.min(wait, this.#session.leaseLeft, NAP);
    clearTimeout(this.#timer);
    this.#timer = setTimeout(this.#tick, Math.max(1, Math.ceil(Math.min(wait, 2 ** 30))));
    // Last, since whoever is told may change the context or close the provider, and come by here again.
    this.#owner.moved();
  };

  /** Ends a connection that time has run out for; returns how long to wait before the next look. */
  #watchOver(): number {
    const wait = this.#session.tick();
    const end = this.#endBy ? left(this.#endBy) : Infinity;
    if (wait !== undefined && end > 0) return Math.min(wait, end);
    this.#end(0, this.#error || (this.#session.welcomed && !this.#goaway ? 'nothing was heard' : 'it took too long'));
    return left(this.#next);
  }

  #attempt(): void {
    const turn = ++this.#turn;
    this.#active = true;
    this.#goaway = this.#notBefore = this.#next = undefined;
    this.#error = '';
    this.#endBy = span(CONNECT);
    prepare(this.#settings, this.#context).then((make) => {
      if (turn === this.#turn) this.#open(make());
    }).catch((error: unknown) => {
      if (turn === this.#turn) this.#end(0, error instanceof Error ? error.message : String(error));
      this.#tick();
    });
  }

  #open(socket: SocketLike): void {
    this.#socket = socket;
    socket.onopen = () => {
      if (socket === this.#socket) this.#session.opened((frame) => socket.send(JSON.stringify(frame)));
    };
    socket.onmessage = ({ data }) => {
      if (socket === this.#socket) this.#message(data);
    };
    socket.onerror = (event) => {
      if (socket !== this.#socket) return;
      this.#error = event?.message || 'not connected';
      this.#endBy = span(AFTER_ERROR);
      this.#tick();
    };
    socket.onclose = ({ code, reason }) => {
      if (socket !== this.#socket) return;
      this.#end(code, reason || this.#error);
      this.#tick();
    };
  }

  #message(data: unknown): void {
    try {
      this.#session.receive(data);
      if (this.#session.welcomed && !this.#goaway) this.#endBy = undefined;
      if (this.#session.granted) this.#failures = this.#refusals = 0;
    } catch (fault) {
      this.#end(0, (fault as Error).message, BAD_FRAME);
    }
    this.#tick();
  }

  /** Lets the socket go. Its events come too late from here on, but are still listened to: Node's `ws` would throw its errors. */
  #drop(code: number): void {
    const socket = this.#socket;
    this.#turn += 1;
    this.#socket = undefined;
    this.#active = false;
    this.#next = undefined;
    this.#session.lost();
    try {
      socket?.close(code);
    } catch { /* it was closed already */ }
  }

  /** The connection has ended, with this close code, or 0 where it is we who end it, with `ours`. */
  #end(code: number, text: string, ours = NORMAL): void {
    this.#drop(ours);
    const refused = REFUSALS.includes(code) && this.#goaway?.code !== 'expired';
    // A ticket may have come too late, and the next one be good; the same refusal again, or any other credential's, will not go away by itself.
    const again = refused && (this.#refusals++ > 0 || code !== UNAUTHENTICATED || !this.#settings.ticket);
    this.#next = span(again || code === TOO_LARGE ? slow() : jitter(this.#failures++));
    if (left(this.#notBefore) > left(this.#next)) this.#next = this.#notBefore;
    this.why = `the connection ended${code ? ` (${code})` : ''}: ${text || this.#goaway?.message || 'no reason was given'}`;
    this.#settings.log(`${this.why}; again in ${Math.max(0, Math.round(left(this.#next)))} ms`);
    if (again) this.#owner.forbidden(this.why);
  }
}

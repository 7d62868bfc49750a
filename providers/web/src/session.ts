// SPDX-License-Identifier: Apache-2.0
// The protocol's state on the client's side, over all connections of a provider: the watch of the current context, what it
// holds, the open revision, the lease. It knows no sockets and no timers: connection.ts tells it what came and asks it what
// time demands. The order of frames and the duties of a client: docs/protocol/README.md; the same in C: providers/live/wire.
import { apply, changed, granting, type Part, type Table } from './cache.js';
import { Fault, readFrame } from './frames.js';
import { left, now, Renewals, since, span, type Moment, type Span } from './lease.js';
import type {
  ClientFrame, Context, ErrorFrame, Flag, GoawayFrame, HelloFrame, LeaseFrame, ServerFrame, WatchRequest, WelcomeFrame,
} from './protocol.js';

/** Characters of an open revision that are held at most. */
const LARGEST_REVISION = 16 << 20;
/** Before a watch that the service could not serve is asked for again. */
const ASK_AGAIN = 2000;
/** However short a lease is, it is not renewed more often than this. */
const SHORTEST_THIRD = 50;

export interface SessionOwner {
  /** These flags changed; the cache has it, and it is acknowledged. */
  changed(keys: string[]): void;
  /** The watch was refused, or is no longer. */
  refused(error: ErrorFrame): void;
  /** The server will end the connection. */
  goaway(frame: GoawayFrame): void;
  /** For people. */
  log(text: string): void;
}

/** What is known of a flag: under lease, with a lease that is over, or, where nothing is held, at most what it falls to. */
export interface Answer {
  standing: 'leased' | 'over' | 'unknown';
  flag: Flag | undefined;
}

interface Watch {
  readonly id: number;
  readonly context: Context;
  view?: string | undefined;
  table?: Table | undefined;
  /** The lease that speaks for what it holds. */
  lease?: Span | undefined;
  /** The last connection that was welcomed spoke for what it holds, so it may be resumed from. */
  told?: boolean;
  // On this connection:
  inHello?: boolean;
  resumed?: boolean | undefined;
  answered?: boolean;
  refused?: boolean;
  askAgain?: Span | undefined;
}

/** It breaks the order of frames. */
function notNow({ type }: ServerFrame): never {
  throw new Fault(`${type}: may not come now`);
}

export class Session {
  readonly #client: { name: string; version: string };
  readonly #flags: string[] | undefined;
  readonly #owner: SessionOwner;
  #send: ((frame: ClientFrame) => void) | undefined;
  #lastId = 0;
  #watch: Watch | undefined;
  /** Access flags known from this connection, and until its first lease from those before: what they fall to holds for any context. */
  readonly #safes = new Map<string, Flag>();
  // Where it stands:
  #epoch = '';
  #name = '';
  #toldBy = '';
  #revision = 0;
  #resumable = false;
  // This connection:
  #welcomed = false;
  #sameEpoch = false;
  #revoked = false;
  #renewals = new Renewals();
  #granted: Span | undefined;
  #third = SHORTEST_THIRD;
  #heard: Moment = now();
  #parts: Part[] = [];
  #size = 0;

  constructor(client: { name: string; version: string }, flags: string[] | undefined, owner: SessionOwner) {
    this.#client = client;
    this.#flags = flags;
    this.#owner = owner;
  }

  get welcomed(): boolean { return this.#welcomed; }
  /** Whether a lease was granted on this connection. */
  get granted(): boolean { return this.#granted !== undefined; }
  /** What is left of the lease that speaks for them. */
  get leaseLeft(): number { return left(this.#watch?.lease); }
  /** Whether that lease is of this connection: a change would be heard. */
  get fresh(): boolean { return this.#granted !== undefined && this.#watch?.lease === this.#granted; }

  /** Flags that read otherwise with a lease than without. */
  granting(): string[] { return granting(this.#watch?.table); }

  /** Another context, or none: from here on nothing that belongs to the old one is read. */
  setContext(context: Context | undefined): void {
    const old = this.#watch;
    this.#watch = context && { id: ++this.#lastId, context };
    if (old && !old.refused) this.#send?.({ type: 'unwatch', watch: old.id });
    if (this.#watch) this.#send?.({ type: 'watch', ...this.#request(this.#watch) });
  }

  /** A connection is open: hello is sent. */
  opened(send: (frame: ClientFrame) => void): void {
    this.#send = send;
    this.#renewals = new Renewals();
    this.#heard = now();
    const watch = this.#watch;
    const hello: HelloFrame = { type: 'hello', protocol: 'flagstaff.v1', client: this.#client };
    if (watch) {
      hello.watches = [this.#request(watch)];
      watch.inHello = true;
      watch.resumed = this.#resumable && watch.told && watch.view !== undefined;
      if (watch.resumed) {
        hello.resume = {
          epoch: this.#epoch, session: this.#toldBy, revision: this.#revision,
          watches: [{ watch: watch.id, view: watch.view as string }],
        };
      }
    }
    send(hello);
  }

  /** It is gone, and with it what belonged to it. Values and their lease stay. */
  lost(): void {
    const watch = this.#watch;
    if (this.#welcomed) this.#toldBy = this.#name;
    if (watch) {
      if (this.#welcomed) watch.told = this.#known(watch);
      watch.inHello = watch.resumed = watch.answered = watch.refused = false;
      watch.askAgain = undefined;
    }
    this.#send = this.#granted = undefined;
    this.#welcomed = this.#sameEpoch = this.#revoked = false;
    this.#dropParts();
  }

  /** A message came. Throws a Fault where it cannot be followed; the next connection then begins without a resume point. */
  receive(data: unknown): void {
    this.#heard = now();
    try {
      const frame = readFrame(data);
      if (frame) this.#take(frame, (data as string).length);
    } catch (fault) {
      this.#resumable = false;
      throw fault;
    }
  }

  /** Asks for a further lease now. */
  renew(): void {
    if (this.#welcomed) this.#send?.({ type: 'renew', n: this.#renewals.next() });
  }

  /** Does what time demands; returns the milliseconds until it must be asked again, or undefined where nobody is there any more. */
  tick(): number | undefined {
    if (!this.#welcomed) return Infinity;
    const unheard = since(this.#heard);
    const asked = since(this.#renewals.last);
    // A page that slept has heard nothing either: what counts is that a renewal was sent since, and not answered in time.
    if (unheard >= 2 * this.#third && unheard > asked && asked >= this.#third) return undefined;
    const watch = this.#watch;
    if (watch?.askAgain && left(watch.askAgain) <= 0) {
      watch.askAgain = undefined;
      watch.refused = watch.answered = false;
      this.#send?.({ type: 'watch', ...this.#request(watch) });
    }
    if (asked >= this.#third) this.renew();
    return Math.min(this.#third - since(this.#renewals.last), watch?.askAgain ? left(watch.askAgain) : Infinity);
  }

  /** `other`: for another context than the one that is watched, of which no more is known than what flags fall to. */
  read(key: string, other = false): Answer {
    const table = this.#watch?.table;
    if (!table || other) return { standing: 'unknown', flag: this.#safes.get(key) };
    return { standing: this.leaseLeft > 0 ? 'leased' : 'over', flag: table.get(key) };
  }

  #request({ id, context }: Watch): WatchRequest {
    return { watch: id, context, ...(this.#flags && { flags: this.#flags }) };
  }

  #take(frame: ServerFrame, size: number): void {
    if (!this.#welcomed && ['snapshot', 'delta', 'lease'].includes(frame.type)) notNow(frame);
    switch (frame.type) {
      case 'welcome': return this.#takeWelcome(frame);
      case 'snapshot':
      case 'delta': return this.#takePart(frame, size);
      case 'lease': return this.#takeLease(frame);
      case 'error': return this.#takeError(frame);
      case 'goaway':
        if (frame.code === 'revoked') this.#revoke();
        return this.#owner.goaway(frame);
    }
  }

  #takeWelcome(frame: WelcomeFrame): void {
    if (this.#welcomed) notNow(frame);
    this.#welcomed = true;
    this.#sameEpoch = frame.epoch === this.#epoch;
    if (!this.#sameEpoch || !this.#resumable) this.#revision = 0;
    this.#resumable = true;
    this.#epoch = frame.epoch;
    this.#name = frame.session;
    this.#third = Math.max(frame.lease / 3, SHORTEST_THIRD);
  }

  /** Whether this connection speaks for what the watch holds. */
  #known(watch: Watch): boolean {
    return watch.table !== undefined && Boolean(watch.answered || (watch.resumed && this.#sameEpoch));
  }

  /** A part of a revision is held until the revision is closed, then all of it takes effect together. */
  #takePart(part: Part, size: number): void {
    const { revision } = part;
    const open = this.#parts[0];
    if (open ? revision !== open.revision : revision < this.#revision || (part.type === 'delta' && revision === this.#revision)) {
      notNow(part);
    }
    this.#size += size;
    if (this.#size > LARGEST_REVISION) throw new Fault('the revision is too large');
    this.#parts.push(part);
    if (part.more === true) return;
    const keys = this.#applyParts();
    this.#revision = revision;
    this.#send?.({ type: 'ack', revision });
    if (keys.length > 0) this.#owner.changed(keys);
  }

  #applyParts(): string[] {
    const parts = this.#parts;
    const watch = this.#watch;
    this.#dropParts();
    if (!watch) return [];
    const before = watch.table;
    const { table, view } = apply(before, parts, watch.id);
    watch.table = table;
    this.#learn(watch);
    if (view !== undefined) {
      watch.view = view;
      watch.answered = true;
      if (this.#granted) watch.lease = this.#granted;
    }
    for (const part of parts) {
      if (part.type === 'snapshot' && part.watch === watch.id && Array.isArray(part.dropped)) {
        this.#owner.log(`attributes that the credential may not set were left out: ${part.dropped.join(', ')}`);
      }
    }
    return changed(before, table);
  }

  /** Keeps in mind what its access flags fall to. */
  #learn({ table }: Watch): void {
    table?.forEach((flag) => flag.safe && this.#safes.set(flag.key, flag));
  }

  #dropParts(): void {
    this.#parts = [];
    this.#size = 0;
  }

  #takeLease(frame: LeaseFrame): void {
    const { n, revision, duration } = frame;
    const watch = this.#watch;
    if (this.#revoked || this.#parts.length > 0 || revision < this.#revision) notNow(frame);
    // The first one stands behind the answer to hello.
    if (!this.#granted && watch?.inHello && !watch.answered && !this.#known(watch)) notNow(frame);
    const lease = this.#renewals.grant(n, duration) ?? notNow(frame);
    const known = watch && this.#known(watch);
    if (known && !this.#granted) {
      // What older connections told is forgotten only now, where nobody waits for values any more.
      this.#safes.clear();
      this.#learn(watch);
    }
    this.#granted = lease;
    this.#revision = revision;
    this.#third = Math.max(duration / 3, SHORTEST_THIRD);
    if (known) watch.lease = lease;
  }

  /** The lease is over, and whatever still comes on this connection is not leased. */
  #revoke(): void {
    this.#revoked = true;
    this.#granted = undefined;
    if (this.#watch) this.#watch.lease = undefined;
  }

  #takeError(error: ErrorFrame): void {
    const watch = this.#watch;
    if (!watch || error.watch !== watch.id || ['duplicate_watch', 'unknown_watch'].includes(error.code)) {
      this.#owner.log(`the service says ${error.code}: ${error.message}`);
      return;
    }
    const keys = changed(watch.table, undefined);
    watch.table = watch.view = watch.lease = undefined;
    watch.answered = watch.refused = true;
    if (['unavailable', 'internal'].includes(error.code)) watch.askAgain = span(ASK_AGAIN);
    if (keys.length > 0) this.#owner.changed(keys);
    this.#owner.refused(error);
  }
}

// SPDX-License-Identifier: Apache-2.0
// A service of flagstaff.v1 in the same process, with sockets that need no network, so that tests have the clock in their
// hands. It decides nothing: it has the values that a test sets. Each client frame is checked against the schema; what is
// wrong is kept in `faults`, which every test looks at in the end.
import { OpenFeature, ProviderEvents, type EvaluationContext } from '@openfeature/web-sdk';
import { afterEach, beforeEach, expect, vi } from 'vitest';
import { FlagstaffWebProvider, type FlagstaffOptions } from '../src/index.js';
import type { ClientFrame, Flag, HelloFrame, ServerFrame, UnwatchListFrame, WatchListFrame, WatchRequest } from '../src/protocol.js';
import { check } from './schema.js';

const CAUSE = { kind: 'watch', time: '2026-11-24T09:30:00.010Z' } as const;

export const access = (key: string, value: boolean): Flag =>
  ({ key, type: 'boolean', value, variant: value ? 'on' : 'off', reason: 'TARGETING_MATCH', cause: CAUSE, safe: { value: false, variant: 'off' } });

export const ordinary = (key: string, value: unknown, type: Flag['type'] = 'string'): Flag =>
  ({ key, type, value, variant: 'set', reason: 'STATIC', cause: CAUSE });

/** What a page sends: frames about one watch, never lists of them. */
type PageFrame = Exclude<ClientFrame, WatchListFrame | UnwatchListFrame>;

export class FakeSocket {
  onopen: ((event: any) => void) | null = null;
  onmessage: ((event: any) => void) | null = null;
  onclose: ((event: any) => void) | null = null;
  onerror: ((event: any) => void) | null = null;
  readonly frames: PageFrame[] = [];
  readonly watches = new Map<number, WatchRequest>();
  /** How the client closed it. */
  closed: number | undefined;
  open = false;
  granted = -1;

  constructor(readonly server: FakeService, readonly url: string, readonly protocols: string[], readonly options?: any) {
    server.sockets.push(this);
    queueMicrotask(() => server.connected(this));
  }

  send(text: string): void {
    const frame = JSON.parse(text) as PageFrame;
    this.frames.push(frame);
    try {
      if (!this.open) throw new Error(`sent on a socket that is not open: ${text}`);
      check('client', frame);
    } catch (fault) {
      this.server.faults.push(fault as Error);
    }
    queueMicrotask(() => this.server.take(this, frame));
  }

  close(code?: number): void {
    this.closed = code ?? 1005;
    this.open = false;
  }

  /** A frame, or whatever else, comes from the server. */
  say(frame: ServerFrame | Record<string, unknown>): void { this.raw(JSON.stringify(frame)); }
  raw(data: unknown): void { this.onmessage?.({ data }); }

  /** The server, or the network (1006), ends it. */
  end(code = 1006, reason = ''): void {
    this.open = false;
    this.onclose?.({ code, reason });
  }

  sent<T extends PageFrame['type']>(type: T): Extract<PageFrame, { type: T }>[] {
    return this.frames.filter((frame) => frame.type === type) as Extract<PageFrame, { type: T }>[];
  }
}

export class FakeService {
  readonly sockets: FakeSocket[] = [];
  readonly faults: Error[] = [];
  /** Flags for everybody, and those of single subjects, which win. */
  flags: Flag[] = [access('door', true), ordinary('theme', 'dark')];
  readonly own = new Map<string, Flag[]>();
  revision = 40;
  epoch = 'e-1';
  lease = 30_000;
  leases = true;
  /** Snapshots are sent; without them a watch waits. */
  answers = true;
  /** New connections end with this code at once. */
  refuse: number | undefined;

  get socket(): FakeSocket {
    const socket = this.sockets.at(-1);
    if (!socket) throw new Error('no connection was made');
    return socket;
  }

  get constructorOfSockets(): NonNullable<FlagstaffOptions['webSocket']> {
    const server = this;
    return class extends FakeSocket {
      constructor(url: string, protocols: string[], options?: unknown) { super(server, url, protocols, options); }
    };
  }

  connected(socket: FakeSocket): void {
    if (socket.closed !== undefined) return;
    if (this.refuse !== undefined && this.refuse < 4000) return socket.end(this.refuse);
    socket.open = true;
    socket.onopen?.({});
    if (this.refuse !== undefined) socket.end(this.refuse);
  }

  take(socket: FakeSocket, frame: PageFrame): void {
    if (!socket.open) return;
    if (frame.type === 'hello') this.takeHello(socket, frame);
    if (frame.type === 'watch') this.takeWatch(socket, frame);
    if (frame.type === 'unwatch') socket.watches.delete(frame.watch);
    if (frame.type === 'renew') this.grant(socket, frame.n);
  }

  private takeHello(socket: FakeSocket, frame: HelloFrame): void {
    socket.say({
      type: 'welcome', protocol: 'flagstaff.v1', session: `s-${this.sockets.length}`, epoch: this.epoch, lease: this.lease,
      limits: { frame: 65536, send: 65536, watches: 64, flags: 256, contextBytes: 8192, contextDepth: 8 },
    });
    const unchanged = frame.resume?.epoch === this.epoch && frame.resume.revision === this.revision;
    for (const watch of frame.watches ?? []) {
      if (unchanged) socket.watches.set(watch.watch, watch);
      else this.takeWatch(socket, watch);
    }
    if (this.answers) this.grant(socket, 0);
  }

  takeWatch(socket: FakeSocket, watch: WatchRequest): void {
    socket.watches.set(watch.watch, watch);
    if (this.answers) this.snapshot(socket, watch);
  }

  snapshot(socket: FakeSocket, { watch, context }: WatchRequest): void {
    const subject = context.targetingKey ?? '';
    socket.say({ type: 'snapshot', watch, view: `v-${subject}`, revision: this.revision, flags: this.own.get(subject) ?? this.flags });
  }

  grant(socket: FakeSocket, n: number): void {
    if (!this.leases) return;
    socket.granted = n;
    socket.say({ type: 'lease', n, revision: this.revision, duration: this.lease });
  }

  /** One revision changes these flags for everybody. */
  change(...flags: Flag[]): void {
    const keys = flags.map((flag) => flag.key);
    this.flags = [...this.flags.filter((flag) => !keys.includes(flag.key)), ...flags];
    this.revision += 1;
    for (const socket of this.sockets.filter((one) => one.open)) {
      const watches = [...socket.watches.keys()].map((watch) => ({ watch, flags }));
      if (watches.length > 0) socket.say({ type: 'delta', revision: this.revision, watches });
    }
  }
}

export interface Told { event: string; flags?: string[] }

let services: FakeService[] = [];

/** For each test: the clock in its hands, chance that is always in the middle, and no frame that the schema does not know. */
export function timeless(): void {
  beforeEach(() => {
    vi.useFakeTimers();
    vi.spyOn(Math, 'random').mockReturnValue(0.5);
    services = [];
    const quiet = (): void => undefined;
    OpenFeature.setLogger({ error: quiet, warn: quiet, info: quiet, debug: quiet });
  });
  afterEach(async () => {
    OpenFeature.clearHandlers();
    await OpenFeature.clearProviders();
    await OpenFeature.clearContexts();
    expect(vi.getTimerCount(), 'a provider that is closed leaves no timer').toBe(0);
    vi.useRealTimers();
    for (const service of services) expect(service.faults).toEqual([]);
  });
}

/** OpenFeature with our provider, everything that is told, and a client to read with. */
export function world(options: Partial<FlagstaffOptions> = {}) {
  const service = new FakeService();
  services.push(service);
  const told: Told[] = [];
  const provider = new FlagstaffWebProvider({ url: 'https://flags.example', webSocket: service.constructorOfSockets, ...options });
  for (const name of ['Ready', 'Error', 'Stale', 'ConfigurationChanged', 'ContextChanged', 'Reconciling'] as const) {
    OpenFeature.addHandler(ProviderEvents[name], (details) => {
      const flags = (details as { flagsChanged?: string[] } | undefined)?.flagsChanged;
      told.push({ event: name, ...(flags && { flags }) });
    });
  }
  const client = OpenFeature.getClient();
  return {
    service, told, provider, client,
    events: () => told.splice(0).map(({ event, flags }) => (flags ? `${event} ${flags.sort().join(',')}` : event)),
    door: () => client.getBooleanDetails('door', true),
    async start(context: EvaluationContext = { targetingKey: 'ada' }) {
      const ready = OpenFeature.setProviderAndWait(provider, context);
      await settled();
      await ready;
      told.length = 0;
    },
  };
}

/** Everything that is under way at this moment has happened. */
export const settled = () => vi.advanceTimersByTimeAsync(0).then(() => vi.advanceTimersByTimeAsync(1));
export const pass = (ms: number) => vi.advanceTimersByTimeAsync(ms);

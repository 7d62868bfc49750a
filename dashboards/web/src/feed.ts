// SPDX-License-Identifier: Apache-2.0
// The board's live feed: one websocket, some views on it, and what happens when it breaks. A view that had rows asks
// only for what changed meanwhile; the screen keeps showing the last that was known, and says so.
import { signal } from '@preact/signals';
import type { EntryLine, Filter, Pulse, ServerFrame, Sort } from './frames.ts';
import { Store } from './store.ts';

export type Link =
  | { state: 'connecting' }
  | { state: 'live' }
  | { state: 'stale'; since: number; retryAt: number; why: string }
  | { state: 'signed-out' }
  | { state: 'stopped' };

export interface Wanted { filter: Filter; sort: Sort; limit: number }
interface View { wanted: Wanted; store: Store; epoch: string; sent: string }

const LEAST = 250;
const MOST = 15_000;
const SILENCE = 5_000; // a pulse comes each second

/** Full jitter: anywhere between nothing and the bound, so that a thousand boards do not come back at once. */
export function delay(attempt: number, random = Math.random()): number {
  return Math.round(random * Math.min(MOST, LEAST * 2 ** Math.min(attempt, 10)));
}

export class Feed {
  readonly link = signal<Link>({ state: 'stopped' });
  readonly pulse = signal<Pulse | null>(null);
  readonly history = signal<number[]>([]); // flips a second, the last two minutes
  readonly fault = signal<string | null>(null);
  /** The service's clock less ours, ms: ages are told by its clock. */
  readonly skew = signal(0);
  version = '';
  private views = new Map<number, View>();
  private listeners = new Set<(entries: EntryLine[]) => void>();
  private socket: WebSocket | null = null;
  private timer: ReturnType<typeof setTimeout> | undefined;
  private watchdog: ReturnType<typeof setTimeout> | undefined;
  private epoch = '';
  private attempt = 0;
  private next = 1;
  private least = 0;
  private stopped = true;

  constructor(private url: string, private signedIn: () => Promise<boolean> = async () => true) {}

  start(): void {
    if (!this.stopped) return;
    this.stopped = false;
    this.attempt = 0;
    globalThis.addEventListener?.('online', this.wake);
    globalThis.document?.addEventListener('visibilitychange', this.wake);
    this.open();
  }

  stop(): void {
    this.stopped = true;
    clearTimeout(this.timer);
    clearTimeout(this.watchdog);
    globalThis.removeEventListener?.('online', this.wake);
    globalThis.document?.removeEventListener('visibilitychange', this.wake);
    this.drop();
    this.link.value = { state: 'stopped' };
  }

  /** Opens a view; the store fills. The same id is to be handed to change() and close(). */
  view(wanted: Wanted, store = new Store(wanted.sort)): { id: number; store: Store } {
    const id = this.next++;
    const view = { wanted, store, epoch: '', sent: '' };
    this.views.set(id, view);
    this.ask(id, view);
    return { id, store };
  }

  change(id: number, wanted: Wanted): void {
    const view = this.views.get(id);
    if (!view || JSON.stringify(view.wanted) === JSON.stringify(wanted)) return;
    if (JSON.stringify(view.wanted.filter) !== JSON.stringify(wanted.filter)) view.store.clear();
    view.wanted = wanted;
    view.store.setSort(wanted.sort);
    view.epoch = '';
    this.ask(id, view);
  }

  close(id: number): void {
    if (this.views.delete(id)) this.send({ type: 'unview', id });
  }

  /** Live journal entries, while somebody listens. */
  entries(listener: (entries: EntryLine[]) => void): () => void {
    if (!this.listeners.size) this.send({ type: 'entries', on: true });
    this.listeners.add(listener);
    return () => {
      this.listeners.delete(listener);
      if (!this.listeners.size) this.send({ type: 'entries', on: false });
    };
  }

  /** At once, where it waits to try again. */
  readonly retry = (): void => {
    if (this.stopped || this.socket) return;
    clearTimeout(this.timer);
    this.open();
  };

  private readonly wake = (): void => {
    if (globalThis.document?.visibilityState !== 'hidden') this.retry();
  };

  private open(): void {
    if (this.link.value.state !== 'stale') this.link.value = { state: 'connecting' };
    let socket: WebSocket;
    try {
      socket = new WebSocket(this.url, 'flagstaff.board.v1');
    } catch (error) {
      this.lost(String(error));
      return;
    }
    this.socket = socket;
    socket.onmessage = (event) => { if (socket === this.socket) this.take(JSON.parse(String(event.data)) as ServerFrame); };
    socket.onclose = (event) => { if (socket === this.socket) this.lost(event.reason || ''); };
    this.guard();
  }

  private drop(): void {
    const socket = this.socket;
    this.socket = null;
    if (socket) socket.onclose = socket.onmessage = null;
    socket?.close();
  }

  /** Half-open connections tell nothing: silence does. */
  private guard(): void {
    clearTimeout(this.watchdog);
    this.watchdog = setTimeout(() => this.lost('silence'), SILENCE);
  }

  private lost(why: string): void {
    clearTimeout(this.watchdog);
    this.drop();
    if (this.stopped) return;
    const wait = Math.max(this.least, delay(this.attempt++));
    this.least = 0;
    const old = this.link.value;
    const since = old.state === 'stale' ? old.since : Date.now();
    this.link.value = { state: 'stale', since, retryAt: Date.now() + wait, why };
    // A browser is not told why a handshake failed: the session tells.
    void this.signedIn().catch(() => true).then((fine) => {
      if (!fine && !this.stopped && !this.socket) {
        clearTimeout(this.timer);
        this.link.value = { state: 'signed-out' };
      }
    });
    clearTimeout(this.timer);
    this.timer = setTimeout(() => this.open(), wait);
  }

  private send(frame: object): void {
    if (this.socket?.readyState === 1 && this.epoch) this.socket.send(JSON.stringify(frame));
  }

  private ask(id: number, view: View): void {
    const { filter, sort, limit } = view.wanted;
    const since = view.epoch && view.epoch === this.epoch && view.store.whole
      ? { since: { epoch: view.epoch, revision: view.store.revision } } : {};
    this.send({ type: 'view', id, filter, sort, limit, ...since });
  }

  private take(frame: ServerFrame): void {
    this.guard();
    switch (frame.type) {
      case 'welcome':
        this.epoch = frame.epoch;
        this.version = frame.version;
        this.attempt = 0;
        this.skew.value = timeOf(frame.time) - Date.now();
        this.link.value = { state: 'live' };
        for (const [id, view] of this.views) this.ask(id, view);
        if (this.listeners.size) this.send({ type: 'entries', on: true });
        break;
      case 'rows': {
        const view = this.views.get(frame.id);
        if (view?.store.takeRows(frame)) view.epoch = this.epoch;
        break;
      }
      case 'changes': this.views.get(frame.id)?.store.takeChanges(frame); break;
      case 'delivered': this.views.get(frame.id)?.store.takeDelivered(frame.cells); break;
      case 'entries': for (const listener of this.listeners) listener(frame.entries); break;
      case 'pulse':
        this.pulse.value = frame;
        this.history.value = [...this.history.value.slice(-119), frame.flips];
        break;
      case 'error': this.fault.value = frame.text; break;
      case 'goaway':
        this.least = frame.reconnectAfter ?? 0;
        this.lost(frame.code);
        break;
      default: // frames of a newer service
    }
  }
}

export function timeOf(time: string | number): number {
  return typeof time === 'number' ? time : Date.parse(time);
}

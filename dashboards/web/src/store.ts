// SPDX-License-Identifier: Apache-2.0
// The rows of one view, in the order in which they are shown. Frames are applied at once; the screen is told once for
// each animation frame at most, so that thousands of changes a second cost one redraw.
import { signal, type ReadonlySignal } from '@preact/signals';
import { readRow, type Row, type ServerFrame, type Sort } from './frames.ts';

type Rows = Extract<ServerFrame, { type: 'rows' }>;
type Changes = Extract<ServerFrame, { type: 'changes' }>;

export interface Clock { now(): number; frame(call: () => void): void }
const pageClock: Clock = { now: () => performance.now(), frame: (call) => requestAnimationFrame(call) };

const text = (a: string, b: string): number => (a < b ? -1 : a > b ? 1 : 0);
const orders: Record<Sort, (a: Row, b: Row) => number> = {
  changed: (a, b) => b.changed - a.changed || a.cell - b.cell,
  subject: (a, b) => text(a.subject, b.subject) || text(a.context, b.context) || text(a.flag, b.flag),
  flag: (a, b) => text(a.flag, b.flag) || text(a.subject, b.subject) || text(a.context, b.context),
};

export class Store {
  private cells = new Map<number, Row>();
  private order: Row[] = [];
  private loading: Row[] | null = null;
  private touched = new Set<number>();
  private asked = false;
  private held = false;
  private count = signal(0);
  private shown: Row[] = [];
  /** Rises with each redraw that is due. Whoever reads it is drawn again. */
  readonly version: ReadonlySignal<number> = this.count;
  total = 0;
  revision = 0;
  loaded = false;
  /** The rows are all that the filter lets through: a lost connection can go on from `revision`. */
  whole = false;
  /** Flips since the page was opened, for the sparkline and the live region. */
  flips = 0;
  waiting = 0;

  constructor(private sort: Sort = 'subject', private clock: Clock = pageClock) {}

  get rows(): readonly Row[] { return this.shown; }
  row(cell: number): Row | undefined { return this.cells.get(cell); }
  get paused(): boolean { return this.held; }

  /** What is shown stands still; what comes is counted and kept. */
  pause(on: boolean): void {
    this.held = on;
    this.waiting = 0;
    if (!on) this.due();
    this.count.value++;
  }

  setSort(sort: Sort): void {
    this.sort = sort;
    this.order = [...this.order].sort(orders[sort]);
    this.due();
  }

  /** Another filter: nothing of the old view may stay. */
  clear(): void {
    this.cells.clear();
    this.order = [];
    this.loading = null;
    this.touched.clear();
    this.total = 0;
    this.loaded = this.whole = false;
    this.due();
  }

  /** True where the snapshot is whole now. */
  takeRows(frame: Rows): boolean {
    if (frame.first || !this.loading) this.loading = [];
    for (const raw of frame.rows) this.loading.push(readRow(raw, frame.dict, 0));
    this.total = frame.total;
    if (frame.more) return false;
    this.cells = new Map(this.loading.map((row) => [row.cell, row]));
    this.order = this.loading.sort(orders[this.sort]);
    this.loading = null;
    this.touched.clear();
    this.revision = frame.revision;
    this.whole = frame.whole ?? false;
    this.loaded = true;
    this.due();
    return true;
  }

  takeChanges(frame: Changes): void {
    if (!this.loaded) return; // of the view before, on its way when another was asked for
    const now = this.clock.now();
    for (const raw of frame.rows) {
      const row = readRow(raw, null, now);
      const old = this.cells.get(row.cell);
      if (old && old.variant === row.variant && old.reason === row.reason && JSON.stringify(old.value) === JSON.stringify(row.value))
        row.seen = old.seen; // a delivery, or another cause of the same value: no flip
      else this.flips++;
      this.cells.set(row.cell, row);
      this.touched.add(row.cell);
    }
    for (const cell of frame.gone) if (this.cells.delete(cell)) this.touched.add(cell);
    this.total = frame.total;
    this.revision = frame.revision;
    this.whole = frame.whole ?? false;
    if (this.held) this.waiting += frame.rows.length + frame.gone.length;
    this.due();
  }

  takeDelivered(cells: [number, number, number][]): void {
    for (const [cell, acked, watching] of cells) {
      const row = this.cells.get(cell);
      if (!row) continue;
      this.cells.set(cell, { ...row, acked, watching });
      this.touched.add(cell);
    }
    this.due();
  }

  private due(): void {
    if (this.asked) return;
    this.asked = true;
    this.clock.frame(() => {
      this.asked = false;
      this.settle();
      if (!this.held) this.shown = this.order;
      this.count.value++;
    });
  }

  /** Brings the order up to date: proportional to the rows that there are, not to a sort of them. */
  private settle(): void {
    if (!this.touched.size) return;
    const before = orders[this.sort];
    const moved: Row[] = [];
    const stayed: Row[] = [];
    const known = new Set<number>();
    for (const old of this.order) {
      if (!this.touched.has(old.cell)) { stayed.push(old); continue; }
      known.add(old.cell);
      const now = this.cells.get(old.cell);
      if (!now) continue;
      if (before(old, now) === 0) stayed.push(now);
      else moved.push(now);
    }
    for (const cell of this.touched) {
      const row = known.has(cell) ? undefined : this.cells.get(cell);
      if (row) moved.push(row);
    }
    this.touched.clear();
    this.order = moved.length ? merge(stayed, moved.sort(before), before) : stayed;
  }
}

function merge(a: Row[], b: Row[], before: (a: Row, b: Row) => number): Row[] {
  const out: Row[] = [];
  let i = 0;
  for (const row of b) {
    while (i < a.length && before(a[i]!, row) <= 0) out.push(a[i++]!);
    out.push(row);
  }
  while (i < a.length) out.push(a[i++]!);
  return out;
}

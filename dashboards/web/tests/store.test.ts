// SPDX-License-Identifier: Apache-2.0
import { describe, expect, test } from 'vitest';
import { readRow, type ServerFrame } from '../src/frames.ts';
import { Store } from '../src/store.ts';

type Rows = Extract<ServerFrame, { type: 'rows' }>;

/** Frames of animation come when the test says so. */
function clock() {
  let due: (() => void)[] = [];
  return { now: () => 1000, frame: (call: () => void) => { due.push(call); }, turn: () => { const calls = due; due = []; calls.forEach((call) => call()); return calls.length; } };
}

const raw = (cell: number, subject: string, flag: string, value: unknown, more: { changed?: number; acked?: number } = {}): unknown[] =>
  [cell, subject, 'hash', flag, value === true ? 'on' : 'off', value, 'TARGETING_MATCH', null, 'event', 7, 100, more.changed ?? 100, 1, more.acked ?? 0, 2, 'watched', null];
const snapshot = (rows: unknown[][], more: Partial<Rows> = {}): Rows => ({ type: 'rows', id: 1, revision: 5, total: rows.length, dict: [], rows, first: true, ...more });
const changes = (rows: unknown[][], gone: number[] = []) => ({ type: 'changes' as const, id: 1, revision: 6, total: 9, rows, gone });
const names = (store: Store) => store.rows.map((row) => `${row.subject}/${row.flag}=${String(row.value)}`);

describe('rows of frames', () => {
  test('texts of a snapshot are indexes into its dictionary, but for the value', () => {
    const row = readRow([3, 0, 1, 2, 3, 2, 4, null, 5, null, 1, 2, 3, 0, 0, 6, null], ['ada', 'h', 'f', 'two', 'STATIC', 'watch', 'seen'], 0);
    expect(row).toMatchObject({ subject: 'ada', context: 'h', flag: 'f', variant: 'two', value: 2, reason: 'STATIC', source: null, causeKind: 'watch', causeEntry: null, state: 'seen', error: null });
  });
});

describe('a store', () => {
  test('shows a snapshot of several parts only when it is whole', () => {
    const time = clock();
    const store = new Store('subject', time);
    expect(store.takeRows(snapshot([raw(1, 'bo', 'f', true)], { more: true }))).toBe(false);
    expect(time.turn()).toBe(0);
    expect(store.takeRows(snapshot([raw(2, 'ada', 'f', true)], { first: undefined }))).toBe(true);
    time.turn();
    expect(names(store)).toEqual(['ada/f=true', 'bo/f=true']);
    expect(store.revision).toBe(5);
  });

  test('is drawn once for a frame, however many changes it holds', () => {
    const time = clock();
    const store = new Store('subject', time);
    store.takeRows(snapshot([raw(1, 'ada', 'f', true)]));
    for (let i = 0; i < 500; i++) store.takeChanges(changes([raw(1, 'ada', 'f', i % 2 === 1)]));
    expect(time.turn()).toBe(1);
    expect(names(store)).toEqual(['ada/f=true']);
    expect(store.flips).toBe(500);
  });

  test('keeps its order as cells come, change and go', () => {
    const time = clock();
    for (const sort of ['subject', 'flag', 'changed'] as const) {
      const store = new Store(sort, time);
      const other = new Store(sort, time);
      store.takeRows(snapshot([raw(1, 'ada', 'b', true, { changed: 5 }), raw(2, 'bo', 'a', true, { changed: 9 }), raw(3, 'cy', 'c', true, { changed: 1 })]));
      time.turn();
      store.takeChanges(changes([raw(4, 'abe', 'b', true, { changed: 7 }), raw(3, 'cy', 'c', false, { changed: 20 })], [2]));
      other.takeRows(snapshot([raw(1, 'ada', 'b', true, { changed: 5 }), raw(3, 'cy', 'c', false, { changed: 20 }), raw(4, 'abe', 'b', true, { changed: 7 })]));
      time.turn();
      expect(names(store), sort).toEqual(names(other));
    }
  });

  test('a row that did not change stays the same object, so that it is not drawn again', () => {
    const time = clock();
    const store = new Store('subject', time);
    store.takeRows(snapshot([raw(1, 'ada', 'f', true), raw(2, 'bo', 'f', true)]));
    time.turn();
    const [ada, bo] = store.rows;
    store.takeDelivered([[2, 2, 2]]);
    time.turn();
    expect(store.rows[0]).toBe(ada);
    expect(store.rows[1]).not.toBe(bo);
    expect(store.rows[1]).toMatchObject({ acked: 2, watching: 2, seen: 0 });
  });

  test('a delivery is no flip, and another value is', () => {
    const time = clock();
    const store = new Store('subject', time);
    store.takeRows(snapshot([raw(1, 'ada', 'f', true)]));
    store.takeChanges(changes([raw(1, 'ada', 'f', true, { acked: 2 })]));
    expect([store.flips, store.row(1)?.seen]).toEqual([0, 0]);
    store.takeChanges(changes([raw(1, 'ada', 'f', false)]));
    expect([store.flips, store.row(1)?.seen]).toEqual([1, 1000]);
  });

  test('paused, it shows what it showed, and counts what waits', () => {
    const time = clock();
    const store = new Store('subject', time);
    store.takeRows(snapshot([raw(1, 'ada', 'f', true)]));
    time.turn();
    store.pause(true);
    store.takeChanges(changes([raw(1, 'ada', 'f', false)]));
    time.turn();
    expect([names(store), store.waiting]).toEqual([['ada/f=true'], 1]);
    store.pause(false);
    time.turn();
    expect(names(store)).toEqual(['ada/f=false']);
  });
});

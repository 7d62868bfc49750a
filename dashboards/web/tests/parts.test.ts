// SPDX-License-Identifier: Apache-2.0
// Small parts without a browser: the window, places, rules, words for a shell, numbers.
import { describe, expect, test } from 'vitest';
import { quote } from '../src/commands.ts';
import { age, showValue, span, toneOf } from '../src/format.ts';
import { delay } from '../src/feed.ts';
import { barsOf, within } from '../src/histogram.ts';
import { nameOf } from '../src/keys.ts';
import { linesOf } from '../src/parts/rule.tsx';
import { stateAt } from '../src/past.ts';
import { readPlace, writePlace } from '../src/router.ts';
import { reveal, windowOf } from '../src/windowing.ts';

test('a cumulative histogram is drawn as what fell between its bounds, and tells under which bound nearly all stayed', () => {
  const buckets = [[0.1, 0], [1, 20], [10, 20], [100, 29], [null, 30]].map(([leMs, count]) => ({ leMs: leMs as number | null, count: count as number }));
  expect(barsOf(buckets)).toEqual([{ leMs: 1, count: 20 }, { leMs: 10, count: 0 }, { leMs: 100, count: 9 }, { leMs: null, count: 1 }]);
  expect(barsOf(buckets.slice(0, 1))).toEqual([]);
  expect([within({ count: 30, sumMs: 1, buckets }, 0.5), within({ count: 30, sumMs: 1, buckets }, 0.99)]).toEqual([1, null]);
});

test('what stood at a moment stands apart for each context', () => {
  const change = (flag: string, time: string, ...hashes: string[]) => ({ entry: 1, flag, time, contexts: hashes.map((contextHash) => ({ subject: 'ada', contextHash })) }) as never;
  const changes = [change('a', '2026-01-03', 'one'), change('a', '2026-01-02', 'one', 'two'), change('b', '2026-01-01', 'two')];
  const stood = (until: string) => stateAt(changes, 'ada', Date.parse(until)).map((it) => [it.context, it.change.flag, it.change.time]);
  expect(stood('2026-01-03')).toEqual([['one', 'a', '2026-01-03'], ['two', 'a', '2026-01-02'], ['two', 'b', '2026-01-01']]);
  expect(stood('2026-01-01')).toEqual([['two', 'b', '2026-01-01']]);
  expect(stateAt(changes, 'bo', Date.parse('2026-01-03'))).toEqual([]);
});

test('what had ended by then did not stand: for want of a watch, or by a start of the daemon', () => {
  const change = (entry: number, time: string, more = {}) => ({ entry, flag: 'a', time, contexts: [{ subject: 'ada', contextHash: 'one' }], ...more }) as never;
  const changes = [change(9, '2026-01-07'), change(4, '2026-01-04', { ended: true }), change(2, '2026-01-02')];
  const starts = [{ entry: 12, time: '2026-01-10', before: '2026-01-08' }];
  const stood = (until: string) => stateAt(changes, 'ada', Date.parse(until), starts).map((it) => it.change.time);
  expect(stood('2026-01-03')).toEqual(['2026-01-02']);
  expect(stood('2026-01-05')).toEqual([]);
  expect(stood('2026-01-08')).toEqual(['2026-01-07']);
  expect(stood('2026-01-09')).toEqual([]);
});

describe('windowing', () => {
  test('draws what is seen and a few rows around it, wherever one is in a long list', () => {
    for (const top of [0, 15, 30 * 5000, 30 * 10_000]) {
      const part = windowOf(10_000, 30, top, 600);
      const shown = Math.min(top, 300_000 - 600);
      expect(part.first * 30).toBeLessThanOrEqual(shown);
      expect(part.last * 30).toBeGreaterThanOrEqual(shown + 600);
      expect(part.last - part.first).toBeLessThanOrEqual(20 + 2 * 8 + 2);
      expect(part.height).toBe(300_000);
    }
  });
  test('is empty for an empty list, and whole for a short one', () => {
    expect(windowOf(0, 30, 0, 600)).toMatchObject({ first: 0, last: 0, height: 0 });
    expect(windowOf(3, 30, 900, 600)).toMatchObject({ first: 0, last: 3 });
  });
  test('scrolls as little as is needed', () => {
    expect(reveal(0, 30, 90, 300)).toBe(0);
    expect(reveal(5, 30, 90, 300)).toBe(90);
    expect(reveal(20, 30, 90, 300)).toBe(330);
  });
});

describe('places', () => {
  test.each([['#/', [], {}], ['', [], {}], ['#/flags/a%2Fb', ['flags', 'a/b'], {}], ['#/?q=a%26b&subject=*', [], { q: 'a&b', subject: '*' }], ['#/flags/%E0%A4%A', ['flags', '%E0%A4%A'], {}]])('%s', (hash, path, params) => {
    expect(readPlace(hash)).toEqual({ path, params });
  });
  test('what is written is read again, whatever is in a name', () => {
    for (const name of ['a/b', '50%', '?&#=', '<img>', '\u202e', 'ünï'])
      expect(readPlace(writePlace({ path: ['flags', name], params: { q: name } }))).toEqual({ path: ['flags', name], params: { q: name } });
  });
});

test('words for a shell stay one word', () => {
  expect([quote('ada'), quote("it's"), quote('$(rm -r /)'), quote('')]).toEqual(['ada', `'it'\\''s'`, `'$(rm -r /)'`, `''`]);
});

test('rules are lines, with the pointer of each', () => {
  const lines = linesOf({ if: [{ '<': [{ var: 'facts.risk' }, 30] }, 'on', 'off'] });
  expect(lines.map((line) => [line.text, line.path])).toEqual([['if', ''], ['when facts.risk < 30', '/if/0'], ['then "on"', '/if/1'], ['else "off"', '/if/2']]);
});

test('values have words, and a tone beside them', () => {
  expect([true, false, null, [], ['a', 'b'], { a: 1 }, 'x', 0].map(showValue)).toEqual(['on', 'off', '–', 'none', 'a, b', '{"a":1}', 'x', '0']);
  expect([true, false, [], ['a'], 1].map(toneOf)).toEqual(['on', 'off', 'off', 'plain', 'plain']);
});

test('ages and spans', () => {
  expect([0, 1500, 61_000, 7_200_000, 1e9].map(age)).toEqual(['now', '1 s', '1 min', '2 h', '11 d']);
  expect([0.2, 38, 1500].map(span)).toEqual(['<1 ms', '38 ms', '1.5 s']);
});

test('the delay before another try is spread over all of its bound, which grows to an end', () => {
  expect([delay(0, 0), delay(0, 1), delay(3, 0.5), delay(30, 1)]).toEqual([0, 250, 1000, 15_000]);
});

test('keys have one name on each system', () => {
  const press = (key: string, more: object = {}) => nameOf({ key, ctrlKey: false, metaKey: false, altKey: false, ...more });
  expect([press('J'), press(' '), press('k', { metaKey: true }), press('Escape')]).toEqual(['j', 'Space', 'Mod+k', 'Escape']);
});

// SPDX-License-Identifier: Apache-2.0
// The feed against a fake service: views, resume, loss, the end of a session.
import { afterEach, beforeEach, expect, test, vi } from 'vitest';
import { Feed } from '../src/feed.ts';
import { noFilter } from '../src/frames.ts';
import { Store } from '../src/store.ts';
import { Fake } from './fake.mjs';

let fake: Fake;
let feed: Feed;
let signedIn = true;
let lost = 0; // how often the link was stale: it may be back before anybody looks
const soon = { now: () => performance.now(), frame: (call: () => void) => { queueMicrotask(call); } };
const wanted = { filter: noFilter, sort: 'subject' as const, limit: 1000 };
const until = (check: () => boolean) => vi.waitFor(() => expect(check()).toBe(true), { timeout: 15_000, interval: 10 });
const board = () => [...fake.boards][0] as { frames: { type: string; id?: number; since?: object }[] } | undefined;

beforeEach(async () => {
  fake = await new Fake().start();
  signedIn = true;
  feed = new Feed(`${fake.url.replace('http', 'ws')}/v1/board`, async () => signedIn);
  lost = 0;
  feed.link.subscribe((link) => { if (link.state === 'stale') lost++; });
});
afterEach(async () => { feed.stop(); await fake.stop(); });

async function opened(): Promise<Store> {
  const { store } = feed.view(wanted, new Store('subject', soon));
  feed.start();
  await until(() => store.loaded);
  return store;
}

test('a view fills and follows', async () => {
  const store = await opened();
  expect(feed.link.value).toEqual({ state: 'live' });
  await until(() => store.rows.length === fake.cells.size);
  const before = store.row(7)?.value;
  fake.change([fake.flip(7)]);
  await until(() => store.row(7)?.value !== before);
  await until(() => feed.pulse.value !== null);
});

test('after a loss it asks for what changed meanwhile, keeps the rows, and nothing is missing', async () => {
  const store = await opened();
  const before = store.row(7)?.value;
  for (const one of fake.boards) one.ws.terminate();
  await until(() => lost > 0);
  expect(store.rows.length).toBe(fake.cells.size);
  fake.change([fake.flip(7)]);
  await until(() => feed.link.value.state === 'live');
  await until(() => store.row(7)?.value !== before);
  const [asked] = board()!.frames.filter((frame) => frame.type === 'view');
  expect(asked).toMatchObject({ since: { epoch: 'e-fake' } });
});

test('a view that its limit cuts is asked anew: what came into it meanwhile may be older than what it has', async () => {
  const { store } = feed.view({ ...wanted, limit: 5 }, new Store('subject', soon));
  feed.start();
  await until(() => store.rows.length === 5);
  for (const one of fake.boards) one.ws.terminate();
  await until(() => lost > 0);
  expect(store.rows.length).toBe(5);
  await until(() => board()?.frames.some((frame) => frame.type === 'view') ?? false);
  expect(board()!.frames.find((frame) => frame.type === 'view')?.since).toBeUndefined();
});

test('another epoch is another world: the rows come anew', async () => {
  const store = await opened();
  fake.epoch = 'e-other';
  fake.cells.delete(7);
  for (const one of fake.boards) one.ws.terminate();
  await until(() => lost > 0);
  await until(() => feed.link.value.state === 'live' && store.row(7) === undefined);
  expect(board()!.frames.find((frame) => frame.type === 'view')?.since).toBeUndefined();
});

test('another filter empties the view at once and asks again under the same id', async () => {
  const { id, store } = feed.view(wanted, new Store('subject', soon));
  feed.start();
  await until(() => store.loaded);
  feed.change(id, { ...wanted, filter: { ...noFilter, subject: 'ada' } });
  expect(store.loaded).toBe(false);
  await until(() => store.loaded && store.rows.length === 5);
  expect(store.rows.every((row) => row.subject === 'ada')).toBe(true);
  expect(board()!.frames.filter((frame) => frame.type === 'view').map((frame) => frame.id)).toEqual([id, id]);
});

test('entries are asked for while somebody listens', async () => {
  await opened();
  const got: number[] = [];
  const stop = feed.entries((entries) => got.push(...entries.map((one) => one.entry)));
  await until(() => [...fake.boards].some((one) => one.entries));
  fake.tell({ entry: 500, kind: 'event', time: new Date().toISOString() });
  await until(() => got.includes(500));
  stop();
  await until(() => ![...fake.boards].some((one) => one.entries));
});

test('a session that is over ends the trying, and says so', async () => {
  await opened();
  fake.refusing = true;
  signedIn = false;
  for (const one of fake.boards) one.ws.terminate();
  await until(() => feed.link.value.state === 'signed-out');
});

test('goaway is followed, not before the time that it names', async () => {
  await opened();
  const said = Date.now();
  for (const one of fake.boards) one.ws.send(JSON.stringify({ type: 'goaway', code: 'drain', reconnectAfter: 400 }));
  await until(() => lost > 0);
  const link = feed.link.value as { retryAt: number };
  expect(link.retryAt - said).toBeGreaterThanOrEqual(400);
  await until(() => feed.link.value.state === 'live');
});

test('frames and members of a newer service are passed over', async () => {
  const store = await opened();
  for (const one of fake.boards) one.ws.send(JSON.stringify({ type: 'novelty', id: 1 }));
  fake.change([fake.flip(3)]);
  await until(() => store.flips === 1);
});

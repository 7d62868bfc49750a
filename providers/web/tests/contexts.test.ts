// SPDX-License-Identifier: Apache-2.0
// A change of context: from the call on nothing that belongs to the old subject is served to the new one.
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { describe, expect, test } from 'vitest';
import { access, ordinary, pass, settled, timeless, world } from './fake.js';

timeless();

async function twoSubjects() {
  const it = world({ timeout: 3000 });
  it.service.own.set('bo', [access('door', false), ordinary('theme', 'light')]);
  await it.start();
  return it;
}

const BO = { targetingKey: 'bo' };

describe('setContext', () => {
  test('serves safe values and the defaults of callers until the snapshot of the new context is here', async () => {
    const { service, client, events, door } = await twoSubjects();
    service.own.set('bo', [access('door', true), ordinary('theme', 'light')]);
    service.answers = false;
    const changed = OpenFeature.setContext(BO);
    const waiting = door();
    expect(waiting).toMatchObject({ value: false, variant: 'off', reason: 'ERROR' });
    expect(waiting.errorCode).toBeUndefined();
    expect(waiting.flagMetadata['flagstaff.error']).toBe('nothing is known yet for this context');
    expect(client.getStringDetails('theme', 'mine')).toMatchObject({ value: 'mine', errorCode: 'PROVIDER_NOT_READY' });
    expect(client.providerStatus).toBe('RECONCILING');
    await settled();
    service.snapshot(service.socket, service.socket.watches.get(2)!);
    await changed;
    await settled();
    expect(door().value).toBe(true);
    expect(client.getStringValue('theme', 'mine')).toBe('light');
    expect(events(), 'one event tells that all is different').toEqual(['Reconciling', 'ContextChanged']);
    expect(client.providerStatus).toBe('READY');
  });

  test('keeps the connection and its lease where no credential binds them', async () => {
    const { service } = await twoSubjects();
    const changed = OpenFeature.setContext(BO);
    await settled();
    await changed;
    expect(service.sockets).toHaveLength(1);
    expect(service.socket.frames.slice(2)).toEqual([
      { type: 'unwatch', watch: 1 }, { type: 'watch', watch: 2, context: BO }, { type: 'ack', revision: 40 },
    ]);
  });

  test('ignores what still comes for the old context', async () => {
    const { service, door } = await twoSubjects();
    const changed = OpenFeature.setContext(BO);
    service.socket.say({ type: 'delta', revision: 41, watches: [{ watch: 1, flags: [access('door', true)] }] });
    expect(door().value).toBe(false);
    service.revision = 41;
    await settled();
    await changed;
    expect(door().value).toBe(false);
  });

  test('of several in a row ends with the last one, and all of them with it', async () => {
    const { service, door, events } = await twoSubjects();
    service.answers = false;
    const changes = [OpenFeature.setContext(BO), OpenFeature.setContext({ targetingKey: 'cy' }), OpenFeature.setContext({ targetingKey: 'di' })];
    await settled();
    service.own.set('di', [access('door', true)]);
    service.answers = true;
    service.snapshot(service.socket, service.socket.watches.get(4)!);
    await Promise.all(changes);
    await settled();
    expect(door().value).toBe(true);
    expect([...service.socket.watches.keys()]).toEqual([4]);
    expect(events().filter((event) => event !== 'Reconciling')).toEqual(['ContextChanged']);
  });

  test('while nobody answers fails in its time with safe values, and is ready when values come', async () => {
    const { service, door, events, client } = await twoSubjects();
    service.refuse = 1006;
    service.socket.end(1006);
    events();
    const changed = OpenFeature.setContext(BO);
    await pass(3000);
    await changed;
    expect(client.providerStatus).toBe('ERROR');
    expect(door()).toMatchObject({ value: false, reason: 'ERROR' });
    expect(events()).toEqual(['Reconciling', 'Error']);
    service.own.set('bo', [access('door', true)]);
    service.refuse = undefined;
    await pass(30_000);
    expect(client.providerStatus).toBe('READY');
    expect(events(), 'the snapshot comes before its lease').toEqual(['ConfigurationChanged door', 'Ready', 'ConfigurationChanged door']);
    expect(service.socket.sent('hello')[0]?.resume, 'the new watch was never told').toBeUndefined();
  });

  test('that is refused fails, with safe values', async () => {
    const { service, door, client } = await twoSubjects();
    service.answers = false;
    const changed = OpenFeature.setContext(BO);
    await settled();
    service.socket.say({ type: 'error', code: 'forbidden', watch: 2, message: "this credential may watch 'ada' only" });
    await changed;
    await settled();
    expect(client.providerStatus).toBe('ERROR');
    expect(door()).toMatchObject({ value: false, reason: 'ERROR' });
    service.answers = true;
    const back = OpenFeature.setContext({ targetingKey: 'ada' });
    await settled();
    await back;
    expect(door().value).toBe(true);
    expect(service.socket.sent('unwatch'), 'a refused watch needs no end').toEqual([{ type: 'unwatch', watch: 1 }]);
  });

  test('that the service cannot evaluate now is asked for again', async () => {
    const { service, door } = await twoSubjects();
    service.answers = false;
    const changed = OpenFeature.setContext(BO);
    await settled();
    service.socket.say({ type: 'error', code: 'unavailable', watch: 2, message: 'not now' });
    await changed;
    service.answers = true;
    service.own.set('bo', [access('door', true)]);
    await pass(2100);
    expect(service.socket.sent('watch').map((frame) => frame.watch)).toEqual([2, 2]);
    expect(door().value).toBe(true);
  });

  test('to something that is no JSON fails and serves nobody', async () => {
    const { door, client } = await twoSubjects();
    const loop: Record<string, unknown> = { targetingKey: 'bo' };
    loop.self = loop;
    await OpenFeature.setContext(loop as any);
    await settled();
    expect(client.providerStatus).toBe('ERROR');
    expect(door()).toMatchObject({ value: false, reason: 'ERROR' });
  });

  test('without a subject leaves it out, as where a ticket fixes it', async () => {
    const { service } = await twoSubjects();
    const changed = OpenFeature.setContext({ targetingKey: '', plan: 'free' });
    await settled();
    await changed;
    expect(service.socket.sent('watch').at(-1)?.context).toEqual({ plan: 'free' });
  });
});

describe('a handler of an event', () => {
  test('may change the context', async () => {
    const { service, door } = await twoSubjects();
    service.own.set('bo', [access('door', true)]);
    let changed: Promise<void> | undefined;
    OpenFeature.addHandler(ProviderEvents.Stale, () => { changed ??= OpenFeature.setContext(BO); });
    service.socket.end(1006);
    await pass(100);
    await changed;
    expect(door().value).toBe(true);
    await pass(60_000);
    expect(door().value, 'its lease is renewed').toBe(true);
    expect(service.socket.sent('hello')[0]?.watches?.[0]?.context).toEqual(BO);
  });

  test('may close the provider', async () => {
    const { service } = await twoSubjects();
    OpenFeature.addHandler(ProviderEvents.Stale, () => { void OpenFeature.clearProviders(); });
    service.socket.end(1006);
    await pass(5000);
    expect(service.sockets).toHaveLength(1);
  });
});

describe('a reader with another context than the one that is watched', () => {
  test('gets safe values, as a client of a domain without a provider of its own', async () => {
    await twoSubjects();
    await OpenFeature.setContext('checkout', BO);
    const other = OpenFeature.getClient('checkout');
    expect(other.getBooleanDetails('door', true)).toMatchObject({ value: false, reason: 'ERROR' });
    expect(other.getStringDetails('theme', 'mine')).toMatchObject({ value: 'mine', errorCode: 'PROVIDER_NOT_READY' });
  });

  const ADA = { targetingKey: 'ada', tenant: 'a', at: { site: 1 } };

  test.each([
    ['an attribute differs', { ...ADA, tenant: 'b' }],
    ['an attribute is missing', { targetingKey: 'ada', at: ADA.at }],
    ['there is one attribute more', { ...ADA, plan: 'free' }],
    ['a member of an attribute differs', { ...ADA, at: { site: 2 } }],
    ['an attribute cannot be written as JSON', { ...ADA, size: 1n as unknown as number }],
  ])('gets safe values too where the subject is the same, but %s', async (_difference, context) => {
    const { start, door } = world();
    await start(ADA);
    await OpenFeature.setContext('checkout', context);
    expect(OpenFeature.getClient('checkout').getBooleanDetails('door', true)).toMatchObject({ value: false, reason: 'ERROR' });
    expect(door().value).toBe(true);
  });

  test('is not another one where the content is the same, in whatever order', async () => {
    const { start } = world();
    await start(ADA);
    await OpenFeature.setContext('checkout', { at: { site: 1 }, plan: undefined as unknown as string, tenant: 'a', targetingKey: 'ada' });
    expect(OpenFeature.getClient('checkout').getBooleanValue('door', false)).toBe(true);
  });

  test('cannot be had by binding one provider to two domains', async () => {
    const { provider } = await twoSubjects();
    expect(() => OpenFeature.setProvider('checkout', provider)).toThrow('more than one domain');
  });
});

describe('what access flags fall to', () => {
  async function fromAdaToBo() {
    const it = world({ ticket: () => 't' });
    it.service.flags.push(access('attic', true));
    it.service.own.set('bo', [access('door', true)]);
    await it.start();
    it.service.answers = false;
    const changed = OpenFeature.setContext(BO);
    await settled();
    return { ...it, changed, attic: () => it.client.getBooleanDetails('attic', true) };
  }

  test('is known over a change of connections, until the new one has answered', async () => {
    const { service, changed, attic } = await fromAdaToBo();
    expect(service.sockets).toHaveLength(2);
    expect(attic()).toMatchObject({ value: false, reason: 'ERROR' });
    service.snapshot(service.socket, service.socket.watches.get(2)!);
    service.grant(service.socket, 0);
    await changed;
  });

  test('is forgotten with a connection that no longer counts, so that it does not grow without end', async () => {
    const { service, changed } = await fromAdaToBo();
    service.snapshot(service.socket, service.socket.watches.get(2)!);
    service.grant(service.socket, 0);
    await changed;
    await OpenFeature.setContext('checkout', { targetingKey: 'cy' });
    const other = OpenFeature.getClient('checkout');
    expect(other.getBooleanDetails('door', true)).toMatchObject({ value: false, reason: 'ERROR' });
    expect(other.getBooleanDetails('attic', false)).toMatchObject({ value: false, errorCode: 'PROVIDER_NOT_READY' });
  });
});

describe('a watch that the service ends', () => {
  test('takes its values with it: safe ones, told', async () => {
    const { service, door, events, client } = await twoSubjects();
    service.socket.say({ type: 'error', code: 'forbidden', watch: 1, message: 'no longer' });
    await settled();
    expect(events()).toEqual(['Error', 'ConfigurationChanged door,theme']);
    expect(door()).toMatchObject({ value: false, reason: 'ERROR' });
    expect(client.getStringDetails('theme', 'x').errorCode).toBe('PROVIDER_NOT_READY');
  });
});

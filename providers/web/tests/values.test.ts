// SPDX-License-Identifier: Apache-2.0
import { OpenFeature } from '@openfeature/web-sdk';
import { describe, expect, test } from 'vitest';
import type { Flag } from '../src/protocol.js';
import { access, ordinary, pass, settled, timeless, world } from './fake.js';

timeless();

describe('initialize', () => {
  test('is ready with the first snapshot under its lease, in one round trip', async () => {
    const { service, start, client, door } = world();
    await start();
    expect(client.providerStatus).toBe('READY');
    expect(door()).toMatchObject({ value: true, variant: 'on', reason: 'TARGETING_MATCH' });
    expect(service.socket.url).toBe('wss://flags.example/v1/ws');
    expect(service.socket.protocols).toEqual(['flagstaff.v1']);
    expect(service.socket.frames).toEqual([
      { type: 'hello', protocol: 'flagstaff.v1', client: { name: 'flagstaff-web', version: '0.1.0' }, watches: [{ watch: 1, context: { targetingKey: 'ada' } }] },
      { type: 'ack', revision: 40 },
    ]);
  });

  test('says who asks and for which flags, where it is told so', async () => {
    const { service, start } = world({ client: { name: 'shop', version: '2.1.0' }, flags: ['door'] });
    await start();
    expect(service.socket.sent('hello')[0]).toMatchObject({ client: { name: 'shop', version: '2.1.0' }, watches: [{ flags: ['door'] }] });
  });

  test('fails after its time, and is ready by itself when values come after all', async () => {
    const { service, provider, client, events, door } = world({ timeout: 3000 });
    service.answers = false;
    events(); // the SDK's own provider is ready
    const ready = OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
    const failed = expect(ready).rejects.toThrow('no values within 3000 ms');
    await pass(3000);
    await failed;
    expect(client.providerStatus).toBe('ERROR');
    expect(door(), 'nothing is known, so the default of the caller').toMatchObject({ value: true, errorCode: 'PROVIDER_NOT_READY' });
    service.answers = true;
    service.takeWatch(service.socket, service.socket.watches.get(1)!);
    service.grant(service.socket, 0);
    await settled();
    expect(client.providerStatus).toBe('READY');
    expect(events()).toEqual(['Error', 'Ready', 'ConfigurationChanged door,theme']);
    expect(door().value).toBe(true);
  });

  test('does not call values ready that no lease speaks for', async () => {
    const { service, provider, client, door } = world();
    service.leases = false;
    const ready = OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
    await settled();
    expect(client.providerStatus).toBe('NOT_READY');
    expect(provider.resolveBooleanEvaluation('door', true)).toMatchObject({ value: false, variant: 'off' });
    service.leases = true;
    service.grant(service.socket, 0);
    await ready;
    expect(door().value).toBe(true);
  });
});

describe('a flag', () => {
  const flags: Flag[] = [
    access('door', true), ordinary('theme', 'dark'), ordinary('count', 3, 'integer'), ordinary('ratio', 0.5, 'float'),
    ordinary('shape', { sides: 4 }, 'object'), ordinary('list', ['a'], 'object'),
    { key: 'off', type: 'boolean', reason: 'DISABLED' },
    { key: 'broken', type: 'string', reason: 'ERROR', error: { code: 'PARSE_ERROR', message: 'flags.yaml:31: no' } },
    { ...access('unknown', false), reason: 'ERROR', metadata: { 'flagstaff.error': 'source opa: refused', owner: 'web' } },
    { ...access('__proto__', false) },
  ];
  async function reader() {
    const it = world();
    it.service.flags = flags;
    await it.start();
    return it.client;
  }

  test('of each type resolves to its value', async () => {
    const client = await reader();
    expect(client.getBooleanValue('door', false)).toBe(true);
    expect(client.getStringDetails('theme', '-')).toMatchObject({ value: 'dark', variant: 'set', reason: 'STATIC' });
    expect(client.getNumberValue('count', 0)).toBe(3);
    expect(client.getNumberValue('ratio', 0)).toBe(0.5);
    expect(client.getObjectValue('shape', {})).toEqual({ sides: 4 });
    expect(client.getObjectValue('list', [])).toEqual(['a']);
    expect(client.getBooleanValue('__proto__', true)).toBe(false);
  });

  test('of another type than asked for is TYPE_MISMATCH', async () => {
    const client = await reader();
    expect(client.getStringDetails('door', 'x')).toMatchObject({ value: 'x', errorCode: 'TYPE_MISMATCH' });
    expect(client.getBooleanDetails('theme', true)).toMatchObject({ value: true, errorCode: 'TYPE_MISMATCH' });
    expect(client.getNumberDetails('theme', 7)).toMatchObject({ value: 7, errorCode: 'TYPE_MISMATCH' });
    expect(client.getObjectDetails('count', {})).toMatchObject({ errorCode: 'TYPE_MISMATCH' });
  });

  test('that is not there is FLAG_NOT_FOUND', async () => {
    expect((await reader()).getBooleanDetails('none-such', true)).toMatchObject({ value: true, errorCode: 'FLAG_NOT_FOUND' });
  });

  test('without a value gives the default of the caller', async () => {
    const client = await reader();
    const disabled = client.getBooleanDetails('off', true);
    expect(disabled).toMatchObject({ value: true, reason: 'DISABLED' });
    expect(disabled.errorCode).toBeUndefined();
    expect(client.getStringDetails('broken', 'x')).toMatchObject({ value: 'x', errorCode: 'PARSE_ERROR', errorMessage: 'flags.yaml:31: no' });
  });

  test('whose answer is unknown is a success with the safe value and says why', async () => {
    const safe = (await reader()).getBooleanDetails('unknown', true);
    expect(safe).toMatchObject({ value: false, reason: 'ERROR', flagMetadata: { 'flagstaff.error': 'source opa: refused', owner: 'web' } });
    expect(safe.errorCode).toBeUndefined();
  });

  test('cannot be altered by a reader', async () => {
    const client = await reader();
    const shape = client.getObjectValue('shape', {}) as { sides: number };
    expect(() => { shape.sides = 5; }).toThrow(TypeError);
    expect(client.getObjectValue('shape', {})).toEqual({ sides: 4 });
  });
});

describe('a change', () => {
  test('is told with the flags that changed, after it is acknowledged, and reads anew', async () => {
    const { service, start, events, door } = world();
    await start();
    OpenFeature.addHandler('PROVIDER_CONFIGURATION_CHANGED' as any, () => {
      expect(service.socket.sent('ack').at(-1)).toEqual({ type: 'ack', revision: 41 });
      expect(door().value).toBe(false);
    });
    service.change(access('door', false));
    await settled();
    expect(events()).toEqual(['ConfigurationChanged door']);
    expect(door()).toMatchObject({ value: false, variant: 'off' });
  });

  test('in parts takes effect, is acknowledged and told as a whole', async () => {
    const { service, start, events, door, client } = world();
    await start();
    service.socket.say({ type: 'delta', revision: 42, more: true, watches: [{ watch: 1, flags: [access('door', false)] }] });
    await settled();
    expect(events()).toEqual([]);
    expect(door().value).toBe(true);
    service.socket.say({ type: 'delta', revision: 42, watches: [{ watch: 1, removed: ['theme'] }] });
    await settled();
    expect(service.socket.sent('ack')).toEqual([{ type: 'ack', revision: 40 }, { type: 'ack', revision: 42 }]);
    expect(events()).toEqual(['ConfigurationChanged door,theme']);
    expect(client.getStringDetails('theme', 'x').errorCode).toBe('FLAG_NOT_FOUND');
  });

  test('of nothing but the cause is acknowledged and not told', async () => {
    const { service, start, events } = world();
    await start();
    service.change({ ...access('door', true), cause: { kind: 'revalidate', time: '2026-11-24T09:31:00.000Z' } });
    await settled();
    expect(events()).toEqual([]);
    expect(service.socket.sent('ack').at(-1)).toEqual({ type: 'ack', revision: 41 });
  });

  test('of a watch that is not ours still counts for the revision', async () => {
    const { service, start } = world();
    await start();
    service.socket.say({ type: 'delta', revision: 50, watches: [{ watch: 9, flags: [access('door', false)] }] });
    await settled();
    expect(service.socket.sent('ack').at(-1)).toEqual({ type: 'ack', revision: 50 });
  });
});

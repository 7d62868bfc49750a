// SPDX-License-Identifier: Apache-2.0
// What comes over the wire is not believed. Whatever it is: the connection is closed with 4400 and begun anew without a resume
// point, nothing is thrown into the page, and what was known stays known.
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { describe, expect, test } from 'vitest';
import { access, pass, settled, timeless, world } from './fake.js';

timeless();

const flag = access('door', false);
const delta = (...flags: unknown[]) => ({ type: 'delta', revision: 41, watches: [{ watch: 1, flags }] });
const lease = { type: 'lease', n: 1, revision: 40, duration: 30_000 };

const WRONG: [string, unknown][] = [
  ['no JSON', '{"type":'],
  ['an empty message', ''],
  ['a binary message', new ArrayBuffer(8)],
  ['null', 'null'],
  ['an array', '[]'],
  ['a number', '1'],
  ['no type', '{}'],
  ['a type that is no text', '{"type":1}'],
  ['a second welcome', { type: 'welcome', protocol: 'flagstaff.v1', session: 's', epoch: 'e', lease: 1 }],
  ['a welcome of another protocol', { type: 'welcome', protocol: 'flagstaff.v2', session: 's', epoch: 'e', lease: 1 }],
  ['a delta without watches', { type: 'delta', revision: 41 }],
  ['a delta whose watches are none', { type: 'delta', revision: 41, watches: [null] }],
  ['a delta without revision', { type: 'delta', watches: [] }],
  ['a revision beyond 2^53', { type: 'delta', revision: 2 ** 60, watches: [] }],
  ['a negative revision', { type: 'delta', revision: -1, watches: [] }],
  ['a delta of a closed revision', { ...delta(flag), revision: 40 }],
  ['an older revision', { ...delta(flag), revision: 39 }],
  ['flags that are no list', { type: 'delta', revision: 41, watches: [{ watch: 1, flags: {} }] }],
  ['removed keys that are no texts', { type: 'delta', revision: 41, watches: [{ watch: 1, removed: [1] }] }],
  ['a flag that is null', delta(null)],
  ['a flag without key', delta({ ...flag, key: undefined })],
  ['a flag without reason', delta({ ...flag, reason: undefined })],
  ['a flag of a type that is unknown', delta({ ...flag, type: 'toString' })],
  ['a value of another type', delta({ ...flag, value: 'true' })],
  ['a value that is null', delta({ ...flag, value: null })],
  ['a value without variant', delta({ ...flag, variant: undefined })],
  ['a safe value of another type', delta({ ...flag, safe: { value: 'false', variant: 'off' } })],
  ['a safe value without variant', delta({ ...flag, safe: { value: false } })],
  ['safe without a value', delta({ ...flag, value: undefined })],
  ['an integer that is none', delta({ ...flag, type: 'integer', value: 1.5, safe: undefined })],
  ['a number that is infinite', '{"type":"delta","revision":41,"watches":[{"watch":1,"flags":[{"key":"n","type":"float","value":1e999,"variant":"x","reason":"STATIC"}]}]}'],
  ['metadata that is a list', delta({ ...flag, metadata: [] })],
  ['one key twice', delta(flag, flag)],
  ['a snapshot without view', { type: 'snapshot', watch: 1, revision: 41, flags: [] }],
  ['a lease without a number', { ...lease, n: undefined }],
  ['a lease that was not asked for', { ...lease, n: 7 }],
  ['a lease that was granted already', { ...lease, n: 0 }],
  ['a lease behind its time', { ...lease, revision: 39 }],
  ['a goaway without code', { type: 'goaway' }],
  ['a goaway whose drain is no number', { type: 'goaway', code: 'drain', drain: 'soon' }],
  ['a goaway whose reconnectAfter is no number', { type: 'goaway', code: 'drain', reconnectAfter: 'later' }],
  ['an error without code', { type: 'error', watch: 1 }],
];

describe('a message that cannot be followed', () => {
  test.each(WRONG)('%s', async (_name, message) => {
    const { service, start, door, events } = world();
    await start();
    const first = service.socket;
    first.raw(typeof message === 'string' || message instanceof ArrayBuffer ? message : JSON.stringify(message));
    expect(first.closed).toBe(4400);
    expect(door().value, 'values and their lease stay').toBe(true);
    await pass(100);
    expect(service.sockets).toHaveLength(2);
    expect(service.socket.sent('hello')[0]?.resume).toBeUndefined();
    expect(events()).toEqual(['Stale', 'Ready']);
  });

  test.each([
    ['before welcome', { type: 'snapshot', watch: 1, view: 'v', revision: 1, flags: [] }],
    ['a lease before the snapshot that it must stand behind', { ...lease, n: 0, revision: 0 }],
  ])('%s', async (name, frame) => {
    const { service, start } = world();
    await start();
    service.answers = false;
    service.epoch = 'e-2';
    if (name === 'before welcome') service.take = () => undefined;
    service.socket.end(1006);
    await pass(100);
    service.socket.say(frame);
    expect(service.socket.closed).toBe(4400);
  });

  test('between two parts of a revision, another revision or a lease', async () => {
    for (const between of [{ ...delta(flag), revision: 42 }, lease]) {
      const { service, start } = world();
      await start();
      service.socket.say({ ...delta(flag), more: true });
      service.socket.say(between);
      expect(service.socket.closed).toBe(4400);
    }
  });

  test('an open revision without end', async () => {
    const { service, start } = world();
    await start();
    const part = { ...delta({ ...flag, metadata: { text: 'x'.repeat(1 << 20) } }), more: true };
    for (let i = 0; i < 17 && service.socket.open; i++) service.socket.say(part);
    expect(service.socket.closed).toBe(4400);
  });
});

describe('what is not known', () => {
  test('is ignored: members, frames, reasons, causes, codes', async () => {
    const { service, start, door, events } = world();
    await start();
    service.socket.say({ type: 'weather', sun: true });
    service.socket.say({ type: 'error', code: 'surprise', message: 'of no watch' });
    service.socket.say({ type: 'error', code: 'unknown_watch', watch: 1, message: 'no such watch' });
    service.socket.say({ ...delta({ ...access('door', true), reason: 'MOON', cause: { kind: 'tide' }, extra: [1] }), extra: {} });
    await settled();
    expect(door()).toMatchObject({ value: true, reason: 'MOON' });
    expect(events()).toEqual(['ConfigurationChanged door']);
    expect(service.sockets).toHaveLength(1);
  });
});

describe('what comes from a socket that was given up', () => {
  test('is too late', async () => {
    const { service, start, door } = world();
    await start();
    const { onmessage, onclose } = service.socket;
    service.socket.raw('{');
    onmessage?.({ data: JSON.stringify(delta(flag)) });
    onclose?.({ code: 1006 });
    expect(door().value).toBe(true);
    await pass(100);
    expect(service.sockets).toHaveLength(2);
  });
});

describe('an application that throws', () => {
  test('in its handlers and its log disturbs nothing', async () => {
    const { service, start, door } = world({ log: () => { throw new Error('log'); } });
    OpenFeature.addHandler(ProviderEvents.ConfigurationChanged, () => { throw new Error('handler'); });
    await start();
    service.change(access('door', false));
    service.socket.end(1006);
    await pass(100);
    expect(service.sockets).toHaveLength(2);
    expect(door().value).toBe(false);
  });
});

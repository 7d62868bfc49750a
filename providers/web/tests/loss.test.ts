// SPDX-License-Identifier: Apache-2.0
// What happens when changes can no longer be heard: stale, then safe; and how the way back is found.
import { OpenFeature } from '@openfeature/web-sdk';
import { describe, expect, test, vi } from 'vitest';
import { access, ordinary, pass, settled, timeless, world, type FakeService } from './fake.js';

timeless();

const SAFE = { value: false, variant: 'off', reason: 'ERROR' };

describe('a lease', () => {
  test('is renewed each third of its length, and values stay', async () => {
    const { service, start, events, door } = world();
    await start();
    await pass(60_000);
    expect(service.socket.sent('renew').map((frame) => frame.n)).toEqual([1, 2, 3, 4, 5, 6]);
    expect(door().value).toBe(true);
    expect(events()).toEqual([]);
  });

  test('counts from the sending of the renewal that it grants, however late the grant comes', async () => {
    const { service, start, door } = world();
    await start();
    service.leases = false;
    await pass(10_000);
    expect(service.socket.sent('renew')).toHaveLength(1);
    await pass(9_000);
    service.socket.say({ type: 'lease', n: 1, revision: 40, duration: 30_000 });
    service.answers = false;
    await pass(20_990);
    expect(door().value).toBe(true);
    await pass(100);
    expect(door()).toMatchObject(SAFE);
  });

  test('is looked at on each read, not by a timer', async () => {
    const { start, door, client } = world();
    await start();
    vi.setSystemTime(Date.now() + 30_000); // no timer runs meanwhile
    expect(door()).toMatchObject(SAFE);
    expect(client.getStringDetails('theme', 'x')).toMatchObject({ value: 'dark', reason: 'STALE' });
  });

  test('that a hung service does not renew ends, though the connection stands', async () => {
    const { service, start, events, door } = world();
    await start();
    service.leases = false;
    await pass(10_000);
    service.change(ordinary('theme', 'light')); // it still speaks
    await pass(10_000);
    service.change(ordinary('theme', 'dark'));
    await pass(9_900);
    expect(door().value).toBe(true);
    await pass(200);
    expect(door()).toMatchObject(SAFE);
    expect(events()).toEqual(['ConfigurationChanged theme', 'ConfigurationChanged theme', 'Error', 'ConfigurationChanged door']);
    expect(service.sockets).toHaveLength(1);
  });
});

describe('a connection that breaks', () => {
  test('makes the provider STALE at once, with values as they were', async () => {
    const { service, start, events, door, client } = world();
    await start();
    service.refuse = 1006;
    service.socket.end(1006);
    await settled();
    expect(events()).toEqual(['Stale']);
    expect(client.providerStatus).toBe('STALE');
    expect(door()).toMatchObject({ value: true, reason: 'TARGETING_MATCH' });
  });

  test('ends in ERROR at the end of the lease: access flags are safe, successfully, others keep their value as STALE', async () => {
    const { service, start, events, door, client } = world();
    service.flags.push(access('shut', false));
    await start();
    service.refuse = 1006;
    service.socket.end(1006);
    await pass(29_900);
    expect(events()).toEqual(['Stale']);
    expect(door().value).toBe(true);
    await pass(200);
    expect(events(), 'only what reads otherwise is told').toEqual(['Error', 'ConfigurationChanged door']);
    expect(client.providerStatus).toBe('ERROR');
    const safe = door();
    expect(safe).toMatchObject(SAFE);
    expect(safe.errorCode).toBeUndefined();
    expect(safe.flagMetadata['flagstaff.error']).toContain('the lease is over: the connection ended (1006)');
    expect(client.getStringDetails('theme', 'x')).toMatchObject({ value: 'dark', reason: 'STALE', variant: 'set' });
  });

  test('is made anew and resumed from where it stood', async () => {
    const { service, start, events, door } = world();
    await start();
    service.change(access('shut', false));
    service.socket.end(1006);
    await pass(100);
    expect(service.sockets).toHaveLength(2);
    expect(service.socket.sent('hello')[0]?.resume).toEqual({ epoch: 'e-1', session: 's-1', revision: 41, watches: [{ watch: 1, view: 'v-ada' }] });
    expect(events()).toEqual(['ConfigurationChanged shut', 'Stale', 'Ready']);
    expect(service.socket.sent('ack'), 'nothing was applied').toEqual([]);
    await pass(20_000);
    expect(door().value, 'leased by the new connection').toBe(true);
  });

  test('is caught up with: what changed meanwhile is told', async () => {
    const { service, start, events, door } = world();
    await start();
    const { socket } = service;
    socket.open = false;
    service.change(access('door', false));
    socket.end(1006);
    await pass(100);
    expect(events()).toEqual(['Stale', 'ConfigurationChanged door', 'Ready']);
    expect(door().value).toBe(false);
  });

  test('grants again what was granted, told, when it is back after the lease was over', async () => {
    const { service, start, events, door } = world();
    await start();
    service.refuse = 1006;
    service.socket.end(1006);
    await pass(40_000);
    expect(events()).toEqual(['Stale', 'Error', 'ConfigurationChanged door']);
    service.refuse = undefined;
    await pass(31_000);
    expect(events()).toEqual(['Ready', 'ConfigurationChanged door']);
    expect(door()).toMatchObject({ value: true, reason: 'TARGETING_MATCH' });
  });

  test('to another epoch keeps values and lease until the snapshot is here', async () => {
    const { service, start, door } = world();
    await start();
    Object.assign(service, { epoch: 'e-2', revision: 3, answers: false });
    service.socket.end(1006);
    await pass(100);
    expect(door().value).toBe(true);
    service.flags = [access('door', false)];
    service.snapshot(service.socket, service.socket.watches.get(1)!);
    expect(service.socket.sent('ack')).toEqual([{ type: 'ack', revision: 3 }]);
    expect(door().value).toBe(false);
  });

  test('is not resumed by a connection that did not speak for the watch', async () => {
    const { service, start } = world();
    await start();
    Object.assign(service, { epoch: 'e-2', revision: 3, answers: false });
    service.socket.end(1006);
    await pass(100);
    service.socket.end(1006);
    await pass(200);
    expect(service.sockets).toHaveLength(3);
    expect(service.socket.sent('hello')[0]?.resume).toBeUndefined();
    service.socket.end(1006);
  });

  test('is tried again with full jitter, ever longer, up to half a minute', async () => {
    const { service, start } = world();
    await start();
    service.refuse = 1006;
    const at: number[] = [];
    let last = Date.now();
    const seen = vi.spyOn(service, 'connected');
    seen.mockImplementation((socket) => {
      at.push(Math.round((Date.now() - last) / 10) * 10);
      last = Date.now();
      socket.end(1006);
    });
    service.socket.end(1006);
    await pass(120_000);
    expect(at.slice(0, 12), 'half of 100 ms times 2^k').toEqual([50, 100, 200, 400, 800, 1600, 3200, 6400, 12_800, 15_000, 15_000, 15_000]);
  });

  test('is noticed by silence within two thirds of the lease', async () => {
    const { service, start, events } = world();
    await start();
    const first = service.socket;
    first.open = false; // takes what is sent and says nothing
    service.faults.length = 0;
    await pass(19_900);
    expect(service.sockets).toHaveLength(1);
    await pass(300);
    expect(first.closed).toBe(1000);
    expect(service.sockets).toHaveLength(2);
    expect(events()).toEqual(['Stale', 'Ready']);
    service.faults.length = 0;
  });
});

describe('goaway', () => {
  test('drain: the connection still works, then the next one comes not before it may', async () => {
    const { service, start, door } = world();
    await start();
    service.socket.say({ type: 'goaway', code: 'drain', drain: 2000, reconnectAfter: 5000 });
    service.change(access('door', false));
    expect(door().value).toBe(false);
    await pass(2000);
    service.socket.end(1001, 'drain');
    await pass(2900);
    expect(service.sockets).toHaveLength(1);
    await pass(200);
    expect(service.sockets).toHaveLength(2);
    expect(service.socket.sent('hello')[0]?.resume?.revision).toBe(41);
  });

  test('keeps nobody away for longer than ten minutes', async () => {
    const { service, start } = world();
    await start();
    service.socket.say({ type: 'goaway', code: 'overload', reconnectAfter: Number.MAX_SAFE_INTEGER });
    service.socket.end(1013);
    await pass(599_000);
    expect(service.sockets).toHaveLength(1);
    await pass(2000);
    expect(service.sockets).toHaveLength(2);
  });

  test('whose close does not come is followed by ours', async () => {
    const { service, start } = world();
    await start();
    const first = service.socket;
    first.say({ type: 'goaway', code: 'disconnect' });
    await pass(1200);
    expect(first.closed).toBe(1000);
    expect(service.sockets).toHaveLength(2);
  });

  test('revoked ends the lease at once', async () => {
    const { service, start, events, door, client } = world();
    await start();
    service.refuse = 4401;
    service.socket.say({ type: 'goaway', code: 'revoked', message: 'the key was revoked' });
    service.socket.end(4401, 'revoked');
    expect(door()).toMatchObject(SAFE);
    await settled();
    expect(events()).toEqual(['Error', 'ConfigurationChanged door']);
    expect(client.providerStatus, 'not FATAL: the SDK would serve the defaults of callers').toBe('ERROR');
    await pass(14_000);
    expect(service.sockets, 'no hurry with a credential that was refused').toHaveLength(1);
  });

  test.each<[string, (service: FakeService) => void]>([
    ['a snapshot', ({ socket }) => socket.say({ type: 'snapshot', watch: 1, view: 'v-ada', revision: 41, flags: [access('door', true)] })],
    ['a lease', ({ socket }) => socket.say({ type: 'lease', n: 1, revision: 40, duration: 30_000 })],
  ])('revoked is not undone by %s on the connection that still stands', async (_frame, say) => {
    const { service, start, door, client } = world();
    await start();
    service.refuse = 1006;
    service.leases = false;
    await pass(10_000);
    service.socket.say({ type: 'goaway', code: 'revoked', drain: 5000 });
    say(service);
    await settled();
    expect(door()).toMatchObject(SAFE);
    expect(client.providerStatus).toBe('ERROR');
  });

  test('revoked leaves nothing to lease for another context on that connection, and the next one begins afresh', async () => {
    const { service, start, door } = world({ timeout: 500 });
    await start();
    service.socket.say({ type: 'goaway', code: 'revoked', drain: 5000 });
    const changed = OpenFeature.setContext({ targetingKey: 'bo' });
    await pass(500);
    await changed;
    expect(service.socket.watches.has(2), 'it was answered').toBe(true);
    expect(door()).toMatchObject(SAFE);
    service.socket.end(4401);
    await pass(30_000);
    expect(service.sockets).toHaveLength(2);
    expect(door().value, 'the new credential is good').toBe(true);
  });

  test('of a code that is not known is like drain', async () => {
    const { service, start, door } = world();
    await start();
    service.socket.say({ type: 'goaway', code: 'lunch' });
    service.socket.end(1001);
    expect(door().value).toBe(true);
    await pass(200);
    expect(service.sockets).toHaveLength(2);
  });
});

describe('a page that wakes up', () => {
  const page = new EventTarget() as EventTarget & { visibilityState: string };

  function visible() {
    page.visibilityState = 'visible';
    page.dispatchEvent(new Event('visibilitychange'));
  }

  test('renews at once, and gives up on a connection that does not answer', async () => {
    vi.stubGlobal('document', page);
    const { service, start } = world();
    await start();
    const first = service.socket;
    visible();
    await settled();
    expect(first.sent('renew')).toHaveLength(1);
    await pass(6000);
    expect(service.sockets, 'it was answered').toHaveLength(1);
    first.send = () => undefined; // the network is another one now
    visible();
    await pass(5100);
    expect(service.sockets).toHaveLength(2);
    vi.unstubAllGlobals();
  });

  test('connects at once instead of waiting for the back-off', async () => {
    vi.stubGlobal('document', page);
    const { service, start, client } = world();
    await start();
    service.refuse = 1006;
    service.socket.end(1006);
    await pass(60_000);
    service.refuse = undefined;
    const before = service.sockets.length;
    visible();
    await settled();
    expect(service.sockets).toHaveLength(before + 1);
    expect(client.providerStatus).toBe('READY');
    vi.unstubAllGlobals();
  });

  test('does nothing once the provider is closed', async () => {
    vi.stubGlobal('document', page);
    const { service, start } = world();
    await start();
    await OpenFeature.clearProviders();
    expect(service.socket.closed).toBe(1000);
    visible();
    await settled();
    expect(service.sockets).toHaveLength(1);
    vi.unstubAllGlobals();
  });
});

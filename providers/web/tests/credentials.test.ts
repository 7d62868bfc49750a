// SPDX-License-Identifier: Apache-2.0
import { OpenFeature } from '@openfeature/web-sdk';
import { describe, expect, test, vi } from 'vitest';
import { FlagstaffWebProvider } from '../src/index.js';
import { access, FakeSocket, pass, settled, timeless, world } from './fake.js';

timeless();

describe('a ticket', () => {
  test('is fetched for each connection, for the context that it serves', async () => {
    let count = 0;
    const ticket = vi.fn(async () => `t${++count}`);
    const { service, start } = world({ ticket });
    await start({ targetingKey: 'ada', plan: 'pro' });
    service.socket.end(1006);
    await pass(200);
    expect(service.sockets.map((socket) => socket.protocols)).toEqual([['flagstaff.v1', 'flagstaff.ticket.t1'], ['flagstaff.v1', 'flagstaff.ticket.t2']]);
    expect(ticket.mock.calls).toEqual([[{ targetingKey: 'ada', plan: 'pro' }], [{ targetingKey: 'ada', plan: 'pro' }]]);
  });

  test('belongs to a subject: another context gets another connection, and nothing of it is asked on the old one', async () => {
    const { service, start, door, client } = world({ ticket: (context) => `for-${context.targetingKey}` });
    service.own.set('bo', [access('door', true)]);
    await start();
    const first = service.socket;
    const changed = OpenFeature.setContext({ targetingKey: 'bo' });
    expect(door()).toMatchObject({ value: false, reason: 'ERROR' });
    expect(first.closed).toBe(1000);
    await settled();
    await changed;
    await settled();
    expect(first.sent('watch')).toEqual([]);
    expect(first.sent('unwatch')).toEqual([{ type: 'unwatch', watch: 1 }]);
    expect(service.socket.protocols).toEqual(['flagstaff.v1', 'flagstaff.ticket.for-bo']);
    expect(service.socket.sent('hello')[0]).toMatchObject({ watches: [{ watch: 2, context: { targetingKey: 'bo' } }] });
    expect(service.socket.sent('hello')[0]?.resume).toBeUndefined();
    expect(door().value).toBe(true);
    expect(client.providerStatus).toBe('READY');
  });

  test('that comes late, for a context that has changed meanwhile, is not used', async () => {
    const given: ((ticket: string) => void)[] = [];
    const { service, provider } = world({ ticket: () => new Promise((resolve) => given.push(resolve)) });
    const ready = OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
    await settled();
    const changed = OpenFeature.setContext({ targetingKey: 'bo' });
    await settled();
    given[1]?.('bo');
    given[0]?.('ada');
    await settled();
    await Promise.all([ready, changed]);
    expect(service.sockets.map((socket) => socket.protocols[1])).toEqual(['flagstaff.ticket.bo']);
  });

  test('that cannot be had is asked for again with back-off', async () => {
    const ticket = vi.fn<() => string>(() => { throw new Error('the backend is away'); });
    const texts: string[] = [];
    const { service, provider, client } = world({ ticket, timeout: 1000, log: (text) => texts.push(text) });
    const failed = expect(OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' })).rejects.toThrow('the backend is away');
    await pass(1000);
    await failed;
    expect(ticket.mock.calls.length).toBeGreaterThan(3);
    expect(texts[0]).toBe('the connection ended: the backend is away; again in 50 ms');
    ticket.mockReturnValue('t');
    await pass(2000);
    expect(service.sockets).toHaveLength(1);
    expect(client.providerStatus).toBe('READY');
  });

  test('that never comes costs the attempt, not the page', async () => {
    const ticket = vi.fn(() => new Promise<string>(() => undefined));
    const { provider } = world({ ticket });
    const failed = expect(OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' })).rejects.toThrow();
    await pass(20_300);
    await failed;
    expect(ticket).toHaveBeenCalledTimes(2 + 1);
  });

  test('that is refused once may have come too late: the next one is tried at once', async () => {
    const { service, provider } = world({ ticket: () => 't' });
    service.refuse = 4401;
    const ready = OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
    await vi.advanceTimersByTimeAsync(0);
    service.refuse = undefined;
    await pass(100);
    await ready;
    expect(service.sockets).toHaveLength(2);
  });

  test('that has expired is followed by the next one without haste or delay', async () => {
    const { service, start, events } = world({ ticket: () => 't' });
    await start();
    service.socket.say({ type: 'goaway', code: 'expired' });
    service.socket.end(4401, 'expired');
    await pass(100);
    expect(events()).toEqual(['Stale', 'Ready']);
  });

  test('that no subprotocol can carry ends the attempt, not the page, and is not told in words', async () => {
    const texts: string[] = [];
    const { provider } = world({
      ticket: () => 'not a token', timeout: 500, log: (text) => texts.push(text),
      webSocket: class { constructor(_url: string, [, ticket]: string[]) { throw new SyntaxError(`'${ticket}' is invalid`); } } as any,
    });
    const failed = expect(OpenFeature.setProviderAndWait(provider, {})).rejects.toThrow('WebSocket refuses this address or ticket');
    await pass(500);
    await failed;
    expect(texts.join()).not.toContain('not a token');
  });

  test.each([[''], [undefined], [7]])('that is none (%s) ends the attempt', async (nothing) => {
    const { provider } = world({ ticket: () => nothing as string, timeout: 500 });
    const failed = expect(OpenFeature.setProviderAndWait(provider, {})).rejects.toThrow('the callback gave no credential');
    await pass(500);
    await failed;
  });
});

describe('a refusal', () => {
  test.each([[4401, undefined], [4403, undefined], [4403, () => 't']])('%s while nothing is known yet is PROVIDER_FATAL', async (code, ticket) => {
    const { service, provider, client } = world(ticket ? { ticket } : {});
    service.refuse = code;
    const failed = expect(OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' })).rejects.toMatchObject({ code: 'PROVIDER_FATAL' });
    await settled();
    await failed;
    expect(client.providerStatus).toBe('FATAL');
    await pass(14_000);
    expect(service.sockets, 'no hurry').toHaveLength(1);
    service.refuse = undefined;
    await pass(16_000);
    expect(client.providerStatus, 'somebody has put it right').toBe('READY');
  });

  test('later is not FATAL, or the SDK would serve the defaults of callers: values to the end of the lease, then safe ones', async () => {
    const { service, start, door, events } = world();
    await start();
    service.refuse = 4403;
    service.socket.end(4403);
    await pass(29_000);
    expect(door().value).toBe(true);
    await pass(1500);
    expect(door()).toMatchObject({ value: false, variant: 'off' });
    expect(events()).toEqual(['Stale', 'Error', 'ConfigurationChanged door']);
  });
});

describe('a token', () => {
  test('goes into a header, which only a WebSocket of Node can send', async () => {
    const { service, start } = world({ token: 'flagstaff_k_s' });
    await start();
    expect(service.socket.options).toEqual({ headers: { Authorization: 'Bearer flagstaff_k_s' } });
    expect(service.socket.protocols).toEqual(['flagstaff.v1']);
  });

  test('that is one text serves several contexts over one connection; a function is asked for each', async () => {
    const fixed = world({ token: 'k' });
    await fixed.start();
    const changed = OpenFeature.setContext({ targetingKey: 'bo' });
    await settled();
    await changed;
    expect(fixed.service.sockets).toHaveLength(1);
    const asked = world({ token: async (context) => `k-${context.targetingKey}` });
    await asked.start();
    const again = OpenFeature.setContext({ targetingKey: 'bo' });
    await settled();
    await again;
    expect(asked.service.sockets.map((socket) => socket.options.headers.Authorization)).toEqual(['Bearer k-ada', 'Bearer k-bo']);
  });
});

describe('options that cannot work are told at once', () => {
  const webSocket = FakeSocket as any;
  test.each([
    ['a token without a WebSocket', { url: 'https://x', token: 'k' }, /webSocket/],
    ['two credentials', { url: 'https://x', token: 'k', ticket: () => 't', webSocket }, /one credential/],
    ['no address', { url: 'flags', webSocket }, /no address/],
    ['another scheme', { url: 'ftp://x', webSocket }, /ftp:/],
    ['a password in the address', { url: 'https://a:b@x', webSocket }, /credential/],
    ['no flags', { url: 'https://x', flags: [], webSocket }, /flags/],
    ['no time', { url: 'https://x', timeout: 0, webSocket }, /timeout/],
  ])('%s', (_name, options, text) => {
    expect(() => new FlagstaffWebProvider(options)).toThrow(text);
  });

  test('an environment without a WebSocket', () => {
    vi.stubGlobal('WebSocket', undefined);
    expect(() => new FlagstaffWebProvider({ url: 'https://x' })).toThrow('npm package ws');
    vi.unstubAllGlobals();
  });
});

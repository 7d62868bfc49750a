// SPDX-License-Identifier: Apache-2.0
// The same over real sockets and a real clock: each WebSocket that this Node has.
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { OpenFeature } from '@openfeature/web-sdk';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import WebSocket, { WebSocketServer } from 'ws';
import { FlagstaffWebProvider, type SocketConstructor } from '../src/index.js';
import { access, FakeService, FakeSocket } from './fake.js';

const kinds: [string, SocketConstructor][] = [['ws', WebSocket]];
const builtIn = (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
if (builtIn) kinds.push(['the one of Node', builtIn]);

let service: FakeService;
let http: Server;
let offered: (string | undefined)[];
let connections: WebSocket[];

beforeEach(async () => {
  service = new FakeService();
  offered = [];
  connections = [];
  http = createServer();
  const server = new WebSocketServer({ server: http, path: '/v1/ws', perMessageDeflate: false, handleProtocols: () => 'flagstaff.v1' });
  server.on('connection', (socket, request) => {
    offered.push(request.headers['sec-websocket-protocol']);
    connections.push(socket);
    const end = new FakeSocket(service, '', []);
    end.onmessage = ({ data }) => socket.send(data as string);
    socket.on('message', (text) => end.send(String(text)));
    socket.on('close', () => { end.open = false; });
  });
  await new Promise<void>((resolve) => { http.listen(0, '127.0.0.1', resolve); });
});

afterEach(async () => {
  OpenFeature.clearHandlers();
  await OpenFeature.clearProviders();
  connections.forEach((socket) => socket.terminate());
  http.close();
  expect(service.faults).toEqual([]);
});

describe.each(kinds)('over %s', (_name, webSocket) => {
  test('values come, change, survive a broken connection, and end with the provider', async () => {
    let tickets = 0;
    const url = `http://127.0.0.1:${(http.address() as AddressInfo).port}`;
    const provider = new FlagstaffWebProvider({ url, webSocket, ticket: async () => `t${++tickets}` });
    const events: string[] = [];
    for (const name of ['PROVIDER_READY', 'PROVIDER_STALE', 'PROVIDER_CONFIGURATION_CHANGED'] as const) OpenFeature.addHandler(name as any, () => { events.push(name); });
    await OpenFeature.setProviderAndWait(provider, { targetingKey: 'ada' });
    const client = OpenFeature.getClient();
    expect(client.getBooleanValue('door', false)).toBe(true);
    events.length = 0;

    service.change(access('door', false));
    await vi.waitFor(() => expect(events).toEqual(['PROVIDER_CONFIGURATION_CHANGED']));
    expect(client.getBooleanValue('door', true)).toBe(false);
    await vi.waitFor(() => expect(service.socket.sent('ack').at(-1)?.revision).toBe(41));

    connections[0]?.terminate();
    await vi.waitFor(() => expect(events).toEqual(['PROVIDER_CONFIGURATION_CHANGED', 'PROVIDER_STALE', 'PROVIDER_READY']));
    expect(offered).toEqual(['flagstaff.v1,flagstaff.ticket.t1', 'flagstaff.v1,flagstaff.ticket.t2'].map((it) => expect.stringMatching(it.replace(',', ', ?'))));
    expect(service.socket.sent('hello')[0]?.resume?.revision).toBe(41);

    const closed = new Promise((resolve) => { connections[1]?.on('close', resolve); });
    await OpenFeature.clearProviders();
    expect(await closed).toBe(1000);
  });

  test('a service that is not there is an error in its time, and no exception', async () => {
    const port = (http.address() as AddressInfo).port;
    await new Promise((resolve) => { http.close(resolve); });
    const provider = new FlagstaffWebProvider({ url: `http://127.0.0.1:${port}`, webSocket, timeout: 300 });
    await expect(OpenFeature.setProviderAndWait(provider, {})).rejects.toThrow(/no values within 300 ms: the connection ended( \(1006\))?: ./);
  });
});

// SPDX-License-Identifier: Apache-2.0
// What an application may say, checked once so that a mistake is told where it was made.
import type { EvaluationContext } from '@openfeature/web-sdk';

/** What is used of a WebSocket: the browser's, that of Node from version 22 on, or that of the npm package `ws`. */
export interface SocketLike {
  onopen: ((event: any) => void) | null;
  onmessage: ((event: any) => void) | null;
  onclose: ((event: any) => void) | null;
  onerror: ((event: any) => void) | null;
  send(text: string): void;
  close(code?: number, reason?: string): void;
}

export type SocketConstructor = new (url: string, protocols: string[], options?: any) => SocketLike;

/** Gives a credential for one connection, made for this context. */
export type CredentialSource = (context: EvaluationContext) => string | Promise<string>;

export interface FlagstaffOptions {
  /** Where Flagstaff is: `https://flags.example.com`, `wss://…`, or in a page a path such as `/`. The path is `/v1/ws` if left out. */
  url: string | URL;
  /** In a browser: fetches a single-use ticket from your backend, which has it from `POST /v1/tickets`. Called for each connection. */
  ticket?: CredentialSource;
  /** Outside of browsers: an API key or JWT, or what gives one for each connection. Needs `webSocket`, since a browser sends no such header. */
  token?: string | CredentialSource;
  /** Only these flags. Left out: all that the credential may see. */
  flags?: string[];
  /** How long `setProviderAndWait()` and `setContext()` wait for values before they fail, in milliseconds (10 s). */
  timeout?: number;
  /** What Flagstaff's operators see of this client: the page's name and version. */
  client?: { name: string; version: string };
  /** The WebSocket to use where there is none, as in Node 20: `import WebSocket from 'ws'`. */
  webSocket?: SocketConstructor;
  /** Told in words why a connection ended, what was refused and the like. */
  log?: (text: string) => void;
}

export interface Settings {
  url: string;
  ticket: CredentialSource | undefined;
  token: string | CredentialSource | undefined;
  flags: string[] | undefined;
  timeout: number;
  client: { name: string; version: string };
  webSocket: SocketConstructor;
  log: (text: string) => void;
}

const DEFAULT_TIMEOUT = 10_000;

function address(given: string | URL): string {
  const base = (globalThis as { location?: { href?: string } }).location?.href;
  let url: URL;
  try {
    url = new URL(given, base);
  } catch {
    throw new TypeError(`url: '${given}' is no address such as https://flags.example.com`);
  }
  url.protocol = url.protocol.replace(/^http/, 'ws');
  if (!/^wss?:$/.test(url.protocol)) throw new TypeError(`url: '${url.protocol}' is not https:, wss:, http: or ws:`);
  if (url.username || url.password) throw new TypeError('url: a credential does not belong here; use ticket or token');
  if (url.pathname === '/') url.pathname = '/v1/ws';
  url.hash = '';
  return url.href;
}

export function settings(options: FlagstaffOptions): Settings {
  const { ticket, token, flags, timeout = DEFAULT_TIMEOUT } = options;
  if (ticket && token) throw new TypeError('ticket and token: a connection has one credential');
  if (token && !options.webSocket) {
    throw new TypeError('token: needs webSocket (npm package ws); a browser cannot send it, use ticket there');
  }
  const webSocket = options.webSocket ?? (globalThis as { WebSocket?: SocketConstructor }).WebSocket;
  if (!webSocket) throw new TypeError('webSocket: there is none here; give that of the npm package ws');
  if (flags?.length === 0) throw new TypeError('flags: an empty list; leave it out for all');
  if (!(timeout > 0)) throw new TypeError('timeout: milliseconds above 0');
  return {
    url: address(options.url), ticket, token, flags, timeout, webSocket,
    client: options.client ?? { name: 'flagstaff-web', version: '0.1.0' },
    log: (text) => {
      try {
        options.log?.(text);
      } catch { /* not ours to mend, and nothing of ours may depend on it */ }
    },
  };
}

// SPDX-License-Identifier: Apache-2.0
// Requests to the service, and who is signed in. Errors carry the service's own words.
import { signal } from '@preact/signals';

export class ApiError extends Error {
  constructor(readonly status: number, readonly code: string, message: string) { super(message); }
}

export interface Session {
  operator: { id: string; name: string; role: 'viewer' | 'operator' | 'admin'; scopes: string[] };
  csrf: string | null; expires: string | null; mode: 'session' | 'key' | 'loopback'; version: string; epoch: string;
}

/** undefined: not known yet; null: nobody is signed in. */
export const session = signal<Session | null | undefined>(undefined);

export function may(scope: 'operate' | 'admin'): boolean {
  const role = session.value?.operator.role;
  return role === 'admin' || (scope === 'operate' && role === 'operator');
}

/** Relative to the page, so that a prefix of a proxy stays. */
export function addressOf(path: string): string { return new URL(path.replace(/^\//, ''), document.baseURI.replace(/#.*/, '')).href; }
export function feedAddress(): string { return addressOf('v1/board').replace(/^http/, 'ws'); }

export async function call<T>(method: string, path: string, body?: unknown, contentType = 'application/json'): Promise<T> {
  const headers: Record<string, string> = {};
  if (body !== undefined) headers['Content-Type'] = contentType;
  if (method !== 'GET' && session.value?.csrf) headers['X-Flagstaff-Csrf'] = session.value.csrf;
  let answer: Response;
  try {
    answer = await fetch(addressOf(path), {
      method, headers, credentials: 'same-origin', cache: 'no-store', ...(body === undefined ? {} : { body: JSON.stringify(body) }),
    });
  } catch {
    throw new ApiError(0, 'unreachable', 'The service cannot be reached.');
  }
  const text = await answer.text();
  let json: unknown;
  try {
    json = text ? JSON.parse(text) : undefined;
  } catch {
    json = undefined;
  }
  if (!answer.ok) {
    if (answer.status === 401 && path !== '/v1/session') session.value = null;
    const error = (json as { error?: { code?: string; message?: string } } | undefined)?.error;
    throw new ApiError(answer.status, error?.code ?? 'http', error?.message ?? `The service answered ${answer.status}.`);
  }
  return json as T;
}

export function get<T>(path: string, params: Record<string, string | number | undefined> = {}): Promise<T> {
  return call<T>('GET', path + queryOf(params));
}

export function queryOf(params: Record<string, string | number | boolean | undefined>): string {
  const wanted = Object.entries(params).filter(([, value]) => value !== undefined && value !== '');
  return wanted.length ? `?${new URLSearchParams(wanted.map(([name, value]) => [name, String(value)])).toString()}` : '';
}

/** Asks who one is. Throws where the service cannot be reached. */
export async function loadSession(): Promise<boolean> {
  try {
    session.value = await get<Session>('/v1/session');
    return true;
  } catch (error) {
    if (error instanceof ApiError && error.status === 401) {
      session.value = null;
      return false;
    }
    throw error;
  }
}

export async function signIn(key: string): Promise<void> {
  await call('POST', '/v1/session', { key });
  await loadSession();
}

export async function signOut(): Promise<void> {
  await call('DELETE', '/v1/session');
  session.value = null;
}

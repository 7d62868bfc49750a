// SPDX-License-Identifier: Apache-2.0
// What one sees, as something to paste into a terminal.
import { addressOf, session } from './api.ts';

/** For a POSIX shell, whatever is in it. */
export function quote(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}

export function command(...words: string[]): string {
  const origin = location.origin === 'http://127.0.0.1:8080' ? [] : ['--url', location.origin];
  const [verb = '', ...rest] = words;
  return ['flagstaff', verb, ...origin, ...rest].map(quote).join(' ');
}

export function curl(method: string, path: string, body?: unknown, type = 'application/json'): string {
  const words = ['curl', '-s'];
  if (method !== 'GET') words.push('-X', method);
  words.push(quote(addressOf(path)));
  if (session.value?.mode !== 'loopback') words.push('-H', '"Authorization: Bearer $FLAGSTAFF_KEY"');
  if (body !== undefined) words.push('-H', quote(`content-type: ${type}`), '-d', quote(JSON.stringify(body)));
  return words.join(' ');
}

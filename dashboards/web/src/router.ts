// SPDX-License-Identifier: Apache-2.0
// Where one is, in the fragment: `#/flags/export?variant=off`. Each view and each filter is a link that can be sent.
import { signal } from '@preact/signals';

export interface Place { path: string[]; params: Record<string, string> }

export function readPlace(hash: string): Place {
  const [path = '', query = ''] = hash.replace(/^#\/?/, '').split(/\?(.*)/s);
  return {
    path: path.split('/').filter(Boolean).map(decode),
    params: Object.fromEntries(new URLSearchParams(query)),
  };
}

export function writePlace(place: Place): string {
  const params = new URLSearchParams(Object.entries(place.params).filter(([, value]) => value !== ''));
  const query = params.toString();
  return `#/${place.path.map(encodeURIComponent).join('/')}${query ? `?${query}` : ''}`;
}

function decode(text: string): string {
  try {
    return decodeURIComponent(text);
  } catch {
    return text;
  }
}

export const place = signal<Place>(readPlace(globalThis.location?.hash ?? ''));
globalThis.addEventListener?.('hashchange', () => { place.value = readPlace(location.hash); });

export function link(...path: string[]): string { return writePlace({ path, params: {} }); }
export function linkWith(path: string[], params: Record<string, string>): string { return writePlace({ path, params }); }
export function go(...path: string[]): void { location.hash = link(...path); }

/** Changes parameters in place: typing in a filter is no step that `back` should undo. */
export function setParams(changes: Record<string, string | undefined>): void {
  const params = { ...place.value.params };
  for (const [name, value] of Object.entries(changes)) {
    if (value === undefined || value === '') delete params[name];
    else params[name] = value;
  }
  const next = { path: place.value.path, params };
  history.replaceState(null, '', writePlace(next));
  place.value = next;
}

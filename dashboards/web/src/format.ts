// SPDX-License-Identifier: Apache-2.0
// Values, times and numbers as people read them.

export function showValue(value: unknown): string {
  if (value === true) return 'on';
  if (value === false) return 'off';
  if (value === null || value === undefined) return '–';
  if (typeof value === 'string') return value;
  if (Array.isArray(value) && value.every((it) => typeof it === 'string')) return value.length ? value.join(', ') : 'none';
  return JSON.stringify(value);
}

/** What the eye is told of a value beside its text: granting, denying, or just a value. */
export function toneOf(value: unknown): 'on' | 'off' | 'plain' {
  if (value === true) return 'on';
  if (value === false || (Array.isArray(value) && !value.length)) return 'off';
  return 'plain';
}

export function age(ms: number): string {
  const s = Math.max(0, ms) / 1000;
  if (s < 1) return 'now';
  if (s < 60) return `${Math.floor(s)} s`;
  if (s < 3600) return `${Math.floor(s / 60)} min`;
  if (s < 86_400) return `${Math.floor(s / 3600)} h`;
  return `${Math.floor(s / 86_400)} d`;
}

export function span(ms: number): string {
  if (ms < 1) return '<1 ms';
  return ms < 1000 ? `${Math.round(ms)} ms` : ms < 60_000 ? `${(ms / 1000).toFixed(1)} s` : age(ms);
}

const two = (n: number, width = 2): string => String(n).padStart(width, '0');

/** The time of day, with its date where that is not today's. */
export function clock(time: number | string, withMs = false): string {
  const at = new Date(time);
  if (Number.isNaN(at.getTime())) return '–';
  const day = at.toDateString() === new Date().toDateString() ? '' : `${at.getFullYear()}-${two(at.getMonth() + 1)}-${two(at.getDate())} `;
  const ms = withMs ? `.${two(at.getMilliseconds(), 3)}` : '';
  return `${day}${two(at.getHours())}:${two(at.getMinutes())}:${two(at.getSeconds())}${ms}`;
}

export function iso(time: number | string): string {
  const at = new Date(time);
  return Number.isNaN(at.getTime()) ? '' : at.toISOString();
}

export function count(n: number): string { return n.toLocaleString('en-US'); }

/** A long name, cut in its middle: both ends tell contexts apart. */
export function short(hash: string, length = 8): string { return hash.length > length ? hash.slice(0, length) : hash; }

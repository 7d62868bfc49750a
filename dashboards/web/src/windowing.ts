// SPDX-License-Identifier: Apache-2.0
// Which rows of a long list are worth drawing: those that are seen, and a few on both sides.

export interface Window { first: number; last: number; top: number; height: number }

const AROUND = 8;

/** Rows of one height. `last` is behind the last one drawn; `height` that of the whole list. */
export function windowOf(count: number, rowHeight: number, scrollTop: number, viewHeight: number): Window {
  const seen = Math.max(0, Math.min(scrollTop, Math.max(0, count * rowHeight - viewHeight)));
  const first = Math.max(0, Math.floor(seen / rowHeight) - AROUND);
  const last = Math.min(count, Math.ceil((seen + viewHeight) / rowHeight) + AROUND);
  return { first, last: Math.max(first, last), top: first * rowHeight, height: count * rowHeight };
}

/** The scroll position that shows row `index`, moving as little as needed. */
export function reveal(index: number, rowHeight: number, scrollTop: number, viewHeight: number): number {
  const top = index * rowHeight;
  if (top < scrollTop) return top;
  return top + rowHeight > scrollTop + viewHeight ? top + rowHeight - viewHeight : scrollTop;
}

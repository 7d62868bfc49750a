// SPDX-License-Identifier: Apache-2.0
// A table that draws only the rows that are seen, and says to assistive technology how many there are.
import type { ComponentChildren, VNode } from 'preact';
import { useEffect, useLayoutEffect, useRef, useState } from 'preact/hooks';
import { reveal, windowOf } from '../windowing.ts';

interface Props {
  label: string;
  columns: string[];
  kind: string; // the class that sets the columns' widths
  count: number;
  selected?: number;
  tall?: number; // a row's height on narrow screens, where cells stand in two lines
  render: (index: number, top: number) => VNode;
  onNearEnd?: () => void;
  children?: ComponentChildren; // instead of rows, where there are none
}

export const ROW = 30;
const narrow = globalThis.matchMedia?.('(max-width: 760px)');

export function useNarrow(): boolean {
  const [is, set] = useState(narrow?.matches ?? false);
  useEffect(() => {
    const changed = () => set(narrow.matches);
    narrow?.addEventListener('change', changed);
    return () => narrow?.removeEventListener('change', changed);
  }, []);
  return is;
}

export function Table({ label, columns, kind, count, selected = -1, tall = 56, render, onNearEnd, children }: Props) {
  const scroller = useRef<HTMLDivElement>(null);
  const head = useRef<HTMLDivElement>(null);
  const [scroll, setScroll] = useState({ top: 0, height: 800 });
  const height = useNarrow() ? tall : ROW;
  const measure = () => {
    const at = scroller.current;
    const bar = at ? at.offsetWidth - at.clientWidth : 0;
    if (head.current) head.current.style.paddingRight = `${bar}px`; // columns stand above theirs
    if (at) setScroll((old) => (old.top === at.scrollTop && old.height === at.clientHeight ? old : { top: at.scrollTop, height: at.clientHeight }));
  };
  useLayoutEffect(() => {
    measure();
    const observer = new ResizeObserver(measure);
    if (scroller.current) observer.observe(scroller.current);
    return () => observer.disconnect();
  }, []);
  useEffect(() => {
    const at = scroller.current;
    if (at && selected >= 0) at.scrollTop = reveal(selected, height, at.scrollTop, at.clientHeight);
  }, [selected, height]);
  const part = windowOf(count, height, scroll.top, scroll.height);
  useEffect(() => { if (onNearEnd && count && part.last > count - 50) onNearEnd(); }, [part.last, count]);
  const rows: VNode[] = [];
  for (let i = part.first; i < part.last; i++) rows.push(render(i, i * height));
  return (
    <div class={`table ${kind}`} role="table" aria-label={label} aria-rowcount={count + 1}>
      <div role="rowgroup" class="thead" ref={head}>
        <div role="row" class="tr" aria-rowindex={1}>
          {columns.map((name) => <span key={name} role="columnheader" class="th">{name}</span>)}
        </div>
      </div>
      <div role="rowgroup" class="tbody" ref={scroller} tabIndex={0} aria-label={label} onScroll={measure}>
        <div class="sheet" style={{ height: `${part.height}px` }}>{rows}</div>
        {count === 0 && <div role="row" class="instead"><div role="cell">{children}</div></div>}
      </div>
    </div>
  );
}

// SPDX-License-Identifier: Apache-2.0
// Flips over time, as bars up (given) and down (taken away). uPlot is loaded when the first plot is seen.
import { useEffect, useRef } from 'preact/hooks';
import { theme } from '../board.ts';
import { clock, count, span } from '../format.ts';
import { t } from '../text.ts';
import type { Change } from '../types.ts';

const STEPS = [1, 5, 15, 60, 300, 900, 3600, 6 * 3600, 86_400];

export interface Bins { step: number; x: number[]; up: number[]; down: number[] }

/** At most sixty bars over the span that the changes cover. Seconds. */
export function binsOf(changes: Pick<Change, 'time' | 'takesAway' | 'contexts' | 'from'>[], until: number): Bins {
  const flips = changes.filter((change) => change.from);
  const first = flips.length ? Math.min(...flips.map((change) => Date.parse(change.time) / 1000)) : until;
  const step = STEPS.find((it) => (until - first) / it <= 60) ?? STEPS.at(-1)!;
  const start = Math.floor(first / step);
  const n = Math.floor(until / step) - start + 1;
  const bins: Bins = { step, x: Array.from({ length: n }, (_, i) => (start + i) * step), up: Array<number>(n).fill(0), down: Array<number>(n).fill(0) };
  for (const flip of flips) {
    const at = Math.floor(Date.parse(flip.time) / 1000 / step) - start;
    if (at < 0 || at >= n) continue;
    if (flip.takesAway) bins.down[at]! -= flip.contexts.length;
    else bins.up[at]! += flip.contexts.length;
  }
  return bins;
}

export function FlipPlot({ changes }: { changes: Change[] }) {
  const at = useRef<HTMLDivElement>(null);
  const scheme = theme.value;
  const bins = binsOf(changes, Date.now() / 1000);
  const total = changes.filter((change) => change.from).length;
  useEffect(() => {
    let plot: { destroy(): void } | undefined;
    let live = true;
    void Promise.all([import('uplot'), import('uplot/dist/uPlot.min.css')]).then(([{ default: Plot }]) => {
      const place = at.current;
      if (!live || !place) return;
      const probe = (name: string) => { place.style.color = `var(${name})`; const it = getComputedStyle(place).color; place.style.color = ''; return it; };
      const [accent, muted, line] = [probe('--accent'), probe('--muted'), probe('--line')];
      const bars = Plot.paths.bars!({ size: [0.8, 14] });
      const axis = { stroke: muted, font: '11px system-ui', grid: { stroke: line, width: 1 }, ticks: { show: false } };
      plot = new Plot({
        width: place.clientWidth || 320, height: 120, legend: { show: false }, cursor: { show: false }, padding: [8, 26, 0, 0],
        scales: { y: { range: (_, low, high) => [Math.min(-1, low), Math.max(1, high)] } },
        axes: [{ ...axis, grid: { show: false }, size: 24, space: 70, values: (_, at) => at.map((it) => clock(it * 1000).slice(0, bins.step < 60 ? undefined : -3)) }, { ...axis, size: 30, incrs: [1, 2, 5, 10, 50, 100, 1000] }],
        series: [{}, { paths: bars, fill: accent, points: { show: false } }, { paths: bars, fill: muted, points: { show: false } }],
      }, [bins.x, bins.up, bins.down], place);
    });
    return () => { live = false; plot?.destroy(); };
  }, [bins.x[0], bins.x.length, total, scheme]);
  return <div class="plot" ref={at} role="img" aria-label={`${t.flag.history}: ${count(total)}; ${t.flag.flipsPer(span(bins.step * 1000))}`} />;
}

// SPDX-License-Identifier: Apache-2.0
// Budgets: what the first load weighs, and that ten thousand cells at two thousand changes a second stay smooth.
import { readdirSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { gzipSync } from 'node:zlib';
import { expect, test } from 'vitest';
import { launch, open, service } from './browser.ts';
import { dist } from './places.ts';

const weight = (file: string): number => gzipSync(readFileSync(join(dist, file)), { level: 9 }).length;

test('the first load is at most 60 kB of scripts and styles, gzipped; all of it at most 150 kB', () => {
  const page = readFileSync(join(dist, 'index.html'), 'utf8');
  const first = [...page.matchAll(/(?:src|href)="board\/(assets\/[^"]+)"/g)].map((match) => match[1]!);
  expect(first.length).toBeGreaterThanOrEqual(2);
  const initial = first.reduce((sum, file) => sum + weight(file), 0);
  const total = readdirSync(join(dist, 'assets')).reduce((sum, file) => sum + weight(join('assets', file)), 0);
  console.log(`first load ${(initial / 1000).toFixed(1)} kB, all ${(total / 1000).toFixed(1)} kB, gzipped`);
  expect(initial).toBeLessThanOrEqual(60_000);
  expect(total).toBeLessThanOrEqual(150_000);
});

test('10,000 cells at 2,000 changes a second: frames are counted while it scrolls', async () => {
  const browser = await launch();
  const fake = await service({ cells: 10_000 });
  const page = await open(browser, fake);
  await page.waitForSelector('[role=cell] .value');
  await page.evaluate(() => { const body = document.querySelector('.tbody')!; body.scrollTop = body.scrollHeight; }); // asks for all pages
  await page.waitForFunction(() => document.querySelector('.table')?.getAttribute('aria-rowcount') === '10001');
  const devtools = await page.context().newCDPSession(page);
  await devtools.send('Performance.enable');
  const spent = async () => Object.fromEntries((await devtools.send('Performance.getMetrics')).metrics.map((it) => [it.name, it.value]));
  const before = await spent();
  const storm = setInterval(() => fake.change(Array.from({ length: 32 }, () => fake.flip(1 + Math.floor(Math.random() * 10_000), 7))), 16);
  const frames = await page.evaluate(() => new Promise<number[]>((done) => {
    const body = document.querySelector('.tbody')!;
    body.scrollTop = 0;
    const times: number[] = [];
    const turn = (time: number) => {
      times.push(time);
      body.scrollTop += 56;
      if (times.length < 240) requestAnimationFrame(turn);
      else done(times.slice(1).map((it, i) => it - times[i]!));
    };
    requestAnimationFrame(turn);
  }));
  clearInterval(storm);
  const after = await spent();
  const share = (name: string) => `${(100 * (after[name]! - before[name]!) / (frames.reduce((sum, it) => sum + it, 0) / 1000)).toFixed(0)} %`;
  const late = frames.filter((it) => it > 33.5).length;
  const sorted = [...frames].sort((a, b) => a - b);
  console.log(`${frames.length} frames, ${late} over 33 ms, p50 ${sorted[frames.length >> 1]!.toFixed(1)} ms, p99 ${sorted[Math.floor(frames.length * 0.99)]!.toFixed(1)} ms, longest ${sorted.at(-1)!.toFixed(1)} ms`);
  console.log(`of one core: scripts ${share('ScriptDuration')}, layout ${share('LayoutDuration')}, styles ${share('RecalcStyleDuration')}, main thread ${share('TaskDuration')}`);
  // A machine that does other work drops frames; what would be wrong here is a page that stands still.
  expect(sorted[frames.length >> 1]!).toBeLessThan(50);
  expect(await page.locator('.sheet .tr').count(), 'only what is seen is drawn').toBeLessThan(80);
  expect(page.problems).toEqual([]);
  await browser.close();
  await fake.stop();
});

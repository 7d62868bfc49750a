// SPDX-License-Identifier: Apache-2.0
// The system's Chromium, a fake service, and pages on it.
import { existsSync, readFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { chromium, type Browser, type BrowserContextOptions, type Page } from 'playwright-core';
import { expect } from 'vitest';
import { Fake } from './fake.mjs';
import { dist } from './places.ts';

const places = [process.env['CHROMIUM'] ?? '', '/usr/bin/chromium', '/usr/bin/chromium-browser', '/usr/bin/google-chrome'];
const program = places.find((it) => it && existsSync(it));

export async function launch(): Promise<Browser> {
  if (!program) throw new Error('no Chromium is here: script/bootstrap --tests installs it');
  return chromium.launch({ executablePath: program as string, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'] });
}

export type Options = ConstructorParameters<typeof Fake>[0];
export async function service(options: object = {}): Promise<Fake> { return new Fake({ dist, ...options }).start(); }

/** A page on the service; what its console calls an error, and each request elsewhere, fails the test at its end. */
export async function open(browser: Browser, fake: Fake, hash = '#/', options: BrowserContextOptions = {}): Promise<Page & { problems: string[] }> {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 }, ...options });
  const page = (await context.newPage()) as Page & { problems: string[] };
  page.problems = [];
  page.on('pageerror', (error) => page.problems.push(String(error)));
  page.on('console', (message) => { if (message.type() === 'error') page.problems.push(message.text()); });
  page.on('request', (request) => { if (!request.url().startsWith(fake.url) && !request.url().startsWith('data:')) page.problems.push(`asks elsewhere: ${request.url()}`); });
  await page.goto(`${fake.url}/${hash}`);
  return page;
}

const axe = readFileSync(createRequire(import.meta.url).resolve('axe-core/axe.min.js'), 'utf8');

/** No violation of any rule of axe-core. Its source is evaluated by the debugger, which the page's CSP does not concern. */
export async function accessible(page: Page, what: string): Promise<void> {
  await page.evaluate(axe);
  const found = await page.evaluate(async () => {
    const run = (globalThis as unknown as { axe: { run(): Promise<{ violations: { id: string; impact: string; nodes: { html: string; failureSummary: string }[] }[] }> } }).axe;
    return (await run.run()).violations.map((it) => `${it.id} (${it.impact}) ${it.nodes.length}x: ${it.nodes[0]?.html.slice(0, 220)} ${it.nodes[0]?.failureSummary.slice(0, 300)}`);
  });
  expect(found, what).toEqual([]);
}

// SPDX-License-Identifier: Apache-2.0
// Pictures of the board on the running demo, light and dark: node screenshots.mjs FLAGSTAFF CHROMIUM FOLDER
// The demo is left alone until its story has been told once; some clients watch, so that there is delivery to see.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const [binary, program, folder] = process.argv.slice(2);
const home = mkdtempSync(join(tmpdir(), 'flagstaff-pictures-'));
const children = [];

function start(...words) {
  const child = spawn(binary, words, { cwd: home, stdio: ['ignore', 'pipe', 'inherit'] });
  children.push(child);
  return createInterface({ input: child.stdout });
}

/** The first match in what is said. */
function said(lines, pattern) {
  return new Promise((done) => lines.on('line', (line) => { const found = pattern.exec(line); if (found) done(found); }));
}

const views = [
  ['live', '#/', '.sheet .tr:nth-child(6)'],
  ['flag', '#/flags/billing-export', '.plot canvas'],
  ['why', '#/why/ada/billing-export', '.drawer .step:has-text("Who has it")'],
];

try {
  const demo = start('serve', '--listen', '127.0.0.1:0', '--data', join(home, 'data'));
  const story = said(demo, /Flagstaff runs on (http:\S+?:\d+)/);
  let told = 0;
  const enough = new Promise((done) => demo.on('line', (line) => { if (/^\d\d:\d\d:\d\d /.test(line) && ++told === 10) done(); }));
  const [, url] = await story;
  for (const subject of ['ada', 'bo', 'invoice-bot', 'ada']) start('watch', '--url', url, subject);
  await enough;
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-gpu', '--force-color-profile=srgb'] });
  for (const colorScheme of ['light', 'dark']) {
    const page = await (await browser.newContext({ colorScheme, viewport: { width: 1280, height: 720 } })).newPage();
    for (const [name, place, ready] of views) {
      await page.goto(`${url}/${place}`);
      await page.waitForSelector('.link.live');
      await page.waitForSelector(ready);
      await page.waitForFunction(() => !document.querySelector('.flash'));
      await page.screenshot({ path: join(folder, `${name}-${colorScheme}.png`) });
    }
  }
  await browser.close();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once('exit', done))));
  rmSync(home, { recursive: true, force: true });
}

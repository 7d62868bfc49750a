// SPDX-License-Identifier: Apache-2.0
// A real browser with pages in it, driven line by line for tests/system: JSON in, JSON out.
//   node browser.mjs CHROMIUM
// {"open": NAME, "url": URL} · {"page": NAME, "visible": SELECTOR} · {"page": NAME, "text": SELECTOR} · {"page": NAME, "choose": [SELECTOR, VALUE]}
// Errors of pages are told as {"event": "pageerror: ..."}; a page that logs an error is no error of its own (a lost socket does that).
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
// No sandbox: where tests run as root, Chromium has none. The pages are this project's own.
const browser = await chromium.launch({ executablePath: process.argv[2], args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const pages = new Map();

async function open(name, url) {
  const page = pages.get(name) ?? await (await browser.newContext()).newPage();
  if (!pages.has(name)) page.on('pageerror', (error) => say({ event: `pageerror: ${error.message}` }));
  pages.set(name, page);
  await page.goto(url);
  return { open: name };
}

async function answer(wish) {
  if (wish.open) return open(wish.open, wish.url);
  const page = pages.get(wish.page);
  if (wish.visible) return { visible: await page.locator(wish.visible).isVisible() };
  if (wish.text) return { text: await page.locator(wish.text).textContent() };
  await page.locator(wish.choose[0]).selectOption(wish.choose[1]);
  return { chosen: wish.choose[1] };
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  say(await answer(JSON.parse(line)).catch((error) => ({ error: error.message })));
}
await browser.close();

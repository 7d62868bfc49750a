// SPDX-License-Identifier: Apache-2.0
// A real browser with pages in it, driven line by line for tests/system: JSON in, JSON out.
//   node browser.mjs CHROMIUM
// {"open": NAME, "url": URL, "beside": NAME} opens a page (beside another one: in the same browser profile), or goes elsewhere with it.
// {"page": NAME, VERB: ARGUMENT}: see `verbs`; a list of arguments is spread.
// Errors of pages are told as {"event": "pageerror: ..."}; a page that logs an error is no error of its own (a lost socket does that): `said`.
import { createInterface } from 'node:readline';
import { chromium } from 'playwright-core';

const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');
// No sandbox: where tests run as root, Chromium has none. The pages are this project's own.
const browser = await chromium.launch({ executablePath: process.argv[2], args: ['--no-sandbox', '--disable-dev-shm-usage'] });
const pages = new Map();
const urls = new Set(); // whatever any page asked for

const verbs = {
  visible: (page, selector) => page.locator(selector).isVisible(),
  text: (page, selector) => page.locator(selector).textContent(),
  texts: (page, selector) => page.locator(selector).allTextContents(),
  count: (page, selector) => page.locator(selector).count(),
  value: (page, selector) => page.locator(selector).inputValue(),
  choose: (page, selector, value) => page.locator(selector).selectOption(value),
  click: (page, selector) => page.locator(selector).first().click(),
  fill: (page, label, value) => page.getByLabel(label, { exact: true }).first().fill(value),
  press: (page, key) => page.keyboard.press(key),
  type: (page, text) => page.keyboard.type(text),
  wait: (page, selector, state) => page.locator(selector).first().waitFor({ state: state ?? 'visible' }).then(() => true),
  run: (page, expression) => page.evaluate(expression),
  where: (page) => page.url(),
  cookies: (page) => page.context().cookies(),
  said: (page) => page.warnings, // in its console, as a warning or an error
  urls: () => [...urls],
  picture: (page, path) => page.screenshot({ path }).then(() => true),
  // A dialog stops a page's every script and all its sockets' events, as a hung or suspended tab does.
  freeze: (page) => new Promise((done) => {
    page.once('dialog', (dialog) => { page.frozen = dialog; done(true); });
    void page.evaluate(() => { setTimeout(() => alert('frozen')); });
  }),
  thaw: (page) => page.frozen.dismiss().then(() => true),
  close: (page, name) => { pages.delete(name); return page.close().then(() => true); },
};

async function open({ open: name, url, beside }) {
  let page = pages.get(name);
  if (!page) {
    const context = beside ? pages.get(beside).context() : await browser.newContext({ viewport: { width: 1280, height: 800 } });
    page = await context.newPage();
    page.on('pageerror', (error) => say({ event: `pageerror: ${error.message}` }));
    page.warnings = [];
    page.on('console', (line) => { if (['warning', 'error'].includes(line.type())) page.warnings.push(line.text()); });
    page.on('request', (request) => urls.add(request.url()));
    page.on('websocket', (socket) => urls.add(socket.url()));
    page.on('framenavigated', (frame) => urls.add(frame.url()));
    pages.set(name, page);
  }
  await page.goto(url);
  return { open: name };
}

async function answer(wish) {
  if (wish.open) return open(wish);
  const verb = Object.keys(wish).find((name) => name in verbs);
  const given = wish[verb];
  return { [verb]: (await verbs[verb](pages.get(wish.page), ...(Array.isArray(given) ? given : [given]))) ?? null };
}

say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  say(await answer(JSON.parse(line)).catch((error) => ({ error: error.message })));
}
await browser.close();

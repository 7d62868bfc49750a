// SPDX-License-Identifier: Apache-2.0
// What one does on the board, to its effect, in a real browser.
import type { Browser, Page } from 'playwright-core';
import { afterAll, afterEach, beforeAll, beforeEach, expect, test, vi } from 'vitest';
import { launch, open, service } from './browser.ts';
import { HOSTILE, type Fake } from './fake.mjs';

let browser: Browser;
let fake: Fake;
beforeAll(async () => { browser = await launch(); });
afterAll(() => browser.close());
beforeEach(async () => { fake = await service(); });
afterEach(async () => {
  for (const context of browser.contexts()) await context.close();
  await fake.stop();
});

const requests = (method: string, path: string) => fake.requests.filter((one: { method: string; path: string }) => one.method === method && one.path.startsWith(path));
const rowOf = (page: Page, subject: string, flag: string) => page.locator('.sheet .tr', { has: page.locator('.c-subject', { hasText: subject }) }).filter({ has: page.locator('.c-flag', { hasText: flag }) });
const cellOf = (subject: string, flag: string): number => [...fake.cells.values()].find((cell) => cell.subject === subject && cell.flag === flag).cell;

test('one signs in with a key, which stays in no place that a script can read', async () => {
  fake.signedIn = false;
  const page = await open(browser, fake);
  await page.fill('.sign-in input', 'wrong');
  await page.click('.sign-in .primary');
  await page.waitForSelector('[role=alert]');
  await page.fill('.sign-in input', 'right');
  await page.click('.sign-in .primary');
  await page.waitForSelector('.link.live');
  expect(await page.evaluate(() => JSON.stringify(localStorage) + JSON.stringify(sessionStorage) + document.cookie + location.href)).not.toContain('right');
  await page.click('text=Sign out');
  await page.waitForSelector('.sign-in input');
  expect(requests('DELETE', '/v1/session')).toHaveLength(1);
});

test('a flip is seen at once, and its delivery fills', async () => {
  const page = await open(browser, fake);
  const row = rowOf(page, 'ada', 'billing-export');
  await row.waitFor();
  const before = await row.locator('.value').innerText();
  const flipped = fake.flip(cellOf('ada', 'billing-export'));
  fake.change([flipped]);
  await vi.waitFor(async () => expect(await row.locator('.value').innerText()).not.toBe(before));
  expect(await row.locator('.c-delivered').innerText()).toContain('0/2');
  fake.deliver([[flipped.cell, 2, 2]]);
  await vi.waitFor(async () => expect(await row.locator('.c-delivered').innerText()).toContain('2/2'));
});

test('filters stand in the address, and the address in the filters', async () => {
  const page = await open(browser, fake, '#/?subject=ada&variant=on');
  await vi.waitFor(async () => expect(await page.locator('.table').getAttribute('aria-rowcount')).toBe(String([...fake.cells.values()].filter((c) => c.subject === 'ada' && c.variant === 'on').length + 1)));
  await page.click('text=Clear filter');
  await page.fill('.search', 'zoe');
  await vi.waitFor(async () => expect(await page.locator('.table').getAttribute('aria-rowcount')).toBe('6'));
  expect(page.url()).toContain('q=zoe');
});

test('all of it without a mouse: search, rows, why, palette, views', async () => {
  const page = await open(browser, fake);
  await page.waitForSelector('[role=cell] .value');
  await page.keyboard.press('j');
  await page.keyboard.press('j');
  await page.keyboard.press('w');
  await page.waitForSelector('.drawer .step');
  expect(await page.evaluate(() => document.activeElement?.id)).toBe('why');
  expect(await page.locator('.rule .marked').innerText()).toMatch(/then "on"|else "off"/);
  await page.keyboard.press('Escape');
  await page.waitForSelector('.drawer', { state: 'detached' });
  await page.keyboard.press('Control+k');
  await page.keyboard.type('new-menu');
  await page.waitForSelector('[role=option][aria-selected=true]:has-text("Flag")');
  await page.keyboard.press('Enter');
  await page.waitForSelector('h1:has-text("new-menu")');
  for (const [key, title] of [['e', 'Events'], ['c', 'Clients'], ['o', 'Sources']] as const) {
    await page.keyboard.press('g');
    await page.keyboard.press(key);
    await page.waitForSelector(`h1:has-text("${title}")`);
  }
  await page.keyboard.press('g');
  await page.keyboard.press('l');
  await page.waitForSelector('.search');
  await page.keyboard.press('/');
  expect(await page.evaluate(() => document.activeElement?.className)).toBe('search');
});

test('a kill shows what it changes before, asks for a reason and the name, and its receipt fills', async () => {
  const page = await open(browser, fake, '#/flags/billing-export');
  await page.click('.heading .danger');
  await page.waitForSelector('.blast li');
  const submit = page.locator('dialog button[type=submit]');
  expect(await submit.isDisabled()).toBe(true);
  await page.getByLabel('Reason', { exact: true }).fill('incident 12');
  expect(await submit.isDisabled()).toBe(true);
  await page.getByLabel(/Type the flag/).fill('billing-export');
  await submit.click();
  await page.waitForSelector('.receipt');
  await page.waitForSelector('.receipt strong:has-text("Complete")');
  const [sent] = requests('POST', '/v1/overrides').filter((one) => !one.params.dry_run);
  expect(sent!.body).toEqual({ flag: 'billing-export', kind: 'kill', reason: 'incident 12' });
  expect(sent!.headers['x-flagstaff-csrf']).toBe('token');
  await page.click('dialog .primary');
  await page.waitForSelector('.override:has-text("incident 12")');
  await page.click('text=Release');
  await page.getByLabel('Reason', { exact: true }).fill('over');
  await submit.click();
  await page.waitForSelector('.receipt');
  expect(requests('DELETE', '/v1/overrides').find((one) => !one.params.dry_run)!.params).toMatchObject({ flag: 'billing-export', reason: 'over' });
});

test('a force for one subject has an end', async () => {
  const page = await open(browser, fake, '#/flags/billing-export');
  await page.click('.heading button:has-text("Force")');
  await page.getByLabel('Only for this subject').fill('ada');
  await page.locator('dialog').getByLabel('Variant').selectOption('on');
  await page.getByLabel('Reason', { exact: true }).fill('support case');
  await page.locator('dialog button[type=submit]').click();
  await page.waitForSelector('.receipt');
  expect(requests('POST', '/v1/overrides').find((one) => !one.params.dry_run)!.body).toEqual({ flag: 'billing-export', subject: 'ada', kind: 'force', variant: 'on', reason: 'support case', for: '30m' });
});

test('an event is tried first and then sent; what comes meanwhile stands on top', async () => {
  const page = await open(browser, fake, '#/events');
  await page.waitForSelector('.entries li');
  await page.locator('.side').getByLabel('Subject').fill('ada');
  expect(await page.locator('button:has-text("Send")').isDisabled()).toBe(true);
  await page.click('text=Try without effect');
  await page.waitForSelector('.blast li');
  await page.waitForSelector('.blast .chip:has-text("authzen access ×2")');
  await page.click('button:has-text("Send")');
  await page.waitForSelector('.side .receipt .stages:has-text("on disk2 ms"):has-text("answered11 ms"):has-text("4 questions asked")');
  const sent = requests('POST', '/v1/events').filter((one) => !one.params.dry_run);
  expect(sent[0]!.body).toMatchObject({ specversion: '1.0', type: 'flagstaff.facts', subject: 'ada', data: { facts: { risk: 90 } } });
  expect(sent[0]!.headers['content-type']).toBe('application/cloudevents+json');
  fake.tell({ entry: 777, kind: 'event', time: new Date().toISOString(), type: 't', flips: 2, summary: 'just now' });
  await page.waitForSelector('.entries li:first-child:has-text("just now"):has-text("2 flips")');
  fake.tell({ entry: 777, kind: 'event', time: new Date().toISOString(), type: 't', flips: 5, summary: 'just now' });
  await page.waitForSelector('.entries li:first-child:has-text("just now"):has-text("5 flips")');
  expect(await page.locator('.entries li:has-text("just now")').count()).toBe(1);
});

test('a source is asked a question by hand, as a flag asks it or in its own words, and its trouble is told', async () => {
  const page = await open(browser, fake, '#/sources');
  const source = page.locator('[aria-label=opa]');
  await source.locator('summary:has-text("Test a question")').click();
  await source.getByLabel('Subject').fill('ada');
  await source.locator('.question button[type=submit]').click();
  await page.waitForSelector('[aria-label=opa] .decision:has-text("app/rbac/allow"):has-text("answered in 1.2 ms"):has-text("policy 4f2c91"):has-text("true")');
  await source.locator('.question select').first().selectOption('path');
  await source.getByRole('textbox', { name: 'Query' }).fill('no/such');
  await source.getByLabel('Input, JSON').fill('{');
  await source.locator('.question button[type=submit]').click();
  await page.waitForSelector('[aria-label=opa] [role=alert]:has-text("no JSON")');
  await source.getByLabel('Input, JSON').fill('{"user": "bo"}');
  await source.locator('.question button[type=submit]').click();
  await page.waitForSelector('[aria-label=opa] .decision:has-text("OPA answered 500")');
  expect(requests('POST', '/v1/sources/opa/test').map((one) => one.body)).toEqual([{ flag: expect.any(String), subject: 'ada' }, { kind: 'path', query: 'no/such', input: { user: 'bo' } }]);
});

test('a cause is told as the service says it, wherever a flip stands', async () => {
  const page = await open(browser, fake, '#/subjects/ada');
  await page.waitForSelector('.plain td:has-text("facts from hr: risk="), .plain td:has-text("policy 4f2c91 at opa")');
  await page.waitForSelector('.changes .cause:has-text("facts from hr: risk=12")');
  await page.goto(`${fake.url}/#/why/ada/billing-export`);
  await page.waitForSelector('.drawer .step:has-text("What happened"):has-text("facts from hr: risk=12")');
});

test('a service that cannot try events says so, and the event is sent for real after that only', async () => {
  const page = await open(browser, fake, '#/events');
  await page.route('**/v1/events?dry_run=true', (route) => route.fulfill({ status: 404, json: { error: { code: 'not-found', message: 'no' } } }));
  await page.locator('.side').getByLabel('Subject').fill('ada');
  const send = page.locator('.side button.primary');
  expect(await send.isDisabled()).toBe(true);
  await page.click('text=Try without effect');
  await page.waitForSelector('.side [role=status]:has-text("cannot try events out")');
  await send.click();
  await page.waitForSelector('.side .receipt');
});

test('a client is disconnected with a reason', async () => {
  const page = await open(browser, fake, '#/clients');
  await page.waitForSelector('.clients .sheet .tr');
  const first = page.locator('.clients .sheet .tr').first();
  expect(await first.innerText()).toContain('behind');
  await first.locator('button').click();
  await page.getByLabel('Reason', { exact: true }).fill('frozen');
  await page.locator('dialog button[type=submit]').click();
  await page.waitForSelector('dialog', { state: 'detached' });
  expect(requests('DELETE', '/v1/clients/')[0]!.params).toEqual({ reason: 'frozen' });
});

test('the slider goes back in time, and the why drawer with it', async () => {
  const page = await open(browser, fake, '#/subjects/ada');
  await page.waitForSelector('.slider input');
  await page.locator('.slider input').focus();
  for (let i = 0; i < 3; i++) await page.keyboard.press('ArrowLeft');
  await page.waitForSelector('.slider button:has-text("Back to now")');
  expect(page.url()).toContain('at=');
  await page.locator('.plain button').first().click();
  await page.waitForSelector('.drawer .chip:has-text("As it was at")');
  expect(requests('GET', '/v1/why').at(-1)!.params).toHaveProperty('at');
});

test('a viewer finds no button that the service would refuse', async () => {
  fake.options.role = 'viewer';
  const page = await open(browser, fake, '#/flags/billing-export');
  await page.waitForSelector('.cells .value');
  expect(await page.locator('.heading .danger').count()).toBe(0);
  await page.goto(`${fake.url}/#/clients`);
  await page.waitForSelector('.clients .sheet .tr');
  expect(await page.locator('.k-end button').count()).toBe(0);
});

test('a stream that is lost says so, keeps what it showed, and comes back by itself', async () => {
  const page = await open(browser, fake);
  await page.waitForSelector('[role=cell] .value');
  fake.refusing = true;
  for (const board of fake.boards) board.ws.terminate();
  await page.waitForSelector('.banner:has-text("last that was known")');
  expect(await page.locator('[role=cell] .value').count()).toBeGreaterThan(10);
  expect(await page.locator('.banner button').innerText()).toBe('Reconnect now');
  fake.refusing = false;
  await page.waitForSelector('.link.live');
  await page.waitForSelector('.banner', { state: 'detached' });
});

test('a session that is over asks to sign in, and nothing is shown as live', async () => {
  const page = await open(browser, fake);
  await page.waitForSelector('[role=cell] .value');
  fake.signedIn = false;
  for (const board of fake.boards) board.ws.terminate();
  await page.waitForSelector('.banner:has-text("session is over")');
});

test('html in subjects, flags, reasons and names stays text in each view', async () => {
  const hostile = await service({ hostile: true });
  const name = encodeURIComponent(HOSTILE);
  for (const hash of ['#/', '#/?group=1', '#/flags', `#/flags/${encodeURIComponent(`flag ${HOSTILE}`)}`, '#/subjects', `#/subjects/${name}`, '#/events', '#/clients', '#/sources', `#/why/${name}/billing-export`]) {
    const page = await open(browser, hostile, hash);
    await page.waitForSelector('.link.live');
    await page.waitForSelector('main .name, main .entries li, main .panel');
    expect(await page.evaluate(() => [document.title, document.querySelectorAll('img, script:not([src])').length, document.documentElement.scrollWidth <= innerWidth])).toEqual(['Flagstaff', 0, true]);
    expect(page.problems, hash).toEqual([]);
    await page.context().close();
  }
  await hostile.stop();
});

test('who asks for less motion gets none, and who does not see the flash is told in a sentence', async () => {
  const page = await open(browser, fake, '#/', { reducedMotion: 'reduce' });
  await page.waitForSelector('[role=cell] .value');
  fake.change([fake.flip(cellOf('ada', 'billing-export')), fake.flip(cellOf('bo', 'billing-export'))]);
  await page.waitForSelector('.flash', { state: 'attached' });
  expect(await page.locator('.flash').first().evaluate((it) => getComputedStyle(it).animationName)).toBe('none');
  await page.waitForSelector('[aria-live=polite]:has-text("2 flags changed")', { state: 'attached' });
});

test('paused, the picture stands still and counts what waits', async () => {
  const page = await open(browser, fake);
  const row = rowOf(page, 'ada', 'billing-export');
  await row.waitFor();
  const before = await row.locator('.value').innerText();
  await page.keyboard.press('Space');
  fake.change([fake.flip(cellOf('ada', 'billing-export'))]);
  await page.waitForSelector('button:has-text("Resume · 1 new")');
  expect(await row.locator('.value').innerText()).toBe(before);
  await page.keyboard.press('Space');
  await vi.waitFor(async () => expect(await row.locator('.value').innerText()).not.toBe(before));
});

test('what is copied for a terminal is one command, whatever is in a name', async () => {
  const page = await open(browser, fake, `#/subjects/${encodeURIComponent("it's; rm")}`, { permissions: ['clipboard-read', 'clipboard-write'] });
  await page.click('.heading .copy >> nth=0');
  expect(await page.evaluate(() => navigator.clipboard.readText())).toBe(`flagstaff watch --url ${fake.url} 'it'\\''s; rm'`);
});

// SPDX-License-Identifier: Apache-2.0
// Each view in a real browser: it opens, has no accessibility violation in either scheme, and has its picture taken.
import { join } from 'node:path';
import type { Browser } from 'playwright-core';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { accessible, launch, open, service } from './browser.ts';
import type { Fake } from './fake.mjs';
import { screens } from './places.ts';

let browser: Browser;
let fake: Fake;
beforeAll(async () => { browser = await launch(); fake = await service(); });
afterAll(async () => { await browser.close(); await fake.stop(); });

const views: [name: string, hash: string, ready: string][] = [
  ['live', '#/', '[role=cell] .value'],
  ['live-grouped', '#/?group=1&sort=flag', '.tr.group'],
  ['why', '#/why/bo/approve-payments', '.drawer .step'],
  ['flags', '#/flags', '.cards li'],
  ['flag', '#/flags/billing-export', '.plot canvas'],
  ['subjects', '#/subjects', '.cards li'],
  ['subject', '#/subjects/ada?with=bo', '.plain tbody tr'],
  ['events', '#/events?entry=98', '.entries li'],
  ['clients', '#/clients', '[role=cell] .chip'],
  ['sources', '#/sources', '.histogram'],
];

describe.each(['light', 'dark'] as const)('in %s', (colorScheme) => {
  test.each(views)('%s opens and is accessible', async (name, hash, ready) => {
    for (const width of [1280, 360]) {
      const page = await open(browser, fake, hash, { colorScheme, viewport: { width, height: width === 360 ? 740 : 800 } });
      await page.waitForSelector(ready);
      await page.waitForSelector('.link.live');
      await page.screenshot({ path: join(screens, `${name}-${colorScheme}-${width}.png`) });
      await accessible(page, `${name}, ${colorScheme}, ${width}`);
      expect(await page.evaluate(() => document.documentElement.scrollWidth <= innerWidth), 'nothing sticks out').toBe(true);
      expect(page.problems).toEqual([]);
      await page.context().close();
    }
  });

  test('the sign-in page, the palette, the keys and the dialog of a kill are accessible', async () => {
    const closed = await service({ signedOut: true });
    const door = await open(browser, closed, '#/', { colorScheme });
    await door.waitForSelector('.sign-in input');
    await door.screenshot({ path: join(screens, `signin-${colorScheme}-1280.png`) });
    await accessible(door, 'sign-in');
    await door.context().close();
    await closed.stop();
    const page = await open(browser, fake, '#/flags/billing-export', { colorScheme });
    await page.waitForSelector('.heading .danger');
    await page.click('.heading .danger');
    await page.waitForSelector('.blast li');
    await page.screenshot({ path: join(screens, `kill-${colorScheme}-1280.png`) });
    await accessible(page, 'kill');
    await page.keyboard.press('Escape');
    for (const [key, seen] of [['Control+k', '.choices'], ['?', '.keys']] as const) {
      await page.keyboard.press(key);
      await page.waitForSelector(seen);
      await accessible(page, key);
      await page.screenshot({ path: join(screens, `${seen.slice(1)}-${colorScheme}-1280.png`) });
      await page.keyboard.press('Escape');
      await page.waitForSelector(seen, { state: 'detached' });
    }
    expect(page.problems).toEqual([]);
    await page.context().close();
  });
});

test.each(['live', 'flags', 'subjects', 'events', 'clients', 'sources'])('%s says what to do where there is nothing', async (name) => {
  const bare = await service({ empty: true });
  const page = await open(browser, bare, name === 'live' ? '#/' : `#/${name}`);
  await page.waitForSelector('.empty .command');
  await page.screenshot({ path: join(screens, `empty-${name}.png`) });
  await accessible(page, name);
  await page.context().close();
  await bare.stop();
});

test.each([[2560, 1440], [3840, 2160]])('a screen of %i x %i', async (width, height) => {
  const page = await open(browser, fake, '#/', { viewport: { width, height } });
  await page.waitForSelector('[role=cell] .value');
  await page.screenshot({ path: join(screens, `live-${width}.png`) });
  await page.context().close();
});

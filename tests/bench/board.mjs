// SPDX-License-Identifier: Apache-2.0
// The board in a real browser, two questions: node tests/bench/board.mjs [FLAGSTAFF [CHROMIUM]]
//   - how long after navigation the first live row is on the screen; floor: a page that shows the one message of its websocket;
//   - how long after an event a flip is painted, beyond the moment when the C client (`flagstaff watch`) has said it.
// Sides take turns; BENCH_TURNS (7). Node's part of the daemon's packages: dashboards/web/node_modules.
import { spawn } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { createServer } from 'node:http';
import { createRequire } from 'node:module';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { createInterface } from 'node:readline';

const root = new URL('../..', import.meta.url).pathname;
const packages = createRequire(join(root, 'dashboards/web/package.json'));
const { chromium } = packages('playwright-core');
const { WebSocketServer } = packages('ws');
const [binary = process.env.FLAGSTAFF_BIN ?? join(root, 'build/flagstaff'), program = '/usr/bin/chromium'] = process.argv.slice(2);
const TURNS = Number(process.env.BENCH_TURNS ?? 7);
const OPENED = 5; // pages of each side in a turn
const EVENTS = 40; // in a turn
const home = mkdtempSync(join(tmpdir(), 'flagstaff-bench-'));
const children = [];

const sorted = (list) => [...list].sort((a, b) => a - b);
const part = (list, p) => sorted(list)[Math.min(list.length - 1, Math.floor(list.length * p))];
const spread = (list, digits = 1) => [part(list, 0), part(list, 0.5), part(list, 1)].map((it) => it.toFixed(digits)).join(' - ');
/** What takes so long is lost, and nothing is worth waiting for it. */
const soon = (promise, what) => Promise.race([promise, new Promise((_, fail) => setTimeout(() => fail(new Error(`not within 20 s: ${what}`)), 20_000).unref())]);
const wall = () => performance.timeOrigin + performance.now();

/** Its lines, of standard output or (the daemon's log) of standard error. */
function start(words, from = 'stdout') {
  const child = spawn(binary, words, { cwd: home, stdio: ['ignore', from === 'stdout' ? 'pipe' : 'ignore', from === 'stderr' ? 'pipe' : 'ignore'] });
  children.push(child);
  return createInterface({ input: child[from] });
}

/** Runs in a page before its scripts: when `selector` shows `text` (any, where left out), tells the moment behind the next paint. */
function probe({ selector, once }) {
  const seen = (text) => { const at = document.querySelector(selector); return at && (once || at.textContent !== text) ? at.textContent : null; };
  let text = null;
  new MutationObserver(() => {
    const now = seen(text);
    if (now === null || (once && text !== null)) return;
    text = now;
    const behind = new MessageChannel(); // its message comes when this frame is done
    behind.port1.onmessage = () => globalThis.painted(now, performance.timeOrigin + performance.now(), performance.now());
    const told = () => behind.port2.postMessage(0);
    if (once) requestAnimationFrame(told); // whoever wrote it, it is painted with the next frame
    else told(); // the board writes rows within a frame: this one
  }).observe(document, { subtree: true, childList: true, characterData: true });
}

async function firstRow(browser, url, selector) {
  const context = await browser.newContext({ viewport: { width: 1280, height: 800 } });
  const page = await context.newPage();
  let tell;
  const done = new Promise((resolve) => { tell = resolve; });
  await page.exposeFunction('painted', (_, __, since) => tell(since));
  await page.addInitScript(probe, { selector, once: true });
  await page.goto(url, { waitUntil: 'commit' });
  const since = await soon(done, `a row at ${url}`);
  await context.close();
  return since;
}

/** The floor: what any page that shows one message of a websocket does. */
async function floorServer() {
  const html = '<!doctype html><meta charset="utf-8"><title>floor</title><div id="rows"></div><script>new WebSocket(`ws://${location.host}/`).onmessage = (event) => { const row = document.createElement("p"); row.className = "row"; row.textContent = event.data; document.getElementById("rows").append(row); };</script>';
  const server = createServer((_, response) => response.writeHead(200, { 'Content-Type': 'text/html' }).end(html));
  const sockets = new WebSocketServer({ server });
  sockets.on('connection', (socket) => socket.send('ada export on'));
  await new Promise((done) => server.listen(0, '127.0.0.1', done));
  return { url: `http://127.0.0.1:${server.address().port}/`, stop: () => { server.closeAllConnections(); server.close(); } };
}

async function post(url, risk) {
  const event = { specversion: '1.0', id: crypto.randomUUID(), source: '/bench', type: 'flagstaff.facts', data: { subject: 'ada', facts: { risk } } };
  const answer = await fetch(`${url}/v1/events`, { method: 'POST', headers: { 'Content-Type': 'application/cloudevents+json' }, body: JSON.stringify(event) });
  if (answer.status !== 202) throw new Error(`the event was answered ${answer.status}`);
}

async function benchFirstRow(browser, url) {
  const floor = await floorServer();
  const sides = [['floor', floor.url, '.row'], ['board', `${url}/#/`, '.sheet .tr .value']];
  for (const [, address, selector] of sides) await firstRow(browser, address, selector); // the browser itself warms up
  const turns = [];
  for (let turn = 0; turn < TURNS; turn++) {
    const times = { floor: [], board: [] };
    for (let i = 0; i < OPENED; i++)
      for (const [name, address, selector] of turn % 2 ? [...sides].reverse() : sides) times[name].push(await firstRow(browser, address, selector));
    turns.push({ floor: part(times.floor, 0.5), board: part(times.board, 0.5) });
  }
  floor.stop();
  console.log(`first live row after navigation, ms (medians of ${TURNS} turns of ${OPENED}: min - median - max)`);
  console.log(`  floor  ${spread(turns.map((it) => it.floor))}`);
  console.log(`  board  ${spread(turns.map((it) => it.board))}`);
  console.log(`  ratio  ${spread(turns.map((it) => it.board / it.floor), 2)}`);
}

async function benchPaint(browser, url) {
  const heard = []; // whoever waits for the next line of the C client
  const first = new Promise((done) => heard.push(done));
  start(['watch', '--url', url, '--flag', 'export', '--output', 'json', 'ada']).on('line', () => heard.shift()?.(wall()));
  await soon(first, 'the first value of the C client');
  const page = await (await browser.newContext({ viewport: { width: 1280, height: 800 } })).newPage();
  const painted = [];
  await page.exposeFunction('painted', (_, at) => painted.shift()?.(at));
  await page.addInitScript(probe, { selector: '.sheet .tr .value', once: false });
  await page.goto(`${url}/#/?subject=ada&flag=export`);
  await page.waitForSelector('.sheet .tr .value');
  const turns = [];
  const all = { event: [], client: [], beyond: [] };
  let risk = 90;
  for (let turn = 0; turn < TURNS; turn++) {
    const beyond = [];
    for (let i = 0; i < EVENTS; i++) {
      await new Promise((done) => setTimeout(done, 30 + Math.random() * 17)); // any place in a frame
      const client = new Promise((done) => heard.push(done));
      const paint = new Promise((done) => painted.push(done));
      const began = wall();
      await post(url, risk);
      risk = risk === 90 ? 1 : 90;
      const [c, p] = await soon(Promise.all([client, paint]), 'a flip');
      all.event.push(p - began);
      all.client.push(c - began);
      all.beyond.push(p - c);
      beyond.push(p - c);
    }
    turns.push(part(beyond, 0.5));
  }
  console.log(`event posted -> seen, ms (${TURNS * EVENTS} events: p50, p90, p99)`);
  for (const [name, list] of [['C client', all.client], ['painted ', all.event], ['beyond  ', all.beyond]])
    console.log(`  ${name}  ${[0.5, 0.9, 0.99].map((p) => part(list, p).toFixed(1)).join('  ')}`);
  console.log(`  beyond, medians of the turns  ${spread(turns)}`);
}

try {
  writeFileSync(join(home, 'flags.yaml'), 'flags:\n  export:\n    variants: { "on": true, "off": false }\n    defaultVariant: "off"\n    visibility: client\n    factDefaults: { risk: 0 }\n    decision: { rule: { "<": [ { var: facts.risk }, 50 ] } }\n');
  const daemon = start(['serve', '--listen', '127.0.0.1:0', '--data', join(home, 'data'), '--flags', join(home, 'flags.yaml')], 'stderr');
  const url = await new Promise((done) => daemon.on('line', (line) => { const found = /listening .*port=(\d+)/.exec(line); if (found) done(`http://127.0.0.1:${found[1]}`); }));
  start(['watch', '--url', url, 'ada', 'bo']);
  const browser = await chromium.launch({ executablePath: program, args: ['--no-sandbox', '--disable-dev-shm-usage'] });
  await benchFirstRow(browser, url);
  await benchPaint(browser, url);
  await browser.close();
} finally {
  for (const child of children) child.kill('SIGTERM');
  await Promise.all(children.map((child) => child.exitCode ?? child.signalCode ?? new Promise((done) => child.once('exit', done))));
  rmSync(home, { recursive: true, force: true });
}

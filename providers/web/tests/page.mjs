// SPDX-License-Identifier: Apache-2.0
// A page in a process of its own, driven line by line for tests/system: JSON in, JSON out.
//   node page.mjs URL SUBJECT [KEY | --ticket TICKET]
// KEY may issue tickets: what a page's backend has. Without one it connects without a credential.
import { createInterface } from 'node:readline';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import WebSocket from 'ws';
import { FlagstaffWebProvider } from '../dist/index.js';

const [url, subject, key, fixed] = process.argv.slice(2);
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

async function backend({ targetingKey }) {
  if (key === '--ticket') return fixed;
  const answer = await fetch(`${url}/v1/tickets`, {
    method: 'POST', headers: { Authorization: `Bearer ${key}`, 'Content-Type': 'application/json' }, body: JSON.stringify({ subject: targetingKey }),
  });
  if (!answer.ok) throw new Error(`no ticket: ${answer.status}`);
  say({ request: 'ticket', subject: targetingKey });
  return (await answer.json()).ticket;
}

for (const name of ['Ready', 'Error', 'Stale', 'ConfigurationChanged', 'ContextChanged']) {
  OpenFeature.addHandler(ProviderEvents[name], (details) => say({ event: name, flags: details?.flagsChanged }));
}
const client = OpenFeature.getClient();
const read = (type, flag, fallback) =>
  client[{ boolean: 'getBooleanDetails', string: 'getStringDetails', number: 'getNumberDetails', object: 'getObjectDetails' }[type]](flag, fallback);

/** Changes the context, and says every pair of values that could be seen from the call until it is through. */
async function change(context) {
  const seen = new Set();
  let through = false;
  const changed = OpenFeature.setContext(context).finally(() => { through = true; });
  while (!through) {
    seen.add(JSON.stringify([client.getBooleanValue('door', false), client.getStringValue('name', '-')]));
    await new Promise((resolve) => { setImmediate(resolve); });
  }
  await changed;
  say({ context: context.targetingKey, seen: [...seen].map((pair) => JSON.parse(pair)) });
}

const provider = new FlagstaffWebProvider({ url, webSocket: WebSocket, client: { name: 'page', version: '1' }, ...(key && { ticket: backend }) });
await OpenFeature.setProviderAndWait(provider, { targetingKey: subject }).catch(() => undefined);
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { type, flag, fallback, context, status } = JSON.parse(line);
  if (context) {
    await change(context);
  } else if (status) {
    say({ status: client.providerStatus });
  } else {
    const { value, reason, variant, errorCode, flagMetadata } = read(type, flag, fallback);
    say({ value, reason, variant, errorCode, metadata: flagMetadata });
  }
}
process.exit(0);

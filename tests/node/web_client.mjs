// SPDX-License-Identifier: Apache-2.0
// The stock OpenFeature web SDK with the stock OFREP web provider in Node, driven line by line: JSON in, JSON out.
//   node web_client.mjs URL SUBJECT [KEY]
// What the SDK tells the application comes as {event}; what the provider sent and what it got, as {request} and {stream}.
import { createInterface } from 'node:readline';
import { EventSource } from 'eventsource';
import { OpenFeature, ProviderEvents } from '@openfeature/web-sdk';
import { OFREPWebProvider } from '@openfeature/ofrep-web-provider';

const [url, subject, key] = process.argv.slice(2);
const headers = key ? [['Authorization', `Bearer ${key}`]] : [];
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

async function fetchImplementation(input, init) {
  const request = new Request(input, init);
  const answer = await fetch(request);
  say({ request: new URL(request.url).pathname, ifNoneMatch: request.headers.get('if-none-match'), status: answer.status });
  return answer;
}

async function streamFetch(input, init) {
  const answer = await fetch(input, init);
  say({ stream: String(input), lastEventId: new Headers(init.headers).get('last-event-id'), status: answer.status });
  return answer;
}

globalThis.EventSource = class extends EventSource {
  constructor(address) {
    super(address, { fetch: streamFetch });
  }
};

for (const name of ['Ready', 'Error', 'Stale', 'ConfigurationChanged', 'ContextChanged']) {
  OpenFeature.addHandler(ProviderEvents[name], (details) => say({ event: name, flags: details?.flagsChanged }));
}
await OpenFeature.setContext({ targetingKey: subject });
await OpenFeature.setProviderAndWait(new OFREPWebProvider({ baseUrl: url, headers, fetchImplementation })).catch((error) => say({ failed: String(error) }));
const client = OpenFeature.getClient();
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { type, flag, fallback, context } = JSON.parse(line);
  if (context) {
    await OpenFeature.setContext(context);
    say({ context: context.targetingKey });
    continue;
  }
  const get = { boolean: 'getBooleanDetails', string: 'getStringDetails', number: 'getNumberDetails', object: 'getObjectDetails' }[type];
  const { value, reason, variant, errorCode } = client[get](flag, fallback);
  say({ value, reason, variant, errorCode });
}
process.exit(0);

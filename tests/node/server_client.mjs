// SPDX-License-Identifier: Apache-2.0
// The stock OpenFeature server SDK with the stock OFREP provider, driven line by line: JSON in, JSON out.
//   node server_client.mjs URL [KEY]
import { createInterface } from 'node:readline';
import { OpenFeature } from '@openfeature/server-sdk';
import { OFREPProvider } from '@openfeature/ofrep-provider';

const [url, key] = process.argv.slice(2);
const headers = key ? [['Authorization', `Bearer ${key}`]] : [];
const say = (value) => process.stdout.write(JSON.stringify(value) + '\n');

await OpenFeature.setProviderAndWait(new OFREPProvider({ baseUrl: url, headers }));
const client = OpenFeature.getClient();
const ask = {
  boolean: (f, d, c) => client.getBooleanDetails(f, d, c),
  string: (f, d, c) => client.getStringDetails(f, d, c),
  number: (f, d, c) => client.getNumberDetails(f, d, c),
  object: (f, d, c) => client.getObjectDetails(f, d, c),
};
say({ ready: true });
for await (const line of createInterface({ input: process.stdin })) {
  const { type, flag, fallback, context } = JSON.parse(line);
  const { value, reason, variant, errorCode, flagMetadata } = await ask[type](flag, fallback, context);
  say({ value, reason, variant, errorCode, metadata: flagMetadata });
}

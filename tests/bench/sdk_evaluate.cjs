// SPDX-License-Identifier: Apache-2.0
// The peers of sdk_evaluate.c: 4,000 boolean flags of 5,000 asked for in turns, as stock SDKs do it on Node. The argument
// says which; nanoseconds of CPU for one evaluation on standard output.
const packages = require('module').createRequire(require.resolve('../node/package.json'));
const FLAGS = 5000;
const keys = Array.from({ length: FLAGS }, (_, i) => `checkout-${String(i).padStart(4, '0')}.express-lane`);
const isString = (i) => i % 5 === 4;

async function openfeature() {
  const { OpenFeature, InMemoryProvider } = packages('@openfeature/server-sdk');
  const flags = Object.fromEntries(keys.map((key, i) => [key, {
    variants: isString(i) ? { on: 'a text that is on', off: 'off' } : { on: true, off: false },
    defaultVariant: i % 2 ? 'on' : 'off', disabled: false,
  }]));
  await OpenFeature.setProviderAndWait(new InMemoryProvider(flags));
  const client = OpenFeature.getClient();
  const context = { targetingKey: 'user-1' };
  return { evaluate: (key) => client.getBooleanValue(key, false, context), close: () => OpenFeature.close() };
}

async function launchdarkly() {
  const { init } = packages('@launchdarkly/node-server-sdk');
  const { TestData } = packages('@launchdarkly/node-server-sdk/integrations');
  const data = new TestData();
  keys.forEach((key, i) => {
    const flag = data.flag(key);
    data.update(isString(i) ? flag.variations('off', 'a text that is on').variationForAll(i % 2)
      : flag.booleanFlag().variationForAll(i % 2 === 1));
  });
  const quiet = { error() {}, warn() {}, info() {}, debug() {} };
  const client = init('sdk-key', { updateProcessor: data.getFactory(), sendEvents: false, diagnosticOptOut: true, logger: quiet });
  await client.waitForInitialization({ timeout: 10 });
  const context = { kind: 'user', key: 'user-1' };
  return { evaluate: (key) => client.boolVariation(key, context, false), close: () => client.close() };
}

async function main() {
  const peer = await { openfeature, launchdarkly }[process.argv[2]]();
  const asked = keys.filter((_, i) => !isString(i)).sort((a, b) => Math.sin(Number(a.slice(9, 13))) - Math.sin(Number(b.slice(9, 13))));
  const round = async () => {
    let on = 0;
    for (const key of asked) on += await peer.evaluate(key) ? 1 : 0;
    if (on !== asked.length / 2) throw new Error(`${on} of ${asked.length} are on`);
  };
  for (let i = 0; i < 10; i++) await round(); // until the compiler of node has done its work
  const before = process.cpuUsage();
  const rounds = 25;
  for (let i = 0; i < rounds; i++) await round();
  const used = process.cpuUsage(before);
  console.log(((used.user + used.system) * 1000) / (rounds * asked.length));
  await peer.close();
}
main().catch((error) => {
  console.error(error);
  process.exit(1);
});

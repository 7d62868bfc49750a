// SPDX-License-Identifier: Apache-2.0
// The peer of rule.c: the same rule and context in npm's flagd-core, nanoseconds of CPU for one evaluation on standard output.
const { FlagdCore, MemoryStorage } = require('../node/node_modules/@openfeature/flagd-core');

const quiet = { error() {}, warn() {}, info() {}, debug() {} };
const core = new FlagdCore(new MemoryStorage(quiet), quiet);
core.setConfigurations(JSON.stringify({
  flags: {
    targeted: {
      state: 'ENABLED', variants: { on: true, off: false }, defaultVariant: 'off',
      targeting: { if: [{ and: [{ ends_with: [{ var: 'email' }, '@example.com'] }, { '>=': [{ var: 'age' }, 18] }] }, 'on', 'off'] },
    },
  },
}));
const context = { targetingKey: 'ada', email: 'ada@example.com', age: 36, plan: 'pro' };
function round(count) {
  for (let i = 0; i < count; i++) {
    if (core.resolveBooleanEvaluation('targeted', false, context, quiet).value !== true) throw new Error('not true');
  }
}
round(30000); // until the compiler of node has done its work
const before = process.cpuUsage();
const rounds = 50000;
round(rounds);
const used = process.cpuUsage(before);
console.log(((used.user + used.system) * 1000) / rounds);

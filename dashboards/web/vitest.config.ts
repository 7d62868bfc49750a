// SPDX-License-Identifier: Apache-2.0
import { defineConfig } from 'vitest/config';

// Node 20 has a WebSocket of its own behind a flag; from 22 on it is simply there.
const hidden = process.versions.node.startsWith('20.');

export default defineConfig({
  oxc: { jsx: { runtime: 'automatic', importSource: 'preact' } },
  test: {
    include: ['tests/**/*.test.ts'], globalSetup: ['tests/setup.ts'], restoreMocks: true, testTimeout: 60_000, hookTimeout: 120_000, fileParallelism: false,
    pool: 'forks', execArgv: hidden ? ['--experimental-websocket', '--disable-warning=ExperimentalWarning'] : [],
  },
});

// SPDX-License-Identifier: Apache-2.0
// Before all tests: the board as it is shipped, built into the build directory.
import { mkdirSync } from 'node:fs';
import { build } from 'vite';
import { dist, screens } from './places.ts';

export default async function setup(): Promise<void> {
  mkdirSync(screens, { recursive: true });
  process.env['NODE_ENV'] = 'production'; // vitest's own would leave development's code in it
  await build({
    mode: 'production', root: new URL('..', import.meta.url).pathname, logLevel: 'warn', build: { outDir: dist, emptyOutDir: true },
  });
  process.env['NODE_ENV'] = 'test';
}

// SPDX-License-Identifier: Apache-2.0
// Makes dist/: one minified ES module with its source map, the types, and the licence for the package.
import { execFileSync } from 'node:child_process';
import { copyFile, rm } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { build } from 'esbuild';

const path = (name) => fileURLToPath(new URL(`../${name}`, import.meta.url));

await rm(path('dist'), { recursive: true, force: true });
await build({
  entryPoints: [path('src/index.ts')], outfile: path('dist/index.js'), bundle: true, minify: true, lineLimit: 450,
  sourcemap: true, format: 'esm', platform: 'neutral', target: 'es2022', external: ['@openfeature/*'], legalComments: 'none',
  logLevel: 'warning',
});
execFileSync(process.execPath, [path('node_modules/typescript/bin/tsc'), '-p', path('tsconfig.json'), '--emitDeclarationOnly'], { stdio: 'inherit' });
await copyFile(path('../../LICENSE'), path('LICENSE'));

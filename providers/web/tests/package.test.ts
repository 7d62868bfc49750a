// SPDX-License-Identifier: Apache-2.0
// What is published: small, complete, without dependencies, with types that a strict application can use.
import { execFileSync } from 'node:child_process';
import { cpSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { gzipSync } from 'node:zlib';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
// @ts-expect-error a script without types
import { generate, typesFile } from '../scripts/generate_protocol.mjs';

const root = fileURLToPath(new URL('..', import.meta.url));
function run(command: string, ...args: string[]): string {
  try {
    return execFileSync(command, args, { cwd: root, encoding: 'utf8', stdio: ['ignore', 'pipe', 'pipe'] });
  } catch (error) {
    throw new Error(`${command} ${args.join(' ')}: ${(error as { stdout: string }).stdout}${(error as { stderr: string }).stderr}`);
  }
}
const LARGEST = 6000; // bytes, gzipped
const LONGEST_LINE = 2000; // characters

let folder: string;
beforeAll(() => {
  run(process.execPath, 'scripts/build.mjs');
  folder = mkdtempSync(join(tmpdir(), 'flagstaff-web-'));
});
afterAll(() => { rmSync(folder, { recursive: true, force: true }); });

test('the types of the protocol are those of its schema; if not: npm run generate', async () => {
  expect(readFileSync(typesFile as URL, 'utf8')).toBe(await generate());
});

test(`the module has at most ${LARGEST} bytes gzipped`, () => {
  expect(gzipSync(readFileSync(join(root, 'dist/index.js')), { level: 9 }).length).toBeLessThanOrEqual(LARGEST);
});

test('an error that is thrown from the module does not print all of it as the line where it happened', () => {
  const lines = readFileSync(join(root, 'dist/index.js'), 'utf8').split('\n');
  expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(LONGEST_LINE);
});

test('the version that the service is told is the package\'s', () => {
  const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string };
  expect(readFileSync(join(root, 'dist/index.js'), 'utf8')).toContain(`"${version}"`);
});

test('the lock file names no registry', () => {
  expect(readFileSync(join(root, 'package-lock.json'), 'utf8')).not.toContain('"resolved"');
});

describe('the package', () => {
  test('holds module, types, README and licence, and nothing of ours', () => {
    const [{ files }] = JSON.parse(run('npm', 'pack', '--dry-run', '--json', '--ignore-scripts')) as [{ files: { path: string }[] }];
    const paths = files.map((file) => file.path);
    expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'package.json', 'dist/index.js', 'dist/index.d.ts']));
    expect(paths.filter((path) => !/^(dist\/|LICENSE$|README\.md$|package\.json$)/.test(path))).toEqual([]);
  });

  test('needs nothing at run time but the SDK that the application has', () => {
    const description = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as Record<string, unknown>;
    expect(description.dependencies).toBeUndefined();
    expect(Object.keys(description.peerDependencies as object)).toEqual(['@openfeature/web-sdk']);
    const imports = [...readFileSync(join(root, 'dist/index.js'), 'utf8').matchAll(/from\s*"([^"]+)"/g)].map((match) => match[1]);
    expect(imports).toEqual(['@openfeature/web-sdk']);
  });

  test('is compiled and run by a strict application', () => {
    const installed = join(folder, 'node_modules/@flagstaff/web-provider');
    mkdirSync(installed, { recursive: true });
    for (const name of ['dist', 'package.json']) cpSync(join(root, name), join(installed, name), { recursive: true });
    symlinkSync(join(root, 'node_modules/@openfeature'), join(folder, 'node_modules/@openfeature'));
    writeFileSync(join(folder, 'package.json'), '{"type":"module"}');
    writeFileSync(join(folder, 'app.ts'), `
      import { OpenFeature } from '@openfeature/web-sdk';
      import { FlagstaffWebProvider, type FlagstaffOptions } from '@flagstaff/web-provider';
      const options: FlagstaffOptions = { url: 'https://flags.example.com', ticket: async () => 't', webSocket: class { } as any };
      OpenFeature.getProvider();
      const provider = new FlagstaffWebProvider(options);
      const set: (it: typeof provider) => void = (it) => { OpenFeature.setProvider(it); };
      if (typeof set !== 'function' || provider.metadata.name !== 'flagstaff') throw new Error('no');
      process.exit(0);
      declare const process: { exit(code: number): never };
    `);
    writeFileSync(join(folder, 'tsconfig.json'), JSON.stringify({
      compilerOptions: { strict: true, target: 'es2022', module: 'nodenext', lib: ['es2022', 'dom'], types: [] }, include: ['app.ts'],
    }));
    run(process.execPath, 'node_modules/typescript/bin/tsc', '-p', folder);
    run(process.execPath, join(folder, 'app.js'));
  });
});

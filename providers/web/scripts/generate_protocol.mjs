// SPDX-License-Identifier: Apache-2.0
// Writes src/protocol.ts, the types of flagstaff.v1's frames, from the protocol's JSON Schema.
//   node scripts/generate_protocol.mjs            writes it
// A test calls generate() and compares, so the file that is checked in is never behind the schema.
import { readFile, writeFile } from 'node:fs/promises';
import { fileURLToPath } from 'node:url';
import { compile } from 'json-schema-to-typescript';

const schemaFile = new URL('../../../docs/protocol/flagstaff.v1.schema.json', import.meta.url);
export const typesFile = new URL('../src/protocol.ts', import.meta.url);

const banner = `// SPDX-License-Identifier: Apache-2.0
// The frames of flagstaff.v1. Made from docs/protocol/flagstaff.v1.schema.json by \`npm run generate\`: change that, not this.`;

// Names that would otherwise hide those of the language or say too little.
const titles = { client: 'ClientFrame', server: 'ServerFrame', session: 'SessionName' };
const frames = ['hello', 'watch', 'watchList', 'unwatch', 'unwatchList', 'renew', 'ack', 'welcome', 'snapshot', 'delta', 'lease', 'error', 'goaway'];

// Conditions narrow what a value may be; TypeScript has no types for them.
function withoutConditions(schema) {
  if (Array.isArray(schema)) return schema.map(withoutConditions);
  if (typeof schema !== 'object' || schema === null) return schema;
  const kept = Object.entries(schema).filter(([name, value]) =>
    !['if', 'then', 'not'].includes(name)
    && !(name === 'allOf' && value.every((part) => part.if))
    && !(name === 'anyOf' && value.every((part) => part.required)));
  return Object.fromEntries(kept.map(([name, value]) => [name, withoutConditions(value)]));
}

// A reference with a description of its own would become a type of its own.
function plainReferences(schema) {
  if (Array.isArray(schema)) return schema.map(plainReferences);
  if (typeof schema !== 'object' || schema === null) return schema;
  if ('$ref' in schema) return { $ref: schema.$ref };
  return Object.fromEntries(Object.entries(schema).map(([name, value]) => [name, plainReferences(value)]));
}

// `watch` is a watchRequest with a type.
function withParts({ allOf, ...definition }, definitions) {
  for (const part of allOf ?? []) {
    const { properties, required } = definitions[part.$ref.split('/').pop()];
    definition.properties = { ...definition.properties, ...properties };
    definition.required = [...definition.required, ...required];
  }
  return definition;
}

export async function generate() {
  const schema = plainReferences(withoutConditions(JSON.parse(await readFile(schemaFile, 'utf8'))));
  schema.$defs.watch = withParts(schema.$defs.watch, schema.$defs);
  for (const name of frames) titles[name] = name[0].toUpperCase() + name.slice(1) + 'Frame';
  for (const [name, definition] of Object.entries(schema.$defs)) definition.title = titles[name] ?? name[0].toUpperCase() + name.slice(1);
  schema.title = 'Frame';
  return compile(schema, 'Frame', {
    bannerComment: banner, additionalProperties: false, unreachableDefinitions: false, ignoreMinAndMaxItems: true, format: true,
    style: { singleQuote: true, printWidth: 120 },
  });
}

if (process.argv[1] === fileURLToPath(import.meta.url)) await writeFile(typesFile, await generate());

// SPDX-License-Identifier: Apache-2.0
// docs/protocol's JSON Schema, against which every frame of either side is held.
import { readFileSync } from 'node:fs';
import { Ajv2020 } from 'ajv/dist/2020.js';

const schema = JSON.parse(readFileSync(new URL('../../../docs/protocol/flagstaff.v1.schema.json', import.meta.url), 'utf8')) as { $id: string };
const ajv = new Ajv2020({ strict: false });
ajv.addSchema(schema);

/** Throws where the frame is none that this side may send. */
export function check(side: 'client' | 'server', frame: unknown): void {
  if (!ajv.validate(`${schema.$id}#/$defs/${side}`, frame)) {
    throw new Error(`not a frame of the ${side}: ${JSON.stringify(frame)}\n${ajv.errorsText()}`);
  }
}

// SPDX-License-Identifier: Apache-2.0
// The recorded conversations with something in them altered by chance (from fixed seeds): each frame is followed or is a Fault, and
// afterwards every flag can still be read. Nothing else is ever thrown.
import { readdirSync, readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { Fault } from '../src/frames.js';
import { Session } from '../src/session.js';

const folder = new URL('../../../docs/protocol/transcripts/', import.meta.url);
const ROUNDS = 200; // of each transcript
const OTHERS: unknown[] = [null, undefined, true, -1, 0, 1.5, 2 ** 60, '', 'x', '__proto__', [], [null], {}, { watch: 1 }];

/** mulberry32 (T. Ettinger): small, and the same on each machine. */
function chance(seed: number): (below: number) => number {
  return (below) => {
    seed = (seed + 0x6d2b79f5) | 0;
    let t = Math.imul(seed ^ (seed >>> 15), 1 | seed);
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t;
    return ((t ^ (t >>> 14)) >>> 0) % below;
  };
}

function alter(frame: any, pick: (below: number) => number): void {
  let at = frame;
  for (;;) {
    const keys = Object.keys(at);
    if (keys.length === 0) return;
    const key = keys[pick(keys.length)] as string;
    if (typeof at[key] === 'object' && at[key] !== null && pick(3) > 0) {
      at = at[key];
      continue;
    }
    at[key] = OTHERS[pick(OTHERS.length)];
    return;
  }
}

test.each(readdirSync(folder))('%s, altered', (name) => {
  const frames = readFileSync(new URL(name, folder), 'utf8').trim().split('\n').map((line) => JSON.parse(line))
    .filter((line) => line.dir === 'server').map((line) => line.frame);
  let faults = 0;
  for (let seed = 1; seed <= ROUNDS; seed++) {
    const pick = chance(seed);
    const session = new Session({ name: 'example', version: '1' }, undefined, {
      changed: () => undefined, refused: () => undefined, goaway: () => undefined, log: () => undefined,
    });
    const seen = new Set<string>(['none-such']);
    const broken = pick(frames.length);
    session.setContext({ targetingKey: 'ada' });
    session.opened(() => undefined);
    for (const [index, recorded] of frames.entries()) {
      if (recorded === undefined) { // the server closed
        session.lost();
        session.opened(() => undefined);
        continue;
      }
      const frame = structuredClone(recorded);
      for (const flag of frame.flags ?? []) seen.add(flag.key);
      if (index === broken) alter(frame, pick);
      try {
        session.receive(JSON.stringify(frame));
      } catch (fault) {
        expect(fault).toBeInstanceOf(Fault);
        faults += 1;
        session.lost();
        session.opened(() => undefined);
      }
      for (const key of seen) {
        const answer = session.read(key);
        if (answer.flag && answer.standing === 'unknown') expect(answer.flag.safe?.variant).toBeTypeOf('string');
      }
      session.tick();
    }
  }
  expect(faults, 'much of it was noticed').toBeGreaterThan(ROUNDS / 10);
});

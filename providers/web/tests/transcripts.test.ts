// SPDX-License-Identifier: Apache-2.0
// The recorded conversations of docs/protocol, from the client's side: after each line that says so, the cache holds what it
// must, and what we send is what the transcript's client sends. This client has one watch: of transcripts with several, the first.
import { readdirSync, readFileSync } from 'node:fs';
import { afterEach, beforeEach, describe, expect, test, vi } from 'vitest';
import type { ClientFrame } from '../src/protocol.js';
import { Session } from '../src/session.js';
import { check } from './schema.js';

const folder = new URL('../../../docs/protocol/transcripts/', import.meta.url);
const NOT_OURS = ['07-once.jsonl']; // we never ask for `once`

interface Line {
  dir: 'client' | 'server' | 'note';
  frame?: any;
  invalid?: boolean;
  close?: { code: number };
  connection?: number;
  expect?: { lease: number | null; watches: Record<string, Record<string, unknown>> };
}

const lines = (name: string): Line[] =>
  readFileSync(new URL(name, folder), 'utf8').trim().split('\n').map((line) => JSON.parse(line) as Line);

/** What the transcript's client says about its first watch. */
function aboutFirst(frame: any): any {
  const firsts = (list: any[] | undefined) => list?.filter((entry) => entry.watch === 1);
  if (frame.type !== 'hello') return frame;
  return {
    ...frame,
    ...(frame.watches && { watches: firsts(frame.watches) }),
    ...(frame.resume && { resume: { ...frame.resume, watches: firsts(frame.resume.watches) } }),
  };
}

class Player {
  sent: ClientFrame[] = [];
  refused = 0;
  readonly session = new Session({ name: 'example', version: '1.0.0' }, undefined, {
    changed: () => undefined, goaway: () => undefined, log: () => undefined, refused: () => { this.refused += 1; },
  });

  private send = (frame: ClientFrame): void => {
    check('client', frame);
    this.sent.push(frame);
  };

  client(frame: any): void {
    if (frame.type === 'hello') {
      if (frame.watches && !frame.resume) this.session.setContext(frame.watches[0].context);
      this.session.opened(this.send);
    }
    if ((frame.type === 'watch' || frame.type === 'unwatch') && frame.watch !== 1) return;
    if (frame.type === 'watch' && this.holdsSome) return; // a client's mistake that is shown: the id is in use
    if (frame.type === 'watch') this.session.setContext(frame.context);
    if (frame.type === 'unwatch') this.session.setContext(undefined);
    if (frame.type === 'renew') this.session.renew();
    expect(this.sent.shift()).toEqual(aboutFirst(frame));
  }

  get holdsSome(): boolean { return this.session.read('').standing !== 'unknown'; }

  holds(key: string): unknown {
    const { standing, flag } = this.session.read(key);
    if (standing === 'unknown') return null;
    return (standing === 'over' && flag?.safe ? flag.safe.value : flag?.value) ?? null;
  }
}

describe('a client that follows the transcript', () => {
  beforeEach(() => { vi.useFakeTimers(); });
  afterEach(() => { vi.useRealTimers(); });

  test.each(readdirSync(folder).filter((name) => !NOT_OURS.includes(name)))('%s holds what it must, and says what it must', (name) => {
    const player = new Player();
    for (const line of lines(name)) {
      if (line.dir === 'client' && line.frame && !line.invalid) player.client(line.frame);
      if (line.dir === 'server' && line.frame) {
        check('server', line.frame);
        player.session.receive(JSON.stringify(line.frame));
      }
      if (line.close) player.session.lost();
      if (!line.expect) continue;
      const flags = line.expect.watches['1'];
      expect(player.holdsSome).toBe(flags !== undefined);
      for (const [key, value] of Object.entries(flags ?? {})) expect([key, player.holds(key)]).toEqual([key, value]);
      if (flags) expect(player.session.leaseLeft > 0).toBe(line.expect.lease !== null);
    }
    expect(player.sent).toEqual([]);
  });

  test('there are transcripts', () => {
    expect(readdirSync(folder).length).toBeGreaterThan(20);
  });
});

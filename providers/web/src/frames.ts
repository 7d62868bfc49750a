// SPDX-License-Identifier: Apache-2.0
// From a message to a frame. What comes over the wire is not believed: everything that the rest relies on is looked at
// here, once, and what is wrong becomes a Fault, upon which the connection is ended and begun anew. Members and frames
// that are not known are ignored, as the protocol demands.
import type { Flag, ServerFrame, ValueType } from './protocol.js';

/** The server, or something in between, does not speak the protocol. */
export class Fault extends Error {}

type Members = Record<string, unknown>;

const isObject = (it: unknown): it is Members => typeof it === 'object' && it !== null && !Array.isArray(it);
const isText = (it: unknown): it is string => typeof it === 'string';
const isName = (it: unknown): boolean => isText(it) && it.length > 0 && it.length <= 64;
const isCount = (it: unknown): boolean => Number.isSafeInteger(it) && (it as number) >= 0;
const isOptional = (it: unknown, test: (it: unknown) => boolean): boolean => it === undefined || test(it);
const isListOf = (it: unknown, test: (it: unknown) => boolean): boolean => Array.isArray(it) && it.every(test);

const isOfType: Record<ValueType, (it: unknown) => boolean> = {
  boolean: (it) => typeof it === 'boolean',
  string: isText,
  integer: Number.isSafeInteger,
  float: Number.isFinite,
  object: (it) => typeof it === 'object' && it !== null,
};

function isFlag(flag: unknown): boolean {
  if (!isObject(flag) || !isText(flag.key) || !isText(flag.reason) || !isText(flag.type)) return false;
  const { type, value, safe, error } = flag;
  if (!Object.hasOwn(isOfType, type)) return false;
  const fits = isOfType[type as ValueType];
  return isOptional(value, (it) => fits(it) && isText(flag.variant))
    && isOptional(safe, (it) => isObject(it) && isText(it.variant) && fits(it.value) && value !== undefined)
    && isOptional(error, (it) => isObject(it) && isText(it.code))
    && isOptional(flag.metadata, isObject);
}

const areFlags = (it: unknown): boolean =>
  isListOf(it, isFlag) && new Set((it as Flag[]).map((flag) => flag.key)).size === (it as Flag[]).length;

const isChange = (it: unknown): boolean =>
  isObject(it) && isCount(it.watch) && isOptional(it.removed, (keys) => isListOf(keys, isText))
  && isOptional(it.flags, areFlags);

const isWell: Record<ServerFrame['type'], (frame: Members) => boolean> = {
  welcome: (it) => it.protocol === 'flagstaff.v1' && isName(it.session) && isName(it.epoch) && isCount(it.lease) && it.lease !== 0,
  snapshot: (it) => isCount(it.watch) && isName(it.view) && isCount(it.revision) && areFlags(it.flags),
  delta: (it) => isCount(it.revision) && isListOf(it.watches, isChange),
  lease: (it) => isCount(it.n) && isCount(it.revision) && isCount(it.duration),
  error: (it) => isText(it.code),
  goaway: (it) => isText(it.code) && isOptional(it.drain, isCount) && isOptional(it.reconnectAfter, isCount),
};

/** Values are handed out as they are, so nobody may alter them. */
function freeze(it: unknown): void {
  if (!isOfType.object(it)) return;
  Object.values(it as object).forEach(freeze);
  Object.freeze(it);
}

/** The frame in a message; undefined for a type that is not known. Throws a Fault. */
export function readFrame(data: unknown): ServerFrame | undefined {
  let frame: unknown;
  try {
    frame = JSON.parse(isText(data) ? data : '');
  } catch { /* nor is it a frame */ }
  if (!isObject(frame) || !isText(frame.type)) throw new Fault('a message is not a frame');
  if (!Object.hasOwn(isWell, frame.type)) return undefined;
  if (!isWell[frame.type as ServerFrame['type']](frame)) throw new Fault(`${frame.type}: a member is missing or wrong`);
  freeze(frame);
  return frame as unknown as ServerFrame;
}

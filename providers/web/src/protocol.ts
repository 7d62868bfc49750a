// SPDX-License-Identifier: Apache-2.0
// The frames of flagstaff.v1. Made from docs/protocol/flagstaff.v1.schema.json by `npm run generate`: change that, not this.

/**
 * The frames of the websocket protocol flagstaff.v1. One frame is one JSON object in one text message. Members that are not described here are allowed and ignored. Durations are milliseconds, times are RFC 3339 in UTC with milliseconds, integers stay within 2^53-1. README.md explains the order of frames, which a schema cannot.
 */
export type Frame = ClientFrame | ServerFrame;
/**
 * Any frame that a client sends.
 */
export type ClientFrame =
  HelloFrame | WatchFrame | WatchListFrame | UnwatchFrame | UnwatchListFrame | RenewFrame | AckFrame;
/**
 * Drawn at each start of the daemon. Revisions of different epochs cannot be compared.
 */
export type Epoch = string;
/**
 * Names a connection within an epoch: in logs, in /v1/clients, and in the resume point of the connection that follows it. It is opaque and cannot be guessed.
 */
export type SessionName = string;
/**
 * Counts up within an epoch. A connection sees only some of the numbers.
 */
export type Revision = number;
/**
 * Chosen by the client; belongs to one watch of one connection at a time.
 */
export type WatchId = number;
/**
 * Names what a watch can see. Opaque; compared for equality only.
 */
export type View = string;
export type Key = string;
/**
 * Any frame that a server sends.
 */
export type ServerFrame = WelcomeFrame | SnapshotFrame | DeltaFrame | LeaseFrame | ErrorFrame | GoawayFrame;
/**
 * Milliseconds.
 */
export type Duration = number;
export type Count = number;
/**
 * OpenFeature's types. The value of an `object` flag is an object or an array.
 */
export type ValueType = 'boolean' | 'string' | 'integer' | 'float' | 'object';
/**
 * OpenFeature's resolution reasons. A client passes on one that it does not know.
 */
export type Reason =
  'STATIC' | 'DEFAULT' | 'TARGETING_MATCH' | 'SPLIT' | 'CACHED' | 'DISABLED' | 'UNKNOWN' | 'STALE' | 'ERROR';
/**
 * A client passes on one that it does not know.
 */
export type CauseKind =
  'event' | 'revalidate' | 'timer' | 'source-lost' | 'source-back' | 'config' | 'override' | 'watch';
export type Time = string;
/**
 * OpenFeature's error codes.
 */
export type FlagErrorCode =
  | 'PROVIDER_NOT_READY'
  | 'FLAG_NOT_FOUND'
  | 'PARSE_ERROR'
  | 'TYPE_MISMATCH'
  | 'TARGETING_KEY_MISSING'
  | 'INVALID_CONTEXT'
  | 'PROVIDER_FATAL'
  | 'GENERAL';
/**
 * Codes of the frame `error`. One that a client does not know is treated like `internal`.
 */
export type ErrorCode =
  | 'bad_frame'
  | 'unknown_type'
  | 'protocol'
  | 'bad_context'
  | 'forbidden'
  | 'duplicate_watch'
  | 'unknown_watch'
  | 'limit'
  | 'unavailable'
  | 'internal';
/**
 * Codes of the frame `goaway`. One that a client does not know is treated like `drain`.
 */
export type GoawayCode = 'drain' | 'revoked' | 'expired' | 'overload' | 'slow' | 'disconnect';
/**
 * Milliseconds.
 */
export type DurationOrZero = number;

/**
 * The first frame of a connection, and the only one of its kind. It is renewal 0 of the lease.
 */
export interface HelloFrame {
  type: 'hello';
  protocol: 'flagstaff.v1';
  /**
   * Which program speaks; shown to operators, never trusted.
   */
  client: {
    name: string;
    version: string;
  };
  /**
   * Where the client stands: the newest closed revision that it has applied or that a lease named, the session that told it, and the view of each watch of this hello that got its snapshot, or was resumed, in that session. An entry whose watch is not in `watches` is ignored.
   */
  resume?: {
    epoch: Epoch;
    session: SessionName;
    revision: Revision;
    watches: {
      watch: WatchId;
      view: View;
    }[];
  };
  /**
   * Watches that begin with the connection. Their ids differ from one another.
   */
  watches?: WatchRequest[];
}
export interface WatchRequest {
  watch: WatchId;
  context: Context;
  /**
   * The keys to watch. Left out: all that are visible. A key that does not exist or is not visible is just absent from the snapshot.
   *
   * @minItems 1
   */
  flags?: Key[];
  /**
   * One snapshot, not kept and not leased.
   */
  once?: boolean;
}
/**
 * OFREP's context: targetingKey and attributes. targetingKey may be left out where the credential fixes the subject. What the credential carries overrides what stands here; facts, claims, decision, rank, actor and names that begin with $ are reserved.
 */
export interface Context {
  targetingKey?: string;
}
/**
 * Begins a watch on a running connection.
 */
export interface WatchFrame {
  type: 'watch';
  watch: WatchId;
  context: Context;
  /**
   * The keys to watch. Left out: all that are visible. A key that does not exist or is not visible is just absent from the snapshot.
   *
   * @minItems 1
   */
  flags?: Key[];
  /**
   * One snapshot, not kept and not leased.
   */
  once?: boolean;
}
/**
 * Begins several watches, where welcome's `limits.list` says that the server takes lists. Each of them is served or refused by itself, in their order.
 */
export interface WatchListFrame {
  type: 'watch';
  watches: WatchRequest[];
}
/**
 * Ends a watch. Its id is free again at once; frames that were already under way for it are ignored by a client that has not given the id out again.
 */
export interface UnwatchFrame {
  type: 'unwatch';
  watch: WatchId;
}
/**
 * Ends several watches, where welcome's `limits.list` says that the server takes lists.
 */
export interface UnwatchListFrame {
  type: 'unwatch';
  watches: WatchId[];
}
/**
 * Asks for a further lease. n counts up by one with each renewal of the connection, from 1.
 */
export interface RenewFrame {
  type: 'renew';
  n: number;
}
/**
 * All frames of the connection up to and with this closed revision are applied: whoever reads the client's cache now reads no older value. Cumulative, never lower than the one before.
 */
export interface AckFrame {
  type: 'ack';
  revision: Revision;
}
/**
 * The answer to hello.
 */
export interface WelcomeFrame {
  type: 'welcome';
  protocol: 'flagstaff.v1';
  session: SessionName;
  epoch: Epoch;
  lease: Duration;
  limits: Limits;
}
/**
 * What the server takes. Limits that are not described here may be added.
 */
export interface Limits {
  frame: Count;
  send: Count;
  watches: Count;
  flags: Count;
  contextBytes: Count;
  contextDepth: Count;
  rate?: Count;
  list?: Count;
}
/**
 * Everything that a watch sees at a revision. It replaces all that the client holds for the watch. Without `more` it closes its revision. The answer to a watch, and sent unasked where the view has changed or the client was too far behind for deltas.
 */
export interface SnapshotFrame {
  type: 'snapshot';
  watch: WatchId;
  view: View;
  revision: Revision;
  flags: Flag[];
  /**
   * Names of attributes of the watch's context that the credential may not set and that were left out; absent where none were.
   *
   * @minItems 1
   */
  dropped?: string[];
  /**
   * The watch asked for one snapshot: it is over with this frame, and its values are not leased.
   */
  once?: true;
  /**
   * The revision is still open: further frames of it follow, and nothing of it takes effect before the one that does not say `more`. A further snapshot of the same watch within an open revision adds its flags to the first one's.
   */
  more?: true;
}
/**
 * One flag as a watch sees it. With `safe` it is an access flag and always has a value. Without `safe` and without a value the caller's default rules.
 */
export interface Flag {
  key: Key;
  type: ValueType;
  value?: unknown;
  variant?: string;
  reason: Reason;
  cause?: Cause;
  /**
   * The flag's metadata, and the service's own under `flagstaff.`: `flagstaff.error` says what went wrong where an access flag resolved to its safe variant, `flagstaff.override` is `kill` or `force` where an operator's override made the value.
   */
  metadata?: {
    [k: string]: boolean | string | number;
  };
  /**
   * What the flag falls to when the lease is over.
   */
  safe?: {
    value: unknown;
    variant: string;
  };
  /**
   * Only without `safe` and without a value: an ordinary flag that could not be resolved. The caller's default rules.
   */
  error?: {
    code: FlagErrorCode;
    message: string;
  };
}
/**
 * Why the flag has this value: the first of the entries that led to it. The rest is told by /v1/why.
 */
export interface Cause {
  kind: CauseKind;
  /**
   * The number of the entry in the journal.
   */
  entry?: number;
  time: Time;
}
/**
 * All that one revision changes on this connection, or one part of it.
 */
export interface DeltaFrame {
  type: 'delta';
  revision: Revision;
  /**
   * The revision is still open: further frames of it follow, and nothing of it takes effect before the one that does not say `more`.
   */
  more?: true;
  /**
   * @minItems 1
   */
  watches: {
    watch: WatchId;
    /**
     * Keys that the watch no longer sees. Applied before `flags`, so that a flag whose type has changed stands in both.
     *
     * @minItems 1
     */
    removed?: Key[];
    /**
     * Whole flags, as they are now.
     *
     * @minItems 1
     */
    flags?: Flag[];
  }[];
}
/**
 * Grants renewal n: all values that the connection's watches hold may be used for `duration` from the moment when the client sent renewal n (0: hello). It stands behind every change that was computed before it.
 */
export interface LeaseFrame {
  type: 'lease';
  n: number;
  revision: Revision;
  duration: Duration;
}
/**
 * Something that the client asked for was not done. With `watch` it concerns that watch alone and the connection goes on; without, the server closes the connection after it unless the code says otherwise.
 */
export interface ErrorFrame {
  type: 'error';
  code: ErrorCode;
  /**
   * For people: what, where, and what to do next. Not for programs.
   */
  message: string;
  watch?: WatchId;
  /**
   * With code `limit`: which member of welcome's `limits` was passed.
   */
  limit?: string;
}
/**
 * The server will end this connection.
 */
export interface GoawayFrame {
  type: 'goaway';
  code: GoawayCode;
  message?: string;
  drain?: DurationOrZero;
  reconnectAfter?: DurationOrZero;
}

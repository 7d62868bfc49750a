// SPDX-License-Identifier: Apache-2.0
// The face towards OpenFeature's web SDK: when it is ready, what a flag resolves to, which events are told.
//
// Two habits of the SDK shape it (read in its source, 1.10):
// - An error code makes it answer with the caller's own default, which may grant. So a safe variant is a success.
// - A provider in status FATAL is not asked any more. So PROVIDER_FATAL is only said where nothing is known yet: when
//   initialize is refused. Whoever has had values keeps getting safe ones.
import {
  ErrorCode, GeneralError, InvalidContextError, OpenFeatureEventEmitter, ProviderEvents, ProviderFatalError,
  type EvaluationContext, type FlagMetadata, type JsonValue, type OpenFeatureError, type Provider, type ResolutionDetails,
} from '@openfeature/web-sdk';
import { Connection } from './connection.js';
import { isBound } from './credentials.js';
import { settings, type FlagstaffOptions, type Settings } from './options.js';
import type { ErrorFrame, Flag } from './protocol.js';
import { Session } from './session.js';

type Kind = 'boolean' | 'string' | 'number' | 'object';
type Status = 'ready' | 'stale' | 'error';

/** Someone who waits for the values of the current context. */
interface Waiter {
  resolve(): void;
  reject(error: OpenFeatureError): void;
  timer: ReturnType<typeof setTimeout>;
}

const kindOf = ({ type }: Flag): Kind => (type === 'integer' || type === 'float' ? 'number' : type);

const plain = (metadata: Flag['metadata']): FlagMetadata => Object.fromEntries(
  Object.entries(metadata ?? {}).filter(([, value]) => typeof value !== 'object'));

/** The same text for the same content: the SDK hands out another copy at each evaluation. Throws for what is no JSON. */
const written = (context: EvaluationContext): string =>
  JSON.stringify(Object.fromEntries(Object.keys(context).sort().map((name) => [name, context[name]])));

export class FlagstaffWebProvider implements Provider {
  readonly metadata = { name: 'flagstaff' } as const;
  readonly runsOn = 'client';
  /** It serves one context at a time, so it belongs to one domain. */
  readonly domainScoped = true;
  readonly events = new OpenFeatureEventEmitter();

  readonly #settings: Settings;
  #session: Session;
  #connection: Connection | undefined;
  /** The context whose values are served, as it is written; undefined: nobody's are. */
  #served: string | undefined;
  #waiters: Waiter[] = [];
  /** While initialize or setContext are under way the SDK itself tells what comes of them. */
  #initializing = false;
  #quiet: ReturnType<typeof setTimeout> | undefined;
  #told: Status | undefined;
  #leased = false;
  #news = new Set<string>();
  #refusal = '';

  /** Throws a TypeError for options that cannot work. */
  constructor(options: FlagstaffOptions) {
    this.#settings = settings(options);
    this.#session = this.#newSession();
  }

  initialize(context: EvaluationContext = {}): Promise<void> {
    this.#connection ??= new Connection(this.#settings, this.#session, {
      moved: () => this.#settle(),
      forbidden: (text) => this.#fail(this.#initializing ? new ProviderFatalError(text) : new GeneralError(text)),
    });
    this.#initializing = true;
    return this.#serve(context).finally(() => { this.#initializing = false; });
  }

  onContextChange(_old: EvaluationContext, context: EvaluationContext): Promise<void> {
    return this.#serve(context);
  }

  async onClose(): Promise<void> {
    this.#connection?.stop();
    this.#connection = undefined;
    this.#fail(new GeneralError('the provider was closed'));
    clearTimeout(this.#quiet);
    this.#quiet = undefined;
    this.#session = this.#newSession();
    this.#told = undefined;
    this.#leased = false;
    this.#news.clear();
  }

  resolveBooleanEvaluation(key: string, fallback: boolean, context?: EvaluationContext): ResolutionDetails<boolean> {
    return this.#resolve('boolean', key, fallback, context);
  }

  resolveStringEvaluation(key: string, fallback: string, context?: EvaluationContext): ResolutionDetails<string> {
    return this.#resolve('string', key, fallback, context);
  }

  resolveNumberEvaluation(key: string, fallback: number, context?: EvaluationContext): ResolutionDetails<number> {
    return this.#resolve('number', key, fallback, context);
  }

  resolveObjectEvaluation<T extends JsonValue>(key: string, fallback: T, context?: EvaluationContext): ResolutionDetails<T> {
    return this.#resolve('object', key, fallback, context);
  }

  #newSession(): Session {
    return new Session(this.#settings.client, this.#settings.flags, {
      changed: (keys) => keys.forEach((key) => this.#news.add(key)),
      refused: (error) => this.#refused(error),
      goaway: (frame) => this.#connection?.goaway(frame),
      log: this.#settings.log,
    });
  }

  // --- contexts ---------------------------------------------------------------------------------------------------

  /** From here on the values of `context` are served, and no other's. Resolves when they are here and leased. */
  async #serve(context: EvaluationContext): Promise<void> {
    this.#served = undefined;
    this.#refusal = '';
    try {
      this.#served = written(context);
    } catch (error) {
      this.#session.setContext(undefined);
      this.#told = 'error';
      throw new InvalidContextError(`the context is no JSON: ${(error as Error).message}`);
    }
    const copy = JSON.parse(this.#served) as EvaluationContext;
    if (copy.targetingKey === '') delete copy.targetingKey;
    return new Promise((resolve, reject) => {
      const timer = setTimeout(() => this.#fail(new GeneralError(
        `no values within ${this.#settings.timeout} ms: ${this.#connection?.why}`)), this.#settings.timeout);
      this.#waiters.push({ resolve, reject, timer });
      this.#connection?.serve(copy, isBound(this.#settings));
    });
  }

  #refused({ code, message }: ErrorFrame): void {
    this.#refusal = `the service says ${code}: ${message}`;
    this.#settings.log(this.#refusal);
    this.#fail(code === 'bad_context' ? new InvalidContextError(this.#refusal) : new GeneralError(this.#refusal));
  }

  #fail(error: OpenFeatureError): void {
    if (this.#waiters.length > 0) this.#told = 'error';
    this.#release((waiter) => waiter.reject(error));
  }

  #release(end: (waiter: Waiter) => void): void {
    const waiters = this.#waiters;
    this.#waiters = [];
    for (const waiter of waiters) {
      clearTimeout(waiter.timer);
      end(waiter);
    }
    if (waiters.length === 0) return;
    // The SDK sets its status when the promises are through; what happens until then is told after it.
    clearTimeout(this.#quiet);
    this.#quiet = setTimeout(() => {
      this.#quiet = undefined;
      this.#settle();
    });
  }

  // --- events -----------------------------------------------------------------------------------------------------

  get #status(): Status {
    if (this.#session.leaseLeft <= 0) return 'error';
    return this.#session.fresh ? 'ready' : 'stale';
  }

  /** Tells what is different from what was last told. */
  #settle(): void {
    const status = this.#status;
    if (status === 'ready') this.#refusal = '';
    if (this.#waiters.length > 0) {
      if (status !== 'ready') return;
      this.#told = 'ready';
      this.#leased = true;
      this.#news.clear();
      this.#release((waiter) => waiter.resolve());
    }
    if (this.#quiet || this.#told === undefined) return;
    if (this.#leased !== (status !== 'error')) {
      this.#leased = !this.#leased;
      this.#session.granting().forEach((key) => this.#news.add(key));
    }
    if (this.#told !== status) {
      this.#told = status;
      const message = this.#why;
      if (status === 'ready') this.events.emit(ProviderEvents.Ready);
      else if (status === 'stale') this.events.emit(ProviderEvents.Stale, { message });
      else this.events.emit(ProviderEvents.Error, { message, errorCode: ErrorCode.GENERAL });
    }
    if (this.#news.size > 0) {
      const flagsChanged = [...this.#news];
      this.#news.clear();
      this.events.emit(ProviderEvents.ConfigurationChanged, { flagsChanged });
    }
  }

  get #why(): string {
    return this.#refusal
      || (this.#session.welcomed ? 'the service grants no lease' : this.#connection?.why ?? 'the provider is closed');
  }

  // --- values -----------------------------------------------------------------------------------------------------

  /** A client of another domain, or a wrapper that tells of a new context late, asks for one whose values these are not. */
  #isOther(context: EvaluationContext): boolean {
    try {
      return written(context) !== this.#served;
    } catch {
      return true;
    }
  }

  #resolve<T>(kind: Kind, key: string, fallback: T, context: EvaluationContext | undefined): ResolutionDetails<T> {
    const wrong = (errorCode: ErrorCode, errorMessage: string): ResolutionDetails<T> =>
      ({ value: fallback, reason: 'ERROR', errorCode, errorMessage });
    const other = context !== undefined && this.#isOther(context);
    const { standing, flag } = this.#session.read(key, other);
    if (!flag) {
      return standing === 'unknown' ? wrong(ErrorCode.PROVIDER_NOT_READY, `nothing is known yet for this context: ${this.#why}`)
        : wrong(ErrorCode.FLAG_NOT_FOUND, `no flag '${key}' is visible here`);
    }
    const { variant, reason, error, safe } = flag;
    const flagMetadata = plain(flag.metadata);
    if (error) return { ...wrong((ErrorCode as Record<string, ErrorCode>)[error.code] ?? ErrorCode.GENERAL, error.message), flagMetadata };
    if (flag.value === undefined) return { value: fallback, reason, flagMetadata };
    if (kindOf(flag) !== kind) return wrong(ErrorCode.TYPE_MISMATCH, `'${key}' is of type ${flag.type}`);
    if (standing !== 'leased' && safe) {
      const why = standing === 'over' ? `the lease is over: ${this.#why}` : 'nothing is known yet for this context';
      return { value: safe.value as T, variant: safe.variant, reason: 'ERROR', flagMetadata: { ...flagMetadata, 'flagstaff.error': why } };
    }
    return { value: flag.value as T, ...(variant !== undefined && { variant }), reason: standing === 'leased' ? reason : 'STALE', flagMetadata };
  }
}

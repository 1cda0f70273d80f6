import type { ConnectionStatus, Version } from 'hydrant';
import type { Places } from './checks/places.js';

/** A place in the order of events, and the time of it. */
export interface Moment { readonly seq: number; readonly t: number }

/** A row as the simulated store hands it out: each answer is a fresh object that remembers the read it came from. */
export interface Row {
  readonly id: string;
  readonly version: Version;
  readonly status: ConnectionStatus;
  readonly readNumber: number;
  readonly platform: string;
  readonly broken: boolean;
}

/** The row of one id as one read saw it. */
export interface Sighting { readonly version: string; readonly status: ConnectionStatus; readonly broken: boolean }

/** One call of the store. `late`: its answer came after the registry was entitled to stop waiting for it. */
export interface Read {
  readonly n: number;
  readonly kind: 'get' | 'getMany' | 'getVersions';
  readonly ids: readonly string[];
  readonly sent: Moment;
  readonly signal: AbortSignal | undefined;
  seen?: ReadonlyMap<string, Sighting>;
  answered?: Moment;
  failed: boolean;
  late: boolean;
}

export interface SecretsCall {
  readonly n: number;
  readonly id: string;
  readonly version: string;
  readonly began: Moment;
  /** The last point before it began at which nothing was left to run. */
  readonly quietBefore: number;
  ended?: Moment;
  failed: boolean;
  aborted?: Moment;
}

/** One call of `create`. */
export interface Creation {
  readonly n: number;
  readonly id: string;
  readonly version: string;
  readonly read: Read;
  readonly secrets: SecretsCall | undefined;
  readonly began: Moment;
  /** The last point before it began at which nothing was left to run. */
  readonly quietBefore: number;
  ended?: Moment;
  failed: boolean;
  aborted?: Moment;
  abortedByWaiters: boolean;
  /** `context.superseded`, where `create` asked for it. */
  superseded?: AbortSignal;
  retired?: Moment;
  retire: (cause?: unknown) => void;
  cleanUps: { registered: number; ran: number };
  instance?: Instance;
}

/** The result of `create`. */
export interface Instance {
  readonly n: number;
  readonly id: string;
  readonly version: string;
  readonly creation: Creation;
  readonly born: Moment;
  retired?: Moment;
  disposals: number;
  disposeBegan?: Moment;
  disposeEnded?: Moment;
  readonly holds: Set<Hold>;
}

/** A lease as its holder sees it. */
export interface LeaseLike {
  readonly instance: unknown;
  readonly record: Row;
  readonly stale: boolean;
  readonly signal: AbortSignal;
  retire(cause?: unknown): void;
  release(): void;
}

/** A caller has the instance. `end` is what its holder does to let it go, unless the holder is `use`. */
export interface Hold {
  readonly n: number;
  readonly instance: Instance;
  readonly lease: LeaseLike | undefined;
  readonly demand: Demand;
  readonly since: Moment;
  staleSince?: Moment;
  signalAborted?: Moment;
  released: boolean;
  releasedAt?: Moment;
  /** When its holder was done. A body that ended within one turn is let go then, although its sender reads on. */
  doneAt?: Moment;
  /** Webhooks only: its holder is done, but the sender has not read the response to its end. */
  lingers?: boolean;
  /** Webhooks only: when its stream failed. The registry may hear of it before or after the sender. */
  brokeOffAt?: Moment;
}

/** One wish for an instance: a `use`, an `acquire` or a webhook. */
export interface Demand {
  readonly n: number;
  readonly kind: 'use' | 'acquire' | 'webhook';
  readonly id: string;
  readonly began: Moment;
  readonly timeoutMs: number;
  readonly freshness: 'strict' | number;
  readonly controller: AbortController | undefined;
  readonly nestedIn: Hold | undefined;
  /** The last point before it began at which nothing was left to run. */
  readonly quietBefore: number;
  aborted?: Moment;
  /** Webhooks only: `authenticate` accepted it. */
  authentic?: boolean;
  /** Webhooks only: `authenticate` was called a second time, because its row or its secrets had changed. */
  authenticatedAgain?: boolean;
  /** Of a webhook: when `authenticate` or `respondToFailure` first decided. */
  decidedAt?: Moment;
  /** Of a webhook: how many places of `maxUnauthenticated` were taken when it came. */
  placesBefore?: Places;
  /** Of a webhook: its sender left, or its time was up, before `authenticate` was called. */
  leftEarly?: boolean;
  /** Waiting for an instance, or (webhooks) for the answer as a whole. */
  state: 'waiting' | 'working' | 'settled';
  entitledAt?: Moment;
  settled?: Moment;
}

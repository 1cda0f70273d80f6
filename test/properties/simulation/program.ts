/** The set-up of a program: the options of the registry, and the shape of the store and the factory. */
export interface Settings {
  /** How many connection ids there are, named `c0`, `c1`, … */
  readonly ids: number;
  /** How many of them have a row when the program starts. */
  readonly existing: number;
  readonly versions: 'number' | 'string' | 'bigint';
  /**
   * The source of versions. A counter never repeats one. A hash of the contents does if a row becomes what it was before,
   * also by being deleted and created again.
   */
  readonly versionOf: 'counter' | 'contents';
  /**
   * The fault of a broken row: the store cannot read it, `recordSchema` refuses it (at once or a few promises later), or
   * its platform has no factory.
   */
  readonly brokenRows: 'unreadable' | 'schema' | 'schemaLater' | 'platform';
  readonly freshness: 'strict' | number;
  readonly staleIfErrorMs: number;
  readonly storeTimeoutMs: number;
  readonly acquireTimeoutMs: number;
  readonly maxInstances: number;
  readonly eviction: 'lru' | 'sieve';
  readonly idleTimeoutMs: number;
  readonly maxConcurrentHydrations: number;
  readonly maxQueuedHydrations: number;
  readonly hydrationTimeoutMs: number;
  readonly disposeTimeoutMs: number;
  readonly drainTimeoutMs: number;
  readonly sweepIntervalMs: number;
  readonly backoffInitialMs: number;
  readonly backoffMaxMs: number;
  readonly notFoundTtlMs: number;
  readonly replacement: 'overlap' | 'drain-first';
  readonly keepLastGood: boolean;
  readonly closeDrainMs: number;
  readonly maxUnauthenticated: number;
  /** The registry's `respondToFailure` takes its time, and then leaves the answer to hydrant. */
  readonly answersLater: boolean;
  readonly around: boolean;
  readonly store: { readonly getMany: boolean; readonly getVersions: boolean; readonly watch: boolean };
  readonly factory: {
    readonly secrets: boolean;
    readonly dispose: boolean;
    /** How often `create` reads `context.signal`, 0 to 1 (an unread signal is never made). */
    readonly touchSignal: number;
    readonly webhooks: 'none' | 'in-handler' | 'authenticated';
    readonly acknowledgeAfterMs: number | undefined;
    readonly maxConcurrentHydrations: number | undefined;
    /** With two, the connections take turns: each platform has a factory, and a share of the permits, of its own. */
    readonly platforms: 1 | 2;
  };
}

/**
 * How a call into the store or the factory is going to behave, decided when it comes:
 * `later` waits in the agenda until the scheduler settles it, `soon` is an already settled promise, `now` returns or
 * throws synchronously, `hang` stays unsettled until the program heals, `obey` is `later` that also rejects when its
 * signal aborts, `refuse` fails for good: with a ConnectionError that says `retryable: false`.
 */
export type Behaviour = 'later' | 'soon' | 'now' | 'hang' | 'obey' | 'fail' | 'throw' | 'refuse';

/** When a read sees the table: when it is sent, when it is answered, or at a step in between. */
export type ReadBehaviour = 'atSend' | 'atAnswer' | 'between' | 'soon' | 'hang' | 'fail' | 'throw';

/** One list per kind of call, each used from its start to its end and again. */
export interface Plans {
  readonly read: readonly ReadBehaviour[];
  readonly create: readonly Behaviour[];
  readonly dispose: readonly Behaviour[];
  readonly cleanUp: readonly Behaviour[];
  readonly secrets: readonly Behaviour[];
  readonly watch: readonly Behaviour[];
  readonly authenticate: readonly Verdict[];
  readonly handler: readonly Handling[];
}

export type Verdict = 'yes' | 'no' | 'response' | 'throw' | 'yesLater' | 'noLater';
export type Handling =
  | 'text'
  | 'textLater'
  | 'stream'
  | 'streamLater'
  | 'readyStream'
  | 'empty'
  | 'throw'
  | 'failLater'
  | 'waitUntil'
  | 'waitUntilStream';

export type Work = 'now' | 'throw' | 'later' | 'nested' | 'retire';

/** One step by a caller, an administrator, a platform, the network or the scheduler. */
export type Operation =
  | {
      readonly do: 'use';
      readonly id: number;
      readonly work: Work;
      readonly nested: number;
      readonly timeoutMs: number | undefined;
      readonly freshness: 'strict' | number | undefined;
      readonly signal: boolean;
    }
  | {
      readonly do: 'acquire';
      readonly id: number;
      readonly timeoutMs: number | undefined;
      readonly freshness: 'strict' | number | undefined;
      readonly signal: boolean;
    }
  | { readonly do: 'tryAcquire'; readonly id: number }
  | { readonly do: 'release' | 'retireLease' | 'retireInstance' | 'abort' | 'disconnect' | 'cancelBody'; readonly pick: number }
  | { readonly do: 'edit' | 'stop' | 'delete' | 'breakRow' | 'invalidate'; readonly id: number }
  | { readonly do: 'hint'; readonly id: number }
  | { readonly do: 'gap' }
  | { readonly do: 'useAll' }
  | { readonly do: 'settle'; readonly pick: number; readonly fail: boolean }
  | { readonly do: 'advance'; readonly ms: number; readonly blocked: boolean }
  | { readonly do: 'nextTimer' }
  | {
      readonly do: 'webhook';
      readonly id: number;
      readonly client: 'read' | 'status' | 'slow';
      readonly host: boolean;
      readonly bodyKiB: number;
    }
  | { readonly do: 'calm'; readonly ms: number }
  | { readonly do: 'close' };

/** A step and how far promises get before the next one: a number of hops, or until nothing is left to run. */
export interface Step { readonly op: Operation; readonly hops: number | 'all' }

/** Everything a run depends on. A program is data: it is replayed by running it and shrunk by leaving things out. */
export interface Program {
  readonly seed: number;
  readonly settings: Settings;
  readonly plans: Plans;
  readonly steps: readonly Step[];
  /** How it ends: everything is answered before the deadline of `close`, or nothing is. */
  readonly ending: 'prompt' | 'stubborn';
}

/** The result of a fault, or of several at a time. */
export interface FaultReport {
  readonly fault: string;
  readonly polls: number;
  /** Polls with a token lower than one the provider had seen already. */
  readonly stale: number;
  /** Until everything was owned and even again, in TTLs. */
  readonly settledTtl: number;
  readonly [figure: string]: number | string;
}

/** The result of the short run. */
export interface ShortReport {
  readonly faults: readonly FaultReport[];
  readonly stale: readonly unknown[];
  /** Claim queries per replica and tick, at rest. */
  readonly queriesPerTick: readonly number[];
  /** The times of takeovers from killed replicas, sorted, in TTLs. */
  readonly killTakeoversTtl: readonly number[];
  /** The times of takeovers from stopped replicas, sorted, in milliseconds. */
  readonly stopTakeoversMs: readonly number[];
  /** How late a timer fires on this machine meanwhile, at p99, in milliseconds. */
  readonly lagMs: number;
}

/** The server, and the driver where there are two. */
export type ChaosKind = 'postgres' | 'ioredis' | 'node-redis';

export interface ChaosOptions {
  readonly kind: ChaosKind;
  /** With the options that README shows, or with the drivers' own time-outs besides. Default `'documented'`. */
  readonly clients?: 'documented' | 'tuned';
  readonly url: string;
  readonly connections?: number;
}

/** All faults in less than a minute: several at a time, each on a replica of its own. */
export declare function shortChaos(options: ChaosOptions): Promise<ShortReport>;

/** Every connection of four replicas goes silent without a reset, twice; new connections work. */
export declare function silence(options: ChaosOptions): Promise<Pick<ShortReport, 'faults' | 'stale'>>;

/** The plain heartbeat loop through the same harness. Resolves to its stale polls by fault. */
export declare function control(
  options: ChaosOptions,
): Promise<{ readonly paused: number; readonly blocked: number; readonly unreachable: number }>;

import type { ConnectionRecord } from '../contracts/record.js';
import type { Holding } from './holding.js';

/** One claimed connection. */
export interface HoldingSnapshot {
  readonly id: string;
  /**
   * `queued`: waits for its turn to start; `working`: is being hydrated or provisioned; `serving`: `run` is on;
   * `waiting`: backs off after a failure; `stopping`; `stuck`: has not stopped in time; `settled`: is being released.
   */
  readonly state: 'queued' | 'working' | 'serving' | 'waiting' | 'stopping' | 'stuck' | 'settled';
  /** The fencing token, as a string, for JSON knows no bigint. */
  readonly token: string;
  readonly version: string | undefined;
  readonly failures: number;
  /** Until the local deadline, in milliseconds; 0 once the claim cannot be relied on. */
  readonly heldForMs: number;
}

/** What a runner is doing, as plain JSON. */
export interface RunnerSnapshot {
  /** This process's name in the claim store. */
  readonly replica: string;
  readonly state: 'idle' | 'running' | 'stopping' | 'stopped';
  /** All living replicas, as far as this one knows. */
  readonly members: readonly string[];
  /** How many connections there are, and how many of them are this replica's to own. */
  readonly listed: number;
  readonly share: number;
  /** How many it owns. */
  readonly load: number;
  readonly connections: readonly HoldingSnapshot[];
}

/** The row of one holding. */
export function snapshotOf<R extends ConnectionRecord, I>({ id, state, hold, version, failures }: Holding<R, I>): HoldingSnapshot {
  return { id, state, token: String(hold.token), version, failures, heldForMs: hold.held ? hold.remainingMs : 0 };
}

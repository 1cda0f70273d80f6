import type { ConnectionRecord } from '../contracts/record.js';
import type { Holding } from './holding.js';

/** One claimed connection. */
export interface HoldingSnapshot {
  readonly id: string;
  /**
   * `queued`: waits for its turn to start. `working`: is being hydrated or provisioned. `serving`: `run` is running.
   * `waiting`: backs off after a failure. `stopping`: `run` is told to stop. `stuck`: has not stopped in time. `settled`:
   * is being released.
   */
  readonly state: 'queued' | 'working' | 'serving' | 'waiting' | 'stopping' | 'stuck' | 'settled';
  /** The fencing token, as a string, because JSON has no bigint. */
  readonly token: string;
  readonly version: string | undefined;
  readonly failures: number;
  /** Milliseconds until the local deadline. Zero once the claim cannot be relied on. */
  readonly heldForMs: number;
}

/** The current work of a runner, as plain JSON. */
export interface RunnerSnapshot {
  /** This process's name in the claim store. */
  readonly replica: string;
  readonly state: 'idle' | 'running' | 'stopping' | 'stopped';
  /** All living replicas, as far as this one knows. */
  readonly members: readonly string[];
  /** How many connections there are, and how many of them this replica should own. */
  readonly listed: number;
  readonly share: number;
  /** How many it owns. */
  readonly load: number;
  readonly connections: readonly HoldingSnapshot[];
}

/** The row of one holding. */
export function snapshotOf<R extends ConnectionRecord, I>({
  id,
  state,
  validity,
  version,
  failures,
}: Holding<R, I>): HoldingSnapshot {
  return { id, state, token: String(validity.token), version, failures, heldForMs: validity.held ? validity.remainingMs : 0 };
}

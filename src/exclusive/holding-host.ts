import type { Clock } from '../clock.js';
import type { ConnectionRecord } from '../contracts/record.js';
import type { Connections } from '../connections.js';
import type { Duties } from './attempt.js';
import type { RunnerEvents } from './events.js';
import type { StartGate } from './gate.js';
import type { Holding } from './holding.js';

/** What all holdings of a runner share. */
export interface HoldingHost<R extends ConnectionRecord, I> {
  readonly replica: string;
  readonly clock: Clock;
  readonly random: () => number;
  readonly registry: Pick<Connections<R, I>, 'acquire'>;
  readonly duties: Duties<R, I>;
  readonly gate: StartGate;
  readonly limits: {
    readonly ttlMs: number;
    readonly stopTimeoutMs: number;
    readonly provisionTimeoutMs: number;
    readonly stableAfterMs: number;
    readonly startBackoff: { readonly initialMs: number; readonly maxMs: number };
    readonly handOverAfterFailures: number;
  };
  emit<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): void;
  /** Whether somebody else could try. */
  othersLive(): boolean;
  /** The holding is settled, or stuck. */
  over(holding: Holding<R, I>): void;
  /** The registry refuses: this replica can serve nothing any more. */
  registryClosed(): void;
}

import type { Clock } from '../clock.js';
import type { Line } from '../console-lines.js';
import { Listeners } from '../listeners.js';

/**
 * Why a tenure ended.
 *
 * - `lost`: the store says that the claim belongs to another replica, or has expired
 * - `expired`: the claim could not be proven in time (store unreachable, process paused, wall clock jumped)
 * - `handedOver`: moved to even out the replicas' shares
 * - `failed`: handed over after too many failed starts, or given up because it did not stop in time
 * - `unlisted`: `list` no longer names the connection
 * - `stopped`: the runner was stopped
 */
export type TenureEnd = 'lost' | 'expired' | 'handedOver' | 'failed' | 'unlisted' | 'stopped';

/** The events of a runner. Payloads never hold record contents. Versions are strings. */
export interface RunnerEvents {
  /** A connection is hydrated and provisioned, and `run` is called next. */
  started: { id: string; token: bigint; version: string };
  /** This replica no longer owns the connection. After an edit, the connection starts again without this event. */
  ended: { id: string; token: bigint; reason: TenureEnd };
  /** A start failed, or `run` ended by itself. The next attempt follows after `retryAfterMs`, on this replica or another. */
  startFailed: {
    id: string;
    version: string | undefined;
    error: unknown;
    failures: number;
    retryAfterMs: number;
    handedOver: boolean;
  };
  /** `provision` has succeeded for this version. */
  provisioned: { id: string; token: bigint; version: string };
  /** `run` did not settle within `stopTimeoutMs`, so the claim is not released but expires. */
  stopUnproven: { id: string; token: bigint };
  /** A call to the claim store failed, or was not answered in time. */
  claimsFailed: { call: 'renew' | 'claim' | 'release' | 'watch'; error: unknown };
  /** `list` failed, or was not answered in time. The runner keeps the last listing. */
  listFailed: { error: unknown };
}

/** All event names, to refuse misspelt ones. */
export const RUNNER_EVENTS: Readonly<Record<keyof RunnerEvents, true>> = {
  started: true, ended: true, startFailed: true, provisioned: true, stopUnproven: true, claimsFailed: true, listFailed: true,
};

const FAILURES: ReadonlySet<keyof RunnerEvents> = new Set(['startFailed', 'stopUnproven', 'claimsFailed', 'listFailed'] as const);

export const runnerListeners = (clock: Clock): Listeners<RunnerEvents> => new Listeners<RunnerEvents>(lineOf, clock);

/** A failure is written to the console once per connection and version. */
function lineOf<E extends keyof RunnerEvents>(event: E, payload: RunnerEvents[E]): Line | undefined {
  if (!FAILURES.has(event)) return undefined;
  const { id, version, call } = payload as { id?: string; version?: string | undefined; call?: string };
  return {
    key: [event, id, version, call].join('\u0000'),
    text: `hydrant: ${event}${id === undefined ? '' : ` for connection '${id}'`}${call === undefined ? '' : ` (${call})`}`,
    ...('error' in payload ? { error: payload.error } : {}),
  };
}
